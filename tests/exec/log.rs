//! Waits on logs: the first line that counts, decision tables, exits, limits, across rotation and resumption.

use super::fake::{Edit, Fake};
use super::{act, done, failed, probe};
use baton::model::run::automaton::{DecisionTable, Next, Row, Symbol};
use baton::model::run::effect::{Action, Capture, ExitWatch, FailureKind, LogSource, LogWait, Want};
use baton::model::run::event::Event;
use baton::model::run::mark::Mark;
use baton::model::run::reading::Reading;
use baton::model::span::Span;
use baton::model::value::Value;
use baton::world::Trouble;
use std::collections::BTreeMap;

fn line(number: i64) -> Vec<u8> {
    format!("2026-11-21T22:00:05.123 Std {number:05} Text of it\r\n").into_bytes()
}

fn wait(want: Want, from: Mark) -> LogWait {
    let source = LogSource {
        dir: "/logs".into(),
        files: "cs*.log".into(),
        event_patterns: vec![r"^.{8,40}?\sStd\s+(?:21-)?(\d{5})\s".into()],
        events: vec![22911, 22902, 25301, 22172],
        meanings: BTreeMap::new(),
    };
    LogWait { source, from, want, limit: Span::mins(5), contact: None, exit: None }
}

fn seek(events: &[i64], patterns: &[&str]) -> Want {
    Want::Match { events: events.to_vec(), patterns: patterns.iter().map(|text| (*text).to_owned()).collect() }
}

fn append(at: u64, bytes: impl Into<Vec<u8>>) -> impl FnOnce(Fake) -> Fake {
    let bytes = bytes.into();
    move |fake| fake.edit(at, Edit::Append("cs.log", 1, bytes))
}

fn exit_watch() -> Option<ExitWatch> {
    let words = Reading::Words(vec!["running".into(), "stopped".into()]);
    Some(ExitWatch { probe: probe("status", words), gone: "stopped".into(), every: Span::secs(5) })
}

#[test]
fn a_wait_ends_behind_the_first_line_that_counts_and_the_next_one_goes_on_there() {
    let fake = append(1_000, [line(22911), line(22902), line(22911)].concat())(Fake::new());
    let (value, mark) = done(act(&fake, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
    assert_eq!((value.get("event"), value.get("pattern")), (Some(&Value::Int(22902)), Some(&Value::Null)));
    assert_eq!(value.get("line"), Some(&"2026-11-21T22:00:05.123 Std 22902 Text of it".into()));
    let mark = mark.expect("a mark");
    let (value, _) = done(act(&fake, Action::Log(wait(seek(&[22911], &[]), mark.clone())), 1, false));
    assert_eq!(value.get("event"), Some(&Value::Int(22911)));
    assert_eq!(failed(act(&fake, Action::Log(wait(seek(&[22902], &[]), mark)), 1, false)).kind, FailureKind::Limit);
}

#[test]
fn an_expression_hands_its_groups_to_the_script() {
    let fake = append(1_000, "noise\nquorum lost in 120 ms\n")(Fake::new());
    let want = seek(&[22902], &["never", r"quorum (reached|lost) in (\d+) ms"]);
    let (value, _) = done(act(&fake, Action::Log(wait(want, Mark::default())), 1, false));
    assert_eq!((value.get("event"), value.get("pattern")), (Some(&Value::Null), Some(&Value::Int(1))));
    assert_eq!(value.get("captures"), Some(&Value::List(vec!["lost".into(), "120".into()])));
}

#[test]
fn a_wait_sees_the_line_across_a_rotation_that_happens_under_its_hands() {
    let fake = append(1_000, line(22911))(Fake::new())
        .edit(2_000, Edit::Rename("cs.log", "cs.log.1"))
        .edit(2_000, Edit::Append("cs.log.1", 1, line(22902)))
        .edit(2_000, Edit::Append("cs.log", 2, line(22172)))
        .trouble("read", Trouble::Missing("renamed".into()), false);
    let (value, mark) = done(act(&fake, Action::Log(wait(seek(&[22902, 22172], &[]), Mark::default())), 1, false));
    assert_eq!(value.get("event"), Some(&Value::Int(22902)), "the old file is read to its end first");
    let next = act(&fake, Action::Log(wait(seek(&[22902, 22172], &[]), mark.expect("a mark"))), 1, false);
    assert_eq!(done(next).0.get("event"), Some(&Value::Int(22172)));
}

#[test]
fn a_wait_sees_the_line_in_a_file_that_was_cut_and_in_one_that_was_made_anew() {
    let cut = append(1_000, [line(22911), line(22911)].concat())(Fake::new())
        .edit(2_000, Edit::Rewrite("cs.log", [line(25301), line(22902), line(22911)].concat()));
    done(act(&cut, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
    let anew = append(1_000, line(22911))(Fake::new()).edit(2_000, Edit::Remove("cs.log"));
    let anew = append(3_000, [line(25301), line(22902)].concat())(anew);
    done(act(&anew, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
}

#[test]
fn a_link_that_is_down_only_delays_a_wait() {
    let mut fake = append(60_000, line(22902))(Fake::new());
    for request in ["list", "changed", "read", "list", "list"] {
        fake = fake.trouble(request, Trouble::Unreachable("no route".into()), false);
    }
    done(act(&fake, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
}

#[test]
fn a_wait_that_runs_out_says_what_it_looked_for_and_what_it_read() {
    let fake = append(1_000, [line(22911), b"the \x1b[2Jlast\n".to_vec()].concat())(Fake::new());
    let failure = failed(act(&fake, Action::Log(wait(seek(&[22902], &["up again"]), Mark::default())), 1, false));
    assert_eq!(failure.kind, FailureKind::Limit);
    for part in ["event 22902", "`up again`", "2 lines", r"the \u{1b}[2Jlast", "5min"] {
        assert!(failure.message.contains(part), "{part}: {}", failure.message);
    }
    assert_eq!(fake.0.borrow().now, 300_000);
    let waiting = fake.0.borrow().events.iter().filter(|event| matches!(event, Event::Waiting { .. })).count();
    assert_eq!(waiting, 10, "at the start and every half minute");
}

#[test]
fn a_wait_resumed_after_its_limit_looks_once_more() {
    let fake = append(310_000, line(22902))(Fake::new()).with(|state| state.now = 400_000);
    done(act(&fake, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, true));
}

#[test]
fn a_wait_ends_when_the_service_is_gone_but_reads_its_last_words_first() {
    let gone = Fake::new().probe("status", 0, 0, "running").probe("status", 12_000, 0, "stopped");
    let watch = LogWait { exit: exit_watch(), ..wait(seek(&[22902], &[]), Mark::default()) };
    let failure = failed(act(&gone, Action::Log(watch.clone()), 1, false));
    assert_eq!(failure.kind, FailureKind::Exit);
    assert!(failure.message.starts_with("`c2` is not running any more"), "{}", failure.message);
    let last_words = append(15_000, line(22902))(gone);
    done(act(&last_words, Action::Log(watch), 1, false));
}

#[test]
fn an_expression_that_is_none_fails_at_once() {
    let failure = failed(act(&Fake::new(), Action::Log(wait(seek(&[], &["(open"]), Mark::default())), 1, false));
    assert_eq!(failure.kind, FailureKind::Unreadable);
}

/// W0 -22911-> W1 -22902-> WS -10s-> FORCE; 25301 before that: UPGRADE; exit: FAIL; limit in W0: SILENT, else LATE.
fn table() -> DecisionTable {
    let row = |states: &[&str], symbols: &[Symbol], next: Next, warning: &str| Row {
        states: states.iter().map(|name| (*name).to_owned()).collect(),
        symbols: symbols.to_vec(),
        next,
        warning: warning.into(),
    };
    let (to, end) = (|name: &str| Next::State(name.into()), |name: &str| Next::End(name.into()));
    DecisionTable {
        start: "W0".into(),
        rows: vec![
            row(&["W0"], &[Symbol::Event(22911)], to("W1"), ""),
            row(&["W1"], &[Symbol::Event(22902)], to("WS"), ""),
            row(&["WS"], &[Symbol::Event(25301)], end("UPGRADE"), "late"),
            row(&["W0", "W1"], &[Symbol::Event(25301)], end("UPGRADE"), ""),
            row(&["WS"], &[Symbol::Settled], end("FORCE"), ""),
            row(&["W0"], &[Symbol::Limit], end("SILENT"), ""),
            row(&[], &[Symbol::Event(22911)], Next::Stay, "again"),
            row(&[], &[Symbol::Limit], end("LATE"), ""),
            row(&[], &[Symbol::Exit], end("FAIL"), ""),
            row(&[], &[Symbol::Other], end("ANOMALY"), ""),
        ],
        settles: BTreeMap::from([("WS".into(), Span::secs(10))]),
    }
}

fn run_table(fake: &Fake) -> Value {
    let contact = Some(Span::mins(2));
    let wait = LogWait { contact, exit: exit_watch(), ..wait(Want::Table(table()), Mark::default()) };
    done(act(fake, Action::Log(wait), 1, false)).0
}

#[test]
fn a_table_decides_by_events_time_and_exit() {
    let running = || Fake::new().probe("status", 0, 0, "running");
    let text = |fake: &Fake| run_table(fake).get("outcome").and_then(Value::as_text).expect("an outcome").to_owned();
    let contacted = || append(1_000, [line(22911), line(5060), b"noise 22902\n".to_vec()].concat())(running());
    assert_eq!(text(&append(5_000, line(25301))(contacted())), "UPGRADE");
    let forced = append(5_000, line(22902))(contacted());
    assert_eq!((text(&forced), forced.0.borrow().now), ("FORCE".into(), 15_000), "10 s after the state was entered");
    let late = append(14_000, line(25301))(append(5_000, line(22902))(contacted()));
    assert_eq!(text(&late), "UPGRADE", "within the settle time");
    let silent = append(0, "an old launch\n")(running());
    assert_eq!((text(&silent), silent.0.borrow().now), ("SILENT".into(), 120_000), "no contact");
    let slow = contacted();
    assert_eq!((text(&slow), slow.0.borrow().now), ("LATE".into(), 300_000), "contact, but no end");
    assert_eq!(text(&contacted().probe("status", 20_000, 0, "stopped")), "FAIL");
    assert_eq!(text(&append(5_000, line(22172))(contacted())), "ANOMALY");
}

#[test]
fn a_watch_says_what_it_waits_for_as_it_stands() {
    let fake = append(100_000, line(22902))(append(40_000, line(22911))(Fake::new()));
    run_table(&fake);
    let mut said: Vec<String> = Vec::new();
    for event in &fake.0.borrow().events {
        if let Event::Waiting { what, .. } = event
            && said.last() != Some(what)
        {
            said.push(what.clone());
        }
    }
    assert_eq!(said, ["waits for 25301"], "what ends it, not what it passes through");
}

#[test]
fn a_table_tells_what_it_has_seen() {
    let lines = [line(22911), line(22911), line(22902), line(25301), line(22172)].concat();
    let fake = append(1_000, lines)(Fake::new());
    let value = run_table(&fake);
    assert_eq!((value.get("outcome"), value.get("state")), (Some(&"UPGRADE".into()), Some(&"WS".into())));
    let events = [22911, 22911, 22902, 25301].map(Value::Int).to_vec();
    assert_eq!(value.get("events"), Some(&Value::List(events)), "nothing after the end");
    assert_eq!(value.get("counts").and_then(|counts| counts.get("22911")), Some(&Value::Int(2)));
    assert_eq!(value.get("warnings"), Some(&Value::List(vec!["again".into(), "late".into()])));
    let seen = fake.0.borrow().events.iter().filter(|event| matches!(event, Event::LogSeen { .. })).count();
    assert_eq!(seen, 4);
}

#[test]
fn a_log_that_cannot_be_seen_does_not_look_like_a_quiet_one() {
    let quiet = failed(act(
        &append(0, "old\n")(Fake::new()),
        Action::Log(wait(seek(&[22902], &[]), Mark::default())),
        1,
        false,
    ));
    assert_eq!(quiet.kind, FailureKind::Limit);
    let nothing = failed(act(&Fake::new(), Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
    assert_eq!(nothing.kind, FailureKind::Unreadable);
    assert!(nothing.message.contains("no file in `/logs` matches `cs*.log`"), "{}", nothing.message);
    let mark = done(act(
        &append(0, line(22911))(Fake::new()),
        Action::Log(wait(seek(&[22911], &[]), Mark::default())),
        1,
        false,
    ))
    .1;
    let lost = Fake::new()
        .edit(0, Edit::Append("cs.log", 1, line(22911)))
        .edit(2_000, Edit::Append("cs.log", 1, line(22902)))
        .edit(2_000, Edit::Remove("cs.log"))
        .edit(2_000, Edit::Append("cs.log.1.gz", 2, b"\x1f\x8bREADY\n".to_vec()))
        .edit(2_000, Edit::Append("cs.log", 3, line(22911)));
    let wanted = wait(seek(&[22902], &["READY"]), mark.expect("a mark"));
    let failure = failed(act(&lost, Action::Log(wanted), 1, false));
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.contains("`cs.log` went away before it was read to its end"), "{}", failure.message);
}

#[test]
fn a_file_that_may_not_be_read_hides_itself_and_no_other() {
    let fake = append(1_000, line(22911))(Fake::new()).edit(1_000, Edit::Append("cs.2.log", 2, line(22902))).trouble(
        "read",
        Trouble::Refused("cannot read `cs.log`: permission denied".into()),
        false,
    );
    done(act(&fake, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
}

#[test]
fn nothing_is_concluded_from_the_silence_of_a_host_that_does_not_answer() {
    let mut fake = append(1_000, [line(22911), line(22902)].concat())(Fake::new())
        .edit(12_000, Edit::Append("cs.log", 1, line(25301)));
    for _ in 0..4 {
        fake = fake.trouble("changed", Trouble::Unreachable("no route".into()), false);
        fake = fake.trouble("list", Trouble::Unreachable("no route".into()), false);
    }
    let (value, _) = done(act(&fake, Action::Log(wait(Want::Table(table()), Mark::default())), 1, false));
    assert_eq!(value.get("outcome"), Some(&"UPGRADE".into()), "the settling time was over while nobody could look");
}

#[test]
fn a_line_without_an_end_is_read_when_the_limit_is_over_and_counts_once() {
    let fake = append(1_000, "22:00:05 Std 22902 Std 2291")(Fake::new())
        .edit(400_000, Edit::Append("cs.log", 1, b"1 Std 22902\n".to_vec()));
    let (value, mark) = done(act(&fake, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
    assert_eq!(value.get("line"), Some(&"22:00:05 Std 22902 Std 2291".into()));
    assert_eq!(fake.0.borrow().now, 300_000, "until then it might have got its end");
    fake.0.borrow_mut().now = 400_000;
    let again = failed(act(&fake, Action::Log(wait(seek(&[22902], &["Std"]), mark.expect("a mark"))), 1, false));
    assert_eq!(again.kind, FailureKind::Limit, "the rest of that line is no line: {}", again.message);
}

#[test]
fn a_number_that_may_go_on_is_no_event_yet() {
    let fake = append(1_000, "22:00:05 Std 22902")(Fake::new());
    failed(act(&fake, Action::Log(wait(seek(&[22902], &[]), Mark::default())), 1, false));
}

#[test]
fn what_an_event_means_stands_beside_it() {
    let fake = append(1_000, [line(22911), line(22911), line(22902), line(25301)].concat())(Fake::new());
    let mut watched = wait(Want::Table(table()), Mark::default());
    watched.source.meanings = BTreeMap::from([("22911".to_owned(), "deals with its peer".to_owned())]);
    let (value, _) = done(act(&fake, Action::Log(watched), 1, false));
    assert_eq!(value.get("told"), Some(&"22911, 2 times (deals with its peer); 22902; 25301".into()));
}

/// A mark of the log as it is at this time, and a wait for `event` from it on.
fn marked(fake: Fake, from: u64) -> (Fake, Mark) {
    let source = wait(seek(&[], &[]), Mark::default()).source;
    let sleep = Action::Sleep { span: Span(from), pause: false, within: None };
    done(act(&fake, sleep, 1, false));
    let (_, mark) = done(act(&fake, Action::Capture(Capture::Mark { source }), 1, false));
    (fake, mark.expect("a mark"))
}

#[test]
fn what_a_rotation_goes_on_copying_after_a_mark_is_not_new() {
    let filler = |from: u32| (from..from + 400).flat_map(|n| format!("22:00:0{} noise {n}\n", n % 10).into_bytes());
    let old: Vec<u8> = filler(0).chain(line(22902)).chain(filler(400)).collect();
    let log = |fake: Fake| fake.edit(1_000, Edit::Append("cs.log", 1, old.clone()));
    // Nothing of it is copied yet, a bit, most of it; it is copied to its end, and the log is cut then or stays.
    for (name, copied) in [("cs.log.1.log", 0), ("cs.log.1.log", 40), ("cs.log.1.log", 3_000), ("cs2.log", 3_000)] {
        for cut in [false, true] {
            let begin = log(Fake::new()).edit(1_500, Edit::Append(name, 2, old[..copied].to_vec()));
            let (fake, mark) = marked(begin, 2_000);
            let more = (copied + 100).max(1_000);
            let fake = fake
                .edit(3_000, Edit::Append(name, 2, old[copied..more].to_vec()))
                .edit(8_000, Edit::Append(name, 2, old[more..].to_vec()));
            let fake = if cut { fake.edit(9_000, Edit::Rewrite("cs.log", Vec::new())) } else { fake };
            let fake = append(20_000, line(22911))(fake);
            let (value, _) = done(act(&fake, Action::Log(wait(seek(&[22902, 22911], &[]), mark)), 1, false));
            let first = value.get("event").cloned();
            assert_eq!(first, Some(Value::Int(22911)), "{name}, {copied} bytes copied, cut: {cut}: {value:?}");
        }
    }
}

#[test]
fn a_file_that_only_begins_like_another_one_has_new_lines_after_a_mark() {
    let old: Vec<u8> = (0..400).flat_map(|n| format!("22:00:00 banner {n}\n").into_bytes()).collect();
    for begun in [0, 40, 1_000] {
        let fake = Fake::new()
            .edit(1_000, Edit::Append("cs.log", 1, old.clone()))
            .edit(1_500, Edit::Append("cs2.log", 2, old[..begun].to_vec()));
        let (fake, mark) = marked(fake, 2_000);
        let fake = fake.edit(3_000, Edit::Append("cs2.log", 2, [b"\n".to_vec(), line(22902)].concat()));
        let (value, _) = done(act(&fake, Action::Log(wait(seek(&[22902], &[]), mark)), 1, false));
        assert_eq!(value.get("event"), Some(&Value::Int(22902)), "{begun} bytes begun");
    }
}

/// A log that is gone when a wait is taken up again is told of at once: nobody was there to see it.
#[test]
fn who_takes_up_a_wait_says_at_once_what_has_become_of_the_log() {
    let fake = append(1_000, line(22911))(Fake::new());
    let (_, mark) = done(act(&fake, Action::Log(wait(seek(&[22911], &[]), Mark::default())), 1, false));
    let fake = append(3_000, line(22902))(fake.with(|state| state.files.clear()));
    done(act(&fake, Action::Log(wait(seek(&[22902], &[]), mark.expect("a mark"))), 1, true));
    let told: Vec<String> = fake
        .0
        .borrow()
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Notice { text } => Some(text.clone()),
            _ => None,
        })
        .collect();
    assert!(told.iter().any(|text| text.contains("`cs.log` went away")), "{told:?}");
}
