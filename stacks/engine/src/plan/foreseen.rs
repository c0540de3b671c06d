//! Objects as a plan would leave them, where all of them are to go. Terraform plans without a word
//! before it destroys, and its outputs come of that plan: one that a change of the configuration
//! leaves unknown stays as it was recorded.

use super::instance::unknown_where_computed;
use crate::drive;
use weir_core::{
    Address, Object, Value,
    references::Standing,
    schema::{OnChange, Schema},
    snapshot::{Resource, Snapshot, Status},
};
use weir_lang::{Evaluator, Ignore, Instance, Schemas};
use weir_plan::{ignore, same};
use weir_provider::proposed;

/// An instance that is to go, in the order of evaluation.
pub(super) struct Going {
    address: Address,
    ignored: Ignore,
    is_settled: bool,
}

impl Going {
    /// None for what is only read or opened: it keeps the value it has.
    pub(super) fn of(instance: &Instance, standing: &Standing) -> Option<Going> {
        let address = &instance.address;
        let is_managed = !matches!(
            address.object,
            Object::Data { .. } | Object::Ephemeral { .. }
        );
        is_managed.then(|| Going {
            address: address.clone(),
            ignored: instance.lifecycle.ignore_changes.clone(),
            is_settled: matches!(standing, Standing::Settled),
        })
    }
}

/// What is planned silently.
pub(super) struct Foreseen<'a> {
    going: &'a [Going],
    snapshot: &'a Snapshot,
    schemas: &'a dyn Schemas,
}

impl<'a> Foreseen<'a> {
    /// `snapshot` is the state after the moves.
    pub(super) fn of(
        going: &'a [Going],
        snapshot: &'a Snapshot,
        schemas: &'a dyn Schemas,
    ) -> Foreseen<'a> {
        Foreseen {
            going,
            snapshot,
            schemas,
        }
    }

    /// What `look` sees of the configuration where its objects are as a plan would leave them.
    /// Afterwards they are as state has them again: nothing else is planned from it.
    pub(super) fn seen<T>(
        &self,
        evaluator: &mut Evaluator,
        look: impl FnOnce(&mut Evaluator) -> T,
    ) -> T {
        // Nothing would become of anything: so it is mostly.
        if self.going.iter().all(|g| g.is_settled) {
            return look(evaluator);
        }
        let mut changed = Vec::new();
        for going in self.going {
            // What can't be evaluated any more is as state has it.
            let config = match evaluator.config_of(&going.address) {
                Ok(config) => config,
                Err(_) => continue,
            };
            if let Some(value) = self.value(going, config) {
                evaluator.supply(&going.address, value);
                changed.push(&going.address);
            }
        }
        let seen = look(evaluator);
        for address in changed {
            evaluator.supply(address, drive::from_state(self.snapshot, address));
        }
        seen
    }

    /// What would become of an object; `None` where it stays.
    fn value(&self, going: &Going, config: Value) -> Option<Value> {
        let schema = self.schemas.resource(going.address.object.type_name())?;
        let Some(resource) = self.snapshot.resources.get(&going.address) else {
            return Some(unknown_where_computed(&config, schema));
        };
        let prior = resource.value.value();
        let config = ignore(config, prior, &going.ignored, &schema.block);
        let wanted = proposed::merge(schema, Some(prior), &config);
        if is_replaced(resource, &wanted, schema) {
            return Some(unknown_where_computed(&config, schema));
        }
        // An object that is updated is the same one.
        let id = prior.get("id").filter(|id| !id.is_null());
        let updated = unknown_where_computed(&config, schema);
        (!same(prior, &wanted)).then(|| match id {
            Some(id) => updated.with("id", id.clone()),
            None => updated,
        })
    }
}

/// Whether a plan would replace the object.
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
