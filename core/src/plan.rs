//! The plan: what will be done, in which order, with nothing left to decide.

use crate::{
    address::{Address, ModulePath, ProviderRef},
    change::Change,
    checks::CheckResult,
    snapshot::{DeposedKey, Lineage, Serial},
    value::{Known, Value},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What will be done, and in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The line of states it belongs to.
    pub lineage: Lineage,
    /// The state it was made from. It applies to no other.
    pub base: Serial,
    /// Whether it is about all there is: false where targets or exclusions left something out.
    pub complete: bool,
    /// Every instance, also those with nothing to do, ordered by address.
    pub changes: BTreeMap<Address, Change>,
    /// What differs from state without the configuration asking for it: found by refresh.
    pub drift: BTreeMap<Address, Change>,
    /// The root module's outputs: before and after.
    pub outputs: BTreeMap<String, OutputChange>,
    /// Outputs that are not part of what is done and come to something else by now: that is recorded
    /// with it, as what is found of objects is. What is null is kept nowhere.
    pub found_outputs: BTreeMap<String, OutputChange>,
    /// The outputs of module instances below the root, by name, that come to something: null ones
    /// are left out.
    pub module_outputs: BTreeMap<ModulePath, BTreeSet<String>>,
    /// Old objects, put aside by replacements of earlier runs, that are still there. Applying the
    /// plan deletes them.
    pub deposed: Vec<Deposed>,
    /// What the configuration's conditions come to, by what is known while planning.
    pub checks: Vec<CheckResult>,
    /// Dependencies of every instance of the configuration, direct ones only. One without a key
    /// stands for all instances of its block.
    pub dependencies: BTreeMap<Address, Vec<Address>>,
    /// The nodes of the execution graph.
    pub nodes: Vec<Node>,
    /// The nodes grouped into calls to providers.
    pub steps: Vec<Step>,
}

/// A number of a node: its place in [`Plan::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub usize);

/// A number of a step: its place in [`Plan::steps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(pub usize);

/// One operation on one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Which instance.
    pub address: Address,
    /// What is done.
    pub op: Op,
    /// The nodes that must have succeeded before.
    pub after: Vec<NodeId>,
}

/// An operation. A replacement is a `Delete` and a `Create`, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Op {
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Delete it.
    Delete,
    /// Read a data source.
    Read,
    /// Drop it from state.
    Forget,
    /// Nothing: all that comes before it is done. It keeps the graph small where many wait for
    /// many, is never reported, and its address is that of what it stands for.
    Join,
}

/// One call to a provider: a single node, or several of one batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its nodes, in order.
    pub nodes: Vec<NodeId>,
    /// The steps that must be over before.
    pub after: Vec<StepId>,
}

/// An object that a replacement put aside.
#[derive(Debug, Clone, PartialEq)]
pub struct Deposed {
    /// The instance it was the object of.
    pub address: Address,
    /// Which of its objects.
    pub key: DeposedKey,
    /// As it was recorded.
    pub before: Known,
    /// The provider configuration that deletes it.
    pub provider: ProviderRef,
}

/// An output of the root module.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputChange {
    /// As it is in state.
    pub before: Option<Value>,
    /// As it will be; may be unknown. `None` when it goes away.
    pub after: Option<Value>,
}

impl OutputChange {
    /// Whether state would have the same afterwards: a null is kept nowhere.
    pub fn is_noop(&self) -> bool {
        match (&self.before, &self.after) {
            (None, Some(after)) => after.is_null(),
            (before, after) => before == after,
        }
    }
}

impl Plan {
    /// How many operations it has.
    pub fn operations(&self) -> usize {
        self.nodes.iter().filter(|n| n.op != Op::Join).count()
    }

    /// Whether applying it would do or record nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
            && self.deposed.is_empty()
            && self.outputs.values().all(OutputChange::is_noop)
            && self
                .changes
                .values()
                .all(|c| c.moved_from.is_none() && c.import.is_none())
    }
}
