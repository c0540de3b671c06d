//! A planned machine as the request that makes it.

use crate::{
    resource::{Call, Failure},
    resources::nameless,
    tags,
};
use aws_sdk_ec2::types::{
    BlockDeviceMapping, CpuOptionsRequest, EbsBlockDevice, HttpTokensState,
    IamInstanceProfileSpecification, InstanceInterruptionBehavior, InstanceMarketOptionsRequest,
    InstanceMetadataEndpointState, InstanceMetadataOptionsRequest, InstanceMetadataProtocolState,
    InstanceMetadataTagsState, InstanceNetworkInterfaceSpecification, InstanceType,
    LaunchTemplateSpecification, MarketType, Placement, ResourceType,
    RunInstancesMonitoringEnabled, ShutdownBehavior, SpotInstanceType, SpotMarketOptions, Tenancy,
    VolumeType,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use weir_core::Value;
use weir_provider::declared::Fields as _;

/// Makes it and returns its id.
pub(super) async fn run(cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
    let disks = disks(cx, planned).await?;
    let interfaces = interfaces(planned);
    let by_itself = interfaces.is_empty();
    let groups = planned
        .texts("vpc_security_group_ids")
        .filter(|_| by_itself);
    let names = planned.texts("security_groups").filter(|_| by_itself);
    let monitoring = planned.flag("monitoring");
    let monitoring =
        monitoring.map(|on| RunInstancesMonitoringEnabled::builder().enabled(on).build());
    let profile = planned.text("iam_instance_profile");
    let profile = profile.map(|name| {
        IamInstanceProfileSpecification::builder()
            .name(name)
            .build()
    });
    let end = planned.text("instance_initiated_shutdown_behavior");
    let kind = planned
        .text("instance_type")
        .map(|t| InstanceType::from(t.as_str()));
    let made = cx
        .cloud
        .make("RunInstances", || {
            let call = cx.cloud.ec2.run_instances().min_count(1).max_count(1);
            call.set_image_id(planned.text("ami"))
                .set_instance_type(kind.clone())
                .set_key_name(planned.text("key_name"))
                .set_subnet_id(planned.text("subnet_id").filter(|_| by_itself))
                .set_private_ip_address(planned.text("private_ip").filter(|_| by_itself))
                .set_security_group_ids(groups.clone())
                .set_security_groups(names.clone())
                .set_network_interfaces(Some(interfaces.clone()).filter(|i| !i.is_empty()))
                .set_block_device_mappings(Some(disks.clone()).filter(|d| !d.is_empty()))
                .set_user_data(user_data(planned))
                .set_ebs_optimized(planned.flag("ebs_optimized"))
                .set_disable_api_termination(planned.flag("disable_api_termination"))
                .set_disable_api_stop(planned.flag("disable_api_stop"))
                .set_monitoring(monitoring.clone())
                .set_iam_instance_profile(profile.clone())
                .set_instance_initiated_shutdown_behavior(
                    end.as_deref().map(ShutdownBehavior::from),
                )
                .set_placement(placement(planned))
                .set_cpu_options(planned.row("cpu_options").map(cpu))
                .set_metadata_options(planned.row("metadata_options").map(metadata))
                .set_instance_market_options(planned.row("instance_market_options").map(market))
                .set_launch_template(planned.row("launch_template").map(template))
                .client_token(&cx.token)
                .tag_specifications(tags::specification(cx, ResourceType::Instance, planned))
                .send()
        })
        .await?;
    let id = made.instances().first().and_then(|i| i.instance_id());
    id.map(str::to_owned)
        .ok_or_else(|| nameless("RunInstances"))
}

/// User data as the API takes it.
pub(super) fn user_data(planned: &Value) -> Option<String> {
    planned
        .text("user_data_base64")
        .or_else(|| planned.text("user_data").map(|text| STANDARD.encode(text)))
}

async fn disks(cx: &Call<'_>, planned: &Value) -> Result<Vec<BlockDeviceMapping>, Failure> {
    let mut all: Vec<BlockDeviceMapping> = (planned.rows("ebs_block_device").into_iter())
        .map(|row| disk(&row.text("device_name").unwrap_or_default(), row))
        .collect();
    if let Some(root) = planned.row("root_block_device") {
        all.push(disk(&root_device(cx, planned).await?, root));
    }
    Ok(all)
}

fn disk(device: &str, row: &Value) -> BlockDeviceMapping {
    let kind = row.text("volume_type");
    // Where a type has no such number, AWS refuses it.
    let tuned = !matches!(kind.as_deref(), Some("gp2" | "sc1" | "st1" | "standard"));
    let ebs = EbsBlockDevice::builder()
        .set_delete_on_termination(row.flag("delete_on_termination"))
        .set_encrypted(row.flag("encrypted").filter(|on| *on))
        .set_iops(row.int("iops").filter(|n| tuned && *n > 0))
        .set_kms_key_id(row.text("kms_key_id"))
        .set_snapshot_id(row.text("snapshot_id"))
        .set_throughput(row.int("throughput").filter(|n| tuned && *n > 0))
        .set_volume_size(row.int("volume_size").filter(|n| *n > 0))
        .set_volume_type(kind.map(|t| VolumeType::from(t.as_str())))
        .build();
    BlockDeviceMapping::builder()
        .device_name(device)
        .ebs(ebs)
        .build()
}

/// The name of the image's root device, to say something of it.
async fn root_device(cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
    let Some(ami) = planned.text("ami") else {
        let why = "`root_block_device` needs `ami`: the image names the device";
        return Err(Failure::new("RunInstances", why));
    };
    let answer = cx
        .cloud
        .call("DescribeImages", || {
            cx.cloud.ec2.describe_images().image_ids(&ami).send()
        })
        .await?;
    let name = answer.images().first().and_then(|i| i.root_device_name());
    name.map(str::to_owned).ok_or_else(|| {
        let why = format!("the image {ami} does not exist in {}", cx.cloud.region);
        crate::failure::refused("RunInstances", "InvalidAMIID.NotFound", why)
    })
}

fn interfaces(planned: &Value) -> Vec<InstanceNetworkInterfaceSpecification> {
    let given = planned.rows("network_interface");
    if !given.is_empty() {
        let one = |row: &Value| {
            InstanceNetworkInterfaceSpecification::builder()
                .set_device_index(row.int("device_index"))
                .set_network_card_index(row.int("network_card_index").filter(|n| *n > 0))
                .set_network_interface_id(row.text("network_interface_id"))
                .set_delete_on_termination(row.flag("delete_on_termination"))
                .build()
        };
        return given.into_iter().map(one).collect();
    }
    // Whether it gets a public address can only be said of an interface.
    let Some(public) = planned.flag("associate_public_ip_address") else {
        return Vec::new();
    };
    let one = InstanceNetworkInterfaceSpecification::builder()
        .device_index(0)
        // As it is where nobody says it, in EC2; not in every emulator.
        .delete_on_termination(true)
        .associate_public_ip_address(public)
        .set_subnet_id(planned.text("subnet_id"))
        .set_private_ip_address(planned.text("private_ip"))
        .set_groups(planned.texts("vpc_security_group_ids"))
        .build();
    vec![one]
}

fn placement(planned: &Value) -> Option<Placement> {
    let zone = planned.text("availability_zone");
    let group = planned.text("placement_group");
    let tenancy = planned.text("tenancy");
    if zone.is_none() && group.is_none() && tenancy.is_none() {
        return None;
    }
    let placement = Placement::builder()
        .set_availability_zone(zone)
        .set_group_name(group)
        .set_partition_number(planned.int("placement_partition_number").filter(|n| *n > 0))
        .set_tenancy(tenancy.map(|t| Tenancy::from(t.as_str())));
    Some(placement.build())
}

fn cpu(row: &Value) -> CpuOptionsRequest {
    let snp = row.text("amd_sev_snp");
    CpuOptionsRequest::builder()
        .set_amd_sev_snp(snp.map(|s| s.as_str().into()))
        .set_core_count(row.int("core_count"))
        .set_threads_per_core(row.int("threads_per_core"))
        .build()
}

fn metadata(row: &Value) -> InstanceMetadataOptionsRequest {
    let text = |key| row.text(key);
    InstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(
            text("http_endpoint").map(|t| InstanceMetadataEndpointState::from(t.as_str())),
        )
        .set_http_protocol_ipv6(
            text("http_protocol_ipv6").map(|t| InstanceMetadataProtocolState::from(t.as_str())),
        )
        .set_http_put_response_hop_limit(row.int("http_put_response_hop_limit"))
        .set_http_tokens(text("http_tokens").map(|t| HttpTokensState::from(t.as_str())))
        .set_instance_metadata_tags(
            text("instance_metadata_tags").map(|t| InstanceMetadataTagsState::from(t.as_str())),
        )
        .build()
}

fn market(row: &Value) -> InstanceMarketOptionsRequest {
    let spot = row.row("spot_options").map(|s| {
        let end = s.text("instance_interruption_behavior");
        SpotMarketOptions::builder()
            .set_instance_interruption_behavior(
                end.map(|t| InstanceInterruptionBehavior::from(t.as_str())),
            )
            .set_max_price(s.text("max_price"))
            .set_spot_instance_type(
                s.text("spot_instance_type")
                    .map(|t| SpotInstanceType::from(t.as_str())),
            )
            .build()
    });
    InstanceMarketOptionsRequest::builder()
        .set_market_type(
            row.text("market_type")
                .map(|t| MarketType::from(t.as_str())),
        )
        .set_spot_options(spot)
        .build()
}

fn template(row: &Value) -> LaunchTemplateSpecification {
    let id = row.text("id");
    LaunchTemplateSpecification::builder()
        .set_launch_template_name(row.text("name").filter(|_| id.is_none()))
        .set_launch_template_id(id)
        .set_version(row.text("version"))
        .build()
}
