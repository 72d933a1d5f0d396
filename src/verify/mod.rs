//! `verify`: every path through a runbook that an unkind world can make it take, walked in a simulated one, and judged
//! by what truly happened. It decides what goes wrong and when; it plays no product and performs no step.
//!
//! - [`scene`]: what is explored, as texts, and made ready to be played
//! - [`schedule`]: what goes wrong in one play, written as one line that plays it again
//! - [`play`]: one play: runners that live or die, one after the other, on one site with one record
//! - [`judge`]: what speaks against a play, told by the site and the record, never by what the run said of itself
//! - [`walk`]: one schedule with all deaths of its runners, as far as they lead to what is new
//! - [`explorer`]: all schedules within a bound, on all cores, in an order that no clock and no core decides
//! - [`shrink`]: a counterexample with nothing in it that it does not need
//! - [`story`]: a counterexample told
//! - [`formats`]: the result for machines
//! - [`tally`]: what was explored, and what was not

pub mod explorer;
pub mod formats;
mod judge;
mod play;
mod record_hash;
pub mod scene;
pub mod schedule;
mod shrink;
mod situation;
pub mod story;
pub mod tally;
mod violation;
mod walk;
mod witness;
mod witnessed_store;

pub use shrink::shrink;
pub use violation::{Oracle, Violation};
