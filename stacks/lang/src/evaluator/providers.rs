//! Provider blocks and their instances, and which of them serves a resource.

use super::{
    Evaluator,
    frame::{Frame, Names},
    graph::{InstId, Memo, Mode, Role, State},
    run::{Computed, Outcome, Stop},
    values::value,
};
use crate::{
    config::{
        NodeKind, Serving,
        blocks::{ProviderBlock, Repeat, Resource},
        module::provider_name,
    },
    decode::decode,
    eval::{NodeId, Scope},
    hints,
    instance::{Next, ProviderConfig},
    ir::Expr,
};
use weir_core::{
    Diagnostic, Key, Marks, ModulePath, Type, Value, address::ProviderRef, convert::convert,
};

impl Evaluator {
    /// A provider block: its configuration, or its instances.
    pub(super) fn provider(&mut self, id: NodeId, block: &ProviderBlock) -> Result<(), Stop> {
        if matches!(block.repeat, Repeat::Once) {
            return self.provider_instance(id, block);
        }
        let title = self.name_of(id);
        let outcome = self.keys(id, &block.repeat, &[], &title);
        let computed = self.settle(id, outcome)?;
        self.set_instances(id, computed, |_, _| ());
        Ok(())
    }

    /// The configuration of a provider, handed out.
    pub(super) fn provider_instance(
        &mut self,
        id: NodeId,
        block: &ProviderBlock,
    ) -> Result<(), Stop> {
        let entity = self.graph.get(id);
        let (inst, ix, role) = (entity.inst, entity.ix, entity.role);
        let mut provider = ProviderRef {
            module: static_path(&self.graph.module(inst).path),
            name: block.provider.name.as_str().into(),
            alias: block.provider.alias.as_deref().map(Into::into),
            key: None,
        };
        let shape = self.shapes.of_provider(&block.provider.name);
        let node = self.graph.module(inst).id(ix);
        let names = match role {
            Role::Instance(position) => {
                if let Some(x) = &self.graph.get(node).expansion
                    && let Some(Key::Name(key)) = x.keys.get(position)
                {
                    provider.key = Some(key.clone());
                }
                self.names_of(node, position).map_err(Stop::Wait)?
            }
            _ => Names::default(),
        };
        let mut outcome = self.compute(inst, names, |frame, problems| {
            decode(&block.body, &shape, &block.span, frame, problems)
        });
        // What the number of instances stands on, each of them stands on.
        if let (Ok(computed), Some(x)) = (&mut outcome, &self.graph.get(node).expansion) {
            computed.reads.deps.extend(x.deps.iter().copied());
            computed.reads.nodes.insert(node);
        }
        let computed = self.settle(id, outcome)?;
        self.providers.insert(provider.clone());
        self.ready
            .push_back(Next::Provider(Box::new(ProviderConfig {
                provider,
                config: computed.value.clone(),
                span: Some(block.span.clone()),
            })));
        self.store(id, computed);
        Ok(())
    }

    /// A provider without a block is handed out with an empty configuration, once.
    pub(super) fn implicit_provider(&mut self, provider: &ProviderRef) {
        if self.providers.contains(provider) {
            return;
        }
        self.providers.insert(provider.clone());
        let config = match self.schemas.provider(&provider.name) {
            Some(schema) => Value::object(crate::decode::Shape::new(&schema.block).empty),
            None => Value::object::<&str>([]),
        };
        self.ready
            .push_back(Next::Provider(Box::new(ProviderConfig {
                provider: provider.clone(),
                config,
                span: None,
            })));
    }

    /// The provider that serves a resource, and what its configuration stands on. `names` are those
    /// of the resource's instance.
    pub(super) fn served_by(
        &self,
        inst: InstId,
        resource: &Resource,
        serving: Option<&Serving>,
        names: &Names,
    ) -> Outcome<ProviderRef> {
        let mut computed = match serving {
            Some(serving) => self.serving_key(inst, serving, names)?,
            None => Computed::of(ProviderRef::new(provider_name(resource))),
        };
        // A built-in provider may serve types that are not named after it.
        if resource.provider.is_none()
            && serving.is_none_or(|s| s.block.is_none())
            && let Some(name) = self.schemas.provider_of(resource.object.type_name())
            && name != computed.value.name
        {
            computed.value = ProviderRef::new(name);
        }
        if !computed.problems.is_empty() {
            return Ok(computed);
        }
        if let Some(memo) = self.provider_config(&computed.value)? {
            computed.reads.deps.extend(memo.deps.iter().copied());
        }
        Ok(computed)
    }

    /// The provider with the key of its instance.
    fn serving_key(&self, inst: InstId, serving: &Serving, names: &Names) -> Outcome<ProviderRef> {
        let Some((level, expr)) = &serving.key else {
            return Ok(Computed::of(serving.provider.clone()));
        };
        let (mut inst, mut names) = (inst, names.clone());
        for _ in 0..*level {
            let module = self.graph.module(inst);
            let (Some((parent, position)), Some((_, call))) =
                (module.parent, self.module_of(inst).parent)
            else {
                break;
            };
            names = self.names_of(self.graph.module(parent).id(call), position)?;
            inst = parent;
        }
        self.compute(inst, names, |frame, problems| {
            let key = provider_key(expr, frame, problems)?;
            let mut provider = serving.provider.clone();
            if let Some(key) = key {
                self.check_instance(&provider, &key, expr, frame, problems)?;
                provider.key = Some(key.into());
            }
            Ok(provider)
        })
    }

    /// Reports a key that is not one of the provider's instances.
    fn check_instance(
        &self,
        provider: &ProviderRef,
        key: &str,
        expr: &Expr,
        frame: &Frame<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<(), NodeId> {
        let Some(node) = self.provider_node(provider) else {
            return Ok(());
        };
        let Some(x) = &self.graph.get(node).expansion else {
            return Err(node);
        };
        if x.mode != Mode::Each || x.position(&Key::Name(key.into())).is_some() {
            return Ok(());
        }
        let keys = x.keys.iter().filter_map(|k| match k {
            Key::Name(k) => Some(k.as_str()),
            _ => None,
        });
        let mut d = Diagnostic::error(format!("Provider `{provider}` has no instance {key:?}"))
            .because("Its instances have the keys of its `for_each`.");
        d.help = hints::suggest(key, keys, |k| format!("{provider}[\"{k}\"]"));
        problems.push(frame.context().sources.point(d, &expr.span));
        Ok(())
    }

    /// The node of a provider's block, where it has one.
    fn provider_node(&self, provider: &ProviderRef) -> Option<NodeId> {
        let mut inst = InstId(0);
        for (name, _) in &provider.module.0 {
            let call = self.module_of(inst).names.calls.get(name.as_str())?;
            let x = self
                .graph
                .get(self.graph.module(inst).id(*call))
                .expansion
                .as_ref()?;
            inst = *x.children.first()?;
        }
        let local = crate::config::blocks::LocalProvider {
            name: provider.name.to_string(),
            alias: provider.alias.as_deref().map(str::to_owned),
        };
        let ix = self.module_of(inst).names.providers.get(&local)?;
        Some(self.graph.module(inst).id(*ix))
    }

    /// The configuration of a provider that has a block.
    pub(super) fn provider_config(&self, provider: &ProviderRef) -> Result<Option<&Memo>, NodeId> {
        let Some(mut id) = self.provider_node(provider) else {
            return Ok(None);
        };
        if let Some(key) = &provider.key {
            let Some(x) = &self.graph.get(id).expansion else {
                return Err(id);
            };
            match x.position(&Key::Name(key.clone())) {
                Some(position) => id = x.instance(position),
                None => return Ok(None),
            }
        }
        match &self.graph.get(id).state {
            State::Ready(memo) => Ok(Some(memo)),
            _ => Err(id),
        }
    }

    /// The provider an `import` names.
    pub(super) fn import_provider(
        &self,
        id: NodeId,
        names: &Names,
    ) -> Outcome<Option<ProviderRef>> {
        let entity = self.graph.get(id);
        let node = self.module_of(entity.inst).node(entity.ix);
        let (NodeKind::Import(_), Some(serving)) = (&node.kind, &node.provider) else {
            return Ok(Computed::of(None));
        };
        let computed = self.serving_key(entity.inst, serving, names)?;
        Ok(computed.map(Some))
    }
}

/// A module's path; one with provider blocks has no instances to tell apart.
fn static_path(path: &ModulePath) -> ModulePath {
    ModulePath(path.0.iter().map(|(n, _)| (n.clone(), Key::None)).collect())
}

/// The key of a provider's instance: known text that may be shown.
fn provider_key(
    expr: &Expr,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<String>, NodeId> {
    let before = problems.len();
    let given = value(expr, frame, problems)?;
    if problems.len() > before {
        return Ok(None);
    }
    if given.is_unknown() && frame.ev.purpose.is_check() {
        return Ok(None);
    }
    let why = if given.marks_deep() != Marks::NONE {
        "It is sensitive or ephemeral, and it is part of the provider's name, which is shown."
    } else if given.is_unknown() {
        "It is not known before apply, and what serves a resource must be known to plan it."
    } else {
        match convert(&given, &Type::String) {
            Ok(v) if v.as_str().is_some() => return Ok(v.as_str().map(str::to_owned)),
            _ => "It must be text.",
        }
    };
    let d = Diagnostic::error("The key of a provider can't be used")
        .because(why)
        .help("Write `provider = NAME.ALIAS[\"KEY\"]`, or `[each.key]`.");
    problems.push(frame.context().sources.point(d, &expr.span));
    Ok(None)
}
