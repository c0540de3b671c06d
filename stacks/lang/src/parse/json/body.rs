//! JSON objects as bodies: attributes, and blocks with labels as nested objects.

use super::{
    Property,
    node::{Document, Member as JsonMember, Node, NodeKind, Text},
    structure::{Kind, Member, Reads},
};
use crate::ir::{Attribute, Block, Body, Label};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};
use weir_core::{Diagnostics, Span};

/// Makes bodies of one document.
pub(super) struct Bodies<'a> {
    pub(super) document: &'a Arc<Document>,
    pub(super) diagnostics: Diagnostics,
}

/// What the objects that are looked for hold.
#[derive(Clone, Copy)]
enum Holds<'a> {
    /// Attributes and blocks.
    Content,
    /// Labels: the block's type, and what the label says.
    Labels(&'a str, &'a str),
}

impl<'a> Bodies<'a> {
    pub(super) fn new(document: &'a Arc<Document>) -> Bodies<'a> {
        Bodies {
            document,
            diagnostics: Diagnostics::new(),
        }
    }

    /// The body that an object is, or a list of objects.
    pub(super) fn body(&mut self, node: &Node, kind: Kind) -> Body {
        let mut body = Body {
            attributes: Vec::new(),
            blocks: Vec::new(),
            span: self.document.span(node.start, node.end),
        };
        let members = match (kind, &node.kind) {
            // A list of objects would be merged in a body with a known shape, not here.
            (Kind::Locals | Kind::Attributes(_), NodeKind::Array(_) | NodeKind::Null) => {
                self.error(
                    node,
                    "a JSON object is required here",
                    ("Its properties are attributes.", OBJECT),
                );
                return body;
            }
            _ => self.members(node, Holds::Content),
        };
        let mut seen: BTreeMap<&str, &Text> = BTreeMap::new();
        for member in members {
            let name = &member.name;
            if &*name.value == "//" {
                continue;
            }
            let what = kind.member(&name.value);
            // Twice the same blocks are blocks; the schema says whether it was an attribute.
            if !matches!(what, Member::Blocks(_) | Member::Either)
                && let Some(first) = seen.insert(&name.value, name)
            {
                self.twice(name, first);
                continue;
            }
            self.property(&mut body, member, what);
        }
        body
    }

    fn property(&mut self, body: &mut Body, member: &JsonMember, what: Member) {
        let name: Arc<str> = member.name.value.clone();
        let name_span = self.document.span(member.name.start, member.name.end);
        match what {
            Member::Blocks(kind) => {
                self.unpack(&name, &name_span, kind, &member.value, &mut body.blocks);
            }
            // Without labels and content: what is wrong is its name.
            Member::Unknown => body.blocks.push(Block {
                ident: name,
                labels: Vec::new(),
                body: Body {
                    attributes: Vec::new(),
                    blocks: Vec::new(),
                    span: self.document.span(member.value.start, member.value.end),
                },
                span: name_span,
            }),
            Member::Attribute(reads) => {
                let expr = self.expr(&member.value, reads);
                body.attributes.push(Attribute {
                    name,
                    name_span,
                    expr,
                    json: None,
                });
            }
            Member::Either => {
                let expr = self.expr(&member.value, Reads::Template);
                let json = Arc::new(Property {
                    document: self.document.clone(),
                    name: name.clone(),
                    name_span: name_span.clone(),
                    node: member.value.clone(),
                    blocks: OnceLock::new(),
                });
                body.attributes.push(Attribute {
                    name,
                    name_span,
                    expr,
                    json: Some(json),
                });
            }
        }
    }

    /// The blocks a property stands for.
    pub(super) fn unpack(
        &mut self,
        ident: &Arc<str>,
        ident_span: &Span,
        kind: Kind,
        node: &Node,
        out: &mut Vec<Block>,
    ) {
        let mut wanted = Wanted {
            ident,
            ident_span,
            kind,
            out,
        };
        self.labelled(&mut wanted, node, &mut Vec::new());
    }

    fn labelled(&mut self, wanted: &mut Wanted<'_>, node: &Node, labels: &mut Vec<Label>) {
        if let Some(label) = wanted.kind.labels().get(labels.len()) {
            let before = self.diagnostics.0.len();
            let members = self.members(node, Holds::Labels(wanted.ident, label));
            if members.is_empty() && self.diagnostics.0.len() == before {
                let summary = format!("`{}` has no label", wanted.ident);
                let why = format!(
                    "At least one property is required, whose name is the block's {label}."
                );
                let next = "Put the block into an object, under its name.";
                self.error(node, &summary, (&why, next));
            }
            for member in members {
                let span = self.document.span(member.name.start, member.name.end);
                labels.push((member.name.value.clone(), span));
                self.labelled(wanted, &member.value, labels);
                labels.pop();
            }
            return;
        }
        match &node.kind {
            NodeKind::Null => {}
            NodeKind::Object(_) => {
                let span = labels.last().map_or(wanted.ident_span, |(_, span)| span);
                self.block(wanted, node, labels, span.clone());
            }
            NodeKind::Array(items) => {
                for item in items {
                    let span = self.document.span(item.start, item.start + 1);
                    self.block(wanted, item, labels, span);
                }
            }
            _ => {
                let summary = format!("`{}` must be an object or a list of objects", wanted.ident);
                self.error(node, &summary, ("Each object is one block.", OBJECT));
            }
        }
    }

    fn block(&mut self, wanted: &mut Wanted<'_>, node: &Node, labels: &[Label], span: Span) {
        let body = self.body(node, wanted.kind);
        wanted.out.push(Block {
            ident: wanted.ident.clone(),
            labels: labels.to_vec(),
            body,
            span,
        });
    }

    /// The members of an object, or of all objects in a list.
    fn members<'n>(&mut self, node: &'n Node, holds: Holds<'_>) -> Vec<&'n JsonMember> {
        let why = match holds {
            Holds::Content => "Its properties are attributes and blocks.".to_owned(),
            Holds::Labels(ident, label) => {
                format!("Its properties' names are the {label} of each block `{ident}`.")
            }
        };
        match &node.kind {
            NodeKind::Null => Vec::new(),
            NodeKind::Object(members) => members.iter().collect(),
            NodeKind::Array(items) => {
                let mut all = Vec::new();
                for item in items {
                    match &item.kind {
                        NodeKind::Object(members) => all.extend(members),
                        _ => self.error(item, "a JSON object is required here", (&why, OBJECT)),
                    }
                }
                all
            }
            _ => {
                let summary = "a JSON object, or a list of objects, is required here";
                self.error(node, summary, (&why, OBJECT));
                Vec::new()
            }
        }
    }

    fn error(&mut self, node: &Node, summary: &str, (why, next): (&str, &str)) {
        // A whole object would fill the screen: its beginning says where it is.
        let end = match node.kind {
            NodeKind::Object(_) | NodeKind::Array(_) => node.start + 1,
            _ => node.end,
        };
        let span = self.document.span(node.start, end);
        let error = self.document.error(summary, span).because(why);
        self.diagnostics.push(error.help(next));
    }
}

/// The next step where an object is missing.
const OBJECT: &str = "Write `{ \"NAME\": ... }` in its place.";

/// The blocks that are being made.
struct Wanted<'a> {
    ident: &'a Arc<str>,
    ident_span: &'a Span,
    kind: Kind,
    out: &'a mut Vec<Block>,
}
