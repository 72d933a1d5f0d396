//! The cursors of a log: no line lost, none read twice, whatever happens to the files.

use baton::exec::follow::{CHUNK, Follower, LINE_MAX, cursor_at_end};
use baton::model::run::mark::{Identity, Mark};
use baton::world::{FileKind, FileStat};

/// A folder of log files: name, inode, content, newest first; and the time, from which their times of writing follow.
#[derive(Default, Clone)]
struct Folder(Vec<(&'static str, u64, Vec<u8>)>, i64);

/// What happens, the files afterwards, and the lines that are new.
type Row = (&'static str, Vec<(&'static str, u64, &'static str)>, Vec<&'static str>);

impl Folder {
    fn of(files: &[(&'static str, u64, &str)]) -> Self {
        Self(files.iter().map(|(name, inode, text)| (*name, *inode, text.as_bytes().to_vec())).collect(), 1_000)
    }

    /// The same later.
    fn later(mut self) -> Self {
        self.1 += 1_000;
        self
    }

    fn listing(&self) -> Vec<FileStat> {
        let stat = |(index, (name, inode, bytes)): (usize, &(&str, u64, Vec<u8>))| FileStat {
            name: (*name).to_owned(),
            identity: Identity { device: 1, inode: *inode },
            len: bytes.len() as u64,
            modified: self.1 - index as i64,
            kind: FileKind::File,
        };
        self.0.iter().enumerate().map(stat).collect()
    }

    /// Where the log stands now.
    fn mark(&self) -> Mark {
        let end = |(stat, file): (FileStat, &(&str, u64, Vec<u8>))| cursor_at_end(&stat, 0, &file.2);
        Mark { cursors: self.listing().into_iter().zip(&self.0).map(end).collect() }
    }
}

/// Reads all that is new, line by line.
fn read(follower: &mut Follower, folder: &Folder) -> Vec<String> {
    follower.see(&folder.listing());
    let mut lines = Vec::new();
    while let Some(fetch) = follower.wanted() {
        let Some((_, _, bytes)) = folder.0.iter().find(|(name, ..)| *name == fetch.name) else {
            follower.missing();
            continue;
        };
        let from = (fetch.from as usize).min(bytes.len());
        let bytes = &bytes[from..(from + fetch.max as usize).min(bytes.len())];
        let taken = follower.take(bytes);
        lines.extend(taken.split_inclusive(|byte| *byte == b'\n').map(|line| {
            assert!(line.ends_with(b"\n"), "only whole lines");
            String::from_utf8_lossy(line).trim_end().to_owned()
        }));
        follower.consume(&taken, taken.len());
    }
    lines
}

/// What is read of `after`, when reading stood at the end of `before`; by a follower that goes on, and by one that
/// is made anew from the mark, as after a crash.
fn new_lines(before: &Folder, after: &Folder) -> Vec<String> {
    let mut going_on = Follower::new("app*.log", &before.mark());
    assert_eq!(read(&mut going_on, before), Vec::<String>::new(), "what is before the mark is old");
    let lines = read(&mut going_on, after);
    assert_eq!(read(&mut Follower::new("app*.log", &before.mark()), after), lines, "a resume reads the same");
    assert_eq!(read(&mut Follower::new("app*.log", &going_on.mark()), after), Vec::<String>::new(), "nothing twice");
    lines
}

#[test]
fn whatever_happens_to_the_files_each_new_line_is_read_once_and_in_order() {
    let before = Folder::of(&[("app.log", 10, "old 1\nold 2\n")]);
    let rows: Vec<Row> = vec![
        ("nothing happens", vec![("app.log", 10, "old 1\nold 2\n")], vec![]),
        ("it grows", vec![("app.log", 10, "old 1\nold 2\nnew 1\nnew 2\n")], vec!["new 1", "new 2"]),
        ("a line is begun", vec![("app.log", 10, "old 1\nold 2\nnew 1\nne")], vec!["new 1"]),
        ("lines end with CRLF", vec![("app.log", 10, "old 1\nold 2\nnew 1\r\n")], vec!["new 1"]),
        (
            "renamed to a name the glob matches",
            vec![("app.log", 11, "new 2\n"), ("app.1.log", 10, "old 1\nold 2\nnew 1\n")],
            vec!["new 1", "new 2"],
        ),
        (
            "renamed to a name the glob does not match",
            vec![("app.log", 11, "new 2\n"), ("app.log.1", 10, "old 1\nold 2\nnew 1\n")],
            vec!["new 1", "new 2"],
        ),
        (
            "renamed twice over",
            vec![("app.log", 12, "new 3\n"), ("app.1.log", 11, "new 2\n"), ("app.2.log", 10, "old 1\nold 2\nnew 1\n")],
            vec!["new 1", "new 2", "new 3"],
        ),
        ("truncated", vec![("app.log", 10, "new\n")], vec!["new"]),
        ("truncated and not yet written", vec![("app.log", 10, "")], vec![]),
        (
            "copied, truncated and regrown to the same length",
            vec![("app.log", 10, "new 1\nnew 2\n")],
            vec!["new 1", "new 2"],
        ),
        (
            "copied, truncated and regrown beyond",
            vec![("app.log", 10, "new 1\nnew 2\nnew 3\n")],
            vec!["new 1", "new 2", "new 3"],
        ),
        ("deleted", vec![], vec![]),
        ("deleted and made anew", vec![("app.log", 11, "new\n")], vec!["new"]),
        (
            "deleted and made anew with the same inode",
            vec![("app.log", 10, "new 1\nnew 2 is longer\n")],
            vec!["new 1", "new 2 is longer"],
        ),
        (
            "a new launch has a file of its own, with the inode of a deleted one",
            vec![("app.20261121.log", 10, "new 1 of this launch\n")],
            vec!["new 1 of this launch"],
        ),
        (
            "copied in the pattern and truncated",
            vec![("app.log", 10, "new\n"), ("app.1.log", 11, "old 1\nold 2\n")],
            vec!["new"],
        ),
        (
            "copied with a line nobody has read, and truncated",
            vec![("app.log", 10, "new 2\n"), ("app.1.log", 11, "old 1\nold 2\nnew 1\n")],
            vec!["new 1", "new 2"],
        ),
        (
            "copied, truncated and regrown beyond what was read",
            vec![("app.log", 10, "new 1\nnew 2 is longer\n"), ("app.1.log", 11, "old 1\nold 2\n")],
            vec!["new 1", "new 2 is longer"],
        ),
        (
            "copied under a name made of its own, and left as it was",
            vec![("app.log", 10, "old 1\nold 2\nnew\n"), ("app.log.bak.log", 11, "old 1\nold 2\n")],
            vec!["new"],
        ),
        ("copied and deleted", vec![("app.log.bak.log", 11, "old 1\nold 2\nnew\n")], vec!["new"]),
        (
            "another launch begins with the same lines",
            vec![("app.9.log", 11, "old 1\nold 2\n"), ("app.log", 10, "old 1\nold 2\n")],
            vec!["old 1", "old 2"],
        ),
        (
            "deleted, and a file of another program got its inode",
            vec![("notes.txt", 10, "old 1\nold 3\nnew\n")],
            vec![],
        ),
        (
            "it has a second name",
            vec![("app.b.log", 10, "old 1\nold 2\nnew\n"), ("app.log", 10, "old 1\nold 2\nnew\n")],
            vec!["new"],
        ),
        (
            "truncated under a writer that goes on where it stood",
            vec![("app.log", 10, "\0\0\0\0\0\0\0\0\0\0\0\0\0new 1\nnew 2\n")],
            vec!["new 1", "new 2"],
        ),
        (
            "packed under a name of the log",
            vec![("app.log", 10, "old 1\nold 2\n"), ("app.1.log", 11, "BZh91AY\nx\n")],
            vec![],
        ),
        (
            "a file of another program beside it",
            vec![("app.log", 10, "old 1\nold 2\n"), ("other.txt", 13, "noise\n")],
            vec![],
        ),
    ];
    for (name, after, wanted) in rows {
        assert_eq!(new_lines(&before, &Folder::of(&after).later()), wanted, "{name}");
    }
}

/// A log of so many lines, each of which is another.
fn log_of(lines: usize) -> String {
    (0..lines).map(|n| format!("2026-11-21T22:00:05 Std 10001 old {n}\n")).collect()
}

/// What is read in one listing after the other, and by a follower made anew from the mark before each.
fn read_in_turn(before: &Folder, then: &[Vec<(&'static str, u64, &str)>]) -> [Vec<String>; 2] {
    [false, true].map(|resumes| {
        let mut follower = Follower::new("app*.log", &before.mark());
        let mut lines = read(&mut follower, before);
        for (turn, files) in then.iter().enumerate() {
            if resumes {
                follower = Follower::new("app*.log", &follower.mark());
            }
            let mut folder = Folder::of(files);
            folder.1 += 1_000 * (turn as i64 + 1);
            lines.extend(read(&mut follower, &folder));
        }
        lines
    })
}

/// A log and a copy of it.
fn on<'t>(log: &'t str, text: &'t str) -> Vec<(&'static str, u64, &'t str)> {
    vec![("app.log", 10, log), ("app.log.1.log", 11, text)]
}

#[test]
fn a_copy_that_is_not_whole_yet_or_never_will_be_holds_nothing_new() {
    let log = log_of(2_000);
    let before = Folder::of(&[("app.log", 10, &log)]);
    let new = format!("{log}new\n");
    let parts = format!("{}another\n", &log[..60_000]);
    let own = format!("{}own line\n", &log[..500]);
    let (log, new, cut, bit) = (&log[..], &new[..], &log[..60_000], &log[..500]);
    let (parts, own) = (&parts[..], &own[..]);
    let launch = |text| vec![("app.log", 10, log), ("app.2.log", 12, text)];
    let none: &[&str] = &[];
    for (name, then, wanted) in [
        ("slow, then the log is cut", vec![on(log, ""), on(log, cut), on(log, log), on("", log)], none),
        ("slow, with a new line, then cut", vec![on(log, cut), on("", new), on("after\n", new)], &["new", "after"][..]),
        ("cut short for good", vec![on(log, bit), on(log, bit), on("", bit), on("after\n", bit)], &["after"]),
        ("cut short, and the log as well", vec![on("after\n", bit)], &["after"]),
        ("cut short, and the log is gone", vec![vec![("app.log.1.log", 11, bit)]], none),
        ("an old copy, when the log is cut", vec![on(log, log), on(new, log), on("", log)], &["new"]),
        ("made under another name", vec![launch(&log[..100]), launch(bit), launch(cut), launch(log)], none),
        ("it goes on as a log of its own", vec![on(log, cut), on(log, parts)], &["another"]),
        ("it has gone on when it is first seen", vec![launch(own)], &["own line"]),
        ("a launch that begins otherwise", vec![launch(""), launch("first\n"), launch("first\n2\n")], &["first", "2"]),
    ] {
        for (how, lines) in ["going on", "resumed"].iter().zip(read_in_turn(&before, &then)) {
            let shown = &lines[..lines.len().min(5)];
            // A line that the copy has cut short goes on as another one.
            let ends = lines.iter().zip(wanted).all(|(line, wanted)| line.ends_with(wanted));
            assert!(ends && lines.len() == wanted.len(), "{name}, {how}: {shown:?}, not {wanted:?}");
        }
    }
}

#[test]
fn a_line_that_was_begun_before_the_mark_is_old_unless_it_grows() {
    let before = Folder::of(&[("app.log", 1, "old\nREADY")]);
    for (after, wanted) in [
        ("old\nREADY\n", vec![]),
        ("old\nREADY\r\nnew\n", vec!["new"]),
        ("old\nREADY again\nnew\n", vec!["READY again", "new"]),
    ] {
        assert_eq!(new_lines(&before, &Folder::of(&[("app.log", 1, after)]).later()), wanted, "{after:?}");
    }
}

#[test]
fn a_file_that_was_last_written_before_the_mark_is_old_until_it_grows() {
    let before = Folder::of(&[("app.log", 1, "old\n")]).later();
    let mut after = Folder::of(&[("app.0.log", 2, "READY\n"), ("app.log", 1, "old\n")]);
    let mut follower = Follower::new("app*.log", &before.mark());
    assert!(read(&mut follower, &after).is_empty(), "moved there from elsewhere");
    assert_eq!(follower.remarks().old.len(), 1);
    after.0[0].2.extend(b"new\n");
    assert_eq!(read(&mut follower, &after.later()), ["new"]);
}

#[test]
fn a_hole_of_any_length_is_no_line() {
    let mut bytes = vec![0; CHUNK as usize * 2 + 7];
    let mut follower = Follower::new("app*.log", &Mark::default());
    assert!(read(&mut follower, &Folder(vec![("app.log", 1, bytes.clone())], 1)).is_empty());
    bytes.extend(b"new\nlast\n");
    let folder = Folder(vec![("app.log", 1, bytes)], 2);
    assert_eq!(read(&mut follower, &folder), ["new", "last"]);
    assert!(read(&mut Follower::new("app*.log", &follower.mark()), &folder).is_empty());
}

#[test]
fn many_old_files_cost_nothing_when_they_are_as_the_mark_left_them() {
    let folder = Folder((0..5_000).map(|inode| ("app.log", inode, b"old\n".to_vec())).collect(), 100_000);
    let mut follower = Follower::new("app*.log", &folder.mark());
    follower.see(&folder.listing());
    assert_eq!(follower.wanted(), None);
}

#[test]
fn stale_files_of_earlier_launches_are_never_read() {
    let before = Folder::of(&[("app.1.log", 1, "ready\n"), ("app.2.log", 2, "ready\n")]);
    let mut after = before.clone();
    after.0.push(("app.3.log", 3, b"starting\n".to_vec()));
    assert_eq!(new_lines(&before, &after.later()), ["starting"]);
}

#[test]
fn a_file_that_comes_later_is_read_from_its_start() {
    let mut follower = Follower::new("app*.log", &Mark::default());
    assert!(read(&mut follower, &Folder::default()).is_empty());
    assert_eq!(read(&mut follower, &Folder::of(&[("app.log", 1, "one\n")])), ["one"]);
}

#[test]
fn a_folder_that_is_away_for_a_moment_does_not_make_old_lines_new() {
    let folder = Folder::of(&[("app.log", 1, "old\n")]);
    let mut follower = Follower::new("app*.log", &folder.mark());
    read(&mut follower, &folder);
    read(&mut follower, &Folder::default());
    assert!(read(&mut follower, &folder).is_empty());
}

#[test]
fn a_line_is_read_when_it_is_whole_and_bytes_need_not_be_text() {
    let mut follower = Follower::new("app*.log", &Mark::default());
    let mut folder = Folder::of(&[("app.log", 1, "par")]);
    assert!(read(&mut follower, &folder).is_empty());
    folder.0[0].2.extend(b"tial \xff\xfe\n");
    assert_eq!(read(&mut follower, &folder), ["partial \u{fffd}\u{fffd}"]);
}

#[test]
fn reading_may_stop_behind_any_line_and_go_on_there() {
    let folder = Folder::of(&[("app.log", 1, "one\ntwo\nthree\n")]);
    let mut follower = Follower::new("app*.log", &Mark::default());
    follower.see(&folder.listing());
    follower.wanted().expect("something to read");
    let lines = follower.take(&folder.0[0].2).into_owned();
    follower.consume(&lines, 4);
    assert_eq!(read(&mut Follower::new("app*.log", &follower.mark()), &folder), ["two", "three"]);
    assert_eq!(read(&mut follower, &folder), ["two", "three"]);
}

#[test]
fn a_line_longer_than_a_chunk_is_cut_and_what_follows_it_is_read() {
    let long = CHUNK as usize * 2 + 500;
    let text = format!("first\n{}\nlast\n", "x".repeat(long));
    let folder = Folder(vec![("app.log", 1, text.into_bytes())], 0);
    let mut follower = Follower::new("app*.log", &Mark::default());
    let lines = read(&mut follower, &folder);
    assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [5, LINE_MAX + 1, 4]);
    assert_eq!(follower.remarks().long_lines, 1, "and said");
    assert!(read(&mut Follower::new("app*.log", &follower.mark()), &folder).is_empty());
}

#[test]
fn many_chunks_are_read_without_a_gap() {
    let text: String = (0..400_000).map(|n| format!("line {n}\n")).collect();
    let lines = read(&mut Follower::new("*", &Mark::default()), &Folder(vec![("app.log", 1, text.into_bytes())], 0));
    assert!(lines.iter().enumerate().all(|(n, line)| *line == format!("line {n}")) && lines.len() == 400_000);
}
