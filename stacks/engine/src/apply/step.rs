//! One step: journal, provider, journal.

use super::{
    call::{Call, JournalEntry},
    elapsed_ms,
    judge::judge,
    prepare::{Prepared, Work},
};
use crate::{diagnostics, engine::Engine, guard::caught, journal::Journal};
use std::{sync::Arc, time::Instant};
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

/// Does a step. Everything in `prepared` ends, whatever happens.
pub(super) async fn run(
    engine: &Engine,
    journal: Journal<'_>,
    step: StepId,
    prepared: Vec<Prepared>,
) -> StepEnd {
    let started = Instant::now();
    for p in &prepared {
        let host = match &p.work {
            Work::Call(call) => call.host.clone(),
            _ => None,
        };
        engine.events.event(Event::Started {
            address: p.address.clone(),
            op: p.op,
            host,
        });
    }
    let mut end = StepEnd {
        step,
        ended: Vec::new(),
        broken: None,
    };
    let mut calls: Vec<(Place, Box<Call>)> = Vec::new();
    for p in prepared {
        let place = Place {
            node: p.node,
            address: p.address,
            op: p.op,
            provider: p.provider,
            started,
        };
        match p.work {
            Work::Call(mut call) => match call.complete(&*place.provider).await {
                Ok(()) => calls.push((place, call)),
                Err(errors) => end.ended.push(place.failed(errors)),
            },
            Work::Record(resource) => record(&journal, place, resource, &mut end).await,
            Work::Read {
                type_name,
                config,
                schema,
            } => {
                let read = place.provider.data(&type_name, &config).await;
                let result =
                    read.map(|value| carry_marks(value.into_value(), &config, &schema.block));
                end.ended.push(match result {
                    Ok(value) => Ended {
                        supply: Some(value),
                        ..place.done()
                    },
                    Err(errors) => place.failed(errors),
                });
            }
            Work::Forget => forget(&journal, place, &mut end).await,
        }
    }
    if !calls.is_empty() {
        call_all(engine, &journal, calls, &mut end).await;
    }
    end
}

/// Where an operation stands.
struct Place {
    node: NodeId,
    address: Address,
    op: Op,
    provider: Arc<dyn Provider>,
    started: Instant,
}

impl Place {
    fn done(&self) -> Ended {
        Ended {
            node: self.node,
            elapsed_ms: elapsed_ms(self.started),
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
async fn call_all(
    engine: &Engine,
    journal: &Journal<'_>,
    calls: Vec<(Place, Box<Call>)>,
    end: &mut StepEnd,
) {
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
        false => journal.begin(entries).await,
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
    let responses = call_provider(engine, &*provider, requests).await;
    let mut responses = match responses {
        Ok(responses) => responses.into_iter(),
        // The entries stay open: what was done is found out by the next run.
        Err(errors) => {
            end.ended
                .extend(begun.iter().map(|b| b.place.failed(errors.clone())));
            return;
        }
    };
    for b in begun {
        match responses.next() {
            Some(response) => commit(journal, b, response, end).await,
            None => end.ended.push(b.place.failed(short("the provider"))),
        }
    }
}

fn short(who: &str) -> Diagnostics {
    Diagnostic::error(format!(
        "{who} answered for fewer operations than it was given"
    ))
    .because("Whether the others were done is found out by the next run.")
    .into()
}

async fn call_provider(
    engine: &Engine,
    provider: &dyn Provider,
    mut requests: Vec<ApplyRequest>,
) -> Result<Vec<ApplyResponse>, Diagnostics> {
    let progress = Relay(&*engine.events);
    match (requests.len(), requests.pop()) {
        (1, Some(only)) => {
            let response = caught(provider.apply(only, &progress)).await?;
            Ok(vec![response])
        }
        (_, last) => {
            requests.extend(last);
            caught(provider.apply_batch(requests, &progress)).await
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
