//! Commands as another account, through the real binary and a `sudo` of the test's own.

use crate::support::Baton;
use std::os::unix::fs::PermissionsExt;

const RUNBOOK: &str = "//! Acts as root\n\
    let h = host(\"here\");\n\
    note(run(h, [\"echo\", \"usual\"]).output);\n\
    note(run(h, [\"echo\", \"special\"], #{ become: \"svc-db\" }).output);\n\
    run(h, [\"refused\"], #{ check: [\"refused\", \"check\"] });\n";

/// Does what it is told, as nobody else, and says so; but not the command `refused`.
const SUDO: &str = "#!/bin/sh\n\
    [ \"$1 $2 $4\" = '-n -u --' ] || exit 99\n\
    user=$3; shift 4\n\
    [ \"$1\" != refused ] || { echo 'sudo: a password is required' >&2; exit 1; }\n\
    echo \"as $user:\"; exec \"$@\"\n";

#[test]
fn a_refusal_of_sudo_says_what_to_write_into_sudoers() {
    let baton = Baton::new();
    baton.write("bin/sudo", SUDO).write("runbooks/own/t.rhai", RUNBOOK);
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\nbecome = \"root\"\n");
    let sudo = baton.folder().join("bin/sudo");
    std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).expect("makes it a program");
    let path = format!("{}:{}", baton.folder().join("bin").display(), std::env::var("PATH").expect("a PATH"));
    let output = baton.command(&["run", "own/t", "-i", "site.toml"]).env("PATH", path).output();
    let ended = crate::support::Ended::from(output.expect("starts the binary"));
    let ended = ended.code(1).says("as root:").says("as svc-db:");
    let told = ended.out.split_whitespace().chain(ended.err.split_whitespace()).collect::<Vec<_>>().join(" ");
    assert!(told.contains("was not started: `sudo` does not let the login account become `root`"), "{told}");
    assert!(told.contains("LOGIN ALL=(root) NOPASSWD: /full/path/of/refused"), "{told}");
}
