//! The machines, for a lab that makes them real.

use super::{
    route::Scope,
    world::{Thing, World},
};
use crate::{Machine, Power, SshKey};
use serde_json::Value as Json;
use std::{collections::BTreeMap, time::Instant};

/// All machines of all projects that run or are stopped.
pub fn all(world: &World, now: Instant) -> Vec<Machine> {
    let mut all = Vec::new();
    for (key, thing) in &world.things {
        let gone = thing.gone.is_some() || thing.ready > now;
        let Scope::Zone(zone) = &key.scope else {
            continue;
        };
        if key.kind != "instances" || gone {
            continue;
        }
        let Some(power) = power(thing, now) else {
            continue;
        };
        let metadata = metadata(&thing.body["metadata"]);
        let interface = &thing.body["networkInterfaces"][0];
        let text = |v: &Json| v.as_str().map(str::to_owned);
        let user_data = (metadata.get("user-data")).or_else(|| metadata.get("startup-script"));
        all.push(Machine {
            cloud: "google",
            id: text(&thing.body["id"]).unwrap_or_default(),
            power,
            name: key.name.clone(),
            place: zone.clone(),
            address: text(&interface["networkIP"]).unwrap_or_default(),
            public_address: text(&interface["accessConfigs"][0]["natIP"]),
            ssh_keys: keys(metadata.get("ssh-keys").map_or("", String::as_str)),
            user_data: user_data.cloned(),
            metadata,
        });
    }
    all
}

/// None while it is on its way up.
fn power(thing: &Thing, now: Instant) -> Option<Power> {
    let mut body = thing.body.clone();
    super::instances::view(thing, &mut body, now);
    match body["status"].as_str() {
        Some("RUNNING") => Some(Power::Running),
        Some("STOPPING" | "TERMINATED") => Some(Power::Stopped),
        _ => None,
    }
}

fn metadata(value: &Json) -> BTreeMap<String, String> {
    let items = value["items"].as_array().into_iter().flatten();
    let pair = |i: &Json| {
        Some((
            i["key"].as_str()?.to_owned(),
            i["value"].as_str()?.to_owned(),
        ))
    };
    items.filter_map(pair).collect()
}

/// `USER:KEY` on every line.
fn keys(text: &str) -> Vec<SshKey> {
    let pairs = text.lines().filter_map(|line| line.trim().split_once(':'));
    let key = |(user, key): (&str, &str)| SshKey {
        user: user.into(),
        key: key.trim().into(),
    };
    pairs.map(key).collect()
}
