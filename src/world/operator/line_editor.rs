//! The line editor of the REPL: history, completion, colours, hints, several lines. It reads on a thread of its own,
//! and what is told while a line is typed appears above it. It knows words and their kinds, never what they mean.

use crate::error::{Error, Kind, Result};
use crate::world::Line;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter, Helper};
use std::borrow::Cow;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The most lines that are kept from session to session.
const HISTORY_MAX: usize = 1_000;

/// What a line shows that goes on with the one before, as long as it is empty.
const MORE: &str = "  ...> more is wanted; an empty line ends it";

/// What sort of word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordKind {
    /// A command, with its colon.
    Command,
    /// A function.
    Verb,
    /// The key of an options map.
    Key,
    /// Something that stands in quotes, such as the name of a service.
    Quoted,
    /// Something that follows a command, such as the name of a step.
    Argument,
}

/// A word that can be typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EditorWord {
    /// What sort it is.
    pub kind: WordKind,
    /// The word.
    pub text: String,
    /// What is shown behind it while it is typed, such as the arguments of a verb; may be empty.
    pub hint: String,
    /// The verb or command it belongs to; empty when it fits anywhere.
    pub of: String,
}

/// Tells whether a text stops in the midst of something.
pub type Incomplete = fn(&str) -> bool;

/// Somebody who types lines: at a terminal with an editor, or as plain lines of a pipe.
#[derive(Debug)]
pub struct LineEditor {
    reader: tokio::sync::Mutex<ReaderThread>,
    printer: Printer,
    is_terminal: bool,
}

/// The thread that reads: lines are wished for by their prompt.
#[derive(Debug)]
struct ReaderThread {
    wishes: std::sync::mpsc::Sender<String>,
    lines: UnboundedReceiver<Line>,
    /// A line was wished for and has not come: whoever wished for it has given up.
    reading: bool,
}

/// Writes above the line that is being typed.
#[derive(Clone)]
pub struct Printer(Arc<Mutex<Printing>>);

#[derive(Default)]
struct Printing {
    above: Option<Box<dyn ExternalPrinter + Send>>,
    reading: bool,
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Printer")
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut printing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = printing.reading;
        match &mut printing.above {
            Some(above) if reading => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                above.print(text).map_err(io::Error::other)?;
            }
            Some(_) | None => io::stdout().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Printer {
    fn reads(&self, reading: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reading = reading;
    }
}

impl LineEditor {
    /// An editor at the terminal, if there is one and it can be edited on; else the lines of standard input.
    /// `history` is the file that keeps what was typed.
    ///
    /// # Errors
    /// `Internal` when the terminal cannot be used.
    pub fn open(words: Vec<EditorWord>, incomplete: Incomplete, history: &Path) -> Result<Self> {
        let tty = |stream: &dyn std::os::fd::AsFd| rustix::termios::isatty(stream);
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let is_terminal = tty(&io::stdin()) && tty(&io::stdout()) && !dumb;
        let printer = Printer(Arc::new(Mutex::new(Printing::default())));
        let (wishes, wished) = std::sync::mpsc::channel();
        let (typed, lines) = unbounded_channel();
        let thread = std::thread::Builder::new().name("lines".into());
        let failed = |error: &dyn std::fmt::Display| Error::new(Kind::Internal, "cannot edit lines here").cause(error);
        if is_terminal {
            let mut editor = editor(words, incomplete, history).map_err(|error| failed(&error))?;
            let above = editor.create_external_printer().ok();
            let boxed = above.map(|above| Box::new(above) as Box<dyn ExternalPrinter + Send>);
            printer.0.lock().unwrap_or_else(PoisonError::into_inner).above = boxed;
            let (printer, history) = (printer.clone(), history.to_path_buf());
            let body = move || edit_lines(editor, &wished, &typed, &printer, &history);
            thread.spawn(body).map_err(|error| failed(&error))?;
        } else {
            thread.spawn(move || read_lines(incomplete, &wished, &typed)).map_err(|error| failed(&error))?;
        }
        let reader = tokio::sync::Mutex::new(ReaderThread { wishes, lines, reading: false });
        Ok(Self { reader, printer, is_terminal })
    }

    /// Whether a person sits at a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Where to write while lines are typed.
    #[must_use]
    pub fn printer(&self) -> Printer {
        self.printer.clone()
    }

    /// Shows a prompt and waits for a line, or for several that belong together.
    pub(in crate::world) async fn line(&self, prompt: &str) -> Line {
        let mut reader = self.reader.lock().await;
        let closed = || Line::Closed("no more lines".into());
        if !reader.reading {
            if reader.wishes.send(prompt.to_owned()).is_err() {
                return closed();
            }
            reader.reading = true;
        }
        let line = reader.lines.recv().await;
        reader.reading = false;
        line.unwrap_or_else(closed)
    }
}

fn editor(
    words: Vec<EditorWord>,
    incomplete: Incomplete,
    history: &Path,
) -> rustyline::Result<Editor<Helps, DefaultHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_MAX)?
        .history_ignore_space(true)
        .auto_add_history(false)
        .build();
    let mut editor = Editor::with_config(config)?;
    let colour = std::env::var("NO_COLOR").map_or(true, |value| value.is_empty());
    editor.set_helper(Some(Helps { words, incomplete, colour }));
    // Without a history of former sessions this one still has its own.
    let _ = editor.load_history(history);
    Ok(editor)
}

fn edit_lines(
    mut editor: Editor<Helps, DefaultHistory>,
    wished: &std::sync::mpsc::Receiver<String>,
    typed: &UnboundedSender<Line>,
    printer: &Printer,
    history: &Path,
) {
    while let Ok(prompt) = wished.recv() {
        printer.reads(true);
        let read = editor.readline(&prompt);
        printer.reads(false);
        let line = match read {
            Ok(line) => {
                remember(&mut editor, &line, &prompt, history);
                Line::Typed(line)
            }
            Err(ReadlineError::Interrupted) => Line::Cancelled,
            Err(ReadlineError::Eof) => Line::Closed("Ctrl-D".into()),
            Err(error) => Line::Closed(error.to_string()),
        };
        if typed.send(line).is_err() {
            return;
        }
    }
}

/// Keeps a line for later sessions, in a file that only its owner reads. Reasons and answers are not kept, nor what
/// looks like a secret.
fn remember(editor: &mut Editor<Helps, DefaultHistory>, line: &str, prompt: &str, history: &Path) {
    let lower = line.to_lowercase();
    let secret = ["password", "passwd", "secret", "token"].iter().any(|word| lower.contains(word));
    if !prompt.starts_with("baton") || secret || line.trim().is_empty() {
        return;
    }
    let _ = editor.add_history_entry(line);
    // A history that cannot be written is no reason to stop.
    let _ = make_private(history).and_then(|()| editor.save_history(history).map_err(io::Error::other));
}

fn make_private(path: &Path) -> io::Result<()> {
    let folder: PathBuf = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    fs::create_dir_all(folder)?;
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(|_| ())
}

/// Plain lines of standard input, without prompts; what belongs together is one.
fn read_lines(incomplete: Incomplete, wished: &std::sync::mpsc::Receiver<String>, typed: &UnboundedSender<Line>) {
    let mut input = io::stdin().lock();
    while wished.recv().is_ok() {
        let mut text = String::new();
        let line = loop {
            match input.read_line(&mut text) {
                Ok(0) if text.is_empty() => break Line::Closed("end of input".into()),
                Ok(0) => break Line::Typed(text),
                Ok(_) if incomplete(&text) => {}
                Ok(_) => break Line::Typed(text.trim_end_matches(['\n', '\r']).to_owned()),
                Err(error) => break Line::Closed(error.to_string()),
            }
        };
        if typed.send(line).is_err() {
            return;
        }
    }
}

/// What helps while a line is typed.
struct Helps {
    words: Vec<EditorWord>,
    incomplete: Incomplete,
    colour: bool,
}

impl Helper for Helps {}

impl Validator for Helps {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let incomplete = (self.incomplete)(context.input());
        Ok(if incomplete { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Completer for Helps {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(completions(&self.words, &line[..pos]))
    }
}

/// The words that fit behind `before`, and where they begin.
fn completions(words: &[EditorWord], before: &str) -> (usize, Vec<String>) {
    let found = |start: usize, fits: &dyn Fn(&EditorWord) -> bool| {
        let begun = &before[start..];
        let fitting = words.iter().filter(|word| fits(word) && word.text.starts_with(begun));
        (start, fitting.map(|word| word.text.clone()).collect())
    };
    if before.starts_with(':') {
        let Some((command, rest)) = before.split_once(char::is_whitespace) else {
            return found(0, &|word| word.kind == WordKind::Command);
        };
        let start = before.len() - rest.trim_start().len();
        let of = |word: &EditorWord| word.kind == WordKind::Argument && word.of == command;
        let takes_expression = matches!(command, ":p" | ":watch");
        if !takes_expression {
            return found(start, &of);
        }
    }
    let quote = before.rfind('"').filter(|_| before.matches('"').count() % 2 == 1);
    if let Some(quote) = quote {
        let verb = called(&before[..quote]);
        return found(quote + 1, &|word| word.kind == WordKind::Quoted && (word.of.is_empty() || word.of == verb));
    }
    let start = before
        .rfind(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    if before[..start].trim_end().ends_with(['{', ',']) && before[..start].contains("#{") {
        let verb = called(before[..start].rsplit_once("#{").map_or("", |(before, _)| before)).to_owned();
        return found(start, &|word| word.kind == WordKind::Key && word.of == verb);
    }
    if start == before.len() {
        return (start, Vec::new());
    }
    found(start, &|word| word.kind == WordKind::Verb)
}

/// The function whose arguments are being typed: the last one that is open.
fn called(before: &str) -> &str {
    let mut depth = 0;
    for (at, character) in before.char_indices().rev() {
        match character {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' => {
                let name = before[..at].trim_end();
                let start = name.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |found| found + 1);
                return &name[start..];
            }
            _ => {}
        }
    }
    ""
}

impl Hinter for Helps {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, _: &Context<'_>) -> Option<String> {
        // A new line has no prompt of its own here: this stands in its place.
        if pos == line.len() && line.ends_with('\n') && (self.incomplete)(line) {
            return Some(MORE.to_owned());
        }
        hint(&self.words, line, pos)
    }
}

/// The signature of the verb that is being typed.
fn hint(words: &[EditorWord], line: &str, pos: usize) -> Option<String> {
    if pos < line.len() {
        return None;
    }
    let name = line.strip_prefix(':').map_or_else(|| called(line), |_| line.split_whitespace().next().unwrap_or(""));
    let word = words.iter().find(|word| {
        word.text == name && matches!(word.kind, WordKind::Verb | WordKind::Command) && !word.hint.is_empty()
    })?;
    Some(format!("   {}", word.hint))
}

impl Highlighter for Helps {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.colour { Cow::Owned(painted(&self.words, line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colour { Cow::Owned(format!("\u{1b}[2m{hint}\u{1b}[0m")) } else { Cow::Borrowed(hint) }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.colour && kind != CmdKind::MoveCursor
    }
}

/// A line in colours: texts, comments, verbs, commands.
fn painted(words: &[EditorWord], line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut rest = line;
    let paint = |code: &str, text: &str| format!("\u{1b}[{code}m{text}\u{1b}[0m");
    while let Some(first) = rest.chars().next() {
        let length = if matches!(first, '"' | '`') {
            let end = rest[1..].find(first).map_or(rest.len(), |at| at + 2);
            out.push_str(&paint("32", &rest[..end]));
            end
        } else if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            out.push_str(&paint("2", &rest[..end]));
            end
        } else if first.is_alphabetic() || first == '_' || first == ':' {
            let tail = &rest[first.len_utf8()..];
            let end = tail.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tail.len()) + first.len_utf8();
            let known = |word: &EditorWord| word.text == rest[..end] && word.kind <= WordKind::Verb;
            match words.iter().any(known) {
                true => out.push_str(&paint("36", &rest[..end])),
                false => out.push_str(&rest[..end]),
            }
            end
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{EditorWord, WordKind, completions, hint, painted};

    fn words() -> Vec<EditorWord> {
        let word = |kind, text: &str, hint: &str, of: &str| EditorWord {
            kind,
            text: text.into(),
            hint: hint.into(),
            of: of.into(),
        };
        vec![
            word(WordKind::Command, ":until", "STEP", ""),
            word(WordKind::Verb, "start", "start(service)", ""),
            word(WordKind::Verb, "status", "status(service)", ""),
            word(WordKind::Verb, "service", "service(name)", ""),
            word(WordKind::Quoted, "c1", "", "service"),
            word(WordKind::Quoted, "cfg-a", "", "host"),
            word(WordKind::Key, "limit", "", "start"),
            word(WordKind::Argument, "Stop c2", "", ":until"),
        ]
    }

    #[test]
    fn each_place_is_offered_its_own_words() {
        let offered = |before: &str| completions(&words(), before).1.join(" ");
        assert_eq!(offered(":u"), ":until");
        assert_eq!(offered(":until S"), "Stop c2");
        assert_eq!(offered("sta"), "start status");
        assert_eq!(offered("x = status(service(\""), "c1");
        assert_eq!(offered("run(host(\"c"), "cfg-a");
        assert_eq!(offered("start(service(\"c1\"), #{ l"), "limit");
        assert_eq!(offered(""), "");
    }

    #[test]
    fn the_verb_being_typed_tells_its_arguments() {
        assert_eq!(hint(&words(), "start(", 6).as_deref(), Some("   start(service)"));
        assert_eq!(hint(&words(), "start(service(\"c1\"), ", 21).as_deref(), Some("   start(service)"));
        assert_eq!(hint(&words(), "let x", 5), None);
    }

    #[test]
    fn colours_change_no_character() {
        let line = "let ä = start(\"c1\"); // go";
        let painted = painted(&words(), line);
        let plain = painted.split("\u{1b}[").map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
        assert!(painted.contains("\u{1b}[36mstart\u{1b}[0m"), "{painted}");
        assert_eq!(plain.collect::<String>().replace("36mstart", "start").len(), line.len(), "{painted}");
    }
}
