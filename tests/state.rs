//! The state folder and what goes with it: whose it is, what is missing from its journal, which runs and which machine
//! it speaks of, as a user meets it.

use crate::support::{Baton, Ended};
use baton::error::Kind;
use baton::journal::Store;
use baton::journal::sqlite::SqliteStore;
use baton::model::record::{Ending, Moment, Record};
use baton::world::desk::new_run_id;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const RUN: [&str; 4] = ["run", "book.rhai", "-i", "site.toml"];

/// A site whose one host is this machine, and a runbook of one command.
fn site(command: &str) -> Baton {
    let baton = Baton::new();
    baton.write("site.toml", "[hosts.here]\naddress = \"local\"\n");
    let book = format!("//! One command\nrun(host(\"here\"), [\"sh\", \"-c\", \"{command}\"]);\n");
    baton.write("book.rhai", &book);
    baton
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
}

/// The same command line with another state folder on the same machine, its host under another name.
fn elsewhere(baton: &Baton, words: &[&str]) -> Ended {
    baton.write("other.toml", "[hosts.machine]\naddress = \"local\"\njobs = \"/nowhere\"\n");
    let folder = baton.folder().display().to_string();
    baton.write("other.toml", &format!("[hosts.machine]\naddress = \"local\"\njobs = \"{folder}/other-jobs\"\n"));
    baton.write("other.rhai", "//! Another\nrun(host(\"machine\"), [\"true\"]);\n");
    let output = baton.command(words).env("BATON_STATE", baton.folder().join("other")).output();
    Ended::from(output.expect("starts the binary"))
}

#[test]
fn runs_have_identities_that_cannot_meet_and_rise_with_time() {
    let ids: BTreeSet<String> = (0..2_000).map(|_| new_run_id(1_800_000_000_123).expect("an identity")).collect();
    assert_eq!(ids.len(), 2_000, "two runs of one moment have the same identity");
    let later = new_run_id(1_800_000_000_124).expect("an identity");
    assert!(ids.iter().all(|id| id.len() == 28 && *id < later), "{later}");
    assert!(ids.iter().all(|id| id.starts_with("6b49d200")), "it begins with the time, as those of older runs do");
}

#[test]
fn a_machine_is_one_host_whatever_it_is_called_and_whichever_state_folder_works_there() {
    let baton = site("exit 1");
    baton.run(&RUN).code(1);
    let other = ["run", "other.rhai", "-i", "other.toml"];
    let state = baton.state().display().to_string();
    elsewhere(&baton, &other).code(8).says("holds `machine`").says("another state folder").says("baton takeover");
    baton.run(&["abort", "latest", "--reason", "another day"]).code(1);
    elsewhere(&baton, &["resume"]).code(0).says("✓ done");
    // Nobody can go on with a run whose journal is gone.
    baton.run(&RUN).code(1);
    fs::remove_dir_all(state).expect("removes");
    elsewhere(&baton, &other).code(0).says("✓ done");
}

#[test]
fn a_lease_that_was_removed_is_not_told_as_taken_over() {
    let baton = site("true");
    let leases = baton.folder().join("leases").display().to_string();
    let book = format!(
        "//! Removes its lease\nlet h = host(\"here\");\nrun(h, [\"sh\", \"-c\", \"rm {leases}/0*\"]);\nrun(h, [\"true\"]);\n"
    );
    baton.write("book.rhai", &book);
    let told = baton.run(&RUN).code(8).says("is gone: somebody has removed its file").says("baton resume");
    assert!(!format!("{}{}", told.out, told.err).contains("taken over"), "{}{}", told.out, told.err);
    baton.run(&["resume"]).code(0).says("✓ done");
}

#[test]
fn a_state_folder_that_others_may_write_is_refused_with_what_closes_it() {
    let baton = site("true");
    fs::create_dir(baton.state()).expect("a folder");
    mode(&baton.state(), 0o777);
    let close = format!("chmod go-w {}", baton.state().display());
    for words in [&RUN[..], &["runs"], &["resume"], &["approve", "latest", "x", "yes"]] {
        baton.run(words).code(3).says("is not safe: anyone on this machine may change").says(&close);
    }
    mode(&baton.state(), 0o755);
    baton.run(&RUN).code(0);
    mode(&baton.state().join("locks"), 0o777);
    baton.run(&RUN).code(3).says("locks");
}

#[test]
fn links_that_were_planted_in_the_state_folder_are_not_followed() {
    let baton = site("true");
    baton.run(&RUN).code(0);
    let victim = baton.folder().join("victim");
    fs::write(&victim, "precious\n").expect("writes");
    let locks = baton.state().join("locks");
    for lock in fs::read_dir(&locks).expect("locks") {
        let path = lock.expect("a lock").path();
        fs::remove_file(&path).expect("removes");
        symlink(&victim, &path).expect("a link");
    }
    baton.run(&RUN).code(3).says("the lock");
    assert_eq!(fs::read_to_string(&victim).expect("a text"), "precious\n");
    fs::rename(baton.state().join("journal.db"), baton.folder().join("swapped.db")).expect("renames");
    symlink(baton.folder().join("swapped.db"), baton.state().join("journal.db")).expect("a link");
    baton.run(&["runs"]).code(3).says("baton follows no links there");
}

#[test]
fn a_folder_of_jobs_that_others_may_write_is_refused_before_anything_is_done() {
    let baton = site("touch ran");
    let jobs = baton.folder().join("jobs");
    fs::create_dir(&jobs).expect("a folder");
    mode(&jobs, 0o777);
    baton.write("site.toml", &format!("[hosts.here]\naddress = \"local\"\njobs = \"{}\"\n", jobs.display()));
    baton.run(&RUN).code(3).says("the folder of the jobs on `here` is not safe").says("chmod go-w");
    mode(&jobs, 0o700);
    baton.run(&RUN).code(0);
}

#[test]
fn texts_in_a_folder_that_anyone_may_write_are_not_used() {
    let baton = site("true");
    baton.write("runbooks/mine.rhai", "//! Mine\nnote(\"mine\");\n");
    let words = ["run", "mine", "-i", "site.toml"];
    baton.run(&words).code(0);
    for folder in ["runbooks", "."] {
        let path = baton.folder().join(folder);
        mode(&path, 0o777);
        baton.run(&words).code(8).says("`runbooks/mine.rhai` would be used, but anyone").says("chmod o-w");
        mode(&path, 0o755);
    }
    baton.run(&words).code(0);
}

#[test]
fn a_run_is_refused_on_another_machine_until_it_is_taken_over_there() {
    let baton = site("exit 1");
    baton.run(&RUN).code(1);
    let hostname = format!("hostname elsewhere && exec {} \"$@\"", env!("CARGO_BIN_EXE_baton"));
    let there = |words: &[&str]| {
        let mut command = baton.command(&[]);
        let set = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let environment: Vec<_> = set.collect();
        let mut namespace = std::process::Command::new("unshare");
        namespace.args(["-r", "-u", "sh", "-c", &hostname, "baton"]).args(words).envs(environment);
        let output = namespace.current_dir(baton.folder()).stdin(std::process::Stdio::null()).output();
        command.stdin(std::process::Stdio::null());
        Ended::from(output.expect("starts unshare"))
    };
    for words in [&["resume"][..], &["rollback", "--yes"], &["abort", "--reason", "x"]] {
        there(words).code(8).says("this is `elsewhere`").says("baton takeover");
    }
    there(&["takeover", "latest", "--reason", "it was moved"]).code(0).says("next: baton resume");
    there(&["resume"]).code(1).says("on elsewhere");
    baton.run(&["resume"]).code(8).says("was worked on at `elsewhere`");
}

/// A record by which a run is over.
fn ended() -> Record {
    Record::Ended { ending: Ending::Done, message: String::new(), effect: None, at: Moment::default() }
}

/// A copy of a state folder without what is still in the write-ahead log.
fn without_log(state: &Path, copy: &Path) {
    fs::create_dir_all(copy.join("written")).expect("a folder");
    fs::copy(state.join("journal.db"), copy.join("journal.db")).expect("copies");
    for count in fs::read_dir(state.join("written")).expect("counts") {
        let path = count.expect("a count").path();
        fs::copy(&path, copy.join("written").join(path.file_name().expect("a name"))).expect("copies");
    }
}

#[test]
fn a_journal_that_is_gone_or_empty_is_not_told_as_no_runs() {
    for harm in ["remove", "empty", "log"] {
        let baton = site("true");
        let database = baton.state().join("journal.db");
        if harm == "log" {
            let folder = baton.folder().join("first");
            let mut store = SqliteStore::open(&folder).expect("a journal");
            store.append("aa01", 0, &[ended()]).expect("a run");
            without_log(&folder, &baton.state());
        } else {
            baton.run(&RUN).code(0);
            if harm == "remove" { fs::remove_file(&database) } else { fs::write(&database, "") }.expect("harms it");
        }
        let how = if harm == "remove" { "is gone" } else { "is empty" };
        for words in [&["runs"][..], &["resume"], &["show"], &RUN] {
            baton.run(words).code(8).says(how).says("but runs were kept here").says("from a backup");
        }
        fs::remove_dir_all(baton.state().join("written")).expect("as it is told");
        baton.run(&RUN).code(0);
    }
}

#[test]
fn a_journal_without_its_last_part_says_what_is_missing() {
    let baton = site("true");
    let folder = baton.folder().join("first");
    let mut store = SqliteStore::open(&folder).expect("a journal");
    store.append("aa01", 0, &[ended()]).expect("a run");
    drop(store);
    let mut store = SqliteStore::open(&folder).expect("a journal");
    store.append("aa01", 1, &[ended(), ended()]).expect("more of it");
    store.append("bb01", 0, &[ended()]).expect("another run");
    without_log(&folder, &baton.state());
    baton.run(&["resume"]).code(8).says("no record of run bb01, though some were written");
    baton.run(&["show", "bb"]).code(8).says("journal.db-wal");
    baton.run(&["runs"]).code(0).says("bb01  ✗ gone").says("aa01");
    baton.run(&["show", "aa01"]).says("ends at record 1, but 3 were written");
}

#[test]
fn a_journal_taken_away_under_a_run_stops_it_before_its_next_change() {
    for (harm, what) in [
        ("rm state/journal.db", "removed"),
        ("rm state/journal.db-wal", "removed"),
        ("cp state/journal.db x; mv x state/journal.db", "replaced"),
        (": >state/journal.db", "cut short"),
    ] {
        let baton = site("true");
        let folder = baton.folder().display();
        let book = format!(
            "//! Two changes\nlet h = host(\"here\");\nrun(h, [\"sh\", \"-c\", \"cd {folder}; {harm}\"]);\n\
             run(h, [\"touch\", \"{folder}/second\"]);\n"
        );
        baton.write("book.rhai", &book);
        let told = baton.run(&RUN);
        assert!(!baton.folder().join("second").exists(), "{harm}: it went on\n{}{}", told.out, told.err);
        told.code(8).says("the journal is not whole any more").says(what).says("nothing more was done");
    }
}

#[test]
fn a_store_whose_file_is_gone_takes_no_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a journal");
    store.append("aa01", 0, &[ended()]).expect("a run");
    fs::remove_file(folder.path().join("journal.db")).expect("removes");
    let error = store.append("aa01", 1, &[ended()]).expect_err("it is gone");
    assert!(error.kind == Kind::Refused && error.message.contains("was removed"), "{error}");
}

#[test]
fn a_configuration_of_ssh_that_cannot_be_meant_is_refused() {
    let baton = Baton::new();
    baton.write("book.rhai", "//! One\nrun(host(\"h\"), [\"true\"]);\n");
    let with = |config: &str| {
        baton.write("site.toml", &format!("[ssh]\nconfig = \"{config}\"\n[hosts.h]\naddress = \"127.0.0.1\"\n"));
        baton.run(&RUN)
    };
    let folder = baton.folder().display().to_string();
    with(&format!("{folder}/missing")).code(2).says("cannot be used").says("No such file");
    with(&folder).code(2).says("is not a file");
    baton.write("open", "Host *\n");
    mode(&baton.folder().join("open"), 0o666);
    with(&format!("{folder}/open")).code(2).says("anyone on this machine may change").says("chmod o-w");
    for odd in ["/x\\\" ProxyCommand y", "/x\\nProxyCommand y", "/x/*", "/x/%h", "/x/${HOME}", "/x\\\\y"] {
        with(odd).code(2).says("plain path");
    }
    for address in ["-oProxyCommand=x", "a@-oProxyCommand=x", "ssh://-ox", "a b", "a\\nb", "a;b", "a@", "$(x)", ""] {
        baton.write("site.toml", &format!("[hosts.h]\naddress = \"{address}\"\n"));
        baton.run(&RUN).code(2);
    }
}
