//! What the API says, as a value of the schema's type.

use super::values::{Found, is_zero, typed};
use serde_json::Value as Json;
use weir_core::{
    Type, Value,
    schema::{Absent, Attribute, Block, NestedBlock, Nesting, SetBy},
};

/// Beside what the value of an object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// What was planned or recorded: blocks that were left out stay so.
    Known,
    /// Nothing: all there is to see is taken.
    Nothing,
}

/// The object's value: what was found, and beside it what is known of attributes that the API
/// does not keep.
pub fn shape(block: &Block, found: &Found, known: &Value, beside: Beside) -> Value {
    let attributes = block.attributes.iter().map(|(name, a)| {
        let value = attribute(a, found.get(name), known.get(name), beside);
        (name.clone(), value)
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let value = blocks(nested, found.get(name), known.get(name), beside);
        (name.clone(), value)
    });
    Value::object(attributes.chain(blocks))
}

fn attribute(a: &Attribute, found: Option<&Json>, known: Option<&Value>, beside: Beside) -> Value {
    let null = || Value::null_of(a.ty.clone());
    let known = known.filter(|k| k.is_wholly_known());
    let Some(found) = found else {
        return known.cloned().unwrap_or_else(null);
    };
    let value = typed(found, &a.ty);
    if a.set_by == SetBy::Optional && is_zero(&value) {
        // What was never set reads as empty; what was set to nothing stays what it was set to.
        return match known {
            Some(k) if is_zero(k) => k.clone(),
            None if beside == Beside::Known => value,
            _ => null(),
        };
    }
    match known {
        Some(k) if same(k, &value) => k.clone(),
        _ => value,
    }
}

/// Whether both say the same, one of them with marks.
fn same(known: &Value, found: &Value) -> bool {
    known.clone().unmark_deep().0 == *found
}

fn blocks(
    nested: &NestedBlock,
    found: Option<&Json>,
    known: Option<&Value>,
    beside: Beside,
) -> Value {
    let ty = nested.block.ty();
    let was = known.filter(|k| !k.is_unknown());
    let left_out = was.is_none_or(|k| k.elements().is_none_or(|e| e.is_empty()));
    // Of what has no counterpart, as an element of a set, nothing is known to be left out.
    let told = known.is_some();
    let keep = nested.absent == Absent::None && left_out && told && beside == Beside::Known;
    let Some(found) = found.and_then(Json::as_array).filter(|_| !keep) else {
        return was.cloned().unwrap_or_else(|| none(nested, &ty));
    };
    let known = was.and_then(Value::elements).unwrap_or_default();
    let null = Value::null();
    let items = found.iter().enumerate().map(|(i, item)| {
        let fields = item.as_object().cloned().unwrap_or_default();
        let beside_it = match nested.nesting {
            Nesting::List => known.get(i).copied().unwrap_or(&null),
            _ => &null,
        };
        shape(&nested.block, &fields, beside_it, beside)
    });
    match nested.nesting {
        Nesting::Set => Value::set(ty, items),
        _ => Value::list(ty, items.collect()),
    }
}

fn none(nested: &NestedBlock, ty: &Type) -> Value {
    match nested.nesting {
        Nesting::Single => Value::null_of(ty.clone()),
        Nesting::Set => Value::set(ty.clone(), []),
        _ => Value::list(ty.clone(), Vec::new()),
    }
}

/// What is known of an object that may be half made: its id, and what was planned as known.
pub fn half_made(planned: &Value, id: &str) -> Value {
    let known = planned.clone().transform(&mut |v| match v.is_unknown() {
        true => Value::null_of(v.ty()),
        false => v,
    });
    known.with("id", Value::from(id))
}
