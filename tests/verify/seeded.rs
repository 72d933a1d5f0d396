//! The tester is tested: bugs of every sort that were seen in runbooks, each seeded into the upgrade of a pair of relays
//! (the texts beside this file), and each found by the explorer within the bounds that `baton verify` has by default.
//! Without them it finds nothing in a short while. How soon is counted in schedules, which no machine decides; the time
//! is only told.
//!
//! Bugs of the door itself, in its store and its world, are seeded in `tests/seeded.rs`.

use baton::model::run::estate::EstateId;
use baton::model::value::Fields;
use baton::session;
use baton::verify::explorer::{Bounds, explore};
use baton::verify::scene::SceneTexts;
use baton::verify::tally::Explored;
use std::collections::BTreeMap;

/// After how many schedules each bug is found, and half of them.
const SCHEDULES_MAX: u64 = 20_000;
const SCHEDULES_MEDIAN: u64 = 1_000;
/// Nothing here takes as long.
const BUDGET_MS: u64 = 600_000;
/// How long it looks where nothing is to be found.
const CLEAN_MS: u64 = 15_000;

/// The texts by which a patch names them.
const TEXTS: [(&str, &str); 4] = [
    (RUNBOOK, include_str!("upgrade.rhai")),
    (PARTS, include_str!("pair.rhai")),
    (PROFILE, include_str!("relay.toml")),
    (SITE, include_str!("site.toml")),
];
const RUNBOOK: &str = "relay/upgrade";
const PARTS: &str = "relay/pair";
const PROFILE: &str = "relay";
const SITE: &str = "site.toml";
const MODEL: &str = include_str!("relay.rhai");

/// A bug: its name, what of which text becomes what, and words of what is found.
struct Bug(&'static str, &'static [Patch], &'static str);

/// `(name, from, to)`.
type Patch = (&'static str, &'static str, &'static str);

const BUGS: &[Bug] = &[
    Bug(
        "read-only mode is not lifted on one branch",
        &[(PARTS, "fn lift_readonly(up) {", "fn lift_readonly(up) { if role(up.b) != \"primary\" { return; }")],
        "\"Changes are taken again\" is not so",
    ),
    Bug(
        "the option is removed before the component is back",
        &[(
            PARTS,
            "    try {\n        bring_up",
            "    unset_option(up.a, \"relay\", \"alone\");\n    try {\n        bring_up",
        )],
        "R-7",
    ),
    Bug(
        "the option is set only after the component was stopped",
        &[
            (RUNBOOK, "step(\"Expect to be alone\", || set_option(a, \"relay\", \"alone\", \"on\"));\n", ""),
            (
                PARTS,
                "    change(server, \"replace\"",
                "    set_option(up.a, \"relay\", \"alone\", \"on\");\n    change(server, \"replace\"",
            ),
        ],
        "R-7",
    ),
    Bug("changes are not kept out", &[(RUNBOOK, "step(\"Keep changes out\", || set_readonly(a));\n", "")], "R-6"),
    Bug(
        "read-only mode is lifted before the component is back",
        &[(PARTS, "    try {\n        bring_up", "    lift_readonly(up);\n    try {\n        bring_up")],
        "R-6",
    ),
    Bug(
        "both members are down",
        &[(PARTS, "    try {\n        bring_up", "    shutdown(up.a);\n    try {\n        bring_up")],
        "R-1: r1 was stopped while it served",
    ),
    Bug(
        "the primary leaves before the other one is ready",
        &[(PARTS, "    wait_for_log(server, 200, #{ limit: \"30s\", exit: true });\n", "")],
        "R-5: r1 was told to hand over to a peer that does not stand by",
    ),
    Bug(
        "a log wait matches an old line",
        &[(PARTS, "exit: true }", "exit: true, from: \"start\" }")],
        "R-5: r1 was told to hand over to a peer that does not stand by",
    ),
    Bug(
        "the first event is taken for the second",
        &[(PARTS, "wait_for_log(server, 200", "wait_for_log(server, 150")],
        "R-5: r1 was told to hand over to a peer that does not stand by",
    ),
    Bug(
        "the wrong member, after the roles were swapped",
        &[
            (
                PARTS,
                "for server in [up.a, up.b] { unset_readonly(server); }",
                "unset_readonly(if role(up.b) == \"primary\" { up.b } else { up.a });",
            ),
            (PARTS, "    guard(!is_readonly(up.a) && !is_readonly(up.b), `no changes are taken`);\n", ""),
        ],
        "\"Changes are taken again\" is not so",
    ),
    Bug(
        "a limit is too short, and what was asked is asked again",
        &[(
            PARTS,
            "    wait_role(to, \"primary\", #{ every: \"500ms\", limit: \"10s\" });\n",
            "    try { wait_role(to, \"primary\", #{ limit: \"1s\" }); } catch (problem) { change(from, \"hand_over\"); }\n",
        )],
        "R-4: r1 was told to hand over, and does not serve",
    ),
    Bug(
        "a limit is too short, and what comes late is given up",
        &[
            (PARTS, "limit: \"30s\", exit: true", "limit: \"1s\""),
            (PARTS, "[\"goal\", \"exit\"]", "[\"goal\", \"exit\", \"limit\"]"),
            (PARTS, "        put_back(server);\n        hold", "        hold"),
        ],
        "\"r2 did not come up with 2\" is not so",
    ),
    Bug(
        "a wait is missing",
        &[(PARTS, "    wait_role(to, \"primary\", #{ every: \"500ms\", limit: \"10s\" });\n", "")],
        "R-10: the newer one serves",
    ),
    Bug(
        "a message claims what was not looked at",
        &[(
            PARTS,
            "limit: \"10s\" });\n",
            "limit: \"10s\" });\n    sleep(\"5s\");\n    note(`${to.name} is primary, ${from.name} is backup.`);\n",
        )],
        "\"r1 is backup\" is not so",
    ),
    Bug(
        "a stale reading is used after a wait",
        &[
            (PARTS, "    wait_role(to,", "    let now = role(to);\n    wait_role(to,"),
            (PARTS, "limit: \"10s\" });\n", "limit: \"10s\" });\n    note(`${to.name} is ${now}.`);\n"),
        ],
        "\"r2 is backup\" is not so",
    ),
    Bug(
        "an undo is missing",
        &[(RUNBOOK, ", #{ undo: || relay::put_back(b) }", ""), (PROFILE, "undo = \"put_back\"", "undo = \"nothing\"")],
        "R-10: the newer one serves",
    ),
    Bug(
        "an undo does things in the wrong order",
        &[(
            PARTS,
            "    stop(server);\n    change(server, \"put_back\");\n",
            "    change(server, \"put_back\");\n    stop(server);\n",
        )],
        "R-3: r2 was replaced while it ran",
    ),
    Bug(
        "a guard is missing",
        &[(PARTS, "    guard(role(server) != \"primary\", `${server.name} serves: it must not be stopped`);\n", "")],
        "R-1: r2 was stopped while it served",
    ),
    Bug(
        "a switch lacks an arm",
        &[(
            PARTS,
            "    unset_option(up.a, \"relay\", \"alone\");\n",
            "    let does = switch role(up.b) { \"primary\" => \"serves\", \"backup\" => \"stands by\" };\n    note(`${up.b.name} ${does.to_upper()}.`);\n    unset_option(up.a, \"relay\", \"alone\");\n",
        )],
        "to_upper",
    ),
    Bug(
        "a no of the operator is taken for a yes",
        &[(
            RUNBOOK,
            "guard(confirm(\"May the upgrade begin?\", #{ gate: \"begin\" }), \"it may not begin\")",
            "confirm(\"May the upgrade begin?\", #{ gate: \"begin\" })",
        )],
        "R-2",
    ),
    Bug(
        "a `manual` that failed is ignored",
        &[(
            RUNBOOK,
            "guard(confirm(\"May the upgrade begin?\", #{ gate: \"begin\" }), \"it may not begin\")",
            "try { manual(\"Have everyone agree.\", \"They do.\", #{ gate: \"begin\" }); } catch (problem) {}",
        )],
        "R-2",
    ),
    Bug(
        "profile: a goal counts too much as reached",
        &[(PROFILE, "is = [\"stopped\"]", "is = [\"stopped\", \"running\"]")],
        "R-3: r2 was replaced while it ran",
    ),
    Bug(
        "profile: a verb is declared idempotent and is not",
        &[
            (
                PROFILE,
                "[verbs.hand_over]\nclass = \"once\"",
                "[verbs.hand_over]\nclass = \"idempotent\"\ngoal = { probe = \"role\", is = [\"backup\"] }",
            ),
            (PROFILE, "check = [\"{tool}\", \"hands_over\", \"{name}\"]\n", ""),
        ],
        "R-4: r1 was told to hand over, and does not serve",
    ),
    Bug(
        "profile: a check says yes to everything",
        &[(
            PROFILE,
            "check = [\"{tool}\", \"has_version\", \"{name}\", \"{version}\"]",
            "check = [\"{tool}\", \"is_readonly\", \"{name}\"]",
        )],
        "\"r2 has 2 now\" is not so",
    ),
    Bug(
        "profile: what happens is taken back by the wrong verb",
        &[
            (PROFILE, "undo = \"unset_readonly\"", "undo = \"nothing\""),
            (PARTS, "fn lift_readonly(up) {", "fn lift_readonly(up) { if status(up.b) != \"running\" { return; }"),
        ],
        "R-8",
    ),
    Bug(
        "a retry repeats the failover",
        &[(
            PARTS,
            "        warn(`${from.name} was told to hand over and answered with an error: who serves is looked at`);\n",
            "        change(from, \"hand_over\");\n",
        )],
        "R-4: r1 was told to hand over, and does not serve",
    ),
    Bug(
        "the summary says done when a member is down",
        &[(
            PARTS,
            "    for server in [up.a, up.b] { guard(status(server) == \"running\", `${server.name} does not run`); }\n",
            "",
        )],
        "\"Both run\" is not so",
    ),
    Bug(
        "`ensure` is left out",
        &[(RUNBOOK, "ensure(\"Take changes again\", || relay::lift_readonly(up));\n", "")],
        "\"Changes are taken again\" is not so",
    ),
    Bug(
        "a catch swallows a failure and goes on",
        &[(
            PARTS,
            "    wait_role(to, \"primary\", #{ every: \"500ms\", limit: \"10s\" });\n",
            "    try { wait_role(to, \"primary\", #{ every: \"500ms\", limit: \"10s\" }); } catch (problem) {}\n    note(`${to.name} is primary.`);\n",
        )],
        "\"r2 is primary\" is not so",
    ),
    Bug(
        "a key of a map is misspelt on a path",
        &[(
            PARTS,
            "        put_back(server);\n        hold",
            "        put_back(server);\n        warn(`${up.former.name} is put back`);\n        hold",
        )],
        "former",
    ),
    Bug(
        "a wait without a limit",
        &[(
            PARTS,
            "    wait_role(to, \"primary\", #{ every: \"500ms\", limit: \"10s\" });\n",
            "    while role(to) != \"primary\" { sleep(\"1s\"); }\n",
        )],
        "no end",
    ),
];

/// The upgrade with a bug in it.
fn scene(patches: &[Patch]) -> SceneTexts {
    let text = |name: &str| {
        let (_, text) = TEXTS.iter().find(|(known, _)| *known == name)?;
        Some(patches.iter().filter(|(of, _, _)| *of == name).fold((*text).to_owned(), |text, (_, from, to)| {
            assert!(text.contains(from), "{name} does not say {from:?}");
            text.replace(from, to)
        }))
    };
    let (runbook, site) = (text(RUNBOOK).expect("the runbook"), text(SITE).expect("the site"));
    let texts = session::gather(RUNBOOK, &runbook, (SITE, &site), &mut |name| text(name), &mut |name| text(name));
    SceneTexts {
        texts: texts.unwrap_or_else(|error| panic!("{error}")),
        models: BTreeMap::from([(PROFILE.to_owned(), MODEL.to_owned())]),
        scenario: String::new(),
        params: Fields::new(),
        estate: EstateId::Simulation,
        regressions: Vec::new(),
    }
}

fn explored(patches: &[Patch], budget_ms: u64) -> Explored {
    let bounds = Bounds { faults: 1, deaths: 1, seed: 1, budget_ms, until_found: true, workers: 2 };
    explore(vec![scene(patches)], bounds, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// What was found, a line each.
fn told(explored: &Explored) -> Vec<String> {
    let line = |found: &baton::verify::tally::Counterexample| {
        format!("{}: {} [{}]", found.finding.oracle.title(), found.finding.text, found.schedule)
    };
    explored.found.iter().map(line).collect()
}

#[test]
#[allow(clippy::print_stderr)]
fn nothing_is_found_where_nothing_is_wrong() {
    let explored = explored(&[], CLEAN_MS);
    assert_eq!(told(&explored), [] as [String; 0]);
    let tally = explored.tally;
    eprintln!("{} schedules in {} ms, {} left nothing", tally.schedules, tally.spent_ms, tally.left);
}

#[test]
#[allow(clippy::print_stderr)]
fn every_seeded_bug_is_found() {
    let mut schedules = Vec::new();
    let mut missed = Vec::new();
    for Bug(name, patches, finds) in BUGS {
        let explored = explored(patches, BUDGET_MS);
        let found = told(&explored);
        eprintln!("{:>6} schedules {:>6} ms  {name}: {found:?}", explored.tally.schedules, explored.tally.spent_ms);
        if !found.iter().any(|line| line.contains(finds)) {
            missed.push((name, found));
        }
        schedules.push(explored.tally.schedules);
    }
    schedules.sort_unstable();
    let (median, most) = (schedules[schedules.len() / 2], schedules[schedules.len() - 1]);
    eprintln!("{} bugs: found after {median} schedules in the median, {most} at most", BUGS.len());
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(most <= SCHEDULES_MAX && median <= SCHEDULES_MEDIAN, "{most}, {median} in the median");
}
