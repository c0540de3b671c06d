//! Network security groups and their rules.

use super::{
    cidr::Range,
    error::{ArmError, Outcome},
    id::Id,
    kinds::{Put, Rules, SECURITY_RULE},
    network::{GUARDED, guid},
    world::{State, Thing, World},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

pub(super) struct SecurityGroup;
pub(super) struct SecurityRule;

fn check_rule(p: &Json, name: &str, others: &[(String, Json)]) -> Outcome<()> {
    let wrong = |code: &str, message: String| Err(ArmError::bad(code, message));
    for key in ["protocol", "access", "direction"] {
        if p[key].is_null() {
            return wrong(
                "SecurityRuleParameterMissing",
                format!("Security rule {name} has no value for {key}."),
            );
        }
    }
    let priority = p["priority"].as_i64().unwrap_or_default();
    if !(100..=4096).contains(&priority) {
        return wrong(
            "SecurityRuleInvalidPriority",
            format!(
                "Security rule has invalid priority. Priority must be between 100 and 4096. Value provided: {priority}."
            ),
        );
    }
    for (other, theirs) in others {
        let same = theirs["priority"] == p["priority"] && theirs["direction"] == p["direction"];
        if same {
            return wrong(
                "SecurityRuleConflict",
                format!(
                    "Security rule {name} conflicts with rule {other}. Rules cannot have the same Priority and Direction."
                ),
            );
        }
    }
    for side in ["source", "destination"] {
        let all = |what: &str, plural: &str| {
            let mut all: Vec<&str> = p[format!("{side}{plural}")]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .collect();
            all.extend(p[format!("{side}{what}")].as_str());
            all.into_iter()
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let ports = all("PortRange", "PortRanges");
        if ports.is_empty() {
            return wrong(
                "SecurityRuleParameterMissing",
                format!("Security rule {name} has no {side} port range."),
            );
        }
        if let Some(port) = ports.iter().find(|p| !is_port_range(p)) {
            return wrong(
                "SecurityRuleInvalidPortRange",
                format!(
                    "Security rule has invalid Port range. Value provided: {port}. Value should be an integer OR integer range with '-' delimiter. Valid range 0-65535."
                ),
            );
        }
        let addresses = all("AddressPrefix", "AddressPrefixes");
        let groups = p[format!("{side}ApplicationSecurityGroups")].as_array();
        if addresses.is_empty() && groups.is_none_or(Vec::is_empty) {
            return wrong(
                "SecurityRuleParameterMissing",
                format!("Security rule {name} has no {side} address prefix."),
            );
        }
        if let Some(address) = addresses.iter().find(|a| !is_address(a)) {
            return wrong(
                "SecurityRuleInvalidAddressPrefix",
                format!(
                    "Security rule {name} has invalid Address prefix. Value provided: {address}."
                ),
            );
        }
    }
    Ok(())
}

fn is_port_range(text: &str) -> bool {
    let port = |t: &str| t.parse::<u16>().ok();
    text == "*"
        || match text.split_once('-') {
            Some((a, b)) => port(a).zip(port(b)).is_some_and(|(a, b)| a <= b),
            None => port(text).is_some(),
        }
}

fn is_address(text: &str) -> bool {
    let tag = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    text == "*" || tag || text.parse::<std::net::IpAddr>().is_ok() || Range::parse(text).is_some()
}

/// The rules that every group has, and which nobody can change.
fn built_in(id: &Id) -> Json {
    let rules = [
        (
            "AllowVnetInBound",
            65000,
            "Inbound",
            "Allow",
            "VirtualNetwork",
            "VirtualNetwork",
        ),
        (
            "AllowAzureLoadBalancerInBound",
            65001,
            "Inbound",
            "Allow",
            "AzureLoadBalancer",
            "*",
        ),
        ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
        (
            "AllowVnetOutBound",
            65000,
            "Outbound",
            "Allow",
            "VirtualNetwork",
            "VirtualNetwork",
        ),
        (
            "AllowInternetOutBound",
            65001,
            "Outbound",
            "Allow",
            "*",
            "Internet",
        ),
        ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
    ];
    let view =
        |(name, priority, direction, access, from, to): (&str, i64, &str, &str, &str, &str)| {
            json!({
                "id": format!("{}/defaultSecurityRules/{name}", id.text()), "name": name,
                "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
                "properties": {
                    "provisioningState": "Succeeded", "protocol": "*", "priority": priority,
                    "direction": direction, "access": access,
                    "sourcePortRange": "*", "destinationPortRange": "*",
                    "sourceAddressPrefix": from, "destinationAddressPrefix": to,
                },
            })
        };
    Json::Array(rules.map(view).to_vec())
}

/// Where the group guards.
fn guarded(world: &World, group: &Id) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (kind, what) in GUARDED.into_iter().zip(["subnets", "networkInterfaces"]) {
        for thing in world.of_kind(kind) {
            let id = thing.body["properties"]["networkSecurityGroup"]["id"].as_str();
            if id.is_some_and(|i| i.eq_ignore_ascii_case(&group.text())) {
                all.push((what, thing.id.text()));
            }
        }
    }
    all
}

fn rule_defaults(p: &mut Json) {
    for key in [
        "sourceAddressPrefixes",
        "destinationAddressPrefixes",
        "sourcePortRanges",
        "destinationPortRanges",
    ] {
        if p[key].is_null() {
            p[key] = json!([]);
        }
    }
}

impl Rules for SecurityGroup {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        let mut before: Vec<(String, Json)> = Vec::new();
        let given = put.body["properties"]["securityRules"].as_array();
        for rule in given.into_iter().flatten() {
            let name = rule["name"].as_str().unwrap_or_default().to_owned();
            check_rule(&rule["properties"], &name, &before)?;
            before.push((name, rule["properties"].clone()));
        }
        Ok(None)
    }

    /// A group's rules are those of its body: where that has none, there are none.
    fn written(&self, world: &mut World, thing: &Thing, now: Instant) {
        let given = thing.body["properties"]["securityRules"]
            .as_array()
            .cloned();
        let old: Vec<Id> = (world.below(&thing.id, &SECURITY_RULE).into_iter())
            .map(|r| r.id.clone())
            .collect();
        for id in old {
            world.things.remove(&id.key());
        }
        for rule in given.unwrap_or_default() {
            let id = thing
                .id
                .child(&SECURITY_RULE, rule["name"].as_str().unwrap_or_default());
            let mut body = json!({ "properties": rule["properties"] });
            rule_defaults(&mut body["properties"]);
            let made = Thing {
                id,
                body,
                state: State::Succeeded,
                born: now,
                version: 1,
            };
            world.things.insert(made.id.key(), made);
        }
        if let Some(kept) = world.things.get_mut(&thing.id.key())
            && let Some(properties) = kept.body["properties"].as_object_mut()
        {
            properties.remove("securityRules");
        }
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let rules = world.below(&thing.id, &SECURITY_RULE);
        let rules: Vec<Json> = rules.into_iter().map(|r| world.view(r)).collect();
        body["properties"]["securityRules"] = json!(rules);
        body["properties"]["defaultSecurityRules"] = built_in(&thing.id);
        body["properties"]["resourceGuid"] = json!(guid(thing));
        for (what, id) in guarded(world, &thing.id) {
            match body["properties"][what].as_array_mut() {
                Some(all) => all.push(json!({ "id": id })),
                None => body["properties"][what] = json!([{ "id": id }]),
            }
        }
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        let users: Vec<String> = guarded(world, &thing.id)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        if users.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Network security group {} cannot be deleted because it is in use by the following resources: {}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
            thing.id.text(),
            users.join(", ")
        );
        Err(ArmError::bad(
            "InUseNetworkSecurityGroupCannotBeDeleted",
            message,
        ))
    }
}

impl Rules for SecurityRule {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        let Some(group) = put.id.parent() else {
            return Ok(None);
        };
        let others: Vec<(String, Json)> = (put.world.below(&group, &SECURITY_RULE).into_iter())
            .filter(|r| r.id.key() != put.id.key())
            .map(|r| (r.id.name().to_owned(), r.body["properties"].clone()))
            .collect();
        check_rule(&put.body["properties"], put.id.name(), &others)?;
        rule_defaults(&mut put.body["properties"]);
        Ok(None)
    }
}
