//! What is asked before something is done: at gates, before a way back, before a word is taken that nothing bears out,
//! and before each effect of a run that is gone through step by step.

use super::states::{Act, BACK, MARK, RUN, Scene};
use super::{CTRL_C, CTRL_D, ELSE, FRESH, GO_BACK, Menu, Shown, Word, word};
use crate::support::Baton;
use baton::model::run::effect::{Form, SUSPEND};

/// The parts of the line that asks for an answer.
const GATE: &[&str] = &["  type ", "\r\n> "];
const BEGIN: &[&str] = &["type `rollback` to begin, anything else to leave it\r\n> "];
const GO_ON: &[&str] = &["type `rollback` to go on with it, anything else to leave it\r\n> "];
const TAKE: &[&str] = &["type `yes` to have your word taken all the same, anything else to leave it\r\n> "];
const MEANT: &[&str] = &["type `yes` to go on with run ", ", anything else to leave it\r\n> "];
const ANEW: &[&str] = &["type `yes` to have the lab begin anew, anything else to leave it\r\n> "];
const REHEARSE: &[&str] = &["run", "own/stands", "--lab", "genesys", "--no-operator"];

fn asks(name: &'static str, make: fn() -> Scene, prompt: &'static [&'static str], words: Vec<Word>) -> Menu {
    Menu { name, table: "", make, begins: RUN, way: &[], prompt, shown: Shown::InLine, notes: &[], words }
}

/// Three ways to leave a question, with the exit code of each.
fn left(line: i32, ctrl_c: i32, ctrl_d: i32) -> [Word; 3] {
    [word(ELSE, line).typing("no"), word(ELSE, ctrl_c).typing(CTRL_C), word(ELSE, ctrl_d).typing(CTRL_D)]
}

/// The same where a menu follows.
fn back_to_the_menu(code: i32) -> [Word; 3] {
    left(code, code, code).map(|word| word.then("failed> ", "stop").says("left as it is"))
}

pub fn questions() -> Vec<Menu> {
    [gates(), ways_back(), words_taken(), vec![the_run_that_is_meant(), a_lab_begun_anew()]]
        .into_iter()
        .flatten()
        .collect()
}

fn gates() -> Vec<Menu> {
    let suspend = || word("suspend", 4).says("nobody answered: `suspend` was typed");
    let confirm = || Scene::new("a question", &format!("{MARK}guard(confirm(\"Sure?\"), \"not sure\");"), &[]);
    let manual = || Scene::new("work by hand", &format!("{MARK}manual(\"Pull the plug\", \"it is dark\");"), &[]);
    let choose = || {
        let text = format!("{MARK}let way = choose(\"Way?\", [\"on\", \"back\"]);\nnote(`going ${{way}}`);");
        Scene::new("a choice", &text, &[])
    };
    let severe = || Scene::new("a severe change", &format!("{MARK}change(db, \"wipe\");"), &[]);
    let by_hand = || {
        let text = format!("{MARK}step(\"By hand\", || run(here, [\"true\"]));\nguard(false, \"no\");");
        Scene::new("an undo by hand", &text, &[Act::Type(RUN)])
    };
    let yes = word("yes", 0).says("answer yes");
    let no = word("no", 1).says("answer no").says("error: not sure").then("failed> ", "stop");
    let done = word("done", 0).says("answer done");
    let failed = word("failed", 1).says("a person says that it failed").then("failed> ", "stop");
    let ways = vec![word("on", 0).says("going on"), word("back", 0).says("going back"), suspend()];
    let wiped = word("db", 0).says("wipe(db)");
    let kept = word("no", 1).says("answer no").then("failed> ", "stop").leaves("wiped", "");
    let undone = vec![
        word("done", 6).leaves("mode", "old\n"),
        word("failed", 7).says("a person says that it failed").then("failed> ", "stop").leaves("mode", "new\n"),
        suspend().leaves("mode", "new\n"),
    ];
    vec![
        asks("a question", confirm, GATE, vec![yes, no, suspend()]),
        asks("work by hand", manual, GATE, vec![done, failed, suspend()]),
        asks("a choice", choose, GATE, ways),
        asks("a severe change", severe, GATE, vec![wiped, kept, suspend()]),
        Menu { begins: &["rollback"], way: &[GO_BACK], ..asks("an undo by hand", by_hand, GATE, undone) },
    ]
}

/// Each form of a question, with its words.
#[test]
fn every_form_of_a_question_is_asked() {
    let menus = gates();
    for form in [Form::Confirm, Form::Manual, Form::Choose(vec!["on".into(), "back".into()])] {
        let name = match form {
            Form::Confirm => "a question",
            Form::Manual => "work by hand",
            Form::Choose(_) => "a choice",
            Form::Write(_) => "something to be typed",
        };
        let menu = menus.iter().find(|menu| menu.name == name).expect("it is asked");
        let words: Vec<String> = form.words().into_iter().chain([SUSPEND.to_owned()]).collect();
        assert_eq!(menu.words.iter().map(|word| word.form).collect::<Vec<_>>(), words);
    }
}

fn breaks(baton: &Baton) {
    baton.write("restore.sh", "exit 3\n");
}

fn whole(baton: &Baton) {
    baton.write("restore.sh", "echo $1 >$2\n");
}

fn failed(acts: &[Act]) -> Scene {
    Scene::new("failed after a change", &format!("{MARK}guard(false, \"no\");"), acts)
}

fn ways_back() -> Vec<Menu> {
    let stands = || failed(&[Act::Type(RUN)]);
    let broke_off = || failed(&[Act::Type(RUN), Act::Do(breaks), Act::Type(BACK), Act::Do(whole)]);
    let go = || word("rollback", 6).says("↶ rolled back").leaves("mode", "old\n");
    let begins = || left(4, 130, 4).map(|word| word.says("nothing was undone: it was not confirmed"));
    let goes_on = || left(4, 130, 4).map(|word| word.says("nothing more was undone: it was not confirmed"));
    let asked_again = || back_to_the_menu(1).map(|word| word.says("nothing was undone: it was not confirmed"));
    let with = |words: [Word; 3]| std::iter::once(go()).chain(words).collect::<Vec<Word>>();
    let begun = asks("before a way back", stands, BEGIN, with(begins()));
    let again = asks("before a way back goes on", broke_off, GO_ON, with(goes_on()));
    let typed = asks("before a way back that was typed after a failure", || failed(&[]), BEGIN, with(asked_again()));
    vec![
        Menu { begins: &["rollback"], ..begun },
        Menu { begins: &["rollback"], ..again },
        Menu { way: &[("failed> ", "rollback")], ..typed },
    ]
}

/// Something reads otherwise than a person says.
fn words_taken() -> Vec<Menu> {
    let broke_off = || failed(&[Act::Type(RUN), Act::Do(breaks), Act::Type(BACK)]);
    let breaks_off = || failed(&[Act::Type(RUN), Act::Do(breaks)]);
    let yes = || word("yes", 6).says("it was taken all the same");
    let not = "your word was not taken; nothing was done";
    let with = |words: [Word; 3]| std::iter::once(yes()).chain(words.map(|word| word.says(not))).collect();
    let command = asks("before a word is taken", broke_off, TAKE, with(left(4, 130, 4)));
    let typed = asks("before a word of a menu is taken", breaks_off, TAKE, with(back_to_the_menu(7)));
    vec![
        Menu { begins: &["resume", "--done", "I looked at it"], ..command },
        Menu { begins: &["rollback"], way: &[GO_BACK, ("failed> ", "done I looked at it")], ..typed },
    ]
}

/// The run that was begun last did nothing: another one is meant, or not.
fn the_run_that_is_meant() -> Menu {
    let make = || {
        let scene = failed(&[Act::Type(RUN), Act::Type(&["run", "own/unmet", "-i", "site.toml"])]);
        scene.baton.write("runbooks/own/unmet.rhai", "//! Never\nguard(false, \"not today\");\n");
        scene
    };
    let leaves = left(4, 130, 4).map(|word| word.says("nothing was done: it was not confirmed"));
    let yes = word("yes", 6).then(GO_BACK.0, GO_BACK.1).leaves("mode", "old\n");
    let words = std::iter::once(yes).chain(leaves).collect();
    Menu { begins: &["rollback", "latest"], ..asks("which run is meant", make, MEANT, words) }
}

/// A run that is not over stands in the lab that another one is to begin anew.
fn a_lab_begun_anew() -> Menu {
    let make = || {
        let scene = failed(&[Act::Type(REHEARSE)]);
        let text = "//! Stands\nset_readonly(service(\"c1\"));\nguard(false, \"stop here\");\n";
        scene.baton.write("runbooks/own/stands.rhai", text);
        scene
    };
    let leaves = left(4, 130, 4).map(|word| word.says("nothing was done: it was not confirmed"));
    let yes = word("yes", 1).then("failed> ", "stop").says("cannot be resumed any more").says("stop here");
    let words = std::iter::once(yes).chain(leaves).collect();
    Menu { begins: REHEARSE, ..asks("whether a lab begins anew", make, ANEW, words) }
}

pub fn steps() -> Vec<Menu> {
    let make = || {
        let text = format!(
            "{MARK}step(\"Next\", || run(here, [\"touch\", \"next\"]));\n\
             step(\"Third\", || run(here, [\"sh\", \"-c\", \"echo x >third\"]));"
        );
        let mut scene = Scene::new("step by step", &text, &[]);
        scene.steps = true;
        scene
    };
    let words = vec![
        word("go", 4).then("step> ", "stop").says("stopped before `run(here, touch next)`").leaves("mode", "new\n"),
        word("go 5", 0).leaves("third", "x\n"),
        word("until STEP", 4).then("step> ", "stop").says("stopped before `run(here, sh -c").leaves("third", ""),
        word("run the rest", 0).leaves("third", "x\n"),
        word("skip REASON", 0).then("step> ", "run the rest").says("skipped by").leaves("mode", "old\n"),
        word("shell", 4)
            .says("`:next` does the next step")
            .then(FRESH, ":quit")
            .then("step> ", "stop")
            .leaves("mode", "old\n"),
        word("stop", 4).says("stopped before `set_option(").leaves("mode", "old\n"),
        word("help", 4).then("", "stop"),
    ];
    let begins = &["run", "own/t", "-i", "site.toml", "--step"];
    let (name, table, prompt) = ("step by step", "MEANINGS", &["step> "]);
    vec![Menu { name, table, make, begins, way: &[], prompt, shown: Shown::Behind("help"), notes: &[], words }]
}
