//! From a verb of a profile to the effect the door performs: templates filled, goals and checks resolved. What the
//! profile does not offer is told in a sentence. Nothing here performs anything.

use crate::model::run::effect::Class;
use crate::model::run::effect::{Action, Effect, ExitWatch, Goal, Job, LogSource, Probe, Undo};
use crate::model::run::meaning::STOPPED;
use crate::model::run::reading::Reading;
use crate::model::site::account::done_as;
use crate::model::site::inventory::Service;
use crate::model::site::profile::{CommandTable, GoalRule, Profile, Verb, VerbClass, fill, placeholders};
use crate::model::span::Span;
use crate::model::text::did_you_mean;
use crate::model::value::{Fields, Value};

/// What it comes to, or a sentence about what the profile lacks.
type Lowered<T> = Result<T, String>;

/// How long one try of a probe may take when neither profile nor script says.
const PROBE_LIMIT: Span = Span::secs(30);
/// How often a probe is tried before it reads as unknown.
const PROBE_TRIES: u32 = 3;
/// How often a watched service is looked at while its log is read.
const EXIT_EVERY: Span = Span::secs(5);

/// A map of arguments by name.
pub(crate) fn args<const N: usize>(pairs: [(&str, Value); N]) -> Fields {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An effect on a service.
pub(crate) fn on_service(service: &Service, label: String, action: Action) -> Effect {
    let host = Some(service.host.clone());
    Effect { action, label, host, service: Some(service.name.clone()), undo: None, before: None }
}

/// The probe `name` of a service, with these arguments.
pub(crate) fn probe(service: &Service, name: &str, args: Fields) -> Lowered<Probe> {
    let profile = &service.profile;
    let Some(reader) = profile.probes.get(name) else {
        return Err(not_offered(service, profile, "probe", name, profile.probes.keys()));
    };
    Ok(Probe {
        what: name.to_owned(),
        means: reader.meaning(name),
        argv: command(service, &reader.argv, &args)?,
        args,
        limit: reader.limit.map_or(PROBE_LIMIT, |limit| limit.0),
        tries: PROBE_TRIES,
        reads: reader.reads.clone(),
        within: None,
        exit_tells: false,
        secret: reader.stdin.clone(),
    })
}

/// The verb `name` of a service.
pub(crate) fn verb<'s>(service: &'s Service, name: &str) -> Lowered<&'s Verb> {
    let profile = &service.profile;
    let verb = profile.verbs.get(name);
    verb.ok_or_else(|| not_offered(service, profile, "verb", name, profile.verbs.keys()))
}

/// The job that carries out `verb`.
pub(crate) fn job(service: &Service, name: &str, args: &Fields, limit: Option<Span>) -> Lowered<Job> {
    let verb = verb(service, name)?;
    let goal = verb.goal.as_ref().map(|rule| goal(service, rule, args)).transpose()?;
    let check = verb.check.as_ref().map(|argv| check(service, argv, args)).transpose()?;
    Ok(Job {
        verb: name.to_owned(),
        means: service.profile.verb_meaning(name),
        class: match verb.class {
            VerbClass::Idempotent => Class::Idempotent,
            VerbClass::Once => Class::Once,
        },
        argv: command(service, &verb.argv, args)?,
        args: args.clone(),
        limit: limit.unwrap_or(verb.limit.0),
        goal,
        check,
        killable: verb.killable,
        secret: verb.stdin.clone(),
    })
}

/// What is wrong with a call of the verb `name` with arguments of these names, whatever their values.
pub(crate) fn wrong_verb(service: &Service, name: &str, given: &[String]) -> Lowered<()> {
    let about = verb(service, name)?;
    let probes = &service.profile.probes;
    let own = about.argv.iter().chain(about.check.iter().flatten());
    let own = own.chain(about.goal.iter().flat_map(|goal| &goal.is)).map(|text| (CommandTable::Verbs, name, text));
    let look = about.goal.iter().filter_map(|goal| Some((goal.probe.as_str(), &probes.get(&goal.probe)?.argv)));
    let look = look.flat_map(|(probe, argv)| argv.iter().map(move |text| (CommandTable::Probes, probe, text)));
    wanting(service, &format!("verb `{name}`"), own.chain(look), given)
}

/// The same of a probe.
pub(crate) fn wrong_probe(service: &Service, name: &str, given: &[String]) -> Lowered<()> {
    let profile = &service.profile;
    let Some(reader) = profile.probes.get(name) else {
        return Err(not_offered(service, profile, "probe", name, profile.probes.keys()));
    };
    let texts = reader.argv.iter().map(|text| (CommandTable::Probes, name, text));
    wanting(service, &format!("probe `{name}`"), texts, given)
}

/// The first placeholder of these texts of commands that nothing fills.
fn wanting<'t>(
    service: &Service,
    what: &str,
    texts: impl Iterator<Item = (CommandTable, &'t str, &'t String)>,
    given: &[String],
) -> Lowered<()> {
    let is_filled = |name: &str| service.vars.contains_key(name) || given.iter().any(|one| one == name);
    let all = texts.flat_map(|(table, of, text)| placeholders(text).into_iter().map(move |name| (table, of, name)));
    let Some((table, of, name)) = all.into_iter().find(|(.., name)| !is_filled(name)) else { return Ok(()) };
    let product = &service.profile.product;
    let place = service.profile.written.of(table, of, name).map(|place| format!(" ({place})")).unwrap_or_default();
    let surplus = given.iter().filter(|one| !service.vars.contains_key(*one)).map(String::as_str);
    let near_given = did_you_mean(name, surplus.clone());
    let near_var = did_you_mean(name, service.vars.keys().map(String::as_str));
    Err(match (near_given, near_var) {
        (None, Some(hint)) => {
            format!(
                "in the profile of product `{product}`{place}, {what}: `{{{name}}}` stands for nothing here; {hint}"
            )
        }
        _ => {
            let all: Vec<String> = surplus.map(|one| format!("`{one}`")).collect();
            let gives = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            format!("{what} of product `{product}` wants an argument `{name}`{place}, and the call gives {gives}")
        }
    })
}

/// Arguments are single values: a list or a map has no place in a word of a command.
pub(crate) fn single(args: &Fields) -> Lowered<()> {
    let wrong = args.iter().find(|(_, value)| matches!(value, Value::List(_) | Value::Map(_)));
    wrong.map_or(Ok(()), |(name, value)| {
        Err(format!("the argument `{name}` is {}: a command wants text or a number there", value.kind_name()))
    })
}

/// What a rollback needs: the verb that undoes, with the arguments of the change and the former value.
pub(crate) fn undo(verb: &Verb, args: &Fields, former: &Value) -> Option<Undo> {
    let mut args = args.clone();
    args.insert("former".to_owned(), former.clone());
    verb.undo.clone().map(|verb| Undo { verb, args })
}

fn goal(service: &Service, rule: &GoalRule, args: &Fields) -> Lowered<Goal> {
    let probe = probe(service, &rule.probe, args.clone())?;
    let wants = fill_all(service, &rule.is, args)?;
    let wants = wants.iter().map(|text| probe.reads.typed(text)).collect();
    Ok(Goal { probe, wants, stays: rule.stays.0 })
}

/// The command that tells whether a `once` verb happened. Simulated worlds know it by the name of the probe that has
/// the same command, or by the sub-command of the site's adapter. That probe says which secret it reads.
fn check(service: &Service, argv: &[String], args: &Fields) -> Lowered<Probe> {
    let probes = &service.profile.probes;
    let same = probes.iter().find(|(_, reader)| reader.argv == argv);
    let what = same.map(|(name, _)| name.as_str()).or(argv.get(1).map(String::as_str)).unwrap_or("check");
    Ok(Probe {
        what: what.to_owned(),
        means: None,
        argv: command(service, argv, args)?,
        args: args.clone(),
        limit: PROBE_LIMIT,
        tries: PROBE_TRIES,
        reads: Reading::Text,
        within: None,
        exit_tells: true,
        secret: same.and_then(|(_, reader)| reader.stdin.clone()),
    })
}

/// A check that the script itself gives for a command.
pub(crate) fn script_check(argv: Vec<String>) -> Probe {
    Probe {
        what: "check".to_owned(),
        means: None,
        argv,
        args: Fields::new(),
        limit: PROBE_LIMIT,
        tries: PROBE_TRIES,
        reads: Reading::Text,
        within: None,
        exit_tells: true,
        secret: None,
    }
}

/// Where the log of a service is.
pub(crate) fn log(service: &Service) -> Lowered<LogSource> {
    let profile = &service.profile;
    let Some(log) = &profile.log else {
        let product = &profile.product;
        return Err(format!("the profile of product `{product}` says nothing about a log of `{}`", service.name));
    };
    let nothing = Fields::new();
    let wrong = |why| format!("in the profile of product `{}`: {why}", profile.product);
    Ok(LogSource {
        dir: filled(service, &log.dir, &nothing)?,
        files: file_names(service, &log.files)?,
        event_patterns: log.records(&service.vars).map_err(wrong)?,
        events: profile.events.keys().filter_map(|number| number.parse().ok()).collect(),
        meanings: profile.events.clone(),
    })
}

/// The pattern of the names of log files. A variable in it stands for itself, so that `*` in a name fits nothing else;
/// one that is all of the pattern is the pattern.
fn file_names(service: &Service, template: &str) -> Lowered<String> {
    let nothing = Fields::new();
    let whole = template.starts_with('{') && template.find('}') == Some(template.len() - 1);
    if whole {
        return filled(service, template, &nothing);
    }
    let literal = |value: &String| {
        value.chars().fold(String::new(), |mut name, char| {
            if "*?[]{}!\\".contains(char) {
                name.push('\\');
            }
            name.push(char);
            name
        })
    };
    let vars = service.vars.iter().map(|(name, value)| (name.clone(), literal(value))).collect();
    let product = &service.profile.product;
    fill(template, &vars, &nothing).map_err(|why| format!("in the profile of product `{product}`: {why}"))
}

/// How to see that a service has exited.
pub(crate) fn exit_watch(service: &Service) -> Lowered<ExitWatch> {
    let probe = probe(service, "status", Fields::new())?;
    Ok(ExitWatch { probe, gone: STOPPED.into(), every: EXIT_EVERY })
}

/// A command of the profile, done as the account that the inventory says.
fn command(service: &Service, argv: &[String], args: &Fields) -> Lowered<Vec<String>> {
    Ok(done_as(service.account.as_deref(), fill_all(service, argv, args)?))
}

fn fill_all(service: &Service, templates: &[String], args: &Fields) -> Lowered<Vec<String>> {
    templates.iter().map(|template| filled(service, template, args)).collect()
}

fn filled(service: &Service, template: &str, args: &Fields) -> Lowered<String> {
    let product = &service.profile.product;
    fill(template, &service.vars, args).map_err(|why| format!("in the profile of product `{product}`: {why}"))
}

fn not_offered<'n>(
    service: &Service,
    profile: &Profile,
    word: &str,
    name: &str,
    known: impl Iterator<Item = &'n String>,
) -> String {
    let near = did_you_mean(name, known.map(String::as_str)).map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("product `{}` of service `{}` has no {word} `{name}`{near}", profile.product, service.name)
}
