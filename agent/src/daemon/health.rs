//! Health: a task's `ready` and `alive` checks, and waiting for it to be ready.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use weir_agent::wire::{Check, TaskState, TaskStatus};

use super::probe;
use super::scope::Scope;
use super::task::TaskConfig;

/// A task without a `ready` check must stay up this long to count as started.
const SETTLE: Duration = Duration::from_millis(300);

/// What a supervised task is asked to do; the sender is told when it is done.
#[derive(Debug)]
pub(crate) enum Order {
    Stop(oneshot::Sender<Result<(), String>>),
    Restart(oneshot::Sender<Result<(), String>>),
}

/// The agent's hold on one task: its state, and a way to give it orders.
#[derive(Debug)]
pub(crate) struct Handle {
    config: Mutex<Arc<TaskConfig>>,
    status: watch::Sender<TaskStatus>,
    /// What the last failed probe said.
    complaint: Mutex<Option<String>>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Handle {
    pub(crate) fn new(
        config: TaskConfig,
        status: TaskStatus,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Order>) {
        let (orders, receiver) = mpsc::unbounded_channel();
        let handle = Self {
            config: Mutex::new(Arc::new(config)),
            status: watch::Sender::new(status),
            complaint: Mutex::new(None),
            orders,
        };
        (Arc::new(handle), receiver)
    }

    pub(crate) fn config(&self) -> Arc<TaskConfig> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over settings that need no restart: checks, back-off, grace.
    pub(crate) fn set_config(&self, config: TaskConfig) {
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    pub(crate) fn status(&self) -> TaskStatus {
        self.status.borrow().clone()
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut TaskStatus)) {
        self.status.send_modify(change);
    }

    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.status
            .send_if_modified(|status| match &mut status.state {
                TaskState::Running { ready, .. } if *ready != is_ready => {
                    *ready = is_ready;
                    true
                }
                _ => false,
            });
    }

    /// Gives an order and waits until it is carried out. A task whose supervisor has ended has
    /// nothing left to stop.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn order(
        &self,
        order: fn(oneshot::Sender<Result<(), String>>) -> Order,
    ) -> Result<(), String> {
        let (done, result) = oneshot::channel();
        if self.orders.send(order(done)).is_err() {
            return Ok(());
        }
        result.await.unwrap_or(Ok(()))
    }

    fn complain(&self, message: Option<String>) {
        *self
            .complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = message;
    }

    fn complaint(&self) -> Option<String> {
        self.complaint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Watches a task that runs: first until it is ready, then as long as it is alive. Returns
    /// why when it is not alive any more.
    pub(crate) async fn watch(&self) -> String {
        let config = self.config();
        if let Some(check) = &config.spec.ready {
            self.until_ready(check, &config).await;
        }
        self.set_ready(true);
        match &config.spec.alive {
            Some(check) => self.while_alive(check, &config).await,
            None => std::future::pending().await,
        }
    }

    async fn until_ready(&self, check: &Check, config: &TaskConfig) {
        self.complain(None);
        // Quicker at first: most tasks are ready long before their `every` is over.
        let mut pause = Duration::from_millis(20);
        let every = Duration::from_millis(check.every_ms.max(10));
        while let Err(message) = probe::ask(&check.probe, config, probe::ONE_PROBE).await {
            self.complain(Some(message));
            tokio::time::sleep(pause.min(every)).await;
            pause = (pause * 2).min(every);
        }
        self.complain(None);
    }

    async fn while_alive(&self, check: &Check, config: &TaskConfig) -> String {
        let limit = Duration::from_millis(check.timeout_ms.max(1));
        let mut failures = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(check.every_ms.max(10))).await;
            match probe::ask(&check.probe, config, limit).await {
                Ok(()) => failures = 0,
                Err(message) => {
                    failures += 1;
                    if failures >= check.failures.max(1) {
                        return message;
                    }
                }
            }
        }
    }

    /// Waits until a task that is kept running is ready.
    ///
    /// # Errors
    /// In words: the last probe's answer and the end of the log, or why it can't become ready.
    pub(crate) async fn wait_ready(&self, scope: &Scope, generation: u64) -> Result<(), String> {
        let config = self.config();
        let Some(check) = &config.spec.ready else {
            return self.wait_settled(&config).await;
        };
        let limit = Duration::from_millis(check.timeout_ms);
        let deadline = Instant::now() + limit;
        let mut status = self.status.subscribe();
        loop {
            let state = status.borrow_and_update().state.clone();
            match &state {
                TaskState::Running { ready: true, .. } => return Ok(()),
                TaskState::Failed { message } => {
                    return Err(format!("{message}{}", config.last_words().await));
                }
                _ => {}
            }
            if scope.is_superseded(generation) {
                return Err("a newer goal arrived before it was ready".to_owned());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.not_ready(&config, limit).await);
            }
            // The short wait notices a newer goal.
            let _ =
                tokio::time::timeout(left.min(Duration::from_millis(500)), status.changed()).await;
        }
    }

    async fn not_ready(&self, config: &TaskConfig, limit: Duration) -> String {
        let status = self.status();
        let state = match (&status.state, status.last_exit) {
            (TaskState::Backoff { .. } | TaskState::Waiting, Some(exit)) => {
                format!(
                    "it ended with {exit} and was restarted {} times",
                    status.restarts
                )
            }
            _ => self
                .complaint()
                .unwrap_or_else(|| "no probe has answered yet".to_owned()),
        };
        format!(
            "not ready within {limit:?}: {state}{}",
            config.last_words().await
        )
    }

    async fn wait_settled(&self, config: &TaskConfig) -> Result<(), String> {
        let mut status = self.status.subscribe();
        let age = super::disk::now_ms().saturating_sub(self.status().since);
        if matches!(self.status().state, TaskState::Running { .. })
            && u128::from(age) >= SETTLE.as_millis()
        {
            return Ok(());
        }
        let deadline = Instant::now() + SETTLE;
        loop {
            let seen = status.borrow_and_update().clone();
            match seen.state {
                TaskState::Running { .. } if Instant::now() >= deadline => return Ok(()),
                TaskState::Failed { message } => {
                    return Err(format!("{message}{}", config.last_words().await));
                }
                TaskState::Backoff { .. } => {
                    let exit = seen
                        .last_exit
                        .map_or_else(String::new, |exit| format!(" with {exit}"));
                    return Err(format!(
                        "it ended right after its start{exit}{}",
                        config.last_words().await
                    ));
                }
                TaskState::Stopped | TaskState::Finished { .. } => return Ok(()),
                TaskState::Running { .. } | TaskState::Waiting => {}
            }
            let pause = deadline
                .saturating_duration_since(Instant::now())
                .max(Duration::from_millis(10));
            let _ = tokio::time::timeout(pause, status.changed()).await;
        }
    }

    /// Waits until a task with an end has reached it.
    ///
    /// # Errors
    /// In words, when it ended with another code than 0.
    pub(crate) async fn wait_finished(&self) -> Result<(), String> {
        let mut status = self.status.subscribe();
        loop {
            let state = status.borrow_and_update().state.clone();
            match &state {
                TaskState::Finished { .. } => return Ok(()),
                TaskState::Failed { message } => {
                    return Err(format!("{message}{}", self.config().last_words().await));
                }
                TaskState::Stopped => return Err("it was stopped before it ended".to_owned()),
                _ => {}
            }
            if status.changed().await.is_err() {
                return Err("its supervisor ended".to_owned());
            }
        }
    }
}
