//! What a model leaves open: whether a fault of its own strikes, and which of several ways things go. Whoever explores
//! decides beforehand; where nobody has decided, no fault strikes and the first way is taken. It knows no product.

use crate::sim::fault::{CHOICE, Fault, Harm, Trigger};
use std::collections::BTreeMap;

/// A question that a model left open, and how many ways there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenChoice {
    /// Which it was.
    pub(super) at: Trigger,
    /// How many ways there were; the first is the usual one.
    pub(super) ways: usize,
}

/// The decisions of one simulation.
#[derive(Debug, Clone, Default)]
pub(super) struct Choices {
    decided: BTreeMap<Trigger, usize>,
    counts: BTreeMap<String, u32>,
    met: Vec<OpenChoice>,
}

impl Choices {
    /// From now on these decisions hold as well.
    pub(super) fn decide(&mut self, faults: &[Fault]) {
        let decided = faults.iter().filter_map(|fault| {
            let Harm::Goes { way } = fault.harm else { return None };
            Some((fault.at.clone(), way))
        });
        self.decided.extend(decided);
    }

    /// Which way it goes this time, by its place among `ways`.
    pub(super) fn take(&mut self, name: &str, ways: usize) -> usize {
        let nth = self.counts.entry(name.to_owned()).or_default();
        *nth += 1;
        let at = Trigger { verb: CHOICE.to_owned(), subject: name.to_owned(), nth: *nth };
        let way = self.decided.get(&at).copied().filter(|way| *way < ways).unwrap_or(0);
        self.met.push(OpenChoice { at, ways });
        way
    }

    /// What was left open since this was last asked.
    pub(super) fn take_met(&mut self) -> Vec<OpenChoice> {
        std::mem::take(&mut self.met)
    }
}
