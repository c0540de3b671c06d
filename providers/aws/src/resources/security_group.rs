//! `aws_security_group`: it owns its rules where the configuration lists some.

use super::permissions::{self as rules, Direction};
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{IpPermission, ResourceType};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed};

pub(super) struct SecurityGroup;

const SIDES: [Direction; 2] = [Direction::Ingress, Direction::Egress];

#[async_trait]
impl Resource<Aws> for SecurityGroup {
    fn name(&self) -> &'static str {
        "aws_security_group"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::SecurityGroup)
    }
    fn minutes(&self) -> Minutes {
        (10, 10, 15)
    }
    async fn dependents(&self, aws: &Aws, id: &str) -> Vec<String> {
        crate::dependents::interfaces(aws, "group-id", id).await
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::not_both(config, "name", "name_prefix", out);
        if config.text("name").is_some_and(|n| n.starts_with("sg-")) {
            out.push(
                Diagnostic::error("`name` can't begin with \"sg-\"")
                    .because("AWS keeps that for the ids of groups.")
                    .help("Choose another name."),
            );
        }
        for side in SIDES {
            for row in config.rows(side.as_str()) {
                rules::validate(row, out);
            }
        }
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = planned;
        for side in SIDES {
            let side = side.as_str();
            if config
                .get(side)
                .is_some_and(|r| !r.is_null() && !r.is_unknown())
            {
                planned = planned.with(side, super::filled(config, side, &rules::empty()));
            }
        }
        (super::named(config, prior, planned), Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx, planned, "name", "name_prefix");
        let made = cx
            .cloud
            .make("CreateSecurityGroup", || {
                let call = cx.cloud.ec2.create_security_group();
                call.group_name(&name)
                    .set_description(planned.text("description"))
                    .set_vpc_id(planned.text("vpc_id"))
                    .tag_specifications(tags::specification(
                        cx,
                        ResourceType::SecurityGroup,
                        planned,
                    ))
                    .send()
            })
            .await?;
        let id = made.group_id();
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateSecurityGroup"))
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        let Some(group) = group(cx.cloud, id).await? else {
            return Err(Failure::new("CreateSecurityGroup", format!("{id} is gone")));
        };
        // AWS lets everything out; Terraform's users say so themselves.
        let out = group.ip_permissions_egress().to_vec();
        if !out.is_empty() {
            rules::revoke(cx, id, Direction::Egress, out).await?;
        }
        for side in SIDES {
            let rows = planned.rows(side.as_str());
            rules::authorize(cx, id, side, rules::of_rows(&rows, id)).await?;
        }
        Ok(())
    }

    /// Where the configuration lists no rules, nothing may go out until it has a rule of its own.
    async fn is_finished(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<bool, Failure> {
        let is_open = planned.get("egress").is_some_and(Value::is_unknown);
        let group = group(cx.cloud, id).await?;
        Ok(!(is_open && group.is_some_and(|g| !g.ip_permissions_egress().is_empty())))
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let Some(group) = group(aws, id).await? else {
            return Ok(None);
        };
        let owner = group.owner_id().unwrap_or_default();
        let name = group.group_name().unwrap_or_default();
        let side = |side: Direction, have: &[IpPermission]| {
            rules::rows(have, &known.rows(side.as_str()), (id, owner))
        };
        found(json!({
            "arn": aws.arn(owner, "security-group", id),
            "description": group.description(),
            "egress": side(Direction::Egress, group.ip_permissions_egress()),
            "ingress": side(Direction::Ingress, group.ip_permissions()),
            "name": name,
            "name_prefix": super::prefix_of(known, name),
            "owner_id": owner,
            "tags_all": tags::found(aws, group.tags()),
            "vpc_id": group.vpc_id().unwrap_or_default(),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        for side in SIDES {
            if !changed(prior, planned, side.as_str()) {
                continue;
            }
            let was = rules::of_rows(&prior.rows(side.as_str()), id);
            let is = rules::of_rows(&planned.rows(side.as_str()), id);
            let gone = was.iter().filter(|p| !is.contains(p)).cloned().collect();
            let new = is.into_iter().filter(|p| !was.contains(p)).collect();
            rules::revoke(cx, id, side, gone).await?;
            rules::authorize(cx, id, side, new).await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure> {
        if prior.is_on("revoke_rules_on_delete")
            && let Some(group) = group(cx.cloud, id).await?
        {
            rules::revoke(cx, id, Direction::Ingress, group.ip_permissions().to_vec()).await?;
            rules::revoke(
                cx,
                id,
                Direction::Egress,
                group.ip_permissions_egress().to_vec(),
            )
            .await?;
        }
        cx.cloud
            .call("DeleteSecurityGroup", || {
                cx.cloud.ec2.delete_security_group().group_id(id).send()
            })
            .await?;
        Ok(())
    }
}

/// The group; `None` where there is none.
pub(super) async fn group(
    aws: &Aws,
    id: &str,
) -> Result<Option<aws_sdk_ec2::types::SecurityGroup>, Failure> {
    let answer = aws.call("DescribeSecurityGroups", || {
        aws.ec2.describe_security_groups().group_ids(id).send()
    });
    Ok(unless_gone(answer.await)?.and_then(|a| a.security_groups().first().cloned()))
}
