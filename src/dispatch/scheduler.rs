//! The scheduler of tracks: one loop on one thread. Runs every track that can go on until it wants something,
//! writes what they all want written in one go, then waits for the world. It looks into no effect.

use super::core::RunCore;
use super::gatekeeper::Gatekeeper;
use super::switch::Strand;
use super::track::{Give, TrackWant};
use super::{Body, Halt};
use crate::error::{Error, Kind};
use crate::model::run::event::Event;
use crate::model::run::record::{Ending, Record, TrackId};
use crate::world::{Completion, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many tracks are under way at once that do not wait for others: each has a stack of its own.
const TRACKS_MAX: usize = 1_000;

/// The tracks of a run and what each of them waits for.
struct Scheduler<'a> {
    core: &'a RunCore,
    gates: &'a Gatekeeper,
    strands: BTreeMap<TrackId, Strand<TrackWant, Give>>,
    ready: VecDeque<(TrackId, Give)>,
    writes: Vec<(TrackId, Vec<Record>)>,
    waiting: BTreeMap<Ticket, TrackId>,
    joins: BTreeMap<TrackId, BTreeSet<TrackId>>,
    /// What begins when there is room, the innermost tracks first: others wait for them.
    backlog: VecDeque<(TrackId, Body)>,
    /// Who waits to stand before the gates, longest first.
    turns: VecDeque<TrackId>,
    tickets: u64,
}

/// Runs `main` as the run's main track, with all the tracks it forks, until every one has ended.
pub(super) fn drive(core: &RunCore, gates: &Gatekeeper, main: Body) {
    let mut scheduler = Scheduler {
        core,
        gates,
        strands: BTreeMap::new(),
        ready: VecDeque::new(),
        writes: Vec::new(),
        waiting: BTreeMap::new(),
        joins: BTreeMap::new(),
        backlog: VecDeque::new(),
        turns: VecDeque::new(),
        tickets: 0,
    };
    scheduler.start(TrackId::main(), main);
    scheduler.run();
}

impl Scheduler<'_> {
    fn run(&mut self) {
        while !self.strands.is_empty() {
            self.begin();
            while let Some((track, give)) = self.ready.pop_front() {
                self.turn(track, give);
                self.begin();
            }
            self.commit();
            self.next_turn();
            if self.ready.is_empty() && !self.strands.is_empty() {
                self.wait();
            }
        }
    }

    /// Begins what there is room for.
    fn begin(&mut self) {
        while self.strands.len() - self.joins.len() < TRACKS_MAX
            && let Some((track, body)) = self.backlog.pop_front()
        {
            // A run that is being stopped begins nothing.
            if self.core.is_halted() { self.ended(&track) } else { self.start(track, body) }
        }
    }

    fn start(&mut self, id: TrackId, body: Body) {
        match self.core.tracks.switch.strand(body) {
            Ok(strand) => {
                self.strands.insert(id.clone(), strand);
                self.ready.push_back((id, Give::Begin));
            }
            Err(error) => {
                let error = Error::new(Kind::Precondition, "this machine gives no memory for another track")
                    .cause(error)
                    .hint("raise the limits of memory and of mappings (`ulimit -v`, `vm.max_map_count`), then resume");
                self.core.halt(Halt { ending: Ending::Interrupted, error, effect: None });
                self.ended(&id);
            }
        }
    }

    /// Lets one track go on until it wants something or has ended.
    fn turn(&mut self, id: TrackId, give: Give) {
        let Some(strand) = self.strands.get_mut(&id) else { return };
        self.core.tracks.run(id.clone());
        let give = if self.core.is_halted() { Give::Stopped } else { give };
        let want = self.core.tracks.switch.resume(strand, give);
        match want {
            None => {
                self.strands.remove(&id);
                self.ended(&id);
            }
            Some(TrackWant::Append(records)) => self.writes.push((id, records)),
            Some(TrackWant::Reply(request)) => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.waiting.insert(ticket, id);
                self.core.world.borrow_mut().submit(ticket, *request);
            }
            Some(TrackWant::Turn) => self.turns.push_back(id),
            Some(TrackWant::Join(children)) => {
                self.joins.insert(id.clone(), children.into_iter().collect());
                if self.joins.get(&id).is_some_and(BTreeSet::is_empty) {
                    self.joins.remove(&id);
                    self.ready.push_back((id, Give::Joined));
                }
            }
        }
        let forked = self.core.tracks.take_forked();
        for forked in forked.into_iter().rev() {
            self.backlog.push_front(forked);
        }
        for dismissed in self.core.tracks.take_dismissed() {
            self.dismiss(&dismissed);
        }
    }

    /// A track gives up what it waits for, or never begins. One that is about to go on sees by itself that it need not.
    fn dismiss(&mut self, id: &TrackId) {
        if let Some(at) = self.backlog.iter().position(|(waiting, _)| waiting == id) {
            self.backlog.remove(at);
            return self.ended(id);
        }
        let asked = self.waiting.iter().find(|(_, track)| *track == id).map(|(ticket, _)| *ticket);
        if let Some(ticket) = asked {
            self.waiting.remove(&ticket);
            self.core.world.borrow_mut().forget(ticket);
            self.ready.push_back((id.clone(), Give::Stopped));
        }
    }

    /// A track has ended: whoever waits for it and for no other goes on.
    fn ended(&mut self, id: &TrackId) {
        let is_joined = || self.joins.values().any(|children| children.contains(id));
        if id.is_look() && !is_joined() {
            self.core.tracks.drop(id);
        }
        let mut complete = Vec::new();
        for (parent, children) in &mut self.joins {
            if children.remove(id) && children.is_empty() {
                complete.push(parent.clone());
            }
        }
        for parent in complete {
            self.joins.remove(&parent);
            self.ready.push_back((parent, Give::Joined));
        }
    }

    /// Writes what all tracks of this turn want written, in one durable write.
    fn commit(&mut self) {
        if self.writes.is_empty() {
            return;
        }
        let (tracks, batches): (Vec<TrackId>, Vec<Vec<Record>>) = self.writes.drain(..).unzip();
        if let Err(mut error) = self.core.recorder.write(batches.into_iter().flatten().collect()) {
            error.hints.insert(0, "nothing more was asked of any host".to_owned());
            self.core.recorder.name_successor(&mut error);
            self.core.halt(Halt { ending: Ending::Refused, error, effect: None });
        }
        self.ready.extend(tracks.into_iter().map(|track| (track, Give::Appended)));
    }

    /// Lets the next track before the gates when nobody stands there.
    fn next_turn(&mut self) {
        if !self.turns.is_empty()
            && self.gates.take()
            && let Some(track) = self.turns.pop_front()
        {
            self.ready.push_back((track, Give::Turn));
        }
    }

    /// Waits for the world, or winds down when the run is being stopped.
    fn wait(&mut self) {
        if self.core.is_halted() {
            return self.wind_down();
        }
        let completion = self.core.world.borrow_mut().next();
        match completion {
            Completion::Reply(ticket, came) => {
                if let Some(track) = self.waiting.remove(&ticket) {
                    self.ready.push_back((track, Give::Reply(came)));
                }
            }
            Completion::Told(text) => self.core.recorder.emit(&Event::Notice { text }),
            Completion::Interrupted => {
                self.core.interrupted();
                self.wind_down();
            }
            Completion::Idle => {
                let error = Error::new(Kind::Internal, "every track waits and nothing is under way");
                self.core.halt(Halt { ending: Ending::Interrupted, error, effect: None });
                self.wind_down();
            }
        }
    }

    /// Every suspended track gives up; what the world was asked goes on there.
    fn wind_down(&mut self) {
        for (ticket, track) in std::mem::take(&mut self.waiting) {
            self.core.world.borrow_mut().forget(ticket);
            self.ready.push_back((track, Give::Stopped));
        }
        self.ready.extend(self.turns.drain(..).map(|track| (track, Give::Stopped)));
    }
}
