//! Amazon EC2 as a provider: networks, machines, disks and addresses, by the names, attributes and
//! import ids of Terraform's provider (hashicorp/aws 5.100), so that files and habits hold.
//!
//! It never keeps or shows credentials, never reads state or files of the stack, and never makes
//! a thing twice. One object's way:
//!
//! 1. `schema` has the names and types as Terraform's provider declares them, and beside them the
//!    rules: what replaces, defaults, what is not served and is refused
//!    ([`weir_provider::declared`]).
//! 2. `client` is an account in a region: [`weir_provider::cloud`] drives every operation over it.
//!    It looks for what an earlier attempt made (a tag carries the operation's name), makes it,
//!    waits, sets what can't be set at creation, reads it back, and settles after a crash.
//! 3. A file in `resources` has the calls of one type, and what of their answers is which
//!    attribute; a file in `data` those of a data source.
//! 4. `failure` says what EC2's codes mean: what is tried again, what is gone, in use, or out of
//!    capacity.
//! 5. `settings` reads the provider block and finds credentials.

#![cfg(feature = "sdk")]

mod client;
mod data;
mod dependents;
mod failure;
mod resource;
mod resources;
mod schema;
mod settings;
mod tags;

pub use weir_provider::cloud::Pacing;

/// The provider.
pub type AwsProvider = weir_provider::cloud::Served<client::Aws>;
