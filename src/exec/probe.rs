//! Probes: commands that only read. Tried as often as they say; a probe that cannot be carried out is a
//! failure, never a value, so that no decision is taken on the strength of a broken link.

use crate::exec::calls::{EffectSite, failed};
use crate::exec::order::{ExecResult, Order, failure};
use crate::exec::reading::{exit_word, value_of};
use crate::model::run::effect::{Failure, FailureKind, Outcome, Probe};
use crate::model::run::instant::Mono;
use crate::model::site::account::{self, AccountEntry};
use crate::model::span::Span;
use crate::model::value::Value;
use crate::world::request::RunProbe;
use crate::world::{Link, Probed, Stopped, Trouble};

/// How long to wait between two tries.
const BETWEEN_TRIES: Span = Span::secs(1);

/// How long a look may take that begins when the time is over: the last word is a reading made then.
const LAST_LOOK: Span = Span::secs(5);

/// How long looking may go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// No other try begins after it.
    pub(super) deadline: Mono,
    /// How long a try may take that ends after it.
    pub(super) last: Span,
}

impl Allowed {
    /// As long as the probe's own limit and tries say.
    pub(super) const AS_IT_SAYS: Self = Self { deadline: Mono::NEVER, last: Span(u64::MAX) };

    /// Until the deadline of a wait.
    pub(super) fn until(deadline: Mono) -> Self {
        Self { deadline, last: LAST_LOOK }
    }
}

/// The most of a failed probe's output that is kept, in bytes.
const OUTPUT_MAX: usize = 2_048;

/// Performs a probe effect.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, probe: &Probe) -> Result<ExecResult, Stopped> {
    let site = match EffectSite::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let by_wait = |within: Span| Allowed::until(link.now().mono + within);
    let allowed = probe.within.map_or(Allowed::AS_IT_SAYS, by_wait);
    Ok(ExecResult::Outcome(match read(link, site, probe, allowed)? {
        Ok(value) => Outcome::done(value),
        Err(failure) => Outcome::Failed(failure),
    }))
}

/// Reads a probe, with all its tries that there is time for.
pub(super) fn read(
    link: &dyn Link,
    site: EffectSite<'_>,
    probe: &Probe,
    allowed: Allowed,
) -> Result<Result<Value, Failure>, Stopped> {
    let mut tries = probe.tries.max(1);
    loop {
        let (failure, may_heal) = match one_try(link, site, probe, allowed)? {
            Ok(value) => return Ok(Ok(value)),
            Err(failed) => failed,
        };
        tries -= 1;
        if tries == 0 || !may_heal || link.now().mono >= allowed.deadline {
            return Ok(Err(failure));
        }
        link.wait_until(link.now().mono + BETWEEN_TRIES)?;
    }
}

/// One try: a value, or the failure and whether another try may do better.
fn one_try(
    link: &dyn Link,
    site: EffectSite<'_>,
    probe: &Probe,
    allowed: Allowed,
) -> Result<Result<Value, (Failure, bool)>, Stopped> {
    let what = format!("`{}` of `{}`", probe.what, site.name());
    let now = link.now().mono;
    let late = allowed.deadline.max(now + allowed.last);
    let argv = account::proving(&probe.argv);
    let request = RunProbe {
        host: site.host.to_owned(),
        service: site.service.map(str::to_owned),
        what: probe.what.clone(),
        argv: argv.clone(),
        args: probe.args.clone(),
        secret: probe.secret.clone(),
        until: (now + probe.limit).min(late),
    };
    let Probed { exit, out, err } = match link.ask(request)? {
        Ok(probed) => probed,
        Err(trouble) => {
            let may_heal = matches!(trouble, Trouble::Unreachable(_) | Trouble::Late | Trouble::Lost(_));
            return Ok(Err((failed(&what, &trouble), may_heal)));
        }
    };
    // A refusal must not be read as the answer of a command that never ran.
    let why = match account::entry(&argv, &out, &err) {
        AccountEntry::Begun => None,
        AccountEntry::Refused => Some(account::refusal(&argv, &out, &err)),
        AccountEntry::Unknown => Some("nothing proves that `sudo` let it begin".to_owned()),
    };
    if let Some(why) = why {
        let refused = failure(FailureKind::Unreachable, format!("{what}: {why}"));
        return Ok(Err((Failure { exit: Some(exit), ..refused }, false)));
    }
    let (out, err) = (account::own_words(&argv, out), account::own_words(&argv, err));
    if exit == 127
        && let Some(program) = account::program(&argv)
    {
        let trouble = Trouble::Missing(format!("there is no command `{program}`"));
        return Ok(Err((failed(&what, &trouble), false)));
    }
    if probe.exit_tells {
        return Ok(Ok(exit_word(exit).into()));
    }
    let problem = if exit == 0 {
        match value_of(&probe.reads, &out) {
            Ok(value) => return Ok(Ok(value)),
            Err(message) => failure(FailureKind::Unreadable, format!("{what}: {message}")),
        }
    } else {
        failure(FailureKind::Exit, format!("{what} ended with exit {exit}"))
    };
    let output = if err.is_empty() { out } else { err };
    let end = &output[output.len().saturating_sub(OUTPUT_MAX)..];
    let output = String::from_utf8_lossy(end).trim_end().to_owned();
    Ok(Err((Failure { exit: Some(exit), output, ..problem }, true)))
}
