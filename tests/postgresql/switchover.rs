//! The whole way on a real pair, undisturbed, while a client writes; and what stops it before anything is changed.

use super::client::{assert_nothing_lost, while_writing};
use super::site::Site;
use baton::model::span::Span;
use std::time::Duration;

pub const RUN: [&str; 4] = ["run", "postgresql/switchover", "-i", "inventory.toml"];

/// How much longer the client's gap may be than baton's record of it: it has to notice, and to connect anew.
const TO_NOTICE: Duration = Duration::from_secs(1);

/// For how long the pair refused writes, as the run's summary has it.
fn recorded_outage(screen: &str) -> Duration {
    let line = screen.lines().map(str::trim).find(|line| line.starts_with("db ") && line.contains("read-only"));
    let line = line.unwrap_or_else(|| panic!("no outage is told of:\n{screen}"));
    let span = line.rsplit("  ").next().unwrap().trim();
    Duration::from_millis(Span::parse(span).unwrap_or_else(|why| panic!("{line}: {why}")).0)
}

#[test]
#[allow(clippy::print_stderr)]
fn a_pair_changes_places_on_new_settings_while_a_client_writes() {
    let site = Site::new();
    let run = [&RUN[..], &["-p", "settings=max_connections=150,work_mem=8MB"]].concat();
    let (ended, told) = while_writing(&site, || site.baton(&run));
    let ended = ended.code(0).says("pg-b serves, pg-a follows it, both with the new settings");
    assert_nothing_lost(&site, &told);

    for server in [&site.a, &site.b] {
        let log = std::fs::read_to_string(server.path("sshd.log")).expect("the log of sshd");
        assert!(log.contains("Accepted publickey"), "{} was not reached over SSH", server.name);
    }
    let [a, b] = site.pair().map(|shown| format!("{shown:?}"));
    let new = "settings: \"150 8MB off\"";
    assert!(a.contains("role: \"t\"") && a.contains(new) && a.contains("replication: \"streaming\""), "{a}");
    assert!(b.contains("role: \"f\"") && b.contains(new), "{b}");

    let outage = recorded_outage(&ended.out);
    eprintln!(
        "{} writes acknowledged, none lost; refused for {outage:?} by the record, the client's longest gap {:?}, \
         {} reconnects",
        told.acknowledged.len(),
        told.longest_gap,
        told.reconnects
    );
    assert!(told.longest_gap < outage + TO_NOTICE, "the client: {:?}, the record: {outage:?}", told.longest_gap);
    assert!(told.reconnects > 0, "the client went on with the server that was shut down");
}

#[test]
fn what_cannot_end_well_changes_nothing_or_is_put_back() {
    let site = Site::new();
    let before = site.pair();
    for (settings, code, says) in [
        ("max_connections=50", 3, "a standby with less does not start"),
        ("max_connections", 3, "is no setting"),
        ("max_connections=many", 3, "many"),
        ("work_mem=-3GB", 1, "is outside the valid range"),
        ("no_such_setting=1", 1, "unrecognized configuration parameter"),
        (
            "shared_preload_libraries=no_such_library",
            4,
            "pg-b does not start with the new settings: could not access file \"no_such_library\"",
        ),
    ] {
        let settings = format!("settings={settings}");
        let run = [&RUN[..], &["-p", &settings]].concat();
        let ended = site.baton(&run);
        assert!(ended.code == code, "{settings}: {}\n{}{}", ended.code, ended.out, ended.err);
        ended.says(says);
        if code == 1 {
            let back = site.baton(&["rollback", "--yes"]);
            assert!(back.code == 6 || back.err.contains("came later and did nothing"), "{back:?}");
        }
        assert_eq!(site.pair(), before, "{settings}");
    }
}
