//! Values for what a provider would have computed.

use uuid::Uuid;
use weir_core::{
    Entries, Kind, Type, Value,
    convert::convert,
    schema::{Block, Nesting},
};

/// What becomes of computed attributes that nobody gave a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Computed {
    /// They are known after apply.
    Unknown,
    /// They get a value that is made up.
    Generated,
}

/// The object with a value for each computed attribute that has none: of `given`, or by
/// `computed`. `open` says which have none.
pub(crate) fn fill(
    block: &Block,
    object: Value,
    given: Option<&Value>,
    computed: Computed,
    open: fn(&Value) -> bool,
) -> Value {
    if object.is_null() || object.is_unknown() {
        return object;
    }
    let mut object = object;
    for (name, attribute) in &block.attributes {
        let current = object.get(name).cloned();
        if !attribute.is_computed() || !current.as_ref().is_none_or(open) {
            continue;
        }
        let value = match (computed, given.and_then(|g| g.get(name))) {
            (Computed::Unknown, _) => Value::unknown(attribute.ty.clone()),
            (_, Some(given)) => {
                convert(given, &attribute.ty).unwrap_or_else(|_| generated(&attribute.ty))
            }
            (_, None) => generated(&attribute.ty),
        };
        object = object.with(name, value);
    }
    for (name, nested) in &block.blocks {
        let Some(current) = object.get(name).cloned() else {
            continue;
        };
        let given = given.and_then(|g| g.get(name)).cloned();
        let each = |item: Value| fill(&nested.block, item, given.as_ref(), computed, open);
        let value = match (nested.nesting, current.kind()) {
            (Nesting::Single, _) => each(current),
            (_, Kind::List(ty, items)) => {
                Value::list(ty.clone(), items.iter().cloned().map(each).collect())
            }
            (_, Kind::Set(ty, items)) => Value::set(ty.clone(), items.iter().cloned().map(each)),
            (_, Kind::Map(ty, entries)) => {
                let entries = entries.iter().map(|(k, v)| (k.clone(), each(v.clone())));
                Value::map(ty.clone(), entries)
            }
            (_, Kind::Tuple(items)) => Value::tuple(items.iter().cloned().map(each).collect()),
            (_, Kind::Object(fields)) => {
                Value::object(fields.iter().map(|(k, v)| (k.clone(), each(v.clone()))))
            }
            _ => current,
        };
        object = object.with(name, value);
    }
    object
}

/// A value of a type: text of eight random characters, zero, false, nothing in a collection, null
/// where the type is open.
pub(crate) fn generated(ty: &Type) -> Value {
    match ty {
        Type::String => Value::string(random()),
        Type::Number => Value::number(0i64),
        Type::Bool => Value::bool(false),
        Type::List(of) => Value::list((**of).clone(), Vec::new()),
        Type::Set(of) => Value::set((**of).clone(), []),
        Type::Map(of) => Value::map((**of).clone(), Entries::new()),
        Type::Object(fields) => {
            Value::object(fields.iter().map(|(k, f)| (k.clone(), generated(&f.ty))))
        }
        Type::Tuple(items) => Value::tuple(items.iter().map(generated).collect()),
        Type::Dynamic => Value::null(),
    }
}

fn random() -> String {
    const CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut n = Uuid::new_v4().as_u128();
    let mut text = String::new();
    for _ in 0..8 {
        let at = usize::try_from(n % 36).unwrap_or(0);
        text.push(char::from(CHARACTERS[at]));
        n /= 36;
    }
    text
}
