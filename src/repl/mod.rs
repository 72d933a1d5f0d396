//! A run steered by hand: it stops where it is told, and lines are typed while it stands. Whatever changes its course
//! ends the evaluation; the run is then entered again by replay, up to the place where it stood.
//!
//! From the ground up; a file knows only of those before it:
//!
//! - [`command`]: what can be typed · `meant`: what was meant by it · `stop`: where a run stands · `timeline`: what has
//!   happened so far · `peek`: a door for looking only
//! - the parts, each with its own state: `written`: what the runbook says · `stop_rules`: where to stop, what to show
//!   there · `typed_lines`: what came of typed lines · `standing`: how the run stands · `typist`: who types
//! - `session`: the parts together · `pages`: what commands list
//! - `conversation`: commands carried out at a stop · `gate`: stops the run for it · `entries`: in and out of the run
//!
//! It prints nothing itself and opens nothing: both are done by its [`ReplHost`].

pub mod command;
mod conversation;
mod entries;
mod gate;
mod meant;
mod pages;
mod peek;
mod session;
mod standing;
mod stop;
mod stop_rules;
mod timeline;
mod typed_lines;
mod typist;
mod written;

pub use entries::{Start, carry_on};

use crate::dispatch::Gate;
use crate::error::{Error, Result};
use crate::journal::Store;
use crate::model::run::event::Sink;
use crate::model::run::record::{RollbackScope, Who};
use crate::session::adoption::Adoption;
use crate::session::{Finished, Prepared, RunParts};
use std::rc::Rc;

/// What a session needs done for it.
pub trait ReplHost {
    /// The parts to enter the run with: asked for anew for each entry, with one more who watches.
    ///
    /// # Errors
    /// When the journal or the world cannot be opened.
    fn parts(&self, gates: Vec<Rc<dyn Gate>>, watches: Box<dyn Sink>) -> Result<RunParts>;
    /// The journal.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn store(&self) -> Result<Box<dyn Store>>;
    /// Who types.
    fn by(&self) -> Who;
    /// Shows a text, whole lines, which are broken where they are too wide.
    fn say(&self, text: &str);
    /// Names a command that can be typed next, as it is typed.
    fn next(&self, command: &str);
    /// Shows what is wrong.
    fn complain(&self, error: &Error);
    /// How many columns there are.
    fn width(&self) -> usize;
    /// Whether a person is typing: then a wait that is given up is not the end.
    fn is_person(&self) -> bool;
    /// Has the runbook edited; gives what the run could be made of from now on, and what differs.
    ///
    /// # Errors
    /// When it was not edited, or does not fit the record; the run is as it was.
    fn edit(&self, prepared: &Prepared) -> Result<(Prepared, Adoption)>;
    /// Takes the run back, and tells how that went.
    ///
    /// # Errors
    /// When it cannot be begun; the run is as it was.
    fn go_back(&self, prepared: &Prepared, way: RollbackScope) -> Result<Finished>;
    /// Writes a new file.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    fn save(&self, file: &str, text: &str) -> Result<()>;
}
