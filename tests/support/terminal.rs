//! The real binary on a pseudo-terminal, with somebody who reads the screen and types.

use super::Baton;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long the screen may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command at work on a terminal of its own.
pub struct Session {
    child: Child,
    keys: File,
    screen: Arc<(Mutex<String>, Condvar)>,
    seen: usize,
}

impl Session {
    /// Starts a command line on a fresh terminal.
    pub fn start(baton: &Baton, words: &[&str]) -> Self {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&keys).and_then(|()| unlockpt(&keys)).expect("its other end");
        let name = ptsname(&keys, Vec::new()).expect("its name").into_string().expect("a path");
        let end = || OpenOptions::new().read(true).write(true).open(&name).expect("opens the terminal");
        let mut command = baton.command(words);
        command.env("TERM", "xterm").stdin(end()).stdout(Stdio::from(end())).stderr(Stdio::from(end()));
        let child = command.spawn().expect("starts the binary");
        // The terminal is closed when the last end is: the command's.
        drop(command);
        let keys = File::from(keys);
        let screen = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let (mut reader, shared) = (keys.try_clone().expect("reads the screen"), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                shared.0.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
                shared.1.notify_all();
            }
        });
        Self { child, keys, screen, seen: 0 }
    }

    /// Waits until the screen shows this, behind what was waited for before.
    #[track_caller]
    pub fn shows(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        let shared = Arc::clone(&self.screen);
        let mut screen = shared.0.lock().unwrap();
        loop {
            if let Some(at) = screen[self.seen..].find(text) {
                self.seen += at + text.len();
                return self;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the screen does not show {text:?}, but\n{}", &screen[self.seen..]);
            screen = shared.1.wait_timeout(screen, left).unwrap().0;
        }
    }

    /// Types a line.
    pub fn types(&mut self, line: &str) -> &mut Self {
        self.keys.write_all(format!("{line}\n").as_bytes()).expect("types");
        self
    }

    /// Ends the command at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("kills it");
        self.child.wait().expect("buries it");
    }

    /// Waits for the end of the command; its exit code.
    pub fn ends(&mut self) -> i32 {
        self.child.wait().expect("waits for the end").code().unwrap_or(-1)
    }
}
