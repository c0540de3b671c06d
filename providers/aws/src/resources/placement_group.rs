//! `aws_placement_group`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Resource, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{PlacementGroupState, PlacementStrategy, ResourceType, SpreadLevel};
use serde_json::json;
use weir_core::{Diagnostics, Value};
use weir_provider::declared::Fields as _;

pub(super) struct PlacementGroup;

#[async_trait]
impl Resource<Aws> for PlacementGroup {
    fn name(&self) -> &'static str {
        "aws_placement_group"
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::choice(config, "strategy", &["cluster", "partition", "spread"], out);
        super::choice(config, "spread_level", &["host", "rack"], out);
        super::within(config, "partition_count", 0..=7, out);
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = planned.text("name").unwrap_or_default();
        let strategy = planned
            .text("strategy")
            .map(|s| PlacementStrategy::from(s.as_str()));
        let level = planned
            .text("spread_level")
            .map(|s| SpreadLevel::from(s.as_str()));
        cx.cloud
            .make("CreatePlacementGroup", || {
                let call = cx.cloud.ec2.create_placement_group().group_name(&name);
                call.set_strategy(strategy.clone())
                    .set_spread_level(level.clone())
                    .set_partition_count(planned.int("partition_count").filter(|n| *n > 0))
                    .tag_specifications(tags::specification(
                        cx,
                        ResourceType::PlacementGroup,
                        planned,
                    ))
                    .send()
            })
            .await?;
        Ok(name)
    }

    /// A group is known by its name, so the tag is looked for on the groups themselves.
    async fn find(&self, cx: &Call<'_>, _planned: &Value) -> Result<Option<String>, Failure> {
        let mine = tags::mine(cx);
        let found = cx
            .cloud
            .call("DescribePlacementGroups", || {
                cx.cloud
                    .ec2
                    .describe_placement_groups()
                    .filters(mine.clone())
                    .send()
            })
            .await?;
        Ok(found
            .placement_groups()
            .first()
            .and_then(|g| g.group_name.clone()))
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribePlacementGroups", || {
            aws.ec2.describe_placement_groups().group_names(id).send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let mut all = answer.placement_groups().iter();
        let Some(group) = all.find(|g| g.state() != Some(&PlacementGroupState::Deleted)) else {
            return Ok(None);
        };
        let account = aws.account().await?;
        let arn = aws.arn(&account, "placement-group", id);
        found(json!({
            "arn": group.group_arn().map_or(arn, str::to_owned),
            "name": group.group_name(),
            "partition_count": group.partition_count().unwrap_or(0),
            "placement_group_id": group.group_id(),
            "spread_level": group.spread_level().map_or("", |l| l.as_str()),
            "strategy": group.strategy().map(|s| s.as_str()),
            "tags_all": tags::found(aws, group.tags()),
        }))
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeletePlacementGroup", || {
                cx.cloud.ec2.delete_placement_group().group_name(id).send()
            })
            .await?;
        Ok(())
    }

    fn tag_id(&self, id: &str, value: &Value) -> String {
        value
            .text("placement_group_id")
            .unwrap_or_else(|| id.to_owned())
    }
}
