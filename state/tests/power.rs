//! A power cut leaves some prefix of what was written to the log: each one is replayed here.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use weir_core::{
    plan::Op,
    snapshot::{Serial, Snapshot},
};
use weir_state::{
    EntryId, Outcome, SqliteStore, StateError, Store, Wait,
    conformance::{begin, me, resource, step},
};

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

/// What was true at some instant.
type Instant = (Snapshot, Vec<EntryId>);

async fn look(store: &SqliteStore) -> Instant {
    let open = store.open_entries().await.unwrap();
    (
        store.snapshot().await.unwrap(),
        open.into_iter().map(|e| e.id).collect(),
    )
}

/// A run of steps whose log was not moved into the database yet. Gives all instants there were, in
/// order, each with the length the log had when it was acknowledged.
async fn run(file: &Path) -> Vec<(u64, Instant)> {
    drop(SqliteStore::open(file).unwrap());
    let store = SqliteStore::open(file).unwrap();
    let mut instants = vec![(0, look(&store).await)];
    let length = || fs::metadata(beside(file, "-wal")).unwrap().len();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    for i in 0..8 {
        let name = format!("a.r[{}]", i % 3);
        let ids = store
            .begin(&lease, vec![begin(&name, Op::Update)])
            .await
            .unwrap();
        instants.push((length(), look(&store).await));
        let outcome = if i % 4 == 3 {
            Outcome::Gone
        } else {
            Outcome::Put(resource(&format!("{name} {i}"), &[]))
        };
        store.commit(&lease, ids[0], outcome).await.unwrap();
        instants.push((length(), look(&store).await));
    }
    // The copy is taken before the store closes and tidies up.
    for suffix in ["", "-wal", "-mark"] {
        fs::copy(
            beside(file, suffix),
            beside(&file.with_extension("crashed"), suffix),
        )
        .unwrap();
    }
    instants
}

#[tokio::test]
async fn every_prefix_of_the_log_is_a_state_there_was() {
    let folder = tempfile::tempdir().unwrap();
    let instants = run(&folder.path().join("weir.state")).await;
    let crashed = folder.path().join("weir.crashed");
    let database = fs::read(&crashed).unwrap();
    let log = fs::read(beside(&crashed, "-wal")).unwrap();
    let file = folder.path().join("replayed");
    // Within a page nothing changes but whether its frame is whole.
    let lengths = (0..log.len()).step_by(1021).chain([log.len()]);
    let mut seen = BTreeMap::new();
    for length in lengths {
        fs::write(&file, &database).unwrap();
        fs::write(beside(&file, "-wal"), &log[..length]).unwrap();
        let store = SqliteStore::open(&file).unwrap();
        let now = look(&store).await;
        let acknowledged = instants
            .iter()
            .rev()
            .find(|(end, _)| *end <= length as u64)
            .map(|(_, instant)| instant)
            .unwrap();
        assert_eq!(&now, acknowledged, "{length} bytes of the log");
        *seen.entry((now.0.serial, now.1)).or_insert(0) += 1;
        // It goes on from there. The holder lives, as it is this test: it is told to go.
        for held in store.leases().await.unwrap() {
            store.unlock(held.epoch, me("unlock")).await.unwrap();
        }
        let lease = store.acquire(me("resume"), Wait::None).await.unwrap();
        for entry in store.open_entries().await.unwrap() {
            store.settle(&lease, entry.id, Outcome::Kept).await.unwrap();
        }
        let put = Outcome::Put(resource("after", &[]));
        let (_, serial) = step(&store, &lease, begin("a.after", Op::Create), put)
            .await
            .unwrap();
        assert_eq!(serial, Serial(now.0.serial.0 + 1));
        drop((lease, store));
        for suffix in ["", "-wal", "-shm", "-mark"] {
            let _ = fs::remove_file(beside(&file, suffix));
        }
    }
    assert_eq!(seen.len(), instants.len(), "each instant was come across");
}

/// The same cuts, where the mark has survived: none is taken for the truth.
#[tokio::test]
async fn with_the_mark_every_loss_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let instants = run(&folder.path().join("weir.state")).await;
    let crashed = folder.path().join("weir.crashed");
    let log = fs::read(beside(&crashed, "-wal")).unwrap();
    let file = folder.path().join("cut");
    let restore = |log: &[u8]| {
        let _ = fs::remove_file(beside(&file, "-shm"));
        for suffix in ["", "-mark"] {
            fs::copy(beside(&crashed, suffix), beside(&file, suffix)).unwrap();
        }
        fs::write(beside(&file, "-wal"), log).unwrap();
    };
    for length in (0..log.len()).step_by(4001) {
        restore(&log[..length]);
        match SqliteStore::open(&file) {
            Err(StateError::Damaged { last_good, .. }) => {
                let serial = last_good.unwrap();
                assert!(serial <= instants.last().unwrap().1.0.serial);
            }
            Err(other) => panic!("{length}: {other}"),
            Ok(_) => panic!("{length} of {} bytes were taken for all", log.len()),
        }
    }
    for i in 0..100 {
        let at = i * 7919 % log.len();
        let mut flipped = log.clone();
        flipped[at] ^= 1 << (i % 8);
        restore(&flipped);
        match SqliteStore::open(&file) {
            Err(StateError::Damaged { .. }) => {}
            Err(other) => panic!("byte {at}: {other}"),
            // Some bytes of the log's header say nothing that is used.
            Ok(store) => assert_eq!(look(&store).await, instants.last().unwrap().1),
        }
    }
    restore(&log);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(look(&store).await, instants.last().unwrap().1);
}
