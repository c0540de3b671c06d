//! `aws_network_interface`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, NetworkInterface, NetworkInterfaceCreationType,
    PrivateIpAddressSpecification, ResourceType,
};
use serde_json::json;
use weir_core::{Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, changed, may_change};

pub(super) struct Interface;

#[async_trait]
impl Resource<Aws> for Interface {
    fn name(&self) -> &'static str {
        "aws_network_interface"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::NetworkInterface)
    }
    fn minutes(&self) -> Minutes {
        (10, 10, 10)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::not_both(config, "private_ips", "private_ips_count", out);
        super::choice(
            config,
            "interface_type",
            &["branch", "efa", "efa-only", "trunk"],
            out,
        );
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let mut planned = planned;
        let names = ["private_ips", "private_ips_count"];
        if names.iter().any(|n| may_change(prior, &planned, n)) {
            for (name, ty) in [
                ("private_ip_list", Type::list(Type::String)),
                ("private_ips", Type::set(Type::String)),
                ("private_ips_count", Type::Number),
            ] {
                if config.get(name).is_none_or(Value::is_null) {
                    planned = planned.with(name, Value::unknown(ty));
                }
            }
        }
        // The first address stays as long as the interface does.
        let (first, texts) = (prior.text("private_ip"), config.texts("private_ips"));
        let moved = match (first, texts) {
            (Some(first), Some(all)) => !all.contains(&first),
            _ => false,
        };
        let path = Path::root().key("private_ips");
        (planned, if moved { vec![path] } else { Vec::new() })
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let ips = planned.texts("private_ips").unwrap_or_default();
        let addresses = ips.iter().enumerate().map(|(i, ip)| {
            PrivateIpAddressSpecification::builder()
                .private_ip_address(ip)
                .primary(i == 0)
                .build()
        });
        let addresses: Vec<_> = addresses.collect();
        let kind = planned.text("interface_type");
        let kind = kind.map(|t| NetworkInterfaceCreationType::from(t.as_str()));
        let count = planned
            .int("private_ips_count")
            .filter(|n| *n > 0 && ips.is_empty());
        let made = cx
            .cloud
            .make("CreateNetworkInterface", || {
                let call = cx.cloud.ec2.create_network_interface();
                call.set_subnet_id(planned.text("subnet_id"))
                    .set_description(planned.text("description"))
                    .set_groups(planned.texts("security_groups"))
                    .set_interface_type(kind.clone())
                    .set_private_ip_addresses(Some(addresses.clone()).filter(|a| !a.is_empty()))
                    .set_secondary_private_ip_address_count(count)
                    .client_token(&cx.token)
                    .tag_specifications(tags::specification(
                        cx,
                        ResourceType::NetworkInterface,
                        planned,
                    ))
                    .send()
            })
            .await?;
        let id = made
            .network_interface()
            .and_then(|i| i.network_interface_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateNetworkInterface"))
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        if planned.flag("source_dest_check") == Some(false) {
            set_check(cx, id, false).await?;
        }
        match planned.row("attachment") {
            Some(at) => attach(cx, id, at).await,
            None => Ok(()),
        }
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let Some(i) = interface(aws, id).await? else {
            return Ok(None);
        };
        let owner = i.owner_id().unwrap_or_default();
        let ips: Vec<_> = i
            .private_ip_addresses()
            .iter()
            .filter_map(|a| a.private_ip_address())
            .collect();
        let groups: Vec<_> = i.groups().iter().filter_map(|g| g.group_id()).collect();
        let v6: Vec<_> = i
            .ipv6_addresses()
            .iter()
            .filter_map(|a| a.ipv6_address())
            .collect();
        let attachment = i.attachment().map(|a| {
            json!({
                "attachment_id": a.attachment_id(),
                "device_index": a.device_index(),
                "instance": a.instance_id().unwrap_or_default(),
            })
        });
        let _ = known;
        found(json!({
            "arn": aws.arn(owner, "network-interface", id),
            "attachment": attachment.into_iter().collect::<Vec<_>>(),
            "description": i.description().unwrap_or_default(),
            "enable_primary_ipv6": false,
            "interface_type": i.interface_type().map(|t| t.as_str()),
            "ipv4_prefix_count": i.ipv4_prefixes().len(),
            "ipv4_prefixes": [],
            "ipv6_address_count": v6.len(),
            "ipv6_address_list": v6,
            "ipv6_addresses": v6,
            "ipv6_prefix_count": i.ipv6_prefixes().len(),
            "ipv6_prefixes": [],
            "mac_address": i.mac_address(),
            "outpost_arn": i.outpost_arn().unwrap_or_default(),
            "owner_id": owner,
            "private_dns_name": i.private_dns_name().unwrap_or_default(),
            "private_ip": i.private_ip_address().unwrap_or_default(),
            "private_ip_list": ips,
            "private_ips": ips,
            "private_ips_count": ips.len().saturating_sub(1),
            "security_groups": groups,
            "source_dest_check": i.source_dest_check().unwrap_or(true),
            "subnet_id": i.subnet_id(),
            "tags_all": tags::found(aws, i.tag_set()),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let ec2 = &cx.cloud.ec2;
        if changed(prior, planned, "attachment") {
            if let Some(at) = prior.row("attachment") {
                detach(cx, id, at).await?;
            }
            if let Some(at) = planned.row("attachment") {
                attach(cx, id, at).await?;
            }
        }
        if changed(prior, planned, "private_ips") {
            change_ips(cx, id, (prior, planned)).await?;
        } else if changed(prior, planned, "private_ips_count") {
            let (was, is) = (
                prior.int("private_ips_count"),
                planned.int("private_ips_count"),
            );
            change_count(cx, id, prior, is.unwrap_or(0) - was.unwrap_or(0)).await?;
        }
        if changed(prior, planned, "source_dest_check") {
            set_check(cx, id, planned.flag("source_dest_check").unwrap_or(true)).await?;
        }
        if changed(prior, planned, "description") {
            let text = planned.text("description").unwrap_or_default();
            let text = AttributeValue::builder().value(text).build();
            cx.cloud
                .call("ModifyNetworkInterfaceAttribute", || {
                    let call = ec2
                        .modify_network_interface_attribute()
                        .network_interface_id(id);
                    call.description(text.clone()).send()
                })
                .await?;
        }
        if changed(prior, planned, "security_groups") {
            cx.cloud
                .call("ModifyNetworkInterfaceAttribute", || {
                    let call = ec2
                        .modify_network_interface_attribute()
                        .network_interface_id(id);
                    call.set_groups(planned.texts("security_groups")).send()
                })
                .await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure> {
        if let Some(at) = prior.row("attachment") {
            detach(cx, id, at).await?;
        }
        cx.cloud
            .call("DeleteNetworkInterface", || {
                cx.cloud
                    .ec2
                    .delete_network_interface()
                    .network_interface_id(id)
                    .send()
            })
            .await?;
        Ok(())
    }
}

async fn interface(aws: &Aws, id: &str) -> Result<Option<NetworkInterface>, Failure> {
    let answer = aws.call("DescribeNetworkInterfaces", || {
        aws.ec2
            .describe_network_interfaces()
            .network_interface_ids(id)
            .send()
    });
    Ok(unless_gone(answer.await)?.and_then(|a| a.network_interfaces().first().cloned()))
}

async fn set_check(cx: &Call<'_>, id: &str, on: bool) -> Result<(), Failure> {
    let value = AttributeBooleanValue::builder().value(on).build();
    cx.cloud
        .call("ModifyNetworkInterfaceAttribute", || {
            let call = cx.cloud.ec2.modify_network_interface_attribute();
            call.network_interface_id(id)
                .source_dest_check(value.clone())
                .send()
        })
        .await?;
    Ok(())
}

async fn attach(cx: &Call<'_>, id: &str, at: &Value) -> Result<(), Failure> {
    let instance = at.text("instance").unwrap_or_default();
    let now = interface(cx.cloud, id).await?.and_then(|i| i.attachment);
    if now.and_then(|a| a.instance_id) == Some(instance.clone()) {
        return Ok(());
    }
    cx.cloud
        .call("AttachNetworkInterface", || {
            let call = cx.cloud.ec2.attach_network_interface();
            call.network_interface_id(id)
                .instance_id(&instance)
                .set_device_index(at.int("device_index"))
                .send()
        })
        .await?;
    Ok(())
}

async fn detach(cx: &Call<'_>, id: &str, at: &Value) -> Result<(), Failure> {
    let Some(attachment) = at.text("attachment_id") else {
        return Ok(());
    };
    let done = cx
        .cloud
        .call("DetachNetworkInterface", || {
            let call = cx.cloud.ec2.detach_network_interface();
            call.attachment_id(&attachment).force(true).send()
        })
        .await;
    unless_gone(done)?;
    let look = || async {
        let now = interface(cx.cloud, id).await?.and_then(|i| i.attachment);
        Ok(match now {
            Some(a) if a.status().is_some_and(|s| s.as_str() != "detached") => {
                State::Pending("detaching".into())
            }
            _ => State::Ready,
        })
    };
    cx.wait("DetachNetworkInterface", look).await
}

async fn change_ips(
    cx: &Call<'_>,
    id: &str,
    (prior, planned): (&Value, &Value),
) -> Result<(), Failure> {
    let (was, is) = (prior.texts("private_ips"), planned.texts("private_ips"));
    let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
    let first = prior.text("private_ip");
    let gone: Vec<String> = (was.iter())
        .filter(|ip| !is.contains(ip) && Some(*ip) != first.as_ref())
        .cloned()
        .collect();
    let new: Vec<String> = is.into_iter().filter(|ip| !was.contains(ip)).collect();
    unassign(cx, id, gone).await?;
    if !new.is_empty() {
        cx.cloud
            .call("AssignPrivateIpAddresses", || {
                let call = cx.cloud.ec2.assign_private_ip_addresses();
                call.network_interface_id(id)
                    .set_private_ip_addresses(Some(new.clone()))
                    .send()
            })
            .await?;
    }
    Ok(())
}

async fn change_count(cx: &Call<'_>, id: &str, prior: &Value, by: i32) -> Result<(), Failure> {
    if by > 0 {
        cx.cloud
            .call("AssignPrivateIpAddresses", || {
                let call = cx.cloud.ec2.assign_private_ip_addresses();
                call.network_interface_id(id)
                    .secondary_private_ip_address_count(by)
                    .send()
            })
            .await?;
        return Ok(());
    }
    let first = prior.text("private_ip");
    let ips = prior.texts("private_ips").unwrap_or_default();
    let spare = ips.into_iter().filter(|ip| Some(ip) != first.as_ref());
    let gone = spare.take(usize::try_from(-by).unwrap_or(0)).collect();
    unassign(cx, id, gone).await
}

async fn unassign(cx: &Call<'_>, id: &str, gone: Vec<String>) -> Result<(), Failure> {
    if gone.is_empty() {
        return Ok(());
    }
    cx.cloud
        .call("UnassignPrivateIpAddresses", || {
            let call = cx.cloud.ec2.unassign_private_ip_addresses();
            call.network_interface_id(id)
                .set_private_ip_addresses(Some(gone.clone()))
                .send()
        })
        .await?;
    Ok(())
}
