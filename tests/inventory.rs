//! Inventories and profiles as a user writes them: what they come to, and where each mistake is shown.

use baton::error::{Error, Kind};
use baton::model::run::meaning::VerbMeaning;
use baton::model::run::reading::Reading;
use baton::model::site::inventory::Inventory;
use baton::model::site::profile::{Profile, VerbClass};
use baton::model::span::Span;
use std::rc::Rc;

const PROFILE: &str = r#"
product = "acme-db"
title = "Acme database"
model = "acme"

[requires]
app = "the name of the application"
folder = "where it is installed"

[defaults]
staged = "{folder}_new"
tool = "acmectl"

[verbs.start]
class = "idempotent"
argv = ["{tool}", "start", "{app}"]
limit = "2min"
goal = { probe = "status", is = ["running"] }
undo = "stop"

[verbs.stop]
class = "idempotent"
argv = ["{tool}", "stop", "{app}"]
limit = "2min"
goal = { probe = "status", is = ["stopped"], stays = "10s" }

[verbs.backup]
class = "once"
argv = ["{tool}", "backup", "{app}", "{label}"]
limit = "1h"

[probes.status]
argv = ["{tool}", "status", "{app}"]
reads = { words = ["stopped", "running"] }

[log]
dir = "{folder}/log"
files = "{app}*.log"
event_patterns = ['^\S+ (\d{5}) ']

[events]
25302 = "in upgrade mode"
"#;

const SITE: &str = r#"
[hosts.cfg-a]
address = "local"
jobs = "/var/lib/baton/jobs"

[hosts.cfg-b]
address = "local"

[services.c1]
host = "cfg-a"
product = "acme-db"
app = "db"
folder = "/opt/{host}/{app}"

[services.c2]
host = "cfg-b"
product = "acme-db"
app = "db_backup"
folder = "/opt/{app}"
[services.c2.vars]
port = 2020
[services.c2.verbs.stop]
limit = "3min"
[services.c2.probes.status.reads]
words = ["stopped", "running", "hung"]

[pairs.db]
primary = "c1"
backup = "c2"
monitor = "c1"
"#;

fn parse(text: &str) -> Result<Inventory, Box<Error>> {
    Inventory::parse(text, "site.toml", &mut |name| (name == "acme-db").then(|| PROFILE.to_owned()))
}

/// The message, the source line with its place and what is underlined, and the hints.
fn shown(error: &Error) -> String {
    assert_eq!(error.kind, Kind::Inventory);
    let snippet = error.snippet.as_ref().expect("a place");
    let marked: String = snippet.line.chars().skip(snippet.place.column as usize - 1).take(snippet.length).collect();
    let hints: String = error.hints.iter().map(|hint| format!(" | {hint}")).collect();
    format!("{} @ {} [{marked}]{hints}", error.message, snippet.place)
}

#[test]
fn a_site_is_read_with_its_variables_expanded() {
    let site = parse(SITE).expect("sound");
    let var = |service: &str, name: &str| site.services[service].vars[name].clone();
    assert_eq!(var("c1", "folder"), "/opt/cfg-a/db");
    assert_eq!(var("c1", "staged"), "/opt/cfg-a/db_new");
    let c2 = [var("c2", "name"), var("c2", "host"), var("c2", "port")];
    assert_eq!(c2, ["c2", "cfg-b", "2020"]);
    assert_eq!(site.hosts["cfg-a"].jobs.as_deref(), Some("/var/lib/baton/jobs"));
    let pair = &site.pairs["db"];
    assert_eq!((pair.primary.as_str(), pair.backup.as_str(), pair.related["monitor"].as_str()), ("c1", "c2", "c1"));
}

#[test]
fn a_service_changes_single_lines_of_its_profile() {
    let site = parse(SITE).expect("sound");
    let (c1, c2) = (&site.services["c1"].profile, &site.services["c2"].profile);
    assert_eq!(c1.verbs["stop"].limit.0, Span::mins(2));
    assert_eq!(c2.verbs["stop"].limit.0, Span::mins(3));
    assert_eq!(c2.verbs["stop"].argv, c1.verbs["stop"].argv);
    assert_eq!(c2.probes["status"].reads, Reading::Words(vec!["stopped".into(), "running".into(), "hung".into()]));
    assert_eq!(c2.verbs["backup"].class, VerbClass::Once);
}

#[test]
fn services_without_changes_share_their_profile() {
    let twin =
        SITE.replace("[pairs.db]", "[services.c3]\nhost='cfg-a'\nproduct='acme-db'\napp='x'\nfolder='/x'\n[pairs.db]");
    let site = parse(&twin).expect("sound");
    assert!(Rc::ptr_eq(&site.services["c1"].profile, &site.services["c3"].profile));
}

/// Each case: what is replaced in the sound site, by what, and what is shown.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "port = 2020",
        "name = 2020",
        "`name` is set by baton itself @ site.toml:21:1 [name] | give the variable another name",
    ),
    (
        "address = \"local\"\njobs",
        "address = local\njobs",
        "this is not TOML: string values must be quoted, expected literal string @ site.toml:3:11 [local]",
    ),
    ("[hosts.cfg-b]", "[host.cfg-b]", "unknown key `host` @ site.toml:6:2 [host] | did you mean `hosts`?"),
    ("jobs =", "job =", "unknown key `job` @ site.toml:4:1 [job] | did you mean `jobs`?"),
    (
        "\"/var/lib/baton/jobs\"",
        "7",
        "`jobs` is a number, not text @ site.toml:4:8 [7] \
        | texts stand in quotes: \"…\"",
    ),
    (
        "\"/var/lib/baton/jobs\"",
        "\"jobs\"",
        "`jobs` of host `cfg-a` must be a full path: `jobs` @ site.toml:4:8 [\"jobs\"]",
    ),
    ("app = \"db\"", "ap = \"db\"", "unknown key `ap` in service `c1` @ site.toml:12:1 [ap] | did you mean `app`?"),
    (
        "app = \"db\"",
        "colour = \"db\"",
        "unknown key `colour` in service `c1` @ site.toml:12:1 [colour] \
         | the keys here are `host`, `product`, `vars`, `become`, `tags`, `verbs`, `probes`, `log`, `app`, `folder`, `staged`, `tool` \
         | variables of your own go into [services.c1.vars]",
    ),
    ("app = \"db\"\n", "", "service `c1` lacks `app` @ site.toml:9:11 [c1] | `app` is the name of the application"),
    (
        "app = \"db\"",
        "app = 1.5",
        "`app` of service `c1` must be text @ site.toml:12:7 [1.5] | texts stand in quotes: \"…\"",
    ),
    (
        "host = \"cfg-b\"",
        "host = \"cfg-c\"",
        "`host` of service `c2` is `cfg-c`: there is no such host @ site.toml:16:8 [\"cfg-c\"] | did you mean \
            `cfg-a` or `cfg-b`?",
    ),
    ("host = \"cfg-b\"\n", "", "service `c2` lacks `host` @ site.toml:15:11 [c2]"),
    (
        "product = \"acme-db\"\napp = \"db\"",
        "product = \"acme\"\napp = \"db\"",
        "`product` of service `c1` is `acme`: there is no such product @ site.toml:11:11 [\"acme\"] \
         | a product is described by a file `stdlib/products/acme.toml`",
    ),
    ("backup = \"c2\"\n", "", "pair `db` lacks `backup` @ site.toml:27:8 [db]"),
    (
        "backup = \"c2\"",
        "backup = \"c1\"",
        "pair `db` has `c1` twice: a pair is two services @ site.toml:29:10 [\"c1\"]",
    ),
    (
        "backup = \"c2\"",
        "backup = \"c9\"",
        "`backup` of pair `db` is `c9`: there is no such service @ site.toml:29:10 [\"c9\"] | did you mean \
            `c1` or `c2`?",
    ),
    (
        "monitor = \"c1\"",
        "monitor = \"scs\"",
        "`monitor` of pair `db` is `scs`: there is no such service @ site.toml:30:11 [\"scs\"]",
    ),
    (
        "\"/opt/{host}/{app}\"",
        "\"{staged}\"",
        "variable `folder` of service `c1`: variables go round in a circle: {folder} -> {staged} -> {folder} \
            @ site.toml:13:10 [\"{staged}\"]",
    ),
    (
        "\"/opt/{host}/{app}\"",
        "\"/opt/{ap}\"",
        "variable `folder` of service `c1`: `{ap}` stands for nothing here; did you mean `app`? \
            @ site.toml:13:10 [\"/opt/{ap}\"]",
    ),
    (
        "[hosts.cfg-b]",
        "[hosts.-b]",
        "`-b` cannot be the name of a host @ site.toml:6:8 [-b] | names are small letters, digits, `-` and \
            `_`, with a letter or digit first",
    ),
    (
        "[pairs.db]",
        "[pairs.\"d b\"]",
        "`d b` cannot be the name of a pair @ site.toml:27:8 [\"d b\"] | names are small letters, digits, \
            `-` and `_`, with a letter or digit first",
    ),
    (
        "[services.c1]",
        "[services.C1]",
        "`C1` cannot be the name of a service @ site.toml:9:11 [C1] | names are small letters, digits, `-` and \
            `_`, with a letter or digit first",
    ),
    (
        "[hosts.cfg-b]",
        "[secrets.db]\nfile = \"/a\"\nenv = \"B\"\n[hosts.cfg-b]",
        "secret `db` has 2 of `file`, `command` and `env` @ site.toml:6:10 [db] | say exactly one of `file`, \
            `command`, `env`",
    ),
    (
        "[hosts.cfg-b]",
        "[secrets.db]\ncommand = \"pass show db\"\n[hosts.cfg-b]",
        "`command` of secret `db` is a list of words: no shell reads it @ site.toml:7:11 [\"pass show db\"] | \
            write `command = [\"pass\", \"show\", \"db\"]`",
    ),
    (
        "jobs = \"/var/lib/baton/jobs\"",
        "become = \"-u\"",
        "`-u` is not the name of an account @ site.toml:4:10 [\"-u\"] | names are small letters, digits, `-` and `_`",
    ),
    ("limit = \"3min\"", "lmit = \"3min\"", "unknown key `lmit` @ site.toml:23:1 [lmit] | did you mean `limit`?"),
    (
        "limit = \"3min\"",
        "limit = \"3 min!\"",
        "`3 min!` is not a length of time; write for example `90s`, `5min` or `1h 30min` \
            @ site.toml:23:9 [\"3 min!\"]",
    ),
    (
        "limit = \"3min\"",
        "goal.probe = \"stat\"",
        "verb `stop` has a goal seen by `stat`, which is no probe @ site.toml:22:20 [stop] | did you mean `status`?",
    ),
    (
        "limit = \"3min\"",
        "goal = { probe = \"status\", is = [\"stoped\"] }",
        "verb `stop` can never reach its goal: probe `status` never reads `stoped`: it reads `stopped`, `running`, \
            `hung`; did you mean `stopped`? @ site.toml:22:20 [stop]",
    ),
    (
        "[services.c2.verbs.stop]",
        "[services.c2.verbs.halt]",
        "`class` is missing @ site.toml:22:1 [[services.c2.verbs.halt]]",
    ),
    (
        "[services.c2.verbs.stop]\nlimit = \"3min\"",
        "[services.c2.log]\ndir = \"{no}\"",
        "`log.dir` of service `c2`: `{no}` stands for nothing here @ site.toml:15:11 [c2]",
    ),
];

#[test]
fn every_mistake_is_shown_where_it_stands() {
    for (before, after, expected) in MISTAKES {
        assert!(SITE.contains(before), "{before}");
        let error = parse(&SITE.replacen(before, after, 1)).expect_err(expected);
        assert_eq!(shown(&error), *expected);
    }
}

#[test]
fn a_section_must_be_a_section() {
    for (text, expected) in [
        ("hosts = 3", "`hosts` is a number, not tables @ site.toml:1:9 [3]"),
        (
            "[hosts]\ncfg-a = \"local\"",
            "`cfg-a` is text, not a table @ site.toml:2:9 [\"local\"] | write a section of its own: [hosts.cfg-a]",
        ),
    ] {
        assert_eq!(shown(&parse(text).expect_err(text)), expected);
    }
    assert!(parse("").expect("an empty site").hosts.is_empty());
}

#[test]
fn an_address_cannot_become_an_option_or_a_second_line() {
    let message = |address: &str| parse(&format!("[hosts.a]\naddress = \"{address}\"")).expect_err(address).message;
    for address in ["", " ", "-oProxyCommand=x", "a b", "a\\nb", "a\\u0007", "root@-x", "-l@host", "a;b", "ssh://"] {
        assert!(message(address).ends_with("is not an address"), "{address}: {}", message(address));
    }
    for address in ["cfg-b", "root@cfg-b", "ssh://root@cfg-b:2222", "10.0.0.7", "root@[fe80::1%eth0]"] {
        let site = parse(&format!("[hosts.a]\naddress = \"{address}\"")).expect(address);
        assert_eq!(site.hosts["a"].address, address);
    }
}

#[test]
fn a_profile_is_checked_on_its_own() {
    let cases = [
        (
            "title =",
            "titel =",
            "unknown key `titel` @ stdlib/products/acme-db.toml:3:1 [titel] | did you mean `title`?",
        ),
        ("model = \"acme\"\n", "", "`model` is missing @ stdlib/products/acme-db.toml:1:1 []"),
        (
            "product = \"acme-db\"",
            "product = \"acme\"",
            "the file describes product `acme`, its name says `acme-db` @ stdlib/products/acme-db.toml:2:1 [product]",
        ),
        (
            "class = \"once\"",
            "class = \"twice\"",
            "unknown variant `twice`, expected `idempotent` or `once` @ stdlib/products/acme-db.toml:28:9 [\"twice\"]",
        ),
        (
            "goal = { probe = \"status\", is = [\"running\"] }\n",
            "",
            "verb `start` is idempotent and has no `goal` @ stdlib/products/acme-db.toml:14:8 [start] \
             | name the probe that sees its goal, or make it class = \"once\"",
        ),
        (
            "probe = \"status\", is = [\"running\"]",
            "probe = \"statsu\", is = [\"running\"]",
            "verb `start` has a goal seen by `statsu`, which is no probe @ stdlib/products/acme-db.toml:14:8 [start] | \
                did you mean `status`?",
        ),
        (
            "undo = \"stop\"",
            "undo = \"stpo\"",
            "verb `start` is undone by `stpo`, which is no verb @ stdlib/products/acme-db.toml:14:8 [start] | \
                did you mean `stop`?",
        ),
        (
            "argv = [\"{tool}\", \"status\", \"{app}\"]",
            "argv = []",
            "probe `status` has no command @ stdlib/products/acme-db.toml:32:9 [status]",
        ),
        (
            "'^\\S+ (\\d{5}) '",
            "'\\d{5}'",
            "the pattern `\\d{5}` must have one group in round brackets, the event's number \
                @ stdlib/products/acme-db.toml:39:1 [event_patterns]",
        ),
        (
            "'^\\S+ (\\d{5}) '",
            "'^('",
            "the pattern `^(` is not a regular expression @ stdlib/products/acme-db.toml:39:1 [event_patterns]",
        ),
        ("25302 =", "upgrade =", "event `upgrade` is not a number @ stdlib/products/acme-db.toml:42:1 [upgrade]"),
    ];
    for (before, after, expected) in cases {
        assert!(PROFILE.contains(before), "{before}");
        let error = Profile::parse(&PROFILE.replacen(before, after, 1), "acme-db").expect_err(expected);
        assert_eq!(shown(&error), expected);
    }
}

#[test]
fn what_a_verb_means_is_known_by_its_name_its_goal_or_what_the_profile_says() {
    let with = |before: &str, after: &str| {
        Profile::parse(&PROFILE.replacen(before, after, 1), "acme-db").unwrap_or_else(|error| panic!("{error}"))
    };
    let plain = with("", "");
    assert_eq!(plain.verb_meaning("start"), Some(VerbMeaning::Starts), "by the language");
    assert_eq!(plain.verb_meaning("stop"), Some(VerbMeaning::Stops), "by its goal");
    assert_eq!(plain.verb_meaning("backup"), None);
    let told = with("[verbs.backup]", "[verbs.backup]\nmeans = \"refuses-changes\"");
    assert_eq!(told.verb_meaning("backup"), Some(VerbMeaning::RefusesChanges), "by the profile");
    let other = PROFILE.replace("probe = \"status\"", "probe = \"state\"").replace("[probes.status]", "[probes.state]");
    let meaning =
        |text: &str| Profile::parse(text, "acme-db").unwrap_or_else(|error| panic!("{error}")).verb_meaning("stop");
    assert_eq!(meaning(&other), None, "nobody says what `state` reads");
    assert_eq!(
        meaning(&other.replace("[probes.state]", "[probes.state]\nmeans = \"status\"")),
        Some(VerbMeaning::Stops)
    );
    let twice = format!("{PROFILE}\n[probes.state]\nmeans = \"status\"\nargv = [\"true\"]\n");
    let error = Profile::parse(&twice, "acme-db").expect_err("two that read the status").to_string();
    assert!(error.contains("probes `state` and `status` mean the same"), "{error}");
    let wrong = PROFILE.replacen("[verbs.backup]", "[verbs.backup]\nmeans = \"halts\"", 1);
    let error = Profile::parse(&wrong, "acme-db").expect_err("no such meaning").to_string();
    assert!(error.contains("halts") && error.contains("stops"), "{error}");
}

#[test]
fn tags_are_a_list_of_plain_words() {
    let site = |tags: &str| format!("[hosts.a]\naddress = \"local\"\ntags = {tags}\n");
    let read = Inventory::parse(&site("[\"site-a\", \"dr\"]"), "site.toml", &mut |_| None).unwrap();
    assert!(read.hosts["a"].tags.contains("dr"));
    for wrong in ["\"site-a\"", "[1]", "[\"Site A\"]", "[\"\"]"] {
        let error = Inventory::parse(&site(wrong), "site.toml", &mut |_| None).unwrap_err();
        assert!(error.message.contains("`tags` is a list of words"), "{wrong}: {error}");
        assert_eq!(error.snippet.unwrap().place.line, 3, "{wrong}");
    }
}
