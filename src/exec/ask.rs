//! Questions to a person. No answer is ever assumed: where nobody answers, the effect stays unanswered.

use crate::exec::calls::words;
use crate::exec::order::{ExecResult, Order};
use crate::model::run::effect::{Ask, Outcome};
use crate::model::value::Value;
use crate::world::request::AskPerson;
use crate::world::{Answer, Link, Stopped};

/// Puts a question to a person.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, ask: &Ask) -> Result<ExecResult, Stopped> {
    Ok(match link.ask(AskPerson { id: order.id.clone(), ask: ask.clone() })? {
        Err(trouble) => ExecResult::Unanswered { reason: words(&trouble) },
        Ok(Answer::Given { word, note, by }) => ExecResult::Outcome(Outcome::done(Value::map([
            ("word", word.into()),
            ("note", note.into()),
            ("by", Value::Text(by)),
        ]))),
        Ok(Answer::Nobody(reason)) => ExecResult::Unanswered { reason },
    })
}
