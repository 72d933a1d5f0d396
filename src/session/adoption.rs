//! Other texts for a run that is under way: whether what is on record still fits them, found by a replay that can ask
//! nothing of any host and writes nothing; and what becomes of the run's parameters. It carries nothing out.

use super::opening::look_into;
use super::replaying::{perform, retrace};
use super::texts::{Prepared, snapshot};
use super::verdict::{OperatorRuling, reopening_edited};
use crate::dispatch::{Dispatcher, Door, Halt};
use crate::error::{Error, Kind, Result};
use crate::journal::Store;
use crate::journal::adopting;
use crate::journal::history::{EffectState, History, Past};
use crate::model::run::effect::Action;
use crate::model::run::record::{EffectId, Fact, Moment, Record, Who};
use crate::model::span::Span;
use crate::model::value::Fields;
use crate::script::compile::edits;
use crate::script::evaluate::script_end::ScriptEnd;
use crate::world::nowhere::Nowhere;
use crate::world::request::LookAtJob;
use crate::world::{Completion, HasReply, JobId, JobState, Ticket, World};
use std::collections::BTreeMap;

/// How long a host may take to say how a job stands.
const PATIENCE: Span = Span::mins(1);

/// Other texts that fit the record of a run.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// Whether they are other texts at all.
    pub differs: bool,
    /// What differs, in words: one line a step or file.
    pub changes: Vec<String>,
    /// Changes that had failed and are not asked for again: they must not run any more.
    superseded: Vec<Superseded>,
}

/// A change that had failed and that the new texts do not ask for again.
#[derive(Debug, Clone)]
struct Superseded {
    host: String,
    job: JobId,
    label: String,
}

/// Whether a run can go on with these texts from where it stands; `verdict` is a person's word on what stopped it.
///
/// # Errors
/// `Refused`, naming the first thing that does not fit. `Script` when a parameter has no value, or when the texts
/// fail before they come to where the run stands. Nothing is written and nothing asked of any host.
pub fn fit(
    prepared: &Prepared,
    store: &dyn Store,
    run: &str,
    history: &History,
    verdict: &OperatorRuling,
) -> Result<Adoption> {
    let before = snapshot(store, history)?;
    let edits = edits::compare(&before.files, &prepared.texts.files);
    let params = params(prepared, history)?;
    let (at, by) = (Moment::default(), Who::default());
    let mut opening = reopening_edited(run, history, verdict.clone(), &at, &by)?;
    opening.push(Fact::Adopted { sources: BTreeMap::new(), changes: Vec::new() }.by(by, at));
    let mut past = history.clone();
    past.add(opening)?;
    let replayed = Replayed::of(prepared, run, past, params)?;
    replayed.check(prepared, run)?;
    let met = replayed.door.met();
    let (mut superseded, mut lines) = (Vec::new(), Vec::new());
    lines.push(match edits.unchanged {
        1 => "1 step unchanged".to_owned(),
        n => format!("{n} steps unchanged"),
    });
    lines.extend(edits.lines);
    for given_up in adopting::given_up(&replayed.history, &met) {
        superseded.extend(job_of(run, &given_up));
        if let EffectState::Answered { word, by, .. } = given_up.state {
            let question = &given_up.effect.label;
            lines.push(format!("the answer `{word}` of {by} lapses: it was given to another text of `{question}`"));
        }
    }
    Ok(Adoption { differs: before.files != prepared.texts.files, changes: lines, superseded })
}

fn params(prepared: &Prepared, history: &History) -> Result<Fields> {
    let kept = prepared.program.kept_params(&history.begun().params);
    let missing = prepared.program.params().iter().find(|one| one.default.is_none() && !kept.contains_key(&one.name));
    if let Some(decl) = missing {
        let message = format!("the edited runbook needs a parameter `{}`, which the run was begun without", decl.name);
        return Err(Error::new(Kind::Script, message)
            .at(decl.place.clone())
            .hint("nothing was written")
            .hint(format!("give it a default: param(\"{}\", #{{ default: … }})", decl.name)));
    }
    prepared.program.resolve_params(&kept).map_err(|mut error| {
        error.hints = vec!["nothing was written; the parameters of a run stay what they were".to_owned()];
        error
    })
}

/// The job of a change that is given up.
fn job_of(run: &str, past: &Past<'_>) -> Option<Superseded> {
    let host = past.effect.host.clone().filter(|_| matches!(past.effect.action, Action::Job(_)))?;
    let job = JobId { run: run.to_owned(), effect: past.id.clone(), attempt: past.attempt };
    Some(Superseded { host, job, label: past.effect.label.clone() })
}

/// A replay with effects off.
struct Replayed {
    door: std::rc::Rc<Dispatcher>,
    history: History,
    end: ScriptEnd,
}

impl Replayed {
    fn of(prepared: &Prepared, run: &str, history: History, params: Fields) -> Result<Self> {
        let door = look_into(prepared, Box::new(Nowhere), run, &history)?;
        let back = history.way_back().is_some();
        door.set_replay_only(true);
        let end = if back {
            retrace(prepared, &door, params).unwrap_or(ScriptEnd::Halted)
        } else {
            perform(prepared, &door, params)
        };
        Ok(Self { door, history, end })
    }

    /// Whether the script came to everything on record, as it is there.
    fn check(&self, prepared: &Prepared, run: &str) -> Result<()> {
        if let Some(Halt { mut error, effect, .. }) = self.door.halt_reason() {
            if let Some(place) = error.place.take() {
                error.snippet = prepared.program.snippet(&place).map(Box::new);
                error.place = Some(place);
            }
            error.hints.clear();
            if self.is_under_way(effect.as_ref()) {
                error.hints.push(format!("it is under way: see it to its end first: baton resume {run}"));
            }
            error.message = format!("the edited text does not fit the record: {}", self.named(&error, effect.as_ref()));
            return Err(refused(error, run));
        }
        if let ScriptEnd::Bug(error) = &self.end {
            return Err(error.clone().hint("nothing was written"));
        }
        let met = self.door.met();
        let Some(unmet) = adopting::unmet(&self.history, &met) else { return Ok(()) };
        let place = in_step(unmet.step, unmet.name);
        let message = format!("the edited text does not fit the record: it does not come to all of it{place}");
        let recorded = unmet.label.map_or_else(|| format!("step `{}`", unmet.name), |label| format!("`{label}`"));
        let mut error = Error::new(Kind::Refused, message).cause(format!("recorded  {recorded}"));
        error = match &self.end {
            ScriptEnd::Failed { error: failure, .. } => {
                error.place.clone_from(&failure.place);
                error.cause(format!("attempted nothing: it fails first: {}", failure.message))
            }
            ScriptEnd::Done | ScriptEnd::Held { .. } | ScriptEnd::Bug(_) | ScriptEnd::Halted => {
                error.cause("attempted nothing")
            }
        };
        Err(refused(error, run))
    }

    fn is_under_way(&self, effect: Option<&EffectId>) -> bool {
        effect.and_then(|id| self.history.recorded(id)).is_some_and(|past| past.state == EffectState::Open)
    }

    /// A refusal of the door, with the name of the step on record.
    fn named(&self, error: &Error, effect: Option<&EffectId>) -> String {
        let past = effect.and_then(|id| self.history.recorded(id));
        let place = past.map(|past| {
            let name = adopting::step_name(&self.history, &past.id.track, past.step).unwrap_or_default();
            in_step(past.step, name)
        });
        format!("{}{}", error.message, place.unwrap_or_default())
    }
}

fn in_step(number: &str, name: &str) -> String {
    match (number, name) {
        ("", _) => String::new(),
        (number, "") => format!(", in step {number}"),
        (number, name) => format!(", in step {number} `{name}`"),
    }
}

fn refused(error: Box<Error>, run: &str) -> Box<Error> {
    error
        .hint("nothing was written; what is done must stay in the text as it is, what failed or comes later may change")
        .hint(format!("put it back, then again: baton resume {run} --adopt-edited"))
}

impl Adoption {
    /// What goes into the record.
    ///
    /// # Errors
    /// When a text cannot be stored.
    pub(crate) fn record(&self, prepared: &Prepared, store: &mut dyn Store, at: Moment, by: Who) -> Result<Record> {
        let mut sources = BTreeMap::new();
        for (name, text) in &prepared.texts.files {
            sources.insert(name.clone(), store.put_source(text)?);
        }
        Ok(Fact::Adopted { sources, changes: self.changes.clone() }.by(by, at))
    }

    /// Whether what had failed and is given up does not run any more.
    ///
    /// # Errors
    /// `Refused` when it runs, or when nobody can tell.
    pub(crate) fn check_given_up(&self, world: &mut dyn World, run: &str) -> Result<()> {
        for Superseded { host, job, label } in &self.superseded {
            let until = world.now().mono + PATIENCE;
            let (host_of, job, asked) = (host.clone(), job.clone(), None);
            world.submit(Ticket(0), LookAtJob { host: host_of, job, asked, kept_in: None, until }.into());
            let seen = match world.next_result() {
                Completion::Reply(_, came) => LookAtJob::came_back(came).ok(),
                Completion::Told(_) | Completion::Interrupted | Completion::Idle => None,
            };
            let why = match seen {
                Some(JobState::Absent | JobState::Exited(_) | JobState::Lost(_) | JobState::Foreign) => continue,
                Some(JobState::Running) => format!("`{label}` still runs on `{host}`"),
                None => format!("nobody can tell whether `{label}` still runs on `{host}`"),
            };
            return Err(Error::new(Kind::Refused, why)
                .cause("the edited text asks for something else in its place, which must not meet it")
                .hint("nothing was written; wait for its end")
                .hint(format!("then again: baton resume {run} --adopt-edited")));
        }
        Ok(())
    }
}
