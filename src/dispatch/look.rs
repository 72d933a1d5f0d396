//! Looking back: what became of changes that were asked for, before they are undone. Nothing is started here. What
//! was found is recorded under a name of its own, so that a runner that goes on after a crash knows it.

use crate::dispatch::dispatcher::Dispatcher;
use crate::dispatch::replay::in_doubt;
use crate::dispatch::{Door, Halt, Halted};
use crate::error::{Error, Kind};
use crate::exec::{self, Found, Order};
use crate::journal::Stored;
use crate::journal::history::{History, Past, State};
use crate::journal::way_back::{Aside, Fate};
use crate::model::run::effect::{Action, Effect, Failure, FailureKind, Outcome};
use crate::model::run::record::{EffectId, Ending, Record, TrackId};
use crate::model::value::Value;
use crate::world::Stopped;

impl Dispatcher {
    /// What is on record now, with what this runner has written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn recorded_now(&self) -> Result<History, Box<Error>> {
        let mut history = History::from(self.store.borrow().read(&self.run)?)?;
        let kept: Vec<Record> = self.tracks.borrow().values().flat_map(|track| track.pending.clone()).collect();
        history.extend((history.len() + 1..).zip(kept).map(|(seq, record)| Stored { seq, record }).collect())?;
        Ok(history)
    }

    /// What became of a change. One that a runner left open gets its outcome.
    pub(super) fn look_at(&self, id: &EffectId) -> Result<Fate, Halted> {
        let Some(past) = self.history.recorded(id) else { return Ok(Fate::Never) };
        if !past.effect.is_change() {
            return Ok(Fate::Never);
        }
        let key = self.beside(Aside::Seen, id);
        if let Some(known) = self.history.recorded(&key) {
            return self.known(&key, &known);
        }
        if self.is_walled() {
            return Err(Halted);
        }
        let (run, scanners, since) = (&self.run, &*self.scanners, past.since);
        let (attempt, base, effect) = (past.attempt, past.base, past.effect);
        let kept_in = Ok(past.kept_in);
        let order = Order { run, id, attempt, base, effect, since, recovering: true, kept_in, scanners };
        let found = exec::settle(self, order).map_err(|Stopped| Halted)?;
        let (fate, outcome) = match found {
            Found::Ended(outcome @ Outcome::Done { .. }) => (Fate::Happened, outcome),
            Found::Ended(outcome) => (Fate::Unclear, outcome),
            Found::Never => (Fate::Never, never(effect)),
            Found::Doubt { reason } if past.state == State::Open => {
                return Err(self.doubt(id, attempt, effect, reason));
            }
            Found::Doubt { reason } => return Err(self.begin_doubt(&key, id, effect, reason)),
            Found::Hidden { reason } => {
                let error =
                    Error::new(Kind::RollbackIncomplete, format!("nobody knows what became of `{}`", effect.label))
                        .cause(reason)
                        .hint(format!("when it can be looked at, go on: baton resume {run}"));
                return Err(self.halt(Halt { ending: Ending::Failed, error, effect: None }));
            }
        };
        let record = match past.state {
            State::Open => Record::Outcome { id: id.clone(), attempt, outcome, at: self.moment() },
            State::Settled(_)
            | State::Doubted { .. }
            | State::SettledByPerson { .. }
            | State::ToRetry
            | State::Skipped { .. }
            | State::Answered { .. }
            | State::Undone => {
                let word = Outcome::done(word(fate));
                self.read_record(
                    &key,
                    &looking(effect, &format!("{}: {}", effect.label, word_for_people(fate))),
                    None,
                    word,
                )
            }
        };
        self.append(record)?;
        Ok(fate)
    }

    fn known(&self, key: &EffectId, known: &Past<'_>) -> Result<Fate, Halted> {
        match known.state {
            State::Settled(Outcome::Done { value, .. }) => Ok(match value.as_text() {
                Some("happened") => Fate::Happened,
                Some("never") => Fate::Never,
                Some(_) | None => Fate::Unclear,
            }),
            State::SettledByPerson { happened: true } => Ok(Fate::Happened),
            State::SettledByPerson { happened: false } => Ok(Fate::Never),
            State::Doubted { .. } if self.is_walled() => Err(Halted),
            State::Doubted { reason } => Err(self.halt(in_doubt(&self.run, key, known.effect, reason))),
            State::Settled(_) | State::Open | State::ToRetry | State::Skipped { .. } => Ok(Fate::Unclear),
            State::Answered { .. } | State::Undone => Ok(Fate::Unclear),
        }
    }

    /// What a person says of a change of which nobody can tell whether it happened.
    pub(super) fn ask_word_on(&self, id: &EffectId, reason: &str) -> Result<bool, Halted> {
        let Some(past) = self.history.recorded(id) else { return Ok(false) };
        let key = self.beside(Aside::Told, id);
        match self.history.recorded(&key).map(|known| known.state) {
            Some(State::SettledByPerson { happened }) => Ok(happened),
            Some(_) | None if self.is_walled() => Err(Halted),
            Some(State::Doubted { reason }) => Err(self.halt(in_doubt(&self.run, &key, past.effect, reason))),
            Some(_) | None => Err(self.begin_doubt(&key, id, past.effect, reason.to_owned())),
        }
    }

    /// Puts a doubt on record beside the change it is about: that one has an outcome already.
    fn begin_doubt(&self, key: &EffectId, id: &EffectId, effect: &Effect, reason: String) -> Halted {
        let looking = looking(effect, &format!("{} ({id}): nobody can tell", effect.label));
        let attempt = self.history.recorded(key).map_or(1, |past| past.attempt + 1);
        let intent = self.intent((key, attempt), &looking, None, None, self.moment());
        match self.append(intent) {
            Ok(()) => self.doubt(key, attempt, effect, reason),
            Err(halted) => halted,
        }
    }

    /// A name on this way back for what is found out about an effect.
    fn beside(&self, what: Aside, id: &EffectId) -> EffectId {
        what.of(id, &TrackId::rollback(self.history.rollbacks()))
    }
}

/// The note under which a look is recorded.
fn looking(effect: &Effect, text: &str) -> Effect {
    let action = Action::Note { text: format!("looked at {text}"), warning: false };
    Effect { action, label: effect.label.clone(), undo: None, before: None, ..effect.clone() }
}

fn word(fate: Fate) -> Value {
    Value::from(match fate {
        Fate::Happened => "happened",
        Fate::Never => "never",
        Fate::Unclear | Fate::Unseen => "unclear",
    })
}

fn word_for_people(fate: Fate) -> &'static str {
    match fate {
        Fate::Happened => "it happened",
        Fate::Never => "it was never started",
        Fate::Unclear | Fate::Unseen => "it began and did not end well",
    }
}

fn never(effect: &Effect) -> Outcome {
    let message = format!("`{}` was never started", effect.label);
    Outcome::Failed(Failure { kind: FailureKind::Unreachable, message, exit: None, output: String::new() })
}
