//! Secrets: where their values are had from, how they are kept from being shown, and how they are found in whatever a
//! host says. No value leaves this folder but into a pipe.

pub mod keyring;
pub(in crate::world) mod redaction;
pub mod redactor;
pub mod secret_value;
pub(in crate::world) mod spelling;
