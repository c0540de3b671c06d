//! `azurerm_network_security_group` and `azurerm_network_security_rule`

use super::texts;
use crate::{
    client::Azure,
    resource::{Arm, Found, NETWORK, Place, fields},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct SecurityGroup;
pub(super) struct SecurityRule;

pub(super) const PLACE: Place = Place {
    namespace: "Microsoft.Network",
    parts: &[("networkSecurityGroups", "name")],
    version: NETWORK,
    calls: "NetworkSecurityGroups",
};

impl Arm for SecurityGroup {
    fn name(&self) -> &'static str {
        "azurerm_network_security_group"
    }
    fn place(&self) -> Place {
        PLACE
    }
    fn turn(&self, id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        for row in config.rows("security_rule") {
            check(row, out);
        }
    }

    /// A PUT takes away the rules that it does not name: those of resources of their own stay.
    fn body(&self, _azure: &Azure, planned: &Value, now: Option<&Json>) -> Json {
        let said = planned
            .get("security_rule")
            .is_some_and(|s| !s.is_unknown() && !s.is_null());
        let rows = planned.rows("security_rule").into_iter();
        let rules = match said {
            true => rows
                .map(|r| json!({ "name": r.text("name"), "properties": properties(r) }))
                .collect(),
            false => now.map_or(Json::Null, |n| n["properties"]["securityRules"].clone()),
        };
        json!({ "properties": { "securityRules": rules } })
    }

    fn found(&self, body: &Json, _known: &Value) -> Found {
        let rules = body["properties"]["securityRules"].as_array();
        let rows = rules.into_iter().flatten().map(|r| {
            let mut row = Json::Object(attributes(&r["properties"]));
            row["name"] = r["name"].clone();
            row
        });
        fields(json!({ "security_rule": rows.collect::<Vec<_>>() }))
    }
}

impl Arm for SecurityRule {
    fn name(&self) -> &'static str {
        "azurerm_network_security_rule"
    }
    fn place(&self) -> Place {
        Place {
            namespace: "Microsoft.Network",
            parts: &[
                ("networkSecurityGroups", "network_security_group_name"),
                ("securityRules", "name"),
            ],
            version: NETWORK,
            calls: "SecurityRules",
        }
    }
    fn is_tagged(&self) -> bool {
        false
    }
    fn turn(&self, id: &str) -> Option<String> {
        let end = id
            .to_lowercase()
            .rfind("/securityrules/")
            .unwrap_or(id.len());
        Some(id[..end].to_owned())
    }
    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        check(config, out);
    }
    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        json!({ "properties": properties(planned) })
    }
    fn found(&self, body: &Json, _known: &Value) -> Found {
        attributes(&body["properties"])
    }
}

fn check(rule: &Value, out: &mut Diagnostics) {
    checks::choice(rule, "access", &["Allow", "Deny"], out);
    checks::choice(rule, "direction", &["Inbound", "Outbound"], out);
    checks::choice(
        rule,
        "protocol",
        &["*", "Ah", "Esp", "Icmp", "Tcp", "Udp"],
        out,
    );
    checks::within(rule, "priority", 100..=4096, out);
    for side in ["source", "destination"] {
        let ports = (format!("{side}_port_range"), format!("{side}_port_ranges"));
        checks::one_of(rule, &[&ports.0, &ports.1], out);
        checks::not_both(rule, &ports.0, &ports.1, out);
        let one = format!("{side}_address_prefix");
        let many = format!("{side}_address_prefixes");
        let groups = format!("{side}_application_security_group_ids");
        checks::one_of(rule, &[&one, &many, &groups], out);
        checks::at_most_one(rule, &[&one, &many], out);
        let mut all = rule.texts(&ports.1).unwrap_or_default();
        all.extend(rule.text(&ports.0));
        for text in all.iter().filter(|t| !is_port_range(t)) {
            out.push(
                Diagnostic::error(format!("`{}`: {text:?} is no range of ports", ports.0))
                    .because("It is a port, two with `-` between them, or `*`.")
                    .help("Write it so."),
            );
        }
    }
    if let Some(text) = rule.text("description").filter(|t| t.chars().count() > 140) {
        out.push(
            Diagnostic::error(format!(
                "`description` has {} characters",
                text.chars().count()
            ))
            .because("It has at most 140.")
            .help("Shorten it."),
        );
    }
}

fn is_port_range(text: &str) -> bool {
    let port = |t: &str| t.parse::<u16>().ok();
    text == "*"
        || match text.split_once('-') {
            Some((a, b)) => port(a).zip(port(b)).is_some_and(|(a, b)| a <= b),
            None => port(text).is_some(),
        }
}

/// The attributes that are texts, those that are sets of them, and their properties.
const TEXTS: [(&str, &str); 8] = [
    ("access", "access"),
    ("description", "description"),
    ("destination_address_prefix", "destinationAddressPrefix"),
    ("destination_port_range", "destinationPortRange"),
    ("direction", "direction"),
    ("protocol", "protocol"),
    ("source_address_prefix", "sourceAddressPrefix"),
    ("source_port_range", "sourcePortRange"),
];
const SETS: [(&str, &str); 4] = [
    ("destination_address_prefixes", "destinationAddressPrefixes"),
    ("destination_port_ranges", "destinationPortRanges"),
    ("source_address_prefixes", "sourceAddressPrefixes"),
    ("source_port_ranges", "sourcePortRanges"),
];
const GROUPS: [(&str, &str); 2] = [
    (
        "destination_application_security_group_ids",
        "destinationApplicationSecurityGroups",
    ),
    (
        "source_application_security_group_ids",
        "sourceApplicationSecurityGroups",
    ),
];

fn properties(rule: &Value) -> Json {
    let mut p = json!({ "priority": rule.int("priority") });
    for (attribute, property) in TEXTS {
        p[property] = json!(rule.text(attribute));
    }
    for (attribute, property) in SETS {
        p[property] = json!(rule.texts(attribute));
    }
    for (attribute, property) in GROUPS {
        let ids = rule.texts(attribute);
        p[property] =
            json!(ids.map(|all| all.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>()));
    }
    p
}

fn attributes(p: &Json) -> Found {
    let mut found = fields(json!({ "priority": p["priority"] }));
    for (attribute, property) in TEXTS {
        let text = p[property].as_str().unwrap_or_default();
        found.insert(attribute.into(), json!(text));
    }
    for (attribute, property) in SETS {
        found.insert(attribute.into(), json!(texts(&p[property])));
    }
    for (attribute, property) in GROUPS {
        let items = p[property].as_array().into_iter().flatten();
        let ids: Vec<&str> = items.filter_map(|i| i["id"].as_str()).collect();
        found.insert(attribute.into(), json!(ids));
    }
    found
}
