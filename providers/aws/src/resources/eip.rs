//! `aws_eip`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use serde_json::json;
use weir_core::{Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, changed, may_change};

pub(super) struct Eip;

#[async_trait]
impl Resource<Aws> for Eip {
    fn name(&self) -> &'static str {
        "aws_eip"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::ElasticIp)
    }
    fn minutes(&self) -> Minutes {
        (15, 5, 3)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::choice(config, "domain", &["vpc"], out);
        super::not_both(config, "instance", "network_interface", out);
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = planned;
        let ends = ["instance", "network_interface", "associate_with_private_ip"];
        let moves = prior.is_some_and(|p| ends.iter().any(|e| may_change(p, &planned, e)));
        // Somebody else's association comes and goes as they like.
        let others = prior.is_some_and(|p| {
            let own = ends.iter().any(|e| super::is_set(config, e));
            !own && p.text("association_id").is_some() && *p != planned
        });
        if moves || others {
            for name in [
                "association_id",
                "private_dns",
                "private_ip",
                "instance",
                "network_interface",
            ] {
                if config.get(name).is_none_or(Value::is_null) {
                    planned = planned.with(name, Value::unknown(Type::String));
                }
            }
        }
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let made = cx
            .cloud
            .make("AllocateAddress", || {
                let call = cx.cloud.ec2.allocate_address().domain(DomainType::Vpc);
                call.set_network_border_group(planned.text("network_border_group"))
                    .set_public_ipv4_pool(planned.text("public_ipv4_pool"))
                    .tag_specifications(tags::specification(cx, ResourceType::ElasticIp, planned))
                    .send()
            })
            .await?;
        let id = made.allocation_id();
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("AllocateAddress"))
    }

    async fn find(&self, cx: &Call<'_>, _planned: &Value) -> Result<Option<String>, Failure> {
        let answer = cx
            .cloud
            .call("DescribeAddresses", || {
                cx.cloud
                    .ec2
                    .describe_addresses()
                    .filters(tags::mine(cx))
                    .send()
            })
            .await?;
        Ok(answer
            .addresses()
            .first()
            .and_then(|a| a.allocation_id.clone()))
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        associate(cx, id, planned).await
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let Some(a) = address(aws, id).await? else {
            return Ok(None);
        };
        let account = aws.account().await?;
        let (public, private) = (a.public_ip().unwrap_or_default(), a.private_ip_address());
        found(json!({
            "allocation_id": id,
            "arn": aws.arn(&account, "elastic-ip", id),
            "associate_with_private_ip": known.text("associate_with_private_ip"),
            "association_id": a.association_id().unwrap_or_default(),
            "carrier_ip": a.carrier_ip().unwrap_or_default(),
            "customer_owned_ip": a.customer_owned_ip().unwrap_or_default(),
            "customer_owned_ipv4_pool": a.customer_owned_ipv4_pool().unwrap_or_default(),
            "domain": a.domain().map(|d| d.as_str()),
            "instance": a.instance_id().unwrap_or_default(),
            "ipam_pool_id": "",
            "network_border_group": a.network_border_group().unwrap_or_default(),
            "network_interface": a.network_interface_id().unwrap_or_default(),
            "private_dns": private.map(|ip| private_dns(aws, ip)),
            "private_ip": private.unwrap_or_default(),
            "ptr_record": "",
            "public_dns": public_dns(aws, public),
            "public_ip": public,
            "public_ipv4_pool": a.public_ipv4_pool().unwrap_or_default(),
            "tags_all": tags::found(aws, a.tags()),
            "vpc": a.domain() == Some(&DomainType::Vpc),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let ends = ["instance", "network_interface", "associate_with_private_ip"];
        if ends.iter().any(|e| changed(prior, planned, e)) {
            disassociate(cx, prior).await?;
            associate(cx, id, planned).await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        let now = address(cx.cloud, id).await?;
        if let Some(association) = now.and_then(|a| a.association_id) {
            end(cx, &association).await?;
        }
        cx.cloud
            .call("ReleaseAddress", || {
                cx.cloud.ec2.release_address().allocation_id(id).send()
            })
            .await?;
        Ok(())
    }
}

pub(super) async fn address(aws: &Aws, id: &str) -> Result<Option<Address>, Failure> {
    let answer = aws.call("DescribeAddresses", || {
        aws.ec2.describe_addresses().allocation_ids(id).send()
    });
    Ok(unless_gone(answer.await)?.and_then(|a| a.addresses().first().cloned()))
}

async fn associate(cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
    let (instance, interface) = (planned.text("instance"), planned.text("network_interface"));
    if instance.is_none() && interface.is_none() {
        return Ok(());
    }
    // A machine that is still starting takes no address: that passes.
    let starting =
        |f: &Failure| f.code == "IncorrectInstanceState" || f.code == "InvalidInstanceID";
    let call = || async {
        cx.cloud
            .call("AssociateAddress", || {
                let call = cx.cloud.ec2.associate_address().allocation_id(id);
                call.set_instance_id(instance.clone().filter(|_| interface.is_none()))
                    .set_network_interface_id(interface.clone())
                    .set_private_ip_address(planned.text("associate_with_private_ip"))
                    .allow_reassociation(true)
                    .send()
            })
            .await
    };
    cx.patiently(starting, call).await?;
    Ok(())
}

async fn disassociate(cx: &Call<'_>, prior: &Value) -> Result<(), Failure> {
    match prior.text("association_id") {
        Some(id) => end(cx, &id).await,
        None => Ok(()),
    }
}

/// Ends an association; one that is gone has ended.
pub(super) async fn end(cx: &Call<'_>, association: &str) -> Result<(), Failure> {
    let done = cx
        .cloud
        .call("DisassociateAddress", || {
            let call = cx.cloud.ec2.disassociate_address();
            call.association_id(association).send()
        })
        .await;
    unless_gone(done).map(|_| ())
}

/// The name that AWS's resolver gives a private address.
pub(super) fn private_dns(aws: &Aws, ip: &str) -> String {
    let host = ip.replace('.', "-");
    match aws.region.as_str() {
        "us-east-1" => format!("ip-{host}.ec2.internal"),
        region => format!("ip-{host}.{region}.compute.internal"),
    }
}

/// The name that AWS gives a public address.
fn public_dns(aws: &Aws, ip: &str) -> String {
    let host = ip.replace('.', "-");
    match aws.region.as_str() {
        "us-east-1" => format!("ec2-{host}.compute-1.amazonaws.com"),
        region => format!("ec2-{host}.{region}.compute.amazonaws.com"),
    }
}
