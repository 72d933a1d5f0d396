//! What of a site a runbook can use, seen without running it: which services, hosts, probes and logs. It names rather
//! too much than too little: a word that is written anywhere in the runbook or its modules may be the name of a probe.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::model::site::inventory::{Inventory, Service};
use crate::model::site::profile::Profile;
use crate::script::calls::doc::VerbDoc;
use crate::script::compile::program::Program;
use crate::script::compile::tree::{self, CallSite};
use crate::script::primitives;
use rhai::{ASTNode, Dynamic, Expr};
use std::collections::BTreeSet;

/// What a runbook can use. Nothing is left out of which it cannot be told.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    words: BTreeSet<String>,
    calls: BTreeSet<String>,
    hosts: BTreeSet<String>,
    services: BTreeSet<String>,
    pairs: BTreeSet<String>,
    /// A host, service or pair is named by what only a run knows.
    anything: bool,
    /// A probe is named by what only a run knows.
    any_probe: bool,
}

impl Uses {
    /// Reads it off the syntax trees of a program.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut uses = Self::default();
        for unit in program.units() {
            uses.words.extend(tree::keys(&unit.ast));
            unit.ast.walk(&mut |path| {
                if let Some(node) = path.last() {
                    uses.node(node);
                }
                true
            });
        }
        uses
    }

    fn node(&mut self, node: &ASTNode<'_>) {
        match node {
            ASTNode::Expr(Expr::StringConstant(text, _)) => {
                self.words.insert(text.to_string());
            }
            ASTNode::Expr(Expr::DynamicConstant(value, _)) => self.value(value),
            _ => {}
        }
        if let Some(site) = tree::call_site(node) {
            self.call(&site);
        }
    }

    fn value(&mut self, value: &Dynamic) {
        if let Some(list) = value.read_lock::<rhai::Array>() {
            list.iter().for_each(|item| self.value(item));
        } else if let Some(map) = value.read_lock::<rhai::Map>() {
            for (key, item) in map.iter() {
                self.words.insert(key.to_string());
                self.value(item);
            }
        } else if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
            self.words.insert(text.to_string());
        }
    }

    fn call(&mut self, site: &CallSite<'_>) {
        self.calls.insert(site.name.to_owned());
        let arg = |at: usize| site.args.get(at).and_then(tree::literal_text);
        let named = match site.name {
            "host" | "service" | "pair" if site.namespace.is_none() && site.arity() == 1 => arg(0),
            "probe" | "wait_probe" => {
                // A name that is put together of parts is none that stands anywhere.
                let name = site.args.get(usize::from(!site.method));
                self.any_probe |= matches!(name, Some(Expr::InterpolatedString(..)));
                return;
            }
            _ => return,
        };
        match (site.name, named) {
            ("host", Some(name)) => self.hosts.insert(name),
            ("service", Some(name)) => self.services.insert(name),
            (_, Some(name)) => self.pairs.insert(name),
            (_, None) => {
                self.anything = true;
                false
            }
        };
    }

    /// The services it can use, in the order of the inventory.
    #[must_use]
    pub fn services<'i>(&self, site: &'i Inventory) -> Vec<&'i Service> {
        let mut names: BTreeSet<&str> = self.services.iter().map(String::as_str).collect();
        for pair in self.pairs.iter().filter_map(|name| site.pairs.get(name)) {
            names.extend([pair.primary.as_str(), pair.backup.as_str()]);
            let related = pair.related.iter().filter(|(word, _)| self.words.contains(*word));
            names.extend(related.map(|(_, name)| name.as_str()));
        }
        site.services.values().filter(|service| self.anything || names.contains(service.name.as_str())).collect()
    }

    /// The pairs it can use.
    #[must_use]
    pub fn pair(&self, name: &str) -> bool {
        self.anything || self.pairs.contains(name)
    }

    /// Whether it can use a host beside those of its services.
    #[must_use]
    pub fn host(&self, name: &str) -> bool {
        self.anything || self.hosts.contains(name)
    }

    /// Whether it can read this probe of a service with this profile.
    #[must_use]
    pub fn probe(&self, profile: &Profile, name: &str) -> bool {
        let reads = |doc: &VerbDoc| doc.looks_at.is_some_and(|look| look.probe() == name);
        let implied = self.called().any(reads);
        let by_verb = profile.verbs.iter().any(|(verb, about)| {
            let called = self.calls.contains(verb) || self.words.contains(verb);
            let goal = about.goal.as_ref().is_some_and(|goal| goal.probe == name);
            let check = || profile.probes.get(name).is_some_and(|reader| about.check.as_ref() == Some(&reader.argv));
            called && (goal || check())
        });
        self.any_probe || implied || by_verb || self.words.contains(name) || self.calls.contains(name)
    }

    /// The primitives it calls.
    fn called(&self) -> impl Iterator<Item = &'static VerbDoc> {
        self.calls.iter().filter_map(|name| primitives::find(name))
    }

    /// Whether it looks at logs.
    #[must_use]
    pub fn logs(&self) -> bool {
        self.called().any(|doc| doc.log)
    }
}
