//! What the topics share: the real binary with a state folder of its own, and small deterministic dice.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

pub mod agent;
pub mod checks;
pub mod estate;
pub mod explored;
pub mod machine;
pub mod simulation;
pub mod terminal;

/// The real binary, with a state folder and a working folder of its own, both gone with it.
pub struct Baton {
    home: tempfile::TempDir,
}

/// A command under way; what it says goes to a file.
pub struct Running {
    child: Child,
    said: PathBuf,
}

impl Running {
    /// Starts a command that writes what it says to the file `said`; what was in it is gone.
    pub fn start(mut command: Command, said: &Path) -> Self {
        let file = std::fs::File::create(said).expect("a file for what it says");
        let both = file.try_clone().expect("a file for what it says");
        let child = command.stdout(file).stderr(both).spawn().expect("starts the binary");
        Self { child, said: said.to_owned() }
    }

    /// Fails with what it said unless it ended with this exit code.
    #[track_caller]
    pub fn ended_with(&self, status: ExitStatus, code: i32, when: &str) {
        let said = std::fs::read_to_string(&self.said).unwrap_or_default();
        assert_eq!(status.code(), Some(code), "{when}\n--- it said\n{said}");
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

/// What a finished command left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Baton {
    /// A fresh machine: nothing was ever run on it.
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Where runs and labs are kept.
    pub fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// The folder commands are typed in.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file below the folder commands are typed in.
    pub fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
        std::fs::write(path, text).expect("writes the file");
        self
    }

    /// A command line, ready to be started: no terminal, no colours, nothing of the caller's environment that matters.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
        command
            .args(words)
            .current_dir(self.folder())
            .env("BATON_STATE", self.state())
            .env("BATON_LEASES", self.folder().join("leases"))
            .env("HOME", self.folder())
            .env_remove("XDG_STATE_HOME")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "80")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Carries out a command line to its end.
    pub fn run(&self, words: &[&str]) -> Ended {
        Ended::from(self.command(words).output().expect("starts the binary"))
    }

    /// Starts a command line. What it says is kept, for a test that fails.
    pub fn spawn(&self, words: &[&str]) -> Running {
        Running::start(self.command(words), &self.folder().join("said"))
    }

    /// The ledger the lab keeps by itself: one line a verb it carried out, as `service verb`.
    pub fn lab_ledger(&self, lab: &str) -> Vec<String> {
        let path = self.state().join("labs").join(lab).join("ledger.jsonl");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let word = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of the ledger"))
            .map(|line: serde_json::Value| format!("{} {}", word(&line, "service"), word(&line, "verb")))
            .collect()
    }
}

impl Drop for Baton {
    /// A lab outlives its runner on purpose; a test's lab must not outlive the test.
    fn drop(&mut self) {
        let _ = self.command(&["lab", "stop"]).output();
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// The same, if it ended with this exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// The same, if its output says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let both = format!("{}{}", self.out, self.err);
        assert!(both.contains(text), "does not say {text:?}\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// All it said, as it was before it was broken into lines.
    pub fn in_one_line(&self) -> String {
        format!("{} {}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Dice that fall the same way for the same seed.
pub struct Dice(u64);

impl Dice {
    /// Dice with this seed, or the one in `BATON_SEED`.
    pub fn new(seed: u64) -> Self {
        let given = std::env::var("BATON_SEED").ok().and_then(|text| text.parse().ok());
        Self(given.unwrap_or(seed).max(1))
    }

    /// A number from 0 up to, not including, `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}
