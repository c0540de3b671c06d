//! Virtual machines.

mod checks;
mod disks;

use super::{
    arm,
    error::{ArmError, Outcome},
    id::Id,
    kinds::{MACHINE, Put, Rules},
    network, places,
    world::{State, Thing, Verb, World},
};
use crate::{Call, SshKey, Trouble, http::Reply};
use base64::Engine as _;
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, time::Instant};

pub(super) use checks::no_quota;

pub(super) struct Machine;

/// What only the fake keeps: not shown.
const POWER: &str = "weirPower";

/// The machine that has the interface.
pub(super) fn with_interface<'a>(world: &'a World, id: &str) -> Option<&'a Thing> {
    world.of_kind(&MACHINE).find(|m| {
        let all = m.body["properties"]["networkProfile"]["networkInterfaces"].as_array();
        let mut ids = all.into_iter().flatten().filter_map(|n| n["id"].as_str());
        ids.any(|i| i.eq_ignore_ascii_case(id))
    })
}

/// The machine that has the disk.
pub(super) fn with_disk<'a>(world: &'a World, id: &str) -> Option<&'a Thing> {
    world.of_kind(&MACHINE).find(|m| {
        let mut ids = disks::of(&m.body).into_iter();
        ids.any(|(i, _)| i.eq_ignore_ascii_case(id))
    })
}

pub(super) fn is_running(machine: &Thing) -> bool {
    machine.body["properties"][POWER] == "running"
}

/// Cores in use at a location, by family.
pub(super) fn cores(world: &World, location: &str) -> Vec<(&'static str, u32)> {
    let mut all: BTreeMap<&'static str, u32> = BTreeMap::new();
    for m in world
        .of_kind(&MACHINE)
        .filter(|m| m.body["location"] == location)
    {
        let name = m.body["properties"]["hardwareProfile"]["vmSize"].as_str();
        if let Some(size) = name.and_then(places::size_of) {
            *all.entry(size.family).or_default() += size.cores;
        }
    }
    all.into_iter().collect()
}

impl Rules for Machine {
    fn put(&self, put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        for key in [
            "hardwareProfile",
            "storageProfile",
            "osProfile",
            "networkProfile",
            "priority",
            "evictionPolicy",
        ] {
            put.keep(key);
        }
        checks::size(put)?;
        checks::place(put)?;
        checks::unchanged(put)?;
        checks::login(put)?;
        checks::market(put)?;
        disks::check(put)?;
        checks::interfaces(put)?;
        let power = put
            .old
            .map_or(json!("running"), |o| o["properties"][POWER].clone());
        put.body["properties"][POWER] = power;
        if put.trouble == Some(Trouble::Capacity) && put.old.is_none() {
            put.body["properties"][POWER] = json!("none");
            return Ok(Some(checks::no_capacity(&put.body)));
        }
        Ok(None)
    }

    fn written(&self, world: &mut World, thing: &Thing, now: Instant) {
        disks::make(world, thing, now);
    }

    fn view(&self, world: &World, thing: &Thing, body: &mut Json) {
        let p = &mut body["properties"];
        let disk = &mut p["storageProfile"]["osDisk"];
        let there = disk["managedDisk"]["id"]
            .as_str()
            .and_then(|id| world.find(id));
        if let Some(there) = there {
            disk["diskSizeGB"] = there.body["properties"]["diskSizeGB"].clone();
        }
        p["vmId"] = json!(network::guid(thing));
        p["timeCreated"] = json!("2026-01-01T00:00:00.0000000+00:00");
        if let Some(p) = p.as_object_mut() {
            p.remove(POWER);
        }
        // What was handed in as a secret is never told again.
        if let Some(os) = p["osProfile"].as_object_mut() {
            os.remove("adminPassword");
            os.remove("customData");
        }
        if let Some(p) = p.as_object_mut() {
            p.remove("userData");
        }
        let assigned = body["identity"]["type"]
            .as_str()
            .is_some_and(|t| t.contains("SystemAssigned"));
        if assigned {
            body["identity"]["principalId"] = json!(network::guid(thing));
            body["identity"]["tenantId"] = json!(places::TENANT);
        }
    }

    fn expand(&self, _world: &World, thing: &Thing, what: &str, body: &mut Json) {
        match what {
            "instanceView" => body["properties"]["instanceView"] = instance_view(thing),
            "userData" => {
                body["properties"]["userData"] = thing.body["properties"]["userData"].clone();
            }
            _ => {}
        }
    }

    fn gone(&self, world: &mut World, thing: &Thing) {
        for (id, with) in disks::of(&thing.body) {
            if with {
                world.remove(&id.to_lowercase());
            }
        }
        let nics = thing.body["properties"]["networkProfile"]["networkInterfaces"].as_array();
        for nic in nics.into_iter().flatten() {
            if nic["properties"]["deleteOption"] == "Delete"
                && let Some(id) = nic["id"].as_str()
            {
                world.remove(&id.to_lowercase());
            }
        }
    }
}

fn instance_view(thing: &Thing) -> Json {
    let power = thing.body["properties"][POWER].as_str().unwrap_or("none");
    let state = thing.state.text().to_lowercase();
    let mut statuses = vec![json!({
        "code": format!("ProvisioningState/{state}"), "level": "Info",
        "displayStatus": format!("Provisioning {state}"),
    })];
    if power != "none" {
        statuses.push(json!({
            "code": format!("PowerState/{power}"), "level": "Info",
            "displayStatus": format!("VM {power}"),
        }));
    }
    json!({ "computerName": thing.id.name(), "osName": "linux", "statuses": statuses })
}

/// What can be done with one beside PUT and its like.
pub(super) fn action(world: &mut World, call: &Call<'_>, id: &Id, what: &str) -> Outcome<Reply> {
    let Some(thing) = world.things.get(&id.key()).cloned() else {
        arm::group(world, &id.group_id(), None)?;
        let message = format!("The Resource '{}' was not found.", id.text());
        return Err(ArmError::new(404, "ResourceNotFound", message));
    };
    if what.eq_ignore_ascii_case("instanceView") {
        return Ok(Reply::json(200, &instance_view(&thing)));
    }
    let power = match what.to_lowercase().as_str() {
        "start" | "restart" | "redeploy" => "running",
        "poweroff" => "stopped",
        "deallocate" => "deallocated",
        _ => {
            let message = format!("The action '{what}' is not supported.");
            return Err(ArmError::new(404, "InvalidResourceType", message));
        }
    };
    if matches!(thing.state, State::Working { .. }) || call.trouble == Some(Trouble::Conflict) {
        return Err(ArmError::busy());
    }
    let fate = match (call.trouble, power) {
        (Some(Trouble::Capacity), "running") => Some(checks::no_capacity(&thing.body)),
        _ => None,
    };
    if let Some(thing) = world.things.get_mut(&id.key()) {
        if fate.is_none() {
            thing.body["properties"][POWER] = json!(power);
        }
        thing.state = State::Working {
            verb: Verb::Updating,
            until: call.now + call.pace.slow,
            fate: None,
        };
    }
    let operation = world.begin(call.now, call.pace.slow, fate, None);
    Ok(arm::asynchronous(
        Reply::empty(202),
        call,
        id,
        &operation,
        true,
    ))
}

/// The machines that run or are stopped.
pub(super) fn all(world: &World) -> Vec<crate::Machine> {
    let made = |t: &&Thing| {
        let not_yet = matches!(
            t.state,
            State::Working {
                verb: Verb::Creating | Verb::Deleting,
                ..
            }
        );
        let has_run = t.body["properties"][POWER] != "none";
        has_run && !not_yet
    };
    world
        .of_kind(&MACHINE)
        .filter(made)
        .map(|t| shown(world, t))
        .collect()
}

fn shown(world: &World, t: &Thing) -> crate::Machine {
    let p = &t.body["properties"];
    let nics = p["networkProfile"]["networkInterfaces"].as_array();
    let nics: Vec<&Json> = nics.into_iter().flatten().collect();
    let first = nics
        .iter()
        .find(|n| n["properties"]["primary"] == true)
        .or(nics.first());
    let nic = first
        .and_then(|n| n["id"].as_str())
        .and_then(|id| world.find(id));
    let config = nic.and_then(|n| n.body["properties"]["ipConfigurations"].get(0));
    let config = config.map_or(&Json::Null, |c| &c["properties"]);
    let public = config["publicIPAddress"]["id"]
        .as_str()
        .and_then(|id| world.find(id));
    let user = p["osProfile"]["adminUsername"].as_str().unwrap_or_default();
    let keys = p["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"].as_array();
    let data = p["osProfile"]["customData"].as_str();
    let data = data.and_then(|d| base64::engine::general_purpose::STANDARD.decode(d).ok());
    let tags = t.body["tags"].as_object();
    let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
    crate::Machine {
        cloud: "azure",
        id: t.id.text(),
        power: match is_running(t) {
            true => crate::Power::Running,
            false => crate::Power::Stopped,
        },
        name: text(&p["osProfile"]["computerName"]),
        place: match t.body["zones"].get(0).and_then(Json::as_str) {
            Some(zone) => format!("{}-{zone}", text(&t.body["location"])),
            None => text(&t.body["location"]),
        },
        address: text(&config["privateIPAddress"]),
        public_address: public.and_then(|p| super::address::address(world, p)),
        ssh_keys: (keys.into_iter().flatten())
            .map(|k| SshKey {
                user: user.to_owned(),
                key: text(&k["keyData"]),
            })
            .collect(),
        user_data: data.and_then(|d| String::from_utf8(d).ok()),
        metadata: (tags.into_iter().flatten())
            .map(|(k, v)| (k.clone(), text(v)))
            .collect(),
    }
}
