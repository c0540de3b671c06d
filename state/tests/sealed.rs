//! What an encrypted store leaves on the disk, and what it needs to be read.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};
use weir_core::{
    Known, Marks, Value,
    plan::Op,
    snapshot::{Serial, Snapshot},
};
use weir_state::{
    Applied, ApplyOutcome, ApplyRecord, ClosedEntry, Encryption, Entry, Lease, Options, Outcome,
    SqliteStore, StateError, Store, Wait,
    conformance::{address, begin, me, resource, step},
    encryption::{EncryptionError, KeySource, Passphrase},
};

/// Never to be found on the disk: in values, private data, errors and plans.
const SECRET: &str = "s3cr3t";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            folder: tempfile::tempdir().unwrap(),
        }
    }
    fn state(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }
    fn key(&self, name: &str) -> KeySource {
        let path = self.folder.path().join(name);
        KeySource::create_file(&path).unwrap();
        KeySource::File(path)
    }
    fn open(&self, encryption: Encryption) -> Result<SqliteStore, StateError> {
        let options = Options {
            encryption,
            ..Options::default()
        };
        SqliteStore::open_with(self.state(), options)
    }
    /// The files in which a text is found.
    fn found(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|w| w == text.as_bytes()) {
                found.push(name(&path));
            }
        }
        found
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// All that can be read of a store.
#[derive(Debug, PartialEq)]
struct Contents {
    now: Snapshot,
    before: Snapshot,
    open: Vec<Entry>,
    closed: Vec<ClosedEntry>,
    history: Vec<Applied>,
}

async fn contents(store: &SqliteStore) -> Contents {
    Contents {
        now: store.snapshot().await.unwrap(),
        before: store.snapshot_at(Serial(1)).await.unwrap(),
        open: store.open_entries().await.unwrap(),
        closed: store.closed_entries(1).await.unwrap(),
        history: store.history().await.unwrap(),
    }
}

/// Writes the secret wherever something can be written.
async fn fill(store: &SqliteStore) -> Lease {
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    for id in ["a", "b"] {
        let put = Outcome::Put(resource(&format!("{id} {SECRET}"), &[]));
        step(store, &lease, begin("a.r", Op::Update), put)
            .await
            .unwrap();
    }
    let failed = Outcome::Failed {
        message: format!("the password {SECRET} is too short"),
        leftover: None,
    };
    step(store, &lease, begin("a.failed", Op::Create), failed)
        .await
        .unwrap();
    let mut open = begin("a.open", Op::Create);
    open.private = SECRET.as_bytes().to_vec();
    store.begin(&lease, vec![open]).await.unwrap();
    let output = Known::new(Value::string(SECRET).mark(Marks::SENSITIVE)).unwrap();
    store
        .set_outputs(&lease, BTreeMap::from([("out".to_owned(), output)]))
        .await
        .unwrap();
    let record = ApplyRecord {
        who: "ann".into(),
        started: SystemTime::now(),
        plan_digest: SECRET.into(),
        config_digest: SECRET.into(),
        bundle: None,
        outcome: ApplyOutcome::Failed {
            errors: vec![SECRET.into()],
        },
        checks: None,
    };
    store.finish_apply(&lease, record).await.unwrap();
    lease
}

#[tokio::test]
async fn nothing_that_is_secret_is_on_the_disk_at_any_time() {
    let place = Place::new();
    let encryption = Encryption::new(place.key("key"));
    let store = place.open(encryption.clone()).unwrap();
    let lease = fill(&store).await;
    // The write-ahead log is there now, and not when the store is closed.
    assert!(place.found("a.open").contains(&"state.db-wal".to_owned()));
    assert_eq!(place.found(SECRET), Vec::<String>::new());
    let before = contents(&store).await;
    store.release(lease).await.unwrap();
    drop(store);
    assert_eq!(place.found(SECRET), Vec::<String>::new());
    let store = place.open(encryption).unwrap();
    assert_eq!(contents(&store).await, before);
}

#[tokio::test]
async fn without_its_key_it_says_which_one_it_needs_and_changes_nothing() {
    let place = Place::new();
    let key = place.key("key");
    let other = place.key("other");
    let store = place.open(Encryption::new(key)).unwrap();
    fill(&store).await;
    drop(store);
    let before = fs::read(place.state()).unwrap();
    let cause = |encryption| match place.open(encryption) {
        Err(StateError::Key { cause, .. }) => cause,
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("it opened"),
    };
    assert_eq!(cause(Encryption::default()), EncryptionError::NoKey);
    assert!(matches!(
        cause(Encryption::new(other)),
        EncryptionError::OtherKey { .. }
    ));
    let passphrase = KeySource::Passphrase(Passphrase::new("p"));
    assert!(matches!(
        cause(Encryption::new(passphrase)),
        EncryptionError::OtherKind { .. }
    ));
    fs::remove_file(place.folder.path().join("key")).unwrap();
    let lost = KeySource::File(place.folder.path().join("key"));
    assert!(matches!(
        cause(Encryption::new(lost)),
        EncryptionError::NoFile { .. }
    ));
    assert_eq!(fs::read(place.state()).unwrap(), before);
}

#[tokio::test]
async fn a_new_key_leaves_nothing_to_the_old_one() {
    let place = Place::new();
    let (old, new) = (place.key("old"), place.key("new"));
    let store = place.open(Encryption::new(old.clone())).unwrap();
    let lease = fill(&store).await;
    let before = contents(&store).await;
    let keys = store.keyring().await.unwrap().unwrap();
    store
        .rekey(&lease, Encryption::new(new.clone()))
        .await
        .unwrap();
    // This store goes on with the new key.
    assert_eq!(contents(&store).await, before);
    let put = Outcome::Put(resource("after", &[]));
    step(&store, &lease, begin("a.after", Op::Create), put)
        .await
        .unwrap();
    let after = contents(&store).await;
    store.release(lease).await.unwrap();
    drop(store);
    assert!(place.open(Encryption::new(old)).is_err());
    let id = keys.wrapped().next().unwrap().id().to_owned();
    assert_eq!(place.found(&id), Vec::<String>::new());
    let store = place.open(Encryption::new(new)).unwrap();
    assert_eq!(contents(&store).await, after);
}

#[tokio::test]
async fn encryption_comes_and_goes_and_leaves_no_plain_text_behind() {
    let place = Place::new();
    let store = place.open(Encryption::default()).unwrap();
    let lease = fill(&store).await;
    let before = contents(&store).await;
    assert!(!place.found(SECRET).is_empty(), "nothing is encrypted yet");
    let encryption = Encryption::new(KeySource::Passphrase(Passphrase::new("p")));
    store.rekey(&lease, encryption.clone()).await.unwrap();
    store.release(lease).await.unwrap();
    drop(store);
    assert_eq!(place.found(SECRET), Vec::<String>::new());
    let store = place.open(encryption).unwrap();
    assert_eq!(contents(&store).await, before);
    let lease = store.acquire(me("rekey"), Wait::None).await.unwrap();
    store.rekey(&lease, Encryption::default()).await.unwrap();
    store.release(lease).await.unwrap();
    drop(store);
    let store = place.open(Encryption::default()).unwrap();
    assert_eq!(contents(&store).await, before);
    assert!(store.keyring().await.unwrap().is_none());
}

#[tokio::test]
async fn a_key_that_can_not_be_used_changes_nothing() {
    let place = Place::new();
    let encryption = Encryption::new(place.key("key"));
    let store = place.open(encryption.clone()).unwrap();
    let lease = fill(&store).await;
    let before = contents(&store).await;
    let none = KeySource::File(place.folder.path().join("none"));
    let error = store.rekey(&lease, Encryption::new(none)).await;
    assert!(matches!(error, Err(StateError::Key { .. })), "{error:?}");
    let put = Outcome::Put(resource("after", &[]));
    step(&store, &lease, begin("a.after", Op::Create), put)
        .await
        .unwrap();
    store.forget(&lease, &address("a.after")).await.unwrap();
    store.release(lease).await.unwrap();
    drop(store);
    let store = place.open(encryption).unwrap();
    let after = contents(&store).await;
    assert_eq!(after.now.resources, before.now.resources);
    assert_eq!(after.history, before.history);
}

#[tokio::test]
async fn a_row_that_was_put_in_anothers_place_is_refused() {
    let place = Place::new();
    let encryption = Encryption::new(place.key("key"));
    let store = place.open(encryption.clone()).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    for name in ["a.one", "a.two"] {
        let put = Outcome::Put(resource(name, &[]));
        step(&store, &lease, begin(name, Op::Create), put)
            .await
            .unwrap();
    }
    store.release(lease).await.unwrap();
    drop(store);
    let db = rusqlite::Connection::open(place.state()).unwrap();
    db.execute_batch(
        "UPDATE item SET body = (SELECT body FROM item WHERE key = 'a.two') WHERE key = 'a.one'",
    )
    .unwrap();
    drop(db);
    assert!(matches!(
        place.open(encryption),
        Err(StateError::Damaged { .. })
    ));
}

/// A command that waits for the lease while the state is given a new key goes on with that key.
async fn another_handle_follows(spot: &common::Spot) {
    let keys = tempfile::tempdir().unwrap();
    let sources = ["old", "new"].map(|name| {
        let path = keys.path().join(name);
        KeySource::create_file(&path).unwrap();
        KeySource::File(path)
    });
    let [old, new] = sources;
    let both = Encryption {
        fallbacks: vec![old.clone()],
        ..Encryption::new(new.clone())
    };
    let options = |encryption: &Encryption| Options {
        encryption: encryption.clone(),
        ..Options::default()
    };
    let first = common::open(&spot.name(), options(&Encryption::new(old))).unwrap();
    let lease = first.acquire(me("apply"), Wait::None).await.unwrap();
    let put = |name: &str| Outcome::Put(resource(name, &[]));
    step(&*first, &lease, begin("a.a", Op::Create), put("a.a"))
        .await
        .unwrap();
    let waiting = common::open(&spot.name(), options(&both)).unwrap();
    let only_old = common::open(&spot.name(), options(&both)).unwrap();
    first.rekey(&lease, both.clone()).await.unwrap();
    // The one that gave the key goes on as well.
    step(&*first, &lease, begin("a.b", Op::Create), put("a.b"))
        .await
        .unwrap();
    first.release(lease).await.unwrap();
    assert_eq!(only_old.snapshot().await.unwrap().resources.len(), 2);
    let lease = waiting.acquire(me("apply"), Wait::None).await.unwrap();
    step(&*waiting, &lease, begin("a.c", Op::Create), put("a.c"))
        .await
        .unwrap();
    waiting.release(lease).await.unwrap();
    let last = common::open(&spot.name(), options(&Encryption::new(new))).unwrap();
    assert_eq!(last.snapshot().await.unwrap().resources.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_handle_follows_a_new_key() {
    another_handle_follows(&common::Spot::file()).await;
    if let Some(spot) = common::Spot::postgres() {
        another_handle_follows(&spot).await;
    }
}
