//! How many instances a block has, and which.

use super::{
    Evaluator, Purpose,
    frame::{Frame, Names},
    graph::{Deps, InstId, Instances, Mode, Role, State},
    lifecycle::truth,
    origin::{is_not_known_yet, unknown},
    run::{Computed, Outcome, Stop},
    values::value,
};
use crate::{
    config::{
        ModuleId, NodeKind,
        blocks::{ModuleCall, Repeat, Resource},
    },
    eval::{NodeId, Scope},
    ir::{Expr, RefStep, Reference},
};
use std::{collections::BTreeSet, sync::Arc};
use weir_core::{Diagnostic, Key, Kind, Marks, Type, Value, convert::convert};

/// What an expansion is before it has nodes.
pub(super) type Keys = (Mode, Vec<Key>, Vec<Value>);

impl Evaluator {
    pub(super) fn expand_resource(&mut self, id: NodeId, resource: &Resource) -> Result<(), Stop> {
        // Instances are told what is imported as they are made.
        if let Some(import) = self.open_import(id) {
            return Err(Stop::Wait(import));
        }
        let title = match resource.repeat {
            // Nothing is said of it.
            Repeat::Once => String::new(),
            _ => self.name_of(id),
        };
        let outcome = self.keys(id, &resource.repeat, &resource.depends_on, &title);
        let computed = self.settle(id, outcome)?;
        let computed = computed.map(|keys| self.as_written(keys));
        self.set_instances(id, computed, |_, _| ());
        Ok(())
    }

    pub(super) fn expand_call(
        &mut self,
        id: NodeId,
        call: &ModuleCall,
        child: ModuleId,
    ) -> Result<(), Stop> {
        let title = self.name_of(id);
        let outcome = self.keys(id, &call.repeat, &call.depends_on, &title);
        let computed = self.settle(id, outcome)?;
        let mut computed = computed.map(|keys| self.as_written(keys));
        if self.graph.get(id).expansion.is_some() {
            let (_, keys, values) = computed.value;
            self.graph.renew(id, &keys, values);
            let value = Value::null();
            self.store(
                id,
                Computed {
                    value,
                    reads: computed.reads,
                    problems: Vec::new(),
                },
            );
            return Ok(());
        }
        let inst = self.graph.get(id).inst;
        computed
            .reads
            .deps
            .extend(self.graph.module(inst).deps.iter().copied());
        let deps = computed.deps();
        let (mode, keys, values) = computed.value;
        let path = self.graph.module(inst).path.clone();
        let children = keys
            .iter()
            .enumerate()
            .map(|(position, key)| {
                let path = path.child(&*call.name, key.clone());
                self.start_module(child, path, Some((inst, position)), deps.clone())
            })
            .collect();
        self.graph.set_children(
            id,
            Instances {
                mode,
                keys,
                values,
                deps,
            },
            children,
        );
        let value = Value::null();
        self.store(
            id,
            Computed {
                value,
                reads: computed.reads,
                problems: Vec::new(),
            },
        );
        Ok(())
    }

    /// Gives a block its instances and puts them in line; where it has them already, their values
    /// are made new. `before` runs once it has them.
    pub(super) fn set_instances(
        &mut self,
        id: NodeId,
        computed: Computed<Keys>,
        before: impl FnOnce(&mut Evaluator, NodeId),
    ) {
        let deps = computed.deps();
        let (mode, keys, values) = computed.value;
        if self.graph.get(id).expansion.is_none() {
            let expansion = self.graph.expand(
                id,
                Instances {
                    mode,
                    keys,
                    values,
                    deps,
                },
            );
            before(self, id);
            for instance in expansion.instances() {
                self.enqueue(instance);
            }
        } else {
            self.graph.renew(id, &keys, values);
        }
        let value = Value::null();
        self.store(
            id,
            Computed {
                value,
                reads: computed.reads,
                problems: Vec::new(),
            },
        );
    }

    /// The keys of a block's instances.
    pub(super) fn keys(
        &self,
        id: NodeId,
        repeat: &Repeat,
        depends_on: &[Reference],
        title: &str,
    ) -> Outcome<Keys> {
        self.compute(
            self.graph.get(id).inst,
            Names::default(),
            |frame, problems| {
                for reference in depends_on {
                    match self.made_by(frame.inst, reference) {
                        Ok(deps) => frame.depend(&deps),
                        // It comes after itself: that says nothing.
                        Err(node) if self.is_block_of(id, node) => {}
                        Err(node) => return Err(node),
                    }
                }
                Ok(match repeat {
                    Repeat::Once => (Mode::Once, vec![Key::None], Vec::new()),
                    Repeat::Count(expr) => {
                        let mut found = Vec::new();
                        let n = count(expr, title, frame, &mut found)?.unwrap_or(0);
                        if n == 0 && self.stays_open(&found) {
                            return Ok((Mode::Count, vec![Key::None], Vec::new()));
                        }
                        problems.append(&mut found);
                        (Mode::Count, (0..n).map(Key::Index).collect(), Vec::new())
                    }
                    Repeat::Enabled(expr) => {
                        let enabled = truth(expr, "enabled", title, frame, problems)?;
                        let keys = match enabled {
                            Some(false) => Vec::new(),
                            _ => vec![Key::None],
                        };
                        (Mode::Once, keys, Vec::new())
                    }
                    Repeat::ForEach(expr) => {
                        let mut found = Vec::new();
                        let (pairs, open) = for_each(expr, title, frame, &mut found)?;
                        if pairs.is_empty() && self.stays_open(&found) {
                            return Ok((Mode::Each, vec![Key::None], vec![open]));
                        }
                        problems.append(&mut found);
                        let (keys, values) = pairs.into_iter().unzip();
                        (Mode::Each, keys, values)
                    }
                })
            },
        )
    }

    /// Whether a block without a known instance gets one for all there may be.
    fn stays_open(&self, problems: &[Diagnostic]) -> bool {
        self.purpose.is_check() && problems.iter().all(is_not_known_yet)
    }

    /// As the block is written, one instance stands for all, of which nothing is known.
    fn as_written(&self, (mode, keys, values): Keys) -> Keys {
        match mode {
            _ if self.purpose != Purpose::Form => (mode, keys, values),
            Mode::Once => (mode, keys, values),
            Mode::Count => (mode, vec![Key::None], Vec::new()),
            Mode::Each => (mode, vec![Key::None], vec![Value::unknown(Type::Dynamic)]),
        }
    }

    /// Whether a node is another, one of its instances or all of them.
    fn is_block_of(&self, id: NodeId, node: NodeId) -> bool {
        let (block, node) = (self.graph.get(id), self.graph.get(node));
        block.inst == node.inst && block.ix == node.ix
    }

    /// Everything that is made by what a `depends_on` names, once it has values.
    pub(super) fn made_by(&self, inst: InstId, r: &Reference) -> Result<Deps, NodeId> {
        let module = self.module_of(inst);
        let inst = self.graph.module(inst);
        let (mut blocks, mut values) = (Vec::new(), Vec::new());
        match &*r.root {
            "module" => {
                let call = r.attr(0).and_then(|n| module.names.calls.get(n));
                let Some(call) = call.map(|ix| inst.id(*ix)) else {
                    return Ok(Deps::default());
                };
                self.made_in_call(call, &mut blocks, &mut values)?;
            }
            "var" | "local" => {
                let names = match &*r.root == "var" {
                    true => &module.names.variables,
                    false => &module.names.locals,
                };
                let value = r.attr(0).and_then(|n| names.get(n)).map(|ix| inst.id(*ix));
                let Some(value) = value else {
                    return Ok(Deps::default());
                };
                return match &self.graph.get(value).state {
                    State::Ready(memo) => Ok(memo.deps.clone()),
                    _ => Err(value),
                };
            }
            "service" => {
                let service = r.attr(0).and_then(|n| module.names.services.get(n));
                let pods = module
                    .names
                    .pods
                    .iter()
                    .filter(|((s, _), _)| Some(s) == service);
                blocks.extend(pods.map(|(_, ix)| inst.id(*ix)));
            }
            "site" => {
                blocks.extend(
                    r.attr(0)
                        .and_then(|n| module.names.sites.get(n))
                        .map(|ix| inst.id(*ix)),
                );
            }
            root => {
                let of_kind = module.names.resources(root);
                let at = usize::from(of_kind.is_some());
                let names = of_kind.unwrap_or(&module.names.managed);
                let ty = if at == 1 {
                    r.attr(0).unwrap_or_default()
                } else {
                    root
                };
                let found = r.attr(at).and_then(|name| names.get(ty)?.get(name));
                blocks.extend(found.map(|ix| inst.id(*ix)));
                if let (Some(block), Some(RefStep::Index(index))) =
                    (blocks.first(), r.steps.get(at + 1))
                    && let Some(one) = self.instance_at(*block, index)?
                {
                    return Ok(Arc::new([one].into()));
                }
            }
        }
        let mut deps = BTreeSet::new();
        for block in blocks {
            let entity = self.graph.get(block);
            let Some(x) = entity.expansion.as_ref() else {
                return Err(block);
            };
            if !matches!(self.graph.get(x.all).state, State::Complete(_)) {
                return Err(x.all);
            }
            deps.insert(x.all);
        }
        for value in values {
            let State::Ready(memo) = &self.graph.get(value).state else {
                return Err(value);
            };
            deps.extend(memo.deps.iter().copied());
        }
        Ok(Arc::new(deps))
    }

    fn instance_at(&self, block: NodeId, index: &Value) -> Result<Option<NodeId>, NodeId> {
        let Some(x) = &self.graph.get(block).expansion else {
            return Err(block);
        };
        let key = match (index.as_str(), index.as_i64()) {
            (Some(key), _) => Key::Name(key.into()),
            (_, Some(i)) => Key::Index(u64::try_from(i).unwrap_or(u64::MAX)),
            _ => return Ok(None),
        };
        match x.position(&key).map(|p| x.instance(p)) {
            Some(id) if matches!(self.graph.get(id).state, State::Supplied(_)) => Ok(Some(id)),
            Some(id) => Err(id),
            None => Ok(None),
        }
    }

    fn made_in_call(
        &self,
        call: NodeId,
        blocks: &mut Vec<NodeId>,
        values: &mut Vec<NodeId>,
    ) -> Result<(), NodeId> {
        let mut todo = vec![call];
        while let Some(call) = todo.pop() {
            let Some(x) = &self.graph.get(call).expansion else {
                return Err(call);
            };
            for child in &x.children {
                let inst = self.graph.module(*child);
                for (ix, node) in self.module_of(*child).nodes.iter().enumerate() {
                    let id = inst.id(crate::config::NodeIx(ix));
                    match &node.kind {
                        NodeKind::Resource(_) | NodeKind::Site(_) | NodeKind::Pods(..) => {
                            blocks.push(id)
                        }
                        // What a module is given, and hands on, is of it where it makes nothing.
                        NodeKind::Variable(_) | NodeKind::Output(_) => values.push(id),
                        NodeKind::Call(..) => todo.push(id),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// The addresses that nodes stand for, sorted; `own` is left out. All instances of a block
    /// are one address, the block's: a thousand readers of a thousand instances cost a thousand.
    pub(super) fn addresses(
        &self,
        deps: &BTreeSet<NodeId>,
        own: NodeId,
    ) -> Vec<weir_core::Address> {
        if deps.is_empty() {
            return Vec::new();
        }
        let mut out = BTreeSet::new();
        for id in deps.iter().copied().filter(|id| *id != own) {
            let entity = self.graph.get(id);
            match entity.role {
                Role::Instance(_) => out.extend(self.address_of(id)),
                Role::All if !self.is_block_of(own, id) => {
                    let inst = self.graph.module(entity.inst);
                    out.extend(self.object_of(inst.id(entity.ix)).map(|object| {
                        weir_core::Address {
                            module: inst.path.clone(),
                            object,
                            key: Key::None,
                        }
                    }));
                }
                _ => {}
            }
        }
        out.into_iter().collect()
    }
}

/// The most instances one block may have: a slip in a `count` is an error, not a full memory.
const MOST: u64 = 1_000_000;

/// The number a `count` says; `None` where it is in error.
pub(super) fn count(
    expr: &Expr,
    title: &str,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<u64>, NodeId> {
    let before = problems.len();
    let given = value(expr, frame, problems)?;
    if problems.len() > before {
        return Ok(None);
    }
    let problem = if given.marks_deep().contains(Marks::EPHEMERAL) {
        Diagnostic::error(format!("`count` of {title} is ephemeral"))
            .because(
                "How many instances there are must be the same at plan and apply, and is kept.",
            )
            .help("Use a value that is not ephemeral.")
    } else if given.marks_deep().contains(Marks::SENSITIVE) {
        Diagnostic::error(format!("`count` of {title} is sensitive"))
            .because(
                "How many instances there are is shown in every plan, so it can't be kept secret.",
            )
            .help("Wrap what may be shown in `nonsensitive(...)`.")
    } else if given.is_unknown()
        && let Err(error) = convert(&given, &Type::Number)
    {
        Diagnostic::error(format!(
            "`count` of {title} is {}",
            super::blocks::a(&given)
        ))
        .because(format!("It must be a whole number: {error}."))
        .help(crate::hints::form(&Type::Number))
    } else if given.is_unknown() {
        unknown("count", title, expr, frame)
    } else {
        let number = convert(&given, &Type::Number).ok();
        match number
            .as_ref()
            .and_then(Value::as_i64)
            .and_then(|n| u64::try_from(n).ok())
        {
            Some(n) if n <= MOST => return Ok(Some(n)),
            Some(n) => Diagnostic::error(format!("`count` of {title} is {n}"))
                .because(format!("A block has at most {MOST} instances."))
                .help("Lower it."),
            None => Diagnostic::error(format!("`count` of {title} is {given}"))
                .because("It must be a whole number, zero or more.")
                .help("For one instance or none, write `count = CONDITION ? 1 : 0`."),
        }
    };
    problems.push(frame.context().sources.point(problem, &expr.span));
    Ok(None)
}

/// The keys and values a `for_each` says, and what each value is as long as they are not known.
fn for_each(
    expr: &Expr,
    title: &str,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<(Vec<(Key, Value)>, Value), NodeId> {
    let before = problems.len();
    let given = value(expr, frame, problems)?;
    let open = match given.ty() {
        Type::Map(of) => Value::unknown((*of).clone()),
        Type::Set(_) => Value::unknown_not_null(Type::String),
        _ => Value::unknown(Type::Dynamic),
    };
    if problems.len() > before {
        return Ok((Vec::new(), open));
    }
    let refused = |why: String| {
        Diagnostic::error(format!("`for_each` of {title} can't be used"))
            .because(why)
            .help("Write a map, or a set of text: `toset([\"a\", \"b\"])`.")
    };
    let marked = |v: &Value| v.marks().contains(Marks::SENSITIVE);
    let problem = match given.kind() {
        _ if given.marks().contains(Marks::EPHEMERAL) => refused(
            "It is ephemeral, and the instances it makes are kept.".into(),
        ),
        _ if marked(&given) => refused(
            "It is sensitive, and its keys are part of the instances' addresses, which are shown.".into(),
        )
        .help("Take keys that may be shown: `nonsensitive(...)`, or a set of names beside the secrets."),
        Kind::Unknown(ty, _) if may_be_keys(ty) => unknown("for_each", title, expr, frame),
        Kind::Null(_) => refused("It is null; it must be a map, an object or a set of text.".into())
            .help("For no instance, give an empty one: `{}`."),
        Kind::Map(_, m) | Kind::Object(m) => {
            let pairs = m.iter().map(|(k, v)| (Key::Name((&**k).into()), v.clone()));
            return Ok((pairs.collect(), open));
        }
        Kind::Set(_, items) if items.iter().any(Value::is_unknown) => {
            unknown("for_each", title, expr, frame)
        }
        Kind::Set(ty, items) if *ty == Type::String || items.is_empty() => {
            let keys = items.iter().filter_map(|v| Some((Key::Name(v.as_str()?.into()), v.clone())));
            let keys: Vec<_> = keys.collect();
            if keys.len() == items.len() {
                return Ok((keys, open));
            }
            refused("A set for it must hold no null.".into())
        }
        Kind::List(..) | Kind::Tuple(_) | Kind::Unknown(Type::List(_) | Type::Tuple(_), _) => {
            refused(format!("It is {}, whose elements have no names of their own.", super::blocks::a(&given)))
                .help("Write `toset(...)` around a list of names, or make an object: `{ for x in ... : x.name => x }`.")
        }
        _ => refused(format!(
            "It is {}; it must be a map, an object or a set of text.",
            super::blocks::a(&given)
        )),
    };
    problems.push(frame.context().sources.point(problem, &expr.span));
    Ok((Vec::new(), open))
}

/// Whether a value of this type may say keys and values.
fn may_be_keys(ty: &Type) -> bool {
    match ty {
        Type::Set(of) => matches!(**of, Type::String | Type::Dynamic),
        _ => matches!(ty, Type::Map(_) | Type::Object(_) | Type::Dynamic),
    }
}
