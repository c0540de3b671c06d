//! Works through a configuration in the order of its references.
//!
//! Every node of the configuration has one node at run time for each instance of its module;
//! a block with `count` or `for_each` has one more for each of its instances. Nodes wait in line
//! by rank: what they refer to comes first.
//!
//! 1. A node is evaluated with what has a value by now. Where it needs something that has none
//!    yet, it waits for that and is put in line again when the value comes.
//! 2. Values are kept with the instances they stand on; those become [`Instance::dependencies`].
//! 3. Instances and providers whose configuration has a value are yielded.
//! 4. When an instance's value is replaced, what was made from it is forgotten and made again when
//!    somebody asks.
//! 5. What came of conditions is kept for [`Evaluator::checks`], what `import` blocks name for
//!    [`Evaluator::imports`] and for the instances themselves.
//! 6. Where a part is planned, what is wrong with single instances goes along with them
//!    ([`Evaluator::setting_aside`]): the caller knows at the end which of them are planned. Those
//!    that are not there and are not made are left out of their block ([`Evaluator::leave_out`]).
//!
//! No step recurses from node to node: a chain of references may be as long as memory allows.

mod absent;
mod aside;
mod ask;
mod assertion;
mod awaits;
mod blocks;
mod checks;
mod ephemeral;
mod expand;
mod find;
mod frame;
mod graph;
mod imports;
mod lifecycle;
mod machines;
mod origin;
mod pods;
mod providers;
mod run;
mod shapes;
mod values;

pub use assertion::Roots;
pub use checks::{CheckInstance, CheckKind, CheckResult, CheckStatus};

pub use machines::Machines;
pub use origin::is_not_known_yet;
pub use shapes::lacks_provider;

use crate::{
    config::{Config, NodeIx, NodeKind, Part},
    eval::{Context, NodeId},
    instance::{Import, Instance, Next, PlaceRequest, Placement},
    services::pools::MachinePool,
};
use graph::{Deps, Graph, InstId, Role, State};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use weir_core::{
    Address, Diagnostic, Diagnostics, ModulePath, Span, Value,
    address::ProviderRef,
    function::{Outcome, Refusal, Signature},
    schema::Schema,
};

/// The schemas of the providers at hand.
pub trait Schemas: Send + Sync {
    /// Of a managed resource, `weir_host` and `weir_pod` among them.
    fn resource(&self, ty: &str) -> Option<&Schema>;
    /// Of a data source.
    fn data(&self, ty: &str) -> Option<&Schema>;
    /// Of an ephemeral resource; where no provider has any, of none.
    fn ephemeral(&self, _ty: &str) -> Option<&Schema> {
        None
    }
    /// Of a provider's own configuration, by local name.
    fn provider(&self, name: &str) -> Option<&Schema>;
    /// The built-in provider that serves a type whose name does not begin with the provider's:
    /// `weir_host` is served by `host`, `terraform_data` by `terraform`.
    fn provider_of(&self, ty: &str) -> Option<&str>;
    /// How to get a provider that could be at hand and is not: it was left out of the program.
    fn left_out(&self, name: &str) -> Option<&str> {
        let _ = name;
        None
    }
    /// How a function of a provider is called; the provider by its own name.
    fn function(&self, provider: &str, function: &str) -> Option<&Signature> {
        let _ = (provider, function);
        None
    }
    /// The names of a provider's functions.
    fn functions(&self, provider: &str) -> Vec<&str> {
        let _ = provider;
        Vec::new()
    }
    /// Calls a function of a provider. Arguments are of the signature's types, without marks, null
    /// and unknown only where it takes them. The same arguments always give the same result.
    ///
    /// # Errors
    /// What the provider has against the arguments.
    fn call_function(&self, provider: &str, function: &str, args: &[Value]) -> Outcome {
        let _ = args;
        Err(Refusal::call(format!(
            "provider `{provider}` has no function `{function}`"
        )))
    }
}

/// An output of the root module.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its value; may be unknown while planning.
    pub value: Value,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
    /// The instances it is made from, sorted.
    pub dependencies: Vec<Address>,
    /// Where its block starts.
    pub span: Span,
}

/// What a configuration is worked through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To plan or to apply: how many instances there are must be known.
    Run,
    /// To destroy what there is of it: conditions stand in nobody's way.
    Destroy,
    /// To find what is wrong with it, whatever the values that nobody has given will be.
    Check,
    /// To find what is wrong with each block as it is written, whatever any value will be: no
    /// variable, instance or output of a module is known to what refers to it.
    Form,
}

impl Purpose {
    /// Whether nothing comes of it but what is wrong.
    fn is_check(self) -> bool {
        matches!(self, Purpose::Check | Purpose::Form)
    }
}

/// Works through a configuration; see the crate's documentation for the flow.
///
/// A node in error is reported once; what depends on it is skipped and the rest goes on.
pub struct Evaluator {
    config: Arc<Config>,
    purpose: Purpose,
    /// What is evaluated, where that is not all.
    part: Option<Arc<Part>>,
    schemas: Arc<dyn Schemas>,
    graph: Graph,
    /// Of each module of the configuration.
    contexts: Vec<Context>,
    shapes: shapes::Shapes,
    /// What was found and not handed out yet.
    ready: VecDeque<Next>,
    /// Of the instances that were yielded, those that are not there and are not made.
    absent: BTreeSet<NodeId>,
    /// What is wrong with instances that may be none of what is planned.
    aside: Option<aside::Aside>,
    /// Whether nothing is made of what blocks of resources say.
    looks_only: bool,
    /// Providers without a block that were yielded.
    providers: BTreeSet<ProviderRef>,
    /// Services that were handed out to be placed, and where they were placed.
    services: BTreeMap<NodeId, pods::Placed>,
    /// Configurations of hosts, by their site.
    hosts: BTreeMap<NodeId, Arc<Vec<Value>>>,
    /// Pools whose machines are made, by the node of their cluster's pools.
    machines: BTreeMap<NodeId, Vec<MachinePool>>,
    /// What is known of their machines beside the configuration.
    machines_known: Machines,
    /// The nodes of hosts' agents by address: values carry them as text.
    agents: BTreeMap<String, NodeId>,
    /// The pods' names on their hosts, each of which must be one pod's alone.
    slugs: BTreeMap<String, Address>,
    /// What `import` blocks name, and which node says so.
    imports: BTreeMap<Address, (NodeId, Import)>,
    /// What came of conditions, by node.
    verdicts: BTreeMap<NodeId, checks::Verdicts>,
    warnings: Diagnostics,
    errors: Diagnostics,
    /// What was reported already: instances of one block find the same errors.
    seen: BTreeSet<(Option<Span>, String, String)>,
}

impl Evaluator {
    /// An evaluator at the beginning.
    pub fn new(config: Arc<Config>, schemas: Arc<dyn Schemas>) -> Evaluator {
        Evaluator::of_part(config, schemas, None)
    }

    /// One of a part of the configuration alone: the rest is as if it were not there, and nothing
    /// that is wrong with it is found.
    pub fn of_part(
        config: Arc<Config>,
        schemas: Arc<dyn Schemas>,
        part: Option<Arc<Part>>,
    ) -> Evaluator {
        let contexts = (0..config.modules.len())
            .map(|m| config.context_with(crate::config::ModuleId(m), &schemas))
            .collect();
        let (shapes, problems) = shapes::Shapes::new(&config, &*schemas);
        let mut evaluator = Evaluator {
            config,
            purpose: Purpose::Run,
            part,
            schemas,
            graph: Graph::default(),
            contexts,
            shapes,
            ready: VecDeque::new(),
            absent: BTreeSet::new(),
            aside: None,
            looks_only: false,
            providers: BTreeSet::new(),
            services: BTreeMap::new(),
            hosts: BTreeMap::new(),
            machines: BTreeMap::new(),
            machines_known: Machines::default(),
            agents: BTreeMap::new(),
            slugs: BTreeMap::new(),
            imports: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            warnings: Diagnostics::new(),
            errors: Diagnostics::new(),
            seen: BTreeSet::new(),
        };
        for d in problems {
            evaluator.report(d, None);
        }
        evaluator.start_module(
            crate::config::ModuleId(0),
            ModulePath::root(),
            None,
            Deps::default(),
        );
        evaluator
    }

    /// To check a configuration without the values of a run. Where `count` or `for_each` is not
    /// known, or makes no instance, one instance without a key stands for all there may be: what is
    /// wrong with the block's body is found, and so is what is wrong with what refers to it. What
    /// is not known yet, and conditions of resources that do not hold, are no error.
    #[must_use]
    pub fn checking(mut self) -> Evaluator {
        self.purpose = Purpose::Check;
        self
    }

    /// To destroy what there is of a configuration: of what its conditions say, nothing is asked.
    #[must_use]
    pub fn destroying(mut self) -> Evaluator {
        self.purpose = Purpose::Destroy;
        self
    }

    /// To bring state up to date and no more: nothing is made of what blocks of resources say, so that
    /// what is wrong with it is no error. Conditions of resources and outputs that do not hold are
    /// warnings, as they are to Terraform.
    #[must_use]
    pub fn looking_only(mut self) -> Evaluator {
        self.looks_only = true;
        self
    }

    /// What is ready next, in an order that the configuration and the supplied values alone decide.
    ///
    /// # Errors
    /// At the end, in place of [`Next::Done`]: every error there was, in file order.
    // An iterator can't answer `Waiting` and go on; the name is the contract's all the same.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Next, Diagnostics> {
        self.work();
        if let Some(next) = self.ready.pop_front() {
            return Ok(next);
        }
        if self.graph.outstanding > 0 {
            return Ok(Next::Waiting);
        }
        self.refresh();
        if let Some(next) = self.ready.pop_front() {
            return Ok(next);
        }
        self.check_imports();
        if self.errors.has_errors() {
            let mut errors = std::mem::take(&mut self.errors);
            errors.sort();
            return Err(errors);
        }
        Ok(Next::Done)
    }

    /// The value of an instance that was yielded: planned, or real. Supplying another value for
    /// an instance replaces the first one and forgets what was evaluated from it.
    pub fn supply(&mut self, address: &Address, value: Value) {
        let Some(id) = self.yielded(address) else {
            return;
        };
        let was_absent = self.absent.remove(&id);
        self.give(id, address, value, was_absent);
    }

    /// As [`Evaluator::supply`], where the instance itself is at hand: nothing is looked up.
    pub fn supply_to(&mut self, instance: &Instance, value: Value) {
        let was_absent = self.absent.remove(&instance.node);
        self.give(instance.node, &instance.address, value, was_absent);
    }

    /// A value for an instance, which the same value does not stand for where `is_new`.
    fn give(&mut self, id: NodeId, address: &Address, value: Value, is_new: bool) {
        let value = self.check_postconditions(id, address, value);
        let entity = self.graph.get_mut(id);
        let before = std::mem::replace(&mut entity.state, State::Supplied(value));
        match before {
            State::Supplied(old) => {
                let same = matches!(&self.graph.get(id).state, State::Supplied(new) if *new == old);
                if is_new || !same {
                    self.graph.invalidate(id);
                    self.forget_all(id);
                }
            }
            State::Yielded => {
                self.graph.outstanding -= 1;
                self.wake(id);
                self.count_down(id);
            }
            // A failed one that gets a value after all stays failed: what depends on it has been
            // skipped.
            _ => self.graph.get_mut(id).state = State::Failed,
        }
    }

    /// An instance that was yielded got no value, as its provider refused it: what depends on it is
    /// skipped. The caller reports the error.
    pub fn fail(&mut self, address: &Address) {
        let Some(id) = self.yielded(address) else {
            return;
        };
        if matches!(self.graph.get(id).state, State::Yielded) {
            self.graph.outstanding -= 1;
        }
        self.fail_node(id);
    }

    /// The hosts and ports of the pods that wanted them. A demand that is missing in `placements`
    /// fails as by [`Evaluator::fail`].
    pub fn place(&mut self, request: &PlaceRequest, placements: BTreeMap<Address, Placement>) {
        self.placed(request, placements);
    }

    /// The configuration of an instance that was yielded, evaluated again with what has been
    /// supplied by now. It may make a provider ready again, whose configuration has changed: call
    /// [`Evaluator::next`] for it.
    ///
    /// # Errors
    /// As evaluation does; an instance that was never yielded is an error too.
    pub fn config_of(&mut self, address: &Address) -> Result<Value, Diagnostics> {
        let Some(id) = self.yielded(address) else {
            return Err(Diagnostic::error(format!("{address} has no configuration"))
                .because("It was never evaluated, so it can't be evaluated again.")
                .help("Plan again.")
                .into());
        };
        self.again(id)
    }

    /// The root module's outputs that have a value by now.
    pub fn outputs(&mut self) -> BTreeMap<String, Output> {
        self.work();
        self.refresh();
        let root = &self.config.modules[0];
        let mut outputs = BTreeMap::new();
        for (name, ix) in &root.names.outputs {
            let id = self.graph.module(InstId(0)).id(*ix);
            let NodeKind::Output(block) = &root.node(*ix).kind else {
                continue;
            };
            if let State::Ready(memo) = &self.graph.get(id).state {
                let output = Output {
                    value: memo.value.clone(),
                    sensitive: block.sensitive,
                    dependencies: self.addresses(&memo.deps, id),
                    span: block.span.clone(),
                };
                outputs.insert(name.to_string(), output);
            }
        }
        outputs
    }

    /// The outputs of module instances below the root that have a value by now which is not null.
    pub fn module_outputs(&mut self) -> BTreeMap<ModulePath, BTreeSet<String>> {
        self.work();
        self.refresh();
        let mut found: BTreeMap<ModulePath, BTreeSet<String>> = BTreeMap::new();
        for inst in self.graph.modules.iter().skip(1) {
            let outputs = &self.config.modules[inst.module.0].names.outputs;
            let set = |ix: &NodeIx| match &self.graph.get(inst.id(*ix)).state {
                State::Ready(memo) => !memo.value.is_null(),
                _ => false,
            };
            let names = outputs.iter().filter(|(_, ix)| set(ix));
            let names: BTreeSet<String> = names.map(|(n, _)| n.to_string()).collect();
            if !names.is_empty() {
                found.insert(inst.path.clone(), names);
            }
        }
        found
    }

    /// Whether the configuration has this instance of a module, as far as it was evaluated.
    pub fn has_module(&self, path: &ModulePath) -> bool {
        self.graph.modules.iter().any(|m| m.path == *path)
    }

    /// Warnings, and errors that [`Evaluator::next`] has not returned, found since the last call.
    pub fn take_diagnostics(&mut self) -> Diagnostics {
        let mut found = std::mem::take(&mut self.errors);
        found.extend(std::mem::take(&mut self.warnings));
        found.sort();
        found
    }

    /// The pools whose machines a cloud makes, as far as they are known by now, in the order of
    /// their clusters and within those as they are written; with errors in them, too.
    pub fn machine_pools(&self) -> impl Iterator<Item = &MachinePool> {
        self.machines.values().flatten()
    }

    /// Notes what was found wrong, once.
    fn report(&mut self, mut d: Diagnostic, address: Option<&Address>) {
        if !self
            .seen
            .insert((d.span.clone(), d.summary.clone(), d.detail.clone()))
        {
            return;
        }
        if d.address.is_none() {
            d.address = address.cloned();
        }
        if d.is_error() {
            self.errors.push(d)
        } else {
            self.warnings.push(d)
        }
    }

    /// Evaluates again what is out of date, now that everything has a value.
    fn refresh(&mut self) {
        for id in self.graph.stale() {
            self.enqueue(id);
        }
        self.work();
    }

    fn enqueue(&mut self, id: NodeId) {
        let entity = self.graph.get(id);
        let rank = self.module_of(entity.inst).node(entity.ix).rank;
        self.graph.enqueue(rank, id);
    }

    /// Puts everything in line that waits for a node.
    fn wake(&mut self, id: NodeId) {
        for waiter in std::mem::take(&mut self.graph.get_mut(id).waiters) {
            self.enqueue(waiter);
        }
    }

    /// The node of all instances of the block an instance is of.
    fn all_of(&self, id: NodeId) -> Option<NodeId> {
        let entity = self.graph.get(id);
        let block = self.graph.module(entity.inst).id(entity.ix);
        self.graph.get(block).expansion.as_ref().map(|x| x.all)
    }

    /// One instance more has a value.
    fn count_down(&mut self, id: NodeId) {
        let Some(all) = self.all_of(id) else { return };
        if let State::Collecting(n) = &mut self.graph.get_mut(all).state {
            *n -= 1;
            if *n == 0 {
                self.graph.get_mut(all).state = State::Complete(Default::default());
                self.wake(all);
            }
        }
    }

    /// The value of all instances together is out of date.
    fn forget_all(&mut self, id: NodeId) {
        let Some(all) = self.all_of(id) else { return };
        if let State::Complete(cell) = &mut self.graph.get_mut(all).state
            && cell.take().is_some()
        {
            self.graph.invalidate(all);
        }
    }

    /// A node has no value, and neither has what waits for it.
    fn fail_node(&mut self, id: NodeId) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if self.graph.is_failed(id) {
                continue;
            }
            let entity = self.graph.get_mut(id);
            entity.state = State::Failed;
            let waiters = std::mem::take(&mut entity.waiters);
            let is_host = matches!(self.kind_of(id), NodeKind::Site(_));
            for waiter in waiters {
                // A service goes on without a host that failed: the pods on other hosts are none
                // of that host's business.
                match self.kind_of(waiter) {
                    NodeKind::Service(_) if is_host => self.enqueue(waiter),
                    _ => todo.push(waiter),
                }
            }
            let entity = self.graph.get(id);
            match entity.role {
                Role::Instance(_) => todo.extend(self.all_of(id)),
                // What it was to expand to is not there either.
                Role::Node => {
                    if let Some(x) = entity.expansion.clone() {
                        todo.extend(x.instances().filter(|_| x.children.is_empty()));
                    }
                }
                Role::All => {}
            }
        }
    }
}
