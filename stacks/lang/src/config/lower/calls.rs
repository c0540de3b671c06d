//! `module`.

use super::{
    resources::{named_provider, repeat, set_enabled},
    values::{RESERVED, depends_on},
};
use crate::{
    config::{
        blocks::{LocalProvider, ModuleCall, ProviderUse},
        reader::{Reader, Report, labels, literal},
    },
    hints,
    ir::{Block, Expr, ExprKind},
};
use std::sync::Arc;
use weir_core::Diagnostic;

pub(super) fn module(block: &Block, report: &mut Report<'_>) -> Option<Arc<ModuleCall>> {
    let name = labels(block, &["name"], report)?[0];
    let mut reader = Reader::new(format!("module `{name}`"), &block.body);
    let Some(source) = reader.attribute("source") else {
        let d = Diagnostic::error(format!("Module `{name}` has no `source`")).help(
            "Name a folder beside this one (`source = \"./net\"`) or a module of the catalogue \
             (`source = \"catalog:prometheus\"`).",
        );
        // What else is written is an input, so this is where to say that it was meant.
        let mut attributes = block.body.attributes.iter();
        match attributes.find(|a| hints::closest(&a.name, ["source"]).is_some()) {
            Some(a) => report.push(d.help("Did you mean `source`?"), &a.name_span),
            None => report.push(d, &block.span),
        }
        return None;
    };
    // Evaluated where the call is followed; this is how it is shown.
    let text = match literal(&source.expr).as_ref().and_then(|v| v.as_str()) {
        Some(text) => text.to_owned(),
        None => report
            .sources
            .slice(&source.expr.span)
            .unwrap_or_default()
            .to_owned(),
    };
    reader.attribute("version");
    let mut repeat = repeat(&mut reader, &format!("module.{name}"), report);
    if let Some(lifecycle) = reader.block("lifecycle", report) {
        let what = format!("module `{name}`");
        let mut inner = Reader::new(format!("`lifecycle` of {what}"), &lifecycle.body);
        if let Some(enabled) = inner.attribute("enabled") {
            set_enabled(&mut repeat, enabled, &what, report);
        }
        inner.finish(report);
    }
    let depends_on = depends_on(&mut reader, report);
    let providers = match reader.attribute("providers") {
        None => Vec::new(),
        Some(a) => providers(&a.expr, report),
    };
    let blocks = &block.body.blocks;
    for inner in blocks.iter().filter(|b| &*b.ident != "lifecycle") {
        let d = Diagnostic::error(format!("module `{name}` has no block `{}`", inner.ident))
            .help(format!("Inputs are attributes: `{} = ...`.", inner.ident));
        report.push(d, &inner.span);
    }
    let inputs = block
        .body
        .attributes
        .iter()
        .filter(|a| !RESERVED.contains(&&*a.name))
        .cloned()
        .collect();
    Some(Arc::new(ModuleCall {
        name: name.into(),
        source: text,
        source_span: source.expr.span.clone(),
        inputs,
        repeat,
        providers,
        depends_on,
        span: block.span.clone(),
    }))
}

/// `providers = { aws = aws.west }`
fn providers(expr: &Expr, report: &mut Report<'_>) -> Vec<(LocalProvider, ProviderUse)> {
    let ExprKind::Object(items) = &*expr.unparenthesised().kind else {
        let d = Diagnostic::error("`providers` must be an object")
            .help("Write `providers = { aws = aws.west }`: the module's name, then yours.");
        report.push(d, &expr.span);
        return Vec::new();
    };
    let mut out: Vec<(LocalProvider, ProviderUse)> = Vec::new();
    for item in items {
        match (child(&item.key), named_provider(&item.value)) {
            (Some(child), Some(_)) if out.iter().any(|(c, _)| *c == child) => {
                let d = Diagnostic::error(format!("`providers` gives `{child}` twice"))
                    .because("A module has one configuration of a name.")
                    .help("Remove one of the two.");
                report.push(d, &item.key.span);
            }
            (Some(child), Some(parent)) => out.push((child, parent)),
            _ => {
                let d = Diagnostic::error("`providers` holds something that names no provider")
                    .help("Write `providers = { aws = aws.west }`: the module's name, then yours.");
                report.push(d, &item.value.span);
            }
        }
    }
    out
}

/// The module's own name of a provider: bare, or as text.
fn child(key: &Expr) -> Option<LocalProvider> {
    let text = literal(key);
    match text.as_ref().and_then(|v| v.as_str()) {
        Some(text) => {
            let (name, alias) = match text.split_once('.') {
                None => (text, None),
                Some((name, alias)) => (name, Some(alias.to_owned())),
            };
            let named = weir_core::address::is_identifier(name)
                && alias
                    .as_deref()
                    .is_none_or(weir_core::address::is_identifier);
            named.then(|| LocalProvider {
                name: name.to_owned(),
                alias,
            })
        }
        None => named_provider(key)
            .filter(|p| p.key.is_none())
            .map(|p| p.provider),
    }
}
