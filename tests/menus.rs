//! Every word that baton offers at a prompt is typed where it is offered. A machine is brought into a state in which
//! something is asked, the words are read from the screen, and each of them is typed in a fresh machine in that state:
//! it is understood, it does what stands beside it, and the commands that are named at the end work. The words that the
//! source knows and that no state here offers are told.

mod asked;
mod back;
mod failed;
mod session;
mod tables;

use crate::advice::{self, states};
use crate::support::Baton;
use crate::support::terminal::Session;
use states::{Act, Scene};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// What is shown, and what is typed then.
pub type Answer = (&'static str, &'static str);

/// What stands at the beginning of each new line in the editor of the REPL.
pub const FRESH: &str = "[?2004h";
/// The answer to a plan that was shown.
pub const GO_BACK: Answer = ("leave it\r\n> ", "rollback");
/// What stands for every other line.
pub const ELSE: &str = "anything else";
pub const CTRL_C: &str = "\u{3}";
pub const CTRL_D: &str = "\u{4}";
/// What is said of a word that does not fit.
const UNFIT: [&str; 9] = [
    "is none of the words",
    "stands alone",
    "needs a reason",
    "no word can",
    "no single change",
    "nothing is in doubt",
    "cannot be left out",
    "there is no command",
    "defect",
];

/// Where the words of a menu are found on the screen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// In the last lines before the prompt.
    Before,
    /// Where they were asked for with this word.
    Behind(&'static str),
    /// The same, and not all of them fit.
    Partly(&'static str),
    /// In the line that asks for them.
    InLine,
}

/// A place where words are asked for.
pub struct Menu {
    pub name: &'static str,
    /// The table of the source that has its words; none where they belong to the question.
    pub table: &'static str,
    pub make: fn() -> Scene,
    /// What is typed at the terminal.
    pub begins: &'static [&'static str],
    /// What is answered until the words are asked for.
    pub way: &'static [Answer],
    /// The parts of the prompt, as the source has it.
    pub prompt: &'static [&'static str],
    pub shown: Shown,
    /// What is said beside the words.
    pub notes: &'static [&'static str],
    pub words: Vec<Word>,
}

/// A word, and what comes of it.
pub struct Word {
    /// As it is offered.
    form: &'static str,
    typed: String,
    /// What it means here, where that is not what the table says.
    meaning: Option<&'static str>,
    /// What is put right before it is typed.
    mend: fn(&Baton),
    then: Vec<Answer>,
    code: i32,
    says: Vec<&'static str>,
    /// What files hold in the end; empty means that there is none.
    leaves: Vec<(&'static str, &'static str)>,
    /// Commands are named before the last lines as well.
    names: bool,
}

/// A word that ends the command with this exit code.
pub fn word(form: &'static str, code: i32) -> Word {
    let typed = form.replace("REASON", "I looked at it").replace("STEP", "Third");
    let (then, says, leaves) = (Vec::new(), Vec::new(), Vec::new());
    Word { form, typed, meaning: None, mend: |_| {}, then, code, says, leaves, names: false }
}

impl Word {
    /// It is typed like this.
    pub fn typing(self, line: &str) -> Self {
        Self { typed: line.to_owned(), ..self }
    }

    pub fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning: Some(meaning), ..self }
    }

    /// Once this was put right.
    pub fn mended(self, mend: fn(&Baton)) -> Self {
        Self { mend, ..self }
    }

    /// What is asked then, and answered.
    pub fn then(mut self, shown: &'static str, typed: &'static str) -> Self {
        self.then.push((shown, typed));
        self
    }

    pub fn says(mut self, text: &'static str) -> Self {
        self.says.push(text);
        self
    }

    pub fn names(self) -> Self {
        Self { names: true, ..self }
    }

    pub fn leaves(mut self, file: &'static str, text: &'static str) -> Self {
        self.leaves.push((file, text));
        self
    }
}

/// Types a line, or presses a key that is none.
fn press(session: &mut Session, keys: &str) {
    match keys.starts_with(char::is_control) {
        true => session.presses(keys),
        false => session.types(keys),
    };
}

impl Menu {
    /// A machine on which the words are asked for, the terminal, and the words with what was said beside them.
    fn reached(&self) -> (Scene, Session, Vec<&'static str>, Vec<String>) {
        let scene = (self.make)();
        for act in &scene.acts {
            match act {
                Act::Do(deed) => deed(&scene.baton),
                Act::See(deed) => drop(deed(&scene.baton)),
                Act::Type(words) => drop(advice::types(&scene.baton, words)),
            }
        }
        let mut session =
            Session::start_with(&scene.baton, self.begins, &[("COLUMNS", "1000"), ("EDITOR", "sh editor")]);
        for (shown, typed) in self.way {
            session.shows(shown);
            press(&mut session, typed);
        }
        let mut text = self.asks(&mut session);
        if let Shown::Behind(help) | Shown::Partly(help) = self.shown {
            session.types(help);
            text = self.asks(&mut session);
        }
        let (offered, notes) = self.read(&text);
        (scene, session, offered, notes)
    }

    /// What is shown up to where a word is asked for.
    fn asks(&self, session: &mut Session) -> String {
        let seen: String = self.prompt.iter().map(|part| session.sees(part)).collect();
        seen.replace('\r', "")
    }

    /// The words that are offered in what was shown, and what else is said there.
    fn read(&self, text: &str) -> (Vec<&'static str>, Vec<String>) {
        let (mut offered, mut notes) = (Vec::new(), Vec::new());
        if self.shown == Shown::InLine {
            let line = text.lines().rfind(|line| line.contains("type `")).unwrap_or_default();
            let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
            let is_there = |form: &&str| quoted.contains(form) || **form == *ELSE && line.contains(ELSE);
            offered.extend(self.words.iter().map(|word| word.form).filter(is_there));
            let known = |quoted: &&&str| self.words.iter().any(|word| word.form == **quoted);
            notes.extend(quoted.iter().filter(|quoted| !known(quoted)).map(|quoted| (*quoted).to_owned()));
            return (offered, notes);
        }
        let rows = tables::rows(self.table);
        let block = if self.shown == Shown::Before { text.rsplit("\n\n").next().unwrap_or_default() } else { text };
        let help = if let Shown::Behind(help) = self.shown { help } else { "" };
        let is_frame = |line: &str| line == help || self.prompt.iter().any(|prompt| prompt.trim() == line);
        for line in block.lines().map(str::trim).filter(|line| !line.is_empty() && !is_frame(line)) {
            let is_of = |word: &&Word| {
                let row = rows.iter().find(|(form, _)| form == word.form).map(|(_, meaning)| meaning.as_str());
                let rest = line.strip_prefix(word.form).map(str::trim_start);
                rest.is_some_and(|rest| !rest.is_empty() && rest == word.meaning.or(row).unwrap_or_default())
            };
            match self.words.iter().find(is_of) {
                Some(word) => offered.push(word.form),
                None => notes.push(line.to_owned()),
            }
        }
        (offered, notes)
    }

    /// Types a word where it is offered, and looks at what comes of it.
    fn try_out(&self, word: &Word) {
        let (scene, mut session, offered, notes) = self.reached();
        let all: Vec<&str> = self.words.iter().map(|word| word.form).collect();
        let screen = session.screen().to_owned();
        if let Shown::Partly(_) = self.shown {
            assert!(offered.contains(&word.form), "it is not offered: {offered:?}, {notes:#?}\n{screen}");
        } else {
            assert_eq!((offered.clone(), notes), (all, tables::owned(self.notes)), "what is offered\n{screen}");
        }
        (word.mend)(&scene.baton);
        let from = screen.len();
        press(&mut session, &word.typed);
        if word.form == "help" {
            assert_eq!(self.read(&self.asks(&mut session)).0, offered, "help\n{}", session.screen());
        }
        for (shown, typed) in &word.then {
            session.shows(shown);
            press(&mut session, typed);
        }
        let code = session.ends();
        let said = session.screen()[from..].replace('\r', "");
        assert_eq!(code, word.code, "exit code\n{said}");
        // As it was before it was broken into lines.
        let in_one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let unfit: Vec<&&str> = UNFIT.iter().filter(|text| in_one_line.contains(**text)).collect();
        assert!(unfit.is_empty(), "it says {unfit:?}\n{said}");
        for text in &word.says {
            assert!(in_one_line.contains(text), "it does not say {text:?}\n{said}");
        }
        for (file, text) in &word.leaves {
            let held = std::fs::read_to_string(scene.baton.folder().join(file)).unwrap_or_default();
            assert_eq!(held, *text, "{file}\n{said}");
        }
        let last = said.trim_end().rsplit("\n\n").next().filter(|_| !word.names).unwrap_or(&said);
        let (wrong, tried) = advice::tried(&scene, last, self.name);
        assert!(wrong.is_empty(), "what is named then does not work:\n{}\n--- it said\n{said}", wrong.join("\n"));
        assert!(tried > 0, "no command is named then\n{said}");
    }
}

/// Types each word of each menu. All that is wrong is told.
fn try_all(menus: &[Menu]) {
    let todo: Vec<(&Menu, &Word)> = menus.iter().flat_map(|menu| menu.words.iter().map(move |w| (menu, w))).collect();
    let (todo, wrong) = (Mutex::new(todo), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((menu, word)) = todo.lock().expect("what is to be done").pop() else { return };
                    let Err(why) = catch_unwind(AssertUnwindSafe(|| menu.try_out(word))) else { continue };
                    let said = why.downcast_ref::<String>().cloned();
                    let said = said.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    let line = format!("{}: `{}`: {}", menu.name, word.typed, said.unwrap_or_default());
                    wrong.lock().expect("what is wrong").push(line);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("what is wrong");
    assert!(wrong.is_empty(), "{} words do not work:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_word_after_a_failure_does_what_stands_beside_it() {
    try_all(&failed::menus());
}

#[test]
fn every_word_in_doubt_and_after_a_mistake_does_what_stands_beside_it() {
    try_all(&failed::stopped());
}

#[test]
fn every_word_on_the_way_back_does_what_stands_beside_it() {
    try_all(&back::menus());
}

#[test]
fn every_word_while_a_run_is_given_up_does_what_stands_beside_it() {
    try_all(&back::given_up());
}

#[test]
fn every_word_of_a_question_answers_it() {
    try_all(&asked::questions());
}

#[test]
fn every_word_before_an_effect_does_what_stands_beside_it() {
    try_all(&asked::steps());
}

#[test]
fn every_command_of_a_session_does_what_stands_beside_it() {
    try_all(&session::menus());
}

fn all() -> Vec<Menu> {
    let all = [failed::menus(), failed::stopped(), back::menus(), back::given_up()];
    all.into_iter().flatten().chain(asked::questions()).chain(asked::steps()).chain(session::menus()).collect()
}

#[test]
fn every_word_that_the_source_knows_is_offered_in_some_state() {
    let menus = all();
    let mut unseen = Vec::new();
    for (table, rows) in tables::of_menus() {
        let offered = |form: &str| {
            let mut words = menus.iter().filter(|menu| menu.table == table).flat_map(|menu| &menu.words);
            words.any(|word| word.form == form)
        };
        unseen.extend(rows.into_iter().filter(|(form, _)| !offered(form)).map(|(form, _)| format!("{table}: {form}")));
    }
    assert!(unseen.is_empty(), "no state here offers these: {unseen:#?}");
    let unasked: Vec<Vec<String>> =
        tables::prompts().into_iter().filter(|prompt| !menus.iter().any(|menu| *prompt == menu.prompt)).collect();
    assert!(unasked.is_empty(), "no state here shows these prompts: {unasked:#?}");
}
