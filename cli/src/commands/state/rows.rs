//! What addresses of a command line mean in a state.

use crate::error::CommandError;
use std::collections::BTreeSet;
use weir_core::{
    Address,
    snapshot::{Resource, Snapshot},
};
use weir_plan::Target;

/// The instances of a state, those included of which only objects put aside are left.
pub(super) struct Rows<'s> {
    snapshot: Option<&'s Snapshot>,
    addresses: BTreeSet<&'s Address>,
}

impl<'s> Rows<'s> {
    /// Those of this state; of none, none.
    pub(super) fn of(snapshot: Option<&'s Snapshot>) -> Rows<'s> {
        let current = snapshot.into_iter().flat_map(|s| s.resources.keys());
        let aside = snapshot.into_iter().flat_map(|s| s.deposed.keys());
        Rows {
            snapshot,
            addresses: current.chain(aside).collect(),
        }
    }

    /// Their addresses, in order.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &'s Address> {
        self.addresses.iter().copied()
    }

    /// The object that is the instance's now.
    pub(super) fn current(&self, address: &Address) -> Option<&'s Resource> {
        self.snapshot?.resources.get(address)
    }

    /// Those that a target names.
    pub(super) fn named(&self, target: &Target) -> impl Iterator<Item = &'s Address> {
        self.addresses().filter(move |a| target.names(a))
    }

    /// Refuses a target that names nothing.
    ///
    /// # Errors
    /// The first such, with what is there of its kind.
    pub(super) fn all_named(&self, targets: &[Target]) -> Result<(), CommandError> {
        let nothing = targets.iter().find(|t| self.named(t).next().is_none());
        match nothing {
            None => Ok(()),
            Some(target) => {
                let error = CommandError::failed(format!("{target} matches nothing in state"));
                Err(error.hint(self.instead(target)))
            }
        }
    }

    /// What to write in place of a target that names nothing.
    fn instead(&self, target: &Target) -> String {
        let near: Vec<String> = match target {
            Target::Block(address) => self
                .addresses()
                .filter(|a| a.written() == address.written())
                .map(Address::to_string)
                .collect(),
            Target::Module(_) | Target::Service(..) | Target::Site(..) | Target::Pattern(_) => {
                Vec::new()
            }
        };
        match near.as_slice() {
            [] => "`weir state list` lists what is there.".to_owned(),
            some if some.len() <= 5 => format!("State has {}.", some.join(", ")),
            [first, .., last] => {
                format!("State has {first} to {last}: {} instances.", near.len())
            }
            [only] => format!("State has {only}."),
        }
    }
}
