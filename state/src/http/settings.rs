//! Where the object is, how it is locked, and who asks.

use crate::SettingsError;
use std::{fmt, path::PathBuf};

/// The address of a state, and how it is asked. Printing it shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where the object is read.
    pub(super) address: String,
    /// How it is written there.
    pub(super) update_method: String,
    /// How and where it is locked.
    pub(super) lock: (String, String),
    /// How and where it is unlocked.
    pub(super) unlock: (String, String),
    pub(super) login: Option<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) tls: HttpTls,
}

/// Whom to trust, and how to prove who one is. Texts of certificates and keys are PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct HttpTls {
    /// Any certificate will do.
    pub(super) skip_verification: bool,
    /// Only servers that these certificates vouch for; empty for the public ones.
    pub(super) authorities: String,
    /// One's own certificate.
    pub(super) certificate: String,
    /// The key of one's own certificate.
    pub(super) key: String,
}

/// What the settings are called, and the variables of the environment they may be given by.
const VARIABLES: [(&str, &str); 11] = [
    ("address", "TF_HTTP_ADDRESS"),
    ("update_method", "TF_HTTP_UPDATE_METHOD"),
    ("lock_address", "TF_HTTP_LOCK_ADDRESS"),
    ("lock_method", "TF_HTTP_LOCK_METHOD"),
    ("unlock_address", "TF_HTTP_UNLOCK_ADDRESS"),
    ("unlock_method", "TF_HTTP_UNLOCK_METHOD"),
    ("username", "TF_HTTP_USERNAME"),
    ("password", "TF_HTTP_PASSWORD"),
    (
        "client_ca_certificate_pem",
        "TF_HTTP_CLIENT_CA_CERTIFICATE_PEM",
    ),
    ("client_certificate_pem", "TF_HTTP_CLIENT_CERTIFICATE_PEM"),
    ("client_private_key_pem", "TF_HTTP_CLIENT_PRIVATE_KEY_PEM"),
];

impl HttpSettings {
    /// Names of the settings that are texts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        VARIABLES.iter().map(|(name, _)| *name)
    }

    /// Reads the settings of Terraform's `backend "http"`: `setting` gives what is written, and
    /// `variable` the environment's variables (`TF_HTTP_ADDRESS`, ...), which stand in for what is
    /// not.
    ///
    /// # Errors
    /// [`SettingsError`], which repeats no value that may be secret.
    pub fn new(
        setting: &dyn Fn(&str) -> Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<HttpSettings, SettingsError> {
        let get = |name: &str| {
            let from = VARIABLES.iter().find(|(known, _)| *known == name);
            let of_environment = || variable(from?.1);
            setting(name)
                .or_else(of_environment)
                .filter(|v| !v.is_empty())
        };
        let method = |name: &str, usual: &str| {
            let method = get(name).unwrap_or_else(|| usual.to_owned());
            match method.bytes().all(|b| b.is_ascii_alphabetic()) {
                true => Ok(method.to_ascii_uppercase()),
                false => Err(SettingsError::new(format!("{name} is no method of HTTP"))),
            }
        };
        let address = get("address").ok_or_else(|| SettingsError::new("it has no `address`"))?;
        let address = url("address", &address)?;
        let Some(lock) = get("lock_address") else {
            return Err(SettingsError::new(
                "it has no `lock_address`: without a lock two programs could write over each other",
            ));
        };
        let lock = url("lock_address", &lock)?;
        let unlock = match get("unlock_address") {
            Some(unlock) => url("unlock_address", &unlock)?,
            None => lock.clone(),
        };
        let login = match (get("username"), get("password")) {
            (None, None) => None,
            (user, password) => Some((user.unwrap_or_default(), password.unwrap_or_default())),
        };
        let tls = HttpTls {
            skip_verification: false,
            authorities: get("client_ca_certificate_pem").unwrap_or_default(),
            certificate: get("client_certificate_pem").unwrap_or_default(),
            key: get("client_private_key_pem").unwrap_or_default(),
        };
        if tls.certificate.is_empty() != tls.key.is_empty() {
            return Err(SettingsError::new(
                "`client_certificate_pem` and `client_private_key_pem` go together",
            ));
        }
        Ok(HttpSettings {
            address,
            update_method: method("update_method", "POST")?,
            lock: (method("lock_method", "LOCK")?, lock),
            unlock: (method("unlock_method", "UNLOCK")?, unlock),
            login,
            headers: Vec::new(),
            tls,
        })
    }

    /// With any certificate of the server taken for good.
    pub fn with_any_certificate(mut self, any: bool) -> HttpSettings {
        self.tls.skip_verification = any;
        self
    }

    /// With these headers in every request.
    pub fn with_headers(mut self, headers: Vec<(String, String)>) -> HttpSettings {
        self.headers = headers;
        self
    }

    /// What it is called in messages: the address without what may be secret in it.
    pub(super) fn place(&self) -> PathBuf {
        let plain = self.address.split(['?', '#']).next().unwrap_or_default();
        PathBuf::from(plain)
    }
}

/// An address of the web without a login in it.
fn url(name: &str, text: &str) -> Result<String, SettingsError> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let Some(rest) = rest else {
        return Err(SettingsError::new(format!(
            "`{name}` does not begin with http:// or https://"
        )));
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(SettingsError::new(format!("`{name}` is no address")));
    }
    if host.contains('@') {
        return Err(SettingsError::new(format!(
            "`{name}` has a login in it: give it as `username` and `password`, or in \
             TF_HTTP_USERNAME and TF_HTTP_PASSWORD"
        )));
    }
    Ok(text.to_owned())
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpSettings").field(&self.place()).finish()
    }
}

impl fmt::Debug for HttpTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTls")
    }
}
