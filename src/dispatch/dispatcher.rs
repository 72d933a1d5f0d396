//! The door as it is: for each effect, replay or gate, intent, perform, outcome, event. One order, always:
//! intent durable, effect, outcome durable, value visible. It decides nothing a runbook should decide, and what it is
//! made of keeps its own state.

use super::core::RunCore;
use super::drift::DriftCheck;
use super::gate::StepAhead;
use super::gatekeeper::Gatekeeper;
use super::invariants::{InvariantWatch, RunInvariant};
use super::leases::{self, HostLeases};
use super::places::Places;
use super::reconcile::Reconciler;
use super::replay::{self, ReplayDecision, StartOrRecover, gave_up};
use super::replayer::Replayer;
use super::setup::Setup;
use super::track::{Track, TrackStep};
use super::{Body, Door, Halt, Halted, StepEntry, scheduler, written_effect};
use crate::error::{Error, Place};
use crate::exec::{self, ExecResult, Order};
use crate::journal::adopting;
use crate::journal::adopting::Met;
use crate::journal::happened::Happened;
use crate::journal::history::{EffectState, History, Past, StepPast, StepPhase};
use crate::journal::rollback_plan;
use crate::model::run::effect::{Effect, Outcome};
use crate::model::run::event::Event;
use crate::model::run::mark::Mark;
use crate::model::run::place::PlaceData;
use crate::model::run::record::{EffectId, Ending, Fact, Moment, Record, ScriptPoint, StepId, TrackId};
use crate::world::lease::Runner;
use crate::world::{Link, Stopped};
use std::cell::Cell;
use std::rc::{Rc, Weak};

/// How often an idempotent job that vanished without a result is applied again before that counts as a failure.
const ATTEMPTS_MAX: u32 = 10;

/// Carries out effects for scripts, one run at a time.
pub struct Dispatcher {
    core: RunCore,
    replayer: Replayer,
    gates: Gatekeeper,
    drift: DriftCheck,
    leases: HostLeases,
    places: Places,
    invariants: InvariantWatch,
    changed: Cell<bool>,
    /// Itself, for tracks that it begins.
    me: Weak<Self>,
}

impl Dispatcher {
    /// A door for one run, before anything has happened.
    #[must_use]
    pub fn new(setup: Setup) -> Rc<Self> {
        let Setup { run, store, mut world, sinks, history, last_seq, scanners, gates, drift, by } = setup;
        let follows = leases::followed(&history.begun().params);
        world.act_for(Runner { follows, ..leases::runner(&run, &by, last_seq) });
        Rc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            invariants: InvariantWatch::default(),
            changed: Cell::new(history.changes() > 0),
            leases: HostLeases::new(&history),
            places: Places::default(),
            core: RunCore::new((run, last_seq), store, sinks, world, scanners),
            replayer: Replayer::new(history),
            gates: Gatekeeper::new(gates),
            drift,
        })
    }

    /// Runs `main` as the run's main track, with all the tracks it forks, until every one has ended.
    pub fn drive(&self, main: Body) {
        scheduler::drive(&self.core, &self.gates, main);
    }

    /// How the track that is running reaches the world beside the door: for what is asked of people, and for looks.
    #[must_use]
    pub fn link(&self) -> &dyn Link {
        &self.core
    }

    /// Whether anything was ever asked to change in this run.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.changed.get()
    }

    /// What was recorded before this runner, and what it opened the run with.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.replayer.history
    }

    /// What is on record now, with what this runner has written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn recorded_now(&self) -> Result<History, Box<Error>> {
        let mut history = self.core.recorder.history()?;
        let kept = self.core.tracks.pending();
        history.add(kept)?;
        Ok(history)
    }

    /// Keeps a record of the main track for the next write.
    pub fn keep(&self, record: Record) {
        self.core.tracks.keep(record);
    }

    /// What was recorded but not asked for again, when the script has come to its end.
    ///
    /// # Errors
    /// `Refused` naming the counts.
    pub fn check_exhausted(&self) -> Result<(), Box<Error>> {
        self.replayer.check_exhausted()
    }

    /// Writes records outside any track: the beginning and the end of a run.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub fn write(&self, records: Vec<Record>) -> Result<(), Box<Error>> {
        self.core.recorder.write(records)
    }

    /// Ends the run, or stops it: step records that wait, then how and why.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn close(&self, ending: Ending, message: &str, effect: Option<EffectId>) -> Result<(), Box<Error>> {
        let mut records = self.core.tracks.take_pending();
        records.push(Fact::Ended { ending, message: message.to_owned(), effect }.at(self.moment()));
        self.write(records)
    }

    /// Gives the hosts back that the run has changed something on or has taken over, all at once. It is over: what
    /// cannot be given back is told and left to `baton takeover`.
    pub fn release(&self) {
        self.leases.release(&self.core);
    }

    /// What time it is in the run's world.
    pub fn moment(&self) -> Moment {
        self.core.moment()
    }

    /// Tells every sink.
    pub fn emit(&self, event: &Event) {
        self.core.recorder.emit(event);
    }

    /// Turns effects off, or on again. While they are off every track ends where its record does, and nothing is
    /// written.
    pub fn set_replay_only(&self, only: bool) {
        self.replayer.set_only(only);
    }

    /// What was come to on record while effects were off.
    #[must_use]
    pub fn met(&self) -> Met {
        self.replayer.met()
    }

    /// Finds out what became of the changes that a former runner left without an outcome, wherever they were asked for
    /// but on the way back that is under way, whose own record comes to them. What a host cannot tell is in doubt, and
    /// stays so: whoever gives a run up needs no word on it, and is told. What runs on is waited for.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub fn settle_all(&self) -> Result<(), Halted> {
        self.reconciler().settle_all()
    }

    /// The same for lines typed in the REPL, which no replay of the script asks for again. A doubt stops the run.
    ///
    /// # Errors
    /// [`Halted`] as above.
    pub fn settle_typed(&self) -> Result<(), Halted> {
        self.reconciler().settle_typed()
    }

    /// Runs `body` on a side track once more, to find again what it came to: effects are off for it, and where its
    /// record ends or differs, so does the track.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub fn recall(&self, track: TrackId, body: Body) -> Result<(), Halted> {
        self.core.go_on()?;
        let child = self.core.tracks.side_track(track, true);
        self.core.run_tracks(vec![(child, body)])
    }

    /// Writes what this track still has to say of its steps: whoever looks at the record now sees it as it is.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub fn catch_up(&self) -> Result<(), Halted> {
        self.core.catch_up()
    }

    fn reconciler(&self) -> Reconciler<'_> {
        Reconciler { core: &self.core, replayer: &self.replayer }
    }

    fn replays_only(&self) -> bool {
        self.replayer.is_only(&self.core)
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
                if let Some(skipped) = self.gates.ask_of_effect(&self.core, id, attempt, effect, place.as_ref())? {
                    return Ok(skipped);
                }
                self.look_before(effect)?;
                (attempt, base, self.moment(), Ok(None))
            }
        };
        let place = place.as_ref().map(PlaceData::from);
        loop {
            if effect.needs_intent() && !recovering && !entered {
                kept_in = self.places.enter(&self.core, effect, &since)?;
                let known = kept_in.clone().unwrap_or_default();
                self.core.append(written_effect::intent(
                    &self.core,
                    (id, attempt),
                    effect,
                    place.clone(),
                    known,
                    since.clone(),
                ))?;
            }
            if effect.may_change() {
                self.changed.set(true);
                self.leases.touched(effect);
                self.drift.touched(effect);
            }
            let (run, scanners) = (&self.core.run, &*self.core.scanners);
            let kept_in = kept_in.as_ref().map(Option::as_deref);
            let order = Order { run, id, attempt, base, effect, since: &since, recovering, kept_in, scanners };
            let outcome = match self.act(order)? {
                ExecResult::Outcome(outcome) => outcome,
                ExecResult::Again { reason } if attempt < ATTEMPTS_MAX => {
                    self.emit(&Event::Notice { text: format!("{}: {reason}; applied again", effect.label) });
                    attempt += 1;
                    since = self.moment();
                    (recovering, entered) = (false, false);
                    self.places.forget();
                    continue;
                }
                ExecResult::Again { reason } => Outcome::Failed(gave_up(ATTEMPTS_MAX, &reason)),
                ExecResult::Doubt { reason } => {
                    return Err(written_effect::doubt(&self.core, (id, attempt), effect, reason));
                }
                ExecResult::Unanswered { reason } => {
                    return Err(self.halt(replay::unanswered(&self.core.run, id, effect, &reason)));
                }
                ExecResult::Leased { denied } => {
                    self.leases.free(&self.core, id, effect, &denied)?;
                    entered = true;
                    continue;
                }
            };
            self.core.append(written_effect::outcome(&self.core, (id, attempt), effect, place, outcome.clone()))?;
            return Ok(outcome);
        }
    }

    /// Before a change: what must hold, and what guards were decided by, is looked at.
    fn look_before(&self, effect: &Effect) -> Result<(), Halted> {
        self.invariants.before(&self.core, effect)?;
        self.drift.look_again(&self.core, &self.replayer.history, effect)
    }

    /// Does it, with somebody looking at the invariants meanwhile where it is a wait.
    fn act(&self, order: Order<'_>) -> Result<ExecResult, Halted> {
        let act = || exec::perform(&self.core, order);
        let done = self.invariants.beside(&self.core, order.effect, || self.watch(), act);
        done.map_err(|Stopped| Halted)
    }

    /// What a track does that looks at the invariants while others wait.
    fn watch(&self) -> Body {
        let me = Weak::clone(&self.me);
        Box::new(move || {
            if let Some(door) = me.upgrade() {
                door.invariants.keep_watch(&door.core);
            }
        })
    }

    /// Reads something for a look at the invariants: it is read each time, and not recorded.
    fn read_aside(&self, effect: &Effect) -> Result<(EffectId, Outcome), Halted> {
        let (id, since) =
            (self.core.track(|track| EffectId { n: track.next(), track: track.id.clone() }), self.moment());
        let (run, scanners) = (&self.core.run, &*self.core.scanners);
        let (attempt, base, recovering, kept_in) = (1, 1, false, Ok(None));
        let order = Order { run, id: &id, attempt, base, effect, since: &since, recovering, kept_in, scanners };
        match exec::perform(&self.core, order) {
            Ok(ExecResult::Outcome(outcome)) => Ok((id, outcome)),
            Ok(ExecResult::Again { .. } | ExecResult::Doubt { .. } | ExecResult::Unanswered { .. }) => Err(Halted),
            Ok(ExecResult::Leased { .. }) | Err(Stopped) => Err(Halted),
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

    fn settle(&self, id: &EffectId, effect: &Effect, outcome: &Outcome) {
        self.drift.note_reading(&self.core, &self.replayer, id, effect);
        if let (Outcome::Done { mark: Some(mark), .. }, Some(service)) = (outcome, &effect.service) {
            self.core.track(|track| track.marks.insert(service.clone(), mark.clone()));
        }
    }
}

impl Door for Dispatcher {
    fn perform(&self, effect: Effect, place: Option<Place>) -> Result<(EffectId, Outcome), Halted> {
        self.core.go_on()?;
        if self.core.track(|track| track.id.is_look()) {
            return self.read_aside(&effect);
        }
        let id = self.core.track(|track| EffectId { n: track.next(), track: track.id.clone() });
        self.gates.arrive(&id.track, || ScriptPoint::Effect(id.clone()))?;
        let outcome = match self.replayer.history.recorded(&id) {
            None if adopting::forked_at(&self.replayer.history, &id) => {
                return Err(self.refuse(replay::not_a_fork(&id, "parallel", &effect.label), place));
            }
            None => self.perform_live(&id, &effect, place, StartOrRecover::FIRST)?,
            Some(past) => {
                let step = self.core.track(|track| track.step().to_owned());
                match self.replayer.judge(&self.core.run, &past, &effect, &step) {
                    // The way back stands on what the script had come to when it began, however often it is taken up.
                    ReplayDecision::Recorded(_) if past.found_on_way_back && self.replays_only() => return Err(Halted),
                    ReplayDecision::Recorded(outcome) => outcome,
                    ReplayDecision::Settled(outcome, _) if self.replays_only() => outcome,
                    ReplayDecision::Settled(outcome, attempt) => {
                        let record =
                            written_effect::outcome(&self.core, (&id, attempt), &effect, None, outcome.clone());
                        self.core.append(record)?;
                        outcome
                    }
                    ReplayDecision::Live(course) => {
                        self.tell_of_lapse(&past);
                        self.perform_live(&id, &effect, place, course)?
                    }
                    ReplayDecision::Halt(_) if self.core.track(|track| track.replay_only) => return Err(Halted),
                    ReplayDecision::Halt(halt) if self.replays_only() && halt.ending == Ending::Doubt => {
                        return Err(Halted);
                    }
                    ReplayDecision::Halt(halt) => return Err(self.refuse(*halt, place)),
                }
            }
        };
        self.settle(&id, &effect, &outcome);
        Ok((id, outcome))
    }

    fn step_begin(&self, name: &str, place: Option<Place>, undoes: bool) -> Result<StepEntry, Halted> {
        self.core.go_on()?;
        let (track, number) = self.core.track(|track| (track.id.clone(), track.enter(name)));
        self.gates.arrive(&track, || ScriptPoint::Step(number.clone()))?;
        match self.replayer.history.step(&track, &number) {
            Some(step) if step.name != name => {
                return Err(self.refuse(replay::other_step(&number, &step.name, name), place));
            }
            Some(StepPast { phase: StepPhase::Skipped, .. }) => {
                let last = rollback_plan::last_number_in(
                    &self.replayer.history,
                    &StepId { track: track.clone(), number: number.clone() },
                );
                self.replayer.meet_step(track, number);
                self.core.track(|track| track.asked = track.asked.max(last));
                self.core.track(Track::leave);
                return Ok(StepEntry::Skip);
            }
            Some(_) if self.replays_only() || !self.replayer.begins_again(&track, &number) => {
                self.replayer.meet_step(track, number);
                return Ok(StepEntry::Enter);
            }
            None if self.replays_only() => return Err(Halted),
            Some(_) | None => {}
        }
        let ahead = StepAhead { track: &track, number: &number, name, place: place.as_ref() };
        if self.gates.ask_of_step(&self.core, &ahead)? {
            self.core.track(Track::leave);
            return Ok(StepEntry::Skip);
        }
        let place = place.as_ref().map(PlaceData::from);
        let record = Fact::StepBegun { track, number, name: name.to_owned(), place, undoes }.at(self.moment());
        self.core.track(|track| track.pending.push(record));
        Ok(StepEntry::Enter)
    }

    fn step_end(&self, failed: Option<String>) -> Result<(), Halted> {
        self.core.go_on()?;
        let (track, left) = self.core.track(|track| (track.id.clone(), track.leave()));
        let Some(TrackStep { number, name }) = left else { return Ok(()) };
        let recorded = self.replayer.history.step(&track, &number).is_some_and(|step| step.phase != StepPhase::Begun);
        let ahead = StepAhead { track: &track, number: &number, name: &name, place: None };
        if self.replays_only() {
            return Ok(());
        }
        if recorded && !self.replayer.begins_again(&track, &number) {
            return self.gates.tell_late(&self.core, &self.replayer.history, &ahead);
        }
        let well = failed.is_none();
        let record = Fact::StepEnded { track: track.clone(), number: number.clone(), failed }.at(self.moment());
        self.core.track(|track| track.pending.push(record));
        if well { self.gates.tell(&self.core, &ahead) } else { Ok(()) }
    }

    fn step_id(&self) -> StepId {
        self.core.track(|track| StepId { track: track.id.clone(), number: track.step().to_owned() })
    }

    fn fork(&self, bodies: Vec<Body>) -> Result<(), Halted> {
        self.core.go_on()?;
        let n = self.core.track(Track::next);
        let id = EffectId { track: self.core.track(|track| track.id.clone()), n };
        if let Some(past) = self.replayer.history.recorded(&id).filter(|past| !past.gives_way) {
            return Err(self.halt(replay::not_a_fork(&id, &past.effect.label, "parallel")));
        }
        let children =
            self.core.track(|track| (0..bodies.len()).map(|index| track.child(n, index)).collect::<Vec<_>>());
        self.core.run_tracks(children.into_iter().zip(bodies).collect())
    }

    fn look(&self, id: &EffectId) -> Result<Happened, Halted> {
        self.reconciler().look_at(id)
    }

    fn word_on(&self, id: &EffectId, reason: &str) -> Result<bool, Halted> {
        self.reconciler().ask_word_on(id, reason)
    }

    fn aside(&self, track: TrackId, body: Body) -> Result<(), Halted> {
        self.core.go_on()?;
        let child = self.core.tracks.side_track(track, false);
        self.core.run_tracks(vec![(child, body)])
    }

    fn run(&self) -> &str {
        &self.core.run
    }

    fn invariant(&self, invariant: RunInvariant) {
        self.invariants.add(invariant);
    }

    fn look_at_invariants(&self) -> Result<(), Halted> {
        if self.replays_only() { Ok(()) } else { self.invariants.look(&self.core) }
    }

    fn go_home(&self) {
        self.invariants.go_home();
    }

    fn breach(&self) -> Option<Box<Error>> {
        self.invariants.breach()
    }

    fn guarded(&self, message: &str) {
        self.drift.note_guard(&self.core, message);
    }

    fn mark_of(&self, service: &str) -> Option<Mark> {
        self.core.track(|track| track.marks.get(service).cloned())
    }

    fn gate_name(&self, form: &str, own: Option<&str>) -> String {
        self.core.track(|track| track.gate(form, own))
    }

    fn halt(&self, halt: Halt) -> Halted {
        self.core.halt(halt)
    }

    fn breathe(&self) {
        self.core.breathe();
    }

    fn is_halted(&self) -> bool {
        self.core.is_halted()
    }

    fn halt_reason(&self) -> Option<Halt> {
        self.core.halt_reason()
    }
}
