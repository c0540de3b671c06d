//! Nodes for changes, and the edges between them.

use super::{Dependencies, graph::Adjacency};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Key, ModulePath, Object,
    address::members,
    change::{Action, Change, ReplaceOrder},
    plan::{Node, NodeId, Op},
};

/// What a join stands for, beside its instance or block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// It is written.
    Written,
    /// All that uses it by the configuration is written.
    UsersWritten,
    /// All that uses it by state is deleted.
    UsersDeleted,
}

/// An instance, or all instances of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What<'a> {
    Instance(&'a Address),
    Block(&'a Address),
}

impl<'a> What<'a> {
    /// What a dependency names.
    fn named(dependency: &'a Address) -> What<'a> {
        match dependency.key {
            Key::None => What::Block(dependency),
            _ => What::Instance(dependency),
        }
    }
    fn address(self) -> &'a Address {
        match self {
            What::Instance(a) | What::Block(a) => a,
        }
    }
}

/// The nodes, found by address, and what makes edges between them.
pub(super) struct Builder<'a> {
    changes: &'a BTreeMap<Address, Change>,
    dependencies: Dependencies<'a>,
    ops: Vec<(&'a Address, Op)>,
    /// The node that makes, changes or reads an instance.
    writes: BTreeMap<&'a Address, usize>,
    /// The node that deletes an instance.
    deletes: BTreeMap<&'a Address, usize>,
    /// The blocks that something depends on as a whole.
    blocks: BTreeMap<(&'a ModulePath, &'a Object), &'a Address>,
}

/// The edges, and what their joins stand for.
pub(super) struct Edges<'a> {
    pub(super) adjacency: Adjacency,
    joins: BTreeMap<(Relation, What<'a>), usize>,
    /// Of each join, in their order.
    names: Vec<&'a Address>,
}

impl<'a> Edges<'a> {
    fn join(&mut self, relation: Relation, what: What<'a>) -> usize {
        if let Some(&node) = self.joins.get(&(relation, what)) {
            return node;
        }
        let node = self.nameless(what.address());
        self.joins.insert((relation, what), node);
        node
    }

    /// What a join is of.
    pub(super) fn name(&self, node: usize) -> Option<&'a Address> {
        let joins = self.adjacency.operations();
        self.names.get(node.checked_sub(joins)?).copied()
    }

    fn nameless(&mut self, address: &'a Address) -> usize {
        self.names.push(address);
        self.adjacency.join()
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        changes: &'a BTreeMap<Address, Change>,
        dependencies: Dependencies<'a>,
    ) -> Self {
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
        let named = dependencies.config.values().flatten();
        let blocks = named
            .chain(dependencies.state.values().flatten())
            .filter(|d| d.key == Key::None)
            .map(|d| ((&d.module, &d.object), d))
            .collect();
        Builder {
            changes,
            dependencies,
            ops,
            writes,
            deletes,
            blocks,
        }
    }

    /// The instance of an operation; `None` of a join.
    pub(super) fn operation(&self, node: usize) -> Option<&'a Address> {
        self.ops.get(node).map(|(address, _)| *address)
    }

    /// Edges 1 to 4.
    pub(super) fn edges(&self) -> Edges<'a> {
        let mut edges = Edges {
            adjacency: Adjacency::new(self.ops.len()),
            joins: BTreeMap::new(),
            names: Vec::new(),
        };
        if !self.writes.is_empty() {
            self.writes_in_order(&mut edges);
        }
        self.users_move_first(&mut edges);
        if !self.deletes.is_empty() {
            self.deletes_in_order(&mut edges);
        }
        for (address, &delete) in &self.deletes {
            if let Some(&create) = self.writes.get(address) {
                match self.creates_first(address) {
                    true => edges.adjacency.after(delete, create),
                    false => edges.adjacency.after(create, delete),
                }
            }
        }
        edges
    }

    fn creates_first(&self, address: &Address) -> bool {
        self.changes
            .get(address)
            .is_some_and(|c| c.action == Action::Replace(ReplaceOrder::CreateFirst))
    }

    /// Edge 1. A join stands for each instance that others depend on and that is not written, and
    /// for each block.
    fn writes_in_order(&self, edges: &mut Edges<'a>) {
        let config = self.dependencies.config;
        for (user, used) in config {
            if used.is_empty() {
                continue;
            }
            let user_node = match self.writes.get(user) {
                Some(&node) => node,
                None => edges.join(Relation::Written, What::Instance(user)),
            };
            for d in used {
                let what = What::named(d);
                let node = match (what, self.writes.get(d)) {
                    (What::Instance(_), Some(&node)) => node,
                    _ => edges.join(Relation::Written, what),
                };
                edges.adjacency.after(user_node, node);
            }
        }
        let blocks: Vec<(&'a Address, usize)> = edges
            .joins
            .iter()
            .filter_map(|((_, what), &node)| match what {
                What::Block(block) => Some((*block, node)),
                What::Instance(_) => None,
            })
            .collect();
        for (block, join) in blocks {
            for write in in_block(&self.writes, block) {
                edges.adjacency.after(join, write);
            }
            for (member, _) in members(config, block) {
                if let Some(&node) = edges
                    .joins
                    .get(&(Relation::Written, What::Instance(member)))
                {
                    edges.adjacency.after(join, node);
                }
            }
        }
    }

    /// Edge 4: what uses a thing that is created first moves before the old one goes.
    fn users_move_first(&self, edges: &mut Edges<'a>) {
        let first: Vec<(&'a Address, usize)> = self
            .deletes
            .iter()
            .filter(|(address, _)| self.creates_first(address))
            .map(|(address, node)| (*address, *node))
            .collect();
        if first.is_empty() {
            return;
        }
        let mut users: BTreeMap<What<'a>, Vec<&'a Address>> = BTreeMap::new();
        for (user, used) in self.dependencies.config {
            for d in used {
                users.entry(What::named(d)).or_default().push(user);
            }
        }
        let mut open: Vec<What<'a>> = Vec::new();
        for (address, delete) in first {
            let join = edges.join(Relation::UsersWritten, What::Instance(address));
            edges.adjacency.after(delete, join);
            open.push(What::Instance(address));
        }
        let mut seen: BTreeSet<What<'a>> = open.iter().copied().collect();
        while let Some(what) = open.pop() {
            let join = edges.join(Relation::UsersWritten, what);
            let mut needed: Vec<What<'a>> = Vec::new();
            for &user in users.get(&what).into_iter().flatten() {
                match self.writes.get(user) {
                    Some(&write) => edges.adjacency.after(join, write),
                    None => needed.push(What::Instance(user)),
                }
            }
            if let What::Instance(address) = what {
                needed.extend(self.block_of(address));
            }
            for next in needed {
                let before = edges.join(Relation::UsersWritten, next);
                edges.adjacency.after(join, before);
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
    }

    /// Edge 2. A join stands for each instance that is not deleted, and for each block.
    fn deletes_in_order(&self, edges: &mut Edges<'a>) {
        for (user, used) in self.dependencies.state {
            if used.is_empty() {
                continue;
            }
            let user_node = self.deleted(edges, What::Instance(user));
            for d in used {
                let node = self.deleted(edges, What::named(d));
                edges.adjacency.after(node, user_node);
            }
        }
        // What uses the whole block uses each instance.
        for address in self.dependencies.state.keys() {
            if let Some(block) = self.block_of(address)
                && let Some(&join) = edges.joins.get(&(Relation::UsersDeleted, block))
            {
                let node = self.deleted(edges, What::Instance(address));
                edges.adjacency.after(node, join);
            }
        }
    }

    /// The deletion of an instance, or the join of those of what uses it.
    fn deleted(&self, edges: &mut Edges<'a>, what: What<'a>) -> usize {
        match (what, self.deletes.get(what.address())) {
            (What::Instance(_), Some(&delete)) => delete,
            _ => edges.join(Relation::UsersDeleted, what),
        }
    }

    /// The block of an instance, where something depends on the whole of it.
    fn block_of(&self, address: &Address) -> Option<What<'a>> {
        self.blocks
            .get(&(&address.module, &address.object))
            .map(|block| What::Block(block))
    }

    /// Edge 5. The edges of one deletion, or of all deletions in a block, are added at once: each
    /// new way ends at one of them, so that a cycle needs an old way from one to a user, and those
    /// users are left out.
    pub(super) fn let_go_first(&self, edges: &mut Edges<'a>) {
        let mut users: BTreeMap<What<'a>, Vec<usize>> = BTreeMap::new();
        for (user, used) in self.dependencies.state {
            if self.deletes.contains_key(user) {
                continue;
            }
            let Some(&write) = self.writes.get(user) else {
                continue;
            };
            for d in used {
                users.entry(What::named(d)).or_default().push(write);
            }
        }
        for (what, writes) in users {
            let address = what.address();
            let deletes: Vec<usize> = match what {
                What::Instance(_) => self.deletes.get(address).copied().into_iter().collect(),
                What::Block(_) => in_block(&self.deletes, address).collect(),
            };
            if deletes.is_empty() {
                continue;
            }
            let later = edges.adjacency.reachable_from(&deletes);
            let free = writes.into_iter().filter(|w| !later.contains(w));
            let join = edges.nameless(address);
            for write in free {
                edges.adjacency.after(join, write);
            }
            for delete in deletes {
                edges.adjacency.after(delete, join);
            }
        }
    }

    /// The nodes that are left after [`Adjacency::simplify`], joins last, with their levels.
    pub(super) fn nodes(&self, edges: &Edges<'a>) -> (Vec<Node>, Vec<usize>) {
        let kept = edges.adjacency.kept();
        let mut number = BTreeMap::new();
        for (i, &n) in kept.iter().enumerate() {
            number.insert(n, NodeId(i));
        }
        let all = edges.adjacency.levels();
        let mut levels = Vec::with_capacity(kept.len());
        let mut nodes = Vec::with_capacity(kept.len());
        for n in kept {
            let (address, op) = match self.ops.get(n) {
                Some(&(address, op)) => (address, op),
                None => (edges.names[n - self.ops.len()], Op::Join),
            };
            let before = edges.adjacency.before(n);
            nodes.push(Node {
                address: address.clone(),
                op,
                after: before.filter_map(|b| number.get(&b).copied()).collect(),
            });
            levels.push(all[n].unwrap_or(0));
        }
        (nodes, levels)
    }
}

/// The nodes of a block's instances.
fn in_block<'b>(
    nodes: &'b BTreeMap<&'b Address, usize>,
    block: &'b Address,
) -> impl Iterator<Item = usize> {
    nodes
        .range::<Address, _>(block..)
        .take_while(move |(address, _)| address.is_in(block))
        .map(|(_, node)| *node)
}
