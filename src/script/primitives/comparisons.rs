//! What must not be compared: Rhai takes values of different kinds for unequal without a word, so that a number read is
//! never the text it is compared with, and the script goes the other way. Here that is a bug of the script. To compare
//! with `()`, which is nothing, is how scripts ask whether something is there; nothing is neither more nor less than
//! anything.

use crate::error::{Error, Kind};
use crate::model::text::may_be_hidden;
use crate::script::calls::call::Call;
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
    if may_be_hidden(&one, &other) {
        let message =
            format!("`{}` compares with what holds a secret: it is hidden, so nobody can tell", context.fn_name());
        let hint = "have the command itself compare, and read from it whether they are the same";
        let error = Error::new(Kind::Script, message).hint(hint);
        return Err(Call::begin(&context, &VerbDoc::NONE, vec![])?.bug_with(error));
    }
    Ok(((*one == *other) == (context.fn_name() == "==")).into())
}
