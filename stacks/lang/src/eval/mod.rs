//! Expressions to values.
//!
//! An expression is evaluated in an `Env`: the caller's [`Scope`], and the names bound by `for`
//! around it.
//!
//! 1. a name goes to the scope together with its steps, indexes evaluated, so that the scope can
//!    resolve one instance alone; `access` takes the steps that remain;
//! 2. `operators`, `collections`, `template` and `call` work on what comes out: unknown
//!    values stay unknown with what is known of them, marks follow the data;
//! 3. an error is made in `report`, with the smallest expression at fault, its source and the
//!    values of the names in it.

mod access;
mod call;
mod collections;
mod limits;
mod operators;
mod provider_call;
mod report;
mod scope;
mod template;

pub(crate) use limits::{MAX_ELEMENTS, MAX_TEXT};
pub use operators::equal;
pub(crate) use report::{SHOWN_VALUES, brief, explained, nearest};
pub use scope::{Context, EvalError, NodeId, Resolved, Scope, Settled};
pub(crate) use template::known_prefix;
pub use template::render;

use crate::ir::{Expr, ExprKind, RefStep, Reference, Step, StepKind, Variable};
use std::sync::Arc;
use weir_core::{Marks, Value};

/// The value of an expression.
///
/// # Errors
/// A diagnostic that points at the smallest expression at fault, or [`EvalError::NotReady`] from
/// the scope, untouched.
pub fn eval(expr: &Expr, scope: &dyn Scope) -> Result<Value, EvalError> {
    let steps = limits::Steps::default();
    let env = Env {
        scope,
        local: None,
        steps: &steps,
    };
    let value = env.eval(expr)?;
    env.check_size(value, expr)
}

/// A result of evaluation.
pub(crate) type Evaluated<T = Value> = Result<T, EvalError>;

/// What an expression can see.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) scope: &'a dyn Scope,
    local: Option<&'a Local<'a>>,
    /// How much work the expression may still be.
    steps: &'a limits::Steps,
}

/// A name bound by a `for`.
struct Local<'a> {
    name: &'a str,
    value: Value,
    outer: Option<&'a Local<'a>>,
}

impl<'a> Env<'a> {
    pub(crate) fn eval(&self, expr: &Expr) -> Evaluated {
        match &*expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Variable(variable) => self.variable(variable, expr),
            // Anything else may nest: the stack grows as it must.
            _ => stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.eval_nested(expr)),
        }
    }

    fn eval_nested(&self, expr: &Expr) -> Evaluated {
        match &*expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Variable(variable) => self.variable(variable, expr),
            ExprKind::Template(template) => self.template(template),
            ExprKind::Access { source, steps } => {
                let value = self.eval(source)?;
                self.walk(value, steps, &[], expr)
            }
            ExprKind::Call(call) => {
                let value = self.check_number(self.call(call, expr)?, expr)?;
                self.check_size(value, expr)
            }
            ExprKind::Unary { op, operand } => self.unary(*op, operand),
            ExprKind::Binary(chain) => self.chain(chain, expr),
            ExprKind::Conditional {
                condition,
                if_true,
                if_false,
            } => self.conditional(condition, if_true, if_false, expr),
            ExprKind::For(f) => self.check_size(self.for_expr(f)?, expr),
            ExprKind::List(items) => {
                let items = items
                    .iter()
                    .map(|e| self.eval(e))
                    .collect::<Result<_, _>>()?;
                self.check_size(Value::tuple(items), expr)
            }
            ExprKind::Object(items) => self.check_size(self.object(items)?, expr),
            ExprKind::Paren(inner) => self.eval(inner),
        }
    }

    /// The names bound in here, and one more.
    fn with<T>(&self, name: &str, value: Value, f: impl FnOnce(&Env<'_>) -> T) -> T {
        let local = Local {
            name,
            value,
            outer: self.local,
        };
        f(&Env {
            scope: self.scope,
            local: Some(&local),
            steps: self.steps,
        })
    }

    /// The value bound to a name by a `for` around.
    fn bound(&self, name: &str) -> Option<&'a Value> {
        let mut local = self.local;
        while let Some(l) = local {
            if l.name == name {
                return Some(&l.value);
            }
            local = l.outer;
        }
        None
    }

    fn variable(&self, variable: &Variable, expr: &Expr) -> Evaluated {
        if let Some(value) = self.bound(&variable.root) {
            return self.walk(value.clone(), &variable.steps, &[], expr);
        }
        if !variable.reference.steps.contains(&RefStep::Dynamic) {
            return self.resolve(&variable.reference, &variable.steps, expr);
        }
        let mut steps = Vec::with_capacity(variable.reference.steps.len());
        for (known, step) in variable.reference.steps.iter().zip(&variable.steps) {
            steps.push(match (known, &step.kind) {
                (RefStep::Dynamic, StepKind::Index(index)) => RefStep::Index(self.eval(index)?),
                _ => known.clone(),
            });
        }
        let reference = Reference {
            root: Arc::clone(&variable.root),
            steps,
            span: variable.reference.span.clone(),
        };
        self.resolve(&reference, &variable.steps, expr)
    }

    fn resolve(&self, reference: &Reference, steps: &[Step], expr: &Expr) -> Evaluated {
        let Resolved { value, consumed } = self
            .scope
            .resolve(reference)
            .map_err(|e| self.with_source(e, &reference.span))?;
        let marks = reference
            .steps
            .iter()
            .take(consumed)
            .fold(Marks::NONE, |m, s| match s {
                RefStep::Index(key) => m.union(key.marks()),
                _ => m,
            });
        let value = value.mark(marks);
        let rest = steps.get(consumed..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(value);
        }
        self.walk(
            value,
            rest,
            reference.steps.get(consumed..).unwrap_or_default(),
            expr,
        )
    }
}
