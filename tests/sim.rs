//! The simulated world as a runner sees it, animated by a model of a pump: virtual time, logs, jobs, faults.

mod crashes;
mod pump;
mod replies;
mod shipped;

use baton::model::run::effect::{Ask, Form};
use baton::model::run::instant::Mono;
use baton::model::run::record::{EffectId, TrackId};
use baton::model::span::Span;
use baton::model::value::{Fields, Value};
use baton::sim::{Boundary, CrashClock, Fault, FaultPlan, Harm, ORIGIN, SimEstate, SimWorld, Trigger};
use baton::world::request::{AskPerson, AwaitChange, AwaitJob, ListFolder, ReadFile, RunProbe, StartJob, WaitUntil};
use baton::world::{Answer, CameBack, Completion, FileStat, HasReply, JobId, JobState, Probed, Ticket, Trouble, World};
use pump::estate;

/// A session that asks one thing at a time.
struct Session(SimWorld);

impl Session {
    fn on(estate: &SimEstate) -> Self {
        Self(SimWorld::on(estate, CrashClock::never()))
    }

    fn ask<R: HasReply>(&mut self, request: R) -> CameBack<R::Reply> {
        self.0.submit(Ticket(1), request.into());
        let completion = self.0.next();
        let Completion::Reply(Ticket(1), came) = completion else { panic!("{completion:?}") };
        R::came_back(came)
    }

    fn start(&mut self, n: u64, verb: &str, attempt: u32) -> CameBack<JobState> {
        let (host, service) = ("h".to_owned(), Some("p1".to_owned()));
        let job = JobId { attempt, ..job(n) };
        self.ask(StartJob {
            host,
            job,
            service,
            verb: verb.into(),
            argv: Vec::new(),
            args: Fields::new(),
            secret: None,
            until: Mono::NEVER,
        })
    }

    fn end_of(&mut self, n: u64) -> CameBack<JobState> {
        let until = self.0.now().mono + Span::mins(60);
        self.ask(AwaitJob { host: "h".into(), job: job(n), until })
    }

    fn status(&mut self) -> String {
        let (host, service) = ("h".to_owned(), Some("p1".to_owned()));
        let probe = RunProbe {
            host,
            service,
            what: "status".into(),
            argv: Vec::new(),
            args: Fields::new(),
            secret: None,
            until: Mono(0),
        };
        let reply = self.ask(probe);
        let Ok(Probed { exit: 0, out, .. }) = reply else { panic!("{reply:?}") };
        String::from_utf8(out).unwrap()
    }

    fn listing(&mut self) -> Vec<FileStat> {
        let reply = self.ask(ListFolder { host: "h".into(), dir: "/logs/".into() });
        let Ok(files) = reply else { panic!("{reply:?}") };
        files
    }

    fn elapsed(&mut self) -> u64 {
        self.0.now().wall.since(ORIGIN).0
    }
}

fn job(n: u64) -> JobId {
    JobId { run: "r".into(), effect: EffectId { track: TrackId::main(), n }, attempt: 1 }
}

fn one_fault(verb: &str, subject: &str, harm: Harm) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: subject.into(), nth: 1 };
    FaultPlan { faults: vec![Fault { at, harm }], crashes: Vec::new() }
}

#[test]
fn a_job_takes_its_time_and_changes_what_probes_read() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    assert_eq!(session.status(), "stopped");
    assert_eq!(session.start(1, "start", 1), Ok(JobState::Running));
    assert_eq!(session.end_of(1), Ok(JobState::Exited(0)));
    assert_eq!((session.status().as_str(), session.elapsed()), ("starting", 2_020), "2 s and two round trips");
}

#[test]
fn the_same_job_is_started_once() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    session.start(1, "backup", 1).unwrap();
    assert_eq!(session.end_of(1), Ok(JobState::Exited(0)));
    assert_eq!(session.start(1, "backup", 1), Ok(JobState::Exited(0)));
    assert_eq!(estate.ledger().count("backup", "p1"), 1);
    session.start(1, "backup", 2).unwrap();
    assert_eq!(estate.ledger().count("backup", "p1"), 2, "another attempt is another job");
}

#[test]
fn a_wait_on_a_folder_ends_when_the_model_logs_and_the_old_log_stays() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    let old = session.listing();
    assert_eq!(old.len(), 1, "the log of the launch before");
    session.start(1, "start", 1).unwrap();
    let seen = session.listing();
    let until = session.0.now().mono + Span::secs(60);
    let Ok(now) = session.ask(AwaitChange { host: "h".into(), dir: "/logs".into(), seen, until }) else {
        panic!("no listing")
    };
    assert_eq!(session.elapsed(), 3_020, "the model logs 3 s after the start at 10 ms; the reply takes 10 ms");
    let new = now.iter().find(|file| file.len > 0 && !old.contains(file)).unwrap();
    let read = |name: &str| ReadFile {
        host: "h".into(),
        dir: "/logs".into(),
        name: name.into(),
        identity: new.identity,
        from: 0,
        max: 1_000,
    };
    assert_eq!(session.ask(read(&new.name)), Ok(b"2026-11-21T22:00:03.010 Std 100 pump p1 runs\n".to_vec()));
    assert!(matches!(session.ask(read(&old[0].name)), Err(Trouble::Missing(_))), "another file");
}

#[test]
fn nothing_asked_nothing_comes() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    session.0.submit(Ticket(7), WaitUntil { until: Mono(u64::MAX / 2) }.into());
    session.0.forget(Ticket(7));
    assert_eq!((session.0.next(), session.elapsed()), (Completion::Idle, 0));
}

#[test]
fn every_fault_of_a_job_shows_as_it_would_on_a_site() {
    for (harm, started, ended, done) in [
        (Harm::FailsBefore, Ok(JobState::Running), Ok(JobState::Exited(1)), 0),
        (Harm::FailsAfter, Ok(JobState::Running), Ok(JobState::Exited(1)), 1),
        (Harm::ReplyLost, Err(Trouble::Lost("the link broke before the reply".into())), Ok(JobState::Exited(0)), 1),
        (
            Harm::JobLost { happened: true },
            Ok(JobState::Running),
            Ok(JobState::Lost("its supervisor is gone and left no exit record".into())),
            1,
        ),
        (
            Harm::HostDown { ms: 30_000 },
            Err(Trouble::Unreachable("`h` does not answer".into())),
            Err(Trouble::Unreachable("`h` does not answer".into())),
            0,
        ),
    ] {
        let estate = estate(&one_fault("backup", "p1", harm.clone()));
        let mut session = Session::on(&estate);
        assert_eq!(session.start(1, "backup", 1), started, "{harm:?}");
        assert_eq!(session.end_of(1), ended, "{harm:?}");
        assert_eq!(estate.ledger().count("backup", "p1"), done, "{harm:?}");
    }
}

#[test]
fn a_host_that_restarts_loses_its_jobs_and_comes_back() {
    let estate = estate(&one_fault("backup", "p1", Harm::HostRestarts { ms: 20_000 }));
    let mut session = Session::on(&estate);
    assert!(matches!(session.start(1, "backup", 1), Err(Trouble::Lost(_))));
    assert!(matches!(session.end_of(1), Err(Trouble::Unreachable(_))));
    let until = session.0.now().mono + Span::secs(20);
    session.ask(WaitUntil { until }).unwrap();
    assert!(matches!(session.end_of(1), Ok(JobState::Lost(_))));
}

#[test]
fn a_question_is_answered_by_the_model_unless_nobody_is_there() {
    let ask = |session: &mut Session| {
        let ask = Ask { gate: "confirm-1".into(), form: Form::Confirm, text: "ready?".into(), evidence: String::new() };
        session.ask(AskPerson { id: EffectId { track: TrackId::main(), n: 1 }, ask })
    };
    let given =
        |word: &str| Ok(Answer::Given { word: word.into(), note: String::new(), by: "simulated operator".into() });
    for (plan, first) in [
        (FaultPlan::default(), given("yes")),
        (one_fault("confirm", "confirm-1", Harm::SaysNo), given("no")),
        (one_fault("confirm", "confirm-1", Harm::Nobody), Ok(Answer::Nobody("nobody is there".into()))),
    ] {
        let estate = estate(&plan);
        let mut session = Session::on(&estate);
        assert_eq!(ask(&mut session), first);
        assert_eq!(ask(&mut session), given("yes"), "a fault strikes once");
    }
}

#[test]
fn a_job_outlives_the_runner_that_started_it() {
    let estate = estate(&FaultPlan::default());
    let clock = CrashClock::at(2);
    let mut first = Session(SimWorld::on(&estate, clock.clone()));
    first.0.submit(
        Ticket(1),
        StartJob {
            host: "h".into(),
            job: job(1),
            service: Some("p1".into()),
            verb: "backup".into(),
            argv: Vec::new(),
            args: Fields::new(),
            secret: None,
            until: Mono::NEVER,
        }
        .into(),
    );
    assert_eq!((first.0.next(), clock.died_at()), (Completion::Interrupted, Some(Boundary::AfterStart)));
    estate.pass(1_000);
    estate.restart_runner();
    let mut second = Session::on(&estate);
    assert_eq!(second.start(1, "backup", 1), Ok(JobState::Running));
    assert_eq!(second.end_of(1), Ok(JobState::Exited(0)));
    assert_eq!(estate.ledger().count("backup", "p1"), 1);
}

#[test]
fn a_defect_of_a_model_is_told_by_file_and_line_and_stops_the_simulation() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    session.start(1, "stumble", 1).unwrap();
    let defect = estate.defect().unwrap();
    let place = defect.place.as_ref().unwrap();
    assert_eq!((place.file.as_str(), defect.trace.as_slice()), ("pump.rhai", &["trip".to_owned()][..]));
    assert!(pump::MODEL.lines().nth(place.line as usize - 1).unwrap().contains("no_such_function"), "{defect}");
    assert!(matches!(session.end_of(1), Err(Trouble::Refused(_))));
}

#[test]
fn the_same_seed_gives_the_same_plan_and_every_plan_can_be_told() {
    let places: Vec<Trigger> =
        ["start", "backup"].map(|verb| Trigger { verb: verb.into(), subject: "p1".into(), nth: 1 }).into();
    assert_eq!(FaultPlan::random(5, &places, 3), FaultPlan::random(5, &places, 3));
    assert!(FaultPlan::singles(&places).count() > 10);
    assert_eq!(
        one_fault("start", "p1", Harm::FailsAfter).to_string(),
        "start(p1) #1: the command does its work and fails"
    );
}

#[test]
fn folders_moved_by_a_model_are_seen_by_the_test() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    session.start(1, "swap", 1).unwrap();
    let summary = estate.summary().unwrap();
    let p1 = summary.get("pump").and_then(|pump| pump.get("p1"));
    assert_eq!(p1.and_then(|p1| p1.get("version")).and_then(Value::as_text), Some("2"));
}
