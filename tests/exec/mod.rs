//! How effects are performed and recovered, against a scripted world.

mod fake;
mod follow;
mod job;
mod log;
mod other;

use baton::exec::{ExecResult, Order, Scanners, perform};
use baton::model::run::effect::{Action, Effect, Failure, Outcome, Probe};
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::mark::Mark;
use baton::model::run::reading::Reading;
use baton::model::run::record::{EffectId, Moment, TrackId};
use baton::model::span::Span;
use baton::model::value::Value;
use baton::world::Trouble;
use fake::Fake;

/// Performs an action on host `h`, service `c2`, whose intent was journaled at 0 of the same boot.
fn act(fake: &Fake, action: Action, attempt: u32, recovering: bool) -> ExecResult {
    act_kept(fake, action, (attempt, recovering), Ok(None))
}

/// The same where its intent says this of the place in which its record would be.
fn act_kept(
    fake: &Fake,
    action: Action,
    (attempt, recovering): (u32, bool),
    kept_in: Result<Option<&str>, &Trouble>,
) -> ExecResult {
    let effect = Effect {
        action,
        label: "verb(c2)".into(),
        host: Some("h".into()),
        service: Some("c2".into()),
        undo: None,
        before: None,
    };
    let id = EffectId { track: TrackId::main(), n: 7 };
    let since = Moment { wall: Wall(1_000_000), mono: Mono(0), boot: "boot".into() };
    let order = Order {
        run: "r",
        id: &id,
        attempt,
        base: 1,
        effect: &effect,
        since: &since,
        recovering,
        kept_in,
        scanners: &Scanners::default(),
    };
    perform(fake, order).expect("the run is not stopped")
}

fn probe(what: &str, reads: Reading) -> Probe {
    let (argv, args) = (vec!["tool".into(), what.into()], Default::default());
    Probe {
        means: None,
        what: what.into(),
        argv,
        args,
        limit: Span::secs(5),
        tries: 2,
        reads,
        within: None,
        exit_tells: false,
        secret: None,
    }
}

#[track_caller]
fn done(verdict: ExecResult) -> (Value, Option<Mark>) {
    let shown = format!("{verdict:?}");
    let ExecResult::Outcome(Outcome::Done { value, mark }) = verdict else { panic!("not done: {shown}") };
    (value, mark)
}

#[track_caller]
fn failed(verdict: ExecResult) -> Failure {
    let shown = format!("{verdict:?}");
    let ExecResult::Outcome(Outcome::Failed(failure)) = verdict else { panic!("not failed: {shown}") };
    failure
}
