//! The options map at the end of a call: `#{ limit: "5min" }`. Its keys are those that the primitive has, and its
//! values are of the kinds that they are asked as. It must not know any particular option.

use crate::model::run::command_environment::{CommandEnvironment, is_variable};
use crate::model::site::account::is_account;
use crate::model::span::Span;
use crate::model::text::did_you_mean;
use crate::model::text::shown;
use crate::script::calls::call::Call;
use crate::script::calls::context::Fallible;
use crate::script::calls::doc::VerbDoc;
use crate::script::compile::diagnostic;
use crate::script::values::handles::SecretHandle;
use crate::script::values::unwritten::Unwritten;
use rhai::{Dynamic, EvalAltResult, FnPtr, ImmutableString, Map};

/// The options of one call.
pub(crate) struct Options<'call, 'a> {
    call: &'call Call<'a>,
    map: Map,
}

impl<'call, 'a> Options<'call, 'a> {
    /// The options at argument `index`, if the call has them. Unknown keys are refused.
    pub(crate) fn of(call: &'call Call<'a>, index: usize) -> Fallible<Self> {
        let map = call.map_if_given(index)?;
        for key in map.keys() {
            if !call.doc.option_keys().any(|known| known == key.as_str()) {
                return Err(call.bug(unknown_option(call.doc, key)));
            }
        }
        Ok(Self { call, map })
    }

    /// The option as it is, if it is given.
    pub(crate) fn get(&self, key: &str) -> Option<&Dynamic> {
        self.map.get(key).filter(|value| !value.is_unit() && !value.is::<Unwritten>())
    }

    /// A length of time, if it is given.
    pub(crate) fn span(&self, key: &str) -> Fallible<Option<Span>> {
        let Some(given) = self.get(key) else { return Ok(None) };
        match given.read_lock::<ImmutableString>() {
            Some(text) => Span::parse(&text).map(Some).map_err(|why| self.call.bug(format!("option `{key}`: {why}"))),
            None => Err(self.wrong(key, "a length of time such as `\"5min\"`", given)),
        }
    }

    /// A truth value, if it is given.
    pub(crate) fn flag(&self, key: &str) -> Fallible<Option<bool>> {
        let Some(given) = self.get(key) else { return Ok(None) };
        given.as_bool().map(Some).map_err(|_| self.wrong(key, "true or false", given))
    }

    /// A number from 0 on, if it is given.
    pub(crate) fn count(&self, key: &str) -> Fallible<Option<usize>> {
        let Some(given) = self.get(key) else { return Ok(None) };
        let count = given.as_int().ok().and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| self.wrong(key, "a whole number from 0 on", given))
    }

    /// A text, if it is given.
    pub(crate) fn text(&self, key: &str) -> Fallible<Option<String>> {
        let Some(given) = self.get(key) else { return Ok(None) };
        let text = given.read_lock::<ImmutableString>().map(|text| text.to_string());
        text.map(Some).ok_or_else(|| self.wrong(key, "text", given))
    }

    /// The name of a secret, if one is given.
    pub(crate) fn secret(&self, key: &str) -> Fallible<Option<String>> {
        let Some(given) = self.get(key) else { return Ok(None) };
        let name = given.read_lock::<SecretHandle>().map(|secret| secret.name().to_owned());
        name.map(Some).ok_or_else(|| self.wrong(key, "a secret such as `secret(\"db\")`", given))
    }

    /// The folder and the variables of a command, from the keys `cwd` and `env`.
    pub(crate) fn surroundings(&self) -> Fallible<CommandEnvironment> {
        let folder = self.text("cwd")?;
        if let Some(folder) = folder.as_deref().filter(|folder| !folder.starts_with('/')) {
            return Err(self.call.bug(format!("option `cwd`: `{}` is not a full path", shown(folder))));
        }
        let Some(given) = self.get("env") else {
            return Ok(CommandEnvironment { folder, ..CommandEnvironment::default() });
        };
        let wrong = || self.wrong("env", "a map of texts such as `#{ PGPORT: \"5433\" }`", given);
        let map = given.read_lock::<Map>().ok_or_else(wrong)?;
        let mut variables = Vec::new();
        for (name, value) in map.iter() {
            if !is_variable(name) {
                return Err(self.call.bug(format!("option `env`: `{}` cannot be the name of a variable", shown(name))));
            }
            let value = value.read_lock::<ImmutableString>().ok_or_else(wrong)?;
            variables.push((name.to_string(), value.to_string()));
        }
        Ok(CommandEnvironment { folder, variables })
    }

    /// The name of an account, if it is given.
    pub(crate) fn account(&self, key: &str) -> Fallible<Option<String>> {
        let name = self.text(key)?;
        match name.as_deref().filter(|name| !is_account(name)) {
            Some(name) => {
                Err(self.call.bug(format!("option `{key}`: `{}` is not the name of an account", shown(name))))
            }
            None => Ok(name),
        }
    }

    /// A closure, if it is given.
    pub(crate) fn closure(&self, key: &str) -> Fallible<Option<FnPtr>> {
        let Some(given) = self.get(key) else { return Ok(None) };
        let closure = given.clone().try_cast::<FnPtr>();
        let closure = closure.ok_or_else(|| self.wrong(key, "a closure such as `|| …`", given))?;
        Ok(Some(self.call.handed_over(closure)))
    }

    fn wrong(&self, key: &str, wanted: &str, given: &Dynamic) -> Box<EvalAltResult> {
        let name = self.call.doc.name;
        self.call.bug(format!("option `{key}` of `{name}` wants {wanted}, not {}", diagnostic::kind_of(given)))
    }
}

/// The message for a key that the options of a primitive do not have.
pub(crate) fn unknown_option(doc: &VerbDoc, key: &str) -> String {
    let near = did_you_mean(key, doc.option_keys()).map(|hint| format!("; {hint}")).unwrap_or_default();
    let known: Vec<String> = doc.option_keys().map(|key| format!("`{key}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("`{}` has no option `{key}` (it has: {known}){near}", doc.name)
}
