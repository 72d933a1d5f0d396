//! Every way the rehearsal pair can behave, through the real binary, as an operator would see it.

use crate::support::{Baton, Ended};

/// Fast enough for a suite: ten minutes of the lab in a few seconds.
const SPEED: &str = "300";

fn upgrade(baton: &Baton, scenario: &str) -> Ended {
    let runbook = if scenario == "same-schema" { "genesys/confserv-ha-same-schema" } else { "genesys/confserv-ha" };
    baton.run(&["run", runbook, "--lab", &format!("genesys:{scenario}"), "--speed", SPEED])
}

#[test]
fn scenarios_that_can_succeed_end_done_with_both_members_on_the_new_version() {
    for scenario in ["upgrade-mode", "new-database", "compatible", "undetected", "same-schema"] {
        let baton = Baton::new();
        upgrade(&baton, scenario).code(0).says("done");
        let shown = baton.run(&["show", "latest"]).code(0);
        assert!(shown.out.contains(scenario), "{}", shown.out);
        let shown = shown.says("confserv       no redundancy");
        assert!(![", and still", "not seen whole"].iter().any(|word| shown.out.contains(word)), "{}", shown.out);
    }
}

#[test]
fn scenarios_that_cannot_succeed_end_held_with_instructions() {
    for scenario in ["wrong-database", "never-ready", "exits"] {
        let baton = Baton::new();
        upgrade(&baton, scenario)
            .code(4)
            .says("held")
            .says("c1 is running with 8.1.300.23 and serves")
            .says("never without service");
        for words in [["show", "latest"], ["resume", "latest"]] {
            baton
                .run(&words)
                .says("c1 is running with 8.1.300.23 and serves")
                .says("Look at the log of the new server");
        }
    }
}

#[test]
fn a_second_runner_on_the_same_lab_is_refused_and_told_who_holds_it() {
    let baton = Baton::new();
    let words = ["run", "genesys/confserv-ha", "--lab", "genesys", "--speed", "60"];
    let mut first = baton.spawn(&words);
    while !baton.run(&["runs"]).out.contains("genesys/confserv-ha") {
        assert!(first.try_wait().expect("looks").is_none(), "the first runner has ended early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = format!("pid {}", first.id());
    baton.run(&words).code(8).says(&pid).says("since");
    baton.run(&["resume", "latest"]).code(8).says(&pid).says("since");
    first.kill().expect("ends the first runner");
    first.wait().expect("buries it");
    baton.run(&["resume", "latest"]).code(0).says("done");
}

/// A lab of a user's own: one server on one host, with this inventory line more, and this model.
fn own_lab(baton: &Baton, more: &str, model: &str) {
    let shipped = include_str!("../stdlib/labs/genesys.toml");
    let shipped = shipped.replace("model = \"genesys-confserv\"", "model = \"own\"");
    baton.write("stdlib/labs/own.toml", &format!("{shipped}\n{more}"));
    for product in ["genesys-confserv", "genesys-confdb"] {
        let profile = std::fs::read_to_string(format!("{}/stdlib/products/{product}.toml", env!("CARGO_MANIFEST_DIR")));
        let profile = profile.expect("the profile").replace("model = \"genesys-confserv\"", "model = \"own\"");
        baton.write(&format!("stdlib/products/{product}.toml"), &profile);
    }
    baton.write("stdlib/models/own.rhai", model);
}

/// A model that does next to nothing.
const MODEL: &str = "//! Own\nfn init(site, scenario) { #{} }\nfn verb(service, verb, args) { VERB }\n\
    fn probe(service, what, args) { PROBE }\nfn due(name, data) { DUE }\nfn answer(gate, form, text, options) { () }\n\
    fn summary() { #{} }\n";

fn model(verb: &str, probe: &str, due: &str) -> String {
    MODEL.replace("VERB", verb).replace("PROBE", probe).replace("DUE", due)
}

#[test]
fn a_rehearsal_starts_and_writes_nothing_outside_of_its_lab() {
    let baton = Baton::new();
    let out = baton.folder().join("outside");
    std::fs::create_dir(&out).expect("a folder");
    std::fs::write(out.join("theirs"), "theirs").expect("a file");
    let at = |name: &str| out.join(name).display().to_string();
    let text = format!(
        "//! Tries\n//! source: a test\nlet h = host(\"cfg-a\");\nlet c1 = service(\"c1\");\n\
         fn tries(f) {{ try {{ f.call(); note(\"done after all\"); }} catch (e) {{ note(`refused: ${{e.message}}`); }} }}\n\
         tries(|| run(h, [\"touch\", \"{0}\"]));\n\
         tries(|| run(c1, [\"sh\", \"-c\", \"touch {0}\"]));\n\
         tries(|| run(h, [\"env\", \"X=kill\", \"touch\", \"{0}\"], #{{ env: #{{ A: \"b\" }}, become: \"root\" }}));\n\
         tries(|| run(h, [\"kill\"], #{{ stdin: secret(\"db\"), cwd: \"/tmp\" }}));\n\
         tries(|| put(h, \"outside/theirs\", \"{0}\"));\n\
         tries(|| fetch(h, \"{1}\", \"fetched\"));\n\
         tries(|| reboot(h, #{{ limit: \"5s\" }}));\n\
         run(c1, [\"kill\", \"c1\"], #{{ stdin: secret(\"db\") }});\n\
         note(`c1 is ${{status(c1)}}`);\n",
        at("new"),
        at("theirs")
    );
    baton.write("runbooks/own/t.rhai", &text);
    let secret = format!("[inventory.secrets.db]\ncommand = [\"touch\", \"{}\"]\n", at("secret"));
    let shipped = include_str!("../stdlib/labs/genesys.toml");
    baton.write("stdlib/labs/genesys.toml", &format!("{shipped}\n{secret}"));
    let ended = baton.run(&["run", "own/t", "--lab", "genesys", "--speed", SPEED]).code(0);
    let ended = ended.says("no answer to `touch`").says("no answer to `sh`").says("no answer to `env`");
    let ended = ended.says("own/t.rhai:6: `run` of `touch` will be refused").says("own/t.rhai:12: `reboot` will be");
    let ended = ended.says("everything outside its lab alone").says("no answer to `boot_id`").says("c1 is stopped");
    assert!(!ended.out.contains("done after all"), "{}", ended.out);
    assert_eq!(std::fs::read_dir(&out).expect("the folder").count(), 1, "{}", ended.out);
    assert!(!baton.folder().join("fetched").exists(), "{}", ended.out);
}

#[test]
fn a_rehearsal_carries_files_within_its_lab() {
    let baton = Baton::new();
    baton.write("license", "to kill\n");
    let lab = baton.state().join("labs/genesys/cfg-a");
    let text = format!(
        "//! Carries\n//! source: a test\nlet h = host(\"cfg-a\");\nput(h, \"license\", \"{0}/license\");\n\
         fetch(h, \"{0}/license\", \"{0}/again\");\n",
        lab.display()
    );
    baton.write("runbooks/own/t.rhai", &text);
    baton.run(&["run", "own/t", "--lab", "genesys", "--speed", SPEED]).code(0);
    assert_eq!(std::fs::read_to_string(lab.join("again")).expect("it was carried"), "to kill\n");
}

#[test]
fn a_lab_of_ones_own_reaches_no_real_host_and_nothing_outside_of_its_folder() {
    let baton = Baton::new();
    baton.write("runbooks/own/t.rhai", "//! Nothing\nnote(\"x\");\n");
    let sound = model("()", "()", "");
    for (more, says) in [
        ("[inventory.hosts.far]\naddress = \"db1.example\"\n", "no real host is reached in a lab"),
        ("[inventory.hosts.far]\naddress = \"local\"\njobs = \"/tmp/jobs\"\n", "is not below"),
        ("[inventory.hosts.far]\naddress = \"local\"\njobs = \"{lab}/../jobs\"\n", "is not below"),
        (
            "[inventory.services.c3]\nhost = \"cfg-a\"\nproduct = \"genesys-confserv\"\napp = \"a\"\n\
             folder = \"{lab}/f\"\ntool = \"x\"\nlogs = \"/tmp\"\n",
            "is not below",
        ),
    ] {
        own_lab(&baton, more, &sound);
        let lines = std::fs::read_to_string(baton.folder().join("stdlib/labs/own.toml")).expect("it").lines().count();
        let ended = baton.run(&["run", "own/t", "--lab", "own"]).code(2).says(says);
        let place = ended.err.split("stdlib/labs/own.toml:").nth(1).and_then(|rest| rest.split(':').next());
        let line: usize = place.and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("{}", ended.err));
        assert!(lines - line < more.lines().count(), "line {line} of {lines}: {}", ended.err);
        baton.run(&["repl", "--lab", "own"]).code(2).says(says);
    }
    assert!(!baton.state().join("labs").exists(), "a lab was begun");
}

#[test]
fn what_is_wrong_in_a_model_or_a_lab_is_told_with_file_and_line_before_anything_begins() {
    let baton = Baton::new();
    baton.write("runbooks/own/t.rhai", "//! Nothing\nnote(\"x\");\n");
    let sound = model("()", "()", "");
    for (wrong, says) in [
        (sound.replace("fn verb", "fn verb verb"), "stdlib/models/own.rhai:3"),
        (sound.replace("fn due(name, data)", "fn due(name)"), "stdlib/models/own.rhai:5"),
        (sound.replace("fn due(name, data)", "fn undue(name)"), "lacks the function `due`"),
        (sound.replace("{ #{} }\nfn verb", "{ 7 }\nfn verb"), "stdlib/models/own.rhai:2"),
        (sound.replace("{ #{} }\nfn verb", "{\n  throw \"no\";\n}\nfn verb"), "stdlib/models/own.rhai:3"),
        (sound.replace("{ #{} }\nfn verb", "{\n  loop { }\n}\nfn verb"), "stdlib/models/own.rhai:2"),
        (sound.replace("{ #{} }\nfn verb", "{ open_log(\"c1\", \"../x\"); #{} }\nfn verb"), "stdlib/models/own.rhai:2"),
        (sound.clone() + "fn commands() { 7 }\n", "stdlib/models/own.rhai:8"),
    ] {
        own_lab(&baton, "", &wrong);
        let ended = baton.run(&["run", "own/t", "--lab", "own"]).code(2).says(says);
        assert!(!ended.err.contains("defect of baton"), "{}", ended.err);
    }
    own_lab(&baton, "[inventory.hosts.far]\nadress = \"local\"\n", &sound);
    baton.run(&["run", "own/t", "--lab", "own"]).code(2).says("stdlib/labs/own.toml:");
    own_lab(&baton, "", &sound);
    baton.write("stdlib/labs/own.toml", "title = 7\n");
    baton.run(&["run", "own/t", "--lab", "own"]).code(2).says("stdlib/labs/own.toml:1");
    assert!(!baton.state().join("labs").exists(), "a lab was begun");
}

#[test]
fn what_is_wrong_in_a_model_while_it_rehearses_is_told_with_file_and_line() {
    let runs = "#{ exit: 0, output: \"running\" }";
    for (verb, probe, due, place) in [
        ("throw \"no\"", runs, "", "stdlib/models/own.rhai:3"),
        ("loop {}", runs, "", "stdlib/models/own.rhai:3"),
        ("#{ exit: \"0\" }", runs, "", "`exit` must be an exit code"),
        ("#{ exti: 0 }", runs, "", "`exti` is none of"),
        ("#{ exit: 0 }", "7", "", "stdlib/models/own.rhai:4"),
        ("after(1, \"x\", ()); #{ exit: 0, takes: 2000 }", runs, "nothing()", "stdlib/models/own.rhai:5"),
    ] {
        let baton = Baton::new();
        baton.write("runbooks/own/t.rhai", "//! Stops\nlet c1 = service(\"c1\");\nshutdown(c1);\nstatus(c1);\n");
        own_lab(&baton, "", &model(verb, probe, due));
        let ended = baton.run(&["run", "own/t", "--lab", "own", "--speed", SPEED]).code(1).says(place);
        assert!(!ended.err.contains("defect of baton"), "{}", ended.err);
    }
}

#[test]
fn a_run_whose_lab_is_gone_can_be_cleared_away() {
    let baton = Baton::new();
    baton.write(
        "runbooks/own/t.rhai",
        "//! Owes\nensure(\"Unlock c1\", || unset_readonly(service(\"c1\")));\nset_readonly(service(\"c1\"));\n\
         let yes = confirm(\"Go on?\");\n",
    );
    let begin = ["run", "own/t", "--lab", "genesys", "--no-operator"];
    baton.run(&begin).code(4);
    let run = baton.run(&["runs"]).out.split_whitespace().find(|word| word.len() >= 12).map(str::to_owned);
    let run = run.expect("a run");
    baton.run(&begin).code(4).says("cannot be resumed any more").says(&format!("baton abort {run}"));
    for refused in [["resume", &run], ["rollback", &run]] {
        baton.run(&refused).code(8).says(&format!("baton abort {run}")).says("--reason \"its lab is that of run ");
    }
    let cleared = baton.run(&["abort", &run, "--reason", "its lab is gone"]).code(1);
    cleared.says("given up").says("is that of run").says("`Unlock c1`");
    baton.run(&["show", &run]).code(0).says("given up").says("its lab is gone");
    baton.run(&["abort", &run, "--reason", "again"]).code(8).says("is over");
    // The other one has ended: nobody answers.
    baton.run(&["lab", "stop"]).code(0);
    baton.run(&["resume"]).code(8).says("baton abort");
    baton.run(&["abort", "--reason", "its lab is gone"]).code(1).says("has ended").says("`Unlock c1`");
}

#[test]
fn a_folder_that_no_lab_has_left_is_never_taken_for_one() {
    let baton = Baton::new();
    baton.write("runbooks/own/t.rhai", "//! Notes\n//! source: a test\nnote(\"here\");\n");
    let words = ["run", "own/t", "--lab", "genesys", "--speed", SPEED];
    let theirs = baton.state().join("labs/genesys/deep/data");
    std::fs::create_dir_all(theirs.parent().expect("a folder")).expect("a folder");
    std::fs::write(&theirs, "precious").expect("a file");
    baton.run(&words).code(8).says("no lab of baton's").says("--state DIR");
    // A card of another lab is no mark either, nor is a link to a folder with one.
    std::fs::write(baton.state().join("labs/genesys/lab.toml"), "title = \"ours\"\n").expect("a file");
    assert_ne!(baton.run(&words).says("--state DIR").code, 0);
    assert_eq!(std::fs::read_to_string(&theirs).expect("it is there"), "precious");
    std::fs::rename(baton.state().join("labs/genesys"), baton.folder().join("theirs")).expect("moves");
    baton.run(&words).code(0).says("here");
    baton.run(&["lab", "stop"]).code(0);
    std::fs::rename(baton.state().join("labs/genesys"), baton.folder().join("former")).expect("moves");
    std::os::unix::fs::symlink(baton.folder().join("former"), baton.state().join("labs/genesys")).expect("a link");
    baton.run(&words).code(8).says("no lab of baton's");
    assert!(baton.folder().join("former/lab.toml").exists());
}

#[test]
fn a_probe_that_reads_a_secret_is_answered_by_the_lab() {
    let baton = Baton::new();
    let profile = include_str!("../stdlib/products/genesys-confserv.toml");
    let secret = profile.replacen("[probes.status]\n", "[probes.status]\nstdin = \"db\"\n", 1);
    assert_ne!(secret, profile, "the probe is there");
    baton.write("stdlib/products/genesys-confserv.toml", &secret);
    let shipped = include_str!("../stdlib/labs/genesys.toml");
    baton.write(
        "runbooks/own/t.rhai",
        "//! Asks\nlet c1 = service(\"c1\");\nnote(`it is ${status(c1)}`);\n\
         note(`asked with it: ${probe(c1, \"role\", #{}, #{ stdin: secret(\"db\") })}`);\n\
         shutdown(c1);\nwait_status(c1, \"stopped\");\n",
    );
    let run: &[&str] = &["run", "own/t", "--lab", "genesys", "--speed", SPEED];
    // Without it the lab is refused, as a site would be.
    let refused = baton.run(run).code(2);
    assert!(refused.err.contains("secret") && refused.err.contains("`db`"), "{}", refused.err);
    // Where it is had from is no matter: nobody asks for it, and it need not be there.
    let out = baton.folder().join("outside");
    for source in [format!("command = [\"touch\", \"{}\"]", out.display()), "file = \"/no/such/file\"".to_owned()] {
        baton.write("stdlib/labs/genesys.toml", &format!("{shipped}\n[inventory.secrets.db]\n{source}\n"));
        let ended = baton.run(run).code(0).says("it is running").says("asked with it: primary");
        assert!(!out.exists(), "a secret of a lab was had: {}", ended.out);
        baton.run(&["doctor", "--lab", "genesys"]).code(0);
        baton.run(&["lab", "stop"]).code(0);
    }
}
