//! Copies of the files of a log: what was read of the one is old in the other. That holds of copies that are not yet
//! whole, or never will be, too: nothing in one is new as long as it goes on as the other one did; where it parts from
//! it, what follows is new. Of each file only pieces are held, and no more is read than it takes to tell.

use crate::exec::follow::{BACK, Fetch, Follower, cursor_at_end};
use crate::exec::followed::{FilePhase, Followed};
use crate::model::run::mark::{Cursor, HEAD_BYTES, Identity, TAIL_BYTES, tail_checksum};
use crate::world::{FileKind, FileStat};

/// How much of two files is compared at a time, in bytes.
const PIECE: u64 = 64 * 1024;

/// A file that begins as another one did, and is shorter than what was read of that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartialCopy {
    /// Where reading of the other one stood.
    original: Box<Cursor>,
    /// What else it may be a copy of.
    left: Vec<Identity>,
    look: Look,
}

/// What is looked at next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Look {
    /// Does it begin as the other one did?
    Head,
    /// Is the other one still what it was?
    Original,
    /// What stands at its end?
    End,
    /// Does the same stand there in the other one?
    Same { end: Box<Cursor>, from: u64, length: u64, sum: u64 },
    /// From where on are they not the same? `line` is behind the last line that is.
    Apart { at: u64, line: Box<Cursor>, mine: Option<Vec<u8>> },
    /// The other one is whole no more: where does it end?
    Cut,
    /// Nothing, until it grows.
    Waits,
}

impl PartialCopy {
    /// To be compared with what stood before this cursor, then with the others.
    pub(super) fn of(original: &Cursor, left: Vec<Identity>) -> Self {
        Self { original: Box::new(original.clone()), left, look: Look::Head }
    }

    /// A copy of a file that is whole no more.
    pub(super) fn cut(original: &Cursor) -> Self {
        Self { original: Box::new(original.clone()), left: Vec::new(), look: Look::Cut }
    }

    /// What a mark has found to be one: nothing is to be looked at until it grows.
    pub(super) fn marked(original: &Cursor) -> Self {
        Self { original: Box::new(original.clone()), left: Vec::new(), look: Look::Waits }
    }

    /// Whether there is nothing to look at before it grows.
    pub(super) fn waits(&self) -> bool {
        self.look == Look::Waits
    }
}

impl Follower {
    /// Whether the file has the bytes that stand before the cursor of the last of `left`.
    pub(super) fn compare(&mut self, index: usize, mut left: Vec<Identity>, bytes: &[u8]) {
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
    pub(super) fn verify(&mut self, index: usize, of: Identity, left: Vec<Identity>, bytes: &[u8]) {
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
    pub(super) fn release(&mut self, original: &Cursor) {
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
    pub(super) fn wanted_of_part(&self, file: &Followed, part: &PartialCopy) -> Option<Fetch> {
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
    pub(super) fn take_of_part(&mut self, index: usize, part: PartialCopy, bytes: &[u8]) {
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
    pub(super) fn part_misses(&mut self, index: usize, part: &PartialCopy) -> bool {
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
    pub(super) fn look_again(&mut self, index: usize) {
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
    pub(super) fn stands(&self, part: &PartialCopy) -> bool {
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
