//! `aws_availability_zones`, `aws_region` and `aws_caller_identity`: where, and as whom.

use super::{fields, filters, some};
use crate::{
    client::Aws,
    resource::{Failure, Found},
};
use serde_json::json;
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) async fn zones(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let mut by = filters(config);
    by.extend(super::by(config, &[("state", "state")]));
    let answer = aws
        .call("DescribeAvailabilityZones", || {
            let call = aws.ec2.describe_availability_zones();
            call.set_all_availability_zones(config.flag("all_availability_zones"))
                .set_filters(some(by.clone()))
                .send()
        })
        .await?;
    let names = config.texts("exclude_names").unwrap_or_default();
    let ids = config.texts("exclude_zone_ids").unwrap_or_default();
    let out = |list: &[String], text: Option<&str>| list.iter().any(|l| Some(l.as_str()) == text);
    let mut zones: Vec<_> = (answer.availability_zones().iter())
        .filter(|z| !out(&names, z.zone_name()) && !out(&ids, z.zone_id()))
        .collect();
    zones.sort_by_key(|z| z.zone_name());
    let groups = zones.iter().filter_map(|z| z.group_name());
    let groups: std::collections::BTreeSet<_> = groups.collect();
    Ok(fields(json!({
        "id": aws.region,
        "group_names": groups,
        "names": zones.iter().map(|z| z.zone_name()).collect::<Vec<_>>(),
        "zone_ids": zones.iter().map(|z| z.zone_id()).collect::<Vec<_>>(),
    })))
}

pub(super) async fn caller(aws: &Aws) -> Result<Found, Failure> {
    let caller = aws.caller().await?;
    Ok(fields(json!({
        "account_id": caller.account,
        "arn": caller.arn,
        "id": caller.account,
        "user_id": caller.user,
    })))
}

pub(super) async fn region(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let asked = config.text("name");
    let by_endpoint = config.text("endpoint");
    let by_endpoint = by_endpoint.as_deref().and_then(|e| e.split('.').nth(1));
    let name = asked.as_deref().or(by_endpoint).unwrap_or(&aws.region);
    let answer = aws
        .call("DescribeRegions", || {
            aws.ec2.describe_regions().all_regions(true).send()
        })
        .await?;
    let found = answer
        .regions()
        .iter()
        .find(|r| r.region_name() == Some(name));
    let Some(found) = found else {
        let why = format!("there is no region {name}");
        return Err(Failure::new("the search", why));
    };
    Ok(fields(json!({
        "description": description(name).unwrap_or_default(),
        "endpoint": found.endpoint(),
        "id": name,
        "name": name,
    })))
}

/// The region's name for people, which EC2 does not tell.
fn description(name: &str) -> Option<&'static str> {
    let all = [
        ("af-south-1", "Africa (Cape Town)"),
        ("ap-east-1", "Asia Pacific (Hong Kong)"),
        ("ap-northeast-1", "Asia Pacific (Tokyo)"),
        ("ap-northeast-2", "Asia Pacific (Seoul)"),
        ("ap-northeast-3", "Asia Pacific (Osaka)"),
        ("ap-south-1", "Asia Pacific (Mumbai)"),
        ("ap-south-2", "Asia Pacific (Hyderabad)"),
        ("ap-southeast-1", "Asia Pacific (Singapore)"),
        ("ap-southeast-2", "Asia Pacific (Sydney)"),
        ("ap-southeast-3", "Asia Pacific (Jakarta)"),
        ("ap-southeast-4", "Asia Pacific (Melbourne)"),
        ("ca-central-1", "Canada (Central)"),
        ("ca-west-1", "Canada West (Calgary)"),
        ("eu-central-1", "Europe (Frankfurt)"),
        ("eu-central-2", "Europe (Zurich)"),
        ("eu-north-1", "Europe (Stockholm)"),
        ("eu-south-1", "Europe (Milan)"),
        ("eu-south-2", "Europe (Spain)"),
        ("eu-west-1", "Europe (Ireland)"),
        ("eu-west-2", "Europe (London)"),
        ("eu-west-3", "Europe (Paris)"),
        ("il-central-1", "Israel (Tel Aviv)"),
        ("me-central-1", "Middle East (UAE)"),
        ("me-south-1", "Middle East (Bahrain)"),
        ("sa-east-1", "South America (Sao Paulo)"),
        ("us-east-1", "US East (N. Virginia)"),
        ("us-east-2", "US East (Ohio)"),
        ("us-west-1", "US West (N. California)"),
        ("us-west-2", "US West (Oregon)"),
    ];
    all.into_iter()
        .find(|(n, _)| *n == name)
        .map(|(_, text)| text)
}
