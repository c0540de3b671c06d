//! Graphs: which block, instance or operation comes after which. Drawn as dot, Mermaid, SVG, or
//! a page that needs nothing but a browser.

mod dot;
mod html;
mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

pub(crate) use dot::dot;
pub(crate) use html::html;
pub(crate) use mermaid::mermaid;

use weir_core::{Object, change::Action, plan::Op};

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    /// The title of a page.
    pub(crate) title: String,
    /// The nodes.
    pub(crate) nodes: Vec<Node>,
    /// From a node to one it comes after, by their numbers; each once.
    pub(crate) edges: Vec<(usize, usize)>,
}

/// A block, an instance or an operation.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// What it goes by; unique.
    pub(crate) id: String,
    /// Its name within its module.
    pub(crate) label: String,
    /// Its module; empty for the root.
    pub(crate) module: String,
    /// What it is, and so its colour.
    pub(crate) look: Look,
    /// What a person may want to know of it, as text.
    pub(crate) details: String,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// A resource that nothing happens to.
    Managed,
    /// A data source.
    Data,
    /// A host, or what runs on one.
    Service,
    /// Something is made.
    Create,
    /// Something is changed.
    Update,
    /// Something goes.
    Delete,
    /// Something is read.
    Read,
    /// Something leaves state.
    Forget,
}

impl Look {
    /// Of a block or instance.
    pub(crate) fn of(object: &Object) -> Look {
        match object {
            Object::Managed { .. } => Look::Managed,
            Object::Data { .. } | Object::Ephemeral { .. } => Look::Data,
            Object::Host { .. } | Object::Pod { .. } => Look::Service,
        }
    }

    /// Of an operation; `None` for one that does nothing.
    pub(crate) fn of_op(op: Op) -> Option<Look> {
        match op {
            Op::Create => Some(Look::Create),
            Op::Update => Some(Look::Update),
            Op::Delete => Some(Look::Delete),
            Op::Read => Some(Look::Read),
            Op::Forget => Some(Look::Forget),
            Op::Join => None,
        }
    }

    /// Its name in style sheets.
    pub(super) fn class(self) -> &'static str {
        match self {
            Look::Managed => "managed",
            Look::Data => "data",
            Look::Service => "service",
            Look::Create => "create",
            Look::Update => "update",
            Look::Delete => "delete",
            Look::Read => "read",
            Look::Forget => "forget",
        }
    }

    /// Fill and line of its box.
    pub(super) fn colours(self) -> [&'static str; 2] {
        match self {
            Look::Managed => ["#eef2f7", "#64748b"],
            Look::Data | Look::Read => ["#e0f2fe", "#0284c7"],
            Look::Service => ["#f3e8ff", "#7e22ce"],
            Look::Create => ["#dcfce7", "#15803d"],
            Look::Update => ["#fef9c3", "#a16207"],
            Look::Delete => ["#fee2e2", "#b91c1c"],
            Look::Forget => ["#f5f5f4", "#78716c"],
        }
    }
}

/// The word for what happens, where something does.
pub(crate) fn verb(action: Action) -> &'static str {
    match action {
        Action::NoOp => "stays",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::Replace(_) => "replace",
        Action::Delete => "destroy",
        Action::Forget => "forget",
    }
}

impl Graph {
    /// The graph as an image.
    pub(crate) fn svg(&self) -> String {
        svg::document(self, &layout::layout(self))
    }
}
