//! Graphviz.

use super::Graph;
use std::{collections::BTreeMap, fmt::Write};

/// `weir graph | dot -Tsvg`: in the form of Terraform's, a cluster for each module.
pub(crate) fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n",
    );
    let mut modules: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        modules.entry(&node.module).or_default().push(i);
    }
    for (module, nodes) in modules {
        let margin = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let name = quoted(&format!("cluster_{module}"));
            let label = quoted(module);
            let _ = writeln!(
                out,
                "  subgraph {name} {{\n    label = {label}\n    fontname = \"sans-serif\""
            );
        }
        for i in nodes {
            let node = &graph.nodes[i];
            let (id, label) = (quoted(&node.id), quoted(&node.label));
            let _ = writeln!(out, "{margin}{id} [label={label}];");
        }
        if !module.is_empty() {
            out.push_str("  }\n");
        }
    }
    for &(from, to) in &graph.edges {
        let (from, to) = (&graph.nodes[from].id, &graph.nodes[to].id);
        let _ = writeln!(out, "  {} -> {};", quoted(from), quoted(to));
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
