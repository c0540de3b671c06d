//! What the blocks behind objects refer to, as it was when each object was last recorded: the
//! `depends_on` of a state's documents.
//!
//! Objects themselves remember their direct dependencies alone. Documents list every block that is
//! behind one, however far, blocks without instances included, and Terraform stores that list with
//! each instance. Here the configuration's references are kept once, as a graph of blocks, and the
//! list is worked out where it is asked for. What an object's list comes from follows Terraform:
//!
//! - an object that an apply wrote, or found to be as it should, depends on what its block refers
//!   to then ([`Standing::Settled`]);
//! - one that was looked at and not brought to where it should be, as something failed or the run
//!   only refreshed, depends on that too, beside what it depended on before ([`Standing::Seen`]);
//! - one that was left out (targets, an orphan, no refresh) stays as it was ([`Standing::Left`]).
//!
//! Nearly every object is at the latest graph, and only the others are told by name.

use crate::{Address, snapshot::DeposedKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What blocks refer to, by their addresses without keys: blocks, and what lies between them
/// (`module.m.local.x`). What refers to nothing that leads to a block is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockGraph(pub BTreeMap<String, BTreeSet<Referred>>);

/// What is referred to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Referred {
    /// A block that state can have objects of, or a data source.
    Block(String),
    /// Something on the way to one.
    Way(String),
}

impl Referred {
    /// The name it goes by in the graph.
    pub fn name(&self) -> &str {
        match self {
            Referred::Block(name) | Referred::Way(name) => name,
        }
    }
}

impl BlockGraph {
    /// The blocks behind one, itself left out.
    fn behind<'a>(&'a self, block: &str, found: &mut BTreeSet<&'a str>) {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<&Referred> = self.0.get(block).into_iter().flatten().collect();
        while let Some(next) = todo.pop() {
            if !seen.insert(next.name()) {
                continue;
            }
            if let Referred::Block(name) = next
                && name != block
            {
                found.insert(name);
            }
            todo.extend(self.0.get(next.name()).into_iter().flatten());
        }
    }

    /// All from which something is reached that refers to something else in the other graph.
    fn differing<'a>(&'a self, other: &'a BlockGraph) -> BTreeSet<&'a str> {
        let names = self.0.keys().chain(other.0.keys()).map(String::as_str);
        let changed = names.filter(|name| self.0.get(*name) != other.0.get(*name));
        let mut todo: Vec<&str> = changed.collect();
        if todo.is_empty() {
            return BTreeSet::new();
        }
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, used) in self.0.iter().chain(&other.0) {
            for used in used {
                users.entry(used.name()).or_default().push(name);
            }
        }
        let mut found = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if found.insert(name) {
                todo.extend(users.get(name).into_iter().flatten());
            }
        }
        found
    }
}

/// An object: the current one of an instance, or one put aside.
pub type Place = (Address, Option<DeposedKey>);

/// How a run leaves an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As the configuration wants it.
    Settled,
    /// Looked at, with something left to do.
    Seen,
    /// Not touched.
    Left,
}

/// An object of a state, as a run leaves it.
#[derive(Debug, Clone)]
pub struct Object {
    /// Where it is.
    pub place: Place,
    /// Where it was before the run; `None` where it was in no state.
    pub before: Option<Place>,
    /// How it is left.
    pub standing: Standing,
}

impl Object {
    /// The current object of an instance that stays where it is.
    pub fn current(address: &Address, standing: Standing) -> Object {
        let place = (address.clone(), None);
        Object {
            before: Some(place.clone()),
            place,
            standing,
        }
    }

    /// An object that is left where it is.
    pub fn left(place: Place) -> Object {
        Object {
            before: Some(place.clone()),
            place,
            standing: Standing::Left,
        }
    }
}

/// Where the list of an object comes from: a graph, and what its block was called in it.
type Source = (usize, String);

/// The references of a state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// Graphs that lists come from. The last one is the latest.
    graphs: Vec<BlockGraph>,
    /// The objects whose list comes from elsewhere than the latest graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kept: Vec<Kept>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    place: Place,
    from: BTreeSet<Source>,
}

impl References {
    /// Those of a state that comes with the list of each instance, as Terraform's files do: blocks
    /// by their addresses, all that is behind. What the lists of its instances name together is the
    /// graph of a block; an instance of which that would say something else keeps its own.
    pub fn of_lists(lists: &BTreeMap<Address, BTreeSet<String>>) -> References {
        let mut graph = BlockGraph::default();
        for (address, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            let of_block = graph.0.entry(address.written().to_string()).or_default();
            of_block.extend(list.iter().cloned().map(Referred::Block));
        }
        // What blocks are behind them stands in the lists: there they lead no further.
        let mut own = BlockGraph::default();
        let mut kept = Vec::new();
        for (address, list) in lists {
            let mut found = BTreeSet::new();
            graph.behind(&address.written().to_string(), &mut found);
            if found.iter().copied().eq(list.iter().map(String::as_str)) {
                continue;
            }
            // No block is called so.
            let name = format!("instance {address}");
            let from = match list.is_empty() {
                true => BTreeSet::new(),
                false => BTreeSet::from([(0, name.clone())]),
            };
            let place = (address.clone(), None);
            kept.push(Kept { place, from });
            let referred = list.iter().cloned().map(Referred::Block);
            own.0.insert(name, referred.collect());
        }
        if graph.0.is_empty() {
            return References::default();
        }
        kept.sort_by(|a, b| a.place.cmp(&b.place));
        References {
            graphs: vec![own, graph],
            kept,
        }
        .without_old_graphs()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.graphs.is_empty()
    }

    /// The addresses of the blocks behind an object, in order.
    pub fn behind(&self, place: &Place) -> Vec<String> {
        let mut found = BTreeSet::new();
        for (graph, block) in self.sources(place) {
            if let Some(graph) = self.graphs.get(graph) {
                graph.behind(&block, &mut found);
            }
        }
        found.into_iter().map(str::to_owned).collect()
    }

    fn sources(&self, place: &Place) -> BTreeSet<Source> {
        match self.kept.binary_search_by(|k| k.place.cmp(place)) {
            Ok(at) => self.kept[at].from.clone(),
            Err(_) => (self.graphs.len().checked_sub(1))
                .map(|last| (last, place.0.written().to_string()))
                .into_iter()
                .collect(),
        }
    }

    /// Whether they stay as they are in a run of this graph that leaves every object where it was,
    /// and is not without objects.
    pub fn stay(&self, graph: &BlockGraph) -> bool {
        self.kept.is_empty() && self.graphs.last() == Some(graph)
    }

    /// The references once a run has left these objects; others are gone. Each was at its `before`.
    /// `graph` is of the configuration the run went by; `None` for one that goes by none.
    pub fn after(&self, graph: Option<BlockGraph>, objects: Vec<Object>) -> References {
        if objects.is_empty() {
            return References::default();
        }
        let same = graph.is_none() || graph.as_ref() == self.graphs.last();
        let stays =
            |o: &Object| o.standing == Standing::Settled || o.before.as_ref() == Some(&o.place);
        if same && self.kept.is_empty() && objects.iter().all(stays) {
            return self.clone();
        }
        let mut graphs = self.graphs.clone();
        if let Some(graph) = graph.filter(|_| !same) {
            graphs.push(graph);
        }
        let Some(latest) = graphs.len().checked_sub(1) else {
            return References::default();
        };
        let mut since = Since {
            graphs: &graphs,
            latest,
            differing: BTreeMap::new(),
        };
        let mut kept = Vec::new();
        for object in objects {
            let now = (latest, object.place.0.written().to_string());
            let mut from = match object.standing {
                Standing::Settled => continue,
                Standing::Seen | Standing::Left => {
                    let before = object.before.as_ref();
                    before.map_or_else(BTreeSet::new, |place| self.sources(place))
                }
            };
            if object.standing == Standing::Seen {
                from.insert(now.clone());
            }
            let from = since.short(from);
            if from != since.short(BTreeSet::from([now])) {
                let place = object.place;
                kept.push(Kept { place, from });
            }
        }
        kept.sort_by(|a, b| a.place.cmp(&b.place));
        References { graphs, kept }.without_old_graphs()
    }

    /// These, with what `ours` says of some objects: two runs recorded at the same time. The latest
    /// graph stays the latest.
    pub fn with(&self, ours: &References, places: impl IntoIterator<Item = Place>) -> References {
        if self.is_empty() || self == ours {
            return ours.clone();
        }
        let graphs = ours.graphs.iter().chain(&self.graphs).cloned();
        let after = ours.graphs.len();
        let theirs = self.kept.iter().map(|one| {
            let from = one.from.iter();
            let from = from.map(|(graph, block)| (graph + after, block.clone()));
            (one.place.clone(), from.collect())
        });
        let mut kept: BTreeMap<Place, BTreeSet<Source>> = theirs.collect();
        for place in places {
            let from = ours.sources(&place);
            kept.insert(place, from);
        }
        let kept = kept.into_iter();
        References {
            graphs: graphs.collect(),
            kept: kept.map(|(place, from)| Kept { place, from }).collect(),
        }
        .without_old_graphs()
    }

    /// Leaves out the graphs that no list comes from any more.
    fn without_old_graphs(self) -> References {
        let References { graphs, mut kept } = self;
        let used: BTreeSet<usize> = (kept.iter().flat_map(|k| &k.from))
            .map(|(graph, _)| *graph)
            .chain(graphs.len().checked_sub(1))
            .collect();
        let number: BTreeMap<usize, usize> = used.iter().copied().zip(0..).collect();
        for one in &mut kept {
            let from = std::mem::take(&mut one.from);
            let renumbered = from.into_iter();
            one.from = renumbered
                .filter_map(|(graph, block)| Some((*number.get(&graph)?, block)))
                .collect();
        }
        let graphs = graphs.into_iter().enumerate();
        let graphs = graphs.filter(|(at, _)| used.contains(at));
        References {
            graphs: graphs.map(|(_, graph)| graph).collect(),
            kept,
        }
    }
}

/// What differs between the latest graph and each before it, worked out once.
struct Since<'a> {
    graphs: &'a [BlockGraph],
    latest: usize,
    differing: BTreeMap<usize, BTreeSet<&'a str>>,
}

impl Since<'_> {
    /// Sources that say the same, from the latest graph where it does; none that adds nothing.
    fn short(&mut self, from: BTreeSet<Source>) -> BTreeSet<Source> {
        let (graphs, latest) = (self.graphs, self.latest);
        let at_latest = from.into_iter().map(|(graph, block)| {
            let differing = self.differing.entry(graph);
            let differing = differing.or_insert_with(|| graphs[graph].differing(&graphs[latest]));
            match differing.contains(block.as_str()) {
                true => (graph, block),
                false => (latest, block),
            }
        });
        let says_something = |(graph, block): &Source| graphs[*graph].0.contains_key(block);
        at_latest.filter(says_something).collect()
    }
}
