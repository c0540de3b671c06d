//! Mermaid, as Markdown renderers show it.

use super::{Graph, Look};
use std::{collections::BTreeMap, fmt::Write};

/// The graph as a flowchart, a subgraph for each module.
pub(crate) fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("graph RL\n");
    let mut modules: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, node) in graph.nodes.iter().enumerate() {
        modules.entry(&node.module).or_default().push(i);
    }
    for (number, (module, nodes)) in modules.into_iter().enumerate() {
        let margin = if module.is_empty() { "  " } else { "    " };
        if !module.is_empty() {
            let _ = writeln!(out, "  subgraph m{number}[\"{}\"]", escaped(module));
        }
        for i in nodes {
            let node = &graph.nodes[i];
            let class = node.look.class();
            let _ = writeln!(out, "{margin}n{i}[\"{}\"]:::{class}", escaped(&node.label));
        }
        if !module.is_empty() {
            out.push_str("  end\n");
        }
    }
    for &(from, to) in &graph.edges {
        let _ = writeln!(out, "  n{from} --> n{to}");
    }
    let mut looks: Vec<Look> = Vec::new();
    for node in &graph.nodes {
        if !looks.contains(&node.look) {
            looks.push(node.look);
        }
    }
    for look in looks {
        let [fill, line] = look.colours();
        let _ = writeln!(
            out,
            "  classDef {} fill:{fill},stroke:{line},color:#0f172a",
            look.class()
        );
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('"', "#quot;")
}
