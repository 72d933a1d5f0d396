//! The real world, through its trait, on real files and processes.
// Helpers of tests may fail as tests do; a reply of another kind is a failure, whatever its kind.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

use baton::model::run::instant::Mono;
use baton::model::run::record::{EffectId, TrackId};
use baton::model::span::Span;
use baton::world::carrier::HostPlace;
use baton::world::clock::Clock;
use baton::world::operator::person::Person;
use baton::world::request::{LookAtJob, StartJob};
use baton::world::system::SystemWorld;
use baton::world::{CameBack, Completion, HasReply, JobId, Ticket, World};
use std::collections::BTreeMap;
use std::path::Path;

mod files;
mod jobs;
mod lab;
mod probes;

/// A world with one host `h`, whose job records are under `folder`.
fn open(folder: &Path) -> SystemWorld {
    open_with(folder, Clock::real(), Person::Nobody("nobody is there".into()))
}

fn open_with(folder: &Path, clock: Clock, person: Person) -> SystemWorld {
    let hosts = BTreeMap::from([("h".to_owned(), HostPlace { jobs: folder.join("jobs") })]);
    SystemWorld::new(hosts, clock, person).unwrap()
}

/// Asks one thing of a world that has nothing else under way.
fn ask<R: HasReply>(world: &mut SystemWorld, request: R) -> CameBack<R::Reply> {
    world.submit(Ticket(0), request.into());
    match world.next() {
        Completion::Reply(Ticket(0), came) => R::came_back(came),
        other => panic!("expected the reply, got {other:?}"),
    }
}

/// In so many milliseconds.
fn soon(world: &mut SystemWorld, milliseconds: u64) -> Mono {
    world.now().mono + Span(milliseconds)
}

fn job_id(n: u64) -> JobId {
    JobId { run: "0123456789ab".into(), effect: EffectId { track: TrackId::main(), n }, attempt: 1 }
}

fn start(id: &JobId, argv: &[&str]) -> StartJob {
    StartJob {
        host: "h".into(),
        job: id.clone(),
        service: None,
        verb: "run".into(),
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        args: BTreeMap::new(),
        secret: None,
        until: Mono::NEVER,
    }
}

fn look(id: &JobId) -> LookAtJob {
    LookAtJob { host: "h".into(), job: id.clone(), asked: None, kept_in: None, until: Mono::NEVER }
}
