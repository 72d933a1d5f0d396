//! The model of a pair of Configuration Servers, driven directly: what a new server logs in each scenario, who
//! serves whom, and what the truth ledger says.

mod befallen;
mod claims;
mod holds;

use baton::engine::standard_package;
use baton::model::run::instant::Wall;
use baton::model::site::inventory::{Inventory, Pair, Service};
use baton::model::site::profile::Profile;
use baton::model::value::{Fields, Value};
use baton::sim::{MemoryFiles, ModelHost, ModelProgram, Out};
use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

const NOW: i64 = 1_795_000_000_000;
const NEW: &str = "8.5.101.10";

/// A pair, its time, and every log line since the beginning.
struct Lab {
    host: ModelHost,
    now: i64,
    lines: Vec<(String, String)>,
}

impl Lab {
    fn new(scenario: &str) -> Self {
        let program =
            ModelProgram::compile(&text("models/genesys-confserv.rhai"), "genesys-confserv.rhai", standard_package())
                .unwrap();
        let host = ModelHost::new(program, &site(), scenario, 7, Wall(NOW), Box::new(MemoryFiles::default())).unwrap();
        let mut lab = Self { host, now: NOW, lines: Vec::new() };
        lab.advance(0);
        lab.lines.clear(); // what was logged before today
        lab
    }

    fn advance(&mut self, seconds: i64) {
        self.now += seconds * 1000;
        self.host.advance_to(Wall(self.now)).unwrap();
        for out in self.host.take_outbox() {
            if let Out::Log { service, line } = out {
                self.lines.push((service, line));
            }
        }
    }

    fn verb(&mut self, service: &str, verb: &str, args: &[(&str, &str)]) {
        let reply = self.host.verb(service, verb, &fields(args)).unwrap().expect("the model knows the verb");
        assert_eq!(reply.exit, 0, "{verb}({service}): {}", reply.output);
        self.advance(i64::try_from(reply.takes.0).unwrap() / 1000);
    }

    fn probe(&mut self, service: &str, what: &str, args: &[(&str, &str)]) -> String {
        self.host.probe(service, what, &fields(args)).unwrap().expect("the model knows the probe").1
    }

    /// Puts the new version in the place of a stopped server's old one.
    fn replace(&mut self, service: &str) {
        self.verb(service, "shutdown", &[]);
        self.verb(service, "stage_install", &[("version", NEW)]);
        self.verb(service, "swap_folder", &[("version", NEW)]);
    }

    /// The event numbers a service has logged, read with the patterns of the profile.
    fn events(&self, service: &str) -> Vec<u32> {
        let log = profile("genesys-confserv").log.unwrap();
        let known: Vec<u32> = profile("genesys-confserv").events.keys().map(|n| n.parse().unwrap()).collect();
        let records = log.records(&site().services[service].vars).unwrap();
        let patterns: Vec<Regex> = records.iter().map(|p| Regex::new(p).unwrap()).collect();
        let number = |line: &str| patterns.iter().find_map(|p| p.captures(line)?[1].parse().ok());
        let own = self.lines.iter().filter(|(name, _)| name == service);
        own.filter_map(|(_, line)| number(line)).filter(|number| known.contains(number)).collect()
    }

    fn violations(&self) -> Vec<String> {
        self.host.ledger().violations.into_iter().map(|(_, text)| text).collect()
    }

    fn total(&self, kind: &str) -> u64 {
        self.host.ledger().total(kind, Wall(self.now)).0 / 1000
    }
}

fn text(path: &str) -> String {
    fs::read_to_string(format!("{}/stdlib/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn profile(name: &str) -> Profile {
    toml::from_str(&text(&format!("products/{name}.toml"))).unwrap()
}

fn fields(args: &[(&str, &str)]) -> Fields {
    args.iter().map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned()))).collect()
}

/// The lab's site, as far as the model looks at it.
fn site() -> Inventory {
    let service = |name: &str, product: &str, vars: &[(&str, &str)]| {
        let profile = Rc::new(profile(product));
        let vars: BTreeMap<String, String> = vars.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        (
            name.to_owned(),
            Service {
                name: name.into(),
                host: format!("cfg-{name}"),
                vars,
                profile,
                account: None,
                tags: Default::default(),
            },
        )
    };
    let server = |name: &str, app: &str| {
        let vars = [("app", app), ("folder", "/opt/confserv"), ("staged", "/opt/confserv_new"), ("logs", "/var/log/g")];
        service(name, "genesys-confserv", &vars)
    };
    let related = BTreeMap::from([("database".to_owned(), "confdb".to_owned())]);
    let pair = Pair { name: "confserv".into(), primary: "c1".into(), backup: "c2".into(), related };
    Inventory {
        services: BTreeMap::from([
            server("c1", "confserv"),
            server("c2", "confserv_backup"),
            service("confdb", "genesys-confdb", &[("dbname", "confdb")]),
        ]),
        pairs: BTreeMap::from([("confserv".to_owned(), pair)]),
        ..Inventory::default()
    }
}

#[test]
fn a_new_server_logs_what_the_scenario_says() {
    for (scenario, expected) in [
        ("upgrade-mode", vec![22911, 25301, 22902, 25302, 25302, 25302, 22170]),
        ("compatible", vec![22911, 22902, 22172]),
        ("undetected", vec![22911, 22902]),
        ("same-schema", vec![22911, 25303, 22902, 22172]),
        ("wrong-database", vec![22911, 25301, 22902, 25302, 25302, 25302, 22171]),
        ("never-ready", vec![22911, 25301]),
        ("late-event", vec![22911, 22902, 25301, 25302, 22170]),
        ("exits", vec![22911]),
    ] {
        let mut lab = Lab::new(scenario);
        lab.replace("c2");
        lab.verb("c2", "start", &[]);
        lab.advance(120);
        assert_eq!(lab.events("c2"), expected, "{scenario}");
        assert_eq!(lab.probe("c2", "status", &[]) == "stopped", scenario == "exits", "{scenario}");
        assert_eq!(lab.violations(), Vec::<String>::new(), "{scenario}");
        assert_eq!(lab.probe("c1", "clients", &[]), "6", "{scenario}: nobody noticed");
    }
}

#[test]
fn upgrade_mode_can_be_forced_where_it_is_not_detected() {
    let mut lab = Lab::new("undetected");
    lab.replace("c2");
    lab.verb("c2", "set_option", &[("section", "confserv_backup"), ("key", "upgrade-mode"), ("value", "1")]);
    lab.verb("c2", "start", &[]);
    lab.advance(120);
    assert_eq!(lab.events("c2"), [25300, 22911, 22902, 25302, 25302, 25302, 22170]);
}

#[test]
fn an_upgraded_database_is_announced_as_such() {
    let mut lab = Lab::new("new-database");
    lab.verb("c2", "shutdown", &[]);
    lab.verb("c2", "stage_install", &[("version", NEW)]);
    lab.verb("c2", "point_to_database", &[("database", "confdb_85")]);
    assert_eq!(lab.probe("c2", "staged_database", &[]), "confdb_85");
    lab.verb("c2", "swap_folder", &[("version", NEW)]);
    lab.verb("c2", "start", &[]);
    lab.advance(120);
    assert_eq!(lab.events("c2").last(), Some(&22171));
    assert_eq!(lab.probe("c1", "trial_write", &[]), "accepted", "each server has a database of its own");
}

#[test]
fn the_whole_procedure_leaves_the_ledger_clean() {
    let mut lab = Lab::new("upgrade-mode");
    lab.verb("c1", "set_readonly", &[]);
    assert_eq!(lab.probe("c1", "trial_write", &[]), "refused");
    lab.replace("c2");
    lab.verb("c2", "start", &[]);
    lab.advance(120);
    lab.replace("c1"); // six clients move over and read everything again
    lab.advance(120);
    assert_eq!((lab.probe("c2", "role", &[]), lab.probe("c2", "clients", &[])), ("primary".into(), "6".into()));
    lab.verb("c1", "start", &[]);
    lab.advance(60);
    assert_eq!(lab.events("c1").last(), Some(&22172));
    lab.verb("c2", "shutdown", &[]);
    lab.advance(30);
    assert_eq!((lab.probe("c1", "role", &[]), lab.probe("c1", "clients", &[])), ("primary".into(), "6".into()));
    lab.verb("c2", "start", &[]);
    lab.advance(60);
    lab.verb("c1", "unset_readonly", &[]);
    assert_eq!(lab.probe("c1", "trial_write", &[]), "accepted");
    assert_eq!(lab.violations(), Vec::<String>::new());
    assert_eq!(lab.total("OUT"), 0);
    assert!(lab.total("BLIP") > 5 && lab.total("NORED") > 200, "two changes of server, and some minutes alone");
    let end = lab.host.summary().unwrap();
    for (service, role) in [("c1", "primary"), ("c2", "backup")] {
        let server = end.get(service).unwrap();
        assert_eq!(server.get("role").and_then(Value::as_text), Some(role));
        assert_eq!(server.get("version").and_then(Value::as_text), Some(NEW));
    }
    let open = end.get("confserv").and_then(|pair| pair.get("open"));
    assert_eq!(open, Some(&Value::List(Vec::new())), "nobody suffers any more");
}

#[test]
fn stopping_the_server_too_early_is_an_outage_and_a_violation() {
    let mut lab = Lab::new("upgrade-mode");
    lab.replace("c2");
    lab.verb("c2", "start", &[]);
    lab.advance(10);
    lab.verb("c1", "shutdown", &[]);
    assert_eq!(lab.violations().len(), 1);
    lab.advance(120);
    assert!(lab.total("OUT") > 10);
    assert_eq!(lab.probe("c2", "clients", &[]), "6", "they come back once the new server is ready");
}

#[test]
fn an_old_log_lies_beside_the_new_one_and_noise_is_no_event() {
    let site = site();
    let program =
        ModelProgram::compile(&text("models/genesys-confserv.rhai"), "genesys-confserv.rhai", standard_package())
            .unwrap();
    let mut host =
        ModelHost::new(program, &site, "upgrade-mode", 7, Wall(NOW), Box::new(MemoryFiles::default())).unwrap();
    let files =
        host.take_outbox().into_iter().filter(|out| matches!(out, Out::OpenLog { service, .. } if service == "c2"));
    assert_eq!(files.count(), 2);
    let mut lab = Lab::new("compatible");
    lab.replace("c2");
    lab.verb("c2", "start", &[]);
    lab.advance(120);
    let mentions = lab.lines.iter().filter(|(service, line)| service == "c2" && line.contains("22170"));
    assert_eq!(mentions.count(), 2, "a message, and the second line of one, that speak of an event");
    assert!(!lab.events("c2").contains(&22170));
}

#[test]
fn a_server_killed_behind_the_management_layers_back_returns() {
    let mut lab = Lab::new("upgrade-mode");
    let argv = Value::List(vec![Value::Text("pkill".into()), Value::Text("confserv".into())]);
    lab.host.verb("c2", "run", &Fields::from([("argv".to_owned(), argv)])).unwrap();
    assert_eq!(lab.probe("c2", "status", &[]), "stopped");
    lab.advance(120);
    assert_eq!(lab.probe("c2", "role", &[]), "backup");
}
