//! Bringing the agent to a machine, and taking it away.
//!
//! One command asks the machine everything at once; the binary travels only if
//! the machine doesn't have it; one command more starts it.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Machine;
use crate::connection::Way;
use crate::error::HostError;
use crate::host::hex;
use crate::ssh::{Environment, shell};

/// Where root's agent lives on a host, and where it listens as a systemd unit:
/// what `weir-agent install` uses.
const ROOT_HOME: &str = "/var/lib/weir";
const UNIT_SOCKET: &str = "/run/weir/agent.sock";
/// Where root's agent's binary lies.
const ROOT_BINARIES: &str = "/usr/local/lib/weir";
/// The same for others, below their home directory.
const USER_HOME: &str = ".local/state/weir/agent";
const USER_BINARIES: &str = ".local/share/weir";
/// How much of the binary's sha256 its file name carries.
const NAME_DIGITS: usize = 12;

/// The agent that this weir brings to hosts. Its megabytes are looked at when a host wants them:
/// most runs have none that does.
#[derive(Clone)]
pub struct AgentBinary(Arc<Parts>);

struct Parts {
    bytes: Cow<'static, [u8]>,
    sha256: OnceLock<String>,
    version: String,
}

impl fmt::Debug for AgentBinary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentBinary")
            .field("version", &self.version())
            .field("sha256", &self.sha256())
            .finish_non_exhaustive()
    }
}

impl AgentBinary {
    /// From the bytes of a static executable for the processor this crate is
    /// built for, and its version.
    #[must_use]
    pub fn new(bytes: impl Into<Cow<'static, [u8]>>, version: impl Into<String>) -> Self {
        Self(Arc::new(Parts {
            bytes: bytes.into(),
            sha256: OnceLock::new(),
            version: version.into(),
        }))
    }

    fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Lowercase hex sha256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> &str {
        let sum = || hex(&Sha256::digest(self.bytes()));
        self.0.sha256.get_or_init(sum)
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    fn file_name(&self) -> String {
        format!("weir-agent-{}", &self.sha256()[..NAME_DIGITS])
    }
}

/// Where things are on one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    /// Where the agent listens.
    pub(crate) socket: String,
    /// The folder of its binary.
    pub(crate) binaries: String,
    /// How it is kept running.
    pub(crate) keeper: Keeper,
}

/// Who keeps an agent running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Keeper {
    /// systemd, also after a reboot.
    Systemd,
    /// Nobody: it is a daemon with this home.
    Nobody {
        /// Its home.
        home: String,
    },
}

impl Layout {
    fn unit() -> Self {
        Self {
            socket: UNIT_SOCKET.to_owned(),
            binaries: ROOT_BINARIES.to_owned(),
            keeper: Keeper::Systemd,
        }
    }

    fn daemon(home: String, binaries: String) -> Self {
        Self {
            socket: format!("{home}/agent.sock"),
            binaries,
            keeper: Keeper::Nobody { home },
        }
    }

    /// A command that connects its input and output to the agent.
    pub(super) fn bridge(&self) -> String {
        shell::script(BRIDGE, &[&self.socket, &self.binaries])
    }
}

/// `$1` socket, `$2` folder of binaries: whichever agent's binary lies there
/// speaks for the socket.
const BRIDGE: &str = r#"for b in "$2"/weir-agent-????????????; do
[ -x "$b" ] && exec "$b" connect --socket "$1" 2>/dev/null
done
exit 1"#;

/// What a machine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    uid: u32,
    home: String,
    machine: String,
    systemd: bool,
    /// sha256 of the binary by our name in root's folder, then in the user's
    /// or the given one; empty where there is none.
    sha256: [String; 2],
}

/// `$1` the binary's name, `$2` root's folder, `$3` the folder of others:
/// relative to the home directory, or absolute.
const PROBE: &str = r#"cd
case "$3" in /*) d=$3 ;; *) d=$HOME/$3 ;; esac
sum() { set -- $(sha256sum "$1" 2>/dev/null); echo "$1"; }
id -u
echo "$HOME"
uname -m
[ -d /run/systemd/system ] && echo systemd || echo none
sum "$2/$1"
sum "$d/$1""#;

/// Asks a machine all that is needed to put an agent there.
pub(crate) async fn probe(
    machine: &Machine,
    way: &Way,
    agent: &AgentBinary,
    env: &Environment,
) -> Result<(Layout, Probe), HostError> {
    let local = match way {
        Way::Local { home } => Some(local_layout(home.as_deref(), env)),
        Way::Ssh { .. } => None,
    };
    let others = local.as_ref().map_or(USER_BINARIES, |l| &l.binaries);
    let command = shell::script(PROBE, &[&agent.file_name(), ROOT_BINARIES, others]);
    let answer = machine.run(&command).await?;
    let probe = Probe::parse(&answer).ok_or(HostError::Probe { answer })?;
    let layout = local.unwrap_or_else(|| match (probe.uid, probe.systemd) {
        (0, true) => Layout::unit(),
        (0, false) => Layout::daemon(ROOT_HOME.to_owned(), ROOT_BINARIES.to_owned()),
        _ => Layout::daemon(
            format!("{}/{USER_HOME}", probe.home),
            format!("{}/{USER_BINARIES}", probe.home),
        ),
    });
    Ok((layout, probe))
}

/// On this machine the binary lies beside the agent's home, so that two homes
/// have nothing in common.
fn local_layout(home: Option<&str>, env: &Environment) -> Layout {
    let home = match home {
        Some(home) => crate::connection::expand(home, env),
        None => env.home.clone().unwrap_or_default().join(USER_HOME),
    };
    // A relative path is one of the folder weir runs in, as any path of a stack.
    let home = std::path::absolute(&home).unwrap_or(home);
    let beside = home.parent().unwrap_or(&home);
    Layout::daemon(
        home.to_string_lossy().into_owned(),
        beside.to_string_lossy().into_owned(),
    )
}

impl Probe {
    fn parse(answer: &str) -> Option<Self> {
        let mut lines = answer.lines();
        let mut next = || lines.next();
        Some(Self {
            uid: next()?.parse().ok()?,
            home: next()?.to_owned(),
            machine: next()?.to_owned(),
            systemd: match next()? {
                "systemd" => true,
                "none" => false,
                _ => return None,
            },
            sha256: [next()?.to_owned(), next()?.to_owned()],
        })
    }

    fn has(&self, layout: &Layout, agent: &AgentBinary) -> bool {
        let found = &self.sha256[usize::from(layout.binaries != ROOT_BINARIES)];
        found == agent.sha256()
    }
}

/// Puts the binary there, if it isn't, and starts it: as a systemd unit for
/// root on a remote host that runs systemd, as a daemon elsewhere. An agent of
/// another version is replaced, and its tasks go on.
pub(crate) async fn install(
    machine: &Machine,
    (layout, probe): (&Layout, &Probe),
    agent: &AgentBinary,
    progress: &(dyn Fn(String) + Sync),
) -> Result<(), HostError> {
    if probe.machine != std::env::consts::ARCH {
        return Err(HostError::Architecture {
            found: probe.machine.clone(),
            ours: std::env::consts::ARCH,
        });
    }
    let binary = format!("{}/{}", layout.binaries, agent.file_name());
    if !probe.has(layout, agent) {
        let size = agent.bytes().len() / 1024;
        progress(format!("uploading agent {} ({size} KiB)", agent.version()));
        machine.upload(&binary, agent.bytes(), 0o755).await?;
    }
    progress(format!("starting agent {}", agent.version()));
    let command = match &layout.keeper {
        Keeper::Systemd => shell::script(START, &[&binary, "install"]),
        Keeper::Nobody { home } => shell::script(START, &[&binary, "start", "--home", home]),
    };
    machine.run(&command).await.map(drop)
}

/// `$1` binary, then its arguments; it returns once the agent answers. Binaries
/// of other versions go; an upload under way has a longer name.
const START: &str = r#""$@" >/dev/null || exit 1
for b in "${1%/*}"/weir-agent-????????????; do
[ "$b" = "$1" ] || rm -f -- "$b"
done"#;

/// Takes the binaries away. The agent has removed its home and its unit by
/// itself.
pub(crate) async fn remove(machine: &Machine, layout: &Layout) -> Result<(), HostError> {
    let command = shell::script(REMOVE, &[&layout.binaries]);
    machine.run(&command).await.map(drop)
}

/// `$1` folder of binaries; it goes too if it is ours and empty.
const REMOVE: &str = r#"rm -f -- "$1"/weir-agent-????????????
case "$1" in */weir) rmdir -- "$1" 2>/dev/null ;; esac
exit 0"#;

#[cfg(test)]
#[path = "bootstrap_tests.rs"]
mod tests;
