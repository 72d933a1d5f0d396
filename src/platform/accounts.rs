//! Names of accounts of this machine, for people. It must not decide what an account may do.

use std::fs;
use std::process::Command;

/// The name of an account, or its number when it has none.
pub(super) fn account(number: u32) -> String {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    // Accounts of a directory are in no file.
    name_in(&accounts, number).or_else(|| name_in(&asked(number), number)).unwrap_or_else(|| number.to_string())
}

fn name_in(accounts: &str, number: u32) -> Option<String> {
    let mut entries = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let entry = entries.find(|fields| fields.get(2).is_some_and(|uid| *uid == number.to_string()))?;
    entry.first().filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

/// What the system's own look-up says of an account; nothing where there is none.
fn asked(number: u32) -> String {
    let looked = Command::new("/usr/bin/getent").args(["passwd", &number.to_string()]).env_clear().output();
    looked.map(|looked| String::from_utf8_lossy(&looked.stdout).into_owned()).unwrap_or_default()
}
