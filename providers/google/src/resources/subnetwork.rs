//! `google_compute_subnetwork`

use crate::{
    body::{compact, field, keep, number},
    calls::{Calls as _, change, subnetworks},
    name::{Name, last},
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, checks, object};

pub(super) struct Subnetwork;

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
impl Thing for Subnetwork {
    const NAME: &'static str = "google_compute_subnetwork";
    type Calls = subnetworks::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
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

    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
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

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let mut body = json!({
            "description": field(planned, "description"),
            "network": network(at.name, planned),
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
        Ok(body)
    }

    async fn found(&self, _at: At<'_>, s: &Json, known: &Value) -> Result<Found, Failure> {
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
        Ok(object(json!({
            "network": keep(known, "network", &s["network"]),
            "ip_cidr_range": s["ipCidrRange"],
            "secondary_ip_range": secondary.collect::<Vec<_>>(),
            "log_config": logs,
            "private_ip_google_access": s["privateIpGoogleAccess"].as_bool().unwrap_or(false),
            "private_ipv6_google_access": s["privateIpv6GoogleAccess"],
            "purpose": s["purpose"],
            "stack_type": s["stackType"],
            "fingerprint": s["fingerprint"],
            "gateway_address": s["gatewayAddress"],
            "external_ipv6_prefix": s["externalIpv6Prefix"].as_str().unwrap_or_default(),
            "internal_ipv6_prefix": s["internalIpv6Prefix"].as_str().unwrap_or_default(),
            "ipv6_cidr_range": s["ipv6CidrRange"].as_str().unwrap_or_default(),
            "ipv6_gce_endpoint": "",
            "state": s["state"].as_str().unwrap_or_default(),
            "subnetwork_id": number(&s["id"]),
        })))
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        if changed(prior, planned, "ip_cidr_range") {
            let body = json!({"ipCidrRange": field(planned, "ip_cidr_range")});
            change!(
                cx,
                name,
                "subnetworks.expandIpCidrRange",
                subnetworks.expand_ip_cidr_range(set_region = place, set_subnetwork = name),
                SubnetworksExpandIpCidrRangeRequest,
                body
            )?;
        }
        if changed(prior, planned, "private_ip_google_access") {
            let body = json!({"privateIpGoogleAccess": planned.is_on("private_ip_google_access")});
            change!(
                cx,
                name,
                "subnetworks.setPrivateIpGoogleAccess",
                subnetworks.set_private_ip_google_access(set_region = place, set_subnetwork = name),
                SubnetworksSetPrivateIpGoogleAccessRequest,
                body
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
                patch(cx, name, theirs, value).await?;
            }
        }
        Ok(())
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
    let now = subnetworks::All::get(cx.cloud, name)
        .await?
        .unwrap_or_default();
    let body = json!({"fingerprint": now["fingerprint"], field: compact(value)});
    change!(
        cx,
        name,
        "subnetworks.patch" as field,
        subnetworks.patch(set_region = place, set_subnetwork = name),
        Subnetwork,
        body
    )
}
