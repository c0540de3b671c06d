//! The defaults of `optional(T, default)`, put into a value before it is converted to its type.

use crate::constraint::Defaults;
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Kind, Value};

/// The value with defaults in the place of attributes that are missing or null.
pub(crate) fn with_defaults(value: &Value, defaults: &Defaults) -> Value {
    if defaults.values.is_empty() && defaults.children.is_empty() {
        return value.clone();
    }
    let (bare, marks) = value.clone().unmark();
    let child = |name: &str, v: &Value| match defaults.children.get(name) {
        Some(inner) => with_defaults(v, inner),
        None => v.clone(),
    };
    let result = match bare.kind() {
        Kind::Object(fields) => fill(fields, defaults, child),
        Kind::Map(_, fields) if !defaults.values.is_empty() => fill(fields, defaults, child),
        // The elements of a collection share one entry; they may differ in type until they are
        // converted, so the result is structural.
        Kind::Map(_, entries) => {
            Value::object(entries.iter().map(|(k, v)| (k.clone(), child("", v))))
        }
        Kind::List(_, items) | Kind::Tuple(items) => {
            let each = |(i, v): (usize, &Value)| match defaults.children.get("") {
                Some(inner) => with_defaults(v, inner),
                None => child(&i.to_string(), v),
            };
            Value::tuple(items.iter().enumerate().map(each).collect())
        }
        Kind::Set(_, items) => Value::tuple(items.iter().map(|v| child("", v)).collect()),
        _ => bare,
    };
    result.mark(marks)
}

fn fill(
    fields: &BTreeMap<Arc<str>, Value>,
    defaults: &Defaults,
    child: impl Fn(&str, &Value) -> Value,
) -> Value {
    // A map given where the type says `map(object)`: its values are the objects.
    if let (true, Some(inner)) = (defaults.values.is_empty(), defaults.children.get("")) {
        return Value::object(
            fields
                .iter()
                .map(|(k, v)| (k.clone(), with_defaults(v, inner))),
        );
    }
    let mut fields = fields.clone();
    for (name, default) in &defaults.values {
        if fields.get(name).is_none_or(Value::is_null) {
            fields.insert(name.clone(), default.clone());
        }
    }
    Value::object(fields.iter().map(|(k, v)| (k.clone(), child(k, v))))
}
