//! What every track of a run stands on: its record, its world, the tracks beside it, and whether the run is to stop.
//! How a track waits for any of them lies here. It performs no effect and decides nothing.

use super::recorder::Recorder;
use super::track::{Give, Track, TrackWant};
use super::tracks::Tracks;
use super::{Body, Halt, Halted};
use crate::error::{Error, Kind};
use crate::exec::Scanners;
use crate::journal::Store;
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{Ending, Moment, Record, TrackId};
use crate::world::{JobId, KeptOutput, Link, Reply, Request, Stopped, Try, World};
use std::cell::RefCell;
use std::rc::Rc;

/// A run that is being carried out.
pub(super) struct RunCore {
    /// The run.
    pub(super) run: String,
    /// Its record.
    pub(super) recorder: Recorder,
    /// Where it acts.
    pub(super) world: RefCell<Box<dyn World>>,
    /// Its tracks.
    pub(super) tracks: Tracks,
    /// Where scanners of logs are kept.
    pub(super) scanners: Rc<Scanners>,
    halted: RefCell<Option<Halt>>,
}

impl RunCore {
    /// Before anything has happened.
    pub(super) fn new(
        (run, last_seq): (String, u64),
        store: Box<dyn Store>,
        sinks: Vec<Box<dyn Sink>>,
        world: Box<dyn World>,
        scanners: Rc<Scanners>,
    ) -> Self {
        let recorder = Recorder::new(run.clone(), store, sinks, last_seq);
        let (world, halted) = (RefCell::new(world), RefCell::default());
        Self { run, recorder, world, tracks: Tracks::new(), scanners, halted }
    }

    /// What time it is in the run's world.
    pub(super) fn moment(&self) -> Moment {
        self.world.borrow_mut().now()
    }

    /// Stops the run for this reason, if it is not stopped already.
    pub(super) fn halt(&self, halt: Halt) -> Halted {
        self.halted.borrow_mut().get_or_insert(halt);
        Halted
    }

    /// Whether the run is stopped.
    pub(super) fn is_halted(&self) -> bool {
        self.halted.borrow().is_some()
    }

    /// Why.
    pub(super) fn halt_reason(&self) -> Option<Halt> {
        self.halted.borrow().clone()
    }

    /// Goes on only if the run is not stopped.
    ///
    /// # Errors
    /// [`Halted`] when it is.
    pub(super) fn go_on(&self) -> Result<(), Halted> {
        if self.is_halted() { Err(Halted) } else { Ok(()) }
    }

    /// Somebody wants the run to stop here, to be taken up again.
    pub(super) fn interrupted(&self) {
        let error = Error::new(Kind::Interrupted, "interrupted; what runs on the hosts goes on there")
            .hint(format!("take it up again: baton resume {}", self.run));
        self.halt(Halt { ending: Ending::Interrupted, error, effect: None });
    }

    /// Stops the run if somebody wants it stopped while the script computes.
    pub(super) fn breathe(&self) {
        // What is being told to a world cannot ask it.
        if self.world.try_borrow_mut().is_ok_and(|mut world| world.is_interrupted()) {
            self.interrupted();
        }
    }

    /// Acts on the track that is running.
    pub(super) fn track<T>(&self, act: impl FnOnce(&mut Track) -> T) -> T {
        self.tracks.running(act)
    }

    /// Suspends the running track until it gets what it wants.
    ///
    /// # Errors
    /// [`Halted`] when the run is stopped.
    pub(super) fn suspend(&self, want: TrackWant) -> Result<Give, Halted> {
        self.go_on()?;
        match self.tracks.switch.suspend(want) {
            Some(Give::Stopped) | None => Err(Halted),
            Some(give @ (Give::Begin | Give::Reply(_) | Give::Appended | Give::Joined | Give::Turn)) => Ok(give),
        }
    }

    /// Has a record written, behind those of its steps that wait.
    ///
    /// # Errors
    /// [`Halted`] when the run is stopped.
    pub(super) fn append(&self, record: Record) -> Result<(), Halted> {
        let mut records = self.track(|track| std::mem::take(&mut track.pending));
        records.push(record);
        self.append_all(records)
    }

    fn append_all(&self, records: Vec<Record>) -> Result<(), Halted> {
        self.suspend(TrackWant::Append(records)).map(|_| ())
    }

    /// Writes what this track still has to say of its steps: whoever looks at the record now sees it as it is.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub(super) fn catch_up(&self) -> Result<(), Halted> {
        let held_back = self.track(|track| std::mem::take(&mut track.pending));
        if held_back.is_empty() { Ok(()) } else { self.append_all(held_back) }
    }

    /// Runs a look at the site on a track of its own, which leaves no record, and waits for its end.
    ///
    /// # Errors
    /// [`Halted`] when the run is stopped.
    pub(super) fn look_aside(&self, track: TrackId, body: Body) -> Result<(), Halted> {
        let look = self.tracks.side_track(track, false);
        self.join(vec![(look, body)])
    }

    /// Runs tracks and waits for their end.
    ///
    /// # Errors
    /// [`Halted`] when the run is stopped.
    pub(super) fn run_tracks(&self, children: Vec<(Track, Body)>) -> Result<(), Halted> {
        // The parent's step must be on record before the first record of a child.
        self.catch_up()?;
        self.join(children)
    }

    fn join(&self, children: Vec<(Track, Body)>) -> Result<(), Halted> {
        let ids: Vec<TrackId> = children.iter().map(|(child, _)| child.id.clone()).collect();
        self.tracks.fork(children);
        let joined = self.suspend(TrackWant::Join(ids.clone()));
        self.tracks.join(&ids);
        joined.map(|_| ())
    }
}

impl Link for RunCore {
    fn call(&self, request: Request) -> Try<Reply> {
        match self.suspend(TrackWant::Reply(Box::new(request))) {
            Ok(Give::Reply(came)) => Ok(came),
            Ok(Give::Begin | Give::Appended | Give::Joined | Give::Turn | Give::Stopped) | Err(Halted) => Err(Stopped),
        }
    }

    fn now(&self) -> Moment {
        self.moment()
    }

    fn tell(&self, event: Event) {
        self.recorder.emit(&event);
    }

    fn kept_output(&self, host: &str, job: &JobId) -> Option<KeptOutput> {
        self.world.borrow().kept_output(host, job)
    }
}
