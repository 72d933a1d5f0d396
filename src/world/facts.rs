//! What a host is like, as far as baton needs it there: a clock, a folder for its jobs, room on its disks and a few
//! commands. One fixed script that only reads, to be asked as a probe; values go along as its arguments. It judges none
//! of it.

use crate::model::run::instant::Wall;
use crate::model::span::Span;

/// The rules for folders are those of whoever starts jobs there.
const SCRIPT: &str = concat!(include_str!("agent/folder.sh"), include_str!("facts.sh"));

/// What the command of [`facts_command`] printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What its clock shows, and how exactly: the true reading is at most this much later.
    pub clock: Option<(Wall, Span)>,
    /// The folder of jobs, as the host has it.
    pub jobs: String,
    /// What is wrong with the folder of jobs, as a fragment behind the name of the host.
    pub jobs_wrong: Option<String>,
    /// How much room there is, in KiB, by folder.
    pub room: Vec<(String, u64)>,
    /// The lease that counts there, as its file has it; empty where there is none.
    pub lease: String,
    /// The file of that lease, where it is there and cannot be read.
    pub veiled: Option<String>,
    /// Commands that it lacks.
    pub lacks: Vec<String>,
}

/// The command that prints what a host is like: its folder of jobs and that of its leases (empty for the default), and
/// the folders whose disks matter.
#[must_use]
pub fn facts_command((jobs, leases): (&str, &str), folders: &[String]) -> Vec<String> {
    let fixed = ["sh", "-c", SCRIPT, "baton", jobs, leases].map(str::to_owned);
    fixed.into_iter().chain(folders.iter().cloned()).collect()
}

impl Facts {
    /// Reads what the command printed; nothing unless it came to its end.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut facts = Self::default();
        let mut ended = false;
        for line in text.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "clock" => facts.clock = clock(rest),
                "home" => facts.jobs = rest.to_owned(),
                "jobs" => facts.jobs_wrong = Some(rest.to_owned()),
                "room" => facts.room.extend(room(rest)),
                "lease" => facts.lease.extend([rest, "\n"]),
                "veiled" => facts.veiled = Some(rest.to_owned()),
                "lacks" => facts.lacks.push(rest.to_owned()),
                "end" => ended = true,
                _ => {}
            }
        }
        ended.then_some(facts)
    }
}

/// Seconds with a fraction; without one where `date` has none.
fn clock(text: &str) -> Option<(Wall, Span)> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let millis = fraction.get(..3).and_then(|digits| digits.parse::<u16>().ok());
    Some(match millis {
        Some(millis) => (Wall(seconds * 1_000 + i64::from(millis)), Span(0)),
        None => (Wall(seconds * 1_000), Span(999)),
    })
}

fn room(text: &str) -> Option<(String, u64)> {
    let (free, folder) = text.split_once(' ')?;
    Some((folder.to_owned(), free.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Facts;
    use crate::model::run::instant::Wall;
    use crate::model::span::Span;

    #[test]
    fn what_was_printed_is_read_with_or_without_fractions_and_only_when_it_is_whole() {
        let text = "clock 1795294991.512345678\nhome /j\njobs keeps `/j` for another account\nroom 12 /a b\n\
                    lease number=7\nlease run=a\nlacks setsid\nend\n";
        let facts = Facts::read(text).expect("it is whole");
        assert_eq!(facts.clock, Some((Wall(1_795_294_991_512), Span(0))));
        assert_eq!(facts.room, [("/a b".to_owned(), 12)]);
        assert_eq!((facts.jobs.as_str(), facts.lacks.len()), ("/j", 1));
        assert_eq!((facts.lease.as_str(), facts.veiled), ("number=7\nrun=a\n", None));
        assert_eq!(facts.jobs_wrong.as_deref(), Some("keeps `/j` for another account"));
        assert_eq!(Facts::read("clock 17.N\nend").and_then(|facts| facts.clock), Some((Wall(17_000), Span(999))));
        assert_eq!(Facts::read("clock 17.5\nhome /j"), None);
    }
}
