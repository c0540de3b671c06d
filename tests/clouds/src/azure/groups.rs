//! Resource groups, subscriptions, locations and providers of resources.

use super::{
    arm,
    error::{ArmError, Outcome},
    kinds, models, places,
    world::{Group, World},
};
use crate::{Call, Trouble, http::Reply};
use http::Method;
use serde_json::{Value as Json, json};

fn view(group: &Group) -> Json {
    json!({
        "id": group.id, "name": group.name, "type": "Microsoft.Resources/resourceGroups",
        "location": group.location, "tags": group.tags, "managedBy": group.managed_by,
        "properties": { "provisioningState": if group.ends.is_some() { "Deleting" } else { "Succeeded" } },
    })
}

fn name_fits(name: &str) -> bool {
    (1..=90).contains(&name.chars().count())
        && !name.ends_with('.')
        && (name.chars()).all(|c| c.is_alphanumeric() || "-_.()".contains(c))
}

/// All that can be done with one.
pub(super) fn one(
    world: &mut World,
    call: &Call<'_>,
    subscription: &str,
    name: &str,
) -> Outcome<Reply> {
    let id = format!("/subscriptions/{subscription}/resourceGroups/{name}");
    match call.request.method {
        Method::HEAD => Ok(match visible(world, call, &id) {
            Ok(_) => Reply::empty(204),
            Err(_) => Reply::empty(404),
        }),
        Method::GET => Ok(Reply::json(200, &view(visible(world, call, &id)?))),
        Method::PUT => put(world, call, &id, name),
        Method::PATCH => patch(world, call, &id),
        Method::DELETE => delete(world, call, &id, subscription),
        _ => Err(ArmError::new(
            405,
            "MethodNotAllowed",
            "The method is not allowed.",
        )),
    }
}

fn visible<'a>(world: &'a World, call: &Call<'_>, id: &str) -> Outcome<&'a Group> {
    let group = arm::group(world, id, None)?;
    match group.born + call.pace.blind > call.now {
        true => arm::group(&World::default(), id, None).map(|_| group),
        false => Ok(group),
    }
}

fn put(world: &mut World, call: &Call<'_>, id: &str, name: &str) -> Outcome<Reply> {
    let mut body = arm::body(call)?;
    models::check("Resources.ResourceGroup", &mut body)?;
    match call.trouble {
        Some(Trouble::Conflict) => return Err(ArmError::busy()),
        Some(Trouble::Quota) => {
            let message = "The subscription has reached its limit of 980 resource groups.";
            return Err(ArmError::conflict("ResourceGroupQuotaExceeded", message));
        }
        _ => {}
    }
    if !name_fits(name) {
        let message = format!(
            "The provided resource group name '{name}' has these invalid characters or is too long, or ends with a period."
        );
        return Err(ArmError::bad("InvalidResourceGroup", message));
    }
    let given = body["location"].as_str().unwrap_or_default();
    let location = places::location(given).ok_or_else(|| {
        let message = format!(
            "The provided location '{given}' is not available for resource group. List of available regions is '{}'.",
            places::NAMES.join(",")
        );
        ArmError::bad("LocationNotAvailableForResourceGroup", message)
    })?;
    let old = world.groups.get(&id.to_lowercase()).cloned();
    if let Some(old) = &old {
        arm::group(world, id, Some(call.now))?;
        if old.location != location {
            let message = format!(
                "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
                old.location
            );
            return Err(ArmError::conflict("InvalidResourceGroupLocation", message));
        }
    }
    let status = if old.is_some() { 200 } else { 201 };
    let group = Group {
        id: old.as_ref().map_or_else(|| id.to_owned(), |o| o.id.clone()),
        name: old
            .as_ref()
            .map_or_else(|| name.to_owned(), |o| o.name.clone()),
        location: location.to_owned(),
        tags: body["tags"].take(),
        managed_by: body["managedBy"].take(),
        born: old.map_or(call.now, |o| o.born),
        ends: None,
    };
    let reply = Reply::json(status, &view(&group));
    world.groups.insert(id.to_lowercase(), group);
    Ok(reply)
}

fn patch(world: &mut World, call: &Call<'_>, id: &str) -> Outcome<Reply> {
    let mut body = arm::body(call)?;
    models::check("Resources.ResourceGroupPatchable", &mut body)?;
    arm::group(world, id, Some(call.now))?;
    let group = world.groups.get_mut(&id.to_lowercase());
    let Some(group) = group else {
        return Ok(Reply::empty(404));
    };
    if body.get("tags").is_some() {
        group.tags = body["tags"].take();
    }
    Ok(Reply::json(200, &view(group)))
}

fn delete(world: &mut World, call: &Call<'_>, id: &str, subscription: &str) -> Outcome<Reply> {
    arm::group(world, id, None)?;
    if call.trouble == Some(Trouble::Conflict) {
        return Err(ArmError::busy());
    }
    let until = call.now + call.pace.slow;
    if let Some(group) = world.groups.get_mut(&id.to_lowercase()) {
        group.ends = Some(until);
    }
    let operation = world.begin(call.now, call.pace.slow, None, None);
    let version = call.request.query("api-version").unwrap_or_default();
    let location = format!(
        "{}/subscriptions/{subscription}/operationresults/{operation}?api-version={version}",
        call.request.origin
    );
    Ok(Reply::empty(202)
        .with("Location", location)
        .with("Retry-After", call.pace.slow.as_secs().to_string()))
}

/// All groups of a subscription.
pub(super) fn list(world: &World, call: &Call<'_>, subscription: &str) -> Reply {
    let inside = format!("/subscriptions/{subscription}/").to_lowercase();
    let here = world.groups.iter().filter(|(k, _)| k.starts_with(&inside));
    arm::page(call, here.map(|(_, g)| view(g)).collect())
}

/// A subscription.
pub(super) fn subscription(id: &str) -> Json {
    json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id,
        "displayName": "weir", "state": "Enabled", "tenantId": places::TENANT,
    })
}

/// All locations of a subscription.
pub(super) fn locations(subscription: &str) -> Json {
    let all = places::LOCATIONS.iter().map(|(name, display, zones)| {
        let zones: Vec<Json> = (1..=*zones)
            .map(|z| json!({ "logicalZone": z.to_string(), "physicalZone": format!("{name}-az{z}") }))
            .collect();
        json!({
            "id": format!("/subscriptions/{subscription}/locations/{name}"),
            "name": name, "displayName": display, "regionalDisplayName": display,
            "type": "Region", "availabilityZoneMappings": zones,
            "metadata": { "regionType": "Physical", "regionCategory": "Recommended" },
        })
    });
    json!({ "value": all.collect::<Vec<_>>() })
}

/// Providers of resources; one may be registered by the call.
pub(super) fn providers(
    world: &mut World,
    call: &Call<'_>,
    subscription: &str,
    one: Option<&str>,
) -> Outcome<Reply> {
    let known = [
        "Microsoft.Compute",
        "Microsoft.Network",
        "Microsoft.Resources",
    ];
    let view = |namespace: &str| {
        let types = kinds::of_namespace(namespace).map(|k| {
            json!({ "resourceType": k.path.join("/"), "locations": places::NAMES, "apiVersions": ["2024-07-01"] })
        });
        json!({
            "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
            "namespace": namespace, "registrationState": "Registered",
            "resourceTypes": types.collect::<Vec<_>>(),
        })
    };
    let Some(one) = one else {
        return Ok(arm::page(call, known.map(view).to_vec()));
    };
    let found = known.into_iter().find(|k| k.eq_ignore_ascii_case(one));
    let found = found.ok_or_else(|| {
        let message = format!("The resource namespace '{one}' is invalid.");
        ArmError::new(404, "InvalidResourceNamespace", message)
    })?;
    if call.request.method == Method::POST {
        world.registered.push(format!("{subscription} {found}"));
    }
    Ok(Reply::json(200, &view(found)))
}
