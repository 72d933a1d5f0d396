//! Commands in what baton says: where they begin and end in a line, and what stands for something else.

/// The commands of baton, as its help lists them.
pub const COMMANDS: [&str; 16] = [
    "run",
    "resume",
    "rollback",
    "abort",
    "takeover",
    "repl",
    "approve",
    "check",
    "doctor",
    "list",
    "doc",
    "runs",
    "show",
    "eject",
    "lab",
    "completions",
];

/// A command that was named.
#[derive(Debug, Clone)]
pub struct Told {
    /// As it was printed, `baton` first, with `RUN` for the names of runs.
    pub printed: String,
    /// The words behind `baton`.
    pub words: Vec<String>,
    /// It is to be typed when something was put right.
    pub is_after_mending: bool,
    /// Flags that stand behind it and do not belong to it.
    pub left: Option<String>,
}

impl Told {
    /// Whether it only tells what would be done.
    pub fn is_dry(&self) -> bool {
        self.words.iter().any(|word| word == "--dry")
    }
}

/// The commands in a text.
pub fn told(text: &str) -> Vec<Told> {
    // What clap says of the form of a command is no command.
    text.lines().filter(|line| !line.trim_start().starts_with("Usage:")).flat_map(in_line).collect()
}

fn in_line(line: &str) -> Vec<Told> {
    let begins = |at: &usize| {
        let before = line[..*at].chars().next_back();
        let name = line[at + "baton ".len()..].split([' ', ')', ';', ',', '`']).next().unwrap_or_default();
        before.is_none_or(|c| c == ' ' || c == '(' || c == '`') && COMMANDS.contains(&name)
    };
    let starts: Vec<usize> = line.match_indices("baton ").map(|(at, _)| at).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([line.len()]);
    starts.iter().zip(ends).map(|(at, end)| one(&line[..*at], &line[at + "baton ".len()..end])).collect()
}

/// One command: `before` is what the line says before it, `text` what follows `baton `.
fn one(before: &str, text: &str) -> Told {
    let (mut words, mut word, mut quoted, mut end) = (Vec::new(), String::new(), None, text.len());
    for (at, c) in text.char_indices() {
        match c {
            '"' | '\'' if quoted.is_none() => quoted = Some(c),
            _ if quoted == Some(c) => quoted = None,
            _ if quoted.is_some() => word.push(c),
            ')' | ';' | ',' | '`' => {
                end = at;
                break;
            }
            ' ' if word.is_empty() => {
                end = at;
                break;
            }
            ' ' => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    let left = text[end..].contains(" --").then(|| text[end..].trim().to_owned());
    let printed: Vec<String> =
        words.iter().map(|word| if is_run(word) { "RUN".to_owned() } else { word.clone() }).collect();
    let mending =
        ["fix it", "put it right", "put it back", "edit it", "edit the runbook", "see to `", "wait for its end"];
    let is_after_mending = mending.iter().any(|what| before.contains(what));
    Told { printed: format!("baton {}", printed.join(" ")), words, is_after_mending, left }
}

/// Whether this is the identity of a run, whole or the beginning of it.
pub fn is_run(word: &str) -> bool {
    word.len() >= 12 && word.chars().all(|c| c.is_ascii_hexdigit())
}

#[test]
fn commands_are_found_in_what_is_said() {
    let text = "help: see it (see it: baton show 6b0bdd88cddd633d), or: baton resume RUN --done \"why you know\"\n\
                baton does not guess; `baton runs`, baton abort RUN --skip WHY, --done WHY";
    let found: Vec<(String, bool)> =
        told(text).into_iter().map(|told| (told.words.join("|"), told.left.is_some())).collect();
    let expected = [
        ("show|6b0bdd88cddd633d", false),
        ("resume|RUN|--done|why you know", false),
        ("runs", false),
        ("abort|RUN|--skip|WHY", true),
    ];
    assert_eq!(found, expected.map(|(words, left)| (words.to_owned(), left)));
}
