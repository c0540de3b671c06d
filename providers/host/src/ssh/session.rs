//! An authenticated connection: commands, unix sockets, files.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelStream, ChannelWriteHalf, Disconnect, Sig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connect::{ClientHandler, Ended};
use super::endpoint::{Hop, authority};
use super::error::{ChannelKind, Refusal, SshError};
use super::shell;

/// Commands in flight on one connection. sshd counts sessions (`MaxSessions`,
/// 10 by default) until it has reaped their processes, a little after we saw
/// them end: with 8 in flight some opens fail, with 4 none do.
const COMMANDS: usize = 4;
/// Streams through commands open at once, on top of the commands.
const BRIDGES: usize = 4;
/// How long a command waits for a server that has no room for a session.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
/// Wait before the second attempt; it doubles each time, up to the second value.
const OPEN_PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));
/// How much of a command and of its error output a message carries.
const SHOWN: usize = 600;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExitStatus {
    /// By itself, with this status.
    Code(u32),
    /// Killed by this signal, named as in the protocol (`TERM`, `KILL`).
    Signal(String),
    /// The channel closed before the server told.
    Unknown,
}

impl ExitStatus {
    /// Whether the command ended with status 0.
    #[must_use]
    pub fn success(&self) -> bool {
        *self == Self::Code(0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "status {code}"),
            Self::Signal(name) => write!(f, "signal {name}"),
            Self::Unknown => f.write_str("no status"),
        }
    }
}

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything it wrote to stdout.
    pub stdout: Vec<u8>,
    /// Everything it wrote to stderr.
    pub stderr: Vec<u8>,
}

/// A connection to one machine. Clones share it; it closes when the last clone
/// and the last stream are gone, or with [`Session::close`].
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle<ClientHandler>,
    address: String,
    user: String,
    ended: Ended,
    commands: Arc<Semaphore>,
    bridges: Arc<Semaphore>,
    /// The bastion this connection runs through lives as long as it does.
    _via: Option<Session>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("address", &self.inner.address)
            .field("user", &self.inner.user)
            .field("closed", &self.is_closed())
            .finish()
    }
}

impl Session {
    pub(super) fn new(
        handle: Handle<ClientHandler>,
        hop: &Hop,
        ended: Ended,
        via: Option<Session>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                handle,
                address: hop.to_string(),
                user: hop.user.clone(),
                ended,
                commands: Arc::new(Semaphore::new(COMMANDS)),
                bridges: Arc::new(Semaphore::new(BRIDGES)),
                _via: via,
            }),
        }
    }

    /// `address:port` of the machine.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.inner.address
    }

    /// The login name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.inner.user
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.handle.is_closed()
    }

    /// Why the connection has ended, if it has.
    #[must_use]
    pub fn lost(&self) -> Option<SshError> {
        self.is_closed().then(|| self.disconnected())
    }

    /// Runs a command by the user's login shell and waits for its end, feeding
    /// it `stdin`. At most 4 run at once; others wait their turn.
    ///
    /// # Errors
    /// `Disconnected` or `Channel`. A command that fails is no error here: see
    /// [`Session::run`].
    pub async fn exec(&self, command: &str, stdin: &[u8]) -> Result<Output, SshError> {
        let _permit = self.permit(&self.inner.commands).await?;
        let channel = self.open_session().await?;
        let lost = |_| self.disconnected();
        channel.exec(true, command).await.map_err(lost)?;
        let (mut reader, writer) = channel.split();
        let mut writer = CommandGuard(Some(writer));
        // Reading goes on while we write: a command that echoes its input would
        // otherwise block on us, and we on it.
        let feed = async {
            if let Some(writer) = &writer.0 {
                // A command may end without reading all of its input.
                let mut input = writer.make_writer();
                let _ = input.write_all(stdin).await;
                let _ = writer.eof().await;
            }
        };
        let drain = async {
            let mut output = Output {
                status: ExitStatus::Unknown,
                stdout: Vec::new(),
                stderr: Vec::new(),
            };
            // The exit status may come before the end of the output: read on.
            while let Some(message) = reader.wait().await {
                match message {
                    ChannelMsg::Data { data } => output.stdout.extend_from_slice(&data),
                    ChannelMsg::ExtendedData { data, .. } => output.stderr.extend_from_slice(&data),
                    ChannelMsg::ExitStatus { exit_status } => {
                        output.status = ExitStatus::Code(exit_status);
                    }
                    ChannelMsg::ExitSignal { signal_name, .. } => {
                        output.status = ExitStatus::Signal(signal_name_of(&signal_name));
                    }
                    ChannelMsg::Failure => return Err(self.refused(Refusal::Command)),
                    ChannelMsg::Close => break,
                    _ => {}
                }
            }
            Ok(output)
        };
        let output = until_second(feed, drain).await?;
        writer.ended().await;
        if output.status == ExitStatus::Unknown && self.is_closed() {
            return Err(self.disconnected());
        }
        Ok(output)
    }

    /// Like [`Session::exec`], and a command that fails is an error.
    ///
    /// # Errors
    /// As `exec`, and `Remote` for a status other than 0.
    pub async fn run(&self, command: &str, stdin: &[u8]) -> Result<Output, SshError> {
        let output = self.exec(command, stdin).await?;
        if output.status.success() {
            return Ok(output);
        }
        Err(SshError::Remote {
            address: self.inner.address.clone(),
            command: shorten(command),
            status: output.status,
            stderr: shorten(&String::from_utf8_lossy(&output.stderr)),
        })
    }

    /// A stream to a unix socket on the machine, with no process of ours in
    /// between. Needs `AllowStreamLocalForwarding`, sshd's default.
    ///
    /// # Errors
    /// `Channel` with `ConnectFailed` when nobody listens there (or forwarding
    /// is off: OpenSSH gives one code for both); `Disconnected`.
    pub async fn open_unix(&self, path: &str) -> Result<Stream, SshError> {
        let opened = self
            .inner
            .handle
            .channel_open_direct_streamlocal(path)
            .await;
        let channel = opened.map_err(|e| self.open_error(e, ChannelKind::Unix(path.to_owned())))?;
        Ok(self.stream(channel, None))
    }

    /// A TCP connection that starts on the machine.
    ///
    /// # Errors
    /// `Channel` when the machine can't connect or may not; `Disconnected`.
    pub async fn open_tcp(&self, address: &str, port: u16) -> Result<Stream, SshError> {
        let opened = self
            .inner
            .handle
            .channel_open_direct_tcpip(address, u32::from(port), "127.0.0.1", 0)
            .await;
        let kind = || ChannelKind::Tcp(authority(address, port));
        let channel = opened.map_err(|e| self.open_error(e, kind()))?;
        Ok(self.stream(channel, None))
    }

    /// A command's stdin and stdout as a stream: the way to a socket where the
    /// server forbids forwarding. Its stderr is dropped. At most 4 at once.
    ///
    /// # Errors
    /// `Disconnected` or `Channel`.
    pub async fn bridge(&self, command: &str) -> Result<Stream, SshError> {
        let permit = self.permit(&self.inner.bridges).await?;
        let channel = self.open_session().await?;
        channel
            .exec(false, command)
            .await
            .map_err(|_| self.disconnected())?;
        Ok(self.stream(channel, Some(permit)))
    }

    /// Writes a file in one round trip, all of it or nothing: the bytes go to a
    /// new file beside it, whose size is checked before it takes the name.
    /// Absent folders are made; `mode` is the permission bits (`0o755`).
    ///
    /// # Errors
    /// `Remote` with the shell's words (disk full, permission); `Disconnected`.
    pub async fn upload(&self, path: &str, bytes: &[u8], mode: u32) -> Result<(), SshError> {
        self.run(&shell::upload(path, bytes.len(), mode), bytes)
            .await
            .map(drop)
    }

    /// Says goodbye. Streams and commands that are still open end.
    pub async fn close(&self) {
        // An error means that the connection is closed already.
        let _ = self
            .inner
            .handle
            .disconnect(Disconnect::ByApplication, "", "en")
            .await;
    }

    async fn permit(&self, semaphore: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, SshError> {
        Arc::clone(semaphore)
            .acquire_owned()
            .await
            .map_err(|_| self.disconnected())
    }

    /// Opens a session channel, waiting a little where the server is full:
    /// other clients of the user don't count, but our own last ones may.
    async fn open_session(&self) -> Result<Channel<Msg>, SshError> {
        let (mut pause, longest) = OPEN_PAUSE;
        let give_up = Instant::now() + OPEN_PATIENCE;
        loop {
            match self.inner.handle.channel_open_session().await {
                Ok(channel) => return Ok(channel),
                Err(russh::Error::ChannelOpenFailure(_)) if Instant::now() < give_up => {
                    tokio::time::sleep(pause).await;
                    pause = longest.min(pause * 2);
                }
                // For a session "connect failed" means that there is no room.
                Err(russh::Error::ChannelOpenFailure(russh::ChannelOpenFailure::ConnectFailed)) => {
                    return Err(self.refused(Refusal::Exhausted));
                }
                Err(error) => return Err(self.open_error(error, ChannelKind::Session)),
            }
        }
    }

    fn stream(&self, channel: Channel<Msg>, permit: Option<OwnedSemaphorePermit>) -> Stream {
        Stream {
            channel: channel.into_stream(),
            _session: self.clone(),
            _permit: permit,
        }
    }

    fn open_error(&self, error: russh::Error, channel: ChannelKind) -> SshError {
        match error {
            russh::Error::ChannelOpenFailure(failure) => SshError::Channel {
                address: self.inner.address.clone(),
                channel,
                refusal: failure.into(),
            },
            _ => self.disconnected(),
        }
    }

    fn refused(&self, refusal: Refusal) -> SshError {
        SshError::Channel {
            address: self.inner.address.clone(),
            channel: ChannelKind::Session,
            refusal,
        }
    }

    fn disconnected(&self) -> SshError {
        SshError::Disconnected {
            address: self.inner.address.clone(),
            cause: self.inner.ended.reason(),
        }
    }
}

/// Drives both, and ends with the second: whoever feeds a command that has
/// ended would wait for ever for it to read on.
async fn until_second<T>(first: impl Future<Output = ()>, second: impl Future<Output = T>) -> T {
    let mut second = std::pin::pin!(second);
    tokio::select! {
        biased;
        done = &mut second => done,
        () = first => second.await,
    }
}

/// Ends a command whose caller has given up on it: sshd would count it as a
/// session until it ends by itself. (Where the user is root, sshd passes no
/// signal on; the command then ends when it next writes.)
struct CommandGuard(Option<ChannelWriteHalf<Msg>>);

impl CommandGuard {
    /// The command has ended: only its channel is left to close.
    async fn ended(&mut self) {
        if let Some(writer) = self.0.take() {
            // An error means that the connection is closed already.
            let _ = writer.close().await;
        }
    }
}

impl Drop for CommandGuard {
    fn drop(&mut self) {
        let Some(writer) = self.0.take() else { return };
        // Without a runtime the connection itself is gone.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = writer.signal(Sig::TERM).await;
                let _ = writer.close().await;
            });
        }
    }
}

/// A stream to something on the machine. Dropping it closes its channel.
pub struct Stream {
    channel: ChannelStream<Msg>,
    _session: Session,
    _permit: Option<OwnedSemaphorePermit>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.channel).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.channel).poll_shutdown(cx)
    }
}

fn signal_name_of(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}

/// The beginning of a text, cut at a character.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
