//! The lab's process: lets the lab's time pass, takes calls from its hosts and for its operator, hands them to the
//! animator, and replies when the lab's clock says that the command has ended. Time waits for whoever has not taken
//! note of something yet. It ends when told to, when nobody has called for long, or when its folder is gone.

use crate::error::{Error, Kind, Result};
use crate::lab::animator::Animator;
use crate::lab::place::{Card, LabPaths};
use crate::model::run::instant::Wall;
use crate::model::span::Span;
use crate::platform::desk;
use crate::platform::lab_link::{
    Delivery, JobRecorder, LabCall, LabCommand, LabReply, LabRequest, LabServer, LabTrouble, Patience,
};
use crate::world::clock::Clock;
use crate::world::rehearsal::time::Timekeeper;
use std::collections::BTreeMap;
use std::path::Path;

/// After this long without a call nobody is rehearsing any more.
const IDLE: Span = Span::mins(30);

/// Animates the lab in `folder` until it is told to stop.
///
/// # Errors
/// When there is no lab in the folder, or its model fails at once.
pub fn serve(folder: &Path) -> Result<()> {
    let place = LabPaths::at(folder);
    let card = place.card()?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no lab in `{}`", folder.display())).hint("begin one: baton list")
    })?;
    let card = Card { pid: desk::who().pid, ..card };
    place.write_card(&card)?;
    let keeper = Timekeeper::begin(folder, card.speed, card.origin)?;
    let animator = Animator::begin(place.clone(), &card)?;
    let server = LabServer::bind(&place.socket())?;
    let (waiting, taken) = (Vec::new(), Vec::new());
    Serving { animator, keeper, server, waiting, admitted: BTreeMap::new(), taken, place }.until_stopped()
}

struct Serving {
    animator: Animator,
    keeper: Timekeeper,
    server: LabServer,
    waiting: Vec<WaitingCaller>,
    /// What runs may have started, by job: time waits until it has come.
    admitted: BTreeMap<String, (LabCommand, Patience)>,
    /// Replies that nobody has taken note of yet: time waits.
    taken: Vec<Delivery>,
    place: LabPaths,
}

/// A caller whose command has not ended yet.
struct WaitingCaller {
    /// When it does, on the lab's clock.
    due: Wall,
    call: LabCall,
    reply: LabReply,
    /// Who has to record that.
    recorder: Option<JobRecorder>,
}

impl Serving {
    fn until_stopped(mut self) -> Result<()> {
        let real = Clock::real();
        let mut last_call = real.now().wall;
        loop {
            self.pass()?;
            let Some(call) = self.server.next(self.keeper.pause(self.next_due())) else {
                let idle = real.now().wall.since(last_call) > IDLE;
                // Without its socket, as when its folder was removed, nobody can call any more.
                if self.waiting.is_empty() && (idle || !self.place.socket().exists()) {
                    break;
                }
                continue;
            };
            last_call = real.now().wall;
            if self.take(call)? {
                break;
            }
        }
        Ok(())
    }

    /// Lets as much time pass as may, and everything that is due by then happen.
    fn pass(&mut self) -> Result<()> {
        self.taken.retain_mut(|delivery| !delivery.is_over());
        let on_its_way = self.admitted.values().any(|(_, patience)| !patience.is_over());
        let held = on_its_way || !self.taken.is_empty();
        let now = self.keeper.next(held, self.next_due());
        self.animator.catch_up(now)?;
        // Its folder may be gone: then it ends, as soon as nobody waits.
        let _ = self.keeper.tell();
        let (ended, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.due <= now);
        self.waiting = waiting;
        let ended: Vec<WaitingCaller> = ended;
        for WaitingCaller { call, reply, recorder, .. } in ended {
            self.taken.push(call.reply(&reply, recorder));
        }
        Ok(())
    }

    /// When something happens next.
    fn next_due(&self) -> Option<Wall> {
        self.waiting.iter().map(|waiting| waiting.due).chain(self.animator.next_due()).min()
    }

    /// Carries out one call. Tells whether it was the last.
    fn take(&mut self, call: LabCall) -> Result<bool> {
        let mut recorder = None;
        let (reply, after) = match &call.request {
            LabRequest::Verb { service, verb, args } => self.animator.verb(service, verb, args)?,
            LabRequest::Probe { service, what, args } => (self.animator.probe(service, what, args), Span(0)),
            LabRequest::Read(command) => (self.animator.read(command), Span(0)),
            LabRequest::Admit { job, command } => {
                let trouble = self.animator.admits(command);
                if trouble.is_none() {
                    self.admitted.insert(job.clone(), (command.clone(), Patience::begin()));
                }
                (LabReply { trouble, ..LabReply::default() }, Span(0))
            }
            LabRequest::Job { job, recorder: by } => {
                recorder = Some(by.clone());
                match self.admitted.remove(job) {
                    Some((command, _)) => self.animator.carry_out(&command)?,
                    None => (not_admitted(job), Span(0)),
                }
            }
            LabRequest::Ask(ask) => self.animator.answer(ask),
            LabRequest::State => (self.animator.state(), Span(0)),
            LabRequest::Stop => {
                let _ = call.reply(&LabReply::default(), None);
                return Ok(true);
            }
        };
        let due = self.keeper.now() + after;
        self.waiting.push(WaitingCaller { due, call, reply, recorder });
        Ok(false)
    }
}

fn not_admitted(job: &str) -> LabReply {
    let why = format!("nobody has asked this lab for the job `{job}`, or it was done already");
    LabReply { trouble: Some(LabTrouble::NotOurs(why)), ..LabReply::default() }
}
