//! Disks that are full or can't be written. Needs root, for file systems of its own.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "helpers of tests"
)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use weir_core::plan::Op;
use weir_state::{
    Outcome, SqliteStore, StateError, Store, Wait,
    conformance::{address, begin, me, resource, step},
};

/// A small file system in memory, unmounted when the test is over.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, and says so, where it can't be made.
    fn new(size: &str, test: &str) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        if let Err(why) = mount(
            &format!("size={size}"),
            folder.path(),
            &["-t", "tmpfs", "tmpfs"],
        ) {
            eprintln!("SKIPPED {test}: a file system can't be mounted here: {why}");
            return None;
        }
        Some(Disk(folder))
    }
    fn file(&self) -> PathBuf {
        self.0.path().join("weir.state")
    }
    fn remount(&self, options: &str) {
        mount(&format!("remount,{options}"), self.0.path(), &[]).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A program that a test beside this one is just starting may have its files open still.
        let unmounted = || {
            let done = Command::new("umount").arg(self.0.path()).status();
            done.is_ok_and(|s| s.success())
        };
        let pause = || std::thread::sleep(std::time::Duration::from_millis(50));
        let done = (0..100).any(|_| {
            unmounted() || {
                pause();
                false
            }
        });
        assert!(done, "the disk is unmounted");
    }
}

fn mount(options: &str, at: &Path, what: &[&str]) -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("this is not root".into());
    }
    let output = Command::new("mount")
        .args(["-o", options])
        .args(what)
        .arg(at)
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The log fills the disk before it is ever moved into the database, and while it is.
#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_lost() {
    for size in ["600k", "1m", "6m", "8m"] {
        if let Some(disk) = Disk::new(size, "a_full_disk_is_told_and_nothing_is_lost") {
            fill_up(&disk).await;
        }
    }
}

async fn fill_up(disk: &Disk) {
    let store = SqliteStore::open(disk.file()).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let mut recorded = 0;
    let error = loop {
        let name = format!("a.r[{recorded}]");
        let put = Outcome::Put(resource(&"x".repeat(2000), &[]));
        match step(&store, &lease, begin(&name, Op::Create), put).await {
            Ok((_, serial)) => {
                recorded += 1;
                assert_eq!(serial.0, recorded);
            }
            Err(e) => break e,
        }
        assert!(recorded < 5000, "the disk never fills");
    };
    assert!(matches!(error, StateError::Full { .. }), "{error}");
    assert!(recorded > 10, "{recorded}");
    // Another process finds all that was recorded, on the disk as it is.
    let copy = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal", "-mark"] {
        let name = format!("weir.state{suffix}");
        std::fs::copy(disk.0.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let reopened = SqliteStore::open(copy.path().join("weir.state")).unwrap();
    let snapshot = reopened.snapshot().await.unwrap();
    assert_eq!(snapshot.resources.len() as u64, recorded);
    assert_eq!(snapshot.serial.0, recorded);
    // With space again, the same store goes on. What was begun and refused is not there, what was
    // begun and not committed is open.
    disk.remount("size=32m");
    assert_eq!(store.snapshot().await.unwrap(), snapshot);
    for entry in store.open_entries().await.unwrap() {
        assert_eq!(entry.begin.address, address(&format!("a.r[{recorded}]")));
        store.commit(&lease, entry.id, Outcome::Kept).await.unwrap();
    }
    let put = Outcome::Put(resource("more", &[]));
    step(&store, &lease, begin("a.more", Op::Create), put)
        .await
        .unwrap();
    store.release(lease).await.unwrap();
}

#[tokio::test]
async fn a_disk_with_no_room_for_a_new_state_is_told() {
    let Some(disk) = Disk::new("1m", "a_disk_with_no_room_for_a_new_state_is_told") else {
        return;
    };
    // Fails for lack of space, having taken what there was.
    let _ = std::fs::write(disk.0.path().join("ballast"), vec![0; 2 << 20]);
    match SqliteStore::open(disk.file()) {
        Err(StateError::Full { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was made"),
    }
    assert!(!disk.file().exists(), "no half state is left");
}

#[tokio::test]
async fn a_read_only_disk_is_told_and_nothing_is_lost() {
    let Some(disk) = Disk::new("1m", "a_read_only_disk_is_told_and_nothing_is_lost") else {
        return;
    };
    let store = SqliteStore::open(disk.file()).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let put = Outcome::Put(resource("a.a", &[]));
    step(&store, &lease, begin("a.a", Op::Create), put)
        .await
        .unwrap();
    store.release(lease).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    drop(store);
    disk.remount("ro");
    for file in [disk.file(), disk.0.path().join("new.state")] {
        match SqliteStore::open(&file) {
            Err(e @ StateError::ReadOnly { .. }) => {
                assert!(e.to_string().contains("can't be written"), "{e}");
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was opened"),
        }
    }
    disk.remount("rw");
    let store = SqliteStore::open(disk.file()).unwrap();
    assert_eq!(store.snapshot().await.unwrap(), snapshot);
}
