//! Does nothing get lost or made twice, whatever happens to weir?

use super::{
    Copies, Existence, Outcome,
    session::{Session, ensure},
};
use crate::{ApplyRequest, Completeness, Settled};
use dropped_early::poll_some;
use weir_core::{Known, plan::Op};

const IN_STATE: &str = "its objects are in state alone, so there is nothing to make twice";

pub(super) async fn same_token_twice(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped(IN_STATE.into());
    }
    Outcome::of(twice(s).await)
}

async fn twice(s: &mut Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let request = s.create_request().await?;
    let first = s.applied(request.clone()).await?;
    let second = s.applied(request.clone()).await?;
    s.restart().await;
    let third = s.applied(request).await?;
    for other in [&second, &third] {
        ensure(other.value == first.value, || {
            "the same token gave another object".into()
        })?;
    }
    ensure(s.count().await == before.map(|n| n + 1), || {
        "the same token made two objects".into()
    })?;
    s.delete(&first).await
}

pub(super) async fn settle_done(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped(IN_STATE.into());
    }
    Outcome::of(done(s).await)
}

/// weir dies between the end of each operation and its record.
async fn done(s: &mut Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let request = s.create_request().await?;
    let made = s.applied(request.clone()).await?;
    s.restart().await;
    let found = settled_whole(s, request, "creation").await?;
    ensure(found.as_ref() == Some(&made.value), || {
        "settle found another object".into()
    })?;
    ensure(s.count().await == before.map(|n| n + 1), || {
        "it was made twice".into()
    })?;
    let mut object = made;
    if let Some(config) = s.case.update.clone() {
        let plan = s.plan(Some(&object), &config).await?;
        let request = s.request(Op::Update, Some(&object), Some(&config), Some(plan));
        let updated = s.applied(request.clone()).await?;
        s.restart().await;
        let found = settled_whole(s, request, "update").await?;
        ensure(found.as_ref() == Some(&updated.value), || {
            "settle missed the update".into()
        })?;
        object = updated;
    }
    let request = s.request(Op::Delete, Some(&object), None, None);
    s.apply(request.clone()).await;
    s.restart().await;
    let found = settled_whole(s, request, "deletion").await?;
    ensure(found.is_none(), || {
        "settle finds an object after its deletion".into()
    })
}

async fn settled_whole(
    s: &Session<'_>,
    request: ApplyRequest,
    what: &str,
) -> Result<Option<Known>, String> {
    match s.provider.settle(request).await {
        Settled::Done {
            value,
            completeness: Completeness::Whole,
            ..
        } => Ok(value),
        other => Err(format!("the {what} was done and settle says {other:?}")),
    }
}

pub(super) async fn settle_not_done(s: &mut Session<'_>) -> Outcome {
    Outcome::of(not_done(s).await)
}

/// weir dies after the journal's entry and before the provider's call.
async fn not_done(s: &mut Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let request = s.create_request().await?;
    s.restart().await;
    settled_not_done(s, request, "creation").await?;
    let object = s.create().await?;
    if s.case.existence == Existence::Outside {
        if let Some(config) = s.case.update.clone() {
            let plan = s.plan(Some(&object), &config).await?;
            let request = s.request(Op::Update, Some(&object), Some(&config), Some(plan));
            settled_not_done(s, request, "update").await?;
        }
        let request = s.request(Op::Delete, Some(&object), None, None);
        settled_not_done(s, request, "deletion").await?;
    }
    ensure(s.count().await == before.map(|n| n + 1), || {
        "the number of objects is wrong".into()
    })?;
    s.delete(&object).await
}

async fn settled_not_done(s: &Session<'_>, r: ApplyRequest, what: &str) -> Result<(), String> {
    match s.provider.settle(r).await {
        Settled::NotDone => Ok(()),
        other => Err(format!(
            "the {what} was never done and settle says {other:?}"
        )),
    }
}

/// The call's future is dropped after more and more polls: wherever that stops the provider,
/// `settle` must tell, and the next run must end with one object.
pub(super) async fn interrupted(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped(IN_STATE.into());
    }
    for polls in 1..=5 {
        if let Err(reason) = interrupted_after(s, polls).await {
            return Outcome::Failed(format!("dropped after {polls} polls: {reason}"));
        }
    }
    Outcome::Passed
}

async fn interrupted_after(s: &mut Session<'_>, polls: usize) -> Result<(), String> {
    let before = s.count().await;
    let request = s.create_request().await?;
    poll_some(s.apply(request.clone()), polls).await;
    s.restart().await;
    let object = match s.provider.settle(request).await {
        Settled::NotDone => s.create().await?,
        Settled::Done {
            value: Some(value),
            private,
            ..
        } => super::session::Object { value, private },
        other => return Err(format!("settle says {other:?}")),
    };
    ensure(s.count().await == before.map(|n| n + 1), || {
        "there is not exactly one object".into()
    })?;
    s.delete(&object).await
}

pub(super) async fn concurrent(s: &mut Session<'_>) -> Outcome {
    if s.case.copies == Copies::One {
        return Outcome::Skipped("there can be one object of the configuration".into());
    }
    Outcome::of(at_once(s).await)
}

async fn at_once(s: &Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let (a, b, c, d) = tokio::join!(s.create(), s.create(), s.create(), s.create());
    let objects = [a?, b?, c?, d?];
    if s.case.existence == Existence::Outside {
        ensure(s.count().await == before.map(|n| n + 4), || {
            "four creations made not four".into()
        })?;
    }
    let [a, b, c, d] = &objects;
    let reads = tokio::join!(s.read(a), s.read(b), s.read(c), s.read(d));
    let reads = [reads.0?, reads.1?, reads.2?, reads.3?];
    for (object, read) in objects.iter().zip(reads) {
        let same = read.is_some_and(|r| r.value == object.value);
        ensure(same, || {
            "objects made at the same time were mixed up".into()
        })?;
    }
    let deleted = tokio::join!(s.delete(a), s.delete(b), s.delete(c), s.delete(d));
    deleted.0.and(deleted.1).and(deleted.2).and(deleted.3)?;
    ensure(s.count().await == before, || "not all were deleted".into())
}

mod dropped_early {
    use std::{
        future::{Future, poll_fn},
        pin::pin,
        task::Poll,
    };

    /// Polls a future at most so many times, then drops it.
    pub(super) async fn poll_some(future: impl Future, polls: usize) {
        let mut future = pin!(future);
        let mut left = polls;
        poll_fn(move |cx| {
            left -= 1;
            if future.as_mut().poll(cx).is_ready() || left == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}
