//! Interfaces of machines and templates.

use crate::{
    body::{field, keep},
    name::Name,
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::{Fields as _, checks};

/// Refuses what Google would refuse.
pub(super) fn check(config: &Value, out: &mut Diagnostics) {
    for interface in config.rows("network_interface") {
        let names = ["network", "subnetwork"];
        let open = names
            .iter()
            .any(|n| interface.get(n).is_some_and(Value::is_unknown));
        if !open && !names.iter().any(|n| checks::is_set(interface, n)) {
            out.push(
                Diagnostic::error("`network_interface` has neither `network` nor `subnetwork`")
                    .because("An interface is in a subnetwork, or in a network that has one of its own in each region.")
                    .help("Set one of them."),
            );
        }
        checks::choice(
            interface,
            "nic_type",
            &["GVNIC", "VIRTIO_NET", "IDPF", "MRDMA", "IRDMA"],
            out,
        );
        checks::choice(
            interface,
            "stack_type",
            &["IPV4_ONLY", "IPV4_IPV6", "IPV6_ONLY"],
            out,
        );
        if interface.rows("access_config").len() > 1 {
            out.push(
                Diagnostic::error("`network_interface` has two `access_config` blocks")
                    .because("An interface has one address for everyone at most.")
                    .help("Remove one of them."),
            );
        }
        for access in interface.rows("access_config") {
            checks::choice(
                access,
                "network_tier",
                &["PREMIUM", "STANDARD", "FIXED_STANDARD"],
                out,
            );
        }
    }
}

/// The interfaces as the API takes them; `region` is empty for a template without one.
pub(super) fn body(of: &Value, name: &Name, region: &str) -> Json {
    let one = |i: &Value| {
        let at = Name {
            project: i
                .text("subnetwork_project")
                .unwrap_or_else(|| name.project.clone()),
            ..name.clone()
        };
        json!({
            "network": super::link(i, "network", name, "global/networks"),
            "subnetwork": super::link(i, "subnetwork", &at, &format!("regions/{region}/subnetworks")),
            "networkIP": field(i, "network_ip"),
            "nicType": field(i, "nic_type"),
            "stackType": field(i, "stack_type"),
            "accessConfigs": i.rows("access_config").into_iter().map(access).collect::<Vec<_>>(),
            "aliasIpRanges": aliases(i),
        })
    };
    Json::Array(of.rows("network_interface").into_iter().map(one).collect())
}

/// An interface's address for everyone, as the API takes it.
pub(super) fn access(of: &Value) -> Json {
    json!({
        "type": "ONE_TO_ONE_NAT",
        "name": "external-nat",
        "natIP": field(of, "nat_ip"),
        "networkTier": field(of, "network_tier"),
    })
}

/// An interface's further ranges, as the API takes them.
pub(super) fn aliases(of: &Value) -> Json {
    let all = of.rows("alias_ip_range").into_iter();
    let one = |a: &Value| json!({"ipCidrRange": field(a, "ip_cidr_range"), "subnetworkRangeName": field(a, "subnetwork_range_name")});
    Json::Array(all.map(one).collect())
}

/// The interfaces as the schema has them.
pub(super) fn found(all: &Json, known: &Value) -> Vec<Json> {
    let null = Value::null();
    let written = known.rows("network_interface");
    let all = all.as_array().into_iter().flatten().enumerate();
    all.map(|(at, i)| one(i, written.get(at).copied().unwrap_or(&null)))
        .collect()
}

fn one(i: &Json, known: &Value) -> Json {
    let text = |field: &str| i[field].as_str().unwrap_or_default().to_owned();
    let configs = i["accessConfigs"].as_array().into_iter().flatten();
    let configs = configs.map(|c| {
        json!({
            "nat_ip": c["natIP"].as_str().unwrap_or_default(),
            "network_tier": c["networkTier"].as_str().unwrap_or_default(),
            "public_ptr_domain_name": c["publicPtrDomainName"].as_str().unwrap_or_default(),
        })
    });
    let aliases = i["aliasIpRanges"].as_array().into_iter().flatten();
    let aliases = aliases.map(|a| {
        json!({"ip_cidr_range": a["ipCidrRange"], "subnetwork_range_name": a["subnetworkRangeName"]})
    });
    // The subnetwork's project is in its link.
    let parts: Vec<&str> = i["subnetwork"]
        .as_str()
        .unwrap_or_default()
        .split('/')
        .collect();
    let at = parts.iter().position(|p| *p == "projects");
    let project = at
        .and_then(|n| parts.get(n + 1))
        .copied()
        .unwrap_or_default();
    json!({
        "name": text("name"),
        "network": match i["network"].is_null() {
            true => json!(""),
            false => keep(known, "network", &i["network"]),
        },
        "subnetwork": match i["subnetwork"].is_null() {
            true => json!(""),
            false => keep(known, "subnetwork", &i["subnetwork"]),
        },
        "subnetwork_project": project,
        "network_ip": text("networkIP"),
        "nic_type": text("nicType"),
        "stack_type": text("stackType"),
        "ipv6_access_type": text("ipv6AccessType"),
        "ipv6_address": text("ipv6Address"),
        "internal_ipv6_prefix_length": i["internalIpv6PrefixLength"].as_i64().unwrap_or(0),
        "network_attachment": text("networkAttachment"),
        "queue_count": i["queueCount"].as_i64().unwrap_or(0),
        "access_config": configs.collect::<Vec<_>>(),
        "alias_ip_range": aliases.collect::<Vec<_>>(),
    })
}
