//! Every way a link, a host, an agent or a runner can fail, at every step of a runbook of twelve, on a host over SSH and
//! on this machine. The run ends well by itself or after `baton resume`, or says that it is in doubt and why; the host's
//! own ledger shows what may happen once at most once. `BATON_LONG=1` strikes at all twelve steps with every fault, else
//! at four that `BATON_SEED` decides.

use super::twelve::{ONCE, RUN, STEPS, prepare};
use crate::support::estate::{Estate, Kind, SshHost};
use crate::support::machine::{Make, soon};
use crate::support::{Baton, Dice, Ended};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::process::Child;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many runs go on at the same time, each with a host of its own.
const AT_A_TIME: usize = 6;
/// How often a run may be taken up again.
const RESUMES_MAX: u32 = 5;
/// How long a runner may take from the strike to its end.
const RUNNER_LIMIT: Duration = Duration::from_secs(120);
/// What decides where and when it strikes, unless `BATON_SEED` does.
const SEED: u64 = 20_261_121;
/// A silent peer is noticed after three seconds.
const SETTINGS: &str = "alive = \"1s\"\nconnect_limit = \"5s\"";

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    CutLink,
    KillSessions,
    FreezePeer,
    KillMaster,
    KillRunner,
    RestartSshd,
    /// On this machine, as what follows.
    KillRunnerHere,
    KillAgents,
    FreezeAgents,
    KillAgentsAndRunner,
    TakeOver,
}

const FAULTS: [Fault; 11] = [
    Fault::CutLink,
    Fault::KillSessions,
    Fault::FreezePeer,
    Fault::KillMaster,
    Fault::KillRunner,
    Fault::RestartSshd,
    Fault::KillRunnerHere,
    Fault::KillAgents,
    Fault::FreezeAgents,
    Fault::KillAgentsAndRunner,
    Fault::TakeOver,
];

impl Fault {
    /// Whether it strikes on this machine.
    fn is_here(self) -> bool {
        self >= Self::KillRunnerHere
    }
}

/// A fault at a step.
#[derive(Debug, Clone, Copy)]
struct Case {
    fault: Fault,
    step: usize,
    /// How long after the step has begun, in milliseconds.
    after: u64,
    /// How much longer than it must it lasts, in milliseconds.
    longer: u64,
    /// Which program is `sh` on the host.
    sh: &'static str,
    /// How sessions share the connection.
    multiplexing: &'static str,
}

/// What it came to in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// Done, and nobody had to do anything.
    ByItself,
    /// Done after `baton resume`.
    Resumed,
    /// Done after a person had looked at the host.
    Doubted,
}

/// A run that is being disturbed.
struct Trial {
    case: Case,
    baton: Baton,
    /// Its host; none where that is this machine.
    estate: Option<Estate>,
    ledger: super::twelve::Ledger,
    said: String,
}

#[test]
fn a_run_over_ssh_that_nobody_disturbs_ends_by_itself() {
    let mut trial = Trial::new(Case::new(Fault::CutLink, 0, &mut Dice::new(SEED)));
    let mut runner = trial.start(&RUN);
    let ended = trial.ended(&mut runner).unwrap();
    assert_eq!((ended.code, trial.ledger.complaint(true)), (0, None), "{}{}", ended.out, ended.err);
    let host = trial.host();
    let at_rest = || host.machine.processes().iter().all(|it| it.name == "sshd" || it.is_its_own());
    assert!(soon(at_rest), "the run has left processes behind:\n{}", host.does("ps axf"));
    assert!(soon(|| host.machine.clients().is_empty()), "the run has left a connection open");
}

#[test]
#[allow(clippy::print_stdout, reason = "a long one is asked for by somebody who watches")]
fn whatever_fails_at_whatever_step_the_run_ends_well_and_nothing_happens_twice() {
    let began = Instant::now();
    let cases = cases();
    let (queue, results) = (Mutex::new(cases.clone()), Mutex::new(Vec::new()));
    let next = || queue.lock().expect("the queue").pop();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = next() {
                    let began = Instant::now();
                    let result = Trial::new(case).goes();
                    results.lock().expect("the results").push((case, began.elapsed(), result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("the results");
    results.sort_by_key(|(case, ..)| (case.fault, case.step));
    let mut wrong = String::new();
    for (case, took, result) in &results {
        match result {
            Ok(came) => println!("{case:?}: {came:?}, {:.1} s", took.as_secs_f32()),
            Err(why) => wrong += &format!("\n===== {case:?}: {why}\n"),
        }
    }
    println!("{} cases in {:.0} s", results.len(), began.elapsed().as_secs_f32());
    let seed = std::env::var("BATON_SEED").unwrap_or_else(|_| SEED.to_string());
    assert!(wrong.is_empty(), "BATON_SEED={seed}: {wrong}");
    assert_eq!(results.len(), cases.len());
}

/// Which faults strike where: all of them, or as many as an ordinary suite has time for.
fn cases() -> Vec<Case> {
    let long = std::env::var_os("BATON_LONG").is_some();
    let mut dice = Dice::new(SEED);
    let mut cases = Vec::new();
    for fault in FAULTS {
        let mut steps: Vec<usize> = (1..=STEPS).collect();
        while !long && steps.len() > 4 {
            steps.remove(usize::try_from(dice.roll(steps.len() as u64)).expect("small"));
        }
        cases.extend(steps.into_iter().map(|step| Case::new(fault, step, &mut dice)));
    }
    cases
}

impl Case {
    fn new(fault: Fault, step: usize, dice: &mut Dice) -> Self {
        let sh = ["dash", "dash", "bash", "busybox"][dice.roll(4) as usize];
        let multiplexing = ["native", "native", "process"][dice.roll(3) as usize];
        Self { fault, step, after: dice.roll(600), longer: dice.roll(4_000), sh, multiplexing }
    }
}

impl Trial {
    fn new(case: Case) -> Self {
        let baton = Baton::new();
        if case.fault.is_here() {
            let (home, bin) = (baton.folder().join("home"), baton.folder().join("bin"));
            [&home, &bin].into_iter().for_each(|folder| std::fs::create_dir(folder).expect("a folder"));
            let path = std::env::var_os("PATH").expect("a PATH");
            let sh = std::env::split_paths(&path).map(|folder| folder.join(case.sh)).find(|file| file.exists());
            std::os::unix::fs::symlink(sh.expect("the shell"), bin.join("sh")).expect("a link");
            let ledger = prepare(&baton, "[hosts.h1]\naddress = \"local\"\n", &home.display().to_string(), &home);
            return Self { case, baton, estate: None, ledger, said: String::new() };
        }
        let kind = Kind { make: Make { sh: case.sh, login: "/bin/sh" }, ..Kind::default() };
        let estate = Estate::of(&[kind]);
        let settings = format!("{SETTINGS}\nmultiplexing = \"{}\"", case.multiplexing);
        let ledger = prepare(&baton, &estate.inventory(&settings), "/root", &estate.host(1).home());
        Self { case, baton, estate: Some(estate), ledger, said: String::new() }
    }

    fn host(&self) -> &SshHost {
        self.estate.as_ref().expect("a host over SSH").host(1)
    }

    /// Disturbs a run and brings it to its end.
    fn goes(mut self) -> Result<Came, String> {
        let result = self.disturb().and_then(|ended| self.see_through(ended));
        result.map_err(|why| {
            let look = "cd /root/.baton 2>/dev/null && find . -type f | sort | head -80; ps ax";
            let jobs = if self.estate.is_some() { self.host().does(look) } else { String::new() };
            format!("{why}\n--- said\n{}\n--- ledger\n{}--- on the host\n{jobs}", self.said, self.ledger.text())
        })
    }

    fn disturb(&mut self) -> Result<Ended, String> {
        let mut runner = self.start(&RUN);
        let deadline = Instant::now() + RUNNER_LIMIT;
        while !self.ledger.has_begun(self.case.step) {
            if runner.try_wait().expect("looks at it").is_some() || Instant::now() > deadline {
                let _ = runner.kill();
                let ended = self.ended(&mut runner)?;
                return Err(format!("the step was never reached; exit code {}", ended.code));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(self.case.after));
        self.strike(&mut runner);
        self.ended(&mut runner)
    }

    fn strike(&self, runner: &mut Child) {
        let pause = |least: u64| std::thread::sleep(Duration::from_millis(least + self.case.longer));
        // One may have ended meanwhile.
        let agents = |signal| {
            agents_of(runner.id()).into_iter().for_each(|agent| {
                let _ = kill_process(agent, signal);
            })
        };
        match self.case.fault {
            Fault::KillRunnerHere => runner.kill().expect("kills the runner"),
            Fault::KillAgents => agents(Signal::KILL),
            Fault::FreezeAgents => {
                agents(Signal::STOP);
                pause(500);
                agents(Signal::CONT);
            }
            Fault::KillAgentsAndRunner => {
                agents(Signal::KILL);
                runner.kill().expect("kills the runner");
            }
            Fault::TakeOver => {
                // It hangs, another one goes on, and it wakes up behind that.
                let hung = Pid::from_child(runner);
                kill_process(hung, Signal::STOP).expect("stops the runner");
                let over = self.baton.run(&["takeover", "latest", "--reason", "it hangs"]);
                kill_process(hung, Signal::CONT).expect("wakes the runner");
                assert_eq!(over.code, 0, "{over:?}");
            }
            Fault::CutLink
            | Fault::FreezePeer
            | Fault::RestartSshd
            | Fault::KillSessions
            | Fault::KillMaster
            | Fault::KillRunner => self.strike_over_ssh(runner),
        }
    }

    fn strike_over_ssh(&self, runner: &mut Child) {
        let host = self.host();
        let pause = |least: u64| std::thread::sleep(Duration::from_millis(least + self.case.longer));
        match self.case.fault {
            Fault::CutLink => {
                host.machine.cut_link();
                pause(1_000);
                host.machine.heal_link();
            }
            Fault::FreezePeer => {
                host.machine.freeze();
                pause(2_000);
                host.machine.thaw();
            }
            Fault::RestartSshd => {
                host.stop_sshd();
                host.kill_sessions();
                pause(0);
                host.start_sshd();
            }
            Fault::KillSessions => host.kill_sessions(),
            Fault::KillMaster => host.kill_masters(),
            _ => runner.kill().expect("kills the runner"),
        }
    }

    /// Takes it up again until it is over, as a person does who reads what is said.
    fn see_through(&mut self, first: Ended) -> Result<Came, String> {
        let (mut ended, mut came) = (first, Came::ByItself);
        for _ in 0..=RESUMES_MAX {
            if let Some(complaint) = self.ledger.complaint(ended.code == 0) {
                return Err(complaint);
            }
            let words: Vec<String> = match ended.code {
                0 => return Ok(came),
                5 => self.word_on_the_doubt(&ended)?,
                // Killed, failed for now, interrupted, taken over: a person types what it says.
                -1 | 1 | 4 | 8 | 130 => ["resume", "latest"].map(str::to_owned).into(),
                code => return Err(format!("exit code {code}")),
            };
            came = came.max(if ended.code == 5 { Came::Doubted } else { Came::Resumed });
            let mut runner = self.start(&words.iter().map(String::as_str).collect::<Vec<_>>());
            ended = self.ended(&mut runner)?;
        }
        Err(format!("not over after {RESUMES_MAX} resumes"))
    }

    /// What a person says who has looked at the host.
    fn word_on_the_doubt(&self, ended: &Ended) -> Result<Vec<String>, String> {
        let text = format!("{}{}", ended.out, ended.err).split_whitespace().collect::<Vec<_>>().join(" ");
        let named =
            |name: &&&str| ["begins", "0", "1"].iter().any(|next| text.contains(&format!("once {name} {next}")));
        let name = ONCE.iter().rfind(named).ok_or("it does not say what is in doubt")?;
        // What has begun will have ended by then.
        std::thread::sleep(Duration::from_secs(2));
        let word = match self.ledger.counts()[*name] {
            (0, 0) => "--not-happened",
            (1, 1) => "--happened",
            (begun, ended) => return Err(format!("{name} has begun {begun} times and ended {ended} times")),
        };
        Ok(["resume", "latest", word, "the ledger says so"].map(str::to_owned).into())
    }

    fn start(&mut self, words: &[&str]) -> Child {
        self.said += &format!("$ baton {}\n", words.join(" "));
        let file = |name: &str| File::create(self.baton.folder().join(name)).expect("a file");
        let mut command = self.baton.command(words);
        if self.case.fault.is_here() {
            let path = std::env::var_os("PATH").expect("a PATH");
            let bin = std::iter::once(self.baton.folder().join("bin"));
            command.env("PATH", std::env::join_paths(bin.chain(std::env::split_paths(&path))).expect("a PATH"));
        }
        command.stdout(file("out")).stderr(file("err")).spawn().expect("starts the binary")
    }

    /// How it ended, at the latest when nobody would wait any longer.
    fn ended(&mut self, runner: &mut Child) -> Result<Ended, String> {
        let deadline = Instant::now() + RUNNER_LIMIT;
        let status = loop {
            match runner.try_wait().expect("looks at it") {
                Some(status) => break Some(status),
                None if Instant::now() > deadline => break None,
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let read = |name: &str| std::fs::read_to_string(self.baton.folder().join(name)).unwrap_or_default();
        let (out, err) = (read("out"), read("err"));
        self.said += &format!("{out}{err}=> {status:?}\n");
        match status {
            Some(status) => Ok(Ended { code: status.code().unwrap_or(-1), out, err }),
            None => {
                runner.kill().expect("kills the runner");
                let _ = runner.wait();
                Err(format!("the runner does not end within {RUNNER_LIMIT:?}"))
            }
        }
    }
}

/// The agents that a runner has begun on this machine and that still hear it.
fn agents_of(runner: u32) -> Vec<Pid> {
    let all = std::fs::read_dir("/proc").expect("reads /proc").flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_agent = |id: &i32| {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
        let parent = read("stat").rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        parent == Some(runner) && read("cmdline").contains("baton_script")
    };
    ids.filter(is_agent).filter_map(Pid::from_raw).collect()
}
