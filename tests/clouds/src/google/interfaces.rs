//! A machine's interfaces, and their addresses for everyone.

use super::{
    addresses,
    error::{Outcome, Refusal},
    kinds::Asked,
    route::{Key, Scope},
    world::{Object, World, default},
};
use serde_json::{Value as Json, json};

/// Completes the interfaces of a new machine.
///
/// # Errors
/// A field can't be as it is.
pub fn complete(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    let mut all = match asked.body.remove("networkInterfaces") {
        Some(Json::Array(all)) if !all.is_empty() => all,
        _ => return Err(Refusal::required("networkInterfaces")),
    };
    for (index, interface) in all.iter_mut().enumerate() {
        if let Json::Object(interface) = interface {
            one(world, asked, interface, index)?;
        }
    }
    asked
        .body
        .insert("networkInterfaces".into(), Json::Array(all));
    Ok(())
}

fn one(world: &mut World, asked: &Asked<'_>, body: &mut Object, index: usize) -> Outcome<()> {
    let (key, now) = (&asked.key, asked.at.now);
    let region = key.scope.region().unwrap_or_default().to_owned();
    let at = |name: &str| format!("networkInterfaces[{index}].{name}");
    let network = match body.get("network").filter(|n| !n.is_null()) {
        Some(value) => Some(world.referred(value, (&at("network"), "networks"), key, now)?),
        None => None,
    };
    let subnetwork = match (body.get("subnetwork").filter(|n| !n.is_null()), &network) {
        (Some(value), _) => world.referred(value, (&at("subnetwork"), "subnetworks"), key, now)?,
        (None, network) => {
            let default = key.beside("networks", "default");
            let network = network.clone().unwrap_or(Key {
                scope: Scope::Global,
                ..default
            });
            let own = Key {
                scope: Scope::Region(region.clone()),
                ..network.beside("subnetworks", &network.name)
            };
            if world.there(&own, now).is_none() {
                let why = "The subnetwork resource is required for a network in custom mode.";
                return Err(Refusal::invalid(&at("subnetwork"), &json!(""), why));
            }
            own
        }
    };
    if subnetwork.scope != Scope::Region(region.clone()) {
        let why = "The subnetwork is in another region than the machine.";
        return Err(Refusal::invalid(
            &at("subnetwork"),
            &json!(subnetwork.link()),
            why,
        ));
    }
    let of_network = world
        .there(&subnetwork, now)
        .and_then(|t| t.body.get("network").cloned());
    if let (Some(network), Some(of)) = (&network, &of_network)
        && *of != json!(network.link())
    {
        let why = "The subnetwork is of another network.";
        return Err(Refusal::invalid(
            &at("subnetwork"),
            &json!(subnetwork.link()),
            why,
        ));
    }
    body.insert("network".into(), of_network.unwrap_or_default());
    body.insert("subnetwork".into(), json!(subnetwork.link()));
    // An address that was reserved in the subnetwork may be taken.
    let wish = body.get("networkIP").cloned();
    let reserved = wish
        .as_ref()
        .and_then(Json::as_str)
        .and_then(|a| addresses::reserved(world, &key.project, &region, a, now));
    let address = match reserved {
        Some(reserved) => own_reserved(world, &reserved, now)?,
        None => addresses::private(world, &subnetwork, wish.as_ref(), now)?,
    };
    body.insert("networkIP".into(), json!(address));
    body.insert("name".into(), json!(format!("nic{index}")));
    body.insert("kind".into(), json!("compute#networkInterface"));
    body.insert("fingerprint".into(), json!(world.fingerprint()));
    default(body, "stackType", json!("IPV4_ONLY"));
    let configs = body.get_mut("accessConfigs").and_then(Json::as_array_mut);
    for config in configs.into_iter().flatten() {
        if let Json::Object(config) = config {
            outside(world, asked, config)?;
        }
    }
    Ok(())
}

/// A reserved address that nothing uses yet.
fn own_reserved(world: &World, key: &Key, now: std::time::Instant) -> Outcome<String> {
    let thing = world
        .there(key, now)
        .ok_or_else(|| Refusal::not_found(&key.to_string()))?;
    let address = thing
        .body
        .get("address")
        .and_then(Json::as_str)
        .unwrap_or_default();
    match addresses::users(world, key, &thing.body, now).first() {
        Some(by) => Err(Refusal::in_use("address", &key.to_string(), by)),
        None => Ok(address.to_owned()),
    }
}

/// Completes an interface's address for everyone.
fn outside(world: &mut World, asked: &Asked<'_>, config: &mut Object) -> Outcome<()> {
    let now = asked.at.now;
    let region = asked.key.scope.region().unwrap_or_default().to_owned();
    match config
        .get("natIP")
        .and_then(Json::as_str)
        .filter(|ip| !ip.is_empty())
    {
        Some(ip) => {
            let found = addresses::reserved(world, &asked.key.project, &region, ip, now);
            let Some(key) = found else {
                let why = "The specified external IP address was not found in the region.";
                return Err(Refusal::invalid(
                    "networkInterfaces[0].accessConfigs[0].natIP",
                    &json!(ip),
                    why,
                ));
            };
            own_reserved(world, &key, now)?;
        }
        None => {
            let ip = addresses::public(world);
            config.insert("natIP".into(), json!(ip));
        }
    }
    config.insert("kind".into(), json!("compute#accessConfig"));
    default(config, "type", json!("ONE_TO_ONE_NAT"));
    default(config, "name", json!("external-nat"));
    default(config, "networkTier", json!("PREMIUM"));
    Ok(())
}

/// Methods of a machine that are about an interface.
///
/// # Errors
/// There is no such interface or method, or the method refuses.
pub fn act(world: &mut World, asked: &mut Asked<'_>, action: &str) -> Outcome<()> {
    let wanted = asked
        .query("networkInterface")
        .unwrap_or_default()
        .to_owned();
    let thing = world.ready(&asked.key, asked.at.now)?;
    let mut interfaces = thing.body["networkInterfaces"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let Some(interface) = interfaces.iter_mut().find(|i| i["name"] == *wanted) else {
        let why = "There is no such interface.";
        return Err(Refusal::invalid("networkInterface", &json!(wanted), why));
    };
    let configs = interface["accessConfigs"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    match action {
        "addAccessConfig" => {
            if !configs.is_empty() {
                let message = "At most one access config currently supported.";
                return Err(Refusal::new(400, "invalid", message));
            }
            let mut config = asked.body.clone();
            outside(world, asked, &mut config)?;
            interface["accessConfigs"] = json!([config]);
        }
        "deleteAccessConfig" => {
            let name = asked.query("accessConfig").unwrap_or_default();
            if !configs.iter().any(|c| c["name"] == *name) {
                let why = "There is no such access config.";
                return Err(Refusal::invalid("accessConfig", &json!(name), why));
            }
            if let Json::Object(interface) = interface {
                interface.remove("accessConfigs");
            }
        }
        "updateNetworkInterface" => {
            World::fingerprint_fits(interface.get("fingerprint"), asked.body.get("fingerprint"))?;
            for field in ["aliasIpRanges", "networkIP", "stackType", "nicType"] {
                if let Some(value) = asked.body.get(field) {
                    interface[field] = value.clone();
                }
            }
            interface["fingerprint"] = json!(world.fingerprint());
        }
        _ => return Err(asked.unserved()),
    }
    let thing = world.ready(&asked.key, asked.at.now)?;
    thing
        .body
        .insert("networkInterfaces".into(), Json::Array(interfaces));
    Ok(())
}
