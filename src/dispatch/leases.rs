//! Leases of hosts as the door sees them: who this runner is, what to tell when a host is somebody else's, and giving
//! hosts back when the run is over. Taking them is the world's affair.

use super::core::RunCore;
use super::{Halt, Halted};
use crate::error::{Error, Kind};
use crate::journal::Store;
use crate::journal::history::History;
use crate::journal::sqlite::may_open;
use crate::model::run::effect::Effect;
use crate::model::run::event::Event;
use crate::model::run::record::{EffectId, Ending, FROM_RUN, Fact, Who};
use crate::model::text::typed;
use crate::model::value::{Fields, Value};
use crate::platform::runner_lock::RunnerLock;
use crate::report::questions::{QuestionLog, RecordedQuestion};
use crate::world::lease::{Denied, Lease, Runner};
use crate::world::machine_lease::MachineLease;
use crate::world::request::ReleaseLease;
use crate::world::{Completion, Ticket, Trouble};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

/// The first ticket of releases: no track asks any more, and none has asked that often.
const RELEASES: u64 = 1 << 63;

/// Nobody works on the run that is in the way: its runner has died.
const GONE: &str = "its runner is no longer running";
/// Somebody does.
const RUNS: &str = "its runner is running";

/// Whoever carries out `run` when its record has `opened` entries.
#[must_use]
pub fn runner(run: &str, by: &Who, opened: u64) -> Runner {
    let holder = format!("{}@{}, pid {}", by.user, by.host, by.pid);
    Runner { run: run.to_owned(), holder, opened, follows: Vec::new() }
}

/// The runs that another one follows, by its parameters: the one it was begun after, the one that was begun after, …
pub(super) fn followed(params: &Fields) -> Vec<String> {
    let mut runs = Vec::new();
    let mut gist = params.get(FROM_RUN);
    while let Some(former) = gist {
        runs.extend(former.get("run").and_then(Value::as_text).map(str::to_owned));
        gist = former.get("params").and_then(|params| params.get(FROM_RUN));
    }
    runs
}

/// The hosts that a run holds.
pub(super) struct HostLeases {
    /// Those it has changed something on, was about to, or has taken over.
    changed: RefCell<BTreeSet<String>>,
}

impl HostLeases {
    /// Those of a run by its record.
    pub(super) fn new(history: &History) -> Self {
        Self { changed: RefCell::new(hosts_changed(history)) }
    }

    /// Something is about to be changed there.
    pub(super) fn touched(&self, effect: &Effect) {
        self.changed.borrow_mut().extend(effect.host.clone());
    }

    /// Makes a host free that a run holds which is over by this very journal: its runner died before it gave it back.
    ///
    /// # Errors
    /// The run stops where the host is not to be had like that.
    pub(super) fn free(&self, core: &RunCore, id: &EffectId, effect: &Effect, denied: &Denied) -> Result<(), Halted> {
        let over = match denied {
            Denied::Held { host, by } => is_over(&*core.recorder.store(), by).then_some((host, by)),
            Denied::TakenOver { .. } | Denied::Gone { .. } => None,
        };
        let over = over.filter(|(_, by)| core.world.borrow_mut().follow(&by.runner.run));
        let Some((host, by)) = over else { return Err(leased(core, id, effect, denied)) };
        let text = format!("`{host}` is taken from run {}, which is over and had not given it back", by.runner.run);
        core.recorder.emit(&Event::Notice { text });
        Ok(())
    }

    /// Gives the hosts back that the run has changed something on or has taken over, all at once. It is over: what
    /// cannot be given back is told and left to `baton takeover`.
    pub(super) fn release(&self, core: &RunCore) {
        let hosts: Vec<String> = self.changed.take().into_iter().collect();
        let mut world = core.world.borrow_mut();
        for (number, host) in (0..).zip(&hosts) {
            world.submit(Ticket(RELEASES + number), ReleaseLease { host: host.clone() }.into());
        }
        let (mut replies, mut interrupted) = (0, false);
        while replies < hosts.len() {
            let (number, came) = match world.next_result() {
                Completion::Reply(Ticket(number), came) => (number, came),
                // The run is at its end: what is under way is finished.
                Completion::Told(_) => continue,
                Completion::Interrupted if !interrupted => {
                    interrupted = true;
                    continue;
                }
                // Who interrupts again does not want to wait; a world that is no more says nothing else.
                Completion::Interrupted | Completion::Idle => return,
            };
            replies += 1;
            let at = number.checked_sub(RELEASES).and_then(|at| usize::try_from(at).ok());
            let Some(host) = at.and_then(|at| hosts.get(at)) else { continue };
            if let Err(Trouble::Unreachable(why) | Trouble::Lost(why) | Trouble::Refused(why)) = came {
                core.recorder
                    .emit(&Event::Notice { text: format!("the lease of `{host}` could not be given back: {why}") });
            }
        }
    }
}

/// The run stops because the host of an effect is leased to another run, or to another runner of this one.
fn leased(core: &RunCore, id: &EffectId, effect: &Effect, denied: &Denied) -> Halted {
    let run = &core.run;
    let mut error = Error::new(Kind::Refused, format!("`{}` was not started: {denied}", effect.label));
    error = match denied {
        Denied::TakenOver { by, .. } if by.runner.run == *run => error
            .hint("another runner has taken this run over; this one has done nothing since and does nothing more")
            .hint(match &by.state {
                Some(state) => format!("see what the other one does: baton show {run} --state {state}"),
                None => format!("see what the other one does: baton show {run}"),
            }),
        Denied::Held { by, .. } | Denied::TakenOver { by, .. } => {
            held_by(&*core.recorder.store(), by, error).hint(take_over(run))
        }
        Denied::Gone { .. } => error
            .hint("another runner could have taken the host meanwhile: make sure that nobody works there")
            .hint(format!("then have it taken anew: baton resume {run}")),
    };
    // Who loses a lease may have begun before: only this one is known not to have.
    let unstarted = matches!(denied, Denied::Held { .. }).then(|| id.clone());
    core.halt(Halt { ending: Ending::Refused, error, effect: unstarted })
}

/// Why a run that begins now could change nothing on a host where this lease counts, as whoever reads this journal sees
/// it: who holds it, how that run stands, and what can be done about it. Nothing where the host could be had.
#[must_use]
pub fn obstacle(store: Option<&dyn Store>, host: &str, lease: &Lease) -> Option<Box<Error>> {
    if lease.released || MachineLease::is_void(lease) || store.is_some_and(|store| is_over(store, lease)) {
        return None;
    }
    let error = Error::new(Kind::Refused, format!("{lease} holds `{host}`: a change there is refused"));
    Some(match store {
        Some(store) => held_by(store, lease, error),
        None => elsewhere(lease, error),
    })
}

/// Whether the run that holds a host is over, and was not taken up again elsewhere since this journal knew of it.
fn is_over(store: &dyn Store, by: &Lease) -> bool {
    History::read(store, &by.runner.run).is_ok_and(|history| history.is_final() && by.runner.opened < history.len())
}

/// Says how the run stands that holds a host, and what can be done about that.
fn held_by(store: &dyn Store, lease: &Lease, error: Box<Error>) -> Box<Error> {
    let holder = &lease.runner.run;
    if store.runs().unwrap_or_default().contains(holder) {
        let history = History::read(store, holder).ok();
        let error = standing(holder, history.as_ref(), store.is_worked_on(holder), error);
        return error.hint(format!("give it up, if it shall not go on: baton abort {holder} --reason \"why\""));
    }
    elsewhere(lease, error)
}

/// Says the same of a run of another journal: whether its runner runs is only seen where its locks lie on this machine.
fn elsewhere(lease: &Lease, error: Box<Error>) -> Box<Error> {
    let holder = &lease.runner.run;
    let Some(state) = &lease.state else {
        return error
            .cause(format!("whether its runner, {}, still runs cannot be seen from here", lease.runner.holder))
            .hint("that run is in the journal of another machine or state folder: ask there");
    };
    let (there, typed) = (format!("that run is in the journal of another state folder, `{state}`"), typed(state));
    if !may_open(Path::new(state)) {
        let holder = &lease.runner.holder;
        return error
            .cause("how it stands cannot be seen from this account")
            .hint(format!("{there}, which is not this account's: ask whoever runs it, {holder}"));
    }
    let look = format!("baton show {holder} --state {typed}");
    match RunnerLock::is_held(Path::new(state), holder) {
        Some(false) => error
            .cause(GONE)
            .hint(there)
            .hint(format!("see how it stands: {look}"))
            .hint(format!("go on with it: baton resume {holder} --state {typed}")),
        Some(true) => error.cause(RUNS).hint(there).hint(format!("see what it does, and wait: {look}")),
        None => error
            .cause("whether its runner still runs cannot be seen from this account")
            .hint(there)
            .hint(format!("see what it does: {look}")),
    }
}

/// How a run of this journal stands that is in the way, and how it goes on. `worked_on` is whether somebody works on
/// it, as far as that can be told.
fn standing(run: &str, history: Option<&History>, worked_on: Option<bool>, error: Box<Error>) -> Box<Error> {
    let show = |error: Box<Error>| error.hint(format!("see what it does, and wait: baton show {run}"));
    let history = match (history, worked_on) {
        (Some(history), Some(false)) => history,
        (None, Some(false)) => return error.cause(GONE).hint(format!("see how it stands: baton show {run}")),
        (_, Some(true)) => return show(error.cause(RUNS)),
        (_, None) => return show(error.cause("whether its runner still runs cannot be told")),
    };
    let questions = QuestionLog::of(history.records().iter().map(|stored| &*stored.record));
    let open: Vec<_> = questions.open().collect();
    let gates: Vec<&str> = open.iter().map(|question| question.ask.gate.as_str()).collect();
    let go_on = |error: Box<Error>| error.hint(format!("go on with it: baton resume {run}"));
    match history.last_ending() {
        Some(Ending::Suspended) if !open.is_empty() => {
            let error = error.cause(format!("it is suspended at gate {}", gates.join(", ")));
            let answer = |error: Box<Error>, question: &&RecordedQuestion| {
                error.hint(format!("answer it: {}", question.command(run)))
            };
            go_on(open.iter().fold(error, answer))
        }
        Some(Ending::Suspended) => go_on(error.cause("it is suspended")),
        Some(Ending::Failed | Ending::Unmet | Ending::Interrupted) => {
            go_on(error.cause("it has stopped, and nobody works on it"))
        }
        None => go_on(error.cause(GONE)),
        Some(Ending::Doubt | Ending::Bug | Ending::Refused | Ending::Done | Ending::Held) => {
            show(error.cause("nobody works on it"))
        }
        Some(Ending::RolledBack | Ending::Aborted) => show(error.cause("nobody works on it")),
    }
}

fn take_over(run: &str) -> String {
    format!("or take its hosts from it: baton takeover {run} --reason \"why\"")
}

/// The hosts that a run may hold: those it has changed something on or was about to, and those it has taken over.
#[must_use]
pub fn hosts_changed(history: &History) -> BTreeSet<String> {
    let changed = history.records().iter().filter_map(|stored| {
        let Fact::Intent { effect, .. } = &stored.record.fact else { return None };
        effect.host.clone().filter(|_| effect.may_change())
    });
    let taken = history.records().iter().filter_map(|stored| {
        let Fact::Deviation { hosts, .. } = &stored.record.fact else { return None };
        Some(hosts)
    });
    changed.chain(taken.flatten().cloned()).collect()
}
