//! Requests to a server of S3, each signed and sent once.

use super::{
    credentials,
    fault::{Said, lost},
    settings::S3Settings,
};
use crate::{
    StateError,
    remote::{Tag, Trouble},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use reqsign_aws_v4::Credential;
use reqsign_core::{ErrorKind, Signer};
use sha2::{Digest as _, Sha256};
use std::{
    cell::Cell,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use ureq::{
    Agent,
    config::AutoHeaderValue,
    tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
};

/// How long an answer may take, for a body of a mebibyte. Large ones have more.
const ANSWER: Duration = Duration::from_secs(20);
/// What a large body may take: so many bytes in a second.
const SLOWEST: u64 = 64 * 1024;

pub(super) struct Client {
    pub(super) settings: S3Settings,
    pub(super) place: PathBuf,
    agent: Agent,
    signer: Signer<Credential>,
    /// By how much the server's clock is ahead of ours, in milliseconds.
    ahead: Cell<i64>,
}

/// An answer that says yes, or that the condition does not hold.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn tag(&self) -> Option<Tag> {
        let tag = self.headers.get(header::ETAG)?.to_str().ok()?;
        Some(Tag(tag.to_owned()))
    }
}

impl Client {
    pub(super) fn new(settings: S3Settings, place: PathBuf) -> Result<Client, StateError> {
        let agent = agent(&settings, &place)?;
        Ok(Client {
            signer: credentials::signer(&settings, &agent),
            settings,
            place,
            agent,
            ahead: Cell::new(0),
        })
    }

    /// The server's time, as far as it is known: the second at least.
    pub(super) fn now(&self) -> SystemTime {
        let ahead = self.ahead.get();
        let by = Duration::from_millis(ahead.unsigned_abs());
        let now = SystemTime::now();
        let then = match ahead < 0 {
            true => now.checked_sub(by),
            false => now.checked_add(by),
        };
        then.unwrap_or(now)
    }

    /// Asks once. What is neither a success nor one of these is a trouble.
    pub(super) fn ask(
        &self,
        method: Method,
        address: &str,
        headers: &[(HeaderName, &str)],
        body: &[u8],
        others: &[u16],
    ) -> Result<Answer, Trouble> {
        let request = self.signed(method, address, headers, body)?;
        let time = ANSWER + Duration::from_secs(body.len() as u64 / SLOWEST);
        let request = self
            .agent
            .configure_request(request)
            .timeout_recv_response(Some(time))
            .timeout_send_body(Some(time))
            .build();
        let sent = SystemTime::now();
        let failed = |e: ureq::Error| lost(&e, &self.settings, &self.place);
        let (parts, mut body) = self.agent.run(request).map_err(failed)?.into_parts();
        self.learn_time(sent, &parts.headers);
        let body = body.with_config().limit(u64::MAX).read_to_vec();
        let body = body.map_err(failed)?;
        let status = parts.status.as_u16();
        if parts.status.is_success() || others.contains(&status) {
            return Ok(Answer {
                status,
                headers: parts.headers,
                body,
            });
        }
        let region = parts.headers.get("x-amz-bucket-region");
        let region = region.and_then(|r| r.to_str().ok()).map(str::to_owned);
        let said = Said::new(status, &String::from_utf8_lossy(&body), region);
        Err(said.trouble(&self.settings, &self.place))
    }

    fn signed(
        &self,
        method: Method,
        address: &str,
        headers: &[(HeaderName, &str)],
        body: &[u8],
    ) -> Result<Request<Vec<u8>>, Trouble> {
        let mut sum = String::with_capacity(64);
        for byte in Sha256::digest(body) {
            let _ = write!(sum, "{byte:02x}");
        }
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            .header("x-amz-content-sha256", sum);
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| self.odd(name.as_str()))?;
            value.set_sensitive(false);
            request = request.header(name, value);
        }
        let request = request.body(body.to_vec());
        let (mut parts, body) = request.map_err(|e| self.odd(&e.to_string()))?.into_parts();
        // Whoever looks for credentials asks with requests that block: nothing else runs here.
        let signed = futures::executor::block_on(self.signer.sign(&mut parts, None));
        signed.map_err(|e| self.no_credentials(&e))?;
        Ok(Request::from_parts(parts, body))
    }

    fn odd(&self, what: &str) -> Trouble {
        Trouble::from(StateError::Io {
            path: self.place.clone(),
            cause: format!("no request can be made of its settings ({what})"),
        })
    }

    fn no_credentials(&self, e: &reqsign_core::Error) -> Trouble {
        if e.is_retryable() && e.kind() == ErrorKind::RateLimited {
            return Trouble::Lost(e.to_string());
        }
        Trouble::from(StateError::Refused {
            path: self.place.clone(),
            cause: format!("there are no credentials for it: {e}"),
            next: "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is given".into(),
        })
    }

    /// The clocks differ when the answer's second can't be ours.
    fn learn_time(&self, sent: SystemTime, headers: &HeaderMap) {
        let told = headers.get(header::DATE).and_then(|d| d.to_str().ok());
        let Some(told) = told.and_then(|d| chrono::DateTime::parse_from_rfc2822(d).ok()) else {
            return;
        };
        let millis = |time: SystemTime| {
            let since = time
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        let told = told.timestamp_millis();
        // The server's clock was somewhere in [told, told + 1 s) between these two.
        let (least, most) = (told - millis(SystemTime::now()), told + 1000 - millis(sent));
        let ahead = self.ahead.get();
        if ahead < least || ahead > most {
            self.ahead.set(if least > 0 || most < 0 {
                ahead.clamp(least, most)
            } else {
                0
            });
        }
    }
}

fn agent(settings: &S3Settings, place: &Path) -> Result<Agent, StateError> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept_encoding(AutoHeaderValue::None)
        .user_agent(AutoHeaderValue::Provided("weir".to_owned().into()))
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_per_read(Some(ANSWER))
        .max_idle_age(Duration::from_secs(15));
    if let Some(path) = &settings.options.ca_bundle {
        let wrong = |cause: String| StateError::Refused {
            path: place.into(),
            cause: format!(
                "certificates can't be read from {}: {cause}",
                path.display()
            ),
            next: "Name a file of certificates in PEM".into(),
        };
        let text = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
        let mut roots = Vec::new();
        for item in parse_pem(&text) {
            if let PemItem::Certificate(root) = item.map_err(|e| wrong(e.to_string()))? {
                roots.push(root);
            }
        }
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::new_with_certs(&roots))
            .build();
        config = config.tls_config(tls);
    }
    Ok(config.build().new_agent())
}
