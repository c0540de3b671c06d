//! Calls the provider the way the engine does, on a world of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use weir_core::json::{self, Encoded};
use weir_core::plan::Op;
use weir_core::{Diagnostics, Known, Type, Value};
use weir_host::ssh::Environment;
use weir_host::{AgentBinary, HostProvider};
use weir_provider::check::{self, Subject};
use weir_provider::{
    ApplyRequest, ApplyResponse, PlanRequest, PlanResponse, Progress, Provider, ReadRequest, Token,
    proposed,
};

/// The agent that cargo builds from this workspace.
pub(crate) fn agent_bytes() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let test = std::env::current_exe().expect("a running test has an executable");
        // target/PROFILE/deps/TEST
        let folder = test.ancestors().nth(2).expect("cargo's folders");
        let build = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "weir-agent"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        let errors = String::from_utf8_lossy(&build.stderr);
        assert!(
            build.status.success(),
            "weir-agent can't be built: {errors}"
        );
        let built = folder.join("weir-agent");
        // Without its debug information it uploads in a fraction of the time.
        let scratch = TempDir::new().expect("a folder");
        let lean = scratch.path().join("weir-agent");
        let stripped = Command::new("strip")
            .arg("-o")
            .arg(&lean)
            .arg(&built)
            .status();
        let lean = stripped
            .is_ok_and(|status| status.success())
            .then_some(lean);
        std::fs::read(lean.unwrap_or(built)).expect("the agent was built")
    })
}

/// An object as state holds it.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) type_name: String,
    pub(crate) value: Known,
    pub(crate) private: Vec<u8>,
}

/// Lines of progress, for tests to look at.
#[derive(Debug, Default)]
pub(crate) struct Lines(pub(crate) Mutex<Vec<String>>);

impl Progress for Lines {
    fn progress(&self, address: &str, text: String) {
        let mut lines = self.0.lock().expect("no test panics in here");
        lines.push(format!("{address}: {text}"));
    }
}

/// A machine's worth of files, a state, and the provider of the present run.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) provider: Arc<HostProvider>,
    pub(crate) state: BTreeMap<String, Object>,
    pub(crate) lines: Lines,
    lineage: String,
    epoch: u64,
    step: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_agent(agent_bytes().to_vec())
    }

    pub(crate) fn with_agent(agent: Vec<u8>) -> Self {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let folder = TempDir::new().expect("a folder");
        Self {
            provider: Arc::new(provider(agent, folder.path())),
            folder,
            state: BTreeMap::new(),
            lines: Lines::default(),
            lineage: format!("test-{}-{number}", std::process::id()),
            epoch: 1,
            step: 0,
        }
    }

    /// The next run: all that the provider knew is gone.
    pub(crate) fn next_run(&mut self) {
        self.next_run_with_agent(agent_bytes().to_vec());
    }

    pub(crate) fn next_run_with_agent(&mut self, agent: Vec<u8>) {
        self.provider = Arc::new(provider(agent, self.folder.path()));
        self.epoch += 1;
        self.step = 0;
    }

    /// Where the agent of a local host has its things.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    pub(crate) fn token(&mut self) -> Token {
        self.step += 1;
        Token {
            lineage: self.lineage.clone(),
            epoch: self.epoch,
            step: self.step,
        }
    }

    pub(crate) fn ty(&self, type_name: &str) -> Type {
        self.provider.schema().resources[type_name].block.ty()
    }

    /// A configuration from JSON, with null wherever it says nothing.
    pub(crate) fn config(&self, type_name: &str, config: &Json) -> Value {
        let ty = self.ty(type_name);
        let encoded = Encoded {
            ty: json::type_to_json(&ty),
            value: filled(config, &ty),
            unknown: Vec::new(),
            refined: Vec::new(),
            sensitive: Vec::new(),
        };
        json::decode(&encoded).expect("a configuration of the schema's type")
    }

    /// What the plan of one instance is; `None` when it would change nothing.
    pub(crate) async fn plan(
        &self,
        address: &str,
        type_name: &str,
        config: &Value,
    ) -> Option<PlanResponse> {
        let schema = &self.provider.schema().resources[type_name];
        let prior = self.state.get(address);
        let prior_value = prior.map(|p| p.value.value());
        let request = PlanRequest {
            type_name: type_name.to_owned(),
            address: address.to_owned(),
            prior: prior.map(|p| p.value.clone()),
            config: config.clone(),
            proposed: proposed::merge(schema, prior_value, config),
            private: prior.map(|p| p.private.clone()).unwrap_or_default(),
        };
        let response = self.provider.plan(request).await.expect("a plan");
        let subject = Subject {
            provider: "host",
            address,
        };
        let broken = check::planned(subject, schema, prior_value, config, &response.planned);
        assert!(broken.is_empty(), "{broken}");
        (Some(&response.planned) != prior_value).then_some(response)
    }

    /// Validates, plans and applies one instance. Whether there was anything to do.
    pub(crate) async fn apply(
        &mut self,
        address: &str,
        type_name: &str,
        config: Json,
    ) -> Result<bool, Diagnostics> {
        let mut results = self.apply_all(vec![(address, type_name, config)]).await;
        results.remove(0)
    }

    /// The same for several, those with one batch key in one call.
    pub(crate) async fn apply_all(
        &mut self,
        wanted: Vec<(&str, &str, Json)>,
    ) -> Vec<Result<bool, Diagnostics>> {
        let token = self.token();
        let mut requests = Vec::new();
        let mut at = Vec::new();
        for (address, type_name, config) in wanted {
            let config = self.config(type_name, &config);
            let refused = self.provider.validate(type_name, &config).await;
            assert!(!refused.has_errors(), "{refused}");
            let Some(plan) = self.plan(address, type_name, &config).await else {
                at.push(None);
                continue;
            };
            at.push(Some(requests.len()));
            let prior = self.state.get(address).map(|object| object.value.clone());
            requests.push(ApplyRequest {
                type_name: type_name.to_owned(),
                address: address.to_owned(),
                op: if prior.is_some() {
                    Op::Update
                } else {
                    Op::Create
                },
                prior,
                planned: Some(plan.planned),
                config: Some(config),
                private: plan.private,
                token: token.clone(),
            });
        }
        let responses = if requests.is_empty() {
            Vec::new()
        } else {
            self.provider
                .apply_batch(requests.clone(), &self.lines)
                .await
        };
        assert_eq!(responses.len(), requests.len(), "one answer for each");
        let record = |index: Option<usize>| match index {
            None => Ok(false),
            Some(index) => {
                let response = responses[index].clone();
                self.record(&requests[index], response).map(|()| true)
            }
        };
        at.into_iter().map(record).collect()
    }

    /// Writes an answer to the state, as the engine does.
    pub(crate) fn record(
        &mut self,
        request: &ApplyRequest,
        response: ApplyResponse,
    ) -> Result<(), Diagnostics> {
        let address = request.address.clone();
        let whole = !response.diagnostics.has_errors();
        if let (true, Some(planned)) = (whole, &request.planned) {
            let schema = &self.provider.schema().resources[&request.type_name];
            let subject = Subject {
                provider: "host",
                address: &address,
            };
            let new = response.value.as_ref().map(Known::value);
            let broken = check::applied(subject, schema, planned, new);
            assert!(broken.is_empty(), "{broken}");
        }
        match response.value {
            None => drop(self.state.remove(&address)),
            Some(value) => {
                let object = Object {
                    type_name: request.type_name.clone(),
                    value,
                    private: response.private,
                };
                self.state.insert(address, object);
            }
        }
        if whole {
            Ok(())
        } else {
            Err(response.diagnostics)
        }
    }

    /// Deletes one instance.
    pub(crate) async fn delete(&mut self, address: &str) -> Result<(), Diagnostics> {
        let request = self.delete_request(address);
        let response = self.provider.apply(request.clone(), &self.lines).await;
        self.record(&request, response)
    }

    pub(crate) fn delete_request(&mut self, address: &str) -> ApplyRequest {
        let token = self.token();
        let object = self.state[address].clone();
        ApplyRequest {
            type_name: object.type_name,
            address: address.to_owned(),
            op: Op::Delete,
            prior: Some(object.value),
            planned: None,
            config: None,
            private: object.private,
            token,
        }
    }

    /// Looks at everything in state, as a run does before it plans.
    pub(crate) async fn refresh(&mut self) -> Result<(), Diagnostics> {
        for (address, object) in self.state.clone() {
            let request = ReadRequest {
                type_name: object.type_name.clone(),
                address: address.clone(),
                prior: object.value.clone(),
                private: object.private.clone(),
            };
            let response = self.provider.read(request).await?;
            match response.value {
                None => drop(self.state.remove(&address)),
                Some(value) => {
                    let private = response.private;
                    self.state.insert(
                        address,
                        Object {
                            value,
                            private,
                            ..object
                        },
                    );
                }
            }
        }
        Ok(())
    }

    /// An attribute of an object in state, as JSON.
    pub(crate) fn attribute(&self, address: &str, name: &str) -> Json {
        let value = self.state[address].value.value();
        value.get(name).map(json::to_json).unwrap_or_default()
    }
}

fn provider(agent: Vec<u8>, folder: &Path) -> HostProvider {
    let env = Environment {
        home: Some(folder.to_owned()),
        ssh_auth_sock: None,
    };
    HostProvider::new(AgentBinary::new(agent, env!("CARGO_PKG_VERSION")), env)
}

/// The JSON with every field its type has.
fn filled(json: &Json, ty: &Type) -> Json {
    match (json, ty) {
        (Json::Object(given), Type::Object(fields)) => fields
            .iter()
            .map(|(name, field)| {
                let value = given.get(&**name).unwrap_or(&Json::Null);
                (name.to_string(), filled(value, &field.ty))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (Json::Object(given), Type::Map(element)) => given
            .iter()
            .map(|(key, value)| (key.clone(), filled(value, element)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        (Json::Array(items), Type::List(element) | Type::Set(element)) => {
            items.iter().map(|item| filled(item, element)).collect()
        }
        _ => json.clone(),
    }
}

/// The address of the pod most tests are about.
pub(crate) const APP: &str = r#"service.web.pod.app["0"]"#;

/// A pod whose task stays, with one file.
pub(crate) fn app(content: &str) -> Json {
    json!({
        "host": "here/me", "address": "127.0.0.1", "slug": "web-app-0",
        "env": {"GREETING": "hello"},
        "directories": {"data": {"mode": "0700"}},
        "files": {"app.conf": {"content": content, "mode": "0640"}},
        "tasks": [{
            "name": "main",
            "run": "echo $GREETING >data/said; exec sleep 1000",
            "ready": {"exec": "test -s data/said", "timeout": "30s", "every": "100ms"},
            "kill_grace": "2s",
        }],
    })
}

/// A local host with its agent in the world's folder.
pub(crate) fn local_host(world: &World) -> Json {
    json!({
        "name": "me", "site": "here", "connection": "local",
        "address": "127.0.0.1", "home": world.home(),
    })
}

impl Drop for World {
    /// Whatever a test left running must not outlive it.
    fn drop(&mut self) {
        let lock = self.home().join("agent.lock");
        let Ok(text) = std::fs::read_to_string(lock) else {
            return;
        };
        let socket = self.home().join("agent.sock");
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let stream = tokio::net::UnixStream::connect(socket).await?;
                let client = weir_agent::Client::connect(stream).await;
                let mut client = client.map_err(std::io::Error::other)?;
                client.shutdown(false).await.map_err(std::io::Error::other)
            })
        });
        if !matches!(ended.join(), Ok(Ok(_))) {
            // An agent that doesn't answer is ended by its number.
            let identity: Json = serde_json::from_str(&text).unwrap_or_default();
            if let Some(pid) = identity["process"]["pid"].as_u64() {
                let _ = Command::new("kill").arg("-9").arg(pid.to_string()).status();
            }
        }
    }
}
