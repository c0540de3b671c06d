//! States that an older weir made are brought up to date.

use rusqlite::Connection;
use std::path::Path;
use weir_core::plan::Op;
use weir_state::{
    Items, Outcome, Part, Scope, SqliteStore, StateError, Store, Wait,
    conformance::{address, begin, me, resource, step},
};

fn part(owned: &str) -> Scope {
    let owned = Items {
        instances: [address(owned)].into(),
        ..Items::default()
    };
    Scope::Part(Part {
        owned,
        ..Part::default()
    })
}

/// As a weir without leases on parts left it.
fn take_back(file: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open(file)?;
    conn.execute_batch("DROP TABLE scope; PRAGMA user_version = 2")
}

#[tokio::test]
async fn a_state_without_leases_on_parts_gets_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.db");
    let store = SqliteStore::open(&file).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let put = Outcome::Put(resource("a.a", &[]));
    step(&store, &lease, begin("a.a", Op::Create), put)
        .await
        .unwrap();
    // It goes away without an end to its lease, which its process here could still renew.
    let before = store.snapshot().await.unwrap();
    std::mem::forget(lease);
    drop(store);
    take_back(&file).unwrap();

    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(store.snapshot().await.unwrap(), before);
    let beside = store.acquire_scope(me("apply"), part("a.b"), Wait::None);
    match beside.await {
        Err(StateError::Locked { by, over: None }) => assert_eq!(by.scope, Some(Scope::Whole)),
        other => panic!("a lease of before is on everything: {other:?}"),
    }
    store.unlock(1, me("unlock")).await.unwrap();
    let one = store.acquire_scope(me("apply"), part("a.a"), Wait::None);
    let one = one.await.unwrap();
    let two = store.acquire_scope(me("apply"), part("a.b"), Wait::None);
    let two = two.await.unwrap();
    for (lease, place) in [(&one, "a.a"), (&two, "a.b")] {
        let put = Outcome::Put(resource("new", &[]));
        step(&store, lease, begin(place, Op::Update), put)
            .await
            .unwrap();
    }
    assert_eq!(store.snapshot().await.unwrap().resources.len(), 2);
}
