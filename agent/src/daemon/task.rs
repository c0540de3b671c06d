//! One task with everything it takes to run it, whoever supervises it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;
use weir_agent::wire::{Goal, OnChange, PodSpec, TaskExec, TaskSpec};

use super::accounts::{Accounts, User};
use super::disk;
use super::home::{Home, PodHome};
use super::proc::COOKIE;
use super::shim::Setup;
use super::{logs, systemd};

/// Which task: unique on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskKey {
    pub(crate) scope: String,
    pub(crate) pod: String,
    pub(crate) task: String,
}

/// One task with everything it takes to run it.
#[derive(Debug)]
pub(crate) struct TaskConfig {
    pub(crate) key: TaskKey,
    pub(crate) spec: TaskSpec,
    pub(crate) pod: Arc<PodSpec>,
    pub(crate) home: PodHome,
    /// Marks its processes.
    pub(crate) cookie: String,
    user: Option<(User, Vec<u32>)>,
}

impl TaskConfig {
    /// What its process said last, for an error message: from its log, or from the journal where
    /// the unit is not the agent's own.
    pub(crate) async fn last_words(&self) -> String {
        match &self.spec.exec {
            TaskExec::Unit { name } => systemd::journal_excerpt(&systemd::full_name(name)).await,
            TaskExec::Command { .. } => logs::excerpt(&self.log()),
        }
    }

    /// # Errors
    /// In words, when the pod's user isn't known or can't be had.
    pub(crate) fn new(
        scope: &str,
        pod: &Arc<PodSpec>,
        spec: &TaskSpec,
        home: &Home,
        accounts: &Accounts,
    ) -> Result<Self, String> {
        let pod_home = home.pod(scope, &pod.slug);
        let user = match &pod.user {
            Some(name) if nix::unistd::geteuid().is_root() => {
                let user = accounts
                    .user(name)
                    .ok_or_else(|| format!("user {name:?} does not exist on this host"))?;
                Some((user.clone(), accounts.groups_of(user)))
            }
            _ => None,
        };
        let cookie = format!(
            "{}/{}/{}/{}",
            home.id(),
            pod_home.scope(),
            pod.slug,
            spec.name
        );
        Ok(Self {
            key: TaskKey {
                scope: scope.to_owned(),
                pod: pod.name.clone(),
                task: spec.name.clone(),
            },
            spec: spec.clone(),
            pod: Arc::clone(pod),
            home: pod_home,
            cookie,
            user,
        })
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.home.dir()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.log(&self.spec.name)
    }

    pub(crate) fn exit_file(&self) -> PathBuf {
        self.home.exit_file(&self.spec.name)
    }

    /// The name of its cgroup.
    pub(crate) fn cgroup(&self) -> String {
        self.cookie.replace('/', "-")
    }

    pub(crate) fn grace(&self) -> Duration {
        Duration::from_millis(self.spec.kill_grace_ms)
    }

    pub(crate) fn user_name(&self) -> Option<&str> {
        self.user.as_ref().map(|(user, _)| user.name.as_str())
    }

    /// The whole environment of its processes.
    pub(crate) fn env(&self) -> BTreeMap<String, String> {
        let mut env = BTreeMap::from([
            ("PATH".to_owned(), super::SYSTEM_PATH.to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("HOME".to_owned(), self.dir().display().to_string()),
        ]);
        if let Some((user, _)) = &self.user {
            env.insert("USER".to_owned(), user.name.clone());
            env.insert("LOGNAME".to_owned(), user.name.clone());
            env.insert("HOME".to_owned(), user.home.clone());
        }
        for (name, value) in self.pod.env.iter().chain(self.spec.env.iter()) {
            env.insert(name.clone(), value.clone());
        }
        env.insert(COOKIE.to_owned(), self.cookie.clone());
        env
    }

    pub(crate) fn setup(&self) -> Setup {
        let user = self.user.as_ref();
        Setup {
            dir: self.dir(),
            ..Setup::default()
        }
        .with_user(user.map(|(user, groups)| (user.ids, groups.clone())))
    }

    /// A command beside the task, with its user, directory and environment.
    pub(crate) fn helper(&self, run: &str) -> Command {
        let mut command = self.setup().command(run);
        command.envs(self.env());
        command
    }

    /// Differs when the task must be started anew: what it runs, as whom, with what. For tasks
    /// with an end, files and artifacts count too; for running ones a change of those is seen
    /// where they are written.
    pub(crate) fn digest(&self) -> String {
        #[derive(Serialize)]
        struct Input<'a> {
            exec: &'a TaskExec,
            goal: Goal,
            env: Option<BTreeMap<String, String>>,
            user: &'a Option<String>,
            cpus: Option<String>,
            memory: Option<u64>,
            inputs: Vec<(&'a str, String)>,
        }
        let unit = matches!(self.spec.exec, TaskExec::Unit { .. });
        let mut inputs = Vec::new();
        if self.spec.goal != Goal::Running {
            let files = self.pod.files.iter();
            for file in files.filter(|file| file.on_change == OnChange::Restart) {
                inputs.push((
                    file.path.as_str(),
                    disk::sha256_hex(file.content.as_bytes()),
                ));
            }
            for artifact in &self.pod.artifacts {
                inputs.push((artifact.name.as_str(), artifact.sha256.clone()));
            }
        }
        let input = Input {
            exec: &self.spec.exec,
            goal: self.spec.goal,
            env: (!unit).then(|| self.env()),
            user: &self.pod.user,
            cpus: self.pod.limits.cpus.map(|cpus| cpus.to_string()),
            memory: self.pod.limits.memory_bytes,
            inputs,
        };
        // Plain structs and strings always serialize.
        disk::sha256_hex(&serde_json::to_vec(&input).unwrap_or_default())
    }
}
