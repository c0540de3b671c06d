//! Configurations of a body from the few attributes that matter, and what differs between two.

use super::Case;
use crate::declared::Catalog;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Value,
    convert::convert,
    json::from_json,
    schema::{Absent, Block, NestedBlock, Nesting},
};

/// The body of a schema with what is given, and with everything else left out: attributes by name,
/// nested blocks as lists of objects. For tests.
///
/// # Panics
/// What is given is no object, or has what the schema has not or takes otherwise.
pub fn body(block: &Block, given: &Json) -> Value {
    let Some(known) = given.as_object() else {
        panic!("{given} is no object");
    };
    for key in known.keys() {
        let has = block.attributes.contains_key(key) || block.blocks.contains_key(key);
        assert!(has, "the schema has no {key}");
    }
    let attributes = block.attributes.iter().map(|(name, a)| {
        let value = known
            .get(name)
            .map(|v| match convert(&from_json(v), &a.ty) {
                Ok(value) => value,
                Err(e) => panic!("{name} can't be {v}: {e}"),
            });
        let value = value.unwrap_or_else(|| Value::null_of(a.ty.clone()));
        (name.clone(), value)
    });
    let blocks = block
        .blocks
        .iter()
        .map(|(name, nested)| (name.clone(), blocks(nested, known.get(name))));
    Value::object(attributes.chain(blocks))
}

fn blocks(nested: &NestedBlock, given: Option<&Json>) -> Value {
    let ty = nested.block.ty();
    if given.is_none() && nested.absent == Absent::Provider {
        return Value::null();
    }
    let none = json!([]);
    let Some(items) = given.unwrap_or(&none).as_array() else {
        panic!("nested blocks are a list");
    };
    let mut items = items.iter().map(|item| body(&nested.block, item));
    match nested.nesting {
        Nesting::Single => items.next_back().unwrap_or_else(|| Value::null_of(ty)),
        Nesting::Set => Value::set(ty, items),
        _ => Value::list(ty, items.collect()),
    }
}

/// What the rules let change in place and no case's `changes` change, as `type.path`: all but what is
/// kept `apart`, by type and path and with the reason; and what is kept apart and changed.
pub fn uncovered(
    catalog: &Catalog,
    cases: &[Case],
    changes: impl Fn(&Case) -> Vec<Value>,
    apart: &[(&str, &str, &str)],
) -> Vec<String> {
    let mut left = Vec::new();
    for (type_name, entry) in &catalog.resources {
        let mut changed = BTreeSet::new();
        for case in cases.iter().filter(|c| c.type_name == *type_name) {
            for body in changes(case) {
                changed.extend(differing(&case.config, &body));
            }
        }
        let is_changed = |path: &str| {
            let below = format!("{path}.");
            changed.iter().any(|c| c == path || c.starts_with(&below))
        };
        let is_apart = |path: &str| apart.iter().any(|(t, p, _)| t == type_name && *p == path);
        let all = entry.updatable().into_iter();
        let missing = all.filter(|path| is_changed(path) == is_apart(path));
        left.extend(missing.map(|path| format!("{type_name}.{path}")));
    }
    left
}

/// Paths of the attributes at which two bodies differ, without the numbers of blocks.
fn differing(a: &Value, b: &Value) -> BTreeSet<String> {
    let (mut was, mut is) = (BTreeMap::new(), BTreeMap::new());
    leaves(a, "", &mut was);
    leaves(b, "", &mut is);
    let paths = was.keys().chain(is.keys());
    let differ = paths.filter(|p| was.get(*p) != is.get(*p));
    differ.cloned().collect()
}

/// What stands at each path: of blocks that are there more than once, all of it.
fn leaves(value: &Value, path: &str, out: &mut BTreeMap<String, Vec<String>>) {
    if value.is_null() {
        return;
    }
    if let Some(entries) = value.as_entries() {
        for (name, inner) in entries {
            let path = match path {
                "" => name.to_string(),
                _ => format!("{path}.{name}"),
            };
            leaves(inner, &path, out);
        }
    } else if let Some(items) = value.elements() {
        for item in items {
            leaves(item, path, out);
        }
    } else {
        let all = out.entry(path.to_owned()).or_default();
        all.push(value.to_string());
    }
}
