//! The mode of the terminal that somebody types at: a line editor changes it, and however baton ends it is as it
//! was. It knows nothing of what is typed.

use rustix::process::getpgrp;
use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use std::io::{Write, stdin, stdout};

/// Ends what editors ask terminals for: to be told where pasted text begins and ends.
const NO_PASTE_MARKS: &[u8] = b"\x1b[?2004l";

/// Gives the terminal back as it is now when this is dropped, be it in a panic.
#[derive(Debug)]
pub struct AsItWas(Option<Termios>);

impl AsItWas {
    /// As it is now.
    #[must_use]
    pub fn now() -> Self {
        Self(tcgetattr(stdin()).ok())
    }
}

impl Drop for AsItWas {
    fn drop(&mut self) {
        if let Some(former) = &self.0 {
            give_back(|_| former.clone());
        }
    }
}

/// Lets lines be typed again, with echo, before the process ends in the midst of everything.
pub(in crate::world) fn restore() {
    give_back(|mut now| {
        now.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        now.input_modes |= InputModes::ICRNL;
        now.output_modes |= OutputModes::OPOST;
        now
    });
}

fn give_back(better: impl FnOnce(Termios) -> Termios) {
    let Ok(now) = tcgetattr(stdin()) else { return };
    let is_edited = !now.local_modes.contains(LocalModes::ICANON);
    // Whoever is in the background would be stopped for it, and would spoil it for who is not.
    if is_edited && tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp()) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &better(now));
        let _ = stdout().write_all(NO_PASTE_MARKS).and_then(|()| stdout().flush());
    }
}
