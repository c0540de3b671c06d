//! What weir believes to be there: the state at one serial.

mod graph;

use crate::{
    address::{Address, Key, ProviderRef, members},
    references::References,
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

/// Which of an instance's old objects: unique within the state, short enough to be read aloud.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeposedKey(pub String);

/// The state at a serial.
///
/// A dependency without a key stands for all instances of its block; see
/// [`members`].
///
/// Invariants, checked by [`Snapshot::verify`]:
/// 1. a resource depends on nothing that is not there, and not on itself;
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
    /// Objects that a replacement put aside (`create_before_destroy`) and that were not deleted
    /// yet. Their instance may be gone.
    pub deposed: BTreeMap<Address, BTreeMap<DeposedKey, Resource>>,
    /// The root module's outputs.
    pub outputs: BTreeMap<String, Known>,
    /// What the blocks behind the objects refer to.
    pub references: References,
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
    /// What it depends on, direct dependencies only: instances, and blocks for all their
    /// instances.
    pub dependencies: BTreeSet<Address>,
    /// Whether it is whole.
    pub status: Status,
    /// What becomes of it once its block is gone.
    pub removal: Removal,
    /// What came with it from another program's state.
    pub foreign: Option<Foreign>,
}

/// What another program's state says of an object beside what a [`Resource`] has: text of whoever
/// converts between the two, opaque to everybody else. Kept with the object, so that it goes back
/// as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign(pub Box<str>);

/// What becomes of an object that the configuration has no block for any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Removal {
    /// It is deleted.
    #[default]
    Delete,
    /// It leaves state and stays in the world: its block said `lifecycle { destroy = false }`.
    Forget,
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
            deposed: BTreeMap::new(),
            outputs: BTreeMap::new(),
            references: References::default(),
        }
    }

    /// Whether the instance is there; of a block, whether one of its instances is.
    pub fn has(&self, dependency: &Address) -> bool {
        members(&self.resources, dependency).next().is_some()
    }

    /// Checks the invariants.
    ///
    /// # Errors
    /// The first that is broken.
    pub fn verify(&self) -> Result<(), SnapshotError> {
        use crate::address::Object;
        for (address, resource) in &self.resources {
            if matches!(address.object, Object::Host { .. } | Object::Pod { .. })
                && address.key == Key::None
            {
                return Err(SnapshotError::NoKey(address.clone()));
            }
            for d in &resource.dependencies {
                if !self.has(d) {
                    return Err(SnapshotError::DanglingDependency(
                        address.clone(),
                        d.clone(),
                    ));
                }
            }
        }
        match self.cycle().as_deref() {
            Some([first, .., last]) => Err(SnapshotError::Cycle(first.clone(), last.clone())),
            Some([only]) => Err(SnapshotError::Cycle(only.clone(), only.clone())),
            _ => Ok(()),
        }
    }

    /// Leaves out dependencies that can't stand in a snapshot: on what is not there, and those
    /// that close a loop. A loop forms when a configuration turns a dependency round and only one
    /// side of it was recorded since; `recorded` says at which serial each resource was, and the
    /// oldest word on the loop is the one that is out of date.
    pub fn settle_edges(&mut self, recorded: &BTreeMap<Address, Serial>) {
        let resources = &self.resources;
        let mut dropped: Vec<(Address, Address)> = Vec::new();
        for (address, resource) in resources {
            for d in &resource.dependencies {
                if address.is_in(d) || !self.has(d) {
                    dropped.push((address.clone(), d.clone()));
                }
            }
        }
        for (address, d) in dropped {
            if let Some(resource) = self.resources.get_mut(&address) {
                resource.dependencies.remove(&d);
            }
        }
        while let Some(ring) = self.cycle() {
            let oldest = (0..ring.len()).min_by_key(|&i| (recorded.get(&ring[i]), i));
            let Some(i) = oldest else { return };
            let next = &ring[(i + 1) % ring.len()];
            if let Some(resource) = self.resources.get_mut(&ring[i]) {
                resource.dependencies.retain(|d| !next.is_in(d));
            }
        }
    }

    /// The instances of a loop of dependencies, if there is one. Each vertex, instance or block,
    /// is visited once: depth-first, without recursion, as a chain may be long. It is looked for
    /// by name only where there is one.
    fn cycle(&self) -> Option<Vec<Address>> {
        if !graph::has_loop(&self.resources) {
            return None;
        }
        let mut done: BTreeSet<Vertex<'_>> = BTreeSet::new();
        // What depends on nothing is on no loop.
        let users = (self.resources.iter()).filter(|(_, r)| !r.dependencies.is_empty());
        for (root, _) in users {
            let mut path: Vec<Vertex<'_>> = Vec::new();
            let mut on_path: BTreeSet<Vertex<'_>> = BTreeSet::new();
            let mut stack = vec![(Vertex::Instance(root), false)];
            while let Some((vertex, leaving)) = stack.pop() {
                if leaving {
                    path.pop();
                    on_path.remove(&vertex);
                    done.insert(vertex);
                    continue;
                }
                if done.contains(&vertex) {
                    continue;
                }
                path.push(vertex);
                on_path.insert(vertex);
                stack.push((vertex, true));
                for next in self.next(vertex) {
                    if on_path.contains(&next) {
                        let ring = path.iter().skip_while(|v| **v != next);
                        return Some(ring.filter_map(|v| v.instance()).cloned().collect());
                    }
                    if !done.contains(&next) {
                        stack.push((next, false));
                    }
                }
            }
        }
        None
    }

    /// What an instance depends on; of a block, its instances.
    fn next<'a>(&'a self, vertex: Vertex<'a>) -> Vec<Vertex<'a>> {
        match vertex {
            Vertex::Block(block) => members(&self.resources, block)
                .map(|(a, _)| Vertex::Instance(a))
                .collect(),
            Vertex::Instance(address) => self
                .resources
                .get(address)
                .into_iter()
                .flat_map(|r| &r.dependencies)
                .map(|d| match d.key {
                    Key::None => Vertex::Block(d),
                    _ => Vertex::Instance(d),
                })
                .collect(),
        }
    }
}

/// What a way along dependencies leads through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Vertex<'a> {
    Instance(&'a Address),
    Block(&'a Address),
}

impl<'a> Vertex<'a> {
    fn instance(self) -> Option<&'a Address> {
        match self {
            Vertex::Instance(address) => Some(address),
            Vertex::Block(_) => None,
        }
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
impl fmt::Display for DeposedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
