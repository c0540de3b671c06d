//! Why a server is not taken for the machine we mean.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Prints a machine's own fingerprint.
const OWN_KEY: &str = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// A place in a `known_hosts` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// A public key in the forms a message needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// `ssh-ed25519 AAAA...`, ready to paste after `host_key =`.
    pub line: String,
    /// `SHA256:...`.
    pub fingerprint: String,
}

/// Why a server's key is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// No file and no stack knows this host.
    #[error(
        "the host key of {host} is unknown: it presents {} {}{}",
        algorithm(offered), offered.fingerprint, searched(files)
    )]
    Unknown {
        /// The name looked up: `address` or `[address]:port`.
        host: String,
        /// The key it presents.
        offered: ShownKey,
        /// The files that were searched.
        files: Vec<PathBuf>,
    },
    /// Another key is on record: a rebuilt machine, or someone in between.
    #[error(
        "the host key of {host} has changed: it presents {} {}, but {known_at} says {} {}; either the machine was \
         rebuilt, or someone stands between",
        algorithm(offered), offered.fingerprint, algorithm(known), known.fingerprint
    )]
    Changed {
        /// The name looked up.
        host: String,
        /// The key it presents.
        offered: ShownKey,
        /// The key it should have presented.
        known: ShownKey,
        /// Where that one stands.
        known_at: KnownAt,
    },
    /// The key is marked as revoked.
    #[error(
        "the host key of {host}, {}, is revoked at {location}",
        offered.fingerprint
    )]
    Revoked {
        /// The name looked up.
        host: String,
        /// The key it presents (or the authority that signed it).
        offered: ShownKey,
        /// The `@revoked` line.
        location: Location,
    },
    /// A trusted authority signed the host's certificate, but it doesn't hold.
    #[error("the host certificate of {host} (authority at {location}) does not hold: {reason}")]
    Certificate {
        /// The name looked up.
        host: String,
        /// The `@cert-authority` line.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
    /// A `known_hosts` file exists and can't be read or written.
    #[error("{host}: {} can't be {}: {cause}", file.display(), access.verb())]
    File {
        /// The name looked up.
        host: String,
        /// The file.
        file: PathBuf,
        /// What was tried.
        access: Access,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A line that matters can't be understood.
    #[error("{host}: {location} can't be understood ({reason}) and may revoke its key")]
    Line {
        /// The name looked up.
        host: String,
        /// The line.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
}

impl HostKeyError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unknown { host, offered, .. } => format!(
                "Compare the fingerprint with the machine's own (run `{OWN_KEY}` there). If it is right, put \
                 `host_key = \"{}\"` into its host block, or run `{}`.",
                offered.line,
                keyscan(host)
            ),
            Self::Changed {
                host,
                offered,
                known_at,
                ..
            } => format!(
                "Compare both fingerprints with the machine's own (run `{OWN_KEY}` on its console). Only if the new \
                 one is right, {}.",
                mend(known_at, host, offered)
            ),
            Self::Revoked { .. } => {
                "Treat the machine as compromised until it has a new host key.".into()
            }
            Self::Certificate { .. } => {
                "Have the certificate issued anew, or pin the key with `host_key`.".into()
            }
            Self::File { .. } => "Mend the file, or pin the key with `host_key`.".into(),
            Self::Line { .. } => "Mend or remove the line.".into(),
        }
    }
}

/// Where the expected key of a host stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownAt {
    /// In the stack: `host_key`.
    Stack,
    /// In a `known_hosts` file.
    File(Location),
}

impl fmt::Display for KnownAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack => f.write_str("`host_key` in the stack"),
            Self::File(location) => location.fmt(f),
        }
    }
}

/// What was tried on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Appending.
    Write,
}

impl Access {
    fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
        }
    }
}

/// The first word of a key line.
fn algorithm(key: &ShownKey) -> &str {
    key.line.split(' ').next().unwrap_or_default()
}

fn searched(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let names: Vec<_> = files.iter().map(|f| f.display().to_string()).collect();
    format!(", and {} has no line for it", names.join(" or "))
}

/// Splits `[address]:port`, the form of names off port 22.
fn split_name(host: &str) -> (&str, Option<&str>) {
    match host.strip_prefix('[').and_then(|h| h.split_once("]:")) {
        Some((address, port)) => (address, Some(port)),
        None => (host, None),
    }
}

fn keyscan(host: &str) -> String {
    match split_name(host) {
        (address, Some(port)) => format!("ssh-keyscan -p {port} {address} >> ~/.ssh/known_hosts"),
        (address, None) => format!("ssh-keyscan {address} >> ~/.ssh/known_hosts"),
    }
}

fn mend(known_at: &KnownAt, host: &str, offered: &ShownKey) -> String {
    match known_at {
        KnownAt::Stack => format!("set `host_key = \"{}\"`", offered.line),
        KnownAt::File(at) => format!(
            "remove the old line (`ssh-keygen -R '{host}' -f {}`) and connect again",
            at.file.display()
        ),
    }
}
