//! A pair of which both have what the other has not: an old primary is rewound, or copied anew where it cannot be; of what
//! somebody promoted beside its primary nothing is given up.

use super::site::Site;

const FOLLOW: &str = r#"//! The old primary follows
import "postgresql/pair" as pg;
let up = #{ lag_limit: "20s", start_limit: "1min" };
step("Follow", || pg::stand_by(up, service("pg-a"), service("pg-b")));
"#;

const STAY: &str = r#"//! A standby that was promoted follows again
import "postgresql/pair" as pg;
let up = #{ lag_limit: "20s", start_limit: "1min" };
step("Follow", || pg::stand_by(up, service("pg-b"), service("pg-a")));
"#;

const CLONE: &str = r#"//! A server is copied anew
step("Copy", || change(service("pg-b"), "clone", #{ source: service("pg-a").var("reach") }));
"#;

#[test]
fn an_old_primary_that_was_ahead_is_rewound_and_follows() {
    for (spoilt, way) in [(false, "rewind(pg-a"), (true, "clone(pg-a")] {
        let site = Site::new();
        site.stop(&site.b, "fast");
        site.sql(&site.a, "insert into ledger values (666)");
        site.stop(&site.a, "immediate");
        site.start(&site.b);
        site.tool("pg_ctl", &["promote", "-D", &site.b.path("data"), "-w"]);
        site.sql(&site.b, "insert into ledger values (7)");
        if spoilt {
            // Without its write-ahead log nothing can be rewound.
            std::fs::remove_dir_all(format!("{}/pg_wal", site.a.path("data"))).expect("removes a folder");
        }
        site.make("follow.rhai", Some(FOLLOW));
        site.baton(&["run", "follow.rhai", "-i", "inventory.toml"]).code(0).says(way);
        assert_eq!(site.sql(&site.a, "select n from ledger"), "7", "{way}");
        assert_eq!(site.sql(&site.a, "select pg_is_in_recovery()"), "t", "{way}");
    }
}

#[test]
fn a_standby_that_somebody_promoted_keeps_what_was_written_to_it() {
    let site = Site::new();
    site.tool("pg_ctl", &["promote", "-D", &site.b.path("data"), "-w"]);
    site.sql(&site.b, "insert into ledger values (7)");
    site.make("clone.rhai", Some(CLONE));
    site.baton(&["run", "clone.rhai", "-i", "inventory.toml"]).code(1).says("the server runs");
    // No checkpoint may have told of its promotion yet.
    site.stop(&site.b, "immediate");
    site.make("stay.rhai", Some(STAY));
    site.baton(&["run", "stay.rhai", "-i", "inventory.toml"]).code(3).says("pg-b was promoted beside pg-a");
    site.start(&site.b);
    assert_eq!(site.sql(&site.b, "select n from ledger"), "7");
}
