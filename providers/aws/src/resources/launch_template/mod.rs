//! `aws_launch_template`: a name and its versions, each of which is a whole description of a
//! machine. What is told is the latest version; a change makes another.

mod found;
mod request;

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Resource, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{LaunchTemplate, ResourceType};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, may_change, object};

pub(super) struct Template;

/// What is not part of a version: a change of it alone makes no other.
const OF_TEMPLATE: [&str; 10] = [
    "arn",
    "default_version",
    "id",
    "latest_version",
    "name",
    "name_prefix",
    "tags",
    "tags_all",
    "timeouts",
    "update_default_version",
];

#[async_trait]
impl Resource<Aws> for Template {
    fn name(&self) -> &'static str {
        "aws_launch_template"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::LaunchTemplate)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::not_both(config, "name", "name_prefix", out);
        super::not_both(config, "default_version", "update_default_version", out);
        let both = ("security_group_names", "vpc_security_group_ids");
        super::not_both(config, both.0, both.1, out);
        let ends = ["stop", "terminate"];
        super::choice(config, "instance_initiated_shutdown_behavior", &ends, out);
        super::choice(config, "ebs_optimized", &TRUTHS, out);
        if let Some(data) = config.text("user_data")
            && STANDARD.decode(&data).is_err()
        {
            out.push(
                Diagnostic::error("`user_data` is not base64")
                    .because(
                        "Unlike that of a machine, a launch template's user data is given encoded.",
                    )
                    .help("Write base64encode(...) around it."),
            );
        }
        validate_blocks(config, out);
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = super::named(config, prior, planned);
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let open = || Value::unknown(Type::Number);
        let another = has_another(prior, &planned);
        if another {
            planned = planned.with("latest_version", open());
        }
        let behind = prior.get("default_version") != prior.get("latest_version");
        if planned.is_on("update_default_version") && (another || behind) {
            planned = planned.with("default_version", open());
        }
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx, planned, "name", "name_prefix");
        let kind = ResourceType::LaunchTemplate;
        let made = cx
            .cloud
            .make("CreateLaunchTemplate", || {
                let call = cx.cloud.ec2.create_launch_template();
                call.client_token(&cx.token)
                    .launch_template_name(&name)
                    .set_version_description(planned.text("description"))
                    .launch_template_data(request::data(planned))
                    .tag_specifications(tags::specification(cx, kind.clone(), planned))
                    .send()
            })
            .await?;
        let id = made.launch_template().and_then(|t| t.launch_template_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateLaunchTemplate"))
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        match planned.int("default_version") {
            None | Some(1) => Ok(()),
            Some(version) => make_default(cx, id, version.into()).await,
        }
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let Some(template) = template(aws, id).await? else {
            return Ok(None);
        };
        let latest = template.latest_version_number().unwrap_or(1);
        let answer = aws.call("DescribeLaunchTemplateVersions", || {
            let call = aws.ec2.describe_launch_template_versions();
            call.launch_template_id(id)
                .versions(latest.to_string())
                .send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let Some(version) = answer.launch_template_versions().first() else {
            return Ok(None);
        };
        let name = template.launch_template_name().unwrap_or_default();
        let account = aws.account().await?;
        let mut all = version
            .launch_template_data()
            .map(found::data)
            .unwrap_or_default();
        all.extend(object(json!({
            "arn": aws.arn(&account, "launch-template", id),
            "default_version": template.default_version_number(),
            "description": version.version_description().unwrap_or_default(),
            "latest_version": latest,
            "name": name,
            "name_prefix": super::prefix_of(known, name),
            "tags_all": tags::found(aws, template.tags()),
        })));
        Ok(Some(all))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if has_another(prior, planned) {
            // The token makes it the same version, however often it is asked for.
            cx.cloud
                .call("CreateLaunchTemplateVersion", || {
                    let call = cx.cloud.ec2.create_launch_template_version();
                    call.client_token(&cx.token)
                        .launch_template_id(id)
                        .set_version_description(planned.text("description"))
                        .launch_template_data(request::data(planned))
                        .send()
                })
                .await?;
        }
        if !may_change(prior, planned, "default_version") {
            return Ok(None);
        }
        let version = match planned.int("default_version") {
            Some(version) => Some(version.into()),
            None => template(cx.cloud, id)
                .await?
                .and_then(|t| t.latest_version_number()),
        };
        if let Some(version) = version {
            make_default(cx, id, version).await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        cx.cloud
            .call("DeleteLaunchTemplate", || {
                let call = cx.cloud.ec2.delete_launch_template();
                call.launch_template_id(id).send()
            })
            .await?;
        Ok(())
    }
}

/// How texts say a truth where the API takes none, too.
const TRUTHS: [&str; 4] = ["true", "false", "1", "0"];

/// Whether the change makes another version.
fn has_another(prior: &Value, planned: &Value) -> bool {
    let fields = planned.as_entries().into_iter().flatten();
    let mut names = fields
        .map(|(name, _)| &**name)
        .filter(|n| !OF_TEMPLATE.contains(n));
    names.any(|name| may_change(prior, planned, name))
}

async fn template(aws: &Aws, id: &str) -> Result<Option<LaunchTemplate>, Failure> {
    let answer = aws.call("DescribeLaunchTemplates", || {
        let call = aws.ec2.describe_launch_templates();
        call.launch_template_ids(id).send()
    });
    let answer = unless_gone(answer.await)?;
    Ok(answer.and_then(|a| a.launch_templates().first().cloned()))
}

async fn make_default(cx: &Call<'_>, id: &str, version: i64) -> Result<(), Failure> {
    cx.cloud
        .call("ModifyLaunchTemplate", || {
            let call = cx.cloud.ec2.modify_launch_template();
            call.launch_template_id(id)
                .default_version(version.to_string())
                .send()
        })
        .await?;
    Ok(())
}

fn validate_blocks(config: &Value, out: &mut Diagnostics) {
    let switch = ["enabled", "disabled"];
    for disk in config.rows("block_device_mappings") {
        for ebs in disk.rows("ebs") {
            super::choice(ebs, "volume_type", &super::ebs_volume::TYPES, out);
            super::within(ebs, "volume_size", 1..=65536, out);
            super::choice(ebs, "encrypted", &TRUTHS, out);
            super::choice(ebs, "delete_on_termination", &TRUTHS, out);
            super::not_both(ebs, "snapshot_id", "encrypted", out);
        }
    }
    for row in config.rows("network_interfaces") {
        for name in request::INTERFACE_TRUTHS {
            super::choice(row, name, &TRUTHS, out);
        }
        super::choice(
            row,
            "interface_type",
            &["efa", "efa-only", "interface"],
            out,
        );
    }
    for row in config.rows("metadata_options") {
        for name in [
            "http_endpoint",
            "http_protocol_ipv6",
            "instance_metadata_tags",
        ] {
            super::choice(row, name, &switch, out);
        }
        super::choice(row, "http_tokens", &["optional", "required"], out);
        super::within(row, "http_put_response_hop_limit", 1..=64, out);
    }
    for row in config.rows("instance_market_options") {
        super::choice(row, "market_type", &["capacity-block", "spot"], out);
        for spot in row.rows("spot_options") {
            super::choice(spot, "spot_instance_type", &["one-time", "persistent"], out);
            let ends = ["hibernate", "stop", "terminate"];
            super::choice(spot, "instance_interruption_behavior", &ends, out);
        }
    }
    for row in config.rows("iam_instance_profile") {
        super::not_both(row, "arn", "name", out);
    }
    for row in config.rows("placement") {
        super::choice(row, "tenancy", &["dedicated", "default", "host"], out);
        super::not_both(row, "host_id", "host_resource_group_arn", out);
    }
    for row in config.rows("credit_specification") {
        super::choice(row, "cpu_credits", &["standard", "unlimited"], out);
    }
    for row in config.rows("maintenance_options") {
        super::choice(row, "auto_recovery", &["default", "disabled"], out);
    }
    for row in config.rows("private_dns_name_options") {
        super::choice(row, "hostname_type", &["ip-name", "resource-name"], out);
    }
    for row in config.rows("tag_specifications") {
        let kinds = [
            "instance",
            "network-interface",
            "spot-instances-request",
            "volume",
        ];
        super::choice(row, "resource_type", &kinds, out);
    }
}
