//! Downloads, verified while they stream.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::disk;
use super::resolve;

/// Debian's bundle of authorities: a company's own is in it too.
const SYSTEM_CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// A download that takes longer than this has hung.
const LIMIT: Duration = Duration::from_secs(3600);

/// Names by our own resolver: the agent is static.
#[derive(Debug)]
struct OwnResolver;

impl Resolver for OwnResolver {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        let found =
            resolve::resolve(host).map_err(|message| ureq::Error::Io(io::Error::other(message)))?;
        let mut addresses = self.empty();
        for address in found.into_iter().take(16) {
            addresses.push((address, port).into());
        }
        Ok(addresses)
    }
}

fn http() -> ureq::Agent {
    let certificates: Vec<_> = fs::read(SYSTEM_CERTIFICATES)
        .map(|pem| {
            parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect()
        })
        .unwrap_or_default();
    let roots = if certificates.is_empty() {
        RootCerts::WebPki
    } else {
        certificates.into()
    };
    let config = ureq::Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_global(Some(LIMIT))
        .build();
    ureq::Agent::with_parts(config, DefaultConnector::default(), OwnResolver)
}

/// Fetches a URL into a file and verifies it. Blocks.
///
/// # Errors
/// In words: the URL and the cause, or the sha256 that came. No file is left then.
pub(crate) fn fetch(
    url: &str,
    sha256: &str,
    path: &Path,
    progress: &dyn Fn(String),
) -> Result<(), String> {
    let shown = without_credentials(url);
    let response = http().get(url).call().map_err(|error| match error {
        ureq::Error::StatusCode(status) => format!("{shown} answered {status}"),
        ureq::Error::Io(error) => format!("{shown} can't be fetched: {}", disk::cause(&error)),
        error => format!("{shown} can't be fetched: {error}"),
    })?;
    let mut body = response.into_body();
    let total = body.content_length();
    let result = copy(&mut body.as_reader(), path, total, progress);
    let got = match result {
        Ok(got) => got,
        Err(error) => {
            // The cause is what matters; a leftover is overwritten next time.
            let _ = disk::remove_if_there(path);
            return Err(format!("{shown} can't be fetched: {}", disk::cause(&error)));
        }
    };
    if got == sha256 {
        return Ok(());
    }
    let _ = disk::remove_if_there(path);
    Err(format!(
        "{shown} has another content than expected: expected sha256 {sha256}, got {got}; correct the sha256, or find out who changed the file"
    ))
}

fn copy(
    from: &mut dyn Read,
    path: &Path,
    total: Option<u64>,
    progress: &dyn Fn(String),
) -> io::Result<String> {
    let mut file = File::create(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut done: u64 = 0;
    let mut told = Instant::now();
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count])?;
        done += count as u64;
        if told.elapsed() >= Duration::from_secs(2) {
            told = Instant::now();
            let of = total.map_or_else(String::new, |total| format!(" of {}", mebibytes(total)));
            progress(format!("{}{of}", mebibytes(done)));
        }
    }
    file.sync_all()?;
    Ok(disk::hex(&hasher.finalize()))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

/// A URL as it may be shown: without what stands before an `@` or after a `?`.
fn without_credentials(url: &str) -> String {
    let plain = url.split('?').next().unwrap_or(url);
    match plain.split_once("://") {
        Some((scheme, rest)) => {
            let slash = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(slash);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        None => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_secrets() {
        assert_eq!(
            without_credentials("https://me:pw@x.org:8/a@b/c?token=1"),
            "https://x.org:8/a@b/c"
        );
        assert_eq!(without_credentials("http://x.org"), "http://x.org");
    }
}
