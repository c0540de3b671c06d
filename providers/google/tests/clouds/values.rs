//! Configurations of a type from the few attributes that matter.

use serde_json::{Value as Json, json};
use weir_core::{
    Value,
    convert::convert,
    json::from_json,
    schema::{Absent, Block, NestedBlock, Nesting},
};

/// The body with everything else left out.
pub fn body(block: &Block, given: &Json) -> Value {
    let known = given.as_object().unwrap();
    for key in known.keys() {
        let has = block.attributes.contains_key(key) || block.blocks.contains_key(key);
        assert!(has, "the schema has no {key}");
    }
    let attributes = block.attributes.iter().map(|(name, a)| {
        let value = known
            .get(name)
            .map(|v| convert(&from_json(v), &a.ty).unwrap());
        (
            name.clone(),
            value.unwrap_or_else(|| Value::null_of(a.ty.clone())),
        )
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
    let items = given.unwrap_or(&none).as_array().unwrap();
    let mut items = items.iter().map(|item| body(&nested.block, item));
    match nested.nesting {
        Nesting::Single => items.next_back().unwrap_or_else(|| Value::null_of(ty)),
        Nesting::Set => Value::set(ty, items),
        _ => Value::list(ty, items.collect()),
    }
}
