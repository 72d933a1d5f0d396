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
    let kept = baton.state().join("host-keys/h1");
    let let_go = format!("rm {}", kept.display());
    let told = baton.run(&["run", "expects.rhai", "-i", "site.toml"]).code(0);
    assert!(told.in_one_line().contains(&let_go), "{}", told.out);
    baton.run(&plain).code(0);
    estate.host(1).change_host_key();
    let told = baton.run(&plain).code(1).says("another host key");
    assert!(told.in_one_line().contains(&let_go), "{}", told.err);
    std::fs::remove_file(kept).expect("as it is told");
    let told = baton.run(&["resume"]).code(1);
    assert!(told.in_one_line().contains("ssh-keygen -R"), "its own keys count again: {}", told.err);
}

#[test]
fn a_folder_of_sockets_that_is_cleared_away_under_a_run_is_made_again() {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    let runtime = tempfile::Builder::new().prefix("bt").tempdir_in("/tmp").expect("a folder");
    let own = runtime.path().join("baton-20261121-logs");
    std::fs::create_dir(&own).expect("a folder");
    std::fs::write(own.join("backup"), "precious").expect("writes");
    for setting in ["", "multiplexing = \"process\"\n"] {
        baton.write("site.toml", &format!("{}[hosts.here]\naddress = \"local\"\n", estate.inventory(setting)));
        let clear = format!("rm -rf {}/baton", runtime.path().display());
        let book = format!(
            "//! Clears\nrun(host(\"h1\"), [\"true\"]);\nrun(host(\"here\"), [\"sh\", \"-c\", \"{clear}\"]);\n\
             run(host(\"h1\"), [\"true\"]);\n"
        );
        baton.write("book.rhai", &book);
        let mut command = baton.command(&["run", "book.rhai", "-i", "site.toml"]);
        let output = command.env("XDG_RUNTIME_DIR", runtime.path()).output().expect("starts the binary");
        Ended::from(output).code(0);
    }
    assert!(own.join("backup").is_file(), "a folder of the user's was removed");
    let left = std::fs::read_dir(runtime.path().join("baton")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "its own folder stays when it ends");
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
