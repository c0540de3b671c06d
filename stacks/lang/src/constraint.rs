//! Type constraints: `object({name = string, port = optional(number, 80)})`.

use crate::{ir::Expr, sources::Sources};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Type, Value};

/// What `optional(T, default)` says, beside the type it stands in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The defaults of an object's attributes.
    pub values: BTreeMap<Arc<str>, Value>,
    /// Defaults further inside: of an object's attributes by name, of a tuple's elements by
    /// number, of a collection's elements under the empty name.
    pub children: BTreeMap<Arc<str>, Defaults>,
}

/// Reads a type constraint.
///
/// # Errors
/// It is not one; the diagnostic points at the part at fault.
pub fn type_constraint(expr: &Expr, sources: &Sources) -> Result<(Type, Defaults), Box<Diagnostic>> {
    let _ = (expr, sources);
    unreachable!("lands with conversions")
}
