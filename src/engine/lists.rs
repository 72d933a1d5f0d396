//! The functions of lists that ask a closure. Rhai's own go on where the closure fails, take any answer that is not
//! `true` for a no, or sort in an order that does not exist; here a failure is a failure, and a wrong answer is a bug.
//! It must not know what the closures are for.

use crate::holdings;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, FuncRegistration, Module, NativeCallContext, Position};

type ListResult<T> = Result<T, Box<EvalAltResult>>;

/// Makes these functions the ones that scripts call.
pub(super) fn set_into(module: &mut Module) {
    FuncRegistration::new("map").with_purity(true).set_into_module(module, map);
    FuncRegistration::new("filter").with_purity(true).set_into_module(module, filter);
    FuncRegistration::new("some").with_purity(true).set_into_module(module, some);
    FuncRegistration::new("all").with_purity(true).set_into_module(module, all);
    FuncRegistration::new("find").with_purity(true).set_into_module(module, find);
    FuncRegistration::new("index_of").with_purity(true).set_into_module(module, index_of);
    FuncRegistration::new("order").with_purity(true).set_into_module(module, order);
    FuncRegistration::new("order_by").with_purity(true).set_into_module(module, order);
    FuncRegistration::new("sort").set_into_module(module, sort);
    FuncRegistration::new("sort_by").set_into_module(module, sort);
    FuncRegistration::new("dedup").set_into_module(module, dedup);
    FuncRegistration::new("retain").set_into_module(module, retain);
    FuncRegistration::new("drain").set_into_module(module, drain);
}

/// What a closure says of an item, which it may also be given as `this`.
fn asked(context: &NativeCallContext<'_>, closure: &FnPtr, item: &mut Dynamic, index: usize) -> ListResult<Dynamic> {
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    closure.call_raw_with_extra_args(context.fn_name(), context, Some(item), [], [index.into()], Some(0))
}

/// The same where it is to say yes or no.
fn judged(context: &NativeCallContext<'_>, closure: &FnPtr, item: &mut Dynamic, index: usize) -> ListResult<bool> {
    truth(context, &asked(context, closure, item, index)?)
}

fn truth(context: &NativeCallContext<'_>, answer: &Dynamic) -> ListResult<bool> {
    answer.as_bool().map_err(|given| mismatch(context, "bool", given))
}

/// A closure has said something of another kind than is wanted: a bug of the script.
fn mismatch(context: &NativeCallContext<'_>, wanted: &str, given: &str) -> Box<EvalAltResult> {
    let (wanted, given) = (wanted.to_owned(), given.to_owned());
    Box::new(EvalAltResult::ErrorMismatchDataType(wanted, given, context.call_position()))
}

/// Rhai's own looks at how much the results hold only when it has all of them.
fn map(context: NativeCallContext<'_>, items: &mut Array, mapper: FnPtr) -> ListResult<Array> {
    let mut results = Array::with_capacity(items.len());
    let mut bytes = 0;
    for (index, item) in items.iter_mut().enumerate() {
        let result = asked(&context, &mapper, item, index)?;
        bytes += holdings::measure(&result).unwrap_or(usize::MAX / 2);
        if bytes > holdings::BYTES_MAX {
            // Rhai's own error for what is too large: no script can catch it.
            let what = "size of array".to_owned();
            return Err(Box::new(EvalAltResult::ErrorDataTooLarge(what, Position::NONE)));
        }
        results.push(result);
    }
    Ok(results)
}

fn filter(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<Array> {
    let mut found = Array::new();
    for (index, item) in items.iter_mut().enumerate() {
        if judged(&context, &wanted, item, index)? {
            found.push(item.clone());
        }
    }
    Ok(found)
}

/// The place of the first item that is wanted.
fn first(context: &NativeCallContext<'_>, items: &mut Array, wanted: &FnPtr) -> ListResult<Option<usize>> {
    for (index, item) in items.iter_mut().enumerate() {
        if judged(context, wanted, item, index)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn some(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<bool> {
    Ok(first(&context, items, &wanted)?.is_some())
}

fn all(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<bool> {
    for (index, item) in items.iter_mut().enumerate() {
        if !judged(&context, &wanted, item, index)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn find(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<Dynamic> {
    let found = first(&context, items, &wanted)?;
    Ok(found.and_then(|index| items.get(index)).cloned().unwrap_or_default())
}

fn index_of(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<i64> {
    let found = first(&context, items, &wanted)?;
    Ok(found.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1))
}

/// Takes the items out for which the closure says `taken`; nothing changes when it fails.
fn take(context: &NativeCallContext<'_>, items: &mut Array, wanted: &FnPtr, taken: bool) -> ListResult<Array> {
    let mut answers = Vec::with_capacity(items.len());
    for (index, item) in items.iter_mut().enumerate() {
        answers.push(judged(context, wanted, item, index)?);
    }
    let (mut out, mut kept) = (Array::new(), Array::new());
    for (item, answer) in std::mem::take(items).into_iter().zip(answers) {
        if answer == taken { out.push(item) } else { kept.push(item) }
    }
    *items = kept;
    Ok(out)
}

fn retain(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<Array> {
    take(&context, items, &wanted, false)
}

fn drain(context: NativeCallContext<'_>, items: &mut Array, wanted: FnPtr) -> ListResult<Array> {
    take(&context, items, &wanted, true)
}

/// Leaves of items that follow each other, and are the same by what the closure says, the first.
fn dedup(context: NativeCallContext<'_>, items: &mut Array, same: FnPtr) -> ListResult<()> {
    let mut kept = Array::new();
    for item in items.iter() {
        let is_same = match kept.last() {
            Some(last) => truth(&context, &same.call_raw(&context, None, [last.clone(), item.clone()])?)?,
            None => false,
        };
        if !is_same {
            kept.push(item.clone());
        }
    }
    *items = kept;
    Ok(())
}

fn sort(context: NativeCallContext<'_>, items: &mut Array, comparer: FnPtr) -> ListResult<()> {
    *items = sorted(&context, &comparer, items)?;
    Ok(())
}

fn order(context: NativeCallContext<'_>, items: &mut Array, comparer: FnPtr) -> ListResult<Array> {
    sorted(&context, &comparer, items)
}

/// Sorts by halves: each comparison may fail, and no order that the closure makes up can do harm.
fn sorted(context: &NativeCallContext<'_>, comparer: &FnPtr, items: &[Dynamic]) -> ListResult<Array> {
    if items.len() < 2 {
        return Ok(items.to_vec());
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (left, right) = (sorted(context, comparer, left)?, sorted(context, comparer, right)?);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut merged = Array::with_capacity(items.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        // Asked of the right one, so that what is equal stays in its order.
        let from_right = comes_first(context, comparer, other, one)?;
        merged.extend(if from_right { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

/// Whether a closure says that the first of two comes before the second: a number below 0, or `true`.
fn comes_first(context: &NativeCallContext<'_>, comparer: &FnPtr, one: &Dynamic, other: &Dynamic) -> ListResult<bool> {
    let answer = comparer.call_raw(context, None, [one.clone(), other.clone()])?;
    match (answer.as_int(), answer.as_bool()) {
        (Ok(number), _) => Ok(number < 0),
        (_, Ok(first)) => Ok(first),
        (Err(given), Err(_)) => Err(mismatch(context, "i64", given)),
    }
}
