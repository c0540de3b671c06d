//! The statements: what is read and written, each in one piece however many rows it is about.

use super::{
    changes::{Aged, Changes, ItemId},
    fault::Trouble,
};
use crate::rows::{
    ApplyRow, ClosedRow, Head, ItemRow, KeyRow, LeaseRow, OpenRow, PastRow, ScopeRow, Sum, signed,
};
use futures::{FutureExt, future::BoxFuture};
use tokio_postgres::{
    Client, Row,
    types::{ToSql, Type},
};
use weir_core::snapshot::Lineage;

pub(super) const HEAD: &str =
    "SELECT lineage, serial, epoch, entries, commits, digest, sum, tag FROM @head WHERE id = $1";
pub(super) const ITEM: &str = "SELECT id, kind, key, serial, body, sum FROM @item";
pub(super) const OPEN: &str =
    "SELECT id, epoch, begun, address, message, body, sum FROM @open_entry";
pub(super) const KEYS: &str =
    "SELECT number, body, sum FROM @data_key WHERE state = $1 ORDER BY number";
pub(super) const LEASE: &str = "SELECT epoch, expires, body, ended, sum FROM @lease";

/// Completes statements with the schema that the tables are in.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(schema: &str) -> Names {
        Names {
            prefix: format!("{}.weir_", quoted(schema)),
        }
    }
    pub(super) fn sql(&self, text: &str) -> String {
        text.replace('@', &self.prefix)
    }
}

/// A name as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The head and the tag of who wrote it.
pub(super) fn head(row: &Row) -> Result<(Head, Vec<u8>), Trouble> {
    let head = Head {
        lineage: Lineage(row.try_get(0)?),
        serial: number(row, 1)?,
        epoch: number(row, 2)?,
        entries: number(row, 3)?,
        commits: number(row, 4)?,
        digest: sum(row, 5)?,
    };
    let whole = head.checked(&sum(row, 6)?).map_err(Trouble::Fault)?;
    Ok((whole, row.try_get(7)?))
}

pub(super) fn item(row: &Row) -> Result<(ItemId, ItemRow), Trouble> {
    let item = ItemRow {
        kind: row.try_get(1)?,
        key: row.try_get(2)?,
        serial: number(row, 3)?,
        body: row.try_get(4)?,
        sum: sum(row, 5)?,
    };
    Ok((sum(row, 0)?, item))
}

pub(super) fn past(row: &Row) -> Result<PastRow, Trouble> {
    Ok(PastRow {
        item: item(row)?.1,
        until: number(row, 6)?,
    })
}

pub(super) fn open(row: &Row) -> Result<OpenRow, Trouble> {
    let message: Option<Vec<u8>> = row.try_get(4)?;
    Ok(OpenRow {
        id: number(row, 0)?,
        epoch: number(row, 1)?,
        begun: number(row, 2)?,
        address: row.try_get(3)?,
        // What is no text is damage, which the sum shows.
        message: message.map(|m| String::from_utf8_lossy(&m).into_owned()),
        body: row.try_get(5)?,
        sum: sum(row, 6)?,
    })
}

pub(super) fn closed(row: &Row) -> Result<ClosedRow, Trouble> {
    Ok(ClosedRow {
        epoch: number(row, 0)?,
        id: number(row, 1)?,
        body: row.try_get(2)?,
        sum: sum(row, 3)?,
    })
}

pub(super) fn lease(row: &Row) -> Result<LeaseRow, Trouble> {
    Ok(LeaseRow {
        epoch: number(row, 0)?,
        expires: number(row, 1)?,
        body: row.try_get(2)?,
        ended: row.try_get(3)?,
        sum: sum(row, 4)?,
    })
}

pub(super) fn scope(row: &Row) -> Result<ScopeRow, Trouble> {
    Ok(ScopeRow {
        epoch: number(row, 0)?,
        body: row.try_get(1)?,
        sum: sum(row, 2)?,
    })
}

pub(super) fn key(row: &Row) -> Result<KeyRow, Trouble> {
    Ok(KeyRow {
        number: number(row, 0)?,
        body: row.try_get(1)?,
        sum: sum(row, 2)?,
    })
}

pub(super) fn apply(row: &Row) -> Result<ApplyRow, Trouble> {
    Ok(ApplyRow {
        body: row.try_get(0)?,
        sum: sum(row, 1)?,
    })
}

/// A negative one is damage, which the row's sum then shows.
pub(super) fn number(row: &Row, column: usize) -> Result<u64, Trouble> {
    Ok(crate::rows::unsigned(row.try_get(column)?))
}

fn sum(row: &Row, column: usize) -> Result<Sum, Trouble> {
    let bytes: &[u8] = row.try_get(column)?;
    // A sum of another length is damage: no row has this one.
    Ok(Sum::try_from(bytes).unwrap_or([0; 32]))
}

/// A statement on its way; sent when it is first polled, in the order in which they are.
pub(super) type Sent<'c> = BoxFuture<'c, Result<Vec<Row>, tokio_postgres::Error>>;

/// A parameter: its type and value.
pub(super) type Param = (Type, Box<dyn ToSql + Sync + Send>);

pub(super) fn param(of: Type, value: impl ToSql + Sync + Send + 'static) -> Param {
    (of, Box::new(value))
}

pub(super) fn send(client: &Client, sql: String, params: Vec<Param>) -> Sent<'_> {
    async move {
        let params: Vec<(&(dyn ToSql + Sync), Type)> = params
            .iter()
            .map(|(of, value)| (&**value as &(dyn ToSql + Sync), of.clone()))
            .collect();
        client.query_typed(&sql, &params).await
    }
    .boxed()
}

/// Everything that writes the changes and the head, up to the end of the transaction.
pub(super) fn write<'c>(
    client: &'c Client,
    names: &Names,
    state: i64,
    changes: &Changes,
    (head, before, tag): (&Head, u64, &[u8]),
) -> Vec<Sent<'c>> {
    let mut sent: Vec<Sent<'c>> = Vec::new();
    let mut push = |sql: &str, mut params: Vec<Param>| {
        params.insert(0, param(Type::INT8, state));
        sent.push(send(client, names.sql(sql), params));
    };
    for table in &changes.cleared {
        let sql = format!("DELETE FROM @{} WHERE state = $1", table.name());
        push(&sql, Vec::new());
    }
    old(changes, &mut push);
    items(changes, &mut push);
    journal(changes, &mut push);
    if !changes.leases.is_empty() {
        let rows: Vec<&LeaseRow> = changes.leases.values().collect();
        push(
            "INSERT INTO @lease (state, epoch, expires, body, ended, sum)
             SELECT $1, * FROM unnest($2, $3, $4, $5, $6)
             ON CONFLICT (state, epoch) DO UPDATE SET expires = excluded.expires,
             body = excluded.body, ended = excluded.ended, sum = excluded.sum",
            vec![
                numbers(&rows, |r| r.epoch),
                numbers(&rows, |r| r.expires),
                texts(&rows, |r| r.body.clone()),
                texts(&rows, |r| r.ended.clone()),
                bytes(&rows, |r| r.sum.to_vec()),
            ],
        );
    }
    scopes(changes, &mut push);
    if !changes.applies.is_empty() {
        push(
            "INSERT INTO @apply (state, body, sum) SELECT $1, * FROM unnest($2, $3)",
            vec![
                texts(&changes.applies, |r| r.body.clone()),
                bytes(&changes.applies, |r| r.sum.to_vec()),
            ],
        );
    }
    if !changes.keys.is_empty() {
        push(
            "INSERT INTO @data_key (state, number, body, sum)
             SELECT $1, * FROM unnest($2, $3, $4)",
            vec![
                numbers(&changes.keys, |k| k.number),
                texts(&changes.keys, |k| k.body.clone()),
                bytes(&changes.keys, |k| k.sum.to_vec()),
            ],
        );
    }
    // Fails, and with it the transaction, where the head is not the one that was read.
    push(
        "WITH changed AS (UPDATE @head SET serial = $2, epoch = $3, entries = $4, commits = $5,
         digest = $6, sum = $7, tag = $8, lineage = $10 WHERE id = $1 AND commits = $9
         RETURNING id)
         SELECT 1 / count(*) FROM changed",
        vec![
            param(Type::INT8, signed(head.serial)),
            param(Type::INT8, signed(head.epoch)),
            param(Type::INT8, signed(head.entries)),
            param(Type::INT8, signed(head.commits)),
            param(Type::BYTEA, head.digest.to_vec()),
            param(Type::BYTEA, head.sum().to_vec()),
            param(Type::BYTEA, tag.to_vec()),
            param(Type::INT8, signed(before)),
            param(Type::TEXT, head.lineage.0.clone()),
        ],
    );
    sent.push(send(client, "COMMIT".into(), Vec::new()));
    sent
}

fn old(changes: &Changes, push: &mut impl FnMut(&str, Vec<Param>)) {
    let Aged {
        past,
        closed,
        leases,
        applies,
    } = &changes.old;
    if !past.is_empty() {
        let past: Vec<_> = past.iter().collect();
        push(
            "DELETE FROM @past USING unnest($2, $3) AS old(id, serial)
             WHERE state = $1 AND @past.id = old.id AND @past.serial = old.serial",
            vec![
                bytes(&past, |(id, _)| id.to_vec()),
                numbers(&past, |(_, serial)| *serial),
            ],
        );
    }
    if !closed.is_empty() {
        let closed: Vec<_> = closed.iter().collect();
        push(
            "DELETE FROM @closed_entry USING unnest($2, $3) AS old(epoch, id)
             WHERE state = $1 AND @closed_entry.epoch = old.epoch AND @closed_entry.id = old.id",
            vec![
                numbers(&closed, |(epoch, _)| *epoch),
                numbers(&closed, |(_, id)| *id),
            ],
        );
    }
    if !leases.is_empty() {
        let leases: Vec<u64> = leases.iter().copied().collect();
        push(
            "DELETE FROM @lease WHERE state = $1 AND epoch = ANY($2)",
            vec![numbers(&leases, |epoch| *epoch)],
        );
    }
    if *applies > 0 {
        push(
            "DELETE FROM @apply WHERE state = $1
             AND id IN (SELECT id FROM @apply WHERE state = $1 ORDER BY id LIMIT $2)",
            vec![limit(*applies)],
        );
    }
}

/// As many rows as that.
pub(super) fn limit(most: usize) -> Param {
    param(Type::INT8, i64::try_from(most).unwrap_or(i64::MAX))
}

fn items(changes: &Changes, push: &mut impl FnMut(&str, Vec<Param>)) {
    let (put, dropped): (Vec<_>, Vec<_>) = changes.items.iter().partition(|(_, row)| row.is_some());
    if !dropped.is_empty() {
        push(
            "DELETE FROM @item WHERE state = $1 AND id = ANY($2)",
            vec![bytes(&dropped, |(id, _)| id.to_vec())],
        );
    }
    let put: Vec<(&ItemId, &ItemRow)> = put
        .into_iter()
        .filter_map(|(id, row)| Some((id, row.as_ref()?)))
        .collect();
    if !put.is_empty() {
        push(
            "INSERT INTO @item (state, id, kind, key, serial, body, sum)
             SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7)
             ON CONFLICT (state, id) DO UPDATE SET serial = excluded.serial, body = excluded.body,
             sum = excluded.sum",
            vec![
                bytes(&put, |(id, _)| id.to_vec()),
                texts(&put, |(_, r)| r.kind.clone()),
                texts(&put, |(_, r)| r.key.clone()),
                numbers(&put, |(_, r)| r.serial),
                texts(&put, |(_, r)| r.body.clone()),
                bytes(&put, |(_, r)| r.sum.to_vec()),
            ],
        );
    }
    if !changes.past.is_empty() {
        let past = &changes.past;
        push(
            "INSERT INTO @past (state, id, kind, key, serial, until, body, sum)
             SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8)",
            vec![
                bytes(past, |(id, _)| id.to_vec()),
                texts(past, |(_, r)| r.item.kind.clone()),
                texts(past, |(_, r)| r.item.key.clone()),
                numbers(past, |(_, r)| r.item.serial),
                numbers(past, |(_, r)| r.until),
                texts(past, |(_, r)| r.item.body.clone()),
                bytes(past, |(_, r)| r.item.sum.to_vec()),
            ],
        );
    }
}

fn scopes(changes: &Changes, push: &mut impl FnMut(&str, Vec<Param>)) {
    let dropped = changes.scopes.iter().filter(|(_, row)| row.is_none());
    let dropped: Vec<u64> = dropped.map(|(epoch, _)| *epoch).collect();
    if !dropped.is_empty() {
        push(
            "DELETE FROM @scope WHERE state = $1 AND epoch = ANY($2)",
            vec![numbers(&dropped, |epoch| *epoch)],
        );
    }
    let put: Vec<&ScopeRow> = changes.scopes.values().flatten().collect();
    if !put.is_empty() {
        push(
            "INSERT INTO @scope (state, epoch, body, sum) SELECT $1, * FROM unnest($2, $3, $4)",
            vec![
                numbers(&put, |r| r.epoch),
                texts(&put, |r| r.body.clone()),
                bytes(&put, |r| r.sum.to_vec()),
            ],
        );
    }
}

fn journal(changes: &Changes, push: &mut impl FnMut(&str, Vec<Param>)) {
    // Of an entry that stays open only its message changes, and with a new key its body.
    let (put, dropped): (Vec<_>, Vec<_>) = changes.open.iter().partition(|(_, row)| row.is_some());
    if !dropped.is_empty() {
        push(
            "DELETE FROM @open_entry WHERE state = $1 AND id = ANY($2)",
            vec![numbers(&dropped, |(id, _)| **id)],
        );
    }
    let put: Vec<&OpenRow> = put
        .into_iter()
        .filter_map(|(_, row)| row.as_ref())
        .collect();
    if !put.is_empty() {
        push(
            "INSERT INTO @open_entry (state, id, epoch, begun, address, message, body, sum)
             SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (state, id) DO UPDATE SET message = excluded.message,
             body = excluded.body, sum = excluded.sum",
            vec![
                numbers(&put, |r| r.id),
                numbers(&put, |r| r.epoch),
                numbers(&put, |r| r.begun),
                texts(&put, |r| r.address.clone()),
                bytes(&put, |r| r.message.clone().map(String::into_bytes)),
                texts(&put, |r| r.body.clone()),
                bytes(&put, |r| r.sum.to_vec()),
            ],
        );
    }
    if !changes.closed.is_empty() {
        let closed = &changes.closed;
        push(
            "INSERT INTO @closed_entry (state, epoch, id, body, sum)
             SELECT $1, * FROM unnest($2, $3, $4, $5)",
            vec![
                numbers(closed, |r| r.epoch),
                numbers(closed, |r| r.id),
                texts(closed, |r| r.body.clone()),
                bytes(closed, |r| r.sum.to_vec()),
            ],
        );
    }
}

pub(super) fn numbers<T>(rows: &[T], f: impl Fn(&T) -> u64) -> Param {
    let column: Vec<i64> = rows.iter().map(|row| signed(f(row))).collect();
    param(Type::INT8_ARRAY, column)
}

pub(super) fn texts<T, V: ToSql + Sync + Send + 'static>(rows: &[T], f: impl Fn(&T) -> V) -> Param {
    param(Type::TEXT_ARRAY, rows.iter().map(f).collect::<Vec<V>>())
}

pub(super) fn bytes<T, V: ToSql + Sync + Send + 'static>(rows: &[T], f: impl Fn(&T) -> V) -> Param {
    param(Type::BYTEA_ARRAY, rows.iter().map(f).collect::<Vec<V>>())
}
