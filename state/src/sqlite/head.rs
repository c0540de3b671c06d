//! The head row, and the checksums of all rows.

use super::fault::Fault;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use weir_core::snapshot::{Lineage, Serial};

/// A SHA-256 sum.
pub(super) type Sum = [u8; 32];

/// The sum of a row: of its table and all its columns, each with its length.
pub(super) fn seal(table: &str, columns: &[&[u8]]) -> Sum {
    let mut hash = Sha256::new();
    for part in std::iter::once(table.as_bytes()).chain(columns.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Adds a row to a digest of rows, or takes it out.
pub(super) fn toggle(digest: &mut Sum, sum: &Sum) {
    for (d, s) in digest.iter_mut().zip(sum) {
        *d ^= s;
    }
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) lineage: Lineage,
    pub(super) serial: u64,
    pub(super) epoch: u64,
    pub(super) entries: u64,
    pub(super) commits: u64,
    pub(super) digest: Sum,
}

impl Head {
    pub(super) fn new(lineage: Lineage) -> Head {
        Head {
            lineage,
            serial: 0,
            epoch: 0,
            entries: 0,
            commits: 0,
            digest: [0; 32],
        }
    }

    pub(super) fn read(conn: &Connection) -> Result<Head, Fault> {
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
        if head.sum() == sum {
            Ok(head)
        } else {
            Err(Fault::damage(
                "the row that says at which serial it is fails its checksum",
            ))
        }
    }

    pub(super) fn write(&self, conn: &Connection) -> Result<(), Fault> {
        conn.prepare_cached("INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                self.lineage.0,
                signed(self.serial),
                signed(self.epoch),
                signed(self.entries),
                signed(self.commits),
                self.digest,
                self.sum()
            ])?;
        Ok(())
    }

    pub(super) fn serial(&self) -> Serial {
        Serial(self.serial)
    }

    fn sum(&self) -> Sum {
        seal(
            "head",
            &[
                self.lineage.0.as_bytes(),
                &self.serial.to_be_bytes(),
                &self.epoch.to_be_bytes(),
                &self.entries.to_be_bytes(),
                &self.commits.to_be_bytes(),
                &self.digest,
            ],
        )
    }
}

/// As SQLite keeps it. Counters stay far below 2^63.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// As it was before [`signed`]. A negative one is damage, which the row's sum then shows.
pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
