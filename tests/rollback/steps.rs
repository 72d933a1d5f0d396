//! Steps that say themselves how they are undone: once, for all in them, wherever they stand.

use super::{deeds, fails, fault, rolled_back};
use crate::support::simulation::Scene;
use baton::model::run::record::{Ending, Fact, Record, RollbackScope};
use baton::sim::{FaultPlan, Harm};

#[test]
fn the_outermost_step_that_knows_how_undoes_all_that_is_in_it() {
    let scene = Scene::of_text(
        r#"//! A step in a step in a step
let c2 = service("c2");
step("Before", || set_readonly(service("c1")));
step("Outer", || {
    step("Middle", || {
        step("Inner", || set_option(c2, "confserv", "upgrade-mode", "1"), #{ undo: || note("inner") });
        stage_install(c2, "9.0.1");
    }, #{ undo: || { note("middle"); unset_option(c2, "confserv", "upgrade-mode"); change(c2, "unstage"); } });
    backup(service("confdb"), "b");
});
"#,
    );
    let play = scene.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(
        deeds(&play),
        ["set_readonly c1", "set_option c2", "stage_install c2", "unset_option c2", "unstage c2", "unset_readonly c1"]
    );
    assert_eq!(play.notes(), ["middle"]);
    let undone: Vec<String> = play
        .records()
        .into_iter()
        .filter_map(|record| match record.fact {
            Fact::StepBegun { track, name, .. } if !track.is_scripts() => Some(name),
            _ => None,
        })
        .collect();
    assert_eq!(undone, ["Undo: Middle", "Undo: Before", "Look whether it is as it was before"]);
}

#[test]
fn closures_keep_what_they_captured_and_a_step_that_changed_nothing_is_left_alone() {
    let scene = Scene::of_text(
        r#"//! What an undo needs to know
let c2 = service("c2");
let seen = ();
fn noted(what) { note("undone: " + what); }
step("Know", || { seen = version(c2); set_option(c2, "confserv", "upgrade-mode", "1") }, #{
    undo: || { noted(seen); unset_option(c2, "confserv", "upgrade-mode") }
});
step("Nothing", || status(c2), #{ undo: || noted("nothing") });
step("Already", || set_option(c2, "confserv", "upgrade-mode", "1"), #{ undo: || noted("already") });
for name in ["a", "b"] {
    let this_name = name;
    step("Save " + name, || backup(service("confdb"), this_name), #{ undo: || noted(this_name) });
}
guard(false, "no");
"#,
    );
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(play.notes(), ["undone: b", "undone: a", "undone: 8.5.000.20"]);
}

#[test]
fn steps_of_tracks_are_undone_as_well_and_the_step_around_them_comes_first() {
    let text = |around: &str| {
        format!(
            r#"//! Two tracks
let both = [service("c1"), service("c2")];
step("Both", || parallel(both, |s| {{
    set_option(s, "confserv", "first", "1");
    step("One", || set_option(s, "confserv", "upgrade-mode", "1"), #{{
        undo: || {{ note("one " + s.name); unset_option(s, "confserv", "upgrade-mode") }}
    }});
    if s.name == "c2" {{ backup(service("confdb"), "b"); }}
}}){around});
"#
        )
    };
    let plain = Scene::of_text(&text(""));
    let play = plain.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    rolled_back(&play.back(&RollbackScope::All));
    let mut told = play.notes();
    told.sort();
    assert_eq!(told, ["one c1", "one c2"]);
    let back: Vec<String> = deeds(&play).split_off(4);
    let count = |what: &str| back.iter().filter(|deed| deed.starts_with(what)).count();
    assert_eq!((count("unset_option"), count("restore_option")), (2, 2), "{back:?}");

    let around = Scene::of_text(&text(r#", #{ undo: || { for s in both { note("both " + s.name); } } }"#));
    let play = around.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    assert_eq!(play.back(&RollbackScope::All).exit_code, 7, "the step says nothing of its options");
    assert_eq!(play.notes(), ["both c1", "both c2"]);
    assert_eq!(deeds(&play).len(), 4);
}

#[test]
fn a_step_that_broke_off_in_its_midst_is_undone_if_it_changed_anything() {
    let scene = Scene::of_text(
        r#"//! Breaks off
let c2 = service("c2");
step("Two", || { shutdown(c2); swap_folder(c2, "9.0.1"); }, #{ undo: || { note("back"); start(c2); } });
"#,
    );
    let broken = scene.play_with(1, &fails("swap_folder", "c2"));
    assert_eq!(broken.run().ending, Ending::Failed);
    rolled_back(&broken.back(&RollbackScope::All));
    assert_eq!(
        (broken.notes(), deeds(&broken)),
        (vec!["back".to_owned()], vec!["shutdown c2".into(), "start c2".into()])
    );
    let untouched = scene.play_with(1, &fault("shutdown", "c2", 1, Harm::HostDown { ms: 3_600_000 }));
    assert_eq!(untouched.run().ending, Ending::Failed);
    untouched.estate.pass(3_600_000);
    rolled_back(&untouched.back(&RollbackScope::All));
    assert!(deeds(&untouched).is_empty(), "nothing was ever started: {:?}", deeds(&untouched));
}

#[test]
fn an_undo_that_fails_is_tried_again_and_what_was_undone_is_not() {
    let scene = Scene::of_text(
        r#"//! An undo that fails
let c2 = service("c2");
step("First", || set_option(c2, "confserv", "upgrade-mode", "1"), #{
    undo: || { unset_option(c2, "confserv", "upgrade-mode"); backup(service("confdb"), "after"); note("first undone"); }
});
step("Second", || stage_install(c2, "9.0.1"));
guard(false, "no");
"#,
    );
    let play = scene.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    let stopped = play.back(&RollbackScope::All);
    assert_eq!((stopped.ending, stopped.exit_code), (Ending::Failed, 7));
    let error = stopped.error.expect("it says why").to_string();
    assert!(error.contains("baton resume sim"), "{error}");
    assert!(play.no_way_back(&RollbackScope::To("1".into())).contains("is being rolled back"));
    rolled_back(&play.run());
    assert_eq!(
        deeds(&play),
        ["set_option c2", "stage_install c2", "unstage c2", "unset_option c2", "backup confdb"],
        "the failed one did nothing, the others are done once"
    );
    assert_eq!(play.notes(), ["first undone"]);
}

#[test]
fn a_change_that_nothing_knows_how_to_undo_is_undone_by_a_person() {
    let scene = Scene::of_text(
        r#"//! A command
step("Touch", || run(service("c2"), ["touch", "x"]));
guard(false, "no");
"#,
    );
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Failed);
    rolled_back(&play.back(&RollbackScope::All));
    let asked = |play: &crate::support::simulation::Play<'_>| {
        let text = |record: &Record| match &record.fact {
            Fact::Intent { effect, .. } => effect.label.contains("Undo by hand: run(c2, touch x)"),
            _ => false,
        };
        play.records().iter().filter(|record| text(record)).count()
    };
    assert_eq!(asked(&play), 1);

    let play = scene.play_with(1, &fault("manual", "r1/undo-by-hand", 1, Harm::Nobody));
    play.run();
    let waits = play.back(&RollbackScope::All);
    assert_eq!((waits.ending, waits.exit_code), (Ending::Suspended, 4), "{:?}", waits.error);
    rolled_back(&play.run());

    let play = scene.play_with(1, &fault("manual", "r1/undo-by-hand", 1, Harm::SaysNo));
    play.run();
    let failed = play.back(&RollbackScope::All);
    assert_eq!((failed.ending, failed.exit_code), (Ending::Failed, 7), "{:?}", failed.error);
    rolled_back(&play.run());
    assert_eq!(asked(&play), 2, "the person is asked again");
}

#[test]
fn a_step_is_gone_back_to_and_done_again() {
    let scene = Scene::of_text(
        r#"//! Three steps
let c2 = service("c2");
ensure("Lift", || unset_readonly(service("c1")));
step("One", || set_readonly(service("c1")));
step("Two", || { stage_install(c2, "9.0.1"); set_option(c2, "confserv", "upgrade-mode", "1"); });
step("Three", || backup(service("confdb"), "b"));
"#,
    );
    let play = scene.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    let refused = play.no_way_back(&RollbackScope::To("Tow".into()));
    assert!(refused.contains("did you mean `Two`?") && refused.contains("2 Two"), "{refused}");
    rolled_back(&play.back(&RollbackScope::To("two".into())));
    assert_eq!(
        deeds(&play),
        ["set_readonly c1", "stage_install c2", "set_option c2", "restore_option c2", "unstage c2"]
    );
    let done = play.run();
    assert_eq!((done.ending, done.error), (Ending::Done, None));
    assert_eq!(deeds(&play).split_off(5), ["stage_install c2", "set_option c2", "backup confdb", "unset_readonly c1"]);
    rolled_back(&play.back(&RollbackScope::All));
    assert_eq!(
        deeds(&play).split_off(9),
        ["set_readonly c1", "restore_option c2", "unstage c2", "unset_readonly c1"],
        "only what still counts is undone"
    );
}

#[test]
fn the_same_step_can_be_gone_back_to_twice() {
    let scene = Scene::of_text(
        r#"//! Two steps
step("One", || set_readonly(service("c1")));
step("Two", || set_option(service("c2"), "confserv", "upgrade-mode", "1"));
guard(false, "no");
"#,
    );
    let play = scene.play_with(1, &FaultPlan::default());
    for _ in 0..3 {
        assert_eq!(play.run().ending, Ending::Failed);
        rolled_back(&play.back(&RollbackScope::To("2".into())));
    }
    rolled_back(&play.back(&RollbackScope::All));
    let count = |what: &str| deeds(&play).iter().filter(|deed| *deed == what).count();
    assert_eq!((count("set_readonly c1"), count("set_option c2")), (1, 3));
    assert_eq!((count("unset_readonly c1"), count("restore_option c2")), (1, 3));
}

/// However the loop is written: what a step is undone with is what it was when the step ended.
#[test]
fn steps_of_a_loop_are_each_undone_with_what_they_had() {
    for (steps, undone) in [
        (r#"for n in ["1", "2"] { stop(n, n, #{ undo: || note(n) }); }"#, ["2", "1"]),
        (r#"for (n, i) in ["x", "y"] { stop(n, `${i}`, #{ undo: || note(n + i) }); }"#, ["y1", "x0"]),
        (r#"let n = 1; while n < 3 { stop(`${n}`, `${n}`, #{ undo: || note(`${n}`) }); n += 1; }"#, ["2", "1"]),
        (
            r#"let m = #{ n: "1" }; stop("a", "1", #{ undo: || note(m.n) }); m.n = "2"; stop("b", "2", #{ undo: || note(m.n) });"#,
            ["2", "1"],
        ),
        (r#"fn one(n) { stop(n, n, #{ undo: || note(n) }); } for n in ["1", "2"] { one(n); }"#, ["2", "1"]),
        (r#"["1", "2"].map(|n| stop(n, n, #{ undo: || note(n) }));"#, ["2", "1"]),
        (
            r#"let undo = (); for n in ["1", "2"] { let own = n; undo = || note(own); stop(n, n, #{ undo: undo }); }"#,
            ["2", "1"],
        ),
        (
            r#"let known = (); stop("a", "1", #{ undo: || note(known) }); known = "late"; stop("b", "2", #{ undo: || note("b") });"#,
            ["b", "late"],
        ),
    ] {
        let text = format!(
            "//! A loop\nfn stop(name, value, options) {{ let c2 = service(\"c2\");\n\
             step(name, || set_option(c2, \"confserv\", name, value), #{{\n\
             undo: || {{ options.undo.call(); unset_option(c2, \"confserv\", name) }} }}); }}\n{steps}\nguard(false, \"no\");\n"
        );
        let scene = Scene::of_text(&text);
        let play = scene.play(1);
        let finished = play.run();
        assert_eq!(finished.ending, Ending::Failed, "{steps}\n{:?}", finished.error);
        rolled_back(&play.back(&RollbackScope::All));
        assert_eq!(play.notes(), undone, "{steps}");
    }
}
