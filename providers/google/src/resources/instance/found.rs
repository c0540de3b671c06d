//! What the API says of a machine, as the schema has it.

use super::super::{image, interface, machine, or_none};
use crate::{
    body::{keep, keep_link, number},
    calls::{Calls as _, disks},
    client::Google,
    name::{Name, last, same_link},
    resource::{Failure, Found},
    thing::At,
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::{Fields as _, object};

/// The machine's attributes.
///
/// # Errors
/// Its boot disk can't be read.
pub(super) async fn attributes(at: At<'_>, m: &Json, known: &Value) -> Result<Found, Failure> {
    let all: Vec<Json> = m["disks"].as_array().cloned().unwrap_or_default();
    let boot = match all.iter().find(|d| d["boot"] == true) {
        Some(disk) => vec![boot(at.google, at.name, disk, known).await?],
        None => Vec::new(),
    };
    let (metadata, script) = machine::metadata_found(&m["metadata"], known);
    let kind = json!(last(m["machineType"].as_str().unwrap_or_default()));
    let text = |field: &str| m[field].as_str().unwrap_or_default().to_owned();
    let performance = &m["networkPerformanceConfig"]["totalEgressBandwidthTier"];
    let mut found = object(json!({
        "instance_id": text("id"),
        "machine_type": keep(known, "machine_type", &kind),
        "min_cpu_platform": text("minCpuPlatform"),
        "cpu_platform": text("cpuPlatform"),
        "current_status": m["status"],
        "can_ip_forward": m["canIpForward"].as_bool().unwrap_or(false),
        "deletion_protection": m["deletionProtection"].as_bool().unwrap_or(false),
        "hostname": m["hostname"],
        "effective_labels": or_none(&m["labels"]),
        "label_fingerprint": m["labelFingerprint"],
        "tags": m["tags"]["items"].as_array().cloned().unwrap_or_default(),
        "tags_fingerprint": m["tags"]["fingerprint"],
        "metadata": metadata,
        "metadata_fingerprint": m["metadata"]["fingerprint"],
        "boot_disk": boot,
        "attached_disk": attached(&all, known),
        "network_interface": interface::found(&m["networkInterfaces"], known),
        "scheduling": machine::scheduling_found(&m["scheduling"]),
        "service_account": machine::accounts_found(&m["serviceAccounts"], known),
        "shielded_instance_config": machine::shielded_found(&m["shieldedInstanceConfig"]),
        "advanced_machine_features": machine::advanced_found(&m["advancedMachineFeatures"]),
        "confidential_instance_config": machine::confidential_found(&m["confidentialInstanceConfig"]),
        "guest_accelerator": machine::accelerators_found(&m["guestAccelerators"], known),
        "network_performance_config": match performance.is_null() {
            true => Vec::new(),
            false => vec![json!({ "total_egress_bandwidth_tier": performance })],
        },
        "reservation_affinity": [],
    }));
    if !script.is_null() {
        found.insert("metadata_startup_script".into(), script);
    }
    // What was asked for, where the machine is as it was asked.
    if let Some(status) = known.text("desired_status") {
        let now = text("status");
        found.insert(
            "desired_status".into(),
            json!(if now == status { status } else { now }),
        );
    }
    Ok(found)
}

async fn boot(google: &Google, name: &Name, disk: &Json, known: &Value) -> Result<Json, Failure> {
    let written = known.row("boot_disk");
    let null = Value::null();
    let params = written.and_then(|b| b.row("initialize_params"));
    // What the machine's own entry does not say is the disk's: asked for once, as it never changes
    // there but for labels, which are nobody's business here.
    let is_known = params.is_some_and(|p| {
        ["image", "type", "labels"]
            .iter()
            .all(|k| p.get(k).is_some_and(Value::is_wholly_known))
    });
    let mut fields = json!({});
    if let Some(params) = params.filter(|_| is_known) {
        for key in ["image", "type", "labels"] {
            fields[key] = crate::body::field(params, key);
        }
    } else {
        let source = disk["source"].as_str().unwrap_or_default();
        let of_disk = Name {
            name: last(source).to_owned(),
            ..name.clone()
        };
        let found = disks::All::get(google, &of_disk).await?.unwrap_or_default();
        let kind = json!(last(found["type"].as_str().unwrap_or_default()));
        let params = params.unwrap_or(&null);
        fields = json!({
            "image": image::keep(params.text("image").as_deref(), &found["sourceImage"]),
            "type": keep(params, "type", &kind),
            "labels": or_none(&found["labels"]),
        });
    }
    fields["size"] = number(&disk["diskSizeGb"]);
    fields["provisioned_iops"] = json!(0);
    fields["provisioned_throughput"] = json!(0);
    fields["architecture"] = json!("");
    let features = disk["guestOsFeatures"].as_array().into_iter().flatten();
    Ok(json!({
        "auto_delete": disk["autoDelete"].as_bool().unwrap_or(false),
        "device_name": disk["deviceName"],
        "disk_encryption_key_sha256": "",
        "guest_os_features": features.map(|f| f["type"].clone()).collect::<Vec<_>>(),
        "initialize_params": [fields],
        "interface": disk["interface"],
        "kms_key_self_link": "",
        "mode": disk["mode"],
        "source": keep_link(written.and_then(|b| b.get("source")), &disk["source"]),
    }))
}

/// The disks that the configuration attaches, in its order; others, which attach themselves, are
/// not this resource's. Of an import all are.
fn attached(all: &[Json], known: &Value) -> Vec<Json> {
    let written = known.rows("attached_disk");
    let is_import = known.get("name").is_none_or(Value::is_null);
    let others = all.iter().filter(|d| d["boot"] != true);
    let one = |disk: &Json, known: Option<&Value>| {
        json!({
            "device_name": disk["deviceName"],
            "disk_encryption_key_sha256": "",
            "kms_key_self_link": "",
            "mode": disk["mode"],
            "source": keep_link(known.and_then(|k| k.get("source")), &disk["source"]),
        })
    };
    if is_import {
        return others.map(|d| one(d, None)).collect();
    }
    let others: Vec<&Json> = others.collect();
    let found = written.into_iter().filter_map(|w| {
        let link = w.text("source")?;
        let disk = others
            .iter()
            .find(|d| same_link(&link, d["source"].as_str().unwrap_or_default()))?;
        Some(one(disk, Some(w)))
    });
    found.collect()
}
