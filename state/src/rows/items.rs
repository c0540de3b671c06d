//! The rows of the state: resources, outputs and references, now and in the past.

use super::{
    Rows,
    batch::RowRef,
    cipher::{Again, Part},
    fault::Fault,
    head::{Head, Sum, seal, toggle},
    journal, reading,
    work::Work,
};
use weir_core::snapshot::Serial;

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Resource,
    Output,
    /// A text of a configuration, by its digest.
    Config,
    /// What the store notes of itself.
    Mark,
    /// One row: what the blocks behind objects refer to.
    References,
}

impl Kind {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Kind::Resource => "resource",
            Kind::Output => "output",
            Kind::Config => "config",
            Kind::Mark => "mark",
            Kind::References => "references",
        }
    }

    pub(crate) fn of(text: &str) -> Result<Kind, Fault> {
        [
            Kind::Resource,
            Kind::Output,
            Kind::Config,
            Kind::Mark,
            Kind::References,
        ]
        .into_iter()
        .find(|k| k.text() == text)
        .ok_or_else(|| Fault::damage(format!("a row is of kind {text:?}")))
    }
}

/// A row of `item`.
#[derive(Debug, Clone)]
pub(crate) struct ItemRow {
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) serial: u64,
    pub(crate) body: String,
    pub(crate) sum: Sum,
}

/// A row of `past`: what stood in `item` until a serial.
#[derive(Debug, Clone)]
pub(crate) struct PastRow {
    pub(crate) item: ItemRow,
    pub(crate) until: u64,
}

impl ItemRow {
    /// The row where it lies.
    pub(crate) fn lent(&self) -> RowRef<'_> {
        RowRef {
            kind: &self.kind,
            key: &self.key,
            serial: self.serial,
            body: &self.body,
            sum: &self.sum,
        }
    }
    pub(super) fn seal(&self) -> Sum {
        self.lent().seal()
    }
    pub(super) fn is_whole(&self) -> bool {
        self.seal() == self.sum
    }
    /// The sum of the row once it is of the past.
    pub(super) fn seal_past(&self, until: u64) -> Sum {
        seal("past", &[&self.seal(), &until.to_be_bytes()])
    }
}

/// Stores a row (`None` drops it) at the serial after the current one. Says whether that changed
/// anything; the caller raises the serial then.
pub(crate) fn put(
    work: &mut Work<'_>,
    kind: Kind,
    key: &str,
    body: Option<&str>,
) -> Result<bool, Fault> {
    let cipher = work.rows.cipher();
    let part = Part::Item(kind.text(), key);
    let old = work.rows.item(kind, key)?;
    let opened = match &old {
        Some(old) if !old.is_whole() => return Err(damaged_row(old.lent())),
        Some(old) => Some(cipher.open(part, old.body.clone())?),
        None => None,
    };
    if opened.as_deref() == body {
        return Ok(false);
    }
    let serial = work.head.serial + 1;
    if let Some(old) = old {
        work.rows.add_past(&PastRow {
            item: ItemRow {
                sum: old.seal_past(serial),
                ..old.clone()
            },
            until: serial,
        })?;
        work.rows.drop_item(kind, key)?;
        toggle(&mut work.head.digest, &old.sum);
    }
    if let Some(body) = body {
        let mut row = ItemRow {
            kind: kind.text().into(),
            key: key.into(),
            serial,
            body: cipher.seal(part, body.into())?,
            sum: [0; 32],
        };
        row.sum = row.seal();
        work.rows.put_item(&row)?;
        toggle(&mut work.head.digest, &row.sum);
    }
    Ok(true)
}

/// Stores a row that is no part of the state where there is none with its key.
pub(crate) fn keep(work: &mut Work<'_>, kind: Kind, key: &str, body: &str) -> Result<(), Fault> {
    let sealed = work
        .rows
        .cipher()
        .seal(Part::Item(kind.text(), key), body.into())?;
    let mut row = ItemRow {
        kind: kind.text().into(),
        key: key.into(),
        serial: work.head.serial,
        body: sealed,
        sum: [0; 32],
    };
    row.sum = row.seal();
    work.rows.put_item(&row)?;
    toggle(&mut work.head.digest, &row.sum);
    Ok(())
}

/// Drops such a row for good.
pub(crate) fn discard(work: &mut Work<'_>, kind: Kind, key: &str) -> Result<(), Fault> {
    if let Some(row) = work.rows.item(kind, key)? {
        work.rows.drop_item(kind, key)?;
        toggle(&mut work.head.digest, &row.sum);
    }
    Ok(())
}

/// The text of such a row.
pub(crate) fn kept(rows: &dyn Rows, kind: Kind, key: &str) -> Result<Option<String>, Fault> {
    match rows.item(kind, key)? {
        None => Ok(None),
        Some(row) if !row.is_whole() => Err(damaged_row(row.lent())),
        Some(row) => Ok(Some(
            rows.cipher().open(Part::Item(kind.text(), key), row.body)?,
        )),
    }
}

/// Writes the body of every row anew, at the serials they are of.
pub(crate) fn rewrite(work: &mut Work<'_>, again: &Again<'_>) -> Result<(), Fault> {
    let mut items = Vec::new();
    work.rows.each_item(&mut |row| {
        items.push(row);
        Ok(())
    })?;
    for mut row in items {
        if !row.is_whole() {
            return Err(damaged_row(row.lent()));
        }
        toggle(&mut work.head.digest, &row.sum);
        row.body = again(Part::Item(&row.kind, &row.key), row.body)?;
        row.sum = row.seal();
        toggle(&mut work.head.digest, &row.sum);
        let kind = Kind::of(&row.kind)?;
        work.rows.drop_item(kind, &row.key)?;
        work.rows.put_item(&row)?;
    }
    let past = work.rows.past()?;
    work.rows.drop_past()?;
    for PastRow { mut item, until } in past {
        if item.seal_past(until) != item.sum {
            return Err(damaged_row(item.lent()));
        }
        item.body = again(Part::Item(&item.kind, &item.key), item.body)?;
        item.sum = item.seal_past(until);
        work.rows.add_past(&PastRow { item, until })?;
    }
    Ok(())
}

/// Checks every row of the state against its sum, and returns the digest of them all.
fn check(rows: &dyn Rows) -> Result<Sum, Fault> {
    let mut digest = [0; 32];
    let mut damaged: Vec<ItemRow> = Vec::new();
    rows.each_item(&mut |row| {
        toggle(&mut digest, &row.sum);
        if !row.is_whole() {
            damaged.push(row);
        }
        Ok(())
    })?;
    let Some(first) = damaged.first() else {
        return Ok(digest);
    };
    let Fault::Damage { cause, .. } = damaged_row(first.lent()) else {
        return Err(damaged_row(first.lent()));
    };
    let more = match damaged.len() {
        1 => String::new(),
        n => format!(", and {} more rows do", n - 1),
    };
    Err(Fault::Damage {
        cause: format!("{cause}{more}"),
        last_good: last_good(rows, &damaged),
    })
}

/// The latest serial before all damage, if every row of that time is still there and whole.
fn last_good(rows: &dyn Rows, damaged: &[ItemRow]) -> Option<Serial> {
    let head = rows.head().ok()?;
    let before = damaged.iter().map(|r| r.serial).min()?.checked_sub(1)?;
    if before >= head.serial {
        // No row is written after the head: this one lies about when it was.
        return None;
    }
    let serial = Serial(before);
    reading::at(rows, &head, serial).ok().map(|_| serial)
}

pub(super) fn damaged_row(row: RowRef<'_>) -> Fault {
    Fault::damage(format!(
        "the row of {} {} fails its checksum",
        row.kind, row.key
    ))
}

/// Checks that no row of the state or the open journal is damaged, missing, doubled or old.
pub(crate) fn check_digest(rows: &dyn Rows, head: &Head) -> Result<(), Fault> {
    let mut digest = check(rows)?;
    toggle(&mut digest, &journal::check(rows)?);
    if digest == head.digest {
        return Ok(());
    }
    Err(Fault::damage(format!(
        "rows are missing or out of date at serial {}",
        head.serial
    )))
}
