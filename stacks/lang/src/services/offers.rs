//! What the module of an offer is given: the machines it is to make, and how.
//!
//! The value is the one input of the modules in `data/pools/`, which say what becomes of it. What
//! differs between clouds is in it as little as possible: where the image is looked up.

use super::pools::{MachineOffer, MachinePool};
use crate::machines::{Assigned, ImageLookup, Spent};
use std::collections::BTreeMap;
use weir_core::{Entries, ModulePath, Type, Value};

/// The name under which calls find this; no configuration can write it.
pub(crate) const ROOT: &str = "machines of pools";
/// The variable of the modules.
pub(crate) const INPUT: &str = "offer";
/// Whether the offer makes anything.
pub(crate) const ENABLED: &str = "enabled";

/// Clouds take names of so many characters; what follows a name needs some of them.
const LONGEST: usize = 40;

/// Where a pool is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) stack: &'a str,
    pub(crate) workspace: &'a str,
    pub(crate) module: &'a ModulePath,
    pub(crate) cluster: &'a str,
}

impl Place<'_> {
    /// How hosts of a pool are called: `main-cloud-0`.
    pub(crate) fn host(&self, pool: &str, number: u64) -> String {
        format!("{}-{pool}-{number}", self.cluster)
    }

    /// What the things of an offer are called in its cloud: letters, digits and hyphens, the same in
    /// every run, another for each stack, workspace, module, pool and offer.
    fn prefix(&self, pool: &str, offer: &str) -> String {
        let mut parts = vec![self.stack.to_owned()];
        if self.workspace != "default" {
            parts.push(self.workspace.to_owned());
        }
        if !self.module.is_root() {
            parts.push(self.module.to_string());
        }
        parts.extend([self.cluster, pool, offer].map(str::to_owned));
        let whole = parts.join("-");
        let slug = slug(&whole);
        // What was lost must not make two of them the same.
        match slug == whole && slug.len() <= LONGEST {
            true => slug,
            false => {
                let kept = slug.get(..LONGEST - 9).unwrap_or(&slug);
                format!("{}-{:08x}", kept.trim_end_matches('-'), fingerprint(&whole))
            }
        }
    }
}

/// The text in lower case, with hyphens for what is neither letter nor digit; it begins with a
/// letter.
fn slug(text: &str) -> String {
    let text = text.to_lowercase();
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let mut slug: String = text.chars().map(kept).collect();
    while slug.contains("--") {
        slug = slug.replace("--", "-");
    }
    let slug = slug.trim_matches('-');
    match slug.chars().next() {
        Some(c) if c.is_ascii_alphabetic() => slug.to_owned(),
        _ => format!("weir-{slug}"),
    }
}

/// FNV-1a: a few bits that tell texts apart, the same for ever.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// What an offer is to make.
pub(crate) fn value(
    place: Place<'_>,
    pool: &MachinePool,
    (offer, spent): (&MachineOffer, Option<&Spent>),
    assigned: &BTreeMap<u64, Assigned>,
) -> Value {
    let full = spent.map(|s| s.zones.keys().cloned().collect::<Vec<_>>());
    let own = assigned.iter().filter(|(_, a)| *a.offer == *offer.name);
    let machines: Entries = own
        .map(|(number, a)| (number.to_string().into(), machine(place, pool, *number, a)))
        .collect();
    let wish = offer.wish.as_ref();
    Value::object([
        (ENABLED, Value::bool(!machines.is_empty())),
        ("name", Value::string(place.prefix(&pool.name, &offer.name))),
        ("region", optional(wish.map(|w| w.region.as_str()))),
        ("machines", Value::map(machine_type(), machines)),
        ("full_zones", texts(&full.unwrap_or_default())),
        ("image", image(offer)),
        ("disk", Value::number(pool.disk_gib)),
        (
            "spot",
            Value::bool(wish.is_some_and(|w| w.market == crate::machines::Market::Spot)),
        ),
        (
            "ssh_from",
            match &pool.ssh_from {
                Some(blocks) => texts(blocks),
                None => Value::null_of(Type::list(Type::String)),
            },
        ),
        ("boot_timeout", Value::string(pool.boot_timeout.as_str())),
        ("subnet", optional(offer.subnet.as_deref())),
        ("security_groups", texts(&offer.security_groups)),
        ("tags", map(&offer.tags)),
        (
            "labels",
            map(&BTreeMap::from([
                ("offer".to_owned(), offer.name.to_string()),
                ("cloud".to_owned(), offer.cloud.provider().to_owned()),
            ])),
        ),
    ])
}

fn machine_type() -> Type {
    Type::object([
        ("host", Type::String),
        ("type", Type::String),
        ("zone", Type::String),
    ])
}

fn machine(place: Place<'_>, pool: &MachinePool, number: u64, assigned: &Assigned) -> Value {
    Value::object([
        ("host", Value::string(place.host(&pool.name, number))),
        ("type", Value::string(assigned.ty.as_str())),
        ("zone", optional(assigned.zone.as_deref())),
    ])
}

/// By id, or where the cloud looks it up.
fn image(offer: &MachineOffer) -> Value {
    let found = match &offer.image {
        Some(Ok(lookup)) if offer.image_id.is_none() => Some(*lookup),
        _ => None,
    };
    let id = |otherwise: Option<String>| optional(offer.image_id.clone().or(otherwise).as_deref());
    let part = |part: Option<&str>| optional(part);
    match offer.cloud {
        crate::machines::Cloud::Aws => {
            let (owner, name) = match found {
                Some(ImageLookup::Aws { owner, name }) => (Some(*owner), Some(*name)),
                _ => (None, None),
            };
            Value::object([
                ("id", id(None)),
                ("owner", part(owner)),
                ("name", part(name)),
            ])
        }
        crate::machines::Cloud::Azure => {
            let (publisher, product, sku) = match found {
                Some(ImageLookup::Azure {
                    publisher,
                    offer,
                    sku,
                }) => (Some(*publisher), Some(*offer), Some(*sku)),
                _ => (None, None, None),
            };
            Value::object([
                ("id", id(None)),
                ("publisher", part(publisher)),
                ("offer", part(product)),
                ("sku", part(sku)),
            ])
        }
        crate::machines::Cloud::Google => {
            Value::object([("id", id(found.map(ToString::to_string)))])
        }
    }
}

fn optional(text: Option<&str>) -> Value {
    text.map_or_else(|| Value::null_of(Type::String), Value::string)
}

fn texts(items: &[String]) -> Value {
    let items = items.iter().map(|t| Value::string(t.as_str()));
    Value::list(Type::String, items.collect())
}

fn map(entries: &BTreeMap<String, String>) -> Value {
    let entries: Entries = (entries.iter())
        .map(|(k, v)| (k.as_str().into(), Value::string(v.as_str())))
        .collect();
    Value::map(Type::String, entries)
}
