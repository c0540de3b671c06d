//! Machines: made with their disks and interfaces, changed by methods of their own.

use super::{
    catalog, disks,
    error::{Outcome, Refusal},
    interfaces,
    kinds::Asked,
    operations::Failed,
    route::{Key, LINKS, Scope},
    world::{Object, Power, Thing, World, default, integer},
};
use serde_json::{Value as Json, json};
use std::time::Instant;

/// The project's own service account.
const ACCOUNT: &str = "123456789012-compute@developer.gserviceaccount.com";

/// Completes a new machine. Its new disks are made when all else is known to be right.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    machine_type(&asked.key, &mut asked.body)?;
    let mut new = Vec::new();
    attach_all(world, asked, &mut new)?;
    interfaces::complete(world, asked)?;
    let body = &mut asked.body;
    scheduling(body)?;
    if let Some(hostname) = body
        .get("hostname")
        .filter(|h| !h.as_str().is_some_and(|h| h.contains('.')))
    {
        return Err(Refusal::invalid(
            "hostname",
            hostname,
            "Must be a fully qualified domain name.",
        ));
    }
    for account in body
        .get_mut("serviceAccounts")
        .and_then(Json::as_array_mut)
        .into_iter()
        .flatten()
    {
        if account["email"].as_str().is_none_or(|e| e == "default") {
            account["email"] = json!(ACCOUNT);
        }
    }
    marked(world, body, "metadata", Some("compute#metadata"));
    marked(world, body, "tags", None);
    default(body, "labels", json!({}));
    body.insert("labelFingerprint".into(), json!(world.fingerprint()));
    body.insert("fingerprint".into(), json!(world.fingerprint()));
    body.insert("cpuPlatform".into(), json!("Intel Broadwell"));
    body.insert("startRestricted".into(), json!(false));
    body.insert(
        "lastStartTimestamp".into(),
        json!(world.stamp(asked.at.now)),
    );
    default(body, "canIpForward", json!(false));
    default(body, "deletionProtection", json!(false));
    default(body, "shieldedInstanceConfig", json!({}));
    if let Some(Json::Object(shielded)) = body.get_mut("shieldedInstanceConfig") {
        default(shielded, "enableSecureBoot", json!(false));
        default(shielded, "enableVtpm", json!(true));
        default(shielded, "enableIntegrityMonitoring", json!(true));
    }
    default(
        body,
        "shieldedInstanceIntegrityPolicy",
        json!({"updateAutoLearnPolicy": true}),
    );
    for (key, disk) in new {
        world.add(&key, "disk", disk, asked.at);
    }
    Ok(())
}

/// What keeps a machine from being made that all else is right for.
pub fn limits(world: &World, asked: &Asked<'_>) -> Option<Failed> {
    let region = asked.key.scope.region()?;
    let wants = asked
        .body
        .get("machineType")
        .and_then(Json::as_str)
        .and_then(catalog::cpus)?;
    let quotas = world.quotas(&asked.key.project, Some(region), asked.at.now);
    let (metric, limit, used) = *quotas.iter().find(|(metric, ..)| *metric == "CPUS")?;
    let over = used + u64::from(wants) > limit;
    over.then(|| Failed::quota(metric, limit, &format!("in region {region}")))
}

fn machine_type(key: &Key, body: &mut Object) -> Outcome<()> {
    let Some(value) = body.get("machineType").cloned() else {
        return Err(Refusal::required("machineType"));
    };
    let Scope::Zone(zone) = &key.scope else {
        return Err(Refusal::not_found(&key.to_string()));
    };
    let text = value.as_str().unwrap_or_default();
    let Some(found) = Key::of_link(text, "machineTypes", key) else {
        return Err(Refusal::invalid(
            "machineType",
            &value,
            "The URL is malformed.",
        ));
    };
    if catalog::cpus(&found.name).is_none() {
        let why = format!(
            "Machine type with name '{}' does not exist in zone '{zone}'.",
            found.name
        );
        return Err(Refusal::invalid("machineType", &value, &why));
    }
    if found.scope != key.scope {
        let why = "It is in another zone than the machine.";
        return Err(Refusal::invalid("machineType", &value, why));
    }
    body.insert("machineType".into(), json!(found.link()));
    Ok(())
}

fn scheduling(body: &mut Object) -> Outcome<()> {
    default(body, "scheduling", json!({}));
    let Some(Json::Object(s)) = body.get_mut("scheduling") else {
        return Err(Refusal::required("scheduling"));
    };
    let preemptible = s.get("preemptible") == Some(&json!(true));
    default(
        s,
        "provisioningModel",
        json!(if preemptible { "SPOT" } else { "STANDARD" }),
    );
    let spot = s["provisioningModel"] == "SPOT";
    if spot && s.get("automaticRestart") == Some(&json!(true)) {
        let why = "Spot machines can't be restarted automatically.";
        return Err(Refusal::invalid(
            "scheduling.automaticRestart",
            &json!(true),
            why,
        ));
    }
    if spot && s.get("onHostMaintenance") == Some(&json!("MIGRATE")) {
        let why = "Spot machines can't be migrated.";
        return Err(Refusal::invalid(
            "scheduling.onHostMaintenance",
            &json!("MIGRATE"),
            why,
        ));
    }
    default(s, "automaticRestart", json!(!spot));
    default(
        s,
        "onHostMaintenance",
        json!(if spot { "TERMINATE" } else { "MIGRATE" }),
    );
    default(s, "preemptible", json!(spot));
    Ok(())
}

/// Gives an object of the body a fingerprint.
fn marked(world: &mut World, body: &mut Object, field: &str, kind: Option<&str>) {
    default(body, field, json!({}));
    body[field]["fingerprint"] = json!(world.fingerprint());
    if let Some(kind) = kind {
        body[field]["kind"] = json!(kind);
    }
}

/// Attaches the disks that a new machine asks for; those that are made with it come into `new`.
fn attach_all(
    world: &mut World,
    asked: &mut Asked<'_>,
    new: &mut Vec<(Key, Object)>,
) -> Outcome<()> {
    let mut disks = match asked.body.remove("disks") {
        Some(Json::Array(disks)) if !disks.is_empty() => disks,
        _ => {
            return Err(Refusal::new(
                400,
                "invalid",
                "Invalid value for field 'resource.disks': ''. No disks are specified.",
            ));
        }
    };
    if disks.iter().filter(|d| d["boot"] == true).count() != 1 || disks[0]["boot"] != true {
        let why = "Boot disk must be the first disk attached to the instance.";
        return Err(Refusal::invalid("disks[0]", &json!({}), why));
    }
    for (index, disk) in disks.iter_mut().enumerate() {
        let Json::Object(disk) = disk else {
            return Err(Refusal::required("disks"));
        };
        if let Some(Json::Object(params)) = disk.remove("initializeParams") {
            let name = match (params.get("diskName").and_then(Json::as_str), index) {
                (Some(name), _) => name.to_owned(),
                (None, 0) => asked.key.name.clone(),
                (None, n) => format!("{}-{n}", asked.key.name),
            };
            let key = asked.key.beside("disks", &name);
            if world.there(&key, asked.at.now).is_some() {
                let message = format!("The resource '{key}' already exists");
                return Err(Refusal::new(409, "alreadyExists", message));
            }
            let mut made = Object::new();
            let fields = [
                ("sourceImage", "sourceImage"),
                ("diskType", "type"),
                ("diskSizeGb", "sizeGb"),
                ("labels", "labels"),
            ];
            for (theirs, ours) in fields {
                if let Some(value) = params.get(theirs) {
                    made.insert(ours.into(), value.clone());
                }
            }
            disks::complete(world, &key, &mut made)?;
            attached(disk, index, &made);
            disk.insert("source".into(), json!(key.link()));
            new.push((key, made));
        } else {
            attach(world, &asked.key, disk, index, asked.at.now)?;
        }
    }
    asked.body.insert("disks".into(), Json::Array(disks));
    Ok(())
}

/// Attaches a disk that is there.
fn attach(
    world: &World,
    machine: &Key,
    disk: &mut Object,
    index: usize,
    now: Instant,
) -> Outcome<()> {
    let source = disk
        .get("source")
        .cloned()
        .ok_or_else(|| Refusal::required("disks.source"))?;
    let text = source.as_str().unwrap_or_default();
    let key = Key::of_link(text, "disks", machine);
    let key =
        key.ok_or_else(|| Refusal::invalid("disks.source", &source, "The URL is malformed."))?;
    let Some(thing) = world.there(&key, now) else {
        return Err(Refusal::not_found(&key.to_string()));
    };
    if thing.ready > now || thing.gone.is_some() {
        return Err(Refusal::not_ready(&key.to_string()));
    }
    if key.scope != machine.scope {
        let why = "The disk is in another zone than the machine.";
        return Err(Refusal::invalid("disks.source", &source, why));
    }
    let users = disks::users(world, &key, now);
    let read_only = disk.get("mode") == Some(&json!("READ_ONLY"));
    if let Some(by) = users.first().filter(|_| !read_only) {
        let by = by.trim_start_matches(LINKS);
        return Err(Refusal::in_use("disk", &key.to_string(), by));
    }
    let body = thing.body.clone();
    attached(disk, index, &body);
    disk.insert("source".into(), json!(key.link()));
    Ok(())
}

fn attached(disk: &mut Object, index: usize, of: &Object) {
    disk.insert("kind".into(), json!("compute#attachedDisk"));
    disk.insert("index".into(), json!(index));
    disk.insert("diskSizeGb".into(), of["sizeGb"].clone());
    default(
        disk,
        "deviceName",
        json!(format!("persistent-disk-{index}")),
    );
    default(disk, "boot", json!(false));
    default(disk, "autoDelete", json!(false));
    default(disk, "mode", json!("READ_WRITE"));
    default(disk, "type", json!("PERSISTENT"));
    default(disk, "interface", json!("SCSI"));
    for field in ["licenses", "guestOsFeatures", "architecture"] {
        if let Some(value) = of.get(field) {
            default(disk, field, value.clone());
        }
    }
}

/// Before a machine goes: may it, and what goes with it?
///
/// # Errors
/// It is protected.
pub fn delete(world: &mut World, asked: &Asked<'_>) -> Outcome<()> {
    let thing = world.ready(&asked.key, asked.at.now)?;
    if thing.body.get("deletionProtection") == Some(&json!(true)) {
        let message = format!(
            "Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. Resource: {}'.",
            asked.key
        );
        return Err(Refusal::new(400, "invalidResourceUsage", message));
    }
    let disks = thing.body.get("disks").and_then(Json::as_array).cloned();
    for disk in disks
        .into_iter()
        .flatten()
        .filter(|d| d["autoDelete"] == true)
    {
        let source = disk["source"].as_str().unwrap_or_default();
        if let Some(key) = Key::of_link(source, "disks", &asked.key) {
            world.remove(&key, asked.at);
        }
    }
    Ok(())
}

/// A machine's own methods.
///
/// # Errors
/// It has no such method, or the method refuses.
pub fn act(world: &mut World, asked: &mut Asked<'_>, action: &str) -> Outcome<()> {
    let now = asked.at.now;
    let end = asked.at.end();
    let body = asked.body.clone();
    world.ready(&asked.key, now)?;
    let fingerprint = world.fingerprint();
    if matches!(
        action,
        "attachDisk"
            | "addAccessConfig"
            | "deleteAccessConfig"
            | "updateAccessConfig"
            | "updateNetworkInterface"
    ) {
        return match action {
            "attachDisk" => attach_one(world, asked, body),
            _ => interfaces::act(world, asked, action),
        };
    }
    let query = |name: &str| asked.query(name).map(str::to_owned);
    let (device, on) = (query("deviceName"), query("autoDelete"));
    let protect = query("deletionProtection");
    let unserved = asked.unserved();
    let thing = world.ready(&asked.key, now)?;
    match action {
        "setMetadata" | "setTags" => {
            let field = if action == "setTags" {
                "tags"
            } else {
                "metadata"
            };
            let was = thing.body[field].get("fingerprint").cloned();
            World::fingerprint_fits(was.as_ref(), body.get("fingerprint"))?;
            let mut new = Json::Object(body);
            new["fingerprint"] = json!(fingerprint);
            if field == "metadata" {
                new["kind"] = json!("compute#metadata");
            }
            thing.body.insert(field.into(), new);
        }
        "setMachineType" => {
            off(thing, now, "change its machine type")?;
            let mut with = body;
            machine_type(&asked.key, &mut with)?;
            thing
                .body
                .insert("machineType".into(), with["machineType"].clone());
        }
        "setMinCpuPlatform" => {
            off(thing, now, "change its CPU platform")?;
            let platform = body.get("minCpuPlatform").cloned().unwrap_or_default();
            thing.body.insert("minCpuPlatform".into(), platform);
        }
        "setServiceAccount" => {
            off(thing, now, "change its service account")?;
            let email = match body.get("email").and_then(Json::as_str) {
                Some("default") => json!(ACCOUNT),
                Some(email) if !email.is_empty() => json!(email),
                _ => Json::Null,
            };
            thing.body.remove("serviceAccounts");
            if !email.is_null() {
                let scopes = body.get("scopes").cloned().unwrap_or_else(|| json!([]));
                thing.body.insert(
                    "serviceAccounts".into(),
                    json!([{"email": email, "scopes": scopes}]),
                );
            }
        }
        "updateShieldedInstanceConfig" => {
            off(thing, now, "change its shielding")?;
            super::world::merge(
                &mut thing.body,
                &Object::from_iter([("shieldedInstanceConfig".into(), Json::Object(body))]),
            );
        }
        "setScheduling" => {
            let mut with = Object::from_iter([("scheduling".to_owned(), Json::Object(body))]);
            scheduling(&mut with)?;
            if with["scheduling"]["provisioningModel"]
                != thing.body["scheduling"]["provisioningModel"]
            {
                let why = "It can't be changed on a machine that is made.";
                return Err(Refusal::invalid(
                    "scheduling.provisioningModel",
                    &with["scheduling"]["provisioningModel"],
                    why,
                ));
            }
            thing
                .body
                .insert("scheduling".into(), with["scheduling"].clone());
        }
        "setDeletionProtection" => {
            let on = protect.as_deref() != Some("false");
            thing.body.insert("deletionProtection".into(), json!(on));
        }
        "setDiskAutoDelete" => {
            let disk = of_device(thing, device.as_deref())?;
            disk["autoDelete"] = json!(on.as_deref() == Some("true"));
        }
        "detachDisk" => {
            if of_device(thing, device.as_deref())?["boot"] == true {
                off(thing, now, "detach its boot disk")?;
            }
            if let Some(disks) = thing.body.get_mut("disks").and_then(Json::as_array_mut) {
                disks.retain(|d| d["deviceName"].as_str() != device.as_deref());
            }
        }
        "start" => thing.power = Power::On(end),
        "stop" => thing.power = Power::Off(end),
        "reset" => {}
        _ => return Err(unserved),
    }
    Ok(())
}

fn off(thing: &Thing, now: Instant, to: &str) -> Outcome<()> {
    match thing.power {
        Power::Off(at) if at <= now => Ok(()),
        _ => {
            let message = format!("Instance is in state RUNNING; it must be TERMINATED to {to}.");
            Err(Refusal::new(400, "badRequest", message))
        }
    }
}

fn of_device<'a>(thing: &'a mut Thing, device: Option<&str>) -> Outcome<&'a mut Json> {
    let disks = thing.body.get_mut("disks").and_then(Json::as_array_mut);
    let mut disks = disks.into_iter().flatten();
    let found = disks.find(|d| d["deviceName"].as_str() == device);
    found.ok_or_else(|| {
        let device = device.unwrap_or_default();
        Refusal::invalid(
            "deviceName",
            &json!(device),
            "No attached disk found with that device name.",
        )
    })
}

fn attach_one(world: &mut World, asked: &Asked<'_>, mut disk: Object) -> Outcome<()> {
    let here = world.ready(&asked.key, asked.at.now)?;
    let disks = here.body["disks"].as_array().cloned().unwrap_or_default();
    let next = (disks.iter())
        .filter_map(|d| integer(d.get("index")))
        .max()
        .map_or(0, |n| n + 1);
    attach(
        world,
        &asked.key,
        &mut disk,
        usize::try_from(next).unwrap_or(0),
        asked.at.now,
    )?;
    if disks.iter().any(|d| d["deviceName"] == disk["deviceName"]) {
        let why = "The device name is already in use on the machine.";
        return Err(Refusal::invalid("deviceName", &disk["deviceName"], why));
    }
    let thing = world.ready(&asked.key, asked.at.now)?;
    if let Some(disks) = thing.body.get_mut("disks").and_then(Json::as_array_mut) {
        disks.push(Json::Object(disk));
    }
    Ok(())
}

/// Its state by now.
pub fn view(thing: &Thing, body: &mut Object, now: Instant) {
    let state = match thing.power {
        _ if thing.ready > now => "PROVISIONING",
        _ if thing.gone.is_some() => "STOPPING",
        Power::On(at) if at <= now => "RUNNING",
        Power::On(_) => "STAGING",
        Power::Off(at) if at <= now => "TERMINATED",
        Power::Off(_) => "STOPPING",
    };
    body.insert("status".into(), json!(state));
}
