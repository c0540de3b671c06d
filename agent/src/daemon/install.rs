//! `install`: the agent as a systemd unit; and taking that unit away again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::disk;
use super::home::{Home, SYSTEM_HOME as HOME};
use super::server::RunError;
use super::start::{Identity, answers};
use super::systemd::{self, systemctl};

const UNIT: &str = "weir-agent.service";
const SOCKET: &str = "/run/weir/agent.sock";
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of it; one line of JSON on stdout.
#[derive(Debug, Serialize)]
pub(crate) struct Installed {
    /// Whether it was installed or restarted now.
    changed: bool,
    version: String,
    sha256: String,
    home: PathBuf,
    socket: PathBuf,
}

impl Installed {
    pub(crate) fn new(changed: bool, identity: Identity, home: &Path) -> Self {
        Self {
            changed,
            version: identity.version,
            sha256: identity.sha256,
            home: std::path::absolute(home).unwrap_or_else(|_| home.to_owned()),
            socket: identity.socket,
        }
    }
}

fn render(executable: &Path) -> String {
    format!(
        "# Written by weir-agent.\n\
         [Unit]\n\
         Description=weir agent\n\
         After=network.target\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart={} run --home {HOME} --socket {SOCKET}\n\
         RuntimeDirectory=weir\n\
         RuntimeDirectoryMode=0700\n\
         Restart=on-failure\n\
         RestartSec=1s\n\
         KillMode=process\n\
         OOMScoreAdjust=-900\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        executable.display()
    )
}

/// Makes sure that this very agent runs as a systemd unit.
///
/// # Errors
/// When this host can't have one, or it does not come up.
pub(crate) fn install() -> Result<Installed, RunError> {
    if !nix::unistd::geteuid().is_root() || !systemd::is_running() {
        return Err(RunError::Failed(
            "install needs root on a host that systemd runs; use `weir-agent start --home DIR` here".to_owned(),
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(RunError::io("the runtime"))?;
    runtime.block_on(install_unit())
}

async fn install_unit() -> Result<Installed, RunError> {
    let executable = std::env::current_exe().map_err(RunError::io("the agent's own executable"))?;
    let unit = render(&executable);
    let path = systemd::unit_path(UNIT);
    let home = Home::new(HOME.into());
    let own = Identity::own(SOCKET.as_ref())?;
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    let is_same = || Identity::read(&home).is_some_and(|running| running.sha256 == own.sha256);
    let changed = current != unit || !is_same() || !answers(SOCKET.as_ref());
    if changed {
        disk::write_atomic(&path, unit.as_bytes(), 0o644, None)
            .map_err(RunError::io(path.display().to_string()))?;
        for arguments in [
            &["daemon-reload"][..],
            &["enable", "--", UNIT],
            &["restart", "--", UNIT],
        ] {
            systemctl(arguments).await.map_err(RunError::Failed)?;
        }
        let deadline = Instant::now() + PATIENCE;
        while !(is_same() && answers(SOCKET.as_ref())) {
            if Instant::now() >= deadline {
                let journal = systemd::journal_excerpt(UNIT).await;
                return Err(RunError::Failed(format!(
                    "the agent did not come up{journal}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(Installed::new(changed, own, HOME.as_ref()))
}

/// Takes the agent's own unit away, when the agent with this home runs as one.
///
/// # Errors
/// In words.
pub(crate) async fn uninstall(home: &Path) -> Result<(), String> {
    let path = systemd::unit_path(UNIT);
    if home != Path::new(HOME) || !systemd::is_running() || !path.exists() {
        return Ok(());
    }
    // Not stopped: that would end us before the answer is sent.
    systemctl(&["disable", "--", UNIT]).await?;
    disk::remove_if_there(&path).map_err(|error| disk::cause(&error))?;
    systemctl(&["daemon-reload"]).await?;
    // With the unit systemd forgets the folder it made for it. The connection that asked stays.
    match Path::new(SOCKET).parent() {
        Some(folder) => disk::remove_tree(folder).map_err(|error| disk::cause(&error)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_of_the_agent_leaves_its_children_alone() {
        let unit = render(Path::new("/usr/local/lib/weir-agent"));
        assert!(unit.contains(
            "ExecStart=/usr/local/lib/weir-agent run --home /var/lib/weir --socket /run/weir/agent.sock\n"
        ));
        assert!(unit.contains("KillMode=process\n"));
        assert!(unit.contains("WantedBy=multi-user.target\n"));
    }
}
