//! Disks of a zone.

use super::{
    catalog,
    error::{Outcome, Refusal},
    kinds::Asked,
    route::{Key, LINKS},
    world::{Object, World, default, integer},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// Completes a new disk.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    if let Some(image) = asked.query("sourceImage") {
        let image = json!(image);
        asked.body.insert("sourceImage".into(), image);
    }
    complete(world, &asked.key, &mut asked.body)
}

/// Sets what a disk has where nothing is said.
///
/// # Errors
/// A field can't be as it is.
pub fn complete(world: &mut World, key: &Key, body: &mut Object) -> Outcome<()> {
    let kind = body
        .get("type")
        .and_then(Json::as_str)
        .unwrap_or("pd-standard");
    let name = kind.rsplit('/').next().unwrap_or_default().to_owned();
    let Some((_, least)) = catalog::DISK_TYPES.iter().find(|(n, _)| *n == name) else {
        let why = format!("Disk type with name '{name}' does not exist in zone.");
        return Err(Refusal::invalid("type", &json!(kind), &why));
    };
    let place = format!("{LINKS}projects/{}/{}", key.project, key.scope);
    body.insert("type".into(), json!(format!("{place}/diskTypes/{name}")));
    let image = image(key, body.get("sourceImage"))?;
    let of_image = image.as_ref().and_then(|i| integer(i.get("diskSizeGb")));
    if let Some(image) = &image {
        body.insert("sourceImage".into(), image["selfLink"].clone());
        body.insert("sourceImageId".into(), image["id"].clone());
        for field in ["licenses", "guestOsFeatures", "architecture"] {
            default(body, field, image[field].clone());
        }
    }
    let size = integer(body.get("sizeGb")).or(of_image).unwrap_or(500);
    if of_image.is_some_and(|least| size < least) {
        let why = format!(
            "Requested disk size cannot be smaller than the image size ({} GB)",
            of_image.unwrap_or(0)
        );
        return Err(Refusal::invalid("sizeGb", &json!(size.to_string()), &why));
    }
    if size < *least && image.is_none() || size > 65536 {
        let why = format!("Disk size: {size} GB must be between {least} GB and 65536 GB.");
        return Err(Refusal::invalid("sizeGb", &json!(size.to_string()), &why));
    }
    body.insert("sizeGb".into(), json!(size.to_string()));
    default(body, "physicalBlockSizeBytes", json!("4096"));
    default(body, "enableConfidentialCompute", json!(false));
    if !body.contains_key("labels") {
        body.insert("labels".into(), json!({}));
    }
    body.insert("labelFingerprint".into(), json!(world.fingerprint()));
    body.insert("status".into(), json!("READY"));
    Ok(())
}

/// The image that a field names.
///
/// # Errors
/// It is not there.
pub fn image(from: &Key, value: Option<&Json>) -> Outcome<Option<Json>> {
    let Some(value) = value.filter(|v| !v.is_null()) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    let Some(key) = Key::of_link(text, "images", from) else {
        return Err(Refusal::invalid(
            "sourceImage",
            value,
            "The URL is malformed.",
        ));
    };
    match catalog::image(&key) {
        Some(image) => Ok(Some(image)),
        None => Err(Refusal::not_found(&key.to_string())),
    }
}

/// Its own methods.
///
/// # Errors
/// It has no such method, or the method refuses.
pub fn act(world: &mut World, asked: &Asked<'_>, action: &str) -> Outcome<()> {
    let thing = world.ready(&asked.key, asked.at.now)?;
    match action {
        "resize" => {
            let (old, new) = (
                integer(thing.body.get("sizeGb")),
                integer(asked.body.get("sizeGb")),
            );
            match (old, new) {
                (Some(old), Some(new)) if new > old => {
                    thing.body.insert("sizeGb".into(), json!(new.to_string()));
                    Ok(())
                }
                (Some(old), _) => {
                    let value = asked.body.get("sizeGb").cloned().unwrap_or_default();
                    let why = format!(
                        "New disk size '{}' GiB must be larger than existing size '{old}' GiB.",
                        new.unwrap_or(0)
                    );
                    Err(Refusal::invalid("sizeGb", &value, &why))
                }
                _ => Err(Refusal::required("sizeGb")),
            }
        }
        _ => Err(asked.unserved()),
    }
}

/// Who uses it.
pub fn view(world: &World, key: &Key, body: &mut Object, now: Instant) {
    let users = users(world, key, now);
    if !users.is_empty() {
        body.insert("users".into(), json!(users));
    }
}

/// The links of the machines that a disk is attached to.
pub fn users(world: &World, key: &Key, now: Instant) -> Vec<String> {
    let link = json!(key.link());
    let uses = |t: &super::world::Thing| {
        let disks = t.body.get("disks").and_then(Json::as_array);
        disks.into_iter().flatten().any(|d| d["source"] == link)
    };
    let there = world.of_kind(&key.project, "instances", World::horizon(now));
    let there = there.filter(|(k, t)| k.scope == key.scope && t.gone.is_none_or(|gone| gone > now));
    there
        .filter(|(_, t)| uses(t))
        .map(|(k, _)| k.link())
        .collect()
}
