//! A database in memory: the working copy of a state that is kept far away.

use super::{
    rows::{Connected, write_head},
    schema,
};
use crate::rows::{Cipher, Fault, Head};
use rusqlite::Connection;
use std::cell::RefCell;
use weir_core::snapshot::Lineage;

/// Rows in memory, of no state at first.
pub(crate) struct WorkingCopy {
    conn: Connection,
    cipher: RefCell<Cipher>,
}

impl WorkingCopy {
    pub(crate) fn new() -> Result<WorkingCopy, Fault> {
        let conn = Connection::open_in_memory()?;
        conn.set_prepared_statement_cache_capacity(64);
        conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")?;
        for sql in schema::MIGRATIONS {
            conn.execute_batch(sql)?;
        }
        write_head(&conn, &Head::new(Lineage(String::new())))?;
        Ok(WorkingCopy {
            conn,
            cipher: RefCell::default(),
        })
    }

    /// Drops every row.
    pub(crate) fn clear(&self) -> Result<(), Fault> {
        self.run(
            "DELETE FROM item; DELETE FROM past; DELETE FROM open_entry; DELETE FROM closed_entry;
             DELETE FROM lease; DELETE FROM apply; DELETE FROM data_key",
        )
    }

    pub(crate) fn set_head(&self, head: &Head) -> Result<(), Fault> {
        write_head(&self.conn, head)
    }

    /// Runs a statement that says how a transaction goes on.
    pub(crate) fn run(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.conn.execute_batch(sql)?)
    }

    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }
}

impl Connected for WorkingCopy {
    fn conn(&self) -> &Connection {
        &self.conn
    }
    fn cipher(&self) -> &RefCell<Cipher> {
        &self.cipher
    }
}
