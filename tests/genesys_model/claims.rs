//! Which of baton's sentences about a pair of Configuration Servers are true: each kind of sentence as it is and as it
//! is not. What is a condition or an instruction claims nothing.

use super::befallen::{before, ready, replace, upgraded};
use crate::support::explored::Explored;

const OLD: &str = "8.1.300.23";
const NEW: &str = "8.5.101.10";

#[track_caller]
fn judged(site: &Explored, right: &[&str], wrong: &[&str]) {
    right.iter().for_each(|sentence| {
        site.holds(sentence);
    });
    wrong.iter().for_each(|sentence| {
        site.is_false(sentence);
    });
}

#[test]
fn how_a_pair_stands_before_anything_is_done() {
    let site = before("upgrade-mode");
    judged(
        &site,
        &[
            "c1 serves 6 clients on confdb, c2 stands by.",
            "c1 is running with 8.1.300.23 and serves. c2 is running with 8.1.300.23 and stands by.",
            "c2 is running with 8.1.300.23, its role backup.",
            "6 clients are connected to c1.",
            "c1 runs 8.1.300.23, not 8.5.101.10",
            "c1 has 8.1.300.23 in its folder already",
            "c1 names confdb, not confdb_85",
            "c1 serves with 8.1.300.23, its peer stands by, and changes are accepted.",
            "- c1 is running, role primary; it has 8.1.300.23, which was not replaced.\n- The database was not upgraded.",
            "c1 still accepts changes in read-only mode",
            "c1 reads primary now, and backup before",
        ],
        &[
            "c1 serves 5 clients on confdb, c2 stands by.",
            "c2 serves 6 clients on confdb, c1 stands by.",
            "c1 is running with 8.1.300.23 and stands by.",
            "c1 is running with 8.5.101.10 and serves.",
            "c1 is stopped and has 8.1.300.23.",
            "c2 is stopped with 8.1.300.23",
            "c2 is running with 8.1.300.23, its role primary.",
            "5 clients are connected to c1.",
            "There is no redundancy.",
            "there is no second server: no redundancy",
            "Leave c2 running: nobody else serves.",
            "c2 serves from now on",
            "c1 does not serve: its role reads none",
            "c1 does not serve any more",
            "c2 does not run: the pair has no redundancy to begin with",
            "c2 went down while c1 started",
            "c2 is not ready to take over",
            "c2 does not stand by",
            "c1 neither serves nor stands by",
            "c1 accepts no changes, and nobody forbade them",
            "c1 is read-only already: find out",
            "c1 is in upgrade mode",
            "c1 has an old upgrade-mode option",
            "The old installation of c2 lies beside its folder",
            "The new version lies beside the folders and was not started.",
            "- c1 is running, role primary; it has 8.5.101.10, the old 8.1.300.23 lies beside it.",
            "- The database was upgraded, on a copy; the old one was preserved.",
            "two servers are primary: read-only mode stays until a person decides",
            "no server is primary: read-only mode could not be lifted",
            "0 servers are primary, not one",
            "Nobody is served now: this is an outage.",
            "not all clients have reached c1",
            "c1 reads backup now, and primary before",
        ],
    );
}

#[test]
fn what_is_asked_for_or_supposed_claims_nothing() {
    let site = before("upgrade-mode");
    for sentence in [
        "If so: shut down c1, see that c2 is primary. With c2 serving and c1 stopped, genesys/confserv-ha goes on with HA-8",
        "If c2 is in upgrade mode, shut it down, see that c1 is primary, and start it again.",
        "See that c2 has no option upgrade-mode, in its configuration file or on its command line.",
        "See that read-only mode is lifted, and try a change.",
        "Two versions are meant to run side by side for a short time only. To go on: stop c1, see that c2 is primary.",
        "Until the end there are phases without redundancy, and the configuration cannot be changed.",
        "Then start c2: it must log 21-22172.",
        "go on: it is in upgrade mode",
        "c1 must go on serving",
    ] {
        site.holds(sentence);
    }
}

#[test]
fn a_new_server_beside_the_old_one() {
    let site = before("upgrade-mode");
    replace(&site, "c2", "confdb");
    judged(
        &site,
        &[
            "c2 is stopped and has 8.5.101.10.",
            "There is no redundancy. The old installation of c2 lies beside its folder: swap them back and start it.",
            "c2 is stopped, and there is no redundancy. Put 8.1.300.23 back and start it?",
            "c2 did not enter upgrade mode by itself; its events were 22911, 22902.",
        ],
        &["c2 is stopped and has 8.1.300.23.", "The new version lies beside the folder of c2."],
    );
    site.does("c2", "start", &[]).pass(7);
    site.holds("c2 is initializing with 8.5.101.10 and neither serves nor stands by.");
    let site = ready("upgrade-mode");
    judged(
        &site,
        &[
            "two servers are primary: read-only mode stays until a person decides",
            "c2 entered upgrade mode (21-25301) only after 21-22902.",
            "c2 is still in upgrade mode",
            "- c2 is running, role primary, in upgrade mode; it has 8.5.101.10, the old 8.1.300.23 lies beside it.",
            "c1 still refuses changes",
        ],
        &[
            "c2 serves alone with 8.5.101.10",
            "c2 stands by with 8.5.101.10, no upgrade mode was needed",
            "c2 did not enter upgrade mode by itself; its events were 22911.",
            "by its log c2 is ready in backup, but asked itself, it is not in upgrade mode",
            "- c2 is running, role primary; it has 8.5.101.10, the old 8.1.300.23 lies beside it.",
            "c1 accepts changes that going back would lose",
        ],
    );
}

#[test]
fn one_server_is_all_there_is() {
    let site = ready("upgrade-mode");
    site.befalls("c1", "dies").pass(120);
    let alone =
        format!("c2 serves alone with {NEW} on confdb. c1 went down while it started, and has {OLD}. What now?");
    judged(
        &site,
        &[&alone, "Leave c2 running: nobody else serves.", "c2 serves: c1 has gone down while it started."],
        &[
            "c1 serves alone with 8.1.300.23 on confdb.",
            "c2 serves alone with 8.5.101.10 on confdb_85.",
            "c1 went down while it started, and has 8.5.101.10. What now?",
            "c2 went down while c1 started",
            "c2 goes on serving with 8.1.300.23",
        ],
    );
    site.befalls("c2", "dies").pass(5);
    site.holds("Nobody is served now: this is an outage.")
        .holds("no server is primary: read-only mode could not be lifted");
    site.holds("c1 does not serve, its role reads none; that of c2 reads none");
    site.is_false("Leave c2 running: nobody else serves.");
}

#[test]
fn an_upgrade_that_is_complete() {
    let site = upgraded("upgrade-mode");
    judged(
        &site,
        &["c1 serves 6 clients, c2 stands by, both run 8.5.101.10.", "6 of 6 clients have reached c1."],
        &[
            "c1 serves 6 clients, c2 stands by, both run 8.1.300.23.",
            "5 of 6 clients have moved to c1, 30 s after the stop of c2.",
            "c1 runs 8.5.101.11, not 8.5.101.10",
            "c1 still has the option upgrade-mode: 1",
            "c1 serves the upgraded database: read-only mode stays as it is",
            "c1 serves confdb. Changes made now are lost by going back",
            "read-only mode stays forced on c1",
            "what is staged for c2 is 8.5.101.10, not 8.5.101.11",
            "what is staged for c2 names confdb, not confdb_85",
            "c2: what lies beside the folder names confdb, not confdb_85",
            "c2 is started from /somewhere, and its folder is /lab",
        ],
    );
}

#[test]
fn what_befell_it_at_this_instant_is_told_as_it_was_read() {
    let site = before("compatible");
    site.befalls("c2", "dies").holds("c1 serves 6 clients on confdb, c2 stands by.");
    site.pass(1).is_false("c1 serves 6 clients on confdb, c2 stands by.");
}
