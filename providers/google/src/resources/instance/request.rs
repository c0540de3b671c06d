//! The request that makes a machine.

use super::super::{image, interface, link, machine};
use crate::{
    body::{field, long},
    client::Google,
    name::{Name, last},
    resource::Failure,
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

/// The machine as the API takes it.
///
/// # Errors
/// There is no such image.
pub(super) async fn body(google: &Google, name: &Name, planned: &Value) -> Result<Json, Failure> {
    let place = format!("projects/{}/zones/{}", name.project, name.place);
    let region = name.place.rsplit_once('-').map_or("", |(r, _)| r);
    let mut disks = Vec::new();
    for disk in planned.rows("boot_disk") {
        disks.push(boot(google, name, disk, &place).await?);
    }
    disks.extend(
        planned
            .rows("attached_disk")
            .into_iter()
            .map(|d| attached(name, d)),
    );
    Ok(json!({
        "description": field(planned, "description"),
        "machineType": machine_type(planned, &place),
        "minCpuPlatform": field(planned, "min_cpu_platform"),
        "canIpForward": planned.is_on("can_ip_forward"),
        "deletionProtection": planned.is_on("deletion_protection"),
        "hostname": field(planned, "hostname"),
        "labels": field(planned, "effective_labels"),
        "tags": {"items": field(planned, "tags")},
        "metadata": machine::metadata(planned),
        "disks": disks,
        "networkInterfaces": interface::body(planned, name, region),
        "scheduling": machine::scheduling(planned),
        "serviceAccounts": machine::accounts(planned),
        "shieldedInstanceConfig": machine::shielded(planned),
        "advancedMachineFeatures": machine::advanced(planned),
        "confidentialInstanceConfig": machine::confidential(planned),
        "guestAccelerators": machine::accelerators(planned, &place),
        "networkPerformanceConfig": planned.row("network_performance_config").map(|n| {
            json!({"totalEgressBandwidthTier": field(n, "total_egress_bandwidth_tier")})
        }),
    }))
}

/// The machine type as a link of its zone.
pub(super) fn machine_type(planned: &Value, place: &str) -> Json {
    let kind = planned.text("machine_type").unwrap_or_default();
    json!(format!("{place}/machineTypes/{}", last(&kind)))
}

async fn boot(google: &Google, name: &Name, disk: &Value, place: &str) -> Result<Json, Failure> {
    let mut body = json!({
        "boot": true,
        "autoDelete": field(disk, "auto_delete"),
        "deviceName": field(disk, "device_name"),
        "interface": field(disk, "interface"),
        "mode": field(disk, "mode"),
        "source": link(disk, "source", name, &format!("zones/{}/disks", name.place)),
    });
    let features = disk.texts("guest_os_features").unwrap_or_default();
    body["guestOsFeatures"] = features.into_iter().map(|f| json!({ "type": f })).collect();
    let Some(params) = disk.row("initialize_params") else {
        return Ok(body);
    };
    let image = match params.text("image") {
        Some(image) => image::resolve(google, &image, &name.project).await?,
        None => Json::Null,
    };
    body["initializeParams"] = json!({
        "sourceImage": image,
        "diskSizeGb": long(params, "size"),
        "diskType": params.text("type").map(|t| format!("{place}/diskTypes/{}", last(&t))),
        "labels": field(params, "labels"),
    });
    Ok(body)
}

/// A disk that is there, as the API takes it.
pub(super) fn attached(name: &Name, disk: &Value) -> Json {
    json!({
        "source": link(disk, "source", name, &format!("zones/{}/disks", name.place)),
        "deviceName": field(disk, "device_name"),
        "mode": field(disk, "mode"),
    })
}
