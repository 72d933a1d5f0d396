//! The model on a real clock: what it writes into logs is written, a service it starts is a process that lives, and a
//! process that was killed from outside is reported to it. It takes calls and answers them; it knows no socket.

use crate::error::{Error, Kind, Result};
use crate::lab::place::{Card, Place};
use crate::model::effect::Ask;
use crate::model::inventory::Inventory;
use crate::model::profile::fill;
use crate::model::value::{Fields, Value};
use crate::sim::{ModelHost, ModelProgram, Out};
use crate::world::clock::Clock;
use crate::world::desk;
use crate::world::lab_link::LabReply;
use crate::world::processes::Processes;
use crate::world::real_folders::RealFolders;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A lab's site, alive.
pub struct Animator {
    host: ModelHost,
    clock: Clock,
    place: Place,
    /// Where each service's log files are.
    log_folders: BTreeMap<String, PathBuf>,
    /// The log file each service writes to now.
    logs: BTreeMap<String, PathBuf>,
    processes: Processes,
    /// The process of each service that runs.
    running: BTreeMap<String, u32>,
}

impl Animator {
    /// Sets the lab in `place` going, as its card says.
    ///
    /// # Errors
    /// When its model or inventory cannot be read, or the model fails.
    pub fn begin(place: Place, card: &Card) -> Result<Self> {
        let text = |path: PathBuf| {
            let missing = || Error::new(Kind::Internal, format!("`{}` is missing", path.display()));
            desk::read_text(&path)?.ok_or_else(missing)
        };
        let mut profile = |product: &str| desk::read_text(&place.profile(product)).ok().flatten();
        let site = Inventory::parse(&text(place.inventory())?, "inventory.toml", &mut profile)?;
        let model = text(place.model(&card.model))?;
        let file = format!("models/{}.rhai", card.model);
        let program = ModelProgram::compile(&model, &file, crate::engine::standard_package())?;
        let clock = Clock::scaled(card.speed, card.origin);
        let log_folders = log_folders(&site)?;
        for folder in log_folders.values() {
            desk::make_folder(folder)?;
        }
        let seed = u64::try_from(card.origin).unwrap_or(0);
        let folders = Box::new(RealFolders::new(place.folder().to_path_buf()));
        let host = ModelHost::new(program, &site, &card.scenario, seed, clock.now().wall, folders)?;
        let (logs, running) = (BTreeMap::new(), BTreeMap::new());
        let mut animator = Self { host, clock, place, log_folders, logs, processes: Processes::default(), running };
        animator.show()?;
        Ok(animator)
    }

    /// What time it is in the lab, wall clock milliseconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now().wall
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.host.next_due()
    }

    /// Lets happen what is due by now.
    ///
    /// # Errors
    /// When the model fails, or what it does cannot be shown on disk.
    pub fn catch_up(&mut self) -> Result<()> {
        for service in self.take_dead() {
            self.host.advance_to(self.now())?;
            let argv = Value::List(vec!["kill".into(), service.as_str().into()]);
            let _ = self.host.verb(&service, "run", &Fields::from([("argv".to_owned(), argv)]))?;
        }
        self.host.advance_to(self.now())?;
        self.show()
    }

    /// Does a verb to a service: the reply, and after how many milliseconds of the lab it is given. The verb is in the
    /// ledger before it is done.
    ///
    /// # Errors
    /// When the ledger cannot be written or the model fails.
    pub fn verb(&mut self, service: &str, verb: &str, args: &Fields) -> Result<(LabReply, u64)> {
        let line = serde_json::json!({ "at": self.now(), "service": service, "verb": verb, "args": args });
        desk::append_durably(&self.place.ledger(), &line.to_string())?;
        let reply = self.host.verb(service, verb, args)?;
        self.show()?;
        Ok(match reply {
            Some(reply) => (LabReply { exit: reply.exit, output: reply.output, ..LabReply::default() }, reply.takes_ms),
            None => (unknown(service, verb), 0),
        })
    }

    /// Reads something of a service.
    ///
    /// # Errors
    /// When the model fails.
    pub fn probe(&mut self, service: &str, what: &str, args: &Fields) -> Result<LabReply> {
        Ok(match self.host.probe(service, what, args)? {
            Some((exit, output)) => LabReply { exit, output, ..LabReply::default() },
            None => unknown(service, what),
        })
    }

    /// What the lab's operator answers, and after how many milliseconds of the lab. An empty word is no answer.
    ///
    /// # Errors
    /// When the model fails.
    pub fn answer(&mut self, ask: &Ask) -> Result<(LabReply, u64)> {
        Ok(match self.host.answer(ask)? {
            Some(reply) => (LabReply { word: reply.word, note: reply.note, ..LabReply::default() }, reply.after_ms),
            None => (LabReply { exit: 1, ..LabReply::default() }, 0),
        })
    }

    /// The end state and the truth about what was suffered, as JSON.
    ///
    /// # Errors
    /// When the model fails.
    pub fn state(&mut self) -> Result<LabReply> {
        let ledger = self.host.ledger();
        let intervals: Vec<serde_json::Value> = (ledger.intervals.iter())
            .map(|i| serde_json::json!({ "kind": i.kind, "who": i.who, "from": i.from, "to": i.to }))
            .collect();
        let summary = self.host.summary()?;
        let violations: Vec<&String> = ledger.violations.iter().map(|(_, text)| text).collect();
        let state = serde_json::json!({ "summary": summary, "intervals": intervals, "violations": violations });
        Ok(LabReply { output: state.to_string(), ..LabReply::default() })
    }

    /// The services whose process has ended without the model's doing.
    fn take_dead(&mut self) -> Vec<String> {
        let Self { processes, running, .. } = self;
        let dead = running.iter().filter(|(_, id)| !processes.alive(**id)).map(|(service, _)| service.clone());
        let dead: Vec<String> = dead.collect();
        for id in dead.iter().filter_map(|service| running.remove(service)) {
            processes.end(id);
        }
        dead
    }

    /// Starts the process of a service, unless it runs.
    fn start(&mut self, service: String) -> Result<()> {
        if !self.running.contains_key(&service) {
            let args = ["lab".to_owned(), "service".to_owned(), service.clone()];
            let id = self.processes.start(&desk::program()?, &args)?;
            self.running.insert(service, id);
        }
        Ok(())
    }

    /// Makes visible what the model did.
    fn show(&mut self) -> Result<()> {
        for out in self.host.take_outbox() {
            match out {
                Out::OpenLog { service, file } => {
                    if let Some(folder) = self.log_folders.get(&service) {
                        self.logs.insert(service, folder.join(file));
                    }
                }
                Out::Log { service, line } => {
                    if let Some(path) = self.logs.get(&service) {
                        desk::append(path, &line)?;
                    }
                }
                Out::Started { service } => self.start(service)?,
                Out::Exited { service, .. } => {
                    if let Some(id) = self.running.remove(&service) {
                        self.processes.end(id);
                    }
                }
            }
        }
        Ok(())
    }
}

fn unknown(service: &str, what: &str) -> LabReply {
    let output = format!("the model of `{service}` does not know `{what}`");
    LabReply { exit: 64, output, ..LabReply::default() }
}

/// The folder of each service's log, for services that have one.
fn log_folders(site: &Inventory) -> Result<BTreeMap<String, PathBuf>> {
    let mut folders = BTreeMap::new();
    for (name, service) in &site.services {
        if let Some(log) = &service.profile.log {
            let folder = fill(&log.dir, &service.vars, &Fields::new());
            let folder = folder.map_err(|wrong| Error::new(Kind::Inventory, wrong))?;
            folders.insert(name.clone(), PathBuf::from(folder));
        }
    }
    Ok(folders)
}
