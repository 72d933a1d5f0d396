//! At a terminal: the line editor, Ctrl-C, commands that need a person.

use super::{SPEED, stepping};
use crate::support::Baton;
use crate::support::terminal::Session;

#[test]
fn the_editor_completes_hints_and_keeps_a_private_history() {
    use std::os::unix::fs::PermissionsExt;
    let baton = Baton::new();
    let mut session = Session::start(&baton, &["repl", "--lab", "genesys", "--speed", SPEED]);
    session.shows("Ctrl-D leaves").shows("baton> ");
    session.presses("set_reado\t").shows("set_readonly").presses("(service(\"c1\"").shows("service(name)");
    // Every prompt is drawn again with each key; this is shown once, when a new line begins.
    const FRESH: &str = "[?2004h";
    session.presses("\u{3}").shows(FRESH).presses("\r").shows(FRESH);
    session.types("let x = [1,").types("2]").shows(FRESH).types("x").shows("[1, 2]").shows(FRESH);
    session.presses("\u{4}");
    assert_eq!(session.ends(), 0);
    let history = baton.state().join("repl-history");
    assert!(std::fs::read_to_string(&history).expect("the history").contains("let x"));
    assert_eq!(std::fs::metadata(&history).expect("the history").permissions().mode() & 0o777, 0o600);
}

#[test]
fn ctrl_c_gives_up_the_wait_and_not_the_program() {
    let baton = Baton::new();
    let mut session = Session::start(&baton, &["repl", "--lab", "genesys", "--speed", "10"]);
    session.shows("baton> ").types("sleep(\"50min\")");
    // The wait is on record before it can be given up.
    while !baton.run(&["show"]).out.contains("sleep") {}
    session.interrupt();
    session.shows("given up waiting").shows("`sleep").shows("line 1 was given up").shows("baton> ");
    session.types("1 + 1").shows("2\r").shows("baton> ").presses("\u{4}");
    assert_eq!(session.ends(), 0);
}

#[test]
fn every_command_answers_at_the_terminal() {
    let (baton, words) = stepping();
    let mut line = vec!["repl"];
    line.extend(words);
    let mut session = Session::start(&baton, &line);
    session.shows("next: step 1 `Look at c1`").shows("baton 1> ");
    for (command, answer) in [
        (":where", "next: step 1"),
        (":steps", "○ ahead"),
        (":plan", "○ ahead"),
        (":vars", "before = "),
        (":p before", "\""),
        (":watch before", "before = "),
        (":watch", "before"),
        (":break Unlock", "Unlock"),
        (":hosts", "pair confserv"),
        (":note seen", "seen"),
        (":help", ":next"),
        (":redo", "nothing has failed"),
        (":undo", "no step is completed"),
        (":rollback Nothing", "no step `Nothing` has begun"),
        (":save by-hand.rhai", "written: by-hand.rhai"),
    ] {
        session.types(command).shows(answer).shows("baton 1> ");
    }
    session.types(":sh cfg-a echo hello").shows("why? ").types("to try it").shows("hello").shows("baton 1> ");
    session.types(":into").shows("next: status(c1)").shows("baton 1> ").types(":next").shows("baton 2> ");
    session.types(":skip not now").shows("next: step 3").shows("baton 3> ").types(":next");
    // Behind the last step it stays: what it has come to can be looked at, and nothing more is done.
    session.shows("the run has come to its end").shows("baton> ").types(":steps").shows("✓ done    3      Unlock");
    session
        .shows("baton> ")
        .types(":p before")
        .shows("\"")
        .shows("baton> ")
        .types("status(c1)")
        .shows("the run is over");
    session.shows("baton> ").types(":next").shows("the run is over").shows("baton> ").types(":quit").shows("done");
    assert_eq!(session.ends(), 1, "some commands were wrong");
    baton.run(&["show"]).code(0).says("not now").says("to try it");
}

#[test]
fn what_the_repl_says_fits_the_terminal() {
    for columns in [40, 60, 80] {
        let (baton, words) = stepping();
        let line = [&["repl"], &words[..]].concat();
        let mut session = Session::start_with(&baton, &line, &[("COLUMNS", &columns.to_string())]);
        session
            .shows("baton 1> ")
            .types("let all = \"one two three four five six seven eight nine ten eleven twelve\"");
        session.shows("[?2004h").types(":vars").shows("  all = ").shows("baton 1> ");
        session.types(":help").shows(":next").shows("baton 1> ").types(":help wait_until").shows("baton 1> ");
        session.types(":quit");
        session.ends();
        let screen = session.screen();
        // What the line editor draws is its own, and commands are not broken.
        let said = screen.lines().filter(|line| !line.contains('\u{1b}') && !line.contains(": baton "));
        let said: Vec<&str> = said.map(|line| line.trim_end_matches('\r')).collect();
        let is_command = |line: &str| line.contains(" baton repl ");
        let wide: Vec<&&str> = said.iter().filter(|line| line.chars().count() > columns && !is_command(line)).collect();
        assert!(wide.is_empty() && said.len() > 20, "{wide:?} at {columns}:\n{screen}");
        let whole = said.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        let value = "seven eight nine ten eleven twelve";
        for part in ["Tab completes, Ctrl-D leaves", value, "readings are asked, not recorded"] {
            assert!(whole.contains(part), "{part:?} is lost at {columns}:\n{screen}");
        }
    }
}

#[test]
fn after_an_undo_the_prompt_shows_the_step_that_is_next_and_next_does_it() {
    let (baton, words) = stepping();
    let mut session = Session::start(&baton, &[&["repl"], &words[..]].concat());
    session.shows("baton 1> ").types(":next").shows("baton 2> ").types(":next").shows("baton 3> ").types(":undo");
    session.shows("type `rollback` to begin").types("rollback").shows("next: step 2 `Prepare`").shows("baton 2> ");
    session.types(":skip not now").shows(":until 2").shows("baton 2> ");
    session.types(":next").shows("next: step 3 `Unlock`").shows("baton 3> ").types(":quit");
    session.ends();
    // The second server of the pair is read-only with the first.
    let deeds = ["c1 set_readonly", "c1 unset_readonly", "c1 set_readonly"];
    assert_eq!(baton.lab_ledger("genesys"), deeds, "{}", session.screen());
}

#[test]
fn an_edited_runbook_is_gone_on_with_from_where_it_stands() {
    let (baton, words) = stepping();
    let line = [&["repl"], &words[..]].concat();
    let mut session = Session::start_with(&baton, &line, &[("VISUAL", "sed -i s/Unlock/Release/")]);
    session.shows("baton 1> ").types(":next").shows("baton 2> ").types(":edit").shows("edited: steps.rhai");
    session.shows("next: step 2 `Prepare`").shows("baton 2> ").types(":steps").shows("ahead   3      Release");
    session.types(":quit");
    session.ends();
    let page = baton.run(&["show"]).code(0).says("edited texts adopted by").says("new: \"Release\"");
    assert!(!page.out.contains("Lock c1"), "nothing is done by it: {}", page.out);
    // A copy among the runbooks would be run from then on instead of the file.
    assert!(!baton.folder().join("runbooks").exists());
}

#[test]
fn however_it_is_ended_the_terminal_takes_lines_again() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let baton = Baton::new();
        let mut session = Session::start(&baton, &["repl", "--lab", "genesys", "--speed", SPEED]);
        session.shows("baton> ").presses("1 +");
        assert!(!session.takes_lines(), "a line is being edited");
        session.signal(signal);
        session.ends();
        assert!(session.takes_lines(), "it is left as the editor had it");
    }
}

#[test]
fn a_line_that_stops_in_the_midst_shows_that_more_is_wanted() {
    let baton = Baton::new();
    let mut session = Session::start(&baton, &["repl", "--lab", "genesys", "--speed", SPEED]);
    session.shows("baton> ").types("let x = [1,").shows("...> ").types("2]").shows("baton> ");
    session.types("`open").shows("...> ").types("text`").shows("open").shows("baton> ");
    // In plain quotes a text ends on its line: nothing that could follow would end it.
    session.types("note(\"open)").shows("a text in quotes has no end").shows("baton> ").presses("\u{4}");
    assert_eq!(session.ends(), 1, "a line was wrong");
}
