//! Operations that an earlier run began and did not finish: each is settled by asking its
//! provider. What can't be told stays open, is never dropped and never done twice.

use crate::{diagnostics, drive, engine::Engine, journal::Journal, machines, scope::live};
use futures::{StreamExt as _, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use weir_core::{
    Address, Diagnostic, Diagnostics, Value,
    event::{Event, Settlement},
    plan::Op,
    snapshot::{DeposedKey, Removal, Resource, Snapshot, Status},
};
use weir_lang::{Config, Evaluator};
use weir_plan::carry_marks;
use weir_provider::{ApplyRequest, Completeness, Settled, Token};
use weir_state::{Entry, Lease, Outcome, Scope, StateError, Target, Verdict};

/// An operation of which it could not be told whether it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// On which instance.
    pub address: Address,
    /// What.
    pub op: Op,
    /// Why it can't be told.
    pub reason: String,
}

/// What settling came to.
#[derive(Default)]
pub(crate) struct Settlements {
    pub(crate) unsettled: Vec<Unsettled>,
    /// Old objects, put aside by a replacement that creates first, that are still there.
    pub(crate) deposed: Vec<Entry>,
    /// What runs that are still going have begun.
    pub(crate) in_flight: BTreeSet<DeposedKey>,
}

/// What runs that are over left open.
#[derive(Default)]
struct Due {
    /// What the lease covers.
    open: Vec<Entry>,
    /// What it does not.
    left: Vec<Entry>,
}

impl Unsettled {
    /// As a warning.
    pub fn warning(&self) -> Diagnostic {
        let op = match self.op {
            Op::Create => "creation",
            Op::Update => "update",
            Op::Delete => "deletion",
            Op::Read | Op::Forget | Op::Join => "operation",
        };
        Diagnostic::warning(format!("{}: an earlier {op} is not settled", self.address))
            .because(format!(
                "An earlier run ended in the middle of it, and whether it was done can't be told \
                 now: {}.",
                self.reason
            ))
            .help("Nothing more is done to it before that is known. Run the command again later.")
            .on(self.address.clone())
    }
}

impl Engine {
    /// Settles every open entry that the lease covers. What a run that is still going began is
    /// left to it.
    pub(crate) async fn settle(
        &self,
        lease: Option<&Lease>,
        config: &Arc<Config>,
    ) -> Result<Settlements, Diagnostics> {
        let read = |e| diagnostics::state(&e);
        let mut settlements = Settlements::default();
        let Due { open, left } = self.due(lease, &mut settlements).await.map_err(read)?;
        for entry in left {
            match entry.begin.target {
                Target::Deposed => settlements.deposed.push(entry),
                Target::Current => settlements.unsettled.push(Unsettled {
                    address: entry.begin.address,
                    op: entry.begin.op,
                    reason: "another run has begun to find out".into(),
                }),
            }
        }
        let Some(lease) = lease.filter(|_| !open.is_empty()) else {
            return Ok(settlements);
        };
        let snapshot = self.store.snapshot().await.map_err(read)?;
        self.configure_from_state(config, &snapshot).await;
        let journal = self.journal(lease);
        // Objects put aside are told apart by what became of the creation beside them, so that
        // those go first.
        let (deposed, current): (Vec<Entry>, Vec<Entry>) = open
            .into_iter()
            .partition(|e| e.begin.target == Target::Deposed);
        let mut asked = stream::iter(current)
            .map(|entry| async {
                self.events.event(Event::Settling {
                    address: entry.begin.address.clone(),
                });
                let answer = self.ask(&entry).await;
                (entry, answer)
            })
            .buffered(self.parallelism.get());
        let mut unsettled: BTreeSet<(u64, Address)> = BTreeSet::new();
        while let Some((entry, answer)) = asked.next().await {
            let address = entry.begin.address.clone();
            let settlement = match outcome(&entry, answer, self) {
                Ok((outcome, settlement)) => {
                    journal
                        .settle(&address, entry.id, outcome)
                        .await
                        .map_err(read)?;
                    settlement
                }
                Err(reason) => {
                    unsettled.insert((entry.epoch, address.clone()));
                    let op = entry.begin.op;
                    settlements.unsettled.push(Unsettled {
                        address: address.clone(),
                        op,
                        reason,
                    });
                    Settlement::Unsettled
                }
            };
            self.events.event(Event::Settled {
                address,
                outcome: settlement,
            });
        }
        drop(asked);
        for entry in deposed {
            if unsettled.contains(&(entry.epoch, entry.begin.address.clone())) {
                continue;
            }
            if let Some(entry) = self.settle_deposed(&journal, entry).await? {
                settlements.deposed.push(entry);
            }
        }
        Ok(settlements)
    }

    /// The open entries of runs that are over. Those of runs that are not are noted.
    async fn due(
        &self,
        lease: Option<&Lease>,
        settlements: &mut Settlements,
    ) -> Result<Due, StateError> {
        let mut due = Due::default();
        let open = self.store.open_entries().await?;
        let whole = lease.is_some_and(|l| *l.scope() == Scope::Whole);
        let live = match open.is_empty() || whole {
            true => BTreeSet::new(),
            false => live(&*self.store).await?,
        };
        for entry in open {
            if live.contains(&entry.epoch) && lease.is_none_or(|l| l.epoch() != entry.epoch) {
                settlements.in_flight.insert(entry.id.deposed_key());
            } else if lease.is_some_and(|l| l.scope().owns(&entry.begin.address)) {
                due.open.push(entry);
            } else {
                due.left.push(entry);
            }
        }
        Ok(due)
    }

    /// Configures what can be configured by what state has: enough to ask what was done.
    async fn configure_from_state(&self, config: &Arc<Config>, snapshot: &Snapshot) {
        let mut evaluator = Evaluator::new(config.clone(), self.registry.clone()).with_machines(
            machines::of_state(config, &snapshot.resources, &BTreeMap::new()),
        );
        let pods = crate::pods::Pods::of_state(snapshot, config);
        let (driven, _) = drive::drive(
            &mut evaluator,
            |address| drive::from_state(snapshot, address).into(),
            |address| pods.placement(address).cloned(),
        );
        // Errors are not lost: planning meets them again, and says so in their place.
        for provider in driven.providers {
            let _ = self.session.configure(&provider).await;
        }
    }

    async fn ask(&self, entry: &Entry) -> Settled {
        let begin = &entry.begin;
        let provider = match self.session.get(&begin.provider).await {
            Ok(provider) => provider,
            Err(d) => return Settled::Unknown(diagnostics::one_line(&d)),
        };
        let request = ApplyRequest {
            type_name: begin.type_name.clone(),
            address: begin.address.to_string(),
            op: begin.op,
            prior: begin.prior.clone(),
            planned: begin.planned.clone(),
            config: None,
            private: begin.private.clone(),
            token: Token {
                lineage: self.store.lineage().0,
                epoch: entry.epoch,
                step: begin.step,
            },
        };
        provider.settle(request).await
    }

    /// What becomes of an entry for an object that was put aside: `None` where it is closed now,
    /// the entry where the object is still there.
    async fn settle_deposed(
        &self,
        journal: &Journal<'_>,
        entry: Entry,
    ) -> Result<Option<Entry>, Diagnostics> {
        let read = |e| diagnostics::state(&e);
        let address = &entry.begin.address;
        let closed = self.store.closed_entries(entry.epoch).await.map_err(read)?;
        let created = closed
            .iter()
            .rev()
            .find(|c| c.address == *address && c.op == Op::Create)
            .is_some_and(|c| c.verdict == Verdict::Put);
        let snapshot = self.store.snapshot().await.map_err(read)?;
        let current = snapshot.resources.get(address).map(|r| &r.value);
        let close = if !created && current == entry.begin.prior.as_ref() {
            // The old object is still the one in state: it never was put aside.
            Some(Outcome::Kept)
        } else {
            match self.ask(&entry).await {
                Settled::Done { value: None, .. } => Some(Outcome::Gone),
                _ => None,
            }
        };
        match close {
            Some(outcome) => {
                journal
                    .settle(address, entry.id, outcome)
                    .await
                    .map_err(read)?;
                Ok(None)
            }
            None => Ok(Some(entry)),
        }
    }
}

/// The record for an answer; the reason where there is none.
fn outcome(
    entry: &Entry,
    answer: Settled,
    engine: &Engine,
) -> Result<(Outcome, Settlement), String> {
    let begin = &entry.begin;
    match answer {
        Settled::Unknown(reason) => Err(reason),
        Settled::NotDone => Ok((Outcome::Kept, Settlement::NotDone)),
        Settled::Done { value: None, .. } => Ok((Outcome::Gone, Settlement::Done)),
        Settled::Done {
            value: Some(value),
            private,
            completeness,
        } => {
            let mut value = value.into_value();
            if let Some(schema) = weir_lang::Schemas::resource(&*engine.registry, &begin.type_name)
            {
                let none = Value::null();
                let marks = begin
                    .planned
                    .as_ref()
                    .or(begin.prior.as_ref().map(|p| p.value()));
                value = carry_marks(value, marks.unwrap_or(&none), &schema.block);
            }
            let value = weir_core::Known::new(value).map_err(|e| e.to_string())?;
            // A half-done update is no reason to replace: the next plan sees what is missing.
            let status = match (completeness, begin.op) {
                (Completeness::Partial, Op::Create) => Status::Tainted,
                _ => Status::Ready,
            };
            let resource = Resource {
                provider: begin.provider.clone(),
                schema_version: begin.schema_version,
                value,
                private,
                dependencies: begin.dependencies.clone(),
                status,
                removal: Removal::default(),
                foreign: begin.foreign.clone(),
            };
            Ok((Outcome::Put(resource), Settlement::Done))
        }
    }
}
