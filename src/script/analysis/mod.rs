//! What can be seen of a runbook without running it. Nothing here touches anything, and what is not certain is not
//! said.
//!
//! - [`lint`]: what is wrong, put together from [`never`]: what can never be, [`labels`]: labels that are never taken,
//!   [`kept`]: closures that outlive their round
//! - [`written`]: values that are known, [`alternatives`]: those that come one after the other, [`possible`]: those of
//!   which one comes; [`values_so_far`]: how these three ask each other
//! - [`scopes`]: the functions that names belong to · [`guarded`]: what is run only for some products
//! - [`coverage`]: what plays have not come to, of what there is to reach ([`reachable`]), and why ([`reasons`])
//! - [`outline`]: the steps · [`gates`]: the questions · [`commands`]: the programs it calls · [`uses`]: what of a site

pub(crate) mod alternatives;
pub mod commands;
pub mod coverage;
pub mod gates;
pub(crate) mod guarded;
pub(crate) mod kept;
pub(crate) mod labels;
pub mod lint;
pub(crate) mod never;
pub mod outline;
pub(crate) mod possible;
pub(crate) mod reachable;
pub(crate) mod reasons;
pub(crate) mod scopes;
pub mod uses;
pub(crate) mod values_so_far;
pub(crate) mod written;
