//! One transaction.

use super::{Rows, fault::Fault, head::Head};
use crate::Entry;
use crate::StateError;
use std::{cell::Cell, rc::Rc, time::SystemTime};
use weir_core::{Address, Key, Object};

/// A write transaction: the rows, the head as it will be written at its end, and the time.
pub(crate) struct Work<'c> {
    pub(crate) rows: &'c dyn Rows,
    pub(crate) head: Head,
    pub(crate) now: SystemTime,
    /// For how long a lease lasts without being renewed.
    pub(crate) expiry: std::time::Duration,
    /// The epoch of the lease that was found to be held in this transaction.
    pub(crate) held: Cell<Option<u64>>,
    /// The open entries of leases before this one, as this transaction found them.
    pub(crate) unsettled: Option<(u64, Rc<[Entry]>)>,
}

impl Work<'_> {
    /// Forgets what was found of the store, as it may be otherwise by now.
    pub(crate) fn look_again(&mut self) {
        self.held.set(None);
        self.unsettled = None;
    }
    /// Raises the serial.
    pub(crate) fn raise(&mut self) {
        self.head.serial += 1;
    }
}

/// Refuses addresses that could not stand in a snapshot.
pub(crate) fn check_address(address: &Address) -> Result<(), Fault> {
    let keyed = matches!(address.object, Object::Host { .. } | Object::Pod { .. });
    if keyed && address.key == Key::None {
        let error = weir_core::snapshot::SnapshotError::NoKey(address.clone());
        return Err(Fault::State(StateError::from(error)));
    }
    Ok(())
}
