//! The one thread that owns the connection.
//!
//! 1. it waits for a request, then takes all that are queued;
//! 2. writes that follow each other go into one transaction, each behind a savepoint, so that
//!    parallel steps share one fsync and one that is refused spoils no other (group commit);
//! 3. each is answered when the transaction is on the disk;
//! 4. reads are answered in between, each from one instant;
//! 5. when no request comes for a third of the expiry, it renews the leases taken here.

use super::{fault::Fault, head::Head, journal::Pass, leases, mark::Marker, work::Work};
use crate::{LeaseStatus, StateError};
use rusqlite::Connection;
use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::{oneshot, watch};

/// At most so many writes go into one transaction.
const GROUP: usize = 512;

/// A write: its part of the transaction, and the answer to who asked for it.
pub(super) struct Write {
    /// On an error nothing of it stays in the transaction.
    pub(super) run: Run,
    /// Called once it is known whether the transaction is on the disk.
    pub(super) answer: Box<dyn FnOnce(Result<(), StateError>) + Send>,
}
type Run = Box<dyn FnOnce(&mut Work<'_>) -> Result<(), StateError> + Send>;
/// A read: answers by itself.
pub(super) type Read = Box<dyn FnOnce(&Connection) + Send>;

pub(super) enum Request {
    Write(Write),
    Read(Read),
    /// Keep this lease alive.
    Keep(Held),
    Close,
}

/// A lease taken here.
pub(super) struct Held {
    pub(super) pass: Pass,
    pub(super) status: watch::Sender<LeaseStatus>,
}

/// Counters, shared with whoever asks.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) transactions: AtomicU64,
    pub(super) writes: AtomicU64,
}

pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) path: PathBuf,
    pub(super) marker: Marker,
    pub(super) expiry: Duration,
    pub(super) counters: Arc<Counters>,
    pub(super) held: Vec<Held>,
    pub(super) renewed: SystemTime,
}

impl Writer {
    /// Serves until it is told to close, or nobody can ask any more.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let first = if self.held.is_empty() {
                requests.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                requests.recv_timeout(self.until_renewal())
            };
            match first {
                Ok(first) => {
                    if self.serve(std::iter::once(first).chain(requests.try_iter())) == Next::Stop {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if !self.held.is_empty() && self.until_renewal().is_zero() {
                self.renew();
            }
        }
        for held in self.held.drain(..) {
            held.status.send_replace(LeaseStatus::Lost { by: None });
        }
        if let Err((_, e)) = self.conn.close() {
            tracing::warn!(%e, "the state did not close well; nothing is lost");
        }
    }

    fn serve(&mut self, requests: impl Iterator<Item = Request>) -> Next {
        let mut group: Vec<Write> = Vec::new();
        for request in requests {
            match request {
                Request::Write(write) => {
                    group.push(write);
                    if group.len() >= GROUP {
                        self.commit(std::mem::take(&mut group));
                    }
                    continue;
                }
                other => {
                    self.commit(std::mem::take(&mut group));
                    match other {
                        Request::Read(read) => self.read(read),
                        Request::Keep(held) => {
                            if self.held.is_empty() {
                                self.renewed = SystemTime::now();
                            }
                            self.held.push(held);
                        }
                        Request::Close => return Next::Stop,
                        Request::Write(_) => {}
                    }
                }
            }
        }
        self.commit(group);
        Next::GoOn
    }

    /// A read sees one instant of the store, whatever other processes do meanwhile.
    fn read(&self, read: Read) {
        let began = self.conn.execute_batch("BEGIN");
        read(&self.conn);
        if began.is_ok()
            && let Err(e) = self.conn.execute_batch("COMMIT")
        {
            tracing::debug!(%e, "ending a read");
        }
    }

    /// One transaction for all of the group.
    fn commit(&self, group: Vec<Write>) {
        if group.is_empty() {
            return;
        }
        let (runs, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|w| (w.run, w.answer)).unzip();
        let result = self.transact(runs);
        if !self.conn.is_autocommit()
            && let Err(e) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::warn!(%e, "rolling back");
        }
        let result = result.map_err(|e| e.at(&self.path));
        for answer in answers {
            answer(result.clone());
        }
    }

    fn transact(&self, runs: Vec<Run>) -> Result<(), Fault> {
        let mut work = self.begin()?;
        let mut kept = 0;
        for run in runs {
            let before = work.head.clone();
            self.conn.prepare_cached("SAVEPOINT write")?.execute([])?;
            match run(&mut work) {
                // SQLite ends the whole transaction by itself when the disk is full or fails.
                Err(error) if self.conn.is_autocommit() => return Err(Fault::State(error)),
                Err(_) => {
                    work.head = before;
                    work.look_again();
                    self.conn
                        .execute_batch("ROLLBACK TO write; RELEASE write")?;
                }
                Ok(()) => {
                    kept += 1;
                    self.conn.prepare_cached("RELEASE write")?.execute([])?;
                }
            }
        }
        if kept == 0 {
            return Ok(());
        }
        work.head.commits += 1;
        work.head.write(&self.conn)?;
        self.conn.execute_batch("COMMIT")?;
        self.marker.set(&work.head);
        self.counters.transactions.fetch_add(1, Ordering::Relaxed);
        self.counters.writes.fetch_add(kept, Ordering::Relaxed);
        Ok(())
    }

    fn begin(&self) -> Result<Work<'_>, Fault> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Work {
            conn: &self.conn,
            head: Head::read(&self.conn)?,
            now: SystemTime::now(),
            expiry: self.expiry,
            held: Cell::new(None),
            unsettled: None,
        })
    }

    fn until_renewal(&self) -> Duration {
        // A clock that was set back renews at once.
        let since = self.renewed.elapsed().unwrap_or(self.expiry);
        (self.expiry / 3).saturating_sub(since)
    }

    fn renew(&mut self) {
        self.renewed = SystemTime::now();
        // A lease that was given back is not watched by anybody.
        self.held.retain(|held| !held.status.is_closed());
        let mut kept = Vec::with_capacity(self.held.len());
        for held in std::mem::take(&mut self.held) {
            let pass = held.pass.clone();
            let (write, answer) = write_for(&self.path, move |work| leases::renew(work, &pass));
            self.commit(vec![write]);
            match answer.blocking_recv() {
                Ok(Ok(record)) => {
                    held.status.send_replace(LeaseStatus::Held {
                        expires: record.expires,
                    });
                    kept.push(held);
                }
                Ok(Err(StateError::LeaseLost { by })) => {
                    held.status.send_replace(LeaseStatus::Lost { by });
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a lease could not be renewed");
                    kept.push(held);
                }
                Err(_) => kept.push(held),
            }
        }
        self.held = kept;
    }
}

/// A write, and where its answer comes.
pub(super) fn write_for<T: Send + 'static>(
    path: &Path,
    f: impl FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
) -> (Write, oneshot::Receiver<Result<T, StateError>>) {
    let (tx, rx) = oneshot::channel();
    let path = path.to_owned();
    // Filled by `run`, emptied by `answer`; both are called on the one thread.
    let slot = Arc::new(Mutex::new(Err(StateError::Closed)));
    let filled = Arc::clone(&slot);
    let write = Write {
        run: Box::new(move |work| {
            let result = f(work).map_err(|e| e.at(&path));
            let outcome = result.as_ref().map(drop).map_err(Clone::clone);
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = result;
            outcome
        }),
        answer: Box::new(move |committed| {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let result = std::mem::replace(&mut *slot, Err(StateError::Closed));
            // Who asked may have gone away. A lease in the answer gives itself back then.
            let _ = tx.send(committed.and(result));
        }),
    };
    (write, rx)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}
