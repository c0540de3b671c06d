//! Random histories of random stacks with random failures: whatever happens, the next run without
//! failures puts all right, nothing is lost, nothing is made twice, and nothing is left to do.
//!
//! A failing case prints itself and shrinks. `PROPTEST_CASES=10000 cargo test -p weir-engine --test
//! stories` is the long run.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use proptest::prelude::*;
use std::{collections::BTreeSet, fmt::Write as _};
use weir_engine::{NodeResult, Status};
use weir_state::Store;

/// One thing in one version of the stack.
#[derive(Debug, Clone)]
struct Thing {
    size: u8,
    zone: u8,
    create_first: bool,
    /// Uses things before it, as bits.
    uses: u16,
    /// Fails in the apply of this version.
    fails: bool,
}

type Version = Vec<Option<Thing>>;

fn thing() -> impl Strategy<Value = Option<Thing>> {
    let some = (
        0..3_u8,
        0..3_u8,
        any::<bool>(),
        any::<u16>(),
        proptest::bool::weighted(0.15),
    );
    proptest::option::weighted(0.8, some).prop_map(|t| {
        t.map(|(size, zone, create_first, uses, fails)| Thing {
            size,
            zone,
            create_first,
            uses,
            fails,
        })
    })
}

/// The things in an order of their own, so that dependencies turn round between versions.
fn version() -> impl Strategy<Value = (Version, bool)> {
    (proptest::collection::vec(thing(), 1..6), any::<bool>())
}

fn hcl(version: &Version, reversed: bool) -> String {
    let n = version.len();
    let mut text = String::new();
    for (i, thing) in version.iter().enumerate() {
        let Some(t) = thing else { continue };
        let uses: Vec<String> = (0..n)
            .filter(|&j| version[j].is_some() && t.uses >> j & 1 == 1)
            .filter(|&j| if reversed { j > i } else { j < i })
            .map(|j| format!("u{j} = fake_thing.t{j}.id"))
            .collect();
        let _ = writeln!(
            text,
            "resource \"fake_thing\" \"t{i}\" {{\n  name = \"t{i}\"\n  size = {}\n  zone = \
             \"z{}\"\n  tags = {{\n{}\n  }}\n  lifecycle {{ create_before_destroy = {} }}\n}}",
            t.size,
            t.zone,
            uses.join("\n"),
            t.create_first
        );
    }
    text
}

async fn tell(versions: Vec<(Version, bool)>, batch: bool) {
    let mut world = World::new();
    if batch {
        world.settings = "batch = true".into();
    }
    let mut last = String::new();
    for (version, reversed) in &versions {
        let fails: BTreeSet<String> = version
            .iter()
            .enumerate()
            .filter(|(_, t)| t.as_ref().is_some_and(|t| t.fails))
            .map(|(i, _)| format!("fake_thing.t{i}"))
            .collect();
        last = hcl(version, *reversed);
        *world.script.fail.lock().unwrap() = fails.clone();
        let report = world.apply(&last).await;
        for node in &report.nodes {
            let address = node.address.to_string();
            match &node.result {
                NodeResult::Done => assert!(!fails.contains(&address)),
                NodeResult::Failed => assert!(fails.contains(&address), "{address} failed"),
                NodeResult::Skipped(because) => {
                    let because = because.as_ref().expect("nobody stopped the run");
                    assert!(
                        fails.contains(&because.to_string()),
                        "{because} did not fail"
                    );
                }
            }
        }
        whole(&world).await;
    }
    world.script.fail.lock().unwrap().clear();
    let report = world.apply(&last).await;
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    world.assert_settled(&last).await;
    whole(&world).await;
    let wanted = versions
        .last()
        .map_or(0, |(v, _)| v.iter().flatten().count());
    assert_eq!(world.cloud().objects().unwrap().len(), wanted);
}

/// Every object of the cloud is known: in state, or put aside in the journal; and none is known
/// that is not there.
async fn whole(world: &World) {
    let id = |v: &weir_core::Known| v.value().get("id").unwrap().as_str().unwrap().to_owned();
    let mut known = BTreeSet::new();
    for resource in world.store.snapshot().await.unwrap().resources.values() {
        assert!(
            known.insert(id(&resource.value)),
            "two instances are one object"
        );
    }
    for entry in world.store.open_entries().await.unwrap() {
        known.insert(id(entry
            .begin
            .prior
            .as_ref()
            .expect("only old objects stay open")));
    }
    let there: BTreeSet<String> = world.cloud().objects().unwrap().into_keys().collect();
    assert_eq!(known, there, "known and there; log: {:?}", world.log());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(60),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_ends_well(
        versions in proptest::collection::vec(version(), 1..4),
        batch in any::<bool>(),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(tell(versions, batch));
    }
}
