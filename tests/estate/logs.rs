//! Logs of a host over SSH: links are followed, copies are no news, and what cannot be seen is said.

use crate::support::Baton;
use crate::support::estate::Estate;

const PROFILE: &str = r#"product = "demo"
title = "Demo"
model = "demo"
[requires]
files = "the names of the log"
[probes.status]
argv = ["/bin/echo", "running"]
[log]
dir = "/root/logs"
files = "{files}"
[[log.layouts]]
columns = "time level number"
level = "Std"
number = '(\d{5})'
[events]
10001 = "it is ready"
"#;

#[test]
fn however_much_goes_on_at_the_same_time_on_a_host_all_of_it_is_started_and_a_probe_has_its_turn() {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    baton.write("stdlib/products/demo.toml", PROFILE);
    let service = "[services.s]\nhost = \"h1\"\nproduct = \"demo\"\nfiles = \"a.log\"\n";
    baton.write("site.toml", &format!("{}{service}", estate.inventory("")));
    let book = "//! Twelve\nlet h = host(\"h1\");\nparallel([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], |n| {\n\
        run(h, [\"sh\", \"-c\", `sleep 1; echo ${n} >>/root/done`], #{ limit: \"20s\" });\n\
        guard(probe(service(\"s\"), \"status\") == \"running\", \"it runs\");\n});\n";
    baton.write("book.rhai", book);
    let began = std::time::Instant::now();
    baton.run(&["run", "book.rhai", "-i", "site.toml"]).code(0).says("12 changes");
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "something waited in vain: {:?}", began.elapsed());
    assert_eq!(estate.host(1).does("sort -n /root/done | tr '\\n' ' '"), "1 2 3 4 5 6 7 8 9 10 11 12 ");
}

/// Does something to the log between its mark and a wait; what baton says.
fn after(files: &str, before: &str, script: &str, wait: &str) -> (i32, String) {
    let (baton, estate) = (Baton::new(), Estate::start(1));
    baton.write("stdlib/products/demo.toml", PROFILE);
    let service = format!("[services.s]\nhost = \"h1\"\nproduct = \"demo\"\nfiles = \"{files}\"\n");
    baton.write("site.toml", &format!("{}{service}", estate.inventory("")));
    estate.host(1).does(&format!("mkdir /root/logs; cd /root/logs; {before}"));
    let book = format!(
        "//! Waits\nlet s = service(\"s\");\nmark(s);\nrun(host(\"h1\"), [\"sh\", \"-c\", `{script}`], \
         #{{ cwd: \"/root/logs\" }});\nwait_for_log(s, {wait}, #{{ limit: \"2s\" }});\n"
    );
    baton.write("book.rhai", &book);
    let ended = baton.run(&["run", "book.rhai", "-i", "site.toml"]);
    (ended.code, format!("{}{}", ended.out, ended.err))
}

#[test]
fn a_link_to_the_file_of_the_day_is_followed_when_it_leads_to_the_next_day() {
    let next_day = "echo last >>d1; echo '22:00:01 Std 10001 x' >d2; ln -sf d2 current.log";
    let (code, said) = after("current.log", "echo old >d1; ln -s d1 current.log", next_day, "10001");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("= it is ready"), "{said}");
}

#[test]
fn a_copy_and_a_text_are_no_news_and_what_cannot_be_seen_is_said() {
    let copied = "cp app.log app.log.1; : >app.log; echo '22:00:01 Trc 1 Std 10001 x' >>app.log";
    let (code, said) = after("app.log*", "echo '22:00:00 Std 10001 yesterday' >app.log", copied, "10001");
    assert!(code == 1 && said.contains("did not come") && said.contains("1 line was read"), "{said}");
    let (code, said) = after("ap.log", "echo old >app.log; ln -s nothing ap.log", "true", "10001");
    assert!(code == 1 && said.contains("leads") && said.contains("nowhere"), "{said}");
}
