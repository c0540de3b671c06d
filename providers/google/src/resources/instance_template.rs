//! `google_compute_instance_template`: what machines are to be. It never changes: a new one is made.

use super::{image, interface, machine};
use crate::{
    body::{field, keep, long, number},
    calls::instance_templates,
    name::{Name, last},
    resource::{Call, Failure, Found, Minutes},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct InstanceTemplate;

async fn disk(at: At<'_>, nth: usize, of: &Value) -> Result<Json, Failure> {
    let features = of
        .texts("guest_os_features")
        .unwrap_or_default()
        .into_iter();
    let mut body = json!({
        "boot": of.flag("boot").unwrap_or(nth == 0),
        "autoDelete": field(of, "auto_delete"),
        "deviceName": field(of, "device_name"),
        "interface": field(of, "interface"),
        "mode": field(of, "mode"),
        "type": field(of, "type"),
        "guestOsFeatures": features.map(|f| json!({"type": f})).collect::<Vec<_>>(),
        "source": of.text("source").map(|s| last(&s).to_owned()),
    });
    if of.text("source").is_none() {
        let image = match of.text("source_image") {
            Some(image) => image::resolve(at.google, &image, &at.name.project).await?,
            None => Json::Null,
        };
        body["initializeParams"] = json!({
            "sourceImage": image,
            "architecture": field(of, "architecture"),
            "diskName": field(of, "disk_name"),
            "diskSizeGb": long(of, "disk_size_gb"),
            "diskType": of.text("disk_type").map(|t| last(&t).to_owned()),
            "labels": field(of, "labels"),
            "resourcePolicies": field(of, "resource_policies"),
        });
    }
    Ok(body)
}

fn disk_found(d: &Json, known: Option<&Value>) -> Json {
    let null = Value::null();
    let known = known.unwrap_or(&null);
    let params = &d["initializeParams"];
    let features = d["guestOsFeatures"].as_array().into_iter().flatten();
    json!({
        "boot": d["boot"].as_bool().unwrap_or(false),
        "auto_delete": d["autoDelete"].as_bool().unwrap_or(false),
        "device_name": d["deviceName"],
        "interface": d["interface"].as_str().unwrap_or_default(),
        "mode": d["mode"].as_str().unwrap_or_default(),
        "type": d["type"].as_str().unwrap_or_default(),
        "guest_os_features": features.map(|f| f["type"].clone()).collect::<Vec<_>>(),
        "source": keep(known, "source", &d["source"]),
        "architecture": params["architecture"],
        "disk_name": params["diskName"],
        "disk_size_gb": number(&params["diskSizeGb"]).as_i64().unwrap_or(0),
        "disk_type": match params["diskType"].is_null() {
            true => json!(""),
            false => keep(known, "disk_type", &params["diskType"]),
        },
        "labels": super::or_none(&params["labels"]),
        "resource_policies": params["resourcePolicies"],
        "provisioned_iops": 0,
        "provisioned_throughput": 0,
        "source_image": match params["sourceImage"].is_null() {
            true => json!(""),
            false => image::keep(known.text("source_image").as_deref(), &params["sourceImage"]),
        },
    })
}

#[async_trait]
impl Thing for InstanceTemplate {
    const NAME: &'static str = "google_compute_instance_template";
    const MINUTES: Minutes = (4, 4, 4);
    type Calls = instance_templates::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::not_both(config, "name", "name_prefix", out);
        if let Some(prefix) = config.text("name_prefix").filter(|p| p.len() > 37) {
            out.push(
                weir_core::Diagnostic::error(format!("`name_prefix` can't be {prefix:?}"))
                    .because("What is added has 26 characters, and a name 63 at most.")
                    .help("Write at most 37 characters."),
            );
        }
        machine::check(config, out);
        interface::check(config, out);
    }

    fn plan(&self, config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let prefix = config.text("name_prefix");
        let planned = match (config.text("name"), prefix, prior) {
            // A name that is made up is no prefix, and the other way round.
            (Some(_), None, None) => planned.with("name_prefix", Value::from("")),
            _ => planned,
        };
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let planned = super::same_links(Some(prior), planned, &["machine_type"]);
        let planned = super::each_row(prior, planned, "disk", |_, was, is| {
            let is = super::same_links(Some(was), is, &["source", "disk_type"]);
            image::respelled(was, is, "source_image")
        });
        let planned = super::each_row(prior, planned, "network_interface", |_, was, is| {
            super::same_links(Some(was), is, &["network", "subnetwork"])
        });
        (planned, Vec::new())
    }

    /// As written, or its beginning and what the operation's name adds.
    fn named(&self, cx: &Call<'_>, planned: &Value) -> Result<Name, Failure> {
        let begin = match (planned.text("name"), planned.text("name_prefix")) {
            (Some(name), _) => name,
            (None, Some(prefix)) => format!("{prefix}{}", &cx.token[..26]),
            (None, None) => format!("terraform-{}", &cx.token[..26]),
        };
        Ok(Name {
            project: cx.cloud.project_of(planned.text("project"))?,
            place: String::new(),
            name: begin,
        })
    }

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let mut disks = Vec::new();
        for (nth, of) in planned.rows("disk").into_iter().enumerate() {
            disks.push(disk(at, nth, of).await?);
        }
        let region = planned
            .text("region")
            .or_else(|| at.google.settings.region());
        let body = json!({
            "description": field(planned, "description"),
            "properties": {
                "description": field(planned, "instance_description"),
                "machineType": planned.text("machine_type").map(|m| last(&m).to_owned()),
                "minCpuPlatform": field(planned, "min_cpu_platform"),
                "canIpForward": planned.is_on("can_ip_forward"),
                "labels": field(planned, "effective_labels"),
                "tags": {"items": field(planned, "tags")},
                "metadata": machine::metadata(planned),
                "disks": disks,
                "networkInterfaces": interface::body(planned, at.name, region.as_deref().unwrap_or_default()),
                "scheduling": machine::scheduling(planned),
                "serviceAccounts": machine::accounts(planned),
                "shieldedInstanceConfig": machine::shielded(planned),
                "advancedMachineFeatures": machine::advanced(planned),
                "confidentialInstanceConfig": machine::confidential(planned),
                "guestAccelerators": machine::accelerators(planned, ""),
            },
        });
        Ok(body)
    }

    async fn found(&self, _at: At<'_>, t: &Json, known: &Value) -> Result<Found, Failure> {
        let p = &t["properties"];
        let (metadata, script) = machine::metadata_found(&p["metadata"], known);
        let written = known.rows("disk");
        let disks = p["disks"].as_array().into_iter().flatten().enumerate();
        let disks = disks.map(|(i, d)| disk_found(d, written.get(i).copied()));
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        let mut found = object(json!({
            "name_prefix": known.text("name_prefix").unwrap_or_default(),
            "region": "",
            "numeric_id": text(&t["id"]),
            "self_link_unique": format!("{}?uniqueId={}", text(&t["selfLink"]), text(&t["id"])),
            "instance_description": p["description"],
            "machine_type": keep(known, "machine_type", &p["machineType"]),
            "min_cpu_platform": p["minCpuPlatform"],
            "can_ip_forward": p["canIpForward"].as_bool().unwrap_or(false),
            "effective_labels": super::or_none(&p["labels"]),
            "tags": p["tags"]["items"].as_array().cloned().unwrap_or_default(),
            "tags_fingerprint": text(&p["tags"]["fingerprint"]),
            "metadata": metadata,
            "metadata_fingerprint": text(&p["metadata"]["fingerprint"]),
            "disk": disks.collect::<Vec<_>>(),
            "network_interface": interface::found(&p["networkInterfaces"], known),
            "scheduling": machine::scheduling_found(&p["scheduling"]),
            "service_account": machine::accounts_found(&p["serviceAccounts"], known),
            "shielded_instance_config": machine::shielded_found(&p["shieldedInstanceConfig"]),
            "advanced_machine_features": machine::advanced_found(&p["advancedMachineFeatures"]),
            "confidential_instance_config": machine::confidential_found(&p["confidentialInstanceConfig"]),
            "guest_accelerator": machine::accelerators_found(&p["guestAccelerators"], known),
        }));
        if !script.is_null() {
            found.insert("metadata_startup_script".into(), script);
        }
        Ok(found)
    }
}
