//! `azurerm_proximity_placement_group`

use crate::{
    client::Azure,
    resource::{Arm, COMPUTE, Found, Place, fields},
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) struct PlacementGroup;

impl Arm for PlacementGroup {
    fn name(&self) -> &'static str {
        "azurerm_proximity_placement_group"
    }
    fn place(&self) -> Place {
        Place {
            namespace: "Microsoft.Compute",
            parts: &[("proximityPlacementGroups", "name")],
            version: COMPUTE,
            calls: "ProximityPlacementGroups",
        }
    }
    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        json!({
            "zones": planned.text("zone").map(|z| vec![z]),
            "properties": { "proximityPlacementGroupType": "Standard" },
        })
    }
    fn found(&self, body: &Json, _known: &Value) -> Found {
        fields(json!({ "zone": body["zones"][0].as_str().unwrap_or_default() }))
    }
}
