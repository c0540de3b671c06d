//! The head row, and the checksums of all rows.

use super::fault::Fault;
use sha2::{Digest as _, Sha256};
use weir_core::snapshot::{Lineage, Serial};

/// A SHA-256 sum.
pub(crate) type Sum = [u8; 32];

/// The sum of a row: of its table and all its columns, each with its length.
pub(crate) fn seal(table: &str, columns: &[&[u8]]) -> Sum {
    let mut hash = Sha256::new();
    for part in std::iter::once(table.as_bytes()).chain(columns.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Adds a row to a digest of rows, or takes it out.
pub(crate) fn toggle(digest: &mut Sum, sum: &Sum) {
    for (d, s) in digest.iter_mut().zip(sum) {
        *d ^= s;
    }
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) lineage: Lineage,
    pub(crate) serial: u64,
    pub(crate) epoch: u64,
    pub(crate) entries: u64,
    pub(crate) commits: u64,
    pub(crate) digest: Sum,
}

impl Head {
    pub(crate) fn new(lineage: Lineage) -> Head {
        Head {
            lineage,
            serial: 0,
            epoch: 0,
            entries: 0,
            commits: 0,
            digest: [0; 32],
        }
    }

    /// The head as it was read, if it is whole.
    pub(crate) fn checked(self, sum: &Sum) -> Result<Head, Fault> {
        if self.sum() == *sum {
            Ok(self)
        } else {
            Err(Fault::damage(
                "the row that says at which serial it is fails its checksum",
            ))
        }
    }

    pub(crate) fn serial(&self) -> Serial {
        Serial(self.serial)
    }

    /// Whether the state is the same at both: no row of it differs, whatever else was written.
    pub(crate) fn says_the_same(&self, other: &Head) -> bool {
        (&self.lineage, self.serial, &self.digest) == (&other.lineage, other.serial, &other.digest)
    }

    /// The sum of the row.
    pub(crate) fn sum(&self) -> Sum {
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

/// As databases keep it. Counters stay far below 2^63.
pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// As it was before [`signed`]. A negative one is damage, which the row's sum then shows.
pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
