//! Parameters of a runbook: found in its text without running it, and what the command line gives made to fit them.

use crate::convert;
use crate::error::{Error, Kind, Place, Result};
use crate::model::run::record::FROM_RUN;
use crate::model::span::Span;
use crate::model::text::did_you_mean;
use crate::model::value::{Fields, Value};
use crate::script::compile::diagnostic;
use crate::script::compile::tree::{self, CallSite};
use rhai::{AST, Dynamic};

/// The kind of parameters that are lengths of time.
const SPAN: &str = "span";

/// A `param(…)` of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamDecl {
    /// Its name.
    pub name: String,
    /// What it is; may be empty.
    pub help: String,
    /// Its value when none is given; none when one must be.
    pub default: Option<Value>,
    /// The values it may have; empty means any.
    pub choices: Vec<Value>,
    /// Whether its value must be a length of time.
    pub span: bool,
    /// Where it stands.
    pub place: Place,
}

/// The parameters that a runbook declares, in order.
///
/// # Errors
/// `Script`: a name or an option that is not written out, or two parameters of one name.
pub(crate) fn declared(ast: &AST, file: &str, text: &str) -> Result<Vec<ParamDecl>> {
    let mut found: Vec<ParamDecl> = Vec::new();
    let mut wrong = None;
    ast.walk(&mut |path| {
        let site =
            path.last().and_then(tree::call_site).filter(|site| site.name == "param" && site.namespace.is_none());
        if let Some(site) = site {
            let decl = declaration(&site, file).and_then(|decl| match found.iter().any(|one| one.name == decl.name) {
                true => Err(format!("parameter `{}` is declared twice", decl.name)),
                false if decl.name == FROM_RUN => {
                    Err(format!("`{FROM_RUN}` cannot be a parameter; what `--from-run` gives is `former_run()`"))
                }
                false => Ok(decl),
            });
            match decl {
                Ok(decl) => found.push(decl),
                Err(message) => {
                    wrong = Some(diagnostic::pointing(Error::new(Kind::Script, message), file, text, site.position));
                }
            }
        }
        wrong.is_none()
    });
    wrong.map_or(Ok(found), Err)
}

fn declaration(site: &CallSite<'_>, file: &str) -> std::result::Result<ParamDecl, String> {
    let name = site.args.first().and_then(tree::literal_text);
    let name = name.ok_or("the name of a parameter must be written out: `param(\"name\")`")?;
    let place = diagnostic::place(file, site.position).unwrap_or(Place { file: file.to_owned(), line: 1, column: 1 });
    let mut decl = ParamDecl { name, help: String::new(), default: None, choices: Vec::new(), span: false, place };
    let Some(options) = site.args.get(1) else { return Ok(decl) };
    let entries =
        tree::map_entries(options).ok_or("the options of a parameter must be written out: `#{ help: \"…\" }`")?;
    for (key, value, _) in entries {
        let value = value.ok_or_else(|| format!("option `{key}` of parameter `{}` must be written out", decl.name))?;
        take_option(&mut decl, &key, &value)?;
    }
    for value in decl.default.iter().chain(&decl.choices).filter(|_| decl.span) {
        if let Some(why) = no_span(value) {
            return Err(format!("parameter `{}` is of the kind \"{SPAN}\": {why}", decl.name));
        }
    }
    Ok(decl)
}

fn take_option(decl: &mut ParamDecl, key: &str, value: &Dynamic) -> std::result::Result<(), String> {
    let value = convert::to_value(value)?;
    match (key, value) {
        ("help", Value::Text(help)) => decl.help = help,
        ("default", Value::Null) => {}
        ("default", value) => decl.default = Some(value),
        ("choices", Value::List(choices)) => decl.choices = choices,
        ("kind", Value::Text(kind)) if kind == SPAN => decl.span = true,
        ("kind", other) => {
            let message = format!("`kind` of parameter `{}` cannot be `{other}`: there is only \"{SPAN}\"", decl.name);
            return Err(format!("{message}, a length of time"));
        }
        ("help", other) => {
            return Err(format!("`help` of parameter `{}` is {}, not text", decl.name, other.kind_name()));
        }
        ("choices", other) => {
            return Err(format!("`choices` of parameter `{}` is {}, not a list", decl.name, other.kind_name()));
        }
        // Unknown keys are the lint's and the call's to refuse, in the same words as for every primitive.
        _ => {}
    }
    Ok(())
}

/// The parameters of a run: what was given, made to fit, and defaults for the rest. The gist of the run that this one
/// follows is none of the declared ones and is handed on as it is.
///
/// # Errors
/// `Usage`: a name that is not declared, a missing value, or one of the wrong type.
pub(crate) fn resolve(declared: &[ParamDecl], given: &Fields, runbook: &str) -> Result<Fields> {
    let former = given.get_key_value(FROM_RUN).filter(|(_, gist)| gist.as_map().is_some());
    for name in given.keys().filter(|name| former.is_none_or(|(reserved, _)| *name != reserved)) {
        if !declared.iter().any(|decl| decl.name == *name) {
            return Err(unknown(declared, name, runbook));
        }
    }
    let missing: Vec<&ParamDecl> =
        declared.iter().filter(|decl| decl.default.is_none() && !given.contains_key(&decl.name)).collect();
    if let Some(first) = missing.first() {
        return Err(missing_values(&missing, first, runbook));
    }
    let mut all = Fields::new();
    for decl in declared {
        let value = match given.get(&decl.name) {
            Some(value) => fit(decl, value).map_err(|error| error.hint(format!("baton run {runbook} --help")))?,
            None => decl.default.clone().unwrap_or_default(),
        };
        all.insert(decl.name.clone(), value);
    }
    all.extend(former.map(|(name, gist)| (name.clone(), gist.clone())));
    Ok(all)
}

/// What of the parameters that a run was begun with these declarations still take: adopted texts may have given some
/// up.
/// The gist of the run that it follows is declared by none and never given up.
pub(crate) fn kept(declared: &[ParamDecl], recorded: &Fields) -> Fields {
    let taken = |name: &String| name == FROM_RUN || declared.iter().any(|decl| decl.name == *name);
    recorded.iter().filter(|(name, _)| taken(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn unknown(declared: &[ParamDecl], name: &str, runbook: &str) -> Box<Error> {
    let error = Error::new(Kind::Usage, format!("runbook `{runbook}` has no parameter `{name}`"));
    let names = || declared.iter().map(|decl| decl.name.as_str());
    let hint = did_you_mean(name, names()).unwrap_or_else(|| match declared.is_empty() {
        true => "it has none".to_owned(),
        false => format!("it has {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    });
    error.hint(hint).hint(format!("baton run {runbook} --help"))
}

fn missing_values(missing: &[&ParamDecl], first: &ParamDecl, runbook: &str) -> Box<Error> {
    let names: Vec<String> = missing.iter().map(|decl| format!("`{}`", decl.name)).collect();
    let plural = if names.len() > 1 { "parameters" } else { "parameter" };
    let mut error = Error::new(Kind::Usage, format!("runbook `{runbook}` needs {plural} {}", names.join(", ")));
    for decl in missing.iter().filter(|decl| !decl.help.is_empty()) {
        error = error.hint(format!("`{}`: {}", decl.name, decl.help));
    }
    // How the rest of the command goes is not known here.
    error.hint(format!("type the same once more with it: -p {}=…", first.name))
}

/// Why a value is no length of time.
fn no_span(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Span::parse(text).err(),
        other @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Map(_)) => {
            Some(format!("`{other}` is not a length of time; write for example `90s`, `5min` or `1h 30min`"))
        }
    }
}

/// A given value as the type of the default.
fn fit(decl: &ParamDecl, given: &Value) -> Result<Value> {
    if let Some(why) = no_span(given).filter(|_| decl.span) {
        let error = Error::new(Kind::Usage, format!("parameter `{}`: {why}", decl.name));
        return Err(error.hint("nothing was touched"));
    }
    let wants = decl.default.as_ref().or(decl.choices.first());
    let fitted = match (wants, given) {
        (Some(Value::Bool(_)), Value::Text(text)) => match text.as_str() {
            "true" | "yes" => Some(Value::Bool(true)),
            "false" | "no" => Some(Value::Bool(false)),
            _ => None,
        },
        (Some(Value::Int(_)), Value::Text(text)) => text.trim().parse().ok().map(Value::Int),
        (Some(Value::Float(_)), Value::Text(text)) => {
            text.trim().parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Float)
        }
        (Some(Value::List(_)), Value::Text(text)) => {
            Some(Value::List(text.split(',').map(|item| item.trim().into()).collect()))
        }
        (Some(wants), given) if wants.kind_name() != given.kind_name() => None,
        (Some(_) | None, given) => Some(given.clone()),
    };
    let Some(value) = fitted else {
        let kind = wants.map_or("text", |wants| wants.kind_name());
        return Err(Error::new(Kind::Usage, format!("parameter `{}` is {kind}, not `{given}`", decl.name)));
    };
    if !decl.choices.is_empty() && !decl.choices.contains(&value) {
        let choices: Vec<String> = decl.choices.iter().map(|choice| format!("`{choice}`")).collect();
        let message = format!("parameter `{}` cannot be `{value}`; it is one of {}", decl.name, choices.join(", "));
        return Err(Error::new(Kind::Usage, message));
    }
    Ok(value)
}
