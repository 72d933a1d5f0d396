//! The script host: runbooks in Rhai, over [`Door`](crate::dispatch::Door). It performs nothing itself: every
//! primitive validates its arguments, builds an effect and hands it to the door.
//!
//! - [`sources`]: the texts a run may read, found by walking `import`s
//! - [`program`]: texts compiled once, run many times
//! - [`rollback`]: a script that was replayed goes back
//! - [`params`]: what a runbook asks of the command line, found without running it
//! - [`primitives`]: the vocabulary, one file a theme
//! - [`doc`]: what is said about each primitive; feeds `baton doc`, lint and "did you mean"
//! - [`diagnostic`]: Rhai's errors in the words of a runbook's author
//! - [`repl`]: lines typed by hand, [`frames`] the variables they see, [`outline`] the steps a runbook has
//! - [`gates`]: the names of a program's gates
//! - [`commands`]: the programs it calls by name
//! - [`lint`]: what can be seen to be wrong without running
//!
//! The rest is inside: [`context`] what a run knows, [`call`] one call of a primitive, [`handles`] the things scripts
//! hold, [`lower`] profile templates to commands, [`closures`] closures that leave their track,
//! [`obligations`] what is owed at the end, [`put_back`] former values, [`tree`] reading ASTs, [`literals`] values as
//! they are written, [`sealed`] a door that leads nowhere, [`trial`] a call
//! tried behind it, [`written`] values known without running, [`alternatives`] those that come one after the other,
//! [`possible`] those of which one comes, [`scopes`] the functions that names belong to.

pub(crate) mod alternatives;
pub(crate) mod call;
pub(crate) mod closures;
pub mod commands;
pub(crate) mod context;
pub mod diagnostic;
pub mod doc;
pub mod edits;
pub(crate) mod failure;
pub mod frames;
pub mod gates;
pub(crate) mod guarded;
pub(crate) mod handles;
pub(crate) mod kept;
pub(crate) mod labels;
pub mod lint;
pub(crate) mod literals;
pub(crate) mod lower;
pub(crate) mod never;
pub(crate) mod obligations;
pub(crate) mod options;
pub mod outline;
pub mod params;
pub(crate) mod possible;
pub mod primitives;
pub mod program;
pub(crate) mod put_back;
pub(crate) mod regions;
pub mod repl;
pub mod rollback;
pub(crate) mod scanner;
pub(crate) mod scopes;
pub(crate) mod sealed;
pub mod sources;
pub mod surface;
pub(crate) mod tree;
pub(crate) mod trial;
pub mod uses;
pub(crate) mod written;
