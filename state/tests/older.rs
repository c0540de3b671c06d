//! States that an older weir made are brought up to date.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::Spot;
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use weir_core::plan::Op;
use weir_state::{
    Items, Options, Outcome, Part, Scope, StateError, Wait,
    conformance::{Server, address, begin, me, resource, step},
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
fn take_back_file(file: &Path) {
    let conn = Connection::open(file).unwrap();
    let sql = "DROP TABLE scope; PRAGMA user_version = 2";
    conn.execute_batch(sql).unwrap();
}

/// As [`take_back_file`].
fn take_back_tables(server: &Server) {
    let sql = "DROP TABLE weir.weir_scope; UPDATE weir.weir_schema SET version = 1";
    server.sql("postgres", sql).unwrap();
}

/// What is there stays, a lease of before is on everything, and parts can be leased afterwards.
async fn gets_leases_on_parts(spot: &Spot, take_back: impl Fn()) {
    let store = spot.open();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let put = Outcome::Put(resource("a.a", &[]));
    step(&*store, &lease, begin("a.a", Op::Create), put)
        .await
        .unwrap();
    // It goes away without an end to its lease, which its process here could still renew.
    let before = store.snapshot().await.unwrap();
    std::mem::forget(lease);
    drop(store);
    take_back();

    let store = spot.open();
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
        step(&*store, lease, begin(place, Op::Update), put)
            .await
            .unwrap();
    }
    assert_eq!(store.snapshot().await.unwrap().resources.len(), 2);
}

#[tokio::test]
async fn a_file_without_leases_on_parts_gets_them() {
    let spot = Spot::file();
    let file = spot.name();
    gets_leases_on_parts(&spot, || take_back_file(Path::new(&file))).await;
}

// A server of their own for each of these: all states of a schema have its version.

#[tokio::test(flavor = "multi_thread")]
async fn tables_without_leases_on_parts_get_them() {
    let Some(server) = common::server() else {
        return;
    };
    let spot = Spot::of(server.clone()).unwrap();
    gets_leases_on_parts(&spot, || take_back_tables(&server)).await;
    let version = server.sql("postgres", "SELECT version FROM weir.weir_schema");
    assert_eq!(version.unwrap().trim(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_open_older_tables_at_once_bring_them_up_to_date_once() {
    let Some(server) = common::server() else {
        return;
    };
    let spot = Spot::of(server.clone()).unwrap();
    let before = spot.open().snapshot().await.unwrap();
    take_back_tables(&server);
    let start = Arc::new(std::sync::Barrier::new(6));
    let open = |_| {
        let (start, name) = (start.clone(), spot.name());
        std::thread::spawn(move || {
            start.wait();
            common::open(&name, Options::default()).map(drop)
        })
    };
    let all: Vec<_> = (0..6).map(open).collect();
    for one in all {
        one.join().unwrap().unwrap();
    }
    assert_eq!(spot.open().snapshot().await.unwrap(), before);
}

/// Who may not change the tables is told so, and they stay as they are.
#[tokio::test(flavor = "multi_thread")]
async fn older_tables_of_somebody_else_are_left_alone() {
    let Some(server) = common::server() else {
        return;
    };
    let spot = Spot::of(server.clone()).unwrap();
    drop(spot.open());
    take_back_tables(&server);
    let sql = "CREATE ROLE ann LOGIN; GRANT USAGE ON SCHEMA weir TO ann;
               GRANT ALL ON ALL TABLES IN SCHEMA weir TO ann";
    server.sql("postgres", sql).unwrap();
    let name = spot.name().replace("user=weir", "user=ann");
    let error = common::open(&name, Options::default()).map(drop);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("permission denied"), "{error}");
    assert!(error.contains("by who owns the tables"), "{error}");
    let version = server.sql("postgres", "SELECT version FROM weir.weir_schema");
    assert_eq!(version.unwrap().trim(), "1");
    spot.open();
}
