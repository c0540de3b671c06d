//! Ephemeral resources of an apply: opened before what uses them, with real values.

use super::Run;
use std::collections::BTreeSet;
use weir_core::{Address, Diagnostics, Object};

impl Run<'_> {
    /// Opens those whose configuration is known from the start.
    pub(super) async fn open_ephemerals(&mut self) -> Result<(), Diagnostics> {
        let known: Vec<Address> = self
            .driven
            .instances
            .values()
            .filter(|i| is_ephemeral(&i.address))
            .filter(|i| i.config.is_wholly_known() && !self.waits(&i.address))
            .map(|i| i.address.clone())
            .collect();
        for address in known {
            self.open_ephemeral(&address).await?;
        }
        Ok(())
    }

    /// Opens those that an instance depends on, directly or by way of others.
    pub(super) async fn open_for(&mut self, address: &Address) -> Result<(), Diagnostics> {
        let mut found: Vec<Address> = Vec::new();
        let mut seen: BTreeSet<Address> = BTreeSet::new();
        let mut open = vec![address.clone()];
        while let Some(at) = open.pop() {
            let used = self.planned.plan.dependencies.get(&at);
            for d in used.into_iter().flatten().filter(|d| is_ephemeral(d)) {
                let all = weir_core::address::members(&self.planned.plan.dependencies, d);
                for (member, _) in all {
                    if seen.insert(member.clone()) {
                        found.push(member.clone());
                        open.push(member.clone());
                    }
                }
            }
        }
        // What others use was found after them.
        for address in found.into_iter().rev() {
            self.open_ephemeral(&address).await?;
        }
        Ok(())
    }

    async fn open_ephemeral(&mut self, address: &Address) -> Result<(), Diagnostics> {
        if self.engine.ephemerals.value(address).is_some() {
            return Ok(());
        }
        let Some(instance) = self.driven.instances.get(address).cloned() else {
            return Ok(());
        };
        let result = async {
            let config = self.evaluator.config_of(address)?;
            let provider = self.provider_of(&instance.provider).await?;
            let ephemerals = &self.engine.ephemerals;
            ephemerals.open(address, &provider, &config).await
        };
        match result.await {
            Ok(value) => {
                self.evaluator.supply(address, value);
                Ok(())
            }
            Err(errors) => Err(self.located(address, errors)),
        }
    }

    /// Whether something it depends on is about to change.
    fn waits(&self, address: &Address) -> bool {
        let plan = &self.planned.plan;
        let used = plan.dependencies.get(address);
        used.into_iter().flatten().any(|d| {
            weir_core::address::members(&plan.changes, d).any(|(_, c)| !c.action.is_noop())
        })
    }
}

fn is_ephemeral(address: &Address) -> bool {
    matches!(address.object, Object::Ephemeral { .. })
}
