//! The lease's rows: one for each lease ever taken.

use super::{
    Rows,
    fault::Fault,
    head::{Head, Sum, seal},
    journal::Pass,
    work::Work,
};
use crate::{
    Ending, Holder, LeaseRecord, StateError,
    format::{self, LeaseBody},
    process,
};
use std::time::SystemTime;

/// A row of `lease`.
#[derive(Debug, Clone)]
pub(crate) struct LeaseRow {
    pub(crate) epoch: u64,
    pub(crate) expires: u64,
    pub(crate) body: String,
    pub(crate) ended: Option<String>,
    pub(crate) sum: Sum,
}

impl LeaseRow {
    /// Ends it, if it has no end yet.
    pub(super) fn end(&mut self, now: SystemTime, how: &Ending) {
        if self.ended.is_none() {
            self.ended = Some(format::ending_to_text(now, how));
            self.sum = self.seal();
        }
    }
    fn seal(&self) -> Sum {
        seal(
            "lease",
            &[
                &self.epoch.to_be_bytes(),
                &self.expires.to_be_bytes(),
                self.body.as_bytes(),
                &[u8::from(self.ended.is_some())],
                self.ended.as_deref().unwrap_or_default().as_bytes(),
            ],
        )
    }
    fn check(self) -> Result<LeaseRow, Fault> {
        if self.seal() == self.sum {
            Ok(self)
        } else {
            Err(Fault::damage(format!(
                "the row of lease {} fails its checksum",
                self.epoch
            )))
        }
    }
    fn write(&self, work: &Work<'_>) -> Result<(), Fault> {
        work.held.set(None);
        work.rows.put_lease(&LeaseRow {
            sum: self.seal(),
            ..self.clone()
        })
    }
    pub(super) fn record(self) -> Result<LeaseRecord, Fault> {
        let body = format::lease_from_text(&self.body)?;
        Ok(LeaseRecord {
            epoch: self.epoch,
            holder: body.holder,
            since: body.since,
            expires: format::time(self.expires),
            ended: self
                .ended
                .as_deref()
                .map(format::ending_from_text)
                .transpose()?,
        })
    }
}

fn find(rows: &dyn Rows, epoch: u64) -> Result<Option<LeaseRow>, Fault> {
    rows.lease(epoch)?.map(LeaseRow::check).transpose()
}

/// The lease that is held now.
fn held(work: &Work<'_>) -> Result<Option<LeaseRow>, Fault> {
    unended(work.rows, &work.head)
}

fn unended(rows: &dyn Rows, head: &Head) -> Result<Option<LeaseRow>, Fault> {
    Ok(find(rows, head.epoch)?.filter(|row| row.ended.is_none()))
}

/// The lease that is held where these rows stand at this head.
pub(crate) fn current(rows: &dyn Rows, head: &Head) -> Result<Option<LeaseRecord>, Fault> {
    unended(rows, head)?.map(LeaseRow::record).transpose()
}

/// Refuses a write whose lease is not the current one: this is the fence.
pub(crate) fn fence(work: &Work<'_>, pass: &Pass) -> Result<(), Fault> {
    if pass.lineage != work.head.lineage {
        return Err(Fault::State(StateError::Invalid(format!(
            "the lease is for lineage {}, and this state is of lineage {}",
            pass.lineage, work.head.lineage
        ))));
    }
    let is_latest = pass.epoch == work.head.epoch;
    // Nobody else writes within this transaction: what was found in it is so still.
    if is_latest && work.held.get() == Some(pass.epoch) {
        return Ok(());
    }
    let current = held(work)?;
    if is_latest && current.is_some() {
        work.held.set(Some(pass.epoch));
        return Ok(());
    }
    let by = match current {
        Some(row) => Some(Box::new(format::lease_from_text(&row.body)?.holder)),
        None => None,
    };
    Err(Fault::State(StateError::LeaseLost { by }))
}

/// Takes the lease if it is free, or its holder is dead.
pub(crate) fn acquire(work: &mut Work<'_>, holder: &Holder) -> Result<LeaseRecord, Fault> {
    if let Some(row) = held(work)? {
        let body = format::lease_from_text(&row.body)?;
        let by = holder.clone();
        let gone = body.holder.host == holder.host
            && body
                .process
                .as_ref()
                .is_some_and(|p| p.is_dead(body.holder.pid));
        let how = if gone {
            Ending::HolderDied { by }
        } else if row.expires <= format::millis(work.now) {
            Ending::Expired { by }
        } else {
            return Err(Fault::State(StateError::Locked(Box::new(row.record()?))));
        };
        tracing::warn!(holder = %body.holder, ?how, "took over a lease");
        end(work, row, &how)?;
    } else {
        refuse_moved(work)?;
    }
    work.head.epoch += 1;
    let body = LeaseBody {
        holder: holder.clone(),
        since: work.now,
        process: process::Identity::of(holder.pid),
    };
    let row = LeaseRow {
        epoch: work.head.epoch,
        expires: format::millis(work.now + work.expiry),
        body: format::lease_to_text(&body),
        ended: None,
        sum: [0; 32],
    };
    row.write(work)?;
    row.record()
}

/// Puts off the expiry of a lease that is still held.
pub(crate) fn renew(work: &mut Work<'_>, pass: &Pass) -> Result<LeaseRecord, Fault> {
    fence(work, pass)?;
    let Some(mut row) = held(work)? else {
        return Err(Fault::State(StateError::LeaseLost { by: None }));
    };
    row.expires = format::millis(work.now + work.expiry);
    row.write(work)?;
    row.record()
}

/// Gives a lease back.
pub(crate) fn release(work: &mut Work<'_>, pass: &Pass) -> Result<(), Fault> {
    fence(work, pass)?;
    match held(work)? {
        Some(row) => end(work, row, &Ending::Released),
        None => Ok(()),
    }
}

/// Gives a lease back for good: the state goes on at another place.
pub(crate) fn move_away(work: &mut Work<'_>, pass: &Pass, to: String) -> Result<(), Fault> {
    fence(work, pass)?;
    match held(work)? {
        Some(row) => {
            let by = format::lease_from_text(&row.body)?.holder;
            end(work, row, &Ending::Moved { to, by })
        }
        None => Ok(()),
    }
}

/// Refuses to go on with a state that goes on at another place.
fn refuse_moved(work: &Work<'_>) -> Result<(), Fault> {
    let Some(last) = find(work.rows, work.head.epoch)? else {
        return Ok(());
    };
    match last.record()?.ended {
        Some((_, Ending::Moved { to, .. })) => Err(Fault::State(StateError::Moved { to })),
        _ => Ok(()),
    }
}

/// Ends whatever lease is held.
pub(crate) fn unlock(work: &mut Work<'_>, by: Holder) -> Result<Option<LeaseRecord>, Fault> {
    let Some(row) = held(work)? else {
        return Ok(None);
    };
    let epoch = row.epoch;
    end(work, row, &Ending::Unlocked { by })?;
    find(work.rows, epoch)?.map(LeaseRow::record).transpose()
}

fn end(work: &Work<'_>, mut row: LeaseRow, how: &Ending) -> Result<(), Fault> {
    row.ended = Some(format::ending_to_text(work.now, how));
    row.write(work)
}

/// Every lease ever taken.
pub(crate) fn log(rows: &dyn Rows) -> Result<Vec<LeaseRecord>, Fault> {
    rows.leases()?
        .into_iter()
        .map(|row| row.check()?.record())
        .collect()
}
