//! Azure Resource Manager: compute, network and resource groups. What is not served is refused.
//!
//! One request's way:
//!
//! 1. `login` answers where tokens and endpoints are asked for; all else needs a token, a version
//!    of the API and a subscription;
//! 2. `id` says what the path asks for, of which `kinds` of resource;
//! 3. `models` holds the body against Microsoft's models of it, field by field;
//! 4. `arm` does what is the same for all: conflicts, places, names, tags, operations that take
//!    their time, lists by pages; a kind's own rules refuse, complete and show the rest;
//! 5. `world` keeps it, and ends by the clock what goes on.
//!
//! Any client secret is good but `wrong`, any token but `expired`, and any subscription but
//! `ffffffff-ffff-ffff-ffff-ffffffffffff`. There is one tenant.

mod address;
mod arm;
mod cidr;
mod disk;
mod error;
mod groups;
mod id;
mod interface;
mod kinds;
mod login;
mod machine;
mod models;
mod network;
mod places;
mod security;
mod small;
mod world;

use crate::{
    Call, Cloud, Machine, Trouble,
    http::{Answer, Reply, Request},
};
use error::{ArmError, Outcome};
use http::Method;
use id::{Id, Target};
use kinds::{MACHINE, SSH_KEY};
use serde_json::json;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use world::World;

/// The API.
#[derive(Debug, Default)]
pub struct Azure {
    world: Mutex<World>,
}

impl Azure {
    fn world(&self, now: Instant) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle(now);
        world
    }
}

impl Cloud for Azure {
    fn operation(&self, request: &Request) -> String {
        let target = id::target(&request.parts());
        target.map_or_else(|| request.path.clone(), |t| name(&request.method, &t))
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let reply = match login::answer(call) {
            Some(reply) => reply,
            None => match self.served(call) {
                Ok(reply) => reply,
                Err(e) => e.reply(),
            },
        };
        let number = self.world(call.now).uuid();
        reply.with("x-ms-request-id", number).into()
    }

    fn machines(&self, now: Instant) -> Vec<Machine> {
        machine::all(&self.world(now))
    }

    fn objects(&self, now: Instant) -> Vec<String> {
        let world = self.world(now);
        let things = world.things.values().map(|t| t.id.text());
        let groups = world.groups.values().map(|g| g.id.clone());
        groups.chain(things).collect()
    }
}

/// The name of a call, as Microsoft's specification has it.
fn name(method: &Method, target: &Target) -> String {
    let what = |calls: &str, one: bool| {
        let verb = match (method.as_str(), one) {
            ("PUT", _) => "CreateOrUpdate",
            ("PATCH", _) => "Update",
            ("DELETE", _) => "Delete",
            ("HEAD", _) => "CheckExistence",
            (_, true) => "Get",
            (_, false) => "List",
        };
        format!("{calls}_{verb}")
    };
    match target {
        Target::Subscriptions => "Subscriptions_List".into(),
        Target::Subscription => "Subscriptions_Get".into(),
        Target::Locations => "Subscriptions_ListLocations".into(),
        Target::Providers(None) => "Providers_List".into(),
        Target::Providers(Some(_)) if *method == Method::POST => "Providers_Register".into(),
        Target::Providers(Some(_)) => "Providers_Get".into(),
        Target::Groups => "ResourceGroups_List".into(),
        Target::Group(_) => what("ResourceGroups", true),
        Target::Resources(_) => "Resources_ListByResourceGroup".into(),
        Target::Thing { id, action: None } => match (method.as_str(), id.kind.namespace) {
            ("PATCH", "Microsoft.Network") => format!("{}_UpdateTags", id.kind.calls),
            _ => what(id.kind.calls, true),
        },
        Target::Thing {
            id,
            action: Some(action),
        } => {
            let (first, rest) = action.split_at(action.len().min(1));
            format!("{}_{}{rest}", id.kind.calls, first.to_uppercase())
        }
        Target::List { kind, group, .. } => match group {
            Some(_) => what(kind.calls, false),
            None => format!("{}_ListAll", kind.calls),
        },
        Target::Regional(_, _, rest) => match rest.first().map(String::as_str) {
            Some("publishers") => "VirtualMachineImages_List".into(),
            Some("vmSizes") => "VirtualMachineSizes_List".into(),
            Some("usages") => "Usage_List".into(),
            Some("operations") => "Operations_Get".into(),
            _ => "OperationResults_Get".into(),
        },
        Target::Skus => "ResourceSkus_List".into(),
        Target::Result(_) => "OperationResults_Get".into(),
    }
}

fn check_head(call: &Call<'_>, parts: &[&str]) -> Outcome<String> {
    let token = call.request.header("authorization").unwrap_or_default();
    let token = token.strip_prefix("Bearer ").unwrap_or_default();
    if token.is_empty() {
        let message = "Authentication failed. The 'Authorization' header is missing.";
        return Err(ArmError::new(401, "AuthenticationFailed", message));
    }
    if token == "expired" {
        let message = "The access token expiry UTC time is earlier than current UTC time.";
        return Err(ArmError::new(401, "ExpiredAuthenticationToken", message));
    }
    let version = call.request.query("api-version").unwrap_or_default();
    if version.is_empty() {
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(ArmError::bad("MissingApiVersionParameter", message));
    }
    let plain = version.trim_end_matches("-preview");
    let numbers: Vec<&str> = plain.split('-').collect();
    let is_date = matches!(numbers.as_slice(), [y, m, d] if y.len() == 4 && m.len() == 2 && d.len() == 2)
        && numbers
            .iter()
            .all(|n| n.chars().all(|c| c.is_ascii_digit()));
    if !is_date || plain < "2016-01-01" {
        let message = format!(
            "The api-version '{version}' is invalid. The supported versions are '2024-07-01,2024-05-01,2024-03-01'."
        );
        return Err(ArmError::bad("InvalidApiVersionParameter", message));
    }
    let subscription = id::subscription(parts).unwrap_or_default();
    let wrong =
        subscription.len() != 36 || subscription.bytes().filter(|b| *b == b'-').count() != 4;
    if parts.len() > 1 && wrong {
        let message = format!(
            "The provided subscription identifier '{subscription}' is malformed or invalid."
        );
        return Err(ArmError::bad("InvalidSubscriptionId", message));
    }
    if subscription.starts_with("ffffffff") {
        let message = format!("The subscription '{subscription}' could not be found.");
        return Err(ArmError::new(404, "SubscriptionNotFound", message));
    }
    Ok(subscription)
}

impl Azure {
    fn served(&self, call: &Call<'_>) -> Outcome<Reply> {
        match call.trouble {
            Some(Trouble::Throttle) => return Err(ArmError::throttled()),
            Some(Trouble::Repeat) => return Err(ArmError::repeated(call.request)),
            _ => {}
        }
        let parts = call.request.parts();
        let subscription = check_head(call, &parts)?;
        let target = id::target(&parts).ok_or_else(|| {
            let message = format!(
                "The resource type of {} could not be found.",
                call.request.path
            );
            ArmError::new(404, "InvalidResourceType", message)
        })?;
        let mut world = self.world(call.now);
        let world = &mut *world;
        match target {
            Target::Subscriptions => Ok(Reply::json(200, &json!({ "value": [] }))),
            Target::Subscription => Ok(Reply::json(200, &groups::subscription(&subscription))),
            Target::Locations => Ok(Reply::json(200, &groups::locations(&subscription))),
            Target::Providers(one) => groups::providers(world, call, &subscription, one.as_deref()),
            Target::Groups => Ok(groups::list(world, call, &subscription)),
            Target::Group(name) => groups::one(world, call, &subscription, &name),
            Target::Resources(name) => {
                let id = format!("/subscriptions/{subscription}/resourceGroups/{name}");
                arm::resources(world, call, &id)
            }
            Target::Thing { id, action: None } => thing(world, call, &id),
            Target::Thing {
                id,
                action: Some(action),
            } => act(world, call, &id, &action),
            Target::List { kind, group, names } => {
                arm::list(world, call, kind, (&subscription, group.as_deref()), &names)
            }
            Target::Regional(namespace, place, rest) => {
                regional(world, call, (&subscription, &namespace, &place), &rest)
            }
            Target::Skus => Ok(places::skus(call)),
            Target::Result(operation) => arm::result(world, call, &operation),
        }
    }
}

fn thing(world: &mut World, call: &Call<'_>, id: &Id) -> Outcome<Reply> {
    match call.request.method {
        Method::GET => arm::get(world, call, id),
        Method::PUT => arm::put(world, call, id),
        Method::PATCH => arm::patch(world, call, id),
        Method::DELETE => arm::delete(world, call, id),
        _ => {
            let message = "The requested resource does not support this http method.";
            Err(ArmError::new(405, "MethodNotAllowed", message))
        }
    }
}

fn act(world: &mut World, call: &Call<'_>, id: &Id, action: &str) -> Outcome<Reply> {
    if id.kind.is(&MACHINE) {
        return machine::action(world, call, id, action);
    }
    let missing = || {
        let message = format!("The action '{action}' could not be found.");
        ArmError::new(404, "InvalidResourceType", message)
    };
    if !id.kind.is(&SSH_KEY) || !action.eq_ignore_ascii_case("generateKeyPair") {
        return Err(missing());
    }
    let key = world.things.get_mut(&id.key()).ok_or_else(missing)?;
    let public =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q weir";
    key.body["properties"]["publicKey"] = json!(public);
    let answer = json!({
        "id": id.text(), "publicKey": public,
        "privateKey": "-----BEGIN OPENSSH PRIVATE KEY-----\nnone\n-----END OPENSSH PRIVATE KEY-----\n",
    });
    Ok(Reply::json(200, &answer))
}

fn regional(
    world: &World,
    call: &Call<'_>,
    (subscription, namespace, place): (&str, &str, &str),
    rest: &[String],
) -> Outcome<Reply> {
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["operations", operation] => arm::operation(world, call, operation),
        ["operationResults", operation] => arm::result(world, call, operation),
        _ if namespace.eq_ignore_ascii_case("Microsoft.Compute") => {
            let used = |place: &str| machine::cores(world, place);
            places::regional(call, subscription, place, rest, used)
        }
        _ => {
            let message = format!("The resource type '{}' could not be found.", rest.join("/"));
            Err(ArmError::new(404, "InvalidResourceType", message))
        }
    }
}
