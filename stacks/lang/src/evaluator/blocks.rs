//! Configurations of instances.

use super::{
    Evaluator, Purpose, ephemeral,
    frame::Names,
    graph::{Role, State},
    run::{Outcome, Stop},
    values::check,
};
use crate::{
    config::{NodeKind, blocks::Resource},
    decode::{article, decode},
    eval::{NodeId, Scope},
    instance::{Instance, Lifecycle, Next},
};
use weir_core::{Address, Diagnostic, Marks, Object, Span, Value, address::ProviderRef};

/// Everything an instance is handed out with, except what it depends on.
pub(super) struct Ready {
    pub(super) config: Value,
    pub(super) provider: ProviderRef,
    pub(super) lifecycle: Lifecycle,
    pub(super) scoped: Option<String>,
    pub(super) span: Span,
}

/// `a string`, `an object`: what a value is, for messages.
pub(super) fn a(value: &Value) -> String {
    article(&value.ty())
}

impl Evaluator {
    /// Hands out an instance, its provider before it.
    pub(super) fn instance(&mut self, id: NodeId) -> Result<(), Stop> {
        if !matches!(self.graph.get(id).state, State::Pending) {
            return Ok(());
        }
        let outcome = self.configuration(id);
        let (mut computed, refused) = self.settle_instance(id, outcome)?;
        let entity = self.graph.get(id);
        let inst = self.graph.module(entity.inst);
        let block = inst.id(entity.ix);
        if let Some(x) = &self.graph.get(block).expansion {
            computed.reads.deps.extend(x.deps.iter().copied());
        }
        computed.reads.deps.extend(inst.deps.iter().copied());
        let Some(address) = self.address_of(id) else {
            return Err(Stop::Failed);
        };
        let dependencies = self.addresses(&computed.reads.deps, id);
        let awaits = self.awaits(id, &dependencies);
        let undecided = computed.reads.undecided;
        self.own_slug(&address, &computed.value)?;
        let Ready {
            config,
            provider,
            lifecycle,
            scoped,
            span,
        } = computed.value;
        let import = self.import_of(&address);
        self.implicit_provider(&provider);
        let entity = self.graph.get_mut(id);
        entity.state = State::Yielded;
        entity.yielded = true;
        self.graph.outstanding += 1;
        self.ready.push_back(Next::Instance(Box::new(Instance {
            address,
            provider,
            config,
            undecided,
            dependencies,
            awaits,
            lifecycle,
            refused,
            import,
            scoped,
            span,
            node: id,
        })));
        Ok(())
    }

    /// Refuses a pod whose slug is another's: `a_b` and `a-b` are one name on a host.
    fn own_slug(&mut self, address: &Address, ready: &Ready) -> Result<(), Stop> {
        if !matches!(address.object, Object::Pod { .. }) {
            return Ok(());
        }
        let Some(slug) = ready.config.get("slug").and_then(Value::as_str) else {
            return Ok(());
        };
        let first = self
            .slugs
            .entry(slug.to_owned())
            .or_insert_with(|| address.clone())
            .clone();
        if first == *address {
            return Ok(());
        }
        let d = Diagnostic::error(format!(
            "{address} has the same name on its host as {first}"
        ))
        .because(format!(
            "Both are called `{slug}` there: case, `_` and `.` make no difference."
        ))
        .help("Rename the service, the pod or the module.");
        let d = self.config.context.sources.point(d, &ready.span);
        self.report(d, Some(address));
        Err(Stop::Failed)
    }

    /// The configuration of an instance.
    pub(super) fn configuration(&self, id: NodeId) -> Outcome<Ready> {
        let entity = self.graph.get(id);
        let Role::Instance(position) = entity.role else {
            return Err(id.into());
        };
        let block = self.graph.module(entity.inst).id(entity.ix);
        match self.kind_of(id) {
            NodeKind::Resource(r) => self.resource_config(id, block, position, r),
            NodeKind::Site(s) => self.host_config(block, position, s),
            NodeKind::Pods(s, p) => self.pod_config(block, position, s, p),
            _ => Err(id.into()),
        }
    }

    fn resource_config(
        &self,
        id: NodeId,
        block: NodeId,
        position: usize,
        resource: &Resource,
    ) -> Outcome<Ready> {
        let entity = self.graph.get(id);
        let node = self.module_of(entity.inst).node(entity.ix);
        let names = self.names_of(block, position)?;
        let shape = self.shapes.of(&resource.object);
        let provider = self.served_by(entity.inst, resource, node.provider.as_ref(), &names)?;
        let mut computed = self.compute(entity.inst, names, |frame, problems| {
            let what = format!("{} is refused", resource.object);
            check(&resource.preconditions, &what, frame, problems)?;
            self.judge(problems);
            if self.purpose != Purpose::Run {
                // Whether they hold is for a plan to say that has the values and the instances.
                problems.retain(|d| !d.is_failed_condition());
            }
            let lifecycle = self.lifecycle(resource, frame, problems)?;
            let config = decode(&resource.body, &shape, &resource.span, frame, problems)?;
            if !matches!(resource.object, Object::Ephemeral { .. }) {
                let sources = &frame.context().sources;
                ephemeral::refuse(&config, &shape, &resource.body, sources, problems);
            }
            if self.looks_only && matches!(resource.object, Object::Managed { .. }) {
                // Nothing is made of what the block says.
                problems.retain(|d| !d.is_error());
            }
            Ok((config, lifecycle))
        })?;
        computed.reads.deps.extend(provider.reads.deps);
        computed.reads.nodes.extend(provider.reads.nodes);
        computed.problems.extend(provider.problems);
        let provider = provider.value;
        let place = (self.graph.module(entity.inst).module, entity.ix);
        let first = match &self.part {
            Some(part) => part.creates_first(place),
            None => node.create_first,
        };
        Ok(computed.map(|(config, lifecycle)| Ready {
            config,
            provider,
            lifecycle: Lifecycle {
                create_before_destroy: first,
                ..lifecycle
            },
            scoped: resource.scoped.as_ref().map(ToString::to_string),
            span: resource.span.clone(),
        }))
    }

    /// Holds a resource's postconditions against the value it got.
    pub(super) fn check_postconditions(
        &mut self,
        id: NodeId,
        address: &Address,
        value: Value,
    ) -> Value {
        let NodeKind::Resource(resource) = self.kind_of(id) else {
            return value;
        };
        let value = match resource.object {
            Object::Ephemeral { .. } => value.mark(Marks::EPHEMERAL),
            _ => value,
        };
        if resource.postconditions.is_empty() {
            return value;
        }
        let resource = resource.clone();
        let entity = self.graph.get(id);
        let Role::Instance(position) = entity.role else {
            return value;
        };
        let (inst, ix) = (entity.inst, entity.ix);
        let block = self.graph.module(inst).id(ix);
        let what = format!("{address} is not as it must be");
        let outcome = loop {
            let named = self.names_of(block, position);
            let outcome = named.map(|names| {
                let names = Names {
                    own: Some(value.clone()),
                    ..names
                };
                self.compute(inst, names, |frame, problems| {
                    check(&resource.postconditions, &what, frame, problems)
                })
            });
            let on = match outcome {
                Ok(Ok(computed)) => break Some(computed),
                Ok(Err(wait)) => wait.on,
                Err(on) => on,
            };
            // What it refers to beside itself had a value before it was yielded, which may be out
            // of date by now.
            if !self.bring_up_to_date(on) {
                break None;
            }
        };
        if let Some(mut computed) = outcome {
            let verdicts = std::mem::take(&mut computed.reads.verdicts);
            self.record(id, 1, verdicts);
            let decided = self.purpose == Purpose::Run;
            self.judge(&mut computed.problems);
            for problem in computed.problems {
                if problem.is_failed_condition() && !decided {
                    continue;
                }
                self.report_value(id, address, problem);
            }
        }
        value
    }
}
