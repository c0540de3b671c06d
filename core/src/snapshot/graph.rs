//! Dependencies by number: whether they close a loop is asked of every state that is read, and
//! addresses are long.

use super::Resource;
use crate::address::{Address, Key};
use std::{collections::BTreeMap, ops::Range};

/// Instances by their places in order, and after them the blocks that something depends on.
struct Graph {
    /// Of each instance, which of `edges` are its own.
    own: Vec<Range<usize>>,
    edges: Vec<usize>,
    /// The instances of each block stand together.
    blocks: Vec<Range<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    /// It is on the way here.
    OnPath,
    Done,
}

impl Graph {
    fn of(resources: &BTreeMap<Address, Resource>) -> Graph {
        let addresses: Vec<&Address> = resources.keys().collect();
        // By the first of its instances, the vertex of each block.
        let mut vertices: Vec<Option<usize>> = vec![None; addresses.len()];
        let mut graph = Graph {
            own: Vec::with_capacity(addresses.len()),
            edges: Vec::new(),
            blocks: Vec::new(),
        };
        for resource in resources.values() {
            let begin = graph.edges.len();
            for d in &resource.dependencies {
                let first = addresses.partition_point(|a| *a < d);
                // What is not there leads nowhere.
                if addresses.get(first).is_none_or(|a| !a.is_in(d)) {
                    continue;
                }
                if d.key != Key::None {
                    graph.edges.push(first);
                    continue;
                }
                let blocks = &mut graph.blocks;
                let vertex = *vertices[first].get_or_insert_with(|| {
                    let many = addresses[first..].partition_point(|a| a.is_in(d));
                    blocks.push(first..first + many);
                    addresses.len() + blocks.len() - 1
                });
                graph.edges.push(vertex);
            }
            graph.own.push(begin..graph.edges.len());
        }
        graph
    }

    /// The vertex that the edge of that number leads to.
    fn next(&self, vertex: usize, number: usize) -> Option<usize> {
        match vertex.checked_sub(self.own.len()) {
            Some(block) => self.blocks[block].clone().nth(number),
            None => self.edges[self.own[vertex].clone()].get(number).copied(),
        }
    }

    /// Depth-first, without recursion, as a chain may be long.
    fn has_loop(&self) -> bool {
        let mut seen = vec![Seen::Never; self.own.len() + self.blocks.len()];
        let mut path: Vec<(usize, usize)> = Vec::new();
        for root in 0..self.own.len() {
            if seen[root] != Seen::Never {
                continue;
            }
            seen[root] = Seen::OnPath;
            path.push((root, 0));
            while let Some((vertex, number)) = path.last_mut() {
                let next = self.next(*vertex, *number);
                *number += 1;
                match next.map(|next| (next, seen[next])) {
                    Some((_, Seen::OnPath)) => return true,
                    Some((_, Seen::Done)) => {}
                    Some((next, Seen::Never)) => {
                        seen[next] = Seen::OnPath;
                        path.push((next, 0));
                    }
                    None => {
                        seen[*vertex] = Seen::Done;
                        path.pop();
                    }
                }
            }
        }
        false
    }
}

/// Whether the dependencies close a loop.
pub(super) fn has_loop(resources: &BTreeMap<Address, Resource>) -> bool {
    // What depends on nothing is on no loop.
    let depend = resources.values().any(|r| !r.dependencies.is_empty());
    depend && Graph::of(resources).has_loop()
}
