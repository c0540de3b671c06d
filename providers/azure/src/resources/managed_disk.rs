//! `azurerm_managed_disk`

use crate::{
    client::Azure,
    resource::{Arm, DISKS, Found, Place, fields},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct ManagedDisk;

pub(super) const TYPES: [&str; 7] = [
    "Standard_LRS",
    "StandardSSD_LRS",
    "StandardSSD_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
];

pub(super) const PLACE: Place = Place {
    namespace: "Microsoft.Compute",
    parts: &[("disks", "name")],
    version: DISKS,
    calls: "Disks",
};

impl Arm for ManagedDisk {
    fn name(&self) -> &'static str {
        "azurerm_managed_disk"
    }
    fn place(&self) -> Place {
        PLACE
    }
    fn turn(&self, id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::choice(config, "storage_account_type", &TYPES, out);
        checks::choice(
            config,
            "create_option",
            &["Copy", "Empty", "FromImage"],
            out,
        );
        checks::choice(config, "os_type", &["Linux", "Windows"], out);
        checks::choice(config, "hyper_v_generation", &["V1", "V2"], out);
        checks::choice(
            config,
            "network_access_policy",
            &["AllowAll", "AllowPrivate", "DenyAll"],
            out,
        );
        checks::within(config, "disk_size_gb", 1..=65536, out);
        checks::within(config, "max_shares", 2..=10, out);
        let needs = match config.text("create_option").as_deref() {
            Some("Empty") => "disk_size_gb",
            Some("Copy") => "source_resource_id",
            Some("FromImage") => "image_reference_id",
            _ => return,
        };
        if config.get(needs).is_some_and(Value::is_null) {
            out.push(
                Diagnostic::error(format!("`{needs}` is missing"))
                    .because(format!(
                        "A disk with this `create_option` is made of `{needs}`."
                    ))
                    .help("Set it, or choose another `create_option`."),
            );
        }
    }

    /// A disk can't shrink.
    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let was = prior.and_then(|p| p.int("disk_size_gb"));
        let shrinks = was
            .zip(planned.int("disk_size_gb"))
            .is_some_and(|(a, b)| b < a);
        let paths = match shrinks {
            true => vec![Path::root().key("disk_size_gb")],
            false => Vec::new(),
        };
        (planned, paths)
    }

    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        let image = planned
            .text("image_reference_id")
            .map(|id| json!({ "id": id }));
        let ultra = matches!(
            planned.text("storage_account_type").as_deref(),
            Some("UltraSSD_LRS" | "PremiumV2_LRS")
        );
        let access = planned.flag("public_network_access_enabled");
        json!({
            "sku": { "name": planned.text("storage_account_type") },
            "zones": planned.text("zone").map(|z| vec![z]),
            "properties": {
                "creationData": {
                    "createOption": planned.text("create_option"),
                    "sourceResourceId": planned.text("source_resource_id"),
                    "imageReference": image,
                },
                "diskSizeGB": planned.int("disk_size_gb").filter(|n| *n > 0),
                "osType": planned.text("os_type"),
                "hyperVGeneration": planned.text("hyper_v_generation"),
                "diskIOPSReadWrite": planned.int("disk_iops_read_write").filter(|_| ultra),
                "diskMBpsReadWrite": planned.int("disk_mbps_read_write").filter(|_| ultra),
                "tier": planned.text("tier"),
                "maxShares": planned.int("max_shares").filter(|n| *n > 1),
                "networkAccessPolicy": planned.text("network_access_policy"),
                "publicNetworkAccess": access.map(|on| if on { "Enabled" } else { "Disabled" }),
                "burstingEnabled": planned.flag("on_demand_bursting_enabled"),
            },
        })
    }

    fn found(&self, body: &Json, _known: &Value) -> Found {
        let p = &body["properties"];
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        fields(json!({
            "create_option": p["creationData"]["createOption"],
            "disk_iops_read_only": p["diskIOPSReadOnly"].as_i64().unwrap_or(0),
            "disk_iops_read_write": p["diskIOPSReadWrite"].as_i64().unwrap_or(0),
            "disk_mbps_read_only": p["diskMBpsReadOnly"].as_i64().unwrap_or(0),
            "disk_mbps_read_write": p["diskMBpsReadWrite"].as_i64().unwrap_or(0),
            "disk_size_gb": p["diskSizeGB"],
            "hyper_v_generation": text(&p["hyperVGeneration"]),
            "image_reference_id": text(&p["creationData"]["imageReference"]["id"]),
            "max_shares": p["maxShares"].as_i64().unwrap_or(0),
            "network_access_policy": p["networkAccessPolicy"].as_str().unwrap_or("AllowAll"),
            "on_demand_bursting_enabled": p["burstingEnabled"].as_bool().unwrap_or(false),
            "os_type": text(&p["osType"]),
            "public_network_access_enabled": p["publicNetworkAccess"].as_str() != Some("Disabled"),
            "source_resource_id": text(&p["creationData"]["sourceResourceId"]),
            "source_uri": text(&p["creationData"]["sourceUri"]),
            "storage_account_type": body["sku"]["name"],
            "tier": text(&p["tier"]),
            "zone": body["zones"][0].as_str().unwrap_or_default(),
        }))
    }
}
