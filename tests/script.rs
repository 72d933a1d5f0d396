//! The script host over a door that only remembers: what scripts ask for, what they get, what they are told.

// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod coverage;
mod diagnostics;
mod door;
mod files;
mod flow;
mod groups;
mod holdings;
mod lint;
mod secrets;
mod shipped;
mod verbs;

use baton::error::Result;
use baton::model::site::inventory::{Host, Inventory, Pair, Service};
use baton::model::site::profile::Profile;
use baton::model::site::secret::{Secret, Source};
use baton::model::value::{Fields, Value};
use baton::script::compile::sources::Sources;
use baton::script::evaluate::script_end::ScriptEnd;
use baton::script::evaluate::stage;
use door::FakeDoor;
use std::collections::BTreeMap;
use std::rc::Rc;

const PROFILE: &str = r#"
product = "demo"
title = "Demo server"
model = "demo"
[verbs.shutdown]
class = "idempotent"
argv = ["{tool}", "shutdown", "{name}"]
limit = "2min"
goal = { probe = "status", is = ["stopped"], stays = "10s" }
undo = "start"
[verbs.start]
class = "idempotent"
argv = ["{tool}", "start", "{name}"]
limit = "2min"
goal = { probe = "status", is = ["starting", "running"] }
[verbs.set_option]
class = "idempotent"
argv = ["{tool}", "set_option", "{name}", "{section}", "{key}", "{value}"]
limit = "1min"
goal = { probe = "option", is = ["{value}"] }
undo = "restore_option"
[verbs.set_readonly]
class = "idempotent"
argv = ["{tool}", "set_readonly", "{name}"]
limit = "1min"
goal = { probe = "readonly", is = ["yes"] }
[verbs.backup]
class = "once"
argv = ["{tool}", "backup", "{name}", "{label}"]
limit = "1h"
check = ["{tool}", "has_backup", "{name}", "{label}"]
[verbs.install]
class = "once"
argv = ["{tool}", "install", "{name}", "{version}"]
limit = "30min"
severe = true
[probes.status]
argv = ["{tool}", "status", "{name}"]
reads = { words = ["stopped", "starting", "initializing", "running"] }
[probes.role]
argv = ["{tool}", "role", "{name}"]
[probes.version]
argv = ["{tool}", "version", "{name}"]
[probes.clients]
argv = ["{tool}", "clients", "{name}"]
reads = "int"
[probes.readonly]
argv = ["{tool}", "readonly", "{name}"]
reads = "flag"
[probes.option]
argv = ["{tool}", "option", "{name}", "{section}", "{key}"]
[log]
dir = "/log/{name}"
files = "*.log"
event_patterns = ['^Std (\d{5})']
[events]
22172 = "initialized as backup"
22911 = "dealing with the peer"
25301 = "upgrade mode"
25302 = "refused"
"#;

/// A site of one pair and a database.
fn inventory() -> Rc<Inventory> {
    let profile: Rc<Profile> = Rc::new(toml::from_str(PROFILE).unwrap());
    let mut inventory = Inventory::default();
    for (name, host) in [("c1", "cfg-a"), ("c2", "cfg-b"), ("db", "cfg-a")] {
        let vars = [("name", name), ("host", host), ("tool", "adapter")];
        let vars = vars.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let profile = Rc::clone(&profile);
        let service = Service {
            name: name.to_owned(),
            host: host.to_owned(),
            vars,
            profile,
            account: None,
            tags: Default::default(),
        };
        inventory.services.insert(name.to_owned(), service);
        let address = "local".to_owned();
        inventory.hosts.insert(
            host.to_owned(),
            Host { name: host.to_owned(), address, jobs: None, account: None, reboot: None, tags: Default::default() },
        );
    }
    let related = BTreeMap::from([("database".to_owned(), "db".to_owned())]);
    let pair = Pair { name: "confserv".into(), primary: "c1".into(), backup: "c2".into(), related };
    inventory.pairs.insert("confserv".to_owned(), pair);
    let source = Source::Env("UNUSED".into());
    inventory.secrets.insert("db".into(), Secret { name: "db".into(), source });
    Rc::new(inventory)
}

/// A runbook `test` with some modules.
fn sources(text: &str, modules: &[(&str, &str)]) -> Result<Sources> {
    let mut read = |name: &str| modules.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    Sources::collect("test", text, &mut read)
}

/// A script to be run over a fake door.
struct Test {
    text: String,
    modules: Vec<(&'static str, &'static str)>,
    params: Fields,
    door: Rc<FakeDoor>,
}

impl Test {
    fn new(text: &str) -> Self {
        let door = Rc::new(FakeDoor::default());
        Self { text: text.to_owned(), modules: Vec::new(), params: Fields::new(), door }
    }

    fn module(mut self, name: &'static str, text: &'static str) -> Self {
        self.modules.push((name, text));
        self
    }

    fn param(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// What the next effect with this label comes to.
    fn answer(self, label: &str, value: impl Into<Value>) -> Self {
        self.door.answer(label, value.into());
        self
    }

    fn fail(self, label: &str, message: &str) -> Self {
        self.door.fail(label, message);
        self
    }

    fn halt_at(self, label: &str) -> Self {
        self.door.halt_at(label);
        self
    }

    fn run(&self) -> ScriptEnd {
        let program = sources(&self.text, &self.modules).and_then(|sources| baton::script::program(&sources));
        match program {
            Ok(program) => stage::run(&program, self.door.clone(), inventory(), self.params.clone()),
            Err(error) => ScriptEnd::Bug(error),
        }
    }

    /// Runs to a good end; what the door saw.
    fn done(&self) -> Vec<String> {
        assert_eq!(self.run(), ScriptEnd::Done);
        self.door.seen()
    }

    /// Runs into a bug of the script; the message as it is shown.
    fn bug(&self) -> String {
        match self.run() {
            ScriptEnd::Bug(error) => error.to_string(),
            other => panic!("not a bug: {other:?}"),
        }
    }
}
