//! What state and plans say of the machines of pools: which offer made which.
//!
//! Only stacks that have such pools pay for it.

use crate::engine::Planned;
use std::collections::BTreeMap;
use weir_core::{
    Address,
    snapshot::{Resource, Status},
};
use weir_lang::{
    Config, Machines,
    machines::{Condition, Exhausted},
};

/// The machines that state has.
pub(crate) fn of_state(
    config: &Config,
    resources: &BTreeMap<Address, Resource>,
    exhausted: &BTreeMap<Exhausted, String>,
) -> Machines {
    let mut machines = Machines::default();
    if !config.makes_machines() {
        return machines;
    }
    for (address, resource) in resources {
        let condition = match resource.status {
            Status::Tainted => Condition::Broken,
            _ => Condition::Whole,
        };
        machines.note(address, resource.value.value(), condition);
    }
    for (offer, reason) in exhausted {
        machines.exhaust(offer.clone(), reason.as_str());
    }
    machines
}

/// The machines as a plan has them: those it makes stand already, so that its apply gives each to
/// the offer that the plan gave it to.
pub(crate) fn of_plan(planned: &Planned, resources: &BTreeMap<Address, Resource>) -> Machines {
    let config = &planned.config;
    let mut machines = Machines::default();
    if !config.makes_machines() {
        return machines;
    }
    for (address, change) in &planned.plan.changes {
        if let Some(after) = &change.after {
            machines.note(address, after, Condition::Whole);
        }
    }
    // What the plan leaves out stays as it is; of one number, what was noted first counts.
    for (address, resource) in resources {
        if !planned.plan.changes.contains_key(address) {
            machines.note(address, resource.value.value(), Condition::Whole);
        }
    }
    for (offer, reason) in &planned.exhausted {
        machines.exhaust(offer.clone(), reason.as_str());
    }
    machines
}
