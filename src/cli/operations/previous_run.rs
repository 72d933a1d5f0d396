//! The run that a new one follows: `--from-run RUN`. What it did becomes part of what the new run is made of; a run on
//! other hosts is refused. It must not judge what that run did: that is for the runbook.

use super::estate::site_name;
use super::find_run::{Purpose, find_run_to_act_on};
use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::journal::run_facts::gist;
use crate::model::run::estate::EstateId;
use crate::model::run::record::FROM_RUN;
use crate::model::site::inventory::Inventory;
use crate::model::value::{Fields, Value};
use crate::session::{self, Texts};

/// A run on record that another one follows.
pub(in crate::cli) struct PreviousRun {
    /// Its whole identity.
    pub(in crate::cli) run: String,
    estate: EstateId,
    texts: Texts,
    gist: Value,
}

impl PreviousRun {
    /// Reads the run that `given` means.
    ///
    /// # Errors
    /// `Usage` when there is none, `Refused` when its record or a text of it is damaged.
    pub(in crate::cli) fn read(given: &str, context: &Context) -> Result<Self> {
        let store = context.store()?;
        let run = find_run_to_act_on(&*store, given, Purpose::Follow, context)?;
        let records = store.read(&run)?;
        let gist = gist(&run, &records);
        let history = History::from(records)?;
        let texts = session::snapshot(&*store, &history)?;
        Ok(Self { estate: history.begun().estate.clone(), run, texts, gist })
    }

    /// Refuses an inventory of other hosts than those the run was on.
    ///
    /// # Errors
    /// `Usage` when hosts or services differ.
    pub(in crate::cli) fn must_be_of(&self, site: &Inventory, file: &str) -> Result<()> {
        if self.estate != EstateId::Site {
            let message = format!("run {} was on {}, not on the hosts of `{file}`", self.run, self.estate);
            return Err(Error::new(Kind::Usage, message).hint("leave `-i` out to go on in that lab"));
        }
        let former = session::site(&self.texts)?;
        let on_other_host = former
            .services
            .values()
            .find(|service| site.services.get(&service.name).is_none_or(|now| now.host != service.host));
        let message = match on_other_host {
            Some(service) => format!("`{}` of run {} is not on `{}` in `{file}`", service.name, self.run, service.host),
            None if site_name(&former) != site_name(site) => {
                format!("run {} was on other hosts than those of `{file}`", self.run)
            }
            None => return Ok(()),
        };
        Err(Error::new(Kind::Usage, message).hint(format!("see where it was: baton show {}", self.run)))
    }

    /// The lab it was in. `runbook` is the one that is to follow.
    ///
    /// # Errors
    /// `Usage` when it was on a site.
    pub(in crate::cli) fn lab(&self, runbook: &str) -> Result<&str> {
        self.estate.lab().ok_or_else(|| {
            Error::new(Kind::Usage, format!("run {} was on a site: give its inventory", self.run))
                .hint(format!("baton run {runbook} --from-run {} -i INVENTORY", self.run))
        })
    }

    /// The inventory it had: its file and its text.
    ///
    /// # Errors
    /// `Refused` when it had none.
    pub(in crate::cli) fn inventory(&self) -> Result<(&str, &str)> {
        self.texts.inventory().ok_or_else(|| Error::new(Kind::Refused, format!("run {} has no inventory", self.run)))
    }

    /// Puts what it did among the parameters of the run that follows it.
    pub(in crate::cli) fn add_to(&self, params: &mut Fields) {
        params.insert(FROM_RUN.to_owned(), self.gist.clone());
    }
}
