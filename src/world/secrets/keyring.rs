//! The values of a site's secrets, had once and only when they are first needed: to be given to a command, or to be
//! hidden in what a host says. No value is ever shown, and none leaves this room but into a pipe.

use super::redactor::{Redactor, SHORTEST};
use super::secret_value::SecretValue;
use crate::model::site::secret::{Secret as Named, Source};
use crate::world::Trouble;
use crate::world::local::commands::command;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::OnceCell;

/// The longest value, in bytes: what a pipe holds before anybody reads it.
const LONGEST: usize = 64 * 1024;
/// How many bytes of the columns of a log record, of nothing but figures, may be a secret by chance.
const COLUMNS_LONGEST: usize = 16;
/// How long a command that prints a secret may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// The secrets of a site.
#[derive(Debug, Default)]
pub struct Keyring {
    secrets: BTreeMap<String, Named>,
    /// Whether values are made up: nothing is asked for them.
    rehearsed: bool,
    had: OnceCell<Had>,
}

/// What became of having the values.
#[derive(Debug, Default)]
struct Had {
    values: BTreeMap<String, Result<SecretValue, String>>,
    mask: Redactor,
}

impl Keyring {
    /// The keyring of these secrets; none of their values is looked for yet.
    #[must_use]
    pub fn new(secrets: BTreeMap<String, Named>) -> Self {
        Self { secrets, rehearsed: false, had: OnceCell::new() }
    }

    /// The same secrets for a rehearsal: their values are made up, and no source of theirs is asked.
    #[must_use]
    pub fn rehearsed(secrets: BTreeMap<String, Named>) -> Self {
        Self { rehearsed: true, ..Self::new(secrets) }
    }

    /// Whether there is nothing to hide.
    pub(in crate::world) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The value of a secret.
    ///
    /// # Errors
    /// `Refused` with the reason when it cannot be had, `Missing` when the inventory has none of that name.
    pub async fn value(&self, name: &str) -> Result<SecretValue, Trouble> {
        match self.had().await.values.get(name) {
            Some(Ok(secret)) => Ok(secret.clone()),
            Some(Err(why)) => {
                let origin = self.origin(name);
                Err(Trouble::Refused(format!("secret `{name}` cannot be had from {origin}: {why}")))
            }
            None => Err(Trouble::Missing(format!("the inventory has no secret `{name}`"))),
        }
    }

    /// The name of a secret whose value also stands in one of these texts, and of that text. What a host says would be
    /// hidden where it is compared with what the text says.
    pub(in crate::world) async fn common<'t>(
        &self,
        texts: &'t BTreeMap<String, Vec<String>>,
    ) -> Option<(String, &'t str)> {
        let values = &self.had().await.values;
        let mut had = values.iter().filter_map(|(name, value)| Some((name, value.as_ref().ok()?.reveal())));
        had.find_map(|(name, value)| {
            let says = |said: &String| said.as_bytes().windows(value.len()).any(|part| part == value);
            let (text, _) = texts.iter().find(|(_, said)| said.iter().any(says))?;
            Some((name.clone(), text.as_str()))
        })
    }

    /// The name of a secret whose value may stand in the columns of any log's records: their time, or the number of
    /// an event.
    pub(in crate::world) async fn like_columns(&self) -> Option<String> {
        let values = &self.had().await.values;
        let like = |value: &SecretValue| {
            let value = value.reveal();
            let fits = |byte: &u8| byte.is_ascii_digit() || b"-:./,+ TZ".contains(byte);
            value.len() <= COLUMNS_LONGEST && value.iter().any(u8::is_ascii_digit) && value.iter().all(fits)
        };
        values.iter().find(|(_, value)| value.as_ref().is_ok_and(like)).map(|(name, _)| name.clone())
    }

    /// The names of the secrets that cannot be had, and why.
    pub(in crate::world) async fn not_had(&self) -> Vec<(String, String)> {
        let values = self.had().await.values.iter();
        let why = |name: &str, why: &str| format!("it cannot be had from {}: {why}", self.origin(name));
        values.filter_map(|(name, value)| Some((name.clone(), why(name, value.as_ref().err()?)))).collect()
    }

    /// Where the value of a secret is had from, for people.
    pub(in crate::world) fn origin(&self, name: &str) -> String {
        self.secrets.get(name).map(Named::origin).unwrap_or_default()
    }

    /// What hides the values. A secret that cannot be had hides nothing: nobody was given it.
    pub(in crate::world) async fn mask(&self) -> &Redactor {
        &self.had().await.mask
    }

    async fn had(&self) -> &Had {
        self.had.get_or_init(|| self.have()).await
    }

    async fn have(&self) -> Had {
        let mut values = BTreeMap::new();
        for (name, secret) in &self.secrets {
            let made_up = || Ok(SecretValue(format!("rehearsed secret {name}").into_bytes()));
            let value = if self.rehearsed { made_up() } else { have(&secret.source).await };
            values.insert(name.clone(), value);
        }
        let mask = Redactor::of(values.values().flatten().map(SecretValue::reveal));
        Had { values, mask }
    }
}

async fn have(source: &Source) -> Result<SecretValue, String> {
    let mut value = match source {
        Source::File(path) => file(path).await?,
        Source::Command(argv) => printed(argv).await?,
        Source::Env(variable) => std::env::var_os(variable).ok_or("it is not set")?.into_vec(),
    };
    if !matches!(source, Source::Env(_)) {
        // As `$(…)` of a shell would have it, but only one.
        let end = value.strip_suffix(b"\n").map(|rest| rest.strip_suffix(b"\r").unwrap_or(rest));
        value.truncate(end.map_or(value.len(), <[u8]>::len));
    }
    match value.len() {
        0 => Err("it is empty".into()),
        length if length < SHORTEST => Err(format!("it is too short to be hidden: {SHORTEST} bytes at the least")),
        length if length > LONGEST => Err(format!("it is longer than {LONGEST} bytes")),
        _ => Ok(SecretValue(value)),
    }
}

async fn file(path: &str) -> Result<Vec<u8>, String> {
    let metadata = tokio::fs::metadata(path).await.map_err(|error| error.to_string())?;
    let kind = metadata.file_type();
    // A pipe, as `<(…)` of a shell makes, would hold us until somebody writes.
    if kind.is_fifo() || kind.is_dir() {
        return Err("it is not a file".into());
    }
    let mut value = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(|error| error.to_string())?;
    file.take(LONGEST as u64 + 3).read_to_end(&mut value).await.map_err(|error| error.to_string())?;
    Ok(value)
}

/// What a command prints. What it says about a failure is not repeated: it may hold the secret.
async fn printed(argv: &[String]) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("there is no command".into()) };
    let mut command = command(program);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let reading = async {
        let mut value = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            pipe.take(LONGEST as u64 + 3).read_to_end(&mut value).await?;
        }
        child.wait().await.map(|status| (status, value))
    };
    match tokio::time::timeout(COMMAND_LIMIT, reading).await {
        Ok(Ok((status, value))) if status.success() => Ok(value),
        Ok(Ok((status, _))) => Err(format!("it ended with {status}; what it says is not shown here")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it took longer than {} s", COMMAND_LIMIT.as_secs())),
    }
}
