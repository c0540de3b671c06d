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
//! A dependency without a key is one on all instances of its block. Such a block, and an instance
//! that has no node of the kind, is a join ([`weir_core::plan::Op::Join`]) where that saves edges:
//! the graph is linear in the dependencies, also where all of a block use all of another.
//!
//! Edges of 1 alone have no cycle, nor have those of 2. Only a replacement that deletes first
//! leads from deletions to writes, and only one that creates first leads back: so a cycle needs
//! both kinds, and turning the former into the latter ends it. Hence a schedule always exists.
//! `create_before_destroy` spreads to what a resource depends on, as it does in Terraform;
//! whatever cycle is left is turned likewise.

mod builder;
mod graph;
mod steps;

use builder::Builder;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Key,
    address::members,
    change::{Action, Change, ReplaceOrder},
    plan::{Node, Step},
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

/// Makes the graph. `create_first` has the instances with `create_before_destroy`, whatever is done
/// to them.
///
/// # Errors
/// The dependencies of the configuration, or those of state, have a cycle.
pub fn order(
    mut changes: BTreeMap<Address, Change>,
    dependencies: Dependencies<'_>,
    create_first: &BTreeSet<Address>,
) -> Result<Ordered, DependencyCycle> {
    spread_create_first(&mut changes, dependencies.config, create_first);
    loop {
        let builder = Builder::new(&changes, dependencies);
        let mut edges = builder.edges();
        let cycles = edges.adjacency.cycles();
        if cycles.is_empty() {
            builder.let_go_first(&mut edges);
            edges.adjacency.simplify();
            let (nodes, levels) = builder.nodes(&edges);
            let steps = steps::steps(&nodes, &levels, &changes);
            return Ok(Ordered {
                changes,
                nodes,
                steps,
            });
        }
        let on_cycles: BTreeSet<Address> = cycles
            .into_iter()
            .flatten()
            .filter_map(|i| builder.operation(i).or_else(|| edges.name(i)))
            .cloned()
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

/// `create_before_destroy` spreads to everything that such an instance depends on.
fn spread_create_first(
    changes: &mut BTreeMap<Address, Change>,
    config: &BTreeMap<Address, Vec<Address>>,
    create_first: &BTreeSet<Address>,
) {
    let mut open: Vec<&Address> = Vec::new();
    let replaced = changes
        .values()
        .filter(|c| c.action == Action::Replace(ReplaceOrder::CreateFirst))
        .map(|c| &c.address);
    let first: BTreeSet<Address> = replaced.chain(create_first).cloned().collect();
    open.extend(&first);
    let mut blocks: BTreeSet<&Address> = BTreeSet::new();
    let mut seen: BTreeSet<&Address> = open.iter().copied().collect();
    while let Some(address) = open.pop() {
        for d in config.get(address).into_iter().flatten() {
            if d.key == Key::None && !blocks.insert(d) {
                continue;
            }
            for (member, _) in members(config, d) {
                if seen.insert(member) {
                    open.push(member);
                }
            }
        }
    }
    for address in seen {
        if let Some(change) = changes.get_mut(address)
            && change.action == Action::Replace(ReplaceOrder::DeleteFirst)
        {
            change.action = Action::Replace(ReplaceOrder::CreateFirst);
        }
    }
}
