//! What a model says must hold of its product, and which sentences of baton it can tell true from false: closures of
//! the model, asked with its state as `this`. It must not know any product.

use crate::model::run::instant::Wall;
use rhai::FnPtr;

/// When something must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MustHold {
    /// At every moment.
    Always,
    /// When a run is over: done, or gone back all the way.
    AtTheEnd,
}

/// Something that must hold.
#[derive(Debug, Clone)]
pub(super) struct Invariant {
    /// The name by which people know it, such as `INV-G3`.
    pub(super) id: String,
    /// What it says.
    pub(super) text: String,
    pub(super) when: MustHold,
    /// Tells whether it holds.
    pub(super) body: FnPtr,
    /// Since when it does not.
    pub(super) broken: Option<Wall>,
}

/// A kind of sentence of which the model knows whether it is true.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// What such a sentence looks like, as a regular expression; its groups go to `body`.
    pub(super) pattern: String,
    /// Tells whether it is true now.
    pub(super) body: FnPtr,
}

/// All that a model watches over.
#[derive(Debug, Clone, Default)]
pub(super) struct Watchwords {
    pub(super) invariants: Vec<Invariant>,
    pub(super) claims: Vec<Claim>,
}
