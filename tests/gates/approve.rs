//! Gates off the terminal, and `baton approve`: who, when and why are recorded, once, for the question that was shown.

use super::{RUN, answered, complains, latest, records, runs, site, suspended};
use crate::support::Ended;
use baton::model::run::record::{Fact, Record};

const SURE: &str = "guard(confirm(\"Sure?\", #{ gate: \"sure\" }), \"not sure\");";

#[test]
fn off_the_terminal_a_run_is_suspended_and_names_both_commands() {
    let baton = site("step(\"First\", || run(host(\"here\"), [\"true\"]));\nmanual(\"Pull it\", \"it is dark\");");
    let ended = baton.run(&RUN).code(4).says("? suspended").says("manual-1  asked since");
    let ended = ended.says("    question  Pull it\n    evidence  it is dark\n    words     `done` or `failed`\n");
    let run = latest(&baton);
    let last =
        format!("\n  nobody answered: no terminal\nnext: baton approve {run} manual-1\nthen: baton resume {run}\n");
    assert!(ended.out.ends_with(&last), "{}", ended.out);
    let commands = format!("next: baton approve {run} manual-1\nthen: baton resume {run}\n");
    for words in [&["show"][..], &["approve", "latest"]] {
        let shown = baton.run(words).code(0).says("question  Pull it").says("evidence  it is dark");
        assert!(shown.out.ends_with(&commands), "{}", shown.out);
    }
    let list = baton.run(&["runs"]).code(0).says(&format!("\n              baton approve {} manual-1\n", &run[..12]));
    assert!(list.out.lines().all(|line| line.chars().count() <= 80), "{}", list.out);
    assert!(answered(&baton).is_empty(), "nothing is assumed");
}

#[test]
fn who_answered_when_and_why_is_on_record_and_shown() {
    let baton = suspended(SURE);
    let words = ["approve", "latest", "sure", "--as", "Anna Berg", "--note", "checked with the DBA"];
    let told = baton.run(&words).code(0).says("✓ `sure` is answered by Anna Berg: yes");
    assert!(told.out.ends_with(&format!("next: baton resume {}\n", latest(&baton))), "{}", told.out);
    assert_eq!(answered(&baton), [("yes".into(), "Anna Berg".into(), "checked with the DBA".into())]);
    let expected = "yes, answered by Anna Berg (typed by";
    baton.run(&["show"]).code(0).says(expected).says("checked with the DBA");
    let resumed = baton.run(&["resume"]).code(0).says(expected).says("1 question answered by Anna Berg");
    assert_eq!(resumed.out.matches("answered by Anna").count(), 2, "{}", resumed.out);
    let shown = baton.run(&["show"]).code(0);
    assert_eq!(shown.out.matches("answered by Anna").count(), 2, "{}", shown.out);
}

#[test]
fn other_answers_than_the_affirmative_are_typed() {
    let baton = suspended(SURE);
    baton.run(&["approve", "latest", "sure", "NO", "--note", "not tonight"]).code(0).says("no");
    baton.run(&["resume"]).code(3).says("not sure");
    let baton = suspended("note(choose(\"Which way?\", [\"go on\", \"go back\"], #{ gate: \"way\" }));");
    let shown = baton.run(&["approve"]).code(0).says("words     `go on` or `go back`");
    shown.says(&format!("next: baton approve {} way WORD", latest(&baton)));
    baton.run(&["approve", "latest", "way", "go back"]).code(0);
    baton.run(&["resume"]).code(0).says("note   go back");
}

#[test]
fn a_no_is_not_final_and_what_was_agreed_to_before_it_stays() {
    let asks = "guard(confirm(\"Backed up?\", #{ gate: \"backup\" }), \"no backup\");\n\
                status(service(\"db\"));\nguard(confirm(\"Told?\", #{ gate: \"told\" }), \"nobody was told\");\n\
                guard(confirm(\"Sure?\", #{ gate: \"sure\" }), \"not sure\");\n";
    let change = "run(host(\"here\"), [\"touch\", \"done\"]);";
    let before = "step(\"Before\", || run(host(\"here\"), [\"true\"]));\n";
    // Before anything was changed, and after.
    for (text, code) in
        [(format!("{asks}{change}"), 3), (format!("{before}step(\"Ask\", || {{ {asks} }});{change}"), 1)]
    {
        let baton = suspended(&text);
        let answer = |gate: &str, word: &str| baton.run(&["approve", "latest", gate, word]).code(0);
        answer("backup", "yes");
        baton.run(&["resume", &latest(&baton)]).code(4).says("Told?");
        answer("told", "no");
        baton.run(&["resume", &latest(&baton)]).code(code).says("nobody was told").says("baton resume");
        let again = baton.run(&["resume", &latest(&baton)]).code(4).says("question  Told?");
        assert!(!again.out.contains("question  Backed up?"), "it asks again what was agreed to:\n{}", again.out);
        answer("told", "yes");
        baton.run(&["resume", &latest(&baton)]).code(4).says("question  Sure?");
        answer("sure", "yes");
        baton.run(&["resume", &latest(&baton)]).code(0);
        let times = |text: &str| {
            let of =
                |record: &&Record| matches!(&record.fact, Fact::Intent { effect, .. } if effect.label.contains(text));
            records(&baton).iter().filter(of).count()
        };
        let labels: Vec<String> = records(&baton)
            .iter()
            .filter_map(
                |record| if let Fact::Intent { effect, .. } = &record.fact { Some(effect.label.clone()) } else { None },
            )
            .collect();
        assert_eq!(times("Backed up?"), 1, "{labels:#?}");
        assert_eq!(times("Told?"), 2, "{labels:#?}");
    }
}

#[test]
fn what_was_chosen_before_a_no_is_chosen_anew() {
    let baton = suspended(
        "let way = choose(\"Way?\", [\"on\", \"back\"], #{ gate: \"way\" });\n\
         guard(confirm(`Go ${way}?`, #{ gate: \"sure\" }), \"not sure\");",
    );
    let answer = |gate: &str, word: &str| baton.run(&["approve", "latest", gate, word]).code(0);
    answer("way", "back");
    baton.run(&["resume", &latest(&baton)]).code(4).says("Go back?");
    answer("sure", "no");
    baton.run(&["resume", &latest(&baton)]).code(3).says("not sure");
    baton.run(&["resume", &latest(&baton)]).code(4).says("question  Way?");
    answer("way", "on");
    baton.run(&["resume", &latest(&baton)]).code(4).says("Go on?");
    answer("sure", "yes");
    baton.run(&["resume", &latest(&baton)]).code(0);
}

#[test]
fn every_mistake_is_answered_with_what_is_there() {
    let baton = suspended("let way = choose(\"Which way?\", [\"on\", \"back\"], #{ gate: \"way\" });");
    let run = |words: &[&str]| baton.run(&[&["approve", "latest"], words].concat());
    complains(
        &baton,
        run(&["wya"]),
        2,
        "error: run RUN has no gate `wya` that is open\nhelp: did you mean `way`?\n\
         help: open: way; see them: baton approve RUN",
    );
    let how = "  caused by: it is answered with `on` or `back`\nhelp: baton approve RUN way WORD";
    complains(&baton, run(&["way"]), 2, &format!("error: `way` is a choice: say which word, none is assumed\n{how}"));
    complains(&baton, run(&["way", "up"]), 2, &format!("error: `up` does not answer `way`\n{how}"));
    let nameless = "error: an answer needs a name: it goes into the record\nhelp: say whose it is: --as NAME";
    complains(&baton, run(&["way", "on", "--as", " "]), 2, nameless);
    assert!(answered(&baton).is_empty(), "nothing was written");
    run(&["way", "back", "--as", "Anna", "--note", "it is too late"]).code(0);
    let again = run(&["way", "on"]).code(8);
    let again = again.says("`way` is answered already: back, by Anna, 20").says("; Anna said: it is too late\n");
    assert!(!again.err.contains("caused by"), "what somebody says is no cause: {}", again.err);
    again.says("baton show");
    assert_eq!(answered(&baton).len(), 1);
    baton.run(&["resume"]).code(0);
    run(&["way", "on"]).code(8).says("answered already: back, by Anna");
    run(&["other"]).code(8).says("is over: nothing of it waits for an answer");
    run(&[]).code(2).says("waits for an answer").says("baton show");
}

#[test]
fn the_gate_of_another_run_is_named_with_it() {
    let baton = suspended(SURE);
    baton.write("runbooks/own/t.rhai", "//! Asks\nconfirm(\"Quite?\", #{ gate: \"quite\" });\n");
    let first = latest(&baton);
    baton.run(&RUN).code(4);
    let second = runs(&baton).into_iter().find(|run| *run != first).expect("another run");
    let message = format!(
        "error: run {second} has no gate `sure` that is open\n\
         help: run {first} has one of this name: baton approve {first} sure"
    );
    let ended = baton.run(&["approve", &second, "sure"]).code(2);
    assert_eq!(ended.err, format!("{message}\n"));
}

#[test]
fn of_two_people_who_answer_at_once_one_is_recorded_and_the_other_is_told() {
    for _ in 0..5 {
        let baton = suspended(SURE);
        let people = ["Anna", "Bernd"];
        let words = |name| ["approve", "latest", "sure", "--as", name];
        let commands = people.map(|name| baton.command(&words(name)).spawn().expect("starts"));
        let ended = commands.map(|child| Ended::from(child.wait_with_output().expect("ends")));
        let recorded = answered(&baton);
        assert_eq!(recorded.len(), 1, "{ended:#?}");
        let first = people.iter().position(|name| *name == recorded[0].1).expect("one of them");
        let [winner, loser] = [&ended[first], &ended[1 - first]];
        assert_eq!((winner.code, loser.code), (0, 8), "{ended:#?}");
        let told = format!("`sure` is answered already: yes, by {}", people[first]);
        assert!(loser.err.contains(&told), "{}", loser.err);
    }
}

#[test]
fn gates_of_parallel_tracks_are_answered_one_by_one() {
    let baton = suspended("parallel([1, 2], |n| confirm(`Is ${n} fine?`, #{ gate: \"fine\" }));");
    let shown = baton.run(&["approve"]).code(0).says("Is 1 fine?").says("Is 2 fine?");
    let gates: Vec<&str> = shown.out.lines().filter_map(|line| line.split("baton approve ").nth(1)).collect();
    let gates: Vec<&str> = gates.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(gates, ["0.1-0/fine", "0.1-1/fine"]);
    baton.run(&["approve", "latest", gates[1]]).code(0).says(&format!(" {}\nthen: ", gates[0]));
    baton.run(&["resume"]).code(4).says("Is 1 fine?");
    baton.run(&["approve", "latest", gates[0]]).code(0);
    baton.run(&["resume"]).code(0);
}

#[test]
fn a_gate_whose_runner_was_killed_can_be_answered_as_well() {
    let baton = site(SURE);
    let mut session = crate::support::terminal::Session::start(&baton, &RUN);
    session.shows("? sure").kill();
    baton.run(&["approve", "latest", "sure"]).code(0);
    baton.run(&["resume"]).code(0).says("from elsewhere");
}

#[test]
fn done_does_not_stand_for_what_can_be_seen() {
    let text =
        "manual(\"Plug it in\", \"it hums\", #{ gate: \"plug\", check: || status(service(\"db\")) == \"running\" });";
    let baton = suspended(text);
    baton.run(&["approve", "latest", "plug"]).code(0);
    let failed = baton.run(&["resume"]).code(1);
    failed.says("warn   a person says done, but the check does not hold: Plug it in").says("baton resume");
    baton.run(&["resume"]).code(1).says("the check does not hold");
    baton.write("wiped", "");
    baton.run(&["resume"]).code(0);
    let asked = |record: &&Record| matches!(&record.fact, Fact::Intent { effect, .. } if effect.kind() == "ask");
    assert_eq!(records(&baton).iter().filter(asked).count(), 1, "nobody is asked again");
}

#[test]
fn a_severe_change_is_allowed_from_elsewhere_by_the_name_of_the_thing() {
    let baton = suspended("change(service(\"db\"), \"wipe\");");
    let shown = baton.run(&["approve"]).code(0).says("`wipe` of `db` cannot be undone").says("severe-1 WORD");
    shown.says("words     `db` or `no`");
    baton
        .run(&["approve", "latest", "severe-1"])
        .code(2)
        .says("`severe-1` is a choice: say which word, none is assumed");
    baton.run(&["approve", "latest", "severe-1", "yes"]).code(2).says("`yes` does not answer `severe-1`");
    assert!(!baton.folder().join("wiped").exists());
    baton.run(&["approve", "latest", "severe-1", "db"]).code(0);
    baton.run(&["resume"]).code(0);
    assert!(baton.folder().join("wiped").exists());
}
