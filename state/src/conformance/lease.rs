//! Who may write.

use super::{EXPIRY, PATIENCE, Place, Verified, address, begin, create, me, resource};
use crate::{ApplyOutcome, ApplyRecord, Ending, Holder, LeaseStatus, Outcome, StateError, Wait};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use weir_core::{plan::Op, snapshot::Serial};

pub(super) async fn excludes_others(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let lease = one.acquire(me("apply"), Wait::None).await?;
    match two.acquire(me("plan"), Wait::None).await {
        Err(StateError::Locked { by, over }) => {
            assert_eq!(by.holder, me("apply"));
            assert_eq!(by.epoch, lease.epoch());
            assert_eq!(over, None);
        }
        other => panic!("a lease was given twice: {other:?}"),
    }
    let limit = Wait::UpTo(Duration::from_millis(300));
    let waited = two.acquire(me("plan"), limit).await;
    assert!(
        matches!(waited, Err(StateError::Locked { .. })),
        "{waited:?}"
    );
    let first = lease.epoch();
    let (second, released) = tokio::join!(two.acquire(me("plan"), Wait::UpTo(PATIENCE)), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        one.release(lease).await
    });
    released?;
    let second = second?;
    assert!(second.epoch() > first, "an epoch is never used twice");
    let log = one.leases().await?;
    assert_eq!(log.len(), 2);
    assert!(matches!(log[0].ended, Some((_, Ending::Released))));
    assert!(log[1].ended.is_none());
    Ok(())
}

pub(super) async fn fences_a_lost_lease(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let old = one.acquire(me("apply"), Wait::None).await?;
    let id = one.begin(&old, vec![begin("a.a", Op::Create)]).await?[0];
    let unlocked = two.unlock(old.epoch(), me("unlock")).await?;
    assert_eq!(unlocked.map(|r| r.epoch), Some(old.epoch()));
    assert_eq!(two.unlock(old.epoch(), me("unlock")).await?, None);
    let nobody = StateError::LeaseLost { by: None };
    let put = Outcome::Put(resource("a.a", &[]));
    assert_eq!(one.commit(&old, id, put.clone()).await, Err(nobody));
    let new = two.acquire(me("apply 2"), Wait::None).await?;
    let lost = StateError::LeaseLost {
        by: Some(Box::new(me("apply 2"))),
    };
    let record = ApplyRecord {
        who: "ann".into(),
        started: SystemTime::now(),
        plan_digest: String::new(),
        config_digest: String::new(),
        bundle: None,
        outcome: ApplyOutcome::Interrupted,
        checks: None,
    };
    assert_eq!(one.commit(&old, id, put.clone()).await, Err(lost.clone()));
    assert_eq!(one.settle(&old, id, put.clone()).await, Err(lost.clone()));
    assert_eq!(
        one.begin(&old, vec![begin("a.b", Op::Create)]).await,
        Err(lost.clone())
    );
    assert_eq!(
        one.set_outputs(&old, BTreeMap::new()).await,
        Err(lost.clone())
    );
    assert_eq!(one.confirm(&old).await, Err(lost.clone()));
    assert_eq!(two.confirm(&new).await, Ok(()));
    assert_eq!(one.forget(&old, &address("a.a")).await, Err(lost.clone()));
    assert_eq!(one.record_refresh(&old, vec![]).await, Err(lost.clone()));
    assert_eq!(one.finish_apply(&old, record).await, Err(lost.clone()));
    // The store notices by itself, so that an engine can stop early.
    let noticed = tokio::time::timeout(PATIENCE, old.lost()).await;
    assert!(
        matches!(noticed, Ok(StateError::LeaseLost { .. })),
        "{noticed:?}"
    );
    assert!(matches!(old.status(), LeaseStatus::Lost { .. }));
    assert_eq!(one.release(old).await, Err(lost));
    assert_eq!(two.snapshot().await?.serial, Serial(0));
    two.settle(&new, id, put).await?;
    Ok(())
}

pub(super) async fn renews_a_lease(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let lease = one.acquire(me("apply"), Wait::None).await?;
    let LeaseStatus::Held { expires } = lease.status() else {
        panic!("a new lease is held");
    };
    let renewed = async {
        loop {
            match lease.status() {
                LeaseStatus::Held { expires: later } if later > expires => return later,
                LeaseStatus::Held { .. } => tokio::time::sleep(EXPIRY / 20).await,
                lost => panic!("{lost:?}"),
            }
        }
    };
    let later = tokio::time::timeout(PATIENCE, renewed).await;
    assert!(later.is_ok(), "it is renewed before long");
    let seen = two.leases().await?;
    assert!(seen[0].expires > expires, "others see that: {seen:?}");
    create(&*one, &lease, "a.a", &[]).await
}

pub(super) async fn gives_back_a_dropped_lease(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    drop(store.acquire(me("apply"), Wait::None).await?);
    let lease = store.acquire(me("apply"), Wait::None).await?;
    assert_eq!(lease.epoch(), 2);
    Ok(())
}

/// A holder that can not be seen from here is taken over when its lease expires.
pub(super) async fn takes_over_a_dead_holder(place: &dyn Place) -> Verified {
    let elsewhere = Holder {
        host: "elsewhere".into(),
        ..me("apply")
    };
    let store = place.open().await?;
    let lease = store.acquire(elsewhere.clone(), Wait::None).await?;
    // A store that is closed renews no more: its holder is dead to all others.
    drop(store);
    assert!(matches!(lease.status(), LeaseStatus::Lost { .. }));
    let store = place.open().await?;
    let late = store.acquire(me("late"), Wait::UpTo(PATIENCE)).await?;
    assert!(late.epoch() > lease.epoch());
    let log = store.leases().await?;
    assert_eq!(log[0].holder, elsewhere);
    let Some((at, how)) = &log[0].ended else {
        panic!("a take-over is recorded: {log:?}");
    };
    assert_eq!(*how, Ending::Expired { by: me("late") });
    assert!(*at >= log[0].expires, "and never comes early: {log:?}");
    Ok(())
}
