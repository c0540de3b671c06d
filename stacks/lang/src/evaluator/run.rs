//! The line of nodes: each is evaluated, waits, or fails.

use super::{
    Evaluator,
    frame::{Frame, Names, Reads},
    graph::{Deps, InstId, Memo, Role, State},
};
use crate::{
    config::{ModuleId, NodeIx, NodeKind},
    eval::NodeId,
};
use std::sync::{Arc, LazyLock};
use weir_core::{Diagnostic, Diagnostics, ModulePath, Value};

/// What an evaluation came to.
pub(super) struct Computed<T> {
    pub(super) value: T,
    pub(super) reads: Reads,
    /// Where there is an error among them, the value is not used.
    pub(super) problems: Vec<Diagnostic>,
}

/// An evaluation, or the node it waits for.
pub(super) type Outcome<T> = Result<Computed<T>, Wait>;

/// An evaluation waits for a node.
pub(super) struct Wait {
    pub(super) on: NodeId,
    /// What was found wrong before that.
    problems: Vec<Diagnostic>,
}

impl From<NodeId> for Wait {
    fn from(on: NodeId) -> Wait {
        Wait {
            on,
            problems: Vec::new(),
        }
    }
}

/// A node had no success.
pub(super) enum Stop {
    /// It waits for another.
    Wait(NodeId),
    /// It is in error, which is reported.
    Failed,
}

impl<T> Computed<T> {
    /// A value that stands on nothing.
    pub(super) fn of(value: T) -> Computed<T> {
        Computed {
            value,
            reads: Reads::default(),
            problems: Vec::new(),
        }
    }
    /// The same with another value.
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> Computed<U> {
        Computed {
            value: f(self.value),
            reads: self.reads,
            problems: self.problems,
        }
    }
    pub(super) fn deps(&self) -> Deps {
        // Most blocks stand on nothing, and share that.
        static NOTHING: LazyLock<Deps> = LazyLock::new(Arc::default);
        match self.reads.deps.is_empty() {
            true => NOTHING.clone(),
            false => Arc::new(self.reads.deps.clone()),
        }
    }
}

impl Evaluator {
    /// An instance of a module, with everything in it in line.
    pub(super) fn start_module(
        &mut self,
        module: ModuleId,
        path: ModulePath,
        parent: Option<(InstId, usize)>,
        deps: Deps,
    ) -> InstId {
        let nodes = self.config.modules[module.0].nodes.len();
        let inst = self.graph.add_module(module, path, parent, nodes, deps);
        for ix in (0..nodes).map(NodeIx) {
            let id = self.graph.module(inst).id(ix);
            let in_error = self.config.modules[module.0].node(ix).is_broken;
            let left_out = self.part.as_ref().is_some_and(|p| !p.has((module, ix)));
            if in_error || left_out || self.shapes.is_broken(module, ix) {
                self.graph.get_mut(id).state = State::Failed;
            } else {
                self.enqueue(id);
            }
        }
        inst
    }

    /// Evaluates what is in line until nothing is.
    pub(super) fn work(&mut self) {
        while let Some(id) = self.graph.pop() {
            if self.graph.is_failed(id) {
                continue;
            }
            match self.step(id) {
                Ok(()) => {}
                Err(Stop::Failed) => self.fail_node(id),
                Err(Stop::Wait(on)) => self.wait(id, on),
            }
        }
    }

    fn wait(&mut self, id: NodeId, on: NodeId) {
        match self.graph.get(on).state {
            State::Failed => self.fail_node(id),
            _ => {
                self.graph.get_mut(on).waiters.push(id);
                if matches!(self.graph.get(on).state, State::Stale) {
                    self.enqueue(on);
                }
            }
        }
    }

    fn step(&mut self, id: NodeId) -> Result<(), Stop> {
        let kind = self.kind_of(id).clone();
        match (self.graph.get(id).role, &kind) {
            (Role::Node, NodeKind::Variable(v)) => self.variable(id, v),
            (Role::Node, NodeKind::Local(l)) => {
                let outcome = self.expression(id, &l.expr);
                self.keep(id, outcome)
            }
            (Role::Node, NodeKind::Output(o)) => self.output(id, o),
            (Role::Node, NodeKind::Provider(p)) => self.provider(id, p),
            (Role::Node, NodeKind::Resource(r)) => self.expand_resource(id, r),
            (Role::Node, NodeKind::Call(c, child)) => self.expand_call(id, c, *child),
            (Role::Node, NodeKind::Site(s)) => self.site(id, s),
            (Role::Node, NodeKind::Pools(c)) => self.pools(id, c),
            (Role::Node, NodeKind::Cluster(c)) => self.cluster(id, c),
            (Role::Node, NodeKind::Validation(v)) => self.validation(id, v),
            (Role::Node, NodeKind::Check(c)) => self.check_block(id, c),
            (Role::Node, NodeKind::Import(i)) => self.import(id, i),
            (Role::Instance(_), NodeKind::Provider(p)) => self.provider_instance(id, p),
            (Role::Node, NodeKind::Service(s)) => self.service(id, s),
            (Role::Node, NodeKind::Pods(s, p)) => self.expand_pods(id, s, p),
            (Role::Instance(_), _) => self.instance(id),
            // The node of all instances is never in line.
            (Role::All, _) => Ok(()),
        }
    }

    /// Reports what was found, and fails where an error is among it.
    pub(super) fn settle<T>(
        &mut self,
        id: NodeId,
        outcome: Outcome<T>,
    ) -> Result<Computed<T>, Stop> {
        let (problems, result) = match outcome {
            Ok(mut computed) => {
                let verdicts = std::mem::take(&mut computed.reads.verdicts);
                self.record(id, 0, verdicts);
                (std::mem::take(&mut computed.problems), Ok(computed))
            }
            Err(wait) => (wait.problems, Err(Stop::Wait(wait.on))),
        };
        let mut failed = false;
        if matches!(self.kind_of(id), NodeKind::Resource(r) if r.scoped.is_some()) {
            failed = problems.iter().any(Diagnostic::is_error);
            if result.is_ok() {
                self.scoped_problems(id, problems);
            }
        } else if !problems.is_empty() {
            let address = self.address_of(id);
            for problem in problems {
                failed |= problem.is_error();
                self.report(problem, address.as_ref());
            }
        }
        match result {
            // It is evaluated again, finds the same (which is reported once), and what comes after.
            Err(wait) => Err(wait),
            Ok(_) if failed => Err(Stop::Failed),
            Ok(computed) => Ok(computed),
        }
    }

    /// Keeps the value of a node.
    pub(super) fn keep(&mut self, id: NodeId, outcome: Outcome<Value>) -> Result<(), Stop> {
        let computed = self.settle(id, outcome)?;
        self.store(id, computed);
        Ok(())
    }

    pub(super) fn store(&mut self, id: NodeId, computed: Computed<Value>) {
        let deps = computed.deps();
        for read in &computed.reads.nodes {
            self.graph.get_mut(*read).readers.insert(id);
        }
        self.graph.get_mut(id).state = State::Ready(Memo {
            value: computed.value,
            deps,
        });
        self.wake(id);
    }

    /// Runs an evaluation in a frame.
    pub(super) fn compute<T>(
        &self,
        inst: InstId,
        names: Names,
        f: impl FnOnce(&Frame<'_>, &mut Vec<Diagnostic>) -> Result<T, NodeId>,
    ) -> Outcome<T> {
        let frame = Frame::new(self, inst, names);
        let mut problems = Vec::new();
        let result = f(&frame, &mut problems);
        // What was found counts, whether or not something is still missing: an error is the
        // sooner known the better.
        match result {
            Ok(value) => Ok(Computed {
                value,
                reads: frame.reads.into_inner(),
                problems,
            }),
            Err(on) => Err(Wait { on, problems }),
        }
    }

    /// The configuration of an instance, with everything it needs brought up to date.
    pub(super) fn again(&mut self, id: NodeId) -> Result<Value, Diagnostics> {
        self.work();
        loop {
            match self.configuration(id) {
                Ok(mut computed) => {
                    let verdicts = std::mem::take(&mut computed.reads.verdicts);
                    self.record(id, 0, verdicts);
                    if computed.problems.is_empty() {
                        return Ok(computed.value.config);
                    }
                    let address = self.address_of(id);
                    let on = |mut d: Diagnostic| {
                        d.address = address.clone();
                        d
                    };
                    return Err(Diagnostics(computed.problems.into_iter().map(on).collect()));
                }
                Err(Wait { on: node, .. }) => {
                    if !self.bring_up_to_date(node) {
                        let mut found = std::mem::take(&mut self.errors);
                        if found.is_empty() {
                            let name = self.name_of(id);
                            found.push(
                                Diagnostic::error(format!("{name} can't be evaluated"))
                                    .because(format!(
                                        "It needs {}, which has no value.",
                                        self.name_of(node)
                                    ))
                                    .help("Its error is reported by itself: mend that one."),
                            );
                        }
                        return Err(found);
                    }
                }
            }
        }
    }

    /// Evaluates a node again whose value is out of date. Says whether it has one now.
    pub(super) fn bring_up_to_date(&mut self, node: NodeId) -> bool {
        let stale = matches!(self.graph.get(node).state, State::Stale);
        if stale {
            self.enqueue(node);
            self.work();
        }
        stale && !matches!(self.graph.get(node).state, State::Failed | State::Stale)
    }

    /// `count` and `each` of one instance of a block; the block, where their values are not there
    /// or out of date.
    pub(super) fn names_of(&self, block: NodeId, position: usize) -> Result<Names, NodeId> {
        let entity = self.graph.get(block);
        match (&entity.expansion, &entity.state) {
            (None, _) | (_, State::Stale) => Err(block),
            (Some(x), _) => Ok(Names::of(x, position)),
        }
    }

    /// A node as the user names it.
    pub(super) fn name_of(&self, id: NodeId) -> String {
        if let Some(address) = self.address_of(id) {
            return address.to_string();
        }
        let entity = self.graph.get(id);
        let module = &self.graph.module(entity.inst).path;
        let title = self.kind_of(id).title();
        if module.is_root() {
            title
        } else {
            format!("{module}.{title}")
        }
    }
}
