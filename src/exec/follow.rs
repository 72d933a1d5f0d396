//! The cursors of a log: which bytes of which file to read next, and which of them are whole, new lines. Survives
//! rotation, truncation and rewriting of files. Pure: listings and bytes come in, nothing here reads a file.
//!
//! Use: [`see`](Follower::see) a listing, then as long as [`wanted`](Follower::wanted) names a fetch, make it,
//! [`take`](Follower::take) its bytes, and [`consume`](Follower::consume) the lines that were dealt with.

use crate::model::mark::{Cursor, Identity, Mark, TAIL_BYTES, tail_checksum};
use crate::world::FileStat;
use std::borrow::Cow;

/// How many new bytes are asked for at a time: few enough to stay in the processor's cache while they are searched.
pub const CHUNK: u64 = 1 << 18;

/// How much of a line is looked at; the rest of a longer one is skipped.
pub const LINE_MAX: usize = 64 * 1024;

/// Bytes to be read of a file of the log's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// The file's present name.
    pub name: String,
    /// Which file it is.
    pub identity: Identity,
    /// From which byte.
    pub from: u64,
    /// How many at the most.
    pub max: u64,
}

/// Follows the files of a log.
#[derive(Debug, Clone)]
pub struct Follower {
    glob: String,
    files: Vec<Followed>,
    listings: u64,
    taken: Option<Taken>,
}

/// One file. Its cursor stands just behind a newline, or at 0.
#[derive(Debug, Clone)]
struct Followed {
    cursor: Cursor,
    /// In which listing it first appeared: older files are read first.
    born: u64,
    /// Its length and time of writing in the last listing it was in.
    listed: Option<(u64, i64)>,
    /// Whether there may be something to read.
    changed: bool,
    /// The line at the cursor, while it is longer than a chunk.
    long: Option<LongLine>,
}

/// A line that did not end within a chunk: only its beginning is kept.
#[derive(Debug, Clone)]
struct LongLine {
    head: Vec<u8>,
    length: u64,
    end: Vec<u8>,
}

/// The lines handed out last, which may be consumed.
#[derive(Debug, Clone)]
struct Taken {
    file: usize,
    lines: usize,
    /// The bytes just before them, for the checksum.
    before: Vec<u8>,
    /// For a line longer than a chunk: how many bytes it has in the file, and its last ones.
    long: Option<(u64, Vec<u8>)>,
}

impl Follower {
    /// Follows the files that match `glob` from `mark` on: files the mark does not know are read from their start.
    #[must_use]
    pub fn new(glob: &str, mark: &Mark) -> Self {
        let follow = |cursor: &Cursor| Followed::new(cursor.clone(), 0);
        Self { glob: glob.to_owned(), files: mark.cursors.iter().map(follow).collect(), listings: 0, taken: None }
    }

    /// Takes note of what is in the folder now. A file is known by its identity, whatever it is called: a rotated
    /// file is read to its end under its new name, even one that the glob does not match.
    pub fn see(&mut self, listing: &[FileStat]) {
        self.listings += 1;
        for stat in listing {
            let known = self.files.iter_mut().find(|file| file.cursor.identity == stat.identity);
            let file = match known {
                Some(file) => file,
                None if glob_match::glob_match(&self.glob, &stat.name) => {
                    let start =
                        Cursor { name: String::new(), identity: stat.identity, offset: 0, tail: tail_checksum(&[]) };
                    self.files.push(Followed::new(start, self.listings));
                    let last = self.files.len() - 1;
                    &mut self.files[last]
                }
                None => continue,
            };
            file.cursor.name.clone_from(&stat.name);
            if file.listed != Some((stat.len, stat.modified)) {
                file.listed = Some((stat.len, stat.modified));
                file.changed = true;
            }
            if stat.len < file.reached() {
                // It was cut, or the listing is stale (network file systems): the next read tells.
                file.long = None;
                file.changed = true;
            }
        }
        self.taken = None;
        self.files.sort_by(|a, b| (a.born, a.new_name()).cmp(&(b.born, b.new_name())));
    }

    /// What to read next; nothing when all that is known of has been read.
    #[must_use]
    pub fn wanted(&self) -> Option<Fetch> {
        let file = &self.files[self.next_changed()?];
        let Cursor { name, identity, .. } = file.cursor.clone();
        let from = file.reached() - file.tail_length();
        Some(Fetch { name, identity, from, max: CHUNK + file.tail_length() })
    }

    /// Takes the bytes of the last [`wanted`](Self::wanted) fetch and hands out the whole lines among them, each
    /// with its newline. None when there is no whole line yet, or when the file turns out to have been rewritten.
    pub fn take<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.taken = None;
        let Some(index) = self.next_changed() else { return Cow::Borrowed(&[]) };
        let file = &mut self.files[index];
        if let Some(long) = &mut file.long {
            let full = bytes.len() as u64 == CHUNK;
            let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            long.add(&bytes[..end.unwrap_or(bytes.len())]);
            file.changed = full || end.is_some();
            return match end {
                Some(_) => self.hand_out_long(index),
                None => Cow::Borrowed(&[]),
            };
        }
        let tail = file.tail_length() as usize;
        let rewritten = bytes.len() < tail || tail_checksum(&bytes[..tail]) != file.cursor.tail;
        if rewritten {
            file.restart();
            return Cow::Borrowed(&[]);
        }
        let fresh = &bytes[tail..];
        let full = fresh.len() as u64 == CHUNK;
        file.changed = full;
        match fresh.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => {
                self.taken = Some(Taken { file: index, lines: last + 1, before: bytes[..tail].to_vec(), long: None });
                Cow::Borrowed(&fresh[..=last])
            }
            None => {
                if full {
                    file.long = Some(LongLine::begin(fresh));
                }
                Cow::Borrowed(&[])
            }
        }
    }

    fn hand_out_long(&mut self, index: usize) -> Cow<'static, [u8]> {
        let Some(long) = self.files[index].long.take() else { return Cow::Borrowed(&[]) };
        let mut line = long.head;
        line.push(b'\n');
        let rest = Some((long.length, long.end));
        self.taken = Some(Taken { file: index, lines: line.len(), before: Vec::new(), long: rest });
        Cow::Owned(line)
    }

    /// The first `length` bytes of the `lines` that were handed out last are dealt with. `length` must end a line.
    pub fn consume(&mut self, lines: &[u8], length: usize) {
        let Some(taken) = self.taken.take() else { return };
        let file = &mut self.files[taken.file];
        file.changed |= length < taken.lines;
        if length == 0 {
            return;
        }
        let (length, end) = match taken.long {
            Some(long) => long,
            None => (length as u64, tail_of(taken.before, &lines[..length])),
        };
        file.cursor.offset += length;
        file.cursor.tail = tail_checksum(&end);
    }

    /// The file of the last fetch was not there any more: it waits until a listing names it again.
    pub fn missing(&mut self) {
        if let Some(index) = self.next_changed() {
            self.files[index].changed = false;
            self.files[index].listed = None;
        }
    }

    /// Where reading stands: right behind the last line consumed, in the order in which files are read.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { cursors: self.files.iter().map(|file| file.cursor.clone()).collect() }
    }

    fn next_changed(&self) -> Option<usize> {
        self.files.iter().position(|file| file.changed)
    }
}

impl Followed {
    fn new(cursor: Cursor, born: u64) -> Self {
        Self { cursor, born, listed: None, changed: false, long: None }
    }

    /// Files of the mark keep its order; among new ones the name decides.
    fn new_name(&self) -> &str {
        if self.born == 0 { "" } else { &self.cursor.name }
    }

    /// How far the file has been read, consumed or not.
    fn reached(&self) -> u64 {
        self.cursor.offset + self.long.as_ref().map_or(0, |long| long.length)
    }

    /// How many bytes before the cursor are read again to see whether it is still the same file.
    fn tail_length(&self) -> u64 {
        if self.long.is_some() { 0 } else { self.cursor.offset.min(TAIL_BYTES) }
    }

    /// It is not the file the cursor belongs to: everything in it is new.
    fn restart(&mut self) {
        self.cursor.offset = 0;
        self.cursor.tail = tail_checksum(&[]);
        self.long = None;
        self.changed = true;
    }
}

impl LongLine {
    fn begin(bytes: &[u8]) -> Self {
        let mut line = Self { head: Vec::new(), length: 0, end: Vec::new() };
        line.add(bytes);
        line
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = (LINE_MAX - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.length += bytes.len() as u64;
        self.end = tail_of(std::mem::take(&mut self.end), bytes);
    }
}

/// The last [`TAIL_BYTES`] bytes of `before` followed by `bytes`.
fn tail_of(mut before: Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    let most = TAIL_BYTES as usize;
    before.extend_from_slice(&bytes[bytes.len().saturating_sub(most)..]);
    before.drain(..before.len().saturating_sub(most));
    before
}

/// Where the last whole line in `bytes`, which are a file's bytes from `from` on, ends: a cursor there makes all
/// that is in the file old, but for a line that is still being written. None if `bytes` do not reach back enough.
#[must_use]
pub fn cursor_at_end(stat: &FileStat, from: u64, bytes: &[u8]) -> Option<Cursor> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if from > 0 && end < TAIL_BYTES as usize {
        return None;
    }
    let tail = tail_checksum(&tail_of(Vec::new(), &bytes[..end]));
    Some(Cursor { name: stat.name.clone(), identity: stat.identity, offset: from + end as u64, tail })
}
