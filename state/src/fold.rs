//! What an outcome does to a snapshot: pure, and the measure of every store.
//!
//! A fold keeps each resource's dependencies as they were recorded. [`settle_edges`] then leaves
//! out those that can't stand in a snapshot; stores do so each time they are read, never when they
//! write, so that a dependency that is away for a while comes back with its instance.

use crate::{Outcome, Target};
use std::collections::BTreeMap;
use weir_core::{
    Address, Known,
    snapshot::{Resource, Serial, Snapshot},
};

/// What becomes of the one resource that an outcome is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    Nothing,
    Store(Box<Resource>),
    Drop,
}

/// The effect of an outcome on the resource of its instance.
pub(crate) fn effect(target: Target, outcome: Outcome) -> Effect {
    match (target, outcome) {
        (Target::Deposed, _) => Effect::Nothing,
        (Target::Current, Outcome::Put(resource)) => Effect::Store(Box::new(resource)),
        (Target::Current, Outcome::Gone) => Effect::Drop,
        (Target::Current, Outcome::Failed { leftover, .. }) => match leftover {
            Some(resource) => Effect::Store(Box::new(resource)),
            None => Effect::Nothing,
        },
        (Target::Current, Outcome::Kept) => Effect::Nothing,
    }
}

/// Applies the outcome of an operation on the instance at `address`. The serial rises by one if
/// anything changed.
pub fn fold(snapshot: &mut Snapshot, address: &Address, target: Target, outcome: Outcome) {
    let changed = match effect(target, outcome) {
        Effect::Nothing => false,
        Effect::Store(resource) => put(snapshot, address, Some(*resource)),
        Effect::Drop => put(snapshot, address, None),
    };
    raise(snapshot, changed);
}

/// Applies what a refresh found. The serial rises by one if anything changed.
pub fn fold_refresh(snapshot: &mut Snapshot, found: Vec<(Address, Option<Resource>)>) {
    let mut changed = false;
    for (address, resource) in found {
        changed |= put(snapshot, &address, resource);
    }
    raise(snapshot, changed);
}

/// Replaces the outputs. The serial rises by one if anything changed.
pub fn fold_outputs(snapshot: &mut Snapshot, outputs: BTreeMap<String, Known>) {
    let changed = snapshot.outputs != outputs;
    snapshot.outputs = outputs;
    raise(snapshot, changed);
}

fn put(snapshot: &mut Snapshot, address: &Address, resource: Option<Resource>) -> bool {
    if snapshot.resources.get(address) == resource.as_ref() {
        return false;
    }
    match resource {
        Some(resource) => snapshot.resources.insert(address.clone(), resource),
        None => snapshot.resources.remove(address),
    };
    true
}

fn raise(snapshot: &mut Snapshot, changed: bool) {
    if changed {
        snapshot.serial = Serial(snapshot.serial.0 + 1);
    }
}

/// Leaves out dependencies that can't stand in a snapshot; see [`Snapshot::settle_edges`].
pub fn settle_edges(snapshot: &mut Snapshot, recorded: &BTreeMap<Address, Serial>) {
    snapshot.settle_edges(recorded);
}
