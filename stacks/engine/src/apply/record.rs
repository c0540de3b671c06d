//! What an apply records before it does anything: objects at their new addresses, imported ones,
//! and what refresh found. All in one write, so that a crash finds either none of it or all.

use crate::engine::Planned;
use std::collections::BTreeMap;
use weir_core::{
    Address,
    snapshot::{Resource, Snapshot},
};
use weir_plan::relocate;

/// State as it is after the moves, and what is to be recorded.
pub(super) fn before(
    planned: &Planned,
    stored: &Snapshot,
) -> (Snapshot, Vec<(Address, Option<Resource>)>) {
    let from: BTreeMap<Address, Address> = planned
        .plan
        .changes
        .values()
        .filter_map(|c| Some((c.address.clone(), c.moved_from.clone()?)))
        .collect();
    let snapshot = relocate(stored, &from);
    let mut found: BTreeMap<Address, Option<Resource>> = BTreeMap::new();
    if !from.is_empty() {
        for address in stored.resources.keys() {
            if !snapshot.resources.contains_key(address) {
                found.insert(address.clone(), None);
            }
        }
        for (address, resource) in &snapshot.resources {
            if stored.resources.get(address) != Some(resource) {
                found.insert(address.clone(), Some(resource.clone()));
            }
        }
    }
    found.extend(planned.observed.clone());
    (snapshot, found.into_iter().collect())
}
