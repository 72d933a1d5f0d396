//! Where the clients of a pair went when the server that they were connected to went away, as far as a record shows.
//! Pure. It counts no client by itself: each number was read, and is told with the time at which it was.

use crate::model::run::instant::Wall;
use crate::model::site::inventory::Pair;
use std::collections::BTreeMap;

/// The clients of a server that went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which pair.
    pub pair: String,
    /// The server that went away.
    pub from: String,
    /// How many clients it had when that was last read.
    pub of: i64,
    /// Where clients were read since.
    pub to: Option<Arrived>,
    /// Whether it is known to have gone; else it was only asked to.
    pub went: bool,
    /// When it was asked to go, wall clock milliseconds; nothing where it was found to have gone.
    pub asked: Option<Wall>,
}

/// Clients that are connected to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// The server.
    pub server: String,
    /// How many.
    pub count: i64,
    /// When that was read, wall clock milliseconds.
    pub at: Wall,
    /// When so many were read there for the first time, the same.
    pub since: Wall,
}

/// Watches the clients of the pairs of a site.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// The pair of each member.
    pairs: BTreeMap<String, String>,
    /// How many clients a member had when that was last read, as long as it did not go away since.
    counts: BTreeMap<String, i64>,
    moved: Vec<Moved>,
}

impl Clients {
    /// Nothing is known of these pairs.
    pub(super) fn of(pairs: &BTreeMap<String, Pair>) -> Self {
        let members = |pair: &Pair| [&pair.primary, &pair.backup].map(|member| (member.clone(), pair.name.clone()));
        Self { pairs: pairs.values().flat_map(members).collect(), ..Self::default() }
    }

    /// How many clients a service has was read.
    pub(super) fn read(&mut self, service: &str, count: i64, at: Wall) {
        let Some(pair) = self.pairs.get(service) else { return };
        self.counts.insert(service.to_owned(), count);
        if let Some(last) = self.moved.iter_mut().rev().find(|moved| moved.pair == *pair) {
            let before = last.to.as_ref().filter(|before| before.server == service && before.count >= count);
            let since = before.map_or(at, |before| before.since);
            last.to = Some(Arrived { server: service.to_owned(), count, at, since });
        }
    }

    /// A service is asked to go away.
    pub(super) fn leaving(&mut self, service: &str, at: Wall) {
        self.leaves(service, Some(at));
    }

    fn leaves(&mut self, service: &str, asked: Option<Wall>) {
        let Some(pair) = self.pairs.get(service) else { return };
        if let Some(of) = self.counts.remove(service).filter(|count| *count > 0) {
            self.moved.push(Moved { pair: pair.clone(), from: service.to_owned(), of, to: None, went: false, asked });
        }
    }

    /// A service has gone away, or was found not to run.
    pub(super) fn away(&mut self, service: &str) {
        self.leaves(service, None);
        self.moved.iter_mut().filter(|moved| moved.from == service).for_each(|moved| moved.went = true);
    }

    /// A service was asked to go away, and that was never begun.
    pub(super) fn stays(&mut self, service: &str) {
        if let Some(at) =
            self.moved.iter().rposition(|moved| moved.from == service && !moved.went && moved.to.is_none())
        {
            let moved = self.moved.remove(at);
            self.counts.insert(moved.from, moved.of);
        }
    }

    /// What was seen, in the order in which servers went away.
    pub(super) fn finish(self) -> Vec<Moved> {
        self.moved
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrived, Clients, Moved};
    use crate::model::run::instant::Wall;
    use crate::model::site::inventory::Pair;
    use std::collections::BTreeMap;

    fn pair() -> Clients {
        let (name, primary, backup) = ("p".to_owned(), "a".to_owned(), "b".to_owned());
        let pair = Pair { name, primary, backup, related: BTreeMap::new() };
        Clients::of(&BTreeMap::from([("p".to_owned(), pair)]))
    }

    fn moved(from: &str, of: i64, to: Option<(&str, i64, Wall)>) -> Moved {
        let to = to.map(|(server, count, at)| Arrived { server: server.into(), count, at, since: at });
        Moved { pair: "p".into(), from: from.into(), of, to, went: true, asked: None }
    }

    #[test]
    fn clients_are_told_of_as_they_were_last_read() {
        let mut clients = pair();
        clients.read("a", 6, Wall(1));
        clients.away("b");
        clients.away("a");
        clients.away("a");
        clients.read("b", 4, Wall(7));
        clients.read("b", 6, Wall(9));
        clients.away("b");
        clients.read("other", 3, Wall(10));
        assert_eq!(clients.finish(), [moved("a", 6, Some(("b", 6, Wall(9)))), moved("b", 6, None)]);
    }

    #[test]
    fn a_server_that_was_only_asked_to_go_is_not_said_to_have_gone() {
        let mut clients = pair();
        clients.read("a", 6, Wall(1));
        clients.leaving("a", Wall(3));
        assert_eq!(clients.moved, [Moved { went: false, asked: Some(Wall(3)), ..moved("a", 6, None) }]);
        clients.stays("a");
        assert_eq!(clients.moved, [] as [Moved; 0]);
        clients.leaving("a", Wall(5));
        clients.away("a");
        assert_eq!(clients.finish(), [Moved { asked: Some(Wall(5)), ..moved("a", 6, None) }]);
    }

    #[test]
    fn how_long_clients_took_is_from_the_wish_to_the_first_reading_of_so_many() {
        let mut clients = pair();
        clients.read("a", 6, Wall(1));
        clients.leaving("a", Wall(10));
        clients.away("a");
        for (count, at) in [(2, 20), (6, 30), (6, 90)] {
            clients.read("b", count, Wall(at));
        }
        let arrived = Arrived { server: "b".into(), count: 6, at: Wall(90), since: Wall(30) };
        assert_eq!(clients.moved, [Moved { asked: Some(Wall(10)), to: Some(arrived), ..moved("a", 6, None) }]);
    }

    #[test]
    fn of_a_server_whose_clients_were_not_read_nothing_is_said() {
        let mut clients = pair();
        clients.away("a");
        clients.read("b", 4, Wall(7));
        assert_eq!(clients.finish(), [] as [Moved; 0]);
    }
}
