//! What the tracks of a run wait for, when it is told again, and which records of logs were seen meanwhile. It must not
//! write anything: the screen does.

use crate::model::run::effect::{Action, Class, Effect};
use crate::model::run::instant::Wall;
use crate::model::run::record::{EffectId, TrackId};
use crate::model::site::layout::Records;
use crate::model::span::Span;
use crate::model::text::shown;
use crate::model::value::Value;
use crate::report::layout::{log_words, shortened, width};
use std::collections::{BTreeMap, BTreeSet};

/// Off a terminal, an effect that goes on waiting for the same thing says so again after this time, then after twice
/// as long, and so on.
const HEARTBEAT: Span = Span::secs(30);
/// But never after longer than this: who reads a log file wants to see that it lives.
const HEARTBEAT_MAX: Span = Span::mins(10);

/// With less room than this a line does not tell what is waited for.
const LEGIBLE: usize = 24;

/// What a track waits for, over all the pauses between two looks.
struct Wait {
    what: String,
    since: Wall,
    /// When it was last said, and after how long it is said again.
    said: Wall,
    pause: Span,
}

/// A record of a log that came again, and was not told for it.
pub(super) struct Repeated {
    /// The event's number.
    number: Option<i64>,
    /// The record and how often it came by now, safe to show.
    pub(super) words: String,
    /// When it came last.
    pub(super) wall: Wall,
}

/// The waits under way.
#[derive(Default)]
pub(super) struct Waits {
    of_tracks: BTreeMap<TrackId, Wait>,
    /// Waits of whose logs something was told.
    told: BTreeSet<EffectId>,
    repeated: BTreeMap<EffectId, Repeated>,
    /// The expressions of each profile, compiled once: a log may have very many records.
    records: BTreeMap<Vec<String>, Records>,
}

/// A wait as it is told now.
pub(super) struct WaitLine {
    /// What is waited for, and how it stands.
    what: String,
    /// How much longer at the most, with the comma before it.
    left: String,
    /// Since when.
    since: Wall,
    /// Whether it is due on a page that cannot be rewritten.
    pub(super) is_due: bool,
}

impl WaitLine {
    /// All of it.
    pub(super) fn words(&self) -> String {
        format!("{}{}", self.what, self.left)
    }

    /// The same on one line, with how long it has lasted. Where that is too wide it loses what is least missed: how
    /// much time is left stays, and so does a count, with which the words begin or end.
    pub(super) fn line(&self, now: Wall, columns: usize) -> String {
        let Self { what, left, since, .. } = self;
        let lasts = format!(" ({})", now.since(*since));
        let all = [("… waiting: ", lasts.as_str()), ("… ", &lasts), ("… ", "")];
        let fits = all.iter().map(|(head, lasts)| format!("{head}{what}{left}{lasts}"));
        fits.into_iter().find(|line| width(line) <= columns).unwrap_or_else(|| {
            let room = |lasts: &str| columns.saturating_sub(2 + width(left) + width(lasts));
            let lasts = if room(&lasts) >= LEGIBLE { lasts.as_str() } else { "" };
            format!("… {}{left}{lasts}", shortened(what, room(lasts)))
        })
    }
}

impl Waits {
    /// A wait says what it is for.
    pub(super) fn waiting(
        &mut self,
        id: &EffectId,
        of: Option<&(Effect, Wall)>,
        (what, reading): (&str, &str),
        left: Option<Span>,
        now: Wall,
    ) -> WaitLine {
        let effect = of.map(|(effect, _)| effect);
        let left = left.map_or_else(String::new, |left| format!(", {left} left"));
        let (what, reading) = (shown(what), shown(reading));
        let what = match effect {
            Some(effect) if matches!(effect.action, Action::Log(_)) => format!("{}: {what}", shown(&effect.label)),
            Some(_) | None => what,
        };
        let reading = if reading.is_empty() { reading } else { format!(" ({reading})") };
        let stands = format!("{what}{reading}");
        // What a look has read may be part of the words: it is the same wait.
        let key = effect.filter(|effect| effect.is_pause()).map_or(what, |effect| effect.label.clone());
        let known = self.of_tracks.get(&id.track).filter(|wait| wait.what == key);
        // What a change waits for is of interest only when it takes long; what a wait waits for, at once.
        let is_change = effect.is_some_and(|effect| effect.class() != Class::Wait);
        let begun = of.map_or(now, |(_, since)| *since);
        let (since, said) = match known {
            Some(wait) => (wait.since, Some((wait.said, wait.pause))),
            None => (begun, is_change.then_some((begun, HEARTBEAT))),
        };
        let (is_due, said, pause) = match said {
            Some((said, pause)) if now.since(said) < pause => (false, said, pause),
            Some((_, pause)) => (true, now, Span(pause.0.saturating_mul(2)).min(HEARTBEAT_MAX)),
            None => (true, now, HEARTBEAT),
        };
        self.of_tracks.insert(id.track.clone(), Wait { what: key, since, said, pause });
        WaitLine { what: stands, left, since, is_due }
    }

    /// The wait of this track is over.
    pub(super) fn over(&mut self, track: &TrackId) {
        self.of_tracks.remove(track);
    }

    /// A record of a log was seen. The words to tell it by when it is the first of its kind; what came again is kept,
    /// to be told once, by its number.
    pub(super) fn seen(
        &mut self,
        id: &EffectId,
        of: Option<&(Effect, Wall)>,
        service: &str,
        (number, times): (Option<i64>, usize),
        line: &str,
        wall: Wall,
    ) -> Option<String> {
        self.told.insert(id.clone());
        let records = match of.map(|(effect, _)| &effect.action) {
            Some(Action::Log(wait)) => &wait.source.event_patterns[..],
            Some(_) | None => &[],
        };
        let words = format!("{}: {}", shown(service), log_words(number, line, self.records(records)));
        if times <= 1 {
            return Some(words);
        }
        let words = format!("{words} ({times} times by now)");
        self.repeated.insert(id.clone(), Repeated { number, words, wall });
        None
    }

    fn records(&mut self, expressions: &[String]) -> &Records {
        if !self.records.contains_key(expressions) {
            self.records.insert(expressions.to_vec(), Records::of(expressions));
        }
        self.records.entry(expressions.to_vec()).or_default()
    }

    /// What came again and was not told: of this wait, unless it is of event `number`, which comes again.
    pub(super) fn take_repeated(&mut self, id: &EffectId, number: Option<i64>) -> Option<Repeated> {
        let is_other = self.repeated.get(id).is_some_and(|kept| number.is_none() || kept.number != number);
        if is_other { self.repeated.remove(id) } else { None }
    }

    /// What a wait that is over has seen in its log, by its outcome: nothing where it was told when it came.
    pub(super) fn in_log(&mut self, id: &EffectId, effect: &Effect, value: &Value) -> Vec<(String, Option<String>)> {
        let (Action::Log(wait), false) = (&effect.action, self.told.remove(id)) else { return Vec::new() };
        let service = shown(effect.service.as_deref().unwrap_or_default());
        let meaning = |number: &str| wait.source.meanings.get(number).map(|text| shown(text));
        if let Some(line) = value.get("line").and_then(Value::as_text) {
            let number = value.get("event").and_then(Value::as_int);
            let records = self.records(&wait.source.event_patterns);
            let words = format!("{service}: {}", log_words(number, line, records));
            return vec![(words, number.and_then(|number| meaning(&number.to_string())))];
        }
        let counts = value.get("counts");
        let mut told = Vec::new();
        let Some(Value::List(events)) = value.get("events") else { return told };
        for event in events {
            let number = event.to_string();
            let times = counts.and_then(|counts| counts.get(&number)).and_then(Value::as_int).unwrap_or(1);
            let times = if times > 1 { format!(" ({times} times)") } else { String::new() };
            let entry = (format!("{service}: {number}{times}"), meaning(&number));
            if !told.contains(&entry) {
                told.push(entry);
            }
        }
        told
    }
}
