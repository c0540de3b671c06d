//! Ephemeral values must not reach what is kept.

use crate::{
    decode::Shape,
    ir::{Attribute, Body},
    sources::Sources,
};
use weir_core::{Diagnostic, Kind, Marks, Span, Value, schema::Storage};

/// Reports ephemeral values in attributes that are kept in state: only write-only ones take them.
pub(super) fn refuse(
    value: &Value,
    shape: &Shape,
    body: &Body,
    sources: &Sources,
    problems: &mut Vec<Diagnostic>,
) {
    if !value.marks_deep().contains(Marks::EPHEMERAL) {
        return;
    }
    walk(value, shape, &[body], &body.span, sources, problems);
}

fn walk(
    value: &Value,
    shape: &Shape,
    bodies: &[&Body],
    header: &Span,
    sources: &Sources,
    problems: &mut Vec<Diagnostic>,
) {
    for (name, attribute) in &shape.attributes {
        let held = value
            .get(name)
            .is_some_and(|v| v.marks_deep().contains(Marks::EPHEMERAL));
        if !held || attribute.storage == Storage::WriteOnly {
            continue;
        }
        let written: Option<&Attribute> = bodies.iter().find_map(|b| b.attribute(name));
        let span = written.map_or(header, |a| &a.expr.span);
        let d = kept(&format!("`{name}`"));
        problems.push(sources.point(d, span));
    }
    for (ident, nested) in &shape.blocks {
        let Some(found) = value.get(ident) else {
            continue;
        };
        if !found.marks_deep().contains(Marks::EPHEMERAL) {
            continue;
        }
        let blocks = bodies.iter().flat_map(|b| &b.blocks);
        let inner: Vec<&crate::ir::Block> = blocks
            .flat_map(|b| match &*b.ident {
                i if i == &**ident => vec![b],
                "dynamic" if b.label(0) == Some(ident) => b.body.blocks("content").collect(),
                _ => Vec::new(),
            })
            .collect();
        let span = inner.first().map_or(header, |b| &b.span).clone();
        let inner: Vec<&Body> = inner.iter().map(|b| &b.body).collect();
        let each: Vec<&Value> = match found.kind() {
            Kind::List(..) | Kind::Tuple(_) | Kind::Set(..) => found.elements().unwrap_or_default(),
            Kind::Map(_, m) => m.values().collect(),
            _ => vec![found],
        };
        let before = problems.len();
        for one in each {
            // One of them is enough: they come from the same lines.
            if problems.len() == before {
                walk(one, &nested.shape, &inner, &span, sources, problems);
            }
        }
        if problems.len() == before && found.marks().contains(Marks::EPHEMERAL) {
            problems.push(sources.point(kept(&format!("Block `{ident}`")), &span));
        }
    }
}

/// What is kept can't hold an ephemeral value.
pub(super) fn kept(what: &str) -> Diagnostic {
    Diagnostic::error(format!("{what} can't hold an ephemeral value"))
        .because("It is kept in state, and an ephemeral value must never be.")
        .help("Only write-only attributes, provider configurations and other ephemeral blocks take one.")
}
