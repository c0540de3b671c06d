//! Reads the attributes and blocks of a body, and reports what is left over.

use std::collections::BTreeSet;
use weir_core::{Diagnostic, Diagnostics, Span};
use weir_lang::{
    Sources,
    ir::{Attribute, Block, Body, Expr, ExprKind},
};

/// Where problems go, and the texts they point into.
pub(super) struct Report<'a> {
    pub(super) sources: &'a Sources,
    pub(super) found: Diagnostics,
}

impl Report<'_> {
    pub(super) fn push(&mut self, d: Diagnostic, span: &Span) {
        self.found.push(self.sources.point(d, span));
    }
    /// The text of an expression. In JSON it stands in a string.
    pub(super) fn text(&self, expr: &Expr) -> String {
        let text = self.sources.slice(&expr.span).unwrap_or_default();
        let quoted = match expr.span.file.ends_with(".json") {
            true => serde_json::from_str::<String>(text).ok(),
            false => None,
        };
        let text = quoted.as_deref().unwrap_or(text);
        text.split_whitespace().collect()
    }
}

/// A body that is read name by name.
pub(super) struct Fields<'b> {
    what: String,
    body: &'b Body,
    known: BTreeSet<&'static str>,
}

impl<'b> Fields<'b> {
    pub(super) fn new(what: impl Into<String>, body: &'b Body) -> Fields<'b> {
        Fields {
            what: what.into(),
            body,
            known: BTreeSet::new(),
        }
    }

    pub(super) fn attribute(&mut self, name: &'static str) -> Option<&'b Attribute> {
        self.known.insert(name);
        self.body.attribute(name)
    }

    /// An attribute that must be there.
    pub(super) fn required(
        &mut self,
        name: &'static str,
        span: &Span,
        report: &mut Report<'_>,
    ) -> Option<&'b Attribute> {
        let found = self.attribute(name);
        if found.is_none() {
            let d = Diagnostic::error("Missing required argument")
                .because(format!(
                    "The argument \"{name}\" is required, but no definition was found."
                ))
                .help(format!("Add `{name} = ...`."));
            report.push(d, span);
        }
        found
    }

    pub(super) fn blocks(
        &mut self,
        ident: &'static str,
    ) -> impl Iterator<Item = &'b Block> + use<'b> {
        self.known.insert(ident);
        self.body.blocks(ident)
    }

    /// The only block of that type; a second one is reported.
    pub(super) fn block(
        &mut self,
        ident: &'static str,
        report: &mut Report<'_>,
    ) -> Option<&'b Block> {
        let mut blocks = self.blocks(ident);
        let first = blocks.next();
        if let Some(second) = blocks.next() {
            let d = Diagnostic::error(format!("Multiple \"{ident}\" blocks"))
                .because(format!("{} may have one \"{ident}\" block.", self.what))
                .help("Put both into one, or remove one.");
            report.push(d, &second.span);
        }
        first
    }

    /// A literal text.
    pub(super) fn text(&mut self, name: &'static str, report: &mut Report<'_>) -> Option<String> {
        let attribute = self.attribute(name)?;
        match literal(&attribute.expr) {
            Some(text) => Some(text),
            None => {
                let d = Diagnostic::error(format!("`{name}` must be a text"))
                    .because("It is read before anything is evaluated.")
                    .help(format!("Write `{name} = \"...\"`."));
                report.push(d, &attribute.expr.span);
                None
            }
        }
    }

    /// A literal truth value.
    pub(super) fn flag(&mut self, name: &'static str, report: &mut Report<'_>) -> Option<bool> {
        let attribute = self.attribute(name)?;
        let value = match &*attribute.expr.unparenthesised().kind {
            ExprKind::Literal(value) => value.as_bool(),
            _ => None,
        };
        if value.is_none() {
            let d = Diagnostic::error(format!("`{name}` must be `true` or `false`"))
                .help(format!("Write `{name} = true` or `{name} = false`."));
            report.push(d, &attribute.expr.span);
        }
        value
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        report: &mut Report<'_>,
    ) -> Option<T> {
        let attribute = self.attribute(name)?;
        let word = attribute.expr.keyword();
        let found = words.iter().find(|(w, _)| Some(*w) == word);
        if found.is_none() {
            let all: Vec<String> = words.iter().map(|(w, _)| format!("`{w}`")).collect();
            let d = Diagnostic::error(format!("`{name}` can't be this"))
                .because(format!("It is {}.", all.join(" or ")))
                .help(format!(
                    "Write `{name} = {}`.",
                    words.first().map_or("...", |w| w.0)
                ));
            report.push(d, &attribute.expr.span);
        }
        found.map(|(_, value)| *value)
    }

    /// Reports what nobody asked for.
    pub(super) fn finish(self, report: &mut Report<'_>) {
        for attribute in &self.body.attributes {
            if !self.known.contains(&*attribute.name) {
                let d = Diagnostic::error("Unsupported argument").because(format!(
                    "An argument named \"{}\" is not expected here.",
                    attribute.name
                ));
                report.push(self.near(d, &attribute.name), &attribute.name_span);
            }
        }
        for block in &self.body.blocks {
            if !self.known.contains(&*block.ident) {
                let d = Diagnostic::error("Unsupported block type").because(format!(
                    "Blocks of type \"{}\" are not expected here.",
                    block.ident
                ));
                report.push(self.near(d, &block.ident), &block.span);
            }
        }
    }

    fn near(&self, mut d: Diagnostic, name: &str) -> Diagnostic {
        let known = self.known.iter().copied();
        d.help = weir_lang::suggestion(name, known).or_else(|| Some("Remove it.".to_owned()));
        d
    }
}

/// The text of a literal.
pub(super) fn literal(expr: &Expr) -> Option<String> {
    match &*expr.unparenthesised().kind {
        ExprKind::Literal(value) => value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The elements of a list as it is written.
pub(super) fn list<'e>(attribute: &'e Attribute, report: &mut Report<'_>) -> &'e [Expr] {
    match &*attribute.expr.unparenthesised().kind {
        ExprKind::List(items) => items,
        _ => {
            let d = Diagnostic::error(format!("`{}` must be a list", attribute.name))
                .because("It is read before anything is evaluated.")
                .help(format!("Write `{} = [...]`.", attribute.name));
            report.push(d, &attribute.expr.span);
            &[]
        }
    }
}

/// The label of a block; anything but one is reported.
pub(super) fn label<'b>(block: &'b Block, report: &mut Report<'_>) -> Option<&'b str> {
    match block.labels.as_slice() {
        [(label, _)] => Some(label),
        _ => {
            let d = Diagnostic::error(format!("Block `{}` has one label", block.ident))
                .help(format!("Write `{} \"NAME\" {{ ... }}`.", block.ident));
            report.push(d, &block.span);
            None
        }
    }
}
