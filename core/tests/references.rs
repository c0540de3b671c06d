//! What is behind objects, as runs leave it.

use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    references::{BlockGraph, Object, References, Referred, Standing},
    snapshot::DeposedKey,
};

fn at(text: &str) -> Address {
    text.parse().expect("an address")
}

/// `a > b` says that `a` refers to `b`; a name with a `.` is a block.
fn graph(edges: &[&str]) -> BlockGraph {
    let mut graph = BlockGraph::default();
    for edge in edges {
        let (from, to) = edge.split_once(" > ").expect("an edge");
        let to = match to.contains('.') {
            true => Referred::Block(to.into()),
            false => Referred::Way(to.into()),
        };
        graph.0.entry(from.into()).or_default().insert(to);
    }
    graph
}

fn run(before: &References, edges: &[&str], left: &[(&str, Standing)]) -> References {
    let objects = left.iter().map(|(a, s)| Object::current(&at(a), *s));
    before.after(Some(graph(edges)), objects.collect())
}

fn behind(references: &References, address: &str) -> String {
    references.behind(&(at(address), None)).join(" ")
}

use Standing::{Left, Seen, Settled};

#[test]
fn all_that_is_behind_is_listed_whatever_lies_between() {
    let edges = ["t.a > way", "way > t.b", "t.b > t.c", "t.c > t.a"];
    let all = run(&References::default(), &edges, &[("t.a[0]", Settled)]);
    assert_eq!(behind(&all, "t.a[0]"), "t.b t.c");
    assert_eq!(behind(&all, "t.z"), "");
}

#[test]
fn how_an_object_is_left_says_what_is_behind_it() {
    let objects = |standing| [("t.a", standing), ("t.b", Settled), ("t.c", Settled)];
    let old = run(&References::default(), &["t.a > t.b"], &objects(Settled));
    let table = [(Settled, "t.c"), (Seen, "t.b t.c"), (Left, "t.b")];
    for (standing, expected) in table {
        let new = run(&old, &["t.a > t.c"], &objects(standing));
        assert_eq!(behind(&new, "t.a"), expected, "{standing:?}");
        // Left again, it stays so; settled, nothing of before is kept.
        let again = run(&new, &["t.a > t.c", "t.c > t.b"], &objects(Left));
        let kept = match standing {
            Left => "t.b",
            _ => expected,
        };
        assert_eq!(behind(&again, "t.a"), kept, "{standing:?} again");
        let settled = run(&again, &["t.a > t.c"], &objects(Settled));
        assert_eq!(
            settled,
            run(&References::default(), &["t.a > t.c"], &objects(Settled))
        );
    }
}

#[test]
fn nothing_new_is_the_same() {
    let objects = [("t.a", Left), ("t.b", Seen)];
    let settled = [("t.a", Settled), ("t.b", Settled)];
    let old = run(&References::default(), &["t.a > t.b"], &settled);
    assert_eq!(run(&old, &["t.a > t.b"], &objects), old);
    assert_eq!(run(&old, &["t.a > t.b"], &[]), References::default());
    // What does not bear on an object leaves its list where it is.
    let new = run(&old, &["t.a > t.b", "t.x > t.y"], &objects);
    let fresh = run(
        &References::default(),
        &["t.a > t.b", "t.x > t.y"],
        &settled,
    );
    assert_eq!(new, fresh);
}

#[test]
fn what_moved_or_was_put_aside_keeps_what_it_had() {
    let old = run(
        &References::default(),
        &["t.a > t.b"],
        &[("t.a", Settled), ("t.b", Settled)],
    );
    let moved = Object {
        before: Some((at("t.a"), None)),
        ..Object::left((at("t.z"), None))
    };
    let key = DeposedKey("1".into());
    let aside = Object {
        before: Some((at("t.a"), None)),
        ..Object::left((at("t.a"), Some(key.clone())))
    };
    let new = Object {
        before: None,
        ..Object::left((at("t.n"), None))
    };
    let after = old.after(None, vec![moved, aside, new]);
    assert_eq!(behind(&after, "t.z"), "t.b");
    assert_eq!(after.behind(&(at("t.a"), Some(key))), ["t.b"]);
    assert_eq!(behind(&after, "t.n"), "");
}

#[test]
fn it_is_read_as_it_was_written() {
    let old = run(&References::default(), &["t.a > t.b"], &[("t.a", Settled)]);
    let new = run(&old, &["t.a > t.c"], &[("t.a", Seen)]);
    let text = serde_json::to_string(&new).expect("plain data");
    let read: References = serde_json::from_str(&text).expect("what was written");
    assert_eq!(read, new);
    let names: BTreeSet<String> = read.behind(&(at("t.a"), None)).into_iter().collect();
    assert_eq!(names.len(), 2);
}

/// Lists that came with a state are given back as they came, whatever the lists of others say.
#[test]
fn lists_of_a_file_come_back_as_they_were() {
    let cases: [&[(&str, &[&str])]; 5] = [
        &[("a.a", &[]), ("a.b", &[])],
        &[("a.a", &[]), ("a.b", &["a.a"]), ("a.c", &["a.a", "a.b"])],
        // `a.c` was written before `a.b` depended on `a.a`.
        &[("a.b", &["a.a"]), ("a.c", &["a.b"])],
        // Of two instances one was written later, and one stands on nothing.
        &[
            ("a.b[0]", &["a.a"]),
            ("a.b[1]", &["a.a", "data.a.d"]),
            ("a.b[2]", &[]),
        ],
        // Not even what can't be is told otherwise.
        &[("a.a", &["a.b"]), ("a.b", &["a.a"]), ("a.b[0]", &["a.a"])],
    ];
    for case in cases {
        let lists = case.iter().map(|(address, list)| {
            let list = list.iter().map(|d| (*d).to_owned());
            (at(address), list.collect())
        });
        let lists: BTreeMap<Address, BTreeSet<String>> = lists.collect();
        let references = References::of_lists(&lists);
        for (address, list) in &lists {
            let found = references.behind(&(address.clone(), None));
            assert!(found.iter().eq(list), "{address}: {found:?}, not {list:?}");
        }
        // A run that leaves all as it is leaves that too.
        let objects = lists.keys().map(|a| Object::current(a, Standing::Left));
        let after = references.after(None, objects.collect());
        for (address, list) in &lists {
            assert!(after.behind(&(address.clone(), None)).iter().eq(list));
        }
    }
}
