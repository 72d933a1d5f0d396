//! What the README shows is what is printed: its samples of the lab are made anew and compared word by word. Times, how
//! long things took, the identities of runs, and folders are those of another night.

use crate::advice::types;
use crate::support::Baton;
use baton::platform::desk;

const README: &str = include_str!("../README.md");
const SPEED: &str = "100";
/// Where the README says that it is shortened.
const SHORTENED: &str = "…";

/// The sample that has this line.
fn sample(line: &str) -> &'static str {
    let mut samples = README.split("```").skip(1).step_by(2);
    samples.find(|sample| sample.lines().any(|one| one.starts_with(line))).expect("the README has that sample")
}

/// The words of a text, those of another night as what they are.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace().map(generic) {
        let counts = word == "s" && words.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if counts {
            words.pop();
        }
        let word = if counts { "SPAN".to_owned() } else { word };
        if word != "SPAN" || words.last().is_none_or(|last| last != "SPAN") {
            words.push(word);
        }
    }
    words
}

fn generic(word: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if word.split(':').count() == 3 && word.split(':').all(digits) {
        return "TIME".to_owned();
    }
    let span = word.trim_end_matches(',');
    let number = span.trim_end_matches(|c: char| c.is_ascii_lowercase());
    if ["ms", "s", "min", "h"].contains(&&span[number.len()..]) && number.split('.').all(digits) {
        return "SPAN".to_owned();
    }
    let bare = word.trim_end_matches(',');
    if bare.len() == 28 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return "RUN".to_owned();
    }
    if word.ends_with("/labs/genesys") {
        return "LAB".to_owned();
    }
    word.split_once("8.5.101.10-").map_or_else(|| word.to_owned(), |(before, _)| format!("{before}8.5.101.10-N"))
}

/// Each part of a sample is in what was printed, in the same order. `$` begins a command, not a line of it.
#[track_caller]
fn is_printed(sample: &str, printed: &str) {
    let who = desk::who();
    let printed: Vec<&str> = printed.lines().filter(|line| !line.contains("    … wait   ")).collect();
    let printed = words(&printed.join("\n"));
    let (mut from, mut part) = (0, String::new());
    let end = [SHORTENED];
    for line in sample.lines().skip(1).chain(end) {
        let stops = line == SHORTENED || line.starts_with("$ ");
        if !stops {
            let own = line.replace("by root on vm", &format!("by {} on {}", who.user, who.host));
            part += &format!("{own}\n");
            continue;
        }
        let wanted = words(&part);
        let mut places = printed[from..].windows(wanted.len().max(1));
        let found = wanted.is_empty().then_some(0).or_else(|| places.position(|place| place == wanted));
        let at =
            found.unwrap_or_else(|| panic!("is not printed (any more):\n{part}\nbut this is:\n{}", printed.join(" ")));
        from += at + wanted.len();
        part.clear();
    }
}

/// What a command prints in a lab.
fn printed(baton: &Baton, command: &[&str], code: i32) -> String {
    let ended = types(baton, command).code(code);
    format!("{}{}", ended.out, ended.err)
}

const RUN: [&str; 6] = ["run", "genesys/confserv-ha", "--lab", "genesys", "--speed", SPEED];

#[test]
fn the_first_sample_is_what_an_upgrade_in_the_lab_prints() {
    let baton = Baton::new();
    is_printed(sample("✓ done  genesys/confserv-ha, 17 steps"), &printed(&baton, &RUN, 0));
}

#[test]
fn a_question_that_nobody_answers_is_shown_as_it_is_printed() {
    let baton = Baton::new();
    let asked = printed(&baton, &[&RUN[..], &["--no-operator"]].concat(), 4);
    let approve = ["approve", "latest", "components-first", "--as", "Anna Berg", "--note", "CHG-4711"];
    is_printed(sample("$ baton approve latest"), &(asked + printed(&baton, &approve, 0).as_str()));
}

#[test]
fn a_way_back_is_shown_as_it_is_printed() {
    let baton = Baton::new();
    baton.run(&[&RUN[..], &["--until", "8"]].concat()).code(4);
    let plan = printed(&baton, &["rollback", "latest"], 4);
    is_printed(
        sample("$ baton rollback latest"),
        &(plan + printed(&baton, &["rollback", "latest", "--yes"], 6).as_str()),
    );
}

#[test]
fn what_eject_writes_is_shown_as_it_is_printed() {
    let baton = Baton::new();
    is_printed(sample("$ baton eject"), &printed(&baton, &["eject", "genesys/confserv-ha"], 0));
}
