//! `aws_subnet`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, HostnameType, ResourceType, SubnetState};
use serde_json::json;
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed, may_change};

pub(super) struct Subnet;

/// What can't be set at creation.
const SWITCHES: [&str; 5] = [
    "assign_ipv6_address_on_creation",
    "enable_dns64",
    "enable_resource_name_dns_a_record_on_launch",
    "enable_resource_name_dns_aaaa_record_on_launch",
    "map_public_ip_on_launch",
];
const HOSTNAME: &str = "private_dns_hostname_type_on_launch";

#[async_trait]
impl Resource<Aws> for Subnet {
    fn name(&self) -> &'static str {
        "aws_subnet"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::Subnet)
    }
    fn minutes(&self) -> Minutes {
        (10, 10, 20)
    }
    async fn dependents(&self, aws: &Aws, id: &str) -> Vec<String> {
        crate::dependents::interfaces(aws, "subnet-id", id).await
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::cidr::check(config, "cidr_block", super::cidr::VPC, out);
        super::cidr::check_v6(config, "ipv6_cidr_block", out);
        super::choice(config, HOSTNAME, &["ip-name", "resource-name"], out);
        super::not_both(config, "availability_zone", "availability_zone_id", out);
        super::one_of(config, &["cidr_block", "ipv6_cidr_block"], out);
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        _: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = planned;
        if prior.is_some_and(|p| may_change(p, &planned, "ipv6_cidr_block")) {
            let open = Value::unknown(weir_core::Type::String);
            planned = planned.with("ipv6_cidr_block_association_id", open);
        }
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let made = cx
            .cloud
            .make("CreateSubnet", || {
                let call = cx.cloud.ec2.create_subnet();
                call.set_vpc_id(planned.text("vpc_id"))
                    .set_cidr_block(planned.text("cidr_block"))
                    .set_ipv6_cidr_block(planned.text("ipv6_cidr_block"))
                    .set_ipv6_native(planned.flag("ipv6_native").filter(|on| *on))
                    .set_availability_zone(planned.text("availability_zone"))
                    .set_availability_zone_id(planned.text("availability_zone_id"))
                    .tag_specifications(tags::specification(cx, ResourceType::Subnet, planned))
                    .send()
            })
            .await?;
        let id = made.subnet().and_then(|s| s.subnet_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateSubnet"))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        let look = || async {
            let answer = cx.cloud.call("DescribeSubnets", || {
                cx.cloud.ec2.describe_subnets().subnet_ids(id).send()
            });
            let state = match unless_gone(answer.await)? {
                Some(f) => f.subnets().first().and_then(|s| s.state.clone()),
                None => None,
            };
            Ok(match state {
                Some(SubnetState::Available) => State::Ready,
                _ => State::Pending("pending".into()),
            })
        };
        cx.wait("creation", look).await
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        for name in SWITCHES.into_iter().filter(|n| planned.is_on(n)) {
            set(cx, id, name, true).await?;
        }
        if let Some(kind) = planned.text(HOSTNAME) {
            set_hostname(cx, id, &kind).await?;
        }
        Ok(())
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeSubnets", || {
            aws.ec2.describe_subnets().subnet_ids(id).send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let Some(subnet) = answer.subnets().first() else {
            return Ok(None);
        };
        found(attributes(aws, subnet))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if changed(prior, planned, "ipv6_cidr_block") {
            if let Some(old) = prior.text("ipv6_cidr_block_association_id") {
                cx.cloud
                    .call("DisassociateSubnetCidrBlock", || {
                        let call = cx.cloud.ec2.disassociate_subnet_cidr_block();
                        call.association_id(&old).send()
                    })
                    .await?;
            }
            if let Some(new) = planned.text("ipv6_cidr_block") {
                cx.cloud
                    .call("AssociateSubnetCidrBlock", || {
                        let call = cx.cloud.ec2.associate_subnet_cidr_block();
                        call.subnet_id(id).ipv6_cidr_block(&new).send()
                    })
                    .await?;
            }
        }
        for name in SWITCHES {
            if let (true, Some(on)) = (changed(prior, planned, name), planned.flag(name)) {
                set(cx, id, name, on).await?;
            }
        }
        if let (true, Some(kind)) = (changed(prior, planned, HOSTNAME), planned.text(HOSTNAME)) {
            set_hostname(cx, id, &kind).await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeleteSubnet", || {
                cx.cloud.ec2.delete_subnet().subnet_id(id).send()
            })
            .await?;
        Ok(())
    }
}

/// A subnet's attributes, as the resource and the data source have them.
pub(crate) fn attributes(aws: &Aws, subnet: &aws_sdk_ec2::types::Subnet) -> serde_json::Value {
    let id = subnet.subnet_id().unwrap_or_default();
    let owner = subnet.owner_id().unwrap_or_default();
    let names = subnet.private_dns_name_options_on_launch();
    let v6 = (subnet.ipv6_cidr_block_association_set().iter()).find(|a| {
        let state = a.ipv6_cidr_block_state().and_then(|s| s.state());
        state.is_none_or(|s| matches!(s.as_str(), "associated" | "associating"))
    });
    json!({
        "arn": subnet.subnet_arn().map_or_else(|| aws.arn(owner, "subnet", id), str::to_owned),
        "assign_ipv6_address_on_creation": subnet.assign_ipv6_address_on_creation().unwrap_or(false),
        "availability_zone": subnet.availability_zone(),
        "availability_zone_id": subnet.availability_zone_id(),
        "cidr_block": subnet.cidr_block(),
        "enable_dns64": subnet.enable_dns64().unwrap_or(false),
        "enable_resource_name_dns_a_record_on_launch":
            names.and_then(|n| n.enable_resource_name_dns_a_record()).unwrap_or(false),
        "enable_resource_name_dns_aaaa_record_on_launch":
            names.and_then(|n| n.enable_resource_name_dns_aaaa_record()).unwrap_or(false),
        "ipv6_cidr_block": v6.and_then(|a| a.ipv6_cidr_block()).unwrap_or_default(),
        "ipv6_cidr_block_association_id": v6.and_then(|a| a.association_id()).unwrap_or_default(),
        "ipv6_native": subnet.ipv6_native().unwrap_or(false),
        "map_public_ip_on_launch": subnet.map_public_ip_on_launch().unwrap_or(false),
        "owner_id": owner,
        "private_dns_hostname_type_on_launch":
            names.and_then(|n| n.hostname_type()).map(|h| h.as_str()),
        "tags_all": tags::found(aws, subnet.tags()),
        "vpc_id": subnet.vpc_id(),
    })
}

async fn set_hostname(cx: &Call<'_>, id: &str, kind: &str) -> Result<(), Failure> {
    cx.cloud
        .call("ModifySubnetAttribute", || {
            let call = cx.cloud.ec2.modify_subnet_attribute().subnet_id(id);
            call.private_dns_hostname_type_on_launch(HostnameType::from(kind))
                .send()
        })
        .await?;
    Ok(())
}

async fn set(cx: &Call<'_>, id: &str, name: &str, on: bool) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    // AWS takes one attribute a call.
    cx.cloud
        .call("ModifySubnetAttribute", || {
            let call = cx.cloud.ec2.modify_subnet_attribute().subnet_id(id);
            let value = value.clone();
            match name {
                "assign_ipv6_address_on_creation" => call.assign_ipv6_address_on_creation(value),
                "enable_dns64" => call.enable_dns64(value),
                "enable_resource_name_dns_a_record_on_launch" => {
                    call.enable_resource_name_dns_a_record_on_launch(value)
                }
                "enable_resource_name_dns_aaaa_record_on_launch" => {
                    call.enable_resource_name_dns_aaaa_record_on_launch(value)
                }
                _ => call.map_public_ip_on_launch(value),
            }
            .send()
        })
        .await?;
    Ok(())
}
