//! Probes, waits for states, sleeps, questions, captures.

use super::fake::{Edit, Fake};
use super::{act, done, failed, probe};
use baton::exec::ExecResult;
use baton::model::run::effect::{Action, Ask, Capture, FailureKind, Form, LogSource, Probe, Until};
use baton::model::run::event::Event;
use baton::model::run::reading::Reading;
use baton::model::span::Span;
use baton::model::value::Value;
use baton::world::{Answer, Trouble};
use std::collections::BTreeMap;

fn words() -> Reading {
    Reading::Words(vec!["primary".into(), "backup".into()])
}

#[test]
fn a_probe_reads_a_value_or_fails_but_never_makes_one_up() {
    let read =
        |exit, out| act(&Fake::new().probe("role", 0, exit, out), Action::Probe(probe("role", words())), 1, false);
    assert_eq!(done(read(0, "backup\n")).0, "backup".into());
    assert_eq!(done(read(0, "gone fishing\n")).0, "unknown".into());
    assert_eq!(failed(read(4, "")).kind, FailureKind::Exit);
    let unreachable = act(&Fake::new(), Action::Probe(probe("role", words())), 1, false);
    assert_eq!(failed(unreachable).kind, FailureKind::Unreachable);
    let number = Fake::new().probe("clients", 0, 0, "many");
    assert_eq!(
        failed(act(&number, Action::Probe(probe("clients", Reading::Int)), 1, false)).kind,
        FailureKind::Unreadable
    );
}

#[test]
fn a_check_tells_by_its_exit_code() {
    for (exit, word) in [(0, "yes"), (1, "no"), (2, "unknown")] {
        let check = Probe { exit_tells: true, ..probe("check", Reading::Text) };
        assert_eq!(done(act(&Fake::new().probe("check", 0, exit, ""), Action::Probe(check), 1, false)).0, word.into());
    }
}

#[test]
fn a_probe_is_tried_again_before_it_fails() {
    let fake = Fake::new().probe("role", 0, 0, "primary").trouble("probe", Trouble::Late, false);
    assert_eq!(done(act(&fake, Action::Probe(probe("role", words())), 1, false)).0, "primary".into());
}

fn until(stays: Span) -> Action {
    let wants = vec![Value::from("primary")];
    Action::Until(Until { probe: probe("role", words()), wants, every: Span::secs(2), stays, limit: Span::secs(60) })
}

#[test]
fn a_wait_for_a_state_ends_when_it_is_read_even_after_the_limit() {
    let fake = Fake::new().probe("role", 0, 0, "backup").probe("role", 31_000, 0, "primary");
    assert_eq!(done(act(&fake, until(Span(0)), 1, false)).0, "primary".into());
    let late = Fake::new().with(|state| state.now = 100_000).probe("role", 0, 0, "primary");
    done(act(&late, until(Span(0)), 1, true));
    let late = Fake::new().with(|state| state.now = 100_000).probe("role", 0, 0, "primary");
    done(act(&late, until(Span::secs(9)), 1, true));
    let never = Fake::new().probe("role", 0, 0, "backup");
    let failure = failed(act(&never, until(Span(0)), 1, false));
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("reads `backup`, not `primary`"), "{}", failure.message);
    let told = never.0.borrow().events.iter().filter(|event| matches!(event, Event::Waiting { .. })).count();
    assert!((2..=3).contains(&told), "every half minute: {told}");
}

#[test]
fn a_link_that_is_down_does_not_end_a_wait_for_a_state() {
    let fake = Fake::new().probe("role", 40_000, 0, "primary");
    done(act(&fake, until(Span(0)), 1, false));
}

#[test]
fn a_limit_holds_over_a_probe_that_hangs() {
    let hangs = || {
        Fake::new().with(|state| {
            state.hanging.insert("role".into());
        })
    };
    let slow = |within| Probe { limit: Span::secs(30), tries: 3, within, ..probe("role", words()) };
    let (fake, limit) = (hangs(), Span::secs(3));
    let wants = vec![Value::from("primary")];
    let wait = Until { probe: slow(None), wants, every: Span::secs(2), stays: Span(0), limit };
    let failure = failed(act(&fake, Action::Until(wait), 1, false));
    assert_eq!((failure.kind, fake.0.borrow().now), (FailureKind::Limit, 10_001), "{}", failure.message);
    let fake = hangs();
    let failure = failed(act(&fake, Action::Probe(slow(Some(limit))), 1, false));
    assert_eq!((failure.kind, fake.0.borrow().now), (FailureKind::Limit, 5_000), "{}", failure.message);
    let fake = hangs();
    failed(act(&fake, Action::Probe(slow(None)), 1, false));
    assert_eq!(fake.0.borrow().now, 92_000, "by itself it has its own limit, each time");
}

#[test]
fn a_sleep_goes_on_where_it_was() {
    let fake = Fake::new().with(|state| state.now = 4_000);
    done(act(&fake, Action::Sleep { span: Span::secs(10), pause: false, within: None }, 1, true));
    assert_eq!(fake.0.borrow().now, 10_000);
}

#[test]
fn a_question_without_anyone_to_ask_stays_open() {
    let ask = Ask { gate: "confirm-1".into(), form: Form::Confirm, text: "go?".into(), evidence: String::new() };
    let nobody = act(&Fake::new(), Action::Ask(ask.clone()), 1, false);
    assert_eq!(nobody, ExecResult::Unanswered { reason: "no terminal".into() });
    let given = Answer::Given { word: "yes".into(), note: "ok".into(), by: "ann".into() };
    let fake = Fake::new().with(|state| state.answer = Some(given));
    let (value, _) = done(act(&fake, Action::Ask(ask), 1, false));
    assert_eq!((value.get("word"), value.get("by")), (Some(&"yes".into()), Some(&"ann".into())));
}

#[test]
fn a_capture_records_the_time_and_where_a_log_stands() {
    let fake = Fake::new().with(|state| state.now = 5);
    assert_eq!(done(act(&fake, Action::Capture(Capture::Now), 1, false)).0, Value::Int(1_000_005));
    let source = LogSource {
        dir: "/logs".into(),
        files: "*.log".into(),
        event_patterns: Vec::new(),
        events: Vec::new(),
        meanings: BTreeMap::new(),
    };
    let long = [b"y".repeat(200_000), b"\nlast\nbegun".to_vec()].concat();
    let fake = Fake::new()
        .edit(0, Edit::Append("b.log", 2, b"one\ntwo\npart".to_vec()))
        .edit(0, Edit::Append("a.log", 3, long))
        .edit(0, Edit::Append("c.log", 4, b"no line end".to_vec()))
        .edit(0, Edit::Append("other.txt", 5, b"x\n".to_vec()));
    let (_, mark) = done(act(&fake, Action::Capture(Capture::Mark { source }), 1, false));
    let cursors = mark.expect("a mark").cursors;
    let offsets: Vec<(&str, u64)> = cursors.iter().map(|cursor| (cursor.name.as_str(), cursor.offset)).collect();
    assert_eq!(offsets, [("b.log", 8), ("a.log", 200_006), ("c.log", 0)], "oldest first");
}
