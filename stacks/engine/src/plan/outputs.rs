//! The root module's outputs, before and after.

use super::foreseen::Foreseen;
use crate::engine::{Mode, PlanOptions, Refresh};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Address, Marks, Value, plan::OutputChange, snapshot::Snapshot};
use weir_lang::{Config, Evaluator, Output};

/// What outputs are planned from.
pub(super) struct Around<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) options: &'a PlanOptions,
    /// Where not all is planned, the blocks of which no instance is left, as they are written.
    pub(super) left_out: Option<&'a BTreeSet<Address>>,
    /// Where all goes, what a plan would have made of it.
    pub(super) foreseen: Foreseen,
}

impl Around<'_> {
    fn before(&self, name: &str) -> Option<Value> {
        let stored = self.snapshot.outputs.get(name);
        stored.map(|v| v.value().clone())
    }

    /// Outputs of a part that goes: they stay, and are by then what a plan of that part would have
    /// made of them, as far as that is known.
    pub(super) fn found(&self) -> BTreeMap<String, OutputChange> {
        if self.options.targets.is_empty() {
            return BTreeMap::new();
        }
        let values = (self.foreseen.outputs.iter()).map(|(n, o)| (n, marked(o.clone())));
        let found = values.filter(|(_, v)| v.is_wholly_known()).map(|(n, v)| {
            let before = self.before(n);
            let after = (!v.is_null()).then_some(v);
            (n.clone(), OutputChange { before, after })
        });
        found.filter(|(_, o)| o.before != o.after).collect()
    }
}

pub(super) fn outputs(
    evaluator: &mut Evaluator,
    config: &Config,
    around: &Around<'_>,
) -> BTreeMap<String, OutputChange> {
    let mut changes: BTreeMap<String, OutputChange> = BTreeMap::new();
    if around.left_out.is_none() {
        let gone = |name: &String| OutputChange {
            before: around.before(name),
            after: None,
        };
        let stored = around.snapshot.outputs.keys();
        changes.extend(stored.map(|n| (n.clone(), gone(n))));
    }
    if around.options.mode == Mode::Destroy {
        let is_empty = around.snapshot.resources.is_empty()
            && around.snapshot.deposed.is_empty()
            && around.snapshot.outputs.is_empty();
        let looks = around.options.refresh != Refresh::Nothing && !is_empty;
        if around.left_out.is_none() && looks {
            refreshed(&around.foreseen.outputs, &mut changes);
        }
        return changes;
    }
    for (name, output) in evaluator.outputs() {
        if let Some(left_out) = around.left_out
            && !config.blocks_of_output(&name).is_disjoint(left_out)
        {
            continue;
        }
        let after = marked(output);
        let before = around.before(&name);
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

/// What goes with everything is what it would be by now, as far as that is known: an output that
/// was never recorded goes too, one that is null is none. Of an empty state nothing goes.
fn refreshed(outputs: &BTreeMap<String, Output>, changes: &mut BTreeMap<String, OutputChange>) {
    for (name, output) in outputs {
        let value = marked(output.clone());
        if value.is_null() {
            changes.remove(name);
        } else if value.is_wholly_known() {
            let change = OutputChange {
                before: Some(value),
                after: None,
            };
            changes.insert(name.clone(), change);
        }
    }
}

/// The output's value, marked if it is declared sensitive.
pub(crate) fn marked(output: Output) -> Value {
    match output.sensitive {
        true => output.value.mark(Marks::SENSITIVE),
        false => output.value,
    }
}
