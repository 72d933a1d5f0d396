//! How the hosts of a site are reached over SSH: the inventory's table `[ssh]`. Whatever is not said here is the
//! user's own OpenSSH configuration. It must not know how a connection is made.

use super::document::Section;
use crate::error::Result;
use crate::model::span::Span;
use crate::model::text::shown;

/// How sessions share one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexing {
    /// baton speaks to the master of the connection itself.
    Native,
    /// Every session is an `ssh` process of its own beside the master.
    Process,
}

/// How hosts are reached over SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// The OpenSSH configuration to use in place of the user's own.
    pub config: Option<String>,
    /// How sessions share a connection.
    pub multiplexing: Multiplexing,
    /// How long one attempt to connect may take.
    pub connect_limit: Span,
    /// How often a silent peer is asked for a sign of life; the third time without one, the link counts as gone.
    pub alive: Span,
    /// How long a host that was reached before is tried again before it counts as unreachable.
    pub reconnect: Span,
    /// How many connections are established at a time.
    pub connections: u64,
    /// How long a look at a folder, or at a part of a file, may take. No inventory says so.
    pub look_limit: Span,
}

impl Default for Ssh {
    fn default() -> Self {
        Self {
            config: None,
            multiplexing: Multiplexing::Native,
            connect_limit: Span::secs(15),
            alive: Span::secs(5),
            reconnect: Span::mins(1),
            connections: 8,
            look_limit: Span::mins(1),
        }
    }
}

impl Ssh {
    /// Reads the table.
    pub(crate) fn read(section: &Section<'_, '_>) -> Result<Self> {
        section.only(&["config", "multiplexing", "connect_limit", "alive", "reconnect", "connections"])?;
        let default = Self::default();
        let multiplexing = match section.text("multiplexing")? {
            None => default.multiplexing,
            Some(line) if line.text == "native" => Multiplexing::Native,
            Some(line) if line.text == "process" => Multiplexing::Process,
            Some(line) => {
                return Err(section.document.wrong(line.span, "`multiplexing` is `native` or `process`"));
            }
        };
        let config = match section.text("config")? {
            Some(line) if !line.text.starts_with('/') => {
                return Err(section.document.wrong(line.span, "`config` of `ssh` must be a full path"));
            }
            Some(line) if !line.text.chars().all(is_plain) => {
                let message = format!("`config` of `ssh` cannot be `{}`", shown(line.text));
                return Err(section.document.wrong(line.span, message).hint(
                    "`ssh` reads more into quotes, patterns, `\\`, `%`, `$` and line ends: give the file a plain path",
                ));
            }
            config => config.map(|line| line.text.to_owned()),
        };
        Ok(Self {
            config,
            multiplexing,
            connect_limit: span(section, "connect_limit")?.unwrap_or(default.connect_limit),
            alive: span(section, "alive")?.unwrap_or(default.alive),
            reconnect: span(section, "reconnect")?.unwrap_or(default.reconnect),
            connections: connections(section)?.unwrap_or(default.connections),
            look_limit: default.look_limit,
        })
    }
}

/// Whether `ssh` takes this character of a quoted path for itself, neither as a pattern nor as the end of the line.
fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '"' | '\'' | '\\' | '*' | '?' | '[' | ']' | '{' | '}' | '%' | '$')
}

/// A length of time of at least a second: OpenSSH counts in whole ones.
fn span(section: &Section<'_, '_>, key: &str) -> Result<Option<Span>> {
    let Some(line) = section.text(key)? else { return Ok(None) };
    match Span::parse(line.text) {
        Ok(span) if span >= Span::secs(1) => Ok(Some(span)),
        Ok(_) => Err(section.document.wrong(line.span, format!("`{key}` must be at least `1s`"))),
        Err(reason) => Err(section.document.wrong(line.span, reason)),
    }
}

fn connections(section: &Section<'_, '_>) -> Result<Option<u64>> {
    let Some(value) = section.table.get("connections") else { return Ok(None) };
    let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
    match number {
        Some(number @ 1..=64) => Ok(Some(number)),
        Some(_) | None => {
            Err(section.document.wrong(value.span(), "`connections` must be a whole number from 1 to 64"))
        }
    }
}
