//! What the agent does by itself when it starts: tasks that ran are taken over or started
//! again, and work that a crash cut off is finished.

use std::sync::Arc;

use weir_agent::wire::{Goal, TaskExec};

use super::Agent;
use super::accounts::Accounts;
use super::apply::{bring_up, works};
use super::events::Events;
use super::keeper;
use super::ledger::PodRecord;
use super::remove::remove_pods;
use super::scope::Scope;
use super::status::UnitCache;
use super::supervisor;
use super::systemd;
use super::task::TaskConfig;

/// Resumes every scope, each by itself. The work locks are taken before it returns, so that no
/// request comes in between.
pub(crate) fn resume(agent: &Arc<Agent>) {
    for scope in agent.all_scopes() {
        let agent = Arc::clone(agent);
        // Free: nobody else runs yet.
        let Ok(working) = Arc::clone(&scope.work).try_lock_owned() else {
            continue;
        };
        tokio::spawn(async move {
            let _working = working;
            resume_scope(&agent, &scope).await;
        });
    }
}

async fn resume_scope(agent: &Arc<Agent>, scope: &Arc<Scope>) {
    let (generation, pods): (u64, Vec<PodRecord>) =
        scope.read(|ledger| (ledger.generation, ledger.pods.values().cloned().collect()));
    let events = Events::nobody();
    let units = Arc::new(UnitCache::default());
    // First what ran: it takes no time, and then nobody notices that the agent was away.
    for pod in pods.iter().filter(|pod| !pod.removing) {
        let resumed = resume_tasks(agent, scope, pod, generation, &units).await;
        if let Err(message) = resumed {
            agent.note(&format!("{}: {message}", pod.spec.name));
        }
    }
    let removing = pods.iter().filter(|pod| pod.removing);
    let removing = removing.map(|pod| pod.spec.name.clone()).collect();
    remove_pods(agent, scope, removing, &events).await;
    let unfinished: Vec<String> = pods
        .iter()
        .filter(|pod| !pod.removing && !pod.settled && pod.error.is_none())
        .map(|pod| pod.spec.name.clone())
        .collect();
    let works = works(agent, scope, &unfinished, generation, &events, &units);
    bring_up(agent, works).await;
    if let Err(error) = agent.drop_if_empty(scope) {
        agent.note(&error.to_string());
    }
}

/// Takes over what runs and starts what ran, in order.
async fn resume_tasks(
    agent: &Arc<Agent>,
    scope: &Arc<Scope>,
    pod: &PodRecord,
    generation: u64,
    units: &UnitCache,
) -> Result<(), String> {
    let accounts = Accounts::load();
    let spec = Arc::new(pod.spec.clone());
    for task in &pod.spec.tasks {
        let record = pod.tasks.get(&task.name).cloned().unwrap_or_default();
        if record.digest.is_empty() || record.stopped {
            continue;
        }
        let config = TaskConfig::new(&scope.name, &spec, task, &agent.home, &accounts)?;
        if agent.systemd {
            if task.goal == Goal::Running && (task.ready.is_some() || task.alive.is_some()) {
                let units = units.get(agent, scope).await?;
                let name = systemd::unit_of(task, &config.home);
                let pid = units.get(&name).map_or(0, |unit| unit.main_pid);
                keeper::watch(agent, config, pid);
            }
            continue;
        }
        if matches!(task.exec, TaskExec::Unit { .. }) {
            continue;
        }
        let process = supervisor::find_process(&config, &record);
        if task.goal != Goal::Running && process.is_none() {
            continue;
        }
        let started = process.is_none();
        let handle = supervisor::start(agent, config, &record, process);
        if started {
            // The order of a pod's tasks holds after a reboot too; one that fails keeps
            // trying, and the next ones are not held back for ever.
            let ready = handle.wait_ready(scope, generation).await;
            if let Err(message) = ready {
                agent.note(&format!("{} task {}: {message}", pod.spec.name, task.name));
            }
        }
    }
    Ok(())
}
