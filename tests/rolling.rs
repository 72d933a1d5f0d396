//! Rolling work over hosts: batches, failures, hosts that cannot be reached, a second try at the back of the queue. In
//! the simulation, with runners that may die at any point of it.

use crate::support::simulation::{Between, Play, Scene};
use baton::model::run::record::{Ending, Fact, TrackId};
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, Trigger};
use std::collections::BTreeMap;

/// Seven hosts, `h1` to `h7`.
fn scene(options: &str, body: &str, after: &str) -> Scene {
    let inventory = (1..=7).map(|n| format!("[hosts.h{n}]\naddress = \"h{n}\"\n")).collect::<String>();
    let others = BTreeMap::from([("inventory".to_owned(), inventory)]);
    let text = format!(
        "//! Seven hosts\nlet began = now();\nlet hosts = [1, 2, 3, 4, 5, 6, 7].map(|n| host(`h${{n}}`));\n\
         let done = step(\"Roll\", || rolling(hosts, #{{ {options} }}, |h| {{ {body} }}));\n{after}\n"
    );
    Scene::of_texts(&text, &others)
}

const RUN: &str = "run(h, [\"true\"]); h.name";

fn fault(host: &str, harm: Harm) -> Fault {
    Fault { at: Trigger { verb: "run".into(), subject: host.into(), nth: 1 }, harm }
}

/// On which hosts commands were run, in order.
fn order(play: &Play<'_>) -> Vec<String> {
    play.estate.places().into_iter().map(|place| place.subject).collect()
}

/// The hosts of each batch, by the forks on record.
fn batches(play: &Play<'_>) -> Vec<Vec<String>> {
    let mut batches: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for record in play.records() {
        if let Fact::Intent { id, effect, .. } = record.fact
            && let (Some(host), Some(fork)) = (effect.host, id.track.fork_of(&TrackId::main()))
        {
            batches.entry(fork).or_default().push(host);
        }
    }
    batches.into_values().collect()
}

#[test]
fn batches_come_one_after_the_other_and_results_in_the_order_of_the_items() {
    let told = "for (one, n) in done { guard(one.ok && one.tries == 1 && one.value == `h${n + 1}` \
                && one.item.name == one.value, `${n}: ${one}`); }";
    for (options, sizes) in [
        ("", vec![1; 7]),
        ("batch: 3", vec![3, 3, 1]),
        ("batch: \"25%\"", vec![2, 2, 2, 1]),
        ("batch: \"100%\", pause: \"1min\"", vec![7]),
        ("batch: 4, pause: \"1min\"", vec![4, 3]),
    ] {
        let scene = scene(options, RUN, told);
        let play = scene.play(1);
        let finished = play.run();
        assert_eq!((finished.ending, finished.error), (Ending::Done, None), "{options}");
        assert_eq!(batches(&play).iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{options}");
        assert_eq!(order(&play), (1..=7).map(|n| format!("h{n}")).collect::<Vec<_>>(), "{options}");
        let records = play.records();
        let pauses = records
            .iter()
            .filter(|record| matches!(&record.fact, Fact::Intent { effect, .. } if effect.label.starts_with("sleep(")));
        let wanted = if options.contains("pause") { sizes.len() - 1 } else { 0 };
        assert_eq!(pauses.count(), wanted, "{options}");
    }
}

#[test]
fn too_many_failures_end_it_before_the_next_batch_and_are_tried_again() {
    let scene = scene("batch: 3, max_failures: 1", RUN, "");
    let faults = ["h2", "h3"].map(|host| fault(host, Harm::FailsBefore)).to_vec();
    let play = scene.play_with(1, &FaultPlan { faults, crashes: vec![] });
    let finished = play.run();
    let told = finished.error.expect("it fails").to_string();
    assert_eq!((finished.ending, finished.exit_code), (Ending::Failed, 1), "{told}");
    assert!(told.contains("2 of 7 failed: h2, h3; 4 of 7 not begun"), "{told}");
    assert_eq!(order(&play), ["h1", "h2", "h3"]);
    let finished = play.run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    assert_eq!(order(&play), ["h1", "h2", "h3", "h2", "h3", "h4", "h5", "h6", "h7"]);
}

#[test]
fn failures_that_are_allowed_are_told_and_the_names_can_be_caught() {
    let told = "guard(done.filter(|one| !one.ok).map(|one| `${one.item.name} ${one.error.kind}`) == [\"h2 exit\"], `${done}`);";
    let allowed = scene("batch: 3, max_failures: 1", RUN, told);
    let faults = vec![fault("h2", Harm::FailsBefore)];
    let finished = allowed.play_with(1, &FaultPlan { faults: faults.clone(), crashes: vec![] }).run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    let text = "//! Caught\nlet hosts = [host(\"h1\"), host(\"h2\"), host(\"h3\")];\nlet failed = [];\n\
                try { rolling(hosts, #{}, |h| run(h, [\"true\"])); } catch (e) { failed = e.failed; }\n\
                guard(failed == [\"h2\"], `${failed}`);\n";
    let inventory = (1..=3).map(|n| format!("[hosts.h{n}]\naddress = \"h{n}\"\n")).collect::<String>();
    let caught = Scene::of_texts(text, &BTreeMap::from([("inventory".to_owned(), inventory)]));
    let play = caught.play_with(1, &FaultPlan { faults, crashes: vec![] });
    let finished = play.run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    assert_eq!(order(&play), ["h1", "h2"]);
}

#[test]
fn an_unreachable_host_is_what_the_policy_says() {
    let away = |hosts: &[&str]| {
        let faults = hosts.iter().map(|host| fault(host, Harm::HostDown { ms: 30_000 })).collect();
        FaultPlan { faults, crashes: vec![] }
    };
    // All hosts of a batch: the next one must not begin.
    let scene_of = |policy: &str| scene(&format!("batch: 2, max_failures: 1{policy}"), RUN, "");
    let stops = scene_of("");
    let play = stops.play_with(1, &away(&["h3", "h4"]));
    let told = play.run().error.expect("it stops").to_string();
    assert!(told.contains("h3, h4 cannot be reached; 3 of 7 not begun"), "{told}");
    assert_eq!(order(&play), ["h1", "h2", "h3", "h4"]);
    play.estate.pass(60_000);
    assert_eq!(play.run().ending, Ending::Done);
    assert_eq!(order(&play)[4..], ["h3", "h4", "h5", "h6", "h7"]);
    // The same in the last batch: it is not done.
    let play = stops.play_with(1, &away(&["h7"]));
    assert_eq!(play.run().ending, Ending::Failed);
    // As a failure it counts with the others.
    let fails = scene_of(", unreachable: \"fail\"");
    assert_eq!(fails.play_with(1, &away(&["h3"])).run().ending, Ending::Done);
    let told = fails.play_with(1, &away(&["h3", "h4"])).run().error.expect("it fails").to_string();
    assert!(told.contains("2 of 7 failed: h3, h4"), "{told}");
    // Left out.
    let told =
        "guard(done.filter(|one| !one.ok).map(|one| one.error.kind) == [\"unreachable\", \"unreachable\"], `${done}`);";
    let skips = scene("batch: 2, unreachable: \"skip\"", RUN, told);
    let play = skips.play_with(1, &away(&["h3", "h4"]));
    assert_eq!((play.run().ending, order(&play).len()), (Ending::Done, 7));
}

/// `h2` takes too long as long as less than a minute has passed.
const SLOW: &str = "run(h, [\"true\"]); if h.name == \"h2\" { \
                    wait_until(\"a minute\", || now() - began > 60000, #{ limit: \"5s\", every: \"5s\" }); } \
                    else { sleep(\"15s\"); } h.name";

#[test]
fn what_took_too_long_goes_to_the_back_of_the_queue() {
    let told = "guard(done.map(|one| one.tries) == [1, 2, 1, 1, 1, 1, 1] && done.all(|one| one.ok), `${done}`);";
    let requeued = scene("requeue: 1", SLOW, told);
    let play = requeued.play(1);
    let finished = play.run();
    assert_eq!((finished.ending, finished.error), (Ending::Done, None));
    assert_eq!(order(&play), ["h1", "h2", "h3", "h4", "h5", "h6", "h7", "h2"]);
    let once = scene("", SLOW, "");
    let play = once.play(1);
    assert_eq!((play.run().ending, order(&play)), (Ending::Failed, vec!["h1".to_owned(), "h2".to_owned()]));
}

#[test]
fn a_runner_may_die_at_any_point_of_it() {
    let scene = scene("batch: 2, max_failures: 1, requeue: 1, pause: \"10s\"", SLOW, "");
    let faults = vec![fault("h5", Harm::FailsBefore)];
    let plan = FaultPlan { faults, crashes: vec![] };
    let calm = scene.play_with(1, &plan);
    assert_eq!(calm.run().ending, Ending::Done);
    let mut point = 1;
    loop {
        let play = scene.play_with(1, &plan);
        if play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_some() {
            break;
        }
        let finished = play.run();
        assert_eq!((finished.ending, finished.error), (Ending::Done, None), "died at point {point}");
        // What is side by side in a batch may begin in either order where one of it is looked for first.
        let sorted = |play| {
            let mut batches = batches(play);
            batches.iter_mut().for_each(|batch| batch.sort());
            batches
        };
        assert_eq!(sorted(&play), sorted(&calm), "died at point {point}");
        point += 1;
    }
    assert!(point > 60, "only {point} points");
}
