//! A run in a person's hands, at a terminal and with the real binary: the words of stepwise execution and those after
//! a failure, and terminals that go away.

use crate::support::Baton;
use crate::support::terminal::Session;
use rustix::process::{Pid, Signal, kill_process};

const SITE: &str = "[hosts.a]\naddress = \"local\"\n";
/// Four changes; the second needs a file that may not be there.
const THREE: &str = r#"//! Three changes
let a = host("a");
step("First thing", || run(a, ["sh", "-c", "echo one >> done"]));
step("Second thing", || {
    ensure("Tidy up", || note("tidied"));
    let made = run(a, ["sh", "-c", "test -e ready && echo two >> done"]);
    note(`changed ${made.changed}`);
});
step("Third thing", || run(a, ["sh", "-c", "echo 'three' >> done"]));
"#;

/// A machine with the site and a runbook. Jobs begin in its home folder, where they leave their traces.
fn machine(text: &str) -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", SITE).write("runbooks/own/three.rhai", text);
    baton
}

fn begin(baton: &Baton, words: &[&str], variables: &[(&str, &str)]) -> Session {
    Session::start_with(baton, &[&["run", "own/three", "-i", "site.toml"], words].concat(), variables)
}

fn resume(baton: &Baton, words: &[&str]) -> Session {
    Session::start(baton, &[&["resume", "latest"], words].concat())
}

fn done(baton: &Baton) -> String {
    std::fs::read_to_string(baton.folder().join("done")).unwrap_or_default()
}

#[test]
fn a_run_is_gone_through_step_by_step() {
    let baton = machine(THREE);
    baton.write("ready", "");
    let mut pty = begin(&baton, &["--step"], &[]);
    let shown = pty.sees("step> ");
    for part in [
        "○ ahead  run(a, sh -c echo one >> done)",
        "host     a",
        "verb     run",
        "command  sh -c \"echo one >> done\"",
        "class    once: never repeated without evidence",
        "undo     nothing by itself; its step may say how",
        "where    step 1 First thing, own/three.rhai:3",
        "1  First thing",
    ] {
        assert!(shown.contains(part), "{part:?} is not shown:\n{shown}");
    }
    pty.types("");
    pty.sees("step> ");
    pty.types("g");
    pty.sees("`g` is none of the words: `go`,");
    pty.sees("step> ");
    pty.types("help");
    pty.sees("skip REASON   leave it out; the reason goes into the record");
    pty.sees("step> ");
    pty.types("until Secnd thing");
    pty.sees("there is no step `Secnd thing`; did you mean `Second thing`?");
    pty.sees("step> ");
    assert_eq!(done(&baton), "", "nothing is done unasked");
    pty.types("go");
    pty.sees("step 2 Second thing");
    pty.sees("step> ");
    assert_eq!(done(&baton), "one\n");
    pty.types("skip done last night");
    pty.sees("» skip");
    pty.sees("changed false");
    pty.sees("step> ");
    pty.types("stop");
    let code = pty.ends();
    let shown = pty.screen();
    assert_eq!(code, 4, "{shown}");
    assert!(shown.contains("stopped before `run(a, sh -c echo 'three' >> done)`, as asked"), "{shown}");
    assert!(shown.trim_end().ends_with(" --step"), "{shown}");
    let mut pty = resume(&baton, &["--step"]);
    pty.sees("step> ");
    pty.types("run the rest");
    assert_eq!(pty.ends(), 0);
    assert_eq!(done(&baton), "one\nthree\n");
    let page = baton.run(&["show"]).code(0);
    let page = page.says("» skip").says("skipped by").says("done last night").says("what deviated");
    assert!(page.out.contains("carried out step by step, by"), "{}", page.out);
}

#[test]
fn each_word_after_a_failure_does_what_it_says() {
    for (word, code, left, says) in [
        ("skip it is not needed", 0, "one\nthree\n", "changed false"),
        ("done I did it myself", 0, "one\nthree\n", "happened, says"),
        ("stop", 1, "one\n", "failed> "),
    ] {
        let baton = machine(THREE);
        let mut pty = begin(&baton, &[], &[]);
        pty.sees("owed and not done yet, in this order: `Tidy up`");
        pty.sees("skip REASON");
        pty.sees("failed> ");
        pty.types(word);
        let ended = pty.ends();
        let shown = pty.screen();
        assert_eq!((ended, done(&baton).as_str()), (code, left), "{word}: {shown}");
        assert!(shown.contains(says), "{word}: {shown}");
        let last = shown.trim_end().lines().last().unwrap_or_default();
        assert!(last.starts_with("next: baton "), "{word}: {shown}");
    }
}

#[test]
fn who_interrupts_the_prompt_after_a_failure_leaves_the_run_and_is_told_how_it_goes_on() {
    for key in ["\u{3}", "\u{4}"] {
        let baton = machine(THREE);
        let mut pty = begin(&baton, &[], &[]);
        pty.sees("failed> ");
        pty.presses(key);
        let code = pty.ends();
        let shown = pty.screen();
        assert_eq!(code, if key == "\u{3}" { 130 } else { 1 }, "{shown}");
        assert!(shown.trim_end().lines().last().is_some_and(|line| line.starts_with("next: baton resume ")), "{shown}");
    }
}

#[test]
fn who_leaves_the_repl_is_asked_again_what_follows_the_failure() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &[], &[]);
    pty.shows("failed> ").types("shell");
    pty.shows("leaves").types(":quit");
    pty.shows("skip REASON").shows("failed> ").types("skip no need");
    assert_eq!(pty.ends(), 0, "{}", pty.screen());
    assert_eq!(done(&baton), "one\nthree\n");
}

#[test]
fn an_editor_that_was_closed_without_a_change_starts_nothing_again() {
    let baton = machine(&THREE.replace("test -e ready &&", "echo tried >> tried; test -e ready &&"));
    let mut pty = begin(&baton, &[], &[("EDITOR", "true")]);
    pty.shows("failed> ").types("edit");
    pty.shows("nothing was edited").shows("failed> ").types("stop");
    assert_eq!(pty.ends(), 1, "{}", pty.screen());
    let tried = std::fs::read_to_string(baton.folder().join("tried")).unwrap_or_default();
    assert_eq!(tried, "tried\n", "it was not started again");

    // The same on a way back.
    let undo =
        r#"step("One", || run(a, ["touch", "one"]), #{ undo: || run(a, ["sh", "-c", "echo x >> undos; false"]) });"#;
    let baton = machine(&format!("//! One\nlet a = host(\"a\");\n{undo}\nguard(false, \"no\");\n"));
    baton.run(&["run", "own/three", "-i", "site.toml"]).code(1);
    let mut pty = Session::start_with(&baton, &["rollback", "--yes"], &[("EDITOR", "true")]);
    pty.shows("failed> ").types("edit");
    pty.shows("nothing was edited").shows("failed> ").types("stop");
    assert_eq!(pty.ends(), 7, "{}", pty.screen());
    let tried = std::fs::read_to_string(baton.folder().join("undos")).unwrap_or_default();
    assert_eq!(tried, "x\n", "it was not started again");
}

#[test]
fn a_failure_can_be_followed_by_the_way_back_without_a_word() {
    let baton = Baton::new();
    baton.write(
        "runbooks/own/fails.rhai",
        "//! Fails after a change\nstep(\"Lock\", || set_readonly(service(\"c1\")));\n\
         step(\"Look\", || guard(version(service(\"c2\")) == \"9\", \"c2 must have version 9\"));\n",
    );
    let words = ["run", "own/fails", "--lab", "genesys", "--speed", "60", "--on-failure", "rollback"];
    let ended = baton.run(&words).code(6).says("c2 must have version 9").says("to be undone, newest first");
    assert!(!ended.err.contains("take back what") && !ended.err.contains("put it right"), "{}", ended.err);
    ended.says("Undo: Lock").says("↶ rolled back").says("rolling back, as asked");
    baton.run(&["show"]).code(0).says("↶ rolled back");
    assert_eq!(baton.lab_ledger("genesys"), ["c1 set_readonly", "c1 unset_readonly"]);
    baton.run(&["rollback"]).code(8).says("rolled back already");
}

#[test]
fn the_repl_opens_where_a_run_stands() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &["--step"], &[]);
    pty.sees("step> ");
    pty.types("go");
    pty.sees("step> ");
    pty.types("shell");
    pty.sees("leaves");
    pty.types(":steps");
    pty.sees("○ ahead");
    pty.types(":quit");
    // Whoever leaves it is back at the word that opened it, before the same change.
    pty.sees("command  sh -c \"test -e ready && echo two >> done\"");
    pty.sees("step> ");
    pty.types("stop");
    let code = pty.ends();
    assert_eq!((code, done(&baton).as_str()), (4, "one\n"), "{}", pty.screen());
    let mut pty = resume(&baton, &["--no-step"]);
    pty.sees("failed> ");
    pty.types("shell");
    pty.sees("leaves");
    baton.write("ready", "");
    pty.types(":redo");
    pty.sees("✓ done");
    pty.types(":quit");
    pty.ends();
    assert_eq!(done(&baton), "one\ntwo\n", "{}", pty.screen());
}

#[test]
fn what_is_edited_in_the_repl_is_gone_on_with_when_it_is_left() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &["--step"], &[("EDITOR", "sed -i s/three/four/")]);
    pty.shows("step> ").types("shell").shows("leaves").types(":edit").shows("edited: ").shows("next: ").types(":quit");
    pty.shows("step> ").types("skip not this one").shows("step> ").types("skip nor this one");
    pty.shows("step> ").types("run the rest");
    assert_eq!(pty.ends(), 0, "{}", pty.screen());
    assert_eq!(done(&baton), "four\n", "{}", pty.screen());
}

#[test]
fn what_failed_is_tried_again_as_often_as_a_person_wants() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &[], &[]);
    pty.sees("failed> ");
    pty.types("retry");
    pty.sees("is tried again by");
    pty.sees("failed> ");
    baton.write("ready", "");
    pty.types("retry");
    let code = pty.ends();
    let shown = pty.screen();
    assert_eq!((code, done(&baton).as_str()), (0, "one\ntwo\nthree\n"), "{shown}");
}

#[test]
fn what_is_no_word_after_a_failure_is_asked_again() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &[], &[("EDITOR", "no-such-editor")]);
    for (typed, says) in [
        ("", "failed> "),
        ("r", "`r` is none of the words"),
        ("skip", "`skip` needs a reason: it goes into the record"),
        ("retry now", "`retry` stands alone"),
        ("happened yes", "`happened yes` is none of the words"),
        ("edit", "cannot start the editor `no-such-editor`"),
        ("help", "leave out what failed; the reason goes into the record"),
    ] {
        pty.sees("failed> ");
        pty.types(typed);
        if !typed.is_empty() {
            pty.sees(says);
        }
    }
    pty.sees("failed> ");
    pty.presses("\u{4}");
    let code = pty.ends();
    let shown = pty.screen();
    assert_eq!(code, 1, "who goes away leaves it failed: {shown}");
    assert_eq!(baton.run(&["resume", "--skip", "not needed"]).code(0).code, 0);
}

#[test]
fn only_words_that_can_stand_for_what_failed_are_offered() {
    let guarded = "//! A guard\nrun(host(\"a\"), [\"sh\", \"-c\", \"echo x >> done\"]);\nguard(false, \"not yet\");\n";
    let baton = machine(guarded);
    let mut pty = begin(&baton, &[], &[]);
    pty.shows("try again what failed").shows("failed> ").types("skip not needed");
    pty.shows("what failed is no single change or wait").shows("type `retry`, `edit`").shows("failed> ").types("stop");
    assert_eq!(pty.ends(), 1, "{}", pty.screen());
    let screen = pty.screen();
    assert!(!screen.contains("leave out what failed") && !screen.contains("it happened all the same"), "{screen}");
}

#[test]
fn the_way_back_begins_only_when_it_is_confirmed() {
    let baton = machine("//! A note and a failure\nrun(host(\"a\"), [\"sh\", \"-c\", \"echo x >> done; false\"]);\n");
    let mut pty = begin(&baton, &[], &[]);
    pty.shows("failed> ").types("rollback");
    pty.shows("type `rollback` to begin, anything else to leave it").types("no");
    pty.shows("nothing was undone: it was not confirmed").shows("failed> ").types("stop");
    assert_eq!(pty.ends(), 1, "{}", pty.screen());
    let shown = pty.screen();
    assert!(!shown.contains("\\u{a}") && !shown.contains("--yes"), "{shown}");
}

#[test]
fn an_editor_gets_the_runbook_and_the_run_goes_on_with_what_was_written() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &[], &[("VISUAL", "sed -i s/Third/Last/")]);
    pty.shows("failed> ").types("edit");
    pty.shows("edited: runbooks/own/three.rhai").shows("edited texts adopted by").shows("failed> ");
    baton.write("ready", "");
    pty.types("retry").shows("3  Last thing");
    assert_eq!(pty.ends(), 0, "{}", pty.screen());

    let baton = machine(THREE);
    let mut pty = begin(&baton, &[], &[("EDITOR", "false")]);
    pty.shows("failed> ").types("edit");
    pty.shows("the editor `false` did not end well: exit status: 1").shows("failed> ").types("stop");
    assert_eq!(pty.ends(), 1);
}

/// Its wrapper is killed: nobody can tell whether it happened.
const DOUBT: &str =
    "//! In doubt\nrun(host(\"a\"), [\"sh\", \"-c\", \"echo seen; echo x >> done; kill -9 $PPID\"]);\nnote(\"on\");\n";

#[test]
fn what_is_in_doubt_is_settled_by_a_word() {
    for (word, code) in [("happened I saw it", 0), ("stop", 5)] {
        let baton = machine(DOUBT);
        let mut pty = begin(&baton, &[], &[]);
        pty.sees("may or may not have happened");
        let told = pty.sees("doubt> ").split_whitespace().collect::<String>();
        let (_, place) = told.split_once("whatitwrote,ifitisstillthere,isin`").unwrap_or_else(|| panic!("{told}"));
        let out = place.split('`').next().unwrap_or_default();
        assert_eq!(std::fs::read_to_string(out).expect(out), "seen\n", "{told}");
        pty.types("retry");
        pty.sees("`retry` is none of the words");
        pty.sees("doubt> ");
        pty.types(word);
        let ended = pty.ends();
        let shown = pty.screen();
        assert_eq!((ended, done(&baton).as_str()), (code, "x\n"), "{word}: {shown}");
    }
    let baton = machine(DOUBT);
    let mut pty = begin(&baton, &[], &[]);
    pty.sees("doubt> ");
    pty.types("not-happened it is not there");
    pty.sees("doubt> ");
    pty.types("stop");
    assert_eq!(pty.ends(), 5);
    assert_eq!(done(&baton), "x\nx\n", "it was done again, because somebody said so");
}

/// A job that outlives whoever started it.
const SLOW: &str =
    "//! Slow\nrun(host(\"a\"), [\"sh\", \"-c\", \"echo begun >> done; sleep 1; echo ended >> done\"]);\n";

fn wait_for(holds: &dyn Fn() -> bool) -> bool {
    baton::platform::desk::wait_for(std::time::Duration::from_secs(30), &mut || holds())
}

fn begun_slowly() -> (Baton, Session) {
    let baton = machine(SLOW);
    let mut pty = begin(&baton, &[], &[]);
    pty.sees("… run(a, ");
    let begun = wait_for(&|| !done(&baton).is_empty());
    assert!(begun, "the job did not begin");
    (baton, pty)
}

fn goes_on(baton: &Baton) {
    baton.run(&["runs"]).code(0).says("interrupted");
    baton.run(&["resume"]).code(0);
    assert_eq!(done(baton), "begun\nended\n", "it went on by itself and was not repeated");
}

#[test]
fn a_terminal_that_goes_away_leaves_the_job_running_and_the_run_to_be_resumed() {
    let (baton, pty) = begun_slowly();
    assert_eq!(pty.hangs_up(), 130);
    goes_on(&baton);
}

#[test]
fn a_hang_up_told_by_a_signal_is_the_same() {
    let (baton, mut pty) = begun_slowly();
    let runner = Pid::from_raw(i32::try_from(pty.id()).expect("a process")).expect("a process");
    kill_process(runner, Signal::HUP).expect("tells it");
    assert_eq!(pty.ends(), 130);
    goes_on(&baton);
}

#[test]
fn an_interrupt_stops_a_run_whether_it_waits_or_computes() {
    let (baton, mut pty) = begun_slowly();
    pty.presses("\u{3}");
    let code = pty.ends();
    let shown = pty.screen();
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("interrupted; what runs on the hosts goes on there"), "{shown}");
    goes_on(&baton);

    // A script that computes without end sees it as well.
    let baton = machine("//! Busy\nnote(\"busy now\");\nlet n = 0;\nwhile n < 100_000_000 { n += 1; }\n");
    let mut pty = begin(&baton, &[], &[]);
    pty.sees("busy now");
    pty.presses("\u{3}");
    assert_eq!(pty.ends(), 130);
    baton.run(&["runs"]).code(0).says("interrupted");
}

#[test]
fn a_terminal_that_goes_away_at_a_prompt_loses_nothing() {
    let baton = machine(THREE);
    let mut pty = begin(&baton, &["--step"], &[]);
    pty.sees("step> ");
    assert_eq!(pty.hangs_up(), 130);
    assert_eq!(done(&baton), "");
    let mut pty = resume(&baton, &["--no-step"]);
    pty.sees("failed> ");
    assert_eq!(pty.hangs_up(), 130, "it stays as it is");
    baton.run(&["runs"]).code(0).says("failed");
}

/// Steps whose names only the run makes.
const MADE: &str = r#"//! Names that are made
for name in ["a", "b"] { step(`HA-7, ${name}`, || note(name)); }
step("Last", || note("last"));
"#;

#[test]
fn a_slip_in_the_name_of_a_step_shows_before_anything_is_begun() {
    let baton = machine(MADE);
    let run = |words: &[&str]| baton.run(&[&["run", "own/three", "-i", "site.toml"], words].concat());
    for wrong in ["HA-8", "HB-7, a", "b"] {
        let ended = run(&["--until", wrong]).code(2).says(&format!("there is no step `{wrong}`"));
        ended.says("others get their names as it runs: `HA-7, …`").says("or by its number");
    }
    assert!(!baton.state().exists(), "nothing was begun");
    run(&["--until", "ha-7"]).code(4).says("stopped after step 1 `HA-7, a`, as asked");
    run(&["--until", "HA-7, b"]).code(4).says("the name of step `ha-7, b` is made as it runs").says("step 2 `HA-7, b`");
    run(&["--until", "last"]).code(4).says("stopped after step 3 `Last`, as asked");
}

#[test]
fn a_run_stops_after_the_step_that_was_named() {
    let baton = machine(THREE);
    let run = |words: &[&str]| baton.run(&[&["run", "own/three", "-i", "site.toml"], words].concat());
    run(&["--until", "thing"]).code(2).says("`thing` may mean 3 steps: `First thing`, `Second thing`, `Third thing`");
    run(&["--until", "Frst thing"]).code(2).says("there is no step `Frst thing`").says("did you mean `First thing`?");
    run(&["--step"]).code(2).says("`--step` needs a terminal");
    run(&["--on-failure", "ask"]).code(2).says("`--on-failure ask` needs a terminal");
    run(&["--on-failure", "maybe"]).code(2).says("invalid value 'maybe'");
    assert!(!baton.state().exists(), "nothing was begun");
    let ended = run(&["--until", "first"]).code(4).says("stopped after step 1 `First thing`, as asked");
    assert!(ended.out.lines().last().is_some_and(|line| line.starts_with("next: baton resume ")), "{}", ended.out);
    assert_eq!(done(&baton), "one\n");
    baton.run(&["resume", "--until", "1"]).code(2).says("step 1 `First thing` is over already");
    baton.run(&["resume", "--skip", "x"]).code(2).says("has failed or is in doubt");
    baton.run(&["resume", "--until", "2", "--on-failure", "stop"]).code(1).says("owed and not done yet");
    baton.run(&["resume", "--skip", " "]).code(2).says("a verdict needs a reason");
    baton.run(&["resume", "--skip", "a", "--done", "b"]).code(2).says("cannot be used with");
    baton.run(&["resume", "--done", "by hand", "--until", "7"]).code(2).says("there can be 3 at the most");
    baton.run(&["resume", "--done", "by hand"]).code(4).says("stopped after step 2");
    baton.run(&["resume"]).code(0);
    assert_eq!(done(&baton), "one\nthree\n");
    baton.run(&["show"]).code(0).says("happened, says").says("by hand");
}
