//! What is asked without a plan: expressions that are no part of the configuration, and all that
//! is wrong with it.

use super::{
    Evaluator, Purpose, Schemas,
    frame::Names,
    graph::{InstId, ModuleInstance, State},
    is_not_known_yet, values,
};
use crate::{
    config::{Config, NodeIx},
    eval::Settled,
    instance::{Demand, Instance, Next, PlaceRequest, Placement},
    ir::Expr,
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Address, Diagnostics, Kind, Object, Type, Value};

impl Evaluator {
    /// With what an apply settles: `timestamp`, `uuid` and `bcrypt` are known.
    pub fn settling(mut self, settled: Arc<Settled>) -> Evaluator {
        for context in &mut self.contexts {
            context.settled = Some(settled.clone());
        }
        self
    }

    /// The value of an expression in the root module, with what has been supplied by now. What it
    /// needs and has no value is unknown.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn value_of(&mut self, expr: &Expr) -> Result<Value, Diagnostics> {
        self.work();
        self.refresh();
        loop {
            let asked = self.compute(InstId(0), Names::default(), |frame, problems| {
                values::value(expr, frame, problems)
            });
            match asked {
                Ok(computed) if computed.problems.is_empty() => return Ok(computed.value),
                Ok(computed) => return Err(Diagnostics(computed.problems)),
                Err(wait) if matches!(self.graph.get(wait.on).state, State::Stale) => {
                    self.enqueue(wait.on);
                    self.work();
                    if matches!(self.graph.get(wait.on).state, State::Stale) {
                        return Ok(Value::unknown(Type::Dynamic));
                    }
                }
                Err(_) => return Ok(Value::unknown(Type::Dynamic)),
            }
        }
    }

    /// All that is wrong with a configuration, as far as that can be told without a provider:
    /// what one would find out is unknown.
    pub fn problems(config: Arc<Config>, schemas: Arc<dyn Schemas>) -> Diagnostics {
        Evaluator::new(config, schemas).all_problems()
    }

    /// All that is wrong with a configuration whatever values a run will have: see
    /// [`Evaluator::checking`].
    pub fn checked(config: Arc<Config>, schemas: Arc<dyn Schemas>) -> Diagnostics {
        let mut found = Evaluator::new(config, schemas).checking().all_problems();
        found.0.retain(|d| !is_not_known_yet(d));
        found
    }

    /// What is wrong with a whole configuration as it is written, whatever value anything in it
    /// has: a part of it is refused for that too, and so is a block without instances. Warnings are
    /// none of it.
    pub fn wrong_as_written(config: Arc<Config>, schemas: Arc<dyn Schemas>) -> Diagnostics {
        let mut evaluator = Evaluator::new(config, schemas);
        evaluator.purpose = Purpose::Form;
        let mut found = evaluator.all_problems();
        found.0.retain(|d| d.is_error() && !is_not_known_yet(d));
        found
    }

    /// Whether something that was evaluated has no instance, so that nobody looked into it.
    pub fn has_empty_blocks(&self) -> bool {
        let of_module = |inst: &ModuleInstance| {
            let nodes = self.config.modules[inst.module.0].nodes.len();
            (0..nodes).any(|ix| {
                let block = self.graph.get(inst.id(NodeIx(ix)));
                block.expansion.as_ref().is_some_and(|x| x.keys.is_empty())
            })
        };
        self.graph.modules.iter().any(of_module)
    }

    fn all_problems(self) -> Diagnostics {
        let mut evaluator = self;
        let mut found = Diagnostics::new();
        let mut yielded = Vec::new();
        loop {
            match evaluator.next() {
                Ok(Next::Provider(_)) => {}
                Ok(Next::Instance(instance)) => yielded.push(instance),
                Ok(Next::Place(request)) => {
                    let places = anywhere(&request);
                    evaluator.place(&request, places);
                }
                Ok(Next::Waiting) if !yielded.is_empty() => {
                    for instance in std::mem::take(&mut yielded) {
                        let value = evaluator.unsettled(&instance);
                        evaluator.supply(&instance.address, value);
                    }
                }
                Ok(Next::Waiting | Next::Done) => break,
                Err(errors) => {
                    found.extend(errors);
                    break;
                }
            }
        }
        found.extend(evaluator.take_diagnostics());
        found.sort();
        found
    }

    /// An instance's configuration, unknown where its provider decides.
    fn unsettled(&self, instance: &Instance) -> Value {
        let ty = instance.address.object.type_name();
        let schema = match instance.address.object {
            Object::Data { .. } => self.schemas.data(ty),
            Object::Ephemeral { .. } => self.schemas.ephemeral(ty),
            _ => self.schemas.resource(ty),
        };
        let attributes = schema.iter().flat_map(|s| &s.block.attributes);
        let mut value = instance.config.clone();
        if self.purpose == Purpose::Form
            && let Kind::Object(fields) = value.kind()
            && schema.is_some()
        {
            let open = |name: &Arc<str>| (name.clone(), Value::unknown(Type::Dynamic));
            value = Value::object(fields.keys().map(open).collect::<Vec<_>>());
        }
        for (name, attribute) in attributes.filter(|(_, a)| a.is_computed()) {
            let open = self.purpose == Purpose::Form;
            if open || value.get(name).is_none_or(Value::is_null) {
                value = value.with(name, Value::unknown(attribute.ty.clone()));
            }
        }
        value
    }
}

/// A host for each pod, whether there is room or not.
fn anywhere(request: &PlaceRequest) -> BTreeMap<Address, Placement> {
    let first = request.hosts.first();
    let place = |d: &Demand| {
        let host = d.on.clone().or_else(|| first.map(|h| h.id.clone()))?;
        let port = |n: &Option<u16>| n.unwrap_or(1);
        let ports = d.ports.iter().map(|(name, n)| (name.clone(), port(n)));
        let ports = ports.collect();
        Some((d.address.clone(), Placement { host, ports }))
    };
    request.demands.iter().filter_map(place).collect()
}
