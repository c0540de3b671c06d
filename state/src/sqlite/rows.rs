//! How SQLite keeps the rows, and makes a transaction.

use super::{mark, open};
use crate::{
    Encryption, StateError,
    rows::{
        ApplyRow, Cipher, ClosedRow, Fault, Head, ItemRow, KeyRow, Kind, LeaseRow, Needs, Old,
        OpenRow, PastRow, RowRef, Rows, ScopeRow, Sum, Transact, signed, unsigned,
    },
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
    time::SystemTime,
};
use weir_core::snapshot::{Lineage, Snapshot};

pub(super) const SELECT_ITEM: &str =
    "SELECT kind, key, serial, body, sum FROM item WHERE kind = ? AND key = ?";
pub(super) const INSERT_ITEM: &str = "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?)";
pub(super) const DELETE_ITEM: &str = "DELETE FROM item WHERE kind = ? AND key = ?";
pub(super) const INSERT_PAST: &str = "INSERT INTO past VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const SELECT_OPEN: &str =
    "SELECT id, epoch, begun, address, message, body, sum FROM open_entry WHERE id = ?";
pub(super) const INSERT_OPEN: &str =
    "INSERT OR REPLACE INTO open_entry VALUES (?, ?, ?, ?, ?, ?, ?)";
pub(super) const DELETE_OPEN: &str = "DELETE FROM open_entry WHERE id = ?";
pub(super) const INSERT_CLOSED: &str = "INSERT INTO closed_entry VALUES (?, ?, ?, ?)";

/// One connection to a store's file.
pub(super) struct Database {
    conn: Connection,
    path: PathBuf,
    marker: mark::Marker,
    encryption: Encryption,
    /// The number of the newest key that the cipher was made of.
    key: Cell<Option<i64>>,
    cipher: RefCell<Cipher>,
    /// Of the mark beside the file.
    lineage: RefCell<Lineage>,
    /// The state as it was when the store was opened, and the head of then.
    examined: RefCell<Option<(Head, Snapshot)>>,
    /// Whether that was looked at.
    closed_are_whole: Cell<bool>,
}

impl Database {
    /// Opens the store in this file, and makes it where nothing is there.
    pub(super) fn open(
        path: &Path,
        encryption: &Encryption,
    ) -> Result<(Database, Head), StateError> {
        let open::Opened {
            conn,
            head,
            cipher,
            snapshot,
        } = open::open(path, encryption)?;
        let marker = mark::Marker::open(path);
        if mark::read(path).is_none() {
            marker.set(&head);
        }
        let database = Database {
            path: path.into(),
            marker,
            lineage: RefCell::new(head.lineage.clone()),
            examined: RefCell::new(snapshot.map(|s| (head.clone(), s))),
            key: Cell::new(newest_key(&conn).map_err(|e| e.at(path))?),
            conn,
            encryption: encryption.clone(),
            closed_are_whole: Cell::new(false),
            cipher: RefCell::new(cipher),
        };
        Ok((database, head))
    }

    /// Makes the cipher anew where another program gave the state a new key.
    fn follow_key(&self) -> Result<(), Fault> {
        let newest = newest_key(&self.conn)?;
        if newest != self.key.get() {
            let cipher = Cipher::unlock(&self.encryption, &data_keys(&self.conn)?)?;
            self.cipher.replace(cipher);
            self.key.set(newest);
        }
        Ok(())
    }

    fn run(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.conn.execute_batch(sql)?)
    }
}

impl Transact for Database {
    fn place(&self) -> &Path {
        &self.path
    }
    fn begin(&self, _: &Needs) -> Result<(Head, SystemTime), Fault> {
        self.run("BEGIN IMMEDIATE")?;
        open::check_version(&self.conn, &self.path)?;
        self.follow_key()?;
        Ok((self.head()?, SystemTime::now()))
    }
    fn begin_part(&self) -> Result<(), Fault> {
        self.conn.prepare_cached("SAVEPOINT write")?.execute([])?;
        Ok(())
    }
    fn undo_part(&self) -> Result<(), Fault> {
        self.run("ROLLBACK TO write; RELEASE write")
    }
    fn keep_part(&self) -> Result<(), Fault> {
        self.conn.prepare_cached("RELEASE write")?.execute([])?;
        Ok(())
    }
    fn is_in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }
    fn commit(&self, head: &Head) -> Result<(), Fault> {
        if *self.lineage.borrow() != head.lineage {
            self.marker.clear();
            *self.lineage.borrow_mut() = head.lineage.clone();
        }
        // What it was is of no use to anybody by now.
        let mut examined = self.examined.borrow_mut();
        if examined
            .as_ref()
            .is_some_and(|(of, _)| !of.says_the_same(head))
        {
            *examined = None;
        }
        write_head(&self.conn, head)?;
        let key = newest_key(&self.conn)?;
        self.run("COMMIT")?;
        self.key.set(key);
        self.marker.set(head);
        Ok(())
    }
    fn rollback(&self) {
        if self.is_in_transaction()
            && let Err(e) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::warn!(%e, "rolling back");
        }
    }
    fn begin_read(&self) -> Result<(), Fault> {
        self.run("BEGIN")?;
        open::check_version(&self.conn, &self.path)?;
        self.follow_key()
    }
    fn close(self) {
        if let Err((_, e)) = self.conn.close() {
            tracing::warn!(%e, "the state did not close well; nothing is lost");
        }
    }
}

/// What has a connection to read and write rows through.
pub(super) trait Connected {
    fn conn(&self) -> &Connection;
    fn examined(&self) -> Option<&RefCell<Option<(Head, Snapshot)>>> {
        None
    }
    fn cipher(&self) -> &RefCell<Cipher>;
    /// Makes sure that no closed entry is hidden behind a key that was damaged. No digest tells:
    /// nothing but the history needs them, and they are too many to be looked at each time.
    fn check_closed(&self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Connected for Database {
    fn check_closed(&self) -> Result<(), Fault> {
        if !self.closed_are_whole.get() {
            let sql = "PRAGMA integrity_check(closed_entry)";
            let told: String = self.conn.query_row(sql, [], |row| row.get(0))?;
            if told != "ok" {
                return Err(Fault::damage(told));
            }
            self.closed_are_whole.set(true);
        }
        Ok(())
    }
    fn examined(&self) -> Option<&RefCell<Option<(Head, Snapshot)>>> {
        Some(&self.examined)
    }
    fn conn(&self) -> &Connection {
        &self.conn
    }
    fn cipher(&self) -> &RefCell<Cipher> {
        &self.cipher
    }
}

/// A connection whose rows are being checked.
pub(super) struct Checking<'a> {
    pub(super) conn: &'a Connection,
    pub(super) cipher: RefCell<Cipher>,
}

impl Connected for Checking<'_> {
    fn conn(&self) -> &Connection {
        self.conn
    }
    fn cipher(&self) -> &RefCell<Cipher> {
        &self.cipher
    }
}

pub(super) fn read_head(conn: &Connection) -> Result<Head, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT lineage, serial, epoch, entries, commits, digest, sum FROM head WHERE id = 1",
    )?;
    let (head, sum) = statement.query_row([], |row| {
        let head = Head {
            lineage: Lineage(row.get(0)?),
            serial: unsigned(row.get(1)?),
            epoch: unsigned(row.get(2)?),
            entries: unsigned(row.get(3)?),
            commits: unsigned(row.get(4)?),
            digest: row.get(5)?,
        };
        Ok((head, row.get::<_, Sum>(6)?))
    })?;
    head.checked(&sum)
}

pub(super) fn write_head(conn: &Connection, head: &Head) -> Result<(), Fault> {
    let sum = head.sum();
    let row = params![
        head.lineage.0,
        signed(head.serial),
        signed(head.epoch),
        signed(head.entries),
        signed(head.commits),
        head.digest,
        sum
    ];
    let update = "UPDATE head SET lineage = ?, serial = ?, epoch = ?, entries = ?, commits = ?,
                  digest = ?, sum = ? WHERE id = 1";
    if conn.prepare_cached(update)?.execute(row)? == 0 {
        conn.prepare_cached("INSERT INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(row)?;
    }
    Ok(())
}

/// The text of a column where SQLite has it.
fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    let value = row.get_ref(column)?;
    let wrong =
        |e| rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), Box::new(e));
    value.as_str().map_err(wrong)
}

/// As many rows as that.
fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn item(row: &Row<'_>) -> rusqlite::Result<ItemRow> {
    Ok(ItemRow {
        kind: row.get(0)?,
        key: row.get(1)?,
        serial: unsigned(row.get(2)?),
        body: row.get(3)?,
        sum: row.get(4)?,
    })
}

fn open_entry(row: &Row<'_>) -> rusqlite::Result<OpenRow> {
    Ok(OpenRow {
        id: unsigned(row.get(0)?),
        epoch: unsigned(row.get(1)?),
        begun: unsigned(row.get(2)?),
        address: row.get(3)?,
        message: row.get(4)?,
        body: row.get(5)?,
        sum: row.get(6)?,
    })
}

fn lease(row: &Row<'_>) -> rusqlite::Result<LeaseRow> {
    Ok(LeaseRow {
        epoch: unsigned(row.get(0)?),
        expires: unsigned(row.get(1)?),
        body: row.get(2)?,
        ended: row.get(3)?,
        sum: row.get(4)?,
    })
}

pub(super) fn all_leases(conn: &Connection) -> Result<Vec<LeaseRow>, Fault> {
    let sql = "SELECT epoch, expires, body, ended, sum FROM lease ORDER BY epoch";
    all(conn, sql, [], lease)
}

fn closed(row: &Row<'_>) -> rusqlite::Result<ClosedRow> {
    Ok(ClosedRow {
        epoch: unsigned(row.get(0)?),
        id: unsigned(row.get(1)?),
        body: row.get(2)?,
        sum: row.get(3)?,
    })
}

fn past(row: &Row<'_>) -> rusqlite::Result<PastRow> {
    Ok(PastRow {
        item: item(row)?,
        until: unsigned(row.get(5)?),
    })
}

/// `None` where nothing is sealed.
fn newest_key(conn: &Connection) -> Result<Option<i64>, Fault> {
    let mut statement = conn.prepare_cached("SELECT max(number) FROM data_key")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

pub(super) fn data_keys(conn: &Connection) -> Result<Vec<KeyRow>, Fault> {
    let sql = "SELECT number, body, sum FROM data_key ORDER BY number";
    all(conn, sql, [], |row| {
        Ok(KeyRow {
            number: unsigned(row.get(0)?),
            body: row.get(1)?,
            sum: row.get(2)?,
        })
    })
}

pub(super) fn put_data_key(conn: &Connection, row: &KeyRow) -> Result<(), Fault> {
    write(
        conn,
        "INSERT INTO data_key VALUES (?, ?, ?)",
        params![signed(row.number), row.body, row.sum],
    )
}

fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    f: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params, f)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn each(
    conn: &Connection,
    sql: &str,
    f: &mut dyn FnMut(ItemRow) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        f(item(row)?)?;
    }
    Ok(())
}

fn one<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    f: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Fault> {
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.query_row(params, f).optional()?)
}

fn write(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<(), Fault> {
    conn.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

impl<C: Connected> Rows for C {
    fn head(&self) -> Result<Head, Fault> {
        read_head(self.conn())
    }

    fn item(&self, kind: Kind, key: &str) -> Result<Option<ItemRow>, Fault> {
        one(self.conn(), SELECT_ITEM, [kind.text(), key], item)
    }
    fn keys(&self, kind: Kind) -> Result<Vec<String>, Fault> {
        let sql = "SELECT key FROM item WHERE kind = ?";
        all(self.conn(), sql, [kind.text()], |row| row.get(0))
    }
    fn take_examined(&self, head: &Head) -> Option<Snapshot> {
        let (of, snapshot) = self.examined()?.take()?;
        of.says_the_same(head).then_some(snapshot)
    }
    fn each_item(&self, f: &mut dyn FnMut(ItemRow) -> Result<(), Fault>) -> Result<(), Fault> {
        let sql = "SELECT kind, key, serial, body, sum FROM item ORDER BY kind, key";
        each(self.conn(), sql, f)
    }
    fn each_of_state(
        &self,
        f: &mut dyn FnMut(RowRef<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let sql = "SELECT kind, key, serial, CASE kind WHEN 'config' THEN '' ELSE body END, sum
                   FROM item ORDER BY kind, key";
        let mut statement = self.conn().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            f(RowRef {
                kind: text(row, 0)?,
                key: text(row, 1)?,
                serial: unsigned(row.get(2)?),
                body: text(row, 3)?,
                sum: &row.get(4)?,
            })?;
        }
        Ok(())
    }
    fn items_until(&self, serial: u64) -> Result<Vec<ItemRow>, Fault> {
        let sql = "SELECT kind, key, serial, body, sum FROM item WHERE serial <= ?";
        all(self.conn(), sql, [signed(serial)], item)
    }
    fn past_at(&self, serial: u64) -> Result<Vec<PastRow>, Fault> {
        // Every row is looked at: an index that is damaged would hide some, and nothing shows that.
        let sql = "SELECT kind, key, serial, body, sum, until FROM past
                   WHERE serial <= ?1 AND +until > ?1";
        all(self.conn(), sql, [signed(serial)], past)
    }
    fn is_empty(&self) -> Result<bool, Fault> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM item WHERE kind IN ('resource', 'output'))
                      AND NOT EXISTS (SELECT 1 FROM open_entry)";
        Ok(self.conn().query_row(sql, [], |row| row.get(0))?)
    }
    fn put_item(&self, row: &ItemRow) -> Result<(), Fault> {
        let serial = signed(row.serial);
        write(
            self.conn(),
            INSERT_ITEM,
            params![row.kind, row.key, serial, row.body, row.sum],
        )
    }
    fn drop_item(&self, kind: Kind, key: &str) -> Result<(), Fault> {
        write(self.conn(), DELETE_ITEM, [kind.text(), key])
    }
    fn add_past(&self, row: &PastRow) -> Result<(), Fault> {
        let PastRow { item, until } = row;
        let (serial, until) = (signed(item.serial), signed(*until));
        write(
            self.conn(),
            INSERT_PAST,
            params![item.kind, item.key, serial, until, item.body, item.sum],
        )
    }

    fn past(&self) -> Result<Vec<PastRow>, Fault> {
        let sql = "SELECT kind, key, serial, body, sum, until FROM past";
        all(self.conn(), sql, [], past)
    }
    fn drop_past(&self) -> Result<(), Fault> {
        write(self.conn(), "DELETE FROM past", [])
    }

    fn past_until(&self, serial: u64, most: usize) -> Result<Vec<Old>, Fault> {
        let sql = "SELECT kind, key, serial, until FROM past WHERE until <= ?
                   ORDER BY until, kind, key, serial LIMIT ?";
        all(self.conn(), sql, [signed(serial), limit(most)], |row| {
            Ok(Old::Past {
                kind: row.get(0)?,
                key: row.get(1)?,
                serial: unsigned(row.get(2)?),
                until: unsigned(row.get(3)?),
            })
        })
    }
    fn drop_old(&self, row: Old) -> Result<(), Fault> {
        let conn = self.conn();
        match row {
            // Not what a damaged index says of a row goes, but what the row says.
            Old::Past {
                kind,
                key,
                serial,
                until,
            } => write(
                conn,
                "DELETE FROM past WHERE kind = ? AND key = ? AND serial = ? AND until = ?",
                params![kind, key, signed(serial), signed(until)],
            ),
            Old::Closed { epoch, id } => write(
                conn,
                "DELETE FROM closed_entry WHERE epoch = ? AND id = ?",
                [signed(epoch), signed(id)],
            ),
            Old::Lease(epoch) => write(conn, "DELETE FROM lease WHERE epoch = ?", [signed(epoch)]),
            Old::Apply => write(
                conn,
                "DELETE FROM apply WHERE id = (SELECT min(id) FROM apply)",
                [],
            ),
        }
    }

    fn open(&self, id: u64) -> Result<Option<OpenRow>, Fault> {
        one(self.conn(), SELECT_OPEN, [signed(id)], open_entry)
    }
    fn open_before(&self, epoch: u64) -> Result<Vec<OpenRow>, Fault> {
        let sql = "SELECT id, epoch, begun, address, message, body, sum FROM open_entry
                   WHERE epoch < ? ORDER BY id";
        all(self.conn(), sql, [signed(epoch)], open_entry)
    }
    fn put_open(&self, row: &OpenRow) -> Result<(), Fault> {
        write(
            self.conn(),
            INSERT_OPEN,
            params![
                signed(row.id),
                signed(row.epoch),
                signed(row.begun),
                row.address,
                row.message,
                row.body,
                row.sum
            ],
        )
    }
    fn drop_open(&self, id: u64) -> Result<(), Fault> {
        write(self.conn(), DELETE_OPEN, [signed(id)])
    }
    fn closed(&self, epoch: u64) -> Result<Vec<ClosedRow>, Fault> {
        self.check_closed()?;
        let sql = "SELECT epoch, id, body, sum FROM closed_entry WHERE epoch = ? ORDER BY id";
        all(self.conn(), sql, [signed(epoch)], closed)
    }
    fn add_closed(&self, row: &ClosedRow) -> Result<(), Fault> {
        write(
            self.conn(),
            INSERT_CLOSED,
            params![signed(row.epoch), signed(row.id), row.body, row.sum],
        )
    }

    fn closed_ids(&self, epoch: u64, most: usize) -> Result<Vec<u64>, Fault> {
        let sql = "SELECT id FROM closed_entry WHERE epoch = ? ORDER BY id LIMIT ?";
        all(self.conn(), sql, [signed(epoch), limit(most)], |row| {
            Ok(unsigned(row.get(0)?))
        })
    }
    fn all_closed(&self) -> Result<Vec<ClosedRow>, Fault> {
        let sql = "SELECT epoch, id, body, sum FROM closed_entry ORDER BY epoch, id";
        all(self.conn(), sql, [], closed)
    }
    fn drop_closed(&self) -> Result<(), Fault> {
        write(self.conn(), "DELETE FROM closed_entry", [])
    }

    fn lease(&self, epoch: u64) -> Result<Option<LeaseRow>, Fault> {
        let sql = "SELECT epoch, expires, body, ended, sum FROM lease WHERE epoch = ?";
        one(self.conn(), sql, [signed(epoch)], lease)
    }
    fn leases(&self) -> Result<Vec<LeaseRow>, Fault> {
        all_leases(self.conn())
    }
    fn oldest_leases(&self, most: usize) -> Result<Vec<LeaseRow>, Fault> {
        let sql = "SELECT epoch, expires, body, ended, sum FROM lease ORDER BY epoch LIMIT ?";
        all(self.conn(), sql, [limit(most)], lease)
    }
    fn live_leases(&self) -> Result<Vec<LeaseRow>, Fault> {
        let sql = "SELECT epoch, expires, body, ended, sum FROM lease WHERE ended IS NULL
                   ORDER BY epoch";
        all(self.conn(), sql, [], lease)
    }
    fn scope(&self, epoch: u64) -> Result<Option<ScopeRow>, Fault> {
        let sql = "SELECT epoch, body, sum FROM scope WHERE epoch = ?";
        one(self.conn(), sql, [signed(epoch)], |row| {
            Ok(ScopeRow {
                epoch: unsigned(row.get(0)?),
                body: row.get(1)?,
                sum: row.get(2)?,
            })
        })
    }
    fn put_scope(&self, row: &ScopeRow) -> Result<(), Fault> {
        write(
            self.conn(),
            "INSERT INTO scope VALUES (?, ?, ?)",
            params![signed(row.epoch), row.body, row.sum],
        )
    }
    fn drop_scope(&self, epoch: u64) -> Result<(), Fault> {
        write(
            self.conn(),
            "DELETE FROM scope WHERE epoch = ?",
            [signed(epoch)],
        )
    }
    fn put_lease(&self, row: &LeaseRow) -> Result<(), Fault> {
        let (epoch, expires) = (signed(row.epoch), signed(row.expires));
        write(
            self.conn(),
            "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?, ?)",
            params![epoch, expires, row.body, row.ended, row.sum],
        )
    }

    fn applies(&self) -> Result<Vec<ApplyRow>, Fault> {
        self.oldest_applies(usize::MAX)
    }
    fn count_applies(&self) -> Result<usize, Fault> {
        let sql = "SELECT count(*) FROM apply";
        let count: i64 = self.conn().query_row(sql, [], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
    fn oldest_applies(&self, most: usize) -> Result<Vec<ApplyRow>, Fault> {
        let sql = "SELECT body, sum FROM apply ORDER BY id LIMIT ?";
        all(self.conn(), sql, [limit(most)], |row| {
            Ok(ApplyRow {
                body: row.get(0)?,
                sum: row.get(1)?,
            })
        })
    }
    fn add_apply(&self, row: &ApplyRow) -> Result<(), Fault> {
        write(
            self.conn(),
            "INSERT INTO apply (body, sum) VALUES (?, ?)",
            params![row.body, row.sum],
        )
    }
    fn drop_applies(&self) -> Result<(), Fault> {
        write(self.conn(), "DELETE FROM apply", [])
    }

    fn data_keys(&self) -> Result<Vec<KeyRow>, Fault> {
        data_keys(self.conn())
    }
    fn put_data_key(&self, row: &KeyRow) -> Result<(), Fault> {
        put_data_key(self.conn(), row)
    }
    fn drop_data_keys(&self) -> Result<(), Fault> {
        write(self.conn(), "DELETE FROM data_key", [])
    }
    fn cipher(&self) -> Cipher {
        Connected::cipher(self).borrow().clone()
    }
    fn set_cipher(&self, cipher: Cipher) {
        *Connected::cipher(self).borrow_mut() = cipher;
    }
}
