//! Reads the log of a service over a link, in order, from a mark on. A link that is down is no reason to give
//! up: it is noted, and tried again. What the lines mean is for the caller to say.

use crate::exec::calls::{self, Try, words};
use crate::exec::follow::{Follower, cursor_at_end};
use crate::exec::scan::{count_lines, last_line};
use crate::exec::waiting::Pace;
use crate::model::effect::LogSource;
use crate::model::mark::{Cursor, Mark};
use crate::world::{FileStat, Link, Request, Stopped, Trouble};

/// How often a file that has just been renamed is looked up again before that counts as trouble.
const LOOKUPS: u32 = 3;

/// How far back the end of the last whole line is searched for, at first and at the most, in bytes.
const BACK: (u64, u64) = (64 * 1024, 16 * 1024 * 1024);

/// Deals with whole lines, each with its line end. `Some(n)`: reading stops behind the first `n` bytes.
pub(super) type Deal<'d> = dyn FnMut(&[u8]) -> Option<usize> + 'd;

/// A log that is being read.
pub(super) struct LogReader<'a> {
    link: &'a dyn Link,
    host: &'a str,
    source: &'a LogSource,
    follower: Follower,
    listing: Vec<FileStat>,
    pace: Pace,
    /// Why the last look did not work, if it did not.
    pub(super) trouble: Option<String>,
    /// How many lines were read.
    pub(super) lines: u64,
    /// The last line read.
    pub(super) last: Vec<u8>,
}

impl<'a> LogReader<'a> {
    /// A reader that begins at `from`.
    pub(super) fn new(link: &'a dyn Link, host: &'a str, source: &'a LogSource, from: &Mark) -> Self {
        let follower = Follower::new(&source.files, from);
        let (listing, last) = (Vec::new(), Vec::new());
        Self { link, host, source, follower, listing, pace: Pace::patient(), trouble: None, lines: 0, last }
    }

    /// Looks at the log as it is now and deals with what is new. Returns whether `deal` stopped it.
    pub(super) fn look(&mut self, deal: &mut Deal<'_>) -> Result<bool, Stopped> {
        let listed = self.list()?;
        self.read_on(listed, deal)
    }

    /// Waits until the log changes, or until `until`, and deals with what is new.
    pub(super) fn await_change(&mut self, until: u64, deal: &mut Deal<'_>) -> Result<bool, Stopped> {
        if self.trouble.is_some() {
            let until = until.min(self.link.now().mono + self.pace.step());
            self.link.call(Request::WaitUntil { until })?;
            return self.look(deal);
        }
        let (host, dir, seen) = (self.host.to_owned(), self.source.dir.clone(), self.listing.clone());
        let listed = calls::listing(self.link, Request::Changed { host, dir, seen, until })?;
        self.read_on(listed, deal)
    }

    /// Right behind the last line dealt with.
    pub(super) fn mark(&self) -> Mark {
        self.follower.mark()
    }

    fn list(&mut self) -> Try<Vec<FileStat>> {
        calls::listing(self.link, Request::List { host: self.host.to_owned(), dir: self.source.dir.clone() })
    }

    fn read_on(&mut self, listed: Result<Vec<FileStat>, Trouble>, deal: &mut Deal<'_>) -> Result<bool, Stopped> {
        let done = match listed {
            Ok(listing) => self.drain(listing, deal)?,
            Err(trouble) => Err(trouble),
        };
        self.trouble = done.as_ref().err().map(words);
        if self.trouble.is_none() {
            self.pace = Pace::patient();
        }
        Ok(done.unwrap_or(false))
    }

    /// Reads all there is to read. A file that went away in between may have been renamed: it is looked up again
    /// at once, before any newer file is read, so that lines keep their order.
    fn drain(&mut self, listing: Vec<FileStat>, deal: &mut Deal<'_>) -> Try<bool> {
        self.follower.see(&listing);
        self.listing = listing;
        let mut lookups = 0;
        while let Some(fetch) = self.follower.wanted() {
            let file = (fetch.name.as_str(), fetch.identity);
            let request = calls::read(self.host, &self.source.dir, file, fetch.from, fetch.max);
            let bytes = match calls::bytes(self.link, request)? {
                Ok(bytes) => bytes,
                Err(Trouble::Missing(_)) if lookups < LOOKUPS => {
                    lookups += 1;
                    self.follower.missing();
                    match self.list()? {
                        Ok(listing) => {
                            self.follower.see(&listing);
                            self.listing = listing;
                        }
                        Err(trouble) => return Ok(Err(trouble)),
                    }
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
}

/// Where a log stands now: whatever is in its files is old, but for lines still being written.
pub(super) fn mark_now(link: &dyn Link, host: &str, source: &LogSource) -> Try<Mark> {
    let mut lookups = 0;
    'lookup: loop {
        let listing = match calls::listing(link, Request::List { host: host.to_owned(), dir: source.dir.clone() })? {
            Ok(listing) => listing,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let mut cursors = Vec::new();
        for stat in listing.iter().filter(|stat| glob_match::glob_match(&source.files, &stat.name)) {
            match end_of(link, host, source, stat)? {
                Ok(cursor) => cursors.push(cursor),
                // Renamed meanwhile: without its cursor its old lines would count as new.
                Err(Trouble::Missing(_)) if lookups < LOOKUPS => {
                    lookups += 1;
                    continue 'lookup;
                }
                Err(trouble) => return Ok(Err(trouble)),
            }
        }
        cursors.sort_by(|a: &Cursor, b| a.name.cmp(&b.name));
        return Ok(Ok(Mark { cursors }));
    }
}

/// The cursor behind the last whole line of a file.
fn end_of(link: &dyn Link, host: &str, source: &LogSource, stat: &FileStat) -> Try<Cursor> {
    let (mut back, most) = BACK;
    loop {
        // No line end in such a stretch is no log: give the beginning of the file rather than read on and on.
        let from = if back > most { 0 } else { stat.len.saturating_sub(back) };
        let max = if back > most { 0 } else { stat.len - from };
        let file = (stat.name.as_str(), stat.identity);
        match calls::bytes(link, calls::read(host, &source.dir, file, from, max))? {
            Ok(bytes) => match cursor_at_end(stat, from, &bytes) {
                Some(cursor) => return Ok(Ok(cursor)),
                None => back *= 4,
            },
            Err(trouble) => return Ok(Err(trouble)),
        }
    }
}
