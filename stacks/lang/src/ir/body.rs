//! Bodies: attributes and blocks in source order.

use super::Expr;
use crate::parse::json::Property;
use std::sync::Arc;
use weir_core::Span;

/// What stands in a file, or between the braces of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Attributes, in source order. No name occurs twice.
    pub attributes: Vec<Attribute>,
    /// Blocks, in source order.
    pub blocks: Vec<Block>,
    /// All of it; for a block without its braces.
    pub span: Span,
}

/// `name = expr`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// Its expression.
    pub expr: Expr,
    /// The property it was written as in a JSON file where only a schema tells whether it is an
    /// attribute or stands for blocks.
    pub json: Option<Arc<Property>>,
}

/// `ident "label" { ... }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its type.
    pub ident: Arc<str>,
    /// Its labels.
    pub labels: Vec<Label>,
    /// What stands in it.
    pub body: Body,
    /// Its header: type and labels.
    pub span: Span,
}

/// A label of a block.
pub type Label = (Arc<str>, Span);

impl Body {
    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| &*a.name == name)
    }
    /// Whether an attribute that is none of the `known` ones stands in it, and it is this one that
    /// its error will offer: that this one is missing says nothing new.
    pub(crate) fn misspells<'k>(
        &self,
        name: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> bool {
        crate::hints::misspells(self.attributes.iter().map(|a| &*a.name), name, known)
    }
    /// As [`Body::misspells`], of blocks.
    pub(crate) fn misspells_block<'k>(
        &self,
        ident: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> bool {
        crate::hints::misspells(self.blocks.iter().map(|b| &*b.ident), ident, known)
    }
    /// The blocks of that type.
    pub fn blocks<'a>(&'a self, ident: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |b| &*b.ident == ident)
    }
}

impl Block {
    /// The label at that position.
    pub fn label(&self, index: usize) -> Option<&str> {
        self.labels.get(index).map(|(text, _)| &**text)
    }
}
