//! What keeps something from being deleted.

use crate::{
    client::Aws,
    failure::Failure,
    resource::{Resource, filter},
};

/// The failure, with the names of what depends on the thing.
pub(crate) async fn name(
    aws: &Aws,
    resource: &dyn Resource,
    id: &str,
    mut failure: Failure,
) -> Failure {
    let Some(key) = resource.dependents() else {
        return failure;
    };
    let mut names = Vec::new();
    let interfaces = aws
        .call("DescribeNetworkInterfaces", || {
            let call = aws.ec2.describe_network_interfaces();
            call.filters(filter(key, id)).send()
        })
        .await;
    for i in interfaces.iter().flat_map(|f| f.network_interfaces()) {
        let of = i.attachment().and_then(|a| a.instance_id());
        let of = of.or(i.description()).unwrap_or_default();
        names.push(format!(
            "{} ({of})",
            i.network_interface_id().unwrap_or("an interface")
        ));
    }
    if key == "vpc-id" {
        names.extend(in_vpc(aws, id).await);
    }
    if !names.is_empty() {
        failure.message = format!(
            "{}; what still needs it: {}",
            failure.message,
            names.join(", ")
        );
    }
    failure
}

/// What lies in a VPC and is deleted before it.
async fn in_vpc(aws: &Aws, id: &str) -> Vec<String> {
    let mut names = Vec::new();
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
