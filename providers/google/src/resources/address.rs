//! `google_compute_address`

use crate::{
    body::{compact, field, keep, model},
    calls::{self, addresses, run},
    client::Google,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use google_cloud_compute_v1::model::RegionSetLabelsRequest;
use serde_json::json;
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, checks, object};

pub(super) struct Address;

const KIND: crate::name::Kind = addresses::KIND;

#[async_trait]
impl Resource<Google> for Address {
    fn name(&self) -> &'static str {
        "google_compute_address"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
        super::check_labels(config, out);
        checks::choice(config, "address_type", &["INTERNAL", "EXTERNAL"], out);
        checks::choice(config, "network_tier", &["PREMIUM", "STANDARD"], out);
        checks::choice(config, "ip_version", &["IPV4", "IPV6"], out);
    }

    fn plan(
        &self,
        _cloud: Option<&Google>,
        _config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let planned = super::same_links(prior, planned, &["network", "subnetwork"]);
        (
            super::new_fingerprint(prior, planned, "effective_labels", "label_fingerprint"),
            Vec::new(),
        )
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let of = |key: &str, path: &str| super::link(planned, key, &name, path);
        let body = json!({
            "name": name.name,
            "description": field(planned, "description"),
            "address": field(planned, "address"),
            "addressType": field(planned, "address_type"),
            "ipVersion": field(planned, "ip_version"),
            "ipv6EndpointType": field(planned, "ipv6_endpoint_type"),
            "labels": field(planned, "effective_labels"),
            "network": of("network", "global/networks"),
            "networkTier": field(planned, "network_tier"),
            "prefixLength": field(planned, "prefix_length"),
            "purpose": field(planned, "purpose"),
            "subnetwork": of("subnetwork", &format!("regions/{}/subnetworks", name.place)),
        });
        addresses::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = addresses::get(cx.cloud, &name).await?.is_some();
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
        let Some(a) = addresses::get(google, &name).await? else {
            return Ok(None);
        };
        // That it is IPv4 is only said where it was asked.
        let version = match known.text("ip_version") {
            Some(_) => a["ipVersion"].clone(),
            None => json!(""),
        };
        Ok(Some(object(json!({
            "id": KIND.id(&name),
            "name": a["name"],
            "project": name.project,
            "region": name.place,
            "description": a["description"],
            "address": a["address"],
            "address_type": a["addressType"],
            "ip_version": version,
            "ipv6_endpoint_type": a["ipv6EndpointType"],
            "network": keep(known, "network", &a["network"]),
            "network_tier": a["networkTier"].as_str().unwrap_or_default(),
            "prefix_length": a["prefixLength"].as_i64().unwrap_or(0),
            "purpose": a["purpose"].as_str().unwrap_or_default(),
            "subnetwork": match a["subnetwork"].is_null() {
                true => json!(""),
                false => keep(known, "subnetwork", &a["subnetwork"]),
            },
            "users": a["users"].as_array().cloned().unwrap_or_default(),
            "effective_labels": super::or_none(&a["labels"]),
            "label_fingerprint": a["labelFingerprint"],
            "creation_timestamp": a["creationTimestamp"],
            "self_link": a["selfLink"],
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
        if changed(prior, planned, "effective_labels") {
            let now = addresses::get(cx.cloud, &name).await?.unwrap_or_default();
            let body = json!({"labels": field(planned, "effective_labels"), "labelFingerprint": now["labelFingerprint"]});
            let body: RegionSetLabelsRequest = model("addresses.setLabels", compact(body))?;
            let addresses = &cx.cloud.clients.addresses;
            run!(
                cx,
                "addresses.setLabels",
                &name.project,
                addresses
                    .set_labels()
                    .set_region(&name.place)
                    .set_resource(&name.name)
                    .set_body(body.clone())
            )?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        addresses::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
