//! The lease's rows: one for each lease ever taken.

use super::{
    Rows,
    fault::Fault,
    head::{Head, Sum, seal},
    work::Work,
};
use crate::{
    Ending, Holder, Lease, LeaseRecord, Scope, StateError,
    format::{self, LeaseBody},
    process,
};
use std::{path::Path, sync::Arc, time::SystemTime};
use weir_core::{
    Address,
    snapshot::{Lineage, Serial},
};

/// The parts of a lease that a write carries.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) epoch: u64,
    pub(crate) lineage: Lineage,
    pub(crate) scope: Arc<Scope>,
}

impl From<&Lease> for Pass {
    fn from(lease: &Lease) -> Self {
        lease.pass()
    }
}

impl Pass {
    /// Refuses to change what the lease does not cover: a mistake of the program, which the state
    /// does not suffer from.
    pub(crate) fn owns(&self, address: &Address) -> Result<(), Fault> {
        match self.scope.owns(address) {
            true => Ok(()),
            false => Err(outside(self.epoch, &address.to_string())),
        }
    }

    /// As [`Pass::owns`], of an output.
    pub(crate) fn owns_output(&self, name: &str) -> Result<(), Fault> {
        match self.scope.owns_output(name) {
            true => Ok(()),
            false => Err(outside(self.epoch, &format!("output.{name}"))),
        }
    }

    /// As [`Pass::owns`], of everything.
    pub(crate) fn owns_all(&self) -> Result<(), Fault> {
        match *self.scope {
            Scope::Whole => Ok(()),
            Scope::Part(_) => Err(outside(self.epoch, "the whole state")),
        }
    }
}

fn outside(epoch: u64, what: &str) -> Fault {
    Fault::State(StateError::Invalid(format!(
        "lease {epoch} is on a part of the state that {what} is not in"
    )))
}

/// A row of `scope`: what a lease that is held covers, where that is not everything. Without it the
/// lease covers everything, so that a row that got lost lets nobody in.
#[derive(Debug, Clone)]
pub(crate) struct ScopeRow {
    pub(crate) epoch: u64,
    pub(crate) body: String,
    pub(crate) sum: Sum,
}

impl ScopeRow {
    fn new(epoch: u64, body: String) -> ScopeRow {
        let sum = ScopeRow::seal(epoch, &body);
        ScopeRow { epoch, body, sum }
    }
    fn seal(epoch: u64, body: &str) -> Sum {
        seal("scope", &[&epoch.to_be_bytes(), body.as_bytes()])
    }
}

/// What the lease of this epoch covers.
fn scope_of(rows: &dyn Rows, epoch: u64) -> Result<Scope, Fault> {
    let Some(row) = rows.scope(epoch)? else {
        return Ok(Scope::Whole);
    };
    if row.epoch != epoch || ScopeRow::seal(epoch, &row.body) != row.sum {
        return Err(Fault::damage(format!(
            "the row of what lease {epoch} covers fails its checksum"
        )));
    }
    Ok(Scope::Part(format::part_from_text(&row.body)?))
}

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
    /// With what it covers while it is held.
    pub(super) fn record(self, scope: Option<Scope>) -> Result<LeaseRecord, Fault> {
        let body = format::lease_from_text(&self.body)?;
        Ok(LeaseRecord {
            scope: scope.filter(|_| self.ended.is_none()),
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

/// The lease that is held where these rows stand at this head, in a store without leases on parts.
pub(crate) fn current(rows: &dyn Rows, head: &Head) -> Result<Option<LeaseRecord>, Fault> {
    let latest = find(rows, head.epoch)?.filter(|row| row.ended.is_none());
    latest.map(|row| row.record(Some(Scope::Whole))).transpose()
}

/// The lease of this epoch, if it is held.
fn held(work: &Work<'_>, epoch: u64) -> Result<Option<LeaseRow>, Fault> {
    Ok(find(work.rows, epoch)?.filter(|row| row.ended.is_none()))
}

/// The leases that are held, with what they cover.
fn live(rows: &dyn Rows) -> Result<Vec<(LeaseRow, Scope)>, Fault> {
    let rows_of = rows.live_leases()?.into_iter();
    rows_of
        .map(|row| {
            let row = row.check()?;
            let scope = scope_of(rows, row.epoch)?;
            Ok((row, scope))
        })
        .collect()
}

/// Refuses a write whose lease is not held any more: this is the fence.
pub(crate) fn fence(work: &Work<'_>, pass: &Pass) -> Result<(), Fault> {
    if pass.lineage != work.head.lineage {
        return Err(Fault::State(StateError::Invalid(format!(
            "the lease is for lineage {}, and this state is of lineage {}",
            pass.lineage, work.head.lineage
        ))));
    }
    // Nobody else writes within this transaction: what was found in it is so still.
    if work.held.get() == Some(pass.epoch) {
        return Ok(());
    }
    if held(work, pass.epoch)?.is_some() {
        work.held.set(Some(pass.epoch));
        return Ok(());
    }
    let taken = live(work.rows)?.into_iter();
    let by = taken
        .filter(|(_, scope)| pass.scope.meets(scope).is_some())
        .map(|(row, _)| Ok(Box::new(format::lease_from_text(&row.body)?.holder)))
        .next()
        .transpose()
        .map_err(|e: format::FormatError| Fault::from(e))?;
    Err(Fault::State(StateError::LeaseLost { by }))
}

/// Whether it is certain that the holder's process is gone, as seen from the host of `by`.
fn is_gone(body: &LeaseBody, by: &Holder) -> bool {
    let process = body.process.as_ref();
    body.holder.host == by.host && process.is_some_and(|p| p.is_dead(body.holder.pid))
}

/// Ends the leases whose holders are dead, for `by`: their process on this host is gone, or they
/// were not renewed in time. Those that are left are held.
fn take_over(work: &Work<'_>, by: &Holder) -> Result<Vec<(LeaseRow, Scope)>, Fault> {
    let mut held = Vec::new();
    for (row, scope) in live(work.rows)? {
        let body = format::lease_from_text(&row.body)?;
        let gone = is_gone(&body, by);
        let by = by.clone();
        let how = if gone {
            Ending::HolderDied { by }
        } else if row.expires <= format::millis(work.now) {
            Ending::Expired { by }
        } else {
            held.push((row, scope));
            continue;
        };
        tracing::warn!(holder = %body.holder, ?how, "took over a lease");
        end(work, row, &how)?;
    }
    Ok(held)
}

/// Takes a lease if nobody who is alive holds one that meets it. A store without leases on parts
/// gives one on everything instead.
pub(crate) fn acquire(work: &mut Work<'_>, holder: &Holder, scope: &Scope) -> Result<Taken, Fault> {
    let scope = match work.rows.has_parts() {
        true => scope,
        false => &Scope::Whole,
    };
    for (row, theirs) in take_over(work, holder)? {
        if let Some(overlap) = scope.meets(&theirs) {
            let by = Box::new(row.record(Some(theirs))?);
            let over = overlap.over;
            return Err(Fault::State(StateError::Locked { by, over }));
        }
    }
    refuse_moved(work)?;
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
    if let Scope::Part(part) = scope {
        let body = format::part_to_text(part);
        work.rows.put_scope(&ScopeRow::new(row.epoch, body))?;
    }
    Ok(Taken {
        record: row.record(Some(scope.clone()))?,
        pass: Pass {
            epoch: work.head.epoch,
            lineage: work.head.lineage.clone(),
            scope: Arc::new(scope.clone()),
        },
        serial: work.head.serial(),
    })
}

/// A lease that was just taken.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(crate) record: LeaseRecord,
    pub(crate) pass: Pass,
    /// At which the state was then.
    pub(crate) serial: Serial,
}

/// Whether somebody who looks has to know more: someone holds everything, or may be dead. By the
/// clock of this host, which is good enough to look again by the right one.
pub(crate) fn calls_for_a_visit(rows: &dyn Rows, by: &Holder) -> Result<bool, Fault> {
    let now = format::millis(SystemTime::now());
    for (row, scope) in live(rows)? {
        let body = format::lease_from_text(&row.body)?;
        if scope == Scope::Whole || row.expires <= now || is_gone(&body, by) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends the leases of the dead, and refuses where someone holds everything: nobody else holds
/// anything then, so that nothing was ended.
pub(crate) fn visit(work: &mut Work<'_>, by: &Holder) -> Result<(), Fault> {
    for (row, scope) in take_over(work, by)? {
        if scope == Scope::Whole {
            let by = Box::new(row.record(Some(scope))?);
            return Err(Fault::State(StateError::Locked { by, over: None }));
        }
    }
    Ok(())
}

/// Puts off the expiry of a lease that is still held.
pub(crate) fn renew(work: &mut Work<'_>, pass: &Pass) -> Result<LeaseRecord, Fault> {
    fence(work, pass)?;
    let Some(mut row) = held(work, pass.epoch)? else {
        return Err(Fault::State(StateError::LeaseLost { by: None }));
    };
    row.expires = format::millis(work.now + work.expiry);
    row.write(work)?;
    row.record(None)
}

/// Gives a lease back.
pub(crate) fn release(work: &mut Work<'_>, pass: &Pass) -> Result<(), Fault> {
    fence(work, pass)?;
    match held(work, pass.epoch)? {
        Some(row) => end(work, row, &Ending::Released),
        None => Ok(()),
    }
}

/// Gives a lease back for good: the state goes on at another place.
pub(crate) fn move_away(work: &mut Work<'_>, pass: &Pass, to: String) -> Result<(), Fault> {
    fence(work, pass)?;
    pass.owns_all()?;
    match held(work, pass.epoch)? {
        Some(row) => {
            let by = format::lease_from_text(&row.body)?.holder;
            end(work, row, &Ending::Moved { to, by })
        }
        None => Ok(()),
    }
}

/// Refuses to go on with a state that goes on at another place. Who moved it had the only lease, so
/// that theirs is the latest.
fn refuse_moved(work: &Work<'_>) -> Result<(), Fault> {
    let Some(last) = find(work.rows, work.head.epoch)? else {
        return Ok(());
    };
    match last.record(None)?.ended {
        Some((_, Ending::Moved { to, .. })) => Err(Fault::State(StateError::Moved { to })),
        _ => Ok(()),
    }
}

/// Ends the lease of this epoch, if it is held.
pub(crate) fn unlock(
    work: &mut Work<'_>,
    epoch: u64,
    by: Holder,
) -> Result<Option<LeaseRecord>, Fault> {
    let Some(row) = held(work, epoch)? else {
        return Ok(None);
    };
    end(work, row, &Ending::Unlocked { by })?;
    let ended = find(work.rows, epoch)?;
    ended.map(|row| row.record(None)).transpose()
}

fn end(work: &Work<'_>, mut row: LeaseRow, how: &Ending) -> Result<(), Fault> {
    row.ended = Some(format::ending_to_text(work.now, how));
    row.write(work)?;
    match work.rows.has_parts() {
        true => work.rows.drop_scope(row.epoch),
        false => Ok(()),
    }
}

/// Refuses to change the tables while one of these leases is held: by a program that may be older,
/// and would go on with tables that it does not know.
pub(crate) fn refuse_held(rows: Vec<LeaseRow>, place: &Path, now: SystemTime) -> Result<(), Fault> {
    let me = Holder::this_process("", "");
    for row in rows.into_iter().filter(|row| row.ended.is_none()) {
        let row = row.check()?;
        let body = format::lease_from_text(&row.body)?;
        if row.expires > format::millis(now) && !is_gone(&body, &me) {
            return Err(Fault::State(StateError::Refused {
                path: place.into(),
                cause: format!(
                    "it is of an older weir, and {} is at work on it",
                    body.holder
                ),
                next: "Wait for that to end and run the command again: it brings the state up to \
                       date first"
                    .into(),
            }));
        }
    }
    Ok(())
}

/// Whether a lease was over before this time.
pub(super) fn ended_before(row: &LeaseRow, time: SystemTime) -> Result<bool, Fault> {
    let row = row.clone().check()?;
    let ended = row.ended.as_deref().map(format::ending_from_text);
    Ok(ended.transpose()?.is_some_and(|(when, _)| when < time))
}

/// Every lease that is kept.
pub(crate) fn log(rows: &dyn Rows) -> Result<Vec<LeaseRecord>, Fault> {
    rows.leases()?
        .into_iter()
        .map(|row| {
            let row = row.check()?;
            let scope = match row.ended {
                Some(_) => None,
                None => Some(scope_of(rows, row.epoch)?),
            };
            row.record(scope)
        })
        .collect()
}

/// The leases that are held.
pub(crate) fn held_now(rows: &dyn Rows) -> Result<Vec<LeaseRecord>, Fault> {
    let all = live(rows)?.into_iter();
    all.map(|(row, scope)| row.record(Some(scope))).collect()
}
