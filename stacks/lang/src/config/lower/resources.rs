//! `provider`, `resource` and `data`.

use super::{
    address::written,
    values::{depends_on, rules},
};
use crate::{
    config::{
        blocks::{
            LifecycleBlock, LocalProvider, ProviderBlock, ProviderUse, Repeat, Resource,
            TriggerBlock,
        },
        reader::{Reader, Report, labels, path_of, steps_path},
    },
    instance::Ignore,
    ir::{Attribute, Block, Body, Expr, ExprKind, Reference, StepKind},
};
use std::{fmt::Display, sync::Arc};
use weir_core::{Diagnostic, Object};

pub(crate) fn provider(block: &Block, report: &mut Report<'_>) -> Option<Arc<ProviderBlock>> {
    let name = labels(block, &["name"], report)?[0];
    let mut reader = Reader::new(format!("provider `{name}`"), &block.body);
    let alias = reader.text("alias", report);
    if let Some(version) = reader.attribute("version") {
        let d = Diagnostic::error(format!("Provider `{name}` can't set `version`"))
            .because("The version is part of the requirement, not of a configuration.")
            .help("Move it to `required_providers` in the `terraform` block.");
        report.push(d, &version.name_span);
    }
    for reserved in ["count", "depends_on", "source"] {
        if let Some(a) = reader.attribute(reserved) {
            let d = Diagnostic::error(format!("Provider `{name}` can't set `{reserved}`"))
                .because("The language keeps the name for itself, and it has no meaning here.")
                .help("Remove the attribute.");
            report.push(d, &a.name_span);
        }
    }
    let repeat = match reader.attribute("for_each") {
        None => Repeat::Once,
        Some(a) => {
            if alias.is_none() && block.body.attribute("alias").is_none() {
                let d =
                    Diagnostic::error(format!("Provider `{name}` has `for_each`, and no `alias`"))
                        .because("Each of its instances is named by the alias and a key.")
                        .help(format!(
                            "Add `alias = \"by_key\"`, and use `{name}.by_key[KEY]`."
                        ));
                report.push(d, &a.name_span);
            }
            Repeat::ForEach(a.expr.clone())
        }
    };
    let own = [
        "alias",
        "version",
        "for_each",
        "count",
        "depends_on",
        "source",
    ];
    Some(Arc::new(ProviderBlock {
        provider: LocalProvider {
            name: name.into(),
            alias,
        },
        repeat,
        body: without(&block.body, &own, &[]),
        span: block.span.clone(),
    }))
}

pub(super) fn resource(block: &Block, report: &mut Report<'_>) -> Option<Resource> {
    let names = labels(block, &["type", "name"], report)?;
    let (ty, name) = (names[0].to_owned(), names[1].to_owned());
    let object = match &*block.ident {
        "data" => Object::Data {
            ty: ty.into(),
            name: name.into(),
        },
        "ephemeral" => Object::Ephemeral {
            ty: ty.into(),
            name: name.into(),
        },
        _ => Object::Managed {
            ty: ty.into(),
            name: name.into(),
        },
    };
    let mut reader = Reader::of_object(&object, &block.body);
    let repeat = repeat(&mut reader, &object, report);
    let depends_on = depends_on(&mut reader, report);
    let provider = reader
        .attribute("provider")
        .and_then(|a| provider_use(a, report));
    let mut resource = Resource {
        body: without(&block.body, &META, &META_BLOCKS),
        repeat,
        provider,
        depends_on,
        lifecycle: LifecycleBlock {
            create_before_destroy: false,
            prevent_destroy: None,
            ignore_changes: Ignore::Nothing,
            ignored_at: Vec::new(),
            triggers: Vec::new(),
            destroy: true,
            refresh: true,
        },
        preconditions: Vec::new(),
        postconditions: Vec::new(),
        scoped: None,
        object,
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
    Some(resource)
}

/// Attributes of a resource that the language reads itself.
const META: [&str; 4] = ["count", "for_each", "depends_on", "provider"];
/// Blocks of a resource that the language reads itself.
const META_BLOCKS: [&str; 3] = ["lifecycle", "provisioner", "connection"];

/// The body without these attributes and blocks.
pub(super) fn without(body: &Body, attributes: &[&str], blocks: &[&str]) -> Body {
    let kept = body.attributes.iter();
    let kept = kept.filter(|a| !attributes.contains(&&*a.name));
    let kept_blocks = body.blocks.iter();
    let kept_blocks = kept_blocks.filter(|b| !blocks.contains(&&*b.ident));
    Body {
        attributes: copied(kept),
        blocks: copied(kept_blocks),
        span: body.span.clone(),
    }
}

/// Copies, in no more room than they need: there may be many bodies.
fn copied<'a, T: Clone + 'a>(items: impl Iterator<Item = &'a T> + Clone) -> Vec<T> {
    let mut copies = Vec::with_capacity(items.clone().count());
    copies.extend(items.cloned());
    copies
}

/// `count` or `for_each`.
pub(super) fn repeat(
    reader: &mut Reader<'_>,
    what: &dyn Display,
    report: &mut Report<'_>,
) -> Repeat {
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

/// `provider = aws`, `provider = aws.west` or `provider = aws.by_region[each.key]`
pub(super) fn provider_use(attribute: &Attribute, report: &mut Report<'_>) -> Option<ProviderUse> {
    let found = named_provider(&attribute.expr);
    if found.is_none() {
        let d = Diagnostic::error(format!("`{}` must name a provider", attribute.name))
            .help("Write the provider's name, or name and alias: `aws` or `aws.west`.");
        report.push(d, &attribute.expr.span);
    }
    found
}

/// The provider an expression names.
pub(super) fn named_provider(expr: &Expr) -> Option<ProviderUse> {
    let ExprKind::Variable(v) = &*expr.unparenthesised().kind else {
        return None;
    };
    let (alias, key) = match v.steps.as_slice() {
        [] => (None, None),
        [alias] => (Some(alias), None),
        [alias, key] => (Some(alias), Some(key)),
        _ => return None,
    };
    let alias = match alias.map(|s| &s.kind) {
        None => None,
        Some(StepKind::Attr(name)) => Some(name.to_string()),
        Some(_) => return None,
    };
    let key = match key.map(|s| &s.kind) {
        None => None,
        Some(StepKind::Index(key)) => Some(key.clone()),
        Some(_) => return None,
    };
    Some(ProviderUse {
        provider: LocalProvider {
            name: v.root.to_string(),
            alias,
        },
        key,
        span: expr.span.clone(),
    })
}

fn lifecycle(resource: &mut Resource, block: &Block, report: &mut Report<'_>) {
    let mut reader = Reader::new(format!("`lifecycle` of `{}`", resource.object), &block.body);
    if matches!(resource.object, Object::Managed { .. }) {
        managed_lifecycle(&mut resource.lifecycle, &mut reader, report);
    } else {
        for name in ["create_before_destroy", "prevent_destroy", "ignore_changes"]
            .into_iter()
            .chain(["replace_triggered_by", "destroy", "refresh"])
        {
            if let Some(a) = reader.attribute(name) {
                let d = Diagnostic::error(format!("`{}` can't set `{name}`", resource.object))
                    .because("Only a managed resource is changed, replaced and destroyed.")
                    .help(
                        "Its `lifecycle` may hold `precondition`, `postcondition` and `enabled`.",
                    );
                report.push(d, &a.name_span);
            }
        }
    }
    if let Some(enabled) = reader.attribute("enabled") {
        set_enabled(
            &mut resource.repeat,
            enabled,
            &format!("`{}`", resource.object),
            report,
        );
    }
    resource.preconditions = rules(&mut reader, "precondition", report);
    resource.postconditions = rules(&mut reader, "postcondition", report);
    reader.finish(report);
}

/// `enabled` of a `lifecycle` block.
pub(super) fn set_enabled(
    repeat: &mut Repeat,
    enabled: &Attribute,
    what: &str,
    report: &mut Report<'_>,
) {
    let other = match repeat {
        Repeat::Count(_) => "count",
        Repeat::ForEach(_) => "for_each",
        _ => {
            *repeat = Repeat::Enabled(enabled.expr.clone());
            return;
        }
    };
    let d = Diagnostic::error(format!("{what} has both `{other}` and `enabled`"))
        .because("Each says how many instances there are.")
        .help("Keep one of them.");
    report.push(d, &enabled.name_span);
}

fn managed_lifecycle(
    lifecycle: &mut LifecycleBlock,
    reader: &mut Reader<'_>,
    report: &mut Report<'_>,
) {
    lifecycle.create_before_destroy = reader
        .flag("create_before_destroy", report)
        .unwrap_or(false);
    lifecycle.prevent_destroy = reader.attribute("prevent_destroy").map(|a| a.expr.clone());
    lifecycle.destroy = reader.flag("destroy", report).unwrap_or(true);
    lifecycle.refresh = reader.flag("refresh", report).unwrap_or(true);
    if let Some(a) = reader.attribute("ignore_changes") {
        (lifecycle.ignore_changes, lifecycle.ignored_at) = ignore_changes(a, report);
    }
    if let Some(a) = reader.attribute("replace_triggered_by") {
        lifecycle.triggers = triggers(a, report);
    }
}

/// `replace_triggered_by = [aws_vpc.main.id, aws_subnet.a[count.index]]`
fn triggers(attribute: &Attribute, report: &mut Report<'_>) -> Vec<TriggerBlock> {
    let ExprKind::List(items) = &*attribute.expr.unparenthesised().kind else {
        let d = Diagnostic::error("`replace_triggered_by` must be a list of resources")
            .because("Each element names a resource, an instance of one, or an attribute of it.")
            .help("Write `replace_triggered_by = [TYPE.NAME]`.");
        report.push(d, &attribute.expr.span);
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        match trigger(item) {
            Ok(trigger) => out.push(trigger),
            Err(d) => report.push(*d, &item.span),
        }
    }
    out
}

fn trigger(item: &Expr) -> Result<TriggerBlock, Box<Diagnostic>> {
    let refused = |why: &str| {
        Box::new(
            Diagnostic::error("`replace_triggered_by` holds something that is no resource")
                .because(why)
                .help("Name a resource of this module: `TYPE.NAME`, `TYPE.NAME[each.key]`, `TYPE.NAME.ATTRIBUTE`. For another value, keep it in a `terraform_data` and name that."),
        )
    };
    let plain = "Each element names a resource, an instance of one, or an attribute of it.";
    let w = written(item).ok_or_else(|| refused(plain))?;
    let object = match w.object {
        Some(object @ (Object::Managed { .. } | Object::Pod { .. } | Object::Host { .. }))
            if w.modules.is_empty() =>
        {
            object
        }
        Some(_) if !w.modules.is_empty() => {
            return Err(refused(
                "What stands in a module is not seen from outside of it.",
            ));
        }
        Some(Object::Data { .. } | Object::Ephemeral { .. }) => {
            return Err(refused(
                "Only a managed resource is changed; what is read is not.",
            ));
        }
        _ => return Err(refused(plain)),
    };
    let names_an_instance = |r: &Reference| {
        matches!(
            (&*r.root, r.attr(0)),
            ("count", Some("index")) | ("each", Some("key"))
        )
    };
    if let Some(index) = &w.key
        && !index.references().iter().all(names_an_instance)
    {
        return Err(refused(
            "The key of an instance may be written out, or be `count.index` or `each.key`.",
        ));
    }
    let path =
        steps_path(w.rest).ok_or_else(|| refused("An attribute's indexes must be written out."))?;
    Ok(TriggerBlock {
        object,
        index: w.key,
        path,
        reference: w.reference,
    })
}

/// What is ignored, and where each path of it stands.
fn ignore_changes(
    attribute: &Attribute,
    report: &mut Report<'_>,
) -> (Ignore, Vec<weir_core::Span>) {
    let expr = attribute.expr.unparenthesised();
    if expr.keyword() == Some("all") {
        return (Ignore::All, Vec::new());
    }
    let ExprKind::List(items) = &*expr.kind else {
        let d = Diagnostic::error("`ignore_changes` must be a list of attributes")
            .help("Write `ignore_changes = [tags]`, or `ignore_changes = all`.");
        report.push(d, &attribute.expr.span);
        return (Ignore::Nothing, Vec::new());
    };
    let (mut paths, mut spans) = (Vec::new(), Vec::new());
    for item in items {
        match path_of(item) {
            Some(path) => {
                paths.push(path);
                spans.push(item.span.clone());
            }
            None => {
                let d = Diagnostic::error("`ignore_changes` holds something that is no attribute")
                    .help("Name attributes of this resource: `tags`, `tags[\"Name\"]`.");
                report.push(d, &item.span);
            }
        }
    }
    (Ignore::Paths(paths), spans)
}
