//! `google_compute_instance_template`: what machines are to be. It never changes: a new one is made.

use super::{image, interface, machine};
use crate::{
    body::{field, keep, long, number},
    calls::{self, instance_templates},
    client::Google,
    name::{Name, last},
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct InstanceTemplate;

const KIND: crate::name::Kind = instance_templates::KIND;

/// The name: as written, or its beginning and what the operation's name adds.
fn name(cx: &Call<'_>, planned: &Value) -> Result<Name, Failure> {
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

async fn disk(google: &Google, name: &Name, at: usize, of: &Value) -> Result<Json, Failure> {
    let features = of
        .texts("guest_os_features")
        .unwrap_or_default()
        .into_iter();
    let mut body = json!({
        "boot": of.flag("boot").unwrap_or(at == 0),
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
            Some(image) => image::resolve(google, &image, &name.project).await?,
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
impl Resource<Google> for InstanceTemplate {
    fn name(&self) -> &'static str {
        "google_compute_instance_template"
    }
    fn minutes(&self) -> Minutes {
        (4, 4, 4)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
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

    fn plan(
        &self,
        _cloud: Option<&Google>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let prefix = config.text("name_prefix");
        let planned = match (config.text("name"), prefix, prior) {
            // A name that is made up is no prefix, and the other way round.
            (Some(_), None, None) => planned.with("name_prefix", Value::from("")),
            _ => planned,
        };
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = name(cx, planned)?;
        let mut disks = Vec::new();
        for (at, of) in planned.rows("disk").into_iter().enumerate() {
            disks.push(disk(cx.cloud, &name, at, of).await?);
        }
        let region = planned
            .text("region")
            .or_else(|| cx.cloud.settings.region());
        let body = json!({
            "name": name.name,
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
                "networkInterfaces": interface::body(planned, &name, region.as_deref().unwrap_or_default()),
                "scheduling": machine::scheduling(planned),
                "serviceAccounts": machine::accounts(planned),
                "shieldedInstanceConfig": machine::shielded(planned),
                "advancedMachineFeatures": machine::advanced(planned),
                "confidentialInstanceConfig": machine::confidential(planned),
                "guestAccelerators": machine::accelerators(planned, ""),
            },
        });
        instance_templates::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = name(cx, planned)?;
        let there = instance_templates::get(cx.cloud, &name).await?.is_some();
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
        let Some(t) = instance_templates::get(google, &name).await? else {
            return Ok(None);
        };
        let p = &t["properties"];
        let (metadata, script) = machine::metadata_found(&p["metadata"], known);
        let written = known.rows("disk");
        let disks = p["disks"].as_array().into_iter().flatten().enumerate();
        let disks = disks.map(|(i, d)| disk_found(d, written.get(i).copied()));
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        let mut found = object(json!({
            "id": KIND.id(&name),
            "name": t["name"],
            "name_prefix": known.text("name_prefix").unwrap_or_default(),
            "project": name.project,
            "region": "",
            "numeric_id": text(&t["id"]),
            "self_link": t["selfLink"],
            "self_link_unique": format!("{}?uniqueId={}", text(&t["selfLink"]), text(&t["id"])),
            "creation_timestamp": t["creationTimestamp"],
            "description": t["description"],
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
        Ok(Some(found))
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        instance_templates::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
