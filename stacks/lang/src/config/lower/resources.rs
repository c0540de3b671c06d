//! `provider`, `resource` and `data`.

use super::values::{depends_on, rules};
use crate::{
    config::{
        blocks::{ProviderBlock, Repeat, Resource},
        reader::{Reader, Report, labels, path_of, traversal},
    },
    instance::{Ignore, Lifecycle},
    ir::{Attribute, Block, Body, ExprKind},
};
use std::sync::Arc;
use weir_core::{Diagnostic, Object, Span, address::ProviderRef};

pub(super) fn provider(block: &Block, report: &mut Report<'_>) -> Option<Arc<ProviderBlock>> {
    let name = labels(block, &["name"], report)?[0];
    let mut reader = Reader::new(format!("provider `{name}`"), &block.body);
    let alias = reader.text("alias", report);
    if let Some(version) = reader.attribute("version") {
        let d = Diagnostic::error(format!("Provider `{name}` can't set `version`"))
            .because("The version is part of the requirement, not of a configuration.")
            .help("Move it to `required_providers` in the `terraform` block.");
        report.push(d, &version.name_span);
    }
    let body = without(&block.body, &["alias", "version"], &[]);
    Some(Arc::new(ProviderBlock {
        provider: ProviderRef {
            name: name.into(),
            alias,
        },
        body,
        span: block.span.clone(),
    }))
}

pub(super) fn resource(block: &Block, report: &mut Report<'_>) -> Option<Arc<Resource>> {
    let names = labels(block, &["type", "name"], report)?;
    let (ty, name) = (names[0].to_owned(), names[1].to_owned());
    let object = match &*block.ident {
        "data" => Object::Data { ty, name },
        _ => Object::Managed { ty, name },
    };
    let mut reader = Reader::new(format!("`{object}`"), &block.body);
    let repeat = repeat(&mut reader, &object.to_string(), report);
    let depends_on = depends_on(&mut reader, report);
    let provider = reader
        .attribute("provider")
        .and_then(|a| provider_ref(a, report));
    let mut resource = Resource {
        object,
        body: without(&block.body, &META, &META_BLOCKS),
        repeat,
        provider,
        depends_on,
        lifecycle: Lifecycle::default(),
        preconditions: Vec::new(),
        postconditions: Vec::new(),
        span: block.span.clone(),
    };
    if let Some(inner) = reader.block("lifecycle", report) {
        lifecycle(&mut resource, inner, report);
    }
    for ident in ["provisioner", "connection"] {
        for inner in reader.blocks(ident) {
            report.push(super::not_yet(ident), &inner.span);
        }
    }
    // The rest is the provider's: its schema says what is known (the evaluator asks it).
    Some(Arc::new(resource))
}

/// Attributes of a resource that the language reads itself.
const META: [&str; 4] = ["count", "for_each", "depends_on", "provider"];
/// Blocks of a resource that the language reads itself.
const META_BLOCKS: [&str; 3] = ["lifecycle", "provisioner", "connection"];

/// The body without these attributes and blocks.
pub(super) fn without(body: &Body, attributes: &[&str], blocks: &[&str]) -> Body {
    Body {
        attributes: body
            .attributes
            .iter()
            .filter(|a| !attributes.contains(&&*a.name))
            .cloned()
            .collect(),
        blocks: body
            .blocks
            .iter()
            .filter(|b| !blocks.contains(&&*b.ident))
            .cloned()
            .collect(),
        span: body.span.clone(),
    }
}

/// `count` or `for_each`.
pub(super) fn repeat(reader: &mut Reader<'_>, what: &str, report: &mut Report<'_>) -> Repeat {
    match (reader.attribute("count"), reader.attribute("for_each")) {
        (None, None) => Repeat::Once,
        (Some(count), None) => Repeat::Count(count.expr.clone()),
        (None, Some(each)) => Repeat::ForEach(each.expr.clone()),
        (Some(_), Some(each)) => {
            let d = Diagnostic::error(format!("{what} has both `count` and `for_each`"))
                .because("Each says how many instances there are.")
                .help("Keep one of them.");
            report.push(d, &each.name_span);
            Repeat::ForEach(each.expr.clone())
        }
    }
}

/// `provider = aws` or `provider = aws.west`
pub(super) fn provider_ref(
    attribute: &Attribute,
    report: &mut Report<'_>,
) -> Option<(ProviderRef, Span)> {
    let reference = traversal(&attribute.expr).and_then(|r| match r.steps.len() {
        0 => Some(ProviderRef {
            name: r.root.to_string(),
            alias: None,
        }),
        1 => Some(ProviderRef {
            name: r.root.to_string(),
            alias: Some(r.attr(0)?.to_owned()),
        }),
        _ => None,
    });
    if reference.is_none() {
        let d = Diagnostic::error(format!("`{}` must name a provider", attribute.name))
            .help("Write the provider's name, or name and alias: `aws` or `aws.west`.");
        report.push(d, &attribute.expr.span);
    }
    Some((reference?, attribute.expr.span.clone()))
}

fn lifecycle(resource: &mut Resource, block: &Block, report: &mut Report<'_>) {
    let mut reader = Reader::new(format!("`lifecycle` of `{}`", resource.object), &block.body);
    resource.lifecycle.create_before_destroy = reader
        .flag("create_before_destroy", report)
        .unwrap_or(false);
    resource.lifecycle.prevent_destroy = reader.flag("prevent_destroy", report).unwrap_or(false);
    if let Some(a) = reader.attribute("ignore_changes") {
        resource.lifecycle.ignore_changes = ignore_changes(a, report);
    }
    if let Some(a) = reader.attribute("replace_triggered_by") {
        let d = Diagnostic::error("This version of weir has no `replace_triggered_by`")
            .because("It is refused, as ignoring it would keep what you want replaced.")
            .help("Plan with `-replace=ADDRESS` when the object must be replaced.");
        report.push(d, &a.name_span);
    }
    resource.preconditions = rules(&mut reader, "precondition", report);
    resource.postconditions = rules(&mut reader, "postcondition", report);
    reader.finish(report);
}

fn ignore_changes(attribute: &Attribute, report: &mut Report<'_>) -> Ignore {
    let expr = attribute.expr.unparenthesised();
    if expr.keyword() == Some("all") {
        return Ignore::All;
    }
    let ExprKind::List(items) = &*expr.kind else {
        let d = Diagnostic::error("`ignore_changes` must be a list of attributes")
            .help("Write `ignore_changes = [tags]`, or `ignore_changes = all`.");
        report.push(d, &attribute.expr.span);
        return Ignore::Nothing;
    };
    let mut paths = Vec::new();
    for item in items {
        match path_of(item) {
            Some(path) => paths.push(path),
            None => {
                let d = Diagnostic::error("`ignore_changes` holds something that is no attribute")
                    .help("Name attributes of this resource: `tags`, `tags[\"Name\"]`.");
                report.push(d, &item.span);
            }
        }
    }
    Ignore::Paths(paths)
}
