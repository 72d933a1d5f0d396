//! A site that is explored, without a runbook: what is done to it, what befalls it, what it shows, and what its model
//! says of it.

use crate::support::simulation::Scene;
use baton::model::run::effect::{Ask, Form};
use baton::model::run::instant::Mono;
use baton::model::run::record::{EffectId, TrackId};
use baton::model::value::{Fields, Value};
use baton::sim::{CHOICE, CrashClock, Fault, FaultPlan, Harm, SimEstate, SimWorld, Trigger};
use baton::world::request::{AskPerson, RunProbe, StartJob, WaitUntil};
use baton::world::{Completion, HasReply, JobId, Probed, Ticket, World};
use std::cell::Cell;
use std::rc::Rc;

pub struct Explored {
    scene: Scene,
    pub estate: SimEstate,
    /// How many pauses and jobs there were.
    pauses: Cell<u32>,
    jobs: Cell<u64>,
    /// A number that is another at every pause: each is an instant of its own.
    record: Rc<Cell<u64>>,
}

impl Explored {
    /// The site that a shipped runbook finds in a scenario.
    pub fn new(runbook: &str, scenario: &str) -> Self {
        Self::going(runbook, scenario, &[])
    }

    /// The same, where what the model leaves open goes these ways: which question, which time, which of its ways.
    pub fn going(runbook: &str, scenario: &str, ways: &[(&str, u32, usize)]) -> Self {
        let scene = Scene::new(runbook, scenario);
        let at = |name: &str, nth| Trigger { verb: CHOICE.into(), subject: name.into(), nth };
        let goes = |(name, nth, way): &(&str, u32, usize)| Fault { at: at(name, *nth), harm: Harm::Goes { way: *way } };
        let faults = ways.iter().map(goes).collect();
        let estate = scene.play_with(1, &FaultPlan { faults, crashes: Vec::new() }).estate;
        let record = Rc::new(Cell::new(0));
        estate.explore(None, Rc::clone(&record));
        Self { scene, estate, pauses: Cell::new(0), jobs: Cell::new(0), record }
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) -> &Self {
        self.estate.pass(seconds * 1000);
        assert_eq!(self.estate.defect(), None);
        self
    }

    /// Somebody has a verb carried out.
    #[track_caller]
    pub fn does(&self, service: &str, verb: &str, args: &[(&str, &str)]) -> &Self {
        self.jobs.set(self.jobs.get() + 1);
        let effect = EffectId { track: TrackId::main(), n: self.jobs.get() };
        let job = JobId { run: "explored".into(), effect, attempt: 1 };
        let (host, args) = (self.host(service), fields(args));
        let (service, verb, argv) = (Some(service.to_owned()), verb.to_owned(), vec!["x".to_owned()]);
        let _reply = self.ask(StartJob { host, job, service, verb, argv, args, secret: None, until: Mono::NEVER });
        self.pass(0)
    }

    /// Something befalls a service by itself.
    #[track_caller]
    pub fn befalls(&self, service: &str, fault: &str) -> &Self {
        let known = self.could_befall(service);
        assert!(known.iter().any(|word| word == fault), "{service} {fault}: only {known:?}");
        self.strikes(Harm::Suffers { service: service.into(), fault: fault.into() })
    }

    /// A host restarts by itself.
    pub fn restarts(&self, host: &str) -> &Self {
        self.strikes(Harm::HostDies { host: host.into(), ms: 60_000 })
    }

    fn strikes(&self, harm: Harm) -> &Self {
        let at = Trigger { verb: "at".into(), subject: "a pause".into(), nth: self.pauses.get() + 1 };
        self.estate.beset(&[Fault { at, harm }]);
        self.pause();
        self.pass(0)
    }

    /// An instant at which something may befall the site.
    fn pause(&self) {
        self.pauses.set(self.pauses.get() + 1);
        self.record.set(self.record.get() + 1);
        let _reply = self.ask(WaitUntil { until: Mono(0) });
    }

    /// What could befall a service now.
    pub fn could_befall(&self, service: &str) -> Vec<String> {
        self.pause();
        let harms = self.estate.points().pop().map(|point| point.harms).unwrap_or_default();
        let of_service = |harm| match harm {
            Harm::Suffers { service: of, fault } if of == service => Some(fault),
            _ => None,
        };
        harms.into_iter().filter_map(of_service).collect()
    }

    /// What a probe prints; how it failed, if it did.
    pub fn reads(&self, service: &str, what: &str, args: &[(&str, &str)]) -> String {
        let (host, args) = (self.host(service), fields(args));
        let (service, what, argv) = (Some(service.to_owned()), what.to_owned(), vec!["x".to_owned()]);
        let probe = RunProbe { host, service, what, argv, args, secret: None, until: Mono::NEVER };
        match RunProbe::came_back(self.ask(probe)) {
            Ok(Probed { exit: 0, out, .. }) => String::from_utf8(out).unwrap(),
            Ok(Probed { exit, .. }) => format!("exit {exit}"),
            Err(trouble) => format!("{trouble:?}"),
        }
    }

    /// Somebody is asked, and says this word.
    pub fn says(&self, gate: &str, form: Form, text: &str, word: &str) -> &Self {
        let verb = match &form {
            Form::Confirm => "confirm",
            Form::Manual => "manual",
            Form::Choose(_) => "choose",
            Form::Write(_) => "ask",
        };
        let at = Trigger { verb: verb.into(), subject: gate.into(), nth: 1 };
        self.estate.beset(&[Fault { at, harm: Harm::Says { word: word.into() } }]);
        let ask = Ask { gate: gate.into(), form, text: text.into(), evidence: String::new() };
        let _reply = self.ask(AskPerson { id: EffectId { track: TrackId::main(), n: 1 }, ask });
        self.pass(0)
    }

    /// How the model sees something, in one word of its summary.
    pub fn shows(&self, of: &str, what: &str) -> String {
        let Value::Map(models) = self.estate.summary().unwrap() else { panic!("no summary") };
        let shown = models.values().find_map(|model| model.get(of)?.get(what).cloned());
        shown.map(|value| value.to_string()).unwrap_or_default()
    }

    /// What was broken so far, in its order: only the names.
    pub fn broken(&self) -> Vec<String> {
        let name = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
        self.estate.ledger().violations.iter().map(|(_, text)| name(text)).collect()
    }

    /// The same when it is looked at as after a run that is over.
    pub fn broken_at_the_end(&self) -> Vec<String> {
        self.estate.look_over_at_the_end();
        assert_eq!(self.estate.defect(), None);
        self.broken()
    }

    /// Nothing is wrong with a sentence.
    #[track_caller]
    pub fn holds(&self, sentence: &str) -> &Self {
        assert_eq!(self.estate.false_claims(sentence), [] as [String; 0], "{sentence}");
        assert_eq!(self.estate.defect(), None);
        self
    }

    /// Something is wrong with a sentence.
    #[track_caller]
    pub fn is_false(&self, sentence: &str) -> &Self {
        assert!(!self.estate.false_claims(sentence).is_empty(), "nobody contradicts: {sentence}");
        assert_eq!(self.estate.defect(), None);
        self
    }

    /// The hosts of the site.
    pub fn hosts(&self) -> Vec<String> {
        self.scene.prepared().inventory.hosts.keys().cloned().collect()
    }

    fn host(&self, service: &str) -> String {
        self.scene.prepared().inventory.services[service].host.clone()
    }

    #[track_caller]
    fn ask<R: HasReply>(&self, request: R) -> baton::world::CameBack {
        let mut world = SimWorld::on(&self.estate, CrashClock::never());
        world.submit(Ticket(1), request.into());
        let Completion::Reply(_, came) = world.next() else { panic!("no reply") };
        assert_eq!(self.estate.defect(), None);
        came
    }
}

fn fields(args: &[(&str, &str)]) -> Fields {
    args.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}
