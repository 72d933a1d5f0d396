//! Start-up: from spawning the real `baton` with a runbook of one step (a note) on a site with one local host, to its
//! exit, journal written and synced. Its state folder exists from a first run that is not counted.

use crate::table::{Figure, median, ms};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 40;
const AIM: Duration = Duration::from_millis(15);

pub fn figures() -> Vec<Figure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writes");
    write("one.rhai", "//! One step\nstep(\"one\", || note(\"done\"));\n");
    write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    let run = || {
        let mut baton = Command::new(env!("CARGO_BIN_EXE_baton"));
        baton.current_dir(folder.path()).args([
            "run",
            "one.rhai",
            "-i",
            "site.toml",
            "--state",
            "state",
            "--leases",
            "leases",
        ]);
        let began = Instant::now();
        let status = baton.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it runs");
        assert!(status.success(), "{status}");
        began.elapsed()
    };
    run();
    let time = median((0..RUNS).map(|_| run()).collect());
    let what = "start to exit of a one-step runbook, whole process";
    vec![Figure { what, value: ms(time), aim: "<= 15 ms", met: Some(time <= AIM) }]
}
