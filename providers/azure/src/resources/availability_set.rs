//! `azurerm_availability_set`

use crate::{
    client::Azure,
    resource::{Arm, COMPUTE, Found, Place, fields, reference},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Value};
use weir_provider::declared::{Fields as _, checks};

pub(super) struct AvailabilitySet;

impl Arm for AvailabilitySet {
    fn name(&self) -> &'static str {
        "azurerm_availability_set"
    }
    fn place(&self) -> Place {
        Place {
            namespace: "Microsoft.Compute",
            parts: &[("availabilitySets", "name")],
            version: COMPUTE,
            calls: "AvailabilitySets",
        }
    }
    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::within(config, "platform_fault_domain_count", 1..=3, out);
        checks::within(config, "platform_update_domain_count", 1..=20, out);
    }
    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        let managed = planned.is_on("managed");
        json!({
            "sku": { "name": if managed { "Aligned" } else { "Classic" } },
            "properties": {
                "platformFaultDomainCount": planned.int("platform_fault_domain_count"),
                "platformUpdateDomainCount": planned.int("platform_update_domain_count"),
                "proximityPlacementGroup": reference(planned.text("proximity_placement_group_id")),
            },
        })
    }
    fn found(&self, body: &Json, _known: &Value) -> Found {
        let p = &body["properties"];
        let group = p["proximityPlacementGroup"]["id"]
            .as_str()
            .unwrap_or_default();
        fields(json!({
            "managed": body["sku"]["name"].as_str() == Some("Aligned"),
            "platform_fault_domain_count": p["platformFaultDomainCount"],
            "platform_update_domain_count": p["platformUpdateDomainCount"],
            "proximity_placement_group_id": group,
        }))
    }
}
