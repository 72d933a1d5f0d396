//! Back from every step, with a client that writes all the while: the pair is as before.

use super::client::{assert_nothing_lost, while_writing};
use super::site::Site;
use super::switchover::RUN;

/// Every step, when the roles are returned; 6 and 7 end with the last one in them.
const STEPS: [&str; 14] = ["1", "2", "3", "4", "5", "6.1", "6.2", "6.3", "6.4", "7.1", "7.2", "7.3", "7.4", "8"];

#[test]
fn a_rollback_from_every_step_restores_roles_settings_and_replication() {
    let site = Site::new();
    let before = site.pair();
    let ((), told) = while_writing(&site, || {
        for step in STEPS {
            let settings = ["-p", "settings=max_connections=150,work_mem=8MB", "-p", "return_roles=true"];
            let run = [&RUN[..], &settings, &["--until", step]].concat();
            site.baton(&run).code(4).says(&format!("stopped after step {step} "));
            let back = site.baton(&["rollback", "--yes"]).code(6);
            assert_eq!(site.pair(), before, "back from step {step}:\n{}", back.out);
        }
    });
    assert_nothing_lost(&site, &told);
}
