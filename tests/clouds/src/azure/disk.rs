//! Managed disks.

use super::{
    error::{ArmError, Outcome},
    kinds::{DISK, Put, Rules},
    machine, network, places,
    world::{Thing, World},
};
use serde_json::{Value as Json, json};

pub(super) struct Disk;

impl Rules for Disk {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        places::check_zones(&put.body)?;
        put.stays("/zones")?;
        if put.body["sku"].is_null() {
            put.body["sku"] = json!({ "name": "Standard_LRS" });
        }
        put.keep("creationData");
        let source = &put.body["properties"]["creationData"];
        let option = source["createOption"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if option.is_empty() {
            let message = "Required parameter 'creationData' is missing (null).";
            return Err(ArmError::parameter("creationData", message));
        }
        put.stays("/properties/creationData/createOption")?;
        let mut least = 0;
        match option.as_str() {
            // What it was made of matters when it is made.
            _ if put.old.is_some() => {}
            "Empty" => {}
            "Copy" => {
                let id = source["sourceResourceId"].as_str().unwrap_or_default();
                let from = put.world.find(id).filter(|t| t.id.kind.is(&DISK));
                let from = from.ok_or_else(|| {
                    let message = format!("Disk {id} is not found.");
                    ArmError::new(404, "NotFound", message)
                })?;
                least = from.body["properties"]["diskSizeGB"].as_i64().unwrap_or(0);
            }
            "FromImage" => {
                let id = source["imageReference"]["id"].as_str().unwrap_or_default();
                let parts: Vec<&str> = id.split('/').filter(|p| !p.is_empty()).collect();
                let after = |word: &str| {
                    let at = parts.iter().position(|p| p.eq_ignore_ascii_case(word));
                    at.and_then(|i| parts.get(i + 1))
                        .copied()
                        .unwrap_or_default()
                };
                places::image(&json!({
                    "publisher": after("publishers"), "offer": after("offers"),
                    "sku": after("skus"), "version": after("versions"),
                }))?;
                least = 30;
            }
            other => {
                let message = format!(
                    "The value '{other}' of parameter 'createOption' is not supported here."
                );
                return Err(ArmError::parameter("createOption", message));
            }
        }
        let old = put.old.and_then(|o| o["properties"]["diskSizeGB"].as_i64());
        let size = put.body["properties"]["diskSizeGB"].as_i64();
        let size = match size.or(old).or((least > 0).then_some(least)) {
            Some(size) => size,
            None => {
                let message = "Required parameter 'disk.diskSizeGB' is missing (null).";
                return Err(ArmError::parameter("disk.diskSizeGB", message));
            }
        };
        if size < old.unwrap_or(least) {
            let message = format!(
                "Disk shrink is not supported: the size is {} GB and cannot become {size} GB.",
                old.unwrap_or(least)
            );
            return Err(ArmError::conflict("OperationNotAllowed", message));
        }
        if !(1..=65536).contains(&size) {
            let message = format!(
                "The value '{size}' of parameter 'diskSizeGB' is out of range. The value must be between '1' and '65536', inclusive."
            );
            return Err(ArmError::parameter("diskSizeGB", message));
        }
        put.body["properties"]["diskSizeGB"] = json!(size);
        put.keep("osType");
        put.default("networkAccessPolicy", json!("AllowAll"));
        put.default("publicNetworkAccess", json!("Enabled"));
        put.default(
            "encryption",
            json!({ "type": "EncryptionAtRestWithPlatformKey" }),
        );
        let ultra = matches!(
            put.body["sku"]["name"].as_str(),
            Some("UltraSSD_LRS" | "PremiumV2_LRS")
        );
        let (iops, throughput) = if ultra { (3000, 125) } else { (500, 60) };
        if ultra
            && put.body["zones"].as_array().is_none_or(Vec::is_empty)
            && places::zones(put.body["location"].as_str().unwrap_or_default()) > 0
        {
            let message =
                "Disks of this account type must be created in an availability zone of the region.";
            return Err(ArmError::bad("BadRequest", message));
        }
        put.default("diskIOPSReadWrite", json!(iops));
        put.default("diskMBpsReadWrite", json!(throughput));
        Ok(None)
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let tier = match thing.body["sku"]["name"].as_str() {
            Some(n) if n.starts_with("Standard") => "Standard",
            Some(n) if n.starts_with("Ultra") => "Ultra",
            _ => "Premium",
        };
        body["sku"]["tier"] = json!(tier);
        let p = &mut body["properties"];
        let size = p["diskSizeGB"].as_i64().unwrap_or(0);
        p["diskSizeBytes"] = json!(size * (1 << 30));
        p["uniqueId"] = json!(network::guid(thing));
        p["timeCreated"] = json!("2026-01-01T00:00:00.0000000+00:00");
        match machine::with_disk(world, &thing.id.text()) {
            Some(machine) => {
                p["diskState"] = json!(if machine::is_running(machine) {
                    "Attached"
                } else {
                    "Reserved"
                });
                body["managedBy"] = json!(machine.id.text());
            }
            None => p["diskState"] = json!("Unattached"),
        }
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        let Some(machine) = machine::with_disk(world, &thing.id.text()) else {
            return Ok(());
        };
        let message = format!(
            "Disk {} is attached to VM {}.",
            thing.id.name(),
            machine.id.text()
        );
        Err(ArmError::conflict("OperationNotAllowed", message))
    }
}
