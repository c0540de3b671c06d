//! The report: the host looked at now.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use weir_agent::wire::{
    AgentInfo, ArtifactStatus, FileState, FileStatus, Goal, HostFacts, HostReport, PodStatus,
    ScopeStatus, TaskSpec, TaskState, TaskStatus,
};

use super::accounts::Accounts;
use super::ledger::{PodRecord, TaskRecord};
use super::packages::{Installed, name_of};
use super::scope::Scope;
use super::systemd::{self, Units};
use super::task::{TaskConfig, TaskKey};
use super::{Agent, artifacts, disk, files, keeper, lock, proc};

/// The units of a scope as of one moment: looked at once, until something changes them.
#[derive(Debug, Default)]
pub(crate) struct UnitCache {
    known: Mutex<Option<Arc<Units>>>,
}

impl UnitCache {
    pub(crate) fn forget(&self) {
        *lock(&self.known) = None;
    }

    /// # Errors
    /// In words, when systemd can't be asked.
    pub(crate) async fn get(&self, agent: &Agent, scope: &Scope) -> Result<Arc<Units>, String> {
        if let Some(known) = lock(&self.known).clone() {
            return Ok(known);
        }
        let names = if agent.systemd {
            unit_names(agent, scope)
        } else {
            Vec::new()
        };
        let units = Arc::new(systemd::show(&names).await?);
        *lock(&self.known) = Some(Arc::clone(&units));
        Ok(units)
    }
}

fn unit_names(agent: &Agent, scope: &Scope) -> Vec<String> {
    scope.read(|ledger| {
        let mut names: Vec<String> = ledger
            .pods
            .values()
            .flat_map(|pod| {
                let home = agent.home.pod(&scope.name, &pod.spec.slug);
                pod.spec
                    .tasks
                    .iter()
                    .map(move |task| systemd::unit_of(task, &home))
            })
            .collect();
        names.sort();
        names.dedup();
        names
    })
}

impl Agent {
    /// The host and its scopes: one, or all.
    pub(crate) async fn report(&self, only: Option<&str>, units: &UnitCache) -> HostReport {
        let mut scopes = BTreeMap::new();
        for scope in self.all_scopes() {
            if only.is_some_and(|only| only != scope.name) {
                continue;
            }
            // What one scope's units are says nothing of another's.
            let own = UnitCache::default();
            let cache = if only.is_some() { units } else { &own };
            let units = match cache.get(self, &scope).await {
                Ok(units) => units,
                Err(message) => {
                    self.note(&message);
                    Arc::default()
                }
            };
            scopes.insert(scope.name.clone(), self.scope_status(&scope, &units));
        }
        HostReport {
            agent: self.info().await,
            host: self.facts(),
            scopes,
        }
    }

    fn scope_status(&self, scope: &Scope, units: &Units) -> ScopeStatus {
        let accounts = Accounts::load();
        let installed = self.packages.installed();
        let (generation, pods) = scope.read(|ledger| (ledger.generation, ledger.pods.clone()));
        let pods = pods.into_iter().map(|(name, record)| {
            let status = self.pod_status(scope, record, units, &accounts, &installed);
            (name, status)
        });
        ScopeStatus {
            generation,
            pods: pods.collect(),
        }
    }

    fn pod_status(
        &self,
        scope: &Scope,
        record: PodRecord,
        units: &Units,
        accounts: &Accounts,
        installed: &Installed,
    ) -> PodStatus {
        let home = self.home.pod(&scope.name, &record.spec.slug);
        let mut hashes = lock(&self.hashes);
        let files = record.spec.files.iter().map(|file| {
            let ids = accounts.owner_ids(
                file.owner.as_deref(),
                file.group.as_deref(),
                record.spec.user.as_deref(),
            );
            let path = home.resolve(&file.path);
            let state = match ids {
                Ok(ids) => files::state(&path, file, ids, accounts, &mut hashes),
                // An owner that does not exist can own nothing.
                Err(_) => FileState::Missing,
            };
            FileStatus {
                path: file.path.clone(),
                state,
            }
        });
        let files = files.collect();
        let artifacts = record.spec.artifacts.iter().map(|artifact| ArtifactStatus {
            name: artifact.name.clone(),
            state: artifacts::state(artifact, &home, &mut hashes),
        });
        let artifacts = artifacts.collect();
        drop(hashes);
        let packages = record.spec.packages.iter().map(|package| {
            let name = name_of(package);
            (name.to_owned(), installed.get(name).cloned())
        });
        let spec = Arc::new(record.spec.clone());
        let tasks = record.spec.tasks.iter().map(|task| {
            let known = record.tasks.get(&task.name).cloned().unwrap_or_default();
            let config = TaskConfig::new(&scope.name, &spec, task, &self.home, accounts);
            let status = match config {
                Ok(config) if self.systemd => {
                    let unit = units.get(&systemd::unit_of(task, &home));
                    let handle = self.handle(&config.key);
                    keeper::status(&config, unit, &known, handle.as_deref())
                }
                _ => self.own_status(scope, &record.spec.name, task, &known),
            };
            (task.name.clone(), status)
        });
        PodStatus {
            generation: record.generation,
            directory: home.dir().display().to_string(),
            packages: packages.collect(),
            tasks: tasks.collect(),
            spec: record.spec,
            settled: record.settled,
            error: record.error,
            files,
            artifacts,
        }
    }

    fn own_status(
        &self,
        scope: &Scope,
        pod: &str,
        task: &TaskSpec,
        record: &TaskRecord,
    ) -> TaskStatus {
        let handle = self.handle(&TaskKey {
            scope: scope.name.clone(),
            pod: pod.to_owned(),
            task: task.name.clone(),
        });
        if let Some(handle) = handle {
            let mut status = handle.status();
            if let TaskState::Backoff { next_in_ms } = &mut status.state {
                let waited = disk::now_ms().saturating_sub(status.since);
                *next_in_ms = next_in_ms.saturating_sub(waited);
            }
            return status;
        }
        let state = match record.process.filter(|process| proc::is_alive(*process)) {
            Some(process) => TaskState::Running {
                pid: process.pid,
                ready: task.ready.is_none(),
            },
            None if task.goal != Goal::Running && record.finished.is_some() => {
                TaskState::Finished { code: 0 }
            }
            None => TaskState::Stopped,
        };
        TaskStatus {
            state,
            restarts: record.restarts,
            since: record.since,
            last_exit: record.last_exit,
        }
    }

    async fn info(&self) -> AgentInfo {
        let sha256 = self
            .executable
            .get_or_init(|| async {
                let hash = || disk::sha256_file("/proc/self/exe".as_ref());
                let hashed = tokio::task::spawn_blocking(hash).await;
                hashed.ok().and_then(Result::ok).unwrap_or_default()
            })
            .await
            .clone();
        AgentInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256,
            pid: std::process::id(),
        }
    }

    fn facts(&self) -> HostFacts {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let line = |path: &str| text(path).trim().to_owned();
        let release = text("/etc/os-release");
        let memory = text("/proc/meminfo");
        HostFacts {
            hostname: line("/proc/sys/kernel/hostname"),
            os_id: os_release(&release, "ID"),
            os_version: os_release(&release, "VERSION_ID"),
            kernel: line("/proc/sys/kernel/osrelease"),
            cpus: std::thread::available_parallelism()
                .map_or(0, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
            memory_bytes: memory_total(&memory),
            boot_id: line("/proc/sys/kernel/random/boot_id"),
            systemd: self.systemd,
            root: nix::unistd::geteuid().is_root(),
        }
    }
}

fn os_release(text: &str, key: &str) -> String {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned())
        .unwrap_or_default()
}

fn memory_total(text: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_from_their_files() {
        let release = "NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n";
        assert_eq!(os_release(release, "ID"), "debian");
        assert_eq!(os_release(release, "VERSION_ID"), "12");
        assert_eq!(os_release(release, "VARIANT"), "");
        assert_eq!(memory_total("MemTotal:  2048 kB\nMemFree: 1 kB\n"), 2 << 20);
    }
}
