//! `azurerm_virtual_network`

use super::{check_range, known_texts, subnet, texts};
use crate::{
    client::Azure,
    resource::{Arm, Found, NETWORK, Place, fields},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct VirtualNetwork;

impl Arm for VirtualNetwork {
    fn name(&self) -> &'static str {
        "azurerm_virtual_network"
    }
    fn place(&self) -> Place {
        Place {
            namespace: "Microsoft.Network",
            parts: &[("virtualNetworks", "name")],
            version: NETWORK,
            calls: "VirtualNetworks",
        }
    }
    fn turn(&self, id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        let unknown = config.get("address_space").is_some_and(Value::is_unknown);
        if !unknown {
            checks::one_of(config, &["address_space"], out);
        }
        for text in known_texts(config, "address_space") {
            check_range("address_space", &text, out);
        }
        checks::within(config, "flow_timeout_in_minutes", 4..=30, out);
        for row in config.rows("subnet") {
            for text in known_texts(row, "address_prefixes") {
                check_range("subnet.address_prefixes", &text, out);
            }
        }
    }

    fn body(&self, _azure: &Azure, planned: &Value, now: Option<&Json>) -> Json {
        let null = Json::Null;
        let there = now.map_or(&null, |n| &n["properties"]["subnets"]);
        let said = planned
            .get("subnet")
            .is_some_and(|s| !s.is_unknown() && !s.is_null());
        let subnets = match said {
            true => Json::Array(
                (planned.rows("subnet").into_iter())
                    .map(|r| of_row(r, there))
                    .collect(),
            ),
            false => there.clone(),
        };
        json!({ "properties": {
            "addressSpace": { "addressPrefixes": planned.texts("address_space") },
            "dhcpOptions": { "dnsServers": planned.texts("dns_servers").unwrap_or_default() },
            "flowTimeoutInMinutes": planned.int("flow_timeout_in_minutes").filter(|n| *n > 0),
            "subnets": subnets,
        }})
    }

    fn found(&self, body: &Json, _known: &Value) -> Found {
        let p = &body["properties"];
        let subnets = p["subnets"].as_array().into_iter().flatten();
        fields(json!({
            "address_space": p["addressSpace"]["addressPrefixes"],
            "dns_servers": texts(&p["dhcpOptions"]["dnsServers"]),
            "flow_timeout_in_minutes": p["flowTimeoutInMinutes"],
            "guid": p["resourceGuid"],
            "subnet": subnets.map(row).collect::<Vec<_>>(),
        }))
    }
}

/// A subnet of the network's own body: what stands there, with what the block says.
fn of_row(row: &Value, there: &Json) -> Json {
    let name = row.text("name").unwrap_or_default();
    let old = there.as_array().into_iter().flatten();
    let mut old = old.filter(|s| {
        s["name"]
            .as_str()
            .is_some_and(|n| n.eq_ignore_ascii_case(&name))
    });
    let mut body = old
        .next()
        .cloned()
        .unwrap_or_else(|| json!({ "name": name }));
    for (key, value) in fields(subnet::properties(row)) {
        body["properties"][key] = value;
    }
    let group = row.text("security_group");
    body["properties"]["networkSecurityGroup"] = crate::resource::reference(group);
    body
}

fn row(subnet: &Json) -> Json {
    let p = &subnet["properties"];
    let mut row = Json::Object(subnet::attributes(p));
    row["name"] = subnet["name"].clone();
    row["id"] = subnet["id"].clone();
    row["security_group"] = json!(p["networkSecurityGroup"]["id"].as_str().unwrap_or_default());
    row["route_table_id"] = json!(p["routeTable"]["id"].as_str().unwrap_or_default());
    row
}
