//! Changes of a machine: only what differs is sent, and it stands still where Azure wants that.

use super::{PLACE, request};
use crate::{
    resource::{COMPUTE, Call, DISKS, Failure, pruned, send},
    tags,
};
use azure_core::http::Method;
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::{
    cloud::Cause,
    declared::{Fields as _, changed},
};

pub(super) async fn change(
    cx: &Call<'_>,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    let now = cx
        .cloud
        .get("VirtualMachines_Get", id, PLACE.version)
        .await?;
    let now = now.ok_or_else(|| Failure {
        cause: Cause::Gone,
        ..Failure::new("VirtualMachines_Get", "it is not there any more")
    })?;
    let differs = |key: &str| changed(prior, planned, key);
    let disk = |v: &Value, key: &str| v.row("os_disk").and_then(|d| d.get(key).cloned());
    let disk_differs = |key: &str| disk(prior, key) != disk(planned, key);
    let larger = planned.row("os_disk").and_then(|d| d.int("disk_size_gb"));
    let larger = larger.filter(|_| disk_differs("disk_size_gb"));
    // These are changed while the machine is deallocated.
    let still = larger.is_some()
        || [
            "additional_capabilities",
            "encryption_at_host_enabled",
            "network_interface_ids",
            "proximity_placement_group_id",
        ]
        .into_iter()
        .any(differs);
    if still {
        act(cx, id, "Deallocate", "deallocate").await?;
    }
    if let (Some(size), Some(disk)) = (
        larger,
        now["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].as_str(),
    ) {
        let body = json!({ "properties": { "diskSizeGB": size } });
        patch(cx, "Disks_Update", (disk, DISKS), body).await?;
    }
    let body = body(&now, prior, planned);
    let done = patch(cx, "VirtualMachines_Update", (id, COMPUTE), body.clone()).await;
    let done = match done {
        // Some sizes are not to be had where the machine runs, and are elsewhere.
        Err(f) if !still && differs("size") && f.message.to_lowercase().contains("deallocat") => {
            act(cx, id, "Deallocate", "deallocate").await?;
            let done = patch(cx, "VirtualMachines_Update", (id, COMPUTE), body).await;
            act(cx, id, "Start", "start").await?;
            done
        }
        other => other,
    };
    if still {
        act(cx, id, "Start", "start").await?;
    }
    done
}

/// What of a machine's body is to change.
fn body(now: &Json, prior: &Value, planned: &Value) -> Json {
    let differs = |key: &str| changed(prior, planned, key);
    let when = |key: &str, value: Json| if differs(key) { value } else { Json::Null };
    let disk = |v: &Value, key: &str| v.row("os_disk").and_then(|d| d.get(key).cloned());
    let mut os_disk = Json::Null;
    for (key, property) in [
        ("caching", "caching"),
        ("write_accelerator_enabled", "writeAcceleratorEnabled"),
    ] {
        if disk(prior, key) != disk(planned, key)
            && let Some(row) = planned.row("os_disk")
        {
            os_disk[property] = match key {
                "caching" => json!(row.text(key)),
                _ => json!(row.flag(key)),
            };
        }
    }
    let identity = match request::identity(planned) {
        Json::Null => json!({ "type": "None" }),
        some => some,
    };
    let diagnostics = match request::diagnostics(planned) {
        Json::Null => json!({ "bootDiagnostics": { "enabled": false } }),
        some => some,
    };
    pruned(json!({
        "tags": tags::with_token(planned, tags::token(now)),
        "identity": when("identity", identity),
        "properties": {
            "hardwareProfile": when("size", json!({ "vmSize": planned.text("size") })),
            "storageProfile": if os_disk.is_null() { Json::Null } else { json!({ "osDisk": os_disk }) },
            "networkProfile":
                when("network_interface_ids", json!({ "networkInterfaces": request::interfaces(planned) })),
            "osProfile": when(
                "allow_extension_operations",
                json!({ "allowExtensionOperations": planned.flag("allow_extension_operations") }),
            ),
            "billingProfile": when("max_bid_price", request::billing(planned)),
            "licenseType": when("license_type", json!(planned.text("license_type").unwrap_or_else(|| "None".into()))),
            "userData": when("user_data", json!(planned.text("user_data").unwrap_or_default())),
            "additionalCapabilities": when("additional_capabilities", request::capabilities(planned)),
            "diagnosticsProfile": when("boot_diagnostics", diagnostics),
            "proximityPlacementGroup": when(
                "proximity_placement_group_id",
                crate::resource::reference(planned.text("proximity_placement_group_id")),
            ),
            "securityProfile": when(
                "encryption_at_host_enabled",
                json!({ "encryptionAtHost": planned.flag("encryption_at_host_enabled") }),
            ),
            "scheduledEventsProfile": when("termination_notification", request::termination(planned)),
        },
    }))
}

async fn patch(
    cx: &Call<'_>,
    what: &str,
    (path, version): (&str, &'static str),
    body: Json,
) -> Result<(), Failure> {
    let answer = send(cx, (what, Method::Patch), (path, version), Some(&body)).await?;
    cx.cloud.over(cx, what, &answer).await
}

async fn act(cx: &Call<'_>, id: &str, name: &str, action: &str) -> Result<(), Failure> {
    let what = format!("VirtualMachines_{name}");
    let path = format!("{id}/{action}");
    let answer = send(cx, (&what, Method::Post), (&path, COMPUTE), None).await?;
    cx.cloud.over(cx, &what, &answer).await
}

/// Whether the disk goes with the machine is the provider block's to say: also for machines that
/// were made when it said otherwise.
pub(super) async fn before_delete(cx: &Call<'_>, id: &str) -> Result<&'static str, Failure> {
    let forced = match cx.cloud.features.force_delete {
        true => "?forceDeletion=true",
        false => "",
    };
    let Some(now) = cx
        .cloud
        .get("VirtualMachines_Get", id, PLACE.version)
        .await?
    else {
        return Ok(forced);
    };
    let wanted = match cx.cloud.features.delete_os_disk {
        true => "Delete",
        false => "Detach",
    };
    let disk = &now["properties"]["storageProfile"]["osDisk"];
    let there = disk["deleteOption"].as_str().unwrap_or("Detach");
    let failed = now["properties"]["provisioningState"] == "Failed";
    if there != wanted && disk.is_object() && !failed {
        let body =
            json!({ "properties": { "storageProfile": { "osDisk": { "deleteOption": wanted } } } });
        patch(cx, "VirtualMachines_Update", (id, COMPUTE), body).await?;
    }
    Ok(forced)
}
