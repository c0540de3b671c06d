//! What a client proves itself with instead of a secret.

use crate::settings::Oidc;
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{ClientMethodOptions, HttpClient, Method, Request, Url},
};
use azure_identity::ClientAssertion;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::DecodePrivateKey as _};
use serde_json::{Value as Json, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// How long an assertion holds, in seconds.
const LIFETIME: u64 = 600;

/// A token that a certificate's key signs.
pub(super) struct CertificateAssertion {
    key: RsaPrivateKey,
    thumbprint: String,
    client: String,
    audience: String,
}

impl fmt::Debug for CertificateAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAssertion")
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

impl CertificateAssertion {
    /// Of the bytes of a PFX or a PEM.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn new(
        bytes: &[u8],
        password: &str,
        client: &str,
        audience: String,
    ) -> Result<CertificateAssertion, String> {
        let (key, certificate) = match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN") => of_pem(text)?,
            _ => of_pfx(bytes, password)?,
        };
        let key = RsaPrivateKey::from_pkcs8_der(&key)
            .map_err(|e| format!("its key is no RSA key in PKCS#8: {e}"))?;
        Ok(CertificateAssertion {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha1::digest(&certificate)),
            client: client.to_owned(),
            audience,
        })
    }

    /// The token, from a time in seconds since 1970 on.
    fn signed(&self, now: u64) -> Result<String, String> {
        let part = |v: &Json| URL_SAFE_NO_PAD.encode(v.to_string());
        let head = json!({ "alg": "RS256", "typ": "JWT", "x5t": self.thumbprint });
        let claims = json!({
            "aud": self.audience, "iss": self.client, "sub": self.client,
            "jti": uuid::Uuid::new_v4().to_string(), "nbf": now, "exp": now + LIFETIME,
        });
        let text = format!("{}.{}", part(&head), part(&claims));
        let digest = Sha256::digest(text.as_bytes());
        let signature = self.key.sign(Pkcs1v15Sign::new::<Sha256>(), &digest);
        let signature = signature.map_err(|e| format!("signing: {e}"))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Key and certificate of a PEM.
fn of_pem(text: &str) -> Result<(Vec<u8>, Vec<u8>), String> {
    let block = |name: &str| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {name}-----"))?;
        let (body, _) = rest.split_once("-----END")?;
        let body: String = body.split_whitespace().collect();
        STANDARD.decode(body).ok()
    };
    let key = block("PRIVATE KEY").ok_or("it has no PRIVATE KEY (PKCS#8, without a password)")?;
    let certificate = block("CERTIFICATE").ok_or("it has no CERTIFICATE")?;
    Ok((key, certificate))
}

/// Key and certificate of a PFX.
fn of_pfx(bytes: &[u8], password: &str) -> Result<(Vec<u8>, Vec<u8>), String> {
    let store = p12_keystore::KeyStore::from_pkcs12(
        bytes,
        password,
        p12_keystore::Pkcs12ImportPolicy::Relaxed,
    )
    .map_err(|e| format!("it can't be opened: {e}"))?;
    let (_, chain) = store.private_key_chain().ok_or("it has no key")?;
    let certificate = chain.certs().first().ok_or("it has no certificate")?;
    Ok((chain.key().as_der().to_vec(), certificate.as_der().to_vec()))
}

fn wrong(why: String) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Credential, why)
}

#[async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |d| d.as_secs());
        self.signed(now).map_err(wrong)
    }
}

/// A token of another issuer.
pub(super) struct FederatedAssertion {
    oidc: Oidc,
    http: Arc<dyn HttpClient>,
}

impl fmt::Debug for FederatedAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FederatedAssertion")
    }
}

impl FederatedAssertion {
    pub(super) fn new(oidc: Oidc, http: Arc<dyn HttpClient>) -> FederatedAssertion {
        FederatedAssertion { oidc, http }
    }

    /// Asks for it, as GitHub's actions are asked.
    async fn asked(&self, url: &str, token: &str) -> azure_core::Result<String> {
        let mut url = Url::parse(url)?;
        if !url.query_pairs().any(|(k, _)| k == "audience") {
            url.query_pairs_mut()
                .append_pair("audience", "api://AzureADTokenExchange");
        }
        let mut request = Request::new(url, Method::Get);
        request.insert_header("authorization", format!("Bearer {token}"));
        request.insert_header("accept", "application/json");
        let answer = self.http.execute_request(&request).await?;
        let status = u16::from(answer.status());
        let text = answer.into_body().collect().await?;
        let told: Json = serde_json::from_slice(&text).unwrap_or(Json::Null);
        let value = told["value"].as_str().map(str::to_owned);
        value.ok_or_else(|| {
            wrong(format!(
                "the issuer of the OIDC token answered with status {status} and no token"
            ))
        })
    }
}

#[async_trait]
impl ClientAssertion for FederatedAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        match &self.oidc {
            Oidc::Token(token) => Ok(token.clone()),
            Oidc::File(path) => match tokio::fs::read_to_string(path).await {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(e) => Err(wrong(format!(
                    "the OIDC token in {path} can't be read: {e}"
                ))),
            },
            Oidc::Request(url, token) => self.asked(url, token).await,
        }
    }
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
