//! Whom the offers of a cluster's pools name.
//!
//! 1. [`providers_as_text`] takes the name of a provider for what it is, no value, and keeps it for
//!    linking;
//! 2. [`settled`] adds what the rest of the module says of the provider: its type, and its region
//!    where the offer names none.

use super::{Blocks, resources::provider_use};
use crate::{
    config::{
        blocks::{Cluster, LocalProvider, ProviderUse, Repeat},
        reader::{Report, literal},
    },
    ir::{Attribute, Block, Body, Expr},
    services::pools::{CLOUD, PROVIDER, REGION},
};
use std::sync::Arc;
use weir_core::Value;

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
        }
    });
    Arc::new(Cluster {
        name: cluster.name.clone(),
        body,
        offers: cluster.offers.clone(),
        span: cluster.span.clone(),
    })
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
