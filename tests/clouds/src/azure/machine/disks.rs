//! The disks of a machine: those that it makes, those that are attached to it.

use crate::azure::{
    error::{ArmError, Outcome},
    kinds::{DISK, Put},
    places,
    world::{State, Thing, World},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// Ids of a machine's disks, and whether each goes with it.
pub(super) fn of(machine: &Json) -> Vec<(String, bool)> {
    let storage = &machine["properties"]["storageProfile"];
    let data = storage["dataDisks"].as_array().into_iter().flatten();
    let all = std::iter::once(&storage["osDisk"]).chain(data);
    all.filter_map(|d| {
        let id = d["managedDisk"]["id"].as_str()?;
        Some((id.to_owned(), d["deleteOption"] == "Delete"))
    })
    .collect()
}

pub(super) fn check(put: &mut Put<'_>) -> Outcome<()> {
    os_disk(put)?;
    data_disks(put)
}

fn image(put: &Put<'_>) -> Outcome<Json> {
    let mut reference = put.body["properties"]["storageProfile"]["imageReference"].clone();
    if let Some(old) = put.old {
        let old = &old["properties"]["storageProfile"]["imageReference"];
        return Ok(old.clone());
    }
    if reference["id"].is_string() {
        let message = format!("The image {} is not found.", reference["id"]);
        return Err(ArmError::new(404, "NotFound", message));
    }
    let (version, arch) = places::image(&reference)?;
    reference["exactVersion"] = json!(version);
    let name = put.body["properties"]["hardwareProfile"]["vmSize"]
        .as_str()
        .unwrap_or_default();
    let size = places::size_of(name);
    if let Some(size) = size.filter(|s| s.arch != arch) {
        let message = format!(
            "Cannot create a VM of size '{}' because this VM size only supports a CPU Architecture of '{}', but an image or disk with CPU Architecture '{arch}' was given. Please check that the CPU Architecture of the image or disk is compatible with that of the VM size.",
            size.name, size.arch
        );
        return Err(ArmError::bad("BadRequest", message));
    }
    Ok(reference)
}

fn os_disk(put: &mut Put<'_>) -> Outcome<()> {
    let image = image(put)?;
    let old = put
        .old
        .map(|o| o["properties"]["storageProfile"]["osDisk"].clone());
    let id = put.id.clone();
    let number = put.world.number();
    let storage = &mut put.body["properties"]["storageProfile"];
    storage["imageReference"] = image;
    let disk = &mut storage["osDisk"];
    if disk["createOption"].is_null() {
        disk["createOption"] = json!("FromImage");
    }
    if disk["createOption"] != "FromImage" {
        let message = "An OS disk that is attached is not supported here.";
        return Err(ArmError::parameter("osDisk.createOption", message));
    }
    if disk["name"].as_str().is_none_or(str::is_empty) {
        let kept = old.as_ref().map(|o| o["name"].clone());
        let made = format!("{}_disk1_{number:032x}", id.name());
        disk["name"] = kept.unwrap_or_else(|| json!(made));
    }
    let size = old.as_ref().and_then(|o| o["diskSizeGB"].as_i64());
    let wanted = disk["diskSizeGB"].as_i64().or(size).unwrap_or(30);
    if wanted < size.unwrap_or(30) {
        let message = format!(
            "The specified disk size {wanted} GB is smaller than the size of the corresponding disk in the VM image: {} GB.",
            size.unwrap_or(30)
        );
        return Err(ArmError::bad("OSDiskSizeTooSmall", message));
    }
    disk["diskSizeGB"] = json!(wanted);
    for (key, value) in [
        ("caching", json!("ReadWrite")),
        ("deleteOption", json!("Detach")),
        ("osType", json!("Linux")),
    ] {
        if disk[key].is_null() {
            disk[key] = value;
        }
    }
    if disk["managedDisk"]["storageAccountType"].is_null() {
        disk["managedDisk"]["storageAccountType"] = json!("Premium_LRS");
    }
    let beside = id.beside(&DISK, disk["name"].as_str().unwrap_or_default());
    disk["managedDisk"]["id"] = json!(beside.text());
    let taken = put.world.things.get(&beside.key());
    if old.is_none() && taken.is_some() {
        let message = format!(
            "A disk with name {} already exists in resource group {}.",
            beside.name(),
            beside.group
        );
        return Err(ArmError::conflict("Conflict", message));
    }
    Ok(())
}

fn data_disks(put: &mut Put<'_>) -> Outcome<()> {
    let name = put.body["properties"]["hardwareProfile"]["vmSize"]
        .as_str()
        .unwrap_or_default();
    let most = places::size_of(name).map_or(0, |s| s.disks as usize);
    let given = put.body["properties"]["storageProfile"]["dataDisks"]
        .as_array()
        .cloned();
    // A change that says nothing of them leaves them.
    let old = put
        .old
        .map(|o| o["properties"]["storageProfile"]["dataDisks"].clone());
    let Some(mut disks) = given.or_else(|| old.and_then(|o| o.as_array().cloned())) else {
        put.body["properties"]["storageProfile"]["dataDisks"] = json!([]);
        return Ok(());
    };
    if disks.len() > most {
        let message = format!(
            "The maximum number of data disks allowed to be attached to a VM of this size is {most}."
        );
        return Err(ArmError::conflict("OperationNotAllowed", message));
    }
    let mut luns: Vec<i64> = Vec::new();
    for disk in &mut disks {
        let lun = disk["lun"].as_i64().unwrap_or(-1);
        if !(0..=63).contains(&lun) || luns.contains(&lun) {
            let message =
                format!("A disk at LUN {lun} already exists, or the LUN is not from 0 to 63.");
            return Err(ArmError::parameter("dataDisk.lun", message));
        }
        luns.push(lun);
        data_disk(put, disk)?;
    }
    put.body["properties"]["storageProfile"]["dataDisks"] = json!(disks);
    Ok(())
}

fn data_disk(put: &Put<'_>, disk: &mut Json) -> Outcome<()> {
    if disk["caching"].is_null() {
        disk["caching"] = json!("None");
    }
    let id = disk["managedDisk"]["id"].as_str().map(str::to_owned);
    let there = id
        .as_ref()
        .and_then(|id| put.world.find(id))
        .filter(|t| t.id.kind.is(&DISK));
    match disk["createOption"].as_str() {
        Some("Attach") => {
            let Some(found) = there else {
                let message = format!("Disk {} is not found.", id.unwrap_or_default());
                return Err(ArmError::new(404, "NotFound", message));
            };
            if matches!(found.state, State::Working { .. }) {
                return Err(ArmError::busy());
            }
            let owner = super::with_disk(put.world, &found.id.text());
            if let Some(owner) = owner.filter(|o| o.id.key() != put.id.key()) {
                let message = format!(
                    "Disk '{}' cannot be attached as the disk is already owned by VM '{}'.",
                    found.id.name(),
                    owner.id.text()
                );
                return Err(ArmError::conflict("ConflictingUserInput", message));
            }
            let zone = |b: &Json| b["zones"].get(0).cloned();
            if zone(&found.body) != zone(&put.body) {
                let message = format!(
                    "Disk {} cannot be attached to the VM because it is not in the same zone as the VM.",
                    found.id.name()
                );
                return Err(ArmError::bad("BadRequest", message));
            }
            disk["name"] = json!(found.id.name());
            disk["managedDisk"] =
                json!({ "id": found.id.text(), "storageAccountType": found.body["sku"]["name"] });
            disk["diskSizeGB"] = found.body["properties"]["diskSizeGB"].clone();
        }
        Some("Empty") => {
            let name = disk["name"].as_str().unwrap_or_default();
            if name.is_empty() || disk["diskSizeGB"].is_null() {
                let message = "A data disk that is made with the machine has a name and a size.";
                return Err(ArmError::parameter("dataDisk", message));
            }
            let id = put.id.beside(&DISK, name);
            disk["managedDisk"]["id"] = json!(id.text());
            if disk["managedDisk"]["storageAccountType"].is_null() {
                disk["managedDisk"]["storageAccountType"] = json!("Premium_LRS");
            }
        }
        other => {
            let message =
                format!("The value {other:?} of parameter 'dataDisk.createOption' is invalid.");
            return Err(ArmError::parameter("dataDisk.createOption", message));
        }
    }
    if disk["deleteOption"].is_null() {
        disk["deleteOption"] = json!("Detach");
    }
    Ok(())
}

/// Makes the disks that a machine brings with it.
pub(super) fn make(world: &mut World, machine: &Thing, now: Instant) {
    let storage = &machine.body["properties"]["storageProfile"];
    let data = storage["dataDisks"].as_array().into_iter().flatten();
    for disk in std::iter::once(&storage["osDisk"]).chain(data) {
        let name = disk["name"].as_str().unwrap_or_default();
        let id = machine.id.beside(&DISK, name);
        let size = disk["diskSizeGB"].clone();
        if world.things.contains_key(&id.key()) {
            continue;
        }
        if disk["createOption"] == "Attach" {
            continue;
        }
        let mut body = json!({
            "location": machine.body["location"], "tags": {},
            "sku": { "name": disk["managedDisk"]["storageAccountType"] },
            "properties": {
                "creationData": { "createOption": disk["createOption"] },
                "diskSizeGB": size, "networkAccessPolicy": "AllowAll",
                "publicNetworkAccess": "Enabled",
                "encryption": { "type": "EncryptionAtRestWithPlatformKey" },
            },
        });
        if disk["osType"].is_string() {
            body["properties"]["osType"] = disk["osType"].clone();
            body["properties"]["hyperVGeneration"] = json!("V2");
        }
        if machine.body["zones"].is_array() {
            body["zones"] = machine.body["zones"].clone();
        }
        let made = Thing {
            body,
            state: State::Succeeded,
            born: now,
            version: 1,
            id,
        };
        world.things.insert(made.id.key(), made);
    }
}
