//! Restarts of hosts: the command, at most once, then waiting for what proves it. Whether a host has restarted is told
//! by its boot id alone: a link that broke proves nothing.

use super::primitive::Primitive;
use super::{changes, waits};
use crate::model::run::effect::{Action, Capture, Class, Effect, Job, Probe, Undo, Until};
use crate::model::run::meaning::VerbMeaning;
use crate::model::site::account::done_as;
use crate::model::span::Span;
use crate::model::value::{Fields, Value};
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{ClosureArg, ClosurePlace, VerbDoc};
use crate::script::calls::lower;
use crate::script::calls::options::Options;
use crate::script::values::handles::HostHandle;
use rhai::Dynamic;

/// How long a host may take when the script does not say.
const LIMIT: Span = Span::mins(15);
/// How long it must be up.
const STABLE: Span = Span::secs(30);
/// How often it is looked at.
const EVERY: Span = Span::secs(2);
/// The command, unless the inventory says another.
const COMMAND: [&str; 2] = ["systemctl", "reboot"];
/// Tells which boot of the host this is.
const BOOT_ID: [&str; 2] = ["cat", "/proc/sys/kernel/random/boot_id"];
/// Tells whether this boot is another one than its argument.
const REBOOTED: &str = r#"read -r boot </proc/sys/kernel/random/boot_id || exit 2; [ "$boot" != "$1" ]"#;

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "reboot",
            closures: &[ClosureArg { place: ClosurePlace::Option("ready"), values: 1, tells: true, only_reads: false }],
            signatures: &["reboot(host)", "reboot(host, options)"],
            class: Some(Class::Once),
            summary: "Restarts a host and waits until it is back: until it shows another boot id, stays up, and \
                      `ready` holds. The command is `systemctl reboot`, or `reboot` of the host in the inventory, as \
                      the account that the inventory names. At most once: when the link breaks on the way, the boot id \
                      tells whether it happened. A rollback does nothing about it: a restart cannot be undone.",
            limit: "15min",
            options: &[
                ("limit", "how long the host may take to be back, and then to be ready (15min)"),
                ("times", "how many restarts to wait for, as when firmware restarts it again (1)"),
                ("stable", "how long it must stay up without another restart (30s)"),
                ("ready", "a closure that gets the host and gives true when what runs on it is ready"),
                ("expect_new_host_key", "true: it comes back with another host key, as a new image does (false)"),
            ],
            errors: &["exit", "limit", "unreachable", "missing", "unreadable"],
            example: r#"
                let node = host("cfg-a");
                reboot(node, #{ limit: "20min", ready: |h| status(service("c1")) == "running" });"#,
            ..VerbDoc::NONE
        },
        body: reboot,
    },
    Primitive {
        doc: VerbDoc {
            name: "expect_new_host_key",
            signatures: &["expect_new_host_key(host)"],
            class: Some(Class::Meta),
            summary: "The host is about to be made anew and will show another SSH host key: the one it shows at the \
                      next connection is taken and counts from then on: it is kept in `host-keys/` of the state \
                      folder, and let go by removing its file there. Without it a changed key stops the run.",
            errors: &["unreachable"],
            example: r#"expect_new_host_key(host("cfg-a"));"#,
            ..VerbDoc::NONE
        },
        body: |call| expect_new_key(call, &call.host(0)?).map(|()| Dynamic::UNIT),
    },
];

fn reboot(call: &Call<'_>) -> Fallible<Dynamic> {
    let host = call.host(0)?;
    let options = Options::of(call, 1)?;
    let limit = options.span("limit")?.unwrap_or(LIMIT);
    let stable = options.span("stable")?.unwrap_or(STABLE);
    let times = options.count("times")?.unwrap_or(1).max(1);
    let ready = options.closure("ready")?;
    let before = boot_id(call, &host)?;
    if options.flag("expect_new_host_key")?.unwrap_or(false) {
        expect_new_key(call, &host)?;
    }
    let done = call.perform(restart(&host, &before, limit))?.value;
    if done.get("skipped").is_some() {
        return Ok(changes::made(&before, &done));
    }
    let mut boot = before.clone();
    for n in 1..=times {
        let what = if times == 1 { String::new() } else { format!(" {n} of {times} times") };
        let label = format!("wait until {} has restarted{what}", host.name());
        wait(call, &host, label, (rebooted(&boot), "yes".into()), Span(0), limit)?;
        boot = boot_id(call, &host)?;
    }
    let label = format!("wait until {} has been up for {stable}", host.name());
    wait(call, &host, label, (boot_probe(), boot), stable, limit)?;
    if let Some(ready) = ready {
        let what = format!("{} is ready", host.name());
        waits::until_true(call, &what, &ready, vec![Dynamic::from(host)], EVERY, limit)?;
    }
    Ok(changes::made(&before, &done))
}

/// The command that restarts the host. Nothing puts a restart back.
fn restart(host: &HostHandle, before: &Value, limit: Span) -> Effect {
    let own = host.get().reboot.clone();
    let argv = own.unwrap_or_else(|| COMMAND.map(str::to_owned).to_vec());
    let job = Job {
        verb: "reboot".to_owned(),
        means: Some(VerbMeaning::RestartsHost),
        class: Class::Once,
        argv: done_as(host.get().account.as_deref(), argv),
        args: Fields::new(),
        limit,
        goal: None,
        check: Some(rebooted(before)),
        killable: false,
        secret: None,
    };
    let undo = Undo { verb: Undo::NOTHING.to_owned(), args: Fields::new() };
    Effect { undo: Some(undo), ..on_host(host, format!("reboot({})", host.name()), Action::Job(job)) }
}

fn expect_new_key(call: &Call<'_>, host: &HostHandle) -> Fallible<()> {
    let label = format!("expect_new_host_key({})", host.name());
    call.perform(on_host(host, label, Action::Capture(Capture::NewKey))).map(drop)
}

fn boot_id(call: &Call<'_>, host: &HostHandle) -> Fallible<Value> {
    let label = format!("boot_id({})", host.name());
    Ok(call.perform(on_host(host, label, Action::Probe(boot_probe())))?.value)
}

fn boot_probe() -> Probe {
    let argv = BOOT_ID.map(str::to_owned).to_vec();
    Probe { what: "boot_id".to_owned(), exit_tells: false, ..lower::script_check(argv) }
}

/// Tells whether the host has restarted since it had this boot id.
fn rebooted(since: &Value) -> Probe {
    let argv = ["sh", "-c", REBOOTED, "sh", &since.to_string()].map(str::to_owned).to_vec();
    let args = lower::args([("since", since.clone())]);
    Probe { what: "rebooted".to_owned(), args, ..lower::script_check(argv) }
}

fn wait(
    call: &Call<'_>,
    host: &HostHandle,
    label: String,
    (probe, wanted): (Probe, Value),
    stays: Span,
    limit: Span,
) -> Fallible<()> {
    let until = Until { probe, wants: vec![wanted], every: EVERY, stays, limit };
    call.perform(on_host(host, label, Action::Until(until))).map(drop)
}

fn on_host(host: &HostHandle, label: String, action: Action) -> Effect {
    Effect { action, label, host: Some(host.name().to_owned()), service: None, undo: None, before: None }
}
