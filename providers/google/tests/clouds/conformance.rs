//! Every resource type passes the conformance kit.

use crate::{changes, server::Google, trap};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};
use weir_core::{Known, Value};
use weir_google::GoogleProvider;
use weir_provider::{
    Provider,
    conformance::{Calls, Case, Copies, Existence, Fault, Fixture, Vanished, body, run},
};

const REGION: &str = "regions/europe-west1";
const ZONE: &str = "zones/europe-west1-b";

/// What the objects under test refer to.
pub fn base(google: &Google) {
    google.make(
        "global/networks",
        &json!({"name": "base", "autoCreateSubnetworks": false}),
    );
    google.make(
        "global/networks",
        &json!({"name": "other", "autoCreateSubnetworks": false}),
    );
    for (name, range) in [("sub", "10.1.0.0/20"), ("sub2", "10.2.0.0/20")] {
        let body = json!({"name": name, "network": "global/networks/base", "ipCidrRange": range});
        google.make(&format!("{REGION}/subnetworks"), &body);
    }
    let network = json!({"name": "edge", "network": "global/networks/base"});
    google.make(&format!("{REGION}/routers"), &network);
    for name in ["nat-ip", "nat-ip2", "vm-ip"] {
        google.make(&format!("{REGION}/addresses"), &json!({ "name": name }));
    }
    for name in ["spare", "spare2"] {
        google.make(
            &format!("{ZONE}/disks"),
            &json!({"name": name, "sizeGb": "10"}),
        );
    }
    google.make(
        &format!("{ZONE}/instances"),
        &json!({
            "name": "machine", "machineType": format!("{ZONE}/machineTypes/e2-small"),
            "disks": [{"boot": true, "autoDelete": true, "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-12"}}],
            "networkInterfaces": [{"subnetwork": format!("{REGION}/subnetworks/sub")}],
        }),
    );
}

fn case(name: &str, configs: [Option<Json>; 3], refused: &[Json]) -> Case {
    let provider = GoogleProvider::default();
    let block = provider.schema().resources[name].block.clone();
    let [config, update, replace] = configs.map(|c| c.map(|c| body(&block, &c)));
    Case {
        type_name: name.into(),
        existence: Existence::Outside,
        // A name is one thing's.
        copies: Copies::One,
        config: config.unwrap(),
        update,
        replace,
        refused: refused.iter().map(|r| body(&block, r)).collect(),
    }
}

fn networks() -> Vec<Case> {
    let tcp = |port: &str| json!([{ "protocol": "tcp", "ports": [port] }]);
    vec![
        case(
            "google_compute_network",
            [
                Some(json!({ "name": "net", "auto_create_subnetworks": false })),
                Some(
                    json!({ "name": "net", "auto_create_subnetworks": false, "routing_mode": "GLOBAL" }),
                ),
                Some(json!({ "name": "net", "auto_create_subnetworks": true })),
            ],
            &[
                json!({ "name": "Net" }),
                json!({ "name": "net", "routing_mode": "SIDEWAYS" }),
                json!({ "name": "net", "mtu": 9 }),
                json!({ "name": "net", "network_profile": "x" }),
            ],
        ),
        case(
            "google_compute_subnetwork",
            [
                Some(
                    json!({ "name": "part", "network": "base", "ip_cidr_range": "10.9.0.0/24", "secondary_ip_range": [{ "range_name": "pods", "ip_cidr_range": "10.10.0.0/16" }] }),
                ),
                Some(
                    json!({ "name": "part", "network": "base", "ip_cidr_range": "10.9.0.0/20", "private_ip_google_access": true, "log_config": [{}], "secondary_ip_range": [{ "range_name": "pods", "ip_cidr_range": "10.11.0.0/16" }] }),
                ),
                Some(json!({ "name": "part", "network": "base", "ip_cidr_range": "10.8.0.0/24" })),
            ],
            &[
                json!({ "name": "part", "network": "base", "ip_cidr_range": "10.9.0.1/24" }),
                json!({ "name": "part", "network": "base", "ip_cidr_range": "ten" }),
                json!({ "name": "part", "network": "base" }),
            ],
        ),
        case(
            "google_compute_firewall",
            [
                Some(
                    json!({ "name": "rule", "network": "base", "allow": tcp("22"), "source_ranges": ["10.0.0.0/8"], "target_tags": ["web"] }),
                ),
                Some(
                    json!({ "name": "rule", "network": "base", "allow": tcp("80"), "source_tags": ["web"], "priority": 900, "disabled": true, "log_config": [{ "metadata": "INCLUDE_ALL_METADATA" }] }),
                ),
                Some(
                    json!({ "name": "rule", "network": "base", "direction": "EGRESS", "deny": [{ "protocol": "all" }] }),
                ),
            ],
            &[
                json!({ "name": "rule", "network": "base", "source_ranges": ["0.0.0.0/0"] }),
                json!({ "name": "rule", "network": "base", "allow": tcp("1"), "deny": tcp("2"), "source_ranges": ["0.0.0.0/0"] }),
                json!({ "name": "rule", "network": "base", "allow": tcp("22") }),
                json!({ "name": "rule", "network": "base", "allow": [{ "protocol": "icmp", "ports": ["1"] }], "source_ranges": ["0.0.0.0/0"] }),
                json!({ "name": "rule", "network": "base", "allow": tcp("22"), "priority": 70000, "source_ranges": ["0.0.0.0/0"] }),
            ],
        ),
        case(
            "google_compute_address",
            [
                Some(json!({ "name": "ip", "labels": { "a": "b" } })),
                Some(json!({ "name": "ip", "labels": { "a": "c", "d": "e" } })),
                Some(json!({ "name": "ip", "address_type": "INTERNAL", "subnetwork": "sub" })),
            ],
            &[
                json!({ "name": "ip", "address_type": "SECRET" }),
                json!({ "name": "ip", "labels": { "A": "b" } }),
            ],
        ),
        case(
            "google_compute_router",
            [
                Some(json!({ "name": "r", "network": "base", "bgp": [{ "asn": 64514 }] })),
                Some(
                    json!({ "name": "r", "network": "base", "description": "new", "bgp": [{ "asn": 64515, "advertise_mode": "CUSTOM", "advertised_groups": ["ALL_SUBNETS"], "advertised_ip_ranges": [{ "range": "1.2.3.4/32" }] }] }),
                ),
                Some(json!({ "name": "r", "network": "other" })),
            ],
            &[json!({ "name": "r", "network": "base", "bgp": [{ "asn": 1 }] })],
        ),
        case(
            "google_compute_router_nat",
            [
                Some(
                    json!({ "name": "nat", "router": "edge", "nat_ip_allocate_option": "AUTO_ONLY", "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES", "log_config": [{ "enable": true, "filter": "ERRORS_ONLY" }] }),
                ),
                Some(
                    json!({ "name": "nat", "router": "edge", "nat_ip_allocate_option": "MANUAL_ONLY", "nat_ips": ["nat-ip"], "source_subnetwork_ip_ranges_to_nat": "LIST_OF_SUBNETWORKS", "subnetwork": [{ "name": "sub", "source_ip_ranges_to_nat": ["ALL_IP_RANGES"] }], "udp_idle_timeout_sec": 60 }),
                ),
                Some(
                    json!({ "name": "nat2", "router": "edge", "nat_ip_allocate_option": "AUTO_ONLY", "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES" }),
                ),
            ],
            &[
                json!({ "name": "nat", "router": "edge", "source_subnetwork_ip_ranges_to_nat": "LIST_OF_SUBNETWORKS" }),
                json!({ "name": "nat", "router": "edge", "source_subnetwork_ip_ranges_to_nat": "SOME" }),
            ],
        ),
    ]
}

fn machines() -> Vec<Case> {
    let boot = json!([{ "initialize_params": [{ "image": "debian-cloud/debian-12" }] }]);
    let nic = json!([{ "subnetwork": "sub", "access_config": [{}] }]);
    let disk = json!([{ "source_image": "debian-cloud/debian-12", "boot": true }]);
    vec![
        case(
            "google_compute_disk",
            [
                Some(
                    json!({ "name": "disk", "size": 20, "type": "pd-ssd", "labels": { "a": "b" } }),
                ),
                Some(json!({ "name": "disk", "size": 30, "type": "pd-ssd", "labels": {} })),
                Some(json!({ "name": "disk", "size": 10, "type": "pd-ssd" })),
            ],
            &[
                json!({ "name": "disk", "size": 0 }),
                json!({ "name": "9disk" }),
            ],
        ),
        case(
            "google_compute_attached_disk",
            [
                Some(json!({ "disk": "spare", "instance": "machine" })),
                None,
                Some(json!({ "disk": "spare2", "instance": "machine" })),
            ],
            &[json!({ "disk": "spare", "instance": "machine", "mode": "WRITE_ONLY" })],
        ),
        case(
            "google_compute_instance",
            [
                Some(
                    json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": nic, "labels": { "a": "b" }, "metadata": { "user-data": "#cloud-config" }, "tags": ["web"], "service_account": [{ "scopes": ["cloud-platform"] }], "allow_stopping_for_update": true }),
                ),
                Some(
                    json!({ "name": "vm", "machine_type": "e2-small", "boot_disk": boot, "network_interface": [{ "subnetwork": "sub" }], "labels": { "a": "c" }, "metadata": { "k": "v" }, "tags": ["db"], "attached_disk": [{ "source": "spare", "device_name": "spare" }], "service_account": [{ "scopes": ["storage-ro"] }], "allow_stopping_for_update": true }),
                ),
                Some(
                    json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": [{ "initialize_params": [{ "image": "rocky-linux-9", "size": 40, "type": "pd-ssd" }] }], "network_interface": [{ "subnetwork": "sub2" }], "scheduling": [{ "preemptible": true, "automatic_restart": false, "provisioning_model": "SPOT", "instance_termination_action": "STOP" }] }),
                ),
            ],
            &[
                json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": [{}] }),
                json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": [{}], "network_interface": nic }),
                json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": nic, "hostname": "vm" }),
                json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": nic, "scheduling": [{ "provisioning_model": "SPOT" }] }),
                json!({ "name": "vm", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": nic, "desired_status": "ASLEEP" }),
            ],
        ),
        case(
            "google_compute_instance_template",
            [
                Some(
                    json!({ "name": "blueprint", "machine_type": "e2-medium", "disk": disk, "network_interface": [{ "network": "base" }], "labels": { "a": "b" }, "metadata_startup_script": "true" }),
                ),
                None,
                Some(
                    json!({ "name": "blueprint", "machine_type": "e2-small", "disk": disk, "network_interface": [{ "network": "base" }] }),
                ),
            ],
            &[
                json!({ "name": "t", "name_prefix": "t", "machine_type": "e2-medium", "disk": disk }),
            ],
        ),
    ]
}

/// An object that nothing is asked of but its changes, which need this beginning.
fn beginning(name: &str, config: Json) -> Case {
    case(name, [Some(config), None, None], &[])
}

fn beginnings() -> Vec<Case> {
    let tcp = |port: &str| json!([{ "protocol": "tcp", "ports": [port] }]);
    let boot = json!([{ "initialize_params": [{ "image": "debian-cloud/debian-12" }] }]);
    vec![
        beginning(
            "google_compute_network",
            json!({ "name": "med", "auto_create_subnetworks": false, "bgp_best_path_selection_mode": "STANDARD" }),
        ),
        beginning(
            "google_compute_subnetwork",
            json!({ "name": "logged", "network": "base", "ip_cidr_range": "10.9.0.0/24", "log_config": [{}] }),
        ),
        beginning(
            "google_compute_firewall",
            json!({ "name": "guarded", "network": "base", "allow": tcp("22"), "source_ranges": ["10.0.0.0/8"] }),
        ),
        beginning(
            "google_compute_firewall",
            json!({ "name": "out", "network": "base", "direction": "EGRESS", "deny": [{ "protocol": "all" }] }),
        ),
        beginning(
            "google_compute_router_nat",
            json!({ "name": "manual", "router": "edge", "nat_ip_allocate_option": "MANUAL_ONLY", "nat_ips": ["nat-ip"], "source_subnetwork_ip_ranges_to_nat": "LIST_OF_SUBNETWORKS", "subnetwork": [{ "name": "sub", "source_ip_ranges_to_nat": ["ALL_IP_RANGES"] }], "enable_dynamic_port_allocation": true }),
        ),
        beginning(
            "google_compute_instance",
            json!({ "name": "spot", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": [{ "subnetwork": "sub" }], "scheduling": [{ "preemptible": true, "automatic_restart": false, "provisioning_model": "SPOT", "instance_termination_action": "STOP" }] }),
        ),
        beginning(
            "google_compute_instance",
            json!({ "name": "with-disk", "machine_type": "e2-medium", "boot_disk": boot, "network_interface": [{ "subnetwork": "sub" }], "attached_disk": [{ "source": "spare", "device_name": "data" }] }),
        ),
    ]
}

/// Where things of a type are listed.
fn place(type_name: &str) -> String {
    match type_name {
        "google_compute_network" => "global/networks".into(),
        "google_compute_subnetwork" => format!("{REGION}/subnetworks"),
        "google_compute_firewall" => "global/firewalls".into(),
        "google_compute_address" => format!("{REGION}/addresses"),
        "google_compute_router" | "google_compute_router_nat" => format!("{REGION}/routers"),
        "google_compute_disk" => format!("{ZONE}/disks"),
        "google_compute_instance_template" => "global/instanceTemplates".into(),
        _ => format!("{ZONE}/instances"),
    }
}

struct Types(Arc<Google>, Vec<Case>);

#[async_trait]
impl Fixture for Types {
    fn provider(&self) -> &str {
        "google"
    }
    async fn start(&self) -> Arc<dyn Provider> {
        self.0.provider().await
    }
    fn cases(&self) -> Vec<Case> {
        self.1.clone()
    }
    async fn count(&self, type_name: &str) -> Option<usize> {
        let all = self.0.list(&place(type_name));
        let inside = |field: &str| -> usize {
            let lists = all.iter().filter_map(|t| t[field].as_array());
            lists.map(Vec::len).sum()
        };
        Some(match type_name {
            "google_compute_router_nat" => inside("nats"),
            "google_compute_attached_disk" => inside("disks"),
            _ => all.len(),
        })
    }
    async fn vanish(&self, type_name: &str, value: &Known) -> Vanished {
        let get = |key: &str| {
            let text = value.value().get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        match type_name {
            "google_compute_attached_disk" => {
                let device = get("device_name");
                let path = format!("{ZONE}/instances/machine/detachDisk?deviceName={device}");
                self.0.make(&path, &json!({}));
            }
            "google_compute_router_nat" => {
                let path = format!("{REGION}/routers/edge");
                let mut router = self.0.ask(&format!("/compute/v1/projects/weir/{path}"));
                if let Some(nats) = router["nats"].as_array_mut() {
                    nats.retain(|n| n["name"] != *get("name"));
                }
                self.0.replace(&path, &router);
            }
            _ => self
                .0
                .unmake(&format!("{}/{}", place(type_name), get("name"))),
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
            // What the provider alone knows.
            "google_compute_instance" => &["allow_stopping_for_update", "desired_status"],
            // A start script is metadata, too.
            "google_compute_instance_template" => &["metadata", "metadata_startup_script"],
            "google_compute_subnetwork" => &["send_secondary_ip_range_if_empty"],
            _ => &[],
        }
    }
    fn alone(&self, case: &Case) -> Vec<Value> {
        let reserved = self.0.list(&format!("{REGION}/addresses"));
        let reserved = reserved.iter().find(|a| a["name"] == "vm-ip");
        let reserved = reserved.and_then(|a| a["address"].as_str()).unwrap();
        let place = |v: Value| match v.as_str() {
            Some("ADDRESS") => Value::from(reserved),
            _ => v,
        };
        let all = changes::alone(case).into_iter();
        all.map(|c| c.transform(&mut |v| place(v))).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_conforms() {
    let google = Google::start();
    base(&google);
    let only = std::env::var("WEIR_GOOGLE_TYPE").ok();
    let cases = [networks(), machines(), beginnings()].concat();
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|c| only.as_ref().is_none_or(|only| c.type_name == *only))
        .collect();
    let report = run(&Types(Arc::new(google), cases)).await;
    println!("{report}");
    assert!(report.passed(), "{report}");
}

#[test]
fn whatever_can_change_is_changed_alone() {
    let left = changes::left_out(&[networks(), machines(), beginnings()].concat());
    assert!(left.is_empty(), "{left:#?}");
}
