//! The agent of a host under a shell, without a runner: what it is asked, and what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The shells that hosts have.
pub const SHELLS: [&[&str]; 3] = [&["dash"], &["bash", "--posix"], &["busybox", "sh"]];

const TEXT: &str = concat!(
    include_str!("../../src/world/agent/get.sh"),
    include_str!("../../src/world/agent/jobs.sh"),
    include_str!("../../src/world/agent/folder.sh"),
    include_str!("../../src/world/agent/lease.sh"),
    include_str!("../../src/world/agent/taking.sh"),
    include_str!("../../src/world/agent/reading.sh"),
    include_str!("../../src/world/agent/transfer/answer.sh"),
    include_str!("../../src/world/agent/transfer/part.sh"),
    include_str!("../../src/world/agent/transfer/digest.sh"),
    include_str!("../../src/world/agent/transfer/write.sh"),
    include_str!("../../src/world/agent/transfer/keep.sh"),
    include_str!("../../src/world/agent/transfer/install.sh"),
    include_str!("../../src/world/agent/main.sh")
);

/// An agent that waits for a request.
#[derive(Debug)]
pub struct ShellAgent {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    number: u32,
}

impl ShellAgent {
    /// Begins one that keeps its records in this folder.
    pub fn begin(shell: &[&str], jobs: &Path) -> Self {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).args(["-c", TEXT, "baton"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts the shell");
        let (mut to, from) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let first = ["nonce", &jobs.display().to_string(), "", "own", "-"];
        first.iter().for_each(|value| to.write_all(&field(value)).expect("tells it"));
        let mut agent = Self { child, to, from: BufReader::new(from), number: 0 };
        assert!(agent.more().starts_with("agent "), "{shell:?}: it does not begin");
        agent
    }

    /// Asks it something, with the bytes that follow, and hears the first answer.
    pub fn ask(&mut self, words: &str, fields: &[&str], body: &[u8]) -> String {
        self.number += 1;
        let mut message = format!("{} {words}\n", self.number).into_bytes();
        fields.iter().for_each(|value| message.extend(field(value)));
        message.extend_from_slice(body);
        self.to.write_all(&message).expect("asks it");
        self.more()
    }

    /// Hears what else it has to say about the same.
    pub fn more(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).expect("hears it");
        let length = line.strip_prefix(&format!("nonce {} ", self.number)).expect("a frame").trim();
        let mut text = vec![0; length.parse().expect("a length")];
        self.from.read_exact(&mut text).expect("hears it");
        let mut end = vec![0; format!("\nnonce {} end\n", self.number).len()];
        self.from.read_exact(&mut end).expect("hears it");
        String::from_utf8(text).expect("plain text")
    }
}

impl Drop for ShellAgent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A value as a line that `get` reads: every byte of it in octal.
fn field(value: &str) -> Vec<u8> {
    let octal: String = value.bytes().map(|byte| format!("\\0{byte:03o}")).collect();
    format!("%{octal}\n").into_bytes()
}
