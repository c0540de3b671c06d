//! `google_compute_disk`

use super::image;
use crate::{
    body::{compact, field, keep, long, model, number},
    calls::{self, disks, run},
    client::Google,
    name::last,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use google_cloud_compute_v1::model::{DisksResizeRequest, ZoneSetLabelsRequest};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, checks, object};

pub(super) struct Disk;

const KIND: crate::name::Kind = disks::KIND;

#[async_trait]
impl Resource<Google> for Disk {
    fn name(&self) -> &'static str {
        "google_compute_disk"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
        super::check_labels(config, out);
        checks::within(config, "size", 1..=65536, out);
        checks::not_both(config, "image", "snapshot", out);
    }

    fn plan(
        &self,
        _cloud: Option<&Google>,
        _config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = super::same_links(prior, planned, &["image", "snapshot", "type"]);
        planned = super::new_fingerprint(prior, planned, "effective_labels", "label_fingerprint");
        // A disk grows in place, and never shrinks.
        let sizes = prior.and_then(|p| p.int("size")).zip(planned.int("size"));
        let replaces = match sizes {
            Some((was, is)) if is < was => vec![Path::root().key("size")],
            _ => Vec::new(),
        };
        (planned, replaces)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let image = match planned.text("image") {
            Some(image) => image::resolve(cx.cloud, &image, &name.project).await?,
            None => Json::Null,
        };
        let kind = planned.text("type").unwrap_or_default();
        let features = planned.rows("guest_os_features").into_iter();
        let body = json!({
            "name": name.name,
            "description": field(planned, "description"),
            "enableConfidentialCompute": planned.is_on("enable_confidential_compute").then_some(true),
            "guestOsFeatures": features.map(|f| json!({"type": field(f, "type")})).collect::<Vec<_>>(),
            "labels": field(planned, "effective_labels"),
            "licenses": field(planned, "licenses"),
            "physicalBlockSizeBytes": long(planned, "physical_block_size_bytes"),
            "sizeGb": long(planned, "size"),
            "sourceImage": image,
            "sourceSnapshot": super::link(planned, "snapshot", &name, "global/snapshots"),
            "type": format!("projects/{}/zones/{}/diskTypes/{}", name.project, name.place, last(&kind)),
        });
        disks::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = disks::get(cx.cloud, &name).await?.is_some();
        Ok((there && calls::is_ours(cx, KIND, &name).await?).then(|| KIND.id(&name)))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, KIND, &KIND.parse(cx.cloud, id)?).await
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let name = KIND.parse(google, id)?;
        let Some(d) = disks::get(google, &name).await? else {
            return Ok(None);
        };
        let features = d["guestOsFeatures"].as_array().into_iter().flatten();
        let kind = json!(last(d["type"].as_str().unwrap_or_default()));
        let text = |field: &str| d[field].as_str().unwrap_or_default().to_owned();
        Ok(Some(object(json!({
            "id": KIND.id(&name),
            "name": d["name"],
            "project": name.project,
            "zone": name.place,
            "description": d["description"],
            "access_mode": text("accessMode"),
            "disk_id": text("id"),
            "enable_confidential_compute": d["enableConfidentialCompute"].as_bool().unwrap_or(false),
            "guest_os_features": features.map(|f| json!({"type": f["type"]})).collect::<Vec<_>>(),
            "image": match d["sourceImage"].is_null() {
                true => json!(""),
                false => image::keep(known.text("image").as_deref(), &d["sourceImage"]),
            },
            "effective_labels": super::or_none(&d["labels"]),
            "label_fingerprint": d["labelFingerprint"],
            "last_attach_timestamp": text("lastAttachTimestamp"),
            "last_detach_timestamp": text("lastDetachTimestamp"),
            "licenses": d["licenses"].as_array().cloned().unwrap_or_default(),
            "physical_block_size_bytes": number(&d["physicalBlockSizeBytes"]),
            "provisioned_iops": number(&d["provisionedIops"]).as_i64().unwrap_or(0),
            "provisioned_throughput": number(&d["provisionedThroughput"]).as_i64().unwrap_or(0),
            "size": number(&d["sizeGb"]),
            "snapshot": keep(known, "snapshot", &d["sourceSnapshot"]),
            "source_disk_id": text("sourceDiskId"),
            "source_image_id": text("sourceImageId"),
            "source_instant_snapshot_id": text("sourceInstantSnapshotId"),
            "source_snapshot_id": text("sourceSnapshotId"),
            "type": keep(known, "type", &kind),
            "users": d["users"].as_array().cloned().unwrap_or_default(),
            "creation_timestamp": d["creationTimestamp"],
            "self_link": d["selfLink"],
        }))))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let name = KIND.parse(cx.cloud, id)?;
        let disks = &cx.cloud.clients.disks;
        if changed(prior, planned, "size") {
            let body = json!({"sizeGb": long(planned, "size")});
            let body: DisksResizeRequest = model("disks.resize", body)?;
            run!(
                cx,
                "disks.resize",
                &name.project,
                disks
                    .resize()
                    .set_zone(&name.place)
                    .set_disk(&name.name)
                    .set_body(body.clone())
            )?;
        }
        if changed(prior, planned, "effective_labels") {
            let now = disks::get(cx.cloud, &name).await?.unwrap_or_default();
            let body = json!({"labels": field(planned, "effective_labels"), "labelFingerprint": now["labelFingerprint"]});
            let body: ZoneSetLabelsRequest = model("disks.setLabels", compact(body))?;
            run!(
                cx,
                "disks.setLabels",
                &name.project,
                disks
                    .set_labels()
                    .set_zone(&name.place)
                    .set_resource(&name.name)
                    .set_body(body.clone())
            )?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        disks::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
