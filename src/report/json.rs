//! Events as JSON lines, for programs that watch a run. The first line states the version of the stream: a new minor
//! number adds, a new major number breaks. It must not leave anything out: what a person need not see a program may.

use crate::model::event::{Event, Sink};
use crate::model::text::unsafe_on_a_terminal;
use std::io::Write;

/// The version of the stream, as its first line states it.
pub const VERSION: &str = "1.0";

/// Writes one line an event. A full disk silences it; it never stops a run.
pub struct JsonLines {
    out: Box<dyn Write>,
}

impl JsonLines {
    /// A stream into `out`, begun with its version line.
    #[must_use]
    pub fn new(mut out: Box<dyn Write>) -> Self {
        let _ = writeln!(out, r#"{{"type":"version","events":"{VERSION}"}}"#).and_then(|()| out.flush());
        Self { out }
    }
}

impl Sink for JsonLines {
    fn event(&mut self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            let _ = writeln!(self.out, "{}", calm(&line)).and_then(|()| self.out.flush());
        }
    }
}

/// The same JSON without a character that a terminal obeys: whoever looks at the stream is as safe as a program.
fn calm(line: &str) -> String {
    let mut calm = String::with_capacity(line.len());
    for character in line.chars() {
        if unsafe_on_a_terminal(character) {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| calm.push_str(&format!("\\u{unit:04x}")));
        } else {
            calm.push(character);
        }
    }
    calm
}
