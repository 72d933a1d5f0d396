//! Questions to a person. No answer is ever assumed: where nobody answers, the effect stays unanswered.

use crate::exec::calls::{unfit, words};
use crate::exec::order::{ExecResult, Order};
use crate::model::run::effect::{Ask, Outcome};
use crate::model::value::Value;
use crate::world::{Answer, Link, Reply, Request, Stopped};

/// Puts a question to a person.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, ask: &Ask) -> Result<ExecResult, Stopped> {
    let reply = link.call(Request::Ask { id: order.id.clone(), ask: ask.clone() })?;
    let Reply::Answer(answer) = reply else {
        return Ok(ExecResult::Unanswered { reason: words(&unfit(reply)) });
    };
    Ok(match answer {
        Answer::Given { word, note, by } => ExecResult::Outcome(Outcome::done(Value::map([
            ("word", word.into()),
            ("note", note.into()),
            ("by", Value::Text(by)),
        ]))),
        Answer::Nobody(reason) => ExecResult::Unanswered { reason },
    })
}
