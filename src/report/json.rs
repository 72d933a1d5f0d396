//! Events as JSON lines, for programs that watch a run. The first line states the version of the stream: a new minor
//! number adds, a new major number breaks. It must not leave anything out: what a person need not see a program may.

use crate::model::run::event::{Event, Sink};
use crate::model::text::unsafe_on_a_terminal;
use std::io::{self, Write};

/// The version of the stream, as its first line states it.
pub const VERSION: &str = "2.0";

/// What such a stream begins with, whatever its version.
pub const BEGINS: &str = r#"{"type":"version","events":""#;

/// Writes one line an event. It never stops a run: when a line cannot be written, that is told, and no other follows.
pub struct JsonLines {
    /// Gone when a line could not be written.
    out: Option<Box<dyn Write>>,
    tell: Box<dyn Fn(&io::Error)>,
}

impl JsonLines {
    /// A stream into `out`, begun with its version line. `tell` is called once, with why no more lines are written.
    ///
    /// # Errors
    /// When its first line cannot be written.
    pub fn new(mut out: Box<dyn Write>, tell: Box<dyn Fn(&io::Error)>) -> io::Result<Self> {
        writeln!(out, "{BEGINS}{VERSION}\"}}")?;
        out.flush()?;
        Ok(Self { out: Some(out), tell })
    }
}

impl Sink for JsonLines {
    fn event(&mut self, event: &Event) {
        let (Some(out), Ok(line)) = (&mut self.out, serde_json::to_string(event)) else { return };
        if let Err(error) = writeln!(out, "{}", calm(&line)).and_then(|()| out.flush()) {
            self.out = None;
            (self.tell)(&error);
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
