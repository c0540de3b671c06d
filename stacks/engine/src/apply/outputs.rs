//! What an apply leaves of the root module's outputs.

use super::{Run, State, report::Failure};
use crate::{engine::Mode, plan::marked};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Address, Known, Value};
use weir_lang::Output;

impl Run<'_> {
    /// Whether all was done that there was to do.
    fn is_all_done(&self) -> bool {
        self.broken.is_none()
            && self.failures.is_empty()
            && self.states.iter().all(|s| *s == State::Done)
    }

    /// The instances that something went wrong with.
    fn failed(&self) -> BTreeSet<&Address> {
        let nodes = &self.planned.plan.nodes;
        let of = |f: &Failure| &nodes[f.node.0].address;
        self.failures.iter().map(of).collect()
    }

    /// The outputs as they are now; one that is not known as something failed keeps its old value.
    /// What is not known though nothing did is of what this run leaves out and is not there: it is
    /// recorded as null.
    pub(super) fn final_outputs(&mut self) -> BTreeMap<String, Known> {
        let mut now = self.evaluator.outputs();
        // What the plan says nothing of, as targets left it out, stays.
        let planned = &self.planned.plan.outputs;
        let mut outputs = self.outputs.clone();
        let plan = &self.planned.plan;
        let all_go = self.planned.mode == Mode::Destroy && plan.complete;
        outputs.retain(|name, _| !planned.contains_key(name) && !all_go);
        let leaves_out = self.planned.mode == Mode::Refresh || !plan.complete;
        // Where there is nothing at all, nothing is said of it.
        let is_there = !self.resources.is_empty();
        let records_null = leaves_out && is_there && self.is_all_done();
        let failed = self.failed();
        for (name, change) in planned {
            if change.after.is_none() {
                continue;
            }
            // One that was not to change did not: its instances may be left out by targets.
            let found = match change.before == change.after {
                true => None,
                false => now.remove(name),
            };
            // What did not become what it must be is there, and nobody goes on from it.
            let was_known = change.after.as_ref().is_some_and(Value::is_wholly_known);
            let found = found.filter(|o| was_known || !stands_on(o, &failed));
            let value = found.map(marked);
            let is_missing = records_null && value.as_ref().is_some_and(Value::is_unknown);
            let value = value.map(|v| match records_null {
                true => v.unknown_as_null(),
                false => v,
            });
            let value = value.and_then(|v| Known::new(v).ok());
            let value = value.map(|v| match &change.before {
                Some(before)
                    if weir_plan::same(before, v.value())
                        && before.marks_deep() == v.value().marks_deep() =>
                {
                    Known::new(before.clone()).unwrap_or(v)
                }
                _ => v,
            });
            if let Some(value) = value.or_else(|| self.outputs.get(name).cloned())
                && (is_missing || !value.value().is_null())
            {
                outputs.insert(name.clone(), value);
            }
        }
        for (name, found) in &self.planned.plan.found_outputs {
            match found.after.clone().and_then(|v| Known::new(v).ok()) {
                Some(value) => drop(outputs.insert(name.clone(), value)),
                None => drop(outputs.remove(name)),
            }
        }
        outputs
    }
}

/// Whether an output is made from one of these.
fn stands_on(output: &Output, failed: &BTreeSet<&Address>) -> bool {
    let mut on = output.dependencies.iter();
    on.any(|d| failed.iter().any(|f| f.is_in(d)))
}
