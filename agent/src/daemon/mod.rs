//! The daemon: everything the agent does on its host.

mod accounts;
mod apply;
mod artifacts;
mod cgroup;
mod control;
mod disk;
mod events;
mod fetch;
mod files;
mod health;
mod home;
mod install;
mod keeper;
mod ledger;
mod logs;
mod packages;
mod ports;
mod probe;
mod proc;
mod remove;
mod resolve;
mod resume;
mod scope;
mod server;
pub(crate) mod shim;
mod start;
mod status;
mod supervisor;
mod systemd;
mod task;
mod tasks;
mod units;
mod unpack;
mod validate;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_agent::wire::{AgentError, Goal};

pub(crate) use server::{RunError, connect, run};
pub(crate) use start::SUBCOMMAND as DAEMON;

use disk::HashCache;
use health::{Handle, Order};
use home::Home;
use ledger::{Ledger, TaskRecord};
use packages::Packages;
use scope::Scope;
use task::TaskKey;

/// Where programs of the system are, whatever environment the agent was started in.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A failure of one step of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepError {
    pub(crate) step: String,
    pub(crate) message: String,
}

impl StepError {
    pub(crate) fn new(step: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            step: step.into(),
            message: message.into(),
        }
    }
}

/// The running agent.
#[derive(Debug)]
pub(crate) struct Agent {
    home: Home,
    /// Whether tasks are systemd units here: root, and systemd is what runs the host.
    systemd: bool,
    scopes: Mutex<BTreeMap<String, Arc<Scope>>>,
    /// By short scope: ledgers that could not be read, until somebody was told.
    corrupt: Mutex<BTreeMap<String, AgentError>>,
    tasks: Mutex<HashMap<TaskKey, Arc<Handle>>>,
    hashes: Mutex<HashCache>,
    packages: Packages,
    executable: tokio::sync::OnceCell<String>,
    /// Set when the agent must end.
    ending: tokio::sync::watch::Sender<bool>,
}

/// `start`, with its result as a line of JSON.
///
/// # Errors
/// When the agent does not come up.
pub(crate) fn start(home: &Path, socket: Option<PathBuf>) -> Result<String, RunError> {
    let (changed, identity) = start::start(home, socket)?;
    line(&install::Installed::new(changed, identity, home))
}

/// `install`, with its result as a line of JSON.
///
/// # Errors
/// When this host can't have the agent as a unit, or it does not come up.
pub(crate) fn install() -> Result<String, RunError> {
    line(&install::install()?)
}

fn line(installed: &install::Installed) -> Result<String, RunError> {
    serde_json::to_string(installed).map_err(|error| RunError::Failed(error.to_string()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing behind these locks is ever left half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    fn new(home: PathBuf) -> Arc<Self> {
        let home = Home::new(home);
        let (ledgers, errors) = ledger::load_all(&home);
        let root = nix::unistd::geteuid().is_root();
        let agent = Self {
            systemd: root && systemd::is_running(),
            scopes: Mutex::default(),
            corrupt: Mutex::default(),
            tasks: Mutex::default(),
            hashes: Mutex::default(),
            packages: Packages::system(),
            executable: tokio::sync::OnceCell::new(),
            ending: tokio::sync::watch::Sender::new(false),
            home,
        };
        for ledger in ledgers {
            let scope = Scope::new(agent.home.clone(), ledger);
            lock(&agent.scopes).insert(scope.name.clone(), Arc::new(scope));
        }
        for error in errors {
            agent.note(&error.to_string());
            if let AgentError::CorruptLedger { path, .. } = &error
                && let Some(stem) = PathBuf::from(path)
                    .file_stem()
                    .and_then(|stem| stem.to_str())
            {
                lock(&agent.corrupt).insert(stem.to_owned(), error);
            }
        }
        Arc::new(agent)
    }

    /// A line in the agent's own log (its stderr); never a secret.
    fn note(&self, message: &str) {
        // A full disk must not end the agent.
        let _ = writeln!(std::io::stderr(), "{message}");
    }

    fn scope(&self, name: &str) -> Option<Arc<Scope>> {
        lock(&self.scopes).get(name).cloned()
    }

    fn all_scopes(&self) -> Vec<Arc<Scope>> {
        lock(&self.scopes).values().cloned().collect()
    }

    fn scope_or_new(&self, name: &str) -> Arc<Scope> {
        let mut scopes = lock(&self.scopes);
        let scope = scopes.entry(name.to_owned()).or_insert_with(|| {
            let ledger = Ledger::new(name.to_owned());
            Arc::new(Scope::new(self.home.clone(), ledger))
        });
        Arc::clone(scope)
    }

    /// Tells once that a scope's ledger could not be read.
    ///
    /// # Errors
    /// That it was so.
    fn refuse_corrupt(&self, scope: &str) -> Result<(), AgentError> {
        match lock(&self.corrupt).remove(&home::short_scope(scope)) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn handle(&self, key: &TaskKey) -> Option<Arc<Handle>> {
        lock(&self.tasks).get(key).cloned()
    }

    fn put_handle(&self, key: TaskKey, handle: &Arc<Handle>) {
        lock(&self.tasks).insert(key, Arc::clone(handle));
    }

    fn drop_handle(&self, key: &TaskKey) {
        lock(&self.tasks).remove(key);
    }

    /// Writes down what became of a task. The host goes on when the disk is full, so a failure
    /// is only noted.
    fn record_task(&self, key: &TaskKey, change: impl FnOnce(&mut TaskRecord)) {
        let Some(scope) = self.scope(&key.scope) else {
            return;
        };
        let written = scope.update_pod(&key.pod, |pod| {
            change(pod.tasks.entry(key.task.clone()).or_default());
        });
        if let Err(error) = written {
            self.note(&error.to_string());
        }
    }

    /// Restarts the other running tasks of an essential task's pod.
    fn restart_siblings(&self, key: &TaskKey) {
        let siblings: Vec<Arc<Handle>> = lock(&self.tasks)
            .iter()
            .filter(|(other, handle)| {
                other.scope == key.scope
                    && other.pod == key.pod
                    && other.task != key.task
                    && handle.config().spec.goal == Goal::Running
                    && matches!(
                        handle.status().state,
                        weir_agent::wire::TaskState::Running { .. }
                    )
            })
            .map(|(_, handle)| Arc::clone(handle))
            .collect();
        for handle in siblings {
            tokio::spawn(async move { handle.order(Order::Restart).await });
        }
    }
}
