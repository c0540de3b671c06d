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
use weir_state::{ApplyOutcome, ApplyRecord, Begin, Entry, EntryId, Lease, Outcome, Store, Target};

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
    /// What earlier runs began and did not end.
    open: Vec<Entry>,
}

/// One place of the state as it shall be; `None` drops it.
pub(crate) type Row = (Address, Option<Resource>);

/// What an edit changes.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Places as they shall be.
    pub(crate) rows: Vec<Row>,
    /// Which of them are the same objects under other addresses.
    pub(crate) moves: Vec<(Address, Address)>,
    /// Objects put aside that change ([`Edit::put_aside`]): `None` leaves state.
    pub(crate) aside: Vec<(EntryId, Option<Begin>)>,
}

impl Changes {
    /// Rows that stay where they are.
    pub(crate) fn rows(rows: Vec<Row>) -> Changes {
        Changes {
            rows,
            ..Changes::default()
        }
    }
}

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
        Ok(Edit {
            snapshot,
            open: store.open_entries().await?,
            store,
            lease,
            what,
            who: context.env.user(),
            started: SystemTime::now(),
        })
    }

    /// Writes all of it or nothing, and gives the lease back. What is behind an object stays what
    /// it was, though the object has moved.
    ///
    /// What a replacement has put aside stands in the journal: it moves there first, and leaves
    /// last, so that a cut in between leaves it in two places rather than in none.
    pub(crate) async fn commit(self, changes: Changes) -> Result<(), CommandError> {
        if let Some(address) = self.unsettled(&changes) {
            return Err(CommandError::failed(format!(
                "{address}: an earlier run ended in the middle of an operation on it"
            ))
            .hint("Run `weir plan` first: it finds out what became of it."));
        }
        let begins = changes.aside.iter().filter_map(|(_, begin)| begin.clone());
        let begins: Vec<Begin> = begins.collect();
        let ids = match begins.is_empty() {
            true => Vec::new(),
            false => self.store.begin(&self.lease, begins).await?,
        };
        let references = self.references(&changes, &ids);
        let rows = changes.rows;
        self.store.record_refresh(&self.lease, rows).await?;
        if references != self.snapshot.references {
            self.store.set_references(&self.lease, references).await?;
        }
        for (id, _) in changes.aside {
            self.store.settle(&self.lease, id, Outcome::Kept).await?;
        }
        let record = record(self.who, self.started, self.what);
        self.store.finish_apply(&self.lease, record).await?;
        Ok(self.store.release(self.lease).await?)
    }

    /// The entries of the journal that are the record of objects that replacements have put aside.
    pub(crate) fn put_aside(&self) -> impl Iterator<Item = &Entry> {
        let aside = |e: &&Entry| e.begin.target == Target::Deposed;
        self.open.iter().filter(aside)
    }

    /// An instance that the edit touches, and that an earlier run left in the middle of something.
    fn unsettled(&self, changes: &Changes) -> Option<Address> {
        let open: BTreeSet<&Address> = (self.open.iter())
            .filter(|e| e.begin.target == Target::Current)
            .map(|e| &e.begin.address)
            .collect();
        let mut rows = changes.rows.iter().map(|(a, _)| a);
        rows.find(|a| open.contains(*a)).cloned()
    }

    /// The references of the state in which these changes are written; `ids` are the entries of
    /// what was put aside and stays so otherwise.
    fn references(&self, changes: &Changes, ids: &[EntryId]) -> References {
        let snapshot = &self.snapshot;
        let mut there: BTreeSet<&Address> = snapshot.resources.keys().collect();
        for (address, resource) in &changes.rows {
            match resource {
                Some(_) => there.insert(address),
                None => there.remove(address),
            };
        }
        let moves = changes.moves.iter();
        let from: BTreeMap<&Address, &Address> = moves.map(|(from, to)| (to, from)).collect();
        let current = there.into_iter().map(|address| {
            let before = from.get(address).copied().unwrap_or(address);
            Object {
                before: Some((before.clone(), None)),
                ..Object::left((address.clone(), None))
            }
        });
        let place = |a: &Address, id: EntryId| (a.clone(), Some(id.deposed_key()));
        let over: BTreeSet<EntryId> = changes.aside.iter().map(|(id, _)| *id).collect();
        let stay = self.put_aside().filter(|e| !over.contains(&e.id));
        let stay = stay.map(|e| Object::left(place(&e.begin.address, e.id)));
        let again = (changes.aside.iter()).filter_map(|(id, begin)| Some((id, begin.as_ref()?)));
        let again = again.zip(ids).filter_map(|((id, begin), now)| {
            let before = self.put_aside().find(|e| e.id == *id)?;
            Some(Object {
                before: Some(place(&before.begin.address, *id)),
                ..Object::left(place(&begin.address, *now))
            })
        });
        let all = current.chain(stay).chain(again);
        (snapshot.references).after(None, all.collect())
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
