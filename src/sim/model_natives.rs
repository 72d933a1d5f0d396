//! What a product's model can call besides the language itself: the clock and the events of its own stage, logs,
//! folders, the truth ledger. It must not reach a real host, clock or log; folders go through the `Folders` trait.

use crate::engine;
use crate::model::run::instant::Wall;
use crate::model::span::Span;
use crate::platform::folders::Folders;
use crate::sim::choices::Choices;
use crate::sim::invariant::{Claim, Invariant, MustHold, Watchwords};
use crate::sim::ledger::{INTERVAL_KINDS, Ledger};
use crate::sim::random::Random;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, Module, NativeCallContext, Shared};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Something the model did that shows outside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Out {
    /// A service begins a new log file.
    OpenLog {
        /// Which service.
        service: String,
        /// The file's name, without its folder.
        file: String,
    },
    /// A service writes a line to its current log file.
    Log {
        /// Which service.
        service: String,
        /// The line, without its newline.
        line: String,
    },
    /// The process of a service now runs.
    Started {
        /// Which service.
        service: String,
    },
    /// The process of a service has gone.
    Exited {
        /// Which service.
        service: String,
        /// Its exit code.
        code: i64,
    },
}

/// What a model's functions and its natives share, beside the state map the model itself owns.
pub(super) struct ModelStage {
    /// What time it is.
    pub(super) now: Wall,
    /// Events to come, by time and then in the order they were asked for.
    pub(super) due: BTreeMap<(Wall, u64), (ImmutableString, Dynamic)>,
    /// How many events were ever asked for.
    pub(super) asked: u64,
    pub(super) random: Random,
    /// The host of every service the model animates.
    pub(super) hosts: Rc<BTreeMap<String, String>>,
    pub(super) outbox: Vec<Out>,
    pub(super) ledger: Ledger,
    pub(super) folders: Box<dyn Folders>,
    /// What the model leaves open.
    pub(super) choices: Choices,
    /// What must hold, and which sentences can be told true from false.
    pub(super) watchwords: Watchwords,
}

impl ModelStage {
    /// The same stage once more, with other folders.
    pub(super) fn fork(&self, folders: Box<dyn Folders>) -> Self {
        Self {
            now: self.now,
            due: self.due.clone(),
            asked: self.asked,
            random: self.random.clone(),
            hosts: Rc::clone(&self.hosts),
            outbox: self.outbox.clone(),
            ledger: self.ledger.clone(),
            folders,
            choices: self.choices.clone(),
            watchwords: self.watchwords.clone(),
        }
    }
}

/// A handle on the stage of the simulation a call belongs to. It travels as the engine's tag, so that one engine
/// with one set of natives serves any number of simulations.
#[derive(Clone)]
pub(super) struct StageHandle(pub(super) Rc<RefCell<ModelStage>>);

type Native<T> = Result<T, Box<EvalAltResult>>;

/// The natives, built once for a model's engine.
pub(super) fn natives() -> Shared<Module> {
    let mut module = engine::module();
    time_natives(&mut module);
    log_natives(&mut module);
    ledger_natives(&mut module);
    folder_natives(&mut module);
    watch_natives(&mut module);
    choice_natives(&mut module);
    module.build_index();
    module.into()
}

fn time_natives(module: &mut Module) {
    module.set_native_fn("now", |ctx: NativeCallContext| on_stage(&ctx, |stage| Ok(stage.now.0)));
    module.set_native_fn("after", |ctx: NativeCallContext, ms: i64, name: ImmutableString, data: Dynamic| {
        on_stage(&ctx, |stage| {
            stage.asked += 1;
            stage.due.insert((stage.now + Span(u64::try_from(ms).unwrap_or(0)), stage.asked), (name, data));
            Ok(())
        })
    });
    module.set_native_fn("random", |ctx: NativeCallContext, n: i64| {
        on_stage(&ctx, |stage| {
            let below = u64::try_from(n).map_err(|_| format!("`random({n})`: there is no number below {n}"))?;
            Ok(stage.random.below(below) as i64)
        })
    });
    module.set_native_fn("stamp", |ms: i64| -> Native<String> {
        let t = civil(ms)?;
        let (date, time) = (t.date(), t.time());
        Ok(format!("{date}T{:02}:{:02}:{:02}.{:03}", time.hour(), time.minute(), time.second(), time.millisecond()))
    });
    module.set_native_fn("file_stamp", |ms: i64| -> Native<String> {
        let t = civil(ms)?;
        let (year, month, day) = (t.year(), t.month(), t.day());
        Ok(format!("{year:04}{month:02}{day:02}_{:02}{:02}{:02}", t.hour(), t.minute(), t.second()))
    });
}

fn log_natives(module: &mut Module) {
    module.set_native_fn("open_log", |ctx: NativeCallContext, service: &str, file: &str| {
        if file.is_empty() || file.contains('/') || file == "." || file == ".." {
            return Err(format!("`{file}` is not the name of a file: the log of a service lies in its folder").into());
        }
        tell(&ctx, service, |service| Out::OpenLog { service, file: file.to_owned() })
    });
    module.set_native_fn("log", |ctx: NativeCallContext, service: &str, line: &str| {
        tell(&ctx, service, |service| Out::Log { service, line: line.to_owned() })
    });
    module.set_native_fn("started", |ctx: NativeCallContext, service: &str| {
        tell(&ctx, service, |service| Out::Started { service })
    });
    module.set_native_fn("exited", |ctx: NativeCallContext, service: &str, code: i64| {
        tell(&ctx, service, |service| Out::Exited { service, code })
    });
}

fn ledger_natives(module: &mut Module) {
    module.set_native_fn("begin", |ctx: NativeCallContext, kind: &str, who: &str| {
        on_stage(&ctx, |stage| {
            stage.ledger.begin(interval_kind(kind)?, who, stage.now);
            Ok(())
        })
    });
    module.set_native_fn("finish", |ctx: NativeCallContext, kind: &str, who: &str| {
        on_stage(&ctx, |stage| {
            stage.ledger.finish(interval_kind(kind)?, who, stage.now);
            Ok(())
        })
    });
    module.set_native_fn("violation", |ctx: NativeCallContext, text: &str| {
        on_stage(&ctx, |stage| {
            stage.ledger.violations.push((stage.now, text.to_owned()));
            Ok(())
        })
    });
}

/// What must hold of the product, and which sentences about it are true: said once, in `init`.
fn watch_natives(module: &mut Module) {
    module.set_native_fn("invariant", |ctx: NativeCallContext, id: &str, text: &str, body: FnPtr| {
        add_invariant(&ctx, id, text, MustHold::Always, body)
    });
    module.set_native_fn("invariant", |ctx: NativeCallContext, id: &str, text: &str, body: FnPtr, options: Map| {
        let when = options.get("when").map(ToString::to_string);
        let when = match (when.as_deref(), options.len()) {
            (None, 0) | (Some("always"), 1) => MustHold::Always,
            (Some("end"), 1) => MustHold::AtTheEnd,
            _ => return Err("the only option of `invariant` is `when`, which is \"always\" or \"end\"".into()),
        };
        add_invariant(&ctx, id, text, when, body)
    });
    module.set_native_fn("claim", |ctx: NativeCallContext, pattern: &str, body: FnPtr| {
        on_stage(&ctx, |stage| {
            stage.watchwords.claims.push(Claim { pattern: pattern.to_owned(), body });
            Ok(())
        })
    });
}

fn add_invariant(ctx: &NativeCallContext, id: &str, text: &str, when: MustHold, body: FnPtr) -> Native<()> {
    let invariant = Invariant { id: id.to_owned(), text: text.to_owned(), when, body, broken: None };
    on_stage(ctx, |stage| {
        if stage.watchwords.invariants.iter().any(|known| known.id == invariant.id) {
            return Err(format!("there is an invariant `{}` already", invariant.id));
        }
        stage.watchwords.invariants.push(invariant);
        Ok(())
    })
}

/// What the model leaves open, for whoever explores it.
fn choice_natives(module: &mut Module) {
    module.set_native_fn("fault", |ctx: NativeCallContext, name: &str| {
        on_stage(&ctx, |stage| Ok(stage.choices.take(name, 2) == 1))
    });
    module.set_native_fn("choice", |ctx: NativeCallContext, name: &str, options: Array| {
        if options.is_empty() {
            return Err(format!("`choice(\"{name}\", [])`: there is nothing to choose from").into());
        }
        let way = on_stage(&ctx, |stage| Ok(stage.choices.take(name, options.len())))?;
        Ok(options.get(way).cloned().unwrap_or_default())
    });
}

fn folder_natives(module: &mut Module) {
    module.set_native_fn("read_file", |ctx: NativeCallContext, service: &str, path: &str| {
        in_folders(&ctx, service, |folders, host| {
            Ok(folders.read(host, plain(path)).map_or(Dynamic::UNIT, Dynamic::from))
        })
    });
    module.set_native_fn("write_file", |ctx: NativeCallContext, service: &str, path: &str, text: &str| {
        in_folders(&ctx, service, |folders, host| folders.write(host, plain(path), text))
    });
    module.set_native_fn("has_folder", |ctx: NativeCallContext, service: &str, path: &str| {
        in_folders(&ctx, service, |folders, host| Ok(folders.exists(host, plain(path))))
    });
    module.set_native_fn("make_folder", |ctx: NativeCallContext, service: &str, path: &str| {
        in_folders(&ctx, service, |folders, host| folders.make(host, plain(path)))
    });
    module.set_native_fn("move_folder", |ctx: NativeCallContext, service: &str, from: &str, to: &str| {
        in_folders(&ctx, service, |folders, host| Ok(folders.rename(host, plain(from), plain(to))))
    });
    module.set_native_fn("remove_folder", |ctx: NativeCallContext, service: &str, path: &str| {
        in_folders(&ctx, service, |folders, host| folders.remove(host, plain(path)))
    });
}

/// Runs `body` with the stage of the simulation this call belongs to.
fn on_stage<T>(ctx: &NativeCallContext, body: impl FnOnce(&mut ModelStage) -> Result<T, String>) -> Native<T> {
    let handle = ctx.tag().and_then(|tag| tag.read_lock::<StageHandle>().map(|handle| handle.clone()));
    let handle = handle.ok_or("this can only be called while a simulation runs")?;
    body(&mut handle.0.borrow_mut()).map_err(Into::into)
}

fn tell(ctx: &NativeCallContext, service: &str, out: impl FnOnce(String) -> Out) -> Native<()> {
    on_stage(ctx, |stage| {
        host_of(&stage.hosts, service)?;
        stage.outbox.push(out(service.to_owned()));
        Ok(())
    })
}

fn in_folders<T>(
    ctx: &NativeCallContext,
    service: &str,
    body: impl FnOnce(&mut dyn Folders, &str) -> Result<T, String>,
) -> Native<T> {
    on_stage(ctx, |stage| {
        let host = host_of(&stage.hosts, service)?;
        body(stage.folders.as_mut(), host)
    })
}

fn host_of<'a>(hosts: &'a BTreeMap<String, String>, service: &str) -> Result<&'a str, String> {
    hosts.get(service).map(String::as_str).ok_or_else(|| format!("this model has no service `{service}`"))
}

fn interval_kind(kind: &str) -> Result<&str, String> {
    let known = INTERVAL_KINDS.contains(&kind);
    known.then_some(kind).ok_or_else(|| format!("`{kind}` is no kind of interval; use {}", INTERVAL_KINDS.join(", ")))
}

/// A path as [`Folders`] wants it.
fn plain(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn civil(ms: i64) -> Native<jiff::civil::DateTime> {
    let time = Wall(ms).timestamp().ok_or_else(|| format!("`{ms}` is no time"))?;
    Ok(jiff::tz::TimeZone::UTC.to_datetime(time))
}
