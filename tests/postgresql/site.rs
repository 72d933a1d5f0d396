//! A real pair of PostgreSQL servers in a temporary folder, as Debian's package lays them out, on two hosts that are
//! reached over real SSH; and the binary that changes them. Everything runs as the account that owns the data, hosts
//! and runner alike: PostgreSQL refuses to run as root.

use super::sshd::Sshd;
use crate::support::{Ended, Running};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BIN: &str = "/usr/lib/postgresql/15/bin";
/// The account that the tests become when they run as root.
const OWNER: &str = "postgres";

/// The pair, and a folder for baton. All of it is gone with it.
pub struct Site {
    folder: tempfile::TempDir,
    owner: Option<(u32, u32)>,
    pub a: Server,
    pub b: Server,
    sshds: Vec<Sshd>,
}

/// One server.
pub struct Server {
    /// Its name in the inventory.
    pub name: &'static str,
    pub port: u16,
    ssh_port: u16,
    folder: PathBuf,
}

/// What a rollback has to restore.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    role: String,
    settings: String,
    replication: String,
    own_files: Vec<String>,
}

impl Site {
    /// Two servers that run: A serves and has an empty table `ledger`, B follows.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = |name| Server { name, port: free_port(), ssh_port: free_port(), folder: folder.path().join(name) };
        let (a, b, owner) = (server("pg-a"), server("pg-b"), owner());
        let mut site = Self { folder, owner, a, b, sshds: Vec::new() };
        site.own(site.path());
        site.make("state", None);
        std::fs::copy(env!("CARGO_BIN_EXE_baton"), site.path().join("baton")).expect("copies the binary");
        for server in [&site.a, &site.b] {
            site.lay_out(server);
        }
        site.tool(
            "initdb",
            &["-D", &site.a.path("data"), "-U", OWNER, "-A", "trust", "--data-checksums", "-N", "--wal-segsize=1"],
        );
        site.start(&site.a);
        site.tool(
            "pg_basebackup",
            &["-D", &site.b.path("data"), "-d", &site.a.reach(), "-R", "-c", "fast", "--no-sync"],
        );
        site.start(&site.b);
        site.sql(&site.a, "create table ledger (n bigint primary key)");
        let hosts = site.hosts();
        let inventory = format!("{hosts}{}{}{PAIR}", site.service(&site.a), site.service(&site.b));
        site.make("inventory.toml", Some(&inventory));
        site
    }

    /// How baton reaches the hosts of the two servers.
    fn hosts(&mut self) -> String {
        let folder = self.path().display().to_string();
        self.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &format!("{folder}/key")]);
        let mut config = format!(
            "Host *\nHostName 127.0.0.1\nIdentityFile {folder}/key\nIdentitiesOnly yes\nBatchMode yes\n\
             UserKnownHostsFile {folder}/known_hosts\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n"
        );
        let mut sshds = Vec::new();
        let (mut known, mut inventory) = (String::new(), format!("[ssh]\nconfig = \"{folder}/ssh_config\"\n\n"));
        for server in [&self.a, &self.b] {
            let Server { name, ssh_port: port, .. } = server;
            let sshd = Sshd::start(self, name, *port);
            let key = std::fs::read_to_string(server.path("host_key.pub")).expect("its key");
            config += &format!("Host {name}-host\nPort {port}\n");
            known += &format!("[127.0.0.1]:{port} {key}");
            let jobs = server.path("jobs");
            inventory += &format!("[hosts.{name}-host]\naddress = \"{name}-host\"\njobs = \"{jobs}\"\n\n");
            sshds.push(sshd);
        }
        self.make("ssh_config", Some(&config));
        self.make("known_hosts", Some(&known));
        self.sshds = sshds;
        inventory
    }

    fn service(&self, server: &Server) -> String {
        let Server { name, port, .. } = server;
        let socket = self.path().display();
        let [data, conf, logs, backups] = ["data", "conf", "logs", "backups"].map(|part| server.path(part));
        format!(
            "[services.{name}]\nhost = \"{name}-host\"\nproduct = \"postgresql\"\ndata = \"{data}\"\nconf = \"{conf}\"\n\
             reach = \"{}\"\nport = {port}\nsocket = \"{socket}\"\nlogs = \"{logs}\"\nlog_file = \"postgresql.log\"\n\
             backups = \"{backups}\"\n\n{}\n",
            server.reach(),
            UNSAFE_BACKUP.replace("NAME", name),
        )
    }

    fn lay_out(&self, server: &Server) {
        let folder = |part: &str| format!("{}/{part}", server.name);
        for part in ["", "logs", "conf", "conf/conf.d"] {
            self.make_folder(&folder(part));
        }
        let (data, conf, port, socket) = (server.path("data"), server.path("conf"), server.port, self.path().display());
        let text = format!(
            "data_directory = '{data}'\nhba_file = '{conf}/pg_hba.conf'\nident_file = '{conf}/pg_ident.conf'\n\
             port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{socket}'\n\
             shared_buffers = '16MB'\nwal_keep_size = '256MB'\nwal_retrieve_retry_interval = '200ms'\n\
             log_line_prefix = '%m [%p] %q%u@%d '\nlc_messages = 'C'\nfsync = off\ninclude_dir = 'conf.d'\n"
        );
        let trust: String = ["local all", "local replication"].map(|line| format!("{line} all trust\n")).concat();
        let network = trust.replace("local", "host").replace(" trust", " 127.0.0.1/32 trust");
        self.make(&folder("conf/postgresql.conf"), Some(&text));
        self.make(&folder("conf/pg_hba.conf"), Some(&format!("{trust}{network}")));
        self.make(&folder("conf/pg_ident.conf"), Some(""));
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A folder, or a file with this text, that belongs to the owner.
    pub fn make(&self, name: &str, text: Option<&str>) {
        let path = self.path().join(name);
        match text {
            Some(text) => std::fs::write(&path, text).expect("writes a file"),
            None => std::fs::create_dir(&path).expect("makes a folder"),
        }
        self.own(&path);
    }

    fn make_folder(&self, name: &str) {
        self.make(name.trim_end_matches('/'), None);
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).expect("gives a file to the owner");
        }
    }

    /// A command of the owner's.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("BATON_STATE", self.path().join("state"))
            .env("BATON_LEASES", self.path().join("leases"))
            .env_remove("XDG_STATE_HOME")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "120")
            .stdin(Stdio::null());
        command
    }

    /// Carries out a command line of baton to its end.
    pub fn baton(&self, words: &[&str]) -> Ended {
        Ended::from(self.command(self.path().join("baton")).args(words).output().expect("starts the binary"))
    }

    /// Starts one. What it says is kept, for a test that fails.
    pub fn spawn(&self, words: &[&str]) -> Running {
        let mut command = self.command(self.path().join("baton"));
        command.args(words);
        Running::start(command, &self.path().join("said"))
    }

    /// Carries out a program of PostgreSQL, which must end well.
    #[track_caller]
    pub fn tool(&self, program: &str, words: &[&str]) -> String {
        self.run(&format!("{BIN}/{program}"), words)
    }

    /// Carries out a program, which must end well.
    #[track_caller]
    pub fn run(&self, program: &str, words: &[&str]) -> String {
        let ended = self.command(program).args(words).output();
        let ended = ended.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
        Ended::from(ended).code(0).out.trim_end().to_owned()
    }

    /// Asks a server.
    #[track_caller]
    pub fn sql(&self, server: &Server, text: &str) -> String {
        self.tool("psql", &["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &server.reach(), "-c", text])
    }

    pub fn start(&self, server: &Server) {
        // What starts a server must not hand it the test's pipes.
        let log = server.path("logs/postgresql.log");
        let mut command = self.command(Path::new(BIN).join("pg_ctl"));
        command.args(["start", "-D", &server.path("conf"), "-l", &log, "-w"]).stdout(Stdio::null());
        let status = command.stderr(Stdio::null()).status().expect("starts pg_ctl");
        assert!(status.success(), "{}: {}", server.name, std::fs::read_to_string(&log).unwrap_or_default());
    }

    pub fn stop(&self, server: &Server, mode: &str) {
        self.tool("pg_ctl", &["stop", "-D", &server.path("data"), "-m", mode, "-w"]);
    }

    /// How a server stands, in all that a rollback has to restore.
    pub fn shown(&self, server: &Server) -> Shown {
        let settings = "select concat_ws(' ', current_setting('max_connections'), current_setting('work_mem'), \
                        current_setting('default_transaction_read_only'))";
        let own_files = std::fs::read_dir(server.path("conf/conf.d")).expect("lists the settings");
        Shown {
            role: self.sql(server, "select pg_is_in_recovery()"),
            settings: self.sql(server, settings),
            replication: self.sql(server, "select status from pg_stat_wal_receiver"),
            own_files: own_files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect(),
        }
    }

    /// How both stand.
    pub fn pair(&self) -> [Shown; 2] {
        [self.shown(&self.a), self.shown(&self.b)]
    }

    /// A connection to whichever server can be written to.
    pub fn writable(&self) -> String {
        format!(
            "host=127.0.0.1,127.0.0.1 port={},{} user={OWNER} dbname=postgres target_session_attrs=read-write \
             connect_timeout=2",
            self.a.port, self.b.port
        )
    }

    /// The numbers in the table, as the server that can be written to has them.
    pub fn rows(&self) -> Vec<u64> {
        let words = ["-XAtq", "-d", &self.writable(), "-c", "select n from ledger order by n"];
        self.tool("psql", &words).lines().map(|line| line.parse().expect("a number")).collect()
    }

    /// The command line of `psql` that a client talks to.
    pub fn psql(&self) -> Command {
        let mut command = self.command(Path::new(BIN).join("psql"));
        command.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.writable()]);
        command
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for server in [&self.a, &self.b] {
            let data = server.path("data");
            let mut stop = self.command(Path::new(BIN).join("pg_ctl"));
            let _ = stop.args(["stop", "-D", &data, "-m", "immediate", "-w"]).output();
        }
    }
}

impl Server {
    pub fn path(&self, part: &str) -> String {
        self.folder.join(part).display().to_string()
    }

    /// How others connect to it.
    pub fn reach(&self) -> String {
        format!("host=127.0.0.1 port={} user={OWNER} dbname=postgres", self.port)
    }
}

/// What a site may change of the profile. A test need not wait for the disk; a real site must.
const UNSAFE_BACKUP: &str = r#"[services.NAME.verbs.backup]
argv = ["{bin}/pg_basebackup", "-D", "{backups}/{label}", "-d", "{connect}", "-c", "fast", "--no-sync"]
"#;
const PAIR: &str = "[pairs.db]\nprimary = \"pg-a\"\nbackup = \"pg-b\"\n";

/// Who is to own the data: nobody else than we, unless we are root.
fn owner() -> Option<(u32, u32)> {
    let id = |flag: &str, of: &[&str]| {
        let out = Command::new("id").arg(flag).args(of).output().expect("starts id").stdout;
        String::from_utf8_lossy(&out).trim().parse::<u32>().ok()
    };
    if id("-u", &[]) != Some(0) {
        return None;
    }
    let missing = || panic!("there is no account `{OWNER}`: tests/run installs postgresql-15");
    Some((id("-u", &[OWNER]).unwrap_or_else(missing), id("-g", &[OWNER]).unwrap_or_else(missing)))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port()
}
