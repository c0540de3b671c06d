//! Every reference to the block it names, before anything is evaluated.
//!
//! 1. [`edges`] finds, for each node, the nodes it refers to; a name that leads nowhere is an
//!    error with the names that were perhaps meant;
//! 2. [`providers`] finds the root module's provider configuration of each resource;
//! 3. [`order`] ranks the nodes so that each comes after what it refers to; a loop is an error
//!    that names every reference in it;
//! 4. [`inputs`] holds the arguments of `module` blocks against the variables of the modules.

mod edges;
mod inputs;
mod order;
mod providers;
mod targets;

use crate::config::{Module, ModuleId, NodeIx, reader::Report};
use weir_core::Span;

/// A node anywhere in the tree.
pub(crate) type Place = (ModuleId, NodeIx);

/// A reference from one node to another.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) to: Place,
    /// Where the reference stands.
    pub(crate) span: Span,
}

/// Links all modules.
pub(crate) fn link(modules: &mut [Module], report: &mut Report<'_>) {
    inputs::check(modules, report);
    let providers = providers::resolve(modules, report);
    let edges = edges::all(modules, &providers, report);
    for ((module, node), provider) in providers {
        modules[module.0].nodes[node.0].provider = Some(provider.provider);
    }
    order::rank(modules, &edges, report);
}
