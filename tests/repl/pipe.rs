//! Over a pipe: plain lines in, values out, no prompts; what failed shows in the exit code.

use super::{SPEED, stepping, typed, typed_with};
use crate::support::Baton;

const LAB: [&str; 4] = ["--lab", "genesys", "--speed", SPEED];

#[test]
fn lines_are_evaluated_and_variables_stay() {
    let baton = Baton::new();
    let ended = typed(
        &baton,
        &LAB,
        "let c1 = service(\"c1\")\nlet n = 40\nstatus(c1)\nn +\n2\n\nfn twice(x) { x * 2 }\ntwice(n)\n[c1, #{ a: \"x\" }]\n",
    );
    let ended = ended.code(0).says("\"running\"").says("42").says("80").says("[service(\"c1\"), #{ a: \"x\" }]");
    assert!(!ended.out.contains("baton>"), "a pipe sees no prompt: {}", ended.out);
}

#[test]
fn a_line_that_fails_stops_nothing_but_shows_in_the_exit_code() {
    let baton = Baton::new();
    let lines = "statu(service(\"c1\"))\nshutdown(\"c1\")\nguard(false, \"no\")\nthrow \"x\"\nlet x = 1; hold(\"h\")\n:nxt\n6 * 7\n";
    let ended = typed(&baton, &LAB, lines).code(1).says("42");
    let ended = ended.says("did you mean `status`").says("write `service(\"c1\")`").says("did you mean next?");
    assert!(ended.err.contains("line 1:1") && ended.err.contains("held: h"), "{}", ended.err);
}

#[test]
fn a_session_is_a_run_that_can_be_gone_on_with() {
    let baton = Baton::new();
    typed(&baton, &LAB, "let c1 = service(\"c1\")\nlet r = set_readonly(c1)\nlet n = 5\nr.changed\n")
        .code(0)
        .says("true");
    baton.run(&["runs"]).code(0).says("repl");
    baton.run(&["show"]).code(0).says("let n = 5").says("set_readonly(c1)").says("baton repl --run");
    let again = typed(&baton, &["--run", "latest"], "n + 1\nr.changed\nis_readonly(c1)\n:vars\n").code(0);
    let again = again.says("6").says("c1 = service(\"c1\")");
    assert_eq!(again.out.matches("true").count(), 3, "{}", again.out);
    assert_eq!(baton.lab_ledger("genesys").iter().filter(|deed| *deed == "c1 set_readonly").count(), 1);
}

#[test]
fn what_worked_is_saved_as_a_runbook_that_runs() {
    let baton = Baton::new();
    let lines = "let c1 = service(\"c1\")\nset_readonly(c1)\noops(c1)\nif is_readonly(c1) { unset_readonly(c1) }\n:save mine.rhai\n:save mine.rhai\n";
    typed(&baton, &LAB, lines).code(1).says("written: mine.rhai").says("is there already");
    let saved = std::fs::read_to_string(baton.folder().join("mine.rhai")).expect("the runbook");
    assert!(saved.starts_with("//! What was typed") && !saved.contains("oops"), "{saved}");
    baton.run(&["check", "mine.rhai"]).code(0);
    baton.run(&["run", "mine.rhai", "--lab", "genesys", "--speed", SPEED]).code(0).says("done");
}

#[test]
fn a_command_on_a_host_wants_a_reason_and_is_recorded() {
    let baton = Baton::new();
    baton.write(
        "site.toml",
        "[hosts.here]\naddress = \"local\"\njobs = \"/tmp\"\n"
            .replace("/tmp", &baton.folder().join("jobs").display().to_string())
            .as_str(),
    );
    let lines = ":sh here echo 'a  b'\nto see it\n:sh here true\n\n:sh nowhere ls\n:note all is well\n";
    let ended = typed(&baton, &["-i", "site.toml"], lines).code(1);
    ended.says("a  b").says("nothing was run").says("there is no host `nowhere`");
    baton.run(&["show"]).code(0).says("`echo a  b` was asked for on here").says("to see it").says("all is well");
}

#[test]
fn a_command_on_a_host_of_a_lab_is_refused_by_its_name() {
    let baton = Baton::new();
    let out = baton.folder().join("touched");
    let lines =
        format!(":sh cfg-a touch {}\nto see it\nrun(service(\"c1\"), [\"kill\", \"c1\"]).changed\n", out.display());
    typed(&baton, &LAB, &lines).code(1).says("no answer to `touch`").says("true");
    assert!(!out.exists());
    let plan = baton.run(&["rollback"]).code(4).says("changed by lines typed in the REPL").says("run(c1, kill c1)");
    assert!(!plan.out.contains("touch"), "it never started: {}", plan.out);
    let shown = baton.run(&["show"]).code(0).in_one_line();
    assert!(shown.contains("was asked for on cfg-a") && !shown.contains("was run on"), "{shown}");
}

#[test]
fn a_failure_names_what_is_typed_here() {
    let baton = Baton::new();
    let text = "//! Fails\nstep(\"one\", || run(host(\"a\"), [\"true\"]));\nstep(\"two\", || run(host(\"a\"), [\"false\"]));\n";
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n").write("fails.rhai", text);
    let told =
        typed(&baton, &["fails.rhai", "-i", "site.toml"], ":next\n:next\n:where\n").says(":redo").says(": :rollback");
    let failure = told.err.split("left").next().unwrap_or_default();
    assert!(!failure.contains("baton rollback"), "{}", told.err);
    assert_eq!(told.err.matches("try the failed step again: :redo").count(), 1, "{}", told.err);
}

#[test]
fn help_comes_from_the_same_text_as_doc() {
    let baton = Baton::new();
    let lines = ":help\n:help until\n:help set_readonly\n:help x\n:hosts\n:where\n:steps\n:next\n:redo\n";
    let ended =
        typed(&baton, &LAB, lines).code(1).says(":until STEP").says("set_readonly(service").says("pair confserv");
    ended.says("no command and no verb `x`").says("needs a runbook").says("nothing has failed");
}

#[test]
fn steps_whose_names_are_computed_are_listed_with_a_gap() {
    let (baton, words) = stepping();
    let text = "//! Two of a kind\n//! source: a test\nfor name in [\"c1\", \"c2\"] { step(`Look at ${name} (ours)`, || note(name)); }\n\
                step(\"Last\", || note(\"last\"));\n";
    baton.write("steps.rhai", text);
    let ended = typed(&baton, &words, ":steps\n:next\n:steps\n")
        .says("                 for each name in [\"c1\", \"c2\"]:\n○ ahead            Look at … (ours)");
    assert_eq!(ended.out.matches("Look at … (ours)").count(), 1, "it is not ahead once it was begun: {}", ended.out);
    ended.says("✓ done    1      Look at c1 (ours)");
}

/// A runbook in which each kind of part has a step.
const PARTS: &str = r#"//! Every way that a step can be reached
//! source: a test
let kind = "a"; // step("in a comment", || 1)
step("First", || { step("Inside", || note("x")); }, #{ undo: || going_back() });
if kind == "b" { step("Early", || note("x")); return; }
ensure("Owed", || note("x"));
switch kind {
    "a" | "c" => long(),
    // What stands here is nobody's label.
    "d" => { long() }
    _ => for n in [1, 2] { step(`Round ${n}`, || note("x")) },
}
try { step("Tried", || note("x")) } catch (problem) { step("Mended", || note("x")) }
short();
short();
fn long() { step("L1", || note("x")); if true { step("L2", || note("x")); } else { step("L3", || note("x")); } }
fn short() { step("Short", || note("x")); }
fn going_back() { step("Back", || note("x")); }
fn nobody() { step("Nobody calls it", || note("x")); }
"#;

#[test]
fn what_is_ahead_stands_in_the_order_in_which_it_can_happen() {
    let (baton, words) = stepping();
    baton.write("steps.rhai", PARTS);
    let ended = typed(&baton, &words, ":plan\n:next\n:next\n:plan\n");
    let ahead = r#"○ ahead   1      First
○ ahead   1.1      Inside
                 if kind == "b", instead of what follows:
○ ahead            Early
○ ahead          Owed (owed at the end)
                 one of these, by kind:
                   "a" | "c":
○ ahead              L1
                     if true:
○ ahead                L2
                     otherwise:
○ ahead                L3
                   "d":
○ ahead              L1, and so on, as further up
                   otherwise:
                     for each n in [1, 2]:
○ ahead                Round …
○ ahead          Tried
                 if that fails:
○ ahead            Mended
○ ahead          Short
○ ahead          Short
                 on the way back, or where the text does not show it:
○ ahead            Back
○ ahead            Nobody calls it
"#;
    let ended = ended.says(ahead);
    let later = "✓ done    2      L1\n                 if kind == \"b\", instead of what follows:\n";
    assert!(ended.out.contains("✓ done    1      First\n✓ done    1.1    Inside\n"), "{}", ended.out);
    ended
        .says(later)
        .says("                   \"a\" | \"c\":\n                     if true:\n○ ahead                L2\n");
}

/// Three steps, of which the second has one in it.
const FEW: &str = "//! Three\n//! source: a test\nstep(\"First\", || note(\"x\"));\n\
                   step(\"Second\", || step(\"Inner\", || note(\"x\")));\nstep(\"Third\", || note(\"third is done\"));\n";

#[test]
fn a_step_that_cannot_come_is_no_aim() {
    let (baton, words) = stepping();
    baton.write("steps.rhai", FEW);
    let never = ["99", "0", "4", "4.1", "Secnd", "1", "first"];
    for aim in never.iter().take(5) {
        let ended = typed(&baton, &words, &format!(":until {aim}\n"));
        assert!(ended.err.contains("there is no step") && !ended.out.contains("third is done"), "{aim}: {ended:?}");
        let run =
            baton.run(&["run", "steps.rhai", "--lab", "genesys", "--until", aim]).code(2).says("there is no step");
        assert!(!run.out.contains("First"), "{aim}: {}", run.out);
    }
    typed(&baton, &words, ":until 1\n").says("step 1 `First` is next");
    for aim in &never[5..] {
        let ended = typed(&baton, &words, &format!(":next\n:next\n:until {aim}\n"));
        let ended = ended.says("step 1 `First` has begun already");
        assert!(!ended.out.contains("third is done"), "{aim}: {ended:?}");
    }
    typed(&baton, &words, ":until inn\n").says("next: step 2.1 `Inner`");
    // A step that does not come where it would: behind it the run stands.
    typed(&baton, &words, ":until 2.7\n").says("next: step 3 `Third`");
    let run = baton.run(&["run", "steps.rhai", "--lab", "genesys", "--until", "2.7"]).code(4);
    let run = run.says("stopped after step 2 `Second`: it came to no step 2.7");
    assert!(!run.out.contains("third is done") && !run.err.contains("never came"), "{run:?}");
}

#[test]
fn a_runbook_is_stepped_through() {
    let (baton, words) = stepping();
    let lines = "before\n:next\n:where\n:into\n:vars\n:p before + 1\n:p status(c1)\n:until Unlock\n:steps\n:break c2\n:next\n:next\n";
    let ended = typed(&baton, &words, lines).code(1);
    let ended =
        ended.says("next: step 1 `Look at c1`").says("next: step 2 `Prepare`").says("next: readonly(c1) on cfg-a");
    let ended =
        ended.says("✓ done    2.2    Lock c2").says("○ ahead   3      Unlock").says("nothing is asked of a host");
    ended.says("next: readonly(c2) on cfg-b").says("done");
}

#[test]
fn a_runbook_that_is_left_can_be_taken_up_by_hand_or_by_itself() {
    let (baton, words) = stepping();
    typed(&baton, &words, "let mine = 7\n:next\nlet more = before + \"!\"\n:quit\n").code(4).says("left before step 2");
    let again = typed(&baton, &["--run", "latest"], "mine\nmore\n:next\n:quit\n").code(4);
    again.says("7").says("!\"").says("next: step 2 `Prepare`");
    baton.run(&["resume"]).code(0).says("done");
    assert_eq!(baton.lab_ledger("genesys").iter().filter(|deed| *deed == "c1 set_readonly").count(), 1);
}

#[test]
fn the_variables_of_a_runbook_cannot_be_changed_from_the_prompt() {
    let (baton, words) = stepping();
    let ended = typed(&baton, &words, "before = \"x\"\nlet before = \"mine\"\nbefore\n:quit\n");
    ended.code(4).says("`before` is a variable of the runbook").says("\"mine\"");
}

#[test]
fn a_step_is_left_out_for_a_reason_that_is_kept() {
    let (baton, words) = stepping();
    typed(&baton, &words, ":next\n:skip\n:skip not tonight\n:steps\n:next\n").code(1).says("» skip    2      Prepare");
    let shown = baton.run(&["show"]).code(0).says("not tonight");
    assert!(!shown.out.contains(" set_readonly("), "{}", shown.out);
}

#[test]
fn what_cannot_be_steered_is_refused_before_anything_is_touched() {
    let (baton, words) = stepping();
    baton.run(&["repl"]).code(2).says("baton repl --lab genesys");
    baton.run(&["repl", "--run", "latest"]).code(2).says("no runs");
    let refused = typed(
        &baton,
        &words,
        ":until Unlok\n:break shutdwn\n:rollback Nothing\n:undo\n:happened so\n:next now\n:quit\n",
    );
    let refused =
        refused.code(4).says("did you mean `Unlock`?").says("did you mean `shutdown`?").says("no step is completed");
    refused.says("nothing is in doubt").says("`:next` takes nothing");
}

#[test]
fn an_edited_runbook_is_gone_on_with() {
    let (baton, words) = stepping();
    baton.write("mend.sh", "sed -i 's/\"Unlock\"/\"Unlock both\"/' \"$1\"\n").write("spoil.sh", "echo '}' >> \"$1\"\n");
    let edit =
        |editor: &'static str, words: &[&str], lines: &str| typed_with(&baton, &[("VISUAL", editor)], words, lines);
    let ended = edit("sh ./mend.sh", &words, ":next\n:edit\n:steps\n:next\n:quit\n").code(4);
    ended.says("○ ahead   3      Unlock both").says("next: step 3 `Unlock both`");
    baton.run(&["show"]).code(0).says("edited texts adopted");
    edit("false", &["--run", "latest"], ":edit\n:quit\n").code(4).says("did not end well");
    edit("sh ./spoil.sh", &["--run", "latest"], ":edit\n:where\n:quit\n").code(4).says("error").says("stands at");
    baton.run(&["resume"]).code(0).says("done");
}

#[test]
fn what_was_changed_by_hand_is_named_before_a_run_goes_back() {
    let (baton, words) = stepping();
    typed(&baton, &words, ":next\nset_readonly(service(\"c1\"))\n:quit\n").code(4);
    let plan = baton.run(&["rollback"]).code(4).says("changed by lines typed in the REPL: not undone by this");
    plan.says("set_readonly(c1)").says("nothing was changed that would have to be undone");
    baton.run(&["rollback", "--yes"]).code(7).says("1 of them typed in the REPL and not undone");
}

#[test]
fn words_of_commands_and_verbs_without_their_signs_say_what_to_type() {
    let baton = Baton::new();
    let lines = "help\nexit\nquit\n?\nstatus c1\nstatus\nnext\nwatch role(c1)\nlet plan = 7\nplan\n";
    let ended = typed(&baton, &LAB, lines).code(1);
    let hints = [
        "type: :help",
        "type: :quit",
        "type: status(service(\"c1\"))",
        "type: status(",
        ":next",
        "type: :watch role(c1)",
    ];
    for hint in hints {
        assert!(ended.err.contains(hint), "no {hint:?} in\n{}", ended.err);
    }
    assert!(
        ended.out.contains('7') && !ended.err.contains(":plan"),
        "a variable is a variable: {}{}",
        ended.out,
        ended.err
    );
}

#[test]
fn a_command_on_a_host_shows_its_lines_and_what_is_watched_its_value() {
    let baton = Baton::new();
    let watched = "let c1 = service(\"c1\")\n:watch status(c1)\n1 + 1\n";
    typed(&baton, &LAB, watched).code(0).says("status(c1) = \"running\"");
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    let ended = typed(&baton, &["-i", "site.toml"], ":sh here printf 'one\\ntwo\\n'\nto see lines\n").code(0);
    assert!(ended.out.contains("one\ntwo\n") && !ended.out.contains("\"one"), "{}", ended.out);
}

#[test]
fn nothing_is_undone_over_a_pipe_without_a_yes() {
    let (baton, words) = stepping();
    let ended = typed(&baton, &words, ":next\n:next\n:undo\n:steps\n").code(4);
    assert!(ended.err.contains("nothing was undone") && ended.err.contains("rollback"), "{}", ended.err);
    assert!(
        !baton.lab_ledger("genesys").iter().any(|deed| deed.contains("unset_readonly")),
        "{:?}",
        baton.lab_ledger("genesys")
    );
    let (baton, words) = stepping();
    typed(&baton, &words, ":next\n:next\n:undo\nrollback\n:steps\n");
    assert!(
        baton.lab_ledger("genesys").iter().any(|deed| deed.contains("unset_readonly")),
        "{:?}",
        baton.lab_ledger("genesys")
    );
}

#[test]
fn what_was_undone_and_left_so_is_no_error_but_told_with_what_stands_and_the_command_that_goes_on() {
    // Once as the way back left it, once with a line typed since.
    for more in ["", "1 + 1\n"] {
        let (baton, words) = stepping();
        let ended = typed(&baton, &words, &format!(":next\n:next\n:undo\nrollback\n{more}:quit\n")).code(6);
        assert!(!ended.err.contains("error"), "{}\n--- and out\n{}", ended.err, ended.out);
        let told = ended.in_one_line();
        let state = "the run is as before step 2 `Prepare`: that step and what followed it is undone; step 1 still \
                     stands as it was done";
        assert!(told.contains(state) && told.contains("next: baton resume "), "{}", ended.out);
        baton.run(&["show"]).code(0).says("next: baton resume ");
        baton.run(&["resume"]).code(0).says("2  Prepare");
    }
}

/// A part that two procedures share bears the number of the one that runs: the names are written out in an `if`, by a
/// flag that the runbook sets.
#[test]
fn a_step_of_a_shared_part_is_known_by_the_name_of_this_runbook() {
    let (baton, words) = stepping();
    baton.write(
        "stdlib/own/shared.rhai",
        "//! Shared\nfn stop(up) { step(if up.short { \"Stop it (B-2)\" } else { \"Stop it (A-7)\" }, || note(\"x\")); }\n",
    );
    let text = |flags: &str| {
        format!("//! One of two\n//! source: a test\nimport \"own/shared\" as parts;\n{flags}\nparts::stop(up);\n")
    };
    for (flag, name, other) in [("false", "Stop it (A-7)", "B-2"), ("true", "Stop it (B-2)", "A-7")] {
        baton.write("steps.rhai", &text(&format!("let up = #{{ short: {flag} }};")));
        let ended = typed(&baton, &words, ":plan\n").says(&format!("○ ahead   1      {name}"));
        assert!(!ended.out.contains(other), "{}", ended.out);
    }
    baton.write("steps.rhai", &text("let up = #{ short: true }; up.short = now() < 0;"));
    let ended = typed(&baton, &words, ":plan\n:next\n:plan\n");
    ended.says("by one of these names:\n○ ahead            Stop it (B-2)\n○ ahead            Stop it (A-7)");
}
