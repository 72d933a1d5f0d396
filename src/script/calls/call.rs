//! One call of a primitive: its arguments, its place, and the way to the door. Wrong arguments are bugs of the script,
//! which no `try` may hide. It must not know any particular primitive.

use crate::convert;
use crate::dispatch::Halted;
use crate::error::{Error, Kind, Place};
use crate::model::run::effect::{Action, Effect, Failure, LookReading, Outcome};
use crate::model::run::mark::Mark;
use crate::model::run::record::EffectId;
use crate::model::site::inventory::{Host, Pair, Service};
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::script::calls::calling;
use crate::script::calls::closure::Closure;
use crate::script::calls::context::{Fallible, ScriptTrack, terminated};
use crate::script::calls::doc::VerbDoc;
use crate::script::calls::failure::RaisedAt;
use crate::script::calls::failure::{self, Bug};
use crate::script::compile::diagnostic;
use crate::script::values::handles::{Handle, HostHandle, Listed, PairHandle, SecretHandle, ServiceHandle};
use crate::script::values::sort::Sort;
use crate::script::values::unwritten::Unwritten;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext, Position};
use std::cell::Cell;
use std::rc::Rc;

/// One call of a primitive.
pub(crate) struct Call<'a> {
    /// Rhai's view of it.
    pub(crate) context: &'a NativeCallContext<'a>,
    /// What is said about the primitive.
    pub(crate) doc: &'static VerbDoc,
    /// The track it belongs to; none while modules are loaded.
    track: Option<Rc<ScriptTrack>>,
    args: Vec<Dynamic>,
    /// In a trial: something was read that only the run will tell.
    unwritten: Cell<bool>,
}

/// What came of an effect that did not fail.
pub(crate) struct Done {
    /// What the script gets.
    pub(crate) value: Value,
    /// Where the log stands now.
    pub(crate) mark: Option<Mark>,
}

impl<'a> Call<'a> {
    /// A call with these arguments. Refused when the run is over.
    pub(crate) fn begin(
        context: &'a NativeCallContext<'a>,
        doc: &'static VerbDoc,
        args: Vec<Dynamic>,
    ) -> Fallible<Self> {
        let track = ScriptTrack::of(context);
        if track.as_ref().is_some_and(|track| track.is_over()) {
            return Err(terminated(context.call_position()));
        }
        let args = args.into_iter().map(Dynamic::flatten).collect();
        let call = Self { context, doc, track, args, unwritten: Cell::default() };
        if call.track.as_ref().is_some_and(|track| track.only_reads) && !doc.only_reads() {
            return Err(call.more_than_read());
        }
        let misused = |(at, arg): (usize, &Dynamic)| call.misuses_secret(arg, at + 1 == call.len());
        if call.args.iter().enumerate().any(misused) { Err(call.secret_misused()) } else { Ok(call) }
    }

    /// Whether an argument holds a secret elsewhere than as `stdin` of the options.
    fn misuses_secret(&self, arg: &Dynamic, last: bool) -> bool {
        match arg.read_lock::<Map>() {
            Some(options) if last && self.doc.option_keys().any(|key| key == STDIN) => options
                .iter()
                .any(|(key, value)| (key != STDIN || !value.is::<SecretHandle>()) && holds_secret(value, 0)),
            Some(_) | None => holds_secret(arg, 0),
        }
    }

    /// An invariant wants to do more than read.
    fn more_than_read(&self) -> Box<EvalAltResult> {
        self.bug(format!("`{}` in an invariant: an invariant only reads", self.doc.name))
    }

    /// The script did something with a secret that cannot be done with one.
    pub(crate) fn secret_misused(&self) -> Box<EvalAltResult> {
        self.bug_with(
            Error::new(Kind::Script, "a secret cannot be printed, compared, joined to a text or kept")
                .hint("hand it to the command that reads it: `run(host, command, #{ stdin: secret(\"name\") })`"),
        )
    }

    /// The track that calls.
    pub(crate) fn track(&self) -> Fallible<&Rc<ScriptTrack>> {
        self.track.as_ref().ok_or_else(|| {
            let name = self.doc.name;
            self.bug(format!("`{name}` cannot be called while a module is loaded; call it inside a function"))
        })
    }

    /// Where the call stands in its file.
    pub(crate) fn position(&self) -> Position {
        self.context.call_position()
    }

    /// Where the call stands, for people.
    pub(crate) fn place(&self) -> Option<Place> {
        let source = self.context.call_source().unwrap_or_default();
        let program = self.track.as_ref().map(|track| &track.run.program);
        let file = program.map_or(source, |program| program.file_of_call(source, self.doc.name, self.position()));
        diagnostic::place(file, self.position())
    }

    /// The script is wrong here: the whole run ends with this message.
    pub(crate) fn bug(&self, message: impl Into<String>) -> Box<EvalAltResult> {
        self.bug_with(Error::new(Kind::Script, message))
    }

    /// The same with an error that is more than a message.
    pub(crate) fn bug_with(&self, error: Box<Error>) -> Box<EvalAltResult> {
        if self.unwritten.get() {
            return terminated(self.position());
        }
        let Some(track) = &self.track else {
            return Box::new(EvalAltResult::ErrorRuntime(error.message.into(), self.position()));
        };
        let mut error = error;
        if let Some(place) = self.place() {
            error.snippet = track.run.program.snippet(&place).map(Box::new);
            error.place = Some(place);
        }
        track.run.bug.borrow_mut().get_or_insert(error);
        Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Bug), self.position()))
    }

    /// What was found to be right; what was not is a bug of the script.
    pub(crate) fn sound<T>(&self, found: Result<T, String>) -> Fallible<T> {
        found.map_err(|why| self.bug(why))
    }

    /// Does something of which the readings are to take no longer than this, and a little.
    pub(crate) fn within<T>(&self, left: Span, act: impl FnOnce(&Self) -> Fallible<T>) -> Fallible<T> {
        let track = self.track()?;
        let before = track.left_of_wait.get();
        track.left_of_wait.set(Some(before.map_or(left, |outer| outer.min(left))));
        track.readings_of_wait.borrow_mut().clear();
        let done = act(self);
        track.left_of_wait.set(before);
        done
    }

    /// Performs an effect.
    pub(crate) fn perform(&self, mut effect: Effect) -> Fallible<Done> {
        if let (Action::Probe(probe), Some(left)) = (&mut effect.action, self.track()?.left_of_wait.get()) {
            probe.within = Some(left);
        }
        let words: &[String] = match &effect.action {
            Action::Job(job) => &job.argv,
            Action::Probe(probe) => &probe.argv,
            Action::Until(until) => &until.probe.argv,
            Action::Put(_) | Action::Fetch(_) | Action::Log(_) | Action::Sleep { .. } | Action::Ask(_) => &[],
            Action::Capture(_) | Action::Note { .. } | Action::NoReturn { .. } => &[],
        };
        if words.iter().any(|word| word.contains('\0')) {
            return Err(self.bug(format!("`{}`: no command can have a zero byte in it", self.doc.name)));
        }
        if self.track()?.only_reads && !matches!(effect.action, Action::Probe(_) | Action::Capture(_)) {
            return Err(self.more_than_read());
        }
        let door = &self.track()?.run.door;
        let (host, service) = (effect.host.clone(), effect.service.clone());
        let is_watched = self.track()?.left_of_wait.get().is_some();
        let watched = if let Action::Probe(probe) = &effect.action {
            is_watched.then(|| (probe.what.clone(), effect.label.clone()))
        } else {
            None
        };
        match door.perform(effect, self.place()) {
            Ok((_, Outcome::Done { value, mark })) => {
                if let Some((probe, label)) = watched {
                    self.track()?.read_in_wait(LookReading { probe, label, value: value.clone() });
                }
                Ok(Done { value, mark })
            }
            Ok((id, Outcome::Failed(why))) => Err(self.raise(&why, host, service, Some(&id))),
            Ok((_, Outcome::Skipped { reason, .. })) => Ok(Done { value: skipped(reason), mark: None }),
            Err(Halted) => Err(self.track()?.leave(self.position())),
        }
    }

    /// A failure of this call, as an error that a script can catch.
    pub(crate) fn raise(
        &self,
        why: &Failure,
        host: Option<String>,
        service: Option<String>,
        effect: Option<&EffectId>,
    ) -> Box<EvalAltResult> {
        let step = self.track.as_ref().map(|track| track.run.door.step_number()).unwrap_or_default();
        let at = RaisedAt { step, place: self.place(), position: self.position() };
        failure::thrown(at, why, host, service, effect)
    }

    /// Calls a closure that was given to this primitive.
    pub(crate) fn invoke(&self, function: &FnPtr, args: Vec<Dynamic>) -> Fallible<Dynamic> {
        calling::call_now(self.context, self.track()?, function, args)
    }

    /// How many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.args.len()
    }

    /// Argument `index` as it is; `()` when it is not there.
    pub(crate) fn any(&self, index: usize) -> &Dynamic {
        const NOTHING: &Dynamic = &Dynamic::UNIT;
        let given = self.args.get(index).unwrap_or(NOTHING);
        let inside = |value: &Dynamic| value.is::<Unwritten>();
        if inside(given) || given.read_lock::<Map>().is_some_and(|map| map.values().any(inside)) {
            self.unwritten.set(true);
        }
        given
    }

    /// Argument `index` as text.
    pub(crate) fn text(&self, index: usize) -> Fallible<String> {
        let given = self.any(index);
        match given.read_lock::<ImmutableString>() {
            Some(text) => Ok(text.to_string()),
            None => Err(self.wrong(index, "text")),
        }
    }

    /// Argument `index` as text, whatever plain single value it is: option values may be numbers.
    pub(crate) fn word(&self, index: usize) -> Fallible<String> {
        match convert::to_value(self.any(index)) {
            Ok(value @ (Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_))) => Ok(value.to_string()),
            Ok(Value::Null | Value::List(_) | Value::Map(_)) | Err(_) => Err(self.wrong(index, "text or a number")),
        }
    }

    /// Argument `index` as a truth value.
    pub(crate) fn flag(&self, index: usize) -> Fallible<bool> {
        self.any(index).as_bool().map_err(|_| self.wrong(index, "true or false"))
    }

    /// Argument `index` as a list.
    pub(crate) fn list(&self, index: usize) -> Fallible<Array> {
        self.any(index).clone().try_cast::<Array>().ok_or_else(|| self.wrong(index, "a list"))
    }

    /// Argument `index` as a map.
    pub(crate) fn map(&self, index: usize) -> Fallible<Map> {
        self.any(index).clone().try_cast::<Map>().ok_or_else(|| self.wrong(index, "a map"))
    }

    /// Argument `index` as a closure.
    pub(crate) fn closure(&self, index: usize) -> Fallible<FnPtr> {
        let given = self.any(index).clone().try_cast::<FnPtr>();
        let given = given.ok_or_else(|| self.wrong(index, "a closure such as `|| …`"))?;
        Ok(self.handed_over(given))
    }

    /// A closure that was given, as it is in this round of a `for`.
    pub(crate) fn handed_over(&self, given: FnPtr) -> FnPtr {
        match &self.track {
            Some(track) => calling::handed_over(track, given),
            None => given,
        }
    }

    /// Keeps a closure that was handed over for later; what it holds is counted.
    pub(crate) fn keep(&self, function: &FnPtr) -> Fallible<Closure> {
        let kept = Closure::keep(self.context, function);
        if let Err(excess) = self.track()?.holdings.keep(&kept.value()) {
            return Err(self.bug(excess.to_string()));
        }
        Ok(kept)
    }

    /// Argument `index` as plain data.
    pub(crate) fn value(&self, index: usize) -> Fallible<Value> {
        convert::to_value(self.any(index)).map_err(|what| self.bug(format!("`{}`: {what}", self.doc.name)))
    }

    /// Argument `index` as a map of plain data.
    pub(crate) fn fields(&self, index: usize) -> Fallible<Fields> {
        match self.value(index)? {
            Value::Map(fields) => Ok(fields),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
                Err(self.wrong(index, "a map"))
            }
        }
    }

    /// The keys of the map at `index`, also of one whose values only the run will tell.
    pub(crate) fn keys(&self, index: usize) -> Vec<String> {
        let map = self.args.get(index).and_then(|given| given.read_lock::<Map>());
        map.map(|map| map.keys().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// Argument `index` as a host.
    pub(crate) fn host(&self, index: usize) -> Fallible<HostHandle> {
        self.handle(index)
    }

    /// Argument `index` as a service.
    pub(crate) fn service(&self, index: usize) -> Fallible<ServiceHandle> {
        self.handle::<Service>(index)
    }

    /// Argument `index` as a pair.
    pub(crate) fn pair(&self, index: usize) -> Fallible<PairHandle> {
        self.handle(index)
    }

    fn handle<T: Listed>(&self, index: usize) -> Fallible<Handle<T>> {
        self.any(index)
            .read_lock::<Handle<T>>()
            .map(|handle| handle.clone())
            .ok_or_else(|| self.wrong(index, &format!("a {}", T::WORD)))
    }

    /// The map at `index`, if the call has one, as it is: what is not written out is as good as not given, the rest can
    /// be judged.
    pub(super) fn map_if_given(&self, index: usize) -> Fallible<Map> {
        match self.args.get(index) {
            Some(given) if given.is_map() => Ok(given.clone().try_cast::<Map>().unwrap_or_default()),
            Some(_) => self.map(index),
            None => Ok(Map::new()),
        }
    }

    /// The message for an argument of the wrong kind.
    fn wrong(&self, index: usize, wanted: &str) -> Box<EvalAltResult> {
        let sort = Unwritten::sort_of(self.any(index)).filter(|sort| !fits(*sort, wanted));
        let given = sort.map_or_else(|| diagnostic::kind_of(self.any(index)), |sort| sort.to_string());
        let kinds = self.kinds(index, wanted);
        let words: Vec<String> = kinds.iter().map(|kind| format!("a {kind}")).collect();
        let wanted = if kinds.is_empty() { wanted.to_owned() } else { words.join(" or ") };
        let mut error = Error::new(
            Kind::Script,
            format!("`{}` wants {wanted} as argument {}, not {given}", self.doc.name, index + 1),
        );
        if let Some(text) = self.any(index).read_lock::<ImmutableString>() {
            error.hints.extend(self.written(&kinds, &text));
        }
        if sort.is_some() {
            // Of which kind it will be is certain, whatever else is not.
            self.unwritten.set(false);
        }
        self.bug_with(error.hint(format!("call it as {}", self.doc.usage())))
    }

    /// What of the inventory argument `index` may be; nothing where it is something else.
    fn kinds(&self, index: usize, wanted: &str) -> Vec<&'static str> {
        let is_listed = |kind: &&str| wanted.strip_prefix("a ") == Some(*kind);
        if !LISTED.iter().any(is_listed) {
            return Vec::new();
        }
        let signature = self.doc.signatures.iter().find_map(|one| one.split(['(', ',', ')']).nth(index + 1));
        let named = |kind: &&str| signature.is_some_and(|name| name.trim().split('_').any(|word| word == *kind));
        LISTED.into_iter().filter(|kind| is_listed(kind) || named(kind)).collect()
    }

    /// How a text is written that is the name of something in the inventory, where one of these kinds is wanted.
    fn written(&self, kinds: &[&str], text: &str) -> Option<String> {
        let inventory = self.track.as_ref().map(|track| &track.run.inventory).filter(|all| !all.hosts.is_empty());
        let is_there = |kind: &str| match kind {
            Host::WORD => inventory.is_some_and(|all| all.hosts.contains_key(text)),
            Service::WORD => inventory.is_some_and(|all| all.services.contains_key(text)),
            _ => inventory.is_some_and(|all| all.pairs.contains_key(text)),
        };
        if let Some(kind) = kinds.iter().find(|kind| is_there(kind)) {
            return Some(format!("write `{kind}(\"{text}\")`"));
        }
        if let Some(other) = LISTED.into_iter().find(|kind| is_there(kind) && !kinds.is_empty()) {
            return Some(format!("`{text}` is a {other} of the inventory"));
        }
        let ways: Vec<String> = kinds.iter().map(|kind| format!("`{kind}(\"{text}\")`")).collect();
        (!ways.is_empty()).then(|| format!("write {}", ways.join(" or ")))
    }
}

/// What an inventory lists.
const LISTED: [&str; 3] = [Host::WORD, Service::WORD, Pair::WORD];
/// The option that takes a secret.
pub(crate) const STDIN: &str = "stdin";
/// How deep a secret is looked for: shared captures can contain themselves.
const SECRET_DEPTH_MAX: usize = 16;

fn holds_secret(value: &Dynamic, depth: usize) -> bool {
    if depth > SECRET_DEPTH_MAX {
        return false;
    }
    if value.is_shared() {
        return holds_secret(&value.flatten_clone(), depth + 1);
    }
    let inside = |value: &Dynamic| holds_secret(value, depth + 1);
    value.is::<SecretHandle>()
        || value.read_lock::<Array>().is_some_and(|items| items.iter().any(inside))
        || value.read_lock::<Map>().is_some_and(|map| map.values().any(inside))
}

/// Whether what is of this kind may be what an argument is to be, as messages call it.
fn fits(sort: Sort, wanted: &str) -> bool {
    match sort {
        Sort::Closure => wanted.starts_with("a closure"),
        Sort::Text | Sort::Number => wanted == "text or a number" || wanted == sort.to_string(),
        // Some verbs take one of them as well as another.
        Sort::Host | Sort::Service | Sort::Pair => LISTED.iter().any(|word| wanted.strip_prefix("a ") == Some(*word)),
        Sort::Flag | Sort::List | Sort::Map(_) => wanted == sort.to_string(),
    }
}

/// What a script sees of an effect that a person had left out.
fn skipped(reason: String) -> Value {
    Value::map([("changed", Value::from(false)), ("skipped", Value::from(reason))])
}
