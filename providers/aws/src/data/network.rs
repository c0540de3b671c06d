//! `aws_vpc`, `aws_subnet` and `aws_subnets`

use super::{by, fields, filters, single, some, tags_of};
use crate::{
    client::Aws,
    resource::Found,
    resources::{subnet, vpc},
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::cloud::Failure;

pub(super) async fn vpc(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let names = [
        ("cidr_block", "cidr"),
        ("default", "is-default"),
        ("dhcp_options_id", "dhcp-options-id"),
        ("id", "vpc-id"),
        ("state", "state"),
    ];
    let filters = some([filters(config), by(config, &names)].concat());
    let mut pages = aws
        .call("DescribeVpcs", || {
            aws.ec2.describe_vpcs().set_filters(filters.clone()).send()
        })
        .await?;
    let vpc = single(pages.vpcs.take().unwrap_or_default(), "VPC")?;
    let id = vpc.vpc_id().unwrap_or_default();
    let mut found = vpc::attributes(aws, &vpc).await?;
    let ranges: Vec<Json> = (vpc.cidr_block_association_set().iter())
        .map(|a| {
            json!({
                "association_id": a.association_id(),
                "cidr_block": a.cidr_block(),
                "state": a.cidr_block_state().and_then(|s| s.state()).map(|s| s.as_str()),
            })
        })
        .collect();
    found.extend(fields(json!({
        "id": id,
        "cidr_block_associations": ranges,
        "default": vpc.is_default().unwrap_or(false),
        "state": vpc.state().map(|s| s.as_str()),
    })));
    Ok(found)
}

pub(super) async fn subnet(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let names = [
        ("availability_zone", "availabilityZone"),
        ("availability_zone_id", "availabilityZoneId"),
        ("cidr_block", "cidrBlock"),
        ("default_for_az", "defaultForAz"),
        ("id", "subnet-id"),
        (
            "ipv6_cidr_block",
            "ipv6-cidr-block-association.ipv6-cidr-block",
        ),
        ("state", "state"),
        ("vpc_id", "vpc-id"),
    ];
    let filters = some([filters(config), by(config, &names)].concat());
    let mut answer = aws
        .call("DescribeSubnets", || {
            aws.ec2
                .describe_subnets()
                .set_filters(filters.clone())
                .send()
        })
        .await?;
    let one = single(answer.subnets.take().unwrap_or_default(), "subnet")?;
    let mut found = fields(subnet::attributes(aws, &one));
    found.extend(fields(json!({
        "available_ip_address_count": one.available_ip_address_count(),
        "customer_owned_ipv4_pool": one.customer_owned_ipv4_pool().unwrap_or_default(),
        "default_for_az": one.default_for_az().unwrap_or(false),
        "enable_lni_at_device_index": one.enable_lni_at_device_index().unwrap_or(0),
        "id": one.subnet_id(),
        "map_customer_owned_ip_on_launch": one.map_customer_owned_ip_on_launch().unwrap_or(false),
        "outpost_arn": one.outpost_arn().unwrap_or_default(),
        "state": one.state().map(|s| s.as_str()),
        "tags_all": tags_of(aws, one.tags()),
    })));
    Ok(found)
}

pub(super) async fn subnets(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let filters = some(filters(config));
    let mut ids = Vec::new();
    let mut next = None;
    loop {
        let page = aws
            .call("DescribeSubnets", || {
                let call = aws.ec2.describe_subnets();
                call.set_filters(filters.clone())
                    .set_next_token(next.clone())
                    .send()
            })
            .await?;
        ids.extend(page.subnets().iter().filter_map(|s| s.subnet_id.clone()));
        next = page
            .next_token()
            .filter(|t| !t.is_empty())
            .map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    ids.sort();
    Ok(fields(json!({ "id": aws.region, "ids": ids })))
}
