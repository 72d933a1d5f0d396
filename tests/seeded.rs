//! A suite is tested too: eight bugs, each seeded into the run from outside, and each caught by the checks that the
//! ordinary suite runs (`support/checks.rs`). Nothing in the product knows of them.
//!
//! | seeded bug | seeded how | caught by |
//! |---|---|---|
//! | an intent is not durable before its effect | store holds `Intent` back until the next append | `Oracle`, after a crash |
//! | an outcome is shown before it is durable | store holds `Outcome` back until the next append | `Shown`, after a crash |
//! | an attempt is reused | world knows one attempt of each job only; a job is lost | `Ending` |
//! | the log matches before the mark | world shows an empty folder to the first listing, the mark | `Ending` |
//! | events are searched as bare digits | profile: event patterns without anchors | `Ending` |
//! | read-only mode is not lifted | module: lifts it nowhere, and does not look | `Oracle` |
//! | upgrade mode is forced unasked | module: takes a yes for granted | `Consent` |
//! | C1 is stopped before the new server is ready | module: stops it right after the start of C2 | `Oracle` |

use crate::support::checks::{Check, Complaint, Trial};
use crate::support::simulation::{Between, Patch, Scene};
use baton::journal::{RunId, Store, StoreResult, Stored};
use baton::model::run::record::{Ending, Fact, Moment, Record};
use baton::sim::{Fault, FaultPlan, Harm, Trigger};
use baton::world::request::{AwaitJob, EndJob, ListFolder, LookAtJob, ReadOutput, StartJob};
use baton::world::{Completion, JobId, Reply, Request, Ticket, World};
use std::collections::BTreeSet;
use std::rc::Rc;

const RUNBOOK: &str = "genesys/confserv-ha";
const MODULE: &str = "genesys/confserv";
/// Every how many points a runner dies while a bug that needs a crash is hunted.
const STRIDE: usize = 3;

/// A bug and what is needed to bring it to light.
struct Bug {
    scenario: &'static str,
    patches: &'static [Patch<'static>],
    faults: fn() -> FaultPlan,
    between: fn() -> Between,
}

impl Bug {
    const NONE: Self =
        Self { scenario: "upgrade-mode", patches: &[], faults: FaultPlan::default, between: Between::nothing };

    /// Whether this check complains at a run without a death, or else at one with.
    fn is_caught_by(&self, check: Check) -> bool {
        let scene = Scene::patched(RUNBOOK, self.scenario, self.patches);
        let trial = Trial::with(&scene, Ending::Done, &(self.faults)(), (self.between)());
        trial.explore(STRIDE).any(|complaint| complaint.check == check)
    }

    /// What speaks against the same scenario with the same faults when the bug is not there.
    fn else_wrong(&self) -> Option<Complaint> {
        let scene = Scene::new(RUNBOOK, self.scenario);
        let trial = Trial::with(&scene, Ending::Done, &(self.faults)(), Between::nothing());
        trial.explore(STRIDE * 17).next()
    }
}

#[track_caller]
fn caught(bug: &Bug, by: Check) {
    assert_eq!(bug.else_wrong(), None, "without the bug");
    assert!(bug.is_caught_by(by), "{by:?} does not catch it");
}

#[test]
fn an_intent_that_is_not_durable_before_its_effect() {
    let between = || Between {
        store: |store| Late::boxed(store, |r| matches!(r.fact, Fact::Intent { .. })),
        ..Between::nothing()
    };
    caught(&Bug { between, ..Bug::NONE }, Check::Oracle);
}

#[test]
fn an_outcome_that_is_shown_before_it_is_durable() {
    let between = || Between {
        store: |store| Late::boxed(store, |r| matches!(r.fact, Fact::Outcome { .. })),
        ..Between::nothing()
    };
    caught(&Bug { between, ..Bug::NONE }, Check::Shown);
}

#[test]
fn an_attempt_that_is_reused() {
    let faults = || {
        let at = Trigger { verb: "set_readonly".into(), subject: "c1".into(), nth: 1 };
        FaultPlan { faults: vec![Fault { at, harm: Harm::JobLost { happened: false } }], crashes: Vec::new() }
    };
    let between = || Between { world: |world| Box::new(OneAttempt(world)), ..Between::nothing() };
    caught(&Bug { faults, between, ..Bug::NONE }, Check::Ending);
}

#[test]
fn a_log_that_matches_before_the_mark() {
    let between = || Between { world: EmptyMark::boxed, ..Between::nothing() };
    caught(&Bug { between, ..Bug::NONE }, Check::Ending);
}

#[test]
fn read_only_mode_that_is_not_lifted() {
    const PATCHES: &[Patch<'static>] = &[
        (MODULE, "    unset_readonly(serving);\n", ""),
        (MODULE, "        unset_readonly(server);\n", ""),
        (MODULE, "guard(probe(server, \"trial_write\") == \"accepted\"", "guard(true"),
    ];
    caught(&Bug { patches: PATCHES, ..Bug::NONE }, Check::Oracle);
}

#[test]
fn upgrade_mode_that_is_forced_unasked() {
    const PATCHES: &[Patch<'static>] = &[(MODULE, "(HA-6F)\", || confirm(\n", "(HA-6F)\", || true || confirm(\n")];
    caught(&Bug { scenario: "undetected", patches: PATCHES, ..Bug::NONE }, Check::Consent);
}

#[test]
fn an_original_primary_that_is_stopped_before_the_new_server_is_ready() {
    const PATCHES: &[Patch<'static>] =
        &[(MODULE, "    launch(up.c2);\n", "    launch(up.c2);\n    shutdown(up.c1);\n")];
    caught(&Bug { patches: PATCHES, ..Bug::NONE }, Check::Oracle);
}

/// A store that acknowledges some records and stores them only with the next append.
struct Late {
    store: Box<dyn Store>,
    is_late: fn(&Record) -> bool,
    held: Vec<Rc<Record>>,
}

impl Late {
    fn boxed(store: Box<dyn Store>, is_late: fn(&Record) -> bool) -> Box<dyn Store> {
        Box::new(Self { store, is_late, held: Vec::new() })
    }
}

impl Store for Late {
    fn append(&mut self, run: &str, expected: u64, records: &[Rc<Record>]) -> StoreResult<u64> {
        let stored = expected - self.held.len() as u64;
        let first_late = records.iter().position(|record| (self.is_late)(record)).unwrap_or(records.len());
        let mut now = std::mem::take(&mut self.held);
        now.extend_from_slice(&records[..first_late]);
        if !now.is_empty() {
            self.store.append(run, stored, &now)?;
        }
        self.held.extend_from_slice(&records[first_late..]);
        Ok(expected + records.len() as u64)
    }

    fn read(&self, run: &str) -> StoreResult<Vec<Stored>> {
        self.store.read(run)
    }

    fn runs(&self) -> StoreResult<Vec<RunId>> {
        self.store.runs()
    }

    fn put_source(&mut self, text: &str) -> StoreResult<String> {
        self.store.put_source(text)
    }

    fn source(&self, digest: &str) -> StoreResult<String> {
        self.store.source(digest)
    }
}

/// A world in which every attempt of a job is the first.
struct OneAttempt(Box<dyn World>);

impl World for OneAttempt {
    fn now(&mut self) -> Moment {
        self.0.now()
    }

    fn submit(&mut self, ticket: Ticket, mut request: Request) {
        if let Request::StartJob(StartJob { job, .. })
        | Request::LookAtJob(LookAtJob { job, .. })
        | Request::AwaitJob(AwaitJob { job, .. })
        | Request::ReadOutput(ReadOutput { job, .. })
        | Request::EndJob(EndJob { job, .. }) = &mut request
        {
            *job = JobId { attempt: 1, ..job.clone() };
        }
        self.0.submit(ticket, request);
    }

    fn next(&mut self) -> Completion {
        self.0.next()
    }

    fn forget(&mut self, ticket: Ticket) {
        self.0.forget(ticket);
    }
}

/// A world that shows nothing to whoever lists a folder for the first time: that is the mark before a start.
struct EmptyMark {
    world: Box<dyn World>,
    listed: BTreeSet<(String, String)>,
    first: BTreeSet<Ticket>,
}

impl EmptyMark {
    fn boxed(world: Box<dyn World>) -> Box<dyn World> {
        Box::new(Self { world, listed: BTreeSet::new(), first: BTreeSet::new() })
    }
}

impl World for EmptyMark {
    fn now(&mut self) -> Moment {
        self.world.now()
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        if let Request::ListFolder(ListFolder { host, dir }) = &request
            && self.listed.insert((host.clone(), dir.clone()))
        {
            self.first.insert(ticket);
        }
        self.world.submit(ticket, request);
    }

    fn next(&mut self) -> Completion {
        match self.world.next() {
            Completion::Reply(ticket, Ok(Reply::Listing(_))) if self.first.remove(&ticket) => {
                Completion::Reply(ticket, Ok(Reply::Listing(Vec::new())))
            }
            other => other,
        }
    }

    fn forget(&mut self, ticket: Ticket) {
        self.world.forget(ticket);
    }
}
