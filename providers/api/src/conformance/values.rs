//! Configurations of a body from the few attributes that matter.

use serde_json::{Value as Json, json};
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
