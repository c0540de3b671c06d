//! What is the same for every kind of resource: PUT, PATCH, GET, DELETE, lists and operations.

use super::{
    error::{ArmError, Outcome},
    id::Id,
    kinds::{Kind, Put, Span},
    models, places,
    world::{Group, Operation, State, Thing, Verb, World},
};
use crate::{Call, Trouble, http::Reply};
use serde_json::{Map, Value as Json, json};
use std::time::Instant;

/// How many of a list one page has.
const PAGE: usize = 20;

/// The body, which there has to be.
pub(super) fn body(call: &Call<'_>) -> Outcome<Json> {
    let wrong = |e: String| ArmError::bad("InvalidRequestContent", e);
    let body = call.request.json().map_err(wrong)?;
    let body = body.ok_or_else(|| wrong("The request content is empty.".into()))?;
    match body.is_object() {
        true => Ok(body),
        false => Err(wrong("The request content is no object.".into())),
    }
}

/// The group, which there has to be.
pub(super) fn group<'a>(world: &'a World, id: &str, now: Option<Instant>) -> Outcome<&'a Group> {
    let missing = || {
        let name = id.rsplit('/').next().unwrap_or(id);
        let message = format!("Resource group '{name}' could not be found.");
        ArmError::new(404, "ResourceGroupNotFound", message)
    };
    let group = world.groups.get(&id.to_lowercase()).ok_or_else(missing)?;
    match now {
        Some(_) if group.ends.is_some() => {
            let message = format!(
                "The resource group '{}' is in deprovisioning state and cannot perform this operation.",
                group.name
            );
            Err(ArmError::conflict("ResourceGroupBeingDeleted", message))
        }
        _ => Ok(group),
    }
}

fn missing(id: &Id) -> ArmError {
    if id.kind.parent().is_some() {
        let message = format!("Resource {} not found.", id.text());
        return ArmError::new(404, "NotFound", message);
    }
    let message = format!(
        "The Resource '{}/{}' under resource group '{}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        id.kind.type_name(),
        id.names.join("/"),
        id.group
    );
    ArmError::new(404, "ResourceNotFound", message)
}

/// GET and HEAD of one.
pub(super) fn get(world: &World, call: &Call<'_>, id: &Id) -> Outcome<Reply> {
    group(world, &id.group_id(), None)?;
    let thing = seen(world, call, id)?;
    let mut view = world.view(thing);
    if let Some(expand) = call.request.query("$expand") {
        id.kind.rules.expand(world, thing, expand, &mut view);
    }
    Ok(Reply::json(200, &view))
}

/// The thing, where it can be seen already.
fn seen<'a>(world: &'a World, call: &Call<'_>, id: &Id) -> Outcome<&'a Thing> {
    let thing = world.things.get(&id.key()).ok_or_else(|| missing(id))?;
    match thing.born + call.pace.blind > call.now {
        true => Err(missing(id)),
        false => Ok(thing),
    }
}

/// Checks what holds for all: group, name, location, tags, what goes on.
fn precheck(world: &World, call: &Call<'_>, id: &Id, body: &mut Json) -> Outcome<()> {
    group(world, &id.group_id(), Some(call.now))?;
    let kind = id.kind;
    if !kind.name_fits(id.name()) {
        let message = format!("Resource name {} is invalid.", id.name());
        return Err(ArmError::bad("InvalidResourceName", message));
    }
    if let Some(parent) = id.parent() {
        let around = world.things.get(&parent.key());
        let around = around.ok_or_else(|| {
            let message = format!(
                "Can not perform requested operation on nested resource. Parent resource '{}' not found.",
                parent.name()
            );
            ArmError::new(404, "ParentResourceNotFound", message)
        })?;
        idle(around)?;
        for sibling in world.below(&parent, kind) {
            idle(sibling)?;
        }
    } else {
        for below in world.things.values() {
            let inside = below.id.parent().is_some_and(|p| p.key() == id.key());
            if inside {
                idle(below)?;
            }
        }
    }
    let old = world.things.get(&id.key());
    if let Some(old) = old {
        idle(old)?;
    }
    if kind.tracked {
        located(id, old, body)?;
        tags(&mut body["tags"])?;
    }
    Ok(())
}

fn located(id: &Id, old: Option<&Thing>, body: &mut Json) -> Outcome<()> {
    let given = body["location"].as_str().unwrap_or_default().to_owned();
    if given.is_empty() {
        let message = "The location property is required for this definition.";
        return Err(ArmError::bad("LocationRequired", message));
    }
    let location = places::location(&given).ok_or_else(|| {
        let message = format!(
            "The provided location '{given}' is not available for resource type '{}'. List of available regions for the resource type is '{}'.",
            id.kind.type_name(),
            places::NAMES.join(",")
        );
        ArmError::bad("LocationNotAvailableForResourceType", message)
    })?;
    body["location"] = json!(location);
    let was = old.and_then(|o| o.body["location"].as_str());
    if was.is_some_and(|w| w != location) {
        let message = format!(
            "The resource '{}' already exists in location '{}' in resource group '{}'. A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
            id.name(),
            was.unwrap_or_default(),
            id.group
        );
        return Err(ArmError::conflict("InvalidResourceLocation", message));
    }
    Ok(())
}

fn tags(tags: &mut Json) -> Outcome<()> {
    let none = Map::new();
    let all = tags.as_object().unwrap_or(&none);
    if all.len() > 50 {
        let message = format!("The tags supplied exceed the limit: {} of 50.", all.len());
        return Err(ArmError::bad("InvalidTags", message));
    }
    for (name, value) in all {
        let wrong = name.is_empty()
            || name.len() > 512
            || name.contains(['<', '>', '%', '&', '\\', '?', '/']);
        if wrong {
            let message = format!(
                "The tag name '{name}' is not valid: it has at most 512 characters and none of <, >, %, &, \\, ?, /."
            );
            return Err(ArmError::bad("InvalidTagNameCharacters", message));
        }
        if value.as_str().is_none_or(|v| v.len() > 256) {
            let message = format!("The value of the tag '{name}' is longer than 256 characters.");
            return Err(ArmError::bad("InvalidTagValueLength", message));
        }
    }
    if tags.is_null() {
        *tags = json!({});
    }
    Ok(())
}

fn idle(thing: &Thing) -> Outcome<()> {
    match &thing.state {
        State::Working { .. } => Err(ArmError::busy()),
        State::Succeeded | State::Failed => Ok(()),
    }
}

/// PUT of one.
pub(super) fn put(world: &mut World, call: &Call<'_>, id: &Id) -> Outcome<Reply> {
    let mut body = body(call)?;
    models::check(id.kind.model, &mut body)?;
    write(world, call, id, body)
}

/// PATCH of one: its tags, and where the kind knows more, that too.
pub(super) fn patch(world: &mut World, call: &Call<'_>, id: &Id) -> Outcome<Reply> {
    let mut change = body(call)?;
    let Some(model) = id.kind.patch else {
        let message = "The requested resource does not support http method 'PATCH'.";
        return Err(ArmError::new(405, "MethodNotAllowed", message));
    };
    models::check(model, &mut change)?;
    let Some(thing) = world.things.get(&id.key()) else {
        group(world, &id.group_id(), Some(call.now))?;
        return Err(missing(id));
    };
    let mut body = thing.body.clone();
    merge(&mut body, &change);
    if id.kind.namespace == "Microsoft.Network" {
        // Its tags are all that changes, and that is done at once.
        idle(thing)?;
        tags(&mut body["tags"])?;
        let thing = world.things.get_mut(&id.key()).ok_or_else(|| missing(id))?;
        thing.body = body;
        thing.version += 1;
        let thing = thing.clone();
        return Ok(Reply::json(200, &world.view(&thing)));
    }
    write(world, call, id, body)
}

/// Merges objects; lists and tags are replaced whole.
fn merge(old: &mut Json, new: &Json) {
    let (Some(old), Some(new)) = (old.as_object_mut(), new.as_object()) else {
        return;
    };
    for (key, value) in new {
        match old.get_mut(key) {
            Some(was) if was.is_object() && value.is_object() && key != "tags" => merge(was, value),
            _ => {
                old.insert(key.clone(), value.clone());
            }
        }
    }
}

fn write(world: &mut World, call: &Call<'_>, id: &Id, mut body: Json) -> Outcome<Reply> {
    match call.trouble {
        Some(Trouble::Conflict) => return Err(ArmError::busy()),
        Some(Trouble::Quota) => return Err(id.kind.quota()),
        _ => {}
    }
    precheck(world, call, id, &mut body)?;
    if !body["properties"].is_object() {
        body["properties"] = json!({});
    }
    let old = world.things.get(&id.key()).cloned();
    // Names are kept as they were first written.
    let id = old.as_ref().map_or_else(|| id.clone(), |o| o.id.clone());
    let mut put = Put {
        world: &mut *world,
        id: &id,
        old: old.as_ref().map(|o| &o.body),
        body,
        trouble: call.trouble,
        now: call.now,
    };
    let fate = id.kind.rules.put(&mut put)?;
    let body = put.body;
    let verb = match old {
        Some(_) => Verb::Updating,
        None => Verb::Creating,
    };
    let state = match (id.kind.span, &fate) {
        (Span::AtOnce { .. }, _) => State::Succeeded,
        (Span::Long { .. }, fate) => State::Working {
            verb,
            until: call.now + call.pace.slow,
            fate: fate.clone(),
        },
    };
    let thing = Thing {
        id: id.clone(),
        body,
        state,
        born: old.as_ref().map_or(call.now, |o| o.born),
        version: old.as_ref().map_or(1, |o| o.version + 1),
    };
    world.things.insert(id.key(), thing.clone());
    id.kind.rules.written(world, &thing, call.now);
    let view = world.view(&thing);
    let status = match (id.kind.span, verb) {
        (Span::Long { made }, Verb::Creating) => made,
        (Span::Long { made: 202 }, _) => 202,
        (Span::AtOnce { made }, Verb::Creating) => made,
        _ => 200,
    };
    let reply = Reply::json(status, &view);
    if matches!(id.kind.span, Span::AtOnce { .. }) {
        return Ok(reply);
    }
    let operation = world.begin(call.now, call.pace.slow, fate, Some(id.key()));
    Ok(asynchronous(reply, call, &id, &operation, status == 202))
}

/// The headers by which a caller follows an operation.
pub(super) fn asynchronous(
    reply: Reply,
    call: &Call<'_>,
    id: &Id,
    operation: &str,
    located: bool,
) -> Reply {
    let place = format!(
        "{}/subscriptions/{}/providers/{}/locations/westeurope",
        call.request.origin, id.subscription, id.kind.namespace
    );
    let version = call.request.query("api-version").unwrap_or_default();
    let url = |what: &str| format!("{place}/{what}/{operation}?api-version={version}");
    let reply = reply
        .with("Azure-AsyncOperation", url("operations"))
        .with("Retry-After", seconds(call));
    match located {
        true => reply.with("Location", url("operationResults")),
        false => reply,
    }
}

fn seconds(call: &Call<'_>) -> String {
    call.pace.slow.as_secs().to_string()
}

/// DELETE of one.
pub(super) fn delete(world: &mut World, call: &Call<'_>, id: &Id) -> Outcome<Reply> {
    group(world, &id.group_id(), None)?;
    let Some(thing) = world.things.get(&id.key()).cloned() else {
        return Ok(Reply::empty(204));
    };
    if call.trouble == Some(Trouble::Conflict) {
        return Err(ArmError::busy());
    }
    let deleting = matches!(
        thing.state,
        State::Working {
            verb: Verb::Deleting,
            ..
        }
    );
    if !deleting {
        idle(&thing)?;
        if let Some(parent) = id.parent() {
            if let Some(around) = world.things.get(&parent.key()) {
                idle(around)?;
            }
            for sibling in world.below(&parent, id.kind) {
                idle(sibling)?;
            }
        }
        id.kind.rules.free(world, &thing)?;
    }
    if matches!(id.kind.span, Span::AtOnce { .. }) {
        world.remove(&id.key());
        return Ok(Reply::empty(200));
    }
    if let Some(thing) = world.things.get_mut(&id.key()) {
        thing.state = State::Working {
            verb: Verb::Deleting,
            until: call.now + call.pace.slow,
            fate: None,
        };
    }
    let operation = world.begin(call.now, call.pace.slow, None, None);
    Ok(asynchronous(Reply::empty(202), call, id, &operation, true))
}

/// A list, a page of it.
pub(super) fn page(call: &Call<'_>, all: Vec<Json>) -> Reply {
    let skip = call
        .request
        .query("$skiptoken")
        .and_then(|s| s.parse().ok());
    let skip: usize = skip.unwrap_or(0);
    let top = call.request.query("$top").and_then(|t| t.parse().ok());
    let size: usize = top.unwrap_or(PAGE).clamp(1, PAGE);
    let rest = all.len() > skip + size;
    let items: Vec<Json> = all.into_iter().skip(skip).take(size).collect();
    let mut page = json!({ "value": items });
    if rest {
        let kept = (call.request.query.iter()).filter(|(k, _)| k != "$skiptoken");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept);
        query.append_pair("$skiptoken", &(skip + size).to_string());
        let next = format!(
            "{}{}?{}",
            call.request.origin,
            call.request.path,
            query.finish()
        );
        page["nextLink"] = json!(next);
    }
    Reply::json(200, &page)
}

/// All of a kind.
pub(super) fn list(
    world: &World,
    call: &Call<'_>,
    kind: &'static Kind,
    (subscription, group_name): (&str, Option<&str>),
    names: &[String],
) -> Outcome<Reply> {
    let mut inside = format!("/subscriptions/{subscription}/");
    if let Some(name) = group_name {
        inside.push_str(&format!("resourcegroups/{name}"));
        group(world, &inside, None)?;
        inside.push('/');
    }
    let inside = inside.to_lowercase();
    if let (Some(parent), Some(name)) = (kind.parent(), group_name) {
        let parent = Id {
            subscription: subscription.to_owned(),
            group: name.to_owned(),
            kind: parent,
            names: names.to_vec(),
        };
        if !world.things.contains_key(&parent.key()) {
            return Err(missing(&parent));
        }
    }
    let here = |t: &&Thing| {
        let parents = t.id.names.iter().zip(names);
        t.id.key().starts_with(&inside)
            && t.born + call.pace.blind <= call.now
            && parents.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    let all = world.of_kind(kind).filter(here).map(|t| world.view(t));
    Ok(page(call, all.collect()))
}

/// What is in a group, as the generic API shows it.
pub(super) fn resources(world: &World, call: &Call<'_>, id: &str) -> Outcome<Reply> {
    group(world, id, None)?;
    let inside = format!("{}/", id.to_lowercase());
    let here = |(key, t): &(&String, &Thing)| key.starts_with(&inside) && t.id.parent().is_none();
    let all = world.things.iter().filter(here).map(|(_, t)| {
        json!({
            "id": t.id.text(), "name": t.id.name(), "type": t.id.kind.type_name(),
            "location": t.body["location"], "tags": t.body["tags"],
        })
    });
    Ok(page(call, all.collect()))
}

/// How far an operation is, as `Azure-AsyncOperation` leads to it.
pub(super) fn operation(world: &World, call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let found = known(world, id)?;
    let mut answer = json!({ "name": id });
    let over = found.until <= call.now;
    answer["status"] = json!(match (&found.fate, over) {
        (_, false) => "InProgress",
        (None, true) => "Succeeded",
        (Some(_), true) => "Failed",
    });
    if let (Some(fate), true) = (&found.fate, over) {
        answer["error"] = fate.body();
    }
    let reply = Reply::json(200, &answer);
    Ok(match over {
        true => reply,
        false => reply.with("Retry-After", seconds(call)),
    })
}

fn known<'a>(world: &'a World, id: &str) -> Outcome<&'a Operation> {
    world.operations.get(id).ok_or_else(|| {
        let message = format!("The operation with id '{id}' was not found.");
        ArmError::new(404, "OperationNotFound", message)
    })
}

/// What an operation has led to, as `Location` leads to it.
pub(super) fn result(world: &World, call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let found = known(world, id)?;
    if found.until > call.now {
        let version = call.request.query("api-version").unwrap_or_default();
        let again = format!(
            "{}{}?api-version={version}",
            call.request.origin, call.request.path
        );
        let reply = Reply::empty(202).with("Location", again);
        return Ok(reply.with("Retry-After", seconds(call)));
    }
    if let Some(fate) = &found.fate {
        return Err(fate.clone());
    }
    let thing = found.of.as_ref().and_then(|key| world.things.get(key));
    Ok(match thing {
        Some(thing) => Reply::json(200, &world.view(thing)),
        None => Reply::empty(200),
    })
}
