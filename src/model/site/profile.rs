//! A product's profile: how verbs become commands, where the log is, how its records look, how a
//! probe's output becomes a value. Reading a profile is pure; nothing here runs a command.

pub use super::template::{fill, placeholders};

use super::document::{Document, span_of};
use super::layout::{self, Layout};
use crate::error::{Error, Result};
use crate::model::run::effect::Undo;
use crate::model::run::meaning::{ProbeMeaning, VerbMeaning};
use crate::model::run::reading::Reading;
use crate::model::span::Span;
use crate::model::text::did_you_mean;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// Everything baton knows about a kind of service. Strings may hold `{name}` placeholders, filled
/// from the service's variables and, in verbs, from the call's arguments.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The profile's name, as services write it in `product = "…"`.
    pub product: String,
    /// One line for people.
    pub title: String,
    /// The model (in `stdlib/models/`) that imitates the product in simulation and in the lab.
    pub model: String,
    /// Variables that each service of this product must set, with what they mean.
    #[serde(default)]
    pub requires: BTreeMap<String, String>,
    /// Variables with a default, which may refer to other variables.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// What can be changed, by verb.
    #[serde(default)]
    pub verbs: BTreeMap<String, Verb>,
    /// What can be read, by name.
    #[serde(default)]
    pub probes: BTreeMap<String, Reader>,
    /// Where the log is and how its records look.
    pub log: Option<Log>,
    /// The numbered log events that matter, with their meaning for a person.
    #[serde(default)]
    pub events: BTreeMap<String, String>,
    /// Where the placeholders of its commands are written.
    #[serde(skip)]
    pub(crate) written: WrittenPlaces,
}

/// Where the placeholders of a profile's commands are written: by the table, the name of the command, and their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WrittenPlaces(BTreeMap<(CommandTable, String, String), String>);

/// The tables of a profile that hold commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CommandTable {
    /// What changes something.
    Verbs,
    /// What reads.
    Probes,
}

impl CommandTable {
    /// As it is written.
    fn key(self) -> &'static str {
        match self {
            Self::Verbs => "verbs",
            Self::Probes => "probes",
        }
    }
}

impl WrittenPlaces {
    /// Takes in what this table of a document writes: it wins over what was there.
    pub(crate) fn add(&mut self, document: Document<'_>, table: &DeTable<'_>) {
        for kind in [CommandTable::Verbs, CommandTable::Probes] {
            let commands = table.get(kind.key()).and_then(|commands| commands.get_ref().as_table());
            for (name, command) in commands.into_iter().flatten() {
                self.look(document, (kind, name.get_ref()), command);
            }
        }
    }

    fn look(&mut self, document: Document<'_>, (kind, name): (CommandTable, &str), value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::String(text) => {
                for placeholder in placeholders(text) {
                    let key = (kind, name.to_owned(), placeholder.to_owned());
                    self.0.insert(key, document.place(&value.span()));
                }
            }
            DeValue::Array(items) => items.iter().for_each(|item| self.look(document, (kind, name), item)),
            DeValue::Table(table) => table.values().for_each(|part| self.look(document, (kind, name), part)),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }

    /// The file and the line of a placeholder, if it is written there.
    pub(crate) fn of(&self, table: CommandTable, name: &str, placeholder: &str) -> Option<&str> {
        self.0.get(&(table, name.to_owned(), placeholder.to_owned())).map(String::as_str)
    }
}

/// How a verb that changes something is carried out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verb {
    /// `idempotent` (has a goal state) or `once` (may be started once per attempt).
    pub class: VerbClass,
    /// The command and its arguments. No shell reads it.
    pub argv: Vec<String>,
    /// How long it may take.
    pub limit: TomlText<Span>,
    /// For idempotent verbs: the state that must hold afterwards, and holds already if there is nothing to do.
    pub goal: Option<GoalRule>,
    /// For `once` verbs: a command that tells whether it happened: exit 0 yes, 1 no, else unknown.
    pub check: Option<Vec<String>>,
    /// Whether a process of this verb may be ended by baton when its limit is over. Installers: never.
    #[serde(default)]
    pub killable: bool,
    /// Whether a person must type the service's name before it is done.
    #[serde(default)]
    pub severe: bool,
    /// The verb that undoes it, with the former value, for rollback; `nothing` when nothing needs to be put back.
    pub undo: Option<String>,
    /// What it does to the service, where neither its name nor its goal says so.
    #[serde(default)]
    pub means: Option<VerbMeaning>,
    /// What the person doing this is told it interrupts, for plans. One line.
    pub interrupts: Option<String>,
    /// The name of the secret that the command reads from its standard input.
    #[serde(default)]
    pub stdin: Option<String>,
}

/// Whether a verb has a goal state or may be started only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerbClass {
    /// Declares a goal state; nothing to do when it holds.
    Idempotent,
    /// At most one start per attempt.
    Once,
}

/// The goal state of an idempotent verb.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalRule {
    /// The probe that tells.
    pub probe: String,
    /// The values that count as reached. `{value}` and other arguments may stand here.
    pub is: Vec<String>,
    /// How long it must go on holding.
    #[serde(default)]
    pub stays: TomlText<Span>,
}

/// How something is read.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The command and its arguments. No shell reads it.
    pub argv: Vec<String>,
    /// How long one try may take.
    #[serde(default)]
    pub limit: Option<TomlText<Span>>,
    /// How the output becomes a value.
    #[serde(default)]
    pub reads: Reading,
    /// What it tells of the service, where its name does not say so.
    #[serde(default)]
    pub means: Option<ProbeMeaning>,
    /// Whether it tries something out, such as a trial write: no pure reading, and left out where nothing may be
    /// touched.
    #[serde(default)]
    pub acts: bool,
    /// Whether two readings in a row must agree as long as nobody changes anything. Not said, what a service runs as
    /// does: see [`Reader::is_steady`].
    #[serde(default)]
    pub steady: Option<bool>,
    /// The name of the secret that the command reads from its standard input.
    #[serde(default)]
    pub stdin: Option<String>,
}

impl Reader {
    /// Whether two readings of the probe `name` must agree as long as nobody changes anything.
    #[must_use]
    pub fn is_steady(&self, name: &str) -> bool {
        self.steady.unwrap_or_else(|| self.meaning(name).is_some_and(ProbeMeaning::is_steady))
    }

    /// What the probe `name` tells of its service.
    #[must_use]
    pub fn meaning(&self, name: &str) -> Option<ProbeMeaning> {
        self.means.or_else(|| ProbeMeaning::of_probe(name))
    }
}

/// Where a service's log is, and what a record looks like.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The folder.
    pub dir: String,
    /// The files in it, `*` allowed.
    pub files: String,
    /// The layouts of a record: its columns from the beginning of the line to the event's number.
    #[serde(default)]
    pub layouts: Vec<Layout>,
    /// Anchored patterns, each with one capture group: the event's number. A layout says the same more clearly.
    #[serde(default)]
    pub event_patterns: Vec<String>,
}

impl Log {
    /// The expressions that tell the records which count, for a service with these variables. Each is anchored to the
    /// beginning of a line and has one group: the event's number.
    ///
    /// # Errors
    /// A sentence that says what cannot be made an expression of.
    pub fn records(&self, vars: &BTreeMap<String, String>) -> std::result::Result<Vec<String>, String> {
        let layouts = self.layouts.iter().map(|layout| layout.expression(vars));
        let free = self.event_patterns.iter();
        let free = free.map(|text| layout::anchored(text).map_err(|wrong| format!("the pattern `{text}` {wrong}")));
        layouts.chain(free).collect()
    }
}

/// A value that TOML writes as text, such as a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TomlText<T>(pub T);

impl<'de> Deserialize<'de> for TomlText<Span> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Span::parse(&text).map(TomlText).map_err(serde::de::Error::custom)
    }
}

impl Profile {
    /// Reads the profile of the product `name`.
    ///
    /// # Errors
    /// `Inventory`, with the place in `stdlib/products/<name>.toml`.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let file = format!("stdlib/products/{name}.toml");
        let document = Document::new(&file, text);
        let table = document.parse()?;
        let mut profile = Self::from_table(document, table.clone())?;
        profile.written.add(document, table.get_ref());
        if profile.product != name {
            let span = span_of(table.get_ref(), &["product"]).unwrap_or_default();
            let message = format!("the file describes product `{}`, its name says `{name}`", profile.product);
            return Err(document.wrong(span, message));
        }
        profile.check().map_err(|misfit| misfit.at(document, table.get_ref(), 0..0))?;
        Ok(profile)
    }

    /// Reads a parsed table, whose places lie in `document`.
    pub(crate) fn from_table(document: Document<'_>, table: Spanned<DeTable<'_>>) -> Result<Self> {
        let span = table.span();
        Self::deserialize(Deserializer::from(table)).map_err(|error| document.mistyped(&error, span))
    }

    /// The secrets that its commands read: the table and the name of the command, the name of the secret.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str, &str)> {
        let verbs = self.verbs.iter().map(|(name, verb)| ("verbs", name, &verb.stdin));
        let probes = self.probes.iter().map(|(name, probe)| ("probes", name, &probe.stdin));
        verbs.chain(probes).filter_map(|(table, name, secret)| Some((table, name.as_str(), secret.as_deref()?)))
    }

    /// What the verb `name` does to its service: by what the profile says, by the language, by its goal.
    #[must_use]
    pub fn verb_meaning(&self, name: &str) -> Option<VerbMeaning> {
        let verb = self.verbs.get(name)?;
        let by_goal = || {
            let goal = verb.goal.as_ref()?;
            let [reached] = goal.is.as_slice() else { return None };
            VerbMeaning::of_goal(self.probes.get(&goal.probe)?.meaning(&goal.probe)?, reached)
        };
        verb.means.or_else(|| VerbMeaning::of_verb(name)).or_else(by_goal)
    }

    /// Whether its parts fit together.
    pub(crate) fn check(&self) -> std::result::Result<(), Misfit> {
        for (name, verb) in &self.verbs {
            self.check_verb(verb).map_err(|(wrong, hint)| Misfit {
                table: "verbs",
                key: name.clone(),
                message: format!("verb `{name}` {wrong}"),
                hint,
            })?;
        }
        let misfit = |table, key: &str, message| Misfit { table, key: key.to_owned(), message, hint: None };
        if let Some((name, _)) = self.probes.iter().find(|(_, probe)| probe.argv.is_empty()) {
            return Err(misfit("probes", name, format!("probe `{name}` has no command")));
        }
        let mut meant: BTreeMap<ProbeMeaning, &str> = BTreeMap::new();
        for (name, probe) in &self.probes {
            let Some(meaning) = probe.meaning(name) else { continue };
            if let Some(other) = meant.insert(meaning, name) {
                let own = if probe.means.is_some() { name.as_str() } else { other };
                let message = format!("probes `{other}` and `{name}` mean the same: nobody can tell which one counts");
                return Err(misfit("probes", own, message));
            }
        }
        for pattern in self.log.iter().flat_map(|log| &log.event_patterns) {
            if let Err(wrong) = layout::anchored(pattern) {
                return Err(misfit("log", "event_patterns", format!("the pattern `{pattern}` {wrong}")));
            }
        }
        match self.events.keys().find(|number| number.parse::<i64>().is_err()) {
            Some(number) => Err(misfit("events", number, format!("event `{number}` is not a number"))),
            None => Ok(()),
        }
    }

    /// Whether the probe of a goal can read the values that count as reached; a `{…}` is filled later.
    fn check_goal(&self, goal: &GoalRule) -> std::result::Result<(), (String, Option<String>)> {
        let Some(probe) = self.probes.get(&goal.probe) else { return Ok(()) };
        for text in goal.is.iter().filter(|text| !text.contains('{')) {
            if let Err(why) = probe.reads.can_give(&probe.reads.typed(text)) {
                return Err((format!("can never reach its goal: probe `{}` {why}", goal.probe), None));
            }
        }
        Ok(())
    }

    fn check_verb(&self, verb: &Verb) -> std::result::Result<(), (String, Option<String>)> {
        if verb.argv.is_empty() {
            return Err(("has no command".into(), None));
        }
        let is_known = |undo: &String| undo == Undo::NOTHING || self.verbs.contains_key(undo);
        if let Some(undo) = verb.undo.as_ref().filter(|undo| !is_known(undo)) {
            let hint = did_you_mean(undo, self.verbs.keys().map(String::as_str));
            return Err((format!("is undone by `{undo}`, which is no verb"), hint));
        }
        match (&verb.goal, verb.class) {
            (None, VerbClass::Idempotent) => {
                let hint = "name the probe that sees its goal, or make it class = \"once\"";
                Err(("is idempotent and has no `goal`".into(), Some(hint.into())))
            }
            (Some(_), VerbClass::Once) => {
                let hint = "a `check` tells whether it happened; or make it class = \"idempotent\"";
                Err(("may be started only once, so it has no `goal`".into(), Some(hint.into())))
            }
            (Some(goal), VerbClass::Idempotent) if !self.probes.contains_key(&goal.probe) => {
                let hint = did_you_mean(&goal.probe, self.probes.keys().map(String::as_str));
                Err((format!("has a goal seen by `{}`, which is no probe", goal.probe), hint))
            }
            (Some(goal), VerbClass::Idempotent) => self.check_goal(goal),
            (None, VerbClass::Once) => Ok(()),
        }
    }
}

/// A part of a profile that does not fit the rest.
#[derive(Debug)]
pub(crate) struct Misfit {
    table: &'static str,
    key: String,
    message: String,
    hint: Option<String>,
}

impl Misfit {
    /// The error, pointing at the part if `table` has it, else at `otherwise`.
    pub(crate) fn at(self, document: Document<'_>, table: &DeTable<'_>, otherwise: Range<usize>) -> Box<Error> {
        let span = span_of(table, &[self.table, &self.key]).unwrap_or(otherwise);
        let error = document.wrong(span, self.message);
        self.hint.into_iter().fold(error, Error::hint)
    }
}
