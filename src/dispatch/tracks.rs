//! The tracks of a run: which one runs, which have been forked, where side tracks have read the logs up to. It decides
//! neither when a track goes on nor what it does.

use super::Body;
use super::guards::HeldGuard;
use super::switch::Switch;
use super::track::{Give, Track, TrackWant};
use crate::model::run::mark::Mark;
use crate::model::run::record::{Record, TrackId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// All tracks of a run that have not ended.
pub(super) struct Tracks {
    all: RefCell<BTreeMap<TrackId, Track>>,
    running: RefCell<TrackId>,
    forked: RefCell<Vec<(TrackId, Body)>>,
    dismissed: RefCell<Vec<TrackId>>,
    /// Where side tracks have read the logs up to.
    marks_aside: RefCell<BTreeMap<String, Mark>>,
    /// Suspends and resumes them.
    pub(super) switch: Rc<Switch<TrackWant, Give>>,
}

impl Tracks {
    /// The main track alone.
    pub(super) fn new() -> Self {
        let main = Track::main();
        let running = RefCell::new(main.id.clone());
        let all = RefCell::new(BTreeMap::from([(main.id.clone(), main)]));
        let (forked, dismissed, marks_aside) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self { all, running, forked, dismissed, marks_aside, switch: Switch::new() }
    }

    /// Acts on the track that is running.
    pub(super) fn running<T>(&self, act: impl FnOnce(&mut Track) -> T) -> T {
        let (running, mut tracks) = (self.running.borrow(), self.all.borrow_mut());
        match tracks.get_mut(&*running) {
            Some(track) => act(track),
            None => act(tracks.entry(running.clone()).or_insert_with(Track::main)),
        }
    }

    /// This track runs from now on.
    pub(super) fn run(&self, track: TrackId) {
        self.running.replace(track);
    }

    /// Keeps a record of the main track for its next write.
    pub(super) fn keep(&self, record: Record) {
        if let Some(main) = self.all.borrow_mut().get_mut(&TrackId::main()) {
            main.pending.push(record);
        }
    }

    /// The records that wait to be written, of all tracks.
    pub(super) fn pending(&self) -> Vec<Record> {
        self.all.borrow().values().flat_map(|track| track.pending.clone()).collect()
    }

    /// The same, taken: they wait no longer.
    pub(super) fn take_pending(&self) -> Vec<Record> {
        self.all.borrow_mut().values_mut().flat_map(|track| std::mem::take(&mut track.pending)).collect()
    }

    /// The guards of the running track and of those it was forked from. They are handed out once.
    pub(super) fn guards_due(&self) -> Vec<HeldGuard> {
        let (running, mut tracks) = (self.running.borrow(), self.all.borrow_mut());
        let enclosing = tracks.iter_mut().filter(|(id, _)| running.is_within(id));
        enclosing.flat_map(|(_, track)| std::mem::take(&mut track.guards)).collect()
    }

    /// A side track: it reads logs on from where the last one stood, else from where the running track stands.
    pub(super) fn side_track(&self, id: TrackId, replay_only: bool) -> Track {
        let mut track = self.running(|parent| parent.aside(id, replay_only));
        let marks = self.marks_aside.borrow();
        track.marks.extend(marks.iter().map(|(service, mark)| (service.clone(), mark.clone())));
        track
    }

    /// These begin as soon as the running track waits for them.
    pub(super) fn fork(&self, children: Vec<(Track, Body)>) {
        for (child, body) in children {
            self.forked.borrow_mut().push((child.id.clone(), body));
            self.all.borrow_mut().insert(child.id.clone(), child);
        }
    }

    /// What was forked since it was last asked, with what each is to do.
    pub(super) fn take_forked(&self) -> Vec<(TrackId, Body)> {
        std::mem::take(&mut *self.forked.borrow_mut())
    }

    /// Nobody needs this track any more: whatever it waits for, it gives up.
    pub(super) fn dismiss(&self, id: TrackId) {
        self.dismissed.borrow_mut().push(id);
    }

    /// What was dismissed since it was last asked.
    pub(super) fn take_dismissed(&self) -> Vec<TrackId> {
        std::mem::take(&mut *self.dismissed.borrow_mut())
    }

    /// A track has ended that nobody waits for.
    pub(super) fn drop(&self, id: &TrackId) {
        self.all.borrow_mut().remove(id);
    }

    /// These have ended: what they have read and not yet written is the running track's now.
    pub(super) fn join(&self, ids: &[TrackId]) {
        let mut tracks = self.all.borrow_mut();
        let ended: Vec<Track> = ids.iter().filter_map(|id| tracks.remove(id)).collect();
        drop(tracks);
        for mut child in ended {
            // What is read on a side track must not move the script's own marks: a replay without it would differ.
            if child.id.is_scripts() {
                self.running(|parent| parent.marks.append(&mut child.marks));
            } else {
                self.running(|parent| child.marks.retain(|service, mark| parent.marks.get(service) != Some(mark)));
                self.marks_aside.borrow_mut().append(&mut child.marks);
            }
            self.running(|parent| parent.pending.append(&mut child.pending));
        }
    }
}
