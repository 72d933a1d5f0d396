//! The real binary at a terminal of its own: what it shows is waited for, what a person types is typed. Closing it is
//! a terminal that goes away.

use crate::support::Baton;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a command that was started on it, in a session of its own.
pub struct Session {
    master: Option<File>,
    child: Child,
    /// Everything it has shown.
    shown: String,
    /// The beginning of a character that has not come whole.
    held: Vec<u8>,
    /// How much of it was waited for already.
    read: usize,
}

/// What came of waiting.
#[derive(Debug)]
enum More {
    /// Something was shown.
    Came,
    /// The command has let go of the terminal.
    Ended,
    /// Nothing came in time.
    Late,
}

impl Session {
    /// Starts a command line at a new terminal.
    pub fn start(baton: &Baton, words: &[&str]) -> Self {
        Self::start_with(baton, words, &[])
    }

    /// The same with these variables in its environment.
    pub fn start_with(baton: &Baton, words: &[&str], variables: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("may be used");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let end: OwnedFd = open(name, flags, Mode::empty()).expect("its other end");
        let plain = baton.command(words);
        // With a session of its own it is the terminal's foreground group: Ctrl-C and a hang-up reach it.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(plain.get_program()).args(plain.get_args());
        command.current_dir(plain.get_current_dir().expect("a folder")).env_remove("XDG_STATE_HOME");
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", "xterm").env_remove("VISUAL").env_remove("EDITOR").envs(variables.iter().copied());
        let clone = || end.try_clone().expect("another handle");
        command.stdin(clone()).stdout(clone()).stderr(clone());
        let child = command.spawn().expect("starts setsid, of util-linux");
        Self { master: Some(File::from(master)), child, shown: String::new(), held: Vec::new(), read: 0 }
    }

    /// Waits until the screen shows this, behind what was waited for before.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> &mut Self {
        self.sees(text);
        self
    }

    /// The same; gives what was shown up to there.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown[self.read..].find(text) {
                let end = self.read + at + text.len();
                let seen = self.shown[self.read..end].to_owned();
                self.read = end;
                return seen;
            }
            let more = self.more(deadline);
            assert!(matches!(more, More::Came), "{text:?} was not shown ({more:?}). What was:\n{}", self.unread());
        }
    }

    /// Waits until the screen shows one of these, behind what was waited for before: which, and what was shown up to
    /// there. Without any the command has ended.
    #[track_caller]
    pub fn sees_any(&mut self, texts: &[&str]) -> (Option<usize>, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = texts.iter().enumerate().filter_map(|(n, text)| Some((self.shown[self.read..].find(text)?, n)));
            if let Some((at, n)) = found.min() {
                let end = self.read + at + texts[n].len();
                let seen = self.shown[self.read..end].to_owned();
                self.read = end;
                return (Some(n), seen);
            }
            match self.more(deadline) {
                More::Came => {}
                More::Ended => return (None, self.unread().to_owned()),
                More::Late => panic!("none of {texts:?} was shown. What was:\n{}", self.unread()),
            }
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) -> &mut Self {
        self.presses(&format!("{line}\n"))
    }

    /// Presses keys.
    pub fn presses(&mut self, keys: &str) -> &mut Self {
        self.master.as_mut().expect("it is open").write_all(keys.as_bytes()).expect("takes the keys");
        self
    }

    /// The process at the terminal.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The terminal goes away. Gives the exit code.
    pub fn hangs_up(mut self) -> i32 {
        drop(self.master.take());
        self.waits()
    }

    /// Ends the command at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("kills it");
        self.child.wait().expect("buries it");
    }

    /// Interrupts the command, as Ctrl-C does while no line is being edited.
    pub fn interrupt(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("interrupts it");
    }

    /// Sends the command a signal.
    pub fn signal(&mut self, signal: rustix::process::Signal) {
        use rustix::process::{Pid, kill_process};
        kill_process(Pid::from_child(&self.child), signal).expect("signals it");
    }

    /// Whether the terminal gives whole lines and echoes them, as it does while no editor has it.
    pub fn takes_lines(&self) -> bool {
        use rustix::termios::{LocalModes, tcgetattr};
        let now = tcgetattr(self.master.as_ref().expect("it is open")).expect("its mode");
        now.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Waits for the end of the command; its exit code.
    #[track_caller]
    pub fn ends(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.more(deadline) {
                More::Came => {}
                More::Ended => return self.waits(),
                More::Late => panic!("it does not end. It showed:\n{}", self.shown),
            }
        }
    }

    /// What was shown behind what was waited for.
    pub fn unread(&self) -> &str {
        &self.shown[self.read..]
    }

    /// Everything that was shown so far.
    pub fn screen(&self) -> &str {
        &self.shown
    }

    fn waits(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("looks at it") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "it does not end. It showed:\n{}", self.shown);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Takes in what is shown next.
    fn more(&mut self, deadline: Instant) -> More {
        let Some(master) = self.master.as_mut() else { return More::Ended };
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = Timespec::try_from(left).expect("a short while");
        let ready = poll(&mut [PollFd::new(master, PollFlags::IN)], Some(&patience)).expect("waits");
        if ready == 0 {
            return More::Late;
        }
        let mut bytes = [0; 4096];
        // At the end of a terminal a read fails.
        let count = master.read(&mut bytes).unwrap_or(0);
        self.held.extend_from_slice(&bytes[..count]);
        // A character may come in two parts.
        let whole = match std::str::from_utf8(&self.held) {
            Err(wrong) if wrong.error_len().is_none() => wrong.valid_up_to(),
            Ok(_) | Err(_) => self.held.len(),
        };
        let bytes: Vec<u8> = self.held.drain(..whole).collect();
        self.shown.push_str(&String::from_utf8_lossy(&bytes));
        if count > 0 { More::Came } else { More::Ended }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
