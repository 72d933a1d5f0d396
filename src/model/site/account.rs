//! Commands as another account than the one baton logs in with: through `sudo`, which must not ask for a password.
//! Pure: an account and a command in, a command out; and whether the account was entered, which is never told from what
//! `sudo` says.

use crate::model::text::shown;

/// What stands before the name of the account, and behind it.
const SUDO: [&str; 3] = ["sudo", "-n", "-u"];
const END: &str = "--";

/// Proves that the account was entered and then becomes the command. One that cannot be proved to have begun does not.
const ENTER: &str = r#"p='\036entered\036\n'; printf "$p" && printf "$p" >&2 && exec "$@""#;
/// The proof, which no part of the command line holds.
const ENTERED: &str = "\u{1e}entered\u{1e}\n";
/// How many bytes of an output hold the proof, if any do: others, such as a message of the day, may come before it.
pub const PROOF_WITHIN: usize = 4 * 1024;

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

/// The same command as it is sent to a host: what is done as another account says first, on both outputs, that the
/// account was entered. That alone proves it: a refusal of `sudo` has any wording, in any language, and the exit code
/// of a command that says no.
#[must_use]
pub fn proving(argv: &[String]) -> Vec<String> {
    if program(argv).is_none() || proves(argv) {
        return argv.to_vec();
    }
    let (sudo, command) = argv.split_at(SUDO.len() + 2);
    let enter = ["sh", "-c", ENTER, "baton"].map(str::to_owned);
    sudo.iter().cloned().chain(enter).chain(command.iter().cloned()).collect()
}

/// What a command prints that did run, before anything of its own: for worlds that run none.
#[must_use]
pub fn proof(argv: &[String]) -> &'static str {
    if proves(argv) { ENTERED } else { "" }
}

/// What stands for a command where nobody becomes another account, begun with the same proof if that is wanted of it.
#[must_use]
pub fn standing_for(argv: &[String], own: Vec<String>) -> Vec<String> {
    if !proves(argv) {
        return own;
    }
    ["sh", "-c", ENTER, "baton"].map(str::to_owned).into_iter().chain(own).collect()
}

/// Whether a command was begun as the account that it was to be done as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountEntry {
    /// It was begun, or it is done as the login account.
    Begun,
    /// `sudo` did not begin it.
    Refused,
    /// Neither is proved.
    Unknown,
}

/// Whether a command, as [`proving`] makes it, was begun; from the beginnings of what came of it.
#[must_use]
pub fn entry(argv: &[String], out: &[u8], err: &[u8]) -> AccountEntry {
    if !proves(argv) || end_of_proof(out).is_some() || end_of_proof(err).is_some() {
        return AccountEntry::Begun;
    }
    // Who refuses says so, on either output. A command that has emptied both of its outputs has nothing to say.
    let whole = out.len() < PROOF_WITHIN && err.len() < PROOF_WITHIN;
    let said = |output: &[u8]| !output.iter().all(u8::is_ascii_whitespace);
    if whole && (said(out) || said(err)) { AccountEntry::Refused } else { AccountEntry::Unknown }
}

/// An output without the proof that the account was entered, and without what was said before that.
#[must_use]
pub fn own_words(argv: &[String], mut output: Vec<u8>) -> Vec<u8> {
    if proves(argv)
        && let Some(end) = end_of_proof(&output)
    {
        output.drain(..end);
    }
    output
}

/// Why a command was not begun, by what came on its outputs in place of the proof, and what to do about it.
#[must_use]
pub fn refusal(argv: &[String], out: &[u8], err: &[u8]) -> String {
    let account = argv.get(SUDO.len()).map_or("?", String::as_str);
    let last = |output: &[u8]| {
        let said = String::from_utf8_lossy(output);
        said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
    };
    let said = last(err).or_else(|| last(out)).unwrap_or_else(|| "it does not say why".to_owned());
    if tells_of_no_sudo(&said) {
        return format!("there is no `sudo` there ({}): install it, or leave `become` out", shown(&said));
    }
    let why = said.strip_prefix("sudo: ").unwrap_or(&said);
    let login = login_in(why).unwrap_or("LOGIN");
    format!(
        "`sudo` does not let the login account become `{account}` ({}); allow it there with a line in sudoers: \
         {login} ALL=({account}) NOPASSWD: /bin/sh",
        shown(why)
    )
}

/// Whether a shell said that it has no `sudo`. Only what is to be done about it depends on that.
fn tells_of_no_sudo(said: &str) -> bool {
    let Some((before, reason)) = said.rsplit_once(": ") else { return false };
    let program = before.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_sudo = program.strip_suffix("sudo").is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()));
    is_sudo && ["not found", "command not found", "No such file or directory"].contains(&reason)
}

/// The account that `sudo` names as the one it refuses.
fn login_in(why: &str) -> Option<&str> {
    let named = match why.split_once(" is not in the sudoers file") {
        Some((before, _)) => before.rsplit(' ').next(),
        None => why.split_once("user ").and_then(|(_, rest)| rest.split_once(" may not ")).map(|(name, _)| name),
    };
    named.filter(|name| is_account(name))
}

/// The program that is done as another account; none if it is the login account's.
#[must_use]
pub fn program(argv: &[String]) -> Option<&str> {
    let words = if proves(argv) { SUDO.len() + 6 } else { SUDO.len() + 2 };
    let is_sudo = argv.len() > words && argv.iter().zip(SUDO).all(|(word, sudo)| word == sudo);
    if is_sudo && argv[SUDO.len() + 1] == END { argv.get(words).map(String::as_str) } else { None }
}

fn proves(argv: &[String]) -> bool {
    argv.len() > SUDO.len() + 6 && argv[SUDO.len() + 1] == END && argv[SUDO.len() + 4] == ENTER
}

fn end_of_proof(output: &[u8]) -> Option<usize> {
    let within = &output[..output.len().min(PROOF_WITHIN)];
    within.windows(ENTERED.len()).position(|window| window == ENTERED.as_bytes()).map(|at| at + ENTERED.len())
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
        let plain = done_as(Some("root"), vec!["/opt/tool".into(), "x".into()]);
        assert_eq!(plain, ["sudo", "-n", "-u", "root", "--", "/opt/tool", "x"]);
        let argv = proving(&plain);
        assert_eq!(&argv[..7], ["sudo", "-n", "-u", "root", "--", "sh", "-c"]);
        assert_eq!(&argv[8..], ["baton", "/opt/tool", "x"]);
        assert_eq!((program(&plain), program(&argv)), (Some("/opt/tool"), Some("/opt/tool")));
        let refusals =
            ["sudo: a password is required\n", "Sorry, user ops may not run it.\n", "sudo: Ein Passwort ist nötig\n"];
        for said in refusals {
            assert_eq!(entry(&argv, b"", said.as_bytes()), AccountEntry::Refused, "{said}");
            assert_eq!(entry(&argv, said.as_bytes(), b""), AccountEntry::Refused, "{said}");
            assert_eq!(entry(&argv, ENTERED.as_bytes(), said.as_bytes()), AccountEntry::Begun, "{said}");
        }
        let why = refusal(&argv, b"", b"sudo: a password is required\n");
        let aside = refusal(&argv, b"Sorry, user ops may not.\n", b"\n");
        assert!(aside.contains("become `root` (Sorry, user ops may not.)"), "{aside}");
        assert!(why.contains("become `root` (a password is required)") && why.ends_with("NOPASSWD: /bin/sh"), "{why}");
    }

    #[test]
    fn a_host_without_sudo_is_told_from_one_that_refuses_and_the_account_is_named_where_sudo_names_it() {
        let argv = proving(&done_as(Some("root"), vec!["x".into()]));
        let told = |said: &str| refusal(&argv, b"", said.as_bytes());
        for none in [
            "sh: 1: exec: sudo: not found",
            "bash: line 1: sudo: command not found",
            "sudo: command not found",
            "/opt/bin/sudo: No such file or directory",
            "env: 'sudo': No such file or directory",
        ] {
            let told = told(none);
            assert!(told.starts_with("there is no `sudo` there (") && !told.contains("sudoers"), "{told}");
        }
        for (said, login) in [
            ("sudo: sh: command not found", "LOGIN"),
            ("sh: xsudo: not found", "LOGIN"),
            ("Sorry, user ops may not run sudo on web-b.", "ops"),
            ("sudo: deploy is not in the sudoers file.  This incident will be reported.", "deploy"),
            ("Sorry, user 'x; rm' may not run sudo.", "LOGIN"),
        ] {
            let told = told(said);
            assert!(told.ends_with(&format!("sudoers: {login} ALL=(root) NOPASSWD: /bin/sh")), "{told}");
        }
    }

    #[test]
    fn a_proof_is_found_behind_a_message_of_the_day_and_on_either_output() {
        let argv = proving(&done_as(Some("root"), vec!["x".into()]));
        let out = format!("Welcome\n{ENTERED}running\n");
        assert_eq!(entry(&argv, out.as_bytes(), b""), AccountEntry::Begun);
        assert_eq!(own_words(&argv, out.into_bytes()), b"running\n");
        assert_eq!(
            entry(&argv, b"", format!("{ENTERED}no\n").as_bytes()),
            AccountEntry::Begun,
            "it emptied the other one"
        );
        assert_eq!(entry(&argv, b"", b""), AccountEntry::Unknown);
        assert_eq!(entry(&argv, &[b'x'; PROOF_WITHIN], b"y"), AccountEntry::Unknown);
    }

    #[test]
    fn what_the_login_account_does_proves_nothing_and_is_left_as_it_is() {
        for argv in [vec!["sudo".to_owned(), "-u".into(), "root".into(), "x".into()], vec!["x".into()], vec![]] {
            assert_eq!(proving(&argv), argv);
            assert_eq!(entry(&argv, b"", b"sudo: no"), AccountEntry::Begun);
            assert_eq!(own_words(&argv, ENTERED.into()), ENTERED.as_bytes());
        }
    }

    #[test]
    fn the_proof_is_not_part_of_the_command_line() {
        assert!(!ENTER.contains(ENTERED) && !ENTER.contains('\u{1e}'));
    }
}
