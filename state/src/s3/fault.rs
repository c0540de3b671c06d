//! What a server of S3 says when it says no, and how it is told.

use super::settings::S3Settings;
use crate::{StateError, remote::Trouble};
use std::path::Path;

/// An answer that is no success.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) status: u16,
    /// Such as `NoSuchBucket`; empty where there is none.
    pub(super) code: String,
    pub(super) message: String,
    /// The region that the bucket is in, where the server tells.
    pub(super) region: Option<String>,
}

impl Said {
    /// Reads the document that comes with such an answer.
    pub(super) fn new(status: u16, body: &str, region: Option<String>) -> Said {
        let document = roxmltree::Document::parse(body).ok();
        let text = |name: &str| {
            let document = document.as_ref()?;
            let found = document.descendants().find(|n| n.has_tag_name(name))?;
            found.text().map(str::to_owned)
        };
        Said {
            status,
            code: text("Code").unwrap_or_default(),
            message: text("Message").unwrap_or_default(),
            region: region.or_else(|| text("Region")),
        }
    }

    /// The same may be asked again: nothing is wrong with it.
    fn may_pass(&self) -> bool {
        let passing = [
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "RequestLimitExceeded",
            "RequestTimeout",
            "ConditionalRequestConflict",
            "OperationAborted",
        ];
        passing.contains(&&*self.code)
            || self.status == 429
            || self.status == 408
            || self.status == 409 && self.code.is_empty()
            || self.status >= 500 && self.status != 501
    }

    /// In one line.
    fn text(&self) -> String {
        let Said {
            status,
            code,
            message,
            ..
        } = self;
        match (code.is_empty(), message.is_empty()) {
            (true, _) => format!("the server answered {status}"),
            (false, true) => format!("the server answered {status} {code}"),
            (false, false) => format!("{} ({code})", message.trim_end_matches('.')),
        }
    }

    pub(super) fn trouble(self, settings: &S3Settings, place: &Path) -> Trouble {
        if self.may_pass() {
            return Trouble::Lost(self.text());
        }
        let bucket = &settings.options.bucket;
        let other = self.region.as_deref().filter(|r| *r != settings.region);
        let next = match (&*self.code, self.status, other) {
            ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", ..)
            | (_, 301 | 307, _) => match other {
                Some(region) => format!(
                    "Bucket {bucket} is in region {region}, and the state says {}: write `region = \"{region}\"`",
                    settings.region
                ),
                None => format!("Bucket {bucket} is in another region than {}: name the right one", settings.region),
            },
            ("NoSuchBucket", ..) => format!(
                "Create bucket {bucket}, with versioning switched on, or name another one"
            ),
            ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "TokenRefreshRequired", ..) => {
                "Check the keys: they are taken from the stack, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile, or the machine's role".into()
            }
            ("ExpiredToken" | "ExpiredTokenException", ..) => "Log in again: the keys have expired".into(),
            ("RequestTimeTooSkewed", ..) => "Set the clock of this machine".into(),
            ("NotImplemented", ..) | (_, 501, _) => NO_CONDITIONS.into(),
            (_, 401 | 403, _) => {
                "Grant who asks s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on the key, with whatever comes behind it (KEY*), and on the workspaces'; with a key of KMS, kms:GenerateDataKey and kms:Decrypt".into()
            }
            _ => {
                return Trouble::from(StateError::Io {
                    path: place.into(),
                    cause: self.text(),
                });
            }
        };
        Trouble::from(StateError::Refused {
            path: place.into(),
            cause: self.text(),
            next,
        })
    }
}

/// What to do without conditional writes.
pub(super) const NO_CONDITIONS: &str = "weir needs conditional writes (If-Match and If-None-Match on PUT), without which two programs could write over each other. Use a version of the server that has them, or keep state in Postgres";

/// What to tell of a request that could not be sent, or had no answer.
pub(super) fn lost(e: &ureq::Error, settings: &S3Settings, place: &Path) -> Trouble {
    let refused = |cause: String, next: &str| {
        Trouble::from(StateError::Refused {
            path: place.into(),
            cause,
            next: next.into(),
        })
    };
    match e {
        ureq::Error::Rustls(e) => refused(
            format!("TLS: {e}"),
            "Name the certificates that are to be trusted with AWS_CA_BUNDLE or custom_ca_bundle, or check the endpoint",
        ),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
            refused(e.to_string(), "Check the endpoint and the proxy's address")
        }
        ureq::Error::Io(io) if is_certificate(io) => refused(
            format!("TLS: {io}"),
            "Name the certificates that are to be trusted with AWS_CA_BUNDLE or custom_ca_bundle, or check the endpoint",
        ),
        ureq::Error::HostNotFound => {
            Trouble::Lost(format!("the name of {} is not found", host(settings)))
        }
        other => Trouble::Lost(format!("{}: {other}", host(settings))),
    }
}

fn is_certificate(e: &std::io::Error) -> bool {
    let text = e.to_string();
    text.contains("certificate") || text.contains("UnknownIssuer")
}

fn host(settings: &S3Settings) -> String {
    let address = settings.address("");
    let after = address.split_once("://").map_or(&*address, |(_, a)| a);
    after.split('/').next().unwrap_or_default().to_owned()
}
