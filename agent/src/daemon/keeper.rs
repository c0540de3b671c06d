//! Tasks that are systemd units: systemd keeps them running, and the agent keeps watch over
//! their checks.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use weir_agent::wire::{Exit, Goal, TaskExec, TaskState, TaskStatus};

use super::Agent;
use super::disk;
use super::health::{Handle, Order};
use super::ledger::{TaskRecord, UnitRecord};
use super::systemd::{self, UnitState};
use super::task::TaskConfig;

/// Begins to watch the checks of a unit that runs.
pub(crate) fn watch(agent: &Arc<Agent>, config: TaskConfig, pid: u32) -> Arc<Handle> {
    let status = TaskStatus {
        state: TaskState::Running {
            pid,
            ready: config.spec.ready.is_none(),
        },
        restarts: 0,
        since: disk::now_ms(),
        last_exit: None,
    };
    let key = config.key.clone();
    let unit = systemd::unit_of(&config.spec, &config.home);
    let (handle, orders) = Handle::new(config, status);
    agent.put_handle(key, &handle);
    tokio::spawn(keep(Arc::clone(agent), Arc::clone(&handle), orders, unit));
    handle
}

async fn keep(
    agent: Arc<Agent>,
    handle: Arc<Handle>,
    mut orders: UnboundedReceiver<Order>,
    unit: String,
) {
    loop {
        tokio::select! {
            message = handle.watch() => {
                agent.note(&format!("{unit}: not alive, restarting: {message}"));
                handle.set_ready(false);
                handle.update(|status| status.restarts += 1);
                if let Err(message) = systemd::systemctl(&["restart", "--", &unit]).await {
                    agent.note(&message);
                }
            }
            order = orders.recv() => match order {
                Some(Order::Restart(done)) => {
                    handle.set_ready(false);
                    // Whoever asked may have hung up.
                    let _ = done.send(systemd::systemctl(&["restart", "--", &unit]).await.map(drop));
                }
                Some(Order::Stop(done)) => {
                    // Only the watch ends here; units are stopped by whoever gives the order.
                    let _ = done.send(Ok(()));
                    return;
                }
                None => return,
            }
        }
    }
}

/// Writes a task's unit and environment; true when systemd must read them again.
///
/// # Errors
/// In words.
pub(crate) fn write_unit(config: &TaskConfig, run: &str) -> Result<bool, String> {
    let env = config.home.env_file(&config.spec.name);
    // Not root's umask but the file's own mode keeps the secrets in it.
    put(&env, &systemd::render_env(config), 0o600)?;
    super::logs::open(&config.log())
        .map_err(|error| format!("{}: {}", config.log().display(), disk::cause(&error)))?;
    let unit = systemd::unit_path(&systemd::unit_of(&config.spec, &config.home));
    put(&unit, &systemd::render_unit(config, run), 0o644)
}

fn put(path: &Path, text: &str, mode: u32) -> Result<bool, String> {
    if std::fs::read(path).is_ok_and(|have| have == text.as_bytes()) {
        return Ok(false);
    }
    disk::write_atomic(path, text.as_bytes(), mode, None)
        .map(|()| true)
        .map_err(|error| format!("{}: {}", path.display(), disk::cause(&error)))
}

/// Stops and disables a unit, and takes it away when the agent wrote it.
///
/// # Errors
/// In words.
pub(crate) async fn remove_unit(unit: &UnitRecord) -> Result<(), String> {
    let units = systemd::show(std::slice::from_ref(&unit.name)).await?;
    let known = units
        .get(&unit.name)
        .is_some_and(|state| state.load != "not-found");
    if known {
        systemd::systemctl(&["stop", "--", &unit.name]).await?;
        systemd::systemctl(&["disable", "--", &unit.name]).await?;
    }
    if !unit.generated {
        return Ok(());
    }
    let path = systemd::unit_path(&unit.name);
    disk::remove_if_there(&path)
        .map_err(|error| format!("{}: {}", path.display(), disk::cause(&error)))?;
    if known {
        systemd::systemctl(&["daemon-reload"]).await?;
        // A unit that never failed has nothing to forget, which systemd calls an error.
        let _ = systemd::systemctl(&["reset-failed", "--", &unit.name]).await;
    }
    Ok(())
}

/// A unit's state as a report shows it.
pub(crate) fn status(
    config: &TaskConfig,
    unit: Option<&UnitState>,
    record: &TaskRecord,
    handle: Option<&Handle>,
) -> TaskStatus {
    let Some(unit) = unit else {
        return TaskStatus {
            state: TaskState::Stopped,
            restarts: 0,
            since: 0,
            last_exit: None,
        };
    };
    let watched = handle.map(Handle::status);
    let last_exit = last_exit(unit);
    let state = if unit.is_waiting() {
        TaskState::Backoff {
            next_in_ms: config.spec.backoff.initial_ms,
        }
    } else if unit.is_active() {
        let ready = match watched.as_ref().map(|status| &status.state) {
            Some(TaskState::Running { ready, .. }) => *ready,
            _ => config.spec.ready.is_none(),
        };
        TaskState::Running {
            pid: unit.main_pid,
            ready,
        }
    } else if config.spec.goal != Goal::Running && record.finished.is_some() {
        TaskState::Finished { code: 0 }
    } else if unit.load == "not-found" && !record.digest.is_empty() {
        TaskState::Failed {
            message: "its unit does not exist".to_owned(),
        }
    } else if unit.active == "failed" {
        let exit = last_exit.map_or_else(String::new, |exit| format!(" with {exit}"));
        TaskState::Failed {
            message: format!("it ended{exit}"),
        }
    } else {
        TaskState::Stopped
    };
    TaskStatus {
        state,
        restarts: unit.restarts + watched.map_or(0, |status| status.restarts),
        since: since_ms(unit.active_since_us),
        last_exit,
    }
}

/// How a unit's main process last ended, as long as no new one runs.
pub(crate) fn last_exit(unit: &UnitState) -> Option<Exit> {
    match unit.exit_code {
        1 => Some(Exit::Code(unit.exit_status)),
        2 | 3 => Some(Exit::Signal(unit.exit_status)),
        _ => None,
    }
}

fn since_ms(after_boot_us: u64) -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let booted = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))
        .and_then(|seconds| seconds.trim().parse::<u64>().ok());
    match (after_boot_us, booted) {
        (0, _) | (_, None) => 0,
        (after, Some(booted)) => booted.saturating_mul(1000).saturating_add(after / 1000),
    }
}

/// Whether a task's command line is the agent's to write as a unit.
pub(crate) fn command_of(config: &TaskConfig) -> Option<&str> {
    match &config.spec.exec {
        TaskExec::Command { run } => Some(run),
        TaskExec::Unit { .. } => None,
    }
}
