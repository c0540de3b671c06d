//! `create_before_destroy` spreads to all that such a resource depends on, by block: what is made
//! before its old one goes needs what it depends on to be there as well.

use super::{Edge, Place};
use crate::config::{Module, ModuleId, NodeIx, NodeKind};

/// Marks every resource that one with `create_before_destroy` depends on, through whatever lies
/// between them. Whether the one has instances is not asked.
pub(super) fn spread(modules: &mut [Module], edges: &[Vec<Vec<Edge>>]) {
    let mut open: Vec<Place> = Vec::new();
    for (m, module) in modules.iter().enumerate() {
        for (n, node) in module.nodes.iter().enumerate() {
            if let NodeKind::Resource(r) = &node.kind
                && r.lifecycle.create_before_destroy
            {
                open.push((ModuleId(m), NodeIx(n)));
            }
        }
    }
    while let Some((ModuleId(m), NodeIx(n))) = open.pop() {
        let node = &mut modules[m].nodes[n];
        if !node.create_first {
            node.create_first = true;
            open.extend(edges[m][n].iter().map(|e| e.to));
        }
    }
}
