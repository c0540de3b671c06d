//! `google_compute_network`

use crate::{
    body::{compact, field, number},
    calls::{change, networks},
    name::Name,
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::declared::{changed, checks, object};

pub(super) struct Network;

fn routing(of: &Value) -> Json {
    json!({
        "routingMode": field(of, "routing_mode"),
        "bgpBestPathSelectionMode": field(of, "bgp_best_path_selection_mode"),
        "bgpAlwaysCompareMed": field(of, "bgp_always_compare_med"),
        "bgpInterRegionCost": field(of, "bgp_inter_region_cost"),
    })
}

#[async_trait]
impl Thing for Network {
    const NAME: &'static str = "google_compute_network";
    type Calls = networks::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
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

    async fn body(&self, _at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let body = json!({
            "description": field(planned, "description"),
            "autoCreateSubnetworks": field(planned, "auto_create_subnetworks"),
            "routingConfig": routing(planned),
            "mtu": field(planned, "mtu"),
            "networkFirewallPolicyEnforcementOrder": field(planned, "network_firewall_policy_enforcement_order"),
        });
        Ok(body)
    }

    async fn found(&self, _at: At<'_>, n: &Json, _known: &Value) -> Result<Found, Failure> {
        let routing = &n["routingConfig"];
        Ok(object(json!({
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
        })))
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
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
        change!(
            cx,
            name,
            "networks.patch",
            networks.patch(set_network = name),
            Network,
            compact(patch)
        )
    }
}
