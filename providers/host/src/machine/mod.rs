//! A machine on which commands run: over SSH, or this one.

pub(crate) mod bootstrap;
mod local;

use std::fmt::Debug;

use tokio::io::{AsyncRead, AsyncWrite};

pub use bootstrap::AgentBinary;
pub(crate) use bootstrap::Layout;

use crate::error::HostError;
use crate::ssh::{ChannelKind, Refusal, Session, SshError, shell};

/// A stream to an agent.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Debug + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Debug + Unpin + Send> Duplex for T {}

/// A machine at hand.
#[derive(Debug, Clone)]
pub(crate) enum Machine {
    /// This one.
    Local,
    /// At the other end of a session.
    Remote(Session),
}

impl Machine {
    /// Whether it can still be used.
    pub(crate) fn is_usable(&self) -> bool {
        match self {
            Self::Local => true,
            Self::Remote(session) => !session.is_closed(),
        }
    }

    /// Runs a command line by a shell; one that fails is an error. Its stdout.
    pub(crate) async fn run(&self, command: &str) -> Result<String, HostError> {
        let stdout = match self {
            Self::Local => local::run(command, &[]).await?,
            Self::Remote(session) => session.run(command, &[]).await?.stdout,
        };
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }

    /// Writes a file: all of it or nothing.
    pub(crate) async fn upload(
        &self,
        path: &str,
        bytes: &[u8],
        mode: u32,
    ) -> Result<(), HostError> {
        match self {
            Self::Local => {
                let command = shell::upload(path, bytes.len(), mode);
                local::run(&command, bytes).await.map(drop)
            }
            Self::Remote(session) => Ok(session.upload(path, bytes, mode).await?),
        }
    }

    /// A stream to the agent's socket.
    pub(crate) async fn dial(&self, layout: &Layout) -> Result<Box<dyn Duplex>, HostError> {
        let socket = &layout.socket;
        match self {
            Self::Local => local::dial(socket).await,
            Self::Remote(session) => match session.open_unix(socket).await {
                Ok(stream) => Ok(Box::new(stream)),
                // sshd has one answer for "nobody there" and "not allowed":
                // the agent's own binary can tell.
                Err(SshError::Channel {
                    channel: ChannelKind::Unix(_),
                    refusal: Refusal::ConnectFailed | Refusal::Prohibited | Refusal::Unsupported,
                    ..
                }) => Ok(Box::new(session.bridge(&layout.bridge()).await?)),
                Err(error) => Err(error.into()),
            },
        }
    }
}
