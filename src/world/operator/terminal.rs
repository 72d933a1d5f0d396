//! Asks the person at the terminal: shows the question and the words that answer it, and takes nothing else for an
//! answer. What was typed before the question was shown does not count. It must not decide what an answer means.

use crate::model::columns::hung;
use crate::model::run::effect::{Ask, Form, SUSPEND};
use crate::model::span::Span;
use crate::model::text::{lines_shown, page, shown};
use crate::world::{Answer, Line};
use jiff::Zoned;
use rustix::termios::{QueueSelector, isatty, tcflush};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often, and after how long each time, it is looked whether a terminal is gone whose input has ended.
const GONE_WITHIN: (u32, Duration) = (5, Duration::from_millis(20));

/// After how long a question that waits is called to mind, and again and again after as long.
pub const REMIND: Duration = Duration::from_secs(15 * 60);

/// Behind this an answer is typed.
const PROMPT: &str = "\n> ";

/// The terminal baton was started from. One question at a time; others wait for their turn.
#[derive(Debug)]
pub struct Terminal {
    by: String,
    /// How many columns it has.
    columns: usize,
    remind: Duration,
    keyboard: tokio::sync::Mutex<Option<Keyboard>>,
}

impl Terminal {
    /// The terminal, so many columns wide, with the account whose answers these are.
    #[must_use]
    pub fn new(by: String, columns: usize) -> Self {
        Self { by, columns, remind: REMIND, keyboard: tokio::sync::Mutex::new(None) }
    }

    /// The same with another time between reminders.
    #[must_use]
    pub fn reminding(self, remind: Duration) -> Self {
        Self { remind, ..self }
    }

    /// Whether somebody can be asked on it.
    #[must_use]
    pub fn is_there() -> bool {
        isatty(std::io::stdin()) && isatty(std::io::stderr())
    }

    /// Whether the terminal outlives the end of its input: one that was hung up is gone only a moment after that.
    #[must_use]
    pub fn outlives_its_input() -> bool {
        (0..GONE_WITHIN.0).all(|_| {
            std::thread::sleep(GONE_WITHIN.1);
            Self::is_there()
        })
    }

    /// Puts a question until it is answered with one of its words, suspended, or nobody is there.
    pub(in crate::world) async fn ask(&self, ask: &Ask) -> Answer {
        if !Self::is_there() {
            return Answer::Nobody("no terminal".into());
        }
        let mut keyboard = self.keyboard.lock().await;
        let keyboard = keyboard.get_or_insert_with(Keyboard::new);
        keyboard.forget_what_was_typed();
        let since = (Zoned::now().strftime("%H:%M:%S").to_string(), Instant::now());
        let mut text = question(ask, self.columns);
        loop {
            if say(&text).is_err() {
                return Answer::Nobody("the terminal was closed".into());
            }
            let Some(line) = self.remembered_line(keyboard, &ask.form, &since).await else {
                return Answer::Nobody("the terminal was closed".into());
            };
            text = match understand(&ask.form, &line) {
                TypedLine::Answer(word, note) => return Answer::Given { word, note, by: self.by.clone() },
                TypedLine::Suspend => return Answer::Nobody(format!("`{SUSPEND}` was typed")),
                TypedLine::Nothing => "> ".into(),
                TypedLine::Other => {
                    let (line, words) = (shown(line.trim()), choice(&ask.form));
                    let again = match ask.form.kind() {
                        Some(kind) => format!("  `{line}` is not {}; type {words}\n> ", kind.wanted()),
                        None => format!("  `{line}` is none of the words; type {words}\n> "),
                    };
                    above(&again, self.columns)
                }
            };
        }
    }

    /// The next line. Whoever has forgotten that they are asked is reminded.
    async fn remembered_line(
        &self,
        keyboard: &mut Keyboard,
        form: &Form,
        (since, begun): &(String, Instant),
    ) -> Option<String> {
        loop {
            if let Ok(line) = tokio::time::timeout(self.remind, keyboard.line()).await {
                return line;
            }
            let waited = Span::secs(begun.elapsed().as_secs());
            let bell = '\u{7}';
            let words = choice(form);
            let asked = above(&format!("  still waiting since {since}, for {waited}: type {words}\n> "), self.columns);
            say(&format!("{bell}{asked}")).ok()?;
        }
    }
}

impl Terminal {
    /// Shows a question that is answered already, as it would have been put, and behind its prompt the answer.
    pub(in crate::world) fn tell(&self, ask: &Ask, answer: &str) {
        if !Self::is_there() {
            return;
        }
        // Whoever is being asked something else meanwhile has its prompt below again.
        let is_asking = self.keyboard.try_lock().is_err();
        let again = if is_asking { "> " } else { "" };
        let answered = hung("> ", &lines_shown(answer), self.columns);
        // A terminal that was closed is told by the next question.
        let _ = say(&format!("{}{answered}\n{again}", question(ask, self.columns).trim_end_matches("> ")));
    }

    /// Shows a prompt and waits for a line.
    pub(in crate::world) async fn line(&self, prompt: &str) -> Line {
        if !Self::is_there() {
            return Line::Closed("no terminal".into());
        }
        let mut keyboard = self.keyboard.lock().await;
        let keyboard = keyboard.get_or_insert_with(Keyboard::new);
        keyboard.forget_what_was_typed();
        if say(&page(&hung("", prompt, self.columns), false)).is_err() {
            return Line::Closed("the terminal was closed".into());
        }
        match keyboard.line().await {
            Some(line) => Line::Typed(line.trim_end_matches(['\r', '\n']).to_owned()),
            None => Line::Closed("the terminal was closed".into()),
        }
    }
}

/// What a typed line means.
#[derive(Debug, PartialEq, Eq)]
enum TypedLine {
    /// A word and a note.
    Answer(String, String),
    Suspend,
    Nothing,
    Other,
}

fn understand(form: &Form, line: &str) -> TypedLine {
    let typed = line.trim();
    if typed.is_empty() {
        TypedLine::Nothing
    } else if typed.to_lowercase() == SUSPEND {
        TypedLine::Suspend
    } else {
        form.word_and_note(typed).map_or(TypedLine::Other, |(word, note)| TypedLine::Answer(word, note))
    }
}

fn question(ask: &Ask, columns: usize) -> String {
    let mut text = format!("\n{}\n", hung("? ", &shown(&ask.gate), columns));
    text += &format!("{}\n", hung("  ", &lines_shown(&ask.text), columns));
    if !ask.evidence.is_empty() {
        text += &format!("{}\n", hung("  evidence: ", &lines_shown(&ask.evidence), columns));
    }
    text += &above(&format!("  type {}\n> ", choice(&ask.form)), columns);
    text
}

/// Words with the prompt below them: however they are broken, it has a line of its own.
fn above(words: &str, columns: usize) -> String {
    hung("", words.trim_end_matches(PROMPT), columns) + PROMPT
}

fn choice(form: &Form) -> String {
    format!("{}, or `{SUSPEND}` to leave it for later", form.wanted())
}

fn say(text: &str) -> std::io::Result<()> {
    let mut screen = std::io::stderr().lock();
    screen.write_all(text.as_bytes())?;
    screen.flush()
}

/// Reads lines on a thread of its own, only when one is wanted: a read that blocks cannot be given up.
#[derive(Debug)]
struct Keyboard {
    wishes: std::sync::mpsc::Sender<()>,
    lines: UnboundedReceiver<Option<String>>,
    /// A line was wished for and has not come: the question it was for was forgotten.
    reading: bool,
}

impl Keyboard {
    fn new() -> Self {
        let (wishes, wished) = std::sync::mpsc::channel();
        let (typed, lines) = unbounded_channel();
        // If there can be no thread the channel is closed, which reads as a closed terminal.
        let _ = std::thread::Builder::new().name("keyboard".into()).spawn(move || read_lines(&wished, &typed));
        Self { wishes, lines, reading: false }
    }

    fn forget_what_was_typed(&mut self) {
        while self.lines.try_recv().is_ok() {
            self.reading = false;
        }
        // Fails where the input is no terminal any more; then the next read tells.
        let _ = tcflush(std::io::stdin(), QueueSelector::IFlush);
    }

    /// The next line, or nothing at the end of input.
    async fn line(&mut self) -> Option<String> {
        if !self.reading {
            self.wishes.send(()).ok()?;
            self.reading = true;
        }
        let line = self.lines.recv().await.flatten();
        self.reading = false;
        line
    }
}

fn read_lines(wished: &std::sync::mpsc::Receiver<()>, typed: &UnboundedSender<Option<String>>) {
    while wished.recv().is_ok() {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line).ok().filter(|count| *count > 0);
        if typed.send(read.map(|_| line)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TypedLine, question, understand};
    use crate::model::run::effect::{Ask, Form};

    #[test]
    fn only_a_full_word_is_an_answer() {
        let form = Form::Choose(vec!["Roll back".into(), "go on".into()]);
        let answer = |word: &str, note: &str| TypedLine::Answer(word.into(), note.into());
        assert_eq!(understand(&form, " roll BACK \n"), answer("Roll back", ""));
        assert_eq!(understand(&form, "roll\n"), TypedLine::Other);
        assert_eq!(understand(&form, "\n"), TypedLine::Nothing);
        assert_eq!(understand(&form, "Suspend\n"), TypedLine::Suspend);
        assert_eq!(understand(&Form::Confirm, "y\n"), TypedLine::Other);
        assert_eq!(understand(&Form::Confirm, "yes: as Anna said: go\n"), answer("yes", "as Anna said: go"));
        assert_eq!(understand(&Form::Confirm, "no # not tonight\n"), answer("no", "not tonight"));
        assert_eq!(understand(&Form::Confirm, "yes:\n"), TypedLine::Other);
    }

    #[test]
    fn a_question_shows_its_words_and_obeys_no_control_characters() {
        let (text, evidence) = ("Look\u{1b}[2J\nat c1".into(), "it runs".into());
        let ask = Ask { gate: "manual-1".into(), form: Form::Manual, text, evidence };
        let expected = "\n? manual-1\n  Look\\u{1b}[2J\n  at c1\n  evidence: it runs\n  \
                        type `done` or `failed`, or `suspend` to leave it for later\n> ";
        assert_eq!(question(&ask, 80), expected);
        let narrow = question(&ask, 40);
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        let said = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said(&narrow), said(expected), "nothing is lost: {narrow}");
    }
}
