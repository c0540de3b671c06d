//! All that there is in all projects, and the rules that hold for every kind.

use super::{
    catalog,
    error::{Outcome, Refusal},
    operations::Operations,
    route::{Key, LINKS, Scope},
};
use crate::Pace;
use serde_json::{Map, Value as Json, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A JSON object.
pub type Object = Map<String, Json>;

/// How long a thing may be worked on by one call, at most: longer waits are mistakes of a test.
const FOREVER: Duration = Duration::from_secs(86_400);

/// Something that was made.
#[derive(Debug, Clone)]
pub struct Thing {
    /// As the API shows it, but for what changes by itself.
    pub body: Object,
    /// From when reads and lists show it.
    pub seen: Instant,
    /// When it is made.
    pub ready: Instant,
    /// When it is gone, once that is known.
    pub gone: Option<Instant>,
    /// Machines: whether it runs, or since when it is on its way.
    pub power: Power,
}

/// Whether a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It does, or will, at this moment.
    On(Instant),
    /// It does not, or won't, from this moment.
    Off(Instant),
}

/// All there is.
#[derive(Debug)]
pub struct World {
    /// What was made.
    pub things: BTreeMap<Key, Thing>,
    /// What goes on.
    pub operations: Operations,
    began: Instant,
    count: u64,
}

/// Now, and how fast things go.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now.
    pub now: Instant,
    /// How fast things go.
    pub pace: Pace,
}

impl Moment {
    /// When an operation that begins now ends.
    pub fn end(self) -> Instant {
        self.now + self.pace.slow
    }
}

impl Default for World {
    fn default() -> World {
        World {
            things: BTreeMap::new(),
            operations: Operations::default(),
            began: Instant::now(),
            count: 0,
        }
    }
}

impl World {
    /// A number that nothing else has.
    pub fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// An id as Google's: a long number in text.
    pub fn id(&mut self) -> String {
        (4_000_000_000_000_000_000_u64 + self.number() * 7_919).to_string()
    }

    /// A fingerprint: another for every change.
    pub fn fingerprint(&mut self) -> String {
        use base64::Engine as _;
        let number = self.number().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        base64::engine::general_purpose::URL_SAFE.encode(number.to_be_bytes())
    }

    /// The moment as the API writes it. The clocks of clouds are all the same here.
    pub fn stamp(&self, at: Instant) -> String {
        let s = at.saturating_duration_since(self.began);
        let (minutes, seconds) = (s.as_secs() / 60, s.as_secs() % 60);
        let (hours, minutes) = (minutes / 60 % 24, minutes % 60);
        let ms = s.subsec_millis();
        format!("2026-01-01T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}-08:00")
    }

    /// The thing, if it is there, seen or not.
    pub fn there(&self, key: &Key, now: Instant) -> Option<&Thing> {
        let thing = self.things.get(key)?;
        thing.gone.is_none_or(|gone| gone > now).then_some(thing)
    }

    /// The thing, to be changed: it must be there and ready.
    ///
    /// # Errors
    /// It is not there, or not ready.
    pub fn ready(&mut self, key: &Key, now: Instant) -> Outcome<&mut Thing> {
        match self.things.get_mut(key) {
            Some(t) if t.gone.is_some_and(|gone| gone <= now) => {
                Err(Refusal::not_found(&key.to_string()))
            }
            Some(t) if t.ready > now || t.gone.is_some() => {
                Err(Refusal::not_ready(&key.to_string()))
            }
            Some(t) => Ok(t),
            None => Err(Refusal::not_found(&key.to_string())),
        }
    }

    /// What is there of a kind in a project and can be seen, in the order of names.
    pub fn of_kind<'a>(
        &'a self,
        project: &'a str,
        kind: &'a str,
        now: Instant,
    ) -> impl Iterator<Item = (&'a Key, &'a Thing)> {
        self.things.iter().filter(move |(key, thing)| {
            key.project == project
                && key.kind == kind
                && thing.seen <= now
                && thing.gone.is_none_or(|gone| gone > now)
        })
    }

    /// Adds a thing: it is there at once, and ready when the operation ends.
    pub fn add(&mut self, key: &Key, item: &str, mut body: Object, at: Moment) {
        body.insert("kind".into(), json!(format!("compute#{item}")));
        body.insert("id".into(), json!(self.id()));
        body.insert("name".into(), json!(key.name));
        body.insert("creationTimestamp".into(), json!(self.stamp(at.now)));
        body.insert("selfLink".into(), json!(key.link()));
        let place = format!("{LINKS}projects/{}/{}", key.project, key.scope);
        match key.scope {
            Scope::Global => {}
            Scope::Region(_) => drop(body.insert("region".into(), json!(place))),
            Scope::Zone(_) => drop(body.insert("zone".into(), json!(place))),
        }
        let thing = Thing {
            body,
            seen: at.now + at.pace.blind,
            ready: at.end(),
            gone: None,
            power: Power::On(at.end()),
        };
        self.things.insert(key.clone(), thing);
    }

    /// Begins to delete a thing.
    pub fn remove(&mut self, key: &Key, at: Moment) {
        if let Some(thing) = self.things.get_mut(key) {
            thing.gone = Some(at.end());
            thing.power = Power::Off(at.now);
        }
    }

    /// Forgets what has long been gone.
    pub fn sweep(&mut self, now: Instant) {
        self.things
            .retain(|_, t| t.gone.is_none_or(|gone| gone > now));
    }

    /// What the field refers to: it must be there, and ready. The field gets the whole link.
    ///
    /// # Errors
    /// It is none, not there, or not ready.
    pub fn refer(
        &self,
        body: &mut Object,
        (field, kind): (&str, &str),
        from: &Key,
        now: Instant,
    ) -> Outcome<Option<Key>> {
        let Some(value) = body.get(field).filter(|v| !v.is_null()).cloned() else {
            return Ok(None);
        };
        let key = self.referred(&value, (field, kind), from, now)?;
        body.insert(field.into(), json!(key.link()));
        Ok(Some(key))
    }

    /// As [`World::refer`], of a value that stands alone.
    ///
    /// # Errors
    /// As [`World::refer`].
    pub fn referred(
        &self,
        value: &Json,
        (field, kind): (&str, &str),
        from: &Key,
        now: Instant,
    ) -> Outcome<Key> {
        let text = value.as_str().unwrap_or_default();
        let Some(key) = Key::of_link(text, kind, from) else {
            return Err(Refusal::invalid(field, value, "The URL is malformed."));
        };
        let what = kind.trim_end_matches("es").trim_end_matches('s');
        match self.there(&key, now) {
            None => Err(Refusal::invalid(
                field,
                value,
                &format!("The referenced {what} resource cannot be found."),
            )),
            Some(t) if t.ready > now || t.gone.is_some() => {
                Err(Refusal::not_ready(&key.to_string()))
            }
            Some(_) => Ok(key),
        }
    }

    /// Something that still needs the thing.
    pub fn user_of(&self, key: &Key, now: Instant) -> Option<Key> {
        let link = key.link();
        let needs = |(other, thing): &(&Key, &Thing)| {
            *other != key
                && thing.gone.is_none_or(|gone| gone > now)
                && thing.body.iter().any(|(f, v)| mentions(f, v, &link))
        };
        self.things
            .iter()
            .find(needs)
            .map(|(other, _)| other.clone())
    }

    /// Whether it is about to be changed with a fingerprint that is not its own.
    ///
    /// # Errors
    /// It is.
    pub fn fingerprint_fits(now: Option<&Json>, given: Option<&Json>) -> Outcome<()> {
        match given {
            Some(given) if Some(given) == now => Ok(()),
            _ => Err(Refusal::condition()),
        }
    }

    /// The project's default network, as every new project has one.
    pub fn open(&mut self, project: &str, now: Instant) {
        let key = Key {
            project: project.into(),
            scope: Scope::Global,
            kind: "networks".into(),
            name: "default".into(),
        };
        if self.things.contains_key(&key) || project.ends_with("-cloud") {
            return;
        }
        let at = Moment {
            now,
            pace: Pace {
                slow: Duration::ZERO,
                blind: Duration::ZERO,
            },
        };
        let body =
            json!({"autoCreateSubnetworks": true, "routingConfig": {"routingMode": "REGIONAL"}});
        if let Json::Object(body) = body {
            self.add(&key, "network", body, at);
            super::networks::make_subnetworks(self, &key, at);
        }
    }

    /// The quotas of a project (`None`) or a region: metric, limit, usage.
    pub fn quotas(&self, project: &str, region: Option<&str>, now: Instant) -> Vec<Quota> {
        let count = |kind: &str| {
            let things = self.things.iter().filter(|(key, thing)| {
                key.project == project
                    && key.kind == kind
                    && key.scope.region() == region
                    && thing.gone.is_none_or(|gone| gone > now)
            });
            things.map(|(_, thing)| thing).collect::<Vec<_>>()
        };
        let plain = |metric, limit, kind| (metric, limit, count(kind).len() as u64);
        match region {
            None => vec![
                plain("NETWORKS", 15, "networks"),
                plain("FIREWALLS", 200, "firewalls"),
                plain("INSTANCE_TEMPLATES", 300, "instanceTemplates"),
                plain("ROUTERS", 20, "routers"),
            ],
            Some(_) => {
                let cpus = |t: &Thing| {
                    let machine = t.body.get("machineType").and_then(Json::as_str);
                    u64::from(machine.and_then(catalog::cpus).unwrap_or(0))
                };
                let used = count("instances").into_iter().map(cpus).sum();
                vec![
                    ("CPUS", 72, used),
                    plain("STATIC_ADDRESSES", 8, "addresses"),
                    plain("INSTANCES", 720, "instances"),
                ]
            }
        }
    }

    /// When nothing goes on any more, at the latest.
    pub fn horizon(now: Instant) -> Instant {
        now + FOREVER
    }
}

/// A quota: metric, limit, usage.
pub type Quota = (&'static str, u64, u64);

/// Whether a field holds the link, anywhere below it, as something that its thing needs.
fn mentions(field: &str, value: &Json, link: &str) -> bool {
    if matches!(field, "users" | "selfLink" | "sourceImage" | "subnetworks") {
        return match value {
            // A NAT names its subnetworks; a network lists those that are its own.
            Json::Array(all) if field == "subnetworks" => {
                all.iter().any(|v| v.is_object() && mentions("", v, link))
            }
            _ => false,
        };
    }
    match value {
        Json::String(text) => text == link,
        Json::Array(all) => all.iter().any(|v| mentions(field, v, link)),
        Json::Object(all) => all.iter().any(|(f, v)| mentions(f, v, link)),
        _ => false,
    }
}

/// The whole number of a field, written as a number or as text.
pub fn integer(value: Option<&Json>) -> Option<u64> {
    match value? {
        Json::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}

/// Sets what is not set.
pub fn default(body: &mut Object, field: &str, value: Json) {
    let slot = body.entry(field).or_insert(Json::Null);
    if slot.is_null() {
        *slot = value;
    }
}

/// Merges a patch into what is, as JSON merge patches do.
pub fn merge(body: &mut Object, patch: &Object) {
    for (field, new) in patch {
        match (body.get_mut(field), new) {
            (_, Json::Null) => drop(body.remove(field)),
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new),
            _ => drop(body.insert(field.clone(), new.clone())),
        }
    }
}
