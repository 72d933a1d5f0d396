//! A tale: a run that is begun with something, played by runners who may die at any moment or find nobody to answer.
//! Whoever takes it up names no flag and knows only its record. The end must be the one it has undisturbed.

use crate::support::simulation::{Moment, Play, Scene, unlike};
use baton::dispatch::{Gate, Stepwise, UntilStep};
use baton::journal::reopening;
use baton::model::run::effect::{Action, Effect, Form, Outcome};
use baton::model::run::event::Event;
use baton::model::run::record::{EffectId, Ending, Fact, Record, RollbackScope, Who};
use baton::model::run::steering::{AfterFailure, Steering};
use baton::model::value::Value;
use baton::session::{Finished, OperatorRuling};
use baton::sim::{CrashClock, Fault, FaultPlan, Harm, SimEstate, Trigger};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How often `go` can be typed at most.
const WORDS_TYPED: usize = 150;

/// What is played.
pub(super) struct Tale {
    /// What the run is made of, with everything it is begun with.
    pub(super) scene: Scene,
    /// The site as the run left it that this one follows.
    pub(super) left: Option<SimEstate>,
    /// What goes wrong.
    pub(super) faults: Vec<Fault>,
    /// Nobody is there to answer questions: each waits until it is answered from elsewhere.
    pub(super) alone: bool,
}

/// What must not depend on who died when: how it ended, how the site stands, what was done, asked for and answered.
#[derive(Debug, PartialEq)]
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) words: String,
    site: Value,
    deeds: BTreeMap<String, usize>,
    asked_for: BTreeSet<String>,
    answered: BTreeSet<String>,
}

/// A question of a run: its form as a fault meets it, its gate, and the word that it was answered with.
pub(super) struct Question {
    pub(super) form: &'static str,
    pub(super) gate: String,
    pub(super) word: String,
}

impl End {
    /// What is not as in the other end, in words.
    pub(super) fn differs_from(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, here: String, there: String| {
            if here != there {
                found.push(format!("{what}: {here}, and not {there}"));
            }
        };
        compare("ending", format!("{:?} {}", self.ending, self.words), format!("{:?} {}", other.ending, other.words));
        compare("site", self.site.to_string(), other.site.to_string());
        compare("deeds", format!("{:?}", self.deeds), format!("{:?}", other.deeds));
        for (what, here, there) in
            [("asked for", &self.asked_for, &other.asked_for), ("answered", &self.answered, &other.answered)]
        {
            compare(what, first(here.difference(there)), first(there.difference(here)));
        }
        found
    }
}

impl Tale {
    /// A run that nothing went before and in which nothing goes wrong.
    pub(super) fn of(scene: Scene) -> Self {
        Self { scene, left: None, faults: Vec::new(), alone: false }
    }

    /// The site before the run begins.
    pub(super) fn play(&self, more: &[Fault]) -> Play<'_> {
        let faults = [&self.faults, more].concat();
        let play = match &self.left {
            Some(left) => self.scene.play_on(left),
            None => self.scene.play_with(1, &FaultPlan::default()),
        };
        play.estate.beset(&faults);
        if self.alone {
            play.estate.leave_alone();
        }
        if play.steering().step {
            (0..WORDS_TYPED).for_each(|_| play.estate.will_type("go"));
        }
        play
    }

    /// Plays it without a death. Gives its end, how it came there, and all moments at which a runner could have died.
    pub(super) fn undisturbed(&self) -> (End, Play<'_>, Vec<Moment>) {
        let play = self.play(&[]);
        let (finished, moments) = play.watched(|clock| to_the_end(&play, clock));
        let end = end(&play, &finished);
        (end, play, moments)
    }

    /// Has a runner die at each moment there is, and others take the run up: the end is always the same.
    #[track_caller]
    pub(super) fn is_the_same_after_any_death(&self, what: &str) {
        let (undisturbed, calm, moments) = self.undisturbed();
        assert!(moments.len() > 60, "{what}: only {} moments", moments.len());
        for (point, moment) in unlike(&moments) {
            let play = calm.died_at(moment);
            if has_stopped(&play) {
                continue;
            }
            let finished = to_the_end(&play, &CrashClock::never());
            let differs = end(&play, &finished).differs_from(&undisturbed);
            assert_eq!(differs, [] as [String; 0], "{what}: died at {point} of {}", moments.len());
            assert_eq!(done_unasked(&play), BTreeSet::new(), "{what}: died at {point}");
        }
    }

    /// Suspends the run at each of its questions, and has it answered and taken up by others.
    #[track_caller]
    pub(super) fn is_the_same_wherever_it_is_suspended(&self, what: &str) {
        let (undisturbed, calm, _) = self.undisturbed();
        for Question { form, gate, word } in questions(&calm) {
            let at = Trigger { verb: form.to_owned(), subject: gate.clone(), nth: 1 };
            let play = self.play(&[Fault { at, harm: Harm::Nobody }]);
            let waits = carry(&play, &CrashClock::never());
            assert_eq!(waits.ending, Ending::Suspended, "{what} at {gate}: {:?}", waits.error);
            play.answer(&word);
            let finished = to_the_end(&play, &CrashClock::never());
            let mut disturbed = end(&play, &finished);
            // Who answers from elsewhere has another name.
            disturbed.answered.clone_from(&undisturbed.answered);
            assert_eq!(disturbed.differs_from(&undisturbed), [] as [String; 0], "{what}: suspended at {gate}");
        }
    }
}

/// A runner takes the run up, or begins it, as the command line does for somebody who names no flag.
pub(super) fn carry(play: &Play<'_>, clock: &CrashClock) -> Finished {
    let steering = play.steering();
    let goes_back = |ending| {
        steering.on_failure == Some(AfterFailure::Rollback)
            && play.is_begun()
            && reopening::is_to_go_back(&play.history(), ending)
    };
    let ended = if play.is_begun() { play.history().last_ending() } else { None };
    let finished = match ended {
        Some(ending) if goes_back(ending) => play.back_runner(clock, &RollbackScope::All, OperatorRuling::Retry),
        Some(_) | None => play.steered(clock, gates(play, &steering), OperatorRuling::Retry),
    };
    let finished = finished.unwrap_or_else(|why| panic!("refused: {why}")).expect("it lives");
    if !goes_back(finished.ending) {
        return finished;
    }
    play.back_runner(clock, &RollbackScope::All, OperatorRuling::Retry)
        .unwrap_or_else(|why| panic!("refused: {why}"))
        .expect("it lives")
}

/// The same until it ends or nobody can help it on: its questions are answered from elsewhere as an operator would.
fn to_the_end(play: &Play<'_>, clock: &CrashClock) -> Finished {
    loop {
        let finished = carry(play, clock);
        let Some(word) = waiting(play) else { return finished };
        play.answer(&word);
    }
}

/// Whether the run has stopped after a step, as asked: whoever takes it up from there wants it to go on.
fn has_stopped(play: &Play<'_>) -> bool {
    let last = if play.is_begun() { play.records().pop() } else { None };
    matches!(last.map(|last| last.fact), Some(Fact::Ended { ending: Ending::Suspended, effect: None, .. }))
}

/// The word for the question at which a run is suspended.
fn waiting(play: &Play<'_>) -> Option<String> {
    let history = play.history();
    let Some(Fact::Ended { ending: Ending::Suspended, effect: Some(id), .. }) = history.last() else { return None };
    let Action::Ask(ask) = &history.recorded(id)?.effect.action else { return None };
    Some(agreeing(&ask.form))
}

fn agreeing(form: &Form) -> String {
    let first = || form.words().first().cloned();
    form.affirmative().map(str::to_owned).or_else(first).unwrap_or_default()
}

/// The gates of a run that is steered like this.
fn gates(play: &Play<'_>, steering: &Steering) -> Vec<Rc<dyn Gate>> {
    let (names, mut gates) = (play.step_names(), Vec::<Rc<dyn Gate>>::new());
    if let Some(words) = &steering.until {
        let step = names.find(words).expect("a step");
        if !play.is_begun() || !reopening::came_behind(&play.history(), &step) {
            gates.push(Rc::new(UntilStep::new("sim".to_owned(), step)));
        }
    }
    if steering.step {
        gates.push(Rc::new(Stepwise::new("sim".to_owned(), Who::default(), names, Vec::new())));
    }
    gates
}

/// How it ended, an hour after.
pub(super) fn end(play: &Play<'_>, finished: &Finished) -> End {
    let words = finished.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
    play.estate.pass(3_600_000);
    let (mut asked_for, mut answered) = (BTreeSet::new(), BTreeSet::new());
    let mut questions = BTreeMap::new();
    for record in play.records() {
        match record.fact {
            Fact::Intent { id, effect, .. } => {
                if let Action::Ask(ask) = &effect.action {
                    questions.insert(id, ask.gate.clone());
                }
                asked_for.extend(asks(&effect));
            }
            Fact::Outcome { id, outcome: Outcome::Done { value, .. }, .. } => {
                answered.extend(questions.get(&id).map(|gate| format!("{gate}: {value}")));
            }
            _ => {}
        }
    }
    End { ending: finished.ending, words, site: play.summary(), deeds: play.deeds(), asked_for, answered }
}

/// What an effect asks for, but for what depends on when: from where a log is read, times in names, numbers in questions,
/// and how often something is looked at again.
fn asks(effect: &Effect) -> Option<String> {
    let text = match &effect.action {
        Action::Sleep { .. } => return None,
        Action::Ask(ask) => format!("{}: {}", ask.gate, ask.text.replace(|c: char| c.is_ascii_digit(), "")),
        Action::Log(wait) => format!("{} {:?} {:?} {:?}", effect.label, wait.want, wait.limit, wait.contact),
        action => format!("{} {action:?}", effect.label),
    };
    let words = text.split_inclusive(|c: char| !c.is_ascii_digit());
    Some(words.map(|word| if word.len() > 13 { "TIME " } else { word }).collect())
}

fn first<'a>(mut texts: impl Iterator<Item = &'a String>) -> String {
    texts.next().cloned().unwrap_or_default()
}

/// The jobs of a run that is gone through step by step which nobody was shown before they were asked for.
fn done_unasked(play: &Play<'_>) -> BTreeSet<EffectId> {
    if !play.steering().step {
        return BTreeSet::new();
    }
    let told = play.told();
    let shown: BTreeSet<&EffectId> =
        told.iter().filter_map(|event| if let Event::Ahead { id, .. } = event { Some(id) } else { None }).collect();
    let job = |record: Record| match record.fact {
        Fact::Intent { id, effect, .. } if matches!(effect.action, Action::Job(_)) => Some(id),
        _ => None,
    };
    play.records().into_iter().filter_map(job).filter(|id| !shown.contains(id)).collect()
}

/// The questions of a run that were put to its operator.
pub(super) fn questions(play: &Play<'_>) -> Vec<Question> {
    let history = play.history();
    let question = |record: Record| {
        let Fact::Intent { id, effect, .. } = record.fact else { return None };
        let Action::Ask(ask) = effect.action else { return None };
        let (form, gate) = match &ask.form {
            Form::Confirm => ("confirm", ask.gate.clone()),
            Form::Manual => ("manual", ask.gate.clone()),
            Form::Choose(_) => ("choose", ask.gate.clone()),
            Form::Write(_) => ("ask", ask.gate.clone()),
        };
        let answered = history.records().iter().find_map(|stored| match &stored.record.fact {
            Fact::Outcome { id: same, outcome: Outcome::Done { value, .. }, .. } if *same == id => Some(value.clone()),
            _ => None,
        })?;
        let text = |name: &str| answered.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
        (text("by") == "simulated operator").then(|| Question { form, gate, word: text("word") })
    };
    play.records().into_iter().filter_map(question).collect()
}
