//! `baton verify` from the inside: what it finds, and how soon. The command itself: `verify_command`.

mod seeded;
