//! `aws_ec2_instance_type` and `aws_ec2_instance_types`

use super::{fields, filters, some};
use crate::{
    client::Aws,
    resource::{Failure, Found},
};
use aws_sdk_ec2::types::{InstanceType, InstanceTypeInfo};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

pub(super) async fn all(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let filters = some(filters(config));
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let page = aws
            .call("DescribeInstanceTypes", || {
                let call = aws.ec2.describe_instance_types();
                call.set_filters(filters.clone())
                    .set_next_token(next.clone())
                    .send()
            })
            .await?;
        let types = page
            .instance_types()
            .iter()
            .filter_map(|t| t.instance_type());
        names.extend(types.map(|t| t.as_str().to_owned()));
        next = page
            .next_token()
            .filter(|t| !t.is_empty())
            .map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    names.sort();
    Ok(fields(json!({ "id": aws.region, "instance_types": names })))
}

pub(super) async fn one(aws: &Aws, config: &Value) -> Result<Found, Failure> {
    let name = config.text("instance_type").unwrap_or_default();
    let answer = aws
        .call("DescribeInstanceTypes", || {
            let call = aws.ec2.describe_instance_types();
            call.instance_types(InstanceType::from(name.as_str()))
                .send()
        })
        .await?;
    let Some(info) = answer.instance_types().first() else {
        let why = format!("there is no instance type {name} in {}", aws.region);
        return Err(Failure::new("the search", why));
    };
    let mut found = general(info);
    found.extend(hardware(info));
    found.extend(storage(info));
    found.extend(network(info));
    found.insert("id".into(), json!(name));
    Ok(found)
}

/// The API's words, or none.
macro_rules! words {
    ($all:expr) => {
        $all.iter().map(|one| one.as_str()).collect::<Vec<_>>()
    };
}

fn general(t: &InstanceTypeInfo) -> Found {
    let groups = t
        .placement_group_info()
        .map(|p| words!(p.supported_strategies()));
    let tpm = t.nitro_tpm_info().map(|n| n.supported_versions().to_vec());
    fields(json!({
        "auto_recovery_supported": t.auto_recovery_supported(),
        "bare_metal": t.bare_metal(),
        "boot_modes": words!(t.supported_boot_modes()),
        "burstable_performance_supported": t.burstable_performance_supported(),
        "current_generation": t.current_generation(),
        "dedicated_hosts_supported": t.dedicated_hosts_supported(),
        "free_tier_eligible": t.free_tier_eligible(),
        "hibernation_supported": t.hibernation_supported(),
        "hypervisor": t.hypervisor().map_or("", |h| h.as_str()),
        "nitro_enclaves_support": t.nitro_enclaves_support().map_or("", |n| n.as_str()),
        "nitro_tpm_support": t.nitro_tpm_support().map_or("", |n| n.as_str()),
        "nitro_tpm_supported_versions": tpm.unwrap_or_default(),
        "phc_support": t.phc_support().map_or("", |p| p.as_str()),
        "supported_placement_strategies": groups.unwrap_or_default(),
        "supported_root_device_types": words!(t.supported_root_device_types()),
        "supported_usages_classes": words!(t.supported_usage_classes()),
        "supported_virtualization_types": words!(t.supported_virtualization_types()),
    }))
}

fn hardware(t: &InstanceTypeInfo) -> Found {
    let (cpu, processor, gpu) = (t.v_cpu_info(), t.processor_info(), t.gpu_info());
    let gpus: Vec<Json> = (gpu.map(|g| g.gpus()).unwrap_or_default().iter())
        .map(|g| {
            json!({
                "count": g.count(),
                "manufacturer": g.manufacturer(),
                "memory_size": g.memory_info().and_then(|m| m.size_in_mib()),
                "name": g.name(),
            })
        })
        .collect();
    let fpga = t.fpga_info();
    let fpgas: Vec<Json> = (fpga.map(|f| f.fpgas()).unwrap_or_default().iter())
        .map(|f| {
            json!({
                "count": f.count(),
                "manufacturer": f.manufacturer(),
                "memory_size": f.memory_info().and_then(|m| m.size_in_mib()),
                "name": f.name(),
            })
        })
        .collect();
    fields(json!({
        "default_cores": cpu.and_then(|c| c.default_cores()),
        "default_threads_per_core": cpu.and_then(|c| c.default_threads_per_core()),
        "default_vcpus": cpu.and_then(|c| c.default_v_cpus()),
        "fpgas": fpgas,
        "gpus": gpus,
        "memory_size": t.memory_info().and_then(|m| m.size_in_mib()),
        "supported_architectures": processor.map(|p| words!(p.supported_architectures())),
        "supported_cpu_features": processor.map(|p| words!(p.supported_features())),
        "sustained_clock_speed": processor.and_then(|p| p.sustained_clock_speed_in_ghz()),
        "total_fpga_memory": fpga.and_then(|f| f.total_fpga_memory_in_mib()),
        "total_gpu_memory": gpu.and_then(|g| g.total_gpu_memory_in_mib()),
        "valid_cores": cpu.map(|c| c.valid_cores().to_vec()),
        "valid_threads_per_core": cpu.map(|c| c.valid_threads_per_core().to_vec()),
    }))
}

fn storage(t: &InstanceTypeInfo) -> Found {
    let (ebs, own) = (t.ebs_info(), t.instance_storage_info());
    let speed = ebs.and_then(|e| e.ebs_optimized_info());
    let disks: Vec<Json> = (own.map(|s| s.disks()).unwrap_or_default().iter())
        .map(|d| {
            json!({
                "count": d.count(),
                "size": d.size_in_gb(),
                "type": d.r#type().map(|t| t.as_str()),
            })
        })
        .collect();
    fields(json!({
        "ebs_encryption_support": ebs.and_then(|e| e.encryption_support()).map(|s| s.as_str()),
        "ebs_nvme_support": ebs.and_then(|e| e.nvme_support()).map(|s| s.as_str()),
        "ebs_optimized_support": ebs.and_then(|e| e.ebs_optimized_support()).map(|s| s.as_str()),
        "ebs_performance_baseline_bandwidth": speed.and_then(|s| s.baseline_bandwidth_in_mbps()),
        "ebs_performance_baseline_iops": speed.and_then(|s| s.baseline_iops()),
        "ebs_performance_baseline_throughput": speed.and_then(|s| s.baseline_throughput_in_m_bps()),
        "ebs_performance_maximum_bandwidth": speed.and_then(|s| s.maximum_bandwidth_in_mbps()),
        "ebs_performance_maximum_iops": speed.and_then(|s| s.maximum_iops()),
        "ebs_performance_maximum_throughput": speed.and_then(|s| s.maximum_throughput_in_m_bps()),
        "instance_disks": disks,
        "instance_storage_supported": t.instance_storage_supported(),
        "total_instance_storage": own.and_then(|s| s.total_size_in_gb()),
    }))
}

fn network(t: &InstanceTypeInfo) -> Found {
    let Some(n) = t.network_info() else {
        return Found::new();
    };
    let cards: Vec<Json> = (n.network_cards().iter())
        .map(|c| {
            json!({
                "baseline_bandwidth": c.baseline_bandwidth_in_gbps(),
                "index": c.network_card_index(),
                "maximum_interfaces": c.maximum_network_interfaces(),
                "peak_bandwidth": c.peak_bandwidth_in_gbps(),
                "performance": c.network_performance(),
            })
        })
        .collect();
    fields(json!({
        "default_network_card_index": n.default_network_card_index(),
        "efa_maximum_interfaces": n.efa_info().and_then(|e| e.maximum_efa_interfaces()),
        "efa_supported": n.efa_supported(),
        "ena_srd_supported": n.ena_srd_supported(),
        "ena_support": n.ena_support().map(|e| e.as_str()),
        "encryption_in_transit_supported": n.encryption_in_transit_supported(),
        "ipv6_supported": n.ipv6_supported(),
        "maximum_ipv4_addresses_per_interface": n.ipv4_addresses_per_interface(),
        "maximum_ipv6_addresses_per_interface": n.ipv6_addresses_per_interface(),
        "maximum_network_cards": n.maximum_network_cards(),
        "maximum_network_interfaces": n.maximum_network_interfaces(),
        "network_cards": cards,
        "network_performance": n.network_performance(),
    }))
}
