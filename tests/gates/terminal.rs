//! Gates at the terminal: every form waits for its word, in full, and a run can be left suspended.

use super::{RUN, latest, site};
use crate::support::terminal::Session;

#[test]
fn every_form_waits_for_a_word_of_its_own() {
    let baton = site(
        "let sure = confirm(\"Sure?\");\nmanual(\"Pull the plug\", \"it is dark\", #{ gate: \"plug\" });\n\
         let way = choose(\"Which way?\", [\"go on\", \"back\"]);\nnote(`${sure} ${way}`);",
    );
    let mut session = Session::start(&baton, &RUN);
    session.shows("? confirm-1").shows("  Sure?").shows("type `yes` or `no`, or `suspend` to leave it for later");
    session.types("y").shows("`y` is none of the words; type `yes` or `no`");
    session.types("").shows("> ").types("yes");
    session.shows("answer yes, answered by ").shows("? plug").shows("  Pull the plug").shows("evidence: it is dark");
    session.types("done: Anna saw it").shows("answer done, answered by ").shows(": Anna saw it");
    session.shows("? choose-1").types("GO ON").shows("answer go on").shows("true go on").shows("✓ done");
    assert_eq!(session.ends(), 0);
}

#[test]
fn a_run_left_suspended_at_the_terminal_goes_on_there_or_elsewhere() {
    let baton = site("guard(confirm(\"Sure?\", #{ gate: \"sure\" }), \"no\");\nconfirm(\"Quite?\");");
    let mut session = Session::start(&baton, &RUN);
    session.shows("? sure").types("suspend").shows("? suspended").shows("nobody answered: `suspend` was typed");
    session.shows("next: baton approve").shows("then: baton resume");
    assert_eq!(session.ends(), 4);
    let mut again = Session::start(&baton, &["resume"]);
    again.shows("? sure").types("yes").shows("? confirm-1").types("suspend").shows("confirm-1  asked since");
    assert_eq!(again.ends(), 4);
    baton.run(&["approve", &latest(&baton), "confirm-1", "no"]).code(0);
    baton.run(&["resume"]).code(0).says("no, answered by");
}

#[test]
fn a_question_that_waits_is_called_to_mind() {
    let baton = site("confirm(\"Sure?\");");
    let mut session = Session::start(&baton, &["run", "own/t", "-i", "site.toml", "--remind", "100ms"]);
    session.shows("? confirm-1").shows("\u{7}  still waiting since ").shows(": type `yes` or `no`");
    session.shows("\u{7}  still waiting since ").types("yes").shows("✓ done");
    assert_eq!(session.ends(), 0);
}

/// How many columns the widest line takes, as a terminal counts them.
fn widest(shown: &str) -> usize {
    shown.lines().map(|line| unicode_width::UnicodeWidthStr::width(line.trim_end_matches('\r'))).max().unwrap_or(0)
}

#[test]
fn a_question_fits_the_terminal_and_nothing_of_it_is_lost() {
    let question = "The server 主要服务器 of the pair serves with 8.5.000.20, its peer stands by, and changes are accepted. \
                    Shall the night begin?";
    let evidence = "the lamp at the front of the second host, at its left hand side, has been dark for a minute";
    let words = "\"go on with the upgrade\", \"back to the old version\"";
    let asks = format!("manual({question:?}, {evidence:?});\nchoose({question:?}, [{words}]);");
    for columns in [40, 60, 80] {
        let baton = site(&asks);
        let mut session = Session::start_with(&baton, &RUN, &[("COLUMNS", &columns.to_string())]);
        for (gate, parts) in [
            ("? manual-1", vec![question, evidence, "`done` or `failed`, or `suspend` to leave it for later"]),
            ("? choose-1", vec![question, "`go on with the upgrade` or `back to the old version`, or `suspend`"]),
        ] {
            session.shows(gate);
            let mut shown = session.sees("\n> ");
            session.types("perhaps");
            shown += "\n";
            shown += session.sees("\n> ").split_once('\n').expect("what was typed, and an answer").1;
            assert!(widest(&shown) <= columns, "{} of {columns} columns:\n{shown}", widest(&shown));
            let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in parts.into_iter().chain(["`perhaps` is none of the words"]) {
                assert!(said.contains(part), "{part:?} is lost at {columns}:\n{shown}");
            }
            session.types(if gate.contains("manual") { "done" } else { "back to the old version" });
        }
        assert_eq!(session.ends(), 0, "{}", session.screen());
    }
}

#[test]
fn what_a_file_answers_is_shown_with_its_question_and_whose_answer_it_is() {
    let baton = site("guard(confirm(\"Sure of it?\", #{ gate: \"sure\" }), \"no\");\nconfirm(\"Quite?\");");
    baton.write("answers.toml", "[answers]\nsure = { word = \"yes\", note = \"as Anna said\" }\n");
    let mut session = Session::start(&baton, &[&RUN[..], &["--answers", "answers.toml"]].concat());
    session.shows("? sure").shows("  Sure of it?").shows("type `yes` or `no`");
    session.shows("> yes, answered by answers file answers.toml (").shows("): as Anna said");
    session.shows("? confirm-1").shows("Quite?").types("yes");
    assert_eq!(session.ends(), 0, "{}", session.screen());
}

#[test]
fn somebody_at_a_gate_keeps_others_from_answering_it() {
    let baton = site("confirm(\"Sure?\");");
    let mut session = Session::start(&baton, &RUN);
    session.shows("? confirm-1");
    let refused = baton.run(&["approve", "latest", "confirm-1"]).code(8);
    refused.says("is being run: pid ").says("if it asks for `confirm-1` on a terminal, answer it there");
    session.types("yes");
    assert_eq!(session.ends(), 0);
}
