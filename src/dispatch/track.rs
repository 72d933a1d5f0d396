//! A track's own bookkeeping: how many effects it has asked for, which steps it stands in, where it has read
//! the logs up to; and what it may want of the scheduler. Plain state; it performs nothing.

use super::guards::{GuardReading, HeldGuard};
use crate::model::run::mark::Mark;
use crate::model::run::record::{Record, TrackId};
use crate::world::{CameBack, Request};
use std::collections::{BTreeMap, BTreeSet};

/// What a suspended track wants.
pub(super) enum TrackWant {
    /// A reply from the world.
    Reply(Box<Request>),
    /// Records made durable.
    Append(Vec<Record>),
    /// The end of these tracks.
    Join(Vec<TrackId>),
    /// To stand alone before the gates.
    Turn,
}

/// What a track is resumed with.
#[derive(Debug)]
pub(super) enum Give {
    /// Its first turn.
    Begin,
    /// What came of it.
    Reply(CameBack),
    /// The records are durable.
    Appended,
    /// The tracks have ended.
    Joined,
    /// Nobody else stands before the gates.
    Turn,
    /// The run is being stopped: give up.
    Stopped,
}

/// A step that a track stands in.
#[derive(Debug, Clone)]
pub(super) struct TrackStep {
    pub(super) number: String,
    pub(super) name: String,
}

/// One strand of a run.
pub(super) struct Track {
    pub(super) id: TrackId,
    /// Effects and forks asked for so far.
    pub(super) asked: u64,
    /// The steps it stands in, outermost first.
    steps: Vec<TrackStep>,
    /// How many steps were begun at each depth.
    counts: Vec<u32>,
    /// What the numbers of its outermost steps begin with.
    prefix: String,
    /// The names of the questions asked.
    gates: BTreeSet<String>,
    /// Where each service's log stands.
    pub(super) marks: BTreeMap<String, Mark>,
    /// How many steps its parents stood in when it was forked.
    outside: usize,
    /// What a former runner read since the last change, wait, guard or beginning of a step.
    pub(super) readings: Vec<GuardReading>,
    /// The guards that held in the steps it stands in.
    pub(super) guards: Vec<HeldGuard>,
    /// Step records that wait for the next write: they need no sync of their own.
    pub(super) pending: Vec<Record>,
    /// It only finds again what is on record: where that ends or differs, so does the track.
    pub(super) replay_only: bool,
}

impl Track {
    /// The main track.
    pub(super) fn main() -> Self {
        Self::new(TrackId::main(), String::new(), BTreeMap::new())
    }

    fn new(id: TrackId, prefix: String, marks: BTreeMap<String, Mark>) -> Self {
        Self {
            id,
            asked: 0,
            steps: Vec::new(),
            counts: vec![0],
            prefix,
            gates: BTreeSet::new(),
            marks,
            outside: 0,
            readings: Vec::new(),
            guards: Vec::new(),
            pending: Vec::new(),
            replay_only: false,
        }
    }

    /// How many steps it stands in, those of its parents included.
    pub(super) fn depth(&self) -> usize {
        self.outside + self.steps.len()
    }

    /// The track of item `index` of the fork at position `n`: it starts from what its parent has read.
    pub(super) fn child(&self, n: u64, index: usize) -> Self {
        let prefix = match self.step() {
            "" => format!("{}", index + 1),
            step => format!("{step}.{}", index + 1),
        };
        let child = Self::new(self.id.child(n, index), prefix, self.marks.clone());
        Self { replay_only: self.replay_only, outside: self.depth(), ..child }
    }

    /// A side track of this name: it starts from what this one has read.
    pub(super) fn aside(&self, id: TrackId, replay_only: bool) -> Self {
        let prefix = id.to_string();
        Self { replay_only, ..Self::new(id, prefix, self.marks.clone()) }
    }

    /// Numbers the next effect or fork.
    pub(super) fn next(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    /// The number of the innermost step, empty outside.
    pub(super) fn step(&self) -> &str {
        self.steps.last().map_or("", |step| step.number.as_str())
    }

    /// The name of the innermost step, empty outside.
    pub(super) fn step_name(&self) -> &str {
        self.steps.last().map_or("", |step| step.name.as_str())
    }

    /// Enters a step and gives its number.
    pub(super) fn enter(&mut self, name: &str) -> String {
        if let Some(count) = self.counts.last_mut() {
            *count += 1;
        }
        let count = self.counts.last().copied().unwrap_or(1);
        let parent = self.steps.last().map_or(&self.prefix, |step| &step.number);
        let number = if parent.is_empty() { count.to_string() } else { format!("{parent}.{count}") };
        self.steps.push(TrackStep { number: number.clone(), name: name.to_owned() });
        self.counts.push(0);
        self.readings.clear();
        number
    }

    /// Leaves the innermost step and gives it.
    pub(super) fn leave(&mut self) -> Option<TrackStep> {
        self.counts.pop();
        let left = self.steps.pop();
        let depth = self.depth();
        self.guards.retain(|guard| guard.depth <= depth);
        left
    }

    /// A name for the next question of this form, by its own name if it has one.
    pub(super) fn gate(&mut self, form: &str, own: Option<&str>) -> String {
        let numbered = |n: u32| match own {
            Some(own) if n == 1 => own.to_owned(),
            Some(_) | None => format!("{}-{n}", own.unwrap_or(form)),
        };
        let mut n = 1;
        while !self.gates.insert(numbered(n)) {
            n += 1;
        }
        let name = numbered(n);
        if self.prefix.is_empty() { name } else { format!("{}/{name}", self.id) }
    }
}
