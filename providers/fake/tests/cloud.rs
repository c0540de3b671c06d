//! The fake cloud under several processes, kill points and seeded faults.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::{
    path::Path,
    process::{Command, Stdio},
};
use weir_core::{Known, Marks, Type, Value, plan::Op};
use weir_fake::{
    FakeProvider,
    cloud::{Cloud, Entry, Hand},
};
use weir_provider::{
    ApplyRequest, ApplyResponse, Attribution, ChangedRequest, Completeness, NoProgress,
    PlanRequest, Provider, Settled, Token, proposed,
};

fn config(path: &Path, extra: &[(&str, Value)]) -> Value {
    let path = Value::from(path.to_string_lossy().into_owned());
    extra
        .iter()
        .fold(Value::object([("path", path)]), |v, (k, x)| {
            v.with(k, x.clone())
        })
}

fn thing(name: &str) -> Value {
    let schema = weir_fake::fake_thing();
    let null = Value::object::<String>([]);
    let fields = schema.block.attributes.iter();
    let value = fields.fold(null, |v, (k, a)| v.with(k, Value::null_of(a.ty.clone())));
    let disks = Value::list(schema.block.blocks["disk"].block.ty(), Vec::new());
    value.with("disk", disks).with("name", name.into())
}

async fn provider(path: &Path, extra: &[(&str, Value)]) -> FakeProvider {
    let provider = FakeProvider::new();
    provider.configure(&config(path, extra)).await.unwrap();
    provider
}

async fn create_request(provider: &FakeProvider, name: &str, step: u64) -> ApplyRequest {
    let config = thing(name);
    let request = PlanRequest {
        type_name: "fake_thing".into(),
        address: format!("fake_thing.{name}"),
        prior: None,
        proposed: proposed::merge(&weir_fake::fake_thing(), None, &config),
        config: config.clone(),
        private: Vec::new(),
    };
    let plan = provider.plan(request).await.unwrap();
    ApplyRequest {
        type_name: "fake_thing".into(),
        address: format!("fake_thing.{name}"),
        op: Op::Create,
        prior: None,
        planned: Some(plan.planned),
        config: Some(config),
        private: plan.private,
        token: Token {
            lineage: "test".into(),
            epoch: 1,
            step,
        },
    }
}

async fn create(provider: &FakeProvider, name: &str, step: u64) -> ApplyResponse {
    provider
        .apply(create_request(provider, name, step).await, &NoProgress)
        .await
}

/// Not a test by itself: what the others run in a process of its own.
#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var("FAKE_CLOUD_CHILD") else {
        return;
    };
    let number: u64 = std::env::var("FAKE_CLOUD_NUMBER").unwrap().parse().unwrap();
    let kill_at = std::env::var("FAKE_CLOUD_KILL").ok();
    let extra: Vec<_> = kill_at
        .iter()
        .map(|k| ("kill_at", Value::from(k.as_str())))
        .collect();
    let provider = provider(Path::new(&path), &extra).await;
    for step in 0..10 {
        let response = create(&provider, &format!("p{number}-{step}"), number * 100 + step).await;
        assert!(response.diagnostics.is_empty(), "{}", response.diagnostics);
    }
}

fn spawn(path: &Path, number: u64, kill_at: Option<&str>) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .env("FAKE_CLOUD_CHILD", path)
        .env("FAKE_CLOUD_NUMBER", number.to_string());
    if let Some(kill_at) = kill_at {
        command.env("FAKE_CLOUD_KILL", kill_at);
    }
    command.spawn().unwrap()
}

#[test]
fn several_processes_lose_nothing_and_mix_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud");
    let children: Vec<_> = (0..4).map(|n| spawn(&path, n, None)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let cloud = Cloud::open(&path).unwrap();
    assert_eq!(cloud.creations().unwrap(), 40);
    let objects = cloud.objects().unwrap();
    assert_eq!(objects.len(), 40, "ids were given twice");
}

#[tokio::test]
async fn kill_points_abort_where_they_say() {
    // Point, objects left behind, and whether the third one's creation can be found.
    let table = [
        ("before_create:3", 2, None),
        ("mid_create:3", 3, Some(Completeness::Partial)),
        ("after_create:3", 3, Some(Completeness::Whole)),
    ];
    for (kill_at, left, found) in table {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud");
        let status = spawn(&path, 0, Some(kill_at)).wait().unwrap();
        assert!(!status.success(), "{kill_at}: the process lived on");
        assert_eq!(
            Cloud::open(&path).unwrap().creations().unwrap(),
            left,
            "{kill_at}"
        );
        let provider = provider(&path, &[]).await;
        let request = create_request(&provider, "p0-2", 2).await;
        match (provider.settle(request).await, found) {
            (Settled::NotDone, None) => {}
            (
                Settled::Done {
                    value: Some(_),
                    completeness,
                    ..
                },
                Some(expected),
            ) => {
                assert_eq!(completeness, expected, "{kill_at}");
            }
            (other, _) => panic!("{kill_at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn faults_follow_the_seed_and_pass_in_the_end() {
    let faults = |seed: i64| {
        let faults = [
            ("seed", Value::from(seed)),
            ("create_error_rate", Value::from(50)),
        ];
        [("faults", Value::object(faults))]
    };
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud");
        let provider = provider(&path, &faults(seed)).await;
        let mut outcomes = Vec::new();
        for step in 0..20 {
            outcomes.push(
                create(&provider, &format!("t{step}"), step)
                    .await
                    .value
                    .is_some(),
            );
        }
        assert!(
            outcomes.contains(&true) && outcomes.contains(&false),
            "{outcomes:?}"
        );
        runs.push(outcomes);
        let mut tries = 0;
        while create(&provider, "last", 100 + tries).await.value.is_none() {
            tries += 1;
            assert!(tries < 100, "a fault must not last for ever");
        }
    }
    assert_eq!(runs[0], runs[1], "the same seed must give the same faults");
    assert_ne!(runs[0], runs[2], "another seed must give others");
}

#[tokio::test]
async fn a_torn_line_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud");
    let provider = provider(&path, &[]).await;
    create(&provider, "a", 1).await;
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"Created\":{\"id\":\"thing-0002\",\"ty");
    std::fs::write(&path, text).unwrap();
    create(&provider, "b", 2).await;
    let cloud = Cloud::open(&path).unwrap();
    let made: Vec<_> = cloud.objects().unwrap().into_keys().collect();
    assert_eq!(made, ["thing-0001", "thing-0002"]);
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud");
    let provider = provider(&path, &[]).await;
    create(&provider, "a", 1).await;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}nonsense\n")).unwrap();
    let error = Cloud::open(&path)
        .unwrap()
        .objects()
        .unwrap_err()
        .to_string();
    assert!(error.contains("damaged at entry 2"), "{error}");
}

#[tokio::test]
async fn a_batch_is_one_call_with_one_answer_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud");
    let provider = provider(&path, &[("batch", Value::from(true))]).await;
    let mut requests = Vec::new();
    for name in ["a", "b", "c"] {
        requests.push(create_request(&provider, name, 1).await);
    }
    let responses = provider.apply_batch(requests.clone(), &NoProgress).await;
    assert_eq!(responses.len(), 3);
    let again = provider.apply_batch(requests, &NoProgress).await;
    let values = |r: &[ApplyResponse]| r.iter().map(|r| r.value.clone()).collect::<Vec<_>>();
    assert_eq!(
        values(&responses),
        values(&again),
        "one token, several nodes: each found again"
    );
    let log = Cloud::open(&path).unwrap().log().unwrap();
    let batches: Vec<_> = log
        .iter()
        .filter(|e| matches!(e, Entry::Batch { size: 3 }))
        .collect();
    assert_eq!(batches.len(), 2);
    assert_eq!(Cloud::open(&path).unwrap().creations().unwrap(), 3);
}

#[tokio::test]
async fn lookup_finds_by_name_and_says_when_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let provider = provider(&folder.path().join("cloud"), &[]).await;
    create(&provider, "a", 1).await;
    let query = |name: &str| {
        Value::object([
            ("name", Value::from(name)),
            ("id", Value::null_of(Type::String)),
        ])
    };
    let found = provider.data("fake_lookup", &query("a")).await.unwrap();
    assert_eq!(found.value().get("id"), Some(&Value::from("thing-0001")));
    let error = provider
        .data("fake_lookup", &query("b"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"b\""), "{error}");
}

#[tokio::test]
async fn a_sensitive_mark_survives_the_cloud() {
    let folder = tempfile::tempdir().unwrap();
    let provider = provider(&folder.path().join("cloud"), &[]).await;
    let mut request = create_request(&provider, "a", 1).await;
    let secret = Value::from("hush").mark(Marks::SENSITIVE);
    request.planned = request.planned.map(|p| p.with("secret", secret.clone()));
    let made: Known = provider.apply(request, &NoProgress).await.value.unwrap();
    let read = provider
        .read(weir_provider::ReadRequest {
            type_name: "fake_thing".into(),
            address: "fake_thing.a".into(),
            prior: made,
            private: Vec::new(),
        })
        .await
        .unwrap();
    assert_eq!(read.value.unwrap().value().get("secret"), Some(&secret));
}

#[tokio::test]
async fn the_cloud_knows_who_wrote_a_thing_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cloud");
    let provider = provider(&path, &[]).await;
    let made = create(&provider, "a", 1).await.value.unwrap();
    let id = made.value().get("id").and_then(Value::as_str).unwrap();
    let ask = async || {
        let request = ChangedRequest {
            type_name: "fake_thing".into(),
            address: "fake_thing.a".into(),
            recorded: made.clone(),
            found: None,
            private: Vec::new(),
        };
        provider.changed_by(request).await.unwrap()
    };
    let hand = |who: &str, at| Hand {
        who: who.into(),
        at,
        how: "console".into(),
    };
    let told = |who: &str, at| Attribution {
        who: Some(who.into()),
        when: Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(at)),
        how: Some("console".into()),
    };
    let operation = ask().await.unwrap();
    assert_eq!((operation.who, operation.when), (None, None));
    assert!(
        operation
            .how
            .unwrap()
            .contains("operation test-1-1 fake_thing.a")
    );
    // Another process writes.
    let cloud = Cloud::open(&path).unwrap();
    let set = |hand| cloud.tamper_by(hand, id, "size", 3.into()).unwrap();
    set(hand("ada", 5));
    assert_eq!(ask().await, Some(told("ada", 5)));
    // Whoever came later hides who was there before, also where nobody knows who that is.
    cloud.tamper(id, "size", 4.into()).unwrap();
    assert_eq!(ask().await, None);
    // A time that no clock has is none.
    set(hand("eve", u64::MAX));
    assert_eq!(ask().await.unwrap().when, None);
    cloud.vanish_by(hand("bob", 9), id).unwrap();
    assert_eq!(ask().await, Some(told("bob", 9)));
}
