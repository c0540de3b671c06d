//! Maps and objects.

use super::{
    Function, FunctionError, Marking, Outcome, Unknowns,
    collection::{first, indexed},
    items,
    signature::{any, param, string},
};
use crate::eval::Context;
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Entries, Kind, Marks, Type, Value, convert::convert};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("keys", [any("inputMap").typed()], keys)
            .on_marks(Marking::Shallow)
            .on_unknowns(Unknowns::Handled),
        Function::new("values", [any("mapping").typed()], values)
            .gives_by(values_type)
            .elementwise(),
        Function::new(
            "lookup",
            [
                any("inputMap").typed(),
                string("key"),
                any("default").nullable().optional(),
            ],
            lookup,
        )
        .on_marks(Marking::Handled)
        .on_unknowns(Unknowns::Handled),
        Function::new("merge", [], merge)
            .rest(any("maps").nullable())
            .gives_by(merged_type)
            .elementwise(),
        Function::new(
            "zipmap",
            [
                param("keys", Type::list(Type::String)),
                any("values").typed(),
            ],
            zipmap,
        )
        .gives_by(zipped_type)
        .elementwise(),
        Function::new(
            "transpose",
            [param("values", Type::map(Type::list(Type::String)))],
            transpose,
        )
        .gives(Type::map(Type::list(Type::String))),
    ]
}

fn not_a_map(index: usize) -> FunctionError {
    FunctionError::Argument(index, "must have a map or object value".into())
}

/// The entries of a map or object; anything else is refused.
fn entries(args: &[Value], index: usize) -> Outcome<&Entries> {
    args.get(index)
        .and_then(Value::as_entries)
        .ok_or_else(|| FunctionError::Argument(index, "must have a map or object value".into()))
}

fn keys(args: &[Value], _: &Context) -> Outcome {
    let names = |names: Vec<&Arc<str>>| {
        names
            .into_iter()
            .map(|k| Value::string(k.clone()))
            .collect()
    };
    let map = first(args);
    Ok(match map.kind() {
        Kind::Object(fields) => Value::tuple(names(fields.keys().collect())),
        Kind::Map(_, entries) => Value::list(Type::String, names(entries.keys().collect())),
        Kind::Unknown(Type::Object(fields), _) => Value::tuple(names(fields.keys().collect())),
        Kind::Unknown(Type::Map(_), _) => Value::unknown_not_null(Type::list(Type::String)),
        _ => return Err(not_a_map(0)),
    })
}

fn values_type(args: &[Value]) -> Outcome<Type> {
    match first(args).ty() {
        Type::Map(of) => Ok(Type::List(of)),
        Type::Object(fields) => Ok(Type::tuple(fields.values().map(|f| f.ty.clone()))),
        _ => Err(not_a_map(0)),
    }
}

fn values(args: &[Value], _: &Context) -> Outcome {
    let values: Vec<Value> = entries(args, 0)?.values().cloned().collect();
    Ok(match first(args).kind() {
        Kind::Map(ty, _) => Value::list(ty.clone(), values),
        _ => Value::tuple(values),
    })
}

/// Marks of the map and of the key go to what is found; those of a default only where it is taken.
fn lookup(args: &[Value], _: &Context) -> Outcome {
    let (map, map_marks) = first(args).unmark();
    let (key, key_marks) = args.get(1).cloned().unwrap_or_else(Value::null).unmark();
    let marks = map_marks.union(key_marks);
    let default = args.get(2);
    let missing = || {
        FunctionError::call(match key.as_str().filter(|_| marks.is_empty()) {
            Some(key) => {
                format!("the given key {key:?} does not identify an element of the given map")
            }
            None => "the given key does not identify an element of the given map".to_owned(),
        })
    };
    let open = map.is_unknown() || key.is_unknown();
    let found = match (map.ty(), key.as_str()) {
        (Type::Map(of), key) => {
            let fits = |d: &Value| {
                convert(d, &of).map_err(|_| {
                    FunctionError::Argument(
                        2,
                        "the default value must have the same type as the map elements".into(),
                    )
                })
            };
            let default = default.map(fits).transpose()?;
            match open {
                true => Value::unknown((*of).clone()),
                false => key
                    .and_then(|k| map.get(k).cloned())
                    .or(default)
                    .ok_or_else(missing)?,
            }
        }
        (Type::Object(_), None) => Value::unknown(Type::Dynamic),
        (Type::Object(fields), Some(key)) => match (map.get(key), fields.get(key), default) {
            (Some(found), ..) => found.clone(),
            (None, Some(field), _) => Value::unknown(field.ty.clone()),
            (None, None, Some(default)) if open => Value::unknown(default.ty()),
            (None, None, Some(default)) => default.clone(),
            (None, None, None) => return Err(missing()),
        },
        _ => return Err(not_a_map(0)),
    };
    Ok(found.mark(marks))
}

/// The type of all maps where they have one, else that of an object with all attributes.
fn merged_type(args: &[Value]) -> Outcome<Type> {
    let mut fields: BTreeMap<Arc<str>, Type> = BTreeMap::new();
    let mut open = false;
    for (i, arg) in args.iter().enumerate() {
        match (arg.ty(), arg.as_entries()) {
            (Type::Dynamic, _) => open = true,
            (Type::Object(_) | Type::Map(_), _) if arg.is_null() => {}
            (Type::Object(of), _) => {
                fields.extend(of.iter().map(|(k, f)| (k.clone(), f.ty.clone())));
            }
            (Type::Map(of), Some(entries)) => {
                fields.extend(entries.keys().map(|k| (k.clone(), (*of).clone())));
            }
            (Type::Map(_), None) => open = true,
            (ty, _) => {
                return Err(FunctionError::Argument(
                    i,
                    format!("arguments must be maps or objects, got {:?}", ty.friendly()),
                ));
            }
        }
    }
    let first = first(args).ty();
    Ok(match args.iter().all(|a| a.ty() == first) {
        true => first,
        false if open => Type::Dynamic,
        false => Type::object(fields),
    })
}

fn merge(args: &[Value], _: &Context) -> Outcome {
    let ty = merged_type(args)?;
    let mut all: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for arg in args {
        let entries = arg.as_entries().into_iter().flatten();
        all.extend(entries.map(|(k, v)| (k.clone(), v.clone())));
    }
    Ok(match ty {
        Type::Map(of) => Value::map((*of).clone(), all),
        _ => Value::object(all),
    })
}

fn zipped_type(args: &[Value]) -> Outcome<Type> {
    let keys = first(args);
    match args.get(1).map(Value::ty) {
        Some(Type::List(of)) => Ok(Type::Map(of)),
        Some(Type::Tuple(types)) => {
            if !keys.is_wholly_known() {
                return Ok(Type::Dynamic);
            }
            let names = items(args, 0);
            if names.len() != types.len() {
                return Err(unequal(names.len(), types.len()));
            }
            let named = names.iter().zip(types.iter());
            Ok(Type::object(named.filter_map(|(name, ty)| {
                Some((name.as_str()?.to_owned(), ty.clone()))
            })))
        }
        _ => Err(FunctionError::Argument(
            1,
            "values argument must be a list or tuple value".into(),
        )),
    }
}

fn unequal(keys: usize, values: usize) -> FunctionError {
    FunctionError::call(format!(
        "number of keys ({keys}) does not match number of values ({values})"
    ))
}

fn zipmap(args: &[Value], _: &Context) -> Outcome {
    if !first(args).is_wholly_known() {
        return zipped_type(args).map(|ty| Value::unknown(ty).refined_not_null());
    }
    let names = items(args, 0);
    let values = indexed(args, 1)?;
    if names.len() != values.len() {
        return Err(unequal(names.len(), values.len()));
    }
    let mut marks = Marks::NONE;
    let mut all = BTreeMap::new();
    for (name, value) in names.iter().zip(values) {
        marks = marks.union(name.marks());
        match name.kind() {
            Kind::String(name) => all.insert(name.clone(), value.clone()),
            _ => return Err(FunctionError::Argument(0, "a key is null".into())),
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
        let items = list
            .elements()
            .ok_or_else(|| FunctionError::Argument(0, "input must not contain null list".into()))?;
        for item in items {
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
    let lists = out.into_iter().map(|(k, mut list)| {
        list.sort();
        (k, Value::list(Type::String, list))
    });
    Ok(Value::map(Type::list(Type::String), lists))
}
