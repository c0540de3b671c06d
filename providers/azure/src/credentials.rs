//! Who calls, and where the cloud is.
//!
//! In this order: a client certificate, a client secret, a token of another issuer (OIDC), a
//! managed identity, the Azure CLI. What there is of the first of them is used, and no other tried:
//! who set a secret does not want to be someone else when it has expired.

mod assertion;

use crate::settings::{Certificate, Environment, Oidc, Settings};
use assertion::{CertificateAssertion, FederatedAssertion};
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{Secret, TokenCredential},
    http::{ClientOptions, HttpClient, Method, Request, Transport as Pipe, Url},
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use serde_json::Value as Json;
use std::{sync::Arc, time::Duration};
use weir_core::{Diagnostic, Diagnostics};

/// Where a cloud is.
#[derive(Debug, Clone)]
pub(crate) struct CloudPlace {
    /// Resource Manager, without a slash at its end.
    pub(crate) manager: String,
    /// Where tokens come from, without a slash at its end.
    authority: String,
    /// What tokens are for.
    audience: String,
    /// The authority's host and port, where it has no TLS.
    pub(crate) plain: Option<(String, u16)>,
}

impl CloudPlace {
    fn of(manager: &str, authority: &str, audience: &str) -> CloudPlace {
        let url = Url::parse(authority).ok().filter(|u| u.scheme() == "http");
        let plain = url.and_then(|u| Some((u.host_str()?.to_owned(), u.port_or_known_default()?)));
        CloudPlace {
            manager: manager.trim_end_matches('/').to_owned(),
            authority: authority.trim_end_matches('/').to_owned(),
            audience: audience.trim_end_matches('/').to_owned(),
            plain,
        }
    }

    /// What a token is asked for.
    pub(crate) fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// The authority as `azure_identity` takes it: with TLS; [`crate::transport`] knows better.
    fn authority_host(&self) -> String {
        match (&self.plain, self.authority.strip_prefix("http://")) {
            (Some((host, port)), Some(_)) => format!("https://{host}:{port}"),
            _ => self.authority.clone(),
        }
    }
}

fn problem(what: &str, why: impl std::fmt::Display, help: &str) -> Diagnostics {
    Diagnostic::error(format!("provider \"azurerm\": {what}"))
        .because(why.to_string())
        .help(help.to_owned())
        .into()
}

/// Where the cloud is that the settings name.
///
/// # Errors
/// That its metadata can't be had.
pub(crate) async fn cloud(settings: &Settings) -> Result<CloudPlace, Diagnostics> {
    if let Some(host) = &settings.metadata_host {
        return told_by(host, settings.environment).await;
    }
    let (manager, authority) = match settings.environment {
        Environment::Public => (
            "https://management.azure.com",
            "https://login.microsoftonline.com",
        ),
        Environment::UsGovernment => (
            "https://management.usgovcloudapi.net",
            "https://login.microsoftonline.us",
        ),
        Environment::China => (
            "https://management.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
        ),
    };
    Ok(CloudPlace::of(manager, authority, manager))
}

/// The cloud that a host's metadata tell of.
async fn told_by(host: &str, environment: Environment) -> Result<CloudPlace, Diagnostics> {
    let base = match host.contains("://") {
        true => host.trim_end_matches('/').to_owned(),
        false => format!("https://{host}"),
    };
    let address = format!("{base}/metadata/endpoints?api-version=2022-09-01");
    let what = "the metadata of the cloud can't be had";
    let help = "Check `metadata_host` (or ARM_METADATA_HOSTNAME) and the way to it.";
    let url = Url::parse(&address).map_err(|e| problem(what, format!("{address}: {e}"), help))?;
    let fail = |e: azure_core::Error| problem(what, format!("{address}: {e}"), help);
    let http = azure_core::http::new_http_client(None);
    let request = Request::new(url, Method::Get);
    let answer = http.execute_request(&request).await.map_err(fail)?;
    let text = answer.into_body().collect().await.map_err(fail)?;
    let all: Json = serde_json::from_slice(&text)
        .map_err(|e| problem(what, format!("{address}: {e}"), help))?;
    let name = match environment {
        Environment::Public => "AzureCloud",
        Environment::UsGovernment => "AzureUSGovernment",
        Environment::China => "AzureChinaCloud",
    };
    let clouds = all.as_array().cloned().unwrap_or_else(|| vec![all]);
    let named = clouds.iter().find(|c| c["name"] == name);
    let cloud = named.or(clouds.first()).unwrap_or(&Json::Null);
    let manager = cloud["resourceManager"].as_str();
    let authority = cloud["authentication"]["loginEndpoint"].as_str();
    let (Some(manager), Some(authority)) = (manager, authority) else {
        let why = format!("{address} names no Resource Manager and no place to sign in.");
        return Err(problem(what, why, help));
    };
    let audience = cloud["authentication"]["audiences"][0]
        .as_str()
        .unwrap_or(manager);
    Ok(CloudPlace::of(manager, authority, audience))
}

/// Where a machine's identity is asked for, where that is said.
///
/// # Errors
/// That it is no address.
pub(crate) fn identity(settings: &Settings) -> Result<Option<Url>, Diagnostics> {
    let Some(text) = &settings.msi_endpoint else {
        return Ok(None);
    };
    let url = Url::parse(text).map_err(|e| {
        let help =
            "Write it whole, as in \"http://169.254.169.254/metadata/identity/oauth2/token\".";
        problem("`msi_endpoint` is no address", format!("{text}: {e}"), help)
    })?;
    Ok(Some(url))
}

/// Who calls.
///
/// # Errors
/// What is wrong with what is set for it.
pub(crate) fn find(
    settings: &Settings,
    cloud: &CloudPlace,
    http: &Arc<dyn HttpClient>,
) -> Result<Arc<dyn TokenCredential>, Diagnostics> {
    let mut custom = CustomConfiguration::default();
    custom.authority_host = cloud.authority_host();
    let mut options = ClientOptions {
        transport: Some(Pipe::new(Arc::clone(http))),
        ..ClientOptions::default()
    };
    options.cloud = Some(Arc::new(CloudConfiguration::Custom(custom)));
    let help = "docs/azure.md lists the ways to sign in and what each needs.";
    let fail = |e: azure_core::Error| problem("the credentials can't be used", e, help);
    let (tenant, client) = (
        settings.tenant.clone().unwrap_or_default(),
        settings.client_id.clone().unwrap_or_default(),
    );
    let asserted = || ClientAssertionCredentialOptions {
        client_options: options.clone(),
    };
    if let Some(certificate) = &settings.certificate {
        let password = settings.certificate_password.as_deref().unwrap_or_default();
        let audience = format!("{}/{tenant}/oauth2/v2.0/token", cloud.authority);
        let assertion = certificate_assertion(certificate, password, (&client, audience))?;
        let found = ClientAssertionCredential::new(tenant, client, assertion, Some(asserted()));
        return Ok(found.map_err(fail)?);
    }
    if let Some(secret) = &settings.secret {
        let secret = Secret::new(secret.clone());
        let options = ClientSecretCredentialOptions {
            client_options: options,
        };
        return Ok(
            ClientSecretCredential::new(&tenant, client, secret, Some(options)).map_err(fail)?,
        );
    }
    if let Some(oidc) = &settings.oidc {
        let assertion = federated_assertion(oidc, http);
        let found = ClientAssertionCredential::new(tenant, client, assertion, Some(asserted()));
        return Ok(found.map_err(fail)?);
    }
    if settings.use_msi {
        let id = settings.client_id.clone().map(UserAssignedId::ClientId);
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: id,
            client_options: options,
        };
        return Ok(ManagedIdentityCredential::new(Some(options)).map_err(fail)?);
    }
    if settings.use_cli {
        let options = AzureCliCredentialOptions {
            subscription: settings.subscription.clone(),
            tenant_id: settings.tenant.clone(),
            ..AzureCliCredentialOptions::default()
        };
        return Ok(AzureCliCredential::new(Some(options)).map_err(fail)?);
    }
    Err(problem(
        "there are no credentials",
        "Neither a certificate, a secret, OIDC nor a managed identity is set, and `use_cli` is false.",
        help,
    ))
}

fn certificate_assertion(
    certificate: &Certificate,
    password: &str,
    (client, audience): (&str, String),
) -> Result<CertificateAssertion, Diagnostics> {
    use base64::Engine as _;
    let what = "the client certificate can't be used";
    let help = "It is a PFX (PKCS#12) or a PEM with certificate and RSA key; `client_certificate_password` opens the former.";
    let bytes = match certificate {
        Certificate::Inline(text) => base64::engine::general_purpose::STANDARD
            .decode(text.trim())
            .map_err(|e| {
                problem(
                    what,
                    format!("`client_certificate` is no base64: {e}"),
                    help,
                )
            })?,
        Certificate::File(path) => {
            std::fs::read(path).map_err(|e| problem(what, format!("{path}: {e}"), help))?
        }
    };
    CertificateAssertion::new(&bytes, password, client, audience)
        .map_err(|why| problem(what, why, help))
}

fn federated_assertion(oidc: &Oidc, http: &Arc<dyn HttpClient>) -> FederatedAssertion {
    FederatedAssertion::new(oidc.clone(), Arc::clone(http))
}

/// The subscription that the Azure CLI works with.
pub(crate) async fn subscription(settings: &Settings) -> Option<String> {
    if !settings.use_cli || settings.use_msi || settings.has_client_proof() {
        return None;
    }
    let ask = tokio::process::Command::new("az")
        .args(["account", "show", "--query", "id", "--output", "tsv"])
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), ask)
        .await
        .ok()?
        .ok()?;
    let id = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !id.is_empty()).then_some(id)
}
