//! A site as its engineers describe it: inventory, profiles of products, accounts, secrets, answers. Reading and
//! checking texts; it neither opens a file nor asks a host.

pub mod account;
pub mod answers;
pub(crate) mod document;
pub mod host;
pub mod inventory;
pub mod layout;
pub mod profile;
pub mod secret;
mod service;
pub mod ssh;
mod template;
