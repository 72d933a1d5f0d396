//! Every shipped runbook with each of its parameters and with each flag that a run must remember: killed at every moment
//! and suspended at each question, and taken up by somebody who names none of them.

use super::followed::STORIES;
use super::given::{Given, USUAL};
use super::tale::{Tale, questions};
use crate::support::Baton;
use crate::support::simulation::Scene;
use baton::library::{self, Shelf};
use baton::model::run::record::Ending::{self, Done, Held, RolledBack, Suspended};
use baton::model::run::steering::{AfterFailure, GivenAnswers, GivenWord, Steering};
use baton::sim::{Fault, Harm, Trigger};
use std::collections::BTreeSet;

/// Runs with parameters of their own, in scenarios in which they matter, and how they end.
const GIVEN: [Given; 14] = [
    Given {
        runbook: "genesys/confserv-ha",
        scenario: "upgrade-mode",
        params: &[
            ("new_version", "8.5.101.12"),
            ("contact_limit", "4min"),
            ("start_limit", "50min"),
            ("settle_limit", "15s"),
            ("backup_hours", "0"),
        ],
        ..USUAL
    },
    Given {
        runbook: "genesys/confserv-ha",
        scenario: "not-promoted",
        params: &[("role_limit", "70s")],
        ending: Held,
        ..USUAL
    },
    Given { runbook: "genesys/confserv-ha", scenario: "compatible", params: &[("return_roles", "true")], ..USUAL },
    Given {
        runbook: "genesys/confserv-ha",
        scenario: "upgrade-mode",
        params: &[("clients_limit", "15s")],
        ending: Held,
        ..USUAL
    },
    Given {
        runbook: "genesys/confserv-ha",
        scenario: "new-database",
        params: &[("db_upgrade", "true"), ("new_database", "confdb_new"), ("dr", "true")],
        ..USUAL
    },
    Given { runbook: "genesys/confserv-ha", scenario: "undetected", params: &[("forced", "true")], ..USUAL },
    Given {
        runbook: "genesys/confserv-ha-same-schema",
        scenario: "same-schema",
        params: &[
            ("new_version", "8.5.101.12"),
            ("contact_limit", "4min"),
            ("start_limit", "50min"),
            ("role_limit", "70s"),
            ("dr", "true"),
        ],
        ..USUAL
    },
    Given {
        runbook: "genesys/confserv-ha-same-schema",
        scenario: "undetected",
        params: &[("clients_limit", "15s")],
        ending: Held,
        ..USUAL
    },
    Given { runbook: "genesys/rollback", scenario: "rb-oper", params: &[("start_limit", "5s")], ending: Held, ..USUAL },
    Given {
        runbook: "genesys/rollback",
        scenario: "rb-not-promoted",
        params: &[("role_limit", "70s")],
        ending: Held,
        ..USUAL
    },
    Given {
        runbook: "genesys/rollback",
        scenario: "rb-full-keep",
        params: &[("first_old", "configured-backup")],
        ..USUAL
    },
    Given { runbook: "genesys/rollback", scenario: "rb-alone", params: &[("only", "c1")], ..USUAL },
    Given {
        runbook: "genesys/rollback",
        scenario: "rb-full-restore",
        params: &[("backup_label", "yesterday")],
        ending: Held,
        ..USUAL
    },
    Given {
        runbook: "postgresql/switchover",
        scenario: "clean",
        params: &[
            ("settings", "max_connections=180"),
            ("return_roles", "true"),
            ("lag_limit", "2min"),
            ("drain_limit", "20s"),
            ("start_limit", "9min"),
            ("promote_limit", "2min"),
        ],
        ..USUAL
    },
];

/// What a run is begun with beside parameters.
#[derive(Clone, Copy)]
enum Flag {
    /// `--step`
    Step,
    /// `--until STEP`
    Until(&'static str),
    /// `--on-failure rollback`, and what fails, at which service.
    OnFailure(&'static str, &'static str),
    /// `--no-operator`
    NoOperator,
    /// `--answers FILE`, with these gates and words.
    Answers(&'static [(&'static str, &'static str)]),
}

/// A run with a flag, and how it ends.
type Flagged = (&'static str, &'static str, Flag, Ending);

const FLAGGED: [Flagged; 18] = [
    ("genesys/confserv-ha", "compatible", Flag::Step, Done),
    ("genesys/confserv-ha", "new-database", Flag::Until("HA-5"), Suspended),
    ("genesys/confserv-ha", "compatible", Flag::OnFailure("swap_folder", "c1"), RolledBack),
    ("genesys/confserv-ha", "new-database", Flag::NoOperator, Done),
    ("genesys/confserv-ha", "new-database", Flag::Answers(&[("components-first", "yes")]), Done),
    ("genesys/confserv-ha-same-schema", "same-schema", Flag::Step, Done),
    ("genesys/confserv-ha-same-schema", "same-schema", Flag::Until("SM-3"), Suspended),
    ("genesys/confserv-ha-same-schema", "same-schema", Flag::OnFailure("swap_folder", "c1"), RolledBack),
    ("genesys/confserv-ha-same-schema", "same-schema", Flag::NoOperator, Done),
    ("genesys/confserv-ha-same-schema", "same-schema", Flag::Answers(&[("new-logs", "no")]), Done),
    ("genesys/rollback", "rb-pre", Flag::Step, Done),
    ("genesys/rollback", "rb-oper", Flag::Until("RO-1"), Suspended),
    ("genesys/rollback", "rb-oper-81", Flag::OnFailure("start", "c2"), RolledBack),
    ("genesys/rollback", "rb-oper-81", Flag::NoOperator, Done),
    ("genesys/rollback", "rb-oper", Flag::Answers(&[("branch", "yes"), ("starting-places", "done")]), Done),
    ("postgresql/switchover", "clean", Flag::Step, Done),
    ("postgresql/switchover", "clean", Flag::Until("Restart the standby"), Suspended),
    ("postgresql/switchover", "clean", Flag::OnFailure("set_option", "pg-a"), RolledBack),
];

/// The flags of `baton run` that a run must remember.
const KEPT: [&str; 7] = ["--answers", "--from-run", "--no-operator", "--on-failure", "--param", "--step", "--until"];
/// Those that it need not: where it acts is on record, how fast a lab is lies with the lab, and who watches is for each
/// runner to say.
const OTHERS: [&str; 8] = ["--events", "--help", "--inventory", "--lab", "--plain", "--speed", "--state", "--trace"];

fn shipped() -> impl Iterator<Item = &'static str> {
    library::all(Shelf::Runbooks).into_iter().map(|entry| entry.name)
}

/// All runs with parameters, those that follow others included.
fn given_to(runbook: &str) -> impl Iterator<Item = &'static Given> {
    GIVEN.iter().chain(&STORIES).filter(move |given| given.runbook == runbook)
}

fn fails(verb: &str, service: &str) -> Fault {
    let at = Trigger { verb: verb.to_owned(), subject: service.to_owned(), nth: 1 };
    Fault { at, harm: Harm::FailsBefore }
}

fn flagged((runbook, scenario, flag, _): Flagged) -> Tale {
    let scene = Scene::new(runbook, scenario);
    let steered = |steering| Tale::of(Scene::new(runbook, scenario).steered_by(steering));
    match flag {
        Flag::Step => steered(Steering { step: true, ..Steering::default() }),
        Flag::Until(step) => steered(Steering { until: Some(step.to_owned()), ..Steering::default() }),
        Flag::OnFailure(verb, service) => {
            let on_failure = Some(AfterFailure::Rollback);
            Tale { faults: vec![fails(verb, service)], ..steered(Steering { on_failure, ..Steering::default() }) }
        }
        Flag::NoOperator => Tale { alone: true, ..Tale::of(scene) },
        Flag::Answers(words) => {
            let word = |(gate, word): &(&str, &str)| {
                ((*gate).to_owned(), GivenWord { word: (*word).to_owned(), note: "known before".to_owned() })
            };
            let words = words.iter().map(word).collect();
            let answers = Some(GivenAnswers { file: "known.toml".to_owned(), user: "ada".to_owned(), words });
            steered(Steering { answers, ..Steering::default() })
        }
    }
}

fn kind(flag: Flag) -> &'static str {
    match flag {
        Flag::Step => "--step",
        Flag::Until(_) => "--until",
        Flag::OnFailure(..) => "--on-failure",
        Flag::NoOperator => "--no-operator",
        Flag::Answers(_) => "--answers",
    }
}

fn remembers_its_parameters(runbook: &str) {
    for given in GIVEN.iter().filter(|given| given.runbook == runbook) {
        given.is_remembered();
    }
}

#[test]
fn an_upgrade_remembers_its_parameters() {
    remembers_its_parameters("genesys/confserv-ha");
}

#[test]
fn an_upgrade_on_the_same_schema_remembers_its_parameters() {
    remembers_its_parameters("genesys/confserv-ha-same-schema");
}

#[test]
fn a_rollback_remembers_its_parameters() {
    remembers_its_parameters("genesys/rollback");
}

#[test]
fn a_switchover_remembers_its_parameters() {
    remembers_its_parameters("postgresql/switchover");
}

fn is_remembered(wanted: &str) {
    for row in FLAGGED.into_iter().filter(|(_, _, flag, _)| kind(*flag) == wanted) {
        let (runbook, scenario, flag, ending) = row;
        let tale = flagged(row);
        let what = format!("{runbook} in {scenario} with {wanted}");
        let (undisturbed, ..) = tale.undisturbed();
        assert_eq!(undisturbed.ending, ending, "{what}: {}", undisturbed.words);
        tale.is_the_same_after_any_death(&what);
        if !matches!(flag, Flag::NoOperator) {
            tale.is_the_same_wherever_it_is_suspended(&what);
        }
    }
}

#[test]
fn a_run_that_is_gone_through_step_by_step_is_so_to_its_end() {
    is_remembered("--step");
}

#[test]
fn a_run_that_was_to_stop_after_a_step_stops_there() {
    is_remembered("--until");
}

#[test]
fn a_run_that_was_to_be_taken_back_after_a_failure_is() {
    is_remembered("--on-failure");
}

#[test]
fn a_run_without_an_operator_waits_at_each_of_its_questions() {
    is_remembered("--no-operator");
}

#[test]
fn answers_that_were_given_before_count_for_whoever_takes_the_run_up() {
    is_remembered("--answers");
}

#[test]
fn every_parameter_of_every_shipped_runbook_is_in_the_table_and_matters() {
    for runbook in shipped() {
        let names = |params: &[(&'static str, &str)]| params.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let given: BTreeSet<&str> = given_to(runbook).flat_map(|given| names(given.params)).collect();
        let scene = Scene::new(runbook, given_to(runbook).next().expect("it is in the table").scenario);
        let declared = scene.prepared().program.params();
        let declared_names: BTreeSet<&str> = declared.iter().map(|decl| decl.name.as_str()).collect();
        assert_eq!(declared_names, given, "{runbook}: its parameters, and those in the table");
        let felt: BTreeSet<&str> = given_to(runbook).flat_map(|given| given.felt(declared)).collect();
        assert_eq!(declared_names, felt, "{runbook}: its parameters, and those that make a difference in the table");
    }
}

#[test]
fn every_flag_that_must_be_remembered_is_in_the_table_with_every_runbook_it_is_for() {
    let help = Baton::new().run(&["run", "--help"]).code(0).out;
    let flags: BTreeSet<&str> = help
        .split(|c: char| c.is_whitespace() || ",;:()[]`=".contains(c))
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .collect();
    let known: BTreeSet<&str> = KEPT.iter().chain(&OTHERS).copied().collect();
    assert_eq!(flags, known, "the flags of `baton run`, and those that are kept or need not be");
    for runbook in shipped() {
        let in_table: BTreeSet<&str> =
            FLAGGED.iter().filter(|(of, ..)| *of == runbook).map(|(_, _, flag, _)| kind(*flag)).collect();
        let asks = given_to(runbook).any(|given| !questions(&given.tale().undisturbed().1).is_empty());
        let follows = library::runbook(runbook).expect("its text").contains("former_run()");
        assert_eq!(STORIES.iter().any(|story| story.runbook == runbook), follows, "{runbook} with --from-run");
        let wanted = KEPT.iter().copied().filter(|flag| match *flag {
            "--param" | "--from-run" => false,
            "--answers" | "--no-operator" => asks,
            _ => true,
        });
        assert_eq!(in_table, wanted.collect(), "{runbook}: its flags in the table, and those it is for");
    }
}
