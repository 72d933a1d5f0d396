//! A person's word on what failed or is in doubt: what can be looked at is looked at first, what is against the word is
//! said, stays on record, and is asked about where somebody sits at a terminal. The word is taken all the same.

use crate::support::terminal::Session;
use crate::support::{Baton, Ended};

/// A product that is files in a folder: what fails is there to be made, and `check.sh` tells what a test wants.
const PRODUCT: &str = r#"
product = "acme-db"
title = "Acme database"
model = "acme"

[requires]
folder = "where it is installed"

[verbs.wipe]
class = "once"
argv = ["sh", "-c", "test -e {folder}/may-wipe && touch {folder}/wiped"]
check = ["sh", "-c", "exit $(cat {folder}/check)"]
limit = "10s"

[verbs.stop]
class = "idempotent"
argv = ["sh", "-c", "exit 3"]
goal = { probe = "status", is = ["stopped"] }
limit = "2s"

[verbs.set_option]
class = "idempotent"
argv = ["sh", "-c", "echo {value} >{folder}/{key}"]
limit = "10s"
goal = { probe = "option", is = ["{value}"] }
undo = "restore_option"

[verbs.restore_option]
class = "idempotent"
argv = ["sh", "-c", "exit 4"]
limit = "2s"
goal = { probe = "option", is = ["{former}"] }

[probes.status]
argv = ["sh", "-c", "cat {folder}/status"]
reads = { words = ["stopped", "running"] }

[probes.option]
argv = ["sh", "-c", "cat {folder}/{key}"]
"#;

const SITE: &str = r#"[hosts.here]
address = "local"

[services.db]
host = "here"
product = "acme-db"
folder = "{home}"
"#;

const RUN: [&str; 4] = ["run", "own/t", "-i", "site.toml"];

const WIPES: &str = "note(\"x\"); change(service(\"db\"), \"wipe\");";

fn site(runbook: &str) -> Baton {
    let baton = Baton::new();
    let site = SITE.replace("{home}", &baton.folder().display().to_string());
    baton.write("stdlib/products/acme-db.toml", PRODUCT).write("site.toml", &site);
    baton.write("runbooks/own/t.rhai", &format!("//! Fails\n{runbook}"));
    baton.write("check", "1").write("status", "running\n").write("mode", "old\n");
    baton
}

/// It says this and keeps it on record, as a departure from the runbook.
#[track_caller]
fn says_and_keeps(baton: &Baton, ended: Ended, seen: &str) {
    assert!(ended.in_one_line().contains(seen), "does not say {seen:?}: {ended:?}");
    let kept = baton.run(&["show"]).code(0).in_one_line();
    assert!(kept.contains(seen) && kept.contains("; it was taken all the same"), "{kept}");
}

#[test]
fn a_word_that_the_check_contradicts_is_taken_and_the_contradiction_stays_on_record() {
    let baton = site(WIPES);
    baton.run(&RUN).code(1);
    let ended = baton.run(&["resume", "--done", "I did it"]).code(0);
    let seen = "says no: that is against the word that `wipe(db)` happened";
    says_and_keeps(&baton, ended, seen);
    let kept = baton.run(&["show"]).in_one_line();
    assert!(kept.contains("I did it"), "{kept}");
}

#[test]
fn a_word_that_the_check_bears_out_is_taken_without_another_one() {
    let baton = site(WIPES);
    baton.run(&RUN).code(1);
    baton.write("check", "0");
    let ended = baton.run(&["resume", "--done", "I did it"]).code(0);
    assert!(!ended.in_one_line().contains("the word"), "{ended:?}");
    assert!(!baton.run(&["show"]).in_one_line().contains("the word that"));
}

#[test]
fn a_look_that_tells_nothing_is_said_to_tell_nothing() {
    let baton = site(WIPES);
    baton.run(&RUN).code(1);
    baton.write("check", "2");
    let ended = baton.run(&["resume", "--done", "I did it"]).code(0);
    assert!(ended.in_one_line().contains("cannot tell"), "{ended:?}");
    says_and_keeps(&baton, ended, "nothing bears out the word that `wipe(db)` happened: its check");
}

#[test]
fn a_word_on_a_verb_with_a_goal_is_held_against_the_goal() {
    let baton = site("change(service(\"db\"), \"stop\");");
    baton.run(&RUN).code(1);
    let ended = baton.run(&["resume", "--done", "I stopped it"]).code(0);
    let seen = "`status` of `db` reads `running`, not `stopped`: that is against the word that `stop(db)` happened";
    says_and_keeps(&baton, ended, seen);

    let baton = site("change(service(\"db\"), \"stop\");");
    baton.run(&RUN).code(1);
    baton.write("status", "stopped\n");
    let ended = baton.run(&["resume", "--done", "I stopped it"]).code(0);
    assert!(!ended.in_one_line().contains("the word"), "{ended:?}");

    baton.write("status", "neither\n");
    baton.run(&RUN).code(1);
    let ended = baton.run(&["resume", "--done", "I stopped it"]).code(0);
    says_and_keeps(&baton, ended, "nothing bears out the word that `stop(db)` happened: `status` of `db` cannot tell");
}

#[test]
fn a_word_on_a_wait_and_on_a_file_is_held_against_what_is_there() {
    let baton = site("wait_status(service(\"db\"), \"stopped\", #{ limit: \"1s\", every: \"500ms\" });");
    baton.run(&RUN).code(1);
    let ended = baton.run(&["resume", "--done", "it is"]).code(0);
    says_and_keeps(&baton, ended, "`status` of `db` reads `running`, not `stopped`: that is against the word");

    let baton = site("");
    let to = baton.folder().join("no-folder/to").display().to_string();
    baton.write("runbooks/own/t.rhai", &format!("//! Carries\nput(host(\"here\"), \"from\", {to:?});"));
    baton.write("from", "text");
    baton.run(&RUN).code(1);
    let ended = baton.run(&["resume", "--done", "I carried it"]).code(0);
    says_and_keeps(&baton, ended, "/no-folder/to` on `here` is not what was to be carried there: that is against");
}

#[test]
fn at_a_terminal_a_word_that_is_contradicted_is_asked_for_again() {
    let baton = site(WIPES);
    let mut session = Session::start(&baton, &RUN);
    session.shows("failed> ").types("done I did it");
    session.shows("says no: that is against the word that `wipe(db)` happened").shows("type `yes` to have your word");
    session.types("").shows("failed> ").types("done I did it").shows("type `yes`").types("yes").shows("✓ done");
    assert_eq!(session.ends(), 0);
    let kept = baton.run(&["show"]).in_one_line();
    assert!(kept.contains("it was taken all the same"), "{kept}");

    baton.run(&RUN).code(1);
    let mut session = Session::start(&baton, &["resume", "--done", "I did it"]);
    session.shows("type `yes`").types("no").shows("your word was not taken; nothing was done");
    assert_eq!(session.ends(), 4);
    let mut session = Session::start(&baton, &["resume", "--done", "I did it"]);
    session.shows("type `yes`").types("yes").shows("✓ done");
    assert_eq!(session.ends(), 0);
}

#[test]
fn on_the_way_back_a_word_is_held_against_what_was_there_before() {
    let sets = "let db = service(\"db\");\nstep(\"Mark\", || set_option(db, \"main\", \"mode\", \"new\"), UNDO);\n\
                guard(false, \"no\");";
    // The undo of the step has a mistake of its own; or what puts it back fails.
    let mistake = "#{ undo: || { let list = []; list[3] } }";
    for (undo, label) in [(mistake, "`Undo: Mark` is done"), ("#{}", "`restore_option(db, main, mode, back to `old`)`")]
    {
        let baton = site(&sets.replace("UNDO", undo));
        baton.run(&RUN).code(1);
        baton.run(&["rollback", "--yes"]).code(7);
        let ended = baton.run(&["resume", "--done", "I put it back"]);
        let seen = format!("`option` of `db` reads `new`, not `old`{}", if undo == "#{}" { "" } else { " as before" });
        says_and_keeps(&baton, ended, &format!("{seen}: that is against the word that {label}"));

        let baton = site(&sets.replace("UNDO", undo));
        baton.run(&RUN).code(1);
        baton.run(&["rollback", "--yes"]).code(7);
        baton.write("mode", "old\n");
        let ended = baton.run(&["resume", "--done", "I put it back"]).code(6);
        assert!(!ended.in_one_line().contains("the word that"), "{ended:?}");
    }
}
