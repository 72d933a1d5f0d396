//! How this process was called, so that what baton names to be typed next is typed the same way: the state folder and
//! the inventory that were given, and the runbook as it was written. The one place that completes commands before they
//! are shown; it must not decide which command is named.

use super::operations::site::Site;
use crate::library::Shelf;
use crate::model::text::typed;

/// What stands before every command.
const PROGRAM: &str = "baton ";
/// The commands that look for runs or labs in the state folder.
const OF_STATE: [&str; 11] =
    ["run", "resume", "rollback", "abort", "takeover", "repl", "approve", "runs", "show", "lab", "doctor"];
/// The commands that take a runbook.
const OF_RUNBOOK: [&str; 4] = ["check", "run", "repl", "doctor"];
/// Behind these begins a command in a text.
const BEFORE: [char; 5] = [' ', '(', '`', '"', '\n'];

/// The words of this process's own command line that commands named by it need too.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Called {
    /// `--state`, where it was not the environment that said it.
    pub(super) state: Option<String>,
    /// Runbooks as they were given, names or paths.
    pub(super) runbooks: Vec<String>,
    /// `-i`.
    pub(super) inventory: Option<String>,
}

impl Called {
    /// The same text, every command in it as it must be typed to mean what it does for this process.
    #[must_use]
    pub(super) fn completed(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find(PROGRAM) {
            let (before, command) = rest.split_at(at + PROGRAM.len());
            let begins = rest[..at].chars().next_back().or(out.chars().next_back()).is_none_or(|c| BEFORE.contains(&c));
            out.push_str(before);
            rest = command;
            let verb = command.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            if !begins {
                continue;
            }
            let whole =
                command.split(['\n', '`']).next().and_then(|line| line.split(PROGRAM).next()).unwrap_or(command);
            if let Some(state) = self.state.as_ref().filter(|_| OF_STATE.contains(&verb) && !whole.contains("--state "))
            {
                out.push_str(&format!("--state {} ", typed(state)));
            }
            if let Some(named) = whole.strip_prefix(verb).and_then(|rest| rest.strip_prefix(' '))
                && OF_RUNBOOK.contains(&verb)
                && let Some((name, given)) = self.runbook(named)
            {
                out.push_str(&format!("{verb} {}", typed(&given)));
                rest = &command[verb.len() + 1 + name..];
                if let Some(file) = self.inventory.as_ref().filter(|_| verb == "check" && !whole.contains(" -i ")) {
                    out.push_str(&format!(" -i {}", typed(file)));
                }
            }
        }
        out + rest
    }

    /// The runbook at the beginning of this text: how long its name is there, and how it must be written.
    fn runbook(&self, named: &str) -> Option<(usize, String)> {
        for given in &self.runbooks {
            let spellings = [typed(given), given.clone(), Site::name(given).to_owned()];
            let met = spellings.iter().find(|name| {
                named
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ')', ';', ',']))
            });
            if let Some(name) = met {
                return Some((name.len(), given.clone()));
            }
        }
        // A run on record has only the name: a file outside of the folder of runbooks is found by its path.
        let name =
            named.split([' ', ')', ';', ',']).next().filter(|name| !name.is_empty() && !name.starts_with('-'))?;
        let (site, path) = (Site::here(), format!("{name}.rhai"));
        let is_path = site.text(Shelf::Runbooks, name).is_ok_and(|text| text.is_none()) && site.runbook(&path).is_ok();
        is_path.then_some((name.len(), path))
    }
}

#[cfg(test)]
mod tests {
    use super::Called;

    #[test]
    fn commands_are_completed_by_the_words_this_process_was_called_with() {
        let called = Called {
            state: Some("/srv/my state".into()),
            runbooks: vec!["./books/p.rhai".into()],
            inventory: Some("t.toml".into()),
        };
        for (text, expected) in [
            ("see it: baton show 0a", "see it: baton --state '/srv/my state' show 0a"),
            (
                "next: baton resume 0a\nthen: baton runs\n",
                "next: baton --state '/srv/my state' resume 0a\nthen: baton --state '/srv/my state' runs\n",
            ),
            ("see it: baton show 0a --state /other", "see it: baton show 0a --state /other"),
            ("fix it, then: baton check books/p", "fix it, then: baton check ./books/p.rhai -i t.toml"),
            ("baton check ./books/p.rhai -i u.toml", "baton check ./books/p.rhai -i u.toml"),
            ("baton run books/p --help", "baton --state '/srv/my state' run ./books/p.rhai --help"),
            ("baton check books/other", "baton check books/other"),
            ("baton list, abaton runs, baton does not guess", "baton list, abaton runs, baton does not guess"),
            ("`baton runs`", "`baton --state '/srv/my state' runs`"),
        ] {
            assert_eq!(called.completed(text), expected);
        }
        let plain = "baton show 0a; baton check books/p; baton run RUNBOOK --help";
        assert_eq!(Called::default().completed(plain), plain);
    }
}
