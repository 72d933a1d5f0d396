//! Probes: what can be read of a service without changing it. Each is recorded, so that a replay reads the same.

use super::primitive::Primitive;
use super::secrets::SECRET;
use crate::convert;
use crate::model::run::effect::{Action, Class, Probe};
use crate::model::value::{Fields, Value};
use crate::script::calls::call::{Call, STDIN};
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{ProbeLook, VerbDoc};
use crate::script::calls::lower;
use crate::script::calls::options::Options;
use crate::script::values::handles::ServiceHandle;
use crate::script::values::sort::Sort;
use rhai::Dynamic;

/// The names of arguments whose order a signature says, in that order: `set_option(service, section, key, value)`.
const SIGNED: [&str; 3] = ["section", "key", "value"];

const PROBE: VerbDoc = VerbDoc {
    class: Some(Class::Probe),
    limit: "30s a try, 3 tries, unless the profile says otherwise",
    errors: &["unreachable", "missing", "exit", "unreadable", "limit"],
    ..VerbDoc::NONE
};

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "status",
            gives: Some(Sort::Text),
            looks_at: Some(ProbeLook::Gives("status")),
            signatures: &["status(service)"],
            summary: "How a service stands: `stopped`, `starting`, `initializing`, `running` or `unknown`.",
            example: r#"guard(status(service("c1")) == "running", "c1 must run");"#,
            ..PROBE
        },
        body: |call| named(call, "status"),
    },
    Primitive {
        doc: VerbDoc {
            name: "role",
            gives: Some(Sort::Text),
            looks_at: Some(ProbeLook::Gives("role")),
            signatures: &["role(service)"],
            summary: "How a member of a pair runs now: `primary`, `backup`, `none` or `unknown`.",
            example: r#"if role(service("c1")) == "primary" { note("c1 serves"); }"#,
            ..PROBE
        },
        body: |call| named(call, "role"),
    },
    Primitive {
        doc: VerbDoc {
            name: "version",
            gives: Some(Sort::Text),
            looks_at: Some(ProbeLook::Gives("version")),
            signatures: &["version(service)"],
            summary: "The version that is installed, as text. What runs may be older: see `running_version`.",
            example: r#"let installed = version(service("c1"));"#,
            ..PROBE
        },
        body: |call| named(call, "version"),
    },
    Primitive {
        doc: VerbDoc {
            name: "running_version",
            gives: Some(Sort::Text),
            looks_at: Some(ProbeLook::Gives("running_version")),
            signatures: &["running_version(service)"],
            summary: "The version that runs, as text; empty when the service is stopped.",
            example: r#"guard(same_version(running_version(service("c1")), "8.5.101"), "c1 runs another version");"#,
            ..PROBE
        },
        body: |call| named(call, "running_version"),
    },
    Primitive {
        doc: VerbDoc {
            name: "clients",
            gives: Some(Sort::Number),
            looks_at: Some(ProbeLook::Gives("clients")),
            signatures: &["clients(service)"],
            summary: "How many clients are connected.",
            example: r#"note(`${clients(service("c1"))} clients`);"#,
            ..PROBE
        },
        body: |call| named(call, "clients"),
    },
    Primitive {
        doc: VerbDoc {
            name: "is_readonly",
            gives: Some(Sort::Flag),
            looks_at: Some(ProbeLook::Gives("readonly")),
            signatures: &["is_readonly(service)"],
            summary: "Whether the service refuses changes to its configuration. The profile's probe `readonly`.",
            example: r#"guard(!is_readonly(service("c1")), "c1 is read-only already");"#,
            ..PROBE
        },
        body: |call| named(call, "readonly"),
    },
    Primitive {
        doc: VerbDoc {
            name: "read_option",
            gives: Some(Sort::Text),
            looks_at: Some(ProbeLook::Decides("option")),
            signatures: &["read_option(service, section, key)"],
            summary: "The text of an option, or \"\" when it is absent. The profile's probe `option`.",
            example: r#"let level = read_option(service("c1"), "log", "verbose");"#,
            ..PROBE
        },
        body: read_option,
    },
    Primitive {
        doc: VerbDoc {
            name: "probe",
            signatures: &[
                "probe(service, name)",
                "probe(service, name, arguments)",
                "probe(service, name, arguments, options)",
            ],
            summary: "Any probe of the service's profile, by name; arguments fill its `{…}` placeholders. One that \
                      always reads a secret says so in the profile: `stdin = \"db\"`.",
            options: &[SECRET],
            example: r#"let there = probe(service("c1"), "has_version", #{ version: "8.5.101" });"#,
            ..PROBE
        },
        body: any,
    },
];

/// Reads `name` of a service.
pub(super) fn read(call: &Call<'_>, service: &ServiceHandle, name: &str, args: Fields) -> Fallible<Value> {
    read_with(call, service, name, args, None)
}

/// The same, with the secret that the call itself hands to the command.
fn read_with(
    call: &Call<'_>,
    service: &ServiceHandle,
    name: &str,
    args: Fields,
    secret: Option<String>,
) -> Fallible<Value> {
    let probe = call.sound(lower::probe(service.get(), name, args))?;
    let probe = Probe { secret: secret.or(probe.secret.clone()), ..probe };
    let argv = service.get().profile.probes.get(name).map_or(&[][..], |reader| &reader.argv);
    let label = labelled(name, service.name(), in_order(&probe.args, argv).into_iter());
    Ok(call.perform(lower::on_service(service.get(), label, Action::Probe(probe)))?.value)
}

/// How people read a call: `option(c1, log, verbose)`.
pub(crate) fn labelled<'v>(name: &str, service: &str, args: impl Iterator<Item = &'v Value>) -> String {
    let rest: String = args.map(|value| format!(", {value}")).collect();
    format!("{name}({service}{rest})")
}

/// Arguments in the order of the call: as the verbs' signatures have them, and where these do not name them, as the
/// command takes them.
pub(crate) fn in_order<'v>(args: &'v Fields, argv: &[String]) -> Vec<&'v Value> {
    let place = |name: &str| {
        let signed = SIGNED.iter().position(|known| *known == name);
        let word = argv.iter().position(|word| word.contains(&format!("{{{name}}}"))).unwrap_or(argv.len());
        signed.map_or((SIGNED.len(), word), |place| (place, 0))
    };
    let mut all: Vec<(&String, &Value)> = args.iter().collect();
    all.sort_by_key(|(name, _)| place(name));
    all.into_iter().map(|(_, value)| value).collect()
}

fn named(call: &Call<'_>, name: &str) -> Fallible<Dynamic> {
    Ok(convert::to_dynamic(&read(call, &call.service(0)?, name, Fields::new())?))
}

fn read_option(call: &Call<'_>) -> Fallible<Dynamic> {
    let service = call.service(0)?;
    let args = lower::args([("section", call.text(1)?.into()), ("key", call.text(2)?.into())]);
    Ok(convert::to_dynamic(&read(call, &service, "option", args)?))
}

fn any(call: &Call<'_>) -> Fallible<Dynamic> {
    let (service, name) = (call.service(0)?, call.text(1)?);
    call.sound(lower::wrong_probe(service.get(), &name, &call.keys(2)))?;
    let args = if call.len() > 2 { call.fields(2)? } else { Fields::new() };
    call.sound(lower::single(&args))?;
    let secret = Options::of(call, 3)?.secret(STDIN)?;
    Ok(convert::to_dynamic(&read_with(call, &service, &name, args, secret)?))
}
