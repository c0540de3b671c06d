//! Everything that can go wrong between this machine and a host.
//!
//! A message names the object first, then what happened and why, then the next
//! step. [`SshError`] is cheap to move: what is large is boxed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::session::ExitStatus;

/// Why a machine could not be reached or used over SSH.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// No TCP connection: refused, no route, or a name that doesn't resolve.
    #[error(
        "{address} can't be reached: {cause}; check that the machine is up and that its address and port are right"
    )]
    Unreachable {
        /// `address:port`.
        address: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A phase of the connection took longer than its limit.
    #[error("{address} gave no answer within {} s during {phase}; check that the machine is up and that nothing drops its packets", after.as_secs_f32())]
    Timeout {
        /// `address:port`.
        address: String,
        /// What was under way.
        phase: Phase,
        /// The limit.
        after: Duration,
    },
    /// The server could not prove that it is the machine we mean.
    #[error(transparent)]
    HostKey(Box<HostKeyError>),
    /// The two sides could not agree on a protocol, or the server hung up.
    #[error(
        "{address}: the SSH key exchange failed: {cause}; check that an SSH server listens on this port"
    )]
    Handshake {
        /// `address:port`.
        address: String,
        /// What the protocol library reports.
        cause: russh::Error,
    },
    /// Every key was refused.
    #[error(transparent)]
    AuthRefused(Box<AuthRefused>),
    /// A private key file can't be used.
    #[error("private key {} {cause}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: KeyFileError,
    },
    /// A bastion on the way failed, so the machine behind it was never asked.
    #[error("bastion {hop}: {source}")]
    Bastion {
        /// `address:port` of the bastion.
        hop: String,
        /// Its own error, shared by all machines behind it.
        source: Arc<SshError>,
    },
    /// An established connection ended.
    #[error(
        "{address}: the connection was lost: {cause}; run the command again once the machine answers"
    )]
    Disconnected {
        /// `address:port`.
        address: String,
        /// What ended it, as far as known.
        cause: String,
    },
    /// The server refused to open a channel.
    #[error("{address} refused to open {channel}: {refusal}")]
    Channel {
        /// `address:port`.
        address: String,
        /// What was to be opened.
        channel: ChannelKind,
        /// The server's reason.
        refusal: Refusal,
    },
    /// A command on the machine failed.
    #[error("{address}: `{command}` ended with {status}{}", indent(stderr))]
    Remote {
        /// `address:port`.
        address: String,
        /// The command, shortened.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to stderr, shortened.
        stderr: String,
    },
}

/// A phase of a connection with a time limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The TCP connection.
    Connect,
    /// Version and key exchange.
    KeyExchange,
    /// Authentication.
    Authentication,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the TCP connection",
            Self::KeyExchange => "the SSH key exchange",
            Self::Authentication => "authentication",
        })
    }
}

/// What a channel leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelKind {
    /// A command.
    Session,
    /// A unix socket on the machine (`direct-streamlocal`).
    Unix(String),
    /// A TCP connection that starts on the machine (`direct-tcpip`).
    Tcp(String),
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("a session"),
            Self::Unix(path) => write!(f, "the unix socket {path}"),
            Self::Tcp(address) => write!(f, "a connection to {address}"),
        }
    }
}

/// Why a server refused a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody answers at the other end, or (OpenSSH doesn't tell them apart)
    /// forwarding to unix sockets is switched off.
    ConnectFailed,
    /// The server's configuration forbids it.
    Prohibited,
    /// The server doesn't know this kind of channel.
    Unsupported,
    /// The server has no room for more channels.
    Exhausted,
    /// The server refused the command after the channel stood.
    Command,
    /// Another code.
    Other(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectFailed => {
                "nothing answers there, or the server forbids forwarding \
                 (AllowStreamLocalForwarding, AllowTcpForwarding in sshd_config)"
            }
            Self::Prohibited => "its configuration forbids it",
            Self::Unsupported => "it doesn't know this kind of channel",
            Self::Exhausted => "it has no room for more sessions (MaxSessions in sshd_config)",
            Self::Command => "it doesn't run commands for this user",
            Self::Other(reason) => reason,
        })
    }
}

impl From<russh::ChannelOpenFailure> for Refusal {
    fn from(failure: russh::ChannelOpenFailure) -> Self {
        use russh::ChannelOpenFailure as Failure;
        match failure {
            Failure::AdministrativelyProhibited => Self::Prohibited,
            Failure::ConnectFailed => Self::ConnectFailed,
            Failure::UnknownChannelType => Self::Unsupported,
            Failure::ResourceShortage => Self::Exhausted,
            Failure::Other { reason, .. } => Self::Other(reason),
        }
    }
}

/// Why a private key file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It can't be opened or read.
    #[error("can't be read: {0}")]
    Read(#[source] io::Error),
    /// It is no private key in a format we know.
    #[error("is not a private key weir can read: {0}")]
    Parse(String),
    /// It has a passphrase, and `ssh-agent` doesn't hold it.
    #[error("has a passphrase and ssh-agent doesn't hold it; run `ssh-add {path}` first", path = .0.display())]
    Encrypted(PathBuf),
}

/// Every key was refused by the server.
#[derive(Debug, PartialEq, Eq)]
pub struct AuthRefused {
    /// `address:port`.
    pub address: String,
    /// The login name.
    pub user: String,
    /// The keys that were offered, in order.
    pub tried: Vec<TriedKey>,
    /// The methods the server would take, by their names in the protocol.
    pub server_takes: Vec<String>,
    /// What else is worth knowing: an agent that didn't answer, a second factor.
    pub notes: Vec<String>,
}

/// A key that was offered to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedKey {
    /// A file, or a key of the agent with its comment.
    pub origin: String,
    /// `SHA256:...`.
    pub fingerprint: String,
}

impl std::error::Error for AuthRefused {}

impl fmt::Display for AuthRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            user,
            tried,
            ..
        } = self;
        if tried.is_empty() {
            write!(f, "{address} was offered no key for user {user}")?;
        } else {
            write!(f, "{address} refused user {user}; tried")?;
            for (index, key) in tried.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(f, "{comma} {} ({})", key.origin, key.fingerprint)?;
            }
        }
        if !self.server_takes.is_empty() {
            write!(f, "; the server takes {}", self.server_takes.join(", "))?;
        }
        for note in &self.notes {
            write!(f, "; {note}")?;
        }
        write!(
            f,
            "; name a key with `private_key_file`, or add one of these to {user}'s authorized_keys"
        )
    }
}

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
        "{host}: its host key is unknown: the server presents {} {}{}; compare this with the machine's own \
         (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there), then put `host_key = \"{}\"` into its \
         host block or run `{}`",
        algorithm(offered), offered.fingerprint, searched(files), offered.line, keyscan(host)
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
        "{host}: its host key has changed: the server presents {} {}, but {known_at} says {}; either the machine \
         was rebuilt or someone stands between: compare both with the machine's own key, and only then {}",
        algorithm(offered), offered.fingerprint, known.fingerprint, mend(known_at, host, offered)
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
        "{host}: its host key {} is revoked at {location}; give the machine a new host key, and treat it as compromised until then",
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
    #[error(
        "{host}: its host certificate (authority at {location}) does not hold: {reason}; have the certificate issued anew"
    )]
    Certificate {
        /// The name looked up.
        host: String,
        /// The `@cert-authority` line.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
    /// A `known_hosts` file exists and can't be read or written.
    #[error("{host}: {} can't be {}: {cause}; mend the file or pin the key with `host_key`", file.display(), access.verb())]
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
    #[error(
        "{host}: {location} can't be understood ({reason}) and may revoke a key; mend or remove the line"
    )]
    Line {
        /// The name looked up.
        host: String,
        /// The line.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
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

/// The error output of a command on a line of its own, if there is any.
fn indent(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
