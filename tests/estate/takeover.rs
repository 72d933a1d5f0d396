//! Two runners on hosts over SSH: one is stopped in the midst of each step, its run is taken over and seen to its end
//! by another, and then the first one wakes up and comes to nothing.

use crate::support::estate::Estate;
use crate::support::machine::patiently;
use crate::support::{Baton, Ended};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Stdio};

/// How many steps the runbook has, on both hosts in turn.
const STEPS: usize = 6;

/// Two hosts, and a runbook whose every step writes two lines into the ledger of its host.
struct Site {
    baton: Baton,
    estate: Estate,
}

impl Site {
    fn new() -> Self {
        let (baton, estate) = (Baton::new(), Estate::start(2));
        baton.write("site.toml", &estate.inventory("alive = \"1s\""));
        let script = "echo $1 begins >>ledger; sleep 0.4; echo $1 ends >>ledger";
        let step = |n: usize| {
            let host = if n % 2 == 1 { "h1" } else { "h2" };
            format!("step(\"Step {n}\", || run(host(\"{host}\"), [\"sh\", \"-c\", \"{script}\", \"sh\", \"{n}\"]));\n")
        };
        baton.write("book.rhai", &format!("//! Ledgers\n{}", (1..=STEPS).map(step).collect::<String>()));
        Self { baton, estate }
    }

    fn ledger(&self) -> Vec<String> {
        let of = |host| std::fs::read_to_string(self.estate.host(host).home().join("ledger")).unwrap_or_default();
        let mut lines: Vec<String> =
            [1, 2].iter().flat_map(|host| of(*host).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.sort();
        lines
    }

    fn runner(&self) -> Child {
        let mut command = self.baton.command(&["run", "book.rhai", "-i", "site.toml"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts the binary")
    }
}

#[test]
fn a_stale_runner_does_nothing_on_any_host_whatever_step_it_was_stopped_in() {
    let site = Site::new();
    for step in 1..=STEPS {
        for host in [1, 2] {
            let _ = std::fs::remove_file(site.estate.host(host).home().join("ledger"));
        }
        let zombie = site.runner();
        let pid = Pid::from_child(&zombie);
        patiently("the step begins", || site.ledger().contains(&format!("{step} begins")));
        kill_process(pid, Signal::STOP).expect("stops it");
        site.baton.run(&["takeover", "latest", "--reason", "its runner hangs"]).code(0).says("next: baton resume");
        site.baton.run(&["resume", "latest"]).code(0);
        let whole: Vec<String> = (1..=STEPS).flat_map(|n| [format!("{n} begins"), format!("{n} ends")]).collect();
        assert_eq!(site.ledger(), whole, "stopped in step {step}");
        kill_process(pid, Signal::CONT).expect("wakes it");
        let ended = Ended::from(zombie.wait_with_output().expect("it ends"));
        assert!(ended.code != 0, "stopped in step {step}: {}{}", ended.out, ended.err);
        assert_eq!(site.ledger(), whole, "woken up after it was stopped in step {step}");
    }
}

#[test]
fn a_second_run_from_elsewhere_is_refused_and_told_who_holds_the_host() {
    let site = Site::new();
    let mut first = site.runner();
    patiently("the first step begins", || site.ledger().contains(&"1 begins".to_owned()));
    let other = Baton::new();
    other.write("site.toml", &site.estate.inventory("")).write("one.rhai", "//! One\nrun(host(\"h1\"), [\"true\"]);\n");
    let refused = other.run(&["run", "one.rhai", "-i", "site.toml"]).code(8);
    let refused = refused.says("holds `h1`").says("baton takeover");
    let said = format!("{}{}", refused.out, refused.err);
    let run = said.split("baton takeover ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("its name");
    assert!(first.wait().expect("it ends").success());
    // What is over holds nothing; and what was refused is begun by its name only.
    other.run(&["resume", "latest"]).code(2).says("begun by its name only");
    other.run(&["resume", run]).code(0);
}
