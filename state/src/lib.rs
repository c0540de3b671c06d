//! What weir knows of the world, kept so that no crash loses it.
//!
//! A [`Store`] keeps one line of states: the resources and outputs, the journal of operations, the
//! lease of whoever may write, and the history of applies. This crate never calls a provider,
//! never decides what is done, never prints, and serialises no type of another crate directly:
//! rows follow the versioned [`mod@format`].
//!
//! One apply, seen from here:
//!
//! 1. [`Store::acquire`] gives a [`Lease`] on the whole state, [`Store::acquire_scope`] one on a
//!    [`Part`] of it: several of those are held at the same time where nobody changes what another
//!    changes or depends on. Its epoch rises with every lease ever taken. Each write finds in its
//!    own transaction whether its lease is still held, and covers what is written: a holder that
//!    slept through a take-over can't write (fencing);
//! 2. [`Store::open_entries`] tells what an earlier run began and did not finish. The engine asks
//!    the provider and closes each with [`Store::settle`];
//! 3. [`Store::snapshot`] is what is there; [`Store::record_refresh`] takes what refresh found;
//! 4. [`Store::begin`] is durable before a provider is called;
//! 5. [`Store::commit`] closes the entry, changes the resource and raises the serial, all or
//!    nothing. What it does is said by the pure [`fold::fold`];
//! 6. [`Store::set_outputs`], [`Store::finish_apply`] and [`Store::release`] end it;
//!    [`Store::retain`] drops what of the past is too old, a bounded piece each time.
//!
//! A [`Backend`] is where the states of a stack's workspaces are, each a store of its own with a
//! [`StateId`] for a name.
//!
//! [`SqliteStore`] is the embedded store; [`PostgresStore`], [`S3Store`] and [`HttpStore`] are for
//! teams; a [`MemoryStore`] leaves nothing behind. [`conformance`] is what every store must pass.

pub mod conformance;
mod content;
pub mod encryption;
mod error;
pub mod fold;
pub mod format;
mod history;
mod http;
mod id;
mod journal;
mod lease;
mod memory;
mod postgres;
mod process;

mod remote;
mod rows;
mod s3;
mod scope;
mod sqlite;
mod store;

pub use content::{Bundle, Content, Pruned, Retention};
pub use encryption::Encryption;
pub use error::StateError;
pub use history::{Applied, ApplyOutcome, ApplyRecord};
pub use http::{HttpBackend, HttpSettings, HttpStore};
pub use id::{Backend, SqliteBackend, StateId, Workspace, WorkspaceError};
pub use journal::{Begin, ClosedEntry, Entry, EntryId, Outcome, Target, Verdict};
pub use lease::{Ending, Holder, Lease, LeaseRecord, LeaseStatus};
pub use memory::MemoryStore;
pub use postgres::{PostgresBackend, PostgresSettings, PostgresStore, SettingsError};
pub use rows::{Archive, Stats};
pub use s3::{S3Backend, S3Options, S3Role, S3Settings, S3Store};
pub use scope::{Item, Items, Overlap, Part, Scope};
pub use sqlite::{Options, SqliteStore};
pub use store::{Store, Wait};
