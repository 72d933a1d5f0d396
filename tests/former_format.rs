//! A state folder with a run that an older baton has begun, in a format that this one does not read: it is named as that,
//! left alone, and in nobody's way.

use crate::support::Baton;

/// The run of the older one; its identity is older than any that is made now.
const FORMER: &str = "0190000000000000000000000aaa";
/// The version that began it.
const VERSION: &str = "0.3.1";
const RUN: [&str; 4] = ["run", "book.rhai", "-i", "site.toml"];

/// What an older baton wrote of a run that failed at its first change.
fn bodies() -> Vec<(&'static str, String)> {
    let at = r#"{"wall":1700000000000,"mono":1,"boot":"b"}"#;
    let by = r#"{"user":"ada","host":"h","pid":1}"#;
    let begun = format!(
        r#"{{"begun":{{"format":1,"baton":"{VERSION}","runbook":"book","sources":{{}},"params":{{}},"estate":"site","at":{at},"by":{by}}}}}"#
    );
    let ended = format!(r#"{{"ended":{{"ending":"failed","message":"exit 1","effect":null,"at":{at}}}}}"#);
    vec![("begun", begun), ("ended", ended)]
}

/// Puts that run into a journal.
fn add_former(baton: &Baton, run: &str) {
    let database = rusqlite::Connection::open(baton.state().join("journal.db")).expect("a journal");
    let mut chain = [0_u8; 32];
    for (seq, (kind, body)) in (1..).zip(bodies()) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&chain).update(body.as_bytes());
        chain = *hasher.finalize().as_bytes();
        let row = "INSERT INTO records (run, seq, kind, body, chain) VALUES (?1, ?2, ?3, ?4, ?5)";
        database.execute(row, rusqlite::params![run, seq, kind, body, chain]).expect("a record");
    }
}

/// A machine that is its own site, with a runbook that fails as long as `ready` is missing, and a journal.
fn site() -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    let ready = baton.folder().join("ready").display().to_string();
    baton.write("book.rhai", &format!("//! Wants a file\nrun(host(\"here\"), [\"test\", \"-e\", \"{ready}\"]);\n"));
    baton.run(&["runs"]).code(0);
    baton
}

#[test]
fn a_run_of_a_former_format_is_refused_by_name_with_what_to_do() {
    let baton = site();
    add_former(&baton, FORMER);
    baton.run(&["runs"]).code(0).says(&format!("· format 1 begun by baton {VERSION}: go on with that one"));
    let words: [&[&str]; 7] = [
        &["show", FORMER],
        &["show"],
        &["resume", FORMER],
        &["rollback", FORMER, "--yes"],
        &["abort", FORMER, "--reason", "another day"],
        &["approve", FORMER],
        &["takeover", FORMER, "--reason", "mine"],
    ];
    for words in words {
        baton
            .run(words)
            .code(8)
            .says(&format!("the run is written in format 1, by baton {VERSION}; this baton reads format 2"))
            .says(&format!("finish it, or take it back, with the version that began it: {VERSION}"))
            .says("--state DIR");
    }
    baton.run(&["runs"]).code(0).says("· format 1");
}

#[test]
fn a_run_of_a_former_format_is_in_nobodys_way() {
    let baton = site();
    add_former(&baton, FORMER);
    baton.run(&RUN).code(1).says("✗ failed");
    baton.run(&["runs"]).code(0).says("· format 1").says("book on site");
    baton.run(&["show"]).code(0).says("✗ failed");
    baton.run(&["doctor", "-i", "site.toml", "book.rhai"]);
    baton.write("ready", "").run(&["resume"]).code(0).says("✓ done");
    baton.run(&RUN).code(0).says("✓ done");
}

#[test]
fn where_such_a_run_came_later_that_is_said_and_the_one_before_it_is_taken() {
    let baton = site();
    baton.run(&RUN).code(1);
    add_former(&baton, &FORMER.replacen("01", "ff", 1));
    baton.run(&["show"]).code(0).says("came later and is of another version of baton").says("✗ failed");
    baton.write("ready", "").run(&["resume"]).code(0).says("came later and is of another version").says("✓ done");
}

#[test]
fn a_lab_in_which_such_a_run_stands_begins_anew_and_says_so() {
    let baton = Baton::new();
    let rehearse = ["run", "genesys/confserv-ha", "--lab", "genesys", "--until", "1"];
    let first = baton.run(&rehearse).code(4);
    let told = format!("{}{}", first.out, first.err);
    let run = told.split_whitespace().find(|word| word.len() == 28).expect("its identity").to_owned();
    let database = rusqlite::Connection::open(baton.state().join("journal.db")).expect("a journal");
    database.execute("DELETE FROM records WHERE run = ?1", [&run]).expect("its records");
    drop(database);
    add_former(&baton, &run);
    let again = baton.run(&rehearse).code(4).says("the lab begins anew").says("cannot be read");
    assert!(again.err.contains(&format!("run {run} stood there")), "{}", again.err);
}

#[test]
fn a_damaged_run_is_not_called_one_of_another_version() {
    let baton = site();
    baton.write("ready", "");
    baton.run(&RUN).code(0);
    baton.run(&RUN).code(0);
    let database = rusqlite::Connection::open(baton.state().join("journal.db")).expect("a journal");
    let last: String =
        database.query_row("SELECT max(run) FROM records", [], |row| row.get(0)).expect("the later of two");
    let other = "UPDATE records SET body = replace(body, '\"format\":2', '\"format\":1') WHERE run = ?1 AND seq = 1";
    assert_eq!(database.execute(other, [&last]).expect("an edited record"), 1);
    drop(database);
    let shown = baton.run(&["show"]).code(8).says("damaged");
    assert!(!shown.err.contains("another version"), "{}", shown.err);
}
