//! Commands as another account than the one baton logs in with: through `sudo`, which must not ask for a password.
//! Pure: an account and a command in, a command out; and what a refusal looks like.

/// What stands before the name of the account, and behind it.
const SUDO: [&str; 3] = ["sudo", "-n", "-u"];
const END: &str = "--";

/// Whether it is the name of an account and nothing else that `sudo -u` would take.
#[must_use]
pub fn is_account(name: &str) -> bool {
    let small = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut characters = name.chars();
    characters.next().is_some_and(small) && characters.all(|c| small(c) || c.is_ascii_digit() || c == '-')
}

/// The command, done as this account if there is one.
#[must_use]
pub fn done_as(account: Option<&str>, argv: Vec<String>) -> Vec<String> {
    match account {
        Some(account) if !argv.is_empty() => {
            SUDO.into_iter().chain([account, END]).map(str::to_owned).chain(argv).collect()
        }
        Some(_) | None => argv,
    }
}

/// Why a command was not even started, when it was to be done as another account and `sudo` would not.
#[must_use]
pub fn refusal(argv: &[String], exit: i32, out: &[u8], err: &[u8]) -> Option<String> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let [sudo, n, u, account, END, program, ..] = words[..] else { return None };
    if [sudo, n, u] != SUDO || exit != 1 || !out.is_empty() {
        return None;
    }
    let said = String::from_utf8_lossy(err);
    let why = said.lines().find_map(|line| line.strip_prefix("sudo: "))?;
    let full = if program.starts_with('/') { program.to_owned() } else { format!("/full/path/of/{program}") };
    Some(format!(
        "`sudo` does not let the login account become `{account}` for `{program}` ({why}); \
         allow it there with a line in sudoers: LOGIN ALL=({account}) NOPASSWD: {full}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_accounts() {
        for name in ["root", "_apt", "svc-db1"] {
            assert!(is_account(name), "{name}");
        }
        for name in ["", "-u", "#0", "%wheel", "Root", "a b", "a\n", "1a", "a;b", "é"] {
            assert!(!is_account(name), "{name}");
        }
    }

    #[test]
    fn a_refusal_of_sudo_is_told_from_a_failure_of_the_command() {
        let argv = done_as(Some("root"), vec!["/opt/tool".into(), "x".into()]);
        assert_eq!(argv, ["sudo", "-n", "-u", "root", "--", "/opt/tool", "x"]);
        let why = refusal(&argv, 1, b"", b"sudo: a password is required\n").unwrap();
        assert!(why.contains("(a password is required)") && why.ends_with("LOGIN ALL=(root) NOPASSWD: /opt/tool"));
        assert_eq!(refusal(&argv, 2, b"", b"sudo: x"), None);
        assert_eq!(refusal(&argv, 1, b"", b"no such record"), None);
        assert_eq!(refusal(&argv[5..], 1, b"", b"sudo: x"), None);
    }
}
