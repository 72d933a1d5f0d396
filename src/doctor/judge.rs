//! From what came back to what will not work, in plain words, with what to do about it. Pure: it asks nobody.

use super::chart::{Advice, Chart, ChartEntry, SiteFinding, Weight};
use super::plan::{HostPlan, PlannedProbe, ReadingPlan, ServicePlan};
use super::round::{HostReplies, HostSeen, ServiceSeen};
use super::spelling::Misspelt;
use super::wanted::{DoctorScope, UselessSecret};
use crate::dispatch::obstacle;
use crate::exec::{LogSeen, value_of};
use crate::model::run::effect::{Action, Failure, FailureKind};
use crate::model::run::instant::Wall;
use crate::model::run::meaning::{ProbeMeaning, STOPPED};
use crate::model::run::reading::Reading;
use crate::model::run::record::Moment;
use crate::model::site::inventory::Pair;
use crate::model::span::Span;
use crate::model::text::{shown, typed};
use crate::report::layout::cut;
use crate::world::facts::Facts;
use crate::world::lease::Lease;
use std::collections::BTreeMap;

/// By how much a clock may differ from the runner's before it is said.
const CLOCK: Span = Span::secs(2);
/// Below this a disk is said to be short of room, and below that too full to work with, in KiB.
const LITTLE: u64 = 500 * 1024;
const NONE: u64 = 10 * 1024;
/// A command that is longer is not told to be typed.
const TYPED: usize = 160;
/// What is shown of a service that was read.
const SHOWN: [ProbeMeaning; 3] = [ProbeMeaning::Status, ProbeMeaning::Role, ProbeMeaning::Version];
/// How much of what a probe printed is told: it may have no place to break a line at.
const BRIEF: usize = 60;

/// Everything that was found.
pub(super) fn chart(wanted: &DoctorScope, plan: &ReadingPlan, seen: &HostReplies, at: Wall) -> Chart {
    let nothing = HostSeen::default();
    let mut chart = Chart { at, ..Chart::default() };
    for host in &plan.hosts {
        let of_host = seen.get(&host.name).unwrap_or(&nothing);
        let entry = host_entry(host, of_host, wanted);
        let reached = of_host.facts.as_ref().is_none_or(|(facts, ..)| facts.is_ok());
        chart.entries.push(entry);
        if reached {
            let entries = host.services.iter().map(|service| service_entry(host, service, of_host, wanted));
            chart.entries.extend(entries);
        } else if !host.services.is_empty() {
            let names: Vec<&str> = host.services.iter().map(|service| service.name.as_str()).collect();
            chart.left_out.push(format!("{}: host `{}` was not reached", listed(&names), host.name));
        }
    }
    let pairs = plan.pairs.iter().filter_map(|name| wanted.site.pairs.get(name));
    chart.entries.extend(pairs.filter_map(|pair| pair_entry(pair, plan, seen)));
    chart.entries.extend(wanted.secrets.iter().map(|UselessSecret { name, why, next }| ChartEntry {
        name: name.as_ref().map_or("secrets".to_owned(), |name| format!("secret {name}")),
        told: "of no use to a run".to_owned(),
        findings: vec![wrong(why.clone(), next.iter().map(Advice::words).collect())],
    }));
    let named = |names: &BTreeMap<String, Vec<String>>, why: &str| {
        let each = names.iter().map(|(probe, of)| format!("`{probe}` of {}", of.join(", ")));
        let each: Vec<String> = each.collect();
        (!each.is_empty()).then(|| format!("{}: {why}", each.join("; ")))
    };
    chart.left_out.extend(named(&plan.acts, "tries something out, which is no pure reading"));
    chart.left_out.extend(named(&plan.wants, "wants an argument that only a run gives"));
    chart
}

fn host_entry(host: &HostPlan, seen: &HostSeen, wanted: &DoctorScope) -> ChartEntry {
    let mut entry = ChartEntry { name: host.name.clone(), told: String::new(), findings: Vec::new() };
    match &seen.facts {
        None => entry.told = "a host of the lab: its clock and disk are this machine's".into(),
        Some((Err(failure), ..)) => entry.findings.push(unreachable(host, failure, wanted.limit)),
        Some((Ok(facts), asked, answered)) => {
            entry.told = of_facts(facts);
            entry.findings.extend(lacking(facts));
            entry.findings.extend(held(&host.name, facts, wanted));
            entry.findings.extend(clock(facts, asked, answered));
            entry.findings.extend(full_disks(facts));
        }
    }
    for (account, failure) in &seen.refused {
        let services = host.services.iter().filter(|service| service.account.as_ref() == Some(account));
        let barred: Vec<&str> = services.map(|service| service.name.as_str()).collect();
        let what = match barred.as_slice() {
            [] => bare(failure, "account", &host.name),
            barred => format!("{}; nothing of {} was read", bare(failure, "account", &host.name), listed(barred)),
        };
        let typed = format!("sudo -n -u {} sh -c true", typed(account));
        entry.findings.push(wrong(what, vec![Advice::command("log in there as baton does, and try", typed)]));
    }
    if seen.given_up {
        let what = "too many readings gave no answer in time: the rest of this host was not read".to_owned();
        entry.findings.push(wrong(what, Vec::new()));
    }
    entry
}

fn of_facts(facts: &Facts) -> String {
    let room = facts.room.first().map_or(String::new(), |(_, free)| format!(" ({} free)", size(*free)));
    format!("answers; jobs go to {}{room}", shown(&facts.jobs))
}

fn unreachable(host: &HostPlan, failure: &Failure, limit: Span) -> SiteFinding {
    let said = bare(failure, "state", &host.name);
    let said = if failure.output.is_empty() { said } else { format!("{said}: {}", last_line(&failure.output)) };
    match failure.kind {
        FailureKind::Limit if host.over_ssh => {
            let next = format!(
                "call it by hand: a login that waits for something, or a link that hangs; if it is \
                                only slow, give it more than {limit}: --limit SPAN"
            );
            wrong("it gave no answer in time".into(), vec![Advice::words(next)])
        }
        FailureKind::Limit => wrong("it gave no answer in time".into(), Vec::new()),
        FailureKind::Exit | FailureKind::Goal | FailureKind::Unreachable | FailureKind::Missing => {
            wrong(said, Vec::new())
        }
        FailureKind::Declined | FailureKind::Guard | FailureKind::Unreadable => wrong(said, Vec::new()),
    }
}

fn lacking(facts: &Facts) -> Vec<SiteFinding> {
    let missing = facts.lacks.iter();
    let mut found: Vec<SiteFinding> = missing
        .map(|tool| {
            let what = format!("there is no command `{}`, which baton needs there", shown(tool));
            wrong(what, vec![Advice::words("install it")])
        })
        .collect();
    if let Some(why) = &facts.jobs_wrong {
        let next = "or name another folder for its jobs in the inventory: jobs = \"/…\"";
        found.push(wrong(format!("no job can be started: it {}", shown(why)), vec![Advice::words(next)]));
    }
    found
}

/// Who holds the host, where that keeps others from changing anything there.
fn held(host: &str, facts: &Facts, wanted: &DoctorScope) -> Option<SiteFinding> {
    let next = || vec![Advice::words("look at it there: a run that changes something there may be refused")];
    if let Some(file) = &facts.veiled {
        let what = format!("whether a run holds it cannot be seen: `{}` cannot be read", shown(file));
        return Some(SiteFinding { weight: Weight::Look, what, next: next() });
    }
    if facts.lease.is_empty() {
        return None;
    }
    let Some(lease) = Lease::parse(&facts.lease) else {
        let what = "whether a run holds it cannot be told: its lease cannot be understood".to_owned();
        return Some(SiteFinding { weight: Weight::Look, what, next: next() });
    };
    let error = obstacle(wanted.runs.as_deref(), host, &lease)?;
    let what: Vec<String> = std::iter::once(&error.message).chain(&error.causes).map(|text| shown(text)).collect();
    Some(wrong(what.join("; "), error.hints.iter().map(|hint| Advice::hint(&shown(hint))).collect()))
}

fn clock(facts: &Facts, asked: &Moment, answered: &Moment) -> Option<SiteFinding> {
    let (shows, vague) = facts.clock?;
    let (ahead, behind) = (shows.since(answered.wall), asked.wall.since(shows + vague));
    let (by, word) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    (by > CLOCK).then(|| SiteFinding {
        weight: Weight::Look,
        what: format!("its clock is {} {word} this machine's", Span(by.0 / 1_000 * 1_000)),
        next: vec![Advice::words("baton's limits do not depend on it; the times in its logs do")],
    })
}

fn full_disks(facts: &Facts) -> Vec<SiteFinding> {
    let short = facts.room.iter().filter(|(_, free)| *free < LITTLE);
    short
        .map(|(folder, free)| SiteFinding {
            weight: if *free < NONE { Weight::Wrong } else { Weight::Look },
            what: format!("there is little room where `{}` lies: {}", shown(folder), size(*free)),
            next: vec![Advice::words("make room before you begin")],
        })
        .collect()
}

fn service_entry(host: &HostPlan, service: &ServicePlan, seen: &HostSeen, wanted: &DoctorScope) -> ChartEntry {
    let name = format!("{} on {}", service.name, host.name);
    if service.account.as_ref().is_some_and(|account| seen.refused.contains_key(account)) {
        return ChartEntry { name, told: "not read: see its host".into(), findings: Vec::new() };
    }
    let nothing = ServiceSeen::default();
    let read = seen.services.get(&service.name).unwrap_or(&nothing);
    let mut findings = Vec::new();
    // What failed in the same way is said once.
    let mut failed: BTreeMap<String, (Vec<&str>, SiteFinding)> = BTreeMap::new();
    let stopped = value(service, read, ProbeMeaning::Status) == Some(STOPPED);
    for probe in &service.probes {
        match of_probe(probe, service, host, (read, stopped), wanted.limit) {
            None => {}
            Some((key, finding)) if key.is_empty() => findings.push(finding),
            Some((key, finding)) => failed.entry(key).or_insert((Vec::new(), finding)).0.push(&probe.name),
        }
    }
    findings.extend(failed.into_values().map(|(names, finding)| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        SiteFinding { what: format!("{}: {}", names.join(", "), finding.what), ..finding }
    }));
    findings.extend(service.misspelt.iter().map(|slip| of_slip(slip, service)));
    findings.extend(of_log(service, read, wanted.limit));
    let count = match service.probes.len() {
        1 => "1 probe".to_owned(),
        many => format!("{many} probes"),
    };
    let log = if service.log.is_some() { " and its log" } else { "" };
    let shown_values = SHOWN.iter().filter_map(|meaning| value(service, read, *meaning));
    let values: Vec<String> = shown_values.filter(|text| !text.is_empty()).map(brief).collect();
    let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
    ChartEntry { name, told: format!("{count}{log}{values}"), findings }
}

/// What is wrong with a probe. With a key, the words of the finding are those of others that failed in the same way.
fn of_probe(
    probe: &PlannedProbe,
    service: &ServicePlan,
    host: &HostPlan,
    (read, stopped): (&ServiceSeen, bool),
    limit: Span,
) -> Option<(String, SiteFinding)> {
    let reads = read.probes.get(&probe.name)?;
    if let Some(failure) = reads.iter().find_map(|read| read.as_ref().err()) {
        let mut finding = of_failure(failure, probe, service, host, limit);
        if stopped && failure.kind == FailureKind::Exit {
            finding.weight = Weight::Look;
            finding.next = vec![Advice::words(format!("nothing, if `{}` is meant to be stopped now", service.name))];
        }
        let key = format!("{:?} {}", failure.kind, finding.what);
        return Some((key, finding));
    }
    let texts: Vec<&str> = reads.iter().filter_map(|read| read.as_deref().ok()).collect();
    let by_hand = by_hand(probe, host);
    let own = |what: String, next: Vec<Advice>| Some((String::new(), wrong(what, next)));
    if let Some(odd) = texts.iter().find(|text| !is_understood(probe, text)) {
        let (what, next) = misread(probe, service, odd);
        return own(what, [Advice::words(next)].into_iter().chain(by_hand).collect());
    }
    let (first, second) = (texts.first()?, texts.last()?);
    if probe.steady && first.trim() != second.trim() {
        let what = format!(
            "`{}` read `{}` and, right afterwards, `{}`, while nothing was changed",
            probe.name,
            brief(first.trim()),
            brief(second.trim())
        );
        let next = "find out who changes it, or what the probe guesses by, before you begin";
        return own(what, vec![Advice::words(next)]);
    }
    None
}

fn is_understood(probe: &PlannedProbe, text: &str) -> bool {
    if probe.tells_by_exit {
        return text != Reading::UNKNOWN;
    }
    match &probe.reads {
        Reading::Words(words) => words.iter().any(|word| word == text.trim()),
        other @ (Reading::Text | Reading::Int | Reading::Flag | Reading::Lines) => {
            value_of(other, text.as_bytes()).is_ok()
        }
    }
}

/// What is wrong with an output that is no value of its probe, and where to put it right.
fn misread(probe: &PlannedProbe, service: &ServicePlan, text: &str) -> (String, String) {
    let (name, said) = (&probe.name, brief(text.trim()));
    let place = format!("[services.{}.probes.{name}]", service.name);
    match &probe.reads {
        _ if probe.tells_by_exit => (
            format!("`{name}` ends with an exit code that is neither 0 for yes nor 1 for no"),
            "put its command right".to_owned(),
        ),
        Reading::Words(words) => {
            let known: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            let what =
                format!("`{name}` says `{said}`, a word that it may not say: its words are {}", known.join(", "));
            (what, format!("put its command right, or list the word in the inventory: {place}"))
        }
        other @ (Reading::Text | Reading::Int | Reading::Flag | Reading::Lines) => {
            let why = value_of(other, text.as_bytes()).err().unwrap_or_default();
            (format!("`{name}` cannot be read: {why}"), format!("put its command right, or what it `reads`: {place}"))
        }
    }
}

fn of_failure(
    failure: &Failure,
    probe: &PlannedProbe,
    service: &ServicePlan,
    host: &HostPlan,
    limit: Span,
) -> SiteFinding {
    let said = bare(failure, &probe.name, &service.name);
    let by_hand = by_hand(probe, host);
    match failure.kind {
        FailureKind::Missing => {
            let next = format!("put it there, or name the right one in the inventory: [services.{}]", service.name);
            wrong(said, vec![Advice::words(next)])
        }
        FailureKind::Limit => {
            let slow = if probe.allowed > limit {
                format!("if it is only slow (its profile allows {}): --limit {}", probe.allowed, probe.allowed)
            } else {
                "it may take no longer in a run either".to_owned()
            };
            let within = Span(limit.0.min(probe.allowed.0));
            let next = by_hand.into_iter().chain([Advice::words(slow)]).collect();
            wrong(format!("no answer within {within}"), next)
        }
        FailureKind::Exit => {
            let output = last_line(&failure.output);
            wrong(if output.is_empty() { said } else { format!("{said}: {output}") }, by_hand.into_iter().collect())
        }
        FailureKind::Goal | FailureKind::Unreachable | FailureKind::Declined => wrong(said, Vec::new()),
        FailureKind::Guard | FailureKind::Unreadable => wrong(said, by_hand.into_iter().collect()),
    }
}

/// How a person would ask the same, where that can be typed.
fn by_hand(probe: &PlannedProbe, host: &HostPlan) -> Option<Advice> {
    let Action::Probe(asked) = &probe.effect.action else { return None };
    let words: Vec<String> = asked.argv.iter().map(|word| typed(word)).collect();
    let line = words.join(" ");
    let fits = line.chars().count() <= TYPED && !line.contains('\n');
    fits.then(|| Advice::command(format!("try it on {}", host.name), line))
}

/// A placeholder that stands for nothing, and is near to one that stands for something.
fn of_slip(slip: &Misspelt, service: &ServicePlan) -> SiteFinding {
    let near: Vec<String> = slip.near.iter().map(|name| format!("`{{{name}}}`")).collect();
    let what = format!("the command of `{}` has `{{{}}}`, which stands for nothing", slip.probe, slip.name);
    let place = format!("[services.{}.probes.{}]", service.name, slip.probe);
    let next = format!("did you mean {}? put it right in the profile, or in the inventory: {place}", near.join(" or "));
    wrong(what, vec![Advice::words(next)])
}

fn of_log(service: &ServicePlan, read: &ServiceSeen, limit: Span) -> Option<SiteFinding> {
    let place = format!("[services.{}.log]", service.name);
    let source = match service.log.as_ref()? {
        Ok(source) => source,
        Err(why) => return Some(wrong(why.clone(), Vec::new())),
    };
    let worst = read.log.iter().find(|seen| **seen != LogSeen::Sound)?;
    let (dir, files) = (shown(&source.dir), shown(&source.files));
    Some(match worst {
        LogSeen::Sound => return None,
        LogSeen::NoFolder => wrong(
            format!("its log cannot be seen: there is no folder `{dir}`"),
            vec![Advice::words(format!("make it, or put `dir` right in the inventory: {place}"))],
        ),
        LogSeen::Late => wrong(
            format!("its log cannot be seen: no answer within {limit} from `{dir}`"),
            vec![Advice::words(
                "look there by hand: its disk may hang; if it is only slow, give it more: --limit SPAN",
            )],
        ),
        LogSeen::Hidden(why) => wrong(
            why.clone(),
            vec![Advice::words(format!(
                "look there as the login account, which reads logs whatever `become` says; `dir` and `files` can be \
                 put right in the inventory: {place}"
            ))],
        ),
        LogSeen::NoRecord { file, all } => SiteFinding {
            weight: if *all { Weight::Wrong } else { Weight::Look },
            what: format!(
                "no layout of the profile reads a record in `{dir}/{}` or what matches `{files}`",
                shown(file)
            ),
            next: vec![Advice::words("compare a line of it with `layouts` of the profile's [log]")],
        },
    })
}

fn pair_entry(pair: &Pair, plan: &ReadingPlan, seen: &HostReplies) -> Option<ChartEntry> {
    let members = [&pair.primary, &pair.backup];
    let of = |member: &str| {
        let read = seen.values().find_map(|host| host.services.get(member))?;
        Some((plan.service_named(member)?, read))
    };
    let (first, second) = (of(members[0])?, of(members[1])?);
    let mut findings = Vec::new();
    let mut told = Vec::new();
    // One that prints nothing is no primary either.
    let role = |(service, read)| value(service, read, ProbeMeaning::Role);
    if let (Some(one), Some(other)) = (role(first), role(second)) {
        let roles = format!("{} {}, {} {}", pair.primary, brief(one), pair.backup, brief(other));
        let primaries = [one, other].iter().filter(|role| **role == "primary").count();
        if primaries != 1 {
            let many = if primaries == 0 { "no primary" } else { "two primaries" };
            let next = "a person has to sort that out first: no runbook can tell who serves";
            findings.push(wrong(format!("it has {many}: {roles}"), vec![Advice::words(next)]));
        }
        told.push(roles);
    }
    let known = |(service, read), meaning| value(service, read, meaning).filter(|text| !text.is_empty());
    let versions = |meaning| Some((known(first, meaning)?, known(second, meaning)?));
    if let Some((one, other)) = versions(ProbeMeaning::RunningVersion).or_else(|| versions(ProbeMeaning::Version)) {
        if one == other {
            told.push(format!("both {}", brief(one)));
        } else {
            let [one, other] = [one, other].map(shown);
            findings.push(SiteFinding {
                weight: Weight::Look,
                what: format!("it has two versions: {} {one}, {} {other}", pair.primary, pair.backup),
                next: vec![Advice::command("an upgrade that stopped midway? see", "baton runs")],
            });
        }
    }
    let entry = ChartEntry { name: format!("pair {}", pair.name), told: told.join("; "), findings };
    (!entry.told.is_empty() || !entry.findings.is_empty()).then_some(entry)
}

/// What the probe printed the last time that reads this of a service.
fn value<'s>(service: &ServicePlan, read: &'s ServiceSeen, meaning: ProbeMeaning) -> Option<&'s str> {
    read.probes.get(&service.reads(meaning)?.name)?.last()?.as_deref().ok().map(str::trim)
}

/// What a probe printed, safe to show and no longer than a line of a page.
fn brief(text: &str) -> String {
    cut(&shown(&cut(text, BRIEF)), BRIEF)
}

/// The words of a failure without what and whom it was asked of.
fn bare(failure: &Failure, what: &str, of: &str) -> String {
    let message = shown(&failure.message);
    let rest = message.strip_prefix(&format!("`{what}` of `{of}`")).map(|rest| rest.trim_start_matches([':', ' ']));
    rest.map(str::to_owned).unwrap_or(message)
}

fn wrong(what: String, next: Vec<Advice>) -> SiteFinding {
    SiteFinding { weight: Weight::Wrong, what, next }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn last_line(output: &str) -> String {
    output.lines().map(str::trim).rfind(|line| !line.is_empty()).map(shown).unwrap_or_default()
}

/// A number of KiB, as a person reads it.
fn size(kib: u64) -> String {
    match kib {
        0..1_024 => format!("{kib} KiB"),
        1_024..1_048_576 => format!("{} MiB", kib / 1_024),
        _ => format!("{} GiB", kib / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::{Weight, clock, full_disks, size};
    use crate::model::run::instant::{Moment, Wall};
    use crate::model::span::Span;
    use crate::world::facts::Facts;

    fn at(wall: i64) -> Moment {
        Moment { wall: Wall(wall), ..Moment::default() }
    }

    #[test]
    fn a_clock_is_off_only_by_what_the_way_there_and_back_cannot_explain() {
        let told = |shows, vague| {
            let facts = Facts { clock: Some((Wall(shows), Span(vague))), ..Facts::default() };
            clock(&facts, &at(100_000), &at(101_500)).map(|finding| finding.what)
        };
        assert_eq!(told(101_000, 0), None);
        assert_eq!(told(103_400, 0), None, "it may have been read last");
        assert_eq!(told(97_100, 999), None, "it may show almost a second more");
        assert_eq!(told(105_500, 0).as_deref(), Some("its clock is 4s ahead of this machine's"));
        assert_eq!(told(94_900, 0).as_deref(), Some("its clock is 5s behind this machine's"));
    }

    #[test]
    fn a_disk_is_short_of_room_before_it_is_full() {
        let weigh = |free| {
            let facts = Facts { room: vec![("/x".into(), free)], ..Facts::default() };
            full_disks(&facts).first().map(|finding| finding.weight)
        };
        assert_eq!(weigh(600 * 1024), None);
        assert_eq!(weigh(400 * 1024), Some(Weight::Look));
        assert_eq!(weigh(9 * 1024), Some(Weight::Wrong));
        assert_eq!([size(12), size(2_048), size(3 << 20)], ["12 KiB", "2 MiB", "3 GiB"]);
    }
}
