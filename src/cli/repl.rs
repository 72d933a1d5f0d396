//! `baton repl`: a run steered by hand, or lines typed one by one. It finds or begins the run, opens the line editor,
//! and does for the session what only the command line can: streams, files, other commands.

use super::adopt::Edited;
use super::estate::{Estate, lab_name, lease, site_name};
use super::find_run::Aim;
use super::lab::template;
use super::screen::Screen;
use super::site::Site;
use super::take_up::{TakenUp, claim};
use super::{Desk, carry, edit, holders, rollback, run};
use crate::dispatch::Gate;
use crate::error::{Error, Kind, Result};
use crate::journal::Store;
use crate::journal::history::History;
use crate::lab::{Lab, Wanted};
use crate::model::event::{Event, Sink};
use crate::model::record::{Record, Way, Who};
use crate::model::text::unsafe_on_a_terminal;
use crate::model::value::Fields;
use crate::repl::command::COMMANDS;
use crate::repl::{Hands, Start, carry_on};
use crate::report::layout::folded;
use crate::report::style::Tone;
use crate::script::repl::is_incomplete;
use crate::script::{doc, outline};
use crate::session::adoption::Adoption;
use crate::session::{self, Finished, Parts, Prepared, Verdict, Wish};
use crate::world::console::Console;
use crate::world::desk;
use crate::world::line_editor::{LineEditor, Word, WordKind};
use crate::world::line_mode::AsItWas;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// What a session without a runbook has in the place of its name.
const NO_RUNBOOK: &str = "repl";

/// Steer a run by hand, or type verbs one by one
#[derive(Debug, clap::Args)]
pub(super) struct Words {
    /// A runbook to step through: a name from `baton list`, or the path of a .rhai file
    runbook: Option<String>,
    /// The site: its inventory, a TOML file
    #[arg(short, long, value_name = "FILE", conflicts_with = "lab")]
    inventory: Option<PathBuf>,
    /// A rehearsal site instead of a real one, and how it behaves
    #[arg(long, value_name = "LAB[:SCENARIO]")]
    lab: Option<String>,
    /// A parameter of the runbook; may be given several times
    #[arg(short, long = "param", value_name = "NAME=VALUE", requires = "runbook")]
    params: Vec<String>,
    /// Go on with a run: `latest`, or the first characters of its identity
    #[arg(long, value_name = "RUN", conflicts_with_all = ["runbook", "inventory", "lab", "params", "speed"])]
    run: Option<String>,
    /// Also write every event to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// How many seconds pass in the lab in a real one
    #[arg(long, value_name = "N", requires = "lab", conflicts_with = "inventory")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: Option<u32>,
}

impl Words {
    /// The runbook and the inventory as they were given.
    pub(super) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbook.iter().cloned().collect(), self.inventory.clone())
    }
}

pub(super) fn run(words: &Words, desk: &Desk) -> Result<u8> {
    let site = Site::here();
    match (&words.run, &words.inventory, &words.lab) {
        (Some(run), _, _) => go_on(words, run, desk),
        (None, Some(inventory), _) => on_site(words, inventory, &site, desk),
        (None, None, Some(lab)) => in_lab(words, &Wanted::parse(lab), &site, desk),
        (None, None, None) => Err(nowhere(desk)),
    }
}

fn nowhere(desk: &Desk) -> Box<Error> {
    let error = Error::new(Kind::Usage, "where shall it act?")
        .hint("on a site: baton repl -i INVENTORY")
        .hint("as a rehearsal on this machine: baton repl --lab genesys");
    let runs = desk.store().and_then(|store| store.runs()).unwrap_or_default();
    if runs.is_empty() { error } else { error.hint("on with a run: baton repl --run latest") }
}

fn go_on(words: &Words, given: &str, desk: &Desk) -> Result<u8> {
    let claimed = claim(given, Aim::Steer, desk)?;
    if let Some(finished) = session::over(&claimed.run, &claimed.history) {
        desk.screen.remark(&format!("run {} is over; nothing was done", claimed.run));
        return carry::tell(desk, &finished);
    }
    steer(words, claimed.take_up(desk)?, Start::Run, desk)
}

fn on_site(words: &Words, inventory: &Path, site: &Site, desk: &Desk) -> Result<u8> {
    let (file, text) = run::inventory_text(inventory)?;
    let prepared = prepare(words, (&file, &text), site)?;
    let params = prepared.program.resolve_params(&given_params(words)?)?;
    let run = run::new_run()?;
    let of_site = lease(desk, &site_name(&prepared.inventory), &run)?;
    run::say_what_differs(site, desk);
    if words.runbook.is_some()
        && let Ok(store) = desk.store()
    {
        holders::tell(&prepared, None, &*store, desk);
    }
    let leases = (lease(desk, &run, &run)?, of_site);
    begin(words, TakenUp::new(run, prepared, Estate::Site, leases), params, desk)
}

fn in_lab(words: &Words, wanted: &Wanted, site: &Site, desk: &Desk) -> Result<u8> {
    template(&wanted.lab, site)?;
    let mut text_of = |shelf, name: &str| site.text(shelf, name);
    let plan = Lab::plan(wanted, words.speed, &desk.state, &mut text_of)?;
    let prepared = prepare(words, (&plan.inventory_file(), plan.inventory()), site)?;
    drop(plan.check(&prepared.inventory)?);
    let declared: Vec<&str> = prepared.program.params().iter().map(|param| param.name.as_str()).collect();
    let mut params = plan.implied_params(&declared);
    params.extend(given_params(words)?);
    let params = prepared.program.resolve_params(&params)?;
    let run = run::new_run()?;
    let of_lab = lease(desk, &lab_name(plan.name()), &run)?;
    run::say_what_differs(site, desk);
    run::tell_of_orphan(plan.former_run(), &*desk.store()?, desk)?;
    let lab = plan.open(&prepared.inventory)?;
    lab.belongs_to(&run)?;
    let leases = (lease(desk, &run, &run)?, of_lab);
    begin(words, TakenUp::new(run, prepared, Estate::Lab(lab), leases), params, desk)
}

fn given_params(words: &Words) -> Result<Fields> {
    run::given_params(&words.params, words.runbook.as_deref().unwrap_or(NO_RUNBOOK))
}

fn prepare(words: &Words, inventory: (&str, &str), site: &Site) -> Result<Prepared> {
    match &words.runbook {
        Some(given) => {
            let check = format!("baton check {given}");
            let named = site.runbook(given)?;
            run::prepare(&named, inventory, site, &check)
        }
        None => {
            // `check` would look at runbooks, which are of no concern here.
            let again = format!("baton repl -i {}", inventory.0);
            run::prepare(&(NO_RUNBOOK.to_owned(), String::new()), inventory, site, &again)
        }
    }
}

fn begin(words: &Words, taken: TakenUp, params: Fields, desk: &Desk) -> Result<u8> {
    let start = Start::Begin { params, estate: taken.estate.name() };
    steer(words, taken, start, desk)
}

fn steer(words: &Words, taken: TakenUp, start: Start, desk: &Desk) -> Result<u8> {
    let has_runbook = !taken.prepared.program.is_empty();
    let finished = open(&taken, words.events.as_deref(), start, desk)?;
    if has_runbook || finished.error.is_some() {
        return carry::tell(desk, &finished);
    }
    desk.screen.remark(&format!("go on with these lines: baton repl --run {}", taken.run));
    Ok(finished.exit_code)
}

/// Steers a run that this command has taken up, until it is over or left. Tells how it stands then.
///
/// # Errors
/// When the line editor cannot be opened, or the run cannot be begun or read.
pub(super) fn open(taken: &TakenUp, events: Option<&Path>, start: Start, desk: &Desk) -> Result<Finished> {
    let (run, prepared, estate) = (taken.run.clone(), taken.prepared.clone(), taken.estate.clone());
    let history = desk.state.join("repl-history");
    // However this ends, the terminal is as it was.
    let _as_it_was = AsItWas::now();
    let editor = Arc::new(LineEditor::open(vocabulary(&prepared), is_incomplete, &history)?);
    let desk = Desk { screen: screen(&desk.screen, &editor), ..desk.clone() };
    let hands = Rc::new(AtDesk {
        views: Views::new(carry::sinks(&desk, &estate, events)?),
        run: run.clone(),
        prepared: prepared.clone(),
        estate,
        editor,
        desk,
    });
    if hands.is_person() {
        hands.say(&greeting(!prepared.program.is_empty()));
    }
    carry_on(prepared, &run, start, hands)
}

fn greeting(has_runbook: bool) -> String {
    let first =
        if has_runbook { "`:next` does the next step" } else { "type verbs, such as `status(service(\"…\"))`" };
    format!("{first}; `:help` lists commands, Tab completes, Ctrl-D leaves\n")
}

/// What is written while a line is typed appears above it.
fn screen(screen: &Screen, editor: &LineEditor) -> Screen {
    if !editor.is_terminal() {
        return screen.clone();
    }
    let mut screen = screen.clone();
    // A last line that is rewritten would fight with the one that is typed.
    screen.out_style.live = false;
    screen.out = screen.out.to(Box::new(editor.printer()), screen.out_style);
    screen
}

/// Everything that can be completed, from what is said about verbs and commands, the runbook and the inventory.
fn vocabulary(prepared: &Prepared) -> Vec<Word> {
    let word = |kind, text: &str, hint: &str, of: &str| Word {
        kind,
        text: text.to_owned(),
        hint: hint.to_owned(),
        of: of.to_owned(),
    };
    let mut words: Vec<Word> = Vec::new();
    for command in COMMANDS {
        words.push(word(WordKind::Command, &format!(":{}", command.name), command.args, ""));
    }
    words.push(word(WordKind::Command, ":help", "[COMMAND|VERB]", ""));
    for verb in doc::docs() {
        let usage = verb.signatures.last().copied().unwrap_or_default();
        words.push(word(WordKind::Verb, verb.name, usage, ""));
        words.extend(verb.option_keys().map(|key| word(WordKind::Key, key, "", verb.name)));
        words.push(word(WordKind::Argument, verb.name, "", ":break"));
        words.push(word(WordKind::Argument, verb.name, "", ":help"));
    }
    let site = &prepared.inventory;
    let named = [
        ("service", site.services.keys().collect::<Vec<_>>()),
        ("host", site.hosts.keys().collect()),
        ("pair", site.pairs.keys().collect()),
    ];
    for (verb, names) in &named {
        words.extend(names.iter().map(|name| word(WordKind::Quoted, name, "", verb)));
    }
    words.extend(prepared.program.params().iter().map(|param| word(WordKind::Quoted, &param.name, "", "param")));
    words.extend(site.hosts.keys().map(|host| word(WordKind::Argument, host, "", ":sh")));
    words.extend(site.hosts.keys().map(|host| word(WordKind::Argument, host, "", ":break")));
    for step in outline::steps(&prepared.program).iter().filter(|step| !step.computed) {
        let commands = [":until", ":break", ":rollback"];
        words.extend(commands.map(|command| word(WordKind::Argument, &step.name, "", command)));
    }
    // What a terminal would obey could not be typed either.
    words.retain(|word| !word.text.chars().chain(word.hint.chars()).any(unsafe_on_a_terminal));
    words
}

/// What a session needs done for it, at this desk.
struct AtDesk {
    desk: Desk,
    run: String,
    /// What it was made of when it was taken up.
    prepared: Prepared,
    estate: Estate,
    editor: Arc<LineEditor>,
    views: Views,
}

impl Hands for AtDesk {
    fn parts(&self, gates: Vec<Rc<dyn Gate>>, watches: Box<dyn Sink>) -> Result<Parts> {
        let world = self.estate.world(&self.prepared.inventory, &self.desk)?;
        let world =
            world.telling_apart(&session::said(&self.prepared.texts), session::log_of(&self.prepared.inventory))?;
        Ok(Parts {
            run: self.run.clone(),
            store: self.desk.store()?,
            world: Box::new(world.steered(Console::Editor(Arc::clone(&self.editor)))),
            sinks: vec![Box::new(self.views.clone()), watches],
            by: self.desk.who(),
            gates,
            steering: None,
        })
    }

    fn store(&self) -> Result<Box<dyn Store>> {
        self.desk.store()
    }

    fn by(&self) -> Who {
        self.desk.who()
    }

    fn say(&self, text: &str) {
        self.desk.screen.out.say(&folded(text, self.width()));
    }

    fn next(&self, command: &str) {
        let Screen { out, out_style, .. } = &self.desk.screen;
        out.say(&format!("{} {command}\n", out_style.paint(Tone::Wait, "next:")));
    }

    fn complain(&self, error: &Error) {
        self.desk.screen.complain(error);
    }

    fn width(&self) -> usize {
        self.desk.screen.out_style.width
    }

    fn is_person(&self) -> bool {
        self.editor.is_terminal()
    }

    fn edit(&self, prepared: &Prepared) -> Result<(Prepared, Adoption)> {
        let path = edit::edit(&prepared.texts)?;
        self.say(&format!("edited: {}\n", path.display()));
        let history = History::from(self.desk.store()?.read(&self.run)?)?;
        let edited = Edited::read(&self.run, &history, &Verdict::Retry, &self.desk)?;
        if site_name(&edited.prepared.inventory) != site_name(&self.prepared.inventory) {
            return Err(Error::new(Kind::Refused, "the edited inventory is of another site; nothing was taken over")
                .hint(format!("leave with :quit, then: baton resume {} --adopt-edited", self.run)));
        }
        Ok((edited.prepared, edited.adoption))
    }

    fn go_back(&self, prepared: &Prepared, way: Way) -> Result<Finished> {
        let parts = self.parts(Vec::new(), Box::new(Unseen))?;
        let wish = Wish::of(way);
        let back = session::way_back(prepared, parts, wish)?;
        rollback::show(&back, &self.run, &self.desk);
        // What it means is only seen now: whoever types the next line of a pipe says so there.
        if rollback::confirmed(&back) {
            return back.go();
        }
        Err(Error::new(Kind::Suspended, "nothing was undone: it was not confirmed")
            .hint(format!("the line behind it must say so: {}", rollback::GO)))
    }

    fn save(&self, file: &str, text: &str) -> Result<()> {
        if desk::write_new(Path::new(file), text)? {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, format!("`{file}` is there already; it was not touched")).hint("name another file"))
    }
}

/// Nobody more who watches.
struct Unseen;

impl Sink for Unseen {
    fn event(&mut self, _: &Event) {}
}

/// Those who watch a run over all its entries: what they have seen once they are not told again.
#[derive(Clone)]
struct Views {
    sinks: Rc<RefCell<Vec<Box<dyn Sink>>>>,
    seen: Rc<Cell<u64>>,
}

impl Views {
    fn new(sinks: Vec<Box<dyn Sink>>) -> Self {
        Self { sinks: Rc::new(RefCell::new(sinks)), seen: Rc::default() }
    }
}

impl Sink for Views {
    fn event(&mut self, event: &Event) {
        if let Event::Recorded { seq, record, replayed } = event {
            let known = *seq <= self.seen.get();
            self.seen.set(self.seen.get().max(*seq));
            // Going in and out of a run by hand is no news to whoever does it.
            if known || (matches!(record, Record::Opened { .. }) && !replayed) {
                return;
            }
        }
        let mut sinks = self.sinks.borrow_mut();
        // Who types sees the line already: the screen, which comes first, need not show it again.
        let typed = matches!(event, Event::Recorded { record: Record::Typed { .. }, .. });
        sinks.iter_mut().skip(usize::from(typed)).for_each(|sink| sink.event(event));
    }
}
