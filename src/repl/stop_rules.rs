//! Where a run that is steered is to stop, and what is shown there. It stops nothing itself.

use super::stop::{Target, breaks_at_effect, breaks_at_step};
use crate::dispatch::{EffectAhead, StepAhead};
use std::cell::RefCell;

/// How far the run was told to go, what breaks in before that, and what is watched.
pub(super) struct StopRules {
    aim: RefCell<Target>,
    breaks: RefCell<Vec<String>>,
    watches: RefCell<Vec<String>>,
}

impl StopRules {
    /// At the next step; nothing else breaks in, nothing is watched.
    pub(super) fn new() -> Self {
        Self { aim: RefCell::new(Target::Step(None)), breaks: RefCell::default(), watches: RefCell::default() }
    }

    /// Lets the run go this far.
    pub(super) fn aim_at(&self, target: Target) {
        self.aim.replace(target);
    }

    /// Whether the run stops before this step.
    pub(super) fn stop_at_step(&self, ahead: &StepAhead<'_>) -> bool {
        let breaks = || self.breaks.borrow().iter().any(|word| breaks_at_step(word, ahead));
        ahead.track.is_scripts() && (self.aim.borrow().is_step(ahead) || breaks())
    }

    /// Whether the run stops before this effect.
    pub(super) fn stop_at_effect(&self, ahead: &EffectAhead<'_>) -> bool {
        let breaks = || self.breaks.borrow().iter().any(|word| breaks_at_effect(word, ahead));
        ahead.id.track.is_scripts() && (self.aim.borrow().is_effect(ahead) || breaks())
    }

    /// The run stops wherever this is ahead, from now on.
    pub(super) fn break_at(&self, word: String) {
        self.breaks.borrow_mut().push(word);
    }

    /// What breaks in.
    pub(super) fn breakpoints(&self) -> Vec<String> {
        self.breaks.borrow().clone()
    }

    /// This is shown at each stop, from now on.
    pub(super) fn watch(&self, expression: String) {
        self.watches.borrow_mut().push(expression);
    }

    /// What is shown at each stop.
    pub(super) fn watched(&self) -> Vec<String> {
        self.watches.borrow().clone()
    }

    /// The same for an edited runbook, which goes this far first.
    pub(super) fn kept_for(&self, aim: Target) -> Self {
        Self { aim: RefCell::new(aim), breaks: self.breaks.clone(), watches: self.watches.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::{StopRules, Target};
    use crate::dispatch::StepAhead;
    use crate::model::run::record::TrackId;

    fn stops_at(rules: &StopRules, track: &TrackId, number: &str, name: &str) -> bool {
        rules.stop_at_step(&StepAhead { track, number, name, place: None })
    }

    #[test]
    fn a_run_stops_where_it_was_aimed_at_and_where_something_breaks_in() {
        let (rules, main) = (StopRules::new(), TrackId::main());
        assert!(stops_at(&rules, &main, "1", "first"));
        rules.aim_at(Target::Step(Some("1".into())));
        assert!(!stops_at(&rules, &main, "1.1", "inside the first"));
        assert!(stops_at(&rules, &main, "2", "second"));
        rules.break_at("inside the first".into());
        assert!(stops_at(&rules, &main, "1.1", "inside the first"));
        assert!(!stops_at(&rules, &TrackId::typed(1), "1.1", "inside the first"), "a typed line is never stopped");
    }

    #[test]
    fn an_edited_runbook_has_its_own_aim_and_the_rest_of_the_rules() {
        let (rules, main) = (StopRules::new(), TrackId::main());
        rules.break_at("second".into());
        rules.watch("role(s)".into());
        let kept = rules.kept_for(Target::Effect);
        assert!(!stops_at(&kept, &main, "1", "first"));
        assert!(stops_at(&kept, &main, "2", "second"));
        assert_eq!((kept.breakpoints(), kept.watched()), (vec!["second".to_owned()], vec!["role(s)".to_owned()]));
    }
}
