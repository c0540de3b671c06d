//! What recording costs: transactions and pages, never time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "helpers of tests"
)]

use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use weir_core::{plan::Op, snapshot::Serial};
use weir_state::{
    EntryId, Lease, Outcome, SqliteStore, StateError, Store, Wait,
    conformance::{address, begin, me, resource, step},
};

/// Steps that come while a transaction is under way share the next one; one that is refused
/// spoils none of the others.
#[tokio::test]
async fn parallel_writes_share_a_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    let store = Arc::new(SqliteStore::open(&file).unwrap());
    let lease = Arc::new(store.acquire(me("apply"), Wait::None).await.unwrap());
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = store.stats();
    let tasks: Vec<_> = (0..64)
        .map(|i| {
            let (store, lease) = (Arc::clone(&store), Arc::clone(&lease));
            tokio::spawn(async move {
                if i % 8 == 3 {
                    let refused = store.commit(&lease, EntryId(999), Outcome::Gone).await;
                    assert_eq!(refused, Err(StateError::NoSuchEntry(EntryId(999))));
                } else {
                    let create = begin(&format!("a.a[{i}]"), Op::Create);
                    store.begin(&lease, vec![create]).await.unwrap();
                }
            })
        })
        .collect();
    // One thread: after this each task has asked and waits for its answer. The scheduler comes
    // back here after at most 61 tasks.
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    other.execute_batch("COMMIT").unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let after = store.stats();
    assert_eq!(after.writes - before.writes, 56);
    let transactions = after.transactions - before.transactions;
    assert!(
        transactions <= 2,
        "{transactions} transactions for 56 writes"
    );
    assert_eq!(store.open_entries().await.unwrap().len(), 56);
}

/// The pages that a run of commits writes are as many in a state of 50,000 as in one of 100.
#[tokio::test]
async fn a_commit_costs_the_same_in_a_large_state() {
    let folder = tempfile::tempdir().unwrap();
    let small = pages_per_commit(&folder.path().join("small.state"), 100).await;
    let large = pages_per_commit(&folder.path().join("large.state"), 50_000).await;
    println!("pages per commit: {small:.1} of 100 resources, {large:.1} of 50,000");
    // The tree is two levels deeper: that many more pages at most, for the row and its past.
    assert!(large <= small + 4.0, "{small} pages, then {large}");
}

const COMMITS: u32 = 50;

async fn pages_per_commit(file: &Path, resources: usize) -> f64 {
    let store = SqliteStore::open(file).unwrap();
    let lease = store.acquire(me("fill"), Wait::None).await.unwrap();
    let all = (0..resources)
        .map(|i| (address(&name(i)), Some(resource(&name(i), &[]))))
        .collect();
    let serial = store.record_refresh(&lease, all).await.unwrap();
    assert_eq!(serial, Serial(1));
    store.release(lease).await.unwrap();
    // Closing moves everything into the file: the log starts anew.
    drop(store);
    let store = SqliteStore::open(file).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let before = frames(file);
    commits(&store, &lease, resources).await;
    let pages = f64::from(u32::try_from(frames(file) - before).unwrap()) / f64::from(COMMITS);
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.resources.len(), resources);
    pages
}

async fn commits(store: &SqliteStore, lease: &Lease, resources: usize) {
    for i in 0..COMMITS as usize {
        let name = name(i * 7919 % resources);
        let put = Outcome::Put(resource(&format!("{name} again"), &[]));
        step(store, lease, begin(&name, Op::Update), put)
            .await
            .unwrap();
    }
}

fn name(i: usize) -> String {
    format!("fake_thing.many[{i}]")
}

/// How many pages the log holds: 32 bytes of header, then 24 bytes before each page of 4096.
fn frames(file: &Path) -> u64 {
    let log = format!("{}-wal", file.display());
    std::fs::metadata(log).unwrap().len().saturating_sub(32) / (4096 + 24)
}
