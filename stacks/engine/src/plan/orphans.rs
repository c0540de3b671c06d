//! What is in state and no longer wanted: planned for deletion with the provider it was made with.

use super::{
    Findings,
    instance::{Finding, Found, unserved},
};
use crate::{
    diagnostics,
    engine::{Engine, Mode, PlanInput},
};
use futures::{StreamExt as _, stream};
use weir_core::{
    Address, Diagnostics,
    change::{Action, Change, Orphan, Reason, ReplaceOrder},
    snapshot::{Resource, Snapshot},
};
use weir_lang::Schemas as _;
use weir_plan::{Subject, diff};

impl Engine {
    /// Deletions: of what the configuration does not have, or of everything.
    pub(super) async fn plan_orphans(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        findings: &mut Findings,
    ) {
        let orphans = snapshot.resources.iter().filter(|(address, _)| {
            input.options.mode == Mode::Destroy || !findings.changes.contains_key(*address)
        });
        let planned: Vec<(Address, Finding)> = stream::iter(orphans)
            .map(|(address, resource)| async move {
                let finding = self.plan_orphan(input, address, resource).await;
                (address.clone(), finding.unwrap_or_else(Finding::failed))
            })
            .buffered(self.parallelism.get())
            .collect()
            .await;
        for (address, finding) in planned {
            findings
                .diagnostics
                .extend(diagnostics::on(finding.diagnostics, &address));
            findings
                .drift
                .extend(finding.drift.map(|d| (address.clone(), d)));
            findings
                .observed
                .extend(finding.observed.map(|o| (address.clone(), o)));
            findings
                .changes
                .extend(finding.change.map(|c| (address, c)));
        }
    }

    async fn plan_orphan(
        &self,
        input: &PlanInput,
        address: &Address,
        stored: &Resource,
    ) -> Result<Finding, Diagnostics> {
        let ty = address.object.type_name();
        let schema = self.registry.resource(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.session.get(&stored.provider).await?;
        let Found { current, private } = self
            .look_up(&provider, schema, address, stored, input.options.refresh)
            .await?;
        let subject = || Subject {
            address: address.clone(),
            provider: stored.provider.clone(),
            replace_order: ReplaceOrder::DeleteFirst,
        };
        let drift = diff::drift(subject(), stored.value.clone(), current.clone());
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
        let orphan = match input.options.mode {
            Mode::Destroy => None,
            Mode::Apply => Some(orphan(input, address)),
        };
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

fn finding(change: Change, drift: Option<Change>, observed: Option<Option<Resource>>) -> Finding {
    Finding {
        change: Some(change),
        drift,
        observed,
        diagnostics: Diagnostics::new(),
    }
}

fn orphan(input: &PlanInput, address: &Address) -> Orphan {
    if !input.config.declares_module(&address.module) {
        Orphan::Module
    } else if input.config.declares(address) {
        Orphan::Instance
    } else {
        Orphan::Block
    }
}
