//! Parts of a configuration: some blocks with all they refer to as they are written, whether they
//! have instances or not. What targets go by.

use super::{Config, Module, ModuleId, Node, NodeIx, NodeKind, blocks::LocalProvider};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Key, ModulePath, Object,
    address::ProviderRef,
    references::{BlockGraph, Referred},
};

type Place = (ModuleId, NodeIx);

/// Blocks of a configuration and all they refer to, through whatever lies between them: variables,
/// the `count` of a module, the configuration of a provider. Nothing else is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    places: BTreeSet<Place>,
    blocks: BTreeSet<Address>,
    behind: BTreeSet<Address>,
    create_first: BTreeSet<Place>,
}

impl Part {
    /// All its blocks, by addresses without keys ([`Address::written`]).
    pub fn blocks(&self) -> &BTreeSet<Address> {
        &self.blocks
    }

    /// Those that another of its blocks refers to.
    pub fn behind(&self) -> &BTreeSet<Address> {
        &self.behind
    }

    /// Whether a node is evaluated.
    pub(crate) fn has(&self, place: Place) -> bool {
        self.places.contains(&place)
    }

    /// Whether a resource is made before its old one goes: `create_before_destroy` spreads from
    /// what is of the part alone.
    pub(crate) fn creates_first(&self, place: Place) -> bool {
        self.create_first.contains(&place)
    }
}

impl Config {
    /// The blocks that `named` takes, given their addresses without keys, with all they refer to;
    /// the provider blocks of `providers`, which objects are deleted with whose blocks are gone; and
    /// the outputs that `output` takes, given their names, the blocks they are made from, and the
    /// blocks there are so far.
    pub fn part(
        &self,
        named: impl Fn(&Address) -> bool,
        providers: &BTreeSet<ProviderRef>,
        output: impl Fn(&str, &BTreeSet<Address>, &BTreeSet<Address>) -> bool,
    ) -> Part {
        let (mut own, mut open) = (BTreeSet::new(), Vec::new());
        for (m, module) in self.modules.iter().enumerate() {
            for (n, node) in module.nodes.iter().enumerate() {
                let place = (ModuleId(m), NodeIx(n));
                // What is imported without configuration is named by nothing else.
                let stray =
                    matches!(&node.kind, NodeKind::Import(i) if !self.is_import_of_block(i));
                if stray || self.written(place).iter().any(&named) {
                    own.insert(place);
                    open.extend(&node.uses);
                }
                if let NodeKind::Provider(block) = &node.kind {
                    let LocalProvider { name, alias } = &block.provider;
                    let path = self.calls_to(module);
                    let is = |p: &ProviderRef| {
                        p.module == path
                            && p.name == *name
                            && p.alias.as_deref() == alias.as_deref()
                    };
                    if providers.iter().any(is) {
                        own.insert(place);
                        open.extend(&node.uses);
                    }
                }
            }
        }
        let mut places = self.closure(open);
        let behind = self.blocks_of(&places);
        places.extend(&own);
        let mut blocks = behind.clone();
        blocks.extend(self.blocks_of(&own));
        let root = &self.modules[0];
        let mut outputs = BTreeSet::new();
        for (name, ix) in &root.names.outputs {
            let uses = self.closure(root.node(*ix).uses.clone());
            if output(name, &self.blocks_of(&uses), &blocks) {
                outputs.insert((ModuleId(0), *ix));
                outputs.extend(uses);
            }
        }
        places.extend(outputs);
        let judged = self.validations_of(&places);
        places.extend(judged);
        Part {
            create_first: self.creating_first(&places),
            places,
            blocks,
            behind,
        }
    }

    /// The validations that come after their variable and refer to nothing but what is among
    /// `places`: nobody refers to them.
    fn validations_of(&self, places: &BTreeSet<Place>) -> Vec<Place> {
        let mut found = Vec::new();
        for (m, module) in self.modules.iter().enumerate() {
            for (n, node) in module.nodes.iter().enumerate() {
                let judges = matches!(node.kind, NodeKind::Validation(_));
                if judges && node.uses.iter().all(|used| places.contains(used)) {
                    found.push((ModuleId(m), NodeIx(n)));
                }
            }
        }
        found
    }

    /// The resources among `places` with `create_before_destroy`, and all they refer to.
    fn creating_first(&self, places: &BTreeSet<Place>) -> BTreeSet<Place> {
        let first = places.iter().copied().filter(|place| {
            matches!(&self.node_at(*place).kind, NodeKind::Resource(r)
                if r.lifecycle.create_before_destroy)
        });
        let mut all = self.closure(first.collect());
        all.retain(|place| self.node_at(*place).create_first);
        all
    }

    /// The blocks that an output of the root module is made from, by addresses without keys.
    pub fn blocks_of_output(&self, name: &str) -> BTreeSet<Address> {
        let root = &self.modules[0];
        match root.names.outputs.get(name) {
            Some(ix) => self.blocks_of(&self.closure(root.node(*ix).uses.clone())),
            None => BTreeSet::new(),
        }
    }

    /// Whether the block of an instance is there.
    pub fn has_block(&self, address: &Address) -> bool {
        self.block(&address.written().module, &address.object)
            .is_some()
    }

    /// What blocks refer to as they are written, whether they have instances or not.
    pub fn references(&self) -> BlockGraph {
        let mut users: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
        for (m, module) in self.modules.iter().enumerate() {
            for (n, node) in module.nodes.iter().enumerate() {
                for used in &node.uses {
                    let of = users.entry(*used).or_default();
                    of.push((ModuleId(m), NodeIx(n)));
                }
            }
        }
        // What refers to a block, however far away.
        let mut open: Vec<Place> = users.keys().copied().collect();
        open.retain(|place| self.stored(*place).is_some());
        let mut leading: BTreeSet<Place> = BTreeSet::new();
        while let Some(place) = open.pop() {
            for user in users.get(&place).into_iter().flatten() {
                if leading.insert(*user) {
                    open.push(*user);
                }
            }
        }
        let mut graph = BlockGraph::default();
        for place in &leading {
            let uses = self.node_at(*place).uses.iter().copied();
            let uses = uses.filter(|p| leading.contains(p) || self.stored(*p).is_some());
            // Blocks of one name, as `import` has, are one way.
            let name = self.referred(*place).name().to_owned();
            let entry = graph.0.entry(name).or_default();
            entry.extend(uses.map(|p| self.referred(p)));
        }
        graph
    }

    /// The block of a node that state can have objects of, or of data. State has nothing of what
    /// is opened for a run alone.
    fn stored(&self, place: Place) -> Option<Address> {
        (self.written(place)).filter(|b| !matches!(b.object, Object::Ephemeral { .. }))
    }

    fn referred(&self, place: Place) -> Referred {
        match self.stored(place) {
            Some(block) => Referred::Block(block.to_string()),
            None => Referred::Way(self.name_of(place)),
        }
    }

    /// A node that makes nothing, with its module.
    fn name_of(&self, (module, ix): Place) -> String {
        let (module, node) = (&self.modules[module.0], self.node_at((module, ix)));
        let title = match &node.kind {
            NodeKind::Validation(v) => format!("var.{}.validation", v.name),
            kind => kind.title(),
        };
        match module.path.is_empty() {
            true => title,
            false => format!("{}.{title}", module.path),
        }
    }

    fn is_import_of_block(&self, import: &super::blocks::ImportBlock) -> bool {
        let calls = import.to.modules.iter();
        let path = ModulePath(calls.map(|(n, _)| (n.as_ref().into(), Key::None)).collect());
        self.block(&path, &import.to.object).is_some()
    }

    fn closure(&self, mut open: Vec<Place>) -> BTreeSet<Place> {
        let mut seen: BTreeSet<Place> = BTreeSet::new();
        while let Some(place) = open.pop() {
            if seen.insert(place) {
                open.extend(&self.node_at(place).uses);
            }
        }
        seen
    }

    fn blocks_of(&self, places: &BTreeSet<Place>) -> BTreeSet<Address> {
        places.iter().flat_map(|p| self.written(*p)).collect()
    }

    fn node_at(&self, (module, ix): Place) -> &Node {
        self.modules[module.0].node(ix)
    }

    /// What a node makes, by the address of its block: nothing, for a local or a call.
    fn written(&self, place: Place) -> Option<Address> {
        let object = match &self.node_at(place).kind {
            NodeKind::Resource(r) => r.object.clone(),
            NodeKind::Site(s) => Object::Host {
                site: s.name.as_ref().into(),
            },
            NodeKind::Pods(s, p) => Object::Pod {
                service: s.name.as_ref().into(),
                pod: p.name.as_ref().into(),
            },
            _ => return None,
        };
        Some(Address {
            module: self.calls_to(&self.modules[place.0.0]),
            object,
            key: Key::None,
        })
    }

    /// The calls that lead to a module, from the root on.
    fn calls_to(&self, module: &Module) -> ModulePath {
        let mut calls = Vec::new();
        let mut at = module;
        while let Some((parent, call)) = at.parent {
            let caller = &self.modules[parent.0];
            if let NodeKind::Call(call, _) = &caller.node(call).kind {
                calls.push((call.name.as_ref().into(), Key::None));
            }
            at = caller;
        }
        calls.reverse();
        ModulePath(calls)
    }
}
