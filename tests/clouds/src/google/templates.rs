//! Instance templates: what a machine is to be, kept as it was said. They can't be changed.

use super::{
    disks,
    error::{Outcome, Refusal},
    kinds::Asked,
    world::{Object, World, default},
};
use serde_json::{Value as Json, json};

/// Completes a new template.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    let now = asked.at.now;
    let Some(Json::Object(mut body)) = asked.body.remove("properties") else {
        return Err(Refusal::required("properties"));
    };
    let machine = body.get("machineType").cloned();
    let machine = machine.ok_or_else(|| Refusal::required("properties.machineType"))?;
    if machine.as_str().is_some_and(|m| m.contains('/')) {
        let why = "A template names its machine type without a zone.";
        return Err(Refusal::invalid("properties.machineType", &machine, why));
    }
    let disks = body.get_mut("disks").and_then(Json::as_array_mut);
    for (index, disk) in disks.into_iter().flatten().enumerate() {
        let Json::Object(disk) = disk else { continue };
        if let Some(params) = disk.get("initializeParams") {
            disks::image(&asked.key, params.get("sourceImage"))?;
        }
        disk.insert("kind".into(), json!("compute#attachedDisk"));
        disk.insert("index".into(), json!(index));
        default(disk, "mode", json!("READ_WRITE"));
        default(disk, "type", json!("PERSISTENT"));
        default(disk, "boot", json!(false));
    }
    let interfaces = body
        .get_mut("networkInterfaces")
        .and_then(Json::as_array_mut);
    for (index, interface) in interfaces.into_iter().flatten().enumerate() {
        let Json::Object(interface) = interface else {
            continue;
        };
        for (field, kind) in [("network", "networks"), ("subnetwork", "subnetworks")] {
            let at = format!("properties.networkInterfaces[{index}].{field}");
            if let Some(value) = interface.get(field).cloned() {
                let key = world.referred(&value, (&at, kind), &asked.key, now)?;
                interface.insert(field.into(), json!(key.link()));
            }
        }
        interface.insert("kind".into(), json!("compute#networkInterface"));
        interface.insert("name".into(), json!(format!("nic{index}")));
        for config in interface
            .get_mut("accessConfigs")
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
        {
            let Json::Object(config) = config else {
                continue;
            };
            config.insert("kind".into(), json!("compute#accessConfig"));
            default(config, "type", json!("ONE_TO_ONE_NAT"));
            default(config, "name", json!("external-nat"));
        }
    }
    default(&mut body, "scheduling", json!({}));
    if let Some(Json::Object(scheduling)) = body.get_mut("scheduling") {
        complete_scheduling(scheduling);
    }
    for (field, kind) in [("metadata", Some("compute#metadata")), ("tags", None)] {
        if let Some(Json::Object(of)) = body.get_mut(field) {
            of.insert("fingerprint".into(), json!(world.fingerprint()));
            if let Some(kind) = kind {
                of.insert("kind".into(), json!(kind));
            }
        }
    }
    let id = world.id();
    asked.body.insert(
        "selfLinkUnique".into(),
        json!(format!("{}?uniqueId={id}", asked.key.link())),
    );
    asked.body.insert("properties".into(), Json::Object(body));
    Ok(())
}

fn complete_scheduling(s: &mut Object) {
    let spot = s.get("provisioningModel") == Some(&json!("SPOT"));
    default(s, "automaticRestart", json!(!spot));
    default(s, "preemptible", json!(spot));
    default(s, "provisioningModel", json!("STANDARD"));
    default(
        s,
        "onHostMaintenance",
        json!(if spot { "TERMINATE" } else { "MIGRATE" }),
    );
}
