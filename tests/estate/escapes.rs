//! What a host says is shown, never obeyed: none of 500 terminal sequences, as output of jobs and probes, as lines of
//! logs, as text of errors and as names of files, reaches a terminal or a pipe as it is.

use crate::support::estate::Estate;
use crate::support::terminal::Session;
use crate::support::{Baton, Dice};
use std::path::Path;

const COUNT: usize = 500;
const SEED: u64 = 500;

/// Beginnings and ends of sequences that terminals obey; `@` is a number that is nowhere else on the screen.
const FORMS: &[&str] = &[
    "\u{1b}[@A",
    "\u{1b}[@;1H",
    "\u{1b}[@J",
    "\u{1b}[@K",
    "\u{1b}[@m",
    "\u{1b}[?@h",
    "\u{1b}[?@l",
    "\u{1b}[>@c",
    "\u{1b}[@n",
    "\u{1b}[@;2r",
    "\u{1b}[@P",
    "\u{1b}[@L",
    "\u{1b}[@t",
    "\u{1b}[@i",
    "\u{1b}[=@h",
    "\u{1b}[@ q",
    "\u{1b}[!@p",
    "\u{1b}[@\"q",
    "\u{1b}]0;@\u{7}",
    "\u{1b}]2;@\u{1b}\\",
    "\u{1b}]52;c;@\u{7}",
    "\u{1b}]8;;http://@\u{1b}\\",
    "\u{1b}]4;@;?\u{7}",
    "\u{1b}]1337;File=@\u{7}",
    "\u{1b}]9;@\u{7}",
    "\u{1b}]777;notify;@\u{7}",
    "\u{1b}P@q\u{1b}\\",
    "\u{1b}P+q@\u{1b}\\",
    "\u{1b}P$q@\u{1b}\\",
    "\u{1b}_@\u{1b}\\",
    "\u{1b}^@\u{1b}\\",
    "\u{1b}X@\u{1b}\\",
    "\u{9b}@A",
    "\u{9b}@;1H",
    "\u{9b}@J",
    "\u{9d}0;@\u{9c}",
    "\u{90}@q\u{9c}",
    "\u{9f}@\u{9c}",
    "\u{9e}@\u{9c}",
    "\u{98}@\u{9c}",
    "\u{1b}c@",
    "\u{1b}7@\u{1b}8",
    "\u{1b}D@",
    "\u{1b}M@",
    "\u{1b}E@",
    "\u{1b}H@",
    "\u{1b}(0@",
    "\u{1b}#8@",
    "\u{1b}%G@",
    "\u{1b}=@",
    "\u{1b}>@",
    "\u{1b}N@",
    "\u{1b}O@",
    "\u{1b}\u{1b}[@A",
    "\u{1b}[\u{1b}[@A",
    "\u{8}@\u{8}\u{8}",
    "\u{7}@",
    "\u{e}@\u{f}",
    "\r@",
    "\u{b}@",
    "\u{c}@",
    "\u{5}@",
    "\u{7f}@",
    "\u{84}@",
    "\u{85}@",
    "\u{8d}@",
    "\u{202e}@",
    "\u{2066}@",
    "\u{200f}@",
    "\u{feff}@",
    "\u{2028}@",
    "\u{e0041}@",
    "\u{18}@",
    "\u{1a}@",
    "\u{0}@",
];

/// Each is nowhere else on the screen.
fn sequences() -> Vec<String> {
    let mut dice = Dice::new(SEED);
    let form = |at: usize, dice: &mut Dice| {
        let pick = if at < FORMS.len() { at } else { dice.roll(FORMS.len() as u64) as usize };
        FORMS[pick].replace('@', &(70_000 + at).to_string())
    };
    (0..COUNT).map(|at| form(at, &mut dice)).collect()
}

const PRODUCT: &str = r#"
product = "loud"
title = "Says what terminals obey"
model = "loud"

[probes.five]
argv = ["sed", "-n", "{n},+4p", "/root/loud/all"]

[probes.fails]
argv = ["sh", "-c", "cat /root/loud/all >&2; exit 3"]

[log]
dir = "/root/log"
files = "*"
event_patterns = ['^(\d+) ']
"#;

const RUNBOOK: &str = r##"//! Lets a host say what terminals obey
let h = host("h1");
let s = service("loud");
mark(s);
let all = run(h, ["cat", "/root/loud/all"]);
note(all.output);
for line in all.output.split("\n") { note(line); warn(line); }
for n in range(1, 501, 5) { print(probe(s, "five", #{ n: n })); }
run(h, ["sh", "-c", "paste -d ' ' - - - - - </root/loud/all >/root/log/a.log"]);
for n in range(0, 100) { note(wait_for_log(s, "7\\d\\d\\d\\d", #{ limit: "20s" }).line); }
try { probe(s, "fails") } catch (problem) { note(`${problem}`); }
for n in range(1, 11) {
    let from = (n * 50 - 49).to_string();
    let to = (n * 50).to_string();
    try { run(h, ["sh", "-c", "sed -n \"$1,$2p\" /root/loud/all >&2; exit 7", "x", from, to]) }
    catch (problem) { warn(`${problem.message} ${problem.output}`); }
}
note(run(h, ["ls", "/root/names"]).output);
step("the last", || run(h, ["sh", "-c", "cat /root/loud/all; cat /root/loud/all >&2; ls /root/names >&2; exit 9"]));
"##;

fn site(settings: &str) -> (Baton, Estate) {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    let home = estate.host(1).home();
    for folder in ["loud", "log", "names"] {
        std::fs::create_dir(home.join(folder)).unwrap();
    }
    let sequences = sequences();
    // Raw bytes that are no UTF-8 as well: some terminals take 0x9b for the beginning of a sequence.
    let mut bytes = sequences.join("\n").into_bytes();
    bytes.extend(b"\n\x9b31m\n\x9d0;x\x9c\n\xff\xfe\n");
    std::fs::write(home.join("loud/all"), bytes).unwrap();
    for name in sequences.iter().filter(|name| !name.contains(['/', '\0'])) {
        std::fs::write(Path::new(&home).join("names").join(name), "").unwrap();
    }
    let service = "\n[services.loud]\nhost = \"h1\"\nproduct = \"loud\"\n";
    baton.write("stdlib/products/loud.toml", PRODUCT).write("runbooks/own/loud.rhai", RUNBOOK);
    baton.write("site.toml", &(estate.inventory(settings) + service));
    (baton, estate)
}

#[test]
fn nothing_a_host_says_reaches_a_pipe_as_it_is() {
    let (baton, _estate) = site("");
    let commands: [&[&str]; 5] = [
        &["run", "own/loud", "-i", "site.toml", "--events", "events.jsonl"],
        &["show", "latest"],
        &["resume", "latest"],
        &["runs"],
        &["show", "latest", "--json"],
    ];
    for words in commands {
        let done = baton.command(words).output().unwrap();
        for (name, bytes) in [("stdout", done.stdout), ("stderr", done.stderr)] {
            let text = String::from_utf8(bytes).unwrap_or_else(|error| panic!("{words:?}, {name}: {error}"));
            calm(&format!("{words:?}, {name}"), &text);
            if words[0] == "run" && name == "stdout" {
                let missing: Vec<usize> =
                    (70_000..70_000 + COUNT).filter(|at| !text.contains(&at.to_string())).collect();
                assert!(missing.is_empty(), "not shown at all: {missing:?}\n{text}");
            }
        }
    }
    let events = std::fs::read_to_string(baton.folder().join("events.jsonl")).unwrap();
    assert!(events.len() > 100_000);
    calm("events", &events);
}

#[test]
fn nothing_a_host_says_reaches_a_terminal_as_it_is() {
    let (baton, _estate) = site("");
    let mut session = Session::start(&baton, &["run", "own/loud", "-i", "site.toml"]);
    session.shows("failed> ").types("stop");
    assert_eq!(session.ends(), 1, "{}", session.screen());
    for sequence in sequences() {
        assert!(!session.screen().contains(&sequence), "{sequence:?} has reached the terminal");
    }
    assert!(session.screen().contains("70499"), "{}", session.screen());
}

/// Nothing in it moves a cursor or hides text.
#[track_caller]
fn calm(what: &str, text: &str) {
    let found = text.char_indices().find(|(_, c)| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
            || matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    });
    if let Some((at, c)) = found {
        let around: String = text[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{what}: {c:?} after {around:?}");
    }
}
