//! Handles of the inventory: `host`, `service`, `pair`, and what can be read off them. Which member of a pair runs as
//! primary is observed each time; the inventory only knows what is configured.

use super::primitive::Primitive;
use super::probes;
use crate::model::run::effect::{Class, FailureKind};
use crate::model::site::inventory::{Host, Inventory, Pair, Service};
use crate::model::text::did_you_mean;
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::{ProbeLook, VerbDoc};
use crate::script::calls::failure;
use crate::script::calls::options::Options;
use crate::script::values::handles::{self, Handle, HostHandle, Listed, PairHandle, ServiceHandle};
use crate::script::values::sort::Sort;
use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Module, NativeCallContext};
use std::collections::BTreeSet;
use std::rc::Rc;

pub(super) const PRIMITIVES: &[Primitive] = &[
    Primitive {
        doc: VerbDoc {
            name: "host",
            signatures: &["host(name)"],
            summary: "A machine of the inventory. Has `.name`, `.address` and `.tags`.",
            example: r#"run(host("cfg-a"), ["sync"]);"#,
            ..VerbDoc::NONE
        },
        body: find::<Host>,
    },
    Primitive {
        doc: VerbDoc {
            name: "service",
            signatures: &["service(name)"],
            summary: "A managed program of the inventory. Has `.name`, `.host`, `.product`, `.tags` and `.var(\"x\")`.",
            example: r#"let c1 = service("c1"); note(`${c1.name} runs on ${c1.host}`);"#,
            ..VerbDoc::NONE
        },
        body: find::<Service>,
    },
    Primitive {
        doc: VerbDoc {
            name: "pair",
            signatures: &["pair(name)"],
            summary: "Two services of which one is primary. Has `.name`, `.configured_primary`, `.configured_backup`, \
                      `.members`, and the related services of the inventory by their word, such as `.database`.",
            example: r#"let confserv = pair("confserv"); backup(confserv.database);"#,
            ..VerbDoc::NONE
        },
        body: find::<Pair>,
    },
    Primitive {
        doc: VerbDoc {
            name: "services",
            gives: Some(Sort::List),
            signatures: &["services()", "services(options)"],
            summary: "The services of the inventory, in the order of their names: all, or those that are as the \
                      options say. A text in place of the options is a product. Where none is, the list is empty.",
            options: &[
                ("product", "only those of this product"),
                ("host", "only those on this host"),
                ("tag", "only those with this word among their `tags`, or those of their host"),
            ],
            example: r#"for one in services(#{ product: "genesys-confserv", tag: "site-a" }) { note(one.name); }"#,
            ..VerbDoc::NONE
        },
        body: services,
    },
    Primitive {
        doc: VerbDoc {
            name: "hosts",
            gives: Some(Sort::List),
            signatures: &["hosts()", "hosts(options)"],
            summary: "The hosts of the inventory, in the order of their names: all, or those with a tag.",
            options: &[("tag", "only those with this word among their `tags`")],
            example: r#"parallel(hosts(#{ tag: "site-a" }), |node| run(node, ["sync"]));"#,
            ..VerbDoc::NONE
        },
        body: hosts,
    },
    Primitive {
        doc: VerbDoc {
            name: "primary",
            looks_at: Some(ProbeLook::Decides("role")),
            signatures: &["primary(pair)"],
            class: Some(Class::Probe),
            summary: "The member of a pair that runs as primary now: asks both members for their role. Fails unless \
                      exactly one of them is primary.",
            errors: &["guard", "unreachable", "unreadable"],
            example: r#"let c1 = pair("confserv").primary();"#,
            ..VerbDoc::NONE
        },
        body: |call| member(call, "primary"),
    },
    Primitive {
        doc: VerbDoc {
            name: "var",
            signatures: &["var(service, name)"],
            summary: "A variable of a service, as the inventory or its product's profile sets it.",
            example: r#"note(service("c1").var("app"));"#,
            ..VerbDoc::NONE
        },
        body: var,
    },
];

fn find<T: Listed>(call: &Call<'_>) -> Fallible<Dynamic> {
    let name = call.text(0)?;
    let inventory = &call.track()?.run.inventory;
    match Handle::<T>::find(inventory, &name) {
        Some(handle) => Ok(Dynamic::from(handle)),
        None => Err(call.bug_with(handles::unknown::<T>(&name, &T::names(inventory)))),
    }
}

fn services(call: &Call<'_>) -> Fallible<Dynamic> {
    let inventory = &call.track()?.run.inventory;
    let is_named = call.any(0).is_string();
    let (product, host, tag) = if is_named {
        (Some(call.text(0)?), None, None)
    } else {
        let options = Options::of(call, 0)?;
        (options.text("product")?, options.text("host")?, options.text("tag")?)
    };
    if let Some(unknown) = host.as_ref().filter(|host| !inventory.hosts.contains_key(*host)) {
        return Err(call.bug_with(handles::unknown::<Host>(unknown, &Host::names(inventory))));
    }
    let fits = |service: &Service| {
        let of_host = inventory.hosts.get(&service.host).map(|host| &host.tags);
        product.as_ref().is_none_or(|product| *product == service.profile.product)
            && host.as_ref().is_none_or(|host| *host == service.host)
            && tag.as_ref().is_none_or(|tag| service.tags.contains(tag) || of_host.is_some_and(|of| of.contains(tag)))
    };
    let found = inventory.services.values().filter(|service| fits(service)).map(|service| service.name.as_str());
    Ok(all_of::<Service>(inventory, found).into())
}

fn hosts(call: &Call<'_>) -> Fallible<Dynamic> {
    let inventory = &call.track()?.run.inventory;
    let tag = Options::of(call, 0)?.text("tag")?;
    let fits = |host: &&Host| tag.as_ref().is_none_or(|tag| host.tags.contains(tag));
    let found = inventory.hosts.values().filter(fits).map(|host| host.name.as_str());
    Ok(all_of::<Host>(inventory, found).into())
}

fn all_of<'n, T: Listed>(inventory: &Rc<Inventory>, names: impl Iterator<Item = &'n str>) -> Array {
    names.filter_map(|name| Handle::<T>::find(inventory, name)).map(Dynamic::from).collect()
}

/// The member of a pair that has `role` now. Both are asked, as roles are only known by looking: a pair without a
/// primary, or with two, is for a person to sort out.
pub(super) fn member(call: &Call<'_>, role: &str) -> Fallible<Dynamic> {
    let pair = call.pair(0)?;
    let mut members = Vec::new();
    for name in [&pair.get().primary, &pair.get().backup] {
        let Some(service) = ServiceHandle::find(pair.inventory(), name) else {
            return Err(call.bug(format!("pair `{}` names service `{name}`, which does not exist", pair.name())));
        };
        let observed = probes::read(call, &service, "role", Default::default())?;
        members.push((service, observed.to_string()));
    }
    let primaries = members.iter().filter(|(_, observed)| observed == "primary").count();
    if primaries != 1 {
        let seen: Vec<String> =
            members.iter().map(|(service, observed)| format!("`{}` reads {observed}", service.name())).collect();
        let message = format!("pair `{}` has {primaries} primaries, not one: {}", pair.name(), seen.join(", "));
        return Err(call.raise(&failure::plain(FailureKind::Guard, message), None, None, None));
    }
    let wanted = members.into_iter().find(|(_, observed)| (observed == "primary") == (role == "primary"));
    Ok(wanted.map_or(Dynamic::UNIT, |(service, _)| Dynamic::from(service)))
}

fn var(call: &Call<'_>) -> Fallible<Dynamic> {
    let (service, name) = (call.service(0)?, call.text(1)?);
    let vars = &service.get().vars;
    vars.get(&name).map(|text| text.as_str().into()).ok_or_else(|| {
        let near = did_you_mean(&name, vars.keys().map(String::as_str)).map(|hint| format!("; {hint}"));
        call.bug(format!("service `{}` has no variable `{name}`{}", service.name(), near.unwrap_or_default()))
    })
}

/// What can be read off handles with a dot, compared and printed. None of it asks a host.
pub(super) fn handles(module: &mut Module) {
    common::<Host>(module, "host");
    common::<Service>(module, "service");
    common::<Pair>(module, "pair");
    module.set_getter_fn("tags", |host: &mut HostHandle| Ok(words(&host.get().tags)));
    module.set_getter_fn("tags", |service: &mut ServiceHandle| Ok(words(&service.get().tags)));
    module.set_getter_fn("address", |host: &mut HostHandle| Ok(host.get().address.clone()));
    module.set_getter_fn("host", |service: &mut ServiceHandle| Ok(service.get().host.clone()));
    module.set_getter_fn("product", |service: &mut ServiceHandle| Ok(service.get().profile.product.clone()));
    module.set_getter_fn("configured_primary", |pair: &mut PairHandle| related(pair, &pair.get().primary));
    module.set_getter_fn("configured_backup", |pair: &mut PairHandle| related(pair, &pair.get().backup));
    module.set_getter_fn("members", |pair: &mut PairHandle| {
        Ok(Array::from([related(pair, &pair.get().primary)?, related(pair, &pair.get().backup)?]))
    });
    module.set_indexer_get_fn(|context: NativeCallContext<'_>, pair: &mut PairHandle, word: ImmutableString| {
        let known = &pair.get().related;
        if let Some(name) = known.get(word.as_str()) {
            return related(pair, name);
        }
        let near = did_you_mean(&word, known.keys().map(String::as_str)).map(|hint| format!("; {hint}"));
        let near = near.unwrap_or_default();
        let message = format!("pair `{}` has no `{word}` in the inventory{near}", pair.name());
        Err(Call::begin(&context, &VerbDoc::NONE, vec![])?.bug(message))
    });
}

fn words(tags: &BTreeSet<String>) -> Array {
    tags.iter().map(|tag| Dynamic::from(tag.clone())).collect()
}

fn related(pair: &PairHandle, name: &str) -> Result<Dynamic, Box<EvalAltResult>> {
    match ServiceHandle::find(pair.inventory(), name) {
        Some(service) => Ok(Dynamic::from(service)),
        None => Err(format!("pair `{}` names service `{name}`, which does not exist", pair.name()).into()),
    }
}

fn common<T: Listed>(module: &mut Module, word: &'static str) {
    module.set_custom_type::<Handle<T>>(word);
    module.set_getter_fn("name", |handle: &mut Handle<T>| Ok(handle.name().to_owned()));
    module.set_native_fn("to_string", |handle: &mut Handle<T>| Ok(handle.name().to_owned()));
    module.set_native_fn("to_debug", move |handle: &mut Handle<T>| Ok(format!("{word}(\"{}\")", handle.name())));
    module.set_native_fn("==", |a: &mut Handle<T>, b: Handle<T>| Ok(a.name() == b.name()));
    module.set_native_fn("!=", |a: &mut Handle<T>, b: Handle<T>| Ok(a.name() != b.name()));
}
