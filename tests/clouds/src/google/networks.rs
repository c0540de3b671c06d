//! Networks: global, with subnetworks of their own in auto mode.

use super::{
    catalog::REGIONS,
    error::{Outcome, Refusal},
    kinds::Asked,
    route::{Key, Scope},
    world::{Moment, Object, World, default},
};
use serde_json::{Value as Json, json};

/// Completes a new network.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    let body = &mut asked.body;
    if body.contains_key("IPv4Range") {
        let why = "Legacy networks can't be made any more.";
        return Err(Refusal::invalid("IPv4Range", &body["IPv4Range"], why));
    }
    default(body, "autoCreateSubnetworks", json!(true));
    default(body, "routingConfig", json!({}));
    if let Some(Json::Object(routing)) = body.get_mut("routingConfig") {
        default(routing, "routingMode", json!("REGIONAL"));
        default(routing, "bgpBestPathSelectionMode", json!("LEGACY"));
    }
    default(
        body,
        "networkFirewallPolicyEnforcementOrder",
        json!("AFTER_CLASSIC_FIREWALL"),
    );
    if let Some(mtu) = body.get("mtu").filter(|m| m.as_i64() != Some(0)) {
        if !mtu.as_u64().is_some_and(|m| (1300..=8896).contains(&m)) {
            return Err(Refusal::invalid(
                "mtu",
                mtu,
                "Must be between 1300 and 8896.",
            ));
        }
    } else {
        body.insert("mtu".into(), json!(1460));
    }
    let id = world.id();
    body.insert(
        "selfLinkWithId".into(),
        json!(asked.key.beside("networks", &id).link()),
    );
    Ok(())
}

/// The subnetworks of a network in auto mode.
pub fn inserted(world: &mut World, key: &Key, at: Moment) {
    let auto = |t: &super::world::Thing| t.body.get("autoCreateSubnetworks") == Some(&json!(true));
    if world.things.get(key).is_some_and(auto) {
        make_subnetworks(world, key, at);
    }
}

/// Makes the subnetworks that a network in auto mode has.
pub fn make_subnetworks(world: &mut World, network: &Key, at: Moment) {
    for (region, _, part) in REGIONS {
        let key = Key {
            scope: Scope::Region(region.into()),
            ..network.beside("subnetworks", &network.name)
        };
        let mut body = Object::new();
        body.insert("network".into(), json!(network.link()));
        body.insert("ipCidrRange".into(), json!(format!("10.{part}.0.0/20")));
        super::subnetworks::complete(world, &mut body);
        world.add(&key, "subnetwork", body, at);
    }
}

/// Before a network goes, all of its own goes with it.
///
/// # Errors
/// Something else still needs it.
pub fn delete(world: &mut World, key: &Key, at: Moment) -> Outcome<()> {
    let link = json!(key.link());
    let auto = world
        .things
        .get(key)
        .and_then(|t| t.body.get("autoCreateSubnetworks").cloned());
    let own: Vec<Key> = (world.things.iter())
        .filter(|(k, t)| {
            auto == Some(json!(true))
                && k.kind == "subnetworks"
                && k.name == key.name
                && t.body.get("network") == Some(&link)
        })
        .map(|(k, _)| k.clone())
        .collect();
    for subnetwork in &own {
        if let Some(by) = world.user_of(subnetwork, at.now) {
            return Err(Refusal::in_use(
                "network",
                &key.to_string(),
                &by.to_string(),
            ));
        }
    }
    let others = (world.things.iter()).find(|(k, t)| {
        !own.contains(k)
            && t.gone.is_none_or(|gone| gone > at.now)
            && t.body.get("network") == Some(&link)
    });
    if let Some((by, _)) = others {
        return Err(Refusal::in_use(
            "network",
            &key.to_string(),
            &by.to_string(),
        ));
    }
    if let Some(by) = world.user_of(key, at.now).filter(|by| !own.contains(by)) {
        return Err(Refusal::in_use(
            "network",
            &key.to_string(),
            &by.to_string(),
        ));
    }
    for subnetwork in own {
        world.remove(&subnetwork, at);
    }
    Ok(())
}

/// What a patch may change.
///
/// # Errors
/// It may not.
pub fn patch(body: &Object) -> Outcome<()> {
    for (field, value) in body {
        let may = matches!(
            field.as_str(),
            "name"
                | "routingConfig"
                | "mtu"
                | "networkFirewallPolicyEnforcementOrder"
                | "autoCreateSubnetworks"
                | "description"
        );
        if !may {
            return Err(Refusal::invalid(field, value, "It can't be changed."));
        }
    }
    Ok(())
}

/// The subnetworks that a network lists.
pub fn view(world: &World, key: &Key, body: &mut Object, now: std::time::Instant) {
    let link = json!(key.link());
    let subnetworks: Vec<String> = (world.of_kind(&key.project, "subnetworks", now))
        .filter(|(_, t)| t.body.get("network") == Some(&link))
        .map(|(k, _)| k.link())
        .collect();
    if !subnetworks.is_empty() {
        body.insert("subnetworks".into(), json!(subnetworks));
    }
}
