//! What a lease covers: the whole state, or a part of it.
//!
//! Leases on parts may be held at the same time as long as nobody changes what another changes or
//! depends on. Two that only read the same do not meet.

use std::{collections::BTreeSet, fmt};
use weir_core::{
    Address,
    address::{Key, members_of},
};

/// What a lease covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything, what is not there yet as well.
    Whole,
    /// Some of it.
    Part(Part),
}

/// Some of a state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// What the holder changes. A write to anything else is refused.
    pub owned: Items,
    /// What that depends on: it must not change meanwhile.
    pub read: Items,
}

/// Things that a state holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// Instances; an address without a key is all instances of its block too.
    pub instances: BTreeSet<Address>,
    /// Outputs of the root module, by name.
    pub outputs: BTreeSet<String>,
}

/// One thing that a state holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An instance, or all of a block.
    Instance(Address),
    /// An output of the root module.
    Output(String),
}

impl Scope {
    /// Whether the holder may change this.
    pub fn owns(&self, address: &Address) -> bool {
        match self {
            Scope::Whole => true,
            Scope::Part(part) => part.owned.covers(address),
        }
    }

    /// Whether the holder may change this output.
    pub fn owns_output(&self, name: &str) -> bool {
        match self {
            Scope::Whole => true,
            Scope::Part(part) => part.owned.outputs.contains(name),
        }
    }

    /// Whether all that `other` needs is in it: who has this needs no lease of that.
    pub fn holds(&self, other: &Scope) -> bool {
        match (self, other) {
            (Scope::Whole, _) => true,
            (Scope::Part(_), Scope::Whole) => false,
            (Scope::Part(mine), Scope::Part(other)) => {
                let owns = |item: &Item| mine.owned.has(item);
                let knows = |item: &Item| mine.owned.has(item) || mine.read.has(item);
                other.owned.iter().all(|i| owns(&i)) && other.read.iter().all(|i| knows(&i))
            }
        }
    }

    /// Whether the two can't be held at the same time, and over what.
    pub fn meets(&self, other: &Scope) -> Option<Overlap> {
        let (mine, theirs) = match (self, other) {
            (Scope::Part(mine), Scope::Part(theirs)) => (mine, theirs),
            _ => return Some(Overlap { over: None }),
        };
        let pairs = [
            (&mine.owned, &theirs.owned),
            (&mine.owned, &theirs.read),
            (&mine.read, &theirs.owned),
        ];
        let over = pairs.into_iter().find_map(|(a, b)| a.shared(b))?;
        Some(Overlap { over: Some(over) })
    }
}

/// That two scopes meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The first thing that both need; `None` where one of them needs everything.
    pub over: Option<Item>,
}

impl Items {
    /// Whether it holds this instance, or the block of it.
    pub fn covers(&self, address: &Address) -> bool {
        self.instances.contains(address)
            || (address.key != Key::None && self.instances.contains(&address.block()))
    }

    fn has(&self, item: &Item) -> bool {
        match item {
            Item::Instance(address) => self.covers(address),
            Item::Output(name) => self.outputs.contains(name),
        }
    }

    /// Something that both hold.
    fn shared(&self, other: &Items) -> Option<Item> {
        let (few, many) = match self.instances.len() <= other.instances.len() {
            true => (self, other),
            false => (other, self),
        };
        for address in &few.instances {
            if many.covers(address) {
                return Some(Item::Instance(address.clone()));
            }
            // Of a block as a whole, the other may hold instances.
            if let Some(one) = members_of(&many.instances, address).next() {
                return Some(Item::Instance(one.clone()));
            }
        }
        let output = self.outputs.intersection(&other.outputs).next()?;
        Some(Item::Output(output.clone()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.instances.len() + self.outputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each of them, instances first.
    pub fn iter(&self) -> impl Iterator<Item = Item> {
        let outputs = self.outputs.iter().cloned().map(Item::Output);
        let instances = self.instances.iter().cloned();
        instances.map(Item::Instance).chain(outputs)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Instance(address) => address.fmt(f),
            Item::Output(name) => write!(f, "output.{name}"),
        }
    }
}
