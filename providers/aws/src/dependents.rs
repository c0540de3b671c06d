//! What keeps something from being deleted.

use crate::{client::Aws, resource::filter};

/// Names of interfaces that the filter finds, and of what they belong to.
pub(crate) async fn interfaces(aws: &Aws, key: &str, id: &str) -> Vec<String> {
    let found = aws
        .call("DescribeNetworkInterfaces", || {
            let call = aws.ec2.describe_network_interfaces();
            call.filters(filter(key, id)).send()
        })
        .await;
    let name = |i: &aws_sdk_ec2::types::NetworkInterface| {
        let of = i.attachment().and_then(|a| a.instance_id());
        let of = of.or(i.description()).unwrap_or_default();
        let id = i.network_interface_id().unwrap_or("an interface");
        format!("{id} ({of})")
    };
    let found = found.iter().flat_map(|f| f.network_interfaces());
    found.map(name).collect()
}

/// What lies in a VPC and is deleted before it.
pub(crate) async fn in_vpc(aws: &Aws, id: &str) -> Vec<String> {
    let mut names = interfaces(aws, "vpc-id", id).await;
    let subnets = aws
        .call("DescribeSubnets", || {
            aws.ec2
                .describe_subnets()
                .filters(filter("vpc-id", id))
                .send()
        })
        .await;
    names.extend((subnets.iter().flat_map(|f| f.subnets())).filter_map(|s| s.subnet_id.clone()));
    let groups = aws
        .call("DescribeSecurityGroups", || {
            aws.ec2
                .describe_security_groups()
                .filters(filter("vpc-id", id))
                .send()
        })
        .await;
    let groups = groups.iter().flat_map(|f| f.security_groups());
    names.extend(
        groups
            .filter(|g| g.group_name() != Some("default"))
            .filter_map(|g| g.group_id.clone()),
    );
    let gateways = aws
        .call("DescribeInternetGateways", || {
            let call = aws.ec2.describe_internet_gateways();
            call.filters(filter("attachment.vpc-id", id)).send()
        })
        .await;
    let gateways = gateways.iter().flat_map(|f| f.internet_gateways());
    names.extend(gateways.filter_map(|g| g.internet_gateway_id.clone()));
    names
}
