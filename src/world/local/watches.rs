//! Notice that a file or folder of this machine changed: one inotify instance for the whole world, one kernel watch
//! for each path. It only wakes; what changed is for the woken to find out, who must poll slowly as well, because
//! network file systems send no events.

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// Who waits, by the kernel's number of the watch.
type Waiters = BTreeMap<i32, Vec<Arc<Notify>>>;

/// All watches of a world.
#[derive(Debug)]
pub(in crate::world) struct Watches {
    inotify: Arc<OwnedFd>,
    waiting: Mutex<Waiters>,
}

/// A path being watched until this is dropped.
#[derive(Debug)]
pub(in crate::world) struct PathWatch {
    number: i32,
    changed: Arc<Notify>,
    owner: Arc<Watches>,
}

impl Watches {
    /// Opens the instance and begins to read its events on a thread of its own, until all watches are dropped.
    pub(in crate::world) fn start() -> std::io::Result<Arc<Self>> {
        let inotify = Arc::new(inotify::init(CreateFlags::CLOEXEC)?);
        let watches = Arc::new(Self { inotify: Arc::clone(&inotify), waiting: Mutex::default() });
        let owner = Arc::downgrade(&watches);
        std::thread::Builder::new().name("watches".into()).spawn(move || read_events(&inotify, &owner))?;
        Ok(watches)
    }

    /// Watches `path`: a folder for its entries and their contents, or one file for its contents.
    /// Nothing when it is not there or the kernel will not; then only polling helps.
    pub(in crate::world) fn watch(self: &Arc<Self>, path: &Path) -> Option<PathWatch> {
        let flags = WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        let mut waiting = self.waiting();
        let number = inotify::add_watch(&self.inotify, path, flags).ok()?;
        let changed = Arc::new(Notify::new());
        waiting.entry(number).or_default().push(Arc::clone(&changed));
        Some(PathWatch { number, changed, owner: Arc::clone(self) })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiters> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, number: i32, what: ReadFlags) {
        let waiting = self.waiting();
        // After an overflow nobody knows what was missed: everyone looks.
        let overflow = what.contains(ReadFlags::QUEUE_OVERFLOW);
        for (_, sleepers) in waiting.iter().filter(|(watched, _)| overflow || **watched == number) {
            sleepers.iter().for_each(|sleeper| sleeper.notify_one());
        }
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        // The removal is an event, which wakes the thread to find that nobody is left.
        if let Ok(number) = inotify::add_watch(&self.inotify, "/", WatchFlags::DELETE_SELF) {
            let _ = inotify::remove_watch(&self.inotify, number);
        }
    }
}

fn read_events(inotify: &OwnedFd, owner: &Weak<Watches>) {
    let mut buffer = [MaybeUninit::uninit(); 16 * 1024];
    let mut events = inotify::Reader::new(inotify, &mut buffer);
    loop {
        match events.next() {
            Ok(event) => match owner.upgrade() {
                Some(watches) => watches.wake(event.wd(), event.events()),
                None => return,
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

impl PathWatch {
    /// Returns when something has changed since the watch began or since it last returned.
    pub(in crate::world) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for PathWatch {
    fn drop(&mut self) {
        let mut waiting = self.owner.waiting();
        let Some(sleepers) = waiting.get_mut(&self.number) else { return };
        sleepers.retain(|sleeper| !Arc::ptr_eq(sleeper, &self.changed));
        if sleepers.is_empty() {
            waiting.remove(&self.number);
            // Fails when the folder is gone: then the kernel has removed the watch already.
            let _ = inotify::remove_watch(&self.owner.inotify, self.number);
        }
    }
}
