//! Looking back: what became of changes that were asked for, before they are undone. Nothing is started here. What
//! was found is recorded under a name of its own, so that a runner that goes on after a crash knows it.

use super::core::RunCore;
use super::replay::in_doubt;
use super::replayer::Replayer;
use super::{Halt, Halted, written_effect};
use crate::error::{Error, Kind};
use crate::exec::{self, JobFound, Order};
use crate::journal::history::{EffectState, Past};
use crate::journal::rollback_plan::Happened;
use crate::model::run::effect::{Action, Effect, Failure, FailureKind, Outcome};
use crate::model::run::ids::Aside;
use crate::model::run::record::{EffectId, Ending, Fact, TrackId};
use crate::model::value::Value;
use crate::world::Stopped;

/// Who looks back for a run.
pub(super) struct Reconciler<'a> {
    /// The run.
    pub(super) core: &'a RunCore,
    /// What is on record of it.
    pub(super) replayer: &'a Replayer,
}

impl Reconciler<'_> {
    /// Finds out what became of the changes that a former runner left without an outcome, wherever they were asked for
    /// but on the way back that is under way, whose own record comes to them. What a host cannot tell is in doubt, and
    /// stays so: whoever gives a run up needs no word on it, and is told. What runs on is waited for.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub(super) fn settle_all(&self) -> Result<(), Halted> {
        if self.replayer.is_only(self.core) {
            return Ok(());
        }
        self.write_words()?;
        for id in self.replayer.history.unsettled() {
            self.find_out(&id, OnDoubt::Stays)?;
        }
        Ok(())
    }

    /// The same for lines typed in the REPL, which no replay of the script asks for again. A doubt stops the run.
    ///
    /// # Errors
    /// [`Halted`] as above.
    pub(super) fn settle_typed(&self) -> Result<(), Halted> {
        if self.replayer.is_only(self.core) {
            return Ok(());
        }
        self.write_words()?;
        for id in self.replayer.history.unsettled().into_iter().filter(|id| id.track.is_typed()) {
            match self.replayer.history.recorded(&id) {
                Some(Past { state: EffectState::Open, .. }) => drop(self.find_out(&id, OnDoubt::Stops)?),
                Some(Past { state: EffectState::Doubted { reason }, effect, .. }) => {
                    return Err(self.core.halt(in_doubt(&self.core.run, &id, effect, reason)));
                }
                // What took too long is told as such: a line in somebody's hands does not hold the run up.
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// What a person has said of typed lines becomes their outcome.
    fn write_words(&self) -> Result<(), Halted> {
        for (id, attempt, outcome) in self.replayer.history.typed_by_word() {
            self.core.append(Fact::Outcome { id, attempt, outcome }.at(self.core.moment()))?;
        }
        Ok(())
    }

    /// What became of a change. One that a runner left open gets its outcome.
    pub(super) fn look_at(&self, id: &EffectId) -> Result<Happened, Halted> {
        self.find_out(id, OnDoubt::Stops)
    }

    fn find_out(&self, id: &EffectId, on_doubt: OnDoubt) -> Result<Happened, Halted> {
        let Some(past) = self.replayer.history.recorded(id) else { return Ok(Happened::Never) };
        if !past.effect.is_change() {
            return Ok(Happened::Never);
        }
        let key = self.beside(Aside::Seen, id);
        if let Some(known) = self.replayer.history.recorded(&key) {
            return self.known(&key, &known);
        }
        if self.replayer.is_only(self.core) {
            return Err(Halted);
        }
        let (run, scanners, since) = (&self.core.run, &*self.core.scanners, past.since);
        let (attempt, base, effect) = (past.attempt, past.base, past.effect);
        let kept_in = Ok(past.kept_in);
        let order = Order { run, id, attempt, base, effect, since, recovering: true, kept_in, scanners };
        let found = exec::settle(self.core, order).map_err(|Stopped| Halted)?;
        let (fate, outcome) = match found {
            JobFound::Ended(outcome @ Outcome::Done { .. }) => (Happened::Happened, outcome),
            JobFound::Ended(outcome) => (Happened::Unclear, outcome),
            JobFound::Never => (Happened::Never, never(effect)),
            JobFound::Runs { job } => return Err(self.runs_on(effect, &job)),
            JobFound::Doubt { reason } | JobFound::Hidden { reason } if on_doubt == OnDoubt::Stays => {
                return self.leave_in_doubt(&past, reason);
            }
            JobFound::Doubt { reason } if past.state == EffectState::Open => {
                return Err(written_effect::doubt(self.core, (id, attempt), effect, reason));
            }
            JobFound::Doubt { reason } => return Err(self.begin_doubt(&key, id, effect, reason)),
            JobFound::Hidden { reason } => return Err(self.hidden(effect, reason)),
        };
        let is_without = match past.state {
            EffectState::Open => true,
            EffectState::Doubted { .. } => on_doubt == OnDoubt::Stays,
            EffectState::Settled(_) | EffectState::SettledByPerson { .. } | EffectState::ToRetry => false,
            EffectState::Skipped { .. } | EffectState::Answered { .. } | EffectState::Undone => false,
        };
        let record = if is_without {
            Fact::Outcome { id: id.clone(), attempt, outcome }.at(self.core.moment())
        } else {
            let word = Outcome::done(word(fate));
            let text = format!("{}: {}", effect.label, word_for_people(fate));
            written_effect::both(self.core, &key, &looking(effect, &text), None, word)
        };
        self.core.append(record)?;
        Ok(fate)
    }

    /// Nobody can tell what became of it, and nobody has to: it stays on record as in doubt.
    fn leave_in_doubt(&self, past: &Past<'_>, reason: String) -> Result<Happened, Halted> {
        if past.state == EffectState::Open {
            let (id, attempt) = (past.id.clone(), past.attempt);
            self.core.append(Fact::Doubt { id, attempt, reason }.at(self.core.moment()))?;
        }
        Ok(Happened::Unclear)
    }

    /// A job runs longer than it may: nothing is done beside it.
    fn runs_on(&self, effect: &Effect, job: &str) -> Halted {
        let host = effect.host.as_deref().unwrap_or_default();
        let error = Error::new(self.kind_of_stop(), format!("`{}` still runs on `{host}`", effect.label))
            .cause(format!("{job} has run longer than it may; nothing is done beside it"))
            .hint(format!("wait for it, or end it on `{host}`, then go on: baton resume {}", self.core.run));
        self.core.halt(Halt { ending: Ending::Failed, error, effect: None })
    }

    fn hidden(&self, effect: &Effect, reason: String) -> Halted {
        let error = Error::new(self.kind_of_stop(), format!("nobody knows what became of `{}`", effect.label))
            .cause(reason)
            .hint(format!("when it can be looked at, go on: baton resume {}", self.core.run));
        self.core.halt(Halt { ending: Ending::Failed, error, effect: None })
    }

    fn kind_of_stop(&self) -> Kind {
        if self.replayer.history.way_back().is_some() { Kind::RollbackIncomplete } else { Kind::Failed }
    }

    fn known(&self, key: &EffectId, known: &Past<'_>) -> Result<Happened, Halted> {
        match known.state {
            EffectState::Settled(Outcome::Done { value, .. }) => Ok(match value.as_text() {
                Some("happened") => Happened::Happened,
                Some("never") => Happened::Never,
                Some(_) | None => Happened::Unclear,
            }),
            EffectState::SettledByPerson { happened: true } => Ok(Happened::Happened),
            EffectState::SettledByPerson { happened: false } => Ok(Happened::Never),
            EffectState::Doubted { .. } if self.replayer.is_only(self.core) => Err(Halted),
            EffectState::Doubted { reason } => Err(self.core.halt(in_doubt(&self.core.run, key, known.effect, reason))),
            EffectState::Settled(_) | EffectState::Open | EffectState::ToRetry | EffectState::Skipped { .. } => {
                Ok(Happened::Unclear)
            }
            EffectState::Answered { .. } | EffectState::Undone => Ok(Happened::Unclear),
        }
    }

    /// What a person says of a change of which nobody can tell whether it happened.
    pub(super) fn ask_word_on(&self, id: &EffectId, reason: &str) -> Result<bool, Halted> {
        let Some(past) = self.replayer.history.recorded(id) else { return Ok(false) };
        let key = self.beside(Aside::Told, id);
        match self.replayer.history.recorded(&key).map(|known| known.state) {
            Some(EffectState::SettledByPerson { happened }) => Ok(happened),
            Some(_) | None if self.replayer.is_only(self.core) => Err(Halted),
            Some(EffectState::Doubted { reason }) => {
                Err(self.core.halt(in_doubt(&self.core.run, &key, past.effect, reason)))
            }
            Some(_) | None => Err(self.begin_doubt(&key, id, past.effect, reason.to_owned())),
        }
    }

    /// Puts a doubt on record beside the change it is about: that one has an outcome already.
    fn begin_doubt(&self, key: &EffectId, id: &EffectId, effect: &Effect, reason: String) -> Halted {
        let looking = looking(effect, &format!("{} ({id}): nobody can tell", effect.label));
        let attempt = self.replayer.history.recorded(key).map_or(1, |past| past.attempt + 1);
        let intent = written_effect::intent(self.core, (key, attempt), &looking, None, None, self.core.moment());
        match self.core.append(intent) {
            Ok(()) => written_effect::doubt(self.core, (key, attempt), effect, reason),
            Err(halted) => halted,
        }
    }

    /// A name on this way back for what is found out about an effect.
    fn beside(&self, what: Aside, id: &EffectId) -> EffectId {
        what.of(id, &TrackId::rollback(self.replayer.history.rollbacks()))
    }
}

/// What a doubt comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDoubt {
    /// The run stops until a person has said.
    Stops,
    /// It is on record, and the run goes on.
    Stays,
}

/// The note under which a look is recorded.
fn looking(effect: &Effect, text: &str) -> Effect {
    let action = Action::Note { text: format!("looked at {text}"), warning: false };
    Effect { action, label: effect.label.clone(), undo: None, before: None, ..effect.clone() }
}

fn word(fate: Happened) -> Value {
    Value::from(match fate {
        Happened::Happened => "happened",
        Happened::Never => "never",
        Happened::Unclear | Happened::Unseen => "unclear",
    })
}

fn word_for_people(fate: Happened) -> &'static str {
    match fate {
        Happened::Happened => "it happened",
        Happened::Never => "it was never started",
        Happened::Unclear | Happened::Unseen => "it began and did not end well",
    }
}

fn never(effect: &Effect) -> Outcome {
    let message = format!("`{}` was never started", effect.label);
    Outcome::Failed(Failure { kind: FailureKind::Unreachable, message, exit: None, output: String::new() })
}
