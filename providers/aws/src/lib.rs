//! Amazon EC2 as a provider: networks, machines, disks and addresses, by the names, attributes and
//! import ids of Terraform's provider (hashicorp/aws 5.100), so that files and habits hold.
//!
//! It never keeps or shows credentials, never reads state or files of the stack, and never makes
//! a thing twice. One object's way:
//!
//! 1. `schema` has the names and types as Terraform's provider declares them, and beside them the
//!    rules: what replaces, defaults, what is not served and is refused.
//! 2. `plan` applies the rules to prior and configuration; a type completes that where its API has
//!    rules of its own.
//! 3. `lifecycle` drives each operation: it looks for what an earlier attempt made (a tag carries
//!    the operation's name), makes it, waits, sets what can't be set at creation, reads it back.
//! 4. A file in `resources` has the calls of one type, and what of their answers is which
//!    attribute; a file in `data` those of a data source.
//! 5. `client` tries calls again with jitter within a budget, and never one that makes something
//!    where nobody knows whether it was done: there the lifecycle looks first.
//! 6. `settle` after a crash finds by the same tag.

#![cfg(feature = "sdk")]

mod client;
mod data;
mod dependents;
mod duration;
mod failure;
mod lifecycle;
mod plan;
mod provider;
mod resource;
mod resources;
mod schema;
mod settings;
mod shape;
mod tags;
mod values;

pub use client::Pacing;
pub use provider::AwsProvider;
