//! The graph as an image.

use super::{
    Graph, Node,
    layout::{BOX_HEIGHT, Layout},
};
use std::fmt::Write;

/// A whole image, with its styles in it.
pub(super) fn document(graph: &Graph, layout: &Layout) -> String {
    let Layout { width, height, .. } = layout;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
        content(graph, layout)
    )
}

/// Styles that both the image and the page have.
pub(super) const STYLE: &str = ".node text{font:12px ui-monospace,Menlo,Consolas,monospace;\
fill:#0f172a}.node text.module{font-size:9px;fill:#475569}.edge{fill:none;stroke:#94a3b8;stroke-width:1.2}";

/// Lines first, so that boxes cover them.
pub(super) fn content(graph: &Graph, layout: &Layout) -> String {
    let mut out = String::from(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#94a3b8\"/></marker>\
         </defs>\n",
    );
    let middle = BOX_HEIGHT / 2.0;
    for (i, &(from, to)) in graph.edges.iter().enumerate() {
        let (a, b) = (layout.boxes[to], layout.boxes[from]);
        let (x1, y1) = (a.x + a.width, a.y + middle);
        let (x2, y2) = (b.x, b.y + middle);
        let bend = ((x2 - x1).abs() / 2.0).max(30.0);
        let _ = writeln!(
            out,
            "<path class=\"edge\" data-e=\"{i}\" d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} \
             {x2:.1} {y2:.1}\" marker-end=\"url(#tip)\"/>",
            x1 + bend,
            x2 - bend
        );
    }
    for (i, (node, b)) in graph.nodes.iter().zip(&layout.boxes).enumerate() {
        let [fill, line] = node.look.colours();
        let _ = writeln!(
            out,
            "<g class=\"node {}\" data-n=\"{i}\" transform=\"translate({:.1} {:.1})\"><title>{}\
             </title><rect width=\"{:.1}\" height=\"{BOX_HEIGHT}\" rx=\"6\" fill=\"{fill}\" \
             stroke=\"{line}\"/>{}</g>",
            node.look.class(),
            b.x,
            b.y,
            escaped(&node.id),
            b.width,
            text(node)
        );
    }
    out
}

/// What stands in a box: the name, below that of its module.
fn text(node: &Node) -> String {
    let label = escaped(&node.label);
    match node.module.as_str() {
        "" => format!("<text x=\"12\" y=\"21\">{label}</text>"),
        module => format!(
            "<text class=\"module\" x=\"12\" y=\"12\">{}</text><text x=\"12\" y=\"27\">{label}</text>",
            escaped(module)
        ),
    }
}

/// Text as XML has it; what XML can't have is left out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
