//! What every store must do, whatever keeps it. A store's tests call [`all`].

mod bucket;
mod journal;
mod lease;
mod parts;
mod past;
mod record;
mod server;
mod web;
mod whole;

pub use bucket::Bucket;
pub use server::Server;
pub use web::{Asked, Fault, WebServer};

use crate::{Begin, EntryId, Holder, Lease, Outcome, StateError, Store, Target};
use async_trait::async_trait;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use weir_core::{
    Address, Known, Marks, Type, Value,
    plan::Op,
    snapshot::{Removal, Resource, Serial, Status},
};

/// A place for one store, empty at first.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the store that is there, as another process would. Its leases must expire within
    /// [`EXPIRY`].
    async fn open(&self) -> Result<Arc<dyn Store>, StateError>;
}

/// After how long a lease must expire in the stores under test.
pub const EXPIRY: Duration = Duration::from_secs(4);

/// How long to wait for what must happen some time.
const PATIENCE: Duration = Duration::from_secs(60);

type Verified = Result<(), StateError>;

/// Runs every case, each in a place of its own.
///
/// # Errors
/// When the store fails where it must not.
///
/// # Panics
/// When the store answers other than it must.
pub async fn all(place: &(dyn Fn() -> Box<dyn Place> + Sync)) -> Verified {
    record::starts_empty(&*place()).await?;
    record::records_and_reopens(&*place()).await?;
    record::equals_the_fold(&*place()).await?;
    record::keeps_the_past(&*place()).await?;
    record::keeps_every_value(&*place()).await?;
    journal::begins_all_or_none(&*place()).await?;
    journal::closes_an_entry_once(&*place()).await?;
    journal::settles_what_a_crash_left(&*place()).await?;
    journal::keeps_a_deposed_object(&*place()).await?;
    journal::survives_a_cut_replacement(&*place()).await?;
    record::breaks_a_stale_loop(&*place()).await?;
    lease::excludes_others(&*place()).await?;
    lease::fences_a_lost_lease(&*place()).await?;
    lease::renews_a_lease(&*place()).await?;
    lease::gives_back_a_dropped_lease(&*place()).await?;
    lease::takes_over_a_dead_holder(&*place()).await?;
    match parts::are_there(&*place()).await? {
        true => parts::all(place).await?,
        false => parts::are_the_whole(&*place()).await?,
    }
    record::keeps_history(&*place()).await?;
    whole::takes_a_whole_state(&*place()).await?;
    whole::replaces_all_or_nothing(&*place()).await?;
    whole::keeps_configurations_until_they_are_pruned(&*place()).await?;
    past::drops_what_is_too_old(&*place()).await?;
    past::drops_a_piece_at_a_time(&*place()).await?;
    journal::takes_parallel_writes(&*place()).await
}

/// The address of this text.
///
/// # Panics
/// When it is none.
pub fn address(text: &str) -> Address {
    match text.parse() {
        Ok(address) => address,
        Err(e) => panic!("{e}"),
    }
}

/// A resource that holds `id` and depends on these.
///
/// # Panics
/// When a dependency is no address.
pub fn resource(id: &str, dependencies: &[&str]) -> Resource {
    Resource {
        provider: provider(),
        schema_version: 1,
        value: known(Value::object([
            ("id", Value::string(id)),
            ("secret", Value::string("s3cr3t").mark(Marks::SENSITIVE)),
        ])),
        private: id.as_bytes().to_vec(),
        dependencies: dependencies.iter().map(|d| address(d)).collect(),
        status: Status::Ready,
        removal: Removal::default(),
        foreign: None,
    }
}

/// An operation on the resource at this address.
///
/// # Panics
/// When it is no address.
pub fn begin(text: &str, op: Op) -> Begin {
    let value = resource(text, &[]).value;
    Begin {
        address: address(text),
        op,
        target: Target::Current,
        provider: provider(),
        type_name: "fake".into(),
        schema_version: 1,
        token: format!("token-of-{text}"),
        step: 7,
        planned: (op != Op::Delete).then(|| {
            Value::object([
                ("id", Value::unknown(Type::String)),
                ("size", Value::from(3)),
            ])
        }),
        prior: (op != Op::Create).then_some(value),
        private: vec![0xff, 0],
        dependencies: BTreeSet::new(),
        foreign: None,
    }
}

/// A holder that is this process.
pub fn me(purpose: &str) -> Holder {
    Holder::this_process("ann", purpose)
}

fn provider() -> weir_core::address::ProviderRef {
    weir_core::address::ProviderRef::new("fake")
}

fn known(value: Value) -> Known {
    match Known::new(value) {
        Ok(known) => known,
        Err(e) => panic!("{e}"),
    }
}

/// Begins and commits one operation.
///
/// # Errors
/// The store's.
pub async fn step(
    store: &dyn Store,
    lease: &Lease,
    begin: Begin,
    outcome: Outcome,
) -> Result<(EntryId, Serial), StateError> {
    let ids = store.begin(lease, vec![begin]).await?;
    assert_eq!(ids.len(), 1, "one entry for one operation");
    let serial = store.commit(lease, ids[0], outcome).await?;
    Ok((ids[0], serial))
}

async fn create(store: &dyn Store, lease: &Lease, text: &str, dependencies: &[&str]) -> Verified {
    let outcome = Outcome::Put(resource(text, dependencies));
    step(store, lease, begin(text, Op::Create), outcome).await?;
    Ok(())
}
