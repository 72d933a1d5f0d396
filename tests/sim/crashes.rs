//! A runner that dies at every boundary it crosses, and the next one that takes the run up again: the whole stack
//! from the door down, over the pump site.

use super::one_fault;
use super::pump::{programs, site};
use baton::dispatch::{Body, Dispatcher, Door, DriftCheck, Halted, Setup};
use baton::journal::history::History;
use baton::journal::memory::MemoryStore;
use baton::journal::{Store, Stored};
use baton::model::run::effect::{
    Action, Ask, Capture, Class, Effect, Form, Goal, Job, LogSource, LogWait, Probe, Want,
};
use baton::model::run::estate::EstateId;
use baton::model::run::reading::Reading;
use baton::model::run::record::{Ending, FORMAT, Fact, Record};
use baton::model::span::Span;
use baton::model::value::{Fields, Value};
use baton::sim::{CrashClock, CrashingStore, FaultPlan, Harm, ModelProgram, SimEstate, SimWorld, oracle};
use baton::world::World;
use std::collections::BTreeMap;
use std::rc::Rc;

const ONCE: [oracle::OnceVerb<'static>; 2] = [("backup", "p1"), ("backup", "p2")];

fn effect(service: &str, verb: &str, action: Action) -> Effect {
    let service = Some(service.to_owned()).filter(|name| !name.is_empty());
    let host = service.is_some().then(|| "h".to_owned());
    Effect { action, label: verb.to_owned(), host, service, undo: None, before: None }
}

fn status() -> Probe {
    Probe {
        means: None,
        what: "status".into(),
        argv: Vec::new(),
        args: Fields::new(),
        limit: Span::secs(10),
        tries: 3,
        reads: Reading::Text,
        within: None,
        exit_tells: false,
        secret: None,
    }
}

fn job(service: &str, verb: &str, class: Class, wants: &[&str]) -> Effect {
    let wants: Vec<Value> = wants.iter().map(|want| (*want).into()).collect();
    let goal = Goal { probe: status(), wants, stays: Span(0) };
    let job = Job {
        means: None,
        verb: verb.into(),
        class,
        argv: vec!["x".into()],
        args: Fields::new(),
        limit: Span::mins(5),
        goal: (class == Class::Idempotent).then_some(goal),
        check: None,
        killable: false,
        secret: None,
    };
    effect(service, verb, Action::Job(job))
}

/// Backs a pump up, starts it, and reads in its log that it runs.
fn bring_up(door: &dyn Door, service: &str, dir: &str) -> Result<(), Halted> {
    let source = LogSource {
        dir: dir.into(),
        files: format!("{service}.*.log"),
        event_patterns: vec![r"^\S+ Std (\d+) ".into()],
        events: vec![100],
        meanings: BTreeMap::new(),
    };
    door.perform(job(service, "backup", Class::Once, &[]), None)?;
    door.perform(effect(service, "mark", Action::Capture(Capture::Mark { source: source.clone() })), None)?;
    door.perform(job(service, "start", Class::Idempotent, &["starting", "running"]), None)?;
    let from = door.mark_of(service).unwrap_or_default();
    let want = Want::Match { events: vec![100], patterns: Vec::new() };
    let wait = LogWait { source, from, want, limit: Span::mins(1), contact: None, exit: None };
    door.perform(effect(service, "wait", Action::Log(wait)), None).map(drop)
}

/// The run: both pumps at once, then a question.
fn body(door: Rc<Dispatcher>) -> Body {
    Box::new(move || {
        let pump = |service: &'static str, dir: &'static str| -> Body {
            let door = Rc::clone(&door);
            Box::new(move || {
                let _halted = bring_up(&*door, service, dir);
            })
        };
        let run = || -> Result<(), Halted> {
            door.step_begin("bring both up", None, false)?;
            door.fork(vec![pump("p1", "/logs"), pump("p2", "/logs2")])?;
            door.step_end(None)?;
            let ask = Ask { gate: "confirm-1".into(), form: Form::Confirm, text: "fine?".into(), evidence: "".into() };
            door.perform(effect("", "confirm", Action::Ask(ask)), None)?;
            Ok(())
        };
        let _halted = run();
    })
}

/// How a runner's life ended.
#[derive(Debug, PartialEq)]
enum Life {
    Done,
    Died,
    Stopped(Ending),
}

/// One runner's life.
fn runner(store: &MemoryStore, estate: &SimEstate, clock: &CrashClock) -> Life {
    let mut world = SimWorld::on(estate, clock.clone());
    let mut store = CrashingStore::new(store.clone(), clock.clone());
    let mut stored = store.read("r").unwrap_or_default();
    if stored.is_empty() {
        let record = Fact::Begun {
            format: FORMAT,
            baton: "test".into(),
            runbook: "pumps".into(),
            sources: BTreeMap::new(),
            params: Fields::new(),
            estate: EstateId::Simulation,
        }
        .by(Default::default(), world.now());
        let record = Rc::new(record);
        if store.append("r", 0, std::slice::from_ref(&record)).is_err() {
            return Life::Died;
        }
        stored.push(Stored::new(1, record));
    }
    let last_seq = stored.len() as u64;
    let history = History::from(stored).unwrap();
    let (run, sinks, scanners) = ("r".into(), Vec::new(), Rc::default());
    let setup = Setup {
        run,
        store: Box::new(store),
        world: Box::new(world),
        sinks,
        history,
        last_seq,
        scanners,
        gates: vec![],
        drift: DriftCheck::default(),
        by: Default::default(),
    };
    let door = Dispatcher::new(setup);
    door.drive(body(Rc::clone(&door)));
    let ending = door.halt_reason().map_or(Ending::Done, |halt| halt.ending);
    match (clock.is_dead() || door.close(ending, "", None).is_err(), ending) {
        (true, _) => Life::Died,
        (false, Ending::Done) => Life::Done,
        (false, ending) => Life::Stopped(ending),
    }
}

fn records(store: &MemoryStore) -> Vec<Record> {
    store.read("r").unwrap().into_iter().map(|stored| stored.record.as_ref().clone()).collect()
}

/// A run of as many runners as it takes, each but the last dying at its point. Returns what the last one passed.
fn story(programs: &BTreeMap<String, Rc<ModelProgram>>, crashes: &[u64], plan: &FaultPlan) -> (u64, Value) {
    let estate = SimEstate::new(&site(), programs, "", 1, plan).unwrap();
    let store = MemoryStore::new();
    for (life, at) in crashes.iter().enumerate() {
        let clock = CrashClock::at(*at);
        if runner(&store, &estate, &clock) == Life::Done {
            return (clock.points(), estate.summary().unwrap());
        }
        estate.pass(500 * life as u64);
    }
    let clock = CrashClock::never();
    assert_eq!(runner(&store, &estate, &clock), Life::Done, "crashes at {crashes:?}");
    let wrong = oracle::judge(&estate.ledger(), &ONCE, &records(&store));
    assert_eq!(wrong, Vec::<String>::new(), "crashes at {crashes:?}");
    assert_eq!(estate.defect(), None);
    (clock.points(), estate.summary().unwrap())
}

#[test]
fn whenever_the_runner_dies_the_next_one_comes_to_the_same_end() {
    let programs = programs();
    let (points, clean) = story(&programs, &[], &FaultPlan::default());
    assert!(points > 60, "{points}");
    for first in 1..=points {
        let (_, end) = story(&programs, &[first], &FaultPlan::default());
        assert_eq!(end, clean, "the first runner died at {first}");
        let (_, end) = story(&programs, &[first, 1 + first * 7 % points], &FaultPlan::default());
        assert_eq!(end, clean, "two runners died, the first at {first}");
    }
}

#[test]
fn a_lost_reply_and_a_crash_start_the_job_once_all_the_same() {
    let programs = programs();
    let plan = one_fault("backup", "p1", Harm::ReplyLost);
    let (points, clean) = story(&programs, &[], &plan);
    for at in 1..=points {
        assert_eq!(story(&programs, &[at], &plan).1, clean, "died at {at}");
    }
}

#[test]
fn whatever_goes_wrong_nothing_is_done_twice_or_unrecorded() {
    let programs = programs();
    let clean = SimEstate::new(&site(), &programs, "", 1, &FaultPlan::default()).unwrap();
    assert_eq!(runner(&MemoryStore::new(), &clean, &CrashClock::never()), Life::Done);
    let singles: Vec<FaultPlan> = FaultPlan::singles(&clean.places()).collect();
    assert!(singles.len() > 30, "{}", singles.len());
    let plans = singles.into_iter().chain((0..200).map(|seed| FaultPlan::random(seed, &clean.places(), 3)));
    for plan in plans {
        let estate = SimEstate::new(&site(), &programs, "", 1, &plan).unwrap();
        let store = MemoryStore::new();
        let life = runner(&store, &estate, &CrashClock::never());
        let expected = [Life::Done, Life::Stopped(Ending::Doubt), Life::Stopped(Ending::Suspended)];
        assert!(expected.contains(&life), "{life:?}\n{plan}");
        let wrong = oracle::judge(&estate.ledger(), &ONCE, &records(&store));
        assert_eq!((wrong, estate.defect()), (Vec::new(), None), "{plan}");
        let unanswered = plan.faults.iter().any(|fault| fault.harm == Harm::Nobody);
        assert_eq!(life == Life::Stopped(Ending::Suspended), unanswered && life != Life::Stopped(Ending::Doubt));
    }
}

#[test]
fn the_oracle_sees_what_no_intent_allowed() {
    let estate = SimEstate::new(&site(), &programs(), "", 1, &FaultPlan::default()).unwrap();
    let mut session = super::Session::on(&estate);
    session.start(1, "backup", 1).unwrap();
    session.start(1, "stop", 2).unwrap();
    let wrong = oracle::judge(&estate.ledger(), &ONCE, &[]);
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    assert!(wrong[0].starts_with("OUT of p1 began at 2026-11-21T22:00:00.01Z and never ended"), "{wrong:?}");
    assert_eq!(wrong[1], "backup(p1) reached the product 1 times, 0 were allowed");
    assert!(wrong[2].ends_with("without an intent"), "{wrong:?}");
}
