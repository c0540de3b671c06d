//! Nested blocks, and the `dynamic` blocks that stand for any number of them.

use crate::{
    eval::{Context, EvalError, NodeId, Resolved, Scope, eval},
    ir::{Block, Body, Expr, ExprKind, Reference},
};
use std::sync::Arc;
use weir_core::{Diagnostic, Kind, Marks, Span, Value, convert::convert};

/// The nested blocks of one type, in order.
pub(crate) enum Expansion<'b> {
    /// These.
    Known(Vec<Expanded<'b>>),
    /// How many is not known yet: the `for_each` that says so.
    Unknown(&'b Expr),
}

/// One nested block, written out or made by a `dynamic` block.
pub(crate) struct Expanded<'b> {
    pub(crate) labels: Vec<Arc<str>>,
    pub(crate) body: &'b Body,
    pub(crate) span: Span,
    iterator: Option<(Arc<str>, Value)>,
}

impl<'b> Expanded<'b> {
    fn written(block: &'b Block) -> Expanded<'b> {
        Expanded {
            labels: block.labels.iter().map(|(l, _)| l.clone()).collect(),
            body: &block.body,
            span: block.span.clone(),
            iterator: None,
        }
    }

    /// Runs `f` with a scope that knows the iterator of the `dynamic` block.
    pub(crate) fn in_scope<T>(&self, scope: &dyn Scope, f: impl FnOnce(&dyn Scope) -> T) -> T {
        match &self.iterator {
            None => f(scope),
            Some((name, value)) => f(&With {
                outer: scope,
                name,
                value,
            }),
        }
    }
}

/// A scope with one more name.
pub(crate) struct With<'a> {
    pub(crate) outer: &'a dyn Scope,
    pub(crate) name: &'a str,
    pub(crate) value: &'a Value,
}

impl Scope for With<'_> {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        if &*reference.root == self.name {
            return Ok(Resolved {
                value: self.value.clone(),
                consumed: 0,
            });
        }
        self.outer.resolve(reference)
    }
    fn context(&self) -> &Context {
        self.outer.context()
    }
}

/// The nested blocks of one type, each with so many labels.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn expand<'b>(
    body: &'b Body,
    ident: &str,
    labels: usize,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Result<Expansion<'b>, NodeId> {
    let mut out = Vec::new();
    for block in &body.blocks {
        if *block.ident == *ident {
            out.push(Expanded::written(block));
        } else if &*block.ident == "dynamic"
            && block.label(0) == Some(ident)
            && let Some(unknown) = expand_one(block, ident, scope, errors, &mut out)?
        {
            return Ok(Expansion::Unknown(unknown));
        }
    }
    let properties = body.attributes.iter().filter(|a| *a.name == *ident);
    for property in properties.filter_map(|a| a.json.as_deref()) {
        out.extend(property.blocks(labels).blocks.iter().map(Expanded::written));
    }
    Ok(Expansion::Known(out))
}

/// The name the blocks of a `dynamic` block know their element by.
pub(crate) fn iterator_name(block: &Block) -> Option<Arc<str>> {
    match block
        .body
        .attribute("iterator")
        .map(|a| &*a.expr.unparenthesised().kind)
    {
        Some(ExprKind::Variable(v)) if v.steps.is_empty() => Some(v.root.clone()),
        Some(_) => None,
        None => block.labels.first().map(|(l, _)| l.clone()),
    }
}

fn expand_one<'b>(
    block: &'b Block,
    ident: &str,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
    out: &mut Vec<Expanded<'b>>,
) -> Result<Option<&'b Expr>, NodeId> {
    let (Some(for_each), Some(content), Some(name)) = (
        block.body.attribute("for_each"),
        block.body.blocks("content").next(),
        iterator_name(block),
    ) else {
        return Ok(None); // `check_body` has reported it.
    };
    let Some(collection) = value_of(&for_each.expr, scope, errors)? else {
        return Ok(None);
    };
    if collection.is_unknown() {
        return Ok(Some(&for_each.expr));
    }
    let marks = collection.marks();
    let Some(pairs) = pairs(&collection) else {
        let what = if collection.is_null() {
            "null".into()
        } else {
            super::article(&collection.ty())
        };
        let d = Diagnostic::error(format!("`for_each` of `dynamic \"{ident}\"` is {what}"))
            .because("It must be a list, a set, a map or an object.")
            .help("For a single block, write `for_each = [1]`.");
        errors.push(scope.context().sources.point(d, &for_each.expr.span));
        return Ok(None);
    };
    for (key, value) in pairs {
        let iterator = Value::object([("key", key.mark(marks)), ("value", value.mark(marks))]);
        let mut expanded = Expanded {
            labels: Vec::new(),
            body: &content.body,
            span: block.span.clone(),
            iterator: Some((name.clone(), iterator)),
        };
        if let Some(labels) = block.body.attribute("labels") {
            match expanded.in_scope(scope, |scope| label_values(&labels.expr, scope, errors))? {
                Some(labels) => expanded.labels = labels,
                None => continue,
            }
        }
        out.push(expanded);
    }
    Ok(None)
}

fn value_of(
    expr: &Expr,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Result<Option<Value>, NodeId> {
    match eval(expr, scope) {
        Ok(value) => Ok(Some(value)),
        Err(EvalError::NotReady(node)) => Err(node),
        Err(EvalError::Diagnostic(d)) => {
            errors.push(*d);
            Ok(None)
        }
    }
}

/// Keys and values of anything that can be gone through.
fn pairs(collection: &Value) -> Option<Vec<(Value, Value)>> {
    Some(match collection.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => items
            .iter()
            .enumerate()
            .map(|(i, v)| (Value::number(i as u64), v.clone()))
            .collect(),
        Kind::Set(_, items) => items.iter().map(|v| (v.clone(), v.clone())).collect(),
        Kind::Map(_, m) | Kind::Object(m) => m
            .iter()
            .map(|(k, v)| (Value::string(k.clone()), v.clone()))
            .collect(),
        _ => return None,
    })
}

fn label_values(
    expr: &Expr,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Result<Option<Vec<Arc<str>>>, NodeId> {
    let Some(value) = value_of(expr, scope, errors)? else {
        return Ok(None);
    };
    let mut labels = Vec::new();
    let items = value.elements().unwrap_or_default();
    for item in &items {
        let text = convert(item, &weir_core::Type::String).ok();
        match text.filter(|v| !v.marks().contains(Marks::SENSITIVE)) {
            Some(v) if v.as_str().is_some() => labels.extend(v.as_str().map(Arc::from)),
            _ => break,
        }
    }
    if labels.is_empty() || labels.len() != items.len() {
        let d = Diagnostic::error("`labels` must be a list of known text")
            .because("Labels are names: they must be known, and can't be sensitive.")
            .help("Write `labels = [\"NAME\"]`.");
        errors.push(scope.context().sources.point(d, &expr.span));
        return Ok(None);
    }
    Ok(Some(labels))
}
