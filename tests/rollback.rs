//! Going back: what a run changed is undone newest first, and nothing else is; whatever happens on the way.

use crate::support::simulation::{Play, Scene};
use baton::model::effect::{Action, Effect, Outcome};
use baton::model::record::{Ending, Record, Way};
use baton::model::value::Value;
use baton::sim::{Fault, FaultPlan, Harm, Trigger};

fn fault(verb: &str, service: &str, nth: u32, harm: Harm) -> FaultPlan {
    let at = Trigger { verb: verb.into(), subject: service.into(), nth };
    FaultPlan { faults: vec![Fault { at, harm }], ..FaultPlan::default() }
}

fn fails(verb: &str, service: &str) -> FaultPlan {
    fault(verb, service, 1, Harm::FailsBefore)
}

/// The verbs that reached the site, in order, without arguments.
fn deeds(play: &Play<'_>) -> Vec<String> {
    play.estate.ledger().effects.iter().map(|deed| format!("{} {}", deed.verb, deed.service)).collect()
}

/// Everything noted or warned of, in order.
fn notes(play: &Play<'_>) -> Vec<String> {
    let text = |effect: &Effect| match &effect.action {
        Action::Note { text, .. } => Some(text.clone()),
        _ => None,
    };
    play.records()
        .iter()
        .filter_map(|record| match record {
            Record::Read { effect, .. } => text(effect),
            _ => None,
        })
        .collect()
}

/// A site on which nothing was ever done.
fn fresh(scene: &Scene) -> Value {
    scene.play(1).summary()
}

const TWO_CHANGES: &str = r#"//! Two changes and a failure
step("Freeze", || set_readonly(service("c1")));
step("Mark", || set_option(service("c2"), "confserv", "upgrade-mode", "1"));
step("Save", || backup(service("confdb"), "b"));
"#;

#[test]
fn what_was_changed_is_put_back_newest_first() {
    let scene = Scene::of_text(TWO_CHANGES);
    let play = scene.play_with(1, &fails("backup", "confdb"));
    assert_eq!(play.run().ending, Ending::Failed);
    let back = play.back(&Way::All);
    assert_eq!((back.ending, back.exit_code, back.error), (Ending::RolledBack, 6, None));
    assert_eq!(
        deeds(&play),
        ["set_readonly c1", "set_option c2", "backup confdb", "restore_option c2", "unset_readonly c1"]
    );
    assert_eq!(play.summary(), fresh(&scene));
}
