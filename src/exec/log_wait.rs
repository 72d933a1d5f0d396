//! Waiting for records of a log: the loop that reads, minds the clock and watches whether the service still runs.
//! What ends the wait is for a [`Seeker`] to say: [`Match`] seeks one line, `log_table` runs a decision table.

use crate::exec::calls::EffectSite;
use crate::exec::deadline::deadline;
use crate::exec::log_reader::LogReader;
use crate::exec::log_table::TableRun;
use crate::exec::order::{ExecResult, Order};
use crate::exec::probe::{self, Allowed};
use crate::exec::reading::wanted;
use crate::exec::scan::{Hit, Scanner};
use crate::exec::seeker::{CountedLines, Seeker, text};
use crate::exec::sight::LogSight;
use crate::exec::waiting::Heartbeat;
use crate::model::run::effect::{ExitWatch, FailureKind, LogWait, Outcome, Want};
use crate::model::run::event::Event;
use crate::model::run::instant::Mono;
use crate::model::span::Span;
use crate::model::text::shown;
use crate::model::value::Value;
use crate::world::{Link, Stopped};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most of the last line that a message shows, in characters.
const LAST_SHOWN: usize = 120;

/// How long the last look may take when the limit is over already.
const LAST_LOOK: Span = Span::secs(10);

/// How long a time that is over waits for a log that cannot be seen, until it is looked at again.
const BLIND_PAUSE: Span = Span::secs(1);

/// The shortest pause between two looks whether the service runs.
const OFTENEST: Span = Span(100);

/// Performs a wait on a log.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, wait: &LogWait) -> Result<ExecResult, Stopped> {
    let site = match EffectSite::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let (events, patterns) = match &wait.want {
        Want::Match { events, patterns } => (events.as_slice(), patterns.as_slice()),
        Want::Table(_) => (wait.source.events.as_slice(), &[][..]),
    };
    let scanner = match order.scanners.get(&wait.source.event_patterns, events, patterns) {
        Ok(scanner) => scanner,
        Err(message) => return Ok(ExecResult::failed(FailureKind::Unreadable, message)),
    };
    let seen = CountedLines {
        link,
        id: order.id,
        service: site.name(),
        meanings: &wait.source.meanings,
        times: BTreeMap::new(),
    };
    match &wait.want {
        Want::Match { .. } => {
            let awaits = sought(events, patterns, &wait.source.meanings);
            run(link, order, wait, site, &mut Match { scanner, seen, found: None, awaits })
        }
        Want::Table(table) => {
            let contact = wait.contact.map(|contact| deadline(order.since, contact, &link.now()));
            run(link, order, wait, site, &mut TableRun::new(table, scanner, seen, contact))
        }
    }
}

fn run(
    link: &dyn Link,
    order: Order<'_>,
    wait: &LogWait,
    site: EffectSite<'_>,
    seeker: &mut dyn Seeker,
) -> Result<ExecResult, Stopped> {
    let deadline = deadline(order.since, wait.limit, &link.now());
    let mut reader = LogReader::new(link, site.host, &wait.source, &wait.from);
    let mut beat = Heartbeat::begin(link, order.id, format!("waits for {}", seeker.awaits()), deadline);
    let mut exit = wait.exit.as_ref().map(|watch| Exit { watch, next: link.now().mono + watch.every });
    reader.look(deadline, &mut |lines| seeker.lines(lines))?;
    if order.recovering {
        tell_of_absence(link, site, &reader);
    }
    loop {
        let now = link.now().mono;
        let gone = match &mut exit {
            Some(exit) if exit.next <= now => exit.look(link, site, deadline)?,
            Some(_) | None => false,
        };
        let timer = seeker.timer();
        let mut blind = false;
        if seeker.result().is_none() && (gone || now >= deadline || timer.is_some_and(|timer| timer <= now)) {
            // What time or an exit means depends on the lines written before: look once more, then decide.
            let until = deadline.max(now + LAST_LOOK);
            reader.look(until, &mut |lines| seeker.lines(lines))?;
            if seeker.result().is_none() {
                reader.look_at_unfinished(&mut |line| seeker.unfinished(line))?;
            }
            if seeker.result().is_none() {
                // From the silence of a log that cannot be seen nothing follows.
                let sight = reader.sight();
                match &sight {
                    LogSight::Quiet | LogSight::Seen | LogSight::Hidden(_) if gone => seeker.gone(),
                    LogSight::Quiet | LogSight::Seen if now >= deadline => seeker.over(),
                    LogSight::Quiet | LogSight::Seen if seeker.timer() == timer => seeker.timer_over(),
                    LogSight::Quiet | LogSight::Seen => {}
                    LogSight::Hidden(hidden) if now >= deadline || hidden.lasts() => {
                        let message =
                            format!("{}; {}", not_come(wait, seeker, now >= deadline), state_of(&reader, &sight));
                        return Ok(ExecResult::failed(hidden.kind(), message));
                    }
                    LogSight::Hidden(_) => blind = true,
                }
            }
        }
        if let Some(value) = seeker.result() {
            return Ok(ExecResult::Outcome(Outcome::Done { value, mark: Some(reader.mark()) }));
        }
        if gone {
            let message = format!("`{}` is not running any more; {}", site.name(), state_of(&reader, &reader.sight()));
            return Ok(ExecResult::failed(FailureKind::Exit, message));
        }
        if now >= deadline {
            let message = format!("{}; {}", not_come(wait, seeker, true), state_of(&reader, &reader.sight()));
            return Ok(ExecResult::failed(FailureKind::Limit, message));
        }
        beat.wait_for(format!("waits for {}", seeker.awaits()));
        beat.tick();
        // While nothing can be seen, a time that is over waits as well.
        let timer = if blind { Some(link.now().mono + BLIND_PAUSE) } else { seeker.timer() };
        let next = [Some(beat.next()), exit.as_ref().map(|exit| exit.next), timer];
        let until = next.into_iter().flatten().fold(deadline, Mono::min);
        reader.await_change(until, deadline, &mut |lines| seeker.lines(lines))?;
    }
}

/// Who takes up a wait says at once what has become of its log meanwhile: nobody was there to see it.
fn tell_of_absence(link: &dyn Link, site: EffectSite<'_>, reader: &LogReader<'_>) {
    let hidden = match reader.sight() {
        LogSight::Hidden(hidden) if hidden.lasts() => Some(hidden.to_string()),
        LogSight::Hidden(_) | LogSight::Quiet | LogSight::Seen => None,
    };
    for what in hidden.into_iter().chain(reader.absence()) {
        link.tell(Event::Notice { text: format!("log of `{}`: {what}", site.name()) });
    }
}

/// That what is waited for did not come, in words.
fn not_come(wait: &LogWait, seeker: &dyn Seeker, over: bool) -> String {
    let what = seeker.awaits();
    if over { format!("{what} did not come within {}", wait.limit) } else { format!("{what} did not come in time") }
}

/// The watch whether a service still runs.
struct Exit<'a> {
    watch: &'a ExitWatch,
    next: Mono,
}

impl Exit<'_> {
    /// Whether it is known to be gone. A probe that fails tells nothing.
    fn look(&mut self, link: &dyn Link, site: EffectSite<'_>, deadline: Mono) -> Result<bool, Stopped> {
        let read = probe::read(link, site, &self.watch.probe, Allowed::until(deadline))?;
        self.next = link.now().mono + self.watch.every.max(OFTENEST);
        Ok(read.is_ok_and(|value| wanted(std::slice::from_ref(&self.watch.gone), &value)))
    }
}

/// The line that a wait for events or expressions looks for, in words.
fn sought(events: &[i64], patterns: &[String], meanings: &BTreeMap<String, String>) -> String {
    let meaning = |number: &i64| meanings.get(&number.to_string()).map(|text| format!(" ({text})"));
    let events = events.iter().map(|number| format!("event {number}{}", meaning(number).unwrap_or_default()));
    let patterns = patterns.iter().map(|pattern| format!("`{pattern}`"));
    format!("a line with {}", events.chain(patterns).collect::<Vec<_>>().join(" or "))
}

/// How far a log was read, and why not further, in words.
fn state_of(reader: &LogReader<'_>, sight: &LogSight) -> String {
    let last = || shown(&text(&reader.last).chars().take(LAST_SHOWN).collect::<String>());
    let lines = match (reader.lines, sight) {
        (0, LogSight::Hidden(_)) => None,
        (0, LogSight::Quiet | LogSight::Seen) => Some("no new line was read".to_owned()),
        (1, _) => Some(format!("1 line was read: `{}`", last())),
        (more, _) => Some(format!("{more} lines were read, the last was `{}`", last())),
    };
    let hidden = match sight {
        LogSight::Hidden(hidden) => Some(hidden.to_string()),
        LogSight::Quiet | LogSight::Seen => None,
    };
    // What matters most comes first: a long message is cut at its end.
    hidden.into_iter().chain(reader.remarks()).chain(lines).collect::<Vec<_>>().join("; ")
}

/// Seeks the first line that records one of some events or matches one of some expressions.
struct Match<'a> {
    scanner: Rc<Scanner>,
    seen: CountedLines<'a>,
    found: Option<Value>,
    awaits: String,
}

impl Match<'_> {
    /// Keeps the line that ends the wait. Where the next one begins.
    fn found(&mut self, hit: &Hit<'_>) -> usize {
        self.seen.tell(hit);
        let captures = self.scanner.captures(hit).into_iter().map(Value::Text).collect();
        let index = hit.pattern.and_then(|index| i64::try_from(index).ok());
        self.found = Some(Value::map([
            ("event", hit.event.map_or(Value::Null, Value::Int)),
            ("meaning", self.seen.meaning(hit.event).map_or(Value::Null, Value::from)),
            ("line", text(hit.line).into()),
            ("captures", Value::List(captures)),
            ("pattern", index.map_or(Value::Null, Value::Int)),
        ]));
        hit.end
    }
}

impl Seeker for Match<'_> {
    fn lines(&mut self, lines: &[u8]) -> Option<usize> {
        let hit = self.scanner.scan(lines, 0)?;
        Some(self.found(&hit))
    }

    fn unfinished(&mut self, line: &[u8]) -> bool {
        let scanner = Rc::clone(&self.scanner);
        let hit = scanner.unfinished(line);
        hit.is_some_and(|hit| self.found(&hit) > 0)
    }

    fn timer(&self) -> Option<Mono> {
        None
    }

    fn timer_over(&mut self) {}

    fn gone(&mut self) {}

    fn over(&mut self) {}

    fn result(&self) -> Option<Value> {
        self.found.clone()
    }

    fn awaits(&self) -> String {
        self.awaits.clone()
    }
}
