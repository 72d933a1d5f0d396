//! Decision tables: plain data of a script, read strictly into [`DecisionTable`]. What a table means is
//! the automaton's affair.

use super::values::END_KEY;
use crate::model::run::automaton::{DecisionTable, Next, Row, Symbol};
use crate::model::span::Span;
use crate::model::text::did_you_mean;
use crate::model::value::{Fields, Value};
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use std::collections::BTreeMap;

const KEYS: [&str; 3] = ["start", "settle", "rows"];
const WORDS: [&str; 4] = ["exit", "limit", "settled", "other"];
const ANY: &str = "any";
const SAME: &str = "same";

/// The table in `data`, checked.
pub(super) fn read(call: &Call<'_>, data: &Value) -> Fallible<DecisionTable> {
    let table = parse(data).and_then(|table| table.check().map(|()| table));
    table.map_err(|why| call.bug(format!("in the decision table: {why}")))
}

/// Whether some row speaks of the service's exit.
pub(super) fn knows_exit(table: &DecisionTable) -> bool {
    table.rows.iter().any(|row| row.symbols.contains(&Symbol::Exit))
}

fn parse(data: &Value) -> Result<DecisionTable, String> {
    let fields = data.as_map().ok_or_else(|| format!("it is {}, not a map `#{{ start, rows }}`", data.kind_name()))?;
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key `{key}`{}", near(key, KEYS)));
    }
    let start = fields.get("start").and_then(Value::as_text).ok_or("`start` must name the state it begins in")?;
    let Some(Value::List(items)) = fields.get("rows") else { return Err("`rows` must be a list of rows".into()) };
    let mut rows = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if *item != Value::Null {
            rows.push(row(item).map_err(|why| format!("row {} {why}", index + 1))?);
        }
    }
    Ok(DecisionTable { start: start.to_owned(), rows, settles: settles(fields)? })
}

fn settles(fields: &Fields) -> Result<BTreeMap<String, Span>, String> {
    let empty = Value::Map(Fields::new());
    let given = fields.get("settle").filter(|value| **value != Value::Null).unwrap_or(&empty);
    let map = given.as_map().ok_or("`settle` must be a map of states to lengths of time")?;
    let span = |(state, value): (&String, &Value)| {
        let text = value.as_text().ok_or_else(|| format!("`settle` of `{state}` must be text such as `\"10s\"`"))?;
        Ok((state.clone(), Span::parse(text)?))
    };
    map.iter().map(span).collect()
}

fn row(item: &Value) -> Result<Row, String> {
    let shape = || "is not `[states, symbols, next]` or `[states, symbols, next, warning]`".to_owned();
    let Value::List(cells) = item else { return Err(shape()) };
    let (states, symbols, next, warning) = match cells.as_slice() {
        [states, symbols, next] => (states, symbols, next, ""),
        [states, symbols, next, Value::Text(warning)] => (states, symbols, next, warning.as_str()),
        _ => return Err(shape()),
    };
    let symbols: Vec<Symbol> = each(symbols).iter().map(symbol).collect::<Result<_, _>>()?;
    Ok(Row { states: state_names(states)?, symbols, next: next_of(next)?, warning: warning.to_owned() })
}

/// One or a list: both are written in tables.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Map(_) => {
            std::slice::from_ref(value)
        }
    }
}

fn state_names(value: &Value) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for item in each(value) {
        let name = item.as_text().ok_or_else(|| format!("names {} as a state, not text", item.kind_name()))?;
        names.push(name.to_owned());
    }
    match names.iter().any(|name| name == ANY) {
        true if names.len() > 1 => Err("names `any` beside other states".into()),
        true => Ok(Vec::new()),
        false if names.is_empty() => Err("names no state; write \"any\" for all".into()),
        false => Ok(names),
    }
}

fn symbol(value: &Value) -> Result<Symbol, String> {
    match value {
        Value::Int(number) => Ok(Symbol::Event(*number)),
        Value::Text(word) => match word.as_str() {
            "exit" => Ok(Symbol::Exit),
            "limit" => Ok(Symbol::Limit),
            "settled" => Ok(Symbol::Settled),
            "other" => Ok(Symbol::Other),
            number if number.parse::<i64>().is_ok() => {
                Err(format!("names event \"{number}\" as text; write the number {number}"))
            }
            _ => Err(format!("has an unknown symbol `{word}`{}", near(word, WORDS))),
        },
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            Err(format!("has {} as a symbol, not an event number or a word", value.kind_name()))
        }
    }
}

fn next_of(value: &Value) -> Result<Next, String> {
    if let Some(outcome) = value.get(END_KEY).and_then(Value::as_text) {
        return Ok(Next::End(outcome.to_owned()));
    }
    match value.as_text() {
        Some(SAME) => Ok(Next::Stay),
        Some(name) => Ok(Next::State(name.to_owned())),
        None => Err(format!("leads to {}, not to a state, \"same\" or end(\"…\")", value.kind_name())),
    }
}

fn near<const N: usize>(given: &str, known: [&str; N]) -> String {
    let known_list = known.map(|word| format!("`{word}`")).join(", ");
    did_you_mean(given, known).map_or(format!(" (there are {known_list})"), |hint| format!("; {hint}"))
}
