//! What is asked when a way back does not come to its end, and when what is owed cannot be done while a run is given up.

use super::failed::{DIES, DOUBT, FAILED, edited};
use super::states::{Act, MARK, RUN, Scene};
use super::{GO_BACK, Menu, Shown, Word, word};
use crate::support::Baton;

const BACK: &[&str] = &["rollback"];
const AGREES: (&str, &str) = ("type `yes` to have your word taken", "yes");

fn back(name: &'static str, make: fn() -> Scene, words: Vec<Word>) -> Menu {
    let (table, way, prompt) = ("ON_THE_WAY_BACK", &[GO_BACK] as &[_], FAILED);
    Menu { name, table, make, begins: BACK, way, prompt, shown: Shown::Before, notes: &[], words }
}

fn breaks(baton: &Baton) {
    baton.write("restore.sh", "exit 3\n");
}

fn whole(baton: &Baton) {
    baton.write("restore.sh", "echo $1 >$2\n");
}

fn skip(code: i32) -> Word {
    word("skip REASON", code).says("rolled back in part").says("I looked at it")
}

fn abort() -> Word {
    word("abort REASON", 1).says("✗ given up").says("I looked at it").leaves("mode", "new\n")
}

fn stop() -> Word {
    word("stop", 7).says("left as it is")
}

fn help() -> Word {
    word("help", 7).then("", "stop")
}

pub fn menus() -> Vec<Menu> {
    vec![an_undo_failed(), somebody_said_that_it_failed(), at_a_guard(), at_a_mistake(), in_doubt()]
}

fn an_undo_failed() -> Menu {
    let make = || {
        let acts = [Act::Type(RUN), Act::Do(breaks)];
        let own = "s/\"new\"))/\"new\"), #{ undo: || run(here, [\"cp\", \"was\", \"mode\"]) })/";
        let scene = edited("an undo failed", &format!("{MARK}guard(false, \"no\");"), &acts, own);
        scene.baton.write("was", "old\n");
        scene
    };
    let words = vec![
        word("retry", 6).mended(whole).says("↶ rolled back").leaves("mode", "old\n"),
        word("edit", 6).says("edited texts adopted by").leaves("mode", "old\n"),
        skip(7).leaves("mode", "new\n"),
        word("done REASON", 6).says("against the word").then(AGREES.0, AGREES.1).says("by root's word"),
        abort(),
        stop(),
        help(),
    ];
    back("an undo failed", make, words)
}

fn somebody_said_that_it_failed() -> Menu {
    let make = || {
        let acts = [Act::Type(RUN)];
        let own = "s/\\[\"true\"\\]))/[\"true\"]), #{ undo: || note(\"by itself\") })/";
        let text = format!("{MARK}step(\"By hand\", || run(here, [\"true\"]));\nguard(false, \"no\");");
        edited("somebody said on the way back that it failed", &text, &acts, own)
    };
    let words = vec![
        word("retry", 6).then("type `done` or `failed`", "done").leaves("mode", "old\n"),
        word("edit", 6).says("edited texts adopted by").leaves("mode", "old\n"),
        skip(7).leaves("mode", "old\n"),
        word("done REASON", 6).says("was done by hand, says").leaves("mode", "old\n"),
        abort(),
        stop(),
        help(),
    ];
    let way = &[GO_BACK, ("type `done` or `failed`", "failed")];
    Menu { way, ..back("somebody said that it failed", make, words) }
}

fn at_a_guard() -> Menu {
    let make = || {
        let undo = "#{ undo: || { guard(probe(db, \"option\", #{ key: \"other\" }) == \"good\", \"not yet\"); } }";
        let text = format!("{MARK}step(\"Other\", || run(here, [\"true\"]), {undo});\nguard(false, \"no\");");
        edited("a guard on the way back", &text, &[Act::Type(RUN)], "s/good/old/")
    };
    let mend = |baton: &Baton| {
        baton.write("other", "good\n");
    };
    let words = vec![
        word("retry", 6).mended(mend).leaves("mode", "old\n"),
        word("edit", 6).says("edited texts adopted by").leaves("mode", "old\n"),
        skip(7).leaves("mode", "old\n"),
        word("done REASON", 6).says("was done by hand, says").leaves("mode", "old\n"),
        abort(),
        stop(),
        help(),
    ];
    back("a guard on the way back", make, words)
}

/// To try it again as it is would come to the same.
fn at_a_mistake() -> Menu {
    let make = || {
        let undo = "#{ undo: || { let x = []; x[3]; set_option(db, \"main\", \"mode\", \"old\"); } }";
        let text = format!("{}guard(false, \"no\");", MARK.replace("\"new\"));", &format!("\"new\"), {undo});")));
        edited("a mistake in an undo", &text, &[Act::Type(RUN)], "s/x.3.;//")
    };
    let words = vec![
        word("edit", 6).says("edited texts adopted by").leaves("mode", "old\n"),
        skip(7).leaves("mode", "new\n"),
        word("done REASON", 6).says("against the word").then(AGREES.0, AGREES.1).says("was done by hand, says"),
        abort(),
        stop(),
        help(),
    ];
    back("a mistake in an undo", make, words)
}

fn in_doubt() -> Menu {
    let make = || {
        let undo = format!("#{{ undo: || {DIES} }}");
        let text = format!("{MARK}step(\"Other\", || run(here, [\"true\"]), {undo});\nguard(false, \"no\");");
        Scene::new("an undo in doubt", &text, &[Act::Type(RUN)])
    };
    let words = vec![
        word("happened REASON", 6).says("happened, says").leaves("done", "").leaves("mode", "old\n"),
        word("not-happened REASON", 6).says("did not happen, says").leaves("done", "x\n").leaves("mode", "old\n"),
        abort().leaves("done", ""),
        stop(),
        help(),
    ];
    Menu { table: "IN_DOUBT_BACK", prompt: DOUBT, ..back("an undo in doubt", make, words) }
}

pub fn given_up() -> Vec<Menu> {
    vec![what_is_owed_failed(), what_is_owed_is_in_doubt()]
}

fn owing(name: &'static str, owed: &str) -> Scene {
    let ensure = format!("let here = host(\"here\");\nensure(\"Tidy up\", || {owed});\n");
    edited(name, &format!("{ensure}run(here, [\"false\"]);"), &[], "s/test -e ready/true/")
}

const GIVES_UP: &[(&str, &str)] = &[("failed> ", "abort I have had enough")];

fn what_is_owed_failed() -> Menu {
    let make = || owing("what is owed failed", "run(here, [\"sh\", \"-c\", \"test -e ready && echo ok >>done\"])");
    let mend = |baton: &Baton| {
        baton.write("ready", "");
    };
    let gone = |word: Word| word.says("✗ given up");
    let words = vec![
        gone(word("retry", 1)).mended(mend).leaves("done", "ok\n"),
        gone(word("edit", 1)).says("edited texts adopted by").leaves("done", "ok\n"),
        gone(word("skip REASON", 1)).says("skipped by").leaves("done", ""),
        gone(word("done REASON", 1)).says("happened, says").leaves("done", ""),
        stop(),
        help(),
    ];
    Menu { table: "WHILE_GIVING_UP", begins: RUN, way: GIVES_UP, ..back("what is owed failed", make, words) }
}

fn what_is_owed_is_in_doubt() -> Menu {
    let make = || owing("what is owed is in doubt", DIES);
    let gone = |word: Word| word.says("✗ given up");
    let words = vec![
        gone(word("happened REASON", 1)).says("happened, says").leaves("done", ""),
        gone(word("not-happened REASON", 1)).says("did not happen, says").leaves("done", "x\n"),
        stop(),
        help(),
    ];
    let menu = back("what is owed is in doubt", make, words);
    Menu { table: "IN_DOUBT_WHILE_GIVING_UP", prompt: DOUBT, begins: RUN, way: GIVES_UP, ..menu }
}
