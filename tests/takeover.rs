//! Two runners on the hosts of this machine, the real binary: one is stopped in the midst of its work, its run is taken
//! over and seen to its end by another, and then the first one wakes up.

use crate::support::{Baton, Dice};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How many steps the runbook has, on both hosts in turn.
const STEPS: usize = 6;

/// A site of two hosts on this machine, and a runbook whose every step writes a line into a ledger. The command of a
/// step stops the runner first, if there is a file that asks for it.
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
                 until [ -s runner ]; do sleep 0.01; done\n  kill -STOP \"$(cat runner)\"\nfi\necho $1 >>ledger\n"
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
        std::thread::sleep(Duration::from_micros(10_000 + dice.roll(90_000)));
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
