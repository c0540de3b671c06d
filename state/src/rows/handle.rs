//! A store of rows as the rest of the program has it: requests to the thread that owns the rows.

use super::{
    Archive, Needs, Rows, Transact, archive, cipher,
    fault::Fault,
    head::Head,
    items::{self, Kind},
    journal::{self, Closing, Whose},
    leases::{self, Pass},
    prune, reading, whole,
    work::{Work, check_address},
    writer::{Counters, Held, Request, Writer, write_for, write_then},
};
use crate::encryption::Keyring;
use crate::{
    Applied, ApplyRecord, Begin, Bundle, ClosedEntry, Content, Encryption, Entry, EntryId, Holder,
    Lease, LeaseRecord, LeaseStatus, Outcome, Pruned, Retention, Scope, StateError, Store, Wait,
    format,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc},
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use tokio::sync::{oneshot, watch};
use weir_core::{
    Address, Known,
    references::References,
    snapshot::{Lineage, Resource, Serial, Snapshot},
};

/// How many others may be quicker in a row before an acquire gives up.
const RACES: u32 = 16;

/// How often an acquire that waits asks again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How much was written through one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Transactions put on the disk.
    pub transactions: u64,
    /// Writes in them.
    pub writes: u64,
}

/// A store that keeps rows.
pub(crate) trait Rowed {
    fn handle(&self) -> &Handle;
}

/// The way to the thread of one store.
pub(crate) struct Handle {
    path: PathBuf,
    /// May change with the whole state.
    lineage: Mutex<Lineage>,
    requests: mpsc::Sender<Request>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    /// Starts the thread, which opens the store and then serves it. Blocks until it is open;
    /// `None` where `open` finds nothing to open.
    pub(crate) fn start<B: Transact>(
        path: &Path,
        expiry: Duration,
        open: impl FnOnce() -> Result<Option<(B, Head)>, StateError> + Send + 'static,
    ) -> Result<Option<Handle>, StateError> {
        let (requests, receiver) = mpsc::channel();
        let (opened, open_result) = mpsc::sync_channel(1);
        let counters = Arc::new(Counters::default());
        let counted = Arc::clone(&counters);
        let serve = move || {
            let backend = match open() {
                Ok(Some((backend, head))) => {
                    // Who asked waits for this.
                    let _ = opened.send(Ok(Some(head.lineage)));
                    backend
                }
                Ok(None) => {
                    let _ = opened.send(Ok(None));
                    return;
                }
                Err(e) => {
                    let _ = opened.send(Err(e));
                    return;
                }
            };
            let writer = Writer {
                backend,
                expiry,
                counters: counted,
                held: Vec::new(),
                renewed: SystemTime::now(),
            };
            writer.run(&receiver);
        };
        let thread = std::thread::Builder::new()
            .name("weir-state".into())
            .spawn(serve)
            .map_err(|e| StateError::Io {
                path: path.into(),
                cause: format!("no thread can be started: {e}"),
            })?;
        let Some(lineage) = open_result.recv().map_err(|_| StateError::Closed)?? else {
            return Ok(None);
        };
        Ok(Some(Handle {
            path: path.into(),
            lineage: Mutex::new(lineage),
            requests,
            counters,
            thread: Some(thread),
        }))
    }

    /// What the store is called.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn lineage(&self) -> Lineage {
        self.lineage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How much was written through this handle.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            transactions: self.counters.transactions.load(Ordering::Relaxed),
            writes: self.counters.writes.load(Ordering::Relaxed),
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        needs: Needs,
        f: impl FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let (write, answer) = write_for(&self.path, needs, f);
        self.send(Request::Write(write))?;
        answer.await.map_err(|_| StateError::Closed)?
    }

    /// A write behind the fence.
    async fn fenced<T: Send + 'static>(
        &self,
        lease: &Lease,
        mut needs: Needs,
        f: impl FnOnce(&mut Work<'_>, &Pass) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let pass = Pass::from(lease);
        needs.leases.push(pass.epoch);
        self.write(needs, move |work| {
            leases::fence(work, &pass)?;
            f(work, &pass)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&dyn Rows) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StateError> {
        let (tx, rx) = oneshot::channel();
        let path = self.path.clone();
        self.send(Request::Read(Box::new(move |rows| {
            // Who asked may have gone away.
            let _ = tx.send(rows.and_then(|rows| f(rows).map_err(|e| e.at(&path))));
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
        let needs = Needs {
            entries: vec![entry.0],
            ..Needs::default()
        };
        self.fenced(lease, needs, move |work, pass| {
            journal::close(work, pass, closing)
        })
        .await
    }

    /// Tries once to take a lease.
    async fn try_acquire(&self, holder: Holder, scope: Scope) -> Result<Lease, StateError> {
        let requests = self.requests.clone();
        let path = self.path.clone();
        // The lease is made when its row is durable: one that never was must not give back, or keep
        // alive, what another took under the same epoch.
        let taken = move |taken: leases::Taken| {
            let leases::Taken {
                record,
                pass,
                serial,
            } = taken;
            let (status, watcher) = watch::channel(LeaseStatus::Held {
                expires: record.expires,
            });
            let release = {
                let (requests, pass) = (requests.clone(), pass.clone());
                move || {
                    let needs = Needs::of_lease(pass.epoch);
                    let (write, _) =
                        write_for(&path, needs, move |work| leases::release(work, &pass));
                    // A store that was closed has ended already; the lease then expires.
                    let _ = requests.send(Request::Write(write));
                }
            };
            let held = pass.clone();
            let _ = requests.send(Request::Keep(Held { pass: held, status }));
            Lease::new(pass, serial, record.holder, watcher, Box::new(release))
        };
        let acquire = move |work: &mut Work<'_>| leases::acquire(work, &holder, &scope);
        let (write, answer) = write_then(&self.path, Needs::default(), acquire, taken);
        self.send(Request::Write(write))?;
        answer.await.map_err(|_| StateError::Closed)?
    }
}

impl Drop for Handle {
    /// Waits until everything that was asked for is done and the store is closed.
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Close);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the state panicked");
        }
    }
}

/// Asks again and again, as long as is to be waited for somebody's lease.
async fn patiently<T, F: Future<Output = Result<T, StateError>>>(
    wait: Wait,
    ask: impl Fn() -> F,
) -> Result<T, StateError> {
    let started = SystemTime::now();
    let mut raced = 0;
    loop {
        let error = match ask().await {
            Err(e @ StateError::Locked { .. }) => e,
            // Somebody took a lease, or gave one back, between our look and our write.
            Err(StateError::Raced { .. }) if raced < RACES => {
                raced += 1;
                continue;
            }
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

fn encode(resource: &Resource) -> Result<String, StateError> {
    format::resource_to_text(resource).map_err(|e| StateError::Invalid(e.to_string()))
}

#[async_trait]
impl<T: Rowed + Send + Sync> Store for T {
    fn lineage(&self) -> Lineage {
        self.handle().lineage()
    }

    async fn snapshot(&self) -> Result<Snapshot, StateError> {
        self.handle().read(reading::snapshot).await
    }

    async fn snapshot_at(&self, serial: Serial) -> Result<Snapshot, StateError> {
        self.handle()
            .read(move |rows| reading::at(rows, &rows.head()?, serial))
            .await
    }

    async fn is_empty(&self) -> Result<bool, StateError> {
        self.handle().read(|rows| rows.is_empty()).await
    }

    async fn acquire_scope(
        &self,
        holder: Holder,
        scope: Scope,
        wait: Wait,
    ) -> Result<Lease, StateError> {
        let handle = self.handle();
        patiently(wait, || handle.try_acquire(holder.clone(), scope.clone())).await
    }

    async fn visit(&self, by: Holder, wait: Wait) -> Result<(), StateError> {
        let handle = self.handle();
        patiently(wait, || async {
            let who = by.clone();
            let look = handle.read(move |rows| leases::calls_for_a_visit(rows, &who));
            if !look.await? {
                return Ok(());
            }
            let by = by.clone();
            let visit = move |work: &mut Work<'_>| leases::visit(work, &by);
            handle.write(Needs::default(), visit).await
        })
        .await
    }

    async fn release(&self, lease: Lease) -> Result<(), StateError> {
        let pass = Pass::from(&lease);
        let result = self
            .handle()
            .write(Needs::of_lease(pass.epoch), move |work| {
                leases::release(work, &pass)
            })
            .await;
        lease.disarm();
        result
    }

    async fn confirm(&self, lease: &Lease) -> Result<(), StateError> {
        self.handle()
            .fenced(lease, Needs::default(), |_, _| Ok(()))
            .await
    }

    async fn unlock(&self, epoch: u64, by: Holder) -> Result<Option<LeaseRecord>, StateError> {
        self.handle()
            .write(Needs::of_lease(epoch), move |work| {
                leases::unlock(work, epoch, by)
            })
            .await
    }

    async fn held(&self) -> Result<Vec<LeaseRecord>, StateError> {
        self.handle().read(leases::held_now).await
    }

    async fn leases(&self) -> Result<Vec<LeaseRecord>, StateError> {
        self.handle().read(leases::log).await
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
        let needs = Needs {
            open_before: Some(lease.epoch()),
            ..Needs::default()
        };
        self.handle()
            .fenced(lease, needs, move |work, pass| {
                for (begin, _) in &entries {
                    pass.owns(&begin.address)?;
                }
                journal::begin(work, pass.epoch, &entries)
            })
            .await
    }

    async fn commit(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        self.handle()
            .close_entry(lease, entry, Whose::Own, outcome)
            .await
    }

    async fn open_entries(&self) -> Result<Vec<Entry>, StateError> {
        self.handle().read(journal::open).await
    }

    async fn settle(
        &self,
        lease: &Lease,
        entry: EntryId,
        outcome: Outcome,
    ) -> Result<Serial, StateError> {
        self.handle()
            .close_entry(lease, entry, Whose::Any, outcome)
            .await
    }

    async fn closed_entries(&self, epoch: u64) -> Result<Vec<ClosedEntry>, StateError> {
        self.handle()
            .read(move |rows| journal::closed(rows, epoch))
            .await
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
        let needs = Needs {
            outputs: true,
            ..Needs::default()
        };
        self.handle()
            .fenced(lease, needs, move |work, pass| {
                pass.owns_all()?;
                let mut changed = false;
                for name in work.rows.keys(Kind::Output)? {
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

    async fn change_outputs(
        &self,
        lease: &Lease,
        changes: BTreeMap<String, Option<Known>>,
    ) -> Result<Serial, StateError> {
        let mut bodies = BTreeMap::new();
        for (name, value) in &changes {
            let body = value.as_ref().map(format::output_to_text).transpose();
            let body = body.map_err(|e| StateError::Invalid(e.to_string()))?;
            bodies.insert(name.clone(), body);
        }
        let needs = Needs {
            outputs: true,
            ..Needs::default()
        };
        self.handle()
            .fenced(lease, needs, move |work, pass| {
                let mut changed = false;
                for (name, body) in &bodies {
                    pass.owns_output(name)?;
                    changed |= items::put(work, Kind::Output, name, body.as_deref())?;
                }
                if changed {
                    work.raise();
                }
                Ok(work.head.serial())
            })
            .await
    }

    async fn change_references(
        &self,
        lease: &Lease,
        before: References,
        after: References,
    ) -> Result<Option<Serial>, StateError> {
        let body = (!after.is_empty()).then(|| format::references_to_text(&after));
        self.handle()
            .fenced(lease, Needs::default(), move |work, _| {
                let now = items::kept(work.rows, Kind::References, "")?;
                let now = now.as_deref().map(format::references_from_text);
                if now.transpose()?.unwrap_or_default() != before {
                    return Ok(None);
                }
                if items::put(work, Kind::References, "", body.as_deref())? {
                    work.raise();
                }
                Ok(Some(work.head.serial()))
            })
            .await
    }

    async fn set_references(
        &self,
        lease: &Lease,
        references: References,
    ) -> Result<Serial, StateError> {
        let body = (!references.is_empty()).then(|| format::references_to_text(&references));
        self.handle()
            .fenced(lease, Needs::default(), move |work, pass| {
                pass.owns_all()?;
                if items::put(work, Kind::References, "", body.as_deref())? {
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
        let needs = Needs {
            resources: bodies.keys().map(ToString::to_string).collect(),
            ..Needs::default()
        };
        self.handle()
            .fenced(lease, needs, move |work, pass| {
                let mut changed = false;
                for (address, body) in &bodies {
                    check_address(address)?;
                    pass.owns(address)?;
                    changed |=
                        items::put(work, Kind::Resource, &address.to_string(), body.as_deref())?;
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

    async fn replace(
        &self,
        lease: Lease,
        content: Content,
        record: ApplyRecord,
    ) -> Result<Serial, StateError> {
        let lineage = content.lineage.clone();
        let new = whole::encode(content, record)?;
        let handle = self.handle();
        let pass = Pass::from(&lease);
        let next = Pass {
            lineage: lineage.clone(),
            ..pass.clone()
        };
        let serial = handle
            .write(Needs::of_lease(pass.epoch), move |work| {
                leases::fence(work, &pass)?;
                pass.owns_all()?;
                let serial = whole::replace(work, &pass, new)?;
                leases::release(work, &next)?;
                Ok(serial)
            })
            .await?;
        lease.disarm();
        *handle
            .lineage
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lineage;
        Ok(serial)
    }

    async fn export(&self, lease: &Lease) -> Result<Archive, StateError> {
        self.handle()
            .fenced(lease, Needs::default(), |work, pass| {
                pass.owns_all()?;
                archive::export(work.rows, &work.head, work.now)
            })
            .await
    }

    async fn import(&self, archive: Archive) -> Result<Serial, StateError> {
        let handle = self.handle();
        let lineage = archive.lineage().clone();
        let serial = handle
            .write(Needs::default(), move |work| archive::import(work, archive))
            .await?;
        *handle
            .lineage
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = lineage;
        Ok(serial)
    }

    async fn move_away(&self, lease: Lease, to: String) -> Result<(), StateError> {
        let pass = Pass::from(&lease);
        let moved = self
            .handle()
            .write(Needs::of_lease(pass.epoch), move |work| {
                leases::move_away(work, &pass, to)
            })
            .await;
        lease.disarm();
        moved
    }

    async fn keep_bundle(&self, lease: &Lease, bundle: Bundle) -> Result<(), StateError> {
        self.handle()
            .fenced(lease, Needs::default(), move |work, _| {
                whole::keep(work, &bundle)
            })
            .await
    }

    async fn bundle(&self, digest: &str) -> Result<Option<Bundle>, StateError> {
        let digest = digest.to_owned();
        self.handle()
            .read(move |rows| whole::bundle(rows, &digest))
            .await
    }

    async fn prune(&self, lease: &Lease, before: Serial) -> Result<Pruned, StateError> {
        self.handle()
            .fenced(lease, Needs::default(), move |work, pass| {
                pass.owns_all()?;
                prune::before(work, pass.epoch, before.0)
            })
            .await
    }

    async fn retain(&self, lease: &Lease, keep: Retention) -> Result<Pruned, StateError> {
        let handle = self.handle();
        // Most of the time there is nothing to drop, and then nothing is written either.
        let due = handle.read(move |rows| prune::is_due(rows, keep));
        match due.await? {
            false => Ok(Pruned::default()),
            true => {
                let retain =
                    move |work: &mut Work<'_>, pass: &Pass| prune::retain(work, pass.epoch, keep);
                handle.fenced(lease, Needs::default(), retain).await
            }
        }
    }

    async fn finish_apply(&self, lease: &Lease, record: ApplyRecord) -> Result<(), StateError> {
        self.handle()
            .fenced(lease, Needs::default(), move |work, pass| {
                journal::finish(work, pass.epoch, record)
            })
            .await
    }

    async fn rekey(&self, lease: &Lease, encryption: Encryption) -> Result<(), StateError> {
        self.handle()
            .fenced(lease, Needs::default(), move |work, pass| {
                pass.owns_all()?;
                cipher::rekey(work, &encryption)
            })
            .await
    }

    async fn keyring(&self) -> Result<Option<Keyring>, StateError> {
        self.handle()
            .read(|rows| Ok(rows.cipher().keyring().cloned()))
            .await
    }

    async fn history(&self) -> Result<Vec<Applied>, StateError> {
        self.handle().read(journal::history).await
    }
}
