//! The simulated world: requests become events of virtual time. One session of a runner, which may die at any point;
//! the estate behind it lives on. It never waits in small steps, and never looks at what the runner means to do.

use crate::model::run::record::Moment;
use crate::model::site::answers::{Answers, Said};
use crate::sim::crash::{Boundary, CrashClock};
use crate::sim::due::Due;
use crate::sim::estate::SimEstate;
use crate::sim::estate_state::EstateState;
use crate::sim::fence::Fence;
use crate::world::lease::Runner;
use crate::world::request::AskPerson;
use crate::world::{Answer, Completion, HasReply, Reply, Request, Ticket, World};
use std::rc::Rc;

/// The world of one simulated runner.
pub struct SimWorld {
    estate: SimEstate,
    clock: CrashClock,
    fence: Fence,
    answers: Option<Rc<Answers>>,
}

impl SimWorld {
    /// The world as a runner sees it that comes to this estate. A former runner's requests are forgotten; what they
    /// started goes on.
    #[must_use]
    pub fn on(estate: &SimEstate, clock: CrashClock) -> Self {
        estate.0.borrow_mut().pending.clear();
        Self { estate: estate.clone(), clock, fence: Fence::default(), answers: None }
    }

    /// The same with a file of answers, if there is one: what it does not say is for the operator to answer.
    #[must_use]
    pub fn answered(self, answers: Option<Rc<Answers>>) -> Self {
        Self { answers, ..self }
    }

    /// What the file of answers says to a question. What answering brings about has been done all the same.
    fn answer(&self, request: &Request, estate: &mut EstateState) -> Option<Reply> {
        let (Request::AskPerson(AskPerson { ask, .. }), Some(answers)) = (request, &self.answers) else { return None };
        match answers.to(&ask.gate, &ask.form) {
            Said::Answer { word, note, by } => {
                estate.operator(ask);
                Some(AskPerson::answered(Answer::Given { word, note, by }))
            }
            Said::NoAnswer(why) => Some(AskPerson::answered(Answer::Nobody(why))),
            Said::Nothing => None,
        }
    }
}

impl World for SimWorld {
    fn now(&mut self) -> Moment {
        self.estate.0.borrow().moment()
    }

    fn submit(&mut self, ticket: Ticket, request: Request) {
        let starts = matches!(request, Request::StartJob(_));
        let dead = if starts { self.clock.crosses(Boundary::BeforeStart) } else { self.clock.is_dead() };
        if !dead {
            let mut estate = self.estate.0.borrow_mut();
            let settled = estate.arrives(&request).or_else(|| self.fence.stop(&mut estate, &request));
            match settled.or_else(|| self.answer(&request, &mut estate).map(Ok)) {
                None => estate.accept(ticket, request),
                Some(settled) => {
                    let soon = estate.now + estate.latency();
                    estate.schedule(soon, ticket, Due::Ready(None, settled));
                }
            }
        }
        if starts {
            // Should it die here, `next` delivers nothing any more.
            self.clock.crosses(Boundary::AfterStart);
        }
    }

    fn next(&mut self) -> Completion {
        if self.clock.is_dead() {
            return Completion::Interrupted;
        }
        let Some((ticket, came)) = self.estate.0.borrow_mut().next_reply() else { return Completion::Idle };
        if self.clock.crosses(Boundary::BeforeReply) {
            return Completion::Interrupted;
        }
        Completion::Reply(ticket, came)
    }

    fn forget(&mut self, ticket: Ticket) {
        self.estate.0.borrow_mut().pending.retain(|_, (pending, _)| *pending != ticket);
    }

    fn act_for(&mut self, runner: Runner) {
        self.fence.runner = Some(runner);
    }

    fn follow(&mut self, run: &str) -> bool {
        let Some(runner) = &mut self.fence.runner else { return false };
        let is_new = !runner.follows.iter().any(|followed| followed == run);
        runner.follows.extend(is_new.then(|| run.to_owned()));
        is_new
    }
}
