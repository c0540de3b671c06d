//! The root module's outputs, before and after.

use crate::engine::Mode;
use std::collections::BTreeMap;
use weir_core::{Marks, Value, plan::OutputChange, snapshot::Snapshot};
use weir_lang::{Evaluator, Output};

pub(super) fn outputs(
    evaluator: &mut Evaluator,
    snapshot: &Snapshot,
    mode: Mode,
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
    if mode == Mode::Destroy {
        return changes;
    }
    for (name, output) in evaluator.outputs() {
        let after = marked(output);
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

/// The output's value, marked if it is declared sensitive.
pub(crate) fn marked(output: Output) -> Value {
    match output.sensitive {
        true => output.value.mark(Marks::SENSITIVE),
        false => output.value,
    }
}
