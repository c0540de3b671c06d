//! `azurerm_resource_group`

use crate::{
    client::Azure,
    resource::{Arm, Call, Failure, Found, Minutes, Place, RESOURCES, fields},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) struct Group;

#[async_trait]
impl Arm for Group {
    fn name(&self) -> &'static str {
        "azurerm_resource_group"
    }
    fn minutes(&self) -> Minutes {
        (90, 90, 90)
    }
    fn place(&self) -> Place {
        Place {
            namespace: "",
            parts: &[("resourceGroups", "name")],
            version: RESOURCES,
            calls: "ResourceGroups",
        }
    }
    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        json!({ "managedBy": planned.text("managed_by") })
    }
    fn found(&self, body: &Json, _known: &Value) -> Found {
        fields(json!({ "managed_by": body["managedBy"] }))
    }

    /// A group that has resources would take them with it, whoever made them.
    async fn before_delete(&self, cx: &Call<'_>, id: &str) -> Result<&'static str, Failure> {
        if !cx.cloud.features.keep_full_groups {
            return Ok("");
        }
        let what = "Resources_ListByResourceGroup";
        let inside = format!("{id}/resources");
        let all = match cx.cloud.list(what, &inside, RESOURCES).await {
            Err(f) if f.is_gone() => Vec::new(),
            other => other?,
        };
        if all.is_empty() {
            return Ok("");
        }
        let mut names: Vec<&str> = all.iter().filter_map(|r| r["id"].as_str()).collect();
        let more = names.len().saturating_sub(10);
        names.truncate(10);
        let more = match more {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        Err(Failure {
            help: Some(
                "Delete them first, or set `prevent_deletion_if_contains_resources = false` in `features { resource_group {} }` to delete the group with all that is in it.",
            ),
            ..Failure::new(
                "ResourceGroups_Delete",
                format!(
                    "it still has resources that are not in this stack: {}{more}",
                    names.join(", ")
                ),
            )
        })
    }
}
