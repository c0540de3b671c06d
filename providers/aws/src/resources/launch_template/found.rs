//! A version of the API as attributes.

use crate::resource::Found;
use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMapping, LaunchTemplateInstanceMarketOptions,
    LaunchTemplateInstanceMetadataOptions, LaunchTemplateInstanceNetworkInterfaceSpecification,
    LaunchTemplatePlacement, ResponseLaunchTemplateData,
};
use serde_json::{Value as Json, json};
use weir_provider::declared::object;

/// All that the version says of a machine.
pub(super) fn data(d: &ResponseLaunchTemplateData) -> Found {
    let mut all = of_attributes(d);
    all.extend(of_blocks(d));
    all
}

fn of_attributes(d: &ResponseLaunchTemplateData) -> Found {
    object(json!({
        "disable_api_stop": d.disable_api_stop().unwrap_or(false),
        "disable_api_termination": d.disable_api_termination().unwrap_or(false),
        "ebs_optimized": truth(d.ebs_optimized()),
        "image_id": d.image_id().unwrap_or_default(),
        "instance_initiated_shutdown_behavior":
            d.instance_initiated_shutdown_behavior().map_or("", |b| b.as_str()),
        "instance_type": d.instance_type().map_or("", |t| t.as_str()),
        "kernel_id": d.kernel_id().unwrap_or_default(),
        "key_name": d.key_name().unwrap_or_default(),
        "ram_disk_id": d.ram_disk_id().unwrap_or_default(),
        "security_group_names": d.security_groups(),
        "user_data": d.user_data().unwrap_or_default(),
        "vpc_security_group_ids": d.security_group_ids(),
    }))
}

fn of_blocks(d: &ResponseLaunchTemplateData) -> Found {
    let cpu = d.cpu_options().map(|c| {
        json!({
            "amd_sev_snp": c.amd_sev_snp().map_or("", |s| s.as_str()),
            "core_count": c.core_count().unwrap_or(0),
            "threads_per_core": c.threads_per_core().unwrap_or(0),
        })
    });
    let names = d.private_dns_name_options().map(|n| {
        json!({
            "enable_resource_name_dns_a_record": n.enable_resource_name_dns_a_record().unwrap_or(false),
            "enable_resource_name_dns_aaaa_record":
                n.enable_resource_name_dns_aaaa_record().unwrap_or(false),
            "hostname_type": n.hostname_type().map_or("", |t| t.as_str()),
        })
    });
    let profile = d.iam_instance_profile().map(
        |p| json!({ "arn": p.arn().unwrap_or_default(), "name": p.name().unwrap_or_default() }),
    );
    let licenses = d.license_specifications().iter();
    let licenses =
        licenses.map(|l| json!({ "license_configuration_arn": l.license_configuration_arn() }));
    let credits = d.credit_specification();
    let credits = credits.map(|c| json!({ "cpu_credits": c.cpu_credits().unwrap_or_default() }));
    let recovery = d.maintenance_options().and_then(|m| m.auto_recovery());
    object(json!({
        "block_device_mappings": d.block_device_mappings().iter().map(disk).collect::<Vec<_>>(),
        "cpu_options": one(cpu),
        "credit_specification": one(credits),
        "enclave_options": one(d.enclave_options().map(|e| json!({ "enabled": e.enabled().unwrap_or(false) }))),
        "hibernation_options":
            one(d.hibernation_options().map(|h| json!({ "configured": h.configured().unwrap_or(false) }))),
        "iam_instance_profile": one(profile),
        "instance_market_options": one(d.instance_market_options().map(market)),
        "license_specification": licenses.collect::<Vec<_>>(),
        "maintenance_options": one(recovery.map(|r| json!({ "auto_recovery": r.as_str() }))),
        "metadata_options": one(d.metadata_options().map(metadata)),
        "monitoring": one(d.monitoring().map(|m| json!({ "enabled": m.enabled().unwrap_or(false) }))),
        "network_interfaces": d.network_interfaces().iter().map(interface).collect::<Vec<_>>(),
        "placement": one(d.placement().map(placement)),
        "private_dns_name_options": one(names),
        "tag_specifications": tags(d),
    }))
}

/// A block that is there once or not at all.
fn one(block: Option<Json>) -> Vec<Json> {
    block.into_iter().collect()
}

/// A truth as the schema has it: a text, empty where the API says nothing.
fn truth(is: Option<bool>) -> String {
    is.map(|on| on.to_string()).unwrap_or_default()
}

fn disk(m: &LaunchTemplateBlockDeviceMapping) -> Json {
    let ebs = m.ebs().map(|e| {
        json!({
            "delete_on_termination": truth(e.delete_on_termination()),
            "encrypted": truth(e.encrypted()),
            "iops": e.iops().unwrap_or(0),
            "kms_key_id": e.kms_key_id().unwrap_or_default(),
            "snapshot_id": e.snapshot_id().unwrap_or_default(),
            "throughput": e.throughput().unwrap_or(0),
            "volume_initialization_rate": e.volume_initialization_rate().unwrap_or(0),
            "volume_size": e.volume_size().unwrap_or(0),
            "volume_type": e.volume_type().map_or("", |t| t.as_str()),
        })
    });
    json!({
        "device_name": m.device_name().unwrap_or_default(),
        "ebs": one(ebs),
        "no_device": m.no_device().unwrap_or_default(),
        "virtual_name": m.virtual_name().unwrap_or_default(),
    })
}

fn market(m: &LaunchTemplateInstanceMarketOptions) -> Json {
    let spot = m.spot_options().map(|s| {
        json!({
            "block_duration_minutes": s.block_duration_minutes().unwrap_or(0),
            "instance_interruption_behavior":
                s.instance_interruption_behavior().map_or("", |b| b.as_str()),
            "max_price": s.max_price().unwrap_or_default(),
            "spot_instance_type": s.spot_instance_type().map_or("", |t| t.as_str()),
            "valid_until": s.valid_until().map_or_else(String::new, |t| crate::resources::rfc3339(t.secs())),
        })
    });
    json!({
        "market_type": m.market_type().map_or("", |t| t.as_str()),
        "spot_options": one(spot),
    })
}

fn metadata(m: &LaunchTemplateInstanceMetadataOptions) -> Json {
    json!({
        "http_endpoint": m.http_endpoint().map_or("", |s| s.as_str()),
        "http_protocol_ipv6": m.http_protocol_ipv6().map_or("", |s| s.as_str()),
        "http_put_response_hop_limit": m.http_put_response_hop_limit().unwrap_or(0),
        "http_tokens": m.http_tokens().map_or("", |s| s.as_str()),
        "instance_metadata_tags": m.instance_metadata_tags().map_or("", |s| s.as_str()),
    })
}

fn interface(n: &LaunchTemplateInstanceNetworkInterfaceSpecification) -> Json {
    let all = n.private_ip_addresses();
    let first = all.iter().find(|a| a.primary() == Some(true));
    let first = first.and_then(|a| a.private_ip_address());
    let v6: Vec<_> = (n.ipv6_addresses().iter())
        .filter_map(|a| a.ipv6_address())
        .collect();
    json!({
        "associate_carrier_ip_address": truth(n.associate_carrier_ip_address()),
        "associate_public_ip_address": truth(n.associate_public_ip_address()),
        "delete_on_termination": truth(n.delete_on_termination()),
        "description": n.description().unwrap_or_default(),
        "device_index": n.device_index().unwrap_or(0),
        "interface_type": n.interface_type().unwrap_or_default(),
        "ipv4_address_count": n.secondary_private_ip_address_count().unwrap_or(0),
        "ipv4_addresses": all.iter().filter_map(|a| a.private_ip_address()).collect::<Vec<_>>(),
        "ipv6_address_count": n.ipv6_address_count().unwrap_or(0),
        "ipv6_addresses": v6,
        "network_card_index": n.network_card_index().unwrap_or(0),
        "network_interface_id": n.network_interface_id().unwrap_or_default(),
        "primary_ipv6": truth(n.primary_ipv6()),
        "private_ip_address": n.private_ip_address().or(first).unwrap_or_default(),
        "security_groups": n.groups(),
        "subnet_id": n.subnet_id().unwrap_or_default(),
    })
}

fn placement(p: &LaunchTemplatePlacement) -> Json {
    json!({
        "affinity": p.affinity().unwrap_or_default(),
        "availability_zone": p.availability_zone().unwrap_or_default(),
        "group_name": p.group_name().unwrap_or_default(),
        "host_id": p.host_id().unwrap_or_default(),
        "host_resource_group_arn": p.host_resource_group_arn().unwrap_or_default(),
        "partition_number": p.partition_number().unwrap_or(0),
        "spread_domain": p.spread_domain().unwrap_or_default(),
        "tenancy": p.tenancy().map_or("", |t| t.as_str()),
    })
}

/// Tags of what machines are made of. Those of the template itself are not among them, though an
/// emulator says so.
fn tags(d: &ResponseLaunchTemplateData) -> Vec<Json> {
    let all = d.tag_specifications().iter();
    let all = all.filter(|s| {
        s.resource_type()
            .is_none_or(|t| t.as_str() != "launch-template")
    });
    let one = |s: &aws_sdk_ec2::types::LaunchTemplateTagSpecification| {
        let pair = |t: &aws_sdk_ec2::types::Tag| {
            let value = Json::from(t.value().unwrap_or_default());
            Some((t.key()?.to_owned(), value))
        };
        let tags = s.tags().iter().filter_map(pair);
        json!({
            "resource_type": s.resource_type().map_or("", |t| t.as_str()),
            "tags": tags.collect::<serde_json::Map<_, _>>(),
        })
    };
    all.map(one).collect()
}
