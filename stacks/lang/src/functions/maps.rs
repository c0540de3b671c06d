//! Maps and objects.

use super::{
    Function, FunctionError, Outcome,
    collection::{element_type, first, indexed},
    items,
    signature::{any, param, string},
    text,
};
use crate::eval::Context;
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Kind, Marks, Type, Value, convert::convert};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("keys", [any("inputMap")], keys)
            .gives(Type::list(Type::String))
            .elementwise(),
        Function::new("values", [any("mapping")], values).elementwise(),
        Function::new(
            "lookup",
            [
                any("inputMap"),
                string("key"),
                any("default").nullable().optional(),
            ],
            lookup,
        )
        .gives_by(|a| element_type(a.first()))
        .elementwise(),
        Function::new("merge", [], merge)
            .rest(any("maps").nullable())
            .elementwise(),
        Function::new(
            "zipmap",
            [param("keys", Type::list(Type::String)), any("values")],
            zipmap,
        )
        .elementwise(),
        Function::new(
            "transpose",
            [param("values", Type::map(Type::list(Type::String)))],
            transpose,
        )
        .gives(Type::map(Type::list(Type::String))),
    ]
}

/// The entries of a map or object; anything else is refused.
fn entries(args: &[Value], index: usize) -> Outcome<&BTreeMap<Arc<str>, Value>> {
    args.get(index)
        .and_then(Value::as_entries)
        .ok_or_else(|| FunctionError::Argument(index, "must have a map or object value".into()))
}

fn keys(args: &[Value], _: &Context) -> Outcome {
    let names: Vec<Value> = entries(args, 0)?
        .keys()
        .map(|k| Value::string(k.clone()))
        .collect();
    Ok(match first(args).kind() {
        Kind::Object(_) => Value::tuple(names),
        _ => Value::list(Type::String, names),
    })
}

fn values(args: &[Value], _: &Context) -> Outcome {
    let values: Vec<Value> = entries(args, 0)?.values().cloned().collect();
    Ok(match first(args).kind() {
        Kind::Map(ty, _) => Value::list(ty.clone(), values),
        _ => Value::tuple(values),
    })
}

fn lookup(args: &[Value], _: &Context) -> Outcome {
    let entries = entries(args, 0)?;
    let key = text(args, 1);
    let map_type = match args.first().map(Value::kind) {
        Some(Kind::Map(ty, _)) => Some(ty.clone()),
        _ => None,
    };
    let default = match (args.get(2), map_type) {
        (Some(default), Some(ty)) => Some(convert(default, &ty).map_err(|_| {
            FunctionError::Argument(
                2,
                "the default value must have the same type as the map elements".into(),
            )
        })?),
        (default, _) => default.cloned(),
    };
    match (entries.get(key), default) {
        (Some(value), _) => Ok(value.clone()),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(FunctionError::call(format!(
            "the given key {key:?} does not identify an element of the given map"
        ))),
    }
}

fn merge(args: &[Value], _: &Context) -> Outcome {
    let mut all: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let mut element: Option<Type> = None;
    let mut maps = true;
    let mut marks = Marks::NONE;
    for (i, arg) in args.iter().enumerate() {
        if arg.is_null() {
            continue;
        }
        marks = marks.union(arg.marks());
        let entries = entries(args, i).map_err(|_| {
            FunctionError::Argument(
                i,
                format!(
                    "arguments must be maps or objects, got {:?}",
                    arg.ty().friendly()
                ),
            )
        })?;
        match (arg.kind(), &element) {
            (Kind::Map(ty, _), None) => element = Some(ty.clone()),
            (Kind::Map(ty, _), Some(before)) if ty == before => {}
            _ => maps = false,
        }
        all.extend(entries.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    Ok(match element {
        Some(ty) if maps => Value::map(ty, all),
        _ => Value::object(all),
    }
    .mark(marks))
}

fn zipmap(args: &[Value], _: &Context) -> Outcome {
    let names = items(args, 0);
    let values = indexed(args, 1)?;
    if names.len() != values.len() {
        return Err(FunctionError::call(format!(
            "number of keys ({}) does not match number of values ({})",
            names.len(),
            values.len()
        )));
    }
    let mut marks = Marks::NONE;
    let mut all = BTreeMap::new();
    for (name, value) in names.iter().zip(values) {
        marks = marks.union(name.marks());
        match name.kind() {
            Kind::String(name) => all.insert(name.clone(), value.clone()),
            Kind::Null(_) => return Err(FunctionError::Argument(0, "a key is null".into())),
            _ => return Ok(Value::unknown(Type::Dynamic).mark(marks)),
        };
    }
    Ok(match args.get(1).map(Value::kind) {
        Some(Kind::List(ty, _)) => Value::map(ty.clone(), all),
        _ => Value::object(all),
    }
    .mark(marks))
}

fn transpose(args: &[Value], _: &Context) -> Outcome {
    let mut out: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, list) in entries(args, 0)? {
        for item in list.elements().unwrap_or_default() {
            let Kind::String(item) = item.kind() else {
                return Err(FunctionError::Argument(
                    0,
                    "input must not contain null list elements".into(),
                ));
            };
            out.entry(item.clone())
                .or_default()
                .push(Value::string(key.clone()));
        }
    }
    let lists = out
        .into_iter()
        .map(|(k, mut list)| {
            list.sort();
            (k, Value::list(Type::String, list))
        })
        .collect();
    Ok(Value::map(Type::list(Type::String), lists))
}
