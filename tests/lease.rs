//! Leases in the simulation: a runner that is frozen at any point, taken over, and wakes up when another one has seen
//! the run to its end. It must do nothing any more.

use crate::support::simulation::{Play, Scene};
use baton::journal::memory::MemoryStore;
use baton::journal::{RunId, Store, StoreResult, Stored};
use baton::model::run::estate::EstateId;
use baton::model::run::record::{Ending, Fact, Moment, Record, Who};
use baton::session::{self, Finished, RunParts};
use baton::sim::{CrashClock, SimWorld};
use baton::world::lease::Runner;
use baton::world::{Completion, Request, Ticket, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Changes on both hosts, the second of which is not touched before the end.
const RUNBOOK: &str = r#"//! Two hosts, one after the other
let c1 = service("c1");
let c2 = service("c2");
step("First", || { set_readonly(c1); stage_install(c1, "9.0.1"); sleep("5s"); });
step("Second", || { stage_install(c2, "9.0.1"); backup(service("confdb"), "after"); });
step("Open", || unset_readonly(c1));
"#;

/// What happens while a runner is frozen.
type Meanwhile = Box<dyn FnOnce()>;

/// Freezes a runner at one of the points where it asks for something or writes something.
#[derive(Clone)]
struct Freezer {
    left: Rc<Cell<u32>>,
    meanwhile: Rc<RefCell<Option<Meanwhile>>>,
}

impl Freezer {
    fn pass(&self) {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0
            && let Some(meanwhile) = self.meanwhile.take()
        {
            meanwhile();
        }
    }
}

struct Frozen<T>(T, Freezer);

impl World for Frozen<Box<dyn World>> {
    fn now(&mut self) -> Moment {
        self.0.now()
    }
    fn submit(&mut self, ticket: Ticket, request: Request) {
        self.1.pass();
        self.0.submit(ticket, request);
    }
    fn next(&mut self) -> Completion {
        self.0.next()
    }
    fn forget(&mut self, ticket: Ticket) {
        self.0.forget(ticket);
    }
    fn act_for(&mut self, runner: Runner) {
        self.0.act_for(runner);
    }
}

impl Store for Frozen<MemoryStore> {
    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64> {
        // Before its first record there is nothing that could be taken over.
        if expected > 0 {
            self.1.pass();
        }
        self.0.append(run, expected, records)
    }
    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        self.0.read(run)
    }
    fn runs(&self) -> StoreResult<Vec<RunId>> {
        self.0.runs()
    }
    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        self.0.put_source(text)
    }
    fn source(&self, digest: &str) -> StoreResult<String> {
        self.0.source(digest)
    }
}

/// A runner that is frozen at point `at`, if it comes to it; then `meanwhile` happens.
fn frozen_runner(scene: &Scene, play: &Play<'_>, at: u32, meanwhile: Meanwhile) -> Finished {
    let freezer = Freezer { left: Rc::new(Cell::new(at)), meanwhile: Rc::new(RefCell::new(Some(meanwhile))) };
    let world: Box<dyn World> = Box::new(SimWorld::on(&play.estate, CrashClock::never()));
    let parts = RunParts {
        run: "sim".into(),
        store: Box::new(Frozen(play.store.clone(), freezer.clone())),
        world: Box::new(Frozen(world, freezer)),
        sinks: vec![],
        by: Who { user: "tester".into(), host: "sim".into(), pid: 1, machine: String::new(), state: None },
        gates: vec![],
        steering: None,
    };
    session::begin(scene.prepared(), parts, Default::default(), &EstateId::Simulation).expect("it begins")
}

#[test]
fn a_runner_that_was_taken_over_does_nothing_any_more() {
    let scene: &'static Scene = Box::leak(Box::new(Scene::of_text(RUNBOOK)));
    let calm = scene.play(1);
    assert_eq!(calm.run().ending, Ending::Done);
    let mut at = 1;
    loop {
        let play: &'static Play<'static> = Box::leak(Box::new(scene.play(1)));
        let over = Rc::new(RefCell::new(None));
        let seen = Rc::clone(&over);
        let finished = frozen_runner(
            scene,
            play,
            at,
            Box::new(move || {
                if matches!(play.records().last().map(|last| &last.fact), Some(Fact::Ended { .. })) {
                    return;
                }
                play.take_over();
                let other = play.run();
                assert_eq!((other.ending, other.error), (Ending::Done, None), "frozen at point {at}");
                seen.replace(Some((play.deeds(), play.records().len())));
            }),
        );
        let Some((deeds, records)) = over.take() else { break };
        assert_eq!(deeds, calm.deeds(), "frozen at point {at}");
        assert_eq!(play.deeds(), deeds, "frozen at point {at}: it did something when it woke up");
        assert_eq!(play.records().len(), records, "frozen at point {at}: it wrote something when it woke up");
        let told = finished.error.map(|error| error.to_string()).unwrap_or_default();
        if finished.ending != Ending::Done {
            assert_eq!((finished.ending, finished.exit_code), (Ending::Refused, 8), "frozen at point {at}: {told}");
            assert!(told.contains("taken"), "frozen at point {at}: {told}");
        }
        at += 1;
    }
    assert!(at > 40, "only {at} points");
}

#[test]
fn another_run_is_refused_until_the_first_is_over() {
    let broken = Scene::of_text("//! Breaks off\nset_readonly(service(\"c1\"));\nguard(false, \"not today\");\n");
    let scene = Scene::of_text(RUNBOOK);
    let first = broken.play(1);
    assert_eq!(first.run().ending, Ending::Failed);
    let second = scene.play_after(&first);
    let refused = second.run();
    assert_eq!((refused.ending, refused.exit_code), (Ending::Refused, 8));
    let told = refused.error.expect("it says why").to_string();
    assert!(told.contains("run sim (tester@sim, pid 1, since 2026-11-21T22:00:"), "{told}");
    assert!(told.contains("baton takeover sim-next --reason"), "{told}");
    assert_eq!(first.back(&baton::model::run::record::RollbackScope::Abort).ending, Ending::Aborted);
    let done = second.run();
    assert_eq!((done.ending, done.error), (Ending::Done, None));
    // What is over holds nothing.
    let third = scene.play_after(&second);
    assert_eq!(third.run().ending, Ending::Done);
}

#[test]
fn what_a_run_took_over_and_never_used_is_free_when_it_is_over() {
    let broken = Scene::of_text(
        "//! Breaks off\nset_readonly(service(\"c1\"));\nstage_install(service(\"c2\"), \"9.0.1\");\nguard(false, \"no\");\n",
    );
    let one = Scene::of_text("//! One host\nstage_install(service(\"c1\"), \"9.0.1\");\n");
    let other = Scene::of_text("//! The other host\nstage_install(service(\"c2\"), \"9.0.2\");\n");
    for gives_up in [false, true] {
        let first = broken.play(1);
        assert_eq!(first.run().ending, Ending::Failed);
        let second = one.play_after(&first);
        assert_eq!(second.run().ending, Ending::Refused);
        second.take_over();
        let third = other.play_as("sim-third", &second);
        let refused = third.run();
        let told = refused.error.map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.exit_code == 8 && told.contains("run sim-next") && told.contains("holds"), "{told}");
        let ended = if gives_up { second.back(&baton::model::run::record::RollbackScope::Abort) } else { second.run() };
        assert_eq!(ended.ending, if gives_up { Ending::Aborted } else { Ending::Done }, "{:?}", ended.error);
        let done = third.run();
        assert_eq!((done.ending, done.error), (Ending::Done, None), "given up: {gives_up}");
    }
}
