//! The state folder and what goes with it: whose it is, what is missing from its journal, which runs and which machine
//! it speaks of, as a user meets it.

use crate::support::machine::patiently;
use crate::support::{Baton, Ended};
use baton::error::{Error, Kind};
use baton::journal::Store;
use baton::journal::sqlite::SqliteStore;
use baton::model::run::instant::Wall;
use baton::model::run::record::{Ending, Fact, Moment, Record};
use baton::platform::desk::new_run_id;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

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
    let ids: BTreeSet<String> = (0..2_000).map(|_| new_run_id(Wall(1_800_000_000_123)).expect("an identity")).collect();
    assert_eq!(ids.len(), 2_000, "two runs of one moment have the same identity");
    let later = new_run_id(Wall(1_800_000_000_124)).expect("an identity");
    assert!(ids.iter().all(|id| id.len() == 28 && *id < later), "{later}");
    assert!(ids.iter().all(|id| id.starts_with("6b49d200")), "it begins with the time, as those of older runs do");
}

/// A lease names the state folder: one whose name it cannot hold would be taken for gone, and its run for nobody's.
#[test]
fn a_folder_whose_name_is_no_plain_text_is_refused_before_anything_begins() {
    use std::os::unix::ffi::OsStrExt;
    for name in [&b"st\nate"[..], b"st\xffate"] {
        let baton = site("echo ran >>../ran");
        let odd = baton.folder().join(std::ffi::OsStr::from_bytes(name));
        for variable in ["BATON_STATE", "BATON_LEASES"] {
            let ended = baton.command(&RUN).env(variable, &odd).output().expect("starts the binary");
            let ended = Ended::from(ended).code(3).says("its name is no plain text");
            assert!(!baton.folder().join("ran").exists(), "{ended:?}");
        }
    }
}

#[test]
fn a_machine_is_one_host_whatever_it_is_called_and_whichever_state_folder_works_there() {
    let baton = site("exit 1");
    baton.run(&RUN).code(1);
    let other = ["run", "other.rhai", "-i", "other.toml"];
    let state = baton.state().display().to_string();
    let refused = elsewhere(&baton, &other).code(8).says("holds `machine`").says("another state folder");
    let said = format!("{}{}", refused.out, refused.err);
    let run = said.split("baton takeover ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("its name");
    baton.run(&["abort", "latest", "--reason", "another day"]).code(1);
    elsewhere(&baton, &["resume", run]).code(0).says("✓ done");
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
        let mut namespace = Command::new("unshare");
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

/// The same command line in the same folder, with this state folder.
fn within(baton: &Baton, state: &Path, words: &[&str]) -> Ended {
    Ended::from(baton.command(words).env("BATON_STATE", state).output().expect("starts the binary"))
}

/// Copies a folder as a backup does.
fn copied(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("starts cp");
    assert!(done.success());
}

/// A run that stands before its second command, and how often that was done.
fn halted_before_its_last_command(jobs: &str) -> (Baton, fn(&Baton) -> usize) {
    let baton = Baton::new();
    baton.write("site.toml", &format!("[hosts.here]\naddress = \"local\"\n{jobs}"));
    let book = "//! Two commands\nlet h = host(\"here\");\nrun(h, [\"true\"]);\n\
                if confirm(\"go?\", #{ gate: \"g\" }) { run(h, [\"sh\", \"-c\", \"echo two >>LEDGER\"]); }\n";
    let ledger = baton.folder().join("ledger").display().to_string();
    baton.write("book.rhai", &book.replace("LEDGER", &ledger));
    baton.run(&RUN).code(4);
    (baton, |baton| fs::read_to_string(baton.folder().join("ledger")).unwrap_or_default().lines().count())
}

#[test]
fn a_copy_of_a_state_folder_does_nothing_that_the_first_one_may_have_done() {
    let (baton, done) = halted_before_its_last_command("");
    let (state, copy) = (baton.state(), baton.folder().join("copy"));
    copied(&state, &copy);
    for words in [&["resume"][..], &["rollback", "--yes"], &["abort", "--reason", "x"]] {
        let told = within(&baton, &copy, words).code(8).says("was worked on in another state folder").in_one_line();
        assert!(told.contains("--state ") && told.contains("baton takeover"), "{told}");
    }
    baton.run(&["approve", "latest", "g", "yes"]).code(0);
    baton.run(&["resume"]).code(0).says("✓ done");
    within(&baton, &copy, &["approve", "latest", "g", "yes"]).code(0);
    within(&baton, &copy, &["resume"]).code(8);
    assert_eq!(done(&baton), 1, "it was done by both");
}

#[test]
fn a_copy_that_stands_for_its_original_is_taken_over_and_then_the_original_does_nothing() {
    let (baton, done) = halted_before_its_last_command("");
    let (state, copy) = (baton.state(), baton.folder().join("copy"));
    copied(&state, &copy);
    within(&baton, &copy, &["approve", "latest", "g", "yes"]).code(0);
    within(&baton, &copy, &["takeover", "latest", "--reason", "it was moved"]).code(0);
    within(&baton, &copy, &["resume"]).code(0).says("✓ done");
    baton.run(&["approve", "latest", "g", "yes"]).code(0);
    baton.run(&["resume"]).code(8).says("has taken `here` over").says("--state ");
    assert_eq!(done(&baton), 1, "it was done by both");
}

#[test]
fn a_run_that_is_over_can_be_taken_back_from_a_copy_that_stands_for_its_original() {
    let (baton, _) = halted_before_its_last_command("");
    baton.run(&["approve", "latest", "g", "yes"]).code(0);
    baton.run(&["resume"]).code(0).says("✓ done");
    baton.run(&["takeover", "latest", "--reason", "why"]).code(8).says("is over");
    let copy = baton.folder().join("copy");
    copied(&baton.state(), &copy);
    within(&baton, &copy, &["rollback", "latest", "--yes"]).code(8).says("baton takeover");
    within(&baton, &copy, &["takeover", "latest", "--reason", "it was moved"]).code(0).says("belongs here now");
    let back = within(&baton, &copy, &["rollback", "latest", "--yes"]);
    assert!(matches!(back.code, 4 | 6), "{back:?}");
}

#[test]
fn a_state_folder_that_was_moved_or_whose_jobs_lie_elsewhere_goes_on_as_before() {
    let (baton, done) = halted_before_its_last_command("");
    let moved = baton.folder().join("moved");
    fs::rename(baton.state(), &moved).expect("moves");
    within(&baton, &moved, &["approve", "latest", "g", "yes"]).code(0);
    within(&baton, &moved, &["resume"]).code(0).says("✓ done");
    assert_eq!(done(&baton), 1);
    let jobs = tempfile::tempdir().expect("a folder");
    let (baton, done) = halted_before_its_last_command(&format!("jobs = \"{}\"\n", jobs.path().display()));
    let (state, copy) = (baton.state(), baton.folder().join("copy"));
    copied(&state, &copy);
    fs::remove_dir_all(&state).expect("removes");
    within(&baton, &copy, &["approve", "latest", "g", "yes"]).code(0);
    within(&baton, &copy, &["resume"]).code(0).says("✓ done");
    assert_eq!(done(&baton), 1);
}

/// A runbook that kills its runner in its last command, once `WITH` was done to the folder of its jobs.
const KILLER: &str = "//! Kills its runner\nlet h = host(\"here\");\nFIRST\n\
    run(h, [\"sh\", \"-c\", \"echo ran >>LEDGER; kill -9 $(cat PID); WITH; echo >LEDGER.end\"]);\n";

/// What comes of a resume when the runner was killed under its last command and something was done to the folder of its
/// jobs; and how often the command ran.
fn resumed(first: &str, with: &str) -> (Baton, Ended, usize) {
    let baton = Baton::new();
    let folder = baton.folder().display().to_string();
    baton.write("site.toml", &format!("[hosts.here]\naddress = \"local\"\njobs = \"{folder}/jobs\"\n"));
    let (ledger, pid) = (format!("{folder}/ledger"), format!("{folder}/pid"));
    let book = KILLER.replace("WITH", &with.replace("JOBS", &format!("{folder}/jobs")));
    let book = book.replace("LEDGER", &ledger).replace("PID", &pid).replace("FIRST", first);
    baton.write("book.rhai", &book);
    let script = format!("echo $$ >{pid}; exec \"$0\" \"$@\"");
    let mut command = baton.command(&[]);
    let set: Vec<_> =
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_baton")]).args(RUN).envs(set).current_dir(baton.folder());
    let killed = shell.stdin(std::process::Stdio::null()).output().expect("starts the binary");
    command.stdin(std::process::Stdio::null());
    assert_eq!(killed.status.code(), None, "it was not killed: {killed:?}");
    let end = baton.folder().join("ledger.end");
    patiently("its command ends", || end.exists());
    let told = baton.run(&["resume"]);
    (baton, told, fs::read_to_string(ledger).unwrap_or_default().lines().count())
}

#[test]
fn a_job_whose_folder_is_gone_when_its_run_is_taken_up_is_in_doubt_and_not_started_again() {
    let before = "run(h, [\"true\"]);";
    let anew = "mv JOBS JOBS.old; mkdir -p JOBS/$(ls JOBS.old)";
    let from_copy = "cp -a JOBS JOBS.old; rm -rf JOBS; mv JOBS.old JOBS; rm -f JOBS/*/0.1.*";
    for (first, with) in
        [(before, "rm -rf JOBS"), ("", "rm -rf JOBS"), ("", "rm -rf JOBS/*"), ("", anew), ("", from_copy)]
    {
        let (baton, told, ran) = resumed(first, with);
        let told = told.code(5).in_one_line();
        // It may still have been seen to run.
        assert!(told.contains("may or may not have happened") && told.contains(" is gone"), "{with}: {told}");
        assert_eq!(ran, 1, "{with}: {told}");
        baton.run(&["resume", "latest", "--happened", "it is in the ledger"]).code(0).says("✓ done");
    }
    let (_, told, ran) = resumed(before, "true");
    assert_eq!((told.code, ran), (0, 1), "nothing was done to it: {told:?}");
}

/// A record by which a run is over.
fn ended() -> Record {
    Fact::Ended { ending: Ending::Done, message: String::new(), effect: None }.at(Moment::default())
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
            store.append("aa01", 0, &[ended().into()]).expect("a run");
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
    store.append("aa01", 0, &[ended().into()]).expect("a run");
    drop(store);
    let mut store = SqliteStore::open(&folder).expect("a journal");
    store.append("aa01", 1, &[ended().into(), ended().into()]).expect("more of it");
    store.append("bb01", 0, &[ended().into()]).expect("another run");
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
    store.append("aa01", 0, &[ended().into()]).expect("a run");
    fs::remove_file(folder.path().join("journal.db")).expect("removes");
    let error = store.append("aa01", 1, &[ended().into()]).expect_err("it is gone");
    let error = Box::<Error>::from(error);
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
