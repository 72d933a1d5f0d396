//! A scripted world behind a `Link`: one job per id, probes, a folder of log files, a clock that only moves when
//! something is waited for.

use baton::model::run::event::Event;
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::mark::Identity;
use baton::model::run::record::Moment;
use baton::world::{Answer, FileKind, FileStat, JobId, JobState, Line, Link, Reply, Request, Stopped, Trouble};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What happens to the log's folder.
#[derive(Clone)]
pub(super) enum Edit {
    /// Bytes are added to a file, which is made if need be under this inode.
    Append(&'static str, u64, Vec<u8>),
    Rename(&'static str, &'static str),
    /// The file's content becomes this; it stays the same file.
    Rewrite(&'static str, Vec<u8>),
    Remove(&'static str),
}

pub(super) struct Job {
    pub(super) ends_at: u64,
    pub(super) end: JobState,
}

#[derive(Default)]
pub(super) struct State {
    /// Where a host says that it keeps records.
    pub(super) place: String,
    pub(super) now: u64,
    /// Jobs that exist.
    pub(super) jobs: BTreeMap<JobId, Job>,
    /// How long a job that is started runs, and how it ends.
    pub(super) next_job: Option<(u64, JobState)>,
    /// Every start that took effect, as attempt numbers.
    pub(super) started: Vec<u32>,
    /// Troubles for the next requests of a kind; the flag says whether the request took effect all the same.
    pub(super) troubles: BTreeMap<&'static str, VecDeque<(Trouble, bool)>>,
    /// Every request, by name.
    pub(super) asked: Vec<&'static str>,
    /// What probes read from which time on.
    pub(super) probes: BTreeMap<String, Vec<(u64, i32, &'static str)>>,
    /// Probes that never say anything.
    pub(super) hanging: BTreeSet<String>,
    pub(super) files: Vec<(FileStat, Vec<u8>)>,
    /// How many edits there were: the time of writing of files.
    pub(super) writes: i64,
    pub(super) edits: BTreeMap<u64, Vec<Edit>>,
    pub(super) output: Vec<u8>,
    pub(super) answer: Option<Answer>,
    pub(super) events: Vec<Event>,
}

#[derive(Default)]
pub(super) struct Fake(pub(super) RefCell<State>);

impl Fake {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn with(self, set: impl FnOnce(&mut State)) -> Self {
        set(&mut self.0.borrow_mut());
        self
    }

    pub(super) fn trouble(self, request: &'static str, trouble: Trouble, took_effect: bool) -> Self {
        self.with(|state| state.troubles.entry(request).or_default().push_back((trouble, took_effect)))
    }

    pub(super) fn probe(self, what: &str, from: u64, exit: i32, out: &'static str) -> Self {
        self.with(|state| state.probes.entry(what.to_owned()).or_default().push((from, exit, out)))
    }

    pub(super) fn edit(self, at: u64, edit: Edit) -> Self {
        self.with(|state| state.edits.entry(at).or_default().push(edit))
    }
}

impl State {
    fn advance(&mut self, until: u64) {
        while let Some(entry) = self.edits.first_entry().filter(|entry| *entry.key() <= until.max(self.now)) {
            self.now = self.now.max(*entry.key());
            for edit in entry.remove() {
                self.apply(edit);
            }
        }
        self.now = self.now.max(until);
    }

    fn apply(&mut self, edit: Edit) {
        self.writes += 1;
        let modified = self.writes;
        match edit {
            Edit::Append(name, inode, bytes) => match self.files.iter_mut().find(|(stat, _)| stat.name == name) {
                Some((stat, content)) => {
                    stat.modified = modified;
                    content.extend(bytes);
                }
                None => {
                    let identity = Identity { device: 1, inode };
                    self.files.push((
                        FileStat { name: name.into(), identity, len: 0, modified, kind: FileKind::File },
                        bytes,
                    ));
                }
            },
            Edit::Rename(from, to) => {
                let (stat, _) = self.files.iter_mut().find(|(stat, _)| stat.name == from).expect("there");
                stat.name = to.into();
            }
            Edit::Rewrite(name, bytes) => {
                let file = self.files.iter_mut().find(|(stat, _)| stat.name == name).expect("there");
                (file.0.modified, file.1) = (modified, bytes);
            }
            Edit::Remove(name) => self.files.retain(|(stat, _)| stat.name != name),
        }
    }

    pub(super) fn listing(&self) -> Vec<FileStat> {
        let now = |(stat, bytes): &(FileStat, Vec<u8>)| FileStat { len: bytes.len() as u64, ..stat.clone() };
        let mut listing: Vec<FileStat> = self.files.iter().map(now).collect();
        listing.sort();
        listing
    }

    fn job(&self, id: &JobId) -> JobState {
        match self.jobs.get(id) {
            None => JobState::Absent,
            Some(job) if job.ends_at > self.now => JobState::Running,
            Some(job) => job.end.clone(),
        }
    }

    fn start(&mut self, id: JobId) -> JobState {
        if !self.jobs.contains_key(&id) {
            self.started.push(id.attempt);
            let (takes, end) = self.next_job.clone().unwrap_or((10, JobState::Exited(0)));
            self.jobs.insert(id.clone(), Job { ends_at: self.now + takes, end });
        }
        self.job(&id)
    }

    fn probe(&mut self, what: &str) -> Reply {
        let readings = self.probes.get(what).cloned().unwrap_or_default();
        match readings.iter().rev().find(|(from, ..)| *from <= self.now) {
            Some((_, exit, out)) => Reply::Probed { exit: *exit, out: out.as_bytes().to_vec(), err: Vec::new() },
            None => Reply::Trouble(Trouble::Unreachable("no route to host".into())),
        }
    }

    fn reply(&mut self, request: Request) -> Reply {
        match request {
            Request::Start { job, .. } => Reply::Job(self.start(job)),
            Request::Look { job, .. } => Reply::Job(self.job(&job)),
            Request::JobEnd { job, until, .. } => {
                let end = self.jobs.get(&job).map_or(self.now, |job| job.ends_at);
                self.advance(end.min(until.0));
                Reply::Job(self.job(&job))
            }
            Request::EndJob { job, .. } => {
                let now = self.now;
                self.jobs.entry(job.clone()).and_modify(|job| *job = Job { ends_at: now, end: JobState::Exited(143) });
                Reply::Job(self.job(&job))
            }
            Request::JobOutput { from, max, .. } => Reply::Bytes(part(&self.output, from, max)),
            Request::Probe { what, until, .. } if self.hanging.contains(&what) => {
                self.advance(until.0);
                Reply::Trouble(Trouble::Late)
            }
            Request::Probe { what, .. } => self.probe(&what),
            Request::List { .. } => {
                self.advance(self.now);
                Reply::Listing(self.listing())
            }
            Request::Read { name, identity, from, max, .. } => {
                match self.files.iter().find(|(stat, _)| stat.name == name && stat.identity == identity) {
                    Some((_, bytes)) => Reply::Bytes(part(bytes, from, max)),
                    None => Reply::Trouble(Trouble::Missing(format!("{name} is not there"))),
                }
            }
            Request::Changed { seen, until, .. } => {
                self.advance(self.now);
                while self.listing() == seen && self.now < until.0 {
                    let next = self.edits.keys().next().copied().unwrap_or(until.0).min(until.0);
                    self.advance(next);
                }
                Reply::Listing(self.listing())
            }
            Request::WaitUntil { until } => {
                self.advance(until.0);
                Reply::Woke
            }
            Request::Ask { .. } => Reply::Answer(self.answer.clone().unwrap_or(Answer::Nobody("no terminal".into()))),
            Request::TakeLease { .. } | Request::Release { .. } => Reply::Lease(1),
            Request::Enter { .. } => Reply::Entered(self.place.clone()),
            Request::ExpectNewKey { .. } => Reply::Noted,
            Request::Line { .. } => Reply::Line(Line::Closed("no terminal".into())),
            Request::File { .. } => Reply::Trouble(Trouble::Refused("no files here".into())),
        }
    }
}

fn part(bytes: &[u8], from: u64, max: u64) -> Vec<u8> {
    let from = (from as usize).min(bytes.len());
    bytes[from..(from + max as usize).min(bytes.len())].to_vec()
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Start { .. } => "start",
        Request::Enter { .. } => "enter",
        Request::Look { .. } => "look",
        Request::JobEnd { .. } => "end",
        Request::JobOutput { .. } => "output",
        Request::EndJob { .. } => "kill",
        Request::Probe { .. } => "probe",
        Request::List { .. } => "list",
        Request::Read { .. } => "read",
        Request::Changed { .. } => "changed",
        Request::TakeLease { .. } => "take",
        Request::Release { .. } => "release",
        Request::ExpectNewKey { .. } => "new key",
        Request::Line { .. } => "line",
        Request::File { .. } => "file",
        Request::WaitUntil { .. } => "wait",
        Request::Ask { .. } => "ask",
    }
}

impl Link for Fake {
    fn call(&self, request: Request) -> Result<Reply, Stopped> {
        let mut state = self.0.borrow_mut();
        let name = name(&request);
        state.asked.push(name);
        assert!(state.asked.len() < 20_000, "exec asks for ever: {:?}", &state.asked[..20]);
        match state.troubles.get_mut(name).and_then(VecDeque::pop_front) {
            Some((trouble, took_effect)) => {
                if took_effect {
                    state.reply(request);
                }
                Ok(Reply::Trouble(trouble))
            }
            None => Ok(state.reply(request)),
        }
    }

    fn now(&self) -> Moment {
        let now = self.0.borrow().now;
        Moment { wall: Wall(1_000_000 + now as i64), mono: Mono(now), boot: "boot".into() }
    }

    fn tell(&self, event: Event) {
        self.0.borrow_mut().events.push(event);
    }
}
