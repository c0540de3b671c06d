//! Apply: from an accepted goal to the host being so.
//!
//! 1. The goal is checked and written to the ledger; from here on a crash continues it.
//! 2. Pods that must go are removed: their ports and slugs may be wanted again.
//! 3. Users and directories of every pod, then all missing packages in one run of apt.
//! 4. Per pod, all pods at the same time: artifacts, files, tasks.
//! 5. What became of each pod is written to the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinSet;
use weir_agent::wire::{AgentError, HostSpec, PodError, PodSpec};

use super::accounts::{self, Accounts};
use super::disk;
use super::events::{Events, PodEvents};
use super::home::PodHome;
use super::ledger::{PodRecord, TaskRecord};
use super::remove::remove_pods;
use super::scope::Scope;
use super::status::UnitCache;
use super::validate;
use super::{Agent, StepError, lock};

/// The work on one pod.
#[derive(Clone, Debug)]
pub(crate) struct PodWork {
    pub(crate) agent: Arc<Agent>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) spec: Arc<PodSpec>,
    pub(crate) home: PodHome,
    pub(crate) generation: u64,
    pub(crate) events: PodEvents,
    pub(crate) units: Arc<UnitCache>,
}

/// Brings the host to a goal; the report afterwards tells which pods failed.
///
/// # Errors
/// When the goal is refused as a whole, or the ledger can't be written.
pub(crate) async fn apply(
    agent: &Arc<Agent>,
    spec: HostSpec,
    events: &Events,
    units: &Arc<UnitCache>,
) -> Result<(), AgentError> {
    agent.refuse_corrupt(&spec.scope)?;
    let scope = agent.scope_or_new(&spec.scope);
    let checked = refuse_older(&scope, &spec)
        .and_then(|()| scope.read(|ledger| validate::check(&spec, ledger)));
    if let Err(error) = checked {
        agent.drop_if_empty(&scope)?;
        return Err(error);
    }
    // Whoever works on an older goal of this scope stops waiting and lets us in.
    scope.aim(spec.generation);
    let (scope, _working) = agent.work_on(&spec.scope).await;
    let names = accept(&scope, spec)?;
    let generation = scope.read(|ledger| ledger.generation);
    let removing: Vec<String> = scope.read(|ledger| {
        let pods = ledger.pods.iter();
        pods.filter(|(_, pod)| pod.removing)
            .map(|(name, _)| name.clone())
            .collect()
    });
    if !removing.is_empty() {
        remove_pods(agent, &scope, removing, events).await;
        units.forget();
    }
    let works = works(agent, &scope, &names, generation, events, units);
    bring_up(agent, works).await;
    agent.collect_blobs();
    agent.drop_if_empty(&scope)?;
    Ok(())
}

fn refuse_older(scope: &Scope, spec: &HostSpec) -> Result<(), AgentError> {
    let (have, digest) = scope.read(|ledger| (ledger.generation, ledger.digest.clone()));
    if spec.generation < have {
        return Err(AgentError::OlderGeneration {
            have,
            got: spec.generation,
        });
    }
    if spec.generation == have && !digest.is_empty() && digest != digest_of(spec) {
        return Err(AgentError::GenerationReused { generation: have });
    }
    Ok(())
}

fn digest_of(spec: &HostSpec) -> String {
    // A spec that came as JSON can be written as JSON.
    disk::sha256_hex(&serde_json::to_vec(spec).unwrap_or_default())
}

/// Writes the goal down; from here on it holds, whatever happens. Gives the pods to work on.
fn accept(scope: &Scope, spec: HostSpec) -> Result<Vec<String>, AgentError> {
    // Again: another apply may have come first.
    refuse_older(scope, &spec)?;
    scope.read(|ledger| validate::check(&spec, ledger))?;
    let digest = digest_of(&spec);
    let names = spec.set.iter().map(|pod| pod.name.clone()).collect();
    scope.update(|ledger| {
        ledger.generation = spec.generation;
        ledger.digest = digest;
        for name in &spec.remove {
            if let Some(pod) = ledger.pods.get_mut(name) {
                pod.removing = true;
            }
        }
        for pod in spec.set {
            let record = ledger
                .pods
                .entry(pod.name.clone())
                .or_insert_with(|| PodRecord::new(pod.clone(), spec.generation));
            for task in &pod.tasks {
                record.tasks.entry(task.name.clone()).or_default();
            }
            if record.spec != pod || record.removing {
                record.spec = pod;
                record.generation = spec.generation;
                record.removing = false;
                record.settled = false;
                record.error = None;
            }
        }
    })?;
    Ok(names)
}

/// The work on the named pods.
pub(crate) fn works(
    agent: &Arc<Agent>,
    scope: &Arc<Scope>,
    names: &[String],
    generation: u64,
    events: &Events,
    units: &Arc<UnitCache>,
) -> Vec<PodWork> {
    names
        .iter()
        .filter_map(|name| {
            let record = scope.pod(name)?;
            Some(PodWork {
                agent: Arc::clone(agent),
                scope: Arc::clone(scope),
                home: agent.home.pod(&scope.name, &record.spec.slug),
                spec: Arc::new(record.spec),
                generation,
                events: events.pod(name),
                units: Arc::clone(units),
            })
        })
        .collect()
}

/// Steps 3 to 5. Who calls holds the scope's work lock.
pub(crate) async fn bring_up(agent: &Arc<Agent>, works: Vec<PodWork>) {
    let mut ready = Vec::new();
    for work in works {
        match work.prepare().await {
            Ok(()) => ready.push(work),
            Err(error) => work.finish(Err(error)),
        }
    }
    let accounts = Arc::new(Accounts::load());
    let mut failures = install_packages(agent, &ready).await;
    let mut running = JoinSet::new();
    for work in ready {
        if let Some(message) = failures.remove(&work.spec.name) {
            work.finish(Err(StepError::new("packages", message)));
            continue;
        }
        let accounts = Arc::clone(&accounts);
        running.spawn(async move {
            let result = work.complete(&accounts).await;
            work.finish(result);
        });
    }
    while let Some(joined) = running.join_next().await {
        if let Err(error) = joined {
            agent.note(&format!("the work on a pod broke off: {error}"));
        }
    }
}

/// Installs what all pods lack, in one run; gives a message per pod that can't have all of it.
async fn install_packages(agent: &Arc<Agent>, works: &[PodWork]) -> BTreeMap<String, String> {
    const STEP: &str = "packages";
    let lacking: Vec<(&PodWork, BTreeSet<String>)> = works
        .iter()
        .map(|work| (work, agent.packages.missing(&work.spec.packages)))
        .filter(|(_, missing)| !missing.is_empty())
        .collect();
    let all: BTreeSet<String> = lacking
        .iter()
        .flat_map(|(_, missing)| missing.iter().cloned())
        .collect();
    if all.is_empty() {
        return BTreeMap::new();
    }
    for (work, _) in &lacking {
        work.events.started(STEP);
    }
    let progress = |text: &str| {
        for (work, _) in &lacking {
            work.events.progress(STEP, text);
        }
    };
    let failures = agent.packages.install(&all, &progress).await;
    let mut failed = BTreeMap::new();
    for (work, missing) in lacking {
        work.units.forget();
        let messages: BTreeSet<&str> = missing
            .iter()
            .filter_map(|package| failures.get(package))
            .map(String::as_str)
            .collect();
        if messages.is_empty() {
            let names: Vec<&str> = missing.iter().map(String::as_str).collect();
            work.events
                .changed(STEP, format!("installed {}", names.join(", ")));
            work.events.done(STEP);
        } else {
            let messages: Vec<&str> = messages.into_iter().collect();
            failed.insert(work.spec.name.clone(), messages.join("; "));
        }
    }
    failed
}

impl PodWork {
    /// The user and the directories.
    async fn prepare(&self) -> Result<(), StepError> {
        self.make_user().await?;
        self.make_directories(&Accounts::load())
    }

    async fn make_user(&self) -> Result<(), StepError> {
        let Some(name) = &self.spec.user else {
            return Ok(());
        };
        let step = format!("user {name}");
        let accounts = Accounts::load();
        let own = nix::unistd::geteuid();
        match accounts.user(name) {
            Some(_) if own.is_root() => Ok(()),
            Some(user) if user.ids.uid == own.as_raw() => Ok(()),
            _ if !own.is_root() => Err(StepError::new(
                step,
                format!(
                    "the agent runs as {} and can't run tasks as {name}; run the agent as root, or leave the user out",
                    accounts.user_name(own.as_raw())
                ),
            )),
            _ => {
                self.events.started(&step);
                // Remembered first: a user made right before a crash must not stay for ever.
                self.scope
                    .update_pod(&self.spec.name, |pod| pod.made.user = Some(name.clone()))
                    .map_err(|error| StepError::new(&step, error.to_string()))?;
                accounts::create_user(name, &accounts)
                    .await
                    .map_err(|message| StepError::new(&step, message))?;
                self.events.changed(&step, "created");
                self.events.done(&step);
                Ok(())
            }
        }
    }

    async fn complete(&self, accounts: &Accounts) -> Result<(), StepError> {
        self.install_artifacts(accounts).await?;
        self.write_files(accounts)?;
        self.run_tasks(accounts).await
    }

    /// Writes down what became of the pod.
    fn finish(&self, result: Result<(), StepError>) {
        let error = result.err().map(|StepError { step, message }| {
            self.events.failed(&step, &message);
            PodError { step, message }
        });
        let settled = error.is_none();
        let written = self.scope.update_pod(&self.spec.name, |pod| {
            pod.settled = settled;
            pod.error = error;
        });
        if let Err(error) = written {
            self.agent.note(&error.to_string());
        }
    }

    pub(crate) fn task_record(&self, task: &str) -> TaskRecord {
        self.scope
            .pod(&self.spec.name)
            .and_then(|pod| pod.tasks.get(task).cloned())
            .unwrap_or_default()
    }
}

impl Agent {
    /// The scope and the right to work on it; it may have been removed and made again while
    /// we waited.
    pub(crate) async fn work_on(&self, name: &str) -> (Arc<Scope>, OwnedMutexGuard<()>) {
        loop {
            let scope = self.scope_or_new(name);
            let guard = Arc::clone(&scope.work).lock_owned().await;
            if self
                .scope(name)
                .is_some_and(|now| Arc::ptr_eq(&now, &scope))
            {
                return (scope, guard);
            }
        }
    }

    /// Forgets a scope without pods, its ledger and its directories.
    ///
    /// # Errors
    /// When the ledger can't be removed.
    pub(crate) fn drop_if_empty(&self, scope: &Arc<Scope>) -> Result<(), AgentError> {
        if !scope.remove_if_empty()? {
            return Ok(());
        }
        for dir in self.home.scope_dirs(&scope.name) {
            // Never made, or something is in it that a message has named already.
            let _ = std::fs::remove_dir(&dir);
            if let Some(parent) = dir.parent().filter(|parent| !parent.ends_with("pods")) {
                let _ = std::fs::remove_dir(parent);
            }
        }
        let mut scopes = lock(&self.scopes);
        if scopes
            .get(&scope.name)
            .is_some_and(|now| Arc::ptr_eq(now, scope))
        {
            scopes.remove(&scope.name);
        }
        Ok(())
    }
}
