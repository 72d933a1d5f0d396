//! What must hold of a pair of Configuration Servers: for each a case in which it does, and one in which it does not.
//! What something else than a deed has broken is nobody's fault.

use super::befallen::{before, ready, ready_on, replace, upgraded};
use crate::support::explored::Explored;
use baton::model::run::effect::Form;

const NOTHING: [&str; 0] = [];

#[test]
fn an_upgrade_as_the_vendor_has_it_breaks_nothing() {
    for scenario in ["upgrade-mode", "same-schema"] {
        let site = upgraded(scenario);
        let roles = ["c1", "c2"].map(|server| site.shows(server, "role"));
        assert_eq!((roles, site.broken_at_the_end()), (["primary".into(), "backup".into()], Vec::new()), "{scenario}");
    }
}

#[test]
fn no_installation_is_replaced_before_there_is_a_backup() {
    let site = before("compatible");
    replace(&site, "c2", "confdb");
    assert_eq!(site.broken(), ["INV-G1"]);
}

#[test]
fn the_one_that_stands_by_is_replaced_first() {
    let site = before("compatible");
    site.does("confdb", "backup", &[("label", "tonight")]).does("c1", "shutdown", &[]).pass(30);
    site.does("c1", "stage_install", &[("version", "8.5.101.10")]);
    site.does("c1", "swap_folder", &[("version", "8.5.101.10")]);
    assert_eq!(site.broken(), ["INV-G2"]);
}

#[test]
fn who_serves_alone_is_not_stopped_unless_the_other_one_went_down_just_then() {
    let site = before("compatible");
    site.befalls("c2", "dies").does("c1", "shutdown", &[]);
    assert_eq!(site.broken(), NOTHING, "nobody could know");
    let site = before("compatible");
    site.befalls("c2", "dies").pass(5).does("c1", "shutdown", &[]);
    assert_eq!(site.broken(), ["INV-G3"]);
}

#[test]
fn two_are_primary_only_while_a_new_one_in_upgrade_mode_is_beside_the_old_one() {
    let site = ready("upgrade-mode");
    assert_eq!((site.shows("c2", "role").as_str(), site.broken()), ("primary", Vec::new()));
    // Nobody ordered that the upgraded original enters upgrade mode as well.
    let open = Explored::going("genesys/confserv-ha", "upgrade-mode", &[("how c1 starts", 1, 1)]);
    let site = ready_on(open, "confdb");
    replace(&site, "c1", "confdb");
    site.pass(60).does("c1", "start", &[]).pass(120);
    assert_eq!((site.shows("c1", "role").as_str(), site.broken()), ("primary", Vec::new()));
    // But that the option was left there for it was a deed.
    let site = ready("upgrade-mode");
    replace(&site, "c1", "confdb");
    site.does("c1", "set_option", &[("section", "confserv"), ("key", "upgrade-mode"), ("value", "1")]);
    site.pass(60).does("c1", "start", &[]).pass(120);
    assert_eq!(site.broken(), ["INV-G6", "INV-G4"]);
}

#[test]
fn an_upgraded_database_takes_no_changes_before_somebody_says_so() {
    let site = ready_on(before("new-database"), "confdb_85");
    site.does("c2", "set_readonly", &[]).does("c1", "shutdown", &[]).pass(60).does("c2", "unset_readonly", &[]);
    assert_eq!(site.broken(), NOTHING);
    let site = ready_on(before("new-database"), "confdb_85");
    site.does("c1", "shutdown", &[]);
    assert_eq!(site.broken(), ["INV-G8", "INV-G8"], "it is found at the deed, and after it");
    let site = ready_on(before("new-database"), "confdb_85");
    site.befalls("c1", "dies").pass(300);
    assert_eq!(site.broken(), NOTHING, "nobody stopped it");
}

#[test]
fn what_was_set_for_the_upgrade_is_gone_at_the_end() {
    let site = ready("upgrade-mode");
    assert_eq!(site.broken_at_the_end(), ["INV-G6", "INV-G7", "INV-G10", "INV-X5"]);
    let site = upgraded("upgrade-mode");
    site.does("c1", "set_readonly", &[]);
    assert_eq!(site.broken_at_the_end(), ["INV-G7"]);
    let site = upgraded("upgrade-mode");
    site.does("c1", "set_readonly", &[]).says("lift-readonly", Form::Confirm, "Lift it?", "no");
    assert_eq!(site.broken_at_the_end(), NOTHING, "a person wants it so");
    let site = Explored::new("genesys/rollback", "rb-oper-81");
    site.does("c2", "shutdown", &[]).does("c2", "unswap_folder", &[]);
    assert_eq!(site.broken_at_the_end(), ["INV-G10", "INV-X4", "INV-X5"]);
}

#[test]
fn whoever_goes_back_leaves_what_there_was() {
    for scenario in ["rb-pre", "rb-immed", "rb-olddb", "rb-oper-81", "rb-full-keep", "rb-alone", "rb-full-restore"] {
        assert_eq!(Explored::new("genesys/rollback", scenario).broken_at_the_end(), NOTHING, "{scenario}");
    }
}

#[test]
fn a_pair_is_whole_at_the_end_unless_something_befell_it_after_the_last_look() {
    let site = upgraded("upgrade-mode");
    site.befalls("c2", "dies").pass(5);
    assert_eq!(site.broken_at_the_end(), NOTHING);
    site.pass(30);
    assert_eq!(site.broken_at_the_end(), ["INV-X5"]);
    let site = upgraded("upgrade-mode");
    site.befalls("confdb", "goes offline").pass(30);
    assert_eq!(site.broken_at_the_end(), NOTHING, "that is nobody's setting");
}
