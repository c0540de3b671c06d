//! Which block a condition belongs to.

use super::{Config, NodeKind, blocks::Rule};
use std::collections::BTreeMap;
use weir_core::Span;

impl Config {
    /// Where every condition stands, and the block it belongs to: `var.x`, `output.x`, `check.x`,
    /// `terraform_data.a`, `data.x.y`, each with its module (`module.net.var.x`).
    pub fn conditions(&self) -> BTreeMap<Span, Vec<String>> {
        let mut found: BTreeMap<Span, Vec<String>> = BTreeMap::new();
        for module in &self.modules {
            for node in &module.nodes {
                let name = match module.path.as_str() {
                    "" => node.kind.title(),
                    path => format!("{path}.{}", node.kind.title()),
                };
                for rule in rules(&node.kind) {
                    let blocks = found.entry(rule.condition.span.clone()).or_default();
                    blocks.push(name.clone());
                }
            }
        }
        found
    }

    /// Whether the root module or one below it has a block of that name that can have conditions,
    /// whether it has any or not.
    pub fn has_checkable(&self, name: &str) -> bool {
        self.modules.iter().any(|module| {
            let inside = match module.path.as_str() {
                "" => Some(name),
                path => name.strip_prefix(path).and_then(|n| n.strip_prefix('.')),
            };
            inside.is_some_and(|inside| {
                let checkable = |kind: &NodeKind| kind.title() == inside && is_checkable(kind);
                module.nodes.iter().any(|n| checkable(&n.kind))
            })
        })
    }
}

fn is_checkable(kind: &NodeKind) -> bool {
    matches!(
        kind,
        NodeKind::Variable(_) | NodeKind::Output(_) | NodeKind::Resource(_) | NodeKind::Check(_)
    )
}

fn rules(kind: &NodeKind) -> Vec<&Rule> {
    match kind {
        NodeKind::Variable(v) => v.validations.iter().collect(),
        NodeKind::Output(o) => o.preconditions.iter().collect(),
        NodeKind::Resource(r) => r.preconditions.iter().chain(&r.postconditions).collect(),
        NodeKind::Check(c) => c.asserts.iter().collect(),
        _ => Vec::new(),
    }
}
