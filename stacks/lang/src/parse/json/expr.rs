//! JSON values as expressions.

use super::{
    super::{Parser, cursor::Cursor, cursor::Parsed, cursor::nfc},
    body::Bodies,
    node::{Node, NodeKind, Text},
    structure::Reads,
};
use crate::ir::{Expr, ExprKind, Item, Part, Template};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::Value;

impl Bodies<'_> {
    /// The expression a value is.
    pub(super) fn expr(&mut self, node: &Node, reads: Reads) -> Expr {
        let span = self.document.span(node.start, node.end);
        match &node.kind {
            NodeKind::Null => Expr::literal(Value::null(), span),
            NodeKind::Bool(b) => Expr::literal(*b, span),
            NodeKind::Number(n) => Expr::literal(Value::number(n.clone()), span),
            NodeKind::String(text) => self.text(text, reads),
            NodeKind::Array(items) => {
                let items = items.iter().map(|item| self.expr(item, reads));
                Expr::new(ExprKind::List(items.collect()), span)
            }
            NodeKind::Object(members) => {
                let mut items = Vec::with_capacity(members.len());
                let mut seen: BTreeMap<&str, &Text> = BTreeMap::new();
                for member in members {
                    if let Some(first) = seen.insert(&member.name.value, &member.name) {
                        self.twice(&member.name, first);
                        continue;
                    }
                    let inside = match reads {
                        Reads::Requirement if &*member.name.value == "configuration_aliases" => {
                            Reads::Native
                        }
                        Reads::Requirement => Reads::Verbatim,
                        other => other,
                    };
                    items.push(Item {
                        key: self.text(&member.name, inside),
                        value: self.expr(&member.value, inside),
                    });
                }
                Expr::new(ExprKind::Object(items), span)
            }
        }
    }

    /// A property that stands twice in one object.
    pub(super) fn twice(&mut self, name: &Text, first: &Text) {
        let line = self.document.span(first.start, first.end).line;
        let span = self.document.span(name.start, name.end);
        let error = self
            .document
            .error(format!("`{}` is set twice in one object", name.value), span)
            .because(format!("It was set on line {line} already."))
            .help("Remove one of them.");
        self.diagnostics.push(error);
    }

    fn text(&mut self, text: &Text, reads: Reads) -> Expr {
        let span = self.document.span(text.start, text.end);
        let plain = |text: &Text| Expr::literal(Value::string(nfc(&text.value)), span.clone());
        let parsed = match reads {
            Reads::Verbatim | Reads::Requirement => return plain(text),
            Reads::Native => self.parse(text, |p| p.whole_expr()),
            Reads::Template if !text.value.contains("${") && !text.value.contains("%{") => {
                return plain(text);
            }
            Reads::Template => self.parse(text, |p| p.bare_template()),
        };
        match parsed {
            Ok(parsed) => Expr {
                kind: unwrapped(&parsed),
                span,
            },
            Err(mut error) => {
                let inner = text
                    .value
                    .strip_prefix("${")
                    .and_then(|t| t.strip_suffix('}'));
                if let (Reads::Native, Some(inner)) = (reads, inner) {
                    *error = self
                        .document
                        .error("a name stands here, not a template", span.clone())
                        .help(format!("Write `\"{}\"`.", inner.trim()));
                }
                self.diagnostics.push(*error);
                plain(text)
            }
        }
    }

    fn parse(&self, text: &Text, f: impl FnOnce(&mut Parser<'_>) -> Parsed<Expr>) -> Parsed<Expr> {
        let cursor = Cursor::quoted(self.document.quoted(text));
        f(&mut Parser::over(cursor))
    }
}

/// `"${x}"` is x itself, so that it may stand where a name must.
fn unwrapped(expr: &Expr) -> Arc<ExprKind> {
    if let ExprKind::Template(Template { parts, .. }) = &*expr.kind
        && let [Part::Interpolation(inner)] = parts.as_slice()
    {
        return Arc::new(ExprKind::Paren(inner.clone()));
    }
    expr.kind.clone()
}
