//! A stack, a store and a fake cloud in one folder.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio_util::sync::CancellationToken;
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Value,
    change::Action,
    event::{Event, EventSink},
    plan::Op,
};
use weir_engine::{Engine, PlanInput, PlanOptions, Planned, Registry, Report};
use weir_fake::{
    FakeProvider, TerraformProvider,
    cloud::{Cloud, Entry},
};
use weir_lang::{Inputs, MemoryFiles, NoCatalog, load};
use weir_provider::{
    ApplyRequest, ApplyResponse, Attribution, ChangedRequest, Imported, Opened, PlanRequest,
    PlanResponse, Progress, Provider, ProviderSchema, ReadRequest, ReadResponse, Renewed, Settled,
};
use weir_state::{Holder, Lease, Options, SqliteStore, Store, Wait};

/// What a plan that is applied elsewhere finds there.
pub fn no_files() -> Arc<MemoryFiles> {
    Arc::default()
}

/// Keeps every event.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<Event>>);
impl EventSink for Recorder {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}
impl Recorder {
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Is told of an address.
pub type Hook = Arc<dyn Fn(&str) + Send + Sync>;

/// What the scripted provider does beside what the fake one does.
#[derive(Default)]
pub struct Script {
    /// `apply` of these addresses fails.
    pub fail: Mutex<BTreeSet<String>>,
    /// `apply` of these addresses fails so often before it succeeds, and says that it is worth
    /// trying again.
    pub transient: Mutex<BTreeMap<String, usize>>,
    /// `apply` of these addresses panics.
    pub panic: Mutex<BTreeSet<String>>,
    /// This method panics, whatever it is asked about.
    pub panic_in: Mutex<&'static str>,
    /// `apply` of these addresses returns another name than was planned.
    pub lie: Mutex<BTreeSet<String>>,
    /// `plan` of these addresses says another size the second time.
    pub waver: Mutex<BTreeMap<String, usize>>,
    /// `changed_by` of these addresses never answers.
    pub silent: Mutex<BTreeSet<String>>,
    /// `settle` can't tell.
    pub undecided: Mutex<bool>,
    /// Called at the start of each `apply` with its address.
    pub at_apply: Mutex<Option<Hook>>,
    /// So many `apply` calls must be in flight before any goes on.
    pub together: Mutex<Option<Arc<tokio::sync::Barrier>>>,
    /// In flight now, and the most there ever were.
    pub in_flight: AtomicUsize,
    pub peak: AtomicUsize,
}

/// The fake provider, with a script.
pub struct Scripted {
    inner: FakeProvider,
    script: Arc<Script>,
}

impl Scripted {
    fn enter(&self, method: &str) {
        let panics = *self.script.panic_in.lock().unwrap() == method;
        assert!(!panics, "the script says so");
    }
}

#[async_trait]
impl Provider for Scripted {
    fn schema(&self) -> &ProviderSchema {
        self.inner.schema()
    }
    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        self.enter("configure");
        self.inner.configure(config).await
    }
    async fn validate(&self, ty: &str, config: &Value) -> Diagnostics {
        self.enter("validate");
        self.inner.validate(ty, config).await
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        self.enter("plan");
        let address = request.address.clone();
        let mut response = self.inner.plan(request).await?;
        if let Some(calls) = self.script.waver.lock().unwrap().get_mut(&address) {
            *calls += 1;
            if *calls > 1 {
                response.planned = response.planned.with("class", "another".into());
            }
        }
        Ok(response)
    }
    async fn changed_by(
        &self,
        request: ChangedRequest,
    ) -> Result<Option<Attribution>, Diagnostics> {
        self.enter("changed_by");
        if self
            .script
            .silent
            .lock()
            .unwrap()
            .contains(&request.address)
        {
            std::future::pending::<()>().await;
        }
        self.inner.changed_by(request).await
    }
    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        let script = &self.script;
        let now = script.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        script.peak.fetch_max(now, Ordering::SeqCst);
        let hook = script.at_apply.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook(&request.address);
        }
        let barrier = script.together.lock().unwrap().clone();
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
        let has = |set: &Mutex<BTreeSet<String>>| set.lock().unwrap().contains(&request.address);
        let (fail, panic, lie) = (has(&script.fail), has(&script.panic), has(&script.lie));
        let prior = request.prior.clone();
        let busy = match script.transient.lock().unwrap().get_mut(&request.address) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        };
        let response = if busy {
            let diagnostics = Diagnostic::error("the script says later")
                .transient()
                .into();
            ApplyResponse {
                value: prior,
                private: Vec::new(),
                diagnostics,
            }
        } else if panic {
            script.in_flight.fetch_sub(1, Ordering::SeqCst);
            panic!("the script says so");
        } else if fail {
            let diagnostics = Diagnostic::error("the script says no").into();
            ApplyResponse {
                value: prior,
                private: Vec::new(),
                diagnostics,
            }
        } else {
            let mut response = self.inner.apply(request, progress).await;
            if lie {
                response.value = response
                    .value
                    .map(|v| Known::new(v.into_value().with("name", "a lie".into())).unwrap());
            }
            response
        };
        script.in_flight.fetch_sub(1, Ordering::SeqCst);
        response
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        self.enter("read");
        self.inner.read(request).await
    }
    async fn import(&self, ty: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        self.inner.import(ty, id).await
    }
    async fn data(&self, ty: &str, config: &Value) -> Result<Known, Diagnostics> {
        self.enter("data");
        self.inner.data(ty, config).await
    }
    async fn open(&self, ty: &str, config: &Value) -> Result<Opened, Diagnostics> {
        self.inner.open(ty, config).await
    }
    async fn renew(&self, ty: &str, private: &[u8]) -> Result<Renewed, Diagnostics> {
        self.inner.renew(ty, private).await
    }
    async fn close(&self, ty: &str, private: &[u8]) -> Result<(), Diagnostics> {
        self.inner.close(ty, private).await
    }
    async fn settle(&self, request: ApplyRequest) -> Settled {
        self.enter("settle");
        if *self.script.undecided.lock().unwrap() {
            return Settled::Unknown("the cloud does not answer".into());
        }
        self.inner.settle(request).await
    }
    fn delete_batch(&self, _: &str, value: &Known) -> Option<String> {
        self.enter("delete_batch");
        value
            .value()
            .get("zone")
            .and_then(Value::as_str)
            .map(|z| format!("zone {z}"))
    }
}

/// Where a test happens.
pub struct World {
    dir: Option<tempfile::TempDir>,
    path: PathBuf,
    pub store: Arc<SqliteStore>,
    pub events: Arc<Recorder>,
    pub script: Arc<Script>,
    pub parallelism: usize,
    /// More settings of the provider, as HCL.
    pub settings: String,
    /// The path of the cloud as an expression, where it is not the text.
    pub cloud_expression: Option<String>,
}

impl World {
    pub fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let mut world = World::at(dir.path());
        world.dir = Some(dir);
        world
    }

    /// In a folder that others share.
    pub fn at(path: &Path) -> World {
        World {
            dir: None,
            path: path.to_owned(),
            store: Arc::new(SqliteStore::open(path.join("state.db")).unwrap()),
            events: Arc::default(),
            script: Arc::default(),
            parallelism: 10,
            settings: String::new(),
            cloud_expression: None,
        }
    }

    /// With leases that end so soon.
    pub fn expiring(mut self, expiry: std::time::Duration) -> World {
        let store = SqliteStore::open_with(
            self.path.join("state.db"),
            Options {
                expiry,
                ..Options::default()
            },
        );
        self.store = Arc::new(store.unwrap());
        self
    }

    pub fn engine(&self) -> Engine {
        self.engine_on(self.store.clone())
    }

    /// An engine on another store.
    pub fn engine_on(&self, store: Arc<dyn Store>) -> Engine {
        let script = self.script.clone();
        let registry = Registry::new()
            .with("fake", move || {
                Arc::new(Scripted {
                    inner: FakeProvider::new(),
                    script: script.clone(),
                })
            })
            .with("terraform", || Arc::new(TerraformProvider::new()));
        Engine::new(store, Arc::new(registry), self.events.clone())
            .with_parallelism(NonZeroUsize::new(self.parallelism).unwrap())
    }

    /// The stack, with the provider's block in front. What follows a line `--- file NAME` is that
    /// file.
    pub fn try_input(&self, text: &str) -> Result<PlanInput, Diagnostics> {
        let cloud = self.cloud_path();
        let text = format!(
            "provider \"fake\" {{\n  path = {}\n{}\n}}\n{text}",
            self.cloud_expression
                .clone()
                .unwrap_or_else(|| format!("{:?}", cloud.display().to_string())),
            self.settings
        );
        let mut parts = text.split("--- file ");
        let main = ("main.weir.hcl", parts.next().unwrap_or_default());
        let others = parts.filter_map(|part| part.split_once('\n'));
        let files = Arc::new(MemoryFiles::of([main].into_iter().chain(others)));
        let inputs = Inputs::new(BTreeMap::new());
        let loaded = load(files, &NoCatalog, &inputs)?;
        Ok(PlanInput {
            config: loaded.config,
            inputs,
            options: PlanOptions::default(),
        })
    }

    pub fn input(&self, text: &str) -> PlanInput {
        self.try_input(text).unwrap_or_else(|d| panic!("{d}"))
    }

    pub async fn lease(&self) -> Lease {
        self.store
            .acquire(Holder::this_process("tester", "test"), Wait::None)
            .await
            .unwrap()
    }

    pub async fn plan_with(
        &self,
        text: &str,
        options: PlanOptions,
    ) -> Result<Planned, Diagnostics> {
        let lease = self.lease().await;
        let input = PlanInput {
            options,
            ..self.try_input(text)?
        };
        let planned = self.engine().plan(&input, &lease).await;
        self.store.release(lease).await.unwrap();
        planned
    }

    pub async fn plan(&self, text: &str) -> Planned {
        self.plan_with(text, PlanOptions::default())
            .await
            .unwrap_or_else(|d| panic!("{d}"))
    }

    pub async fn apply_with(&self, text: &str, options: PlanOptions) -> Report {
        let lease = self.lease().await;
        let engine = self.engine();
        let input = PlanInput {
            options,
            ..self.input(text)
        };
        let planned = engine
            .plan(&input, &lease)
            .await
            .unwrap_or_else(|d| panic!("{d}"));
        let report = engine
            .apply(&planned, &lease, CancellationToken::new())
            .await;
        self.store.release(lease).await.unwrap();
        report.unwrap_or_else(|d| panic!("{d}"))
    }

    pub async fn apply(&self, text: &str) -> Report {
        self.apply_with(text, PlanOptions::default()).await
    }

    /// Applies, and demands that all went well and nothing is left to do.
    pub async fn converge(&self, text: &str) {
        let report = self.apply(text).await;
        assert_eq!(
            report.status,
            weir_engine::Status::Succeeded,
            "{}",
            report.diagnostics
        );
        self.assert_settled(text).await;
    }

    /// Demands that there is nothing to do.
    pub async fn assert_settled(&self, text: &str) {
        let planned = self.plan(text).await;
        assert!(planned.is_empty(), "{:?}", actions(&planned));
        assert!(planned.plan.drift.is_empty());
        assert!(self.store.open_entries().await.unwrap().is_empty());
    }

    pub fn cloud_path(&self) -> PathBuf {
        self.path.join("cloud")
    }

    pub fn cloud(&self) -> Cloud {
        Cloud::open(&self.cloud_path()).unwrap()
    }

    /// What was done in the cloud, as `create a`, `update a`, `delete a`.
    pub fn log(&self) -> Vec<String> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut lines = Vec::new();
        let name = |v: &weir_core::json::Encoded| v.value["name"].as_str().unwrap().to_owned();
        for entry in self.cloud().log().unwrap() {
            match entry {
                Entry::Created { id, value, .. } => {
                    lines.push(format!("create {}", name(&value)));
                    names.insert(id, name(&value));
                }
                Entry::Updated {
                    id,
                    value,
                    operation,
                    ..
                } => {
                    names.insert(id, name(&value));
                    if operation.is_some() {
                        lines.push(format!("update {}", name(&value)));
                    }
                }
                Entry::Deleted {
                    id,
                    operation: Some(_),
                    ..
                } => {
                    lines.push(format!("delete {}", names[&id]));
                }
                Entry::Batch { size } => lines.push(format!("batch {size}")),
                _ => {}
            }
        }
        lines
    }

    /// What was done in the cloud since the last `n` lines of the log.
    pub fn log_since(&self, n: usize) -> Vec<String> {
        self.log().split_off(n)
    }

    /// What was done to ephemeral resources.
    pub fn ephemerals(&self) -> Vec<String> {
        let log = self.cloud().log().unwrap().into_iter();
        log.filter_map(|entry| match entry {
            Entry::Ephemeral { what, name } => Some(format!("{what} {name}")),
            _ => None,
        })
        .collect()
    }

    pub fn state_path(&self) -> PathBuf {
        self.path.join("state.db")
    }

    pub async fn value(&self, address: &str) -> Option<Value> {
        let snapshot = self.store.snapshot().await.unwrap();
        snapshot
            .resources
            .get(&addr(address))
            .map(|r| r.value.value().clone())
    }

    pub async fn output(&self, name: &str) -> Option<Value> {
        self.store
            .snapshot()
            .await
            .unwrap()
            .outputs
            .get(name)
            .map(|k| k.value().clone())
    }

    pub async fn id(&self, address: &str) -> String {
        self.value(address)
            .await
            .unwrap()
            .get("id")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    }
}

pub fn addr(text: &str) -> Address {
    text.parse().unwrap()
}

/// The actions of a plan by address, without those that do nothing.
pub fn actions(planned: &Planned) -> BTreeMap<String, Action> {
    planned
        .plan
        .changes
        .values()
        .filter(|c| c.action != Action::NoOp)
        .map(|c| (c.address.to_string(), c.action))
        .collect()
}

/// The nodes of a report as `op address: result`.
pub fn results(report: &Report) -> Vec<String> {
    report
        .nodes
        .iter()
        .map(|n| {
            let op = match n.op {
                Op::Create => "create",
                Op::Update => "update",
                Op::Delete => "delete",
                Op::Read => "read",
                Op::Forget => "forget",
                Op::Join => "join",
            };
            let result = match &n.result {
                weir_engine::NodeResult::Done => "done".to_owned(),
                weir_engine::NodeResult::Failed => "failed".to_owned(),
                weir_engine::NodeResult::Skipped(None) => "stopped".to_owned(),
                weir_engine::NodeResult::Skipped(Some(a)) => format!("skipped because of {a}"),
            };
            format!("{op} {}: {result}", n.address)
        })
        .collect()
}

/// A thing, as HCL.
pub fn thing(name: &str, body: &str) -> String {
    format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n{body}\n}}\n")
}
