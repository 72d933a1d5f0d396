//! The door as it is: for each effect, replay or gate, intent, perform, outcome, event. One order, always:
//! intent durable, effect, outcome durable, value visible. It decides nothing a runbook should decide.

use super::drift::SecondLook;
use crate::dispatch::gate::{Gate, StepAhead};
use crate::dispatch::leases;
use crate::dispatch::replay::{self, StartOrRecover, gave_up};
use crate::dispatch::setup::Setup;
use crate::dispatch::switch::Switch;
use crate::dispatch::track::{Give, Track, TrackStep, TrackWant};
use crate::dispatch::{Body, Door, Halt, Halted, StepEntry};
use crate::error::{Error, Kind, Place};
use crate::exec::{self, ExecResult, Order, Scanners};
use crate::journal::Store;
use crate::journal::adopting::Met;
use crate::journal::history::{EffectState, History, Past, StepPast, StepPhase};
use crate::journal::rollback_plan::Happened;
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::event::{Event, Sink};
use crate::model::run::mark::Mark;
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Ending, Fact, Moment, Record, ScriptPoint, StepId, TrackId};
use crate::world::lease::Runner;
use crate::world::{Stopped, World};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How often an idempotent job that vanished without a result is applied again before that counts as a failure.
const ATTEMPTS_MAX: u32 = 10;

/// Carries out effects for scripts, one run at a time.
pub struct Dispatcher {
    pub(super) run: String,
    pub(super) store: RefCell<Box<dyn Store>>,
    pub(super) world: RefCell<Box<dyn World>>,
    sinks: RefCell<Vec<Box<dyn Sink>>>,
    pub(super) history: History,
    pub(super) last_seq: Cell<u64>,
    pub(super) scanners: Rc<Scanners>,
    pub(super) switch: Rc<Switch<TrackWant, Give>>,
    pub(super) tracks: RefCell<BTreeMap<TrackId, Track>>,
    pub(super) running: RefCell<TrackId>,
    pub(super) forked: RefCell<Vec<(TrackId, Body)>>,
    halted: RefCell<Option<Halt>>,
    pub(super) replayed: Cell<usize>,
    changed: Cell<bool>,
    pub(super) hosts_changed: RefCell<BTreeSet<String>>,
    /// Where hosts keep what they know of the run's jobs, as far as this runner has asked.
    pub(super) kept_in: RefCell<BTreeMap<String, Option<String>>>,
    pub(super) gates: Vec<Rc<dyn Gate>>,
    /// Whether a track stands before the gates: one at a time does.
    pub(super) at_gates: Cell<bool>,
    /// Effects are off: a track ends where its record does.
    pub(super) replay_only: Cell<bool>,
    /// Where side tracks have read the logs up to.
    pub(super) marks_aside: RefCell<BTreeMap<String, Mark>>,
    pub(super) second_look: SecondLook,
    /// What was met while effects were off.
    pub(super) met: RefCell<Met>,
}

impl Dispatcher {
    /// A door for one run, before anything has happened.
    #[must_use]
    pub fn new(mut setup: Setup) -> Rc<Self> {
        let main = Track::main();
        let follows = leases::followed(&setup.history.begun().params);
        setup.world.act_for(Runner { follows, ..leases::runner(&setup.run, &setup.by, setup.last_seq) });
        let changed = Cell::new(setup.history.changes() > 0);
        let hosts_changed = RefCell::new(leases::hosts_changed(&setup.history));
        Rc::new(Self {
            run: setup.run,
            store: RefCell::new(setup.store),
            world: RefCell::new(setup.world),
            sinks: RefCell::new(setup.sinks),
            history: setup.history,
            last_seq: Cell::new(setup.last_seq),
            scanners: setup.scanners,
            switch: Switch::new(),
            running: RefCell::new(main.id.clone()),
            tracks: RefCell::new(BTreeMap::from([(main.id.clone(), main)])),
            forked: RefCell::new(Vec::new()),
            halted: RefCell::new(None),
            replayed: Cell::new(0),
            changed,
            hosts_changed,
            kept_in: RefCell::default(),
            gates: setup.gates,
            at_gates: Cell::new(false),
            replay_only: Cell::new(false),
            marks_aside: RefCell::default(),
            second_look: setup.second_look,
            met: RefCell::default(),
        })
    }

    /// Whether anything was ever asked to change in this run.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.changed.get()
    }

    /// What was recorded before this runner, and what it opened the run with.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Keeps a record of the main track for the next write.
    pub fn keep(&self, record: Record) {
        if let Some(main) = self.tracks.borrow_mut().get_mut(&TrackId::main()) {
            main.pending.push(record);
        }
    }

    /// What was recorded but not asked for again, when the script has come to its end: it has changed, or
    /// something it depends on has.
    ///
    /// # Errors
    /// `Refused` naming the counts.
    pub fn check_exhausted(&self) -> Result<(), Box<Error>> {
        let (replayed, recorded) = (self.replayed.get(), self.history.effects());
        if replayed >= recorded { Ok(()) } else { Err(replay::left_over(replayed, recorded)) }
    }

    /// Writes records outside any track: the beginning and the end of a run.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn write(&self, records: Vec<Record>) -> Result<(), Box<Error>> {
        if records.is_empty() {
            return Ok(());
        }
        let before = self.last_seq.get();
        let after = self.store.borrow_mut().append(&self.run, before, &records)?;
        self.last_seq.set(after);
        for (seq, record) in (before + 1..).zip(records) {
            self.emit(&Event::Recorded { seq, record, replayed: false });
        }
        Ok(())
    }

    /// Ends the run, or stops it: step records that wait, then how and why.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn close(&self, ending: Ending, message: &str, effect: Option<EffectId>) -> Result<(), Box<Error>> {
        let mut records: Vec<Record> = Vec::new();
        for track in self.tracks.borrow_mut().values_mut() {
            records.append(&mut track.pending);
        }
        records.push(Fact::Ended { ending, message: message.to_owned(), effect }.at(self.moment()));
        self.write(records)
    }

    /// What time it is in the run's world.
    pub fn moment(&self) -> Moment {
        self.world.borrow_mut().now()
    }

    /// Somebody wants the run to stop here, to be taken up again.
    pub(super) fn interrupted(&self) {
        let error = Error::new(Kind::Interrupted, "interrupted; what runs on the hosts goes on there")
            .hint(format!("take it up again: baton resume {}", self.run));
        self.halt(Halt { ending: Ending::Interrupted, error, effect: None });
    }

    /// Tells every sink.
    pub fn emit(&self, event: &Event) {
        for sink in self.sinks.borrow_mut().iter_mut() {
            sink.event(event);
        }
    }

    /// Acts on the track that is running.
    pub(super) fn track<T>(&self, act: impl FnOnce(&mut Track) -> T) -> T {
        let (running, mut tracks) = (self.running.borrow(), self.tracks.borrow_mut());
        match tracks.get_mut(&*running) {
            Some(track) => act(track),
            None => act(tracks.entry(running.clone()).or_insert_with(Track::main)),
        }
    }

    pub(super) fn suspend(&self, want: TrackWant) -> Result<Give, Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        match self.switch.suspend(want) {
            Some(Give::Stopped) | None => Err(Halted),
            Some(give @ (Give::Begin | Give::Reply(_) | Give::Appended | Give::Joined | Give::Turn)) => Ok(give),
        }
    }

    pub(super) fn append(&self, record: Record) -> Result<(), Halted> {
        let mut records = self.track(|track| std::mem::take(&mut track.pending));
        records.push(record);
        self.append_all(records)
    }

    pub(super) fn append_all(&self, records: Vec<Record>) -> Result<(), Halted> {
        self.suspend(TrackWant::Append(records)).map(|_| ())
    }

    /// Performs what is not settled in the record: a new effect, a new attempt, or one whose outcome is unknown.
    fn perform_live(
        &self,
        id: &EffectId,
        effect: &Effect,
        place: Option<Place>,
        course: StartOrRecover,
    ) -> Result<Outcome, Halted> {
        if self.replays_only() {
            return Err(Halted);
        }
        let (mut recovering, mut entered) = (course.is_recovery(), false);
        let (mut attempt, base, mut since, mut kept_in) = match course {
            StartOrRecover::Recover { attempt, base, since, kept_in } => (attempt, base, since, Ok(kept_in)),
            StartOrRecover::Begin { attempt, base } => {
                if let Some(skipped) = self.ask_gates(id, attempt, effect, place.as_ref())? {
                    return Ok(skipped);
                }
                self.look_again(effect)?;
                (attempt, base, self.moment(), Ok(None))
            }
        };
        let place = place.as_ref().map(PlaceData::from);
        loop {
            if effect.needs_intent() && !recovering && !entered {
                kept_in = self.enter(effect, &since)?;
                let known = kept_in.clone().unwrap_or_default();
                self.append(self.intent((id, attempt), effect, place.clone(), known, since.clone()))?;
            }
            if effect.may_change() {
                self.changed.set(true);
                self.hosts_changed.borrow_mut().extend(effect.host.clone());
                self.second_look.touched(effect);
            }
            let (run, scanners) = (&self.run, &*self.scanners);
            let kept_in = kept_in.as_ref().map(Option::as_deref);
            let order = Order { run, id, attempt, base, effect, since: &since, recovering, kept_in, scanners };
            let outcome = match exec::perform(self, order).map_err(|Stopped| Halted)? {
                ExecResult::Outcome(outcome) => outcome,
                ExecResult::Again { reason } if attempt < ATTEMPTS_MAX => {
                    self.emit(&Event::Notice { text: format!("{}: {reason}; applied again", effect.label) });
                    attempt += 1;
                    since = self.moment();
                    (recovering, entered) = (false, false);
                    self.kept_in.borrow_mut().clear();
                    continue;
                }
                ExecResult::Again { reason } => Outcome::Failed(gave_up(ATTEMPTS_MAX, &reason)),
                ExecResult::Doubt { reason } => return Err(self.doubt(id, attempt, effect, reason)),
                ExecResult::Unanswered { reason } => {
                    return Err(self.halt(replay::unanswered(&self.run, id, effect, &reason)));
                }
                ExecResult::Leased { denied } => {
                    self.free(id, effect, &denied)?;
                    entered = true;
                    continue;
                }
            };
            self.append(self.outcome_record(id, attempt, effect, place, outcome.clone()))?;
            return Ok(outcome);
        }
    }

    fn refuse(&self, mut halt: Halt, place: Option<Place>) -> Halted {
        halt.error.place = place;
        self.halt(halt)
    }

    /// An answer counts for the question that was shown, and for no other.
    fn tell_of_lapse(&self, past: &Past<'_>) {
        if let EffectState::Answered { word, by, .. } = past.state {
            let asked = &past.effect.label;
            let text = format!("{asked} is asked anew: the answer `{word}` by {by} was to another question");
            self.emit(&Event::Notice { text });
        }
    }

    pub(super) fn intent(
        &self,
        (id, attempt): (&EffectId, u32),
        effect: &Effect,
        place: Option<PlaceData>,
        kept_in: Option<String>,
        at: Moment,
    ) -> Record {
        let (id, step) = (id.clone(), self.track(|track| track.step().to_owned()));
        let (effect, digest) = (effect.as_recorded(), effect.digest());
        Fact::Intent { id, attempt, step, effect, digest, place, kept_in }.at(at)
    }

    fn outcome_record(
        &self,
        id: &EffectId,
        attempt: u32,
        effect: &Effect,
        place: Option<PlaceData>,
        outcome: Outcome,
    ) -> Record {
        if effect.needs_intent() {
            return Fact::Outcome { id: id.clone(), attempt, outcome }.at(self.moment());
        }
        self.read_record(id, effect, place, outcome)
    }

    pub(super) fn read_record(
        &self,
        id: &EffectId,
        effect: &Effect,
        place: Option<PlaceData>,
        outcome: Outcome,
    ) -> Record {
        let (step, at) = (self.step_number(), self.moment());
        Fact::Read { id: id.clone(), step, effect: effect.clone(), digest: effect.digest(), place, outcome }.at(at)
    }

    pub(super) fn doubt(&self, id: &EffectId, attempt: u32, effect: &Effect, reason: String) -> Halted {
        let record = Fact::Doubt { id: id.clone(), attempt, reason: reason.clone() }.at(self.moment());
        match self.append(record) {
            Ok(()) => self.halt(replay::in_doubt(&self.run, id, effect, &reason)),
            Err(halted) => halted,
        }
    }

    /// Whether a step that failed before is entered again because something in it is tried again.
    fn begins_again(&self, track: &TrackId, number: &str) -> bool {
        let failed = |step: &StepPast| matches!(step.phase, StepPhase::Ended { failed: Some(_) });
        self.history.step(track, number).is_some_and(failed) && self.history.retries_in(track, number)
    }

    fn settle(&self, id: &EffectId, effect: &Effect, outcome: &Outcome) {
        self.note_reading(id, effect);
        if let (Outcome::Done { mark: Some(mark), .. }, Some(service)) = (outcome, &effect.service) {
            self.track(|track| track.marks.insert(service.clone(), mark.clone()));
        }
    }
}

impl Door for Dispatcher {
    fn perform(&self, effect: Effect, place: Option<Place>) -> Result<(EffectId, Outcome), Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        let id = self.track(|track| EffectId { n: track.next(), track: track.id.clone() });
        self.arrive(&id.track, || ScriptPoint::Effect(id.clone()))?;
        let outcome = match self.history.recorded(&id) {
            None if self.history.forked_at(&id) => {
                return Err(self.refuse(replay::not_a_fork(&id, "parallel", &effect.label), place));
            }
            None => self.perform_live(&id, &effect, place, StartOrRecover::FIRST)?,
            Some(past) => {
                let step = self.track(|track| track.step().to_owned());
                let verdict = replay::verdict(&self.run, &id, &past, &effect, &step);
                self.count(&past, &verdict);
                match verdict {
                    replay::ReplayDecision::Recorded(outcome) => outcome,
                    replay::ReplayDecision::Settled(outcome, _) if self.replays_only() => outcome,
                    replay::ReplayDecision::Settled(outcome, attempt) => {
                        self.append(self.outcome_record(&id, attempt, &effect, None, outcome.clone()))?;
                        outcome
                    }
                    replay::ReplayDecision::Live(course) => {
                        self.tell_of_lapse(&past);
                        self.perform_live(&id, &effect, place, course)?
                    }
                    replay::ReplayDecision::Halt(_) if self.track(|track| track.replay_only) => return Err(Halted),
                    replay::ReplayDecision::Halt(halt) if self.replays_only() && halt.ending == Ending::Doubt => {
                        return Err(Halted);
                    }
                    replay::ReplayDecision::Halt(halt) => return Err(self.refuse(*halt, place)),
                }
            }
        };
        self.settle(&id, &effect, &outcome);
        Ok((id, outcome))
    }

    fn step_begin(&self, name: &str, place: Option<Place>, undoes: bool) -> Result<StepEntry, Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        let (track, number) = self.track(|track| (track.id.clone(), track.enter(name)));
        self.arrive(&track, || ScriptPoint::Step(number.clone()))?;
        match self.history.step(&track, &number) {
            Some(step) if step.name != name => {
                return Err(self.refuse(replay::other_step(&number, &step.name, name), place));
            }
            Some(StepPast { phase: StepPhase::Skipped, .. }) => {
                let last = self.history.last_number_in(&StepId { track: track.clone(), number: number.clone() });
                self.meet_step(track, number);
                self.track(|track| track.asked = track.asked.max(last));
                self.track(Track::leave);
                return Ok(StepEntry::Skip);
            }
            Some(_) if self.replays_only() || !self.begins_again(&track, &number) => {
                self.meet_step(track, number);
                return Ok(StepEntry::Enter);
            }
            None if self.replays_only() => return Err(Halted),
            Some(_) | None => {}
        }
        let ahead = StepAhead { track: &track, number: &number, name, place: place.as_ref() };
        if self.ask_gates_of_step(&ahead)? {
            self.track(Track::leave);
            return Ok(StepEntry::Skip);
        }
        let place = place.as_ref().map(PlaceData::from);
        let record = Fact::StepBegun { track, number, name: name.to_owned(), place, undoes }.at(self.moment());
        self.track(|track| track.pending.push(record));
        Ok(StepEntry::Enter)
    }

    fn step_end(&self, failed: Option<String>) -> Result<(), Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        let (track, left) = self.track(|track| (track.id.clone(), track.leave()));
        let Some(TrackStep { number, name }) = left else { return Ok(()) };
        let recorded = self.history.step(&track, &number).is_some_and(|step| step.phase != StepPhase::Begun);
        let ahead = StepAhead { track: &track, number: &number, name: &name, place: None };
        if self.replays_only() {
            return Ok(());
        }
        if recorded && !self.begins_again(&track, &number) {
            return self.tell_gates_late(&ahead);
        }
        let well = failed.is_none();
        let record = Fact::StepEnded { track: track.clone(), number: number.clone(), failed }.at(self.moment());
        self.track(|track| track.pending.push(record));
        if well { self.tell_gates(&ahead) } else { Ok(()) }
    }

    fn step_id(&self) -> StepId {
        self.track(|track| StepId { track: track.id.clone(), number: track.step().to_owned() })
    }

    fn fork(&self, bodies: Vec<Body>) -> Result<(), Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        let n = self.track(Track::next);
        let id = EffectId { track: self.track(|track| track.id.clone()), n };
        if let Some(past) = self.history.recorded(&id).filter(|past| !past.gives_way) {
            return Err(self.halt(replay::not_a_fork(&id, &past.effect.label, "parallel")));
        }
        let children = self.track(|track| (0..bodies.len()).map(|index| track.child(n, index)).collect::<Vec<_>>());
        self.run_tracks(children.into_iter().zip(bodies).collect())
    }

    fn look(&self, id: &EffectId) -> Result<Happened, Halted> {
        self.look_at(id)
    }

    fn word_on(&self, id: &EffectId, reason: &str) -> Result<bool, Halted> {
        self.ask_word_on(id, reason)
    }

    fn aside(&self, track: TrackId, body: Body) -> Result<(), Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        let child = self.side_track(track, false);
        self.run_tracks(vec![(child, body)])
    }

    fn guarded(&self, message: &str) {
        self.note_guard(message);
    }

    fn mark_of(&self, service: &str) -> Option<Mark> {
        self.track(|track| track.marks.get(service).cloned())
    }

    fn gate_name(&self, form: &str, own: Option<&str>) -> String {
        self.track(|track| track.gate(form, own))
    }

    fn halt(&self, halt: Halt) -> Halted {
        self.halted.borrow_mut().get_or_insert(halt);
        Halted
    }

    fn breathe(&self) {
        // What is being told to a world cannot ask it.
        if self.world.try_borrow_mut().is_ok_and(|mut world| world.is_interrupted()) {
            self.interrupted();
        }
    }

    fn is_halted(&self) -> bool {
        self.halted.borrow().is_some()
    }

    fn halt_reason(&self) -> Option<Halt> {
        self.halted.borrow().clone()
    }
}
