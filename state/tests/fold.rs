//! Dependencies that can't stand in a snapshot, at random.

use std::collections::BTreeMap;
use weir_core::{
    Address,
    snapshot::{Lineage, Serial, Snapshot},
};
use weir_state::{
    conformance::{address, resource},
    fold::settle_edges,
};

/// A snapshot with these edges, `from` recorded at serial `from`.
fn snapshot(nodes: usize, edges: &[(usize, usize)]) -> (Snapshot, BTreeMap<Address, Serial>) {
    let name = |i: usize| address(&format!("a.n[{i}]"));
    let mut snapshot = Snapshot::empty(Lineage("l".into()));
    let mut recorded = BTreeMap::new();
    for i in 0..nodes {
        let mut node = resource("x", &[]);
        node.dependencies = edges
            .iter()
            .filter(|(from, _)| *from == i)
            .map(|(_, to)| name(*to))
            .collect();
        recorded.insert(name(i), Serial(i as u64));
        snapshot.resources.insert(name(i), node);
    }
    (snapshot, recorded)
}

#[test]
fn whatever_the_edges_what_is_left_is_whole() {
    let mut seed = 1_usize;
    let mut next = |below: usize| {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        (seed >> 8) % below
    };
    for _ in 0..300 {
        let nodes = 1 + next(9);
        // Some point to nodes that are not there, some to themselves.
        let edges: Vec<_> = (0..next(25))
            .map(|_| (next(nodes), next(nodes + 2)))
            .collect();
        let (mut settled, recorded) = snapshot(nodes, &edges);
        settle_edges(&mut settled, &recorded);
        assert_eq!(settled.verify(), Ok(()), "{edges:?}");
        assert_eq!(settled.resources.len(), nodes);
        let again = settled.clone();
        settle_edges(&mut settled, &recorded);
        assert_eq!(settled, again, "settled is settled");
    }
}

#[test]
fn edges_that_can_stand_are_left_alone() {
    let edges: Vec<_> = (1..8).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let (whole, recorded) = snapshot(8, &edges);
    let mut settled = whole.clone();
    settle_edges(&mut settled, &recorded);
    assert_eq!(settled, whole);
}
