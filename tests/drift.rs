//! The drift check: what the guards of the enclosing steps were decided by is read again before the first change after
//! a resume. Only what others did is drift, and it stops the run before the change.

use crate::support::simulation::{Between, Play, Scene};
use baton::model::run::instant::Mono;
use baton::model::run::record::{EffectId, Ending, Fact, TrackId};
use baton::session::ResumeTerms;
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, SimWorld, Trigger};
use baton::world::request::StartJob;
use baton::world::{JobId, Ticket, World};

const RUNBOOK: &str = r#"//! Two changes under guards
let c1 = service("c1");
let c2 = service("c2");
let confdb = service("confdb");
step("Upgrade", || {
    guard(role(c2) == "backup" && role(c1) == "primary", "c2 must stand by for c1");
    guard(schema(confdb) == "8.1.3", "the schema must be the old one");
    step("Back up", || backup(confdb, "a"));
    step("Once more", || backup(confdb, "b"));
    backup(confdb, "c");
});
fn schema(s) { probe(s, "schema") }
"#;

fn fails(harm: Harm, verb: &str, subject: &str, nth: u32) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: subject.into(), nth };
    FaultPlan { faults: vec![Fault { at, harm }], ..FaultPlan::default() }
}

/// Somebody else does this, and enough time passes for it to be done.
fn meanwhile(play: &Play<'_>, host: &str, service: &str, verb: &str) {
    let effect = EffectId { track: TrackId::main(), n: 1 };
    let job = JobId { run: format!("someone-{verb}"), effect, attempt: 1 };
    let mut world = SimWorld::on(&play.estate, CrashClock::never());
    let (host, service, verb) = (host.to_owned(), Some(service.to_owned()), verb.to_owned());
    let args = Default::default();
    world.submit(
        Ticket(1),
        StartJob { host, job, service, verb, argv: vec!["x".into()], args, secret: None, until: Mono::NEVER }.into(),
    );
    world.next();
    drop(world);
    play.estate.pass(120_000);
}

fn resume(play: &Play<'_>, scene: &Scene, drift: Option<&str>) -> baton::session::Finished {
    let terms = ResumeTerms { drift: drift.map(str::to_owned), ..ResumeTerms::default() };
    play.resume_on(scene, terms, &CrashClock::never()).expect("not refused").expect("it lives")
}

fn backups(play: &Play<'_>) -> usize {
    play.deeds().get("confdb backup").copied().unwrap_or_default()
}

#[test]
fn what_is_as_it_was_costs_a_line_and_nothing_else() {
    let scene = Scene::of_text(RUNBOOK);
    let play = scene.play_with(1, &fails(Harm::FailsBefore, "backup", "confdb", 2));
    assert_eq!(play.run().ending, Ending::Failed);
    assert_eq!(play.notices(), Vec::<String>::new(), "a run that was not taken up looks once");
    let before = play.records().len();
    assert_eq!(resume(&play, &scene, None).ending, Ending::Done);
    assert_eq!(play.notices(), ["looked again at 2 guarded readings: as they were"], "the schema is the run's own");
    let noted = play.records()[before..].iter().filter(|record| matches!(record.fact, Fact::Read { .. })).count();
    assert_eq!(noted, 0, "what is looked at again is no reading of the runbook");
}

#[test]
fn what_others_changed_stops_the_run_before_its_next_change() {
    let scene = Scene::of_text(RUNBOOK);
    let play = scene.play_with(1, &fails(Harm::FailsBefore, "backup", "confdb", 2));
    play.run();
    meanwhile(&play, "cfg-b", "c2", "shutdown");
    for _ in 0..2 {
        let before = backups(&play);
        let drift = resume(&play, &scene, None);
        assert_eq!((drift.ending, drift.exit_code), (Ending::Failed, 1));
        let told = drift.error.expect("it says why").to_string();
        for words in [
            "role(c2) read \"backup\" when the guard held, ",
            "; it reads \"none\" now",
            "the guard: c2 must stand by for c1",
            "baton resume sim --accept-drift \"why\"",
        ] {
            assert!(told.contains(words), "{words:?} is not in\n{told}");
        }
        assert!(told.ends_with("put it right, then: baton resume sim"), "{told}");
        assert_eq!(backups(&play), before, "nothing was changed");
    }
    meanwhile_again(&play);
    assert_eq!(resume(&play, &scene, None).ending, Ending::Done, "it was put right");
}

/// The server is started again, and initializes.
fn meanwhile_again(play: &Play<'_>) {
    meanwhile(play, "cfg-b", "c2", "start");
    play.estate.pass(3_600_000);
}

#[test]
fn a_person_may_accept_a_drift_and_says_why() {
    let scene = Scene::of_text(RUNBOOK);
    let play = scene.play_with(1, &fails(Harm::FailsBefore, "backup", "confdb", 2));
    play.run();
    let early = ResumeTerms { drift: Some("early".into()), ..ResumeTerms::default() };
    let refusal = play.resume_on(&scene, early, &CrashClock::never()).expect_err("nothing drifted").to_string();
    assert!(refusal.contains("nothing in run sim has drifted"), "{refusal}");
    meanwhile(&play, "cfg-b", "c2", "shutdown");
    assert_eq!(resume(&play, &scene, None).ending, Ending::Failed);
    assert_eq!(resume(&play, &scene, Some("c2 is being repaired")).ending, Ending::Done);
    let deviation = play.records().into_iter().find_map(|record| match record.fact {
        Fact::Deviation { what, reason, .. } => Some((what, reason)),
        _ => None,
    });
    let (what, reason) = deviation.expect("it is on record");
    assert_eq!(
        (what.as_str(), reason.as_str()),
        ("accepted that role(c2) is not what a guard was decided by", "c2 is being repaired",)
    );
}

#[test]
fn what_cannot_be_read_has_drifted() {
    let scene = Scene::of_text(RUNBOOK);
    let play = scene.play_with(1, &fails(Harm::HostDown { ms: 3_600_000 }, "backup", "confdb", 2));
    assert_eq!(play.run().ending, Ending::Failed);
    let told = resume(&play, &scene, None).error.expect("it cannot be read").to_string();
    assert!(told.contains("role(c2) read \"backup\" when the guard held, "), "{told}");
    assert!(told.contains("; it cannot be read now: "), "{told}");
    play.estate.pass(3_600_000);
    assert_eq!(resume(&play, &scene, None).ending, Ending::Done);
}

#[test]
fn what_the_run_itself_changed_is_no_drift() {
    for change in ["shutdown(c2)", "shutdown(c2); set_readonly(c1)"] {
        let text = RUNBOOK.replace("step(\"Back up\"", &format!("{change}; step(\"Back up\""));
        let scene = Scene::of_text(&text);
        let play = scene.play_with(1, &fails(Harm::FailsBefore, "backup", "confdb", 2));
        assert_eq!(play.run().ending, Ending::Failed);
        let done = resume(&play, &scene, None);
        assert_eq!(done.ending, Ending::Done, "{:?}", done.error);
        assert_eq!(play.notices(), Vec::<String>::new(), "there was nothing to look at");
    }
}

#[test]
fn guards_of_finished_steps_and_outside_of_steps_are_not_looked_at() {
    let guard = "guard(role(c2) == \"backup\" && role(c1) == \"primary\", \"c2 must stand by for c1\");";
    let finished = RUNBOOK.replace(guard, &format!("step(\"Check\", || {{ {guard} }});"));
    let outside = RUNBOOK.replace(guard, "").replace("step(\"Upgrade\"", &format!("{guard}\nstep(\"Upgrade\""));
    let before_a_step =
        RUNBOOK.replace(guard, &format!("{guard} role(c2);")).replace("guard(role(c2)", "let r = role(c2); guard(r");
    for (text, ending) in [(finished, Ending::Done), (outside, Ending::Done), (before_a_step, Ending::Failed)] {
        let scene = Scene::of_text(&text);
        let play = scene.play_with(1, &fails(Harm::FailsBefore, "backup", "confdb", 2));
        assert_eq!(play.run().ending, Ending::Failed);
        meanwhile(&play, "cfg-b", "c2", "shutdown");
        let end = resume(&play, &scene, None);
        assert_eq!(end.ending, ending, "{text}: {:?}", end.error);
    }
}

#[test]
fn tracks_look_at_the_guards_around_their_fork() {
    let text = r#"//! In parallel
let c2 = service("c2");
step("Both", || {
    guard(role(c2) == "backup", "c2 must stand by");
    parallel(["a", "b"], |label| { backup(service("confdb"), label); backup(service("confdb"), label + "2"); });
});
"#;
    let scene = Scene::of_text(text);
    for changed in [false, true] {
        let play = scene.play_with(1, &fails(Harm::FailsBefore, "backup", "confdb", 3));
        assert_eq!(play.run().ending, Ending::Failed);
        if changed {
            meanwhile(&play, "cfg-b", "c2", "shutdown");
        }
        let end = resume(&play, &scene, None);
        assert_eq!(end.ending, if changed { Ending::Failed } else { Ending::Done }, "{:?}", end.error);
    }
}

#[test]
fn what_is_under_way_is_seen_to_its_end_before_anything_is_looked_at() {
    let scene = Scene::of_text(RUNBOOK);
    let mut seen = 0;
    for point in 3.. {
        let play = scene.play(1);
        if play.runner(&CrashClock::at(point), &Between::nothing()).expect("not refused").is_some() {
            break;
        }
        if backups(&play) != 1 || !matches!(play.records().last().map(|last| &last.fact), Some(Fact::Intent { .. })) {
            continue;
        }
        seen += 1;
        let intents =
            |play: &Play<'_>| play.records().iter().filter(|record| matches!(record.fact, Fact::Intent { .. })).count();
        let begun = intents(&play);
        meanwhile(&play, "cfg-b", "c2", "shutdown");
        let drift = resume(&play, &scene, None);
        assert!(drift.error.expect("it says why").message.contains("role(c2) read"), "died at {point}");
        let done = play.records().iter().filter(|record| matches!(record.fact, Fact::Outcome { .. })).count();
        assert_eq!((backups(&play), done, intents(&play)), (begun, begun, begun), "died at {point}");
    }
    assert!(seen > 0);
}
