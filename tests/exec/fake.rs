//! A scripted world behind a `Link`: one job per id, probes, a folder of log files, a clock that only moves when
//! something is waited for.

use baton::model::run::event::Event;
use baton::model::run::instant::{Mono, Wall};
use baton::model::run::mark::Identity;
use baton::model::run::record::Moment;
use baton::world::request::{
    AskPerson, AwaitChange, AwaitJob, EndJob, EnterHost, ExpectNewKey, ListFolder, LookAtJob, ReadFile, ReadLine,
    ReadOutput, ReleaseLease, RunProbe, StartJob, TakeLease, WaitUntil,
};
use baton::world::{
    Answer, CameBack, FileKind, FileStat, HasReply, JobId, JobState, Line, Link, Probed, Reply, Request, Trouble, Try,
};
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

    fn probe(&mut self, what: &str) -> CameBack<Probed> {
        let readings = self.probes.get(what).cloned().unwrap_or_default();
        match readings.iter().rev().find(|(from, ..)| *from <= self.now) {
            Some((_, exit, out)) => Ok(Probed { exit: *exit, out: out.as_bytes().to_vec(), err: Vec::new() }),
            None => Err(Trouble::Unreachable("no route to host".into())),
        }
    }

    fn reply(&mut self, request: Request) -> CameBack {
        Ok(match request {
            Request::StartJob(StartJob { job, .. }) => StartJob::answered(self.start(job)),
            Request::LookAtJob(LookAtJob { job, .. }) => LookAtJob::answered(self.job(&job)),
            Request::AwaitJob(AwaitJob { job, until, .. }) => {
                let end = self.jobs.get(&job).map_or(self.now, |job| job.ends_at);
                self.advance(end.min(until.0));
                AwaitJob::answered(self.job(&job))
            }
            Request::EndJob(EndJob { job, .. }) => {
                let now = self.now;
                self.jobs.entry(job.clone()).and_modify(|job| *job = Job { ends_at: now, end: JobState::Exited(143) });
                EndJob::answered(self.job(&job))
            }
            Request::ReadOutput(ReadOutput { from, max, .. }) => ReadOutput::answered(part(&self.output, from, max)),
            Request::RunProbe(RunProbe { what, until, .. }) if self.hanging.contains(&what) => {
                self.advance(until.0);
                return Err(Trouble::Late);
            }
            Request::RunProbe(RunProbe { what, .. }) => RunProbe::answered(self.probe(&what)?),
            Request::ListFolder(_) => {
                self.advance(self.now);
                ListFolder::answered(self.listing())
            }
            Request::ReadFile(ReadFile { name, identity, from, max, .. }) => {
                match self.files.iter().find(|(stat, _)| stat.name == name && stat.identity == identity) {
                    Some((_, bytes)) => ReadFile::answered(part(bytes, from, max)),
                    None => return Err(Trouble::Missing(format!("{name} is not there"))),
                }
            }
            Request::AwaitChange(AwaitChange { seen, until, .. }) => {
                self.advance(self.now);
                while self.listing() == seen && self.now < until.0 {
                    let next = self.edits.keys().next().copied().unwrap_or(until.0).min(until.0);
                    self.advance(next);
                }
                AwaitChange::answered(self.listing())
            }
            Request::WaitUntil(WaitUntil { until }) => {
                self.advance(until.0);
                WaitUntil::answered(())
            }
            Request::AskPerson(_) => {
                AskPerson::answered(self.answer.clone().unwrap_or(Answer::Nobody("no terminal".into())))
            }
            Request::TakeLease(_) => TakeLease::answered(1),
            Request::ReleaseLease(_) => ReleaseLease::answered(1),
            Request::EnterHost(_) => EnterHost::answered(self.place.clone()),
            Request::ExpectNewKey(_) => ExpectNewKey::answered(()),
            Request::ReadLine(_) => ReadLine::answered(Line::Closed("no terminal".into())),
            Request::WorkOnFile(_) => return Err(Trouble::Refused("no files here".into())),
        })
    }
}

fn part(bytes: &[u8], from: u64, max: u64) -> Vec<u8> {
    let from = (from as usize).min(bytes.len());
    bytes[from..(from + max as usize).min(bytes.len())].to_vec()
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::StartJob(_) => "start",
        Request::EnterHost(_) => "enter",
        Request::LookAtJob(_) => "look",
        Request::AwaitJob(_) => "end",
        Request::ReadOutput(_) => "output",
        Request::EndJob(_) => "kill",
        Request::RunProbe(_) => "probe",
        Request::ListFolder(_) => "list",
        Request::ReadFile(_) => "read",
        Request::AwaitChange(_) => "changed",
        Request::TakeLease(_) => "take",
        Request::ReleaseLease(_) => "release",
        Request::ExpectNewKey(_) => "new key",
        Request::ReadLine(_) => "line",
        Request::WorkOnFile(_) => "file",
        Request::WaitUntil(_) => "wait",
        Request::AskPerson(_) => "ask",
    }
}

impl Link for Fake {
    fn call(&self, request: Request) -> Try<Reply> {
        let mut state = self.0.borrow_mut();
        let name = name(&request);
        state.asked.push(name);
        assert!(state.asked.len() < 20_000, "exec asks for ever: {:?}", &state.asked[..20]);
        match state.troubles.get_mut(name).and_then(VecDeque::pop_front) {
            Some((trouble, took_effect)) => {
                if took_effect {
                    let _ = state.reply(request);
                }
                Ok(Err(trouble))
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
