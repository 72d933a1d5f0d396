//! The integration suite: one binary, one module for each topic.

mod world;
