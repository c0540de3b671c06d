//! The body that a machine is made with.

use crate::{client::Azure, resource::reference};
use serde_json::{Map, Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) fn body(azure: &Azure, planned: &Value) -> Json {
    let plan = planned.row("plan").map(|p| {
        json!({ "name": p.text("name"), "product": p.text("product"), "publisher": p.text("publisher") })
    });
    json!({
        "zones": planned.text("zone").map(|z| vec![z]),
        "plan": plan,
        "identity": identity(planned),
        "properties": {
            "hardwareProfile": { "vmSize": planned.text("size") },
            "storageProfile": {
                "imageReference": image(planned),
                "osDisk": os_disk(azure, planned),
            },
            "osProfile": os_profile(planned),
            "networkProfile": { "networkInterfaces": interfaces(planned) },
            "availabilitySet": reference(planned.text("availability_set_id")),
            "proximityPlacementGroup": reference(planned.text("proximity_placement_group_id")),
            "platformFaultDomain": planned.int("platform_fault_domain").filter(|n| *n >= 0),
            "priority": planned.text("priority"),
            "evictionPolicy": planned.text("eviction_policy"),
            "billingProfile": billing(planned),
            "licenseType": planned.text("license_type"),
            "userData": planned.text("user_data"),
            "extensionsTimeBudget": planned.text("extensions_time_budget"),
            "additionalCapabilities": capabilities(planned),
            "diagnosticsProfile": diagnostics(planned),
            "securityProfile": security(planned),
            "scheduledEventsProfile": termination(planned),
        },
    })
}

fn image(planned: &Value) -> Json {
    if let Some(id) = planned.text("source_image_id") {
        return json!({ "id": id });
    }
    planned
        .row("source_image_reference")
        .map_or(Json::Null, |r| {
            json!({
                "publisher": r.text("publisher"), "offer": r.text("offer"),
                "sku": r.text("sku"), "version": r.text("version"),
            })
        })
}

/// The disk goes with the machine, where the provider block does not say otherwise: by Azure, so
/// that no crash can leave it behind.
fn os_disk(azure: &Azure, planned: &Value) -> Json {
    let Some(disk) = planned.row("os_disk") else {
        return Json::Null;
    };
    let local = disk
        .row("diff_disk_settings")
        .map(|d| json!({ "option": d.text("option"), "placement": d.text("placement") }));
    let goes = match azure.features.delete_os_disk {
        true => "Delete",
        false => "Detach",
    };
    json!({
        "name": disk.text("name"),
        "createOption": "FromImage",
        "osType": "Linux",
        "caching": disk.text("caching"),
        "diskSizeGB": disk.int("disk_size_gb").filter(|n| *n > 0),
        "managedDisk": { "storageAccountType": disk.text("storage_account_type") },
        "writeAcceleratorEnabled": disk.flag("write_accelerator_enabled").filter(|on| *on),
        "diffDiskSettings": local,
        "deleteOption": goes,
    })
}

fn os_profile(planned: &Value) -> Json {
    let user = planned.text("admin_username").unwrap_or_default();
    let keys = planned.rows("admin_ssh_key").into_iter().map(|k| {
        let user = k.text("username").unwrap_or_default();
        json!({ "keyData": k.text("public_key"), "path": format!("/home/{user}/.ssh/authorized_keys") })
    });
    let keys: Vec<Json> = keys.collect();
    json!({
        "computerName": planned.text("computer_name"),
        "adminUsername": user,
        "adminPassword": planned.text("admin_password"),
        "customData": planned.text("custom_data"),
        "allowExtensionOperations": planned.flag("allow_extension_operations"),
        "linuxConfiguration": {
            "disablePasswordAuthentication": planned.flag("disable_password_authentication"),
            "provisionVMAgent": planned.flag("provision_vm_agent"),
            "ssh": if keys.is_empty() { Json::Null } else { json!({ "publicKeys": keys }) },
        },
    })
}

/// The first interface is the primary one.
pub(super) fn interfaces(planned: &Value) -> Json {
    let ids = planned.texts("network_interface_ids").unwrap_or_default();
    let all = ids.iter().enumerate();
    Json::Array(
        all.map(|(i, id)| json!({ "id": id, "properties": { "primary": i == 0 } }))
            .collect(),
    )
}

pub(super) fn identity(planned: &Value) -> Json {
    planned.row("identity").map_or(Json::Null, |i| {
        let ids = i.texts("identity_ids");
        let ids = ids.map(|all| {
            all.into_iter()
                .map(|id| (id, json!({})))
                .collect::<Map<_, _>>()
        });
        json!({ "type": i.text("type"), "userAssignedIdentities": ids })
    })
}

pub(super) fn billing(planned: &Value) -> Json {
    if planned.text("priority").as_deref() != Some("Spot") {
        return Json::Null;
    }
    let price = planned
        .get("max_bid_price")
        .filter(|p| !p.is_null() && !p.is_unknown());
    let price = price.and_then(|p| p.to_string().parse::<f64>().ok());
    json!({ "maxPrice": price.unwrap_or(-1.0) })
}

pub(super) fn capabilities(planned: &Value) -> Json {
    planned
        .row("additional_capabilities")
        .map_or(Json::Null, |c| {
            json!({
                "ultraSSDEnabled": c.flag("ultra_ssd_enabled"),
                "hibernationEnabled": c.flag("hibernation_enabled"),
            })
        })
}

pub(super) fn diagnostics(planned: &Value) -> Json {
    planned.row("boot_diagnostics").map_or(Json::Null, |d| {
        json!({ "bootDiagnostics": { "enabled": true, "storageUri": d.text("storage_account_uri") } })
    })
}

fn security(planned: &Value) -> Json {
    let (boot, tpm) = (
        planned.flag("secure_boot_enabled"),
        planned.flag("vtpm_enabled"),
    );
    let trusted = boot == Some(true) || tpm == Some(true);
    let at_host = planned.flag("encryption_at_host_enabled");
    if !trusted && at_host.is_none() {
        return Json::Null;
    }
    let settings = json!({
        "secureBootEnabled": boot.unwrap_or(false),
        "vTpmEnabled": tpm.unwrap_or(false),
    });
    json!({
        "encryptionAtHost": at_host,
        "securityType": trusted.then_some("TrustedLaunch"),
        "uefiSettings": trusted.then_some(settings),
    })
}

pub(super) fn termination(planned: &Value) -> Json {
    planned
        .row("termination_notification")
        .map_or(Json::Null, |t| {
            json!({ "terminateNotificationProfile": {
                "enable": t.flag("enabled"), "notBeforeTimeout": t.text("timeout"),
            }})
        })
}
