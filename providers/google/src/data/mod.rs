//! The data sources: images, zones, machine types.

use crate::{
    body::number,
    client::Google,
    resource::{Failure, Found},
    resources::{PROJECTS, newest},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::{
    cloud::unless_gone,
    declared::{Fields as _, checks, object},
};

/// Refuses what the schema can't express.
pub(crate) fn validate(type_name: &str, config: &Value, out: &mut Diagnostics) {
    match type_name {
        "google_compute_image" => {
            checks::at_most_one(config, &["name", "family", "filter"], out);
            let open = ["name", "family", "filter"]
                .iter()
                .any(|n| config.get(n).is_some_and(Value::is_unknown));
            if !open {
                checks::one_of(config, &["name", "family", "filter"], out);
            }
            if config.is_on("most_recent") && !checks::is_set(config, "filter") {
                out.push(
                    Diagnostic::error("`most_recent` goes with `filter`")
                        .because("A name or a family stands for one image.")
                        .help("Remove it, or look the image up by `filter`."),
                );
            }
        }
        "google_compute_zones" => checks::choice(config, "status", &["UP", "DOWN"], out),
        _ => {}
    }
}

/// Reads one.
///
/// # Errors
/// There is none, or the API refuses.
pub(crate) async fn read(
    google: &Google,
    type_name: &str,
    config: &Value,
) -> Result<Found, Failure> {
    match type_name {
        "google_compute_image" => image(google, config).await,
        "google_compute_zones" => zones(google, config).await,
        "google_compute_machine_types" => machine_types(google, config).await,
        _ => Err(Failure::new(type_name, "there is no such data source")),
    }
}

async fn image(google: &Google, config: &Value) -> Result<Found, Failure> {
    let what = "images.get";
    let asked = config
        .text("name")
        .or_else(|| config.text("family"))
        .unwrap_or_default();
    let public = PROJECTS.iter().find(|(begin, _)| asked.starts_with(begin));
    let project = match (config.text("project"), public) {
        (Some(project), _) => project,
        (None, Some((_, project))) if google.settings.project.is_none() => (*project).to_owned(),
        (None, _) => google.project_of(None)?,
    };
    let found = if let Some(name) = config.text("name") {
        let images = &google.clients.images;
        let call = || images.get().set_project(&project).set_image(&name).send();
        unless_gone(google.call(what, call).await)?
    } else if let Some(family) = config.text("family") {
        newest(google, &project, &family).await?
    } else {
        filtered(google, &project, config).await?
    };
    let Some(i) = found else {
        let mut failure = Failure::new(what, format!("project {project} has no such image"));
        failure.help = Some(
            "Check `name` or `family`, and `project`: public images are in debian-cloud, ubuntu-os-cloud, rocky-linux-cloud and others.",
        );
        return Err(failure);
    };
    let text = |field: &str| i[field].as_str().unwrap_or_default().to_owned();
    let key = |field: &str| i[field]["sha256"].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    Ok(object(json!({
        "id": format!("projects/{project}/global/images/{name}"),
        "name": name,
        "project": project,
        "family": text("family"),
        "description": text("description"),
        "archive_size_bytes": number(&i["archiveSizeBytes"]),
        "creation_timestamp": text("creationTimestamp"),
        "disk_size_gb": number(&i["diskSizeGb"]),
        "image_encryption_key_sha256": key("imageEncryptionKey"),
        "image_id": text("id"),
        "label_fingerprint": text("labelFingerprint"),
        "labels": i["labels"].as_object().cloned().unwrap_or_default(),
        "licenses": i["licenses"].as_array().cloned().unwrap_or_default(),
        "self_link": text("selfLink"),
        "source_disk": text("sourceDisk"),
        "source_disk_encryption_key_sha256": key("sourceDiskEncryptionKey"),
        "source_disk_id": text("sourceDiskId"),
        "source_image_id": text("sourceImageId"),
        "status": text("status"),
    })))
}

async fn filtered(google: &Google, project: &str, config: &Value) -> Result<Option<Json>, Failure> {
    let what = "images.list";
    let filter = config.text("filter").unwrap_or_default();
    let mut all = pages(google, what, |google, token| {
        let call = google
            .clients
            .images
            .list()
            .set_project(project)
            .set_filter(&filter);
        let call = call.set_or_clear_page_token(token);
        async move { call.send().await }
    })
    .await?;
    all.sort_by_key(|i| i["creationTimestamp"].as_str().map(str::to_owned));
    match (all.len(), config.is_on("most_recent")) {
        (0 | 1, _) | (_, true) => Ok(all.pop()),
        (n, false) => {
            let mut failure = Failure::new(what, format!("{n} images fit the filter"));
            failure.help = Some("Narrow `filter`, or set `most_recent = true`.");
            Err(failure)
        }
    }
}

async fn zones(google: &Google, config: &Value) -> Result<Found, Failure> {
    let project = google.project_of(config.text("project"))?;
    let region = google.region_of(config.text("region"));
    let all = pages(google, "zones.list", |google, token| {
        let call = google.clients.zones.list().set_project(&project);
        let call = call.set_or_clear_page_token(token);
        async move { call.send().await }
    })
    .await?;
    let region = region?;
    let status = config.text("status");
    let fits = |z: &&Json| {
        let of = z["region"]
            .as_str()
            .is_some_and(|r| r.ends_with(&format!("/{region}")));
        of && status.as_deref().is_none_or(|s| z["status"] == *s)
    };
    let mut names: Vec<&str> = all
        .iter()
        .filter(fits)
        .filter_map(|z| z["name"].as_str())
        .collect();
    names.sort_unstable();
    Ok(object(json!({
        "id": format!("projects/{project}/regions/{region}"),
        "project": project,
        "names": names,
    })))
}

async fn machine_types(google: &Google, config: &Value) -> Result<Found, Failure> {
    let project = google.project_of(config.text("project"))?;
    let zone = google.zone_of(config.text("zone"))?;
    let filter = config.text("filter").unwrap_or_default();
    let all = pages(google, "machineTypes.list", |google, token| {
        let call = google
            .clients
            .machine_types
            .list()
            .set_project(&project)
            .set_zone(&zone);
        let call = call.set_filter(&filter).set_or_clear_page_token(token);
        async move { call.send().await }
    })
    .await?;
    let one = |m: &Json| {
        let accelerators = m["accelerators"].as_array().into_iter().flatten();
        let accelerators = accelerators.map(|a| {
            json!({"guest_accelerator_count": a["guestAcceleratorCount"], "guest_accelerator_type": a["guestAcceleratorType"]})
        });
        let d = &m["deprecated"];
        let deprecated = match d.is_null() {
            true => Vec::new(),
            false => vec![json!({
                "deleted": d["deleted"], "deprecated": d["deprecated"], "obsolete": d["obsolete"],
                "replacement": d["replacement"], "state": d["state"],
            })],
        };
        json!({
            "accelerators": accelerators.collect::<Vec<_>>(),
            "bundled_local_ssds": [],
            "creation_timestamp": m["creationTimestamp"],
            "deprecated": deprecated,
            "description": m["description"],
            "guest_cpus": m["guestCpus"],
            "is_shared_cpus": m["isSharedCpu"],
            "maximum_persistent_disks": m["maximumPersistentDisks"],
            "maximum_persistent_disks_size_gb": number(&m["maximumPersistentDisksSizeGb"]),
            "memory_mb": m["memoryMb"],
            "name": m["name"],
            "self_link": m["selfLink"],
        })
    };
    Ok(object(json!({
        "id": format!("projects/{project}/zones/{zone}/machineTypes/filters/{filter}"),
        "project": project,
        "zone": zone,
        "machine_types": all.iter().map(one).collect::<Vec<_>>(),
    })))
}

/// All pages of a list.
async fn pages<'a, T, F>(
    google: &'a Google,
    what: &str,
    page: impl Fn(&'a Google, Option<String>) -> F,
) -> Result<Vec<Json>, Failure>
where
    T: serde::Serialize,
    F: Future<Output = Result<T, google_cloud_gax::error::Error>>,
{
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let found = google.call(what, || page(google, token.clone())).await?;
        all.extend(found["items"].as_array().cloned().unwrap_or_default());
        token = found["nextPageToken"].as_str().map(str::to_owned);
        if token.is_none() {
            return Ok(all);
        }
    }
}
