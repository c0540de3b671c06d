//! An edit of the state by hand: under the lease, in one transaction, and on record.

use super::super::Context;
use crate::stores::States;
use crate::{args::duration, compose, error::CommandError};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};
use weir_core::{
    Address,
    references::{Object, References},
    snapshot::{Resource, Snapshot},
};
use weir_state::{ApplyOutcome, ApplyRecord, Lease, Store};

/// Flags of every edit.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct EditArgs {
    /// How long to wait for a locked state: `30s`, `5m`.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
}

/// The state, held for an edit.
pub(crate) struct Edit {
    store: Arc<dyn Store>,
    lease: Lease,
    /// What is on record beside the edit: the command.
    what: String,
    who: String,
    started: SystemTime,
    /// The state as it is.
    pub(crate) snapshot: Snapshot,
    /// Instances that an earlier run left in the middle of something.
    unsettled: BTreeSet<Address>,
}

/// One place of the state as it shall be; `None` drops it.
pub(crate) type Row = (Address, Option<Resource>);

impl Edit {
    /// Takes the lease of the state that belongs to the current folder.
    pub(crate) async fn begin(
        what: String,
        args: EditArgs,
        context: &Context,
    ) -> Result<Edit, CommandError> {
        let Some(store) = States::here(&context.env)?.open_existing().await? else {
            return Err(CommandError::failed("there is no state here")
                .hint("`weir apply` makes it; `-chdir=DIR` works in another folder."));
        };
        let waiting = |holder| {
            context
                .ui
                .tell(&format!("Waiting for the state, locked by {holder} ..."));
        };
        let lease =
            compose::lease(&*store, &context.env, &what, args.lock_timeout, waiting).await?;
        let snapshot = store.snapshot().await?;
        let open = store.open_entries().await?;
        Ok(Edit {
            snapshot,
            unsettled: open.into_iter().map(|e| e.begin.address).collect(),
            store,
            lease,
            what,
            who: context.env.user(),
            started: SystemTime::now(),
        })
    }

    /// Writes all of it or nothing, and gives the lease back. What is behind an object stays what
    /// it was, though the object has moved.
    pub(crate) async fn commit(
        self,
        rows: Vec<Row>,
        moves: &[(Address, Address)],
    ) -> Result<(), CommandError> {
        if let Some((address, _)) = rows.iter().find(|(a, _)| self.unsettled.contains(a)) {
            return Err(CommandError::failed(format!(
                "{address}: an earlier run ended in the middle of an operation on it"
            ))
            .hint("Run `weir plan` first: it finds out what became of it."));
        }
        let references = references(&self.snapshot, &rows, moves);
        self.store.record_refresh(&self.lease, rows).await?;
        if references != self.snapshot.references {
            self.store.set_references(&self.lease, references).await?;
        }
        let record = record(self.who, self.started, self.what);
        self.store.finish_apply(&self.lease, record).await?;
        Ok(self.store.release(self.lease).await?)
    }

    /// Gives the lease back; nothing was changed.
    pub(crate) async fn leave(self) -> Result<(), CommandError> {
        Ok(self.store.release(self.lease).await?)
    }
}

/// What is on record of an edit.
pub(super) fn record(who: String, started: SystemTime, what: String) -> ApplyRecord {
    ApplyRecord {
        who,
        started,
        plan_digest: what,
        config_digest: String::new(),
        bundle: None,
        outcome: ApplyOutcome::Succeeded,
        checks: None,
    }
}

/// The references of a state in which these rows are written.
fn references(snapshot: &Snapshot, rows: &[Row], moves: &[(Address, Address)]) -> References {
    let mut there: BTreeSet<&Address> = snapshot.resources.keys().collect();
    for (address, resource) in rows {
        match resource {
            Some(_) => there.insert(address),
            None => there.remove(address),
        };
    }
    let from: BTreeMap<&Address, &Address> = moves.iter().map(|(from, to)| (to, from)).collect();
    let current = there.into_iter().map(|address| {
        let before = from.get(address).copied().unwrap_or(address);
        Object {
            before: Some((before.clone(), None)),
            ..Object::left((address.clone(), None))
        }
    });
    let deposed = snapshot.deposed.iter().flat_map(|(address, objects)| {
        let keys = objects.keys();
        keys.map(|key| Object::left((address.clone(), Some(key.clone()))))
    });
    (snapshot.references).after(None, current.chain(deposed).collect())
}
