//! A run as a person watches it: one entry a change, aligned, calm. Successful readings are not shown; the journal has
//! them. It must not decide anything, and every foreign text passes through [`shown`] before it is written.

use super::operator_actions::{ALREADY, NOT_REACHED, OperatorAction, SKIPPED, answer, deed, given};
use crate::journal::left_out::{LeftOut, LeftOutRuling};
use crate::model::run::effect::{Action, Ask, Class, Effect, Failure, Outcome};
use crate::model::run::estate::EstateId;
use crate::model::run::event::{Event, Sink};
use crate::model::run::instant::Wall;
use crate::model::run::record::{EffectId, Ending, Fact, Moment, Record, TrackId};
use crate::model::span::Span;
use crate::model::text::{lines_shown, shown};
use crate::model::value::{Fields, Value};
use crate::report::ahead;
use crate::report::layout::{
    Badge, TEXT_COLUMN, badge, cut, day, entry, hanging, heading, lane, padded, time_of_day, under, wrap,
};
use crate::report::outputs::Outputs;
use crate::report::steps::StepsUnderWay;
use crate::report::style::{Style, Tone};
use crate::report::waits::Waits;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// What begins the last line anew, on a screen where it may be rewritten.
pub const REWRITE: &str = "\r\u{1b}[2K";

/// How many of the last lines of a failed command are shown.
const TAIL_LINES: usize = 10;

/// Writes the human view of events.
pub struct TerminalView {
    out: Box<dyn Write>,
    style: Style,
    zone: TimeZone,
    /// The day of what was told last.
    day: Option<String>,
    /// Effects under way: what was asked and since when.
    effects: BTreeMap<EffectId, (Effect, Wall)>,
    /// Effects of a former runner that it did not see the end of.
    open: BTreeSet<EffectId>,
    /// Steps under way.
    steps: StepsUnderWay,
    /// What each track waits for.
    waits: Waits,
    /// What commands print.
    outputs: Outputs,
    readings: BTreeMap<EffectId, String>,
    /// Replayed steps that are to be told in one line.
    folded: Option<usize>,
    status_shown: bool,
    /// Questions that were answered from elsewhere, and who did.
    answered: BTreeMap<EffectId, OperatorAction>,
    /// What people said of things on the way back.
    left_out: LeftOut,
    /// A former runner had begun to go back, and had not come to the end of it.
    goes_back: bool,
    /// Questions are put on this very terminal: telling them here too would say them twice.
    prompted: bool,
    /// Somebody is asked for a line, behind this prompt.
    prompt: Option<String>,
}

impl TerminalView {
    /// A view on `out`; times of day are in `zone`.
    #[must_use]
    pub fn new(out: Box<dyn Write>, style: Style, zone: TimeZone) -> Self {
        Self {
            out,
            style,
            zone,
            day: None,
            effects: BTreeMap::new(),
            open: BTreeSet::new(),
            steps: StepsUnderWay::default(),
            waits: Waits::default(),
            outputs: Outputs::default(),
            readings: BTreeMap::new(),
            folded: None,
            status_shown: false,
            answered: BTreeMap::new(),
            left_out: LeftOut::default(),
            goes_back: false,
            prompted: false,
            prompt: None,
        }
    }

    /// The same view, for a run whose questions are put on the terminal it is shown on.
    #[must_use]
    pub fn prompted(self, prompted: bool) -> Self {
        Self { prompted, ..self }
    }

    /// Writes whole lines, below whatever the status line said.
    fn line(&mut self, text: &str) {
        self.clear_status();
        match &self.prompt {
            // What was typed so far stays on its line, and the prompt comes again below.
            Some(prompt) => drop(write!(self.out, "\n{text}\n{prompt}")),
            None => drop(writeln!(self.out, "{text}")),
        }
    }

    /// The last line, which is rewritten: what does not fit on it is cut.
    fn status(&mut self, text: &str) {
        if self.prompt.is_some() {
            return;
        }
        let text = self.style.paint(Tone::Wait, &cut(text, self.style.width - 1));
        let _ = self.out.write_all(REWRITE.as_bytes()).and_then(|()| self.out.write_all(text.as_bytes()));
        self.status_shown = true;
    }

    fn clear_status(&mut self) {
        if std::mem::take(&mut self.status_shown) {
            let _ = self.out.write_all(REWRITE.as_bytes());
        }
    }

    /// The day is told where it is another one than before, or the clocks were put on or back.
    fn day(&mut self, wall: Wall) {
        let day = day(wall, &self.zone);
        let before = self.day.replace(day.clone());
        if before.is_some_and(|before| before != day) {
            self.aside(&day);
        }
    }

    fn entry(&mut self, wall: Wall, badge: Badge, words: &str, right: &str) {
        self.day(wall);
        let text = entry(&self.style, &time_of_day(wall, &self.zone), badge, words, right);
        self.line(&text);
    }

    fn heading(&mut self, wall: Wall, number: &str, words: &str) {
        self.day(wall);
        let text = heading(&self.style, &time_of_day(wall, &self.zone), number, words);
        self.line(&text);
    }

    /// What is of lesser weight than entries, in the column of headings.
    fn aside(&mut self, words: &str) {
        for line in wrap(words, self.style.width - 10) {
            self.line(&self.style.paint(Tone::Dim, &format!("{:10}{line}", "")));
        }
    }

    fn under(&mut self, tone: Tone, words: &str) {
        let text = under(&self.style, tone, words);
        self.line(&text);
    }

    fn recorded(&mut self, record: &Record, replayed: bool) {
        self.left_out.add(record);
        if replayed {
            self.replay(record);
            return;
        }
        let at = &record.at;
        match &record.fact {
            Fact::Begun { runbook, params, estate, .. } => self.begun(runbook, params, estate, record),
            Fact::Opened => {
                let who = shown(&format!("resumed by {}", whose(record)));
                self.heading(at.wall, "", &who);
                self.unfold();
            }
            Fact::StepBegun { track, number, name, .. } => {
                self.steps.begin(track, number, name, at.wall);
                self.step_heading(at.wall, number, name);
            }
            Fact::StepEnded { track, number, failed } => self.step_ended(track, number, failed.as_deref(), at),
            Fact::Intent { id, attempt, effect, step, .. } => {
                self.steps.asked(&id.track, step, effect);
                self.intent(id, *attempt, effect, at);
            }
            Fact::Outcome { id, outcome, .. } => {
                if let Some((effect, since)) = self.effects.remove(id) {
                    self.settled(id, &effect, outcome, Some(since), at.wall);
                    // What failed may be spoken of again.
                    if matches!(outcome, Outcome::Failed(_)) {
                        self.effects.insert(id.clone(), (effect, since));
                    }
                }
            }
            Fact::Read { id, effect, outcome, step, .. } => {
                if effect.spared(outcome).is_some() {
                    self.steps.spared(&id.track, step);
                }
                self.keep_failed(id, effect, outcome, at);
                self.settled(id, effect, outcome, None, at.wall);
            }
            Fact::Doubt { id, reason, .. } => {
                let label = self.label(id);
                self.entry(at.wall, badge('?', "doubt", Tone::Bad), &format!("{label}: {}", lines_shown(reason)), "");
            }
            Fact::Settled { .. } | Fact::Retry { .. } | Fact::Answered { .. } | Fact::Skipped { .. } => {
                self.deed(record)
            }
            Fact::StepSkipped { .. } | Fact::Adopted { .. } | Fact::Rollback { .. } => self.deed(record),
            Fact::Steered { .. } | Fact::Typed { .. } | Fact::Deviation { .. } => self.deed(record),
            Fact::Undone { .. } => {}
            Fact::Ended { .. } => self.clear_status(),
        }
    }

    fn deed(&mut self, record: &Record) {
        if let Some(deed) = deed(record, |id| self.label(id)) {
            if let Fact::Answered { id, .. } = &record.fact {
                self.answered.insert(id.clone(), deed.clone());
            }
            self.entry(deed.at, deed.badge, &deed.words, "");
        }
    }

    /// A record of a former runner: remembered, counted, told in one line later.
    fn replay(&mut self, record: &Record) {
        let at = &record.at;
        if let Fact::Begun { runbook, params, estate, .. } = &record.fact {
            self.begun(runbook, params, estate, record);
        } else if let Fact::StepBegun { track, number, name, .. } = &record.fact {
            self.steps.begin(track, number, name, at.wall);
        } else if let Fact::StepEnded { track, number, failed } = &record.fact {
            self.steps.end(track, number);
            *self.folded.get_or_insert(0) += usize::from(failed.is_none());
        } else if let Fact::Intent { id, effect, .. } = &record.fact {
            self.effects.insert(id.clone(), (effect.clone(), at.wall));
            self.open.insert(id.clone());
        } else if let Fact::Outcome { id, .. } = &record.fact {
            self.open.remove(id);
            self.answered.remove(id);
        } else if let Fact::Answered { id, .. } = &record.fact {
            let told = deed(record, |id| self.label(id));
            self.answered.extend(told.map(|deed| (id.clone(), deed)));
        } else if let Fact::Read { id, effect, outcome, .. } = &record.fact {
            self.keep_failed(id, effect, outcome, at);
        } else if let Fact::Rollback { .. } = &record.fact {
            self.goes_back = true;
        } else if let Fact::Ended { ending: Ending::RolledBack, .. } = &record.fact {
            self.goes_back = false;
        }
    }

    fn keep_failed(&mut self, id: &EffectId, effect: &Effect, outcome: &Outcome, at: &Moment) {
        self.readings.insert(id.clone(), effect.label.clone());
        if matches!(outcome, Outcome::Failed(_)) {
            self.effects.insert(id.clone(), (effect.clone(), at.wall));
        }
    }

    /// Tells of the replayed steps, and where the run stands.
    fn unfold(&mut self) {
        if let Some(count) = self.folded.take() {
            let steps = if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
            self.aside(&format!("… {steps} already done (replayed)"));
        }
        // What the runbook itself was about when it was left is over: nobody waits for it on the way back.
        let goes_back = self.goes_back;
        let is_live = |track: &TrackId| !(goes_back && (track.is_scripts() || track.is_typed()));
        for (number, name, since) in self.steps.under_way(is_live) {
            self.step_heading(since, &number, &name);
        }
        for id in std::mem::take(&mut self.open).into_iter().filter(|id| is_live(&id.track)) {
            let Some((effect, since)) = self.effects.get(&id).cloned() else { continue };
            if let Some(OperatorAction { at, badge, words, .. }) = self.answered.get(&id).cloned() {
                self.entry(at, badge, &words, "");
            } else if let Action::Ask(ask) = &effect.action {
                self.question(&id, ask, since);
            } else {
                let words = lane(&id.track, &format!("{} is taken up again", shown(&effect.label)));
                self.entry(since, badge('…', "begun", Tone::Wait), &words, "");
            }
        }
    }

    fn begun(&mut self, runbook: &str, params: &Fields, estate: &EstateId, record: &Record) {
        let who = shown(&format!("{runbook} on {estate}, by {}", whose(record)));
        self.heading(record.at.wall, "", &who);
        let params = given(params);
        if params.is_empty() {
            return;
        }
        self.aside(&shown(&params.join(" ")));
    }

    fn step_heading(&mut self, wall: Wall, number: &str, name: &str) {
        self.line("");
        self.heading(wall, number, &shown(name));
    }

    fn step_ended(&mut self, track: &TrackId, number: &str, failed: Option<&str>, at: &Moment) {
        let begun = self.steps.end(track, number);
        let took = begun.as_ref().map_or_else(String::new, |step| at.wall.since(step.since).to_string());
        let done = badge('✓', "done", Tone::Good);
        let said = self.left_out.word_in(track, number);
        let said = said.map(|(word, what, by)| (word, shown(what), shown(by)));
        match failed {
            None => match said {
                None if begun.is_some_and(|step| step.was_so_already()) => {
                    self.entry(at.wall, ALREADY, &format!("step {number}: was so already"), &took);
                }
                None => self.entry(at.wall, done, &format!("step {number}"), &took),
                Some((LeftOutRuling::Done, what, by)) => {
                    self.entry(at.wall, done, &format!("step {number}, by {by}'s word: {what}"), &took);
                }
                Some((LeftOutRuling::LeftOut, what, _)) => {
                    self.entry(at.wall, SKIPPED, &format!("step {number}, not undone: {what}"), &took);
                }
            },
            Some(why) => {
                let words = format!("step {number}: {}", lines_shown(why));
                self.entry(at.wall, badge('✗', "failed", Tone::Bad), &words, &took);
            }
        }
    }

    fn intent(&mut self, id: &EffectId, attempt: u32, effect: &Effect, at: &Moment) {
        self.effects.insert(id.clone(), (effect.clone(), at.wall));
        self.answered.remove(id);
        if let Action::Ask(ask) = &effect.action {
            self.question(id, ask, at.wall);
        } else if attempt > 1 {
            let words = lane(&id.track, &format!("{}, {}", shown(&effect.label), ahead::again(effect, attempt)));
            self.entry(at.wall, badge('·', "again", Tone::Plain), &words, "");
        }
        if self.style.live && effect.class() != Class::Human {
            self.status(&format!("… {}", shown(&effect.label)));
        }
    }

    fn question(&mut self, id: &EffectId, ask: &Ask, wall: Wall) {
        if self.prompted {
            return self.clear_status();
        }
        let words = lane(&id.track, &lines_shown(&ask.text));
        self.entry(wall, badge('?', "ask", Tone::Wait), &words, &shown(&ask.gate));
        if !ask.evidence.is_empty() {
            self.under(Tone::Plain, &format!("look at: {}", lines_shown(&ask.evidence)));
        }
    }

    fn settled(&mut self, id: &EffectId, effect: &Effect, outcome: &Outcome, since: Option<Wall>, wall: Wall) {
        self.flush_output(id);
        self.tell_repeated(id, None);
        if effect.needs_intent() && !effect.is_pause() {
            self.waits.over(&id.track);
        }
        let took = since.map_or_else(String::new, |since| wall.since(since).to_string());
        let host = effect.host.as_deref().unwrap_or("");
        let host = padded(host, 8);
        let right = format!("{host} {:<10} {took:>8}", effect.class().to_string());
        let label = lane(&id.track, &shown(&effect.label));
        let value = match outcome {
            Outcome::Failed(failure) => return self.failed(&label, &right, failure, wall),
            // The word of a person that came before it was told already.
            Outcome::Skipped { .. } if since.is_some() => return,
            Outcome::Skipped { reason, by } => {
                let words = format!("{label} skipped by {}: {}", shown(by), lines_shown(reason));
                return self.entry(wall, SKIPPED, &words, &right);
            }
            Outcome::Done { value, .. } => value,
        };
        let done = badge('✓', "done", Tone::Good);
        match &effect.action {
            Action::Job(_) | Action::Put(_) | Action::Fetch(_)
                if value.get("changed").and_then(Value::as_bool) == Some(false) =>
            {
                self.entry(wall, ALREADY, &label, &right);
            }
            Action::Sleep { .. } if effect.is_pause() => {}
            Action::Job(_) | Action::Put(_) | Action::Fetch(_) | Action::Until(_) | Action::Sleep { .. } => {
                self.entry(wall, done, &label, &right);
            }
            Action::Log(_) => {
                for (words, meaning) in self.waits.in_log(id, effect, value) {
                    self.log_line(wall, &id.track, &words, meaning.as_deref());
                }
                let told = value.get("outcome").and_then(Value::as_text);
                let told = told.map_or_else(String::new, |word| format!(" = {}", shown(word)));
                self.entry(wall, done, &format!("{label}{told}"), &right);
            }
            // It was told when it was given.
            Action::Ask(_) if self.answered.remove(id).is_some() => {}
            Action::Ask(_) => {
                let words = answer(value);
                self.entry(wall, badge('✓', "answer", Tone::Good), &lane(&id.track, &words), &took);
            }
            Action::Note { text, warning } => {
                let mark = if *warning { badge('!', "warn", Tone::Warn) } else { badge('·', "note", Tone::Plain) };
                self.entry(wall, mark, &lane(&id.track, &lines_shown(text)), "");
            }
            Action::NoReturn { why } => {
                let words = format!("no way back from here: {}", lines_shown(why));
                self.entry(wall, badge('!', "point", Tone::Warn), &lane(&id.track, &words), "");
            }
            Action::Probe(_) => {
                if let Some(change) = effect.spared(outcome) {
                    let right = format!("{host} {:<10} {took:>8}", "");
                    self.entry(wall, ALREADY, &lane(&id.track, &shown(change)), &right);
                }
            }
            Action::Capture(_) => {}
        }
    }

    fn failed(&mut self, label: &str, right: &str, failure: &Failure, wall: Wall) {
        self.entry(wall, badge('✗', "failed", Tone::Bad), label, right);
        self.under(Tone::Bad, &lines_shown(&failure.message));
        let lines: Vec<&str> = failure.output.lines().collect();
        for line in &lines[lines.len().saturating_sub(TAIL_LINES)..] {
            self.under(Tone::Dim, &format!("| {}", shown(line)));
        }
    }

    fn waiting(&mut self, id: &EffectId, words: (&str, &str), left: Option<Span>, at: &Moment) {
        let told = self.waits.waiting(id, self.effects.get(id), words, left, at.wall);
        if self.style.live {
            self.status(&told.line(at.wall, self.style.width - 1));
        } else if told.is_due {
            self.tell_repeated(id, None);
            self.entry(at.wall, badge('…', "wait", Tone::Wait), &lane(&id.track, &told.words()), "");
        }
    }

    fn log_line(&mut self, wall: Wall, track: &TrackId, words: &str, meaning: Option<&str>) {
        self.entry(wall, badge('‹', "log", Tone::Plain), &lane(track, words), "");
        if let Some(meaning) = meaning {
            self.under(Tone::Plain, &format!("= {}", shown(meaning)));
        }
    }

    /// What came again in the log of a wait is told once, before anything else of that wait is.
    fn tell_repeated(&mut self, id: &EffectId, number: Option<i64>) {
        if let Some(repeated) = self.waits.take_repeated(id, number) {
            self.log_line(repeated.wall, &id.track, &repeated.words, None);
        }
    }

    /// What a person is about to let go.
    fn ahead(&mut self, id: &EffectId, label: &str, lines: &[(&str, String)], at: &Moment) {
        self.line("");
        self.entry(at.wall, NOT_REACHED, &lane(&id.track, &shown(label)), "");
        for (word, text) in lines {
            for (n, part) in wrap(text, self.style.width.saturating_sub(TEXT_COLUMN + 9)).iter().enumerate() {
                self.under(Tone::Plain, &format!("{:<8} {part}", if n == 0 { *word } else { "" }));
            }
        }
    }

    fn words(&mut self, words: &[(String, String)]) {
        for (word, meaning) in words {
            let head = format!("{:10}{:<14}", "", shown(word));
            self.line(&hanging(&self.style, (Tone::Plain, &head), &shown(meaning), 24));
        }
    }

    fn output(&mut self, id: &EffectId, text: &str) {
        self.outputs.whole(id, text).iter().for_each(|line| self.under(Tone::Dim, line));
    }

    fn flush_output(&mut self, id: &EffectId) {
        self.outputs.rest(id).iter().for_each(|line| self.under(Tone::Dim, line));
    }

    fn label(&self, id: &EffectId) -> String {
        // A question's lines are one here; those of a command stay what they are.
        let label = |effect: &Effect| {
            let asks = matches!(effect.action, Action::Ask(_));
            if asks { shown(&effect.label.replace('\n', " ")) } else { shown(&effect.label) }
        };
        let of_reading = || self.readings.get(id).map_or_else(|| "a call".to_owned(), |label| shown(label));
        self.effects.get(id).map_or_else(of_reading, |(effect, _)| label(effect))
    }
}

impl Sink for TerminalView {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Recorded { record, replayed, .. } => self.recorded(record, *replayed),
            Event::Waiting { id, what, reading, left, at } => self.waiting(id, (what, reading), *left, at),
            Event::LogSeen { id, service, number, meaning, times, line, at } => {
                self.tell_repeated(id, *number);
                let of = self.effects.get(id);
                if let Some(words) = self.waits.seen(id, of, service, (*number, *times), line, at.wall) {
                    self.log_line(at.wall, &id.track, &words, meaning.as_deref());
                }
            }
            Event::Output { id, text, .. } => self.output(id, text),
            Event::Ahead { id, attempt, step, step_name, effect, place, at } => {
                let lines = ahead::lines(effect, *attempt, (step, step_name), place.as_ref());
                self.ahead(id, &effect.label, &lines, at);
            }
            Event::Prompt { prompt } => {
                self.clear_status();
                self.prompt = Some(prompt.clone());
            }
            Event::Typed { .. } => self.prompt = None,
            Event::Words { words } => self.words(words),
            Event::Notice { text } => {
                self.line(&hanging(&self.style, (Tone::Plain, &format!("{:10}! ", "")), &lines_shown(text), 12));
            }
        }
        let _ = self.out.flush();
    }
}

/// Who a record is of, and on which machine.
fn whose(record: &Record) -> String {
    record.by.as_ref().map_or_else(String::new, |by| format!("{} on {}", by.user, by.host))
}
