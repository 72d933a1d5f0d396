//! Whether a run goes on where it was: hosts with the address `local` are the machine itself, and a state folder that
//! was carried to another one means other hosts by the same words; what was done on them is on record in the state
//! folder, and a copy of that knows only what was done before. It must not decide who may take a run over.

use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::model::run::record::{Fact, Who};
use crate::model::run::state_folder::StateFolder;
use crate::model::site::inventory::Inventory;
use crate::platform::desk;
use std::path::Path;

/// Refuses to go on with a run on hosts of this machine that were hosts of another one when it was last worked on, or
/// whose records are in another state folder. `here` is who works now.
///
/// # Errors
/// `Refused`, saying which machine or folder that was and how the run is carried over.
pub(in crate::cli) fn same(run: &str, history: &History, site: &Inventory, here: &Who) -> Result<()> {
    let mut local = site.hosts.values().filter(|host| host.address == "local");
    let (Some(host), Some(there)) = (local.next(), worked_on(history)) else { return Ok(()) };
    let also_named = match (there.host == here.host, &there.machine, &here.machine) {
        (true, other, own) if other == own || other.is_empty() || own.is_empty() => {
            return same_folder(run, history, site, here);
        }
        (true, there, here) => format!("another machine of that name (machine-id {there}, here {here})"),
        (false, ..) => format!("this is `{}`", here.host),
    };
    Err(Error::new(Kind::Refused, format!("run {run} was worked on at `{}`; {also_named}", there.host))
        .cause(format!("its host `{}` is `local`: the machine itself, which is not the same any more", host.name))
        .hint(format!("nothing was done; go on with it at `{}`: baton resume {run}", there.host))
        .hint(format!("or, if this machine stands for that one now: baton takeover {run} --reason \"why\"")))
}

/// Refuses to go on in another state folder, where this one has the records of the machine's jobs.
fn same_folder(run: &str, history: &History, site: &Inventory, here: &Who) -> Result<()> {
    let there = worked_on(history).and_then(|there| there.state.as_ref());
    let (Some(there), Some(here)) = (there, &here.state) else { return Ok(()) };
    // Where the inventory names another folder for them, every copy finds them.
    let Some(host) = site.hosts.values().find(|host| host.address == "local" && host.jobs.is_none()) else {
        return Ok(());
    };
    if there.is(here) {
        return Ok(());
    }
    let known = desk::state_folder(Path::new(&there.path)).is_some_and(|now| now.is(there));
    let StateFolder { path, .. } = there;
    let error = if *path == here.path {
        Error::new(Kind::Refused, format!("run {run} was worked on in another state folder, which was at `{path}`"))
    } else {
        Error::new(Kind::Refused, format!("run {run} was worked on in another state folder, `{path}`"))
    };
    let (name, own) = (&host.name, &here.path);
    let error = error
        .cause(format!("its host `{name}` is `local`: what was done there is on record in that folder"))
        .cause(format!("this one, `{own}`, is a copy: it does not know what was done since"));
    let error = match known {
        true => error.hint(format!("nothing was done; go on with it there: baton resume {run} --state {path}")),
        false => error.hint("nothing was done; that folder is not there any more"),
    };
    Err(error.hint(format!("or, if this folder stands for that one now: baton takeover {run} --reason \"why\"")))
}

/// Who last took the run up, carried it on or took it over.
fn worked_on(history: &History) -> Option<&Who> {
    let latest = history.records().iter().rev().map(|stored| &*stored.record);
    let of_runners = latest.filter(|record| {
        use Fact::{Begun, Deviation, Opened, Rollback, Steered};
        matches!(record.fact, Begun { .. } | Opened | Rollback { .. } | Deviation { .. } | Steered { .. })
    });
    of_runners.filter_map(|record| record.by.as_ref()).next()
}

#[cfg(test)]
mod tests {
    use super::same;
    use crate::journal::history::History;
    use crate::model::run::estate::EstateId;
    use crate::model::run::record::{FORMAT, Fact, Moment, Who};
    use crate::model::run::state_folder::StateFolder;
    use crate::model::site::inventory::Inventory;
    use crate::model::value::Fields;
    use std::collections::BTreeMap;

    fn at(host: &str, machine: &str) -> Who {
        Who { user: "anna".into(), host: host.into(), pid: 1, machine: machine.into(), state: None }
    }

    /// What is said when a run that was begun by the first of these, and then taken up by the others, goes on here.
    fn said(address: &str, begun: &[Who], here: &Who) -> Option<String> {
        let by = begun[0].clone();
        let begin = Fact::Begun {
            format: FORMAT,
            baton: String::new(),
            runbook: "book".into(),
            sources: BTreeMap::new(),
            params: Fields::new(),
            estate: EstateId::Site,
        }
        .by(by, Moment::default());
        let over = begun[1..].iter().map(|by| {
            Fact::Deviation { what: "took the run over".into(), reason: "it was moved".into(), hosts: vec!["h".into()] }
                .by(by.clone(), Moment::default())
        });
        let text = format!("[hosts.h]\naddress = \"{address}\"\n");
        let site = Inventory::parse(&text, "site.toml", &mut |_| None).expect("a site");
        let history = History::of(std::iter::once(begin).chain(over)).expect("a history");
        same("0a", &history, &site, here).err().map(|error| error.message)
    }

    #[test]
    fn a_run_on_hosts_that_are_the_machine_stays_with_it() {
        let (vm, other) = (at("vm", "aa"), at("other", "bb"));
        assert_eq!(said("local", std::slice::from_ref(&vm), &vm), None);
        let there = said("local", std::slice::from_ref(&vm), &other).expect("another machine");
        assert_eq!(there, "run 0a was worked on at `vm`; this is `other`");
        assert!(said("local", std::slice::from_ref(&vm), &at("other", "aa")).is_some(), "a container of that machine");
        let twin = said("local", std::slice::from_ref(&vm), &at("vm", "bb")).expect("another machine of that name");
        assert!(twin.contains("another machine of that name (machine-id aa, here bb)"), "{twin}");
        assert_eq!(said("local", &[at("vm", "")], &vm), None, "an older record");
        assert_eq!(said("cfg-a", std::slice::from_ref(&vm), &other), None, "hosts over SSH are the same from anywhere");
        assert_eq!(said("local", &[vm.clone(), other.clone()], &other), None, "it was taken over there");
        assert!(said("local", &[vm.clone(), other], &vm).is_some(), "and is not here any more");
    }

    #[test]
    fn a_run_on_hosts_that_are_the_machine_stays_with_the_folder_that_has_their_records() {
        let folder = |inode, made| Some(StateFolder { path: "/srv/state".into(), inode, made });
        let within = |state: &Option<StateFolder>| Who { state: state.clone(), ..at("vm", "aa") };
        let (own, copy) = (folder(7, 1_000), folder(8, 2_000));
        assert_eq!(said("local", &[within(&own)], &within(&own)), None);
        let moved = own.clone().map(|own| StateFolder { path: "/srv/new".into(), ..own });
        assert_eq!(said("local", &[within(&own)], &within(&moved)), None, "the same one under another name");
        let there = said("local", &[within(&own)], &within(&copy)).expect("a copy");
        assert_eq!(there, "run 0a was worked on in another state folder, which was at `/srv/state`");
        assert!(said("local", &[within(&own)], &within(&folder(7, 2_000))).is_some(), "a copy that got its number");
        assert_eq!(said("local", &[within(&own)], &within(&folder(7, 0))), None, "nobody tells when it was made");
        assert_eq!(said("local", &[within(&None)], &within(&copy)), None, "an older record");
        assert_eq!(said("cfg-a", &[within(&own)], &within(&copy)), None, "hosts over SSH have their own records");
        assert_eq!(said("local", &[within(&own), within(&copy)], &within(&copy)), None, "it was taken over there");
        assert!(said("local", &[within(&own), within(&copy)], &within(&own)).is_some(), "and not here any more");
    }
}
