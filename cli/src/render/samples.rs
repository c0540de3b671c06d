//! Plans and values for tests of renderers.

use std::collections::BTreeMap;
use weir_core::{
    Address, Known, Marks, Type, Value,
    address::ProviderRef,
    change::{Action, Change, Reason},
    plan::Plan,
    snapshot::{Lineage, Serial},
};

/// A string.
pub(crate) fn s(text: &str) -> Value {
    Value::from(text)
}

/// A number.
pub(crate) fn n(number: i64) -> Value {
    Value::from(number)
}

/// An unknown string.
pub(crate) fn unknown() -> Value {
    Value::unknown(Type::String)
}

/// A sensitive string.
pub(crate) fn secret(text: &str) -> Value {
    s(text).mark(Marks::SENSITIVE)
}

/// An object.
pub(crate) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::object(fields)
}

/// A map.
pub(crate) fn map<const N: usize>(ty: Type, entries: [(&str, Value); N]) -> Value {
    Value::map(ty, entries)
}

/// A list of strings.
pub(crate) fn strings<const N: usize>(items: [&str; N]) -> Value {
    Value::list(Type::String, items.into_iter().map(s).collect())
}

/// A change: before and after.
pub(crate) fn change(
    address: &str,
    action: Action,
    reason: Reason,
    sides: [Option<Value>; 2],
) -> Change {
    let [before, after] = sides;
    Change {
        address: address.parse().expect("an address"),
        action,
        reason,
        before: before.map(|b| Known::new(b).expect("known")),
        after,
        provider: ProviderRef::new("fake"),
        private: Vec::new(),
        batch: None,
        moved_from: None,
        import: None,
    }
}

/// Changes by their address.
pub(crate) fn by_address(changes: impl IntoIterator<Item = Change>) -> BTreeMap<Address, Change> {
    changes
        .into_iter()
        .map(|c| (c.address.clone(), c))
        .collect()
}

/// A plan of these changes.
pub(crate) fn plan(changes: impl IntoIterator<Item = Change>) -> Plan {
    Plan {
        lineage: Lineage("l".into()),
        base: Serial(1),
        complete: true,
        changes: by_address(changes),
        drift: BTreeMap::new(),
        deposed: Vec::new(),
        checks: Vec::new(),
        outputs: BTreeMap::new(),
        found_outputs: BTreeMap::new(),
        module_outputs: BTreeMap::new(),
        dependencies: BTreeMap::new(),
        nodes: Vec::new(),
        steps: Vec::new(),
    }
}
