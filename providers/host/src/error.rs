//! Why something could not be done on a host.

use std::io;
use std::sync::Arc;

use weir_agent::ClientError;
use weir_agent::wire::AgentError;
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
    /// A file to be uploaded is another one.
    #[error("the file {path} has sha256 {found}, and the stack says {asked}")]
    OtherFile {
        path: String,
        asked: String,
        found: String,
    },
    /// A command on this machine failed.
    #[error("`{command}` ended with {status}: {stderr}")]
    Command {
        command: String,
        status: String,
        stderr: String,
    },
    /// Nothing answers on the agent's socket.
    #[error("no agent answers on {socket}")]
    NoAgent { socket: String },
    /// The agent refused a request, or the conversation broke.
    #[error("{0}")]
    Agent(Arc<ClientError>),
    /// The agent's binary is for another processor.
    #[error("its processor is {found} and the agent that this weir carries is for {ours}")]
    Architecture { found: String, ours: &'static str },
    /// The host said something else than what the probe prints.
    #[error("the probe's answer can't be understood: {answer:?}")]
    Probe { answer: String },
    /// After the installation another agent answers.
    #[error("the agent that answers is {found} and not {ours}, which was just installed")]
    OtherAgent { found: String, ours: String },
    /// Nobody has told the provider where this host is.
    #[error("no site block describes it, and state doesn't say where it is")]
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
        match self {
            Self::Agent(error) => matches!(**error, ClientError::Frame(_) | ClientError::Closed),
            Self::Ssh(error) => matches!(**error, SshError::Disconnected { .. }),
            _ => false,
        }
    }

    /// Whether it may be because the machine still boots: while it is set up, its SSH server may
    /// show another key than it will, or not know ours yet. Waiting trusts it in nothing.
    pub(crate) fn may_boot(&self) -> bool {
        let Self::Ssh(error) = self else {
            return false;
        };
        matches!(
            **error,
            SshError::Unreachable { .. }
                | SshError::Timeout { .. }
                | SshError::Handshake { .. }
                | SshError::HostKey(_)
                | SshError::AuthRefused(_)
        )
    }

    /// The pod for whose sake the agent refused a goal as a whole.
    pub(crate) fn invalid_pod(&self) -> Option<&str> {
        let Self::Agent(error) = self else {
            return None;
        };
        match &**error {
            ClientError::Agent(AgentError::InvalidSpec { pod, .. }) => Some(pod),
            _ => None,
        }
    }

    /// Whether the agent that answers speaks another version of the wire.
    pub(crate) fn is_other_wire(&self) -> bool {
        matches!(self, Self::Agent(error)
            if matches!(**error, ClientError::WireVersion { .. }))
    }

    /// The error as a message about the resource at `address`, on `host`.
    pub(crate) fn diagnostic(&self, address: &str, host: &str) -> Diagnostic {
        let diagnostic = self.of_host(host);
        let summary = match self {
            Self::OtherFile { path, .. } => {
                format!("artifact {path} has another sha256 than the stack says")
            }
            _ => diagnostic.summary.clone(),
        };
        let summary = format!("{address}: {summary}");
        about(
            Diagnostic {
                summary,
                ..diagnostic
            },
            address,
        )
    }

    /// The error as a message about `host` itself: equal for all that is on it.
    pub(crate) fn of_host(&self, host: &str) -> Diagnostic {
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
            Self::Local { .. } | Self::OtherFile { .. } => "can't be given what it needs",
            Self::Command { .. } => "failed to run a command",
            Self::NoAgent { .. } => "has no agent",
            Self::Agent(error) => of_agent(error),
            Self::Architecture { .. } => "has another processor",
            Self::Probe { .. } => "gave an unexpected answer",
            Self::OtherAgent { .. } => "has another agent",
            Self::NotDescribed => "is not known",
        };
        let diagnostic = Diagnostic::error(format!("host {host} {what}"));
        let mut diagnostic = diagnostic.because(sentence(&self.to_string()));
        diagnostic.help = self.help();
        diagnostic
    }

    /// What to do next, where the cause doesn't say it.
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Ssh(error) => error.help(),
            Self::NoAgent { .. } => "Run `weir apply`: it installs or starts the agent.".into(),
            Self::Architecture { found, .. } => format!("Run a weir that is built for {found}."),
            Self::Probe { .. } => {
                "Check that the user's login shell prints nothing by itself.".into()
            }
            Self::OtherAgent { .. } => {
                "Check whether another weir manages this host: only one agent fits there.".into()
            }
            Self::OtherFile { found, .. } => {
                format!("If the file is right, set `sha256 = \"{found}\"`.")
            }
            Self::NotDescribed => {
                "Add the host to its site block again, or drop its resources with `weir state rm`."
                    .into()
            }
            Self::Agent(error) => match &**error {
                ClientError::Agent(AgentError::Io { message, .. })
                    if message.contains("No space left") =>
                {
                    "Free space on the host's disk, then run `weir apply` again.".into()
                }
                ClientError::Frame(_) | ClientError::Closed => {
                    "Run `weir apply` again: the agent keeps its goal and goes on.".into()
                }
                _ => return None,
            },
            Self::Local { .. } | Self::Command { .. } => return None,
        })
    }
}

/// What an agent's error says of its host.
fn of_agent(error: &ClientError) -> &'static str {
    match error {
        ClientError::Agent(error) => match error {
            AgentError::Io { .. } | AgentError::CorruptLedger { .. } => {
                "has an agent that could not go on"
            }
            AgentError::OlderGeneration { .. }
            | AgentError::GenerationReused { .. }
            | AgentError::InvalidSpec { .. } => "refused the change",
            AgentError::WireVersion { .. } => "has an agent of another version",
            AgentError::Unknown { .. } => "does not know it",
            _ => "could not do it",
        },
        ClientError::Frame(_) | ClientError::Closed => "has an agent that hung up",
        ClientError::WireVersion { .. } | ClientError::Unexpected(_) => {
            "has an agent of another version"
        }
    }
}

/// A cause as a sentence: errors are written to follow a colon. Names and quoted output stay as
/// they are.
pub(crate) fn sentence(text: &str) -> String {
    const COMMANDS: [&str; 3] = ["dpkg", "journalctl", "systemctl"];
    let text = text.trim_end();
    let first = text.split(' ').next().unwrap_or_default();
    let is_word = first.chars().all(|c| c.is_ascii_lowercase()) && !COMMANDS.contains(&first);
    let mut sentence = text.to_owned();
    if is_word && let Some(letter) = sentence.get_mut(..1) {
        letter.make_ascii_uppercase();
    }
    if !text.contains('\n') && !text.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// The message with the instance it is about.
pub(crate) fn about(mut diagnostic: Diagnostic, address: &str) -> Diagnostic {
    diagnostic.address = address.parse().ok();
    diagnostic
}
