//! Reads the log of a service over a link, in order, from a mark on. A link that is down is no reason to give
//! up: it is noted, and tried again. What the lines mean is for the caller to say.

use crate::exec::calls;
use crate::exec::follow::Follower;
use crate::exec::followed::behind_hole;
use crate::exec::scan::{count_lines, last_line};
use crate::exec::sight::{Hidden, LogSight, absence_of, alike, remarks_of};
use crate::exec::waiting::Backoff;
use crate::model::run::effect::LogSource;
use crate::model::run::instant::Mono;
use crate::model::run::mark::Mark;
use crate::world::request::AwaitChange;
use crate::world::{FileStat, Link, Stopped, Trouble, Try};
use std::collections::{BTreeMap, BTreeSet};

/// How often a file that has just been renamed is looked up again before that counts as trouble.
pub(super) const LOOKUPS: u32 = 3;

/// Deals with whole lines, each with its line end. `Some(n)`: reading stops behind the first `n` bytes.
pub(super) type Deal<'d> = dyn FnMut(&[u8]) -> Option<usize> + 'd;

/// Deals with a line that has no end yet. Whether it counted.
pub(super) type DealUnfinished<'d> = dyn FnMut(&[u8]) -> bool + 'd;

/// A log that is being read.
pub(super) struct LogReader<'a> {
    link: &'a dyn Link,
    host: &'a str,
    source: &'a LogSource,
    follower: Follower,
    listing: Vec<FileStat>,
    pace: Backoff,
    /// Why the last look did not work, if it did not.
    trouble: Option<Trouble>,
    /// Files of the log that could not be read in the last look, and why.
    unreadable: BTreeMap<String, String>,
    /// How many bytes the last look left unread, because its time was over.
    behind: u64,
    /// How many lines were read.
    pub(super) lines: u64,
    /// The last line read.
    pub(super) last: Vec<u8>,
}

impl<'a> LogReader<'a> {
    /// A reader that begins at `from`.
    pub(super) fn new(link: &'a dyn Link, host: &'a str, source: &'a LogSource, from: &Mark) -> Self {
        let follower = Follower::new(&source.files, from);
        let (listing, last, unreadable) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (pace, trouble, behind, lines) = (Backoff::patient(), None, 0, 0);
        Self { link, host, source, follower, listing, pace, trouble, unreadable, behind, lines, last }
    }

    /// Looks at the log as it is now and deals with what is new, until `until` at the latest. Returns whether `deal`
    /// stopped it.
    pub(super) fn look(&mut self, until: Mono, deal: &mut Deal<'_>) -> Result<bool, Stopped> {
        let listed = self.list()?;
        self.read_on(listed, until, deal)
    }

    /// Waits until the log changes, or until `until`, and deals with what is new until `limit` at the latest.
    pub(super) fn await_change(&mut self, until: Mono, limit: Mono, deal: &mut Deal<'_>) -> Result<bool, Stopped> {
        if self.trouble.is_some() || !self.unreadable.is_empty() {
            let until = until.min(self.link.now().mono + self.pace.step());
            self.link.wait_until(until)?;
            return self.look(limit, deal);
        }
        let (host, dir, seen) = (self.host.to_owned(), self.source.dir.clone(), self.listing.clone());
        let listed = self.link.ask(AwaitChange { host, dir, seen, until })?;
        self.read_on(listed, limit, deal)
    }

    /// Right behind the last line dealt with.
    pub(super) fn mark(&self) -> Mark {
        self.follower.mark()
    }

    /// What can be said of the log after the last look.
    pub(super) fn sight(&self) -> LogSight {
        let remarks = self.follower.remarks();
        if let Some(trouble) = &self.trouble {
            return LogSight::Hidden(Hidden::Trouble(trouble.clone()));
        }
        if !self.unreadable.is_empty() {
            return LogSight::Hidden(Hidden::Unreadable(self.unreadable.values().cloned().collect()));
        }
        if self.behind > 0 {
            return LogSight::Hidden(Hidden::Behind(self.behind));
        }
        if !remarks.lost.is_empty() {
            return LogSight::Hidden(Hidden::Lost(remarks.lost.iter().cloned().collect()));
        }
        if !self.follower.has_files() {
            let unfit = remarks.unfit.iter().cloned().collect();
            return LogSight::Hidden(Hidden::NoFile { source: self.source.clone(), unfit });
        }
        if self.lines == 0 { LogSight::Quiet } else { LogSight::Seen }
    }

    /// What else whoever waits should know of the log.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut told = remarks_of(self.follower.remarks());
        if self.lines == 0 {
            told.extend(alike(&self.follower));
        }
        told
    }

    /// What became of files that were followed.
    pub(super) fn absence(&self) -> Vec<String> {
        absence_of(self.follower.remarks())
    }

    fn list(&mut self) -> Try<Vec<FileStat>> {
        self.link.ask(calls::list(self.host, &self.source.dir))
    }

    fn read_on(
        &mut self,
        listed: Result<Vec<FileStat>, Trouble>,
        until: Mono,
        deal: &mut Deal<'_>,
    ) -> Result<bool, Stopped> {
        self.unreadable.clear();
        self.behind = 0;
        let done = match listed {
            Ok(listing) => self.drain(listing, until, deal)?,
            // Without a folder there are no files: the sight says so.
            Err(Trouble::Missing(_)) => self.drain(Vec::new(), until, deal)?,
            Err(trouble) => Err(trouble),
        };
        self.trouble = done.as_ref().err().cloned();
        if self.trouble.is_none() && self.unreadable.is_empty() {
            self.pace = Backoff::patient();
        }
        Ok(done.unwrap_or(false))
    }

    /// Reads all there is to read while there is time. A file that went away in between may have been renamed: it is
    /// looked up again at once, before any newer file is read, so that lines keep their order.
    fn drain(&mut self, listing: Vec<FileStat>, until: Mono, deal: &mut Deal<'_>) -> Try<bool> {
        self.follower.see(&listing);
        self.listing = listing;
        let (mut lookups, mut begun) = (0, false);
        while let Some(fetch) = self.follower.wanted() {
            // At least something is read, however late it is.
            if std::mem::replace(&mut begun, true) && self.link.now().mono >= until {
                self.behind = self.follower.behind().max(1);
                return Ok(Ok(false));
            }
            let file = (fetch.name.as_str(), fetch.identity);
            let request = calls::read(self.host, &self.source.dir, file, fetch.from, fetch.max);
            let bytes = match self.link.ask(request)? {
                Ok(bytes) => bytes,
                Err(Trouble::Missing(_)) if lookups < LOOKUPS => {
                    lookups += 1;
                    self.follower.missing();
                    match self.list()? {
                        Ok(listing) => {
                            self.follower.see(&listing);
                            self.listing = listing;
                        }
                        Err(Trouble::Missing(_)) => {
                            self.follower.see(&[]);
                            self.listing.clear();
                        }
                        Err(trouble) => return Ok(Err(trouble)),
                    }
                    continue;
                }
                // One file that may not be read hides what is in it, not what is in the others.
                Err(Trouble::Refused(why)) => {
                    self.unreadable.insert(fetch.name, why);
                    self.follower.missing();
                    continue;
                }
                Err(trouble) => return Ok(Err(trouble)),
            };
            let lines = self.follower.take(&bytes);
            let stop = deal(&lines);
            let dealt = &lines[..stop.unwrap_or(lines.len())];
            if !dealt.is_empty() {
                self.lines += count_lines(dealt);
                self.last = last_line(dealt).to_vec();
            }
            self.follower.consume(&lines, dealt.len());
            if stop.is_some() {
                return Ok(Ok(true));
            }
        }
        Ok(Ok(false))
    }

    /// Reads the lines without an end at the ends of the files: when nothing more is waited for, they are all that will
    /// come of them. One that counted is spent: the rest of it is no line.
    pub(super) fn look_at_unfinished(&mut self, deal: &mut DealUnfinished<'_>) -> Result<(), Stopped> {
        let mut seen = BTreeSet::new();
        while let Some(fetch) = self.follower.unfinished(&seen) {
            seen.insert(fetch.identity);
            let file = (fetch.name.as_str(), fetch.identity);
            let request = calls::read(self.host, &self.source.dir, file, fetch.from, fetch.max);
            let Ok(bytes) = self.link.ask(request)? else { continue };
            let line = behind_hole(&bytes);
            if line.is_empty() || line.contains(&b'\n') {
                continue;
            }
            self.lines += 1;
            self.last = line.to_vec();
            if deal(line) {
                self.follower.spend(fetch.identity, bytes.len());
            }
        }
        Ok(())
    }
}
