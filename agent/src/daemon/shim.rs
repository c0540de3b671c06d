//! The step between the agent and a task's command: this program again, as the child.
//!
//! It makes the session, joins the cgroups, gives up root and becomes `/bin/sh -c COMMAND`.
//! Doing so in a program of its own needs no unsafe code between fork and exec. For tasks with
//! an end it stays as the parent and writes the exit code down, so that it isn't lost when
//! nobody watches.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::unistd::{Gid, Uid, setgid, setgroups, setsid, setuid};
use serde::{Deserialize, Serialize};

use super::disk::{self, Ids};

/// The hidden subcommand.
pub(crate) const SUBCOMMAND: &str = "exec-task";

/// What the shim does before the command runs. It holds no secret: it is an argument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) dir: PathBuf,
    /// Whether to lead a session of its own.
    pub(crate) session: bool,
    /// `cgroup.procs` files to join.
    pub(crate) cgroups: Vec<PathBuf>,
    /// uid, gid and groups to change to.
    pub(crate) user: Option<(u32, u32, Vec<u32>)>,
    /// Where to write the exit code.
    pub(crate) exit_file: Option<PathBuf>,
}

impl Setup {
    pub(crate) fn with_user(mut self, user: Option<(Ids, Vec<u32>)>) -> Self {
        self.user = user.map(|(ids, groups)| (ids.uid, ids.gid, groups));
        self
    }

    /// The command that runs `run` this way, with an empty environment.
    pub(crate) fn command(&self, run: &str) -> tokio::process::Command {
        // Still this program when its file was replaced by a newer one.
        let mut command = tokio::process::Command::new("/proc/self/exe");
        command
            .args(self.arguments(run))
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    fn arguments(&self, run: &str) -> [OsString; 3] {
        let setup = serde_json::to_string(self).unwrap_or_default();
        [SUBCOMMAND.into(), setup.into(), run.into()]
    }
}

/// Runs the shim; returns only when the command could not be run or an exit file is wanted.
pub(crate) fn main(setup: &str, run: &str) -> ExitCode {
    let result = serde_json::from_str::<Setup>(setup)
        .map_err(|error| error.to_string())
        .and_then(|setup| become_task(setup, run));
    match result {
        Ok(code) => code,
        Err(message) => {
            // The task's log is where its stderr goes.
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "weir-agent: {message}");
            ExitCode::from(126)
        }
    }
}

fn become_task(mut setup: Setup, run: &str) -> Result<ExitCode, String> {
    if setup.session {
        setsid().map_err(|error| format!("no session can be made: {error}"))?;
        setup.session = false;
    }
    for procs in std::mem::take(&mut setup.cgroups) {
        fs::write(&procs, "0")
            .map_err(|error| format!("{}: {}", procs.display(), disk::cause(&error)))?;
    }
    match setup.exit_file.take() {
        Some(exit_file) => watch(&setup, run, &exit_file),
        None => match exec(setup, run)? {},
    }
}

fn exec(setup: Setup, run: &str) -> Result<Infallible, String> {
    if let Some((uid, gid, groups)) = setup.user {
        let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
        setgroups(&groups)
            .and_then(|()| setgid(Gid::from_raw(gid)))
            .and_then(|()| setuid(Uid::from_raw(uid)))
            .map_err(|error| format!("the user can't be changed to {uid}: {error}"))?;
    }
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    std::env::set_current_dir(&setup.dir)
        .map_err(|error| format!("{}: {}", setup.dir.display(), disk::cause(&error)))?;
    let error = Command::new("/bin/sh").arg("-c").arg(run).exec();
    Err(format!("/bin/sh can't be run: {}", disk::cause(&error)))
}

fn watch(setup: &Setup, run: &str, exit_file: &Path) -> Result<ExitCode, String> {
    let status = Command::new("/proc/self/exe")
        .args(setup.arguments(run))
        .status()
        .map_err(|error| format!("the command can't be run: {}", disk::cause(&error)))?;
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    disk::write_atomic(exit_file, code.to_string().as_bytes(), 0o600, None)
        .map_err(|error| format!("{}: {}", exit_file.display(), disk::cause(&error)))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(255)))
}

/// The exit code a watched task left behind.
pub(crate) fn read_exit(exit_file: &Path) -> Option<i32> {
    fs::read_to_string(exit_file).ok()?.trim().parse().ok()
}
