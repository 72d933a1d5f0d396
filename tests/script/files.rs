//! Carrying files, as scripts ask for it.

use super::Test;
use baton::model::run::effect::{Action, Class};

#[test]
fn a_transfer_says_what_goes_where_and_under_which_conditions() {
    let sha256 = "0123456789abcdef".repeat(4);
    let script = format!(
        r#"let h = host("cfg-a");
           put(h, "a/b.tar", "/opt/b.tar", #{{ mode: "0640", sha256: "{}", max: 1024, limit: "1h" }});
           fetch(h, "/var/x", "x", #{{ replace: true }});"#,
        sha256.to_uppercase()
    );
    let test = Test::new(&script);
    assert_eq!(test.done(), ["put(cfg-a, /opt/b.tar)", "fetch(cfg-a, /var/x)"]);
    let effect = test.door.effect("put(cfg-a, /opt/b.tar)");
    assert_eq!((effect.class(), effect.host.as_deref(), &effect.undo), (Class::Idempotent, Some("cfg-a"), &None));
    let Action::Put(put) = effect.action else { panic!("not a put") };
    assert_eq!((put.local.as_str(), put.remote.as_str(), put.mode), ("a/b.tar", "/opt/b.tar", Some(0o640)));
    assert_eq!((put.sha256, put.max, put.limit.to_string().as_str()), (Some(sha256), 1024, "1h"));
    let Action::Fetch(fetch) = test.door.effect("fetch(cfg-a, /var/x)").action else { panic!("not a fetch") };
    assert_eq!((fetch.replace, fetch.max, fetch.mode), (true, 4 << 30, None));
}

#[test]
fn what_cannot_be_carried_is_a_bug() {
    for (call, why) in [
        ("put(h, \"a\", \"b\")", "`put` wants the full path of a file there, such as `/opt/packages/a.tar`, not `b`"),
        ("put(h, \"a/\", \"/b\")", "`put` wants the path of a file here, not `a/`"),
        ("fetch(h, \"/b/..\", \"a\")", "`fetch` wants the full path of a file there"),
        ("fetch(h, \"/b\", \"\")", "`fetch` wants the path of a file here, not ``"),
        ("put(h, \"a\", \"/b\", #{ mode: \"rw\" })", "option `mode`: `rw` is no mode such as `\"0640\"`"),
        ("put(h, \"a\", \"/b\", #{ mode: \"+644\" })", "is no mode"),
        ("put(h, \"a\", \"/b\", #{ sha256: \"abc\" })", "option `sha256`: `abc` is no SHA-256"),
        ("put(h, \"a\", \"/b\", #{ max: -1 })", "option `max` wants a number of bytes"),
        ("put(h, \"a\", \"/b\", #{ replace: true })", "`put` has no option `replace`"),
        ("put(\"cfg-a\", \"a\", \"/b\")", "`put` wants a host as argument 1, not text `cfg-a`"),
    ] {
        let bug = Test::new(&format!("let h = host(\"cfg-a\"); {call};")).bug();
        assert!(bug.contains(why), "{call}: {bug}");
    }
}
