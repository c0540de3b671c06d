//! Edges between numbered nodes, and dependencies seen through instances without a node.

use super::DependencyCycle;
use petgraph::graph::DiGraph;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use weir_core::Address;

/// Which node comes after which.
pub(super) struct Adjacency {
    before: Vec<BTreeSet<usize>>,
    after: Vec<BTreeSet<usize>>,
}

impl Adjacency {
    pub(super) fn new(nodes: usize) -> Adjacency {
        Adjacency {
            before: vec![BTreeSet::new(); nodes],
            after: vec![BTreeSet::new(); nodes],
        }
    }

    /// `node` comes after `before`.
    pub(super) fn after(&mut self, node: usize, before: usize) {
        self.before[node].insert(before);
        self.after[before].insert(node);
    }

    /// What comes directly before the node, in order.
    pub(super) fn before(&self, node: usize) -> impl Iterator<Item = usize> {
        self.before[node].iter().copied()
    }

    /// Everything that comes after the node, at any distance.
    pub(super) fn reachable_from(&self, node: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![node];
        while let Some(n) = open.pop() {
            for &m in &self.after[n] {
                if seen.insert(m) {
                    open.push(m);
                }
            }
        }
        seen
    }

    /// The strongly connected parts of more than one node.
    pub(super) fn cycles(&self) -> Vec<Vec<usize>> {
        if self.levels().iter().all(Option::is_some) {
            return Vec::new();
        }
        let edges =
            self.after.iter().enumerate().flat_map(|(i, later)| {
                later.iter().map(move |&j| (node_number(i), node_number(j)))
            });
        let graph: DiGraph<(), ()> = DiGraph::from_edges(edges);
        // Kosaraju's algorithm as petgraph has it does not recurse: a chain may be long.
        petgraph::algo::kosaraju_scc(&graph)
            .into_iter()
            .filter(|part| part.len() > 1)
            .map(|part| {
                part.into_iter()
                    .map(petgraph::graph::NodeIndex::index)
                    .collect()
            })
            .collect()
    }

    /// Each node's level: the length of the longest way to it. `None` for nodes on or after a
    /// cycle.
    pub(super) fn levels(&self) -> Vec<Option<usize>> {
        let mut missing: Vec<usize> = self.before.iter().map(BTreeSet::len).collect();
        let mut levels = vec![None; missing.len()];
        let mut open: Vec<usize> = (0..missing.len()).filter(|&i| missing[i] == 0).collect();
        let mut level = 0;
        while !open.is_empty() {
            let mut next = Vec::new();
            for n in open {
                levels[n] = Some(level);
                for &m in &self.after[n] {
                    missing[m] -= 1;
                    if missing[m] == 0 {
                        next.push(m);
                    }
                }
            }
            open = next;
            level += 1;
        }
        levels
    }
}

/// petgraph counts nodes in 32 bits; a plan with more than four thousand million operations does
/// not fit in memory before it comes here.
fn node_number(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// Finds the nodes an instance depends on, through instances that have none. What lies behind an
/// instance without a node is worked out once.
pub(super) struct Through<D, N> {
    dependencies: D,
    node: N,
    known: BTreeMap<Address, Arc<BTreeSet<usize>>>,
}

impl<'a, D, I, N> Through<D, N>
where
    D: Fn(&Address) -> I,
    I: Iterator<Item = &'a Address>,
    N: Fn(&Address) -> Option<usize>,
{
    pub(super) fn new(dependencies: D, node: N) -> Self {
        Through {
            dependencies,
            node,
            known: BTreeMap::new(),
        }
    }

    /// The nearest nodes that `address` depends on.
    pub(super) fn from(&mut self, address: &Address) -> Result<BTreeSet<usize>, DependencyCycle> {
        let mut found = BTreeSet::new();
        for d in (self.dependencies)(address) {
            match (self.node)(d) {
                Some(n) => {
                    found.insert(n);
                }
                None => found.extend(self.behind(d)?.iter().copied()),
            }
        }
        Ok(found)
    }

    /// What lies behind an instance without a node. Depth-first without recursion.
    fn behind(&mut self, root: &Address) -> Result<Arc<BTreeSet<usize>>, DependencyCycle> {
        let mut stack: Vec<(Address, bool)> = vec![(root.clone(), false)];
        let mut on_path: BTreeSet<Address> = BTreeSet::new();
        while let Some((address, leaving)) = stack.pop() {
            if self.known.contains_key(&address) {
                continue;
            }
            if leaving {
                let mut found = BTreeSet::new();
                for d in (self.dependencies)(&address) {
                    match ((self.node)(d), self.known.get(d)) {
                        (Some(n), _) => {
                            found.insert(n);
                        }
                        (None, Some(behind)) => found.extend(behind.iter().copied()),
                        // Entered before and not left yet: it depends on itself.
                        (None, None) => {
                            return Err(DependencyCycle(on_path.into_iter().collect()));
                        }
                    }
                }
                on_path.remove(&address);
                self.known.insert(address, Arc::new(found));
                continue;
            }
            on_path.insert(address.clone());
            stack.push((address.clone(), true));
            for d in (self.dependencies)(&address) {
                if (self.node)(d).is_some() || self.known.contains_key(d) {
                    continue;
                }
                if on_path.contains(d) {
                    return Err(DependencyCycle(on_path.into_iter().collect()));
                }
                stack.push((d.clone(), false));
            }
        }
        Ok(self.known.get(root).cloned().unwrap_or_default())
    }
}
