//! Routers and their NATs.

use super::{
    error::{Outcome, Refusal},
    kinds::Asked,
    route::Key,
    world::{Object, World, default, merge},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// Completes a new router.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    let now = asked.at.now;
    let network = world.refer(&mut asked.body, ("network", "networks"), &asked.key, now)?;
    network.ok_or_else(|| Refusal::required("network"))?;
    default(&mut asked.body, "encryptedInterconnectRouter", json!(false));
    complete(world, &asked.key, &mut asked.body, now)
}

fn complete(world: &World, key: &Key, body: &mut Object, now: Instant) -> Outcome<()> {
    if let Some(Json::Object(bgp)) = body.get_mut("bgp") {
        let asn = bgp.get("asn").cloned().unwrap_or_default();
        let private = asn.as_u64().is_some_and(|n| {
            (64512..=65534).contains(&n)
                || (4_200_000_000..=4_294_967_294).contains(&n)
                || n == 16550
        });
        if !private {
            return Err(Refusal::invalid(
                "bgp.asn",
                &asn,
                "Must be an RFC6996 private ASN.",
            ));
        }
        default(bgp, "advertiseMode", json!("DEFAULT"));
        default(bgp, "keepaliveInterval", json!(20));
    }
    let Some(Json::Array(nats)) = body.get_mut("nats") else {
        return Ok(());
    };
    let mut names = Vec::new();
    for (i, nat) in nats.iter_mut().enumerate() {
        let Json::Object(nat) = nat else {
            return Err(Refusal::required(&format!("nats[{i}]")));
        };
        let field = |name: &str| format!("nats[{i}].{name}");
        let name = nat
            .get("name")
            .cloned()
            .ok_or_else(|| Refusal::required(&field("name")))?;
        if names.contains(&name) {
            return Err(Refusal::invalid(
                &field("name"),
                &name,
                "Duplicate NAT name.",
            ));
        }
        names.push(name);
        default(nat, "type", json!("PUBLIC"));
        default(nat, "autoNetworkTier", json!("PREMIUM"));
        default(nat, "enableEndpointIndependentMapping", json!(false));
        default(nat, "endpointTypes", json!(["ENDPOINT_TYPE_VM"]));
        let source = nat.get("sourceSubnetworkIpRangesToNat").cloned();
        let source =
            source.ok_or_else(|| Refusal::required(&field("sourceSubnetworkIpRangesToNat")))?;
        let listed = nat
            .get("subnetworks")
            .and_then(Json::as_array)
            .is_some_and(|s| !s.is_empty());
        if listed != (source == "LIST_OF_SUBNETWORKS") {
            let why = "Subnetworks are listed for LIST_OF_SUBNETWORKS, and for it alone.";
            return Err(Refusal::invalid(
                &field("sourceSubnetworkIpRangesToNat"),
                &source,
                why,
            ));
        }
        for (j, subnetwork) in nat
            .get_mut("subnetworks")
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
            .enumerate()
        {
            let at = format!("nats[{i}].subnetworks[{j}].name");
            let found = world.referred(&subnetwork["name"], (&at, "subnetworks"), key, now)?;
            subnetwork["name"] = json!(found.link());
        }
        let manual = nat.get("natIpAllocateOption").and_then(Json::as_str) == Some("MANUAL_ONLY");
        let ips = nat.get_mut("natIps").and_then(Json::as_array_mut);
        if manual != ips.as_ref().is_some_and(|ips| !ips.is_empty()) {
            let why = "NAT addresses are listed for MANUAL_ONLY, and for it alone.";
            return Err(Refusal::invalid(&field("natIps"), &json!([]), why));
        }
        for ip in ips.into_iter().flatten() {
            let found = world.referred(ip, (&field("natIps"), "addresses"), key, now)?;
            *ip = json!(found.link());
        }
    }
    Ok(())
}

/// Changes a router; `whole` where all of it is given.
///
/// # Errors
/// A field can't be as it is.
pub fn change(world: &mut World, asked: &Asked<'_>, whole: bool) -> Outcome<()> {
    let thing = world.ready(&asked.key, asked.at.now)?;
    let mut body = thing.body.clone();
    if whole {
        let kept = [
            "kind",
            "id",
            "name",
            "creationTimestamp",
            "selfLink",
            "network",
            "region",
            "encryptedInterconnectRouter",
        ];
        body.retain(|f, _| kept.contains(&f.as_str()));
    }
    let mut patch = asked.body.clone();
    patch.remove("network");
    merge(&mut body, &patch);
    body.retain(|_, v| v.as_array().is_none_or(|a| !a.is_empty()));
    complete(world, &asked.key, &mut body, asked.at.now)?;
    world.ready(&asked.key, asked.at.now)?.body = body;
    Ok(())
}
