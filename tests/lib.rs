//! The suite: one binary, one module a topic, so that the crate is linked once.

// Helpers of tests may fail as tests do, and look only at the cases they are about; nothing in a suite is an interface.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::wildcard_enum_match_arm, unreachable_pub)]

mod accounts;
mod adopt;
mod advice;
mod bad_input;
mod begun_with;
mod cli;
mod crash;
mod doctor;
mod drift;
mod estate;
mod exec;
mod faults;
mod from_run;
mod gates;
mod genesys_model;
mod genesys_rollback;
mod genesys_upgrade;
mod hands;
mod history;
mod inventory;
mod journal;
mod kill;
mod lab;
mod lease;
mod menus;
mod parallel;
mod postgresql;
mod products;
mod readme;
mod reboot;
mod records;
mod repl;
mod report;
mod resume;
mod rollback;
mod rolling;
mod script;
mod secrets;
mod seeded;
mod sim;
mod state;
mod stepwise;
mod summary;
mod support;
mod surroundings;
mod takeover;
mod tidy;
mod transfer;
mod verdicts;
mod way_back;
mod witness;
mod word;
mod world;
