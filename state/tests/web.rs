//! The store behind a web address, beside what every store does: what goes wrong on the way, locks
//! of others, what is not weir's.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{web, with_expiry};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use weir_core::plan::Op;
use weir_state::{
    Backend as _, Encryption, HttpBackend, HttpSettings, HttpStore, Options, Outcome, StateError,
    Store, Wait, Workspace,
    conformance::{Fault, WebServer, begin, me, resource, step},
    encryption::KeySource,
};

/// A server, and a state on it.
fn start() -> (WebServer, String) {
    let server = WebServer::start().unwrap();
    let address = server.address("shop");
    (server, address)
}

fn open(address: &str) -> Result<HttpStore, StateError> {
    HttpStore::open(web(address), with_expiry(Duration::from_secs(4)))
}

fn put(name: &str) -> Outcome {
    Outcome::Put(resource(name, &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_lease_a_write_is_one_request() {
    let (server, address) = start();
    let store = open(&address).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let id = server.lock("shop").unwrap();
    server.asked();
    store
        .begin(&lease, vec![begin("a.a", Op::Create)])
        .await
        .unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].method, "POST");
    assert!(asked[0].target.ends_with(&format!("?ID={id}")), "{asked:?}");
    store.release(lease).await.unwrap();
    assert_eq!(server.lock("shop"), None);
    // Each write is a version of its own.
    let before = server.versions("shop");
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    store.release(lease).await.unwrap();
    assert_eq!(server.versions("shop"), before + 2);
}

/// Whatever is cut, each step is recorded once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_without_an_answer_is_recorded_once() {
    use Fault::{After, Before, None, Slow, Status};
    let slow = Slow(Duration::from_millis(300));
    for (round, faults) in [
        vec![Before],
        vec![After],
        vec![Before, After, Before],
        vec![Status(500), Status(503), None],
        vec![Status(429), After],
        vec![slow, After, slow, Before],
    ]
    .into_iter()
    .enumerate()
    {
        let (server, address) = start();
        let store = open(&address).unwrap();
        // Of everything that is asked.
        for method in ["GET", "POST", "DELETE"] {
            server.fail(method, &faults);
        }
        let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
        for i in 0..4 {
            for method in ["GET", "POST"] {
                server.fail(method, &faults);
            }
            let name = format!("a.x[{i}]");
            step(&store, &lease, begin(&name, Op::Create), put(&name))
                .await
                .unwrap();
        }
        server.fail("DELETE", &faults);
        store.release(lease).await.unwrap();
        drop(store);
        server.heal();
        let again = open(&address).unwrap();
        let snapshot = again.snapshot().await.unwrap();
        assert_eq!(
            (snapshot.resources.len(), snapshot.serial.0),
            (4, 4),
            "{round}"
        );
        assert!(again.open_entries().await.unwrap().is_empty());
        // A lock that could not be given back keeps nobody away.
        let lease = again.acquire(me("apply"), Wait::None).await.unwrap();
        again.release(lease).await.unwrap();
    }
}

/// The servers that tell of a lock, and GitLab, which does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_under_a_broken_lock_is_refused_however_the_server_says_so() {
    for mismatch in [409, 423, 500] {
        let (server, address) = start();
        server.answers_mismatch(mismatch);
        let slept = HttpStore::open(web(&address), with_expiry(Duration::from_secs(60))).unwrap();
        let lease = slept.acquire(me("apply"), Wait::None).await.unwrap();
        let ids = slept
            .begin(&lease, vec![begin("a.a", Op::Create)])
            .await
            .unwrap();
        let other = open(&address).unwrap();
        let held = other.held().await.unwrap().remove(0);
        let ended = other.unlock(held.epoch, me("unlock")).await.unwrap();
        assert!(ended.is_some());
        let taken = other.acquire(me("other"), Wait::None).await.unwrap();
        let versions = server.versions("shop");
        // Nothing tells it before the server does: its lease lasts for a minute by its own word.
        let error = slept.commit(&lease, ids[0], put("a.a")).await.unwrap_err();
        let StateError::LeaseLost { by: Some(by) } = &error else {
            panic!("{mismatch}: {error}");
        };
        assert_eq!(by.purpose, "other");
        assert_eq!(server.versions("shop"), versions, "nothing was written");
        other.confirm(&taken).await.unwrap();
        assert_eq!(other.open_entries().await.unwrap().len(), 1);
    }
}

/// A lock that no weir has.
fn foreign(server: &WebServer, address: &str, id: &str) {
    let info = json!({
        "ID": id, "Operation": "OperationTypeApply", "Info": "", "Who": "ann@desk",
        "Version": "1.11.4", "Created": "2026-01-02T03:04:05Z", "Path": "",
    });
    let agent = ureq::Agent::new_with_defaults();
    let asked = agent.post(format!("{address}/lock")).send(info.to_string());
    assert_eq!(asked.unwrap().status().as_u16(), 200);
    assert_eq!(server.lock("shop").as_deref(), Some(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_another_program_is_respected() {
    let (server, address) = start();
    let store = open(&address).unwrap();
    foreign(&server, &address, "7c2d41a5-0000-4000-8000-000000000000");
    let error = store.acquire(me("apply"), Wait::None).await.unwrap_err();
    let StateError::Locked { by, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(by.holder.who, "the-user");
    assert!(by.holder.purpose.starts_with("weir") || !by.holder.purpose.is_empty());
    // What is there can be looked at, and who waits gets it.
    store.snapshot().await.unwrap();
    let waiting = store.acquire(me("apply"), Wait::UpTo(Duration::from_secs(30)));
    let unlocking = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let agent = ureq::Agent::new_with_defaults();
        agent.delete(format!("{address}/lock")).call().unwrap();
    };
    let (lease, ()) = tokio::join!(waiting, unlocking);
    store.release(lease.unwrap()).await.unwrap();
}

/// Killed between the lock and the write: the id says when that is over.
#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_a_weir_that_was_killed_before_it_wrote_is_broken_in_time() {
    let (server, address) = start();
    let store = open(&address).unwrap();
    let now = std::time::SystemTime::now();
    let ms = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let id = |until: u128| format!("weir-{:032x}-{until}", 7);
    foreign(&server, &address, &id(ms - 60_000));
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    store.release(lease).await.unwrap();
    // One that is not over is waited for.
    foreign(&server, &address, &id(ms + 2_500));
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    assert!(now.elapsed().unwrap() > Duration::from_millis(2_500));
    store.release(lease).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_weirs_is_never_written_over() {
    let terraforms = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "x",
        "outputs": {}, "resources": [],
    });
    for (object, words) in [
        (terraforms.to_string(), "weir state import"),
        ("hello".to_owned(), "not a weir state"),
        ("{\"serial\": 3}".to_owned(), "not a weir state"),
    ] {
        let (server, address) = start();
        server.put("shop", 3, object.as_bytes());
        let Err(error) = open(&address) else {
            panic!("{object}");
        };
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(server.object("shop").unwrap(), object.as_bytes());
        assert_eq!(server.lock("shop"), None);
    }
    // Written by Terraform under a weir that is at work.
    let (server, address) = start();
    let store = open(&address).unwrap();
    server.put("shop", 90, terraforms.to_string().as_bytes());
    let error = store.acquire(me("apply"), Wait::None).await.unwrap_err();
    assert!(error.to_string().contains("Terraform state"), "{error}");
    assert_eq!(
        server.object("shop").unwrap(),
        terraforms.to_string().as_bytes()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_what_to_do() {
    let (server, address) = start();
    drop(open(&address).unwrap());
    server.wants("ann", "Sesame-1");
    let with = |password: &str| {
        let setting = |name: &str| match name {
            "address" => Some(address.clone()),
            "lock_address" => Some(format!("{address}/lock")),
            "username" => Some("ann".to_owned()),
            "password" => Some(password.to_owned()),
            _ => None,
        };
        HttpSettings::new(&setting, &|_| None).unwrap()
    };
    let told = |result: Result<HttpStore, StateError>| {
        let text = result.map(drop).unwrap_err().to_string();
        assert!(!text.contains("Sesame"), "{text}");
        text
    };
    assert!(told(open(&address)).contains("wants a username"));
    let wrong = HttpStore::open(with("Sesame-2"), Options::default());
    assert!(told(wrong).contains("does not take this username"));
    assert!(!format!("{:?}", with("Sesame-1")).contains("Sesame"));
    // Its own methods of locking are the usual ones.
    let store = HttpStore::open(with("Sesame-1"), Options::default()).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    server.is_read_only(true);
    let refused = store.begin(&lease, vec![begin("a.a", Op::Create)]).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("\"ann\" has no right to it"), "{text}");
    store.snapshot().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_one_workspace() {
    let (server, address) = start();
    let backend = HttpBackend::new(web(&address), Options::default());
    assert!(backend.workspaces().await.unwrap().is_empty());
    assert!(
        backend
            .open_existing(&Workspace::default())
            .await
            .unwrap()
            .is_none()
    );
    drop(backend.open(&Workspace::default()).await.unwrap());
    assert_eq!(backend.workspaces().await.unwrap(), [Workspace::default()]);
    let blue: Workspace = "blue".parse().unwrap();
    let refused = backend.open(&blue).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("holds one state"), "{refused}");
    assert_eq!(backend.describe(&blue), address);
    backend.delete(&Workspace::default()).await.unwrap();
    assert_eq!(server.object("shop"), None);
    backend.delete(&Workspace::default()).await.unwrap();
}

/// The server sees no value where the state is encrypted.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_told_nothing_that_is_encrypted() {
    let (server, address) = start();
    let keys = tempfile::tempdir().unwrap();
    let key = keys.path().join("key");
    KeySource::create_file(&key).unwrap();
    let options = Options {
        encryption: Encryption::new(KeySource::File(key)),
        ..Options::default()
    };
    let store: Arc<dyn Store> = Arc::new(HttpStore::open(web(&address), options).unwrap());
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    step(&*store, &lease, begin("a.a", Op::Create), put("hush-hush"))
        .await
        .unwrap();
    store.release(lease).await.unwrap();
    let object = String::from_utf8(server.object("shop").unwrap()).unwrap();
    assert!(!object.contains("hush"), "{object}");
    let json: Json = serde_json::from_str(&object).unwrap();
    assert_eq!(json["lineage"], store.lineage().to_string());
    assert_eq!(json["weir"]["lock"], Json::Null);
}

#[test]
fn settings_that_are_refused() {
    let table = [
        (vec![], "no `address`"),
        (vec![("address", "https://a/b")], "no `lock_address`"),
        (
            vec![("address", "ftp://a/b"), ("lock_address", "https://a")],
            "begin with http",
        ),
        (
            vec![("address", "https:///x"), ("lock_address", "https://a")],
            "no address",
        ),
        (
            vec![
                ("address", "https://u:p@a/x"),
                ("lock_address", "https://a"),
            ],
            "a login in it",
        ),
        (
            vec![
                ("address", "https://a"),
                ("lock_address", "https://a"),
                ("lock_method", "A B"),
            ],
            "no method",
        ),
        (
            vec![
                ("address", "https://a"),
                ("lock_address", "https://a"),
                ("client_certificate_pem", "x"),
            ],
            "go together",
        ),
    ];
    for (given, words) in table {
        let given: BTreeMap<&str, &str> = given.into_iter().collect();
        let setting = |name: &str| given.get(name).map(|v| (*v).to_owned());
        let error = HttpSettings::new(&setting, &|_| None).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    // The environment stands in for what is not written.
    let variable = |name: &str| match name {
        "TF_HTTP_ADDRESS" | "TF_HTTP_LOCK_ADDRESS" => Some("https://a/b".to_owned()),
        _ => None,
    };
    HttpSettings::new(&|_| None, &variable).unwrap();
}
