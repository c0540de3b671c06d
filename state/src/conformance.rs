//! What every store must do, whatever keeps it. A store's tests call [`all`].

use crate::{
    ApplyOutcome, ApplyRecord, Begin, Ending, EntryId, Holder, Lease, LeaseStatus, Outcome,
    StateError, Store, Target, Verdict, Wait, fold,
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};
use weir_core::{
    Address, Known, Marks, Type, Value,
    plan::Op,
    snapshot::{Resource, Serial, Snapshot, Status},
};

/// A place for one store, empty at first.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the store that is there, as another process would. Its leases must expire within
    /// [`EXPIRY`].
    async fn open(&self) -> Result<Arc<dyn Store>, StateError>;
}

/// After how long a lease must expire in the stores under test.
pub const EXPIRY: Duration = Duration::from_secs(2);

/// How long to wait for what must happen some time.
const PATIENCE: Duration = Duration::from_secs(60);

type Verified = Result<(), StateError>;

/// Runs every case, each in a place of its own.
///
/// # Errors
/// When the store fails where it must not.
///
/// # Panics
/// When the store answers other than it must.
pub async fn all(place: &(dyn Fn() -> Box<dyn Place> + Sync)) -> Verified {
    starts_empty(&*place()).await?;
    records_and_reopens(&*place()).await?;
    equals_the_fold(&*place()).await?;
    keeps_the_past(&*place()).await?;
    keeps_every_value(&*place()).await?;
    begins_all_or_none(&*place()).await?;
    closes_an_entry_once(&*place()).await?;
    settles_what_a_crash_left(&*place()).await?;
    keeps_a_deposed_object(&*place()).await?;
    survives_a_cut_replacement(&*place()).await?;
    breaks_a_stale_loop(&*place()).await?;
    excludes_others(&*place()).await?;
    fences_a_lost_lease(&*place()).await?;
    renews_a_lease(&*place()).await?;
    gives_back_a_dropped_lease(&*place()).await?;
    takes_over_a_dead_holder(&*place()).await?;
    keeps_history(&*place()).await?;
    takes_parallel_writes(&*place()).await
}

/// The address of this text.
///
/// # Panics
/// When it is none.
pub fn address(text: &str) -> Address {
    match text.parse() {
        Ok(address) => address,
        Err(e) => panic!("{e}"),
    }
}

/// A resource that holds `id` and depends on these.
///
/// # Panics
/// When a dependency is no address.
pub fn resource(id: &str, dependencies: &[&str]) -> Resource {
    Resource {
        provider: provider(),
        schema_version: 1,
        value: known(Value::object([
            ("id", Value::string(id)),
            ("secret", Value::string("s3cr3t").mark(Marks::SENSITIVE)),
        ])),
        private: id.as_bytes().to_vec(),
        dependencies: dependencies.iter().map(|d| address(d)).collect(),
        status: Status::Ready,
    }
}

/// An operation on the resource at this address.
///
/// # Panics
/// When it is no address.
pub fn begin(text: &str, op: Op) -> Begin {
    let value = resource(text, &[]).value;
    Begin {
        address: address(text),
        op,
        target: Target::Current,
        provider: provider(),
        type_name: "fake".into(),
        schema_version: 1,
        token: format!("token-of-{text}"),
        step: 7,
        planned: (op != Op::Delete).then(|| {
            Value::object([
                ("id", Value::unknown(Type::String)),
                ("size", Value::from(3)),
            ])
        }),
        prior: (op != Op::Create).then_some(value),
        private: vec![0xff, 0],
        dependencies: BTreeSet::new(),
    }
}

/// A holder that is this process.
pub fn me(purpose: &str) -> Holder {
    Holder::this_process("ann", purpose)
}

fn provider() -> weir_core::address::ProviderRef {
    weir_core::address::ProviderRef {
        name: "fake".into(),
        alias: None,
    }
}

fn known(value: Value) -> Known {
    match Known::new(value) {
        Ok(known) => known,
        Err(e) => panic!("{e}"),
    }
}

/// Begins and commits one operation.
///
/// # Errors
/// The store's.
pub async fn step(
    store: &dyn Store,
    lease: &Lease,
    begin: Begin,
    outcome: Outcome,
) -> Result<(EntryId, Serial), StateError> {
    let ids = store.begin(lease, vec![begin]).await?;
    assert_eq!(ids.len(), 1, "one entry for one operation");
    let serial = store.commit(lease, ids[0], outcome).await?;
    Ok((ids[0], serial))
}

async fn create(store: &dyn Store, lease: &Lease, text: &str, dependencies: &[&str]) -> Verified {
    let outcome = Outcome::Put(resource(text, dependencies));
    step(store, lease, begin(text, Op::Create), outcome).await?;
    Ok(())
}

async fn starts_empty(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let snapshot = store.snapshot().await?;
    assert_eq!(snapshot, Snapshot::empty(store.lineage()));
    assert!(!store.lineage().0.is_empty());
    assert!(store.is_empty().await?);
    assert!(store.open_entries().await?.is_empty());
    assert!(store.history().await?.is_empty());
    assert!(store.leases().await?.is_empty());
    assert_eq!(place.open().await?.lineage(), store.lineage());
    Ok(())
}

async fn records_and_reopens(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    create(&*store, &lease, "a.b[0]", &["a.a"]).await?;
    create(&*store, &lease, "module.m[\"x.y\"].a.c[\"k\"]", &["a.b[0]"]).await?;
    let outputs = BTreeMap::from([("o".to_owned(), known(Value::string("out")))]);
    assert_eq!(store.set_outputs(&lease, outputs.clone()).await?, Serial(4));
    assert_eq!(store.set_outputs(&lease, outputs).await?, Serial(4));
    let before = store.snapshot().await?;
    assert_eq!(before.resources.len(), 3);
    assert_eq!(before.serial, Serial(4));
    store.release(lease).await?;
    drop(store);
    let store = place.open().await?;
    assert_eq!(store.snapshot().await?, before);
    assert!(!store.is_empty().await?);
    let lease = store.acquire(me("destroy"), Wait::None).await?;
    for text in ["module.m[\"x.y\"].a.c[\"k\"]", "a.b[0]"] {
        step(&*store, &lease, begin(text, Op::Delete), Outcome::Gone).await?;
    }
    assert_eq!(store.forget(&lease, &address("a.a")).await?, Serial(7));
    assert_eq!(store.forget(&lease, &address("a.a")).await?, Serial(7));
    assert!(!store.is_empty().await?, "an output is left");
    store.set_outputs(&lease, BTreeMap::new()).await?;
    assert!(store.is_empty().await?);
    Ok(())
}

/// A long run of outcomes in a fixed disorder: after each the store is what the fold says.
async fn equals_the_fold(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let mut folded = Snapshot::empty(store.lineage());
    let names = ["a.a", "a.b", "a.c", "a.d", "a.e"];
    let mut seed = 7_usize;
    for round in 0..120 {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        let pick = seed >> 8;
        let text = names[pick % names.len()];
        // Dependencies point to earlier names alone: the fold has no loops to settle.
        let dependencies = &names[..(pick / 5) % (pick % names.len() + 1)];
        let fresh = resource(&format!("{text}-{round}"), dependencies);
        let outcome = match (pick / 64) % 6 {
            0 | 1 => Outcome::Put(fresh),
            2 => Outcome::Gone,
            3 => Outcome::Kept,
            4 => Outcome::Failed {
                message: "no".into(),
                leftover: None,
            },
            _ => Outcome::Failed {
                message: "half".into(),
                leftover: Some(Resource {
                    status: Status::Tainted,
                    ..fresh
                }),
            },
        };
        fold::fold(
            &mut folded,
            &address(text),
            Target::Current,
            outcome.clone(),
        );
        let (_, serial) = step(&*store, &lease, begin(text, Op::Update), outcome).await?;
        assert_eq!(serial, folded.serial, "round {round}");
        if round % 10 == 9 {
            let found = vec![
                (address(names[0]), Some(resource(&format!("r{round}"), &[]))),
                (address(names[pick % 4 + 1]), None),
            ];
            fold::fold_refresh(&mut folded, found.clone());
            let serial = store.record_refresh(&lease, found).await?;
            assert_eq!(serial, folded.serial, "round {round}, refresh");
            let outputs = BTreeMap::from([(format!("o{}", round % 3), known(Value::from(round)))]);
            fold::fold_outputs(&mut folded, outputs.clone());
            assert_eq!(store.set_outputs(&lease, outputs).await?, folded.serial);
        }
        let mut shown = folded.clone();
        fold::settle_edges(&mut shown, &BTreeMap::new());
        assert_eq!(store.snapshot().await?, shown, "round {round}");
    }
    Ok(())
}

async fn keeps_the_past(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let mut past = vec![store.snapshot().await?];
    for (text, outcome) in [
        ("a.a", Outcome::Put(resource("1", &[]))),
        ("a.b", Outcome::Put(resource("2", &["a.a"]))),
        ("a.a", Outcome::Put(resource("3", &[]))),
        ("a.b", Outcome::Gone),
        ("a.b", Outcome::Put(resource("4", &[]))),
    ] {
        step(&*store, &lease, begin(text, Op::Update), outcome).await?;
        past.push(store.snapshot().await?);
    }
    for snapshot in &past {
        assert_eq!(&store.snapshot_at(snapshot.serial).await?, snapshot);
    }
    assert_eq!(
        store.snapshot_at(Serial(6)).await,
        Err(StateError::NoSuchSerial {
            asked: Serial(6),
            latest: Serial(5)
        })
    );
    Ok(())
}

async fn keeps_every_value(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let huge: weir_core::Number = match "123456789012345678901234567890.000000000000000001".parse()
    {
        Ok(number) => number,
        Err(e) => panic!("{e}"),
    };
    let value = known(Value::object([
        ("null", Value::null_of(Type::String)),
        ("number", Value::number(huge)),
        ("text", Value::string("\u{0}\n\"quoted\" €")),
        ("list", Value::list(Type::Bool, vec![Value::bool(true)])),
        (
            "set",
            Value::set(Type::String, [Value::string("b"), Value::string("a")]),
        ),
        (
            "tuple",
            Value::tuple(vec![Value::from(1), Value::string("x")]),
        ),
        (
            "map",
            Value::map(Type::Number, BTreeMap::from([("k".into(), Value::from(2))])),
        ),
        ("secret", Value::string("s").mark(Marks::SENSITIVE)),
    ]));
    let put = Resource {
        value,
        private: (0..=255).collect(),
        status: Status::Tainted,
        ..resource("a.a", &[])
    };
    let planned = begin("a.a", Op::Create);
    let ids = store.begin(&lease, vec![planned.clone()]).await?;
    let open = store.open_entries().await?;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, open[0].epoch), (ids[0], lease.epoch()));
    assert_eq!(open[0].begin, planned);
    store
        .commit(&lease, ids[0], Outcome::Put(put.clone()))
        .await?;
    assert_eq!(store.snapshot().await?.resources[&address("a.a")], put);

    let fleeting = known(Value::object([(
        "password",
        Value::string("hunter2").mark(Marks::EPHEMERAL),
    )]));
    let put = Resource {
        value: fleeting,
        ..put
    };
    step(&*store, &lease, begin("a.a", Op::Update), Outcome::Put(put)).await?;
    let stored = &store.snapshot().await?.resources[&address("a.a")];
    assert!(
        stored
            .value
            .value()
            .get("password")
            .is_some_and(Value::is_null),
        "an ephemeral value is never stored"
    );
    Ok(())
}

async fn begins_all_or_none(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let mut keyless = begin("a.b", Op::Create);
    keyless.address = Address {
        object: weir_core::Object::Host { site: "s".into() },
        ..keyless.address
    };
    let result = store
        .begin(&lease, vec![begin("a.a", Op::Create), keyless])
        .await;
    assert!(matches!(result, Err(StateError::Invalid(_))), "{result:?}");
    assert!(store.open_entries().await?.is_empty());
    let ids = store
        .begin(
            &lease,
            vec![begin("a.a", Op::Create), begin("a.b", Op::Create)],
        )
        .await?;
    assert!(ids[0] < ids[1]);
    assert_eq!(store.open_entries().await?.len(), 2);
    assert!(
        !store.is_empty().await?,
        "what is open may have made something"
    );
    assert_eq!(
        store.snapshot().await?.serial,
        Serial(0),
        "nothing is known yet"
    );
    Ok(())
}

async fn closes_an_entry_once(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let put = Outcome::Put(resource("a.a", &[]));
    let (id, _) = step(&*store, &lease, begin("a.a", Op::Create), put).await?;
    for id in [id, EntryId(999)] {
        assert_eq!(
            store.commit(&lease, id, Outcome::Gone).await,
            Err(StateError::NoSuchEntry(id))
        );
    }
    let failed = Outcome::Failed {
        message: "no quota".into(),
        leftover: None,
    };
    let (second, serial) = step(&*store, &lease, begin("a.b", Op::Create), failed).await?;
    assert_eq!(serial, Serial(1), "nothing changed, so the serial stands");
    let closed = store.closed_entries(lease.epoch()).await?;
    assert_eq!(
        closed
            .iter()
            .map(|e| (e.id, e.verdict.clone()))
            .collect::<Vec<_>>(),
        [
            (id, Verdict::Put),
            (second, Verdict::Failed("no quota".into()))
        ]
    );
    assert_eq!(closed[0].address, address("a.a"));
    assert_eq!(closed[0].token, "token-of-a.a");
    Ok(())
}

async fn settles_what_a_crash_left(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let first = lease.epoch();
    let ids = store
        .begin(
            &lease,
            vec![begin("a.a", Op::Create), begin("a.b", Op::Create)],
        )
        .await?;
    store.release(lease).await?;
    drop(store);
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let open = store.open_entries().await?;
    assert_eq!(open.iter().map(|e| e.id).collect::<Vec<_>>(), ids);
    assert!(open.iter().all(|e| e.epoch == first && e.begin.step == 7));
    assert_eq!(
        store.begin(&lease, vec![begin("a.b", Op::Create)]).await,
        Err(StateError::Unsettled {
            address: address("a.b"),
            entry: ids[1]
        }),
        "nothing is made twice"
    );
    assert_eq!(
        store.commit(&lease, ids[0], Outcome::Gone).await,
        Err(StateError::NoSuchEntry(ids[0])),
        "a commit is for an entry of its own lease"
    );
    let put = Outcome::Put(resource("a.a", &[]));
    assert_eq!(store.settle(&lease, ids[0], put).await?, Serial(1));
    store.settle(&lease, ids[1], Outcome::Gone).await?;
    assert!(store.open_entries().await?.is_empty());
    let closed = store.closed_entries(first).await?;
    assert!(closed.iter().all(|e| e.closed_by == lease.epoch()));
    create(&*store, &lease, "a.b", &[]).await
}

/// A replacement that creates first: the old object is never forgotten.
async fn keeps_a_deposed_object(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    let old = Begin {
        target: Target::Deposed,
        ..begin("a.a", Op::Delete)
    };
    let ids = store
        .begin(&lease, vec![begin("a.a", Op::Create), old.clone()])
        .await?;
    store
        .commit(&lease, ids[0], Outcome::Put(resource("new", &[])))
        .await?;
    let failed = Outcome::Failed {
        message: "in use".into(),
        leftover: None,
    };
    store.commit(&lease, ids[1], failed).await?;
    let put = Outcome::Put(resource("old", &[]));
    let refused = store.commit(&lease, ids[1], put).await;
    assert!(
        matches!(refused, Err(StateError::Invalid(_))),
        "{refused:?}"
    );
    store.release(lease).await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let open = store.open_entries().await?;
    assert_eq!(
        open.len(),
        1,
        "it could not be deleted, so it is still known"
    );
    assert_eq!(open[0].message.as_deref(), Some("in use"));
    assert_eq!(open[0].begin, old);
    let update = Outcome::Put(resource("newer", &[]));
    step(&*store, &lease, begin("a.a", Op::Update), update).await?;
    store.settle(&lease, ids[1], Outcome::Gone).await?;
    assert!(store.open_entries().await?.is_empty());
    let snapshot = store.snapshot().await?;
    assert_eq!(
        snapshot.resources[&address("a.a")],
        resource("newer", &[]),
        "deleting the old object leaves the new one"
    );
    Ok(())
}

/// Delete and create of a replacement, with a dependent that stays: a crash in between leaves a
/// state that can be read, and the dependency is back afterwards.
async fn survives_a_cut_replacement(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.base", &[]).await?;
    create(&*store, &lease, "a.user", &["a.base"]).await?;
    step(&*store, &lease, begin("a.base", Op::Delete), Outcome::Gone).await?;
    let snapshot = store.snapshot().await?;
    assert!(
        snapshot.resources[&address("a.user")]
            .dependencies
            .is_empty()
    );
    create(&*store, &lease, "a.base", &[]).await?;
    let snapshot = store.snapshot().await?;
    assert_eq!(
        snapshot.resources[&address("a.user")].dependencies,
        BTreeSet::from([address("a.base")])
    );
    Ok(())
}

/// The configuration turned a dependency round, and only one side was recorded since.
async fn breaks_a_stale_loop(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    create(&*store, &lease, "a.b", &["a.a"]).await?;
    create(&*store, &lease, "a.c", &["a.b"]).await?;
    let turned = vec![(address("a.a"), Some(resource("a.a", &["a.c"])))];
    store.record_refresh(&lease, turned).await?;
    let snapshot = store.snapshot().await?;
    let of = |text: &str| snapshot.resources[&address(text)].dependencies.clone();
    assert_eq!(
        of("a.a"),
        BTreeSet::from([address("a.c")]),
        "the latest word stands"
    );
    assert_eq!(of("a.b"), BTreeSet::new(), "the oldest one yields");
    assert_eq!(of("a.c"), BTreeSet::from([address("a.b")]));
    Ok(())
}

async fn excludes_others(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let lease = one.acquire(me("apply"), Wait::None).await?;
    match two.acquire(me("plan"), Wait::None).await {
        Err(StateError::Locked(record)) => {
            assert_eq!(record.holder, me("apply"));
            assert_eq!(record.epoch, lease.epoch());
        }
        other => panic!("a lease was given twice: {other:?}"),
    }
    let limit = Wait::UpTo(Duration::from_millis(300));
    let waited = two.acquire(me("plan"), limit).await;
    assert!(matches!(waited, Err(StateError::Locked(_))), "{waited:?}");
    let first = lease.epoch();
    let (second, released) = tokio::join!(two.acquire(me("plan"), Wait::UpTo(PATIENCE)), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        one.release(lease).await
    });
    released?;
    let second = second?;
    assert!(second.epoch() > first, "an epoch is never used twice");
    let log = one.leases().await?;
    assert_eq!(log.len(), 2);
    assert!(matches!(log[0].ended, Some((_, Ending::Released))));
    assert!(log[1].ended.is_none());
    Ok(())
}

async fn fences_a_lost_lease(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let old = one.acquire(me("apply"), Wait::None).await?;
    let id = one.begin(&old, vec![begin("a.a", Op::Create)]).await?[0];
    let unlocked = two.unlock(me("unlock")).await?;
    assert_eq!(unlocked.map(|r| r.epoch), Some(old.epoch()));
    assert_eq!(two.unlock(me("unlock")).await?, None);
    let nobody = StateError::LeaseLost { by: None };
    let put = Outcome::Put(resource("a.a", &[]));
    assert_eq!(one.commit(&old, id, put.clone()).await, Err(nobody));
    let new = two.acquire(me("apply 2"), Wait::None).await?;
    let lost = StateError::LeaseLost {
        by: Some(Box::new(me("apply 2"))),
    };
    let record = ApplyRecord {
        who: "ann".into(),
        started: SystemTime::now(),
        plan_digest: String::new(),
        config_digest: String::new(),
        outcome: ApplyOutcome::Interrupted,
    };
    assert_eq!(one.commit(&old, id, put.clone()).await, Err(lost.clone()));
    assert_eq!(one.settle(&old, id, put.clone()).await, Err(lost.clone()));
    assert_eq!(
        one.begin(&old, vec![begin("a.b", Op::Create)]).await,
        Err(lost.clone())
    );
    assert_eq!(
        one.set_outputs(&old, BTreeMap::new()).await,
        Err(lost.clone())
    );
    assert_eq!(one.forget(&old, &address("a.a")).await, Err(lost.clone()));
    assert_eq!(one.record_refresh(&old, vec![]).await, Err(lost.clone()));
    assert_eq!(one.finish_apply(&old, record).await, Err(lost.clone()));
    // The store notices by itself, so that an engine can stop early.
    let noticed = tokio::time::timeout(PATIENCE, old.lost()).await;
    assert!(
        matches!(noticed, Ok(StateError::LeaseLost { .. })),
        "{noticed:?}"
    );
    assert!(matches!(old.status(), LeaseStatus::Lost { .. }));
    assert_eq!(one.release(old).await, Err(lost));
    assert_eq!(two.snapshot().await?.serial, Serial(0));
    two.settle(&new, id, put).await?;
    Ok(())
}

async fn renews_a_lease(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let lease = one.acquire(me("apply"), Wait::None).await?;
    let LeaseStatus::Held { expires } = lease.status() else {
        panic!("a new lease is held");
    };
    let waited = two.acquire(me("plan"), Wait::UpTo(EXPIRY * 2)).await;
    assert!(matches!(waited, Err(StateError::Locked(_))), "{waited:?}");
    match lease.status() {
        LeaseStatus::Held { expires: later } => assert!(later > expires, "it was renewed"),
        lost => panic!("{lost:?}"),
    }
    create(&*one, &lease, "a.a", &[]).await
}

async fn gives_back_a_dropped_lease(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    drop(store.acquire(me("apply"), Wait::None).await?);
    let lease = store.acquire(me("apply"), Wait::None).await?;
    assert_eq!(lease.epoch(), 2);
    Ok(())
}

/// A holder that can not be seen from here is taken over when its lease expires.
async fn takes_over_a_dead_holder(place: &dyn Place) -> Verified {
    let elsewhere = Holder {
        host: "elsewhere".into(),
        ..me("apply")
    };
    let store = place.open().await?;
    let lease = store.acquire(elsewhere.clone(), Wait::None).await?;
    // A store that is closed renews no more: its holder is dead to all others.
    drop(store);
    assert!(matches!(lease.status(), LeaseStatus::Lost { .. }));
    let store = place.open().await?;
    let early = store.acquire(me("early"), Wait::None).await;
    assert!(matches!(early, Err(StateError::Locked(_))), "{early:?}");
    let late = store.acquire(me("late"), Wait::UpTo(PATIENCE)).await?;
    assert!(late.epoch() > lease.epoch());
    let log = store.leases().await?;
    assert_eq!(log[0].holder, elsewhere);
    assert!(
        matches!(&log[0].ended, Some((_, Ending::Expired { by })) if *by == me("late")),
        "{log:?}"
    );
    Ok(())
}

async fn keeps_history(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    let mut records = Vec::new();
    for outcome in [
        ApplyOutcome::Failed {
            errors: vec!["a.b: no quota".into()],
        },
        ApplyOutcome::Interrupted,
        ApplyOutcome::Succeeded,
    ] {
        let record = ApplyRecord {
            who: "ann".into(),
            started: std::time::UNIX_EPOCH + Duration::from_millis(1_234_567_890_123),
            plan_digest: "p".into(),
            config_digest: "c".into(),
            outcome,
        };
        store.finish_apply(&lease, record.clone()).await?;
        records.push(record);
    }
    let history = store.history().await?;
    assert!(
        history
            .iter()
            .all(|h| h.serial == Serial(1) && h.epoch == lease.epoch())
    );
    assert_eq!(
        history.into_iter().map(|h| h.record).collect::<Vec<_>>(),
        records
    );
    Ok(())
}

async fn takes_parallel_writes(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = Arc::new(store.acquire(me("apply"), Wait::None).await?);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..64 {
        let (store, lease) = (Arc::clone(&store), Arc::clone(&lease));
        tasks.spawn(async move { create(&*store, &lease, &format!("a.a[{i}]"), &[]).await });
    }
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(result) => result?,
            Err(e) => panic!("{e}"),
        }
    }
    let snapshot = store.snapshot().await?;
    assert_eq!(
        (snapshot.resources.len(), snapshot.serial),
        (64, Serial(64))
    );
    Ok(())
}
