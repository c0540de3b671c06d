//! Where a value that is not known yet comes from.

use super::{
    frame::{Frame, Names},
    graph::InstId,
};
use crate::{
    config::NodeKind,
    eval::Scope,
    ir::{Expr, RefStep, Reference},
};
use weir_core::{Diagnostic, Span, Value};

/// How many names are followed before the nearest one is named instead.
const DEPTH: usize = 32;

/// The error for a number of instances that is not known yet: it names the value it comes from
/// and the way out.
pub(crate) fn unknown(attribute: &str, title: &str, expr: &Expr, frame: &Frame<'_>) -> Diagnostic {
    let what = match attribute {
        "prevent_destroy" => "Whether it may be destroyed must be known to plan",
        _ => "How many instances there are must be known to plan",
    };
    not_known(attribute, title, what, expr, frame)
}

/// The same for the id of what is imported.
pub(crate) fn unknown_id(title: &str, expr: &Expr, frame: &Frame<'_>) -> Diagnostic {
    let what = "Which object is imported must be known to plan";
    not_known("id", title, what, expr, frame)
}

/// How the summary of an error of this kind ends.
const NOT_KNOWN: &str = "is not known before apply";

/// Whether it says that something must be known to plan and is not. To a check that asks for no
/// values this is no error: a run may give them.
pub fn is_not_known_yet(d: &Diagnostic) -> bool {
    d.summary.ends_with(NOT_KNOWN)
}

fn not_known(
    attribute: &str,
    title: &str,
    what: &str,
    expr: &Expr,
    frame: &Frame<'_>,
) -> Diagnostic {
    let d = Diagnostic::error(format!("`{attribute}` of {title} {NOT_KNOWN}"));
    match origin(expr, frame, DEPTH) {
        Some((reference, span)) => {
            let made = made(&reference);
            d.because(format!(
                "It comes from `{reference}` at {span}, which is known only once `{made}` is made. {what}."
            ))
            .help(format!(
                "Apply `{made}` first (`weir apply -target={made}`), or take `{attribute}` from a value that the configuration itself holds."
            ))
        }
        None => d.because(format!("{what}.")).help(format!(
            "Take `{attribute}` from a value that the configuration itself holds."
        )),
    }
}

/// The part of a reference that names what is made.
fn made(r: &Reference) -> String {
    let named = usize::from(matches!(&*r.root, "data" | "ephemeral")) + 1;
    let keyed = matches!(r.steps.get(named), Some(RefStep::Index(_)));
    r.prefix(named + usize::from(keyed))
}

/// The reference to something made, from which an expression's unknown comes.
fn origin(expr: &Expr, frame: &Frame<'_>, depth: usize) -> Option<(Reference, Span)> {
    if depth == 0 {
        return None;
    }
    expr.references()
        .into_iter()
        .find_map(|reference| follow(reference, frame, depth))
}

fn follow(reference: Reference, frame: &Frame<'_>, depth: usize) -> Option<(Reference, Span)> {
    let written = |s: &RefStep| !matches!(s, RefStep::Splat | RefStep::Dynamic);
    let mut r = reference.clone();
    r.steps = r.steps.into_iter().take_while(written).collect();
    let resolved = frame.resolve(&r).ok()?;
    let found = r.steps[resolved.consumed.min(r.steps.len())..]
        .iter()
        .try_fold(resolved.value, |v, step| match step {
            _ if v.is_unknown() => Some(v),
            RefStep::Attr(name) => v.get(name).cloned(),
            RefStep::Index(i) => element(&v, i),
            RefStep::Splat | RefStep::Dynamic => Some(v),
        });
    if found.is_some_and(|v| v.is_wholly_known()) {
        return None;
    }
    let ev = frame.ev;
    let module = ev.module_of(frame.inst);
    match &*r.root {
        "local" => {
            let ix = module.names.locals.get(r.attr(0)?)?;
            let NodeKind::Local(local) = &module.node(*ix).kind else {
                return None;
            };
            origin(&local.expr, &at(frame, frame.inst), depth - 1)
        }
        "var" => {
            let (parent, _) = ev.graph.module(frame.inst).parent?;
            let (_, call) = module.parent?;
            let NodeKind::Call(call, _) = &ev.module_of(parent).node(call).kind else {
                return None;
            };
            let input = call.inputs.iter().find(|i| Some(&*i.name) == r.attr(0))?;
            origin(&input.expr, &at(frame, parent), depth - 1)
        }
        "module" => {
            let call = module.names.calls.get(r.attr(0)?)?;
            let x = ev
                .graph
                .get(ev.graph.module(frame.inst).id(*call))
                .expansion
                .clone()?;
            let child = *x.children.first()?;
            let output = r.attr(1).or_else(|| r.attr(2))?;
            let inner = ev.module_of(child);
            let ix = inner.names.outputs.get(output)?;
            let NodeKind::Output(output) = &inner.node(*ix).kind else {
                return None;
            };
            origin(&output.value, &at(frame, child), depth - 1)
        }
        _ => Some((reference.clone(), reference.span)),
    }
}

fn at<'a>(frame: &Frame<'a>, inst: InstId) -> Frame<'a> {
    Frame::new(frame.ev, inst, Names::default())
}

fn element(v: &Value, index: &Value) -> Option<Value> {
    match index.as_str() {
        Some(key) => v.get(key).cloned(),
        None => {
            let i = usize::try_from(index.as_i64()?).ok()?;
            v.elements()?.get(i).map(|v| (*v).clone())
        }
    }
}
