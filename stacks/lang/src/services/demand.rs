//! What a service's pods ask of their hosts.

use super::{field, hosts::Host, schema::SHAPES, text};
use crate::{
    config::blocks::{Pod, Service},
    decode::{article, decode, parse_size},
    eval::{NodeId, Scope},
    hints,
    instance::Demand,
    ir::Block,
};
use std::collections::BTreeMap;
use weir_core::{Address, Diagnostic, Value};

/// A service before its placement.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// The value of its cluster.
    pub(crate) cluster: Value,
    pub(crate) hosts: Vec<Host>,
    pub(crate) version: Value,
    /// Its pods, in order.
    pub(crate) pods: Vec<WantedPod>,
}

/// A pod's instances before their placement.
#[derive(Clone)]
pub(crate) struct WantedPod {
    pub(crate) name: String,
    /// The keys of its instances, in order.
    pub(crate) keys: Vec<String>,
    /// The host each must be on, where the pod runs on every host.
    pub(crate) on: Option<Vec<String>>,
    pub(crate) asks: Asks,
}

/// What each instance of a pod asks of its host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asks {
    pub(crate) cpus: Option<Value>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) ports: BTreeMap<String, Option<u16>>,
    distinct: Vec<String>,
    avoid: Vec<String>,
    spread: Vec<String>,
    require: BTreeMap<String, String>,
}

/// The attributes of a service itself.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn service(
    service: &Service,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<Wanted>, NodeId> {
    // `needs` names services rather than values; linking and ordering read it.
    let mut body = service.body.clone();
    body.attributes.retain(|a| &*a.name != "needs");
    let before = problems.len();
    let value = decode(&body, &SHAPES.service, &service.span, scope, problems)?;
    if problems.len() > before {
        return Ok(None);
    }
    let cluster = value.get("cluster").cloned().unwrap_or_else(Value::null);
    let hosts = cluster.get("hosts").and_then(Value::elements);
    let hosts: Option<Vec<Host>> =
        hosts.and_then(|hosts| hosts.into_iter().map(Host::of).collect());
    let Some(hosts) = hosts else {
        let d = Diagnostic::error(format!(
            "`cluster` of service `{}` is no cluster",
            service.name
        ))
        .because(format!("It is {}.", article(&cluster.ty())))
        .help("Write `cluster = cluster.NAME`; a module is handed the cluster as an input.");
        let span = body
            .attribute("cluster")
            .map_or(&service.span, |a| &a.expr.span);
        problems.push(scope.context().sources.point(d, span));
        return Ok(None);
    };
    let version = value.get("version").cloned().unwrap_or_else(Value::null);
    Ok(Some(Wanted {
        cluster,
        hosts,
        version,
        pods: Vec::new(),
    }))
}

/// `place {}` and `resources {}` of a pod.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn asks(
    service: &Service,
    pod: &Pod,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Result<Asks, NodeId> {
    let mut asks = Asks::default();
    let what = format!("pod `{}` of service `{}`", pod.name, service.name);
    if let Some(block) = &pod.resources {
        let value = decode(&block.body, &SHAPES.resources, &block.span, scope, problems)?;
        if must_be_known(&value, block, &what, scope, problems) {
            asks.cpus = field(&value, "cpus").cloned();
            asks.memory = text(&value, "memory").and_then(parse_size);
            for (name, port) in value
                .get("port")
                .and_then(Value::as_entries)
                .into_iter()
                .flatten()
            {
                let number = field(port, "number").and_then(Value::as_i64);
                asks.ports
                    .insert(name.to_string(), number.and_then(|n| u16::try_from(n).ok()));
            }
        }
    }
    if let Some(block) = &pod.place {
        let value = decode(&block.body, &SHAPES.place, &block.span, scope, problems)?;
        if must_be_known(&value, block, &what, scope, problems) {
            let list = |name: &str| -> Vec<String> {
                let items = field(&value, name)
                    .and_then(Value::elements)
                    .unwrap_or_default();
                items
                    .iter()
                    .filter_map(|v| v.as_str().map(str::to_owned))
                    .collect()
            };
            asks.distinct = list("distinct");
            asks.avoid = list("avoid");
            asks.spread = list("spread");
            let require = field(&value, "require").and_then(Value::as_entries);
            asks.require = require
                .into_iter()
                .flatten()
                .filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned())))
                .collect();
            avoided(service, &asks.avoid, block, scope, problems);
        }
    }
    Ok(asks)
}

fn avoided(
    service: &Service,
    avoid: &[String],
    block: &Block,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) {
    let names = || service.pods.iter().map(|p| &*p.name);
    for name in avoid.iter().filter(|n| !names().any(|p| p == n.as_str())) {
        let mut d = Diagnostic::error(format!(
            "`avoid` names `{name}`, which is no pod of service `{}`",
            service.name
        ));
        d.help = hints::suggest(name, names(), |n| format!("pod.{n}"));
        let span = block
            .body
            .attribute("avoid")
            .map_or(&block.span, |a| &a.expr.span);
        problems.push(scope.context().sources.point(d, span));
    }
}

/// Placement happens before anything is made: it can't wait for values.
fn must_be_known(
    value: &Value,
    block: &Block,
    what: &str,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    if value.is_wholly_known() {
        return true;
    }
    let attribute = block
        .body
        .attributes
        .iter()
        .find(|a| value.get(&a.name).is_some_and(|v| !v.is_wholly_known()));
    let name = attribute.map_or(&block.ident, |a| &a.name);
    let d = Diagnostic::error(format!("`{name}` of {what} is not known before apply"))
        .because("Pods are placed on hosts when the plan is made, so what they ask for must be known then.")
        .help("Take it from a value that the configuration itself holds.");
    let span = attribute.map_or(&block.span, |a| &a.expr.span);
    problems.push(scope.context().sources.point(d, span));
    false
}

impl WantedPod {
    /// The demands of its instances; `address` makes an instance's address from its key.
    pub(crate) fn demands<'a>(
        &'a self,
        address: impl Fn(&str) -> Address + 'a,
    ) -> impl Iterator<Item = Demand> + 'a {
        self.keys.iter().enumerate().map(move |(i, key)| Demand {
            address: address(key),
            on: self.on.as_ref().and_then(|on| on.get(i).cloned()),
            cpus: self
                .asks
                .cpus
                .as_ref()
                .and_then(Value::as_number)
                .map_or(0.0, |n| n.to_f64()),
            memory: self.asks.memory.unwrap_or(0),
            ports: self.asks.ports.clone(),
            distinct: self.asks.distinct.clone(),
            avoid: self.asks.avoid.clone(),
            spread: self.asks.spread.clone(),
            require: self.asks.require.clone(),
        })
    }
}
