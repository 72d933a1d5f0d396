//! The connection to one host: made when it is first needed, made again when it has broken, shared by at most
//! seven channels. It knows nothing of what goes over them.

use super::settings::{IDLE, Settings};
use crate::model::site::ssh::Multiplexing;
use crate::model::span::Span;
use crate::world::Trouble;
use crate::world::agent::quoted;
use crate::world::agent::transport::{Channel, Doing, LinkNumber, SHORT, Transport};
use openssh::{ControlPersist, KnownHosts, OwningCommand, Session, SessionBuilder, Stdio};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep};

/// How many sessions there are on a connection at a time. OpenSSH allows ten, and counts those that are just closing.
/// Four of them may be agents' and two may follow logs, so that there is always one for a probe.
pub(super) const CHANNELS: usize = 7;
/// How many of them may be taken up by agents that supervise a job.
const SUPERVISORS: usize = 3;
/// How often a session that the host refused is asked for again, each time after twice as long as before.
const SESSION_TRIES: u32 = 8;
/// How long to wait before the second try.
const SESSION_PAUSE: Duration = Duration::from_millis(20);
/// How long to wait before a host is called again.
const CALL_AGAIN: Duration = Duration::from_secs(1);

/// The connection to a host.
#[derive(Debug)]
pub(super) struct Connection {
    host: String,
    address: String,
    settings: Arc<Settings>,
    state: Mutex<ConnectionState>,
    channels: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct ConnectionState {
    session: Option<Arc<Session>>,
    /// The number of that one, or of the last one.
    number: u64,
    /// It was reached before: then it is worth waiting for.
    reached: bool,
    /// It may show another key the next time.
    expects_new_key: bool,
}

impl Connection {
    /// The connection to `host`, which is not made yet.
    pub(super) fn new(host: &str, address: &str, settings: Arc<Settings>) -> Self {
        let channels = Arc::new(Semaphore::new(CHANNELS));
        Self { host: host.to_owned(), address: address.to_owned(), settings, state: Mutex::default(), channels }
    }

    /// How long a look at a folder, or at a part of a file, may take.
    pub(super) fn look_limit(&self) -> Duration {
        self.settings.look_limit
    }

    /// Starts `line`, a line of shell that holds nothing but constants, in a session of its own, which counts until the
    /// channel is dropped.
    async fn begin(&self, line: &str) -> Result<Channel, Trouble> {
        let closed = |_| Trouble::Unreachable("the connection is being closed".into());
        let counts = Arc::clone(&self.channels).acquire_owned().await.map_err(closed)?;
        let (mut pause, mut tries) = (SESSION_PAUSE, 0);
        loop {
            let (session, link) = self.session().await?;
            let error = match piped(session.arc_raw_command(line)).spawn().await {
                Ok(mut child) => {
                    let streams = (child.stdin().take(), child.stdout().take(), child.stderr().take());
                    let (Some(to), Some(from), Some(errors)) = streams else {
                        return Err(Trouble::Unreachable(format!("host `{}` gives no channel", self.host)));
                    };
                    let (to, from, errors) = (Box::new(to), Box::new(from), Box::new(errors));
                    return Ok(Channel { to, from, errors, link, held: Box::new((child, counts)) });
                }
                Err(error) => error,
            };
            tries += 1;
            if is_refusal(&error) {
                if tries == SESSION_TRIES {
                    return Err(Trouble::Unreachable(self.too_few_sessions()));
                }
                sleep(pause).await;
                pause *= 2;
            } else {
                tracing::debug!(host = self.host, ?error, "no session");
                self.give_up(link).await;
                if tries == SESSION_TRIES {
                    return Err(Trouble::Unreachable(format!("host `{}` lets no session begin: {error}", self.host)));
                }
            }
        }
    }

    /// The host may show another key the next time it is called; that one is kept then.
    pub(super) async fn expect_new_key(&self) {
        let mut state = self.state.lock().await;
        state.expects_new_key = true;
        // What is connected now is the old host.
        if let Some(session) = state.session.take() {
            leave(session);
        }
    }

    fn too_few_sessions(&self) -> String {
        format!(
            "host `{}` allows too few sessions on a connection: set MaxSessions there to 10, OpenSSH's default",
            self.host
        )
    }

    async fn session(&self) -> Result<(Arc<Session>, LinkNumber), Trouble> {
        let mut state = self.state.lock().await;
        if let Some(session) = &state.session {
            return Ok((Arc::clone(session), LinkNumber(state.number)));
        }
        let give_up = Instant::now() + if state.reached { self.settings.reconnect } else { Duration::ZERO };
        self.settings.progress.called();
        let session = self.reach(&state, give_up).await;
        self.settings.progress.settled();
        let session = Arc::new(session?);
        if state.expects_new_key {
            let (host, kept) = (&self.host, self.pinned());
            let kept = kept.display();
            self.settings
                .progress
                .say(format!("the new host key of `{host}` is kept in `{kept}`; to let it go: rm {kept}"));
        }
        let number = state.number + 1;
        *state = ConnectionState { session: Some(Arc::clone(&session)), number, reached: true, expects_new_key: false };
        Ok((session, LinkNumber(number)))
    }

    /// Calls the host, again and again until it is time to give up.
    async fn reach(&self, state: &ConnectionState, give_up: Instant) -> Result<Session, Trouble> {
        let mut told = false;
        loop {
            let builder = self.builder(state.expects_new_key).map_err(|error| {
                Trouble::Unreachable(format!("the private folder of SSH connections cannot be made: {error}"))
            })?;
            match self.call(builder).await {
                Ok(session) => return Ok(session),
                Err(error) => {
                    let reason = self.in_words(&error);
                    tracing::debug!(host = self.host, reason, "not reached");
                    if Instant::now() + CALL_AGAIN >= give_up || is_for_good(&error) {
                        return Err(Trouble::Unreachable(reason));
                    }
                    if !told {
                        let span = Span(u64::try_from(self.settings.reconnect.as_millis()).unwrap_or(u64::MAX));
                        self.settings.progress.say(format!("{reason}; it is called again for {span}"));
                        told = true;
                    }
                }
            }
            sleep(CALL_AGAIN).await;
        }
    }

    /// How the host is called.
    fn builder(&self, expects_new_key: bool) -> std::io::Result<SessionBuilder> {
        let settings = &*self.settings;
        let pinned = self.pinned();
        let folder = settings.folder()?;
        let mut builder = SessionBuilder::default();
        builder
            .known_hosts_check(KnownHosts::Strict)
            .connect_timeout(settings.connect_limit)
            .server_alive_interval(settings.alive)
            .control_directory(folder.path())
            .control_persist(ControlPersist::IdleFor(NonZeroUsize::MIN.saturating_add(IDLE.as_secs() as usize - 1)))
            .config_file(folder.config());
        if expects_new_key {
            let made = std::fs::create_dir_all(&settings.known_hosts);
            // Whatever was pinned before is the key of a machine that is no more.
            let _ = made.and_then(|()| std::fs::remove_file(&pinned));
            builder.known_hosts_check(KnownHosts::Add).user_known_hosts_file(folder.keys(&self.host, &pinned)?);
        } else if pinned.is_file() {
            builder.user_known_hosts_file(folder.keys(&self.host, &pinned)?);
        }
        Ok(builder)
    }

    async fn call(&self, builder: SessionBuilder) -> Result<Session, openssh::Error> {
        let _one_of_some = self.settings.connecting.acquire().await;
        match self.settings.multiplexing {
            Multiplexing::Native => builder.connect_mux(&self.address).await,
            Multiplexing::Process => builder.connect(&self.address).await,
        }
    }

    /// The file of the key that was expected to be new.
    fn pinned(&self) -> PathBuf {
        self.settings.known_hosts.join(&self.host)
    }

    /// This link carries nothing any more: the next one who needs one makes another.
    async fn give_up(&self, link: LinkNumber) {
        let mut state = self.state.lock().await;
        if state.number == link.0 {
            state.session.take().into_iter().for_each(leave);
        }
    }

    fn in_words(&self, error: &openssh::Error) -> String {
        let (host, by_hand) = (&self.host, self.settings.by_hand(&self.address));
        // The cause is what `ssh` said.
        let said = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        let pinned = self.pinned();
        if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") && pinned.is_file() {
            let kept = pinned.display();
            return format!(
                "host `{host}` shows another host key than the one it showed when it was last set up anew, which is \
                 kept in `{kept}`: either somebody is in between, or it was set up anew once more; then let the kept \
                 key go: rm {kept}; after that the keys in your own known_hosts count, and `{by_hand}` shows \
                 the new one"
            );
        }
        if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
            return format!(
                "host `{host}` shows another host key than the known one: either somebody is in between, or it was \
                 set up anew; then `ssh-keygen -R` forgets the old key, and `{by_hand}` shows the new one"
            );
        }
        if said.contains("Host key verification failed") || said.contains("host key is known for") {
            return format!(
                "the host key of `{host}` is not known: call it once by hand and compare the key: `{by_hand}`"
            );
        }
        if said.contains("Permission denied (") {
            return format!("host `{host}` refuses the login: {}; try it by hand: `{by_hand}`", last_line(&said));
        }
        format!("host `{host}` cannot be reached: {}; try it by hand: `{by_hand}`", last_line(&said))
    }
}

impl Transport for Connection {
    fn host(&self) -> &str {
        &self.host
    }

    fn supervisors(&self) -> usize {
        SUPERVISORS
    }

    fn open<'a>(&'a self, script: &'a str) -> Doing<'a, Result<Channel, Trouble>> {
        Box::pin(async move { self.begin(&shell(script)).await })
    }

    /// A frozen peer is noticed by OpenSSH, after a while.
    fn check(&self) -> Doing<'_, bool> {
        Box::pin(async {
            let state = self.state.lock().await;
            let Some(session) = state.session.clone() else { return false };
            let link = LinkNumber(state.number);
            drop(state);
            let carries = session.check().await.is_ok();
            if !carries {
                self.give_up(link).await;
            }
            carries
        })
    }

    fn carries(&self, link: LinkNumber) -> Doing<'_, bool> {
        Box::pin(async move {
            let state = self.state.lock().await;
            state.session.is_some() && state.number == link.0
        })
    }

    fn broken(&self, link: LinkNumber) -> Doing<'_, ()> {
        Box::pin(self.give_up(link))
    }

    fn meaning(&self, said: &str) -> Option<Trouble> {
        said.contains("refused").then(|| Trouble::Unreachable(self.too_few_sessions()))
    }
}

/// How a shell is begun over SSH, in surroundings that do not differ from one runner or login to the next.
fn shell(script: &str) -> String {
    let keeps = "HOME=\"$HOME\" PATH=\"$PATH\" USER=\"$USER\" LOGNAME=\"$LOGNAME\" \
        ${LANG:+\"LANG=$LANG\"} ${TZ:+\"TZ=$TZ\"} ${TMPDIR:+\"TMPDIR=$TMPDIR\"}";
    format!("exec env -i {keeps} baton_script={} sh -c {} baton", quoted(script), quoted(SHORT))
}

fn piped(mut command: OwningCommand<Arc<Session>>) -> OwningCommand<Arc<Session>> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The host let no further session begin: nothing was started.
fn is_refusal(error: &openssh::Error) -> bool {
    let openssh::Error::SshMux(cause) = error else { return false };
    cause.to_string().contains("refused by peer") || format!("{cause:?}").contains("refused by peer")
}

/// Calling again would not help: the answer would be the same.
fn is_for_good(error: &openssh::Error) -> bool {
    let openssh::Error::Connect(cause) = error else { return false };
    let said = cause.to_string();
    said.contains("Permission denied (") || said.contains("HAS CHANGED") || said.contains("Host key verification")
}

/// Ends a master without waiting for it: it may be hung.
fn leave(session: Arc<Session>) {
    tokio::task::spawn_blocking(move || drop(session));
}

fn last_line(said: &str) -> &str {
    said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no reason is given")
}
