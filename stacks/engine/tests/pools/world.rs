//! Three fake clouds with the types of the real providers, and hosts on them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;
use weir_core::{Diagnostics, Type, Value, event::EventSink};
use weir_engine::{Engine, PlanInput, PlanOptions, Planned, Registry, Report};
use weir_fake::{
    TerraformProvider,
    cloud::{Cloud, CloudObject},
    types::{FakeTypes, Limits, Watch},
};
use weir_host::{AgentBinary, HostProvider, ssh::Environment};
use weir_lang::{Inputs, MemoryFiles, NoCatalog, load};
use weir_provider::Provider as _;
use weir_state::{Holder, Lease, SqliteStore, Store, Wait};

/// Where a test happens.
pub struct World {
    _dir: Option<tempfile::TempDir>,
    pub store: Arc<SqliteStore>,
    pub cloud: Arc<Cloud>,
    pub limits: Arc<Limits>,
    pub watch: Option<Watch>,
}

/// The providers of clouds, and where their tables are.
const FOLDERS: [(&str, &str); 3] = [("aws", "aws"), ("azurerm", "azure"), ("google", "google")];

struct Silent;
impl EventSink for Silent {
    fn event(&self, _: weir_core::event::Event) {}
}

/// The tables of a provider of the repository.
fn tables(provider: &str) -> Option<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../providers");
    let folder = folder.join(provider).join("schema");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
    Some((
        read("terraform.txt")?,
        read("rules.txt").unwrap_or_default(),
    ))
}

impl World {
    pub fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let world = World::at(dir.path());
        World {
            _dir: Some(dir),
            ..world
        }
    }

    pub fn at(path: &Path) -> World {
        World {
            _dir: None,
            store: Arc::new(SqliteStore::open(path.join("state.db")).unwrap()),
            cloud: Arc::new(Cloud::open(&path.join("cloud")).unwrap()),
            limits: Arc::default(),
            watch: None,
        }
    }

    fn cloud_of(&self, provider: &'static str) -> Option<impl Fn() -> Arc<FakeTypes> + use<>> {
        let (types, rules) = tables(provider)?;
        let (cloud, limits, watch) = (self.cloud.clone(), self.limits.clone(), self.watch.clone());
        Some(move || {
            let fake = FakeTypes::declared((&types, &rules), cloud.clone(), limits.clone());
            let zones = |region: &str| {
                let names = ["a", "b", "c"].map(|zone| Value::from(format!("{region}{zone}")));
                Value::list(Type::String, names.to_vec())
            };
            let fake = fake
                .finding("aws_availability_zones", "names", zones("eu-central-1"))
                .finding("google_compute_zones", "names", zones("europe-west4-"));
            Arc::new(match &watch {
                Some(watch) => fake.watched(watch.clone()),
                None => fake,
            })
        })
    }

    pub fn engine(&self) -> Engine {
        let mut registry = Registry::new().with("terraform", || Arc::new(TerraformProvider::new()));
        for (name, folder) in FOLDERS {
            if let Some(start) = self.cloud_of(folder) {
                registry = registry.with(name, move || start());
            }
        }
        let agent = AgentBinary::new(Vec::new(), "1");
        let hosts = HostProvider::new(agent, Environment::default());
        let schema = hosts.schema().clone();
        let (cloud, limits, watch) = (self.cloud.clone(), self.limits.clone(), self.watch.clone());
        registry =
            registry.with("host", move || {
                let fake = FakeTypes::served(schema.clone(), cloud.clone(), limits.clone())
                    .finding("weir_host", "memory_bytes", Value::number(4_000_000_000u64));
                Arc::new(match &watch {
                    Some(watch) => fake.watched(watch.clone()),
                    None => fake,
                })
            });
        Engine::new(self.store.clone(), Arc::new(registry), Arc::new(Silent))
    }

    pub fn input(text: &str) -> PlanInput {
        World::input_with(&[("main.weir.hcl", text.to_owned())], &[])
    }

    /// Whether the repository has the tables of a cloud's provider.
    pub fn has(&self, provider: &str) -> bool {
        let folder = FOLDERS.iter().find(|(name, _)| *name == provider);
        folder.is_some_and(|(_, folder)| tables(folder).is_some())
    }

    pub fn input_with(files: &[(&str, String)], values: &[(&str, &str)]) -> PlanInput {
        let files = files.iter().map(|(name, text)| (*name, text.as_str()));
        let files = Arc::new(MemoryFiles::of(files));
        let inputs = values.iter();
        let inputs = inputs.fold(Inputs::default(), |i, (name, text)| i.var(*name, *text));
        let loaded = load(files, &NoCatalog, &inputs).unwrap_or_else(|d| panic!("{d}"));
        PlanInput {
            config: loaded.config,
            inputs,
            options: PlanOptions::default(),
        }
    }

    pub async fn try_plan(&self, input: &PlanInput) -> Result<Planned, Diagnostics> {
        let lease = self.lease().await;
        let planned = self.engine().plan(input, &lease).await;
        self.store.release(lease).await.unwrap();
        planned
    }

    pub async fn plan(&self, text: &str) -> Planned {
        let planned = self.try_plan(&World::input(text)).await;
        planned.unwrap_or_else(|d| panic!("{d}"))
    }

    /// A lease; one of a run that is gone is none any more.
    async fn lease(&self) -> Lease {
        let holder = Holder::this_process("tester", "test");
        for held in self.store.held().await.unwrap() {
            let unlocked = self.store.unlock(held.epoch, holder.clone()).await;
            unlocked.unwrap();
        }
        self.store.acquire(holder, Wait::None).await.unwrap()
    }

    pub async fn try_apply(&self, input: &PlanInput) -> Result<Report, Diagnostics> {
        let lease = self.lease().await;
        let engine = self.engine();
        let report = match engine.plan(input, &lease).await {
            Ok(planned) => {
                let stop = CancellationToken::new();
                engine.apply(&planned, &lease, stop).await
            }
            Err(errors) => Err(errors),
        };
        self.store.release(lease).await.unwrap();
        report
    }

    pub async fn apply_input(&self, input: &PlanInput) -> Report {
        let report = self.try_apply(input).await;
        report.unwrap_or_else(|d| panic!("{d}"))
    }

    pub async fn apply(&self, text: &str) -> Report {
        self.apply_input(&World::input(text)).await
    }

    /// Applies, and demands that all went well and nothing is left to do.
    pub async fn converge(&self, text: &str) {
        let report = self.apply(text).await;
        let well = report.status == weir_engine::Status::Succeeded;
        assert!(well, "{}", report.diagnostics);
        let planned = self.plan(text).await;
        assert!(planned.is_empty(), "{:#?}", actions(&planned));
    }

    /// What there is of a type.
    pub fn objects(&self, ty: &str) -> Vec<CloudObject> {
        let objects = self.cloud.objects().unwrap().into_values();
        objects.filter(|o| o.type_name == ty).collect()
    }
}

/// What a plan does, as `create a.b`.
pub fn actions(planned: &Planned) -> Vec<String> {
    let changes = planned.plan.changes.iter();
    let changes = changes.filter(|(_, c)| !c.action.is_noop());
    changes
        .map(|(a, c)| format!("{:?} {a}", c.action))
        .collect()
}
