//! Tasks that are systemd units: systemd keeps them running, and the agent keeps watch over
//! their checks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use weir_agent::wire::{Exit, Goal, TaskExec, TaskState, TaskStatus};

use super::Agent;
use super::disk;
use super::health::{Handle, Order};
use super::ledger::{TaskRecord, UnitRecord};
use super::proc;
use super::systemd::{self, UnitState, Units};
use super::task::TaskConfig;

/// How often a unit is looked at: at its main process where it has one, else by asking systemd.
const LOOK: Duration = Duration::from_millis(500);

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
        let seen = look(&agent, &handle, &unit).await;
        tokio::select! {
            message = handle.watch(), if seen == Seen::Up => {
                agent.note(&format!("{unit}: not alive, restarting: {message}"));
                handle.set_ready(false);
                handle.update(|status| status.restarts += 1);
                if let Err(message) = systemd::systemctl(&["restart", "--", &unit]).await {
                    agent.note(&message);
                }
            }
            () = changed(&handle, seen) => {}
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

/// What a look at a unit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It runs: its checks are worth asking.
    Up,
    /// It doesn't, whether systemd starts it again or not.
    Down,
}

/// Asks systemd what the unit does, and has the handle say so.
async fn look(agent: &Agent, handle: &Handle, name: &str) -> Seen {
    let config = handle.config();
    let units = systemd::show(&[name.to_owned()]).await;
    let units = units.unwrap_or_else(|message| {
        agent.note(&message);
        Units::new()
    });
    let Some(unit) = units.get(name) else {
        // systemd itself is busy; the checks alone tell how the task is.
        return Seen::Up;
    };
    let exit = last_exit(unit);
    // One without a main process yet is still being prepared.
    let comes_or_goes = unit.active == "deactivating"
        || (unit.active == "activating" && unit.main_pid == 0 && !unit.is_waiting());
    let state = if comes_or_goes {
        TaskState::Waiting
    } else if unit.is_active() {
        TaskState::Running {
            pid: unit.main_pid,
            ready: config.spec.ready.is_none(),
        }
    } else if unit.is_waiting() {
        TaskState::Backoff {
            next_in_ms: config.spec.backoff.initial_ms,
        }
    } else if unit.active == "failed" {
        TaskState::Failed {
            message: given_up(unit),
        }
    } else {
        TaskState::Stopped
    };
    let seen = match state {
        TaskState::Running { .. } => Seen::Up,
        _ => Seen::Down,
    };
    handle.update(|status| {
        status.state = state;
        status.since = disk::now_ms();
        status.last_exit = exit;
    });
    seen
}

/// Returns when the unit is worth another look: its main process is another one, or some time is
/// over where there is none to look at.
async fn changed(handle: &Handle, seen: Seen) {
    let main = match (seen, handle.status().state) {
        (Seen::Up, TaskState::Running { pid, .. }) => proc::identify(pid),
        _ => None,
    };
    let Some(main) = main else {
        // An active unit without a main process has only its checks.
        return match seen {
            Seen::Up => std::future::pending().await,
            Seen::Down => tokio::time::sleep(LOOK).await,
        };
    };
    while proc::is_alive(main) {
        tokio::time::sleep(LOOK).await;
    }
    handle.set_ready(false);
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
            // What is known of an earlier process says nothing of this one.
            Some(TaskState::Running { pid, ready }) if *pid == unit.main_pid => *ready,
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
        TaskState::Failed {
            message: given_up(unit),
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

/// Why a unit that systemd has given up does not run.
fn given_up(unit: &UnitState) -> String {
    let exit = last_exit(unit).map_or_else(String::new, |exit| format!(" with {exit}"));
    match unit.restarts {
        0 => format!("it ended{exit}"),
        1 => format!("it ended{exit}, and was restarted once before systemd gave it up"),
        times => {
            format!("it ended{exit}, and was restarted {times} times before systemd gave it up")
        }
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
