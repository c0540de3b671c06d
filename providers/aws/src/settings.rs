//! The provider block, and the clients it leads to.

use crate::client::Aws;
use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, sts::AssumeRoleProvider,
};
use aws_sdk_ec2::config::{Credentials, SharedCredentialsProvider};
use std::{collections::BTreeMap, fmt};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::{
    cloud::{Pacing, parse_duration},
    declared::{Fields as _, is_zero},
};

/// The provider block. Its secrets never show.
#[derive(Clone, Default)]
pub struct Settings {
    region: Option<String>,
    profile: Option<String>,
    keys: Option<(String, String, Option<String>)>,
    files: (Vec<String>, Vec<String>),
    endpoints: BTreeMap<String, String>,
    roles: Vec<Role>,
    fips: bool,
    dualstack: bool,
    /// Tags that everything gets.
    pub(crate) default_tags: BTreeMap<String, String>,
    /// Tags that are others' business: their keys, and the beginnings of their keys.
    pub(crate) ignored_tags: (Vec<String>, Vec<String>),
    /// Whether the account's number is not asked for.
    pub(crate) skip_account: bool,
    allowed: Vec<String>,
    forbidden: Vec<String>,
}

#[derive(Clone, Default)]
struct Role {
    arn: String,
    session: Option<String>,
    external_id: Option<String>,
    policy: Option<String>,
    policy_arns: Vec<String>,
    tags: BTreeMap<String, String>,
    duration: Option<std::time::Duration>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// What of the block does nothing in weir, so that its being there is a mistake or a danger.
const UNSERVED: [&str; 6] = [
    "assume_role_with_web_identity",
    "custom_ca_bundle",
    "ec2_metadata_service_endpoint_mode",
    "http_proxy",
    "https_proxy",
    "insecure",
];

impl Settings {
    /// The block's settings.
    ///
    /// # Errors
    /// What can't be served.
    pub(crate) fn read(block: &Value) -> Result<Settings, Diagnostics> {
        let mut problems = Diagnostics::new();
        for name in UNSERVED {
            let set = block.get(name).is_some_and(|v| !is_zero(v));
            if set {
                problems.push(
                    Diagnostic::error(format!("provider \"aws\": `{name}` can't be set yet"))
                        .because("weir's provider for AWS does not serve it.")
                        .help("Use the environment or a profile of ~/.aws/config for it where that can say it."),
                );
            }
        }
        let keys = match (block.text("access_key"), block.text("secret_key")) {
            (Some(id), Some(secret)) => Some((id, secret, block.text("token"))),
            (None, None) => None,
            _ => {
                problems.push(
                    Diagnostic::error("provider \"aws\": one of two keys is missing")
                        .because("`access_key` and `secret_key` go together.")
                        .help("Set both, or neither and use a profile."),
                );
                None
            }
        };
        let mut roles = Vec::new();
        for role in block.rows("assume_role") {
            roles.push(Role {
                arn: role.text("role_arn").unwrap_or_default(),
                session: role.text("session_name"),
                external_id: role.text("external_id"),
                policy: role.text("policy"),
                policy_arns: role.texts("policy_arns").unwrap_or_default(),
                tags: role.labels("tags"),
                duration: role.text("duration").and_then(|d| parse_duration(&d)),
            });
        }
        if problems.has_errors() {
            return Err(problems);
        }
        let mut endpoints = BTreeMap::new();
        for row in block.rows("endpoints") {
            for service in ["ec2", "sts"] {
                if let Some(url) = row.text(service) {
                    endpoints.insert(service.to_owned(), url);
                }
            }
        }
        let ignored = block.row("ignore_tags");
        let ignore = |key| ignored.and_then(|b| b.texts(key)).unwrap_or_default();
        Ok(Settings {
            region: block.text("region"),
            profile: block.text("profile"),
            keys,
            files: (
                block.texts("shared_config_files").unwrap_or_default(),
                block.texts("shared_credentials_files").unwrap_or_default(),
            ),
            endpoints,
            roles,
            fips: block.is_on("use_fips_endpoint"),
            dualstack: block.is_on("use_dualstack_endpoint"),
            default_tags: (block.row("default_tags"))
                .map(|b| b.labels("tags"))
                .unwrap_or_default(),
            ignored_tags: (ignore("keys"), ignore("key_prefixes")),
            skip_account: block.is_on("skip_requesting_account_id"),
            allowed: block.texts("allowed_account_ids").unwrap_or_default(),
            forbidden: block.texts("forbidden_account_ids").unwrap_or_default(),
        })
    }

    fn loader(&self) -> ConfigLoader {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .use_fips(self.fips)
            .use_dual_stack(self.dualstack);
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some((id, secret, token)) = &self.keys {
            let keys = Credentials::new(id, secret, token.clone(), None, "provider block");
            loader = loader.credentials_provider(keys);
        }
        let (config, credentials) = &self.files;
        if !config.is_empty() || !credentials.is_empty() {
            use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
            let mut files = EnvConfigFiles::builder();
            for path in config {
                files = files.with_file(EnvConfigFileKind::Config, path);
            }
            for path in credentials {
                files = files.with_file(EnvConfigFileKind::Credentials, path);
            }
            loader = loader.profile_files(files.build());
        }
        loader
    }

    /// The clients, with credentials from the first of: the block, the environment, the profile
    /// (its keys, role, SSO session or process), the container's or the machine's role.
    ///
    /// # Errors
    /// That there is no region, or that the account is not one that is allowed.
    pub(crate) async fn connect(&self, pacing: Pacing) -> Result<Aws, Diagnostics> {
        let mut config = self.loader().load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Diagnostic::error("provider \"aws\" has no region")
                .because("Neither its block nor the environment nor the profile names one.")
                .help("Set `region` in the provider block, or AWS_REGION.")
                .into());
        };
        for role in &self.roles {
            config = self.assume(role, config).await;
        }
        let mut ec2 = aws_sdk_ec2::config::Builder::from(&config);
        if let Some(url) = self.endpoints.get("ec2") {
            ec2 = ec2.endpoint_url(url);
        }
        let ec2 = aws_sdk_ec2::Client::from_conf(ec2.build());
        let clients = (ec2, self.sts(&config));
        let aws = Aws::new(clients, region, self.clone(), pacing);
        self.check_account(&aws).await?;
        Ok(aws)
    }

    fn sts(&self, config: &SdkConfig) -> aws_sdk_sts::Client {
        let mut sts = aws_sdk_sts::config::Builder::from(config);
        if let Some(url) = self.endpoints.get("sts") {
            sts = sts.endpoint_url(url);
        }
        aws_sdk_sts::Client::from_conf(sts.build())
    }

    /// The same with the role's credentials instead.
    async fn assume(&self, role: &Role, config: SdkConfig) -> SdkConfig {
        // The provider of the SDK asks STS by this configuration: so it gets STS's endpoint.
        let mut base = config.to_builder();
        if let Some(url) = self.endpoints.get("sts") {
            base = base.endpoint_url(url);
        }
        let mut builder = AssumeRoleProvider::builder(&role.arn)
            .configure(&base.build())
            .session_name(role.session.as_deref().unwrap_or("weir"));
        if let Some(id) = &role.external_id {
            builder = builder.external_id(id);
        }
        if let Some(policy) = &role.policy {
            builder = builder.policy(policy);
        }
        if !role.policy_arns.is_empty() {
            builder = builder.policy_arns(role.policy_arns.clone());
        }
        if !role.tags.is_empty() {
            builder = builder.tags(role.tags.clone());
        }
        if let Some(length) = role.duration {
            builder = builder.session_length(length);
        }
        let provider = builder.build().await;
        let provider = SharedCredentialsProvider::new(provider);
        config.to_builder().credentials_provider(provider).build()
    }

    async fn check_account(&self, aws: &Aws) -> Result<(), Diagnostics> {
        if self.allowed.is_empty() && self.forbidden.is_empty() {
            return Ok(());
        }
        let caller = aws
            .caller()
            .await
            .map_err(|f| f.diagnostic("provider \"aws\""))?;
        let account = &caller.account;
        let listed = self.allowed.is_empty() || self.allowed.contains(account);
        if listed && !self.forbidden.contains(account) {
            return Ok(());
        }
        Err(Diagnostic::error(format!(
            "provider \"aws\": account {account} is not allowed"
        ))
        .because("`allowed_account_ids` or `forbidden_account_ids` says so.")
        .help("Use credentials of another account.")
        .into())
    }
}
