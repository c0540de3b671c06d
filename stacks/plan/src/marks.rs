//! Marks do not cross to a provider and back: they are put on again by path.

use weir_core::{
    Entries, Kind, Marks, Value,
    schema::{Block, Nesting, Visibility},
};

/// `value` with the marks that `source` has at the same places, and with those the schema asks
/// for.
///
/// Elements of a set can't be matched: a mark inside one of `source` goes to the whole set.
pub fn carry_marks(value: Value, source: &Value, block: &Block) -> Value {
    by_schema(by_path(value, source), block)
}

fn by_path(value: Value, source: &Value) -> Value {
    if source.marks_deep().is_empty() {
        return value;
    }
    let own = source.marks();
    let (value, old) = value.unmark();
    let marked = match (value.kind(), source.kind()) {
        (Kind::List(ty, items), Kind::List(_, from)) => {
            Value::list(ty.clone(), pairwise(items, from))
        }
        (Kind::Tuple(items), Kind::Tuple(from)) => Value::tuple(pairwise(items, from)),
        (Kind::Map(ty, m), Kind::Map(_, from)) => Value::map(ty.clone(), keywise(m, from)),
        (Kind::Object(m), Kind::Object(from)) => Value::object(keywise(m, from)),
        (Kind::Set(..), Kind::Set(..)) => {
            let inner = source.marks_deep();
            value.mark(inner)
        }
        // The shapes differ (one is null or unknown): nothing inside can be matched, so that the
        // whole takes what was inside.
        _ if !matches!(source.kind(), Kind::Unknown(..) | Kind::Null(_)) && own.is_empty() => {
            let inner = source.marks_deep();
            value.mark(inner)
        }
        _ => value,
    };
    marked.mark(old).mark(own)
}

fn pairwise(items: &[Value], from: &[Value]) -> Vec<Value> {
    items
        .iter()
        .enumerate()
        .map(|(i, v)| match from.get(i) {
            Some(s) => by_path(v.clone(), s),
            None => v.clone(),
        })
        .collect()
}

fn keywise(m: &Entries, from: &Entries) -> Entries {
    m.iter()
        .map(|(k, v)| match from.get(k) {
            Some(s) => (k.clone(), by_path(v.clone(), s)),
            None => (k.clone(), v.clone()),
        })
        .collect()
}

fn by_schema(value: Value, block: &Block) -> Value {
    if !has_sensitive(block) {
        return value;
    }
    let (value, own) = value.unmark();
    let Kind::Object(fields) = value.kind() else {
        return value.mark(own);
    };
    let fields: Entries = fields
        .iter()
        .map(|(name, field)| {
            let field = field.clone();
            let field = if let Some(attribute) = block.attributes.get(&**name) {
                match attribute.visibility {
                    // A null hides nothing, and a mark on it would be a change to show.
                    Visibility::Sensitive if !field.is_null() => field.mark(Marks::SENSITIVE),
                    _ => field,
                }
            } else if let Some(nested) = block.blocks.get(&**name) {
                nested_by_schema(field, &nested.block, nested.nesting)
            } else {
                field
            };
            (name.clone(), field)
        })
        .collect();
    Value::object(fields).mark(own)
}

fn nested_by_schema(value: Value, block: &Block, nesting: Nesting) -> Value {
    if !has_sensitive(block) {
        return value;
    }
    let (value, own) = value.unmark();
    let value = match (value.kind(), nesting) {
        (Kind::List(ty, items), _) => {
            let items = items.iter().map(|v| by_schema(v.clone(), block)).collect();
            Value::list(ty.clone(), items)
        }
        (Kind::Tuple(items), _) => {
            Value::tuple(items.iter().map(|v| by_schema(v.clone(), block)).collect())
        }
        (Kind::Set(..), _) => value.mark(Marks::SENSITIVE),
        (Kind::Map(ty, m), _) => Value::map(
            ty.clone(),
            m.iter()
                .map(|(k, v)| (k.clone(), by_schema(v.clone(), block))),
        ),
        (Kind::Object(_), Nesting::Single) => by_schema(value, block),
        (Kind::Object(m), _) => Value::object(
            m.iter()
                .map(|(k, v)| (k.clone(), by_schema(v.clone(), block))),
        ),
        _ => value,
    };
    value.mark(own)
}

fn has_sensitive(block: &Block) -> bool {
    block
        .attributes
        .values()
        .any(|a| a.visibility == Visibility::Sensitive)
        || block.blocks.values().any(|b| has_sensitive(&b.block))
}
