//! Records to build histories from: one plausible run of a runbook, piece by piece.

use baton::model::run::automaton::{DecisionTable, Next, Row, Symbol};
use baton::model::run::effect::{
    Action, Ask, Capture, Class, Effect, ExitWatch, Failure, FailureKind, Form, Goal, Job, LogSource, LogWait, Outcome,
    Probe, Undo, Until, Want,
};
use baton::model::run::estate::EstateId;
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::mark::{Cursor, Identity, Mark};
use baton::model::run::place::PlaceData;
use baton::model::run::reading::Reading;
use baton::model::run::record::{
    EffectId, Ending, FORMAT, Fact, Moment, Record, RollbackScope, ScriptPoint, SourceName, TrackId, Who,
};
use baton::model::span::Span;
use baton::model::value::Value;
use std::collections::BTreeMap;

pub(crate) const RUN: &str = "3f2a00000001";

pub(crate) fn at(wall: i64) -> Moment {
    Moment { wall: Wall(wall), mono: Mono(wall.unsigned_abs()), boot: "b1".into() }
}

pub(crate) fn who() -> Who {
    Who { user: "root".into(), host: "lab".into(), pid: 4711, machine: "0123".into(), state: None }
}

pub(crate) fn id(track: &str, n: u64) -> EffectId {
    EffectId { track: track.parse().expect("a track"), n }
}

pub(crate) fn place() -> Option<PlaceData> {
    Some(PlaceData { file: "genesys/confserv-ha.rhai".into(), line: 12, column: 5 })
}

pub(crate) fn begun() -> Record {
    Fact::Begun {
        format: FORMAT,
        baton: "0.1.0".into(),
        runbook: "genesys/confserv-ha".into(),
        sources: BTreeMap::from([(SourceName::Runbook("genesys/confserv-ha".into()), "d1".into())]),
        params: BTreeMap::from([("version".into(), Value::from("8.5.101"))]),
        estate: EstateId::Site,
    }
    .by(who(), at(1))
}

pub(crate) fn effect(action: Action) -> Effect {
    let host = Some("cfg-b".to_owned());
    Effect { action, label: "shutdown(c2)".into(), host, service: Some("c2".into()), undo: None, before: None }
}

pub(crate) fn probe() -> Probe {
    Probe {
        means: None,
        what: "status".into(),
        argv: vec!["confctl".into(), "status".into()],
        args: BTreeMap::new(),
        limit: Span::secs(10),
        tries: 3,
        reads: Reading::Words(vec!["running".into()]),
        within: None,
        exit_tells: false,
        secret: None,
    }
}

pub(crate) fn job(verb: &str) -> Effect {
    let goal = Goal { probe: probe(), wants: vec!["stopped".into(), Value::Null], stays: Span::secs(5) };
    let args = BTreeMap::from([
        ("version".into(), Value::from("8.5")),
        ("deep".into(), Value::List(vec![Value::Int(-3), Value::Float(1.5), Value::map([("yes", true.into())])])),
    ]);
    effect(Action::Job(Job {
        means: None,
        verb: verb.into(),
        class: Class::Idempotent,
        argv: vec!["confctl".into(), verb.into(), "confserv".into()],
        args,
        limit: Span::mins(5),
        goal: Some(goal),
        check: Some(probe()),
        killable: true,
        secret: Some("db".into()),
    }))
}

pub(crate) fn mark() -> Mark {
    let identity = Identity { device: 1, inode: u64::MAX };
    Mark {
        cursors: vec![Cursor {
            offset: 77,
            tail: Some(u64::MAX - 1),
            begun: 3,
            ..Cursor::start("confserv.log", identity)
        }],
    }
}

pub(crate) fn intent(n: u64, attempt: u32, effect: Effect) -> Record {
    let digest = effect.digest();
    Fact::Intent { id: id("0", n), attempt, step: "1".into(), effect, digest, place: place(), kept_in: None }.at(at(10))
}

pub(crate) fn outcome(n: u64, attempt: u32) -> Record {
    let outcome = Outcome::Done { value: Value::map([("changed", true.into())]), mark: Some(mark()) };
    Fact::Outcome { id: id("0", n), attempt, outcome }.at(at(11))
}

pub(crate) fn failed(n: u64, attempt: u32) -> Record {
    let failure =
        Failure { kind: FailureKind::Exit, message: "exit 3".into(), exit: Some(3), output: "\u{1b}[2J\"".into() };
    Fact::Outcome { id: id("0", n), attempt, outcome: Outcome::Failed(failure) }.at(at(11))
}

pub(crate) fn read(n: u64) -> Record {
    let effect = effect(Action::Probe(probe()));
    let digest = effect.digest();
    let outcome = Outcome::done("running");
    Fact::Read { id: id("0", n), step: "1".into(), effect, digest, place: None, outcome }.at(at(12))
}

pub(crate) fn step_begun(number: &str) -> Record {
    let name = "Stop the backup".into();
    Fact::StepBegun { track: TrackId::main(), number: number.into(), name, place: place(), undoes: false }.at(at(5))
}

pub(crate) fn step_ended(number: &str) -> Record {
    Fact::StepEnded { track: TrackId::main(), number: number.into(), failed: None }.at(at(20))
}

pub(crate) fn ended(ending: Ending) -> Record {
    Fact::Ended { ending, message: "end of the runbook".into(), effect: Some(id("0", 1)) }.at(at(30))
}

/// One record of every kind, with every kind of effect and of value in it.
pub(crate) fn every_record() -> Vec<Record> {
    let source = LogSource {
        dir: "/log".into(),
        files: "*.log".into(),
        event_patterns: vec!["^(\\d+)".into()],
        events: vec![25302],
        meanings: BTreeMap::new(),
    };
    let table = DecisionTable {
        start: "W0".into(),
        rows: vec![Row {
            states: vec![],
            symbols: vec![Symbol::Event(25302), Symbol::Other],
            next: Next::End("OK".into()),
            warning: "odd".into(),
        }],
        settles: BTreeMap::from([("W0".into(), Span::secs(10))]),
    };
    let exit = ExitWatch { probe: probe(), gone: "stopped".into(), every: Span::secs(1) };
    let wait = |want| {
        let limit = Span::mins(1);
        effect(Action::Log(LogWait {
            source: source.clone(),
            from: mark(),
            want,
            limit,
            contact: None,
            exit: Some(exit.clone()),
        }))
    };
    let until = Until {
        probe: probe(),
        wants: vec![true.into()],
        every: Span::secs(1),
        stays: Span::default(),
        limit: Span::mins(2),
    };
    let ask = Ask {
        gate: "choose-1".into(),
        form: Form::Choose(vec!["a".into()]),
        text: "Which?".into(),
        evidence: "the screen".into(),
    };
    let mut undoable = job("set_readonly");
    undoable.undo =
        Some(Undo { verb: "unset_readonly".into(), args: BTreeMap::from([("former".into(), Value::Null)]) });
    let effects = vec![
        undoable,
        effect(Action::Probe(probe())),
        wait(Want::Match { events: vec![1], patterns: vec!["x".into()] }),
        wait(Want::Table(table)),
        effect(Action::Until(until)),
        effect(Action::Sleep { span: Span::secs(3), pause: false, within: None }),
        effect(Action::Ask(ask)),
        effect(Action::Capture(Capture::Now)),
        effect(Action::Capture(Capture::Mark { source })),
        effect(Action::Note { text: "ä\u{202e}\n".into(), warning: true }),
        effect(Action::NoReturn { why: "the database is written to".into() }),
    ];
    let mut records = vec![begun(), Fact::Opened.by(who(), at(2)), step_begun("1")];
    records.extend((1..).zip(effects).map(|(n, effect)| intent(n, 1, effect)));
    records.extend([outcome(1, 1), failed(2, 1), read(3)]);
    records.push(Fact::Doubt { id: id("0", 4), attempt: 1, reason: "no exit record".into() }.at(at(13)));
    let (happened, reason) = (true, "seen".to_owned());
    records.push(Fact::Settled { id: id("0", 4), attempt: 1, happened, reason }.by(who(), at(14)));
    records.push(Fact::Retry { id: id("0", 2) }.by(who(), at(15)));
    records.extend([step_ended("1"), ended(Ending::Done)]);
    records.extend(deeds_of_people());
    records
}

/// One record of every kind that people make.
fn deeds_of_people() -> Vec<Record> {
    let (track, number, reason) = (TrackId::main(), "2".to_owned(), "done by hand".to_owned());
    let skipped = Outcome::Skipped { reason: reason.clone(), by: "root".into() };
    let (digest, word, note) = ("d".to_owned(), "yes".to_owned(), String::new());
    vec![
        Fact::Outcome { id: id("0", 5), attempt: 1, outcome: skipped }.at(at(31)),
        Fact::Answered { id: id("0", 7), digest, word, note, name: "anna".into() }.by(who(), at(32)),
        Fact::Skipped { id: id("0", 2), reason: reason.clone() }.by(who(), at(33)),
        Fact::StepSkipped { track, number, name: "Stop".into(), reason: reason.clone(), by_hand: false }
            .by(who(), at(34)),
        Fact::Adopted { sources: BTreeMap::new(), changes: vec!["step 2".into()] }.by(who(), at(35)),
        Fact::Rollback { way: RollbackScope::All }.by(who(), at(36)),
        Fact::Rollback { way: RollbackScope::To("2".into()) }.by(who(), at(36)),
        Fact::Rollback { way: RollbackScope::Abort }.by(who(), at(36)),
        Fact::Undone { since: 4 }.at(at(37)),
        Fact::Typed { n: 1, point: ScriptPoint::End, text: "1 + 1".into() }.by(who(), at(38)),
        Fact::Deviation { what: "a shell on c2".into(), reason, hosts: vec!["c2".into()] }.by(who(), at(39)),
    ]
}
