//! `start`: the agent as a daemon on hosts without systemd; and the lock that makes it the only
//! one of its home.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::home::Home;
use super::ledger::Process;
use super::server::RunError;
use super::{disk, logs, proc};

/// The hidden subcommand: as `run`, in a session of its own.
pub(crate) const SUBCOMMAND: &str = "daemon";
/// How long an agent has to answer or to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which agent runs; it is what the lock file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) version: String,
    pub(crate) sha256: String,
    pub(crate) socket: PathBuf,
    pub(crate) process: Process,
}

impl Identity {
    pub(crate) fn own(socket: &Path) -> Result<Self, RunError> {
        let sha256 = disk::sha256_file("/proc/self/exe".as_ref())
            .map_err(RunError::io("the agent's own executable"))?;
        let process = proc::identify(std::process::id())
            .ok_or_else(|| RunError::Failed("/proc is not mounted".to_owned()))?;
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256,
            socket: std::path::absolute(socket).map_err(RunError::io("the socket"))?,
            process,
        })
    }

    /// The agent that holds the lock, if one does.
    pub(crate) fn read(home: &Home) -> Option<Self> {
        let identity: Self = serde_json::from_slice(&std::fs::read(home.lock()).ok()?).ok()?;
        proc::is_alive(identity.process).then_some(identity)
    }
}

/// The lock of a home, held as long as its agent lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: Flock<File>,
}

impl Lock {
    /// Takes the lock; None when another agent has it.
    pub(crate) fn take(home: &Home) -> Result<Option<Self>, RunError> {
        let path = home.lock();
        let what = format!("the lock {}", path.display());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(RunError::io(what.clone()))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Some(Self { file })),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, error)) => Err(RunError::io(what)(error.into())),
        }
    }

    pub(crate) fn write(&self, identity: &Identity) -> Result<(), RunError> {
        let text =
            serde_json::to_vec(identity).map_err(|error| RunError::Failed(error.to_string()))?;
        let mut file: &File = &self.file;
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(&text))
            .map_err(RunError::io("the lock"))
    }
}

/// Makes sure that this very agent runs as a daemon with this home; true when it had to be
/// started. Another version is replaced: it leaves its tasks running, and we take them over.
///
/// # Errors
/// When it does not come up; the end of its log is in the message.
pub(crate) fn start(home: &Path, socket: Option<PathBuf>) -> Result<(bool, Identity), RunError> {
    let home = std::path::absolute(home).map_err(RunError::io(home.display().to_string()))?;
    let layout = Home::new(home.clone());
    layout
        .prepare(nix::unistd::geteuid().is_root())
        .map_err(RunError::io(format!("the home {}", home.display())))?;
    let socket = socket.unwrap_or_else(|| layout.socket());
    let own = Identity::own(&socket)?;
    if let Some(running) = Identity::read(&layout) {
        if running.sha256 == own.sha256 && running.socket == own.socket && answers(&own.socket) {
            return Ok((false, running));
        }
        end(&layout, &running)?;
    }
    let mut child = launch(&layout, &own.socket)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if answers(&own.socket)
            && let Some(running) = Identity::read(&layout)
            && running.sha256 == own.sha256
        {
            return Ok((true, running));
        }
        let ended = child.try_wait().map_err(RunError::io("the daemon"))?;
        // One that lost a race against another `start` ends, and the other one answers soon.
        if (ended.is_some() && Identity::read(&layout).is_none()) || Instant::now() >= deadline {
            return Err(RunError::Failed(format!(
                "the agent did not come up{}",
                logs::excerpt(&layout.log())
            )));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn launch(home: &Home, socket: &Path) -> Result<Child, RunError> {
    let what = || format!("the log {}", home.log().display());
    let log = logs::open(&home.log()).map_err(RunError::io(what()))?;
    let errors = log.try_clone().map_err(RunError::io(what()))?;
    Command::new("/proc/self/exe")
        .arg(SUBCOMMAND)
        .arg("--home")
        .arg(home.root())
        .arg("--socket")
        .arg(socket)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(RunError::io("the daemon"))
}

/// Ends another agent and waits until its home is free.
fn end(home: &Home, running: &Identity) -> Result<(), RunError> {
    proc::signal(running.process, Signal::SIGTERM).map_err(RunError::Failed)?;
    let deadline = Instant::now() + PATIENCE;
    while proc::is_alive(running.process) {
        if Instant::now() >= deadline {
            return Err(RunError::Failed(format!(
                "the agent with pid {} holds the home {} and does not end",
                running.process.pid,
                home.root().display()
            )));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Whether an agent greets at the socket.
pub(crate) fn answers(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    let wait = Some(Duration::from_secs(5));
    if stream.set_read_timeout(wait).is_err() || stream.set_write_timeout(wait).is_err() {
        return false;
    }
    let Ok(hello) = serde_json::to_vec(&weir_agent::wire::Hello::ours()) else {
        return false;
    };
    let Ok(length) = u32::try_from(hello.len()) else {
        return false;
    };
    let greeting = [length.to_be_bytes().as_slice(), &hello].concat();
    stream.write_all(&greeting).is_ok() && stream.read_exact(&mut [0; 4]).is_ok()
}
