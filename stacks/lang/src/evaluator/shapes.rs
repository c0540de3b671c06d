//! Schemas of everything the configuration uses, and its bodies held against them once.

use super::Schemas;
use crate::{
    config::{
        Config, Module, ModuleId, NodeIx, NodeKind,
        blocks::{ModuleCall, Resource},
        module::implied_provider,
        reader::Report,
    },
    decode::{Shape, check_body},
    hints,
    instance::Ignore,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use weir_core::{Diagnostic, Diagnostics, Object, PathStep, address::OfferStep, schema::Block};

/// Prepared schemas.
pub(super) struct Shapes {
    managed: BTreeMap<String, Arc<Shape>>,
    data: BTreeMap<String, Arc<Shape>>,
    ephemeral: BTreeMap<String, Arc<Shape>>,
    providers: BTreeMap<String, Arc<Shape>>,
    /// What has an attribute or a block no schema knows: it is never evaluated.
    broken: BTreeSet<(ModuleId, NodeIx)>,
    empty: Arc<Shape>,
}

impl Shapes {
    pub(super) fn new(config: &Config, schemas: &dyn Schemas) -> (Shapes, Diagnostics) {
        let mut shapes = Shapes {
            managed: BTreeMap::new(),
            data: BTreeMap::new(),
            ephemeral: BTreeMap::new(),
            providers: BTreeMap::new(),
            broken: BTreeSet::new(),
            empty: Arc::new(Shape::new(&Block::default())),
        };
        let mut all = Diagnostics::new();
        let mut missing = BTreeSet::new();
        for (m, module) in config.modules.iter().enumerate() {
            let offer = offer(config, module);
            for (i, node) in module.nodes.iter().enumerate() {
                let mut report = Report::new(&config.context.sources);
                shapes.node(&node.kind, schemas, &mut report);
                if report.diagnostics.has_errors() {
                    shapes.broken.insert((ModuleId(m), NodeIx(i)));
                }
                match offer {
                    Some(call) if report.diagnostics.0.iter().any(lacks_provider) => {
                        let name = provider_of(&node.kind, call);
                        if missing.insert(name.clone()) {
                            let d = unserved(&name, schemas);
                            all.push(config.context.sources.point(d, &call.span));
                        }
                    }
                    _ => all.extend(report.diagnostics),
                }
            }
        }
        (shapes, all)
    }

    fn node(&mut self, kind: &NodeKind, schemas: &dyn Schemas, report: &mut Report<'_>) {
        match kind {
            NodeKind::Provider(p) => {
                let name = &p.provider.name;
                let Some(schema) = schemas.provider(name) else {
                    let d = Diagnostic::error(format!("There is no provider `{name}`"))
                        .because("No provider of that name is built in or installed.")
                        .help(schemas.left_out(name).unwrap_or(
                            "Remove the block, or use a version of weir that has the provider.",
                        ));
                    return report.push(d, &p.span);
                };
                let what = format!("provider `{}`", p.provider);
                check_body(&p.body, &schema.block, &what, &p.span, report);
                self.providers
                    .entry(name.clone())
                    .or_insert_with(|| Arc::new(Shape::new(&schema.block)));
            }
            NodeKind::Resource(r) => {
                let ty = r.object.type_name();
                let schema = match r.object {
                    Object::Data { .. } => schemas.data(ty),
                    Object::Ephemeral { .. } => schemas.ephemeral(ty),
                    _ => schemas.resource(ty),
                };
                let Some(schema) = schema else {
                    return report.push(unknown_type(&r.object, schemas), &r.span);
                };
                check_body(
                    &r.body,
                    &schema.block,
                    &format!("`{}`", r.object),
                    &r.span,
                    report,
                );
                unknown_ignored(r, &schema.block, report);
                let shapes = match r.object {
                    Object::Data { .. } => &mut self.data,
                    Object::Ephemeral { .. } => &mut self.ephemeral,
                    _ => &mut self.managed,
                };
                shapes
                    .entry(ty.to_owned())
                    .or_insert_with(|| Arc::new(Shape::new(&schema.block)));
            }
            _ => {}
        }
    }

    /// Of a resource, a data source or an ephemeral resource.
    pub(super) fn of(&self, object: &Object) -> Arc<Shape> {
        let shapes = match object {
            Object::Data { .. } => &self.data,
            Object::Ephemeral { .. } => &self.ephemeral,
            _ => &self.managed,
        };
        shapes
            .get(object.type_name())
            .unwrap_or(&self.empty)
            .clone()
    }

    /// Of a provider's configuration.
    pub(super) fn of_provider(&self, name: &str) -> Arc<Shape> {
        self.providers.get(name).unwrap_or(&self.empty).clone()
    }

    pub(super) fn is_broken(&self, module: ModuleId, ix: NodeIx) -> bool {
        self.broken.contains(&(module, ix))
    }
}

/// The call of a module that makes the machines of a pool.
fn offer<'c>(config: &'c Config, module: &Module) -> Option<&'c ModuleCall> {
    let (parent, call) = module.parent?;
    match &config.modules[parent.0].node(call).kind {
        NodeKind::Call(call, _) if OfferStep::of(&call.name).is_some() => Some(call),
        _ => None,
    }
}

/// The provider of what makes machines, as the offer names it.
fn provider_of(kind: &NodeKind, offer: &ModuleCall) -> String {
    let implied = match kind {
        NodeKind::Resource(r) => implied_provider(r.object.type_name()),
        _ => "",
    };
    let given = offer.providers.iter().find(|(own, _)| own.name == implied);
    match implied {
        "weir" => "host".to_owned(),
        implied => given
            .map_or(implied, |(_, outer)| &outer.provider.name)
            .to_owned(),
    }
}

/// What makes machines is weir's, and nobody's to mend: where its provider is missing, the first
/// offer says so.
fn unserved(provider: &str, schemas: &dyn Schemas) -> Diagnostic {
    Diagnostic::error(format!("There is no provider `{provider}`"))
        .because("The machines of offers need it, and it is neither built in nor installed.")
        .help(
            schemas
                .left_out(provider)
                .unwrap_or("Use a version of weir that has the provider, or another offer."),
        )
}

/// Whether it says that no provider is at hand for a block: to who asks about the rest of a stack
/// this is no error.
pub fn lacks_provider(d: &Diagnostic) -> bool {
    let starts = ["There is no provider `", "There is no resource of type `"];
    let data = "There is no data source of type `";
    starts
        .into_iter()
        .chain([data])
        .any(|s| d.summary.starts_with(s))
}

fn unknown_type(object: &Object, schemas: &dyn Schemas) -> Diagnostic {
    let ty = object.type_name();
    let what = match object {
        Object::Data { .. } => "data source",
        Object::Ephemeral { .. } => "ephemeral resource",
        _ => "resource",
    };
    let provider = implied_provider(ty);
    let d = Diagnostic::error(format!("There is no {what} of type `{ty}`"));
    let others = [
        ("resource", schemas.resource(ty)),
        ("data", schemas.data(ty)),
        ("ephemeral", schemas.ephemeral(ty)),
    ];
    if let Some((right, _)) = others.into_iter().find(|(_, schema)| schema.is_some()) {
        return d.help(format!("There is one as `{right} \"{ty}\"`."));
    }
    if schemas.provider(provider).is_some() {
        return d
            .because(format!("The provider `{provider}` has none of that name."))
            .help("Correct the type, or remove the block.");
    }
    let known = ["fake", "terraform", "host", "aws", "azurerm", "google"];
    let d = d.because(format!(
        "No provider `{provider}` is built in or installed."
    ));
    match hints::closest(provider, known) {
        Some(near) if schemas.provider(near).is_some() => {
            d.help(format!("Did you mean a type of the provider `{near}`?"))
        }
        _ => d.help(
            schemas
                .left_out(provider)
                .unwrap_or("Correct the type, or use a version of weir that has the provider."),
        ),
    }
}

/// `ignore_changes` names attributes that the schema has.
fn unknown_ignored(resource: &Resource, schema: &Block, report: &mut Report<'_>) {
    let Ignore::Paths(paths) = &resource.lifecycle.ignore_changes else {
        return;
    };
    for (path, span) in paths.iter().zip(&resource.lifecycle.ignored_at) {
        let Some(PathStep::Key(name)) = path.0.first() else {
            continue;
        };
        if schema.attributes.contains_key(name) || schema.blocks.contains_key(name) {
            continue;
        }
        let mut d = Diagnostic::error(format!("`{}` has no attribute `{name}`", resource.object))
            .because("`ignore_changes` names attributes of this resource.");
        let names = schema.attributes.keys().chain(schema.blocks.keys());
        d.help = hints::suggest(name, names.map(String::as_str), str::to_owned);
        report.push(d, span);
    }
}
