//! The way to a host: how a shell is begun there that carries out a script, and the ends of its three streams. It knows
//! nothing of what goes over them; what a host is, a pipe or a connection, is for whoever implements it.

use crate::world::Trouble;
use std::any::Any;
use std::fmt::Debug;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// Something under way.
pub(in crate::world) type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The end of a stream that is written.
pub(in crate::world) type ChannelInput = Box<dyn AsyncWrite + Send + Sync + Unpin>;
/// The end of a stream that is read.
pub(in crate::world) type ChannelOutput = Box<dyn AsyncRead + Send + Sync + Unpin>;

/// How a shell is begun that carries out the text in the variable `baton_script`: who lists the processes of the host
/// sees a line, not pages of shell, and no command gets to see the text.
pub(in crate::world) const SHORT: &str = "_text=$baton_script; unset baton_script; eval \"$_text\"";

/// Which of the links that a host has had, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct LinkNumber(pub(in crate::world) u64);

/// A shell on a host that carries out a script. It is left alone when this is dropped, and finds its input at an end.
pub(in crate::world) struct Channel {
    pub(in crate::world) to: ChannelInput,
    pub(in crate::world) from: ChannelOutput,
    pub(in crate::world) errors: ChannelOutput,
    /// The link it goes over.
    pub(in crate::world) link: LinkNumber,
    /// What has to be there as long as it is.
    pub(in crate::world) held: Held,
}

/// What a channel needs beside its streams, whatever that is.
pub(in crate::world) type Held = Box<dyn Any + Send + Sync>;

/// The way to one host.
pub(in crate::world) trait Transport: Debug + Send + Sync {
    /// The name of the host.
    fn host(&self) -> &str;

    /// How many agents may supervise a job there, each over a channel that is taken for as long.
    fn supervisors(&self) -> usize;

    /// Begins a shell that carries out `script`, which holds nothing but constants.
    ///
    /// # Errors
    /// `Unreachable` or `Refused`: it was not begun.
    fn open<'a>(&'a self, script: &'a str) -> Doing<'a, Result<Channel, Trouble>>;

    /// Whether the link of now still carries anything. One that does not is given up.
    fn check(&self) -> Doing<'_, bool>;

    /// Whether this link is the one of now.
    fn carries(&self, link: LinkNumber) -> Doing<'_, bool>;

    /// This link carries nothing any more: whoever needs one next makes another.
    fn broken(&self, link: LinkNumber) -> Doing<'_, ()>;

    /// What it means that a shell said this and ended, where that is known.
    fn meaning(&self, said: &str) -> Option<Trouble>;
}
