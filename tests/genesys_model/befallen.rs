//! What can befall a pair of Configuration Servers by itself, and what comes of an answer.

use crate::support::explored::Explored;
use baton::model::run::effect::Form;

/// The site before an upgrade.
pub fn before(scenario: &str) -> Explored {
    Explored::new("genesys/confserv-ha", scenario)
}

/// The new version stands ready beside the old primary, on the same database or on an upgraded one.
pub fn ready(scenario: &str) -> Explored {
    ready_on(before(scenario), "confdb")
}

pub fn ready_on(site: Explored, database: &str) -> Explored {
    site.does("confdb", "backup", &[("label", "tonight")]).does("c1", "set_readonly", &[]);
    replace(&site, "c2", database);
    site.does("c2", "start", &[]).pass(120);
    site
}

pub fn replace(site: &Explored, server: &str, database: &str) {
    let version = [("version", "8.5.101.10")];
    site.does(server, "stage_install", &version).does(server, "point_to_database", &[("database", database)]);
    site.does(server, "shutdown", &[]).does(server, "swap_folder", &version);
}

/// Both members are upgraded, each has the role it had, and changes are accepted.
pub fn upgraded(scenario: &str) -> Explored {
    let site = ready(scenario);
    replace(&site, "c1", "confdb");
    site.pass(120).does("c1", "start", &[]).pass(60).does("c2", "shutdown", &[]).pass(60);
    site.does("c2", "start", &[]).pass(60).does("c1", "unset_readonly", &[]);
    site
}

fn roles(site: &Explored) -> [String; 2] {
    ["c1", "c2"].map(|server| site.shows(server, "role"))
}

#[test]
fn only_what_is_possible_now_can_befall_it() {
    let site = before("compatible");
    assert_eq!(site.could_befall("c1"), ["dies", "hangs", "loses its role"]);
    assert_eq!(site.could_befall("c2"), ["dies", "hangs"]);
    assert_eq!(site.could_befall("confdb"), ["goes offline"]);
    site.does("c1", "set_readonly", &[]).does("c2", "shutdown", &[]);
    assert_eq!(site.could_befall("c1"), ["dies", "hangs", "loses its read-only mode"]);
    assert_eq!(site.could_befall("c2"), ["is started by somebody"]);
    assert_eq!(Explored::new("genesys/rollback", "rb-alone").could_befall("c2"), [] as [&str; 0]);
}

#[test]
fn a_server_that_dies_is_replaced_by_the_one_that_stands_by() {
    let site = before("compatible");
    site.befalls("c1", "dies");
    assert_eq!((site.shows("c1", "status").as_str(), roles(&site)), ("stopped", ["none".into(), "backup".into()]));
    site.pass(30);
    assert_eq!(roles(&site), ["none", "primary"]);
    assert_eq!(site.reads("c2", "clients", &[]), "6");
    assert_eq!(site.broken(), [] as [&str; 0]);
}

#[test]
fn nobody_takes_over_from_a_server_that_hangs_before_it_is_stopped() {
    let site = before("compatible");
    site.befalls("c1", "hangs").pass(60);
    assert_eq!(roles(&site), ["none", "backup"]);
    assert_eq!(
        ["status", "role", "trial_write"].map(|what| site.reads("c1", what, &[])),
        ["unknown", "exit 1", "exit 1"]
    );
    assert_eq!(site.reads("c1", "version", &[]), "8.5.000.20", "what is in its folder anybody can read");
    assert_eq!(site.could_befall("c1"), ["dies"]);
    site.does("c1", "shutdown", &[]).pass(30);
    assert_eq!((roles(&site), site.reads("c2", "clients", &[])), (["none".into(), "primary".into()], "6".into()));
    assert_eq!(site.broken(), [] as [&str; 0]);
}

#[test]
fn a_server_that_hangs_while_it_starts_goes_on_starting() {
    let site = before("upgrade-mode");
    replace(&site, "c2", "confdb");
    site.does("c2", "start", &[]).pass(7);
    site.befalls("c2", "hangs").pass(600);
    assert_eq!(
        (site.reads("c2", "status", &[]), site.reads("c2", "role", &[])),
        ("initializing".into(), "none".into())
    );
    site.does("c2", "shutdown", &[]).does("c2", "start", &[]).pass(120);
    assert_eq!(site.reads("c2", "role", &[]), "primary", "the next start is a new one");
}

#[test]
fn somebody_has_the_members_change_places() {
    let site = before("compatible");
    site.befalls("c1", "loses its role").pass(30);
    assert_eq!((roles(&site), site.reads("c2", "clients", &[])), (["backup".into(), "primary".into()], "6".into()));
    assert_eq!(site.broken(), [] as [&str; 0]);
}

#[test]
fn read_only_mode_goes_with_whoever_forced_it() {
    let site = before("compatible");
    site.does("c1", "set_readonly", &[]).befalls("c1", "loses its read-only mode");
    assert_eq!(site.reads("c1", "trial_write", &[]), "accepted");
}

#[test]
fn an_old_server_that_somebody_starts_beside_a_new_one_is_nobodys_deed() {
    let site = ready("upgrade-mode");
    site.does("c1", "shutdown", &[]).pass(60).befalls("c1", "is started by somebody").pass(120);
    assert_eq!(site.broken(), [] as [&str; 0]);
    let site = ready("upgrade-mode");
    site.does("c1", "shutdown", &[]).pass(60).does("c1", "start", &[]).pass(120);
    assert_eq!(site.broken()[0], "INV-G11", "this time it was ordered");
}

#[test]
fn a_database_that_is_offline_takes_no_changes_and_lets_nobody_start() {
    let site = before("compatible");
    site.befalls("confdb", "goes offline");
    assert_eq!((site.reads("confdb", "status", &[]), site.could_befall("confdb").len()), ("stopped".into(), 0));
    assert_eq!(
        (site.reads("c1", "role", &[]), site.reads("c1", "trial_write", &[])),
        ("primary".into(), "refused".into())
    );
    site.does("c2", "shutdown", &[]).does("c2", "start", &[]).pass(60);
    assert_eq!(site.reads("c2", "status", &[]), "stopped");
    site.pass(300);
    assert_eq!(
        (site.reads("confdb", "status", &[]), site.reads("c1", "trial_write", &[])),
        ("running".into(), "accepted".into())
    );
}

#[test]
fn a_host_that_restarts_starts_what_ran_on_it_and_nothing_else() {
    let site = before("compatible");
    site.restarts("cfg-b").pass(30);
    assert_eq!((site.shows("c2", "status").as_str(), site.shows("c1", "role").as_str()), ("stopped", "primary"));
    site.pass(150);
    assert_eq!(
        (roles(&site), site.reads("confdb", "status", &[])),
        (["primary".into(), "backup".into()], "running".into())
    );
    site.does("c2", "shutdown", &[]).restarts("cfg-b").pass(300);
    assert_eq!(site.shows("c2", "status"), "stopped");
    site.restarts("cfg-a").pass(65);
    site.does("c1", "shutdown", &[]).pass(300);
    assert_eq!(site.shows("c1", "status"), "stopped", "whoever stops it meanwhile means it");
}

#[test]
fn what_the_model_leaves_open_can_go_otherwise() {
    let ready_going = |scenario, ways: &[(&str, u32, usize)]| {
        ready_on(Explored::going("genesys/confserv-ha", scenario, ways), "confdb")
    };
    let site = ready_going("compatible", &[("how c2 starts", 1, 1)]);
    assert_eq!((site.shows("c2", "role").as_str(), site.shows("c2", "upgrade_mode").as_str()), ("primary", "true"));
    let site = ready_going("upgrade-mode", &[("how c2 starts", 1, 2)]);
    assert_eq!(site.shows("c2", "status"), "initializing");
    let site = ready_going("compatible", &[("Solution Control Server does not promote c2", 1, 1)]);
    site.does("c1", "shutdown", &[]).pass(600);
    assert_eq!(roles(&site), ["none", "backup"]);
    let site = ready_going("compatible", &[("a client does not come to c2", 1, 1)]);
    site.does("c1", "shutdown", &[]).pass(600);
    assert_eq!(site.reads("c2", "clients", &[]), "5");
}

#[test]
fn a_word_brings_about_what_follows_from_it_and_a_no_nothing() {
    let site = Explored::new("genesys/rollback", "rb-oper-81");
    let question = "OUTAGE: until one has started, nobody is served. Go this way?";
    for (word, broken) in [("no", vec!["INV-G3"]), ("yes", vec![])] {
        let site = Explored::new("genesys/rollback", "rb-oper-81");
        site.says("branch", Form::Confirm, question, word).does("c2", "shutdown", &[]).does("c1", "shutdown", &[]);
        assert_eq!(site.broken(), broken, "{word}");
    }
    let text = "Set the start parameters of c2 back";
    site.says("start-parameters", Form::Manual, text, "failed");
    assert!(site.reads("c2", "start_folder", &[]).ends_with("_85"), "nobody has done anything");
    site.says("start-parameters-2", Form::Manual, text, "done");
    assert!(!site.reads("c2", "start_folder", &[]).ends_with("_85"));
    site.says("offline", Form::Manual, "take it offline", "failed");
    assert_eq!(site.reads("confdb", "status", &[]), "running");
    site.says("offline-2", Form::Manual, "take it offline", "done");
    assert_eq!(site.reads("confdb", "status", &[]), "stopped");
}
