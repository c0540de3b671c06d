//! An edit of the state by hand: under the lease, in one transaction, and on record.

use super::super::Context;
use crate::stores::States;
use crate::{args::duration, compose, error::CommandError};
use std::{collections::BTreeSet, sync::Arc, time::Duration, time::SystemTime};
use weir_core::{
    Address,
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

    /// Writes all of it or nothing, and gives the lease back.
    pub(crate) async fn commit(self, rows: Vec<Row>) -> Result<(), CommandError> {
        if let Some((address, _)) = rows.iter().find(|(a, _)| self.unsettled.contains(a)) {
            return Err(CommandError::failed(format!(
                "{address}: an earlier run ended in the middle of an operation on it"
            ))
            .hint("Run `weir plan` first: it finds out what became of it."));
        }
        self.store.record_refresh(&self.lease, rows).await?;
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
