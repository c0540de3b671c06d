//! Leases on parts of a state, whatever happens: never are two held that meet.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use std::{
    collections::BTreeSet,
    process::{Child, Command},
    time::Duration,
};
use weir_core::plan::Op;
use weir_state::{
    Holder, Item, Items, Lease, Options, Outcome, Part, Scope, SqliteStore, StateError, Store,
    Wait,
    conformance::{address, begin, me, resource, step},
};

/// What somebody does.
#[derive(Debug, Clone)]
enum Move {
    /// Takes a lease on this, in the name of a process of its own.
    Take(Scope),
    /// Of those that were taken, this one.
    Release(usize),
    /// The process of this one is killed.
    Kill(usize),
    Unlock(usize),
    /// Writes what the lease covers.
    Write(usize),
}

fn items() -> impl Strategy<Value = Items> {
    let places = const { &["a.a", "a.b[0]", "a.b[1]", "a.b", "module.m.a.a", "a.c"] };
    let instances = proptest::collection::btree_set(proptest::sample::select(&places[..]), 0..3);
    let outputs = proptest::collection::btree_set(proptest::sample::select(&["x", "y"][..]), 0..2);
    (instances, outputs).prop_map(|(instances, outputs)| Items {
        instances: instances.into_iter().map(address).collect(),
        outputs: outputs.into_iter().map(str::to_owned).collect(),
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        1 => Just(Scope::Whole),
        9 => (items(), items()).prop_map(|(owned, read)| Scope::Part(Part { owned, read })),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => scope().prop_map(Move::Take),
        2 => (0..8_usize).prop_map(Move::Release),
        2 => (0..8_usize).prop_map(Move::Kill),
        1 => (0..8_usize).prop_map(Move::Unlock),
        4 => (0..8_usize).prop_map(Move::Write),
    ];
    proptest::collection::vec(one, 1..30)
}

/// What two scopes have in common, by the definition and nothing else.
fn meet(a: &Scope, b: &Scope) -> bool {
    let (Scope::Part(a), Scope::Part(b)) = (a, b) else {
        return true;
    };
    let shared = |a: &Items, b: &Items| {
        a.iter().any(|x| {
            b.iter().any(|y| match (&x, &y) {
                (Item::Instance(x), Item::Instance(y)) => x.is_in(y) || y.is_in(x),
                _ => x == y,
            })
        })
    };
    shared(&a.owned, &b.owned) || shared(&a.owned, &b.read) || shared(&a.read, &b.owned)
}

struct Taken {
    lease: Lease,
    process: Child,
    alive: bool,
}

struct World {
    store: SqliteStore,
    taken: Vec<Taken>,
    /// What must be in state.
    written: BTreeSet<String>,
}

impl World {
    fn pick(&self, n: usize) -> Option<usize> {
        (!self.taken.is_empty()).then(|| n % self.taken.len())
    }

    async fn make(&mut self, next: Move) {
        match next {
            Move::Take(scope) => self.take(scope).await,
            Move::Release(n) => {
                let Some(at) = self.pick(n) else { return };
                let mut taken = self.taken.swap_remove(at);
                let released = self.store.release(taken.lease).await;
                assert!(released.is_ok() || !taken.alive, "{released:?}");
                taken.process.kill().unwrap();
                taken.process.wait().unwrap();
            }
            Move::Kill(n) => {
                let Some(at) = self.pick(n) else { return };
                let taken = &mut self.taken[at];
                taken.process.kill().unwrap();
                taken.process.wait().unwrap();
                taken.alive = false;
            }
            Move::Unlock(n) => {
                let Some(at) = self.pick(n) else { return };
                let epoch = self.taken[at].lease.epoch();
                self.store.unlock(epoch, me("unlock")).await.unwrap();
                self.taken[at].alive = false;
            }
            Move::Write(n) => {
                let Some(at) = self.pick(n) else { return };
                self.write(at).await;
            }
        }
    }

    async fn take(&mut self, scope: Scope) {
        let process = Command::new("sleep").arg("600").spawn().unwrap();
        let holder = Holder {
            pid: process.id(),
            ..me("apply")
        };
        let asked = self.store.acquire_scope(holder, scope.clone(), Wait::None);
        let stands_against = |t: &&Taken| t.alive && meet(t.lease.scope(), &scope);
        match asked.await {
            Ok(lease) => {
                let other = self.taken.iter().find(stands_against);
                assert!(
                    other.is_none(),
                    "{scope:?} beside {:?}",
                    other.map(|t| t.lease.scope())
                );
                self.taken.push(Taken {
                    lease,
                    process,
                    alive: true,
                });
            }
            Err(StateError::Locked { by, .. }) => {
                let mut alive = self.taken.iter().filter(stands_against);
                let holder = alive.any(|t| t.lease.epoch() == by.epoch);
                assert!(holder, "{scope:?} is kept out by {by:?}");
                stop(process);
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// Writes something that the lease covers, where it covers an instance, and something that it
    /// does not.
    async fn write(&mut self, at: usize) {
        let taken = &self.taken[at];
        for place in ["a.a", "a.b[0]", "a.b[1]", "module.m.a.a", "a.c"] {
            let covered = taken.lease.scope().owns(&address(place));
            let op = begin(place, Op::Create);
            if !covered || !taken.alive {
                let refused = self.store.begin(&taken.lease, vec![op]).await;
                // Who died and was not taken over yet can still write, as nobody knows better.
                if let (true, Ok(ids)) = (covered, &refused) {
                    let kept = self.store.commit(&taken.lease, ids[0], Outcome::Kept);
                    kept.await.unwrap();
                    continue;
                }
                assert!(
                    matches!(
                        refused,
                        Err(StateError::LeaseLost { .. } | StateError::Invalid(_))
                    ),
                    "{refused:?}"
                );
                continue;
            }
            let put = Outcome::Put(resource(place, &[]));
            step(&self.store, &taken.lease, op, put).await.unwrap();
            self.written.insert(place.to_owned());
        }
    }
}

fn stop(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn leases_that_meet_are_never_held_at_the_same_time(moves in moves()) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = Options { expiry: Duration::from_secs(600), ..Options::default() };
            let store = SqliteStore::open_with(dir.path().join("state.db"), options).unwrap();
            let mut world = World { store, taken: Vec::new(), written: BTreeSet::new() };
            for next in moves {
                world.make(next).await;
            }
            let snapshot = world.store.snapshot().await.unwrap();
            let there: BTreeSet<String> =
                snapshot.resources.keys().map(ToString::to_string).collect();
            assert_eq!(there, world.written);
            for taken in world.taken {
                stop(taken.process);
            }
        });
    }

    #[test]
    fn scopes_meet_as_they_are_defined_to(a in scope(), b in scope(), c in scope()) {
        prop_assert_eq!(a.meets(&b).is_some(), meet(&a, &b));
        prop_assert_eq!(b.meets(&a).is_some(), meet(&a, &b));
        // Whoever meets a scope meets what holds it.
        if a.holds(&b) {
            prop_assert!(!meet(&b, &c) || meet(&a, &c));
        }
        prop_assert!(a.holds(&a));
    }
}
