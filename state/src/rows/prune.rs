//! What of the past is dropped: by [`retain`] a piece at a time, at the end of an apply, and by
//! [`before`] all at once, for who asks for it.
//!
//! [`retain`] in steps:
//!
//! 1. the applies at the beginning of the history that are too old are dropped, at most [`BATCH`] of
//!    them, and the past begins at the serial of the first one that stays;
//! 2. texts of configurations that only those named go with them;
//! 3. of the rows that nothing after that serial needs, of leases that were over before the first
//!    apply that stays, and of what was done under those, as many as may go in one transaction. What
//!    is left over goes the next time: that the past begins later is said already.

use super::{
    Kind, OpenRow, Rows,
    fault::Fault,
    items,
    journal::{self, ApplyRow},
    leases, whole,
    work::Work,
};
use crate::{Applied, Bundle, Pruned, Retention};
use std::{collections::BTreeSet, time::SystemTime};

/// At most so many applies, and leases, are dropped at a time.
const BATCH: usize = 64;
/// So many rows may be dropped at a time, and two for each that this lease has written: what large
/// applies leave goes as fast as it comes.
const ROWS: usize = 1_000;

/// Names a row that can be dropped for its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Old {
    /// A row of the past.
    Past {
        kind: String,
        key: String,
        serial: u64,
        until: u64,
    },
    /// A closed entry.
    Closed { epoch: u64, id: u64 },
    /// A lease.
    Lease(u64),
    /// The oldest line of the history.
    Apply,
}

/// The lines at the beginning of the history that may go, and the first that stays.
struct Aged {
    gone: Vec<Applied>,
    first: Option<Applied>,
}

fn aged(rows: &dyn Rows, now: SystemTime, keep: Retention) -> Result<Aged, Fault> {
    let all = rows.count_applies()?;
    let least = usize::try_from(keep.applies).unwrap_or(usize::MAX).max(1);
    let spare = all.saturating_sub(least).min(BATCH);
    let mut aged = Aged {
        gone: Vec::new(),
        first: None,
    };
    for row in rows.oldest_applies(spare + 1)? {
        let applied = journal::applied(rows, row)?;
        // A clock that was set back makes nothing older.
        let age = now.duration_since(applied.finished).unwrap_or_default();
        if aged.gone.len() == spare || age < keep.age {
            aged.first = Some(applied);
            break;
        }
        aged.gone.push(applied);
    }
    // With a long history it is not done for each line anew.
    if aged.gone.len() < (all / 10).clamp(1, BATCH) {
        let gone = std::mem::take(&mut aged.gone).into_iter();
        aged.first = gone.chain(aged.first).next();
    }
    Ok(aged)
}

/// Whether there is anything to drop. By the clock of this host, which is good enough to look again
/// by the right one.
pub(crate) fn is_due(rows: &dyn Rows, keep: Retention) -> Result<bool, Fault> {
    let aged = aged(rows, SystemTime::now(), keep)?;
    if !aged.gone.is_empty() {
        return Ok(true);
    }
    let since = whole::since(rows)?;
    if since == 0 {
        return Ok(false);
    }
    if !rows.past_until(since, 1)?.is_empty() {
        return Ok(true);
    }
    let open = open_epochs(rows)?;
    let head = rows.head()?.epoch;
    let (Some(first), Some(lease)) = (aged.first, rows.oldest_leases(1)?.pop()) else {
        return Ok(false);
    };
    Ok(leases::ended_before(&lease, first.finished)?
        && ![first.epoch, head].contains(&lease.epoch)
        && !open.contains(&lease.epoch))
}

fn open_epochs(rows: &dyn Rows) -> Result<BTreeSet<u64>, Fault> {
    let open: Vec<OpenRow> = rows.open_before(u64::MAX)?;
    Ok(open.iter().map(|entry| entry.epoch).collect())
}

/// Drops a piece of what is older than is to be kept, unless somebody else holds a lease: who keeps
/// the configuration of an apply that is not over is not met.
pub(crate) fn retain(work: &mut Work<'_>, epoch: u64, keep: Retention) -> Result<Pruned, Fault> {
    let mut pruned = Pruned::default();
    if work.rows.live_leases()?.iter().any(|l| l.epoch != epoch) {
        return Ok(pruned);
    }
    let Aged { gone, first } = aged(work.rows, work.now, keep)?;
    let Some(first) = first else {
        return Ok(pruned);
    };
    if !gone.is_empty() {
        whole::begins(work, first.serial.0)?;
        for _ in &gone {
            work.rows.drop_old(Old::Apply)?;
        }
        pruned.applies = gone.len() as u64;
        pruned.texts = drop_texts(work, &gone)?;
    }
    let since = whole::since(work.rows)?;
    if since == 0 {
        return Ok(pruned);
    }
    let written = work.rows.closed_ids(epoch, usize::MAX)?.len();
    let may = ROWS + 2 * written;
    let past = work.rows.past_until(since, may)?;
    pruned.rows = past.len() as u64;
    let may = may - past.len();
    for row in past {
        work.rows.drop_old(row)?;
    }
    pruned.leases = drop_leases(work, &first, BATCH, may)?;
    Ok(pruned)
}

/// Drops the texts that only the configurations of these applies are made of.
fn drop_texts(work: &mut Work<'_>, gone: &[Applied]) -> Result<u64, Fault> {
    let of = |applies: &[Applied]| -> BTreeSet<String> {
        let bundles = applies.iter().map(|a| a.record.bundle.clone());
        bundles.flatten().collect()
    };
    let stays = of(&journal::history(work.rows)?);
    let gone: BTreeSet<String> = of(gone).difference(&stays).cloned().collect();
    if gone.is_empty() {
        return Ok(0);
    }
    let named = texts_of(work.rows, &stays)?;
    let mut dropped = 0;
    for digest in texts_of(work.rows, &gone)?.difference(&named) {
        if work.rows.item(Kind::Config, digest)?.is_some() {
            items::discard(work, Kind::Config, digest)?;
            dropped += 1;
        }
    }
    Ok(dropped)
}

/// The digests of all texts of these configurations.
fn texts_of(rows: &dyn Rows, bundles: &BTreeSet<String>) -> Result<BTreeSet<String>, Fault> {
    let wanted: Vec<String> = bundles.iter().cloned().collect();
    rows.bring_items(Kind::Config, &wanted)?;
    let mut named = bundles.clone();
    for digest in bundles {
        let index = items::kept(rows, Kind::Config, digest)?;
        if let Some((files, rest)) = index.as_deref().and_then(Bundle::named) {
            named.extend(files.into_values());
            named.insert(rest);
        }
    }
    Ok(named)
}

/// Drops leases that were over before this apply was, with what was done under them: of so many of
/// the oldest, and at most so many rows. The latest lease stays, which says whether the state was
/// moved away, and so do those that something is open of.
fn drop_leases(
    work: &mut Work<'_>,
    first: &Applied,
    of: usize,
    mut may: usize,
) -> Result<u64, Fault> {
    let open = open_epochs(work.rows)?;
    let mut dropped = 0;
    for lease in work.rows.oldest_leases(of)? {
        let stays = [first.epoch, work.head.epoch].contains(&lease.epoch);
        if stays || open.contains(&lease.epoch) || !leases::ended_before(&lease, first.finished)? {
            continue;
        }
        let ids = work.rows.closed_ids(lease.epoch, may)?;
        may -= ids.len();
        for id in ids {
            let epoch = lease.epoch;
            work.rows.drop_old(Old::Closed { epoch, id })?;
        }
        if may == 0 {
            // There may be more of it.
            break;
        }
        work.rows.drop_old(Old::Lease(lease.epoch))?;
        may -= 1;
        dropped += 1;
    }
    Ok(dropped)
}

/// Drops what only states before this serial need, all of it.
pub(crate) fn before(work: &mut Work<'_>, epoch: u64, before: u64) -> Result<Pruned, Fault> {
    let before = before.min(work.head.serial);
    let mut pruned = Pruned::default();
    let past = work.rows.past()?;
    work.rows.drop_past()?;
    for row in past {
        match row.until <= before {
            true => pruned.rows += 1,
            false => work.rows.add_past(&row)?,
        }
    }
    // The latest apply stays whatever its age: it says what is there now.
    let applies = journal::history(work.rows)?;
    let rows: Vec<ApplyRow> = work.rows.applies()?;
    let last = applies.len().saturating_sub(1);
    let stays = |(i, applied): (usize, &Applied)| i == last || applied.serial.0 >= before;
    work.rows.drop_applies()?;
    let mut epochs: BTreeSet<u64> = BTreeSet::from([epoch]);
    let mut bundles: BTreeSet<String> = BTreeSet::new();
    let mut first = None;
    for (i, (applied, row)) in applies.iter().zip(rows).enumerate() {
        if stays((i, applied)) {
            work.rows.add_apply(&row)?;
            epochs.insert(applied.epoch);
            bundles.extend(applied.record.bundle.clone());
            first.get_or_insert(applied);
        } else {
            pruned.applies += 1;
        }
    }
    epochs.extend(open_epochs(work.rows)?);
    let closed = work.rows.all_closed()?;
    work.rows.drop_closed()?;
    for row in closed.iter().filter(|row| epochs.contains(&row.epoch)) {
        work.rows.add_closed(row)?;
    }
    let named = texts_of(work.rows, &bundles)?;
    for digest in work.rows.keys(Kind::Config)? {
        if !named.contains(&digest) {
            items::discard(work, Kind::Config, &digest)?;
            pruned.texts += 1;
        }
    }
    whole::begins(work, before)?;
    if let Some(first) = first.filter(|_| pruned.applies > 0) {
        pruned.leases = drop_leases(work, first, usize::MAX, usize::MAX)?;
    }
    Ok(pruned)
}
