//! The difference between what is and what shall be, as data.

use crate::{
    address::{Address, ProviderRef},
    path::Path,
    value::{Known, Value},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What will be done to one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which instance.
    pub address: Address,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The value in state (after refresh); `None` before creation.
    pub before: Option<Known>,
    /// The planned value; `None` after deletion. May hold unknowns.
    pub after: Option<Value>,
    /// The provider configuration that carries it out.
    pub provider: ProviderRef,
    /// The provider's opaque data of the plan, handed to apply.
    pub private: Vec<u8>,
    /// Changes with the same key at the same depth of the graph go to the provider in one call
    /// (one round trip for one host).
    pub batch: Option<String>,
    /// The address it has in state where a `moved` block (or a `count` that came or went) gave it
    /// this one. Applying the plan records the move, whatever the action.
    pub moved_from: Option<Address>,
    /// The id it is imported by: it is not in state, and `before` is what the provider found.
    pub import: Option<String>,
}

/// What is done to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is made.
    Create,
    /// It is read at apply (a data source whose inputs were not known at plan).
    Read,
    /// It is changed in place.
    Update,
    /// It is deleted and made again, in that order.
    Replace(ReplaceOrder),
    /// It is deleted.
    Delete,
    /// It leaves state and stays in the world.
    Forget,
}

/// Which comes first when an object is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReplaceOrder {
    /// The old one goes, then the new one is made.
    DeleteFirst,
    /// The new one is made, then the old one goes (`create_before_destroy`).
    CreateFirst,
}

/// Why something is done. The words are the renderer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is nothing to do.
    UpToDate,
    /// It is in the configuration and not in state.
    New,
    /// The configuration asks for other values.
    ConfigChanged,
    /// The object was changed, or vanished, outside of weir.
    Drifted,
    /// These attributes can't change in place.
    CannotUpdate(Vec<Path>),
    /// An earlier run left it half made.
    Tainted,
    /// The user asked with `-replace`. These attributes can't change in place besides.
    Requested(Vec<Path>),
    /// It is in state and no longer in the configuration.
    NotInConfig(Orphan),
    /// `destroy` was asked for.
    Destroying,
    /// Its inputs are known only at apply.
    UnknownInputs,
    /// It reads what something else is about to change.
    PendingDependency,
    /// It belongs to a `check` block, which is evaluated again at apply.
    CheckNested,
    /// What its `replace_triggered_by` names is about to change. These attributes can't change in
    /// place besides.
    Triggered(Vec<Reference>, Vec<Path>),
}

impl Reason {
    /// The attributes that change and can't do so in place.
    pub fn forced(&self) -> &[Path] {
        match self {
            Reason::CannotUpdate(paths)
            | Reason::Requested(paths)
            | Reason::Triggered(_, paths) => paths,
            _ => &[],
        }
    }
}

/// An instance, or all of a block, or something in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The instance or block.
    pub address: Address,
    /// What of it; empty for all.
    pub path: Path,
}

/// What of the configuration went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphan {
    /// The block.
    Block,
    /// This instance of it: `count` or `for_each` shrank.
    Instance,
    /// This instance of it: its key is not of the kind that the block's `count`, `for_each` or
    /// their absence makes.
    Repetition,
    /// The module it lay in.
    Module,
    /// The block, by a `removed` block.
    Removed,
    /// The block that a `moved` block names as its new place.
    MoveTarget,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.to_string();
        let dot = if path.is_empty() || path.starts_with('[') {
            ""
        } else {
            "."
        };
        write!(f, "{}{dot}{path}", self.address)
    }
}

impl Action {
    /// Whether anything is done.
    pub fn is_noop(self) -> bool {
        self == Action::NoOp
    }
}
