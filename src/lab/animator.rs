//! The model of a lab, alive: what it writes into logs is written, a service it starts is a process that lives, and a
//! process that was killed from outside is reported to it. It takes calls and answers them; it knows no socket, and
//! time passes when it is told so. A model that went wrong is asked nothing any more: who calls is told what is wrong.

use crate::error::{Error, Kind, Result};
use crate::lab::place::{Card, LabPaths};
use crate::model::run::effect::Ask;
use crate::model::run::instant::Wall;
use crate::model::site::inventory::Inventory;
use crate::model::site::profile::fill;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::platform::beneath::beneath;
use crate::platform::desk;
use crate::platform::lab_link::{LabCommand, LabReply, LabTrouble};
use crate::platform::processes::Processes;
use crate::platform::real_folders::RealFolders;
use crate::sim::{ModelHost, ModelProgram, Out};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The verb of a command that a script gives itself.
const RUN: &str = "run";

/// A lab's site, alive.
pub struct Animator {
    host: ModelHost,
    place: LabPaths,
    /// What time it is in the lab.
    now: Wall,
    /// Where each service's log files are.
    log_folders: BTreeMap<String, PathBuf>,
    /// The log file each service writes to now.
    logs: BTreeMap<String, PathBuf>,
    processes: Processes,
    /// The process of each service that runs.
    running: BTreeMap<String, u32>,
    /// What is wrong with the model, once it has shown.
    wrong: Option<Box<Error>>,
}

/// A reply, and after how long, in the lab, it is given.
pub type Timed = (LabReply, Span);

impl Animator {
    /// Sets the lab in `place` going, as its card says.
    ///
    /// # Errors
    /// When its model or inventory cannot be read, or the model fails.
    pub fn begin(place: LabPaths, card: &Card) -> Result<Self> {
        let text = |path: PathBuf| {
            let missing = || Error::new(Kind::Internal, format!("`{}` is missing", path.display()));
            desk::read_text(&path)?.ok_or_else(missing)
        };
        let mut profile = |product: &str| desk::read_text(&place.profile(product)).ok().flatten();
        let site = Inventory::parse(&text(place.inventory())?, "inventory.toml", &mut profile)?;
        let model = text(place.model(&card.model))?;
        let program = ModelProgram::compile(&model, &card.model_file(), crate::engine::standard_package())?;
        let log_folders = log_folders(&site, place.folder())
            .map_err(|(name, why)| Error::new(Kind::Inventory, format!("the log of `{name}`: {why}")))?;
        for folder in log_folders.values() {
            desk::make_folder(folder)?;
        }
        let folders = Box::new(RealFolders::new(place.folder().to_path_buf()));
        let host = ModelHost::new(program, &site, &card.scenario, card.seed(), card.origin, folders)?;
        let (logs, running, processes) = (BTreeMap::new(), BTreeMap::new(), Processes::default());
        let mut animator = Self { host, place, now: card.origin, log_folders, logs, processes, running, wrong: None };
        animator.show()?;
        Ok(animator)
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn next_due(&self) -> Option<Wall> {
        self.host.next_due().filter(|_| self.wrong.is_none())
    }

    /// Lets happen what is due by `now`.
    ///
    /// # Errors
    /// When what the model does cannot be shown on disk.
    pub fn catch_up(&mut self, now: Wall) -> Result<()> {
        self.now = now;
        for service in self.take_dead() {
            let argv = Value::List(vec!["kill".into(), service.as_str().into()]);
            let args = Fields::from([("argv".to_owned(), argv)]);
            let _ = self.ask(|host| {
                host.advance_to(now)?;
                host.verb(&service, RUN, &args)
            });
        }
        // What is wrong with it is told to whoever calls next.
        let _ = self.ask(|host| host.advance_to(now));
        self.show()
    }

    /// Whether a run may have this started. Of what it may not, why.
    #[must_use]
    pub fn admits(&self, command: &LabCommand) -> Option<LabTrouble> {
        let LabCommand { host, service, name, program, .. } = command;
        let why = match service {
            Some(service) if !self.host.plays(service) => format!("nothing in this lab plays `{service}`"),
            Some(_) if name != RUN || self.host.answers_command(program, true) => return None,
            None if name == RUN && self.host.answers_command(program, false) => return None,
            None if name != RUN => format!("the lab has no answer to `{name}` of its host `{host}`"),
            Some(_) | None => {
                let file = self.host.file();
                format!("nothing real is started in a lab, and its model has no answer to `{program}` ({file})")
            }
        };
        Some(LabTrouble::NotOurs(why))
    }

    /// Does what a run has had started. It is in the ledger before it is done.
    ///
    /// # Errors
    /// When the ledger cannot be written, or what the model does not shown.
    pub fn carry_out(&mut self, command: &LabCommand) -> Result<Timed> {
        let LabCommand { host, service, name, args, .. } = command;
        match service {
            Some(service) => self.verb(service, name, args),
            None => {
                self.note(host, name, args)?;
                let argv = args.get("argv").cloned().unwrap_or_default();
                let reply = self.ask(|model| model.command(host, &argv));
                self.show()?;
                Ok(self.timed(
                    reply.map(|reply| reply.map(|reply| (reply.exit, reply.output, reply.takes))),
                    host,
                    name,
                ))
            }
        }
    }

    /// Does a verb to a service. It is in the ledger before it is done.
    ///
    /// # Errors
    /// When the ledger cannot be written, or what the model does not shown.
    pub fn verb(&mut self, service: &str, verb: &str, args: &Fields) -> Result<Timed> {
        self.note(service, verb, args)?;
        let reply = self.ask(|host| host.verb(service, verb, args));
        self.show()?;
        Ok(self.timed(reply.map(|reply| reply.map(|reply| (reply.exit, reply.output, reply.takes))), service, verb))
    }

    /// Reads something of a service.
    pub fn probe(&mut self, service: &str, what: &str, args: &Fields) -> LabReply {
        let reply = self.ask(|host| host.probe(service, what, args));
        self.timed(reply.map(|reply| reply.map(|(exit, output)| (exit, output, Span(0)))), service, what).0
    }

    /// What a run reads.
    pub fn read(&mut self, command: &LabCommand) -> LabReply {
        match (&command.service, self.admits(command)) {
            (Some(service), None) => self.probe(service, &command.name, &command.args),
            (_, trouble) => LabReply { trouble, ..LabReply::default() },
        }
    }

    /// What the lab's operator answers. An empty word is no answer.
    pub fn answer(&mut self, ask: &Ask) -> Timed {
        let answered = self.ask(|host| {
            let reply = host.answer(ask)?;
            if let Some(reply) = &reply {
                host.was_answered(ask, &reply.word)?;
            }
            Ok(reply)
        });
        match answered {
            Ok(Some(reply)) => (LabReply { word: reply.word, note: reply.note, ..LabReply::default() }, reply.after),
            Ok(None) => (LabReply { exit: 1, ..LabReply::default() }, Span(0)),
            Err(trouble) => (LabReply { trouble: Some(trouble), ..LabReply::default() }, Span(0)),
        }
    }

    /// The end state and the truth about what was suffered, as JSON.
    pub fn state(&mut self) -> LabReply {
        let ledger = self.host.ledger();
        let intervals: Vec<serde_json::Value> = (ledger.intervals.iter())
            .map(|i| serde_json::json!({ "kind": i.kind, "who": i.who, "from": i.from, "to": i.to }))
            .collect();
        let summary = match self.ask(ModelHost::summary) {
            Ok(summary) => summary,
            Err(trouble) => return LabReply { trouble: Some(trouble), ..LabReply::default() },
        };
        let violations: Vec<&String> = ledger.violations.iter().map(|(_, text)| text).collect();
        let state = serde_json::json!({ "summary": summary, "intervals": intervals, "violations": violations });
        LabReply { output: state.to_string(), ..LabReply::default() }
    }

    /// Asks the model, unless it has gone wrong.
    fn ask<T>(&mut self, question: impl FnOnce(&mut ModelHost) -> Result<T>) -> std::result::Result<T, LabTrouble> {
        if self.wrong.is_none() {
            match question(&mut self.host) {
                Ok(reply) => return Ok(reply),
                Err(error) => self.wrong = Some(error),
            }
        }
        Err(LabTrouble::Model(self.wrong.as_ref().map_or_else(String::new, |error| in_one_line(error))))
    }

    fn note(&self, of: &str, verb: &str, args: &Fields) -> Result<()> {
        let line = serde_json::json!({ "at": self.now, "service": of, "verb": verb, "args": args });
        desk::append_durably(&self.place.ledger(), &line.to_string())
    }

    fn timed(
        &self,
        reply: std::result::Result<Option<(i32, String, Span)>, LabTrouble>,
        of: &str,
        what: &str,
    ) -> Timed {
        match reply {
            Ok(Some((exit, output, takes))) => (LabReply { exit, output, ..LabReply::default() }, takes),
            Ok(None) => {
                let output = format!("the model of `{of}` does not know `{what}`");
                (LabReply { exit: 64, output, ..LabReply::default() }, Span(0))
            }
            Err(trouble) => (LabReply { trouble: Some(trouble), ..LabReply::default() }, Span(0)),
        }
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
                    let Some(folder) = self.log_folders.get(&service) else { continue };
                    // A link of that name may lead anywhere.
                    let path = beneath(self.place.folder(), &folder.join(file));
                    self.logs.insert(service, path.map_err(|wrong| Error::new(Kind::Failed, wrong))?);
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

/// What is wrong with a model, and where, for a reply.
fn in_one_line(error: &Error) -> String {
    let place = error.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    format!("{}{place}", error.message)
}

/// The folder of each service's log, for services that have one. All of them lie below the lab's own.
///
/// # Errors
/// The service of which that cannot be said, and why.
pub(super) fn log_folders<'s>(
    site: &'s Inventory,
    lab: &Path,
) -> std::result::Result<BTreeMap<String, PathBuf>, (&'s str, String)> {
    let mut folders = BTreeMap::new();
    for (name, service) in &site.services {
        if let Some(log) = &service.profile.log {
            let folder = fill(&log.dir, &service.vars, &Fields::new());
            let below = folder.and_then(|folder| beneath(lab, Path::new(folder.trim_end_matches('/'))));
            folders.insert(name.clone(), below.map_err(|why| (name.as_str(), why))?);
        }
    }
    Ok(folders)
}
