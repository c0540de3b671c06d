//! Hosts and pods through the engine: placement, order, batches, sticky ports.
//!
//! The provider here keeps its hosts in memory and its schema to what these tests look at.
#![allow(clippy::unwrap_used)]

mod common;

use async_trait::async_trait;
use common::{World, addr, results};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;
use weir_core::{
    Diagnostics, Known, Path, Type, Value,
    plan::Op,
    schema::{Attribute, Block, Schema, SetBy},
};
use weir_engine::{Engine, Mode, PlanInput, PlanOptions, Planned, Registry, Report, Status};
use weir_provider::{
    ApplyRequest, ApplyResponse, Imported, PlanRequest, PlanResponse, Progress, Provider,
    ProviderSchema, ReadRequest, ReadResponse, Settled,
};
use weir_state::{Holder, Item, Lease, StateError, Store, Wait};

/// All hosts, and the calls they got: `host: op address, op address`.
#[derive(Default)]
struct Fleet {
    objects: Mutex<BTreeMap<String, Known>>,
    calls: Mutex<Vec<String>>,
}

struct Hosts {
    schema: ProviderSchema,
    fleet: Arc<Fleet>,
}

fn schema(attributes: &[(&str, Type, SetBy)]) -> Schema {
    let attributes = attributes
        .iter()
        .map(|(name, ty, by)| ((*name).to_owned(), Attribute::new(ty.clone(), *by)))
        .collect();
    Schema {
        version: 0,
        block: Block {
            attributes,
            ..Block::default()
        },
    }
}

impl Hosts {
    fn new(fleet: Arc<Fleet>) -> Hosts {
        use SetBy::{Computed, Optional, Required};
        let host = schema(&[
            ("name", Type::String, Required),
            ("site", Type::String, Required),
            ("connection", Type::String, Optional),
            ("address", Type::String, Optional),
            ("port", Type::Number, Optional),
            ("user", Type::String, Optional),
            ("private_key_file", Type::String, Optional),
            ("host_key", Type::Dynamic, Optional),
            ("trust_on_first_use", Type::Bool, Optional),
            ("bastion", Type::Dynamic, Optional),
            ("home", Type::String, Optional),
            ("labels", Type::map(Type::String), Optional),
            ("agent_version", Type::String, Computed),
            ("agent_sha256", Type::String, Computed),
            ("hostname", Type::String, Computed),
            ("os", Type::String, Computed),
            ("cpus", Type::Number, Computed),
            ("memory_bytes", Type::Number, Computed),
            ("systemd", Type::Bool, Computed),
        ]);
        let any = |name: &'static str| (name, Type::Dynamic, Optional);
        let pod = schema(&[
            ("host", Type::String, Required),
            ("address", Type::String, Optional),
            ("slug", Type::String, Required),
            ("user", Type::String, Optional),
            any("packages"),
            any("directories"),
            any("artifacts"),
            any("files"),
            any("volumes"),
            any("env"),
            ("ports", Type::map(Type::Number), Optional),
            ("cpus", Type::Number, Optional),
            ("memory", Type::Number, Optional),
            any("tasks"),
            ("status", Type::map(Type::String), Computed),
            ("directory", Type::String, Computed),
        ]);
        let schema = ProviderSchema {
            ephemeral: BTreeMap::new(),
            provider: Schema::default(),
            resources: [("weir_host".to_owned(), host), ("weir_pod".to_owned(), pod)].into(),
            data: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        Hosts { schema, fleet }
    }
}

const HOST_FACTS: &[&str] = &[
    "agent_version",
    "agent_sha256",
    "hostname",
    "os",
    "cpus",
    "memory_bytes",
    "systemd",
];
const POD_FACTS: &[&str] = &["status", "directory"];

fn facts(ty: &str) -> &'static [&'static str] {
    if ty == "weir_host" {
        HOST_FACTS
    } else {
        POD_FACTS
    }
}

fn host_of(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    text("host").unwrap_or_else(|| format!("{}/{}", text("site").unwrap(), text("name").unwrap()))
}

#[async_trait]
impl Provider for Hosts {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }
    async fn configure(&self, _: &Value) -> Result<(), Diagnostics> {
        Ok(())
    }
    async fn validate(&self, _: &str, _: &Value) -> Diagnostics {
        Diagnostics::new()
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let mut planned = request.proposed;
        if request.prior.is_none() {
            let block = &self.schema.resources[&request.type_name].block;
            for name in facts(&request.type_name) {
                let unknown = Value::unknown(block.attributes[*name].ty.clone());
                planned = planned.with(name, unknown);
            }
        }
        let pod = request.type_name == "weir_pod";
        Ok(PlanResponse {
            batch: pod.then(|| host_of(&planned)),
            planned,
            requires_replace: if pod {
                vec![Path::root().key("host")]
            } else {
                Vec::new()
            },
            private: Vec::new(),
            warnings: Diagnostics::new(),
        })
    }
    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        self.apply_batch(vec![request], progress).await.remove(0)
    }
    async fn apply_batch(
        &self,
        requests: Vec<ApplyRequest>,
        _: &dyn Progress,
    ) -> Vec<ApplyResponse> {
        let object = |r: &ApplyRequest| {
            r.planned
                .clone()
                .unwrap_or_else(|| r.prior.clone().unwrap().into_value())
        };
        let host = host_of(&object(&requests[0]));
        assert!(
            requests.iter().all(|r| host_of(&object(r)) == host),
            "one call, one host"
        );
        let ops: Vec<String> = requests
            .iter()
            .map(|r| format!("{} {}", format!("{:?}", r.op).to_lowercase(), r.address))
            .collect();
        self.fleet
            .calls
            .lock()
            .unwrap()
            .push(format!("{host}: {}", ops.join(", ")));
        let mut objects = self.fleet.objects.lock().unwrap();
        requests
            .iter()
            .map(|r| {
                let value = (r.op != Op::Delete).then(|| {
                    let mut value = object(r);
                    for name in facts(&r.type_name) {
                        if value.get(name).unwrap().is_unknown() {
                            let fact = match *name {
                                "cpus" => Value::from(4),
                                "memory_bytes" => Value::from(8 << 30),
                                "systemd" => Value::from(true),
                                "status" => Value::map(Type::String, weir_core::Entries::new()),
                                other => Value::from(other),
                            };
                            value = value.with(name, fact);
                        }
                    }
                    Known::new(value).unwrap()
                });
                match &value {
                    Some(v) => objects.insert(r.address.clone(), v.clone()),
                    None => objects.remove(&r.address),
                };
                ApplyResponse {
                    value,
                    private: Vec::new(),
                    diagnostics: Diagnostics::new(),
                }
            })
            .collect()
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let value = self
            .fleet
            .objects
            .lock()
            .unwrap()
            .get(&request.address)
            .cloned();
        Ok(ReadResponse {
            value,
            private: request.private,
        })
    }
    async fn import(&self, _: &str, _: &str) -> Result<Vec<Imported>, Diagnostics> {
        Ok(Vec::new())
    }
    async fn data(&self, _: &str, _: &Value) -> Result<Known, Diagnostics> {
        Err(Diagnostics::new())
    }
    async fn settle(&self, _: ApplyRequest) -> Settled {
        Settled::NotDone
    }
    fn delete_batch(&self, ty: &str, value: &Known) -> Option<String> {
        (ty == "weir_pod").then(|| host_of(value.value()))
    }
}

struct Site {
    world: World,
    fleet: Arc<Fleet>,
}

impl Site {
    fn new() -> Site {
        Site {
            world: World::new(),
            fleet: Arc::default(),
        }
    }

    fn engine(&self) -> Engine {
        let fleet = self.fleet.clone();
        let registry = Registry::new().with("host", move || Arc::new(Hosts::new(fleet.clone())));
        Engine::new(
            self.world.store.clone(),
            Arc::new(registry),
            self.world.events.clone(),
        )
    }

    fn input(&self, text: &str) -> PlanInput {
        let files = Arc::new(weir_lang::MemoryFiles::of([("stack.hcl", text)]));
        let inputs = weir_lang::Inputs::default();
        let loaded = weir_lang::load(files, &weir_lang::NoCatalog, &inputs);
        let config = loaded.unwrap_or_else(|d| panic!("{d}")).config;
        PlanInput {
            config,
            inputs,
            options: PlanOptions::default(),
        }
    }

    async fn plan(&self, text: &str) -> Result<Planned, Diagnostics> {
        let lease = self.world.lease().await;
        let planned = self.engine().plan(&self.input(text), &lease).await;
        self.world.store.release(lease).await.unwrap();
        planned
    }

    /// A plan of one service alone, under no lease.
    async fn plan_of(&self, text: &str, service: &str) -> Planned {
        let input = self.input_of(text, service);
        let planned = self.engine().plan(&input, None).await;
        planned.unwrap_or_else(|d| panic!("{d}"))
    }

    fn input_of(&self, text: &str, service: &str) -> PlanInput {
        let options = PlanOptions {
            targets: vec![service.parse().unwrap()],
            ..PlanOptions::default()
        };
        PlanInput {
            options,
            ..self.input(text)
        }
    }

    /// A lease on what a plan needs.
    async fn lease_for(&self, planned: &Planned) -> Result<Lease, StateError> {
        let holder = Holder::this_process("tester", "apply");
        let scope = planned.scope().clone();
        let taken = self.world.store.acquire_scope(holder, scope, Wait::None);
        taken.await
    }

    /// Applies under this lease, which must go well.
    async fn apply_under(&self, planned: &Planned, lease: &Lease) {
        let applied = self.engine();
        let applied = applied.apply(planned, lease, CancellationToken::new());
        let report = applied.await.unwrap_or_else(|d| panic!("{d}"));
        assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    }

    async fn apply_with(&self, text: &str, options: PlanOptions) -> Report {
        let lease = self.world.lease().await;
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
        self.world.store.release(lease).await.unwrap();
        report.unwrap_or_else(|d| panic!("{d}"))
    }

    /// Applies, demands that all went well and that nothing is left to do; the calls hosts got.
    async fn converge(&self, text: &str) -> Vec<String> {
        self.fleet.calls.lock().unwrap().clear();
        let report = self.apply_with(text, PlanOptions::default()).await;
        assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
        let again = self.plan(text).await.unwrap_or_else(|d| panic!("{d}"));
        assert!(again.is_empty(), "{:?}", common::actions(&again));
        std::mem::take(&mut self.fleet.calls.lock().unwrap())
    }

    async fn hosts(&self, pod: &str) -> Vec<String> {
        let snapshot = self.world.store.snapshot().await.unwrap();
        let prefix = format!("service.{pod}[");
        snapshot
            .resources
            .iter()
            .filter(|(a, _)| a.to_string().starts_with(&prefix))
            .map(|(_, r)| host_of(r.value.value()))
            .collect()
    }

    async fn port(&self, pod: &str, name: &str) -> i64 {
        let value = self.world.value(pod).await.unwrap();
        value
            .get("ports")
            .unwrap()
            .get(name)
            .unwrap()
            .as_i64()
            .unwrap()
    }
}

/// A site with hosts `a`, `b`, ... and a cluster of all.
fn cluster(hosts: &str) -> String {
    let hosts: String = hosts
        .chars()
        .map(|h| format!("  host \"{h}\" {{ address = \"10.0.0.{}\" }}\n", h as u32))
        .collect();
    format!(
        "stack \"t\" {{}}\nsite \"s\" {{\n{hosts}}}\n\
         cluster \"main\" {{\n  pool \"base\" {{ site = site.s }}\n}}\n"
    )
}

fn service(name: &str, pod: &str) -> String {
    format!(
        "service \"{name}\" {{\n  cluster = cluster.main\n  pod \"app\" {{\n{pod}\n    \
         task \"main\" {{ run = \"sleep inf\" }}\n  }}\n}}\n"
    )
}

const DISTINCT: &str = "place { distinct = [\"host\"] }";

#[tokio::test]
async fn agents_come_before_pods_and_instances_one_after_the_other() {
    let site = Site::new();
    let stack = cluster("abc") + &service("web", &format!("count = 3\n{DISTINCT}"));
    let calls = site.converge(&stack).await;
    assert_eq!(site.hosts("web.pod.app").await, ["s/a", "s/b", "s/c"]);
    let at = |call: &str| calls.iter().position(|c| c == call).unwrap();
    let pod = |i: usize, h: &str| at(&format!("s/{h}: create service.web.pod.app[\"{i}\"]"));
    let agent = |h: &str| at(&format!("s/{h}: create site.s.host[\"{h}\"]"));
    assert_eq!(calls.len(), 6);
    assert!(agent("a") < pod(0, "a") && agent("b") < pod(1, "b") && agent("c") < pod(2, "c"));
    assert!(pod(0, "a") < pod(1, "b") && pod(1, "b") < pod(2, "c"));
}

#[tokio::test]
async fn a_host_more_moves_nothing_and_a_host_less_moves_what_it_must() {
    let site = Site::new();
    let web = service("web", &format!("count = 2\n{DISTINCT}"));
    site.converge(&(cluster("ab") + &web)).await;
    let calls = site.converge(&(cluster("abc") + &web)).await;
    assert_eq!(calls, ["s/c: create site.s.host[\"c\"]"]);
    let calls = site.converge(&(cluster("bc") + &web)).await;
    assert_eq!(site.hosts("web.pod.app").await, ["s/c", "s/b"]);
    let at = |what: &str| calls.iter().position(|c| c.contains(what)).unwrap();
    assert!(at("s/a: delete service.web.pod.app") < at("s/a: delete site.s.host[\"a\"]"));
}

#[tokio::test]
async fn all_that_goes_from_a_host_goes_in_one_call_before_its_agent() {
    let site = Site::new();
    let stack = cluster("a") + &service("web", "count = 1") + &service("db", "count = 1");
    site.converge(&stack).await;
    site.fleet.calls.lock().unwrap().clear();
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..PlanOptions::default()
    };
    let report = site.apply_with(&stack, destroy).await;
    assert_eq!(report.status, Status::Succeeded, "{:?}", results(&report));
    assert_eq!(
        *site.fleet.calls.lock().unwrap(),
        [
            "s/a: delete service.db.pod.app[\"0\"], delete service.web.pod.app[\"0\"]",
            "s/a: delete site.s.host[\"a\"]",
        ]
    );
    assert!(site.world.store.is_empty().await.unwrap());
}

#[tokio::test]
async fn a_service_that_is_renamed_keeps_its_port_in_one_call() {
    let site = Site::new();
    let port = "count = 1\nresources {\n  port \"http\" { number = 8080 }\n}";
    site.converge(&(cluster("a") + &service("old", port))).await;
    let calls = site.converge(&(cluster("a") + &service("new", port))).await;
    assert_eq!(
        calls,
        ["s/a: create service.new.pod.app[\"0\"], delete service.old.pod.app[\"0\"]"]
    );
}

#[tokio::test]
async fn a_chosen_port_is_kept_and_given_once() {
    let site = Site::new();
    let any = "count = 1\nresources {\n  port \"http\" {}\n}";
    let one = service("one", any);
    let two = service("two", any);
    site.converge(&(cluster("a") + &two)).await;
    assert_eq!(
        site.port("service.two.pod.app[\"0\"]", "http").await,
        20_000
    );
    site.converge(&(cluster("a") + &one + &two)).await;
    assert_eq!(
        site.port("service.two.pod.app[\"0\"]", "http").await,
        20_000
    );
    assert_eq!(
        site.port("service.one.pod.app[\"0\"]", "http").await,
        20_001
    );
}

/// What runs on a host is one answer to its agent, and its ports are given by who sees all of it.
#[tokio::test]
async fn two_applies_that_share_a_host_are_not_at_the_same_time() {
    let site = Site::new();
    let any = "count = 1\nresources {\n  port \"http\" {}\n}";
    let stack = cluster("a") + &service("one", any) + &service("two", any);
    site.converge(&cluster("a")).await;
    let one = site.plan_of(&stack, "service.one").await;
    let two = site.plan_of(&stack, "service.two").await;
    let mine = site.lease_for(&one).await.unwrap();
    match site.lease_for(&two).await {
        Err(e @ StateError::Locked { .. }) => {
            let text = e.to_string();
            assert!(
                text.contains("site.s.host[\"a\"] is locked by tester@"),
                "{text}"
            );
        }
        other => panic!("they share a host: {other:?}"),
    }
    site.apply_under(&one, &mine).await;
    site.world.store.release(mine).await.unwrap();

    // Both had chosen the same port: the other is out of date, though its host is as it was.
    let lease = site.lease_for(&two).await.unwrap();
    assert!(!site.engine().is_current(&two, &lease).await.unwrap());
    let input = site.input_of(&stack, "service.two");
    let two = site.engine().plan(&input, &lease).await;
    let two = two.unwrap_or_else(|d| panic!("{d}"));
    assert!(lease.scope().holds(two.scope()));
    site.apply_under(&two, &lease).await;
    site.world.store.release(lease).await.unwrap();
    for (pod, port) in [("one", 20_000), ("two", 20_001)] {
        let pod = format!("service.{pod}.pod.app[\"0\"]");
        assert_eq!(site.port(&pod, "http").await, port);
    }
    assert!(site.plan(&stack).await.unwrap().is_empty());
}

/// A pod that goes changes what its host runs as one that comes does.
#[tokio::test]
async fn who_takes_a_pod_from_a_host_shares_it_too() {
    let site = Site::new();
    let one = service("one", "count = 1");
    site.converge(&(cluster("a") + &one)).await;
    let stack = cluster("a") + &service("two", "count = 1");
    let gone = site.plan_of(&stack, "service.one").await;
    let come = site.plan_of(&stack, "service.two").await;
    let lease = site.lease_for(&gone).await.unwrap();
    match site.lease_for(&come).await {
        Err(StateError::Locked {
            over: Some(over), ..
        }) => assert_eq!(over, Item::Instance(addr("site.s.host[\"a\"]"))),
        other => panic!("they share a host: {other:?}"),
    }
    site.apply_under(&gone, &lease).await;
}

#[tokio::test]
async fn applies_to_different_hosts_are_at_the_same_time() {
    let site = Site::new();
    let far = cluster("b")
        .replace("stack \"t\" {}", "")
        .replace("site \"s\"", "site \"far\"")
        .replace("site.s ", "site.far ")
        .replace("\"main\"", "\"far\"");
    let hosts = cluster("a") + &far;
    let two = service("two", "count = 1").replace("cluster.main", "cluster.far");
    let stack = hosts.clone() + &service("one", "count = 1") + &two;
    site.converge(&hosts).await;
    let one = site.plan_of(&stack, "service.one").await;
    let two = site.plan_of(&stack, "service.two").await;
    let mine = site.lease_for(&one).await.unwrap();
    let other = site.lease_for(&two).await.unwrap();
    site.apply_under(&one, &mine).await;
    assert!(site.engine().is_current(&two, &other).await.unwrap());
    site.apply_under(&two, &other).await;
    for lease in [mine, other] {
        site.world.store.release(lease).await.unwrap();
    }
    assert_eq!(site.hosts("two.pod.app").await, ["far/b"]);
    assert!(site.plan(&stack).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_port_that_another_service_has_is_refused_by_name() {
    let site = Site::new();
    let port = "count = 1\nresources {\n  port \"http\" { number = 8080 }\n}";
    let stack = cluster("a") + &service("one", port) + &service("two", port);
    let errors = site.plan(&stack).await.err().unwrap();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert!(
        errors.0[0]
            .detail
            .contains("port 8080 is taken by service.one.pod.app[\"0\"]"),
        "{errors}"
    );
    assert!(errors.0[0].snippet.is_some());
}

#[tokio::test]
async fn a_shortage_is_told_in_numbers_before_anything_is_done() {
    let site = Site::new();
    let stack = cluster("ab") + &service("web", &format!("count = 3\n{DISTINCT}"));
    let errors = site.plan(&stack).await.err().unwrap();
    assert_eq!(
        errors.0[0].summary,
        "service.web needs 3 hosts that share no host, and the cluster has 2"
    );
    assert!(site.fleet.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_plan_of_pods_in_a_file_places_them_as_shown() {
    let site = Site::new();
    let stack = cluster("ab") + &service("web", &format!("count = 2\n{DISTINCT}"));
    let planned = site.plan(&stack).await.unwrap_or_else(|d| panic!("{d}"));
    let saved = weir_engine::planfile::SavedPlan::read(
        &planned.to_bytes(),
        common::no_files(),
        &weir_lang::NoCatalog,
    )
    .unwrap_or_else(|d| panic!("{d}"));
    let lease = site.world.lease().await;
    let engine = site.engine();
    let opened = engine
        .open(saved, &lease)
        .await
        .unwrap_or_else(|d| panic!("{d}"));
    let report = engine
        .apply(&opened, &lease, CancellationToken::new())
        .await
        .unwrap();
    site.world.store.release(lease).await.unwrap();
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    for (i, host) in site.hosts("web.pod.app").await.iter().enumerate() {
        let change = &planned.plan.changes[&addr(&format!("service.web.pod.app[\"{i}\"]"))];
        assert_eq!(&host_of(change.after.as_ref().unwrap()), host);
    }
    assert!(
        site.plan(&stack)
            .await
            .unwrap_or_else(|d| panic!("{d}"))
            .is_empty()
    );
}

#[tokio::test]
async fn what_can_not_be_evaluated_any_more_stands_in_no_destroys_way() {
    let site = Site::new();
    let port = "count = 1\nresources {\n  port \"http\" { number = 8080 }\n}";
    let stack = cluster("a")
        + &service("web", port)
        + "output \"url\" { value = service.web.endpoints.http[0] }\n";
    site.converge(&stack).await;
    for _ in 0..2 {
        let destroy = PlanOptions {
            mode: Mode::Destroy,
            ..PlanOptions::default()
        };
        let report = site.apply_with(&stack, destroy).await;
        assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
        assert!(site.world.store.is_empty().await.unwrap());
    }
}
