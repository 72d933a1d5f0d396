//! What a run says of service and redundancy, against the ledger that the simulated site keeps of the truth.

use crate::crash::SCENES;
use crate::support::simulation::Scene;
use baton::model::run::effect::Action;
use baton::model::run::meaning::VerbMeaning;
use baton::model::run::record::{Ending, Fact, Record};
use baton::report::ending::{list_line, render};
use baton::report::redundancy::{Condition, ObservedInterval};
use baton::report::style::Style;
use baton::report::summary::{Summary, summarise};
use jiff::tz::TimeZone;

/// How much longer than the truth a single interval may be said to be: a stop takes its time, and so does a look.
const SLACK: u64 = 60_000;
/// The same of a time in which nobody served: who serves is looked at just before, and soon after.
const OUT_SLACK: u64 = 20_000;
/// The pairs of the shipped labs, one each.
const PAIRS: [&str; 2] = ["confserv", "db"];

fn said(sum: &Summary, condition: Condition) -> Vec<&ObservedInterval> {
    let of_pair = |interval: &&ObservedInterval| PAIRS.contains(&interval.whose.as_str());
    sum.intervals.iter().filter(|interval| interval.condition == condition).filter(of_pair).collect()
}

/// Without the ways back: they begin in the midst of gaps that no run saw begin, and some need a long outage.
fn scenes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let upgrades = SCENES.into_iter().filter(|(runbook, _, _)| *runbook != "genesys/rollback");
    upgrades.map(|(runbook, scenario, _)| (runbook, scenario))
}

#[test]
fn what_is_said_of_service_and_redundancy_is_never_shorter_than_the_truth() {
    let kinds = [("OUT", Condition::NobodyServes), ("NORED", Condition::NoRedundancy), ("RO", Condition::ReadOnly)];
    for (runbook, scenario) in scenes() {
        let scene = Scene::new(runbook, scenario);
        let play = scene.play(1);
        play.run();
        let sum = summarise("sim", &play.records(), scene.pairs());
        let ledger = play.estate.ledger();
        for (kind, condition) in kinds {
            // Without being forced, servers are read-only for a while beside an upgraded peer: no run can see that.
            if kind == "RO" && runbook.ends_with("same-schema") {
                continue;
            }
            let said = said(&sum, condition);
            for truth in ledger.intervals.iter().filter(|truth| truth.kind == kind) {
                let until = truth.to.unwrap_or(sum.last);
                let covers =
                    |one: &&&ObservedInterval| one.from <= truth.from && one.until.is_none_or(|said| said >= until);
                assert!(said.iter().any(|one| covers(&one)), "{runbook} in {scenario}: {truth:?} is not in {said:#?}");
            }
        }
    }
}

#[test]
fn what_is_said_is_not_much_longer_than_the_truth() {
    for (runbook, scenario) in scenes() {
        let scene = Scene::new(runbook, scenario);
        let play = scene.play(1);
        if play.run().ending != Ending::Done {
            continue;
        }
        let sum = summarise("sim", &play.records(), scene.pairs());
        let said = said(&sum, Condition::NoRedundancy);
        let total: u64 = said.iter().map(|one| one.until.expect("the pair is whole again").since(one.from).0).sum();
        let truth = play.estate.ledger().total("NORED", sum.last).0;
        let most = truth + SLACK * said.len() as u64;
        assert!(total <= most, "{runbook} in {scenario}: {total} ms are said, {truth} ms are true");
        let open: Vec<&ObservedInterval> = sum.intervals.iter().filter(|one| one.until.is_none()).collect();
        assert!(open.is_empty(), "{runbook} in {scenario}: done, but {open:#?}");
        let out = said_out(&sum);
        assert_eq!(
            out.is_empty(),
            sum.unbroken.iter().any(|pair| PAIRS.contains(&pair.as_str())),
            "{runbook} in {scenario}"
        );
        let total: u64 = out.iter().map(|one| one.until.expect("somebody serves").since(one.from).0).sum();
        let truth = play.estate.ledger().total("OUT", sum.last).0;
        let most = truth + OUT_SLACK * out.len() as u64;
        assert!(total <= most, "{runbook} in {scenario}: {total} ms are said, {truth} ms are true: {out:#?}");
    }
}

#[test]
fn a_role_that_was_read_before_a_stop_or_a_start_never_counts_again() {
    let read = "//! Reads\nlet c2 = service(\"c2\");\nnote(role(c2));\n";
    let stopped = format!("{read}shutdown(c2);\n");
    let started = format!("{stopped}start(c2);\nwait_status(c2, \"running\");\n");
    let again = format!("{started}sleep(\"2min\");\nnote(role(c2));\n");
    let cases = [
        (read.to_owned(), Some("roles last seen: c2 backup")),
        (stopped, None),
        (started, Some("roles last seen: c2 not read since its start")),
        (again, Some("roles last seen: c2 backup")),
    ];
    for (text, told) in cases {
        let scene = Scene::of_text(&text);
        let play = scene.play(1);
        let end = play.run();
        assert_eq!(end.ending, Ending::Done, "{text}: {end:?}");
        let page = render(&summarise("sim", &play.records(), scene.pairs()), &Style::plain(), &TimeZone::UTC);
        let line = page.lines().map(str::trim).find(|line| line.starts_with("roles last seen"));
        assert_eq!(line, told, "{text}: {page}");
    }
}

#[test]
fn a_verb_that_restarts_the_host_makes_void_what_was_read_of_its_services() {
    let scene =
        Scene::of_text("//! Reads\nlet c2 = service(\"c2\");\nnote(role(c2));\nstage_install(c2, \"9.0.1\");\n");
    let play = scene.play(1);
    assert_eq!(play.run().ending, Ending::Done);
    let told = |records: &[Record]| render(&summarise("sim", records, scene.pairs()), &Style::plain(), &TimeZone::UTC);
    let mut records = play.records();
    assert!(told(&records).contains("roles last seen: c2 backup"), "{}", told(&records));
    for record in &mut records {
        if let Fact::Intent { effect, .. } = &mut record.fact
            && let Action::Job(job) = &mut effect.action
        {
            job.means = Some(VerbMeaning::RestartsHost);
        }
    }
    assert!(told(&records).contains("roles last seen: c2 not read since its start"), "{}", told(&records));
}

/// What the summary says of clients, without the time.
fn said_of_clients(scenario: &str) -> Vec<String> {
    let scene = Scene::new("genesys/confserv-ha", scenario);
    let play = scene.play(1);
    play.run();
    let sum = summarise("sim", &play.records(), scene.pairs());
    let page = render(&sum, &Style::plain(), &TimeZone::UTC);
    let lines = page.lines().filter_map(|line| line.trim().strip_prefix("clients of confserv: "));
    let what = |line: &str| line.split_once(", last read ").map_or(line, |(what, _)| what).to_owned();
    // How long it took from the wish to stop it, where that was said.
    lines
        .map(what)
        .map(|line| line.split_once(" in ").map_or(line.clone(), |(what, _)| format!("{what} in time")))
        .collect()
}

#[test]
fn where_the_clients_went_is_told_as_it_was_last_read() {
    assert_eq!(said_of_clients("upgrade-mode"), ["6 of 6 have moved to c2 in time", "6 of 6 have moved to c1 in time"]);
    assert_eq!(said_of_clients("compatible"), ["6 of 6 have moved to c2 in time"], "c2 serves from then on");
    assert_eq!(said_of_clients("original-dies"), ["6 of 6 have moved to c2"], "nobody has stopped c1");
    assert_eq!(said_of_clients("not-promoted"), ["6 were on c1 before it went; not read since"]);
    assert_eq!(said_of_clients("never-ready"), [] as [&str; 0], "nobody has moved");
}

fn said_out(sum: &Summary) -> Vec<&ObservedInterval> {
    said(sum, Condition::NobodyServes)
}

#[test]
fn what_a_verb_or_a_probe_is_called_makes_no_difference_to_what_is_told() {
    let scene = Scene::new("genesys/confserv-ha", "upgrade-mode");
    let play = scene.play(1);
    play.run();
    let renamed = |mut record: Record| {
        if let Fact::Intent { effect, .. } | Fact::Read { effect, .. } = &mut record.fact {
            match &mut effect.action {
                Action::Job(job) => job.verb.insert_str(0, "acme_"),
                Action::Probe(probe) => probe.what.insert_str(0, "acme_"),
                Action::Until(until) => until.probe.what.insert_str(0, "acme_"),
                _ => {}
            }
        }
        record
    };
    let (records, pairs) = (play.records(), scene.pairs());
    let others: Vec<Record> = records.iter().cloned().map(renamed).collect();
    let (sum, other) = (summarise("sim", &records, pairs), summarise("sim", &others, scene.pairs()));
    assert!(!sum.intervals.is_empty());
    assert_eq!(format!("{:?}", sum.intervals), format!("{:?}", other.intervals));
    assert_eq!(sum.roles, other.roles);
}

#[test]
fn a_list_says_what_a_run_has_left_otherwise_and_since_when() {
    let text = "//! Leaves it forced\nlet c1 = service(\"c1\");\nensure(\"Lift\", || unset_readonly(c1));\n\
                step(\"Force\", || set_readonly(c1));\nguard(GUARD, \"not tonight\");\n";
    let list = |guard: &str| {
        let scene = Scene::of_text(&text.replace("GUARD", guard));
        let play = scene.play(1);
        play.run();
        let sum = summarise("6b01b46e4a74", &play.records(), scene.pairs());
        list_line(&sum, &Style { width: 80, ..Style::plain() }, &TimeZone::UTC)
    };
    let left = list("false");
    assert!(left.contains("              as this run saw it: confserv read-only since 22:00:0"), "{left}");
    let lifted = list("true");
    assert!(!lifted.contains("read-only"), "{lifted}");
}
