//! `replace_triggered_by`: whether what it names is about to change.

use crate::same;
use std::collections::BTreeMap;
use weir_core::{
    Address,
    address::members,
    change::{Action, Change, Reference},
};
use weir_lang::Trigger;

/// The triggers that fire, by what is planned for what they name. A creation or a deletion fires
/// none, as there is no object before or after it to compare.
pub fn fired(triggers: &[Trigger], changes: &BTreeMap<Address, Change>) -> Vec<Reference> {
    triggers
        .iter()
        .filter(|trigger| match trigger.whole_block {
            true => members(changes, &trigger.address)
                .any(|(_, change)| is_changed(change) && differs(trigger, change)),
            false => changes
                .get(&trigger.address)
                .is_some_and(|change| is_changed(change) && differs(trigger, change)),
        })
        .map(|trigger| Reference {
            address: trigger.address.clone(),
            path: trigger.path.clone(),
        })
        .collect()
}

fn is_changed(change: &Change) -> bool {
    matches!(change.action, Action::Update | Action::Replace(_))
}

fn differs(trigger: &Trigger, change: &Change) -> bool {
    if trigger.path.0.is_empty() {
        return true;
    }
    let before = change
        .before
        .as_ref()
        .and_then(|v| v.value().at(&trigger.path));
    let after = change.after.as_ref().and_then(|v| v.at(&trigger.path));
    match (before, after) {
        (Some(before), Some(after)) => !same(before, after),
        (before, after) => before.is_some() != after.is_some(),
    }
}
