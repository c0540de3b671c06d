//! Text to IR.

use crate::ir::{Body, Expr};
use std::sync::Arc;
use weir_core::{Diagnostic, Diagnostics};

/// Parses a file's text into a body. Never panics; after an error it goes on with the next
/// attribute or block, so that one run reports as many as it can. What is returned beside errors
/// is what could be read.
pub fn parse_body(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    let _ = (file, text);
    unreachable!("lands with the parser")
}

/// Parses text that is one expression, such as the value of `-var`.
///
/// # Errors
/// The first syntax error.
pub fn parse_expr(file: Arc<str>, text: &Arc<str>) -> Result<Expr, Diagnostic> {
    let _ = (file, text);
    unreachable!("lands with the parser")
}

/// Parses text that is a template as a whole, such as a file for `templatefile`.
///
/// # Errors
/// The first syntax error.
pub fn parse_template(file: Arc<str>, text: &Arc<str>) -> Result<Expr, Diagnostic> {
    let _ = (file, text);
    unreachable!("lands with the parser")
}
