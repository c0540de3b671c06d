//! What a provider does beside its operations: it brings stored state up to its schema, keeps lent
//! values open, and reads the data of checks; and whole modules that move with all that is in them.
#![allow(clippy::unwrap_used)]

mod common;

use async_trait::async_trait;
use common::{World, actions, addr, thing};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use weir_core::{Diagnostic, Diagnostics, Known, Value};
use weir_engine::{Engine, PlanInput, PlanOptions, Registry, Status};
use weir_fake::FakeProvider;
use weir_lang::{Inputs, MemoryFiles, NoCatalog, load};
use weir_provider::{
    ApplyRequest, ApplyResponse, Imported, PlanRequest, PlanResponse, Progress, Provider,
    ProviderSchema, ReadRequest, ReadResponse, Settled,
};
use weir_state::Store as _;

/// The fake provider a version later: `class` is in capitals.
struct Later {
    inner: FakeProvider,
    schema: ProviderSchema,
}

impl Later {
    fn new() -> Later {
        let inner = FakeProvider::new();
        let mut schema = inner.schema().clone();
        schema.resources.get_mut("fake_thing").unwrap().version = 2;
        Later { inner, schema }
    }
}

#[async_trait]
impl Provider for Later {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }
    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        self.inner.configure(config).await
    }
    async fn validate(&self, ty: &str, config: &Value) -> Diagnostics {
        self.inner.validate(ty, config).await
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        self.inner.plan(request).await
    }
    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        self.inner.apply(request, progress).await
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        // The cloud of this version answers as the upgraded state has it.
        let class = request.prior.value().get("class").cloned();
        assert_eq!(
            class,
            Some("STANDARD".into()),
            "it is asked with what was upgraded"
        );
        Ok(ReadResponse {
            value: Some(request.prior),
            private: request.private,
        })
    }
    async fn import(&self, ty: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        self.inner.import(ty, id).await
    }
    async fn data(&self, ty: &str, config: &Value) -> Result<Known, Diagnostics> {
        self.inner.data(ty, config).await
    }
    async fn settle(&self, request: ApplyRequest) -> Settled {
        self.inner.settle(request).await
    }
    async fn upgrade(&self, ty: &str, version: u32, value: Known) -> Result<Known, Diagnostics> {
        assert_eq!((ty, version), ("fake_thing", 0));
        let class = value
            .value()
            .get("class")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if class == "unheard-of" {
            return Err(Diagnostic::error("this class can't be upgraded").into());
        }
        let class = Value::from(class.to_uppercase());
        Ok(Known::new(value.into_value().with("class", class)).unwrap())
    }
}

fn later(world: &World) -> Engine {
    let registry = Registry::new().with("fake", || Arc::new(Later::new()));
    Engine::new(
        world.store.clone(),
        Arc::new(registry),
        world.events.clone(),
    )
}

#[tokio::test]
async fn stored_state_is_brought_up_to_a_later_schema_once() {
    let world = World::new();
    let stack = thing("a", "") + &thing("gone", "");
    world.converge(&stack).await;
    let engine = later(&world);
    let lease = world.lease().await;
    let planned = engine
        .plan(&world.input(&thing("a", "")), &lease)
        .await
        .unwrap();
    let gone = &planned.plan.changes[&addr("fake_thing.gone")];
    let class = gone.before.as_ref().unwrap().value().get("class").cloned();
    assert_eq!(class, Some("STANDARD".into()), "what goes is upgraded too");
    assert_eq!(actions(&planned).len(), 1, "an upgrade is no change");
    let stop = CancellationToken::new();
    let report = engine.apply(&planned, &lease, stop).await.unwrap();
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    let stored = world.store.snapshot().await.unwrap().resources[&addr("fake_thing.a")].clone();
    assert_eq!(stored.schema_version, 2);
    assert_eq!(stored.value.value().get("class"), Some(&"STANDARD".into()));
    // It is not upgraded again, and an older provider refuses it.
    let planned = later(&world)
        .plan(&world.input(&thing("a", "")), &lease)
        .await
        .unwrap();
    assert!(planned.is_empty());
    assert!(planned.observed.is_empty());
    world.store.release(lease).await.unwrap();
    let refused = world
        .plan_with(&thing("a", ""), PlanOptions::default())
        .await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn state_that_can_not_be_upgraded_is_refused_and_left_alone() {
    let world = World::new();
    let stack = thing("a", "class = \"unheard-of\"");
    world.converge(&stack).await;
    let before = world.store.snapshot().await.unwrap();
    let lease = world.lease().await;
    let refused = later(&world).plan(&world.input(&stack), &lease).await;
    let text = refused.err().unwrap().to_string();
    assert!(text.contains("this class can't be upgraded"), "{text}");
    assert_eq!(world.store.snapshot().await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lent_value_is_renewed_while_a_long_apply_lasts() {
    let world = World::new();
    let path = world.cloud_path().display().to_string();
    let stack = format!(
        "ephemeral \"fake_token\" \"t\" {{\n  name = \"t\"\n  renew_after_ms = 1\n}}\n\
         provider \"fake\" {{\n  alias = \"lent\"\n  path = {path:?}\n  latency_ms = \
         length(ephemeral.fake_token.t.token) > 0 ? 0 : 1\n}}\n"
    ) + &thing("a", "provider = fake.lent");
    // The call lasts until the value was renewed: nobody counts on time.
    let cloud = world.cloud_path();
    *world.script.at_apply.lock().unwrap() = Some(Arc::new(move |_: &str| {
        let cloud = weir_fake::cloud::Cloud::open(&cloud).unwrap();
        let renewed = || {
            let log = cloud.log().unwrap();
            let ours = log.iter().filter(
                |e| matches!(e, weir_fake::cloud::Entry::Ephemeral { what, .. } if what == "renew"),
            );
            ours.count() > 0
        };
        while !renewed() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }));
    tokio::time::timeout(std::time::Duration::from_secs(120), async {
        let report = world.apply(&stack).await;
        assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    })
    .await
    .unwrap();
    let log = world.ephemerals();
    let count = |what: &str| log.iter().filter(|l| l.starts_with(what)).count();
    assert!(count("renew") >= 1, "{log:?}");
    assert_eq!(count("open"), count("close"), "{log:?}");
    assert_eq!(log.last().map(String::as_str), Some("close t"));
}

#[tokio::test]
async fn the_data_of_a_check_is_read_at_apply_and_its_failure_warns() {
    let world = World::new();
    let check = |name: &str, size: u8| {
        format!(
            "check \"c\" {{\n  data \"fake_lookup\" \"d\" {{\n    name = {name}\n  }}\n  assert {{\n    \
             condition = data.fake_lookup.d.size == {size}\n    error_message = \"It has another \
             size.\"\n  }}\n}}\n"
        )
    };
    // What it looks at is made by the same apply.
    let stack = |size: u8, expected: u8| {
        thing("a", &format!("size = {size}")) + &check("fake_thing.a.name", expected)
    };
    let report = world.apply(&stack(4, 4)).await;
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    assert!(report.diagnostics.0.is_empty(), "{}", report.diagnostics);
    // It fails: a warning, and the apply is as good as ever.
    let report = world.apply(&stack(5, 4)).await;
    assert_eq!(report.status, Status::Succeeded);
    let text = report.diagnostics.to_string();
    assert!(text.contains("It has another size."), "{text}");
    // It can't even be read.
    let stack = thing("a", "size = 5") + &check("\"${fake_thing.a.name}-not\"", 5);
    let report = world.apply(&stack).await;
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    assert!(!report.diagnostics.has_errors());
}

/// With a module in a folder beside.
fn input(world: &World, root: &str) -> PlanInput {
    let module = thing("inner", "tags = { of = var.of }") + "variable \"of\" { default = \"x\" }\n";
    let deep = format!("module \"deep\" {{\n  source = \"../m\"\n}}\n{module}");
    let cloud = world.cloud_path().display().to_string();
    let root = format!("provider \"fake\" {{\n  path = {cloud:?}\n}}\n{root}");
    let files = [
        ("main.weir.hcl", root.as_str()),
        ("m/main.weir.hcl", module.as_str()),
        ("deep/main.weir.hcl", deep.as_str()),
    ];
    let inputs = Inputs::new(std::collections::BTreeMap::new());
    let loaded = load(Arc::new(MemoryFiles::of(files)), &NoCatalog, &inputs);
    PlanInput {
        config: loaded.unwrap_or_else(|d| panic!("{d}")).config,
        inputs,
        options: PlanOptions::default(),
    }
}

async fn apply(world: &World, root: &str) -> Vec<String> {
    let lease = world.lease().await;
    let planned = world
        .engine()
        .plan(&input(world, root), &lease)
        .await
        .unwrap();
    let done = actions(&planned).into_keys().collect();
    let stop = CancellationToken::new();
    let report = world.engine().apply(&planned, &lease, stop).await.unwrap();
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    let again = world
        .engine()
        .plan(&input(world, root), &lease)
        .await
        .unwrap();
    assert!(again.is_empty(), "{:?}", actions(&again));
    world.store.release(lease).await.unwrap();
    done
}

#[tokio::test]
async fn a_module_moves_with_all_that_is_in_it() {
    let world = World::new();
    let call = |name: &str, body: &str| {
        format!("module \"{name}\" {{\n  source = \"./deep\"\n{body}\n}}\n")
    };
    let moved = |from: &str, to: &str| format!("moved {{\n  from = {from}\n  to = {to}\n}}\n");
    let user = |of: &str| thing("user", &format!("tags = {{ of = {of} }}"));
    apply(&world, &(call("a", "") + &user("\"none\""))).await;
    let objects = world.cloud().objects().unwrap();
    let steps = [
        // Another name.
        call("b", "") + &moved("module.a", "module.b"),
        // It is repeated now: unlike a resource's, its first instance has to be told.
        call("b", "  count = 1") + &moved("module.b", "module.b[0]"),
        // From one repetition to another.
        call("b", "  for_each = toset([\"x\"])") + &moved("module.b[0]", "module.b[\"x\"]"),
        // And to none.
        call("c", "") + &moved("module.b[\"x\"]", "module.c"),
    ];
    for step in &steps {
        let done = apply(&world, &(step.clone() + &user("\"none\""))).await;
        assert!(done.is_empty(), "{step}: {done:?}");
        assert_eq!(world.cloud().objects().unwrap(), objects, "{step}");
    }
    let snapshot = world.store.snapshot().await.unwrap();
    let have: Vec<String> = snapshot.resources.keys().map(ToString::to_string).collect();
    assert_eq!(
        have,
        [
            "fake_thing.user",
            "module.c.fake_thing.inner",
            "module.c.module.deep.fake_thing.inner"
        ]
    );
}
