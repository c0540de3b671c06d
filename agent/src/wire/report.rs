//! What is on a host: looked at when asked, not remembered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spec::PodSpec;

/// A host and the pods on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// The agent that answers.
    pub agent: AgentInfo,
    /// The host.
    pub host: HostFacts,
    /// By scope; a scope that was asked for and isn't known is not in it.
    pub scopes: BTreeMap<String, ScopeStatus>,
}

/// The agent that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Its package version.
    pub version: String,
    /// Lowercase hex sha256 of its executable.
    pub sha256: String,
    /// Its process.
    pub pid: u32,
}

/// What the host is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Its name.
    pub hostname: String,
    /// `ID` of os-release, such as `debian`; empty when unknown.
    pub os_id: String,
    /// `VERSION_ID` of os-release, such as `12`; empty when unknown.
    pub os_version: String,
    /// The kernel's release.
    pub kernel: String,
    /// Processors online.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Changes with every boot.
    pub boot_id: String,
    /// Whether tasks are systemd units here.
    pub systemd: bool,
    /// Whether the agent runs as root.
    pub root: bool,
}

/// One scope on this host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeStatus {
    /// The last accepted generation.
    pub generation: u64,
    /// By pod name.
    pub pods: BTreeMap<String, PodStatus>,
}

/// One pod on this host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodStatus {
    /// The generation that last changed it.
    pub generation: u64,
    /// The goal as last accepted, secrets included: it travels to weir only.
    pub spec: PodSpec,
    /// Whether the last apply brought all of it to its goal (false with no error: it was
    /// interrupted and goes on with the next apply).
    pub settled: bool,
    /// Why the last apply of it failed.
    pub error: Option<PodError>,
    /// Its directory on the host, absolute.
    #[serde(default)]
    pub directory: String,
    /// Each package of the spec (without `=version`), with its installed version.
    pub packages: BTreeMap<String, Option<String>>,
    /// Each file of the spec, in its order.
    pub files: Vec<FileStatus>,
    /// Each artifact of the spec, in its order.
    pub artifacts: Vec<ArtifactStatus>,
    /// Each task of the spec, by name.
    pub tasks: BTreeMap<String, TaskStatus>,
}

/// Why a pod is not at its goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodError {
    /// As in [`super::Event::step`].
    pub step: String,
    /// What happened, why, and what to do.
    pub message: String,
}

/// One file as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStatus {
    /// The path of the spec.
    pub path: String,
    /// How it compares with the spec.
    pub state: FileState,
}

/// How a file compares with its spec.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileState {
    /// Content, mode and owner are as asked for.
    Same,
    /// It is not there.
    Missing,
    /// It is another one.
    Differs {
        /// Lowercase hex sha256 of what is there; empty when it can't be read.
        sha256: String,
        /// Its permission bits.
        mode: u32,
        /// Its owner's name, or number.
        owner: String,
        /// Its group's name, or number.
        group: String,
        /// What is in it: only when it is text, at most 64 KiB, and not sensitive.
        content: Option<String>,
        /// When its content, mode or owner was changed last, in seconds since 1970; `None` from an
        /// agent that does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        changed: Option<u64>,
    },
}

impl std::fmt::Debug for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Same => f.write_str("Same"),
            Self::Missing => f.write_str("Missing"),
            // What somebody wrote there by hand may be a secret too.
            Self::Differs {
                sha256,
                mode,
                owner,
                group,
                content,
                changed,
            } => f
                .debug_struct("Differs")
                .field("sha256", sha256)
                .field("mode", &format_args!("{mode:04o}"))
                .field("owner", owner)
                .field("group", group)
                .field("content", &content.as_ref().map(|_| "(hidden)"))
                .field("changed", changed)
                .finish(),
        }
    }
}

/// One artifact as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactStatus {
    /// Its name.
    pub name: String,
    /// How it compares with the spec.
    pub state: ArtifactState,
}

/// How an artifact compares with its spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArtifactState {
    /// The one asked for is in its place.
    Same,
    /// It is not there.
    Missing,
    /// Another one is there.
    Differs {
        /// Its sha256.
        sha256: String,
    },
}

/// One task as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// What it does now.
    pub state: TaskState,
    /// How often it was restarted after it had ended by itself or its `alive` check failed.
    pub restarts: u64,
    /// When it came into this state, in milliseconds since 1970 (0: unknown).
    pub since: u64,
    /// How it last ended.
    pub last_exit: Option<Exit>,
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    /// It runs.
    Running {
        /// Its main process.
        pid: u32,
        /// False while its `ready` check has not succeeded since it started.
        ready: bool,
    },
    /// Its turn has not come, or it is being started or stopped.
    Waiting,
    /// It ended and will be started again.
    Backoff {
        /// In how many milliseconds.
        next_in_ms: u64,
    },
    /// Its goal is `finish` or `once`, and it has reached it.
    Finished {
        /// Its exit code.
        code: i32,
    },
    /// It can't reach its goal by itself.
    Failed {
        /// Why.
        message: String,
    },
    /// It was stopped by request, or never started.
    Stopped,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It ended while no agent watched.
    Unknown,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown exit code"),
        }
    }
}
