//! What somebody wants looked at. It must not look.

use crate::journal::Store;
use crate::model::site::inventory::Inventory;
use crate::model::span::Span;
use crate::script::analysis::uses::Uses;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What is to be looked at, and how.
pub struct DoctorScope {
    /// The site.
    pub site: Rc<Inventory>,
    /// What the runbook can use; everything, where there is none.
    pub uses: Option<Uses>,
    /// How long one reading may take.
    pub limit: Span,
    /// The folder of jobs of each host that is this machine.
    pub jobs: BTreeMap<String, String>,
    /// The folder with the leases of this machine.
    pub leases: String,
    /// The runs that are known here, where there are any: they may hold hosts.
    pub runs: Option<Box<dyn Store>>,
    /// The hosts are those of a lab: they have no clocks, disks or accounts of their own.
    pub rehearsed: bool,
    /// What is wrong with the site's secrets.
    pub secrets: Vec<UselessSecret>,
}

/// A secret that is of no use to a run.
#[derive(Debug, Clone)]
pub struct UselessSecret {
    /// Its name, where that does not stand in the words.
    pub name: Option<String>,
    /// Why it is of no use to a run, a sentence without its full stop.
    pub why: String,
    /// What to do about it.
    pub next: Option<String>,
}
