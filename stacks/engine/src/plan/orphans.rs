//! What is in state and no longer wanted: planned for deletion with the provider it was made with.

use super::{
    Findings,
    instance::{Finding, Found, unserved},
};
use crate::{
    concurrent, diagnostics,
    engine::{Engine, Mode, PlanInput, Refresh},
};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Diagnostics, Key,
    address::{Ascending, ProviderRef, members},
    change::{Action, Change, Orphan, Reason, ReplaceOrder},
    snapshot::{Removal, Resource, Snapshot},
};
use weir_lang::{Evaluator, Part, Repetition, Schemas as _};
use weir_plan::{Subject, diff};

/// What targets name of the objects whose blocks are gone, and what uses these by what state says:
/// no other goes with a part.
fn named<'a>(input: &PlanInput, snapshot: &'a Snapshot) -> BTreeSet<&'a Address> {
    let targets = &input.options.targets;
    let all = || snapshot.resources.keys();
    let orphans = all().filter(|a| targets.iter().any(|t| t.names(a)));
    let mut found: BTreeSet<&Address> = orphans.filter(|a| !input.config.declares(a)).collect();
    let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (user, resource) in &snapshot.resources {
        let on = resource.dependencies.iter();
        for (used, _) in on.flat_map(|d| members(&snapshot.resources, d)) {
            users.entry(used).or_default().push(user);
        }
    }
    let mut open: Vec<&Address> = found.iter().copied().collect();
    while let Some(used) = open.pop() {
        let more = users.get(used).into_iter().flatten();
        open.extend(more.copied().filter(|user| found.insert(user)));
    }
    found
}

/// The providers that delete what targets name of the objects whose blocks are gone.
pub(super) fn providers(input: &PlanInput, snapshot: &Snapshot) -> BTreeSet<ProviderRef> {
    let of = |a: &Address| Some(snapshot.resources.get(a)?.provider.clone());
    named(input, snapshot).into_iter().filter_map(of).collect()
}

/// What is in state and no longer wanted; all, where all is to go. Of blocks that targets leave out
/// it is not known.
pub(super) fn of<'a>(
    input: &PlanInput,
    snapshot: &'a Snapshot,
    part: Option<&Part>,
    findings: &Findings,
) -> Vec<(&'a Address, &'a Resource)> {
    let left_out = |address: &Address| {
        let left = part.is_some_and(|p| !p.blocks().contains(&address.written()));
        left && input.config.declares(address)
    };
    let named = part.map(|_| named(input, snapshot));
    let left_out = |address: &Address| {
        let unnamed = named.as_ref().is_some_and(|n| !n.contains(address));
        left_out(address) || unnamed && !input.config.declares(address)
    };
    let mut planned = Ascending::new(&findings.changes);
    let mut unwanted = |address: &Address| {
        input.options.mode == Mode::Destroy || planned.get(address).is_none() && !left_out(address)
    };
    let all = snapshot.resources.iter();
    all.filter(|(address, _)| unwanted(address)).collect()
}

impl Engine {
    /// Deletions: of what the configuration does not have, or of everything.
    pub(super) async fn plan_orphans(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        orphans: Vec<(&Address, &Resource)>,
        evaluator: &Evaluator,
        findings: &mut Findings,
    ) {
        let asked: Vec<(&Address, &Resource)> = orphans
            .iter()
            .filter(|(address, resource)| !is_kept(input, address, resource))
            .copied()
            .collect();
        let missing = self.missing_providers(&asked).await;
        let orphans = orphans
            .into_iter()
            .filter(|(a, r)| is_kept(input, a, r) || !missing.contains_key(&r.provider));
        let seen = &*findings;
        let questions = orphans.map(|(address, resource)| async move {
            let why = match input.options.mode {
                Mode::Destroy => None,
                Mode::Apply | Mode::Refresh => Some(orphan(input, evaluator, seen, address)),
            };
            if input.options.mode != Mode::Refresh && is_kept(input, address, resource) {
                return (address.clone(), forgotten(address, resource));
            }
            let finding = self.plan_orphan(input, address, resource, why).await;
            (address.clone(), finding.unwrap_or_else(Finding::failed))
        });
        let planned = concurrent::all(questions, self.parallelism).await;
        findings
            .diagnostics
            .0
            .extend(missing.into_values().flatten());
        // Where a host can't be read, neither can what is on it: one cause, one error.
        let failed: BTreeSet<Address> = planned
            .iter()
            .filter(|(_, finding)| finding.diagnostics.has_errors())
            .map(|(address, _)| address.clone())
            .collect();
        let follows = |address: &Address| {
            let resource = snapshot.resources.get(address);
            resource.is_some_and(|r| !r.dependencies.is_disjoint(&failed))
        };
        // Of what made it, the block may be there still, and what it says of destroying holds.
        let siblings: BTreeSet<Address> = findings.protected.keys().map(Address::written).collect();
        for (address, finding) in planned {
            let protects =
                |a: &Address| input.config.prevents_destroy(a) || siblings.contains(&a.written());
            if finding.change.is_some() && protects(&address) {
                let span = input.config.span_of(&address).cloned();
                findings.protected.entry(address.clone()).or_insert(span);
            }
            if !follows(&address) {
                let found = diagnostics::on(finding.diagnostics, &address);
                findings.diagnostics.extend(found);
            }
            findings
                .drift
                .extend(finding.drift.map(|d| (address.clone(), *d)));
            findings
                .observed
                .extend(finding.observed.map(|o| (address.clone(), *o)));
            findings
                .changes
                .extend(finding.change.map(|c| (address, c)));
        }
    }

    /// The providers that can't be had, with the reason: once for all their objects.
    async fn missing_providers(
        &self,
        orphans: &[(&Address, &Resource)],
    ) -> BTreeMap<ProviderRef, Diagnostics> {
        let mut objects: BTreeMap<&ProviderRef, Vec<&Address>> = BTreeMap::new();
        for (address, resource) in orphans {
            objects.entry(&resource.provider).or_default().push(address);
        }
        let mut missing = BTreeMap::new();
        for (provider, addresses) in objects {
            let Err(errors) = self.session.get(provider).await else {
                continue;
            };
            let first = addresses
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            let which = match addresses.len() {
                1 => format!("It is needed for {first}."),
                n => format!("It is needed for {first} and {} more.", n - 1),
            };
            let errors = errors.into_iter().map(|mut d| {
                d.detail = format!("{} {which}", d.detail);
                d
            });
            missing.insert(provider.clone(), Diagnostics(errors.collect()));
        }
        missing
    }

    async fn plan_orphan(
        &self,
        input: &PlanInput,
        address: &Address,
        stored: &Resource,
        orphan: Option<Orphan>,
    ) -> Result<Finding, Diagnostics> {
        let ty = address.object.type_name();
        let schema = self.registry.resource(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.session.get(&stored.provider).await?;
        // What goes is looked up in a light plan as well.
        let refresh = match input.options.refresh {
            Refresh::Changed => Refresh::All,
            other => other,
        };
        let Found { current, private } = self
            .look_up(&provider, schema, address, stored, refresh)
            .await?;
        let subject = || Subject {
            address: address.clone(),
            provider: stored.provider.clone(),
            replace_order: ReplaceOrder::DeleteFirst,
            moved_from: None,
            import: None,
        };
        let drift = diff::drift(subject, &stored.value, current.as_ref());
        if input.options.mode == Mode::Refresh {
            let now = current.map(|value| Resource {
                value,
                private,
                ..stored.clone()
            });
            return Ok(Finding {
                drift: drift.map(Box::new),
                observed: (now.as_ref() != Some(stored)).then(|| Box::new(now)),
                ..Finding::failed(Diagnostics::new())
            });
        }
        let Some(current) = current else {
            // It is gone already: state forgets it, and no provider is called.
            let change = Change {
                action: Action::Forget,
                reason: Reason::Drifted,
                ..diff::deletion(
                    subject(),
                    Some(stored.value.clone()),
                    Vec::new(),
                    None,
                    None,
                )
            };
            return Ok(finding(change, drift, None));
        };
        let batch = provider.delete_batch(ty, &current);
        let now = Resource {
            value: current.clone(),
            private: private.clone(),
            ..stored.clone()
        };
        let observed = (now != *stored).then_some(Some(now));
        let change = diff::deletion(subject(), Some(current), private, batch, orphan);
        Ok(finding(change, drift, observed))
    }
}

/// It leaves state, and nobody is asked.
fn forgotten(address: &Address, stored: &Resource) -> Finding {
    let subject = Subject {
        address: address.clone(),
        provider: stored.provider.clone(),
        replace_order: ReplaceOrder::DeleteFirst,
        moved_from: None,
        import: None,
    };
    let change = Change {
        action: Action::Forget,
        reason: Reason::NotInConfig(Orphan::Removed),
        ..diff::deletion(subject, Some(stored.value.clone()), Vec::new(), None, None)
    };
    finding(change, None, None)
}

fn finding(change: Change, drift: Option<Change>, observed: Option<Option<Resource>>) -> Finding {
    Finding {
        change: Some(change),
        drift: drift.map(Box::new),
        observed: observed.map(Box::new),
        supply: None,
        diagnostics: Diagnostics::new(),
    }
}

/// What of the configuration went away.
fn orphan(
    input: &PlanInput,
    evaluator: &Evaluator,
    findings: &Findings,
    address: &Address,
) -> Orphan {
    if !input.config.declares(address) {
        return match findings.moved.contains_key(address) {
            true => Orphan::MoveTarget,
            false => Orphan::Block,
        };
    }
    if !evaluator.has_module(&address.module) {
        return Orphan::Module;
    }
    match (&address.key, input.config.repetition(address)) {
        (Key::None, Some(Repetition::Count | Repetition::ForEach))
        | (Key::Index(_), Some(Repetition::Once | Repetition::ForEach))
        | (Key::Name(_), Some(Repetition::Once | Repetition::Count)) => Orphan::Repetition,
        _ => Orphan::Instance,
    }
}

/// Whether the object is left alone when it leaves the stack: a `removed` block says so, or the
/// `lifecycle` of the block it came from; where that is gone, state has what it said.
fn is_kept(input: &PlanInput, address: &Address, stored: &Resource) -> bool {
    let removed = input.config.removed().iter();
    if let Some(removed) = removed.rev().find(|r| r.from.holds(address)) {
        return !removed.destroy;
    }
    match input.config.declares(address) {
        true => input.config.is_kept(address),
        false => stored.removal == Removal::Forget,
    }
}
