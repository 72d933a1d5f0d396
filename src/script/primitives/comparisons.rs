//! What must not be compared: Rhai takes values of different kinds for unequal without a word, so that a number read is
//! never the text it is compared with, and the script goes the other way. Here that is a bug of the script. To compare
//! with `()`, which is nothing, is how scripts ask whether something is there; nothing is neither more nor less than
//! anything.

use crate::error::{Error, Kind};
use crate::model::text::{hides, may_be_alike, may_be_hidden};
use crate::script::calls::call::Call;
use crate::script::calls::context::ScriptTrack;

use crate::script::calls::doc::VerbDoc;
use crate::script::compile::diagnostic::kind_of;
use crate::script::values::handles::{HostHandle, PairHandle, ServiceHandle};
use rhai::{
    Array, Dynamic, FnPtr, FuncRegistration, ImmutableString, Map, Module, NativeCallContext, RhaiFunc, Shared,
};
use std::any::TypeId;
use std::ops::{Range, RangeInclusive};

/// Those that ask which of two is more.
const ORDER: [&str; 4] = ["<", "<=", ">", ">="];
/// Those that look for one text in another.
const SEARCHES: [&str; 4] = ["contains", "starts_with", "ends_with", "index_of"];
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// Kinds of values; those of one line can be compared with each other.
fn kinds() -> [Vec<TypeId>; 10] {
    [
        vec![TypeId::of::<i64>(), TypeId::of::<f64>()],
        vec![TypeId::of::<ImmutableString>(), TypeId::of::<char>()],
        vec![TypeId::of::<bool>()],
        vec![TypeId::of::<Array>()],
        vec![TypeId::of::<Map>()],
        vec![TypeId::of::<FnPtr>()],
        vec![TypeId::of::<HostHandle>()],
        vec![TypeId::of::<ServiceHandle>()],
        vec![TypeId::of::<PairHandle>()],
        vec![TypeId::of::<Range<i64>>(), TypeId::of::<RangeInclusive<i64>>()],
    ]
}

/// Makes comparisons of unlike kinds bugs. They are found only by an engine whose operators are looked up.
pub(super) fn refuse_unlike(module: &mut Module) {
    let kinds = kinds();
    for (at, left) in kinds.iter().enumerate() {
        for right in kinds.iter().enumerate().filter(|(other, _)| *other != at).flat_map(|(_, kind)| kind) {
            for (operator, left) in
                COMPARISONS.iter().flat_map(|operator| left.iter().map(move |left| (operator, left)))
            {
                refuse(module, operator, [*left, *right]);
            }
        }
    }
    for operator in ["==", "!="] {
        let text = TypeId::of::<ImmutableString>();
        let compare = RhaiFunc::Pure { func: Shared::new(texts), has_context: true, is_pure: true, is_volatile: false };
        FuncRegistration::new(operator).set_into_module_raw(module, [text, text], compare);
    }
    let text = TypeId::of::<ImmutableString>();
    for (names, kinds) in [
        (&SEARCHES[..], [text, text]),
        (&SEARCHES, [text, TypeId::of::<char>()]),
        (&ORDER, [text, text]),
        (&SEARCHES[..1], [TypeId::of::<Map>(), text]),
    ] {
        for name in names {
            let look =
                RhaiFunc::Pure { func: Shared::new(hidden), has_context: true, is_pure: true, is_volatile: false };
            FuncRegistration::new(*name).set_into_module_raw(module, kinds, look);
        }
    }
    let nothing = TypeId::of::<()>();
    for operator in ORDER {
        refuse(module, operator, [nothing, nothing]);
        for kind in kinds.iter().flatten() {
            refuse(module, operator, [nothing, *kind]);
            refuse(module, operator, [*kind, nothing]);
        }
    }
}

fn refuse(module: &mut Module, operator: &str, kinds: [TypeId; 2]) {
    let refusal = RhaiFunc::Pure { func: Shared::new(refused), has_context: true, is_pure: true, is_volatile: false };
    FuncRegistration::new(operator).set_into_module_raw(module, kinds, refusal);
}

fn refused(
    context: Option<NativeCallContext<'_>>,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<rhai::EvalAltResult>> {
    let (Some(context), [left, right]) = (context, args) else { return Ok(Dynamic::UNIT) };
    let operator = context.fn_name();
    let why = if ORDER.contains(&operator) { "neither is more than the other" } else { "they are never equal" };
    let message = format!("`{operator}` compares {} with {}: {why}", kind_of(left), kind_of(right));
    Err(Call::begin(&context, &VerbDoc::NONE, vec![])?.bug(message))
}

/// Compares texts. Where a secret is hidden in one of them and only that tells whether they are equal, nobody knows.
fn texts(
    context: Option<NativeCallContext<'_>>,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<rhai::EvalAltResult>> {
    let (Some(context), [left, right]) = (context, args) else { return Ok(Dynamic::UNIT) };
    let (one, other) = (left.read_lock::<ImmutableString>(), right.read_lock::<ImmutableString>());
    let (Some(one), Some(other)) = (one, other) else { return Ok(Dynamic::UNIT) };
    if may_hide(&context) && may_be_hidden(&one, &other) {
        return Err(nobody_can_tell(&context)?);
    }
    Ok(((*one == *other) == (context.fn_name() == "==")).into())
}

/// Whether stars can stand for a secret here: only on a site that has one. Hosts print stars as well.
fn may_hide(context: &NativeCallContext<'_>) -> bool {
    ScriptTrack::of(context).is_some_and(|track| !track.run.inventory.secrets.is_empty())
}

fn nobody_can_tell(context: &NativeCallContext<'_>) -> Result<Box<rhai::EvalAltResult>, Box<rhai::EvalAltResult>> {
    let message =
        format!("`{}` compares with what holds a secret: it is hidden, so nobody can tell", context.fn_name());
    let hint = "have the command itself compare, and read from it whether they are the same";
    let error = Error::new(Kind::Script, message).hint(hint);
    Ok(Call::begin(context, &VerbDoc::NONE, vec![])?.bug_with(error))
}

/// Looks for one text in another, or in the keys of a map, or asks which of them is more. Where a secret is hidden and
/// only that tells, nobody knows.
fn hidden(
    context: Option<NativeCallContext<'_>>,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<rhai::EvalAltResult>> {
    let (Some(context), [left, right]) = (context, args) else { return Ok(Dynamic::UNIT) };
    let wanted = right.read_lock::<ImmutableString>().map(|text| text.to_string());
    let wanted = wanted.or_else(|| right.as_char().ok().map(String::from)).unwrap_or_default();
    let name = context.fn_name();
    let may_hide = may_hide(&context);
    let told = if let Some(map) = left.read_lock::<Map>() {
        let may_be = may_hide && map.keys().any(|key| may_be_hidden(key, &wanted));
        (!may_be).then(|| map.contains_key(wanted.as_str()).into())
    } else {
        let text = left.read_lock::<ImmutableString>().map(|text| text.to_string()).unwrap_or_default();
        if ORDER.contains(&name) {
            order(name, (&text, &wanted), may_hide)
        } else {
            found(name, (&text, &wanted), may_hide)
        }
    };
    match told {
        Some(told) => Ok(told),
        None => Err(nobody_can_tell(&context)?),
    }
}

/// Which of two texts is more, unless stars stand where they begin to differ.
fn order(name: &str, (one, other): (&str, &str), may_hide: bool) -> Option<Dynamic> {
    let differs = one.bytes().zip(other.bytes()).find(|(a, b)| a != b || *a == b'*');
    let is_hidden = may_hide && (hides(one) || hides(other)) && differs.is_some_and(|(a, b)| a == b'*' || b == b'*');
    let holds = match name {
        "<" => one < other,
        "<=" => one <= other,
        ">" => one > other,
        _ => one >= other,
    };
    (!is_hidden).then(|| holds.into())
}

/// Where one text stands in another, or whether; nothing where only what is hidden would tell.
fn found(name: &str, (text, wanted): (&str, &str), may_hide: bool) -> Option<Dynamic> {
    let (bytes, part) = (text.as_bytes(), wanted.as_bytes());
    let last = bytes.len().checked_sub(part.len());
    let places = match (name, last) {
        (_, None) => 0..0,
        ("starts_with", Some(_)) => 0..1,
        ("ends_with", Some(last)) => last..last + 1,
        (_, Some(last)) => 0..last + 1,
    };
    let is_hidden = may_hide && (hides(text) || hides(wanted));
    let at = |place: usize| bytes.get(place..place + part.len()).unwrap_or_default();
    // What stands there to the letter is there, unless stars are what is the same.
    let is_there = |place: &usize| at(*place) == part && !(is_hidden && part.contains(&b'*'));
    let may_be = |place: &usize| is_hidden && !is_there(place) && may_be_alike(at(*place), part);
    let (there, maybe) = (places.clone().find(is_there), places.clone().find(may_be));
    match (name, there, maybe) {
        ("index_of", Some(there), maybe) if maybe.is_none_or(|maybe| there < maybe) => {
            let before = text.get(..there).map_or(0, |before| before.chars().count());
            Some(i64::try_from(before).unwrap_or(i64::MAX).into())
        }
        ("index_of", None, None) => Some((-1_i64).into()),
        ("index_of", ..) => None,
        (_, Some(_), _) => Some(true.into()),
        (_, None, None) => Some(false.into()),
        (_, None, Some(_)) => None,
    }
}
