//! The ways in which programs write a value down: each of its characters as it is, or as shells, languages and
//! addresses quote it, in any mixture and inside of each other. It only tells where such a writing begins and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often a writing may be quoted again: JSON in a JSON text that a shell has quoted is three times.
const DEPTH: usize = 3;
/// What may stand between two characters where a shell's quotes are closed and opened again.
const JOINTS: [&[u8]; 4] = [b"'$'", b"''", b"'\"", b"\"'"];
/// The ends of lines that may stand in the midst of digits, as they are and as languages write them.
const BREAKS: [&[u8]; 4] = [b"\r\n", b"\n", b"\\r\\n", b"\\n"];
/// How many places a writing is followed to at once; only a row of nothing but quotes leads to more.
const PLACES_MAX: usize = 8;
/// How much is kept of what was found.
const FOUND_MAX: usize = 1_024;
/// How far a line may be indented.
const INDENT_MAX: usize = 32;

/// A value, and how each of its characters may be written.
#[derive(Clone)]
pub(in crate::world) struct Spelling {
    units: Vec<Arc<Ways>>,
    /// Whether a writing may begin with this byte.
    first: Vec<bool>,
    between: Between,
}

/// What may stand between two characters of a value.
#[derive(Clone)]
enum Between {
    /// Quotes that are closed and opened.
    Joints,
    /// The ends of lines.
    Breaks,
}

/// How far a writing of a value, or of the rest of one, is followed by some bytes.
pub(in crate::world) struct Reach {
    /// Where it ends, if all of it is there.
    pub(in crate::world) end: Option<usize>,
    /// The bytes end in its midst.
    pub(in crate::world) is_cut: bool,
}

/// How a character may be written: as it is, and the steps to its other writings, byte by byte, so that what they
/// have in common is compared once.
struct Ways {
    plain: Vec<u8>,
    others: Vec<Vec<u8>>,
    steps: Vec<WritingStep>,
}

/// A byte that goes on a writing.
#[derive(Default)]
struct WritingStep {
    is_end: bool,
    next: Vec<(u8, usize)>,
}

/// How each of the bytes that quote something, or are quoted, is written.
pub(in crate::world) struct Quoting(Vec<Option<Ways>>);

/// Some bytes in which a writing is followed.
pub(in crate::world) struct FollowedBytes<'b> {
    bytes: &'b [u8],
    quoting: &'b Quoting,
    is_cut: bool,
    /// What was found last, by where: beginnings that follow each other lead over the same bytes again.
    found: Vec<Option<QuotedEnds>>,
}

/// Where the quoted writings of a byte end.
#[derive(Clone)]
struct QuotedEnds {
    of: (u8, usize, usize),
    ends: Vec<usize>,
    is_cut: bool,
}

impl Ways {
    fn of(unit: &[u8]) -> Self {
        let others: BTreeSet<Vec<u8>> = ways(unit).into_iter().filter(|way| way != unit).collect();
        let mut steps = vec![WritingStep::default()];
        for way in &others {
            let mut at = 0;
            for byte in way {
                let known = steps[at].next.iter().find(|(next, _)| next == byte).map(|(_, to)| *to);
                at = known.unwrap_or_else(|| {
                    let to = steps.len();
                    steps[at].next.push((*byte, to));
                    steps.push(WritingStep::default());
                    to
                });
            }
            steps[at].is_end = true;
        }
        Self { plain: unit.to_vec(), others: others.into_iter().collect(), steps }
    }

    fn exact(byte: u8) -> Self {
        Self { plain: vec![byte], others: Vec::new(), steps: vec![WritingStep::default()] }
    }
}

impl Default for Quoting {
    fn default() -> Self {
        let quotes = |byte: u8| byte.is_ascii_punctuation() || byte == b' ';
        Self((0..128).map(|byte| quotes(byte).then(|| Ways::of(&[byte]))).collect())
    }
}

impl Quoting {
    fn of(&self, byte: u8) -> Option<&Ways> {
        self.0.get(usize::from(byte))?.as_ref()
    }
}

impl<'b> FollowedBytes<'b> {
    /// These bytes, and how whatever quotes may be quoted itself.
    pub(in crate::world) fn new(bytes: &'b [u8], quoting: &'b Quoting) -> Self {
        Self { bytes, quoting, is_cut: false, found: Vec::new() }
    }

    /// Where the writings of a character end that begin at `at`.
    fn unit(&mut self, ways: &Ways, depth: usize, at: usize, ends: &mut Vec<usize>) {
        if let [byte] = ways.plain[..]
            && depth > 0
            && self.quoting.of(byte).is_some()
        {
            return self.byte(byte, depth, at, ends);
        }
        if self.bytes[at..].starts_with(&ways.plain) {
            ends.push(at + ways.plain.len());
        }
        self.is_cut |= runs_out(self.bytes, at, &ways.plain);
        let lead = self.bytes.get(at).copied();
        match ways.plain[..] {
            _ if depth == 0 || lead.is_some_and(|lead| !leads(lead)) => {}
            [byte] if lead.is_some() => self.quoted(byte, ways, depth, at, ends),
            _ => self.steps(ways, 0, depth, at, ends),
        }
    }

    fn steps(&mut self, ways: &Ways, step: usize, depth: usize, at: usize, ends: &mut Vec<usize>) {
        let WritingStep { is_end, next } = &ways.steps[step];
        if *is_end {
            ends.push(at);
        }
        for (byte, to) in next {
            let mut places = Vec::new();
            self.byte(*byte, depth - 1, at, &mut places);
            for place in places {
                self.steps(ways, *to, depth, place, ends);
            }
        }
    }

    /// Where the writings of a byte end that stands in one of a character.
    fn byte(&mut self, byte: u8, depth: usize, at: usize, ends: &mut Vec<usize>) {
        let Some(there) = self.bytes.get(at) else {
            self.is_cut = true;
            return;
        };
        if *there == byte {
            ends.push(at + 1);
        }
        if depth > 0
            && leads(*there)
            && let Some(ways) = self.quoting.of(byte)
        {
            self.quoted(byte, ways, depth, at, ends);
        }
    }

    /// Where the writings of a byte end that are not as it is.
    fn quoted(&mut self, byte: u8, ways: &Ways, depth: usize, at: usize, ends: &mut Vec<usize>) {
        let of = (byte, depth, at);
        let slot = (at * 31 + depth * 7 + usize::from(byte)) % FOUND_MAX;
        if self.found.is_empty() {
            self.found.resize(FOUND_MAX, None);
        }
        if let Some(found) = self.found[slot].as_ref().filter(|found| found.of == of) {
            ends.extend(&found.ends);
            self.is_cut |= found.is_cut;
            return;
        }
        let was_cut = std::mem::take(&mut self.is_cut);
        let mut own = Vec::new();
        self.steps(ways, 0, depth, at, &mut own);
        own.sort_unstable();
        own.dedup();
        ends.extend(&own);
        self.found[slot] = Some(QuotedEnds { of, ends: own, is_cut: self.is_cut });
        self.is_cut |= was_cut;
    }

    /// Where these bytes end, each in any of its writings.
    fn all(&mut self, all: &[u8], depth: usize, mut places: Vec<usize>) -> Vec<usize> {
        for byte in all {
            let mut next = Vec::new();
            for at in places {
                self.byte(*byte, depth, at, &mut next);
            }
            places = next;
            if places.is_empty() {
                break;
            }
        }
        places
    }

    /// Where the rests of these writings end that the bytes may begin with, be it in the midst of a byte's writing.
    fn rests(&mut self, ways: &[Vec<u8>], depth: usize, known: &mut WritingRests) -> Vec<usize> {
        let mut ends = Vec::new();
        for way in ways {
            for (split, byte) in way.iter().enumerate() {
                if split > 0 {
                    ends.extend(self.all(&way[split..], depth - 1, vec![0]));
                }
                let inside = self.rests_of(*byte, depth - 1, known);
                ends.extend(self.all(&way[split + 1..], depth - 1, inside));
            }
        }
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// The same for one byte.
    fn rests_of(&mut self, byte: u8, depth: usize, known: &mut WritingRests) -> Vec<usize> {
        let Some(ways) = self.quoting.of(byte).filter(|_| depth > 0) else {
            return Vec::new();
        };
        if let Some(ends) = known.get(&(byte, depth)) {
            return ends.clone();
        }
        let ends = self.rests(&ways.others, depth, known);
        known.insert((byte, depth), ends.clone());
        ends
    }
}

/// The rests of the writings of a byte, by how often it may be quoted.
type WritingRests = BTreeMap<(u8, usize), Vec<usize>>;

impl Spelling {
    /// In all its writings.
    pub(in crate::world) fn of(value: &[u8], quoting: &Quoting) -> Self {
        let mut known: BTreeMap<Vec<u8>, Arc<Ways>> = BTreeMap::new();
        let mut unit =
            |bytes: &[u8]| Arc::clone(known.entry(bytes.to_vec()).or_insert_with(|| Arc::new(Ways::of(bytes))));
        let units = match std::str::from_utf8(value) {
            Ok(text) => text.chars().map(|c| unit(c.encode_utf8(&mut [0; 4]).as_bytes())).collect(),
            Err(_) => value.iter().map(|byte| unit(&[*byte])).collect(),
        };
        Self::with(units, Between::Joints, quoting)
    }

    /// As it is, be it in lines, and no other way.
    pub(in crate::world) fn exact(text: &[u8], quoting: &Quoting) -> Self {
        let mut known: BTreeMap<u8, Arc<Ways>> = BTreeMap::new();
        let mut unit = |byte: u8| Arc::clone(known.entry(byte).or_insert_with(|| Arc::new(Ways::exact(byte))));
        Self::with(text.iter().map(|byte| unit(*byte)).collect(), Between::Breaks, quoting)
    }

    fn with(units: Vec<Arc<Ways>>, between: Between, quoting: &Quoting) -> Self {
        let mut first = vec![false; 256];
        if let Some(unit) = units.first() {
            first[usize::from(unit.plain[0])] = true;
            unit.others.iter().for_each(|way| first[usize::from(way[0])] = true);
            for _ in 1..DEPTH {
                let quoted = (0..128).filter(|byte| first[usize::from(*byte)] && !unit.others.is_empty());
                let ways: Vec<&Ways> = quoted.filter_map(|byte| quoting.of(byte)).collect();
                ways.iter().flat_map(|ways| &ways.others).for_each(|way| first[usize::from(way[0])] = true);
            }
        }
        Self { units, first, between }
    }

    /// Whether a writing may begin with this byte.
    pub(in crate::world) fn may_begin(&self, byte: u8) -> bool {
        self.first[usize::from(byte)]
    }

    /// How far the value from its unit `from` on is written from byte `at` on.
    pub(in crate::world) fn from(&self, text: &mut FollowedBytes<'_>, from: usize, at: usize) -> Reach {
        text.is_cut = false;
        let depth = if matches!(self.between, Between::Joints) { DEPTH } else { 0 };
        if from >= self.units.len() {
            return Reach { end: Some(at), is_cut: false };
        }
        let (mut places, mut next) = (Vec::new(), Vec::new());
        for (count, unit) in self.units.get(from..).unwrap_or_default().iter().enumerate() {
            if count == 0 {
                places.push(at);
            }
            if from + count > 0 {
                self.cross(text, &mut places);
            }
            for at in places.drain(..) {
                text.unit(unit, depth, at, &mut next);
            }
            if next.len() > 1 {
                next.sort_unstable();
                next.dedup();
            }
            if next.len() > PLACES_MAX {
                next.drain(PLACES_MAX / 2..next.len() - PLACES_MAX / 2);
            }
            std::mem::swap(&mut places, &mut next);
            if places.is_empty() {
                return Reach { end: None, is_cut: text.is_cut };
            }
        }
        Reach { end: places.last().copied(), is_cut: text.is_cut }
    }

    /// Adds the places behind what may stand between two characters.
    fn cross(&self, text: &mut FollowedBytes<'_>, places: &mut Vec<usize>) {
        for index in 0..places.len() {
            let at = places[index];
            match &self.between {
                Between::Joints if text.bytes.get(at).is_none_or(|byte| leads(*byte)) => {
                    for joint in JOINTS {
                        let joined = text.all(joint, DEPTH - 1, vec![at]);
                        places.extend(joined);
                    }
                }
                Between::Joints => {}
                Between::Breaks => {
                    for line_end in BREAKS {
                        text.is_cut |= runs_out(text.bytes, at, line_end);
                    }
                    let line_end = BREAKS.iter().find(|line_end| text.bytes[at..].starts_with(line_end));
                    if let Some(line_end) = line_end {
                        places.push(indented(text.bytes, at + line_end.len()));
                        text.is_cut |= places.last() == Some(&text.bytes.len());
                    }
                }
            }
        }
    }

    /// How far each rest of the value is written from the first byte on, be it that the bytes begin in the midst of a
    /// character's writing.
    pub(in crate::world) fn endings(&self, text: &mut FollowedBytes<'_>) -> Vec<Reach> {
        let mut known = WritingRests::new();
        let bytes = text.bytes;
        let joints = match self.between {
            Between::Joints => {
                let joints: Vec<Vec<u8>> = JOINTS.iter().map(|joint| joint.to_vec()).collect();
                text.rests(&joints, DEPTH, &mut known)
            }
            Between::Breaks => {
                let rests = BREAKS.iter().flat_map(|way| (1..=way.len()).map(|split| &way[split..]));
                rests.filter(|rest| bytes.starts_with(rest)).map(|rest| indented(bytes, rest.len())).collect()
            }
        };
        let mut begins_of: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
        for unit in &self.units {
            begins_of.entry(unit.plain.clone()).or_insert_with(|| {
                let plain = (1..unit.plain.len()).map(|split| &unit.plain[split..]);
                let mut begins: Vec<usize> = plain.filter(|rest| bytes.starts_with(rest)).map(<[u8]>::len).collect();
                begins.extend(text.rests(&unit.others, DEPTH, &mut known));
                begins.extend(&joints);
                begins.push(0);
                begins.sort_unstable();
                begins.dedup();
                begins
            });
        }
        let mut reaches = Vec::new();
        for (before, unit) in self.units.iter().enumerate() {
            // The rest of the character before, or of a joint.
            let begins = begins_of.get(&unit.plain).map(Vec::as_slice).unwrap_or_default();
            reaches.extend(begins.iter().map(|at| self.from(text, before + 1, *at)));
        }
        reaches.retain(|reach| reach.end != Some(0));
        reaches
    }
}

/// Where the text of a line begins.
fn indented(bytes: &[u8], at: usize) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    at + bytes.get(at..).unwrap_or_default().iter().take(INDENT_MAX).take_while(blank).count()
}

/// Whether a writing of a character that is not as it is may begin with this byte.
fn leads(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&' | b'\'' | b'"' | b'+')
}

/// Whether the bytes end in the midst of `way`, or right before it.
fn runs_out(bytes: &[u8], at: usize, way: &[u8]) -> bool {
    let rest = &bytes[at..];
    rest.len() < way.len() && way.starts_with(rest)
}

/// How a character, or a byte that is none, may be written.
fn ways(unit: &[u8]) -> Vec<Vec<u8>> {
    let mut ways = vec![unit.to_vec()];
    let mut add = |way: String| ways.push(way.into_bytes());
    let each = |form: &dyn Fn(u8) -> String| unit.iter().map(|byte| form(*byte)).collect::<String>();
    add(each(&|byte| format!("\\x{byte:02x}")));
    add(each(&|byte| format!("\\x{byte:02X}")));
    add(each(&|byte| format!("\\{byte:03o}")));
    add(each(&|byte| format!("%{byte:02x}")));
    add(each(&|byte| format!("%{byte:02X}")));
    let Some(c) = std::str::from_utf8(unit).ok().and_then(|text| text.chars().next()) else { return ways };
    let number = u32::from(c);
    for (short, long) in
        [(format!("{number:x}"), format!("{number:08x}")), (format!("{number:X}"), format!("{number:08X}"))]
    {
        add(format!("\\u{{{short}}}"));
        add(format!("\\U{long}"));
    }
    add(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect());
    add(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect());
    if number < 256 {
        add(format!("\\x{number:02x}"));
    }
    if c.is_ascii_punctuation() || c == ' ' {
        add(format!("\\{c}"));
    }
    for digits in 1..=5 {
        add(format!("&#{number:0digits$};"));
        for x in ['x', 'X'] {
            add(format!("&#{x}{number:0digits$x};"));
            add(format!("&#{x}{number:0digits$X};"));
        }
    }
    let named: &[&str] = match c {
        '\0' => &["\\0"],
        '\u{7}' => &["\\a"],
        '\u{8}' => &["\\b"],
        '\t' => &["\\t"],
        '\n' => &["\\n"],
        '\u{b}' => &["\\v"],
        '\u{c}' => &["\\f"],
        '\r' => &["\\r"],
        '\u{1b}' => &["\\e", "\\E"],
        ' ' => &["+"],
        '\'' => &[r"'\''", r#"'"'"'"#, "''", "&apos;"],
        '"' => &["\"\"", "&quot;"],
        '&' => &["&amp;"],
        '<' => &["&lt;"],
        '>' => &["&gt;"],
        _ => &[],
    };
    named.iter().for_each(|way| add((*way).to_owned()));
    ways
}
