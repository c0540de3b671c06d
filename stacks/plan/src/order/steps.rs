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
/// whatever they do, so that a host gets its whole change in one call.
///
/// A level is the length of the longest way to a node, so that every edge leads to a higher one.
/// Nodes of a step are of one level: edges between steps lead to higher levels as well, and no
/// cycle can come of the grouping.
pub(super) fn steps(
    nodes: &[Node],
    levels: &[Option<usize>],
    changes: &BTreeMap<Address, Change>,
) -> Vec<Step> {
    let mut groups: BTreeMap<(usize, Group<'_>), Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        let level = levels[i].unwrap_or(0);
        groups
            .entry((level, group(i, node, changes)))
            .or_default()
            .push(i);
    }
    let mut ordered: Vec<(usize, Vec<usize>)> = groups
        .into_iter()
        .map(|((level, _), nodes)| (level, nodes))
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
