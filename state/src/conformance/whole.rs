//! States that are taken as a whole, and how much of the past is kept.

use super::{Place, Verified, address, begin, create, known, me, resource};
use crate::{ApplyOutcome, ApplyRecord, Begin, Bundle, Content, StateError, Store, Target, Wait};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};
use weir_core::{
    Value,
    plan::Op,
    references::References,
    snapshot::{Lineage, Serial},
};

fn record(bundle: Option<String>) -> ApplyRecord {
    ApplyRecord {
        who: "ann".into(),
        started: SystemTime::now(),
        plan_digest: "state import".into(),
        config_digest: String::new(),
        bundle,
        outcome: ApplyOutcome::Succeeded,
        checks: None,
    }
}

fn content(lineage: &str, serial: u64, names: &[&str]) -> Content {
    let resources = names.iter().map(|n| (address(n), resource(n, &[])));
    let behind = || BTreeSet::from(["data.a.d".to_owned()]);
    let lists = names.iter().map(|n| (address(n), behind()));
    Content {
        lineage: Lineage(lineage.into()),
        serial: Serial(serial),
        resources: resources.collect(),
        outputs: BTreeMap::from([("o".to_owned(), known(Value::string("x")))]),
        references: References::of_lists(&lists.collect()),
        kept: BTreeSet::new(),
        deposed: Vec::new(),
    }
}

fn old(text: &str) -> Begin {
    Begin {
        target: Target::Deposed,
        prior: Some(resource(&format!("{text}-old"), &[]).value),
        ..begin(text, Op::Delete)
    }
}

async fn taken(
    store: &dyn Store,
    content: Content,
) -> Result<Result<Serial, StateError>, StateError> {
    let lease = store.acquire(me("state import"), Wait::None).await?;
    Ok(store.replace(lease, content, record(None)).await)
}

pub(super) async fn takes_a_whole_state(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let from = Content {
        deposed: vec![old("a.b[0]")],
        ..content("another", 41, &["a.a", "a.b[0]"])
    };
    assert_eq!(taken(&*store, from.clone()).await??, Serial(41));
    assert_eq!(store.lineage(), Lineage("another".into()));
    drop(store);
    let store = place.open().await?;
    assert_eq!(store.lineage(), Lineage("another".into()));
    let state = store.snapshot().await?;
    assert_eq!(state.serial, Serial(41));
    assert_eq!(state.resources, from.resources);
    assert_eq!(state.outputs, from.outputs);
    let of = |name: &str| state.references.behind(&(address(name), None));
    assert_eq!(of("a.b[0]"), ["data.a.d"]);
    assert_eq!(state.deposed.len(), 1);
    assert_eq!(store.history().await?.len(), 1);
    // The same once more is nothing new, and the lease is free again.
    let open = store.open_entries().await?;
    let again = Content {
        kept: open.iter().map(|e| e.id).collect(),
        deposed: Vec::new(),
        ..from.clone()
    };
    assert_eq!(taken(&*store, again).await??, Serial(41));
    assert_eq!(store.history().await?.len(), 1);
    // What is not in it goes, and the serial rises though it comes with an older one.
    let less = content("another", 3, &["a.a", "a.c"]);
    assert_eq!(taken(&*store, less.clone()).await??, Serial(42));
    let now = store.snapshot().await?;
    assert_eq!(now.resources, less.resources);
    assert!(now.deposed.is_empty() && store.open_entries().await?.is_empty());
    let mut before = state;
    before.deposed.clear();
    assert_eq!(store.snapshot_at(Serial(41)).await?, before);
    Ok(())
}

pub(super) async fn replaces_all_or_nothing(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    store.begin(&lease, vec![begin("a.b", Op::Create)]).await?;
    store.release(lease).await?;
    let before = store.snapshot().await?;
    let lineage = store.lineage().0;
    // Something is in the middle of being done.
    let refused = taken(&*store, content(&lineage, 9, &["a.c"])).await?;
    assert!(
        matches!(refused, Err(StateError::Unsettled { .. })),
        "{refused:?}"
    );
    assert_eq!(store.snapshot().await?, before);
    // The lease that came with it was given back.
    store
        .release(store.acquire(me("plan"), Wait::None).await?)
        .await?;
    let wrong = content(&lineage, 9, &["a.c", "service.web.pod.app"]);
    assert!(taken(&*store, wrong).await?.is_err());
    assert_eq!(store.snapshot().await?, before);
    Ok(())
}

pub(super) async fn keeps_configurations_until_they_are_pruned(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let bundle = |main: &str| Bundle {
        files: BTreeMap::from([
            ("main.weir".to_owned(), main.to_owned()),
            ("same.weir".to_owned(), "same".to_owned()),
        ]),
        rest: "{}".into(),
    };
    let lease = store.acquire(me("apply"), Wait::None).await?;
    assert!(store.bundle("none").await?.is_none());
    for text in ["one", "two", "three"] {
        create(&*store, &lease, &format!("a.{text}"), &[]).await?;
        store.keep_bundle(&lease, bundle(text)).await?;
        store.keep_bundle(&lease, bundle(text)).await?;
        let digest = bundle(text).digest();
        store.finish_apply(&lease, record(Some(digest))).await?;
    }
    for text in ["one", "two", "three"] {
        let kept = store.bundle(&bundle(text).digest()).await?;
        assert_eq!(kept, Some(bundle(text)));
    }
    let state = store.snapshot().await?;
    assert_eq!(state.resources.len(), 3, "configurations are no resources");
    let second = store.snapshot_at(Serial(2)).await?;
    let pruned = store.prune(&lease, Serial(2)).await?;
    assert_eq!((pruned.applies, pruned.texts), (1, 2));
    assert_eq!(store.history().await?.len(), 2);
    assert!(store.bundle(&bundle("one").digest()).await?.is_none());
    assert!(store.bundle(&bundle("two").digest()).await?.is_some());
    assert_eq!(store.snapshot().await?, state);
    assert_eq!(store.snapshot_at(Serial(2)).await?, second);
    assert_eq!(
        store.snapshot_at(Serial(1)).await,
        Err(StateError::Pruned {
            asked: Serial(1),
            since: Serial(2)
        })
    );
    // The latest apply stays, whatever is asked for.
    store.prune(&lease, Serial(99)).await?;
    assert_eq!(store.history().await?.len(), 1);
    assert!(store.bundle(&bundle("three").digest()).await?.is_some());
    let ids = store
        .begin(&lease, vec![begin("a.one", Op::Delete)])
        .await?;
    assert_eq!(ids.len(), 1, "the journal goes on");
    drop(lease);
    drop(store);
    assert_eq!(place.open().await?.snapshot().await?, state);
    Ok(())
}
