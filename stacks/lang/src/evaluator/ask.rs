//! Expressions that are no part of the configuration: what a console asks.

use super::{
    Evaluator,
    frame::Names,
    graph::{InstId, State},
    values,
};
use crate::{eval::Settled, ir::Expr};
use std::sync::Arc;
use weir_core::{Diagnostics, Type, Value};

impl Evaluator {
    /// With what an apply settles: `timestamp`, `uuid` and `bcrypt` are known.
    pub fn settling(mut self, settled: Arc<Settled>) -> Evaluator {
        for context in &mut self.contexts {
            context.settled = Some(settled.clone());
        }
        self
    }

    /// The value of an expression in the root module, with what has been supplied by now. What it
    /// needs and has no value is unknown.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn value_of(&mut self, expr: &Expr) -> Result<Value, Diagnostics> {
        self.work();
        self.refresh();
        loop {
            let asked = self.compute(InstId(0), Names::default(), |frame, problems| {
                values::value(expr, frame, problems)
            });
            match asked {
                Ok(computed) if computed.problems.is_empty() => return Ok(computed.value),
                Ok(computed) => return Err(Diagnostics(computed.problems)),
                Err(wait) if matches!(self.graph.get(wait.on).state, State::Stale) => {
                    self.enqueue(wait.on);
                    self.work();
                    if matches!(self.graph.get(wait.on).state, State::Stale) {
                        return Ok(Value::unknown(Type::Dynamic));
                    }
                }
                Err(_) => return Ok(Value::unknown(Type::Dynamic)),
            }
        }
    }
}
