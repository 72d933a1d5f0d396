//! Which steps are under way on the screen, and whether anything was done in them. It must not write anything.

use crate::model::run::effect::{Action, Effect};
use crate::model::run::instant::Wall;
use crate::model::run::record::{TrackId, is_in_step};
use std::collections::BTreeMap;

/// A step under way.
pub(super) struct StepUnderWay {
    name: String,
    /// Since when, wall clock milliseconds.
    pub(super) since: Wall,
    /// Something was changed in it, or somebody was asked.
    acted: bool,
    /// A change in it was so already.
    spared: bool,
}

impl StepUnderWay {
    /// It was there to change something, and there was nothing to change.
    pub(super) fn was_so_already(&self) -> bool {
        self.spared && !self.acted
    }
}

/// The steps under way.
#[derive(Default)]
pub(super) struct StepsUnderWay(BTreeMap<(TrackId, String), StepUnderWay>);

impl StepsUnderWay {
    /// A step begins.
    pub(super) fn begin(&mut self, track: &TrackId, number: &str, name: &str, since: Wall) {
        let step = StepUnderWay { name: name.to_owned(), since, acted: false, spared: false };
        self.0.insert((track.clone(), number.to_owned()), step);
    }

    /// A step has ended.
    pub(super) fn end(&mut self, track: &TrackId, number: &str) -> Option<StepUnderWay> {
        self.0.remove(&(track.clone(), number.to_owned()))
    }

    /// Number, name and beginning of each on tracks of which this holds.
    pub(super) fn under_way(&self, of: impl Fn(&TrackId) -> bool) -> Vec<(String, String, Wall)> {
        let all = self.0.iter().filter(|((track, _), _)| of(track));
        all.map(|((_, number), step)| (number.clone(), step.name.clone(), step.since)).collect()
    }

    /// An effect is asked for in a step.
    pub(super) fn asked(&mut self, track: &TrackId, number: &str, effect: &Effect) {
        if effect.may_change() || matches!(effect.action, Action::Ask(_)) {
            self.around(track, number).for_each(|step| step.acted = true);
        }
    }

    /// A change was left out in a step: it was so already.
    pub(super) fn spared(&mut self, track: &TrackId, number: &str) {
        self.around(track, number).for_each(|step| step.spared = true);
    }

    /// The step and those it is part of, be they of the track that its own was forked from.
    fn around<'a>(&'a mut self, track: &'a TrackId, number: &'a str) -> impl Iterator<Item = &'a mut StepUnderWay> {
        let is_in = move |outer: &str| is_in_step(number, outer);
        let is_around = move |(of, outer): &(TrackId, String)| {
            if of == track { is_in(outer) } else { track.is_below(of) }
        };
        self.0.iter_mut().filter(move |(key, _)| is_around(key)).map(|(_, step)| step)
    }
}
