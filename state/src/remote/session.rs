//! One session with a far side, for one state: transactions, and what to do when the way is lost or
//! another was quicker.

use super::{
    Blob, Standing, Tag, Trouble,
    document::{Header, Op},
    follow::newest,
};
use crate::{
    Encryption,
    rows::{Fault, Head, Needs, Rows as _, Transact, leases},
    sqlite::WorkingCopy,
};
use std::{
    cell::{Cell, RefCell},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

/// A session of one store.
pub(crate) struct Remote<B> {
    pub(super) blob: B,
    pub(super) copy: WorkingCopy,
    /// The document that the copy stands for; `None` where it stands for none that is known.
    pub(super) base: RefCell<Option<Base>>,
    /// Where the state stood when this transaction began.
    pub(super) before: RefCell<Option<Standing>>,
    /// Rows written in this transaction.
    pub(super) noted: RefCell<Vec<Op>>,
    /// How many were noted before the part that is under way.
    pub(super) part: Cell<usize>,
    /// For how long a lease lasts: a lost way is looked for so long.
    pub(super) expiry: Duration,
    pub(super) encryption: Encryption,
    /// The number of the newest key that the cipher was made of; 0 where there is none.
    pub(super) key: Cell<u64>,
    /// The latest lease that was taken here.
    pub(super) taken: Cell<Option<u64>>,
}

/// A document, and its tag.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) tag: Tag,
    pub(super) header: Header,
    /// The lines of the transactions since the chunks.
    pub(super) tail: String,
}

impl<B: Blob> Remote<B> {
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.expiry
    }

    /// Asks until there is an answer, or the time is over.
    pub(super) fn patiently<T>(
        &self,
        deadline: Instant,
        mut ask: impl FnMut() -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut pause = Pause::default();
        loop {
            match ask() {
                Err(Trouble::Lost(cause)) if Instant::now() < deadline => {
                    tracing::debug!(cause, "the state's server gave no answer");
                    pause.wait();
                }
                answer => return answer,
            }
        }
    }

    /// Where the copy stands.
    pub(super) fn standing(&self, head: &Head) -> Result<Standing, Fault> {
        Ok(Standing {
            head: head.clone(),
            lease: leases::current(&self.copy, head)?,
        })
    }

    /// Whether nobody else may write now: the lease was taken here and lasts.
    fn is_ours(&self) -> Result<bool, Fault> {
        if self.base.borrow().is_none() || self.taken.get().is_none() {
            return Ok(false);
        }
        let head = self.copy.head()?;
        let lease = leases::current(&self.copy, &head)?;
        Ok(lease.is_some_and(|lease| {
            Some(lease.epoch) == self.taken.get() && lease.expires > self.blob.now()
        }))
    }

    /// Takes back what was written to the copy.
    pub(super) fn abandon(&self) {
        self.noted.borrow_mut().clear();
        if self.copy.is_in_transaction()
            && let Err(fault) = self.copy.run("ROLLBACK")
        {
            tracing::warn!(?fault, "rolling back");
        }
    }
}

impl<B: Blob> Transact for Remote<B> {
    fn place(&self) -> &Path {
        self.blob.place()
    }

    fn begin(&self, _: &Needs) -> Result<(Head, SystemTime), Fault> {
        self.abandon();
        if !self.is_ours()? {
            let followed = self.follow(self.deadline());
            followed.map_err(|e| e.fault(self.blob.place()))?;
        }
        self.copy.run("BEGIN IMMEDIATE")?;
        let head = self.copy.head()?;
        self.before.replace(Some(self.standing(&head)?));
        Ok((head, self.blob.now()))
    }

    fn begin_part(&self) -> Result<(), Fault> {
        self.part.set(self.noted.borrow().len());
        self.copy.run("SAVEPOINT part")
    }
    fn undo_part(&self) -> Result<(), Fault> {
        self.noted.borrow_mut().truncate(self.part.get());
        self.copy.run("ROLLBACK TO part; RELEASE part")
    }
    fn keep_part(&self) -> Result<(), Fault> {
        self.copy.run("RELEASE part")
    }
    fn is_in_transaction(&self) -> bool {
        self.copy.is_in_transaction()
    }

    fn commit(&self, head: &Head) -> Result<(), Fault> {
        self.copy.set_head(head)?;
        self.store(head)?;
        self.noted.borrow_mut().clear();
        // Of a state that is given a new key the cipher was made with it.
        self.key.set(newest(&self.copy.data_keys()?));
        self.copy.run("COMMIT").inspect_err(|_| {
            // It is stored, and is loaded again.
            self.base.replace(None);
        })
    }

    fn rollback(&self) {
        self.abandon();
    }

    fn begin_read(&self) -> Result<(), Fault> {
        self.abandon();
        let followed = self.follow(self.deadline());
        followed.map_err(|e| e.fault(self.blob.place()))?;
        self.copy.run("BEGIN")
    }

    fn close(self) {}
}

/// The pause before something is asked again: longer each time, and never the same for two.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Pause {
        Pause(Duration::from_millis(50))
    }
}

impl Pause {
    fn wait(&mut self) {
        std::thread::sleep(self.0.mul_f64(0.5 + fastrand::f64()));
        self.0 = (self.0 * 2).min(Duration::from_secs(2));
    }
}
