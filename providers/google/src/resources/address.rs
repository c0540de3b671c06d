//! `google_compute_address`

use crate::{
    body::{compact, field, keep},
    calls::{Calls as _, addresses, change},
    name::Name,
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, checks, object};

pub(super) struct Address;

#[async_trait]
impl Thing for Address {
    const NAME: &'static str = "google_compute_address";
    type Calls = addresses::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_labels(config, out);
        checks::choice(config, "address_type", &["INTERNAL", "EXTERNAL"], out);
        checks::choice(config, "network_tier", &["PREMIUM", "STANDARD"], out);
        checks::choice(config, "ip_version", &["IPV4", "IPV6"], out);
    }

    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let planned = super::same_links(prior, planned, &["network", "subnetwork"]);
        (
            super::new_fingerprint(prior, planned, "effective_labels", "label_fingerprint"),
            Vec::new(),
        )
    }

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let of = |key: &str, path: &str| super::link(planned, key, at.name, path);
        let body = json!({
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
            "subnetwork": of("subnetwork", &format!("regions/{}/subnetworks", at.name.place)),
        });
        Ok(body)
    }

    async fn found(&self, _at: At<'_>, a: &Json, known: &Value) -> Result<Found, Failure> {
        // That it is IPv4 is only said where it was asked.
        let version = match known.text("ip_version") {
            Some(_) => a["ipVersion"].clone(),
            None => json!(""),
        };
        Ok(object(json!({
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
        })))
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        if changed(prior, planned, "effective_labels") {
            let now = addresses::All::get(cx.cloud, name)
                .await?
                .unwrap_or_default();
            let body = json!({"labels": field(planned, "effective_labels"), "labelFingerprint": now["labelFingerprint"]});
            change!(
                cx,
                name,
                "addresses.setLabels",
                addresses.set_labels(set_region = place, set_resource = name),
                RegionSetLabelsRequest,
                compact(body)
            )?;
        }
        Ok(())
    }
}
