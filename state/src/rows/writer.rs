//! The one thread that owns the connection.
//!
//! 1. it waits for a request, then takes all that are queued;
//! 2. writes that follow each other go into one transaction, each behind a savepoint, so that
//!    parallel steps share one fsync and one that is refused spoils no other (group commit);
//! 3. each is answered when the transaction is on the disk;
//! 4. reads are answered in between, each from one instant;
//! 5. when no request comes for a third of the expiry, it renews the leases taken here.

use super::{Needs, Pass, Rows, Transact, fault::Fault, head::Head, leases, work::Work};
use crate::{LeaseStatus, StateError};
use std::{
    cell::Cell,
    path::Path,
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
pub(crate) struct Write {
    pub(crate) needs: Needs,
    /// On an error nothing of it stays in the transaction.
    pub(crate) run: Run,
    /// Called once it is known whether the transaction is on the disk.
    pub(crate) answer: Box<dyn FnOnce(Result<(), StateError>) + Send>,
}
type Run = Box<dyn FnOnce(&mut Work<'_>) -> Result<(), StateError> + Send>;
/// A read: answers by itself.
pub(crate) type Read = Box<dyn FnOnce(Result<&dyn Rows, StateError>) + Send>;

pub(crate) enum Request {
    Write(Write),
    Read(Read),
    /// Keep this lease alive.
    Keep(Held),
    Close,
}

/// A lease taken here.
pub(crate) struct Held {
    pub(crate) pass: Pass,
    pub(crate) status: watch::Sender<LeaseStatus>,
}

/// Counters, shared with whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) transactions: AtomicU64,
    pub(crate) writes: AtomicU64,
}

pub(crate) struct Writer<B> {
    pub(crate) backend: B,
    pub(crate) expiry: Duration,
    pub(crate) counters: Arc<Counters>,
    pub(crate) held: Vec<Held>,
    pub(crate) renewed: SystemTime,
}

impl<B: Transact> Writer<B> {
    /// Serves until it is told to close, or nobody can ask any more.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
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
        self.backend.close();
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
        match self.backend.begin_read() {
            Ok(()) => read(Ok(&self.backend)),
            Err(e) => read(Err(e.at(self.backend.place()))),
        }
        self.backend.rollback();
    }

    /// One transaction for all of the group.
    fn commit(&self, group: Vec<Write>) {
        if group.is_empty() {
            return;
        }
        let mut needs = Needs::default();
        let (mut runs, mut answers) = (Vec::new(), Vec::new());
        for write in group {
            needs.add(&write.needs);
            runs.push(write.run);
            answers.push(write.answer);
        }
        let result = self.transact(&needs, runs);
        if self.backend.is_in_transaction() {
            self.backend.rollback();
        }
        let result = result.map_err(|e| e.at(self.backend.place()));
        for answer in answers {
            answer(result.clone());
        }
    }

    fn transact(&self, needs: &Needs, runs: Vec<Run>) -> Result<(), Fault> {
        let (head, now) = self.backend.begin(needs)?;
        let cipher = self.backend.cipher();
        let done = self.run_all(head, now, runs);
        if done.is_err() {
            self.backend.set_cipher(cipher);
        }
        done
    }

    fn run_all(&self, head: Head, now: SystemTime, runs: Vec<Run>) -> Result<(), Fault> {
        let mut work = Work {
            rows: &self.backend,
            head,
            now,
            expiry: self.expiry,
            held: Cell::new(None),
            unsettled: None,
        };
        let mut kept = 0;
        for run in runs {
            let before = (work.head.clone(), self.backend.cipher());
            self.backend.begin_part()?;
            match run(&mut work) {
                // The whole transaction may have ended: when the disk is full or fails, or the
                // connection does.
                Err(error) if !self.backend.is_in_transaction() => {
                    return Err(Fault::State(error));
                }
                Err(_) => {
                    work.head = before.0;
                    self.backend.set_cipher(before.1);
                    work.look_again();
                    self.backend.undo_part()?;
                }
                Ok(()) => {
                    kept += 1;
                    self.backend.keep_part()?;
                }
            }
        }
        if kept == 0 {
            return Ok(());
        }
        work.head.commits += 1;
        self.backend.commit(&work.head)?;
        self.counters.transactions.fetch_add(1, Ordering::Relaxed);
        self.counters.writes.fetch_add(kept, Ordering::Relaxed);
        Ok(())
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
            let needs = Needs::of_lease(pass.epoch);
            let (write, answer) = write_for(self.backend.place(), needs, move |work| {
                leases::renew(work, &pass)
            });
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
pub(crate) fn write_for<T: Send + 'static>(
    path: &Path,
    needs: Needs,
    f: impl FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
) -> (Write, oneshot::Receiver<Result<T, StateError>>) {
    write_then(path, needs, f, |result| result)
}

/// As [`write_for`]; `then` makes the answer of the result, once that is durable.
pub(crate) fn write_then<T: Send + 'static, A: Send + 'static>(
    path: &Path,
    needs: Needs,
    f: impl FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    then: impl FnOnce(T) -> A + Send + 'static,
) -> (Write, oneshot::Receiver<Result<A, StateError>>) {
    let (tx, rx) = oneshot::channel();
    let path = path.to_owned();
    // Filled by `run`, emptied by `answer`; both are called on the one thread.
    let slot = Arc::new(Mutex::new(Err(StateError::Closed)));
    let filled = Arc::clone(&slot);
    let write = Write {
        needs,
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
            let _ = tx.send(committed.and(result).map(then));
        }),
    };
    (write, rx)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}
