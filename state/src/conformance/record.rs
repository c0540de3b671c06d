//! What is there, what was there, and who did it.

use super::{Place, Verified, address, begin, create, known, me, resource, step};
use crate::{ApplyOutcome, ApplyRecord, Outcome, StateError, Target, Wait, fold};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use weir_core::{
    Marks, Type, Value,
    checks::{CheckInstance, CheckKind, CheckResult, CheckStatus},
    plan::Op,
    references::{BlockGraph, Object, References, Referred, Standing},
    snapshot::{Resource, Serial, Snapshot, Status},
};

pub(super) async fn starts_empty(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let snapshot = store.snapshot().await?;
    assert_eq!(snapshot, Snapshot::empty(store.lineage()));
    assert!(!store.lineage().0.is_empty());
    assert!(store.is_empty().await?);
    assert!(store.open_entries().await?.is_empty());
    assert!(store.history().await?.is_empty());
    assert!(store.leases().await?.is_empty());
    assert_eq!(place.open().await?.lineage(), store.lineage());
    Ok(())
}

pub(super) async fn records_and_reopens(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    create(&*store, &lease, "a.b[0]", &["a.a"]).await?;
    create(&*store, &lease, "module.m[\"x.y\"].a.c[\"k\"]", &["a.b[0]"]).await?;
    let outputs = BTreeMap::from([("o".to_owned(), known(Value::string("out")))]);
    assert_eq!(store.set_outputs(&lease, outputs.clone()).await?, Serial(4));
    assert_eq!(store.set_outputs(&lease, outputs).await?, Serial(4));
    let before = store.snapshot().await?;
    assert_eq!(before.resources.len(), 3);
    assert_eq!(before.serial, Serial(4));
    store.release(lease).await?;
    drop(store);
    let store = place.open().await?;
    assert_eq!(store.snapshot().await?, before);
    assert!(!store.is_empty().await?);
    let lease = store.acquire(me("destroy"), Wait::None).await?;
    for text in ["module.m[\"x.y\"].a.c[\"k\"]", "a.b[0]"] {
        step(&*store, &lease, begin(text, Op::Delete), Outcome::Gone).await?;
    }
    assert_eq!(store.forget(&lease, &address("a.a")).await?, Serial(7));
    assert_eq!(store.forget(&lease, &address("a.a")).await?, Serial(7));
    assert!(!store.is_empty().await?, "an output is left");
    store.set_outputs(&lease, BTreeMap::new()).await?;
    assert!(store.is_empty().await?);
    let before = store.snapshot().await?;
    let graph = BlockGraph(BTreeMap::from([(
        "a.a".to_owned(),
        BTreeSet::from([Referred::Block("a.b".into())]),
    )]));
    let objects = vec![Object::current(&address("a.a"), Standing::Settled)];
    let references = References::default().after(Some(graph), objects);
    let serial = store.set_references(&lease, references.clone()).await?;
    assert_eq!(serial.0, before.serial.0 + 1);
    let again = store.set_references(&lease, references.clone()).await?;
    assert_eq!(again, serial, "nothing is new");
    assert_eq!(store.snapshot().await?.references, references);
    assert_eq!(store.snapshot_at(before.serial).await?, before);
    store.set_references(&lease, References::default()).await?;
    assert!(store.is_empty().await?);
    Ok(())
}

/// A long run of outcomes in a fixed disorder: after each the store is what the fold says.
pub(super) async fn equals_the_fold(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let mut folded = Snapshot::empty(store.lineage());
    let names = ["a.a", "a.b", "a.c", "a.d", "a.e"];
    let mut seed = 7_usize;
    for round in 0..120 {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        let pick = seed >> 8;
        let text = names[pick % names.len()];
        // Dependencies point to earlier names alone: the fold has no loops to settle.
        let dependencies = &names[..(pick / 5) % (pick % names.len() + 1)];
        let fresh = resource(&format!("{text}-{round}"), dependencies);
        let outcome = match (pick / 64) % 6 {
            0 | 1 => Outcome::Put(fresh),
            2 => Outcome::Gone,
            3 => Outcome::Kept,
            4 => Outcome::Failed {
                message: "no".into(),
                leftover: None,
            },
            _ => Outcome::Failed {
                message: "half".into(),
                leftover: Some(Resource {
                    status: Status::Tainted,
                    ..fresh
                }),
            },
        };
        fold::fold(
            &mut folded,
            &address(text),
            Target::Current,
            outcome.clone(),
        );
        let (_, serial) = step(&*store, &lease, begin(text, Op::Update), outcome).await?;
        assert_eq!(serial, folded.serial, "round {round}");
        if round % 10 == 9 {
            let found = vec![
                (address(names[0]), Some(resource(&format!("r{round}"), &[]))),
                (address(names[pick % 4 + 1]), None),
            ];
            fold::fold_refresh(&mut folded, found.clone());
            let serial = store.record_refresh(&lease, found).await?;
            assert_eq!(serial, folded.serial, "round {round}, refresh");
            let outputs = BTreeMap::from([(format!("o{}", round % 3), known(Value::from(round)))]);
            fold::fold_outputs(&mut folded, outputs.clone());
            assert_eq!(store.set_outputs(&lease, outputs).await?, folded.serial);
        }
        let mut shown = folded.clone();
        fold::settle_edges(&mut shown, &BTreeMap::new());
        assert_eq!(store.snapshot().await?, shown, "round {round}");
    }
    Ok(())
}

pub(super) async fn keeps_the_past(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let mut past = vec![store.snapshot().await?];
    for (text, outcome) in [
        ("a.a", Outcome::Put(resource("1", &[]))),
        ("a.b", Outcome::Put(resource("2", &["a.a"]))),
        ("a.a", Outcome::Put(resource("3", &[]))),
        ("a.b", Outcome::Gone),
        ("a.b", Outcome::Put(resource("4", &[]))),
    ] {
        step(&*store, &lease, begin(text, Op::Update), outcome).await?;
        past.push(store.snapshot().await?);
    }
    for snapshot in &past {
        assert_eq!(&store.snapshot_at(snapshot.serial).await?, snapshot);
    }
    assert_eq!(
        store.snapshot_at(Serial(6)).await,
        Err(StateError::NoSuchSerial {
            asked: Serial(6),
            latest: Serial(5)
        })
    );
    Ok(())
}

pub(super) async fn keeps_every_value(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let huge: weir_core::Number = match "123456789012345678901234567890.000000000000000001".parse()
    {
        Ok(number) => number,
        Err(e) => panic!("{e}"),
    };
    let value = known(Value::object([
        ("null", Value::null_of(Type::String)),
        ("number", Value::number(huge)),
        ("text", Value::string("\u{0}\n\"quoted\" €")),
        ("list", Value::list(Type::Bool, vec![Value::bool(true)])),
        (
            "set",
            Value::set(Type::String, [Value::string("b"), Value::string("a")]),
        ),
        (
            "tuple",
            Value::tuple(vec![Value::from(1), Value::string("x")]),
        ),
        ("map", Value::map(Type::Number, [("k", Value::from(2))])),
        ("secret", Value::string("s").mark(Marks::SENSITIVE)),
    ]));
    let put = Resource {
        value,
        private: (0..=255).collect(),
        status: Status::Tainted,
        ..resource("a.a", &[])
    };
    let planned = begin("a.a", Op::Create);
    let ids = store.begin(&lease, vec![planned.clone()]).await?;
    let open = store.open_entries().await?;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, open[0].epoch), (ids[0], lease.epoch()));
    assert_eq!(open[0].begin, planned);
    store
        .commit(&lease, ids[0], Outcome::Put(put.clone()))
        .await?;
    assert_eq!(store.snapshot().await?.resources[&address("a.a")], put);

    let fleeting = known(Value::object([(
        "password",
        Value::string("hunter2").mark(Marks::EPHEMERAL),
    )]));
    let put = Resource {
        value: fleeting,
        ..put
    };
    step(&*store, &lease, begin("a.a", Op::Update), Outcome::Put(put)).await?;
    let stored = &store.snapshot().await?.resources[&address("a.a")];
    assert!(
        stored
            .value
            .value()
            .get("password")
            .is_some_and(Value::is_null),
        "an ephemeral value is never stored"
    );
    Ok(())
}

/// The configuration turned a dependency round, and only one side was recorded since.
pub(super) async fn breaks_a_stale_loop(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    create(&*store, &lease, "a.b", &["a.a"]).await?;
    create(&*store, &lease, "a.c", &["a.b"]).await?;
    let turned = vec![(address("a.a"), Some(resource("a.a", &["a.c"])))];
    store.record_refresh(&lease, turned).await?;
    let snapshot = store.snapshot().await?;
    let of = |text: &str| snapshot.resources[&address(text)].dependencies.clone();
    assert_eq!(
        of("a.a"),
        BTreeSet::from([address("a.c")]),
        "the latest word stands"
    );
    assert_eq!(of("a.b"), BTreeSet::new(), "the oldest one yields");
    assert_eq!(of("a.c"), BTreeSet::from([address("a.b")]));
    Ok(())
}

pub(super) async fn keeps_history(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    let mut records = Vec::new();
    for outcome in [
        ApplyOutcome::Failed {
            errors: vec!["a.b: no quota".into()],
        },
        ApplyOutcome::Interrupted,
        ApplyOutcome::Succeeded,
    ] {
        let record = ApplyRecord {
            who: "ann".into(),
            started: std::time::UNIX_EPOCH + Duration::from_millis(1_234_567_890_123),
            plan_digest: "p".into(),
            config_digest: "c".into(),
            bundle: None,
            outcome,
            checks: Some(vec![CheckResult {
                block: "check.health".into(),
                kind: CheckKind::Check,
                status: CheckStatus::Fail,
                instances: vec![CheckInstance {
                    address: "check.health".into(),
                    status: CheckStatus::Fail,
                    problems: vec!["It does not answer.".into()],
                }],
            }]),
        };
        store.finish_apply(&lease, record.clone()).await?;
        records.push(record);
    }
    let history = store.history().await?;
    assert!(
        history
            .iter()
            .all(|h| h.serial == Serial(1) && h.epoch == lease.epoch())
    );
    assert_eq!(
        history.into_iter().map(|h| h.record).collect::<Vec<_>>(),
        records
    );
    Ok(())
}
