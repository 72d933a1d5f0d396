//! The hosts that tests reach over SSH are what the tests take them for.

mod anew;
mod escapes;
mod files;
mod hostile;
mod hurdles;
mod logs;
mod matrix;
mod replies;
mod strings;
mod takeover;
mod twelve;

use crate::support::estate::{Estate, Kind};
use crate::support::machine::{Make, patiently};
use std::process::{Command, Stdio};
use std::time::Duration;

fn said(estate: &Estate, host: usize, script: &str) -> String {
    let done = estate.ssh(host, script);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn hosts_have_homes_names_and_boots_of_their_own() {
    let mut estate = Estate::start(2);
    assert_eq!(said(&estate, 1, "hostname; pwd; echo $HOME; touch mine"), "h1\n/root\n/root");
    assert_eq!(said(&estate, 2, "hostname; ls"), "h2");
    assert!(estate.host(1).home().join("mine").exists());
    let boot = said(&estate, 1, "cat /proc/sys/kernel/random/boot_id");
    assert_ne!(boot, said(&estate, 2, "cat /proc/sys/kernel/random/boot_id"));
    estate.host_mut(1).reboot();
    assert_ne!(boot, said(&estate, 1, "cat /proc/sys/kernel/random/boot_id"));
    assert_eq!(said(&estate, 1, "hostname; ls"), "h1\nmine");
}

#[test]
fn a_host_has_the_shell_it_was_made_with() {
    let kinds = ["dash", "bash", "busybox"].map(|sh| Kind { make: Make { sh, login: "/bin/sh" }, ..Kind::default() });
    let estate = Estate::of(&kinds);
    for (at, sh) in ["dash", "bash", "busybox"].iter().enumerate() {
        let script = format!("sh -c 'cmp /bin/{sh} /proc/$$/exe && echo it is'");
        assert_eq!(said(&estate, at + 1, &script), "it is", "{sh}");
    }
}

#[test]
fn a_link_that_was_cut_or_a_peer_that_is_frozen_says_nothing_until_it_goes_on() {
    let estate = Estate::start(1);
    let host = estate.host(1);
    let begin = |name: &str| {
        let mut ssh = Command::new("ssh");
        let command = format!("until test -e {name}; do sleep 0.1; done; echo {name} >>done");
        ssh.arg("-F").arg(estate.config()).args(["h1", &command]);
        let child = ssh.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("starts ssh");
        patiently("it runs", || host.machine.processes().iter().any(|it| it.name == "sleep"));
        child
    };
    // What it waits for is there only once the link is cut, or the host frozen, however slow this machine is.
    let lets_go = |name: &str| std::fs::write(host.home().join(name), "").expect("written");
    let mut child = begin("cut");
    host.machine.cut_link();
    lets_go("cut");
    patiently("the host goes on alone", || host.home().join("done").exists());
    assert!(child.try_wait().unwrap().is_none(), "nobody could say that it is over");
    host.machine.heal_link();
    assert!(child.wait().unwrap().success());
    let mut child = begin("frozen");
    host.machine.freeze();
    lets_go("frozen");
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(std::fs::read_to_string(host.home().join("done")).unwrap(), "cut\n");
    host.machine.thaw();
    assert!(child.wait().unwrap().success());
}

#[test]
fn masters_and_sessions_can_be_killed_and_sshd_restarted() {
    let estate = Estate::start(1);
    let host = estate.host(1);
    let strikes: [&dyn Fn(); 3] = [&|| host.kill_sessions(), &|| host.kill_masters(), &|| host.restart_sshd()];
    for strike in strikes {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(estate.config()).args(["h1", "exec sleep 20"]).stderr(Stdio::null());
        let mut child = ssh.spawn().expect("starts ssh");
        let sleeps = || host.machine.processes().iter().filter(|it| it.name == "sleep").count();
        let before = sleeps();
        patiently("it runs", || sleeps() > before);
        strike();
        assert!(!child.wait().unwrap().success());
    }
    assert_eq!(said(&estate, 1, "echo there"), "there");
}
