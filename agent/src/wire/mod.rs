//! The agent's wire: versioned messages, each one a frame of JSON on a stream.
//!
//! A conversation: both sides send [`Hello`]; then the client sends one [`Request`] at a time
//! and reads [`Reply`]s until one for which [`Reply::ends`] is true. Nothing listens on a
//! network port: the stream is a Unix socket, or an SSH channel to one.

pub mod frame;
mod report;
mod spec;

pub use report::{
    AgentInfo, ArtifactState, ArtifactStatus, Exit, FileState, FileStatus, HostFacts, HostReport,
    PodError, PodStatus, ScopeStatus, TaskState, TaskStatus,
};
pub use spec::{
    Artifact, ArtifactSource, Backoff, Check, DirSpec, Env, FileSpec, Goal, HostSpec, Limits,
    OnChange, PodSpec, Probe, Reload, TaskExec, TaskSpec,
};

use serde::{Deserialize, Serialize};

/// The version of everything in this module. Two sides with different versions don't talk.
pub const WIRE_VERSION: u32 = 1;

/// The first frame of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`WIRE_VERSION`] of the sender.
    pub wire_version: u32,
    /// The package version of the sender, for messages.
    pub version: String,
}

impl Hello {
    /// This build's own hello.
    #[must_use]
    pub fn ours() -> Self {
        Self {
            wire_version: WIRE_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// What a client asks of the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// What is on this host, looked at now. Answer: [`Reply::Report`].
    Status {
        /// One scope, or all of them.
        scope: Option<String>,
    },
    /// Bring the host to this goal. Answer: [`Reply::Event`]s, then [`Reply::Report`] (also
    /// when pods failed: each carries its error).
    Apply(HostSpec),
    /// Which of these blobs (lowercase hex sha256) the agent doesn't have. Answer:
    /// [`Reply::Blobs`].
    HaveBlobs(Vec<String>),
    /// A blob: `size` raw bytes follow this frame. Answer: [`Reply::Done`].
    PutBlob {
        /// Lowercase hex sha256 of the bytes.
        sha256: String,
        /// How many bytes follow.
        size: u64,
    },
    /// A task's log. Answer: [`Reply::Log`]s, then [`Reply::Done`].
    Logs {
        /// The pod's scope.
        scope: String,
        /// The pod's name.
        pod: String,
        /// The task's name.
        task: String,
        /// How many of the last lines to send first.
        lines: u64,
        /// Go on with what is written from now on, until the client hangs up.
        follow: bool,
    },
    /// Stop and remove everything of a scope. Answer: [`Reply::Event`]s, then [`Reply::Done`].
    Forget {
        /// The scope.
        scope: String,
    },
    /// End the agent. Answer: [`Reply::Shutdown`].
    Shutdown {
        /// True: only when no scope is left, and then the agent removes its home and its own
        /// systemd unit. False: all supervised tasks are stopped first; the home stays.
        if_idle: bool,
    },
    /// Act on one task. Answer: [`Reply::Done`].
    Control {
        /// The pod's scope.
        scope: String,
        /// The pod's name.
        pod: String,
        /// The task's name.
        task: String,
        /// What to do with it.
        action: Action,
    },
}

/// What [`Request::Control`] does with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Stop it, then start it.
    Restart,
    /// Stop it; it stays stopped (also over a restart of the agent) until started or changed.
    Stop,
    /// Start it when it doesn't run.
    Start,
}

/// A frame of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Something happened; more follows.
    Event(Event),
    /// A piece of a log; more follows.
    Log {
        /// Whole lines with their line ends (the last may lack it); not UTF-8 is replaced.
        text: String,
    },
    /// The end of [`Request::HaveBlobs`].
    Blobs {
        /// Those the agent lacks, in the order they were asked for.
        missing: Vec<String>,
    },
    /// The end of a request that has no other result.
    Done,
    /// The end of [`Request::Status`] and [`Request::Apply`].
    Report(Box<HostReport>),
    /// The end of [`Request::Shutdown`].
    Shutdown(ShutdownOutcome),
    /// The end of any request: it was refused or failed as a whole.
    Error(AgentError),
}

impl Reply {
    /// Whether this frame is the last one of its answer.
    #[must_use]
    pub fn ends(&self) -> bool {
        !matches!(self, Self::Event(_) | Self::Log { .. })
    }
}

/// What became of a [`Request::Shutdown`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShutdownOutcome {
    /// The agent ends right after this frame.
    Stopping,
    /// It goes on, because these scopes are still here.
    Busy {
        /// The scopes.
        scopes: Vec<String>,
    },
}

/// One thing that happened while a pod was brought to its goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The pod's name.
    pub pod: String,
    /// The step: `user NAME`, `directory PATH`, `packages`, `artifact NAME`, `file PATH`,
    /// `task NAME`, `limits`, `remove`.
    pub step: String,
    /// What happened in it.
    pub kind: EventKind,
}

/// What happened in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The step began to change something. A step with nothing to do sends no event.
    Started,
    /// It goes on.
    Progress {
        /// In plain words; never a secret.
        text: String,
    },
    /// It changed something on the host.
    Changed {
        /// What, in plain words: `created`, `content`, `mode 0644 -> 0600`, `restarted`.
        what: String,
    },
    /// It is done.
    Done,
    /// It failed; the pod's error in the report says the same.
    Failed {
        /// What happened and why.
        message: String,
    },
}

/// Why the agent refused or failed a whole request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AgentError {
    /// The two sides speak different versions of the wire.
    #[error(
        "the agent speaks wire version {have} and weir speaks {got}; run apply again to replace the agent"
    )]
    WireVersion {
        /// The agent's.
        have: u32,
        /// The client's.
        got: u32,
    },
    /// The agent has accepted a newer goal for this scope.
    #[error(
        "the agent already has generation {have} of this stack and was sent {got}; another weir applied in between, so plan again"
    )]
    OlderGeneration {
        /// The generation in the agent's ledger.
        have: u64,
        /// The one it was sent.
        got: u64,
    },
    /// The same generation was sent before with another content.
    #[error(
        "generation {generation} of this stack was sent twice with different content; plan again to get a new generation"
    )]
    GenerationReused {
        /// The generation.
        generation: u64,
    },
    /// The goal contradicts itself or the host; nothing was changed.
    #[error("{pod}: {message}")]
    InvalidSpec {
        /// The pod's name (empty: the whole spec).
        pod: String,
        /// What is wrong.
        message: String,
    },
    /// Nothing by this name is known here.
    #[error("{what} {name:?} is not known to the agent on this host")]
    Unknown {
        /// `scope`, `pod` or `task`.
        what: String,
        /// Its name.
        name: String,
    },
    /// A scope's ledger can't be read. It was kept aside.
    #[error(
        "the agent's ledger {path} can't be read ({message}); it was kept as {aside}. Apply again to take the host's pods over anew"
    )]
    CorruptLedger {
        /// Where it was.
        path: String,
        /// Where it is now.
        aside: String,
        /// What is wrong with it.
        message: String,
    },
    /// A blob's bytes don't have the promised sha256 or size.
    #[error("a blob arrived damaged: expected sha256 {expected}, got {got}; send it again")]
    BadBlob {
        /// What was promised.
        expected: String,
        /// What came.
        got: String,
    },
    /// An action on a task did not work.
    #[error("task {task:?}: {message}")]
    Task {
        /// The task's name.
        task: String,
        /// What happened and why.
        message: String,
    },
    /// The agent could not do its own housekeeping.
    #[error("{what}: {message}")]
    Io {
        /// What it was doing, with the path.
        what: String,
        /// The cause.
        message: String,
    },
    /// A frame that is not a request of this version.
    #[error("the agent got a request it can't read: {message}")]
    BadRequest {
        /// What is wrong with it.
        message: String,
    },
}
