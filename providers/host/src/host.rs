//! One host during one run: one connection, one look at its agent, shared by
//! its `weir_host` and all its pods.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{FutureExt, TryFutureExt};
use tokio::time::Instant;
use weir_agent::Client;
use weir_agent::wire::{HostReport, ShutdownOutcome};

use crate::change::Change;
use crate::connection::Connection;
use crate::error::HostError;
use crate::machine::{AgentBinary, Duplex, Layout, Machine, bootstrap};
use crate::shared::Shared;
use crate::ssh::{Connector, Environment};

/// How long a started agent may take to listen.
const LISTEN_PATIENCE: Duration = Duration::from_secs(15);
const LISTEN_PAUSE: Duration = Duration::from_millis(50);

/// Between two looks at a machine that boots.
const BOOT_PAUSE: Duration = Duration::from_secs(1);

/// How long a connection may take to end after its streams.
const LOST_PATIENCE: Duration = Duration::from_millis(200);
const LOST_PAUSE: Duration = Duration::from_millis(10);

/// A conversation with an agent.
pub(crate) type Agent = Client<Box<dyn Duplex>>;
type Report = Shared<Arc<HostReport>, HostError>;

/// What all hosts of a run have in common.
#[derive(Debug)]
pub(crate) struct Means {
    pub(crate) agent: AgentBinary,
    pub(crate) env: Environment,
    pub(crate) connector: Connector,
}

/// A host, reached when it is first needed.
#[derive(Debug)]
pub(crate) struct Host {
    connection: Connection,
    means: Arc<Means>,
    machine: Shared<Machine, HostError>,
    layout: Shared<Layout, HostError>,
    /// Conversations at rest.
    idle: Mutex<Vec<Agent>>,
    /// The generation of the last goal that was sent.
    changes: tokio::sync::Mutex<u64>,
    /// What the agent said, by scope, since something was last changed.
    reports: Mutex<HashMap<String, Arc<Report>>>,
}

impl Host {
    pub(crate) fn new(connection: Connection, means: Arc<Means>) -> Self {
        Self {
            connection,
            means,
            machine: Shared::default(),
            layout: Shared::default(),
            idle: Mutex::default(),
            changes: tokio::sync::Mutex::default(),
            reports: Mutex::default(),
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// `site/name`.
    pub(crate) fn id(&self) -> &str {
        &self.connection.host
    }

    /// Where the agent's things are, as far as known without asking.
    pub(crate) fn known_layout(&self) -> Option<Layout> {
        self.layout.peek()
    }

    /// Tells where the agent's things are: found by an earlier run.
    pub(crate) fn recall_layout(&self, layout: Layout) {
        if self.layout.peek().is_none() {
            self.layout.put(layout);
        }
    }

    /// What is on the host, looked at once for all who ask in a run.
    pub(crate) async fn status(&self, scope: &str) -> Result<Arc<HostReport>, HostError> {
        let report = {
            let mut reports = self.reports();
            Arc::clone(reports.entry(scope.to_owned()).or_default())
        };
        report
            .get(|_| true, || self.look(scope).map_ok(Arc::new).boxed())
            .await
    }

    async fn look(&self, scope: &str) -> Result<HostReport, HostError> {
        if let Some(mut agent) = self.rested() {
            match agent.status(Some(scope)).await.map_err(HostError::from) {
                Err(error) if error.is_hang_up() => {}
                outcome => return self.rest(agent, outcome),
            }
        }
        let mut agent = self.agent().await?;
        let outcome = agent.status(Some(scope)).await.map_err(HostError::from);
        self.rest(agent, outcome)
    }

    /// The right to change the host: one change at a time, because each newer
    /// goal of a scope makes its agent stop waiting for the older one.
    pub(crate) async fn change(&self) -> Change<'_> {
        Change::new(self, self.changes.lock().await)
    }

    /// Makes sure that our agent runs there, and gives its report. The machine has so much time
    /// until its SSH server answers.
    pub(crate) async fn ensure_agent(
        &self,
        scope: &str,
        patience: Duration,
        progress: &(dyn Fn(String) + Sync),
    ) -> Result<HostReport, HostError> {
        let ours = &self.means.agent;
        // The agent of an earlier run may be all that is needed.
        if self.layout.peek().is_some()
            && let Ok(report) = self.look(scope).await
            && report.agent.sha256 == ours.sha256()
        {
            return Ok(report);
        }
        let machine = self.booted(patience, progress).await?;
        let way = &self.connection.way;
        let (layout, probe) = bootstrap::probe(&machine, way, ours, &self.means.env).await?;
        self.layout.put(layout.clone());
        match self.look(scope).await {
            Ok(report) if report.agent.sha256 == ours.sha256() => return Ok(report),
            Ok(_) | Err(HostError::NoAgent { .. }) => {}
            Err(error) if error.is_hang_up() || error.is_other_wire() => {}
            Err(error) => return Err(error),
        }
        bootstrap::install(&machine, (&layout, &probe), ours, progress).await?;
        self.forget_reports();
        self.await_agent(scope).await
    }

    /// The machine, once its SSH server answers: one that was made a moment ago still boots.
    async fn booted(
        &self,
        patience: Duration,
        progress: &(dyn Fn(String) + Sync),
    ) -> Result<Machine, HostError> {
        let give_up = Instant::now() + patience;
        let mut said = String::new();
        loop {
            let error = match self.machine().await {
                Ok(machine) => return Ok(machine),
                Err(error) => error,
            };
            if !error.may_boot() || Instant::now() + BOOT_PAUSE >= give_up {
                return Err(error);
            }
            let why = format!("waiting until it lets weir in: {error}");
            if why != said {
                progress(why.clone());
                said = why;
            }
            tokio::time::sleep(BOOT_PAUSE).await;
        }
    }

    /// Waits for the agent that was just started.
    async fn await_agent(&self, scope: &str) -> Result<HostReport, HostError> {
        let ours = self.means.agent.sha256();
        let give_up = Instant::now() + LISTEN_PATIENCE;
        loop {
            // The agent that was there before may answer while it ends.
            self.idle().clear();
            let error = match self.look(scope).await {
                Ok(report) if report.agent.sha256 == ours => return Ok(report),
                Ok(report) => HostError::OtherAgent {
                    found: report.agent.sha256,
                    ours: ours.to_owned(),
                },
                Err(error) => error,
            };
            if Instant::now() >= give_up {
                return Err(error);
            }
            tokio::time::sleep(LISTEN_PAUSE).await;
        }
    }

    /// Removes everything of a scope, and the agent with it if nobody else
    /// uses it.
    pub(crate) async fn leave(
        &self,
        scope: &str,
        on_event: &(dyn Fn(weir_agent::wire::Event) + Sync),
    ) -> Result<(), HostError> {
        self.forget_reports();
        let mut agent = match self.agent().await {
            // Nothing is left to ask, but perhaps its binary.
            Err(HostError::NoAgent { .. }) => return self.remove_binary().await,
            agent => agent?,
        };
        agent.forget(scope, on_event).await?;
        match agent.shutdown(true).await? {
            ShutdownOutcome::Stopping => {
                drop(agent);
                self.idle().clear();
                self.remove_binary().await
            }
            ShutdownOutcome::Busy { .. } => self.rest(agent, Ok(())),
        }
    }

    async fn remove_binary(&self) -> Result<(), HostError> {
        let layout = self.layout().await?;
        bootstrap::remove(&self.machine().await?, &layout).await
    }

    /// A fresh conversation.
    pub(crate) async fn agent(&self) -> Result<Agent, HostError> {
        let layout = self.layout().await?;
        let stream = self.machine().await?.dial(&layout).await?;
        match Client::connect(stream).await {
            Ok(agent) => Ok(agent),
            Err(error) => {
                let error = HostError::from(error);
                // A bridge ends without a word where nobody listens.
                Err(if error.is_hang_up() {
                    HostError::NoAgent {
                        socket: layout.socket.clone(),
                    }
                } else {
                    error
                })
            }
        }
    }

    /// Keeps a conversation for the next request if this one ended whole.
    pub(crate) fn rest<T>(
        &self,
        agent: Agent,
        outcome: Result<T, HostError>,
    ) -> Result<T, HostError> {
        if outcome.is_ok() {
            self.idle().push(agent);
        }
        outcome
    }

    pub(crate) fn rested(&self) -> Option<Agent> {
        self.idle().pop()
    }

    async fn layout(&self) -> Result<Layout, HostError> {
        let find = || {
            async {
                let machine = self.machine().await?;
                let Means { agent, env, .. } = &*self.means;
                let way = &self.connection.way;
                let (layout, _) = bootstrap::probe(&machine, way, agent, env).await?;
                Ok(layout)
            }
            .boxed()
        };
        self.layout.get(|_| true, find).await
    }

    async fn machine(&self) -> Result<Machine, HostError> {
        let Means { env, connector, .. } = &*self.means;
        let connect = || {
            async {
                match self.connection.endpoint(env) {
                    None => Ok(Machine::Local),
                    Some(endpoint) => Ok(Machine::Remote(connector.connect(&endpoint).await?)),
                }
            }
            .boxed()
        };
        self.machine.get(Machine::is_usable, connect).await
    }

    /// Why a conversation broke off: the connection's end, where that is what ended it.
    pub(crate) async fn why_lost(&self, error: HostError) -> HostError {
        let Some(Machine::Remote(session)) = self.machine.peek() else {
            return error;
        };
        // Its streams end a moment before it does.
        let give_up = Instant::now() + LOST_PATIENCE;
        loop {
            match session.lost() {
                Some(lost) => return lost.into(),
                None if Instant::now() >= give_up => return error,
                None => tokio::time::sleep(LOST_PAUSE).await,
            }
        }
    }

    pub(crate) fn forget_reports(&self) {
        self.reports().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Agent>> {
        // A list is sound whatever panicked while holding it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reports(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Report>>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes as lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
