//! Every command that an ending or an error names is tried in the state in which it is named. A machine is brought into
//! each state that a run can be in; what baton says there is searched for commands, and each of them is typed as it is
//! printed, in a copy of that state. What they say in turn is searched as well. A new hint is tried without anybody
//! naming it here, and one that no state brings forth is noticed: the source says which there are.

mod said;
mod source;
pub mod states;

use crate::support::{Baton, Ended};
use baton::journal::Store;
use baton::journal::history::History;
use baton::journal::sqlite::SqliteStore;
use said::{Told, told};
use states::{Act, Scene};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// How many commands behind each other are followed.
const DEPTH: usize = 2;
/// Commands that do something to a run.
const ACTS: [&str; 6] = ["run", "resume", "rollback", "abort", "takeover", "approve"];

/// What a command line says, on a screen so wide that nothing is broken into lines.
pub fn types(baton: &Baton, words: &[&str]) -> Ended {
    Ended::from(baton.command(words).env("COLUMNS", "1000").output().expect("starts the binary"))
}

/// The state folders that a scene may have.
const STATES: [&str; 2] = ["state", "elsewhere"];

/// A folder as it was.
pub struct Copy(tempfile::TempDir);

impl Copy {
    pub fn of(folder: &Path) -> Self {
        let copy = Self(tempfile::tempdir().expect("a folder"));
        carry(folder, copy.0.path());
        copy
    }

    /// Folders stay the same ones: a state folder that was made anew is another.
    pub fn restore(&self, folder: &Path) {
        clear(folder, &STATES.map(|kept| folder.join(kept)));
        carry(self.0.path(), folder);
    }
}

/// Empties a folder; these in it stay the ones that they are: a run stays with its state folder, not with a copy.
fn clear(folder: &Path, kept: &[PathBuf]) {
    for entry in std::fs::read_dir(folder).expect("lists").flatten() {
        let path = entry.path();
        let gone = match path.is_dir() {
            true if kept.contains(&path) => {
                clear(&path, kept);
                Ok(())
            }
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        gone.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }
}

fn carry(from: &Path, to: &Path) {
    let all: PathBuf = from.join(".");
    assert!(Command::new("cp").arg("-a").arg(all).arg(to).status().expect("cp").success());
}

/// How the runs of a machine stand, in all its state folders: how many records each has, and how it ended.
fn standing(baton: &Baton) -> BTreeMap<String, (u64, String)> {
    let folders = STATES.map(|folder| baton.folder().join(folder));
    folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| standing_in(folder)).collect()
}

fn standing_in(state: &Path) -> BTreeMap<String, (u64, String)> {
    let Ok(store) = SqliteStore::open(state) else { return BTreeMap::new() };
    let runs = store.runs().unwrap_or_default();
    let stands = |run: &String| {
        let history = History::from(store.read(run).ok()?).ok()?;
        Some((history.len(), format!("{:?} {:?}", history.last_ending(), history.way_back())))
    };
    runs.iter().filter_map(|run| Some((run.clone(), stands(run)?))).collect()
}

/// Everything that was found out, over all scenes.
#[derive(Default)]
struct Findings {
    /// The commands as they were printed, each once.
    printed: BTreeSet<String>,
    /// What does not work.
    wrong: Vec<String>,
    tried: usize,
}

/// Walks through everything that is said in one scene.
struct Walk<'a> {
    scene: &'a Scene,
    known: BTreeSet<String>,
    findings: &'a Mutex<Findings>,
}

impl Walk<'_> {
    fn baton(&self) -> &Baton {
        &self.scene.baton
    }

    /// Tries all that is named in what was said, and what is named then.
    fn follow(&mut self, ended: &Ended, depth: usize, way: &str) {
        let found: Vec<Told> = told(&ended.out).into_iter().chain(told(&ended.err)).collect();
        self.findings.lock().expect("the findings").printed.extend(found.iter().map(|told| told.printed.clone()));
        let before = standing(self.baton());
        let fresh: Vec<Told> = found.into_iter().filter(|told| self.is_new(told, &before)).collect();
        if fresh.is_empty() || depth == 0 {
            return;
        }
        let copy = Copy::of(self.baton().folder());
        for told in fresh {
            self.try_out(&told, depth, way);
            if !self.scene.is_alive {
                copy.restore(self.baton().folder());
            }
        }
    }

    /// Whether this was not tried yet with the runs standing as they do.
    fn is_new(&mut self, told: &Told, standing: &BTreeMap<String, (u64, String)>) -> bool {
        let endings: Vec<&String> = standing.values().map(|(_, ending)| ending).collect();
        self.known.insert(format!("{} {endings:?}", told.printed))
    }

    fn try_out(&mut self, told: &Told, depth: usize, way: &str) {
        if let Some(left) = &told.left {
            self.complain(way, told, &format!("`{left}` stands behind the command, and cannot be typed with it"), None);
            return;
        }
        if told.is_after_mending {
            (self.scene.mend)(self.baton());
        }
        let Some(words) = self.scene.filled(told) else {
            self.complain(way, told, "nobody can tell what stands for its placeholders", None);
            return;
        };
        let before = standing(self.baton());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Who is asked before each change sits at a terminal.
        let steps = self.scene.steps && words[0] == "resume";
        let ended = if steps { states::at_a_step(self.baton(), &words, "go") } else { types(self.baton(), &words) };
        let after = standing(self.baton());
        self.findings.lock().expect("the findings").tried += 1;
        // What must be said or confirmed first is asked for, with the command that says it.
        let asks = ["--yes", "--happened"].iter().any(|flag| ended.err.contains(flag));
        let moved = after != before || asks;
        let wrong = ended.err.lines().filter(|line| line.starts_with("error:")).find(|line| {
            ["cannot ", "refused", "no such ", "is none of", "there is no run"].iter().any(|word| line.contains(word))
        });
        let acts = ACTS.contains(&words[0]) && words.last() != Some(&"--help");
        let looks = words[0] == "approve" && words.len() < 3;
        // Who enters a session and leaves it again finds the run as it was, and as it had ended.
        let entered = words[0] == "repl" && ended.err.contains("go on by hand:");
        // A mistake in the text is met once more: a command that does not fit writes nothing.
        let met_again = ended.code == 2 && after != before;
        if matches!(ended.code, 2 | 8 | -1) && !entered && !met_again {
            self.complain(way, told, "it is refused", Some(&ended));
        } else if let Some(line) = wrong.filter(|_| !entered) {
            self.complain(way, told, &format!("it says {line:?}"), Some(&ended));
        } else if acts && !looks && !moved && !told.is_dry() {
            self.complain(way, told, "it does nothing", Some(&ended));
        } else if !acts && ended.code != 0 && words[0] != "repl" {
            self.complain(way, told, "it fails", Some(&ended));
        }
        self.follow(&ended, depth - 1, &format!("{way} → baton {}", words.join(" ")));
    }

    fn complain(&self, way: &str, told: &Told, what: &str, ended: Option<&Ended>) {
        let said = ended.map(|ended| format!(" (exit {})\n{}{}", ended.code, ended.out, ended.err)).unwrap_or_default();
        let text = format!("{way}\n    {} : {what}{said}", told.printed);
        self.findings.lock().expect("the findings").wrong.push(text);
    }
}

/// What does not work of the commands in a text, each tried in a copy of this state; and how many there are.
pub fn tried(scene: &Scene, text: &str, way: &str) -> (Vec<String>, usize) {
    let findings = Mutex::new(Findings::default());
    let said = Ended { code: 0, out: text.to_owned(), err: String::new() };
    Walk { scene, known: BTreeSet::new(), findings: &findings }.follow(&said, 1, way);
    let Findings { wrong, tried, .. } = findings.into_inner().expect("the findings");
    (wrong, tried)
}

/// Brings a machine into a state and follows what is said on the way there and in it.
fn walk(make: fn() -> Scene, findings: &Mutex<Findings>) {
    let scene = make();
    let mut walk = Walk { scene: &scene, known: BTreeSet::new(), findings };
    let mut way = scene.name.to_owned();
    for act in &scene.acts {
        match act {
            Act::Do(deed) => deed(&scene.baton),
            Act::See(deed) => walk.follow(&deed(&scene.baton), DEPTH, &way),
            Act::Type(words) => {
                way = format!("{way}: baton {}", words.join(" "));
                let ended = types(&scene.baton, words);
                walk.follow(&ended, DEPTH, &way);
            }
        }
    }
    let state = (!scene.is_alive).then(|| Copy::of(scene.baton.folder()));
    for words in scene.looks() {
        let ended = types(&scene.baton, words);
        let copy = state.as_ref();
        walk.follow(&ended, DEPTH - 1, &format!("{way}, baton {}", words.join(" ")));
        copy.iter().for_each(|copy| copy.restore(scene.baton.folder()));
    }
    (scene.over)(&scene.baton);
}

#[test]
fn every_command_that_is_named_works_in_the_state_in_which_it_is_named() {
    let findings = Mutex::new(Findings::default());
    let scenes = Mutex::new(states::ALL.to_vec());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(make) = scenes.lock().expect("the scenes").pop() else { return };
                    walk(make, &findings);
                }
            });
        }
    });
    let Findings { printed, wrong, tried } = findings.into_inner().expect("the findings");
    assert!(wrong.is_empty(), "{} of {tried} commands do not work:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(tried > 100, "only {tried} commands were tried");
    let unseen = source::unseen(&printed);
    assert!(unseen.is_empty(), "no state brings these forth; printed was {printed:#?}\nnever: {unseen:#?}");
}
