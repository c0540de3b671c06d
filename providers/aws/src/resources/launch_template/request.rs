//! A planned version as the API takes it.

use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ec2::types::{
    CreditSpecificationRequest, HostnameType, InstanceInterruptionBehavior,
    InstanceIpv6AddressRequest, InstanceType, LaunchTemplateAutoRecoveryState,
    LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateCpuOptionsRequest,
    LaunchTemplateEbsBlockDeviceRequest, LaunchTemplateEnclaveOptionsRequest,
    LaunchTemplateHibernationOptionsRequest, LaunchTemplateHttpTokensState,
    LaunchTemplateIamInstanceProfileSpecificationRequest,
    LaunchTemplateInstanceMaintenanceOptionsRequest, LaunchTemplateInstanceMarketOptionsRequest,
    LaunchTemplateInstanceMetadataEndpointState, LaunchTemplateInstanceMetadataOptionsRequest,
    LaunchTemplateInstanceMetadataProtocolIpv6, LaunchTemplateInstanceMetadataTagsState,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest,
    LaunchTemplateLicenseConfigurationRequest, LaunchTemplatePlacementRequest,
    LaunchTemplatePrivateDnsNameOptionsRequest, LaunchTemplateSpotMarketOptionsRequest,
    LaunchTemplateTagSpecificationRequest, LaunchTemplatesMonitoringRequest, MarketType,
    PrivateIpAddressSpecification, RequestLaunchTemplateData, ResourceType, ShutdownBehavior,
    SpotInstanceType, Tag, Tenancy, VolumeType,
};
use weir_core::Value;
use weir_provider::declared::Fields as _;

/// Truths of an interface that the schema has as texts, so that they may be left out.
pub(super) const INTERFACE_TRUTHS: [&str; 4] = [
    "associate_carrier_ip_address",
    "associate_public_ip_address",
    "delete_on_termination",
    "primary_ipv6",
];

/// The whole version.
pub(super) fn data(planned: &Value) -> RequestLaunchTemplateData {
    let text = |key| planned.text(key);
    let flag = |key| planned.flag(key).filter(|on| *on);
    let enclave = planned.row("enclave_options").map(|row| {
        let made = LaunchTemplateEnclaveOptionsRequest::builder();
        made.set_enabled(row.flag("enabled")).build()
    });
    let hibernation = planned.row("hibernation_options").map(|row| {
        let made = LaunchTemplateHibernationOptionsRequest::builder();
        made.set_configured(row.flag("configured")).build()
    });
    let profile = planned.row("iam_instance_profile").map(|row| {
        let made = LaunchTemplateIamInstanceProfileSpecificationRequest::builder();
        made.set_arn(row.text("arn"))
            .set_name(row.text("name"))
            .build()
    });
    let credits = planned.row("credit_specification").map(|row| {
        let made = CreditSpecificationRequest::builder();
        made.set_cpu_credits(row.text("cpu_credits")).build()
    });
    let recovery = planned.row("maintenance_options").map(|row| {
        let state = row.text("auto_recovery");
        let made = LaunchTemplateInstanceMaintenanceOptionsRequest::builder();
        made.set_auto_recovery(state.map(|s| LaunchTemplateAutoRecoveryState::from(s.as_str())))
            .build()
    });
    let monitoring = planned.row("monitoring").map(|row| {
        let made = LaunchTemplatesMonitoringRequest::builder();
        made.set_enabled(row.flag("enabled")).build()
    });
    RequestLaunchTemplateData::builder()
        .set_block_device_mappings(some(planned, "block_device_mappings", disk))
        .set_cpu_options(planned.row("cpu_options").map(cpu))
        .set_credit_specification(credits)
        .set_disable_api_stop(flag("disable_api_stop"))
        .set_disable_api_termination(flag("disable_api_termination"))
        .set_ebs_optimized(truth(planned, "ebs_optimized"))
        .set_enclave_options(enclave)
        .set_hibernation_options(hibernation)
        .set_iam_instance_profile(profile)
        .set_image_id(text("image_id"))
        .set_instance_initiated_shutdown_behavior(
            text("instance_initiated_shutdown_behavior")
                .map(|t| ShutdownBehavior::from(t.as_str())),
        )
        .set_instance_market_options(planned.row("instance_market_options").map(market))
        .set_instance_type(text("instance_type").map(|t| InstanceType::from(t.as_str())))
        .set_kernel_id(text("kernel_id"))
        .set_key_name(text("key_name"))
        .set_license_specifications(some(planned, "license_specification", |row| {
            let made = LaunchTemplateLicenseConfigurationRequest::builder();
            made.set_license_configuration_arn(row.text("license_configuration_arn"))
                .build()
        }))
        .set_maintenance_options(recovery)
        .set_metadata_options(planned.row("metadata_options").map(metadata))
        .set_monitoring(monitoring)
        .set_network_interfaces(some(planned, "network_interfaces", interface))
        .set_placement(planned.row("placement").map(placement))
        .set_private_dns_name_options(planned.row("private_dns_name_options").map(names))
        .set_ram_disk_id(text("ram_disk_id"))
        .set_security_group_ids(planned.texts("vpc_security_group_ids"))
        .set_security_groups(planned.texts("security_group_names"))
        .set_tag_specifications(some(planned, "tag_specifications", tags))
        .set_user_data(text("user_data"))
        .build()
}

/// The blocks; the API takes no empty list.
fn some<T>(planned: &Value, key: &str, one: impl Fn(&Value) -> T) -> Option<Vec<T>> {
    let rows = planned.rows(key);
    (!rows.is_empty()).then(|| rows.into_iter().map(one).collect())
}

/// A truth that the schema has as a text.
fn truth(row: &Value, key: &str) -> Option<bool> {
    row.text(key).map(|t| t == "true" || t == "1")
}

fn above_zero(row: &Value, key: &str) -> Option<i32> {
    row.int(key).filter(|n| *n > 0)
}

fn disk(row: &Value) -> LaunchTemplateBlockDeviceMappingRequest {
    let ebs = row.row("ebs").map(|ebs| {
        let kind = ebs.text("volume_type");
        LaunchTemplateEbsBlockDeviceRequest::builder()
            .set_delete_on_termination(truth(ebs, "delete_on_termination"))
            .set_encrypted(truth(ebs, "encrypted"))
            .set_iops(above_zero(ebs, "iops"))
            .set_kms_key_id(ebs.text("kms_key_id"))
            .set_snapshot_id(ebs.text("snapshot_id"))
            .set_throughput(above_zero(ebs, "throughput"))
            .set_volume_initialization_rate(above_zero(ebs, "volume_initialization_rate"))
            .set_volume_size(above_zero(ebs, "volume_size"))
            .set_volume_type(kind.map(|t| VolumeType::from(t.as_str())))
            .build()
    });
    LaunchTemplateBlockDeviceMappingRequest::builder()
        .set_device_name(row.text("device_name"))
        .set_no_device(row.text("no_device"))
        .set_virtual_name(row.text("virtual_name"))
        .set_ebs(ebs)
        .build()
}

fn cpu(row: &Value) -> LaunchTemplateCpuOptionsRequest {
    let snp = row.text("amd_sev_snp");
    LaunchTemplateCpuOptionsRequest::builder()
        .set_amd_sev_snp(snp.map(|s| s.as_str().into()))
        .set_core_count(above_zero(row, "core_count"))
        .set_threads_per_core(above_zero(row, "threads_per_core"))
        .build()
}

fn market(row: &Value) -> LaunchTemplateInstanceMarketOptionsRequest {
    let spot = row.row("spot_options").map(|s| {
        let end = s.text("instance_interruption_behavior");
        let kind = s.text("spot_instance_type");
        let until = s.text("valid_until");
        let until = until.and_then(|t| DateTime::from_str(&t, DateTimeFormat::DateTime).ok());
        LaunchTemplateSpotMarketOptionsRequest::builder()
            .set_block_duration_minutes(above_zero(s, "block_duration_minutes"))
            .set_instance_interruption_behavior(
                end.map(|t| InstanceInterruptionBehavior::from(t.as_str())),
            )
            .set_max_price(s.text("max_price"))
            .set_spot_instance_type(kind.map(|t| SpotInstanceType::from(t.as_str())))
            .set_valid_until(until)
            .build()
    });
    let kind = row.text("market_type");
    LaunchTemplateInstanceMarketOptionsRequest::builder()
        .set_market_type(kind.map(|t| MarketType::from(t.as_str())))
        .set_spot_options(spot)
        .build()
}

fn metadata(row: &Value) -> LaunchTemplateInstanceMetadataOptionsRequest {
    let text = |key| row.text(key);
    LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(
            text("http_endpoint")
                .map(|t| LaunchTemplateInstanceMetadataEndpointState::from(t.as_str())),
        )
        .set_http_protocol_ipv6(
            text("http_protocol_ipv6")
                .map(|t| LaunchTemplateInstanceMetadataProtocolIpv6::from(t.as_str())),
        )
        .set_http_put_response_hop_limit(above_zero(row, "http_put_response_hop_limit"))
        .set_http_tokens(
            text("http_tokens").map(|t| LaunchTemplateHttpTokensState::from(t.as_str())),
        )
        .set_instance_metadata_tags(
            text("instance_metadata_tags")
                .map(|t| LaunchTemplateInstanceMetadataTagsState::from(t.as_str())),
        )
        .build()
}

fn interface(row: &Value) -> LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    let first = row.text("private_ip_address");
    // With several addresses, the first says so itself.
    let addresses = row.texts("ipv4_addresses").map(|all| {
        let one = |ip: String| {
            let is_first = first.as_deref() == Some(ip.as_str());
            PrivateIpAddressSpecification::builder()
                .primary(is_first)
                .private_ip_address(ip)
                .build()
        };
        all.into_iter().map(one).collect::<Vec<_>>()
    });
    let v6 = row.texts("ipv6_addresses").map(|all| {
        let one = |ip| {
            InstanceIpv6AddressRequest::builder()
                .ipv6_address(ip)
                .build()
        };
        all.into_iter().map(one).collect()
    });
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .set_associate_carrier_ip_address(truth(row, INTERFACE_TRUTHS[0]))
        .set_associate_public_ip_address(truth(row, INTERFACE_TRUTHS[1]))
        .set_delete_on_termination(truth(row, INTERFACE_TRUTHS[2]))
        .set_primary_ipv6(truth(row, INTERFACE_TRUTHS[3]))
        .set_description(row.text("description"))
        // Every interface has one, and the first is the usual.
        .device_index(row.int("device_index").unwrap_or(0))
        .set_groups(row.texts("security_groups"))
        .set_interface_type(row.text("interface_type"))
        .set_ipv6_address_count(above_zero(row, "ipv6_address_count"))
        .set_ipv6_addresses(v6)
        .set_network_card_index(above_zero(row, "network_card_index"))
        .set_network_interface_id(row.text("network_interface_id"))
        .set_private_ip_address(first.clone().filter(|_| addresses.is_none()))
        .set_private_ip_addresses(addresses)
        .set_secondary_private_ip_address_count(above_zero(row, "ipv4_address_count"))
        .set_subnet_id(row.text("subnet_id"))
        .build()
}

fn placement(row: &Value) -> LaunchTemplatePlacementRequest {
    let tenancy = row.text("tenancy");
    LaunchTemplatePlacementRequest::builder()
        .set_affinity(row.text("affinity"))
        .set_availability_zone(row.text("availability_zone"))
        .set_group_name(row.text("group_name"))
        .set_host_id(row.text("host_id"))
        .set_host_resource_group_arn(row.text("host_resource_group_arn"))
        .set_partition_number(above_zero(row, "partition_number"))
        .set_spread_domain(row.text("spread_domain"))
        .set_tenancy(tenancy.map(|t| Tenancy::from(t.as_str())))
        .build()
}

fn names(row: &Value) -> LaunchTemplatePrivateDnsNameOptionsRequest {
    let kind = row.text("hostname_type");
    LaunchTemplatePrivateDnsNameOptionsRequest::builder()
        .set_enable_resource_name_dns_a_record(row.flag("enable_resource_name_dns_a_record"))
        .set_enable_resource_name_dns_aaaa_record(row.flag("enable_resource_name_dns_aaaa_record"))
        .set_hostname_type(kind.map(|t| HostnameType::from(t.as_str())))
        .build()
}

fn tags(row: &Value) -> LaunchTemplateTagSpecificationRequest {
    let kind = row.text("resource_type");
    let tags = row.labels("tags").into_iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
    LaunchTemplateTagSpecificationRequest::builder()
        .set_resource_type(kind.map(|t| ResourceType::from(t.as_str())))
        .set_tags(Some(tags.collect()))
        .build()
}
