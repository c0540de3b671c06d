//! Why something could not be done on a host.

use std::io;
use std::sync::Arc;

use weir_agent::ClientError;
use weir_core::Diagnostic;

use crate::ssh::SshError;

/// Why something could not be done on a host. Shared by all who wait for the
/// same connection or the same answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum HostError {
    /// The way to the host failed.
    #[error("{0}")]
    Ssh(Arc<SshError>),
    /// This machine could not run something.
    #[error("{what}: {cause}")]
    Local { what: String, cause: Arc<io::Error> },
    /// A command on this machine failed.
    #[error("`{command}` ended with {status}: {stderr}")]
    Command {
        command: String,
        status: String,
        stderr: String,
    },
    /// Nothing answers on the agent's socket.
    #[error("no agent answers on {socket}; run `weir apply` to install or start it")]
    NoAgent { socket: String },
    /// The agent refused a request, or the conversation broke.
    #[error("{0}")]
    Agent(Arc<ClientError>),
    /// The agent's binary is for another processor.
    #[error(
        "its processor is {found} and the agent that this weir carries is for {ours}; run a weir built for {found}"
    )]
    Architecture { found: String, ours: &'static str },
    /// The host said something else than what the probe prints.
    #[error(
        "the probe's answer can't be understood: {answer:?}; check that the user's login shell prints nothing by itself"
    )]
    Probe { answer: String },
    /// After the installation another agent answers.
    #[error(
        "the agent that answers is {found} and not {ours}, which was just installed; check with `weir-agent --version` there whether another weir manages this host"
    )]
    OtherAgent { found: String, ours: String },
    /// Nobody has told the provider where this host is.
    #[error(
        "no site block describes it; add the host again, or drop its resources with `weir state rm`"
    )]
    NotDescribed,
}

impl From<SshError> for HostError {
    fn from(error: SshError) -> Self {
        Self::Ssh(Arc::new(error))
    }
}

impl From<ClientError> for HostError {
    fn from(error: ClientError) -> Self {
        Self::Agent(Arc::new(error))
    }
}

impl HostError {
    /// Whether asking again on a new stream may help: the old one had ended.
    pub(crate) fn is_hang_up(&self) -> bool {
        matches!(self, Self::Agent(error)
            if matches!(**error, ClientError::Frame(_) | ClientError::Closed))
    }

    /// Whether the agent that answers speaks another version of the wire.
    pub(crate) fn is_other_wire(&self) -> bool {
        matches!(self, Self::Agent(error)
            if matches!(**error, ClientError::WireVersion { .. }))
    }

    /// The error as a message about the resource at `address`, on `host`.
    pub(crate) fn diagnostic(&self, address: &str, host: &str) -> Diagnostic {
        let what = match self {
            Self::Ssh(error) => match **error {
                SshError::HostKey(_) => "did not prove who it is",
                SshError::AuthRefused(_) | SshError::KeyFile { .. } => "did not let weir log in",
                SshError::Unreachable { .. } | SshError::Timeout { .. } => "can't be reached",
                SshError::Bastion { .. } => "can't be reached through its bastion",
                SshError::Disconnected { .. } => "was lost",
                SshError::Remote { .. } => "failed to run a command",
                SshError::Handshake { .. } | SshError::Channel { .. } => "can't be talked to",
            },
            Self::Local { .. } | Self::Command { .. } => "failed to run a command",
            Self::NoAgent { .. } => "has no agent",
            Self::Agent(_) => "has an agent that did not do it",
            Self::Architecture { .. } => "has another processor",
            Self::Probe { .. } => "gave an unexpected answer",
            Self::OtherAgent { .. } => "has another agent",
            Self::NotDescribed => "is not known",
        };
        about(
            Diagnostic::error(format!("{address}: host {host} {what}")).because(self.to_string()),
            address,
        )
    }
}

/// The message with the instance it is about.
pub(crate) fn about(mut diagnostic: Diagnostic, address: &str) -> Diagnostic {
    diagnostic.address = address.parse().ok();
    diagnostic
}
