//! Instances that are not there and that nothing of this run makes: a part of the configuration is
//! planned, or what is there is brought up to date and no more.
//!
//! All instances of a block together are those that are there, as Terraform has them from state.
//! One that is asked for by its key is not known. What can't be evaluated for that is not known
//! either: nobody asked for it.

use super::{
    Evaluator,
    frame::Frame,
    graph::{Expansion, Mode, State},
};
use crate::eval::NodeId;
use weir_core::{Address, Key, Type, Value};

impl Evaluator {
    /// An instance that was yielded is not there, and is not made. As [`Evaluator::supply`] does, it
    /// replaces what was supplied before.
    pub fn leave_out(&mut self, address: &Address) {
        let Some(id) = self.yielded(address) else {
            return;
        };
        let is_new = self.absent.insert(id);
        let schema = self.schemas.resource(address.object.type_name());
        let ty = schema.map_or(Type::Dynamic, |s| s.block.ty().required());
        self.give(id, address, Value::unknown(ty), is_new);
    }

    /// The common value of a block's instances that each have a value.
    pub(super) fn together(&self, x: &Expansion) -> Value {
        let value_of = |id: NodeId| match &self.graph.get(id).state {
            State::Supplied(value) => value.clone(),
            // Complete says that every instance has a value.
            _ => Value::unknown(Type::Dynamic),
        };
        let is_there = |id: &NodeId| !self.absent.contains(id);
        match x.mode {
            _ if x.is_open() => Value::unknown(Type::Dynamic),
            Mode::Each => {
                let all = x.keys.iter().zip(x.instances());
                let there = all.filter(|(_, id)| is_there(id));
                Value::object(there.map(|(key, id)| match key {
                    Key::Name(key) => (key.as_str(), value_of(id)),
                    _ => ("", value_of(id)),
                }))
            }
            _ if self.absent.is_empty() => Value::tuple(x.instances().map(value_of).collect()),
            _ => {
                // Up to the last that is there, with gaps.
                let all: Vec<NodeId> = x.instances().collect();
                let end = all.iter().rposition(is_there).map_or(0, |last| last + 1);
                Value::tuple(all[..end].iter().copied().map(value_of).collect())
            }
        }
    }
}

impl Frame<'_> {
    /// Whether what was looked up so far is not whole for an instance that is not there.
    pub(super) fn misses_some(&self) -> bool {
        let absent = &self.ev.absent;
        if absent.is_empty() {
            return false;
        }
        let reads = self.reads.borrow();
        let mut on = reads.deps.iter();
        on.any(|id| absent.contains(id) || absent.iter().any(|a| self.ev.all_of(*a) == Some(*id)))
    }
}
