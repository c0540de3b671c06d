//! This machine.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::process::Command;

use super::Duplex;
use crate::error::HostError;

/// Runs a command line by `sh` and gives its stdout.
pub(super) async fn run(command: &str, stdin: &[u8]) -> Result<Vec<u8>, HostError> {
    let failed = |cause| HostError::Local {
        what: "sh can't be run on this machine".into(),
        cause: Arc::new(cause),
    };
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let input = child.stdin.take();
    let feed = async {
        if let Some(mut input) = input {
            // A command may end without reading all of its input.
            let _ = input.write_all(stdin).await;
        }
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    let output = output.map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(HostError::Command {
        command: command.lines().next().unwrap_or_default().to_owned(),
        status: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// A stream to a unix socket.
pub(super) async fn dial(socket: &str) -> Result<Box<dyn Duplex>, HostError> {
    match UnixStream::connect(socket).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Err(HostError::NoAgent {
                socket: socket.to_owned(),
            })
        }
        Err(cause) => Err(HostError::Local {
            what: format!("socket {socket} can't be opened"),
            cause: Arc::new(cause),
        }),
    }
}
