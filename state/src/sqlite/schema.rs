//! The tables, and the way from each version of them to the next.

/// `weir` in ASCII: says whose file it is.
pub(super) const APPLICATION_ID: i32 = 0x7765_6972;

/// Migration `i` leads from version `i` to version `i + 1`. Never change one that was released.
pub(super) const MIGRATIONS: &[&str] = &[
    "
-- One row: where everything stands. `digest` is the XOR of the sums of all rows of `item` and
-- `open_entry`, so a row that is missing, doubled or out of date shows.
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  lineage TEXT NOT NULL,
  serial INTEGER NOT NULL,     -- rises with every change of the state
  epoch INTEGER NOT NULL,      -- of the latest lease
  entries INTEGER NOT NULL,    -- journal entries ever begun
  commits INTEGER NOT NULL,    -- transactions ever committed
  digest BLOB NOT NULL,
  sum BLOB NOT NULL
) STRICT;
-- The state: a row for each resource and output, and one for all references, written at `serial`.
CREATE TABLE item (
  kind TEXT NOT NULL,          -- resource, output, references
  key TEXT NOT NULL,
  serial INTEGER NOT NULL,
  body TEXT NOT NULL,
  sum BLOB NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
-- Rows of `item` that were replaced or dropped at serial `until`.
CREATE TABLE past (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  serial INTEGER NOT NULL,
  until INTEGER NOT NULL,
  body TEXT NOT NULL,
  sum BLOB NOT NULL,
  PRIMARY KEY (kind, key, serial)
) STRICT, WITHOUT ROWID;
-- The journal. Open entries have a table of their own, so that no index can hide one.
CREATE TABLE open_entry (
  id INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  begun INTEGER NOT NULL,      -- milliseconds since 1970, as everywhere
  address TEXT NOT NULL,
  message TEXT,
  body TEXT NOT NULL,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE closed_entry (
  epoch INTEGER NOT NULL,
  id INTEGER NOT NULL,
  body TEXT NOT NULL,
  sum BLOB NOT NULL,
  PRIMARY KEY (epoch, id)
) STRICT, WITHOUT ROWID;
-- Every lease ever taken. Only the latest can be without an end.
CREATE TABLE lease (
  epoch INTEGER PRIMARY KEY,
  expires INTEGER NOT NULL,
  body TEXT NOT NULL,
  ended TEXT,
  sum BLOB NOT NULL
) STRICT;
CREATE TABLE apply (
  id INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  sum BLOB NOT NULL
) STRICT;
",
    "
-- What bodies are sealed with, wrapped; none where they are not sealed.
CREATE TABLE data_key (
  number INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  sum BLOB NOT NULL
) STRICT;
",
    "
-- What a lease that is held covers, where that is not everything. Since then several leases can be
-- without an end.
CREATE TABLE scope (
  epoch INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  sum BLOB NOT NULL
) STRICT;
",
    "
-- What is old is found without looking at all that is past.
CREATE INDEX past_until ON past (until);
-- Older programs write the row anew with each transaction, and do not look whether the tables are
-- still those that they know: one that had the file open meanwhile is told.
CREATE TRIGGER head_of_older BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head) BEGIN
  SELECT RAISE(ABORT, 'a newer weir has brought this state up to date, and an older one must not write to it any more: run the command again with the newer one');
END;
",
];

/// The version this program writes.
pub(super) fn version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}
