//! `aws_eip_association`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Resource, filter, found, unless_gone},
};
use async_trait::async_trait;
use serde_json::json;
use weir_core::{Diagnostics, Value};
use weir_provider::declared::Fields as _;

pub(super) struct EipAssociation;

#[async_trait]
impl Resource<Aws> for EipAssociation {
    fn name(&self) -> &'static str {
        "aws_eip_association"
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::one_of(config, &["allocation_id", "public_ip"], out);
        super::one_of(config, &["instance_id", "network_interface_id"], out);
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let starting =
            |f: &Failure| f.code == "IncorrectInstanceState" || f.code == "InvalidInstanceID";
        let allocation = planned.text("allocation_id");
        let public = planned.text("public_ip").filter(|_| allocation.is_none());
        let interface = planned.text("network_interface_id");
        let instance = planned.text("instance_id").filter(|_| interface.is_none());
        let call = || async {
            cx.cloud
                .call("AssociateAddress", || {
                    let call = cx.cloud.ec2.associate_address();
                    call.set_allocation_id(allocation.clone())
                        .set_public_ip(public.clone())
                        .set_instance_id(instance.clone())
                        .set_network_interface_id(interface.clone())
                        .set_private_ip_address(planned.text("private_ip_address"))
                        .set_allow_reassociation(planned.flag("allow_reassociation"))
                        .send()
                })
                .await
        };
        let made = cx.patiently(starting, call).await?;
        let id = made.association_id();
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("AssociateAddress"))
    }

    /// An association has no tags: it is known by its ends.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let by = match (planned.text("allocation_id"), planned.text("public_ip")) {
            (Some(id), _) => filter("allocation-id", id),
            (_, Some(ip)) => filter("public-ip", ip),
            _ => return Ok(None),
        };
        let answer = cx
            .cloud
            .call("DescribeAddresses", || {
                cx.cloud.ec2.describe_addresses().filters(by.clone()).send()
            })
            .await?;
        let there = |key: &str, has: Option<&str>| {
            planned
                .text(key)
                .is_some_and(|want| Some(want.as_str()) == has)
        };
        let found = answer.addresses().iter().find(|a| {
            there("instance_id", a.instance_id())
                || there("network_interface_id", a.network_interface_id())
        });
        Ok(found.and_then(|a| a.association_id.clone()))
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeAddresses", || {
            aws.ec2
                .describe_addresses()
                .filters(filter("association-id", id))
                .send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        match answer
            .addresses()
            .iter()
            .find(|a| a.association_id() == Some(id))
        {
            Some(a) => found(json!({
                "allocation_id": a.allocation_id(),
                "instance_id": a.instance_id().unwrap_or_default(),
                "network_interface_id": a.network_interface_id().unwrap_or_default(),
                "private_ip_address": a.private_ip_address().unwrap_or_default(),
                "public_ip": a.public_ip(),
            })),
            None => Ok(None),
        }
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        super::eip::end(cx, id).await
    }
}
