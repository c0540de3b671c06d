//! Which step is next: pure.

use std::collections::{BTreeMap, BTreeSet};
use weir_core::plan::{Op, Plan, StepId};

/// What two steps must not share while they run: the provider's configuration and the batch key.
/// A host takes one change at a time, in the order of their tokens.
type Exclusive = (String, String);

/// Steps whose predecessors are over, lowest number first.
pub struct Schedule {
    missing: Vec<usize>,
    later: Vec<Vec<StepId>>,
    exclusive: Vec<Option<Exclusive>>,
    ready: BTreeSet<StepId>,
    /// Keys of running steps, with the steps that wait for them.
    busy: BTreeMap<Exclusive, BTreeSet<StepId>>,
}

impl Schedule {
    /// Nothing has run yet.
    pub fn new(plan: &Plan) -> Schedule {
        let mut later = vec![Vec::new(); plan.steps.len()];
        for (i, step) in plan.steps.iter().enumerate() {
            for before in &step.after {
                later[before.0].push(StepId(i));
            }
        }
        let exclusive = plan.steps.iter().map(|step| {
            let node = &plan.nodes[step.nodes.first()?.0];
            let change = plan.changes.get(&node.address)?;
            if node.op == Op::Join {
                return None;
            }
            Some((change.provider.to_string(), change.batch.clone()?))
        });
        let missing: Vec<usize> = plan.steps.iter().map(|s| s.after.len()).collect();
        Schedule {
            ready: (0..missing.len())
                .filter(|&i| missing[i] == 0)
                .map(StepId)
                .collect(),
            missing,
            later,
            exclusive: exclusive.collect(),
            busy: BTreeMap::new(),
        }
    }

    /// A step that can run now; it is running from here on.
    pub fn take(&mut self) -> Option<StepId> {
        while let Some(step) = self.ready.pop_first() {
            match &self.exclusive[step.0] {
                Some(key) if self.busy.contains_key(key) => {
                    self.busy.entry(key.clone()).or_default().insert(step);
                }
                Some(key) => {
                    self.busy.insert(key.clone(), BTreeSet::new());
                    return Some(step);
                }
                None => return Some(step),
            }
        }
        None
    }

    /// A running step is over, however it ended.
    pub fn over(&mut self, step: StepId) {
        if let Some(key) = &self.exclusive[step.0] {
            self.ready.extend(self.busy.remove(key).unwrap_or_default());
        }
        for &later in &self.later[step.0] {
            self.missing[later.0] -= 1;
            if self.missing[later.0] == 0 {
                self.ready.insert(later);
            }
        }
    }
}
