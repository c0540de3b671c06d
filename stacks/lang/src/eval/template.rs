//! Templates.

use super::{Context, Env, EvalError, Evaluated, Resolved, Scope, operators::sentence, report};
use crate::ir::{Expr, Part, Reference, Template};
use std::{ops::ControlFlow, sync::Arc};
use unicode_segmentation::UnicodeSegmentation;
use weir_core::{
    Diagnostic, Entries, Kind, Marks, Type, Value, convert::convert, value::Refinements,
};

/// Text as far as it is known.
#[derive(Default)]
struct Text {
    known: String,
    /// Whether something unknown came; what comes after it is only checked.
    open: bool,
    marks: Marks,
}

impl Env<'_> {
    pub(super) fn template(&self, template: &Template) -> Evaluated {
        // `"${x}"` is x itself, whatever its type.
        if let [Part::Interpolation(expr)] = template.parts.as_slice() {
            return self.eval(expr);
        }
        let mut text = Text::default();
        self.parts(&template.parts, &mut text)?;
        let value = if text.open {
            let refinements = Refinements {
                prefix: known_prefix(&crate::parse::nfc(&text.known)),
                ..Refinements::not_null()
            };
            Value::unknown_refined(Type::String, refinements)
        } else {
            Value::string(crate::parse::nfc(&text.known))
        };
        Ok(value.mark(text.marks))
    }

    fn parts(&self, parts: &[Part], text: &mut Text) -> Evaluated<()> {
        for part in parts {
            match part {
                Part::Text(known) => text.push(known),
                Part::Interpolation(expr) => {
                    let value = self.interpolated(expr)?;
                    text.marks = text.marks.union(value.marks());
                    match value.kind() {
                        Kind::String(s) => text.push(s),
                        Kind::Unknown(..) => text.open = true,
                        _ => {}
                    }
                    self.check_text(text.known.len(), expr)?;
                }
                Part::If {
                    condition,
                    then,
                    otherwise,
                    ..
                } => {
                    let holds = self.condition(condition, "the condition of this `if`")?;
                    text.marks = text.marks.union(holds.marks());
                    match holds.as_bool() {
                        Some(true) => self.inner(then, text)?,
                        Some(false) => self.inner(otherwise, text)?,
                        None => text.open = true,
                    }
                }
                Part::For {
                    key,
                    value,
                    collection,
                    body,
                    ..
                } => {
                    let (items, marks) = self.eval(collection)?.unmark();
                    text.marks = text.marks.union(marks);
                    self.check_iterable(&items, collection)?;
                    if items.is_unknown() {
                        text.open = true;
                        continue;
                    }
                    let mut inner = Text::default();
                    let flow =
                        self.iterate(&items, collection, (key.as_deref(), value), &mut |env| {
                            env.parts(body, &mut inner)?;
                            Ok(ControlFlow::Continue(()))
                        });
                    let _ = flow.map_err(|e| match marks.contains(Marks::SENSITIVE) {
                        true => report::concealed(e),
                        false => e,
                    })?;
                    text.append(inner);
                }
            }
        }
        Ok(())
    }

    /// What is inside a directive is known as a whole or not at all.
    fn inner(&self, parts: &[Part], text: &mut Text) -> Evaluated<()> {
        let mut inner = Text::default();
        self.parts(parts, &mut inner)?;
        text.append(inner);
        Ok(())
    }

    fn interpolated(&self, expr: &Expr) -> Evaluated {
        let value = self.eval(expr)?;
        if value.is_null() {
            let error = Diagnostic::error("a null value can't be part of a text")
                .help("Give it a default: `${coalesce(x, \"\")}`.");
            return Err(self.fail(error, &expr.span, expr));
        }
        convert(&value, &Type::String).map_err(|e| {
            let error = Diagnostic::error("this value can't be part of a text")
                .because(sentence(&e.to_string()))
                .help("Pick one element of it, or use `join` or `jsonencode`.");
            self.fail(error, &expr.span, expr)
        })
    }
}

/// The most bytes of text that are told of what is unknown.
const PREFIX_LIMIT: usize = 128;

/// What the text surely begins with that goes on with something unknown: the last character may
/// still become another one, unless it is one that nothing combines with.
pub(crate) fn known_prefix(text: &str) -> Option<Arc<str>> {
    let mut end = text.len().min(PREFIX_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let stands =
        |c: char| c == ' ' || c == '\t' || (c.is_ascii_punctuation() && !"<=>`".contains(c));
    let kept = match text.ends_with(stands) {
        true => text.len(),
        false => text
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(at, _)| at),
    };
    (kept > 0).then(|| text[..kept].into())
}

impl Text {
    fn append(&mut self, inner: Text) {
        if !inner.open {
            self.push(&inner.known);
        }
        self.open |= inner.open;
        self.marks = self.marks.union(inner.marks);
    }
    fn push(&mut self, more: &str) {
        if !self.open {
            self.known.push_str(more);
        }
    }
}

/// Evaluates a template that sees nothing but these variables, as `templatefile` does.
///
/// # Errors
/// As [`super::eval`]; an unknown name lists the variables there are, wherever it stands: a branch
/// that is not taken, or a `try`, does not hide it.
pub fn render(template: &Expr, variables: &Entries, context: &Context) -> Result<Value, EvalError> {
    let scope = Variables { variables, context };
    for reference in template.references() {
        scope.resolve(&reference).map_err(|error| match error {
            EvalError::Diagnostic(d) => context.sources.point(*d, &reference.span).into(),
            not_ready => not_ready,
        })?;
    }
    super::eval(template, &scope)
}

/// The names a template sees.
struct Variables<'a> {
    variables: &'a Entries,
    context: &'a Context,
}

impl Scope for Variables<'_> {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        if let Some(value) = self.variables.get(&reference.root) {
            return Ok(Resolved {
                value: value.clone(),
                consumed: 0,
            });
        }
        let names = || self.variables.keys().map(|k| &**k);
        let mut error = Diagnostic::error(format!(
            "this template has no variable `{}`",
            reference.root
        ))
        .because(match self.variables.is_empty() {
            true => "It was given none.".to_owned(),
            false => format!("It was given {}.", report::listed(names())),
        })
        .at(reference.span.clone());
        error = error.help(match report::nearest(&reference.root, names()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Add `{} = ...` to the values it is given.", reference.root),
        });
        Err(error.into())
    }
    fn context(&self) -> &Context {
        self.context
    }
}
