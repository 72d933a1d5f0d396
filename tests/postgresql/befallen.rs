//! The model of a PostgreSQL pair where somebody explores: what can befall it, what must hold of it, and which of baton's
//! sentences about it are true.

use crate::support::explored::Explored;

const NOTHING: [&str; 0] = [];

fn pair() -> Explored {
    Explored::new("postgresql/switchover", "clean")
}

fn roles(site: &Explored) -> [String; 2] {
    ["pg-a", "pg-b"].map(|server| site.shows(server, "role"))
}

fn changed_places(site: &Explored) {
    site.does("pg-a", "shutdown", &[]).does("pg-b", "promote", &[]).pass(5);
    site.does("pg-a", "rewind", &[]).does("pg-a", "start", &[]).pass(5);
}

#[test]
fn only_what_is_possible_now_can_befall_it() {
    let site = pair();
    assert_eq!(site.could_befall("pg-a"), ["dies"]);
    assert_eq!(site.could_befall("pg-b"), ["dies", "is promoted by somebody", "cannot follow any more"]);
    site.does("pg-b", "shutdown", &[]);
    assert_eq!(site.could_befall("pg-b"), ["is started by somebody"]);
}

#[test]
fn what_befalls_it_does_what_it_says_and_is_nobodys_fault() {
    let site = pair();
    site.befalls("pg-a", "dies").pass(5);
    assert_eq!((roles(&site), site.shows("pg-b", "streams")), (["none".into(), "backup".into()], "false".into()));
    site.does("pg-a", "start", &[]).pass(5);
    assert_eq!((roles(&site), site.shows("pg-b", "streams")), (["primary".into(), "backup".into()], "true".into()));

    let site = pair();
    site.befalls("pg-b", "cannot follow any more").pass(60);
    assert_eq!(site.shows("pg-b", "streams"), "false");
    site.does("pg-b", "shutdown", &[]).does("pg-b", "start", &[]).pass(60);
    assert_eq!(site.shows("pg-b", "streams"), "false", "a restart mends nothing");
    site.does("pg-b", "shutdown", &[]).does("pg-b", "clone", &[]).does("pg-b", "start", &[]).pass(60);
    assert_eq!((site.shows("pg-b", "streams").as_str(), site.broken()), ("true", Vec::new()));

    let site = pair();
    site.befalls("pg-b", "is promoted by somebody").pass(5);
    assert_eq!((roles(&site), site.broken()), (["primary".into(), "primary".into()], Vec::new()));

    let site = pair();
    site.does("pg-a", "shutdown", &[]).does("pg-b", "promote", &[]).pass(5);
    site.befalls("pg-a", "is started by somebody").pass(5);
    assert_eq!((roles(&site), site.broken()), (["primary".into(), "primary".into()], Vec::new()));
}

#[test]
fn a_host_starts_its_server_with_it_whoever_had_stopped_it() {
    for (server, host) in [("pg-a", 0), ("pg-b", 1)] {
        let site = pair();
        site.does(server, "shutdown", &[]).restarts(&site.hosts()[host]).pass(120);
        assert_eq!((roles(&site), site.broken()), (["primary".into(), "backup".into()], Vec::new()), "{server}");
    }
}

#[test]
fn what_the_model_leaves_open_can_go_otherwise() {
    let going = |name: &str, way| Explored::going("postgresql/switchover", "clean", &[(name, 1, way)]);
    for (way, role) in [(0, "primary"), (1, "backup"), (2, "backup")] {
        let site = going("how pg-b is promoted", way);
        site.does("pg-a", "shutdown", &[]).does("pg-b", "promote", &[]).pass(5);
        assert_eq!(site.shows("pg-b", "role"), role, "{way}");
        site.pass(60);
        assert_eq!(site.shows("pg-b", "role") == "primary", way != 2, "{way}");
    }
    let site = going("the last records of pg-a get lost", 1);
    site.does("pg-a", "shutdown", &[]);
    let last = site.reads("pg-a", "last_record", &[]);
    assert!(site.reads("pg-b", "bytes_behind", &[("position", &last)]).parse::<i64>().unwrap() >= 0);
    let site = going("pg-a cannot be rewound", 1);
    changed_places(&site);
    assert_eq!(site.shows("pg-a", "standby"), "false");
}

#[test]
fn what_the_client_writes_is_counted_as_time_passes_and_followed() {
    let site = pair();
    let position = |server: &str| site.reads(server, "position", &[]);
    assert_eq!((position("pg-a").as_str(), position("pg-b").as_str()), ("0/1000", "0/1000"));
    let before = site.estate.hash();
    site.pass(60);
    assert_eq!(site.estate.hash(), before, "nothing has happened");
    assert_eq!((position("pg-a").as_str(), position("pg-b").as_str()), ("0/1600", "0/1600"));
    site.does("pg-a", "set_readonly", &[]).pass(60);
    assert_eq!((position("pg-a").as_str(), position("pg-b").as_str()), ("0/1600", "0/1600"));
    site.does("pg-a", "unset_readonly", &[]).pass(1);
    site.does("pg-b", "shutdown", &[]).pass(1);
    assert_eq!(position("pg-a"), "0/1620");
    site.does("pg-b", "start", &[]).pass(60);
    assert_eq!((position("pg-a").as_str(), position("pg-b").as_str()), ("0/2220", "0/2220"));
}

#[test]
fn a_change_of_places_breaks_nothing_and_what_is_wrong_is_found() {
    let site = pair();
    changed_places(&site);
    assert_eq!((roles(&site), site.broken_at_the_end()), (["backup".into(), "primary".into()], Vec::new()));

    let site = pair();
    site.does("pg-b", "promote", &[]).pass(5);
    assert_eq!(site.broken(), ["PG-3", "PG-1", "PG-2", "PG-4"], "what the other one takes meanwhile it has not");

    let promoted_long_ago = || {
        let site = pair();
        site.befalls("pg-b", "is promoted by somebody").pass(60).does("pg-b", "shutdown", &[]).pass(60);
        assert_eq!(site.broken(), NOTHING);
        site
    };
    let site = promoted_long_ago();
    site.does("pg-b", "start", &[]);
    assert_eq!(site.broken(), ["PG-1"], "it would serve beside the other one");
    let site = promoted_long_ago();
    site.does("pg-b", "rewind", &[]);
    assert_eq!(site.broken(), ["PG-2"], "what was written to it is gone");

    let site = pair();
    site.does("pg-b", "shutdown", &[]).pass(60).does("pg-a", "shutdown", &[]).does("pg-b", "start", &[]).pass(5);
    site.does("pg-b", "promote", &[]).pass(5);
    assert_eq!(site.broken(), ["PG-2"], "what was written meanwhile is gone");

    let site = pair();
    site.does("pg-b", "set_option", &[("key", "work_mem"), ("value", "8MB")]);
    assert_eq!(site.broken_at_the_end(), ["PG-5", "PG-8"]);

    let site = pair();
    site.does("pg-a", "set_readonly", &[]).does("pg-b", "shutdown", &[]);
    assert_eq!(site.broken_at_the_end(), ["PG-6", "PG-7"]);
}

#[test]
fn nobody_is_blamed_for_what_befell_it_after_the_last_look() {
    let site = pair();
    changed_places(&site);
    site.befalls("pg-a", "dies").pass(5);
    assert_eq!(site.broken_at_the_end(), NOTHING);
    let site = pair();
    site.does("pg-a", "set_readonly", &[]).befalls("pg-b", "dies").pass(60);
    assert_eq!(site.broken_at_the_end(), ["PG-6", "PG-7"], "there was time to look");
}

#[test]
fn sentences_are_judged_by_how_the_pair_stands() {
    let site = pair();
    site.holds("pg-a serves, pg-b follows it.").holds("Both run as before. Correct the settings and run again.");
    for sentence in [
        "pg-b serves, pg-a follows it, both with the new settings.",
        "pg-b does not follow: the pair has no redundancy to begin with",
        "pg-b does not keep up with pg-a: it does not stream",
        "pg-a is read-only already: find out who set it, and why",
        "pg-b serves, on timeline 2.",
        "transactions were open on pg-a for longer than 10s: they are ended",
        "both can be written to: shut one down, and find out what was written where",
        "pg-a could not be promoted",
    ] {
        site.is_false(sentence);
    }
    site.holds("pg-a is not shut down: two servers could be written to");
    changed_places(&site);
    site.holds("pg-b serves, on timeline 2.").is_false("pg-b serves, on timeline 1.");
    site.holds("pg-b serves, pg-a follows it.").is_false("pg-a serves again. Read the log of pg-b, then run again.");
    site.does("pg-a", "set_option", &[("key", "work_mem"), ("value", "8MB")]);
    site.holds("pg-a does not run with the new work_mem: a later file overrides it").is_false("Both run as before.");
    site.does("pg-a", "shutdown", &[]).does("pg-b", "set_readonly", &[]);
    site.is_false("pg-a is not shut down: two servers could be written to").holds("pg-b is still read-only");
    site.holds("pg-b serves, but refuses to be written to").is_false("pg-b serves, pg-a follows it.");
}
