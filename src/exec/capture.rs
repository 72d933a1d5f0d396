//! Facts of the moment: the time, and where a log stands. Recorded so that a replay sees the same ones.

use crate::exec::calls::{EffectSite, failed};
use crate::exec::log_mark::mark_now;
use crate::exec::order::{ExecResult, Order};
use crate::exec::waiting::Backoff;
use crate::model::run::effect::{Capture, LogSource, Outcome};
use crate::model::run::event::Event;
use crate::model::value::Value;
use crate::world::request::ExpectNewKey;
use crate::world::{Link, Stopped};

/// How often the mark of a log is tried over a link that fails.
const TRIES: u32 = 4;

/// Captures a fact.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, capture: &Capture) -> Result<ExecResult, Stopped> {
    match capture {
        Capture::Now => Ok(ExecResult::Outcome(Outcome::done(link.now().wall.0))),
        Capture::Clocks => Ok(ExecResult::Outcome(Outcome::done(link.now().to_value()))),
        Capture::Mark { source } => mark(link, order, source),
        Capture::NewKey => expect_new_key(link, order),
    }
}

/// Tells the world. When that is told twice, the key is taken anew: no harm to a host that is about to change.
fn expect_new_key(link: &dyn Link, order: Order<'_>) -> Result<ExecResult, Stopped> {
    let site = match EffectSite::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let told = link.ask(ExpectNewKey { host: site.host.to_owned() })?;
    Ok(ExecResult::Outcome(match told {
        Ok(()) => Outcome::done(Value::Null),
        Err(trouble) => {
            Outcome::Failed(failed(&format!("a new host key of `{}` cannot be expected", site.name()), &trouble))
        }
    }))
}

fn mark(link: &dyn Link, order: Order<'_>, source: &LogSource) -> Result<ExecResult, Stopped> {
    let site = match EffectSite::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let mut pace = Backoff::patient();
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match mark_now(link, site.host, source)? {
            Ok((mark, hidden)) => {
                if let Some(hidden) = hidden {
                    link.tell(Event::Notice { text: format!("`{}`: {hidden} yet", site.name()) });
                }
                return Ok(ExecResult::Outcome(Outcome::Done { value: Value::Null, mark: Some(mark) }));
            }
            Err(trouble) if tries == 0 => {
                let failure = failed(&format!("the log of `{}` cannot be read", site.name()), &trouble);
                return Ok(ExecResult::Outcome(Outcome::Failed(failure)));
            }
            Err(_) => link.wait_until(link.now().mono + pace.step())?,
        }
    }
}
