//! `aws_nat_gateway`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ConnectivityType, NatGateway, NatGatewayState, ResourceType};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::Fields as _;

pub(super) struct Nat;

#[async_trait]
impl Resource<Aws> for Nat {
    fn name(&self) -> &'static str {
        "aws_nat_gateway"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::Natgateway)
    }
    fn minutes(&self) -> Minutes {
        (10, 10, 30)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::choice(config, "connectivity_type", &["private", "public"], out);
        let private = config.text("connectivity_type").as_deref() == Some("private");
        let address = config.get("allocation_id").is_some_and(|v| !v.is_null());
        if private == address
            && config
                .get("connectivity_type")
                .is_none_or(|c| !c.is_unknown())
        {
            let (what, why) = match private {
                true => (
                    "`allocation_id` can't be set",
                    "A private gateway has no public address.",
                ),
                false => (
                    "`allocation_id` is missing",
                    "A public gateway has an Elastic IP.",
                ),
            };
            out.push(Diagnostic::error(what).because(why).help(
                "Set `allocation_id` for a public gateway, and connectivity_type = \"private\" for one without.",
            ));
        }
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let kind = planned
            .text("connectivity_type")
            .map(|t| ConnectivityType::from(t.as_str()));
        let made = cx
            .cloud
            .make("CreateNatGateway", || {
                let call = cx.cloud.ec2.create_nat_gateway();
                call.set_subnet_id(planned.text("subnet_id"))
                    .set_allocation_id(planned.text("allocation_id"))
                    .set_connectivity_type(kind.clone())
                    .set_private_ip_address(planned.text("private_ip"))
                    .client_token(&cx.token)
                    .tag_specifications(tags::specification(cx, ResourceType::Natgateway, planned))
                    .send()
            })
            .await?;
        let id = made.nat_gateway().and_then(|g| g.nat_gateway_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateNatGateway"))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        let look = || async {
            let now = gateway(cx.cloud, id).await?;
            Ok(match now.as_ref().and_then(|g| g.state()) {
                Some(NatGatewayState::Available) => State::Ready,
                Some(
                    NatGatewayState::Failed | NatGatewayState::Deleting | NatGatewayState::Deleted,
                ) => {
                    let why = now.as_ref().and_then(|g| g.failure_message());
                    State::Failed(why.unwrap_or("AWS gave it up").to_owned())
                }
                _ => State::Pending("pending".into()),
            })
        };
        cx.wait("creation", look).await
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let Some(g) = gateway(aws, id).await? else {
            return Ok(None);
        };
        if matches!(
            g.state(),
            Some(NatGatewayState::Deleted | NatGatewayState::Failed)
        ) {
            return Ok(None);
        }
        let all = g.nat_gateway_addresses();
        let first = all
            .iter()
            .find(|a| a.is_primary() == Some(true))
            .or(all.first());
        let kind = g.connectivity_type().map(|t| t.as_str());
        found(json!({
            "allocation_id": first.and_then(|a| a.allocation_id()).unwrap_or_default(),
            "association_id": first.and_then(|a| a.association_id()).unwrap_or_default(),
            "connectivity_type": kind.unwrap_or("public"),
            "network_interface_id": first.and_then(|a| a.network_interface_id()).unwrap_or_default(),
            "private_ip": first.and_then(|a| a.private_ip()).unwrap_or_default(),
            "public_ip": first.and_then(|a| a.public_ip()).unwrap_or_default(),
            "secondary_private_ip_address_count": 0,
            "secondary_private_ip_addresses": [],
            "subnet_id": g.subnet_id(),
            "tags_all": tags::found(aws, g.tags()),
        }))
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeleteNatGateway", || {
                cx.cloud.ec2.delete_nat_gateway().nat_gateway_id(id).send()
            })
            .await?;
        Ok(())
    }
}

async fn gateway(aws: &Aws, id: &str) -> Result<Option<NatGateway>, Failure> {
    let answer = aws.call("DescribeNatGateways", || {
        aws.ec2.describe_nat_gateways().nat_gateway_ids(id).send()
    });
    Ok(unless_gone(answer.await)?.and_then(|a| a.nat_gateways().first().cloned()))
}
