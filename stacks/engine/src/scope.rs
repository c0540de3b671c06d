//! What of a state a plan needs, and whether that is as it was when the plan was made.
//!
//! 1. `of`: what the plan changes, and what that depends on, by the plan alone. A host is changed
//!    by whoever changes a pod on it: what runs there is one answer to its agent;
//! 2. whoever applies the plan takes a lease on that ([`Planned::scope`]), so that two plans with
//!    nothing in common are applied at the same time;
//! 3. `holds`: of a state that has changed since, whether any of it did.

use crate::{
    engine::{Engine, Mode, Planned},
    plan::Behind,
    planfile::SavedPlan,
    pods,
};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Diagnostics, Key, Object, Value,
    address::members,
    change::{Action, Change},
    plan::Plan,
    snapshot::{Resource, Snapshot},
};
use weir_lang::Config;
use weir_plan::relocate;
use weir_state::{Items, Lease, Part, Scope, StateError, Store};

/// A plan that needs more than that is applied under a lease on everything: there is nothing left
/// for others.
const MOST: usize = 20_000;

/// What a scope is worked out from.
pub(crate) struct Needs<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) mode: Mode,
    /// What is recorded when the plan is applied.
    pub(crate) observed: &'a BTreeMap<Address, Option<Resource>>,
    pub(crate) config: &'a Config,
    /// The state that the plan was made from.
    pub(crate) snapshot: &'a Snapshot,
}

/// What applying a plan needs.
pub(crate) fn of(needs: &Needs<'_>) -> Scope {
    let plan = needs.plan;
    if needs.mode == Mode::Destroy && plan.complete {
        return Scope::Whole;
    }
    let owned = owned(needs);
    let read = read(needs, &owned);
    if owned.len() + read.len() > MOST {
        return Scope::Whole;
    }
    Scope::Part(Part { owned, read })
}

/// Whether state has objects of it.
fn is_stored(address: &Address) -> bool {
    !matches!(
        address.object,
        Object::Data { .. } | Object::Ephemeral { .. }
    )
}

fn owned(needs: &Needs<'_>) -> Items {
    let plan = needs.plan;
    let mut instances: BTreeSet<Address> = BTreeSet::new();
    let mut new: BTreeSet<&Address> = BTreeSet::new();
    let mut from: BTreeMap<Address, Address> = BTreeMap::new();
    for (address, change) in plan.changes.iter().filter(|(a, _)| is_stored(a)) {
        let moves = change.moved_from.is_some() || change.import.is_some();
        if !change.action.is_noop() || moves {
            instances.insert(address.clone());
            if let Some(before) = &change.moved_from {
                instances.insert(before.clone());
                from.insert(address.clone(), before.clone());
            }
            instances.extend(hosts(needs, address, change));
        }
        if matches!(change.action, Action::Create | Action::Replace(_)) {
            new.insert(address);
        }
    }
    if !from.is_empty() {
        // What depends on what moves is recorded anew.
        let moved = relocate(needs.snapshot, &from);
        let before = &needs.snapshot.resources;
        let anew = (moved.resources.iter()).filter(|(a, r)| before.get(*a) != Some(*r));
        instances.extend(anew.map(|(a, _)| a.clone()));
    }
    instances.extend(needs.observed.keys().cloned());
    instances.extend(plan.deposed.iter().map(|d| d.address.clone()));
    // What stays as it is has new dependencies recorded where what it depends on is new.
    if !new.is_empty() {
        let mut behind = Behind::default();
        let stays = plan.changes.iter().filter(|(_, c)| c.action.is_noop());
        for (address, _) in stays.filter(|(a, _)| is_stored(a)) {
            let mut used = behind.recorded(address, &plan.dependencies).into_iter();
            if used.any(|d| new.iter().any(|n| n.is_in(&d))) {
                instances.insert(address.clone());
            }
        }
    }
    let changed = plan.outputs.iter().filter(|(_, o)| !o.is_noop());
    let changed = changed.chain(&plan.found_outputs);
    Items {
        instances,
        outputs: changed.map(|(name, _)| name.clone()).collect(),
    }
}

/// The hosts that a pod is on, before and after.
fn hosts(needs: &Needs<'_>, address: &Address, change: &Change) -> Vec<Address> {
    if !matches!(address.object, Object::Pod { .. }) {
        return Vec::new();
    }
    let before = change.before.as_ref().map(weir_core::Known::value);
    let values = before.into_iter().chain(&change.after);
    let placements = values.filter_map(|v: &Value| pods::placement(v));
    let names: BTreeSet<String> = placements.map(|p| p.host).collect();
    let all = needs.plan.changes.keys();
    let all = all.chain(needs.snapshot.resources.keys());
    let hosts = all.filter(|a| matches!(a.object, Object::Host { .. }));
    hosts
        .filter(|a| names.contains(&host_name(a)))
        .cloned()
        .collect()
}

/// As pods name a host.
fn host_name(address: &Address) -> String {
    match (&address.object, &address.key) {
        (Object::Host { site }, Key::Name(name)) => format!("{site}/{name}"),
        _ => address.to_string(),
    }
}

/// What that depends on, however far.
fn read(needs: &Needs<'_>, owned: &Items) -> Items {
    let plan = needs.plan;
    let mut todo: Vec<Address> = owned.instances.iter().cloned().collect();
    let reads = plan.changes.iter().filter(|(_, c)| !c.action.is_noop());
    todo.extend(reads.map(|(a, _)| a.clone()).filter(|a| !is_stored(a)));
    let mut found: BTreeSet<Address> = BTreeSet::new();
    for name in &owned.outputs {
        let blocks = needs.config.blocks_of_output(name);
        let all = plan.changes.keys().chain(needs.snapshot.resources.keys());
        todo.extend(all.filter(|a| blocks.contains(&a.written())).cloned());
        found.extend(blocks);
    }
    if needs.mode == Mode::Refresh {
        // What was looked at is what is recorded.
        todo.extend(plan.changes.keys().cloned());
    }
    found.extend(todo.iter().cloned());
    while let Some(next) = todo.pop() {
        let mut used: Vec<&Address> = Vec::new();
        for (_, direct) in members(&plan.dependencies, &next) {
            used.extend(direct);
        }
        for (_, resource) in members(&needs.snapshot.resources, &next) {
            used.extend(&resource.dependencies);
        }
        for address in used {
            if found.insert(address.clone()) {
                todo.push(address.clone());
            }
        }
    }
    found.retain(|a| is_stored(a) && !owned.covers(a));
    Items {
        instances: found,
        outputs: BTreeSet::new(),
    }
}

/// Whether all that a scope covers is in `now` as it was in `base`, and nothing new stands on what
/// the scope's holder changes.
pub(crate) fn holds(scope: &Scope, base: &Snapshot, now: &Snapshot) -> bool {
    let Scope::Part(part) = scope else {
        return false;
    };
    let covered = |a: &Address| part.owned.covers(a) || part.read.covers(a);
    let there = now.resources.iter().all(|(address, resource)| {
        if base.resources.get(address) == Some(resource) {
            return true;
        }
        let on_ours = |d: &Address| {
            let ours = part.owned.instances.range(d..).next();
            part.owned.covers(d) || ours.is_some_and(|o| o.is_in(d))
        };
        !covered(address) && !resource.dependencies.iter().any(on_ours)
    });
    let gone = (base.resources.keys())
        .filter(|a| !now.resources.contains_key(*a))
        .any(covered);
    let aside = (base.deposed.keys().chain(now.deposed.keys()))
        .filter(|a| base.deposed.get(*a) != now.deposed.get(*a))
        .any(covered);
    let said = (part.owned.outputs.iter()).any(|o| base.outputs.get(o) != now.outputs.get(o));
    there && !gone && !aside && !said
}

/// Whether a plan still holds, state being `now`.
pub(crate) async fn is_current(
    store: &dyn Store,
    plan: &Plan,
    scope: &Scope,
    now: &Snapshot,
) -> Result<bool, StateError> {
    if plan.lineage != now.lineage {
        return Ok(false);
    }
    if plan.base == now.serial {
        return Ok(true);
    }
    if *scope == Scope::Whole {
        return Ok(false);
    }
    match store.snapshot_at(plan.base).await {
        Ok(base) => Ok(holds(scope, &base, now)),
        Err(StateError::Pruned { .. } | StateError::NoSuchSerial { .. }) => Ok(false),
        Err(e) => Err(e),
    }
}

impl Planned {
    /// What applying it needs of state: the lease under which it is applied covers that.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl Engine {
    /// Instances with an operation that a run which is over left open: planning finds out what
    /// became of it under a lease that covers them.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn unsettled(&self) -> Result<BTreeSet<Address>, Diagnostics> {
        let due = async {
            let open = self.store.open_entries().await?;
            let live = match open.is_empty() {
                true => BTreeSet::new(),
                false => live(&*self.store).await?,
            };
            let left = open.into_iter().filter(|e| !live.contains(&e.epoch));
            Ok(left.map(|e| e.begin.address).collect())
        };
        due.await
            .map_err(|e: StateError| crate::diagnostics::state(&e))
    }

    /// What applying a saved plan needs of state.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn scope_of(&self, saved: &SavedPlan) -> Result<Scope, Diagnostics> {
        let base = match self.store.snapshot_at(saved.plan().base).await {
            Ok(base) => base,
            // It is of another state, or out of date, which is told once it is opened.
            Err(StateError::Pruned { .. } | StateError::NoSuchSerial { .. }) => {
                return Ok(Scope::Whole);
            }
            Err(e) => return Err(crate::diagnostics::state(&e)),
        };
        Ok(of(&Needs {
            plan: saved.plan(),
            mode: saved.mode(),
            observed: saved.observed(),
            config: saved.config(),
            snapshot: &base,
        }))
    }

    /// Whether a plan still holds under this lease: whether what it needs is as it was when it was
    /// made, and nobody left an operation on it open.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn is_current(&self, planned: &Planned, lease: &Lease) -> Result<bool, Diagnostics> {
        let left = self.unsettled().await?;
        let known = |a: &Address| {
            planned.unsettled.iter().any(|u| u.address == *a)
                || planned.plan.deposed.iter().any(|d| d.address == *a)
        };
        if left.iter().any(|a| lease.scope().owns(a) && !known(a)) {
            return Ok(false);
        }
        if lease.taken_at() == planned.plan.base && *lease.lineage() == planned.plan.lineage {
            return Ok(true);
        }
        let current = async {
            let now = self.store.snapshot().await?;
            is_current(&*self.store, planned.plan.plan(), &planned.scope, &now).await
        };
        current.await.map_err(|e| crate::diagnostics::state(&e))
    }
}

/// The epochs of the leases that are held.
pub(crate) async fn live(store: &dyn Store) -> Result<BTreeSet<u64>, StateError> {
    Ok(store.held().await?.iter().map(|l| l.epoch).collect())
}
