//! Where the bucket is and who asks, as the SDKs of AWS and Terraform's `backend "s3"` take it:
//! what is not written comes from the environment and from the shared configuration file.

use crate::{SettingsError, Workspace};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};
use url::{Host, Url};

/// What is written of a bucket; what is `None` or empty is not.
#[derive(Clone, Default)]
pub struct S3Options {
    /// The bucket's name.
    pub bucket: String,
    /// The object of workspace `default` is at this key with `.weir` behind it.
    pub key: String,
    /// The region; of the environment or the shared configuration where it is not said.
    pub region: Option<String>,
    /// The address of a server that is not AWS's.
    pub endpoint: Option<String>,
    /// Whether the bucket is in the path of addresses rather than in the host's name.
    pub path_style: Option<bool>,
    /// With the secret key: who asks.
    pub access_key: Option<String>,
    /// With the access key: who asks.
    pub secret_key: Option<String>,
    /// Of temporary keys.
    pub token: Option<String>,
    /// Of the shared configuration and credentials.
    pub profile: Option<String>,
    /// The shared configuration file.
    pub config_file: Option<String>,
    /// The shared credentials file.
    pub credentials_file: Option<String>,
    /// Where workspaces are; `env:` where it is not said.
    pub workspace_prefix: Option<String>,
    /// The server encrypts, with a key of its own.
    pub encrypt: bool,
    /// The server encrypts, with this key of KMS.
    pub kms_key: Option<String>,
    /// A canned access control list.
    pub acl: Option<String>,
    /// The certificates that are trusted.
    pub ca_bundle: Option<PathBuf>,
    /// The machine's metadata is not asked who we are.
    pub skip_metadata: bool,
    /// A role that is taken on.
    pub role: Option<S3Role>,
}

/// A role that is taken on.
#[derive(Debug, Clone, Default)]
pub struct S3Role {
    /// Its name.
    pub arn: String,
    /// What the session is called.
    pub session_name: Option<String>,
    /// What the role's owner wants to hear.
    pub external_id: Option<String>,
}

/// Where a bucket is and who asks. Printing it shows no key.
#[derive(Clone)]
pub struct S3Settings {
    pub(super) options: S3Options,
    pub(super) region: String,
    /// Of the bucket, with a `/` at its end.
    base: Url,
    /// What was read of the environment, for who looks for credentials.
    pub(super) variables: BTreeMap<String, String>,
}

/// What is added to the key: a stack that is Terraform's as well has both states.
pub(super) const SUFFIX: &str = ".weir";

/// Variables that say who asks, or where.
const VARIABLES: [&str; 34] = [
    "HOME",
    "PATH",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ENDPOINT_URL_S3",
    "AWS_S3_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_STS_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_CA_BUNDLE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_EXTERNAL_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_SSO_START_URL",
    "AWS_SSO_REGION",
    "AWS_SSO_ACCOUNT_ID",
    "AWS_SSO_ROLE_NAME",
    "AWS_CREDENTIAL_PROCESS",
    "AWS_S3_USE_PATH_STYLE",
];

impl S3Settings {
    /// Completes what is written from `variable`, which gives the environment's variables
    /// (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL_S3`, `HOME`, ...), and from the profile.
    ///
    /// # Errors
    /// [`SettingsError`], which repeats no key.
    pub fn new(
        mut options: S3Options,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<S3Settings, SettingsError> {
        let read = |name: &&str| {
            Some((
                (*name).to_owned(),
                variable(name).filter(|v| !v.is_empty())?,
            ))
        };
        let variables: BTreeMap<String, String> = VARIABLES.iter().filter_map(read).collect();
        let of = |names: &[&str]| names.iter().find_map(|name| variables.get(*name).cloned());
        let wrong = |text: &str| Err(SettingsError::new(text));
        if options.bucket.is_empty() {
            return wrong("no bucket is named");
        }
        let key = options.key.as_str();
        if key.is_empty() || key.starts_with('/') || key.ends_with('/') || key.contains("//") {
            return wrong("the key must name an object, such as \"shop/prod\"");
        }
        if options.access_key.is_some() != options.secret_key.is_some() {
            return wrong(
                "of access_key and secret_key there is only one: both are needed, or none",
            );
        }
        options.config_file = options.config_file.or_else(|| of(&["AWS_CONFIG_FILE"]));
        options.ca_bundle = options
            .ca_bundle
            .or_else(|| of(&["AWS_CA_BUNDLE"]).map(PathBuf::from));
        let profile = options.profile.clone();
        let profile = profile.or_else(|| of(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]));
        let endpoint = options.endpoint.take();
        let endpoint = endpoint
            .or_else(|| of(&["AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL"]));
        let region = options.region.clone();
        let region = region
            .or_else(|| of(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .or_else(|| region_of(&options, profile.as_deref(), variables.get("HOME")));
        let region = match (region, &endpoint) {
            (Some(region), _) => region,
            // Servers of other makers have one, whatever it is called.
            (None, Some(_)) => "us-east-1".to_owned(),
            (None, None) => return wrong("no region is named"),
        };
        if !region
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        {
            return wrong("the region's name is none");
        }
        options.endpoint = endpoint;
        let base = base(&options, &region)?;
        Ok(S3Settings {
            options,
            region,
            base,
            variables,
        })
    }

    /// Reads an address as `s3://BUCKET/KEY?region=...&endpoint=...&profile=...&path_style=true`.
    ///
    /// # Errors
    /// As [`S3Settings::new`].
    pub fn from_address(
        address: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<S3Settings, SettingsError> {
        let url = Url::parse(address).map_err(|e| SettingsError::new(e.to_string()))?;
        let key = url.path().trim_start_matches('/');
        let key = percent(key).ok_or_else(|| SettingsError::new("the key is not text"))?;
        let mut options = S3Options {
            bucket: url.host_str().unwrap_or_default().to_owned(),
            key,
            ..S3Options::default()
        };
        for (name, value) in url.query_pairs() {
            let value = value.into_owned();
            match &*name {
                "region" => options.region = Some(value),
                "endpoint" => options.endpoint = Some(value),
                "profile" => options.profile = Some(value),
                "workspace_key_prefix" => options.workspace_prefix = Some(value),
                "path_style" => options.path_style = Some(value == "true"),
                other => {
                    let text = format!("{other:?} is nothing that an address of S3 has");
                    return Err(SettingsError::new(text));
                }
            }
        }
        S3Settings::new(options, variable)
    }

    /// What comes before the name of a workspace.
    pub(super) fn prefix(&self) -> &str {
        self.options.workspace_prefix.as_deref().unwrap_or("env:")
    }

    /// The key of a workspace's object: beside Terraform's, which would be at the key itself.
    pub(super) fn key(&self, workspace: &Workspace) -> String {
        format!("{}{SUFFIX}", self.terraforms_key(workspace))
    }

    /// The key at which Terraform keeps a workspace's state.
    pub(super) fn terraforms_key(&self, workspace: &Workspace) -> String {
        match workspace.is_default() {
            true => self.options.key.clone(),
            false => format!("{}/{workspace}/{}", self.prefix(), self.options.key),
        }
    }

    /// The address of an object; of the bucket where the key is empty.
    pub(super) fn address(&self, key: &str) -> String {
        let mut address = self.base.to_string();
        for byte in key.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    address.push(char::from(byte));
                }
                other => address.push_str(&format!("%{other:02X}")),
            }
        }
        address
    }

    /// What a state in this bucket is called in messages.
    pub(super) fn place(&self, workspace: &Workspace) -> PathBuf {
        let at = match &self.options.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => self.region.clone(),
        };
        PathBuf::from(format!(
            "s3://{}/{} ({at})",
            self.options.bucket,
            self.key(workspace)
        ))
    }
}

impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("base", &self.base.as_str())
            .field("key", &self.options.key)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// The address of the bucket.
fn base(options: &S3Options, region: &str) -> Result<Url, SettingsError> {
    let wrong = |text: String| SettingsError::new(text);
    let bucket = &options.bucket;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !bucket.chars().all(is_name) {
        return Err(wrong(format!("{bucket:?} can't name a bucket")));
    }
    let own = match region.starts_with("cn-") {
        true => format!("https://s3.{region}.amazonaws.com.cn"),
        false => format!("https://s3.{region}.amazonaws.com"),
    };
    let text = match &options.endpoint {
        None => own,
        Some(text) if text.contains("://") => text.clone(),
        Some(text) => format!("https://{text}"),
    };
    let mut url = Url::parse(&text).map_err(|e| wrong(format!("endpoint {text:?}: {e}")))?;
    let is_http = ["http", "https"].contains(&url.scheme());
    if !is_http || url.host().is_none() || url.query().is_some() {
        return Err(wrong(format!(
            "endpoint {text:?} is no address of a server"
        )));
    }
    // A certificate for *.s3.amazonaws.com is none for a name with more dots.
    let is_aws = url.host_str().is_some_and(|h| h.contains(".amazonaws.com"));
    let in_path = options
        .path_style
        .unwrap_or(!is_aws || bucket.contains('.'));
    let path = url.path().trim_end_matches('/').to_owned();
    match url.host() {
        Some(Host::Domain(host)) if !in_path => {
            let host = format!("{bucket}.{host}");
            let named = url.set_host(Some(&host));
            named.map_err(|e| wrong(format!("endpoint {text:?}: {e}")))?;
            url.set_path(&format!("{path}/"));
        }
        _ => url.set_path(&format!("{path}/{bucket}/")),
    }
    Ok(url)
}

/// The region of a profile in the shared configuration.
fn region_of(options: &S3Options, profile: Option<&str>, home: Option<&String>) -> Option<String> {
    let usual = || Some(Path::new(home?).join(".aws/config"));
    let path = options
        .config_file
        .as_ref()
        .map(PathBuf::from)
        .or_else(usual)?;
    let text = std::fs::read_to_string(path).ok()?;
    let profile = profile.unwrap_or("default");
    let mut is_here = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            let name = name.trim();
            is_here = name == profile && profile == "default"
                || name.strip_prefix("profile ").map(str::trim) == Some(profile);
        } else if let (true, Some((key, value))) = (is_here, line.split_once('='))
            && key.trim() == "region"
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

/// Text with `%41` for `A`.
fn percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let decoded = (byte == b'%')
            .then(|| std::str::from_utf8(after.get(..2)?).ok())
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if decoded.is_some() {
            rest = &after[2..];
        }
        bytes.push(decoded.unwrap_or(byte));
    }
    String::from_utf8(bytes).ok()
}
