//! The last step of a pod: its tasks, in order, each gated by the one before.

use std::sync::Arc;
use std::time::Duration;

use weir_agent::wire::{Action, AgentError, Goal, OnChange, Reload, TaskExec, TaskSpec, TaskState};

use super::accounts::Accounts;
use super::apply::PodWork;
use super::cgroup;
use super::health::{Handle, Order};
use super::keeper;
use super::ledger::{Pending, TaskRecord, UnitRecord};
use super::ports::{self, Listener};
use super::proc;
use super::scope::Scope;
use super::shim;
use super::supervisor;
use super::systemd::{self, UnitState};
use super::task::{TaskConfig, TaskKey};
use super::{Agent, StepError, logs};

/// How long units that were just started must stay up.
const SETTLE: Duration = Duration::from_millis(300);

/// What must happen to a task that is to be kept running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Nothing,
    Start,
    Restart,
    Reload,
}

/// What decides it.
#[derive(Clone, Copy, Debug)]
struct Facts {
    runs: bool,
    /// It was started with another configuration.
    outdated: bool,
    stopped: bool,
    pending: OnChange,
    can_reload: bool,
}

fn decide(facts: Facts) -> Move {
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

    fn config(&self, spec: &TaskSpec, accounts: &Accounts) -> Result<TaskConfig, String> {
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
    fn check_ports(&self) -> Result<(), String> {
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
    fn record_started(&self, config: &TaskConfig, digest: &str, unit: Option<UnitRecord>) {
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
    fn is_finished(&self, config: &TaskConfig, record: &TaskRecord, digest: &str) -> bool {
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

    async fn unit(&self, name: &str) -> Result<UnitState, String> {
        let units = self.units.get(&self.agent, &self.scope).await?;
        Ok(units.get(name).cloned().unwrap_or_default())
    }

    /// Writes the unit of a command; makes systemd read it.
    async fn write_unit(&self, config: &TaskConfig) -> Result<(), String> {
        if let Some(run) = keeper::command_of(config)
            && keeper::write_unit(config, run)?
        {
            systemd::systemctl(&["daemon-reload"]).await?;
            self.units.forget();
        }
        Ok(())
    }

    async fn keep_unit(
        &self,
        config: TaskConfig,
        step: &str,
        started: &mut Vec<String>,
    ) -> Result<(), String> {
        let name = systemd::unit_of(&config.spec, &self.home);
        let generated = keeper::command_of(&config).is_some();
        let record = self.task_record(&config.key.task);
        let digest = config.digest();
        let unit_record = Some(UnitRecord {
            name: name.clone(),
            generated,
        });
        if record.unit != unit_record {
            // Before the unit exists: what a crash leaves behind must be known.
            self.agent
                .record_task(&config.key, |task| task.unit.clone_from(&unit_record));
        }
        self.write_unit(&config).await?;
        let unit = self.unit(&name).await?;
        match unit.load.as_str() {
            "loaded" => {}
            "masked" => {
                return Err(format!(
                    "unit {name} is masked on this host; unmask it and apply again"
                ));
            }
            _ => {
                return Err(format!(
                    "unit {name} does not exist on this host; add the package that ships it, or correct the name"
                ));
            }
        }
        let facts = Facts {
            runs: unit.is_active() || unit.is_waiting(),
            // A command's unit that runs with nothing recorded may run with anything.
            outdated: record.digest != digest && (generated || !record.digest.is_empty()),
            stopped: record.stopped,
            pending: record.pending.0,
            can_reload: config.spec.reload.is_some(),
        };
        let what = decide(facts);
        let stays_stopped = facts.stopped && what == Move::Nothing;
        if !unit.is_enabled() && !stays_stopped {
            systemd::systemctl(&["enable", "--", &name]).await?;
            if what == Move::Nothing {
                self.events.changed(step, "enabled");
            }
            self.units.forget();
        }
        let key = config.key.clone();
        if what == Move::Nothing {
            if record.digest != digest {
                self.record_started(&config, &digest, unit_record);
            }
            return self.watch_unit(config, &unit, facts.runs).await;
        }
        self.events.started(step);
        if what == Move::Reload {
            reload(&config, unit.main_pid).await?;
        } else {
            if what == Move::Start {
                self.check_ports()?;
            }
            self.drop_watch(&key).await;
            let verb = if what == Move::Start {
                "start"
            } else {
                "restart"
            };
            self.units.forget();
            if let Err(message) = systemd::systemctl(&[verb, "--", &name]).await {
                let unit = self.unit(&name).await?;
                return Err(match keeper::last_exit(&unit) {
                    Some(_) => self.ended_at_once(&config, &unit).await,
                    None => message,
                });
            }
            started.push(name.clone());
        }
        self.record_started(&config, &digest, unit_record);
        self.events.changed(
            step,
            match what {
                Move::Reload => "reloaded",
                Move::Restart => "restarted",
                _ => "started",
            },
        );
        self.watch_unit(config, &unit, true).await?;
        self.events.done(step);
        Ok(())
    }

    /// Has the checks of a unit watched, and waits until it is ready.
    async fn watch_unit(
        &self,
        config: TaskConfig,
        unit: &UnitState,
        runs: bool,
    ) -> Result<(), String> {
        if !runs || (config.spec.ready.is_none() && config.spec.alive.is_none()) {
            self.drop_watch(&config.key).await;
            return Ok(());
        }
        let same_checks = |handle: &Arc<Handle>| {
            let old = handle.config();
            old.spec.ready == config.spec.ready && old.spec.alive == config.spec.alive
        };
        let handle = match self.agent.handle(&config.key).filter(same_checks) {
            Some(handle) => handle,
            None => {
                self.drop_watch(&config.key).await;
                keeper::watch(&self.agent, config, unit.main_pid)
            }
        };
        if handle.config().spec.ready.is_some() {
            handle.wait_ready(&self.scope, self.generation).await?;
        }
        Ok(())
    }

    async fn drop_watch(&self, key: &TaskKey) {
        if let Some(handle) = self.agent.handle(key) {
            // A watch always ends when told to.
            let _ = handle.order(Order::Stop).await;
            self.agent.drop_handle(key);
        }
    }

    async fn finish_unit(&self, config: TaskConfig, step: &str) -> Result<(), String> {
        let record = self.task_record(&config.key.task);
        let digest = config.digest();
        if self.is_finished(&config, &record, &digest) {
            return Ok(());
        }
        if keeper::command_of(&config).is_none() {
            return Err("a systemd unit can't have the goal finish or once".to_owned());
        }
        let name = systemd::unit_of(&config.spec, &self.home);
        self.events.started(step);
        let unit_record = Some(UnitRecord {
            name: name.clone(),
            generated: true,
        });
        self.agent
            .record_task(&config.key, |task| task.unit = unit_record);
        self.write_unit(&config).await?;
        self.units.forget();
        if systemd::systemctl(&["start", "--", &name]).await.is_err() {
            let unit = self.unit(&name).await?;
            let how = if unit.exit_code == 1 {
                "exit code"
            } else {
                "signal"
            };
            return Err(format!(
                "it ended with {how} {}{}",
                unit.exit_status,
                logs::excerpt(&config.log())
            ));
        }
        self.agent
            .record_task(&config.key, |task| task.finished = Some(digest));
        self.events.changed(step, "finished");
        self.events.done(step);
        Ok(())
    }

    /// Looks once more at units that were just started: what dies at once counts as failed.
    async fn settle(&self, started: &[String]) -> Result<(), StepError> {
        if started.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(SETTLE).await;
        self.units.forget();
        for spec in &self.spec.tasks {
            let name = systemd::unit_of(spec, &self.home);
            if !started.contains(&name) {
                continue;
            }
            let failed = |message| StepError::new(format!("task {}", spec.name), message);
            let unit = self.unit(&name).await.map_err(failed)?;
            if unit.is_active() {
                continue;
            }
            let config = self.config(spec, &Accounts::load()).map_err(failed)?;
            return Err(failed(self.ended_at_once(&config, &unit).await));
        }
        Ok(())
    }

    async fn ended_at_once(&self, config: &TaskConfig, unit: &UnitState) -> String {
        let exit = keeper::last_exit(unit).map_or_else(String::new, |exit| format!(" with {exit}"));
        let excerpt = match &config.spec.exec {
            TaskExec::Unit { name } => systemd::journal_excerpt(&systemd::full_name(name)).await,
            TaskExec::Command { .. } => logs::excerpt(&config.log()),
        };
        format!("it ended right after its start{exit}{excerpt}")
    }
}

/// Whether a process is in a unit's cgroup.
fn in_unit(pid: u32, unit: &str) -> bool {
    let suffix = format!("/{unit}");
    std::fs::read_to_string(format!("/proc/{pid}/cgroup"))
        .is_ok_and(|text| text.lines().any(|line| line.ends_with(&suffix)))
}

async fn reload(config: &TaskConfig, pid: u32) -> Result<(), String> {
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

/// Ends a task with all its processes, and its unit when it has one.
///
/// # Errors
/// In words.
pub(crate) async fn stop_task(
    agent: &Arc<Agent>,
    scope: &Scope,
    pod: &str,
    task: &str,
) -> Result<(), String> {
    let key = TaskKey {
        scope: scope.name.clone(),
        pod: pod.to_owned(),
        task: task.to_owned(),
    };
    if let Some(handle) = agent.handle(&key) {
        handle.order(Order::Stop).await?;
        agent.drop_handle(&key);
    }
    let Some(record) = scope.pod(pod) else {
        return Ok(());
    };
    let home = agent.home.pod(&scope.name, &record.spec.slug);
    let task_record = record.tasks.get(task).cloned().unwrap_or_default();
    if let Some(unit) = &task_record.unit {
        keeper::remove_unit(unit).await?;
    }
    // Also without a handle or unit: an agent that was killed may have left it running.
    let cookie = format!(
        "{}/{}/{}/{task}",
        agent.home.id(),
        home.scope(),
        home.slug()
    );
    let grace = record
        .spec
        .tasks
        .iter()
        .find(|spec| spec.name == task)
        .map_or(10_000, |spec| spec.kill_grace_ms);
    proc::end(
        &cookie,
        task_record.process,
        nix::sys::signal::Signal::SIGTERM,
        Duration::from_millis(grace),
    )
    .await?;
    cgroup::remove_when_empty(&cookie.replace('/', "-")).await;
    for file in [home.env_file(task), home.exit_file(task)] {
        super::disk::remove_if_there(&file).map_err(|error| super::disk::cause(&error))?;
    }
    Ok(())
}

/// Acts on one task by request.
///
/// # Errors
/// When there is no such task, or the action fails.
pub(crate) async fn control(
    agent: &Arc<Agent>,
    key: TaskKey,
    action: Action,
) -> Result<(), AgentError> {
    let unknown = |what: &str, name: &str| AgentError::Unknown {
        what: what.to_owned(),
        name: name.to_owned(),
    };
    let scope = agent
        .scope(&key.scope)
        .ok_or_else(|| unknown("scope", &key.scope))?;
    let pod = scope
        .pod(&key.pod)
        .ok_or_else(|| unknown("pod", &key.pod))?;
    let failed = |message| AgentError::Task {
        task: key.task.clone(),
        message,
    };
    let spec = pod.spec.tasks.iter().find(|task| task.name == key.task);
    let spec = spec.ok_or_else(|| unknown("task", &key.task))?.clone();
    if spec.goal != Goal::Running {
        return Err(failed(
            "its goal is not to run; only running tasks can be acted on".to_owned(),
        ));
    }
    scope.update_pod(&key.pod, |pod| {
        if let Some(task) = pod.tasks.get_mut(&key.task) {
            task.stopped = action == Action::Stop;
        }
    })?;
    if agent.systemd {
        let unit = systemd::unit_of(&spec, &agent.home.pod(&key.scope, &pod.spec.slug));
        let verb = match action {
            Action::Restart => "restart",
            Action::Stop => "stop",
            Action::Start => "start",
        };
        return systemd::systemctl(&[verb, "--", &unit])
            .await
            .map(drop)
            .map_err(failed);
    }
    let handle = agent.handle(&key);
    match (action, handle) {
        (Action::Stop, Some(handle)) => handle.order(Order::Stop).await.map_err(failed),
        (Action::Stop, None) => Ok(()),
        (Action::Restart, Some(handle)) if handle.status().state != TaskState::Stopped => {
            handle.order(Order::Restart).await.map_err(failed)
        }
        (Action::Start, Some(handle)) if handle.status().state != TaskState::Stopped => Ok(()),
        _ => {
            let record = pod.tasks.get(&key.task).cloned().unwrap_or_default();
            let accounts = Accounts::load();
            let config = TaskConfig::new(
                &key.scope,
                &Arc::new(pod.spec),
                &spec,
                &agent.home,
                &accounts,
            )
            .map_err(failed)?;
            supervisor::start(agent, config, &record, None);
            Ok(())
        }
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
