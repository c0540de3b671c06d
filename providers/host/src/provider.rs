//! The provider: each call goes to the resource type it is about.

use async_trait::async_trait;
use weir_core::{Diagnostic, Diagnostics, Known, Value};
use weir_provider::{
    ApplyRequest, ApplyResponse, Attribution, ChangedRequest, HalfMade, Imported, PlanRequest,
    PlanResponse, Progress, Provider, ProviderSchema, ReadRequest, ReadResponse, Settled,
};

use crate::host::Means;
use crate::hosts::Hosts;
use crate::machine::AgentBinary;
use crate::pod_agent::PodAgent;
use crate::resources::{egress_address, host, pod, ssh_key};
use crate::schema;
use crate::ssh::{Connector, Environment};

/// Serves `weir_host`, `weir_pod`, `weir_ssh_key` and `weir_egress_address` for one run.
#[derive(Debug)]
pub struct HostProvider {
    schema: ProviderSchema,
    hosts: Hosts,
    echo: egress_address::Echo,
}

impl HostProvider {
    /// A provider that brings this agent to hosts, and reaches them with this
    /// user's keys and `known_hosts`.
    #[must_use]
    pub fn new(agent: AgentBinary, env: Environment) -> Self {
        Self {
            schema: schema::provider(),
            hosts: Hosts::new(Means {
                connector: Connector::new(env.clone()),
                agent,
                env,
            }),
            echo: egress_address::Echo::default(),
        }
    }

    /// Asks this web address, and not Amazon's, where this machine's connections come from. It
    /// answers with the address of whoever asks, as text.
    #[must_use]
    pub fn with_address_echo(mut self, url: &str) -> Self {
        self.echo = egress_address::Echo::at(url);
        self
    }
}

impl HostProvider {
    /// The agent of the pod at `address`, by the value and the private data
    /// that state holds of it: for logs, status and control between plans.
    ///
    /// # Errors
    /// When its host can't be reached or has no agent.
    pub async fn pod_agent(
        &self,
        address: &str,
        value: &Known,
        private: &[u8],
    ) -> Result<PodAgent, Diagnostics> {
        PodAgent::connect(&self.hosts, address, value, private).await
    }
}

#[async_trait]
impl Provider for HostProvider {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    async fn configure(&self, _config: &Value) -> Result<(), Diagnostics> {
        Ok(())
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        match type_name {
            schema::HOST => host::validate(&self.hosts, config),
            schema::POD => pod::validate(config),
            schema::SSH_KEY | schema::EGRESS_ADDRESS => Diagnostics::new(),
            other => no_such_type(other).into(),
        }
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        match request.type_name.as_str() {
            schema::HOST => Ok(host::plan(&self.hosts, request)),
            schema::POD => Ok(pod::plan(&self.hosts, request)),
            schema::SSH_KEY => Ok(ssh_key::plan(request)),
            schema::EGRESS_ADDRESS => egress_address::plan(&self.echo, request).await,
            other => Err(no_such_type(other).into()),
        }
    }

    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        let prior = request.prior.clone();
        let mut answers = self.apply_batch(vec![request], progress).await;
        answers.pop().unwrap_or_else(|| ApplyResponse {
            value: prior,
            private: Vec::new(),
            diagnostics: Diagnostics::new(),
        })
    }

    async fn apply_batch(
        &self,
        requests: Vec<ApplyRequest>,
        progress: &dyn Progress,
    ) -> Vec<ApplyResponse> {
        // Only pods give a batch key, so a batch is all pods, or one of something else.
        let mut answers = Vec::with_capacity(requests.len());
        let mut pods = Vec::new();
        for request in requests {
            match request.type_name.as_str() {
                schema::HOST => answers.push(host::apply(&self.hosts, request, progress).await),
                schema::POD => pods.push(request),
                schema::SSH_KEY => answers.push(ssh_key::apply(&request)),
                schema::EGRESS_ADDRESS => answers.push(egress_address::apply(&request)),
                other => answers.push(ApplyResponse {
                    diagnostics: no_such_type(other).into(),
                    value: request.prior,
                    private: request.private,
                }),
            }
        }
        answers.extend(pod::apply(&self.hosts, pods, progress).await);
        answers
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        match request.type_name.as_str() {
            schema::HOST => host::read(&self.hosts, request).await,
            schema::POD => pod::read(&self.hosts, request).await,
            schema::SSH_KEY => Ok(ssh_key::read(request)),
            schema::EGRESS_ADDRESS => Ok(egress_address::read(request)),
            other => Err(no_such_type(other).into()),
        }
    }

    async fn changed_by(
        &self,
        request: ChangedRequest,
    ) -> Result<Option<Attribution>, Diagnostics> {
        match request.type_name.as_str() {
            schema::POD => pod::changed_by(&self.hosts, request).await,
            _ => Ok(None),
        }
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        let summary = format!("{type_name} {id:?} can't be imported");
        if type_name == schema::SSH_KEY {
            return Err(Diagnostic::error(summary)
                .because("weir makes the key; nobody else has its private half.")
                .help("Give a key of your own where one is wanted: `private_key_file`.")
                .into());
        }
        if type_name == schema::EGRESS_ADDRESS {
            return Err(Diagnostic::error(summary)
                .because("weir finds it out when it makes it.")
                .help("Leave the import out, and apply.")
                .into());
        }
        Err(Diagnostic::error(summary)
            .because("Hosts and pods come from `site` and `service` blocks.")
            .help("Add the block and apply: what is on the host already is taken over.")
            .into())
    }

    fn delete_batch(&self, type_name: &str, value: &Known) -> Option<String> {
        let host = (type_name == schema::POD).then(|| pod::host_of(value.value()));
        host.flatten().map(str::to_owned)
    }

    async fn data(&self, type_name: &str, _config: &Value) -> Result<Known, Diagnostics> {
        Err(no_such_type(type_name).into())
    }

    fn half_made(&self, _type_name: &str) -> HalfMade {
        // The agent keeps the goal: the next apply goes on where this one ended, and what runs
        // already stays.
        HalfMade::Update
    }

    async fn settle(&self, request: ApplyRequest) -> Settled {
        match request.type_name.as_str() {
            schema::HOST => host::settle(&self.hosts, request).await,
            schema::POD => pod::settle(&self.hosts, request).await,
            schema::SSH_KEY => ssh_key::settle(&request),
            schema::EGRESS_ADDRESS => egress_address::settle(&request),
            other => Settled::Unknown(no_such_type(other).to_string()),
        }
    }
}

fn no_such_type(name: &str) -> Diagnostic {
    Diagnostic::error(format!("provider host has no type {name}"))
        .because(format!(
            "It serves {}, {}, {} and {}.",
            schema::HOST,
            schema::POD,
            schema::SSH_KEY,
            schema::EGRESS_ADDRESS
        ))
        .help("Correct the type, or use the version of weir that made it.")
}
