//! States that an older weir made are brought up to date.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::Spot;
use rusqlite::Connection;
use std::{path::Path, sync::Arc, time::Duration};
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
    let sql = "DROP TABLE scope; DROP INDEX past_until; DROP TRIGGER head_of_older;
               PRAGMA user_version = 2";
    conn.execute_batch(sql).unwrap();
}

/// As [`take_back_file`].
fn take_back_tables(server: &Server) {
    let sql = "DROP TABLE weir.weir_scope; DROP INDEX weir.weir_past_state_until_idx;
               UPDATE weir.weir_schema SET version = 1";
    server.sql("postgres", sql).unwrap();
}

/// What is there stays. As long as an older weir holds the lease nothing is changed under its hands;
/// parts can be leased afterwards.
async fn gets_leases_on_parts(spot: &Spot, take_back: impl Fn()) {
    let store = common::open(&spot.name(), common::with_expiry(Duration::from_secs(3))).unwrap();
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

    let at_work = common::open(&spot.name(), Options::default()).map(drop);
    let told = at_work.unwrap_err().to_string();
    assert!(told.contains("it is of an older weir, and ann@"), "{told}");
    assert!(told.contains("Wait for that to end"), "{told}");
    // Nothing was changed: the older one ends in peace, or dies.
    let store = loop {
        match common::open(&spot.name(), Options::default()) {
            Ok(store) => break store,
            Err(StateError::Refused { .. }) => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(store.snapshot().await.unwrap(), before);
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
    assert_eq!(version.unwrap().trim(), "3");
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

/// An older weir that had the file open: it can't take a lease that it does not know to be taken.
#[tokio::test]
async fn an_older_weir_that_has_the_file_open_can_write_no_more() {
    let spot = Spot::file();
    let file = spot.name();
    drop(spot.open());
    take_back_file(Path::new(&file));
    let older = Connection::open(&file).unwrap();
    let mut head = older.prepare("SELECT * FROM head").unwrap();
    let mut write = older
        .prepare("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?)")
        .unwrap();
    let row = |head: &mut rusqlite::Statement<'_>| -> Vec<rusqlite::types::Value> {
        let columns = |row: &rusqlite::Row<'_>| (1..8).map(|i| row.get(i)).collect();
        head.query_row([], columns).unwrap()
    };
    let before = row(&mut head);
    write
        .execute(rusqlite::params_from_iter(before.clone()))
        .unwrap();

    let newer = spot.open();
    let lease = newer.acquire_scope(me("apply"), part("a.a"), Wait::None);
    let lease = lease.await.unwrap();
    older.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = write.execute(rusqlite::params_from_iter(before));
    let told = refused.unwrap_err().to_string();
    assert!(
        told.contains("a newer weir has brought this state up to date"),
        "{told}"
    );
    assert!(
        told.contains("run the command again with the newer one"),
        "{told}"
    );
    older.execute_batch("ROLLBACK").unwrap();
    let put = Outcome::Put(resource("a.a", &[]));
    step(&*newer, &lease, begin("a.a", Op::Create), put)
        .await
        .unwrap();
    drop(lease);
    drop(newer);
    assert_eq!(spot.open().snapshot().await.unwrap().resources.len(), 1);
}

/// So it is of this weir, once there are newer ones.
#[tokio::test]
async fn tables_that_a_newer_weir_changed_meanwhile_are_noticed() {
    let spot = Spot::file();
    let store = spot.open();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let newer = Connection::open(spot.name()).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    let write = store.begin(&lease, vec![begin("a.a", Op::Create)]).await;
    assert!(
        matches!(write, Err(StateError::Newer { found: 99, .. })),
        "{write:?}"
    );
    let read = store.snapshot().await;
    assert!(
        matches!(read, Err(StateError::Newer { found: 99, .. })),
        "{read:?}"
    );
}
