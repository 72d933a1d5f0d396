//! Who says when a wait on a log is over, and how the lines that counted are told. It must not read a log.

use crate::exec::scan::Hit;
use crate::model::run::event::Event;
use crate::model::run::instant::Mono;
use crate::model::run::record::EffectId;
use crate::model::value::Value;
use crate::world::Link;
use std::collections::BTreeMap;

/// The most of a line that a script gets, in characters.
const LINE_SHOWN: usize = 1_000;

/// Decides when a wait on a log is over.
pub(super) trait Seeker {
    /// Deals with new lines. `Some(n)`: the wait is over behind the first `n` bytes.
    fn lines(&mut self, lines: &[u8]) -> Option<usize>;
    /// Deals with a line that has no end and will get none while the wait lasts. Whether it counted.
    fn unfinished(&mut self, line: &[u8]) -> bool;
    /// When it wants to be told that time has passed.
    fn timer(&self) -> Option<Mono>;
    /// The time it wanted to be told has come, and nothing new was in the log.
    fn timer_over(&mut self);
    /// The service does not run any more.
    fn gone(&mut self);
    /// The limit is over.
    fn over(&mut self);
    /// What the script gets, once the wait is over.
    fn result(&self) -> Option<Value>;
    /// What would bring it further as it stands, in words.
    fn awaits(&self) -> String;
}

/// Tells the sinks which lines counted.
pub(super) struct CountedLines<'a> {
    /// To whom.
    pub(super) link: &'a dyn Link,
    /// Which wait.
    pub(super) id: &'a EffectId,
    /// Whose log.
    pub(super) service: &'a str,
    /// What events mean, by number.
    pub(super) meanings: &'a BTreeMap<String, String>,
    /// How often each event was told.
    pub(super) times: BTreeMap<i64, usize>,
}

impl CountedLines<'_> {
    /// What an event means, if the profile says so.
    pub(super) fn meaning(&self, event: Option<i64>) -> Option<&str> {
        self.meanings.get(&event?.to_string()).map(String::as_str)
    }

    /// Tells that this line counted.
    pub(super) fn tell(&mut self, hit: &Hit<'_>) {
        let times = hit.event.map_or(1, |number| {
            let times = self.times.entry(number).or_default();
            *times += 1;
            *times
        });
        self.link.tell(Event::LogSeen {
            id: self.id.clone(),
            service: self.service.to_owned(),
            number: hit.event,
            meaning: self.meaning(hit.event).map(str::to_owned),
            times,
            line: text(hit.line),
            at: self.link.now(),
        });
    }
}

/// A line as a script gets it.
pub(super) fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().take(LINE_SHOWN).collect()
}
