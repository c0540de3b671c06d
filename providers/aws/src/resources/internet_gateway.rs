//! `aws_internet_gateway`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::ResourceType;
use serde_json::json;
use weir_core::Value;
use weir_provider::declared::{Fields as _, changed};

pub(super) struct InternetGateway;

#[async_trait]
impl Resource<Aws> for InternetGateway {
    fn name(&self) -> &'static str {
        "aws_internet_gateway"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::InternetGateway)
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let kind = ResourceType::InternetGateway;
        let made = cx
            .cloud
            .make("CreateInternetGateway", || {
                let call = cx.cloud.ec2.create_internet_gateway();
                call.tag_specifications(tags::specification(cx, kind.clone(), planned))
                    .send()
            })
            .await?;
        let id = made
            .internet_gateway()
            .and_then(|g| g.internet_gateway_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateInternetGateway"))
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        match planned.text("vpc_id") {
            Some(vpc) => attach(cx, id, &vpc).await,
            None => Ok(()),
        }
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeInternetGateways", || {
            let call = aws.ec2.describe_internet_gateways();
            call.internet_gateway_ids(id).send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let Some(gateway) = answer.internet_gateways().first() else {
            return Ok(None);
        };
        let owner = gateway.owner_id().unwrap_or_default();
        let attached = gateway.attachments().first();
        found(json!({
            "arn": aws.arn(owner, "internet-gateway", id),
            "owner_id": owner,
            "tags_all": tags::found(aws, gateway.tags()),
            "vpc_id": attached.and_then(|a| a.vpc_id()).unwrap_or_default(),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if changed(prior, planned, "vpc_id") {
            if let Some(vpc) = prior.text("vpc_id") {
                detach(cx, id, &vpc).await?;
            }
            if let Some(vpc) = planned.text("vpc_id") {
                attach(cx, id, &vpc).await?;
            }
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure> {
        if let Some(vpc) = prior.text("vpc_id") {
            detach(cx, id, &vpc).await?;
        }
        cx.cloud
            .call("DeleteInternetGateway", || {
                let call = cx.cloud.ec2.delete_internet_gateway();
                call.internet_gateway_id(id).send()
            })
            .await?;
        Ok(())
    }
}

async fn attach(cx: &Call<'_>, id: &str, vpc: &str) -> Result<(), Failure> {
    let done = cx
        .cloud
        .call("AttachInternetGateway", || {
            let call = cx.cloud.ec2.attach_internet_gateway();
            call.internet_gateway_id(id).vpc_id(vpc).send()
        })
        .await;
    match done {
        // An earlier attempt did it.
        Err(f)
            if f.code == "Resource.AlreadyAssociated"
                && f.message.contains(id)
                && f.message.contains(vpc) =>
        {
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

async fn detach(cx: &Call<'_>, id: &str, vpc: &str) -> Result<(), Failure> {
    let done = cx
        .cloud
        .call("DetachInternetGateway", || {
            let call = cx.cloud.ec2.detach_internet_gateway();
            call.internet_gateway_id(id).vpc_id(vpc).send()
        })
        .await;
    match done {
        Err(f) if f.code == "Gateway.NotAttached" => Ok(()),
        other => other.map(|_| ()),
    }
}
