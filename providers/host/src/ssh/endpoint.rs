//! What there is to know about a machine before it is dialled.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use russh::keys::PublicKey;

/// The two facts of the caller's environment that SSH needs.
///
/// This crate never reads the environment itself: the composition root does,
/// once, and hands the result down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// The home directory of the user who runs weir: default keys and
    /// `known_hosts` live in its `.ssh`.
    pub home: Option<PathBuf>,
    /// The socket of a running `ssh-agent` (`SSH_AUTH_SOCK`).
    pub ssh_auth_sock: Option<PathBuf>,
}

impl Environment {
    /// Private keys tried when a hop names none, in the order of OpenSSH.
    /// Files that don't exist are left out.
    pub(super) fn default_keys(&self) -> Vec<PathBuf> {
        let Some(home) = &self.home else {
            return Vec::new();
        };
        ["id_ed25519", "id_ecdsa", "id_rsa"]
            .iter()
            .map(|name| home.join(".ssh").join(name))
            .filter(|path| path.exists())
            .collect()
    }

    /// The `known_hosts` files of OpenSSH: the user's, then the system's.
    #[must_use]
    pub fn known_hosts(&self) -> Vec<PathBuf> {
        let user = self.home.iter().map(|home| home.join(".ssh/known_hosts"));
        user.chain([PathBuf::from("/etc/ssh/ssh_known_hosts")])
            .collect()
    }
}

/// How a host proves that it is the host we mean.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostKeyPolicy {
    /// The stack names the key (`host_key = "ssh-ed25519 AAAA..."`): the host
    /// must present one of these, and no file is read.
    Pinned(Vec<PublicKey>),
    /// The key stands in one of these files, in the format of OpenSSH's
    /// `known_hosts`. A file that doesn't exist counts as empty.
    KnownHosts {
        /// Files in order of reading.
        files: Vec<PathBuf>,
    },
    /// Like `KnownHosts`, but the key of a host that no file knows is accepted
    /// and appended to the first file. A changed key is still refused.
    TrustOnFirstUse {
        /// Files in order of reading; the first one is also written.
        files: Vec<PathBuf>,
    },
}

impl HostKeyPolicy {
    /// The files to read, empty for pinned keys.
    pub(super) fn files(&self) -> &[PathBuf] {
        match self {
            Self::Pinned(_) => &[],
            Self::KnownHosts { files } | Self::TrustOnFirstUse { files } => files,
        }
    }

    /// The file that learns the key of an unknown host, where that is allowed.
    pub(super) fn learns_into(&self) -> Option<&Path> {
        match self {
            Self::TrustOnFirstUse { files } => files.first().map(PathBuf::as_path),
            Self::Pinned(_) | Self::KnownHosts { .. } => None,
        }
    }
}

/// A private key as text, in OpenSSH's or PEM format. It is never shown.
#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct KeyText(pub String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// One SSH server on the way: a host, or a bastion in front of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Name or IP address, as the hop before it resolves it.
    pub address: String,
    /// TCP port of its sshd.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Private key files, `~` already expanded, tried in order. Empty: the
    /// user's default keys.
    pub keys: Vec<PathBuf>,
    /// A private key itself, in place of all files.
    pub key: Option<KeyText>,
    /// Whether the keys of `ssh-agent` are tried after the files.
    pub agent: AgentUse,
    /// How the server proves itself.
    pub host_key: HostKeyPolicy,
}

/// Whether a hop may use the keys of `ssh-agent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentUse {
    /// Files first, then every key the agent holds.
    AfterFiles,
    /// The agent is not asked, but for an encrypted key file named above.
    EncryptedFilesOnly,
}

impl Hop {
    /// The name under which `known_hosts` files list this server: the plain
    /// address on port 22, `[address]:port` elsewhere.
    #[must_use]
    pub fn known_hosts_name(&self) -> String {
        super::known_hosts::lookup_name(&self.address, self.port)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&authority(&self.address, self.port))
    }
}

/// `address:port`, with brackets around an IPv6 address.
pub(super) fn authority(address: &str, port: u16) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

/// A machine and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The machine itself.
    pub target: Hop,
    /// Bastions in the order in which they are passed; empty for a direct way.
    pub bastions: Vec<Hop>,
    /// Time limits, the same for each hop.
    pub timing: Timing,
}

/// Time limits of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Longest wait for each phase of a connection: TCP, key exchange,
    /// authentication.
    pub connect: Duration,
    /// Silence after which the server is asked for a sign of life.
    pub keepalive: Duration,
    /// Unanswered signs of life after which the connection counts as lost.
    pub keepalive_misses: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            keepalive: Duration::from_secs(15),
            keepalive_misses: 3,
        }
    }
}
