//! What somebody meant who typed a word of a command without its colon, or a verb without its parentheses; and what is
//! typed here instead of a command of the shell. It only names what to type; it carries out nothing.

use crate::error::{Error, Kind};
use crate::model::site::inventory::Inventory;
use crate::repl::command::COMMANDS;
use crate::script::primitives;

/// Words of other programs, and what they are called here.
const ELSEWHERE: [(&str, &str); 8] = [
    ("?", ":help"),
    ("h", ":help"),
    ("exit", ":quit"),
    ("q", ":quit"),
    ("bye", ":quit"),
    ("logout", ":quit"),
    ("continue", ":next"),
    ("step", ":next"),
];

/// What to say instead of evaluating a line that is no script, if it is plain what was meant. `is_variable` tells of a
/// word whether it is one.
pub(super) fn meant(typed: &str, site: &Inventory, is_variable: &dyn Fn(&str) -> bool) -> Option<Box<Error>> {
    let typed = typed.trim().trim_end_matches(';').trim_end();
    let (word, rest) = typed.split_once(char::is_whitespace).map_or((typed, ""), |(word, rest)| (word, rest.trim()));
    let stands_alone = rest.is_empty();
    // Two words side by side are never script; one may be a variable.
    let are_words = rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\''));
    if (!stands_alone && !are_words) || (stands_alone && is_variable(word)) {
        return None;
    }
    if let Some((_, command)) = ELSEWHERE.iter().find(|(other, _)| *other == word && stands_alone) {
        return Some(no_line(typed).hint(format!("type: {command}")));
    }
    let is_command = word == "help" || COMMANDS.iter().any(|command| command.name == word);
    if is_command {
        return Some(no_line(typed).hint(format!("commands begin with a colon; type: :{typed}")));
    }
    let verb = primitives::find(word)?;
    if rest.contains(['(', '=']) {
        return None;
    }
    let usage = verb.signatures.first().copied().unwrap_or(word);
    let arguments: Option<Vec<String>> = rest.split_whitespace().map(|name| handle(name, site)).collect();
    let call = match arguments {
        Some(arguments) if !stands_alone => format!("{word}({})", arguments.join(", ")),
        Some(_) | None => usage.to_owned(),
    };
    Some(
        no_line(typed)
            .hint(format!("a verb has what it is about in parentheses; type: {call}"))
            .hint(format!(":help {word}")),
    )
}

/// A hint with what is typed here in the place of the shell's commands, which are for whoever has left this run.
pub(super) fn typed_here(run: &str, hint: &str) -> String {
    let done = format!("baton resume {run} --done");
    let outside = format!("leave with :quit, then: {done}");
    let words = [
        (format!("baton resume {run} --adopt-edited"), ":edit"),
        (format!("baton resume {run} --skip \"why\""), ":skip REASON"),
        (done, outside.as_str()),
        (format!("baton resume {run}"), ":redo"),
        (format!("baton rollback {run} --to"), ":rollback"),
        (format!("baton rollback {run}"), ":rollback"),
    ];
    let fits = words.iter().find(|(command, _)| hint.contains(command.as_str()));
    fits.map_or_else(|| hint.to_owned(), |(command, here)| hint.replace(command.as_str(), here))
}

fn no_line(typed: &str) -> Box<Error> {
    Error::new(Kind::Usage, format!("`{typed}` is no line of script; nothing was done"))
}

/// A name of the site as it is written in a script.
fn handle(name: &str, site: &Inventory) -> Option<String> {
    let name = name.trim_matches(['"', '\'', ',']);
    let kind = if site.services.contains_key(name) {
        "service"
    } else if site.hosts.contains_key(name) {
        "host"
    } else if site.pairs.contains_key(name) {
        "pair"
    } else {
        return None;
    };
    Some(format!("{kind}({name:?})"))
}
