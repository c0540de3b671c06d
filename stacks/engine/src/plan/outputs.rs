//! The root module's outputs, before and after.

use crate::engine::Mode;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Marks, ModulePath, Object, Value, plan::OutputChange, snapshot::Snapshot,
};
use weir_lang::{Evaluator, Output};

/// With targets, `selected` is what they chose: an output is among the changes only where all it
/// is made from is of a block that has an instance among it.
pub(super) fn outputs(
    evaluator: &mut Evaluator,
    snapshot: &Snapshot,
    mode: Mode,
    selected: Option<&BTreeSet<Address>>,
) -> BTreeMap<String, OutputChange> {
    let before = |name: &str| snapshot.outputs.get(name).map(|v| v.value().clone());
    let blocks: Option<BTreeSet<_>> = selected.map(|s| s.iter().map(block).collect());
    let mut changes: BTreeMap<String, OutputChange> = BTreeMap::new();
    if blocks.is_none() {
        let gone = |name: &String| OutputChange {
            before: before(name),
            after: None,
        };
        changes.extend(snapshot.outputs.keys().map(|n| (n.clone(), gone(n))));
    }
    if mode == Mode::Destroy {
        return changes;
    }
    for (name, output) in evaluator.outputs() {
        let made_from = &output.dependencies;
        if let Some(blocks) = &blocks
            && (made_from.is_empty() || !made_from.iter().all(|d| blocks.contains(&block(d))))
        {
            continue;
        }
        let after = marked(output);
        let before = before(&name);
        let change = changes.entry(name).or_insert(OutputChange {
            before,
            after: None,
        });
        // Unchanged but for the types of nulls is unchanged.
        let kept = change.before.clone().filter(|before| {
            weir_plan::same(before, &after) && before.marks_deep() == after.marks_deep()
        });
        change.after = Some(kept.unwrap_or(after));
    }
    changes
}

/// What an instance is one of.
fn block(address: &Address) -> (&ModulePath, &Object) {
    (&address.module, &address.object)
}

/// The output's value, marked if it is declared sensitive.
pub(crate) fn marked(output: Output) -> Value {
    match output.sensitive {
        true => output.value.mark(Marks::SENSITIVE),
        false => output.value,
    }
}
