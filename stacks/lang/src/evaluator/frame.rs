//! The names an expression sees, at one place of the configuration in one module instance.

use super::{
    Evaluator, Purpose, Roots,
    graph::{Deps, Expansion, InstId, Mode, Role, State},
};
use crate::{
    config::{Module, NodeIx, NodeKind},
    eval::{Context, EvalError, NodeId, Resolved, Scope},
    hints,
    ir::{RefStep, Reference},
    services::offers,
};
use std::{cell::RefCell, collections::BTreeSet, sync::Arc};
use weir_core::{Diagnostic, Key, Kind, Marks, Type, Value, convert::convert};

/// What was looked up.
#[derive(Default)]
pub(super) struct Reads {
    /// Instances the result stands on.
    pub(super) deps: BTreeSet<NodeId>,
    /// Nodes whose values went into it.
    pub(super) nodes: BTreeSet<NodeId>,
    /// A condition was not decided, as its value is not known yet.
    pub(super) undecided: bool,
    /// What came of conditions.
    pub(super) verdicts: Vec<super::checks::Verdict>,
}

/// A scope: one place in one module instance.
pub(super) struct Frame<'a> {
    pub(super) ev: &'a Evaluator,
    pub(super) inst: InstId,
    pub(super) names: Names,
    pub(super) reads: RefCell<Reads>,
}

/// Names beside those of the module.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// `count.index`
    pub(super) count: Option<Value>,
    /// `each.key` and `each.value`
    pub(super) each: Option<(Value, Value)>,
    /// `self`
    pub(super) own: Option<Value>,
    /// A variable that is being validated: its name and value.
    pub(super) variable: Option<(Arc<str>, Value)>,
    /// The service the place lies in.
    pub(super) service: Option<NodeId>,
    /// Names of a test.
    pub(super) roots: Option<Arc<Roots>>,
}

impl Names {
    /// The names of an instance of a block.
    pub(super) fn of(expansion: &Expansion, position: usize) -> Names {
        let mut names = Names::default();
        match (expansion.mode, &expansion.keys[position]) {
            (Mode::Count, Key::Index(i)) => names.count = Some(Value::number(*i)),
            (Mode::Each, Key::Name(key)) => {
                let value = expansion.values.get(position).cloned();
                let key = Value::string(key.as_str());
                names.each = Some((key.clone(), value.unwrap_or(key)));
            }
            (Mode::Count, Key::None) => {
                names.count = Some(Value::unknown_not_null(Type::Number));
            }
            (Mode::Each, Key::None) => {
                let value = expansion.values.get(position).cloned();
                let key = Value::unknown_not_null(Type::String);
                names.each = Some((key.clone(), value.unwrap_or(key)));
            }
            _ => {}
        }
        names
    }
}

impl<'a> Frame<'a> {
    pub(super) fn new(ev: &'a Evaluator, inst: InstId, names: Names) -> Frame<'a> {
        Frame {
            ev,
            inst,
            names,
            reads: RefCell::default(),
        }
    }

    fn module(&self) -> &'a Module {
        self.ev.module_of(self.inst)
    }

    fn id(&self, ix: NodeIx) -> NodeId {
        self.ev.graph.module(self.inst).id(ix)
    }

    fn problem(&self, d: Diagnostic, reference: &Reference) -> EvalError {
        self.context().sources.point(d, &reference.span).into()
    }

    /// Notes that the result stands on these.
    pub(super) fn depend(&self, deps: &Deps) {
        self.reads.borrow_mut().deps.extend(deps.iter().copied());
    }

    /// The value of a node that has one value.
    fn value(&self, id: NodeId) -> Result<Value, EvalError> {
        match &self.ev.graph.get(id).state {
            State::Ready(memo) => {
                let mut reads = self.reads.borrow_mut();
                reads.nodes.insert(id);
                reads.deps.extend(memo.deps.iter().copied());
                Ok(memo.value.clone())
            }
            _ => Err(EvalError::NotReady(id)),
        }
    }

    fn named(
        &self,
        names: &std::collections::BTreeMap<Arc<str>, NodeIx>,
        r: &Reference,
    ) -> Result<NodeId, EvalError> {
        match r.attr(0).and_then(|name| names.get(name)) {
            Some(ix) => Ok(self.id(*ix)),
            // Linking has reported it where it is part of the configuration; an expression that
            // is evaluated by itself gets here.
            None => {
                let root = &r.root;
                let mut d = Diagnostic::error(format!("There is no `{}`", r.prefix(1)));
                let name = r.attr(0).unwrap_or_default();
                d.help =
                    hints::suggest(name, names.keys().map(|k| &**k), |n| format!("{root}.{n}"));
                Err(self.problem(d, r))
            }
        }
    }

    fn one(
        &self,
        names: &std::collections::BTreeMap<Arc<str>, NodeIx>,
        r: &Reference,
    ) -> Result<Resolved, EvalError> {
        Ok(Resolved {
            value: self.value(self.named(names, r)?)?,
            consumed: 1,
        })
    }

    fn field(&self, value: Option<&Value>, r: &Reference) -> Result<Resolved, EvalError> {
        match value {
            Some(value) => Ok(Resolved {
                value: value.clone(),
                consumed: 1,
            }),
            None => {
                // Linking has reported it where it is part of the configuration; an expression
                // that is evaluated by itself gets here.
                let d = Diagnostic::error(format!("`{r}` has no meaning here"));
                let d = match &*r.root {
                    "each" | "count" | "self" => d
                        .because("It is known only in a block that has it.")
                        .help("Use a value here that stands outside of blocks."),
                    root => d.because("The module has no such resource.").help(format!(
                        "A resource is named by type and name: `TYPE.NAME`. For text, write it in \
                         quotes: \"{root}\"."
                    )),
                };
                Err(self.problem(d, r))
            }
        }
    }

    fn service(&self, r: &Reference) -> Result<Resolved, EvalError> {
        let id = self.named(&self.module().names.services, r)?;
        let value = self.value(id)?;
        // Inside a service its placement is known, and its own pods are no dependency.
        if self.names.service != Some(id) {
            let only = match (r.attr(1), r.attr(2)) {
                (Some("pods"), Some(pod)) => Some(pod),
                _ => None,
            };
            let ix = self.ev.graph.get(id).ix;
            let names = &self.module().names;
            let pods = names.pods.iter().filter(|((service, pod), _)| {
                *service == ix && only.is_none_or(|only| **pod == *only)
            });
            for (_, pods) in pods {
                match &self.ev.graph.get(self.id(*pods)).expansion {
                    Some(x) => self.reads.borrow_mut().deps.insert(x.all),
                    None => return Err(EvalError::NotReady(self.id(*pods))),
                };
            }
        }
        Ok(Resolved { value, consumed: 1 })
    }

    /// A resource or data source whose name takes `used` steps.
    fn resource(&self, ix: NodeIx, r: &Reference, used: usize) -> Result<Resolved, EvalError> {
        let id = self.id(ix);
        let entity = self.ev.graph.get(id);
        let Some(x) = entity
            .expansion
            .as_ref()
            .filter(|_| !self.ev.graph.is_failed(id))
        else {
            return Err(EvalError::NotReady(id));
        };
        let step = r.steps.get(used);
        let (position, consumed) = match (x.mode, step) {
            (Mode::Once, Some(RefStep::Index(_))) => {
                let name = r.prefix(used);
                let d = Diagnostic::error(format!("`{name}` has a single instance"))
                    .because("It has neither `count` nor `for_each`, so there is no index to it.")
                    .help(format!("Write `{name}` without the index."));
                return Err(self.problem(d, r));
            }
            (Mode::Once, _) if x.keys.is_empty() => {
                self.depend(&x.deps);
                self.reads.borrow_mut().nodes.insert(id);
                let value = Value::null();
                return Ok(Resolved {
                    value,
                    consumed: used,
                });
            }
            (Mode::Once, _) => (0, used),
            (_, Some(RefStep::Index(_))) if x.is_open() => (0, used + 1),
            (mode, Some(RefStep::Index(index))) if !index.is_unknown() => {
                (self.position(x, mode, index, r, used)?, used + 1)
            }
            (mode, Some(RefStep::Attr(attribute))) => {
                let name = r.prefix(used);
                let key = if mode == Mode::Count { "0" } else { "\"KEY\"" };
                let d = Diagnostic::error(format!("`{name}` has several instances"))
                    .because(format!("`.{attribute}` must say of which one."))
                    .help(format!(
                        "Write `{name}[{key}].{attribute}` for one, or `{name}[*].{attribute}` for all."
                    ));
                return Err(self.problem(d, r));
            }
            _ => {
                return Ok(Resolved {
                    value: self.all(x)?,
                    consumed: used,
                });
            }
        };
        let instance = x.instance(position);
        let State::Supplied(value) = &self.ev.graph.get(instance).state else {
            return Err(EvalError::NotReady(instance));
        };
        {
            let mut reads = self.reads.borrow_mut();
            reads.nodes.insert(instance);
            reads.deps.insert(instance);
        }
        if let (Some(RefStep::Attr(attribute)), Kind::Object(fields)) =
            (r.steps.get(consumed), value.kind())
            && !fields.contains_key(attribute)
        {
            let mut d = Diagnostic::error(format!(
                "`{}` has no attribute `{attribute}`",
                r.prefix(consumed)
            ));
            d.help = hints::suggest(attribute, fields.keys().map(|k| &**k), str::to_owned);
            return Err(self.problem(d, r));
        }
        let as_a_whole = !matches!(r.steps.get(consumed), Some(RefStep::Attr(_)));
        if self.ev.purpose == Purpose::Form && as_a_whole {
            let value = Value::unknown(Type::Dynamic);
            return Ok(Resolved { value, consumed });
        }
        Ok(Resolved {
            value: value.clone(),
            consumed,
        })
    }

    /// The instance an index names.
    fn position(
        &self,
        x: &Expansion,
        mode: Mode,
        index: &Value,
        r: &Reference,
        used: usize,
    ) -> Result<usize, EvalError> {
        let ty = if mode == Mode::Count {
            Type::Number
        } else {
            Type::String
        };
        let value = convert(&index.clone().unmark().0, &ty).ok();
        let key = value.and_then(|v| match mode {
            Mode::Count => v
                .as_i64()
                .and_then(|i| u64::try_from(i).ok())
                .map(Key::Index),
            _ => v.as_str().map(|s| Key::Name(s.into())),
        });
        if let Some(position) = key.as_ref().and_then(|k| x.position(k)) {
            return Ok(position);
        }
        let name = r.prefix(used);
        let mut d = Diagnostic::error(format!("`{name}` has no instance [{index}]"));
        d = match (mode, x.keys.len()) {
            (_, 0) => d.because("It has no instance at all.").help(format!(
                "Guard against that: `one({name}[*])`, or a condition on `length({name})`."
            )),
            (Mode::Count, n) => d
                .because(format!("It has {n}, from [0] to [{}].", n - 1))
                .help("Use one of these, or raise its `count`."),
            _ => {
                let keys: Vec<&str> = x
                    .keys
                    .iter()
                    .filter_map(|k| match k {
                        Key::Name(k) => Some(k.as_str()),
                        _ => None,
                    })
                    .collect();
                let wanted = index.as_str().unwrap_or_default();
                let help = hints::suggest(wanted, keys, |k| format!("{name}[\"{k}\"]"));
                Diagnostic {
                    help,
                    ..d.because("Its instances have the keys of its `for_each`.")
                }
            }
        };
        Err(self.problem(d, r))
    }

    /// All instances of a block: a tuple with `count`, an object with `for_each`.
    fn all(&self, x: &Expansion) -> Result<Value, EvalError> {
        let State::Complete(cell) = &self.ev.graph.get(x.all).state else {
            return Err(EvalError::NotReady(x.all));
        };
        let mut reads = self.reads.borrow_mut();
        reads.nodes.insert(x.all);
        reads.deps.insert(x.all);
        let value = cell.get_or_init(|| self.ev.together(x));
        Ok(value.clone())
    }

    /// `module.NAME...`: an output, a module instance, or all of them.
    fn call(&self, r: &Reference) -> Result<Resolved, EvalError> {
        let id = self.named(&self.module().names.calls, r)?;
        let entity = self.ev.graph.get(id);
        let Some(x) = entity
            .expansion
            .as_ref()
            .filter(|_| !self.ev.graph.is_failed(id))
        else {
            return Err(EvalError::NotReady(id));
        };
        self.depend(&x.deps);
        let position = match (x.mode, r.steps.get(1)) {
            (Mode::Once, _) if x.children.is_empty() => {
                self.reads.borrow_mut().nodes.insert(id);
                let value = Value::null();
                return Ok(Resolved { value, consumed: 1 });
            }
            (Mode::Once, _) => Some((0, 1)),
            (_, Some(RefStep::Index(_))) if x.is_open() => Some((0, 2)),
            (mode, Some(RefStep::Index(index))) if !index.is_unknown() => {
                Some((self.position(x, mode, index, r, 1)?, 2))
            }
            (_, Some(RefStep::Attr(_))) => {
                let name = r.prefix(1);
                let d = Diagnostic::error(format!("`{name}` has several instances"))
                    .because("An output must be asked of one of them.")
                    .help(format!(
                        "Write `{name}[KEY].OUTPUT` for one, or `{name}[*].OUTPUT` for all."
                    ));
                return Err(self.problem(d, r));
            }
            _ => None,
        };
        let Some((position, used)) = position else {
            let instances: Result<Vec<Value>, EvalError> = x
                .children
                .iter()
                .map(|child| self.outputs(*child))
                .collect();
            let instances = instances?;
            let value = match x.mode {
                _ if x.is_open() => Value::unknown(Type::Dynamic),
                Mode::Each => Value::object(x.keys.iter().zip(instances).map(|(key, value)| {
                    let Key::Name(key) = key else {
                        return ("", value);
                    };
                    (key.as_str(), value)
                })),
                _ => Value::tuple(instances),
            };
            return Ok(Resolved { value, consumed: 1 });
        };
        let child = x.children[position];
        if let Some(RefStep::Attr(output)) = r.steps.get(used) {
            let module = self.ev.module_of(child);
            if let Some(ix) = module.names.outputs.get(output) {
                let value = self.value(self.ev.graph.module(child).id(*ix))?;
                return Ok(Resolved {
                    value,
                    consumed: used + 1,
                });
            }
            let mut d = Diagnostic::error(format!("`{}` has no output `{output}`", r.prefix(used)));
            let names = module.names.outputs.keys().map(|k| &**k);
            d.help = hints::suggest(output, names, str::to_owned);
            return Err(self.problem(d, r));
        }
        Ok(Resolved {
            value: self.outputs(child)?,
            consumed: used,
        })
    }

    /// All outputs of a module instance as an object.
    fn outputs(&self, child: InstId) -> Result<Value, EvalError> {
        if self.ev.purpose == Purpose::Form {
            return Ok(Value::unknown(Type::Dynamic));
        }
        let module = self.ev.module_of(child);
        let inst = self.ev.graph.module(child);
        let fields: Result<Vec<(Arc<str>, Value)>, EvalError> = module
            .names
            .outputs
            .iter()
            .map(|(name, ix)| Ok((name.clone(), self.value(inst.id(*ix))?)))
            .collect();
        Ok(Value::object(fields?))
    }

    /// A name beside those of the module.
    fn beside(&self, r: &Reference) -> Option<Resolved> {
        let value = self.names.roots.as_ref()?.get(&r.root)?;
        let declared = &self.module().names.variables;
        if &*r.root != "var" {
            let value = value.clone();
            return Some(Resolved { value, consumed: 0 });
        }
        let name = r.attr(0)?;
        // A value that its variable refuses is still what a test gave: its asserts see it.
        let value = match declared.contains_key(name) {
            true => self.ev.config.values.get(name)?.clone(),
            false => value.get(name)?.clone(),
        };
        Some(Resolved { value, consumed: 1 })
    }

    fn variable(&self, r: &Reference) -> Result<Resolved, EvalError> {
        if let Some((name, value)) = &self.names.variable
            && r.attr(0) == Some(&**name)
        {
            return Ok(Resolved {
                value: value.clone(),
                consumed: 1,
            });
        }
        self.one(&self.module().names.variables, r)
    }

    fn path(&self, r: &Reference) -> Result<Resolved, EvalError> {
        let text = match r.attr(0) {
            Some("module") => crate::config::Config::folder(&self.context().module_dir),
            Some("root") => ".".to_owned(),
            Some("cwd") => self.context().root_dir.to_string_lossy().into_owned(),
            _ => return self.field(None, r),
        };
        Ok(Resolved {
            value: Value::string(text),
            consumed: 1,
        })
    }
}

impl Scope for Frame<'_> {
    fn resolve(&self, r: &Reference) -> Result<Resolved, EvalError> {
        let names = &self.module().names;
        if let Some(found) = self.beside(r) {
            return Ok(found);
        }
        match &*r.root {
            "var" => self.variable(r),
            "local" => self.one(&names.locals, r),
            "module" => self.call(r),
            "site" => self.one(&names.sites, r),
            "cluster" => self.one(&names.clusters, r),
            offers::ROOT => self.one(&names.pools, r),
            "service" => self.service(r),
            "path" => self.path(r),
            "terraform" => {
                let value = match r.attr(0) {
                    Some("workspace") => Some(Value::string(self.ev.config.workspace.as_str())),
                    // What differs between a plan and its apply must not be kept.
                    Some("applying") => {
                        let applying = self.context().settled.is_some();
                        Some(Value::bool(applying).mark(Marks::EPHEMERAL))
                    }
                    _ => None,
                };
                self.field(value.as_ref(), r)
            }
            "count" => self.field(
                self.names
                    .count
                    .as_ref()
                    .filter(|_| r.attr(0) == Some("index")),
                r,
            ),
            "each" => {
                let (key, value) = self.names.each.clone().unzip();
                match r.attr(0) {
                    Some("key") => self.field(key.as_ref(), r),
                    Some("value") => self.field(value.as_ref(), r),
                    _ => self.field(None, r),
                }
            }
            "self" => match &self.names.own {
                Some(own) => {
                    if let (Some(name), Kind::Object(fields)) = (r.attr(0), own.kind())
                        && !fields.contains_key(name)
                    {
                        let mut d = Diagnostic::error(format!("`self` has no `{name}`"));
                        d.help = hints::suggest(name, fields.keys().map(|k| &**k), |n| {
                            format!("self.{n}")
                        });
                        return Err(self.problem(d, r));
                    }
                    Ok(Resolved {
                        value: own.clone(),
                        consumed: 0,
                    })
                }
                None => self.field(None, r),
            },
            "pod" => Ok(Resolved {
                value: Value::string(r.attr(0).unwrap_or_default()),
                consumed: 1,
            }),
            "data" | "ephemeral" => {
                let of_kind = names.resources(&r.root).unwrap_or(&names.data);
                let ix = r
                    .attr(0)
                    .zip(r.attr(1))
                    .and_then(|(ty, name)| of_kind.get(ty)?.get(name));
                match ix {
                    Some(ix) => self.resource(*ix, r, 2),
                    None => self.field(None, r),
                }
            }
            ty => match r.attr(0).and_then(|name| names.managed.get(ty)?.get(name)) {
                Some(ix) => self.resource(*ix, r, 1),
                None => self.field(None, r),
            },
        }
    }

    fn context(&self) -> &Context {
        &self.ev.contexts[self.ev.graph.module(self.inst).module.0]
    }
}

impl Evaluator {
    /// The module an instance is of.
    pub(super) fn module_of(&self, inst: InstId) -> &Module {
        &self.config.modules[self.graph.module(inst).module.0]
    }

    /// The node of the configuration behind a node at run time.
    pub(super) fn kind_of(&self, id: NodeId) -> &NodeKind {
        let entity = self.graph.get(id);
        &self.module_of(entity.inst).node(entity.ix).kind
    }

    /// The address of an instance.
    pub(super) fn address_of(&self, id: NodeId) -> Option<weir_core::Address> {
        let entity = self.graph.get(id);
        let Role::Instance(position) = entity.role else {
            return None;
        };
        let inst = self.graph.module(entity.inst);
        let block = inst.id(entity.ix);
        let key = self
            .graph
            .get(block)
            .expansion
            .as_ref()?
            .keys
            .get(position)?
            .clone();
        Some(weir_core::Address {
            module: inst.path.clone(),
            object: self.object_of(block)?,
            key,
        })
    }

    /// What the instances of a block are.
    pub(super) fn object_of(&self, block: NodeId) -> Option<weir_core::Object> {
        use weir_core::Object;
        match self.kind_of(block) {
            NodeKind::Resource(r) => Some(r.object.clone()),
            NodeKind::Site(s) => Some(Object::Host {
                site: s.name.as_ref().into(),
            }),
            NodeKind::Pods(s, p) => Some(Object::Pod {
                service: s.name.as_ref().into(),
                pod: p.name.as_ref().into(),
            }),
            _ => None,
        }
    }
}
