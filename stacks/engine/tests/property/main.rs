//! The whole engine, by random histories: stacks of several modules with all that a lifecycle has,
//! changed, moved, removed and imported from run to run; drift behind weir's back; plans of parts;
//! providers that refuse, time out, lose their answers, stop half-way, lie and crash; processes
//! that die at any record of the journal and in the middle of a call.
//!
//! Held against it ([`check`], [`run`]): nothing is lost and nothing made twice; what goes, goes
//! before what it uses; what fails stops what depends on it and nothing else; what is done is what
//! was shown, once, as planned; plans of one state have equal bytes, also by way of a file; the next
//! run in good weather puts all right and leaves nothing to do.
//!
//! A failing case prints its seed, and is made smaller. `WEIR_CASES=10000 cargo test -p weir-engine
//! --test property` is the long run; `WEIR_SEED=17 WEIR_CASES=1` lives through one case again.
#![allow(clippy::unwrap_used)]

mod case;
mod check;
mod model;
mod render;
mod run;
mod weather;

use case::Case;
use proptest::{
    strategy::{Strategy as _, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn tree(seed: u64) -> impl ValueTree<Value = Case> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    case::case().new_tree(&mut runner).unwrap()
}

/// What is wrong with the case, made as small as so many tries allow.
fn smaller(seed: u64, tries: usize) -> Option<(Case, String)> {
    let mut tree = tree(seed);
    let first = tree.current();
    let mut found = (first.clone(), run::live(&first).err()?);
    for _ in 0..tries {
        let case = tree.current();
        let moved = match run::live(&case) {
            Err(error) => {
                found = (case, error);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
        if !moved {
            break;
        }
    }
    Some(found)
}

#[test]
fn every_history_keeps_the_invariants() {
    let first = number("WEIR_SEED").unwrap_or(1);
    let cases = number("WEIR_CASES").unwrap_or(60);
    let tries = number("WEIR_SHRINK").unwrap_or(400);
    let threads = number("WEIR_THREADS").unwrap_or(2);
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + cases {
                        return;
                    }
                    if (seed - first + 1).is_multiple_of(500) {
                        let seconds = started.elapsed().as_secs();
                        println!("{} cases, {seconds} s", seed - first + 1);
                    }
                    if let Some((case, error)) = smaller(seed, tries as usize) {
                        println!("##### seed {seed}\n{case:#?}\n{error}\n");
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let (last, seconds) = (first + cases - 1, started.elapsed().as_secs());
    println!(
        "seeds {first} to {last}: {} failed, {seconds} s",
        failed.len()
    );
    assert!(failed.is_empty(), "seeds {failed:?}");
}
