//! What goes wrong in one play: faults of the site, and deaths of runners. Written as one line, which a person can read
//! and which plays it again: the seed of a counterexample. Nothing here acts.

use crate::error::{Error, Kind, Result};
use crate::model::span::Span;
use crate::sim::{Fault, Harm, Trigger};
use std::collections::BTreeMap;
use std::fmt;

/// Between the parts of a written schedule.
const BETWEEN: &str = " | ";

/// How a scenario is called where there is only one.
const ON_SITE: &str = "site";

/// A runner dies, and what is done then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Death {
    /// At which of the points it passes, from 1.
    pub at: u64,
    /// Whether the next one takes the run back instead of going on.
    pub back: bool,
}

/// What goes wrong in one play of a scene.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Schedule {
    /// The faults of the site.
    pub faults: Vec<Fault>,
    /// The deaths, by the number of the runner, from 0.
    pub deaths: BTreeMap<usize, Death>,
}

impl Schedule {
    /// Of these faults, in which nobody dies.
    #[must_use]
    pub fn of(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::default() }
    }

    /// The same in which a runner dies as well.
    #[must_use]
    pub fn dying(&self, runner: usize, death: Death) -> Self {
        let mut schedule = self.clone();
        schedule.deaths.insert(runner, death);
        schedule
    }

    /// In how many ways it departs from a calm night.
    #[must_use]
    pub fn len(&self) -> usize {
        self.faults.len() + self.deaths.len()
    }

    /// Whether it is a calm night.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every schedule with one departure less.
    pub fn smaller(&self) -> impl Iterator<Item = Self> + '_ {
        let faults = (0..self.faults.len()).map(|index| {
            let mut less = self.clone();
            less.faults.remove(index);
            less
        });
        let deaths = self.deaths.keys().map(|runner| {
            let mut less = self.clone();
            less.deaths.remove(runner);
            // Those who come after it come one earlier.
            less.deaths = less.deaths.into_iter().map(|(at, d)| (at - usize::from(at > *runner), d)).collect();
            less
        });
        faults.chain(deaths)
    }

    /// Reads a line that names a scenario, or `site`, and what goes wrong there.
    ///
    /// # Errors
    /// `Usage`, with the part that cannot be read.
    pub fn of_line(line: &str) -> Result<(&str, Self)> {
        let (scenario, schedule) = line.split_once(BETWEEN).unwrap_or((line, ""));
        let scenario = scenario.trim();
        Ok((if scenario == ON_SITE { "" } else { scenario }, Self::parse(schedule)?))
    }

    /// The line that names a scenario, or none, and what goes wrong there.
    #[must_use]
    pub fn line(&self, scenario: &str) -> String {
        let place = if scenario.is_empty() { ON_SITE } else { scenario };
        if self.is_empty() { place.to_owned() } else { format!("{place}{BETWEEN}{self}") }
    }

    /// Reads a written schedule.
    ///
    /// # Errors
    /// `Usage`, with the part that cannot be read.
    pub fn parse(text: &str) -> Result<Self> {
        let mut schedule = Self::default();
        for part in text.split(BETWEEN.trim()).map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = || {
                Error::new(Kind::Usage, format!("`{part}` is no part of a seed"))
                    .hint("copy the whole line that `baton verify` printed, in quotes")
            };
            if let Some(death) = part.strip_prefix("runner ") {
                let (runner, death) = death_of(death).ok_or_else(wrong)?;
                schedule.deaths.insert(runner, death);
            } else {
                let (at, harm) = part.split_once(" = ").ok_or_else(wrong)?;
                let (at, harm) = (trigger(at).ok_or_else(wrong)?, harm_of(harm).ok_or_else(wrong)?);
                schedule.faults.push(Fault { at, harm });
            }
        }
        Ok(schedule)
    }
}

impl fmt::Display for Schedule {
    /// One line; `calm` when nothing goes wrong.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.faults.iter().map(|fault| format!("{} = {}", fault.at, written(&fault.harm)));
        let deaths = self.deaths.iter().map(|(runner, Death { at, back })| {
            let then = if *back { ", then back" } else { "" };
            format!("runner {} dies at {at}{then}", runner + 1)
        });
        let parts: Vec<String> = faults.chain(deaths).collect();
        f.write_str(&parts.join(BETWEEN))
    }
}

fn death_of(text: &str) -> Option<(usize, Death)> {
    let (text, back) = match text.strip_suffix(", then back") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (runner, at) = text.split_once(" dies at ")?;
    Some((runner.parse::<usize>().ok()?.checked_sub(1)?, Death { at: at.parse().ok()?, back }))
}

/// As a [`Trigger`] is shown: `verb(subject) #nth`.
fn trigger(text: &str) -> Option<Trigger> {
    let (head, nth) = text.rsplit_once(" #")?;
    let (verb, subject) = head.strip_suffix(')')?.split_once('(')?;
    Some(Trigger { verb: verb.to_owned(), subject: subject.to_owned(), nth: nth.parse().ok()? })
}

/// A harm in few words, which [`harm_of`] reads.
fn written(harm: &Harm) -> String {
    let span = |ms: &u64| Span(*ms).to_string();
    match harm {
        Harm::FailsBefore => "fails before".to_owned(),
        Harm::FailsAfter => "fails after".to_owned(),
        Harm::ReplyLost => "reply lost".to_owned(),
        Harm::HostDown { ms } => format!("host away, {}", span(ms)),
        Harm::JobLost { happened: false } => "lost before".to_owned(),
        Harm::JobLost { happened: true } => "lost after".to_owned(),
        Harm::HostRestarts { ms } => format!("host restarts, {}", span(ms)),
        Harm::LogLate { ms } => format!("log late, {}", span(ms)),
        Harm::Nobody => "nobody answers".to_owned(),
        Harm::SaysNo => "answers no".to_owned(),
        Harm::Says { word } => format!("answers: {word}"),
        Harm::AnswersLate { ms } => format!("answers late, {}", span(ms)),
        Harm::Slow { ms } => format!("slow, {}", span(ms)),
        Harm::ProbeFails => "cannot tell".to_owned(),
        Harm::LinkCut { host, ms } => format!("cut off {host}, {}", span(ms)),
        Harm::HostDies { host, ms } => format!("restart {host}, {}", span(ms)),
        Harm::Suffers { service, fault } => format!("{service}: {fault}"),
        Harm::LineMissing { service } => format!("line missing {service}"),
        Harm::LineDoubled { service } => format!("line doubled {service}"),
        Harm::LineSwapped { service } => format!("line swapped {service}"),
        Harm::Goes { way } => format!("way {way}"),
    }
}

fn harm_of(text: &str) -> Option<Harm> {
    let (head, ms) = match text.rsplit_once(", ").and_then(|(head, span)| Some((head, Span::parse(span).ok()?))) {
        Some((head, Span(ms))) => (head, Some(ms)),
        None => (text, None),
    };
    let named = |lead: &str| head.strip_prefix(lead).map(str::to_owned);
    Some(match (head, ms) {
        ("fails before", None) => Harm::FailsBefore,
        ("fails after", None) => Harm::FailsAfter,
        ("reply lost", None) => Harm::ReplyLost,
        ("lost before", None) => Harm::JobLost { happened: false },
        ("lost after", None) => Harm::JobLost { happened: true },
        ("nobody answers", None) => Harm::Nobody,
        ("answers no", None) => Harm::SaysNo,
        ("cannot tell", None) => Harm::ProbeFails,
        ("host away", Some(ms)) => Harm::HostDown { ms },
        ("host restarts", Some(ms)) => Harm::HostRestarts { ms },
        ("log late", Some(ms)) => Harm::LogLate { ms },
        ("answers late", Some(ms)) => Harm::AnswersLate { ms },
        ("slow", Some(ms)) => Harm::Slow { ms },
        (_, Some(ms)) if head.starts_with("cut off ") => Harm::LinkCut { host: named("cut off ")?, ms },
        (_, Some(ms)) if head.starts_with("restart ") => Harm::HostDies { host: named("restart ")?, ms },
        _ => return nameless(text),
    })
}

/// Harms that a word of somebody else's ends.
fn nameless(text: &str) -> Option<Harm> {
    let named = |lead: &str| text.strip_prefix(lead).map(str::to_owned);
    if let Some(word) = named("answers: ") {
        return Some(Harm::Says { word });
    }
    if let Some(service) = named("line missing ") {
        return Some(Harm::LineMissing { service });
    }
    if let Some(service) = named("line doubled ") {
        return Some(Harm::LineDoubled { service });
    }
    if let Some(service) = named("line swapped ") {
        return Some(Harm::LineSwapped { service });
    }
    if let Some(way) = named("way ") {
        return Some(Harm::Goes { way: way.parse().ok()? });
    }
    let (service, fault) = text.split_once(": ")?;
    Some(Harm::Suffers { service: service.to_owned(), fault: fault.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{Death, Schedule};
    use crate::model::span::Span;
    use crate::sim::{Fault, Harm, Trigger};

    #[test]
    fn a_written_schedule_is_read_as_what_it_was() {
        let at = || Trigger { verb: "at probe role".to_owned(), subject: "c1".to_owned(), nth: 3 };
        let (host, service) = ("cfg-a".to_owned(), "c1".to_owned());
        let ms = Span::mins(10).0;
        let harms = [
            Harm::FailsBefore,
            Harm::FailsAfter,
            Harm::ReplyLost,
            Harm::HostDown { ms },
            Harm::JobLost { happened: true },
            Harm::JobLost { happened: false },
            Harm::HostRestarts { ms },
            Harm::LogLate { ms },
            Harm::Nobody,
            Harm::SaysNo,
            Harm::Says { word: "stop it, and have upgrade mode forced".to_owned() },
            Harm::AnswersLate { ms },
            Harm::Slow { ms },
            Harm::ProbeFails,
            Harm::LinkCut { host: host.clone(), ms },
            Harm::HostDies { host, ms },
            Harm::Suffers { service: service.clone(), fault: "is stopped by somebody".to_owned() },
            Harm::LineMissing { service: service.clone() },
            Harm::LineDoubled { service: service.clone() },
            Harm::LineSwapped { service },
            Harm::Goes { way: 2 },
        ];
        let faults = harms.into_iter().map(|harm| Fault { at: at(), harm }).collect();
        let mut schedule = Schedule::of(faults).dying(0, Death { at: 45, back: false });
        schedule = schedule.dying(1, Death { at: 7, back: true });
        assert_eq!(Schedule::parse(&schedule.to_string()).unwrap(), schedule, "{schedule}");
        assert!(Schedule::parse("whatever").unwrap_err().message.contains("whatever"));
    }
}
