//! The conformance kit over every type. `WEIR_AZURE_TYPE` runs it over one.

use crate::{
    changes, trap,
    world::{KEY, SUBSCRIPTION, World, config},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};
use weir_core::{Known, Value};
use weir_provider::{
    Provider,
    conformance::{Calls, Case, Copies, Existence, Fault, Fixture, Vanished, run},
};

fn case(name: &str, configs: [Option<Json>; 3], refused: &[Json]) -> Case {
    let [first, update, replace] = configs.map(|c| c.map(|c| config(name, &c)));
    Case {
        type_name: name.into(),
        existence: Existence::Outside,
        copies: Copies::One,
        config: first.unwrap(),
        update,
        replace,
        refused: refused.iter().map(|r| config(name, r)).collect(),
    }
}

/// The object with more fields.
fn with(base: &Json, more: Json) -> Json {
    let mut all = base.clone();
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    all
}

fn named(name: &str, more: Json) -> Json {
    with(
        &json!({ "name": name, "resource_group_name": "lab", "location": "West Europe" }),
        more,
    )
}

fn groups() -> Vec<Case> {
    vec![case(
        "azurerm_resource_group",
        [
            Some(json!({ "name": "new", "location": "West Europe", "tags": { "a": "b" } })),
            Some(json!({ "name": "new", "location": "westeurope", "tags": { "a": "c" } })),
            Some(json!({ "name": "new2", "location": "westeurope" })),
        ],
        &[json!({ "name": "a/b", "location": "westeurope" })],
    )]
}

#[allow(clippy::too_many_lines)] // a table
fn networks(world: &World) -> Vec<Case> {
    let sec = world.id("Microsoft.Network/networkSecurityGroups/sec");
    let sec2 = world.id("Microsoft.Network/networkSecurityGroups/sec2");
    let subnet = json!({ "name": "new", "resource_group_name": "lab", "virtual_network_name": "net", "address_prefixes": ["10.0.7.0/24"] });
    let rule = json!({ "name": "ssh", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp", "source_port_range": "*", "destination_port_range": "22", "source_address_prefix": "*", "destination_address_prefix": "*" });
    let alone = with(
        &rule,
        json!({ "resource_group_name": "lab", "network_security_group_name": "sec" }),
    );
    vec![
        case(
            "azurerm_virtual_network",
            [
                Some(named(
                    "new",
                    json!({ "address_space": ["10.9.0.0/16"], "tags": { "a": "b" } }),
                )),
                Some(named(
                    "new",
                    json!({ "address_space": ["10.9.0.0/16", "10.8.0.0/16"], "dns_servers": ["10.9.0.4"] }),
                )),
                Some(named("new2", json!({ "address_space": ["10.9.0.0/16"] }))),
            ],
            &[
                named("new", json!({ "address_space": ["10.9.0.1/16"] })),
                named("new", json!({})),
                named(
                    "new",
                    json!({ "address_space": ["10.9.0.0/16"], "bgp_community": "12076:20000" }),
                ),
            ],
        ),
        case(
            "azurerm_virtual_network",
            [
                Some(named(
                    "full",
                    json!({ "address_space": ["10.9.0.0/16"], "subnet": [{ "name": "a", "address_prefixes": ["10.9.1.0/24"] }] }),
                )),
                Some(named(
                    "full",
                    json!({ "address_space": ["10.9.0.0/16"], "subnet": [{ "name": "a", "address_prefixes": ["10.9.1.0/24"], "security_group": sec }, { "name": "b", "address_prefixes": ["10.9.2.0/24"], "service_endpoints": ["Microsoft.Storage"] }], "tags": { "a": "b" } }),
                )),
                None,
            ],
            &[],
        ),
        case(
            "azurerm_subnet",
            [
                Some(subnet.clone()),
                Some(with(
                    &subnet,
                    json!({ "service_endpoints": ["Microsoft.Storage"], "delegation": [{ "name": "d", "service_delegation": [{ "name": "Microsoft.Sql/managedInstances" }] }] }),
                )),
                Some(with(&subnet, json!({ "name": "new2" }))),
            ],
            &[
                with(&subnet, json!({ "address_prefixes": ["hello"] })),
                with(
                    &subnet,
                    json!({ "private_endpoint_network_policies": "Off" }),
                ),
            ],
        ),
        case(
            "azurerm_network_security_group",
            [
                Some(named("new", json!({ "security_rule": [rule] }))),
                Some(named(
                    "new",
                    json!({ "security_rule": [with(&rule, json!({ "destination_port_range": null, "destination_port_ranges": ["80", "443"] }))], "tags": { "x": "y" } }),
                )),
                Some(named("new2", json!({}))),
            ],
            &[named(
                "new",
                json!({ "security_rule": [with(&rule, json!({ "priority": 99 }))] }),
            )],
        ),
        case(
            "azurerm_network_security_rule",
            [
                Some(alone.clone()),
                Some(with(
                    &alone,
                    json!({ "priority": 110, "description": "in" }),
                )),
                Some(with(&alone, json!({ "name": "other" }))),
            ],
            &[
                with(&alone, json!({ "access": "Perhaps" })),
                with(&alone, json!({ "destination_port_range": "70000" })),
                with(&alone, json!({ "source_address_prefixes": ["10.0.0.0/8"] })),
            ],
        ),
        case(
            "azurerm_subnet_network_security_group_association",
            [
                Some(
                    json!({ "subnet_id": world.id("Microsoft.Network/virtualNetworks/net/subnets/s2"), "network_security_group_id": sec }),
                ),
                None,
                Some(
                    json!({ "subnet_id": world.id("Microsoft.Network/virtualNetworks/net/subnets/s2"), "network_security_group_id": sec2 }),
                ),
            ],
            &[
                json!({ "subnet_id": sec, "network_security_group_id": sec }),
                json!({ "subnet_id": "x", "network_security_group_id": sec }),
            ],
        ),
        case(
            "azurerm_network_interface_security_group_association",
            [
                Some(
                    json!({ "network_interface_id": world.id("Microsoft.Network/networkInterfaces/nic2"), "network_security_group_id": sec }),
                ),
                None,
                Some(
                    json!({ "network_interface_id": world.id("Microsoft.Network/networkInterfaces/nic2"), "network_security_group_id": sec2 }),
                ),
            ],
            &[
                json!({ "network_interface_id": sec, "network_security_group_id": sec }),
                json!({ "network_interface_id": "x", "network_security_group_id": sec }),
            ],
        ),
    ]
}

fn addresses(world: &World) -> Vec<Case> {
    let subnet = world.id("Microsoft.Network/virtualNetworks/net/subnets/s1");
    let configured = |more: Json| {
        let base = json!({ "name": "main", "subnet_id": subnet, "private_ip_address_allocation": "Dynamic" });
        json!({ "ip_configuration": [with(&base, more)] })
    };
    let ip = named("new", json!({ "allocation_method": "Static" }));
    vec![
        case(
            "azurerm_public_ip",
            [
                Some(ip.clone()),
                Some(with(
                    &ip,
                    json!({ "idle_timeout_in_minutes": 10, "domain_name_label": "weir-new", "tags": { "a": "b" } }),
                )),
                Some(with(&ip, json!({ "zones": ["1"] }))),
            ],
            &[
                with(&ip, json!({ "allocation_method": "Dynamic" })),
                with(&ip, json!({ "idle_timeout_in_minutes": 31 })),
                with(&ip, json!({ "domain_name_label": "A" })),
            ],
        ),
        case(
            "azurerm_network_interface",
            [
                Some(named("new", configured(json!({})))),
                Some(named(
                    "new",
                    with(
                        &configured(
                            json!({ "private_ip_address_allocation": "Static", "private_ip_address": "10.0.1.77" }),
                        ),
                        json!({ "ip_forwarding_enabled": true, "dns_servers": ["10.0.0.4"] }),
                    ),
                )),
                Some(named("new2", configured(json!({})))),
            ],
            &[
                named(
                    "new",
                    configured(json!({ "private_ip_address_allocation": "Static" })),
                ),
                named("new", configured(json!({ "subnet_id": null }))),
            ],
        ),
    ]
}

fn machines(world: &World) -> Vec<Case> {
    let disk = named(
        "new",
        json!({ "storage_account_type": "Standard_LRS", "create_option": "Empty", "disk_size_gb": 8 }),
    );
    let machine = named(
        "new",
        json!({
            "size": "Standard_B1s", "admin_username": "weir",
            "network_interface_ids": [world.id("Microsoft.Network/networkInterfaces/nic")],
            "admin_ssh_key": [{ "username": "weir", "public_key": KEY }],
            "os_disk": [{ "caching": "ReadWrite", "storage_account_type": "Standard_LRS" }],
            "source_image_reference": [{ "publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest" }],
            "custom_data": "I2Nsb3VkLWNvbmZpZwo=",
        }),
    );
    let attached = json!({ "virtual_machine_id": world.id("Microsoft.Compute/virtualMachines/base"), "managed_disk_id": world.id("Microsoft.Compute/disks/data"), "lun": 3, "caching": "None" });
    vec![
        case(
            "azurerm_managed_disk",
            [
                Some(disk.clone()),
                Some(with(
                    &disk,
                    json!({ "disk_size_gb": 16, "storage_account_type": "Premium_LRS", "tags": { "a": "b" } }),
                )),
                Some(with(&disk, json!({ "disk_size_gb": 4 }))),
            ],
            &[
                with(&disk, json!({ "storage_account_type": "Quick" })),
                with(&disk, json!({ "disk_size_gb": null })),
                with(&disk, json!({ "create_option": "Copy" })),
            ],
        ),
        case(
            "azurerm_ssh_public_key",
            [
                Some(named("new", json!({ "public_key": format!("{KEY}\n") }))),
                Some(named(
                    "new",
                    json!({ "public_key": KEY, "tags": { "a": "b" } }),
                )),
                Some(named("new2", json!({ "public_key": KEY }))),
            ],
            &[named("new", json!({ "public_key": "hello" }))],
        ),
        case(
            "azurerm_availability_set",
            [
                Some(named("new", json!({}))),
                Some(named("new", json!({ "tags": { "a": "b" } }))),
                Some(named("new", json!({ "platform_fault_domain_count": 2 }))),
            ],
            &[named("new", json!({ "platform_fault_domain_count": 4 }))],
        ),
        case(
            "azurerm_proximity_placement_group",
            [
                Some(named("new", json!({}))),
                Some(named("new", json!({ "tags": { "a": "b" } }))),
                Some(named("new", json!({ "zone": "1" }))),
            ],
            &[named(
                "new",
                json!({ "allowed_vm_sizes": ["Standard_B1s"] }),
            )],
        ),
        case(
            "azurerm_linux_virtual_machine",
            [
                Some(machine.clone()),
                Some(with(
                    &machine,
                    json!({ "size": "Standard_B2s", "tags": { "a": "b" }, "identity": [{ "type": "SystemAssigned" }], "os_disk": [{ "caching": "ReadOnly", "storage_account_type": "Standard_LRS", "disk_size_gb": 64 }] }),
                )),
                Some(with(
                    &machine,
                    json!({ "custom_data": "I2Nsb3VkLWNvbmZpZwpydW5jbWQ6IFtdCg==" }),
                )),
            ],
            &[
                with(&machine, json!({ "admin_username": "root" })),
                with(&machine, json!({ "admin_ssh_key": [] })),
                with(&machine, json!({ "custom_data": "?" })),
                with(&machine, json!({ "priority": "Spot" })),
                with(&machine, json!({ "max_bid_price": 1 })),
                with(&machine, json!({ "dedicated_host_id": "x" })),
                with(&machine, json!({ "zone": "1", "availability_set_id": "x" })),
            ],
        ),
        case(
            "azurerm_linux_virtual_machine",
            [
                Some(with(
                    &machine,
                    json!({ "name": "spot", "priority": "Spot", "eviction_policy": "Deallocate" }),
                )),
                None,
                None,
            ],
            &[],
        ),
        case(
            "azurerm_virtual_machine_data_disk_attachment",
            [
                Some(attached.clone()),
                Some(with(&attached, json!({ "caching": "ReadOnly" }))),
                Some(with(&attached, json!({ "lun": 4 }))),
            ],
            &[
                with(&attached, json!({ "lun": 64 })),
                with(&attached, json!({ "caching": "Some" })),
            ],
        ),
    ]
}

/// An object that nothing is asked of but its changes, which need this beginning.
fn beginning(name: &str, config: Json) -> Case {
    case(name, [Some(config), None, None], &[])
}

fn beginnings() -> Vec<Case> {
    vec![
        beginning(
            "azurerm_managed_disk",
            named(
                "premium",
                json!({ "storage_account_type": "Premium_LRS", "create_option": "Empty", "disk_size_gb": 1024 }),
            ),
        ),
        beginning(
            "azurerm_managed_disk",
            named(
                "ultra",
                json!({ "storage_account_type": "UltraSSD_LRS", "create_option": "Empty", "disk_size_gb": 8, "zone": "1" }),
            ),
        ),
        beginning(
            "azurerm_public_ip",
            named(
                "basic",
                json!({ "sku": "Basic", "allocation_method": "Dynamic" }),
            ),
        ),
    ]
}

/// The list that a type's objects stand in.
fn listing(type_name: &str) -> String {
    let (namespace, what) = match type_name {
        "azurerm_resource_group" => return format!("/subscriptions/{SUBSCRIPTION}/resourceGroups"),
        "azurerm_virtual_network" => ("Network", "virtualNetworks"),
        "azurerm_subnet" | "azurerm_subnet_network_security_group_association" => {
            ("Network", "virtualNetworks/net/subnets")
        }
        "azurerm_network_security_group" => ("Network", "networkSecurityGroups"),
        "azurerm_network_security_rule" => ("Network", "networkSecurityGroups/sec/securityRules"),
        "azurerm_public_ip" => ("Network", "publicIPAddresses"),
        "azurerm_network_interface" | "azurerm_network_interface_security_group_association" => {
            ("Network", "networkInterfaces")
        }
        "azurerm_managed_disk" => ("Compute", "disks"),
        "azurerm_ssh_public_key" => ("Compute", "sshPublicKeys"),
        "azurerm_availability_set" => ("Compute", "availabilitySets"),
        "azurerm_proximity_placement_group" => ("Compute", "proximityPlacementGroups"),
        _ => ("Compute", "virtualMachines"),
    };
    format!("/providers/Microsoft.{namespace}/{what}")
}

struct Types(Arc<World>, Vec<Case>);

#[async_trait]
impl Fixture for Types {
    fn provider(&self) -> &str {
        "azurerm"
    }
    async fn start(&self) -> Arc<dyn Provider> {
        self.0.provider(&json!({})).await
    }
    fn cases(&self) -> Vec<Case> {
        self.1.clone()
    }
    async fn count(&self, type_name: &str) -> Option<usize> {
        let all = self.0.list(&listing(type_name));
        let of = |pointer: &str| all.iter().filter(|a| a.pointer(pointer).is_some()).count();
        Some(match type_name {
            t if t.ends_with("security_group_association") => {
                of("/properties/networkSecurityGroup")
            }
            "azurerm_virtual_machine_data_disk_attachment" => {
                of("/properties/storageProfile/dataDisks/0")
            }
            _ => all.len(),
        })
    }
    async fn vanish(&self, type_name: &str, value: &Known) -> Vanished {
        let get = |key: &str| {
            let text = value.value().get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        match type_name {
            "azurerm_virtual_machine_data_disk_attachment" => {
                let id = get("virtual_machine_id");
                let mut machine = self.0.get(&id).unwrap();
                machine["properties"]["storageProfile"]["dataDisks"] = json!([]);
                self.0.put(&id, &machine);
            }
            t if t.ends_with("security_group_association") => {
                let id = format!("{}{}", get("subnet_id"), get("network_interface_id"));
                let mut guarded = self.0.get(&id).unwrap();
                let properties = guarded["properties"].as_object_mut().unwrap();
                properties.remove("networkSecurityGroup");
                self.0.put(&id, &guarded);
            }
            _ => self.0.delete(&get("id")),
        }
        Vanished::Gone
    }
    async fn trap(&self, calls: Calls, fault: Fault) -> bool {
        let desk = self.0.desk();
        desk.disarm();
        desk.arm(trap::of(calls, fault));
        true
    }
    async fn sprung(&self) {
        while self.0.desk().struck() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    async fn spring(&self) -> bool {
        let struck = self.0.desk().struck() > 0;
        self.0.desk().disarm();
        struck
    }
    fn import_id(&self, _type_name: &str, value: &Known) -> Option<String> {
        let id = value.value().get("id")?.as_str()?;
        Some(id.to_owned())
    }
    fn not_imported(&self, type_name: &str) -> &[&str] {
        match type_name {
            // What Azure never tells.
            "azurerm_linux_virtual_machine" => &["admin_password", "custom_data", "user_data"],
            _ => &[],
        }
    }
    fn alone(&self, case: &Case) -> Vec<Value> {
        changes::alone(&self.0, case)
    }
}

/// A machine and a disk for it.
fn with_machine() -> World {
    let world = World::with_network();
    let place = json!("westeurope");
    world.put(
        "/providers/Microsoft.Compute/disks/data",
        &json!({ "location": place, "sku": { "name": "Standard_LRS" }, "properties": { "creationData": { "createOption": "Empty" }, "diskSizeGB": 4 } }),
    );
    world.put(
        "/providers/Microsoft.Compute/proximityPlacementGroups/near",
        &json!({ "location": place, "properties": {} }),
    );
    world.put(
        "/providers/Microsoft.Compute/virtualMachines/base",
        &json!({ "location": place, "properties": {
            "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
            "storageProfile": {
                "imageReference": { "publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest" },
                "osDisk": { "createOption": "FromImage" },
            },
            "osProfile": { "computerName": "base", "adminUsername": "weir", "linuxConfiguration": {
                "disablePasswordAuthentication": true,
                "ssh": { "publicKeys": [{ "path": "/home/weir/.ssh/authorized_keys", "keyData": KEY }] },
            }},
            "networkProfile": { "networkInterfaces": [{ "id": world.id("Microsoft.Network/networkInterfaces/nic3") }] },
        }}),
    );
    world
}

fn all(world: &World) -> Vec<Case> {
    let cases = [
        groups(),
        networks(world),
        addresses(world),
        machines(world),
        beginnings(),
    ];
    cases.concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_conforms() {
    let world = Arc::new(with_machine());
    let only = std::env::var("WEIR_AZURE_TYPE").ok();
    let cases = all(&world).into_iter();
    let cases: Vec<Case> = cases
        .filter(|c| only.as_ref().is_none_or(|only| c.type_name == *only))
        .collect();
    let report = run(&Types(world, cases)).await;
    println!("{report}");
    assert!(report.passed(), "{report}");
}

#[test]
fn whatever_can_change_is_changed_alone() {
    let world = World::start();
    let left = changes::left_out(&world, &all(&world));
    assert!(left.is_empty(), "{left:#?}");
}
