//! Public addresses.

use super::{
    error::{ArmError, Outcome},
    kinds::{INTERFACE, PUBLIC_IP, Put, Rules},
    network::guid,
    places,
    world::{State, Thing, World},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

pub(super) struct PublicIp;

/// The configuration of an interface that has it.
pub(super) fn holder(world: &World, id: &str) -> Option<String> {
    for nic in world.of_kind(&INTERFACE) {
        let configs = nic.body["properties"]["ipConfigurations"].as_array();
        for c in configs.into_iter().flatten() {
            let held = c["properties"]["publicIPAddress"]["id"].as_str();
            if held.is_some_and(|h| h.eq_ignore_ascii_case(id)) {
                let name = c["name"].as_str().unwrap_or_default();
                return Some(format!("{}/ipConfigurations/{name}", nic.id.text()));
            }
        }
    }
    None
}

/// The address, where it has one by now: one that is dynamic has none while nothing holds it.
pub(super) fn address(world: &World, thing: &Thing) -> Option<String> {
    let p = &thing.body["properties"];
    let is_static = p["publicIPAllocationMethod"] == "Static";
    let is_there = match is_static {
        true => !matches!(thing.state, State::Working { .. }) || thing.version > 1,
        false => holder(world, &thing.id.text()).is_some(),
    };
    is_there.then(|| p["weirAddress"].as_str().map(str::to_owned))?
}

impl Rules for PublicIp {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        places::check_zones(&put.body)?;
        if put.body["sku"].is_null() {
            put.body["sku"] = json!({ "name": "Basic", "tier": "Regional" });
        }
        if put.body["sku"]["tier"].is_null() {
            put.body["sku"]["tier"] = json!("Regional");
        }
        put.default("publicIPAllocationMethod", json!("Dynamic"));
        put.default("publicIPAddressVersion", json!("IPv4"));
        put.default("idleTimeoutInMinutes", json!(4));
        put.default("ipTags", json!([]));
        let p = &put.body["properties"];
        let standard = put.body["sku"]["name"] == "Standard";
        if standard && p["publicIPAllocationMethod"] != "Static" {
            let message = format!(
                "Standard sku publicIp {} must have AllocationMethod set to Static.",
                put.id.text()
            );
            return Err(ArmError::bad(
                "PublicIPAddressStandardSkuMustBeStatic",
                message,
            ));
        }
        let minutes = p["idleTimeoutInMinutes"].as_i64().unwrap_or(4);
        if !(4..=30).contains(&minutes) {
            let message = format!("The idle timeout {minutes} is not from 4 to 30 minutes.");
            return Err(ArmError::bad("InvalidIdleTimeout", message));
        }
        put.stays("/sku/name")?;
        put.stays("/sku/tier")?;
        put.stays("/zones")?;
        put.stays("/properties/publicIPAddressVersion")?;
        check_label(put)?;
        let held = holder(put.world, &put.id.text());
        if held.is_some() {
            put.stays("/properties/publicIPAllocationMethod")?;
        }
        let address = put
            .old
            .and_then(|o| o["properties"]["weirAddress"].as_str());
        let address = match address {
            Some(address) => address.to_owned(),
            None if p["publicIPAddressVersion"] == "IPv6" => {
                format!("2603:1030::{:x}", put.world.number())
            }
            None => {
                // 198.51.100.0/24 and 203.0.113.0/24 are for documentation.
                let n = put.world.number() % 508;
                let (net, host) = (n / 254, n % 254 + 1);
                match net {
                    0 => format!("198.51.100.{host}"),
                    _ => format!("203.0.113.{host}"),
                }
            }
        };
        put.body["properties"]["weirAddress"] = json!(address);
        Ok(None)
    }

    fn written(&self, _world: &mut World, _thing: &Thing, _now: Instant) {}

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let address = address(world, thing);
        let p = &mut body["properties"];
        if let Some(p) = p.as_object_mut() {
            p.remove("weirAddress");
        }
        if let Some(address) = address {
            p["ipAddress"] = json!(address);
        }
        if let Some(holder) = holder(world, &thing.id.text()) {
            p["ipConfiguration"] = json!({ "id": holder });
        }
        if let Some(label) = p["dnsSettings"]["domainNameLabel"].as_str() {
            let location = thing.body["location"].as_str().unwrap_or_default();
            let name = format!("{label}.{location}.cloudapp.azure.com");
            p["dnsSettings"]["fqdn"] = json!(name);
        }
        p["resourceGuid"] = json!(guid(thing));
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        let Some(holder) = holder(world, &thing.id.text()) else {
            return Ok(());
        };
        let message = format!(
            "Public IP address {} can not be deleted since it is still allocated to resource {holder}. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip.",
            thing.id.text()
        );
        Err(ArmError::bad("PublicIPAddressCannotBeDeleted", message))
    }
}

fn check_label(put: &Put<'_>) -> Outcome<()> {
    let label = |body: &Json| {
        body["properties"]["dnsSettings"]["domainNameLabel"]
            .as_str()
            .map(str::to_owned)
    };
    let Some(mine) = label(&put.body) else {
        return Ok(());
    };
    let fits = mine
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !fits || mine.len() < 3 || mine.len() > 63 {
        let message = format!(
            "The domain name label {mine} is invalid. It must conform to the following regular expression: ^[a-z][a-z0-9-]{{1,61}}[a-z0-9]$."
        );
        return Err(ArmError::bad("InvalidDomainNameLabel", message));
    }
    for other in put.world.of_kind(&PUBLIC_IP) {
        let elsewhere = other.id.key() != put.id.key();
        let here = other.body["location"] == put.body["location"];
        if elsewhere && here && label(&other.body).as_ref() == Some(&mine) {
            let message = format!("DNS record {mine} is already used by another public IP.");
            return Err(ArmError::bad("DnsRecordInUse", message));
        }
    }
    Ok(())
}
