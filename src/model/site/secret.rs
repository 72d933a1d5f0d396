//! A secret of a site: its name, and where its value is had from. The value itself never comes into this room.

use super::document::{Section, listed};
use crate::error::Result;
use toml::de::DeValue;

/// A secret by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its name in the inventory.
    pub name: String,
    /// Where the machine baton runs on has its value from.
    pub source: Source,
}

/// Where the value of a secret is had from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The content of a file, without its last newline.
    File(String),
    /// What a command prints, without its last newline.
    Command(Vec<String>),
    /// A variable of baton's environment.
    Env(String),
}

impl Secret {
    /// Reads the section of a secret.
    pub(crate) fn read(section: &Section<'_, '_>) -> Result<Self> {
        const WAYS: [&str; 3] = ["file", "command", "env"];
        section.only(&WAYS)?;
        let name = section.name.to_owned();
        if section.table.len() != 1 {
            let message = format!("secret `{name}` has {} of `file`, `command` and `env`", section.table.len());
            return Err(section.wrong(message).hint(listed("say exactly one of", &WAYS)));
        }
        let source = if section.table.contains_key("file") {
            let path = section.required("file", &name)?;
            if !path.text.starts_with('/') {
                let message = format!("`file` of secret `{name}` must be a full path");
                return Err(section.document.wrong(path.span, message));
            }
            Source::File(path.text.to_owned())
        } else if section.table.contains_key("env") {
            let variable = section.required("env", &name)?;
            if variable.text.is_empty() || variable.text.contains(['=', '\0']) {
                let message = format!("`env` of secret `{name}` is not the name of a variable");
                return Err(section.document.wrong(variable.span, message));
            }
            Source::Env(variable.text.to_owned())
        } else {
            Source::Command(command(section)?)
        };
        Ok(Self { name, source })
    }

    /// Where the value is had from, for people.
    #[must_use]
    pub fn origin(&self) -> String {
        match &self.source {
            Source::File(path) => format!("file `{path}`"),
            Source::Command(argv) => format!("command `{}`", argv.first().map_or("", String::as_str)),
            Source::Env(variable) => format!("variable `{variable}` of the environment"),
        }
    }
}

fn command(section: &Section<'_, '_>) -> Result<Vec<String>> {
    let given = section.table.get("command");
    let words: Option<Vec<String>> = given.and_then(|value| match value.get_ref() {
        DeValue::Array(words) => words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect(),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) => None,
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    });
    match words {
        Some(words) if words.first().is_some_and(|program| !program.is_empty()) => Ok(words),
        Some(_) | None => {
            let span = given.map_or_else(|| section.span.clone(), toml::Spanned::span);
            let message = format!("`command` of secret `{}` is a list of words: no shell reads it", section.name);
            Err(section.document.wrong(span, message).hint(r#"write `command = ["pass", "show", "db"]`"#))
        }
    }
}
