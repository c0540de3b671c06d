//! The store in a bucket and its server: requests that are cut, late or refused, servers that can't
//! be trusted, and what it says of what is wrong.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use common::{bucket, s3_options, s3_settings, shared_bucket, with_expiry};
use proxy::{Fate, Proxy};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use weir_core::{plan::Op, snapshot::Serial};
use weir_state::{
    Backend, Options, Outcome, S3Backend, S3Options, S3Settings, S3Store, StateError, Store, Wait,
    Workspace,
    conformance::{address, begin, me, resource, step},
};

fn open_at(endpoint: &str, key: &str, expiry: Duration) -> Result<S3Store, StateError> {
    let settings = s3_settings(endpoint, key);
    S3Store::open(settings, &Workspace::default(), with_expiry(expiry))
}

const LONG: Duration = Duration::from_secs(30);

fn error(status: u16, code: &str, headers: &str) -> Fate {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>It is so.</Message></Error>"
    );
    Fate::Answer(status, headers.into(), body)
}

/// Whatever becomes of the requests, each write is recorded, once, and none fails.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_cut_late_or_put_off_cost_nothing() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let proxy = Proxy::new(bucket.address());
    let store = Arc::new(open_at(&proxy.endpoint(), "cut/weir.state", LONG).unwrap());
    let lease = Arc::new(store.acquire(me("apply"), Wait::None).await.unwrap());
    proxy.judge(
        |_, number| match fastrand::Rng::with_seed(number * 31 + 7).u32(0..12) {
            0 | 1 => Fate::CutBefore,
            2 | 3 => Fate::CutAfter,
            4 => error(503, "SlowDown", ""),
            5 => error(409, "ConditionalRequestConflict", ""),
            6 => error(500, "InternalError", ""),
            7 => Fate::Late(Duration::from_millis(40)),
            _ => Fate::Pass,
        },
    );
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (store, lease) = (store.clone(), lease.clone());
            tokio::spawn(async move {
                for i in 0..15 {
                    let name = format!("a.r[\"{task}-{i}\"]");
                    let put = Outcome::Put(resource(&name, &[]));
                    step(&*store, &lease, begin(&name, Op::Create), put)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    proxy.judge(|_, _| Fate::Pass);
    let other = open_at(&bucket.endpoint(), "cut/weir.state", LONG).unwrap();
    let snapshot = other.snapshot().await.unwrap();
    assert_eq!((snapshot.resources.len(), snapshot.serial.0), (60, 60));
    assert!(other.open_entries().await.unwrap().is_empty());
    assert_eq!(other.closed_entries(1).await.unwrap().len(), 60);
}

/// A write that reaches the server after its lease was taken over is refused there.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_comes_late_changes_nothing() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let proxy = Proxy::new(bucket.address());
    let store = open_at(&proxy.endpoint(), "late/weir.state", LONG).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let is_first = AtomicBool::new(true);
    proxy.judge(move |line, _| {
        match line.starts_with("PUT") && is_first.swap(false, Ordering::Relaxed) {
            true => Fate::Late(Duration::from_secs(2)),
            false => Fate::Pass,
        }
    });
    let late = tokio::spawn(async move {
        let begun = store.begin(&lease, vec![begin("a.late", Op::Create)]).await;
        (begun.map(drop), store)
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let other = open_at(&bucket.endpoint(), "late/weir.state", LONG).unwrap();
    for held in other.held().await.unwrap() {
        other.unlock(held.epoch, me("unlock")).await.unwrap();
    }
    let taken = other.acquire(me("taker"), Wait::None).await.unwrap();
    let (begun, _store) = late.await.unwrap();
    let Err(StateError::LeaseLost { by: Some(by) }) = begun else {
        panic!("{begun:?}");
    };
    assert_eq!(by.purpose, "taker");
    assert!(other.open_entries().await.unwrap().is_empty());
    other.confirm(&taken).await.unwrap();
}

/// A server that stays away is told within the lease's life, and the next run finds what was.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_is_told() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let proxy = Proxy::new(bucket.address());
    let short = Duration::from_secs(2);
    let store = open_at(&proxy.endpoint(), "away/weir.state", short).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let ids = store
        .begin(&lease, vec![begin("a.a", Op::Create)])
        .await
        .unwrap();
    proxy.judge(|_, _| Fate::CutAfter);
    let put = Outcome::Put(resource("a.a", &[]));
    let told = store.commit(&lease, ids[0], put.clone()).await;
    assert!(
        matches!(told, Err(StateError::Unreachable { .. })),
        "{told:?}"
    );
    proxy.judge(|_, _| Fate::Pass);
    // It was done, although nobody could know.
    let again = store.commit(&lease, ids[0], put).await;
    assert!(
        matches!(
            again,
            Err(StateError::NoSuchEntry(_) | StateError::LeaseLost { .. })
        ),
        "{again:?}"
    );
    let other = open_at(&bucket.endpoint(), "away/weir.state", short).unwrap();
    assert_eq!(other.snapshot().await.unwrap().resources.len(), 1);
}

/// Without conditional writes two programs could write over each other.
#[test]
fn a_server_that_sees_no_conditions_is_refused() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let proxy = Proxy::new(bucket.address());
    proxy.judge(|_, _| Fate::Unconditional);
    let Err(told) = open_at(&proxy.endpoint(), "blind/weir.state", LONG) else {
        panic!("it was trusted");
    };
    assert!(
        told.to_string().contains("conditional writes (If-Match"),
        "{told}"
    );
    let (_, listed) = bucket
        .ask("GET", "/weir?list-type=2&prefix=blind", b"")
        .unwrap();
    assert!(!listed.contains("<Key>"), "nothing is left there: {listed}");
}

/// What is wrong is told with what to do.
#[test]
fn what_the_server_says_is_told_with_what_to_do() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let proxy = Proxy::new(bucket.address());
    let elsewhere = "x-amz-bucket-region: eu-west-3\r\n";
    for (fate, words) in [
        (error(403, "AccessDenied", ""), "s3:ListBucket"),
        (error(403, "InvalidAccessKeyId", ""), "AWS_ACCESS_KEY_ID"),
        (error(403, "SignatureDoesNotMatch", ""), "Check the keys"),
        (error(400, "ExpiredToken", ""), "Log in again"),
        (error(403, "RequestTimeTooSkewed", ""), "Set the clock"),
        (error(404, "NoSuchBucket", ""), "Create bucket weir"),
        (
            error(301, "PermanentRedirect", elsewhere),
            "write `region = \"eu-west-3\"`",
        ),
        (
            error(400, "AuthorizationHeaderMalformed", elsewhere),
            "is in region eu-west-3",
        ),
        (error(501, "NotImplemented", ""), "conditional writes"),
        (error(400, "Odd", ""), "It is so (Odd)"),
    ] {
        proxy.judge(move |_, _| fate.clone());
        let Err(told) = open_at(&proxy.endpoint(), "told/weir.state", LONG) else {
            panic!("{words}");
        };
        assert!(told.to_string().contains(words), "{told}");
        assert!(!told.to_string().contains("s3cr3t"), "{told}");
    }
}

/// The expiry of a lease goes by the server's clock.
#[tokio::test(flavor = "multi_thread")]
async fn times_are_the_servers() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let proxy = Proxy::new(bucket.address());
    for ahead in [0, 3600, -3600] {
        proxy.judge(move |_, _| Fate::Clock(ahead));
        let store = open_at(&proxy.endpoint(), &format!("clock{ahead}/s"), LONG).unwrap();
        let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
        let expires = store.leases().await.unwrap()[0].expires;
        let millis = |t: SystemTime| {
            t.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_millis()
        };
        let off = millis(expires).cast_signed() - millis(SystemTime::now()).cast_signed();
        let off = off - i128::from(ahead) * 1000 - 30_000;
        assert!((-15_000..=2_000).contains(&off), "{ahead}: {off} ms");
        store.release(lease).await.unwrap();
    }
}

/// States of workspaces are beside each other, as Terraform has them; one is removed with its parts.
#[tokio::test(flavor = "multi_thread")]
async fn workspaces_have_objects_of_their_own() {
    let Some(bucket) = bucket() else { return };
    let settings = s3_settings(&bucket.endpoint(), "shop/a+b.state");
    let backend = S3Backend::new(settings, Options::default());
    let prod: Workspace = "prod".parse().unwrap();
    assert_eq!(backend.workspaces().await.unwrap(), []);
    assert!(backend.open_existing(&prod).await.unwrap().is_none());
    let store = backend.open(&prod).await.unwrap();
    assert_eq!(
        backend.workspaces().await.unwrap(),
        std::slice::from_ref(&prod)
    );
    let default = backend.open(&Workspace::default()).await.unwrap();
    assert_ne!(default.lineage(), store.lineage());
    let both = [Workspace::default(), prod.clone()];
    assert_eq!(backend.workspaces().await.unwrap(), both);
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    // Enough for parts.
    let found = (0..200).map(|i| {
        let name = format!("a.r[{i}]");
        (address(&name), Some(resource(&name.repeat(60), &[])))
    });
    store.record_refresh(&lease, found.collect()).await.unwrap();
    store.release(lease).await.unwrap();
    drop(store);
    let keys = || bucket.ask("GET", "/weir?list-type=2", b"").unwrap().1;
    assert!(
        keys().contains("<Key>env:/prod/shop/a+b.state.weir.parts/"),
        "{}",
        keys()
    );
    let again = backend.open_existing(&prod).await.unwrap().unwrap();
    assert_eq!(again.snapshot().await.unwrap().resources.len(), 200);
    drop(again);
    backend.delete(&prod).await.unwrap();
    backend.delete(&prod).await.unwrap();
    assert!(!keys().contains("prod"), "{}", keys());
    assert_eq!(backend.workspaces().await.unwrap(), [Workspace::default()]);
}

/// A part whose document never came goes with the next base; one that is being written does not.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_dead_left_is_swept() {
    let Some(bucket) = bucket() else { return };
    let store = open_at(&bucket.endpoint(), "swept/a+b.state", LONG).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let put = Outcome::Put(resource("a.a", &[]));
    step(&store, &lease, begin("a.a", Op::Create), put)
        .await
        .unwrap();
    let folder = "/weir/swept/a%2Bb.state.weir.parts";
    for name in ["0000000001-dead", "9999999999-alive"] {
        let (status, told) = bucket
            .ask("PUT", &format!("{folder}/{name}"), b"x")
            .unwrap();
        assert_eq!(status, 200, "{told}");
    }
    let keys = || bucket.ask("GET", "/weir?list-type=2", b"").unwrap().1;
    assert!(keys().contains("0000000001-dead"), "{}", keys());
    store.prune(&lease, Serial(1)).await.unwrap();
    let left = keys();
    assert!(
        !left.contains("0000000001-dead") && left.contains("9999999999-alive"),
        "{left}"
    );
    store.release(lease).await.unwrap();
    drop(store);
    let again = open_at(&bucket.endpoint(), "swept/a+b.state", LONG).unwrap();
    assert_eq!(again.snapshot().await.unwrap().resources.len(), 1);
}

/// What Terraform keeps at the key is found and stays as it is; one that is where weir's own would
/// be is not touched either.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_terraforms_is_not_touched() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let theirs = r#"{"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "l", "outputs": {}, "resources": []}"#;
    let path = "/weir/env%3A/prod/theirs/terraform.tfstate";
    let put = |path: &str| bucket.ask("PUT", path, theirs.as_bytes()).unwrap();
    assert_eq!(put(path).0, 200);
    let settings = s3_settings(&bucket.endpoint(), "theirs/terraform.tfstate");
    let backend = S3Backend::new(settings, Options::default());
    let prod: Workspace = "prod".parse().unwrap();
    let found = backend.terraforms(&prod).await.unwrap();
    assert_eq!(found.as_deref(), Some(theirs));
    let none = backend.terraforms(&Workspace::default()).await.unwrap();
    assert_eq!(none, None);
    assert!(backend.open_existing(&prod).await.unwrap().is_none());
    backend.open(&prod).await.unwrap();
    assert_eq!(bucket.ask("GET", path, b"").unwrap().1, theirs);
    put("/weir/theirs.weir");
    let Err(told) = open_at(&bucket.endpoint(), "theirs", LONG) else {
        panic!("it was taken");
    };
    assert!(told.to_string().contains("weir state import"), "{told}");
    assert_eq!(
        bucket.ask("GET", "/weir/theirs.weir", b"").unwrap().1,
        theirs
    );
}

/// What is not written comes from the environment and the profile; the address of the bucket.
#[test]
fn settings_are_completed_as_awss_tools_do() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(
        home.path().join(".aws/config"),
        "[default]\nregion = eu-north-1\n[profile team]\nregion=ap-south-1\n",
    )
    .unwrap();
    let home = home.path().display().to_string();
    let shown = |options: S3Options, set: &[(&str, &str)]| {
        let variable = |name: &str| match name {
            "HOME" => Some(home.clone()),
            _ => set
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned()),
        };
        match S3Settings::new(options, &variable) {
            Ok(settings) => format!("{settings:?}"),
            Err(e) => e.to_string(),
        }
    };
    let plain = || S3Options {
        bucket: "infra".into(),
        key: "k".into(),
        ..S3Options::default()
    };
    let region = |r: &str| format!("https://infra.s3.{r}.amazonaws.com/");
    for (options, set, words) in [
        (plain(), vec![], region("eu-north-1")),
        (plain(), vec![("AWS_PROFILE", "team")], region("ap-south-1")),
        (
            plain(),
            vec![("AWS_REGION", "us-west-2")],
            region("us-west-2"),
        ),
        (plain(), vec![("AWS_PROFILE", "other")], "no region".into()),
        (
            plain(),
            vec![("AWS_ENDPOINT_URL_S3", "http://[::1]:9000/s3/")],
            "http://[::1]:9000/s3/infra/".into(),
        ),
        (
            S3Options {
                bucket: "a.b".into(),
                region: Some("cn-north-1".into()),
                ..plain()
            },
            vec![],
            "https://s3.cn-north-1.amazonaws.com.cn/a.b/".into(),
        ),
        (
            S3Options {
                endpoint: Some("minio.lan".into()),
                path_style: Some(false),
                ..plain()
            },
            vec![],
            "https://infra.minio.lan/".into(),
        ),
        (
            S3Options {
                key: "/k".into(),
                ..plain()
            },
            vec![],
            "the key must name".into(),
        ),
        (
            S3Options {
                bucket: "a/b".into(),
                ..plain()
            },
            vec![],
            "can't name a bucket".into(),
        ),
        (
            S3Options {
                bucket: String::new(),
                ..plain()
            },
            vec![],
            "no bucket".into(),
        ),
        (
            S3Options {
                secret_key: Some("s3cr3t".into()),
                ..plain()
            },
            vec![],
            "there is only one".into(),
        ),
        (
            S3Options {
                endpoint: Some("ftp://x".into()),
                ..plain()
            },
            vec![],
            "no address of a server".into(),
        ),
    ] {
        let told = shown(options, &set);
        assert!(told.contains(&words), "{set:?}: {told}");
        assert!(!told.contains("s3cr3t"));
    }
    let settings = S3Settings::from_address("s3://b/a%20b?region=x&endpoint=http://h:1", &|_| None);
    assert!(format!("{:?}", settings.unwrap()).contains("http://h:1/b/\", key: \"a b\""));
    assert!(S3Settings::from_address("s3://b/k?regoin=x", &|_| None).is_err());
}

/// Keys of a profile; none at all.
#[test]
fn credentials_come_from_the_profile() {
    let Some(bucket) = shared_bucket() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let text = "[team]\naws_access_key_id = AKIDTEAM\naws_secret_access_key = s3cr3t\n";
    std::fs::write(home.path().join(".aws/credentials"), text).unwrap();
    let proxy = Proxy::new(bucket.address());
    let home = home.path().display().to_string();
    proxy.judge(|head, _| match head.contains("Credential=AKIDTEAM/") {
        true => Fate::Pass,
        false => error(403, "InvalidAccessKeyId", ""),
    });
    let options = S3Options {
        access_key: None,
        secret_key: None,
        profile: Some("team".into()),
        skip_metadata: true,
        ..s3_options(&proxy.endpoint(), "profile/s")
    };
    let variable = |name: &str| (name == "HOME").then(|| home.clone());
    let open = |options: S3Options| {
        let settings = S3Settings::new(options, &variable).unwrap();
        S3Store::open(settings, &Workspace::default(), Options::default()).map(drop)
    };
    open(options.clone()).unwrap();
    let none = S3Options {
        profile: Some("nobody".into()),
        ..options
    };
    let told = open(none).unwrap_err().to_string();
    assert!(
        told.contains("no credentials") && told.contains("AWS_PROFILE"),
        "{told}"
    );
}
