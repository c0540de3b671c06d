//! A bucket as a stack names it: `state "s3"`, and Terraform's `backend "s3"` with its arguments.

use super::place::{flag, refuse_others, text, text_of, written, wrong};
use crate::env::Env;
use weir_core::{Diagnostic, Value};
use weir_lang::StateSettings;
use weir_state::{S3Options, S3Role, S3Settings, SettingsError};

/// Its settings.
const KNOWN: [&str; 28] = [
    "bucket",
    "key",
    "region",
    "endpoint",
    "endpoints",
    "use_path_style",
    "force_path_style",
    "access_key",
    "secret_key",
    "token",
    "profile",
    "shared_config_files",
    "shared_credentials_file",
    "shared_credentials_files",
    "workspace_key_prefix",
    "encrypt",
    "kms_key_id",
    "acl",
    "custom_ca_bundle",
    "assume_role",
    "skip_metadata_api_check",
    "skip_credentials_validation",
    "skip_region_validation",
    "skip_requesting_account_id",
    "skip_s3_checksum",
    "use_lockfile",
    "dynamodb_table",
    "dynamodb_endpoint",
];
/// How often is asked again, which a lease's life says here.
const ALSO: [&str; 2] = ["max_retries", "retry_mode"];

/// The bucket that the settings name; `None` while one of them is not known.
pub(super) fn read(state: &StateSettings, env: &Env) -> Result<Option<S3Settings>, Diagnostic> {
    let known: Vec<&str> = KNOWN.iter().chain(&ALSO).copied().collect();
    refuse_others(state, &known)?;
    let is_open = |name: &&str| {
        state
            .settings
            .get(name)
            .is_some_and(|v| !v.is_wholly_known())
    };
    if KNOWN.iter().any(is_open) {
        return Ok(None);
    }
    let text = |name: &str| text(state, name);
    let on = |name: &str| flag(state, name, None);
    let path_style = ["use_path_style", "force_path_style"];
    let is_said = |name: &str| written(state, name).is_some();
    let options = S3Options {
        bucket: text("bucket")?.unwrap_or_default(),
        key: text("key")?.unwrap_or_default(),
        region: text("region")?,
        endpoint: match within(state, "endpoints", &["s3", "dynamodb", "iam", "sso", "sts"])? {
            Some(endpoints) => member(state, endpoints, "s3")?,
            None => text("endpoint")?,
        },
        path_style: match path_style.into_iter().find(|name| is_said(name)) {
            Some(name) => Some(on(name)?),
            None => None,
        },
        access_key: text("access_key")?,
        secret_key: text("secret_key")?,
        token: text("token")?,
        profile: text("profile")?,
        config_file: only(state, "shared_config_files")?,
        credentials_file: match only(state, "shared_credentials_files")? {
            Some(file) => Some(file),
            None => text("shared_credentials_file")?,
        },
        workspace_prefix: text("workspace_key_prefix")?,
        encrypt: on("encrypt")?,
        kms_key: text("kms_key_id")?,
        acl: text("acl")?,
        ca_bundle: text("custom_ca_bundle")?.map(Into::into),
        skip_metadata: on("skip_metadata_api_check")?,
        role: role(state)?,
    };
    let unusable = |e: SettingsError| {
        let mut d = wrong(state, format!("The state's bucket can't be used: {e}"));
        d.help = Some(
            "Write `bucket`, `key` and `region` (or set AWS_REGION, or name a profile that has one)."
                .into(),
        );
        d
    };
    S3Settings::new(options, &|name| env.variable(name))
        .map(Some)
        .map_err(unusable)
}

fn role(state: &StateSettings) -> Result<Option<S3Role>, Diagnostic> {
    let names = ["role_arn", "session_name", "external_id"];
    let Some(role) = within(state, "assume_role", &names)? else {
        return Ok(None);
    };
    let Some(arn) = member(state, role, "role_arn")? else {
        let summary = "The assume_role of the state has no role_arn".to_owned();
        return Err(wrong(state, summary));
    };
    Ok(Some(S3Role {
        arn,
        session_name: member(state, role, "session_name")?,
        external_id: member(state, role, "external_id")?,
    }))
}

/// A setting that is an object, with no other members than these.
fn within<'s>(
    state: &'s StateSettings,
    name: &str,
    known: &[&str],
) -> Result<Option<&'s Value>, Diagnostic> {
    let Some(value) = written(state, name) else {
        return Ok(None);
    };
    let Some(entries) = value.as_entries() else {
        let summary = format!("The {name} of the state must be an object");
        return Err(wrong(state, summary));
    };
    let null = |name: &str| value.get(name).is_some_and(Value::is_null);
    match entries
        .keys()
        .find(|key| !known.contains(&&***key) && !null(key))
    {
        None => Ok(Some(value)),
        Some(other) => {
            let mut d = wrong(state, format!("The {name} of the state has no `{other}`"));
            d.help = Some(format!("It has: {}.", known.join(", ")));
            Err(d)
        }
    }
}

fn member(state: &StateSettings, of: &Value, name: &str) -> Result<Option<String>, Diagnostic> {
    let value = of.get(name).filter(|v| !v.is_null());
    value.map(|v| text_of(state, v, name)).transpose()
}

/// The one text of a list.
fn only(state: &StateSettings, name: &str) -> Result<Option<String>, Diagnostic> {
    let Some(value) = written(state, name) else {
        return Ok(None);
    };
    let items = value.elements();
    match items.as_deref() {
        Some([]) => Ok(None),
        Some([item]) if item.as_str().is_some() => Ok(item.as_str().map(str::to_owned)),
        _ => Err(wrong(
            state,
            format!("The {name} of the state must be one file"),
        )),
    }
}
