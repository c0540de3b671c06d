//! A configuration walked through without state and without the world: every value that a
//! provider would give is unknown.

use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Address, Diagnostics, Object, Type, Value};
use weir_engine::Registry;
use weir_lang::{Config, Evaluator, Instance, MachinePool, Next, PlaceRequest, Placement, Schemas};
use weir_provider::Provider;

/// What was found on the way.
#[derive(Default)]
pub(super) struct Walked {
    /// Every instance.
    pub(super) instances: BTreeMap<Address, Instance>,
    /// Pools whose machines a cloud makes.
    pub(super) pools: Vec<MachinePool>,
    /// All that is wrong, and warnings.
    pub(super) diagnostics: Diagnostics,
}

/// Walks to the end, past errors, through the instances there are.
pub(super) async fn walk(config: &Arc<Config>, registry: Registry) -> Walked {
    let registry = Arc::new(registry);
    let evaluator = Evaluator::new(config.clone(), registry.clone());
    through(config, evaluator, &registry).await
}

/// Walks to the end, past errors, through all blocks: one without a known instance has one that
/// stands for all there may be.
pub(super) async fn check(config: &Arc<Config>, registry: Registry) -> Walked {
    let registry = Arc::new(registry);
    let evaluator = Evaluator::new(config.clone(), registry.clone()).checking();
    through(config, evaluator, &registry).await
}

async fn through(
    config: &Arc<Config>,
    mut evaluator: Evaluator,
    registry: &Arc<Registry>,
) -> Walked {
    let mut providers: BTreeMap<String, Arc<dyn Provider>> = BTreeMap::new();
    let mut walked = Walked::default();
    let mut yielded: Vec<Instance> = Vec::new();
    loop {
        match evaluator.next() {
            Ok(Next::Provider(_)) => {}
            Ok(Next::Place(request)) => {
                let places = anywhere(&request);
                evaluator.place(&request, places);
            }
            Ok(Next::Instance(instance)) => yielded.push(*instance),
            Ok(Next::Waiting) if yielded.is_empty() => break,
            Ok(Next::Waiting) => {
                for instance in yielded.drain(..) {
                    let found = validate(&instance, registry, &mut providers).await;
                    let located = found.into_iter().map(|d| match d.span {
                        Some(_) => d,
                        None => config.sources().point(d, &instance.span),
                    });
                    walked
                        .diagnostics
                        .0
                        .extend(located.map(|d| d.on(instance.address.clone())));
                    evaluator.supply(&instance.address, unknown(&instance, registry));
                    walked.instances.insert(instance.address.clone(), instance);
                }
            }
            Ok(Next::Done) => break,
            Err(found) => {
                walked.diagnostics.extend(found);
                break;
            }
        }
    }
    walked.pools = evaluator.machine_pools().cloned().collect();
    walked.diagnostics.extend(evaluator.take_diagnostics());
    walked.diagnostics.sort();
    walked
}

async fn validate(
    instance: &Instance,
    registry: &Registry,
    providers: &mut BTreeMap<String, Arc<dyn Provider>>,
) -> Diagnostics {
    let name = &instance.provider.name;
    if !providers.contains_key(name.as_str()) {
        let Some(factory) = registry.factory(name) else {
            return Diagnostics::new();
        };
        match factory.start().await {
            Ok(provider) => providers.insert(name.to_string(), provider),
            Err(found) => return found,
        };
    }
    match providers.get(name.as_str()) {
        Some(p) => {
            p.validate(instance.address.object.type_name(), &instance.config)
                .await
        }
        None => Diagnostics::new(),
    }
}

/// The configuration, with unknowns where the provider decides.
fn unknown(instance: &Instance, registry: &Registry) -> Value {
    let ty = instance.address.object.type_name();
    let schema = match instance.address.object {
        Object::Data { .. } => registry.data(ty),
        Object::Ephemeral { .. } => registry.ephemeral(ty),
        _ => registry.resource(ty),
    };
    let Some(schema) = schema else {
        return Value::unknown(Type::Dynamic);
    };
    let computed = schema
        .block
        .attributes
        .iter()
        .filter(|(_, a)| a.is_computed());
    computed.fold(instance.config.clone(), |value, (name, a)| {
        let left_out = value.get(name).is_none_or(Value::is_null);
        if left_out {
            value.with(name, Value::unknown(a.ty.clone()))
        } else {
            value
        }
    })
}

/// A place for each, whether there is room or not: that is the plan's business.
fn anywhere(request: &PlaceRequest) -> BTreeMap<Address, Placement> {
    let first = request.hosts.first();
    let places = request.demands.iter().filter_map(|d| {
        let host = d.on.clone().or_else(|| first.map(|h| h.id.clone()))?;
        let ports = d
            .ports
            .iter()
            .map(|(name, n)| (name.clone(), n.unwrap_or(1)));
        Some((
            d.address.clone(),
            Placement {
                host,
                ports: ports.collect(),
            },
        ))
    });
    places.collect()
}
