//! The schedule: every step once, after those before it, one at a time for each batch key.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    address::ProviderRef,
    change::{Action, Change, Reason},
    plan::{Node, NodeId, Op, Plan, Step, StepId},
    snapshot::{Lineage, Serial},
};
use weir_engine::apply::schedule::Schedule;

fn address(i: usize) -> Address {
    format!("t.n{i}").parse().unwrap()
}

/// One node a step; `rows` are its batch key and what it comes after, as bits.
fn plan(rows: &[(Option<u8>, u16)]) -> Plan {
    let change = |(i, (batch, _)): (usize, &(Option<u8>, u16))| {
        let change = Change {
            address: address(i),
            action: Action::Create,
            reason: Reason::New,
            before: None,
            after: None,
            provider: ProviderRef::new("p"),
            private: Vec::new(),
            batch: batch.map(|b| b.to_string()),
            moved_from: None,
            import: None,
        };
        (address(i), change)
    };
    let after = |i: usize, bits: u16| (0..i).filter(move |j| bits >> j & 1 == 1);
    Plan {
        lineage: Lineage("l".into()),
        base: Serial(0),
        complete: true,
        changes: rows.iter().enumerate().map(change).collect(),
        drift: BTreeMap::new(),
        deposed: Vec::new(),
        checks: Vec::new(),
        outputs: BTreeMap::new(),
        found_outputs: BTreeMap::new(),
        module_outputs: BTreeMap::new(),
        dependencies: BTreeMap::new(),
        nodes: rows
            .iter()
            .enumerate()
            .map(|(i, (_, bits))| Node {
                address: address(i),
                op: Op::Create,
                after: after(i, *bits).map(NodeId).collect(),
            })
            .collect(),
        steps: rows
            .iter()
            .enumerate()
            .map(|(i, (_, bits))| Step {
                nodes: vec![NodeId(i)],
                after: after(i, *bits).map(StepId).collect(),
            })
            .collect(),
    }
}

proptest! {
    #[test]
    fn every_step_runs_once_in_order(
        rows in proptest::collection::vec((proptest::option::of(0..3_u8), any::<u16>()), 0..14),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 64),
    ) {
        let plan = plan(&rows);
        let mut schedule = Schedule::new(&plan);
        let mut running: Vec<StepId> = Vec::new();
        let mut done = BTreeSet::new();
        let mut picks = picks.iter().cycle();
        loop {
            while let Some(step) = schedule.take() {
                prop_assert!(plan.steps[step.0].after.iter().all(|b| done.contains(b)));
                if let Some(key) = rows[step.0].0 {
                    prop_assert!(running.iter().all(|r| rows[r.0].0 != Some(key)));
                }
                running.push(step);
            }
            if running.is_empty() {
                break;
            }
            let step = running.remove(picks.next().unwrap().index(running.len()));
            schedule.over(step);
            prop_assert!(done.insert(step), "a step ran twice");
        }
        prop_assert_eq!(done.len(), rows.len(), "a step never ran");
    }
}
