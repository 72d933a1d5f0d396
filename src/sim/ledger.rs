//! The truth about a simulated site: what was done to it, who suffered when, and which invariants broke.
//! Kept by the model host, read by the oracle; the runner under test never sees it.

use crate::model::run::instant::Wall;
use crate::model::span::Span;
use crate::model::value::Fields;

/// The kinds of interval a ledger knows, as `begin` and `finish` take them.
pub(super) const INTERVAL_KINDS: [&str; 7] = ["OUT", "BLIP", "RO", "NORED", "NOCTL", "MIX", "LOSS"];

/// Everything that truly happened to the services of one model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// Every verb that reached the product, in order.
    pub effects: Vec<LedgerEntry>,
    /// Outages and redundancy gaps, in the order they began.
    pub intervals: Vec<Outage>,
    /// Broken invariants: when, and in words.
    pub violations: Vec<(Wall, String)>,
}

/// A verb that reached the product.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntry {
    /// When it arrived.
    pub at: Wall,
    /// On which service.
    pub service: String,
    /// The verb.
    pub verb: String,
    /// Its arguments.
    pub args: Fields,
}

/// A time during which somebody had to do without something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// One of [`INTERVAL_KINDS`].
    pub kind: String,
    /// Who or what suffered.
    pub who: String,
    /// When it began.
    pub from: Wall,
    /// When it ended, if it has.
    pub to: Option<Wall>,
}

impl Ledger {
    /// Begins an interval, unless the same one is open already.
    pub fn begin(&mut self, kind: &str, who: &str, at: Wall) {
        if self.open(kind, who).is_none() {
            self.intervals.push(Outage { kind: kind.to_owned(), who: who.to_owned(), from: at, to: None });
        }
    }

    /// Ends an interval, if it is open.
    pub fn finish(&mut self, kind: &str, who: &str, at: Wall) {
        if let Some(interval) = self.open(kind, who) {
            interval.to = Some(at);
        }
    }

    fn open(&mut self, kind: &str, who: &str) -> Option<&mut Outage> {
        self.intervals.iter_mut().rev().find(|i| i.to.is_none() && i.kind == kind && i.who == who)
    }

    /// How often a verb reached a service.
    #[must_use]
    pub fn count(&self, verb: &str, service: &str) -> usize {
        self.effects.iter().filter(|deed| deed.verb == verb && deed.service == service).count()
    }

    /// How long the intervals of a kind lasted together; one still open counts up to `now`.
    #[must_use]
    pub fn total(&self, kind: &str, now: Wall) -> Span {
        let lasted = |i: &Outage| i.to.unwrap_or(now).since(i.from).0;
        Span(self.intervals.iter().filter(|i| i.kind == kind).map(lasted).sum())
    }
}
