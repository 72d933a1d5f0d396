//! The shipped models on the sites of the shipped labs: they fit the simulated world, not only their own tests.

use baton::engine::standard_package;
use baton::library;
use baton::model::run::instant::Mono;
use baton::model::site::inventory::Inventory;
use baton::sim::{CrashClock, FaultPlan, ModelProgram, SimEstate, SimWorld};
use baton::world::{Completion, JobState, Reply, Request, Ticket, World};
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
        let mut world = SimWorld::on(&estate, CrashClock::never());
        let mut ask = |request| {
            world.submit(Ticket(1), request);
            let Completion::Reply(_, reply) = world.next() else { panic!("{scenario}: no reply") };
            reply
        };
        let service = &site.services["c2"];
        let list = Request::List { host: service.host.clone(), dir: service.vars["logs"].clone() };
        let Reply::Listing(before) = ask(list.clone()) else { panic!("{scenario}: no listing") };
        assert!(!before.is_empty(), "{scenario}: old logs lie in the folder the profile names");
        for (n, verb) in [(1, "shutdown"), (2, "start")] {
            let job = super::job(n);
            ask(Request::Start {
                host: service.host.clone(),
                job: job.clone(),
                service: Some("c2".into()),
                verb: verb.into(),
                argv: Vec::new(),
                args: BTreeMap::new(),
                secret: None,
                until: Mono::NEVER,
            });
            let end = ask(Request::JobEnd { host: service.host.clone(), job, until: Mono::NEVER });
            assert_eq!(end, Reply::Job(JobState::Exited(0)), "{scenario}: {verb}");
        }
        let Reply::Listing(after) = ask(list) else { panic!("{scenario}: no listing") };
        assert_eq!(after.len(), before.len() + 1, "{scenario}: a log file for the new launch");
        estate.pass(600_000);
        assert_eq!(estate.defect(), None, "{scenario}");
        assert!(estate.summary().is_ok(), "{scenario}");
    }
}
