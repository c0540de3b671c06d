//! One step: journal, provider, journal.

use super::{
    call::{Call, JournalEntry},
    elapsed_ms,
    judge::judge,
    prepare::{Prepared, Work},
    slots::Slots,
};
use crate::{diagnostics, engine::Engine, guard::caught, journal::Journal};
use std::{sync::Arc, time::Instant};
use tokio_util::sync::CancellationToken;
use weir_core::{
    Address, Diagnostic, Diagnostics, Value,
    event::{Event, EventSink},
    plan::{NodeId, Op, StepId},
    snapshot::Resource,
};
use weir_plan::carry_marks;
use weir_provider::{ApplyRequest, ApplyResponse, Progress, Provider};
use weir_state::{EntryId, Outcome, StateError};

/// What became of a step.
pub(super) struct StepEnd {
    pub(super) step: StepId,
    pub(super) ended: Vec<Ended>,
    /// The store refused a write.
    pub(super) broken: Option<StateError>,
}

/// What became of one operation.
pub(super) struct Ended {
    pub(super) node: NodeId,
    pub(super) elapsed_ms: u64,
    /// The entry of the old object, which is put aside now.
    pub(super) put_aside: Option<EntryId>,
    /// What state has of the instance from now on, where that changed.
    pub(super) resource: Option<Option<Resource>>,
    /// The value for the evaluator.
    pub(super) supply: Option<Value>,
    /// Warnings, or what went wrong.
    pub(super) result: Result<Diagnostics, Diagnostics>,
}

/// What the steps of one apply share.
pub(super) struct Shared<'a> {
    pub(super) engine: &'a Engine,
    pub(super) journal: Journal<'a>,
    pub(super) slots: Slots,
    /// After this nothing more is begun.
    pub(super) stop: CancellationToken,
}

/// Does a step. Everything in `prepared` ends, whatever happens; save what was not begun when it
/// was told to stop: that is left out of the result.
pub(super) async fn run(shared: &Shared<'_>, step: StepId, prepared: Vec<Prepared>) -> StepEnd {
    let mut end = StepEnd {
        step,
        ended: Vec::new(),
        broken: None,
    };
    let mut calls: Vec<(Place, Box<Call>)> = Vec::new();
    for p in prepared {
        let mut place = Place {
            node: p.node,
            address: p.address,
            op: p.op,
            provider: p.provider,
            started: None,
        };
        match p.work {
            Work::Call(mut call) if call.final_plan.is_some() => {
                let completed = shared.slots.call(async {
                    place.start(shared, call.host.clone());
                    call.complete(&*place.provider).await
                });
                match completed.await {
                    Ok(()) => calls.push((place, call)),
                    Err(errors) => end.ended.push(place.failed(errors)),
                }
            }
            Work::Call(call) => calls.push((place, call)),
            Work::Record(resource) => {
                place.start(shared, None);
                record(&shared.journal, place, resource, &mut end).await;
            }
            Work::Read {
                type_name,
                config,
                schema,
            } => {
                let read = shared.slots.call(async {
                    place.start(shared, None);
                    let address = place.address.to_string();
                    place.provider.data_at(&type_name, &address, &config).await
                });
                let result = read
                    .await
                    .map(|value| carry_marks(value.into_value(), &config, &schema.block));
                end.ended.push(match result {
                    Ok(value) => Ended {
                        supply: Some(value),
                        ..place.done()
                    },
                    Err(errors) => place.failed(errors),
                });
            }
            Work::Forget => {
                place.start(shared, None);
                forget(&shared.journal, place, &mut end).await;
            }
        }
    }
    if !calls.is_empty() {
        call_all(shared, calls, &mut end).await;
    }
    end
}

/// Where an operation stands.
struct Place {
    node: NodeId,
    address: Address,
    op: Op,
    provider: Arc<dyn Provider>,
    /// When it was begun; waiting for a place among the calls does not count.
    started: Option<Instant>,
}

impl Place {
    /// It begins, if it has not yet.
    fn start(&mut self, shared: &Shared<'_>, host: Option<String>) {
        if self.started.is_none() {
            self.started = Some(Instant::now());
            shared.engine.events.event(Event::Started {
                address: self.address.clone(),
                op: self.op,
                host,
            });
        }
    }
    fn done(&self) -> Ended {
        Ended {
            node: self.node,
            elapsed_ms: self.started.map_or(0, elapsed_ms),
            put_aside: None,
            resource: None,
            supply: None,
            result: Ok(Diagnostics::new()),
        }
    }
    fn failed(&self, errors: Diagnostics) -> Ended {
        Ended {
            result: Err(errors),
            ..self.done()
        }
    }
    fn unrecorded(&self, error: &StateError) -> Ended {
        self.failed(diagnostics::state(error))
    }
}

async fn record(journal: &Journal<'_>, place: Place, resource: Resource, end: &mut StepEnd) {
    let found = vec![(place.address.clone(), Some(resource.clone()))];
    match journal.refresh(found).await {
        Ok(_) => end.ended.push(Ended {
            supply: Some(resource.value.value().clone()),
            resource: Some(Some(resource)),
            ..place.done()
        }),
        Err(error) => {
            end.ended.push(place.unrecorded(&error));
            end.broken = Some(error);
        }
    }
}

async fn forget(journal: &Journal<'_>, place: Place, end: &mut StepEnd) {
    match journal.forget(&place.address).await {
        Ok(_) => end.ended.push(Ended {
            resource: Some(None),
            ..place.done()
        }),
        Err(error) => {
            end.ended.push(place.unrecorded(&error));
            end.broken = Some(error);
        }
    }
}

/// A call with its entries in the journal.
struct Begun {
    place: Place,
    call: Box<Call>,
    entry: EntryId,
    old: Option<EntryId>,
}

/// Begins all, calls the provider once, and commits each with its own outcome.
async fn call_all(shared: &Shared<'_>, calls: Vec<(Place, Box<Call>)>, end: &mut StepEnd) {
    let journal = &shared.journal;
    let mut entries = Vec::new();
    for (place, call) in &calls {
        if let JournalEntry::Begin { old } = &call.entry {
            entries.push(call.begin(&place.address));
            entries.extend(old.as_deref().cloned());
        }
    }
    let ids = match entries.is_empty() {
        // The deletion of an old object was begun with the creation beside it.
        true => journal.confirm().await.map(|()| Vec::new()),
        false => shared.slots.record(journal.begin(entries)).await,
    };
    let mut ids = match ids {
        Ok(ids) => ids.into_iter(),
        Err(error) => {
            end.ended
                .extend(calls.iter().map(|(place, _)| place.unrecorded(&error)));
            // One that the store does not take concerns its instance alone.
            if !matches!(error, StateError::Invalid(_)) {
                end.broken = Some(error);
            }
            return;
        }
    };
    let mut begun = Vec::new();
    for (place, call) in calls {
        let (entry, old) = match &call.entry {
            JournalEntry::Open(entry) => (Some(*entry), None),
            JournalEntry::Begin { old } => {
                let own = ids.next();
                (own, old.as_ref().and_then(|_| ids.next()))
            }
        };
        match entry {
            Some(entry) => begun.push(Begun {
                place,
                call,
                entry,
                old,
            }),
            None => end.ended.push(place.failed(short("the journal"))),
        }
    }
    let requests: Vec<ApplyRequest> = begun.iter().map(|b| b.call.request.clone()).collect();
    let Some(provider) = begun.first().map(|b| b.place.provider.clone()) else {
        return;
    };
    let called = shared.slots.call(async {
        if shared.stop.is_cancelled() {
            return None;
        }
        for b in &mut begun {
            let host = b.call.host.clone();
            b.place.start(shared, host);
        }
        Some(call_provider(shared.engine, &*provider, &requests).await)
    });
    let Some(answers) = called.await else {
        return withdraw(journal, begun, end).await;
    };
    for (b, answer) in begun.into_iter().zip(answers) {
        match answer {
            Ok(response) => commit(journal, b, response, end).await,
            // The entry stays open: what was done is found out by the next run.
            Err(errors) => end.ended.push(b.place.failed(errors)),
        }
    }
}

/// Closes the entries of calls that were never made. An old object that waits for its deletion
/// keeps its entry: the next run deletes it.
async fn withdraw(journal: &Journal<'_>, begun: Vec<Begun>, end: &mut StepEnd) {
    for b in begun {
        let own = matches!(b.call.entry, JournalEntry::Begin { .. }).then_some(b.entry);
        for entry in own.into_iter().chain(b.old) {
            let kept = journal.commit(&b.place.address, entry, Outcome::Kept).await;
            if let Err(error) = kept {
                end.broken.get_or_insert(error);
                return;
            }
        }
    }
}

fn short(who: &str) -> Diagnostics {
    Diagnostic::error(format!(
        "{who} answered for fewer operations than it was given"
    ))
    .because("Whether the others were done is found out by the next run.")
    .help("Run `weir apply` again.")
    .into()
}

/// Calls the provider, and again for what may succeed later: with the same tokens, so that nothing
/// is done twice. An answer for each request; an error where nobody knows what was done.
async fn call_provider(
    engine: &Engine,
    provider: &dyn Provider,
    requests: &[ApplyRequest],
) -> Vec<Result<ApplyResponse, Diagnostics>> {
    let progress = Relay(&*engine.events);
    let mut answers: Vec<Result<ApplyResponse, Diagnostics>> = Vec::new();
    answers.resize_with(requests.len(), || Err(short("the provider")));
    let mut open: Vec<usize> = (0..requests.len()).collect();
    for attempt in 0.. {
        let asked: Vec<ApplyRequest> = open.iter().map(|i| requests[*i].clone()).collect();
        match call_once(provider, asked, &progress).await {
            Ok(responses) => {
                for (i, response) in open.iter().zip(responses) {
                    answers[*i] = Ok(response);
                }
            }
            Err(crash) => {
                for i in &open {
                    answers[*i] = Err(crash.clone());
                }
            }
        }
        open.retain(|i| {
            let errors = answers[*i].as_ref().map(|r| &r.diagnostics);
            errors.is_ok_and(|e| engine.retry.is_worth(attempt, e))
        });
        let Some(wait) = (!open.is_empty())
            .then(|| engine.retry.spend(attempt))
            .flatten()
        else {
            break;
        };
        for i in &open {
            if let Ok(response) = &answers[*i] {
                let what = diagnostics::one_line(&response.diagnostics);
                let text = format!("{what}: trying again in {} ms", wait.as_millis());
                progress.progress(&requests[*i].address, text);
            }
        }
        tokio::time::sleep(wait).await;
    }
    answers
}

async fn call_once(
    provider: &dyn Provider,
    mut requests: Vec<ApplyRequest>,
    progress: &dyn Progress,
) -> Result<Vec<ApplyResponse>, Diagnostics> {
    match (requests.len(), requests.pop()) {
        (1, Some(only)) => Ok(vec![caught(provider.apply(only, progress)).await?]),
        (_, last) => {
            requests.extend(last);
            caught(provider.apply_batch(requests, progress)).await
        }
    }
}

/// A provider's progress as events.
struct Relay<'a>(&'a dyn EventSink);
impl Progress for Relay<'_> {
    fn progress(&self, address: &str, text: String) {
        if let Ok(address) = address.parse() {
            self.0.event(Event::Progress { address, text });
        }
    }
}

async fn commit(journal: &Journal<'_>, b: Begun, response: ApplyResponse, end: &mut StepEnd) {
    let Begun {
        place,
        call,
        entry,
        old,
    } = b;
    let judged = judge(&place.address, place.op, &*place.provider, &call, response);
    let deposed = matches!(call.entry, JournalEntry::Open(_));
    let made = matches!(
        &judged.outcome,
        Outcome::Put(_)
            | Outcome::Failed {
                leftover: Some(_),
                ..
            }
    );
    let mut written = journal.commit(&place.address, entry, judged.outcome).await;
    let mut put_aside = None;
    if let (Ok(_), Some(old)) = (&written, old) {
        if made {
            put_aside = Some(old);
        } else {
            // Nothing was made, so that the old object stays in its place.
            written = journal.commit(&place.address, old, Outcome::Kept).await;
        }
    }
    end.ended.push(match &written {
        Err(error) => place.unrecorded(error),
        Ok(_) => Ended {
            put_aside,
            resource: if deposed { None } else { judged.resource },
            supply: judged.supply,
            result: judged.result,
            ..place.done()
        },
    });
    if let Err(error) = written {
        end.broken.get_or_insert(error);
    }
}
