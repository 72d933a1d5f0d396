//! The two streams a command writes to and how they look. A stream is shared: the view of a run and the command that
//! started it write to the same one, one after the other. It must not know what is written.

use super::called::Called;
use crate::error::Error;
use crate::model::text::page;
use crate::platform::desk;
use crate::report::style::Style;
use crate::report::{diagnostic, terminal};
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

/// What rewrites the last line of a screen that a person watches. It only counts as a piece of its own.
const REWRITE: &[u8] = terminal::REWRITE.as_bytes();

/// A stream that several owners write to. It is the one way to a screen, and lets through nothing that a terminal obeys
/// but line ends, tabs, and what its style allows.
#[derive(Clone)]
pub struct SharedStream {
    stream: Rc<RefCell<Box<dyn Write>>>,
    style: Style,
    /// How the process was called: commands that are named are completed by it.
    called: Rc<Called>,
}

impl SharedStream {
    /// A stream to this end.
    fn new(stream: Box<dyn Write>, style: Style) -> Self {
        Self { stream: Rc::new(RefCell::new(stream)), style, called: Rc::default() }
    }

    /// The same, to another end.
    pub(super) fn to(&self, stream: Box<dyn Write>, style: Style) -> Self {
        Self { stream: Rc::new(RefCell::new(stream)), style, called: Rc::clone(&self.called) }
    }

    /// Writes a text of baton's own; the commands that it names are completed. A reader that went away is no error: the
    /// work goes on without it.
    pub fn say(&self, text: &str) {
        self.print(&self.called.completed(text));
    }

    /// Writes a text as it is.
    pub(super) fn print(&self, text: &str) {
        let mut stream = self.stream.borrow_mut();
        let _ = stream.write_all(page(text, self.style.colour).as_bytes()).and_then(|()| stream.flush());
    }
}

impl Write for SharedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.stream.borrow_mut();
        if self.style.live && bytes == REWRITE {
            stream.write_all(bytes)?;
        } else {
            stream.write_all(page(&String::from_utf8_lossy(bytes), self.style.colour).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.borrow_mut().flush()
    }
}

/// Where a command writes.
#[derive(Clone)]
pub struct Screen {
    /// What was asked for.
    pub out: SharedStream,
    /// What went wrong.
    pub err: SharedStream,
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
        Self::of((out, Style::plain()), (err, Style::plain()))
    }

    fn of((out, out_style): (Box<dyn Write>, Style), (err, err_style): (Box<dyn Write>, Style)) -> Self {
        let (out, err) = (SharedStream::new(out, out_style), SharedStream::new(err, err_style));
        Self { out, err, out_style, err_style, zone: TimeZone::system() }
    }

    /// The process's own streams, as its environment wants them.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let (out, err) = (io::stdout(), io::stderr());
        let out_style = Style::of(out.is_terminal(), desk::columns(&out), &variable);
        let err_style = Style::of(err.is_terminal(), desk::columns(&err), &variable);
        Self::of((Box::new(out), out_style), (Box::new(err), err_style))
    }

    /// The same screen for who wants the bare text: no colours, nothing rewritten, no line broken.
    pub(super) fn unadorned(mut self) -> Self {
        let style = Style::unadorned();
        (self.out_style, self.err_style) = (style, style);
        (self.out.style, self.err.style) = (style, style);
        self
    }

    /// The same screen of a process that was called like this.
    pub(super) fn called(mut self, called: Called) -> Self {
        self.out.called = Rc::new(called);
        self.err.called = Rc::clone(&self.out.called);
        self
    }

    /// The same error, what it tells to type completed; what it shows of runbooks and hosts stays as it is.
    pub(super) fn advised(&self, error: &Error) -> Error {
        let hints = error.hints.iter().map(|hint| self.err.called.completed(hint)).collect();
        Error { hints, ..error.clone() }
    }

    /// Shows an error.
    pub fn complain(&self, error: &Error) {
        self.err.print(&diagnostic::render(&self.advised(error), &self.err_style));
    }

    /// Says something beside the result, where it does not mix with it.
    pub fn remark(&self, text: &str) {
        self.err.say(&format!("{text}\n"));
    }
}
