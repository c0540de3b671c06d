//! `azurerm_subnet`

use super::{check_range, known_texts, texts};
use crate::{
    client::Azure,
    resource::{Arm, Found, NETWORK, Place, fields},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct Subnet;

pub(super) const PLACE: Place = Place {
    namespace: "Microsoft.Network",
    parts: &[
        ("virtualNetworks", "virtual_network_name"),
        ("subnets", "name"),
    ],
    version: NETWORK,
    calls: "Subnets",
};

/// The network around a subnet: it takes one change at a time.
pub(super) fn network(id: &str) -> String {
    let end = id.to_lowercase().rfind("/subnets/").unwrap_or(id.len());
    id[..end].to_owned()
}

impl Arm for Subnet {
    fn name(&self) -> &'static str {
        "azurerm_subnet"
    }
    fn place(&self) -> Place {
        PLACE
    }
    fn is_tagged(&self) -> bool {
        false
    }
    fn turn(&self, id: &str) -> Option<String> {
        Some(network(id))
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        let unknown = config
            .get("address_prefixes")
            .is_some_and(Value::is_unknown);
        if !unknown {
            checks::one_of(config, &["address_prefixes"], out);
        }
        for text in known_texts(config, "address_prefixes") {
            check_range("address_prefixes", &text, out);
        }
        let policies = [
            "Disabled",
            "Enabled",
            "NetworkSecurityGroupEnabled",
            "RouteTableEnabled",
        ];
        checks::choice(config, "private_endpoint_network_policies", &policies, out);
    }

    /// What is at a subnet and is no attribute of it (its security group, routes, NAT) stays.
    fn body(&self, _azure: &Azure, planned: &Value, now: Option<&Json>) -> Json {
        let mut body = json!({ "properties": properties(planned) });
        for key in ["networkSecurityGroup", "routeTable", "natGateway"] {
            if let Some(kept) = now.map(|n| &n["properties"][key]).filter(|k| !k.is_null()) {
                body["properties"][key] = json!({ "id": kept["id"] });
            }
        }
        body
    }

    fn found(&self, body: &Json, _known: &Value) -> Found {
        attributes(&body["properties"])
    }
}

/// A subnet's properties, of a resource or of a network's block.
pub(super) fn properties(planned: &Value) -> Json {
    let prefixes = planned.texts("address_prefixes").unwrap_or_default();
    let (one, many) = match prefixes.as_slice() {
        [one] => (json!(one), Json::Null),
        many => (Json::Null, json!(many)),
    };
    let switch = |key: &str| {
        planned
            .flag(key)
            .map(|on| if on { "Enabled" } else { "Disabled" })
    };
    let services = planned.texts("service_endpoints").unwrap_or_default();
    let policies = planned
        .texts("service_endpoint_policy_ids")
        .unwrap_or_default();
    let delegations = planned.rows("delegation").into_iter().map(|d| {
        let service = d.row("service_delegation");
        json!({ "name": d.text("name"), "properties": {
            "serviceName": service.and_then(|s| s.text("name")),
            "actions": service.and_then(|s| s.texts("actions")),
        }})
    });
    json!({
        "addressPrefix": one,
        "addressPrefixes": many,
        "defaultOutboundAccess": planned.flag("default_outbound_access_enabled").filter(|on| !on),
        "delegations": delegations.collect::<Vec<_>>(),
        "privateEndpointNetworkPolicies": planned.text("private_endpoint_network_policies"),
        "privateLinkServiceNetworkPolicies": switch("private_link_service_network_policies_enabled"),
        "serviceEndpointPolicies": policies.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        "serviceEndpoints": services.iter().map(|s| json!({ "service": s })).collect::<Vec<_>>(),
    })
}

/// A subnet's attributes.
pub(super) fn attributes(p: &Json) -> Found {
    let mut prefixes = texts(&p["addressPrefixes"]);
    if prefixes.is_empty() {
        prefixes.extend(p["addressPrefix"].as_str());
    }
    let all = |key: &str, field: &str| {
        let items = p[key].as_array().into_iter().flatten();
        items
            .filter_map(|i| i[field].as_str())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let delegations = p["delegations"].as_array().into_iter().flatten().map(|d| {
        json!({ "name": d["name"], "service_delegation": [{
            "name": d["properties"]["serviceName"], "actions": texts(&d["properties"]["actions"]),
        }]})
    });
    fields(json!({
        "address_prefixes": prefixes,
        "default_outbound_access_enabled": p["defaultOutboundAccess"].as_bool().unwrap_or(true),
        "delegation": delegations.collect::<Vec<_>>(),
        "private_endpoint_network_policies":
            p["privateEndpointNetworkPolicies"].as_str().unwrap_or("Disabled"),
        "private_link_service_network_policies_enabled":
            p["privateLinkServiceNetworkPolicies"].as_str() != Some("Disabled"),
        "service_endpoint_policy_ids": all("serviceEndpointPolicies", "id"),
        "service_endpoints": all("serviceEndpoints", "service"),
    }))
}
