//! `aws_vpc`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, filter, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, ResourceType, SecurityGroup, Tenancy, VpcAttributeName, VpcState,
};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::{Fields as _, changed, object};

pub(super) struct Vpc;

#[async_trait]
impl Resource<Aws> for Vpc {
    fn name(&self) -> &'static str {
        "aws_vpc"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::Vpc)
    }
    fn minutes(&self) -> Minutes {
        (10, 10, 5)
    }
    async fn dependents(&self, aws: &Aws, id: &str) -> Vec<String> {
        crate::dependents::in_vpc(aws, id).await
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::cidr::check(config, "cidr_block", super::cidr::VPC, out);
        super::choice(config, "instance_tenancy", &["default", "dedicated"], out);
        if config.get("cidr_block").is_some_and(Value::is_null) {
            out.push(
                Diagnostic::error("`cidr_block` of aws_vpc is missing")
                    .because("The network needs a range of addresses.")
                    .help("Set it, as `cidr_block = \"10.0.0.0/16\"`."),
            );
        }
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let tenancy = planned
            .text("instance_tenancy")
            .map(|t| Tenancy::from(t.as_str()));
        let made = cx
            .cloud
            .make("CreateVpc", || {
                let call = cx.cloud.ec2.create_vpc();
                call.set_cidr_block(planned.text("cidr_block"))
                    .set_instance_tenancy(tenancy.clone())
                    .tag_specifications(tags::specification(cx, ResourceType::Vpc, planned))
                    .send()
            })
            .await?;
        let id = made.vpc().and_then(|v| v.vpc_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateVpc"))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        let look = || async {
            let found = cx.cloud.call("DescribeVpcs", || {
                cx.cloud.ec2.describe_vpcs().vpc_ids(id).send()
            });
            let state = match unless_gone(found.await)? {
                Some(f) => f.vpcs().first().and_then(|v| v.state.clone()),
                None => None,
            };
            Ok(match state {
                Some(VpcState::Available) => State::Ready,
                _ => State::Pending("pending".into()),
            })
        };
        cx.wait("creation", look).await
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        // What AWS makes by itself: resolution on, names and metrics off.
        if planned.flag("enable_dns_support") == Some(false) {
            set(cx, id, "enable_dns_support", false).await?;
        }
        for name in [
            "enable_dns_hostnames",
            "enable_network_address_usage_metrics",
        ] {
            if planned.is_on(name) {
                set(cx, id, name, true).await?;
            }
        }
        Ok(())
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeVpcs", || {
            aws.ec2.describe_vpcs().vpc_ids(id).send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let Some(vpc) = answer.vpcs().first() else {
            return Ok(None);
        };
        attributes(aws, vpc).await.map(Some)
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        // Names need resolution: it is turned on first and off last.
        let mut names = [
            "enable_dns_support",
            "enable_dns_hostnames",
            "enable_network_address_usage_metrics",
        ];
        if planned.flag("enable_dns_support") == Some(false) {
            names.reverse();
        }
        for name in names {
            if let (true, Some(on)) = (changed(prior, planned, name), planned.flag(name)) {
                set(cx, id, name, on).await?;
            }
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeleteVpc", || cx.cloud.ec2.delete_vpc().vpc_id(id).send())
            .await?;
        Ok(())
    }
}

async fn set(cx: &Call<'_>, id: &str, name: &str, on: bool) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    cx.cloud
        .call("ModifyVpcAttribute", || {
            let call = cx.cloud.ec2.modify_vpc_attribute().vpc_id(id);
            match name {
                "enable_dns_support" => call.enable_dns_support(value.clone()),
                "enable_dns_hostnames" => call.enable_dns_hostnames(value.clone()),
                _ => call.enable_network_address_usage_metrics(value.clone()),
            }
            .send()
        })
        .await?;
    Ok(())
}

async fn attribute(aws: &Aws, id: &str, name: VpcAttributeName) -> Result<bool, Failure> {
    let answer = aws
        .call("DescribeVpcAttribute", || {
            let call = aws.ec2.describe_vpc_attribute().vpc_id(id);
            call.attribute(name.clone()).send()
        })
        .await;
    let Some(answer) = unless_gone(answer)? else {
        return Ok(false);
    };
    let value = match name {
        VpcAttributeName::EnableDnsSupport => answer.enable_dns_support(),
        VpcAttributeName::EnableDnsHostnames => answer.enable_dns_hostnames(),
        _ => answer.enable_network_address_usage_metrics(),
    };
    Ok(value.and_then(|v| v.value()).unwrap_or(false))
}

/// The id of the route table that subnets use which have none of their own.
pub(crate) async fn main_route_table(aws: &Aws, id: &str) -> Result<Option<String>, Failure> {
    let answer = aws
        .call("DescribeRouteTables", || {
            let call = aws.ec2.describe_route_tables();
            call.filters(filter("vpc-id", id))
                .filters(filter("association.main", "true"))
                .send()
        })
        .await?;
    Ok(answer
        .route_tables()
        .first()
        .and_then(|t| t.route_table_id.clone()))
}

async fn default_acl(aws: &Aws, id: &str) -> Result<Option<String>, Failure> {
    let answer = aws
        .call("DescribeNetworkAcls", || {
            let call = aws.ec2.describe_network_acls();
            call.filters(filter("vpc-id", id))
                .filters(filter("default", "true"))
                .send()
        })
        .await?;
    Ok(answer
        .network_acls()
        .first()
        .and_then(|a| a.network_acl_id.clone()))
}

async fn default_group(aws: &Aws, id: &str) -> Result<Option<SecurityGroup>, Failure> {
    let answer = aws
        .call("DescribeSecurityGroups", || {
            let call = aws.ec2.describe_security_groups();
            call.filters(filter("vpc-id", id))
                .filters(filter("group-name", "default"))
                .send()
        })
        .await?;
    Ok(answer.security_groups().first().cloned())
}

/// A VPC's attributes, as the resource and the data source have them.
pub(crate) async fn attributes(aws: &Aws, vpc: &aws_sdk_ec2::types::Vpc) -> Result<Found, Failure> {
    let id = vpc.vpc_id().unwrap_or_default();
    let owner = vpc.owner_id().unwrap_or_default();
    // Four more questions, asked at once.
    let (names, support, metrics, table, acl, group) = tokio::try_join!(
        attribute(aws, id, VpcAttributeName::EnableDnsHostnames),
        attribute(aws, id, VpcAttributeName::EnableDnsSupport),
        attribute(aws, id, VpcAttributeName::EnableNetworkAddressUsageMetrics),
        main_route_table(aws, id),
        default_acl(aws, id),
        default_group(aws, id),
    )?;
    let v6 = vpc.ipv6_cidr_block_association_set().first();
    Ok(object(json!({
        "arn": aws.arn(owner, "vpc", id),
        "cidr_block": vpc.cidr_block(),
        "default_network_acl_id": acl,
        "default_route_table_id": table,
        "default_security_group_id": group.and_then(|g| g.group_id),
        "dhcp_options_id": vpc.dhcp_options_id(),
        "enable_dns_hostnames": names,
        "enable_dns_support": support,
        "enable_network_address_usage_metrics": metrics,
        "instance_tenancy": vpc.instance_tenancy().map(|t| t.as_str()),
        "ipv6_association_id": v6.and_then(|a| a.association_id()).unwrap_or_default(),
        "ipv6_cidr_block": v6.and_then(|a| a.ipv6_cidr_block()).unwrap_or_default(),
        "ipv6_cidr_block_network_border_group":
            v6.and_then(|a| a.network_border_group()).unwrap_or_default(),
        "main_route_table_id": table,
        "owner_id": owner,
        "tags_all": tags::found(aws, vpc.tags()),
    })))
}
