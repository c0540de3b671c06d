//! Changing a host: blobs, then a goal, then a report.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::MutexGuard;
use tokio::time::Instant;
use weir_agent::wire::{Action, Event, HostReport, HostSpec, TaskState};

use crate::error::HostError;
use crate::host::{Host, hex};

/// How long a task that was stopped by hand may take to start.
const START_PATIENCE: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(50);

/// The right to change one host, held from the first blob to the report: the
/// agent drops blobs that no goal names.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    host: &'a Host,
    /// The generation of the last goal that was sent.
    last: MutexGuard<'a, u64>,
}

impl<'a> Change<'a> {
    pub(crate) fn new(host: &'a Host, last: MutexGuard<'a, u64>) -> Self {
        Self { host, last }
    }

    pub(crate) fn host(&self) -> &'a Host {
        self.host
    }

    /// Brings the host to a goal of at least the given generation: steps that
    /// have nothing to do with each other come in any order, and each must be
    /// newer to the agent than the one before.
    ///
    /// Sending a goal twice is as sending it once, so one whose conversation
    /// broke is sent again, on a new one, to hear how it ends.
    pub(crate) async fn apply(
        &mut self,
        mut goal: HostSpec,
        on_event: &(dyn Fn(Event) + Sync),
    ) -> Result<HostReport, HostError> {
        goal.generation = goal.generation.max(*self.last + 1);
        *self.last = goal.generation;
        self.host.forget_reports();
        let mut broken = None;
        if let Some(mut agent) = self.host.rested() {
            let outcome = agent.apply(goal.clone(), on_event).await;
            match outcome.map_err(HostError::from) {
                Err(error) if error.is_hang_up() => {
                    broken = Some(self.host.why_lost(error).await);
                }
                outcome => return self.host.rest(agent, outcome),
            }
        }
        let mut agent = match (self.host.agent().await, broken) {
            (Ok(agent), _) => agent,
            // The goal was sent: that nobody answers now is not the whole story.
            (Err(_), Some(broken)) => return Err(broken),
            (Err(error), None) => return Err(error),
        };
        match agent.apply(goal, on_event).await.map_err(HostError::from) {
            Err(error) if error.is_hang_up() => Err(self.host.why_lost(error).await),
            outcome => self.host.rest(agent, outcome),
        }
    }

    /// Starts tasks that somebody has stopped (pod and task), and gives what
    /// is there then.
    pub(crate) async fn start(
        &mut self,
        scope: &str,
        tasks: &[(String, String)],
    ) -> Result<HostReport, HostError> {
        let mut agent = self.host.agent().await?;
        for (pod, task) in tasks {
            agent.control(scope, pod, task, Action::Start).await?;
        }
        let give_up = Instant::now() + START_PATIENCE;
        loop {
            let report = agent.status(Some(scope)).await?;
            let is_waiting = |(pod, task): &(String, String)| {
                let pod = report.scopes.get(scope).and_then(|s| s.pods.get(pod));
                let task = pod.and_then(|pod| pod.tasks.get(task));
                task.is_some_and(|task| task.state == TaskState::Waiting)
            };
            if !tasks.iter().any(is_waiting) || Instant::now() >= give_up {
                return self.host.rest(agent, Ok(report));
            }
            tokio::time::sleep(START_PAUSE).await;
        }
    }

    /// Brings blobs the agent lacks: sha256 and the file on this machine.
    pub(crate) async fn put_blobs(
        &mut self,
        blobs: &[(String, String)],
        on_upload: &(dyn Fn(String) + Sync),
    ) -> Result<(), HostError> {
        if blobs.is_empty() {
            return Ok(());
        }
        let mut agent = self.host.agent().await?;
        let wanted = blobs.iter().map(|(sha256, _)| sha256.clone()).collect();
        let missing = agent.have_blobs(wanted).await?;
        for (sha256, path) in blobs.iter().filter(|(sha256, _)| missing.contains(sha256)) {
            let unreadable = |cause| HostError::Local {
                what: format!("artifact {path} can't be read"),
                cause: Arc::new(cause),
            };
            let found = sha256_of(path).await.map_err(unreadable)?;
            if found != *sha256 {
                let (path, asked) = (path.clone(), sha256.clone());
                return Err(HostError::OtherFile { path, asked, found });
            }
            let mut file = File::open(path).await.map_err(unreadable)?;
            let size = file.metadata().await.map_err(unreadable)?.len();
            on_upload(format!("uploading {path} ({} KiB)", size / 1024));
            agent.put_blob(sha256, size, &mut file).await?;
        }
        self.host.rest(agent, Ok(()))
    }
}

/// Lowercase hex sha256 of a file on this machine.
async fn sha256_of(path: &str) -> std::io::Result<String> {
    let mut file = File::open(path).await?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).await? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hex(&hasher.finalize()))
}
