//! `aws_ami`

use super::{fields, filters, some, tags_of};
use crate::{
    client::Aws,
    resource::{Failure, Found},
};
use aws_sdk_ec2::types::Image;
use serde_json::{Map, Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) async fn read(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let by = some(filters(config));
    let mut images = Vec::new();
    let mut next = None;
    loop {
        let page = aws
            .call("DescribeImages", || {
                let call = aws.ec2.describe_images();
                call.set_filters(by.clone())
                    .set_owners(config.texts("owners"))
                    .set_executable_users(config.texts("executable_users"))
                    .set_include_deprecated(config.flag("include_deprecated"))
                    .set_next_token(next.clone())
                    .send()
            })
            .await?;
        images.extend(page.images().iter().cloned());
        next = page
            .next_token()
            .filter(|t| !t.is_empty())
            .map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    if let Some(pattern) = config
        .text("name_regex")
        .and_then(|t| regex::Regex::new(&t).ok())
    {
        images.retain(|i| i.name().is_some_and(|n| pattern.is_match(n)));
    }
    // Dates are RFC 3339 in UTC: they sort as text. Equal ones by id, so that it is the same always.
    images
        .sort_by(|a, b| (a.creation_date(), a.image_id()).cmp(&(b.creation_date(), b.image_id())));
    if images.len() > 1 && !config.is_on("most_recent") {
        let why = format!(
            "{} images fit it, and it must be one; say more of it, or set most_recent = true",
            images.len()
        );
        return Err(Failure::new("the search", why));
    }
    match images.pop() {
        Some(image) => Ok(attributes(aws, &image)),
        None => {
            let why = format!("no image of {} fits it", aws.region);
            Err(crate::failure::refused(
                "the search",
                "InvalidAMIID.NotFound",
                why,
            ))
        }
    }
}

fn attributes(aws: &Aws, i: &Image) -> Found {
    let id = i.image_id().unwrap_or_default();
    let owner = i.owner_id().unwrap_or_default();
    let root = i.root_device_name();
    let root = i
        .block_device_mappings()
        .iter()
        .find(|m| m.device_name() == root);
    let snapshot = root.and_then(|m| m.ebs()).and_then(|e| e.snapshot_id());
    let disks: Vec<Json> = i.block_device_mappings().iter().map(disk).collect();
    let codes: Vec<Json> = (i.product_codes().iter())
        .map(|c| {
            json!({
                "product_code_id": c.product_code_id(),
                "product_code_type": c.product_code_type().map(|t| t.as_str()),
            })
        })
        .collect();
    let reason = i.state_reason();
    let reason = json!({
        "code": reason.and_then(|r| r.code()).unwrap_or("UNSET"),
        "message": reason.and_then(|r| r.message()).unwrap_or("UNSET"),
    });
    let mut all = fields(json!({
        "architecture": i.architecture().map(|a| a.as_str()),
        "arn": aws.arn("", "image", id),
        "block_device_mappings": disks,
        "boot_mode": i.boot_mode().map_or("", |b| b.as_str()),
        "creation_date": i.creation_date(),
        "deprecation_time": i.deprecation_time().unwrap_or_default(),
        "description": i.description().unwrap_or_default(),
        "ena_support": i.ena_support().unwrap_or(false),
        "hypervisor": i.hypervisor().map_or("", |h| h.as_str()),
        "id": id,
        "image_id": id,
        "image_location": i.image_location(),
        "image_owner_alias": i.image_owner_alias().unwrap_or_default(),
        "image_type": i.image_type().map_or("", |t| t.as_str()),
        "imds_support": i.imds_support().map_or("", |t| t.as_str()),
        "kernel_id": i.kernel_id().unwrap_or_default(),
        "last_launched_time": i.last_launched_time().unwrap_or_default(),
        "name": i.name(),
    }));
    all.extend(fields(json!({
        "owner_id": owner,
        "platform": i.platform().map_or("", |p| p.as_str()),
        "platform_details": i.platform_details().unwrap_or_default(),
        "product_codes": codes,
        "public": i.public().unwrap_or(false),
        "ramdisk_id": i.ramdisk_id().unwrap_or_default(),
        "root_device_name": i.root_device_name().unwrap_or_default(),
        "root_device_type": i.root_device_type().map_or("", |t| t.as_str()),
        "root_snapshot_id": snapshot.unwrap_or_default(),
        "sriov_net_support": i.sriov_net_support().unwrap_or_default(),
        "state": i.state().map(|s| s.as_str()),
        "state_reason": reason,
        "tags_all": tags_of(aws, i.tags()),
        "tpm_support": i.tpm_support().map_or("", |t| t.as_str()),
        "usage_operation": i.usage_operation().unwrap_or_default(),
        "virtualization_type": i.virtualization_type().map_or("", |t| t.as_str()),
    })));
    all
}

fn disk(m: &aws_sdk_ec2::types::BlockDeviceMapping) -> Json {
    let mut ebs = Map::new();
    if let Some(e) = m.ebs() {
        let number = |n: Option<i32>| json!(n.unwrap_or(0).to_string());
        let pairs = [
            (
                "delete_on_termination",
                json!(e.delete_on_termination().unwrap_or(false).to_string()),
            ),
            (
                "encrypted",
                json!(e.encrypted().unwrap_or(false).to_string()),
            ),
            ("iops", number(e.iops())),
            ("snapshot_id", json!(e.snapshot_id().unwrap_or_default())),
            ("throughput", number(e.throughput())),
            ("volume_initialization_rate", json!("0")),
            ("volume_size", number(e.volume_size())),
            (
                "volume_type",
                json!(e.volume_type().map_or("", |t| t.as_str())),
            ),
        ];
        ebs.extend(pairs.map(|(k, v)| (k.to_owned(), v)));
    }
    json!({
        "device_name": m.device_name(),
        "ebs": ebs,
        "no_device": m.no_device().unwrap_or_default(),
        "virtual_name": m.virtual_name().unwrap_or_default(),
    })
}
