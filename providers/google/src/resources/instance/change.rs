//! What of a machine can be changed in place, and the calls that do it. Some need it off: it is
//! stopped for them where `allow_stopping_for_update` says so, and started again.

use super::{
    super::{interface, machine},
    AFFINITIES, needs_stop, request,
};
use crate::{
    body::{compact, field, model},
    calls::{Calls as _, change, instances, run},
    name::{Name, same_link},
    resource::{Call, Failure},
};
use google_cloud_compute_v1::model;
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::{Fields as _, changed};

/// A change of the machine by a body that is one of the SDK's models.
macro_rules! set {
    ($cx:expr, $name:expr, $what:literal, $method:ident, $model:ident, $body:expr) => {
        change!(
            $cx,
            $name,
            $what,
            instances.$method(set_zone = place, set_instance = name),
            $model,
            $body
        )
    };
}

/// Makes the machine what is planned.
///
/// # Errors
/// A call that was refused; that it must be stopped and may not be.
pub(super) async fn update(
    cx: &Call<'_>,
    name: &Name,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    let stops = needs_stop(prior, planned);
    let wanted = planned.text("desired_status");
    let runs = now(cx, name).await?["status"] == "RUNNING";
    let to_be_off = wanted.as_deref() == Some("TERMINATED");
    if !stops.is_empty() && runs && !to_be_off && !planned.is_on("allow_stopping_for_update") {
        let names: Vec<String> = stops.iter().map(|n| format!("`{n}`")).collect();
        let why = format!("{} can be changed only while it is off", names.join(", "));
        let mut failure = Failure::new("update", why);
        failure.help = Some(
            "Set `allow_stopping_for_update = true`: it is stopped, changed and started again.",
        );
        return Err(failure);
    }
    running(cx, name, prior, planned).await?;
    disks(cx, name, prior, planned).await?;
    access(cx, name, prior, planned).await?;
    if !stops.is_empty() && runs {
        power(cx, name, "stop", "stop for update").await?;
    }
    stopped(cx, name, prior, planned).await?;
    let off = !stops.is_empty() || !runs;
    match wanted.as_deref() {
        Some("TERMINATED") if !off => power(cx, name, "stop", "stop").await,
        Some("RUNNING") if off => power(cx, name, "start", "start").await,
        None if runs && off => power(cx, name, "start", "start").await,
        _ => Ok(()),
    }
}

async fn now(cx: &Call<'_>, name: &Name) -> Result<Json, Failure> {
    match instances::All::get(cx.cloud, name).await? {
        Some(found) => Ok(found),
        None => {
            let mut failure = Failure::new("instances.get", format!("{} is not there", name.name));
            failure.cause = weir_provider::cloud::Cause::Gone;
            Err(failure)
        }
    }
}

/// Starts or stops it.
///
/// # Errors
/// The call was refused.
pub(super) async fn power(
    cx: &Call<'_>,
    name: &Name,
    what: &str,
    key: &str,
) -> Result<(), Failure> {
    let i = &cx.cloud.clients.instances;
    let (p, zone, n) = (&name.project, &name.place, &name.name);
    match what {
        "stop" => run!(
            cx,
            "instances.stop",
            key,
            p,
            i.stop().set_zone(zone).set_instance(n)
        ),
        _ => run!(
            cx,
            "instances.start",
            key,
            p,
            i.start().set_zone(zone).set_instance(n)
        ),
    }
}

/// What can be changed while it runs.
async fn running(
    cx: &Call<'_>,
    name: &Name,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    let i = &cx.cloud.clients.instances;
    let (p, zone, n) = (&name.project, &name.place, &name.name);
    let is_new = |key: &str| changed(prior, planned, key);
    if is_new("metadata") {
        let mut body = machine::metadata(planned);
        body["fingerprint"] = now(cx, name).await?["metadata"]["fingerprint"].clone();
        set!(
            cx,
            name,
            "instances.setMetadata",
            set_metadata,
            Metadata,
            compact(body)
        )?;
    }
    if is_new("tags") {
        let fingerprint = now(cx, name).await?["tags"]["fingerprint"].clone();
        let body = json!({"items": field(planned, "tags"), "fingerprint": fingerprint});
        set!(cx, name, "instances.setTags", set_tags, Tags, compact(body))?;
    }
    if is_new("effective_labels") {
        let fingerprint = now(cx, name).await?["labelFingerprint"].clone();
        let body =
            json!({"labels": field(planned, "effective_labels"), "labelFingerprint": fingerprint});
        set!(
            cx,
            name,
            "instances.setLabels",
            set_labels,
            InstancesSetLabelsRequest,
            compact(body)
        )?;
    }
    if is_new("scheduling") && !moves(prior, planned) {
        reschedule(cx, name, planned).await?;
    }
    if is_new("deletion_protection") {
        let on = planned.is_on("deletion_protection");
        run!(
            cx,
            "instances.setDeletionProtection",
            p,
            i.set_deletion_protection()
                .set_zone(zone)
                .set_resource(n)
                .set_deletion_protection(on)
        )?;
    }
    Ok(())
}

/// Whether the machine is to stand elsewhere, for which it must be off.
fn moves(prior: &Value, planned: &Value) -> bool {
    needs_stop(prior, planned).contains(&AFFINITIES)
}

async fn reschedule(cx: &Call<'_>, name: &Name, planned: &Value) -> Result<(), Failure> {
    set!(
        cx,
        name,
        "instances.setScheduling",
        set_scheduling,
        Scheduling,
        compact(machine::scheduling(planned))
    )
}

/// What can be changed only while it is off.
async fn stopped(
    cx: &Call<'_>,
    name: &Name,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    let is_new = |key: &str| changed(prior, planned, key);
    if moves(prior, planned) {
        reschedule(cx, name, planned).await?;
    }
    if is_new("machine_type") {
        let place = format!("projects/{}/zones/{}", name.project, name.place);
        let body = json!({"machineType": request::machine_type(planned, &place)});
        set!(
            cx,
            name,
            "instances.setMachineType",
            set_machine_type,
            InstancesSetMachineTypeRequest,
            body
        )?;
    }
    if is_new("min_cpu_platform") {
        let body = json!({"minCpuPlatform": field(planned, "min_cpu_platform")});
        set!(
            cx,
            name,
            "instances.setMinCpuPlatform",
            set_min_cpu_platform,
            InstancesSetMinCpuPlatformRequest,
            compact(body)
        )?;
    }
    if is_new("service_account") {
        let body = machine::accounts(planned)[0].clone();
        let body = if body.is_null() {
            json!({})
        } else {
            compact(body)
        };
        set!(
            cx,
            name,
            "instances.setServiceAccount",
            set_service_account,
            InstancesSetServiceAccountRequest,
            body
        )?;
    }
    if is_new("shielded_instance_config") {
        set!(
            cx,
            name,
            "instances.updateShieldedInstanceConfig",
            update_shielded_instance_config,
            ShieldedInstanceConfig,
            compact(machine::shielded(planned))
        )?;
    }
    Ok(())
}

/// Detaches the disks that are no longer asked for, and attaches those that are new.
async fn disks(cx: &Call<'_>, name: &Name, prior: &Value, planned: &Value) -> Result<(), Failure> {
    if !changed(prior, planned, "attached_disk") {
        return Ok(());
    }
    let i = &cx.cloud.clients.instances;
    let (p, zone, n) = (&name.project, &name.place, &name.name);
    let (was, is) = (prior.rows("attached_disk"), planned.rows("attached_disk"));
    let is_of = |d: &Json, of: &Value| {
        let link = d["source"].as_str().unwrap_or_default();
        of.text("source").is_some_and(|s| same_link(link, &s))
    };
    let fits = |d: &Json, of: &Value| {
        let same = |key: &str, field: &str| of.text(key).is_none_or(|t| d[field] == *t);
        is_of(d, of) && same("mode", "mode") && same("device_name", "deviceName")
    };
    // What is there, as an update that was interrupted may have done a part of it.
    let found = now(cx, name).await?;
    let there = found["disks"].as_array().into_iter().flatten();
    let there: Vec<&Json> = there.filter(|d| d["boot"] != true).collect();
    let ours = |d: &&&Json| was.iter().chain(&is).any(|of| is_of(d, of));
    for old in there
        .iter()
        .filter(ours)
        .filter(|d| !is.iter().any(|i| fits(d, i)))
    {
        let device = old["deviceName"].as_str().unwrap_or_default();
        let key = format!("detach {device}");
        run!(
            cx,
            "instances.detachDisk",
            &key,
            p,
            i.detach_disk()
                .set_zone(zone)
                .set_instance(n)
                .set_device_name(device)
        )?;
    }
    for new in is.iter().filter(|i| !there.iter().any(|d| fits(d, i))) {
        let key = format!("attach {}", new.text("source").unwrap_or_default());
        let body = compact(request::attached(name, new));
        change!(
            cx,
            name,
            "instances.attachDisk" as &key,
            instances.attach_disk(set_zone = place, set_instance = name),
            AttachedDisk,
            body
        )?;
    }
    Ok(())
}

/// Gives and takes the addresses for everyone, and further ranges.
async fn access(cx: &Call<'_>, name: &Name, prior: &Value, planned: &Value) -> Result<(), Failure> {
    let i = &cx.cloud.clients.instances;
    let (p, zone, n) = (&name.project, &name.place, &name.name);
    let pairs =
        (prior.rows("network_interface").into_iter()).zip(planned.rows("network_interface"));
    for (at, (was, is)) in pairs.enumerate() {
        let nic = format!("nic{at}");
        if changed(was, is, "access_config") {
            let found = now(cx, name).await?;
            let old = &found["networkInterfaces"][at]["accessConfigs"][0]["name"];
            if let Some(old) = old.as_str() {
                let key = format!("{nic} without address");
                run!(
                    cx,
                    "instances.deleteAccessConfig",
                    &key,
                    p,
                    i.delete_access_config()
                        .set_zone(zone)
                        .set_instance(n)
                        .set_network_interface(&nic)
                        .set_access_config(old)
                )?;
            }
            if let Some(new) = is.row("access_config") {
                let key = format!("{nic} with address");
                let body: model::AccessConfig =
                    model("instances.addAccessConfig", compact(interface::access(new)))?;
                run!(
                    cx,
                    "instances.addAccessConfig",
                    &key,
                    p,
                    i.add_access_config()
                        .set_zone(zone)
                        .set_instance(n)
                        .set_network_interface(&nic)
                        .set_body(body.clone())
                )?;
            }
        }
        if changed(was, is, "alias_ip_range") {
            let found = now(cx, name).await?;
            let fingerprint = &found["networkInterfaces"][at]["fingerprint"];
            let body = json!({"aliasIpRanges": interface::aliases(is), "fingerprint": fingerprint});
            let key = format!("{nic} ranges");
            let body: model::NetworkInterface =
                model("instances.updateNetworkInterface", compact(body))?;
            run!(
                cx,
                "instances.updateNetworkInterface",
                &key,
                p,
                i.update_network_interface()
                    .set_zone(zone)
                    .set_instance(n)
                    .set_network_interface(&nic)
                    .set_body(body.clone())
            )?;
        }
    }
    Ok(())
}
