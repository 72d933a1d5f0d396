//! Two runners on the hosts of this machine, the real binary: one is stopped in the midst of its work, its run is taken
//! over and seen to its end by another, and then the first one wakes up.

use crate::support::{Baton, Dice, Ended};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How many steps the runbook has, on both hosts in turn.
const STEPS: usize = 6;

/// A site of two hosts on this machine, and a runbook whose every step writes a line into a ledger. The command of a
/// step stops the runner first, if there is a file that asks for it. It takes a moment, so that a runner stopped at any
/// time is seldom stopped while it writes to the journal, which costs whoever comes then a patient wait.
struct Site {
    baton: Baton,
}

impl Site {
    fn new() -> Self {
        let site = Self { baton: Baton::new() };
        let folder = site.baton.folder().display().to_string();
        let hosts =
            ["a", "b"].map(|host| format!("[hosts.{host}]\naddress = \"local\"\njobs = \"{folder}/jobs-{host}\"\n"));
        site.baton.write("site.toml", &hosts.concat());
        let steps: String = (1..=STEPS)
            .map(|n| {
                let host = if n % 2 == 1 { "a" } else { "b" };
                format!("step(\"Step {n}\", || run(host(\"{host}\"), [\"sh\", \"{folder}/step.sh\", \"{n}\"]));\n")
            })
            .collect();
        site.baton.write("book.rhai", &format!("//! Lines in a ledger\n{steps}"));
        site.baton.write(
            "step.sh",
            &format!(
                "cd '{folder}' || exit 1\nif [ -e stop-$1 ]; then\n  rm stop-$1\n  \
                 until [ -s runner ]; do sleep 0.01; done\n  kill -STOP \"$(cat runner)\"\nfi\nsleep 0.03\necho $1 >>ledger\n"
            ),
        );
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.baton.folder().join(name)
    }

    fn ledger(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A runner whose process id the steps know.
    fn runner(&self) -> Child {
        let words = ["run", "book.rhai", "-i", "site.toml"];
        let mut command = self.baton.command(&words);
        let out = std::fs::File::create(self.path("out")).expect("makes a file");
        let child = command.stdout(out.try_clone().expect("clones")).stderr(out).spawn().expect("starts the binary");
        std::fs::write(self.path("new-runner"), child.id().to_string()).expect("writes");
        std::fs::rename(self.path("new-runner"), self.path("runner")).expect("renames");
        child
    }

    /// The other one takes the run over and sees it to its end; then the first one wakes up, and comes to nothing.
    fn taken_over(&self, mut first: Child, when: &str) {
        let takeover = ["takeover", "latest", "--reason", "its runner hangs"];
        let taken = self.baton.run(&takeover);
        if taken.err.contains("database is locked") {
            // It was stopped in the midst of writing to the journal: nobody else can, until it is woken up or ended.
            assert!(taken.err.contains(&format!("kill -CONT {}", first.id())), "{when}: {}", taken.err);
            end(&mut first);
            self.baton.run(&takeover).code(0);
            self.baton.run(&["resume", "latest"]).code(0);
            return assert_eq!(self.ledger().len(), STEPS, "{when}");
        }
        taken.code(0).says("next: baton resume");
        self.baton.run(&["resume", "latest"]).code(0);
        let complete: Vec<String> = (1..=STEPS).map(|n| n.to_string()).collect();
        assert_eq!(self.ledger(), complete, "{when}");
        signal("-CONT", first.id());
        let status = first.wait().expect("it ends");
        let said = std::fs::read_to_string(self.path("out")).expect("what it said");
        assert_eq!(status.code(), Some(8), "{when}: {said}");
        assert!(said.contains("taken"), "{when}: {said}");
        assert_eq!(self.ledger(), complete, "{when}: it did something when it woke up");
        self.baton.run(&["show", "latest"]).code(0).says("took the run over");
    }
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().expect("kill").success());
}

/// Waits until the process is stopped; tells whether it still lives.
fn is_stopped(pid: u32) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
        match stat.rsplit(") ").next().and_then(|rest| rest.chars().next()) {
            Some('T') => return true,
            Some('Z') | None => return false,
            Some(_) => assert!(Instant::now() < deadline, "it is not stopped: {stat}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_runner_stopped_in_any_step_does_nothing_after_it_was_taken_over() {
    for step in 1..=STEPS {
        let site = Site::new();
        std::fs::write(site.path(&format!("stop-{step}")), "").expect("writes");
        let first = site.runner();
        assert!(is_stopped(first.id()), "step {step}");
        site.taken_over(first, &format!("stopped in step {step}"));
    }
}

#[test]
fn a_runner_stopped_at_any_moment_does_nothing_after_it_was_taken_over() {
    let mut dice = Dice::new(20_261_121);
    let mut caught = 0;
    while caught < 12 {
        let site = Site::new();
        let mut first = site.runner();
        std::thread::sleep(Duration::from_micros(10_000 + dice.roll(200_000)));
        signal("-STOP", first.id());
        if first.try_wait().expect("looks at it").is_some() || site.ledger().len() == STEPS {
            end(&mut first);
            continue;
        }
        let begun = site.baton.run(&["runs"]).out.contains("book");
        if !begun {
            end(&mut first);
            continue;
        }
        caught += 1;
        site.taken_over(first, &format!("stopped with {} lines in the ledger", site.ledger().len()));
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn a_second_run_is_refused_until_the_first_is_given_up_or_taken_over() {
    let site = Site::new();
    let breaks = "//! Breaks off\nrun(host(\"a\"), [\"true\"]);\nrun(host(\"b\"), [\"false\"]);\n";
    site.baton.write("breaks.rhai", breaks);
    site.baton.run(&["run", "breaks.rhai", "-i", "site.toml"]).code(1);
    let refused = site.baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(8);
    let refused = refused.says("holds `a`").says("baton abort").says("baton takeover");
    assert_eq!(site.ledger(), [""; 0], "{}", refused.err);
    // The refused run may be taken up again when the other one is given up.
    let runs = site.baton.run(&["runs"]).out;
    let id = |name: &str| {
        let line = runs.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{runs}"));
        line.split_whitespace().next().expect("an identity").to_owned()
    };
    site.baton.run(&["abort", &id("breaks"), "--reason", "another day"]).code(1);
    site.baton.run(&["resume", &id("book")]).code(0);
    assert_eq!(site.ledger().len(), STEPS);
    site.baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(0);
    site.baton.run(&["takeover", "latest", "--reason", "x"]).code(8).says("is over");
    site.baton.run(&["takeover", &id("breaks"), "--reason", " "]).code(2).says("needs a reason");
}

/// Everything that was said, on one line.
fn told(ended: &Ended) -> String {
    ended.out.split_whitespace().chain(ended.err.split_whitespace()).collect::<Vec<_>>().join(" ")
}

/// The lease files of a machine.
fn lease_files(site: &Site) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![site.baton.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("lists").flatten().map(|entry| entry.path()) {
            let is_lease = || std::fs::read_to_string(&path).is_ok_and(|text| text.contains("\nholder="));
            match path.is_dir() {
                true => folders.push(path),
                false if is_lease() => found.push(path),
                false => {}
            }
        }
    }
    found
}

#[test]
fn who_is_refused_is_told_how_the_other_run_stands_and_what_brings_it_on() {
    let refused = |site: &Site| told(&site.baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(8));
    let site = Site::new();
    let asks = "//! Asks\nrun(host(\"a\"), [\"true\"]);\nguard(confirm(\"Sure?\", #{ gate: \"a-well\" }), \"no\");\n";
    site.baton.write("asks.rhai", asks);
    site.baton.run(&["run", "asks.rhai", "-i", "site.toml"]).code(4);
    let said = refused(&site);
    assert!(said.contains("it is suspended at gate a-well") && !said.contains("and wait:"), "{said}");
    let (answer, go_on) = (said.find("baton approve"), said.rfind("baton resume"));
    assert!(answer < go_on && go_on < said.find("baton abort") && answer.is_some(), "{said}");

    let site = Site::new();
    std::fs::write(site.path("stop-1"), "").expect("writes");
    let mut first = site.runner();
    assert!(is_stopped(first.id()));
    let said = refused(&site);
    assert!(said.contains("wait for it to end") && !said.contains("is gone"), "it lives: {said}");
    end(&mut first);
    let said = refused(&site);
    assert!(said.contains("its runner is no longer running") && said.contains("go on with it: baton resume"), "{said}");

    let elsewhere = site.path("elsewhere").display().to_string();
    let said = told(&site.baton.run(&["run", "book.rhai", "-i", "site.toml", "--state", &elsewhere]).code(8));
    let own = site.baton.state().display().to_string();
    assert!(said.contains("its runner is no longer running") && said.contains("go on with it: baton resume"), "{said}");
    let named = said.split("see how it stands: baton show ").nth(1).unwrap_or_else(|| panic!("{said}"));
    let words: Vec<&str> = named.split(' ').take(3).collect();
    assert_eq!(words[1..], ["--state", &own], "{said}");
    site.baton.run(&["show", words[0], "--state", &own]).code(0);
}

#[test]
fn a_host_that_a_run_which_is_over_did_not_give_back_is_taken_and_that_is_said() {
    for opened_later in [false, true] {
        let site = Site::new();
        site.baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(0);
        let files = lease_files(&site);
        assert!(!files.is_empty(), "no leases");
        for path in &files {
            let text = std::fs::read_to_string(path).expect("reads").replace("released=yes\n", "");
            let text = if opened_later { text.replace("\nopened=", "\nopened=999") } else { text };
            std::fs::write(path, text).expect("writes");
        }
        let ended = site.baton.run(&["run", "book.rhai", "-i", "site.toml"]);
        if opened_later {
            // It went on where this journal does not know of.
            assert!(told(&ended.code(8)).contains("baton takeover"));
            continue;
        }
        let said = told(&ended.code(0));
        assert!(said.contains("`a` is taken from run") && said.contains("is over and had not given it back"), "{said}");
        assert_eq!(site.ledger().len(), 2 * STEPS, "{said}");
        site.baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(0);
    }
}
