//! HCL's JSON syntax to the same IR as its native syntax.
//!
//! What a property means depends on where it stands: an attribute, or blocks with labels as nested
//! objects. The language's own bodies are known (`structure`). What a provider defines is an
//! attribute at first, which keeps the property it was: [`Property::blocks`] reads it as blocks once
//! a schema says that it stands for them.
//!
//! 1. `node` reads JSON to a tree with places;
//! 2. `body` makes attributes and blocks of objects, as `structure` says;
//! 3. `expr` makes expressions of values: strings are templates, or what else their place says.

mod body;
mod expr;
mod node;
mod structure;

pub(crate) use node::Quoted;

use crate::ir::{Block, Body, Expr, ExprKind, Item, Reference};
use body::Bodies;
use node::{Document, Node};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};
use structure::{Kind, Reads};
use weir_core::{Diagnostics, Span};

/// Parses a JSON file's text into a body. What is returned beside errors is what could be read.
pub(crate) fn parse_body(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    read(file, text, Kind::File)
}

/// Parses a JSON file of tests.
pub(crate) fn parse_tests(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    read(file, text, Kind::Tests)
}

/// Parses a JSON file of mocks.
pub(crate) fn parse_mocks(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    read(file, text, Kind::Mocks)
}

/// Parses a JSON file of variables: attributes whose strings are taken as they are.
pub(crate) fn parse_variables(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    read(file, text, Kind::Attributes(Reads::Verbatim))
}

fn read(file: Arc<str>, text: &Arc<str>, kind: Kind) -> (Body, Diagnostics) {
    let document = Arc::new(Document::new(file, text.clone()));
    match document.read() {
        Ok(node) => {
            let mut bodies = Bodies::new(&document);
            let body = bodies.body(&node, kind);
            (body, bodies.diagnostics)
        }
        Err(error) => {
            let body = Body {
                attributes: Vec::new(),
                blocks: Vec::new(),
                span: document.span(0, 0),
            };
            (body, Diagnostics::from(*error))
        }
    }
}

/// A property of a JSON file that may be an attribute or stand for blocks.
pub struct Property {
    document: Arc<Document>,
    name: Arc<str>,
    name_span: Span,
    node: Node,
    blocks: OnceLock<Nested>,
}

/// What a property is as blocks.
#[derive(Debug)]
pub struct Nested {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// What keeps it from being blocks.
    pub problems: Diagnostics,
}

impl Property {
    /// The blocks it stands for, each with so many labels. A schema gives the number, and always
    /// gives the same one: the answer to the first question is kept.
    pub fn blocks(&self, labels: usize) -> &Nested {
        self.blocks.get_or_init(|| {
            let mut bodies = Bodies::new(&self.document);
            let mut blocks = Vec::new();
            let kind = Kind::Open { labels };
            bodies.unpack(&self.name, &self.name_span, kind, &self.node, &mut blocks);
            Nested {
                blocks,
                problems: bodies.diagnostics,
            }
        })
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Property {
    fn eq(&self, other: &Property) -> bool {
        self.name_span == other.name_span && self.document.text == other.document.text
    }
}

impl Eq for Property {}

/// Every name looked up in a value that may stand for blocks: what `dynamic` blocks in it bind is
/// left out.
pub(crate) fn references(expr: &Expr) -> Vec<Reference> {
    let mut out = Vec::new();
    collect(expr, &mut Vec::new(), &mut out);
    out
}

fn collect(expr: &Expr, bound: &mut Vec<Arc<str>>, out: &mut Vec<Reference>) {
    match &*expr.kind {
        ExprKind::List(items) => items.iter().for_each(|item| collect(item, bound, out)),
        ExprKind::Object(items) => {
            for item in items {
                if text(&item.key) == Some("dynamic") {
                    each_member(&item.value, &mut |label| dynamic(label, bound, out));
                } else {
                    free(&item.key, bound, out);
                    collect(&item.value, bound, out);
                }
            }
        }
        _ => free(expr, bound, out),
    }
}

/// `"label": {"for_each": ..., "content": {...}}`
fn dynamic(label: &Item, bound: &mut Vec<Arc<str>>, out: &mut Vec<Reference>) {
    let body = &label.value;
    let mut iterator: Option<Arc<str>> = text(&label.key).map(Arc::from);
    each_member(body, &mut |m| match text(&m.key) {
        Some("iterator") => iterator = text(&m.value).map(Arc::from),
        Some("for_each") => free(&m.value, bound, out),
        _ => {}
    });
    let depth = bound.len();
    bound.extend(iterator);
    each_member(body, &mut |m| {
        if let Some("content" | "labels") = text(&m.key) {
            collect(&m.value, bound, out);
        }
    });
    bound.truncate(depth);
}

/// The members of an object, or of all objects in a list.
fn each_member(expr: &Expr, f: &mut dyn FnMut(&Item)) {
    match &*expr.kind {
        ExprKind::Object(items) => items.iter().for_each(f),
        ExprKind::List(items) => items.iter().for_each(|item| each_member(item, f)),
        _ => {}
    }
}

fn free(expr: &Expr, bound: &[Arc<str>], out: &mut Vec<Reference>) {
    let found = expr.references().into_iter();
    out.extend(found.filter(|r| !bound.contains(&r.root)));
}

fn text(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Literal(value) => value.as_str(),
        _ => None,
    }
}
