//! Both providers keep the contract of `weir-provider`.

#![allow(clippy::unwrap_used)] // helpers of tests

use async_trait::async_trait;
use std::{path::PathBuf, sync::Arc};
use weir_core::{Known, Type, Value};
use weir_fake::{FakeProvider, TerraformProvider, cloud::Cloud};
use weir_provider::{
    Provider,
    conformance::{Case, Copies, Existence, Fixture, Outcome, Vanished, run},
};

struct Fake {
    path: PathBuf,
    latency_ms: i64,
}

fn null(ty: Type) -> Value {
    Value::null_of(ty)
}

fn provider_config(path: &std::path::Path, latency_ms: i64) -> Value {
    Value::object([
        ("path", Value::from(path.to_string_lossy().into_owned())),
        ("latency_ms", Value::from(latency_ms)),
    ])
}

fn disk_type() -> Type {
    weir_fake::fake_thing().block.blocks["disk"].block.ty()
}

fn disk(name: &str) -> Value {
    let size = Value::from(10);
    Value::object([
        ("name", name.into()),
        ("size_gb", size),
        ("id", null(Type::String)),
    ])
}

fn thing(name: &str, zone: Option<&str>, disks: &[&str]) -> Value {
    let tags = [("team", Value::from("a"))];
    Value::object([
        ("name", name.into()),
        ("size", Value::from(3)),
        ("tags", Value::map(Type::String, tags)),
        ("zone", zone.map_or(null(Type::String), Value::from)),
        ("class", null(Type::String)),
        ("secret", null(Type::String)),
        ("id", null(Type::String)),
        ("endpoint", null(Type::String)),
        (
            "disk",
            Value::list(disk_type(), disks.iter().map(|d| disk(d)).collect()),
        ),
    ])
}

#[async_trait]
impl Fixture for Fake {
    fn provider(&self) -> &str {
        "fake"
    }
    async fn start(&self) -> Arc<dyn Provider> {
        let provider = FakeProvider::new();
        provider
            .configure(&provider_config(&self.path, self.latency_ms))
            .await
            .unwrap();
        Arc::new(provider)
    }
    fn cases(&self) -> Vec<Case> {
        vec![Case {
            type_name: "fake_thing".into(),
            existence: Existence::Outside,
            copies: Copies::Many,
            config: thing("a", Some("z1"), &["root"]),
            update: Some(thing("b", Some("z1"), &["root", "data"])),
            replace: Some(thing("a", Some("z2"), &["root"])),
            refused: vec![
                thing("", None, &[]),
                thing("a", None, &["x", "x"]),
                thing("a", None, &[]).with("size", Value::from(1001)),
            ],
        }]
    }
    async fn count(&self, _type_name: &str) -> Option<usize> {
        Some(Cloud::open(&self.path).unwrap().objects().unwrap().len())
    }
    async fn vanish(&self, _type_name: &str, value: &Known) -> Vanished {
        let id = value
            .value()
            .get("id")
            .and_then(Value::as_str)
            .unwrap()
            .to_owned();
        Cloud::open(&self.path).unwrap().vanish(&id).unwrap();
        Vanished::Gone
    }
    fn import_id(&self, _type_name: &str, value: &Known) -> Option<String> {
        let id = value.value().get("id").and_then(Value::as_str)?;
        Some(id.to_owned())
    }
    fn alone(&self, case: &Case) -> Vec<Value> {
        vec![case.config.clone().with("size", Value::from(5))]
    }
}

struct Builtin;

fn data(input: Value, triggers: Value) -> Value {
    Value::object([
        ("input", input),
        ("output", Value::null()),
        ("triggers_replace", triggers),
        ("id", null(Type::String)),
    ])
}

#[async_trait]
impl Fixture for Builtin {
    fn provider(&self) -> &str {
        "terraform"
    }
    async fn start(&self) -> Arc<dyn Provider> {
        Arc::new(TerraformProvider::new())
    }
    fn cases(&self) -> Vec<Case> {
        vec![Case {
            type_name: "terraform_data".into(),
            existence: Existence::StateOnly,
            copies: Copies::Many,
            config: data("x".into(), Value::from(1)),
            update: Some(data(
                Value::tuple(vec!["x".into(), Value::from(2)]),
                Value::from(1),
            )),
            replace: Some(data("x".into(), Value::from(2))),
            refused: Vec::new(),
        }]
    }
    async fn count(&self, _type_name: &str) -> Option<usize> {
        None
    }
    async fn vanish(&self, _type_name: &str, _value: &Known) -> Vanished {
        Vanished::Unsupported
    }
}

#[tokio::test]
async fn fake_conforms_with_and_without_latency() {
    for latency_ms in [0, 3] {
        let folder = tempfile::tempdir().unwrap();
        let report = run(&Fake {
            path: folder.path().join("cloud"),
            latency_ms,
        })
        .await;
        println!("{report}");
        assert!(report.passed(), "{report}");
        // It is no API that calls could be lost on the way to: `faults` has its own.
        let skipped = |o: &Outcome| match o {
            Outcome::Skipped(why) => why != "the fixture lays no traps",
            _ => false,
        };
        assert!(
            !report.rows().iter().any(|r| skipped(&r.outcome)),
            "{report}"
        );
    }
}

#[tokio::test]
async fn terraform_data_conforms() {
    let report = run(&Builtin).await;
    println!("{report}");
    assert!(report.passed(), "{report}");
}

/// A provider that breaks its word, to prove that the kit sees it.
struct Liar(FakeProvider, Lie);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    /// It makes another object for the same token.
    ForgetsTokens,
    /// It says nothing was done.
    NeverSettles,
    /// It gives another name than was planned.
    ChangesThePlan,
    /// It plans a change where there is none.
    NeverAtRest,
    /// It lets everything through.
    ValidatesNothing,
}

#[async_trait]
impl Provider for Liar {
    fn schema(&self) -> &weir_provider::ProviderSchema {
        self.0.schema()
    }
    async fn configure(&self, config: &Value) -> Result<(), weir_core::Diagnostics> {
        self.0.configure(config).await
    }
    async fn validate(&self, type_name: &str, config: &Value) -> weir_core::Diagnostics {
        match self.1 {
            Lie::ValidatesNothing => weir_core::Diagnostics::new(),
            _ => self.0.validate(type_name, config).await,
        }
    }
    async fn plan(
        &self,
        request: weir_provider::PlanRequest,
    ) -> Result<weir_provider::PlanResponse, weir_core::Diagnostics> {
        let mut response = self.0.plan(request).await?;
        if self.1 == Lie::NeverAtRest {
            response.planned = response
                .planned
                .with("endpoint", Value::unknown(Type::String));
        }
        Ok(response)
    }
    async fn apply(
        &self,
        mut request: weir_provider::ApplyRequest,
        progress: &dyn weir_provider::Progress,
    ) -> weir_provider::ApplyResponse {
        static FRESH: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1 << 20);
        match self.1 {
            Lie::ForgetsTokens => {
                request.token.step = FRESH.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            Lie::ChangesThePlan => {
                request.planned = request.planned.map(|p| p.with("name", "other".into()));
            }
            _ => {}
        }
        self.0.apply(request, progress).await
    }
    async fn read(
        &self,
        request: weir_provider::ReadRequest,
    ) -> Result<weir_provider::ReadResponse, weir_core::Diagnostics> {
        self.0.read(request).await
    }
    async fn import(
        &self,
        type_name: &str,
        id: &str,
    ) -> Result<Vec<weir_provider::Imported>, weir_core::Diagnostics> {
        self.0.import(type_name, id).await
    }
    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, weir_core::Diagnostics> {
        self.0.data(type_name, config).await
    }
    async fn settle(&self, request: weir_provider::ApplyRequest) -> weir_provider::Settled {
        match self.1 {
            Lie::NeverSettles => weir_provider::Settled::NotDone,
            _ => self.0.settle(request).await,
        }
    }
}

struct LiarFixture(Fake, Lie);

#[async_trait]
impl Fixture for LiarFixture {
    fn provider(&self) -> &str {
        "liar"
    }
    async fn start(&self) -> Arc<dyn Provider> {
        let provider = FakeProvider::new();
        provider
            .configure(&provider_config(&self.0.path, 0))
            .await
            .unwrap();
        Arc::new(Liar(provider, self.1))
    }
    fn cases(&self) -> Vec<Case> {
        self.0.cases()
    }
    async fn count(&self, type_name: &str) -> Option<usize> {
        self.0.count(type_name).await
    }
    async fn vanish(&self, type_name: &str, value: &Known) -> Vanished {
        self.0.vanish(type_name, value).await
    }
}

#[tokio::test]
async fn the_kit_sees_a_broken_promise() {
    let lies = [
        (Lie::ForgetsTokens, "same token twice"),
        (Lie::NeverSettles, "settle: done"),
        (Lie::ChangesThePlan, "read equals apply"),
        (Lie::NeverAtRest, "no-op after apply"),
        (Lie::ValidatesNothing, "validate"),
    ];
    for (lie, check) in lies {
        let folder = tempfile::tempdir().unwrap();
        let fake = Fake {
            path: folder.path().join("cloud"),
            latency_ms: 0,
        };
        let report = run(&LiarFixture(fake, lie)).await;
        let row = report.rows().iter().find(|r| r.check == check).unwrap();
        assert!(
            matches!(row.outcome, Outcome::Failed(_)),
            "{lie:?}: {report}"
        );
    }
}
