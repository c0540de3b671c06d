//! `module`.

use super::{
    resources::repeat,
    values::{RESERVED, depends_on},
};
use crate::{
    config::{
        blocks::ModuleCall,
        reader::{Reader, Report, labels, traversal},
    },
    ir::{Block, Expr, ExprKind},
};
use std::sync::Arc;
use weir_core::{Diagnostic, Span, address::ProviderRef};

pub(super) fn module(block: &Block, report: &mut Report<'_>) -> Option<Arc<ModuleCall>> {
    let name = labels(block, &["name"], report)?[0];
    let mut reader = Reader::new(format!("module `{name}`"), &block.body);
    let Some(source) = reader.attribute("source") else {
        let d = Diagnostic::error(format!("Module `{name}` has no `source`")).help(
            "Name a folder beside this one (`source = \"./net\"`) or a module of the catalogue \
             (`source = \"catalog:prometheus\"`).",
        );
        report.push(d, &block.span);
        return None;
    };
    let text = reader.text("source", report)?;
    let repeat = repeat(&mut reader, &format!("module.{name}"), report);
    let depends_on = depends_on(&mut reader, report);
    let providers = match reader.attribute("providers") {
        None => Vec::new(),
        Some(a) => providers(&a.expr, report),
    };
    if let Some(version) = reader.attribute("version") {
        let d = Diagnostic::error(format!("Module `{name}` can't set `version`")).because(
            "Only modules of a registry have versions, and this version of weir has none.",
        );
        report.push(d, &version.name_span);
    }
    for inner in &block.body.blocks {
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
fn providers(expr: &Expr, report: &mut Report<'_>) -> Vec<(ProviderRef, ProviderRef, Span)> {
    let ExprKind::Object(items) = &*expr.unparenthesised().kind else {
        let d = Diagnostic::error("`providers` must be an object")
            .help("Write `providers = { aws = aws.west }`: the module's name, then yours.");
        report.push(d, &expr.span);
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        let key = crate::config::reader::literal(&item.key)
            .and_then(|v| v.as_str().and_then(|s| s.parse().ok()))
            .or_else(|| as_provider(&item.key));
        match (key, as_provider(&item.value)) {
            (Some(child), Some(parent)) => out.push((child, parent, item.value.span.clone())),
            _ => {
                let d = Diagnostic::error("`providers` holds something that names no provider")
                    .help("Write `providers = { aws = aws.west }`: the module's name, then yours.");
                report.push(d, &item.value.span);
            }
        }
    }
    out
}

fn as_provider(expr: &Expr) -> Option<ProviderRef> {
    let r = traversal(expr)?;
    match r.steps.len() {
        0 => Some(ProviderRef {
            name: r.root.to_string(),
            alias: None,
        }),
        1 => Some(ProviderRef {
            name: r.root.to_string(),
            alias: Some(r.attr(0)?.to_owned()),
        }),
        _ => None,
    }
}
