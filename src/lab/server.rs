//! The lab's process: takes calls from the lab's hosts and from its operator, hands them to the animator, and replies
//! when the lab's clock says that the command has ended. It ends when told to, when nobody has called for long, or when
//! its folder is gone.

use crate::error::{Error, Kind, Result};
use crate::lab::animator::Animator;
use crate::lab::place::{Card, Place};
use crate::world::clock::Clock;
use crate::world::desk;
use crate::world::lab_link::{LabCall, LabReply, LabRequest, LabServer};
use std::path::Path;
use std::time::Duration;

/// After this long without a call nobody is rehearsing any more.
const IDLE_MS: i64 = 30 * 60_000;
/// The longest sleep: a service process that was killed from outside must be noticed.
const GLANCE: Duration = Duration::from_millis(100);

/// Animates the lab in `folder` until it is told to stop.
///
/// # Errors
/// When there is no lab in the folder, or its model fails.
pub fn serve(folder: &Path) -> Result<()> {
    let place = Place::at(folder);
    let card = place.card()?.ok_or_else(|| {
        Error::new(Kind::Usage, format!("there is no lab in `{}`", folder.display())).hint("begin one: baton list")
    })?;
    let card = Card { pid: desk::who().pid, ..card };
    place.write_card(&card)?;
    let animator = Animator::begin(place.clone(), &card)?;
    let server = LabServer::bind(&place.socket())?;
    Serving { animator, server, waiting: Vec::new(), speed: card.speed.max(1), place }.until_stopped()
}

struct Serving {
    animator: Animator,
    server: LabServer,
    /// Callers whose command has not ended yet: when it does, on the lab's clock, and with what.
    waiting: Vec<(i64, LabCall, LabReply)>,
    speed: u32,
    place: Place,
}

impl Serving {
    fn until_stopped(mut self) -> Result<()> {
        let real = Clock::real();
        let mut last_call = real.now().wall;
        loop {
            self.animator.catch_up()?;
            self.reply_to_ended();
            let Some(call) = self.server.next(self.until_next()) else {
                let idle = real.now().wall - last_call > IDLE_MS;
                // Without its socket, as when its folder was removed, nobody can call any more.
                if self.waiting.is_empty() && (idle || !self.place.socket().exists()) {
                    break;
                }
                continue;
            };
            last_call = real.now().wall;
            self.animator.catch_up()?;
            if self.take(call)? {
                break;
            }
        }
        Ok(())
    }

    /// Carries out one call. Tells whether it was the last.
    fn take(&mut self, call: LabCall) -> Result<bool> {
        let (reply, after_ms) = match &call.request {
            LabRequest::Verb { service, verb, args } => self.animator.verb(service, verb, args)?,
            LabRequest::Probe { service, what, args } => (self.animator.probe(service, what, args)?, 0),
            LabRequest::Ask(ask) => self.animator.answer(ask)?,
            LabRequest::State => (self.animator.state()?, 0),
            LabRequest::Stop => {
                call.reply(&LabReply::default());
                return Ok(true);
            }
        };
        let due = self.animator.now().saturating_add(i64::try_from(after_ms).unwrap_or(i64::MAX));
        self.waiting.push((due, call, reply));
        Ok(false)
    }

    fn reply_to_ended(&mut self) {
        let now = self.animator.now();
        let (ended, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(due, _, _)| *due <= now);
        self.waiting = waiting;
        let ended: Vec<(i64, LabCall, LabReply)> = ended;
        for (_, call, reply) in ended {
            call.reply(&reply);
        }
    }

    /// How long to wait for a call, in real time.
    fn until_next(&self) -> Duration {
        let replies = self.waiting.iter().map(|(due, _, _)| *due);
        let Some(due) = replies.chain(self.animator.next_due()).min() else { return GLANCE };
        let left = u64::try_from(due - self.animator.now()).unwrap_or(0);
        (Duration::from_millis(left) / self.speed).clamp(Duration::from_micros(200), GLANCE)
    }
}
