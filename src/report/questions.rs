//! The questions of a run that people have to answer: which are open, what was shown, which were answered from
//! elsewhere, and the commands that answer them. Pure reading of records; it must not answer anything.

use crate::model::run::effect::{Action, Ask, Outcome};
use crate::model::run::instant::Wall;
use crate::model::run::record::{EffectId, Fact, Record};
use crate::model::text::{lines_shown, shown};
use crate::model::value::Value;
use crate::report::layout::{hanging, time_of_day, wrap};
use crate::report::style::{Style, Tone};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A question that a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedQuestion {
    /// Which effect asks.
    pub id: EffectId,
    /// Its digest: what a person is shown.
    pub digest: String,
    /// What is asked.
    pub ask: Ask,
    /// Since when, wall clock milliseconds.
    pub since: Wall,
    /// The answer, if there is one.
    pub answer: Option<RecordedAnswer>,
}

/// An answer on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAnswer {
    /// The word.
    pub word: String,
    /// What they added.
    pub note: String,
    /// Whose it is.
    pub by: String,
    /// When, wall clock milliseconds.
    pub at: Wall,
    /// Whether it was given from elsewhere while the run was suspended.
    pub elsewhere: bool,
}

/// Collects questions from the records of a run, from the first one on.
#[derive(Debug, Default)]
pub struct QuestionLog {
    /// Each with the number of the record that asks it.
    known: BTreeMap<EffectId, (u64, RecordedQuestion)>,
    records: u64,
    /// The run goes back: what its script asks stands still.
    back: bool,
}

impl QuestionLog {
    /// Those in these records.
    #[must_use]
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut questions = Self::default();
        records.into_iter().for_each(|record| questions.add(record));
        questions
    }

    /// Takes the next record.
    pub fn add(&mut self, record: &Record) {
        self.records += 1;
        if let Fact::Intent { id, effect, digest, .. } = &record.fact {
            self.known.remove(id);
            if let Action::Ask(ask) = &effect.action {
                let (ask, digest, since) = (ask.clone(), digest.clone(), record.at.wall);
                let question = RecordedQuestion { id: id.clone(), digest, ask, since, answer: None };
                self.known.insert(id.clone(), (self.records, question));
            }
        } else if let Fact::Outcome { id, outcome, .. } = &record.fact {
            if let Some((_, question)) = self.known.get_mut(id) {
                question.answer.get_or_insert_with(|| given(outcome, record.at.wall));
            }
        } else if let Fact::Answered { id, word, note, name, .. } = &record.fact {
            let (word, note, by) = (word.clone(), note.clone(), name.clone());
            if let Some((_, question)) = self.known.get_mut(id) {
                question.answer = Some(RecordedAnswer { word, note, by, at: record.at.wall, elsewhere: true });
            }
        } else if let Fact::Undone { since } = &record.fact {
            self.back = false;
            self.known.retain(|id, (asked, _)| *asked < *since || !id.track.is_scripts());
        } else if let Fact::Rollback { .. } = &record.fact {
            self.back = true;
        }
    }

    /// All of them, by track and then in the order they were asked.
    pub fn all(&self) -> impl Iterator<Item = &RecordedQuestion> {
        self.known.values().map(|(_, question)| question)
    }

    /// Those that wait for an answer.
    pub fn open(&self) -> impl Iterator<Item = &RecordedQuestion> {
        self.all().filter(|question| self.is_open(question))
    }

    /// Whether a question waits for an answer: nobody has given one, and the run does not go back from it.
    #[must_use]
    pub fn is_open(&self, question: &RecordedQuestion) -> bool {
        question.answer.is_none() && !(self.back && question.id.track.is_scripts())
    }
}

fn given(outcome: &Outcome, at: Wall) -> RecordedAnswer {
    let Outcome::Done { value, .. } = outcome else {
        return RecordedAnswer { word: String::new(), note: String::new(), by: String::new(), at, elsewhere: false };
    };
    let field = |name| value.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
    let word = if value.as_map().is_some() { field("word") } else { value.to_string() };
    RecordedAnswer { word, note: field("note"), by: field("by"), at, elsewhere: false }
}

impl RecordedQuestion {
    /// What a person is shown: the gate, since when, the text, the evidence, the words.
    #[must_use]
    pub fn shown(&self, style: &Style, zone: &TimeZone) -> String {
        let since = format!("asked since {}", time_of_day(self.since, zone));
        let gate = format!("  {}  ", shown(&self.ask.gate));
        let mut text = format!("{}\n", hanging(style, (Tone::Strong, &gate), &since, 4));
        let mut lines = |label: &str, words: &str| {
            let told = lines_shown(words);
            for (n, line) in told.lines().flat_map(|line| wrap(line, style.width - 14)).enumerate() {
                text += format!("    {:<9} {line}", if n == 0 { label } else { "" }).trim_end();
                text.push('\n');
            }
        };
        lines("question", &self.ask.text);
        lines("evidence", &self.ask.evidence);
        lines("words", &self.words());
        text
    }

    /// What answers it: the words in back-ticks, or what is to be typed.
    #[must_use]
    pub fn words(&self) -> String {
        self.ask.form.wanted()
    }

    /// The command that answers it. Where there is a choice, it is the person's.
    #[must_use]
    pub fn command(&self, run: &str) -> String {
        let word = if self.ask.form.affirmative().is_some() { "" } else { " WORD" };
        format!("baton approve {run} {}{word}", shown(&self.ask.gate))
    }
}

/// The commands that answer these and carry on, one a line.
#[must_use]
pub fn next_commands(run: &str, open: &[RecordedQuestion], style: &Style) -> String {
    let mut text = String::new();
    for (n, question) in open.iter().enumerate() {
        let label = if n == 0 { "next:" } else { "     " };
        text += &format!("{} {}\n", style.paint(Tone::Wait, label), question.command(run));
    }
    let label = if open.is_empty() { "next:" } else { "then:" };
    text += &format!("{} baton resume {run}\n", style.paint(Tone::Wait, label));
    text
}
