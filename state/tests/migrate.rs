//! A state on its way from one store to another, and back.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Spot;
use std::collections::BTreeMap;
use weir_core::{
    Known, Value,
    plan::Op,
    snapshot::{Serial, Snapshot},
};
use weir_state::{
    Applied, ApplyOutcome, ApplyRecord, ClosedEntry, Encryption, Ending, Entry, Options, Outcome,
    StateError, Store, Target, Wait,
    conformance::{begin, me, resource, step},
    encryption::KeySource,
};

/// What a store has to show, without its leases.
#[derive(Debug, PartialEq)]
struct Shown {
    lineage: String,
    past: Vec<Snapshot>,
    open: Vec<Entry>,
    closed: Vec<ClosedEntry>,
    history: Vec<Applied>,
}

async fn show(store: &dyn Store) -> Shown {
    let latest = store.snapshot().await.unwrap().serial;
    let mut past = Vec::new();
    for serial in 0..=latest.0 {
        past.push(store.snapshot_at(Serial(serial)).await.unwrap());
    }
    Shown {
        lineage: store.lineage().to_string(),
        past,
        open: store.open_entries().await.unwrap(),
        closed: store.closed_entries(1).await.unwrap(),
        history: store.history().await.unwrap(),
    }
}

/// Resources with a past, outputs, an apply, an open entry and an object put aside.
async fn fill(store: &dyn Store) {
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    for text in ["a.a", "a.b[0]", "a.a"] {
        let put = Outcome::Put(resource(&format!("{text}'"), &[]));
        step(store, &lease, begin(text, Op::Update), put)
            .await
            .unwrap();
    }
    step(store, &lease, begin("a.b[0]", Op::Delete), Outcome::Gone)
        .await
        .unwrap();
    let n = Known::new(Value::from(7)).unwrap();
    store
        .set_outputs(&lease, BTreeMap::from([("n".to_owned(), n)]))
        .await
        .unwrap();
    let old = weir_state::Begin {
        target: Target::Deposed,
        ..begin("a.a", Op::Delete)
    };
    let ids = store
        .begin(&lease, vec![begin("a.open", Op::Create), old])
        .await
        .unwrap();
    let failed = Outcome::Failed {
        message: "in use \u{0}".into(),
        leftover: None,
    };
    store.commit(&lease, ids[1], failed).await.unwrap();
    let record = ApplyRecord {
        who: "ann".into(),
        started: std::time::UNIX_EPOCH,
        plan_digest: "p".into(),
        config_digest: "c".into(),
        outcome: ApplyOutcome::Succeeded,
        checks: None,
        bundle: None,
    };
    store.finish_apply(&lease, record).await.unwrap();
    store.release(lease).await.unwrap();
}

/// One move, cut before its last step and done again.
async fn migrate(from: &dyn Store, to: &dyn Store, name: &str) {
    let before = show(from).await;
    let lease = from.acquire(me("migrate"), Wait::None).await.unwrap();
    to.import(from.export(&lease).await.unwrap()).await.unwrap();
    // Killed here: the next one does it all again.
    from.release(lease).await.unwrap();
    let lease = from.acquire(me("migrate"), Wait::None).await.unwrap();
    to.import(from.export(&lease).await.unwrap()).await.unwrap();
    from.move_away(lease, name.to_owned()).await.unwrap();
    assert_eq!(show(to).await, before);
    assert_eq!(show(from).await, before, "what was there is still there");
    let refused = from.acquire(me("apply"), Wait::None).await.map(drop);
    assert_eq!(refused, Err(StateError::Moved { to: name.into() }));
    let log = from.leases().await.unwrap();
    assert!(matches!(
        &log.last().unwrap().ended,
        Some((_, Ending::Moved { .. }))
    ));
}

fn sealed(keys: &tempfile::TempDir) -> Options {
    let key = keys.path().join("key");
    KeySource::create_file(&key).unwrap();
    Options {
        encryption: Encryption::new(KeySource::File(key)),
        ..Options::default()
    }
}

async fn there_and_back(one: &Spot, two: &Spot) {
    let keys = tempfile::tempdir().unwrap();
    let from = one.open();
    let to = common::open(&two.name(), sealed(&keys)).unwrap();
    fill(&*from).await;
    migrate(&*from, &*to, "two").await;
    drop((from, to));
    let (from, to) = (
        one.open(),
        common::open(&two.name(), sealed(&keys)).unwrap(),
    );
    // It goes on there.
    let lease = to.acquire(me("apply"), Wait::None).await.unwrap();
    let epochs: Vec<u64> = to.leases().await.unwrap().iter().map(|l| l.epoch).collect();
    assert_eq!(epochs, [1, 2, 3, 4], "no epoch is used twice");
    let open = to.open_entries().await.unwrap();
    let put = Outcome::Put(resource("a.open", &[]));
    to.settle(&lease, open[0].id, put).await.unwrap();
    to.release(lease).await.unwrap();
    // And comes back to where it was, over what was left there.
    migrate(&*to, &*from, "one").await;
    let lease = from.acquire(me("apply"), Wait::None).await.unwrap();
    from.release(lease).await.unwrap();
    // What has moved on is not overwritten by what stayed behind.
    let third = Spot::file();
    let other = third.open();
    fill(&*other).await;
    let lease = other.acquire(me("migrate"), Wait::None).await.unwrap();
    let archive = other.export(&lease).await.unwrap();
    for store in [&from, &to] {
        let refused = store.import(archive.clone()).await;
        assert!(
            matches!(refused, Err(StateError::Invalid(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_sqlite() {
    there_and_back(&Spot::file(), &Spot::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_postgres() {
    if let Some(two) = Spot::postgres() {
        there_and_back(&Spot::file(), &two).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_sqlite() {
    if let Some(one) = Spot::postgres() {
        there_and_back(&one, &Spot::file()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_s3() {
    if let Some(two) = Spot::s3() {
        there_and_back(&Spot::file(), &two).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_s3_to_postgres() {
    if let (Some(one), Some(two)) = (Spot::s3(), Spot::postgres()) {
        there_and_back(&one, &two).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_the_web() {
    there_and_back(&Spot::file(), &Spot::web()).await;
}

/// A copy that was used is not overwritten by a second move.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_since_is_not_overwritten() {
    let (one, two) = (Spot::file(), Spot::file());
    let (from, to) = (one.open(), two.open());
    fill(&*from).await;
    let lease = from.acquire(me("migrate"), Wait::None).await.unwrap();
    to.import(from.export(&lease).await.unwrap()).await.unwrap();
    let used = to.acquire(me("apply"), Wait::None).await.unwrap();
    let held = to.import(from.export(&lease).await.unwrap()).await;
    assert!(matches!(held, Err(StateError::Locked { .. })), "{held:?}");
    to.release(used).await.unwrap();
    from.release(lease).await.unwrap();
    let lease = from.acquire(me("migrate"), Wait::None).await.unwrap();
    let refused = to.import(from.export(&lease).await.unwrap()).await;
    assert!(
        matches!(refused, Err(StateError::Invalid(_))),
        "{refused:?}"
    );
}
