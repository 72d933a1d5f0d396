//! Commands as another account, through the real binary and a `sudo` of the test's own.

use crate::support::{Baton, Ended};
use std::os::unix::fs::PermissionsExt;

const RUNBOOK: &str = "//! Acts as root\n\
    let h = host(\"here\");\n\
    note(run(h, [\"echo\", \"usual\"]).output);\n\
    note(run(h, [\"echo\", \"special\"], #{ become: \"svc-db\" }).output);\n\
    run(h, [\"refused\"], #{ check: [\"refused\", \"check\"] });\n";

/// Does what it is told, as nobody else, and says so; but not the command `refused`, for a reason in any language.
const SUDO: &str = "#!/bin/sh\n\
    [ \"$1 $2 $4\" = '-n -u --' ] || exit 99\n\
    user=$3; shift 4\n\
    case \" $* \" in *' refused '*) echo \"REASON\" >&2; exit 1 ;; esac\n\
    echo \"Welcome, $user\"; \"$@\"; echo \"as $user\"\n";

/// What a runbook comes to where `sudo` is this script.
fn ended(runbook: &str, sudo: &str) -> Ended {
    let baton = Baton::new();
    baton.write("runbooks/own/t.rhai", runbook);
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\nbecome = \"root\"\n");
    with_sudo(&baton, sudo, &["run", "own/t", "-i", "site.toml"])
}

/// What a command line comes to where `sudo` is this script.
fn with_sudo(baton: &Baton, sudo: &str, words: &[&str]) -> Ended {
    baton.write("bin/sudo", sudo);
    let program = baton.folder().join("bin/sudo");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("makes it a program");
    let path = format!("{}:{}", baton.folder().join("bin").display(), std::env::var("PATH").expect("a PATH"));
    let output = baton.command(words).env("PATH", path).output();
    Ended::from(output.expect("starts the binary"))
}

fn told(ended: &Ended) -> String {
    ended.out.split_whitespace().chain(ended.err.split_whitespace()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_refusal_of_sudo_says_what_to_write_into_sudoers() {
    for reason in ["sudo: a password is required", "Sorry, user ops may not run it", "sudo: Ein Passwort ist nötig"] {
        let ended =
            ended(RUNBOOK, &SUDO.replace("REASON", reason)).code(1).says("usual").says("as root").says("as svc-db");
        let told = told(&ended);
        let why =
            format!("`sudo` does not let the login account become `root` ({}", reason.trim_start_matches("sudo: "));
        assert!(told.contains("was not started: ") && told.contains(&why), "{told}");
        let login = if reason.contains("ops") { "ops" } else { "LOGIN" };
        assert!(told.contains(&format!("{login} ALL=(root) NOPASSWD: /bin/sh")), "{told}");
        assert!(!told.contains("Welcome"), "what sudo says is not the command's: {told}");
    }
}

#[test]
fn what_the_command_itself_does_is_not_taken_for_a_refusal() {
    let run = |command: &str| {
        ended(&format!("//! Acts\nrun(host(\"here\"), {command});\n"), "#!/bin/sh\nshift 4\nexec \"$@\"\n")
    };
    let exits = run(r#"["sh", "-c", "echo 'sudo: a password is required' >&2; exit 1"]"#).code(1);
    assert!(told(&exits).contains("ended with exit 1"), "{exits:?}");
    let missing = run(r#"["no-such-command"]"#).code(1);
    assert!(told(&missing).contains("ended with exit 127"), "{missing:?}");
    // It empties its own output, and the proof with it.
    let empties = run(r#"["sh", "-c", ": >/dev/stdout; echo odd >&2; exit 1"]"#).code(1);
    assert!(told(&empties).contains("ended with exit 1"), "{empties:?}");
}

#[test]
fn a_sudo_that_ends_with_0_and_did_not_let_the_command_begin_is_not_taken_for_its_success() {
    let act = |options: &str| {
        format!("//! Acts\nrun(host(\"here\"), [\"touch\", \"done\"], {options});\nnote(\"went on\");\n")
    };
    for refuses in ["echo 'Sorry, ops may not.'", "echo 'Sorry, ops may not.' >&2"] {
        let failed = ended(&act("#{}"), &format!("#!/bin/sh\n{refuses}\nexit 0\n")).code(1);
        let text = told(&failed);
        assert!(
            text.contains("was not started: `sudo` does not let") && text.contains("(Sorry, ops may not.)"),
            "{text}"
        );
        assert!(!text.contains("went on"), "{text}");
    }
    // Who has said nothing may have emptied its own outputs.
    let doubted = told(&ended(&act("#{}"), "#!/bin/sh\nexit 0\n").code(5));
    assert!(doubted.contains("nothing proves that `sudo` let it begin") && !doubted.contains("went on"), "{doubted}");
    let checked = "#!/bin/sh\nshift 4\ncase \" $* \" in *' touch '*) exit 0 ;; esac\nexec \"$@\"\n";
    let failed = ended(&act("#{ check: [\"test\", \"-e\", \"done\"] }"), checked).code(1);
    assert!(told(&failed).contains("was not started, as far as can be told"), "its check says so: {failed:?}");
    let happened = ended(&act("#{ check: [\"true\"] }"), checked).code(0);
    assert!(told(&happened).contains("went on"), "its check says so: {happened:?}");
}

#[test]
fn a_sudo_that_is_not_there_starts_nothing() {
    let ended = ended("//! Acts\nrun(host(\"here\"), [\"true\"]);\n", "#!/no/such/interpreter\n").code(1);
    let told = told(&ended);
    assert!(told.contains("`run(here, true)` was not started: there is no `sudo` there"), "{told}");
}

/// A product that opens for a secret only, to its own account.
const VAULT: &str = r#"
product = "vault"
title = "Opens for a secret"
model = "acme"
[requires]
folder = "where it writes"
[verbs.open]
class = "idempotent"
argv = ["sh", "-c", "read x; test \"$x\" = \"$(cat {folder}/right)\" && echo $AS >{folder}/opened"]
stdin = "db"
limit = "10s"
goal = { probe = "door", is = ["open"] }
[probes.door]
argv = ["sh", "-c", "read x; test \"$x\" = \"$(cat {folder}/right)\" || exit 7; test -e {folder}/opened && echo open || echo shut"]
stdin = "db"
[probes.who]
argv = ["sh", "-c", "read x; echo $AS heard $x"]
"#;

#[test]
fn a_probe_as_another_account_reads_its_secret_and_nobody_else_sees_it() {
    // A `sudo` that says something of its own, and one that says nothing, may use the input as well.
    let begin = "#!/bin/sh\n[ \"$1 $2 $4\" = '-n -u --' ] || exit 99\nexport AS=$3; shift 4\n";
    for (sudo, greeting) in [("exec \"$@\"\n", "none"), ("echo \"Welcome, $AS\"; exec \"$@\"\n", "a greeting")] {
        let baton = Baton::new();
        let sudo = format!("{begin}{sudo}");
        let home = baton.folder().display().to_string();
        baton
            .write("stdlib/products/vault.toml", VAULT)
            .write("secret", "canary-5d1c\n")
            .write("right", "canary-5d1c\n");
        baton.write(
            "site.toml",
            &format!(
                "[secrets.db]\nfile = \"{home}/secret\"\n[hosts.here]\naddress = \"local\"\n\
                 [services.v]\nhost = \"here\"\nproduct = \"vault\"\nbecome = \"svc-db\"\nfolder = \"{home}\"\n"
            ),
        );
        baton.write(
            "runbooks/own/t.rhai",
            "//! Opens\nlet v = service(\"v\");\nguard(probe(v, \"door\") == \"shut\", \"it is open\");\n\
             change(v, \"open\");\nwait_probe(v, \"door\", \"open\", #{ limit: \"5s\" });\n\
             note(`told: ${probe(v, \"who\", #{}, #{ stdin: secret(\"db\") })}`);\nnote(`alone: ${probe(v, \"who\")}`);\n",
        );
        let run = with_sudo(&baton, &sudo, &["run", "own/t", "-i", "site.toml"]).code(0);
        let run = run.says("told: svc-db heard ****").says("alone: svc-db heard");
        let opened = std::fs::read_to_string(baton.folder().join("opened")).unwrap_or_default();
        assert_eq!(opened, "svc-db\n", "{greeting}: {}", run.out);
        let doctor = with_sudo(&baton, &sudo, &["doctor", "-i", "site.toml"]).code(0).says("2 probes");
        for ended in [&run, &doctor] {
            let said = format!("{}{}", ended.out, ended.err);
            assert!(!said.contains("canary") && !said.contains("Welcome"), "{greeting}: {said}");
        }
        // Who is not let in has not read it, and that is what is said.
        let refuses = "#!/bin/sh\ncat >/dev/null; echo 'sudo: a password is required' >&2; exit 1\n";
        let refused = with_sudo(&baton, refuses, &["doctor", "-i", "site.toml"]).code(1);
        let told = told(&refused);
        assert!(told.contains("`sudo` does not let the login account become `svc-db`"), "{told}");
    }
}
