//! Configurations of providers and of instances.

use super::{
    Evaluator,
    frame::Names,
    graph::{Memo, Role, State},
    run::{Computed, Outcome, Stop},
    values::check,
};
use crate::{
    config::{
        NodeKind,
        blocks::{ProviderBlock, Resource},
        module::provider_name,
    },
    decode::{article, decode},
    eval::NodeId,
    instance::{Instance, Lifecycle, Next, ProviderConfig},
};
use weir_core::{Address, Diagnostic, Object, Span, Value, address::ProviderRef};

/// Everything an instance is handed out with, except what it depends on.
pub(super) struct Ready {
    pub(super) config: Value,
    pub(super) provider: ProviderRef,
    pub(super) lifecycle: Lifecycle,
    pub(super) span: Span,
}

/// `a string`, `an object`: what a value is, for messages.
pub(super) fn a(value: &Value) -> String {
    article(&value.ty())
}

impl Evaluator {
    pub(super) fn provider(&mut self, id: NodeId, block: &ProviderBlock) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let shape = self.shapes.of_provider(&block.provider.name);
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            decode(&block.body, &shape, &block.span, frame, problems)
        });
        let computed = self.settle(id, outcome)?;
        self.providers.insert(block.provider.clone());
        self.ready
            .push_back(Next::Provider(Box::new(ProviderConfig {
                provider: block.provider.clone(),
                module: self.graph.module(inst).path.clone(),
                config: computed.value.clone(),
                span: Some(block.span.clone()),
            })));
        self.store(id, computed);
        Ok(())
    }

    /// Hands out an instance, its provider before it.
    pub(super) fn instance(&mut self, id: NodeId) -> Result<(), Stop> {
        if !matches!(self.graph.get(id).state, State::Pending) {
            return Ok(());
        }
        let outcome = self.configuration(id);
        let mut computed = self.settle(id, outcome)?;
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
        let dependencies = self.addresses(&computed.deps(), id);
        let undecided = computed.reads.undecided;
        self.own_slug(&address, &computed.value)?;
        let Ready {
            config,
            provider,
            lifecycle,
            span,
        } = computed.value;
        self.implicit_provider(&provider);
        self.graph.get_mut(id).state = State::Yielded;
        self.graph.outstanding += 1;
        self.yielded.insert(address.clone(), id);
        self.ready.push_back(Next::Instance(Box::new(Instance {
            address,
            provider,
            config,
            undecided,
            dependencies,
            lifecycle,
            span,
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

    /// A provider without a block is handed out with an empty configuration, once.
    fn implicit_provider(&mut self, provider: &ProviderRef) {
        if !self.providers.insert(provider.clone()) {
            return;
        }
        let config = match self.schemas.provider(&provider.name) {
            Some(schema) => Value::object(crate::decode::Shape::new(&schema.block).empty),
            None => Value::object::<&str>([]),
        };
        self.ready
            .push_back(Next::Provider(Box::new(ProviderConfig {
                provider: provider.clone(),
                module: weir_core::ModulePath::root(),
                config,
                span: None,
            })));
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
        let provider = node.provider.clone().unwrap_or_else(|| ProviderRef {
            name: provider_name(resource),
            alias: None,
        });
        let mut computed = self.compute(entity.inst, names, |frame, problems| {
            let what = format!("{} is refused", resource.object);
            check(&resource.preconditions, &what, frame, problems)?;
            decode(&resource.body, &shape, &resource.span, frame, problems)
        })?;
        let provider = self.served_by(resource, provider);
        if let Some(config) = self.provider_block(&provider)? {
            computed.reads.deps.extend(config.deps.iter().copied());
        }
        Ok(Computed {
            value: Ready {
                config: computed.value,
                provider,
                lifecycle: resource.lifecycle.clone(),
                span: resource.span.clone(),
            },
            reads: computed.reads,
            problems: computed.problems,
        })
    }

    /// A built-in provider may serve types that are not named after it.
    fn served_by(&self, resource: &Resource, provider: ProviderRef) -> ProviderRef {
        if resource.provider.is_some() {
            return provider;
        }
        match self.schemas.provider_of(resource.object.type_name()) {
            Some(name) if name != provider.name => ProviderRef {
                name: name.to_owned(),
                alias: None,
            },
            _ => provider,
        }
    }

    /// The configuration of a provider that has a block.
    pub(super) fn provider_block(&self, provider: &ProviderRef) -> Result<Option<&Memo>, NodeId> {
        let root = &self.config.modules[0];
        let Some(ix) = root.names.providers.get(provider) else {
            return Ok(None);
        };
        let id = self.graph.module(super::graph::InstId(0)).id(*ix);
        match &self.graph.get(id).state {
            State::Ready(memo) => Ok(Some(memo)),
            _ => Err(id),
        }
    }

    /// Holds a resource's postconditions against the value it got.
    pub(super) fn check_postconditions(
        &mut self,
        id: NodeId,
        address: &Address,
        value: Value,
    ) -> Value {
        let NodeKind::Resource(resource) = self.kind_of(id).clone() else {
            return value;
        };
        if resource.postconditions.is_empty() {
            return value;
        }
        let entity = self.graph.get(id);
        let Role::Instance(position) = entity.role else {
            return value;
        };
        let block = self.graph.module(entity.inst).id(entity.ix);
        let Ok(names) = self.names_of(block, position) else {
            return value;
        };
        let names = Names {
            own: Some(value.clone()),
            ..names
        };
        let outcome = self.compute(entity.inst, names, |frame, problems| {
            check(
                &resource.postconditions,
                &format!("{address} is not as it must be"),
                frame,
                problems,
            )
        });
        // What it refers to beside itself had a value before it was yielded.
        if let Ok(computed) = outcome {
            for problem in computed.problems {
                self.report(problem, Some(address));
            }
        }
        value
    }
}
