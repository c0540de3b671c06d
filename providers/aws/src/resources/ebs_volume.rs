//! `aws_ebs_volume`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Volume, VolumeModificationState, VolumeState, VolumeType};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::{Fields as _, changed};

pub(super) struct EbsVolume;

pub(super) const TYPES: [&str; 7] = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];

#[async_trait]
impl Resource<Aws> for EbsVolume {
    fn name(&self) -> &'static str {
        "aws_ebs_volume"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::Volume)
    }
    fn minutes(&self) -> Minutes {
        (5, 5, 10)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::choice(config, "type", &TYPES, out);
        super::one_of(config, &["size", "snapshot_id"], out);
        super::within(config, "size", 1..=65536, out);
        super::within(config, "throughput", 125..=2000, out);
        let kind = config.text("type");
        let provisioned = matches!(kind.as_deref(), Some("io1" | "io2"));
        let missing = |key: &str| config.get(key).is_some_and(Value::is_null);
        if provisioned && missing("iops") {
            out.push(
                Diagnostic::error("`iops` is missing")
                    .because("A volume of type io1 or io2 is made for a number of operations.")
                    .help("Set `iops`, or choose the type gp3."),
            );
        }
        if kind.is_some() && !provisioned && config.is_on("multi_attach_enabled") {
            out.push(
                Diagnostic::error("`multi_attach_enabled` can't be set for this type")
                    .because("Only io1 and io2 can be attached to several machines.")
                    .help("Remove it, or choose the type io2."),
            );
        }
        if matches!(kind.as_deref(), Some("gp2" | "sc1" | "st1" | "standard"))
            && !missing("iops")
            && config.int("iops").is_some()
        {
            out.push(
                Diagnostic::error("`iops` can't be set for this type")
                    .because("Only gp3, io1 and io2 take it.")
                    .help("Remove it, or choose the type gp3."),
            );
        }
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let kind = planned.text("type").map(|t| VolumeType::from(t.as_str()));
        let made = cx
            .cloud
            .make("CreateVolume", || {
                let call = cx.cloud.ec2.create_volume();
                call.set_availability_zone(planned.text("availability_zone"))
                    .set_encrypted(planned.flag("encrypted"))
                    .set_iops(planned.int("iops").filter(|n| *n > 0))
                    .set_kms_key_id(planned.text("kms_key_id"))
                    .set_multi_attach_enabled(planned.flag("multi_attach_enabled"))
                    .set_size(planned.int("size").filter(|n| *n > 0))
                    .set_snapshot_id(planned.text("snapshot_id"))
                    .set_throughput(planned.int("throughput").filter(|n| *n > 0))
                    .set_volume_type(kind.clone())
                    .client_token(&cx.token)
                    .tag_specifications(tags::specification(cx, ResourceType::Volume, planned))
                    .send()
            })
            .await?;
        let id = made.volume_id();
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateVolume"))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        let look = || async {
            let state = volume(cx.cloud, id).await?.and_then(|v| v.state);
            Ok(match state {
                Some(VolumeState::Available | VolumeState::InUse) => State::Ready,
                Some(VolumeState::Error) => State::Failed("the volume is in error".into()),
                _ => State::Pending("creating".into()),
            })
        };
        cx.wait("creation", look).await
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let Some(v) = volume(aws, id).await? else {
            return Ok(None);
        };
        if matches!(
            v.state(),
            Some(VolumeState::Deleted | VolumeState::Deleting)
        ) {
            return Ok(None);
        }
        let account = aws.account().await?;
        let at = v.create_time().map(|t| t.secs());
        found(json!({
            "arn": aws.arn(&account, "volume", id),
            "availability_zone": v.availability_zone(),
            "create_time": at.map(super::rfc3339),
            "encrypted": v.encrypted().unwrap_or(false),
            "iops": v.iops().unwrap_or(0),
            "kms_key_id": v.kms_key_id().unwrap_or_default(),
            "multi_attach_enabled": v.multi_attach_enabled().unwrap_or(false),
            "size": v.size().unwrap_or(0),
            "snapshot_id": v.snapshot_id().unwrap_or_default(),
            "tags_all": tags::found(aws, v.tags()),
            "throughput": v.throughput().unwrap_or(0),
            "type": v.volume_type().map(|t| t.as_str()),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let names = ["iops", "size", "throughput", "type"];
        if names.iter().any(|n| changed(prior, planned, n)) {
            let new = |key: &str| {
                let n = planned.int(key).filter(|n| *n > 0);
                n.filter(|_| changed(prior, planned, key))
            };
            let kind = planned
                .text("type")
                .filter(|_| changed(prior, planned, "type"));
            let iops = new("iops").or_else(|| {
                // A change to a type with its own number of operations names it.
                let provisioned = matches!(kind.as_deref(), Some("io1" | "io2"));
                planned.int("iops").filter(|n| provisioned && *n > 0)
            });
            modify(cx, id, (new("size"), iops, new("throughput"), kind)).await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeleteVolume", || {
                cx.cloud.ec2.delete_volume().volume_id(id).send()
            })
            .await?;
        Ok(())
    }
}

pub(super) async fn volume(aws: &Aws, id: &str) -> Result<Option<Volume>, Failure> {
    let answer = aws.call("DescribeVolumes", || {
        aws.ec2.describe_volumes().volume_ids(id).send()
    });
    Ok(unless_gone(answer.await)?.and_then(|a| a.volumes().first().cloned()))
}

/// Changes a volume's size, operations, throughput and type, and waits until it holds.
pub(super) async fn modify(
    cx: &Call<'_>,
    id: &str,
    (size, iops, throughput, kind): (Option<i32>, Option<i32>, Option<i32>, Option<String>),
) -> Result<(), Failure> {
    let kind = kind.map(|t| VolumeType::from(t.as_str()));
    cx.cloud
        .call("ModifyVolume", || {
            let call = cx.cloud.ec2.modify_volume().volume_id(id);
            call.set_size(size)
                .set_iops(iops)
                .set_throughput(throughput)
                .set_volume_type(kind.clone())
                .send()
        })
        .await?;
    let look = || async {
        let answer = cx
            .cloud
            .call("DescribeVolumesModifications", || {
                cx.cloud
                    .ec2
                    .describe_volumes_modifications()
                    .volume_ids(id)
                    .send()
            })
            .await;
        let Some(answer) = unless_gone(answer)? else {
            return Ok(State::Ready);
        };
        let all = answer.volumes_modifications();
        let last = all.iter().max_by_key(|m| m.start_time().map(|t| t.secs()));
        Ok(match last.and_then(|m| m.modification_state().cloned()) {
            Some(VolumeModificationState::Failed) => {
                let why = last
                    .and_then(|m| m.status_message())
                    .unwrap_or("AWS does not say why");
                State::Failed(why.to_owned())
            }
            Some(VolumeModificationState::Modifying) => State::Pending("modifying".into()),
            // While it is optimised, the new size holds already.
            _ => State::Ready,
        })
    };
    cx.wait("ModifyVolume", look).await
}
