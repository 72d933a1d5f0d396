//! Texts with `{name}` placeholders. A placeholder is a name in braces and nothing else, so other braces
//! (`\d{5}`, `{print $1}`) stand for themselves. What is filled in is never read as a template again.

use crate::model::text::did_you_mean;
use crate::model::value::{Fields, Value};
use std::collections::BTreeMap;

/// The longest value a variable may grow to, in bytes: more is a mistake in the inventory.
const VALUE_MAX: usize = 64 * 1024;

/// Fills a template of a profile from the call's arguments and the service's variables; arguments go first.
///
/// # Errors
/// A sentence that names the placeholder that stands for nothing.
pub fn fill(template: &str, vars: &BTreeMap<String, String>, args: &Fields) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            TemplatePiece::Text(text) => out.push_str(text),
            TemplatePiece::Name(name) => match (args.get(name), vars.get(name)) {
                (Some(Value::Text(text)), _) | (None, Some(text)) => out.push_str(text),
                (Some(value), _) => out.push_str(&value.to_string()),
                (None, None) => {
                    return Err(stands_for_nothing(name, vars.keys().chain(args.keys())));
                }
            },
        }
    }
    Ok(out)
}

/// A variable that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadVariable {
    /// Its name, without the braces.
    pub(crate) variable: String,
    /// Why, as a sentence.
    pub(crate) reason: String,
}

/// All variables with the placeholders in them filled from each other.
pub(crate) fn expand(raw: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, BadVariable> {
    let mut done = BTreeMap::new();
    for name in raw.keys() {
        expand_one(name, raw, &mut done, &mut Vec::new())?;
    }
    Ok(done)
}

fn expand_one(
    name: &str,
    raw: &BTreeMap<String, String>,
    done: &mut BTreeMap<String, String>,
    path: &mut Vec<String>,
) -> Result<(), BadVariable> {
    if done.contains_key(name) {
        return Ok(());
    }
    path.push(name.to_owned());
    if let Some(first) = path.iter().position(|other| other == name).filter(|first| first + 1 < path.len()) {
        let round: Vec<String> = path.iter().skip(first).map(|name| format!("{{{name}}}")).collect();
        return Err(BadVariable {
            variable: name.to_owned(),
            reason: format!("variables go round in a circle: {}", round.join(" -> ")),
        });
    }
    let template = raw.get(name).map(String::as_str).unwrap_or_default();
    for piece in pieces(template) {
        let TemplatePiece::Name(other) = piece else { continue };
        if !raw.contains_key(other) {
            return Err(BadVariable { variable: name.to_owned(), reason: stands_for_nothing(other, raw.keys()) });
        }
        expand_one(other, raw, done, path)?;
    }
    path.pop();
    let unfit = |reason| BadVariable { variable: name.to_owned(), reason };
    let value = fill(template, done, &Fields::new()).map_err(unfit)?;
    if value.len() > VALUE_MAX {
        return Err(unfit(format!("`{name}` grows to {} bytes; the most is {VALUE_MAX}", value.len())));
    }
    done.insert(name.to_owned(), value);
    Ok(())
}

fn stands_for_nothing<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let near = did_you_mean(name, known.map(String::as_str)).map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("`{{{name}}}` stands for nothing here{near}")
}

/// The names that stand in a template, in order.
#[must_use]
pub fn placeholders(template: &str) -> Vec<&str> {
    let name = |piece| match piece {
        TemplatePiece::Name(name) => Some(name),
        TemplatePiece::Text(_) => None,
    };
    pieces(template).into_iter().filter_map(name).collect()
}

enum TemplatePiece<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn pieces(template: &str) -> Vec<TemplatePiece<'_>> {
    let mut pieces = Vec::new();
    let mut text_from = 0;
    for (open, _) in template.match_indices('{') {
        let after = template.get(open + 1..).unwrap_or_default();
        let Some(name) = after.split_once('}').map(|(name, _)| name).filter(|name| is_placeholder(name)) else {
            continue;
        };
        pieces.push(TemplatePiece::Text(template.get(text_from..open).unwrap_or_default()));
        pieces.push(TemplatePiece::Name(name));
        text_from = open + name.len() + 2;
    }
    pieces.push(TemplatePiece::Text(template.get(text_from..).unwrap_or_default()));
    pieces
}

fn is_placeholder(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_names_in_braces_are_placeholders() {
        let vars = vars(&[("app", "confserv"), ("folder", "/opt/{app}")]);
        let args = Fields::from([("value".into(), Value::Int(7)), ("app".into(), "mine".into())]);
        for (template, filled) in [
            ("{app}={value}", "mine=7"),
            ("^\\d{5} {print $1} {} {", "^\\d{5} {print $1} {} {"),
            ("{{app}}", "{mine}"),
            ("{folder}ä", "/opt/{app}ä"),
        ] {
            assert_eq!(fill(template, &vars, &args).as_deref(), Ok(filled));
        }
        let error = "`{valeu}` stands for nothing here; did you mean `value`?";
        assert_eq!(fill("{valeu}", &vars, &args), Err(error.into()));
    }

    #[test]
    fn variables_are_expanded_from_each_other() {
        let expanded = expand(&vars(&[("a", "{b}/a"), ("b", "{c}/b"), ("c", "/c")])).expect("expand");
        assert_eq!(expanded, vars(&[("a", "/c/b/a"), ("b", "/c/b"), ("c", "/c")]));
    }

    #[test]
    fn variables_that_cannot_be_expanded_are_named() {
        let sized = vars(&[("a", &"{b}".repeat(8)), ("b", &"x".repeat(10_000))]);
        for (raw, variable, reason) in [
            (vars(&[("a", "{b}"), ("b", "{a}")]), "a", "variables go round in a circle: {a} -> {b} -> {a}"),
            (vars(&[("a", "{a}")]), "a", "variables go round in a circle: {a} -> {a}"),
            (vars(&[("a", "{bb}"), ("bc", "")]), "a", "`{bb}` stands for nothing here; did you mean `bc`?"),
            (sized, "a", "`a` grows to 80000 bytes; the most is 65536"),
        ] {
            assert_eq!(expand(&raw), Err(BadVariable { variable: variable.into(), reason: reason.into() }));
        }
    }
}
