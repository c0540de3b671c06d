//! The invariants of a snapshot.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Known, Value,
    snapshot::{Lineage, Removal, Resource, Snapshot, SnapshotError, Status},
};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn snapshot(edges: &[(&str, &[&str])]) -> Snapshot {
    let mut snapshot = Snapshot::empty(Lineage("l".into()));
    for (name, dependencies) in edges {
        let resource = Resource {
            provider: "fake".parse().unwrap(),
            schema_version: 0,
            value: Known::new(Value::null()).unwrap(),
            private: vec![],
            dependencies: dependencies
                .iter()
                .map(|d| address(d))
                .collect::<BTreeSet<_>>(),
            status: Status::Ready,
            removal: Removal::default(),
            foreign: None,
        };
        snapshot.resources.insert(address(name), resource);
    }
    snapshot
}

#[test]
fn a_whole_snapshot_verifies() {
    let whole = snapshot(&[("a.a", &["a.b", "a.c"]), ("a.b", &["a.c"]), ("a.c", &[])]);
    assert_eq!(whole.verify(), Ok(()));
}

#[test]
fn a_dependency_that_is_not_there_is_told() {
    assert_eq!(
        snapshot(&[("a.a", &["a.b"])]).verify(),
        Err(SnapshotError::DanglingDependency(
            address("a.a"),
            address("a.b")
        ))
    );
}

#[test]
fn a_loop_is_told() {
    for edges in [
        &[("a.a", &["a.a"][..])][..],
        &[
            ("a.a", &["a.b"][..]),
            ("a.b", &["a.c"][..]),
            ("a.c", &["a.a"][..]),
        ][..],
    ] {
        assert!(matches!(
            snapshot(edges).verify(),
            Err(SnapshotError::Cycle(..))
        ));
    }
}

#[test]
fn a_long_chain_needs_no_stack() {
    let names: Vec<String> = (0..50_000).map(|i| format!("a.n{i}")).collect();
    let previous: Vec<Vec<&str>> = (0..names.len())
        .map(|i| names[..i].last().map(String::as_str).into_iter().collect())
        .collect();
    let edges: Vec<(&str, &[&str])> = names
        .iter()
        .zip(&previous)
        .map(|(n, p)| (n.as_str(), p.as_slice()))
        .collect();
    assert_eq!(snapshot(&edges).verify(), Ok(()));
}

#[test]
fn a_pod_without_a_key_is_told() {
    let s = snapshot(&[("service.web.pod.app", &[])]);
    assert!(matches!(s.verify(), Err(SnapshotError::NoKey(_))));
}

/// Of every state of three instances in two blocks, with every set of dependencies.
#[test]
fn loops_are_told_and_nothing_else_is() {
    let instances = ["a.x[0]", "a.x[1]", "b.y"];
    let targets: [(&str, &[usize]); 4] = [
        ("a.x", &[0, 1]),
        ("a.x[0]", &[0]),
        ("a.x[1]", &[1]),
        ("b.y", &[2]),
    ];
    for sets in 0_u32..16 * 16 * 16 {
        let of = |i: usize| (sets >> (4 * i)) & 0xf;
        let chosen = |i: usize| {
            let all = targets.iter().enumerate();
            all.filter_map(move |(n, t)| (of(i) >> n & 1 == 1).then_some(t))
        };
        let names: Vec<Vec<&str>> = (0..3).map(|i| chosen(i).map(|t| t.0).collect()).collect();
        let edges: Vec<(&str, &[&str])> = (0..3).map(|i| (instances[i], &*names[i])).collect();
        // What is reached from each, until nothing more is.
        let mut reached = [[false; 3]; 3];
        for _ in 0..3 {
            for i in 0..3 {
                for &next in chosen(i).flat_map(|t| t.1) {
                    let beyond = reached[next];
                    reached[i][next] = true;
                    (0..3).for_each(|k| reached[i][k] |= beyond[k]);
                }
            }
        }
        let has_loop = (0..3).any(|i| reached[i][i]);
        let told = matches!(snapshot(&edges).verify(), Err(SnapshotError::Cycle(..)));
        assert_eq!(told, has_loop, "{edges:?}");
        let mut settled = snapshot(&edges);
        settled.settle_edges(&BTreeMap::new());
        assert_eq!(settled.verify(), Ok(()), "{edges:?}");
    }
}
