//! Where a run that is steered stands still: what was aimed at, what breaks in, and how a stop is told. It looks at
//! what is ahead and decides only whether to stop there.

use crate::dispatch::{EffectAhead, StepAhead};
use crate::model::run::effect::{Action, Class};
use crate::model::run::record::{ScriptPoint, TrackId, is_in_step};
use crate::model::run::step_name::StepName;
use crate::model::text::shown;
use crate::report::ahead::again;

/// How far a run goes before it stops by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the next step that is not part of this one, if one is named.
    Step(Option<String>),
    /// To the next effect.
    Effect,
    /// To this step, or behind it if it does not come.
    Until(StepName),
}

impl Target {
    /// Whether the run stops before this step.
    pub(crate) fn is_step(&self, ahead: &StepAhead<'_>) -> bool {
        match self {
            Self::Step(None) => true,
            Self::Step(Some(past)) => !is_in_step(ahead.number, past) && !is_in_step(past, ahead.number),
            Self::Effect => false,
            Self::Until(step) => step.fits(ahead.number, ahead.name) || step.is_passed(ahead.number),
        }
    }

    /// Whether the run stops before this effect. What only notes is no reason to stop.
    pub(crate) fn is_effect(&self, ahead: &EffectAhead<'_>) -> bool {
        *self == Self::Effect && ahead.effect.class() != Class::Meta
    }
}

/// Whether a breakpoint means this step.
pub(crate) fn breaks_at_step(word: &str, ahead: &StepAhead<'_>) -> bool {
    ahead.name == word || ahead.number == word
}

/// Whether a breakpoint means the verb, host or service of this effect.
pub(crate) fn breaks_at_effect(word: &str, ahead: &EffectAhead<'_>) -> bool {
    let effect = ahead.effect;
    let names = [Some(effect.verb()), effect.host.as_deref(), effect.service.as_deref()];
    names.into_iter().flatten().any(|name| name == word)
}

/// A place where the run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// On which track.
    pub(crate) track: TrackId,
    /// As the record has it.
    pub(crate) point: ScriptPoint,
    /// What is ahead.
    pub(crate) ahead: Ahead,
    /// Number and name of the step that is next because it was undone, where the run stands at the end of its record.
    pub(crate) undone: Option<(String, String)>,
}

/// What is ahead of a run that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// A step.
    Step {
        /// Its number.
        number: String,
        /// Its name.
        name: String,
        /// What to tell.
        words: String,
    },
    /// An effect.
    Effect {
        /// The number of its step.
        step: String,
        /// The call.
        label: String,
        /// What to tell.
        words: String,
    },
    /// The script is over, or stands where its record ends.
    Nothing,
}

impl Stop {
    /// Before a step.
    pub(crate) fn before_step(ahead: &StepAhead<'_>) -> Self {
        let place = ahead.place.map_or_else(String::new, |place| format!("   ({place})"));
        let words = format!("next: step {} `{}`{place}", ahead.number, shown(ahead.name));
        let number = ahead.number.to_owned();
        Self {
            track: ahead.track.clone(),
            point: ScriptPoint::Step(number.clone()),
            ahead: Ahead::Step { number, name: ahead.name.to_owned(), words },
            undone: None,
        }
    }

    /// Before an effect: what it will do, behind the verb.
    pub(crate) fn before_effect(ahead: &EffectAhead<'_>) -> Self {
        let effect = ahead.effect;
        let host = effect.host.as_deref().map_or_else(String::new, |host| format!(" on {host}"));
        let again = if ahead.attempt > 1 { format!(", {}", again(effect, ahead.attempt)) } else { String::new() };
        let mut words = format!("next: {}{host}   ({}{again})", shown(&effect.label), effect.class());
        let argv = match &effect.action {
            Action::Job(job) => &job.argv[..],
            Action::Probe(probe) => &probe.argv[..],
            Action::Log(_) | Action::Until(_) | Action::Sleep { .. } | Action::Ask(_) => &[],
            Action::Put(_) | Action::Fetch(_) => &[],
            Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => &[],
        };
        if !argv.is_empty() {
            words += &format!("\n      runs {}", shown(&argv.join(" ")));
        }
        if let Some(undo) = &effect.undo {
            words += &format!("\n      undone by {}", shown(&undo.verb));
        }
        let step = ahead.step.to_owned();
        Self {
            track: ahead.id.track.clone(),
            point: ScriptPoint::Effect(ahead.id.clone()),
            ahead: Ahead::Effect { step, label: effect.label.clone(), words },
            undone: None,
        }
    }

    /// The same in words for people.
    pub(crate) fn place(&self) -> String {
        match (&self.ahead, &self.point) {
            (Ahead::Effect { label, .. }, _) => format!("`{}`", shown(label)),
            (_, ScriptPoint::Step(number)) => format!("step {number}"),
            (_, ScriptPoint::Effect(_)) => "the call at which its record ends".to_owned(),
            (_, ScriptPoint::End) => "end".to_owned(),
        }
    }

    /// What is told of what is ahead, several lines.
    pub(crate) fn words(&self) -> Option<String> {
        match (&self.ahead, &self.undone) {
            (Ahead::Step { words, .. } | Ahead::Effect { words, .. }, _) => Some(words.clone()),
            (Ahead::Nothing, Some((number, name))) => Some(format!("next: step {number} `{}`", shown(name))),
            (Ahead::Nothing, None) => None,
        }
    }

    /// Where nothing is ahead of the script, or a step that was undone.
    pub(crate) fn at_rest(point: ScriptPoint, undone: Option<(String, String)>) -> Self {
        Self { track: point.track(), point, ahead: Ahead::Nothing, undone }
    }

    /// Behind the step that is ahead.
    pub(crate) fn behind(&self) -> Target {
        match &self.ahead {
            Ahead::Step { number, .. } => Target::Step(Some(number.clone())),
            Ahead::Nothing => Target::Step(self.undone.as_ref().map(|(number, _)| number.clone())),
            Ahead::Effect { .. } => Target::Step(None),
        }
    }

    /// What stands before the cursor.
    pub(crate) fn prompt(&self) -> String {
        let number = match &self.ahead {
            Ahead::Step { number, .. } | Ahead::Effect { step: number, .. } => number,
            Ahead::Nothing => self.undone.as_ref().map_or("", |(number, _)| number),
        };
        if number.is_empty() { "baton> ".to_owned() } else { format!("baton {number}> ") }
    }
}
