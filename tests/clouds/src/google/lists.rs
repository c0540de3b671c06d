//! Reads: one thing, or pages of many.

use super::{
    catalog,
    error::{Outcome, Refusal},
    kinds::{self, view},
    route::{Ask, Key, LINKS, Route, Scope},
    world::World,
};
use crate::http::Request;
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, time::Instant};

/// One operation, or those of a place.
///
/// # Errors
/// It is not there.
pub fn operation(world: &World, route: &Route, now: Instant, request: &Request) -> Outcome<Json> {
    match &route.ask {
        Ask::List => page(
            "operation",
            &route.key,
            world.operations.list(&route.key, now),
            request,
        ),
        Ask::Get | Ask::Action(_) => (world.operations.view(&route.key, now))
            .ok_or_else(|| Refusal::not_found(&route.key.to_string())),
        _ => Err(Refusal::new(404, "notFound", "Not Found")),
    }
}

/// One thing.
///
/// # Errors
/// It is not there.
pub fn get(world: &World, key: &Key, now: Instant) -> Outcome<Json> {
    let missing = || Refusal::not_found(&key.to_string());
    let named = |all: Vec<Json>| all.into_iter().find(|v| v["name"] == *key.name);
    match key.kind.as_str() {
        "projects" => Ok(project(world, key, now)),
        "zones" => named(catalog::zones(&key.project)).ok_or_else(missing),
        "regions" => region(world, key, &key.name, now).ok_or_else(missing),
        "images" => catalog::image(key).ok_or_else(missing),
        "machineTypes" => match &key.scope {
            Scope::Zone(zone) if catalog::has_zone(zone) => {
                named(catalog::machine_types(&key.project, zone)).ok_or_else(missing)
            }
            _ => Err(missing()),
        },
        _ => {
            if kinds::item(key).is_none() {
                return Err(missing());
            }
            // A thing may be asked for by its number too.
            let by_id = key.name.bytes().all(|b| b.is_ascii_digit());
            let key = match by_id {
                true => world
                    .things
                    .iter()
                    .find(|(k, t)| {
                        k.project == key.project
                            && k.kind == key.kind
                            && k.scope == key.scope
                            && t.body.get("id").is_some_and(|id| *id == *key.name)
                    })
                    .map_or(key, |(k, _)| k),
                false => key,
            };
            let thing = world.there(key, now).filter(|t| t.seen <= now);
            thing.map(|t| view(world, key, t, now)).ok_or_else(missing)
        }
    }
}

fn quotas(world: &World, key: &Key, region: Option<&str>, now: Instant) -> Json {
    let all = world.quotas(&key.project, region, now);
    let all = all
        .into_iter()
        .map(|(metric, limit, usage)| json!({"metric": metric, "limit": limit, "usage": usage}));
    Json::Array(all.collect())
}

fn project(world: &World, key: &Key, now: Instant) -> Json {
    json!({
        "kind": "compute#project", "id": "123456789012", "name": key.project,
        "creationTimestamp": "2020-01-01T00:00:00.000-08:00",
        "defaultServiceAccount": "123456789012-compute@developer.gserviceaccount.com",
        "quotas": quotas(world, key, None, now), "defaultNetworkTier": "PREMIUM",
        "selfLink": format!("{LINKS}projects/{}", key.project),
    })
}

fn region(world: &World, key: &Key, name: &str, now: Instant) -> Option<Json> {
    catalog::region(&key.project, name, quotas(world, key, Some(name), now))
}

/// Things of a kind: of a place, or everywhere.
///
/// # Errors
/// There is no such kind; the filter or the page is none.
pub fn list(world: &World, route: &Route, request: &Request, now: Instant) -> Outcome<Json> {
    let key = &route.key;
    if route.ask == Ask::AggregatedList {
        return aggregated(world, key, request, now);
    }
    let (item, all) = match key.kind.as_str() {
        "zones" => ("zone", catalog::zones(&key.project)),
        "regions" => {
            let names = catalog::REGIONS.iter();
            (
                "region",
                names
                    .filter_map(|(n, ..)| region(world, key, n, now))
                    .collect(),
            )
        }
        "images" => ("image", catalog::images(&key.project)),
        "machineTypes" => match &key.scope {
            Scope::Zone(zone) if catalog::has_zone(zone) => {
                ("machineType", catalog::machine_types(&key.project, zone))
            }
            _ => return Err(Refusal::not_found(&key.to_string())),
        },
        _ => {
            let item = kinds::item(key).ok_or_else(|| Refusal::not_found(&key.to_string()))?;
            let here = world
                .of_kind(&key.project, &key.kind, now)
                .filter(|(k, _)| k.scope == key.scope);
            (item, here.map(|(k, t)| view(world, k, t, now)).collect())
        }
    };
    page(item, key, all, request)
}

fn aggregated(world: &World, key: &Key, request: &Request, now: Instant) -> Outcome<Json> {
    let mut places: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let all = match key.kind.as_str() {
        "machineTypes" => {
            let zones = catalog::zones(&key.project);
            let names = zones.iter().filter_map(|z| z["name"].as_str());
            names
                .flat_map(|z| {
                    catalog::machine_types(&key.project, z)
                        .into_iter()
                        .map(move |m| (format!("zones/{z}"), m))
                })
                .collect()
        }
        kind => {
            let things = world.of_kind(&key.project, kind, now);
            things
                .map(|(k, t)| (k.scope.to_string(), view(world, k, t, now)))
                .collect::<Vec<_>>()
        }
    };
    for (place, body) in all {
        if filtered(request, &body)? {
            places.entry(place).or_default().push(body);
        }
    }
    let items: serde_json::Map<String, Json> = (places.into_iter())
        .map(|(place, all)| (place, json!({ key.kind.clone(): all })))
        .collect();
    Ok(json!({
        "kind": format!("compute#{}AggregatedList", key.kind.trim_end_matches('s')),
        "id": format!("projects/{}/aggregated/{}", key.project, key.kind), "items": items,
    }))
}

fn page(item: &str, key: &Key, all: Vec<Json>, request: &Request) -> Outcome<Json> {
    let most = match request.query("maxResults") {
        None => 500,
        Some(text) => match text.parse::<usize>() {
            Ok(n) if n <= 500 => n.max(1),
            _ => {
                return Err(Refusal::invalid(
                    "maxResults",
                    &json!(text),
                    "Must be from 0 to 500.",
                ));
            }
        },
    };
    let after = request.query("pageToken").unwrap_or("0");
    let Ok(after) = after.parse::<usize>() else {
        return Err(Refusal::invalid(
            "pageToken",
            &json!(after),
            "It is not one of this list.",
        ));
    };
    let mut fitting = Vec::new();
    for body in all {
        if filtered(request, &body)? {
            fitting.push(body);
        }
    }
    let total = fitting.len();
    let items: Vec<Json> = fitting.into_iter().skip(after).take(most).collect();
    let next = after + items.len();
    let mut list = json!({
        "kind": format!("compute#{item}List"),
        "id": key.to_string().trim_end_matches('/'), "selfLink": key.link().trim_end_matches('/'),
    });
    if !items.is_empty() {
        list["items"] = Json::Array(items);
    }
    if next < total {
        list["nextPageToken"] = json!(next.to_string());
    }
    Ok(list)
}

/// Whether the thing fits the request's filter: `FIELD = VALUE`, `!=`, `eq`, `ne`, with a star for
/// anything, one after the other with `AND` or in parentheses.
fn filtered(request: &Request, body: &Json) -> Outcome<bool> {
    let Some(filter) = request.query("filter").filter(|f| !f.trim().is_empty()) else {
        return Ok(true);
    };
    let parts = filter.replace(") (", ") AND (").replace(" AND ", "\n");
    for part in parts.lines() {
        let part = part
            .trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .trim();
        let wrong =
            || Refusal::invalid("filter", &json!(filter), "Invalid list filter expression.");
        let split = [" eq ", " ne ", "!=", "="].iter().find_map(|op| {
            part.split_once(op)
                .map(|(field, value)| (field.trim(), op.trim(), value.trim()))
        });
        let (field, op, value) = split.ok_or_else(wrong)?;
        let value = value.trim_matches(['"', '\'']);
        let found = (field.split('.')).fold(body, |v, name| &v[name]);
        let text = match found {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => other.to_string(),
        };
        let same = match (op, value.trim_end_matches(".*").strip_suffix('*')) {
            (_, Some(prefix)) => text.starts_with(prefix),
            ("eq", None) if value.ends_with(".*") => text.starts_with(value.trim_end_matches(".*")),
            _ => text == value,
        };
        if same == matches!(op, "!=" | "ne") {
            return Ok(false);
        }
    }
    Ok(true)
}
