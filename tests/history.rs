//! The pure reading of records: what it answers, and which sequences it refuses.

use crate::records::{at, begun, effect, ended, failed, id, intent, job, outcome, read, step_begun, step_ended, who};
use baton::error::Kind;
use baton::journal::Stored;
use baton::journal::history::{EffectState, History, StepPhase, mismatch};
use baton::model::run::effect::{Action, Class, Effect, Outcome};
use baton::model::run::record::{Ending, FORMAT, Fact, Record, TrackId};
use baton::model::span::Span;

fn history(records: Vec<Record>) -> baton::error::Result<History> {
    History::from((1..).zip(records).map(|(seq, record)| Stored::new(seq, record)).collect())
}

fn doubt(n: u64) -> Record {
    Fact::Doubt { id: id("0", n), attempt: 1, reason: "the host rebooted".into() }.at(at(13))
}

fn settled(n: u64, happened: bool) -> Record {
    Fact::Settled { id: id("0", n), attempt: 1, happened, reason: "seen".into() }.by(who(), at(14))
}

fn retry(n: u64) -> Record {
    Fact::Retry { id: id("0", n) }.by(who(), at(15))
}

fn opened() -> Record {
    Fact::Opened.by(who(), at(16))
}

/// A change that may be started only once.
fn backup() -> Effect {
    let mut backup = job("backup");
    if let Action::Job(job) = &mut backup.action {
        job.class = Class::Once;
    }
    backup
}

#[test]
fn a_history_answers_what_became_of_each_effect() {
    let mut later = job("start");
    later.label = "start(c2)".into();
    let mut second = intent(6, 2, later.clone());
    second.at = at(99);
    let history = history(vec![
        begun(),
        step_begun("1"),
        intent(1, 1, job("shutdown")),
        outcome(1, 1),
        read(2),
        intent(4, 1, backup()),
        doubt(4),
        intent(5, 1, backup()),
        doubt(5),
        settled(5, false),
        ended(Ending::Failed),
        opened(),
        intent(6, 1, later),
        second,
        intent(7, 1, job("start")),
        failed(7, 1),
        retry(7),
    ])
    .expect("legal");
    let state = |n| history.recorded(&id("0", n)).map(|past| (past.attempt, past.state));
    assert!(matches!(state(1), Some((1, EffectState::Settled(Outcome::Done { .. })))));
    assert!(matches!(state(2), Some((1, EffectState::Settled(Outcome::Done { .. })))));
    assert_eq!(state(3), None);
    assert_eq!(state(4), Some((1, EffectState::Doubted { reason: "the host rebooted" })));
    assert_eq!(state(5), Some((1, EffectState::SettledByPerson { happened: false })));
    assert_eq!(state(6), Some((2, EffectState::Open)));
    assert_eq!(state(7), Some((1, EffectState::ToRetry)));
    let past = history.recorded(&id("0", 6)).expect("asked for");
    assert_eq!((past.effect.label.as_str(), past.since, past.step), ("start(c2)", &at(99), "1"));
    assert_eq!(history.recorded(&id("0.1-0", 6)), None, "another track");
    assert_eq!(history.step(&TrackId::main(), "1").map(|step| &step.phase), Some(&StepPhase::Begun));
    assert_eq!(history.step(&TrackId::main(), "2"), None);
    assert_eq!((history.len(), history.changes()), (17, 6));
    assert_eq!((history.last_ending(), history.is_final()), (None, false));
    assert_eq!(history.begun().runbook, "genesys/confserv-ha");
}

#[test]
fn a_history_knows_how_the_run_ended() {
    for (ending, is_final) in [(Ending::Done, true), (Ending::Held, true), (Ending::Failed, false)] {
        let history = history(vec![begun(), ended(ending)]).expect("legal");
        assert_eq!((history.last_ending(), history.is_final()), (Some(ending), is_final));
    }
}

#[test]
fn a_failed_step_may_begin_again() {
    let mut failed_step = step_ended("1");
    if let Fact::StepEnded { failed, .. } = &mut failed_step.fact {
        *failed = Some("exit 3".into());
    }
    let records = vec![begun(), step_begun("1"), failed_step, step_begun("1"), step_ended("1")];
    let history = history(records).expect("legal");
    let step = history.step(&TrackId::main(), "1").expect("on record");
    assert_eq!(step.phase, StepPhase::Ended { failed: None });
}

#[test]
fn a_sequence_no_runner_can_have_written_is_refused() {
    let go = || intent(1, 1, backup());
    let cases: Vec<(Vec<Record>, &str)> = vec![
        (vec![opened()], "record 1 cannot stand where it stands: the run has not begun"),
        (vec![begun(), begun()], "record 2 cannot stand where it stands: the run had begun before"),
        (
            vec![begun(), outcome(1, 1)],
            "record 2 cannot stand where it stands: it holds the outcome of a call that was never asked for",
        ),
        (
            vec![begun(), doubt(1)],
            "record 2 cannot stand where it stands: it holds a doubt about a call that was never asked for",
        ),
        (
            vec![begun(), settled(1, true)],
            "record 2 cannot stand where it stands: it holds a person's word on a call that was never asked for",
        ),
        (
            vec![begun(), retry(1)],
            "record 2 cannot stand where it stands: it wants another attempt of a call that was never asked for",
        ),
        (
            vec![begun(), intent(1, 2, backup())],
            "record 2 cannot stand where it stands: it asks for attempt 2 of CALL, and no attempt came before",
        ),
        (
            vec![begun(), go(), go()],
            "record 3 cannot stand where it stands: it asks for attempt 1 of CALL, after attempt 1",
        ),
        (
            vec![begun(), go(), outcome(1, 1), outcome(1, 1)],
            "record 4 cannot stand where it stands: it holds the outcome of CALL, which has an outcome",
        ),
        (
            vec![begun(), go(), outcome(1, 2)],
            "record 3 cannot stand where it stands: it holds the outcome of attempt 2 of CALL, of which attempt 1 is the last",
        ),
        (
            vec![begun(), go(), outcome(1, 1), intent(1, 2, backup())],
            "record 4 cannot stand where it stands: it asks for CALL, which has an outcome",
        ),
        (
            vec![begun(), go(), doubt(1), intent(1, 2, backup())],
            "record 4 cannot stand where it stands: it asks for CALL, which is in doubt",
        ),
        (
            vec![begun(), go(), settled(1, true)],
            "record 3 cannot stand where it stands: it holds a person's word on CALL, which is under way",
        ),
        (
            vec![begun(), go(), doubt(1), settled(1, true), intent(1, 2, backup())],
            "record 5 cannot stand where it stands: it asks for CALL, which was settled: it happened",
        ),
        (
            vec![begun(), go(), outcome(1, 1), retry(1)],
            "record 4 cannot stand where it stands: it wants another attempt of CALL, which is a change that is done",
        ),
        (
            vec![begun(), read(2), go()],
            "record 3 cannot stand where it stands: it asks for CALL, which comes before CALL",
        ),
        (vec![begun(), step_ended("1")], "record 2 cannot stand where it stands: step 1 ends here and never began"),
        (
            vec![begun(), step_begun("1"), step_begun("1")],
            "record 3 cannot stand where it stands: step 1 had begun before",
        ),
        (
            vec![begun(), step_begun("1"), step_ended("1"), step_ended("1")],
            "record 4 cannot stand where it stands: step 1 had ended before",
        ),
        (
            vec![begun(), ended(Ending::Done), opened()],
            "record 3 cannot stand where it stands: the run had ended before (done)",
        ),
        (
            vec![begun(), ended(Ending::Held), read(1)],
            "record 3 cannot stand where it stands: the run had ended before (held)",
        ),
        (vec![], "the run has no records"),
    ];
    let call = "`shutdown(c2)` (step 1, asked for at 1970-01-01T00:00:00Z)";
    for (records, message) in cases {
        let error = history(records).expect_err(message);
        let message = message.replace("CALL", call);
        assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, message.as_str()));
        let next = "see which runs are sound: baton runs";
        assert!(message == "the run has no records" || error.hints.iter().any(|hint| hint == next), "{error}");
    }
}

#[test]
fn a_newer_run_is_refused_with_both_versions() {
    let mut newer = begun();
    if let Fact::Begun { format, baton, .. } = &mut newer.fact {
        (*format, *baton) = (FORMAT + 1, "9.0.0".into());
    }
    let error = history(vec![newer]).expect_err("newer");
    assert_eq!(error.message, "the run is written in format 3, by baton 9.0.0; this baton reads format 2");
    assert_eq!(error.hints[1], "go on with it with the version that began it, 9.0.0, or a newer one");
}

#[test]
fn a_departure_from_the_journal_is_told_field_by_field() {
    let history = history(vec![begun(), intent(1, 1, job("shutdown"))]).expect("legal");
    let past = history.recorded(&id("0", 1)).expect("recorded");
    let mut other = job("shutdown");
    other.label = "shutdown(c1)".into();
    (other.host, other.service) = (Some("cfg-a".into()), None);
    if let Action::Job(job) = &mut other.action {
        job.args.insert("version".into(), "8.6\u{1b}".into());
    }
    let error = mismatch(&past, &other, "");
    assert_eq!(error.kind, Kind::Refused);
    let message = "the runbook departs from its journal: \
                   recorded `shutdown(c2)`, attempted `shutdown(c1)`";
    assert_eq!(error.message, message);
    let differences = [
        "step: recorded `1`, attempted nothing",
        "host: recorded `cfg-b`, attempted `cfg-a`",
        "service: recorded `c2`, attempted nothing",
        "args.version: recorded `8.5`, attempted `8.6\\u{1b}`",
    ];
    assert_eq!(error.causes, differences);

    let error = mismatch(&past, &effect(Action::Sleep { span: Span::secs(1), pause: false, within: None }), "1");
    assert_eq!(error.causes, ["kind: recorded `job`, attempted `sleep`"]);
}
