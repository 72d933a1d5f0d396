//! Who answers questions: a person at the terminal, a lab's operator, a file of answers, or nobody. It must never make
//! up an answer.

use super::terminal::Terminal;
use crate::model::run::effect::Ask;
use crate::model::site::answers::{Answers, Said};
use crate::platform::lab_link::{LabRequest, lab_call};
use crate::world::Answer;
use std::path::PathBuf;
use std::sync::Arc;

/// Who answers questions.
#[derive(Debug)]
pub enum Person {
    /// Nobody; the text says why.
    Nobody(String),
    /// Whoever sits at the terminal baton was started from, if it was started from one.
    Terminal(Arc<Terminal>),
    /// The operator of the lab that listens on this socket.
    Lab(PathBuf),
    /// A file of answers; what it does not say is for the other to answer.
    Answers(Arc<Answers>, Arc<Person>),
}

impl Person {
    /// Puts a question and waits for the answer.
    pub(in crate::world) async fn ask(&self, ask: &Ask) -> Answer {
        match self {
            Self::Nobody(why) => Answer::Nobody(why.clone()),
            Self::Terminal(terminal) => terminal.ask(ask).await,
            Self::Lab(socket) => ask_lab(socket.clone(), ask.clone()).await,
            Self::Answers(answers, other) => match answers.to(&ask.gate, &ask.form) {
                Said::Answer { word, note, by } => {
                    let added = if note.is_empty() { String::new() } else { format!(": {note}") };
                    other.tell(ask, &format!("{word}, answered by {by}{added}"));
                    Answer::Given { word, note, by }
                }
                Said::NoAnswer(why) => Answer::Nobody(why),
                Said::Nothing => match Box::pin(other.ask(ask)).await {
                    Answer::Nobody(why) => {
                        Answer::Nobody(format!("{why}, and {} has no answer for it", answers.file()))
                    }
                    given @ Answer::Given { .. } => given,
                },
            },
        }
    }

    /// Has whoever would have been asked on this screen see what was asked, and that it is answered. Elsewhere the view
    /// of the run tells both.
    fn tell(&self, ask: &Ask, answer: &str) {
        match self {
            Self::Terminal(terminal) => terminal.tell(ask, answer),
            Self::Answers(_, other) => other.tell(ask, answer),
            Self::Nobody(_) | Self::Lab(_) => {}
        }
    }
}

async fn ask_lab(socket: PathBuf, ask: Ask) -> Answer {
    let form = ask.form.clone();
    // An operator may take hours of scaled time; when the lab dies, the socket closes.
    let call = tokio::task::spawn_blocking(move || lab_call(&socket, &LabRequest::Ask(ask), None));
    match call.await {
        Ok(Ok(reply)) if form.word(&reply.word).as_deref() == Some(&reply.word) => {
            Answer::Given { word: reply.word, note: reply.note, by: "lab operator".into() }
        }
        Ok(Ok(_)) => Answer::Nobody("the lab's operator has no answer to this question".into()),
        Ok(Err(error)) => Answer::Nobody(error.message),
        Err(error) => Answer::Nobody(format!("the question was cut off: {error}")),
    }
}
