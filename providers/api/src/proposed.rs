//! What the configuration proposes: prior and configuration merged by the schema.
//!
//! A provider plans from this value, so that it sees what it computed earlier wherever the
//! configuration says nothing. The rules are those of the Terraform plugin protocol.

use std::sync::Arc;
use weir_core::{
    Entries, Kind, Type, Value,
    schema::{Absent, Attribute, Block, NestedBlock, Nesting, Schema, Storage},
};

/// Prior and configuration as one value.
///
/// - a computed attribute the configuration leaves out keeps its prior value (null at creation);
/// - a write-only attribute is null: only `config` carries it;
/// - any other attribute is as configured, also when null or unknown;
/// - nested blocks are paired with their prior by position, key or likeness, and merged alike.
///
/// `prior` is `None` at creation, and for the creation half of a replacement.
pub fn merge(schema: &Schema, prior: Option<&Value>, config: &Value) -> Value {
    merge_block(&schema.block, prior.filter(|p| !p.is_null()), config)
}

fn merge_block(block: &Block, prior: Option<&Value>, config: &Value) -> Value {
    if config.is_unknown() {
        return config.clone();
    }
    if config.is_null() {
        return prior.unwrap_or(config).clone();
    }
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let prior = prior.and_then(|p| p.get(name));
        let (key, own) = config.entry(name);
        (key, merge_attribute(attribute, prior, own))
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let prior = prior.and_then(|p| p.get(name));
        let (key, own) = config.entry(name);
        let own = own.cloned().unwrap_or_else(|| empty(nested));
        (key, merge_nested(nested, prior, &own))
    });
    Value::object(attributes.chain(blocks)).mark(config.marks())
}

fn merge_attribute(attribute: &Attribute, prior: Option<&Value>, config: Option<&Value>) -> Value {
    let null = || Value::null_of(attribute.ty.clone());
    if attribute.storage == Storage::WriteOnly {
        return null();
    }
    match config {
        Some(config) if !(config.is_null() && attribute.is_computed()) => config.clone(),
        _ if attribute.is_computed() => prior.cloned().unwrap_or_else(null),
        _ => null(),
    }
}

/// The value of a nested block type of which there is none.
fn empty(nested: &NestedBlock) -> Value {
    let object = nested.block.ty();
    match nested.nesting {
        _ if nested.absent == Absent::Provider => Value::null(),
        Nesting::Single => Value::null_of(object),
        Nesting::List => Value::list(object, Vec::new()),
        Nesting::Set => Value::set(object, []),
        Nesting::Map => Value::map(object, Entries::new()),
    }
}

fn merge_nested(nested: &NestedBlock, prior: Option<&Value>, config: &Value) -> Value {
    let block = &nested.block;
    let prior = prior.filter(|p| !p.is_null() && !p.is_unknown());
    let merged = match (nested.nesting, config.kind()) {
        (_, Kind::Null(_)) if nested.absent == Absent::Provider => {
            return prior.unwrap_or(config).clone();
        }
        (_, Kind::Unknown(..) | Kind::Null(_)) => return config.clone(),
        (Nesting::Single, _) => merge_block(block, prior, config),
        (_, Kind::List(ty, items)) => Value::list(ty.clone(), merge_items(block, prior, items)),
        (_, Kind::Tuple(items)) => Value::tuple(merge_items(block, prior, items)),
        (_, Kind::Map(ty, entries)) => Value::map(ty.clone(), merge_entries(block, prior, entries)),
        (_, Kind::Object(entries)) => Value::object(merge_entries(block, prior, entries)),
        (_, Kind::Set(ty, items)) => merge_set(block, prior, ty, items),
        (_, Kind::Bool(_) | Kind::Number(_) | Kind::String(_)) => return config.clone(),
    };
    merged.mark(config.marks())
}

fn merge_items(block: &Block, prior: Option<&Value>, items: &[Value]) -> Vec<Value> {
    let prior = prior.and_then(Value::elements).unwrap_or_default();
    let merge = |(i, item): (usize, &Value)| merge_block(block, prior.get(i).copied(), item);
    items.iter().enumerate().map(merge).collect()
}

fn merge_entries(block: &Block, prior: Option<&Value>, entries: &Entries) -> Entries {
    let merge = |(key, item): (&Arc<str>, &Value)| {
        (
            key.clone(),
            merge_block(block, prior.and_then(|p| p.get(key)), item),
        )
    };
    entries.iter().map(merge).collect()
}

/// Pairs each configured element with the first prior element that could have come of it.
fn merge_set(
    block: &Block,
    prior: Option<&Value>,
    ty: &Type,
    items: &weir_core::Elements,
) -> Value {
    let mut unused = prior.and_then(Value::elements).unwrap_or_default();
    let merged = items.iter().map(|item| {
        let found = unused.iter().position(|p| could_come_of(block, p, item));
        let pair = found.map(|i| unused.remove(i));
        merge_block(block, pair, item)
    });
    Value::set(ty.clone(), merged)
}

/// Whether `prior` is what `config` would have become: equal but for computed attributes that the
/// configuration leaves out.
fn could_come_of(block: &Block, prior: &Value, config: &Value) -> bool {
    let attributes =
        block
            .attributes
            .iter()
            .all(|(name, a)| match (prior.get(name), config.get(name)) {
                (_, None) => true,
                (_, Some(c)) if c.is_null() && a.is_computed() => true,
                (_, Some(_)) if a.storage == Storage::WriteOnly => true,
                (Some(p), Some(c)) => alike(p, c),
                (None, Some(c)) => c.is_null(),
            });
    attributes
        && block
            .blocks
            .iter()
            .all(|(name, nested)| match (prior.get(name), config.get(name)) {
                (Some(p), Some(c)) => nested_could_come_of(nested, p, c),
                (p, c) => p.is_none() && c.is_none_or(Value::is_null),
            })
}

fn nested_could_come_of(nested: &NestedBlock, prior: &Value, config: &Value) -> bool {
    if prior.is_null() || config.is_null() {
        return prior.is_null() && config.is_null();
    }
    match nested.nesting {
        Nesting::Single => could_come_of(&nested.block, prior, config),
        Nesting::Set => alike(prior, config),
        Nesting::List => match (prior.elements(), config.elements()) {
            (Some(p), Some(c)) => {
                p.len() == c.len()
                    && p.iter()
                        .zip(&c)
                        .all(|(p, c)| could_come_of(&nested.block, p, c))
            }
            _ => alike(prior, config),
        },
        Nesting::Map => match (prior.as_entries(), config.as_entries()) {
            (Some(p), Some(c)) => {
                p.len() == c.len()
                    && c.iter()
                        .all(|(k, c)| p.get(k).is_some_and(|p| could_come_of(&nested.block, p, c)))
            }
            _ => alike(prior, config),
        },
    }
}

/// Equal but for marks, and for the types of nulls.
pub(crate) fn alike(a: &Value, b: &Value) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Null(_), Kind::Null(_)) => true,
        (Kind::Unknown(..), Kind::Unknown(..)) => true,
        (Kind::Bool(a), Kind::Bool(b)) => a == b,
        (Kind::Number(a), Kind::Number(b)) => a == b,
        (Kind::String(a), Kind::String(b)) => a == b,
        (Kind::List(_, a) | Kind::Tuple(a), Kind::List(_, b) | Kind::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| alike(a, b))
        }
        (Kind::Set(_, a), Kind::Set(_, b)) => {
            a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| alike(a, b)))
        }
        (Kind::Map(_, a) | Kind::Object(a), Kind::Map(_, b) | Kind::Object(b)) => {
            let missing = |x: &Entries, y: &Entries| {
                x.iter().any(|(k, v)| !y.contains_key(k) && !v.is_null())
            };
            !missing(a, b)
                && !missing(b, a)
                && a.iter().all(|(k, a)| b.get(k).is_none_or(|b| alike(a, b)))
        }
        _ => false,
    }
}
