//! Jobs: one start, survival, loss, output, arguments.

use super::{ask, job_id, look, open, soon, start};
use crate::support::agent::{SHELLS, ShellAgent};
use crate::support::machine::patiently;
use baton::model::run::instant::Mono;
use baton::world::asked::CommandDigest;
use baton::world::request::{AwaitJob, EndJob, LookAtJob, ReadOutput};
use baton::world::system::SystemWorld;
use baton::world::{Completion, JobId, JobState, Reply, Stream, Ticket, Trouble, World};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

fn wait(world: &mut SystemWorld, id: &JobId) -> JobState {
    let until = soon(world, 10_000);
    match ask(world, AwaitJob { host: "h".into(), job: id.clone(), until }) {
        Ok(state) => state,
        other => panic!("expected a state, got {other:?}"),
    }
}

fn output(world: &mut SystemWorld, id: &JobId, stream: Stream, from: u64, max: u64) -> String {
    match ask(world, ReadOutput { host: "h".into(), job: id.clone(), stream, from, max }) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("expected bytes, got {other:?}"),
    }
}

/// The file in which a host keeps that a job was started.
fn record(folder: &Path, id: &JobId) -> PathBuf {
    let file = format!("{}.{}.{}.started", id.effect.track, id.effect.n, id.attempt);
    folder.join("jobs").join(&id.run).join(file)
}

/// The process id of a job's supervisor, and that of its command, which is also the group.
fn processes(folder: &Path, id: &JobId) -> (String, String) {
    let started = std::fs::read_to_string(record(folder, id)).unwrap();
    let (first, second) = started.split_once('\n').unwrap();
    (first.split(' ').nth(1).unwrap().to_owned(), second.split(' ').next().unwrap().to_owned())
}

const SLEEPER: [&str; 3] = ["sh", "-c", "echo begun; exec sleep 30"];

/// Starts a job that sleeps, and returns when it does.
fn start_sleeper(world: &mut SystemWorld, id: &JobId) {
    ask(world, start(id, &SLEEPER)).unwrap();
    let deadline = soon(world, 10_000);
    while output(world, id, Stream::Out, 0, 100).is_empty() {
        assert!(world.now().mono < deadline, "it never began");
    }
}

fn kill(signal: &str, target: &str) {
    assert!(Command::new("kill").args([signal, "--", target]).status().unwrap().success());
}

#[test]
fn a_job_reports_its_exit_code_and_both_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    assert_eq!(ask(&mut world, look(&id)), Ok(JobState::Absent));
    let argv = ["sh", "-c", "echo good; echo bad >&2; exit 7"];
    // One that has ended at once is told as that.
    let started = ask(&mut world, start(&id, &argv));
    assert!(matches!(started, Ok(JobState::Running | JobState::Exited(7))), "{started:?}");
    assert_eq!(wait(&mut world, &id), JobState::Exited(7));
    assert_eq!(output(&mut world, &id, Stream::Out, 0, 100), "good\n");
    assert_eq!(output(&mut world, &id, Stream::Err, 0, 100), "bad\n");
    assert_eq!(output(&mut world, &id, Stream::Out, 2, 2), "od");
    assert_eq!(output(&mut world, &id, Stream::Out, 99, 2), "");
}

#[test]
fn sixty_starts_of_one_id_execute_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("executions");
    let script = format!("echo once >> '{}'; sleep 0.3", log.display());
    let id = job_id(1);
    let mut worlds: Vec<SystemWorld> = (0..3).map(|_| open(folder.path())).collect();
    for world in &mut worlds {
        for n in 0..20 {
            world.submit(Ticket(n), start(&id, &["sh", "-c", &script]).into());
        }
    }
    for world in &mut worlds {
        for _ in 0..20 {
            match world.next() {
                Completion::Reply(_, Ok(Reply::Job(JobState::Running | JobState::Exited(0)))) => {}
                other => panic!("expected a running job, got {other:?}"),
            }
        }
        assert_eq!(world.next(), Completion::Idle);
    }
    assert_eq!(wait(&mut worlds[0], &id), JobState::Exited(0));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "once\n");
    assert_eq!(ask(&mut worlds[1], start(&id, &["sh", "-c", &script])), Ok(JobState::Exited(0)));
}

#[test]
fn another_attempt_is_another_job() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    let (first, second) = (job_id(1), JobId { attempt: 2, ..job_id(1) });
    ask(&mut world, start(&first, &["false"])).unwrap();
    assert_eq!(wait(&mut world, &first), JobState::Exited(1));
    ask(&mut world, start(&second, &["true"])).unwrap();
    assert_eq!(wait(&mut world, &second), JobState::Exited(0));
    assert_eq!(wait(&mut world, &first), JobState::Exited(1));
}

#[test]
fn a_job_outlives_the_runner_and_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, id) = (folder.path().join("gate"), job_id(1));
    let script = format!("echo begun; until [ -e '{}' ]; do sleep 0.01; done; echo ended; exit 3", gate.display());
    let mut runner = open(folder.path());
    ask(&mut runner, start(&id, &["sh", "-c", &script])).unwrap();
    drop(runner);
    let mut next = open(folder.path());
    assert_eq!(ask(&mut next, look(&id)), Ok(JobState::Running));
    assert_eq!(ask(&mut next, start(&id, &["sh", "-c", &script])), Ok(JobState::Running));
    std::fs::write(&gate, "").unwrap();
    assert_eq!(wait(&mut next, &id), JobState::Exited(3));
    assert_eq!(output(&mut next, &id, Stream::Out, 0, 100), "begun\nended\n");
}

#[test]
fn a_killed_supervisor_is_a_lost_job() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    start_sleeper(&mut world, &id);
    let (supervisor, group) = processes(folder.path(), &id);
    kill("-KILL", &supervisor);
    // The command itself lives on: nobody may conclude that it is over, or start it beside itself.
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(ask(&mut world, look(&id)), Ok(JobState::Running));
    kill("-KILL", &format!("-{group}"));
    match wait(&mut world, &id) {
        JobState::Lost(reason) => assert!(reason.contains("its supervisor died"), "{reason}"),
        other => panic!("expected a lost job, got {other:?}"),
    }
    let again = ask(&mut world, start(&id, &SLEEPER));
    assert!(matches!(again, Ok(JobState::Lost(_))), "{again:?}");
}

/// Another boot than this one.
const FORMER: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn a_restarted_host_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    let record = record(folder.path(), &id);
    let run = record.parent().unwrap();
    std::fs::create_dir_all(run).unwrap();
    std::fs::write(run.join("boots"), format!("{FORMER}\n")).unwrap();
    match ask(&mut world, look(&id)) {
        Ok(JobState::Lost(reason)) => assert!(reason.contains("the host was restarted"), "{reason}"),
        other => panic!("what it had written down may be gone: {other:?}"),
    }
    let asked = CommandDigest::of(&["true".to_owned()], None);
    std::fs::write(record, format!("{FORMER} 1 1 {}\n", asked.as_str())).unwrap();
    let restarted = JobState::Lost("the host was restarted while it ran".into());
    assert_eq!(ask(&mut world, look(&id)), Ok(restarted.clone()));
    assert_eq!(ask(&mut world, start(&id, &["true"])), Ok(restarted));
}

#[test]
fn a_job_that_was_claimed_and_perhaps_begun_is_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    let record = record(folder.path(), &id);
    std::fs::create_dir_all(record.parent().unwrap()).unwrap();
    let asked = CommandDigest::of(&["true".to_owned()], None);
    let boot = world.now().boot;
    for text in [String::new(), format!("{boot} 99999999 1 {}\n", asked.as_str())] {
        std::fs::write(&record, text).unwrap();
        assert!(matches!(ask(&mut world, look(&id)), Ok(JobState::Lost(_))));
        assert!(matches!(ask(&mut world, start(&id, &["true"])), Ok(JobState::Lost(_))));
    }
}

#[test]
fn what_a_former_version_has_started_here_is_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    std::fs::create_dir_all(folder.path().join(format!("jobs/{}/0.1/1.0000000001", id.run))).unwrap();
    for state in [ask(&mut world, look(&id)), ask(&mut world, start(&id, &["true"]))] {
        assert!(matches!(&state, Ok(JobState::Lost(why)) if why.contains("former version")), "{state:?}");
    }
}

#[test]
fn what_a_job_leaves_behind_does_not_keep_it_running() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    ask(&mut world, start(&id, &["sh", "-c", "sleep 30 & exit 0"])).unwrap();
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
    kill("-KILL", &format!("-{}", processes(folder.path(), &id).1));
}

#[test]
fn ending_a_job_records_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    start_sleeper(&mut world, &id);
    let ended = ask(&mut world, EndJob { host: "h".into(), job: id.clone() });
    assert_eq!(ended, Ok(JobState::Exited(143)));
}

#[test]
fn a_job_that_runs_on_is_reported_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    ask(&mut world, start(&id, &["sleep", "30"])).unwrap();
    let until = soon(&mut world, 20);
    let state = ask(&mut world, AwaitJob { host: "h".into(), job: id.clone(), until });
    assert_eq!(state, Ok(JobState::Running));
    ask(&mut world, EndJob { host: "h".into(), job: id }).unwrap();
}

#[test]
fn a_forgotten_start_is_still_carried_out() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    world.submit(Ticket(5), start(&id, &["true"]).into());
    world.forget(Ticket(5));
    assert_eq!(world.next(), Completion::Idle);
    let deadline = soon(&mut world, 10_000);
    while ask(&mut world, look(&id)) == Ok(JobState::Absent) {
        assert!(world.now().mono < deadline, "it was never started");
        std::thread::yield_now();
    }
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
}

#[test]
fn what_cannot_be_a_job_is_refused_before_anything_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = open(folder.path());
    assert!(matches!(ask(&mut world, start(&job_id(1), &[])), Err(Trouble::Missing(_))));
    assert!(matches!(ask(&mut world, start(&job_id(1), &["-c", "x"])), Err(Trouble::Missing(_))));
    let long = "x".repeat(128 * 1024);
    assert!(matches!(ask(&mut world, start(&job_id(1), &["echo", &long])), Err(Trouble::Refused(_))));
    let outside = JobId { run: "../..".into(), ..job_id(1) };
    assert!(matches!(ask(&mut world, start(&outside, &["true"])), Err(Trouble::Refused(_))));
    let elsewhere = LookAtJob { host: "moon".into(), job: job_id(1), asked: None, kept_in: None, until: Mono::NEVER };
    assert!(matches!(ask(&mut world, elsewhere), Err(Trouble::Unreachable(_))));
    // A program that is not there is found out by the claimed job itself.
    ask(&mut world, start(&job_id(1), &["no-such-program"])).unwrap();
    assert_eq!(wait(&mut world, &job_id(1)), JobState::Exited(127));
}

/// Words that a shell could take for something else.
const NASTY: &[&str] = &[
    "",
    " ",
    "a b",
    "'",
    "\"",
    "\\",
    "\\\\",
    "\\n",
    "$HOME",
    "${x}",
    "$(id)",
    "`id`",
    "*",
    "?",
    "[a-z]",
    "~",
    "!",
    "!!",
    "#",
    "&",
    "&&",
    "|",
    ";",
    "<",
    ">",
    ">>out",
    "2>&1",
    "(",
    ")",
    "{a,b}",
    "a\nb",
    "\n",
    "\t",
    "\r\n",
    "-n",
    "-e",
    "--",
    "-",
    "=",
    "a=b",
    "%s",
    "%n",
    "é",
    "日本",
    "\u{202e}",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{1}",
    "'\"'\"'",
    "$'x'",
    "$@",
    "9>&-",
    "true",
    "exit 1",
    "EOF",
    "\\\n",
    "a'b\"c$d`e\\f\ng",
];

#[test]
fn arguments_arrive_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    let argv: Vec<&str> = ["printf", "%s\\0"].iter().chain(NASTY).copied().collect();
    ask(&mut world, start(&id, &argv)).unwrap();
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
    let expected: String = NASTY.iter().map(|word| format!("{word}\0")).collect();
    assert_eq!(output(&mut world, &id, Stream::Out, 0, 60_000), expected);
    assert_eq!(output(&mut world, &id, Stream::Err, 0, 60_000), "");
}

#[test]
fn an_agent_does_the_same_under_every_shell() {
    for shell in SHELLS {
        let folder = tempfile::tempdir().unwrap();
        let jobs = folder.path().join("a 'b' $c/jobs");
        let mut agent = ShellAgent::begin(shell, &jobs);
        let entered = agent.ask("enter 0a - word", &[], b"");
        assert!(entered.starts_with("entered word:") && entered.ends_with(" none none ="), "{shell:?}: {entered}");
        assert_eq!(agent.ask("enter 0a - other", &[], b"").split(' ').nth(1), entered.split(' ').nth(1));
        let lease = ["number=1", "run=0a", "holder=é", "opened=0", "since=now"];
        let mut take = || agent.ask("take 0a - 0000000001 5", &lease, b"");
        assert_eq!((take(), take()), ("taken".to_owned(), "beaten".to_owned()), "{shell:?}");
        let told = agent.ask("lease 0a -", &[], b"");
        assert!(told.contains(" 0000000001 %"), "{shell:?}: what is not plain is told in hexadecimal: {told}");
        let mut start = |job: &str, number: &str, argv: &[&str]| {
            let first = agent.ask(&format!("start 0a {job} {number} - - digest {}", argv.len()), argv, b"");
            if first == "taken" { agent.more() } else { first }
        };
        let argv: Vec<&str> = ["printf", "%s\\0"].iter().chain(NASTY).copied().collect();
        start("0.1.1", "0000000001", &argv);
        let expected: Vec<u8> = NASTY.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        assert_eq!(std::fs::read(jobs.join("0a/0.1.1.out")).unwrap(), expected, "{shell:?}");
        let say = ["sh", "-c", "echo a ' ; ' b; echo err >&2; exit 3"];
        assert_eq!(start("0.2.1", "0000000001", &say), "exited 3 ; =8:a  ;  b\n ; =4:err\n", "{shell:?}");
        assert_eq!(start("0.2.1", "0000000001", &say), "exited 3", "{shell:?}: it is started once");
        assert_eq!(start("0.3.1", "0000000002", &["true"]), "leased", "{shell:?}");
        assert!(!jobs.join("0a/0.3.1.started").exists(), "{shell:?}: what was not started has no record");
        let zero = start("0.4.1", "0000000001", &["printf", "a\\0b"]);
        assert_eq!(zero, "exited 0 ; -  61 00 62 ; -", "{shell:?}: a zero byte is no plain text");
        let began = Instant::now();
        let line = start("0.5.1", "0000000001", &["sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x"]);
        assert!(line.starts_with("exited 0 ; 20000000  78 78") && line.ends_with(" ; -"), "{shell:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{shell:?}: a long line is read as slowly as a shell reads");
        assert_eq!(agent.ask("start 0a 0.6.1 0000000001 - aside digest 2", &["sleep", "1"], b""), "taken", "{shell:?}");
        assert_eq!(agent.ask("look 0a 0.6.1 digest", &[], b""), "running", "{shell:?}");
        let record = std::fs::read_to_string(jobs.join("0a/0.6.1.started")).unwrap();
        kill("-KILL", record.split(' ').nth(1).unwrap());
        kill("-KILL", &format!("-{}", record.lines().nth(1).unwrap().split(' ').next().unwrap()));
        // The kernel buries them in its own time.
        patiently("a job beside the agent, whose supervisor died, is lost", || {
            agent.ask("look 0a 0.6.1 digest", &[], b"") == "lost its supervisor died"
        });
        assert_eq!(agent.ask("look 0a 0.2.1 other", &[], b""), "foreign", "{shell:?}");
        assert_eq!(agent.ask("look 0a 0.9.1 digest none", &[], b""), "gone", "{shell:?}");
    }
}

/// Who lists the processes of a host at night looks for the job, not for pages of shell.
#[test]
fn the_list_of_processes_shows_a_job_in_a_line_and_its_command_sees_nothing_of_us() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    let said = folder.path().join("said");
    let script = format!("env >{0}; tr '\\0' ' ' </proc/$PPID/cmdline >>{0}", said.display());
    ask(&mut world, start(&id, &["sh", "-c", &script])).unwrap();
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
    let said = std::fs::read_to_string(said).unwrap();
    let line = said.lines().last().unwrap();
    assert!(line.contains("baton") && line.len() < 500, "{line}");
    let plain = JobId { attempt: 2, ..id };
    ask(&mut world, start(&plain, &["env"])).unwrap();
    assert_eq!(wait(&mut world, &plain), JobState::Exited(0));
    let environment = output(&mut world, &plain, Stream::Out, 0, 60_000);
    let names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    let allowed = ["HOME", "PATH", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"];
    assert!(names.contains(&"PATH") && names.iter().all(|name| allowed.contains(name)), "{environment}");
    assert!(!said.contains("the agent at the far end"), "{said}");
}

#[test]
fn a_job_is_told_only_to_whoever_asked_for_that_command() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    ask(&mut world, start(&id, &["true"])).unwrap();
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
    let log = folder.path().join("log");
    for other in [&["touch", log.to_str().unwrap()][..], &["true", ""], &["sudo", "-n", "-u", "root", "--", "true"]] {
        assert_eq!(ask(&mut world, start(&id, other)), Ok(JobState::Foreign), "{other:?}");
    }
    let look = |argv: &str, secret| {
        let asked = Some(CommandDigest::of(&[argv.to_owned()], secret));
        LookAtJob { host: "h".into(), job: id.clone(), asked, kept_in: None, until: Mono::NEVER }
    };
    assert_eq!(ask(&mut world, look("true", None)), Ok(JobState::Exited(0)));
    assert_eq!(ask(&mut world, look("true", Some("password"))), Ok(JobState::Foreign));
    assert_eq!(ask(&mut world, look("false", None)), Ok(JobState::Foreign));
    assert!(!log.exists(), "nothing else was started");
    let record = std::fs::read_to_string(record(folder.path(), &id)).unwrap();
    assert!(!record.contains("true") && record.lines().count() == 2, "{record}");
}

#[test]
fn a_process_that_has_got_the_number_of_a_dead_job_is_let_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    start_sleeper(&mut world, &id);
    let (supervisor, group) = processes(folder.path(), &id);
    kill("-KILL", &supervisor);
    kill("-KILL", &format!("-{group}"));
    assert!(matches!(wait(&mut world, &id), JobState::Lost(_)));
    // Numbers cannot be chosen: so the record gets the number of somebody else, who began at another time.
    let mut stranger = Command::new("setsid").args(["sleep", "30"]).spawn().unwrap();
    let mark = record(folder.path(), &id);
    let text = std::fs::read_to_string(&mark).unwrap();
    std::fs::write(&mark, text.replacen(&format!("\n{group} "), &format!("\n{} ", stranger.id()), 1)).unwrap();
    assert!(matches!(wait(&mut world, &id), JobState::Lost(_)), "it is not taken for the job");
    let ended = ask(&mut world, EndJob { host: "h".into(), job: id.clone() });
    assert!(matches!(ended, Ok(JobState::Lost(_))), "{ended:?}");
    assert_eq!(stranger.try_wait().unwrap(), None, "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
