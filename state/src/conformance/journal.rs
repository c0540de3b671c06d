//! What is about to be done, and what became of it.

use super::{Place, Verified, address, begin, create, me, resource, step};
use crate::{Begin, EntryId, Outcome, StateError, Target, Verdict, Wait};
use std::{collections::BTreeSet, sync::Arc};
use weir_core::{Address, plan::Op, snapshot::Serial};

pub(super) async fn begins_all_or_none(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let mut keyless = begin("a.b", Op::Create);
    keyless.address = Address {
        object: weir_core::Object::Host { site: "s".into() },
        ..keyless.address
    };
    let result = store
        .begin(&lease, vec![begin("a.a", Op::Create), keyless])
        .await;
    assert!(matches!(result, Err(StateError::Invalid(_))), "{result:?}");
    assert!(store.open_entries().await?.is_empty());
    let ids = store
        .begin(
            &lease,
            vec![begin("a.a", Op::Create), begin("a.b", Op::Create)],
        )
        .await?;
    assert!(ids[0] < ids[1]);
    assert_eq!(store.open_entries().await?.len(), 2);
    assert!(
        !store.is_empty().await?,
        "what is open may have made something"
    );
    assert_eq!(
        store.snapshot().await?.serial,
        Serial(0),
        "nothing is known yet"
    );
    Ok(())
}

pub(super) async fn closes_an_entry_once(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let put = Outcome::Put(resource("a.a", &[]));
    let (id, _) = step(&*store, &lease, begin("a.a", Op::Create), put).await?;
    for id in [id, EntryId(999)] {
        assert_eq!(
            store.commit(&lease, id, Outcome::Gone).await,
            Err(StateError::NoSuchEntry(id))
        );
    }
    let failed = Outcome::Failed {
        message: "no quota".into(),
        leftover: None,
    };
    let (second, serial) = step(&*store, &lease, begin("a.b", Op::Create), failed).await?;
    assert_eq!(serial, Serial(1), "nothing changed, so the serial stands");
    let closed = store.closed_entries(lease.epoch()).await?;
    assert_eq!(
        closed
            .iter()
            .map(|e| (e.id, e.verdict.clone()))
            .collect::<Vec<_>>(),
        [
            (id, Verdict::Put),
            (second, Verdict::Failed("no quota".into()))
        ]
    );
    assert_eq!(closed[0].address, address("a.a"));
    assert_eq!(closed[0].token, "token-of-a.a");
    Ok(())
}

pub(super) async fn settles_what_a_crash_left(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let first = lease.epoch();
    let ids = store
        .begin(
            &lease,
            vec![begin("a.a", Op::Create), begin("a.b", Op::Create)],
        )
        .await?;
    store.release(lease).await?;
    drop(store);
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let open = store.open_entries().await?;
    assert_eq!(open.iter().map(|e| e.id).collect::<Vec<_>>(), ids);
    assert!(open.iter().all(|e| e.epoch == first && e.begin.step == 7));
    assert_eq!(
        store.begin(&lease, vec![begin("a.b", Op::Create)]).await,
        Err(StateError::Unsettled {
            address: address("a.b"),
            entry: ids[1]
        }),
        "nothing is made twice"
    );
    assert_eq!(
        store.commit(&lease, ids[0], Outcome::Gone).await,
        Err(StateError::NoSuchEntry(ids[0])),
        "a commit is for an entry of its own lease"
    );
    let put = Outcome::Put(resource("a.a", &[]));
    assert_eq!(store.settle(&lease, ids[0], put).await?, Serial(1));
    store.settle(&lease, ids[1], Outcome::Gone).await?;
    assert!(store.open_entries().await?.is_empty());
    let closed = store.closed_entries(first).await?;
    assert!(closed.iter().all(|e| e.closed_by == lease.epoch()));
    create(&*store, &lease, "a.b", &[]).await
}

/// A replacement that creates first: the old object is never forgotten.
pub(super) async fn keeps_a_deposed_object(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    let old = Begin {
        target: Target::Deposed,
        ..begin("a.a", Op::Delete)
    };
    let ids = store
        .begin(&lease, vec![begin("a.a", Op::Create), old.clone()])
        .await?;
    store
        .commit(&lease, ids[0], Outcome::Put(resource("new", &[])))
        .await?;
    let failed = Outcome::Failed {
        message: "in use".into(),
        leftover: None,
    };
    store.commit(&lease, ids[1], failed).await?;
    let put = Outcome::Put(resource("old", &[]));
    let refused = store.commit(&lease, ids[1], put).await;
    assert!(
        matches!(refused, Err(StateError::Invalid(_))),
        "{refused:?}"
    );
    store.release(lease).await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let open = store.open_entries().await?;
    assert_eq!(
        open.len(),
        1,
        "it could not be deleted, so it is still known"
    );
    assert_eq!(open[0].message.as_deref(), Some("in use"));
    assert_eq!(open[0].begin, old);
    let update = Outcome::Put(resource("newer", &[]));
    step(&*store, &lease, begin("a.a", Op::Update), update).await?;
    store.settle(&lease, ids[1], Outcome::Gone).await?;
    assert!(store.open_entries().await?.is_empty());
    let snapshot = store.snapshot().await?;
    assert_eq!(
        snapshot.resources[&address("a.a")],
        resource("newer", &[]),
        "deleting the old object leaves the new one"
    );
    Ok(())
}

/// Delete and create of a replacement, with a dependent that stays: a crash in between leaves a
/// state that can be read, and the dependency is back afterwards.
pub(super) async fn survives_a_cut_replacement(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    create(&*store, &lease, "a.base", &[]).await?;
    create(&*store, &lease, "a.user", &["a.base"]).await?;
    step(&*store, &lease, begin("a.base", Op::Delete), Outcome::Gone).await?;
    let snapshot = store.snapshot().await?;
    assert!(
        snapshot.resources[&address("a.user")]
            .dependencies
            .is_empty()
    );
    create(&*store, &lease, "a.base", &[]).await?;
    let snapshot = store.snapshot().await?;
    assert_eq!(
        snapshot.resources[&address("a.user")].dependencies,
        BTreeSet::from([address("a.base")])
    );
    Ok(())
}

pub(super) async fn takes_parallel_writes(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = Arc::new(store.acquire(me("apply"), Wait::None).await?);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..64 {
        let (store, lease) = (Arc::clone(&store), Arc::clone(&lease));
        tasks.spawn(async move { create(&*store, &lease, &format!("a.a[{i}]"), &[]).await });
    }
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(result) => result?,
            Err(e) => panic!("{e}"),
        }
    }
    let snapshot = store.snapshot().await?;
    assert_eq!(
        (snapshot.resources.len(), snapshot.serial),
        (64, Serial(64))
    );
    Ok(())
}
