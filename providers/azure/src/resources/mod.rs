//! The resource types: a file each, or one for those that belong together.

mod availability_set;
mod data_disk_attachment;
mod group;
mod guard;
mod linux_virtual_machine;
mod managed_disk;
mod network_interface;
mod network_security_group;
mod placement_group;
mod public_ip;
mod ssh_public_key;
mod subnet;
mod virtual_network;

use crate::{
    client::Azure,
    resource::{Of, Place, Resource},
};
use serde_json::Value as Json;
use std::net::IpAddr;
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::Fields as _;

const ALL: [&dyn Resource<Azure>; 15] = [
    &Of(availability_set::AvailabilitySet),
    &Of(group::Group),
    &Of(linux_virtual_machine::LinuxVirtualMachine),
    &Of(managed_disk::ManagedDisk),
    &Of(network_interface::NetworkInterface),
    &Of(network_security_group::SecurityGroup),
    &Of(network_security_group::SecurityRule),
    &Of(placement_group::PlacementGroup),
    &Of(public_ip::PublicIp),
    &Of(ssh_public_key::SshPublicKey),
    &Of(subnet::Subnet),
    &Of(virtual_network::VirtualNetwork),
    &data_disk_attachment::Attachment,
    &guard::Guard::OfInterface,
    &guard::Guard::OfSubnet,
];

/// The type of that name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Resource<Azure>> {
    ALL.into_iter().find(|r| r.name() == name)
}

/// Whether it says nothing.
pub(crate) fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.values().all(is_nothing),
        Json::String(text) => text.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Refuses names that no id can have.
pub(crate) fn check_names(place: Place, config: &Value, out: &mut Diagnostics) {
    let names = place.parts.iter().map(|(_, attribute)| *attribute);
    for key in names.chain(["resource_group_name"]) {
        let Some(name) = config.text(key) else {
            continue;
        };
        let is_group = place.namespace.is_empty() || key == "resource_group_name";
        let most = if is_group { 90 } else { 80 };
        let fits = |c: char| {
            c.is_ascii_alphanumeric()
                || "-_.".contains(c)
                || (is_group && (c.is_alphanumeric() || "()".contains(c)))
        };
        let ends = name.ends_with('.') || (!is_group && name.ends_with('-'));
        if !name.chars().all(fits) || name.chars().count() > most || ends {
            out.push(
                Diagnostic::error(format!("`{key}` can't be {name:?}"))
                    .because(format!("A name has at most {most} letters, digits, `-`, `_` and `.`, and does not end in a dot."))
                    .help("Choose another name."),
            );
        }
    }
}

/// Refuses an id that is none of the place's.
fn check_id(place: Place, key: &str, config: &Value, out: &mut Diagnostics) {
    let Some(id) = config.text(key).filter(|id| place.read(id).is_none()) else {
        return;
    };
    out.push(
        Diagnostic::error(format!("`{key}` can't be {id:?}"))
            .because(format!("The id is {}.", place.form()))
            .help("Refer to the resource's `id`."),
    );
}

/// Refuses a text that is no range of addresses, or whose address is not the first of it.
fn check_range(key: &str, text: &str, out: &mut Diagnostics) {
    let read = || {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let length: u32 = length.parse().ok()?;
        let (number, all) = match address {
            IpAddr::V4(a) => (u128::from(u32::from(a)), 32),
            IpAddr::V6(a) => (u128::from(a), 128),
        };
        let free = all - length.min(all);
        let mask = if free == 128 {
            u128::MAX
        } else {
            (1_u128 << free) - 1
        };
        (length <= all && number & mask == 0).then_some(())
    };
    if read().is_none() {
        out.push(
            Diagnostic::error(format!("`{key}`: {text:?} is no range of addresses"))
                .because("A range is written as its first address and the length of its prefix, as 10.0.0.0/16.")
                .help("Write it so."),
        );
    }
}

/// The known texts of a list or a set.
fn known_texts(config: &Value, key: &str) -> Vec<String> {
    config.texts(key).unwrap_or_default()
}

/// The texts of a list of JSON.
fn texts(value: &Json) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Json::as_str).collect()
}
