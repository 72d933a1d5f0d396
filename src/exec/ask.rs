//! Questions to a person. No answer is ever assumed: where nobody answers, the effect stays unanswered.

use crate::exec::calls::{unfit, words};
use crate::exec::{Order, Verdict};
use crate::model::effect::{Ask, Outcome};
use crate::model::value::Value;
use crate::world::{Answer, Link, Reply, Request, Stopped};

/// Puts a question to a person.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, ask: &Ask) -> Result<Verdict, Stopped> {
    Ok(match link.call(Request::Ask { id: order.id.clone(), ask: ask.clone() })? {
        Reply::Answer(Answer::Given { word, note, by }) => Verdict::Outcome(Outcome::done(Value::map([
            ("word", word.into()),
            ("note", note.into()),
            ("by", Value::Text(by)),
        ]))),
        Reply::Answer(Answer::Nobody(reason)) => Verdict::Unanswered { reason },
        other => Verdict::Unanswered { reason: words(&unfit(other)) },
    })
}
