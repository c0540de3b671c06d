//! `aws_instance`

mod change;
mod found;
mod request;

use super::ebs_volume::TYPES;
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, State, unless_gone},
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{Instance, InstanceStateName, ResourceType};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, changed};

pub(super) struct InstanceResource;

/// User data is cut off there.
const USER_DATA: usize = 16 * 1024;

#[async_trait]
impl Resource<Aws> for InstanceResource {
    fn name(&self) -> &'static str {
        "aws_instance"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::Instance)
    }
    fn minutes(&self) -> Minutes {
        (10, 10, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        for name in ["ami", "instance_type"] {
            super::one_of(config, &[name, "launch_template"], out);
        }
        super::not_both(config, "user_data", "user_data_base64", out);
        super::not_both(config, "security_groups", "vpc_security_group_ids", out);
        super::choice(config, "tenancy", &["dedicated", "default", "host"], out);
        let ends = ["stop", "terminate"];
        super::choice(config, "instance_initiated_shutdown_behavior", &ends, out);
        if config
            .text("user_data")
            .is_some_and(|d| d.len() > USER_DATA)
        {
            out.push(
                Diagnostic::error("`user_data` is too long")
                    .because(format!("AWS takes up to {USER_DATA} bytes."))
                    .help("Compress it (`user_data_base64 = base64gzip(...)`), or let it fetch the rest."),
            );
        }
        if let Some(data) = config.text("user_data_base64")
            && STANDARD.decode(&data).is_err()
        {
            out.push(
                Diagnostic::error("`user_data_base64` is not base64")
                    .because("It holds a character that base64 does not have, or was cut.")
                    .help("Make it with base64encode(...) or base64gzip(...), or use `user_data`."),
            );
        }
        let interfaces = config.rows("network_interface");
        for name in [
            "associate_public_ip_address",
            "private_ip",
            "security_groups",
            "subnet_id",
            "vpc_security_group_ids",
        ] {
            if !interfaces.is_empty() && config.get(name).is_some_and(|v| !v.is_null()) {
                out.push(
                    Diagnostic::error(format!("`{name}` can't be set beside `network_interface`"))
                        .because("The interface says it.")
                        .help("Set it on the aws_network_interface."),
                );
            }
        }
        for key in ["root_block_device", "ebs_block_device"] {
            for row in config.rows(key) {
                super::choice(row, "volume_type", &TYPES, out);
                super::within(row, "volume_size", 1..=65536, out);
            }
        }
        for row in config.rows("metadata_options") {
            super::choice(row, "http_endpoint", &["enabled", "disabled"], out);
            super::choice(row, "http_tokens", &["optional", "required"], out);
            super::choice(row, "instance_metadata_tags", &["enabled", "disabled"], out);
            super::within(row, "http_put_response_hop_limit", 1..=64, out);
        }
        for row in config.rows("instance_market_options") {
            super::choice(row, "market_type", &["capacity-block", "spot"], out);
        }
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = planned;
        let is_set = |name: &str| config.get(name).is_some_and(|v| !v.is_null());
        // User data is what the configuration says: nobody else gives a machine some.
        for name in ["user_data", "user_data_base64"] {
            if !is_set(name) {
                planned = planned.with(name, Value::null_of(Type::String));
            }
        }
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let mut replaces = Vec::new();
        let open = |v: &Value, key: &str| v.get(key).is_some_and(Value::is_unknown);
        let data = ["user_data", "user_data_base64"]
            .into_iter()
            .filter(|name| changed(prior, &planned, name) || open(&planned, name));
        let data: Vec<&'static str> = data.collect();
        // Without any, it keeps what it was started with until it starts again.
        let given = data.iter().any(|name| is_set(name));
        if given && planned.is_on("user_data_replace_on_change") {
            replaces.extend(data.iter().map(|name| Path::root().key(*name)));
        }
        if other_disks(prior, &planned) {
            replaces.push(Path::root().key("ebs_block_device"));
        }
        let sized = changed(prior, &planned, "instance_type") || open(&planned, "instance_type");
        if sized || !data.is_empty() {
            // One that is found stopped runs afterwards.
            if prior.text("instance_state").as_deref() != Some("running") {
                planned = planned.with("instance_state", Value::unknown(Type::String));
            }
            // It is stopped and started, and comes back with another public address.
            for name in ["public_ip", "public_dns"] {
                if prior.text(name).is_some() {
                    planned = planned.with(name, Value::unknown(Type::String));
                }
            }
            if sized && !is_set("cpu_options") {
                planned = planned
                    .with("cpu_options", unknown_like(prior, "cpu_options"))
                    .with("cpu_core_count", Value::unknown(Type::Number))
                    .with("cpu_threads_per_core", Value::unknown(Type::Number));
            }
        }
        (planned, replaces)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        request::run(cx, planned).await
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        reaches(cx, id, &InstanceStateName::Running).await
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        if planned.flag("source_dest_check") == Some(false) {
            change::source_dest_check(cx, id, false).await?;
        }
        Ok(())
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        match instance(aws, id).await? {
            Some(i) if state(&i) != Some(&InstanceStateName::Terminated) => {
                found::attributes(aws, &i, known).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        change::update(cx, id, prior, planned).await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("TerminateInstances", || {
                cx.cloud.ec2.terminate_instances().instance_ids(id).send()
            })
            .await?;
        Ok(())
    }
}

fn unknown_like(prior: &Value, key: &str) -> Value {
    Value::unknown(prior.get(key).map_or(Type::Dynamic, Value::ty))
}

fn state(i: &Instance) -> Option<&InstanceStateName> {
    i.state().and_then(|s| s.name())
}

/// The machine; `None` where there is none, or none any more.
async fn instance(aws: &Aws, id: &str) -> Result<Option<Instance>, Failure> {
    let answer = aws.call("DescribeInstances", || {
        aws.ec2.describe_instances().instance_ids(id).send()
    });
    let found = unless_gone(answer.await)?;
    let mut all = found
        .iter()
        .flat_map(|a| a.reservations())
        .flat_map(|r| r.instances());
    Ok(all.next().cloned())
}

/// Waits until the machine is in that state.
async fn reaches(cx: &Call<'_>, id: &str, wanted: &InstanceStateName) -> Result<(), Failure> {
    let look = || async {
        let now = instance(cx.cloud, id).await?;
        let is = now.as_ref().and_then(state);
        Ok(match is {
            Some(state) if state == wanted => State::Ready,
            Some(InstanceStateName::Terminated | InstanceStateName::ShuttingDown) => {
                let why = now
                    .as_ref()
                    .and_then(|i| i.state_reason())
                    .and_then(|r| r.message());
                State::Failed(format!(
                    "AWS ended it: {}",
                    why.unwrap_or("no reason is given")
                ))
            }
            state => State::Pending(state.map_or("pending", |s| s.as_str()).to_owned()),
        })
    };
    cx.wait(wanted.as_str(), look).await
}

/// Whether the machine gets other disks than it was made with. Terraform looks at no change of a
/// disk but this one; what a disk can do where it is (size, type, speed) is done there.
fn other_disks(prior: &Value, planned: &Value) -> bool {
    let (was, is) = (
        prior.rows("ebs_block_device"),
        planned.rows("ebs_block_device"),
    );
    let same = |was: &Value, is: &Value| {
        let kept = ["encrypted", "kms_key_id", "snapshot_id"];
        was.text("device_name") == is.text("device_name")
            && !kept.iter().any(|key| changed(was, is, key))
    };
    !planned
        .get("ebs_block_device")
        .is_some_and(Value::is_unknown)
        && (was.len() != is.len() || !is.iter().all(|is| was.iter().any(|was| same(was, is))))
}
