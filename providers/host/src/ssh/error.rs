//! Everything that can go wrong between this machine and a host.
//!
//! A message names the object first, then what happened and why, then the next
//! step. [`SshError`] is cheap to move: what is large is boxed.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::host_key_error::HostKeyError;
use super::session::ExitStatus;

/// Why a machine could not be reached or used over SSH.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// No TCP connection: refused, no route, or a name that doesn't resolve.
    #[error("no connection to {address}: {}", plain(cause))]
    Unreachable {
        /// `address:port`.
        address: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A phase of the connection took longer than its limit.
    #[error("{address} gave no answer within {} s during {phase}", after.as_secs_f32())]
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
    #[error("{address}: the SSH key exchange failed: {cause}")]
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
    #[error("the connection to {address} was lost: {cause}")]
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

impl SshError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unreachable { address, .. } => {
                format!("Check that the machine is up and that {address} is right.")
            }
            Self::Timeout { address, .. } => format!(
                "Check that the machine is up and that no firewall drops packets to {address}."
            ),
            Self::HostKey(error) => error.help(),
            Self::Handshake { address, .. } => {
                format!("Check that an SSH server listens at {address}.")
            }
            Self::AuthRefused(refused) => format!(
                "Name a key with `private_key_file`, or add one of yours to {}'s authorized_keys there.",
                refused.user
            ),
            Self::KeyFile { path, cause } => match cause {
                KeyFileError::Encrypted => {
                    format!("Run `ssh-add {}` first.", path.display())
                }
                _ => "Name another file with `private_key_file`.".into(),
            },
            Self::Bastion { source, .. } => source.help(),
            Self::Disconnected { .. } => {
                "Run the command again once the machine answers: it goes on where it stopped."
                    .into()
            }
            Self::Channel { .. } => "Check its sshd_config.".into(),
            Self::Remote { address, .. } => {
                format!("Log in to {address} and run the command by hand to see more.")
            }
        }
    }
}

/// What the operating system said, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
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
    #[error("has a passphrase, and ssh-agent doesn't hold it")]
    Encrypted,
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
        Ok(())
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
