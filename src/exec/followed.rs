//! One file of a log that is followed: its cursor, what is known of it, and the lines that were handed out of it last.
//! Pure; which file is read when is `follow`'s to say.

use crate::exec::log_names::Age;
use crate::exec::partial_copy::PartialCopy;
use crate::model::run::mark::{Cursor, Identity, TAIL_BYTES, tail_checksum};
use crate::world::FileStat;
use std::borrow::Cow;
use std::cmp::Reverse;

/// How long a line may be, in bytes. Of a longer one only the columns at its beginning are looked at.
pub const LINE_MAX: usize = 64 * 1024;

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FilePhase {
    /// Its cursor holds.
    Reading,
    /// It is new: is it a copy of one of these? The last one is asked about first.
    Compare(Vec<Identity>),
    /// It begins as that file did: is that one still whole? Then the others.
    Verify(Identity, Vec<Identity>),
    /// A copy of that file, which is read in its place as long as it is whole.
    Copy(Identity),
    /// It may be a copy that is not whole.
    Part(PartialCopy),
    /// A part of a file that is whole no more, as long as what was read of that by now: is it what this cursor says?
    Rest(Box<Cursor>),
    /// It was last written before the mark.
    Old,
    /// A packed file: its bytes are no lines.
    Packed,
}

/// One file. Its cursor stands just behind a newline, or at 0, unless its line is spent.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    pub(super) cursor: Cursor,
    pub(super) phase: FilePhase,
    /// Older files are read first: by the listing they first appeared in, their place in the mark, and their age.
    pub(super) order: (u64, usize, Option<Age>),
    /// Its length and time of writing in the last listing, if it was in it.
    pub(super) listed: Option<(u64, i64)>,
    /// Whether there may be something to read.
    pub(super) changed: bool,
    /// Whether it went away.
    pub(super) gone: bool,
    /// The line at the cursor, while it is longer than a chunk.
    pub(super) long: Option<LongLine>,
}

impl Followed {
    /// A file that a mark knows, at this place in it.
    pub(super) fn known(mut cursor: Cursor, place: usize) -> Self {
        let order = (0, place, None);
        let phase = cursor.copy_of.take().map_or(FilePhase::Reading, FilePhase::Copy);
        Self { cursor, phase, order, listed: None, changed: false, gone: false, long: None }
    }

    /// Takes note of a file of its identity. False when it is another file, which only got the number of this one.
    pub(super) fn meet(&mut self, stat: &FileStat, fits: bool) -> bool {
        let renamed = self.cursor.name != stat.name;
        if renamed && !fits {
            let unproven = self.cursor.offset == 0 && !stat.name.starts_with(&self.cursor.name);
            if stat.len < self.cursor.offset || unproven {
                return false;
            }
        }
        let untouched = self.listed.is_none()
            && !renamed
            && stat.len == self.cursor.offset + self.cursor.begun
            && stat.modified == self.cursor.written
            && self.cursor.written != 0;
        self.cursor.name.clone_from(&stat.name);
        let now = (stat.len, stat.modified);
        if self.listed != Some(now) {
            self.changed |= !untouched && !matches!(self.phase, FilePhase::Copy(_) | FilePhase::Packed);
            self.listed = Some(now);
            // A hole that is being filled is read again: it is no line yet.
            self.long.take_if(|long| long.is_hole());
        }
        self.changed |= renamed && !fits && self.phase == FilePhase::Reading;
        if stat.len < self.reached() {
            // It was cut, or the listing is stale (network file systems): the next read tells.
            self.long = None;
            self.changed |= self.phase == FilePhase::Reading;
        }
        true
    }

    /// When it was last written, as far as that is known.
    pub(super) fn written(&self) -> i64 {
        self.listed.map_or(self.cursor.written, |(_, modified)| modified)
    }

    /// Whether it was written to since its mark, and is as long as it was.
    pub(super) fn is_written_alike(&self) -> bool {
        let Cursor { offset, begun, written, .. } = self.cursor;
        let alike = |(len, modified)| len == offset + begun && modified > written && len > 0;
        written != 0 && self.phase == FilePhase::Reading && self.listed.is_some_and(alike)
    }

    /// Whether a new file may be a copy of it.
    pub(super) fn may_have_copy(&self) -> bool {
        self.phase == FilePhase::Reading && self.cursor.offset > 0 && self.cursor.tail.is_some()
    }

    /// How long it was in the last listing.
    pub(super) fn listed_length(&self) -> u64 {
        self.listed.map_or(0, |(length, _)| length)
    }

    /// Whether its name is one that is given to a copy of the file of that name.
    pub(super) fn is_named_after(&self, name: &str) -> bool {
        self.cursor.name.starts_with(name) && self.cursor.name != name
    }

    /// Whether it is there and has not become shorter than what was read of it.
    pub(super) fn looks_whole(&self) -> bool {
        self.listed.is_some_and(|(len, _)| len >= self.cursor.offset)
    }

    /// Compared with all there is to compare it with, it is a new file.
    pub(super) fn settle_phase(&mut self) {
        if self.phase == FilePhase::Compare(Vec::new()) {
            self.phase = FilePhase::Reading;
        }
    }

    /// It is a copy of a file that was read to `original`: what comes behind that is new.
    pub(super) fn go_on_from(&mut self, original: &Cursor) {
        let Cursor { name, identity, written, .. } = self.cursor.clone();
        self.cursor = Cursor { name, identity, written, ..original.clone() };
        self.phase = FilePhase::Reading;
        self.long = None;
        self.changed = true;
    }

    /// It is not the file the cursor belongs to: everything in it is new, and as new as this listing.
    pub(super) fn restart(&mut self, listing: u64) {
        let Cursor { name, identity, written, .. } = self.cursor.clone();
        self.cursor = Cursor { written, ..Cursor::start(&name, identity) };
        self.order = (listing, 0, Some((written, Reverse(0), self.cursor.name.clone())));
        self.long = None;
        self.changed = true;
    }

    /// How far the file has been read, consumed or not.
    pub(super) fn reached(&self) -> u64 {
        self.cursor.offset + self.long.as_ref().map_or(0, |long| long.length)
    }

    /// How many bytes before the cursor are read again to see whether it is still the same file.
    pub(super) fn tail_length(&self) -> u64 {
        if self.long.is_some() { 0 } else { self.cursor.tail_length() }
    }

    /// Whether a line without an end stands at its end that was not there at the mark.
    pub(super) fn has_unfinished(&self) -> bool {
        let Cursor { offset, begun, spent, .. } = self.cursor;
        let more = self.listed.is_some_and(|(len, _)| len > offset + begun);
        self.phase == FilePhase::Reading && !self.changed && !spent && self.long.is_none() && more
    }

    /// Passes over a line at the cursor that is old: it has counted, or was there at the mark and got nothing but its
    /// end. Returns whether it did, or must wait for more.
    pub(super) fn passes_begun(&mut self, tail: &[u8], fresh: &[u8], full: bool) -> bool {
        if self.cursor.begun == 0 && !self.cursor.spent {
            return false;
        }
        let end = fresh.iter().position(|byte| *byte == b'\n');
        let old = match end {
            Some(end) => {
                let begun = usize::try_from(self.cursor.begun).unwrap_or(usize::MAX);
                let line = &fresh[..end];
                self.cursor.spent || line.len() == begun || line.strip_suffix(b"\r").map(<[u8]>::len) == Some(begun)
            }
            None => self.cursor.spent,
        };
        match end {
            Some(end) if old => {
                self.skip(tail, &fresh[..=end]);
                self.cursor.begun = 0;
                self.cursor.spent = false;
                self.changed = fresh.len() > end + 1 || full;
                true
            }
            None if old => {
                self.skip(tail, fresh);
                self.cursor.begun = 0;
                self.changed = full;
                true
            }
            Some(_) => {
                self.cursor.begun = 0;
                false
            }
            None => false,
        }
    }

    fn skip(&mut self, tail: &[u8], bytes: &[u8]) {
        self.cursor.offset += bytes.len() as u64;
        self.cursor.tail = Some(tail_checksum(&tail_of(tail.to_vec(), bytes)));
    }
}

/// A line that did not end within a chunk: only its beginning is kept.
#[derive(Debug, Clone)]
pub(super) struct LongLine {
    pub(super) head: Vec<u8>,
    pub(super) length: u64,
    pub(super) end: Vec<u8>,
}

impl LongLine {
    pub(super) fn begin(bytes: &[u8]) -> Self {
        let mut line = Self { head: Vec::new(), length: 0, end: Vec::new() };
        line.add(bytes);
        line
    }

    /// Zero bytes before the line are a hole: a file was cut under a writer that goes on where it stood.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let text = if self.head.is_empty() { behind_hole(bytes) } else { bytes };
        // One byte more than a line may have tells that it is too long.
        let room = (LINE_MAX + 1).saturating_sub(self.head.len()).min(text.len());
        self.head.extend_from_slice(&text[..room]);
        self.length += bytes.len() as u64;
        self.end = tail_of(std::mem::take(&mut self.end), bytes);
    }

    fn is_hole(&self) -> bool {
        self.head.is_empty()
    }
}

/// The lines handed out last, which may be consumed.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) file: usize,
    pub(super) lines: usize,
    /// The bytes just before them, for the checksum.
    pub(super) before: Vec<u8>,
    /// What stands in the file, where that is more than was handed out.
    pub(super) raw: Option<Raw>,
    /// For a line longer than a chunk: how many bytes it has in the file, and its last ones.
    pub(super) long: Option<(u64, Vec<u8>)>,
}

/// Lines as they stand in the file, and where each of them ends there and in what was handed out.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    bytes: Vec<u8>,
    ends: Vec<(usize, usize)>,
}

impl Raw {
    /// How many bytes of the file the first `length` bytes handed out are, and the last ones of those.
    pub(super) fn behind(&self, before: Vec<u8>, length: usize) -> (u64, Vec<u8>) {
        let end = self.ends.iter().find(|(clean, _)| *clean >= length).map_or(self.bytes.len(), |(_, raw)| *raw);
        (end as u64, tail_of(before, &self.bytes[..end]))
    }
}

/// Lines without the zero bytes that stand before some of them.
pub(super) fn without_holes(lines: &[u8]) -> (Cow<'_, [u8]>, Option<Raw>) {
    if !lines.contains(&0) {
        return (Cow::Borrowed(lines), None);
    }
    let mut clean = Vec::with_capacity(lines.len());
    let (mut ends, mut raw) = (Vec::new(), 0);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        clean.extend_from_slice(behind_hole(line));
        raw += line.len();
        ends.push((clean.len(), raw));
    }
    (Cow::Owned(clean), Some(Raw { bytes: lines.to_vec(), ends }))
}

/// A line without the zero bytes at its beginning.
pub(super) fn behind_hole(line: &[u8]) -> &[u8] {
    &line[line.iter().position(|byte| *byte != 0).unwrap_or(line.len())..]
}

/// The last [`TAIL_BYTES`] bytes of `before` followed by `bytes`.
pub(super) fn tail_of(mut before: Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    let most = TAIL_BYTES as usize;
    before.extend_from_slice(&bytes[bytes.len().saturating_sub(most)..]);
    before.drain(..before.len().saturating_sub(most));
    before
}

/// How many of these lines are too long. Most chunks have a line end in every stretch, and are not counted through.
pub(super) fn long_lines(lines: &[u8]) -> u64 {
    if lines.chunks(LINE_MAX / 2).all(|stretch| stretch.contains(&b'\n')) {
        return 0;
    }
    lines.split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() > LINE_MAX + 1).count() as u64
}
