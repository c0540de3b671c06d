//! Edges between numbered nodes. Some nodes are operations, the others joins: something that comes
//! after all of many and before all of many, so that the graph stays linear in size.

use petgraph::graph::DiGraph;
use std::collections::BTreeSet;

/// Which node comes after which.
pub(super) struct Adjacency {
    /// The nodes below are operations, those above are joins.
    operations: usize,
    before: Vec<BTreeSet<usize>>,
    after: Vec<BTreeSet<usize>>,
}

impl Adjacency {
    pub(super) fn new(operations: usize) -> Adjacency {
        Adjacency {
            operations,
            before: vec![BTreeSet::new(); operations],
            after: vec![BTreeSet::new(); operations],
        }
    }

    /// How many nodes are operations.
    pub(super) fn operations(&self) -> usize {
        self.operations
    }

    /// A new join.
    pub(super) fn join(&mut self) -> usize {
        self.before.push(BTreeSet::new());
        self.after.push(BTreeSet::new());
        self.before.len() - 1
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

    /// Everything that comes after one of the nodes, at any distance.
    pub(super) fn reachable_from(&self, nodes: &[usize]) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = nodes.to_vec();
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

    /// Takes out the joins that save no edges: those where putting each predecessor directly
    /// before each successor takes no more of them. The number of edges never grows.
    pub(super) fn simplify(&mut self) {
        let mut open: Vec<usize> = (self.operations..self.before.len()).rev().collect();
        while let Some(join) = open.pop() {
            let (ins, outs) = (self.before[join].len(), self.after[join].len());
            if ins + outs == 0 || ins * outs > ins + outs {
                continue;
            }
            let before = std::mem::take(&mut self.before[join]);
            let after = std::mem::take(&mut self.after[join]);
            for &b in &before {
                self.after[b].remove(&join);
            }
            for &a in &after {
                self.before[a].remove(&join);
            }
            for &a in &after {
                for &b in &before {
                    self.after(a, b);
                }
            }
            // Its neighbours may have become simple by that.
            let joins = before.into_iter().chain(after);
            open.extend(joins.filter(|&n| n >= self.operations));
        }
    }

    /// The nodes that are left: all operations, and the joins with something on both sides.
    pub(super) fn kept(&self) -> Vec<usize> {
        (0..self.before.len())
            .filter(|&n| {
                n < self.operations || !(self.before[n].is_empty() || self.after[n].is_empty())
            })
            .collect()
    }

    /// Each node's level: how many operations lie on the longest way to it. `None` for nodes on or
    /// after a cycle. A join takes no level of its own.
    pub(super) fn levels(&self) -> Vec<Option<usize>> {
        let mut missing: Vec<usize> = self.before.iter().map(BTreeSet::len).collect();
        let mut level = vec![0_usize; missing.len()];
        let mut levels = vec![None; missing.len()];
        let mut open: Vec<usize> = (0..missing.len()).filter(|&i| missing[i] == 0).collect();
        while let Some(n) = open.pop() {
            levels[n] = Some(level[n]);
            let own = usize::from(n < self.operations);
            for &m in &self.after[n] {
                level[m] = level[m].max(level[n] + own);
                missing[m] -= 1;
                if missing[m] == 0 {
                    open.push(m);
                }
            }
        }
        levels
    }
}

/// petgraph counts nodes in 32 bits; a plan with more than four thousand million operations does
/// not fit in memory before it comes here.
fn node_number(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}
