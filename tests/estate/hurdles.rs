//! What keeps a run from getting on with a host: each is said with the host, the step and what to type next, nothing
//! happens twice, and once it is put right the run goes on to its end.
//!
//! The clock of a host cannot be set without setting ours, so only the times of its files are off by a day here.
//! Nothing else is asked of it: processes are known by boot id and ticks since the boot, leases by number.

use crate::support::estate::{Estate, Kind, SshHost};
use crate::support::machine::Make;
use crate::support::{Baton, Ended};

const PRODUCT: &str = r#"
product = "plain"
title = "A program"
model = "plain"

[probes.word]
argv = ["echo", "there"]

[log]
dir = "/root/log"
files = "a.log"
event_patterns = []
"#;

/// Reads something, then does something that may be done once.
const RUNBOOK: &str = r#"//! Looks and acts
let h = host("h1");
step("look", || guard(probe(service("plain"), "word") == "there", "it is there"));
step("act", || run(h, ["sh", "-c", "echo done >>/mnt/l/done"]));
"#;

/// A host and a run that is to act on it. What was done is noted outside of its home.
struct Site {
    baton: Baton,
    estate: Estate,
}

impl Site {
    fn new(sshd: &str) -> Self {
        Self::of(Kind { make: Make::default(), sshd: sshd.into() }, RUNBOOK)
    }

    fn of(kind: Kind, runbook: &str) -> Self {
        let (baton, estate) = (Baton::new(), Estate::of(&[kind]));
        let settings = "connect_limit = \"2s\"\nreconnect = \"2s\"\nalive = \"1s\"";
        let service = "\n[services.plain]\nhost = \"h1\"\nproduct = \"plain\"\n";
        baton.write("site.toml", &(estate.inventory(settings) + service));
        baton.write("stdlib/products/plain.toml", PRODUCT).write("runbooks/own/plain.rhai", runbook);
        let folder = estate.host(1).home().with_file_name("ledger");
        std::fs::create_dir(&folder).unwrap();
        estate
            .host(1)
            .does(&format!("mount -t tmpfs none /mnt && mkdir /mnt/l && mount --bind '{}' /mnt/l", folder.display()));
        Self { baton, estate }
    }

    fn host(&self) -> &SshHost {
        self.estate.host(1)
    }

    /// The run is tried, stops with these words, is put right and resumed.
    #[track_caller]
    fn stops(&self, words: &[&str], put_right: impl FnOnce()) {
        let stopped = self.baton.run(&["run", "own/plain", "-i", "site.toml"]);
        self.is_clear(&stopped, words);
        let again = self.baton.run(&["resume", "latest"]);
        self.is_clear(&again, words);
        put_right();
        self.baton.run(&["resume", "latest"]).code(0).says("done");
        assert_eq!(self.done(), 1, "it was done once");
    }

    #[track_caller]
    fn is_clear(&self, stopped: &Ended, words: &[&str]) {
        let text = format!("{}{}", stopped.out, stopped.err);
        assert_eq!(stopped.code, 1, "{text}");
        for word in words.iter().chain(&["`h1`", "baton resume "]) {
            assert!(stopped.err.contains(word), "the error does not say {word:?}:\n{text}");
        }
        assert!(text.contains("✗ failed step "), "it does not say which step:\n{text}");
    }

    fn done(&self) -> usize {
        let path = self.host().home().with_file_name("ledger").join("done");
        std::fs::read_to_string(path).unwrap_or_default().lines().count()
    }

    /// Writes its `ssh_config` anew.
    fn edit_config(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.estate.config()).unwrap();
        assert!(text.contains(from));
        std::fs::write(self.estate.config(), text.replace(from, to)).unwrap();
    }
}

#[test]
fn nobody_answers() {
    let site = Site::new("");
    site.host().machine.cut_link();
    site.stops(&["cannot be reached", "/config h1"], || site.host().machine.heal_link());
}

#[test]
fn the_connection_is_refused() {
    let site = Site::new("");
    site.host().stop_sshd();
    site.stops(&["cannot be reached", "refused", "/config h1"], || site.host().start_sshd());
}

#[test]
fn the_account_is_wrong() {
    let site = Site::new("");
    site.edit_config("User root", "User nosuch");
    site.stops(&["refuses the login", "/config h1"], || site.edit_config("User nosuch", "User root"));
}

#[test]
fn the_key_is_wrong() {
    let site = Site::new("");
    let other = site.host().home().with_file_name("host_key");
    let (right, wrong) = (site.estate.key().display().to_string(), other.display().to_string());
    site.edit_config(&right, &wrong);
    site.stops(&["refuses the login", "/config h1"], || site.edit_config(&wrong, &right));
}

#[test]
fn the_host_key_has_changed() {
    let site = Site::new("");
    site.host().change_host_key();
    site.stops(&["another host key", "ssh-keygen -R"], || {
        let line = format!("{} {}\n", site.host().machine.address(), site.host().public_key());
        std::fs::write(site.estate.known_hosts(), line).unwrap();
    });
}

#[test]
fn the_host_key_is_unknown() {
    let site = Site::new("");
    let known = std::fs::read(site.estate.known_hosts()).unwrap();
    std::fs::write(site.estate.known_hosts(), "").unwrap();
    site.stops(&["is not known", "/config h1"], || std::fs::write(site.estate.known_hosts(), known).unwrap());
}

#[test]
fn the_home_folder_is_full() {
    let site = Site::new("");
    site.host().does("mount -t tmpfs -o size=64k none /root; head -c 1M /dev/zero >/root/filler || true");
    site.stops(&["is the disk full?"], || drop(site.host().does("rm /root/filler")));
}

#[test]
fn the_home_folder_cannot_be_written_to() {
    let site = Site::new("");
    site.host().does("mount -t tmpfs -o ro none /root");
    site.stops(&["/root/.baton"], || drop(site.host().does("mount -o remount,rw /root")));
}

#[test]
fn the_disk_fills_up_while_a_job_runs() {
    let runbook = RUNBOOK.to_owned().replace(
        "step(\"act\"",
        "step(\"fill\", || run(h, [\"sh\", \"-c\", \"head -c 1M /dev/zero >/root/filler; true\"]));\nstep(\"act\"",
    );
    let site = Site::of(Kind::default(), &runbook);
    site.host().does("mount -t tmpfs -o size=128k none /root");
    site.stops(&["is the disk full?"], || drop(site.host().does("rm /root/filler")));
}

/// A host whose logins find these programs alone.
fn with_programs(but: &[&str]) -> Site {
    let site = Site::new("SetEnv PATH=/root/bin");
    let all = site
        .host()
        .does("mkdir /root/bin; cd /usr/bin; for f in *; do ln -s /usr/bin/$f /root/bin/$f; done; ls | wc -l");
    assert!(all.trim().parse::<u32>().unwrap() > 50);
    for name in but {
        site.host().does(&format!("rm /root/bin/{name}"));
    }
    site
}

#[test]
fn there_is_no_sh() {
    let site = with_programs(&["sh"]);
    site.stops(&["sh"], || drop(site.host().does("ln -s /bin/sh /root/bin/sh")));
}

#[test]
fn there_is_no_setsid() {
    let site = with_programs(&["setsid"]);
    site.stops(&["setsid"], || drop(site.host().does("ln -s /usr/bin/setsid /root/bin/setsid")));
}

#[test]
fn a_host_that_allows_one_session_only_says_so_as_soon_as_two_are_needed() {
    let runbook = r#"//! Does two things at the same time
let acts = ["sh", "-c", "sleep 5; echo done >>/mnt/l/done"];
step("both", || parallel([1, 2], |n| {
    if n == 1 { run(host("h1"), acts) } else { sleep("500ms"); probe(service("plain"), "word") }
}));
"#;
    let site = Site::of(Kind { make: Make::default(), sshd: "MaxSessions 1".into() }, runbook);
    let stopped = site.baton.run(&["run", "own/plain", "-i", "site.toml"]);
    site.is_clear(&stopped, &["MaxSessions", "10"]);
    site.host().configure("MaxSessions 1", "MaxSessions 10");
    site.baton.run(&["resume", "latest"]).code(0).says("done");
    assert_eq!(site.done(), 1, "it was done once");
}

#[test]
fn a_destination_that_ssh_would_take_for_an_option_is_refused_before_anything_is_touched() {
    for address in ["-oProxyCommand=touch pwned", "h1\\nProxyCommand touch pwned", "h1 -oProxyCommand=x", "", "root@-x"]
    {
        let baton = Baton::new();
        baton.write("site.toml", &format!("[hosts.h1]\naddress = \"{address}\"\n"));
        baton.write("runbooks/own/plain.rhai", "//! Acts\nrun(host(\"h1\"), [\"true\"]);\n");
        baton.run(&["run", "own/plain", "-i", "site.toml"]).code(2).says("is not an address").says("site.toml:2");
        assert!(!baton.folder().join("pwned").exists());
    }
}

#[test]
fn times_that_are_off_by_a_day_do_not_matter() {
    let runbook = r#"//! Follows a log whose times are wrong
let h = host("h1");
let s = service("plain");
run(h, ["mkdir", "/root/log"]);
mark(s);
for word in ["yesterday", "tomorrow", "yesterday"] {
    run(h, ["sh", "-c", "echo it is $1 >>/root/log/a.log; touch -d $1 /root/log/a.log", "x", word]);
    wait_for_log(s, "it is " + word, #{ limit: "20s" });
}
"#;
    let site = Site::of(Kind::default(), runbook);
    site.baton.run(&["run", "own/plain", "-i", "site.toml"]).code(0).says("done");
}

#[test]
fn a_folder_of_jobs_that_others_may_write_is_refused_with_what_closes_it() {
    let site = Site::new("");
    site.host().does("mkdir -p /root/.baton && chmod 777 /root/.baton");
    let right = || drop(site.host().does("chmod go-w /root/.baton"));
    site.stops(&["anyone there may change `/root/.baton`", "chmod go-w /root/.baton"], right);
    let site = Site::new("");
    site.host().does("chmod o+w /root");
    site.stops(&["anyone there may change `/root`", "chmod o-w /root"], || drop(site.host().does("chmod o-w /root")));
}
