//! The way to this machine as a host: a shell behind three pipes, in a session of its own, so that it outlives the
//! runner and hears nothing of its terminal. It knows nothing of what goes over them.

use super::commands::command;
use crate::world::Trouble;
use crate::world::agent::transport::{Channel, Doing, LinkNumber, SHORT, Transport};
use std::process::Stdio;

/// How many agents may supervise a job each: a pipe costs little.
const SUPERVISORS: usize = 32;

/// This machine, under the name of a host.
#[derive(Debug)]
pub(in crate::world) struct Pipes {
    host: String,
}

impl Pipes {
    /// For the host of this name.
    pub(in crate::world) fn new(host: &str) -> Self {
        Self { host: host.to_owned() }
    }

    fn begin(&self, script: &str) -> Result<Channel, Trouble> {
        let mut shell = command("setsid");
        shell.args(["sh", "-c", SHORT, "baton"]).env("baton_script", script);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let host = &self.host;
        let spawned = shell.spawn();
        let mut child =
            spawned.map_err(|error| Trouble::Refused(format!("host `{host}` cannot begin `setsid sh`: {error}")))?;
        let (Some(to), Some(from), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Trouble::Refused(format!("host `{host}` gives no pipes")));
        };
        let (to, from, errors) = (Box::new(to), Box::new(from), Box::new(errors));
        Ok(Channel { to, from, errors, link: LinkNumber(0), held: Box::new(child) })
    }
}

impl Transport for Pipes {
    fn host(&self) -> &str {
        &self.host
    }

    fn supervisors(&self) -> usize {
        SUPERVISORS
    }

    fn open<'a>(&'a self, script: &'a str) -> Doing<'a, Result<Channel, Trouble>> {
        Box::pin(async move { self.begin(script) })
    }

    fn check(&self) -> Doing<'_, bool> {
        Box::pin(async { true })
    }

    fn carries(&self, _link: LinkNumber) -> Doing<'_, bool> {
        Box::pin(async { true })
    }

    fn broken(&self, _link: LinkNumber) -> Doing<'_, ()> {
        Box::pin(async {})
    }

    fn meaning(&self, _said: &str) -> Option<Trouble> {
        None
    }
}
