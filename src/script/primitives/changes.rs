//! Changes of a service. An idempotent verb looks first whether its goal holds, so that what is there already is not
//! done, and the former value is known when it has to be put back. Nothing here decides what a verb does on a host.

use super::primitive::Primitive;
use super::secrets::SECRET;
use super::{inventory, people, probes};
use crate::convert;
use crate::model::run::effect::{Action, Ask, Before, Capture, Class, Effect, FailureKind, Form, Job};
use crate::model::site::account::done_as;
use crate::model::site::profile::Verb;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::script::calls::call::{Call, STDIN};
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{CHANGE_RESULT, ProbeLook, VerbDoc};
use crate::script::calls::options::Options;
use crate::script::calls::{failure, lower};
use crate::script::values::handles::{HostHandle, PairHandle, ServiceHandle};
use rhai::{Dynamic, Map};

/// How long a command may take when the script does not say.
const COMMAND_LIMIT: Span = Span::mins(10);
/// What a backup is called when the script does not say.
const BACKUP_LABEL: &str = "before-upgrade";

const LIMIT: (&str, &str) = ("limit", "how long it may take, goal included: `\"5min\"`");
const CHANGE: VerbDoc = VerbDoc {
    class: Some(Class::Idempotent),
    limit: "as the profile says",
    options: &[LIMIT],
    errors: &["exit", "limit", "goal", "unreachable", "missing", "declined"],
    ..VerbDoc::NONE
};
const ONCE: VerbDoc = VerbDoc { class: Some(Class::Once), ..CHANGE };

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "backup",
            looks_at: Some(ProbeLook::Decides("role")),
            signatures: &["backup(service)", "backup(service, label)", "backup(service, label, options)"],
            summary: "Makes a backup of the service that can be restored, called `label` (default `before-upgrade`). \
                      Of a pair, `pair.backup()` is something else: the member that runs as backup now (a probe).",
            example: r#"backup(pair("confserv").database, "before-8.5.101"); let c2 = pair("confserv").backup();"#,
            ..ONCE
        },
        body: backup,
    },
    Primitive {
        doc: VerbDoc {
            name: "set_readonly",
            gives: Some(CHANGE_RESULT),
            looks_at: Some(ProbeLook::Decides("readonly")),
            signatures: &["set_readonly(service)", "set_readonly(service, options)"],
            summary: "Makes the service refuse changes to its configuration.",
            example: r#"set_readonly(service("c1"));"#,
            ..CHANGE
        },
        body: |call| plain(call, "set_readonly"),
    },
    Primitive {
        doc: VerbDoc {
            name: "unset_readonly",
            gives: Some(CHANGE_RESULT),
            looks_at: Some(ProbeLook::Decides("readonly")),
            signatures: &["unset_readonly(service)", "unset_readonly(service, options)"],
            summary: "Lets the service accept changes to its configuration again.",
            example: r#"ensure("Lift read-only", || unset_readonly(service("c1")));"#,
            ..CHANGE
        },
        body: |call| plain(call, "unset_readonly"),
    },
    Primitive {
        doc: VerbDoc {
            name: "set_option",
            gives: Some(CHANGE_RESULT),
            looks_at: Some(ProbeLook::Decides("option")),
            signatures: &[
                "set_option(service, section, key, value)",
                "set_option(service, section, key, value, options)",
            ],
            summary: "Sets an option. The former value is recorded for rollback.",
            example: r#"set_option(service("c2"), "confserv", "upgrade-mode", "1");"#,
            ..CHANGE
        },
        body: set_option,
    },
    Primitive {
        doc: VerbDoc {
            name: "unset_option",
            gives: Some(CHANGE_RESULT),
            looks_at: Some(ProbeLook::Decides("option")),
            signatures: &["unset_option(service, section, key)", "unset_option(service, section, key, options)"],
            summary: "Removes an option. The former value is recorded for rollback.",
            example: r#"unset_option(service("c2"), "confserv", "upgrade-mode");"#,
            ..CHANGE
        },
        body: unset_option,
    },
    Primitive {
        doc: VerbDoc {
            name: "shutdown",
            gives: Some(CHANGE_RESULT),
            signatures: &["shutdown(service)", "shutdown(service, options)"],
            summary: "Stops the service and waits until it is stopped.",
            example: r#"shutdown(service("c2"), #{ limit: "5min" });"#,
            ..CHANGE
        },
        body: |call| plain(call, "shutdown"),
    },
    Primitive {
        doc: VerbDoc {
            name: "start",
            gives: Some(CHANGE_RESULT),
            log: true,
            signatures: &["start(service)", "start(service, options)"],
            summary: "Notes where the service's log stands, then starts it. What it becomes is read from the log.",
            example: r#"start(service("c2")); wait_for_log(service("c2"), 22172);"#,
            ..CHANGE
        },
        body: start,
    },
    Primitive {
        doc: VerbDoc {
            name: "stage_install",
            signatures: &["stage_install(service, version)", "stage_install(service, version, options)"],
            summary: "Lays a new version down beside the one in use. Starts nothing.",
            example: r#"stage_install(service("c2"), "8.5.101");"#,
            ..CHANGE
        },
        body: |call| versioned(call, "stage_install"),
    },
    Primitive {
        doc: VerbDoc {
            name: "install",
            gives: Some(CHANGE_RESULT),
            signatures: &["install(service, version)", "install(service, version, options)"],
            summary: "Installs a version in place of the one in use. No way back; prefer `stage_install`.",
            example: r#"install(service("c2"), "8.5.101", #{ limit: "30min" });"#,
            ..ONCE
        },
        body: |call| versioned(call, "install"),
    },
    Primitive {
        doc: VerbDoc {
            name: "swap_folder",
            gives: Some(CHANGE_RESULT),
            signatures: &["swap_folder(service, version)", "swap_folder(service, version, options)"],
            summary: "Puts the staged version in the place of the one in use, which is kept. The service must be \
                      stopped.",
            example: r#"shutdown(service("c2")); swap_folder(service("c2"), "8.5.101");"#,
            ..ONCE
        },
        body: |call| versioned(call, "swap_folder"),
    },
    Primitive {
        doc: VerbDoc {
            name: "unswap_folder",
            gives: Some(CHANGE_RESULT),
            signatures: &["unswap_folder(service)", "unswap_folder(service, options)"],
            summary: "Puts the version that `swap_folder` kept back in its place.",
            example: r#"shutdown(service("c2")); unswap_folder(service("c2"));"#,
            ..ONCE
        },
        body: |call| plain(call, "unswap_folder"),
    },
    Primitive {
        doc: VerbDoc {
            name: "change",
            gives: Some(CHANGE_RESULT),
            signatures: &[
                "change(service, verb)",
                "change(service, verb, arguments)",
                "change(service, verb, arguments, options)",
            ],
            summary: "Any verb of the service's profile, by name; arguments fill its `{…}` placeholders. Idempotent \
                      or once as the profile says.",
            options: &[LIMIT, SECRET],
            example: r#"change(service("c2"), "point_to_database", #{ database: "confdb_new" });"#,
            ..CHANGE
        },
        body: any,
    },
    Primitive {
        doc: VerbDoc {
            name: "run",
            gives: Some(CHANGE_RESULT),
            signatures: &["run(host_or_service, command)", "run(host_or_service, command, options)"],
            summary: "Runs a command, given as a list of its words; no shell reads it. At most once: say in `check` \
                      which command tells whether it happened (exit 0 yes, 1 no).",
            limit: "10min",
            options: &[
                LIMIT,
                ("check", "a command that tells whether it happened: `[\"test\", \"-e\", \"/done\"]`"),
                SECRET,
                ("cwd", "the folder it runs in, a full path; else the home folder"),
                ("env", "variables it sees: `#{ PGPORT: \"5433\" }`"),
                ("become", "the account that does it, through `sudo -n`: `\"root\"`; else as the inventory says"),
            ],
            errors: &["exit", "limit", "unreachable", "missing"],
            example: r#"run(host("cfg-a"), ["touch", "/done"], #{ limit: "30s", check: ["test", "-e", "/done"] });"#,
            ..ONCE
        },
        body: run,
    },
];

/// What the options of a change say.
struct ChangeOptions {
    limit: Option<Span>,
    secret: Option<String>,
}

impl ChangeOptions {
    fn of(options: &Options<'_, '_>) -> Fallible<Self> {
        Ok(Self { limit: options.span("limit")?, secret: options.secret(STDIN)? })
    }
}

fn plain(call: &Call<'_>, verb: &str) -> Fallible<Dynamic> {
    let given = ChangeOptions::of(&Options::of(call, 1)?)?;
    change(call, &call.service(0)?, verb, &Fields::new(), given)
}

fn versioned(call: &Call<'_>, verb: &str) -> Fallible<Dynamic> {
    let args = lower::args([("version", call.text(1)?.into())]);
    let given = ChangeOptions::of(&Options::of(call, 2)?)?;
    change(call, &call.service(0)?, verb, &args, given)
}

fn backup(call: &Call<'_>) -> Fallible<Dynamic> {
    if call.any(0).is::<PairHandle>() && call.len() == 1 {
        return inventory::member(call, "backup");
    }
    let service = call.service(0)?;
    let options_second = call.len() == 2 && call.any(1).is_map();
    let label = if call.len() > 1 && !options_second { call.text(1)? } else { BACKUP_LABEL.to_owned() };
    let given = ChangeOptions::of(&Options::of(call, if options_second { 1 } else { 2 })?)?;
    change(call, &service, "backup", &lower::args([("label", label.into())]), given)
}

fn set_option(call: &Call<'_>) -> Fallible<Dynamic> {
    let (section, key, value) = (call.text(1)?, call.text(2)?, call.word(3)?);
    let args = lower::args([("section", section.into()), ("key", key.into()), ("value", value.into())]);
    let given = ChangeOptions::of(&Options::of(call, 4)?)?;
    change(call, &call.service(0)?, "set_option", &args, given)
}

fn unset_option(call: &Call<'_>) -> Fallible<Dynamic> {
    let args = lower::args([("section", call.text(1)?.into()), ("key", call.text(2)?.into())]);
    let given = ChangeOptions::of(&Options::of(call, 3)?)?;
    change(call, &call.service(0)?, "unset_option", &args, given)
}

fn start(call: &Call<'_>) -> Fallible<Dynamic> {
    let service = call.service(0)?;
    let given = ChangeOptions::of(&Options::of(call, 1)?)?;
    if service.get().profile.log.is_some() {
        mark(call, &service)?;
    }
    change(call, &service, "start", &Fields::new(), given)
}

fn any(call: &Call<'_>) -> Fallible<Dynamic> {
    let (service, verb) = (call.service(0)?, call.text(1)?);
    call.sound(lower::wrong_verb(service.get(), &verb, &call.keys(2)))?;
    let args = if call.len() > 2 { call.fields(2)? } else { Fields::new() };
    call.sound(lower::single(&args))?;
    let given = ChangeOptions::of(&Options::of(call, 3)?)?;
    change(call, &service, &verb, &args, given)
}

/// Notes where the log of a service stands; reading goes on from there.
pub(super) fn mark(call: &Call<'_>, service: &ServiceHandle) -> Fallible<Option<crate::model::run::mark::Mark>> {
    let source = call.sound(lower::log(service.get()))?;
    let capture = Action::Capture(Capture::Mark { source });
    Ok(call.perform(lower::on_service(service.get(), format!("mark({})", service.name()), capture))?.mark)
}

/// Carries out a verb of a profile, unless its goal holds already.
fn change(
    call: &Call<'_>,
    service: &ServiceHandle,
    name: &str,
    args: &Fields,
    given: ChangeOptions,
) -> Fallible<Dynamic> {
    let verb = call.sound(lower::verb(service.get(), name))?;
    let job = call.sound(lower::job(service.get(), name, args, given.limit))?;
    let job = Job { secret: given.secret.or(job.secret.clone()), ..job };
    let label = probes::labelled(name, service.name(), probes::in_order(args, &verb.argv).into_iter());
    let mut former = Value::Null;
    if let Some(goal) = &job.goal {
        let read = probes::labelled(&goal.probe.what, service.name(), std::iter::empty());
        let mut look = lower::on_service(service.get(), read, Action::Probe(goal.probe.clone()));
        look.before = Some(Before { change: label.clone(), wants: goal.wants.clone() });
        former = call.perform(look)?.value;
        if goal.wants.contains(&former) {
            return Ok(result(false, &former, ""));
        }
    }
    if verb.severe {
        ask_first(call, service, name, verb)?;
    }
    let mut effect = lower::on_service(service.get(), label, Action::Job(job));
    effect.undo = lower::undo(verb, args, &former);
    let done = call.perform(effect)?;
    Ok(made(&former, &done.value))
}

/// A severe verb is only done after a person has typed the name of what it is done to.
fn ask_first(call: &Call<'_>, service: &ServiceHandle, name: &str, verb: &Verb) -> Fallible<()> {
    let interrupts = verb.interrupts.as_ref().map(|what| format!(" It interrupts {what}.")).unwrap_or_default();
    let form = Form::Choose(vec![service.name().to_owned(), "no".to_owned()]);
    let text = format!("`{name}` of `{}` cannot be undone.{interrupts} Type its name to go on.", service.name());
    let gate = call.track()?.run.door.gate_name("severe", None);
    let ask = Ask { gate, form, text, evidence: String::new() };
    let effect = lower::on_service(service.get(), format!("confirm {name}({})", service.name()), Action::Ask(ask));
    let answer = call.perform(effect)?.value;
    if people::word(&answer) == service.name() {
        return Ok(());
    }
    let message = format!("`{name}` of `{}` was declined", service.name());
    let (host, service) = (service.get().host.clone(), service.name().to_owned());
    Err(call.raise(&failure::plain(FailureKind::Declined, message), Some(host), Some(service), None))
}

fn run(call: &Call<'_>) -> Fallible<Dynamic> {
    let argv = words(call, call.any(1), "command")?;
    let options = Options::of(call, 2)?;
    let check = options.get("check").map(|given| words(call, given, "option `check`")).transpose()?;
    let command = argv.join(" ");
    let on = call.any(0).read_lock::<HostHandle>().map(|host| host.clone());
    let service = if on.is_none() { Some(call.service(0)?) } else { None };
    let usual = match (&on, &service) {
        (Some(host), _) => host.get().account.clone(),
        (None, service) => service.as_ref().and_then(|service| service.get().account.clone()),
    };
    let account = options.account("become")?.or(usual);
    let surroundings = options.surroundings()?;
    let placed = |argv| done_as(account.as_deref(), surroundings.around(argv));
    let job = Job {
        verb: "run".to_owned(),
        means: None,
        class: Class::Once,
        args: lower::args([("argv", Value::List(argv.iter().map(|word| word.as_str().into()).collect()))]),
        limit: options.span("limit")?.unwrap_or(COMMAND_LIMIT),
        goal: None,
        check: check.map(|check| lower::script_check(placed(check))),
        killable: false,
        argv: placed(argv),
        secret: options.secret(STDIN)?,
    };
    let action = Action::Job(job);
    let effect = match (on, service) {
        (None, Some(service)) => {
            lower::on_service(service.get(), format!("run({}, {command})", service.name()), action)
        }
        (on, _) => {
            let host = on.map(|host| host.name().to_owned());
            let label = format!("run({}, {command})", host.as_deref().unwrap_or_default());
            Effect { label, action, host, service: None, undo: None, before: None }
        }
    };
    let done = call.perform(effect)?;
    Ok(made(&Value::Null, &done.value))
}

fn words(call: &Call<'_>, given: &Dynamic, what: &str) -> Fallible<Vec<String>> {
    let wrong = || call.bug(format!("`run`: the {what} is a list of words such as `[\"systemctl\", \"stop\", \"x\"]`"));
    let Ok(Value::List(items)) = convert::to_value(given) else { return Err(wrong()) };
    let words: Option<Vec<String>> = items.iter().map(|item| item.as_text().map(str::to_owned)).collect();
    let words = words.filter(|words| !words.is_empty()).ok_or_else(wrong)?;
    match words[0].trim().is_empty() {
        true => Err(call.bug(format!("`run`: the first word of the {what} names what is run, and it is empty"))),
        false => Ok(words),
    }
}

/// What came of a change that was asked for. One that a person had left out changed nothing; why is in `skipped`.
pub(super) fn made(former: &Value, value: &Value) -> Dynamic {
    let Some(reason) = value.get("skipped").and_then(Value::as_text) else {
        return result(true, former, &output(value));
    };
    let mut map = result(false, former, "").cast::<Map>();
    map.insert("skipped".into(), reason.into());
    map.into()
}

fn result(changed: bool, former: &Value, output: &str) -> Dynamic {
    let mut map = Map::new();
    map.insert("changed".into(), changed.into());
    map.insert("former".into(), convert::to_dynamic(former));
    map.insert("output".into(), output.into());
    // The same keys, whether or not a person had it left out: a key that is missing is a bug of the script.
    map.insert("skipped".into(), Dynamic::UNIT);
    map.into()
}

fn output(value: &Value) -> String {
    value.get("output").unwrap_or(value).to_string()
}
