//! Tracks beside the one that runs: forks of the script, and side tracks for ways back and typed lines. It decides when
//! they begin and end, never what they do.

use crate::dispatch::dispatcher::Dispatcher;
use crate::dispatch::track::{Track, TrackWant};
use crate::dispatch::{Body, Door, Halted};
use crate::model::run::record::TrackId;

impl Dispatcher {
    /// Runs `body` on a side track once more, to find again what it came to: effects are off for it, and where its
    /// record ends or differs, so does the track.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub fn recall(&self, track: TrackId, body: Body) -> Result<(), Halted> {
        if self.is_halted() {
            return Err(Halted);
        }
        let child = self.side_track(track, true);
        self.run_tracks(vec![(child, body)])
    }

    /// Writes what this track still has to say of its steps: whoever looks at the record now sees it as it is.
    ///
    /// # Errors
    /// [`Halted`] when the run stops here.
    pub fn catch_up(&self) -> Result<(), Halted> {
        let held_back = self.track(|track| std::mem::take(&mut track.pending));
        if held_back.is_empty() { Ok(()) } else { self.append_all(held_back) }
    }

    /// A side track: it reads logs on from where the last one stood, else from where this track stands.
    pub(super) fn side_track(&self, id: TrackId, replay_only: bool) -> Track {
        let mut track = self.track(|parent| parent.aside(id, replay_only));
        let marks = self.marks_aside.borrow();
        track.marks.extend(marks.iter().map(|(service, mark)| (service.clone(), mark.clone())));
        track
    }

    /// Runs tracks and waits for their end.
    pub(super) fn run_tracks(&self, children: Vec<(Track, Body)>) -> Result<(), Halted> {
        let ids: Vec<TrackId> = children.iter().map(|(child, _)| child.id.clone()).collect();
        // The parent's step must be on record before the first record of a child.
        self.catch_up()?;
        for (child, body) in children {
            self.forked.borrow_mut().push((child.id.clone(), body));
            self.tracks.borrow_mut().insert(child.id.clone(), child);
        }
        let joined = self.suspend(TrackWant::Join(ids.clone()));
        let mut tracks = self.tracks.borrow_mut();
        let ended: Vec<Track> = ids.iter().filter_map(|id| tracks.remove(id)).collect();
        drop(tracks);
        for mut child in ended {
            // What is read on a side track must not move the script's own marks: a replay without it would differ.
            if child.id.is_scripts() {
                self.track(|parent| parent.marks.append(&mut child.marks));
            } else {
                self.track(|parent| child.marks.retain(|service, mark| parent.marks.get(service) != Some(mark)));
                self.marks_aside.borrow_mut().append(&mut child.marks);
            }
            self.track(|parent| parent.pending.append(&mut child.pending));
        }
        joined.map(|_| ())
    }
}
