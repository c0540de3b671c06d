//! Subnetworks: a region's part of a network.

use super::{
    cidr::Cidr,
    error::{Outcome, Refusal},
    kinds::Asked,
    route::Key,
    world::{Moment, Object, Thing, World, default, merge},
};
use serde_json::{Value as Json, json};

/// Completes a new subnetwork.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    let now = asked.at.now;
    let network = world.refer(&mut asked.body, ("network", "networks"), &asked.key, now)?;
    let network = network.ok_or_else(|| Refusal::required("network"))?;
    ranges(world, &asked.body, &network, &asked.key)?;
    complete(world, &mut asked.body);
    Ok(())
}

fn ranges(world: &World, body: &Object, network: &Key, own: &Key) -> Outcome<()> {
    let Some(primary) = body.get("ipCidrRange") else {
        return Err(Refusal::required("ipCidrRange"));
    };
    let mut all = vec![("ipCidrRange".to_owned(), primary.clone())];
    all.extend(secondary(body));
    for (at, (field, value)) in all.iter().enumerate() {
        let cidr = value.as_str().and_then(Cidr::parse);
        let Some(cidr) = cidr.filter(|c| (4..=29).contains(&c.bits())) else {
            let why = "Must be a CIDR address range that is contained in the RFC 1918 private address blocks.";
            return Err(Refusal::invalid(field, value, why));
        };
        let twice = (all[..at].iter())
            .filter_map(|(_, v)| Cidr::parse(v.as_str()?))
            .any(|other| other.overlaps(cidr));
        let taken = twice
            || (world.things.iter()).any(|(key, thing)| {
                key != own
                    && key.kind == "subnetworks"
                    && thing.body.get("network") == Some(&json!(network.link()))
                    && held(thing).any(|other| other.overlaps(cidr))
            });
        if taken {
            let why = "Invalid IPCidrRange: it conflicts with existing subnetwork.";
            return Err(Refusal::invalid(field, value, why));
        }
    }
    Ok(())
}

fn secondary(body: &Object) -> impl Iterator<Item = (String, Json)> {
    let ranges = body.get("secondaryIpRanges").and_then(Json::as_array);
    let ranges = ranges.into_iter().flatten().enumerate();
    ranges.map(|(i, r)| {
        (
            format!("secondaryIpRanges[{i}].ipCidrRange"),
            r["ipCidrRange"].clone(),
        )
    })
}

fn held(thing: &Thing) -> impl Iterator<Item = Cidr> {
    let primary = thing.body.get("ipCidrRange").cloned();
    let all = primary
        .into_iter()
        .chain(secondary(&thing.body).map(|(_, v)| v));
    all.filter_map(|v| Cidr::parse(v.as_str()?))
}

/// Sets what a subnetwork has where nothing is said.
pub fn complete(world: &mut World, body: &mut Object) {
    let gateway = (body.get("ipCidrRange").and_then(Json::as_str))
        .and_then(Cidr::parse)
        .map(|c| c.nth(1).to_string());
    body.insert("gatewayAddress".into(), json!(gateway));
    default(body, "privateIpGoogleAccess", json!(false));
    default(
        body,
        "privateIpv6GoogleAccess",
        json!("DISABLE_GOOGLE_ACCESS"),
    );
    default(body, "purpose", json!("PRIVATE"));
    default(body, "stackType", json!("IPV4_ONLY"));
    if let Some(Json::Object(log)) = body.get_mut("logConfig") {
        default(log, "enable", json!(true));
        if log.get("enable") == Some(&json!(true)) {
            default(log, "aggregationInterval", json!("INTERVAL_5_SEC"));
            default(log, "flowSampling", json!(0.5));
            default(log, "metadata", json!("INCLUDE_ALL_METADATA"));
        }
    }
    body.insert("fingerprint".into(), json!(world.fingerprint()));
}

/// Changes what a patch may change.
///
/// # Errors
/// It may not, or what it was made from is old.
pub fn patch(world: &mut World, key: &Key, patch: &Object, at: Moment) -> Outcome<()> {
    let thing = world.ready(key, at.now)?;
    World::fingerprint_fits(thing.body.get("fingerprint"), patch.get("fingerprint"))?;
    for (field, value) in patch {
        let may = matches!(
            field.as_str(),
            "fingerprint"
                | "name"
                | "secondaryIpRanges"
                | "logConfig"
                | "role"
                | "stackType"
                | "privateIpv6GoogleAccess"
                | "ipv6AccessType"
                | "purpose"
                | "description"
        );
        if !may {
            return Err(Refusal::invalid(field, value, "It can't be changed."));
        }
    }
    let mut body = thing.body.clone();
    merge(&mut body, patch);
    let network = body["network"].clone();
    let network = world.referred(&network, ("network", "networks"), key, at.now)?;
    ranges(world, &body, &network, key)?;
    complete(world, &mut body);
    world.ready(key, at.now)?.body = body;
    Ok(())
}

/// Its own methods.
///
/// # Errors
/// It has no such method, or the method refuses.
pub fn act(world: &mut World, asked: &Asked<'_>, action: &str) -> Outcome<()> {
    let (key, at) = (&asked.key, asked.at);
    match action {
        "setPrivateIpGoogleAccess" => {
            let on = asked.body.get("privateIpGoogleAccess").cloned();
            let thing = world.ready(key, at.now)?;
            thing.body.insert(
                "privateIpGoogleAccess".into(),
                json!(on == Some(json!(true))),
            );
        }
        "expandIpCidrRange" => {
            let new = asked.body.get("ipCidrRange").cloned().unwrap_or_default();
            let thing = world.ready(key, at.now)?;
            let old = thing
                .body
                .get("ipCidrRange")
                .and_then(Json::as_str)
                .and_then(Cidr::parse);
            let wider = new.as_str().and_then(Cidr::parse);
            if !matches!((old, wider), (Some(o), Some(w)) if w.holds(o) && w != o) {
                let why = "It must hold the whole range that it replaces.";
                return Err(Refusal::invalid("ipCidrRange", &new, why));
            }
            let mut body = thing.body.clone();
            body.insert("ipCidrRange".into(), new);
            let network = body["network"].clone();
            let network = world.referred(&network, ("network", "networks"), key, at.now)?;
            ranges(world, &body, &network, key)?;
            complete(world, &mut body);
            world.ready(key, at.now)?.body = body;
        }
        _ => return Err(asked.unserved()),
    }
    Ok(())
}
