//! Files carried to hosts and from them. Only what the runbook names is read or written; how is the executor's affair.

use super::primitive::Primitive;
use crate::convert;
use crate::model::digest::is_sha256;
use crate::model::run::effect::{Action, Class, Effect, Transfer, Undo};
use crate::model::span::Span;
use crate::model::text::shown;
use crate::model::value::Fields;
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::VerbDoc;
use crate::script::calls::options::Options;
use rhai::Dynamic;

/// How long a transfer may take when the script does not say.
const LIMIT: Span = Span::mins(30);
/// The most bytes that are carried when the script does not say.
const MAX: u64 = 4 << 30;

const TRANSFER: VerbDoc = VerbDoc {
    class: Some(Class::Idempotent),
    limit: "30min",
    errors: &["missing", "unreachable", "limit", "guard", "unreadable"],
    ..VerbDoc::NONE
};
const OF_LIMIT: (&str, &str) = ("limit", "how long it may take: `\"1h\"`");
const OF_MODE: (&str, &str) =
    ("mode", "its permission bits, `\"0640\"`; else those of the file it replaces, or of the source");
const OF_SHA256: (&str, &str) = ("sha256", "the digest the source must have; another one is not carried");
const OF_MAX: (&str, &str) = ("max", "the most bytes it may have; else 4 GiB");

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "put",
            signatures: &["put(host, local, remote)", "put(host, local, remote, options)"],
            summary: "Carries a file to a host, as the login account, and replaces the one there: written beside it as \
                      `.NAME.baton-part`, compared by SHA-256, then renamed. A file that is there hands on its owner, \
                      group and mode, or is not replaced. A file that is there already is not sent; one that was \
                      cut short is gone on with. A relative local path is one below the folder \
                      baton was started in. Returns `#{ changed, former, sha256, bytes }`, `former` being the digest \
                      of what was replaced, which is not kept: say in the step's `undo` how to go back.",
            options: &[OF_MODE, OF_SHA256, OF_LIMIT, OF_MAX],
            example: r#"put(host("cfg-a"), "packages/cs-8.5.tar", "/opt/packages/cs-8.5.tar", #{ mode: "0640" });"#,
            ..TRANSFER
        },
        body: put,
    },
    Primitive {
        doc: VerbDoc {
            name: "fetch",
            signatures: &["fetch(host, remote, local)", "fetch(host, remote, local, options)"],
            summary: "Carries a file from a host, in the same way as `put` carries it there. A local file with another \
                      content is only replaced when `replace` says so.",
            options: &[
                OF_MODE,
                OF_SHA256,
                ("replace", "whether a local file with another content may go: `true`"),
                OF_LIMIT,
                OF_MAX,
            ],
            example: r#"fetch(host("cfg-a"), "/var/log/cs.tar", "collected/cfg-a.tar", #{ replace: true });"#,
            ..TRANSFER
        },
        body: fetch,
    },
];

fn put(call: &Call<'_>) -> Fallible<Dynamic> {
    let (local, remote) = (local(call, 1)?, remote(call, 2)?);
    let transfer = transfer(call, local, remote)?;
    carry(call, "put", Action::Put(transfer.clone()), &transfer, None)
}

fn fetch(call: &Call<'_>) -> Fallible<Dynamic> {
    let (remote, local) = (remote(call, 1)?, local(call, 2)?);
    let mut transfer = transfer(call, local, remote)?;
    transfer.replace = Options::of(call, 3)?.flag("replace")?.unwrap_or(false);
    // The host is as it was; what was fetched is for people to look at.
    let undo = Undo { verb: Undo::NOTHING.to_owned(), args: Fields::new() };
    carry(call, "fetch", Action::Fetch(transfer.clone()), &transfer, Some(undo))
}

fn carry(call: &Call<'_>, verb: &str, action: Action, transfer: &Transfer, undo: Option<Undo>) -> Fallible<Dynamic> {
    let host = call.host(0)?.name().to_owned();
    let label = format!("{verb}({host}, {})", transfer.remote);
    let done = call.perform(Effect { action, label, host: Some(host), service: None, undo, before: None })?;
    Ok(convert::to_dynamic(&done.value))
}

fn transfer(call: &Call<'_>, local: String, remote: String) -> Fallible<Transfer> {
    let options = Options::of(call, 3)?;
    Ok(Transfer {
        local,
        remote,
        mode: mode(call, &options)?,
        sha256: sha256(call, &options)?,
        limit: options.span("limit")?.unwrap_or(LIMIT),
        max: max(call, &options)?,
        replace: false,
    })
}

fn mode(call: &Call<'_>, options: &Options<'_, '_>) -> Fallible<Option<u32>> {
    let Some(text) = options.text("mode")? else { return Ok(None) };
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    match u32::from_str_radix(&text, 8) {
        Ok(mode) if digits => Ok(Some(mode)),
        Ok(_) | Err(_) => Err(call.bug(format!("option `mode`: `{}` is no mode such as `\"0640\"`", shown(&text)))),
    }
}

fn sha256(call: &Call<'_>, options: &Options<'_, '_>) -> Fallible<Option<String>> {
    match options.text("sha256")?.map(|text| text.to_ascii_lowercase()) {
        Some(text) if !is_sha256(&text) => {
            Err(call.bug(format!("option `sha256`: `{}` is no SHA-256 of 64 hexadecimal digits", shown(&text))))
        }
        text => Ok(text),
    }
}

fn max(call: &Call<'_>, options: &Options<'_, '_>) -> Fallible<u64> {
    let Some(given) = options.get("max") else { return Ok(MAX) };
    let bytes = given.as_int().ok().and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or_else(|| call.bug("option `max` wants a number of bytes such as `8 * 1024 * 1024`"))
}

fn local(call: &Call<'_>, index: usize) -> Fallible<String> {
    let path = call.text(index)?;
    if names_a_file(&path) { Ok(path) } else { Err(wrong(call, &path, "the path of a file here")) }
}

fn remote(call: &Call<'_>, index: usize) -> Fallible<String> {
    let path = call.text(index)?;
    if path.starts_with('/') && names_a_file(&path) {
        return Ok(path);
    }
    Err(wrong(call, &path, "the full path of a file there, such as `/opt/packages/a.tar`"))
}

fn names_a_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    !matches!(name, "" | "." | "..") && !path.contains('\0')
}

fn wrong(call: &Call<'_>, path: &str, wanted: &str) -> Box<rhai::EvalAltResult> {
    call.bug(format!("`{}` wants {wanted}, not `{}`", call.doc.name, shown(path)))
}
