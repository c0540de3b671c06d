//! Removal: a pod goes with everything the agent made for it; what was there before comes back.

use std::fs;
use std::sync::Arc;

use tokio::task::JoinSet;
use weir_agent::wire::{AgentError, PodError};

use super::accounts::{self, Accounts};
use super::artifacts::Marker;
use super::control::stop_task;
use super::disk;
use super::events::{Events, PodEvents};
use super::files::put_back;
use super::ledger::PodRecord;
use super::scope::Scope;
use super::{Agent, StepError, lock};

/// Removes pods: all are stopped at the same time, so that their graces don't add up, and then
/// taken away one after another, as they may share a user. Who calls holds the scope's work lock.
pub(crate) async fn remove_pods(
    agent: &Arc<Agent>,
    scope: &Arc<Scope>,
    names: Vec<String>,
    events: &Events,
) {
    let mut stopping = JoinSet::new();
    for record in names.iter().filter_map(|name| scope.pod(name)) {
        let (agent, scope) = (Arc::clone(agent), Arc::clone(scope));
        stopping.spawn(async move { stop_tasks(&agent, &scope, &record).await });
    }
    // What could not be stopped is tried once more, and told, where the pod is taken away.
    while stopping.join_next().await.is_some() {}
    for name in names {
        remove_pod(agent, scope, &name, &events.pod(&name)).await;
    }
}

/// Removes a pod; when that fails it stays in the ledger with its error, and the next apply
/// goes on with it. Who calls holds the scope's work lock.
async fn remove_pod(agent: &Arc<Agent>, scope: &Arc<Scope>, name: &str, events: &PodEvents) {
    const STEP: &str = "remove";
    events.started(STEP);
    let result = match scope.pod(name) {
        Some(record) => take_away(agent, scope, &record).await,
        None => Ok(()),
    };
    let written = match result {
        Ok(()) => {
            events.changed(STEP, "removed");
            events.done(STEP);
            scope.update(|ledger| {
                ledger.pods.remove(name);
            })
        }
        Err(StepError { step, message }) => {
            events.failed(&step, &message);
            let error = Some(PodError { step, message });
            scope.update_pod(name, |pod| pod.error = error)
        }
    };
    if let Err(error) = written {
        agent.note(&error.to_string());
    }
}

/// Stops a pod's tasks.
async fn stop_tasks(
    agent: &Arc<Agent>,
    scope: &Arc<Scope>,
    record: &PodRecord,
) -> Result<(), StepError> {
    let pod = &record.spec;
    // The last one started is the first to stop; those the spec no longer has come before.
    let order: Vec<&String> = record
        .tasks
        .keys()
        .filter(|name| !pod.tasks.iter().any(|task| task.name == **name))
        .chain(pod.tasks.iter().rev().map(|task| &task.name))
        .collect();
    for task in order {
        stop_task(agent, scope, &pod.name, task)
            .await
            .map_err(|message| StepError::new(format!("task {task}"), message))?;
    }
    Ok(())
}

async fn take_away(
    agent: &Arc<Agent>,
    scope: &Arc<Scope>,
    record: &PodRecord,
) -> Result<(), StepError> {
    stop_tasks(agent, scope, record).await?;
    let pod = &record.spec;
    let home = agent.home.pod(&scope.name, &pod.slug);
    let failed = |path: &std::path::Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| {
            let cause = disk::cause(&error);
            StepError::new("remove", format!("{path} can't be removed: {cause}"))
        }
    };
    for path in home.markers() {
        if let Some(marker) = Marker::read(&path) {
            marker.remove_files().map_err(failed(&path))?;
        }
    }
    for (path, before) in &record.made.files {
        put_back(path, before).map_err(failed(path))?;
    }
    for volume in &record.made.volumes {
        disk::remove_tree(volume).map_err(failed(volume))?;
    }
    for dir in record.made.directories.iter().rev() {
        // One that somebody else has put something in stays.
        let _ = fs::remove_dir(dir);
    }
    for dir in [home.dir(), home.logs(), home.state()] {
        disk::remove_tree(&dir).map_err(failed(&dir))?;
    }
    lock(&agent.hashes).forget_below(&home.dir());
    remove_user(agent, scope, record).await
}

/// Removes the user the agent made for this pod; when other pods use it, it becomes theirs.
async fn remove_user(
    agent: &Arc<Agent>,
    scope: &Arc<Scope>,
    record: &PodRecord,
) -> Result<(), StepError> {
    let Some(user) = &record.made.user else {
        return Ok(());
    };
    let step = format!("user {user}");
    for other_scope in agent.all_scopes() {
        let heir = other_scope.read(|ledger| {
            let pods = ledger.pods.values();
            pods.filter(|pod| !pod.removing && pod.spec.user.as_ref() == Some(user))
                .map(|pod| pod.spec.name.clone())
                .find(|name| other_scope.name != scope.name || *name != record.spec.name)
        });
        if let Some(heir) = heir {
            return other_scope
                .update_pod(&heir, |pod| pod.made.user = Some(user.clone()))
                .map_err(|error| StepError::new(step, error.to_string()));
        }
    }
    if Accounts::load().user(user).is_none() {
        return Ok(());
    }
    accounts::remove_user(user)
        .await
        .map_err(|message| StepError::new(step, message))
}

/// Stops and removes everything of a scope.
///
/// # Errors
/// The first pod that could not be removed, after all were tried.
pub(crate) async fn forget(
    agent: &Arc<Agent>,
    name: &str,
    events: &Events,
) -> Result<(), AgentError> {
    agent.refuse_corrupt(name)?;
    let Some(scope) = agent.scope(name) else {
        return Ok(());
    };
    scope.aim(u64::MAX);
    let (scope, _working) = agent.work_on(name).await;
    scope.update(|ledger| {
        for pod in ledger.pods.values_mut() {
            pod.removing = true;
        }
    })?;
    let names: Vec<String> = scope.read(|ledger| ledger.pods.keys().cloned().collect());
    remove_pods(agent, &scope, names, events).await;
    agent.collect_blobs();
    agent.drop_if_empty(&scope)?;
    let left = scope.read(|ledger| {
        ledger
            .pods
            .values()
            .find_map(|pod| Some((pod.spec.name.clone(), pod.error.clone()?)))
    });
    match left {
        None => Ok(()),
        Some((pod, error)) => Err(AgentError::Io {
            what: format!("{pod}, {}", error.step),
            message: error.message,
        }),
    }
}
