//! Rhai's errors in the words of a runbook's author: place, source line, call chain, and what to do about it. It must
//! not run anything, and it never prints.

// Rhai's enums grow with its versions.
#![allow(clippy::wildcard_enum_match_arm)]

use crate::engine::CALL_LEVELS_MAX;
use crate::error::{Error, Kind, Place, Snippet};
use crate::model::text::did_you_mean;
use crate::script::compile::tree::CLOSURE;
use crate::script::values::handles::{HostHandle, PairHandle, SecretHandle, ServiceHandle};
use rhai::{
    Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, LexError, Map, ParseError, ParseErrorType, Position,
};

/// A position of Rhai's in a file, for people.
pub(crate) fn place(file: &str, position: Position) -> Option<Place> {
    let line = u32::try_from(position.line()?).ok()?;
    let column = u32::try_from(position.position().unwrap_or(1).max(1)).ok()?;
    (!file.is_empty()).then(|| Place { file: file.to_owned(), line, column })
}

/// The source line at `place`, with the word there underlined.
pub(crate) fn snippet(text: &str, place: &Place) -> Option<Snippet> {
    let line = text.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    let rest: Vec<char> = line.chars().skip(usize::try_from(place.column).ok()?.saturating_sub(1)).collect();
    Some(Snippet { place: place.clone(), line: line.to_owned(), length: token_length(&rest), label: String::new() })
}

/// How many characters the token at the start of `rest` has: a word, a number, a text, or one sign.
fn token_length(rest: &[char]) -> usize {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    match rest.first() {
        Some(quote @ ('"' | '`')) => {
            let mut escaped = false;
            let inside = rest[1..].iter().take_while(|c| {
                let ends = **c == *quote && !escaped;
                escaped = **c == '\\' && !escaped;
                !ends
            });
            (inside.count() + 2).min(rest.len())
        }
        Some(first) if is_word(first) => rest.iter().take_while(|c| is_word(c)).count(),
        Some(_) | None => 1,
    }
}

/// The error, pointing at a position of a file.
pub(crate) fn pointing(mut error: Box<Error>, file: &str, text: &str, position: Position) -> Box<Error> {
    error.place = place(file, position);
    error.snippet = error.place.as_ref().and_then(|place| snippet(text, place)).map(Box::new);
    error
}

/// The last hint of every error in a script: what to type when it is mended.
pub(crate) fn finish(error: Box<Error>, runbook: &str) -> Box<Error> {
    error.hint(format!("fix it, then: baton check {runbook}"))
}

/// A text that Rhai cannot parse.
pub(crate) fn syntax(error: &ParseError, file: &str, text: &str) -> Box<Error> {
    let (message, hint) = syntax_message(error.err_type(), text);
    let mut error = pointing(Error::new(Kind::Script, message), file, text, error.position());
    error.hints.extend(hint);
    error
}

fn syntax_message(kind: &ParseErrorType, text: &str) -> (String, Option<String>) {
    match kind {
        ParseErrorType::VariableUndefined(name) => (format!("unknown variable `{name}`"), about_variable(name, text)),
        ParseErrorType::ModuleUndefined(name) => {
            let hint = format!("import it first: `import \"vendor/{name}\" as {name};`");
            (format!("unknown module `{name}`"), Some(hint))
        }
        ParseErrorType::Reserved(word) if word == "eval" => ("`eval` is not for runbooks".into(), None),
        ParseErrorType::BadInput(LexError::ImproperSymbol(symbol, _)) if symbol == "eval" => {
            ("`eval` is not for runbooks".into(), None)
        }
        ParseErrorType::BadInput(LexError::UnterminatedString) => (
            "a text in quotes has no end".into(),
            Some("a quote is missing; in plain quotes a text ends on its line, in back-ticks it may go on".into()),
        ),
        ParseErrorType::LiteralTooLarge(_, most) => {
            (format!("a text of more than {most} bytes is too long for a runbook"), None)
        }
        ParseErrorType::Reserved(word) => {
            (format!("`{word}` is a word of the language and cannot be a name"), Some(format!("call it `{word}_`")))
        }
        ParseErrorType::MissingToken(token, purpose) => (format!("expected `{token}` {purpose}"), None),
        ParseErrorType::UnexpectedEOF => {
            ("the text ends in the midst of something".into(), Some("a `}`, `)` or `\"` may be missing".into()))
        }
        other => (lower(&other.to_string()), None),
    }
}

/// Why a variable is not known: misspelled, or out of a function's sight.
fn about_variable(name: &str, text: &str) -> Option<String> {
    let mut declared = Vec::new();
    for (before, word) in text.split_whitespace().zip(text.split_whitespace().skip(1)) {
        if matches!(before, "let" | "const" | "for") {
            declared.push(word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_'));
        }
    }
    if declared.contains(&name) {
        return Some(format!("functions cannot see variables outside of them; hand `{name}` over as an argument"));
    }
    did_you_mean(name, declared)
}

/// An error while a module was loaded.
pub(crate) fn of_file(raised: &EvalAltResult, file: &str, text: &str) -> Box<Error> {
    let (_, inner) = innermost(file, raised);
    pointing(Error::new(Kind::Script, reworded(inner)), file, text, inner.position())
}

/// The error at the bottom of a chain of calls, with the file it happened in.
pub(crate) fn innermost<'e>(file: &str, raised: &'e EvalAltResult) -> (String, &'e EvalAltResult) {
    match raised {
        EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
            innermost(if source.is_empty() { file } else { source }, inner)
        }
        EvalAltResult::ErrorInModule(_, inner, _) => innermost(file, inner),
        other => (file.to_owned(), other),
    }
}

/// The chain of calls that led to an error, innermost first: `cs::finish, called at genesys/x.rhai:12:5`.
pub(crate) fn trace(file: &str, raised: &EvalAltResult) -> Vec<String> {
    let mut calls = Vec::new();
    let (mut file, mut error) = (file.to_owned(), raised);
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(name, source, inner, position) => {
                let name = if name.starts_with(CLOSURE) { "a closure".to_owned() } else { format!("`{name}`") };
                let at = place(&file, *position).map(|place| format!(", called at {place}")).unwrap_or_default();
                calls.push(format!("{name}{at}"));
                if !source.is_empty() {
                    file = source.clone();
                }
                error = inner;
            }
            EvalAltResult::ErrorInModule(_, inner, _) => error = inner,
            _ => break,
        }
    }
    calls.reverse();
    calls
}

/// One error of Rhai's, in a runbook author's words.
pub(crate) fn reworded(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorTooManyOperations(_) => {
            "the script does not come to an end: a loop runs for ever without waiting for anything".into()
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            format!("functions call each other more than {CALL_LEVELS_MAX} levels deep: one calls itself without end")
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            format!("{} grows beyond every measure: a loop adds to it without end", grown(what))
        }
        EvalAltResult::ErrorParsing(kind, _) => syntax_message(kind, "").0,
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("unknown variable `{name}`"),
        EvalAltResult::ErrorModuleNotFound(name, _) => format!("there is no module `{name}`"),
        EvalAltResult::ErrorMismatchDataType(wanted, given, _)
        | EvalAltResult::ErrorMismatchOutputType(wanted, given, _) => {
            format!("expected {}, not {}", type_words(wanted), type_words(given))
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => format!("unknown function `{}`", split(signature).0),
        EvalAltResult::ErrorDotExpr(what, _) => unknown_property(what),
        EvalAltResult::ErrorPropertyNotFound(key, _) => format!("the map has no key `{key}`"),
        EvalAltResult::ErrorIndexingType(what, _) => {
            let kind = type_words(what.split(" [").next().unwrap_or(what));
            format!("{kind} has no parts to look up with `[…]` or `.`")
        }
        EvalAltResult::ErrorArrayBounds(length, index, _) => {
            format!("the list has {length} items, and no item {index}")
        }
        EvalAltResult::ErrorDataRace(what, _) => format!(
            "`{}` is given something that holds what is being changed right now; copy it to another variable first",
            raced(what)
        ),
        EvalAltResult::ErrorAssignmentToConstant(name, _) => format!("`{name}` is a constant"),
        EvalAltResult::ErrorFor(_) => "`for` wants a list, a map's keys, or a range".into(),
        EvalAltResult::ErrorArithmetic(what, _) => lower(what),
        EvalAltResult::ErrorRuntime(thrown, _) => shown(thrown),
        other => {
            let text = other.to_string();
            lower(text.rsplit_once(" (line ").map_or(text.as_str(), |(text, _)| text))
        }
    }
}

fn grown(what: &str) -> &'static str {
    match what.to_ascii_lowercase() {
        what if what.contains("string") => "a text",
        what if what.contains("array") => "a list",
        what if what.contains("map") => "a map",
        _ => "a value",
    }
}

/// What can be read off handles with a dot.
const PROPERTIES: [&str; 8] =
    ["name", "host", "product", "address", "configured_primary", "configured_backup", "members", "var"];

/// Rhai says `Unknown property 'x' - a getter is not registered for type 'service'`.
fn unknown_property(what: &str) -> String {
    let words: Vec<&str> = what.split('\'').collect();
    match words.as_slice() {
        [_, property, .., kind, _] => {
            let near = did_you_mean(property, PROPERTIES).map(|hint| format!("; {}", hint.replacen('`', "`.", 1)));
            let near = near.unwrap_or_default();
            format!("{} has no `.{property}`{near}", type_words(kind))
        }
        _ => lower(what),
    }
}

/// `name (a, b)` as its name and its types.
pub(in crate::script) fn split(signature: &str) -> (String, Vec<String>) {
    match signature.split_once('(') {
        Some((name, types)) => {
            let types = types.trim_end_matches(')');
            let types = types.split(", ").filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
            (name.trim().to_owned(), types)
        }
        None => (signature.trim().to_owned(), Vec::new()),
    }
}

/// The names of Rhai's types as a runbook's author knows them.
pub(in crate::script) fn type_words(kind: &str) -> String {
    let plain = kind.trim().trim_start_matches('&').trim_start_matches("mut ");
    let words = match plain.rsplit("::").next().unwrap_or(plain) {
        "i64" | "INT" | "int" => "a whole number",
        "f64" | "FLOAT" | "float" => "a number",
        "string" | "ImmutableString" | "String" | "str" => "text",
        "char" => "a character",
        "bool" => "true or false",
        "array" | "Array" | "Vec<Dynamic>" => "a list",
        "map" | "Map" => "a map",
        "()" => "nothing",
        "Fn" | "FnPtr" => "a closure",
        "host" => "a host",
        "service" => "a service",
        "pair" => "a pair",
        "secret" => "a secret",
        "Range<i64>" | "RangeInclusive<i64>" | "range" | "range=" => "a range",
        other => return other.to_owned(),
    };
    words.to_owned()
}

/// What kind of thing a value is, in a runbook author's words.
pub(crate) fn kind_of(value: &Dynamic) -> String {
    match value {
        value if value.is::<HostHandle>() => "a host".into(),
        value if value.is::<ServiceHandle>() => "a service".into(),
        value if value.is::<PairHandle>() => "a pair".into(),
        value if value.is::<SecretHandle>() => "a secret".into(),
        value if value.is_unit() => "nothing `()`".into(),
        value if value.is_string() => format!("text `{value}`"),
        value if value.is_int() => format!("the number {value}"),
        value => type_words(value.type_name()),
    }
}

/// The function or variable that Rhai means by ``argument #1 of function 'push'``, or the variable by its name.
pub(in crate::script) fn raced(what: &str) -> &str {
    what.rsplit_once(" of function '").map_or(what, |(_, name)| name.trim_end_matches('\''))
}

/// A value as a note shows it.
pub(crate) fn shown(value: &Dynamic) -> String {
    match value.read_lock::<ImmutableString>() {
        Some(text) => text.to_string(),
        None => shown_inside(value),
    }
}

/// A value as a list or a map shows it: of a closure its name, never what it has captured, which may be itself.
fn shown_inside(value: &Dynamic) -> String {
    if let Some(handle) = value.read_lock::<ServiceHandle>() {
        return handle.name().to_owned();
    }
    if let Some(handle) = value.read_lock::<PairHandle>() {
        return handle.name().to_owned();
    }
    if let Some(handle) = value.read_lock::<HostHandle>() {
        return handle.name().to_owned();
    }
    if value.is::<SecretHandle>() {
        return "a secret".to_owned();
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return format!("{:?}", text.as_str());
    }
    if let Some(closure) = value.read_lock::<FnPtr>() {
        return closure.to_string();
    }
    if let Some(items) = value.read_lock::<Array>() {
        return format!("[{}]", items.iter().map(shown_inside).collect::<Vec<_>>().join(", "));
    }
    if let Some(map) = value.read_lock::<Map>() {
        let entry = |(key, value): (&_, _)| format!("{key:?}: {}", shown_inside(value));
        return format!("#{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "));
    }
    value.to_string()
}

/// A sentence of Rhai's as a fragment: no capital, names in back-ticks.
fn lower(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    let first = characters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    let mut out = first;
    out.extend(characters.map(|c| if c == '\'' { '`' } else { c }));
    out
}
