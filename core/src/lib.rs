//! The nouns of weir, shared by every room.
//!
//! This crate does no I/O and knows no clock, no randomness and no environment: it holds data and
//! the invariants of that data. One resource's way through it:
//!
//! 1. an [`Address`] names it, in one text form that is parsed and printed here;
//! 2. its configuration is a [`Value`], which may hold unknowns and carries marks;
//! 3. a [`schema::Schema`] says which attributes it has and what a change of each means;
//! 4. the difference between state and configuration is a [`change::Change`];
//! 5. changes in order are a [`plan::Plan`];
//! 6. what was done is a [`snapshot::Snapshot`], which holds [`Known`] values alone;
//! 7. what went wrong is a [`diag::Diagnostic`]; what goes on is an [`event::Event`].

pub mod address;
pub mod change;
pub mod checks;
pub mod convert;
pub mod diag;
mod elements;
pub mod event;
pub mod function;
pub mod json;
pub mod number;
mod order;
pub mod path;
pub mod plan;
pub mod references;
mod refine;
pub mod schema;
pub mod snapshot;
pub mod types;
pub mod value;

pub use address::{Address, Key, ModulePath, Object};
pub use diag::{Diagnostic, Diagnostics, Severity, Shortage, Span};
pub use elements::Elements;
pub use number::Number;
pub use path::{Path, Step as PathStep};
pub use types::Type;
pub use value::{Entries, Kind, Known, Marks, Value};
