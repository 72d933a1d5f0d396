//! Files carried to a host or from it: block by block into a part beside the target, which becomes the target when its
//! digest is that of the source. Whatever breaks on the way, the part that is there is compared and gone on with. Only
//! this code says what is carried; it never looks at what is in a file.

use crate::exec::calls::{self, EffectSite, words};
use crate::exec::deadline::deadline;
use crate::exec::order::{ExecResult, JobFound, Order};
use crate::exec::waiting::{Backoff, Heartbeat};
use crate::model::digest::sha256;
use crate::model::run::effect::{FailureKind, Outcome, Transfer};
use crate::model::run::instant::Mono;
use crate::model::value::Value;
use crate::world::request::WorkOnFile;
use crate::world::transfer::{Block, DigestFile, FileSeen, InstallFile, RUNNER, ReadBlock, Role, WriteBlock};
use crate::world::{HasReply, Link, Stopped, Trouble, Try};
use std::cell::{Cell, RefCell};

/// How much is carried at a time, in bytes.
pub const BLOCK: u64 = 4 << 20;

/// How many other names a part gets when somebody else has those before.
const NAMES_MAX: u32 = 8;

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the host.
    Put,
    /// From it.
    Fetch,
}

/// Carries a file, or finds that it is there already.
pub(super) fn perform(
    link: &dyn Link,
    order: Order<'_>,
    transfer: &Transfer,
    way: Direction,
) -> Result<ExecResult, Stopped> {
    match EffectSite::of(order.effect) {
        Ok(site) => Transferring::new(link, order, site.host, transfer, way).carry(),
        Err(verdict) => Ok(verdict),
    }
}

/// Whether a file was carried, found out without carrying anything: it is there whole or not at all.
pub(super) fn settle(
    link: &dyn Link,
    order: Order<'_>,
    transfer: &Transfer,
    way: Direction,
) -> Result<JobFound, Stopped> {
    let Some(host) = order.effect.host.as_deref() else { return Ok(JobFound::Never) };
    match Transferring::new(link, order, host, transfer, way).is_there() {
        Ok(Some(value)) => Ok(JobFound::Ended(Outcome::done(value))),
        Ok(None) => Ok(JobFound::Never),
        Err(Break::Stopped) => Err(Stopped),
        Err(Break::Trouble(trouble)) => Ok(JobFound::Hidden { reason: words(&trouble) }),
        Err(Break::Failed(_, reason)) => Ok(JobFound::Hidden { reason }),
    }
}

/// One end of a transfer.
#[derive(Debug, Clone, Copy)]
struct Endpoint<'a> {
    host: &'a str,
    path: &'a str,
}

/// Why a try came to no end.
enum Break {
    Stopped,
    Trouble(Trouble),
    /// Trying again would not help.
    Failed(FailureKind, String),
}

impl From<Stopped> for Break {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Trouble> for Break {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// A transfer and everything needed for it.
struct Transferring<'a> {
    link: &'a dyn Link,
    order: Order<'a>,
    transfer: &'a Transfer,
    way: Direction,
    source: Endpoint<'a>,
    target: Endpoint<'a>,
    /// The name of the part, until somebody else is found to have it: then there is another, which nobody else could
    /// have known.
    part: RefCell<String>,
    deadline: Mono,
    /// Something of it is on its way: a break of the link is worth waiting for.
    begun: Cell<bool>,
    /// The target may have been replaced, and nobody has looked since.
    replaced: Cell<bool>,
}

impl<'a> Transferring<'a> {
    fn new(link: &'a dyn Link, order: Order<'a>, host: &'a str, transfer: &'a Transfer, way: Direction) -> Self {
        let here = Endpoint { host: RUNNER, path: &transfer.local };
        let there = Endpoint { host, path: &transfer.remote };
        let (source, target) = if way == Direction::Put { (here, there) } else { (there, here) };
        let (part, begun) = (RefCell::new(part_of(target.path, "")), Cell::new(order.recovering));
        let deadline = deadline(order.since, transfer.limit, &link.now());
        let replaced = Cell::new(order.recovering);
        Self { link, order, transfer, way, source, target, part, deadline, begun, replaced }
    }

    /// Tries until it is done, as long as it is only the link that breaks.
    fn carry(&self) -> Result<ExecResult, Stopped> {
        let mut pace = Backoff::patient();
        loop {
            let trouble = match self.once() {
                Ok(value) => return Ok(ExecResult::Outcome(Outcome::done(value))),
                Err(Break::Stopped) => return Err(Stopped),
                Err(Break::Failed(kind, why)) => {
                    return Ok(ExecResult::failed(kind, format!("{}: {why}", self.undone())));
                }
                Err(Break::Trouble(Trouble::Leased(denied))) => return Ok(ExecResult::Leased { denied }),
                Err(Break::Trouble(trouble)) => trouble,
            };
            let may_heal = matches!(trouble, Trouble::Unreachable(_) | Trouble::Lost(_) | Trouble::Late);
            if !may_heal || !self.begun.get() || self.is_over() {
                if trouble == Trouble::Late && self.is_over() {
                    let why = format!("{}: it took longer than {}", self.undone(), self.transfer.limit);
                    return Ok(ExecResult::failed(FailureKind::Limit, why));
                }
                return Ok(ExecResult::Outcome(Outcome::Failed(calls::failed(&self.undone(), &trouble))));
            }
            let until = self.deadline.min(self.link.now().mono + pace.step());
            self.link.wait_until(until)?;
        }
    }

    /// One try: looks at both ends and carries what is missing.
    fn once(&self) -> Result<Value, Break> {
        let source = self.source()?;
        let target = self.digest(self.target, u64::MAX, Role::Target)?;
        self.replaced.set(false);
        let mode = self.transfer.mode.or(target.as_ref().map(|there| there.mode)).unwrap_or(source.mode & 0o777);
        if let Some(there) = target.as_ref().filter(|there| there.sha256 == source.sha256) {
            if there.mode != mode {
                self.install(self.target.path, mode, true)?;
                self.begun.set(true);
            }
            return Ok(told(self.begun.get(), &source, None));
        }
        if target.is_some() && self.way == Direction::Fetch && !self.transfer.replace {
            let why = format!("`{}` has another content; say `replace: true` if it may go", self.target.path);
            return Err(Break::Failed(FailureKind::Guard, why));
        }
        self.blocks(&source)?;
        self.compare(&source)?;
        let part = self.part.borrow().clone();
        self.install(&part, mode, self.way == Direction::Put || self.transfer.replace)?;
        Ok(told(true, &source, target.filter(|_| !self.order.recovering)))
    }

    /// The source, if it is what may be carried.
    fn source(&self) -> Result<FileSeen, Break> {
        let missing = || Trouble::Missing(format!("`{}` is not there", self.source.path));
        // How long it is, before anything of it is read.
        let len = self.digest(self.source, 0, Role::Source)?.ok_or_else(missing)?.len;
        let (path, max) = (self.source.path, self.transfer.max);
        if len > max {
            let why = format!("`{path}` has {len} bytes, more than the {max} that `max` allows");
            return Err(Break::Failed(FailureKind::Guard, why));
        }
        // Up to its end, whatever it says of its length: files that a system makes up say anything, those that grow
        // have grown.
        let seen = self.digest(self.source, max.saturating_add(1).min(u64::MAX - 1), Role::Source)?;
        let seen = seen.ok_or_else(missing)?;
        if seen.len > max {
            let why = format!("`{path}` has more than the {max} bytes that `max` allows");
            return Err(Break::Failed(FailureKind::Guard, why));
        }
        match &self.transfer.sha256 {
            Some(wanted) if *wanted != seen.sha256 => {
                let why = format!("`{path}` has the SHA-256 {}, not {wanted}", seen.sha256);
                Err(Break::Failed(FailureKind::Guard, why))
            }
            Some(_) | None => Ok(seen),
        }
    }

    /// Carries the blocks that the part lacks.
    fn blocks(&self, source: &FileSeen) -> Result<(), Break> {
        let mut at = self.agreed(source)?;
        let what = format!("{} to be carried", self.order.effect.label);
        let mut beat = Heartbeat::begin(self.link, self.order.id, what, self.deadline);
        // An empty file has an empty part.
        let mut first = at == 0;
        while first || at < source.len {
            if self.is_over() {
                let (limit, len) = (self.transfer.limit, source.len);
                let why =
                    format!("it took longer than {limit}; {at} of {len} bytes are there and need not be carried again");
                return Err(Break::Failed(FailureKind::Limit, why));
            }
            let max = BLOCK.min(source.len - at);
            let block = self.read(at, max)?;
            if block.0.len() as u64 != max {
                return Err(self.changed());
            }
            self.begun.set(true);
            let write = WriteBlock { path: self.part.borrow().clone(), at, block };
            match self.ask(self.target.host, write, self.deadline)? {
                // Somebody has taken the part away: begin again, but not at once.
                Err(Trouble::Missing(why)) if at > 0 => return Err(Trouble::Lost(why).into()),
                kept => kept?,
            }
            at += max;
            first = false;
            beat.tick();
        }
        Ok(())
    }

    /// How much of the part is as the source is.
    fn agreed(&self, source: &FileSeen) -> Result<u64, Break> {
        let mut names = 0;
        let there = loop {
            match self.part(source.len) {
                Err(Break::Trouble(Trouble::Refused(_))) if names < NAMES_MAX => {
                    // Somebody else has the name, and may still change what is there. It is theirs, and stays.
                    names += 1;
                    let Order { run, id, .. } = self.order;
                    let unknown = sha256(format!("{run} {id} {names} {}", self.target.path).as_bytes());
                    self.part.replace(part_of(self.target.path, unknown.get(..16).unwrap_or(&unknown)));
                }
                there => break there?,
            }
        };
        let Some(there) = there.filter(|there| (1..=source.len).contains(&there.len)) else { return Ok(0) };
        let same = self.digest(self.source, there.len, Role::Source)?;
        Ok(if same.is_some_and(|same| same.sha256 == there.sha256) { there.len } else { 0 })
    }

    /// What the part holds in its first bytes.
    fn part(&self, first: u64) -> Result<Option<FileSeen>, Break> {
        let path = self.part.borrow().clone();
        self.digest(Endpoint { path: &path, ..self.target }, first, Role::Part)
    }

    /// The part must be what the source was.
    fn compare(&self, source: &FileSeen) -> Result<(), Break> {
        let same = |seen: FileSeen| seen.len == source.len && seen.sha256 == source.sha256;
        if self.part(source.len)?.is_some_and(same) {
            return Ok(());
        }
        if !self.digest(self.source, source.len, Role::Source)?.is_some_and(same) {
            return Err(self.changed());
        }
        let why = format!("`{}` did not arrive as it is at `{}`", self.source.path, self.part.borrow());
        Err(Break::Failed(FailureKind::Unreadable, why))
    }

    fn changed(&self) -> Break {
        let why = format!("`{}` was changed while it was carried; the target is as it was", self.source.path);
        Break::Failed(FailureKind::Unreadable, why)
    }

    /// What is told of a file that is there already.
    fn is_there(&self) -> Result<Option<Value>, Break> {
        let source = self.source()?;
        let there = self.digest(self.target, u64::MAX, Role::Target)?;
        Ok(there.filter(|there| there.sha256 == source.sha256).map(|_| told(true, &source, None)))
    }

    fn install(&self, part: &str, mode: u32, over: bool) -> Result<(), Break> {
        let path = self.target.path.to_owned();
        let work = InstallFile { part: part.to_owned(), path, mode, over };
        self.replaced.set(true);
        // Not cut short by the limit: it is quick, and who gives up in its midst does not know what is there.
        match self.ask(self.target.host, work, Mono::NEVER)? {
            Err(trouble @ (Trouble::Missing(_) | Trouble::Refused(_) | Trouble::Leased(_))) => {
                self.replaced.set(false);
                Err(trouble.into())
            }
            kept => Ok(kept?),
        }
    }

    fn digest(&self, end: Endpoint<'_>, first: u64, role: Role) -> Result<Option<FileSeen>, Break> {
        let work = DigestFile { path: end.path.to_owned(), first, role };
        Ok(self.ask(end.host, work, self.deadline)??)
    }

    fn read(&self, from: u64, max: u64) -> Result<Block, Break> {
        let work = ReadBlock { path: self.source.path.to_owned(), from, max };
        Ok(self.ask(self.source.host, work, self.deadline)??)
    }

    fn ask<W>(&self, host: &str, work: W, until: Mono) -> Try<<WorkOnFile<W> as HasReply>::Reply>
    where
        WorkOnFile<W>: HasReply,
    {
        self.link.ask(WorkOnFile { host: host.to_owned(), work, until })
    }

    fn undone(&self) -> String {
        let label = &self.order.effect.label;
        if self.replaced.get() {
            return format!("`{label}` has no known end: `{}` is the new file or as it was", self.target.path);
        }
        format!("`{label}` was not done")
    }

    fn is_over(&self) -> bool {
        self.link.now().mono >= self.deadline
    }
}

/// What a script is told.
fn told(changed: bool, source: &FileSeen, former: Option<FileSeen>) -> Value {
    Value::map([
        ("changed", Value::Bool(changed)),
        ("former", former.map_or(Value::Null, |former| former.sha256.into())),
        ("sha256", source.sha256.as_str().into()),
        ("bytes", Value::Int(i64::try_from(source.len).unwrap_or(i64::MAX))),
    ])
}

/// Where a file grows before it is whole: beside it, under a name that nobody takes for it.
fn part_of(path: &str, mark: &str) -> String {
    let (folder, name) = path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1));
    let dot = if mark.is_empty() { "" } else { "." };
    format!("{folder}.{name}{dot}{mark}.baton-part")
}
