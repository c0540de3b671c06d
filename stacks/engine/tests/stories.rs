//! Random histories of random stacks with random failures: whatever happens, the next run without
//! failures puts all right, nothing is lost, nothing is made twice, and nothing is left to do.
//!
//! A failing case prints itself and shrinks. `PROPTEST_CASES=10000 cargo test -p weir-engine --test
//! stories` is the long run.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use futures::FutureExt as _;
use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio_util::sync::CancellationToken;
use weir_engine::{NodeResult, Point, Probe, Status};
use weir_state::Store;

/// Ends a run at the n-th record: everything it had in hand is dropped, as a crash would.
struct Fuse(AtomicUsize);
impl Probe for Fuse {
    fn at(&self, _: Point<'_>) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::panic::panic_any(Blown);
        }
    }
}
struct Blown;

/// What happens to the run of a version beside the failures of its things.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Ends,
    /// It is cut off at this record.
    Cut(usize),
}

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

/// One chapter: a version of the stack, whether its things use later ones, and its run's fate.
type Chapter = (Version, bool, Fate);

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

/// Things may use earlier ones or later ones, so that dependencies turn round between versions.
fn chapter() -> impl Strategy<Value = Chapter> {
    let fate = prop_oneof![2 => Just(Fate::Ends), 1 => (1..40_usize).prop_map(Fate::Cut)];
    (
        proptest::collection::vec(thing(), 1..6),
        any::<bool>(),
        fate,
    )
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

async fn tell(chapters: Vec<Chapter>, batch: bool) {
    let mut world = World::new();
    if batch {
        world.settings = "batch = true".into();
    }
    let mut last = String::new();
    for (version, reversed, fate) in &chapters {
        let fails: BTreeSet<String> = version
            .iter()
            .enumerate()
            .filter(|(_, t)| t.as_ref().is_some_and(|t| t.fails))
            .map(|(i, _)| format!("fake_thing.t{i}"))
            .collect();
        last = hcl(version, *reversed);
        *world.script.fail.lock().unwrap() = fails.clone();
        let Some(report) = run(&world, &last, *fate).await else {
            continue;
        };
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
    let wanted = chapters
        .last()
        .map_or(0, |(v, ..)| v.iter().flatten().count());
    assert_eq!(world.cloud().objects().unwrap().len(), wanted);
}

/// Plans and applies; `None` where the run was cut off.
async fn run(world: &World, stack: &str, fate: Fate) -> Option<weir_engine::Report> {
    let Fate::Cut(at) = fate else {
        return Some(world.apply(stack).await);
    };
    let engine = world
        .engine()
        .with_probe(Arc::new(Fuse(AtomicUsize::new(at))));
    let lease = world.lease().await;
    let input = world.input(stack);
    let work = AssertUnwindSafe(async {
        let planned = engine
            .plan(&input, &lease)
            .await
            .unwrap_or_else(|d| panic!("{d}"));
        let report = engine
            .apply(&planned, &lease, CancellationToken::new())
            .await;
        report.unwrap_or_else(|d| panic!("{d}"))
    });
    let ended = work.catch_unwind().await;
    world.store.release(lease).await.unwrap();
    match ended {
        Ok(report) => Some(report),
        Err(panic) if panic.is::<Blown>() => None,
        Err(panic) => std::panic::resume_unwind(panic),
    }
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
        chapters in proptest::collection::vec(chapter(), 1..5),
        batch in any::<bool>(),
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(tell(chapters, batch));
    }
}
