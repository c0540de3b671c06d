//! Changes that are made in place: one for each attribute that the rules let change.

use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::{
    conformance::{Case, body, uncovered},
    declared::Catalog,
};

const NO_IPV6: &str = "IPv6 is not served";

/// Attributes that the kit does not change, and why.
const APART: &[(&str, &str, &str)] = &[
    (
        "google_compute_instance",
        "deletion_protection",
        "what is protected can't be deleted by the kit: `faults` has a test of it",
    ),
    (
        "google_compute_instance",
        "network_interface.stack_type",
        NO_IPV6,
    ),
    (
        "google_compute_instance",
        "scheduling.availability_domain",
        "it goes with a placement policy, which is not served",
    ),
    ("google_compute_subnetwork", "stack_type", NO_IPV6),
];

/// The rules and the schema, as the provider reads them.
pub fn catalog() -> Catalog {
    Catalog::read(
        include_str!("../../schema/terraform.txt"),
        include_str!("../../schema/rules.txt"),
    )
}

/// The case's configuration with each of these in it.
pub fn alone(case: &Case) -> Vec<Value> {
    let entry = catalog().resources.remove(&case.type_name).unwrap();
    let name = case.config.get("name").and_then(Value::as_str);
    let changes = of(&case.type_name, name.unwrap_or_default());
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
fn of(type_name: &str, name: &str) -> Vec<Json> {
    match (type_name, name) {
        ("google_compute_address", _) => vec![json!({ "labels": { "x": "y" } })],
        ("google_compute_disk", _) => {
            vec![json!({ "labels": { "x": "y" } }), json!({ "size": 25 })]
        }
        ("google_compute_firewall", name) => firewall(name),
        ("google_compute_instance", name) => machine(name),
        ("google_compute_network", name) => network(name),
        ("google_compute_router", _) => router(),
        ("google_compute_router_nat", name) => nat(name),
        ("google_compute_subnetwork", name) => subnetwork(name),
        _ => Vec::new(),
    }
}

fn firewall(name: &str) -> Vec<Json> {
    let account = "web@weir.iam.gserviceaccount.com";
    match name {
        "guarded" => vec![
            json!({ "source_service_accounts": [account] }),
            json!({ "target_service_accounts": [account] }),
        ],
        "out" => vec![
            json!({ "deny": [{ "protocol": "tcp", "ports": ["25", "465-587"] }] }),
            json!({ "destination_ranges": ["10.1.0.0/16"] }),
        ],
        _ => vec![
            json!({ "allow": [{ "protocol": "tcp", "ports": ["22", "443"] }] }),
            json!({ "allow": [{ "protocol": "udp", "ports": ["22"] }] }),
            json!({ "description": "words" }),
            json!({ "destination_ranges": ["10.1.0.0/16"] }),
            json!({ "disabled": true }),
            json!({ "enable_logging": true }),
            json!({ "log_config": [{ "metadata": "EXCLUDE_ALL_METADATA" }] }),
            json!({ "priority": 1 }),
            json!({ "source_ranges": ["10.0.0.0/9", "192.168.0.0/16"] }),
            json!({ "source_tags": ["db"] }),
            json!({ "target_tags": ["db", "web"] }),
            json!({ "target_tags": [] }),
        ],
    }
}

fn machine(name: &str) -> Vec<Json> {
    let nic = |more: Json| {
        let mut all = json!({ "subnetwork": "sub", "access_config": [{}] });
        let more = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        json!({ "network_interface": [all] })
    };
    let disk = |source: &str, device: &str, mode: &str| json!({ "source": source, "device_name": device, "mode": mode });
    match name {
        "spot" => vec![
            json!({ "scheduling": [{ "preemptible": true, "automatic_restart": false, "provisioning_model": "SPOT", "instance_termination_action": "DELETE" }] }),
        ],
        "with-disk" => vec![
            json!({ "attached_disk": [] }),
            json!({ "attached_disk": [disk("spare2", "data", "READ_WRITE")] }),
            json!({ "attached_disk": [disk("spare", "other", "READ_WRITE")] }),
            json!({ "attached_disk": [disk("spare", "data", "READ_ONLY")] }),
            json!({ "attached_disk": [disk("spare", "data", "READ_WRITE"), disk("spare2", "more", "READ_WRITE")] }),
        ],
        _ => vec![
            json!({ "allow_stopping_for_update": false }),
            json!({ "attached_disk": [{ "source": "spare" }] }),
            json!({ "desired_status": "TERMINATED" }),
            json!({ "labels": { "x": "y" } }),
            json!({ "labels": {} }),
            json!({ "machine_type": "e2-small" }),
            json!({ "metadata": { "user-data": "#cloud-config\n", "ssh-keys": "weir:key" } }),
            json!({ "metadata": {} }),
            json!({ "min_cpu_platform": "Intel Skylake" }),
            nic(json!({ "access_config": [] })),
            nic(json!({ "access_config": [{ "nat_ip": "ADDRESS" }] })),
            nic(json!({ "access_config": [{ "network_tier": "STANDARD" }] })),
            nic(
                json!({ "alias_ip_range": [{ "ip_cidr_range": "10.1.9.0/28", "subnetwork_range_name": "pods" }] }),
            ),
            json!({ "scheduling": [{ "automatic_restart": false }] }),
            json!({ "scheduling": [{ "on_host_maintenance": "TERMINATE" }] }),
            json!({ "scheduling": [{ "min_node_cpus": 2 }] }),
            json!({ "scheduling": [{ "node_affinities": [{ "key": "group", "operator": "IN", "values": ["a"] }] }] }),
            json!({ "service_account": [] }),
            json!({ "service_account": [{ "scopes": ["storage-ro"] }] }),
            json!({ "service_account": [{ "email": "web@weir.iam.gserviceaccount.com", "scopes": ["cloud-platform"] }] }),
            json!({ "shielded_instance_config": [{ "enable_secure_boot": true }] }),
            json!({ "shielded_instance_config": [{ "enable_vtpm": false, "enable_integrity_monitoring": false }] }),
            json!({ "tags": ["db", "web"] }),
            json!({ "tags": [] }),
        ],
    }
}

fn network(name: &str) -> Vec<Json> {
    match name {
        "med" => vec![
            json!({ "bgp_always_compare_med": true }),
            json!({ "bgp_inter_region_cost": "ADD_COST_TO_MED" }),
        ],
        _ => vec![
            json!({ "routing_mode": "GLOBAL" }),
            json!({ "bgp_best_path_selection_mode": "STANDARD" }),
            json!({ "network_firewall_policy_enforcement_order": "BEFORE_CLASSIC_FIREWALL" }),
        ],
    }
}

fn router() -> Vec<Json> {
    let custom = |more: Json| {
        let mut all = json!({ "asn": 64514, "advertise_mode": "CUSTOM" });
        let more = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        json!({ "bgp": [all] })
    };
    vec![
        json!({ "description": "words" }),
        json!({ "bgp": [] }),
        json!({ "bgp": [{ "asn": 64515 }] }),
        json!({ "bgp": [{ "asn": 64514, "keepalive_interval": 30 }] }),
        custom(json!({})),
        custom(json!({ "advertised_groups": ["ALL_SUBNETS"] })),
        custom(
            json!({ "advertised_ip_ranges": [{ "range": "1.2.3.4/32", "description": "one" }] }),
        ),
    ]
}

fn nat(name: &str) -> Vec<Json> {
    let sub = |more: Json| {
        let mut all = json!({ "name": "sub", "source_ip_ranges_to_nat": ["ALL_IP_RANGES"] });
        let more = more.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        json!({ "subnetwork": [all] })
    };
    match name {
        "manual" => vec![
            json!({ "nat_ips": ["nat-ip", "nat-ip2"] }),
            json!({ "nat_ips": ["nat-ip2"], "drain_nat_ips": ["nat-ip"] }),
            json!({ "max_ports_per_vm": 128 }),
            sub(json!({ "name": "sub2" })),
            sub(json!({ "source_ip_ranges_to_nat": ["PRIMARY_IP_RANGE"] })),
            sub(
                json!({ "source_ip_ranges_to_nat": ["LIST_OF_SECONDARY_IP_RANGES"], "secondary_ip_range_names": ["pods"] }),
            ),
        ],
        _ => vec![
            json!({ "auto_network_tier": "STANDARD" }),
            json!({ "enable_dynamic_port_allocation": true }),
            json!({ "enable_endpoint_independent_mapping": true }),
            json!({ "icmp_idle_timeout_sec": 60 }),
            json!({ "log_config": [] }),
            json!({ "log_config": [{ "enable": true, "filter": "ALL" }] }),
            json!({ "log_config": [{ "enable": false, "filter": "ERRORS_ONLY" }] }),
            json!({ "min_ports_per_vm": 128 }),
            json!({ "nat_ip_allocate_option": "MANUAL_ONLY", "nat_ips": ["nat-ip"] }),
            json!({ "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES" }),
            json!({ "tcp_established_idle_timeout_sec": 600 }),
            json!({ "tcp_time_wait_timeout_sec": 60 }),
            json!({ "tcp_transitory_idle_timeout_sec": 60 }),
            json!({ "udp_idle_timeout_sec": 60 }),
        ],
    }
}

fn subnetwork(name: &str) -> Vec<Json> {
    let log = |more: Json| json!({ "log_config": [more] });
    let range = |name: &str, cidr: &str| json!({ "range_name": name, "ip_cidr_range": cidr });
    match name {
        "logged" => vec![
            json!({ "log_config": [] }),
            log(json!({ "aggregation_interval": "INTERVAL_1_MIN" })),
            log(json!({ "filter_expr": "false" })),
            log(json!({ "flow_sampling": 0.25 })),
            log(json!({ "metadata": "EXCLUDE_ALL_METADATA" })),
            log(json!({ "metadata": "CUSTOM_METADATA", "metadata_fields": ["src_instance"] })),
        ],
        _ => vec![
            json!({ "ip_cidr_range": "10.9.0.0/20" }),
            json!({ "log_config": [{}] }),
            json!({ "private_ip_google_access": true }),
            json!({ "private_ipv6_google_access": "ENABLE_OUTBOUND_VM_ACCESS_TO_GOOGLE" }),
            json!({ "secondary_ip_range": [range("pods", "10.11.0.0/16")] }),
            json!({ "secondary_ip_range": [range("services", "10.10.0.0/16")] }),
            json!({ "secondary_ip_range": [range("pods", "10.10.0.0/16"), range("services", "10.11.0.0/20")] }),
            json!({ "secondary_ip_range": [] }),
            json!({ "send_secondary_ip_range_if_empty": true }),
        ],
    }
}

/// What can change in place, by type and path, that no case's changes change.
pub fn left_out(cases: &[Case]) -> Vec<String> {
    uncovered(&catalog(), cases, alone, APART)
}
