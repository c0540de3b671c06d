//! `ignore_changes`: parts of the configuration that yield to what is there.

use std::sync::Arc;
use weir_core::{
    Entries, Kind, PathStep, Value,
    schema::{Block, SetBy},
};
use weir_lang::instance::Ignore;

/// The configuration with what is to be ignored taken from `prior`. A provider, the proposed
/// value and the diff all see the result, so that they agree.
///
/// `All` takes the whole of `prior` but for what only the provider sets. A path takes `prior` at
/// that place; a last step that names a key of a map copies or removes just that key; an unknown
/// map stays unknown.
pub fn ignore(config: Value, prior: &Value, ignore: &Ignore, block: &Block) -> Value {
    match ignore {
        Ignore::Nothing => config,
        Ignore::All => settable(prior, block),
        Ignore::Paths(paths) => paths
            .iter()
            .fold(config, |c, path| copy(c, Some(prior), &path.0)),
    }
}

/// The value with attributes that only the provider sets replaced by null.
fn settable(prior: &Value, block: &Block) -> Value {
    let (value, marks) = prior.clone().unmark();
    let Kind::Object(fields) = value.kind() else {
        return value.mark(marks);
    };
    let fields = fields.iter().map(|(name, field)| {
        let field = match (block.attributes.get(&**name), block.blocks.get(&**name)) {
            (Some(a), _) if a.set_by == SetBy::Computed => Value::null_of(a.ty.clone()),
            (None, Some(nested)) => settable_in(field, &nested.block),
            _ => field.clone(),
        };
        (name.clone(), field)
    });
    Value::object(fields).mark(marks)
}

fn settable_in(field: &Value, block: &Block) -> Value {
    let (value, marks) = field.clone().unmark();
    let value = match value.kind() {
        Kind::List(ty, items) => Value::list(
            ty.clone(),
            items.iter().map(|v| settable(v, block)).collect(),
        ),
        Kind::Set(ty, items) => Value::set(ty.clone(), items.iter().map(|v| settable(v, block))),
        Kind::Map(ty, m) => Value::map(
            ty.clone(),
            m.iter().map(|(k, v)| (k.clone(), settable(v, block))),
        ),
        Kind::Object(_) => settable(&value, block),
        _ => value,
    };
    value.mark(marks)
}

/// `config` with the place at `path` as it is in `prior`.
fn copy(config: Value, prior: Option<&Value>, path: &[PathStep]) -> Value {
    let Some((step, rest)) = path.split_first() else {
        return prior.cloned().unwrap_or(config);
    };
    let (config, marks) = config.unmark();
    let value = match (config.kind(), step) {
        (Kind::Object(fields), PathStep::Key(key)) => {
            let mut fields = Entries::clone(fields);
            let before = prior.and_then(|p| p.get(key));
            // An attribute that `prior` does not have can't be taken from it.
            if let (Some(field), Some(_)) = (fields.get(key.as_str()).cloned(), before) {
                fields.insert(Arc::from(key.as_str()), copy(field, before, rest));
            }
            Value::object(fields)
        }
        (Kind::Map(ty, entries), PathStep::Key(key)) => {
            let mut entries = Entries::clone(entries);
            let before = prior.and_then(|p| p.get(key));
            let key: Arc<str> = Arc::from(key.as_str());
            match (entries.get(&key).cloned(), before) {
                (Some(entry), Some(_)) => drop(entries.insert(key, copy(entry, before, rest))),
                (None, Some(b)) if rest.is_empty() => drop(entries.insert(key, b.clone())),
                (Some(_), None) if rest.is_empty() => drop(entries.remove(&key)),
                _ => {}
            }
            Value::map(ty.clone(), entries)
        }
        // A map that the configuration leaves out, with a key that is there.
        (Kind::Null(_), PathStep::Key(key)) if rest.is_empty() => match prior.map(Value::kind) {
            Some(Kind::Map(ty, m)) => match m.get(key.as_str()) {
                Some(entry) => Value::map(ty.clone(), [(Arc::from(key.as_str()), entry.clone())]),
                None => config,
            },
            _ => config,
        },
        (Kind::List(ty, items), PathStep::Index(i)) => {
            Value::list(ty.clone(), copy_item(items, prior, *i, rest))
        }
        (Kind::Tuple(items), PathStep::Index(i)) => Value::tuple(copy_item(items, prior, *i, rest)),
        _ => config,
    };
    value.mark(marks)
}

fn copy_item(items: &[Value], prior: Option<&Value>, i: usize, rest: &[PathStep]) -> Vec<Value> {
    let mut items = items.to_vec();
    let before = prior
        .and_then(Value::elements)
        .and_then(|e| e.get(i).copied());
    if let (Some(item), Some(_)) = (items.get(i).cloned(), before) {
        items[i] = copy(item, before, rest);
    }
    items
}
