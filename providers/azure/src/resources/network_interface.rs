//! `azurerm_network_interface`

use super::texts;
use crate::{
    client::Azure,
    resource::{Arm, Found, NETWORK, Place, fields, opens, reference},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct NetworkInterface;

pub(super) const PLACE: Place = Place {
    namespace: "Microsoft.Network",
    parts: &[("networkInterfaces", "name")],
    version: NETWORK,
    calls: "NetworkInterfaces",
};

/// What of a configuration of addresses other resources set.
const OF_OTHERS: [&str; 4] = [
    "applicationGatewayBackendAddressPools",
    "applicationSecurityGroups",
    "loadBalancerBackendAddressPools",
    "loadBalancerInboundNatRules",
];

impl Arm for NetworkInterface {
    fn name(&self) -> &'static str {
        "azurerm_network_interface"
    }
    fn place(&self) -> Place {
        PLACE
    }
    fn turn(&self, id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        let rows = config.rows("ip_configuration");
        for row in &rows {
            checks::choice(
                row,
                "private_ip_address_allocation",
                &["Dynamic", "Static"],
                out,
            );
            checks::choice(row, "private_ip_address_version", &["IPv4", "IPv6"], out);
            let is_static = row.text("private_ip_address_allocation").as_deref() == Some("Static");
            if is_static {
                checks::one_of(row, &["private_ip_address"], out);
            }
            let v4 = row
                .text("private_ip_address_version")
                .is_none_or(|v| v == "IPv4");
            if v4 && row.get("subnet_id").is_some_and(Value::is_null) {
                out.push(
                    Diagnostic::error("`ip_configuration.subnet_id` is missing")
                        .because("A configuration of IPv4 stands in a subnet.")
                        .help("Set it to the id of an `azurerm_subnet`."),
                );
            }
        }
        let primaries = rows.iter().filter(|r| r.is_on("primary")).count();
        let known = rows
            .iter()
            .all(|r| r.get("primary").is_none_or(|p| !p.is_unknown()));
        if rows.len() > 1 && known && primaries != 1 {
            out.push(
                Diagnostic::error(format!(
                    "{primaries} of {} `ip_configuration` blocks are primary",
                    rows.len()
                ))
                .because("Where there are several, one is.")
                .help("Set `primary = true` in one of them."),
            );
        }
    }

    fn plan(&self, config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let planned = opens(prior, planned, "dns_servers", &["applied_dns_servers"]);
        let planned = rows(config, prior, planned);
        let addresses = ["private_ip_address", "private_ip_addresses"];
        (
            opens(prior, planned, "ip_configuration", &addresses),
            Vec::new(),
        )
    }

    fn body(&self, _azure: &Azure, planned: &Value, now: Option<&Json>) -> Json {
        let null = Json::Null;
        let there = now.map_or(&null, |n| &n["properties"]);
        let configs = planned.rows("ip_configuration").into_iter().map(|row| {
            let name = row.text("name");
            let old = there["ipConfigurations"].as_array().into_iter().flatten();
            let old = old
                .into_iter()
                .find(|c| c["name"].as_str() == name.as_deref());
            let is_static = row.text("private_ip_address_allocation").as_deref() == Some("Static");
            let mut p = json!({
                "primary": row.flag("primary"),
                "privateIPAddress": row.text("private_ip_address").filter(|_| is_static),
                "privateIPAddressVersion": row.text("private_ip_address_version"),
                "privateIPAllocationMethod": row.text("private_ip_address_allocation"),
                "publicIPAddress": reference(row.text("public_ip_address_id")),
                "subnet": reference(row.text("subnet_id")),
            });
            for key in OF_OTHERS {
                if let Some(kept) = old.map(|o| &o["properties"][key]) {
                    p[key] = kept.clone();
                }
            }
            json!({ "name": name, "properties": p })
        });
        let group = there["networkSecurityGroup"]["id"].as_str();
        json!({ "properties": {
            "ipConfigurations": configs.collect::<Vec<_>>(),
            "enableAcceleratedNetworking": planned.flag("accelerated_networking_enabled"),
            "enableIPForwarding": planned.flag("ip_forwarding_enabled"),
            "dnsSettings": {
                "dnsServers": planned.texts("dns_servers").unwrap_or_default(),
                "internalDnsNameLabel": planned.text("internal_dns_name_label"),
            },
            "networkSecurityGroup": reference(group.map(str::to_owned)),
        }})
    }

    fn found(&self, body: &Json, _known: &Value) -> Found {
        let p = &body["properties"];
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        let configs: Vec<&Json> = p["ipConfigurations"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        let rows = configs.iter().map(|c| {
            let p = &c["properties"];
            json!({
                "name": c["name"],
                "primary": p["primary"].as_bool().unwrap_or(false),
                "private_ip_address": text(&p["privateIPAddress"]),
                "private_ip_address_allocation": p["privateIPAllocationMethod"],
                "private_ip_address_version": p["privateIPAddressVersion"],
                "public_ip_address_id": text(&p["publicIPAddress"]["id"]),
                "subnet_id": text(&p["subnet"]["id"]),
            })
        });
        let addresses: Vec<&str> = (configs.iter())
            .filter_map(|c| c["properties"]["privateIPAddress"].as_str())
            .collect();
        fields(json!({
            "accelerated_networking_enabled": p["enableAcceleratedNetworking"].as_bool().unwrap_or(false),
            "applied_dns_servers": texts(&p["dnsSettings"]["appliedDnsServers"]),
            "dns_servers": texts(&p["dnsSettings"]["dnsServers"]),
            "internal_dns_name_label": text(&p["dnsSettings"]["internalDnsNameLabel"]),
            "internal_domain_name_suffix": text(&p["dnsSettings"]["internalDomainNameSuffix"]),
            "ip_configuration": rows.collect::<Vec<_>>(),
            "ip_forwarding_enabled": p["enableIPForwarding"].as_bool().unwrap_or(false),
            "mac_address": text(&p["macAddress"]),
            "private_ip_address": addresses.first().copied().unwrap_or_default(),
            "private_ip_addresses": addresses,
            "virtual_machine_id": text(&p["virtualMachine"]["id"]),
        }))
    }
}

/// An address that Azure chooses stays, unless the configuration of addresses is another one: then
/// it is known after the change.
fn rows(config: &Value, prior: Option<&Value>, planned: Value) -> Value {
    let (Some(prior), Some(list)) = (prior, planned.get("ip_configuration").cloned()) else {
        return planned;
    };
    let old = prior.rows("ip_configuration");
    let said = config.rows("ip_configuration");
    let Some(items) = list.elements() else {
        return planned;
    };
    let chosen = said.iter().any(|r| r.is_on("primary"));
    let new: Vec<Value> = (items.iter().enumerate())
        .map(|(i, row)| {
            // Where another is said to be the primary one, those that say nothing are not.
            let left = said
                .get(i)
                .is_none_or(|r| r.get("primary").is_none_or(Value::is_null));
            let row = &match chosen && left {
                true => (*row).clone().with("primary", Value::from(false)),
                false => (*row).clone(),
            };
            let silent = |key: &str| {
                said.get(i)
                    .and_then(|r| r.get(key))
                    .is_none_or(Value::is_null)
            };
            let same = |key: &str| old.get(i).and_then(|o| o.get(key)) == row.get(key);
            let keys = [
                "name",
                "private_ip_address_allocation",
                "private_ip_address_version",
                "subnet_id",
            ];
            if keys.into_iter().all(same) {
                return row.clone();
            }
            let mut row = row.clone();
            for (key, ty) in [
                ("private_ip_address", Type::String),
                ("primary", Type::Bool),
            ] {
                if silent(key) && !(chosen && key == "primary") {
                    row = row.with(key, Value::unknown(ty));
                }
            }
            row
        })
        .collect();
    if new.iter().zip(&items).all(|(new, old)| new == *old) {
        return planned;
    }
    match list.ty() {
        Type::List(ty) => planned.with("ip_configuration", Value::list((*ty).clone(), new)),
        _ => planned,
    }
}
