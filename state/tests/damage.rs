//! A store that is damaged says so, says what is wrong, and is left as it is.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "helpers of tests"
)]

use rusqlite::Connection;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use weir_core::{
    plan::Op,
    snapshot::{Serial, Snapshot},
};
use weir_state::{
    ClosedEntry, Entry, Lease, LeaseRecord, Outcome, SqliteStore, StateError, Store, Wait,
    conformance::{begin, me, resource, step},
};

fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

async fn create(store: &SqliteStore, lease: &Lease, name: &str) {
    let put = Outcome::Put(resource(name, &[]));
    step(store, lease, begin(name, Op::Create), put)
        .await
        .unwrap();
}

/// A store of 20 resources at serial 21 and one open entry, closed.
async fn fill(file: &Path) -> (Snapshot, Vec<Entry>) {
    let store = SqliteStore::open(file).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    for i in 0..20 {
        create(&store, &lease, &format!("a.r[{i}]")).await;
    }
    let again = Outcome::Put(resource("again", &[]));
    step(&store, &lease, begin("a.r[3]", Op::Update), again)
        .await
        .unwrap();
    store
        .begin(&lease, vec![begin("a.open", Op::Create)])
        .await
        .unwrap();
    let left = (
        store.snapshot().await.unwrap(),
        store.open_entries().await.unwrap(),
    );
    store.release(lease).await.unwrap();
    left
}

fn refusal(file: &Path) -> StateError {
    match SqliteStore::open(file) {
        Err(e) => e,
        Ok(_) => panic!("{} was opened", file.display()),
    }
}

#[track_caller]
fn assert_damaged(file: &Path, words: &str, serial: Option<u64>) {
    match refusal(file) {
        StateError::Damaged {
            cause, last_good, ..
        } => {
            assert!(cause.contains(words), "{cause:?} says {words:?}");
            assert_eq!(last_good, serial.map(Serial), "{cause}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_no_state_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(
        &text,
        "not a database, but long enough to be one".repeat(50),
    )
    .unwrap();
    let before = fs::read(&text).unwrap();
    assert!(matches!(refusal(&text), StateError::NotAState { .. }));
    assert_eq!(fs::read(&text).unwrap(), before);

    let other = folder.path().join("other.db");
    let conn = Connection::open(&other).unwrap();
    conn.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(conn);
    assert!(matches!(refusal(&other), StateError::NotAState { .. }));

    assert!(matches!(
        refusal(folder.path()),
        StateError::NotAState { .. }
    ));
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    fill(&file).await;
    let conn = Connection::open(&file).unwrap();
    conn.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(conn);
    match refusal(&file) {
        StateError::Newer { found, known, .. } => assert_eq!((found, known), (99, 4)),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn its_files_are_for_the_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new").join("weir.state");
    let store = SqliteStore::open(&file).unwrap();
    let _lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    for suffix in ["", "-wal", "-mark"] {
        let mode = fs::metadata(beside(&file, suffix))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn a_file_that_was_cut_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    fill(&file).await;
    let whole = fs::read(&file).unwrap();
    for length in [0, 1, 50, 100, 4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(&file, &whole[..length]).unwrap();
        let error = refusal(&file);
        assert!(
            matches!(
                error,
                StateError::Damaged { .. } | StateError::NotAState { .. }
            ),
            "{length}: {error}"
        );
        assert_eq!(
            fs::read(&file).unwrap(),
            &whole[..length],
            "it was left alone"
        );
    }
    fs::remove_file(&file).unwrap();
    assert_damaged(&file, "was at serial 21", None);
    assert!(!file.exists(), "nothing was made in its place");
}

type All = (
    Snapshot,
    Vec<Entry>,
    Vec<ClosedEntry>,
    Vec<LeaseRecord>,
    Snapshot,
);

async fn read_all(store: &SqliteStore) -> Result<All, StateError> {
    Ok((
        store.snapshot().await?,
        store.open_entries().await?,
        store.closed_entries(1).await?,
        store.leases().await?,
        store.snapshot_at(Serial(20)).await?,
    ))
}

/// One flipped bit anywhere: either the store notices, or all it says is still true.
#[tokio::test]
async fn a_flipped_bit_never_changes_what_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    fill(&file).await;
    let store = SqliteStore::open(&file).unwrap();
    let told = read_all(&store).await.unwrap();
    drop(store);
    let whole = fs::read(&file).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    for i in 0..700_usize {
        // Every byte of the header, and then bytes all over the file.
        let at = if i < 100 {
            i
        } else {
            i * 7919 * 13 % whole.len()
        };
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (i % 8);
        fs::write(&file, &bytes).unwrap();
        let result = match SqliteStore::open(&file) {
            Err(e) => Err(e),
            Ok(store) => read_all(&store).await,
        };
        match result {
            Ok(now) => {
                assert_eq!(now, told, "byte {at}");
                harmless += 1;
            }
            Err(_) => {
                assert_eq!(
                    fs::read(&file).unwrap(),
                    bytes,
                    "byte {at}: it was left alone"
                );
                noticed += 1;
            }
        }
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(beside(&file, suffix));
        }
    }
    println!("{noticed} flips were noticed, {harmless} hit nothing that counts");
    assert!(noticed > 100, "{noticed}");
}

#[tokio::test]
async fn a_changed_row_is_named_with_the_last_good_serial() {
    for (sql, words, serial) in [
        (
            "UPDATE item SET body = replace(body, 's3cr3t', 'other') WHERE key = 'a.r[7]'",
            "the row of resource a.r[7] fails its checksum",
            Some(7),
        ),
        (
            "UPDATE item SET serial = 99 WHERE key = 'a.r[3]'",
            "the row of resource a.r[3] fails its checksum",
            None,
        ),
        (
            "UPDATE item SET body = body || ' '",
            "and 19 more rows do",
            Some(0),
        ),
        (
            "DELETE FROM item WHERE key = 'a.r[7]'",
            "rows are missing",
            None,
        ),
        (
            "UPDATE item SET (body, serial, sum) =
               (SELECT body, serial, sum FROM item WHERE key = 'a.r[8]') WHERE key = 'a.r[7]'",
            "the row of resource a.r[7] fails its checksum",
            Some(8),
        ),
        ("DELETE FROM open_entry", "rows are missing", None),
        (
            "UPDATE open_entry SET address = 'a.other'",
            "journal entry 22 fails its checksum",
            None,
        ),
        ("UPDATE head SET serial = 3", "at which serial it is", None),
        (
            "UPDATE head SET digest = zeroblob(32)",
            "at which serial it is",
            None,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weir.state");
        fill(&file).await;
        let conn = Connection::open(&file).unwrap();
        assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
        drop(conn);
        assert_damaged(&file, words, serial);
    }
}

/// What a crash leaves: the database, its log with what is not in it yet, and the mark.
#[tokio::test]
async fn a_missing_log_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    fill(&file).await;
    let store = SqliteStore::open(&file).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    create(&store, &lease, "a.late").await;
    let crashed = |name: &str| {
        let copy = folder.path().join(name);
        for suffix in ["", "-wal", "-mark"] {
            fs::copy(beside(&file, suffix), beside(&copy, suffix)).unwrap();
        }
        copy
    };

    let whole = SqliteStore::open(crashed("whole")).unwrap();
    assert_eq!(whole.snapshot().await.unwrap().serial, Serial(22));

    let missing = crashed("missing");
    fs::remove_file(beside(&missing, "-wal")).unwrap();
    assert_damaged(
        &missing,
        "at serial 21, and had come to serial 22",
        Some(21),
    );

    let cut = crashed("cut");
    let log = fs::read(beside(&cut, "-wal")).unwrap();
    fs::write(beside(&cut, "-wal"), &log[..log.len() - 100]).unwrap();
    let error = refusal(&cut);
    assert!(matches!(error, StateError::Damaged { .. }), "{error}");

    let gone = crashed("gone");
    fs::remove_file(&gone).unwrap();
    assert_damaged(&gone, "the file is gone", None);
}

#[tokio::test]
async fn an_older_copy_is_noticed_and_can_be_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weir.state");
    let (old, _) = fill(&file).await;
    let copy = fs::read(&file).unwrap();
    let store = SqliteStore::open(&file).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    create(&store, &lease, "a.late").await;
    store.release(lease).await.unwrap();
    drop(store);
    fs::write(&file, copy).unwrap();
    assert_damaged(&file, "an older copy was put back", Some(21));
    fs::remove_file(beside(&file, "-mark")).unwrap();
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(store.snapshot().await.unwrap(), old);
    drop(store);

    let other = folder.path().join("other.state");
    fill(&other).await;
    fs::copy(&other, &file).unwrap();
    assert_damaged(&file, "was of lineage", None);
}
