//! Network interfaces.

use super::{
    address,
    cidr::Range,
    error::{ArmError, Outcome},
    kinds::{INTERFACE, PUBLIC_IP, Put, Rules, SECURITY_GROUP},
    network::{self, guid, made},
    world::{Thing, World},
};
use serde_json::{Value as Json, json};
use std::net::IpAddr;

pub(super) struct Interface;

/// The machine that has the interface.
fn machine(world: &World, id: &str) -> Option<String> {
    super::machine::with_interface(world, id).map(|m| m.id.text())
}

/// Addresses that interfaces have in the subnet, but for those of one.
fn taken(world: &World, subnet: &str, but: &str) -> Vec<String> {
    let mut all = Vec::new();
    for nic in world.of_kind(&INTERFACE).filter(|n| n.id.key() != but) {
        let configs = nic.body["properties"]["ipConfigurations"].as_array();
        for c in configs.into_iter().flatten() {
            let there = c["properties"]["subnet"]["id"].as_str();
            if there.is_some_and(|s| s.eq_ignore_ascii_case(subnet)) {
                all.extend(
                    c["properties"]["privateIPAddress"]
                        .as_str()
                        .map(str::to_owned),
                );
            }
        }
    }
    all
}

impl Rules for Interface {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        let configs = put.body["properties"]["ipConfigurations"]
            .as_array()
            .cloned();
        let mut configs = configs.unwrap_or_default();
        if configs.is_empty() {
            let message = format!(
                "Network interface {} must have one or more IP configurations.",
                put.id.text()
            );
            return Err(ArmError::bad(
                "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
                message,
            ));
        }
        let group = put.refers(
            &put.body["properties"]["networkSecurityGroup"],
            &SECURITY_GROUP,
        )?;
        if let Some(group) = group {
            made(&group, put.id)?;
            same_place(put, &group.body["location"], &group.id.text())?;
        }
        let primaries = configs
            .iter()
            .filter(|c| c["properties"]["primary"] == true)
            .count();
        if primaries > 1 || (primaries == 0 && configs.len() > 1) {
            let message = format!(
                "Network interface {} must have exactly one primary IP configuration.",
                put.id.text()
            );
            return Err(ArmError::bad(
                "NetworkInterfaceMustHaveOnePrimaryIpConfig",
                message,
            ));
        }
        let mut given: Vec<String> = Vec::new();
        for config in &mut configs {
            if primaries == 0 {
                config["properties"]["primary"] = json!(true);
            }
            configure(put, config, &mut given)?;
        }
        put.body["properties"]["ipConfigurations"] = json!(configs);
        for key in ["enableAcceleratedNetworking", "enableIPForwarding"] {
            put.default(key, json!(false));
        }
        if put.body["properties"]["dnsSettings"]["dnsServers"].is_null() {
            put.body["properties"]["dnsSettings"]["dnsServers"] = json!([]);
        }
        Ok(None)
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let id = thing.id.text();
        let p = &mut body["properties"];
        if let Some(configs) = p["ipConfigurations"].as_array_mut() {
            for c in configs {
                let name = c["name"].as_str().unwrap_or_default();
                c["id"] = json!(format!("{id}/ipConfigurations/{name}"));
                c["type"] = json!("Microsoft.Network/networkInterfaces/ipConfigurations");
                c["properties"]["provisioningState"] = json!("Succeeded");
            }
        }
        p["resourceGuid"] = json!(guid(thing));
        p["dnsSettings"]["appliedDnsServers"] = p["dnsSettings"]["dnsServers"].clone();
        p["dnsSettings"]["internalDomainNameSuffix"] =
            json!("weir0000000000000000000000.ax.internal.cloudapp.net");
        if let Some(machine) = machine(world, &id) {
            p["virtualMachine"] = json!({ "id": machine });
            p["primary"] = json!(true);
            let mac = guid(thing).replace('-', "");
            p["macAddress"] = json!(format!(
                "00-0D-3A-{}-{}-{}",
                mac[0..2].to_uppercase(),
                mac[2..4].to_uppercase(),
                mac[4..6].to_uppercase()
            ));
        }
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        let Some(machine) = machine(world, &thing.id.text()) else {
            return Ok(());
        };
        let name = machine.rsplit('/').next().unwrap_or_default();
        let message = format!(
            "Network Interface {} is used by existing resource {machine}. In order to delete the network interface, it must be dissociated from the resource ({name}). To learn more, see aka.ms/deletenic.",
            thing.id.text()
        );
        Err(ArmError::bad("NicInUse", message))
    }
}

fn same_place(put: &Put<'_>, location: &Json, id: &str) -> Outcome<()> {
    if *location == put.body["location"] {
        return Ok(());
    }
    let message = format!(
        "Resource {id} referenced by resource {} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.",
        put.id.text()
    );
    Err(ArmError::bad("InvalidResourceReference", message))
}

/// Checks and completes one configuration of addresses.
fn configure(put: &Put<'_>, config: &mut Json, given: &mut Vec<String>) -> Outcome<()> {
    if config["name"].as_str().is_none_or(str::is_empty) {
        let message = "An IP configuration of the network interface has no name.";
        return Err(ArmError::bad("InvalidRequestFormat", message));
    }
    let p = &mut config["properties"];
    if p["privateIPAddressVersion"].is_null() {
        p["privateIPAddressVersion"] = json!("IPv4");
    }
    if p["privateIPAllocationMethod"].is_null() {
        p["privateIPAllocationMethod"] = json!("Dynamic");
    }
    let id = p["subnet"]["id"].as_str().unwrap_or_default().to_owned();
    let (subnet, location) = network::subnet(put.world, &id, put.id)?;
    same_place(put, location, &id)?;
    let subnet_id = subnet.id.text();
    let v4 = p["privateIPAddressVersion"] == "IPv4";
    let ranges: Vec<Range> = (network::of_subnet(&subnet.body["properties"]).iter())
        .filter_map(|r| Range::parse(r))
        .filter(|r| r.is_v4() == v4)
        .collect();
    let mut taken = taken(put.world, &subnet_id, &put.id.key());
    taken.extend(given.iter().cloned());
    let name = config["name"].as_str().unwrap_or_default().to_owned();
    let p = &mut config["properties"];
    if p["privateIPAllocationMethod"] == "Static" {
        let text = p["privateIPAddress"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let address: Option<IpAddr> = text.parse().ok();
        let inside = address.is_some_and(|a| ranges.iter().any(|r| r.has(a)));
        if !inside {
            let message = format!(
                "Private static IP address {text} does not belong to the range of subnet prefix {subnet_id}."
            );
            return Err(ArmError::bad("PrivateIPAddressNotInSubnet", message));
        }
        if taken.contains(&text) {
            let message =
                format!("Private IP address {text} is already in use in subnet {subnet_id}.");
            return Err(ArmError::bad("PrivateIPAddressInUse", message));
        }
    } else {
        // It keeps the address that it has.
        let old = put
            .old
            .and_then(|o| o["properties"]["ipConfigurations"].as_array());
        let mut old = old.into_iter().flatten();
        let was = old.find(|c| {
            c["name"] == name.as_str() && c["properties"]["subnet"]["id"] == p["subnet"]["id"]
        });
        let was = was.and_then(|c| c["properties"]["privateIPAddress"].as_str());
        let address = match was.filter(|w| !taken.iter().any(|t| t == w)) {
            Some(was) => Some(was.to_owned()),
            None => ranges.iter().find_map(|r| r.free(&taken)),
        };
        let address = address.ok_or_else(|| {
            let message =
                format!("Subnet {subnet_id} does not have enough capacity for 1 IP addresses.");
            ArmError::bad("SubnetIsFull", message)
        })?;
        p["privateIPAddress"] = json!(address);
    }
    given.extend(p["privateIPAddress"].as_str().map(str::to_owned));
    if let Some(public) = put.refers(&p["publicIPAddress"], &PUBLIC_IP)? {
        made(&public, put.id)?;
        same_place(put, &public.body["location"], &public.id.text())?;
        let holder = address::holder(put.world, &public.id.text());
        let mine = format!("{}/", put.id.text());
        if holder.as_ref().is_some_and(|h| !h.starts_with(&mine)) {
            let message = format!(
                "Resource {}/ipConfigurations/{name} is referencing public IP address {} that is already allocated to resource {}.",
                put.id.text(),
                public.id.text(),
                holder.unwrap_or_default()
            );
            return Err(ArmError::bad("PublicIPAddressInUse", message));
        }
    }
    Ok(())
}
