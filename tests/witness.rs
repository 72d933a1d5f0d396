//! What the log of a Configuration Server means, and that it never stops a server by itself.

use crate::support::simulation::{Play, Scene};
use baton::model::run::automaton::{DecisionTable, Machine, Symbol, Turn};
use baton::model::run::effect::{Action, Want};
use baton::model::run::record::{Ending, Fact, Record};

const PARTS: &str = r#"//! Parts of the upgrade
import "genesys/confserv" as cs;
import "genesys/confserv-before" as before;
import "genesys/confserv-holds" as holds;
let up = before::observe(pair("confserv"), #{ same_schema: false, new_version: "8.5.101.10",
    db_upgrade: false, new_database: "", role_limit: "10s", clients_limit: "1min", start_limit: "5min" });
"#;

/// Runs a part of the upgrade on a pair that nobody has touched. How it ended, and what was done to the servers.
fn part(text: &str) -> (Ending, String, Vec<String>) {
    let scene = Scene::of_text(&format!("{PARTS}{text}"));
    let play: Play<'_> = scene.play(1);
    let finished = play.run();
    let said = finished.error.map(|error| error.to_string()).unwrap_or_default();
    (finished.ending, said, play.deeds().into_keys().collect())
}

#[test]
fn a_primary_is_not_stopped_on_the_word_of_the_log_alone() {
    for (mode, doubt) in [("upgrade mode", "its role reads backup"), ("backup", "c2 runs 8.5.0")] {
        let (ending, said, deeds) = part(&format!("cs::cut_over(up, \"{mode}\");"));
        assert_eq!(ending, Ending::Unmet, "{said}");
        assert!(said.contains(doubt) && said.contains("c1 must go on serving"), "{said}");
        assert_eq!(deeds, Vec::<String>::new(), "{said}");
    }
}

#[test]
fn a_server_is_stopped_only_beside_a_peer_that_was_just_read_as_primary() {
    let (ending, said, deeds) = part("holds::stop_beside(up, up.c1, up.c2);");
    assert_eq!(ending, Ending::Held, "{said}");
    assert_eq!(deeds, Vec::<String>::new(), "{said}");
    let (ending, said, deeds) = part("holds::stop_beside(up, up.c2, up.c1);");
    assert_eq!((ending, deeds), (Ending::Done, vec!["c2 shutdown".to_owned()]), "{said}");
}

/// A table of the shipped module, as a runbook gets it.
fn table(text: &str) -> DecisionTable {
    let scene = Scene::of_text(&format!(
        "//! Watches\nimport \"genesys/confserv-tables\" as tables;\n\
         watch_log(service(\"c2\"), {text}, #{{ limit: \"1s\" }});"
    ));
    let play = scene.play(1);
    play.run();
    let table = |record: Record| match record.fact {
        Fact::Intent { effect, .. } => match effect.action {
            Action::Log(wait) => match wait.want {
                Want::Table(table) => Some(table),
                Want::Match { .. } => None,
            },
            _ => None,
        },
        _ => None,
    };
    play.records().into_iter().find_map(table).expect("a table")
}

fn outcome(table: &DecisionTable, events: &[i64]) -> String {
    let mut machine = Machine::new(table);
    for event in events {
        if let Turn::Ended(outcome) = machine.feed(Symbol::Event(*event)).turn {
            return outcome;
        }
    }
    machine.state().to_owned()
}

#[test]
fn a_record_that_is_there_twice_and_a_peer_that_reconnects_change_no_verdict() {
    let first = |version: &str| {
        let up = format!("#{{ old_version: \"{version}\", db_upgrade: false, settle_limit: \"10s\" }}");
        table(&format!("tables::first_start({up}, false)"))
    };
    let (old, recent) = (first("8.1.3"), first("8.5.0"));
    let forced = table("tables::first_start(#{ old_version: \"8.1.3\", db_upgrade: false }, true)");
    for (table, events, expected) in [
        (&old, vec![22911, 25301, 22902, 25302, 22170], "READY_SAME_DB"),
        (&old, vec![22911, 25301, 22902, 22911, 25301, 22902, 22170], "READY_SAME_DB"),
        (&old, vec![22911, 22902], "WS"),
        (&old, vec![22911, 22902, 22911, 22902], "WS"),
        (&old, vec![22911, 25303, 25303, 22902, 22172], "OK_SAME"),
        (&recent, vec![22911, 22902, 22172], "COMPATIBLE"),
        (&recent, vec![22911, 22902, 22902, 22911, 22902, 22172], "COMPATIBLE"),
        (&forced, vec![25300, 22911, 22902, 25300, 22911, 22902, 22170], "READY_SAME_DB"),
        (
            &table("tables::same_schema_start(#{ db_upgrade: false })"),
            vec![22911, 25303, 22911, 25303, 22902, 22172],
            "OK",
        ),
        (&table("tables::second_start()"), vec![22911, 22911, 22902, 22902, 22172], "BACKUP"),
    ] {
        assert_eq!(outcome(table, &events), expected, "{events:?}");
        let twice: Vec<i64> = events.iter().flat_map(|event| [*event, *event]).collect();
        assert_eq!(outcome(table, &twice), expected, "{twice:?}");
    }
    assert_eq!(outcome(&old, &[22911, 22902, 25301]), "LATE", "below 8.5 a person judges it");
    assert_eq!(outcome(&old, &[22911, 22170]), "PRIMARY", "its peer is asked");
    assert_eq!(outcome(&old, &[22911, 25302]), "ANOMALY", "what nobody foresaw still is one");
}
