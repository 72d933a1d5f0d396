//! What can be typed at the prompt: commands begin with `:`, so that they never hide a variable; all else is a line of
//! script. It reads and judges words; it carries out nothing.

use crate::error::{Error, Kind, Result};
use crate::model::text::did_you_mean;

/// Something typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Nothing: does nothing.
    Nothing,
    /// A command.
    Command(ReplCommand),
    /// A line of script.
    Script(String),
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplCommand {
    /// Does the next step and stops before the following one.
    Next,
    /// Goes on to the next effect.
    Into,
    /// Goes on to this step.
    Until(String),
    /// Tries again what failed, or takes up again what was given up.
    Redo,
    /// Opens the runbook in an editor.
    Edit,
    /// Leaves out what comes next, or what failed.
    Skip(String),
    /// What is in doubt happened.
    Happened(String),
    /// What is in doubt did not happen.
    NotHappened(String),
    /// Goes back to before the last completed step.
    Undo,
    /// Goes back to before this step, or all the way.
    Rollback(Option<String>),
    /// Tells where the run stands.
    Where,
    /// Lists the steps.
    Steps,
    /// Lists the variables.
    Vars,
    /// Shows the value of an expression.
    Print(String),
    /// Shows the value of an expression at every stop; without one, lists them.
    Watch(Option<String>),
    /// Stops before this step, verb, host or service; without one, lists them.
    Break(Option<String>),
    /// Lists hosts and services.
    Hosts,
    /// Runs a command on a host.
    Sh {
        /// The host.
        host: String,
        /// The command and its arguments.
        argv: Vec<String>,
    },
    /// Writes a line into the record.
    Note(String),
    /// Writes the lines that worked as a runbook.
    Save(String),
    /// Leaves; the run can be taken up again.
    Quit,
    /// Explains the commands, one of them, or a verb.
    Help(Option<String>),
}

impl ReplCommand {
    /// Whether it does nothing in the run: of one that is over nothing else can be asked but to take it back.
    pub(crate) fn only_looks(&self) -> bool {
        match self {
            Self::Where | Self::Steps | Self::Vars | Self::Print(_) | Self::Hosts | Self::Save(_) => true,
            Self::Watch(None) | Self::Break(None) | Self::Quit | Self::Help(_) => true,
            Self::Undo | Self::Rollback(_) => true,
            Self::Next | Self::Into | Self::Until(_) | Self::Redo | Self::Edit | Self::Skip(_) => false,
            Self::Happened(_) | Self::NotHappened(_) | Self::Sh { .. } | Self::Note(_) => false,
            // What is watched is read on its host.
            Self::Watch(Some(_)) | Self::Break(Some(_)) => false,
        }
    }
}

/// What is said about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandDoc {
    /// Its name, without the colon.
    pub name: &'static str,
    /// What follows it; empty when nothing does.
    pub args: &'static str,
    /// What it does.
    pub summary: &'static str,
}

const fn about(name: &'static str, args: &'static str, summary: &'static str) -> CommandDoc {
    CommandDoc { name, args, summary }
}

/// All commands, in the order a reader would learn them.
pub const COMMANDS: [CommandDoc; 22] = [
    about("next", "", "do the next step, stop before the following one"),
    about("into", "", "go on to the next effect, inside the step"),
    about("until", "STEP", "go on until this step (name or number) is next"),
    about("redo", "", "try again what failed, or take up again what was given up"),
    about("skip", "REASON", "leave out the step or effect that is next, or the one that failed"),
    about("happened", "REASON", "what is in doubt did happen; say how you know"),
    about("not-happened", "REASON", "what is in doubt did not happen; say how you know"),
    about("edit", "", "open the runbook in $EDITOR, then go on with the edited one"),
    about("undo", "", "go back to before the last completed step"),
    about("rollback", "[STEP]", "go back to before this step, or all the way"),
    about("where", "", "tell where the run stands"),
    about("steps", "", "list the steps: done, same, skipped, ahead"),
    about("plan", "", "the same as :steps"),
    about("vars", "", "list the variables in sight"),
    about("p", "EXPR", "show the value of an expression; asks no host"),
    about("watch", "[EXPR]", "show the value of an expression at every stop; readings are asked, not recorded"),
    about("break", "[STEP|VERB|HOST]", "stop before this step, verb, host or service"),
    about("hosts", "", "list hosts and services"),
    about("sh", "HOST COMMAND…", "run a command on a host; it is recorded, with the reason"),
    about("note", "TEXT", "write a line into the record"),
    about("save", "FILE", "write the typed lines that worked as a runbook"),
    about("quit", "", "leave; the run can be taken up again (also Ctrl-D)"),
];

/// Reads what was typed.
///
/// # Errors
/// `Usage` for a command that there is not, or one that lacks something.
pub fn read(typed: &str) -> Result<Input> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Input::Nothing);
    }
    let Some(rest) = typed.strip_prefix(':') else { return Ok(Input::Script(typed.to_owned())) };
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    let maybe = || (!rest.is_empty()).then(|| rest.to_owned());
    let needed = || maybe().ok_or_else(|| lacking(name));
    let command = match name {
        "next" => ReplCommand::Next,
        "into" => ReplCommand::Into,
        "until" => ReplCommand::Until(needed()?),
        "redo" => ReplCommand::Redo,
        "edit" => ReplCommand::Edit,
        "skip" => ReplCommand::Skip(needed()?),
        "happened" => ReplCommand::Happened(needed()?),
        "not-happened" => ReplCommand::NotHappened(needed()?),
        "undo" => ReplCommand::Undo,
        "rollback" => ReplCommand::Rollback(maybe()),
        "where" => ReplCommand::Where,
        "steps" | "plan" => ReplCommand::Steps,
        "vars" => ReplCommand::Vars,
        "p" => ReplCommand::Print(needed()?),
        "watch" => ReplCommand::Watch(maybe()),
        "break" => ReplCommand::Break(maybe()),
        "hosts" => ReplCommand::Hosts,
        "sh" => shell(&needed()?)?,
        "note" => ReplCommand::Note(needed()?),
        "save" => ReplCommand::Save(needed()?),
        "quit" => ReplCommand::Quit,
        "help" => ReplCommand::Help(maybe()),
        _ => return Err(unknown(name)),
    };
    let takes_nothing = COMMANDS.iter().any(|doc| doc.name == name && doc.args.is_empty());
    if takes_nothing && !rest.is_empty() {
        return Err(Error::new(Kind::Usage, format!("`:{name}` takes nothing behind it")).hint(format!(":{name}")));
    }
    Ok(Input::Command(command))
}

fn shell(rest: &str) -> Result<ReplCommand> {
    let mut words = split(rest)?.into_iter();
    let host = words.next().unwrap_or_default();
    let argv: Vec<String> = words.collect();
    if argv.is_empty() { Err(lacking("sh")) } else { Ok(ReplCommand::Sh { host, argv }) }
}

/// Splits at blanks that are not inside quotes. Nothing else is special: no shell will see it.
fn split(text: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) = (Vec::new(), None, None);
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => word.get_or_insert_default().push(character),
            None if matches!(character, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            None if character.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    match quote {
        None => Ok(words),
        Some(open) => Err(Error::new(Kind::Usage, format!("the quote {open} is not closed"))),
    }
}

fn lacking(name: &str) -> Box<Error> {
    let args = COMMANDS.iter().find(|doc| doc.name == name).map_or("", |doc| doc.args);
    Error::new(Kind::Usage, format!("`:{name}` lacks something")).hint(format!(":{name} {args}"))
}

fn unknown(name: &str) -> Box<Error> {
    let error = Error::new(Kind::Usage, format!("there is no command `:{name}`"));
    let names = COMMANDS.iter().map(|doc| doc.name).chain(["help"]);
    match did_you_mean(name, names) {
        Some(near) => error.hint(near.replace('`', "")).hint(":help"),
        None => error.hint("see which there are: :help"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, ReplCommand, read};

    #[test]
    fn what_is_typed_is_a_command_a_line_or_nothing() {
        assert_eq!(read("  "), Ok(Input::Nothing));
        assert_eq!(read("let next = 1"), Ok(Input::Script("let next = 1".into())));
        assert_eq!(read(":next"), Ok(Input::Command(ReplCommand::Next)));
        let argv = vec!["echo".into(), "a b".into(), String::new()];
        assert_eq!(read(":sh h echo 'a b' \"\""), Ok(Input::Command(ReplCommand::Sh { host: "h".into(), argv })));
    }

    #[test]
    fn a_command_that_is_wrong_names_the_right_one() {
        let hints = |typed: &str| read(typed).expect_err("wrong").hints.join("\n");
        assert!(hints(":nxt").contains("did you mean next?"));
        assert!(hints(":skip").contains(":skip REASON"));
        assert!(hints(":next now").contains(":next"));
        assert!(hints(":sh h").contains(":sh HOST COMMAND"));
    }
}
