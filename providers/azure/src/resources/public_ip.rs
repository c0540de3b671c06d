//! `azurerm_public_ip`

use crate::{
    client::Azure,
    resource::{Arm, Found, NETWORK, Place, fields, opens, reference},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct PublicIp;

impl Arm for PublicIp {
    fn name(&self) -> &'static str {
        "azurerm_public_ip"
    }
    fn place(&self) -> Place {
        Place {
            namespace: "Microsoft.Network",
            parts: &[("publicIPAddresses", "name")],
            version: NETWORK,
            calls: "PublicIPAddresses",
        }
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::choice(config, "allocation_method", &["Static", "Dynamic"], out);
        checks::choice(config, "sku", &["Basic", "Standard"], out);
        checks::choice(config, "sku_tier", &["Regional", "Global"], out);
        checks::choice(config, "ip_version", &["IPv4", "IPv6"], out);
        checks::within(config, "idle_timeout_in_minutes", 4..=30, out);
        let standard = config
            .get("sku")
            .is_some_and(|s| s.is_null() || s.as_str() == Some("Standard"));
        if standard && config.text("allocation_method").as_deref() == Some("Dynamic") {
            out.push(
                Diagnostic::error("`allocation_method` can't be \"Dynamic\"")
                    .because("Addresses of the SKU Standard, which is the default, are static.")
                    .help("Set `allocation_method = \"Static\"`, or `sku = \"Basic\"` where that is still offered."),
            );
        }
        let label = config.text("domain_name_label");
        let fits = |l: &String| {
            let inner = l
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            inner
                && (3..=63).contains(&l.len())
                && !l.ends_with('-')
                && l.starts_with(|c: char| c.is_ascii_lowercase())
        };
        if let Some(label) = label.filter(|l| !fits(l)) {
            out.push(
                Diagnostic::error(format!("`domain_name_label` can't be {label:?}"))
                    .because(
                        "It has 3 to 63 small letters, digits and `-`, and begins with a letter.",
                    )
                    .help("Choose another label."),
            );
        }
    }

    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let planned = opens(prior, planned, "domain_name_label", &["fqdn"]);
        let planned = opens(prior, planned, "allocation_method", &["ip_address"]);
        (planned, Vec::new())
    }

    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        let label = planned.text("domain_name_label");
        let reverse = planned.text("reverse_fqdn");
        let dns = match label.is_some() || reverse.is_some() {
            true => json!({ "domainNameLabel": label, "reverseFqdn": reverse }),
            false => Json::Null,
        };
        let ip_tags = planned.labels("ip_tags").into_iter();
        let mode = planned
            .text("ddos_protection_mode")
            .filter(|m| m != "VirtualNetworkInherited");
        json!({
            "sku": { "name": planned.text("sku"), "tier": planned.text("sku_tier") },
            "zones": planned.texts("zones"),
            "properties": {
                "publicIPAllocationMethod": planned.text("allocation_method"),
                "publicIPAddressVersion": planned.text("ip_version"),
                "idleTimeoutInMinutes": planned.int("idle_timeout_in_minutes"),
                "dnsSettings": dns,
                "ipTags": ip_tags.map(|(k, v)| json!({ "ipTagType": k, "tag": v })).collect::<Vec<_>>(),
                "publicIPPrefix": reference(planned.text("public_ip_prefix_id")),
                "ddosSettings": mode.map(|m| json!({ "protectionMode": m })),
            },
        })
    }

    fn found(&self, body: &Json, _known: &Value) -> Found {
        let p = &body["properties"];
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        let ip_tags = p["ipTags"].as_array().into_iter().flatten();
        let ip_tags = ip_tags.map(|t| (text(&t["ipTagType"]), t["tag"].clone()));
        fields(json!({
            "allocation_method": p["publicIPAllocationMethod"],
            "ddos_protection_mode":
                p["ddosSettings"]["protectionMode"].as_str().unwrap_or("VirtualNetworkInherited"),
            "domain_name_label": text(&p["dnsSettings"]["domainNameLabel"]),
            "fqdn": text(&p["dnsSettings"]["fqdn"]),
            "idle_timeout_in_minutes": p["idleTimeoutInMinutes"],
            "ip_address": text(&p["ipAddress"]),
            "ip_tags": ip_tags.collect::<serde_json::Map<_, _>>(),
            "ip_version": p["publicIPAddressVersion"],
            "public_ip_prefix_id": text(&p["publicIPPrefix"]["id"]),
            "reverse_fqdn": text(&p["dnsSettings"]["reverseFqdn"]),
            "sku": body["sku"]["name"],
            "sku_tier": body["sku"]["tier"],
            "zones": super::texts(&body["zones"]),
        }))
    }
}
