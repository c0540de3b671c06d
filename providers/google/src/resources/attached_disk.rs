//! `google_compute_attached_disk`: a disk that is attached to a machine beside those it was made
//! with.

use crate::{
    body::{compact, field, keep, model},
    calls::{self, Calls as _, instances, run},
    client::Google,
    name::{Kind, Name, last, same_link},
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use google_cloud_compute_v1::model::AttachedDisk as Model;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct AttachedDisk;

const KIND: Kind = instances::All::KIND;

/// The machine, and the disk's name.
fn ends(google: &Google, value: &Value) -> Result<(Name, String), Failure> {
    let said = value.text("instance").unwrap_or_default();
    let parts: Vec<&str> = said.split('/').collect();
    let after = |word: &str| {
        let at = parts.iter().position(|p| *p == word)?;
        parts.get(at + 1).map(|p| (*p).to_owned())
    };
    let machine = Name {
        project: google.project_of(after("projects").or_else(|| value.text("project")))?,
        place: google.zone_of(after("zones").or_else(|| value.text("zone")))?,
        name: last(&said).to_owned(),
    };
    let disk = value.text("disk").unwrap_or_default();
    Ok((machine, last(&disk).to_owned()))
}

fn id_of(machine: &Name, disk: &str) -> String {
    format!("{}/{disk}", KIND.id(machine))
}

fn parse(google: &Google, id: &str) -> Result<(Name, String), Failure> {
    let Some((machine, disk)) = id.rsplit_once('/') else {
        let why = format!(
            "{id:?} is none of projects/PROJECT/zones/ZONE/instances/INSTANCE/DISK, PROJECT/ZONE/INSTANCE/DISK"
        );
        return Err(Failure::new("import", why));
    };
    Ok((KIND.parse(google, machine)?, disk.to_owned()))
}

/// The machine's entry of the disk.
async fn attached(google: &Google, machine: &Name, disk: &str) -> Result<Option<Json>, Failure> {
    let found = instances::All::get(google, machine).await?;
    let disks = found.and_then(|m| m["disks"].as_array().cloned());
    let mut disks = disks.into_iter().flatten();
    Ok(disks.find(|d| d["source"].as_str().is_some_and(|s| last(s) == disk)))
}

#[async_trait]
impl Resource<Google> for AttachedDisk {
    fn name(&self) -> &'static str {
        "google_compute_attached_disk"
    }
    fn minutes(&self) -> Minutes {
        (5, 5, 5)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::choice(config, "mode", &["READ_WRITE", "READ_ONLY"], out);
        checks::choice(config, "interface", &["SCSI", "NVME"], out);
    }

    fn plan(
        &self,
        cloud: Option<&Google>,
        _config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = super::same_links(prior, planned, &["disk", "instance"]);
        if let Some(google) = cloud
            && planned.text("instance").is_some()
            && let Ok((machine, _)) = ends(google, &planned)
        {
            for (field, own) in [("project", machine.project), ("zone", machine.place)] {
                if planned.get(field).is_some_and(Value::is_unknown) {
                    planned = planned.with(field, Value::from(own));
                }
            }
        }
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let (machine, disk) = ends(cx.cloud, planned)?;
        let said = planned.text("disk").unwrap_or_default();
        let source = match said.contains('/') {
            true => said,
            false => format!(
                "projects/{}/zones/{}/disks/{disk}",
                machine.project, machine.place
            ),
        };
        let body = json!({
            "source": source,
            "mode": field(planned, "mode"),
            "deviceName": field(planned, "device_name"),
            "interface": field(planned, "interface"),
        });
        let what = "instances.attachDisk";
        let body: Model = model(what, compact(body))?;
        let instances = &cx.cloud.clients.instances;
        run!(
            cx,
            what,
            "insert",
            &machine.project,
            instances
                .attach_disk()
                .set_zone(&machine.place)
                .set_instance(&machine.name)
                .set_body(body.clone())
        )?;
        Ok(id_of(&machine, &disk))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, KIND, &parse(cx.cloud, id)?.0).await
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let (machine, disk) = ends(cx.cloud, planned)?;
        let there = attached(cx.cloud, &machine, &disk).await?.is_some();
        Ok((there && calls::is_ours(cx, KIND, &machine).await?).then(|| id_of(&machine, &disk)))
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let (machine, disk) = parse(google, id)?;
        let Some(found) = attached(google, &machine, &disk).await? else {
            return Ok(None);
        };
        let of_machine = json!(KIND.id(&machine));
        // The API says SCSI also where nobody asked.
        let interface = match known.text("interface") {
            Some(_) => found["interface"].clone(),
            None => json!(""),
        };
        let instance = match known.text("instance") {
            Some(text) if same_link(&text, of_machine.as_str().unwrap_or_default()) => json!(text),
            _ => of_machine,
        };
        Ok(Some(object(json!({
            "id": id_of(&machine, &disk),
            "project": machine.project,
            "zone": machine.place,
            "instance": instance,
            "disk": keep(known, "disk", &found["source"]),
            "device_name": found["deviceName"],
            "interface": interface,
            "mode": found["mode"],
        }))))
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        let (machine, disk) = parse(cx.cloud, id)?;
        let Some(found) = attached(cx.cloud, &machine, &disk).await? else {
            return Ok(());
        };
        let device = found["deviceName"].as_str().unwrap_or_default();
        let instances = &cx.cloud.clients.instances;
        run!(
            cx,
            "instances.detachDisk",
            &machine.project,
            instances
                .detach_disk()
                .set_zone(&machine.place)
                .set_instance(&machine.name)
                .set_device_name(device)
        )
    }
}
