//! Whether a run goes on where it was: hosts with the address `local` are the machine itself, and a state folder that
//! was carried to another one means other hosts by the same words. It must not decide who may take a run over.

use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::model::inventory::Inventory;
use crate::model::record::{Record, Who};

/// Refuses to go on with a run on hosts of this machine that were hosts of another one when it was last worked on.
/// `here` is who works now.
///
/// # Errors
/// `Refused`, saying which machine that was and how the run is carried over.
pub(super) fn same(run: &str, history: &History, site: &Inventory, here: &Who) -> Result<()> {
    let mut local = site.hosts.values().filter(|host| host.address == "local");
    let (Some(host), Some(there)) = (local.next(), worked_on(history)) else { return Ok(()) };
    let also_named = match (there.host == here.host, &there.machine, &here.machine) {
        (true, there, here) if there == here || there.is_empty() || here.is_empty() => return Ok(()),
        (true, there, here) => format!("another machine of that name (machine-id {there}, here {here})"),
        (false, ..) => format!("this is `{}`", here.host),
    };
    Err(Error::new(Kind::Refused, format!("run {run} was worked on at `{}`; {also_named}", there.host))
        .cause(format!("its host `{}` is `local`: the machine itself, which is not the same any more", host.name))
        .hint(format!("nothing was done; go on with it at `{}`: baton resume {run}", there.host))
        .hint(format!("or, if this machine stands for that one now: baton takeover {run} --reason \"why\"")))
}

/// Who last took the run up, carried it on or took it over.
fn worked_on(history: &History) -> Option<&Who> {
    history.records().iter().rev().find_map(|stored| match &stored.record {
        Record::Begun { by, .. } | Record::Opened { by, .. } => Some(by),
        Record::Rollback { by, .. } | Record::Deviation { by, .. } | Record::Steered { by, .. } => Some(by),
        Record::StepBegun { .. } | Record::StepEnded { .. } | Record::Intent { .. } | Record::Outcome { .. } => None,
        Record::Read { .. } | Record::Doubt { .. } | Record::Settled { .. } | Record::Retry { .. } => None,
        Record::Answered { .. } | Record::Skipped { .. } | Record::StepSkipped { .. } => None,
        Record::Adopted { .. } | Record::Undone { .. } | Record::Typed { .. } | Record::Ended { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use super::same;
    use crate::journal::Stored;
    use crate::journal::history::History;
    use crate::model::inventory::Inventory;
    use crate::model::record::{FORMAT, Moment, Record, Who};
    use crate::model::value::Fields;
    use std::collections::BTreeMap;

    fn at(host: &str, machine: &str) -> Who {
        Who { user: "anna".into(), host: host.into(), pid: 1, machine: machine.into() }
    }

    /// What is said when a run that was begun by the first of these, and then taken up by the others, goes on here.
    fn said(address: &str, begun: &[Who], here: &Who) -> Option<String> {
        let by = begun[0].clone();
        let begin = Record::Begun {
            format: FORMAT,
            baton: String::new(),
            runbook: "book".into(),
            sources: BTreeMap::new(),
            params: Fields::new(),
            estate: "site".into(),
            at: Moment::default(),
            by,
        };
        let over = begun[1..].iter().map(|by| Record::Deviation {
            what: "took the run over".into(),
            reason: "it was moved".into(),
            hosts: vec!["h".into()],
            at: Moment::default(),
            by: by.clone(),
        });
        let records = std::iter::once(begin).chain(over);
        let stored = (1..).zip(records).map(|(seq, record)| Stored { seq, record }).collect();
        let text = format!("[hosts.h]\naddress = \"{address}\"\n");
        let site = Inventory::parse(&text, "site.toml", &mut |_| None).expect("a site");
        let history = History::from(stored).expect("a history");
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
}
