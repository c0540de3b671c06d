//! From an address to its node.

use super::{Evaluator, graph::InstId};
use crate::eval::NodeId;
use weir_core::Address;

/// Where the way to a block ends before the block.
pub(super) enum Lost {
    /// At a call whose instances are not known.
    AtOpenCall,
    /// At a name or a key that there is not.
    NotThere,
}

impl Evaluator {
    /// The node of the block that instances of an address come from.
    pub(super) fn block_at(&self, address: &Address) -> Result<NodeId, Lost> {
        let mut inst = InstId(0);
        for (name, key) in &address.module.0 {
            let calls = &self.module_of(inst).names.calls;
            let call = calls.get(name.as_str()).ok_or(Lost::NotThere)?;
            let call = self.graph.module(inst).id(*call);
            let Some(x) = self.graph.get(call).expansion.as_ref() else {
                return Err(Lost::AtOpenCall);
            };
            let child = x.position(key).and_then(|p| x.children.get(p));
            inst = *child.ok_or(Lost::NotThere)?;
        }
        let ix = self.module_of(inst).names.object(&address.object);
        let ix = ix.ok_or(Lost::NotThere)?;
        Ok(self.graph.module(inst).id(ix))
    }

    /// The node of an instance that was yielded.
    pub(super) fn yielded(&self, address: &Address) -> Option<NodeId> {
        let block = self.block_at(address).ok()?;
        let x = self.graph.get(block).expansion.as_ref()?;
        let position = x.position(&address.key)?;
        let id = x.instance(position);
        // One that stands for all there may be is found by any key, and has none.
        let is_it = x.keys.get(position) == Some(&address.key);
        (is_it && self.graph.get(id).yielded).then_some(id)
    }
}
