//! What goes on during a run. Renderers turn it into lines, bars or JSON.

use crate::{address::Address, plan::Op};

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A lock is held by somebody; weir waits for it.
    WaitingForLock {
        /// Who holds it.
        holder: String,
    },
    /// An open entry of an earlier run is being settled.
    Settling {
        /// Which instance.
        address: Address,
    },
    /// An open entry was settled.
    Settled {
        /// Which instance.
        address: Address,
        /// What was found.
        outcome: Settlement,
    },
    /// The object is looked up.
    Refreshing {
        /// Which instance.
        address: Address,
        /// Its `id` as state has it, where there is one that may be shown.
        id: Option<String>,
    },
    /// The object was looked up.
    Refreshed {
        /// Which instance.
        address: Address,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// Its `id`, where there is one that may be shown; `None` where the object is gone.
        id: Option<String>,
    },
    /// Something is done to an ephemeral resource.
    EphemeralStarted {
        /// Which instance.
        address: Address,
        /// What is done.
        op: EphemeralOp,
    },
    /// Something was done to an ephemeral resource.
    EphemeralFinished {
        /// Which instance.
        address: Address,
        /// What was done.
        op: EphemeralOp,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
    /// Something could not be done to an ephemeral resource.
    EphemeralFailed {
        /// Which instance.
        address: Address,
        /// What was tried.
        op: EphemeralOp,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// What went wrong, in one line.
        message: String,
    },
    /// An operation begins.
    Started {
        /// Which instance.
        address: Address,
        /// What is done.
        op: Op,
        /// The host it is done on, where there is one.
        host: Option<String>,
    },
    /// An operation tells how far it is.
    Progress {
        /// Which instance.
        address: Address,
        /// What the provider says.
        text: String,
    },
    /// An operation succeeded.
    Finished {
        /// Which instance.
        address: Address,
        /// What was done.
        op: Op,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// The object's `id`, where it has one that may be shown.
        id: Option<String>,
    },
    /// An operation failed; the diagnostics come with the run's result.
    Failed {
        /// Which instance.
        address: Address,
        /// What was tried.
        op: Op,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// What went wrong, in one line.
        message: String,
    },
    /// An operation was done, and a condition does not hold of what came of it. What depends on
    /// it is not begun.
    Unfit {
        /// Which instance.
        address: Address,
        /// What was done.
        op: Op,
        /// Which condition, in one line.
        message: String,
    },
    /// An operation was not begun as one it depends on failed, or the run was stopped.
    Skipped {
        /// Which instance.
        address: Address,
        /// What would have been done.
        op: Op,
        /// The instance that failed; `None` when the user stopped the run.
        because: Option<Address>,
    },
}

/// What is done to an ephemeral resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EphemeralOp {
    /// Its value is asked for.
    Open,
    /// It is kept from expiring.
    Renew,
    /// It is given back.
    Close,
}

/// How an open journal entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The provider had done it; it is recorded now.
    Done,
    /// The provider had not done it; the plan will.
    NotDone,
    /// The provider can't tell; it stays open.
    Unsettled,
}

/// Where events go. Called from many tasks at once; must not block.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn event(&self, event: Event);
}

/// Takes every event and does nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: Event) {}
}
