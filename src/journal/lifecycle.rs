//! The life of an effect and of a step, as records tell it: how they can stand, what can happen to them, and what may
//! follow what. The one place of that law; it reads no records.

use crate::model::run::effect::Outcome;
use crate::model::value::Value;

/// How an effect stands; numbers are positions in the list of records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EffectPhase {
    /// Asked for, nothing else.
    Open,
    /// It has an outcome.
    Outcome(usize),
    /// Nobody could tell whether it happened.
    Doubt(usize),
    /// A person told.
    Person {
        /// Whether it happened, as they said.
        happened: bool,
    },
    /// To be asked for again.
    Retry,
    /// A person has it left out.
    Skipped(usize),
    /// A question that was answered from elsewhere.
    Answered(usize),
    /// It was undone: it may be asked for again, or something else in its place.
    Undone,
}

/// What a record says of an effect; numbers are positions in the list of records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum EffectEvent {
    /// It is asked for, first or again.
    Asked,
    /// It was asked for and came to something, in one record.
    Read(usize),
    /// It has come to something.
    CameTo(usize),
    /// Nobody can tell whether it happened.
    Doubted(usize),
    /// A person told.
    Settled {
        /// Whether it happened.
        happened: bool,
    },
    /// A person has it tried again.
    Retried,
    /// A person answered it from elsewhere.
    Answered(usize),
    /// A person has it left out.
    Skipped(usize),
    /// What the script asked for from some record on was undone.
    Undone,
}

/// What is known of an effect beside how it stands, as far as the law asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct EffectFacts {
    /// It is to be started once at most, whatever became of it.
    pub(super) once: bool,
    /// It is a question to a person.
    pub(super) asks: bool,
    /// It changes something.
    pub(super) is_change: bool,
    /// It has an outcome, and what it was to do is not done.
    pub(super) not_done: bool,
    /// Other texts were adopted, and something else may be asked for in its place.
    pub(super) loose: bool,
}

/// Why an event cannot follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Illegal {
    /// How it stands does not allow it.
    Stands(EffectPhase),
    /// It is a change that is done.
    Done,
}

impl EffectPhase {
    /// How it stands after this event: the whole law of what may follow what. The facts are only asked for where they
    /// count.
    ///
    /// # Errors
    /// When no runner can have written that: as it stands, or because it is a change that is done.
    pub(super) fn next(self, event: EffectEvent, facts: impl FnOnce() -> EffectFacts) -> Result<Self, Illegal> {
        let allowed = match event {
            EffectEvent::Asked | EffectEvent::Read(_) => match self {
                Self::Open | Self::Retry | Self::Undone | Self::Answered(_) => true,
                Self::Person { happened } => !happened,
                Self::Doubt(_) => !facts().once,
                Self::Outcome(_) => facts().loose,
                Self::Skipped(_) => false,
            },
            EffectEvent::CameTo(_) => match self {
                Self::Open | Self::Doubt(_) | Self::Skipped(_) | Self::Answered(_) => true,
                Self::Person { happened } => happened,
                Self::Outcome(_) | Self::Retry | Self::Undone => false,
            },
            EffectEvent::Doubted(_) => match self {
                Self::Open | Self::Doubt(_) => true,
                Self::Outcome(_) | Self::Person { .. } | Self::Retry => false,
                Self::Skipped(_) | Self::Answered(_) | Self::Undone => false,
            },
            EffectEvent::Settled { .. } => match self {
                Self::Doubt(_) => true,
                Self::Outcome(_) => facts().not_done,
                Self::Open | Self::Person { .. } | Self::Retry => false,
                Self::Skipped(_) | Self::Answered(_) | Self::Undone => false,
            },
            EffectEvent::Retried => match self {
                Self::Outcome(_) => {
                    let EffectFacts { is_change, not_done, .. } = facts();
                    // A change that is done must never be asked for again; anything else that has an outcome may be.
                    if is_change && !not_done {
                        return Err(Illegal::Done);
                    }
                    true
                }
                Self::Open | Self::Doubt(_) | Self::Person { .. } | Self::Retry => false,
                Self::Skipped(_) | Self::Answered(_) | Self::Undone => false,
            },
            EffectEvent::Answered(_) => match self {
                Self::Open => facts().asks,
                Self::Outcome(_) | Self::Doubt(_) | Self::Person { .. } | Self::Retry => false,
                Self::Skipped(_) | Self::Answered(_) | Self::Undone => false,
            },
            EffectEvent::Skipped(_) => match self {
                Self::Open => !facts().asks,
                Self::Doubt(_) | Self::Retry => true,
                Self::Outcome(_) => facts().not_done,
                Self::Person { .. } | Self::Skipped(_) | Self::Answered(_) | Self::Undone => false,
            },
            EffectEvent::Undone => true,
        };
        if !allowed {
            return Err(Illegal::Stands(self));
        }
        Ok(match event {
            EffectEvent::Asked => Self::Open,
            EffectEvent::Read(at) | EffectEvent::CameTo(at) => Self::Outcome(at),
            EffectEvent::Doubted(at) => Self::Doubt(at),
            EffectEvent::Settled { happened } => Self::Person { happened },
            EffectEvent::Retried => Self::Retry,
            EffectEvent::Answered(at) => Self::Answered(at),
            EffectEvent::Skipped(at) => Self::Skipped(at),
            EffectEvent::Undone => Self::Undone,
        })
    }

    /// How it stands, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Open => "is under way",
            Self::Outcome(_) => "has an outcome",
            Self::Doubt(_) => "is in doubt",
            Self::Person { happened: true } => "was settled: it happened",
            Self::Person { happened: false } => "was settled: it did not happen",
            Self::Retry => "is to be tried again",
            Self::Skipped(_) => "is left out",
            Self::Answered(_) => "is answered",
            Self::Undone => "is undone",
        }
    }
}

/// What came of an effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EffectState<'a> {
    /// It has an outcome.
    Settled(&'a Outcome),
    /// It was asked for and has no outcome: it is under way, or its runner died.
    Open,
    /// Nobody could tell whether it happened.
    Doubted {
        /// The evidence that was missing.
        reason: &'a str,
    },
    /// A person said whether it happened.
    SettledByPerson {
        /// Whether it did.
        happened: bool,
    },
    /// Its outcome does not count any more: it is to be asked for again, as a new attempt.
    ToRetry,
    /// A person has it left out.
    Skipped {
        /// The reason they gave.
        reason: &'a str,
        /// Their account.
        by: &'a str,
    },
    /// A question that a person answered from elsewhere.
    Answered {
        /// The answer.
        word: &'a str,
        /// What they added.
        note: &'a str,
        /// Whose answer it is.
        by: &'a str,
    },
    /// It was undone: it may be asked for again, or something else in its place.
    Undone,
}

impl EffectState<'_> {
    /// What a person's word comes to: that it happened, that it is left out, or an answer.
    #[must_use]
    pub fn by_word(&self) -> Option<Outcome> {
        match self {
            Self::SettledByPerson { happened: true } => {
                let value = Value::map([("changed", Value::from(true)), ("settled", Value::from("by a person"))]);
                Some(Outcome::done(value))
            }
            Self::Skipped { reason, by } => {
                Some(Outcome::Skipped { reason: (*reason).to_owned(), by: (*by).to_owned() })
            }
            // The same as one that is given at the terminal.
            Self::Answered { word, note, by } => {
                let fields = [("word", *word), ("note", *note), ("by", *by)];
                Some(Outcome::done(Value::map(fields.map(|(name, text)| (name, Value::from(text))))))
            }
            Self::Settled(_) | Self::Open | Self::Doubted { .. } => None,
            Self::SettledByPerson { happened: false } | Self::ToRetry | Self::Undone => None,
        }
    }
}

/// How far a step is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepPhase {
    /// It began.
    Begun,
    /// It ended.
    Ended {
        /// What went wrong, if something did. Such a step may begin and end once more.
        failed: Option<String>,
    },
    /// A person had it left out.
    Skipped,
}

impl StepPhase {
    /// Whether a step may begin that stands like this; one that never began may.
    pub(super) fn may_begin(before: Option<&Self>) -> bool {
        match before {
            None | Some(Self::Ended { failed: Some(_) }) => true,
            Some(Self::Begun | Self::Skipped | Self::Ended { failed: None }) => false,
        }
    }

    /// Whether a step may end that stands like this. One that failed may end once more.
    pub(super) fn may_end(&self) -> bool {
        match self {
            Self::Begun | Self::Skipped | Self::Ended { failed: Some(_) } => true,
            Self::Ended { failed: None } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EffectEvent as Event, EffectFacts, EffectPhase as Phase, Illegal};

    const PHASES: [(&str, Phase); 9] = [
        ("open", Phase::Open),
        ("outcome", Phase::Outcome(1)),
        ("doubt", Phase::Doubt(1)),
        ("happened", Phase::Person { happened: true }),
        ("not happened", Phase::Person { happened: false }),
        ("retry", Phase::Retry),
        ("skipped", Phase::Skipped(1)),
        ("answered", Phase::Answered(1)),
        ("undone", Phase::Undone),
    ];

    const EVENTS: [(&str, Event); 10] = [
        ("asked", Event::Asked),
        ("read", Event::Read(9)),
        ("came to", Event::CameTo(9)),
        ("doubted", Event::Doubted(9)),
        ("settled +", Event::Settled { happened: true }),
        ("settled -", Event::Settled { happened: false }),
        ("retried", Event::Retried),
        ("answered", Event::Answered(9)),
        ("skipped", Event::Skipped(9)),
        ("undone", Event::Undone),
    ];

    /// What may follow, by event, in the order of `PHASES`: `+` always, `.` never, else what it takes.
    const LAW: [(&str, [&str; 9]); 10] = [
        ("asked", ["+", "loose", "many", ".", "+", "+", ".", "+", "+"]),
        ("read", ["+", "loose", "many", ".", "+", "+", ".", "+", "+"]),
        ("came to", ["+", ".", "+", "+", ".", ".", "+", "+", "."]),
        ("doubted", ["+", ".", "+", ".", ".", ".", ".", ".", "."]),
        ("settled +", [".", "not done", "+", ".", ".", ".", ".", ".", "."]),
        ("settled -", [".", "not done", "+", ".", ".", ".", ".", ".", "."]),
        ("retried", [".", "no change done", ".", ".", ".", ".", ".", ".", "."]),
        ("answered", ["asks", ".", ".", ".", ".", ".", ".", ".", "."]),
        ("skipped", ["no question", "not done", "+", ".", ".", "+", ".", ".", "."]),
        ("undone", ["+", "+", "+", "+", "+", "+", "+", "+", "+"]),
    ];

    fn allows(what: &str, facts: EffectFacts) -> bool {
        match what {
            "+" => true,
            "." => false,
            "loose" => facts.loose,
            "many" => !facts.once,
            "not done" => facts.not_done,
            "no change done" => facts.not_done || !facts.is_change,
            "asks" => facts.asks,
            "no question" => !facts.asks,
            other => panic!("`{other}` is no condition"),
        }
    }

    #[test]
    fn every_event_in_every_phase_follows_or_is_refused_as_the_law_says() {
        for bits in 0..32_u8 {
            let is = |bit: u8| bits & 1 << bit != 0;
            let facts = EffectFacts { once: is(0), asks: is(1), is_change: is(2), not_done: is(3), loose: is(4) };
            for ((name, event), (of, law)) in EVENTS.iter().zip(LAW) {
                assert_eq!(*name, of);
                for ((phase_name, phase), what) in PHASES.iter().zip(law) {
                    let next = phase.next(*event, || facts);
                    let said = format!("{phase_name}, {name}, {facts:?}: {next:?}");
                    assert_eq!(next.is_ok(), allows(what, facts), "{said}");
                    match next {
                        Err(Illegal::Done) => assert!(*name == "retried" && *phase_name == "outcome", "{said}"),
                        Err(Illegal::Stands(stands)) => assert_eq!(stands, *phase, "{said}"),
                        Ok(_) => {}
                    }
                }
            }
        }
    }

    #[test]
    fn an_event_leaves_an_effect_as_it_is_told() {
        let facts = EffectFacts { not_done: true, ..EffectFacts::default() };
        let after = |phase: Phase, event| phase.next(event, || facts);
        assert_eq!(after(Phase::Retry, Event::Asked), Ok(Phase::Open));
        assert_eq!(after(Phase::Undone, Event::Read(9)), Ok(Phase::Outcome(9)));
        assert_eq!(after(Phase::Open, Event::CameTo(9)), Ok(Phase::Outcome(9)));
        assert_eq!(after(Phase::Open, Event::Doubted(9)), Ok(Phase::Doubt(9)));
        assert_eq!(after(Phase::Doubt(1), Event::Settled { happened: true }), Ok(Phase::Person { happened: true }));
        assert_eq!(after(Phase::Outcome(1), Event::Retried), Ok(Phase::Retry));
        assert_eq!(
            Phase::Open.next(Event::Answered(9), || EffectFacts { asks: true, ..facts }),
            Ok(Phase::Answered(9))
        );
        assert_eq!(after(Phase::Outcome(1), Event::Skipped(9)), Ok(Phase::Skipped(9)));
        assert_eq!(after(Phase::Outcome(1), Event::Undone), Ok(Phase::Undone));
    }
}
