//! PostgreSQL, which nobody here wrote: the shipped runbook on a simulated pair, and on a real one, behind real
//! `sshd`s, with a client that writes all the while.

mod back;
mod befallen;
mod client;
mod diverged;
mod killed;
mod simulated;
mod site;
mod sshd;
mod switchover;
