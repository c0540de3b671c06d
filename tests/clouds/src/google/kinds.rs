//! What every kind can: be made, seen, listed, changed, deleted.

use super::{
    addresses, catalog, disks,
    error::{Outcome, Refusal},
    firewalls, instances, networks,
    operations::{self, Failed},
    route::{Ask, Key, Route, Scope},
    routers, subnetworks, templates,
    world::{Moment, Object, Thing, World},
};
use crate::{Trouble, http::Request};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// One call on one thing.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The thing.
    pub key: Key,
    /// The request's body.
    pub body: Object,
    /// When.
    pub at: Moment,
    /// As it came.
    pub request: &'a Request,
}

impl Asked<'_> {
    /// A value of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.request.query(name)
    }

    /// There is no such method here.
    pub fn unserved(&self) -> Refusal {
        let path = &self.request.path;
        Refusal::new(
            404,
            "notFound",
            format!("{path} is not served by this fake"),
        )
    }
}

/// A kind: its plural, what one is called, and where it lives.
const KINDS: [(&str, &str, &[Place]); 8] = [
    ("addresses", "address", &[Place::Region, Place::Global]),
    ("disks", "disk", &[Place::Zone]),
    ("firewalls", "firewall", &[Place::Global]),
    ("instanceTemplates", "instanceTemplate", &[Place::Global]),
    ("instances", "instance", &[Place::Zone]),
    ("networks", "network", &[Place::Global]),
    ("routers", "router", &[Place::Region]),
    ("subnetworks", "subnetwork", &[Place::Region]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Global,
    Region,
    Zone,
}

/// What one of a kind is called, where the kind lives in such a place.
pub fn item(key: &Key) -> Option<&'static str> {
    let place = match &key.scope {
        Scope::Global => Place::Global,
        Scope::Region(region) if catalog::has_region(region) => Place::Region,
        Scope::Zone(zone) if catalog::has_zone(zone) => Place::Zone,
        Scope::Region(_) | Scope::Zone(_) => return None,
    };
    let found = KINDS.iter().find(|(kind, ..)| *kind == key.kind);
    found
        .filter(|(.., places)| places.contains(&place))
        .map(|(_, item, _)| *item)
}

/// Does what changes the world: the operation that goes on.
///
/// # Errors
/// It is refused.
pub fn change(
    world: &mut World,
    ask: &Ask,
    mut asked: Asked<'_>,
    trouble: Option<Trouble>,
) -> Outcome<Key> {
    let failure = match trouble {
        Some(Trouble::Conflict) => return Err(Refusal::not_ready(&asked.key.to_string())),
        Some(Trouble::Throttle) => return Err(Refusal::throttled()),
        Some(Trouble::Capacity) => Some(Failed::capacity(&asked.key)),
        Some(Trouble::Quota) => Some(Failed::quota("CPUS", 24, "in region europe-west1")),
        // It was refused before.
        Some(Trouble::Repeat) | None => None,
    };
    let at = asked.at;
    let kind = match ask {
        Ask::Insert => return insert(world, asked, failure),
        _ if failure.is_some() => {
            world.ready(&asked.key, at.now)?;
            return Ok(operations::begin(world, &asked.key, "update", at, failure));
        }
        Ask::Delete => {
            delete(world, &asked)?;
            "delete".to_owned()
        }
        Ask::Patch | Ask::Update => {
            patch(world, &asked, *ask == Ask::Update)?;
            match ask {
                Ask::Patch => "patch".to_owned(),
                _ => "update".to_owned(),
            }
        }
        Ask::Action(action) => {
            act(world, &mut asked, action)?;
            action.clone()
        }
        Ask::List | Ask::AggregatedList | Ask::Get => return Err(asked.unserved()),
    };
    Ok(operations::begin(world, &asked.key, &kind, at, None))
}

fn insert(world: &mut World, mut asked: Asked<'_>, failure: Option<Failed>) -> Outcome<Key> {
    let Some(name) = asked.body.get("name").and_then(Json::as_str) else {
        return Err(Refusal::required("name"));
    };
    let fits = (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !fits {
        let why = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
        return Err(Refusal::invalid("name", &json!(name), why));
    }
    asked.key.name = name.to_owned();
    let Some(item) = item(&asked.key) else {
        return Err(asked.unserved());
    };
    if world.there(&asked.key, asked.at.now).is_some() {
        let message = format!("The resource '{}' already exists", asked.key);
        return Err(Refusal::new(409, "alreadyExists", message));
    }
    // What fails in the background leaves nothing.
    if failure.is_some() {
        return Ok(operations::begin(
            world, &asked.key, "insert", asked.at, failure,
        ));
    }
    if let Some(failure) = over_quota(world, &asked) {
        return Ok(operations::begin(
            world,
            &asked.key,
            "insert",
            asked.at,
            Some(failure),
        ));
    }
    match asked.key.kind.as_str() {
        "networks" => networks::insert(world, &mut asked)?,
        "subnetworks" => subnetworks::insert(world, &mut asked)?,
        "firewalls" => firewalls::insert(world, &mut asked)?,
        "addresses" => addresses::insert(world, &mut asked)?,
        "disks" => disks::insert(world, &mut asked)?,
        "routers" => routers::insert(world, &mut asked)?,
        "instanceTemplates" => templates::insert(world, &mut asked)?,
        _ => instances::insert(world, &mut asked)?,
    }
    world.add(&asked.key, item, asked.body, asked.at);
    if asked.key.kind == "networks" {
        networks::inserted(world, &asked.key, asked.at);
    }
    Ok(operations::begin(
        world, &asked.key, "insert", asked.at, None,
    ))
}

fn over_quota(world: &World, asked: &Asked<'_>) -> Option<Failed> {
    let metric = match asked.key.kind.as_str() {
        "instances" => return instances::limits(world, asked),
        "networks" => "NETWORKS",
        "firewalls" => "FIREWALLS",
        "routers" => "ROUTERS",
        "addresses" => "STATIC_ADDRESSES",
        "instanceTemplates" => "INSTANCE_TEMPLATES",
        _ => return None,
    };
    let region = asked
        .key
        .scope
        .region()
        .filter(|_| metric == "STATIC_ADDRESSES");
    let quotas = world.quotas(&asked.key.project, region, asked.at.now);
    let (_, limit, used) = quotas.into_iter().find(|(m, ..)| *m == metric)?;
    let place = region.map_or_else(|| "globally".to_owned(), |r| format!("in region {r}"));
    (used >= limit).then(|| Failed::quota(metric, limit, &place))
}

fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome<()> {
    let (key, at) = (&asked.key, asked.at);
    world.ready(key, at.now)?;
    match key.kind.as_str() {
        "networks" => networks::delete(world, key, at)?,
        "instances" => instances::delete(world, asked)?,
        "addresses" => {
            let body = world.ready(key, at.now)?.body.clone();
            if let Some(by) = addresses::users(world, key, &body, at.now).first() {
                return Err(Refusal::in_use("address", &key.to_string(), by));
            }
        }
        kind => {
            if let Some(by) = world.user_of(key, at.now) {
                let what = kind.trim_end_matches('s');
                return Err(Refusal::in_use(what, &key.to_string(), &by.to_string()));
            }
        }
    }
    world.remove(key, at);
    Ok(())
}

fn patch(world: &mut World, asked: &Asked<'_>, whole: bool) -> Outcome<()> {
    world.ready(&asked.key, asked.at.now)?;
    match asked.key.kind.as_str() {
        "networks" if !whole => {
            networks::patch(&asked.body)?;
            let thing = world.ready(&asked.key, asked.at.now)?;
            super::world::merge(&mut thing.body, &asked.body);
            Ok(())
        }
        "subnetworks" if !whole => subnetworks::patch(world, &asked.key, &asked.body, asked.at),
        "firewalls" => firewalls::change(world, asked, whole),
        "routers" => routers::change(world, asked, whole),
        _ => Err(asked.unserved()),
    }
}

fn act(world: &mut World, asked: &mut Asked<'_>, action: &str) -> Outcome<()> {
    let kind = asked.key.kind.clone();
    if action == "setLabels" && matches!(kind.as_str(), "addresses" | "disks" | "instances") {
        let fingerprint = world.fingerprint();
        let thing = world.ready(&asked.key, asked.at.now)?;
        let given = asked.body.get("labelFingerprint");
        World::fingerprint_fits(thing.body.get("labelFingerprint"), given)?;
        let labels = asked
            .body
            .get("labels")
            .cloned()
            .unwrap_or_else(|| json!({}));
        thing.body.insert("labels".into(), labels);
        thing
            .body
            .insert("labelFingerprint".into(), json!(fingerprint));
        return Ok(());
    }
    match kind.as_str() {
        "networks" if action == "switchToCustomMode" => {
            let thing = world.ready(&asked.key, asked.at.now)?;
            thing
                .body
                .insert("autoCreateSubnetworks".into(), json!(false));
            Ok(())
        }
        "subnetworks" => subnetworks::act(world, asked, action),
        "disks" => disks::act(world, asked, action),
        "instances" => instances::act(world, asked, action),
        _ => Err(asked.unserved()),
    }
}

/// A thing as it is now.
pub fn view(world: &World, key: &Key, thing: &Thing, now: Instant) -> Json {
    let mut body = thing.body.clone();
    match key.kind.as_str() {
        "networks" => networks::view(world, key, &mut body, now),
        "addresses" => addresses::view(world, key, &mut body, now),
        "disks" => disks::view(world, key, &mut body, now),
        "instances" => instances::view(thing, &mut body, now),
        _ => {}
    }
    body.retain(|_, v| match v {
        Json::Null => false,
        Json::Object(fields) => !fields.is_empty(),
        _ => true,
    });
    Json::Object(body)
}

/// Whether the route is one that the fake's kinds have.
pub fn is_served(route: &Route) -> bool {
    item(&route.key).is_some()
}
