//! The lease: who may write.

use crate::{Scope, StateError, process, rows::Pass};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::SystemTime,
};
use tokio::sync::watch;
use weir_core::snapshot::{Lineage, Serial};

/// Who holds a lease, or wants one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub who: String,
    /// The host's name.
    pub host: String,
    /// The process on that host.
    pub pid: u32,
    /// What for (`apply`).
    pub purpose: String,
}

impl Holder {
    /// This process.
    pub fn this_process(who: impl Into<String>, purpose: impl Into<String>) -> Holder {
        Holder {
            who: who.into(),
            host: process::host_name(),
            pid: std::process::id(),
            purpose: purpose.into(),
        }
    }
}

/// Proof of the exclusive right to write what its scope covers. Kept alive by its store until it is released or dropped.
pub struct Lease {
    epoch: u64,
    lineage: Lineage,
    scope: Arc<Scope>,
    taken_at: Serial,
    holder: Holder,
    status: watch::Receiver<LeaseStatus>,
    on_drop: Mutex<Option<OnDrop>>,
}

/// What a store does when a lease is dropped.
pub(crate) type OnDrop = Box<dyn FnOnce() + Send>;

/// How a lease stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseStatus {
    /// It is held, and will be kept for dead after this time unless the store renews it before.
    Held {
        /// The time.
        expires: SystemTime,
    },
    /// It was lost: every further write is refused.
    Lost {
        /// Who has it now; `None` if nobody.
        by: Option<Box<Holder>>,
    },
}

impl Lease {
    /// For stores: a lease that was just taken.
    pub(crate) fn new(
        pass: Pass,
        taken_at: Serial,
        holder: Holder,
        status: watch::Receiver<LeaseStatus>,
        on_drop: OnDrop,
    ) -> Lease {
        let Pass {
            epoch,
            lineage,
            scope,
        } = pass;
        Lease {
            epoch,
            lineage,
            scope,
            taken_at,
            holder,
            status,
            on_drop: Mutex::new(Some(on_drop)),
        }
    }

    /// The fencing number: higher than that of every lease taken before. Part of the token of
    /// every operation done under this lease.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
    /// The line of states it is for.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }
    /// What it covers.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
    /// At which serial the state was when it was taken.
    pub fn taken_at(&self) -> Serial {
        self.taken_at
    }
    pub(crate) fn pass(&self) -> Pass {
        Pass {
            epoch: self.epoch,
            lineage: self.lineage.clone(),
            scope: self.scope.clone(),
        }
    }
    /// Who holds it.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }
    /// How it stands, as far as the store has noticed.
    pub fn status(&self) -> LeaseStatus {
        self.status.borrow().clone()
    }
    /// Ends when the store notices that the lease was lost, with the error a write would get: the
    /// engine then starts nothing more. Never ends while the lease is held.
    pub async fn lost(&self) -> StateError {
        let mut status = self.status.clone();
        loop {
            if let LeaseStatus::Lost { by } = &*status.borrow_and_update() {
                return StateError::LeaseLost { by: by.clone() };
            }
            if status.changed().await.is_err() {
                return StateError::Closed;
            }
        }
    }
    /// For stores: the lease was ended in another way, and dropping it does nothing more.
    pub(crate) fn disarm(&self) {
        self.on_drop
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let on_drop = self
            .on_drop
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(f) = on_drop {
            f();
        }
    }
}

/// A lease in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRecord {
    /// Its fencing number.
    pub epoch: u64,
    /// Who held it.
    pub holder: Holder,
    /// Since when.
    pub since: SystemTime,
    /// When it was or will be kept for dead, unless it is renewed.
    pub expires: SystemTime,
    /// What it covers; `None` once it has ended.
    pub scope: Option<Scope>,
    /// When and how it ended; `None` while it is held.
    pub ended: Option<(SystemTime, Ending)>,
}

/// How a lease ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Its holder gave it back.
    Released,
    /// Its holder did not renew it in time and was taken over.
    Expired {
        /// Who took over.
        by: Holder,
    },
    /// Its holder's process was gone and was taken over.
    HolderDied {
        /// Who took over.
        by: Holder,
    },
    /// The state went to another place with it; nobody gets another lease here.
    Moved {
        /// Where it is now, for people.
        to: String,
        /// Who moved it.
        by: Holder,
    },
    /// Someone ended it by force.
    Unlocked {
        /// Who.
        by: Holder,
    },
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("epoch", &self.epoch)
            .field("holder", &self.holder)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder {
            who,
            host,
            pid,
            purpose,
        } = self;
        write!(f, "{who}@{host} (process {pid}, {purpose})")
    }
}
