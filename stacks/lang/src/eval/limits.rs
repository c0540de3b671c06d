//! How much one expression may make: without a limit, a slip such as three `for` in each other
//! takes all memory there is before anybody sees why.

use super::{Env, EvalError};
use crate::ir::Expr;
use std::cell::Cell;
use weir_core::Diagnostic;

/// The most elements one expression goes over, all its `for` together, and the most a function
/// puts into one list.
pub(crate) const MAX_ELEMENTS: usize = 5_000_000;
/// The most bytes of one text.
pub(crate) const MAX_TEXT: usize = 256 * 1024 * 1024;

/// How many elements were gone over.
#[derive(Default)]
pub(crate) struct Steps(Cell<usize>);

impl Env<'_> {
    /// Counts one more element of the collection `of`.
    pub(super) fn step(&self, of: &Expr) -> Result<(), EvalError> {
        let steps = self.steps.0.get() + 1;
        self.steps.0.set(steps);
        if steps <= MAX_ELEMENTS {
            return Ok(());
        }
        let error = Diagnostic::error(format!(
            "the expression goes over more than {MAX_ELEMENTS} elements"
        ))
        .because(
            "That is more than one expression may; each `for` in another multiplies its elements.",
        )
        .help("Go over fewer elements, or choose those that matter before they are combined.");
        Err(self.fail(error, &of.span, of))
    }

    /// Refuses a text that grew out of bounds at `at`.
    pub(super) fn check_text(&self, len: usize, at: &Expr) -> Result<(), EvalError> {
        if len <= MAX_TEXT {
            return Ok(());
        }
        let error = Diagnostic::error(format!("a text grows beyond {} MiB", MAX_TEXT >> 20))
            .because("That is more than one text may be.")
            .help("Put less into it, or keep it in a file that is not a value.");
        Err(self.fail(error, &at.span, at))
    }
}
