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
