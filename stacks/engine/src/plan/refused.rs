//! What is wrong with instances that targets may leave out: it counts once it is known which they
//! take.

use super::{Findings, instance::Finding};
use crate::{
    drive::Supply,
    engine::{Mode, PlanOptions},
};
use std::collections::BTreeSet;
use weir_core::{
    Address, Diagnostic, Diagnostics, Object, Type, Value,
    change::{Action, Change, Reason},
    snapshot::Snapshot,
};
use weir_lang::Instance;

/// Whether what is wrong with single instances is set aside until it is known which are planned. What
/// is imported alone is named, and not in state yet.
pub(super) fn sets_aside(options: &PlanOptions) -> bool {
    let is_part = !options.targets.is_empty() || !options.excludes.is_empty();
    is_part && options.mode != Mode::Destroy && options.import.is_none()
}

/// Whether that is so for an instance: a host that can't be read is everybody's business.
pub(super) fn of_instance(options: &PlanOptions, instance: &Instance) -> bool {
    let object = &instance.address.object;
    let of_kind = matches!(object, Object::Managed { .. } | Object::Data { .. });
    of_kind && instance.scoped.is_none() && sets_aside(options)
}

/// What stands in for what would be found of an instance that something is wrong with: its object
/// as it is, or one of which nothing is known.
pub(super) fn stand_in(instance: &Instance, snapshot: &Snapshot, mode: Mode) -> Finding {
    let address = &instance.address;
    let resource = snapshot.resources.get(address);
    let is_data = matches!(address.object, Object::Data { .. });
    if resource.is_none() && !is_data && mode == Mode::Refresh {
        return Finding {
            supply: Some(Supply::Absent),
            ..Finding::failed(Diagnostics::new())
        };
    }
    let (action, reason) = match resource {
        Some(_) => (Action::NoOp, Reason::UpToDate),
        None if is_data => (Action::Read, Reason::UnknownInputs),
        None => (Action::Create, Reason::New),
    };
    let after = match resource {
        Some(resource) => resource.value.value().clone(),
        None => Value::unknown(Type::Dynamic),
    };
    let change = Change {
        address: address.clone(),
        action,
        reason,
        before: resource.map(|r| r.value.clone()),
        after: Some(after),
        provider: instance.provider.clone(),
        private: resource.map_or_else(Vec::new, |r| r.private.clone()),
        batch: None,
        moved_from: None,
        import: None,
    };
    Finding {
        change: Some(change),
        ..Finding::failed(Diagnostics::new())
    }
}

/// What is wrong with what is planned.
pub(super) fn of_planned(findings: &Findings, selected: Option<&BTreeSet<Address>>) -> Diagnostics {
    let planned = |a: &Address| selected.is_none_or(|s| s.contains(a));
    let refused = findings.refused.iter().filter(|(a, _)| planned(a));
    let on = |(address, found): (&Address, &Vec<Diagnostic>)| {
        let mut found = found.clone();
        for d in &mut found {
            d.address = Some(address.clone());
        }
        found
    };
    let mut refused = Diagnostics(refused.flat_map(on).collect());
    refused.sort();
    refused
}
