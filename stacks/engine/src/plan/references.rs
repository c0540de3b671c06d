//! What is behind the objects of state, as planning finds it.

use super::Findings;
use crate::engine::{Mode, PlanInput, Refresh};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    plan::Plan,
    references::{Object, References, Standing},
    snapshot::Snapshot,
};

/// The references of a state as planning leaves them; `None` where that is what state says.
/// `snapshot` is that state after the moves.
pub(super) fn found(
    input: &PlanInput,
    plan: &Plan,
    snapshot: &Snapshot,
    findings: &Findings,
) -> Option<References> {
    let graph = input.config.references();
    let stays = snapshot.references.stay(&graph)
        && plan.changes.values().all(|c| c.moved_from.is_none())
        && (findings.observed.keys()).all(|a| snapshot.resources.contains_key(a));
    if stays && !snapshot.resources.is_empty() {
        return None;
    }
    let options = &input.options;
    let refreshed = options.refresh != Refresh::Nothing;
    let standing = |address: &Address| {
        let Some(change) = plan.changes.get(address) else {
            return Standing::Left;
        };
        match options.mode {
            Mode::Destroy if refreshed => {
                let found = findings.standing.get(address);
                found.copied().unwrap_or(Standing::Left)
            }
            Mode::Destroy => Standing::Left,
            // An orphan has no block to go by.
            _ if !plan.dependencies.contains_key(address) => Standing::Left,
            Mode::Apply if change.action.is_noop() => Standing::Settled,
            Mode::Apply | Mode::Refresh if refreshed => Standing::Seen,
            Mode::Apply | Mode::Refresh => Standing::Left,
        }
    };
    let there = snapshot.resources.keys().map(|address| {
        let moved = plan.changes.get(address).and_then(|c| c.moved_from.clone());
        Object {
            before: Some((moved.unwrap_or_else(|| address.clone()), None)),
            ..Object::current(address, standing(address))
        }
    });
    let new = findings.observed.keys();
    let new = new.filter(|a| !snapshot.resources.contains_key(*a));
    let imported = new.map(|address| Object {
        before: None,
        ..Object::current(
            address,
            match standing(address) {
                Standing::Settled => Standing::Settled,
                Standing::Seen | Standing::Left => Standing::Left,
            },
        )
    });
    let deposed = snapshot.deposed.iter().flat_map(|(address, objects)| {
        let keys = objects.keys();
        keys.map(|key| Object::left((address.clone(), Some(key.clone()))))
    });
    let objects = there.chain(imported).chain(deposed).collect();
    let found = snapshot.references.after(Some(graph), objects);
    (found != snapshot.references).then_some(found)
}

/// The stored dependencies, and the blocks behind each object that none of them leads to: what an
/// expression names as a whole lists blocks of which it takes no value.
pub(super) fn with_blocks(
    snapshot: &Snapshot,
    stored: &BTreeMap<Address, BTreeSet<Address>>,
) -> BTreeMap<Address, BTreeSet<Address>> {
    // By blocks as they are written: there are far fewer than instances.
    let mut used: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for (user, dependencies) in stored {
        let of_block = used.entry(user.written()).or_default();
        of_block.extend(dependencies.iter().map(Address::written));
    }
    let mut led_to: BTreeMap<Address, BTreeSet<&Address>> = BTreeMap::new();
    let mut all = stored.clone();
    for (user, dependencies) in &mut all {
        let reached = (led_to.entry(user.written())).or_insert_with_key(|b| reached(b, &used));
        let behind = snapshot.references.behind(&(user.clone(), None));
        let blocks = behind.iter().filter_map(|block| block.parse().ok());
        dependencies.extend(blocks.filter(|block| !reached.contains(block)));
    }
    all
}

/// All that something uses, however far.
fn reached<'a>(
    from: &Address,
    used: &'a BTreeMap<Address, BTreeSet<Address>>,
) -> BTreeSet<&'a Address> {
    let mut found = BTreeSet::new();
    let mut todo: Vec<&Address> = used.get(from).into_iter().flatten().collect();
    while let Some(next) = todo.pop() {
        if found.insert(next) {
            todo.extend(used.get(next).into_iter().flatten());
        }
    }
    found
}
