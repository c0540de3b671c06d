//! The provider block and the environment.

use std::fmt;
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::{Fields as _, is_zero};

/// What of `features` weir does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    /// A resource group that has resources is not deleted.
    pub(crate) keep_full_groups: bool,
    /// A machine's disk with its system goes with it.
    pub(crate) delete_os_disk: bool,
    /// A machine is shut down before it is deleted by Azure, or cut off.
    pub(crate) force_delete: bool,
}

/// The provider block. Its secrets never show.
#[derive(Clone)]
pub struct Settings {
    pub(crate) subscription: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) secret: Option<String>,
    /// A certificate with its key: the bytes of a PFX as base64, or a file's path, and its password.
    pub(crate) certificate: Option<Certificate>,
    pub(crate) certificate_password: Option<String>,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) use_msi: bool,
    /// Where a machine's identity is asked for, instead of at the address that all machines have.
    pub(crate) msi_endpoint: Option<String>,
    pub(crate) use_cli: bool,
    pub(crate) environment: Environment,
    pub(crate) metadata_host: Option<String>,
    pub(crate) features: Features,
}

/// Where a certificate is.
#[derive(Clone)]
pub(crate) enum Certificate {
    /// Here, as base64.
    Inline(String),
    /// In a file: PFX or PEM.
    File(String),
}

/// Where a token of another issuer comes from.
#[derive(Clone)]
pub(crate) enum Oidc {
    /// It is given.
    Token(String),
    /// It is in a file, which others may write again.
    File(String),
    /// It is asked for (as in GitHub's actions): an address and the token for it.
    Request(String, String),
}

/// Which cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// The one for all.
    Public,
    /// That of the US government.
    UsGovernment,
    /// That of China.
    China,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("subscription", &self.subscription)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// What of the block does nothing in weir, so that its being there is a mistake or a danger.
const UNSERVED: [&str; 2] = ["ado_pipeline_service_connection_id", "auxiliary_tenant_ids"];

/// Looks a variable of the environment up.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

struct Reader<'a> {
    block: &'a Value,
    env: Lookup<'a>,
    problems: Diagnostics,
}

impl Reader<'_> {
    /// The block's attribute, or the first variable that is set.
    fn text(&self, key: &str, names: &[&str]) -> Option<String> {
        let set = |name: &&str| (self.env)(name).filter(|v| !v.is_empty());
        self.block.text(key).or_else(|| names.iter().find_map(set))
    }

    /// The same of what may stand in a file.
    fn text_or_file(&mut self, key: &str, names: &[&str], file: (&str, &str)) -> Option<String> {
        if let Some(text) = self.text(key, names) {
            return Some(text);
        }
        let path = self.text(file.0, &[file.1])?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(e) => {
                self.problems.push(
                    Diagnostic::error(format!("provider \"azurerm\": `{}` can't be read", file.0))
                        .because(format!("{path}: {e}"))
                        .help("Check the path, and that this user may read the file."),
                );
                None
            }
        }
    }

    fn flag(&self, key: &str, name: &str, default: bool) -> bool {
        let said = (self.env)(name).map(|v| v.eq_ignore_ascii_case("true") || v == "1");
        self.block.flag(key).or(said).unwrap_or(default)
    }
}

impl Settings {
    /// The block's settings, and where it is silent the environment's.
    ///
    /// # Errors
    /// What can't be served, and what is missing.
    pub(crate) fn read(block: &Value, env: Lookup<'_>) -> Result<Settings, Diagnostics> {
        let mut r = Reader {
            block,
            env,
            problems: Diagnostics::new(),
        };
        for name in UNSERVED {
            if block.get(name).is_some_and(|v| !is_zero(v)) {
                r.problems.push(
                    Diagnostic::error(format!("provider \"azurerm\": `{name}` can't be set yet"))
                        .because("weir's provider for Azure does not serve it.")
                        .help("Remove it, and sign in another way; docs/azure.md lists them."),
                );
            }
        }
        let client_id = r.text_or_file(
            "client_id",
            &["ARM_CLIENT_ID", "AZURE_CLIENT_ID"],
            ("client_id_file_path", "ARM_CLIENT_ID_FILE_PATH"),
        );
        let secret = r.text_or_file(
            "client_secret",
            &["ARM_CLIENT_SECRET", "AZURE_CLIENT_SECRET"],
            ("client_secret_file_path", "ARM_CLIENT_SECRET_FILE_PATH"),
        );
        let certificate = match r.text("client_certificate", &["ARM_CLIENT_CERTIFICATE"]) {
            Some(inline) => Some(Certificate::Inline(inline)),
            None => r
                .text(
                    "client_certificate_path",
                    &[
                        "ARM_CLIENT_CERTIFICATE_PATH",
                        "AZURE_CLIENT_CERTIFICATE_PATH",
                    ],
                )
                .map(Certificate::File),
        };
        let settings = Settings {
            subscription: r.text(
                "subscription_id",
                &["ARM_SUBSCRIPTION_ID", "AZURE_SUBSCRIPTION_ID"],
            ),
            tenant: r.text("tenant_id", &["ARM_TENANT_ID", "AZURE_TENANT_ID"]),
            client_id,
            secret,
            certificate,
            certificate_password: r.text(
                "client_certificate_password",
                &[
                    "ARM_CLIENT_CERTIFICATE_PASSWORD",
                    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                ],
            ),
            oidc: oidc(&r),
            use_msi: r.flag("use_msi", "ARM_USE_MSI", false),
            msi_endpoint: r.text("msi_endpoint", &["ARM_MSI_ENDPOINT"]),
            use_cli: r.flag("use_cli", "ARM_USE_CLI", true),
            environment: environment(&mut r),
            metadata_host: r.text("metadata_host", &["ARM_METADATA_HOSTNAME"]),
            features: features(block),
        };
        settings.check(&mut r.problems);
        match r.problems.has_errors() {
            true => Err(r.problems),
            false => Ok(settings),
        }
    }

    /// Whether a client proves itself, and by what.
    pub(crate) fn has_client_proof(&self) -> bool {
        self.secret.is_some() || self.certificate.is_some() || self.oidc.is_some()
    }

    fn check(&self, problems: &mut Diagnostics) {
        if self.has_client_proof() && (self.tenant.is_none() || self.client_id.is_none()) {
            problems.push(
                Diagnostic::error("provider \"azurerm\": the credentials are not whole")
                    .because("A secret, a certificate or a federated token goes with `tenant_id` and `client_id`.")
                    .help("Set both (or ARM_TENANT_ID and ARM_CLIENT_ID), or none of them and sign in with `az login`."),
            );
        }
        let id = self.subscription.as_deref();
        if let Some(id) = id.filter(|id| uuid::Uuid::parse_str(id).is_err()) {
            problems.push(
                Diagnostic::error(format!(
                    "provider \"azurerm\": the subscription {id:?} is no id"
                ))
                .because("A subscription's id is a UUID: its name can't stand for it.")
                .help("`az account show --query id` says it."),
            );
        }
    }
}

fn oidc(r: &Reader<'_>) -> Option<Oidc> {
    let wanted = r.flag("use_oidc", "ARM_USE_OIDC", false)
        || r.flag(
            "use_aks_workload_identity",
            "ARM_USE_AKS_WORKLOAD_IDENTITY",
            false,
        );
    if !wanted {
        return None;
    }
    if let Some(token) = r.text("oidc_token", &["ARM_OIDC_TOKEN"]) {
        return Some(Oidc::Token(token));
    }
    let files = ["ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"];
    if let Some(path) = r.text("oidc_token_file_path", &files) {
        return Some(Oidc::File(path));
    }
    let url = r.text(
        "oidc_request_url",
        &["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL"],
    )?;
    let token = r.text(
        "oidc_request_token",
        &["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
    )?;
    Some(Oidc::Request(url, token))
}

fn environment(r: &mut Reader<'_>) -> Environment {
    let said = r
        .text("environment", &["ARM_ENVIRONMENT"])
        .unwrap_or_default();
    match said.to_lowercase().as_str() {
        "" | "public" | "azurepubliccloud" => Environment::Public,
        "usgovernment" | "azureusgovernment" | "usgovernmentl4" | "usgovernmentl5" => {
            Environment::UsGovernment
        }
        "china" | "azurechinacloud" => Environment::China,
        other => {
            r.problems.push(
                Diagnostic::error(format!(
                    "provider \"azurerm\": `environment` can't be {other:?}"
                ))
                .because("It is one of: public, usgovernment, china.")
                .help("Write one of them, or set `metadata_host` for another cloud."),
            );
            Environment::Public
        }
    }
}

fn features(block: &Value) -> Features {
    let features = block.row("features");
    let flag = |row: &str, key: &str, default: bool| {
        let row = features.and_then(|f| f.row(row));
        row.and_then(|r| r.flag(key)).unwrap_or(default)
    };
    Features {
        keep_full_groups: flag(
            "resource_group",
            "prevent_deletion_if_contains_resources",
            true,
        ),
        delete_os_disk: flag("virtual_machine", "delete_os_disk_on_deletion", true),
        force_delete: flag("virtual_machine", "skip_shutdown_and_force_delete", false),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
