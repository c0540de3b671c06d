//! What an apply records beside its operations. Before them: objects at their new addresses,
//! imported ones, and what refresh found. After them: the new dependencies of what stayed as it was.
//! Each in one write, so that a crash finds either none of it or all. At the end: the outputs, and
//! its line in the history.

use super::{Run, Status};
use crate::{
    diagnostics,
    engine::{Engine, Planned},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};
use weir_core::{
    Address, Diagnostics, Known,
    address::members,
    change::Action,
    checks::CheckResult,
    plan::Op,
    references::{Object, Place, References, Standing},
    snapshot::{Resource, Snapshot},
};
use weir_plan::relocate;
use weir_state::{ApplyOutcome, ApplyRecord, StateError, Store, Target};

/// State as it is after the moves, and what is to be recorded.
pub(super) fn before<'a>(
    planned: &Planned,
    stored: &'a Snapshot,
) -> (Cow<'a, Snapshot>, Vec<(Address, Option<Resource>)>) {
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

impl Engine {
    /// Whether applying a plan would leave no trace: nothing to do, nothing to record, and its
    /// conditions come to what the history says.
    ///
    /// # Errors
    /// The history can't be read.
    pub async fn is_no_news(&self, planned: &Planned) -> Result<bool, Diagnostics> {
        let records = !planned.observed.is_empty() || planned.references.is_some();
        if !planned.is_empty() || records {
            return Ok(false);
        }
        let recorded = recorded_checks(&*self.store).await;
        Ok(recorded.map_err(|e| diagnostics::state(&e))? == planned.plan.checks)
    }
}

/// What conditions came to when that was last recorded.
async fn recorded_checks(store: &dyn Store) -> Result<Vec<CheckResult>, StateError> {
    let history = store.history().await?.into_iter();
    let last = history.rev().find_map(|a| a.record.checks);
    Ok(last.unwrap_or_default())
}

impl Run<'_> {
    /// What state records as the dependencies of an instance: those that are there.
    pub(super) fn dependencies(&mut self, address: &Address) -> BTreeSet<Address> {
        let all = (self.behind).recorded(address, &self.planned.plan.dependencies);
        let there = |d: &Address| members(&self.resources, d).next().is_some();
        all.into_iter().filter(there).collect()
    }

    /// Records on what was made in this run the instances depend that it left as they were. A crash
    /// before loses nothing: the next plan finds it.
    pub(super) async fn record_dependencies(&mut self) {
        let plan = self.planned.plan.plan();
        if self.broken.is_some() || plan.nodes.iter().all(|n| n.op != Op::Create) {
            return;
        }
        let mut found = Vec::new();
        for (address, change) in &plan.changes {
            if change.action != Action::NoOp || !self.resources.contains_key(address) {
                continue;
            }
            if !self.lease.scope().owns(address) {
                continue;
            }
            let dependencies = self.dependencies(address);
            if let Some(resource) = self.resources.get_mut(address)
                && resource.dependencies != dependencies
            {
                resource.dependencies = dependencies;
                found.push((address.clone(), Some(resource.clone())));
            }
        }
        if !found.is_empty() {
            let written = self.engine.journal(self.lease).refresh(found).await;
            self.broken = written.err();
        }
    }

    /// Records what is behind objects by now, where that is new: behind what was written is what
    /// the configuration says, the rest is as planning found it, or as others recorded it meanwhile.
    async fn record_references(&self) -> Result<(), StateError> {
        let store = &*self.engine.store;
        let journal = self.engine.journal(self.lease);
        let mut found = Cow::Borrowed(&self.references);
        if let Some(planned) = &self.planned.references {
            found = match self.planned.plan.base == self.began_at {
                true => Cow::Borrowed(planned),
                false => Cow::Owned(self.ours_in(&self.references, planned)),
            };
        }
        let mut stored = Cow::Borrowed(&self.references);
        let mut there: Cow<'_, BTreeMap<Address, Resource>> = Cow::Borrowed(&self.resources);
        loop {
            let objects = self.objects(&there).await?;
            let graph = self.planned.config.references();
            let references = found.after(Some(graph), objects);
            if references == *stored {
                return Ok(());
            }
            let recorded = journal.references(stored.into_owned(), references);
            if recorded.await?.is_some() {
                return Ok(());
            }
            // Someone else recorded theirs: ours goes on top of that.
            let now = store.snapshot().await?;
            found = Cow::Owned(self.ours_in(&now.references, &found));
            stored = Cow::Owned(now.references);
            there = Cow::Owned(now.resources);
        }
    }

    /// References as others left them, with ours for what this plan is about.
    fn ours_in(&self, theirs: &References, ours: &References) -> References {
        let scope = self.lease.scope();
        let instances = self.resources.keys().filter(|a| scope.owns(a));
        let places = instances.map(|a| -> Place { (a.clone(), None) });
        theirs.with(ours, places)
    }

    /// Every object there is, as this run leaves it.
    async fn objects(
        &self,
        there: &BTreeMap<Address, Resource>,
    ) -> Result<Vec<Object>, StateError> {
        let current = there.keys().map(|address| {
            let standing = match self.written.contains(address) {
                true => Standing::Settled,
                false => Standing::Left,
            };
            Object::current(address, standing)
        });
        let mut objects: Vec<Object> = current.collect();
        for entry in self.engine.store.open_entries().await? {
            let begin = &entry.begin;
            if begin.target != Target::Deposed {
                continue;
            }
            let mut object = Object::left((begin.address.clone(), Some(entry.id.deposed_key())));
            if entry.epoch == self.lease.epoch() {
                // It was in its place when the plan was made.
                object.before = Some((begin.address.clone(), None));
            }
            objects.push(object);
        }
        Ok(objects)
    }

    /// Records the outputs and the line in the history; nothing where nothing is new.
    pub(super) async fn keep(
        &self,
        status: Status,
        started: SystemTime,
        outputs: &BTreeMap<String, Known>,
        checks: &[CheckResult],
    ) -> Result<(), StateError> {
        let journal = self.engine.journal(self.lease);
        let mut changed: BTreeMap<String, Option<Known>> = BTreeMap::new();
        for name in self.outputs.keys().chain(outputs.keys()) {
            if self.outputs.get(name) != outputs.get(name) {
                changed.insert(name.clone(), outputs.get(name).cloned());
            }
        }
        let same_outputs = changed.is_empty();
        if !same_outputs {
            journal.outputs(changed).await?;
        }
        self.record_references().await?;
        if same_outputs && !self.has_news(status, checks).await? {
            return Ok(());
        }
        let bundle = self.planned.bundle();
        let digest = bundle.digest();
        let record = ApplyRecord {
            who: self.lease.holder().who.clone(),
            started,
            plan_digest: self.planned.digest().to_owned(),
            config_digest: self.planned.config_digest(),
            bundle: Some(digest),
            outcome: match status {
                Status::Succeeded => ApplyOutcome::Succeeded,
                Status::Interrupted => ApplyOutcome::Interrupted,
                Status::Failed => ApplyOutcome::Failed {
                    errors: self.error_lines(),
                },
            },
            checks: Some(checks.to_vec()),
        };
        journal.history(record, bundle).await
    }

    /// Whether there is anything for the history to tell, beside outputs: something was done or
    /// recorded, or conditions come to something else than it says.
    async fn has_news(&self, status: Status, checks: &[CheckResult]) -> Result<bool, StateError> {
        let deposed = &self.planned.plan.deposed;
        let idle = self.states.is_empty() && !self.recorded && deposed.is_empty();
        if !idle || status != Status::Succeeded {
            return Ok(true);
        }
        Ok(recorded_checks(&*self.engine.store).await? != checks)
    }

    fn error_lines(&self) -> Vec<String> {
        self.failures
            .iter()
            .map(|f| {
                let address = &self.planned.plan.nodes[f.node.0].address;
                let message = diagnostics::one_line_about(address, &f.errors);
                format!("{address}: {message}")
            })
            .collect()
    }
}
