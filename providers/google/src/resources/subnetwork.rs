//! `google_compute_subnetwork`

use crate::{
    body::{compact, field, keep, model, number},
    calls::{self, run, subnetworks},
    client::Google,
    name::{Name, last},
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use google_cloud_compute_v1::model::{
    Subnetwork as Model, SubnetworksExpandIpCidrRangeRequest,
    SubnetworksSetPrivateIpGoogleAccessRequest,
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, checks, object};

pub(super) struct Subnetwork;

const KIND: crate::name::Kind = subnetworks::KIND;

fn log_config(of: &Value) -> Json {
    match of.row("log_config") {
        None => json!({ "enable": false }),
        Some(log) => json!({
            "enable": true,
            "aggregationInterval": field(log, "aggregation_interval"),
            "flowSampling": field(log, "flow_sampling"),
            "metadata": field(log, "metadata"),
            "metadataFields": field(log, "metadata_fields"),
            "filterExpr": field(log, "filter_expr"),
        }),
    }
}

fn secondary(of: &Value) -> Json {
    let rows = of.rows("secondary_ip_range").into_iter();
    let range = |r: &Value| json!({"rangeName": field(r, "range_name"), "ipCidrRange": field(r, "ip_cidr_range")});
    Json::Array(rows.map(range).collect())
}

/// Whether the second range holds all of the first: what a subnetwork can grow to.
fn grows(from: &str, to: &str) -> bool {
    let (Some((first, bits)), Some((wider, fewer))) = (super::cidr(from), super::cidr(to)) else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32 - fewer).unwrap_or(0);
    fewer <= bits && first & mask == wider
}

#[async_trait]
impl Resource<Google> for Subnetwork {
    fn name(&self) -> &'static str {
        "google_compute_subnetwork"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
        super::check_cidr(config.text("ip_cidr_range"), "ip_cidr_range", out);
        for range in config.rows("secondary_ip_range") {
            super::check_name(range, "range_name", out);
            let what = "secondary_ip_range.ip_cidr_range";
            super::check_cidr(range.text("ip_cidr_range"), what, out);
        }
        checks::choice(
            config,
            "stack_type",
            &["IPV4_ONLY", "IPV4_IPV6", "IPV6_ONLY"],
            out,
        );
        checks::one_of(config, &["ip_cidr_range"], out);
    }

    fn plan(
        &self,
        _cloud: Option<&Google>,
        _config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let planned = super::same_links(prior, planned, &["network"]);
        let mut replaces = Vec::new();
        let ranges = prior
            .and_then(|p| p.text("ip_cidr_range"))
            .zip(planned.text("ip_cidr_range"));
        let mut new = planned;
        if let Some((was, is)) = ranges.filter(|(was, is)| was != is) {
            if !grows(&was, &is) {
                replaces.push(Path::root().key("ip_cidr_range"));
            }
            new = new.with("gateway_address", Value::unknown(weir_core::Type::String));
        }
        // Every change gives it another fingerprint.
        if let Some(prior) = prior {
            let names = [
                "secondary_ip_range",
                "log_config",
                "stack_type",
                "ip_cidr_range",
                "private_ipv6_google_access",
                "private_ip_google_access",
            ];
            if names.iter().any(|n| changed(prior, &new, n)) {
                new = new.with("fingerprint", Value::unknown(weir_core::Type::String));
            }
        }
        (new, replaces)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let mut body = json!({
            "name": name.name,
            "description": field(planned, "description"),
            "network": network(&name, planned),
            "ipCidrRange": field(planned, "ip_cidr_range"),
            "secondaryIpRanges": secondary(planned),
            "privateIpGoogleAccess": field(planned, "private_ip_google_access"),
            "privateIpv6GoogleAccess": field(planned, "private_ipv6_google_access"),
            "purpose": field(planned, "purpose"),
            "stackType": field(planned, "stack_type"),
        });
        if planned.row("log_config").is_some() {
            body["logConfig"] = log_config(planned);
        }
        subnetworks::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = subnetworks::get(cx.cloud, &name).await?.is_some();
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
        let Some(s) = subnetworks::get(google, &name).await? else {
            return Ok(None);
        };
        let secondary = s["secondaryIpRanges"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let secondary = secondary
            .iter()
            .map(|r| json!({"range_name": r["rangeName"], "ip_cidr_range": r["ipCidrRange"]}));
        let log = &s["logConfig"];
        let logs: Vec<Json> = match log["enable"] == true {
            true => vec![json!({
                "aggregation_interval": log["aggregationInterval"],
                "flow_sampling": log["flowSampling"],
                "metadata": log["metadata"],
                "metadata_fields": log["metadataFields"],
                "filter_expr": log["filterExpr"].as_str().unwrap_or("true"),
            })],
            false => Vec::new(),
        };
        Ok(Some(object(json!({
            "id": KIND.id(&name),
            "name": s["name"],
            "project": name.project,
            "region": name.place,
            "description": s["description"],
            "network": keep(known, "network", &s["network"]),
            "ip_cidr_range": s["ipCidrRange"],
            "secondary_ip_range": secondary.collect::<Vec<_>>(),
            "log_config": logs,
            "private_ip_google_access": s["privateIpGoogleAccess"].as_bool().unwrap_or(false),
            "private_ipv6_google_access": s["privateIpv6GoogleAccess"],
            "purpose": s["purpose"],
            "stack_type": s["stackType"],
            "creation_timestamp": s["creationTimestamp"],
            "fingerprint": s["fingerprint"],
            "gateway_address": s["gatewayAddress"],
            "external_ipv6_prefix": s["externalIpv6Prefix"].as_str().unwrap_or_default(),
            "internal_ipv6_prefix": s["internalIpv6Prefix"].as_str().unwrap_or_default(),
            "ipv6_cidr_range": s["ipv6CidrRange"].as_str().unwrap_or_default(),
            "ipv6_gce_endpoint": "",
            "state": s["state"].as_str().unwrap_or_default(),
            "subnetwork_id": number(&s["id"]),
            "self_link": s["selfLink"],
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
        if changed(prior, planned, "ip_cidr_range") {
            let body = json!({"ipCidrRange": field(planned, "ip_cidr_range")});
            let body: SubnetworksExpandIpCidrRangeRequest =
                model("subnetworks.expandIpCidrRange", body)?;
            let s = &cx.cloud.clients.subnetworks;
            run!(
                cx,
                "subnetworks.expandIpCidrRange",
                &name.project,
                s.expand_ip_cidr_range()
                    .set_region(&name.place)
                    .set_subnetwork(&name.name)
                    .set_body(body.clone())
            )?;
        }
        if changed(prior, planned, "private_ip_google_access") {
            let body = json!({"privateIpGoogleAccess": planned.is_on("private_ip_google_access")});
            let body: SubnetworksSetPrivateIpGoogleAccessRequest =
                model("subnetworks.setPrivateIpGoogleAccess", body)?;
            let s = &cx.cloud.clients.subnetworks;
            run!(
                cx,
                "subnetworks.setPrivateIpGoogleAccess",
                &name.project,
                s.set_private_ip_google_access()
                    .set_region(&name.place)
                    .set_subnetwork(&name.name)
                    .set_body(body.clone())
            )?;
        }
        // Each patch needs the fingerprint that the one before has left.
        for (attribute, theirs) in [
            ("secondary_ip_range", "secondaryIpRanges"),
            ("log_config", "logConfig"),
            ("private_ipv6_google_access", "privateIpv6GoogleAccess"),
            ("stack_type", "stackType"),
        ] {
            if changed(prior, planned, attribute) {
                let value = match attribute {
                    "secondary_ip_range" => secondary(planned),
                    "log_config" => log_config(planned),
                    _ => field(planned, attribute),
                };
                patch(cx, &name, theirs, value).await?;
            }
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        subnetworks::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}

/// The network as the API takes it: a name alone is one of this project.
fn network(name: &Name, planned: &Value) -> Json {
    let network = planned.text("network").unwrap_or_default();
    match network.contains('/') {
        true => json!(network),
        false => json!(format!(
            "projects/{}/global/networks/{}",
            name.project,
            last(&network)
        )),
    }
}

async fn patch(cx: &Call<'_>, name: &Name, field: &str, value: Json) -> Result<(), Failure> {
    let now = subnetworks::get(cx.cloud, name).await?.unwrap_or_default();
    let body = json!({"fingerprint": now["fingerprint"], field: compact(value)});
    let body: Model = model("subnetworks.patch", body)?;
    let s = &cx.cloud.clients.subnetworks;
    run!(
        cx,
        "subnetworks.patch",
        field,
        &name.project,
        s.patch()
            .set_region(&name.place)
            .set_subnetwork(&name.name)
            .set_body(body.clone())
    )
}
