//! Diagnostics of evaluation: the source at fault and the values of the names in it.

use super::{Env, EvalError, Scope, limits::Steps};
use crate::ir::{Expr, RefStep, Reference};
use weir_core::{Diagnostic, Span, Value};

/// The most names whose values are shown.
pub(crate) const SHOWN_VALUES: usize = 6;
/// The most characters of a value that are shown.
const SHOWN_CHARACTERS: usize = 80;
/// The most names that are listed as available.
const LISTED_NAMES: usize = 12;

/// The diagnostic at an expression that has a value, with the values of the names in it: why a
/// condition does not hold.
pub(crate) fn explained(diagnostic: Diagnostic, expr: &Expr, scope: &dyn Scope) -> Diagnostic {
    let steps = Steps::default();
    let env = Env {
        scope,
        local: None,
        steps: &steps,
    };
    match env.fail(diagnostic.clone(), &expr.span, expr) {
        EvalError::Diagnostic(explained) => *explained,
        EvalError::NotReady(_) => diagnostic,
    }
}

impl Env<'_> {
    /// The diagnostic at a place, with the values of the names in `expr`.
    pub(super) fn fail(&self, diagnostic: Diagnostic, span: &Span, expr: &Expr) -> EvalError {
        let mut diagnostic = self.scope.context().sources.point(diagnostic, span);
        for reference in expr.references() {
            let (text, value) = match self.shown(&reference) {
                Some(shown) => shown,
                None => continue,
            };
            if diagnostic.values.len() < SHOWN_VALUES
                && !diagnostic.values.iter().any(|(name, _)| *name == text)
            {
                diagnostic.values.push((text, brief(&value)));
            }
        }
        EvalError::Diagnostic(Box::new(diagnostic))
    }

    /// An error of the scope, with the source it points at.
    pub(super) fn with_source(&self, error: EvalError, span: &Span) -> EvalError {
        match error {
            EvalError::Diagnostic(d) if d.snippet.is_none() => {
                let span = d.span.clone().unwrap_or_else(|| span.clone());
                EvalError::Diagnostic(Box::new(self.scope.context().sources.point(*d, &span)))
            }
            other => other,
        }
    }

    /// The name as far as it leads to a value, and that value.
    fn shown(&self, reference: &Reference) -> Option<(String, Value)> {
        let fixed = reference
            .steps
            .iter()
            .take_while(|s| !matches!(s, RefStep::Dynamic | RefStep::Splat))
            .count();
        let (mut value, mut at) = match self.bound(&reference.root) {
            Some(value) => (value.clone(), 0),
            None => {
                let reference = Reference {
                    steps: reference.steps[..fixed].to_vec(),
                    ..reference.clone()
                };
                let resolved = self.scope.resolve(&reference).ok()?;
                (resolved.value, resolved.consumed)
            }
        };
        while let Some(step) = reference.steps[..fixed].get(at) {
            let next = match step {
                RefStep::Attr(name) => value.get(name).cloned(),
                RefStep::Index(key) => match key.as_str() {
                    Some(key) => value.get(key).cloned(),
                    None => key
                        .as_i64()
                        .and_then(|i| usize::try_from(i).ok())
                        .and_then(|i| value.elements()?.get(i).map(|v| (*v).clone())),
                },
                RefStep::Splat | RefStep::Dynamic => None,
            };
            // Where the path ends is what the error is about: show what there is.
            let Some(next) = next else { break };
            value = next.mark(value.marks());
            at += 1;
        }
        Some((reference.prefix(at), value))
    }
}

/// An error over a sensitive value: where it is, and nothing of what it says. The place stays, as
/// the configuration itself is no secret.
pub(super) fn concealed(error: EvalError) -> EvalError {
    match error {
        EvalError::Diagnostic(d) => EvalError::Diagnostic(Box::new(Diagnostic {
            span: d.span,
            snippet: d.snippet,
            ..Diagnostic::error("an expression over a sensitive value is in error")
                .because(CONCEALED)
                .help("Try it with a value that may be shown.")
        })),
        waiting => waiting,
    }
}

/// What stands in the place of a cause that would show what is sensitive.
pub(super) const CONCEALED: &str =
    "What is wrong with it can't be said without showing the sensitive value.";

/// A value on one line, not too long; `(sensitive)` where it is.
pub(crate) fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text;
    }
    let ty = value.ty().friendly();
    match value.children().count() {
        0 => format!(
            "{}...",
            text.chars().take(SHOWN_CHARACTERS).collect::<String>()
        ),
        1 => format!("{ty} with 1 element"),
        n => format!("{ty} with {n} elements"),
    }
}

/// The name nearest to a misspelt one, if one is near.
pub(crate) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|n| (strsim::damerau_levenshtein(name, n), n))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, n)| n)
}

/// Names in a sentence, cut where there are too many.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names
        .iter()
        .take(LISTED_NAMES)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().checked_sub(LISTED_NAMES) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}
