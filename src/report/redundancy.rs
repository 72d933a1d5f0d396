//! For how long a pair was without redundancy or without anybody who serves, as far as a record shows. Pure.
//! It errs on the side of the users: a member counts as away from the moment it was to be shut down until its role was
//! read again, so that what it says is never shorter than what they went through. Of a pair whose roles were not read
//! it does not say who served.

use crate::model::run::instant::Wall;
use crate::model::site::inventory::Pair;
use std::collections::BTreeMap;

/// The state of a pair or a service that an interval tells of; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Neither member of the pair was known to serve. The truth may be shorter, never longer.
    NobodyServes,
    /// Only one member of the pair could serve.
    NoRedundancy,
    /// It takes no changes from its clients.
    ReadOnly,
    /// Its process does not run.
    Stopped,
}

/// For how long something was in a condition, as the runner saw it: from asking for it until it was known to be over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedInterval {
    /// Which pair or service.
    pub whose: String,
    /// In which condition.
    pub condition: Condition,
    /// Since when, wall clock milliseconds.
    pub from: Wall,
    /// Until when; none if it was so when the records end.
    pub until: Option<Wall>,
}

/// What is known of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberKnowledge {
    /// Nothing yet.
    Nothing,
    /// It was read to be primary.
    Primary,
    /// It was read to be backup.
    Backup,
    /// It was shut down or found stopped, and its role was not read since.
    Away,
}

/// Watches the pairs of a site.
#[derive(Debug, Default)]
pub(super) struct Redundancy(Vec<Watched>);

#[derive(Debug)]
struct Watched {
    pair: String,
    members: [(String, MemberKnowledge); 2],
    /// When each was last read to be primary, as long as nothing else was heard of it.
    read: [Option<Wall>; 2],
    /// Whether anything was changed on a member: other pairs are not spoken of.
    touched: bool,
    /// Whether a member was ever read to be primary.
    served: bool,
    /// Since when it is without redundancy.
    alone: Option<Wall>,
    /// Since when nobody is known to serve.
    unserved: Option<Wall>,
    over: Vec<ObservedInterval>,
}

impl Redundancy {
    /// Nothing is known of these pairs.
    pub(super) fn of(pairs: &BTreeMap<String, Pair>) -> Self {
        let watched = |pair: &Pair| Watched {
            pair: pair.name.clone(),
            members: [&pair.primary, &pair.backup].map(|member| (member.clone(), MemberKnowledge::Nothing)),
            read: [None; 2],
            touched: false,
            served: false,
            alone: None,
            unserved: None,
            over: Vec::new(),
        };
        Self(pairs.values().map(watched).collect())
    }

    /// The pair a service belongs to.
    pub(super) fn pair_of(&self, service: &str) -> Option<&str> {
        self.0.iter().find(|watched| watched.place(service).is_some()).map(|watched| watched.pair.as_str())
    }

    /// Something is about to be changed on a service.
    pub(super) fn touch(&mut self, service: &str) {
        self.0.iter_mut().filter(|watched| watched.place(service).is_some()).for_each(|watched| watched.touched = true);
    }

    /// A service is shut down.
    pub(super) fn away(&mut self, service: &str, at: Wall) {
        self.learn(service, MemberKnowledge::Away, (at, at));
    }

    /// A service was found not to run. When it went down nobody knows: it may have been any time since it was last read
    /// to serve.
    pub(super) fn found_away(&mut self, service: &str, at: Wall) {
        let since = self.0.iter().find_map(|watched| watched.read_at(service)).unwrap_or(at);
        self.learn(service, MemberKnowledge::Away, (since, at));
    }

    /// The role of a service was read.
    pub(super) fn role(&mut self, service: &str, role: &str, at: Wall) {
        match role {
            "primary" => self.learn(service, MemberKnowledge::Primary, (at, at)),
            "backup" => self.learn(service, MemberKnowledge::Backup, (at, at)),
            "none" => self.found_away(service, at),
            _ => {}
        }
    }

    fn learn(&mut self, service: &str, known: MemberKnowledge, at: (Wall, Wall)) {
        for watched in &mut self.0 {
            if let Some(place) = watched.place(service) {
                watched.learn(place, known, at);
            }
        }
    }

    /// The intervals of all pairs, and the pairs that were changed and never were without somebody who serves.
    pub(super) fn finish(self) -> (Vec<ObservedInterval>, Vec<String>) {
        let (mut intervals, mut unbroken) = (Vec::new(), Vec::new());
        for mut watched in self.0 {
            watched.close(Condition::NoRedundancy, None);
            watched.close(Condition::NobodyServes, None);
            let broken = watched.over.iter().any(|interval| interval.condition == Condition::NobodyServes);
            if watched.touched && watched.served && !broken {
                unbroken.push(watched.pair);
            }
            intervals.append(&mut watched.over);
        }
        (intervals, unbroken)
    }
}

impl Watched {
    fn place(&self, service: &str) -> Option<usize> {
        self.members.iter().position(|(member, _)| member == service)
    }

    /// When a member was last read to be primary, unless it is known since to be away.
    fn read_at(&self, service: &str) -> Option<Wall> {
        self.place(service).and_then(|place| self.read[place])
    }

    /// What is known of a member from a reading at `at`, and may have been so from `since` on.
    fn learn(&mut self, place: usize, known: MemberKnowledge, (since, at): (Wall, Wall)) {
        self.read[place] = (known == MemberKnowledge::Primary).then_some(at);
        let former = std::mem::replace(&mut self.members[place].1, known);
        let now = [self.members[0].1, self.members[1].1];
        let other = now[1 - place];
        if matches!(
            now,
            [MemberKnowledge::Primary, MemberKnowledge::Backup] | [MemberKnowledge::Backup, MemberKnowledge::Primary]
        ) {
            self.close(Condition::NoRedundancy, Some(at));
        } else if now.contains(&MemberKnowledge::Away) || now == [MemberKnowledge::Primary, MemberKnowledge::Primary] {
            self.alone.get_or_insert(since);
        }
        if now.contains(&MemberKnowledge::Primary) {
            self.served = true;
            self.close(Condition::NobodyServes, Some(at));
        } else if known == MemberKnowledge::Away && served_before(former, other) {
            // It was the one that served, and the other was not seen to serve yet.
            self.unserved.get_or_insert(since);
        }
    }

    /// The condition is over, or, without a time, the record.
    fn close(&mut self, condition: Condition, until: Option<Wall>) {
        let open = if condition == Condition::NobodyServes { &mut self.unserved } else { &mut self.alone };
        if let Some(from) = open.take() {
            self.over.push(ObservedInterval { whose: self.pair.clone(), condition, from, until });
        }
    }
}

/// Whether the member that goes away may have been the one that served, or was the last one.
fn served_before(former: MemberKnowledge, other: MemberKnowledge) -> bool {
    match former {
        MemberKnowledge::Primary => true,
        MemberKnowledge::Nothing => matches!(other, MemberKnowledge::Backup | MemberKnowledge::Away),
        MemberKnowledge::Backup | MemberKnowledge::Away => other == MemberKnowledge::Away,
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, ObservedInterval, Redundancy};
    use crate::model::run::instant::Wall;
    use crate::model::site::inventory::Pair;
    use std::collections::BTreeMap;

    fn watched() -> Redundancy {
        let (name, primary, backup) = ("p".to_owned(), "a".to_owned(), "b".to_owned());
        let pair = Pair { name, primary, backup, related: BTreeMap::new() };
        Redundancy::of(&BTreeMap::from([("p".to_owned(), pair)]))
    }

    fn told(watched: Redundancy) -> Vec<(Condition, Wall, Option<Wall>)> {
        let tell = |one: ObservedInterval| (one.condition, one.from, one.until);
        watched.finish().0.into_iter().map(tell).collect()
    }

    #[test]
    fn a_member_is_missed_until_its_role_is_read_again() {
        let mut pair = watched();
        pair.role("a", "primary", Wall(1));
        pair.role("b", "backup", Wall(1));
        pair.touch("b");
        pair.away("b", Wall(5));
        pair.role("b", "none", Wall(6));
        pair.role("b", "backup", Wall(9));
        assert_eq!(pair.0[0].over.len(), 1);
        let (intervals, unbroken) = pair.finish();
        assert_eq!((intervals[0].from, intervals[0].until), (Wall(5), Some(Wall(9))));
        assert_eq!(unbroken, ["p"]);
    }

    #[test]
    fn nobody_serves_from_the_wish_to_stop_until_somebody_is_read_to_serve() {
        let mut pair = watched();
        pair.role("a", "primary", Wall(1));
        pair.role("b", "backup", Wall(1));
        pair.touch("a");
        pair.away("a", Wall(10));
        pair.away("a", Wall(26));
        pair.role("a", "none", Wall(27));
        pair.role("b", "backup", Wall(27));
        pair.role("b", "primary", Wall(28));
        assert_eq!(told(pair)[0], (Condition::NobodyServes, Wall(10), Some(Wall(28))));
    }

    #[test]
    fn a_member_that_is_found_down_may_have_been_so_since_it_was_last_read_to_serve() {
        let mut pair = watched();
        pair.role("a", "primary", Wall(10));
        pair.role("b", "backup", Wall(10));
        pair.found_away("a", Wall(40));
        pair.role("b", "primary", Wall(42));
        assert_eq!(told(pair)[0], (Condition::NobodyServes, Wall(10), Some(Wall(42))));
    }

    #[test]
    fn of_a_pair_whose_roles_were_not_read_nothing_is_said_of_who_served() {
        let mut pair = watched();
        pair.touch("b");
        pair.away("b", Wall(5));
        let (intervals, unbroken) = pair.finish();
        assert_eq!((intervals.len(), intervals[0].condition), (1, Condition::NoRedundancy));
        assert!(unbroken.is_empty());
    }

    #[test]
    fn two_primaries_are_no_redundancy_and_a_backup_does_not_serve_before_it_is_seen_to() {
        let mut pair = watched();
        pair.role("a", "primary", Wall(1));
        pair.away("b", Wall(5));
        pair.role("b", "primary", Wall(9));
        pair.away("a", Wall(10));
        pair.role("a", "backup", Wall(20));
        pair.away("b", Wall(30));
        pair.role("a", "primary", Wall(34));
        let serves = (Condition::NobodyServes, Wall(30), Some(Wall(34)));
        assert_eq!(
            told(pair),
            [(Condition::NoRedundancy, Wall(5), Some(Wall(20))), serves, (Condition::NoRedundancy, Wall(30), None)]
        );
    }
}
