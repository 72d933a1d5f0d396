//! Every request gets the reply that is its own: what the simulated world says to each is of the type that the request
//! names, and is what it says there.

use super::pump::estate;
use super::{Session, job};
use baton::model::digest::sha256;
use baton::model::run::effect::{Ask, Form};
use baton::model::run::instant::Mono;
use baton::model::run::record::{EffectId, TrackId};
use baton::model::span::Span;
use baton::model::value::Fields;
use baton::sim::FaultPlan;
use baton::world::lease::Runner;
use baton::world::request::{
    AskPerson, AwaitChange, AwaitJob, EndJob, EnterHost, ExpectNewKey, ListFolder, LookAtJob, ReadFile, ReadLine,
    ReadOutput, ReleaseLease, RunProbe, StartJob, TakeLease, WaitUntil, WorkOnFile,
};
use baton::world::transfer::{Block, DigestFile, FileSeen, InstallFile, ReadBlock, Role, WriteBlock};
use baton::world::{Answer, HasReply, JobState, Line, Probed, Stream, Trouble, World};

/// No request of these tests is given up.
const UNTIL: Mono = Mono::NEVER;

fn host() -> String {
    "h".to_owned()
}

fn start(verb: &str) -> StartJob {
    StartJob {
        host: host(),
        job: job(1),
        service: Some("p1".into()),
        verb: verb.into(),
        argv: Vec::new(),
        args: Fields::new(),
        secret: None,
        until: UNTIL,
    }
}

#[test]
fn requests_about_jobs_and_probes_get_states_places_and_outputs() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    let until = UNTIL;
    assert_eq!(session.ask(EnterHost { host: host(), run: "r".into(), until }), Ok(String::new()));
    let look = LookAtJob { host: host(), job: job(1), asked: None, kept_in: None, until };
    assert_eq!(session.ask(look.clone()), Ok(JobState::Absent));
    assert_eq!(session.ask(start("backup")), Ok(JobState::Running));
    assert_eq!(session.ask(look), Ok(JobState::Running));
    assert_eq!(session.ask(AwaitJob { host: host(), job: job(1), until }), Ok(JobState::Exited(0)));
    assert_eq!(session.ask(EndJob { host: host(), job: job(1) }), Ok(JobState::Exited(0)));
    let output = ReadOutput { host: host(), job: job(1), stream: Stream::Out, from: 0, max: 6 };
    assert_eq!(session.ask(output), Ok(b"backup".to_vec()));
    let (service, what) = (Some("p1".to_owned()), "backups".to_owned());
    let (argv, args, secret) = (Vec::new(), Fields::new(), None);
    let probe = RunProbe { host: host(), service, what, argv, args, secret, until };
    assert_eq!(session.ask(probe), Ok(Probed { exit: 0, out: b"1".to_vec(), err: Vec::new() }));
}

#[test]
fn requests_about_folders_and_files_get_listings_bytes_and_blocks() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    let until = UNTIL;
    let listed = session.ask(ListFolder { host: host(), dir: "/logs".into() }).unwrap();
    let change = AwaitChange { host: host(), dir: "/logs".into(), seen: Vec::new(), until };
    assert_eq!(session.ask(change), Ok(listed.clone()));
    let (name, identity) = (listed[0].name.clone(), listed[0].identity);
    let read = ReadFile { host: host(), dir: "/logs".into(), name, identity, from: 0, max: 4 };
    assert_eq!(session.ask(read), Ok(b"2026".to_vec()));
    let digest = |path: &str| DigestFile { path: path.into(), first: u64::MAX, role: Role::Target };
    let absent = WorkOnFile { host: host(), work: digest("/opt/new"), until };
    assert_eq!(session.ask(absent), Ok(None));
    let write = WriteBlock { path: "/opt/part".into(), at: 0, block: Block(b"carried".to_vec()) };
    assert_eq!(session.ask(WorkOnFile { host: host(), work: write, until }), Ok(()));
    let block = ReadBlock { path: "/opt/part".into(), from: 5, max: 9 };
    assert_eq!(session.ask(WorkOnFile { host: host(), work: block, until }), Ok(Block(b"ed".to_vec())));
    let install = InstallFile { part: "/opt/part".into(), path: "/opt/new".into(), mode: 0o600, over: false };
    assert_eq!(session.ask(WorkOnFile { host: host(), work: install, until }), Ok(()));
    let seen = FileSeen { len: 7, mode: 0o600, sha256: sha256(b"carried") };
    assert_eq!(session.ask(WorkOnFile { host: host(), work: digest("/opt/new"), until }), Ok(Some(seen)));
}

#[test]
fn requests_about_hosts_times_and_people_get_numbers_answers_and_lines() {
    let estate = estate(&FaultPlan::default());
    let mut session = Session::on(&estate);
    session.0.act_for(Runner { run: "r".into(), holder: "anna".into(), opened: 1, follows: Vec::new() });
    let number = session.ask(TakeLease { host: host(), force: false }).unwrap();
    assert!(number > 0);
    assert_eq!(session.ask(ReleaseLease { host: host() }), Ok(number));
    assert_eq!(session.ask(ReleaseLease { host: host() }), Ok(0), "there is nothing to give back any more");
    assert_eq!(session.ask(ExpectNewKey { host: host() }), Ok(()));
    let until = session.0.now().mono + Span::secs(5);
    assert_eq!(session.ask(WaitUntil { until }), Ok(()));
    assert_eq!(session.0.now().mono, until);
    let ask = Ask { gate: "confirm-1".into(), form: Form::Confirm, text: "ready?".into(), evidence: String::new() };
    let id = EffectId { track: TrackId::main(), n: 1 };
    let (word, note, by) = ("yes".into(), String::new(), "simulated operator".into());
    assert_eq!(session.ask(AskPerson { id, ask }), Ok(Answer::Given { word, note, by }));
    assert_eq!(session.ask(ReadLine { prompt: "> ".into() }), Ok(Line::Closed("nobody is there".into())));
}

#[test]
fn a_reply_to_something_else_is_none() {
    let woken = WaitUntil::answered(());
    let unfit = Trouble::Refused("the reply does not fit the request".into());
    assert_eq!(LookAtJob::came_back(Ok(woken.clone())), Err(unfit));
    assert_eq!(LookAtJob::came_back(Err(Trouble::Late)), Err(Trouble::Late));
    assert_eq!(WaitUntil::came_back(Ok(woken)), Ok(()));
}
