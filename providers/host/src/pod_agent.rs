//! The agent that runs a pod, for those who look at it between plans: its
//! logs, its status, a restart by hand.

use weir_agent::Client;
use weir_agent::client::LogsRequest;
use weir_agent::wire::{Action, PodStatus};
use weir_core::{Diagnostics, Known};

use crate::attributes::Attributes;
use crate::error::HostError;
use crate::hosts::{Hosts, Private};
use crate::machine::Duplex;

/// A conversation with a pod's agent, about that pod.
#[derive(Debug)]
pub struct PodAgent {
    agent: Client<Box<dyn Duplex>>,
    address: String,
    host: String,
    scope: String,
}

impl PodAgent {
    /// Connects to the agent of the pod at `address`, by what state holds of it. Errors are about
    /// the host alone, so that whoever asks for many pods can show each once.
    pub(crate) async fn connect(
        hosts: &Hosts,
        address: &str,
        value: &Known,
        private: &[u8],
    ) -> Result<Self, Diagnostics> {
        let private = Private::decode(private);
        let host = Attributes::root(value.value()).text("host");
        let host = host.unwrap_or_default().to_owned();
        let connect = async { hosts.find(&host, &private)?.agent().await };
        let agent = connect.await.map_err(|error| error.of_host(&host))?;
        Ok(Self {
            agent,
            address: address.to_owned(),
            host,
            scope: private.scope.unwrap_or_default(),
        })
    }

    /// `site/name` of the host it is on.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What is there now; `None` where the agent doesn't know the pod.
    ///
    /// # Errors
    /// When the agent refuses or the connection is lost.
    pub async fn status(&mut self) -> Result<Option<PodStatus>, Diagnostics> {
        let report = self.agent.status(Some(&self.scope)).await;
        let mut report = report.map_err(|error| self.failed(error.into()))?;
        let pods = report.scopes.remove(&self.scope);
        Ok(pods.and_then(|mut scope| scope.pods.remove(&self.address)))
    }

    /// The last `lines` lines of a task's log, and with `follow` all that come
    /// until the future is dropped.
    ///
    /// # Errors
    /// When there is no such task or the connection is lost.
    pub async fn logs(
        &mut self,
        task: &str,
        (lines, follow): (u64, bool),
        on_text: impl FnMut(String) + Send,
    ) -> Result<(), Diagnostics> {
        let request = LogsRequest {
            scope: self.scope.clone(),
            pod: self.address.clone(),
            task: task.to_owned(),
            lines,
            follow,
        };
        let outcome = self.agent.logs(request, on_text).await;
        outcome.map_err(|error| self.failed(error.into()))
    }

    /// Restarts, stops or starts a task.
    ///
    /// # Errors
    /// When there is no such task, it can't be done, or the connection is lost.
    pub async fn control(&mut self, task: &str, action: Action) -> Result<(), Diagnostics> {
        let outcome = self.agent.control(&self.scope, &self.address, task, action);
        outcome.await.map_err(|error| self.failed(error.into()))
    }

    fn failed(&self, error: HostError) -> Diagnostics {
        error.diagnostic(&self.address, &self.host).into()
    }
}
