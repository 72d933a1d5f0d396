//! The shipped models on the sites of the shipped labs: they fit the simulated world, not only their own tests.

use super::Session;
use baton::engine::standard_package;
use baton::library;
use baton::model::run::instant::Mono;
use baton::model::site::inventory::Inventory;
use baton::sim::{FaultPlan, ModelProgram, SimEstate};
use baton::world::JobState;
use baton::world::request::{AwaitJob, ListFolder, StartJob};
use std::collections::BTreeMap;

fn site(lab: &toml::Table) -> Inventory {
    let text = toml::to_string(&lab["inventory"]).unwrap().replace("{lab}", "/lab");
    Inventory::parse(&text, "lab.toml", &mut |product| library::product(product).map(str::to_owned)).unwrap()
}

#[test]
fn a_server_of_the_lab_is_stopped_and_started_in_every_scenario() {
    let lab: toml::Table = library::lab("genesys").unwrap().parse().unwrap();
    let source = library::model("genesys-confserv").unwrap();
    let program = ModelProgram::compile(source, "genesys-confserv.rhai", standard_package()).unwrap();
    let programs = BTreeMap::from([(program.name().to_owned(), program)]);
    let site = site(&lab);
    for scenario in lab["scenarios"].as_table().unwrap().keys() {
        let estate = SimEstate::new(&site, &programs, scenario, 1, &FaultPlan::default()).unwrap();
        let mut session = Session::on(&estate);
        let service = &site.services["c2"];
        let list = ListFolder { host: service.host.clone(), dir: service.vars["logs"].clone() };
        let Ok(before) = session.ask(list.clone()) else { panic!("{scenario}: no listing") };
        assert!(!before.is_empty(), "{scenario}: old logs lie in the folder the profile names");
        for (n, verb) in [(1, "shutdown"), (2, "start")] {
            let job = super::job(n);
            session
                .ask(StartJob {
                    host: service.host.clone(),
                    job: job.clone(),
                    service: Some("c2".into()),
                    verb: verb.into(),
                    argv: Vec::new(),
                    args: BTreeMap::new(),
                    secret: None,
                    until: Mono::NEVER,
                })
                .unwrap();
            let end = session.ask(AwaitJob { host: service.host.clone(), job, until: Mono::NEVER });
            assert_eq!(end, Ok(JobState::Exited(0)), "{scenario}: {verb}");
        }
        let Ok(after) = session.ask(list) else { panic!("{scenario}: no listing") };
        assert_eq!(after.len(), before.len() + 1, "{scenario}: a log file for the new launch");
        estate.pass(600_000);
        assert_eq!(estate.defect(), None, "{scenario}");
        assert!(estate.summary().is_ok(), "{scenario}");
    }
}
