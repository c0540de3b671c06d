//! The nodes at run time: what is evaluated, what waits for what, what was made from what.

use crate::{
    config::{ModuleId, NodeIx},
    eval::NodeId,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::{Arc, OnceLock},
};
use weir_core::{Key, ModulePath, Value};

/// An instance of a module: its place in [`Graph::modules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InstId(pub(super) usize);

/// Nodes of instances that a value stands on: single ones, or all of a block.
pub(crate) type Deps = Arc<BTreeSet<NodeId>>;

/// An instance of a module.
pub(super) struct ModuleInstance {
    pub(super) module: ModuleId,
    pub(super) path: ModulePath,
    /// Where it is called, and which instance of the call it is.
    pub(super) parent: Option<(InstId, usize)>,
    /// The node of its module's first node.
    base: u32,
    /// What everything in it depends on, as its call does.
    pub(super) deps: Deps,
}

impl ModuleInstance {
    /// The node at run time of a node of the configuration.
    pub(super) fn id(&self, ix: NodeIx) -> NodeId {
        // `Graph::add_module` has checked that they all fit.
        NodeId(self.base + ix.0 as u32)
    }
}

/// A node at run time.
pub(super) struct Entity {
    pub(super) inst: InstId,
    pub(super) ix: NodeIx,
    pub(super) role: Role,
    pub(super) state: State,
    /// The instances of the block, once it is known how many there are.
    pub(super) expansion: Option<Arc<Expansion>>,
    /// What is evaluated again when this has a value.
    pub(super) waiters: Vec<NodeId>,
    /// Values that were made from this one.
    pub(super) readers: BTreeSet<NodeId>,
    /// Whether it was handed to the caller, whatever became of it.
    pub(super) yielded: bool,
    queued: bool,
}

/// What a node at run time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A node of the configuration in one module instance.
    Node,
    /// One instance of a block.
    Instance(usize),
    /// All instances of a block together.
    All,
}

/// How far a node is.
pub(super) enum State {
    /// It waits for its turn, or for others.
    Pending,
    /// It has a value that is out of date; it is evaluated again when somebody asks.
    Stale,
    /// It, or what it needs, is in error.
    Failed,
    /// It has a value, or its instances are known.
    Ready(Memo),
    /// An instance that was handed to the caller.
    Yielded,
    /// An instance whose value the caller has supplied.
    Supplied(Value),
    /// All instances of a block: so many have no value yet.
    Collecting(usize),
    /// All instances of a block: each has a value. Their common value is made when asked for.
    Complete(OnceLock<Value>),
}

/// A value, and what it stands on.
#[derive(Clone)]
pub(super) struct Memo {
    pub(super) value: Value,
    pub(super) deps: Deps,
}

/// The instances of a block.
#[derive(Clone)]
pub(super) struct Expansion {
    pub(super) mode: Mode,
    pub(super) keys: Vec<Key>,
    /// `each.value`, for `for_each`.
    pub(super) values: Vec<Value>,
    /// Where each key stands, of [`FEW`] or more: those of most blocks are looked through.
    index: BTreeMap<Key, usize>,
    /// The node of the first instance; of a module call there is none.
    first: u32,
    /// The node of all instances together.
    pub(super) all: NodeId,
    /// What the number of instances stands on, and `depends_on`.
    pub(super) deps: Deps,
    /// The module instances, of a call.
    pub(super) children: Vec<InstId>,
}

/// How a block says how many instances it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It does not: there is one.
    Once,
    /// `count`
    Count,
    /// `for_each`, or hosts and pods by name.
    Each,
}

impl Expansion {
    /// Whether it is open how many instances there are, as it may be in a check: one without a
    /// key stands for all there may be.
    pub(super) fn is_open(&self) -> bool {
        self.mode != Mode::Once && self.keys == [Key::None]
    }
    /// The instance with this key.
    pub(super) fn position(&self, key: &Key) -> Option<usize> {
        match self.is_open() {
            true => Some(0),
            false if self.keys.len() < FEW => self.keys.iter().position(|k| k == key),
            false => self.index.get(key).copied(),
        }
    }
    /// The node of an instance.
    pub(super) fn instance(&self, position: usize) -> NodeId {
        NodeId(self.first + position as u32)
    }
    pub(super) fn instances(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.keys.len()).map(|i| self.instance(i))
    }
}

/// So many keys are worth an index.
const FEW: usize = 8;

fn index(keys: &[Key]) -> BTreeMap<Key, usize> {
    match keys.len() < FEW {
        true => BTreeMap::new(),
        false => keys.iter().cloned().zip(0..).collect(),
    }
}

/// What a block expands to.
pub(super) struct Instances {
    pub(super) mode: Mode,
    pub(super) keys: Vec<Key>,
    pub(super) values: Vec<Value>,
    pub(super) deps: Deps,
}

/// All nodes.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) modules: Vec<ModuleInstance>,
    entities: Vec<Entity>,
    /// Nodes to evaluate, by rank; each once.
    queue: BinaryHeap<Reverse<(u32, NodeId)>>,
    /// Instances that were yielded and have no value yet, and services without a place.
    pub(super) outstanding: usize,
}

impl Graph {
    pub(super) fn get(&self, id: NodeId) -> &Entity {
        &self.entities[id.0 as usize]
    }
    pub(super) fn get_mut(&mut self, id: NodeId) -> &mut Entity {
        &mut self.entities[id.0 as usize]
    }
    pub(super) fn is_failed(&self, id: NodeId) -> bool {
        matches!(self.get(id).state, State::Failed)
    }
    pub(super) fn module(&self, inst: InstId) -> &ModuleInstance {
        &self.modules[inst.0]
    }

    fn add(&mut self, inst: InstId, ix: NodeIx, role: Role, state: State) -> NodeId {
        let id = u32::try_from(self.entities.len()).expect("4 billion nodes do not fit in memory");
        self.entities.push(Entity {
            inst,
            ix,
            role,
            state,
            expansion: None,
            waiters: Vec::new(),
            readers: BTreeSet::new(),
            yielded: false,
            queued: false,
        });
        NodeId(id)
    }

    /// A new instance of a module, with nodes for all that stands in it.
    pub(super) fn add_module(
        &mut self,
        module: ModuleId,
        path: ModulePath,
        parent: Option<(InstId, usize)>,
        nodes: usize,
        deps: Deps,
    ) -> InstId {
        let inst = InstId(self.modules.len());
        // A block without `count` and `for_each`, as most are, will have two more nodes: its one
        // instance, and all instances together.
        self.entities.reserve(3 * nodes);
        let mut base = None;
        for ix in 0..nodes {
            let id = self.add(inst, NodeIx(ix), Role::Node, State::Pending);
            base.get_or_insert(id.0);
        }
        self.modules.push(ModuleInstance {
            module,
            path,
            parent,
            base: base.unwrap_or(0),
            deps,
        });
        inst
    }

    /// The instances of a block, each pending.
    pub(super) fn expand(&mut self, id: NodeId, instances: Instances) -> Arc<Expansion> {
        let (inst, ix) = (self.get(id).inst, self.get(id).ix);
        let count = instances.keys.len();
        let first = u32::try_from(self.entities.len()).unwrap_or(u32::MAX);
        for i in 0..count {
            self.add(inst, ix, Role::Instance(i), State::Pending);
        }
        let state = if count == 0 {
            State::Complete(OnceLock::new())
        } else {
            State::Collecting(count)
        };
        let all = self.add(inst, ix, Role::All, state);
        let index = index(&instances.keys);
        let expansion = Arc::new(Expansion {
            mode: instances.mode,
            keys: instances.keys,
            values: instances.values,
            index,
            first,
            all,
            deps: instances.deps,
            children: Vec::new(),
        });
        self.get_mut(id).expansion = Some(expansion.clone());
        expansion
    }

    /// Other values for the instances of a block that has its instances already. Which instances
    /// there are is never changed: where the keys are others, nothing is.
    pub(super) fn renew(&mut self, id: NodeId, keys: &[Key], values: Vec<Value>) {
        if let Some(x) = &mut self.get_mut(id).expansion
            && x.keys == keys
        {
            Arc::make_mut(x).values = values;
        }
    }

    /// The module instances of a call, which have nodes of their own.
    pub(super) fn set_children(&mut self, id: NodeId, instances: Instances, children: Vec<InstId>) {
        let index = index(&instances.keys);
        self.get_mut(id).expansion = Some(Arc::new(Expansion {
            mode: instances.mode,
            keys: instances.keys,
            values: instances.values,
            index,
            first: 0,
            all: id,
            deps: instances.deps,
            children,
        }));
    }

    /// Puts a node in line.
    pub(super) fn enqueue(&mut self, rank: u32, id: NodeId) {
        if !std::mem::replace(&mut self.get_mut(id).queued, true) {
            self.queue.push(Reverse((rank, id)));
        }
    }

    /// The next node in line.
    pub(super) fn pop(&mut self) -> Option<NodeId> {
        let Reverse((_, id)) = self.queue.pop()?;
        self.get_mut(id).queued = false;
        Some(id)
    }

    /// Forgets what was made from a node's value.
    pub(super) fn invalidate(&mut self, id: NodeId) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            for reader in std::mem::take(&mut self.get_mut(id).readers) {
                let entity = self.get_mut(reader);
                if matches!(entity.state, State::Ready(_)) {
                    entity.state = State::Stale;
                    todo.push(reader);
                }
            }
        }
    }

    /// Nodes whose value is out of date.
    pub(super) fn stale(&self) -> Vec<NodeId> {
        (0..)
            .zip(&self.entities)
            .filter(|(_, e)| matches!(e.state, State::Stale))
            .map(|(i, _)| NodeId(i))
            .collect()
    }
}
