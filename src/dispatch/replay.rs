//! Replay: what the record says of an effect that is asked for again. Pure judgement; it performs nothing.
//! Messages speak of `recorded` and `attempted`, never of expected and actual.

use crate::dispatch::Halt;
use crate::error::{Error, Kind};
use crate::journal::history::{self, EffectState, Past};
use crate::model::run::effect::{Action, Effect, Failure, FailureKind, Outcome};
use crate::model::run::record::{EffectId, Ending, Moment};

/// How an effect that the record does not settle is to be performed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StartOrRecover {
    /// For the first time, or as a new attempt.
    Begin {
        /// Which attempt it is.
        attempt: u32,
        /// The first attempt that asked for the same and still counts.
        base: u32,
    },
    /// A former runner began this attempt and wrote no outcome.
    Recover {
        /// Which attempt it is.
        attempt: u32,
        /// The first attempt that asked for the same and still counts.
        base: u32,
        /// When it was begun: limits count from here.
        since: Moment,
        /// Where the host keeps what it knows of it, if that was known before it was asked for.
        kept_in: Option<String>,
    },
}

impl StartOrRecover {
    /// What was never asked for.
    pub(super) const FIRST: Self = Self::Begin { attempt: 1, base: 1 };

    /// Whether it asks for something else than the attempt before it did.
    pub(super) fn is_otherwise(&self) -> bool {
        matches!(self, Self::Begin { attempt, base } if attempt == base)
    }

    /// Whether a former runner began it.
    pub(super) fn is_recovery(&self) -> bool {
        matches!(self, Self::Recover { .. })
    }
}

/// What the record says.
pub(super) enum ReplayDecision {
    /// This outcome is on record.
    Recorded(Outcome),
    /// A person said that this attempt happened: its outcome is written now.
    Settled(Outcome, u32),
    /// It has to be performed.
    Live(StartOrRecover),
    /// The run cannot go on.
    Halt(Box<Halt>),
}

/// Judges an effect against its past.
pub(super) fn verdict(run: &str, id: &EffectId, past: &Past<'_>, effect: &Effect, step: &str) -> ReplayDecision {
    let (attempt, base) = (past.attempt, past.base);
    let same = past.step == step && asks_the_same(past, effect);
    if !same && past.gives_way {
        return ReplayDecision::Live(StartOrRecover::Begin { attempt: attempt + 1, base: attempt + 1 });
    }
    if !same {
        let error = history::mismatch(past, effect, step).hint(format!("see what is on record: baton show {run}"));
        return ReplayDecision::Halt(Box::new(Halt { ending: Ending::Refused, error, effect: Some(id.clone()) }));
    }
    match &past.state {
        EffectState::Settled(outcome) => ReplayDecision::Recorded((*outcome).clone()),
        EffectState::Open => {
            let (since, kept_in) = (past.since.clone(), past.kept_in.map(str::to_owned));
            ReplayDecision::Live(StartOrRecover::Recover { attempt, base, since, kept_in })
        }
        EffectState::Doubted { reason } => ReplayDecision::Halt(Box::new(in_doubt(run, id, effect, reason))),
        EffectState::SettledByPerson { .. }
        | EffectState::Skipped { .. }
        | EffectState::Answered { .. }
        | EffectState::ToRetry => match past.state.by_word() {
            Some(outcome) => ReplayDecision::Settled(outcome, attempt),
            None => ReplayDecision::Live(StartOrRecover::Begin { attempt: attempt + 1, base }),
        },
        EffectState::Undone => ReplayDecision::Live(StartOrRecover::Begin { attempt: attempt + 1, base: attempt + 1 }),
    }
}

/// Whether an effect asks what is on record. Comparing it is faster than its digest, which still decides when a value
/// did not survive being written and read, as the last bit of a number may not.
fn asks_the_same(past: &Past<'_>, effect: &Effect) -> bool {
    let (before, now) = (past.effect, effect);
    let same = before.action == now.action && before.host == now.host && before.service == now.service;
    same || past.digest == effect.digest()
}

/// The run stops because nobody can tell whether an effect happened.
pub(super) fn in_doubt(run: &str, id: &EffectId, effect: &Effect, reason: &str) -> Halt {
    let on = effect.host.as_ref().map_or_else(String::new, |host| format!(" on {host}"));
    let error = Error::new(Kind::InDoubt, format!("`{}`{on} may or may not have happened", effect.label))
        .cause(reason)
        .hint("look at the host; baton does not guess and does not repeat it")
        .hint(format!("if it happened:     baton resume {run} --happened \"why you know\""))
        .hint(format!("if it did not:      baton resume {run} --not-happened \"why you know\""));
    Halt { ending: Ending::Doubt, error, effect: Some(id.clone()) }
}

/// The run stops because nobody is there to answer a question.
pub(super) fn unanswered(run: &str, id: &EffectId, effect: &Effect, reason: &str) -> Halt {
    let (gate, question) = match &effect.action {
        Action::Ask(ask) => (ask.gate.as_str(), ask.text.as_str()),
        Action::Job(_) | Action::Probe(_) | Action::Log(_) | Action::Until(_) | Action::Sleep { .. } => ("", ""),
        Action::Put(_) | Action::Fetch(_) => ("", ""),
        Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => ("", ""),
    };
    let error = Error::new(Kind::Suspended, format!("gate `{gate}` waits for an answer: {question}"))
        .cause(reason)
        .hint(format!("answer it, here or elsewhere: baton approve {run} {gate}"))
        .hint(format!("and then: baton resume {run}"));
    Halt { ending: Ending::Suspended, error, effect: Some(id.clone()) }
}

/// A step of the same number has another name on record.
pub(super) fn other_step(number: &str, recorded: &str, attempted: &str) -> Halt {
    let error = Error::new(Kind::Refused, format!("step {number} is another one than in the record"))
        .cause(format!("recorded  `{recorded}`"))
        .cause(format!("attempted `{attempted}`"))
        .hint("nothing was done; the record is as it was");
    Halt { ending: Ending::Refused, error, effect: None }
}

/// Something else is asked for where the record has a parallel, or the other way round.
pub(super) fn not_a_fork(id: &EffectId, recorded: &str, attempted: &str) -> Halt {
    let error = Error::new(Kind::Refused, "the runbook departs from its journal: tracks are recorded otherwise")
        .cause(format!("recorded  `{recorded}`"))
        .cause(format!("attempted `{attempted}`"))
        .hint("nothing was done; the record is as it was");
    Halt { ending: Ending::Refused, error, effect: Some(id.clone()) }
}

/// The script ended, but the record goes on.
pub(super) fn left_over(replayed: usize, recorded: usize) -> Box<Error> {
    Error::new(Kind::Refused, "the script came to its end before the record did")
        .cause(format!("recorded  {recorded} effects"))
        .cause(format!("attempted {replayed} effects"))
        .hint("nothing was done; the record is as it was")
}

/// An idempotent job vanished again and again without a result.
pub(super) fn gave_up(attempts: u32, reason: &str) -> Failure {
    let message = format!("given up after {attempts} attempts: {reason}");
    Failure { kind: FailureKind::Goal, message, exit: None, output: String::new() }
}
