//! The lease of a host: which run works there, through which of its runners, and the fence number that keeps former
//! ones out. The text of its file and the rules of taking it, the same on every kind of host. Pure: it reads no file.
//!
//! On a host each lease is a file of its own, `<jobs>/lease/0000000007`. It is made once and never written again: that
//! succeeds for one taker only, waits for nobody and needs no lock that a stopped process could hold. The highest
//! number counts, and ten digits make the last by name the highest. Whoever made it looks, once it is written, whether
//! it still is: one that had no text for long may have been passed over. Whoever gives a lease back makes the next one,
//! which says `released=yes`. Lower numbers may be removed at any time.

use crate::model::run::instant::Wall;
use std::fmt;

/// The folder of the leases in a jobs folder.
pub const FOLDER: &str = "lease";

/// Whoever works on a run: one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runner {
    /// The run.
    pub run: String,
    /// The person, the machine and the process: `anna@ops1, pid 4711`.
    pub holder: String,
    /// How many records the run had when this runner took it up: a later runner has more, or wrote none before.
    pub opened: u64,
    /// The runs that this one follows, such as the upgrade it takes back: their hosts are for this one. Not written.
    pub follows: Vec<String>,
}

/// Why a runner may not change anything on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Another run holds it; this one did not.
    Held {
        /// The host.
        host: String,
        /// The lease that counts there.
        by: Box<Lease>,
    },
    /// It was taken from this runner: by another run, or by another runner of this one.
    TakenOver {
        /// The host.
        host: String,
        /// The lease that counts there.
        by: Box<Lease>,
    },
    /// This runner had a lease, and there is none any more: somebody has removed it.
    Gone {
        /// The host.
        host: String,
    },
}

impl Denied {
    /// The lease that stands in the way.
    #[must_use]
    pub fn by(&self) -> Option<&Lease> {
        match self {
            Self::Held { by, .. } | Self::TakenOver { by, .. } => Some(by.as_ref()),
            Self::Gone { .. } => None,
        }
    }

    /// The same with what a host has told of its lease as `hide` shows it.
    #[must_use]
    pub fn hidden(mut self, hide: &dyn Fn(String) -> String) -> Self {
        if let Self::Held { by, .. } | Self::TakenOver { by, .. } = &mut self {
            let texts = [&mut by.runner.run, &mut by.runner.holder, &mut by.since];
            texts.into_iter().for_each(|text| *text = hide(std::mem::take(text)));
        }
        self
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { host, by } => write!(f, "{by} holds `{host}`"),
            Self::TakenOver { host, by } => write!(f, "{by} has taken `{host}` over"),
            Self::Gone { host } => {
                write!(f, "the lease of this run on `{host}` is gone: somebody has removed its file")
            }
        }
    }
}

/// A lease of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The fence number: a job that was asked for under a lower one is refused.
    pub number: u64,
    /// Who holds it.
    pub runner: Runner,
    /// Since when, as a person reads it: `2026-11-21T22:03:11Z`.
    pub since: String,
    /// The state folder with the run's journal, where the host is the machine that has it.
    pub state: Option<String>,
    /// Its run is over: anyone may take the next.
    pub released: bool,
}

impl Lease {
    /// The highest number that has a name.
    pub const LAST: u64 = 9_999_999_999;

    /// The name of the file of the lease with this number.
    #[must_use]
    pub fn file_name(number: u64) -> String {
        format!("{number:010}")
    }

    /// The number in the name of a lease file; none when it is another file.
    #[must_use]
    pub fn number_in(file_name: &str) -> Option<u64> {
        let digits = file_name.len() == 10 && file_name.bytes().all(|byte| byte.is_ascii_digit());
        if digits { file_name.parse().ok() } else { None }
    }

    /// The text of its file: a line `key=value` each, in this order.
    #[must_use]
    pub fn render(&self) -> String {
        let Runner { run, holder, opened, .. } = &self.runner;
        let (number, since) = (self.number, &self.since);
        let state = self.state.as_ref().map(|state| format!("state={}\n", line(state))).unwrap_or_default();
        let end = if self.released { "released=yes\n" } else { "" };
        format!(
            "number={number}\nrun={}\nholder={}\nopened={opened}\nsince={}\n{state}{end}",
            line(run),
            line(holder),
            line(since)
        )
    }

    /// Reads the text of a lease file. Lines it does not know are left to later versions; nothing when one is missing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        Some(Self {
            number: value("number")?.parse().ok()?,
            runner: Runner {
                run: value("run")?.to_owned(),
                holder: value("holder")?.to_owned(),
                opened: value("opened")?.parse().ok()?,
                follows: Vec::new(),
            },
            since: value("since")?.to_owned(),
            state: value("state").map(str::to_owned),
            released: value("released") == Some("yes"),
        })
    }

    /// The lease that `runner` may take when `there` is the one that counts: the next number, if nobody holds it, or an
    /// earlier runner of the same run, or of one it follows, does. What it holds already stays as it is. `force` takes
    /// it from anybody.
    ///
    /// # Errors
    /// Who holds it, or has taken the run over.
    pub fn next(there: Option<&Self>, runner: &Runner, since: String, force: bool, host: &str) -> Result<Self, Denied> {
        let Some(there) = there else {
            return Ok(Self { number: 1, runner: runner.clone(), since, state: None, released: false });
        };
        let same = there.is_of(runner) && there.runner.opened == runner.opened && there.runner.holder == runner.holder;
        if same && !there.released {
            return Ok(there.clone());
        }
        let followed = runner.follows.contains(&there.runner.run);
        if !force && !there.released && !there.is_of(runner) && !followed {
            let (host, by) = (host.to_owned(), there.clone());
            let own = there.runner.run == runner.run;
            return Err(if own {
                Denied::TakenOver { host, by: Box::new(by) }
            } else {
                Denied::Held { host, by: Box::new(by) }
            });
        }
        Ok(Self { number: there.number + 1, runner: runner.clone(), since, state: None, released: false })
    }

    /// The next one, which says that its holder has given the host back.
    #[must_use]
    pub fn given_back(&self) -> Self {
        Self { number: self.number + 1, released: true, ..self.clone() }
    }

    /// One that whoever made it never wrote: nobody can have acted under it.
    #[must_use]
    pub fn of_nobody(number: u64) -> Self {
        Self { number, runner: Runner::default(), since: String::new(), state: None, released: true }
    }

    /// Whether the runner's run holds it, through this runner or an earlier one.
    #[must_use]
    pub fn is_of(&self, runner: &Runner) -> bool {
        self.runner.run == runner.run && self.runner.opened <= runner.opened
    }

    /// Why a runner that had a lease of the host is refused when this one counts there now; nothing counts when none.
    #[must_use]
    pub fn lost(there: Option<Self>, host: &str) -> Denied {
        let host = host.to_owned();
        match there {
            Some(by) => Denied::TakenOver { host, by: Box::new(by) },
            None => Denied::Gone { host },
        }
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Runner { run, holder, .. } = &self.runner;
        write!(f, "run {run} ({holder}, since {})", self.since)
    }
}

/// A time as leases tell it.
#[must_use]
pub fn since(wall: Wall) -> String {
    jiff::Timestamp::from_second(wall.0.div_euclid(1000)).map_or_else(|_| wall.0.to_string(), |time| time.to_string())
}

/// A value on one line: what comes from accounts and machines may hold anything.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Denied, Lease, Runner};

    fn runner(run: &str, opened: u64) -> Runner {
        Runner { run: run.to_owned(), holder: "anna@ops1, pid 4711".to_owned(), opened, follows: Vec::new() }
    }

    fn held(run: &str, opened: u64, released: bool) -> Lease {
        Lease {
            number: 7,
            runner: runner(run, opened),
            since: "2026-11-21T22:03:11Z".to_owned(),
            state: None,
            released,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for released in [false, true] {
            let lease = Lease { state: Some("/srv/anna/state".to_owned()), ..held("691f", 12, released) };
            assert_eq!(Lease::parse(&lease.render()), Some(lease));
        }
        assert_eq!(Lease::parse("number=7\nrun=691f\n"), None);
        let mut sly = held("691f", 12, false);
        sly.runner.holder = "anna\nreleased=yes".to_owned();
        assert_eq!(Lease::parse(&sly.render()).map(|lease| lease.released), Some(false));
        assert_eq!(Lease::number_in(&Lease::file_name(7)), Some(7));
        assert_eq!(Lease::number_in("new.0000000007"), None);
    }

    #[test]
    fn a_host_is_given_to_one_run_and_to_its_latest_runner() {
        let take = |there: Option<&Lease>, runner: &Runner, force| {
            Lease::next(there, runner, String::new(), force, "cfg-a").map(|lease| lease.number)
        };
        let host = || "cfg-a".to_owned();
        assert_eq!(take(None, &runner("a", 0), false), Ok(1));
        assert_eq!(take(Some(&held("b", 3, true)), &runner("a", 0), false), Ok(8));
        assert_eq!(take(Some(&held("a", 3, false)), &runner("a", 5), false), Ok(8));
        assert_eq!(take(Some(&held("a", 3, false)), &runner("a", 3), false), Ok(7), "it is its own");
        let by = held("a", 5, false);
        let former = take(Some(&by), &runner("a", 3), false);
        assert_eq!(
            former,
            Err(Denied::TakenOver { host: host(), by: Box::new(by.clone()) }),
            "a former runner of the run"
        );
        let other = take(Some(&by), &runner("b", 9), false).expect_err("another run");
        assert_eq!(other, Denied::Held { host: host(), by: Box::new(by) });
        assert_eq!(other.to_string(), "run a (anna@ops1, pid 4711, since 2026-11-21T22:03:11Z) holds `cfg-a`");
        assert_eq!(take(Some(&held("a", 5, false)), &runner("b", 9), true), Ok(8));
        let follower = Runner { follows: vec!["a".to_owned()], ..runner("b", 0) };
        assert_eq!(take(Some(&held("a", 5, false)), &follower, false), Ok(8));
    }
}
