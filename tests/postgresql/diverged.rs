//! An old primary that has what its successor has not: it is rewound, or copied anew where it cannot be.

use super::site::Site;

const FOLLOW: &str = r#"//! The old primary follows
import "postgresql/pair" as pg;
let up = #{ lag_limit: "20s", start_limit: "1min" };
step("Follow", || pg::stand_by(up, service("pg-a"), service("pg-b")));
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
            // Without its control file nothing can be rewound.
            std::fs::remove_file(format!("{}/global/pg_control", site.a.path("data"))).expect("removes a file");
        }
        site.make("follow.rhai", Some(FOLLOW));
        site.baton(&["run", "follow.rhai", "-i", "inventory.toml"]).code(0).says(way);
        assert_eq!(site.sql(&site.a, "select n from ledger"), "7", "{way}");
        assert_eq!(site.sql(&site.a, "select pg_is_in_recovery()"), "t", "{way}");
    }
}
