//! From texts to a program: read, parsed, its modules loaded. No runbook is evaluated here.
//!
//! - [`sources`]: the texts a run may read, found by walking `import`s · [`edits`]: what differs between two versions
//! - [`program`]: texts compiled once, run many times · [`script_engine`]: what they are compiled with
//! - [`params`]: what a runbook asks of the command line
//! - [`diagnostic`]: Rhai's errors in the words of a runbook's author
//! - [`tree`]: reading syntax trees · [`scanner`], [`regions`]: reading the text itself
//! - [`blocks`]: a file as its statements · [`footprints`]: which of them engines come to · [`reached`]: that as data

pub(crate) mod blocks;
pub(crate) mod diagnostic;
pub mod edits;
pub(crate) mod footprints;
pub mod params;
pub mod program;
pub mod reached;
pub(crate) mod regions;
pub(crate) mod scanner;
pub(crate) mod script_engine;
pub mod sources;
pub(crate) mod tree;
