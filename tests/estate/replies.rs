//! What counts as a host's answer: nothing that a start-up file, a process that was left behind or a host that lies can
//! say is taken for one, and none of them is waited for longer than the step allows.

use crate::support::estate::{Estate, Kind};
use crate::support::machine::{Make, patiently};
use crate::support::{Baton, Ended};
use std::time::{Duration, Instant};

const PRODUCT: &str = r#"
product = "plain"
title = "A program"
model = "plain"

[probes.word]
argv = ["sh", "-c", "echo there; sleep 20 & exit 0"]
"#;

struct Site {
    baton: Baton,
    estate: Estate,
}

impl Site {
    fn new(sshd: &str) -> Self {
        let kind = Kind { make: Make::default(), sshd: sshd.into() };
        let (baton, estate) = (Baton::new(), Estate::of(&[kind]));
        let service = "\n[services.plain]\nhost = \"h1\"\nproduct = \"plain\"\n";
        baton.write("site.toml", &(estate.inventory("reconnect = \"2s\"") + service));
        baton.write("stdlib/products/plain.toml", PRODUCT);
        Self { baton, estate }
    }

    /// Runs it, for at most so many seconds.
    #[track_caller]
    fn run(&self, runbook: &str, seconds: u64) -> Ended {
        self.baton.write("runbooks/own/t.rhai", &format!("//! Acts\nlet h = host(\"h1\");\n{runbook}\n"));
        let begun = Instant::now();
        let ended = self.baton.run(&["run", "own/t", "-i", "site.toml"]);
        assert!(begun.elapsed() < Duration::from_secs(seconds), "it took {:?}: {ended:?}", begun.elapsed());
        ended
    }
}

fn words(ended: &Ended) -> String {
    format!("{}{}", ended.out, ended.err).split_whitespace().collect::<Vec<_>>().join(" ")
}

const ACT: &str = r#"if run(h, ["echo", "mine"], #{ limit: "6s" }).output != "mine" { throw "not mine" }
    if probe(service("plain"), "word") != "there" { throw "not there" }"#;

#[test]
fn a_start_up_file_that_speaks_is_passed_over() {
    let site = Site::new("");
    for noise in [
        r#"printf '\033]0;%s\007' "$USER""#,
        "echo baton agent 11111111-2222-3333-4444-555555555555; echo baton; printf 'taken\nexited 0'",
        r"printf '\036\n\0360\n'; printf '\n\0360\n' >&2; echo sudo: no >&2",
        "yes 'a long greeting' | head -c 60000; printf 'no end'",
        "yes 'a long complaint' | head -c 300000 >&2",
    ] {
        std::fs::write(site.estate.host(1).home().join(".bashrc"), noise).expect("writes it");
        site.run(ACT, 15).code(0).says("done");
    }
}

#[test]
fn what_a_start_up_file_has_left_behind_is_passed_over_whenever_it_talks() {
    let site = Site::new("");
    let home = site.estate.host(1).home();
    let noise = "(while :; do echo running; echo some noise; sleep 0.005; done) & echo $! >>/root/noise";
    std::fs::write(home.join(".bashrc"), noise).expect("writes it");
    let act = format!(
        r#"for n in 0..4 {{ {ACT} }}
        let long = run(h, ["sh", "-c", "seq -w 0 9999 | head -c 7000"]).output;
        if long.len() != 6999 || long.contains("noise") {{ throw `${{long.len()}} bytes` }}"#
    );
    let told = site.run(&act, 60).code(0).says("done");
    assert!(!words(&told).contains("given back"), "its lease is not given back: {told:?}");
    std::fs::write(home.join(".bashrc"), "").expect("writes it");
    site.run(r#"run(h, ["true"]);"#, 15).code(0);
    site.estate.host(1).does("kill $(cat /root/noise) 2>/dev/null; true");
}

#[test]
fn a_start_up_file_that_never_stops_or_waits_is_named_within_the_limit_of_the_step() {
    let site = Site::new("");
    for (noise, told) in [
        ("exec yes 'welcome to this host'", r"says `welcome to this host\nwelcome"),
        ("printf 'which site? '; read -r a; read -r b; read -r c", "says `which site?`"),
        ("sleep 60", "does not answer in time"),
    ] {
        std::fs::write(site.estate.host(1).home().join(".bashrc"), noise).expect("writes it");
        let ended = site.run(r#"run(h, ["true"], #{ limit: "3s" });"#, 15).code(1);
        let words = words(&ended);
        assert!(words.contains("was not started") && words.contains(told), "{noise}: {words}");
    }
}

#[test]
fn a_process_that_goes_on_talking_is_not_taken_for_the_next_command() {
    let site = Site::new("");
    let runbook = r#"for n in 0..12 {
        run(h, ["sh", "-c", "(i=0; while [ $i -lt 100 ]; do echo exited 0; sleep 0.001; i=$((i+1)); done) & exit 0"]);
        let got = 0;
        try { run(h, ["sh", "-c", "echo real; exit 3"]) } catch (e) { got = e.exit }
        if got != 3 { throw `number ${n} ended with ${got}` }
    }"#;
    site.run(runbook, 60).code(0).says("done");
    // It holds the output of the probe for longer than the probe may take.
    site.run(r#"if probe(service("plain"), "word") != "there" { throw "not there" }"#, 15).code(0);
}

#[test]
fn a_job_whose_record_is_gone_is_in_doubt_and_not_the_former_one() {
    let site = Site::new("");
    let runbook = r#"run(h, ["true"]);
        run(h, ["sh", "-c", "rm -rf /root/.baton/[0-9a-f]*; echo ran >>/root/ledger; exit 3"]);"#;
    let ended = site.run(runbook, 30).code(5);
    let told = words(&ended);
    assert!(told.contains("may or may not have happened"), "{ended:?}");
    assert!(
        told.contains("is in `~/.baton/") && told.contains(".2.1.out` and `0.2.1.err` beside it on `h1`"),
        "{told}"
    );
    let ledger = std::fs::read_to_string(site.estate.host(1).home().join("ledger")).expect("it ran");
    assert_eq!(ledger, "ran\n");
}

#[test]
fn a_job_whose_folder_is_gone_when_its_run_is_taken_up_is_in_doubt() {
    let site = Site::new("");
    let act = "//! Acts\nrun(host(\"h1\"), [\"sh\", \"-c\", \"echo ran >>/root/ledger; sleep 1\"]);\n";
    site.baton.write("runbooks/own/t.rhai", act);
    let ledger = site.estate.host(1).home().join("ledger");
    for gone in [
        "rm -rf /root/.baton",
        "rm -rf /root/.baton/[0-9a-f]*",
        "mv /root/.baton /root/old; cp -a /root/old /root/.baton",
    ] {
        let mut runner = site.baton.spawn(&["run", "own/t", "-i", "site.toml"]);
        patiently("it begins", || ledger.exists());
        runner.kill().expect("kills the runner");
        runner.wait().expect("buries the runner");
        site.estate.host(1).does(&format!("{gone}; rm -f /root/.baton/*/*.started"));
        let told = words(&site.baton.run(&["resume", "latest"]).code(5));
        assert!(told.contains("this run's jobs is gone, or was put back from a copy"), "{gone}: {told}");
        assert_eq!(std::fs::read_to_string(&ledger).expect("it ran"), "ran\n", "{gone}: {told}");
        site.baton.run(&["resume", "latest", "--happened", "it is in the ledger"]).code(0).says("done");
        std::fs::remove_file(&ledger).expect("removes");
    }
}

#[test]
fn a_restored_journal_does_not_take_another_commands_end() {
    let site = Site::new("");
    site.baton.write("site2.toml", "[hosts.h1]\naddress = \"local\"\n");
    for inventory in ["site.toml", "site2.toml"] {
        site.baton.write(
            "runbooks/own/w.rhai",
            "//! Acts\nlet w = choose(\"which\", [\"on\", \"back\"], #{ gate: \"way\" });\nrun(host(\"h1\"), [\"echo\", w]);\n",
        );
        site.baton.run(&["run", "own/w", "-i", inventory]).code(4);
        let (journal, copy) = (site.baton.state().join("journal.db"), site.baton.folder().join("copy"));
        std::fs::copy(&journal, &copy).expect("copies it");
        site.baton.run(&["approve", "latest", "way", "on"]).code(0);
        site.baton.run(&["resume", "latest"]).code(0);
        std::fs::copy(&copy, &journal).expect("puts it back");
        for left in ["journal.db-wal", "journal.db-shm"] {
            let _ = std::fs::remove_file(site.baton.state().join(left));
        }
        site.baton.run(&["approve", "latest", "way", "back"]).code(0);
        let ended = site.baton.run(&["resume", "latest"]).code(5);
        assert!(words(&ended).contains("is of another command"), "{inventory}: {ended:?}");
        let word = "nothing was started";
        site.baton.run(&["resume", "latest", "--not-happened", word]).code(0).says("done");
    }
}

/// A host that knows the nonce, and lies as this script says.
fn liar(script: &str) -> Ended {
    let begin = r#"say() { printf '%s %s %s\n%s\n%s %s end\n' "$nonce" "$1" "${#2}" "$2" "$nonce" "$1"; }
read -r nonce; nonce=${nonce#=}; for place in jobs leases shared checked; do read -r place; done; say 0 "agent 1"
read -r enter; say 1 'entered aa:1 none none ='
"#;
    let site = Site::new("ForceCommand /bin/sh /root/liar");
    std::fs::write(site.estate.host(1).home().join("liar"), format!("{begin}{script}")).expect("writes it");
    site.run(r#"run(h, ["true"], #{ limit: "2s" });"#, 20)
}

#[test]
fn a_host_that_lies_or_never_stops_is_given_up_within_the_limit_of_the_step() {
    for script in
        ["read -r a; exec yes 'number=1'", "read -r a; printf '%s 2 200000\\n' $nonce; exec yes 'number=1'", "sleep 60"]
    {
        let ended = liar(script);
        assert_eq!(ended.code, 5, "{script}: {ended:?}");
        assert!(words(&ended).contains("cannot be asked what became of"), "{script}: {ended:?}");
    }
}
