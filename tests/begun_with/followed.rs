//! Runs that follow another one (`--from-run`): upgrades taken back with their record, by runners who may die anywhere.

use super::given::{Given, USUAL};
use crate::support::simulation::{Play, unlike};
use baton::model::run::record::{Ending, Fact, RollbackScope};
use baton::session::OperatorRuling;
use baton::sim::{CrashClock, oracle};

/// Upgrades that were carried out or broke off, each taken back with its record by another branch.
pub(super) const STORIES: [Given; 5] = [
    Given { after: Some(("genesys/confserv-ha", Some("swap_folder"))), scenario: "upgrade-mode", ..BACK },
    Given {
        after: Some(("genesys/confserv-ha", Some("swap_folder"))),
        scenario: "upgrade-mode",
        params: &[("trusted", "no")],
        ..BACK
    },
    Given {
        after: Some(("genesys/confserv-ha", None)),
        scenario: "compatible",
        params: &[("start_limit", "50min")],
        ..BACK
    },
    Given {
        after: Some(("genesys/confserv-ha", None)),
        scenario: "new-database",
        params: &[("backup_label", "before")],
        ..BACK
    },
    Given { after: Some(("genesys/confserv-ha-same-schema", None)), scenario: "same-schema", ..BACK },
];

const BACK: Given = Given { runbook: "genesys/rollback", ..USUAL };

#[test]
fn an_upgrade_that_broke_off_is_taken_back_whoever_takes_it_up() {
    STORIES[0].is_remembered();
}

#[test]
fn an_upgrade_whose_new_server_is_not_trusted_is_taken_back_whoever_takes_it_up() {
    STORIES[1].is_remembered();
}

#[test]
fn an_upgrade_of_compatible_servers_is_taken_back_whoever_takes_it_up() {
    STORIES[2].is_remembered();
}

#[test]
fn an_upgrade_with_its_database_is_taken_back_whoever_takes_it_up() {
    STORIES[3].is_remembered();
}

#[test]
fn an_upgrade_on_the_same_schema_is_taken_back_whoever_takes_it_up() {
    STORIES[4].is_remembered();
}

/// A runner dies at each moment there is, and somebody takes the run back, or gives it up, instead of resuming it.
fn is_left(story: &Given, way: &RollbackScope) {
    let tale = story.tale();
    let (_, calm, moments) = tale.undisturbed();
    let before = servers(&tale.play(&[]));
    let mut left = 0;
    for (point, moment) in unlike(&moments) {
        let play = calm.died_at(moment);
        if !play.is_begun() || matches!(play.records().last().map(|last| &last.fact), Some(Fact::Ended { .. })) {
            continue;
        }
        let what = format!("{story:?}: {way:?} after a death at {point} of {}", moments.len());
        let finished = play.back_runner(&CrashClock::never(), way, OperatorRuling::Retry);
        let finished = finished.unwrap_or_else(|why| panic!("{what}: {why}")).expect("it lives");
        let wanted = if *way == RollbackScope::Abort { Ending::Aborted } else { Ending::RolledBack };
        assert_eq!(finished.ending, wanted, "{what}: {:?}", finished.error);
        if *way == RollbackScope::All {
            assert_eq!(servers(&play), before, "{what}");
        }
        assert_eq!(broken(&play), [] as [String; 0], "{what}");
        left += 1;
    }
    assert!(left > 60, "{story:?}: only {left} moments");
}

/// The two servers, when all that is under way has come to its end: how they run, and what is in their folders. Read-only
/// mode is lifted wherever the run ends, and a server that is started once more is not in upgrade mode.
fn servers(play: &Play<'_>) -> Vec<String> {
    play.estate.pass(3_600_000);
    let summary = play.summary();
    let pair = summary.get("genesys-confserv").expect("the model's summary");
    let servers = ["c1", "c2"].into_iter().flat_map(|name| {
        let words = ["status", "role", "version", "database", "archived", "staged"];
        words.map(|word| format!("{name} {word} {:?}", pair.get(name).and_then(|server| server.get(word))))
    });
    servers.collect()
}

/// What the product does not allow. Who takes a run back has seen what it will stop, and agreed to that.
fn broken(play: &Play<'_>) -> Vec<String> {
    let broken = oracle::broken_invariants(&play.estate.ledger());
    broken.into_iter().filter(|text| !text.contains("nobody had agreed to that")).collect()
}

#[test]
fn a_run_that_follows_another_one_can_be_taken_back_after_any_death() {
    STORIES.iter().for_each(|story| is_left(story, &RollbackScope::All));
}

#[test]
fn a_run_that_follows_another_one_can_be_given_up_after_any_death() {
    STORIES.iter().for_each(|story| is_left(story, &RollbackScope::Abort));
}
