//! What depends on what: by any way, as Terraform records it, and directly, as weir does.
//!
//! Terraform's dependencies are of blocks, without instance keys, and hold all that is behind
//! them. The direct ones among them are those that no other one leads to: with them, all ways are
//! the same as before.

use std::collections::{BTreeMap, BTreeSet};
use weir_core::Address;

/// What each block depends on by any way.
pub(super) type Ways = BTreeMap<Address, BTreeSet<Address>>;

/// Of what an object depends on by any way, what it depends on directly.
pub(super) fn direct(all: &BTreeSet<Address>, ways: &Ways) -> BTreeSet<Address> {
    let leads = |from: &Address, to: &Address| ways.get(from).is_some_and(|w| w.contains(to));
    let is_behind = |d: &&Address| {
        all.iter()
            // Of two that lead to each other none is behind the other.
            .any(|other| other != *d && leads(other, d) && !leads(d, other))
    };
    all.iter().filter(|d| !is_behind(d)).cloned().collect()
}

/// What each block depends on by any way, from what it depends on directly.
pub(super) fn closed(direct: &Ways) -> Ways {
    let mut done: Ways = BTreeMap::new();
    for block in direct.keys() {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Address> = direct[block].iter().collect();
        while let Some(next) = open.pop() {
            if !found.insert(next.clone()) {
                continue;
            }
            match done.get(next) {
                Some(known) => found.extend(known.iter().cloned()),
                None => open.extend(direct.get(next).into_iter().flatten()),
            }
        }
        found.remove(block);
        done.insert(block.clone(), found);
    }
    done
}
