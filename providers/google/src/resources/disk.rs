//! `google_compute_disk`

use super::image;
use crate::{
    body::{compact, field, keep, long, number},
    calls::{Calls as _, change, disks},
    name::{Name, last},
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, checks, object};

pub(super) struct Disk;

#[async_trait]
impl Thing for Disk {
    const NAME: &'static str = "google_compute_disk";
    type Calls = disks::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_labels(config, out);
        checks::within(config, "size", 1..=65536, out);
        checks::not_both(config, "image", "snapshot", out);
    }

    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let mut planned = super::same_links(prior, planned, &["image", "snapshot", "type"]);
        if let Some(prior) = prior {
            planned = image::respelled(prior, planned, "image");
        }
        planned = super::new_fingerprint(prior, planned, "effective_labels", "label_fingerprint");
        // A disk grows in place, and never shrinks.
        let sizes = prior.and_then(|p| p.int("size")).zip(planned.int("size"));
        let replaces = match sizes {
            Some((was, is)) if is < was => vec![Path::root().key("size")],
            _ => Vec::new(),
        };
        (planned, replaces)
    }

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let image = match planned.text("image") {
            Some(image) => image::resolve(at.google, &image, &at.name.project).await?,
            None => Json::Null,
        };
        let kind = planned.text("type").unwrap_or_default();
        let features = planned.rows("guest_os_features").into_iter();
        let body = json!({
            "description": field(planned, "description"),
            "enableConfidentialCompute": planned.is_on("enable_confidential_compute").then_some(true),
            "guestOsFeatures": features.map(|f| json!({"type": field(f, "type")})).collect::<Vec<_>>(),
            "labels": field(planned, "effective_labels"),
            "licenses": field(planned, "licenses"),
            "physicalBlockSizeBytes": long(planned, "physical_block_size_bytes"),
            "sizeGb": long(planned, "size"),
            "sourceImage": image,
            "sourceSnapshot": super::link(planned, "snapshot", at.name, "global/snapshots"),
            "type": format!("projects/{}/zones/{}/diskTypes/{}", at.name.project, at.name.place, last(&kind)),
        });
        Ok(body)
    }

    async fn found(&self, _at: At<'_>, d: &Json, known: &Value) -> Result<Found, Failure> {
        let features = d["guestOsFeatures"].as_array().into_iter().flatten();
        let kind = json!(last(d["type"].as_str().unwrap_or_default()));
        let text = |field: &str| d[field].as_str().unwrap_or_default().to_owned();
        Ok(object(json!({
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
        })))
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        if changed(prior, planned, "size") {
            let body = json!({"sizeGb": long(planned, "size")});
            change!(
                cx,
                name,
                "disks.resize",
                disks.resize(set_zone = place, set_disk = name),
                DisksResizeRequest,
                body
            )?;
        }
        if changed(prior, planned, "effective_labels") {
            let now = disks::All::get(cx.cloud, name).await?.unwrap_or_default();
            let body = json!({"labels": field(planned, "effective_labels"), "labelFingerprint": now["labelFingerprint"]});
            change!(
                cx,
                name,
                "disks.setLabels",
                disks.set_labels(set_zone = place, set_resource = name),
                ZoneSetLabelsRequest,
                compact(body)
            )?;
        }
        Ok(())
    }
}
