//! What a person reads and types on a way back: commands that work, gates that are still asked, values that are put back.

use super::{fails, rolled_back};
use crate::support::Baton;
use crate::support::simulation::Scene;
use baton::model::run::record::{Ending, Fact, RollbackScope};
use baton::report::questions::QuestionLog;
use baton::sim::FaultPlan;

#[test]
fn what_is_put_back_is_shown_with_its_value() {
    let scene = Scene::of_text(
        "//! One option\nstep(\"Mark\", || set_option(service(\"c2\"), \"confserv\", \"upgrade-mode\", \"1\"));\n\
         guard(false, \"no\");\n",
    );
    let play = scene.play(1);
    play.meddle("c2", "set_option", &[("section", "confserv"), ("key", "upgrade-mode"), ("value", "5")]);
    play.run();
    rolled_back(&play.back(&RollbackScope::All));
    let label = play.records().into_iter().find_map(|record| match record.fact {
        Fact::Intent { effect, .. } if effect.label.starts_with("restore_option") => Some(effect.label),
        _ => None,
    });
    let label = label.expect("it was put back");
    assert!(label.ends_with(", back to `5`)") && label.contains("upgrade-mode"), "{label}");
}

#[test]
fn an_undo_after_which_it_is_not_as_before_is_not_done() {
    let scene = Scene::of_text(
        "//! An undo of something else\nlet c2 = service(\"c2\");\n\
         step(\"Freeze\", || set_readonly(service(\"c1\")), #{ undo: || note(\"forgot it\") });\nguard(false, \"no\");\n",
    );
    let play = scene.play(1);
    play.run();
    let back = play.back(&RollbackScope::All);
    assert_eq!(back.exit_code, 7, "{:?}", back.error);
    let words = back.error.expect("it says why").to_string();
    assert!(words.contains("what was undone is not as it was before") && words.contains("and was `false`"), "{words}");
    // Somebody puts it right: it is looked at again, and nothing is undone twice.
    play.meddle("c1", "unset_readonly", &[]);
    rolled_back(&play.run());
    assert_eq!(play.notes().iter().filter(|note| *note == "forgot it").count(), 1, "{:?}", play.notes());
}

#[test]
fn gates_of_the_way_forward_are_not_asked_on_the_way_back() {
    let scene = Scene::of_text(
        "//! A gate\nlet c2 = service(\"c2\");\nstep(\"Stage\", || stage_install(c2, \"9.0.1\"), \
         #{ undo: || { change(c2, \"unstage\"); } });\nconfirm(\"On?\", #{ gate: \"on\" });\n",
    );
    let at = baton::sim::Trigger { verb: "confirm".into(), subject: "on".into(), nth: 1 };
    let nobody = baton::sim::Fault { at, harm: baton::sim::Harm::Nobody };
    let play = scene.play_with(1, &FaultPlan { faults: vec![nobody], ..fails("unstage", "c2") });
    assert_eq!(play.run().ending, Ending::Suspended);
    assert_eq!(QuestionLog::of(&play.records()).open().count(), 1);
    play.back(&RollbackScope::All);
    assert_eq!(QuestionLog::of(&play.records()).open().count(), 0, "the run goes back from it");
}

#[test]
fn a_step_of_rolling_work_is_gone_back_to_and_done_again() {
    let scene = Scene::of_text(
        "//! One after the other\nrolling([service(\"c1\"), service(\"c2\")], #{ batch: 1 }, |s| {\n\
         step(\"Mark \" + s.name, || set_option(s, \"confserv\", \"upgrade-mode\", \"1\"));\n});\nguard(false, \"no\");\n",
    );
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    rolled_back(&play.back(&RollbackScope::To("Mark c2".into())));
    let undone: Vec<String> = super::deeds(&play).split_off(2);
    assert_eq!(undone, ["restore_option c2"]);
    assert_eq!(play.run().ending, Ending::Failed, "it goes on from there, to the same guard");
    assert_eq!(super::deeds(&play).split_off(3), ["set_option c2"]);
}

#[test]
fn latest_is_not_a_run_that_was_refused() {
    let baton = Baton::new();
    let folder = baton.folder().display().to_string();
    let changes = "//! Changes\nstep(\"One\", || run(host(\"a\"), [\"touch\", \"DIR/one\"]), \
                   #{ undo: || run(host(\"a\"), [\"rm\", \"DIR/one\"]) });\n";
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n");
    baton.write("runbooks/own/changes.rhai", &changes.replace("DIR", &folder));
    baton.write("runbooks/own/unmet.rhai", "//! Never\nguard(false, \"not today\");\n");
    baton.run(&["run", "own/changes", "-i", "site.toml"]).code(0);
    let unmet = baton.run(&["run", "own/unmet", "-i", "site.toml"]).code(3).says("nothing was touched");
    let again = unmet.err.lines().find_map(|line| line.split("baton resume ").nth(1)).expect("a command").to_owned();
    baton.run(&["resume", &again]).code(3).says("not today");
    let one = baton.folder().join("one");
    // What is over is not taken back because a later run came to nothing: it has to be named.
    for words in [&["rollback", "--yes"][..], &["rollback"], &["rollback", "latest", "--yes"]] {
        let refused = baton.run(words).code(8).says("came later and did nothing").says("only by its name");
        assert!(one.exists(), "{}", refused.out);
    }
    let named = baton.run(&["rollback", "--yes"]).err;
    let done =
        named.split("baton rollback ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a command");
    let back = baton.run(&["rollback", done, "--yes"]).code(6).says("Undo: One");
    assert!(!one.exists(), "{}", back.out);
}

#[test]
fn a_run_that_was_refused_or_never_began_is_taken_up_by_its_name_only() {
    let (baton, stands) = one_that_stands();
    let two = baton.folder().join("two");
    let next = format!("//! Next\nrun(host(\"a\"), [\"touch\", \"{}\"]);\n", two.display());
    baton.write("runbooks/own/next.rhai", &next);
    baton.write("runbooks/own/unmet.rhai", "//! Never\nguard(false, \"not today\");\n");
    let stop_here = baton.folder().join("runbooks/own/stands.rhai");
    let refused = baton.run(&["run", "own/next", "-i", "site.toml"]).code(8).says("was not started");
    let next = refused.err.split("baton takeover ").nth(1).expect("a command").split_whitespace().next();
    let next = next.expect("a run").to_owned();
    baton.run(&["resume"]).code(1).says(&format!("taking run {stands}")).says("stop here");
    let text = std::fs::read_to_string(&stop_here).expect("a runbook").replace("guard(false, \"stop here\");\n", "");
    std::fs::write(&stop_here, text).expect("writes it");
    baton.run(&["resume", "--adopt-edited"]).code(0).says("came later and did nothing");
    // Typed once more: what is left was never begun, and nobody asked for it.
    for words in [&["resume"][..], &["resume", "latest"], &["abort", "--reason", "x"]] {
        let told = baton.run(words).code(2).says("there is no run to go on with");
        told.says("was refused").says(&format!("baton resume {next}"));
        assert!(!two.exists());
    }
    baton.run(&["run", "own/unmet", "-i", "site.toml"]).code(3);
    baton.run(&["resume"]).code(2).says("did not begin");
    baton.run(&["resume", &next]).code(0);
    assert!(two.exists());
}

#[test]
fn a_run_that_waits_is_named_where_those_after_it_are_over_or_were_refused() {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n");
    baton.write("runbooks/own/asks.rhai", "//! Asks\nconfirm(\"go on?\", #{ gate: \"go\" });\n");
    baton.write("runbooks/own/over.rhai", "//! Over\nrun(host(\"a\"), [\"true\"]);\n");
    baton.run(&["run", "own/asks", "-i", "site.toml"]).code(4).says("baton approve");
    baton.run(&["run", "own/over", "-i", "site.toml"]).code(0);
    let told = baton.run(&["resume"]).code(0).says("is over; nothing was done");
    told.says("own/asks, is not over: baton resume");
    baton.write("runbooks/own/unmet.rhai", "//! Never\nguard(false, \"not today\");\n");
    baton.run(&["run", "own/unmet", "-i", "site.toml"]).code(3);
    let told = baton.run(&["resume"]).code(2).says("it is not clear which run is to go on");
    told.says("own/asks, is not over: baton resume").says("did not begin");
}

/// A site, a run on it that stands with a change, and runbooks that come to an end before they change anything.
fn one_that_stands() -> (Baton, String) {
    let baton = Baton::new();
    let folder = baton.folder().display().to_string();
    baton.write("site.toml", "[hosts.a]\naddress = \"local\"\n[hosts.far]\naddress = \"nowhere.invalid\"\n");
    let stands = "//! Stands\nstep(\"One\", || run(host(\"a\"), [\"touch\", \"DIR/one\"]), \
                  #{ undo: || run(host(\"a\"), [\"rm\", \"DIR/one\"]) });\nguard(false, \"stop here\");\n";
    baton.write("runbooks/own/stands.rhai", &stands.replace("DIR", &folder));
    let later = [
        ("bug", "nothing_of_this_name();\n"),
        ("away", "run(host(\"far\"), [\"true\"]);\n"),
        ("looks", "note(host(\"a\").name);\n"),
    ];
    for (name, text) in later {
        baton.write(&format!("runbooks/own/{name}.rhai"), &format!("//! Later\n{text}"));
    }
    baton.run(&["run", "own/stands", "-i", "site.toml"]).code(1).says("stop here");
    let run = baton.run(&["runs"]).code(0).out.split_whitespace().next().expect("a run").to_owned();
    (baton, run)
}

#[test]
fn latest_passes_over_runs_that_ended_before_anything_happened_and_says_so() {
    let (baton, run) = one_that_stands();
    // The host is held by the run that stands: the same again is refused before anything of it is started.
    baton.run(&["run", "own/stands", "-i", "site.toml"]).code(8).says("was not started");
    for words in [&["show"][..], &["resume"]] {
        baton.run(words).says("came later and did nothing").says(&format!("taking run {run}"));
    }
    baton.run(&["run", "own/away", "-i", "site.toml"]).code(1).says("far");
    baton.run(&["run", "own/bug", "-i", "site.toml"]);
    baton.run(&["run", "own/looks", "-i", "site.toml"]).code(0);
    baton.run(&["show"]).code(0).says("own/looks");
    let back = baton.run(&["rollback", "--yes"]).code(6).says("runs came later and did nothing").says("Undo: One");
    assert!(!baton.folder().join("one").exists(), "{}", back.out);
}

#[test]
fn a_run_that_was_kept_out_by_a_lease_is_tried_again_when_the_host_is_free() {
    let (baton, run) = one_that_stands();
    baton.write("runbooks/own/next.rhai", "//! Next\nrun(host(\"a\"), [\"echo\", \"here\"]);\n");
    let kept_out = baton.run(&["run", "own/next", "-i", "site.toml"]).code(8).says("was not started");
    baton.run(&["abort", &run, "--reason", "enough"]).code(1);
    let next =
        kept_out.err.split("baton takeover ").nth(1).expect("a command").split_whitespace().next().map(str::to_owned);
    baton.run(&["resume", &next.expect("a run")]).code(0).says("here");
}

#[test]
fn a_run_that_was_kept_out_has_nothing_to_take_back_and_was_told_who_stands_there() {
    let (baton, stands) = one_that_stands();
    baton.write("runbooks/own/next.rhai", "//! Next\nrun(host(\"a\"), [\"touch\", \"two\"]);\n");
    let kept_out = baton.run(&["run", "own/next", "-i", "site.toml"]).code(8).says("was not started");
    let told = kept_out.in_one_line();
    assert!(
        told.contains(" has acted on `a` and has stopped at step 1 `One`")
            && told.contains(&format!("go on with it first: baton resume {stands}")),
        "{told}"
    );
    let next = kept_out.err.split("baton takeover ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let plan = baton.run(&["rollback", next.expect("a run"), "--yes"]).code(6);
    let plan = plan.says("nothing was changed that would have to be undone");
    assert!(!plan.out.contains("nobody knows yet") && !plan.out.contains("by hand"), "{}", plan.out);
}

#[test]
fn a_text_that_was_edited_since_is_named_with_the_command_that_takes_it() {
    let (baton, run) = one_that_stands();
    let edited = format!("`site.toml` has changed since run {run}");
    let first = baton.run(&["resume", &run]).code(1);
    assert!(!first.in_one_line().contains("has changed since run"), "{}", first.err);
    let site = std::fs::read_to_string(baton.folder().join("site.toml")).expect("a site");
    baton.write("site.toml", &format!("# put right\n{site}"));
    let told = baton.run(&["resume", &run]).code(1);
    let command = "take the new one: baton resume ";
    assert_eq!(told.in_one_line().matches(&edited).count(), 2, "{}{}", told.out, told.err);
    assert!(told.in_one_line().contains(command) && told.err.contains(" --adopt-edited"), "{}", told.err);
    let taken = baton.run(&["resume", &run, "--adopt-edited"]).code(1).says("stop here");
    assert!(!taken.in_one_line().contains("has changed since run"), "{}", taken.err);
}
