//! The client's side of the wire, over any stream.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::wire::frame::{self, FrameError};
use crate::wire::{
    Action, AgentError, Event, Hello, HostReport, HostSpec, Reply, Request, ShutdownOutcome,
    WIRE_VERSION,
};

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The agent answered with an error.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The stream failed.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The agent hung up before its answer was complete.
    #[error("the agent hung up before its answer was complete")]
    Closed,
    /// The agent speaks another version of the wire.
    #[error("the agent speaks wire version {agent} and weir speaks {WIRE_VERSION}")]
    WireVersion {
        /// The agent's.
        agent: u32,
    },
    /// The answer is not one to this request.
    #[error("the agent answered {0} with something else")]
    Unexpected(&'static str),
}

impl From<std::io::Error> for ClientError {
    fn from(error: std::io::Error) -> Self {
        Self::Frame(FrameError::Io(error))
    }
}

/// A conversation with one agent. One request at a time; a request that was dropped half-way
/// leaves the stream unusable, so drop the client with it. The agent goes on with an `apply`
/// whose client is gone.
#[derive(Debug)]
pub struct Client<S> {
    stream: S,
    agent: Hello,
}

/// Which log [`Client::logs`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogsRequest {
    /// The pod's scope.
    pub scope: String,
    /// The pod's name.
    pub pod: String,
    /// The task's name.
    pub task: String,
    /// How many of the last lines come first.
    pub lines: u64,
    /// Whether to go on with what is written from now on.
    pub follow: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client<S> {
    /// Greets the agent at the other end of `stream`.
    ///
    /// # Errors
    /// When the stream fails or the agent speaks another version of the wire.
    pub async fn connect(mut stream: S) -> Result<Self, ClientError> {
        frame::write(&mut stream, &Hello::ours()).await?;
        let agent: Hello = frame::read(&mut stream).await?.ok_or(ClientError::Closed)?;
        if agent.wire_version != WIRE_VERSION {
            return Err(ClientError::WireVersion {
                agent: agent.wire_version,
            });
        }
        Ok(Self { stream, agent })
    }

    /// What the agent said of itself.
    pub fn agent(&self) -> &Hello {
        &self.agent
    }

    /// What is on the host now: one scope, or all.
    ///
    /// # Errors
    /// When the agent refuses or the stream fails.
    pub async fn status(&mut self, scope: Option<&str>) -> Result<HostReport, ClientError> {
        let scope = scope.map(str::to_owned);
        self.send(&Request::Status { scope }).await?;
        match self.reply().await? {
            Reply::Report(report) => Ok(*report),
            _ => Err(ClientError::Unexpected("status")),
        }
    }

    /// Brings the host to `spec`, with each event as it comes. The report holds an error for
    /// each pod that failed.
    ///
    /// # Errors
    /// When the agent refuses the whole spec or the stream fails.
    pub async fn apply(
        &mut self,
        spec: HostSpec,
        mut on_event: impl FnMut(Event) + Send,
    ) -> Result<HostReport, ClientError> {
        self.send(&Request::Apply(spec)).await?;
        loop {
            match self.reply().await? {
                Reply::Event(event) => on_event(event),
                Reply::Report(report) => return Ok(*report),
                _ => return Err(ClientError::Unexpected("apply")),
            }
        }
    }

    /// Which of these blobs (lowercase hex sha256) the agent lacks.
    ///
    /// # Errors
    /// When the agent refuses or the stream fails.
    pub async fn have_blobs(&mut self, blobs: Vec<String>) -> Result<Vec<String>, ClientError> {
        self.send(&Request::HaveBlobs(blobs)).await?;
        match self.reply().await? {
            Reply::Blobs { missing } => Ok(missing),
            _ => Err(ClientError::Unexpected("have_blobs")),
        }
    }

    /// Sends a blob of exactly `size` bytes from `reader`; the agent verifies it.
    ///
    /// # Errors
    /// When the reader ends early, the agent refuses the blob or the stream fails.
    pub async fn put_blob<R: AsyncRead + Unpin + Send>(
        &mut self,
        sha256: &str,
        size: u64,
        reader: &mut R,
    ) -> Result<(), ClientError> {
        let sha256 = sha256.to_owned();
        self.send(&Request::PutBlob { sha256, size }).await?;
        let sent = tokio::io::copy(&mut reader.take(size), &mut self.stream).await?;
        self.stream.flush().await?;
        if sent < size {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        self.done("put_blob").await
    }

    /// Reads a task's log; with `follow` it ends only when the pod is removed, so drop the
    /// future (and the client) to end it.
    ///
    /// # Errors
    /// When there is no such task or the stream fails.
    pub async fn logs(
        &mut self,
        request: LogsRequest,
        mut on_text: impl FnMut(String) + Send,
    ) -> Result<(), ClientError> {
        let LogsRequest {
            scope,
            pod,
            task,
            lines,
            follow,
        } = request;
        self.send(&Request::Logs {
            scope,
            pod,
            task,
            lines,
            follow,
        })
        .await?;
        loop {
            match self.reply().await? {
                Reply::Log { text } => on_text(text),
                Reply::Done => return Ok(()),
                _ => return Err(ClientError::Unexpected("logs")),
            }
        }
    }

    /// Stops and removes everything of a scope; an unknown scope is no error.
    ///
    /// # Errors
    /// When something could not be removed or the stream fails.
    pub async fn forget(
        &mut self,
        scope: &str,
        mut on_event: impl FnMut(Event) + Send,
    ) -> Result<(), ClientError> {
        let scope = scope.to_owned();
        self.send(&Request::Forget { scope }).await?;
        loop {
            match self.reply().await? {
                Reply::Event(event) => on_event(event),
                Reply::Done => return Ok(()),
                _ => return Err(ClientError::Unexpected("forget")),
            }
        }
    }

    /// Ends the agent; see [`Request::Shutdown`].
    ///
    /// # Errors
    /// When the agent refuses or the stream fails.
    pub async fn shutdown(&mut self, if_idle: bool) -> Result<ShutdownOutcome, ClientError> {
        self.send(&Request::Shutdown { if_idle }).await?;
        match self.reply().await? {
            Reply::Shutdown(outcome) => Ok(outcome),
            _ => Err(ClientError::Unexpected("shutdown")),
        }
    }

    /// Acts on one task.
    ///
    /// # Errors
    /// When there is no such task, the action fails, or the stream fails.
    pub async fn control(
        &mut self,
        scope: &str,
        pod: &str,
        task: &str,
        action: Action,
    ) -> Result<(), ClientError> {
        self.send(&Request::Control {
            scope: scope.to_owned(),
            pod: pod.to_owned(),
            task: task.to_owned(),
            action,
        })
        .await?;
        self.done("control").await
    }

    async fn send(&mut self, request: &Request) -> Result<(), ClientError> {
        Ok(frame::write(&mut self.stream, request).await?)
    }

    async fn done(&mut self, request: &'static str) -> Result<(), ClientError> {
        match self.reply().await? {
            Reply::Done => Ok(()),
            _ => Err(ClientError::Unexpected(request)),
        }
    }

    async fn reply(&mut self) -> Result<Reply, ClientError> {
        match frame::read(&mut self.stream).await? {
            Some(Reply::Error(error)) => Err(error.into()),
            Some(reply) => Ok(reply),
            None => Err(ClientError::Closed),
        }
    }
}
