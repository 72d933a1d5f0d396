//! A machine of an inventory: where it is reached, and what baton may do there. Pure. It must not reach it.

use super::account::is_account;
use super::document::Section;
use crate::error::Result;
use crate::model::text::shown;
use std::collections::BTreeSet;

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Where it is reached: a destination as `ssh` takes it, or `local` for the machine baton runs on.
    pub address: String,
    /// The folder on the host in which baton keeps its job records; not said, `.baton` in the home folder there.
    pub jobs: Option<String>,
    /// The account that jobs and probes become there, through `sudo`; not said, they stay the login account.
    pub account: Option<String>,
    /// The command that restarts it; not said, `systemctl reboot`.
    pub reboot: Option<Vec<String>>,
    /// Words by which runbooks find what belongs together.
    pub tags: BTreeSet<String>,
}

impl Host {
    /// The host that a section declares.
    pub(crate) fn of(section: &Section<'_, '_>) -> Result<Self> {
        let what = section.named("host")?;
        section.only(&["address", "jobs", "become", "reboot", "tags"])?;
        let address = section.required("address", &what)?;
        let wrong = |message: String| section.document.wrong(address.span.clone(), message);
        if !is_destination(address.text) {
            let message = format!("`{}` is not an address", shown(address.text));
            return Err(wrong(message).hint("write `local`, or a destination as ssh takes it: `user@machine`"));
        }
        let jobs = section.text("jobs")?;
        if let Some(jobs) = jobs.as_ref().filter(|jobs| !jobs.text.starts_with('/')) {
            let message = format!("`jobs` of {what} must be a full path: `{}`", shown(jobs.text));
            return Err(section.document.wrong(jobs.span.clone(), message));
        }
        let jobs = jobs.map(|jobs| jobs.text.to_owned());
        let account = account(section)?;
        let (reboot, tags) = (command(section, "reboot")?, section.tags()?);
        Ok(Self { name: section.name.to_owned(), address: address.text.to_owned(), jobs, account, reboot, tags })
    }
}

/// A command as a list of its words, if the section has one under this key.
fn command(section: &Section<'_, '_>, key: &str) -> Result<Option<Vec<String>>> {
    let Some(value) = section.table.get(key) else { return Ok(None) };
    let words = value.get_ref().as_array().map(|words| words.iter().map(|word| word.get_ref().as_str()).collect());
    match words {
        Some(Some(words)) if !Vec::<&str>::is_empty(&words) => Ok(Some(words.into_iter().map(str::to_owned).collect())),
        Some(_) | None => {
            let message = format!("`{key}` is a list of words such as `[\"systemctl\", \"reboot\"]`");
            Err(section.document.wrong(value.span(), message))
        }
    }
}

/// The account that `become` names, if the section has that.
pub(crate) fn account(section: &Section<'_, '_>) -> Result<Option<String>> {
    match section.text("become")? {
        Some(line) if !is_account(line.text) => {
            let message = format!("`{}` is not the name of an account", shown(line.text));
            Err(section.document.wrong(line.span, message).hint("names are small letters, digits, `-` and `_`"))
        }
        line => Ok(line.map(|line| line.text.to_owned())),
    }
}

/// Whether OpenSSH would take it for `[user@]host` or `ssh://[user@]host[:port]` and for nothing else.
fn is_destination(address: &str) -> bool {
    let bare = address.strip_prefix("ssh://").unwrap_or(address);
    let part = |text: &str| {
        let safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%');
        !text.is_empty() && !text.starts_with('-') && text.chars().all(safe)
    };
    match bare.rsplit_once('@') {
        Some((user, host)) => part(user) && part(host),
        None => part(bare),
    }
}
