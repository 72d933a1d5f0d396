//! What a person sees of a run, word for word: a run with every kind of entry, a resumed run, an error, an ending.

use baton::error::{Error, Kind, Place, Snippet};
use baton::model::run::effect::{
    Action, Ask, Before, Class, Effect, Failure, FailureKind, Form, Goal, Job, LogSource, LogWait, Outcome, Probe, Want,
};
use baton::model::run::estate::EstateId;
use baton::model::run::event::{Event, Sink};
use baton::model::run::instant::Wall;
use baton::model::run::mark::Mark;
use baton::model::run::meaning::ProbeMeaning;
use baton::model::run::meaning::VerbMeaning;
use baton::model::run::reading::Reading;
use baton::model::run::record::{EffectId, Ending, FORMAT, Fact, Moment, Record, RollbackScope, TrackId, Who};
use baton::model::site::inventory::Pair;
use baton::model::span::Span;
use baton::model::value::{Fields, Value};
use baton::report::style::Style;
use baton::report::{Fan, diagnostic, ending, json::JsonLines, summary, terminal::TerminalView};
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;

/// A handle whose text can be looked at afterwards.
#[derive(Clone, Default)]
pub(crate) struct Page(Rc<RefCell<Vec<u8>>>);

impl Page {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// 22:00:00 UTC and so many milliseconds.
fn at(ms: i64) -> Moment {
    Moment { wall: Wall(1_795_298_400_000 + ms), ..Moment::default() }
}

fn who() -> Who {
    Who { user: "ada".into(), host: "jump1".into(), pid: 7, machine: String::new(), state: None }
}

fn id(n: u64) -> EffectId {
    EffectId { track: TrackId::main(), n }
}

fn job(verb: &str, service: &str, class: Class) -> Effect {
    let limit = Span::mins(2);
    let job = Job {
        means: VerbMeaning::of_verb(verb),
        verb: verb.into(),
        class,
        argv: vec![verb.into()],
        args: Fields::new(),
        limit,
        goal: None,
        check: None,
        killable: false,
        secret: None,
    };
    let (label, host) = (format!("{verb}({service})"), Some(format!("host-{service}")));
    Effect { action: Action::Job(job), label, host, service: Some(service.into()), undo: None, before: None }
}

fn ask(text: &str) -> Effect {
    let ask = Ask { gate: "manual-1".into(), form: Form::Manual, text: text.into(), evidence: "22 in the log".into() };
    Effect { action: Action::Ask(ask), label: "manual".into(), host: None, service: None, undo: None, before: None }
}

fn note(text: &str, warning: bool) -> Record {
    let action = Action::Note { text: text.into(), warning };
    let effect = Effect { action, label: "note".into(), host: None, service: None, undo: None, before: None };
    let (step, digest, outcome) = ("2".to_owned(), String::new(), Outcome::done(Value::Null));
    Fact::Read { id: id(9), step, effect, digest, place: None, outcome }.at(at(25_500))
}

fn role(service: &str, reads: &str, ms: i64) -> Record {
    let (what, limit, reading) = ("role".into(), Span::secs(30), Reading::default());
    let probe = Probe {
        means: ProbeMeaning::of_probe("role"),
        what,
        argv: vec![],
        args: Fields::new(),
        limit,
        tries: 1,
        reads: reading,
        within: None,
        exit_tells: false,
        secret: None,
    };
    let (label, host) = (format!("role({service})"), Some(format!("host-{service}")));
    let effect =
        Effect { action: Action::Probe(probe), label, host, service: Some(service.into()), undo: None, before: None };
    let (step, digest, outcome) = ("1".to_owned(), String::new(), Outcome::done(Value::from(reads)));
    Fact::Read { id: id(8), step, effect, digest, place: None, outcome }.at(at(ms))
}

fn begun() -> Record {
    Fact::Begun {
        format: FORMAT,
        baton: "0.1.0".into(),
        runbook: "genesys/confserv-ha".into(),
        sources: Default::default(),
        params: Fields::from([("new_version".into(), Value::from("8.5.101.10"))]),
        estate: "lab genesys:upgrade-mode".parse().expect("an estate"),
    }
    .by(who(), at(0))
}

fn step(number: &str, name: &str, ms: i64) -> Record {
    Fact::StepBegun { track: TrackId::main(), number: number.into(), name: name.into(), place: None, undoes: false }
        .at(at(ms))
}

fn step_end(number: &str, failed: Option<&str>, ms: i64) -> Record {
    let failed = failed.map(str::to_owned);
    Fact::StepEnded { track: TrackId::main(), number: number.into(), failed }.at(at(ms))
}

fn intent(n: u64, effect: Effect, ms: i64) -> Record {
    let (step, digest) = (if n < 5 { "1" } else { "2" }.to_owned(), String::new());
    Fact::Intent { id: id(n), attempt: 1, step, effect, digest, place: None, kept_in: None }.at(at(ms))
}

fn outcome(n: u64, outcome: Outcome, ms: i64) -> Record {
    Fact::Outcome { id: id(n), attempt: 1, outcome }.at(at(ms))
}

fn changed(changed: bool) -> Outcome {
    Outcome::done(Value::map([("changed", Value::from(changed))]))
}

fn answered() -> Outcome {
    Outcome::done(Value::map([("word", Value::from("done")), ("by", Value::from("lab operator"))]))
}

fn failure() -> Outcome {
    let (message, output) =
        ("the command ended with exit code 1".to_owned(), "first\nno such \u{1b}[2Jfile\n".to_owned());
    Outcome::Failed(Failure { kind: FailureKind::Exit, message, exit: Some(1), output })
}

fn ended(ending: Ending, message: &str, ms: i64) -> Record {
    Fact::Ended { ending, message: message.into(), effect: None }.at(at(ms))
}

fn pairs() -> BTreeMap<String, Pair> {
    let (name, primary, backup) = ("confserv".to_owned(), "c1".to_owned(), "c2".to_owned());
    BTreeMap::from([(name.clone(), Pair { name, primary, backup, related: BTreeMap::new() })])
}

/// A run that does a bit of everything and fails.
fn a_run() -> Vec<Record> {
    vec![
        begun(),
        role("c1", "primary", 900),
        step("1", "Bring the backup down and up", 1_000),
        intent(1, job("set_readonly", "c1", Class::Idempotent), 1_000),
        outcome(1, changed(false), 1_400),
        intent(2, job("shutdown", "c2", Class::Idempotent), 1_500),
        outcome(2, changed(true), 13_500),
        intent(
            3,
            ask("Switch the applications over to the other server, one after the other, and watch the alarms"),
            14_000,
        ),
        outcome(3, answered(), 20_000),
        intent(4, job("start", "c2", Class::Idempotent), 20_000),
        outcome(4, changed(true), 25_000),
        role("c2", "backup", 25_000),
        step_end("1", None, 25_000),
        step("2", "Install the new version", 25_000),
        note("the database is older than the server", true),
        intent(5, job("install", "c2", Class::Once), 26_000),
        outcome(5, failure(), 86_000),
        step_end("2", Some("install(c2) failed"), 86_000),
        ended(Ending::Failed, "step 2 failed: install(c2)", 86_000),
    ]
}

fn play(records: &[Record], replayed: usize) -> String {
    let page = Page::default();
    let mut view = TerminalView::new(Box::new(page.clone()), Style::plain(), TimeZone::UTC);
    for (index, record) in records.iter().enumerate() {
        view.event(&Event::Recorded {
            seq: index as u64 + 1,
            record: Rc::new(record.clone()),
            replayed: index < replayed,
        });
    }
    page.text()
}

#[test]
fn a_run_reads_as_one_aligned_page() {
    let text = play(&a_run(), 0);
    assert_eq!(text, include_str!("report/run.txt"), "got:\n{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "wider than a terminal:\n{text}");
}

#[test]
fn replayed_steps_are_told_in_one_line() {
    let mut records = a_run();
    records.truncate(16);
    records.push(Fact::Opened.by(who(), at(90_000)));
    records.push(outcome(5, changed(true), 95_000));
    let text = play(&records, 16);
    assert!(text.contains("resumed by ada on jump1"), "{text}");
    assert!(text.contains("… 1 step already done (replayed)"), "{text}");
    assert!(text.contains("2  Install the new version"), "{text}");
    assert!(text.contains("… begun  install(c2) is taken up again"), "{text}");
    assert!(!text.contains("shutdown(c2)"), "{text}");
    assert!(text.contains("✓ done   install(c2)"), "{text}");
}

/// A reading of `option` before `change`, which is not needed when it reads "1".
fn look_before(change: &str, reads: &str, step: &str, ms: i64) -> Record {
    let Fact::Read { mut effect, digest, outcome: _, .. } = role("c2", reads, ms).fact else { unreachable!() };
    effect.before = Some(Before { change: change.into(), wants: vec!["1".into()] });
    let (step, outcome) = (step.to_owned(), Outcome::done(Value::from(reads)));
    Fact::Read { id: id(50), step, effect, digest, place: None, outcome }.at(at(ms))
}

#[test]
fn a_step_whose_changes_were_there_already_does_not_look_like_a_deed() {
    let records = [
        begun(),
        step("1", "Mark", 1_000),
        step("1.1", "Inner", 1_000),
        look_before("set_option(c2, s, k, 1)", "1", "1.1", 2_000),
        step_end("1.1", None, 3_000),
        step_end("1", None, 3_000),
        step("2", "Mark both", 4_000),
        look_before("set_option(c2, s, k, 1)", "1", "2", 5_000),
        look_before("set_option(c2, s, j, 1)", "0", "2", 5_000),
        intent(51, job("set_option", "c2", Class::Idempotent), 5_000),
        outcome(51, Outcome::done(Value::map([("changed", true.into())])), 6_000),
        step_end("2", None, 7_000),
    ];
    let text = play(&records, 0);
    assert!(text.contains("= same   set_option(c2, s, k, 1)"), "{text}");
    assert!(text.contains("= same   step 1: was so already") && text.contains("= same   step 1.1: was"), "{text}");
    assert!(text.contains("✓ done   step 2 "), "something was done in it: {text}");
    let sum = summary::summarise("0a1b2c3d4e5f", &records, &pairs());
    let text = ending::render(&sum, &Style::plain(), &TimeZone::UTC);
    assert!(text.contains("1 change, 2 were so already\n"), "{text}");
}

#[test]
fn a_night_that_goes_past_midnight_says_which_day_it_is() {
    let hour = 3_600_000;
    let records = [begun(), step("1", "Late", hour), step_end("1", None, hour * 2 + 1), step("2", "Early", hour * 3)];
    let text = play(&records, 0);
    assert_eq!(text.matches("Sunday 2026-11-22, UTC+00:00").count(), 1, "{text}");
    // At 3 o'clock the clocks of Vienna are put back to 2.
    let page = Page::default();
    let mut view = TerminalView::new(
        Box::new(page.clone()),
        Style::plain(),
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
    );
    for (n, wall) in [1_792_886_400_000, 1_792_890_000_001].into_iter().enumerate() {
        let record = Fact::StepBegun {
            track: TrackId::main(),
            number: n.to_string(),
            name: "x".into(),
            place: None,
            undoes: false,
        }
        .at(Moment { wall: Wall(wall), ..Moment::default() });
        view.event(&Event::Recorded { seq: n as u64, record: Rc::new(record), replayed: false });
    }
    assert!(page.text().contains("UTC+01:00"), "{}", page.text());
}

#[test]
fn what_is_said_of_a_reading_that_failed_names_it() {
    let Fact::Read { effect, digest, .. } = role("c2", "primary", 0).fact else { unreachable!() };
    let failure =
        Failure { kind: FailureKind::Unreachable, message: "no route".into(), exit: None, output: String::new() };
    let (step, outcome) = ("1".to_owned(), Outcome::Failed(failure));
    let read = Fact::Read { id: id(56), step, effect, digest, place: None, outcome }.at(at(1_000));
    let records = [begun(), read, Fact::Retry { id: id(56) }.by(who(), at(2_000))];
    let text = play(&records, 0);
    assert!(text.contains("role(c2) is tried again by ada") && !text.contains("effect 0:56"), "{text}");
    let sum = summary::summarise("0a1b2c3d4e5f", &records, &pairs());
    let told: Vec<&str> = sum.deviations.iter().map(|one| one.text.as_str()).collect();
    assert!(told.contains(&"role(c2) is tried again by ada"), "{told:?}");
}

#[test]
fn going_on_in_the_same_process_is_not_taking_up_again() {
    let opened = |pid| Fact::Opened.by(Who { pid, ..who() }, at(1_000));
    let sum = summary::summarise("0a1b2c3d4e5f", &[begun(), opened(7), opened(7), opened(8), opened(8)], &pairs());
    assert_eq!(sum.resumed, 1);
}

#[test]
fn the_log_of_a_watch_is_told_again_by_its_record() {
    let source = LogSource {
        dir: "/l".into(),
        files: "*".into(),
        event_patterns: vec![],
        events: vec![22911],
        meanings: BTreeMap::from([("22911".into(), "deals with its peer".into())]),
    };
    let want = Want::Match { events: vec![22911], patterns: vec![] };
    let (from, limit) = (Mark::default(), Span::mins(1));
    let action = Action::Log(LogWait { source, from, want, limit, contact: None, exit: None });
    let service = Some("c2".to_owned());
    let effect = Effect { action, label: "watch_log(c2)".into(), host: None, service, undo: None, before: None };
    let events = Value::List(vec![Value::Int(22911), Value::Int(22911)]);
    let value =
        Value::map([("outcome", "OK".into()), ("events", events), ("counts", Value::map([("22911", 2.into())]))]);
    let text = play(&[begun(), intent(60, effect, 1_000), outcome(60, Outcome::done(value), 2_000)], 0);
    assert!(text.contains("‹ log    c2: 22911 (2 times)\n") && text.contains("= deals with its peer\n"), "{text}");
}

#[test]
fn off_a_terminal_a_wait_says_what_for_once_and_then_beats() {
    let page = Page::default();
    let mut view = TerminalView::new(Box::new(page.clone()), Style::plain(), TimeZone::UTC);
    for ms in (0..10).map(|tick| tick * 10_000) {
        let left = Some(Span(100_000 - ms as u64));
        view.event(&Event::Waiting {
            id: id(1),
            what: "event 25302 in the log of c2".into(),
            reading: String::new(),
            left,
            at: at(ms),
        });
    }
    assert_eq!(page.text().matches("event 25302").count(), 3, "{}", page.text());
}

#[test]
fn the_looks_of_a_wait_until_are_one_wait() {
    let page = Page::default();
    let mut view = TerminalView::new(Box::new(page.clone()), Style::plain(), TimeZone::UTC);
    let action = Action::Sleep { span: Span::secs(10), pause: true, within: None };
    let pause = Effect { action, label: "6 clients on c2".into(), host: None, service: None, undo: None, before: None };
    for n in 1..=10 {
        let ms = n as i64 * 10_000;
        view.event(&Event::Recorded { seq: n, record: Rc::new(intent(n, pause.clone(), ms)), replayed: false });
        let (left, reading) = (Some(Span::mins(60 - n)), String::new());
        view.event(&Event::Waiting {
            id: id(n),
            what: format!("{n} of 6 clients on c2"),
            reading,
            left,
            at: at(ms + 2_000),
        });
        let record = outcome(n, Outcome::done(Value::Null), ms + 10_000);
        view.event(&Event::Recorded { seq: n, record: Rc::new(record), replayed: false });
    }
    let text = page.text();
    assert_eq!(text.matches("of 6 clients on c2").count(), 3, "one wait, whatever it reads: {text}");
    assert!(text.contains("… wait   1 of 6 clients on c2, 59min left\n"), "{text}");
}

#[test]
fn on_a_terminal_the_wait_is_one_line_that_is_rewritten() {
    let page = Page::default();
    let style = Style { live: true, ..Style::plain() };
    let mut view = TerminalView::new(Box::new(page.clone()), style, TimeZone::UTC);
    let wait = |ms| Event::Waiting { id: id(1), what: "x".repeat(200), reading: String::new(), left: None, at: at(ms) };
    view.event(&wait(0));
    view.event(&wait(1_000));
    assert_eq!(page.text().matches("\r\u{1b}[2K").count(), 2);
    assert!(!page.text().contains('\n'), "the status line never wraps");
}

#[test]
fn on_a_narrow_terminal_a_wait_keeps_its_count_and_the_time_that_is_left() {
    let server = "confserv-primary-of-the-second-site";
    let waits = [
        (format!("4 of 6 clients on {server}"), String::new(), "4 of 6 cl"),
        (format!("`clients` of `{server}` to read `6`"), "reads `4`".to_owned(), "`4`), "),
        ("4 of 6 主要服务器 主要服务器 主要服务器 主要服务器".to_owned(), String::new(), "4 of 6"),
    ];
    for ((what, reading, count), width) in waits.iter().flat_map(|wait| [40, 60, 80].map(|width| (wait, width))) {
        let page = Page::default();
        let style = Style { live: true, width, ..Style::plain() };
        let mut view = TerminalView::new(Box::new(page.clone()), style, TimeZone::UTC);
        let (what, reading, left) = (what.clone(), reading.clone(), Some(Span::mins(58)));
        view.event(&Event::Waiting { id: id(1), what, reading, left, at: at(0) });
        let line = page.text().replace("\r\u{1b}[2K", "");
        let taken = unicode_width::UnicodeWidthStr::width(line.as_str());
        assert!(taken < width, "{taken} of {width} columns: {line}");
        assert!(line.contains(count) && line.contains(", 58min left"), "at {width}: {line}");
    }
}

#[test]
fn log_events_and_host_output_are_shown_and_cannot_move_the_cursor() {
    let page = Page::default();
    let mut view = TerminalView::new(Box::new(page.clone()), Style::plain(), TimeZone::UTC);
    let line = "22:00:01 Std 21-25302 upgrade mode\u{1b}[2J".to_owned();
    let seen = |times| Event::LogSeen {
        id: id(1),
        service: "c2".into(),
        number: Some(25302),
        meaning: Some("expected, any number of times".into()),
        times,
        line: line.clone(),
        at: at(0),
    };
    (1..=20).for_each(|times| view.event(&seen(times)));
    let reading = "reads `none`".to_owned();
    view.event(&Event::Waiting { id: id(1), what: "more".into(), reading, left: Some(Span::secs(9)), at: at(0) });
    view.event(&Event::Output { id: id(1), text: "half ".into(), at: at(0) });
    view.event(&Event::Output { id: id(1), text: "a line\r\n".into(), at: at(0) });
    let text = page.text();
    assert!(text.contains("2J (20 times by now)\n"), "{text}");
    assert_eq!(text.matches("25302 upgrade mode").count(), 2, "told when it comes, and counted once: {text}");
    assert!(text.contains("… wait   more (reads `none`), 9s left\n"), "how it stands, and how long yet: {text}");
    assert_eq!(text.matches(" = expected, any number of times\n").count(), 1, "its meaning once: {text}");
    assert!(text.contains("‹ log    c2: 25302 upgrade mode\\u{1b}[2J\n") && text.contains("| half a line"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
}

/// A run whose host, service, argument and path have names as long as people give them.
fn long_names() -> (Vec<Record>, [String; 3]) {
    let (service, path) = ("configuration-server-of-the-northern-region", format!("/srv/{}", "packages-of/".repeat(9)));
    let mut change = job("stage_install", service, Class::Once);
    change.label = format!("stage_install({service}, {path})");
    let estate = EstateId::Lab { lab: "site-".repeat(12), scenario: String::new() };
    let mut first = begun();
    if let Fact::Begun { params, estate: of, .. } = &mut first.fact {
        params.insert("package".into(), path.as_str().into());
        of.clone_from(&estate);
    }
    let records = vec![
        first,
        step("1", &format!("Lay {path} ready"), 1_000),
        intent(1, change, 2_000),
        outcome(1, changed(true), 3_000),
        intent(2, job("stop", service, Class::Idempotent), 4_000),
        outcome(2, failure(), 5_000),
        step_end("1", Some(&format!("`{path}` is not there")), 6_000),
        ended(Ending::Failed, "it failed", 7_000),
    ];
    (records, [format!("host-{service}"), path, "site-".repeat(12)])
}

#[test]
fn nothing_is_wider_than_the_screen_and_no_long_name_is_lost() {
    let (records, names) = long_names();
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    for width in [40, 60, 80] {
        let style = Style { width, ..Style::plain() };
        let page = Page::default();
        let mut view = TerminalView::new(Box::new(page.clone()), style, TimeZone::UTC);
        for (seq, record) in (1..).zip(&records) {
            view.event(&Event::Recorded { seq, record: Rc::new(record.clone()), replayed: false });
        }
        view.event(&Event::Notice { text: format!("`{}` has no room left for `{}`", names[0], names[1]) });
        view.event(&Event::Words { words: vec![("retry-what-failed".into(), format!("try {} again", names[1]))] });
        let sum = summary::summarise("6b01b46e4a74", &records, &pairs());
        let list = ending::list_line(&sum, &style, &TimeZone::UTC);
        let text = format!("{}{}{list}", page.text(), ending::render(&sum, &style, &TimeZone::UTC));
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > width).collect();
        assert!(wide.is_empty(), "{width}: {wide:#?} in\n{text}");
        for name in &names {
            assert!(letters(&text).contains(name.as_str()), "{width}: {name} is not whole in\n{text}");
        }
    }
    let unbroken = Page::default();
    let mut view = TerminalView::new(Box::new(unbroken.clone()), Style::unadorned(), TimeZone::UTC);
    for (seq, record) in (1..).zip(&records) {
        view.event(&Event::Recorded { seq, record: Rc::new(record.clone()), replayed: false });
    }
    let label = format!("stage_install({}, {})", &names[0]["host-".len()..], names[1]);
    assert!(unbroken.text().lines().any(|line| line.contains(&label)), "{}", unbroken.text());
}

#[test]
fn the_ending_counts_what_was_interrupted_and_names_the_next_command() {
    let sum = summary::summarise("0a1b2c3d4e5f", &a_run(), &pairs());
    let style = Style::plain();
    let text = [ending::render(&sum, &style, &TimeZone::UTC), ending::closing(&sum, &style)].concat();
    assert_eq!(text, include_str!("report/ending.txt"), "got:\n{text}");
}

#[test]
fn every_ending_has_a_next_command() {
    for end in [Ending::Done, Ending::Held, Ending::Failed, Ending::Unmet, Ending::Suspended, Ending::Doubt] {
        let ways = ending::ways_on("0a1b", Some(end), "x/y");
        assert!(!ways.is_empty() && ways.iter().all(|way| way.contains("baton ")), "{end:?}: {ways:?}");
    }
}

#[test]
fn json_lines_begin_with_their_version() {
    let page = Page::default();
    let lines = JsonLines::new(Box::new(page.clone()), Box::new(|error| panic!("{error}"))).unwrap();
    let mut fan = Fan::default().with(lines);
    fan.event(&Event::Notice { text: "careful".into() });
    assert_eq!(page.text(), "{\"type\":\"version\",\"events\":\"2.0\"}\n{\"event\":\"notice\",\"text\":\"careful\"}\n");
    fan.event(&Event::Recorded { seq: 1, record: Rc::new(begun()), replayed: false });
    let last = page.text().lines().last().unwrap().to_owned();
    let value: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&value["event"], &value["seq"]), (&"recorded".into(), &1.into()));
    assert_eq!(value["fact"]["begun"]["runbook"], "genesys/confserv-ha");
}

#[test]
fn an_error_shows_its_line_and_ends_with_what_to_do() {
    let place = Place { file: "genesys/confserv-ha.rhai".into(), line: 12, column: 5 };
    let line = "    drian(c1);".to_owned();
    let mut error = Error::new(Kind::Script, "unknown verb `drian`").cause("a\u{1b}[1mb").hint("did you mean `drain`?");
    error.snippet = Some(Box::new(Snippet { place, line, length: 5, label: "no such verb".into() }));
    error.trace.push("`finish` at genesys/confserv.rhai:40:1".into());
    let text = diagnostic::render(&error.hint("baton check genesys/confserv-ha"), &Style::plain());
    assert_eq!(text, include_str!("report/error.txt"), "got:\n{text}");
}

/// A way back that is taken up again: what the runbook was about when it was left is not told as if it were live.
#[test]
fn on_a_way_back_that_is_taken_up_nothing_of_the_way_forward_waits() {
    let mut records = a_run();
    records.truncate(15);
    records.push(intent(6, ask("Is the old database kept?"), 26_000));
    records.push(Fact::Rollback { way: RollbackScope::All }.by(who(), at(30_000)));
    let track = TrackId::rollback(1);
    let (number, name) = ("1".to_owned(), "Undo: Bring the backup down".to_owned());
    records.push(Fact::StepBegun { track, number, name, place: None, undoes: true }.at(at(31_000)));
    let replayed = records.len();
    records.push(Fact::Opened.by(who(), at(90_000)));
    let text = play(&records, replayed);
    assert!(text.contains("resumed by ada on jump1") && text.contains("1  Undo: Bring the backup down"), "{text}");
    assert!(!text.contains("Install the new version") && !text.contains("Is the old database kept?"), "{text}");
}

/// A goal that is looked at a second time is not a second start.
#[test]
fn a_further_look_at_a_goal_is_not_told_as_a_second_attempt() {
    let again = |effect: Effect| {
        let Record { at, fact, .. } = intent(1, effect.clone(), 2_000);
        let Fact::Intent { id, step, digest, .. } = fact else { unreachable!() };
        let again = Fact::Intent { id, attempt: 2, step, effect, digest, place: None, kept_in: None }.at(at);
        play(&[begun(), step_of_one(), again], 0)
    };
    let plain = job("install", "c2", Class::Once);
    assert!(again(plain).contains("install(c2), attempt 2"));
    let mut with_goal = job("start", "c2", Class::Idempotent);
    let Fact::Read { effect: reading, .. } = role("c2", "backup", 0).fact else { unreachable!() };
    let (Action::Job(started), Action::Probe(probe)) = (&mut with_goal.action, reading.action) else { unreachable!() };
    started.goal = Some(Goal { probe, wants: vec!["backup".into()], stays: Span(0) });
    let text = again(with_goal);
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("start(c2), looked at again: started only if it is not so already"), "{text}");
    assert!(!text.contains("attempt"), "{text}");
}

fn step_of_one() -> Record {
    step("1", "Bring the backup down and up", 1_000)
}
