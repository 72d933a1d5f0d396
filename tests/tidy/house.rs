//! The house as a whole: which file knows of which, what is defined where. It reads all files at once and judges what
//! no single file shows; it knows nothing of floors.

use super::source::{Path, Source};
use std::collections::{BTreeMap, BTreeSet};

/// A file by its path below `src/`, as modules: `cli`, `commands`, `run`.
type Module = Vec<String>;

/// All sources of the house.
pub(super) struct House {
    sources: BTreeMap<Module, Source>,
    /// What a file offers under its own name, and where that is from.
    offered: BTreeMap<Module, BTreeMap<String, Module>>,
}

impl House {
    pub(super) fn new(files: impl Iterator<Item = (Module, String)>) -> Self {
        let sources = files.map(|(module, text)| (module, Source::new(&text))).collect();
        let mut house = Self { sources, offered: BTreeMap::new() };
        for (module, source) in &house.sources {
            let paths = source.offered().into_iter();
            let found = paths.filter_map(|path| Some((path.parts.last()?.clone(), house.absolute(module, &path)?)));
            house.offered.insert(module.clone(), found.collect());
        }
        house
    }

    /// Files that know of each other, directly or by way of others: every such group, in order.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let edges: BTreeMap<&Module, BTreeSet<Module>> =
            self.sources.iter().map(|(module, source)| (module, self.known_to(module, source))).collect();
        let reached = |from: &Module| {
            let (mut found, mut next) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(at) = next.pop() {
                for to in edges.get(&at).into_iter().flatten() {
                    if found.insert(to.clone()) {
                        next.push(to.clone());
                    }
                }
            }
            found
        };
        let reach: BTreeMap<&Module, BTreeSet<Module>> =
            edges.keys().map(|module| (*module, reached(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, there) in &reach {
            let back: Vec<String> = there
                .iter()
                .filter(|other| reach.get(other).is_some_and(|theirs| theirs.contains(*module)))
                .map(|other| other.join("/"))
                .collect();
            if back.len() > 1 {
                circles.insert(back);
            }
        }
        circles.into_iter().collect()
    }

    /// Files of a room that know of a folder which comes after their own, with which file that is.
    pub(super) fn climbs(&self, room: &str, folders: &[&str]) -> Vec<String> {
        let floor = |module: &Module| match module.as_slice() {
            [first, folder, ..] if first == room => folders.iter().position(|name| name == folder),
            _ => None,
        };
        let mut found = Vec::new();
        for (module, source) in &self.sources {
            let Some(own) = floor(module) else { continue };
            let above = |target: &Module| floor(target).is_some_and(|floor| floor > own);
            let targets = self.known_to(module, source).into_iter().filter(above);
            found.extend(targets.map(|target| format!("{} knows {}", module.join("/"), target.join("/"))));
        }
        found
    }

    /// Types that are defined more than once, with where.
    pub(super) fn doubles(&self) -> Vec<String> {
        self.places_of(Source::types)
            .into_iter()
            .map(|(name, places)| format!("`{name}`: {}", places.join(", ")))
            .collect()
    }

    /// Types whose own functions stand in several files, with where.
    pub(super) fn scattered(&self) -> Vec<String> {
        self.places_of(Source::extended)
            .into_iter()
            .map(|(name, places)| format!("`{name}`: {}", places.join(", ")))
            .collect()
    }

    fn places_of(&self, named: impl Fn(&Source) -> BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (module, source) in &self.sources {
            for name in named(source) {
                places.entry(name).or_default().push(module.join("/"));
            }
        }
        places.retain(|_, places| places.len() > 1);
        places
    }

    /// The files that this one names things of.
    fn known_to(&self, module: &Module, source: &Source) -> BTreeSet<Module> {
        let used = source.paths().into_iter().filter(|path| !path.is_scope && !source.in_test(path.line));
        let offered: BTreeSet<Module> =
            source.offered().iter().filter_map(|path| self.absolute(module, path)).collect();
        let targets = used.filter_map(|path| self.absolute(module, &path)).filter(|path| !offered.contains(path));
        targets.filter_map(|path| self.origin(path)).filter(|target| target != module).collect()
    }

    /// Where a path leads from the root of the crate; nothing when it leaves it.
    fn absolute(&self, module: &Module, path: &Path) -> Option<Module> {
        let first = path.parts.first()?;
        let climbs = path.parts.iter().take_while(|part| *part == "super").count();
        let rest = |from: usize| path.parts[from..].iter().cloned();
        if first == "crate" {
            return Some(rest(1).collect());
        }
        if climbs > 0 {
            let up = climbs.checked_sub(path.depth)?;
            let base = module.len().checked_sub(up)?;
            return Some(module[..base].iter().cloned().chain(rest(climbs)).collect());
        }
        let here: Module = module.iter().cloned().chain(rest(usize::from(first == "self"))).collect();
        let is_child = self.sources.contains_key(&here[..(module.len() + 1).min(here.len())]);
        (first == "self" || path.parts.len() > 1 && is_child).then_some(here)
    }

    /// The file that what is named by this path stands in.
    fn origin(&self, mut path: Module) -> Option<Module> {
        for _ in 0..4 {
            let length = (1..=path.len()).rev().find(|length| self.sources.contains_key(&path[..*length]))?;
            let (file, rest) = path.split_at(length);
            match rest.first().and_then(|name| self.offered.get(file)?.get(name)) {
                Some(origin) => path = origin.iter().cloned().chain(rest[1..].iter().cloned()).collect(),
                None => return Some(file.to_vec()),
            }
        }
        None
    }
}
