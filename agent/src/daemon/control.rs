//! Stopping tasks for good, and acting on them by request.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use weir_agent::wire::{Action, AgentError, Goal, TaskState};

use super::accounts::Accounts;
use super::health::Order;
use super::scope::Scope;
use super::task::{TaskConfig, TaskKey};
use super::{Agent, cgroup, disk, keeper, proc, supervisor, systemd};

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
        Signal::SIGTERM,
        Duration::from_millis(grace),
    )
    .await?;
    cgroup::remove_when_empty(&cookie.replace('/', "-")).await;
    for file in [home.env_file(task), home.exit_file(task)] {
        disk::remove_if_there(&file).map_err(|error| disk::cause(&error))?;
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
