//! Leases on parts of a state.

use super::{PATIENCE, Place, Verified, address, begin, create, known, me, resource};
use crate::{
    Ending, Holder, Item, Items, LeaseStatus, Outcome, Part, Scope, StateError, Target, Wait,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use weir_core::{
    Value,
    plan::Op,
    references::{BlockGraph, Object, References, Referred, Standing},
    snapshot::Serial,
};

/// A scope: instances, and outputs as `output.x`.
pub(super) fn part(owned: &[&str], read: &[&str]) -> Scope {
    let items = |texts: &[&str]| {
        let mut items = Items::default();
        for text in texts {
            match text.strip_prefix("output.") {
                Some(name) => drop(items.outputs.insert(name.to_owned())),
                None => drop(items.instances.insert(address(text))),
            }
        }
        items
    };
    Scope::Part(Part {
        owned: items(owned),
        read: items(read),
    })
}

/// Whether the store has leases on parts. One that is written as one piece needs none.
pub(super) async fn are_there(place: &dyn Place) -> Result<bool, StateError> {
    let store = place.open().await?;
    let scope = part(&["a.a"], &[]);
    let lease = store.acquire_scope(me("apply"), scope, Wait::None).await?;
    Ok(*lease.scope() != Scope::Whole)
}

/// Of a store that has them.
pub(super) async fn all(place: &(dyn Fn() -> Box<dyn Place> + Sync)) -> Verified {
    are_held_side_by_side(&*place()).await?;
    meet_over_what_both_need(&*place()).await?;
    wait_for_each_other(&*place()).await?;
    refuse_what_they_do_not_cover(&*place()).await?;
    record_outputs_and_references_side_by_side(&*place()).await?;
    are_fenced_one_by_one(&*place()).await?;
    are_taken_over_one_by_one(&*place()).await?;
    settle_what_they_cover(&*place()).await?;
    super::past::drops_nothing_beside_another(&*place()).await
}

/// Of a store that has none: whoever wants a part gets everything.
pub(super) async fn are_the_whole(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let lease = one.acquire_scope(me("apply a"), part(&["a.a"], &[]), Wait::None);
    let lease = lease.await?;
    let refused = two.acquire_scope(me("apply b"), part(&["a.b"], &[]), Wait::None);
    let refused = refused.await;
    assert!(matches!(refused, Err(StateError::Locked { .. })));
    assert!(two.visit(me("plan"), Wait::None).await.is_err());
    create(&*one, &lease, "a.b", &[]).await?;
    one.release(lease).await?;
    two.visit(me("plan"), Wait::None).await
}

pub(super) async fn are_held_side_by_side(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let a = part(&["a.a"], &["a.shared"]);
    let b = part(&["a.b"], &["a.shared"]);
    let first = one.acquire_scope(me("apply a"), a.clone(), Wait::None);
    let first = first.await?;
    let second = two.acquire_scope(me("apply b"), b.clone(), Wait::None);
    let second = second.await?;
    assert_eq!(first.scope(), &a);
    assert_eq!(first.taken_at(), Serial(0));
    let log = one.leases().await?;
    assert_eq!(
        log.iter().map(|l| l.scope.clone()).collect::<Vec<_>>(),
        [Some(a), Some(b)]
    );
    create(&*one, &first, "a.a", &[]).await?;
    create(&*two, &second, "a.b", &[]).await?;
    one.record_refresh(&first, vec![(address("a.a"), Some(resource("a.a2", &[])))])
        .await?;
    assert_eq!(two.forget(&second, &address("a.b")).await?, Serial(4));
    create(&*two, &second, "a.b", &["a.a"]).await?;
    one.release(first).await?;
    two.confirm(&second).await?;
    let third = one.acquire_scope(me("apply a"), part(&["a.a"], &[]), Wait::None);
    let third = third.await?;
    assert_eq!(third.taken_at(), Serial(5));
    two.release(second).await?;
    one.release(third).await?;
    let log = one.leases().await?;
    assert!(log.iter().all(|l| l.scope.is_none() && l.ended.is_some()));
    let snapshot = one.snapshot().await?;
    assert_eq!(snapshot.serial, Serial(5));
    assert_eq!(snapshot.resources.len(), 2);
    Ok(())
}

pub(super) async fn meet_over_what_both_need(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let cases: &[(Scope, Scope, Option<&str>)] = &[
        (part(&["a.a"], &[]), part(&["a.a", "a.b"], &[]), Some("a.a")),
        (part(&["a.a"], &[]), part(&["a.b"], &["a.a"]), Some("a.a")),
        (part(&["a.b"], &["a.a"]), part(&["a.a"], &[]), Some("a.a")),
        (
            part(&["output.x", "a.a"], &[]),
            part(&["output.x", "a.b"], &[]),
            Some("output.x"),
        ),
        // A block is all of its instances, those to come as well.
        (
            part(&["a.a[0]"], &[]),
            part(&["a.b"], &["a.a"]),
            Some("a.a[0]"),
        ),
        (
            part(&["a.b"], &["a.a"]),
            part(&["a.a[7]"], &[]),
            Some("a.a[7]"),
        ),
        (Scope::Whole, part(&["a.a"], &[]), None),
        (part(&[], &[]), Scope::Whole, None),
        (Scope::Whole, Scope::Whole, None),
    ];
    for (held, wanted, over) in cases {
        let lease = one.acquire_scope(me("apply"), held.clone(), Wait::None);
        let lease = lease.await?;
        let refused = two.acquire_scope(me("late"), wanted.clone(), Wait::None);
        match refused.await {
            Err(StateError::Locked { by, over: found }) => {
                assert_eq!(by.epoch, lease.epoch());
                assert_eq!(by.scope.as_ref(), Some(held));
                assert_eq!(found.map(|i: Item| i.to_string()).as_deref(), *over);
            }
            other => panic!("{held:?} and {wanted:?}: {other:?}"),
        }
        // Who only looks is kept out by a lease on everything alone.
        let visited = two.visit(me("plan"), Wait::None).await;
        assert_eq!(visited.is_ok(), *held != Scope::Whole, "{visited:?}");
        one.release(lease).await?;
    }
    two.visit(me("plan"), Wait::None).await?;
    let apart = [
        part(&["a.a[0]"], &["a.c"]),
        part(&["a.a[1]", "output.a"], &["a.c"]),
        part(&["module.m.a.a[0]"], &["a.c"]),
        part(&["a.b"], &["a.c"]),
        part(&[], &["a.c"]),
    ];
    let mut leases = Vec::new();
    for scope in apart {
        leases.push(two.acquire_scope(me("apply"), scope, Wait::None).await?);
    }
    assert_eq!(leases.len(), 5);
    Ok(())
}

pub(super) async fn wait_for_each_other(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let lease = one.acquire_scope(me("apply"), part(&["a.a"], &[]), Wait::None);
    let lease = lease.await?;
    let waiting = two.acquire_scope(me("late"), part(&["a.b"], &["a.a"]), Wait::UpTo(PATIENCE));
    let (late, released) = tokio::join!(waiting, async {
        create(&*one, &lease, "a.a", &[]).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        one.release(lease).await
    });
    released?;
    assert_eq!(
        late?.taken_at(),
        Serial(1),
        "it begins where the other ended"
    );
    let whole = one.acquire(me("state mv"), Wait::UpTo(PATIENCE)).await?;
    let waiting = two.visit(me("plan"), Wait::UpTo(PATIENCE));
    let (visited, released) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        one.release(whole).await
    });
    released?;
    visited
}

pub(super) async fn refuse_what_they_do_not_cover(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let scope = part(&["a.a", "a.many", "output.x"], &["a.b"]);
    let lease = store.acquire_scope(me("apply"), scope, Wait::None).await?;
    create(&*store, &lease, "a.a", &[]).await?;
    create(&*store, &lease, "a.many[3]", &[]).await?;
    let refused = |answer: Result<(), StateError>| match answer {
        Err(StateError::Invalid(why)) => assert!(why.contains("part of the state"), "{why}"),
        other => panic!("{other:?}"),
    };
    let both = vec![begin("a.a", Op::Update), begin("a.b", Op::Update)];
    refused(store.begin(&lease, both).await.map(drop));
    assert!(store.open_entries().await?.is_empty(), "all or none");
    let found = vec![
        (address("a.a"), None),
        (address("a.b"), Some(resource("a.b", &[]))),
    ];
    refused(store.record_refresh(&lease, found).await.map(drop));
    refused(store.forget(&lease, &address("a.b")).await.map(drop));
    let none = BTreeMap::new();
    refused(store.set_outputs(&lease, none).await.map(drop));
    let y = BTreeMap::from([("y".to_owned(), None)]);
    refused(store.change_outputs(&lease, y).await.map(drop));
    let references = References::default();
    refused(store.set_references(&lease, references).await.map(drop));
    refused(store.prune(&lease, Serial(1)).await.map(drop));
    refused(store.export(&lease).await.map(drop));
    let snapshot = store.snapshot().await?;
    assert_eq!(snapshot.serial, Serial(2));
    assert_eq!(snapshot.resources.len(), 2);
    refused(store.move_away(lease, "elsewhere".into()).await);
    store.acquire(me("apply"), Wait::UpTo(PATIENCE)).await?;
    Ok(())
}

fn graph(user: &str, used: &str) -> BlockGraph {
    let used = BTreeSet::from([Referred::Block(used.into())]);
    BlockGraph(BTreeMap::from([(user.to_owned(), used)]))
}

pub(super) async fn record_outputs_and_references_side_by_side(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let first = one.acquire_scope(me("1"), part(&["output.x", "output.z"], &[]), Wait::None);
    let first = first.await?;
    let second = two.acquire_scope(me("2"), part(&["output.y"], &[]), Wait::None);
    let second = second.await?;
    let value = |text: &str| Some(known(Value::string(text)));
    let set = |name: &str, value| BTreeMap::from([(name.to_owned(), value)]);
    assert_eq!(
        one.change_outputs(&first, set("x", value("1"))).await?,
        Serial(1)
    );
    assert_eq!(
        two.change_outputs(&second, set("y", value("2"))).await?,
        Serial(2)
    );
    assert_eq!(
        two.change_outputs(&second, set("y", value("2"))).await?,
        Serial(2)
    );
    one.change_outputs(&first, set("z", value("3"))).await?;
    assert_eq!(one.change_outputs(&first, set("z", None)).await?, Serial(4));
    let outputs = two.snapshot().await?.outputs;
    let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
    assert_eq!(names, ["x", "y"]);
    let settled = |at: &str| vec![Object::current(&address(at), Standing::Settled)];
    let none = References::default();
    let mine = none.after(Some(graph("a.a", "a.b")), settled("a.a"));
    let theirs = none.after(Some(graph("a.c", "a.d")), settled("a.c"));
    let recorded = one
        .change_references(&first, none.clone(), mine.clone())
        .await?;
    assert_eq!(recorded, Some(Serial(5)));
    let late = two.change_references(&second, none, theirs.clone()).await?;
    assert_eq!(late, None, "someone else recorded theirs");
    assert_eq!(two.snapshot().await?.references, mine);
    let again = two.change_references(&second, mine, theirs.clone()).await?;
    assert_eq!(again, Some(Serial(6)));
    assert_eq!(one.snapshot().await?.references, theirs);
    Ok(())
}

pub(super) async fn are_fenced_one_by_one(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let first = one.acquire_scope(me("1"), part(&["a.a"], &[]), Wait::None);
    let first = first.await?;
    let second = two.acquire_scope(me("2"), part(&["a.b"], &[]), Wait::None);
    let second = second.await?;
    assert_eq!(two.unlock(99, me("unlock")).await?, None);
    let ended = two.unlock(first.epoch(), me("unlock")).await?;
    assert_eq!(ended.map(|l| l.epoch), Some(first.epoch()));
    // Somebody else's lease does not make the lost one good, whatever it covers.
    assert_eq!(
        one.begin(&first, vec![begin("a.a", Op::Create)]).await,
        Err(StateError::LeaseLost { by: None })
    );
    create(&*two, &second, "a.b", &[]).await?;
    let third = two.acquire_scope(me("3"), part(&["a.c"], &["a.a"]), Wait::None);
    let third = third.await?;
    let lost = StateError::LeaseLost {
        by: Some(Box::new(me("3"))),
    };
    assert_eq!(one.confirm(&first).await, Err(lost.clone()));
    assert_eq!(one.release(first).await, Err(lost));
    create(&*two, &third, "a.c", &["a.a"]).await?;
    create(&*two, &second, "a.b", &[]).await?;
    two.release(second).await?;
    two.confirm(&third).await
}

/// The one whose holder is dead, and no other: that is renewed.
pub(super) async fn are_taken_over_one_by_one(place: &dyn Place) -> Verified {
    let (one, two) = (place.open().await?, place.open().await?);
    let elsewhere = Holder {
        host: "elsewhere".into(),
        ..me("apply a")
    };
    let dead = one.acquire_scope(elsewhere, part(&["a.a"], &[]), Wait::None);
    let dead = dead.await?;
    let alive = two.acquire_scope(me("apply b"), part(&["a.b"], &[]), Wait::None);
    let alive = alive.await?;
    // A store that is closed renews no more.
    drop(one);
    let three = place.open().await?;
    let late = three.acquire_scope(me("late"), part(&["a.a"], &[]), Wait::UpTo(PATIENCE));
    let late = late.await?;
    let log = three.leases().await?;
    let ending = |epoch: u64| {
        let lease = log.iter().find(|l| l.epoch == epoch);
        lease.and_then(|l| l.ended.clone()).map(|(_, how)| how)
    };
    assert_eq!(
        ending(dead.epoch()),
        Some(Ending::Expired { by: me("late") })
    );
    assert_eq!(ending(alive.epoch()), None);
    assert!(matches!(alive.status(), LeaseStatus::Held { .. }));
    create(&*two, &alive, "a.b", &[]).await?;
    create(&*three, &late, "a.a", &[]).await
}

/// What someone dead left open keeps nobody from working elsewhere.
pub(super) async fn settle_what_they_cover(place: &dyn Place) -> Verified {
    let store = place.open().await?;
    let dead = store.acquire_scope(me("1"), part(&["a.a", "a.b"], &[]), Wait::None);
    let dead = dead.await?;
    let put_aside = crate::Begin {
        target: Target::Deposed,
        ..begin("a.b", Op::Delete)
    };
    let left = store
        .begin(&dead, vec![begin("a.a", Op::Create), put_aside])
        .await?;
    store.unlock(dead.epoch(), me("unlock")).await?;
    let scope = part(&["a.c"], &[]);
    let elsewhere = store.acquire_scope(me("2"), scope, Wait::None).await?;
    create(&*store, &elsewhere, "a.c", &[]).await?;
    let put = Outcome::Put(resource("a.a", &[]));
    let outside = store.settle(&elsewhere, left[0], put.clone()).await;
    assert!(
        matches!(outside, Err(StateError::Invalid(_))),
        "{outside:?}"
    );
    let outside = store.settle(&elsewhere, left[1], Outcome::Gone).await;
    assert!(
        matches!(outside, Err(StateError::Invalid(_))),
        "{outside:?}"
    );
    assert_eq!(store.open_entries().await?.len(), 2);
    let scope = part(&["a.a"], &[]);
    let here = store.acquire_scope(me("3"), scope, Wait::None).await?;
    let again = store.begin(&here, vec![begin("a.a", Op::Create)]).await;
    assert!(
        matches!(again, Err(StateError::Unsettled { .. })),
        "{again:?}"
    );
    store.settle(&here, left[0], put).await?;
    let entries = store.open_entries().await?;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].id, left[1]);
    Ok(())
}
