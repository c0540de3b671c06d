//! Whom the offers of a cluster's pools name.
//!
//! 1. [`providers_as_text`] takes the name of a provider for what it is, no value, and keeps it for
//!    linking;
//! 2. [`settled`] adds what the rest of the module says of the provider: its type, and its region
//!    where the offer names none;
//! 3. [`calls`] calls, for each offer that is written out, the module that makes its machines.

use super::{Blocks, resources::provider_use};
use crate::{
    config::{
        blocks::{Cluster, LocalProvider, Makes, ModuleCall, ProviderUse, Repeat},
        pools,
        reader::{Report, literal},
    },
    ir::{Attribute, Block, Body, Expr, ExprKind, Reference, Step, StepKind, Variable},
    machines::Cloud,
    services::{
        offers::{self, ENABLED, INPUT},
        pools::{CLOUD, PROVIDER, PROVIDER_REGION, REGION},
    },
};
use std::sync::Arc;
use weir_core::{
    Span, Value,
    address::{OfferStep, is_identifier},
};

/// The body of a cluster with each offer's `provider` as text, and the providers they name.
pub(super) fn providers_as_text(body: &Body, report: &mut Report<'_>) -> (Body, Vec<ProviderUse>) {
    let mut found = Vec::new();
    let body = each_offer(body, &mut |offer| {
        for attribute in &mut offer.attributes {
            if &*attribute.name == PROVIDER {
                let named = provider_use(attribute, report);
                let text = named.as_ref().map(|n| n.provider.to_string());
                let value = text.map_or_else(Value::null, Value::string);
                attribute.expr = Expr::literal(value, attribute.expr.span.clone());
                found.extend(named);
            }
        }
    });
    (body, found)
}

/// The cluster with what its module says of the providers of its offers.
pub(crate) fn settled(cluster: &Arc<Cluster>, blocks: &Blocks) -> Arc<Cluster> {
    if cluster.offers.is_empty() {
        return cluster.clone();
    }
    let body = each_offer(&cluster.body, &mut |offer| {
        let Some(attribute) = offer.attribute(PROVIDER).cloned() else {
            return;
        };
        let name = literal(&attribute.expr).and_then(|v| v.as_str().map(local));
        let Some(name) = name else {
            return;
        };
        let required = blocks.required_providers.iter();
        let source = required
            .filter(|r| r.name == name.name)
            .find_map(|r| r.source.as_deref());
        let ty = source.and_then(|s| s.rsplit('/').next());
        let ty = Value::string(ty.unwrap_or(&name.name));
        offer.attributes.push(Attribute {
            name: CLOUD.into(),
            expr: Expr::literal(ty, attribute.expr.span.clone()),
            ..attribute
        });
        let block = blocks.providers.iter().find(|b| b.provider == name);
        let region = block
            .filter(|b| matches!(b.repeat, Repeat::Once))
            .and_then(|b| b.body.attribute(REGION));
        if offer.attribute(REGION).is_none() {
            offer.attributes.extend(region.cloned());
        } else if let Some(region) = region {
            offer.attributes.push(Attribute {
                name: PROVIDER_REGION.into(),
                ..region.clone()
            });
        }
    });
    Arc::new(Cluster {
        name: cluster.name.clone(),
        makes: calls(cluster, &body),
        body,
        offers: cluster.offers.clone(),
        span: cluster.span.clone(),
    })
}

/// The calls that make the machines of a cluster's pools. What `dynamic` makes has none: an address
/// and a provider are names, and nothing that is evaluated.
fn calls(cluster: &Cluster, body: &Body) -> Vec<Makes> {
    let mut found: Vec<Makes> = Vec::new();
    for pool in body.blocks("pool") {
        for offer in pool.body.blocks("offer") {
            let made = made(cluster, pool, offer).filter(|m| {
                // Two of one name are reported where they are evaluated.
                !found.iter().any(|other| other.call.name == m.call.name)
            });
            found.extend(made);
        }
    }
    found
}

fn made(cluster: &Cluster, pool: &Block, offer: &Block) -> Option<Makes> {
    let step = OfferStep {
        cluster: &cluster.name,
        pool: pool.label(0).filter(|n| is_identifier(n))?,
        offer: offer.label(0).filter(|n| is_identifier(n))?,
    };
    let cloud = offer.body.attribute(CLOUD)?;
    let cloud = literal(&cloud.expr).and_then(|ty| Cloud::of_provider(ty.as_str()?))?;
    let provider = &offer.body.attribute(PROVIDER)?.expr.span;
    let provider = cluster.offers.iter().find(|used| used.span == *provider)?;
    let value = |more: &[&str]| {
        let way = [&[step.cluster, step.pool, step.offer], more].concat();
        name(offers::ROOT, &way, &offer.span)
    };
    let input = Attribute {
        name: INPUT.into(),
        name_span: offer.span.clone(),
        expr: value(&[]),
        json: None,
    };
    let call = ModuleCall {
        name: step.name().as_str().into(),
        source: pools::folder(cloud),
        source_span: offer.span.clone(),
        inputs: vec![input],
        repeat: Repeat::Enabled(value(&[ENABLED])),
        providers: vec![(LocalProvider::new(cloud.provider()), provider.clone())],
        depends_on: Vec::new(),
        span: offer.span.clone(),
    };
    Some(Makes {
        pool: step.pool.into(),
        offer: step.offer.into(),
        hosts: name("module", &[&step.name()], &offer.span),
        call: Arc::new(call),
    })
}

/// A name and the attributes after it, as an expression at a place.
fn name(root: &str, attributes: &[&str], span: &Span) -> Expr {
    let steps = attributes.iter().map(|name| Step {
        kind: StepKind::Attr((*name).into()),
        span: span.clone(),
    });
    let steps: Vec<Step> = steps.collect();
    let root: Arc<str> = root.into();
    let variable = Variable {
        reference: Reference::of(root.clone(), &steps, span.clone()),
        root,
        root_span: span.clone(),
        steps,
    };
    Expr::new(ExprKind::Variable(variable), span.clone())
}

/// `aws.west` as a module names it.
fn local(text: &str) -> LocalProvider {
    let (name, alias) = match text.split_once('.') {
        Some((name, alias)) => (name, Some(alias.to_owned())),
        None => (text, None),
    };
    LocalProvider {
        name: name.to_owned(),
        alias,
    }
}

/// A cluster's body with every offer changed, written out or made by a `dynamic` block.
fn each_offer(body: &Body, change: &mut dyn FnMut(&mut Body)) -> Body {
    let mut body = body.clone();
    nested(&mut body, "pool", &mut |pool| {
        nested(pool, "offer", change);
    });
    body
}

fn nested(body: &mut Body, ident: &str, change: &mut dyn FnMut(&mut Body)) {
    for block in &mut body.blocks {
        if &*block.ident == ident {
            change(&mut block.body);
        } else if makes(block, ident) {
            let contents = block.body.blocks.iter_mut();
            for content in contents.filter(|b| &*b.ident == "content") {
                change(&mut content.body);
            }
        }
    }
}

fn makes(block: &Block, ident: &str) -> bool {
    &*block.ident == "dynamic" && block.label(0) == Some(ident)
}
