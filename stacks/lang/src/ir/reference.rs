//! Names an expression looks up.

use super::{Expr, ExprKind, ForResult, Part, Step, StepKind};
use std::{fmt, sync::Arc};
use weir_core::{Kind, Span, Value};

/// A name and the steps after it, ready to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The first name.
    pub root: Arc<str>,
    /// The steps after it, up to the first that is not part of the reference.
    pub steps: Vec<RefStep>,
    /// All of it.
    pub span: Span,
}

/// A step of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefStep {
    /// `.name`
    Attr(Arc<str>),
    /// `[index]`, where the index is known to be this.
    Index(Value),
    /// `[*]` or `.*`: the steps after it are taken in each element.
    Splat,
    /// `[expression]`: evaluation knows which. [`crate::eval`] never passes one to a scope.
    Dynamic,
}

impl Reference {
    /// The name after the root, for `var.NAME` and the like.
    pub fn attr(&self, index: usize) -> Option<&str> {
        match self.steps.get(index) {
            Some(RefStep::Attr(name)) => Some(name),
            _ => None,
        }
    }

    /// The reference to a name and the steps after it.
    pub(crate) fn of(root: Arc<str>, steps: &[Step], span: Span) -> Reference {
        Reference {
            root,
            steps: steps.iter().map(RefStep::of).collect(),
            span,
        }
    }

    /// The first `count` steps as they are written: `module.web["a"]`.
    pub fn prefix(&self, count: usize) -> String {
        let mut text = self.root.to_string();
        for step in self.steps.iter().take(count) {
            text.push_str(&step.to_string());
        }
        text
    }
}

impl RefStep {
    fn of(step: &Step) -> RefStep {
        match &step.kind {
            StepKind::Attr(name) => RefStep::Attr(name.clone()),
            StepKind::Index(index) => match &*index.unparenthesised().kind {
                ExprKind::Literal(value) => RefStep::Index(value.clone()),
                _ => RefStep::Dynamic,
            },
            StepKind::Splat => RefStep::Splat,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix(self.steps.len()))
    }
}

impl fmt::Display for RefStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RefStep::Attr(name) => write!(f, ".{name}"),
            RefStep::Index(value) => match value.kind() {
                Kind::Number(n) if !value.is_sensitive() => write!(f, "[{n}]"),
                _ => write!(f, "[{value}]"),
            },
            RefStep::Splat => f.write_str("[*]"),
            RefStep::Dynamic => f.write_str("[...]"),
        }
    }
}

/// Adds to `out` every reference in `expr`; names in `bound` belong to a `for` around it.
pub(super) fn collect(expr: &Expr, bound: &mut Vec<Arc<str>>, out: &mut Vec<Reference>) {
    match &*expr.kind {
        ExprKind::Literal(_) => {}
        ExprKind::Template(template) => collect_parts(&template.parts, bound, out),
        ExprKind::Variable(variable) => {
            if !bound.contains(&variable.root) {
                out.push(variable.reference.clone());
            }
            collect_steps(&variable.steps, bound, out);
        }
        ExprKind::Access { source, steps } => {
            collect(source, bound, out);
            collect_steps(steps, bound, out);
        }
        ExprKind::Call(call) => call.args.iter().for_each(|e| collect(e, bound, out)),
        ExprKind::Unary { operand, .. } => collect(operand, bound, out),
        ExprKind::Binary(chain) => {
            collect(&chain.first, bound, out);
            chain
                .rest
                .iter()
                .for_each(|link| collect(&link.operand, bound, out));
        }
        ExprKind::Conditional {
            condition,
            if_true,
            if_false,
        } => {
            [condition, if_true, if_false]
                .into_iter()
                .for_each(|e| collect(e, bound, out));
        }
        ExprKind::For(f) => {
            collect(&f.collection, bound, out);
            with_bound(&f.key, &f.value, bound, |bound| {
                match &f.result {
                    ForResult::List(value) => collect(value, bound, out),
                    ForResult::Object { key, value, .. } => {
                        collect(key, bound, out);
                        collect(value, bound, out);
                    }
                }
                if let Some(condition) = &f.condition {
                    collect(condition, bound, out);
                }
            });
        }
        ExprKind::List(items) => items.iter().for_each(|e| collect(e, bound, out)),
        ExprKind::Object(items) => items.iter().for_each(|item| {
            if !item.has_ambiguous_key() {
                collect(&item.key, bound, out);
            }
            collect(&item.value, bound, out);
        }),
        ExprKind::Paren(inner) => collect(inner, bound, out),
    }
}

fn collect_steps(steps: &[Step], bound: &mut Vec<Arc<str>>, out: &mut Vec<Reference>) {
    for step in steps {
        if let StepKind::Index(index) = &step.kind {
            collect(index, bound, out);
        }
    }
}

fn collect_parts(parts: &[Part], bound: &mut Vec<Arc<str>>, out: &mut Vec<Reference>) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Interpolation(expr) => collect(expr, bound, out),
            Part::If {
                condition,
                then,
                otherwise,
                ..
            } => {
                collect(condition, bound, out);
                collect_parts(then, bound, out);
                collect_parts(otherwise, bound, out);
            }
            Part::For {
                key,
                value,
                collection,
                body,
                ..
            } => {
                collect(collection, bound, out);
                with_bound(key, value, bound, |bound| collect_parts(body, bound, out));
            }
        }
    }
}

fn with_bound(
    key: &Option<Arc<str>>,
    value: &Arc<str>,
    bound: &mut Vec<Arc<str>>,
    f: impl FnOnce(&mut Vec<Arc<str>>),
) {
    let depth = bound.len();
    bound.extend(key.iter().cloned());
    bound.push(value.clone());
    f(bound);
    bound.truncate(depth);
}
