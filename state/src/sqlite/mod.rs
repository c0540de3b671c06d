//! The embedded store: one SQLite file.
//!
//! The file is in WAL mode with `synchronous = FULL`, so a transaction that was answered survives
//! a power cut, and one that was not is there wholly or not at all. A resource is one row: what a
//! commit costs does not depend on how many there are. Several processes may have the file open;
//! the lease is a row, and every write reads it in its own `BEGIN IMMEDIATE` transaction.

mod fault;
mod head;
mod items;
mod journal;
mod leases;
mod mark;
mod open;
mod schema;
#[cfg(test)]
mod tests;
mod work;
mod writer;

use crate::{
    Applied, ApplyRecord, Begin, ClosedEntry, Entry, EntryId, Holder, Lease, LeaseRecord,
    LeaseStatus, Outcome, StateError, Store, Wait, format,
};
use async_trait::async_trait;
use fault::Fault;
use items::Kind;
use journal::{Closing, Pass, Whose};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use tokio::sync::{oneshot, watch};
use weir_core::{
    Address, Known,
    snapshot::{Lineage, Resource, Serial, Snapshot},
};
use work::{Work, check_address};
use writer::{Counters, Held, Request, Writer, write_for};

/// How often an acquire that waits asks again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A lease that was not renewed for so long may be taken over. It is renewed every third of
    /// that. All programs that use one store should agree.
    pub expiry: Duration,
}

impl Default for Options {
    /// 30 seconds.
    fn default() -> Self {
        Options {
            expiry: Duration::from_secs(30),
        }
    }
}

/// How much was written through one [`SqliteStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Transactions put on the disk.
    pub transactions: u64,
    /// Writes in them.
    pub writes: u64,
}

/// A store in one SQLite file. See the module's page in the source for how it works.
pub struct SqliteStore {
    path: PathBuf,
    lineage: Lineage,
    requests: mpsc::Sender<Request>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the store in this file, and makes it (mode 0600, with its folder) if nothing is
    /// there. Every page and row is checked. Blocks while it does.
    ///
    /// # Errors
    /// [`StateError::Damaged`], [`StateError::NotAState`], [`StateError::Newer`], and those of
    /// the disk. None of them changes the file.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, StateError> {
        SqliteStore::open_with(path, Options::default())
    }

    /// As [`SqliteStore::open`], with options.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<SqliteStore, StateError> {
        let path = path.as_ref().to_owned();
        let (conn, head) = open::open(&path)?;
        let marker = mark::Marker::open(&path);
        if mark::read(&path).is_none() {
            marker.set(&head);
        }
        let (requests, receiver) = mpsc::channel();
        let counters = Arc::new(Counters::default());
        let writer = Writer {
            conn,
            path: path.clone(),
            marker,
            expiry: options.expiry,
            counters: Arc::clone(&counters),
            held: Vec::new(),
            renewed: SystemTime::now(),
        };
        let thread = std::thread::Builder::new()
            .name("weir-state".into())
            .spawn(move || writer.run(&receiver))
            .map_err(|e| StateError::Io {
                path: path.clone(),
                cause: format!("no thread can be started: {e}"),
            })?;
        Ok(SqliteStore {
            path,
            lineage: head.lineage,
            requests,
            counters,
            thread: Some(thread),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much was written through this handle.
    pub fn stats(&self) -> Stats {
        Stats {
            transactions: self.counters.transactions.load(Ordering::Relaxed),
            writes: self.counters.writes.load(Ordering::Relaxed),
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let (write, answer) = write_for(&self.path, f);
        self.send(Request::Write(write))?;
        answer.await.map_err(|_| StateError::Closed)?
    }

    /// A write behind the fence.
    async fn fenced<T: Send + 'static>(
        &self,
        lease: &Lease,
        f: impl FnOnce(&mut Work<'_>, u64) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let pass = Pass::from(lease);
        self.write(move |work| {
            leases::fence(work, &pass)?;
            f(work, pass.epoch)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let (tx, rx) = oneshot::channel();
        let path = self.path.clone();
        self.send(Request::Read(Box::new(move |conn| {
            // Who asked may have gone away.
            let _ = tx.send(f(conn).map_err(|e| e.at(&path)));
        })))?;
        rx.await.map_err(|_| StateError::Closed)?
    }

    fn send(&self, request: Request) -> Result<(), StateError> {
        self.requests.send(request).map_err(|_| StateError::Closed)
    }

    async fn close_entry(
        &self,
        lease: &Lease,
        entry: EntryId,
        whose: Whose,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        let body = match &outcome {
            Outcome::Put(resource)
            | Outcome::Failed {
                leftover: Some(resource),
                ..
            } => Some(encode(resource)?),
            _ => None,
        };
        let closing = Closing {
            entry,
            whose,
            outcome,
            body,
        };
        self.fenced(lease, move |work, epoch| {
            journal::close(work, epoch, closing)
        })
        .await
    }

    /// Tries once to take the lease.
    async fn try_acquire(&self, holder: Holder) -> Result<Lease, StateError> {
        let requests = self.requests.clone();
        let lineage = self.lineage.clone();
        let path = self.path.clone();
        self.write(move |work| {
            let record = leases::acquire(work, &holder)?;
            let pass = Pass {
                epoch: record.epoch,
                lineage: lineage.clone(),
            };
            let (status, watcher) = watch::channel(LeaseStatus::Held {
                expires: record.expires,
            });
            let release = {
                let (requests, pass) = (requests.clone(), pass.clone());
                move || {
                    let (write, _) = write_for(&path, move |work| leases::release(work, &pass));
                    // A store that was closed has ended already; the lease then expires.
                    let _ = requests.send(Request::Write(write));
                }
            };
            // Comes after this transaction: what is queued is served in order.
            let _ = requests.send(Request::Keep(Held { pass, status }));
            Ok(Lease::new(
                record.epoch,
                lineage,
                holder,
                watcher,
                Box::new(release),
            ))
        })
        .await
    }
}

impl Drop for SqliteStore {
    /// Waits until everything that was asked for is done and the file is closed.
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Close);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the state panicked");
        }
    }
}

fn encode(resource: &Resource) -> Result<String, StateError> {
    format::resource_to_text(resource).map_err(|e| StateError::Invalid(e.to_string()))
}

#[async_trait]
impl Store for SqliteStore {
    fn lineage(&self) -> Lineage {
        self.lineage.clone()
    }

    async fn snapshot(&self) -> Result<Snapshot, StateError> {
        self.read(items::snapshot).await
    }

    async fn snapshot_at(&self, serial: Serial) -> Result<Snapshot, StateError> {
        self.read(move |conn| items::at(conn, &head::Head::read(conn)?, serial))
            .await
    }

    async fn is_empty(&self) -> Result<bool, StateError> {
        self.read(|conn| {
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM item)
                          AND NOT EXISTS (SELECT 1 FROM open_entry)";
            Ok(conn.query_row(sql, [], |row| row.get(0))?)
        })
        .await
    }

    async fn acquire(&self, holder: Holder, wait: Wait) -> Result<Lease, StateError> {
        let started = SystemTime::now();
        loop {
            let error = match self.try_acquire(holder.clone()).await {
                Err(e @ StateError::Locked(_)) => e,
                done => return done,
            };
            let Wait::UpTo(limit) = wait else {
                return Err(error);
            };
            // A clock that was set back must not wait for ever.
            let left = limit.saturating_sub(started.elapsed().unwrap_or(limit));
            if left.is_zero() {
                return Err(error);
            }
            tokio::time::sleep(left.min(ASK_AGAIN)).await;
        }
    }

    async fn release(&self, lease: Lease) -> Result<(), StateError> {
        let pass = Pass::from(&lease);
        let result = self.write(move |work| leases::release(work, &pass)).await;
        lease.disarm();
        result
    }

    async fn confirm(&self, lease: &Lease) -> Result<(), StateError> {
        self.fenced(lease, |_, _| Ok(())).await
    }

    async fn unlock(&self, by: Holder) -> Result<Option<LeaseRecord>, StateError> {
        self.write(move |work| leases::unlock(work, by)).await
    }

    async fn leases(&self) -> Result<Vec<LeaseRecord>, StateError> {
        self.read(leases::log).await
    }

    async fn begin(&self, lease: &Lease, entries: Vec<Begin>) -> Result<Vec<EntryId>, StateError> {
        let entries = entries
            .into_iter()
            .map(|begin| {
                let text = format::begin_to_text(&begin);
                text.map(|text| (begin, text))
                    .map_err(|e| StateError::Invalid(e.to_string()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.fenced(lease, move |work, epoch| {
            journal::begin(work, epoch, &entries)
        })
        .await
    }

    async fn commit(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        self.close_entry(lease, entry, Whose::Own, outcome).await
    }

    async fn open_entries(&self) -> Result<Vec<Entry>, StateError> {
        self.read(journal::open).await
    }

    async fn settle(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        self.close_entry(lease, entry, Whose::Any, outcome).await
    }

    async fn closed_entries(&self, epoch: u64) -> Result<Vec<ClosedEntry>, StateError> {
        self.read(move |conn| journal::closed(conn, epoch)).await
    }

    async fn set_outputs(
        &self,
        lease: &Lease,
        outputs: BTreeMap<String, Known>,
    ) -> Result<Serial, StateError> {
        let mut bodies = BTreeMap::new();
        for (name, value) in &outputs {
            let body =
                format::output_to_text(value).map_err(|e| StateError::Invalid(e.to_string()))?;
            bodies.insert(name.clone(), body);
        }
        self.fenced(lease, move |work, _| {
            let mut changed = false;
            for name in items::keys(work.conn, Kind::Output)? {
                if !bodies.contains_key(&name) {
                    changed |= items::put(work, Kind::Output, &name, None)?;
                }
            }
            for (name, body) in &bodies {
                changed |= items::put(work, Kind::Output, name, Some(body))?;
            }
            if changed {
                work.raise();
            }
            Ok(work.head.serial())
        })
        .await
    }

    async fn record_refresh(
        &self,
        lease: &Lease,
        found: Vec<(Address, Option<Resource>)>,
    ) -> Result<Serial, StateError> {
        // The last word on an address counts: a row changes once at most within a serial.
        let mut bodies = BTreeMap::new();
        for (address, resource) in found {
            let body = resource.as_ref().map(encode).transpose()?;
            bodies.insert(address, body);
        }
        self.fenced(lease, move |work, _| {
            let mut changed = false;
            for (address, body) in &bodies {
                check_address(address)?;
                changed |= items::put(work, Kind::Resource, &address.to_string(), body.as_deref())?;
            }
            if changed {
                work.raise();
            }
            Ok(work.head.serial())
        })
        .await
    }

    async fn forget(&self, lease: &Lease, address: &Address) -> Result<Serial, StateError> {
        self.record_refresh(lease, vec![(address.clone(), None)])
            .await
    }

    async fn finish_apply(&self, lease: &Lease, record: ApplyRecord) -> Result<(), StateError> {
        self.fenced(lease, move |work, epoch| {
            journal::finish(work, epoch, record)
        })
        .await
    }

    async fn history(&self) -> Result<Vec<Applied>, StateError> {
        self.read(journal::history).await
    }
}
