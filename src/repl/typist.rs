//! Whoever types in a session: is asked for lines, told what came of them, and remembered for what went wrong. It
//! understands no line.

use super::ReplHost;
use crate::error::Error;
use crate::model::run::record::Who;
use crate::world::request::ReadLine;
use crate::world::{Line, Link, Stopped};
use std::cell::Cell;
use std::rc::Rc;

/// Whoever types, at a host.
pub(super) struct Typist {
    host: Rc<dyn ReplHost>,
    by: Who,
    /// A line is asked for right now.
    asked: Cell<bool>,
    /// Any line or command has failed.
    any_failed: Cell<bool>,
}

impl Typist {
    /// Before anything was asked.
    pub(super) fn new(host: Rc<dyn ReplHost>) -> Self {
        let by = host.by();
        Self { host, by, asked: Cell::default(), any_failed: Cell::default() }
    }

    /// Forgets that an earlier entry ended in the middle of a question.
    pub(super) fn begin_anew(&self) {
        self.asked.set(false);
    }

    /// What is done for the session.
    pub(super) fn host(&self) -> &dyn ReplHost {
        &*self.host
    }

    /// Who types.
    pub(super) fn by(&self) -> &Who {
        &self.by
    }

    /// Asks for a line.
    pub(super) fn ask(&self, link: &dyn Link, prompt: &str) -> Result<Line, Stopped> {
        self.asked.set(true);
        let line = link.ask(ReadLine { prompt: prompt.to_owned() })?;
        self.asked.set(false);
        line.map_err(|_| Stopped)
    }

    /// Whether a line is asked for right now, or was when the run stopped.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.get()
    }

    /// Shows a text, whole lines.
    pub(super) fn say(&self, text: &str) {
        self.host.say(text);
    }

    /// Shows what is wrong, and keeps in mind that something was.
    pub(super) fn refuse(&self, error: &Error) {
        self.any_failed.set(true);
        self.host.complain(error);
    }

    /// Whether any line or command has failed.
    pub(super) fn any_failed(&self) -> bool {
        self.any_failed.get()
    }
}
