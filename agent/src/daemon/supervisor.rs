//! The agent's own supervisor, for hosts without systemd: one of these loops per task.
//!
//! A task's process leads a session of its own and writes straight to its log, so that it
//! goes on when the agent ends; the next agent finds it by the ledger, or by its cookie, and
//! supervises it further.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::sync::mpsc::UnboundedReceiver;
use weir_agent::wire::{Exit, Goal, TaskExec, TaskState, TaskStatus};

use super::Agent;
use super::cgroup;
use super::disk;
use super::health::{Handle, Order};
use super::ledger::{Process, TaskRecord};
use super::logs;
use super::proc;
use super::shim;
use super::task::TaskConfig;

/// A task that was up this long starts its back-off anew.
const STABLE: Duration = Duration::from_secs(60);
/// How often an adopted process, which is not our child, is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// What a dead task left behind gets this long to end before the restart.
const STRAGGLERS: Duration = Duration::from_secs(1);

/// A task's main process.
#[derive(Debug)]
struct Main {
    process: Process,
    /// None: it was started by an earlier agent.
    child: Option<Child>,
}

/// What ended a watch over a running task.
enum Outcome {
    Ended(Exit),
    Dead(String),
    Ordered(Order),
}

/// The process an earlier agent started for this task.
pub(crate) fn find_process(config: &TaskConfig, record: &TaskRecord) -> Option<Process> {
    record
        .process
        .filter(|process| proc::is_alive(*process))
        .or_else(|| proc::find_leader(&config.cookie))
}

/// Starts to supervise a task: the given process where one runs, else a new one.
pub(crate) fn start(
    agent: &Arc<Agent>,
    config: TaskConfig,
    record: &TaskRecord,
    adopted: Option<Process>,
) -> Arc<Handle> {
    let status = TaskStatus {
        state: TaskState::Waiting,
        restarts: record.restarts,
        since: record.since,
        last_exit: record.last_exit,
    };
    let key = config.key.clone();
    let (handle, orders) = Handle::new(config, status);
    let supervisor = Supervisor {
        agent: Arc::clone(agent),
        handle: Arc::clone(&handle),
        orders,
        failures: 0,
    };
    agent.put_handle(key, &handle);
    tokio::spawn(supervisor.run(adopted));
    handle
}

struct Supervisor {
    agent: Arc<Agent>,
    handle: Arc<Handle>,
    orders: UnboundedReceiver<Order>,
    /// Deaths in a row, for the back-off.
    failures: u32,
}

impl Supervisor {
    async fn run(mut self, adopted: Option<Process>) {
        let mut main = adopted.map(|process| Main {
            process,
            child: None,
        });
        loop {
            let config = self.handle.config();
            let (outcome, up) = match self.obtain(main.take(), &config).await {
                Ok(mut running) => {
                    let began = Instant::now();
                    let outcome = self.attend(&mut running).await;
                    let up = began.elapsed();
                    match outcome {
                        Outcome::Ordered(order) => {
                            if self.obey(order, Some(running.process)).await {
                                return;
                            }
                            continue;
                        }
                        Outcome::Ended(exit) => {
                            // What it left running must not meet its successor.
                            let _ = proc::end(
                                &config.cookie,
                                Some(running.process),
                                nix::sys::signal::Signal::SIGTERM,
                                STRAGGLERS,
                            )
                            .await;
                            (exit, up)
                        }
                        Outcome::Dead(message) => {
                            self.agent.note(&format!(
                                "{} task {}: not alive, restarting: {message}",
                                config.key.pod, config.key.task
                            ));
                            let _ = self.end(&config, Some(running.process)).await;
                            let exit = match running.child.as_mut() {
                                Some(child) => exit_of(child.wait().await),
                                None => Exit::Unknown,
                            };
                            (exit, up)
                        }
                    }
                }
                Err(message) => {
                    self.agent.note(&format!(
                        "{} task {}: {message}",
                        config.key.pod, config.key.task
                    ));
                    if config.spec.goal != Goal::Running {
                        self.set(TaskState::Failed { message }, None);
                        return;
                    }
                    (Exit::Code(126), Duration::ZERO)
                }
            };
            if self.ended(&config, outcome) {
                return;
            }
            if self.back_off(&config, up).await {
                return;
            }
        }
    }

    /// The process to attend to: the adopted one, or a new one.
    async fn obtain(&self, adopted: Option<Main>, config: &TaskConfig) -> Result<Main, String> {
        let ready = config.spec.ready.is_none();
        if let Some(main) = adopted {
            let pid = main.process.pid;
            let since = self.handle.status().since;
            self.handle.update(|status| {
                status.state = TaskState::Running { pid, ready };
                status.since = since;
            });
            self.record(Some(main.process));
            return Ok(main);
        }
        // Left by an agent that was killed between two steps, or by an earlier run.
        let _ = proc::end(
            &config.cookie,
            None,
            nix::sys::signal::Signal::SIGTERM,
            STRAGGLERS,
        )
        .await;
        let main = spawn(config)?;
        let pid = main.process.pid;
        self.set(TaskState::Running { pid, ready }, Some(main.process));
        Ok(main)
    }

    /// Watches a running process until something happens to it.
    async fn attend(&mut self, main: &mut Main) -> Outcome {
        let ended = async {
            match &mut main.child {
                Some(child) => exit_of(child.wait().await),
                None => {
                    while proc::is_alive(main.process) {
                        tokio::time::sleep(LOOK).await;
                    }
                    Exit::Unknown
                }
            }
        };
        tokio::select! {
            exit = ended => Outcome::Ended(exit),
            order = next_order(&mut self.orders) => Outcome::Ordered(order),
            message = self.handle.watch() => Outcome::Dead(message),
        }
    }

    /// Carries an order out; true when the supervision ends with it.
    async fn obey(&mut self, order: Order, main: Option<Process>) -> bool {
        self.handle
            .update(|status| status.state = TaskState::Waiting);
        let config = self.handle.config();
        let result = self.end(&config, main).await;
        self.failures = 0;
        match order {
            Order::Stop(done) => {
                cgroup::remove_when_empty(&config.cgroup()).await;
                self.set(TaskState::Stopped, None);
                // Nobody waits any more: nobody needs to be told.
                let _ = done.send(result);
                true
            }
            Order::Restart(done) => {
                let _ = done.send(result);
                false
            }
        }
    }

    async fn end(&self, config: &TaskConfig, main: Option<Process>) -> Result<(), String> {
        let ask = proc::parse_signal(&config.spec.kill_signal)?;
        proc::end(&config.cookie, main, ask, config.grace()).await
    }

    /// Notes how the process ended; true when the task is through.
    fn ended(&self, config: &TaskConfig, exit: Exit) -> bool {
        let exit = match config.spec.goal {
            Goal::Running => exit,
            // What the shim wrote also holds when nobody was there to see it end.
            Goal::Finish | Goal::Once => {
                shim::read_exit(&config.exit_file()).map_or(exit, Exit::Code)
            }
        };
        self.handle.update(|status| status.last_exit = Some(exit));
        if config.spec.goal == Goal::Running {
            if config.spec.essential {
                self.agent.restart_siblings(&config.key);
            }
            return false;
        }
        if exit == Exit::Code(0) {
            let digest = config.digest();
            self.set(TaskState::Finished { code: 0 }, None);
            self.agent
                .record_task(&config.key, |task| task.finished = Some(digest));
        } else {
            let message = match exit {
                Exit::Unknown => "it was interrupted before it ended".to_owned(),
                exit => format!("it ended with {exit}"),
            };
            self.set(TaskState::Failed { message }, None);
        }
        cgroup::remove(&config.cgroup());
        true
    }

    /// Waits before the restart; true when it was ordered to stop instead.
    async fn back_off(&mut self, config: &TaskConfig, up: Duration) -> bool {
        if up >= STABLE {
            self.failures = 0;
        }
        let wait = back_off_ms(&config.spec.backoff, self.failures);
        self.failures = self.failures.saturating_add(1);
        self.handle.update(|status| status.restarts += 1);
        self.set(TaskState::Backoff { next_in_ms: wait }, None);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(wait)) => false,
            order = next_order(&mut self.orders) => self.obey(order, None).await,
        }
    }

    /// Comes into a new state, and writes it down.
    fn set(&self, state: TaskState, process: Option<Process>) {
        self.handle.update(|status| {
            status.state = state;
            status.since = disk::now_ms();
        });
        self.record(process);
    }

    fn record(&self, process: Option<Process>) {
        let status = self.handle.status();
        self.agent.record_task(&self.handle.config().key, |task| {
            task.process = process;
            task.restarts = status.restarts;
            task.since = status.since;
            task.last_exit = status.last_exit;
        });
    }
}

/// The next order; never resolves when no one can give one any more.
async fn next_order(orders: &mut UnboundedReceiver<Order>) -> Order {
    match orders.recv().await {
        Some(order) => order,
        None => std::future::pending().await,
    }
}

fn back_off_ms(backoff: &weir_agent::wire::Backoff, failures: u32) -> u64 {
    backoff
        .initial_ms
        .saturating_mul(1_u64.checked_shl(failures.min(32)).unwrap_or(u64::MAX))
        .min(backoff.max_ms)
}

fn exit_of(status: std::io::Result<std::process::ExitStatus>) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        },
        Err(_) => Exit::Unknown,
    }
}

fn spawn(config: &TaskConfig) -> Result<Main, String> {
    let TaskExec::Command { run } = &config.spec.exec else {
        return Err("this host does not run systemd, so it has no units to run".to_owned());
    };
    let words = |what: &str, error: &std::io::Error| format!("{what}: {}", disk::cause(error));
    let log = logs::open(&config.log())
        .map_err(|error| words(&config.log().display().to_string(), &error))?;
    let errors = log
        .try_clone()
        .map_err(|error| words("its log can't be opened twice", &error))?;
    let mut setup = config.setup();
    setup.session = true;
    // Without limits where the host gives none; the apply step says so.
    setup.cgroups = cgroup::prepare(&config.cgroup(), &config.pod.limits).unwrap_or_default();
    if config.spec.goal != Goal::Running {
        disk::remove_if_there(&config.exit_file())
            .map_err(|error| words(&config.exit_file().display().to_string(), &error))?;
        setup.exit_file = Some(config.exit_file());
    }
    let child = setup
        .command(run)
        .envs(config.env())
        .stdout(Stdio::from(log))
        .stderr(Stdio::from(errors))
        .spawn()
        .map_err(|error| words("its process can't be started", &error))?;
    let pid = child.id().unwrap_or(0);
    // A child that is already gone keeps its number until it is waited for.
    let start = proc::Stat::of(pid).map_or(0, |stat| stat.start);
    Ok(Main {
        process: Process { pid, start },
        child: Some(child),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_agent::wire::Backoff;

    #[test]
    fn back_off_doubles_up_to_its_maximum() {
        let backoff = Backoff::default();
        let waits: Vec<u64> = [0, 1, 2, 6, 7, 40, u32::MAX]
            .iter()
            .map(|failures| back_off_ms(&backoff, *failures))
            .collect();
        assert_eq!(waits, [500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000]);
    }
}
