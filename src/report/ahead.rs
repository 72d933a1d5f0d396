//! What is about to happen, as it is shown before a person lets it go: the deed, the command behind it, what a crash
//! would mean, and what undoes it. Pure: an effect in, lines out. Nothing of it is obeyed by a terminal.

use crate::model::run::effect::{Action, Class, Effect, Job, Transfer, Want};
use crate::model::run::place::PlaceData;
use crate::model::text::lines_shown;
use crate::model::value::Value;

/// What a line is about, and its words, safe to show.
type AheadLine = (&'static str, String);

/// The lines that tell of an effect that stands in this step, at this place.
#[must_use]
pub fn lines(effect: &Effect, attempt: u32, step: (&str, &str), place: Option<&PlaceData>) -> Vec<AheadLine> {
    let mut lines = match &effect.action {
        Action::Job(job) => change(effect, job),
        Action::Put(file) => carried(&file.local, &file.remote, file),
        Action::Fetch(file) => carried(&file.remote, &file.local, file),
        Action::Log(wait) => vec![("log", log(&wait.want)), ("limit", wait.limit.to_string())],
        Action::Until(until) => {
            let wants: Vec<String> = until.wants.iter().map(|value| format!("`{value}`")).collect();
            let what = format!("{} to read {}", until.probe.what, wants.join(" or "));
            vec![("probe", what), ("command", command(&until.probe.argv)), ("limit", until.limit.to_string())]
        }
        Action::Sleep { span, .. } => vec![("waits", span.to_string())],
        Action::Probe(probe) => vec![("command", command(&probe.argv))],
        Action::Ask(ask) => vec![("asks", ask.text.clone())],
        Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => Vec::new(),
    };
    if let Some(service) = &effect.service {
        let on = effect.host.as_ref().map_or_else(String::new, |host| format!(" on {host}"));
        lines.insert(0, ("service", format!("{service}{on}")));
    } else if let Some(host) = &effect.host {
        lines.insert(0, ("host", host.clone()));
    }
    lines.push(("class", class(effect.class()).to_owned()));
    if attempt > 1 {
        lines.push(("again", again(effect, attempt)));
    }
    lines.push(("undo", undo(effect)));
    lines.push(("where", place_in_runbook(step, place)));
    lines.into_iter().map(|(word, text)| (word, lines_shown(&text))).collect()
}

/// What a further attempt at an effect is: with a goal it is looked at again, and started only where it does not hold.
#[must_use]
pub fn again(effect: &Effect, attempt: u32) -> String {
    match &effect.action {
        Action::Job(job) if job.goal.is_some() => "looked at again: started only if it is not so already".to_owned(),
        Action::Job(_) | Action::Put(_) | Action::Fetch(_) => format!("attempt {attempt}"),
        Action::Probe(_) | Action::Log(_) | Action::Until(_) | Action::Sleep { .. } | Action::Ask(_) => {
            "once more".to_owned()
        }
        Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => "once more".to_owned(),
    }
}

fn change(effect: &Effect, job: &Job) -> Vec<AheadLine> {
    let mut lines = vec![("verb", job.verb.clone())];
    if job.argv.is_empty() {
        lines.push(("command", format!("none is known for `{}`", effect.label)));
    } else {
        lines.push(("command", command(&job.argv)));
    }
    if let Some(goal) = &job.goal {
        let wants: Vec<String> = goal.wants.iter().map(|value| format!("`{value}`")).collect();
        lines.push(("goal", format!("{} reads {}", goal.probe.what, wants.join(" or "))));
    }
    lines.push(("limit", job.limit.to_string()));
    lines
}

fn carried(from: &str, to: &str, file: &Transfer) -> Vec<AheadLine> {
    vec![("from", from.to_owned()), ("to", to.to_owned()), ("limit", file.limit.to_string())]
}

/// A command as the list of its words: no shell reads it, so none needs quoting but for the eye.
fn command(argv: &[String]) -> String {
    let plain = |word: &String| !word.is_empty() && !word.chars().any(|c| c.is_whitespace() || "\"'[],".contains(c));
    let words = argv.iter().map(|word| if plain(word) { word.clone() } else { format!("{word:?}") });
    words.collect::<Vec<_>>().join(" ")
}

fn log(want: &Want) -> String {
    match want {
        Want::Match { events, patterns } => {
            let events = events.iter().map(ToString::to_string);
            let wanted: Vec<String> = events.chain(patterns.iter().map(|pattern| format!("\"{pattern}\""))).collect();
            format!("the first record that is {}", wanted.join(" or "))
        }
        Want::Table(_) => "what it tells, by a decision table".to_owned(),
    }
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Idempotent => "idempotent: applied again only if need be",
        Class::Once => "once: never repeated without evidence",
        Class::Wait => "wait: changes nothing; a crash adds no time",
        Class::Probe => "probe: changes nothing",
        Class::Human => "human: asks a person",
        Class::Meta => "note: changes nothing",
    }
}

/// What undoes it, in words.
fn undo(effect: &Effect) -> String {
    let Some(undo) = &effect.undo else {
        return match effect.class() {
            Class::Idempotent | Class::Once => "nothing by itself; its step may say how".to_owned(),
            Class::Probe | Class::Wait | Class::Human | Class::Meta => "there is nothing to undo".to_owned(),
        };
    };
    let service = effect.service.as_deref().unwrap_or_default();
    match undo.args.get("former") {
        None | Some(Value::Null) => format!("{}({service})", undo.verb),
        Some(former) if former.to_string().is_empty() => format!("{}({service}), it was empty before", undo.verb),
        Some(former) => format!("{}({service}), it was `{former}` before", undo.verb),
    }
}

fn place_in_runbook((number, name): (&str, &str), place: Option<&PlaceData>) -> String {
    let step = if number.is_empty() { "outside steps".to_owned() } else { format!("step {number} {name}") };
    match place {
        Some(place) => format!("{step}, {}:{}", place.file, place.line),
        None => step,
    }
}
