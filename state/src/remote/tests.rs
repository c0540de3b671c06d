//! The frame of stores far away, with a far side in memory that fails when it is told to.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Absent, Blob, Loaded, Put, Tag, Trouble, open};
use crate::{
    Encryption, Options, Outcome, StateError, Store, Wait,
    conformance::{self, EXPIRY, Place, address, begin, me, resource, step},
    encryption::KeySource,
    rows::{Handle, Rowed},
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};
use weir_core::plan::Op;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Nothing.
    Not,
    /// It does not arrive.
    Before,
    /// It is done, and the answer does not arrive.
    After,
    /// It is done, then another program writes, and the answer does not arrive.
    Overtaken,
}

/// What is far away.
#[derive(Default)]
struct Side {
    object: Option<(Vec<u8>, u64)>,
    parts: BTreeMap<String, Vec<u8>>,
    tags: u64,
    /// What becomes of the next attempts to store the object.
    cuts: VecDeque<Cut>,
    loads: u64,
    stores: u64,
    /// The bytes of the documents that were stored.
    sent: usize,
    /// Run when a store arrives, before it is done.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Clone)]
struct Memory {
    side: Arc<Mutex<Side>>,
    has_parts: bool,
    place: PathBuf,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            side: Arc::default(),
            has_parts: true,
            place: "memory".into(),
        }
    }
    fn side(&self) -> MutexGuard<'_, Side> {
        self.side.lock().unwrap()
    }
}

impl Blob for Memory {
    fn place(&self) -> &Path {
        &self.place
    }
    fn load(&self, known: Option<&Tag>) -> Result<Loaded, Trouble> {
        let mut side = self.side();
        side.loads += 1;
        Ok(match &side.object {
            None => Loaded::Absent,
            Some((_, tag)) if known.is_some_and(|k| k.0 == tag.to_string()) => Loaded::Same,
            Some((bytes, tag)) => Loaded::Found(bytes.clone(), Tag(tag.to_string())),
        })
    }
    fn store(&self, put: &Put<'_>) -> Result<Tag, Trouble> {
        let meanwhile = self.side().meanwhile.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let mut side = self.side();
        let cut = side.cuts.pop_front().unwrap_or(Cut::Not);
        if cut == Cut::Before {
            return Err(Trouble::Lost("cut".into()));
        }
        let now = side.object.as_ref().map(|(_, tag)| tag.to_string());
        if now != put.expect.map(|tag| tag.0.clone()) {
            return Err(Trouble::Raced);
        }
        side.tags += 1;
        side.stores += 1;
        side.sent += put.body.len();
        let tag = side.tags;
        side.object = Some((put.body.to_vec(), tag));
        drop(side);
        match cut {
            Cut::After => Err(Trouble::Lost("cut".into())),
            Cut::Overtaken => {
                let other = opened(self.clone()).unwrap();
                for held in block(other.held()).unwrap() {
                    block(other.unlock(held.epoch, me("unlock"))).unwrap();
                }
                Err(Trouble::Lost("cut".into()))
            }
            _ => Ok(Tag(tag.to_string())),
        }
    }
    fn has_parts(&self) -> bool {
        self.has_parts
    }
    fn put_part(&self, name: &str, body: &[u8]) -> Result<(), Trouble> {
        let before = self.side().parts.insert(name.to_owned(), body.to_vec());
        assert!(before.is_none(), "a name is used once");
        Ok(())
    }
    fn part(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.side().parts.get(name).cloned())
    }
    fn parts(&self) -> Result<Vec<String>, Trouble> {
        Ok(self.side().parts.keys().cloned().collect())
    }
    fn drop_part(&self, name: &str) -> Result<(), Trouble> {
        self.side().parts.remove(name);
        Ok(())
    }
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

struct TestStore(Handle);

impl Rowed for TestStore {
    fn handle(&self) -> &Handle {
        &self.0
    }
}

fn opened(blob: Memory) -> Result<TestStore, StateError> {
    opened_with(blob, Encryption::default())
}

fn opened_with(blob: Memory, encryption: Encryption) -> Result<TestStore, StateError> {
    let options = Options {
        expiry: EXPIRY,
        encryption,
    };
    let place = blob.place.clone();
    let handle = Handle::start(&place, EXPIRY, move || open(blob, options, Absent::Make))?;
    Ok(TestStore(handle.unwrap()))
}

/// Waits for a future outside of any runtime: the threads of the stores do the work.
fn block<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

struct At(Memory, Encryption);

#[async_trait]
impl Place for At {
    async fn open(&self) -> Result<Arc<dyn Store>, StateError> {
        Ok(Arc::new(opened_with(self.0.clone(), self.1.clone())?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_far_away_conforms() {
    let place = || Box::new(At(Memory::new(), Encryption::default())) as Box<dyn Place>;
    conformance::all(&place).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_far_away_conforms_when_it_is_encrypted_and_in_one_document() {
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    KeySource::create_file(&key).unwrap();
    let place = || {
        let far = Memory {
            has_parts: false,
            ..Memory::new()
        };
        let encryption = Encryption::new(KeySource::File(key.clone()));
        Box::new(At(far, encryption)) as Box<dyn Place>
    };
    conformance::all(&place).await.unwrap();
}

/// Whatever is cut, each step is recorded once.
#[test]
fn what_was_sent_without_an_answer_is_recorded_once() {
    use Cut::{After, Before, Not};
    for cuts in [
        vec![Before],
        vec![After],
        vec![Before, Before, After],
        vec![After, Before, Not, After],
        vec![Not, After, After, After],
    ] {
        let far = Memory::new();
        let store = opened(far.clone()).unwrap();
        let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
        for i in 0..4 {
            far.side().cuts.extend(&cuts);
            let name = format!("fake.x[{i}]");
            let outcome = Outcome::Put(resource(&name, &[]));
            block(step(&store, &lease, begin(&name, Op::Create), outcome)).unwrap();
        }
        block(store.release(lease)).unwrap();
        let again = opened(far).unwrap();
        let snapshot = block(again.snapshot()).unwrap();
        assert_eq!(snapshot.resources.len(), 4, "{cuts:?}");
        assert_eq!(snapshot.serial.0, 4, "{cuts:?}");
        assert!(block(again.open_entries()).unwrap().is_empty());
    }
}

/// The answer was lost and another has written since: it is recorded, and then the lease is lost.
#[test]
fn what_was_overtaken_is_found_in_what_came_after() {
    let far = Memory::new();
    let store = opened(far.clone()).unwrap();
    let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
    far.side().cuts.push_back(Cut::Overtaken);
    let ids = block(store.begin(&lease, vec![begin("fake.x", Op::Create)])).unwrap();
    let outcome = Outcome::Put(resource("x", &[]));
    let error = block(store.commit(&lease, ids[0], outcome)).unwrap_err();
    assert!(matches!(error, StateError::LeaseLost { .. }), "{error}");
    let left = block(opened(far).unwrap().open_entries()).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].begin.address, address("fake.x"));
}

/// Another takes the lease between the look and the write of one who wants it as well.
#[test]
fn of_two_who_take_the_lease_at_once_one_is_told_who_was_quicker() {
    let far = Memory::new();
    let (one, two) = (opened(far.clone()).unwrap(), opened(far.clone()).unwrap());
    let (tx, rx) = std::sync::mpsc::channel();
    far.side().meanwhile = Some(Box::new(move || {
        tx.send(block(two.acquire(me("plan"), Wait::None)).map(|lease| (two, lease)))
            .unwrap();
    }));
    let error = block(one.acquire(me("apply"), Wait::None)).unwrap_err();
    let StateError::Locked { by, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(by.holder.purpose, "plan");
    let (two, lease) = rx.recv().unwrap().unwrap();
    block(two.confirm(&lease)).unwrap();
}

/// While a lease is held, a write is one request.
#[test]
fn a_write_under_a_lease_is_one_request() {
    let far = Memory::new();
    let store = opened(far.clone()).unwrap();
    let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
    let asked = |side: MutexGuard<'_, Side>| (side.loads, side.stores);
    let before = asked(far.side());
    block(store.begin(&lease, vec![begin("fake.x", Op::Create)])).unwrap();
    let after = asked(far.side());
    assert_eq!(after, (before.0, before.1 + 1));
}

/// A large state is sent in parts: a write costs no more for what is beside it, what nothing names
/// is dropped, and another program follows from wherever it stood.
#[test]
fn a_large_state_is_kept_in_parts() {
    let far = Memory::new();
    let store = opened(far.clone()).unwrap();
    let reader = opened(far.clone()).unwrap();
    let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
    let mut most_parts = 0;
    for i in 0..60 {
        let found = (0..150).map(|n| {
            let id = format!("{i}-{n}-{}", uuid::Uuid::new_v4());
            (address(&format!("fake.x[{n}]")), Some(resource(&id, &[])))
        });
        block(store.record_refresh(&lease, found.collect())).unwrap();
        if i % 7 == 0 {
            let seen = block(reader.snapshot()).unwrap();
            assert_eq!(seen, block(store.snapshot()).unwrap());
        }
        most_parts = most_parts.max(far.side().parts.len());
    }
    let name = "fake.one";
    let before = far.side().sent;
    let outcome = Outcome::Put(resource(name, &[]));
    block(step(&store, &lease, begin(name, Op::Create), outcome)).unwrap();
    let sent = far.side().sent - before;
    let parts = far.side().parts.len();
    assert!(
        sent < 2 * (super::TAIL + 64 * 1024),
        "{sent} bytes for a step"
    );
    assert!(
        most_parts > 3 && parts <= 2 * super::COUNT,
        "{most_parts} {parts}"
    );
    let size: usize = far.side().parts.values().map(Vec::len).sum();
    assert!(far.side().stores > 60 && size > super::TAIL);
    block(store.release(lease)).unwrap();
    let again = opened(far).unwrap();
    assert_eq!(
        block(again.snapshot()).unwrap(),
        block(reader.snapshot()).unwrap()
    );
    assert_eq!(
        block(again.snapshot_at(weir_core::snapshot::Serial(30)))
            .unwrap()
            .serial
            .0,
        30
    );
}

/// A run that dies between a part and the document that would name it leaves the part: it goes with
/// the next base, and what somebody is writing just then does not.
#[test]
fn parts_that_nobody_names_are_swept() {
    let far = Memory::new();
    let store = opened(far.clone()).unwrap();
    let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
    let fill = |round: usize| {
        let found = (0..150).map(|n| {
            let id = format!("{round}-{n}-{}", uuid::Uuid::new_v4());
            (address(&format!("fake.x[{n}]")), Some(resource(&id, &[])))
        });
        block(store.record_refresh(&lease, found.collect())).unwrap();
    };
    for round in 0..4 {
        fill(round);
    }
    let dead = ["0000000001-dead", "0000000002-dead"];
    let others = ["9999999999-alive", "probe-of-another"];
    for name in dead.iter().chain(&others) {
        far.side().parts.insert((*name).to_owned(), vec![1]);
    }
    let mut rounds = 4;
    while dead.iter().any(|name| far.side().parts.contains_key(*name)) {
        fill(rounds);
        rounds += 1;
        assert!(rounds < 400, "with some base they go");
    }
    for name in others {
        assert!(far.side().parts.remove(name).is_some(), "{name} stays");
    }
    // And none too many went.
    fill(rounds);
    let again = opened(far.clone()).unwrap();
    let now = block(store.snapshot()).unwrap();
    assert_eq!(block(again.snapshot()).unwrap(), now);
    // One who prunes sweeps as well.
    far.side().parts.insert(dead[0].to_owned(), vec![1]);
    block(store.prune(&lease, weir_core::snapshot::Serial(2))).unwrap();
    assert!(!far.side().parts.contains_key(dead[0]));
}

/// Everything that is kept far away, inflated.
fn all_text(side: &Side) -> String {
    let bytes = &side.object.as_ref().unwrap().0;
    let mut text = String::from_utf8(bytes.clone()).unwrap();
    for part in side.parts.values() {
        std::io::Read::read_to_string(&mut flate2::read::DeflateDecoder::new(&**part), &mut text)
            .unwrap();
    }
    text
}

/// What was not encrypted, or under another key, or pruned, is nowhere any more.
#[test]
fn what_must_not_stay_is_dropped_at_once() {
    let far = Memory::new();
    let store = opened(far.clone()).unwrap();
    let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
    for i in 0..4 {
        let found = (0..150).map(|n| {
            let id = format!("secret-{i}-{n}");
            (address(&format!("fake.x[{n}]")), Some(resource(&id, &[])))
        });
        block(store.record_refresh(&lease, found.collect())).unwrap();
    }
    assert!(all_text(&far.side()).contains("secret-1-7") && far.side().parts.len() > 1);
    block(store.prune(&lease, weir_core::snapshot::Serial(4))).unwrap();
    let text = all_text(&far.side());
    assert!(!text.contains("secret-1-7") && text.contains("secret-3-7"));
    assert_eq!(far.side().parts.len(), 1);
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    KeySource::create_file(&key).unwrap();
    let encryption = Encryption::new(KeySource::File(key));
    block(store.rekey(&lease, encryption.clone())).unwrap();
    assert!(!all_text(&far.side()).contains("secret"));
    block(store.release(lease)).unwrap();
    let again = opened_with(far, encryption).unwrap();
    assert_eq!(
        block(again.snapshot()).unwrap(),
        block(store.snapshot()).unwrap()
    );
}

/// Damage shows, and nothing is overwritten.
#[test]
fn what_is_not_a_whole_state_of_weir_is_refused() {
    let far = Memory::new();
    drop(opened(far.clone()).unwrap());
    let whole = far.side().object.clone().unwrap().0;
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cut = whole[..whole.len() - 20].to_vec();
    let newer =
        String::from_utf8(whole)
            .unwrap()
            .replacen("\"weir_state\":2", "\"weir_state\":9", 1);
    let terraform = br#"{"version": 4, "serial": 3, "lineage": "x", "resources": []}"#.to_vec();
    for (bytes, words) in [
        (flipped, "checksum"),
        (cut, "cut off"),
        (newer.into_bytes(), "format 9"),
        (terraform, "weir state import"),
        (b"hello".to_vec(), "not a weir state"),
        (Vec::new(), "not a weir state"),
    ] {
        far.side().object = Some((bytes.clone(), 77));
        let Err(error) = opened(far.clone()) else {
            panic!("{words}");
        };
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(far.side().object, Some((bytes, 77)));
    }
}

/// A copy of before that is put back under a program that knows better.
#[test]
fn an_older_copy_is_noticed() {
    let far = Memory::new();
    let store = opened(far.clone()).unwrap();
    let old = far.side().object.clone();
    let lease = block(store.acquire(me("apply"), Wait::None)).unwrap();
    let outcome = Outcome::Put(resource("x", &[]));
    block(step(&store, &lease, begin("fake.x", Op::Create), outcome)).unwrap();
    far.side().object = old;
    let error = block(store.snapshot()).unwrap_err();
    assert!(error.to_string().contains("older copy"), "{error}");
    far.side().object = None;
    let error = block(store.snapshot()).unwrap_err();
    assert!(error.to_string().contains("removed"), "{error}");
}
