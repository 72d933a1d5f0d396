//! What is known of the values in a file so far, as those may ask who help to find more of them. It must not find any.

use super::scopes::{ScopedName, Scopes};
use rhai::{Dynamic, Expr};

/// Values that are known before a script runs.
pub(crate) trait ValuesSoFar {
    /// The value of an expression; [`Unwritten`](crate::script::values::unwritten::Unwritten) where only the run will
    /// tell.
    fn value(&self, expr: &Expr) -> Dynamic;

    /// A variable with the function it stands in.
    fn name_of(&self, expr: &Expr) -> Option<ScopedName>;

    /// The functions of the file.
    fn scopes(&self) -> &Scopes;

    /// Whether the file has a function of this name itself: it wins over a primitive.
    fn is_own(&self, name: &str) -> bool;
}
