//! What a dead runner left under way is looked at, and waited for, before anything is done beside it: when a run is
//! given up, taken back or gone on with, and when it was typed in the REPL.

use crate::support::{Baton, Ended};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

const SITE: &str = "[hosts.a]\naddress = \"local\"\n";
/// What is owed and a step that takes a while.
const OWES: &str = r#"//! Owes
ensure("owed", || run(host("a"), ["sh", "-c", "echo owed >> log"]));
step("one", || run(host("a"), ["sh", "-c", "echo $PPID $$ > group; echo begin >> log; sleep 4; echo end >> log"]));
"#;
/// An undo that takes a while.
const BACK: &str = r#"//! Goes back slowly
ensure("owed", || run(host("a"), ["sh", "-c", "echo owed >> log"]));
step("one", || run(host("a"), ["sh", "-c", "echo one >> log"]), #{
    undo: || run(host("a"), ["sh", "-c", "echo begin >> log; sleep 4; echo end >> log"])
});
step("two", || guard(false, "no further"));
"#;
/// Two steps for the REPL.
const TWO: &str = r#"//! Two
step("one", || run(host("a"), ["sh", "-c", "echo one >> log"]), #{
    undo: || run(host("a"), ["sh", "-c", "echo undone >> log"])
});
step("two", || run(host("a"), ["sh", "-c", "echo two >> log"]));
"#;
/// A typed line that takes a while.
const TYPED: &str =
    "run(host(\"a\"), [\"sh\", \"-c\", \"echo $PPID $$ > group; echo begin >> log; sleep 4; echo end >> log\"])\n";

fn machine(text: &str) -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", SITE).write("r.rhai", text);
    baton
}

fn log(baton: &Baton) -> Vec<String> {
    let text = std::fs::read_to_string(baton.folder().join("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until the log has this line.
#[track_caller]
fn has_come_to(baton: &Baton, line: &str) {
    let begun = Instant::now();
    while !log(baton).iter().any(|known| known == line) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came to `{line}`: {:?}", log(baton));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Begins with these words, and kills the runner once the log has this line.
fn killed_at(baton: &Baton, words: &[&str], line: &str) {
    let mut runner = baton.spawn(words);
    has_come_to(baton, line);
    runner.kill().expect("kills the runner");
    runner.wait().expect("buries the runner");
}

/// Types into the REPL, and kills it once the log has this line.
fn typed_and_killed(baton: &Baton, words: &[&str], lines: &str, at: &str) {
    let mut repl = baton.command(&[&["repl"], words].concat());
    let mut repl = repl.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let mut input = repl.stdin.take().expect("its input");
    input.write_all(lines.as_bytes()).expect("types");
    has_come_to(baton, at);
    repl.kill().expect("kills the REPL");
    repl.wait().expect("buries the REPL");
}

/// Kills the supervisor of the job that is under way, and the job.
fn job_killed(baton: &Baton) {
    let text = std::fs::read_to_string(baton.folder().join("group")).expect("the group");
    let numbers: Vec<i32> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [supervisor, job] = [numbers[0], numbers[1]].map(|id| Pid::from_raw(id).expect("a process"));
    kill_process(supervisor, Signal::KILL).expect("kills the supervisor");
    kill_process_group(job, Signal::KILL).expect("kills the job");
}

#[track_caller]
fn stands(baton: &Baton, wanted: &[&str], ended: &Ended) {
    assert_eq!(log(baton), wanted, "--- it said\n{}{}", ended.out, ended.err);
}

#[test]
fn who_gives_a_run_up_waits_for_what_is_under_way_before_what_is_owed() {
    let baton = machine(OWES);
    killed_at(&baton, &["run", "r.rhai", "-i", "site.toml"], "begin");
    let ended = baton.run(&["abort", "latest", "--reason", "x"]).code(1).says("given up").says("2 changes");
    stands(&baton, &["begin", "end", "owed"], &ended);
    assert!(!ended.in_one_line().contains("nobody knows"), "{}", ended.out);
}

#[test]
fn what_nobody_knows_of_when_a_run_is_given_up_is_named() {
    let baton = machine(OWES);
    killed_at(&baton, &["run", "r.rhai", "-i", "site.toml"], "begin");
    job_killed(&baton);
    let ended = baton.run(&["abort", "latest", "--reason", "x"]).code(1);
    stands(&baton, &["begin", "owed"], &ended);
    let unknown = "nobody knows what became of: run(a, sh -c echo $PPID $$ > group;";
    for told in [ended, baton.run(&["show", "latest"])] {
        assert!(told.in_one_line().contains(unknown) && told.in_one_line().contains("is in doubt"), "{}", told.out);
    }
    // What was in doubt before is no better known.
    let baton = machine(OWES);
    killed_at(&baton, &["run", "r.rhai", "-i", "site.toml"], "begin");
    job_killed(&baton);
    baton.run(&["resume", "latest"]).code(5);
    let ended = baton.run(&["abort", "latest", "--reason", "x"]).code(1);
    assert!(ended.in_one_line().contains(unknown), "{}", ended.out);
}

#[test]
fn an_undo_under_way_comes_to_its_end_before_a_way_back_is_given_up() {
    let baton = machine(BACK);
    baton.run(&["run", "r.rhai", "-i", "site.toml"]).code(1);
    killed_at(&baton, &["rollback", "latest", "--yes"], "begin");
    let ended = baton.run(&["abort", "latest", "--reason", "x"]).code(1);
    stands(&baton, &["one", "begin", "end", "owed"], &ended);
}

#[test]
fn a_typed_command_under_way_is_waited_for_and_counted() {
    let baton = machine(TWO);
    typed_and_killed(&baton, &["-i", "site.toml"], TYPED, "begin");
    let ended = baton.run(&["resume", "latest"]).code(0).says("1 change");
    stands(&baton, &["begin", "end"], &ended);
    let baton = machine(TWO);
    typed_and_killed(&baton, &["r.rhai", "-i", "site.toml"], &format!(":next\n{TYPED}"), "begin");
    let ended = baton.run(&["resume", "latest"]).code(0).says("3 changes");
    stands(&baton, &["one", "begin", "end", "two"], &ended);
    let baton = machine(TWO);
    typed_and_killed(&baton, &["r.rhai", "-i", "site.toml"], &format!(":next\n{TYPED}"), "begin");
    let ended = baton.run(&["rollback", "latest", "--yes"]).code(7).says("1 of them typed in the REPL and not undone");
    stands(&baton, &["one", "begin", "end", "undone"], &ended);
}

#[test]
fn a_typed_command_in_doubt_has_to_be_settled_first() {
    let baton = machine(TWO);
    typed_and_killed(&baton, &["r.rhai", "-i", "site.toml"], &format!(":next\n{TYPED}"), "begin");
    job_killed(&baton);
    baton.run(&["resume", "latest"]).code(5).says("may or may not have happened");
    let again = baton.run(&["resume", "latest"]).code(5).says("may or may not have happened");
    stands(&baton, &["one", "begin"], &again);
    let ended = baton.run(&["resume", "latest", "--happened", "seen"]).code(0).says("3 changes");
    stands(&baton, &["one", "begin", "two"], &ended);
}

#[test]
fn a_way_back_over_typed_lines_is_one_in_part() {
    let baton = machine(TWO);
    let mut repl = baton.command(&["repl", "-i", "site.toml"]);
    let mut repl = repl.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("starts");
    let line = "run(host(\"a\"), [\"sh\", \"-c\", \"echo typed >> log\"])\n";
    repl.stdin.take().expect("its input").write_all(line.as_bytes()).expect("types");
    repl.wait().expect("ends");
    let ended = baton.run(&["rollback", "latest", "--yes"]).code(7).says("rolled back in part");
    stands(&baton, &["typed"], &ended);
    baton.run(&["runs"]).code(0).says("rolled back in part");
    baton.run(&["resume", "latest"]).code(7);
}

#[test]
fn who_takes_hosts_over_is_told_of_what_may_still_run_there() {
    let baton = machine(OWES);
    baton.write("y.rhai", "//! Other\nstep(\"y\", || run(host(\"a\"), [\"sh\", \"-c\", \"echo y >> log\"]));\n");
    killed_at(&baton, &["run", "r.rhai", "-i", "site.toml"], "begin");
    baton.run(&["run", "y.rhai", "-i", "site.toml"]).code(8);
    let runs = baton.run(&["runs"]).code(0);
    let line = runs.out.lines().find(|line| line.contains(" y ") || line.contains("y.rhai")).expect("the other run");
    let other = line.split_whitespace().next().expect("its identity");
    let told = baton.run(&["takeover", other, "--reason", "x"]).code(0).in_one_line();
    assert!(told.contains("has no end on record: it may run yet"), "{told}");
    let told = baton.run(&["resume", other]).code(0).in_one_line();
    assert!(told.contains("has no end on record: it may run yet"), "{told}");
}

#[test]
fn what_was_refused_and_never_started_is_not_told_of_as_running() {
    let baton = machine(OWES);
    baton.write("y.rhai", "//! Other\nstep(\"y\", || run(host(\"a\"), [\"sh\", \"-c\", \"echo y >> log\"]));\n");
    killed_at(&baton, &["run", "r.rhai", "-i", "site.toml"], "begin");
    let first = baton.run(&["runs"]).code(0);
    let first = first.out.lines().find(|line| line.contains(" r ") || line.contains("r.rhai")).expect("the first run");
    let first = first.split_whitespace().next().expect("its identity").to_owned();
    baton.run(&["run", "y.rhai", "-i", "site.toml"]).code(8);
    let told = baton.run(&["resume", &first]).in_one_line();
    assert!(!told.contains("has no end on record"), "the other run was refused: {told}");
}

#[test]
fn what_is_left_out_in_doubt_is_told_at_the_end() {
    let baton = machine(OWES);
    killed_at(&baton, &["run", "r.rhai", "-i", "site.toml"], "begin");
    job_killed(&baton);
    baton.run(&["resume", "latest"]).code(5);
    let ended = baton.run(&["resume", "latest", "--skip", "never mind"]).code(0);
    assert!(ended.in_one_line().contains("1 change, 1 that may have happened, left out by"), "{}", ended.out);
}
