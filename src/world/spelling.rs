//! The ways in which programs write a value down: each of its characters as it is, or as shells, languages and
//! addresses quote it, in any mixture. It only tells where such a writing begins and ends.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What may stand between two characters where a shell's quotes are closed and opened again.
const JOINTS: [&[u8]; 4] = [b"'$'", b"''", b"'\"", b"\"'"];

/// A value, and how each of its characters may be written.
#[derive(Clone)]
pub(super) struct Spelling {
    units: Vec<Arc<Vec<Vec<u8>>>>,
    /// Whether a writing may begin with this byte.
    first: Vec<bool>,
    joints: &'static [&'static [u8]],
}

/// How far a writing of a value, or of the rest of one, is followed by some bytes.
pub(super) struct Reach {
    /// Where it ends, if all of it is there.
    pub(super) end: Option<usize>,
    /// The bytes end in its midst.
    pub(super) is_cut: bool,
}

impl Spelling {
    /// In all its writings.
    pub(super) fn of(value: &[u8]) -> Self {
        let mut known: BTreeMap<Vec<u8>, Arc<Vec<Vec<u8>>>> = BTreeMap::new();
        let mut unit = |bytes: &[u8]| Arc::clone(known.entry(bytes.to_vec()).or_insert_with(|| Arc::new(ways(bytes))));
        let units = match std::str::from_utf8(value) {
            Ok(text) => text.chars().map(|c| unit(c.encode_utf8(&mut [0; 4]).as_bytes())).collect(),
            Err(_) => value.iter().map(|byte| unit(&[*byte])).collect(),
        };
        Self::with(units, &JOINTS)
    }

    /// As it is, and no other way.
    pub(super) fn exact(text: &[u8]) -> Self {
        Self::with(text.iter().map(|byte| Arc::new(vec![vec![*byte]])).collect(), &[])
    }

    fn with(units: Vec<Arc<Vec<Vec<u8>>>>, joints: &'static [&'static [u8]]) -> Self {
        let mut first = vec![false; 256];
        for way in units.first().into_iter().flat_map(|unit| unit.iter()) {
            first[usize::from(way[0])] = true;
        }
        Self { units, first, joints }
    }

    /// Where a writing may begin.
    pub(super) fn beginnings<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        bytes.iter().enumerate().filter(|(_, byte)| self.first[usize::from(**byte)]).map(|(at, _)| at)
    }

    /// How far the value from its unit `from` on is written from byte `at` on.
    pub(super) fn from(&self, from: usize, bytes: &[u8], at: usize) -> Reach {
        let (mut places, mut is_cut) = (vec![at], false);
        for (count, unit) in self.units.get(from..).unwrap_or_default().iter().enumerate() {
            if from + count > 0 {
                for joint in self.joints {
                    let joined: Vec<usize> = places
                        .iter()
                        .filter(|at| bytes[**at..].starts_with(joint))
                        .map(|at| at + joint.len())
                        .collect();
                    is_cut |= places.iter().any(|at| runs_out(bytes, *at, joint));
                    places.extend(joined);
                }
            }
            let mut next = Vec::new();
            for at in places {
                for way in unit.iter() {
                    if bytes[at..].starts_with(way) {
                        next.push(at + way.len());
                    }
                    is_cut |= runs_out(bytes, at, way);
                }
            }
            next.sort_unstable();
            next.dedup();
            places = next;
            if places.is_empty() {
                return Reach { end: None, is_cut };
            }
        }
        Reach { end: places.last().copied(), is_cut }
    }

    /// How far each rest of the value is written from the first byte on, be it that the bytes begin in the midst of a
    /// character's writing.
    pub(super) fn endings<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = Reach> + 'b {
        (1..=self.units.len()).flat_map(move |from| {
            // The rest of the character before, or of a joint.
            let joints = self.joints.iter().flat_map(|way| (1..way.len()).map(move |split| &way[split..]));
            let before = self.units[from - 1].iter();
            let inside = before.flat_map(|way| (1..way.len()).map(move |split| &way[split..])).chain(joints);
            let mut begins: Vec<usize> = inside.filter(|rest| bytes.starts_with(rest)).map(<[u8]>::len).collect();
            begins.push(0);
            begins.sort_unstable();
            begins.dedup();
            begins.into_iter().map(move |at| self.from(from, bytes, at)).filter(|reach| reach.end != Some(0))
        })
    }
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
    if c.is_ascii_punctuation() {
        add(format!("&#{number};"));
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
