//! Changes in order: the nodes of the execution graph, and the calls they are made with.
//!
//! Edges, where `A` depends on `B` (through instances that have no node of that kind, too):
//!
//! 1. `A` is written (created, updated, read) after `B` is written;
//! 2. `A` is deleted before `B` is deleted, by the dependencies that state has;
//! 3. a replacement that deletes first creates after its own deletion;
//! 4. one that creates first deletes after its creation, and after everything that uses it moved
//!    to the new one;
//! 5. where nothing of the above forbids it, `A` is written before `B` is deleted if it used it
//!    by state: what let go of a thing does so before the thing goes.
//!
//! Edges of 1 alone have no cycle, nor have those of 2. Only a replacement that deletes first
//! leads from deletions to writes, and only one that creates first leads back: so a cycle needs
//! both kinds, and turning the former into the latter ends it. Hence a schedule always exists.
//! `create_before_destroy` spreads to what a resource depends on, as it does in Terraform;
//! whatever cycle is left is turned likewise.

mod graph;
mod steps;

use graph::{Adjacency, Through};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    change::{Action, Change, ReplaceOrder},
    plan::{Node, NodeId, Op, Step},
};

/// Who depends on whom, direct dependencies only.
#[derive(Debug, Clone, Copy)]
pub struct Dependencies<'a> {
    /// By the configuration.
    pub config: &'a BTreeMap<Address, Vec<Address>>,
    /// By state.
    pub state: &'a BTreeMap<Address, BTreeSet<Address>>,
}

/// Changes with the graph that carries them out.
#[derive(Debug, Clone, PartialEq)]
pub struct Ordered {
    /// The changes, with the order of replacements settled.
    pub changes: BTreeMap<Address, Change>,
    /// The operations.
    pub nodes: Vec<Node>,
    /// The operations as calls to providers.
    pub steps: Vec<Step>,
}

/// The configuration's dependencies have a cycle through these instances. The evaluator refuses
/// such a configuration, so that this is a bug wherever it comes up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dependencies have a cycle: {}", list(.0))]
pub struct DependencyCycle(pub Vec<Address>);

fn list(addresses: &[Address]) -> String {
    addresses
        .iter()
        .map(Address::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Makes the graph.
///
/// # Errors
/// The dependencies of the configuration, or those of state, have a cycle.
pub fn order(
    mut changes: BTreeMap<Address, Change>,
    dependencies: Dependencies<'_>,
) -> Result<Ordered, DependencyCycle> {
    spread_create_first(&mut changes, dependencies.config);
    loop {
        let plan = Builder::new(&changes, dependencies);
        let adjacency = plan.edges()?;
        let cycles = adjacency.cycles();
        if cycles.is_empty() {
            let adjacency = plan.let_go_first(adjacency);
            let nodes = plan.nodes(&adjacency);
            let steps = steps::steps(&nodes, &adjacency.levels(), &changes);
            return Ok(Ordered {
                changes,
                nodes,
                steps,
            });
        }
        let on_cycles: BTreeSet<Address> = cycles
            .into_iter()
            .flatten()
            .map(|i| plan.ops[i].0.clone())
            .collect();
        let mut turned = false;
        for address in &on_cycles {
            if let Some(change) = changes.get_mut(address)
                && change.action == Action::Replace(ReplaceOrder::DeleteFirst)
            {
                change.action = Action::Replace(ReplaceOrder::CreateFirst);
                turned = true;
            }
        }
        if !turned {
            return Err(DependencyCycle(on_cycles.into_iter().collect()));
        }
    }
}

/// `create_before_destroy` spreads to everything that such a replacement depends on.
fn spread_create_first(
    changes: &mut BTreeMap<Address, Change>,
    config: &BTreeMap<Address, Vec<Address>>,
) {
    let mut open: Vec<Address> = changes
        .values()
        .filter(|c| c.action == Action::Replace(ReplaceOrder::CreateFirst))
        .map(|c| c.address.clone())
        .collect();
    let mut seen: BTreeSet<Address> = open.iter().cloned().collect();
    while let Some(address) = open.pop() {
        for d in config.get(&address).into_iter().flatten() {
            if !seen.insert(d.clone()) {
                continue;
            }
            if let Some(change) = changes.get_mut(d)
                && change.action == Action::Replace(ReplaceOrder::DeleteFirst)
            {
                change.action = Action::Replace(ReplaceOrder::CreateFirst);
            }
            open.push(d.clone());
        }
    }
}

/// The nodes, found by address, and what makes edges between them.
struct Builder<'a> {
    changes: &'a BTreeMap<Address, Change>,
    dependencies: Dependencies<'a>,
    ops: Vec<(&'a Address, Op)>,
    /// The node that makes, changes or reads an instance.
    writes: BTreeMap<&'a Address, usize>,
    /// The node that deletes an instance.
    deletes: BTreeMap<&'a Address, usize>,
}

impl<'a> Builder<'a> {
    fn new(changes: &'a BTreeMap<Address, Change>, dependencies: Dependencies<'a>) -> Self {
        let mut ops = Vec::new();
        let mut writes = BTreeMap::new();
        let mut deletes = BTreeMap::new();
        for (address, change) in changes {
            let wanted: &[Op] = match change.action {
                Action::NoOp => &[],
                Action::Create => &[Op::Create],
                Action::Read => &[Op::Read],
                Action::Update => &[Op::Update],
                Action::Delete => &[Op::Delete],
                Action::Forget => &[Op::Forget],
                Action::Replace(ReplaceOrder::DeleteFirst) => &[Op::Delete, Op::Create],
                Action::Replace(ReplaceOrder::CreateFirst) => &[Op::Create, Op::Delete],
            };
            for op in wanted {
                match op {
                    Op::Create | Op::Update | Op::Read => {
                        writes.insert(address, ops.len());
                    }
                    Op::Delete => {
                        deletes.insert(address, ops.len());
                    }
                    Op::Forget | Op::Join => {}
                }
                ops.push((address, *op));
            }
        }
        Builder {
            changes,
            dependencies,
            ops,
            writes,
            deletes,
        }
    }

    /// Edges 1 to 4.
    fn edges(&self) -> Result<Adjacency, DependencyCycle> {
        let mut adjacency = Adjacency::new(self.ops.len());
        let none = Vec::new();
        let config = |a: &Address| self.dependencies.config.get(a).unwrap_or(&none).iter();
        let mut through = Through::new(config, |a| self.writes.get(a).copied());
        for (address, write) in &self.writes {
            for before in through.from(address)? {
                adjacency.after(*write, before);
                // Edge 4: what uses a thing that is created first moves before the old one goes.
                let (used, _) = self.ops[before];
                if self.creates_first(used)
                    && let Some(delete) = self.deletes.get(used)
                {
                    adjacency.after(*delete, *write);
                }
            }
        }
        let nobody = BTreeSet::new();
        let state = |a: &Address| self.dependencies.state.get(a).unwrap_or(&nobody).iter();
        let mut through = Through::new(state, |a| self.deletes.get(a).copied());
        for (address, delete) in &self.deletes {
            for used in through.from(address)? {
                adjacency.after(used, *delete);
            }
            if let Some(create) = self.writes.get(address) {
                if self.creates_first(address) {
                    adjacency.after(*delete, *create);
                } else {
                    adjacency.after(*create, *delete);
                }
            }
        }
        Ok(adjacency)
    }

    fn creates_first(&self, address: &Address) -> bool {
        self.changes
            .get(address)
            .is_some_and(|c| c.action == Action::Replace(ReplaceOrder::CreateFirst))
    }

    /// Edge 5. All edges of one deletion are added at once: each new edge ends at it, so that a
    /// cycle needs an old way from it to a user, and those users are left out.
    fn let_go_first(&self, mut adjacency: Adjacency) -> Adjacency {
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (user, used) in self.dependencies.state {
            if self.deletes.contains_key(user) {
                continue;
            }
            let Some(write) = self.writes.get(user) else {
                continue;
            };
            for d in used {
                if let Some(delete) = self.deletes.get(d) {
                    users.entry(*delete).or_default().push(*write);
                }
            }
        }
        for (delete, writes) in users {
            let later = adjacency.reachable_from(delete);
            for write in writes {
                if !later.contains(&write) {
                    adjacency.after(delete, write);
                }
            }
        }
        adjacency
    }

    fn nodes(&self, adjacency: &Adjacency) -> Vec<Node> {
        self.ops
            .iter()
            .enumerate()
            .map(|(i, (address, op))| Node {
                address: (*address).clone(),
                op: *op,
                after: adjacency.before(i).map(NodeId).collect(),
            })
            .collect()
    }
}
