//! Objects as a plan would leave them, where all of them are to go. Terraform plans without a word
//! before it destroys, and what it says of outputs and of what objects depend on comes of that plan:
//! an output that a change of the configuration leaves unknown stays as it was recorded.

use super::instance::unknown_where_computed;
use crate::{drive, engine::Engine};
use std::collections::BTreeMap;
use weir_core::{
    Address, Object, Value,
    address::ProviderRef,
    change::{Action, Change, Reason, ReplaceOrder},
    references::Standing,
    schema::{OnChange, Schema},
    snapshot::{Resource, Snapshot, Status},
};
use weir_lang::{Evaluator, Ignore, Instance, Output, Schemas, Trigger};
use weir_plan::{fired, ignore, same};
use weir_provider::{PlanRequest, proposed};

/// An instance that is to go, in the order of evaluation.
pub(super) struct Going {
    address: Address,
    provider: ProviderRef,
    ignored: Ignore,
    triggers: Vec<Trigger>,
    /// How it is found by what state has of all others.
    standing: Standing,
}

impl Going {
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// None for what is only read or opened: it keeps the value it has.
    pub(super) fn of(
        instance: &Instance,
        snapshot: &Snapshot,
        schemas: &dyn Schemas,
    ) -> Option<Going> {
        let address = &instance.address;
        let is_managed = !matches!(
            address.object,
            Object::Data { .. } | Object::Ephemeral { .. }
        );
        is_managed.then(|| Going {
            address: address.clone(),
            provider: instance.provider.clone(),
            ignored: instance.lifecycle.ignore_changes.clone(),
            triggers: instance.lifecycle.replace_triggered_by.clone(),
            standing: before_it_goes(instance, snapshot, schemas),
        })
    }
}

/// How an instance that is to go is found before: as its block has it, or with something left to
/// do.
fn before_it_goes(instance: &Instance, snapshot: &Snapshot, schemas: &dyn Schemas) -> Standing {
    let address = &instance.address;
    let resource = snapshot.resources.get(address);
    let schema = schemas.resource(address.object.type_name());
    let (Some(resource), Some(schema)) = (resource, schema) else {
        return Standing::Left;
    };
    let value = resource.value.value();
    let ignored = &instance.lifecycle.ignore_changes;
    let config = ignore(instance.config.clone(), value, ignored, &schema.block);
    let wanted = proposed::merge(schema, Some(value), &config);
    match resource.status == Status::Ready && same(value, &wanted) {
        true => Standing::Settled,
        false => Standing::Seen,
    }
}

/// What is planned silently.
#[derive(Default)]
pub(super) struct Foreseen {
    /// What outputs would be.
    pub(super) outputs: BTreeMap<String, Output>,
    /// How objects would be found.
    pub(super) standing: BTreeMap<Address, Standing>,
}

impl Foreseen {
    /// Looks ahead. Afterwards objects are as state has them again: nothing else is planned from
    /// what they would be. `snapshot` is the state after the moves.
    pub(super) async fn of(
        engine: &Engine,
        going: &[Going],
        snapshot: &Snapshot,
        evaluator: &mut Evaluator,
    ) -> Foreseen {
        let found = going.iter().map(|g| (g.address.clone(), g.standing));
        let mut standing: BTreeMap<Address, Standing> = found.collect();
        let mut changes = BTreeMap::new();
        // Nothing would become of anything: so it is mostly.
        let open = going.iter().any(|g| g.standing != Standing::Settled);
        for going in going.iter().filter(|_| open) {
            // What can't be evaluated any more is as state has it.
            let Ok(config) = evaluator.config_of(&going.address) else {
                continue;
            };
            let Some(schema) = engine.registry.resource(going.address.object.type_name()) else {
                continue;
            };
            let Some(resource) = snapshot.resources.get(&going.address) else {
                let value = engine.would_be_made(going, config, schema).await;
                evaluator.supply(&going.address, value);
                continue;
            };
            let Some((action, value)) = would_be(going, config, resource, schema, &changes) else {
                continue;
            };
            standing.insert(going.address.clone(), Standing::Seen);
            let change = change(&going.address, resource, action, value.clone());
            changes.insert(going.address.clone(), change);
            evaluator.supply(&going.address, value);
        }
        let outputs = evaluator.outputs();
        for going in going.iter().filter(|_| open) {
            let value = drive::from_state(snapshot, &going.address);
            evaluator.supply(&going.address, value);
        }
        Foreseen { outputs, standing }
    }
}

impl Engine {
    /// What would be made, as its provider plans it; open where that can't be told.
    async fn would_be_made(&self, going: &Going, config: Value, schema: &Schema) -> Value {
        let open = unknown_where_computed(&config, schema);
        let Ok(provider) = self.session.get(&going.provider).await else {
            return open;
        };
        let planned = provider.plan(PlanRequest {
            type_name: going.address.object.type_name().to_owned(),
            address: going.address.to_string(),
            prior: None,
            proposed: proposed::merge(schema, None, &config),
            config,
            private: Vec::new(),
        });
        planned.await.map_or(open, |p| p.planned)
    }
}

/// What would become of an object; `None` where it stays.
fn would_be(
    going: &Going,
    config: Value,
    resource: &Resource,
    schema: &Schema,
    changes: &BTreeMap<Address, Change>,
) -> Option<(Action, Value)> {
    let prior = resource.value.value();
    let config = ignore(config, prior, &going.ignored, &schema.block);
    let wanted = proposed::merge(schema, Some(prior), &config);
    if is_replaced(resource, &wanted, schema) || !fired(&going.triggers, changes).is_empty() {
        let action = Action::Replace(ReplaceOrder::DeleteFirst);
        return Some((action, unknown_where_computed(&config, schema)));
    }
    // An object that is updated is the same one.
    let id = prior.get("id").filter(|id| !id.is_null());
    let updated = unknown_where_computed(&config, schema);
    (!same(prior, &wanted)).then(|| match id {
        Some(id) => (Action::Update, updated.with("id", id.clone())),
        None => (Action::Update, updated),
    })
}

/// Whether a plan would replace the object by itself.
fn is_replaced(resource: &Resource, wanted: &Value, schema: &Schema) -> bool {
    let prior = resource.value.value();
    let moves = |name: &str| match (prior.get(name), wanted.get(name)) {
        (Some(prior), Some(wanted)) => !same(prior, wanted),
        (prior, wanted) => prior.is_some() != wanted.is_some(),
    };
    let forces = (schema.block.attributes.iter())
        .any(|(name, a)| a.on_change == OnChange::Replace && moves(name));
    forces || resource.status != Status::Ready
}

/// What triggers look at.
fn change(address: &Address, resource: &Resource, action: Action, after: Value) -> Change {
    Change {
        address: address.clone(),
        action,
        reason: Reason::ConfigChanged,
        before: Some(resource.value.clone()),
        after: Some(after),
        provider: resource.provider.clone(),
        private: Vec::new(),
        batch: None,
        moved_from: None,
        import: None,
    }
}
