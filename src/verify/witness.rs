//! Who listens to what a run says while it is played: nothing may be shown that is not on record, and no sentence may
//! claim what is not so when it is said. It also keeps what was heard, in order, for whoever tells the story.

use super::scene::RUN;
use super::violation::{Oracle, Violation};
use crate::journal::memory::MemoryStore;
use crate::model::run::effect::Action;
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{Fact, Record};
use crate::model::value::Value;
use crate::sim::{SimEstate, Struck};
use std::cell::RefCell;
use std::rc::Rc;

/// Something that happened in a play, in the order in which it came to light.
#[derive(Debug, Clone)]
pub(super) enum Heard {
    /// The run wrote this down.
    Record(Rc<Record>),
    /// Something went wrong on the site.
    Struck(Struck),
    /// Something speaks against the play.
    Wrong {
        /// What.
        finding: Violation,
        /// How the site stood when it came to light.
        truth: Value,
    },
    /// A runner died, and the next one came: whether to go on or to go back.
    Died {
        /// Which, from 0.
        runner: usize,
        /// To go back.
        back: bool,
    },
}

/// What was heard in one play. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness(Rc<RefCell<Testimony>>);

#[derive(Debug, Clone, Default)]
struct Testimony {
    wrong: Vec<Violation>,
    strikes: usize,
    violations: usize,
    /// What was heard; nothing where nobody tells the story.
    story: Option<Vec<Heard>>,
}

impl Witness {
    /// One who remembers all of it.
    pub(super) fn remembering() -> Self {
        Self(Rc::new(RefCell::new(Testimony { story: Some(Vec::new()), ..Testimony::default() })))
    }

    /// One who has heard the same so far.
    pub(super) fn fork(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// What speaks against the play.
    pub(super) fn wrong(&self) -> Vec<Violation> {
        self.0.borrow().wrong.clone()
    }

    /// All of it, in order.
    pub(super) fn story(&self) -> Vec<Heard> {
        self.0.borrow().story.clone().unwrap_or_default()
    }

    /// Notes something.
    pub(super) fn note(&self, heard: Heard) {
        if let Some(story) = &mut self.0.borrow_mut().story {
            story.push(heard);
        }
    }

    /// Something speaks against the play.
    pub(super) fn complain(&self, finding: Violation, estate: &SimEstate) {
        let known = self.0.borrow().wrong.contains(&finding);
        if !known {
            self.0.borrow_mut().wrong.push(finding.clone());
            self.note_wrong(finding, estate);
        }
    }

    fn note_wrong(&self, finding: Violation, estate: &SimEstate) {
        if self.0.borrow().story.is_some() {
            let truth = estate.summary().unwrap_or_default();
            self.note(Heard::Wrong { finding, truth });
        }
    }

    /// Notes what has happened on the site since this was last asked.
    pub(super) fn catch_up(&self, estate: &SimEstate) {
        if self.0.borrow().story.is_none() {
            return;
        }
        let (struck, violations) = (estate.struck(), estate.ledger().violations);
        let (strikes, known) = (self.0.borrow().strikes, self.0.borrow().violations);
        struck.iter().skip(strikes).for_each(|struck| self.note(Heard::Struck(struck.clone())));
        for (_, text) in violations.iter().skip(known) {
            self.note_wrong(Violation::new(Oracle::Invariant, text.clone()), estate);
        }
        let mut testimony = self.0.borrow_mut();
        (testimony.strikes, testimony.violations) = (struck.len(), violations.len());
    }
}

/// The ears of a witness at one runner.
pub(super) struct Ears {
    pub(super) witness: Witness,
    pub(super) estate: SimEstate,
    pub(super) store: MemoryStore,
}

impl Sink for Ears {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Recorded { seq, record, replayed: false } => {
                self.witness.catch_up(&self.estate);
                self.witness.note(Heard::Record(Rc::clone(record)));
                if *seq > self.store.count(RUN) as u64 {
                    let text = format!("`{}` was shown before it was on record", record.fact.name());
                    self.witness.complain(Violation::new(Oracle::Promise, text), &self.estate);
                }
                self.weigh(&said_in(&record.fact));
            }
            Event::Notice { text } => self.weigh(text),
            Event::Recorded { .. } | Event::Waiting { .. } | Event::LogSeen { .. } | Event::Output { .. } => {}
            Event::Ahead { .. } | Event::Prompt { .. } | Event::Typed { .. } | Event::Words { .. } => {}
        }
    }
}

impl Ears {
    /// Whether what is said is true. What goes wrong in the very instant in which it is said nobody can have seen.
    fn weigh(&self, text: &str) {
        let now = self.estate.now();
        if text.is_empty() || self.estate.struck().last().is_some_and(|struck| struck.when == now) {
            return;
        }
        for sentence in self.estate.false_claims(text) {
            let finding = Violation::new(Oracle::Sentence, format!("\"{sentence}\" is not so"));
            self.witness.complain(finding, &self.estate);
        }
    }
}

/// What a record says to people.
fn said_in(fact: &Fact) -> String {
    if let Fact::Ended { message, .. } = fact {
        return message.clone();
    }
    let (Fact::Intent { effect, .. } | Fact::Read { effect, .. }) = fact else { return String::new() };
    match &effect.action {
        Action::Ask(ask) => ask.text.clone(),
        Action::Note { text, .. } | Action::NoReturn { why: text } => text.clone(),
        Action::Job(_) | Action::Put(_) | Action::Fetch(_) | Action::Probe(_) | Action::Log(_) => String::new(),
        Action::Until(_) | Action::Sleep { .. } | Action::Capture(_) => String::new(),
    }
}
