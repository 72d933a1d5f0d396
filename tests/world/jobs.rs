//! Jobs: one start, survival, loss, output, arguments.

use super::{ask, job_id, look, open, soon, start};
use baton::model::run::instant::Mono;
use baton::world::asked::CommandDigest;
use baton::world::request::{AwaitJob, EndJob, LookAtJob, ReadOutput};
use baton::world::system::SystemWorld;
use baton::world::{Completion, JobId, JobState, Reply, Stream, Ticket, Trouble, World};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// The folder of a job's claim by whoever has no lease.
fn claim_folder(folder: &Path, id: &JobId) -> PathBuf {
    let effect = folder.join("jobs").join(&id.run).join(format!("{}.{}", id.effect.track, id.effect.n));
    effect.join(format!("{}.0000000000", id.attempt))
}

fn lock_of(claim: &Path) -> PathBuf {
    PathBuf::from(format!("{}.lock", claim.display()))
}

/// The process id of a job's supervisor.
fn supervisor(folder: &Path, id: &JobId) -> String {
    let started = std::fs::read_to_string(claim_folder(folder, id).with_extension("started")).unwrap();
    started.split(' ').nth(1).unwrap().to_owned()
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
    assert_eq!(ask(&mut world, start(&id, &argv)), Ok(JobState::Running));
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
    let supervisor = supervisor(folder.path(), &id);
    kill("-KILL", &supervisor);
    // The command itself lives on: nobody may conclude that it is over, or start it beside itself.
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(ask(&mut world, look(&id)), Ok(JobState::Running));
    kill("-KILL", &format!("-{supervisor}"));
    match wait(&mut world, &id) {
        JobState::Lost(reason) => assert!(reason.contains("its supervisor died"), "{reason}"),
        other => panic!("expected a lost job, got {other:?}"),
    }
    let again = ask(&mut world, start(&id, &SLEEPER));
    assert!(matches!(again, Ok(JobState::Lost(_))), "{again:?}");
}

#[test]
fn a_restarted_host_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    let claim = claim_folder(folder.path(), &id);
    std::fs::create_dir_all(&claim).unwrap();
    std::fs::write(lock_of(&claim), "00000000-0000-0000-0000-000000000000").unwrap();
    let unknown = JobState::Lost("the host was restarted before or after it began".into());
    assert_eq!(ask(&mut world, look(&id)), Ok(unknown));
    let asked = CommandDigest::of(&["true".to_owned()], None);
    let mark = format!("00000000-0000-0000-0000-000000000000 1 1 0000000000 {}\n", asked.as_str());
    std::fs::write(claim.with_extension("started"), mark).unwrap();
    let restarted = JobState::Lost("the host was restarted while it ran".into());
    assert_eq!(ask(&mut world, look(&id)), Ok(restarted.clone()));
    assert_eq!(ask(&mut world, start(&id, &["true"])), Ok(restarted));
}

#[test]
fn a_runner_that_died_between_claim_and_launch_leaves_no_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    let claim = claim_folder(folder.path(), &id);
    std::fs::create_dir_all(&claim).unwrap();
    std::fs::write(claim.join("exit"), " ".repeat(16) + "\n").unwrap();
    std::fs::write(lock_of(&claim), world.now().boot).unwrap();
    assert_eq!(ask(&mut world, look(&id)), Ok(JobState::Absent));
    assert_eq!(ask(&mut world, start(&id, &["true"])), Ok(JobState::Running));
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
}

#[test]
fn what_a_job_leaves_behind_does_not_keep_it_running() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    ask(&mut world, start(&id, &["sh", "-c", "sleep 30 & exit 0"])).unwrap();
    assert_eq!(wait(&mut world, &id), JobState::Exited(0));
    kill("-KILL", &format!("-{}", supervisor(folder.path(), &id)));
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
    let outside = JobId { run: "../..".into(), ..job_id(1) };
    assert!(matches!(ask(&mut world, start(&outside, &["true"])), Err(Trouble::Refused(_))));
    let elsewhere = LookAtJob { host: "moon".into(), job: job_id(1), asked: None, kept_in: None, until: Mono::NEVER };
    assert!(matches!(ask(&mut world, elsewhere), Err(Trouble::Unreachable(_))));
    // A program that is not there is found out by the claimed job itself.
    ask(&mut world, start(&job_id(1), &["no-such-program"])).unwrap();
    assert_eq!(wait(&mut world, &job_id(1)), JobState::Exited(127));
}

#[test]
fn arguments_arrive_byte_for_byte_under_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    let nasty = [
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
    let shells = [&["sh"][..], &["dash"], &["bash", "--posix"], &["busybox", "sh"]];
    let path = std::env::var_os("PATH").unwrap();
    let installed = |shell: &&&[&str]| std::env::split_paths(&path).any(|folder| folder.join(shell[0]).exists());
    for (n, shell) in shells.iter().filter(installed).enumerate() {
        let attempt = folder.path().join(n.to_string()).join("run 'x'").join("0.1").join("1.0000000000");
        std::fs::create_dir_all(&attempt).unwrap();
        std::fs::write(attempt.join("exit"), " ".repeat(16) + "\n").unwrap();
        let mut supervisor = Command::new("setsid");
        supervisor
            .arg("--wait")
            .args(*shell)
            .args(["-c", baton::world::local::job::SUPERVISOR, "baton-job"])
            .arg(&attempt)
            .args(["no leases", "no digest"]);
        supervisor.args(["printf", "%s\\0"]).args(nasty).stdin(Stdio::null());
        assert!(supervisor.status().unwrap().success(), "{shell:?}");
        let expected: Vec<u8> = nasty.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        assert_eq!(std::fs::read(attempt.join("out")).unwrap(), expected, "{shell:?}");
        assert_eq!(std::fs::read_to_string(attempt.join("err")).unwrap(), "", "{shell:?}");
        assert_eq!(std::fs::read_to_string(attempt.join("exit")).unwrap(), "exit 0          \n");
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
    assert!(line.contains("baton-job") && line.contains(&script[..10]) && line.len() < 500, "{line}");
    assert!(!said.contains("supervisor of one job"), "{said}");
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
    let record = std::fs::read_to_string(claim_folder(folder.path(), &id).with_extension("started")).unwrap();
    assert!(!record.contains("true") && record.lines().count() == 1, "{record}");
}

#[test]
fn a_process_that_has_got_the_number_of_a_dead_job_is_let_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut world, id) = (open(folder.path()), job_id(1));
    start_sleeper(&mut world, &id);
    let group = supervisor(folder.path(), &id);
    kill("-KILL", &format!("-{group}"));
    assert!(matches!(wait(&mut world, &id), JobState::Lost(_)));
    // Numbers cannot be chosen: so the record gets the number of somebody else, who began at another time.
    let mut stranger = Command::new("setsid").args(["sleep", "30"]).spawn().unwrap();
    let mark = claim_folder(folder.path(), &id).with_extension("started");
    let text = std::fs::read_to_string(&mark).unwrap();
    std::fs::write(&mark, text.replacen(&format!(" {group} "), &format!(" {} ", stranger.id()), 1)).unwrap();
    assert!(matches!(wait(&mut world, &id), JobState::Lost(_)), "it is not taken for the job");
    let ended = ask(&mut world, EndJob { host: "h".into(), job: id.clone() });
    assert!(matches!(ended, Ok(JobState::Lost(_))), "{ended:?}");
    assert_eq!(stranger.try_wait().unwrap(), None, "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
