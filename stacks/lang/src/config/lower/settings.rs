//! `terraform`: what a Terraform configuration says of itself.

use super::{Blocks, not_yet};
use crate::{
    config::{
        reader::{Reader, Report, labels, literal},
        version::{TERRAFORM, meets},
    },
    ir::{Attribute, Block, ExprKind},
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
    if let Some(a) = reader.attribute("required_version") {
        required_version(a, report);
    }
    if let Some(a) = reader.attribute("experiments") {
        let d = Diagnostic::error("There are no experiments")
            .because(
                "They are for previews of Terraform; its releases have none, and neither has weir.",
            )
            .help("Remove the attribute.");
        report.push(d, &a.name_span);
    }
    if let Some(a) = reader.attribute("language")
        && a.expr.keyword() != Some("TF2021")
    {
        let d = Diagnostic::error("`language` names no edition of the language")
            .because("There is one, `TF2021`.")
            .help("Remove the attribute.");
        report.push(d, &a.expr.span);
    }
    for inner in reader.blocks("cloud") {
        report.push(not_yet("cloud"), &inner.span);
    }
    for inner in reader.blocks("provider_meta") {
        if labels(inner, &["provider"], report).is_some() {
            let d = Diagnostic::warning("`provider_meta` is not handed to the provider")
                .because(
                    "It tells a provider which module asks; nothing that is made depends on it.",
                )
                .help("Remove the block, unless the module is used with Terraform too.");
            report.push(d, &inner.span);
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
        if let Some(first) = &out.requirements {
            report.push(
                super::duplicate("`required_providers`", first),
                &required.span,
            );
            continue;
        }
        out.requirements = Some(required.span.clone());
        for a in &required.body.attributes {
            out.required_providers
                .push(entry(&a.name, &a.expr, &a.name_span, report));
        }
    }
    reader.finish(report);
}

fn required_version(attribute: &Attribute, report: &mut Report<'_>) {
    let text = literal(&attribute.expr);
    let Some(constraint) = text.as_ref().and_then(|v| v.as_str()) else {
        let d = Diagnostic::error("`required_version` must be text")
            .because("It is read before anything is evaluated, so it can't be an expression.")
            .help("Write it in quotes: `required_version = \">= 1.5\"`.");
        return report.push(d, &attribute.expr.span);
    };
    let d = match meets(TERRAFORM, constraint) {
        Some(true) => return,
        Some(false) => Diagnostic::error(format!("The language of Terraform {constraint} is required"))
            .because(format!("This version of weir has that of Terraform {TERRAFORM}."))
            .help("Use another version of weir, or change `required_version` where the configuration needs no more than that."),
        None => Diagnostic::error(format!("{constraint:?} is no version constraint"))
            .help("Write conditions with commas between them: `>= 1.5, < 2.0`, `~> 1.11`."),
    };
    report.push(d, &attribute.expr.span);
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
