//! The pure reading of records: what people did to a run, and the ways back.

use crate::records::{at, begun, effect, ended, failed, id, intent, job, outcome, step_begun, step_ended, who};
use baton::journal::Stored;
use baton::journal::history::{EffectState, History, StepPhase};
use baton::model::run::effect::{Action, Ask, Effect, Form};
use baton::model::run::record::{Ending, Fact, Record, RollbackScope, SourceName, TrackId};
use std::collections::BTreeMap;

fn history(records: Vec<Record>) -> Result<History, String> {
    let stored = (1..).zip(records).map(|(seq, record)| Stored::new(seq, record)).collect();
    History::from(stored).map_err(|error| error.message)
}

fn question() -> Effect {
    let ask = Ask { gate: "confirm-1".into(), form: Form::Confirm, text: "Go on?".into(), evidence: String::new() };
    effect(Action::Ask(ask))
}

fn answered(n: u64) -> Record {
    let (digest, word, note) = (question().digest(), "yes".into(), "seen".into());
    Fact::Answered { id: id("0", n), digest, word, note, name: "anna".into() }.by(who(), at(40))
}

fn skipped(n: u64) -> Record {
    Fact::Skipped { id: id("0", n), reason: "done by hand".into() }.by(who(), at(41))
}

fn rollback(way: RollbackScope) -> Record {
    Fact::Rollback { way }.by(who(), at(42))
}

fn undone(since: u64) -> Record {
    Fact::Undone { since }.at(at(43))
}

#[test]
fn what_a_person_said_of_an_effect_counts_until_its_outcome_is_written() {
    let asked = vec![begun(), intent(1, 1, question()), ended(Ending::Suspended), answered(1)];
    let past = history(asked.clone()).expect("legal");
    let asked_before = past.recorded(&id("0", 1)).expect("asked");
    assert_eq!(asked_before.state, EffectState::Answered { word: "yes", note: "seen", by: "anna" });
    assert!(asked_before.gives_way, "another question may stand there now");
    history([asked, vec![outcome(1, 1)]].concat()).expect("the answer becomes the outcome");

    let left_out = vec![begun(), intent(1, 1, job("start")), failed(1, 1), skipped(1)];
    let past = history(left_out.clone()).expect("legal");
    let state = past.recorded(&id("0", 1)).expect("asked").state;
    assert_eq!(state, EffectState::Skipped { reason: "done by hand", by: "root" });
    history([left_out, vec![outcome(1, 1)]].concat()).expect("the skip becomes the outcome");
}

#[test]
fn what_nobody_may_say_is_refused() {
    let twice = vec![begun(), intent(1, 1, question()), answered(1), answered(1)];
    for (records, wrong) in [
        (twice, "it holds an answer to CALL, which is answered"),
        (vec![begun(), intent(1, 1, job("start")), answered(1)], "an answer to CALL, which is under way"),
        (vec![begun(), intent(1, 1, question()), skipped(1)], "it leaves out CALL, which is under way"),
        (
            vec![begun(), intent(1, 1, job("start")), outcome(1, 1), skipped(1)],
            "it leaves out CALL, which has an outcome",
        ),
        (vec![begun(), skipped(1)], "it leaves out a call that was never asked for"),
    ] {
        let refused = history(records).expect_err(wrong);
        let wrong = wrong.replace("CALL", "`shutdown(c2)` (step 1, asked for at 1970-01-01T00:00:00Z)");
        assert!(refused.ends_with(&wrong), "{refused}");
    }
}

#[test]
fn a_run_that_is_over_can_only_go_back_and_only_once() {
    for ending in [Ending::Done, Ending::Held] {
        let over = vec![begun(), ended(ending)];
        history([over.clone(), vec![answered(1)]].concat()).expect_err("it is over");
        let back = history([over.clone(), vec![rollback(RollbackScope::All)]].concat()).expect("it may go back");
        assert_eq!((back.way_back(), back.rollbacks(), back.is_final()), (Some(&RollbackScope::All), 1, false));
        let end = vec![rollback(RollbackScope::All), ended(Ending::RolledBack)];
        let back = history([over.clone(), end.clone()].concat()).expect("it went back");
        assert!(back.is_final());
        history([over, end, vec![rollback(RollbackScope::All)]].concat()).expect_err("there is nothing left to undo");
    }
    let twice = vec![begun(), rollback(RollbackScope::All), rollback(RollbackScope::All)];
    assert!(history(twice).expect_err("once").ends_with("the run is on its way back already"));
}

#[test]
fn what_was_undone_may_be_asked_for_again_under_attempts_of_its_own() {
    let way = RollbackScope::To("1".into());
    let records = vec![
        begun(),
        intent(1, 1, job("start")),
        outcome(1, 1),
        step_begun("1"),
        intent(2, 1, job("shutdown")),
        outcome(2, 1),
        step_ended("1"),
        rollback(way),
        undone(4),
        ended(Ending::RolledBack),
    ];
    let back = history(records.clone()).expect("legal");
    assert!(!back.is_final(), "it can go on from there");
    assert_eq!((back.effects(), back.way_back()), (1, None));
    assert_eq!(back.step(&TrackId::main(), "1"), None, "the step is to come");
    let past = back.recorded(&id("0", 2)).expect("it was asked for");
    assert_eq!((past.state, past.attempt, past.base), (EffectState::Undone, 1, 2));
    let opened = Fact::Opened.by(who(), at(50));
    let again = vec![opened, step_begun("1"), intent(2, 2, job("start")), outcome(2, 2)];
    let on = history([records, again].concat()).expect("the step is done anew, in another way");
    let past = on.recorded(&id("0", 2)).expect("it was asked for");
    assert_eq!((past.attempt, past.base), (2, 2), "what the first attempt did is of no concern");
    assert_eq!(on.effects(), 2);
}

#[test]
fn a_step_left_out_stays_so_and_adopted_texts_are_those_of_the_run() {
    let (track, number, name) = (TrackId::main(), "1".to_owned(), "Stop the backup".to_owned());
    let left_out =
        Fact::StepSkipped { track, number, name, reason: "stopped by hand".into(), by_hand: false }.by(who(), at(9));
    let sources = BTreeMap::from([(SourceName::Runbook("genesys/confserv-ha".into()), "d2".to_owned())]);
    let adopted = Fact::Adopted { sources: sources.clone(), changes: vec!["step 2".into()] }.by(who(), at(9));
    let past = history(vec![begun(), left_out, adopted]).expect("legal");
    assert_eq!(past.step(&TrackId::main(), "1").map(|step| &step.phase), Some(&StepPhase::Skipped));
    assert_eq!(past.sources(), &sources);
}
