//! Bodies to values, as a schema describes them.
//!
//! 1. [`check_body`] looks at the names alone, once for each block of the configuration;
//! 2. [`expand`] makes the nested blocks that `dynamic` blocks stand for;
//! 3. [`decode`] evaluates one instance of a body to an object of the schema's type.

mod check;
mod dynamic;
mod format;
mod shape;

pub(crate) use check::check_body;
pub(crate) use dynamic::{Expanded, Expansion, expand, iterator_name};
pub(crate) use format::{Format, parse_size};
pub(crate) use shape::Shape;

use crate::{
    eval::{EvalError, NodeId, Scope, eval},
    ir::{Attribute, Body},
};
use shape::Nested;
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{
    Diagnostic, Marks, Span, Type, Value,
    convert::convert,
    schema::{Absent, Nesting, SetBy, Visibility},
};

/// Evaluates a body to an object of the shape's type. What is wrong goes to `errors`, and a null
/// stands in its place.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn decode(
    body: &Body,
    shape: &Shape,
    header: &Span,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let mut fields = shape.empty.clone();
    for attribute in &body.attributes {
        let Some((name, schema)) = shape.attributes.get_key_value(&attribute.name) else {
            continue; // `check_body` has reported it.
        };
        if schema.set_by == SetBy::Computed {
            continue;
        }
        let Some(mut value) = attribute_value(attribute, &schema.ty, scope, errors)? else {
            continue;
        };
        if value.is_null() && schema.set_by == SetBy::Required {
            let d = Diagnostic::error(format!("`{name}` is null"))
                .because("It is required, and null counts as not set.")
                .help(format!("Give it a value: {}.", article(&schema.ty)));
            errors.push(scope.context().sources.point(d, &attribute.expr.span));
        }
        if let Some(Err(problem)) = shape.formats.get(name).map(|f| f.check(&value)) {
            let d = Diagnostic::error(format!("`{name}` {}", problem.what)).help(problem.help);
            errors.push(scope.context().sources.point(d, &attribute.expr.span));
        }
        if schema.visibility == Visibility::Sensitive {
            value = value.mark(Marks::SENSITIVE);
        }
        fields.insert(name.clone(), value);
    }
    for (ident, nested) in &shape.blocks {
        if let Some(attribute) = as_attribute(body, ident, nested.absent) {
            if let Some(value) = attribute_value(attribute, &nested.ty, scope, errors)? {
                fields.insert(ident.clone(), value);
            }
            continue;
        }
        // Most bodies have few of the blocks a schema allows: `empty` holds the value of none.
        let found = has_block(body, ident);
        if found || nested.min > 0 {
            let value = nested_value(body, ident, nested, header, scope, errors)?;
            fields.insert(ident.clone(), value);
        }
    }
    Ok(Value::object(fields))
}

/// The attribute that says what blocks there are, where they may be written so.
fn as_attribute<'b>(body: &'b Body, ident: &str, absent: Absent) -> Option<&'b Attribute> {
    (body.attribute(ident)).filter(|a| absent == Absent::Provider && a.json.is_none())
}

/// Whether a body has blocks of that type, or something that stands for them.
fn has_block(body: &Body, ident: &str) -> bool {
    body.blocks.iter().any(|b| is_block(b, ident))
        || body
            .attributes
            .iter()
            .any(|a| a.json.is_some() && *a.name == *ident)
}

/// Whether a block is of that type, or stands for blocks of it.
fn is_block(block: &crate::ir::Block, ident: &str) -> bool {
    *block.ident == *ident || (&*block.ident == "dynamic" && block.label(0) == Some(ident))
}

/// The value of an attribute, of its type; `None` where it has an error.
pub(crate) fn attribute_value(
    attribute: &Attribute,
    ty: &Type,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Result<Option<Value>, NodeId> {
    match eval(&attribute.expr, scope) {
        Err(EvalError::NotReady(node)) => Err(node),
        Err(EvalError::Diagnostic(d)) => {
            errors.push(*d);
            Ok(None)
        }
        Ok(value) => match convert(&value, ty) {
            Ok(value) => Ok(Some(value)),
            Err(e) => {
                let d = Diagnostic::error(format!("`{}` is not of its type", attribute.name))
                    .because(format!("It must be {}: {e}.", article(ty)))
                    .help(crate::hints::form(ty));
                errors.push(scope.context().sources.point(d, &attribute.expr.span));
                Ok(None)
            }
        },
    }
}

/// `a string`, `an object`, `a list of string`.
pub(crate) fn article(ty: &Type) -> String {
    let name = ty.friendly();
    match name.chars().next() {
        Some('a' | 'o') if !name.starts_with("any") => format!("an {name}"),
        _ if name.starts_with("any") => name,
        _ => format!("a {name}"),
    }
}

/// The value of all nested blocks of one type.
fn nested_value(
    body: &Body,
    ident: &str,
    nested: &Nested,
    header: &Span,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let labels = usize::from(nested.nesting == Nesting::Map);
    let expanded = match expand(body, ident, labels, scope, errors)? {
        Expansion::Known(expanded) => expanded,
        Expansion::Unknown(_) => return Ok(Value::unknown(nested.ty.clone())),
    };
    let count = expanded.len();
    let too_few = count < nested.min as usize;
    if too_few || nested.max.is_some_and(|max| count > max as usize) {
        let bound = match (nested.min, nested.max) {
            (min, Some(max)) if min == max => format!("exactly {min}"),
            (min, _) if too_few => format!("at least {min}"),
            (_, max) => format!("at most {}", max.unwrap_or_default()),
        };
        let d = Diagnostic::error(format!("There must be {bound} of the block `{ident}`"))
            .because(format!("There are {count}."))
            .help(match too_few {
                true => format!("Add a block `{ident}`."),
                false => format!("Remove a block `{ident}`, or more."),
            });
        let at = if too_few {
            header
        } else {
            expanded.last().map_or(header, |e| &e.span)
        };
        errors.push(scope.context().sources.point(d, at));
    }
    let mut items = Vec::with_capacity(count);
    for block in &expanded {
        let value = block.in_scope(scope, |scope| {
            decode(block.body, &nested.shape, &block.span, scope, errors)
        })?;
        items.push((block.labels.first().cloned(), block.span.clone(), value));
    }
    Ok(collect(items, ident, nested, scope, errors))
}

/// The values of nested blocks as one value.
fn collect(
    items: Vec<(Option<Arc<str>>, Span, Value)>,
    ident: &str,
    nested: &Nested,
    scope: &dyn Scope,
    errors: &mut Vec<Diagnostic>,
) -> Value {
    let element = nested.shape.ty.clone();
    let values = |items: Vec<(_, _, Value)>| items.into_iter().map(|(_, _, v)| v).collect();
    match nested.nesting {
        Nesting::Single => items
            .into_iter()
            .next()
            .map_or_else(|| Value::null_of(element), |(_, _, v)| v),
        Nesting::List if element.has_dynamic() => Value::tuple(values(items)),
        Nesting::List => Value::list(element, values(items)),
        Nesting::Set => Value::set(element, items.into_iter().map(|(_, _, v)| v)),
        Nesting::Map => {
            let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
            for (label, span, value) in items {
                let label = label.unwrap_or_default();
                if entries.contains_key(&label) {
                    let d =
                        Diagnostic::error(format!("There are two blocks `{ident} \"{label}\"`"))
                            .because("Their labels tell them apart.")
                            .help("Give one of them another label.");
                    errors.push(scope.context().sources.point(d, &span));
                }
                entries.insert(label, value);
            }
            if element.has_dynamic() {
                Value::object(entries)
            } else {
                Value::map(element, entries)
            }
        }
    }
}
