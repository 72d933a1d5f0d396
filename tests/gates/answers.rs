//! `--answers FILE`: what is wrong with it is said before anything is touched; what it says is recorded as its own.

use super::{RUN, records, runs, site};
use crate::support::{Baton, Ended};
use baton::model::run::effect::Outcome;
use baton::model::run::record::{Fact, Record};

const ASKS: &str = "step(\"First\", || run(host(\"here\"), [\"touch\", \"touched\"]));\n\
                    guard(confirm(\"Sure?\", #{ gate: \"sure\" }), \"no\");\nlet way = choose(\"Way?\", [\"on\", \"back\"]);\n";

fn with_answers(baton: &Baton, answers: &str) -> Ended {
    baton.write("answers.toml", answers).run(&[&RUN[..], &["--answers", "answers.toml"]].concat())
}

/// Nothing was begun, and the complaint is this one.
#[track_caller]
fn refuses(answers: &str, message: &str) {
    let baton = site(ASKS);
    let ended = with_answers(&baton, answers).code(2);
    assert_eq!(ended.err, format!("{message}\nhelp: nothing was touched: put the file right and type it again\n"));
    assert!(runs(&baton).is_empty() && !baton.folder().join("touched").exists());
}

#[test]
fn a_file_answers_its_gates_and_says_so_in_the_record() {
    let baton = site(ASKS);
    let answers = "[answers]\nsure = { word = \"yes\", note = \"rehearsal\" }\nchoose-1 = \"BACK\"\nsure-2 = \"no\"\n";
    let ended = with_answers(&baton, answers).code(0);
    assert_eq!(ended.err, "answers.toml: never asked for: sure-2\n");
    let given = |record: Record| match record.fact {
        Fact::Outcome { outcome: Outcome::Done { value, .. }, .. } => {
            let field = |name: &str| value.get(name).map(ToString::to_string);
            Some((field("word")?, field("note")?, field("by")?))
        }
        _ => None,
    };
    let given: Vec<_> = records(&baton).into_iter().filter_map(given).collect();
    let by = given[0].2.clone();
    assert!(by.starts_with("answers file answers.toml (") && by.ends_with(')'), "{by}");
    assert_eq!(given, [("yes".into(), "rehearsal".into(), by.clone()), ("back".into(), String::new(), by)]);
    ended_says(&ended, "answered by answers file answers.toml (");
}

fn ended_says(ended: &Ended, text: &str) {
    assert!(ended.out.contains(text), "{}", ended.out);
}

#[test]
fn what_a_file_does_not_answer_is_for_whoever_would_be_asked() {
    let baton = site(ASKS);
    let ended = with_answers(&baton, "[answers]\nsure = \"yes\"\n").code(4);
    let ended = ended.says("nobody answered: no terminal, and answers.toml has no answer for it");
    ended.says("choose-1 WORD");
    baton.write("more.toml", "[answers]\nchoose-1 = \"on\"\n");
    baton.run(&["resume", "--answers", "more.toml"]).code(0).says("answered by answers file more.toml");
}

#[test]
fn a_word_that_is_none_of_the_gates_answers_nothing() {
    refuses(
        "[answers]\nsure = \"yse\"\n",
        "error: `yse` does not answer the gate `sure`\n --> answers.toml:2:8\n  |\n2 | sure = \"yse\"\n  |        ^^^^^\n\
         help: did you mean `yes`?\nhelp: its words: `no` or `yes`",
    );
    refuses(
        "[answers]\nchoose-1 = { word = \"suspend\" }\n",
        "error: `suspend` does not answer the gate `choose-1`\n --> answers.toml:2:21\n  |\n\
         2 | choose-1 = { word = \"suspend\" }\n  |                     ^^^^^^^^^\nhelp: its words: `back` or `on`",
    );
    // Which words a question offers may be known only when it is asked.
    let baton = site("let words = [\"on\", \"back\"]; choose(\"Way?\", words);");
    let ended = with_answers(&baton, "[answers]\nchoose-1 = \"up\"\n").code(4);
    ended.says("nobody answered: `up` in answers.toml is none of its words, `on` or `back`");
}

#[test]
fn a_name_that_only_the_run_knows_is_said_to_be_unchecked_and_a_word_that_fits_none_is_refused() {
    let computed = "for n in [\"a\", \"b\"] { confirm(`Sure of ${n}?`, #{ gate: `sure-of-${n}` }); }\n\
                    choose(\"Way?\", [\"on\", \"back\"]);";
    let baton = site(computed);
    let given = "[answers]\nchoose-1 = \"on\"\nsure-of-a = \"yes\"\nsure-of-b = \"no\"\n";
    let ended = with_answers(&baton, given).code(0).says("answers.toml:3: `sure-of-a` cannot be checked");
    assert!(!ended.err.contains("choose-1"), "{}", ended.err);
    let ended = with_answers(&site(computed), "[answers]\nsure-of-a = \"maybe\"\n").code(2);
    ended.says("`maybe` does not answer the gate `sure-of-a`").says("its words: `no` or `yes`");
    let options = site("let how = #{ gate: \"own\" }; confirm(\"Sure?\", how);");
    with_answers(&options, "[answers]\nown = \"yes\"\n").code(0).says("`own` cannot be checked");
}

#[test]
fn a_form_that_the_runbook_does_not_use_has_no_gates() {
    for wrong in ["confirm-1", "manual-1", "severe-1", "sure-x", "choose", "choose-0"] {
        let text = if wrong == "severe-1" { "note(\"x\"); confirm(\"x\", #{ gate: \"sure\" });" } else { ASKS };
        let baton = site(text);
        if wrong == "severe-1" {
            let mild = super::PRODUCT.replace("severe = true", "");
            baton.write("stdlib/products/acme-db.toml", &mild);
        }
        let ended = with_answers(&baton, &format!("[answers]\n{wrong} = \"yes\"\n")).code(2);
        ended.says(&format!("the runbook has no gate `{wrong}`"));
        assert!(runs(&baton).is_empty(), "{wrong}");
    }
    let baton = site("change(service(\"db\"), \"wipe\");");
    let ended = with_answers(&baton, "[answers]\nsevere-1 = \"dbb\"\n").code(2);
    ended.says("did you mean `db`?").says("its words: `db` or `no`");
    with_answers(&baton, "[answers]\nsevere-1 = \"db\"\n").code(0);
}

#[test]
fn what_resumes_or_goes_back_refuses_the_same() {
    let back = "step(\"A\", || run(host(\"here\"), [\"true\"])); confirm(\"Sure?\", #{ gate: \"sure\" });";
    let baton = site(back);
    baton.run(&RUN).code(4);
    baton.write("wrong.toml", "[answers]\nsrue = \"yes\"\n").write("word.toml", "[answers]\nsure = \"nope\"\n");
    let before = records(&baton).len();
    for command in [&["resume"][..], &["rollback", "--yes"]] {
        let wrong = baton.run(&[command, &["--answers", "wrong.toml"]].concat()).code(2);
        wrong.says(" --> wrong.toml:2:1").says("did you mean `sure`?").says("nothing was touched");
        baton.run(&[command, &["--answers", "word.toml"]].concat()).code(2).says(" --> word.toml:2:8");
    }
    assert_eq!(records(&baton).len(), before);
    baton.write("by-hand.toml", "[answers]\nundo-by-hand = { word = \"done\", note = \"nothing to do\" }\n");
    baton.run(&["rollback", "--yes", "--answers", "by-hand.toml"]).code(6).says("answers file by-hand.toml");
}

#[test]
fn a_file_that_is_wrong_is_refused_before_anything_is_touched() {
    let how = "help: write for example: pending-updates = \"yes\"   or   { word = \"yes\", note = \"…\" }";
    refuses(
        "[answers]\nsure = yes\n",
        "error: this is not TOML: string values must be quoted, expected literal string\n --> answers.toml:2:8\n  |\n\
         2 | sure = yes\n  |        ^^^",
    );
    refuses(
        "[answers]\nsure = \" \"\n",
        &format!(
            "error: the answer to `sure` is empty\n --> answers.toml:2:8\n  |\n2 | sure = \" \"\n  |        ^^^\n{how}"
        ),
    );
    refuses(
        "[answers]\nsrue = \"yes\"\n",
        "error: the runbook has no gate `srue`\n --> answers.toml:2:1\n  |\n2 | srue = \"yes\"\n  | ^^^^\n\
         help: did you mean `sure`?\nhelp: its gates: choose-1, severe-1, sure",
    );
    refuses(
        "[answers]\nsure = { wrod = \"yes\" }\n",
        "error: unknown key `wrod`\n --> answers.toml:2:10\n  |\n2 | sure = { wrod = \"yes\" }\n  |          ^^^^\n\
         help: did you mean `word`?",
    );
    refuses(
        "[answers]\nsure = true\n",
        &format!(
            "error: the answer to `sure` is no word\n --> answers.toml:2:8\n  |\n2 | sure = true\n  |        ^^^^\n{how}"
        ),
    );
    let baton = site(ASKS);
    let ended = baton.run(&[&RUN[..], &["--answers", "gone.toml"]].concat()).code(2);
    assert_eq!(
        ended.err,
        "error: there is no answers file `gone.toml`\n\
         help: nothing was touched; name a TOML file with a section [answers]: --answers FILE\n"
    );
    assert!(runs(&baton).is_empty());
}

#[test]
fn names_of_gates_are_checked_with_the_runbook() {
    let baton = site("confirm(\"Sure?\", #{ gate: \"not good\" });");
    let ended = baton.run(&RUN).code(2);
    ended.says("`not good` is no name for a gate: use letters, digits and dashes, a letter first");
    let baton =
        site("for n in 0..2 { confirm(`Sure ${n}?`, #{ gate: \"sure\" }); }\nconfirm(\"x\", #{ gate: \"sure-2\" });");
    with_answers(&baton, "[answers]\nsure = \"yes\"\nsure-2 = \"yes\"\nsure-2-2 = \"no\"\n").code(0);
    let baton = site("choose(\"Which?\", [\"go\", \"suspend\"]);");
    baton.run(&RUN).code(2).says("`choose` cannot offer the word `suspend`");
}

#[test]
fn a_lab_is_rehearsed_with_answers_of_ones_own() {
    let baton = Baton::new();
    baton.write("runbooks/own/t.rhai", "//! Asks\nnote(`it is ${confirm(\"Sure?\")}`);\n");
    baton.write("answers.toml", "[answers]\nconfirm-1 = \"no\"\n");
    let words = ["run", "own/t", "--lab", "genesys", "--answers", "answers.toml"];
    baton.run(&words).code(0).says("it is false").says("answered by answers file answers.toml");
}

#[test]
fn a_lab_without_an_operator_leaves_its_gates_to_people() {
    let baton = Baton::new();
    baton.write("runbooks/own/t.rhai", "//! Asks\nnote(`it is ${confirm(\"Sure?\")}`);\n");
    baton.run(&["run", "own/t", "--lab", "genesys", "--no-operator"]).code(4).says("next: baton approve");
    baton.run(&["approve", "latest", "confirm-1", "--as", "Anna"]).code(0);
    baton.run(&["resume"]).code(0).says("answered by Anna").says("it is true");
}
