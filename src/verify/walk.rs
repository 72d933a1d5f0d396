//! One schedule walked to its end, and every death of its runners that leads to something new: each is gone on from,
//! and taken back. Where a play comes to what is known it ends: from there on all was walked. It plans no schedule.

use super::judge;
use super::play::{Passing, Play, PlayEnd, Watch};
use super::scene::{RUN, Scene};
use super::schedule::{Death, Schedule};
use super::shrink::judged;
use super::situation::Situation;
use super::violation::Violation;
use super::witness::Witness;
use crate::error::Result;
use crate::model::run::record::{Ending, Fact};
use crate::report::ending::ending_badge;
use crate::sim::{Boundary, Point};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// From how many deaths of one runner is gone on: each is a site of its own until it is.
const LEFT_MAX: usize = 4_000;

/// How many points a runner passes between two looks at the clock.
const POINTS_BETWEEN_LOOKS: u64 = 1_000;

/// What came of a walk.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Where things could have gone otherwise in the play in which nobody died.
    pub(super) points: Vec<Point>,
    /// The ways back from the ends of steps, each with where things could have gone otherwise on it.
    pub(super) ways_back: Vec<(Schedule, Vec<Point>)>,
    /// The states that it came to and that nobody had come to before.
    pub(super) news: Vec<u64>,
    /// What speaks against which schedule.
    pub(super) findings: Vec<(Schedule, Violation)>,
    /// How many plays there were.
    pub(super) plays: u64,
    /// How many schedules led to what was known before anything was played.
    pub(super) known: u64,
    /// How many plays ended where all was known.
    pub(super) merged: u64,
    /// How the others ended.
    pub(super) ends: BTreeMap<&'static str, u64>,
    /// Why the play in which nobody died failed, if it did not get through in the end.
    pub(super) failure: Option<String>,
    /// Time was over, or a runner left too much, before all of it was walked.
    pub(super) is_cut: bool,
}

/// What a runner has left that died.
struct Left {
    situation: Situation,
    runner: usize,
    point: u64,
    /// A step had just ended.
    at_rest: bool,
    /// Nobody had gone back from there.
    leads_back: bool,
}

/// What is noted while one play goes on.
#[derive(Default)]
struct Trail {
    left: Vec<Left>,
    known: u64,
    /// There was more than is kept.
    is_cut: bool,
    last: Option<(u64, u64)>,
    /// How the record stood when the present runner began, and which runner that is.
    began: Option<(usize, u64)>,
}

/// Who walks: over a scene, knowing what was walked before.
pub(super) struct Walker<'a> {
    scene: &'a Scene,
    known: Rc<BTreeSet<u64>>,
    news: Rc<RefCell<BTreeSet<u64>>>,
    walked: Walked,
    /// How many runners may die in any walk of the exploration.
    deaths: usize,
    /// Whether time is over.
    is_over: Rc<dyn Fn() -> bool>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(
        scene: &'a Scene,
        known: Rc<BTreeSet<u64>>,
        deaths: usize,
        is_over: Rc<dyn Fn() -> bool>,
    ) -> Self {
        Self { scene, known, news: Rc::default(), walked: Walked::default(), deaths, is_over }
    }

    /// Walks a schedule; up to `deaths` runners die one after the other.
    ///
    /// # Errors
    /// The defect of a model.
    pub(super) fn walk(mut self, schedule: &Schedule, deaths: usize) -> Result<Walked> {
        let play = Play::new(self.scene, schedule, Witness::default());
        let left = self.play(&play, schedule, false, deaths)?;
        self.walked.points = play.situation.estate.points();
        drop(play);
        self.go_on(left, schedule, deaths)?;
        self.walked.news = self.news.take().into_iter().collect();
        Ok(self.walked)
    }

    /// Goes on from what dead runners have left, and back from there. `deaths`: how many could die, they included.
    fn go_on(&mut self, left: Vec<Left>, schedule: &Schedule, deaths: usize) -> Result<()> {
        for Left { situation, runner, point, at_rest, leads_back } in left {
            for back in [false, true] {
                if back && !leads_back {
                    continue;
                }
                if (self.is_over)() {
                    self.walked.is_cut = true;
                    return Ok(());
                }
                let dying = schedule.dying(runner, Death { at: point, back });
                let play = Play::on(self.scene, situation.fork());
                let left = self.play(&play, &dying, back, deaths - 1)?;
                if back && at_rest && schedule.is_empty() {
                    self.walked.ways_back.push((dying.clone(), play.situation.estate.points()));
                }
                drop(play);
                self.go_on(left, &dying, deaths - 1)?;
            }
        }
        Ok(())
    }

    /// One play, and what it leaves wherever its runner could die, if that many may. Who dies in a play without an end
    /// leaves only another one.
    fn play(&mut self, play: &Play<'_>, schedule: &Schedule, back: bool, deaths: usize) -> Result<Vec<Left>> {
        self.walked.plays += 1;
        let track: Rc<RefCell<Trail>> = Rc::default();
        let watch = self.watch(&track, deaths);
        let end = play.go(schedule, back, &watch)?;
        let findings = judged(play, &end)?;
        if self.walked.plays == 1 && !gets_through(&end) {
            self.walked.failure = judge::failure(play);
        }
        match &end {
            PlayEnd::Left => self.walked.merged += 1,
            PlayEnd::Over(finished) => {
                *self.walked.ends.entry(ending_badge(Some(finished.ending)).word).or_default() += 1
            }
            PlayEnd::Refused => *self.walked.ends.entry("no way back").or_default() += 1,
            PlayEnd::Endless => *self.walked.ends.entry("no end").or_default() += 1,
        }
        self.walked.findings.extend(findings.into_iter().map(|finding| (schedule.clone(), finding)));
        let Trail { left, known, is_cut, .. } = track.take();
        self.walked.known += known;
        self.walked.is_cut |= is_cut;
        Ok(if matches!(end, PlayEnd::Endless) { Vec::new() } else { left })
    }

    /// Who ends a play where all is known, and notes what would be left where its runner could die. A state is known if
    /// it was come to before while as many runners could still die.
    fn watch(&self, track: &Rc<RefCell<Trail>>, deaths: usize) -> Watch {
        let (known, news, track) = (Rc::clone(&self.known), Rc::clone(&self.news), Rc::clone(track));
        let (deaths_max, may_die, is_over) = (self.deaths, deaths > 0, Rc::clone(&self.is_over));
        let add = move |kind: u8, state: (u64, u64)| {
            let mut at = (deaths..=deaths_max).map(|deaths| key(kind, deaths, state));
            let is_known = at.any(|key| known.contains(&key) || news.borrow().contains(&key));
            news.borrow_mut().insert(key(kind, deaths, state));
            is_known
        };
        Rc::new(move |passing: &Passing<'_>| {
            // A run that comes to no end is not to take more time than there is.
            if passing.point.is_multiple_of(POINTS_BETWEEN_LOOKS) && is_over() {
                track.borrow_mut().is_cut = true;
                return true;
            }
            if !passing.is_free {
                return false;
            }
            let situation = passing.situation;
            let state = (situation.estate.hash(), situation.record.get());
            let same = track.borrow_mut().last.replace(state) == Some(state);
            let began = track.borrow().began.filter(|(runner, _)| *runner == passing.runner);
            if began.is_none() {
                track.borrow_mut().began = Some((passing.runner, state.1));
            }
            // A runner that has only read what is on record has not shown that it can go on from there.
            let has_gone_on = began.is_some_and(|(_, record)| record != state.1);
            if may_die && !same && !add(DEAD, state) {
                let leads_back =
                    situation.store.count(RUN) > 0 && !add(BACK, (state.0, situation.hash.borrow().changes()));
                let (runner, point, at_rest) = (passing.runner, passing.point, is_at_rest(situation));
                let mut track = track.borrow_mut();
                track.known += u64::from(!leads_back);
                if track.left.len() < LEFT_MAX {
                    track.left.push(Left { situation: situation.fork(), runner, point, at_rest, leads_back });
                } else {
                    track.is_cut = true;
                }
            } else if may_die {
                track.borrow_mut().known += 2;
            }
            let comes_to_rest = passing.boundary == Boundary::AfterAppend && situation.estate.is_quiet();
            comes_to_rest && has_gone_on && !same && add(ALIVE, state)
        })
    }
}

/// Whether a play came to an end that is no failure. One that was left came to where it had been before.
fn gets_through(end: &PlayEnd) -> bool {
    let PlayEnd::Over(finished) = end else { return false };
    !matches!(finished.ending, Ending::Failed | Ending::RolledBack)
}

/// Kinds of states: with a runner, without, and without as one who goes back sees it.
const ALIVE: u8 = 1;
const DEAD: u8 = 2;
const BACK: u8 = 3;

fn key(kind: u8, deaths: usize, state: (u64, u64)) -> u64 {
    let mut hash = DefaultHasher::new();
    (kind, deaths, state).hash(&mut hash);
    hash.finish()
}

/// Whether the last thing on record is the end of a step.
fn is_at_rest(situation: &Situation) -> bool {
    situation.store.last(RUN).is_some_and(|record| matches!(record.fact, Fact::StepEnded { .. }))
}
