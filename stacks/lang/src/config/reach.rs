//! What a part of the configuration refers to, however far away.

use super::{Config, Module, ModuleId, NodeIx, NodeKind};
use std::collections::BTreeSet;
use weir_core::{Address, address::step};

impl Config {
    /// The names of the resources, outputs, variables and checks that these instances and outputs of the
    /// root module need, directly or not, their own included, without instance keys:
    /// `terraform_data.a`, `module.net.output.id`, `var.size`.
    pub fn needed<'a>(
        &self,
        instances: impl IntoIterator<Item = &'a Address>,
        outputs: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<String> {
        let mut todo: Vec<(ModuleId, NodeIx)> = Vec::new();
        let blocks: BTreeSet<(String, &weir_core::Object)> = (instances.into_iter())
            .map(|a| (way(a), &a.object))
            .collect();
        let outputs: BTreeSet<&str> = outputs.into_iter().collect();
        for (m, module) in self.modules.iter().enumerate() {
            for (n, node) in module.nodes.iter().enumerate() {
                let wanted = match &node.kind {
                    NodeKind::Resource(r) => blocks.contains(&(module.path.clone(), &r.object)),
                    NodeKind::Output(o) => m == 0 && outputs.contains(&*o.name),
                    _ => false,
                };
                if wanted {
                    todo.push((ModuleId(m), NodeIx(n)));
                }
            }
        }
        let mut seen = BTreeSet::new();
        let mut out = BTreeSet::new();
        while let Some(place) = todo.pop() {
            if !seen.insert(place) {
                continue;
            }
            let (module, ix) = (&self.modules[place.0.0], place.1);
            out.extend(name(module, ix));
            todo.extend(&module.node(ix).uses);
        }
        out
    }
}

/// The way to a module, without keys.
fn way(address: &Address) -> String {
    let steps: Vec<String> = (address.module.0.iter())
        .map(|(name, _)| step(name))
        .collect();
    steps.join(".")
}

fn name(module: &Module, ix: NodeIx) -> Option<String> {
    let own = match &module.node(ix).kind {
        NodeKind::Output(o) => format!("output.{}", o.name),
        NodeKind::Variable(v) => format!("var.{}", v.name),
        NodeKind::Resource(r) => r.object.to_string(),
        NodeKind::Check(c) => format!("check.{}", c.name),
        _ => return None,
    };
    Some(match module.path.is_empty() {
        true => own,
        false => format!("{}.{own}", module.path),
    })
}
