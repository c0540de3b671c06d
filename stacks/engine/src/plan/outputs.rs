//! The root module's outputs, before and after.

use crate::engine::Mode;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Marks, ModulePath, Object, Value, plan::OutputChange, snapshot::Snapshot,
};
use weir_lang::{Evaluator, Output};

/// With targets, `selected` is what they chose: an output changes only where all it is made from
/// is of a block that has an instance among it.
pub(super) fn outputs(
    evaluator: &mut Evaluator,
    snapshot: &Snapshot,
    mode: Mode,
    selected: Option<&BTreeSet<Address>>,
) -> BTreeMap<String, OutputChange> {
    let mut changes: BTreeMap<String, OutputChange> = snapshot
        .outputs
        .iter()
        .map(|(name, v)| {
            (
                name.clone(),
                OutputChange {
                    before: Some(v.value().clone()),
                    after: None,
                },
            )
        })
        .collect();
    let blocks: Option<BTreeSet<_>> = selected.map(|s| s.iter().map(block).collect());
    if blocks.is_some() {
        for change in changes.values_mut() {
            change.after.clone_from(&change.before);
        }
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
        // An output that is null is kept nowhere.
        if after.is_null() && !changes.contains_key(&name) {
            continue;
        }
        let change = changes.entry(name).or_insert(OutputChange {
            before: None,
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
