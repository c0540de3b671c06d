//! The resource types, one file each, and what many of them share.

mod address;
mod attached_disk;
mod disk;
mod firewall;
mod image;
mod instance;
mod instance_template;
mod interface;
mod machine;
mod network;
mod router;
mod router_nat;
mod subnetwork;

pub(crate) use image::{PROJECTS, newest};

use crate::{
    client::Google,
    name::{Kind, Name, Place},
    resource::{Failure, Resource},
    thing::Named,
};
use weir_core::{Diagnostic, Diagnostics, Type, Value};
use weir_provider::declared::Fields as _;

/// The resource type of that name.
pub(crate) fn by_name(type_name: &str) -> Option<&'static dyn Resource<Google>> {
    Some(match type_name {
        "google_compute_address" => &Named(address::Address),
        "google_compute_attached_disk" => &attached_disk::AttachedDisk,
        "google_compute_disk" => &Named(disk::Disk),
        "google_compute_firewall" => &Named(firewall::Firewall),
        "google_compute_instance" => &Named(instance::Instance),
        "google_compute_instance_template" => &Named(instance_template::InstanceTemplate),
        "google_compute_network" => &Named(network::Network),
        "google_compute_router" => &Named(router::Router),
        "google_compute_router_nat" => &router_nat::RouterNat,
        "google_compute_subnetwork" => &Named(subnetwork::Subnetwork),
        _ => return None,
    })
}

/// Project, region and zone of the provider block, where the configuration says none: they are
/// known when it is planned.
pub(crate) fn place(google: Option<&Google>, type_name: &str, mut planned: Value) -> Value {
    let Some(google) = google else { return planned };
    let settings = &google.settings;
    for (field, own) in [
        ("project", settings.project.clone()),
        ("region", settings.region()),
        ("zone", settings.zone.clone()),
    ] {
        // Of a template only a regional one has a region, and what is attached is where its
        // machine is.
        let left = type_name == "google_compute_instance_template" && field == "region"
            || type_name == "google_compute_attached_disk";
        let open = planned
            .get(field)
            .is_some_and(|v| v.is_unknown() || v.is_null());
        if let (true, false, Some(own)) = (open, left, own) {
            planned = planned.with(field, Value::from(own));
        }
    }
    planned
}

/// The place and name that a planned or recorded object has.
///
/// # Errors
/// No project, region or zone is said anywhere.
pub(crate) fn name_of(google: &Google, kind: Kind, value: &Value) -> Result<Name, Failure> {
    let place = match kind.place {
        Place::Global => String::new(),
        Place::Region => google.region_of(value.text("region"))?,
        Place::Zone => google.zone_of(value.text("zone"))?,
    };
    Ok(Name {
        project: google.project_of(value.text("project"))?,
        place: crate::name::last(&place).to_owned(),
        name: value.text("name").unwrap_or_default(),
    })
}

/// Refuses a name that Google would refuse.
pub(crate) fn check_name(config: &Value, key: &str, out: &mut Diagnostics) {
    let Some(name) = config.text(key) else { return };
    let fits = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !fits {
        out.push(
            Diagnostic::error(format!("`{key}` can't be {name:?}"))
                .because("A name has 1 to 63 lowercase letters, digits and dashes, begins with a letter and does not end with a dash.")
                .help("Write such a name."),
        );
    }
}

/// Refuses labels that Google would refuse.
pub(crate) fn check_labels(config: &Value, out: &mut Diagnostics) {
    let fits = |text: &str| {
        text.chars().count() <= 63
            && text
                .chars()
                .all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '_' || c == '-')
    };
    for (key, value) in config.labels("labels") {
        let starts = key.starts_with(char::is_alphabetic);
        if !(starts && fits(&key) && fits(&value)) {
            out.push(
                Diagnostic::error(format!("`labels` can't have {key:?} = {value:?}"))
                    .because("Keys and values have at most 63 lowercase letters, digits, dashes and underscores; a key begins with a letter.")
                    .help("Write such labels; metadata takes any text."),
            );
        }
    }
}

/// Refuses a range that is no CIDR block.
pub(crate) fn check_cidr(range: Option<String>, what: &str, out: &mut Diagnostics) {
    let Some(range) = range else { return };
    let parsed = cidr(&range);
    if parsed.is_none() {
        out.push(
            Diagnostic::error(format!("`{what}` can't be {range:?}"))
                .because("It is no CIDR block of IPv4 whose bits beyond the prefix are zero.")
                .help("Write one, as in \"10.0.0.0/16\"."),
        );
    }
}

/// First address and prefix of a range of IPv4.
pub(crate) fn cidr(text: &str) -> Option<(u32, u32)> {
    let (address, bits) = text.split_once('/')?;
    let first = u32::from(address.parse::<std::net::Ipv4Addr>().ok()?);
    let bits = bits.parse::<u32>().ok().filter(|b| *b <= 32)?;
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    (first & !mask == 0).then_some((first, bits))
}

/// The planned value with links as they were recorded, where they mean the same: another way to
/// write a link changes nothing.
pub(crate) fn same_links(prior: Option<&Value>, mut planned: Value, names: &[&str]) -> Value {
    let Some(prior) = prior else { return planned };
    for name in names {
        if let (Some(was), Some(is)) = (prior.text(name), planned.text(name))
            && was != is
            && crate::name::same_link(&was, &is)
            && let Some(was) = prior.get(name)
        {
            planned = planned.with(name, was.clone());
        }
    }
    planned
}

/// The planned value with each block of a list as `f` makes it of the one that is recorded in its
/// place, by its number. A list that is longer or shorter than it was stays as it is.
pub(crate) fn each_row(
    prior: &Value,
    planned: Value,
    key: &str,
    f: impl Fn(usize, &Value, Value) -> Value,
) -> Value {
    let (was, is) = (prior.rows(key), planned.rows(key));
    if was.len() != is.len() || is.is_empty() {
        return planned;
    }
    let pairs = was.into_iter().zip(is).enumerate();
    let all = pairs.map(|(i, (was, is))| f(i, was, is.clone()));
    let all: Vec<Value> = all.collect();
    // The list's own type: an element's may say less, as of lists that are empty.
    match planned.get(key).map(Value::ty) {
        Some(Type::List(ty)) => planned.with(key, Value::list((*ty).clone(), all)),
        _ => planned,
    }
}

/// The planned set of links with those that were recorded, where they mean the same.
pub(crate) fn same_link_sets(prior: &Value, mut planned: Value, names: &[&str]) -> Value {
    for name in names {
        let (Some(was), Some(is)) = (prior.texts(name), planned.texts(name)) else {
            continue;
        };
        if !planned.get(name).is_some_and(Value::is_wholly_known) {
            continue;
        }
        let recorded = |text: String| {
            let same = was.iter().find(|w| crate::name::same_link(w, &text));
            Value::from(same.cloned().unwrap_or(text))
        };
        let all = is.into_iter().map(recorded);
        planned = planned.with(name, Value::set(Type::String, all));
    }
    planned
}

/// A link of the configuration as the API takes it: a name alone stands for one of this project.
pub(crate) fn link(of: &Value, key: &str, name: &Name, path: &str) -> serde_json::Value {
    match of.text(key) {
        None => serde_json::Value::Null,
        Some(link) if link.contains('/') => link.into(),
        Some(short) => format!("projects/{}/{path}/{short}", name.project).into(),
    }
}

/// The fingerprint becomes another where what it stands for is changed.
pub(crate) fn new_fingerprint(
    prior: Option<&Value>,
    planned: Value,
    of: &str,
    fingerprint: &str,
) -> Value {
    match prior {
        Some(prior) if prior.get(of) != planned.get(of) => {
            planned.with(fingerprint, Value::unknown(Type::String))
        }
        _ => planned,
    }
}

/// An empty object where there is none.
pub(crate) fn or_none(found: &serde_json::Value) -> serde_json::Value {
    match found.is_null() {
        true => serde_json::json!({}),
        false => found.clone(),
    }
}
