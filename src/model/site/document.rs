//! A TOML file as a user wrote it, and errors that point into it. It knows what a section is, not what it means.

use crate::error::{Error, Kind, Place, Result, Snippet};
use crate::model::text::{did_you_mean, shown};
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML text with the name its file has for the user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document<'t> {
    file: &'t str,
    text: &'t str,
}

impl<'t> Document<'t> {
    /// The text of a file.
    pub(crate) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text }
    }

    /// Parses it, without looking at what it means.
    pub(crate) fn parse(self) -> Result<Spanned<DeTable<'t>>> {
        DeTable::parse(self.text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            self.wrong(span, format!("this is not TOML: {}", error.message()))
        })
    }

    /// An error that points at `span`, in bytes.
    pub(crate) fn wrong(self, span: Range<usize>, message: impl Into<String>) -> Box<Error> {
        let start = self.text.floor_char_boundary(span.start);
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = self.text.get(line_start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let column = self.text.get(line_start..start).unwrap_or_default().chars().count();
        let end = self.text.floor_char_boundary(span.end).max(start);
        let marked = self.text.get(start..end).unwrap_or_default().lines().next().unwrap_or_default();
        let place = Place {
            file: self.file.to_owned(),
            line: self.line(&span),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        };
        let mut error = Error::new(Kind::Inventory, message);
        let length = marked.chars().count().max(1);
        error.snippet = Some(Box::new(Snippet { place, line: line.to_owned(), length, label: String::new() }));
        error
    }

    /// The file and the line in which `span` begins.
    pub(crate) fn place(self, span: &Range<usize>) -> String {
        format!("{}:{}", self.file, self.line(span))
    }

    /// The number of the line in which `span` begins.
    pub(crate) fn line(self, span: &Range<usize>) -> u32 {
        let before = self.text.get(..self.text.floor_char_boundary(span.start)).unwrap_or_default();
        u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX)
    }

    /// The same for an error of the TOML crate's reading into types; `span` when it has none of its own.
    pub(crate) fn mistyped(self, error: &toml::de::Error, span: Range<usize>) -> Box<Error> {
        let span = error.span().unwrap_or(span);
        let message = error.message();
        // serde says: unknown field `lmit`, expected one of `class`, `argv`
        let mut names = message.split('`').skip(1).step_by(2);
        match names.next() {
            Some(name) if message.starts_with("unknown field") => self.unknown(span, name, &names.collect::<Vec<_>>()),
            Some(name) if message.starts_with("missing field") => self.wrong(span, format!("`{name}` is missing")),
            Some(_) | None => self.wrong(span, message),
        }
    }

    /// A key that means nothing here.
    pub(crate) fn unknown(self, span: Range<usize>, name: &str, known: &[&str]) -> Box<Error> {
        let error = self.wrong(span, format!("unknown key `{name}`"));
        error.hint(did_you_mean(name, known.iter().copied()).unwrap_or_else(|| listed("the keys here are", known)))
    }

    /// The table that is `key` itself, such as `[ssh]`, if it is there.
    pub(crate) fn section<'d>(&'d self, root: &'d DeTable<'t>, key: &'d str) -> Result<Option<Section<'d, 't>>> {
        let Some(value) = root.get(key) else { return Ok(None) };
        match value.get_ref().as_table() {
            Some(table) => Ok(Some(Section { document: *self, name: key, span: value.span(), table })),
            None => Err(self.wrong(value.span(), format!("`{key}` is {}, not a table", kind(value.get_ref())))),
        }
    }

    /// The table behind `key`, or an empty list when it is absent.
    pub(crate) fn sections<'d>(&'d self, root: &'d DeTable<'t>, key: &str) -> Result<Vec<Section<'d, 't>>> {
        let Some(value) = root.get(key) else { return Ok(Vec::new()) };
        let Some(table) = value.get_ref().as_table() else {
            return Err(self.wrong(value.span(), format!("`{key}` is {}, not tables", kind(value.get_ref()))));
        };
        let mut sections = Vec::new();
        for (name, value) in table {
            let document = *self;
            let title: &str = name.get_ref();
            let Some(table) = value.get_ref().as_table() else {
                let message = format!("`{title}` is {}, not a table", kind(value.get_ref()));
                return Err(self
                    .wrong(value.span(), message)
                    .hint(format!("write a section of its own: [{key}.{title}]")));
            };
            sections.push(Section { document, name: title, span: name.span(), table });
        }
        Ok(sections)
    }
}

/// A table with a name, such as `[hosts.cfg-a]`.
#[derive(Debug, Clone)]
pub(crate) struct Section<'d, 't> {
    /// The file it is in.
    pub(crate) document: Document<'t>,
    /// The last part of its title.
    pub(crate) name: &'d str,
    /// Where that stands.
    pub(crate) span: Range<usize>,
    /// What it holds.
    pub(crate) table: &'d DeTable<'t>,
}

/// A text in a section and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct SectionText<'d> {
    /// The text.
    pub(crate) text: &'d str,
    /// Where it stands in the file, in bytes.
    pub(crate) span: Range<usize>,
}

impl<'d> Section<'d, '_> {
    /// The section's kind and name for messages, once the name is one that files and commands can carry.
    pub(crate) fn named(&self, kind: &str) -> Result<String> {
        let mut characters = self.name.chars();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if characters.next().is_some_and(plain) && characters.all(|c| plain(c) || c == '-' || c == '_') {
            return Ok(format!("{kind} `{}`", self.name));
        }
        let message = format!("`{}` cannot be the name of a {kind}", shown(self.name));
        Err(self.wrong(message).hint("names are small letters, digits, `-` and `_`, with a letter or digit first"))
    }

    /// An error that points at the section's name.
    pub(crate) fn wrong(&self, message: impl Into<String>) -> Box<Error> {
        self.document.wrong(self.span.clone(), message)
    }

    /// The text of a key, if the key is there.
    pub(crate) fn text(&self, key: &str) -> Result<Option<SectionText<'d>>> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let span = value.span();
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(SectionText { text, span })),
            None => {
                let message = format!("`{key}` is {}, not text", kind(value.get_ref()));
                Err(self.document.wrong(span, message).hint("texts stand in quotes: \"…\""))
            }
        }
    }

    /// The text of a key that must be there; `what` names the section in the message: "host `a`".
    pub(crate) fn required(&self, key: &str, what: &str) -> Result<SectionText<'d>> {
        self.text(key)?.ok_or_else(|| self.wrong(format!("{what} lacks `{key}`")))
    }

    /// The tags of the section: plain words by which runbooks find what belongs together.
    pub(crate) fn tags(&self) -> Result<BTreeSet<String>> {
        let Some(value) = self.table.get("tags") else { return Ok(BTreeSet::new()) };
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let is_tag = |word: &&str| !word.is_empty() && word.chars().all(plain);
        let words = value.get_ref().as_array().map(|words| words.iter().map(|word| word.get_ref().as_str()));
        let tags = words.and_then(|words| words.map(|word| word.filter(is_tag).map(str::to_owned)).collect());
        match tags {
            Some(tags) => Ok(tags),
            None => {
                let error = self.document.wrong(value.span(), "`tags` is a list of words such as `[\"site-a\"]`");
                Err(error.hint("words are small letters, digits, `-` and `_`"))
            }
        }
    }

    /// Refuses keys that are not among the `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<()> {
        only(self.document, self.table, known)
    }
}

/// Refuses keys of a table that are not among the `known`.
pub(crate) fn only(document: Document<'_>, table: &DeTable<'_>, known: &[&str]) -> Result<()> {
    match table.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
        Some(key) => Err(document.unknown(key.span(), key.get_ref(), known)),
        None => Ok(()),
    }
}

/// Where the last key of a path of keys stands, if the path leads anywhere.
pub(crate) fn span_of(table: &DeTable<'_>, path: &[&str]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.get_key_value(*first)?;
    if rest.is_empty() { Some(key.span()) } else { span_of(value.get_ref().as_table()?, rest) }
}

/// `intro` and the names in back-ticks.
pub(crate) fn listed(intro: &str, names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("{intro} {}", quoted.join(", "))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
