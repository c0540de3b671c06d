//! A page with the graph that needs nothing but a browser.

use super::{Graph, layout, svg};
use serde_json::json;

/// The page; the marks in it are filled in.
const PAGE: &str = include_str!("page.html");

/// A page where the graph is zoomed, moved, searched, and looked at node by node and in order.
pub(crate) fn html(graph: &Graph) -> String {
    let drawing = layout::layout(graph);
    let nodes: Vec<_> = graph
        .nodes
        .iter()
        .zip(&drawing.layer)
        .map(|(n, layer)| {
            json!({
                "id": n.id, "label": n.label, "module": n.module, "look": n.look.class(),
                "details": n.details, "turn": layer,
            })
        })
        .collect();
    let data = json!({
        "nodes": nodes, "edges": graph.edges,
        "width": drawing.width, "height": drawing.height,
    });
    // Nothing in the data may end the script that it stands in.
    let data = data.to_string().replace('<', "\\u003c");
    let parts = [
        ("@TITLE@", svg::escaped(&graph.title)),
        ("@STYLE@", svg::STYLE.to_owned()),
        ("@CONTENT@", svg::content(graph, &drawing)),
        ("@DATA@", data),
    ];
    let mut page = String::with_capacity(PAGE.len() + 1024 * graph.nodes.len());
    let mut rest = PAGE;
    // From left to right, so that nothing that is filled in is taken for a mark.
    for (mark, text) in parts {
        if let Some((before, after)) = rest.split_once(mark) {
            page.push_str(before);
            page.push_str(&text);
            rest = after;
        }
    }
    page.push_str(rest);
    page
}
