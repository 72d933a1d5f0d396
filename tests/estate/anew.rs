//! Hosts over SSH that are restarted, or made anew with another host key.

use crate::support::estate::Estate;
use crate::support::machine::patiently;
use crate::support::{Baton, Ended};
use std::process::Stdio;

#[test]
fn an_expected_new_host_key_is_taken_once_and_counts_from_then_on() {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    baton.write("site.toml", &estate.inventory(""));
    baton.write("plain.rhai", "//! Plain\nrun(host(\"h1\"), [\"true\"]);\n");
    let expects = "//! Expects\nexpect_new_host_key(host(\"h1\"));\nrun(host(\"h1\"), [\"true\"]);\n";
    baton.write("expects.rhai", expects);
    let plain = ["run", "plain.rhai", "-i", "site.toml"];
    baton.run(&plain).code(0);
    estate.host(1).change_host_key();
    baton.run(&plain).code(1).says("another host key");
    baton.run(&["abort", "latest", "--reason", "it was made anew"]).code(1);
    baton.run(&["run", "expects.rhai", "-i", "site.toml"]).code(0);
    baton.run(&plain).code(0);
    estate.host(1).change_host_key();
    baton.run(&plain).code(1).says("another host key");
}

#[test]
fn a_host_that_is_restarted_is_waited_for_and_the_run_goes_on() {
    let (baton, mut estate) = (Baton::new(), Estate::start(1));
    let site = estate.inventory("alive = \"1s\"\nconnect_limit = \"2s\"");
    baton.write("site.toml", &format!("{site}reboot = [\"touch\", \"/root/restart-me\"]\n"));
    let book = "//! Restarts\nlet h = host(\"h1\");\n\
        reboot(h, #{ limit: \"2min\", stable: \"1s\", ready: |h| run(h, [\"cat\", \"/root/ready\"]).output == \"yes\" });\n\
        run(h, [\"sh\", \"-c\", \"echo after >>/root/ledger\"]);\n";
    baton.write("book.rhai", book);
    let mut command = baton.command(&["run", "book.rhai", "-i", "site.toml"]);
    let runner = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts the binary");
    let home = estate.host(1).home();
    patiently("the restart is asked for", || home.join("restart-me").exists());
    std::fs::write(home.join("ready"), "yes\n").expect("it will be ready");
    estate.host_mut(1).reboot();
    Ended::from(runner.wait_with_output().expect("it ends")).code(0);
    assert_eq!(std::fs::read_to_string(home.join("ledger")).expect("a ledger"), "after\n");
}
