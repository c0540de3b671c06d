//! Changes that are made in place: one for each attribute that the rules let change.

use crate::world::World;
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::{
    conformance::{Case, body, uncovered},
    declared::Catalog,
};

const NO_GROUPS: &str = "application security groups are no type here, and the fake has none";
const NO_POLICIES: &str = "policies of endpoints are no type here, and the fake has none";

/// Attributes that the kit does not change, and why.
const APART: &[(&str, &str, &str)] = &[
    (
        "azurerm_network_interface",
        "ip_configuration.private_ip_address_version",
        "the fake's network has no IPv6",
    ),
    (
        "azurerm_network_security_group",
        "security_rule.destination_application_security_group_ids",
        NO_GROUPS,
    ),
    (
        "azurerm_network_security_group",
        "security_rule.source_application_security_group_ids",
        NO_GROUPS,
    ),
    (
        "azurerm_network_security_rule",
        "destination_application_security_group_ids",
        NO_GROUPS,
    ),
    (
        "azurerm_network_security_rule",
        "source_application_security_group_ids",
        NO_GROUPS,
    ),
    ("azurerm_subnet", "service_endpoint_policy_ids", NO_POLICIES),
    (
        "azurerm_virtual_network",
        "subnet.id",
        "Azure makes it of the names",
    ),
];

/// The rules and the schema, as the provider reads them.
fn catalog() -> Catalog {
    let rules = concat!(
        include_str!("../../schema/docs.txt"),
        include_str!("../../schema/rules.txt")
    );
    Catalog::read(include_str!("../../schema/terraform.txt"), rules)
}

/// The case's configuration with each of these in it.
pub(crate) fn alone(world: &World, case: &Case) -> Vec<Value> {
    let entry = catalog().resources.remove(&case.type_name).unwrap();
    let name = case.config.get("name").and_then(Value::as_str);
    let changes = of(world, &case.type_name, name.unwrap_or_default());
    let with = |change: Json| {
        let keys: Vec<String> = change.as_object().unwrap().keys().cloned().collect();
        let given = body(&entry.schema.block, &change);
        keys.iter().fold(case.config.clone(), |config, key| {
            let value = given.get(key).unwrap().clone();
            config.with(key, value)
        })
    };
    changes.into_iter().map(with).collect()
}

/// Changes of the case of a type that has this name.
fn of(world: &World, type_name: &str, name: &str) -> Vec<Json> {
    let tags = || json!({ "tags": { "x": "y" } });
    match (type_name, name) {
        ("azurerm_availability_set" | "azurerm_proximity_placement_group", _) => vec![tags()],
        ("azurerm_linux_virtual_machine", name) => machine(world, name),
        ("azurerm_managed_disk", name) => disk(name),
        ("azurerm_network_interface", _) => interface(world),
        ("azurerm_network_security_group", _) => {
            let mut all: Vec<Json> = (rule().into_iter())
                .map(|r| json!({ "security_rule": [r] }))
                .collect();
            all.extend([tags(), json!({ "security_rule": [] })]);
            all
        }
        ("azurerm_network_security_rule", _) => {
            let base = ssh();
            let changes = rule().into_iter().filter(|r| r["name"] == base["name"]);
            changes.map(|r| difference(&base, &r)).collect()
        }
        ("azurerm_public_ip", "basic") => vec![json!({ "allocation_method": "Static" })],
        ("azurerm_public_ip", _) => vec![
            tags(),
            json!({ "ddos_protection_mode": "Disabled" }),
            json!({ "domain_name_label": "weir-other" }),
            json!({ "idle_timeout_in_minutes": 10 }),
            json!({ "reverse_fqdn": "weir.example.com." }),
        ],
        ("azurerm_resource_group", _) => vec![
            tags(),
            json!({ "tags": {} }),
            json!({ "managed_by": "someone" }),
        ],
        ("azurerm_ssh_public_key", _) => vec![tags(), json!({ "public_key": OTHER_KEY })],
        ("azurerm_subnet", _) => subnet(),
        ("azurerm_virtual_machine_data_disk_attachment", _) => vec![
            json!({ "caching": "ReadOnly" }),
            json!({ "write_accelerator_enabled": true }),
        ],
        ("azurerm_virtual_network", "full") => full(world),
        ("azurerm_virtual_network", _) => vec![
            tags(),
            json!({ "address_space": ["10.9.0.0/16", "10.8.0.0/16"] }),
            json!({ "address_space": ["10.8.0.0/16"] }),
            json!({ "dns_servers": ["10.9.0.4", "10.9.0.5"] }),
            json!({ "flow_timeout_in_minutes": 10 }),
        ],
        _ => Vec::new(),
    }
}

const OTHER_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f weir";

fn machine(world: &World, name: &str) -> Vec<Json> {
    if name == "spot" {
        return vec![
            json!({ "max_bid_price": 0.5 }),
            json!({ "tags": { "x": "y" } }),
        ];
    }
    let disk = |more: Json| {
        let base = json!({ "caching": "ReadWrite", "storage_account_type": "Standard_LRS" });
        json!({ "os_disk": [merged(&base, &more)] })
    };
    let near = world.id("Microsoft.Compute/proximityPlacementGroups/near");
    let identity = world.id("Microsoft.ManagedIdentity/userAssignedIdentities/who");
    vec![
        json!({ "additional_capabilities": [{ "hibernation_enabled": true }] }),
        json!({ "additional_capabilities": [{ "ultra_ssd_enabled": true }] }),
        json!({ "allow_extension_operations": false }),
        json!({ "boot_diagnostics": [{}] }),
        json!({ "boot_diagnostics": [{ "storage_account_uri": "https://weir.blob.core.windows.net/" }] }),
        json!({ "encryption_at_host_enabled": true }),
        json!({ "identity": [{ "type": "SystemAssigned" }] }),
        json!({ "identity": [{ "type": "UserAssigned", "identity_ids": [identity] }] }),
        json!({ "license_type": "RHEL_BYOS" }),
        json!({ "network_interface_ids": [world.id("Microsoft.Network/networkInterfaces/nic2")] }),
        disk(json!({ "caching": "ReadOnly" })),
        disk(json!({ "disk_size_gb": 64 })),
        disk(json!({ "write_accelerator_enabled": true })),
        json!({ "proximity_placement_group_id": near }),
        json!({ "size": "Standard_B2s" }),
        json!({ "tags": { "x": "y" } }),
        json!({ "termination_notification": [{ "enabled": true }] }),
        json!({ "termination_notification": [{ "enabled": true, "timeout": "PT10M" }] }),
        json!({ "user_data": "I2Nsb3VkLWNvbmZpZwo=" }),
    ]
}

fn disk(name: &str) -> Vec<Json> {
    match name {
        "premium" => vec![
            json!({ "max_shares": 2 }),
            json!({ "on_demand_bursting_enabled": true }),
            json!({ "tier": "P40" }),
        ],
        "ultra" => vec![
            json!({ "disk_iops_read_write": 4000 }),
            json!({ "disk_mbps_read_write": 200 }),
        ],
        _ => vec![
            json!({ "disk_size_gb": 16 }),
            json!({ "network_access_policy": "DenyAll" }),
            json!({ "public_network_access_enabled": false }),
            json!({ "storage_account_type": "StandardSSD_LRS" }),
            json!({ "tags": { "x": "y" } }),
        ],
    }
}

fn interface(world: &World) -> Vec<Json> {
    let subnet = |n: u8| {
        world.id(&format!(
            "Microsoft.Network/virtualNetworks/net/subnets/s{n}"
        ))
    };
    let base = json!({ "name": "main", "subnet_id": subnet(1), "private_ip_address_allocation": "Dynamic" });
    let one = |more: Json| json!({ "ip_configuration": [merged(&base, &more)] });
    let second = json!({ "name": "more", "subnet_id": subnet(1), "private_ip_address_allocation": "Dynamic" });
    vec![
        json!({ "accelerated_networking_enabled": true }),
        json!({ "dns_servers": ["10.0.0.4"] }),
        json!({ "internal_dns_name_label": "weir" }),
        json!({ "ip_forwarding_enabled": true }),
        json!({ "tags": { "x": "y" } }),
        one(json!({ "name": "other" })),
        one(
            json!({ "private_ip_address_allocation": "Static", "private_ip_address": "10.0.1.88" }),
        ),
        one(json!({ "public_ip_address_id": world.id("Microsoft.Network/publicIPAddresses/ip") })),
        one(json!({ "subnet_id": subnet(2) })),
        json!({ "ip_configuration": [merged(&base, &json!({ "primary": true })), second] }),
        json!({ "ip_configuration": [base, merged(&second, &json!({ "primary": true }))] }),
    ]
}

fn ssh() -> Json {
    json!({
        "name": "ssh", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
        "source_port_range": "*", "destination_port_range": "22",
        "source_address_prefix": "*", "destination_address_prefix": "*",
    })
}

/// The rule with one thing different.
fn rule() -> Vec<Json> {
    let changes = [
        json!({ "name": "other" }),
        json!({ "access": "Deny" }),
        json!({ "description": "words" }),
        json!({ "destination_address_prefix": "10.0.0.0/24" }),
        json!({ "destination_address_prefix": null, "destination_address_prefixes": ["10.0.0.0/24", "10.0.2.0/24"] }),
        json!({ "destination_port_range": "80" }),
        json!({ "destination_port_range": null, "destination_port_ranges": ["80", "443"] }),
        json!({ "direction": "Outbound" }),
        json!({ "priority": 110 }),
        json!({ "protocol": "Udp" }),
        json!({ "source_address_prefix": "Internet" }),
        json!({ "source_address_prefix": null, "source_address_prefixes": ["1.0.0.0/8"] }),
        json!({ "source_port_range": "1024-65535" }),
        json!({ "source_port_range": null, "source_port_ranges": ["1024-2048", "4096"] }),
    ];
    changes.iter().map(|c| merged(&ssh(), c)).collect()
}

fn subnet() -> Vec<Json> {
    vec![
        json!({ "address_prefixes": ["10.0.8.0/24"] }),
        json!({ "default_outbound_access_enabled": false }),
        json!({ "delegation": [{ "name": "d", "service_delegation": [{ "name": "Microsoft.Sql/managedInstances" }] }] }),
        json!({ "delegation": [{ "name": "d", "service_delegation": [{ "name": "Microsoft.Sql/managedInstances", "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"] }] }] }),
        json!({ "private_endpoint_network_policies": "Enabled" }),
        json!({ "private_link_service_network_policies_enabled": false }),
        json!({ "service_endpoints": ["Microsoft.Sql", "Microsoft.Storage"] }),
    ]
}

fn full(world: &World) -> Vec<Json> {
    let base = json!({ "name": "a", "address_prefixes": ["10.9.1.0/24"] });
    let one = |more: Json| json!({ "subnet": [merged(&base, &more)] });
    let service = json!({ "name": "Microsoft.Sql/managedInstances", "actions": ["Microsoft.Network/virtualNetworks/subnets/join/action"] });
    vec![
        json!({ "subnet": [] }),
        one(json!({ "name": "b" })),
        one(json!({ "address_prefixes": ["10.9.2.0/24"] })),
        one(json!({ "default_outbound_access_enabled": false })),
        one(json!({ "delegation": [{ "name": "d", "service_delegation": [service] }] })),
        one(json!({ "private_endpoint_network_policies": "Enabled" })),
        one(json!({ "private_link_service_network_policies_enabled": false })),
        one(json!({ "security_group": world.id("Microsoft.Network/networkSecurityGroups/sec") })),
        one(json!({ "service_endpoints": ["Microsoft.Storage"] })),
    ]
}

fn merged(base: &Json, more: &Json) -> Json {
    let mut all = base.clone();
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all
}

/// What of the second the first has not, with null for what the second has not.
fn difference(base: &Json, changed: &Json) -> Json {
    let fields = changed.as_object().unwrap().iter();
    let fields = fields.filter(|(key, value)| base.get(*key) != Some(*value));
    Json::Object(fields.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// What can change in place, by type and path, that no case's changes change.
pub(crate) fn left_out(world: &World, cases: &[Case]) -> Vec<String> {
    uncovered(&catalog(), cases, |case| alone(world, case), APART)
}
