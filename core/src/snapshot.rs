//! What weir believes to be there: the state at one serial.

use crate::{
    address::{Address, ProviderRef},
    value::Known,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The identity of a line of states: made once, when the stack's state is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lineage(pub String);

/// A number that rises with every change of the state.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Serial(pub u64);

/// The state at a serial.
///
/// Invariants, checked by [`Snapshot::verify`]:
/// 1. a resource depends on no instance that is not there, and not on itself;
/// 2. the dependencies have no cycle;
/// 3. a host's and a pod's instance has a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Which line of states.
    pub lineage: Lineage,
    /// Which state of it.
    pub serial: Serial,
    /// Every resource instance.
    pub resources: BTreeMap<Address, Resource>,
    /// The root module's outputs.
    pub outputs: BTreeMap<String, Known>,
}

/// One resource instance as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The provider configuration it was made with.
    pub provider: ProviderRef,
    /// The version of the schema its value follows.
    pub schema_version: u32,
    /// Its attributes; marks are kept.
    pub value: Known,
    /// The provider's opaque data.
    pub private: Vec<u8>,
    /// The instances it depends on, direct ones only.
    pub dependencies: BTreeSet<Address>,
    /// Whether it is whole.
    pub status: Status,
}

/// Whether an object is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It is.
    Ready,
    /// Its creation failed half-way: the next plan replaces it.
    Tainted,
}

/// A snapshot breaks one of its invariants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Invariant 1.
    #[error("{0} depends on {1}, which is not in state")]
    DanglingDependency(Address, Address),
    /// Invariant 2.
    #[error("{0} depends on itself by way of {1}")]
    Cycle(Address, Address),
    /// Invariant 3.
    #[error("{0} has no instance key")]
    NoKey(Address),
}

impl Snapshot {
    /// A state with nothing in it.
    pub fn empty(lineage: Lineage) -> Snapshot {
        Snapshot {
            lineage,
            serial: Serial(0),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// Checks the invariants.
    ///
    /// # Errors
    /// The first that is broken.
    pub fn verify(&self) -> Result<(), SnapshotError> {
        use crate::address::{Key, Object};
        for (address, resource) in &self.resources {
            if matches!(address.object, Object::Host { .. } | Object::Pod { .. })
                && address.key == Key::None
            {
                return Err(SnapshotError::NoKey(address.clone()));
            }
            for d in &resource.dependencies {
                if !self.resources.contains_key(d) {
                    return Err(SnapshotError::DanglingDependency(
                        address.clone(),
                        d.clone(),
                    ));
                }
            }
        }
        self.check_acyclic()
    }

    /// Depth-first over the dependencies, without recursion: a chain may be long.
    fn check_acyclic(&self) -> Result<(), SnapshotError> {
        let mut done: BTreeSet<&Address> = BTreeSet::new();
        for root in self.resources.keys() {
            let mut on_path: BTreeSet<&Address> = BTreeSet::new();
            let mut stack = vec![(root, false)];
            while let Some((address, leaving)) = stack.pop() {
                if leaving {
                    on_path.remove(address);
                    done.insert(address);
                    continue;
                }
                if done.contains(address) {
                    continue;
                }
                on_path.insert(address);
                stack.push((address, true));
                for d in self
                    .resources
                    .get(address)
                    .into_iter()
                    .flat_map(|r| &r.dependencies)
                {
                    if on_path.contains(d) {
                        return Err(SnapshotError::Cycle(d.clone(), address.clone()));
                    }
                    stack.push((d, false));
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
