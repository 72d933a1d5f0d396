//! `--from-run`: a run that follows another one, through the real binary.

use crate::support::Baton;

/// A runbook that tells which run it follows, and what that one did.
const TELLS: &str = "//! Tells\n//! source: nobody\nlet former = former_run();\n\
    if former == () { note(\"follows nothing\"); } else { note(`follows ${former.runbook}, ${former.ended}`); }\n";

/// A site of one host.
fn inventory(host: &str) -> String {
    format!("[hosts.{host}]\naddress = \"local\"\n")
}

#[test]
fn an_upgrade_in_a_lab_is_taken_back_in_that_lab() {
    let baton = Baton::new();
    let lab = ["--lab", "genesys:compatible", "--speed", "300"];
    baton.run(&[&["run", "genesys/confserv-ha"], &lab[..]].concat()).code(0);
    let back = baton.run(&["run", "genesys/rollback", "--from-run", "latest"]).code(0);
    let back = back.says("after run").says("GEN-RB-OPER leads back to 8.5.000.20").says("done");
    assert!(
        !back.out.contains("No record") && !back.out.contains("changes\":"),
        "the record is not for the screen:\n{}",
        back.out
    );
    // The former run has no lab any more: it went over. The pair is as it was, so there is nothing to take back.
    let again = baton.run(&["run", "genesys/rollback", "--from-run", "latest"]).code(4);
    again.says("there is nothing to take back").says("Nothing was changed by this run");
}

#[test]
fn a_run_that_cannot_be_followed_is_refused_before_anything_begins() {
    let baton = Baton::new();
    for (name, text) in [("runbooks/own/tells.rhai", TELLS), ("a.toml", &inventory("a")), ("b.toml", &inventory("b"))] {
        baton.write(name, text);
    }
    baton.run(&["run", "own/tells", "--from-run", "latest", "-i", "a.toml"]).code(2).says("there are no runs yet");
    baton.run(&["run", "own/tells", "-i", "a.toml"]).code(0).says("follows nothing");
    baton.run(&["run", "own/tells", "-i", "a.toml", "--from-run", "latest"]).code(0).says("follows own/tells, done");
    baton.run(&["run", "own/tells", "-i", "a.toml", "--from-run", "zz"]).code(2).says("there is no run `zz`");
    baton.run(&["run", "own/tells", "-i", "b.toml", "--from-run", "latest"]).code(2).says("was on other hosts");
    baton.run(&["run", "own/tells", "--from-run", "latest"]).code(2).says("give its inventory").says("-i INVENTORY");
    let both = ["run", "own/tells", "--from-run", "latest", "--lab", "genesys"];
    baton.run(&both).code(2).says("cannot be used with");
    baton.run(&["run", "own/tells", "-i", "a.toml", "-p", "from_run=x"]).code(2).says("no parameter `from_run`");
    baton.write("runbooks/own/takes.rhai", "//! Takes\n//! source: nobody\nlet x = param(\"from_run\");\n");
    baton.run(&["run", "own/takes", "-i", "a.toml"]).says("`former_run()`");
    baton.run(&["run", "own/tells", "--lab", "genesys:compatible"]).code(0);
    baton.run(&["run", "own/tells", "-i", "a.toml", "--from-run", "latest"]).code(2).says("was on lab genesys");
}

#[test]
fn what_is_said_of_a_lab_counts_in_the_lab_of_the_run_that_is_followed_or_is_refused() {
    let baton = Baton::new();
    baton.write("runbooks/own/asks.rhai", "//! Asks\nif !confirm(\"Go on?\", #{ gate: \"on\" }) { warn(\"no\"); }\n");
    baton.write("a.toml", &inventory("a"));
    baton.run(&["run", "own/asks", "--lab", "genesys"]).code(0).says("answered by lab operator");
    let follow = ["run", "own/asks", "--from-run", "latest"];
    baton.run(&[&follow[..], &["--speed", "9"]].concat()).code(2).says("`--speed` goes with `--lab`");
    baton.run(&[&follow[..], &["--no-operator"]].concat()).code(4).says("nobody answered").says("baton approve");
    let site = ["run", "own/asks", "-i", "a.toml", "--no-operator"];
    baton.run(&site).code(2).says("`--no-operator` goes with `--lab`").says("questions are for you");
    baton.run(&["repl", "-i", "a.toml", "--speed", "5"]).code(2).says("cannot be used with");
    for command in ["resume", "rollback"] {
        baton.run(&[command, "latest", "--no-operator"]).code(2).says("unexpected argument");
    }
}
