//! The socket: who asks is answered, one request at a time per connection.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::stat::{Mode, umask};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use weir_agent::wire::frame::{self, FrameError};
use weir_agent::wire::{
    AgentError, Hello, HostSpec, Reply, Request, ShutdownOutcome, TaskExec, WIRE_VERSION,
};

use super::apply::apply;
use super::events::Events;
use super::health::Order;
use super::proc;
use super::remove::forget;
use super::start::{Identity, Lock};
use super::status::UnitCache;
use super::task::TaskKey;
use super::{Agent, SYSTEM_PATH, control, disk, home, install, lock, logs, resume, systemd};

/// How often logs are looked at for rotation.
const ROTATION: Duration = Duration::from_secs(10);

/// Numbers the uploads of this run.
static UPLOADS: AtomicU64 = AtomicU64::new(0);

/// Why the agent could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// Something in its home or on its socket.
    #[error("{what}: {}", disk::cause(source))]
    Io {
        what: String,
        #[source]
        source: io::Error,
    },
    /// Another one has the same home.
    #[error("another agent runs with the home {0}")]
    Running(String),
    #[error("{0}")]
    Failed(String),
}

impl RunError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// Runs the agent until it is told to end. Tasks it supervises go on without it.
///
/// # Errors
/// When it can't start.
pub(crate) fn run(home: &Path, socket: Option<PathBuf>) -> Result<(), RunError> {
    let root = nix::unistd::geteuid().is_root();
    let home = std::path::absolute(home).map_err(RunError::io(home.display().to_string()))?;
    let layout = home::Home::new(home.clone());
    layout
        .prepare(root)
        .map_err(RunError::io(format!("the home {}", home.display())))?;
    let socket = socket.unwrap_or_else(|| layout.socket());
    let lock = Lock::take(&layout)?.ok_or_else(|| RunError::Running(home.display().to_string()))?;
    lock.write(&Identity::own(&socket)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::io("the runtime"))?;
    runtime.block_on(serve(home, &socket))
    // The lock goes with the process.
}

fn bind(socket: &Path) -> Result<UnixListener, RunError> {
    let what = format!("the socket {}", socket.display());
    if let Some(dir) = socket.parent() {
        home::make_dir(dir, 0o755).map_err(RunError::io(what.clone()))?;
    }
    // We hold the home's lock, so whoever left it there is gone.
    disk::remove_if_there(socket).map_err(RunError::io(what.clone()))?;
    // Never open to others, not even for a moment.
    let before = umask(Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(socket);
    umask(before);
    let listener = listener.map_err(RunError::io(what.clone()))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).map_err(RunError::io(what))?;
    Ok(listener)
}

/// Signals that whoever began the agent ignores, as `nohup` does, would be ignored by every task too.
/// One that is handled here is as it is by default in a program that is run (execve(2)).
fn heed_for_tasks() -> io::Result<()> {
    let ignored = proc::ignored_signals()?;
    for kind in [
        SignalKind::hangup(),
        SignalKind::quit(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ] {
        if ignored.contains(&kind.as_raw_value()) {
            // The handler stays when this end of it goes.
            drop(signal(kind)?);
        }
    }
    Ok(())
}

async fn serve(home: PathBuf, socket: &Path) -> Result<(), RunError> {
    let listener = bind(socket)?;
    heed_for_tasks().map_err(RunError::io("the signals that tasks may get"))?;
    let agent = Agent::new(home);
    resume::resume(&agent);
    let mut ending = agent.ending.subscribe();
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::io("SIGTERM"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::io("SIGINT"))?;
    let mut rotation = tokio::time::interval(ROTATION);
    loop {
        tokio::select! {
            connection = listener.accept() => match connection {
                Ok((stream, _)) => {
                    tokio::spawn(converse(Arc::clone(&agent), stream));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: others are freed in a moment.
                    agent.note(&format!("a connection failed: {}", disk::cause(&error)));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = ending.wait_for(|ending| *ending) => break,
            _ = rotation.tick() => logs::rotate_below(&agent.home.root().join("logs")),
        }
    }
    // Left behind it would only refuse.
    let _ = disk::remove_if_there(socket);
    Ok(())
}

async fn converse(agent: Arc<Agent>, stream: UnixStream) {
    let (mut reader, mut writer) = stream.into_split();
    let conversation = Conversation {
        agent: Arc::clone(&agent),
        reader: &mut reader,
        writer: &mut writer,
    };
    match conversation.run().await {
        Ok(()) => {}
        Err(FrameError::Json(error)) => {
            let message = error.to_string();
            // It may have hung up.
            let _ = frame::write(
                &mut writer,
                &Reply::Error(AgentError::BadRequest { message }),
            )
            .await;
        }
        // A client that hangs up is no news.
        Err(FrameError::Io(_)) => {}
        Err(error) => agent.note(&error.to_string()),
    }
}

struct Conversation<'a> {
    agent: Arc<Agent>,
    reader: &'a mut OwnedReadHalf,
    writer: &'a mut OwnedWriteHalf,
}

impl Conversation<'_> {
    async fn run(mut self) -> Result<(), FrameError> {
        let Some(hello) = frame::read::<Hello, _>(self.reader).await? else {
            return Ok(());
        };
        frame::write(self.writer, &Hello::ours()).await?;
        if hello.wire_version != WIRE_VERSION {
            let error = AgentError::WireVersion {
                have: WIRE_VERSION,
                got: hello.wire_version,
            };
            return self.reply(Reply::Error(error)).await;
        }
        while let Some(request) = frame::read::<Request, _>(self.reader).await? {
            let last = match self.answer(request).await? {
                Ok(reply) => reply,
                Err(error) => Reply::Error(error),
            };
            let ends = last == Reply::Shutdown(ShutdownOutcome::Stopping);
            self.reply(last).await?;
            if ends {
                self.agent.ending.send_replace(true);
                return Ok(());
            }
        }
        Ok(())
    }

    async fn reply(&mut self, reply: Reply) -> Result<(), FrameError> {
        frame::write(self.writer, &reply).await
    }

    /// The last frame of the answer; those before it are sent here. The outer error ends the
    /// conversation, the inner one only the request.
    async fn answer(&mut self, request: Request) -> Result<Result<Reply, AgentError>, FrameError> {
        let agent = Arc::clone(&self.agent);
        Ok(match request {
            Request::Status { scope } => status(&agent, scope.as_deref()).await,
            Request::Apply(spec) => return self.apply(spec).await,
            Request::HaveBlobs(blobs) => Ok(Reply::Blobs {
                missing: blobs
                    .into_iter()
                    .filter(|sha256| !is_sha256(sha256) || !agent.home.blob(sha256).exists())
                    .collect(),
            }),
            Request::PutBlob { sha256, size } => return self.put_blob(&sha256, size).await,
            Request::Logs {
                scope,
                pod,
                task,
                lines,
                follow,
            } => {
                let key = TaskKey { scope, pod, task };
                return self.logs(key, lines, follow).await;
            }
            Request::Forget { scope } => return self.forget(scope).await,
            Request::Shutdown { if_idle } => shutdown(&agent, if_idle).await.map(Reply::Shutdown),
            Request::Control {
                scope,
                pod,
                task,
                action,
            } => {
                let key = TaskKey { scope, pod, task };
                control::control(&agent, key, action)
                    .await
                    .map(|()| Reply::Done)
            }
        })
    }

    async fn apply(&mut self, spec: HostSpec) -> Result<Result<Reply, AgentError>, FrameError> {
        let (out, events) = mpsc::unbounded_channel();
        let agent = Arc::clone(&self.agent);
        // A task of its own: the work goes on when the client hangs up.
        let work = tokio::spawn(async move {
            let scope = spec.scope.clone();
            let units = Arc::new(UnitCache::default());
            apply(&agent, spec, &Events::to(out), &units).await?;
            Ok(Reply::Report(Box::new(
                agent.report(Some(&scope), &units).await,
            )))
        });
        self.forward(events).await?;
        Ok(join(work.await))
    }

    async fn forget(&mut self, scope: String) -> Result<Result<Reply, AgentError>, FrameError> {
        let (out, events) = mpsc::unbounded_channel();
        let agent = Arc::clone(&self.agent);
        let work = tokio::spawn(async move {
            forget(&agent, &scope, &Events::to(out)).await?;
            Ok(Reply::Done)
        });
        self.forward(events).await?;
        Ok(join(work.await))
    }

    async fn forward(
        &mut self,
        mut events: mpsc::UnboundedReceiver<weir_agent::wire::Event>,
    ) -> Result<(), FrameError> {
        while let Some(event) = events.recv().await {
            self.reply(Reply::Event(event)).await?;
        }
        Ok(())
    }

    async fn put_blob(
        &mut self,
        sha256: &str,
        size: u64,
    ) -> Result<Result<Reply, AgentError>, FrameError> {
        if !is_sha256(sha256) {
            // What follows can't be told from the next request.
            let message = format!("{sha256:?} is not a sha256");
            self.reply(Reply::Error(AgentError::BadRequest { message }))
                .await?;
            return Err(FrameError::Io(io::ErrorKind::InvalidData.into()));
        }
        let path = self.agent.home.blob(sha256);
        // Two clients may send the same blob at once.
        let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("part-{number}"));
        let received = receive(self.reader, &temporary, size).await?;
        let io = |error: io::Error| AgentError::Io {
            what: format!("blob {sha256} can't be written"),
            message: disk::cause(&error),
        };
        let result = match received {
            Ok(got) if got == sha256 => fs::rename(&temporary, &path)
                .and_then(|()| disk::sync_dir(&self.agent.home.blobs()))
                .map(|()| Reply::Done)
                .map_err(io),
            Ok(got) => Err(AgentError::BadBlob {
                expected: sha256.to_owned(),
                got,
            }),
            Err(error) => Err(io(error)),
        };
        if result.is_err() {
            // The first error is the one to tell.
            let _ = disk::remove_if_there(&temporary);
        }
        Ok(result)
    }

    async fn logs(
        &mut self,
        key: TaskKey,
        lines: u64,
        follow: bool,
    ) -> Result<Result<Reply, AgentError>, FrameError> {
        let unknown = |what: &str, name: &str| {
            Ok(Err(AgentError::Unknown {
                what: what.to_owned(),
                name: name.to_owned(),
            }))
        };
        let Some(scope) = self.agent.scope(&key.scope) else {
            return unknown("scope", &key.scope);
        };
        let Some(pod) = scope.pod(&key.pod) else {
            return unknown("pod", &key.pod);
        };
        let Some(task) = pod.spec.tasks.iter().find(|task| task.name == key.task) else {
            return unknown("task", &key.task);
        };
        if let TaskExec::Unit { name } = &task.exec {
            return self.journal(&systemd::full_name(name), lines, follow).await;
        }
        let path = self
            .agent
            .home
            .pod(&key.scope, &pod.spec.slug)
            .log(&key.task);
        let (text, end) = match logs::tail(&path, lines) {
            Ok(tail) => tail,
            Err(error) => {
                return Ok(Err(AgentError::Io {
                    what: path.display().to_string(),
                    message: disk::cause(&error),
                }));
            }
        };
        if !text.is_empty() {
            self.reply(Reply::Log { text }).await?;
        }
        if follow {
            let (out, mut texts) = mpsc::channel(16);
            let following = tokio::spawn(logs::follow(path, end, out));
            loop {
                let text = tokio::select! {
                    text = texts.recv() => text,
                    // Nothing is sent while we follow but the end.
                    _ = self.reader.readable() => {
                        if hung_up(self.reader)? { None } else { continue }
                    }
                };
                match text {
                    Some(text) => self.reply(Reply::Log { text }).await?,
                    None => break,
                }
            }
            following.abort();
        }
        Ok(Ok(Reply::Done))
    }

    /// The log of a unit that is not ours.
    async fn journal(
        &mut self,
        unit: &str,
        lines: u64,
        follow: bool,
    ) -> Result<Result<Reply, AgentError>, FrameError> {
        let mut command = tokio::process::Command::new("journalctl");
        command
            .args([
                "--no-pager",
                "-q",
                "-o",
                "short-iso",
                "-n",
                &lines.to_string(),
            ])
            .args(follow.then_some("-f"))
            .args(["-u", unit])
            .env("PATH", SYSTEM_PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                return Ok(Err(AgentError::Io {
                    what: "journalctl can't be run".to_owned(),
                    message: disk::cause(&error),
                }));
            }
        };
        let Some(mut output) = child.stdout.take() else {
            return Ok(Ok(Reply::Done));
        };
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = tokio::select! {
                count = output.read(&mut buffer) => count?,
                _ = self.reader.readable() => {
                    if hung_up(self.reader)? { 0 } else { continue }
                }
            };
            if count == 0 {
                return Ok(Ok(Reply::Done));
            }
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            self.reply(Reply::Log { text }).await?;
        }
    }
}

/// Whether the client is gone; what it sends while it should listen ends the conversation.
fn hung_up(reader: &OwnedReadHalf) -> Result<bool, FrameError> {
    match reader.try_read(&mut [0]) {
        Ok(0) => Ok(true),
        Ok(_) => Err(FrameError::Io(io::ErrorKind::InvalidData.into())),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn join(
    result: Result<Result<Reply, AgentError>, tokio::task::JoinError>,
) -> Result<Reply, AgentError> {
    result.unwrap_or_else(|error| {
        Err(AgentError::Io {
            what: "the work broke off".to_owned(),
            message: error.to_string(),
        })
    })
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
}

/// Takes exactly `size` bytes from the stream, also when they can't be written, so that the
/// conversation can go on. The outer error is the stream's, the inner one the disk's.
async fn receive(
    reader: &mut OwnedReadHalf,
    path: &Path,
    size: u64,
) -> io::Result<io::Result<String>> {
    let mut file = tokio::fs::File::create(path).await;
    let mut hasher = Sha256::new();
    let mut left = size;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = reader.read(&mut buffer[..most]).await?;
        if count == 0 {
            // The bytes that came are worth nothing.
            let _ = disk::remove_if_there(path);
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        left -= count as u64;
        hasher.update(&buffer[..count]);
        if let Ok(open) = &mut file
            && let Err(error) = open.write_all(&buffer[..count]).await
        {
            file = Err(error);
        }
    }
    let mut file = match file {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = file.flush().await {
        return Ok(Err(error));
    }
    Ok(file
        .sync_all()
        .await
        .map(|()| disk::hex(&hasher.finalize())))
}

async fn status(agent: &Agent, scope: Option<&str>) -> Result<Reply, AgentError> {
    if let Some(scope) = scope {
        agent.refuse_corrupt(scope)?;
    }
    let units = UnitCache::default();
    Ok(Reply::Report(Box::new(agent.report(scope, &units).await)))
}

async fn shutdown(agent: &Agent, if_idle: bool) -> Result<ShutdownOutcome, AgentError> {
    let scopes: Vec<String> = agent
        .all_scopes()
        .iter()
        .map(|scope| scope.name.clone())
        .collect();
    if !if_idle {
        let handles: Vec<_> = lock(&agent.tasks).values().cloned().collect();
        let mut stopping = tokio::task::JoinSet::new();
        for handle in handles {
            stopping.spawn(async move { handle.order(Order::Stop).await });
        }
        while let Some(stopped) = stopping.join_next().await {
            if let Ok(Err(message)) = stopped {
                agent.note(&message);
            }
        }
        return Ok(ShutdownOutcome::Stopping);
    }
    if !scopes.is_empty() {
        return Ok(ShutdownOutcome::Busy { scopes });
    }
    install::uninstall(agent.home.root())
        .await
        .and_then(|()| disk::remove_tree(agent.home.root()).map_err(|error| disk::cause(&error)))
        .map_err(|message| AgentError::Io {
            what: "the agent can't remove itself".to_owned(),
            message,
        })?;
    Ok(ShutdownOutcome::Stopping)
}

/// Joins stdin and stdout to the socket, for hosts whose sshd forwards no sockets.
///
/// # Errors
/// When nothing answers at the socket.
pub(crate) fn connect(socket: &Path) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::io("the runtime"))?;
    let done = runtime.block_on(async {
        let stream = UnixStream::connect(socket)
            .await
            .map_err(RunError::io(format!("the socket {}", socket.display())))?;
        let (mut reader, mut writer) = stream.into_split();
        let mut input = tokio::io::stdin();
        let mut output = tokio::io::stdout();
        // Either side's end is the end.
        tokio::select! {
            sent = tokio::io::copy(&mut input, &mut writer) => sent.map(drop),
            received = copy_flushed(&mut reader, &mut output) => received,
        }
        .map_err(RunError::io("the connection"))
    });
    // A read of stdin may hang for ever in its thread.
    runtime.shutdown_background();
    done
}

async fn copy_flushed(from: &mut OwnedReadHalf, to: &mut tokio::io::Stdout) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            count => {
                to.write_all(&buffer[..count]).await?;
                to.flush().await?;
            }
        }
    }
}
