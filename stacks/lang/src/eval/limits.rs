//! How much one expression may make: without a limit, a slip such as three `for` in each other
//! takes all memory there is before anybody sees why.

use super::{Env, EvalError, Evaluated};
use crate::ir::Expr;
use std::cell::Cell;
use weir_core::{Diagnostic, Number, Value, number::EXPONENT_LIMIT};

/// The most elements one expression goes over, all its `for` together, and the most a function
/// puts into one list.
pub(crate) const MAX_ELEMENTS: usize = 5_000_000;
/// The most bytes of one text.
pub(crate) const MAX_TEXT: usize = 256 * 1024 * 1024;

/// The most values one value holds, counted as often as they are held, and the most bytes of text
/// in it: a list of two that hold the same two, thirty levels deep, is a line of text and a billion
/// values to whatever goes through it.
const MAX_VALUES: usize = 5_000_000;

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

    /// The value, where it is small enough to be gone through.
    pub(super) fn check_size(&self, value: Value, at: &Expr) -> Evaluated {
        if value.fits(MAX_VALUES, MAX_TEXT) {
            return Ok(value);
        }
        let error = Diagnostic::error("a value grows out of bounds")
            .because(format!(
                "Together it holds more than {MAX_VALUES} values or {} MiB of text; what it holds \
                 several times counts each time.",
                MAX_TEXT >> 20
            ))
            .help("Put less into it, or refer to its parts where they are needed.");
        Err(self.fail(error, &at.span, at))
    }

    /// The number, where it can still be computed with.
    pub(super) fn check_number(&self, value: Value, at: &Expr) -> Evaluated {
        if value.as_number().is_none_or(Number::is_in_range) {
            return Ok(value);
        }
        let error = Diagnostic::error("a number is out of bounds")
            .because(format!(
                "It is beyond 10^{EXPONENT_LIMIT}, or so close to zero that it is below \
                 10^-{EXPONENT_LIMIT}."
            ))
            .help("Compute with smaller powers.");
        Err(self.fail(error, &at.span, at))
    }
}
