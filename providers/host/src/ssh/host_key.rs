//! The decision whether a server is the one we mean.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use russh::Preferred;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::endpoint::{Hop, HostKeyPolicy};
use super::host_key_error::{Access, HostKeyError, KnownAt, ShownKey};
use super::known_hosts::{self, Entry, Verdict};

/// Everything known about a server's key, read before it is dialled: the
/// algorithms to ask for depend on it.
#[derive(Debug)]
pub(super) struct HostKeyCheck {
    name: String,
    address: String,
    policy: HostKeyPolicy,
    entries: Vec<Entry>,
}

impl HostKeyCheck {
    /// Reads the files of the hop's policy.
    ///
    /// # Errors
    /// A file that exists and can't be read, or a `@revoked` line for this host
    /// that can't be understood. Neither may pass as "nothing known".
    pub(super) fn load(hop: &Hop) -> Result<Self, HostKeyError> {
        let name = hop.known_hosts_name();
        let mut entries = Vec::new();
        for file in hop.host_key.files() {
            let bytes = match std::fs::read(file) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(cause) => return Err(file_error(&name, file, Access::Read, cause)),
            };
            // A comment in another encoding must not hide the file's keys.
            let text = String::from_utf8_lossy(&bytes);
            let selected = known_hosts::select(&text, file, &hop.address, hop.port);
            entries.extend(selected.map_err(|bad| HostKeyError::Line {
                host: name.clone(),
                location: bad.location,
                reason: bad.reason,
            })?);
        }
        Ok(Self {
            name,
            address: hop.address.to_ascii_lowercase(),
            policy: hop.host_key.clone(),
            entries,
        })
    }

    /// The algorithms to negotiate: known kinds of host key first, and
    /// certificates where an authority is known.
    pub(super) fn preferred(&self) -> Preferred {
        let known = match &self.policy {
            HostKeyPolicy::Pinned(keys) => keys.iter().map(PublicKey::algorithm).collect(),
            _ => known_hosts::known_algorithms(&self.entries),
        };
        // RSA with SHA-1 is out, as in OpenSSH since 8.8.
        let usable = |a: &&Algorithm| !matches!(a, Algorithm::Rsa { hash: None });
        let all = || Preferred::DEFAULT.key.iter().filter(usable).cloned();
        let is_known = |a: &Algorithm| known.iter().any(|k| same_family(k, a));
        let ordered: Vec<_> = all()
            .filter(is_known)
            .chain(all().filter(|a| !is_known(a)))
            .collect();
        let certified = known_hosts::authorities(&self.entries).next().is_some();
        let certificates: Vec<_> = all().filter(|_| certified).collect();
        Preferred {
            key: ordered.into(),
            host_key_certificates: certificates.into(),
            ..Preferred::DEFAULT
        }
    }

    /// Judges what the server presents. The key exchange has already proven
    /// that the server holds the private half.
    ///
    /// # Errors
    /// The typed reason for a refusal.
    pub(super) fn check(&self, presented: &PublicKeyOrCertificate) -> Result<(), HostKeyError> {
        if let Some(certificate) = presented.certificate()
            && self.certified(certificate)?
        {
            return Ok(());
        }
        let offered = presented.public_key();
        match &self.policy {
            HostKeyPolicy::Pinned(keys) => self.check_pinned(keys, &offered),
            HostKeyPolicy::KnownHosts { .. } | HostKeyPolicy::TrustOnFirstUse { .. } => {
                self.check_files(&offered)
            }
        }
    }

    fn check_pinned(&self, keys: &[PublicKey], offered: &PublicKey) -> Result<(), HostKeyError> {
        if keys.iter().any(|k| k.key_data() == offered.key_data()) {
            return Ok(());
        }
        let alike = keys.iter().find(|k| k.algorithm() == offered.algorithm());
        match alike.or(keys.first()) {
            Some(known) => Err(HostKeyError::Changed {
                host: self.name.clone(),
                offered: shown(offered),
                known: shown(known),
                known_at: KnownAt::Stack,
            }),
            None => Err(self.unknown(offered)),
        }
    }

    fn check_files(&self, offered: &PublicKey) -> Result<(), HostKeyError> {
        match known_hosts::judge(&self.entries, offered) {
            Verdict::Trusted => Ok(()),
            Verdict::Revoked(entry) => Err(HostKeyError::Revoked {
                host: self.name.clone(),
                offered: shown(offered),
                location: entry.location.clone(),
            }),
            Verdict::Changed(entry) => Err(HostKeyError::Changed {
                host: self.name.clone(),
                offered: shown(offered),
                known: shown(&entry.key),
                known_at: KnownAt::File(entry.location.clone()),
            }),
            Verdict::Unknown => match self.policy.learns_into() {
                Some(file) => self.learn(file, offered),
                None => Err(self.unknown(offered)),
            },
        }
    }

    /// Whether a trusted authority vouches for the host. `false`: no authority
    /// on record signed it, so its bare key decides, as in OpenSSH.
    fn certified(&self, certificate: &Certificate) -> Result<bool, HostKeyError> {
        let signer = PublicKey::from(certificate.signature_key().clone());
        for key in [&signer, &PublicKey::from(certificate.public_key().clone())] {
            if let Verdict::Revoked(entry) = known_hosts::judge(&self.entries, key) {
                return Err(HostKeyError::Revoked {
                    host: self.name.clone(),
                    offered: shown(key),
                    location: entry.location.clone(),
                });
            }
        }
        let Some(authority) = known_hosts::authorities(&self.entries)
            .find(|entry| entry.key.key_data() == signer.key_data())
        else {
            return Ok(false);
        };
        match certificate_fault(certificate, &authority.key, &self.address) {
            None => Ok(true),
            Some(reason) => Err(HostKeyError::Certificate {
                host: self.name.clone(),
                location: authority.location.clone(),
                reason,
            }),
        }
    }

    fn unknown(&self, offered: &PublicKey) -> HostKeyError {
        HostKeyError::Unknown {
            host: self.name.clone(),
            offered: shown(offered),
            files: self.policy.files().to_vec(),
        }
    }

    /// Appends the key of a host seen for the first time.
    fn learn(&self, file: &Path, key: &PublicKey) -> Result<(), HostKeyError> {
        append(file, &format!("{} {}\n", self.name, shown(key).line))
            .map_err(|cause| file_error(&self.name, file, Access::Write, cause))
    }
}

/// What is wrong with a certificate of a trusted authority, if anything.
fn certificate_fault(
    certificate: &Certificate,
    authority: &PublicKey,
    address: &str,
) -> Option<String> {
    if certificate.cert_type() != CertType::Host {
        return Some("it is a user's certificate, not a host's".into());
    }
    if certificate.critical_options().iter().next().is_some() {
        return Some("it has critical options weir doesn't know".into());
    }
    let principals = certificate.valid_principals();
    if !known_hosts::matches_list(principals.iter().map(String::as_str), address) {
        return Some(format!(
            "it is for {}, not for {address}",
            if principals.is_empty() {
                "no name".into()
            } else {
                principals.join(", ")
            }
        ));
    }
    // A clock before 1970 makes every certificate "not yet valid".
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    if now < certificate.valid_after() || now >= certificate.valid_before() {
        return Some("it is not valid now: it has expired or is not yet valid".into());
    }
    certificate
        .validate_at(now, [&authority.fingerprint(HashAlg::Sha256)])
        .err()
        .map(|_| "its signature is wrong".into())
}

/// RSA keys serve several signature algorithms; all others just their own.
fn same_family(key: &Algorithm, algorithm: &Algorithm) -> bool {
    matches!(
        (key, algorithm),
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. })
    ) || key == algorithm
}

/// A key in the forms a message needs, without its comment.
fn shown(key: &PublicKey) -> ShownKey {
    let bare = PublicKey::from(key.key_data().clone());
    ShownKey {
        // Only a comment could make the encoding fail, and there is none.
        line: bare.to_openssh().unwrap_or_default(),
        fingerprint: bare.fingerprint(HashAlg::Sha256).to_string(),
    }
}

fn file_error(host: &str, file: &Path, access: Access, cause: io::Error) -> HostKeyError {
    HostKeyError::File {
        host: host.to_owned(),
        file: PathBuf::from(file),
        access,
        cause,
    }
}

/// Appends a line in one write, so that parallel runs don't tear each other's
/// lines, and makes the file and its folder for their owner alone if absent.
fn append(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let torn_end = match std::fs::read(file) {
        Ok(bytes) => bytes.last().is_some_and(|&last| last != b'\n'),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    let line = if torn_end {
        format!("\n{line}")
    } else {
        line.to_owned()
    };
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)?
        .write_all(line.as_bytes())
}
