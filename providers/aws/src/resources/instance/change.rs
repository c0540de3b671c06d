//! A machine's change to what is planned.

use super::{reaches, request};
use crate::{
    resource::{Call, Failure, filter},
    resources::ebs_volume,
};
use aws_sdk_ec2::{
    primitives::Blob,
    types::{
        AttributeBooleanValue, AttributeValue, EbsInstanceBlockDeviceSpecification,
        HttpTokensState, IamInstanceProfileSpecification, InstanceBlockDeviceMappingSpecification,
        InstanceMetadataEndpointState, InstanceMetadataProtocolState, InstanceMetadataTagsState,
        InstanceStateName, SecureBlobAttributeValue,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use weir_core::Value;
use weir_provider::declared::{Fields as _, changed};

/// Everything that differs, what a machine must be stopped for at once.
pub(super) async fn update(
    cx: &Call<'_>,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    let differs = |name: &str| changed(prior, planned, name);
    // While it is on, it can neither be stopped nor ended.
    if differs("disable_api_stop") && !planned.is_on("disable_api_stop") {
        set_flag(cx, id, "disable_api_stop", false).await?;
    }
    for name in ["disable_api_termination", "source_dest_check"] {
        if differs(name) {
            set_flag(cx, id, name, planned.is_on(name)).await?;
        }
    }
    if differs("instance_initiated_shutdown_behavior") {
        let value = planned.text("instance_initiated_shutdown_behavior");
        let value = AttributeValue::builder().set_value(value).build();
        cx.cloud
            .call("ModifyInstanceAttribute", || {
                let call = cx.cloud.ec2.modify_instance_attribute().instance_id(id);
                call.instance_initiated_shutdown_behavior(value.clone())
                    .send()
            })
            .await?;
    }
    if differs("vpc_security_group_ids") {
        cx.cloud
            .call("ModifyInstanceAttribute", || {
                let call = cx.cloud.ec2.modify_instance_attribute().instance_id(id);
                call.set_groups(planned.texts("vpc_security_group_ids"))
                    .send()
            })
            .await?;
    }
    if differs("monitoring") {
        monitor(cx, id, planned.is_on("monitoring")).await?;
    }
    if differs("iam_instance_profile") {
        profile(cx, id, planned.text("iam_instance_profile")).await?;
    }
    if differs("metadata_options")
        && let Some(row) = planned.row("metadata_options")
    {
        metadata(cx, id, row).await?;
    }
    if let (true, Some(was), Some(is)) = (
        differs("root_block_device"),
        prior.row("root_block_device"),
        planned.row("root_block_device"),
    ) {
        disk(cx, id, was, is).await?;
    }
    if differs("ebs_block_device") {
        for was in prior.rows("ebs_block_device") {
            let device = was.text("device_name");
            let mut rows = planned.rows("ebs_block_device").into_iter();
            if let Some(is) = rows.find(|r| r.text("device_name") == device) {
                disk(cx, id, was, is).await?;
            }
        }
    }
    let data = differs("user_data") || differs("user_data_base64");
    if differs("instance_type") || data {
        stopped(cx, id, planned, (differs("instance_type"), data)).await?;
    }
    if differs("disable_api_stop") && planned.is_on("disable_api_stop") {
        set_flag(cx, id, "disable_api_stop", true).await?;
    }
    Ok(())
}

/// Makes the changes that a running machine refuses: stops it, and starts it whatever became of
/// them.
async fn stopped(
    cx: &Call<'_>,
    id: &str,
    planned: &Value,
    what: (bool, bool),
) -> Result<(), Failure> {
    cx.cloud
        .call("StopInstances", || {
            cx.cloud.ec2.stop_instances().instance_ids(id).send()
        })
        .await?;
    reaches(cx, id, &InstanceStateName::Stopped).await?;
    let done = modify_stopped(cx, id, planned, what).await;
    cx.cloud
        .call("StartInstances", || {
            cx.cloud.ec2.start_instances().instance_ids(id).send()
        })
        .await?;
    reaches(cx, id, &InstanceStateName::Running).await?;
    done
}

async fn modify_stopped(
    cx: &Call<'_>,
    id: &str,
    planned: &Value,
    (sized, data): (bool, bool),
) -> Result<(), Failure> {
    if sized {
        let value = AttributeValue::builder()
            .set_value(planned.text("instance_type"))
            .build();
        cx.cloud
            .call("ModifyInstanceAttribute", || {
                let call = cx.cloud.ec2.modify_instance_attribute().instance_id(id);
                call.instance_type(value.clone()).send()
            })
            .await?;
    }
    if data {
        let bytes = request::user_data(planned).and_then(|d| STANDARD.decode(d).ok());
        let value = SecureBlobAttributeValue::builder()
            .value(Blob::new(bytes.unwrap_or_default()))
            .build();
        cx.cloud
            .call("ModifyInstanceAttribute", || {
                let call = cx.cloud.ec2.modify_instance_attribute().instance_id(id);
                call.user_data(value.clone()).send()
            })
            .await?;
    }
    Ok(())
}

/// Whether the machine's traffic must be its own.
pub(super) async fn source_dest_check(cx: &Call<'_>, id: &str, on: bool) -> Result<(), Failure> {
    set_flag(cx, id, "source_dest_check", on).await
}

async fn set_flag(cx: &Call<'_>, id: &str, name: &str, on: bool) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    cx.cloud
        .call("ModifyInstanceAttribute", || {
            let call = cx.cloud.ec2.modify_instance_attribute().instance_id(id);
            match name {
                "disable_api_stop" => call.disable_api_stop(value.clone()),
                "disable_api_termination" => call.disable_api_termination(value.clone()),
                _ => call.source_dest_check(value.clone()),
            }
            .send()
        })
        .await?;
    Ok(())
}

async fn monitor(cx: &Call<'_>, id: &str, on: bool) -> Result<(), Failure> {
    let ec2 = &cx.cloud.ec2;
    match on {
        true => cx
            .cloud
            .call("MonitorInstances", || {
                ec2.monitor_instances().instance_ids(id).send()
            })
            .await
            .map(|_| ()),
        false => cx
            .cloud
            .call("UnmonitorInstances", || {
                ec2.unmonitor_instances().instance_ids(id).send()
            })
            .await
            .map(|_| ()),
    }
}

async fn profile(cx: &Call<'_>, id: &str, name: Option<String>) -> Result<(), Failure> {
    let ec2 = &cx.cloud.ec2;
    let now = cx
        .cloud
        .call("DescribeIamInstanceProfileAssociations", || {
            let call = ec2.describe_iam_instance_profile_associations();
            call.filters(filter("instance-id", id)).send()
        })
        .await?;
    let now = now.iam_instance_profile_associations().iter();
    let mut now = now.filter(|a| {
        a.state()
            .is_some_and(|s| matches!(s.as_str(), "associated" | "associating"))
    });
    let now = now.next().and_then(|a| a.association_id.clone());
    let new = name.map(|n| IamInstanceProfileSpecification::builder().name(n).build());
    match (now, new) {
        (Some(old), Some(new)) => cx
            .cloud
            .call("ReplaceIamInstanceProfileAssociation", || {
                let call = ec2.replace_iam_instance_profile_association();
                call.association_id(&old)
                    .iam_instance_profile(new.clone())
                    .send()
            })
            .await
            .map(|_| ()),
        (None, Some(new)) => cx
            .cloud
            .call("AssociateIamInstanceProfile", || {
                let call = ec2.associate_iam_instance_profile().instance_id(id);
                call.iam_instance_profile(new.clone()).send()
            })
            .await
            .map(|_| ()),
        (Some(old), None) => cx
            .cloud
            .call("DisassociateIamInstanceProfile", || {
                let call = ec2.disassociate_iam_instance_profile();
                call.association_id(&old).send()
            })
            .await
            .map(|_| ()),
        (None, None) => Ok(()),
    }
}

async fn metadata(cx: &Call<'_>, id: &str, row: &Value) -> Result<(), Failure> {
    let text = |key| row.text(key);
    cx.cloud
        .call("ModifyInstanceMetadataOptions", || {
            let call = cx
                .cloud
                .ec2
                .modify_instance_metadata_options()
                .instance_id(id);
            call.set_http_endpoint(
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
            .send()
        })
        .await?;
    Ok(())
}

/// What of a disk can be changed where it is.
async fn disk(cx: &Call<'_>, id: &str, was: &Value, is: &Value) -> Result<(), Failure> {
    let number = |key: &str| is.int(key).filter(|_| changed(was, is, key));
    let kind = is
        .text("volume_type")
        .filter(|_| changed(was, is, "volume_type"));
    let new = (
        number("volume_size"),
        number("iops"),
        number("throughput"),
        kind,
    );
    let volume = was.text("volume_id").unwrap_or_default();
    if new.0.is_some() || new.1.is_some() || new.2.is_some() || new.3.is_some() {
        ebs_volume::modify(cx, &volume, new).await?;
    }
    if changed(was, is, "delete_on_termination") {
        let ebs = EbsInstanceBlockDeviceSpecification::builder()
            .volume_id(volume)
            .set_delete_on_termination(is.flag("delete_on_termination"))
            .build();
        let mapping = InstanceBlockDeviceMappingSpecification::builder()
            .set_device_name(was.text("device_name"))
            .ebs(ebs)
            .build();
        cx.cloud
            .call("ModifyInstanceAttribute", || {
                let call = cx.cloud.ec2.modify_instance_attribute().instance_id(id);
                call.block_device_mappings(mapping.clone()).send()
            })
            .await?;
    }
    Ok(())
}
