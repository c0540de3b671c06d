//! `aws_volume_attachment`

use super::ebs_volume::volume;
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, found},
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{VolumeAttachment, VolumeAttachmentState};
use serde_json::json;
use weir_core::Value;
use weir_provider::declared::{Fields as _, object};

pub(super) struct Attachment;

#[async_trait]
impl Resource<Aws> for Attachment {
    fn name(&self) -> &'static str {
        "aws_volume_attachment"
    }
    fn minutes(&self) -> Minutes {
        (5, 5, 5)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let (device, instance, volume) = ends(planned);
        // A machine that is still starting takes no volumes: that passes.
        let starting =
            |f: &Failure| f.code == "IncorrectState" || f.code == "IncorrectInstanceState";
        let attach = || async {
            cx.cloud
                .call("AttachVolume", || {
                    let call = cx.cloud.ec2.attach_volume();
                    call.device(&device)
                        .instance_id(&instance)
                        .volume_id(&volume)
                        .send()
                })
                .await
        };
        cx.patiently(starting, attach).await?;
        Ok(id(planned))
    }

    /// An attachment is known by its ends.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        Ok(attachment(cx.cloud, planned).await?.map(|_| id(planned)))
    }

    async fn finish(&self, cx: &Call<'_>, _id: &str, planned: &Value) -> Result<(), Failure> {
        let look = || async {
            let state = attachment(cx.cloud, planned).await?.and_then(|a| a.state);
            Ok(match state {
                Some(VolumeAttachmentState::Attached) => State::Ready,
                _ => State::Pending("attaching".into()),
            })
        };
        cx.wait("AttachVolume", look).await
    }

    async fn read(&self, aws: &Aws, _id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        match attachment(aws, known).await? {
            Some(a) => found(json!({
                "id": id(known),
                "device_name": a.device(),
                "instance_id": a.instance_id(),
                "volume_id": a.volume_id(),
            })),
            None => Ok(None),
        }
    }

    async fn delete(&self, cx: &Call<'_>, _id: &str, prior: &Value) -> Result<(), Failure> {
        if prior.is_on("skip_destroy") {
            return Ok(());
        }
        let (device, instance, volume) = ends(prior);
        cx.cloud
            .call("DetachVolume", || {
                let call = cx.cloud.ec2.detach_volume();
                call.device(&device)
                    .instance_id(&instance)
                    .volume_id(&volume)
                    .set_force(prior.flag("force_detach"))
                    .send()
            })
            .await?;
        Ok(())
    }

    fn waits_for_deletion(&self, prior: &Value) -> bool {
        !prior.is_on("skip_destroy")
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let parts: Vec<&str> = id.split(':').collect();
        let [device, volume, instance] = parts.as_slice() else {
            return Err("the id is DEVICE:VOLUME:INSTANCE, as /dev/sdh:vol-1:i-1".into());
        };
        let fields = json!({
            "device_name": device,
            "instance_id": instance,
            "volume_id": volume,
        });
        let value = weir_provider::declared::typed(&fields, &weir_core::Type::Dynamic);
        let mut fields = object(fields);
        fields.insert("id".into(), json!(self::id(&value)));
        Ok(fields)
    }
}

async fn attachment(aws: &Aws, value: &Value) -> Result<Option<VolumeAttachment>, Failure> {
    let (device, instance, id) = ends(value);
    let Some(volume) = volume(aws, &id).await? else {
        return Ok(None);
    };
    let found = volume.attachments().iter().find(|a| {
        a.instance_id() == Some(&instance)
            && a.device() == Some(&device)
            && a.state() != Some(&VolumeAttachmentState::Detached)
    });
    Ok(found.cloned())
}

fn ends(value: &Value) -> (String, String, String) {
    let text = |key| value.text(key).unwrap_or_default();
    (text("device_name"), text("instance_id"), text("volume_id"))
}

/// The id that Terraform gives an attachment, which has none of its own.
fn id(value: &Value) -> String {
    let (device, instance, volume) = ends(value);
    format!(
        "vai-{}",
        super::crc32(&format!("{device}-{instance}-{volume}-"))
    )
}
