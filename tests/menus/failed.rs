//! What is asked when a run has failed, is in doubt, or has met a mistake in its runbook.

use super::states::{Act, MARK, RUN, Scene};
use super::{FRESH, GO_BACK, Menu, Shown, Word, word};
use crate::support::Baton;

pub const FAILED: &[&str] = &["failed> "];
pub const DOUBT: &[&str] = &["doubt> "];
/// A command whose supervisor dies under it, the first time.
pub const DIES: &str =
    "run(here, [\"sh\", \"-c\", \"test -e once && echo x >>done || { touch once; kill -9 $PPID; sleep 1; }\"])";
/// A command that fails until a file is there.
const WANTS: &str = "run(here, [\"sh\", \"-c\", \"test -e ready && echo ok >>done\"])";

/// A machine with an editor that changes what is between slashes.
pub fn edited(name: &'static str, text: &str, acts: &[Act], change: &str) -> Scene {
    let mut scene = Scene::new(name, text, acts);
    scene.baton.write("editor", &format!("sed -i '{change}' \"$1\"\n"));
    scene.mend = edit;
    scene
}

fn edit(baton: &Baton) {
    let mut editor = std::process::Command::new("sh");
    editor.args(["editor", "runbooks/own/t.rhai"]).current_dir(baton.folder());
    assert!(editor.status().expect("starts the editor").success());
}

fn failed(name: &'static str, make: fn() -> Scene, words: Vec<Word>) -> Menu {
    let (table, prompt) = ("AFTER_FAILURE", FAILED);
    Menu { name, table, make, begins: RUN, way: &[], prompt, shown: Shown::Before, notes: &[], words }
}

fn ready(baton: &Baton) {
    baton.write("ready", "");
}

fn shell(code: i32) -> Word {
    word("shell", code).says("`:next` does the next step").then(FRESH, ":quit").then("failed> ", "stop")
}

fn stop(code: i32) -> Word {
    word("stop", code).says("left as it is")
}

fn help(code: i32) -> Word {
    word("help", code).then("", "stop")
}

fn abort() -> Word {
    word("abort REASON", 1).says("✗ given up").says("the runbook was left, by").says("I looked at it")
}

fn roll_back() -> Word {
    word("rollback", 6).then(GO_BACK.0, GO_BACK.1).says("↶ rolled back")
}

/// Who undoes what failed by hand.
fn roll_back_by_hand() -> Word {
    roll_back().then("type `done` or `failed`", "done")
}

pub fn menus() -> Vec<Menu> {
    vec![
        after_a_change(),
        at_a_guard(),
        at_a_reading(),
        past_no_return(),
        unclear(),
        beside_each_other(),
        drifted(),
        at_an_answer(),
        by_its_path(),
        without_what_was_left_out(),
    ]
}

fn after_a_change() -> Menu {
    let make = || edited("failed after a change", &format!("{MARK}{WANTS};"), &[], "s/test -e ready/true/");
    let words = vec![
        word("retry", 0).mended(ready).says("is tried again by").leaves("done", "ok\n").leaves("mode", "new\n"),
        word("edit", 0).says("edited: runbooks/own/t.rhai").says("edited texts adopted by").leaves("done", "ok\n"),
        word("skip REASON", 0).says("skipped by").says("I looked at it").leaves("done", ""),
        word("done REASON", 0).says("happened, says").says("I looked at it").leaves("done", ""),
        roll_back_by_hand().leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    failed("after a change", make, words)
}

fn at_a_guard() -> Menu {
    let make = || {
        let text = format!("{MARK}guard(probe(db, \"option\", #{{ key: \"other\" }}) == \"good\", \"not yet\");");
        edited("failed at a guard", &text, &[], "s/good/old/")
    };
    let mend = |baton: &Baton| {
        baton.write("other", "good\n");
    };
    let words = vec![
        word("retry", 0).mended(mend).says("✓ done"),
        word("edit", 0).says("edited texts adopted by"),
        roll_back().leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    failed("at a guard", make, words)
}

/// Nothing was changed, and something is owed.
fn at_a_reading() -> Menu {
    let make = || {
        let text = "let db = service(\"db\"); let here = host(\"here\");\n\
                    ensure(\"Tidy up\", || run(here, [\"touch\", \"tidied\"]));\n\
                    step(\"Read\", || probe(db, \"option\", #{ key: \"missing\" }));\n";
        edited("failed at a reading", text, &[], "s/missing/other/")
    };
    let mend = |baton: &Baton| {
        baton.write("missing", "here\n");
    };
    let words = vec![
        word("retry", 0).mended(mend).says("✓ done"),
        word("edit", 0).says("edited texts adopted by"),
        abort().says("Tidy up"),
        shell(1),
        stop(1),
        help(1),
    ];
    let notes = &["nothing was changed: there is nothing to roll back"];
    Menu { notes, ..failed("at a reading, with nothing changed", make, words) }
}

fn past_no_return() -> Menu {
    let make = || {
        let text = format!("{MARK}point_of_no_return(\"all is new\");\n{WANTS};");
        edited("failed past its point of no return", &text, &[], "s/test -e ready/true/")
    };
    let words = vec![
        word("retry", 0).mended(ready).leaves("done", "ok\n"),
        word("edit", 0).says("edited texts adopted by"),
        word("skip REASON", 0).says("skipped by"),
        word("done REASON", 0).says("happened, says"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    Menu { notes: &["there is no way back any more: all is new"], ..failed("past no return", make, words) }
}

/// Only what failed may have changed something.
fn unclear() -> Menu {
    let make = || {
        let text = format!("let here = host(\"here\");\n{WANTS};");
        edited("failed at its first change", &text, &[], "s/test -e ready/true/")
    };
    let meaning = "undo what may have been changed; what failed is looked at first";
    let words = vec![
        word("retry", 0).mended(ready).leaves("done", "ok\n"),
        word("edit", 0).says("edited texts adopted by"),
        word("skip REASON", 0).says("skipped by"),
        word("done REASON", 0).says("happened, says"),
        roll_back_by_hand().meaning(meaning).says("looked at first"),
        abort(),
        shell(1),
        stop(1),
        help(1),
    ];
    failed("at its first change", make, words)
}

fn beside_each_other() -> Menu {
    let make = || {
        let text = format!("{MARK}parallel([\"a\", \"b\"], |s| {{ step(\"Do \" + s, || {WANTS}); }});");
        edited("two failed beside each other", &text, &[], "s/test -e ready/true/")
    };
    let words = vec![
        word("retry", 0).mended(ready).leaves("done", "ok\nok\n"),
        word("edit", 0).says("edited texts adopted by").leaves("done", "ok\nok\n"),
        word("skip REASON", 0).says("skipped by").then("failed> ", "skip as well").leaves("done", ""),
        word("done REASON", 0).says("happened, says").then("failed> ", "done as well").leaves("done", ""),
        roll_back_by_hand().then("type `done` or `failed`", "done").leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    failed("two beside each other", make, words)
}

/// What a guard was decided by is otherwise now.
fn drifted() -> Menu {
    let make = || {
        let text = "let db = service(\"db\");\nstep(\"Guarded\", || {\n\
                    guard(probe(db, \"option\", #{ key: \"mode\" }) == \"old\", \"no\");\n\
                    confirm(\"Sure?\");\nset_option(db, \"main\", \"other\", \"new\");\n});";
        let drift = |b: &Baton| {
            b.write("mode", "drifted\n");
        };
        let acts = [Act::Type(RUN), Act::Type(&["approve", "latest", "confirm-1"]), Act::Do(drift)];
        edited("drifted", text, &acts, "s/== \"old\"/!= \"new\"/")
    };
    let mend = |b: &Baton| {
        b.write("mode", "old\n");
    };
    let words = vec![
        word("retry", 0).mended(mend).leaves("other", "new\n"),
        word("accept REASON", 0).says("accepted that").says("I looked at it").leaves("other", "new\n"),
        // It is still otherwise.
        word("edit", 1).says("edited texts adopted by").then("failed> ", "stop").leaves("other", "old\n"),
        abort().leaves("other", "old\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    let notes = &["nothing was changed: there is nothing to roll back"];
    Menu { begins: &["resume"], notes, ..failed("where something has drifted", make, words) }
}

/// Somebody said no.
fn at_an_answer() -> Menu {
    let make = || {
        let text = format!("{MARK}guard(confirm(\"Sure?\"), \"not sure\");");
        edited("failed at an answer", &text, &[], "s/guard(\\(.*\\), \"not sure\")/\\1/")
    };
    let words = vec![
        word("retry", 0).then("type `yes` or `no`", "yes"),
        word("edit", 0).says("edited texts adopted by").then("type `yes` or `no`", "no"),
        roll_back().leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    Menu { way: &[("type `yes` or `no`", "no")], ..failed("where somebody said no", make, words) }
}

/// A runbook that is not in the folder of runbooks is edited where it is.
fn by_its_path() -> Menu {
    let make = || {
        let scene = edited("failed in a file beside the folder", "note(\"x\");", &[], "s/test -e ready/true/");
        scene.baton.write("beside.rhai", &format!("//! Beside\nlet here = host(\"here\");\n{WANTS};\n"));
        scene
    };
    let edit = word("edit", 0).says("edited: beside.rhai").leaves("runbooks/beside.rhai", "").leaves("done", "ok\n");
    let all = unclear().words.into_iter().map(|word| if word.form == "edit" { None } else { Some(word) });
    let mut edit = Some(edit);
    let words = all.map(|word| word.or_else(|| edit.take()).expect("one word is `edit`")).collect();
    Menu { begins: &["run", "./beside.rhai", "-i", "site.toml"], ..failed("of a file beside", make, words) }
}

pub fn stopped() -> Vec<Menu> {
    vec![
        in_doubt(),
        after_a_mistake(),
        after_a_mistake_with_nothing_certain(),
        at_a_mistake_without_what_was_left_out(),
    ]
}

fn in_doubt() -> Menu {
    let make = || edited("in doubt", &format!("{MARK}{DIES};"), &[], "s/x/x/");
    let words = vec![
        word("happened REASON", 0).says("happened, says").says("I looked at it").leaves("done", ""),
        word("not-happened REASON", 0).says("did not happen, says").leaves("done", "x\n"),
        abort().leaves("mode", "new\n").leaves("done", ""),
        stop(5),
        help(5),
    ];
    Menu { table: "IN_DOUBT", prompt: DOUBT, ..failed("in doubt", make, words) }
}

fn after_a_mistake() -> Menu {
    let make = || edited("mistake after a change", &format!("{MARK}let x = []; x[3];"), &[], "s/x.3.;//");
    let words = vec![
        word("edit", 0).says("edited texts adopted by").says("✓ done"),
        roll_back().leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    Menu { table: "AFTER_MISTAKE", ..failed("after a mistake", make, words) }
}

fn after_a_mistake_with_nothing_certain() -> Menu {
    let make = || {
        let text = format!("let here = host(\"here\"); try {{ {WANTS}; }} catch {{ }}\nlet x = []; x[3];");
        edited("mistake after something unclear", &text, &[], "s/x.3.;//")
    };
    let meaning = "undo what may have been changed; what failed is looked at first";
    let words = vec![
        word("edit", 0).says("edited texts adopted by").says("✓ done"),
        roll_back_by_hand().meaning(meaning),
        abort(),
        shell(1),
        stop(1),
        help(1),
    ];
    Menu { table: "AFTER_MISTAKE", ..failed("after a mistake, with nothing certain", make, words) }
}

/// Its step cannot do without what was left out of it.
fn left_out(name: &'static str, rest: &str, change: &str) -> Scene {
    let text = format!("{MARK}step(\"Work\", || {{ let made = {WANTS}; {rest} }});");
    edited(name, &text, &[Act::Type(RUN)], change)
}

const SKIPPED: &[&str] = &["resume", "--skip", "not needed"];

fn without_what_was_left_out() -> Menu {
    let make = || left_out("left out and missed", "guard(made.changed, \"nothing was made\");", "s/made.changed/true/");
    let words = vec![
        word("retry", 0)
            .meaning("do after all what was left out, then go on")
            .mended(ready)
            .says("is tried again by")
            .leaves("done", "ok\n"),
        word("edit", 0).says("edited texts adopted by").says("✓ done").leaves("done", ""),
        word("done REASON", 0)
            .meaning("what was left out is done; say how you know")
            .says("happened, says")
            .leaves("done", ""),
        roll_back_by_hand().leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    Menu { begins: SKIPPED, ..failed("where what was left out is missed", make, words) }
}

fn at_a_mistake_without_what_was_left_out() -> Menu {
    let make = || {
        let rest = "if made.get(\"skipped\") != () { made.get(\"other\") - 1; }";
        left_out("left out, and read", rest, "s/made.get(.other.) - 1/made/")
    };
    let words = vec![
        word("retry", 0).mended(ready).says("is tried again by").leaves("done", "ok\n"),
        word("done REASON", 0).says("happened, says").leaves("done", ""),
        word("edit", 0).says("edited texts adopted by").says("✓ done").leaves("done", ""),
        roll_back_by_hand().leaves("mode", "old\n"),
        abort().leaves("mode", "new\n"),
        shell(1),
        stop(1),
        help(1),
    ];
    Menu { table: "AFTER_MISTAKE", begins: SKIPPED, ..failed("at a mistake without what was left out", make, words) }
}
