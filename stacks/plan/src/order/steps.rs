//! Nodes grouped into calls to providers.

use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    address::ProviderRef,
    change::Change,
    plan::{Node, NodeId, Op, Step, StepId},
};

/// What nodes of one step have in common; a node without a batch key stands alone.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    Batch(&'a ProviderRef, &'a str),
    Alone(usize),
}

/// The steps: operations of one provider with the same batch key at the same level go together,
/// whatever they do, so that a host gets its whole change in one call. A join stands alone.
///
/// A level is how many operations lie on the longest way to a node, so that every edge from an
/// operation leads to a higher one. Nodes of a step are of one level: edges between steps lead to
/// higher levels as well, and no cycle can come of the grouping. Joins of a level come before its
/// operations, in their own order.
pub(super) fn steps(
    nodes: &[Node],
    levels: &[usize],
    changes: &BTreeMap<Address, Change>,
) -> Vec<Step> {
    let ranks = join_ranks(nodes);
    let mut groups: BTreeMap<(usize, usize, Group<'_>), Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        groups
            .entry((levels[i], ranks[i], group(i, node, changes)))
            .or_default()
            .push(i);
    }
    let mut ordered: Vec<((usize, usize), Vec<usize>)> = groups
        .into_iter()
        .map(|((level, rank, _), nodes)| ((level, rank), nodes))
        .collect();
    // By level, then by the first node: groups are in order of their keys, which mean nothing to
    // a reader.
    ordered.sort();
    let mut step_of = vec![StepId(0); nodes.len()];
    for (s, (_, members)) in ordered.iter().enumerate() {
        for &n in members {
            step_of[n] = StepId(s);
        }
    }
    ordered
        .into_iter()
        .map(|(_, members)| {
            let after: BTreeSet<StepId> = members
                .iter()
                .flat_map(|&n| &nodes[n].after)
                .map(|before| step_of[before.0])
                .collect();
            Step {
                nodes: members.into_iter().map(NodeId).collect(),
                after: after.into_iter().collect(),
            }
        })
        .collect()
}

/// Of each join the length of the longest way to it through joins alone; of an operation more than
/// that of any join.
fn join_ranks(nodes: &[Node]) -> Vec<usize> {
    let is_join = |i: usize| nodes[i].op == Op::Join;
    let mut ranks: Vec<usize> = nodes
        .iter()
        .map(|n| match n.op {
            Op::Join => 0,
            _ => usize::MAX,
        })
        .collect();
    let mut later: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut missing = vec![0_usize; nodes.len()];
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| is_join(*i)) {
        for before in node.after.iter().filter(|b| is_join(b.0)) {
            later.entry(before.0).or_default().push(i);
            missing[i] += 1;
        }
    }
    let mut open: Vec<usize> = (0..nodes.len())
        .filter(|&i| is_join(i) && missing[i] == 0)
        .collect();
    while let Some(n) = open.pop() {
        for &m in later.get(&n).into_iter().flatten() {
            ranks[m] = ranks[m].max(ranks[n] + 1);
            missing[m] -= 1;
            if missing[m] == 0 {
                open.push(m);
            }
        }
    }
    ranks
}

fn group<'a>(i: usize, node: &Node, changes: &'a BTreeMap<Address, Change>) -> Group<'a> {
    match node.op {
        Op::Read | Op::Forget | Op::Join => Group::Alone(i),
        Op::Create | Op::Update | Op::Delete => match changes.get(&node.address) {
            Some(Change {
                provider,
                batch: Some(key),
                ..
            }) => Group::Batch(provider, key),
            _ => Group::Alone(i),
        },
    }
}
