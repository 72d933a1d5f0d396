//! The two streams a command writes to and how they look. A stream is shared: the view of a run and the command that
//! started it write to the same one, one after the other. It must not know what is written.

use crate::error::Error;
use crate::report::diagnostic;
use crate::report::style::Style;
use crate::world::desk;
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

/// A stream that several owners write to.
#[derive(Clone)]
pub struct Handle(Rc<RefCell<Box<dyn Write>>>);

impl Handle {
    /// A stream to this end.
    pub(super) fn new(stream: Box<dyn Write>) -> Self {
        Self(Rc::new(RefCell::new(stream)))
    }

    /// Writes a text. A reader that went away is no error: the work goes on without it.
    pub fn say(&self, text: &str) {
        let mut stream = self.0.borrow_mut();
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Where a command writes.
#[derive(Clone)]
pub struct Screen {
    /// What was asked for.
    pub out: Handle,
    /// What went wrong.
    pub err: Handle,
    /// How `out` looks.
    pub out_style: Style,
    /// How `err` looks.
    pub err_style: Style,
    /// The zone of times of day.
    pub zone: TimeZone,
}

impl Screen {
    /// Two plain streams: no colours, nothing rewritten.
    #[must_use]
    pub fn plain(out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        let (out, err) = (Handle::new(out), Handle::new(err));
        Self { out, err, out_style: Style::plain(), err_style: Style::plain(), zone: TimeZone::system() }
    }

    /// The process's own streams, as its environment wants them.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let (out, err) = (io::stdout(), io::stderr());
        let out_style = Style::of(out.is_terminal(), desk::columns(&out), &variable);
        let err_style = Style::of(err.is_terminal(), desk::columns(&err), &variable);
        Self { out_style, err_style, ..Self::plain(Box::new(out), Box::new(err)) }
    }

    /// Shows an error.
    pub fn complain(&self, error: &Error) {
        self.err.say(&diagnostic::render(error, &self.err_style));
    }

    /// Says something beside the result, where it does not mix with it.
    pub fn remark(&self, text: &str) {
        self.err.say(&format!("{text}\n"));
    }
}
