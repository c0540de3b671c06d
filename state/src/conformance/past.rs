//! How much of the past is kept by itself.

use super::{Place, Verified, address, begin, create, me, parts, resource, step};
use crate::{
    ApplyOutcome, ApplyRecord, Bundle, Lease, Outcome, Pruned, Retention, StateError, Store, Wait,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};
use weir_core::{
    plan::Op,
    snapshot::{Serial, Snapshot},
};

const LATEST_TWO: Retention = Retention {
    applies: 2,
    age: Duration::ZERO,
};

fn bundle(main: &str) -> Bundle {
    Bundle {
        files: BTreeMap::from([
            ("main.weir".to_owned(), main.to_owned()),
            ("same.weir".to_owned(), "same".to_owned()),
        ]),
        rest: "{}".into(),
    }
}

/// An apply of `a.a`, up to its line in the history.
async fn apply(store: &dyn Store, text: &str) -> Result<Lease, StateError> {
    let lease = store.acquire(me("apply"), Wait::None).await?;
    let put = Outcome::Put(resource(text, &[]));
    step(store, &lease, begin("a.a", Op::Update), put).await?;
    store.keep_bundle(&lease, bundle(text)).await?;
    let record = ApplyRecord {
        who: "ann".into(),
        started: SystemTime::now(),
        plan_digest: text.into(),
        config_digest: String::new(),
        bundle: Some(bundle(text).digest()),
        outcome: ApplyOutcome::Succeeded,
        checks: None,
    };
    store.finish_apply(&lease, record).await?;
    // Whether a lease ended before an apply did goes by milliseconds.
    tokio::time::sleep(Duration::from_millis(3)).await;
    Ok(lease)
}

pub(super) async fn drops_what_is_too_old(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    // What an earlier run left open stays, and all that is known of it.
    let left = store.acquire(me("apply"), Wait::None).await?;
    let open = store
        .begin(&left, vec![begin("a.left", Op::Create)])
        .await?;
    store.release(left).await?;
    let mut past: Vec<(Serial, Snapshot)> = Vec::new();
    for text in ["one", "two", "three", "four", "five"] {
        let lease = apply(&*store, text).await?;
        past.push((store.snapshot().await?.serial, store.snapshot().await?));
        let kept = Retention::default();
        assert_eq!(store.retain(&lease, kept).await?, Pruned::default());
        store.release(lease).await?;
        // A run that was cut off: it has no line of its own.
        let cut = store.acquire(me("apply"), Wait::None).await?;
        create(&*store, &cut, &format!("a.cut-{text}"), &[]).await?;
        store.release(cut).await?;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let lease = apply(&*store, "six").await?;
    let now = store.snapshot().await?;
    let young = Retention {
        age: Duration::from_secs(3600),
        ..LATEST_TWO
    };
    assert_eq!(store.retain(&lease, young).await?, Pruned::default());
    let pruned = store.retain(&lease, LATEST_TWO).await?;
    // Of each configuration its own file and its index.
    assert_eq!((pruned.applies, pruned.texts), (4, 8));
    // Four applies and the four that were cut off before the fifth.
    assert_eq!(pruned.leases, 8);
    assert!(pruned.rows > 0);
    assert_eq!(store.retain(&lease, LATEST_TWO).await?, Pruned::default());
    let last = lease.epoch();
    store.release(lease).await?;
    drop(store);

    let store = place.open().await?;
    assert_eq!(store.snapshot().await?, now);
    let history = store.history().await?;
    let digests: Vec<&str> = history.iter().map(|a| &*a.record.plan_digest).collect();
    assert_eq!(digests, ["five", "six"]);
    let (serial, state) = &past[4];
    assert_eq!(store.snapshot_at(*serial).await?, *state);
    let (asked, since) = (past[3].0, *serial);
    let gone = store.snapshot_at(asked).await;
    assert_eq!(gone, Err(StateError::Pruned { asked, since }));
    for (text, kept) in [("four", false), ("five", true), ("six", true)] {
        let found = store.bundle(&bundle(text).digest()).await?;
        assert_eq!(found, kept.then(|| bundle(text)), "{text}");
    }
    let epochs: BTreeSet<u64> = store.leases().await?.iter().map(|l| l.epoch).collect();
    // The one of the open entry, the fifth, the run that was cut off after it, and the last.
    assert_eq!(epochs, BTreeSet::from([1, last - 2, last - 1, last]));
    for (epoch, entries) in [(2, 0), (3, 0), (last - 2, 1), (last - 1, 1), (last, 1)] {
        let closed = store.closed_entries(epoch).await?;
        assert_eq!(closed.len(), entries, "of lease {epoch}");
    }
    let entries = store.open_entries().await?;
    assert_eq!(entries.iter().map(|e| e.id).collect::<Vec<_>>(), open);
    // Life goes on.
    let lease = store.acquire(me("apply"), Wait::None).await?;
    store.settle(&lease, open[0], Outcome::Kept).await?;
    create(&*store, &lease, "a.new", &[]).await?;
    Ok(())
}

/// Much is dropped in pieces, each in one transaction.
pub(super) async fn drops_a_piece_at_a_time(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let lease = store.acquire(me("apply"), Wait::None).await?;
    for round in ["one", "two", "three"] {
        let all = (0..700).map(|i| {
            let found = resource(&format!("{round}-{i}"), &[]);
            (address(&format!("a.many[{i}]")), Some(found))
        });
        store.record_refresh(&lease, all.collect()).await?;
    }
    store.release(lease).await?;
    for text in ["one", "two"] {
        let lease = apply(&*store, text).await?;
        store.release(lease).await?;
    }
    let lease = apply(&*store, "three").await?;
    let now = store.snapshot().await?;
    let first = store.retain(&lease, LATEST_TWO).await?;
    assert_eq!(first.applies, 1);
    let second = store.retain(&lease, LATEST_TWO).await?;
    // Twice 700, and what the first two applies replaced.
    assert!(
        first.rows < 1400 && second.rows > 0,
        "{first:?}, {second:?}"
    );
    assert_eq!(first.rows + second.rows, 1401, "{first:?}, {second:?}");
    assert_eq!(store.retain(&lease, LATEST_TWO).await?, Pruned::default());
    drop(lease);
    drop(store);
    assert_eq!(place.open().await?.snapshot().await?, now);
    Ok(())
}

/// Nothing is dropped beside somebody who is at work.
pub(super) async fn drops_nothing_beside_another(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    for text in ["one", "two", "three"] {
        let lease = apply(&*store, text).await?;
        store.release(lease).await?;
    }
    let one = store
        .acquire_scope(me("apply"), parts::part(&["a.a"], &[]), Wait::None)
        .await?;
    let two = store
        .acquire_scope(me("apply"), parts::part(&["a.b"], &[]), Wait::None)
        .await?;
    assert_eq!(store.retain(&one, LATEST_TWO).await?, Pruned::default());
    store.release(two).await?;
    assert_eq!(store.retain(&one, LATEST_TWO).await?.applies, 1);
    Ok(())
}
