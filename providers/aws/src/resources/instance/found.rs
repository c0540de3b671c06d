//! A machine of the API as attributes.

use crate::{
    client::Aws,
    resource::{Failure, Found, filter},
    tags,
};
use aws_sdk_ec2::{
    operation::describe_instance_attribute::DescribeInstanceAttributeOutput,
    types::{Instance, InstanceAttributeName, Volume},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::{Fields as _, object};

/// All that there is to say of the machine.
pub(super) async fn attributes(aws: &Aws, i: &Instance, known: &Value) -> Result<Found, Failure> {
    let id = i.instance_id().unwrap_or_default();
    let (account, volumes, keep, stay, end, data) = tokio::try_join!(
        aws.account(),
        volumes(aws, id),
        asked(aws, id, InstanceAttributeName::DisableApiTermination),
        asked(aws, id, InstanceAttributeName::DisableApiStop),
        asked(
            aws,
            id,
            InstanceAttributeName::InstanceInitiatedShutdownBehavior
        ),
        asked(aws, id, InstanceAttributeName::UserData),
    )?;
    let owner = i.network_interfaces().first().and_then(|n| n.owner_id());
    let on = |a: Option<bool>| a.unwrap_or(false);
    let mut fields = of_machine(aws, i, known);
    fields.extend(of_network(i, known));
    fields.extend(of_hardware(i));
    fields.extend(of_user_data(data.as_ref(), known));
    fields.extend(of_disks(i, &volumes));
    if i.spot_instance_request_id()
        .is_some_and(|id| !id.is_empty())
    {
        fields.insert("instance_market_options".into(), spot(aws, i).await?);
    }
    if !known.rows("launch_template").is_empty() {
        fields.insert("launch_template".into(), template(aws, known).await?);
    }
    let account = if account.is_empty() {
        owner.unwrap_or_default().to_owned()
    } else {
        account
    };
    fields.extend(object(json!({
        "arn": aws.arn(&account, "instance", id),
        "disable_api_stop": on(stay.and_then(|a| a.disable_api_stop).and_then(|v| v.value)),
        "disable_api_termination":
            on(keep.and_then(|a| a.disable_api_termination).and_then(|v| v.value)),
        "instance_initiated_shutdown_behavior":
            end.and_then(|a| a.instance_initiated_shutdown_behavior).and_then(|v| v.value),
    })));
    Ok(fields)
}

fn of_machine(aws: &Aws, i: &Instance, known: &Value) -> Found {
    let place = i.placement();
    // `arn:...:instance-profile/path/name`
    let profile = i.iam_instance_profile().and_then(|p| p.arn());
    let profile = profile.and_then(|arn| arn.rsplit('/').next());
    object(json!({
        "ami": i.image_id(),
        "availability_zone": place.and_then(|p| p.availability_zone()),
        "ebs_optimized": i.ebs_optimized().unwrap_or(false),
        "get_password_data": false,
        "hibernation": i.hibernation_options().and_then(|h| h.configured()).unwrap_or(false),
        "host_id": place.and_then(|p| p.host_id()).unwrap_or_default(),
        "host_resource_group_arn": place.and_then(|p| p.host_resource_group_arn()).unwrap_or_default(),
        "iam_instance_profile": profile.unwrap_or_default(),
        "instance_lifecycle": i.instance_lifecycle().map_or("", |l| l.as_str()),
        "instance_state": super::state(i).map(|s| s.as_str()),
        "instance_type": i.instance_type().map(|t| t.as_str()),
        "key_name": i.key_name().unwrap_or_default(),
        "monitoring": i.monitoring().and_then(|m| m.state()).is_some_and(|s| {
            matches!(s.as_str(), "enabled" | "pending")
        }),
        "outpost_arn": i.outpost_arn().unwrap_or_default(),
        "password_data": "",
        "placement_group": place.and_then(|p| p.group_name()).unwrap_or_default(),
        "placement_partition_number": place.and_then(|p| p.partition_number()).unwrap_or(0),
        "spot_instance_request_id": i.spot_instance_request_id().unwrap_or_default(),
        "tags_all": tags::found(aws, i.tags()),
        "tenancy": place.and_then(|p| p.tenancy()).map_or("default", |t| t.as_str()),
        "ephemeral_block_device": [],
        "instance_market_options": [],
        "security_groups": known.texts("security_groups").unwrap_or_default(),
    }))
}

fn of_network(i: &Instance, known: &Value) -> Found {
    let all = i.network_interfaces();
    let index = |n: &aws_sdk_ec2::types::InstanceNetworkInterface| {
        n.attachment().and_then(|a| a.device_index())
    };
    let first = all.iter().find(|n| index(n) == Some(0));
    let others = first.map(|n| n.private_ip_addresses()).unwrap_or_default();
    let others = others.iter().filter(|a| a.primary() != Some(true));
    // They are its first interface's. Emulators say them there alone, and have one for who named none.
    let named = known.texts("vpc_security_group_ids");
    let groups = match i.security_groups() {
        [] if named.is_some_and(|n| !n.is_empty()) => first.map(|n| n.groups()).unwrap_or_default(),
        groups => groups,
    };
    let groups: Vec<&str> = groups.iter().filter_map(|g| g.group_id()).collect();
    let v6 = first.map(|n| n.ipv6_addresses()).unwrap_or_default();
    let v6: Vec<&str> = v6.iter().filter_map(|a| a.ipv6_address()).collect();
    let given = known.rows("network_interface");
    let given = given.iter().filter(|row| {
        let id = row.text("network_interface_id");
        all.iter()
            .any(|n| n.network_interface_id().map(str::to_owned) == id)
    });
    let given: Vec<Json> = given.map(|row| weir_core::json::to_json(row)).collect();
    // Whether a public address was asked for shows in one that is not an Elastic IP.
    let public = first
        .and_then(|n| n.association())
        .is_some_and(|a| a.ip_owner_id() == Some("amazon"));
    let public = known
        .flag("associate_public_ip_address")
        .unwrap_or(public || i.public_ip_address().is_some());
    object(json!({
        "associate_public_ip_address": public,
        "enable_primary_ipv6": false,
        "ipv6_address_count": v6.len(),
        "ipv6_addresses": v6,
        "network_interface": given,
        "primary_network_interface_id": first.and_then(|n| n.network_interface_id()).unwrap_or_default(),
        "private_dns": i.private_dns_name().unwrap_or_default(),
        "private_ip": i.private_ip_address().unwrap_or_default(),
        "public_dns": i.public_dns_name().unwrap_or_default(),
        "public_ip": i.public_ip_address().unwrap_or_default(),
        "secondary_private_ips": others.filter_map(|a| a.private_ip_address()).collect::<Vec<_>>(),
        "source_dest_check": i.source_dest_check().unwrap_or(true),
        "subnet_id": i.subnet_id().unwrap_or_default(),
        "vpc_security_group_ids": groups,
    }))
}

fn of_hardware(i: &Instance) -> Found {
    let cpu = i.cpu_options();
    let cpus = cpu.map(|c| {
        json!({
            "amd_sev_snp": c.amd_sev_snp().map_or("", |s| s.as_str()),
            "core_count": c.core_count(),
            "threads_per_core": c.threads_per_core(),
        })
    });
    let metadata = i.metadata_options().map(|m| {
        json!({
            "http_endpoint": m.http_endpoint().map_or("enabled", |e| e.as_str()),
            "http_protocol_ipv6": m.http_protocol_ipv6().map_or("disabled", |e| e.as_str()),
            "http_put_response_hop_limit": m.http_put_response_hop_limit(),
            "http_tokens": m.http_tokens().map(|e| e.as_str()),
            "instance_metadata_tags": m.instance_metadata_tags().map(|e| e.as_str()),
        })
    });
    let names = i.private_dns_name_options().map(|n| {
        json!({
            "enable_resource_name_dns_a_record": n.enable_resource_name_dns_a_record(),
            "enable_resource_name_dns_aaaa_record": n.enable_resource_name_dns_aaaa_record(),
            "hostname_type": n.hostname_type().map(|h| h.as_str()),
        })
    });
    let recovery = i.maintenance_options().and_then(|m| m.auto_recovery());
    let recovery = recovery.map(|r| json!({ "auto_recovery": r.as_str() }));
    let enclave = i.enclave_options().and_then(|e| e.enabled());
    let enclave = enclave.map(|on| json!({ "enabled": on }));
    let list = |one: Option<Json>| one.into_iter().collect::<Vec<_>>();
    object(json!({
        "capacity_reservation_specification": [],
        "cpu_core_count": cpu.and_then(|c| c.core_count()),
        "cpu_options": list(cpus),
        "cpu_threads_per_core": cpu.and_then(|c| c.threads_per_core()),
        "enclave_options": list(enclave),
        "maintenance_options": list(recovery),
        "metadata_options": list(metadata),
        "private_dns_name_options": list(names),
    }))
}

fn of_user_data(found: Option<&DescribeInstanceAttributeOutput>, known: &Value) -> Found {
    let data = found
        .and_then(|a| a.user_data())
        .and_then(|v| v.value())
        .filter(|d| !d.is_empty());
    let bytes = data.and_then(|d| STANDARD.decode(d).ok());
    let text = bytes.and_then(|b| String::from_utf8(b).ok());
    let as_base64 = known.text("user_data_base64").is_some() || (data.is_some() && text.is_none());
    object(match as_base64 {
        true => json!({ "user_data": null, "user_data_base64": data }),
        false => json!({ "user_data": text, "user_data_base64": null }),
    })
}

fn of_disks(i: &Instance, volumes: &[Volume]) -> Found {
    let (mut root, mut others) = (Vec::new(), Vec::new());
    for mapping in i.block_device_mappings() {
        let device = mapping.device_name();
        let ebs = mapping.ebs();
        let id = ebs.and_then(|e| e.volume_id()).unwrap_or_default();
        let Some(v) = volumes.iter().find(|v| v.volume_id() == Some(id)) else {
            continue;
        };
        let mut disk = object(json!({
            "delete_on_termination": ebs.and_then(|e| e.delete_on_termination()).unwrap_or(false),
            "device_name": device,
            "encrypted": v.encrypted().unwrap_or(false),
            "iops": v.iops().unwrap_or(0),
            "kms_key_id": v.kms_key_id().unwrap_or_default(),
            "throughput": v.throughput().unwrap_or(0),
            "volume_id": id,
            "volume_size": v.size().unwrap_or(0),
            "volume_type": v.volume_type().map(|t| t.as_str()),
            "tags_all": {},
        }));
        if device.is_some() && device == i.root_device_name() {
            root.push(Json::Object(disk));
        } else {
            disk.insert(
                "snapshot_id".into(),
                json!(v.snapshot_id().unwrap_or_default()),
            );
            disk.insert("tags".into(), Json::Null);
            others.push(Json::Object(disk));
        }
    }
    object(json!({ "root_block_device": root, "ebs_block_device": others }))
}

async fn volumes(aws: &Aws, id: &str) -> Result<Vec<Volume>, Failure> {
    let answer = aws
        .call("DescribeVolumes", || {
            let call = aws.ec2.describe_volumes();
            call.filters(filter("attachment.instance-id", id)).send()
        })
        .await?;
    Ok(answer.volumes.unwrap_or_default())
}

/// One attribute that a description leaves out; `None` where the API does not know it.
async fn asked(
    aws: &Aws,
    id: &str,
    name: InstanceAttributeName,
) -> Result<Option<DescribeInstanceAttributeOutput>, Failure> {
    let answer = aws
        .call("DescribeInstanceAttribute", || {
            let call = aws.ec2.describe_instance_attribute();
            call.instance_id(id).attribute(name.clone()).send()
        })
        .await;
    match answer {
        Ok(answer) => Ok(Some(answer)),
        // Older endpoints and emulators do not know all of them.
        Err(f)
            if f.is_gone()
                || f.code == "InvalidParameterValue"
                || f.code == "UnsupportedOperation" =>
        {
            Ok(None)
        }
        Err(f) => Err(f),
    }
}

async fn spot(aws: &Aws, i: &Instance) -> Result<Json, Failure> {
    let id = i.spot_instance_request_id().unwrap_or_default();
    let answer = aws
        .call("DescribeSpotInstanceRequests", || {
            let call = aws.ec2.describe_spot_instance_requests();
            call.spot_instance_request_ids(id).send()
        })
        .await;
    let answer = crate::resource::unless_gone(answer)?;
    let request = answer
        .as_ref()
        .and_then(|a| a.spot_instance_requests().first());
    let options = request.map(|r| {
        json!({
            "instance_interruption_behavior": r.instance_interruption_behavior().map(|b| b.as_str()),
            "max_price": r.spot_price(),
            "spot_instance_type": r.r#type().map(|t| t.as_str()),
            "valid_until": r.valid_until().map_or(String::new(), |t| crate::resources::rfc3339(t.secs())),
        })
    });
    let options: Vec<Json> = options.into_iter().collect();
    Ok(json!([{ "market_type": "spot", "spot_options": options }]))
}

/// The template that was given, by both its names.
async fn template(aws: &Aws, known: &Value) -> Result<Json, Failure> {
    let Some(row) = known.row("launch_template") else {
        return Ok(json!([]));
    };
    let (id, name) = (row.text("id"), row.text("name"));
    let answer = aws
        .call("DescribeLaunchTemplates", || {
            let call = aws.ec2.describe_launch_templates();
            match &id {
                Some(id) => call.launch_template_ids(id),
                None => call.launch_template_names(name.as_deref().unwrap_or_default()),
            }
            .send()
        })
        .await;
    let answer = crate::resource::unless_gone(answer)?;
    let found = answer.as_ref().and_then(|a| a.launch_templates().first());
    Ok(json!([{
        "id": found.and_then(|t| t.launch_template_id.clone()).or(id),
        "name": found.and_then(|t| t.launch_template_name.clone()).or(name),
        "version": row.text("version"),
    }]))
}
