//! Hosts with a real `sshd` each, and an `ssh_config` that reaches them: `h1`, `h2` and so on. Keys, host keys, home
//! folders and addresses are their own; nothing of the account that runs the tests is read. Gone when dropped.

use crate::support::machine::{Machine, Make, Process, patiently};
use rustix::process::{Signal, kill_process};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What differs between hosts.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    /// The machine.
    pub make: Make,
    /// Lines for its `sshd_config`.
    pub sshd: String,
}

/// The hosts of a test.
#[derive(Debug)]
pub struct Estate {
    folder: tempfile::TempDir,
    hosts: Vec<SshHost>,
}

/// A machine with an `sshd`.
#[derive(Debug)]
pub struct SshHost {
    /// How `ssh` is told to reach it.
    pub name: String,
    /// What it runs on.
    pub machine: Machine,
    folder: PathBuf,
}

impl Estate {
    /// This many ordinary hosts.
    pub fn start(count: usize) -> Self {
        Self::of(&vec![Kind::default(); count])
    }

    /// Hosts of these kinds.
    pub fn of(kinds: &[Kind]) -> Self {
        let folder = tempfile::Builder::new().prefix("estate").tempdir().expect("a temporary folder");
        make_key(&folder.path().join("key"));
        let name = |at: usize| format!("h{}", at + 1);
        let hosts = kinds.iter().enumerate().map(|(at, kind)| SshHost::start(folder.path(), &name(at), kind)).collect();
        let estate = Self { folder, hosts };
        let path = estate.folder.path().display();
        let mut config = format!(
            "Host *\nUser root\nPort 22\nIdentityFile {path}/key\nIdentitiesOnly yes\nStrictHostKeyChecking yes\n\
             UserKnownHostsFile {path}/known_hosts\nGlobalKnownHostsFile none\nKexAlgorithms curve25519-sha256\n"
        );
        let mut known = String::new();
        for host in &estate.hosts {
            config += &format!("Host {}\nHostName {}\n", host.name, host.machine.address());
            known += &format!("{} {}\n", host.machine.address(), host.public_key());
        }
        std::fs::write(estate.config(), config).expect("writes the ssh_config");
        std::fs::write(estate.known_hosts(), known).expect("writes the known hosts");
        estate
    }

    /// The `ssh_config` that reaches its hosts.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The host keys that `ssh` knows.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// The private key of the account that reaches them; the public one is beside it.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// A host by its number, from 1 on.
    pub fn host(&self, number: usize) -> &SshHost {
        &self.hosts[number - 1]
    }

    /// The same, to be rebooted.
    pub fn host_mut(&mut self, number: usize) -> &mut SshHost {
        &mut self.hosts[number - 1]
    }

    /// What an inventory says about them: `[ssh]` with these settings, and a section a host.
    pub fn inventory(&self, settings: &str) -> String {
        let mut text = format!("[ssh]\nconfig = \"{}\"\n{settings}\n", self.config().display());
        for SshHost { name, .. } in &self.hosts {
            text += &format!("\n[hosts.{name}]\naddress = \"{name}\"\n");
        }
        text
    }

    /// A command line on a host, through plain `ssh`.
    pub fn ssh(&self, number: usize, script: &str) -> Output {
        let name = &self.host(number).name;
        let ssh = Command::new("ssh").arg("-F").arg(self.config()).args(["-o", "BatchMode=yes", name, script]).output();
        ssh.expect("starts ssh")
    }
}

impl SshHost {
    fn start(estate: &Path, name: &str, kind: &Kind) -> Self {
        let folder = estate.join(name);
        let machine = Machine::boot(&folder, kind.make.clone());
        make_key(&folder.join("host_key"));
        let (path, Kind { sshd, .. }) = (folder.display(), kind);
        let config = format!(
            "{sshd}\nPort 22\nListenAddress {}\nHostKey {path}/host_key\nPidFile {path}/sshd.pid\n\
             AuthorizedKeysFile {}/key.pub\nStrictModes no\nUsePAM no\nUseDNS no\nPermitRootLogin yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n",
            machine.address(),
            estate.display()
        );
        std::fs::write(folder.join("sshd_config"), config).expect("writes the sshd_config");
        let host = Self { name: name.into(), machine, folder };
        host.start_sshd();
        host
    }

    /// Its `/root`, as seen from here.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// A shell script on it, not through `ssh`. What it printed.
    #[track_caller]
    pub fn does(&self, script: &str) -> String {
        let words = self.machine.inside(&["/bin/sh", "-c", script]);
        let done = Command::new(&words[0]).args(&words[1..]).current_dir("/").output().expect("starts nsenter");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{script}: {text}{}", String::from_utf8_lossy(&done.stderr));
        text
    }

    /// What `sshd` has logged.
    pub fn sshd_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("sshd.log")).unwrap_or_default()
    }

    /// Its public host key, as `known_hosts` has it.
    pub fn public_key(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("host_key.pub")).expect("its key");
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// Changes its `sshd_config`.
    pub fn configure(&self, from: &str, to: &str) {
        let path = self.folder.join("sshd_config");
        let text = std::fs::read_to_string(&path).expect("reads it");
        std::fs::write(&path, text.replace(from, to)).expect("writes it");
        self.restart_sshd();
    }

    /// It gets another host key, as a machine that was set up anew.
    pub fn change_host_key(&self) {
        std::fs::remove_file(self.folder.join("host_key")).expect("removes the key");
        make_key(&self.folder.join("host_key"));
        self.restart_sshd();
    }

    /// Begins to listen.
    pub fn start_sshd(&self) {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let _ = std::fs::remove_file(path("sshd.pid"));
        // With a full path, or it refuses to begin.
        let sshd = ["/usr/sbin/sshd", "-f", &path("sshd_config"), "-E", &path("sshd.log")].map(str::to_owned);
        let words = self.machine.inside(&sshd.each_ref().map(String::as_str));
        let done = Command::new(&words[0]).args(&words[1..]).output().expect("starts nsenter, of util-linux");
        assert!(
            done.status.success(),
            "sshd does not begin: {}{}",
            String::from_utf8_lossy(&done.stderr),
            self.sshd_log()
        );
        let address = format!("{}:22", self.machine.address());
        patiently("sshd listens", || TcpStream::connect(&address).is_ok());
    }

    /// Nobody listens any more. Sessions go on.
    pub fn stop_sshd(&self) {
        let pid: i32 =
            std::fs::read_to_string(self.folder.join("sshd.pid")).expect("its number").trim().parse().expect("one");
        let listener = |process: &Process| process.inner == pid;
        self.machine.processes().iter().filter(|process| listener(process)).for_each(|it| it.signal(Signal::KILL));
        patiently("sshd has ended", || !self.machine.processes().iter().any(listener));
    }

    /// The sessions of `sshd` die, as with a crash; what they started goes on.
    pub fn kill_sessions(&self) {
        let listener = std::fs::read_to_string(self.folder.join("sshd.pid")).unwrap_or_default();
        let sessions = self.machine.processes().into_iter().filter(|process| process.name.starts_with("sshd"));
        sessions.filter(|it| listener.trim() != it.inner.to_string()).for_each(|it| it.signal(Signal::KILL));
    }

    /// `sshd` is restarted and takes its sessions with it.
    pub fn restart_sshd(&self) {
        self.stop_sshd();
        self.kill_sessions();
        self.start_sshd();
    }

    /// The `ssh` masters and clients here that are connected to it die.
    pub fn kill_masters(&self) {
        for client in self.machine.clients() {
            let _ = kill_process(client, Signal::KILL);
        }
    }

    /// A power cut, and it is up again.
    pub fn reboot(&mut self) {
        self.machine.reboot();
        self.start_sshd();
    }
}

fn make_key(path: &Path) {
    let _ = std::fs::remove_file(path.with_extension("pub"));
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.expect("starts ssh-keygen").success(), "cannot make a key");
}
