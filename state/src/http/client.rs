//! One request, and what its answer means.

use super::settings::HttpSettings;
use crate::{StateError, remote::Trouble};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    cell::Cell,
    path::Path,
    time::{Duration, SystemTime},
};
use ureq::{
    Agent,
    http::{Request, StatusCode},
    tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem},
};

/// An object may have so many bytes.
const LARGEST: u64 = 1 << 30;

/// Who asks a server.
pub(super) struct Client {
    agent: Agent,
    settings: HttpSettings,
    /// By how much the server's clock is ahead of this one, in milliseconds.
    ahead: Cell<i64>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Somebody else has the lock.
    pub(super) fn is_locked(&self) -> bool {
        self.status == StatusCode::CONFLICT || self.status == StatusCode::LOCKED
    }

    /// What the server says, for people.
    pub(super) fn told(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line = text.lines().next().unwrap_or_default().trim();
        let line: String = line.chars().take(200).collect();
        match line.is_empty() {
            true => format!("the server answers {}", self.status),
            false => format!("the server answers {}: {line}", self.status),
        }
    }
}

impl Client {
    pub(super) fn new(settings: HttpSettings, patience: Duration) -> Result<Client, StateError> {
        let refused = |cause: String| StateError::Refused {
            path: settings.place(),
            cause,
            next: "Give certificates and keys as PEM".into(),
        };
        let tls = tls(&settings).map_err(refused)?;
        let config = Agent::config_builder()
            .timeout_connect(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_call(Some(patience * 4))
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Ok(Client {
            agent: config.into(),
            settings,
            ahead: Cell::new(0),
        })
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`Trouble::Lost`] where no answer came, or one that may be another in a moment; what nobody
    /// can do without other rights is told.
    pub(super) fn ask(
        &self,
        method: &str,
        url: &str,
        body: Option<&[u8]>,
    ) -> Result<Answer, Trouble> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        if let Some((user, password)) = &self.settings.login {
            let login = STANDARD.encode(format!("{user}:{password}"));
            request = request.header("Authorization", format!("Basic {login}"));
        }
        let unsent = |e: ureq::http::Error| self.refused(format!("no request can be made: {e}"));
        let answered = match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(body).map_err(unsent)?)
            }
            None => self.agent.run(request.body(()).map_err(unsent)?),
        };
        let mut response = answered.map_err(|e| self.unanswered(&e))?;
        let date = response.headers().get("Date");
        self.note(date.and_then(|date| date.to_str().ok()));
        let status = response.status();
        let body = response.body_mut().with_config().limit(LARGEST);
        let body = body.read_to_vec().map_err(|e| self.unanswered(&e))?;
        let answer = Answer { status, body };
        match status.as_u16() {
            401 => Err(self.refused(match &self.settings.login {
                Some(_) => "the server does not take this username and password".into(),
                None => "the server wants a username and a password".into(),
            })),
            403 => Err(self.refused(format!("{} has no right to it", self.who()))),
            413 => Err(self.refused("the state is larger than the server takes".into())),
            429 | 500..=599 => Err(Trouble::Lost(answer.told())),
            _ => Ok(answer),
        }
    }

    /// No answer came: who is not trusted, or trusts us not, is not asked again.
    fn unanswered(&self, error: &ureq::Error) -> Trouble {
        use rustls::{AlertDescription, Error};
        let (cause, next) = match of_tls(error) {
            Some(e @ Error::InvalidCertificate(_)) => (
                format!("the server's certificate is not trusted: {e}"),
                "Give the certificate that vouches for it as `client_ca_certificate_pem`",
            ),
            Some(Error::AlertReceived(alert)) if *alert != AlertDescription::InternalError => (
                format!("the server refuses this side of TLS: it says {alert:?}"),
                "Give a certificate that it takes as `client_certificate_pem`, with its \
                 `client_private_key_pem`",
            ),
            Some(e @ (Error::PeerIncompatible(_) | Error::NoCertificatesPresented)) => (
                format!("the server's TLS can't be used: {e}"),
                "Let it speak TLS 1.2 or 1.3, with a certificate",
            ),
            _ => return Trouble::Lost(error.to_string()),
        };
        Trouble::from(StateError::Refused {
            path: self.settings.place(),
            cause,
            next: next.into(),
        })
    }

    fn who(&self) -> String {
        match &self.settings.login {
            Some((user, _)) if !user.is_empty() => format!("{user:?}"),
            _ => "who asks".into(),
        }
    }

    /// The server will not have us.
    pub(super) fn refused(&self, cause: String) -> Trouble {
        Trouble::from(StateError::Refused {
            path: self.settings.place(),
            cause,
            next: "Give another login with TF_HTTP_USERNAME and TF_HTTP_PASSWORD, or look at the \
                   addresses and methods in the stack's settings"
                .into(),
        })
    }

    /// The server's time, by the latest answer. What it says has whole seconds, so that a clock that
    /// is as good is left alone.
    pub(super) fn now(&self) -> SystemTime {
        let ahead = self.ahead.get();
        let by = Duration::from_millis(ahead.unsigned_abs());
        match ahead >= 0 {
            true => SystemTime::now() + by,
            false => SystemTime::now() - by,
        }
    }

    fn note(&self, date: Option<&str>) {
        let date = date.and_then(|d| chrono::DateTime::parse_from_rfc2822(d).ok());
        let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let (Some(there), Ok(here)) = (date, here) else {
            return;
        };
        // In the middle of the second that it names.
        let ahead = there.timestamp_millis() + 500 - i64::try_from(here.as_millis()).unwrap_or(0);
        let differs = ahead.unsigned_abs() > 2_000;
        self.ahead.set(if differs { ahead } else { 0 });
    }
}

/// What TLS has to say of an error, where it is one of TLS.
fn of_tls(error: &ureq::Error) -> Option<&rustls::Error> {
    let mut io = match error {
        ureq::Error::Rustls(e) => return Some(e),
        ureq::Error::Io(e) => e,
        _ => return None,
    };
    loop {
        let inner = io.get_ref()?;
        if let Some(e) = inner.downcast_ref::<rustls::Error>() {
            return Some(e);
        }
        io = inner.downcast_ref::<std::io::Error>()?;
    }
}

fn tls(settings: &HttpSettings) -> Result<TlsConfig, String> {
    let mut tls = TlsConfig::builder().disable_verification(settings.tls.skip_verification);
    let authorities = certificates(&settings.tls.authorities)?;
    if !authorities.is_empty() {
        tls = tls.root_certs(RootCerts::new_with_certs(&authorities));
    }
    if !settings.tls.certificate.is_empty() {
        let chain = certificates(&settings.tls.certificate)?;
        let key = PrivateKey::from_pem(settings.tls.key.as_bytes())
            .map_err(|_| "`client_private_key_pem` holds no key".to_owned())?;
        tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(tls.build())
}

fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err("a certificate can't be read".into()),
        }
    }
    match found.is_empty() && !pem.is_empty() {
        true => Err("no certificate is in what should hold one".into()),
        false => Ok(found),
    }
}

/// An address with a parameter more.
pub(super) fn with_lock(address: &str, id: &str) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (address, String::new()),
    };
    let sign = if address.contains('?') { '&' } else { '?' };
    // Ids of weir's have no letter that must be written otherwise.
    format!("{address}{sign}ID={id}{fragment}")
}

/// The name of a place in messages.
pub(super) fn place(settings: &HttpSettings) -> Box<Path> {
    settings.place().into()
}
