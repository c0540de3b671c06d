//! Addresses that are reserved, of a region or of all.

use super::{
    cidr::Cidr,
    error::{Outcome, Refusal},
    kinds::Asked,
    route::{Key, Scope},
    world::{Object, World, default},
};
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;
use std::time::Instant;

/// Completes a new address.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    let now = asked.at.now;
    let (key, body) = (&asked.key, &mut asked.body);
    default(body, "addressType", json!("EXTERNAL"));
    let network = world.refer(body, ("network", "networks"), key, now)?;
    let mut subnetwork = world.refer(body, ("subnetwork", "subnetworks"), key, now)?;
    if body["addressType"] == "EXTERNAL" {
        if let Some(field) = ["network", "subnetwork", "purpose"]
            .iter()
            .find(|f| body.contains_key(**f))
        {
            return Err(Refusal::invalid(
                field,
                &body[*field],
                "It does not go with an external address.",
            ));
        }
        if let Some(address) = body.get("address") {
            return Err(Refusal::invalid(
                "address",
                address,
                "An external address can't be chosen.",
            ));
        }
        default(body, "networkTier", json!("PREMIUM"));
        default(body, "ipVersion", json!("IPV4"));
        let address = public(world);
        body.insert("address".into(), json!(address));
    } else {
        default(body, "purpose", json!("GCE_ENDPOINT"));
        if subnetwork.is_none() && network.is_none() && body["purpose"] == "GCE_ENDPOINT" {
            let name = json!("global/networks/default");
            let network = world.referred(&name, ("network", "networks"), key, now)?;
            subnetwork = Some(Key {
                scope: key.scope.clone(),
                ..network.beside("subnetworks", &network.name)
            });
        }
        if let Some(subnetwork) = &subnetwork {
            body.insert("subnetwork".into(), json!(subnetwork.link()));
            let address = private(world, subnetwork, body.get("address"), now)?;
            body.insert("address".into(), json!(address));
        }
    }
    default(body, "labels", json!({}));
    body.insert("labelFingerprint".into(), json!(world.fingerprint()));
    body.insert("status".into(), json!("RESERVED"));
    Ok(())
}

/// A new public address.
pub fn public(world: &mut World) -> String {
    let number = world.number();
    let [.., high, low] = number.to_be_bytes();
    Ipv4Addr::new(34, 90 + (number >> 16) as u8 % 100, high, low.max(1)).to_string()
}

/// The address that is asked for, or the next that is free, of a subnetwork.
///
/// # Errors
/// It is not of the subnetwork, or taken.
pub fn private(
    world: &World,
    subnetwork: &Key,
    wish: Option<&Json>,
    now: Instant,
) -> Outcome<String> {
    let thing = world.there(subnetwork, now);
    let thing = thing.ok_or_else(|| Refusal::not_found(&subnetwork.to_string()))?;
    let range = thing
        .body
        .get("ipCidrRange")
        .and_then(Json::as_str)
        .and_then(Cidr::parse);
    let Some(range) = range else {
        return Err(Refusal::not_found(&subnetwork.to_string()));
    };
    let taken = taken(world, subnetwork, now);
    if let Some(wish) = wish.and_then(Json::as_str) {
        let address = wish.parse().ok().filter(|a| range.serves(*a));
        return match address {
            None => Err(Refusal::invalid(
                "address",
                &json!(wish),
                "It is not in the subnetwork's range.",
            )),
            Some(_) if taken.iter().any(|t| t == wish) => Err(Refusal::new(
                400,
                "resourceInUseByAnotherResource",
                format!("IP '{wish}' is already being used by another resource."),
            )),
            Some(address) => Ok(address.to_string()),
        };
    }
    let free = range
        .usable()
        .map(|a| a.to_string())
        .find(|a| !taken.contains(a));
    free.ok_or_else(|| Refusal::new(400, "invalid", "The subnetwork has no address left."))
}

fn taken(world: &World, subnetwork: &Key, now: Instant) -> Vec<String> {
    let link = json!(subnetwork.link());
    let there = world
        .things
        .iter()
        .filter(|(_, t)| t.gone.is_none_or(|gone| gone > now));
    let mut taken = Vec::new();
    for (key, thing) in there {
        if key.kind == "addresses" && thing.body.get("subnetwork") == Some(&link) {
            taken.extend(
                thing
                    .body
                    .get("address")
                    .and_then(Json::as_str)
                    .map(str::to_owned),
            );
        }
        let interfaces = thing.body.get("networkInterfaces").and_then(Json::as_array);
        for interface in interfaces
            .into_iter()
            .flatten()
            .filter(|i| i["subnetwork"] == link)
        {
            taken.extend(interface["networkIP"].as_str().map(str::to_owned));
        }
    }
    taken
}

/// The reserved address of a region that is this one.
pub fn reserved(
    world: &World,
    project: &str,
    region: &str,
    address: &str,
    now: Instant,
) -> Option<Key> {
    let mut all = world.things.iter();
    let found = all.find(|(k, t)| {
        k.project == project
            && k.kind == "addresses"
            && k.scope == Scope::Region(region.into())
            && t.gone.is_none_or(|gone| gone > now)
            && t.body.get("address").and_then(Json::as_str) == Some(address)
    });
    found.map(|(k, _)| k.clone())
}

/// Who uses it, and what that makes of its state.
pub fn view(world: &World, key: &Key, body: &mut Object, now: Instant) {
    let users = users(world, key, body, now);
    if !users.is_empty() {
        body.insert("status".into(), json!("IN_USE"));
        body.insert("users".into(), json!(users));
    }
}

/// The links of what uses an address.
pub fn users(world: &World, key: &Key, body: &Object, now: Instant) -> Vec<String> {
    let Some(address) = body.get("address").and_then(Json::as_str) else {
        return Vec::new();
    };
    let uses = |thing: &super::world::Thing| {
        let interfaces = thing.body.get("networkInterfaces").and_then(Json::as_array);
        let on_interface = interfaces.into_iter().flatten().any(|i| {
            let outside = i["accessConfigs"].as_array().into_iter().flatten();
            i["networkIP"] == address
                && i["subnetwork"] == body.get("subnetwork").cloned().unwrap_or_default()
                || outside.into_iter().any(|c| c["natIP"] == address)
        });
        let nats = thing.body.get("nats").and_then(Json::as_array);
        let on_nat = nats.into_iter().flatten().any(|n| {
            let ips = n["natIps"].as_array().into_iter().flatten();
            ips.into_iter().any(|ip| *ip == key.link())
        });
        on_interface || on_nat
    };
    let there = world
        .things
        .iter()
        .filter(|(k, t)| k.project == key.project && t.gone.is_none_or(|gone| gone > now));
    there
        .filter(|(_, t)| uses(t))
        .map(|(k, _)| k.link())
        .collect()
}
