//! The mark of a local job: which supervisor came to the command, of which command it is, and whether a group of
//! processes is that job's. It must not take a number for a process: a number is somebody else's one day.

use crate::world::asked::CommandDigest;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process_group};
use std::path::Path;

/// What the first supervisor to come to the command has written.
#[derive(Debug)]
pub(in crate::world) struct JobMark {
    pub(in crate::world) boot: String,
    /// The supervisor. Its number is also that of the group.
    supervisor: Process,
    pub(in crate::world) number: u64,
    /// The digest of what was asked.
    asked: String,
}

impl JobMark {
    /// Reads it; nothing when it is not whole.
    pub(in crate::world) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.strip_suffix('\n')?.split(' ').collect();
        let [boot, id, began, number, asked] = words[..] else { return None };
        Some(Self {
            boot: boot.to_owned(),
            supervisor: Process::parse(&format!("{id} {began}"))?,
            number: number.parse().ok()?,
            asked: asked.to_owned(),
        })
    }

    /// The group of the job, if a process that is known to be part of it, its supervisor or its command, is there to
    /// keep the number from others.
    pub(in crate::world) fn group(&self, folder: &Path, boot: &str) -> Option<Pid> {
        let group = self.supervisor.id.as_raw_nonzero().get();
        let command = std::fs::read_to_string(folder.join("process")).ok();
        let known = [Some(self.supervisor), command.and_then(|text| Process::parse(text.strip_suffix('\n')?))];
        let proved = known.into_iter().flatten().any(|process| process.find() == NumberOwner::Alive(group));
        (self.boot == boot && proved).then_some(self.supervisor.id)
    }

    /// Whether it is of this command.
    pub(in crate::world) fn is_of(&self, asked: &CommandDigest) -> bool {
        self.asked == asked.as_str()
    }

    /// Whether processes of the job's group outlived its supervisor. A group keeps its number from everybody else, so
    /// one whose number another process has got is gone.
    pub(in crate::world) fn still_runs(&self, folder: &Path, boot: &str) -> bool {
        if self.boot != boot || self.supervisor.find() == NumberOwner::Stranger {
            return false;
        }
        // One that has become somebody else is there as well, though we may not signal it.
        self.group(folder, boot).is_some() || test_kill_process_group(self.supervisor.id) != Err(Errno::SRCH)
    }
}

/// A process, told from any other that has or had its number since the boot.
#[derive(Debug, Clone, Copy)]
struct Process {
    id: Pid,
    /// When it began, in ticks since the boot.
    began: u64,
}

/// What has a process's number now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberOwner {
    /// The process itself, in this group.
    Alive(i32),
    /// The process itself, which has ended and is not buried.
    Dead,
    Nothing,
    /// Another one.
    Stranger,
}

impl Process {
    fn parse(text: &str) -> Option<Self> {
        let (id, began) = text.split_once(' ')?;
        Some(Self { id: Pid::from_raw(id.parse().ok()?)?, began: began.parse().ok()? })
    }

    fn find(self) -> NumberOwner {
        let path = format!("/proc/{}/stat", self.id.as_raw_nonzero());
        let Ok(stat) = std::fs::read_to_string(path) else { return NumberOwner::Nothing };
        // Its name stands in parentheses and may hold anything.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        match (fields.first(), number(2), number(19)) {
            (Some(&("Z" | "X")), _, Some(began)) if began == self.began => NumberOwner::Dead,
            (_, Some(group), Some(began)) if began == self.began => {
                NumberOwner::Alive(i32::try_from(group).unwrap_or(0))
            }
            _ => NumberOwner::Stranger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{JobMark, NumberOwner, Process};

    fn own(began: u64) -> Process {
        Process::parse(&format!("{} {began}", std::process::id())).expect("a process")
    }

    fn began() -> u64 {
        let stat = std::fs::read_to_string("/proc/self/stat").expect("reads it");
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(19)?.parse().ok()).expect("a number")
    }

    #[test]
    fn a_process_is_known_by_when_it_began() {
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        assert_eq!(own(began()).find(), NumberOwner::Alive(group));
        assert_eq!(own(began() + 1).find(), NumberOwner::Stranger);
        assert_eq!(Process::parse("99999999 1").expect("a process").find(), NumberOwner::Nothing);
    }

    #[test]
    fn a_group_is_the_jobs_only_while_one_of_its_own_processes_is_in_it() {
        let (group, began) = (rustix::process::getpgrp().as_raw_nonzero(), began());
        let mark = JobMark::parse(&format!("boot {group} 7 3 digest\n")).expect("a mark");
        let folder = tempfile::tempdir().expect("a folder");
        let proved = |command: &str, boot: &str| {
            std::fs::write(folder.path().join("process"), command).expect("writes it");
            mark.group(folder.path(), boot).is_some()
        };
        let id = std::process::id();
        assert!(proved(&format!("{id} {began}\n"), "boot"));
        assert!(!proved(&format!("{id} {began}\n"), "another boot"));
        assert!(!proved(&format!("{id} {}\n", began + 1), "boot"), "it has begun at another time");
        assert!(!proved(&format!("{id} {began}"), "boot"), "it is not whole");
        let other = std::fs::read_to_string("/proc/1/stat").expect("reads it");
        let first = other.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(19)).expect("a number");
        assert!(!proved(&format!("1 {first}\n"), "boot"), "it is in another group");
    }

    #[test]
    fn a_mark_is_whole_or_none() {
        let text = "boot 12 345 0000000001 digest\n";
        let whole = JobMark::parse(text).expect("a mark");
        assert_eq!((whole.number, whole.asked.as_str()), (1, "digest"));
        for cut in 0..text.len() {
            assert!(JobMark::parse(&text[..cut]).is_none(), "{cut}");
        }
        assert!(JobMark::parse("boot 12 0000000001\n").is_none(), "as 0.1.0 wrote it");
    }
}
