//! `google_compute_network`

use crate::{
    body::{compact, field, model, number},
    calls::{self, networks, run},
    client::Google,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::declared::{changed, checks, object};

pub(super) struct Network;

const KIND: crate::name::Kind = networks::KIND;

fn routing(of: &Value) -> Json {
    json!({
        "routingMode": field(of, "routing_mode"),
        "bgpBestPathSelectionMode": field(of, "bgp_best_path_selection_mode"),
        "bgpAlwaysCompareMed": field(of, "bgp_always_compare_med"),
        "bgpInterRegionCost": field(of, "bgp_inter_region_cost"),
    })
}

#[async_trait]
impl Resource<Google> for Network {
    fn name(&self) -> &'static str {
        "google_compute_network"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
        checks::choice(config, "routing_mode", &["REGIONAL", "GLOBAL"], out);
        let orders = ["BEFORE_CLASSIC_FIREWALL", "AFTER_CLASSIC_FIREWALL"];
        checks::choice(
            config,
            "network_firewall_policy_enforcement_order",
            &orders,
            out,
        );
        checks::choice(
            config,
            "bgp_best_path_selection_mode",
            &["LEGACY", "STANDARD"],
            out,
        );
        checks::within(config, "mtu", 1300..=8896, out);
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let body = json!({
            "name": name.name,
            "description": field(planned, "description"),
            "autoCreateSubnetworks": field(planned, "auto_create_subnetworks"),
            "routingConfig": routing(planned),
            "mtu": field(planned, "mtu"),
            "networkFirewallPolicyEnforcementOrder": field(planned, "network_firewall_policy_enforcement_order"),
        });
        networks::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = networks::get(cx.cloud, &name).await?.is_some();
        Ok((there && calls::is_ours(cx, KIND, &name).await?).then(|| KIND.id(&name)))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, KIND, &KIND.parse(cx.cloud, id)?).await
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        _known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let name = KIND.parse(google, id)?;
        let Some(n) = networks::get(google, &name).await? else {
            return Ok(None);
        };
        let routing = &n["routingConfig"];
        Ok(Some(object(json!({
            "id": KIND.id(&name),
            "name": n["name"],
            "project": name.project,
            "description": n["description"],
            "auto_create_subnetworks": n["autoCreateSubnetworks"].as_bool().unwrap_or(false),
            "routing_mode": routing["routingMode"],
            "bgp_best_path_selection_mode": routing["bgpBestPathSelectionMode"],
            "bgp_always_compare_med": routing["bgpAlwaysCompareMed"],
            "bgp_inter_region_cost": routing["bgpInterRegionCost"],
            "mtu": n["mtu"],
            "network_firewall_policy_enforcement_order": n["networkFirewallPolicyEnforcementOrder"],
            "gateway_ipv4": n["gatewayIPv4"].as_str().unwrap_or_default(),
            "internal_ipv6_range": n["internalIpv6Range"].as_str().unwrap_or_default(),
            "network_id": number(&n["id"]).to_string(),
            "numeric_id": number(&n["id"]).to_string(),
            "self_link": n["selfLink"],
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
        let mut patch = json!({});
        let modes = [
            "routing_mode",
            "bgp_best_path_selection_mode",
            "bgp_always_compare_med",
            "bgp_inter_region_cost",
        ];
        if modes.iter().any(|m| changed(prior, planned, m)) {
            patch["routingConfig"] = routing(planned);
        }
        let order = "network_firewall_policy_enforcement_order";
        if changed(prior, planned, order) {
            patch["networkFirewallPolicyEnforcementOrder"] = field(planned, order);
        }
        let patch: google_cloud_compute_v1::model::Network =
            model("networks.patch", compact(patch))?;
        let networks = &cx.cloud.clients.networks;
        run!(
            cx,
            "networks.patch",
            &name.project,
            networks
                .patch()
                .set_network(&name.name)
                .set_body(patch.clone())
        )?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        networks::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
