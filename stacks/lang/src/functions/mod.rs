//! The functions of the language: Terraform's, by theme.
//!
//! A [`Function`] says what its parameters are and what it does with unknown and marked arguments;
//! evaluation converts and checks the arguments before its body sees them. Bodies are pure: what
//! they need of the outside (files, the time of the run) is in the [`Context`].
//!
//! `try` and `can` are not here: they need expressions, not values.

mod charset;
mod cidr;
mod collection;
mod convert;
mod crypto;
mod csv;
mod encoding;
mod fileset;
mod filesystem;
mod format;
mod glob;
mod hash;
mod maps;
mod numeric;
mod provided;
mod re2;
mod regex;
mod sets;
mod signature;
mod string;
mod time;
mod yaml;

pub(crate) use provided::Provided;
pub use signature::{Function, FunctionError, Marking, Param, Unknowns};

use crate::eval::Context;
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_core::{Type, Value};

/// What a function's body returns.
pub(crate) type Outcome<T = Value> = Result<T, FunctionError>;

/// The functions there are, by name. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    functions: Arc<BTreeMap<&'static str, Function>>,
    pub(crate) provided: Provided,
    in_template: bool,
}

impl Registry {
    /// All functions built in.
    pub fn standard() -> Registry {
        let themes = [
            cidr::functions(),
            collection::functions(),
            charset::functions(),
            convert::functions(),
            crypto::functions(),
            encoding::functions(),
            filesystem::functions(),
            format::functions(),
            hash::functions(),
            maps::functions(),
            numeric::functions(),
            regex::functions(),
            sets::functions(),
            string::functions(),
            time::functions(),
        ];
        let functions = themes.into_iter().flatten().map(|f| (f.name(), f));
        Registry {
            functions: Arc::new(functions.collect()),
            ..Registry::default()
        }
    }

    /// The same, with functions of providers.
    pub(crate) fn with_provided(&self, provided: Provided) -> Registry {
        Registry {
            functions: self.functions.clone(),
            provided,
            in_template: self.in_template,
        }
    }

    /// The same for a template that a function renders, which can't render another: it could be
    /// itself, without end.
    pub(crate) fn of_template(&self) -> Registry {
        Registry {
            in_template: true,
            ..self.clone()
        }
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.functions.keys().copied()
    }
}

/// A function's body.
pub(crate) type Body = fn(&[Value], &Context) -> Outcome;

/// The text of an argument its parameter says is a string.
fn text(args: &[Value], index: usize) -> &str {
    args.get(index).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of an argument its parameter says is a sequence.
fn items(args: &[Value], index: usize) -> Vec<&Value> {
    args.get(index)
        .and_then(Value::elements)
        .unwrap_or_default()
}

/// Refuses to make a text of so many bytes where that is out of bounds.
fn room(len: usize) -> Outcome<()> {
    match len > crate::eval::MAX_TEXT {
        true => Err(FunctionError::call(format!(
            "its result would be longer than {} MiB",
            crate::eval::MAX_TEXT >> 20
        ))),
        false => Ok(()),
    }
}

/// Text that is settled when the plan is applied: not known before, but never null.
fn or_unknown(text: Option<impl Into<Arc<str>>>) -> Value {
    match text {
        Some(text) => Value::string(text),
        None => Value::unknown_not_null(Type::String),
    }
}

/// A count as a number of the language.
fn count(n: usize) -> Value {
    Value::number(i64::try_from(n).unwrap_or(i64::MAX))
}

/// A whole number in an argument, where it is one that fits.
fn whole(args: &[Value], index: usize) -> Outcome<i64> {
    args.get(index)
        .and_then(Value::as_i64)
        .ok_or_else(|| FunctionError::Argument(index, "a whole number is required".into()))
}
