//! A computer of its own for a test: its own processes, mounts, name and network link, in namespaces of this kernel.
//! It is gone with its last process, and that is gone with the test, however the test ends.

use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Its first process: gives it its own /root, /run, boot id and `sh`, buries orphans, and ends with its standard input.
const INIT: &str = r#"
dir=$1 sh=$2 login=$3
mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd &&
mount --bind "$dir/home" /root &&
cat /proc/sys/kernel/random/uuid >"$dir/boot_id" &&
mount --bind "$dir/boot_id" /proc/sys/kernel/random/boot_id &&
sed "s#^root:.*#root:x:0:0:root:/root:$login#" /etc/passwd >"$dir/passwd" && mount --bind "$dir/passwd" /etc/passwd &&
mount --bind "$(command -v "$sh")" "$(readlink -f /bin/sh)" &&
hostname "${dir##*/}" && ip link set lo up || exit 1
exec 3<&0
read -r _ <&3 &
echo up >"$dir/up"
wait $!
"#;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What differs between machines.
#[derive(Debug, Clone)]
pub struct Make {
    /// Which program is `/bin/sh`: `dash`, `bash` or `busybox`.
    pub sh: &'static str,
    /// The login shell of root.
    pub login: &'static str,
}

impl Default for Make {
    fn default() -> Self {
        Self { sh: "dash", login: "/bin/bash" }
    }
}

/// A running machine.
#[derive(Debug)]
pub struct Machine {
    folder: PathBuf,
    make: Make,
    /// The parent of its first process. Its standard input is the machine's power.
    power: Child,
    /// Its process namespace, as `/proc` writes it.
    namespace: PathBuf,
    /// Its first process, as seen from here.
    first: Pid,
    link: Link,
}

/// The cable between this computer and the machine.
#[derive(Debug, Clone)]
struct Link {
    /// Our end of it.
    name: String,
    here: String,
    there: String,
}

impl Machine {
    /// Switches one on. `folder` gets its files; `home` in it is its `/root`.
    pub fn boot(folder: &Path, make: Make) -> Self {
        std::fs::create_dir_all(folder.join("home")).expect("its home");
        let (power, namespace, first) = switch_on(folder, &make);
        let start = std::process::id().wrapping_mul(31).wrapping_add(first.as_raw_nonzero().get().unsigned_abs());
        let link = (start..start + LINKS).find_map(|number| Link::lay(Link::numbered(number), first));
        let link = link.expect("cannot lay a network link (`ip link add … type veth`): the tests need root and veth");
        Self { folder: folder.to_owned(), make, power, namespace, first, link }
    }

    /// As a power cut does: every process is gone, then it is there again with another boot id and the same address.
    pub fn reboot(&mut self) {
        self.cut_power();
        (self.power, self.namespace, self.first) = switch_on(&self.folder, &self.make);
        let link = self.link.clone();
        // The kernel takes the old cable away in its own time.
        patiently("its link is laid again", || Link::lay(link.clone(), self.first).is_some());
    }

    fn cut_power(&mut self) {
        let _ = kill_process(self.first, Signal::KILL);
        drop(self.power.stdin.take());
        let _ = self.power.wait();
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.link.there
    }

    /// Nothing comes through any more, in either direction, and nobody is told.
    pub fn cut_link(&self) {
        ip(&self.inside(&["ip", "link", "set", "eth0", "down"]));
    }

    /// The link is as before.
    pub fn heal_link(&self) {
        ip(&self.inside(&["ip", "link", "set", "eth0", "up"]));
    }

    /// A command line that runs inside of it.
    pub fn inside(&self, words: &[&str]) -> Vec<String> {
        let pid = self.first.as_raw_nonzero().to_string();
        let enter = ["nsenter", "--target", &pid, "--all", "--"];
        enter.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// Every process of it but the first, as seen from here.
    pub fn processes(&self) -> Vec<Process> {
        let all = std::fs::read_dir("/proc").expect("reads /proc").flatten();
        let ids = all.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        let mine =
            ids.filter(|id| std::fs::read_link(proc_of(*id).join("ns/pid")).is_ok_and(|at| at == self.namespace));
        mine.filter_map(Process::read).filter(|process| process.inner > 1).collect()
    }

    /// Stops them all in their tracks, as a hung machine is; its kernel still acknowledges what arrives.
    pub fn freeze(&self) {
        // Until nobody is left who could have been born meanwhile.
        patiently("they are frozen", || {
            let moving: Vec<Process> = self.processes().into_iter().filter(|process| process.moves()).collect();
            moving.iter().for_each(|process| process.signal(Signal::STOP));
            moving.is_empty()
        });
    }

    /// They go on.
    pub fn thaw(&self) {
        self.processes().iter().for_each(|process| process.signal(Signal::CONT));
    }

    /// The processes here that have a connection to it: its ssh clients and masters.
    pub fn clients(&self) -> Vec<Pid> {
        let seen =
            Command::new("ss").args(["-Htnp", "dst", self.address()]).output().expect("starts `ss`, of iproute2");
        let text = String::from_utf8_lossy(&seen.stdout).into_owned();
        let ids = text.split("pid=").skip(1).filter_map(|rest| rest.split(',').next()?.parse().ok());
        ids.filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // They would wait for a peer that is no more.
        for client in self.clients() {
            let _ = kill_process(client, Signal::KILL);
        }
        self.cut_power();
    }
}

/// A process of a machine.
#[derive(Debug)]
pub struct Process {
    /// Its number here.
    pub id: Pid,
    /// Its number there.
    pub inner: i32,
    /// The name of its program.
    pub name: String,
    state: String,
}

impl Process {
    fn read(id: Pid) -> Option<Self> {
        let status = std::fs::read_to_string(proc_of(id).join("status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let inner = field("NSpid:")?.split_whitespace().last()?.parse().ok()?;
        Some(Self { id, inner, name: field("Name:")?.into(), state: field("State:")?.into() })
    }

    /// Whether it belongs to the machine itself: what waits for its power to go.
    pub fn is_its_own(&self) -> bool {
        std::fs::read_to_string(proc_of(self.id).join("cmdline")).is_ok_and(|line| line.contains(INIT))
    }

    fn moves(&self) -> bool {
        !self.state.starts_with(['T', 'Z', 'X'])
    }

    /// It may have ended meanwhile.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(self.id, signal);
    }
}

const LINKS: u32 = 4096;

impl Link {
    /// Networks of two addresses each, from 10.64.0.0 on.
    fn numbered(number: u32) -> Self {
        let (net, low) = (64 + number / 64 % 64, number % 64 * 4);
        Self {
            name: format!("baton-{net}-{low}"),
            here: format!("10.64.{net}.{}", low + 1),
            there: format!("10.64.{net}.{}", low + 2),
        }
    }

    /// Only one can have its name: that is the claim to its addresses.
    fn lay(self, first: Pid) -> Option<Self> {
        let pid = first.as_raw_nonzero().to_string();
        let Self { name, here, there } = &self;
        let add = ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", &pid];
        Command::new(add[0]).args(&add[1..]).output().is_ok_and(|done| done.status.success()).then_some(())?;
        let inside = format!("ip addr add {there}/30 dev eth0 && ip link set eth0 up");
        ip(&["nsenter", "--target", &pid, "--net", "--", "sh", "-c", &inside]);
        ip(&["ip", "addr", "add", &format!("{here}/30"), "dev", name]);
        ip(&["ip", "link", "set", name, "up"]);
        Some(self)
    }
}

fn switch_on(folder: &Path, make: &Make) -> (Child, PathBuf, Pid) {
    let up = folder.join("up");
    let _ = std::fs::remove_file(&up);
    let errors = std::fs::File::create(folder.join("init.log")).expect("its log");
    let power = Command::new("unshare")
        .args(["--fork", "--pid", "--mount", "--mount-proc", "--net", "--uts", "--kill-child=KILL"])
        .args(["sh", "-c", INIT, "init"])
        .arg(folder)
        .args([make.sh, make.login])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .expect("starts unshare, of util-linux");
    let deadline = Instant::now() + PATIENCE;
    while !up.exists() {
        let said = std::fs::read_to_string(folder.join("init.log")).unwrap_or_default();
        assert!(
            said.is_empty() && Instant::now() < deadline,
            "this machine cannot make the namespaces that hosts of tests live in (run as root): {said}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    let parent = Pid::from_child(&power);
    let namespace = std::fs::read_link(proc_of(parent).join("ns/pid_for_children")).expect("its namespace");
    let id = parent.as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("its first process");
    let first = children.trim().parse().ok().and_then(Pid::from_raw).expect("one process");
    (power, namespace, first)
}

fn proc_of(id: Pid) -> PathBuf {
    Path::new("/proc").join(id.as_raw_nonzero().to_string())
}

fn ip(words: &[impl AsRef<std::ffi::OsStr>]) {
    let done = Command::new(&words[0]).args(&words[1..]).output().expect("starts `ip`, of iproute2");
    assert!(done.status.success(), "the network of a test's host: {}", String::from_utf8_lossy(&done.stderr));
}

/// Waits until it is so.
#[track_caller]
pub fn patiently(what: &str, holds: impl FnMut() -> bool) {
    assert!(soon(holds), "waited in vain until {what}");
}

/// Whether it is so before patience ends.
pub fn soon(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}
