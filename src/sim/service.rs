//! A simulated service as the site sees it: on which host it is, and what becomes of the lines that it logs. What it
//! does is its model's affair.

use crate::error::{Error, Kind, Result};
use crate::model::site::inventory::Service;
use crate::model::site::profile;
use crate::model::span::Span;
use crate::model::value::Fields;
use crate::sim::files::FileId;
use crate::sim::state_hash::StateHash;

/// How the next line of a log comes out wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LogTwist {
    Missing,
    Doubled,
    /// It comes behind the one that follows it.
    Swapped,
}

/// A service.
#[derive(Debug, Clone)]
pub(super) struct SimService {
    /// Which of the models plays it.
    pub(super) model: usize,
    pub(super) host: String,
    pub(super) log_dir: String,
    /// The file it logs to now.
    pub(super) log: Option<FileId>,
    /// How late its lines appear.
    pub(super) log_delay: Span,
    twist: Option<LogTwist>,
    /// The line that comes behind the next one.
    held: Option<String>,
}

impl SimService {
    /// The service as the inventory has it.
    ///
    /// # Errors
    /// `Inventory` when its log folder cannot be told.
    pub(super) fn new(model: usize, service: &Service) -> Result<Self> {
        let template = service.profile.log.as_ref().map_or("", |log| log.dir.as_str());
        let log_dir = profile::fill(template, &service.vars, &Fields::new()).map_err(|wrong| {
            Error::new(Kind::Inventory, format!("the log folder of `{}` cannot be told: {wrong}", service.name))
        })?;
        let log_dir = log_dir.trim_end_matches('/').to_owned();
        let host = service.host.clone();
        Ok(Self { model, host, log_dir, log: None, log_delay: Span(0), twist: None, held: None })
    }

    /// The next line that it logs comes out wrong.
    pub(super) fn twist(&mut self, how: LogTwist) {
        self.twist = Some(how);
    }

    /// What is written of a line that it logs.
    pub(super) fn written(&mut self, line: String) -> Vec<String> {
        match self.twist.take() {
            Some(LogTwist::Missing) => Vec::new(),
            Some(LogTwist::Doubled) => vec![line.clone(), line],
            Some(LogTwist::Swapped) => {
                self.held = Some(line);
                Vec::new()
            }
            None => std::iter::once(line).chain(self.held.take()).collect(),
        }
    }

    /// Adds what is not in its files.
    pub(super) fn hash(&self, hash: &mut StateHash) {
        hash.add((self.log_delay.0, self.twist, &self.held));
    }
}
