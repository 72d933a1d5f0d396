//! Jobs: changes on a host under the job wrapper, which starts an id at most once. Whatever breaks on the way,
//! the host's own record of the job is asked; only where that is lost do goal or check decide, and where they
//! cannot, nobody pretends to know.

use crate::exec::calls::{self, EffectSite, words};
use crate::exec::deadline::deadline;
use crate::exec::entry::{Entered, entered};
use crate::exec::order::{ExecResult, JobFound, Order, failure};
use crate::exec::output::{OUTPUT_MAX, OUTPUT_PATIENCE, fetch};
use crate::exec::probe::{self, Allowed};
use crate::exec::reading::choices;
use crate::exec::until::{WatchGoal, WatchResult};
use crate::exec::waiting::{Backoff, Heartbeat};
use crate::model::run::effect::{Class, Failure, FailureKind, Goal, Job, Outcome};
use crate::model::run::instant::Mono;
use crate::model::site::account;
use crate::model::span::Span;
use crate::model::value::Value;
use crate::world::asked::CommandDigest;
use crate::world::request::{AwaitJob, EndJob, EnterHost, LookAtJob, StartJob};
use crate::world::{JobId, JobState, KeptOutput, Link, Stopped, Stream, Trouble, Try};

/// How long a start may take at least, however little is left of the limit.
const START_AT_LEAST: Span = Span::secs(3);
/// How long the one look may take for which the limit is over.
const LAST_LOOK: Span = Span::secs(8);

/// Starts a job, or finds it again, and sees it to its end.
pub(super) fn perform(link: &dyn Link, order: Order<'_>, job: &Job) -> Result<ExecResult, Stopped> {
    let site = match EffectSite::of(order.effect) {
        Ok(site) => site,
        Err(verdict) => return Ok(verdict),
    };
    let id = JobId { run: order.run.to_owned(), effect: order.id.clone(), attempt: order.attempt };
    let deadline = deadline(order.since, job.limit, &link.now());
    let work = Work { link, order, job, site, id, deadline };
    if let Err(trouble) = order.kept_in {
        return work.see_to_end(JobSight::NotStarted(trouble.clone()));
    }
    if !order.recovering {
        return work.see_to_end(JobSight::State(JobState::Absent));
    }
    let sight = work.look()?;
    if sight == JobSight::State(JobState::Absent) {
        if work.left() < Span(job.limit.0 / 2) {
            return Ok(ExecResult::Again { reason: "it was never started, and most of its limit is over".into() });
        }
        // Its intent does not say where its record would be: one that does is written before it is started.
        if order.kept_in == Ok(None) {
            match enter(link, (site.host, order.run), work.until(START_AT_LEAST))? {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(ExecResult::Again { reason: "it was never started".into() }),
                Err(trouble) => return work.see_to_end(JobSight::NotStarted(trouble)),
            }
        }
    }
    work.see_to_end(sight)
}

/// Where a host keeps what it knows of the jobs of a run, made if need be; or why it cannot be. Nothing in a world that
/// loses nothing. A link that breaks in the midst of it is waited for until `until`.
///
/// # Errors
/// [`Stopped`] when the run is being stopped.
pub fn enter(link: &dyn Link, (host, run): (&str, &str), until: Mono) -> Try<Option<String>> {
    let (mut pace, mut broke) = (Backoff::patient(), false);
    loop {
        let trouble = match link.ask(EnterHost { host: host.to_owned(), run: run.to_owned(), until })? {
            Ok(place) => return Ok(Ok(Some(place).filter(|place| !place.is_empty()))),
            Err(trouble) => trouble,
        };
        broke |= matches!(trouble, Trouble::Lost(_));
        let may_heal = matches!(trouble, Trouble::Lost(_) | Trouble::Unreachable(_) | Trouble::Late);
        let now = link.now().mono;
        if !broke || !may_heal || now >= until {
            return Ok(Err(trouble));
        }
        link.wait_until((now + pace.step()).min(until))?;
    }
}

/// What became of a job, found out without starting anything.
pub(super) fn settle(link: &dyn Link, order: Order<'_>, job: &Job) -> Result<JobFound, Stopped> {
    let Some(host) = order.effect.host.as_deref() else { return Ok(JobFound::Never) };
    let site = EffectSite { host, service: order.effect.service.as_deref() };
    let deadline = link.now().mono + job.limit;
    for attempt in (order.base..=order.attempt).rev() {
        let id = JobId { run: order.run.to_owned(), effect: order.id.clone(), attempt };
        let found = Work { link, order, job, site, id, deadline }.settle()?;
        if found != JobFound::Never {
            return Ok(found);
        }
    }
    Ok(JobFound::Never)
}

/// What is known of a job.
#[derive(Debug, PartialEq)]
enum JobSight {
    /// Its state on the host.
    State(JobState),
    /// It was not started: why.
    NotStarted(Trouble),
    /// The host could not be asked: why.
    Hidden(String),
    /// The host's record under its name is of another command.
    Foreign,
}

impl From<JobState> for JobSight {
    fn from(state: JobState) -> Self {
        if state == JobState::Foreign { Self::Foreign } else { Self::State(state) }
    }
}

/// A job and everything needed to work on it.
struct Work<'a> {
    link: &'a dyn Link,
    order: Order<'a>,
    job: &'a Job,
    site: EffectSite<'a>,
    id: JobId,
    deadline: Mono,
}

impl Work<'_> {
    fn see_to_end(&self, mut sight: JobSight) -> Result<ExecResult, Stopped> {
        loop {
            sight = match sight {
                JobSight::State(JobState::Absent) => match self.former_attempt()? {
                    Some(verdict) => return Ok(verdict),
                    None => self.start()?,
                },
                JobSight::State(JobState::Running) if self.is_over() => return self.limit_over(),
                JobSight::State(JobState::Running) => self.await_end()?,
                JobSight::State(JobState::Exited(exit)) => return self.exited(exit),
                JobSight::State(JobState::Lost(reason)) => return self.lost(reason),
                JobSight::NotStarted(Trouble::Leased(denied)) => return Ok(ExecResult::Leased { denied }),
                JobSight::NotStarted(trouble) => {
                    let what = format!("`{}` was not started", self.order.effect.label);
                    return Ok(ExecResult::Outcome(Outcome::Failed(calls::failed(&what, &trouble))));
                }
                JobSight::Hidden(reason) => return Ok(self.hidden(reason)),
                JobSight::Foreign | JobSight::State(JobState::Foreign) => return Ok(self.foreign()),
            }
        }
    }

    /// Another command has the name of this one: the journal is not the one under which that was started.
    fn foreign(&self) -> ExecResult {
        let (label, host, name) = (&self.order.effect.label, self.site.host, self.job_name());
        ExecResult::Doubt {
            reason: format!(
                "`{label}` was not started: the record of {name} on `{host}` is of another command, which this run has \
                 started there and its journal does not know, as after a state folder was put back from a copy"
            ),
        }
    }

    /// The command as it is sent to the host.
    fn command(&self) -> Vec<String> {
        account::proving(&self.job.argv)
    }

    /// When a request that finds something out is given up.
    fn until(&self, at_least: Span) -> Mono {
        self.deadline.max(self.link.now().mono + at_least)
    }

    /// Starts the job. Its id makes that safe to repeat when the reply is lost.
    fn start(&self) -> Result<JobSight, Stopped> {
        let mut pace = Backoff::patient();
        loop {
            let over = self.is_over();
            let request = StartJob {
                host: self.site.host.to_owned(),
                job: self.id.clone(),
                service: self.site.service.map(str::to_owned),
                verb: self.job.verb.clone(),
                argv: self.command(),
                args: self.job.args.clone(),
                secret: self.job.secret.clone(),
                until: self.until(START_AT_LEAST),
            };
            let lost = match self.link.ask(request)? {
                Ok(JobState::Absent) => {
                    return Ok(JobSight::Hidden("the host has no record of the job it started".into()));
                }
                Ok(state) => return Ok(state.into()),
                Err(Trouble::Lost(why)) => why,
                Err(trouble) => return Ok(JobSight::NotStarted(trouble)),
            };
            self.pause(&mut pace)?;
            let sight = self.look()?;
            if sight != JobSight::State(JobState::Absent) {
                return Ok(sight);
            }
            if over {
                return Ok(JobSight::NotStarted(Trouble::Lost(lost)));
            }
        }
    }

    /// Waits for the end of a running job, at most until the deadline.
    fn await_end(&self) -> Result<JobSight, Stopped> {
        let what = format!("{} to end", self.order.effect.label);
        let mut beat = Heartbeat::begin(self.link, self.order.id, what, self.deadline);
        loop {
            let until = self.deadline.min(beat.next());
            let request = AwaitJob { host: self.site.host.to_owned(), job: self.id.clone(), until };
            match self.link.ask(request)? {
                Ok(JobState::Running) if !self.is_over() => beat.tick(),
                Ok(JobState::Absent) => return Ok(gone()),
                Ok(state) => return Ok(state.into()),
                Err(_) => break,
            }
        }
        self.pause(&mut Backoff::patient())?;
        // It was seen to run: a host that knows nothing of it any more does not say that it never did.
        Ok(match self.look()? {
            JobSight::State(JobState::Absent) => gone(),
            sight @ (JobSight::State(_) | JobSight::NotStarted(_) | JobSight::Hidden(_) | JobSight::Foreign) => sight,
        })
    }

    /// Asks the host how the job stands, again and again while the link is down; once more after the deadline.
    fn look(&self) -> Result<JobSight, Stopped> {
        let mut pace = Backoff::patient();
        loop {
            let over = self.is_over();
            // Earlier attempts that do not count any more may have been of another command.
            let counts = self.id.attempt >= self.order.base;
            let asked = counts.then(|| CommandDigest::of(&self.command(), self.job.secret.as_deref()));
            let (host, job) = (self.site.host.to_owned(), self.id.clone());
            let (kept_in, until) = (self.order.kept_in.ok().flatten().map(str::to_owned), self.until(LAST_LOOK));
            match self.link.ask(LookAtJob { host, job, asked, kept_in, until })? {
                Ok(state) => return Ok(state.into()),
                Err(Trouble::Unreachable(_) | Trouble::Lost(_) | Trouble::Late) if !over => self.pause(&mut pace)?,
                Err(trouble) => return Ok(JobSight::Hidden(words(&trouble))),
            }
        }
    }

    /// What stands in the way of starting a new attempt: an earlier one that still runs is awaited, not joined
    /// by a second; one of a `once` job that has ended well after all is taken for what it is.
    fn former_attempt(&self) -> Result<Option<ExecResult>, Stopped> {
        for attempt in (1..self.id.attempt).rev() {
            let former = Work { id: JobId { attempt, ..self.id.clone() }, ..*self };
            match former.look()? {
                JobSight::State(JobState::Absent) => {}
                JobSight::State(JobState::Running) if attempt < self.order.base => {
                    let end = former.await_end()?;
                    if matches!(end, JobSight::State(JobState::Running) | JobSight::Hidden(_)) {
                        return Ok(Some(self.unstarted("something else that was asked before still runs")));
                    }
                }
                JobSight::State(_) if attempt < self.order.base => return Ok(None),
                JobSight::State(JobState::Running) => {
                    return former.see_to_end(JobSight::State(JobState::Running)).map(Some);
                }
                JobSight::State(JobState::Exited(0)) if self.job.class == Class::Once => {
                    return former.exited(0).map(Some);
                }
                JobSight::State(JobState::Exited(_) | JobState::Lost(_)) => return Ok(None),
                // A person has said so much of it that this attempt was made.
                JobSight::Foreign | JobSight::State(JobState::Foreign) => return Ok(None),
                JobSight::NotStarted(trouble) => return Ok(Some(self.unstarted(&words(&trouble)))),
                JobSight::Hidden(reason) => return Ok(Some(self.unstarted(&reason))),
            }
        }
        Ok(None)
    }

    /// What became of this attempt; what runs is awaited.
    fn settle(&self) -> Result<JobFound, Stopped> {
        let mut sight = self.look()?;
        while sight == JobSight::State(JobState::Running) && !self.is_over() {
            sight = self.await_end()?;
        }
        let verdict = match sight {
            JobSight::State(JobState::Absent) => return Ok(JobFound::Never),
            JobSight::State(JobState::Running) => {
                return Ok(JobFound::Runs { job: self.job_name() });
            }
            JobSight::State(JobState::Exited(exit)) => self.exited(exit)?,
            JobSight::State(JobState::Lost(reason)) => self.lost(reason)?,
            JobSight::NotStarted(trouble) => return Ok(JobFound::Hidden { reason: words(&trouble) }),
            JobSight::Hidden(reason) => return Ok(JobFound::Hidden { reason }),
            JobSight::Foreign | JobSight::State(JobState::Foreign) => self.foreign(),
        };
        Ok(match verdict {
            ExecResult::Outcome(outcome) => JobFound::Ended(outcome),
            ExecResult::Again { .. } if self.job.class == Class::Once => JobFound::Never,
            ExecResult::Again { reason } => JobFound::Ended(Outcome::Failed(failure(FailureKind::Goal, reason))),
            ExecResult::Doubt { reason } | ExecResult::Unanswered { reason } => JobFound::Doubt { reason },
            ExecResult::Leased { denied } => JobFound::Hidden { reason: denied.to_string() },
        })
    }

    fn unstarted(&self, why: &str) -> ExecResult {
        let label = &self.order.effect.label;
        let message = format!("`{label}` was not started again: its former attempt cannot be looked at: {why}");
        ExecResult::failed(FailureKind::Unreachable, message)
    }

    fn exited(&self, exit: i32) -> Result<ExecResult, Stopped> {
        let label = &self.order.effect.label;
        let entry = entered(self.link, (self.site.host, &self.id), &self.command())?;
        match &entry {
            Entered::Yes => {}
            Entered::Refused { why } => {
                let message = format!("`{label}` was not started: {why}");
                return self.failed(FailureKind::Unreachable, message, Some(exit));
            }
            Entered::Unproved { why } if exit == 0 => return self.unproved(why),
            Entered::Unproved { .. } => {}
        }
        if exit != 0 {
            let unproved = if entry == Entered::Yes { "" } else { ", and nothing proves that `sudo` let it begin" };
            let message = match exit {
                129.. => format!("`{label}` was ended by signal {}{unproved}", exit - 128),
                _ => format!("`{label}` ended with exit {exit}{unproved}"),
            };
            return self.failed(FailureKind::Exit, message, Some(exit));
        }
        // Who takes up a job late must give a state that has to last the time to last.
        let deadline = |goal: &Goal| self.deadline.max(self.link.now().mono + goal.stays);
        if let Some(goal) = &self.job.goal
            && let WatchResult::Over(last) = self.await_goal(goal, deadline(goal))?
        {
            let (what, wants) = (&goal.probe.what, choices(&goal.wants));
            let message = format!("`{}` ended well, but `{what}` {last}, not {wants}", self.order.effect.label);
            return self.failed(FailureKind::Goal, message, Some(exit));
        }
        let output = self.output(Stream::Out, OUTPUT_MAX)?;
        Ok(done([("changed", Value::Bool(true)), ("output", output.into())]))
    }

    /// It ended well, as `sudo` says, but nothing proves that `sudo` let it begin.
    fn unproved(&self, why: &str) -> Result<ExecResult, Stopped> {
        let reason = format!("it ended with exit 0, and nothing proves that `sudo` let it begin: {why}");
        match self.job.class {
            // It may have emptied its own outputs.
            Class::Once => match self.lost_once(reason.clone())? {
                ExecResult::Again { .. } => {}
                verdict @ (ExecResult::Outcome(_) | ExecResult::Doubt { .. }) => return Ok(verdict),
                verdict @ (ExecResult::Unanswered { .. } | ExecResult::Leased { .. }) => return Ok(verdict),
            },
            Class::Idempotent | Class::Probe | Class::Wait | Class::Human | Class::Meta => {}
        }
        let message = format!("`{}` was not started, as far as can be told: {reason}", self.order.effect.label);
        self.failed(FailureKind::Unreachable, message, Some(0))
    }

    fn await_goal(&self, goal: &Goal, deadline: Mono) -> Result<WatchResult, Stopped> {
        let what = format!("`{}` of `{}` to read {}", goal.probe.what, self.site.name(), choices(&goal.wants));
        let mut beat = Heartbeat::begin(self.link, self.order.id, what, deadline);
        let watch =
            WatchGoal { probe: &goal.probe, wants: &goal.wants, stays: goal.stays, pace: Backoff::brisk(), deadline };
        watch.run(self.link, self.site, &mut beat)
    }

    /// The job was started, does not run, and left no result.
    fn lost(&self, reason: String) -> Result<ExecResult, Stopped> {
        match self.job.class {
            Class::Once => self.lost_once(reason),
            Class::Idempotent | Class::Probe | Class::Wait | Class::Human | Class::Meta => {
                if let Some(goal) = &self.job.goal
                    && let WatchResult::Wanted(_) = self.await_goal(goal, self.link.now().mono + goal.stays)?
                {
                    return Ok(done([("changed", Value::Bool(true)), ("output", "".into())]));
                }
                Ok(ExecResult::Again { reason })
            }
        }
    }

    fn lost_once(&self, reason: String) -> Result<ExecResult, Stopped> {
        let Some(check) = &self.job.check else {
            return Ok(self.doubt(&format!("{reason}; there is no check that tells whether it happened")));
        };
        // A check decides whether it is done twice: it has as long as the job had.
        let last = self.job.limit.max(LAST_LOOK);
        let allowed = Allowed { deadline: self.deadline, last };
        let read = probe::read(self.link, self.site, check, allowed)?;
        Ok(match read.as_ref().map(|value| value.as_text()) {
            Ok(Some("yes")) => {
                done([("changed", Value::Bool(true)), ("output", "".into()), ("settled", "by check".into())])
            }
            Ok(Some("no")) => ExecResult::Again { reason: format!("{reason}; its check says that it did not happen") },
            Ok(_) => self.doubt(&format!("{reason}; its check cannot tell whether it happened")),
            Err(failure) => self.doubt(&format!("{reason}; its check failed: {}", failure.message)),
        })
    }

    /// Nobody can tell whether it happened: whoever has to is told where they can look.
    fn doubt(&self, reason: &str) -> ExecResult {
        let look =
            self.link.kept_output(self.site.host, &self.id).map_or_else(String::new, |KeptOutput { out, err }| {
                format!(
                    "; what it wrote, if it is still there, is in `{out}` and `{err}` beside it on `{}`",
                    self.site.host
                )
            });
        ExecResult::Doubt { reason: format!("{reason}{look}") }
    }

    /// The host could not be asked what became of a job that may run.
    fn hidden(&self, reason: String) -> ExecResult {
        let message = format!("`{}` cannot be asked what became of {}: {reason}", self.site.host, self.job_name());
        match self.job.class {
            Class::Once => self.doubt(&message),
            Class::Idempotent | Class::Probe | Class::Wait | Class::Human | Class::Meta => {
                ExecResult::failed(FailureKind::Limit, message)
            }
        }
    }

    fn limit_over(&self) -> Result<ExecResult, Stopped> {
        let (label, limit, host) = (&self.order.effect.label, self.job.limit, self.site.host);
        if !self.job.killable {
            let message =
                format!("`{label}` took longer than {limit}; {} is left running on `{host}`", self.job_name());
            return self.failed(FailureKind::Limit, message, None);
        }
        let request = EndJob { host: host.to_owned(), job: self.id.clone() };
        let message = match self.link.ask(request)? {
            Ok(JobState::Exited(0)) => return self.exited(0),
            Err(Trouble::Leased(denied)) => return Ok(ExecResult::Leased { denied }),
            Ok(JobState::Running) => {
                format!("`{label}` took longer than {limit}; {} was told to end and still runs", self.job_name())
            }
            Ok(JobState::Absent | JobState::Exited(_) | JobState::Lost(_) | JobState::Foreign) => {
                format!("`{label}` took longer than {limit} and was ended")
            }
            Err(trouble) => format!(
                "`{label}` took longer than {limit}; {} could not be ended: {}",
                self.job_name(),
                words(&trouble)
            ),
        };
        self.failed(FailureKind::Limit, message, None)
    }

    fn failed(&self, kind: FailureKind, message: String, exit: Option<i32>) -> Result<ExecResult, Stopped> {
        let mut output = self.output(Stream::Out, OUTPUT_MAX / 2)?;
        let err = self.output(Stream::Err, OUTPUT_MAX / 2)?;
        if !output.is_empty() && !err.is_empty() {
            output.push('\n');
        }
        output.push_str(&err);
        Ok(ExecResult::Outcome(Outcome::Failed(Failure { exit, output, ..failure(kind, message) })))
    }

    fn output(&self, stream: Stream, max: u64) -> Result<String, Stopped> {
        let give_up = self.link.now().mono + OUTPUT_PATIENCE;
        let output = fetch(self.link, self.site.host, &self.id, stream, max, give_up)?;
        let own = account::own_words(&self.command(), output);
        Ok(String::from_utf8_lossy(&own).trim_end().to_owned())
    }

    fn pause(&self, pace: &mut Backoff) -> Result<(), Stopped> {
        let now = self.link.now().mono;
        let until = (now + pace.step()).min(self.deadline.max(now + Span::secs(1)));
        self.link.wait_until(until)
    }

    fn left(&self) -> Span {
        self.deadline.since(self.link.now().mono)
    }

    fn is_over(&self) -> bool {
        self.left() == Span(0)
    }

    fn job_name(&self) -> String {
        format!("job `{}/{}/{}`", self.id.run, self.id.effect, self.id.attempt)
    }
}

/// A job that was seen to run, and of which the host knows nothing any more.
fn gone() -> JobSight {
    JobSight::State(JobState::Lost("it was seen to run, and its record on the host is gone".into()))
}

fn done<const N: usize>(fields: [(&str, Value); N]) -> ExecResult {
    ExecResult::Outcome(Outcome::done(Value::map(fields)))
}
