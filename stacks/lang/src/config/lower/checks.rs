//! `check`: conditions of their own, over the whole module, that only warn.

use super::{resources::resource, values::rules};
use crate::{
    config::{
        blocks::{CheckBlock, Repeat, Resource},
        reader::{Reader, Report, labels},
    },
    ir::Block,
};
use std::sync::Arc;
use weir_core::Diagnostic;

/// The block, and the data source that stands in it.
pub(super) fn check(
    block: &Block,
    report: &mut Report<'_>,
) -> Option<(Arc<CheckBlock>, Option<Arc<Resource>>)> {
    let name: Arc<str> = labels(block, &["name"], report)?[0].into();
    let mut reader = Reader::new(format!("check `{name}`"), &block.body);
    let asserts = rules(&mut reader, "assert", report);
    let data = reader
        .block("data", report)
        .and_then(|b| scoped(b, &name, report));
    let known = ["assert", "data"].into_iter();
    let has_asserts =
        block.body.blocks("assert").next().is_some() || block.body.misspells_block("assert", known);
    reader.finish(report);
    if !has_asserts {
        let d = Diagnostic::error(format!("Check `{name}` asserts nothing"))
            .help("Add `assert { condition = ...  error_message = ... }`.");
        report.push(d, &block.span);
    }
    let check = CheckBlock {
        name,
        asserts,
        scoped: data.as_ref().map(|d| d.object.clone()),
        span: block.span.clone(),
    };
    Some((Arc::new(check), data.map(Arc::new)))
}

/// The data source of a check: one instance, without conditions of its own.
fn scoped(block: &Block, check: &Arc<str>, report: &mut Report<'_>) -> Option<Resource> {
    let mut data = resource(block, report)?;
    data.scoped = Some(check.clone());
    let refused = match data.repeat {
        Repeat::Count(_) => Some("count"),
        Repeat::ForEach(_) => Some("for_each"),
        _ if block.body.blocks("lifecycle").next().is_some() => Some("lifecycle"),
        _ => None,
    };
    if let Some(word) = refused {
        let d = Diagnostic::error(format!("`{}` in check `{check}` has `{word}`", data.object))
            .because("The data source of a check is read once, and judged by the check alone.")
            .help(format!(
                "Remove `{word}`, or move the data source out of the check and refer to it."
            ));
        report.push(d, &block.span);
        data.repeat = Repeat::Once;
    }
    Some(data)
}
