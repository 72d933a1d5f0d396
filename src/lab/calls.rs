//! From a command line back to what it asks for. A lab has no product's tools: it finds the verb or probe of a service
//! whose command, as the profile writes it, is the one that was called. Pure.

use crate::model::site::inventory::{Inventory, Service};
use crate::model::value::{Fields, Value};
use serde::{Deserialize, Serialize};

/// What a command line asks of a lab.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Of which service.
    pub service: String,
    /// Whether it changes something: a verb, else a probe.
    pub changes: bool,
    /// Which verb or probe.
    pub name: String,
    /// Its arguments by name.
    pub args: Fields,
}

/// Every command of every service of a site, with `{x}` where an argument stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calls(Vec<LabCommandLine>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct LabCommandLine {
    service: String,
    changes: bool,
    name: String,
    words: Vec<String>,
}

impl Calls {
    /// The commands of a site's services.
    #[must_use]
    pub fn of(site: &Inventory) -> Self {
        let mut calls = Vec::new();
        for (name, service) in &site.services {
            let verbs = service.profile.verbs.iter().map(|(verb, rule)| (true, verb, &rule.argv));
            let probes = service.profile.probes.iter().map(|(probe, rule)| (false, probe, &rule.argv));
            calls.extend(verbs.chain(probes).map(|(changes, called, argv)| LabCommandLine {
                service: name.clone(),
                changes,
                name: called.clone(),
                words: argv.iter().map(|word| with_vars(word, service)).collect(),
            }));
        }
        Self(calls)
    }

    /// The programs that are called, each once.
    #[must_use]
    pub fn programs(&self) -> Vec<String> {
        let mut programs: Vec<String> = self.0.iter().filter_map(|call| call.words.first().cloned()).collect();
        programs.sort();
        programs.dedup();
        programs
    }

    /// What this command line asks for, if any service has such a command.
    #[must_use]
    pub fn find(&self, argv: &[String]) -> Option<ToolCall> {
        self.0.iter().find_map(|call| {
            let args = captures(&call.words, argv)?;
            let (service, name) = (call.service.clone(), call.name.clone());
            Some(ToolCall { service, changes: call.changes, name, args })
        })
    }
}

/// A word of a command with the service's variables filled in; arguments stay as `{x}`.
fn with_vars(word: &str, service: &Service) -> String {
    service.vars.iter().fold(word.to_owned(), |word, (name, value)| word.replace(&format!("{{{name}}}"), value))
}

/// The arguments, at most one in a word, if the words fit one by one.
fn captures(words: &[String], argv: &[String]) -> Option<Fields> {
    if words.len() != argv.len() {
        return None;
    }
    let mut args = Fields::new();
    for (word, given) in words.iter().zip(argv) {
        let parts = word.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
        match parts {
            None if word == given => {}
            None => return None,
            Some((before, (name, after))) => {
                let value = given.strip_prefix(before)?.strip_suffix(after)?;
                args.insert(name.to_owned(), Value::from(value));
            }
        }
    }
    Some(args)
}

#[cfg(test)]
mod tests {
    use super::{Calls, LabCommandLine};
    use crate::model::value::Value;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_line_is_traced_to_its_service_and_verb() {
        let call = |service: &str, changes, line| LabCommandLine {
            service: service.into(),
            changes,
            name: words(line)[1].clone(),
            words: words(line),
        };
        let calls = Calls(vec![
            call("c1", false, "/lab/tool status one"),
            call("c2", true, "/lab/tool set_option two {section} {key} value={value}"),
        ]);
        let asked = calls.find(&words("/lab/tool set_option two log level value=all")).expect("known");
        assert_eq!((asked.service.as_str(), asked.changes, asked.name.as_str()), ("c2", true, "set_option"));
        assert_eq!(asked.args.get("value"), Some(&Value::from("all")));
        assert_eq!(calls.find(&words("/lab/tool status one")).map(|asked| asked.service).as_deref(), Some("c1"));
        assert_eq!(calls.find(&words("/lab/tool status three")), None);
        assert_eq!(calls.programs(), ["/lab/tool"]);
    }
}
