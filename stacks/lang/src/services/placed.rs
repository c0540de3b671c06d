//! What others see of a service once its pods have hosts.

use super::{
    demand::{Wanted, WantedPod},
    hosts::Host,
};
use crate::instance::Placement;
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{ModulePath, Type, Value};

/// One instance of a pod on its host.
pub(crate) struct Instance<'a> {
    pub(crate) pod: &'a WantedPod,
    pub(crate) position: usize,
    pub(crate) host: &'a Host,
    pub(crate) ports: &'a BTreeMap<String, u16>,
}

/// The longest slug: it is part of paths and unit names.
const SLUG: usize = 64;

impl Instance<'_> {
    pub(crate) fn key(&self) -> &str {
        &self.pod.keys[self.position]
    }

    /// `app-0`, `exporter-zrh-1`
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.pod.name, self.key())
    }

    /// `self` inside the pod.
    pub(crate) fn own(&self) -> Value {
        let labels = self
            .host
            .labels
            .iter()
            .map(|(k, v)| (Arc::from(k.as_str()), v.as_str().into()));
        Value::object([
            ("name", Value::string(self.name())),
            ("index", Value::number(self.position as u64)),
            ("key", Value::string(self.key())),
            ("host", Value::string(self.host.name.as_str())),
            ("site", Value::string(self.host.site.as_str())),
            ("address", self.host.address.clone()),
            ("labels", Value::map(Type::String, labels)),
            ("port", self.port_values()),
        ])
    }

    /// What others see of it: `service.NAME.pods.POD[0]`.
    fn shown(&self) -> Value {
        Value::object([
            ("name", Value::string(self.name())),
            ("host", Value::string(self.host.name.as_str())),
            ("site", Value::string(self.host.site.as_str())),
            ("address", self.host.address.clone()),
            ("ports", self.ports_map()),
        ])
    }

    fn port_values(&self) -> Value {
        Value::object(
            self.ports
                .iter()
                .map(|(k, p)| (k.as_str(), Value::number(i64::from(*p)))),
        )
    }

    pub(crate) fn ports_map(&self) -> Value {
        let ports = self
            .ports
            .iter()
            .map(|(k, p)| (Arc::from(k.as_str()), Value::number(i64::from(*p))));
        Value::map(Type::Number, ports)
    }

    /// A name that is safe in paths and unit names: `web-app-0`, `prod-web-app-0` in a module.
    pub(crate) fn slug(&self, module: &ModulePath, service: &str) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (name, key) in &module.0 {
            parts.push(name.to_string());
            parts.extend(match key {
                weir_core::Key::None => None,
                weir_core::Key::Index(i) => Some(i.to_string()),
                weir_core::Key::Name(k) => Some(k.to_string()),
            });
        }
        parts.extend([
            service.to_owned(),
            self.pod.name.clone(),
            self.key().to_owned(),
        ]);
        slug(&parts.join("-"))
    }
}

/// The text with nothing but `a-z`, `0-9` and `-` in it. Where that loses more than case and
/// underscores, or it is too long, a digest of the whole keeps it apart from others.
pub(crate) fn slug(text: &str) -> String {
    let mut lost = false;
    let safe: String = text
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '-') => c,
            '_' | '.' | '/' => '-',
            _ => {
                lost = true;
                '-'
            }
        })
        .collect();
    if !lost && safe.len() <= SLUG {
        return safe;
    }
    let digest = format!("-{:08x}", fnv(text.as_bytes()));
    let keep = safe.len().min(SLUG - digest.len());
    format!("{}{digest}", &safe[..keep])
}

/// FNV-1a folded to 32 bits: tells names apart, protects nothing.
fn fnv(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

/// `service.NAME`: version, endpoints by port, and its pods.
pub(crate) fn value(
    service: &str,
    wanted: &Wanted,
    placements: &[Vec<Option<Placement>>],
) -> Value {
    let mut endpoints: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    let mut pods: Vec<(Arc<str>, Value)> = Vec::new();
    for (pod, placements) in wanted.pods.iter().zip(placements) {
        // A port of a pod without instances is there too, with no endpoint.
        for port in pod.asks.ports.keys() {
            endpoints.entry(port.as_str().into()).or_default();
        }
        let mut shown = Vec::new();
        for (position, placement) in placements.iter().enumerate() {
            let Some(placement) = placement else { continue };
            let Some(host) = wanted.hosts.iter().find(|h| h.id() == placement.host) else {
                continue;
            };
            let instance = Instance {
                pod,
                position,
                host,
                ports: &placement.ports,
            };
            shown.push(instance.shown());
            for (port, number) in &placement.ports {
                let list = endpoints.entry(port.as_str().into()).or_default();
                list.push(endpoint(&host.address, *number));
            }
        }
        pods.push((pod.name.as_str().into(), Value::tuple(shown)));
    }
    let endpoints = endpoints
        .into_iter()
        .map(|(port, list)| (port, Value::list(Type::String, list)));
    Value::object([
        ("name", Value::string(service)),
        ("version", wanted.version.clone()),
        ("endpoints", Value::object(endpoints)),
        ("pods", Value::object(pods)),
    ])
}

/// `address:port`, with brackets around an IPv6 address; unknown while the address is.
fn endpoint(address: &Value, port: u16) -> Value {
    let (bare, marks) = address.clone().unmark();
    let text = match bare.as_str() {
        Some(a) if a.contains(':') => Value::string(format!("[{a}]:{port}")),
        Some(a) => Value::string(format!("{a}:{port}")),
        None => Value::unknown(Type::String),
    };
    text.mark(marks)
}

#[cfg(test)]
#[path = "placed_tests.rs"]
mod tests;
