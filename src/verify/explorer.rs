//! All schedules within a bound: first the calm nights with every death of a runner, then every single fault, then each
//! with every death, then faults on the ways back, then pairs. In rounds: what one finds is known to the next, so that
//! neither clocks nor cores decide what is walked. Within its time; what it did not come to it says.

use super::scene::{Scene, SceneTexts};
use super::schedule::Schedule;
use super::tally::{Counterexample, Explored};
use super::violation::Violation;
use super::walk::{Walked, Walker};
use crate::error::{Error, Kind, Result};
use crate::script::compile::reached::Reached;
use crate::sim::{Fault, Harm, Point, Random, Trigger};
use crate::world::clock::Clock;
use crate::world::crew::{self, Employ, Worker};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

/// How many schedules are walked between two looks at the clock: known states travel between workers only then.
const ROUND: usize = 16;

/// How far is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many faults there may be in one play: none, 1 or 2.
    pub faults: usize,
    /// How many runners may die one after the other in a play without a fault; with one, one at the most.
    pub deaths: usize,
    /// By which pairs of faults are ordered.
    pub seed: u64,
    /// How long it may take, in milliseconds.
    pub budget_ms: u64,
    /// It ends with the first round in which something is found, and is not exhausted then.
    pub until_found: bool,
    /// How many workers.
    pub workers: usize,
}

/// What a worker is to walk.
#[derive(Debug, Clone)]
struct Task {
    scene: usize,
    schedule: Schedule,
    deaths: usize,
    /// Where its faults lie in the calm night: pairs are planned from there.
    generation: Generation,
}

/// Which round of planning a schedule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Generation {
    Regression,
    Calm,
    Single,
    /// The same faults, and a runner dies as well: there are a hundred times as many of these.
    SingleAndDeath,
    OnTheWayBack,
    /// A calm night in which two runners die one after the other.
    TwoDeaths,
    Pair,
}

/// New states, by scene.
type News = Vec<(usize, Vec<u64>)>;

/// A worker with the scenes it has made ready.
struct Explorer {
    texts: Arc<Vec<SceneTexts>>,
    scenes: BTreeMap<usize, Result<Scene>>,
    known: BTreeMap<usize, Rc<BTreeSet<u64>>>,
    /// How many runners may die in one play at the most.
    deaths: usize,
    deadline: Deadline,
}

/// When the time of an exploration is over.
#[derive(Debug, Clone)]
struct Deadline {
    clock: Clock,
    began: u64,
    budget_ms: u64,
}

impl Deadline {
    fn spent(&self) -> u64 {
        self.clock.now().mono.0.saturating_sub(self.began)
    }

    fn is_over(&self) -> bool {
        self.spent() >= self.budget_ms
    }
}

impl Worker for Explorer {
    type News = News;
    type Task = Task;
    type Yield = Result<(Walked, Reached)>;

    fn hear(&mut self, news: &News) {
        for (scene, states) in news {
            let known = self.known.entry(*scene).or_default();
            Rc::make_mut(known).extend(states);
        }
    }

    fn work(&mut self, task: Task) -> Result<(Walked, Reached)> {
        let texts = self.texts.get(task.scene).ok_or_else(|| Error::new(Kind::Internal, "there is no such scene"))?;
        let scene = self.scenes.entry(task.scene).or_insert_with(|| Scene::new(texts));
        let scene = scene.as_ref().map_err(Clone::clone)?;
        let known = Rc::clone(self.known.entry(task.scene).or_default());
        let deadline = self.deadline.clone();
        let walker = Walker::new(scene, known, self.deaths, Rc::new(move || deadline.is_over()));
        let walked = walker.walk(&task.schedule, task.deaths).map_err(|error| texts.named(error))?;
        Ok((walked, scene.prepared.program.reached()))
    }
}

/// Walks every schedule of these scenes within the bounds. `tell` hears how it stands after each round.
///
/// # Errors
/// The defect of a model, and what is wrong with a text: nothing can be said then.
pub fn explore(scenes: Vec<SceneTexts>, bounds: Bounds, tell: &mut dyn FnMut(&Explored)) -> Result<Explored> {
    let texts = Arc::new(scenes);
    let clock = Clock::real();
    let began = clock.now().mono.0;
    let deadline = Deadline { clock, began, budget_ms: bounds.budget_ms };
    let hire = || Explorer {
        texts: Arc::clone(&texts),
        scenes: BTreeMap::new(),
        known: BTreeMap::new(),
        deaths: bounds.deaths,
        deadline: deadline.clone(),
    };
    let drive = |work: &mut Employ<'_, Explorer>| Search::new(&texts, bounds, deadline.clone()).run(work, tell);
    crew::employ(bounds.workers, hire, drive)
        .map_err(|error| Error::new(Kind::Precondition, "this machine gives no thread to work with").cause(error))?
}

/// The plan of an exploration, and what came of it so far.
struct Search<'a> {
    texts: &'a [SceneTexts],
    bounds: Bounds,
    plan: BTreeMap<Generation, VecDeque<Task>>,
    known: BTreeMap<usize, BTreeSet<u64>>,
    explored: Explored,
    deadline: Deadline,
    /// Something that was begun was not walked to its end.
    is_cut: bool,
    /// Why each calm night failed, if it did.
    calm: Vec<(usize, Option<String>)>,
}

impl<'a> Search<'a> {
    fn new(texts: &'a [SceneTexts], bounds: Bounds, deadline: Deadline) -> Self {
        let calm = |deaths: usize, generation: Generation| {
            let task = move |scene| Task { scene, schedule: Schedule::default(), deaths, generation };
            (0..texts.len()).map(task)
        };
        let known = texts.iter().enumerate().flat_map(|(scene, texts)| {
            let schedules = texts.regressions.iter().cloned();
            schedules.map(move |schedule| Task { scene, schedule, deaths: 0, generation: Generation::Regression })
        });
        let mut plan: BTreeMap<Generation, VecDeque<Task>> = BTreeMap::new();
        plan.insert(Generation::Regression, known.collect());
        plan.insert(Generation::Calm, calm(bounds.deaths.min(1), Generation::Calm).collect());
        if bounds.deaths > 1 {
            plan.insert(Generation::TwoDeaths, calm(bounds.deaths, Generation::TwoDeaths).collect());
        }
        Self {
            texts,
            bounds,
            plan,
            known: BTreeMap::new(),
            explored: Explored::default(),
            deadline,
            is_cut: false,
            calm: Vec::new(),
        }
    }

    fn run(mut self, work: &mut Employ<'_, Explorer>, tell: &mut dyn FnMut(&Explored)) -> Result<Explored> {
        let mut news = News::new();
        loop {
            let round = self.next_round();
            if round.is_empty() {
                break;
            }
            let tasks = round.clone();
            let results = work(std::mem::take(&mut news), round);
            if results.len() < tasks.len() {
                return Err(Error::new(Kind::Internal, "a worker was lost"));
            }
            for (task, result) in tasks.into_iter().zip(results) {
                let (walked, reached) = result?;
                self.explored.reached.merge(reached);
                self.take(task, walked, &mut news);
            }
            self.explored.tally.spent_ms = self.deadline.spent();
            self.explored.tally.left = self.plan.values().map(|tasks| tasks.len() as u64).sum();
            tell(&self.explored);
            let is_found = self.bounds.until_found && !self.explored.found.is_empty();
            if is_found || self.deadline.is_over() {
                break;
            }
        }
        let is_exhausted = !self.is_cut && self.plan.values().all(VecDeque::is_empty);
        Ok(Explored { is_exhausted, ..self.explored })
    }

    /// The next schedules, those of the earliest generation first.
    fn next_round(&mut self) -> Vec<Task> {
        let Some(tasks) = self.plan.values_mut().find(|tasks| !tasks.is_empty()) else { return Vec::new() };
        let count = tasks.len().min(ROUND);
        tasks.drain(..count).collect()
    }

    /// Takes what came of a task: the numbers, the findings, what is known from now on and what is to be walked next.
    fn take(&mut self, task: Task, walked: Walked, news: &mut News) {
        let Walked { points, ways_back, news: states, findings, plays, known, merged, ends, is_cut, failure } = walked;
        if task.generation == Generation::Calm {
            self.calm.push((task.scene, failure));
            self.judge_calm_nights();
        }
        self.is_cut |= is_cut;
        tracing::debug!(schedule = %task.schedule, plays, known, merged, ?ends, "walked");
        let tally = &mut self.explored.tally;
        tally.plays += plays;
        tally.schedules += plays + known;
        tally.merged += merged;
        for (end, count) in ends {
            *tally.ends.entry(end).or_default() += count;
        }
        let all = self.known.entry(task.scene).or_default();
        let fresh: Vec<u64> = states.into_iter().filter(|state| all.insert(*state)).collect();
        self.explored.tally.states += fresh.len() as u64;
        news.push((task.scene, fresh));
        for (schedule, finding) in findings {
            self.found(task.scene, schedule, finding);
        }
        match task.generation {
            Generation::Calm if self.bounds.faults > 0 => {
                if self.bounds.deaths > 0 {
                    self.plan_faults(&task, &task.schedule, points.clone(), Generation::SingleAndDeath);
                }
                self.plan_faults(&task, &task.schedule, points, Generation::Single);
                for (schedule, points) in ways_back {
                    self.plan_faults(&task, &schedule, points, Generation::OnTheWayBack);
                }
            }
            // What a walk with deaths comes to is cut off by less.
            Generation::Single if self.bounds.faults > 1 && self.bounds.deaths == 0 => {
                self.plan_faults(&task, &task.schedule, points, Generation::Pair);
            }
            Generation::SingleAndDeath if self.bounds.faults > 1 => {
                self.plan_faults(&task, &task.schedule, points, Generation::Pair);
            }
            Generation::Regression | Generation::Calm | Generation::Single => {}
            Generation::SingleAndDeath | Generation::OnTheWayBack | Generation::TwoDeaths | Generation::Pair => {}
        }
    }

    /// A runbook that fails on every night on which nothing goes wrong gets nowhere. One scenario of a lab alone may be
    /// there for just that.
    fn judge_calm_nights(&mut self) {
        let is_one_of_a_lab = matches!(self.texts, [only] if !only.scenario.is_empty());
        if is_one_of_a_lab || self.calm.len() < self.texts.len() {
            return;
        }
        let failures: Option<Vec<(usize, String)>> =
            self.calm.iter().map(|(scene, failure)| Some((*scene, failure.clone()?))).collect();
        if let Some((scene, failure)) = failures.and_then(|all| all.into_iter().next()) {
            self.found(scene, Schedule::default(), Violation::stuck(&failure));
        }
    }

    fn found(&mut self, scene: usize, schedule: Schedule, finding: Violation) {
        let scenario = self.texts.get(scene).map_or_else(String::new, |texts| texts.scenario.clone());
        let after_ms = self.deadline.spent();
        match self.explored.found.iter_mut().find(|known| known.finding == finding) {
            Some(known) => {
                known.times += 1;
                if schedule.len() < known.schedule.len() {
                    (known.scenario, known.schedule) = (scenario, schedule);
                }
            }
            None => self.explored.found.push(Counterexample { scenario, schedule, finding, times: 1, after_ms }),
        }
    }

    /// Plans every schedule with one more fault, at an instant after those that are in it.
    fn plan_faults(&mut self, task: &Task, base: &Schedule, points: Vec<Point>, generation: Generation) {
        let deaths = usize::from(generation == Generation::SingleAndDeath);
        let last = base.faults.last().map(|fault| fault.at.clone());
        let after = points.iter().position(|point| Some(&point.at) == last.as_ref()).map_or(0, |at| at + 1);
        let mut planned: Vec<Task> = Vec::new();
        for (at, harm) in points.into_iter().skip(after).flat_map(options) {
            let mut schedule = base.clone();
            schedule.faults.push(Fault { at, harm });
            planned.push(Task { scene: task.scene, schedule, deaths, generation });
        }
        if generation == Generation::Pair {
            shuffle(&mut planned, self.bounds.seed);
        }
        self.plan.entry(generation).or_default().extend(planned);
    }
}

fn options(point: Point) -> Vec<(Trigger, Harm)> {
    point.harms.into_iter().map(|harm| (point.at.clone(), harm)).collect()
}

/// Another order for another seed, the same for the same one.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut random = Random::new(seed);
    for last in (1..items.len()).rev() {
        let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or(0);
        items.swap(last, other);
    }
}
