//! `terraform`: what a Terraform configuration says of itself.

use super::{Blocks, not_yet};
use crate::{
    config::reader::{Reader, Report, labels, literal},
    ir::{Block, ExprKind},
};
use weir_core::{Diagnostic, Span};

/// An entry of `required_providers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredProvider {
    /// The local name.
    pub name: String,
    /// Where it comes from: `hashicorp/aws`.
    pub source: Option<String>,
    /// The versions that will do: `~> 5.0`.
    pub version: Option<String>,
    /// `configuration_aliases`: configurations the module must be given, as `aws.west`.
    pub configuration_aliases: Vec<String>,
    /// Where the entry stands.
    pub span: Span,
}

pub(super) fn terraform(block: &Block, out: &mut Blocks, report: &mut Report<'_>) {
    if labels(block, &[], report).is_none() {
        return;
    }
    let mut reader = Reader::new("block `terraform`", &block.body);
    // Terraform's own version says nothing about weir.
    reader.attribute("required_version");
    for ident in ["cloud", "provider_meta"] {
        for inner in reader.blocks(ident) {
            report.push(not_yet(ident), &inner.span);
        }
    }
    for backend in reader.blocks("backend") {
        if labels(backend, &["kind"], report).is_none() {
            continue;
        }
        match &out.backend {
            Some(first) => report.push(super::duplicate("The backend", &first.span), &backend.span),
            None => out.backend = Some(backend.clone()),
        }
    }
    for required in reader.blocks("required_providers") {
        for a in &required.body.attributes {
            out.required_providers
                .push(entry(&a.name, &a.expr, &a.name_span, report));
        }
    }
    reader.finish(report);
}

fn entry(
    name: &str,
    expr: &crate::ir::Expr,
    span: &Span,
    report: &mut Report<'_>,
) -> RequiredProvider {
    let mut entry = RequiredProvider {
        name: name.into(),
        source: None,
        version: None,
        configuration_aliases: Vec::new(),
        span: span.clone(),
    };
    match &*expr.unparenthesised().kind {
        ExprKind::Object(items) => {
            for item in items {
                let key = literal(&item.key);
                let value = || literal(&item.value).and_then(|v| v.as_str().map(str::to_owned));
                match key.as_ref().and_then(|k| k.as_str()) {
                    Some("source") => entry.source = value(),
                    Some("version") => entry.version = value(),
                    Some("configuration_aliases") => {
                        entry.configuration_aliases = aliases(name, &item.value, report);
                    }
                    _ => {
                        let d = Diagnostic::error(format!(
                            "The requirement of provider `{name}` has an unknown key"
                        ))
                        .help("It has `source`, `version` and `configuration_aliases`.");
                        report.push(d, &item.key.span);
                    }
                }
            }
        }
        // The form of Terraform 0.12: the version alone.
        _ => entry.version = literal(expr).and_then(|v| v.as_str().map(str::to_owned)),
    }
    entry
}

/// `[aws.west, aws.east]`
fn aliases(provider: &str, expr: &crate::ir::Expr, report: &mut Report<'_>) -> Vec<String> {
    let ExprKind::List(items) = &*expr.unparenthesised().kind else {
        let d = Diagnostic::error("`configuration_aliases` must be a list")
            .help(format!("Write `[{provider}.NAME]`."));
        report.push(d, &expr.span);
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        let named = super::resources::named_provider(item).filter(|p| {
            p.key.is_none() && p.provider.alias.is_some() && p.provider.name == provider
        });
        match named {
            Some(p) => out.push(p.provider.to_string()),
            None => {
                let d = Diagnostic::error(format!(
                    "`configuration_aliases` of provider `{provider}` holds something else"
                ))
                .help(format!(
                    "Each is the provider's name and an alias: `{provider}.NAME`."
                ));
                report.push(d, &item.span);
            }
        }
    }
    out
}
