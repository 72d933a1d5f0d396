//! Parallel work on the real door: tracks that share nothing, one durable write for all that are ready, and a record
//! from which the whole of it is resumed.

use crate::support::checks;
use crate::support::simulation::{Between, Play, Scene};
use baton::model::run::record::{Ending, Fact};
use baton::sim::CrashClock;

/// Backs up and restarts nothing: changes on both hosts at once, in steps, with a wait and a failure that is caught.
const RUNBOOK: &str = r#"//! Both members at once
let found = step("Both at once", || parallel(["c1", "c2"], |name| {
    let server = service(name);
    step(`Install on ${name}`, || stage_install(server, "9.0.1"));
    sleep(if name == "c1" { "30s" } else { "5s" });
    let refused = "";
    try { change(server, "point_to_database", #{ database: "" }); } catch (problem) { refused = problem.kind; }
    backup(service("confdb"), `after-${name}`);
    `${name} ${probe(server, "staged_version")}`
}));
guard(found == ["c1 9.0.1", "c2 9.0.1"], `results in the order of the items, not ${found}`);
step("Alone again", || backup(service("confdb"), "last"));
"#;

fn deeds(play: &Play<'_>) -> Vec<(String, usize)> {
    play.deeds().into_iter().collect()
}

#[test]
fn tracks_run_at_the_same_time_and_their_results_come_in_order() {
    let scene = Scene::of_text(RUNBOOK);
    let play = scene.play(1);
    let finished = play.run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    let tracks: Vec<String> = play
        .records()
        .iter()
        .filter_map(|record| {
            let Fact::Intent { id, .. } = &record.fact else { return None };
            Some(id.track.to_string())
        })
        .collect();
    let switches = tracks.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(switches > 3, "the tracks took turns only {switches} times: {tracks:?}");
    let last = tracks.iter().rposition(|track| track.contains("-1")).expect("the second item's track");
    let first = tracks.iter().position(|track| track.contains("-0")).expect("the first item's track");
    assert!(first < last, "{tracks:?}");
}

#[test]
fn a_runner_may_die_at_any_point_of_parallel_work() {
    let scene = Scene::of_text(RUNBOOK);
    let calm = scene.play(1);
    assert_eq!(calm.run().ending, Ending::Done);
    let mut point = 1;
    loop {
        let play = scene.play(1);
        if play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_some() {
            break;
        }
        let finished = play.run();
        assert_eq!((finished.ending, finished.error), (Ending::Done, None), "died at point {point}");
        assert!(checks::judge(&play, finished.ending).is_empty(), "died at point {point}");
        assert_eq!(deeds(&play), deeds(&calm), "died at point {point}");
        assert_eq!(play.summary(), calm.summary(), "died at point {point}");
        point += 1;
    }
    assert!(point > 60, "only {point} points");
}

#[test]
fn the_first_failure_in_the_order_of_the_items_is_the_one_that_counts() {
    let scene = Scene::of_text(
        r#"//! Two failures
parallel(["c1", "c2"], |name| {
    if name == "c1" { sleep("1min"); }
    guard(false, `${name} is not as it should be`);
});
"#,
    );
    let finished = scene.play(1).run();
    let error = finished.error.expect("it fails");
    assert!(error.message.contains("c1 is not as it should be"), "{error}");
}

#[test]
fn many_items_are_worked_off_with_so_many_at_once_as_there_is_room_for() {
    let scene = Scene::of_text(
        "//! Many\nlet items = [];\nfor i in 0..2500 { items.push(i); }\n\
         let sums = parallel(items, |i| { if i % 100 == 0 { sleep(\"1s\"); } i });\n\
         guard(sums.len() == 2500 && sums[2499] == 2499, `${sums.len()}`);\n\
         let inner = parallel(items.extract(0, 1100), |i| parallel([1, 2], |k| { sleep(\"1s\"); i + k }));\n\
         guard(inner[1099] == [1100, 1101], `${inner[1099]}`);\n",
    );
    let finished = scene.play(1).run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    let nested = Scene::of_text("//! Deep\nfn deep(n) { parallel([n], |n| deep(n + 1)); }\ndeep(0);\n");
    let finished = nested.play(1).run();
    let error = finished.error.expect("an error");
    assert_eq!((finished.ending, finished.exit_code), (Ending::Bug, 2), "{}", error.message);
    assert!(error.message.contains("nested more than 6 deep"), "{}", error.message);
    assert_eq!(error.place.as_ref().map(|place| place.line), Some(2), "{:?}", error.place);
}
