//! A site with two pumps on one host, and the model that animates them.

use baton::engine::standard_package;
use baton::model::site::inventory::{Host, Inventory, Service};
use baton::model::site::profile::Profile;
use baton::sim::{FaultPlan, ModelProgram, SimEstate};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) const MODEL: &str = r#"
fn init(site, scenario) {
    let pumps = #{};
    for name in site.services.keys() {
        pumps[name] = #{ status: "stopped", backups: 0 };
        write_file(name, "/opt/" + name + "/VERSION", "1");
        write_file(name, "/opt/" + name + ".new/VERSION", "2");
        open_log(name, name + "." + file_stamp(now() - 86400000) + ".log");
        log(name, stamp(now()) + " Std 100 pump " + name + " runs");
    }
    pumps
}
fn verb(service, verb, args) {
    switch verb {
        "start" => {
            if this[service].status == "stopped" {
                this[service].status = "starting";
                open_log(service, service + "." + file_stamp(now()) + ".log");
                after(3000, "runs", service);
            }
        }
        "stop" => { this[service].status = "stopped"; begin("OUT", service); }
        "backup" => { this[service].backups += 1; }
        "swap" => {
            if !move_folder(service, "/opt/" + service, "/opt/" + service + ".old") { violation("swapped twice"); }
            move_folder(service, "/opt/" + service + ".new", "/opt/" + service);
        }
        "stumble" => trip(),
        _ => return (),
    }
    #{ output: verb + " done\n", takes: 2000 }
}
fn trip() {
    no_such_function()
}
fn probe(service, what, args) {
    switch what {
        "status" => #{ output: this[service].status },
        "backups" => #{ output: this[service].backups.to_string() },
        _ => (),
    }
}
fn due(name, data) {
    this[data].status = "running";
    finish("OUT", data);
    log(data, stamp(now()) + " Std 100 pump " + data + " runs");
}
fn answer(gate, form, text, options) { #{ word: if form == "confirm" { "yes" } else { "done" }, after: 3000 } }
fn summary() {
    let all = #{};
    for name in this.keys() {
        let pump = this[name];
        all[name] = #{ status: pump.status, backups: pump.backups, version: read_file(name, "/opt/" + name + "/VERSION") };
    }
    all
}
"#;

const PROFILE: &str = r#"
product = "pump"
title = "Pump"
model = "pump"
[log]
dir = "{logs}"
files = "{name}.*.log"
event_patterns = ['^\S+ Std (\d+) ']
"#;

/// The site.
pub(crate) fn site() -> Inventory {
    let profile: Rc<Profile> = Rc::new(toml::from_str(PROFILE).unwrap());
    let service = |name: &str, logs: &str| {
        let vars = BTreeMap::from([("name".into(), name.into()), ("logs".into(), logs.into())]);
        (
            name.to_owned(),
            Service {
                name: name.into(),
                host: "h".into(),
                vars,
                profile: Rc::clone(&profile),
                account: None,
                tags: Default::default(),
            },
        )
    };
    let host = Host {
        name: "h".into(),
        address: "local".into(),
        jobs: None,
        account: None,
        reboot: None,
        tags: Default::default(),
    };
    Inventory {
        hosts: BTreeMap::from([("h".to_owned(), host)]),
        services: BTreeMap::from([service("p1", "/logs"), service("p2", "/logs2")]),
        pairs: BTreeMap::new(),
        ..Inventory::default()
    }
}

/// The models, compiled once for any number of estates.
pub(crate) fn programs() -> BTreeMap<String, Rc<ModelProgram>> {
    let program = ModelProgram::compile(MODEL, "pump.rhai", standard_package()).unwrap();
    BTreeMap::from([(program.name().to_owned(), program)])
}

/// A new simulation of the site.
pub(crate) fn estate(plan: &FaultPlan) -> SimEstate {
    SimEstate::new(&site(), &programs(), "", 1, plan).unwrap()
}
