//! A run steered by hand at this terminal: opens the line editor, and does for the session what only the command line
//! can: streams, files, other operations. What a typed line means is for the session to say.

use super::acquire::AcquiredRun;
use super::adopt::Edited;
use super::estate::{Estate, site_name};
use super::{edit, go_back, present};
use crate::cli::context::Context;
use crate::cli::screen::Screen;
use crate::dispatch::Gate;
use crate::error::{Error, Kind, Result};
use crate::journal::Store;
use crate::journal::history::History;
use crate::model::run::event::{Event, Sink};
use crate::model::run::record::{Fact, RollbackScope, Who};
use crate::model::text::unsafe_on_a_terminal;
use crate::platform::desk;
use crate::repl::command::COMMANDS;
use crate::repl::{ReplHost, Start, carry_on};
use crate::report::layout::folded;
use crate::report::style::Tone;
use crate::script::analysis::outline;
use crate::script::evaluate::repl::is_incomplete;
use crate::script::primitives;
use crate::session::adoption::Adoption;
use crate::session::{self, Finished, OperatorRuling, Prepared, RollbackRequest, RunParts};
use crate::world::operator::console::Console;
use crate::world::operator::line_editor::{EditorWord, LineEditor, WordKind};
use crate::world::operator::line_mode::AsItWas;
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Steers a run that this command has taken up, until it is over or left. Tells how it stands then.
///
/// # Errors
/// When the line editor cannot be opened, or the run cannot be begun or read.
pub(in crate::cli) fn open(
    taken: &AcquiredRun,
    events: Option<&Path>,
    start: Start,
    context: &Context,
) -> Result<Finished> {
    let (run, prepared, estate) = (taken.run.clone(), taken.prepared.clone(), taken.estate.clone());
    let history = context.state.join("repl-history");
    // However this ends, the terminal is as it was.
    let _as_it_was = AsItWas::now();
    let editor = Arc::new(LineEditor::open(vocabulary(&prepared), is_incomplete, &history)?);
    let context = Context { screen: screen(&context.screen, &editor), ..context.clone() };
    let host = Rc::new(AtDesk {
        views: Views::new(present::sinks(&context, &estate, events)?),
        run: run.clone(),
        prepared: prepared.clone(),
        estate,
        editor,
        context,
    });
    if host.is_person() {
        host.say(&greeting(!prepared.program.is_empty()));
    }
    carry_on(prepared, &run, start, host)
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
fn vocabulary(prepared: &Prepared) -> Vec<EditorWord> {
    let word = |kind, text: &str, hint: &str, of: &str| EditorWord {
        kind,
        text: text.to_owned(),
        hint: hint.to_owned(),
        of: of.to_owned(),
    };
    let mut words: Vec<EditorWord> = Vec::new();
    for command in COMMANDS {
        words.push(word(WordKind::Command, &format!(":{}", command.name), command.args, ""));
    }
    words.push(word(WordKind::Command, ":help", "[COMMAND|VERB]", ""));
    for verb in primitives::docs() {
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
    context: Context,
    run: String,
    /// What it was made of when it was taken up.
    prepared: Prepared,
    estate: Estate,
    editor: Arc<LineEditor>,
    views: Views,
}

impl ReplHost for AtDesk {
    fn parts(&self, gates: Vec<Rc<dyn Gate>>, watches: Box<dyn Sink>) -> Result<RunParts> {
        let world = self.estate.world(&self.prepared.inventory, &self.context)?;
        let world =
            world.telling_apart(&session::said(&self.prepared.texts), session::log_of(&self.prepared.inventory))?;
        Ok(RunParts {
            run: self.run.clone(),
            store: self.context.store()?,
            world: Box::new(world.steered(Console::Editor(Arc::clone(&self.editor)))),
            sinks: vec![Box::new(self.views.clone()), watches],
            by: self.context.who(),
            gates,
            steering: None,
        })
    }

    fn store(&self) -> Result<Box<dyn Store>> {
        self.context.store()
    }

    fn by(&self) -> Who {
        self.context.who()
    }

    fn say(&self, text: &str) {
        self.context.screen.out.say(&folded(text, self.width()));
    }

    fn next(&self, command: &str) {
        let Screen { out, out_style, .. } = &self.context.screen;
        out.say(&format!("{} {command}\n", out_style.paint(Tone::Wait, "next:")));
    }

    fn complain(&self, error: &Error) {
        self.context.screen.complain(error);
    }

    fn width(&self) -> usize {
        self.context.screen.out_style.width
    }

    fn is_person(&self) -> bool {
        self.editor.is_terminal()
    }

    fn edit(&self, prepared: &Prepared) -> Result<(Prepared, Adoption)> {
        let path = edit::edit(&prepared.texts)?;
        self.say(&format!("edited: {}\n", path.display()));
        let history = History::read(&*self.context.store()?, &self.run)?;
        let edited = Edited::read(&self.run, &history, &OperatorRuling::Retry, &self.context)?;
        if site_name(&edited.prepared.inventory) != site_name(&self.prepared.inventory) {
            return Err(Error::new(Kind::Refused, "the edited inventory is of another site; nothing was taken over")
                .hint(format!("leave with :quit, then: baton resume {} --adopt-edited", self.run)));
        }
        Ok((edited.prepared, edited.adoption))
    }

    fn go_back(&self, prepared: &Prepared, way: RollbackScope) -> Result<Finished> {
        let parts = self.parts(Vec::new(), Box::new(Unseen))?;
        let wish = RollbackRequest::of(way);
        let back = session::way_back(prepared, parts, wish)?;
        go_back::show(&back, &self.run, &self.context);
        // What it means is only seen now: whoever types the next line of a pipe says so there.
        if go_back::confirmed(&back) {
            return back.go();
        }
        Err(Error::new(Kind::Suspended, "nothing was undone: it was not confirmed")
            .hint(format!("the line behind it must say so: {}", go_back::GO)))
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
            if known || (matches!(record.fact, Fact::Opened) && !replayed) {
                return;
            }
        }
        let mut sinks = self.sinks.borrow_mut();
        // Who types sees the line already: the screen, which comes first, need not show it again.
        let typed = matches!(event, Event::Recorded { record, .. } if matches!(record.fact, Fact::Typed { .. }));
        sinks.iter_mut().skip(usize::from(typed)).for_each(|sink| sink.event(event));
    }
}
