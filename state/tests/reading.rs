//! A state of many rows, which several threads read, is what a state of few is.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Spot;
use rusqlite::Connection;
use std::collections::BTreeMap;
use weir_core::{
    Address,
    snapshot::{Resource, Serial, Snapshot},
};
use weir_state::{
    Bundle, Encryption, Options, SqliteStore, StateError, Store, Wait,
    conformance::{address, me, resource},
    encryption::KeySource,
};

/// More than a thread takes at once, many times over, and a rest.
const MANY: usize = 5 * 256 + 17;

/// Each depends on the one before it, so that every portion needs another.
fn chain() -> BTreeMap<Address, Resource> {
    let name = |i: usize| format!("a.r[{i}]");
    let each = (0..MANY).map(|i| {
        let before: Vec<String> = i.checked_sub(1).map(name).into_iter().collect();
        let before: Vec<&str> = before.iter().map(String::as_str).collect();
        (address(&name(i)), resource(&format!("id {i}"), &before))
    });
    each.collect()
}

async fn fill(store: &dyn Store) -> Snapshot {
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let found = chain().into_iter().map(|(a, r)| (a, Some(r))).collect();
    store.record_refresh(&lease, found).await.unwrap();
    store.release(lease).await.unwrap();
    store.snapshot().await.unwrap()
}

#[tokio::test]
async fn every_row_is_read_in_its_place() {
    let spots = [Some(Spot::file()), Spot::postgres()];
    for spot in spots.into_iter().flatten() {
        let left = fill(&*spot.open()).await;
        assert_eq!(left.resources, chain());
        let store = spot.open();
        assert_eq!(store.snapshot().await.unwrap(), left);
        // What opening read is given away once: the second is read from the rows.
        assert_eq!(store.snapshot().await.unwrap(), left);
    }
}

/// What a store read when it was opened is not given to who asks after another changed it.
#[tokio::test]
async fn what_another_wrote_since_is_seen() {
    let spot = Spot::file();
    fill(&*spot.open()).await;
    let (early, other) = (spot.open(), spot.open());
    let lease = other.acquire(me("apply"), Wait::None).await.unwrap();
    let changed = resource("changed", &[]);
    let found = vec![(address("a.r[700]"), Some(changed.clone()))];
    other.record_refresh(&lease, found).await.unwrap();
    let seen = early.snapshot().await.unwrap();
    assert_eq!(seen.serial, Serial(2));
    assert_eq!(seen.resources[&address("a.r[700]")], changed);
    other.release(lease).await.unwrap();
    // Nor is what this one wrote itself left out.
    let own = spot.open();
    let lease = own.acquire(me("apply"), Wait::None).await.unwrap();
    own.forget(&lease, &address("a.r[1296]")).await.unwrap();
    assert_eq!(own.snapshot().await.unwrap().resources.len(), MANY - 1);
}

/// Wherever among the rows one is damaged, and however many are, it is told.
#[tokio::test]
async fn a_damaged_row_is_told_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    KeySource::create_file(&key).unwrap();
    for encryption in [Encryption::default(), Encryption::new(KeySource::File(key))] {
        let file = folder.path().join(match encryption.primary {
            None => "plain",
            Some(_) => "sealed",
        });
        let options = Options {
            encryption,
            ..Options::default()
        };
        let open = || SqliteStore::open_with(&file, options.clone());
        fill(&open().unwrap()).await;
        for rows in [vec![0], vec![700], vec![1296], vec![3, 301, 900]] {
            let conn = Connection::open(&file).unwrap();
            let damage = "UPDATE item SET body = body || ' ' WHERE key = ?";
            let mend = "UPDATE item SET body = substr(body, 1, length(body) - 1) WHERE key = ?";
            for row in &rows {
                conn.execute(damage, [format!("a.r[{row}]")]).unwrap();
            }
            let Err(StateError::Damaged { cause, .. }) = open().map(drop) else {
                panic!("a damaged row was not told: {rows:?}");
            };
            assert!(cause.contains("fails its checksum"), "{cause}");
            let more = cause.contains("and 2 more rows do");
            assert_eq!(more, rows.len() == 3, "{cause}");
            for row in &rows {
                conn.execute(mend, [format!("a.r[{row}]")]).unwrap();
            }
            open().unwrap();
        }
        let conn = Connection::open(&file).unwrap();
        conn.execute("DELETE FROM item WHERE key = 'a.r[555]'", [])
            .unwrap();
        let Err(StateError::Damaged { cause, .. }) = open().map(drop) else {
            panic!("a missing row was not told");
        };
        assert!(cause.contains("rows are missing"), "{cause}");
    }
}

/// A kept configuration is no part of the state: a damaged one keeps nobody from it, and is told
/// to who asks for it.
#[tokio::test]
async fn a_damaged_configuration_is_told_to_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    let store = SqliteStore::open(&file).unwrap();
    let left = fill(&store).await;
    let bundle = Bundle {
        files: BTreeMap::from([("main.hcl".into(), "resource {}".into())]),
        rest: "rest".into(),
    };
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    store.keep_bundle(&lease, bundle.clone()).await.unwrap();
    store.release(lease).await.unwrap();
    let digest = bundle.digest();
    assert_eq!(store.bundle(&digest).await.unwrap(), Some(bundle));
    drop(store);
    let conn = Connection::open(&file).unwrap();
    conn.execute(
        "UPDATE item SET body = 'resource []' WHERE kind = 'config' AND body = 'resource {}'",
        [],
    )
    .unwrap();
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(store.snapshot().await.unwrap().resources, left.resources);
    let Err(StateError::Damaged { cause, .. }) = store.bundle(&digest).await else {
        panic!("a damaged configuration was given");
    };
    assert!(cause.contains("fails its checksum"), "{cause}");
    drop(store);
    // One that is missing shows at once, as any row does.
    conn.execute("DELETE FROM item WHERE kind = 'config'", [])
        .unwrap();
    let Err(StateError::Damaged { cause, .. }) = SqliteStore::open(&file).map(drop) else {
        panic!("a missing row was not told");
    };
    assert!(cause.contains("rows are missing"), "{cause}");
}
