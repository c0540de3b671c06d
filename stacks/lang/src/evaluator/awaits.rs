//! What a data source waits for.

use super::Evaluator;
use crate::{
    config::{NodeKind, blocks::Repeat},
    eval::NodeId,
    link::collect_body,
};
use weir_core::{Address, Object};

impl Evaluator {
    /// Of the dependencies of an instance, those whose changes must be made before it is read. A
    /// data source with conditions waits for all: a change may be what makes them hold.
    pub(super) fn awaits(&self, id: NodeId, all: &[Address]) -> Vec<Address> {
        let NodeKind::Resource(resource) = self.kind_of(id) else {
            return all.to_vec();
        };
        let has_conditions =
            !resource.preconditions.is_empty() || !resource.postconditions.is_empty();
        if !matches!(resource.object, Object::Data { .. }) || has_conditions {
            return all.to_vec();
        }
        let inst = self.graph.get(id).inst;
        let mut references = Vec::new();
        collect_body(&resource.body, &mut Vec::new(), &mut references);
        match &resource.repeat {
            Repeat::Once => {}
            Repeat::Count(e) | Repeat::ForEach(e) | Repeat::Enabled(e) => {
                references.extend(e.references());
            }
        }
        let module = self.graph.module(inst);
        let mut named = self.addresses(&module.deps, id);
        for reference in &resource.depends_on {
            // What can't be told is what a block says of itself.
            if let Ok(deps) = self.made_by(inst, reference) {
                named.extend(self.addresses(&deps, id));
            }
        }
        let refers = |ty: &str, name: &str| {
            let is = |r: &crate::ir::Reference| *r.root == *ty && r.attr(0) == Some(name);
            references.iter().any(is)
        };
        let counts = |d: &Address| match &d.object {
            Object::Data { .. } | Object::Ephemeral { .. } => false,
            Object::Managed { ty, name } if d.module == module.path && refers(ty, name) => true,
            Object::Managed { .. } => named.iter().any(|n| d.is_in(n) || n.is_in(d)),
            // Hosts and pods are made under another name than they are referred to.
            _ => true,
        };
        all.iter().filter(|d| counts(d)).cloned().collect()
    }
}
