//! The host of a product's model: a Rhai script that says what each verb does to the product, what it logs and when.
//! The same host animates the simulated world and the lab. It knows no jobs, no hosts' faults and no real clock.

use crate::convert::{to_dynamic, to_map, to_value};
use crate::engine::{Limits, expect_bare_closures, sandbox};
use crate::error::{Error, Kind, Place, Result};
use crate::model::run::effect::{Ask, Form};
use crate::model::run::instant::Wall;
use crate::model::site::inventory::Inventory;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::platform::folders::Folders;
use crate::sim::choices::{Choices, OpenChoice};
use crate::sim::fault::Fault;
use crate::sim::invariant::{MustHold, Watchwords};
use crate::sim::ledger::{Ledger, LedgerEntry};
pub use crate::sim::model_natives::Out;
use crate::sim::model_natives::{ModelStage, StageHandle, natives};
use crate::sim::random::Random;
use crate::sim::state_hash::StateHash;
use regex::Regex;
use rhai::{
    AST, ASTNode, Array, CallFnOptions, Dynamic, Engine, EvalAltResult, FnPtr, FuncArgs, Map, Module, Scope, Shared,
    Stmt,
};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a model must define, with the number of parameters.
const FUNCTIONS: [(&str, usize); 6] =
    [("init", 2), ("verb", 3), ("probe", 3), ("due", 2), ("answer", 4), ("summary", 0)];

/// What a model may define as well: `commands()` names the programs whose call by a script it answers, for services in
/// `verb` as the verb `run`, for hosts in `command(host, argv)`.
const COMMANDS: (&str, usize) = ("commands", 0);
const COMMAND: (&str, usize) = ("command", 2);

/// What a model may define for whoever explores it: `faults(service)` lists in words what can befall a service now by
/// itself, `suffer(service, fault)` has it happen, `host_restarts(host)` says what that does to what runs there.
const FAULTS: (&str, usize) = ("faults", 1);
const SUFFER: (&str, usize) = ("suffer", 2);
const HOST_RESTARTS: (&str, usize) = ("host_restarts", 1);

/// What comes of an answer, whoever gave it: `answered(gate, form, text, word)`. A model may define it.
const ANSWERED: (&str, usize) = ("answered", 4);

/// How many events may fall due at one instant before the model is taken to be going round in a circle.
const EVENTS_AT_ONCE_MAX: u32 = 10_000;

/// A model's script, compiled once and shared by any number of simulations.
#[derive(Debug)]
pub struct ModelProgram {
    engine: Engine,
    ast: AST,
    name: String,
    file: String,
    /// The line on which each function begins, as far as can be seen.
    lines: BTreeMap<String, u32>,
    /// What the sentences look like that it can judge, each compiled when it is first needed: most need none.
    patterns: RefCell<BTreeMap<String, Regex>>,
}

impl ModelProgram {
    /// Compiles a model. Its name is the file's, without folder and `.rhai`.
    ///
    /// # Errors
    /// `Script` when it does not parse or lacks a function that every model must define.
    pub fn compile(source: &str, file: &str, package: Shared<Module>) -> Result<Rc<Self>> {
        let mut engine = sandbox(Limits::MODEL, package);
        engine.register_global_module(natives());
        let mut ast = engine.compile(source).map_err(|wrong| {
            let error = Error::new(Kind::Script, format!("the model `{file}` cannot be read: {}", wrong.err_type()));
            match place(file, wrong.position()) {
                Some(place) => error.at(place),
                None => error,
            }
        })?;
        ast.set_source(file);
        if !closures_hold(source, &ast) {
            expect_bare_closures(&mut engine);
        }
        let lines = functions(source);
        if let Some((name, arity)) = FUNCTIONS.iter().find(|wanted| !defines(&ast, **wanted)) {
            let message = format!("the model `{file}` lacks the function `{name}` with {arity} parameters");
            let line = lines.get(*name).copied().unwrap_or(1);
            return Err(Error::new(Kind::Script, message).at(Place { file: file.to_owned(), line, column: 1 }));
        }
        let stem = file.rsplit('/').next().unwrap_or(file);
        let name = stem.strip_suffix(".rhai").unwrap_or(stem).to_owned();
        let patterns = RefCell::default();
        Ok(Rc::new(Self { engine, ast, name, file: file.to_owned(), lines, patterns }))
    }

    /// The name profiles call it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pattern of a claim.
    fn pattern(&self, text: &str) -> Result<Regex> {
        if let Some(known) = self.patterns.borrow().get(text) {
            return Ok(known.clone());
        }
        let wrong = |wrong| self.wrong_answer("init", format!("`claim`: this is no pattern: {wrong}"));
        let pattern = Regex::new(text).map_err(wrong)?;
        self.patterns.borrow_mut().insert(text.to_owned(), pattern.clone());
        Ok(pattern)
    }

    fn wrong_answer(&self, function: &str, what: impl std::fmt::Display) -> Box<Error> {
        let message = format!("the model `{}` gave a wrong answer from `{function}`: {what}", self.file);
        let error = Error::new(Kind::Script, message);
        match self.lines.get(function) {
            Some(line) => error.at(Place { file: self.file.clone(), line: *line, column: 1 }),
            None => error,
        }
    }

    fn failed(&self, function: &str, failure: Box<EvalAltResult>) -> Box<Error> {
        let mut innermost = failure;
        let mut trace = Vec::new();
        while let EvalAltResult::ErrorInFunctionCall(name, _, inner, _) = *innermost {
            trace.insert(0, name);
            innermost = inner;
        }
        let position = innermost.take_position();
        let message = format!("the model `{}` failed in `{function}`: {innermost}", self.file);
        let mut error = Error::new(Kind::Script, message);
        error.trace = trace;
        // What runs too long has no place of its own.
        let called = || self.lines.get(function).map(|line| Place { file: self.file.clone(), line: *line, column: 1 });
        error.place = place(&self.file, position).or_else(called);
        error
    }
}

/// What a verb came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerbReply {
    /// The command's exit code.
    pub exit: i32,
    /// What it prints.
    pub output: String,
    /// How long the command takes.
    pub takes: Span,
}

impl VerbReply {
    /// It did what it was to do.
    pub(super) fn succeeding(takes: Span) -> Self {
        Self { exit: 0, output: String::new(), takes }
    }

    /// It did not.
    pub(super) fn failing(takes: Span, why: &str) -> Self {
        Self { exit: 1, output: why.to_owned(), takes }
    }
}

/// What the rehearsal's operator answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorReply {
    /// The word.
    pub word: String,
    /// What they add.
    pub note: String,
    /// How long they take.
    pub after: Span,
}

/// One simulated product: a program and the state it has come to.
pub struct ModelHost {
    program: Rc<ModelProgram>,
    /// The model's own state map, its `this`. Forks share it until one of them is called.
    state: Rc<Dynamic>,
    stage: Rc<RefCell<ModelStage>>,
    /// The stage as the engine's tag, made once.
    tag: Dynamic,
    /// The programs whose call by a script it answers.
    commands: Vec<String>,
    /// What must hold is looked at after whatever happens.
    watched: bool,
    /// How it stands, until something happens.
    hash: Cell<Option<(u64, Option<Wall>)>>,
}

impl ModelHost {
    /// Sets the stage for the services of `site` whose profile names this model, in the situation `scenario`.
    ///
    /// # Errors
    /// `Script` when the model's `init` fails.
    pub fn new(
        program: Rc<ModelProgram>,
        site: &Inventory,
        scenario: &str,
        seed: u64,
        now: Wall,
        folders: Box<dyn Folders>,
    ) -> Result<Self> {
        let mine = site.services.iter().filter(|(_, service)| service.profile.model == program.name);
        let hosts: BTreeMap<String, String> = mine.map(|(name, s)| (name.clone(), s.host.clone())).collect();
        let site_map = site_map(site, &hosts);
        let stage = Rc::new(RefCell::new(ModelStage {
            now,
            due: BTreeMap::new(),
            asked: 0,
            random: Random::new(seed),
            hosts: Rc::new(hosts),
            outbox: Vec::new(),
            ledger: Ledger::default(),
            folders,
            choices: Choices::default(),
            watchwords: Watchwords::default(),
        }));
        let tag = Dynamic::from(StageHandle(Rc::clone(&stage)));
        let (commands, watched, hash) = (Vec::new(), false, Cell::default());
        let mut host = Self { program, state: Rc::new(Dynamic::UNIT), stage, tag, commands, watched, hash };
        let state = host.call("init", (site_map, scenario.to_owned()))?;
        if !state.is_map() {
            return Err(host.program.wrong_answer("init", "a model's state is a map"));
        }
        host.state = Rc::new(state);
        host.commands = host.read_commands()?;
        Ok(host)
    }

    /// The same product once more, in the state it has come to, with folders of its own: what happens to one from now
    /// on does not happen to the other.
    #[must_use]
    pub(super) fn fork(&self, folders: Box<dyn Folders>) -> Self {
        let stage = Rc::new(RefCell::new(self.stage.borrow().fork(folders)));
        let tag = Dynamic::from(StageHandle(Rc::clone(&stage)));
        let (program, state, commands) = (Rc::clone(&self.program), Rc::clone(&self.state), self.commands.clone());
        Self { program, state, stage, tag, commands, watched: self.watched, hash: self.hash.clone() }
    }

    /// From now on what must hold is looked at after whatever happens, and these decisions of what the model leaves
    /// open are taken.
    pub(super) fn watch(&mut self, decisions: &[Fault]) {
        self.watched = true;
        self.stage.borrow_mut().choices.decide(decisions);
    }

    /// Whether anything has happened since its state was last hashed.
    #[must_use]
    pub(super) fn has_acted(&self) -> bool {
        self.hash.get().is_none()
    }

    /// What it has left open since this was last asked.
    pub(super) fn take_open(&self) -> Vec<OpenChoice> {
        self.stage.borrow_mut().choices.take_met()
    }

    /// The name profiles call the model by.
    #[must_use]
    pub fn name(&self) -> &str {
        self.program.name()
    }

    /// The file of the model, for people.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.program.file
    }

    /// Whether the model plays this service.
    #[must_use]
    pub fn plays(&self, service: &str) -> bool {
        self.stage.borrow().hosts.contains_key(service)
    }

    /// Whether the model says that it answers scripts that call this program: of a service, or else of a host.
    #[must_use]
    pub fn answers_command(&self, program: &str, of_service: bool) -> bool {
        let known = self.commands.iter().any(|one| program.rsplit('/').next() == Some(one));
        known && (of_service || defines(&self.program.ast, COMMAND))
    }

    /// Does a command to a host now. Nothing when the model returns `()` or has no such function.
    ///
    /// # Errors
    /// `Script` when the model fails.
    pub fn command(&mut self, host: &str, argv: &Value) -> Result<Option<VerbReply>> {
        if !defines(&self.program.ast, COMMAND) {
            return Ok(None);
        }
        let reply = self.act("command", (host.to_owned(), to_dynamic(argv)))?;
        self.verb_reply("command", reply)
    }

    /// Does a verb to a service now. Nothing when the model returns `()`: it does not know the verb.
    ///
    /// # Errors
    /// `Script` when the model fails.
    pub fn verb(&mut self, service: &str, verb: &str, args: &Fields) -> Result<Option<VerbReply>> {
        {
            let mut stage = self.stage.borrow_mut();
            let at = stage.now;
            let deed = LedgerEntry { at, service: service.to_owned(), verb: verb.to_owned(), args: args.clone() };
            stage.ledger.effects.push(deed);
        }
        let reply = self.act("verb", (service.to_owned(), verb.to_owned(), to_map(args)))?;
        self.verb_reply("verb", reply)
    }

    /// Reads something of a service: exit code and output. Nothing when the model returns `()`.
    ///
    /// # Errors
    /// `Script` when the model fails.
    pub fn probe(&mut self, service: &str, what: &str, args: &Fields) -> Result<Option<(i32, String)>> {
        let reply = self.call("probe", (service.to_owned(), what.to_owned(), to_map(args)))?;
        let Some(mut fields) = self.reply_fields("probe", reply, &["exit", "output"])? else { return Ok(None) };
        Ok(Some((self.exit("probe", &fields)?, text(&mut fields, "output"))))
    }

    /// What the rehearsal's operator says. Nothing when the model returns `()`: it is none of its business.
    ///
    /// # Errors
    /// `Script` when the model fails, or answers with a word that is not one of the form's.
    pub fn answer(&mut self, ask: &Ask) -> Result<Option<OperatorReply>> {
        let (form, options) = match &ask.form {
            Form::Confirm => ("confirm", Array::new()),
            Form::Manual => ("manual", Array::new()),
            Form::Choose(options) => ("choose", options.iter().map(|option| Dynamic::from(option.clone())).collect()),
            Form::Write(kind) => ("ask", Array::from([Dynamic::from(kind.example())])),
        };
        let reply = self.act("answer", (ask.gate.clone(), form.to_owned(), ask.text.clone(), options))?;
        let Some(mut fields) = self.reply_fields("answer", reply, &["word", "note", "after"])? else { return Ok(None) };
        let word = text(&mut fields, "word");
        if ask.form.word(&word).as_ref() != Some(&word) {
            return Err(self.program.wrong_answer("answer", format!("`{word}` does not answer a {form}")));
        }
        let after = self.span("answer", &fields, "after")?;
        Ok(Some(OperatorReply { word, note: text(&mut fields, "note"), after }))
    }

    /// What comes of an answer, whoever gave it.
    ///
    /// # Errors
    /// `Script` when the model fails.
    pub fn was_answered(&mut self, ask: &Ask, word: &str) -> Result<()> {
        if defines(&self.program.ast, ANSWERED) {
            let args = (ask.gate.clone(), form_name(&ask.form).to_owned(), ask.text.clone(), word.to_owned());
            let _nothing = self.act("answered", args)?;
        }
        Ok(())
    }

    /// Lets time pass up to `until`: what falls due happens, in the order of time and
    /// then of asking. Time never goes back.
    ///
    /// # Errors
    /// `Script` when the model fails or goes round in a circle.
    pub fn advance_to(&mut self, until: Wall) -> Result<()> {
        let mut at_once = 0;
        loop {
            let (name, data) = {
                let mut stage = self.stage.borrow_mut();
                let next = stage.due.first_entry().filter(|entry| entry.key().0 <= until);
                let Some(entry) = next else {
                    stage.now = stage.now.max(until);
                    return Ok(());
                };
                let ((at, _), event) = entry.remove_entry();
                at_once = if at > stage.now { 1 } else { at_once + 1 };
                stage.now = stage.now.max(at);
                event
            };
            if at_once > EVENTS_AT_ONCE_MAX {
                return Err(self.program.wrong_answer("due", format!("`{name}` asks for itself without end")));
            }
            let _answer = self.act("due", (name, data))?;
        }
    }

    /// What can befall a service now by itself, in words. Nothing where the model has no `faults`.
    ///
    /// # Errors
    /// `Script` when the model fails, or gives what is no list of words.
    pub(super) fn faults(&mut self, service: &str) -> Result<Vec<String>> {
        if !defines(&self.program.ast, FAULTS) {
            return Ok(Vec::new());
        }
        let said = self.call("faults", (service.to_owned(),))?;
        let words = said.into_typed_array::<rhai::ImmutableString>();
        words
            .map(|words| words.iter().map(ToString::to_string).collect())
            .map_err(|_| self.program.wrong_answer("faults", "it must be a list of words"))
    }

    /// Something befalls a service by itself.
    ///
    /// # Errors
    /// `Script` when the model fails.
    pub(super) fn suffer(&mut self, service: &str, fault: &str) -> Result<()> {
        if defines(&self.program.ast, SUFFER) {
            let _answer = self.act("suffer", (service.to_owned(), fault.to_owned()))?;
        }
        Ok(())
    }

    /// A host restarts, with whatever runs on it.
    ///
    /// # Errors
    /// `Script` when the model fails.
    pub(super) fn host_restarts(&mut self, host: &str) -> Result<()> {
        if defines(&self.program.ast, HOST_RESTARTS) {
            let _answer = self.act("host_restarts", (host.to_owned(),))?;
        }
        Ok(())
    }

    /// Looks at what must hold now; what does not goes into the ledger, once until it holds again.
    ///
    /// # Errors
    /// `Script` when one of them cannot be evaluated: that is no answer either way.
    pub(super) fn look_over(&mut self, when: MustHold) -> Result<()> {
        let count = self.stage.borrow().watchwords.invariants.len();
        for index in 0..count {
            let invariant = self.stage.borrow().watchwords.invariants.get(index).cloned();
            let Some(invariant) = invariant.filter(|invariant| invariant.when == when) else { continue };
            let holds = self.ask(&invariant.body, Vec::new(), "invariant", &invariant.id)?;
            let mut stage = self.stage.borrow_mut();
            let now = stage.now;
            let ModelStage { watchwords, ledger, .. } = &mut *stage;
            let Some(known) = watchwords.invariants.get_mut(index) else { continue };
            if holds {
                known.broken = None;
            } else if known.broken.replace(now).is_none() {
                ledger.violations.push((now, format!("{}: {}", known.id, known.text)));
            }
        }
        Ok(())
    }

    /// The parts of a text that claim something which is not so now.
    ///
    /// # Errors
    /// `Script` when a claim cannot be judged.
    pub(super) fn false_claims(&mut self, text: &str) -> Result<Vec<String>> {
        let claims = self.stage.borrow().watchwords.claims.clone();
        let mut wrong = Vec::new();
        for claim in claims {
            for found in self.program.pattern(&claim.pattern)?.captures_iter(text) {
                let groups = found.iter().skip(1);
                let args = groups.map(|group| group.map_or_else(String::new, |group| group.as_str().to_owned()).into());
                if !self.ask(&claim.body, args.collect(), "claim", &claim.pattern)? {
                    wrong.push(found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()));
                }
            }
        }
        Ok(wrong)
    }

    /// Adds how the product stands, and what is to come of it.
    pub(super) fn hash(&self, hash: &mut StateHash) {
        let (number, timed) = self.hash.get().unwrap_or_else(|| self.state_hash());
        self.hash.set(Some((number, timed)));
        hash.add(number);
        if let Some(at) = timed {
            hash.time(at);
        }
    }

    fn state_hash(&self) -> (u64, Option<Wall>) {
        let stage = self.stage.borrow();
        let mut hash = StateHash::new(stage.now);
        hash.value(&self.state);
        hash.add(&stage.random);
        for interval in &stage.ledger.intervals {
            hash.add((&interval.kind, &interval.who, interval.to.is_some()));
        }
        hash.number()
    }

    /// Adds what is to come, and how far it lies ahead.
    pub(super) fn hash_due(&self, hash: &mut StateHash) {
        for ((at, _), (name, data)) in &self.stage.borrow().due {
            hash.time(*at);
            hash.add(name.as_str());
            hash.value(data);
        }
    }

    /// The names of what is to come next, at `at`.
    pub(super) fn due_at(&self, at: Wall) -> Vec<String> {
        let stage = self.stage.borrow();
        stage.due.iter().take_while(|((due, _), _)| *due <= at).map(|(_, (name, _))| name.to_string()).collect()
    }

    /// When the next event falls due.
    #[must_use]
    pub fn next_due(&self) -> Option<Wall> {
        self.stage.borrow().due.first_key_value().map(|((at, _), _)| *at)
    }

    /// What the model did that shows outside it, since this was last asked.
    #[must_use]
    pub fn take_outbox(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.stage.borrow_mut().outbox)
    }

    /// The truth about what happened so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.stage.borrow().ledger.clone()
    }

    /// The state that tests compare.
    ///
    /// # Errors
    /// `Script` when the model fails, or gives what is not plain data.
    pub fn summary(&mut self) -> Result<Value> {
        let summary = self.call("summary", ())?;
        to_value(&summary).map_err(|wrong| self.program.wrong_answer("summary", wrong))
    }

    /// A call by which something happens.
    fn act(&mut self, function: &str, args: impl FuncArgs) -> Result<Dynamic> {
        self.hash.set(None);
        let answer = self.call(function, args)?;
        if self.watched {
            self.look_over(MustHold::Always)?;
        }
        Ok(answer)
    }

    /// Asks a closure of the model, `name` of which is a yes or no.
    fn ask(&mut self, body: &FnPtr, args: Vec<Dynamic>, what: &str, name: &str) -> Result<bool> {
        let all: Vec<Dynamic> = body.curry().iter().cloned().chain(args).collect();
        let said = self.call(body.fn_name(), all).map_err(|mut error| {
            error.message = format!("{what} `{name}`: {}", error.message);
            error
        })?;
        said.as_bool().map_err(|_| self.program.wrong_answer(&format!("{what} `{name}`"), "it must be true or false"))
    }

    fn call(&mut self, function: &str, args: impl FuncArgs) -> Result<Dynamic> {
        let mut options = CallFnOptions::new().bind_this_ptr(Rc::make_mut(&mut self.state));
        options.tag = Some(self.tag.clone());
        let (engine, ast) = (&self.program.engine, &self.program.ast);
        engine
            .call_fn_with_options(options, &mut Scope::new(), ast, function, args)
            .map_err(|failure| self.program.failed(function, failure))
    }

    fn read_commands(&mut self) -> Result<Vec<String>> {
        if !defines(&self.program.ast, COMMANDS) {
            return Ok(Vec::new());
        }
        let said = self.call("commands", ())?;
        let words = said.into_typed_array::<rhai::ImmutableString>();
        words
            .map(|words| words.iter().map(ToString::to_string).collect())
            .map_err(|_| self.program.wrong_answer("commands", "it must be a list of the names of programs"))
    }

    fn verb_reply(&self, function: &str, reply: Dynamic) -> Result<Option<VerbReply>> {
        let fields = self.reply_fields(function, reply, &["exit", "output", "takes"])?;
        let Some(mut fields) = fields else { return Ok(None) };
        let (exit, takes) = (self.exit(function, &fields)?, self.span(function, &fields, "takes")?);
        Ok(Some(VerbReply { exit, output: text(&mut fields, "output"), takes }))
    }

    /// The exit code; one that is missing is 0.
    fn exit(&self, function: &str, fields: &Map) -> Result<i32> {
        let code = fields.get("exit").map_or(Ok(0), Dynamic::as_int);
        code.ok()
            .and_then(|code| i32::try_from(code).ok())
            .ok_or_else(|| self.program.wrong_answer(function, "`exit` must be an exit code, a whole number"))
    }

    /// What is missing is no time.
    fn span(&self, function: &str, fields: &Map, key: &str) -> Result<Span> {
        let span = fields.get(key).map_or(Ok(0), Dynamic::as_int);
        span.ok()
            .and_then(|span| u64::try_from(span).ok().map(Span))
            .ok_or_else(|| self.program.wrong_answer(function, format!("`{key}` must be a number of milliseconds")))
    }

    fn reply_fields(&self, function: &str, reply: Dynamic, known: &[&str]) -> Result<Option<Map>> {
        if reply.is_unit() {
            return Ok(None);
        }
        let fields = reply.try_cast::<Map>().ok_or_else(|| self.program.wrong_answer(function, "it must be a map"))?;
        match fields.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(self.program.wrong_answer(function, format!("`{key}` is none of {}", known.join(", ")))),
            None => Ok(Some(fields)),
        }
    }
}

fn form_name(form: &Form) -> &'static str {
    match form {
        Form::Confirm => "confirm",
        Form::Manual => "manual",
        Form::Choose(_) => "choose",
        Form::Write(_) => "ask",
    }
}

/// The site as `init` sees it: the model's own services and pairs.
fn site_map(site: &Inventory, hosts: &BTreeMap<String, String>) -> Map {
    let services = hosts.keys().filter_map(|name| {
        let service = site.services.get(name)?;
        let mut map: Map =
            service.vars.iter().map(|(key, value)| (key.as_str().into(), value.clone().into())).collect();
        map.insert("name".into(), service.name.clone().into());
        map.insert("host".into(), service.host.clone().into());
        map.insert("product".into(), service.profile.product.clone().into());
        Some((name.as_str().into(), Dynamic::from_map(map)))
    });
    let pairs = site.pairs.values().filter(|pair| hosts.contains_key(&pair.primary)).map(|pair| {
        let mut map: Map =
            pair.related.iter().map(|(word, name)| (word.as_str().into(), name.clone().into())).collect();
        map.insert("primary".into(), pair.primary.clone().into());
        map.insert("backup".into(), pair.backup.clone().into());
        (pair.name.as_str().into(), Dynamic::from_map(map))
    });
    let services = Dynamic::from_map(services.collect());
    let pairs = Dynamic::from_map(pairs.collect());
    Map::from([("services".into(), services), ("pairs".into(), pairs)])
}

fn text(fields: &mut Map, key: &str) -> String {
    fields.remove(key).map(|value| value.to_string()).unwrap_or_default()
}

fn defines(ast: &AST, (name, arity): (&str, usize)) -> bool {
    ast.iter_functions().any(|function| function.name == name && function.params.len() == arity)
}

/// Whether closures of a script may hold anything: what they have captured, or what was curried. In doubt they may.
fn closures_hold(source: &str, ast: &AST) -> bool {
    let mut captures = false;
    ast.walk(&mut |path| {
        captures |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::Share(_))));
        !captures
    });
    captures || source.contains("curry")
}

/// The line on which each function of a script begins, for mistakes that have no place of their own.
fn functions(source: &str) -> BTreeMap<String, u32> {
    let named = |line: &str| {
        let name = line.trim_start().strip_prefix("fn ")?.trim_start().split('(').next()?;
        Some(name.trim_end().to_owned())
    };
    (1..).zip(source.lines()).filter_map(|(number, line)| Some((named(line)?, number))).collect()
}

fn place(file: &str, position: rhai::Position) -> Option<Place> {
    let line = u32::try_from(position.line()?).ok()?;
    let column = u32::try_from(position.position().unwrap_or(1)).ok()?;
    Some(Place { file: file.to_owned(), line, column })
}
