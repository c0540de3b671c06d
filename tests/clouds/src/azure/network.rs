//! Virtual networks and their subnets.

use super::{
    cidr::Range,
    error::{ArmError, Outcome},
    id::Id,
    kinds::{INTERFACE, Kind, Put, Rules, SECURITY_GROUP, SUBNET},
    world::{State, Thing, Verb, World},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

pub(super) struct VirtualNetwork;
pub(super) struct Subnet;

fn texts(value: &Json) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn ranges(value: &Json) -> Outcome<Vec<Range>> {
    let range = |text: String| {
        let wrong = || {
            let message = format!(
                "Address prefix {text} is invalid: it is no CIDR notation whose address is the first of the range."
            );
            ArmError::bad("InvalidCIDRNotation", message)
        };
        Range::parse(&text).ok_or_else(wrong)
    };
    texts(value).into_iter().map(range).collect()
}

/// The ranges of a subnet: one of its two properties says them.
pub(super) fn of_subnet(properties: &Json) -> Vec<String> {
    let mut all = texts(&properties["addressPrefixes"]);
    if let Some(one) = properties["addressPrefix"].as_str()
        && !all.iter().any(|a| a == one)
    {
        all.push(one.to_owned());
    }
    all
}

fn check_subnet(properties: &Json, name: &str, space: &[Range], others: &[Thing]) -> Outcome<()> {
    let mine = ranges(&json!(of_subnet(properties)))?;
    if mine.is_empty() {
        let message = format!("Subnet '{name}' has no address prefix.");
        return Err(ArmError::bad("MissingSubnetAddressPrefix", message));
    }
    for range in &mine {
        if range.is_v4() && range.bits() < 3 {
            let message = format!("Subnet '{name}' is too small: a subnet has at least a /29.");
            return Err(ArmError::bad("NetcfgInvalidSubnet", message));
        }
        if !space.iter().any(|s| s.holds(*range)) {
            let message = format!(
                "Subnet '{name}' is not valid because its IP address range is outside the IP address range of virtual network."
            );
            return Err(ArmError::bad("NetcfgInvalidSubnet", message));
        }
        for other in others {
            let theirs = ranges(&json!(of_subnet(&other.body["properties"])))?;
            if theirs.iter().any(|t| t.meets(*range)) {
                let message = format!(
                    "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet '{}'.",
                    other.id.name()
                );
                return Err(ArmError::bad("NetcfgSubnetRangesOverlap", message));
            }
        }
    }
    Ok(())
}

/// Ids of the interfaces' configurations that stand in it.
fn users(world: &World, subnet: &str) -> Vec<String> {
    let mut all = Vec::new();
    for nic in world.of_kind(&INTERFACE) {
        let configs = nic.body["properties"]["ipConfigurations"].as_array();
        for c in configs.into_iter().flatten() {
            let there = c["properties"]["subnet"]["id"].as_str();
            if there.is_some_and(|s| s.eq_ignore_ascii_case(subnet)) {
                let name = c["name"].as_str().unwrap_or_default();
                all.push(format!("{}/ipConfigurations/{name}", nic.id.text()));
            }
        }
    }
    all
}

fn in_use(subnet: &Thing, users: &[String]) -> ArmError {
    let message = format!(
        "Subnet {} is in use by {} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
        subnet.id.name(),
        users.join(", ")
    );
    ArmError::bad("InUseSubnetCannotBeDeleted", message)
}

impl Rules for VirtualNetwork {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        let space = ranges(&put.body["properties"]["addressSpace"]["addressPrefixes"])?;
        if space.is_empty() {
            let message = "The virtual network has no address space.";
            return Err(ArmError::bad("InvalidRequestFormat", message));
        }
        for (i, a) in space.iter().enumerate() {
            if space[..i].iter().any(|b| a.meets(*b)) {
                let message = "The address prefixes of the virtual network overlap.";
                return Err(ArmError::bad(
                    "NetcfgInvalidVirtualNetworkAddressSpace",
                    message,
                ));
            }
        }
        let below: Vec<Thing> = (put.world.below(put.id, &SUBNET).into_iter())
            .cloned()
            .collect();
        let given = put.body["properties"]["subnets"].as_array().cloned();
        if let Some(given) = &given {
            for subnet in &below {
                let kept = given.iter().any(|g| named(g, subnet.id.name()));
                let users = users(put.world, &subnet.id.text());
                if !kept && !users.is_empty() {
                    return Err(in_use(subnet, &users));
                }
            }
            check_given(put, given, &space)?;
        } else {
            for subnet in &below {
                check_subnet(&subnet.body["properties"], subnet.id.name(), &space, &[])?;
            }
        }
        put.default("enableDdosProtection", json!(false));
        Ok(None)
    }

    fn written(&self, world: &mut World, thing: &Thing, now: Instant) {
        let Some(given) = thing.body["properties"]["subnets"].as_array().cloned() else {
            return;
        };
        let below: Vec<Id> = (world.below(&thing.id, &SUBNET).into_iter())
            .map(|s| s.id.clone())
            .collect();
        for old in below {
            if !given.iter().any(|g| named(g, old.name())) {
                world.things.remove(&old.key());
            }
        }
        for subnet in given {
            let id = thing
                .id
                .child(&SUBNET, subnet["name"].as_str().unwrap_or_default());
            let mut body = json!({ "properties": subnet["properties"] });
            defaults(&mut body);
            let old = world.things.get(&id.key());
            let made = Thing {
                body,
                state: State::Succeeded,
                born: old.map_or(now, |o| o.born),
                version: old.map_or(1, |o| o.version + 1),
                id,
            };
            world.things.insert(made.id.key(), made);
        }
        if let Some(kept) = world.things.get_mut(&thing.id.key())
            && let Some(properties) = kept.body["properties"].as_object_mut()
        {
            properties.remove("subnets");
        }
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let below = world.below(&thing.id, &SUBNET);
        let all: Vec<Json> = below.into_iter().map(|s| world.view(s)).collect();
        body["properties"]["subnets"] = json!(all);
        body["properties"]["resourceGuid"] = json!(guid(thing));
        body["properties"]["virtualNetworkPeerings"] = json!([]);
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        for subnet in world.below(&thing.id, &SUBNET) {
            let users = users(world, &subnet.id.text());
            if !users.is_empty() {
                return Err(in_use(subnet, &users));
            }
        }
        Ok(())
    }
}

/// Subnets that stand in the network's own body.
fn check_given(put: &Put<'_>, given: &[Json], space: &[Range]) -> Outcome<()> {
    let mut before: Vec<Thing> = Vec::new();
    for subnet in given {
        let name = subnet["name"].as_str().unwrap_or_default();
        if !SUBNET.name_fits(name) {
            let message = format!("Resource name {name} is invalid.");
            return Err(ArmError::bad("InvalidResourceName", message));
        }
        check_subnet(&subnet["properties"], name, space, &before)?;
        put.refers(
            &subnet["properties"]["networkSecurityGroup"],
            &SECURITY_GROUP,
        )?;
        before.push(Thing {
            id: put.id.child(&SUBNET, name),
            body: json!({ "properties": subnet["properties"] }),
            state: State::Succeeded,
            born: put.now,
            version: 1,
        });
    }
    Ok(())
}

fn named(subnet: &Json, name: &str) -> bool {
    (subnet["name"].as_str()).is_some_and(|n| n.eq_ignore_ascii_case(name))
}

/// A UUID that stays the resource's own.
pub(super) fn guid(thing: &Thing) -> String {
    let sum = thing
        .id
        .key()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
    format!(
        "{:08x}-{:04x}-4{:03x}-8000-{:012x}",
        sum >> 32,
        (sum >> 16) & 0xffff,
        sum & 0xfff,
        sum & 0xffff_ffff_ffff
    )
}

fn defaults(body: &mut Json) {
    let p = &mut body["properties"];
    let defaults = [
        ("privateEndpointNetworkPolicies", json!("Disabled")),
        ("privateLinkServiceNetworkPolicies", json!("Enabled")),
        ("delegations", json!([])),
    ];
    for (key, value) in defaults {
        if p.get(key).is_none() {
            p[key] = value;
        }
    }
    if let Some(all) = p["serviceEndpoints"].as_array_mut() {
        for endpoint in all {
            if endpoint.get("locations").is_none() {
                endpoint["locations"] = json!(["*"]);
            }
        }
    }
    if let Some(all) = p["delegations"].as_array_mut() {
        for delegation in all {
            if delegation["properties"]["actions"].is_null() {
                delegation["properties"]["actions"] =
                    json!(["Microsoft.Network/virtualNetworks/subnets/join/action"]);
            }
        }
    }
}

impl Rules for Subnet {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        let Some(network) = put.id.parent() else {
            return Ok(None);
        };
        let Some(around) = put.world.things.get(&network.key()) else {
            return Ok(None);
        };
        let location = around.body["location"].clone();
        let space = ranges(&around.body["properties"]["addressSpace"]["addressPrefixes"])?;
        let others: Vec<Thing> = (put.world.below(&network, &SUBNET).into_iter())
            .filter(|s| s.id.key() != put.id.key())
            .cloned()
            .collect();
        let properties = &put.body["properties"];
        check_subnet(properties, put.id.name(), &space, &others)?;
        let group = put.refers(&properties["networkSecurityGroup"], &SECURITY_GROUP)?;
        if group.is_some_and(|g| g.body["location"] != location) {
            let message =
                "The network security group and the virtual network are not in the same region.";
            return Err(ArmError::bad("InvalidResourceReference", message));
        }
        let moved = put
            .old
            .is_some_and(|o| of_subnet(&o["properties"]) != of_subnet(properties));
        if moved && !users(put.world, &put.id.text()).is_empty() {
            let message = format!(
                "Subnet {} is in use and its address prefix cannot be updated.",
                put.id.name()
            );
            return Err(ArmError::bad("InUsePrefixCannotBeDeleted", message));
        }
        defaults(&mut put.body);
        Ok(None)
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let users = users(world, &thing.id.text());
        if !users.is_empty() {
            let all: Vec<Json> = users.into_iter().map(|id| json!({ "id": id })).collect();
            body["properties"]["ipConfigurations"] = json!(all);
        }
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        let users = users(world, &thing.id.text());
        match users.is_empty() {
            true => Ok(()),
            false => Err(in_use(thing, &users)),
        }
    }
}

/// The subnet of that id, where it is made: with its network's location.
pub(super) fn subnet<'a>(world: &'a World, id: &str, by: &Id) -> Outcome<(&'a Thing, &'a Json)> {
    let found = world.find(id).filter(|t| t.id.kind.is(&SUBNET));
    let around = found
        .and_then(|s| s.id.parent())
        .and_then(|p| world.things.get(&p.key()));
    let (Some(subnet), Some(network)) = (found, around) else {
        let message = format!(
            "Resource {id} referenced by resource {} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.",
            by.text()
        );
        return Err(ArmError::bad("InvalidResourceReference", message));
    };
    for thing in [subnet, network] {
        made(thing, by)?;
    }
    Ok((subnet, &network.body["location"]))
}

/// Refuses a reference to what is still being made, or goes.
pub(super) fn made(thing: &Thing, by: &Id) -> Outcome<()> {
    match thing.state {
        State::Working {
            verb: Verb::Creating | Verb::Deleting,
            ..
        } => {
            let message = format!(
                "Cannot proceed with operation because resource {} used by resource {} is not in Succeeded state. Resource is in {} state and the last operation that updated/is updating the resource is PutOperation.",
                thing.id.text(),
                by.text(),
                thing.state.text()
            );
            Err(ArmError::conflict(
                "ReferencedResourceNotProvisioned",
                message,
            ))
        }
        _ => Ok(()),
    }
}

/// The kinds that a security group can be at.
pub(super) const GUARDED: [&Kind; 2] = [&SUBNET, &INTERFACE];
