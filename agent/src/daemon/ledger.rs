//! The ledger: per scope, the goal as accepted and what the agent did about it.
//!
//! It is written before work starts and as things are done, each time as a whole (temporary
//! file, fsync, rename, fsync of the directory), so that a crash at any moment leaves the one
//! before or the one after. What is on the host is always looked at; the ledger only holds
//! what can't be seen there: the goal, what was there before us, and who our processes are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_agent::wire::{AgentError, Exit, OnChange, PodError, PodSpec};

use super::disk;
use super::home::Home;

const VERSION: u32 = 1;

/// All the agent knows of one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    version: u32,
    pub(crate) scope: String,
    /// The last accepted generation.
    pub(crate) generation: u64,
    /// sha256 of that generation's whole spec.
    pub(crate) digest: String,
    pub(crate) pods: BTreeMap<String, PodRecord>,
}

/// All the agent knows of one pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PodRecord {
    pub(crate) spec: PodSpec,
    /// The generation that last changed it.
    pub(crate) generation: u64,
    /// It must go; a crash in the middle of its removal continues it.
    pub(crate) removing: bool,
    /// The last apply brought it to its goal.
    pub(crate) settled: bool,
    pub(crate) error: Option<PodError>,
    pub(crate) made: Made,
    pub(crate) tasks: BTreeMap<String, TaskRecord>,
}

impl PodRecord {
    pub(crate) fn new(spec: PodSpec, generation: u64) -> Self {
        Self {
            spec,
            generation,
            removing: false,
            settled: false,
            error: None,
            made: Made::default(),
            tasks: BTreeMap::new(),
        }
    }
}

/// What the agent made outside the pod's own directory, and must take away with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) user: Option<String>,
    /// Directories, parents first.
    pub(crate) directories: Vec<PathBuf>,
    /// Volumes: removed with all in them.
    pub(crate) volumes: Vec<PathBuf>,
    /// Files, and what was there before.
    pub(crate) files: BTreeMap<PathBuf, Before>,
}

/// What was at a file's path before the agent wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Before {
    Nothing,
    /// A file, whose content is in the pod's state directory.
    File {
        backup: PathBuf,
        mode: u32,
        uid: u32,
        gid: u32,
    },
}

/// What the agent knows of one task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskRecord {
    /// Digest of what it was last started with.
    pub(crate) digest: String,
    /// How it must react to changes that were made since then.
    pub(crate) pending: Pending,
    /// Its unit on a systemd host; true when the agent wrote the unit file.
    pub(crate) unit: Option<UnitRecord>,
    pub(crate) process: Option<Process>,
    /// Digest with which it last reached its goal `finish` or `once`.
    pub(crate) finished: Option<String>,
    /// It was stopped by request.
    pub(crate) stopped: bool,
    pub(crate) restarts: u64,
    pub(crate) since: u64,
    pub(crate) last_exit: Option<Exit>,
}

/// [`OnChange`] with the default a record needs: nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pending(pub(crate) OnChange);

impl Default for Pending {
    fn default() -> Self {
        Self(OnChange::Nothing)
    }
}

/// The systemd unit of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnitRecord {
    pub(crate) name: String,
    /// Whether the agent wrote the unit file.
    pub(crate) generated: bool,
}

/// A process, told from a later one with the same number by when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Clock ticks after boot, from `/proc/PID/stat`.
    pub(crate) start: u64,
}

impl Ledger {
    pub(crate) fn new(scope: String) -> Self {
        Self {
            version: VERSION,
            scope,
            generation: 0,
            digest: String::new(),
            pods: BTreeMap::new(),
        }
    }

    /// Writes the whole ledger.
    ///
    /// # Errors
    /// When it can't be written; the one on disk is then unchanged.
    pub(crate) fn save(&self, home: &Home) -> Result<(), AgentError> {
        let path = home.ledger(&self.scope);
        let failed = |message| AgentError::Io {
            what: format!("the agent's ledger {} can't be written", path.display()),
            message,
        };
        let text = serde_json::to_vec(self).map_err(|error| failed(error.to_string()))?;
        disk::write_atomic(&path, &text, 0o600, None).map_err(|error| failed(disk::cause(&error)))
    }

    /// Takes the ledger away with its scope.
    ///
    /// # Errors
    /// When it can't be removed.
    pub(crate) fn remove(&self, home: &Home) -> Result<(), AgentError> {
        let path = home.ledger(&self.scope);
        disk::remove_if_there(&path)
            .and_then(|()| disk::sync_dir(&home.scopes()))
            .map_err(|error| AgentError::Io {
                what: format!("the agent's ledger {} can't be removed", path.display()),
                message: disk::cause(&error),
            })
    }
}

/// All ledgers of a home, and an error for each that can't be read.
pub(crate) fn load_all(home: &Home) -> (Vec<Ledger>, Vec<AgentError>) {
    let mut ledgers = Vec::new();
    let mut errors = Vec::new();
    let entries = match fs::read_dir(home.scopes()) {
        Ok(entries) => entries,
        Err(error) => {
            errors.push(AgentError::Io {
                what: format!(
                    "the agent's ledgers in {} can't be read",
                    home.scopes().display()
                ),
                message: disk::cause(&error),
            });
            return (ledgers, errors);
        }
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match load(&path) {
            Ok(ledger) => ledgers.push(ledger),
            Err(message) => errors.push(keep_aside(&path, message)),
        }
    }
    (ledgers, errors)
}

fn load(path: &Path) -> Result<Ledger, String> {
    let text = fs::read(path).map_err(|error| disk::cause(&error))?;
    let ledger: Ledger = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if ledger.version == VERSION {
        Ok(ledger)
    } else {
        Err(format!(
            "it has version {}, and this agent reads version {VERSION}",
            ledger.version
        ))
    }
}

/// Moves a ledger that can't be read out of the way, never over an earlier one.
fn keep_aside(path: &Path, message: String) -> AgentError {
    let aside = path.with_extension(format!("corrupt-{}", disk::now_ms()));
    let kept = match fs::rename(path, &aside) {
        Ok(()) => aside,
        Err(_) => path.to_owned(),
    };
    AgentError::CorruptLedger {
        path: path.display().to_string(),
        aside: kept.display().to_string(),
        message,
    }
}
