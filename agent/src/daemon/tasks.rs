//! The last step of a pod: its tasks, in order, each gated by the one before.

use weir_agent::wire::{Goal, OnChange, Reload, TaskExec, TaskSpec, TaskState};

use super::StepError;
use super::accounts::Accounts;
use super::apply::PodWork;
use super::cgroup;
use super::control::stop_task;
use super::health::Order;
use super::ledger::{Pending, TaskRecord, UnitRecord};
use super::ports::{self, Listener};
use super::proc;
use super::shim;
use super::supervisor;
use super::systemd;
use super::task::TaskConfig;

/// What must happen to a task that is to be kept running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Nothing,
    Start,
    Restart,
    Reload,
}

/// What decides it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) runs: bool,
    /// It was started with another configuration.
    pub(crate) outdated: bool,
    pub(crate) stopped: bool,
    pub(crate) pending: OnChange,
    pub(crate) can_reload: bool,
}

pub(crate) fn decide(facts: Facts) -> Move {
    let restart = facts.outdated || facts.pending == OnChange::Restart;
    if facts.stopped && !restart {
        return Move::Nothing;
    }
    if !facts.runs {
        return Move::Start;
    }
    match facts.pending {
        _ if restart => Move::Restart,
        OnChange::Reload if facts.can_reload => Move::Reload,
        OnChange::Reload => Move::Restart,
        _ => Move::Nothing,
    }
}

impl PodWork {
    /// Brings every task to its goal.
    ///
    /// # Errors
    /// Names the task, what happened, and the end of its log.
    pub(crate) async fn run_tasks(&self, accounts: &Accounts) -> Result<(), StepError> {
        self.drop_stale_tasks().await?;
        self.tell_limits();
        let mut started = Vec::new();
        for spec in &self.spec.tasks {
            let step = format!("task {}", spec.name);
            let failed = |message| StepError::new(&step, message);
            let config = self.config(spec, accounts).map_err(failed)?;
            let result = match (spec.goal, self.agent.systemd) {
                (Goal::Running, true) => self.keep_unit(config, &step, &mut started).await,
                (Goal::Running, false) => self.keep_process(config, &step).await,
                (_, true) => self.finish_unit(config, &step).await,
                (_, false) => self.finish_process(config, &step).await,
            };
            result.map_err(failed)?;
        }
        self.settle(&started).await
    }

    pub(crate) fn config(
        &self,
        spec: &TaskSpec,
        accounts: &Accounts,
    ) -> Result<TaskConfig, String> {
        let home = &self.agent.home;
        TaskConfig::new(&self.scope.name, &self.spec, spec, home, accounts)
    }

    /// Stops tasks the spec no longer has, or has as another unit.
    async fn drop_stale_tasks(&self) -> Result<(), StepError> {
        let Some(record) = self.scope.pod(&self.spec.name) else {
            return Ok(());
        };
        for (name, task) in &record.tasks {
            let kept = self.spec.tasks.iter().find(|spec| spec.name == *name);
            let stale = match (kept, &task.unit) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(spec), Some(unit)) => unit.name != systemd::unit_of(spec, &self.home),
            };
            if !stale {
                continue;
            }
            let step = format!("task {name}");
            self.events.started(&step);
            stop_task(&self.agent, &self.scope, &self.spec.name, name)
                .await
                .map_err(|message| StepError::new(&step, message))?;
            let keep = kept.is_some();
            self.scope
                .update_pod(&self.spec.name, |pod| {
                    pod.tasks.remove(name);
                    if keep {
                        pod.tasks.insert(name.clone(), TaskRecord::default());
                    }
                })
                .map_err(|error| StepError::new(&step, error.to_string()))?;
            self.events.changed(&step, "stopped");
            self.events.done(&step);
            self.units.forget();
        }
        Ok(())
    }

    /// Says plainly when this host can't hold the pod's limits.
    fn tell_limits(&self) {
        if self.agent.systemd || self.spec.tasks.is_empty() {
            return;
        }
        let probe = format!("probe-{}-{}", self.agent.home.id(), self.home.slug());
        if let Err(cause) = cgroup::prepare(&probe, &self.spec.limits) {
            self.events.progress(
                "limits",
                format!("cpu and memory limits are not enforced on this host: {cause}"),
            );
        }
        cgroup::remove(&probe);
    }

    /// Someone else on a port of this pod, before anything is started.
    pub(crate) fn check_ports(&self) -> Result<(), String> {
        let cookies = format!(
            "{}/{}/{}/",
            self.agent.home.id(),
            self.home.scope(),
            self.home.slug()
        );
        for port in self.spec.ports.values() {
            for listener in ports::listeners(*port) {
                let own = match &listener {
                    Listener::Process { pid, .. } => self.spec.tasks.iter().any(|task| {
                        proc::has_cookie(*pid, &format!("{cookies}{}", task.name))
                            || in_unit(*pid, &systemd::unit_of(task, &self.home))
                    }),
                    Listener::Hidden => false,
                };
                if !own {
                    return Err(format!(
                        "port {port} is taken by {listener}; stop it, or give this pod another port"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Writes down that a task now is as configured.
    pub(crate) fn record_started(
        &self,
        config: &TaskConfig,
        digest: &str,
        unit: Option<UnitRecord>,
    ) {
        self.agent.record_task(&config.key, |task| {
            digest.clone_into(&mut task.digest);
            task.pending = Pending::default();
            task.stopped = false;
            task.unit = unit;
            if config.spec.goal == Goal::Finish {
                // What it reached with an earlier configuration counts no more.
                task.finished = None;
            }
        });
    }

    async fn keep_process(&self, config: TaskConfig, step: &str) -> Result<(), String> {
        if matches!(config.spec.exec, TaskExec::Unit { .. }) {
            return Err(
                "it is a systemd unit, and here the agent can't use systemd (it needs root on a host that systemd runs); give it a command instead"
                    .to_owned(),
            );
        }
        let record = self.task_record(&config.key.task);
        let digest = config.digest();
        let handle = self.agent.handle(&config.key).filter(|handle| {
            !matches!(
                handle.status().state,
                TaskState::Stopped | TaskState::Failed { .. }
            )
        });
        let facts = Facts {
            runs: handle.is_some(),
            outdated: !record.digest.is_empty() && record.digest != digest,
            stopped: record.stopped,
            pending: record.pending.0,
            can_reload: config.spec.reload.is_some(),
        };
        let handle = match (decide(facts), handle) {
            (Move::Nothing, None) => return Ok(()),
            (Move::Nothing, Some(handle)) => {
                handle.set_config(config);
                // Nothing changed, and it is ready: no probe, no wait.
                handle.wait_ready(&self.scope, self.generation).await?;
                return Ok(());
            }
            (Move::Reload, Some(handle)) => {
                self.events.started(step);
                handle.set_config(config);
                let config = handle.config();
                if let TaskState::Running { pid, .. } = handle.status().state {
                    reload(&config, pid).await?;
                }
                self.record_started(&config, &digest, None);
                self.events.changed(step, "reloaded");
                handle
            }
            (what, old) => {
                self.events.started(step);
                if let Some(old) = old {
                    old.order(Order::Stop).await?;
                }
                self.check_ports()?;
                let record = TaskRecord {
                    last_exit: None,
                    restarts: 0,
                    process: None,
                    digest: String::new(),
                    ..record
                };
                let handle = supervisor::start(&self.agent, config, &record, None);
                self.record_started(&handle.config(), &digest, None);
                let what = if what == Move::Restart {
                    "restarted"
                } else {
                    "started"
                };
                self.events.changed(step, what);
                handle
            }
        };
        handle.wait_ready(&self.scope, self.generation).await?;
        self.events.done(step);
        Ok(())
    }

    async fn finish_process(&self, config: TaskConfig, step: &str) -> Result<(), String> {
        let record = self.task_record(&config.key.task);
        let digest = config.digest();
        if self.is_finished(&config, &record, &digest) {
            return Ok(());
        }
        if let TaskExec::Unit { .. } = config.spec.exec {
            return Err("a systemd unit can't have the goal finish or once".to_owned());
        }
        self.events.started(step);
        let running = self.agent.handle(&config.key).filter(|handle| {
            record.digest == digest
                && matches!(
                    handle.status().state,
                    TaskState::Running { .. } | TaskState::Waiting
                )
        });
        let handle = match running {
            // Resumed after a restart of the agent.
            Some(handle) => handle,
            None => {
                if let Some(old) = self.agent.handle(&config.key) {
                    old.order(Order::Stop).await?;
                }
                let handle = supervisor::start(&self.agent, config, &TaskRecord::default(), None);
                self.record_started(&handle.config(), &digest, None);
                handle
            }
        };
        handle.wait_finished().await?;
        self.events.changed(step, "finished");
        self.events.done(step);
        Ok(())
    }

    /// Whether a task with an end has reached it, also when it did so while nobody watched.
    pub(crate) fn is_finished(
        &self,
        config: &TaskConfig,
        record: &TaskRecord,
        digest: &str,
    ) -> bool {
        let counts = |with: &str| config.spec.goal == Goal::Once || with == digest;
        if record.finished.as_deref().is_some_and(counts) {
            return true;
        }
        let unseen = counts(&record.digest) && shim::read_exit(&config.exit_file()) == Some(0);
        if unseen {
            self.agent.record_task(&config.key, |task| {
                task.finished = Some(digest.to_owned());
                task.process = None;
            });
        }
        unseen
    }
}

/// Whether a process is in a unit's cgroup.
fn in_unit(pid: u32, unit: &str) -> bool {
    let suffix = format!("/{unit}");
    std::fs::read_to_string(format!("/proc/{pid}/cgroup"))
        .is_ok_and(|text| text.lines().any(|line| line.ends_with(&suffix)))
}

pub(crate) async fn reload(config: &TaskConfig, pid: u32) -> Result<(), String> {
    match &config.spec.reload {
        Some(Reload::Signal(name)) => match proc::identify(pid) {
            Some(process) => proc::signal(process, proc::parse_signal(name)?),
            None => Ok(()),
        },
        Some(Reload::Command { run }) => {
            let output = config
                .helper(run)
                .output()
                .await
                .map_err(|error| format!("its reload command can't be run: {error}"))?;
            if output.status.success() {
                return Ok(());
            }
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(format!(
                "its reload command failed ({}): {said}",
                output.status
            ))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_decides_the_reaction() {
        let calm = Facts {
            runs: true,
            outdated: false,
            stopped: false,
            pending: OnChange::Nothing,
            can_reload: true,
        };
        let cases = [
            (calm, Move::Nothing),
            (
                Facts {
                    runs: false,
                    ..calm
                },
                Move::Start,
            ),
            (
                Facts {
                    outdated: true,
                    ..calm
                },
                Move::Restart,
            ),
            (
                Facts {
                    pending: OnChange::Restart,
                    ..calm
                },
                Move::Restart,
            ),
            (
                Facts {
                    pending: OnChange::Reload,
                    ..calm
                },
                Move::Reload,
            ),
            (
                Facts {
                    pending: OnChange::Reload,
                    can_reload: false,
                    ..calm
                },
                Move::Restart,
            ),
            (
                Facts {
                    pending: OnChange::Reload,
                    outdated: true,
                    ..calm
                },
                Move::Restart,
            ),
            (
                Facts {
                    stopped: true,
                    runs: false,
                    ..calm
                },
                Move::Nothing,
            ),
            (
                Facts {
                    stopped: true,
                    runs: false,
                    outdated: true,
                    ..calm
                },
                Move::Start,
            ),
        ];
        for (facts, expected) in cases {
            assert_eq!(decide(facts), expected, "{facts:?}");
        }
    }
}
