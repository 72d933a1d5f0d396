//! Jobs: started at most once per attempt, found again after any interruption, and never guessed about.

use super::fake::{Fake, Job as Running};
use super::{act, done, failed, probe};
use baton::exec::ExecResult;
use baton::model::run::effect::{Action, Class, FailureKind, Goal, Job, Probe};
use baton::model::run::reading::Reading;
use baton::model::run::record::{EffectId, TrackId};
use baton::model::span::Span;
use baton::model::value::Value;
use baton::world::{JobId, JobState, Trouble};

fn job(class: Class) -> Job {
    let (argv, args) = (vec!["tool".into()], Default::default());
    Job {
        means: None,
        verb: "verb".into(),
        class,
        argv,
        args,
        limit: Span::mins(1),
        goal: None,
        check: None,
        killable: false,
        secret: None,
    }
}

fn goal(stays: Span) -> Goal {
    let words = Reading::Words(vec!["stopped".into(), "running".into()]);
    Goal { probe: probe("status", words), wants: vec!["stopped".into()], stays }
}

fn with_goal() -> Job {
    Job { goal: Some(goal(Span(0))), ..job(Class::Idempotent) }
}

fn with_check() -> Job {
    let check = Probe { exit_tells: true, ..probe("done", Reading::Text) };
    Job { check: Some(check), ..job(Class::Once) }
}

fn id(attempt: u32) -> JobId {
    JobId { run: "r".into(), effect: EffectId { track: TrackId::main(), n: 7 }, attempt }
}

fn existing(fake: Fake, attempt: u32, ends_at: u64, end: JobState) -> Fake {
    fake.with(|state| drop(state.jobs.insert(id(attempt), Running { ends_at, end })))
}

#[test]
fn a_check_that_hangs_has_as_long_as_the_job_had() {
    let check = Probe { limit: Span::secs(30), tries: 3, exit_tells: true, ..probe("done", Reading::Text) };
    let asked = Job { limit: Span::secs(3), check: Some(check), ..job(Class::Once) };
    let fake = Fake::new().with(|state| {
        state.next_job = Some((0, lost()));
        state.hanging.insert("done".into());
    });
    let verdict = act(&fake, Action::Job(asked), 1, false);
    assert!(matches!(verdict, ExecResult::Doubt { .. }), "{verdict:?}");
    assert!(fake.0.borrow().now <= 12_000, "{}", fake.0.borrow().now);
}

fn lost() -> JobState {
    JobState::Lost("its supervisor died".into())
}

fn starts(fake: &Fake) -> usize {
    fake.0.borrow().started.len()
}

fn changed(value: &Value) -> bool {
    value.get("changed") == Some(&Value::Bool(true))
}

#[test]
fn a_fresh_job_ends_with_its_output() {
    let fake = Fake::new().with(|state| state.output = b"saved as b1\n".to_vec());
    let (value, _) = done(act(&fake, Action::Job(job(Class::Once)), 1, false));
    assert_eq!((changed(&value), value.get("output")), (true, Some(&"saved as b1".into())));
    assert_eq!(starts(&fake), 1);
}

#[test]
fn a_job_that_fails_says_how() {
    let fake = Fake::new().with(|state| {
        state.next_job = Some((10, JobState::Exited(3)));
        state.output = [b"x".repeat(20_000), b"no space left".to_vec()].concat();
    });
    let failure = failed(act(&fake, Action::Job(job(Class::Once)), 1, false));
    assert_eq!((failure.kind, failure.exit), (FailureKind::Exit, Some(3)));
    assert!(failure.output.ends_with("no space left") && failure.output.len() < 9_000);
}

#[test]
fn what_was_not_started_is_known_not_to_be() {
    for (trouble, kind) in [
        (Trouble::Unreachable("no route".into()), FailureKind::Unreachable),
        (Trouble::Refused("disk full".into()), FailureKind::Unreachable),
        (Trouble::Missing("no such tool".into()), FailureKind::Missing),
    ] {
        let fake = Fake::new().trouble("start", trouble, false);
        assert_eq!(failed(act(&fake, Action::Job(job(Class::Once)), 1, false)).kind, kind);
        assert_eq!(starts(&fake), 0);
    }
}

#[test]
fn a_link_that_breaks_at_the_start_neither_loses_nor_doubles_the_job() {
    for took_effect in [false, true] {
        let fake = Fake::new().trouble("start", Trouble::Lost("reset".into()), took_effect);
        done(act(&fake, Action::Job(job(Class::Once)), 1, false));
        assert_eq!(starts(&fake), 1, "took effect: {took_effect}");
    }
}

#[test]
fn a_link_that_breaks_while_it_runs_is_waited_for() {
    let fake = Fake::new()
        .with(|state| state.next_job = Some((30_000, JobState::Exited(0))))
        .trouble("end", Trouble::Lost("reset".into()), false)
        .trouble("look", Trouble::Unreachable("no route".into()), false)
        .trouble("look", Trouble::Unreachable("no route".into()), false);
    done(act(&fake, Action::Job(job(Class::Once)), 1, false));
    assert_eq!(starts(&fake), 1);
}

/// Recovery: what is seen of the job, what goal or check say, and what becomes of it.
#[test]
fn recovery_follows_the_evidence() {
    use JobState::Exited;
    type Row =
        (&'static str, Job, Option<(u64, JobState)>, Option<(&'static str, i32, &'static str)>, &'static str, usize);
    let rows: Vec<Row> = vec![
        ("never started, idempotent", job(Class::Idempotent), None, None, "done", 1),
        ("never started, once", job(Class::Once), None, None, "done", 1),
        ("still running, idempotent", job(Class::Idempotent), Some((9_000, Exited(0))), None, "done", 0),
        ("still running, once", with_check(), Some((9_000, Exited(0))), None, "done", 0),
        ("running, then lost, once", job(Class::Once), Some((9_000, lost())), None, "doubt", 0),
        ("running, then lost, idempotent", job(Class::Idempotent), Some((9_000, lost())), None, "again", 0),
        ("ended well", job(Class::Once), Some((0, Exited(0))), None, "done", 0),
        ("ended badly", job(Class::Once), Some((0, Exited(2))), None, "failed", 0),
        ("ended well, goal holds", with_goal(), Some((0, Exited(0))), Some(("status", 0, "stopped")), "done", 0),
        (
            "ended well, goal never holds",
            with_goal(),
            Some((0, Exited(0))),
            Some(("status", 0, "running")),
            "failed",
            0,
        ),
        ("lost, idempotent, no goal", job(Class::Idempotent), Some((0, lost())), None, "again", 0),
        ("lost, goal holds", with_goal(), Some((0, lost())), Some(("status", 0, "stopped")), "done", 0),
        ("lost, goal does not hold", with_goal(), Some((0, lost())), Some(("status", 0, "running")), "again", 0),
        ("lost, goal cannot be read", with_goal(), Some((0, lost())), None, "again", 0),
        ("lost, once, no check", job(Class::Once), Some((0, lost())), None, "doubt", 0),
        ("lost, check says yes", with_check(), Some((0, lost())), Some(("done", 0, "")), "done", 0),
        ("lost, check says no", with_check(), Some((0, lost())), Some(("done", 1, "")), "again", 0),
        ("lost, check says neither", with_check(), Some((0, lost())), Some(("done", 2, "")), "doubt", 0),
        ("lost, check cannot be made", with_check(), Some((0, lost())), None, "doubt", 0),
    ];
    for (name, job, state, reading, want, starts_wanted) in rows {
        let mut fake = Fake::new();
        if let Some((ends_at, end)) = state {
            fake = existing(fake, 1, ends_at, end);
        }
        if let Some((what, exit, out)) = reading {
            fake = fake.probe(what, 0, exit, out);
        }
        let verdict = act(&fake, Action::Job(job), 1, true);
        let word = match &verdict {
            ExecResult::Outcome(baton::model::run::effect::Outcome::Done { .. }) => "done",
            ExecResult::Outcome(baton::model::run::effect::Outcome::Failed(_)) => "failed",
            ExecResult::Outcome(baton::model::run::effect::Outcome::Skipped { .. }) => "skipped",
            ExecResult::Again { .. } => "again",
            ExecResult::Doubt { .. } => "doubt",
            ExecResult::Unanswered { .. } => "unanswered",
            ExecResult::Leased { .. } => "leased",
        };
        assert_eq!(word, want, "{name}: {verdict:?}");
        assert_eq!(starts(&fake), starts_wanted, "{name}");
    }
}

#[test]
fn a_once_job_settled_by_its_check_says_so() {
    let fake = existing(Fake::new().probe("done", 0, 0, ""), 1, 0, lost());
    let (value, _) = done(act(&fake, Action::Job(with_check()), 1, true));
    assert_eq!(value.get("settled"), Some(&"by check".into()));
}

#[test]
fn a_job_of_a_host_that_stays_away_is_in_doubt_if_it_is_a_once_job() {
    for (class, in_doubt) in [(Class::Once, true), (Class::Idempotent, false)] {
        let mut fake = Fake::new();
        for _ in 0..50 {
            fake = fake.trouble("look", Trouble::Unreachable("no route".into()), false);
        }
        let verdict = act(&fake, Action::Job(job(class)), 1, true);
        assert_eq!(matches!(verdict, ExecResult::Doubt { .. }), in_doubt, "{verdict:?}");
        assert_eq!(starts(&fake), 0);
        assert!(fake.0.borrow().now >= 60_000, "it was given its whole limit");
    }
}

#[test]
fn an_installer_is_left_running_when_its_limit_is_over() {
    let fake = Fake::new().with(|state| state.next_job = Some((600_000, JobState::Exited(0))));
    let failure = failed(act(&fake, Action::Job(job(Class::Once)), 1, false));
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("left running") && failure.message.contains("r/0:7/1"), "{}", failure.message);
    assert!(!fake.0.borrow().asked.contains(&"kill"));
}

#[test]
fn a_killable_job_is_ended_when_its_limit_is_over() {
    let fake = Fake::new().with(|state| state.next_job = Some((600_000, JobState::Exited(0))));
    let failure = failed(act(&fake, Action::Job(Job { killable: true, ..job(Class::Once) }), 1, false));
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.ends_with("was ended"), "{}", failure.message);
}

#[test]
fn a_limit_goes_on_across_a_restart_and_is_not_judged_without_a_look() {
    let running = existing(Fake::new(), 1, 70_000, JobState::Exited(0)).with(|state| state.now = 50_000);
    assert_eq!(failed(act(&running, Action::Job(job(Class::Once)), 1, true)).kind, FailureKind::Limit);
    assert_eq!(running.0.borrow().now, 60_000);
    let ended = existing(Fake::new(), 1, 70_000, JobState::Exited(0)).with(|state| state.now = 90_000);
    done(act(&ended, Action::Job(job(Class::Once)), 1, true));
}

#[test]
fn a_job_that_was_never_started_gets_a_new_limit_with_a_new_attempt() {
    let fake = Fake::new().with(|state| state.now = 3_600_000);
    let verdict = act(&fake, Action::Job(job(Class::Once)), 1, true);
    assert!(matches!(verdict, ExecResult::Again { .. }), "{verdict:?}");
    assert_eq!(starts(&fake), 0);
}

#[test]
fn a_goal_must_stay_reached() {
    let stays = Job { goal: Some(goal(Span::secs(8))), ..job(Class::Idempotent) };
    let fake = Fake::new()
        .probe("status", 0, 0, "stopped")
        .probe("status", 3_000, 0, "running")
        .probe("status", 12_000, 0, "stopped");
    done(act(&fake, Action::Job(stays), 1, false));
    assert!(fake.0.borrow().now >= 20_000);
}

#[test]
fn a_goal_that_must_stay_is_given_the_time_to_when_the_job_is_taken_up_after_its_limit() {
    let stays = Job { goal: Some(goal(Span::secs(8))), ..job(Class::Idempotent) };
    let late = existing(Fake::new(), 1, 20_000, JobState::Exited(0)).with(|state| state.now = 300_000);
    done(act(&late.probe("status", 0, 0, "stopped"), Action::Job(stays.clone()), 1, true));
    let late = existing(Fake::new(), 1, 20_000, JobState::Exited(0)).with(|state| state.now = 300_000);
    let late = late.probe("status", 0, 0, "stopped").probe("status", 304_000, 0, "running");
    assert_eq!(failed(act(&late, Action::Job(stays), 1, true)).kind, FailureKind::Goal);
}

#[test]
fn a_goal_that_is_not_reached_is_named() {
    let fake = Fake::new().probe("status", 0, 0, "running");
    let failure = failed(act(&fake, Action::Job(with_goal()), 1, false));
    assert_eq!(failure.kind, FailureKind::Goal);
    assert!(failure.message.contains("reads `running`, not `stopped`"), "{}", failure.message);
}

#[test]
fn attempts_never_overlap() {
    let fake = existing(Fake::new(), 1, 20_000, JobState::Exited(0));
    done(act(&fake, Action::Job(job(Class::Idempotent)), 2, false));
    assert_eq!(starts(&fake), 0, "the first attempt still ran: its result is the result");

    let fake = existing(Fake::new(), 1, 0, JobState::Exited(1));
    done(act(&fake, Action::Job(job(Class::Once)), 2, false));
    assert_eq!(fake.0.borrow().started, [2], "the first attempt has failed: a second may begin");

    let fake = existing(Fake::new(), 1, 0, JobState::Exited(0));
    done(act(&fake, Action::Job(job(Class::Once)), 3, false));
    assert_eq!(starts(&fake), 0, "a once job that ended well after its limit is not done twice");
}

/// A `once` job as another account, with a check as that account.
fn as_root() -> Job {
    let check = Probe { argv: sudo("check"), exit_tells: true, ..probe("done", Reading::Text) };
    Job { argv: sudo("tool"), check: Some(check), ..job(Class::Once) }
}

fn sudo(program: &str) -> Vec<String> {
    ["sudo", "-n", "-u", "root", "--", program].map(str::to_owned).to_vec()
}

/// What comes first when the account was entered.
const ENTERED: &str = "\u{1e}entered\u{1e}\n";

fn reading(exit: i32, words: &'static str) -> Fake {
    let fake = existing(Fake::new(), 1, 0, lost());
    fake.probe("done", 0, exit, words)
}

#[test]
fn a_check_that_sudo_refused_is_no_answer_whatever_sudo_says() {
    for words in ["", "Sorry, user ops is not allowed to execute it.\n", "Tut mir leid\n", "yes\n", "entered\n"] {
        for exit in [0, 1] {
            let verdict = act(&reading(exit, words), Action::Job(as_root()), 1, true);
            assert!(matches!(verdict, ExecResult::Doubt { .. }), "{exit} {words:?}: {verdict:?}");
        }
    }
}

#[test]
fn a_check_of_another_account_that_ran_is_an_answer() {
    assert!(matches!(act(&reading(1, ENTERED), Action::Job(as_root()), 1, true), ExecResult::Again { .. }));
    assert!(changed(&done(act(&reading(0, ENTERED), Action::Job(as_root()), 1, true)).0));
    let missing = act(&reading(127, ENTERED), Action::Job(as_root()), 1, true);
    let ExecResult::Doubt { reason } = missing else { panic!("{missing:?}") };
    assert!(reason.contains("there is no command `check`"), "{reason}");
}

#[test]
fn a_job_of_another_account_ends_with_its_own_exit_code_and_words() {
    let ends = |exit| {
        let words = format!("Welcome to this host\n{ENTERED}its words\n").into_bytes();
        Fake::new().with(|state| (state.next_job, state.output) = (Some((10, JobState::Exited(exit))), words))
    };
    let failure = failed(act(&ends(1), Action::Job(as_root()), 1, false));
    assert_eq!((failure.kind, failure.exit), (FailureKind::Exit, Some(1)));
    assert_eq!(failure.output, "its words\nits words", "both outputs, without what came before them");
    let (value, _) = done(act(&ends(0), Action::Job(as_root()), 1, false));
    assert_eq!(value.get("output").and_then(Value::as_text), Some("its words"));
}

#[test]
fn a_job_that_sudo_refused_was_not_started_whatever_its_exit_code() {
    for exit in [0, 1, 127, 254] {
        let refuses = Fake::new().with(|state| {
            (state.next_job, state.output) = (Some((10, JobState::Exited(exit))), b"sudo: nein\n".to_vec());
        });
        let failure = failed(act(&refuses, Action::Job(as_root()), 1, false));
        assert_eq!(failure.kind, FailureKind::Unreachable, "{exit}");
        assert!(failure.message.contains("was not started") && failure.message.contains("(nein)"), "{failure:?}");
    }
}

#[test]
fn a_record_of_another_command_is_never_this_ones_end() {
    for class in [Class::Once, Class::Idempotent] {
        for recovering in [false, true] {
            let fake = existing(Fake::new(), 1, 0, JobState::Foreign);
            let verdict = act(&fake, Action::Job(job(class)), 1, recovering);
            let ExecResult::Doubt { reason } = verdict else { panic!("{verdict:?}") };
            assert!(reason.contains("is of another command") && reason.contains("r/0:7/1"), "{reason}");
            assert_eq!(starts(&fake), 0);
        }
    }
}

#[test]
fn a_running_job_that_the_host_forgets_is_not_started_again() {
    let link_breaks = Fake::new().with(|state| state.next_job = Some((30_000, JobState::Absent))).trouble(
        "job end",
        Trouble::Lost("the link broke".into()),
        false,
    );
    let told = Fake::new().with(|state| state.next_job = Some((30_000, JobState::Absent)));
    for fake in [told, link_breaks] {
        let verdict = act(&fake, Action::Job(job(Class::Once)), 1, false);
        let ExecResult::Doubt { reason } = verdict else { panic!("{verdict:?}") };
        assert!(reason.contains("its record on the host is gone"), "{reason}");
        assert_eq!(starts(&fake), 1);
    }
}

/// With this intent: it says where the record of the job would be, or why that could not be made.
fn kept(kept_in: Result<Option<&str>, &Trouble>, fake: &Fake, job: Job, recovering: bool) -> ExecResult {
    super::act_kept(fake, Action::Job(job), (1, recovering), kept_in)
}

#[test]
fn nothing_is_started_where_no_record_of_it_could_be_kept() {
    let fake = Fake::new();
    let full = Trouble::Refused("host `h` cannot write: is the disk full?".into());
    let told = failed(kept(Err(&full), &fake, job(Class::Once), false));
    assert_eq!(told.kind, FailureKind::Unreachable);
    assert_eq!(told.message, "`verb(c2)` was not started: host `h` cannot write: is the disk full?");
    assert_eq!(starts(&fake), 0);
}

#[test]
fn what_was_never_started_by_an_intent_that_names_no_place_is_begun_by_one_that_does() {
    let fake = Fake::new().with(|state| state.place = "aa:7".into());
    let verdict = kept(Ok(None), &fake, job(Class::Once), true);
    assert_eq!(verdict, ExecResult::Again { reason: "it was never started".into() });
    assert_eq!(starts(&fake), 0);
    let fake = Fake::new().with(|state| state.place = "aa:7".into());
    done(kept(Ok(Some("aa:7")), &fake, job(Class::Once), true));
    assert_eq!(starts(&fake), 1);
}
