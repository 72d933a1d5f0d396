//! The cursors of a log: which bytes of which file to read next, and which of them are whole, new lines. Survives
//! rotation, copies, truncation and rewriting of files. Pure: listings and bytes come in, nothing here reads a file.
//!
//! A file is known by its identity and by the bytes just before its cursor: an identity alone may have been used again.
//! A file that is not known is new, unless it is a copy of a known one or was last written before the mark.
//!
//! Use: [`see`](Follower::see) a listing, then as long as [`wanted`](Follower::wanted) names a fetch, make it,
//! [`take`](Follower::take) its bytes, and [`consume`](Follower::consume) the lines that were dealt with.

pub use crate::exec::followed::LINE_MAX;

use crate::exec::followed::{FilePhase, Followed, LongLine, Taken, long_lines, tail_of, without_holes};
use crate::exec::log_names::{age, begins_packed, is_packed, unfit};
use crate::exec::partial_copy::{Look, PartialCopy};
use crate::model::run::mark::{Cursor, HEAD_BYTES, Identity, Mark, TAIL_BYTES, head_checksums, tail_checksum};
use crate::world::{FileKind, FileStat};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// How many new bytes are asked for at a time: few enough to stay in the processor's cache while they are searched.
pub const CHUNK: u64 = 1 << 18;

/// How far back the end of a file that was written before the mark is searched for its last line end, in bytes.
pub(super) const BACK: u64 = 64 * 1024;
/// With how many files, those written last, a new one is compared to see whether it is a copy.
pub(super) const COMPARED: usize = 8;

/// How much of two files is compared at a time, in bytes.
const PIECE: u64 = 64 * 1024;

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
    pub(super) files: Vec<Followed>,
    listings: u64,
    taken: Option<Taken>,
    /// When the file was written that was written last before the mark.
    marked: i64,
    pub(super) remarks: Remarks,
}

/// What was noticed while following that whoever waits should know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Files that went away with lines in them that nobody has read.
    pub lost: BTreeSet<String>,
    /// Files that went away; whether something was written to them after the last look, nobody knows.
    pub gone: BTreeSet<String>,
    /// Files that were cut or written anew since they were read last; what was in them and not read is gone.
    pub cut: BTreeSet<String>,
    /// Packed files, which are not read.
    pub packed: BTreeSet<String>,
    /// Names that fit and cannot be read: links that lead nowhere, names that are no text, what is no file.
    pub unfit: BTreeSet<String>,
    /// Whether what is no file is among them: it stands where a log should be, and will not become one.
    pub in_place: bool,
    /// Files that came since the mark, and were last written before it.
    pub old: BTreeSet<String>,
    /// How many lines were longer than [`LINE_MAX`].
    pub long_lines: u64,
}

impl Follower {
    /// Follows the files that match `glob` from `mark` on: files the mark does not know are read from their start.
    #[must_use]
    pub fn new(glob: &str, mark: &Mark) -> Self {
        let known = |(place, cursor): (usize, &Cursor)| {
            let mut file = Followed::known(cursor.clone(), place);
            // Of a whole copy nothing was read; of one that was being made, what was there is old.
            if let Some(original) = mark.cursors.iter().find(|other| cursor.is_begun_copy_of(other)) {
                file.phase = FilePhase::Part(PartialCopy::marked(original));
            }
            file
        };
        let files = mark.cursors.iter().enumerate().map(known).collect();
        let marked = mark.cursors.iter().map(|cursor| cursor.written).max().unwrap_or(0);
        Self { glob: glob.to_owned(), files, listings: 0, taken: None, marked, remarks: Remarks::default() }
    }

    /// Whether some file of the log is there.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.files.iter().any(|file| file.listed.is_some() && !matches!(file.phase, FilePhase::Packed))
    }

    /// What was noticed so far.
    #[must_use]
    pub fn remarks(&self) -> &Remarks {
        &self.remarks
    }

    /// Takes note of what is in the folder now. A file keeps its identity whatever it is called: a rotated file is
    /// read to its end under its new name, even one that the glob does not match.
    pub fn see(&mut self, listing: &[FileStat]) {
        self.listings += 1;
        self.taken = None;
        self.remarks.unfit.clear();
        self.remarks.in_place = false;
        let latest = self.latest();
        let known: BTreeMap<Identity, usize> =
            self.files.iter().enumerate().map(|(index, file)| (file.cursor.identity, index)).collect();
        let (mut here, mut packed_now) = (BTreeSet::new(), false);
        let mut fresh: BTreeMap<Identity, &FileStat> = BTreeMap::new();
        for stat in listing {
            let fits = glob_match::glob_match(&self.glob, &stat.name);
            match stat.kind {
                FileKind::File | FileKind::Link => {}
                FileKind::Nowhere | FileKind::Unnamed | FileKind::Other => {
                    if fits {
                        self.remarks.unfit.insert(unfit(stat));
                        self.remarks.in_place |= stat.kind == FileKind::Other;
                    }
                    continue;
                }
            }
            match known.get(&stat.identity) {
                // A second name of a file that was met already changes nothing, unless it is the better one.
                Some(index) => {
                    let counts = !here.contains(index) || fits && !self.fits(*index);
                    if counts && self.files[*index].meet(stat, fits) {
                        here.insert(*index);
                    }
                }
                None if is_packed(&stat.name) => {
                    packed_now |= self.remarks.packed.insert(stat.name.clone());
                }
                None if fits => {
                    fresh.entry(stat.identity).or_insert(stat);
                }
                None => {}
            }
        }
        self.part_with(&here, latest, packed_now);
        (0..self.files.len()).for_each(|index| self.look_again(index));
        for stat in fresh.into_values() {
            let file = self.new_file(stat);
            self.files.push(file);
        }
        self.files.sort_by(|a, b| a.order.cmp(&b.order));
    }

    fn fits(&self, index: usize) -> bool {
        glob_match::glob_match(&self.glob, &self.files[index].cursor.name)
    }

    /// The file that was written last, as far as it is known.
    fn latest(&self) -> Option<Identity> {
        let last = self.files.iter().filter(|file| !file.gone).max_by_key(|file| file.written());
        last.map(|file| file.cursor.identity)
    }

    /// Notes which files are not there any more, and what that means.
    fn part_with(&mut self, here: &BTreeSet<usize>, latest: Option<Identity>, packed_now: bool) {
        let mut released = Vec::new();
        for (index, file) in self.files.iter_mut().enumerate() {
            let name = file.cursor.name.clone();
            if here.contains(&index) {
                if std::mem::take(&mut file.gone) {
                    self.remarks.lost.remove(&name);
                    self.remarks.gone.remove(&name);
                }
                continue;
            }
            let unread = file.listed.is_some_and(|(len, _)| len > file.cursor.offset + file.cursor.begun);
            file.listed = None;
            file.changed = false;
            if std::mem::replace(&mut file.gone, true) || !matches!(file.phase, FilePhase::Reading) {
                continue;
            }
            // Old files are cleared away all the time: only the one that was being written can take lines with it.
            let last = latest == Some(file.cursor.identity);
            if unread || last && packed_now {
                self.remarks.lost.insert(name);
            } else if last {
                self.remarks.gone.insert(name);
            }
            released.push(file.cursor.clone());
        }
        released.iter().for_each(|original| self.release(original));
    }

    /// A file that no cursor knows.
    fn new_file(&self, stat: &FileStat) -> Followed {
        let cursor = Cursor { written: stat.modified, ..Cursor::start(&stat.name, stat.identity) };
        let mut file = Followed::known(cursor, 0);
        file.order = (self.listings, 0, Some(age(stat)));
        file.listed = Some((stat.len, stat.modified));
        file.changed = stat.len > 0;
        if self.marked > 0 && stat.modified < self.marked {
            file.phase = FilePhase::Old;
            return file;
        }
        let mut others: Vec<&Followed> = self.files.iter().filter(|other| other.may_have_copy()).collect();
        others.sort_by_key(|other| other.written());
        let left = others.iter().rev().take(COMPARED).map(|other| other.cursor.identity).rev().collect();
        file.phase = FilePhase::Compare(left);
        file.settle_phase();
        file
    }

    /// What to read next; nothing when all that is known of has been read.
    #[must_use]
    pub fn wanted(&self) -> Option<Fetch> {
        let file = &self.files[self.next_changed()?];
        let fetch = |file: &Followed, from, max| {
            let Cursor { name, identity, .. } = file.cursor.clone();
            Some(Fetch { name, identity, from, max })
        };
        let tail_in = |of: &Followed, wanted: &Followed| {
            let tail = wanted.cursor.tail_length();
            fetch(of, wanted.cursor.offset - tail, tail)
        };
        match &file.phase {
            FilePhase::Compare(left) => {
                let original = self.by_identity(*left.last()?)?;
                if file.listed_length() < original.cursor.offset {
                    return self.wanted_of_part(file, &PartialCopy::of(&original.cursor, Vec::new()));
                }
                tail_in(file, original)
            }
            FilePhase::Part(part) => self.wanted_of_part(file, part),
            FilePhase::Rest(cursor) => {
                let tail = cursor.tail_length();
                fetch(file, cursor.offset - tail, tail)
            }
            FilePhase::Verify(of, _) => {
                let original = self.by_identity(*of)?;
                tail_in(original, original)
            }
            FilePhase::Old => {
                let len = file.listed.map_or(0, |(len, _)| len);
                fetch(file, len.saturating_sub(BACK), len.min(BACK))
            }
            FilePhase::Reading => {
                let tail = file.tail_length();
                fetch(file, file.reached() - tail, CHUNK + tail)
            }
            FilePhase::Copy(_) | FilePhase::Packed => None,
        }
    }

    /// Takes the bytes of the last [`wanted`](Self::wanted) fetch and hands out the whole lines among them, each
    /// with its newline. None when there is no whole line yet, or when the file turns out to have been rewritten.
    pub fn take<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        const NOTHING: &[u8] = &[];
        self.taken = None;
        let Some(index) = self.next_changed() else { return Cow::Borrowed(NOTHING) };
        match self.files[index].phase.clone() {
            FilePhase::Compare(left) => self.compare(index, left, bytes),
            FilePhase::Verify(of, left) => self.verify(index, of, left, bytes),
            FilePhase::Part(part) => self.take_of_part(index, part, bytes),
            FilePhase::Rest(cursor) => {
                let file = &mut self.files[index];
                file.phase = FilePhase::Reading;
                if Some(tail_checksum(bytes)) == cursor.tail {
                    file.go_on_from(&cursor);
                }
            }
            FilePhase::Old => self.enter_old(index, bytes),
            FilePhase::Reading => return self.take_lines(index, bytes),
            FilePhase::Copy(_) | FilePhase::Packed => {}
        }
        Cow::Borrowed(NOTHING)
    }

    /// A file that was last written before the mark: all that is in it is old.
    fn enter_old(&mut self, index: usize, bytes: &[u8]) {
        let file = &mut self.files[index];
        let (len, modified) = file.listed.unwrap_or((0, 0));
        let stat = FileStat {
            name: file.cursor.name.clone(),
            identity: file.cursor.identity,
            len,
            modified,
            kind: FileKind::File,
        };
        file.cursor = cursor_at_end(&stat, len.saturating_sub(BACK), bytes);
        file.phase = FilePhase::Reading;
        file.changed = false;
        self.remarks.old.insert(stat.name);
    }

    fn take_lines<'b>(&mut self, index: usize, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let nothing = Cow::Borrowed(&bytes[..0]);
        let fits = self.fits(index);
        let file = &mut self.files[index];
        if let Some(long) = &mut file.long {
            let full = bytes.len() as u64 == CHUNK;
            let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            long.add(&bytes[..end.unwrap_or(bytes.len())]);
            file.changed = full || end.is_some();
            return match end {
                Some(_) => self.hand_out_long(index),
                None => nothing,
            };
        }
        let tail = file.tail_length() as usize;
        if bytes.len() < tail || file.cursor.tail.is_some_and(|sum| tail_checksum(&bytes[..tail]) != sum) {
            self.rewritten(index, fits);
            return nothing;
        }
        let fresh = &bytes[tail..];
        let full = fresh.len() as u64 == CHUNK;
        if file.cursor.offset == 0 && begins_packed(fresh) {
            file.phase = FilePhase::Packed;
            self.remarks.packed.insert(file.cursor.name.clone());
            return nothing;
        }
        if file.cursor.tail.is_none() && bytes[..tail] != *b"\n" {
            file.cursor.spent = true;
        }
        if file.passes_begun(&bytes[..tail], fresh, full) {
            return nothing;
        }
        if file.cursor.offset == 0 {
            file.cursor.head = head_checksums(fresh);
        }
        file.changed = full;
        let Some(last) = fresh.iter().rposition(|byte| *byte == b'\n') else {
            if full {
                file.long = Some(LongLine::begin(fresh));
            }
            return nothing;
        };
        let lines = &fresh[..=last];
        self.remarks.long_lines += long_lines(lines);
        let (lines, raw) = without_holes(lines);
        self.taken = Some(Taken { file: index, lines: lines.len(), before: bytes[..tail].to_vec(), raw, long: None });
        lines
    }

    /// A file is not the one its cursor belongs to. Under a name of the log it was rewritten, and all in it is new;
    /// under another name it is none of ours.
    fn rewritten(&mut self, index: usize, fits: bool) {
        let before = self.files[index].cursor.clone();
        if fits {
            self.remarks.cut.insert(before.name.clone());
            self.files[index].restart(self.listings);
        } else {
            let file = &mut self.files[index];
            file.gone = true;
            file.listed = None;
            file.changed = false;
            self.remarks.gone.insert(before.name.clone());
        }
        self.release(&before);
        self.files.sort_by(|a, b| a.order.cmp(&b.order));
    }

    fn hand_out_long(&mut self, index: usize) -> Cow<'static, [u8]> {
        let Some(long) = self.files[index].long.take() else { return Cow::Borrowed(&[]) };
        let mut line = long.head;
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        if line.len() > LINE_MAX {
            self.remarks.long_lines += 1;
        }
        let rest = Some((long.length, long.end));
        self.taken = Some(Taken { file: index, lines: line.len(), before: Vec::new(), raw: None, long: rest });
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
        let (length, end) = match (taken.long, taken.raw) {
            (Some(long), _) => long,
            (None, Some(raw)) => raw.behind(taken.before, length),
            (None, None) => (length as u64, tail_of(taken.before, &lines[..length])),
        };
        file.cursor.offset += length;
        file.cursor.tail = Some(tail_checksum(&end));
        file.cursor.begun = 0;
    }

    /// The file of the last fetch was not there any more, or could not be read: it waits until a listing names it
    /// again.
    pub fn missing(&mut self) {
        if let Some(index) = self.next_changed() {
            if let FilePhase::Part(part) = self.files[index].phase.clone()
                && self.part_misses(index, &part)
            {
                return;
            }
            let of = match &self.files[index].phase {
                FilePhase::Verify(of, left) => Some((*of, left.clone())),
                FilePhase::Compare(_)
                | FilePhase::Part(_)
                | FilePhase::Rest(_)
                | FilePhase::Old
                | FilePhase::Reading
                | FilePhase::Copy(_)
                | FilePhase::Packed => None,
            };
            match of {
                // The original went away: then there is nothing to be a copy of but what is gone.
                Some((of, left)) => self.verify(index, of, left, b"gone"),
                None => {
                    self.files[index].changed = false;
                    self.files[index].listed = None;
                }
            }
        }
    }

    /// The line without an end at the end of a file of the log, to be read when nothing more is waited for. In turn for
    /// all files; `seen` holds the ones that were asked for already.
    #[must_use]
    pub fn unfinished(&self, seen: &BTreeSet<Identity>) -> Option<Fetch> {
        let ends = |file: &&Followed| file.has_unfinished() && !seen.contains(&file.cursor.identity);
        let Cursor { name, identity, offset, .. } = self.files.iter().find(ends)?.cursor.clone();
        Some(Fetch { name, identity, from: offset, max: LINE_MAX as u64 })
    }

    /// The line without an end, `length` bytes of it, of this file has counted.
    pub fn spend(&mut self, identity: Identity, length: usize) {
        if let Some(file) = self.files.iter_mut().find(|file| file.cursor.identity == identity) {
            file.cursor.begun = length as u64;
            file.cursor.spent = true;
        }
    }

    /// How many bytes are known of and not read.
    #[must_use]
    pub fn behind(&self) -> u64 {
        let left = |file: &Followed| match (file.listed, file.changed) {
            (Some((len, _)), true) => len.saturating_sub(file.reached()),
            (Some(_) | None, _) => 0,
        };
        self.files.iter().map(left).sum()
    }

    /// Where reading stands: right behind the last line consumed, in the order in which files are read.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let cursor = |file: &Followed| {
            let mut cursor = file.cursor.clone();
            match &file.phase {
                FilePhase::Copy(of) => cursor.copy_of = Some(*of),
                FilePhase::Packed => return None,
                // It is found out again what it is.
                FilePhase::Compare(_) | FilePhase::Verify(..) => return None,
                FilePhase::Part(part) if self.stands(part) => return None,
                FilePhase::Part(_) | FilePhase::Rest(_) | FilePhase::Old | FilePhase::Reading => {}
            }
            Some(Cursor { written: file.written(), ..cursor })
        };
        Mark { cursors: self.files.iter().filter_map(cursor).collect() }
    }

    /// What is to be read next: first it is found out what new files are, so that no old line is handed out.
    fn next_changed(&self) -> Option<usize> {
        let unclear = |file: &Followed| {
            matches!(
                file.phase,
                FilePhase::Compare(_)
                    | FilePhase::Verify(..)
                    | FilePhase::Part(_)
                    | FilePhase::Rest(_)
                    | FilePhase::Old
            )
        };
        let first = self.files.iter().position(|file| file.changed && unclear(file));
        first.or_else(|| self.files.iter().position(|file| file.changed && file.phase == FilePhase::Reading))
    }

    pub(super) fn by_identity(&self, identity: Identity) -> Option<&Followed> {
        self.files.iter().find(|file| file.cursor.identity == identity)
    }

    // Copies: what was read of the one is old in the other. That holds of copies that are not yet whole, or never will
    // be, too: nothing in one is new as long as it goes on as the other one did; where it parts from it, what follows
    // is new. Of each file only pieces are held, and no more is read than it takes to tell.

    /// Whether the file has the bytes that stand before the cursor of the last of `left`.
    fn compare(&mut self, index: usize, mut left: Vec<Identity>, bytes: &[u8]) {
        let Some(of) = left.pop() else { return };
        let length = self.files[index].listed_length();
        if let Some(original) = self.by_identity(of).filter(|original| length < original.cursor.offset) {
            let part = PartialCopy::of(&original.cursor, left);
            return self.take_of_part(index, part, bytes);
        }
        let same = self.by_identity(of).is_some_and(|original| {
            let tail = original.cursor.tail_length();
            tail > 0 && bytes.len() as u64 == tail && Some(tail_checksum(bytes)) == original.cursor.tail
        });
        let whole = self.by_identity(of).is_some_and(Followed::looks_whole);
        let file = &mut self.files[index];
        file.phase = if same && whole { FilePhase::Verify(of, left) } else { FilePhase::Compare(left) };
        file.settle_phase();
        if same && !whole {
            self.settle_copy(index, of, false);
        }
    }

    /// Whether the original of what looks like a copy is still what it was.
    fn verify(&mut self, index: usize, of: Identity, left: Vec<Identity>, bytes: &[u8]) {
        let whole = self.by_identity(of).is_some_and(|original| Some(tail_checksum(bytes)) == original.cursor.tail);
        self.files[index].phase = FilePhase::Compare(left);
        self.files[index].settle_phase();
        self.settle_copy(index, of, whole);
    }

    /// A file begins with what was read of another one. Where that one is still whole, a few equal bytes prove
    /// nothing: two launches may begin alike.
    fn settle_copy(&mut self, index: usize, of: Identity, whole: bool) {
        let Some(original) = self.by_identity(of).cloned() else { return };
        let (here, cursor) = (original.listed.is_some(), &original.cursor);
        let certain = cursor.offset >= TAIL_BYTES || self.files[index].is_named_after(&cursor.name);
        let file = &mut self.files[index];
        match (here, whole) {
            (true, true) if certain => {
                let Cursor { name, identity, written, .. } = file.cursor.clone();
                file.cursor = Cursor { written, ..Cursor::start(&name, identity) };
                file.phase = FilePhase::Copy(of);
                file.changed = false;
            }
            // It was cut: what it held before is in the copy.
            (true, false) => {
                file.go_on_from(cursor);
                file.order = (original.order.0, original.order.1, file.order.2.take());
            }
            (false, _) if certain => file.go_on_from(cursor),
            (true, true) | (false, _) => {}
        }
    }

    /// A copy whose original is whole no more is read from where its original was read to.
    fn release(&mut self, original: &Cursor) {
        for file in &mut self.files {
            if file.phase == FilePhase::Copy(original.identity) {
                if file.listed.is_some_and(|(length, _)| length < original.offset) {
                    // It was made before the last of what was read: all that is in it is old.
                    file.phase = FilePhase::Part(PartialCopy::cut(original));
                    file.changed = true;
                } else {
                    file.go_on_from(original);
                }
                self.remarks.lost.remove(&original.name);
            }
        }
    }

    /// What to read of a part of a file, or of the file it is a part of.
    fn wanted_of_part(&self, file: &Followed, part: &PartialCopy) -> Option<Fetch> {
        let fetch = |file: &Followed, from, max| {
            let Cursor { name, identity, .. } = file.cursor.clone();
            Some(Fetch { name, identity, from, max })
        };
        let original = self.by_identity(part.original.identity)?;
        let length = file.listed_length();
        match &part.look {
            Look::Head => fetch(file, 0, length.min(HEAD_BYTES)),
            Look::Original => {
                let tail = part.original.tail_length();
                fetch(original, part.original.offset - tail, tail)
            }
            Look::End | Look::Cut => fetch(file, length.saturating_sub(BACK), length.min(BACK)),
            Look::Same { from, length, .. } => fetch(original, *from, *length),
            Look::Apart { at, mine: None, .. } => fetch(file, *at, PIECE),
            Look::Apart { at, mine: Some(mine), .. } => fetch(original, *at, mine.len() as u64),
            Look::Waits => None,
        }
    }

    /// Takes what was read for a part of a file.
    fn take_of_part(&mut self, index: usize, part: PartialCopy, bytes: &[u8]) {
        match part.look.clone() {
            Look::Head => self.compare_heads(index, part, bytes),
            Look::Original => {
                let same = Some(tail_checksum(bytes)) == part.original.tail;
                self.look_on(index, part, if same { Look::End } else { Look::Cut });
            }
            Look::End => {
                let length = self.files[index].listed_length();
                let from = length.saturating_sub(BACK);
                if bytes.len() as u64 != length - from {
                    // It became shorter since it was listed.
                    return self.wait_with(index, part);
                }
                let end = Box::new(self.end_in(index, from, bytes));
                let sum = tail_checksum(bytes);
                self.look_on(index, part, Look::Same { end, from, length: bytes.len() as u64, sum });
            }
            Look::Same { end, length, sum, .. } if bytes.len() as u64 == length && tail_checksum(bytes) == sum => {
                self.files[index].cursor = *end;
                self.wait_with(index, part);
            }
            Look::Same { .. } => {
                let Cursor { name, identity, written, .. } = self.files[index].cursor.clone();
                let line = Box::new(Cursor { written, ..Cursor::start(&name, identity) });
                self.look_on(index, part, Look::Apart { at: 0, line, mine: None });
            }
            Look::Apart { at, line, mine: None } if !bytes.is_empty() => {
                self.look_on(index, part, Look::Apart { at, line, mine: Some(bytes.to_vec()) });
            }
            // Nothing parts them: one of them changed meanwhile.
            Look::Apart { mine: None, .. } => self.wait_with(index, part),
            Look::Apart { at, line, mine: Some(mine) } => self.part_at(index, part, (at, *line), (&mine, bytes)),
            Look::Cut => {
                let from = self.files[index].listed_length().saturating_sub(BACK);
                self.files[index].cursor = self.end_in(index, from, bytes);
                self.wait_with(index, part);
            }
            Look::Waits => {}
        }
    }

    /// Whatever was to be read for a part is not there, or cannot be read. Whether that was the other file.
    fn part_misses(&mut self, index: usize, part: &PartialCopy) -> bool {
        let of_original = match part.look {
            Look::Original | Look::Same { .. } | Look::Apart { mine: Some(_), .. } => true,
            Look::Head | Look::End | Look::Apart { mine: None, .. } | Look::Cut | Look::Waits => false,
        };
        if of_original {
            self.look_on(index, part.clone(), Look::Cut);
        }
        of_original
    }

    /// A part has grown: is it still one?
    fn look_again(&mut self, index: usize) {
        let FilePhase::Part(part) = &self.files[index].phase else { return };
        if !part.waits() || !self.files[index].changed {
            return;
        }
        let part = part.clone();
        self.files[index].phase = if self.stands(&part) {
            let mut left = part.left;
            left.push(part.original.identity);
            FilePhase::Compare(left)
        } else if self.files[index].listed_length() >= part.original.offset {
            // All that was read of the other one may be in it by now: its last bytes tell.
            FilePhase::Rest(part.original)
        } else {
            FilePhase::Part(PartialCopy { look: Look::Head, ..part })
        };
    }

    /// Whether the file that a part is one of is still as long as what was read of it.
    fn stands(&self, part: &PartialCopy) -> bool {
        let original = self.by_identity(part.original.identity);
        original.is_some_and(|file| file.listed.is_some_and(|(length, _)| length >= part.original.offset))
    }

    fn compare_heads(&mut self, index: usize, part: PartialCopy, bytes: &[u8]) {
        let (alike, all) = part.original.begins_like(bytes);
        let stands = self.stands(&part);
        let here = self.by_identity(part.original.identity).is_some_and(|file| file.listed.is_some());
        let certain = alike >= TAIL_BYTES || self.files[index].is_named_after(&part.original.name);
        let compared = alike > 0 || !bytes.contains(&b'\n');
        if stands && (all || alike >= TAIL_BYTES) {
            self.look_on(index, part, Look::Original);
        } else if all && compared && (here || certain) {
            self.look_on(index, part, Look::Cut);
        } else {
            self.compare_with(index, part.left);
        }
    }

    /// Compares a piece of both files.
    fn part_at(&mut self, index: usize, part: PartialCopy, (at, line): (u64, Cursor), (mine, other): (&[u8], &[u8])) {
        let common = mine.iter().zip(other).take_while(|(mine, other)| mine == other).count();
        let same = &mine[..common];
        let line = match same.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => {
                let end = self.end_in(index, at, &same[..=last]);
                Cursor { begun: 0, spent: false, ..end }
            }
            None => line,
        };
        if common == mine.len() {
            let at = at + common as u64;
            return self.look_on(index, part, Look::Apart { at, line: Box::new(line), mine: None });
        }
        let certain = at + common as u64 >= TAIL_BYTES || self.files[index].is_named_after(&part.original.name);
        if certain && line.offset > self.files[index].cursor.offset {
            self.files[index].cursor = line;
        }
        self.compare_with(index, part.left);
    }

    fn end_in(&self, index: usize, from: u64, bytes: &[u8]) -> Cursor {
        let file = &self.files[index];
        let stat = FileStat {
            name: file.cursor.name.clone(),
            identity: file.cursor.identity,
            len: file.listed_length(),
            modified: file.written(),
            kind: FileKind::File,
        };
        cursor_at_end(&stat, from, bytes)
    }

    fn look_on(&mut self, index: usize, part: PartialCopy, look: Look) {
        self.files[index].phase = FilePhase::Part(PartialCopy { look, ..part });
    }

    fn wait_with(&mut self, index: usize, part: PartialCopy) {
        self.look_on(index, part, Look::Waits);
        self.files[index].changed = false;
    }

    fn compare_with(&mut self, index: usize, left: Vec<Identity>) {
        self.files[index].phase = FilePhase::Compare(left);
        self.files[index].settle_phase();
    }
}

/// Where the last whole line in `bytes`, which are a file's bytes from `from` on, ends: a cursor there makes all
/// that is in the file old. A line that is still being written is new if it gets more than its end.
#[must_use]
pub fn cursor_at_end(stat: &FileStat, from: u64, bytes: &[u8]) -> Cursor {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    // Without a line end in sight the line is older than the mark, whatever comes behind it.
    let spent = from > 0 && end < TAIL_BYTES as usize;
    let end = if spent { bytes.len() } else { end };
    let tail = Some(tail_checksum(&tail_of(Vec::new(), &bytes[..end])));
    let begun = (bytes.len() - end) as u64;
    let (name, identity) = (stat.name.clone(), stat.identity);
    let head = if from == 0 { head_checksums(bytes) } else { Vec::new() };
    let written = stat.modified;
    Cursor { name, identity, offset: from + end as u64, tail, begun, spent, written, copy_of: None, head }
}
