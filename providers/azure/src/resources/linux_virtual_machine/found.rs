//! What Azure says of a machine, as attributes.

use crate::{
    client::Azure,
    resource::{Failure, Found, NETWORK, fields},
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) fn found(body: &Json, known: &Value) -> Found {
    let p = &body["properties"];
    let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
    let linux = &p["osProfile"]["linuxConfiguration"];
    let security = &p["securityProfile"];
    let uefi = &security["uefiSettings"];
    let nics = p["networkProfile"]["networkInterfaces"]
        .as_array()
        .into_iter()
        .flatten();
    let mut found = fields(json!({
        "additional_capabilities": rows(&p["additionalCapabilities"], |c| json!({
            "hibernation_enabled": c["hibernationEnabled"].as_bool().unwrap_or(false),
            "ultra_ssd_enabled": c["ultraSSDEnabled"].as_bool().unwrap_or(false),
        })),
        "admin_username": text(&p["osProfile"]["adminUsername"]),
        "allow_extension_operations": p["osProfile"]["allowExtensionOperations"].as_bool().unwrap_or(true),
        "availability_set_id": text(&p["availabilitySet"]["id"]),
        "boot_diagnostics": rows(&p["diagnosticsProfile"]["bootDiagnostics"], |d| json!({
            "storage_account_uri": text(&d["storageUri"]),
        })),
        "computer_name": text(&p["osProfile"]["computerName"]),
        "disable_password_authentication": linux["disablePasswordAuthentication"].as_bool().unwrap_or(false),
        "encryption_at_host_enabled": security["encryptionAtHost"].as_bool().unwrap_or(false),
        "eviction_policy": text(&p["evictionPolicy"]),
        "extensions_time_budget": p["extensionsTimeBudget"].as_str().unwrap_or("PT1H30M"),
        "identity": rows(&body["identity"], identity),
        "license_type": text(&p["licenseType"]),
        "max_bid_price": p["billingProfile"]["maxPrice"].as_f64().unwrap_or(-1.0),
        "network_interface_ids": nics.filter_map(|n| n["id"].as_str()).collect::<Vec<_>>(),
        "os_disk": rows(&p["storageProfile"]["osDisk"], os_disk),
        "plan": rows(&body["plan"], |p| json!({
            "name": p["name"], "product": p["product"], "publisher": p["publisher"],
        })),
        "platform_fault_domain": p["platformFaultDomain"].as_i64().unwrap_or(-1),
        "priority": p["priority"].as_str().unwrap_or("Regular"),
        "provision_vm_agent": linux["provisionVMAgent"].as_bool().unwrap_or(true),
        "proximity_placement_group_id": text(&p["proximityPlacementGroup"]["id"]),
        "secure_boot_enabled": uefi["secureBootEnabled"].as_bool().unwrap_or(false),
        "size": p["hardwareProfile"]["vmSize"],
        "source_image_id": text(&p["storageProfile"]["imageReference"]["id"]),
        "source_image_reference": rows(&p["storageProfile"]["imageReference"], |i| json!({
            "publisher": i["publisher"], "offer": i["offer"], "sku": i["sku"], "version": i["version"],
        })),
        "termination_notification":
            rows(&p["scheduledEventsProfile"]["terminateNotificationProfile"], |t| json!({
                "enabled": t["enable"], "timeout": t["notBeforeTimeout"],
            })),
        "virtual_machine_id": text(&p["vmId"]),
        "vtpm_enabled": uefi["vTpmEnabled"].as_bool().unwrap_or(false),
        "zone": body["zones"][0].as_str().unwrap_or_default(),
    }));
    if found["source_image_id"] != "" {
        found.insert("source_image_reference".into(), json!([]));
    }
    if let Some(keys) = keys(&linux["ssh"]["publicKeys"], known) {
        found.insert("admin_ssh_key".into(), keys);
    }
    same_case(&mut found, known);
    found
}

/// One row where there is something, else none.
fn rows(value: &Json, row: impl Fn(&Json) -> Json) -> Json {
    match value.is_object() {
        true => json!([row(value)]),
        false => json!([]),
    }
}

fn os_disk(disk: &Json) -> Json {
    json!({
        "caching": disk["caching"],
        "diff_disk_settings": rows(&disk["diffDiskSettings"], |d| json!({
            "option": d["option"], "placement": d["placement"].as_str().unwrap_or("CacheDisk"),
        })),
        "disk_size_gb": disk["diskSizeGB"],
        "id": disk["managedDisk"]["id"],
        "name": disk["name"],
        "storage_account_type": disk["managedDisk"]["storageAccountType"],
        "write_accelerator_enabled": disk["writeAcceleratorEnabled"].as_bool().unwrap_or(false),
    })
}

fn identity(i: &Json) -> Json {
    let ids = i["userAssignedIdentities"].as_object();
    let ids: Vec<&String> = ids.into_iter().flat_map(|m| m.keys()).collect();
    json!({
        "type": i["type"],
        "identity_ids": ids,
        "principal_id": i["principalId"].as_str().unwrap_or_default(),
        "tenant_id": i["tenantId"].as_str().unwrap_or_default(),
    })
}

/// The keys; none where they are those that are known, whose lines' ends may differ.
fn keys(found: &Json, known: &Value) -> Option<Json> {
    let rows: Vec<(String, String)> = (found.as_array().into_iter().flatten())
        .map(|k| {
            let path = k["path"].as_str().unwrap_or_default();
            let user = path
                .strip_prefix("/home/")
                .and_then(|p| p.split('/').next());
            let key = k["keyData"].as_str().unwrap_or_default();
            (user.unwrap_or_default().to_owned(), key.to_owned())
        })
        .collect();
    let trimmed = |all: &mut Vec<(String, String)>| {
        for (_, key) in all.iter_mut() {
            *key = key.trim().to_owned();
        }
        all.sort();
    };
    let mut was: Vec<(String, String)> = (known.rows("admin_ssh_key").into_iter())
        .map(|k| {
            (
                k.text("username").unwrap_or_default(),
                k.text("public_key").unwrap_or_default(),
            )
        })
        .collect();
    let mut now = rows.clone();
    trimmed(&mut was);
    trimmed(&mut now);
    if was == now {
        return None;
    }
    let rows = rows
        .into_iter()
        .map(|(user, key)| json!({ "username": user, "public_key": key }));
    Some(Json::Array(rows.collect()))
}

/// Ids that differ in capitals alone are as they are known.
fn same_case(found: &mut Found, known: &Value) {
    let was = known.texts("network_interface_ids").unwrap_or_default();
    let now = found["network_interface_ids"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let same = was.len() == now.len()
        && (was.iter().zip(&now))
            .all(|(a, b)| b.as_str().is_some_and(|b| b.eq_ignore_ascii_case(a)));
    if same {
        found.insert("network_interface_ids".into(), json!(was));
    }
    let size = found["size"].as_str().unwrap_or_default().to_owned();
    if let Some(was) = known.text("size").filter(|w| w.eq_ignore_ascii_case(&size)) {
        found.insert("size".into(), json!(was));
    }
}

/// The machine's addresses, which its interfaces tell.
pub(super) async fn addresses(
    azure: &Azure,
    body: &Json,
    found: &mut Found,
) -> Result<(), Failure> {
    let nics = body["properties"]["networkProfile"]["networkInterfaces"].as_array();
    let mut nics: Vec<&Json> = nics.into_iter().flatten().collect();
    nics.sort_by_key(|n| n["properties"]["primary"] != true);
    let (mut private, mut public) = (Vec::new(), Vec::new());
    for nic in nics {
        let Some(id) = nic["id"].as_str() else {
            continue;
        };
        let Some(nic) = azure.get("NetworkInterfaces_Get", id, NETWORK).await? else {
            continue;
        };
        let configs = nic["properties"]["ipConfigurations"].as_array();
        for config in configs.into_iter().flatten() {
            let p = &config["properties"];
            private.extend(p["privateIPAddress"].as_str().map(str::to_owned));
            let Some(id) = p["publicIPAddress"]["id"].as_str() else {
                continue;
            };
            if let Some(ip) = azure.get("PublicIPAddresses_Get", id, NETWORK).await? {
                public.extend(ip["properties"]["ipAddress"].as_str().map(str::to_owned));
            }
        }
    }
    let first = |all: &[String]| all.first().cloned().unwrap_or_default();
    found.insert("private_ip_address".into(), json!(first(&private)));
    found.insert("public_ip_address".into(), json!(first(&public)));
    found.insert("private_ip_addresses".into(), json!(private));
    found.insert("public_ip_addresses".into(), json!(public));
    Ok(())
}
