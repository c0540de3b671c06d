//! The lease is lost, the store refuses writes, a provider panics: the run stops, and what was done
//! is found out later.
#![allow(clippy::unwrap_used)]

mod common;

use async_trait::async_trait;
use common::{World, addr, results, thing};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio_util::sync::CancellationToken;
use weir_core::{
    Address, Known,
    references::References,
    snapshot::{Lineage, Resource, Serial, Snapshot},
};
use weir_engine::{Moment, PlanOptions, Point, Probe, Record, Status};
use weir_state::{
    Applied, ApplyRecord, Begin, Bundle, ClosedEntry, Content, Encryption, Entry, EntryId, Holder,
    Lease, LeaseRecord, Outcome, Pruned, Retention, Scope, SqliteStore, StateError, Store, Wait,
    encryption::Keyring,
};

type Answer<T> = Result<T, StateError>;

/// A store whose disk is full after so many writes.
struct FullAfter {
    store: Arc<SqliteStore>,
    left: AtomicUsize,
}

impl FullAfter {
    fn write(&self) -> Answer<()> {
        let take = |left: usize| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
        {
            Ok(_) => Ok(()),
            Err(_) => Err(StateError::Full {
                path: self.store.path().to_owned(),
            }),
        }
    }
    fn is_full(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

#[async_trait]
impl Store for FullAfter {
    fn lineage(&self) -> Lineage {
        self.store.lineage()
    }
    async fn snapshot(&self) -> Answer<Snapshot> {
        self.store.snapshot().await
    }
    async fn snapshot_at(&self, serial: Serial) -> Answer<Snapshot> {
        self.store.snapshot_at(serial).await
    }
    async fn is_empty(&self) -> Answer<bool> {
        self.store.is_empty().await
    }
    async fn acquire_scope(&self, holder: Holder, scope: Scope, wait: Wait) -> Answer<Lease> {
        self.store.acquire_scope(holder, scope, wait).await
    }
    async fn visit(&self, by: Holder, wait: Wait) -> Answer<()> {
        self.store.visit(by, wait).await
    }
    async fn release(&self, lease: Lease) -> Answer<()> {
        self.store.release(lease).await
    }
    async fn confirm(&self, lease: &Lease) -> Answer<()> {
        self.write()?;
        self.store.confirm(lease).await
    }
    async fn unlock(&self, epoch: u64, by: Holder) -> Answer<Option<LeaseRecord>> {
        self.store.unlock(epoch, by).await
    }
    async fn held(&self) -> Answer<Vec<LeaseRecord>> {
        self.store.held().await
    }
    async fn leases(&self) -> Answer<Vec<LeaseRecord>> {
        self.store.leases().await
    }
    async fn begin(&self, lease: &Lease, entries: Vec<Begin>) -> Answer<Vec<EntryId>> {
        self.write()?;
        self.store.begin(lease, entries).await
    }
    async fn commit(&self, lease: &Lease, entry: EntryId, outcome: Outcome) -> Answer<Serial> {
        self.write()?;
        self.store.commit(lease, entry, outcome).await
    }
    async fn open_entries(&self) -> Answer<Vec<Entry>> {
        self.store.open_entries().await
    }
    async fn settle(&self, lease: &Lease, entry: EntryId, outcome: Outcome) -> Answer<Serial> {
        self.write()?;
        self.store.settle(lease, entry, outcome).await
    }
    async fn closed_entries(&self, epoch: u64) -> Answer<Vec<ClosedEntry>> {
        self.store.closed_entries(epoch).await
    }
    async fn rekey(&self, lease: &Lease, encryption: Encryption) -> Answer<()> {
        self.write()?;
        self.store.rekey(lease, encryption).await
    }
    async fn keyring(&self) -> Answer<Option<Keyring>> {
        self.store.keyring().await
    }
    async fn set_outputs(&self, lease: &Lease, outputs: BTreeMap<String, Known>) -> Answer<Serial> {
        self.write()?;
        self.store.set_outputs(lease, outputs).await
    }
    async fn change_outputs(
        &self,
        lease: &Lease,
        changes: BTreeMap<String, Option<Known>>,
    ) -> Answer<Serial> {
        self.write()?;
        self.store.change_outputs(lease, changes).await
    }
    async fn change_references(
        &self,
        lease: &Lease,
        before: References,
        after: References,
    ) -> Answer<Option<Serial>> {
        self.write()?;
        self.store.change_references(lease, before, after).await
    }
    async fn set_references(&self, lease: &Lease, references: References) -> Answer<Serial> {
        self.write()?;
        self.store.set_references(lease, references).await
    }
    async fn record_refresh(
        &self,
        lease: &Lease,
        found: Vec<(Address, Option<Resource>)>,
    ) -> Answer<Serial> {
        self.write()?;
        self.store.record_refresh(lease, found).await
    }
    async fn forget(&self, lease: &Lease, address: &Address) -> Answer<Serial> {
        self.write()?;
        self.store.forget(lease, address).await
    }
    async fn replace(&self, lease: Lease, content: Content, record: ApplyRecord) -> Answer<Serial> {
        self.write()?;
        self.store.replace(lease, content, record).await
    }
    async fn keep_bundle(&self, lease: &Lease, bundle: Bundle) -> Answer<()> {
        self.write()?;
        self.store.keep_bundle(lease, bundle).await
    }
    async fn bundle(&self, digest: &str) -> Answer<Option<Bundle>> {
        self.store.bundle(digest).await
    }
    async fn prune(&self, lease: &Lease, before: Serial) -> Answer<Pruned> {
        self.write()?;
        self.store.prune(lease, before).await
    }
    async fn retain(&self, lease: &Lease, keep: Retention) -> Answer<Pruned> {
        self.write()?;
        self.store.retain(lease, keep).await
    }
    async fn finish_apply(&self, lease: &Lease, record: ApplyRecord) -> Answer<()> {
        self.write()?;
        self.store.finish_apply(lease, record).await
    }
    async fn history(&self) -> Answer<Vec<Applied>> {
        self.store.history().await
    }
}

/// A replacement that creates first, with a user; in another zone something else.
fn replaced(zone: &str) -> String {
    let body = format!("zone = \"{zone}\"\nlifecycle {{ create_before_destroy = true }}");
    thing("a", &body) + &thing("b", "tags = { of = fake_thing.a.id }") + &thing("c", "")
}

#[tokio::test]
async fn a_full_disk_stops_the_run_and_loses_nothing() {
    let mut writes = 0;
    loop {
        let mut world = World::new();
        world.parallelism = 1;
        world.converge(&replaced("x")).await;
        let before = world.log().len();
        let store = Arc::new(FullAfter {
            store: world.store.clone(),
            left: AtomicUsize::new(writes),
        });
        let watched = store.clone();
        let late = Arc::new(AtomicUsize::new(0));
        let counter = late.clone();
        *world.script.at_apply.lock().unwrap() = Some(Arc::new(move |_| {
            // The write that takes the last room is the `begin` of this very call.
            if watched.is_full() && counter.fetch_add(1, Ordering::SeqCst) > 0 {
                panic!("a call after the disk was full");
            }
        }));
        let engine = world.engine_on(store.clone());
        let lease = world.lease().await;
        let input = world.input(&(replaced("y") + &thing("d", "")));
        let planned = engine.plan(&input, &lease).await.unwrap();
        let stop = CancellationToken::new();
        let report = engine.apply(&planned, &lease, stop).await;
        world.store.release(lease).await.unwrap();
        *world.script.at_apply.lock().unwrap() = None;
        let succeeded = match &report {
            Ok(report) => report.status == Status::Succeeded,
            Err(_) => false,
        };
        if let Ok(report) = &report
            && !succeeded
        {
            let text = report.diagnostics.to_string();
            assert!(text.contains("full"), "{writes} writes: {text}");
            assert!(!text.contains("after the disk"), "{writes} writes: {text}");
        }
        world.converge(&(replaced("y") + &thing("d", ""))).await;
        let mut log = world.log_since(before);
        log.sort();
        assert_eq!(
            log,
            ["create a", "create d", "delete a", "update b"],
            "{writes} writes"
        );
        assert_eq!(world.cloud().objects().unwrap().len(), 4);
        if succeeded {
            assert!(writes > 8, "every write was refused once");
            return;
        }
        writes += 1;
    }
}

/// Gives the lease to somebody else after the n-th record.
struct Thief {
    store: Arc<SqliteStore>,
    left: AtomicUsize,
}
impl Probe for Thief {
    fn at(&self, point: Point<'_>) {
        if point.moment == Moment::After && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            unlock(&self.store);
        }
    }
}

/// From outside of the runtime.
fn unlock(store: &Arc<SqliteStore>) {
    let store = store.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let thief = Holder::this_process("thief", "unlock");
        let unlocked = async {
            for held in store.leases().await.unwrap() {
                store.unlock(held.epoch, thief.clone()).await.unwrap();
            }
        };
        runtime.block_on(unlocked);
    });
    thread.join().unwrap();
}

#[tokio::test]
async fn no_provider_is_called_once_the_lease_is_gone() {
    for record in 1..20 {
        let mut world = World::new();
        world.parallelism = 1;
        world.converge(&replaced("x")).await;
        let thief = Arc::new(Thief {
            store: world.store.clone(),
            left: AtomicUsize::new(record),
        });
        let lease = world.lease().await;
        let engine = world.engine().with_probe(thief.clone());
        let input = world.input(&replaced("y"));
        let planned = engine.plan(&input, &lease).await.unwrap();
        let watched = thief.clone();
        let late = Arc::new(AtomicUsize::new(0));
        let counter = late.clone();
        *world.script.at_apply.lock().unwrap() = Some(Arc::new(move |_| {
            if watched.left.load(Ordering::SeqCst) as isize <= 0 {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        }));
        let stop = CancellationToken::new();
        let report = engine.apply(&planned, &lease, stop).await;
        drop(lease);
        let stolen = thief.left.load(Ordering::SeqCst) as isize <= 0;
        if !stolen {
            assert_eq!(report.unwrap().status, Status::Succeeded);
            assert!(record > 6, "every record was the last once");
            return;
        }
        // The call whose own entry was begun before is all there may be.
        assert!(late.load(Ordering::SeqCst) <= 1, "record {record}");
        *world.script.at_apply.lock().unwrap() = None;
        world.converge(&replaced("y")).await;
        assert_eq!(world.cloud().objects().unwrap().len(), 3, "record {record}");
        assert_eq!(world.cloud().creations().unwrap(), 4, "record {record}");
    }
    panic!("the run never came to its end");
}

/// Gives the lease away once the new object has its place.
struct ThiefAtCommit(Arc<SqliteStore>);
impl Probe for ThiefAtCommit {
    fn at(&self, point: Point<'_>) {
        if point.moment == Moment::After && point.record == Record::Commit {
            unlock(&self.0);
        }
    }
}

#[tokio::test]
async fn an_old_object_is_not_deleted_once_the_lease_is_gone() {
    let world = World::new();
    let stack = |zone: &str| {
        let body = format!("zone = \"{zone}\"\nlifecycle {{ create_before_destroy = true }}");
        thing("a", &body)
    };
    world.converge(&stack("x")).await;
    let lease = world.lease().await;
    let engine = world
        .engine()
        .with_probe(Arc::new(ThiefAtCommit(world.store.clone())));
    let planned = engine
        .plan(&world.input(&stack("y")), &lease)
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let report = engine.apply(&planned, &lease, stop.clone()).await.unwrap();
    drop(lease);
    assert_eq!(report.status, Status::Failed);
    assert_eq!(world.log_since(1), ["create a"]);
    // Nor by the run after that, when it loses the lease before it begins.
    let lease = world.lease().await;
    let engine = world.engine();
    let planned = engine
        .plan(&world.input(&stack("y")), &lease)
        .await
        .unwrap();
    assert_eq!(planned.plan.deposed[0].address, addr("fake_thing.a"));
    unlock(&world.store);
    let report = engine.apply(&planned, &lease, stop).await.unwrap();
    drop(lease);
    assert_eq!(report.status, Status::Failed);
    assert_eq!(world.log_since(1), ["create a"]);
    world.converge(&stack("y")).await;
    assert_eq!(world.log_since(1), ["create a", "delete a"]);
}

#[tokio::test]
async fn a_provider_that_panics_while_planning_fails_the_plan() {
    let world = World::new();
    let stack = thing("a", "") + "data \"fake_lookup\" \"d\" { name = \"a\" }\n";
    for (method, stack) in [
        ("configure", &stack),
        ("validate", &stack),
        ("plan", &stack),
        ("read", &stack),
        ("data", &stack),
        ("delete_batch", &String::new()),
    ] {
        world.converge(&thing("a", "")).await;
        *world.script.panic_in.lock().unwrap() = method;
        let planned = world.plan_with(stack, PlanOptions::default()).await;
        *world.script.panic_in.lock().unwrap() = "";
        match planned {
            Ok(_) => assert_eq!(method, "delete_batch", "it is planned without a batch"),
            Err(found) => {
                assert_eq!(found.0[0].summary, "the provider crashed", "{method}");
                assert!(found.0[0].detail.contains("the script says so"), "{method}");
            }
        }
    }
    assert_eq!(world.log(), ["create a"]);
}

#[tokio::test]
async fn a_provider_that_panics_while_settling_leaves_the_entry_open() {
    let world = World::new();
    let stack = thing("a", "");
    world
        .script
        .panic
        .lock()
        .unwrap()
        .insert("fake_thing.a".into());
    world.apply(&stack).await;
    world.script.panic.lock().unwrap().clear();
    *world.script.panic_in.lock().unwrap() = "settle";
    let planned = world.plan(&stack).await;
    assert!(planned.unsettled[0].reason.contains("the script says so"));
    *world.script.panic_in.lock().unwrap() = "";
    world.converge(&stack).await;
    assert_eq!(world.log(), ["create a"]);
}

#[tokio::test]
async fn an_unsettled_operation_holds_up_nothing_else_of_its_batch() {
    let mut world = World::new();
    world.settings = "batch = true".into();
    let stack = |more: &str| thing("a", "zone = \"z\"") + more;
    world
        .script
        .panic
        .lock()
        .unwrap()
        .insert("fake_thing.a".into());
    world.apply(&stack("")).await;
    world.script.panic.lock().unwrap().clear();
    *world.script.undecided.lock().unwrap() = true;
    let both = stack(&thing("b", "zone = \"z\""));
    let report = world.apply(&both).await;
    assert_eq!(
        results(&report),
        ["create fake_thing.a: failed", "create fake_thing.b: done"]
    );
    *world.script.undecided.lock().unwrap() = false;
    world.converge(&both).await;
    assert_eq!(world.cloud().objects().unwrap().len(), 2);
}
