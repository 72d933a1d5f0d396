//! Who answers questions: a person at the terminal, a lab's operator, or nobody. It must never make up an answer.

use super::Answer;
use crate::model::effect::Ask;

/// Who answers questions.
#[derive(Debug, Clone)]
pub enum Person {
    /// Nobody; the text says why.
    Nobody(String),
}

impl Person {
    /// Puts a question and waits for the answer.
    pub(super) async fn ask(&self, _ask: &Ask) -> Answer {
        match self {
            Self::Nobody(why) => Answer::Nobody(why.clone()),
        }
    }
}
