//! Keys, availability sets and proximity placement groups: what is made at once.

use super::{
    error::{ArmError, Outcome},
    id::Id,
    kinds::{AVAILABILITY_SET, MACHINE, PLACEMENT_GROUP, Put, Rules},
    world::{Thing, World},
};
use serde_json::{Value as Json, json};

pub(super) struct SshKey;
pub(super) struct AvailabilitySet;
pub(super) struct PlacementGroup;

/// Whether the text is a key that Azure takes: RSA of 2048 bits or more, or ed25519.
pub(super) fn is_key(text: &str) -> bool {
    use base64::Engine as _;
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let blob = words.next().unwrap_or_default();
    let blob = base64::engine::general_purpose::STANDARD.decode(blob);
    let Ok(blob) = blob else { return false };
    let named = blob
        .get(4..)
        .is_some_and(|rest| rest.starts_with(kind.as_bytes()));
    named
        && match kind {
            "ssh-rsa" => blob.len() >= 270,
            "ssh-ed25519" => blob.len() == 51,
            _ => false,
        }
}

impl Rules for SshKey {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        let Some(key) = put.body["properties"]["publicKey"].as_str() else {
            return Ok(None);
        };
        if !is_key(key) {
            let message = "The value of parameter publicKey is invalid: it is no SSH public key of RSA (2048 bits or more) or ED25519.";
            return Err(ArmError::parameter("publicKey", message));
        }
        Ok(None)
    }
}

/// Ids of the machines whose property refers to it.
fn members(world: &World, id: &Id, property: &str) -> Vec<Json> {
    let here = |t: &&Thing| {
        let there = t.body["properties"][property]["id"].as_str();
        there.is_some_and(|i| i.eq_ignore_ascii_case(&id.text()))
    };
    let all = world.of_kind(&MACHINE).filter(here);
    all.map(|t| json!({ "id": t.id.text() })).collect()
}

impl Rules for AvailabilitySet {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        if put.body["sku"].is_null() {
            put.body["sku"] = json!({ "name": "Classic" });
        }
        put.default("platformUpdateDomainCount", json!(5));
        put.default("platformFaultDomainCount", json!(3));
        let number = |key: &str| put.body["properties"][key].as_i64().unwrap_or(0);
        let (faults, updates) = (
            number("platformFaultDomainCount"),
            number("platformUpdateDomainCount"),
        );
        if !(1..=3).contains(&faults) {
            let message =
                format!("The specified fault domain count {faults} must fall in the range 1 to 3.");
            return Err(ArmError::parameter("platformFaultDomainCount", message));
        }
        if !(1..=20).contains(&updates) {
            let message = format!(
                "The specified update domain count {updates} must fall in the range 1 to 20."
            );
            return Err(ArmError::parameter("platformUpdateDomainCount", message));
        }
        put.stays("/properties/platformFaultDomainCount")?;
        put.stays("/properties/platformUpdateDomainCount")?;
        put.refers(
            &put.body["properties"]["proximityPlacementGroup"],
            &PLACEMENT_GROUP,
        )?;
        Ok(None)
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        body["properties"]["virtualMachines"] = json!(members(world, &thing.id, "availabilitySet"));
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        if members(world, &thing.id, "availabilitySet").is_empty() {
            return Ok(());
        }
        let message = format!(
            "Availability Set '{}' cannot be deleted. Before deleting an Availability Set please ensure that it does not contain any VM.",
            thing.id.name()
        );
        Err(ArmError::conflict("OperationNotAllowed", message))
    }
}

impl Rules for PlacementGroup {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        put.default("proximityPlacementGroupType", json!("Standard"));
        put.stays("/properties/proximityPlacementGroupType")?;
        put.stays("/zones")?;
        super::places::check_zones(&put.body)?;
        Ok(None)
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let property = "proximityPlacementGroup";
        body["properties"]["virtualMachines"] = json!(members(world, &thing.id, property));
        let sets = world.of_kind(&AVAILABILITY_SET).filter(|t| {
            let there = t.body["properties"][property]["id"].as_str();
            there.is_some_and(|i| i.eq_ignore_ascii_case(&thing.id.text()))
        });
        let sets: Vec<Json> = sets.map(|t| json!({ "id": t.id.text() })).collect();
        body["properties"]["availabilitySets"] = json!(sets);
    }

    fn free(&self, world: &World, thing: &Thing) -> Outcome<()> {
        if members(world, &thing.id, "proximityPlacementGroup").is_empty() {
            return Ok(());
        }
        let message = format!(
            "Proximity placement group '{}' cannot be deleted as it has virtual machines.",
            thing.id.name()
        );
        Err(ArmError::conflict("OperationNotAllowed", message))
    }
}
