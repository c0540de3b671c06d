//! The way to the network.

use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Url, new_http_client};
use std::{sync::Arc, time::Duration};

/// Sends requests; those to one host without TLS, where the cloud's metadata said so.
///
/// `azure_identity` takes authorities with TLS only. A fake of the cloud on this machine has none:
/// its authority is handed over as if it had, and told apart here.
#[derive(Debug)]
pub(crate) struct Transport {
    inner: Arc<dyn HttpClient>,
    plain: Option<(String, u16)>,
    /// Where a machine's identity is asked for.
    identity: Option<Url>,
}

/// Where a machine asks about itself.
const MACHINE: &str = "169.254.169.254";

/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);

impl Transport {
    /// `plain` is a host and port that are spoken to without TLS, `identity` another place to ask for
    /// a machine's identity at.
    pub(crate) fn new(plain: Option<(String, u16)>, identity: Option<Url>) -> Transport {
        Transport {
            inner: new_http_client(None),
            plain,
            identity,
        }
    }

    /// The address to ask at instead, where this is the one of machines' identities.
    fn elsewhere(&self, url: &Url) -> Option<Url> {
        let mut other = self.identity.clone()?;
        if url.host_str() != Some(MACHINE) {
            return None;
        }
        other.set_query(url.query());
        Some(other)
    }

    fn is_plain(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        let same = |(h, p): &(String, u16)| h == host && *p == port;
        url.scheme() == "https" && self.plain.as_ref().is_some_and(same)
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let slow = || {
            let kind = azure_core::error::ErrorKind::Io;
            azure_core::Error::with_message(kind, "it did not answer in time")
        };
        let mut other;
        let mut request = request;
        if let Some(url) = self.elsewhere(request.url()) {
            other = request.clone();
            *other.url_mut() = url;
            request = &other;
        }
        let mut bare;
        if self.is_plain(request.url()) {
            bare = request.clone();
            // `set_scheme` fails for schemes of another kind alone.
            let _ = bare.url_mut().set_scheme("http");
            request = &bare;
        }
        let answer = tokio::time::timeout(PATIENCE, self.inner.execute_request(request));
        answer.await.map_err(|_| slow())?
    }
}
