//! Expressions over a configuration that was worked through, with names beside its own: what a
//! test asserts.

use super::{
    Evaluator,
    frame::Names,
    graph::{InstId, State},
    values,
};
use crate::{
    eval::{NodeId, SHOWN_VALUES, brief},
    ir::{Expr, RefStep},
    parse,
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostics, Type, Value};

/// Names beside those of the root module, each with its value: `run`, `output`. Under `var` stand
/// variables that the root module does not declare.
pub type Roots = BTreeMap<Arc<str>, Value>;

impl Evaluator {
    /// As [`Evaluator::value_of`], with more names.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn value_among(&mut self, expr: &Expr, roots: &Arc<Roots>) -> Result<Value, Diagnostics> {
        self.work();
        self.refresh();
        let open = || Ok(Value::unknown(Type::Dynamic));
        loop {
            let names = Names {
                roots: Some(roots.clone()),
                ..Names::default()
            };
            let asked = self.compute(InstId(0), names, |frame, problems| {
                values::value(expr, frame, problems)
            });
            let wait: NodeId = match asked {
                Ok(computed) if computed.problems.is_empty() => return Ok(computed.value),
                Ok(computed) => return Err(Diagnostics(computed.problems)),
                Err(wait) => wait.on,
            };
            if !matches!(self.graph.get(wait).state, State::Stale) {
                return open();
            }
            self.enqueue(wait);
            self.work();
            if matches!(self.graph.get(wait).state, State::Stale) {
                return open();
            }
        }
    }

    /// The names in an expression and their values in short, as a diagnostic shows them.
    pub fn names_in(&mut self, expr: &Expr, roots: &Arc<Roots>) -> Vec<(String, String)> {
        let mut shown: Vec<(String, String)> = Vec::new();
        for reference in expr.references() {
            let fixed = reference
                .steps
                .iter()
                .take_while(|s| !matches!(s, RefStep::Dynamic | RefStep::Splat))
                .count();
            let text = reference.prefix(fixed);
            let Ok(name) = parse::parse_expr("name".into(), &text.as_str().into()) else {
                continue;
            };
            if shown.len() < SHOWN_VALUES
                && !shown.iter().any(|(t, _)| *t == text)
                && let Ok(value) = self.value_among(&name, roots)
            {
                shown.push((text, brief(&value)));
            }
        }
        shown.sort();
        shown
    }
}
