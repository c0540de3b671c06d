//! Does it end well whatever the API does, and does it keep secrets while it fails?
//!
//! The fixture lays a trap: for every third call, so that in three lives each call of an operation
//! fails and is tried again, or for the n-th, where n rises until the operation is over before it.

use super::{
    Calls, Existence, Fault, Outcome,
    session::{Object, Session, ensure},
};
use crate::{ApplyRequest, Settled};
use weir_core::{Value, plan::Op, value::Marks};

/// More calls than any operation makes: beyond it, something goes round in circles.
const MANY: usize = 200;

const UNTRAPPED: &str = "the fixture lays no traps";

/// What passes by itself is sat out: every call once throttled, once broken, once done with its
/// answer lost.
pub(super) async fn sat_out(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped("its objects are in state alone".into());
    }
    for fault in [Fault::Throttled, Fault::Broken, Fault::Lost] {
        for first in 1..=3 {
            if !s.fixture.trap(Calls::EveryThird(first), fault).await {
                return Outcome::Skipped(UNTRAPPED.into());
            }
            let lived = life(s).await;
            let met = s.fixture.spring().await;
            if let Err(reason) = lived {
                return Outcome::Failed(format!("{fault:?} from call {first} on: {reason}"));
            }
            if !met {
                return Outcome::Failed("no call went through the trap".into());
            }
        }
    }
    Outcome::Passed
}

/// Made, changed, read and deleted, with as many objects at the end as before.
async fn life(s: &Session<'_>) -> Result<(), String> {
    let before = s.count().await;
    let mut object = s.create().await?;
    if let Some(config) = &s.case.update {
        let plan = s.plan(Some(&object), config).await?;
        let request = s.request(Op::Update, Some(&object), Some(config), Some(plan));
        object = s.applied(request).await?;
    }
    let read = s.read(&object).await?;
    ensure(read.is_some_and(|r| r.value == object.value), || {
        "read says something else than apply".into()
    })?;
    ensure(s.count().await == before.map(|n| n + 1), || {
        "there is not exactly one object".into()
    })?;
    s.delete(&object).await?;
    ensure(s.count().await == before, || "something is left".into())
}

/// weir dies after each call of each operation: nothing is lost and nothing is made twice.
pub(super) async fn crashed(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped("its objects are in state alone".into());
    }
    for nth in 1..=MANY {
        match crashed_at(s, nth).await {
            Ok(Some(true)) => {}
            Ok(Some(false)) => return Outcome::Passed,
            Ok(None) => return Outcome::Skipped(UNTRAPPED.into()),
            Err(reason) => return Outcome::Failed(format!("killed after call {nth}: {reason}")),
        }
    }
    Outcome::Failed(format!("an operation makes more than {MANY} calls"))
}

/// A life with a death after the n-th call of each operation; whether any operation is that long.
/// `None` where no trap can be laid.
async fn crashed_at(s: &mut Session<'_>, nth: usize) -> Result<Option<bool>, String> {
    let before = s.count().await;
    let request = s.create_request().await?;
    let Some(mut died) = killed(s, nth, request.clone()).await else {
        return Ok(None);
    };
    s.restart().await;
    let object = match s.provider.settle(request).await {
        Settled::NotDone => s.create().await?,
        Settled::Done {
            value: Some(value),
            private,
            ..
        } => Object { value, private },
        other => return Err(format!("creation: settle says {other:?}")),
    };
    ensure(s.count().await == before.map(|n| n + 1), || {
        "after the creation there is not exactly one object".into()
    })?;
    let mut object = s.read(&object).await?.ok_or("what was made is gone")?;
    if let Some(config) = s.case.update.clone() {
        let plan = s.plan(Some(&object), &config).await?;
        let request = s.request(Op::Update, Some(&object), Some(&config), Some(plan));
        died |= killed(s, nth, request.clone()).await == Some(true);
        s.restart().await;
        let now = match s.provider.settle(request).await {
            // What an update has given another id is known by that from here on.
            Settled::Done {
                value: Some(value),
                private,
                ..
            } => Object { value, private },
            Settled::NotDone => object,
            other => return Err(format!("update: settle says {other:?}")),
        };
        let now = s.read(&now).await?.ok_or("it is gone after an update")?;
        let plan = s.plan(Some(&now), &config).await?;
        let request = s.request(Op::Update, Some(&now), Some(&config), Some(plan));
        object = s.applied(request).await?;
    }
    let request = s.request(Op::Delete, Some(&object), None, None);
    died |= killed(s, nth, request.clone()).await == Some(true);
    s.restart().await;
    match s.provider.settle(request).await {
        Settled::Done { value: None, .. } => {}
        Settled::NotDone => s.delete(&object).await?,
        other => return Err(format!("deletion: settle says {other:?}")),
    }
    ensure(s.count().await == before, || "something is left".into())?;
    Ok(Some(died))
}

/// Applies, and drops the call's future once the n-th call to the API is done and its answer never
/// comes. Whether that was reached; `None` where no trap can be laid.
async fn killed(s: &Session<'_>, nth: usize, request: ApplyRequest) -> Option<bool> {
    if !s.fixture.trap(Calls::Nth(nth), Fault::Silent).await {
        return None;
    }
    tokio::select! {
        _ = s.apply(request) => {}
        () = s.fixture.sprung() => {}
    }
    Some(s.fixture.spring().await)
}

/// The API refuses each call and repeats what it was asked: no error shows a sensitive value.
pub(super) async fn secrets_kept(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped("its objects are in state alone".into());
    }
    for nth in 1..=MANY {
        match kept_at(s, nth).await {
            Ok(Some(true)) => {}
            Ok(Some(false)) => return Outcome::Passed,
            Ok(None) => return Outcome::Skipped(UNTRAPPED.into()),
            Err(reason) => return Outcome::Failed(format!("refused at call {nth}: {reason}")),
        }
    }
    Outcome::Failed(format!("an operation makes more than {MANY} calls"))
}

async fn kept_at(s: &mut Session<'_>, nth: usize) -> Result<Option<bool>, String> {
    let before = s.count().await;
    let config = sensitive(&s.case.config);
    let plan = s.plan(None, &config).await?;
    let request = s.request(Op::Create, None, Some(&config), Some(plan));
    if !s.fixture.trap(Calls::Nth(nth), Fault::Repeated).await {
        return Ok(None);
    }
    let response = s.apply(request).await;
    let met = s.fixture.spring().await;
    let told = response.diagnostics.to_string();
    let mut texts = Vec::new();
    leaves(&config, &mut texts);
    let shown = texts.iter().find(|t| told.contains(t.as_str()));
    if let Some(value) = response.value {
        let private = response.private;
        s.delete(&Object { value, private }).await?;
    }
    ensure(s.count().await == before, || {
        format!("something is left that is not recorded, and the error says: {told}")
    })?;
    match shown {
        Some(text) => Err(format!("{text:?} is sensitive, and the error says: {told}")),
        None => Ok(Some(met)),
    }
}

/// The configuration with every text sensitive.
fn sensitive(config: &Value) -> Value {
    config.clone().transform(&mut |v| match v.as_str() {
        Some(_) => v.mark(Marks::SENSITIVE),
        None => v,
    })
}

/// Texts that are long enough to be someone's.
fn leaves(value: &Value, out: &mut Vec<String>) {
    match value.as_str() {
        Some(text) if text.len() > 5 => out.push(text.to_owned()),
        Some(_) => {}
        None => value.children().for_each(|v| leaves(v, out)),
    }
}

/// Found by its id as by someone who knows nothing else of it: the plan after it is empty.
pub(super) async fn imported(s: &mut Session<'_>) -> Outcome {
    if s.case.existence == Existence::StateOnly {
        return Outcome::Skipped("its objects are in state alone".into());
    }
    let object = match s.create().await {
        Ok(object) => object,
        Err(reason) => return Outcome::Failed(reason),
    };
    let id = s.fixture.import_id(&s.case.type_name, &object.value);
    let found = match &id {
        Some(id) => import(s, id).await,
        None => Ok(()),
    };
    match (s.delete(&object).await, found, id) {
        (Err(reason), ..) | (_, Err(reason), _) => Outcome::Failed(reason),
        (.., None) => Outcome::Skipped("the fixture does not say what it is imported by".into()),
        _ => Outcome::Passed,
    }
}

async fn import(s: &Session<'_>, id: &str) -> Result<(), String> {
    let mut found = (s.provider.import(&s.case.type_name, id).await)
        .map_err(|d| format!("import of {id:?}: {d}"))?;
    let found = found.pop().ok_or("import found nothing")?;
    let object = Object {
        value: found.value,
        private: found.private,
    };
    let object = s.read(&object).await?.ok_or("what was imported is gone")?;
    let plan = s.plan(Some(&object), &s.case.config).await?;
    let was = object.value.value();
    let apart = s.fixture.not_imported(&s.case.type_name);
    let differ: Vec<String> = (was.as_entries().into_iter().flatten())
        .filter(|(name, _)| !apart.contains(&&***name))
        .filter_map(|(name, was)| {
            let is = plan.planned.get(name)?;
            (is != was).then(|| format!("{name}: {was} would become {is}"))
        })
        .collect();
    ensure(differ.is_empty(), || {
        format!("after the import it would change: {}", differ.join("; "))
    })
}

/// Each of the fixture's changes by itself: done in place, and nothing left to do.
pub(super) async fn each_alone(s: &mut Session<'_>) -> Outcome {
    let changes = s.fixture.alone(s.case);
    if changes.is_empty() {
        return Outcome::Skipped("the fixture has no changes of one attribute".into());
    }
    for (number, config) in changes.iter().enumerate() {
        if let Err(reason) = super::lifecycle::update_in_place(s, config).await {
            return Outcome::Failed(format!("change number {number}: {reason}"));
        }
    }
    Outcome::Passed
}

/// What is deleted already is deleted again without a word.
pub(super) async fn deleted_twice(s: &mut Session<'_>) -> Outcome {
    Outcome::of(twice(s).await)
}

async fn twice(s: &Session<'_>) -> Result<(), String> {
    let object = s.create().await?;
    s.delete(&object).await?;
    s.delete(&object)
        .await
        .map_err(|e| format!("the second time: {e}"))
}
