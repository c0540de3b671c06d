//! The goal of a host: which pods it runs, and all each of them needs.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// A change of one host's goal, for one scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostSpec {
    /// Whose pods these are (a stack's lineage): several stacks may share a host, and none
    /// touches another's pods.
    pub scope: String,
    /// Counts up with every change of this scope on this host; older ones are refused.
    pub generation: u64,
    /// Pods to make or change. They are independent of each other and may be worked on at the
    /// same time. Pods that are neither here nor in `remove` stay as they are.
    #[serde(default)]
    pub set: Vec<PodSpec>,
    /// Names of pods to stop and remove, before `set` is worked on.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// The goal of one pod instance: everything it needs on its host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodSpec {
    /// Its address, such as `service.web.pod.app["0"]`.
    pub name: String,
    /// A name safe in paths and unit names (`[a-z0-9-]`, at most 64), such as `web-app-0`;
    /// it can't change while the pod lives.
    pub slug: String,
    /// Who runs its commands and owns what names no owner; made as a system user when absent.
    /// None: the user the agent runs as.
    #[serde(default)]
    pub user: Option<String>,
    /// Debian packages, `name` or `name=version`. They stay when the pod is removed.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Downloads.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// Files, in order.
    #[serde(default)]
    pub files: Vec<FileSpec>,
    /// Directories, made before files; only those the agent made are removed with the pod.
    #[serde(default)]
    pub directories: Vec<DirSpec>,
    /// Directories of data: kept while the pod lives, removed with it, content and all.
    #[serde(default)]
    pub volumes: Vec<DirSpec>,
    /// Environment of every task.
    #[serde(default)]
    pub env: Env,
    /// Ports its tasks listen on; each must be free, or the pod's own, before a task starts.
    #[serde(default)]
    pub ports: BTreeMap<String, u16>,
    /// What each task may use at most.
    #[serde(default)]
    pub limits: Limits,
    /// Tasks, in the order they start; a task with a `ready` check gates the next.
    #[serde(default)]
    pub tasks: Vec<TaskSpec>,
}

impl PodSpec {
    /// A pod of this name with nothing in it.
    pub fn new(name: impl Into<String>, slug: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            slug: slug.into(),
            ..Self::default()
        }
    }
}

/// Environment variables. `Debug` shows their names only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Env(pub BTreeMap<String, String>);

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.keys().map(|name| (name, "(redacted)")))
            .finish()
    }
}

impl Deref for Env {
    type Target = BTreeMap<String, String>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Env {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// A file or archive to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its name in the pod.
    pub name: String,
    /// Where it comes from.
    pub source: ArtifactSource,
    /// Lowercase hex sha256 of what is fetched.
    pub sha256: String,
    /// True: an archive (tar, tar.gz or zip, known by its first bytes), unpacked below `dest`.
    #[serde(default)]
    pub unpack: bool,
    /// Where it goes: a directory when unpacked, else a file (mode 0755). Relative paths are
    /// below the pod's directory.
    pub dest: String,
}

/// Where an artifact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArtifactSource {
    /// An http or https URL the host fetches.
    Url(String),
    /// A blob with this artifact's sha256, sent before with `PutBlob`.
    Blob,
}

/// A file with its content. `Debug` hides the content of a sensitive one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSpec {
    /// Relative paths are below the pod's directory.
    pub path: String,
    /// The whole content.
    pub content: String,
    /// Permission bits, such as `0o644`.
    #[serde(default = "default_file_mode")]
    pub mode: u32,
    /// Owner by name; None: the pod's user.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group by name; None: the owner's.
    #[serde(default)]
    pub group: Option<String>,
    /// Its content is never shown: not in reports, events, logs or `Debug`.
    #[serde(default)]
    pub sensitive: bool,
    /// What the pod's running tasks do when it changed.
    #[serde(default)]
    pub on_change: OnChange,
}

fn default_file_mode() -> u32 {
    0o644
}

impl FileSpec {
    /// A file of mode 0644, owned by the pod's user, whose change restarts the pod's tasks.
    pub fn new(path: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
            mode: default_file_mode(),
            owner: None,
            group: None,
            sensitive: false,
            on_change: OnChange::default(),
        }
    }
}

impl fmt::Debug for FileSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content: &str = if self.sensitive {
            "(sensitive)"
        } else {
            &self.content
        };
        f.debug_struct("FileSpec")
            .field("path", &self.path)
            .field("content", &content)
            .field("mode", &format_args!("{:04o}", self.mode))
            .field("owner", &self.owner)
            .field("group", &self.group)
            .field("sensitive", &self.sensitive)
            .field("on_change", &self.on_change)
            .finish()
    }
}

/// What running tasks do when a file changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OnChange {
    /// Nothing: they read it when they like.
    Nothing,
    /// They reload, by [`TaskSpec::reload`]; a task without one restarts.
    Reload,
    /// They restart.
    #[default]
    Restart,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirSpec {
    /// Relative paths are below the pod's directory.
    pub path: String,
    /// Permission bits, such as `0o755`.
    #[serde(default = "default_dir_mode")]
    pub mode: u32,
    /// Owner by name; None: the pod's user.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group by name; None: the owner's.
    #[serde(default)]
    pub group: Option<String>,
}

fn default_dir_mode() -> u32 {
    0o755
}

impl DirSpec {
    /// A directory of mode 0755, owned by the pod's user.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            mode: default_dir_mode(),
            owner: None,
            group: None,
        }
    }
}

/// What a task may use at most; held by cgroups where the host lets the agent use them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Processors, such as 0.5.
    #[serde(default)]
    pub cpus: Option<f64>,
    /// Bytes of memory.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

/// One process of a pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Its name in the pod (`[a-z0-9_-]`, at most 64).
    pub name: String,
    /// What runs.
    pub exec: TaskExec,
    /// When it has reached its goal.
    #[serde(default)]
    pub goal: Goal,
    /// Its environment, over the pod's.
    #[serde(default)]
    pub env: Env,
    /// Gates the next task: `timeout_ms` is the time it has in total; then the pod fails.
    #[serde(default)]
    pub ready: Option<Check>,
    /// Watched while it runs: after `failures` in a row it is restarted.
    #[serde(default)]
    pub alive: Option<Check>,
    /// How long to wait before each restart after its death.
    #[serde(default)]
    pub backoff: Backoff,
    /// How long it has to end after `kill_signal` before it is killed.
    #[serde(default = "default_kill_grace_ms")]
    pub kill_grace_ms: u64,
    /// The signal that asks it to end, such as `TERM`.
    #[serde(default = "default_kill_signal")]
    pub kill_signal: String,
    /// How it reloads its files; None: by a restart.
    #[serde(default)]
    pub reload: Option<Reload>,
    /// True: its exit restarts the pod's other running tasks too. False: only itself.
    #[serde(default)]
    pub essential: bool,
}

fn default_kill_grace_ms() -> u64 {
    10_000
}

fn default_kill_signal() -> String {
    "TERM".to_owned()
}

impl TaskSpec {
    /// A command that is kept running, with the defaults for everything else.
    pub fn command(name: impl Into<String>, run: impl Into<String>) -> Self {
        Self::with_exec(name.into(), TaskExec::Command { run: run.into() })
    }

    /// A systemd unit that is kept running, with the defaults for everything else.
    pub fn unit(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self::with_exec(name.into(), TaskExec::Unit { name: unit.into() })
    }

    fn with_exec(name: String, exec: TaskExec) -> Self {
        Self {
            name,
            exec,
            goal: Goal::Running,
            env: Env::default(),
            ready: None,
            alive: None,
            backoff: Backoff::default(),
            kill_grace_ms: default_kill_grace_ms(),
            kill_signal: default_kill_signal(),
            reload: None,
            essential: false,
        }
    }
}

/// What a task runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskExec {
    /// A command line for `/bin/sh -c`, in the pod's directory.
    Command {
        /// The command line. It is visible in the process list: secrets belong in `env`.
        run: String,
    },
    /// An existing systemd unit, for example one shipped by a package: enabled and kept
    /// running. Its goal is always [`Goal::Running`]; its user, environment and limits are its
    /// own, not the pod's.
    Unit {
        /// Its name; `.service` may be left out.
        name: String,
    },
}

/// When a task has reached its goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// It runs, and is restarted when it ends.
    #[default]
    Running,
    /// It ended with code 0; it runs again when its configuration changes.
    Finish,
    /// It ended with code 0 once; it never runs again while the pod lives.
    Once,
}

/// A probe and its rhythm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked.
    pub probe: Probe,
    /// Time between two probes.
    #[serde(default = "default_every_ms")]
    pub every_ms: u64,
    /// For `ready`: the time in total. For `alive`: the time one probe has.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// For `alive`: how many failures in a row restart the task.
    #[serde(default = "default_failures")]
    pub failures: u32,
}

fn default_every_ms() -> u64 {
    1_000
}

fn default_timeout_ms() -> u64 {
    60_000
}

fn default_failures() -> u32 {
    3
}

impl Check {
    /// A probe every second, for 60 seconds in total; three failures count as dead.
    #[must_use]
    pub fn new(probe: Probe) -> Self {
        Self {
            probe,
            every_ms: default_every_ms(),
            timeout_ms: default_timeout_ms(),
            failures: default_failures(),
        }
    }
}

/// How a task is asked whether it works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// A GET that answers 2xx or 3xx. `http://` only.
    Http {
        /// Such as `http://127.0.0.1:9090/-/ready`.
        url: String,
    },
    /// A connection that is accepted.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// A command that ends with code 0, with the task's user, directory and environment.
    Exec {
        /// The command line for `/bin/sh -c`.
        run: String,
    },
}

/// How long to wait before a restart: `initial_ms`, doubled each time, up to `max_ms`; from
/// the start again once the task was up for a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// The first wait.
    pub initial_ms: u64,
    /// The longest wait.
    pub max_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial_ms: 500,
            max_ms: 60_000,
        }
    }
}

/// How a running task reads its files again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reload {
    /// A signal to its main process, such as `HUP`.
    Signal(String),
    /// A command with the task's user, directory and environment.
    Command {
        /// The command line for `/bin/sh -c`.
        run: String,
    },
}
