//! The provider block and the environment beside it, and the clients they lead to.

use crate::client::{Clients, Google};
use google_cloud_auth::{
    credentials::{
        self, CacheableResource, Credentials, CredentialsProvider, EntityTag, external_account,
        impersonated, service_account, user_account,
    },
    errors::CredentialsError,
};
use google_cloud_compute_v1::client as sdk;
use google_cloud_gax::{client_builder::Error as BuildError, retry_policy::NeverRetry};
use http::{Extensions, HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde_json::Value as Json;
use std::{collections::BTreeMap, env, fmt, fs};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::{
    cloud::Pacing,
    declared::{Fields as _, is_zero},
};

/// The provider block, and what the environment adds. Its secrets never show.
#[derive(Clone, Default)]
pub struct Settings {
    pub(crate) project: Option<String>,
    region: Option<String>,
    pub(crate) zone: Option<String>,
    /// Labels that everything gets.
    pub(crate) default_labels: BTreeMap<String, String>,
    credentials: Option<Json>,
    access_token: Option<String>,
    impersonate: Option<String>,
    delegates: Vec<String>,
    scopes: Vec<String>,
    billing_project: Option<String>,
    endpoint: Option<String>,
    universe: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("project", &self.project)
            .field("region", &self.region)
            .field("zone", &self.zone)
            .finish_non_exhaustive()
    }
}

/// What of the block does nothing in weir, so that its being there is a mistake or a danger.
const UNSERVED: [&str; 3] = ["external_credentials", "request_reason", "request_timeout"];

/// What may be asked of the whole API.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The first of these variables that is set and not empty.
fn of_env(names: &[&str]) -> Option<String> {
    let mut values = names.iter().filter_map(|n| env::var(n).ok());
    values.find(|v| !v.is_empty())
}

impl Settings {
    /// The block's settings.
    ///
    /// # Errors
    /// What can't be served.
    pub(crate) fn read(block: &Value) -> Result<Settings, Diagnostics> {
        let mut problems = Diagnostics::new();
        for name in UNSERVED {
            if block.get(name).is_some_and(|v| !is_zero(v)) {
                problems.push(
                    Diagnostic::error(format!("provider \"google\": `{name}` can't be set yet"))
                        .because("weir's provider for Google does not serve it.")
                        .help("Remove it; docs/google.md says what the block can have."),
                );
            }
        }
        let text = |name: &str, names: &[&str]| block.text(name).or_else(|| of_env(names));
        let key = text(
            "credentials",
            &[
                "GOOGLE_CREDENTIALS",
                "GOOGLE_CLOUD_KEYFILE_JSON",
                "GCLOUD_KEYFILE_JSON",
            ],
        );
        let credentials = match key.as_deref().map(key_of) {
            Some(Ok(json)) => Some(json),
            Some(Err(why)) => {
                problems.push(
                    Diagnostic::error("provider \"google\": `credentials` can't be read")
                        .because(why)
                        .help("Give a key's JSON or the path of a file that has it."),
                );
                None
            }
            None => None,
        };
        if problems.has_errors() {
            return Err(problems);
        }
        let of_key = |name: &str| {
            let text = credentials.as_ref()?.get(name)?.as_str()?;
            Some(text.to_owned())
        };
        let project = [
            "GOOGLE_PROJECT",
            "GOOGLE_CLOUD_PROJECT",
            "GCLOUD_PROJECT",
            "CLOUDSDK_CORE_PROJECT",
        ];
        let region = ["GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"];
        let zone = ["GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"];
        let mut default_labels = block.labels("default_labels");
        if block.is_on("add_terraform_attribution_label") {
            default_labels.insert("goog-terraform-provisioned".into(), "true".into());
        }
        Ok(Settings {
            project: text("project", &project).or_else(|| of_key("project_id")),
            region: text("region", &region),
            zone: text("zone", &zone),
            default_labels,
            // What the block says is before what the environment says.
            access_token: match block.text("credentials") {
                Some(_) => block.text("access_token"),
                None => text("access_token", &["GOOGLE_OAUTH_ACCESS_TOKEN"]),
            },
            credentials,
            impersonate: text(
                "impersonate_service_account",
                &["GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"],
            ),
            delegates: block
                .texts("impersonate_service_account_delegates")
                .unwrap_or_default(),
            scopes: block
                .texts("scopes")
                .unwrap_or_else(|| vec![SCOPE.to_owned()]),
            billing_project: (block.is_on("user_project_override"))
                .then(|| text("billing_project", &["GOOGLE_BILLING_PROJECT"]))
                .flatten(),
            endpoint: text(
                "compute_custom_endpoint",
                &["GOOGLE_COMPUTE_CUSTOM_ENDPOINT"],
            ),
            universe: text("universe_domain", &["GOOGLE_UNIVERSE_DOMAIN"]),
        })
    }

    /// The region; that of the zone where only a zone is said.
    pub(crate) fn region(&self) -> Option<String> {
        let of_zone = || {
            self.zone
                .as_deref()?
                .rsplit_once('-')
                .map(|(r, _)| r.to_owned())
        };
        self.region.clone().or_else(of_zone)
    }

    /// The clients.
    ///
    /// # Errors
    /// There are no credentials, or they can't be used.
    pub(crate) async fn connect(&self, pacing: Pacing) -> Result<Google, Diagnostics> {
        let credentials = self.credentials().map_err(|why| {
            Diagnostic::error("provider \"google\": there are no credentials to use")
                .because(why)
                .help("Sign in with `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or set `credentials` or `access_token` in the provider block.")
        })?;
        let clients = self.clients(credentials).await.map_err(|e| {
            Diagnostic::error("provider \"google\": the API's clients can't be made")
                .because(format!("{e}."))
                .help("Check `compute_custom_endpoint` and `universe_domain`.")
        })?;
        Ok(Google::new(clients, self.clone(), pacing))
    }

    fn credentials(&self) -> Result<Credentials, String> {
        let source = self.source()?;
        let Some(account) = &self.impersonate else {
            return Ok(source);
        };
        let mut builder = impersonated::Builder::from_source_credentials(source)
            .with_target_principal(account)
            .with_scopes(self.scopes.clone());
        if !self.delegates.is_empty() {
            builder = builder.with_delegates(self.delegates.clone());
        }
        builder.build().map_err(|e| e.to_string())
    }

    /// Who calls, before it acts as another.
    fn source(&self) -> Result<Credentials, String> {
        if let Some(token) = &self.access_token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value.map_err(|_| "`access_token` has characters that no token has")?;
            value.set_sensitive(true);
            return Ok(Credentials::from(Bearer(value)));
        }
        let scopes = self.scopes.clone();
        let Some(key) = self.credentials.clone() else {
            let mut builder = credentials::Builder::default().with_scopes(scopes);
            if let Some(project) = &self.billing_project {
                builder = builder.with_quota_project_id(project);
            }
            return builder.build().map_err(|e| e.to_string());
        };
        let built = match key["type"].as_str() {
            Some("service_account") => {
                let scopes = service_account::AccessSpecifier::from_scopes(scopes);
                service_account::Builder::new(key)
                    .with_access_specifier(scopes)
                    .build()
            }
            Some("authorized_user") => user_account::Builder::new(key).with_scopes(scopes).build(),
            Some("external_account") => external_account::Builder::new(key)
                .with_scopes(scopes)
                .build(),
            Some("impersonated_service_account") => {
                impersonated::Builder::new(key).with_scopes(scopes).build()
            }
            Some(other) => return Err(format!("A key of the type {other:?} can't be used.")),
            None => return Err("The key does not say its `type`.".into()),
        };
        built.map_err(|e| e.to_string())
    }

    async fn clients(&self, credentials: Credentials) -> Result<Clients, BuildError> {
        // Terraform's endpoint has the API's path behind it; the SDK's has not.
        let endpoint = self.endpoint.as_deref().map(|e| {
            let e = e.trim_end_matches('/');
            e.strip_suffix("/compute/v1").unwrap_or(e).to_owned()
        });
        macro_rules! client {
            ($name:ident) => {{
                let mut builder = sdk::$name::builder()
                    .with_credentials(credentials.clone())
                    .with_retry_policy(NeverRetry);
                if let Some(endpoint) = &endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                if let Some(universe) = &self.universe {
                    builder = builder.with_universe_domain(universe);
                }
                builder.build().await?
            }};
        }
        Ok(Clients {
            addresses: client!(Addresses),
            disks: client!(Disks),
            firewalls: client!(Firewalls),
            global_operations: client!(GlobalOperations),
            images: client!(Images),
            instance_templates: client!(InstanceTemplates),
            instances: client!(Instances),
            machine_types: client!(MachineTypes),
            networks: client!(Networks),
            region_operations: client!(RegionOperations),
            routers: client!(Routers),
            subnetworks: client!(Subnetworks),
            zone_operations: client!(ZoneOperations),
            zones: client!(Zones),
        })
    }
}

/// A key: its JSON, or the path of a file that has it.
fn key_of(text: &str) -> Result<Json, String> {
    let text = match text.trim_start().starts_with('{') {
        true => text.to_owned(),
        false => {
            let home = || env::var("HOME").unwrap_or_default();
            let path = match text.strip_prefix("~/") {
                Some(rest) => format!("{}/{rest}", home()),
                None => text.to_owned(),
            };
            fs::read_to_string(&path).map_err(|e| format!("{path}: {e}."))?
        }
    };
    // What is in it is secret: the message says where, never what.
    serde_json::from_str(&text).map_err(|e| format!("Line {} of it is no JSON.", e.line()))
}

/// A token that someone else has made. It is never renewed.
struct Bearer(HeaderValue);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}

impl CredentialsProvider for Bearer {
    async fn headers(
        &self,
        _extensions: Extensions,
    ) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        Ok(CacheableResource::New {
            entity_tag: EntityTag::default(),
            data: HeaderMap::from_iter([(AUTHORIZATION, self.0.clone())]),
        })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}
