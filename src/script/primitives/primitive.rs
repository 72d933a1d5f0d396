//! A function that scripts can call, beside what is said about it, and how an engine gets it. It must not know any
//! particular one.

use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::VerbDoc;
use rhai::{Dynamic, FuncRegistration, Module, NativeCallContext};

/// A function that scripts can call.
pub(crate) struct Primitive {
    /// What is said about it.
    pub(crate) doc: VerbDoc,
    /// What it does.
    pub(crate) body: fn(&Call<'_>) -> Fallible<Dynamic>,
}

/// Arguments come in as they are, whatever their type: what is wrong with them is said by [`Call`], in its own words.
pub(super) fn register(module: &mut Module, primitive: &'static Primitive, arity: usize) {
    type D = Dynamic;
    let run = move |context: NativeCallContext<'_>, args: Vec<D>| {
        let call = Call::begin(&context, &primitive.doc, args)?;
        (primitive.body)(&call)
    };
    let name = FuncRegistration::new(primitive.doc.name);
    match arity {
        0 => name.set_into_module(module, move |c: NativeCallContext<'_>| run(c, vec![])),
        1 => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D| run(c, vec![a])),
        2 => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D| run(c, vec![a, b])),
        3 => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D, d: D| run(c, vec![a, b, d])),
        4 => name
            .set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D, d: D, e: D| run(c, vec![a, b, d, e])),
        _ => name.set_into_module(module, move |c: NativeCallContext<'_>, a: D, b: D, d: D, e: D, f: D| {
            run(c, vec![a, b, d, e, f])
        }),
    };
}
