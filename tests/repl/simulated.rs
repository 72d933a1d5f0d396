//! Sessions against the simulated world: runners that die in the midst of a line, and tracks that failed together.

use crate::support::simulation::Scene;
use baton::dispatch::Gate;
use baton::error::{Error, Result};
use baton::journal::Store;
use baton::journal::memory::MemoryStore;
use baton::model::run::effect::Action;
use baton::model::run::event::Sink;
use baton::model::run::record::{Fact, Moment, Record, RollbackScope, Who};
use baton::model::value::Fields;
use baton::repl::{ReplHost, Start, carry_on};
use baton::session::adoption::Adoption;
use baton::session::{Finished, Prepared, RunParts};
use baton::sim::{CrashClock, CrashingStore, Fault, FaultPlan, Harm, SimEstate, SimWorld, Trigger};
use baton::world::{Completion, Request, Ticket, World};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

const RUN: &str = "sim";

/// A person with lines to type, at a simulated site.
struct Person {
    estate: SimEstate,
    store: MemoryStore,
    clock: CrashClock,
    lines: Rc<RefCell<VecDeque<String>>>,
    said: RefCell<String>,
}

/// Types the next line whenever one is asked for.
struct Typing {
    inner: Box<dyn World>,
    estate: SimEstate,
    lines: Rc<RefCell<VecDeque<String>>>,
}

impl World for Typing {
    fn now(&mut self) -> Moment {
        self.inner.now()
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        if matches!(request, Request::ReadLine(_))
            && let Some(line) = self.lines.borrow_mut().pop_front()
        {
            self.estate.will_type(&line);
        }
        self.inner.submit(ticket, request);
    }

    fn next(&mut self) -> Completion {
        self.inner.next()
    }

    fn forget(&mut self, ticket: Ticket) {
        self.inner.forget(ticket);
    }
}

impl Person {
    fn new(estate: &SimEstate, store: &MemoryStore, clock: CrashClock, lines: &[&str]) -> Rc<Self> {
        let lines = Rc::new(RefCell::new(lines.iter().map(|line| (*line).to_owned()).collect()));
        Rc::new(Self { estate: estate.clone(), store: store.clone(), clock, lines, said: RefCell::default() })
    }
}

/// Nobody more who watches.
struct Unseen;

impl Sink for Unseen {
    fn event(&mut self, _: &baton::model::run::event::Event) {}
}

impl ReplHost for Person {
    fn parts(&self, gates: Vec<Rc<dyn Gate>>, watches: Box<dyn Sink>) -> Result<RunParts> {
        let (estate, lines) = (self.estate.clone(), Rc::clone(&self.lines));
        let world = Typing { inner: Box::new(SimWorld::on(&self.estate, self.clock.clone())), estate, lines };
        let (store, world) = (self.store()?, Box::new(world));
        Ok(RunParts { run: RUN.into(), store, world, sinks: vec![watches], by: self.by(), gates, steering: None })
    }

    fn store(&self) -> Result<Box<dyn Store>> {
        Ok(Box::new(CrashingStore::new(self.store.clone(), self.clock.clone())))
    }

    fn by(&self) -> Who {
        Who { user: "tester".into(), host: "sim".into(), pid: 1, machine: String::new(), state: None }
    }

    fn say(&self, text: &str) {
        self.said.borrow_mut().push_str(text);
    }

    fn next(&self, command: &str) {
        self.say(&format!("next: {command}\n"));
    }

    fn complain(&self, error: &Error) {
        self.said.borrow_mut().push_str(&format!("error: {}\n", error.message));
    }

    fn width(&self) -> usize {
        80
    }

    fn is_person(&self) -> bool {
        true
    }

    fn edit(&self, _: &Prepared) -> Result<(Prepared, Adoption)> {
        Err(Error::new(baton::error::Kind::Usage, "no editor here"))
    }

    fn go_back(&self, prepared: &Prepared, way: RollbackScope) -> Result<Finished> {
        let parts = self.parts(Vec::new(), Box::new(Unseen))?;
        baton::session::rollback(prepared, parts, &way, baton::session::OperatorRuling::Retry)
    }

    fn save(&self, _: &str, text: &str) -> Result<()> {
        self.say(text);
        Ok(())
    }
}

/// A session from where the run stands; nothing when its runner died.
fn session(scene: &Scene, person: &Rc<Person>) -> Option<Finished> {
    let begun = person.store.runs().expect("lists runs").iter().any(|run| run == RUN);
    let start = match begun {
        true => Start::Run,
        false => Start::Begin { params: Fields::new(), estate: "lab genesys:compatible".parse().expect("an estate") },
    };
    let ended = carry_on(scene.prepared().clone(), RUN, start, Rc::clone(person) as Rc<dyn ReplHost>);
    if person.clock.is_dead() { None } else { Some(ended.unwrap_or_else(|error| panic!("{error}"))) }
}

fn records(store: &MemoryStore) -> Vec<Record> {
    store
        .read(RUN)
        .map(|all| all.into_iter().map(|stored| stored.record.as_ref().clone()).collect())
        .unwrap_or_default()
}

fn deeds(estate: &SimEstate) -> Vec<String> {
    let mut deeds: Vec<String> =
        estate.ledger().effects.iter().map(|deed| format!("{} {}", deed.service, deed.verb)).collect();
    deeds.sort();
    deeds
}

#[test]
fn a_session_whose_runner_dies_anywhere_comes_to_the_same_end() {
    let scene = Scene::of_text("");
    let lines = [
        "let db = service(\"confdb\"); let c2 = service(\"c2\");",
        "let b = backup(db, \"night\"); let v = version(c2);",
        "let down = shutdown(c2); down.changed",
        "start(c2); wait_status(c2, \"running\", #{ limit: \"10min\" })",
        "if v == version(c2) && b.changed && down.changed { note(\"all as before\") }",
    ];
    let undisturbed = scene.play(1);
    let person = Person::new(&undisturbed.estate, &undisturbed.store, CrashClock::never(), &lines);
    assert_eq!(session(&scene, &person).expect("it lives").exit_code, 0, "{}", person.said.borrow());
    let (wanted, points) = (deeds(&undisturbed.estate), person.clock.points());
    assert!(wanted.contains(&"c2 shutdown".to_owned()) && points > 60, "{wanted:?} in {points} points");
    for at in 1..=points {
        let play = scene.play(1);
        let clock = CrashClock::at(at);
        assert!(session(&scene, &Person::new(&play.estate, &play.store, clock.clone(), &lines)).is_none(), "at {at}");
        let typed = records(&play.store).iter().filter(|record| matches!(&record.fact, Fact::Typed { .. })).count();
        let rest: Vec<&str> = [":redo"].into_iter().chain(lines[typed..].iter().copied()).collect();
        let heir = Person::new(&play.estate, &play.store, CrashClock::never(), &rest);
        session(&scene, &heir).expect("it lives");
        let place = format!("died at {at}, {:?}\n{}", clock.died_at(), heir.said.borrow());
        assert_eq!(deeds(&play.estate), wanted, "{place}");
        let noted = |record: &Record| {
            let Fact::Read { effect, .. } = &record.fact else { return false };
            matches!(&effect.action, Action::Note { text, .. } if text == "all as before")
        };
        assert_eq!(records(&play.store).iter().filter(|record| noted(record)).count(), 1, "{place}");
    }
}

#[test]
fn redo_in_a_parallel_step_keeps_exactly_the_tracks_that_had_failed() {
    let scene = Scene::of_text(
        "//! x\nstep(\"All\", || parallel([\"c1\", \"c2\", \"confdb\"], |name| step(`Do ${name}`, || {\n\
         let s = service(name); if name == \"c2\" { shutdown(s) } else if name == \"c1\" { set_readonly(s) } else { backup(s, \"x\") }\n})));\n\
         step(\"After\", || note(\"after\"));\n",
    );
    let fails = |verb: &str, subject: &str| Fault {
        at: Trigger { verb: verb.into(), subject: subject.into(), nth: 1 },
        harm: Harm::FailsBefore,
    };
    let play = scene.play_with(
        1,
        &FaultPlan { faults: vec![fails("set_readonly", "c1"), fails("backup", "confdb")], ..FaultPlan::default() },
    );
    let lines = [":next", ":where", ":redo", ":steps", ":next"];
    let person = Person::new(&play.estate, &play.store, CrashClock::never(), &lines);
    let finished = session(&scene, &person).expect("it lives");
    let said = person.said.borrow();
    assert_eq!(finished.exit_code, 1, "a failure was seen: {said}");
    assert!(said.contains("next: step 2 `After`") && said.contains("✓ done    1 "), "{said}");
    let records = records(&play.store);
    let retries = records.iter().filter(|record| matches!(&record.fact, Fact::Retry { .. })).count();
    let asked = |label: &str| {
        let of =
            |record: &&Record| matches!(&record.fact, Fact::Intent { effect, .. } if effect.label.starts_with(label));
        records.iter().filter(of).count()
    };
    assert_eq!((retries, asked("set_readonly(c1"), asked("backup("), asked("shutdown(")), (2, 2, 2, 1), "{said}");
}

#[test]
fn what_failed_can_be_left_out() {
    let scene = Scene::of_text(
        "//! x\nstep(\"Lock\", || set_readonly(service(\"c1\")));\nstep(\"After\", || note(\"after\"));\n",
    );
    let at = Trigger { verb: "set_readonly".into(), subject: "c1".into(), nth: 1 };
    let play =
        scene.play_with(1, &FaultPlan { faults: vec![Fault { at, harm: Harm::FailsBefore }], ..FaultPlan::default() });
    let lines = [":next", ":next", ":skip it is read-only by hand", ":next"];
    let person = Person::new(&play.estate, &play.store, CrashClock::never(), &lines);
    session(&scene, &person).expect("it lives");
    let said = person.said.borrow();
    assert!(said.contains("cannot pass what failed") && said.contains("next: step 2 `After`"), "{said}");
    let skipped = |record: &Record| matches!(&record.fact, Fact::Skipped { reason, .. } if reason.contains("by hand"));
    assert!(records(&play.store).iter().any(skipped), "{said}");
}

#[test]
fn undo_goes_back_to_before_the_last_completed_step() {
    let scene = Scene::of_text(
        "//! x\nstep(\"Lock\", || set_readonly(service(\"c1\")));\nstep(\"After\", || note(\"after\"));\n",
    );
    let play = scene.play(1);
    let lines = [":next", ":undo", "is_readonly(service(\"c1\"))", ":next", ":next"];
    let person = Person::new(&play.estate, &play.store, CrashClock::never(), &lines);
    session(&scene, &person).expect("it lives");
    let said = person.said.borrow();
    assert!(said.contains("false\n"), "{said}");
    assert_eq!(deeds(&play.estate), ["c1 set_readonly", "c1 set_readonly", "c1 unset_readonly"], "{said}");
}
